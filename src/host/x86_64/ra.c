/*
 * ra.c: registers. gen_scan() finds what is known of a block's values before it is emitted; use_*, def_*,
 * tmp_* allocate while it is; gen_put() keeps guest registers where they belong; gen_carry() picks what a
 * region's loops keep in registers.
 *
 * Who owns what: a register r holds root regval[r] (0: none) and, when several hold the same value, val.reg
 * is one of them. Pinned and carried registers are outside `temps`: they are written by gen_put and by
 * results that are hinted there, never evicted.
 */
#include "host/x86_64/priv.h"
#include "host/x86_64/asm.h"

static inline bool is_xmm(unsigned r)
{
    return r >= XMM0;
}
static inline unsigned home_bytes(enum ir_type t)
{
    return t == T_I1 ? 1 : ir_type_bits[t] / 8;
}

/* --- before emission
 * --------------------------------------------------------------------------------------------------- */
void gen_reset(struct gen *g)
{
    struct gen_priv *x = g->x;
    const struct ir *ir = g->ir;
    x->nids = ir->nregs + ir->nvars;
    x->slots[0] = x->slots[1] = x->slots[2] = 0;
    if (ir->nvars * 2 > SPILLS / 2 || x->nids > IR_REGS_MAX) {
        g->err = -E2BIG;
        return;
    }
    uint32_t need = ir->nins + x->nids + 1; /* page_val */
    if (need > x->cap_val) x->val = vec_grow(x->val, &x->cap_val, need, sizeof(*x->val));
    g->val = x->val;
    memcpy(x->hreg, g->h->pin, ir->nregs);
    if (x->home_regs != ir->regs) {
        x->home_regs = ir->regs;
        for (uint32_t r = 0; r < ir->nregs; r++)
            x->home[r] = ir->regs[r].offset - CPU_BIAS;
    }
    for (uint32_t i = 0; i < ir->nvars; i++) {
        unsigned unit = SPILLS - 2 * (i + 1);
        x->hreg[ir->nregs + i] = NOREG;
        x->home[ir->nregs + i] = FR_SPILL + 8 * (int32_t)unit;
        x->slots[unit / 64] |= 3ull << unit % 64;
    }
    memset(x->rs, 0, x->nids);
    x->ntouched = 0;
    g->temps = g->h->temps;
    x->narrow = false;
    x->ncarry = 0;
    x->carry_regs = 0;
    for (unsigned i = 0; i < g->h->npins; i++)
        x->owner[g->h->pin_reg[i]] = g->h->pin_id[i];
    for (unsigned i = 0; i < g->h->npins; i++)
        x->narrow |= ir->regs[g->h->pin_id[i]].type == T_I32;
}

struct opnd home_of(const struct gen *g, uint32_t r)
{
    return o_mem(r < g->ir->nregs ? RBP : RSP, g->x->home[r]);
}

/* Spreads "may differ from its home" forward over the region until nothing changes. */
static void carry_dirty(struct gen *g)
{
    struct gen_priv *x = g->x;
    const struct ir *ir = g->ir;
    if (ir->nblk > x->cap_dirty)
        x->dirty_in = vec_grow(x->dirty_in, &x->cap_dirty, ir->nblk, sizeof(*x->dirty_in));
    memset(x->dirty_in, 0, ir->nblk * sizeof(*x->dirty_in));
    if (x->ncarry == 0) return;
    if (ir->nblk > x->cap_flow) x->flow = vec_grow(x->flow, &x->cap_flow, ir->nblk, sizeof(*x->flow));
    for (uint32_t b = 0; b < ir->nblk; b++) {
        struct flow *f = &x->flow[b];
        *f = (struct flow){0, {~0u, ~0u}};
        for (uint32_t i = ir->blk[b].first; i < ir->blk[b].end; i++) {
            const struct ir_ins *in = &ir->ins[i];
            if (in->op == IR_PUT && x->hreg[in->x] != NOREG && x->carry_regs >> x->hreg[in->x] & 1 &&
                ir->flag[i] & IRF_LIVE) {
                for (unsigned k = 0; k < x->ncarry; k++)
                    if (x->carry[k] == in->x) f->put |= (uint16_t)(1u << k);
            } else if (in->op == IR_JMP) {
                f->to[0] = in->x;
            } else if (in->op == IR_BRC) {
                f->to[0] = in->x, f->to[1] = in->y;
            }
        }
    }
    for (bool again = true; again;) {
        again = false;
        for (uint32_t b = 0; b < ir->nblk; b++) {
            const struct flow *f = &x->flow[b];
            uint16_t d = x->dirty_in[b] | f->put;
            for (unsigned k = 0; k < 2; k++)
                if (f->to[k] < ir->nblk && d & ~x->dirty_in[f->to[k]])
                    x->dirty_in[f->to[k]] |= d, again = true;
        }
    }
}

