/*
 * lower_ctl.c: conditions, branches, block edges, exits, traps, helper calls, the floating-point environment.
 */
#include "host/x86_64/priv.h"
#include "host/x86_64/asm.h"
#include "cpu/soft.h"

enum {
    OFF_PC = offsetof(CPU, pc),
    OFF_REQUEST = offsetof(CPU, exit_request),
    OFF_MODE = offsetof(CPU, mode),
    OFF_V = offsetof(CPU, v),
    OFF_FLAGS = offsetof(CPU, fp) + offsetof(struct cpu_fp, flags),
    OFF_RM = offsetof(CPU, fp) + offsetof(struct cpu_fp, rm),
    OFF_CTL = offsetof(CPU, fp) + offsetof(struct cpu_fp, host_ctl)
};

/* --- conditions
 * --------------------------------------------------------------------------------------------------------------
 */
static const uint8_t cc_of[] = {
    [C_EQ] = CC_E,  [C_NE] = CC_NE, [C_SLT] = CC_L,  [C_SGE] = CC_GE, [C_SLE] = CC_LE,
    [C_SGT] = CC_G, [C_ULT] = CC_B, [C_UGE] = CC_AE, [C_ULE] = CC_BE, [C_UGT] = CC_A};
/* The same condition with operands exchanged. */
static const uint8_t cc_swap[] = {
    [CC_B] = CC_A, [CC_A] = CC_B,   [CC_AE] = CC_BE, [CC_BE] = CC_AE, [CC_L] = CC_G,
    [CC_G] = CC_L, [CC_LE] = CC_GE, [CC_GE] = CC_LE, [CC_E] = CC_E,   [CC_NE] = CC_NE};

unsigned cond_code(unsigned ir_cond)
{
    return cc_of[ir_cond];
}

/* x & mask against zero, where the AND or UBFX was deferred. */
static void cond_test(struct gen *g, const struct ir_ins *in, struct cond *c)
{
    int32_t k;
    if (in->op == IR_UBFX) {
        if (in->x < 31) {
            c->kind = CK_TEST_RI, c->bits = in->x < 8 ? 8 : 32, c->k = 1 << in->x;
            c->a = use_rm(g, in->a);
        } else {
            c->kind = CK_BT, c->bits = in->type == T_I64 ? 64 : 32, c->k = (int32_t)in->x;
            c->a = o_reg(use_r(g, in->a));
            c->cc = c->cc == CC_E ? CC_AE : CC_B;
        }
        return;
    }
    V a = in->a, b = in->b;
    if (is_k(g, a)) a = in->b, b = in->a;
    unsigned bits = ir_type_bits[in->type];
    if (fits_imm(g, b, bits, &k)) {
        c->kind = CK_TEST_RI, c->k = k;
        c->bits = k >= 0 && k <= 0x7f ? 8 : k >= 0 ? 32 : (uint8_t)bits;
        c->a = use_rm(g, a);
        return;
    }
    c->kind = CK_TEST_RR, c->bits = (uint8_t)bits;
    c->a = o_reg(use_r(g, a));
    c->b = o_reg(use_r(g, b));
}

void cond_use_cmp(struct gen *g, const struct ir_ins *in, struct cond *c)
{
    V a = in->a, b = in->b;
    *c = (struct cond){.cc = cc_of[in->sub], .bits = ir_type_bits[type_of(g, a)]};
    if (c->bits < 8) c->bits = 8; /* I1: 0 or 1 in a byte */
    if (is_k(g, a) && !is_k(g, b)) {
        V t = a;
        a = b, b = t;
        c->cc = cc_swap[c->cc];
    }
    const struct ir_ins *ai = ins_of(g, a);
    if (is_deferred(g, a) && (ai->op == IR_AND || ai->op == IR_UBFX)) {
        cond_test(g, ai, c);
        return;
    }
    if (fits_imm(g, b, c->bits, &c->k)) {
        c->a = use_rm(g, a);
        if (c->k == 0 && c->a.kind == O_REG) { /* sets the same flags */
            c->kind = CK_TEST_RR;
            c->b = c->a;
            if (c->cc == CC_L) c->cc = CC_S;
            if (c->cc == CC_GE) c->cc = CC_NS;
        } else {
            c->kind = CK_CMP_RI;
        }
        return;
    }
    c->kind = CK_CMP_RO;
    c->a = o_reg(use_r(g, a));
    c->b = use_rm(g, b);
}

