/*
 * demand.c: the backward pass. From the ends of blocks upwards it knows which registers code still reads, which ones a
 * faulting op may have to show, and which bits of each value anyone looks at. What nobody needs becomes a NOP; what only
 * deopt maps need is marked so.
 */
#include "ir/opt.h"

struct demand {
    struct ir *ir;
    struct ir_ins *I;
    uint64_t *bits;           /* demanded bits of each value; non-integers: all or nothing */
    struct ir_regset live;    /* registers code reads below this point */
    struct ir_regset visible; /* guest registers a faulting op below may show */
    V fcmp;                   /* the FCMP below whose flags nothing has seen yet, see spare_fcmp */
};

/* All bits up to the highest one: what carries reach down to. */
static uint64_t up_to(uint64_t d)
{
    return d ? ~0ull >> __builtin_clzll(d) : 0;
}

/* An operand of which only bits d matter: skips ops that shape other bits only. */
static V see_through(const struct ir_ins *I, V v, uint64_t d)
{
    for (;;) {
        const struct ir_ins *i = &I[v], *a = &I[i->a], *b = &I[i->b];
        switch (i->op) {
        case IR_SEXT: case IR_ZEXT:
            if (a->op != IR_TRUNC || I[a->a].type != i->type || d & ~bits_mask(ir_type_bits[a->type])) return v;
            v = a->a;
            break;
        case IR_AND:
            if (b->op != IR_K || d & ~b->imm) return v;
            v = i->a;
            break;
        case IR_OR: case IR_XOR:
            if (b->op != IR_K || d & b->imm) return v;
            v = i->a;
            break;
        case IR_UBFX: case IR_SBFX:
            if (i->x || d & ~bits_mask(i->y)) return v;
            v = i->a;
            break;
        default: return v;
        }
    }
}

static void need(struct demand *d, V *v, uint64_t bits, unsigned flag)
{
    if (!*v) return;
    uint64_t all = bits_mask(ir_type_bits[d->I[*v].type]);
    bits &= all;
    if (bits != all && bits) *v = see_through(d->I, *v, bits);
    d->bits[*v] |= bits;
    d->ir->flag[*v] |= (uint8_t)flag;
}

static void need_all(struct demand *d, struct ir_ins *i, unsigned flag)
{
    need(d, &i->a, ~0ull, flag);
    need(d, &i->b, ~0ull, flag);
    need(d, &i->c, ~0ull, flag);
}

static uint64_t rotate_left(uint64_t x, unsigned n, unsigned w)
{
    return n ? (x << n | x >> (w - n)) & bits_mask(w) : x;
}

/* SHL, SHR, SAR, ROTR: by a constant, the demanded bits move. */
static void need_shift(struct demand *d, struct ir_ins *i, uint64_t m, unsigned flag)
{
    unsigned w = ir_type_bits[i->type];
    const struct ir_ins *b = &d->I[i->b];
    if (b->op != IR_K) {
        need(d, &i->a, i->op == IR_SHL ? up_to(m) : ~0ull, flag);
        need(d, &i->b, w - 1, flag);
        return;
    }
    unsigned k = (unsigned)b->imm & (w - 1);
    uint64_t x = i->op == IR_SHL ? m >> k : i->op == IR_ROTR ? rotate_left(m, k, w) : m << k;
    if (i->op == IR_SAR && k && m >> (w - k)) x |= 1ull << (w - 1);
    need(d, &i->a, x, flag);
    need(d, &i->b, ~0ull, flag);
}

/* cmp eq/ne(a - b, 0): compares a and b, unless the difference is wanted anyway. */
static void restate_zero_test(struct demand *d, struct ir_ins *i)
{
    const struct ir_ins *a = &d->I[i->a], *b = &d->I[i->b];
    if (i->sub > C_NE || b->op != IR_K || b->imm || a->op != IR_SUB || d->bits[i->a]) return;
    if (!d->ir->scratch->folded || d->ir->scratch->home[i->a] != NO_HOME) return;
    i->b = a->b;
    i->a = a->a;
}

/* Demands of a needed pure instruction on its operands, given those on its result. */
static void need_operands(struct demand *d, struct ir_ins *i, uint64_t m, unsigned flag)
{
    const struct ir_ins *b = &d->I[i->b];
    uint64_t src;
    switch (i->op) {
    case IR_ADD: case IR_SUB: case IR_MUL: case IR_NEG: m = up_to(m); break;
    case IR_AND: need(d, &i->a, b->op == IR_K ? m & b->imm : m, flag); need(d, &i->b, m, flag); return;
    case IR_OR: need(d, &i->a, b->op == IR_K ? m & ~b->imm : m, flag); need(d, &i->b, m, flag); return;
    case IR_XOR: case IR_NOT: break;
    case IR_SHL: case IR_SHR: case IR_SAR: case IR_ROTR: need_shift(d, i, m, flag); return;
    case IR_SEXT:
        src = bits_mask(ir_type_bits[d->I[i->a].type]);
        if (!(m & ~src)) i->op = IR_ZEXT; /* nobody sees the copies of the sign */
        else m |= src ^ src >> 1;
        m &= src;
        break;
    case IR_ZEXT: case IR_TRUNC: break;
    case IR_UBFX: m = (m & bits_mask(i->y)) << i->x; break;
    case IR_SBFX:
        if (m & ~bits_mask(i->y)) m |= 1ull << (i->y - 1);
        m = (m & bits_mask(i->y)) << i->x;
        break;
    case IR_BFI:
        src = bits_mask(i->y) << i->x;
        need(d, &i->a, m & ~src, flag);
        need(d, &i->b, (m & src) >> i->x, flag);
        return;
    case IR_BSWAP: m = __builtin_bswap64(m) >> (64 - ir_type_bits[i->type]); break;
    case IR_SELECT:
        need(d, &i->a, 1, flag);
        if (!ir_is_int(i->type)) m = ~0ull;
        need(d, &i->b, m, flag);
        need(d, &i->c, m, flag);
        return;
    case IR_CMP: restate_zero_test(d, i); need_all(d, i, flag); return;
    default: need_all(d, i, flag); return;
    }
    need(d, &i->a, m, flag);
    need(d, &i->b, m, flag);
}

