/*
 * flags.c: one-bit registers that end a block with what one subtraction or test says (N Z C V of a compare). Such values
 * are not computed where they stand: at the block's end one host compare serves all of them and the branch, each is one
 * setcc to its home. Before that, maps hold the expressions.
 */
#include "host/x86_64/priv.h"
#include "host/x86_64/asm.h"

enum { FLAG_REACH = 64 /* instructions that the compare's operands are kept for */, FLAG_MAX = 8 };

/* cc after comparing a with b, or with k when b is 0. */
struct fkey {
    V a, b, via; /* via: the difference that was itself compared with zero, or 0 */
    uint64_t k;
    uint8_t bits, cc;
};

static bool key_of(const struct gen *g, V v, struct fkey *f)
{
    const struct ir_ins *in = ins_of(g, g->val[v].root);
    if (in->op != IR_CMP && in->op != IR_SSUBOV) return false;
    enum ir_type t = type_of(g, in->a);
    if (t != T_I32 && t != T_I64) return false;
    *f = (struct fkey){.a = in->a, .b = in->b, .bits = ir_type_bits[t]};
    f->cc = in->op == IR_SSUBOV ? CC_O : (uint8_t)cond_code(in->sub);
    if (is_k(g, f->b)) f->k = ins_of(g, f->b)->imm, f->b = 0;
    uint32_t d = g->val[in->a].root;
    if (in->op != IR_CMP || f->b || f->k || d >= g->ir->nins) return true;
    const struct ir_ins *x = ins_of(g, d);
    bool sub = x->op == IR_SUB, addk = x->op == IR_ADD && is_k(g, x->b);
    if (x->type != t || !(sub || addk) || in->sub > C_SGE) return true;
    f->via = d, f->a = x->a, f->b = x->b;
    if (is_k(g, x->b)) f->k = (sub ? ins_of(g, x->b)->imm : -ins_of(g, x->b)->imm) & bits_mask(f->bits), f->b = 0;
    if (in->sub == C_SLT) f->cc = CC_S;
    if (in->sub == C_SGE) f->cc = CC_NS;
    return true;
}

static bool same_key(const struct gen *g, const struct fkey *x, const struct fkey *y)
{
    return x->bits == y->bits && g->val[x->a].root == g->val[y->a].root && !x->b == !y->b &&
           (x->b ? g->val[x->b].root == g->val[y->b].root : x->k == y->k);
}

/* Uses of differences by flags alone. */
struct via { uint32_t n, root[FLAG_MAX], uses[FLAG_MAX]; };

static void count_via(struct via *l, uint32_t root)
{
    uint32_t i = 0;
    while (i < l->n && l->root[i] != root)
        i++;
    if (root == 0 || i == FLAG_MAX) return;
    if (i == l->n) l->root[l->n++] = root, l->uses[i] = 0;
    l->uses[i]++;
}

void flags_scan(struct gen *g, const struct ir_block *b, uint32_t lastcall)
{
    struct gen_priv *x = g->x;
    uint32_t root[FLAG_MAX], puts[FLAG_MAX], n = 0, t = b->end - 1;
    struct via via = {0};
    struct fkey f;
    for (uint32_t k = 0; k < x->ntouched; k++) {
        uint32_t r = x->touched[k], v = x->cur[r], i = 0;
        if (!(x->rs[r] & RS_LIVE) || x->hreg[r] != NOREG || ir_regtype(g->ir, r) != T_I1 || v >= g->ir->nins ||
            v <= lastcall || t - v > FLAG_REACH || g->val[v].flags & (VF_K | VF_LAZY) || !key_of(g, v, &f))
            continue;
        while (i < n && root[i] != v)
            i++;
        if (i == FLAG_MAX) break;
        if (i == n) root[n++] = v, puts[i] = 0;
        puts[i]++;
    }
    if (n == 0) return;
    while (t > b->first && g->ir->ins[t].op == IR_NOP)
        t--;
    uint32_t cond = g->ir->ins[t].op == IR_BRC ? g->val[g->ir->ins[t].a].root : 0;
    for (uint32_t i = 0; i < n; i++) {
        struct val *v = &g->val[root[i]];
        if (puts[i] + (root[i] == cond) != v->uses) continue;
        key_of(g, root[i], &f);
        v->flags = (uint8_t)((v->flags & ~VF_FOLD) | VF_FLAG | VF_DEFER);
        if (v->last < t) v->last = t;
        gen_touch_last(g, f.a, t);
        if (f.b) gen_touch_last(g, f.b, t);
        if (x->lastfault > root[i]) gen_touch_last(g, ins_of(g, root[i])->a, x->lastfault);
        count_via(&via, f.via);
    }
    if (cond && g->val[cond].flags & VF_FOLD && key_of(g, cond, &f)) count_via(&via, f.via);
    for (uint32_t i = 0; i < via.n; i++) {
        struct val *v = &g->val[via.root[i]];
        if (v->uses == via.uses[i] && !(v->flags & (VF_FOLD | VF_K | VF_LAZY))) v->flags |= VF_DEFER;
    }
}