void cond_use(struct gen *g, V v, struct cond *c)
{
    const struct ir_ins *in = ins_of(g, v);
    if (is_deferred(g, v)) {
        if (in->op == IR_CMP) {
            cond_use_cmp(g, in, c);
            return;
        }
        if (in->op == IR_FCMP) {
            fcmp_use(g, in, c);
            return;
        }
        if (in->op == IR_TRUNC) {
            *c = (struct cond){.cc = CC_NE, .kind = CK_TEST_RI, .bits = 8, .k = 1};
            c->a = use_rm(g, in->a);
            return;
        }
    }
    *c = (struct cond){.cc = CC_NE, .kind = CK_TEST_RR, .bits = 32};
    c->a = c->b = o_reg(use_r(g, v));
}

unsigned cond_emit(struct gen *g, const struct cond *c)
{
    switch (c->kind) {
    case CK_TEST_RR: a_test_rr(g, c->bits, c->a.reg, c->b.reg); break;
    case CK_TEST_RI: a_testi(g, c->bits, c->a, c->k); break;
    case CK_CMP_RI: a_alui(g, ALU_CMP, c->bits, c->a, c->k); break;
    case CK_CMP_RO: a_alu(g, ALU_CMP, c->bits, c->a.reg, c->b); break;
    case CK_BT:
        a_rm(g, M_0F | 0xba | w_of(c->bits), 4, c->a, 1);
        a_u8(g, (unsigned)c->k);
        break;
    case CK_FCMP: fcmp_emit(g, c); break;
    }
    return c->cc;
}

/* --- block edges
 * --------------------------------------------------------------------------------------------------------------
 */
static void jump_block(struct gen *g, uint8_t *site, uint32_t to)
{
    struct gen_priv *x = g->x;
    if (x->njumps == x->cap_jumps)
        x->jumps = vec_grow(x->jumps, &x->cap_jumps, x->njumps + 1, sizeof(*x->jumps));
    x->jumps[x->njumps++] = (struct fixup){site, to, 0};
}

static void jmp_block(struct gen *g, uint32_t from, uint32_t to)
{
    if (to == from + 1) return;
    if (to <= from)
        a_jmp_to(g, g->x->label[to]);
    else
        jump_block(g, a_jmp_fwd(g), to);
}

static void jcc_block(struct gen *g, unsigned cc, uint32_t from, uint32_t to)
{
    if (to <= from)
        a_jcc_to(g, cc, g->x->label[to]);
    else
        jump_block(g, a_jcc_fwd(g, cc), to);
}

/* Is the pending put of memory register r due when going to block b? */
static inline bool due(const struct gen *g, uint32_t r, uint32_t b)
{
    return regset_has(&g->ir->blk[b].live_in, r);
}
static inline bool pending(const struct gen *g, uint32_t r)
{
    const struct gen_priv *x = g->x;
    return (x->rs[r] & (RS_LIVE | RS_HOME)) == RS_LIVE && x->hreg[r] == NOREG && !flag_waits(g, r);
}

/* Stores what is due on all of n edges; with n = 0 everything (an exit reads all registers). True if
 * something remains. */
static bool flush_edges(struct gen *g, const uint32_t *to, unsigned n, V cond)
{
    struct gen_priv *x = g->x;
    bool rest = false;
    flags_flush(g, to, n, cond);
    for (uint32_t k = 0; k < x->ntouched; k++) {
        uint32_t r = x->touched[k];
        if (!pending(g, r)) continue;
        unsigned need = 0;
        for (unsigned i = 0; i < n; i++)
            need += due(g, r, to[i]);
        if (n == 0 && r >= g->ir->nregs) continue;
        if (need == n) {
            gen_flush(g, r);
            g->locked = 0;
        } else {
            rest |= need > 0;
        }
    }
    return rest;
}

/* Carried registers into their homes. */
static void flush_carried(struct gen *g)
{
    struct gen_priv *x = g->x;
    for (unsigned k = 0; k < x->ncarry; k++)
        if (x->dirty >> k & 1 && x->carry[k] < g->ir->nregs)
            store_to(g, ir_regtype(g->ir, x->carry[k]), home_of(g, x->carry[k]), x->hreg[x->carry[k]], true);
}