void gen_carry(struct gen *g)
{
    static const uint8_t gprs[MAX_CARRY_GPR] = {RDI, R11}; /* R11 may be pinned */
    struct gen_priv *x = g->x;
    const struct ir *ir = g->ir;
    int32_t weight[IR_REGS_MAX] __attribute__((uninitialized)); /* filled when there are loops */
    int32_t calls = 0;
    bool loops = false;
    for (uint32_t b = 0; b < ir->nblk && !x->nocarry; b++)
        loops |= ir->blk[b].depth > 0;
    if (loops) {
        memset(weight, 0, x->nids * sizeof(weight[0]));
        for (uint32_t b = 0; b < ir->nblk; b++) {
            if (ir->blk[b].depth == 0) continue;
            int32_t w = 1 << 3 * MIN(ir->blk[b].depth, 5);
            for (uint32_t i = ir->blk[b].first; i < ir->blk[b].end; i++) {
                const struct ir_ins *in = &ir->ins[i];
                if (!(ir->flag[i] & IRF_LIVE)) continue;
                if (in->op == IR_GET || in->op == IR_PUT)
                    weight[in->x] += w;
                else if (in->op == IR_CALL)
                    calls += 2 * w;
            }
        }
        unsigned ngpr = 0, nxmm = 0, free_gprs = 0;
        for (unsigned i = 0; i < MAX_CARRY_GPR; i++)
            free_gprs += g->temps >> gprs[i] & 1;
        if (g->h->env.softmmu) free_gprs = 0; /* accesses need two scratch registers */
        while (x->ncarry < MAX_CARRY) {
            uint32_t best = 0;
            int32_t bw = calls + 7;
            for (uint32_t r = 0; r < x->nids; r++) {
                enum ir_type t = ir_regtype(ir, r);
                if (weight[r] <= bw || x->hreg[r] != NOREG || t == T_I8 || t == T_I16 || t == T_F16 ||
                    t == T_VOID)
                    continue;
                if (type_is_xmm(t) ? nxmm == MAX_CARRY_XMM : ngpr == free_gprs) continue;
                best = r, bw = weight[r];
            }
            if (bw == calls + 7) break;
            enum ir_type t = ir_regtype(ir, best);
            unsigned reg = type_is_xmm(t) ? XMM15 - nxmm++ : gprs[ngpr++];
            x->hreg[best] = (uint8_t)reg;
            x->owner[reg] = (uint16_t)best;
            x->carry[x->ncarry++] = (uint16_t)best;
            x->carry_regs |= RBIT(reg);
            x->narrow |= t == T_I32;
        }
        g->temps &= ~x->carry_regs;
    }
    carry_dirty(g);
}

static inline struct val *pseudo(struct gen *g, uint32_t r)
{
    return &g->val[g->ir->nins + r];
}

void gen_touch_last(struct gen *g, V v, uint32_t at)
{
    struct val *r = root_of(g, v);
    if (r->last < at) r->last = at;
    if (r->flags & VF_LAZY) {
        const struct ir_ins *in = ins_of(g, (V)(r - g->val));
        if (in->a) gen_touch_last(g, in->a, at);
        if (in->b) gen_touch_last(g, in->b, at);
        if (in->c) gen_touch_last(g, in->c, at);
    }
}

/* A map at `at` may need the current value of register r. */
static void touch_cur(struct gen *g, uint32_t r, uint32_t at)
{
    uint32_t c = g->x->cur[r];
    if (c >= g->ir->nins) {
        if (g->val[c].last < at) g->val[c].last = at;
    } else {
        gen_touch_last(g, c, at);
    }
}

static void scan_touch(struct gen *g, uint32_t r)
{
    struct gen_priv *x = g->x;
    if (x->rs[r] & RS_TOUCHED) return;
    x->rs[r] = RS_TOUCHED | RS_HOME;
    x->touched[x->ntouched++] = (uint16_t)r;
    x->cur[r] = g->ir->nins + r;
    struct val *p = pseudo(g, r);
    enum ir_type t = ir_regtype(g->ir, r);
    *p = (struct val){.root = g->ir->nins + r,
                      .bits = type_is_xmm(t) ? 64 : ir_type_bits[t],
                      .hint = NOREG,
                      .reg = NOREG,
                      .home = (uint16_t)r,
                      .put = NOHOME,
                      .type = (uint8_t)t};
    x->homeval[r] = g->ir->nins + r;
    if (x->hreg[r] != NOREG) p->reg = x->hreg[r], p->home = NOHOME;
}

/* How many bits of a result may be non-zero in its register, as lower_ins leaves it. */
static unsigned result_bits(const struct gen *g, const struct ir_ins *in)
{
    switch (in->op) {
    case IR_LD:
        if (type_is_xmm(in->type)) return 64;
        if (in->mo & MO_SIGN) return in->type == T_I64 ? 64 : 32;
        return MIN(8u << (in->mo & MO_SIZE), 64);
    case IR_ZEXT: return MIN(ir_type_bits[type_of(g, in->a)], 64);
    case IR_UBFX: return in->y;
    case IR_K: return in->imm ? 64 - (unsigned)__builtin_clzll(in->imm) : 1;
    case IR_CALL: return 64;
    case IR_CLZ:
    case IR_CTZ:
    case IR_POPCNT: return 7;
    }
    return in->type == T_I1 ? 1 : ir_type_bits[in->type] <= 32 ? 32 : 64;
}