static void demand_put(struct demand *d, V v, struct ir_ins *i)
{
    unsigned flag = IRF_LIVE;
    if (!regset_has(&d->live, i->x)) {
        if (!regset_has(&d->visible, i->x)) {
            i->op = IR_NOP;
            return;
        }
        flag = IRF_LAZY;
    }
    d->ir->flag[v] = flag == IRF_LIVE ? IRF_LIVE : IRF_DEOPT;
    regset_del(&d->live, i->x);
    regset_del(&d->visible, i->x);
    need(d, &i->a, ~0ull, flag);
}

static void demand_call(struct demand *d, V v, struct ir_ins *i)
{
    struct ir_call *c = &d->ir->calls[i->x];
    const struct ir_helper *h = c->h;
    if (h->flags & HF_PURE && !d->bits[v]) {
        i->op = IR_NOP;
        return;
    }
    d->ir->flag[v] = IRF_LIVE;
    d->fcmp = 0;
    if (h->flags & HF_FAULT) regset_or(&d->live, &d->ir->scratch->guest);
    else regset_or_groups(d->ir->scratch, &d->live, h->reads);
    for (unsigned k = 0; k < h->nargs; k++) need(d, &c->arg[k], ~0ull, IRF_LIVE);
}

/*
 * FP operations stay for the flags they raise. Comparisons come in threes (less, equal, unordered) and raise the same
 * flags, so of those on the same operands with nothing between that sees the flags, one is enough.
 */
static bool spare_fcmp(struct demand *d, V v, const struct ir_ins *i)
{
    struct ir_ins *k = &d->I[d->fcmp];
    if (i->op != IR_FCMP) return false;
    bool same = (k->a == i->a && k->b == i->b) || (k->a == i->b && k->b == i->a);
    if (d->fcmp && same && k->mo == i->mo) {
        if (!d->bits[v]) return true;
        if (!d->bits[d->fcmp]) {
            k->op = IR_NOP;
            d->ir->flag[d->fcmp] = 0;
        }
    }
    d->fcmp = v;
    return false;
}

static void demand_other(struct demand *d, V v, struct ir_ins *i, unsigned flags)
{
    if (spare_fcmp(d, v, i)) {
        i->op = IR_NOP;
        return;
    }
    if (!(flags & F_FP)) d->fcmp = 0;
    d->ir->flag[v] = IRF_LIVE;
    if (flags & F_FAULT) regset_or(&d->visible, &d->ir->scratch->guest);
    need(d, &i->a, ~0ull, IRF_LIVE);
    need(d, &i->b, i->op == IR_ST ? bits_mask(8 * MO_BYTES(i->mo)) : ~0ull, IRF_LIVE);
    need(d, &i->c, ~0ull, IRF_LIVE);
}

static void demand_pure(struct demand *d, V v, struct ir_ins *i)
{
    uint8_t *flag = &d->ir->flag[v];
    if (!*flag) {
        i->op = IR_NOP;
    } else if (i->op == IR_GET) { /* never lazy: the register may be put before the fault */
        *flag = IRF_LIVE;
        regset_add(&d->live, i->x);
    } else {
        if (*flag & IRF_LIVE) *flag = IRF_LIVE;
        need_operands(d, i, d->bits[v], *flag);
    }
}

static void demand_block(struct demand *d, const struct ir_block *blk)
{
    d->live = blk->live_out;
    d->visible = (struct ir_regset){ { 0 } };
    d->fcmp = 0;
    for (V v = blk->end; v-- > blk->first;) {
        struct ir_ins *i = &d->I[v];
        unsigned flags = ir_op_flags[i->op];
        if (flags & F_PURE) demand_pure(d, v, i);
        else if (i->op == IR_PUT) demand_put(d, v, i);
        else if (i->op == IR_CALL) demand_call(d, v, i);
        else if (i->op == IR_INSN) d->ir->flag[v] = IRF_LIVE;
        else if (i->op == IR_NOP) continue;
        else demand_other(d, v, i, flags);
    }
}

void opt_demand(struct ir *ir)
{
    struct ir_scratch *s = ir->scratch;
    if (s->cap_demand < ir->nins) s->demand = vec_grow(s->demand, &s->cap_demand, ir->nins, sizeof *s->demand);
    memset(s->demand, 0, ir->nins * sizeof *s->demand);
    memset(ir->flag, 0, ir->nins);
    struct demand d = { .ir = ir, .I = ir->ins, .bits = s->demand };
    for (uint32_t b = 0; b < ir->nblk; b++) demand_block(&d, &ir->blk[b]);
}