/* What one edge alone needs is stored on that edge, from a register or as an immediate; anything else is
 * stored early. */
static void early_flush(struct gen *g, const uint32_t *to)
{
    struct gen_priv *x = g->x;
    uint32_t locked = g->locked;
    bool again = true;
    while (again) {
        again = false;
        for (uint32_t k = 0; k < x->ntouched; k++) {
            uint32_t r = x->touched[k];
            if (!pending(g, r) || !(due(g, r, to[0]) || due(g, r, to[1]))) continue;
            struct val *v = &g->val[x->cur[r]];
            int32_t imm;
            if (v->reg != NOREG ||
                (v->flags & VF_K && !type_is_xmm(v->type) && fits_imm(g, x->cur[r], 64, &imm)))
                continue;
            gen_flush(g, r);
            g->locked = locked;
            again = true;
        }
    }
}

/* What the condition needs from a home that a pending put overwrites goes to a register while it is there. */
static void save_overwritten(struct gen *g, const uint32_t *to)
{
    struct gen_priv *x = g->x;
    for (uint32_t k = 0; k < x->ntouched; k++) {
        uint32_t r = x->touched[k], o;
        if (pending(g, r) && (due(g, r, to[0]) || due(g, r, to[1])) && (o = gen_home_needed(g, r))) use_r(g, o);
    }
}

static void lower_brc(struct gen *g, uint32_t b, const struct ir_ins *in)
{
    uint32_t to[2] = {in->x, in->y};
    bool rest = flush_edges(g, to, 2, in->a);
    struct cond c;
    if (rest) {
        early_flush(g, to);
        save_overwritten(g, to);
    }
    struct flag_stores flags;
    if (!flags_join(g, to, in->a, &c, &flags)) cond_use(g, in->a, &c);
    if (rest) early_flush(g, to);
    unsigned cc = cond_emit(g, &c);
    flags_store(g, &flags);
    if (!rest) {
        if (in->x == b + 1) {
            jcc_block(g, cc ^ 1, b, in->y);
        } else {
            jcc_block(g, cc, b, in->x);
            jmp_block(g, b, in->y);
        }
        return;
    }
    bool swap = in->x == b + 1;
    if (swap) cc ^= 1, to[0] = in->y, to[1] = in->x;
    uint8_t *other = NULL;
    for (unsigned e = 0; e < 2; e++) {
        bool any = false;
        for (uint32_t k = 0; k < g->x->ntouched && !any; k++)
            any = pending(g, g->x->touched[k]) && due(g, g->x->touched[k], to[e]) &&
                  !due(g, g->x->touched[k], to[e ^ 1]);
        if (e == 0) {
            if (!any) {
                jcc_block(g, cc, b, to[0]);
                continue;
            }
            other = a_jcc_fwd(g, cc ^ 1);
        }
        for (uint32_t k = 0; k < g->x->ntouched && any; k++) {
            uint32_t r = g->x->touched[k];
            if (!pending(g, r) || !due(g, r, to[e]) || due(g, r, to[e ^ 1])) continue;
            store_val(g, g->x->cur[r], home_of(g, r), ir_regtype(g->ir, r));
            g->locked = 0;
        }
        if (e == 0) {
            if (to[0] <= b)
                a_jmp_to(g, g->x->label[to[0]]);
            else
                jump_block(g, a_jmp_fwd(g), to[0]);
            a_bind(other, g->p);
        } else {
            jmp_block(g, b, to[1]);
        }
    }
}

/* --- exits
 * ---------------------------------------------------------------------------------------------------------------------
 */
static void store_k64(struct gen *g, struct opnd m, uint64_t k)
{
    if ((int64_t)k == (int32_t)k) {
        a_storei(g, 64, m, (int64_t)k);
    } else {
        a_mov_ri(g, RAX, k);
        a_store(g, 64, m, RAX);
    }
}

/* System mode: what is added to tags in the jump cache at the moment. */
static struct opnd soft_code_tag(void)
{
    return o_mem(RBP, (int32_t)offsetof(struct soft_cpu, tag) - (int32_t)sizeof(struct soft_cpu) - CPU_BIAS);
}