static bool is_fold_cond(const struct gen *g, const struct ir_ins *in)
{
    return in->op == IR_CMP || (in->op == IR_TRUNC && in->type == T_I1 && !type_is_xmm(type_of(g, in->a)));
}

/* Operand v of the instruction at `at` could be computed by its user: its own operands must live until then.
 */
static void offer_fold(struct gen *g, V v, uint32_t at)
{
    struct val *r = root_of(g, v);
    uint32_t i = (uint32_t)(r - g->val);
    if (i >= g->ir->nins || r->uses != 1 || r->flags & (VF_LAZY | VF_K)) return;
    const struct ir_ins *in = ins_of(g, i);
    r->flags |= VF_FOLD;
    r->user = at;
    if (r->last < at) r->last = at;
    if (in->a) gen_touch_last(g, in->a, at);
    if (in->b) gen_touch_last(g, in->b, at);
    /* what the operand itself may have absorbed lives on as well */
    V op[2] = {in->a, in->b};
    for (unsigned k = 0; k < 2; k++)
        if (op[k] && root_of(g, op[k])->flags & VF_FOLD && root_of(g, op[k])->user == i)
            offer_fold(g, op[k], at);
}

static bool is_small_shl(const struct gen *g, V v)
{
    const struct ir_ins *in = ins_of(g, v);
    return in->op == IR_SHL && in->type == T_I64 && is_k(g, in->b) && ins_of(g, in->b)->imm - 1 < 3;
}

static void offer_folds(struct gen *g, const struct ir_ins *in, uint32_t i)
{
    const struct ir_ins *a = ins_of(g, in->a);
    switch (in->op) {
    case IR_BRC:
    case IR_TRAPIF:
    case IR_SELECT:
        if (is_fold_cond(g, a) || (a->op == IR_FCMP && fcmp_can_wait(g, in->a, i))) offer_fold(g, in->a, i);
        break;
    case IR_LD:
    case IR_ST:
        if (a->op == IR_ADD && !is_k(g, a->b) && !is_k(g, a->a)) offer_fold(g, in->a, i);
        break;
    case IR_ADD:
        if (in->type != T_I64) break;
        if (is_small_shl(g, in->b))
            offer_fold(g, in->b, i);
        else if (is_small_shl(g, in->a))
            offer_fold(g, in->a, i);
        break;
    case IR_VAESMC:
    case IR_VAESIMC: /* with it a whole round */
        if (a->op == (in->op == IR_VAESMC ? IR_VAESE : IR_VAESD)) offer_fold(g, in->a, i);
        break;
    case IR_CMP:
        if (in->sub <= C_NE && is_k(g, in->b) && ins_of(g, in->b)->imm == 0 && ir_type_bits[a->type] >= 32 &&
            (a->op == IR_AND || (a->op == IR_UBFX && a->y == 1)))
            offer_fold(g, in->a, i);
        break;
    }
}

static inline void scan_use(struct gen *g, V v, uint32_t i)
{
    if (v == 0) return;
    struct val *r = root_of(g, v);
    r->uses++;
    if (r->flags & VF_LAZY)
        gen_touch_last(g, v, i); /* will be computed where it is used */
    else if (r->last < i)
        r->last = i;
}

/* Value root should be computed in register hr, and so should what it is computed from in two-operand
 * instructions. */
static void hint_chain(struct gen *g, uint32_t root, unsigned hr)
{
    for (unsigned depth = 0; depth < 3; depth++) {
        struct val *v = &g->val[root];
        if (v->hint != NOREG) return;
        v->hint = (uint8_t)hr;
        if (root >= g->ir->nins || v->flags & (VF_K | VF_LAZY)) return;
        const struct ir_ins *in = ins_of(g, root);
        if (in->op < IR_ADD || in->op > IR_BSWAP) return;
        root = g->val[in->a].root;
        if (root >= g->ir->nins || g->val[root].uses != 1 || type_is_xmm(g->val[root].type)) return;
    }
}

static void scan_put(struct gen *g, const struct ir_ins *in, uint32_t i, bool live)
{
    struct gen_priv *x = g->x;
    scan_touch(g, in->x);
    if (!(x->rs[in->x] & RS_FRESH)) touch_cur(g, in->x, x->lastfault);
    uint32_t root = g->val[in->a].root;
    struct val *v = &g->val[root];
    unsigned hr = x->hreg[in->x];
    if (live)
        scan_use(g, in->a, i);
    else if (!(v->flags & VF_LAZY) && v->last < i)
        v->last = i;
    if (hr != NOREG) hint_chain(g, root, hr);
    x->cur[in->x] = root;
    x->rs[in->x] =
        (uint8_t)((x->rs[in->x] & ~(RS_LIVE | RS_HOME | RS_FRESH)) | RS_PUT | (live ? RS_LIVE : 0));
}

static bool lazy_small(struct gen *g, const struct ir_ins *in, struct val *v)
{
    unsigned n = 1;
    V op[3] = {in->a, in->b, in->c};
    for (unsigned k = 0; k < 3; k++)
        if (op[k]) n += root_of(g, op[k])->nodes;
    v->nodes = (uint8_t)MIN(n, 255u);
    return n <= LAZY_NODES;
}

