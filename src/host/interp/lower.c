/*
 * lower.c: IR into the interpreter's code.
 *
 * A value has a place: a frame slot, or the home of a register from which it was read or into which it was put. GET and
 * most PUTs cost nothing: a GET's value stays at the home until the register is overwritten (then it moves to a slot if it
 * is still wanted), and the operation before a PUT writes the home directly. Homes change exactly where the PUTs stand, as
 * nothing between two operations can fault or leave.
 */
#include <stdlib.h>
#include "host/interp/code.h"

enum { NOWHERE = INT32_MIN };

struct lower {
    struct ir *ir;
    int32_t frame;
    /* per value */
    int32_t *place;            /* offset from the CPU pointer, or NOWHERE */
    uint32_t *last;            /* instruction of its last use, 0 = not needed */
    uint32_t *def;             /* operation that wrote its slot, UINT32_MAX = none in particular */
    V *next_at_home;           /* list of values at the home of one register */
    uint8_t *uses;             /* 2 = several */
    uint32_t cap_place, cap_last, cap_def, cap_next, cap_uses;
    V at_home[IR_REGS_MAX + INTERP_SLOTS / 2];
    /* frame slots not in use */
    uint16_t free[INTERP_SLOTS];
    uint32_t nfree;
    bool too_big, softmmu;
    struct iop *ops;
    uint32_t nops, cap_ops;
    struct side *side;
    uint32_t nside, cap_side;
    uint32_t *start;           /* first operation of each block */
    uint32_t cap_start;
    uint32_t nexits;
    uint32_t now;              /* instruction being lowered */
    uint64_t pc;
};

struct lower *lower_new(void)
{
    return xalloc(sizeof(struct lower));
}

void lower_free(struct lower *l)
{
    if (!l)
        return;
    free(l->place);
    free(l->last);
    free(l->def);
    free(l->next_at_home);
    free(l->uses);
    free(l->ops);
    free(l->side);
    free(l->start);
    free(l);
}

static struct ir_ins *ins_of(struct lower *l, V v)
{
    return &l->ir->ins[v];
}

static unsigned type_of(struct lower *l, V v)
{
    return v ? ins_of(l, v)->type : T_VOID;
}

static unsigned width_of(struct lower *l, V v)
{
    return ir_type_bits[type_of(l, v)];
}

/* -- operations, places ------------------------------------------------------------------------------------------- */

static struct iop *emit(struct lower *l, unsigned code)
{
    if (l->nops == l->cap_ops)
        l->ops = vec_grow(l->ops, &l->cap_ops, MAX(l->nops + 1, 256), sizeof *l->ops);
    struct iop *op = &l->ops[l->nops++];
    *op = (struct iop){ .code = (const void *)(uintptr_t)code };
    return op;
}

static uint32_t new_side(struct lower *l, const struct ir_ins *ins)
{
    if (l->nside == l->cap_side)
        l->side = vec_grow(l->side, &l->cap_side, MAX(l->nside + 1, 32), sizeof *l->side);
    struct side *s = &l->side[l->nside];
    *s = (struct side){ .ins = *ins, .pc = l->pc };
    s->t[3] = ins->type;
    return l->nside++;
}

static int32_t slot_place(const struct lower *l, uint32_t slot)
{
    return l->frame + 16 * (int32_t)slot;
}

static bool in_slot(const struct lower *l, int32_t place)
{
    return place >= l->frame + 16 * (int32_t)l->ir->nvars;
}

static int32_t new_slot(struct lower *l)
{
    if (!l->nfree) {
        l->too_big = true;
        return slot_place(l, INTERP_SLOTS - 1);
    }
    return slot_place(l, l->free[--l->nfree]);
}

static void free_place(struct lower *l, int32_t place)
{
    if (place != NOWHERE && in_slot(l, place))
        l->free[l->nfree++] = (uint16_t)((place - l->frame) / 16);
}

