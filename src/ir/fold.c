/*
 * fold.c: the forward pass. Each block is rewritten into a new array in one sweep: registers are forwarded from puts
 * and earlier gets, every pure instruction goes through the rules and the value table, INSN markers stay only before
 * what needs a pc. Values are renumbered; nothing outside the ir holds value numbers.
 */
#include "ir/opt.h"

static void grow_out(struct fold *f)
{
    struct ir_scratch *s = f->s;
    uint32_t old = s->cap_out;
    s->out = vec_grow(s->out, &s->cap_out, f->n + 2 * FOLD_ROOM, sizeof *s->out);
    s->out_flag = xrealloc(s->out_flag, old, s->cap_out);
    if (s->cap_home < s->cap_out) s->home = vec_grow(s->home, &s->cap_home, s->cap_out, sizeof *s->home);
    f->I = s->out;
}

static V append(struct fold *f, const struct ir_ins *ins)
{
    ir_ins_copy(&f->I[f->n], ins);
    f->s->home[f->n] = NO_HOME;
    return f->n++;
}

/* The same for one of the old array, which was not just written. */
static V append_old(struct fold *f, const struct ir_ins *ins)
{
    f->I[f->n] = *ins;
    f->s->home[f->n] = NO_HOME;
    return f->n++;
}

bool fold_held(const struct fold *f, V v)
{
    unsigned r = f->s->home[v];
    return r != NO_HOME && regset_has(&f->known, r) && f->s->cur[r] == v;
}

bool fold_will_hold(const struct fold *f, V v)
{
    if (fold_held(f, v)) return true;
    for (V o = f->at + 1; o < f->ir->nins && f->ir->ins[o].op != IR_INSN; o++) {
        const struct ir_ins *i = &f->ir->ins[o];
        if (i->op == IR_PUT && i->a < f->at && f->s->map[i->a] == v) return true;
        if (ir_op_flags[i->op] & F_END) break;
    }
    return false;
}

static bool same_ins(const struct ir_ins *p, const struct ir_ins *q)
{
    return p->op == q->op && p->a == q->a && p->b == q->b && p->c == q->c && p->imm == q->imm && p->type == q->type &&
           p->sub == q->sub && p->mo == q->mo && p->x == q->x && p->y == q->y;
}

/* The value of the block that equals ins, or a new one. `from`: values before it do not count. */
static V number(struct fold *f, const struct ir_ins *ins, V from)
{
    uint64_t h = (ins->op | ins->type << 8 | ins->sub << 16 | (uint64_t)ins->mo << 24 | (uint64_t)ins->a << 32) *
                 0x9e3779b97f4a7c15;
    h += (ins->b | (uint64_t)ins->c << 32) * 0xd6e8feb86659fd93;
    h += (ins->imm ^ (ins->x | (uint64_t)ins->y << 8)) * 0x9fb21c651e98df25;
    V *e = &f->s->vn[h >> (64 - VN_BITS)];
    if (*e >= from && *e < f->n && same_ins(&f->I[*e], ins)) return *e;
    return *e = append(f, ins);
}

static bool commutative(unsigned op)
{
    static const uint8_t yes[IR_OPS] = {
        [IR_ADD] = 1, [IR_MUL] = 1, [IR_MULHS] = 1, [IR_MULHU] = 1, [IR_AND] = 1, [IR_OR] = 1, [IR_XOR] = 1,
        [IR_CLMUL] = 1, [IR_CLMULH] = 1, [IR_SADDOV] = 1, [IR_VADD] = 1, [IR_VMUL] = 1, [IR_VAND] = 1, [IR_VOR] = 1,
        [IR_VXOR] = 1,
    };
    return yes[op];
}

V fold_make(struct fold *f, struct ir_ins *ins)
{
    if (ins->op == IR_K) return number(f, ins, f->first);
    if (ir_maybe_trivial(f->I, ins) && ins->type != T_V128) {
        struct ir_simple s = ir_trivial(f->I, ins);
        if (s.kind == SIMPLE_VALUE) return s.v;
        if (s.kind == SIMPLE_CONST) return make_k(f, ins->type, s.k);
    }
    if (f->fuel) {
        f->fuel--;
        V v = rules_int(f, ins);
        if (v) return v;
    }
    if (commutative(ins->op) && ins->a > ins->b && f->I[ins->b].op != IR_K) {
        V t = ins->a;
        ins->a = ins->b;
        ins->b = t;
    }
    return number(f, ins, f->first);
}