static const struct val fresh_val = {
    .hint = NOREG, .reg = NOREG, .home = NOHOME, .put = NOHOME, .nodes = 1};

void gen_scan(struct gen *g, const struct ir_block *b)
{
    struct gen_priv *x = g->x;
    const struct ir *ir = g->ir;
    uint32_t lastcall = 0;
    x->lastfault = 0;
    for (uint32_t i = b->first; i < b->end; i++) {
        const struct ir_ins *in = &ir->ins[i];
        struct val *v = &g->val[i];
        unsigned fl = ir->flag[i];
        if (in->op == IR_NOP || in->op == IR_INSN) continue;
        if (in->op == IR_PUT) { /* no value: gen_block() looks at these two */
            v->root = i, v->flags = 0;
            if (fl & (IRF_LIVE | IRF_DEOPT)) scan_put(g, in, i, fl & IRF_LIVE);
            continue;
        }
        *v = fresh_val;
        v->root = v->last = i;
        v->type = in->type;
        switch (in->op) {
        case IR_K:
        case IR_KV:
            v->flags = VF_K;
            v->bits = in->op == IR_K ? (uint8_t)result_bits(g, in) : 64;
            continue;
        case IR_GET:
            scan_touch(g, in->x);
            if (x->rs[in->x] & RS_FRESH) { /* written by a helper: a value of its own */
                x->rs[in->x] &= (uint8_t)~RS_FRESH;
                x->cur[in->x] = i;
                v->bits = pseudo(g, in->x)->bits;
            }
            v->root = x->cur[in->x];
            continue;
        case IR_TRUNC:
            if (in->type != T_I1 && !(x->narrow && in->type == T_I32)) {
                v->root = g->val[in->a].root;
                continue;
            }
            break;
        case IR_ZEXT:
            if (fl && root_of(g, in->a)->bits <= ir_type_bits[type_of(g, in->a)] &&
                !(root_of(g, in->a)->flags & VF_K)) {
                v->root = g->val[in->a].root;
                continue;
            }
            break;
        }
        if (!fl) continue;
        v->bits = (uint8_t)result_bits(g, in);
        if ((fl & (IRF_LIVE | IRF_LAZY)) == IRF_LAZY && lazy_small(g, in, v)) {
            v->flags = VF_LAZY;
            continue;
        }
        scan_use(g, in->a, i);
        scan_use(g, in->b, i);
        scan_use(g, in->c, i);
        offer_folds(g, in, i);
        unsigned of = ir_opinfo[in->op].flags;
        if (of & F_FAULT) x->lastfault = i;
        if (in->op == IR_CALL) {
            const struct ir_call *c = &ir->calls[in->x];
            lastcall = i;
            for (unsigned k = 0; k < c->h->nargs; k++)
                scan_use(g, c->arg[k], i);
            if (c->h->flags & HF_FAULT || c->h->reads || c->h->writes) x->lastfault = i;
            for (uint32_t r = 0; r < ir->nregs && c->h->writes; r++) {
                if (!(c->h->writes >> ir->regs[r].group & 1) || ir->regs[r].type == T_VOID) continue;
                scan_touch(g, r);
                if (!(x->rs[r] & RS_FRESH)) touch_cur(g, r, i); /* what an earlier call has overwritten is not needed */
                x->rs[r] = RS_TOUCHED | RS_HOME | RS_FRESH;
            }
        }
    }
    if (b->end) flags_scan(g, b, lastcall);
    uint32_t end = b->end ? b->end - 1 : 0;
    for (uint32_t k = 0; k < x->ntouched; k++) {
        uint32_t r = x->touched[k];
        if (x->rs[r] & RS_FRESH) continue;
        touch_cur(g, r, x->rs[r] & RS_LIVE && x->hreg[r] == NOREG ? end : x->lastfault);
    }
}

/* Puts the allocator into the canonical state: pinned and carried registers hold their values, the rest is at
 * home. */
void gen_block_start(struct gen *g, uint32_t b)
{
    struct gen_priv *x = g->x;
    const struct ir *ir = g->ir;
    x->ntouched = 0;
    memset(x->rs, 0, x->nids);
    gen_scan(g, &ir->blk[b]);
    memset(g->regval, 0, sizeof(g->regval));
    for (uint32_t k = 0; k < x->ntouched; k++) {
        uint32_t r = x->touched[k];
        x->cur[r] = ir->nins + r;
        x->rs[r] = RS_TOUCHED | RS_HOME;
        if (x->hreg[r] != NOREG) g->regval[x->hreg[r]] = ir->nins + r;
    }
    g->used = g->locked = g->scratch = 0;
    g->nested = 0;
    if (g->h->env.softmmu) { /* constant: nothing is lost when its register is taken */
        struct val *p = &g->val[page_val(g)];
        *p = fresh_val;
        p->root = page_val(g), p->flags = VF_K, p->type = T_I64, p->bits = 64;
    }
    x->dirty = x->dirty_in[b];
    /* spill slots of IR variables stay; the rest is free again */
    x->slots[0] = x->slots[1] = x->slots[2] = 0;
    for (uint32_t i = 0; i < ir->nvars; i++) {
        unsigned unit = SPILLS - 2 * (i + 1);
        x->slots[unit / 64] |= 3ull << unit % 64;
    }
}