static int32_t reg_place(const struct lower *l, uint32_t r)
{
    return r < l->ir->nregs ? l->ir->regs[r].offset : slot_place(l, r - l->ir->nregs);
}

static unsigned mov_code(unsigned type)
{
    return type == T_V128 ? OP_MOV_128 : OP_MOV_8 + width_index(ir_type_bits[type]);
}

/* Where an operand lies; constants get a slot when they are first wanted there. */
static int32_t use(struct lower *l, V v)
{
    struct ir_ins *ins = ins_of(l, v);

    if (!v)
        return l->frame;
    if (l->place[v] != NOWHERE)
        return l->place[v];
    l->place[v] = new_slot(l);
    struct iop *op;
    if (ins->op == IR_KV) {
        uint32_t s = new_side(l, ins);
        l->side[s].kv = l->ir->kv[ins->x];
        op = emit(l, OP_MOVK_128);
        op->imm = s;
    } else {
        op = emit(l, OP_MOVK_8 + width_index(ir_type_bits[ins->type]));
        op->imm = ins->imm;
    }
    op->d = l->place[v];
    return l->place[v];
}

/* The operand dies here if this is its last use; to be called once all operands are placed. */
static void done_with(struct lower *l, V v)
{
    if (!v || l->last[v] != l->now)
        return;
    l->last[v] = 0;
    free_place(l, l->place[v]);
}

static int32_t result(struct lower *l, V v)
{
    l->place[v] = l->last[v] ? new_slot(l) : slot_place(l, INTERP_SLOTS - 1); /* wanted by nobody: a scratch slot */
    l->def[v] = l->nops;       /* the operation emitted next */
    return l->place[v];
}

static bool wanted_at_home(const struct lower *l, uint32_t r)
{
    for (V v = l->at_home[r]; v; v = l->next_at_home[v])
        if (l->last[v] > l->now)
            return true;
    return false;
}

/* The register is about to be overwritten: values that lie at its home and are wanted later move to slots. */
static void vacate(struct lower *l, uint32_t r)
{
    for (V v = l->at_home[r]; v; v = l->next_at_home[v]) {
        if (l->last[v] <= l->now)
            continue;
        struct iop *op = emit(l, mov_code(type_of(l, v)));
        op->a = l->place[v];
        op->d = l->place[v] = new_slot(l);
    }
    l->at_home[r] = 0;
}

static void settle(struct lower *l, V v, uint32_t r)
{
    l->place[v] = reg_place(l, r);
    l->def[v] = UINT32_MAX;
    l->next_at_home[v] = l->at_home[r];
    l->at_home[r] = v;
}

static void lower_put(struct lower *l, const struct ir_ins *ins)
{
    const uint32_t r = ins->x;
    const V v = ins->a;
    const int32_t home = reg_place(l, r);
    const unsigned op = ins_of(l, v)->op, width = width_of(l, v);

    if (l->place[v] == home)
        return;
    if (l->def[v] == l->nops - 1 && in_slot(l, l->place[v]) && !wanted_at_home(l, r)) {
        l->ops[l->nops - 1].d = home;
        free_place(l, l->place[v]);
        l->at_home[r] = 0;
        settle(l, v, r);
        return;
    }
    if (op == IR_K && l->place[v] == NOWHERE) {
        vacate(l, r);
        struct iop *k = emit(l, OP_MOVK_8 + width_index(width));
        k->imm = ins_of(l, v)->imm;
        k->d = home;
        return;
    }
    int32_t from = use(l, v);
    vacate(l, r);
    struct iop *m = emit(l, mov_code(type_of(l, v)));
    m->a = from;
    m->d = home;
    done_with(l, v);
}

/* -- what is needed -------------------------------------------------------------------------------------------------- */