/* System mode: exits to other pages are not chained, as these may be mapped differently meanwhile; the jump cache knows. */
static void known_exit(struct gen *g, const struct exit_slot *e)
{
    int32_t slot = g->h->env.jc_offset - CPU_BIAS + (int32_t)(jc_slot(e->pc, g->h->env.insn4) * sizeof(struct jc_entry));
    a_mov_ri(g, RAX, e->pc ^ cpu_mode_tag(e->mode));
    a_alu(g, ALU_XOR, 64, RAX, soft_code_tag());
    a_alu(g, ALU_CMP, 64, RAX, o_mem(RBP, slot + (int32_t)offsetof(struct jc_entry, tag)));
    uint8_t *miss = a_jcc8(g, CC_NE);
    a_jmp_o(g, o_mem(RBP, slot + (int32_t)offsetof(struct jc_entry, code)));
    a_bind8(g, miss);
}

/* System mode: is the pc in a page of the region's code? Others are never chained (cache_chain). */
static bool in_pages(const struct region *r, uint64_t pc)
{
    for (uint32_t i = 0; i < r->npages; i++)
        if (r->page[i].va == ALIGN_DOWN(pc, (uint64_t)TLB_PAGE)) return true;
    return false;
}

/* Where an exit goes when it is not chained: rax = its slot; the thunk takes pc and mode from there. */
static void cold_exit(struct gen *g, struct cold *c)
{
    g->x->exits[c->arg].stub = (uint32_t)(g->p - g->start);
    if (g->h->env.softmmu) known_exit(g, &g->x->exits[c->arg]);
    a_mov_ri(g, RAX, (uintptr_t)&g->x->exits[c->arg]);
    a_jmp_to(g, g->h->env.softmmu && !in_pages(g->r, g->x->exits[c->arg].pc) ? g->h->t_far : g->h->t_exit);
}

static void lower_exit(struct gen *g, const struct ir_ins *in)
{
    struct gen_priv *x = g->x;
    flush_edges(g, NULL, 0, 0);
    flush_carried(g);
    if (in->y != g->ir->mode) a_storei(g, 32, o_cpu(OFF_MODE), (int32_t)in->y);
    /* the four bytes that are patched must lie in one cache line */
    while (((uintptr_t)(g->p + 1) & 63) > 60)
        a_u8(g, 0x90);
    uint8_t *end = a_jmp_fwd(g);
    x->exits[x->nexits] = (struct exit_slot){
        .from = g->r, .pc = in->imm, .mode = in->y, .jk = in->sub, .patch = (uint32_t)(end - 4 - g->start)};
    struct cold *c = gen_cold(g, cold_exit, end);
    c->arg = x->nexits++;
}

/* The jump cache has no such entry: reg[0] = pc. */
static void cold_miss(struct gen *g, struct cold *c)
{
    a_store(g, 64, o_cpu(OFF_PC), c->reg[0]);
    if (c->arg) a_storei(g, 32, o_cpu(OFF_MODE), (int32_t)c->k);
    a_jmp_to(g, g->h->t_miss);
}

static void lower_exiti(struct gen *g, const struct ir_ins *in)
{
    flush_edges(g, NULL, 0, 0);
    flush_carried(g);
    unsigned pc = use_r(g, in->a), i = tmp_gpr(g), tag = pc;
    struct opnd slot = o_mem(i, 0);
    const unsigned scale = 3 - g->h->env.insn4; /* jc_slot(pc) * sizeof(struct jc_entry) */
    a_lea(g, 32, i, (struct opnd){O_MEM, NOREG, (uint8_t)pc, scale & 3, 0, 0});
    a_alui(g, ALU_AND, 32, o_reg(i), (JC_SIZE - 1) << 4);
    if (in->b) {
        unsigned m = use_r(g, in->b), t = tmp_gpr(g);
        tag = tmp_gpr(g);
        a_store(g, 32, o_cpu(OFF_MODE), m);
        a_mov_rr(g, 32, tag, m);
        a_mov_rr(g, 64, t, tag);
        a_shifti(g, SH_SHL, 64, tag, 32);
        a_shifti(g, SH_SHL, 64, t, 56);
        a_alu(g, ALU_XOR, 64, tag, o_reg(t));
        a_alu(g, ALU_XOR, 64, tag, o_reg(pc));
    } else {
        if (in->y != g->ir->mode) a_storei(g, 32, o_cpu(OFF_MODE), (int32_t)in->y);
        if (in->y) {
            tag = tmp_gpr(g);
            a_mov_ri(g, tag, cpu_mode_tag(in->y));
            a_alu(g, ALU_XOR, 64, tag, o_reg(pc));
        }
    }
    if (g->h->env.softmmu) {
        unsigned t = tag == pc ? tmp_gpr(g) : tag;
        if (tag == pc) a_mov_rr(g, 64, t, pc);
        a_alu(g, ALU_XOR, 64, t, soft_code_tag());
        tag = t;
    }
    slot = o_mem(RBP, g->h->env.jc_offset - CPU_BIAS + (int32_t)offsetof(struct jc_entry, tag));
    slot.index = (uint8_t)i;
    a_alu_m(g, ALU_CMP, 64, slot, tag);
    struct cold *c = gen_cold(g, cold_miss, a_jcc_fwd(g, CC_NE));
    c->reg[0] = (uint8_t)pc;
    slot.disp += (int32_t)offsetof(struct jc_entry, code) - (int32_t)offsetof(struct jc_entry, tag);
    a_jmp_o(g, slot);
}