/* --- moving values
 * ------------------------------------------------------------------------------------------------------- */
void load_from(struct gen *g, enum ir_type t, unsigned d, struct opnd m, bool home)
{
    if (!is_xmm(d)) {
        if (home)
            a_load(g, home_bytes(t) * 8, d, m);
        else
            a_load(g, 64, d, m);
    } else {
        a_loadx(g, t == T_F16 ? 4 : home_bytes(t), d, m);
    }
}

void store_to(struct gen *g, enum ir_type t, struct opnd m, unsigned s, bool home)
{
    if (!is_xmm(s))
        a_store(g, home ? home_bytes(t) * 8 : 64, m, s);
    else if (t == T_F16 && home)
        a_rm(g, P_66 | M_3A | 0x15, s & 15, m, 1), a_u8(g, 0); /* pextrw */
    else
        a_storex(g, t == T_F16 ? 4 : home_bytes(t), m, s);
}

static struct opnd slot_of(const struct val *v)
{
    return o_frame(FR_SPILL + 8 * (v->slot - 1));
}

static void k_to(struct gen *g, uint32_t root, unsigned d)
{
    const struct ir_ins *in = ins_of(g, root);
    if (!is_xmm(d)) {
        a_mov_ri(g, d, in->imm);
        return;
    }
    uint64_t lo = in->imm, hi = 0;
    if (in->op == IR_KV) lo = g->ir->kv[in->x].u64[0], hi = g->ir->kv[in->x].u64[1];
    if ((lo | hi) == 0) {
        a_rm(g, M_0F | 0x57, d & 15, o_reg(d & 15), 0);
    } else {
        a_loadx(g, in->op == IR_KV ? 16 : 8, d, pool(g, lo, hi));
    }
}

void val_to(struct gen *g, uint32_t root, unsigned d)
{
    struct val *v = &g->val[root];
    if (v->reg == d) return;
    if (v->reg != NOREG) {
        if (is_xmm(d))
            a_movaps(g, d, v->reg);
        else
            a_mov_rr(g, v->bits <= 32 ? 32 : 64, d, v->reg);
    } else if (v->flags & VF_K) {
        k_to(g, root, d);
    } else if (v->slot) {
        load_from(g, v->type, d, slot_of(v), false);
    } else if (v->home != NOHOME) {
        load_from(g, ir_regtype(g->ir, v->home), d, home_of(g, v->home), true);
    }
}

/* Stores a value into a home of type t; through the value's register, an immediate or scratch. */
void store_val(struct gen *g, uint32_t root, struct opnd m, enum ir_type t)
{
    struct val *v = &g->val[root];
    if (v->flags & VF_K && !type_is_xmm(t) && v->reg == NOREG) {
        uint64_t k = ins_of(g, root)->imm;
        if (t != T_I64 || (int64_t)k == (int32_t)k) {
            a_storei(g, home_bytes(t) * 8, m, (int64_t)(int32_t)k);
            return;
        }
    }
    if (v->reg == NOREG) use_r(g, root);
    store_to(g, t, m, v->reg, true);
}

/* --- allocation
 * ----------------------------------------------------------------------------------------------------------
 */
void gen_drop(struct gen *g, unsigned r)
{
    uint32_t c = g->regval[r];
    if (c && g->val[c].reg == r) {
        g->val[c].reg = NOREG;
        if (g->val[c].flags & VF_COPIES)
            for (uint32_t m = (g->used | g->h->pinned | g->x->carry_regs) & ~RBIT(r); m; m &= m - 1)
                if (g->regval[__builtin_ctz(m)] == c) g->val[c].reg = (uint8_t)__builtin_ctz(m);
    }
    g->regval[r] = 0;
    g->used &= ~RBIT(r);
}

static void hold(struct gen *g, unsigned r, uint32_t root)
{
    g->regval[r] = root;
    g->val[root].reg = (uint8_t)r;
    if (g->temps >> r & 1) g->used |= RBIT(r);
}

static unsigned new_slot(struct gen *g, enum ir_type t)
{
    uint64_t *s = g->x->slots;
    if (t == T_V128) {
        for (unsigned u = 0; u + 2 <= SPILLS; u += 2)
            if (!(s[u / 64] >> u % 64 & 3)) {
                s[u / 64] |= 3ull << u % 64;
                return u;
            }
    } else {
        for (unsigned w = 0; w < 3; w++)
            if (~s[w]) {
                unsigned u = w * 64 + (unsigned)__builtin_ctzll(~s[w]);
                if (u >= SPILLS) break;
                s[w] |= 1ull << u % 64;
                return u;
            }
    }
    g->err = -E2BIG;
    return 0;
}

/* True when the value survives without its register, or nobody needs it. */
static bool is_cheap(const struct gen *g, const struct val *v)
{
    return v->flags & VF_K || v->slot || v->home != NOHOME || v->last < g->at;
}