static unsigned operands(struct lower *l, const struct ir_ins *ins, V out[6])
{
    unsigned n = 0;

    if (ins->op == IR_CALL) {
        const struct ir_call *c = &l->ir->calls[ins->x];
        for (; n < c->h->nargs; n++)
            out[n] = c->arg[n];
        return n;
    }
    const char *sig = strchr(ir_opinfo[ins->op].sig, ':') + 1;
    const V abc[3] = { ins->a, ins->b, ins->c };
    for (; *sig; sig++)
        if (*sig != '?')
            out[n] = abc[n], n++;
    return n;
}

/* A comparison whose only user is the branch that ends the block is done by the branch. */
static bool fused(struct lower *l, V v, uint32_t end)
{
    const struct ir_ins *ins = ins_of(l, v), *br = ins_of(l, end);

    return ins->op == IR_CMP && l->uses[v] == 1 && br->op == IR_BRC && br->a == v && width_of(l, ins->a) >= 8;
}

/* Backwards over a block: which instructions are needed, where each value is used last. Returns the terminator. */
static uint32_t find_uses(struct lower *l, const struct ir_block *b)
{
    uint32_t end = b->end;

    memset(&l->last[b->first], 0, (b->end - b->first) * sizeof *l->last);
    memset(&l->uses[b->first], 0, b->end - b->first);
    while (end > b->first && ins_of(l, end - 1)->op == IR_NOP)
        end--;
    for (uint32_t i = end; i-- > b->first;) {
        const struct ir_ins *ins = ins_of(l, i);
        bool pure = ir_opinfo[ins->op].flags & F_PURE ||
                    (ins->op == IR_CALL && l->ir->calls[ins->x].h->flags & HF_PURE);
        V v[6];
        if (pure && !l->last[i])
            continue;
        uint32_t at = fused(l, i, end - 1) ? end - 1 : i;
        for (unsigned n = operands(l, ins, v); n-- > 0;) {
            if (!v[n])
                continue;
            l->last[v[n]] = MAX(l->last[v[n]], at);
            l->uses[v[n]] = (uint8_t)MIN(l->uses[v[n]] + 1, 2);
        }
    }
    return end - 1;
}

/* -- instructions ------------------------------------------------------------------------------------------------- */

static bool is_k(struct lower *l, V v)
{
    return ins_of(l, v)->op == IR_K;
}

/* Operands a, b, c placed and released, result placed; the operation with them. */
static struct iop *emit3(struct lower *l, unsigned code, V v)
{
    const struct ir_ins *ins = ins_of(l, v);
    V u[6];
    unsigned n = operands(l, ins, u);
    int32_t at[3] = { l->frame, l->frame, l->frame }, d = l->frame;

    for (unsigned i = 0; i < n && i < 3; i++)
        at[i] = use(l, u[i]);
    for (unsigned i = 0; i < n && i < 3; i++)
        done_with(l, u[i]);
    if (ins->type != T_VOID)
        d = result(l, v);
    struct iop *op = emit(l, code);
    op->a = at[0], op->b = at[1], op->c = at[2], op->d = d;
    return op;
}

static void emit_side(struct lower *l, unsigned code, V v)
{
    const struct ir_ins *ins = ins_of(l, v);
    uint32_t s = new_side(l, ins);
    V u[6];
    unsigned n = operands(l, ins, u);

    for (unsigned i = 0; i < n && i < 3; i++)
        l->side[s].t[i] = (uint8_t)type_of(l, u[i]);
    emit3(l, code, v)->imm = s;
}

/* Binary operation with forms for a register and a constant second operand, base = its 8-bit register form. */
static void emit_binary(struct lower *l, unsigned base, V v, unsigned width)
{
    const struct ir_ins *ins = ins_of(l, v);
    unsigned code = base + 2 * width_index(width);

    if (!is_k(l, ins->b) || l->place[ins->b] != NOWHERE) {
        emit3(l, code, v);
        return;
    }
    int32_t a = use(l, ins->a);
    done_with(l, ins->a);
    done_with(l, ins->b);
    int32_t d = result(l, v);
    struct iop *op = emit(l, code + 1);
    op->a = a, op->d = d, op->imm = ins_of(l, ins->b)->imm;
}