static void lower_exc(struct gen *g, const struct ir_ins *in)
{
    flush_edges(g, NULL, 0, 0);
    flush_carried(g);
    store_k64(g, o_cpu(OFF_PC), in->imm);
    a_load(g, 64, RAX, o_cpu(OFF_V));
    a_storei(g, 32, o_mem(RAX, offsetof(struct vcpu, exc_code)), (int32_t)in->x);
    a_mov_ri(g, RAX, in->sub);
    a_jmp_to(g, g->h->t_leave);
}

void lower_term(struct gen *g, uint32_t b, const struct ir_ins *in)
{
    switch (in->op) {
    case IR_JMP:
        flush_edges(g, &in->x, 1, 0);
        jmp_block(g, b, in->x);
        break;
    case IR_BRC: lower_brc(g, b, in); break;
    case IR_EXIT: lower_exit(g, in); break;
    case IR_EXITI: lower_exiti(g, in); break;
    case IR_EXC: lower_exc(g, in); break;
    }
}

void lower_poll(struct gen *g, uint64_t pc)
{
    g->pc = pc;
    uint8_t *full = NULL;
    if (g->r->counter) { /* adds: no borrow when it overflows */
        a_alui(g, ALU_SUB, 16, o_cpu(g->r->counter), -COUNT_STEP);
        full = a_jcc8(g, CC_AE);
    }
    a_alui(g, ALU_CMP, 32, o_cpu(OFF_REQUEST), 1);
    if (full) a_bind8(g, full);
    deopt_trap(g, a_jcc_fwd(g, CC_AE), EXC_REQUEST, 0, 0, 0);
}

void lower_trapif(struct gen *g, const struct ir_ins *in)
{
    struct cond c;
    cond_use(g, in->a, &c);
    unsigned cc = cond_emit(g, &c);
    deopt_trap(g, a_jcc_fwd(g, cc), (enum cpu_exc)in->sub, (uint32_t)in->imm, 0, 0);
}

/* --- helper calls
 * ----------------------------------------------------------------------------------------------------------------
 */
enum {
    CALLER_SAVED =
        1 << RAX | 1 << RCX | 1 << RDX | 1 << RSI | 1 << RDI | 1 << R8 | 1 << R9 | 1 << R10 | 1 << R11
};
static const uint8_t arg_gpr[] = {RDI, RSI, RDX, RCX, R8, R9};

static bool in_groups(const struct gen *g, uint32_t r, unsigned groups)
{
    return r < g->ir->nregs && groups >> g->ir->regs[r].group & 1;
}