/* The value that r's home holds and no spill slot, if it is still needed; 0 = the home may be overwritten. */
uint32_t gen_home_needed(const struct gen *g, uint32_t r)
{
    uint32_t o = g->x->homeval[r];
    const struct val *v = &g->val[o];
    return v->home == r && v->last >= g->at && !v->slot && g->x->cur[r] != o ? o : 0;
}

/* r's home has just received root, r's current value. */
void gen_home_holds(struct gen *g, uint32_t r, uint32_t root)
{
    struct gen_priv *x = g->x;
    struct val *old = &g->val[x->homeval[r]], *v = &g->val[root];
    if (old->home == r) old->home = NOHOME;
    x->homeval[r] = root;
    x->rs[r] |= RS_HOME;
    /* the home has the register's width: it is the value's place only if that is all of the value */
    if (v->home == NOHOME &&
        (v->type == ir_regtype(g->ir, r) || v->bits <= ir_type_bits[ir_regtype(g->ir, r)]))
        v->home = (uint16_t)r;
}

/* Stores r's current value into its home, where that is not done yet. */
void gen_flush(struct gen *g, uint32_t r)
{
    struct gen_priv *x = g->x;
    if (x->rs[r] & RS_HOME) return;
    uint32_t o = gen_home_needed(g, r);
    if (o) use_r(g, o); /* from now on in a register only */
    uint32_t root = x->cur[r];
    if (g->val[root].flags & (VF_DEFER | VF_LAZY)) use_r(g, root);
    store_val(g, root, home_of(g, r), ir_regtype(g->ir, r));
    gen_home_holds(g, r, root);
}

/* Makes sure the value in r exists elsewhere. A pending put of a memory register goes to its home: due
 * anyway. */
void gen_save(struct gen *g, unsigned r)
{
    uint32_t c = g->regval[r];
    struct val *v = &g->val[c];
    struct gen_priv *x = g->x;
    if (is_cheap(g, v)) return;
    if (v->put != NOHOME && x->cur[v->put] == c && !(x->rs[v->put] & RS_HOME) && !gen_home_needed(g, v->put)) {
        store_to(g, ir_regtype(g->ir, v->put), home_of(g, v->put), r, true);
        gen_home_holds(g, v->put, c);
        if (v->home != NOHOME) return;
    }
    v->slot = (uint8_t)(new_slot(g, v->type) + 1);
    store_to(g, v->type, slot_of(v), r, false);
}

/* Puts a value into a spill slot whatever else holds it. */
void gen_spill(struct gen *g, uint32_t root)
{
    struct val *v = &g->val[root];
    unsigned r = use_r(g, root);
    v->slot = (uint8_t)(new_slot(g, v->type) + 1);
    store_to(g, v->type, slot_of(v), r, false);
}

static void free_dead(struct gen *g)
{
    for (uint32_t m = g->used & ~g->locked; m; m &= m - 1) {
        unsigned r = (unsigned)__builtin_ctz(m);
        if (g->val[g->regval[r]].last < g->at) gen_drop(g, r);
    }
}

static unsigned alloc(struct gen *g, uint32_t mask)
{
    mask &= g->temps & ~g->locked;
    uint32_t avail = mask & ~g->used;
    if (!avail) {
        free_dead(g);
        avail = mask & ~g->used;
    }
    if (avail) {
        /* rax rcx rdx last: they are asked for by name */
        uint32_t late = avail & ~(RBIT(RAX) | RBIT(RCX) | RBIT(RDX));
        return (unsigned)__builtin_ctz(late ? late : avail);
    }
    unsigned best = NOREG;
    uint32_t score = 0;
    for (uint32_t m = mask; m; m &= m - 1) {
        unsigned r = (unsigned)__builtin_ctz(m);
        const struct val *v = &g->val[g->regval[r]];
        uint32_t s = (is_cheap(g, v) ? 0x40000000u : 0) + (v->last - g->at) + 1;
        if (s > score) score = s, best = r;
    }
    if (best == NOREG) { /* more registers asked for than exist */
        g->err = -E2BIG;
        return mask & 0xffff0000 || !(mask & 0xffff) ? XMM0 : RAX;
    }
    gen_save(g, best);
    gen_drop(g, best);
    return best;
}

static uint32_t class_of(enum ir_type t)
{
    return type_is_xmm(t) ? 0xffff0000u : 0xffffu;
}

unsigned use_r(struct gen *g, V v)
{
    uint32_t root = g->val[v].root;
    struct val *r = &g->val[root];
    if (r->reg == NOREG) {
        if (r->flags & (VF_DEFER | VF_LAZY) && root < g->ir->nins) {
            r->flags &= (uint8_t) ~(VF_DEFER | VF_LAZY);
            g->nested++;
            lower_ins(g, root, ins_of(g, root));
            g->nested--;
        } else {
            unsigned d = alloc(g, class_of(r->type));
            val_to(g, root, d);
            hold(g, d, root);
        }
    }
    if (r->reg == NOREG) { /* only after an error */
        g->err = g->err ? g->err : -E2BIG;
        return class_of(r->type) & 1 ? RAX : XMM0;
    }
    g->locked |= RBIT(r->reg);
    return r->reg;
}