static int code_for_pair(unsigned from, unsigned to, unsigned base)
{
    static const uint8_t index[4][4] = { { 0, 0, 1, 2 }, { 0, 0, 3, 4 }, { 0, 0, 0, 5 } }; /* I_WIDEN */
    return (int)(base + index[width_index(from)][width_index(to)]);
}

/* I_SAME then I_NARROW: register width, memory width. */
static unsigned mem_code(unsigned reg, unsigned mem, unsigned base, unsigned narrow_base)
{
    static const uint8_t index[4][4] = { { 0 }, { 0 }, { 1, 3 }, { 2, 4, 5 } };
    return reg == mem ? base + width_index(reg) : narrow_base + index[width_index(reg)][width_index(mem)];
}

static void lower_extend(struct lower *l, V v)
{
    const struct ir_ins *ins = ins_of(l, v);
    const unsigned from = width_of(l, ins->a), to = ir_type_bits[ins->type];

    if (ins->op == IR_TRUNC)
        emit3(l, to == 1 ? OP_TEST_8 + width_index(from) : mem_code(from, to, 0, OP_TRUNC_16_8), v);
    else if (ins->op == IR_SEXT && from == 1)
        emit3(l, OP_BOOL_SEXT_8 + width_index(to), v);
    else if (from == 1 && to == 8)
        emit3(l, OP_MOV_8, v);
    else
        emit3(l, (unsigned)code_for_pair(from, to, ins->op == IR_SEXT ? OP_SEXT_8_16 : OP_ZEXT_8_16), v);
}

static void lower_mem(struct lower *l, V v)
{
    const struct ir_ins *ins = ins_of(l, v);
    const bool ld = ins->op == IR_LD;
    const unsigned mem = 8 * MO_BYTES(ins->mo), reg = ld ? ir_type_bits[ins->type] : width_of(l, ins->b);
    const int64_t disp = (int64_t)ins->imm;
    unsigned code;

    if (l->softmmu || (!ld && ins->op != IR_ST) || ins->mo & (MO_BE | MO_ALIGN | MO_ACQ | MO_REL) || disp != (int32_t)disp) {
        emit_side(l, OP_MEM, v);
        return;
    }
    if (mem == 128)
        code = ld ? OP_LD_128 : OP_ST_128;
    else if (!ld)
        code = mem_code(reg, mem, OP_ST_8_8, OP_ST_16_8);
    else if (ins->mo & MO_SIGN && reg > mem)
        code = mem_code(reg, mem, 0, OP_LDS_16_8);
    else
        code = mem_code(reg, mem, OP_LDU_8_8, OP_LDU_16_8);
    struct iop *op = emit3(l, code, v);
    op->c = (int32_t)disp;
    op->imm = l->pc;
}

static void lower_call(struct lower *l, V v)
{
    const struct ir_ins *ins = ins_of(l, v);
    const struct ir_call *c = &l->ir->calls[ins->x];
    uint32_t s = new_side(l, ins);

    l->side[s].helper = c->h;
    for (unsigned i = 0; i < c->h->nargs; i++) {
        int32_t at = use(l, c->arg[i]); /* may grow l->side */
        l->side[s].arg[i] = at;
    }
    /* before the arguments' slots are free again: the moves go in front of the call */
    for (uint32_t r = 0; c->h->writes && r < l->ir->nregs; r++)
        if (l->at_home[r] && c->h->writes >> l->ir->regs[r].group & 1)
            vacate(l, r);
    for (unsigned i = 0; i < c->h->nargs; i++)
        done_with(l, c->arg[i]);
    int32_t d = c->h->ret != T_VOID ? result(l, v) : l->frame;
    struct iop *op = emit(l, OP_CALL);
    op->d = d;
    op->imm = s;
}