/* Parallel moves between registers of one class; dst[i] = src[i]. */
static void move_all(struct gen *g, uint8_t *dst, uint8_t *src, unsigned n)
{
    uint32_t todo = 0;
    for (unsigned i = 0; i < n; i++)
        if (dst[i] != src[i]) todo |= 1u << i;
    while (todo) {
        bool moved = false;
        for (unsigned i = 0; i < n; i++) {
            if (!(todo >> i & 1)) continue;
            bool blocked = false;
            for (unsigned j = 0; j < n; j++)
                blocked |= todo >> j & 1 && j != i && src[j] == dst[i];
            if (blocked) continue;
            if (dst[i] >= XMM0)
                a_movaps(g, dst[i], src[i]);
            else
                a_mov_rr(g, 64, dst[i], src[i]);
            todo &= ~(1u << i);
            moved = true;
        }
        if (moved) continue;
        unsigned i = (unsigned)__builtin_ctz(todo), d = dst[i],
                 s = src[i]; /* a cycle: exchange, then one is right */
        if (d >= XMM0) {
            a_rm(g, M_0F | 0x57, d & 15, o_reg(s & 15), 0);
            a_rm(g, M_0F | 0x57, s & 15, o_reg(d & 15), 0);
            a_rm(g, M_0F | 0x57, d & 15, o_reg(s & 15), 0);
        } else {
            a_rm(g, 0x87 | OP_W, d, o_reg(s), 0);
        }
        for (unsigned j = 0; j < n; j++)
            if (todo >> j & 1) src[j] = src[j] == d ? (uint8_t)s : src[j] == s ? (uint8_t)d : src[j];
        for (unsigned j = 0; j < n; j++)
            if (dst[j] == src[j]) todo &= ~(1u << j);
    }
}

/* Puts the arguments where the System V ABI wants them: registers among themselves first, then what comes
 * from elsewhere. */
static void call_args(struct gen *g, const struct ir_call *c)
{
    uint8_t dst[6], src[6], xdst[6], xsrc[6], want[6];
    unsigned n = 0, nx = 0, ngpr = 1, nxmm = 0;
    for (unsigned i = 0; i < c->h->nargs; i++) {
        struct val *v = root_of(g, c->arg[i]);
        enum ir_type t = (enum ir_type)c->h->args[i];
        want[i] = t == T_V128 ? (uint8_t)(XMM0 + nxmm++) : ngpr < ARRAY_LEN(arg_gpr) ? arg_gpr[ngpr] : NOREG;
        ngpr += t != T_V128;
        if (v->reg == NOREG) continue;
        if (want[i] == NOREG) {
            if (type_is_xmm(t))
                a_storex(g, 8, o_frame(FR_ARG), v->reg);
            else
                a_store(g, 64, o_frame(FR_ARG), v->reg);
        } else if (t == T_V128) {
            xdst[nx] = want[i], xsrc[nx++] = v->reg;
        } else if (!type_is_xmm(t)) {
            dst[n] = want[i], src[n++] = v->reg;
        }
    }
    move_all(g, dst, src, n);
    for (unsigned i = 0; i < c->h->nargs;
         i++) { /* scalar FP goes as its bit pattern: before XMM registers move */
        struct val *v = root_of(g, c->arg[i]);
        enum ir_type t = (enum ir_type)c->h->args[i];
        if (v->reg != NOREG && type_is_xmm(t) && t != T_V128 && want[i] != NOREG)
            a_movq_rx(g, t == T_F64 ? 64 : 32, want[i], v->reg);
    }
    move_all(g, xdst, xsrc, nx);
    for (unsigned i = 0; i < c->h->nargs; i++) {
        uint32_t root = g->val[c->arg[i]].root;
        struct val *v = &g->val[root];
        enum ir_type t = (enum ir_type)c->h->args[i];
        unsigned d = want[i] == NOREG ? RAX : want[i];
        if (v->reg == NOREG) {
            if (t == T_V128 || !type_is_xmm(t))
                val_to(g, root, d);
            else if (v->flags & VF_K)
                a_mov_ri(g, d, ins_of(g, root)->imm);
            else if (v->slot)
                a_load(g, 64, d, o_frame(FR_SPILL + 8 * (v->slot - 1)));
            else
                a_load(g, ir_type_bits[t], d, home_of(g, v->home));
            if (want[i] == NOREG) a_store(g, 64, o_frame(FR_ARG), RAX);
        }
        /* callees may expect narrow arguments extended */
        if (want[i] != NOREG && t < T_I32) a_load(g, t == T_I16 ? 16 : 8, d, o_reg(d));
    }
}

/* Gives a value a place that survives the call. */
static void keep(struct gen *g, uint32_t root)
{
    struct val *v = &g->val[root];
    if (v->slot || v->flags & VF_K) return;
    gen_spill(g, root);
    g->locked = 0;
}