bool flag_waits(const struct gen *g, uint32_t r)
{
    const struct gen_priv *x = g->x;
    const struct val *v = &g->val[x->cur[r]];
    return (x->rs[r] & (RS_LIVE | RS_HOME)) == RS_LIVE && x->hreg[r] == NOREG &&
           (v->flags & (VF_FLAG | VF_DEFER)) == (VF_FLAG | VF_DEFER) && v->reg == NOREG;
}

static bool wanted(const struct gen *g, uint32_t r, const uint32_t *to, unsigned n)
{
    bool any = n == 0;
    for (unsigned i = 0; i < n; i++)
        any |= regset_has(&g->ir->blk[to[i]].live_in, r);
    return any;
}

/* The operands of a key's compare, and the flags that wait for it. */
static void key_use(struct gen *g, const struct fkey *f, struct cond *c)
{
    int64_t s = bits_sext(f->k, f->bits);
    *c = (struct cond){.cc = f->cc, .bits = f->bits, .kind = CK_CMP_RO};
    if (f->b || s != (int32_t)s) {
        c->a = o_reg(use_r(g, f->a));
        if (f->b) {
            c->b = use_rm(g, f->b);
        } else {
            c->b = o_reg(tmp_gpr(g));
            a_mov_ri(g, c->b.reg, f->k);
        }
        return;
    }
    c->a = use_rm(g, f->a);
    c->kind = CK_CMP_RI, c->k = (int32_t)s;
    if (s == 0 && c->a.kind == O_REG) c->kind = CK_TEST_RR, c->b = c->a; /* the same flags */
}

static void collect(struct gen *g, const struct fkey *f, const uint32_t *to, unsigned n, struct flag_stores *s)
{
    struct gen_priv *x = g->x;
    s->n = 0;
    for (uint32_t k = 0; k < x->ntouched && s->n < ARRAY_LEN(s->r); k++) {
        uint32_t r = x->touched[k], o;
        struct fkey h;
        if (!flag_waits(g, r) || !wanted(g, r, to, n) || !key_of(g, x->cur[r], &h) || !same_key(g, f, &h)) continue;
        if ((o = gen_home_needed(g, r))) use_r(g, o);
        unsigned i = s->n++;
        for (; i && x->home[s->r[i - 1]] > x->home[r]; i--) s->r[i] = s->r[i - 1], s->cc[i] = s->cc[i - 1];
        s->r[i] = (uint16_t)r;
        s->cc[i] = h.cc;
    }
    s->packed = s->n == 4 && x->home[s->r[3]] - x->home[s->r[0]] == 3 && x86.bmi2 && !(g->locked & (RBIT(RAX) | RBIT(RCX)));
    if (!s->packed) return;
    take(g, RAX);
    take(g, RCX);
}

/* Four bytes side by side: one store of four takes a quarter of the time of four setcc to memory. Nothing here changes the host's flags. */
static void store_packed(struct gen *g, const struct flag_stores *s)
{
    enum { AH = RSP, CH = RBP }; /* as a byte operand without REX */
    static const uint8_t part[] = {RAX, AH, RCX, CH};
    for (unsigned i = 0; i < 4; i++) {
        a_u8(g, 0x0f);
        a_u8(g, 0x90 | s->cc[i]);
        a_u8(g, 0xc0 | part[i]);
    }
    a_rorx(g, 32, RCX, o_reg(RCX), 16);
    a_rm(g, P_66 | 0x8b, RCX, o_reg(RAX), 0);
    a_store(g, 32, home_of(g, s->r[0]), RCX);
}

void flags_store(struct gen *g, const struct flag_stores *s)
{
    if (s->packed) {
        store_packed(g, s);
        return;
    }
    for (unsigned i = 0; i < s->n; i++)
        a_rm(g, M_0F | 0x90 | s->cc[i] | OP_BM, 0, home_of(g, s->r[i]), 0); /* setcc */
}

void flags_flush(struct gen *g, const uint32_t *to, unsigned n, V cond)
{
    struct gen_priv *x = g->x;
    struct fkey f, br;
    bool has = cond && is_deferred(g, cond) && key_of(g, cond, &br);
    for (uint32_t k = 0; k < x->ntouched; k++) {
        uint32_t r = x->touched[k];
        if (!flag_waits(g, r) || !wanted(g, r, to, n) || !key_of(g, x->cur[r], &f) || (has && same_key(g, &f, &br)))
            continue;
        struct flag_stores s;
        struct cond c;
        collect(g, &f, to, n, &s);
        key_use(g, &f, &c);
        cond_emit(g, &c);
        flags_store(g, &s);
        for (unsigned i = 0; i < s.n; i++)
            gen_home_holds(g, s.r[i], x->cur[s.r[i]]);
        g->used &= ~g->scratch;
        g->locked = g->scratch = 0;
    }
}

bool flags_join(struct gen *g, const uint32_t *to, V cond, struct cond *c, struct flag_stores *s)
{
    struct fkey f;
    s->n = 0, s->packed = false;
    if (!is_deferred(g, cond) || !key_of(g, cond, &f)) return false;
    collect(g, &f, to, 2, s);
    /* of a flag that nobody stores only the key's operands were kept */
    if (s->n == 0 && !(root_of(g, cond)->flags & VF_FLAG)) return false;
    key_use(g, &f, c);
    for (unsigned i = 0; i < s->n; i++)
        gen_home_holds(g, s->r[i], g->x->cur[s->r[i]]);
    return true;
}