static void lower_field(struct lower *l, V v)
{
    const struct ir_ins *ins = ins_of(l, v);
    const unsigned w = ir_type_bits[ins->type];

    if (w < 32) {
        emit_side(l, OP_EVAL, v);
        return;
    }
    struct iop *op = emit3(l, (ins->op == IR_UBFX ? OP_UBFX_32 : OP_SBFX_32) + (w == 64), v);
    op->b = (int32_t)(w - ins->x - ins->y);
    op->c = (int32_t)(w - ins->y);
}

static void lower_pure(struct lower *l, V v)
{
    const struct ir_ins *ins = ins_of(l, v);
    const unsigned w = ir_type_bits[ins->type], wa = width_of(l, ins->a);

    switch (ins->op) {
    case IR_K:
    case IR_KV: return;        /* placed when wanted */
    case IR_ADD: emit_binary(l, OP_ADD_8_R, v, w); return;
    case IR_SUB: emit_binary(l, OP_SUB_8_R, v, w); return;
    case IR_AND: emit_binary(l, OP_AND_8_R, v, w); return;
    case IR_OR: emit_binary(l, OP_OR_8_R, v, w); return;
    case IR_XOR: emit_binary(l, OP_XOR_8_R, v, w); return;
    case IR_MUL: emit_binary(l, OP_MUL_8_R, v, w); return;
    case IR_SHL: emit_binary(l, OP_SHL_8_R, v, w); return;
    case IR_SHR: emit_binary(l, OP_SHR_8_R, v, w); return;
    case IR_SAR: emit_binary(l, OP_SAR_8_R, v, w); return;
    case IR_ROTR: emit_binary(l, OP_ROTR_8_R, v, w); return;
    case IR_CMP:
        if (wa < 8)
            break;
        emit_binary(l, OP_CMP_EQ_8_R + 8 * ins->sub, v, wa);
        return;
    case IR_NOT: {
        struct iop *op = emit3(l, OP_XOR_8_K + 2 * width_index(w), v);
        op->imm = bits_mask(w);
        return;
    }
    case IR_NEG: emit3(l, OP_NEG_8 + width_index(w), v); return;
    case IR_SEXT:
    case IR_ZEXT:
    case IR_TRUNC: lower_extend(l, v); return;
    case IR_UBFX:
    case IR_SBFX: lower_field(l, v); return;
    case IR_SELECT: emit3(l, w == 128 ? OP_SELECT_128 : OP_SELECT_8 + width_index(w), v); return;
    case IR_BITCAST: emit3(l, mov_code(ins->type), v); return;
    case IR_FBOX:
        if (wa != 32)
            break;
        emit3(l, OP_FBOX_32, v);
        return;
    case IR_FUNBOX:
        if (w != 32)
            break;
        emit3(l, OP_FUNBOX_32, v);
        return;
    default: break;
    }
    emit_side(l, OP_EVAL, v);
}

/* -- control ----------------------------------------------------------------------------------------------------------- */

static void branch_to(struct lower *l, unsigned code, uint32_t block)
{
    emit(l, code)->d = (int32_t)block; /* fixed when all blocks have their place */
}

static void lower_branch(struct lower *l, const struct ir_ins *ins, uint32_t next)
{
    uint32_t to = ins->x, other = ins->y;
    const bool invert = to == next;
    unsigned code;

    if (invert)
        to = ins->y, other = ins->x;
    if (fused(l, ins->a, l->now)) {
        const struct ir_ins *cmp = ins_of(l, ins->a);
        bool k = is_k(l, cmp->b) && l->place[cmp->b] == NOWHERE;
        int32_t a = use(l, cmp->a), b = k ? 0 : use(l, cmp->b);
        code = OP_BR_EQ_8_R + 8 * (cmp->sub ^ invert) + 2 * width_index(width_of(l, cmp->a)) + k;
        branch_to(l, code, to);
        struct iop *op = &l->ops[l->nops - 1];
        op->a = a, op->b = b;
        if (k)
            op->imm = ins_of(l, cmp->b)->imm;
        done_with(l, cmp->a);
        done_with(l, cmp->b);
    } else {
        int32_t a = use(l, ins->a);
        branch_to(l, invert ? OP_BRZ : OP_BRNZ, to);
        l->ops[l->nops - 1].a = a;
        done_with(l, ins->a);
    }
    if (other != next)
        branch_to(l, OP_JMP, other);
}