V fold_fp(struct fold *f, const struct ir_ins *ins)
{
    return number(f, ins, MAX(f->first, f->fp_barrier));
}

/* Address = x + constant: the access takes the constant, unless x + constant is in a register anyway. */
static void fold_address(struct fold *f, struct ir_ins *ins)
{
    for (;;) {
        const struct ir_ins *a = &f->I[ins->a];
        if (a->op != IR_ADD || f->I[a->b].op != IR_K || fold_held(f, ins->a)) return;
        int64_t disp = (int64_t)(ins->imm + f->I[a->b].imm);
        if (disp != (int32_t)disp) return;
        ins->imm = (uint64_t)disp;
        ins->a = a->a;
    }
}

/* A store takes the low bytes of its value: whatever only shapes the bits above is not needed. */
static void fold_store(struct fold *f, struct ir_ins *ins)
{
    unsigned bits = 8 * MO_BYTES(ins->mo);
    for (;;) {
        const struct ir_ins *v = &f->I[ins->b];
        if (v->op == IR_SEXT || v->op == IR_ZEXT) {
            if (ir_type_bits[f->I[v->a].type] < bits) return;
        } else if (v->op != IR_TRUNC || v->type == T_I1) {
            return;
        }
        ins->b = v->a;
    }
}

static void fold_get(struct fold *f, V old, const struct ir_ins *ins)
{
    struct ir_scratch *s = f->s;
    uint32_t r = ins->x;
    if (!regset_has(&f->known, r)) {
        regset_add(&f->known, r);
        if (!regset_has(f->def, r)) regset_add(f->use, r);
        V v = append_old(f, ins);
        s->cur[r] = v;
        s->home[v] = (uint16_t)r;
    }
    s->map[old] = s->cur[r];
}

static void fold_put(struct fold *f, const struct ir_ins *ins)
{
    struct ir_scratch *s = f->s;
    uint32_t r = ins->x;
    V v = s->map[ins->a];
    if (regset_has(&f->known, r) && s->cur[r] == v) return;
    regset_add(&f->known, r);
    regset_add(f->def, r);
    s->cur[r] = v;
    s->home[v] = (uint16_t)r;
    f->I[append_old(f, ins)].a = v;
}

/* Puts the pending INSN marker in front of an instruction that needs its pc. */
static void flush_marker(struct fold *f)
{
    if (!f->marker) return;
    append_old(f, &f->ir->ins[f->marker]);
    f->marker = 0;
}

static void fold_call(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_call *c = &f->ir->calls[ins->x];
    struct ir_call copy = *c;
    for (unsigned i = 0; i < c->h->nargs; i++) copy.arg[i] = f->s->map[c->arg[i]];
    f->ir->calls[ins->x] = copy;
    if (copy.h->flags & HF_FAULT) flush_marker(f);
}

static void after_call(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_helper *h = f->ir->calls[ins->x].h;
    struct ir_regset w = { { 0 } };
    if (h->flags & HF_PURE) return;
    regset_or_groups(f->s, &w, h->writes);
    regset_andn(&f->known, &w);
    f->fp_barrier = f->n;
}

/* Terminators and traps on known conditions. */
static void fold_branch(struct fold *f, struct ir_ins *ins)
{
    const struct ir_ins *a = &f->I[ins->a];
    if (a->op == IR_NOT) {
        ins->a = a->a;
        uint32_t x = ins->x;
        ins->x = ins->y;
        ins->y = x;
        a = &f->I[ins->a];
    }
    if (a->op == IR_K) *ins = (struct ir_ins){ .op = IR_JMP, .x = a->imm ? ins->x : ins->y };
    else if (ins->x == ins->y) *ins = (struct ir_ins){ .op = IR_JMP, .x = ins->x };
}