/* Everything the call needs in memory or destroys, and is needed later, goes to memory. */
static void call_save(struct gen *g, const struct ir_helper *h)
{
    struct gen_priv *x = g->x;
    bool fault = h->flags & HF_FAULT;
    for (uint32_t k = 0; k < x->ntouched; k++) {
        uint32_t r = x->touched[k];
        unsigned hr = x->hreg[r];
        bool writes = in_groups(g, r, h->writes);
        if (hr == NOREG) {
            if (r < g->ir->nregs && x->rs[r] & RS_PUT && (fault || in_groups(g, r, h->reads) || writes)) {
                gen_flush(g, r);
                g->locked = 0;
            }
            uint32_t o = x->homeval[r];
            if (writes && g->val[o].home == r) {
                if (g->val[o].last > g->at) keep(g, o);
                if (g->val[o].last > g->at || g->val[o].reg != NOREG) g->val[o].home = NOHOME;
            }
            continue;
        }
        uint32_t c = g->regval[hr];
        /* it may hold something else than the register's value: that is elsewhere after a put for maps only,
         * or dead before the next put. Pinned registers come back with their content, carried ones with their
         * home's. */
        bool other = c != x->cur[r] && (x->carry_regs >> hr & 1 || (fault && x->rs[r] & RS_PUT));
        if (c && g->val[c].reg == hr && g->val[c].last > g->at && (writes || other)) keep(g, c);
    }
    for (uint32_t m = g->used & g->temps & (CALLER_SAVED | 0xffff0000u); m; m &= m - 1) {
        unsigned r = (unsigned)__builtin_ctz(m);
        if (g->regval[r] && g->val[g->regval[r]].last > g->at) gen_save(g, r);
    }
    for (unsigned i = 0; i < g->h->npins; i++) {
        unsigned r = g->h->pin_reg[i], id = g->h->pin_id[i];
        if (!(fault || CALLER_SAVED >> r & 1 || in_groups(g, id, h->reads | h->writes))) continue;
        if (fault && x->rs[id] & RS_PUT && g->regval[r] != x->cur[id])
            store_val(g, x->cur[id], home_of(g, id), ir_regtype(g->ir, id));
        else
            store_to(g, ir_regtype(g->ir, id), home_of(g, id), r, true);
        g->locked = 0;
    }
    for (unsigned k = 0; k < x->ncarry; k++) {
        uint32_t id = x->carry[k];
        unsigned r = x->hreg[id];
        if (fault && x->rs[id] & RS_PUT && g->regval[r] != x->cur[id])
            store_val(g, x->cur[id], home_of(g, id), ir_regtype(g->ir, id));
        else if (x->dirty >> k & 1 ||
                 (g->regval[r] && g->val[g->regval[r]].last > g->at)) /* put, or to be put later */
            store_to(g, ir_regtype(g->ir, id), home_of(g, id), r, true);
        g->locked = 0;
    }
}

/* After the call: temporaries are gone, registers come back from their homes, those written have a new value.
 */
static void call_restore(struct gen *g, const struct ir_helper *h)
{
    struct gen_priv *x = g->x;
    bool fault = h->flags & HF_FAULT;
    for (uint32_t m = g->used & g->temps & (CALLER_SAVED | 0xffff0000u); m; m &= m - 1)
        gen_drop(g, (unsigned)__builtin_ctz(m));
    for (unsigned i = 0; i < g->h->npins + x->ncarry; i++) {
        bool pin = i < g->h->npins;
        unsigned id = pin ? g->h->pin_id[i] : x->carry[i - g->h->npins], r = x->hreg[id];
        bool writes = in_groups(g, id, h->writes), saved = r < XMM0 && !(CALLER_SAVED >> r & 1);
        if (saved && !writes) continue;
        load_from(g, ir_regtype(g->ir, id), r, home_of(g, id), true);
        if (x->rs[id] & RS_TOUCHED && g->regval[r] != x->cur[id] && (!pin || (fault && x->rs[id] & RS_PUT)))
            gen_drop(g, r);
    }
    for (uint32_t k = 0; k < x->ntouched && h->writes; k++) {
        uint32_t r = x->touched[k];
        if (!in_groups(g, r, h->writes)) continue;
        if (x->hreg[r] != NOREG) gen_drop(g, x->hreg[r]);
        x->rs[r] = RS_TOUCHED | RS_HOME | RS_FRESH;
    }
}