static void lower_end(struct lower *l, const struct ir_ins *ins, uint32_t next)
{
    struct iop *op;

    switch (ins->op) {
    case IR_JMP:
        if (ins->x != next)
            branch_to(l, OP_JMP, ins->x);
        break;
    case IR_BRC: lower_branch(l, ins, next); break;
    case IR_EXIT:
        op = emit(l, OP_EXIT);
        op->d = (int32_t)ins->y;
        op->a = ins->sub;
        emit(l, OP_DATA)->imm = ins->imm;
        l->nexits++;
        break;
    case IR_EXITI: {
        int32_t a = use(l, ins->a), b = ins->b ? use(l, ins->b) : 0;
        op = emit(l, ins->b ? OP_EXITI_MODE : OP_EXITI);
        op->a = a, op->b = b;
        op->d = (int32_t)ins->y;
        done_with(l, ins->a);
        done_with(l, ins->b);
        break;
    }
    default: /* IR_EXC */
        op = emit(l, OP_EXC);
        op->c = ins->sub;
        op->b = (int32_t)ins->x;
        op->imm = ins->imm;
        break;
    }
}

static void lower_ins(struct lower *l, V v)
{
    const struct ir_ins *ins = ins_of(l, v);
    const unsigned flags = ir_opinfo[ins->op].flags;
    struct iop *op;

    switch (ins->op) {
    case IR_NOP: break;
    case IR_INSN: l->pc = ins->imm; break;
    case IR_GET: settle(l, v, ins->x); break;
    case IR_PUT: lower_put(l, ins); break;
    case IR_CALL: lower_call(l, v); break;
    case IR_FENCE: emit(l, OP_FENCE)->a = ins->sub; break;
    case IR_FENVRD: emit3(l, OP_FENVRD, v); break;
    case IR_FENVWR: emit3(l, OP_FENVWR, v); break;
    case IR_FRMWR: emit3(l, OP_FRMWR, v); break;
    case IR_TRAPIF:
        op = emit3(l, OP_TRAPIF, v);
        op->b = (int32_t)ins->imm;
        op->c = ins->sub;
        op->imm = l->pc;
        break;
    default:
        if (flags & F_MEM)
            lower_mem(l, v);
        else if (flags & F_FP)
            emit_side(l, OP_FP, v);
        else
            lower_pure(l, v);
        break;
    }
}

static void lower_block(struct lower *l, uint32_t n)
{
    const struct ir_block *b = &l->ir->blk[n];
    const uint32_t end = find_uses(l, b);

    l->start[n] = l->nops;
    l->pc = b->pc;
    memset(l->at_home, 0, sizeof l->at_home);
    for (V v = b->first; v < b->end; v++)
        l->place[v] = NOWHERE, l->def[v] = UINT32_MAX;
    l->nfree = 0;              /* slot 0 is handed out first; the last one is scratch */
    for (uint32_t s = INTERP_SLOTS - 1; s-- > l->ir->nvars;)
        l->free[l->nfree++] = (uint16_t)s;
    if (b->entry || b->loop_head)
        emit(l, OP_POLL)->imm = b->pc;
    for (V v = b->first; v < end; v++) {
        const struct ir_ins *ins = ins_of(l, v);
        bool pure = ir_opinfo[ins->op].flags & F_PURE || (ins->op == IR_CALL && l->ir->calls[ins->x].h->flags & HF_PURE);
        if ((pure && !l->last[v]) || fused(l, v, end))
            continue;
        l->now = v;
        lower_ins(l, v);
    }
    l->now = end;
    lower_end(l, ins_of(l, end), n + 1);
}