static void fold_exiti(struct fold *f, struct ir_ins *ins)
{
    const struct ir_ins *a = &f->I[ins->a], *b = &f->I[ins->b];
    if (a->op != IR_K || (ins->b && b->op != IR_K)) return;
    *ins = (struct ir_ins){ .op = IR_EXIT, .sub = ins->sub, .imm = a->imm, .y = ins->b ? (uint32_t)b->imm : ins->y };
}

/* What is neither a register nor a marker. */
static void fold_other(struct fold *f, V old, const struct ir_ins *src)
{
    V *map = f->s->map;
    unsigned flags = ir_op_flags[src->op];
    struct ir_ins ins = { .op = src->op, .type = src->type, .sub = src->sub, .mo = src->mo, .a = map[src->a],
                          .b = map[src->b], .c = map[src->c], .imm = src->imm, .x = src->x, .y = src->y };
    if (flags & F_PURE) {
        map[old] = fold_make(f, &ins);
        return;
    }
    if ((flags & (F_FP | F_SIDE)) == F_FP) {
        map[old] = fold_fp(f, &ins);
        return;
    }
    switch (ins.op) {
    case IR_BRC: fold_branch(f, &ins); break;
    case IR_EXITI: fold_exiti(f, &ins); break;
    case IR_TRAPIF:
        if (f->I[ins.a].op == IR_K && !f->I[ins.a].imm) return;
        break;
    case IR_CALL: fold_call(f, &ins); break;
    case IR_ST: fold_store(f, &ins); fold_address(f, &ins); break;
    case IR_LD: case IR_CAS: case IR_RMW: case IR_PROBE: fold_address(f, &ins); break;
    case IR_FENVRD: case IR_FENVWR: case IR_FRMWR: f->fp_barrier = f->n + 1; break;
    default: break;
    }
    if (flags & F_FAULT) flush_marker(f);
    if (!f->saw_all) f->saw_all = add_readers(f->ir, &ins, ir_op_flags[ins.op], f->use, f->def);
    map[old] = append(f, &ins);
    if (ins.op == IR_CALL) after_call(f, &ins);
}

static void fold_block(struct fold *f, const struct ir_block *blk)
{
    f->first = f->fp_barrier = f->n;
    f->known = *f->use = *f->def = (struct ir_regset){ { 0 } };
    f->saw_all = false;
    f->marker = 0;
    for (V v = blk->first; v < blk->end; v++) {
        const struct ir_ins *src = &f->ir->ins[v];
        if (unlikely(f->n + FOLD_ROOM > f->s->cap_out)) grow_out(f);
        switch (src->op) {
        case IR_NOP: break;
        case IR_INSN: f->marker = v; break;
        case IR_GET: fold_get(f, v, src); break;
        case IR_PUT: fold_put(f, src); break;
        case IR_K: f->s->map[v] = number(f, src, f->first); break;
        default:
            f->fuel = FOLD_FUEL;
            f->at = v;
            fold_other(f, v, src);
        }
    }
}

void opt_fold(struct ir *ir)
{
    struct ir_scratch *s = ir->scratch;
    struct fold f = { .ir = ir, .s = s, .I = s->out };
    if (s->cap_out < ir->nins + FOLD_ROOM) {
        f.n = ir->nins;
        grow_out(&f);
        f.n = 0;
    }
    if (s->cap_home < s->cap_out) s->home = vec_grow(s->home, &s->cap_home, s->cap_out, sizeof *s->home);
    if (s->cap_map < ir->nins) s->map = vec_grow(s->map, &s->cap_map, ir->nins, sizeof *s->map);
    append(&f, &(struct ir_ins){ .op = IR_NOP });
    s->map[0] = 0;
    for (uint32_t b = 0; b < ir->nblk; b++) {
        struct ir_block *blk = &ir->blk[b];
        f.use = &s->use[b];
        f.def = &s->def[b];
        fold_block(&f, blk);
        blk->first = f.first;
        blk->end = f.n;
    }
    /* The two arrays change places. */
    struct ir_ins *ins = ir->ins;
    uint8_t *flag = ir->flag;
    uint32_t cap = ir->cap_ins;
    ir->ins = s->out;
    ir->flag = s->out_flag;
    ir->cap_ins = s->cap_out;
    ir->nins = f.n;
    s->out = ins;
    s->out_flag = flag;
    s->cap_out = cap;
}