void lower_call(struct gen *g, V v, const struct ir_ins *in)
{
    const struct ir_call *c = &g->ir->calls[in->x];
    const struct ir_helper *h = c->h;
    for (unsigned i = 0; i < h->nargs; i++) {
        struct val *a = root_of(g, c->arg[i]);
        if (a->reg == NOREG && a->flags & (VF_DEFER | VF_LAZY)) use_r(g, c->arg[i]);
        g->locked = 0;
    }
    call_save(g, h);
    if (h->flags & HF_FAULT) {
        if ((int64_t)g->pc == (int32_t)g->pc) {
            a_storei(g, 64, o_cpu(OFF_PC), (int64_t)g->pc);
        } else { /* in two halves: no register is free here */
            a_storei(g, 32, o_cpu(OFF_PC), (int32_t)g->pc);
            a_storei(g, 32, o_cpu(OFF_PC + 4), (int32_t)(g->pc >> 32));
        }
    }
    call_args(g, c);
    a_lea(g, 64, RDI, o_mem(RBP, -CPU_BIAS));
    if (h->flags & HF_FP) a_call_to(g, g->h->t_fold); /* keeps all registers but rax */
    a_mov_ri(g, RAX, (uintptr_t)h->fn);
    a_call_r(g, RAX);
    if (h->flags & HF_FP) a_call_to(g, g->h->t_fpload); /* keeps rax */
    call_restore(g, h);
    enum ir_type t = (enum ir_type)h->ret;
    if (t == T_VOID) return;
    if (t == T_V128) {
        def_is(g, v, XMM0);
    } else if (type_is_xmm(t)) {
        a_movq_xr(g, t == T_F64 ? 64 : 32, def_r(g, v), RAX);
    } else {
        if (t != T_I64) a_load(g, ir_type_bits[t] < 8 ? 8 : ir_type_bits[t], RAX, o_reg(RAX));
        def_is(g, v, RAX);
    }
}

/* --- the floating-point environment
 * ---------------------------------------------------------------------------------------------- */

static void cold_clear(struct gen *g, struct cold *c)
{
    a_rm(g, M_0F | 0xae, 2, o_cpu(OFF_CTL), 0); /* ldmxcsr: no sticky flags */
    gen_cold_return(g, c);
}

void lower_fenv(struct gen *g, V v, const struct ir_ins *in)
{
    if (in->op == IR_FENVRD) {
        take(g, RAX);
        a_call_to(g, g->h->t_fold);
        a_load(g, 32, RAX, o_cpu(OFF_FLAGS));
        def_is(g, v, RAX);
    } else if (in->op == IR_FENVWR) {
        /* flags that MXCSR has and the new value has not must be cleared there; else (flags put back after a
         * compare) the slow load is saved. The bits of both differ by one place, but for the lowest. */
        unsigned a = use_r(g, in->a), t = tmp_gpr(g), n = tmp_gpr(g);
        a_store(g, 32, o_cpu(OFF_FLAGS), a);
        a_rm(g, M_0F | 0xae, 3, o_frame(FR_MXCSR), 0); /* stmxcsr */
        a_lea(g, 32, t, (struct opnd){O_MEM, (uint8_t)a, (uint8_t)a, 0, 0, 0});
        a_alui(g, ALU_AND, 32, o_reg(t), 0x3c);
        a_mov_rr(g, 32, n, a);
        a_alui(g, ALU_AND, 32, o_reg(n), 1);
        a_alu(g, ALU_OR, 32, t, o_reg(n));
        if (g->ir->fp.nan == NAN_X86) { /* DE, which others do not look at */
            a_mov_rr(g, 32, n, a);
            a_shifti(g, SH_SHR, 32, n, 4);
            a_alui(g, ALU_AND, 32, o_reg(n), 2);
            a_alu(g, ALU_OR, 32, t, o_reg(n));
        }
        a_g3(g, G3_NOT, 32, o_reg(t));
        a_alui(g, ALU_AND, 32, o_reg(t), g->ir->fp.nan == NAN_X86 ? 0x3f : 0x3d);
        a_alu(g, ALU_AND, 32, t, o_frame(FR_MXCSR));
        struct cold *c = gen_cold(g, cold_clear, a_jcc_fwd(g, CC_NE));
        gen_cold_back(g, c);
    } else {
        take(g, RAX);
        take(g, RCX);
        take(g, RDX);
        unsigned r = use_r(g, in->a);
        a_store(g, 32, o_cpu(OFF_RM), r);
        a_call_to(g, g->h->t_fold);
        a_call_to(g, g->h->t_fpload);
    }
}