/* -- the region -------------------------------------------------------------------------------------------------------- */

static void prepare(struct lower *l, struct ir *ir, int32_t frame)
{
    l->ir = ir;
    l->frame = frame;
    l->too_big = false;
    l->nops = l->nside = l->nexits = 0;
    l->place = vec_grow(l->place, &l->cap_place, ir->nins, sizeof *l->place);
    l->last = vec_grow(l->last, &l->cap_last, ir->nins, sizeof *l->last);
    l->def = vec_grow(l->def, &l->cap_def, ir->nins, sizeof *l->def);
    l->next_at_home = vec_grow(l->next_at_home, &l->cap_next, ir->nins, sizeof *l->next_at_home);
    l->uses = vec_grow(l->uses, &l->cap_uses, ir->nins, sizeof *l->uses);
    l->start = vec_grow(l->start, &l->cap_start, ir->nblk, sizeof *l->start);
}

static bool has_side(unsigned code)
{
    return code == OP_EVAL || code == OP_FP || code == OP_MEM || code == OP_CALL || code == OP_MOVK_128;
}

static bool has_target(unsigned code)
{
    return (code >= OP_BR_EQ_8_R && code < OP_SEXT_8_16) || code == OP_JMP || code == OP_BRNZ || code == OP_BRZ;
}

/* Copies code and side data to their final place and links them. */
static void finish(struct lower *l, const struct interp *h, struct icode *c, struct region *r)
{
    uint32_t exit = 0;

    c->fp = l->ir->fp;
    c->nops = l->nops;
    if (l->nside) memcpy(c->side, l->side, l->nside * sizeof *l->side);
    for (uint32_t i = 0; i < l->nops; i++) {
        struct iop *op = &c->ops[i];
        *op = l->ops[i];
        unsigned code = (unsigned)(uintptr_t)op->code;
        op->code = h->labels[code];
        if (has_target(code))
            op->d = (int32_t)l->start[op->d] - (int32_t)i;
        if (has_side(code)) {
            struct side *s = &c->side[op->imm];
            s->fp = code == OP_FP ? &c->fp : NULL;
            op->side = s;
        }
        if (code == OP_EXIT) {
            struct exit_slot *slot = &r->exits[exit++];
            *slot = (struct exit_slot){ .from = r, .pc = l->ops[i + 1].imm, .mode = (uint32_t)op->d, .jk = (uint8_t)op->a, .patch = i };
            op->to = NULL;
            c->ops[++i] = (struct iop){ .code = slot, .imm = slot->pc };
        }
    }
}

int lower_region(struct interp *h, struct ir *ir, struct code_buf *buf, struct region *r)
{
    struct lower *l = h->lower;

    if (ir->nvars > INTERP_SLOTS / 2)
        return -E2BIG;
    l->softmmu = h->env.softmmu;
    prepare(l, ir, h->frame);
    for (uint32_t n = 0; n < ir->nblk; n++)
        lower_block(l, n);
    if (l->too_big)
        return -E2BIG;
    size_t head = ALIGN_UP(sizeof(struct icode), (size_t)16), sides = ALIGN_UP(l->nside * sizeof(struct side), (size_t)16);
    size_t bytes = head + sides + l->nops * sizeof(struct iop);
    if ((size_t)(buf->end - buf->rw) < bytes)
        return -ENOSPC;
    uint8_t *mem = aligned_alloc(16, ALIGN_UP(bytes, (size_t)16));
    if (!mem)
        return -ENOMEM;
    struct icode *c = (struct icode *)mem;
    c->side = (struct side *)(mem + head);
    c->ops = (struct iop *)(mem + head + sides);
    r->exits = l->nexits ? xalloc(l->nexits * sizeof *r->exits) : NULL;
    r->nexits = l->nexits;
    finish(l, h, c, r);
    r->code = c->ops + l->start[0];
    r->host_data = c;
    buf->rw += bytes;          /* keeps the cache's accounts; nothing is written there */
    return 0;
}