struct opnd use_rm(struct gen *g, V v)
{
    struct val *r = root_of(g, v);
    enum ir_type t = type_of(g, v);
    if (r->reg != NOREG || r->flags & (VF_DEFER | VF_LAZY)) return o_reg(use_r(g, v));
    if (r->flags & VF_K && type_is_xmm(t)) {
        const struct ir_ins *in = ins_of(g, (V)(r - g->val));
        if (in->op == IR_KV) return pool(g, g->ir->kv[in->x].u64[0], g->ir->kv[in->x].u64[1]);
        return pool(g, in->imm, 0);
    }
    bool single = r->uses <= 1 || r->last <= g->at;
    if (single && !(r->flags & VF_K) && t != T_I1) {
        if (r->slot && (t != T_V128 || x86.avx)) return slot_of(r);
        if (r->home != NOHOME && ir_type_bits[t] <= ir_type_bits[ir_regtype(g->ir, r->home)] && t != T_F16 &&
            (t != T_V128 || x86.avx))
            return home_of(g, r->home);
    }
    return o_reg(use_r(g, v));
}

bool use_last(struct gen *g, V v)
{
    return g->nested == 0 && root_of(g, v)->last <= g->at;
}

/* The hinted register is free to be written: its content is dead. */
bool hint_free(struct gen *g, V v)
{
    unsigned h = g->val[v].hint;
    if (h == NOREG || g->nested) return false;
    uint32_t c = g->regval[h];
    if (c) return g->val[c].last <= g->at;
    return !(g->x->rs[g->x->owner[h]] & RS_FRESH);
}

/* The hinted register holds a value that is not its guest register's and lives on: that moves away now, into a free
 * temporary, rather than at the put. The register keeps its content, so the instruction may still read it there. */
static bool hint_clear(struct gen *g, V v)
{
    unsigned h = g->val[v].hint;
    if (h == NOREG || g->nested || is_xmm(h)) return false;
    uint32_t c = g->regval[h];
    if (c == 0 || g->val[c].reg != h || g->val[c].flags & VF_COPIES || g->x->cur[g->x->owner[h]] == c) return false;
    uint32_t avail = g->temps & ~g->used & ~g->locked & 0xffff & ~(RBIT(RAX) | RBIT(RCX) | RBIT(RDX));
    if (!avail) return false;
    unsigned d = (unsigned)__builtin_ctz(avail);
    val_to(g, c, d);
    g->regval[h] = 0;
    hold(g, d, c);
    return true;
}

static unsigned claim(struct gen *g, unsigned r, V v)
{
    gen_drop(g, r);
    hold(g, r, v);
    g->locked |= RBIT(r);
    return r;
}

unsigned def_r(struct gen *g, V v)
{
    if (hint_free(g, v) || hint_clear(g, v)) return claim(g, g->val[v].hint, v);
    uint32_t cls = class_of(type_of(g, v));
    if (!g->nested)
        for (uint32_t m = g->locked & g->used & g->temps & cls & ~g->scratch; m; m &= m - 1) {
            unsigned r = (unsigned)__builtin_ctz(m);
            if (g->regval[r] && g->val[g->regval[r]].last <= g->at) return claim(g, r, v);
        }
    return claim(g, alloc(g, cls), v);
}

unsigned def_new(struct gen *g, V v)
{
    if (hint_free(g, v) && !(g->locked >> g->val[v].hint & 1)) return claim(g, g->val[v].hint, v);
    return claim(g, alloc(g, class_of(type_of(g, v))), v);
}

bool can_inplace(struct gen *g, V v, V a)
{
    struct val *r = root_of(g, a);
    if (r->reg == NOREG || !use_last(g, a) || type_is_xmm(r->type) != type_is_xmm(type_of(g, v)))
        return false;
    if (hint_free(g, v))
        return g->val[v].hint == r->reg || (g->locked >> g->val[v].hint & 1 && g->temps >> r->reg & 1);
    return g->temps >> r->reg & 1;
}

unsigned def_copy(struct gen *g, V v, V a)
{
    uint32_t root = g->val[a].root;
    struct val *r = &g->val[root];
    if (r->flags & (VF_DEFER | VF_LAZY) && r->reg == NOREG) use_r(g, a);
    if (can_inplace(g, v, a)) return claim(g, r->reg, v);
    unsigned d;
    if (hint_free(g, v) && !(g->locked >> g->val[v].hint & 1))
        d = g->val[v].hint;
    else {
        if (r->reg != NOREG) g->locked |= RBIT(r->reg);
        d = alloc(g, class_of(type_of(g, v)));
    }
    val_to(g, root, d);
    return claim(g, d, v);
}

static unsigned scratch(struct gen *g, uint32_t cls)
{
    unsigned r = alloc(g, cls);
    g->used |= RBIT(r), g->locked |= RBIT(r), g->scratch |= RBIT(r);
    return r;
}
unsigned tmp_gpr(struct gen *g)
{
    return scratch(g, 0xffff);
}
unsigned tmp_xmm(struct gen *g)
{
    return scratch(g, 0xffff0000u);
}

void take(struct gen *g, unsigned r)
{
    uint32_t c = g->regval[r];
    if (g->used >> r & 1 && c) {
        struct val *v = &g->val[c];
        g->locked |= RBIT(r);
        if (v->last < g->at || is_cheap(g, v)) {
            gen_drop(g, r);
        } else {
            free_dead(g);
            uint32_t avail = g->temps & ~g->used & ~g->locked & (is_xmm(r) ? 0xffff0000u : 0xffffu);
            if (avail) {
                uint32_t late = avail & ~(RBIT(RAX) | RBIT(RCX) | RBIT(RDX));
                unsigned d = (unsigned)__builtin_ctz(late ? late : avail);
                val_to(g, c, d);
                g->regval[r] = 0;
                hold(g, d, c);
            } else {
                gen_save(g, r);
                gen_drop(g, r);
            }
        }
    }
    g->regval[r] = 0;
    g->used |= RBIT(r), g->locked |= RBIT(r), g->scratch |= RBIT(r);
}

void def_is(struct gen *g, V v, unsigned r)
{
    g->scratch &= ~RBIT(r);
    hold(g, r, v);
}

void gen_end_ins(struct gen *g)
{
    g->used &= ~g->scratch;
    for (uint32_t m = g->locked & g->used & g->temps; m; m &= m - 1) {
        unsigned r = (unsigned)__builtin_ctz(m);
        if (g->regval[r] == 0)
            g->used &= ~RBIT(r);
        else if (g->val[g->regval[r]].last <= g->at)
            gen_drop(g, r);
    }
    g->locked = g->scratch = 0;
}

/* Not computed yet: use_r will do it here. */
bool is_lazy(const struct gen *g, V v)
{
    const struct val *r = &g->val[g->val[v].root];
    return r->flags & (VF_DEFER | VF_LAZY) && r->reg == NOREG;
}

bool is_deferred(const struct gen *g, V v)
{
    const struct val *r = &g->val[g->val[v].root];
    return r->flags & VF_DEFER && r->reg == NOREG;
}

/* A GET that sees what a helper has written. */
void gen_fresh(struct gen *g, uint32_t r, V v)
{
    struct gen_priv *x = g->x;
    unsigned hr = x->hreg[r];
    x->rs[r] &= (uint8_t)~RS_FRESH;
    x->cur[r] = v;
    if (hr != NOREG) {
        g->regval[hr] = v;
        g->val[v].reg = (uint8_t)hr;
    } else {
        g->val[v].home = (uint16_t)r;
        x->homeval[r] = v;
    }
}

/* --- guest registers
 * ------------------------------------------------------------------------------------------------------- */
/* The value in register hr is about to be overwritten but needed later: keeps it in a temporary or a spill
 * slot. */
static void rescue(struct gen *g, unsigned hr)
{
    uint32_t c = g->regval[hr];
    if (c == 0 || g->val[c].reg != hr) return;
    if (g->val[c].last <= g->at) {
        gen_drop(g, hr);
        return;
    }
    gen_drop(g, hr);
    struct val *v = &g->val[c];
    if (v->reg != NOREG || is_cheap(g, v)) return;
    v->reg = (uint8_t)hr;
    unsigned d = alloc(g, class_of(v->type));
    val_to(g, c, d);
    hold(g, d, c);
}

void gen_put(struct gen *g, uint32_t r, V v, bool live)
{
    struct gen_priv *x = g->x;
    uint32_t root = g->val[v].root;
    struct val *c = &g->val[root];
    unsigned hr = x->hreg[r];
    x->cur[r] = root;
    x->rs[r] = (uint8_t)((x->rs[r] & ~(RS_LIVE | RS_HOME | RS_FRESH)) | RS_PUT | (live ? RS_LIVE : 0));
    if (hr == NOREG) {
        c->put = (uint16_t)r;
        if (c->home == r) x->rs[r] |= RS_HOME;
        return;
    }
    if (!live || g->regval[hr] == root) {
        if (live)
            for (unsigned k = 0; k < x->ncarry; k++)
                if (x->carry[k] == r) x->dirty |= (uint16_t)(1u << k);
        return;
    }
    if (c->flags & (VF_DEFER | VF_LAZY) && c->reg == NOREG) use_r(g, v);
    if (c->reg != NOREG) g->locked |= RBIT(c->reg);
    rescue(g, hr);
    if (c->flags & VF_K && c->reg == NOREG && !is_xmm(hr) && ins_of(g, root)->imm == 0) {
        a_alu(g, ALU_XOR, 32, hr, o_reg(hr));
        g->regval[hr] = root;
        c->reg = (uint8_t)hr;
    } else {
        val_to(g, root, hr);
        unsigned was = c->reg;
        g->regval[hr] = root;
        if (was != NOREG && !(g->temps >> was & 1)) c->flags |= VF_COPIES;
        if (was == NOREG) {
            c->reg = (uint8_t)hr;
        } else if (g->temps >> was & 1) {
            g->regval[was] = 0;
            g->used &= ~RBIT(was);
            c->reg = (uint8_t)hr;
        }
    }
    for (unsigned k = 0; k < x->ncarry; k++)
        if (x->carry[k] == r) x->dirty |= (uint16_t)(1u << k);
}
