/*
 * rules_cmp.c: comparisons, and the algebra of flags. Guests compute N, Z, C, V one by one and conditions from them;
 * here `n != v` of a subtraction becomes `slt a, b`, `c and not z` becomes `ugt a, b`, and so on, so that a branch
 * compares once and the flags, if nobody else wants them, are dead.
 */
#include "ir/opt.h"

/* --- comparisons as sets: which of less, equal, greater satisfy them ----------------------------------------------- */

enum { R_GT = 1, R_EQ = 2, R_LT = 4, R_ALL = 7, R_UN = 8, R_FALL = 15 };
enum { ORDER_ANY, ORDER_SIGNED, ORDER_UNSIGNED };

struct relation {
    V a, b;
    uint8_t set, order;
};

static const uint8_t cond_set[] = {
    [C_EQ] = R_EQ, [C_NE] = R_LT | R_GT,
    [C_SLT] = R_LT, [C_SGE] = R_EQ | R_GT, [C_SLE] = R_LT | R_EQ, [C_SGT] = R_GT,
    [C_ULT] = R_LT, [C_UGE] = R_EQ | R_GT, [C_ULE] = R_LT | R_EQ, [C_UGT] = R_GT,
};

/* The same with the operands swapped. */
static unsigned mirror(unsigned set)
{
    return (set & (R_EQ | R_UN)) | (set & R_LT ? R_GT : 0) | (set & R_GT ? R_LT : 0);
}

static unsigned cond_order(unsigned c)
{
    return c <= C_NE ? ORDER_ANY : c <= C_SGT ? ORDER_SIGNED : ORDER_UNSIGNED;
}

static V make_relation(struct fold *f, const struct relation *r)
{
    static const uint8_t cond[2][8] = {
        { 0, C_SGT, C_EQ, C_SGE, C_SLT, C_NE, C_SLE, 0 },
        { 0, C_UGT, C_EQ, C_UGE, C_ULT, C_NE, C_ULE, 0 },
    };
    if (r->set == 0 || r->set == R_ALL) return make_k(f, T_I1, r->set == R_ALL);
    return make_cmp(f, cond[r->order == ORDER_UNSIGNED][r->set], r->a, r->b);
}

static bool relation_of(const struct fold *f, V v, struct relation *r)
{
    const struct ir_ins *i = &f->I[v];
    if (i->op != IR_CMP) return false;
    *r = (struct relation){ i->a, i->b, cond_set[i->sub], (uint8_t)cond_order(i->sub) };
    return true;
}

/* --- differences ------------------------------------------------------------------------------------------------------ */

/* Is r the value of a - b? */
static bool is_difference(const struct fold *f, V r, V a, V b)
{
    const struct ir_ins *i = &f->I[r], *kb = &f->I[b];
    if (i->op == IR_SUB) return i->a == a && i->b == b;
    if (i->op == IR_NEG) return i->a == b && f->I[a].op == IR_K && !f->I[a].imm;
    if (kb->op != IR_K) return false;
    if (i->op == IR_ADD && i->a == a && f->I[i->b].op == IR_K)
        return !((f->I[i->b].imm + kb->imm) & bits_mask(ir_type_bits[i->type]));
    /* (x + j) - k was folded to x + (j - k) */
    const struct ir_ins *ia = &f->I[a];
    if (i->op == IR_ADD && ia->op == IR_ADD && ia->a == i->a && f->I[ia->b].op == IR_K && f->I[i->b].op == IR_K)
        return !((f->I[i->b].imm + kb->imm - f->I[ia->b].imm) & bits_mask(ir_type_bits[i->type]));
    return false;
}

/* Is r the value of ext a - ext b, where comparing a and b has been narrowed to their own type? */
static bool is_wide_difference(const struct fold *f, V r, V a, V b)
{
    const struct ir_ins *i = &f->I[r], *x = &f->I[i->a], *y = &f->I[i->b], *kb = &f->I[b];
    if ((x->op != IR_ZEXT && x->op != IR_SEXT) || x->a != a) return false;
    if (i->op == IR_SUB) return y->op == x->op && y->a == b;
    if (i->op != IR_ADD || y->op != IR_K || kb->op != IR_K) return false;
    uint64_t k = x->op == IR_ZEXT ? kb->imm : (uint64_t)bits_sext(kb->imm, ir_type_bits[kb->type]);
    return !((k + y->imm) & bits_mask(ir_type_bits[i->type]));
}

/* eq/ne(a - b, 0) stated as eq/ne(a, b), if that makes its operands those of `other`. */
static bool restate_equality(const struct fold *f, struct relation *r, const struct relation *other)
{
    if (r->order != ORDER_ANY || f->I[r->b].op != IR_K || f->I[r->b].imm) return false;
    if (!is_difference(f, r->a, other->a, other->b) && !is_wide_difference(f, r->a, other->a, other->b)) return false;
    r->a = other->a;
    r->b = other->b;
    return true;
}

/* Brings two relations to the same operands. */
static bool align(const struct fold *f, struct relation *p, struct relation *q)
{
    if (p->a == q->b && p->b == q->a && p->a != p->b) {
        q->a = p->a;
        q->b = p->b;
        q->set = (uint8_t)mirror(q->set);
    }
    if ((p->a != q->a || p->b != q->b) && !restate_equality(f, p, q) && !restate_equality(f, q, p)) return false;
    return p->order == q->order || p->order == ORDER_ANY || q->order == ORDER_ANY;
}

/* and, or, xor of two comparisons of the same operands is a comparison. */
static V combine_relations(struct fold *f, const struct ir_ins *ins)
{
    struct relation p, q;
    if (!relation_of(f, ins->a, &p) || !relation_of(f, ins->b, &q) || !align(f, &p, &q)) return 0;
    p.set = ins->op == IR_AND ? p.set & q.set : ins->op == IR_OR ? p.set | q.set : p.set ^ q.set;
    p.order = MAX(p.order, q.order);
    return make_relation(f, &p);
}

/* --- floating-point comparisons: sets of less, equal, greater, unordered ------------------------------------------- */

static const uint8_t fcond_set[] = { [FC_EQ] = R_EQ, [FC_LT] = R_LT, [FC_LE] = R_LT | R_EQ, [FC_UN] = R_UN };

/* v as a set of outcomes of some FCMP or its negation; the FCMP, or 0. */
static V fp_relation(const struct fold *f, V v, unsigned *set)
{
    bool negated = f->I[v].op == IR_NOT;
    if (negated) v = f->I[v].a;
    if (f->I[v].op != IR_FCMP) return 0;
    *set = fcond_set[f->I[v].sub & 3] ^ (negated ? R_FALL : 0);
    return v;
}

/* The FCMP that gives `set`, if there is one for it or for its complement. */
static V make_fp_relation(struct fold *f, const struct ir_ins *model, unsigned set)
{
    static const struct {
        uint8_t set, cond, swap;
    } forms[] = { { R_EQ, FC_EQ, 0 }, { R_LT, FC_LT, 0 }, { R_LT | R_EQ, FC_LE, 0 }, { R_UN, FC_UN, 0 },
                  { R_GT, FC_LT, 1 }, { R_GT | R_EQ, FC_LE, 1 } };
    if (!set || set == R_FALL) return make_k(f, T_I1, set != 0);
    for (unsigned n = 0; n < ARRAY_LEN(forms); n++) {
        bool negate = forms[n].set == (set ^ R_FALL);
        if (forms[n].set != set && !negate) continue;
        struct ir_ins i = { .op = IR_FCMP, .type = T_I1, .sub = forms[n].cond, .mo = model->mo, .a = model->a, .b = model->b };
        if (forms[n].swap) {
            i.a = model->b;
            i.b = model->a;
        }
        V v = fold_fp(f, &i);
        return negate ? make1(f, IR_NOT, T_I1, v) : v;
    }
    return 0;
}

/*
 * and, or, xor of comparisons of the same operands. The new one raises what the old ones raised, so it only must not
 * come after something that changed or has cleared the flags since.
 */
static V combine_fp(struct fold *f, const struct ir_ins *ins)
{
    unsigned p = 0, q = 0;
    V a = fp_relation(f, ins->a, &p), b = fp_relation(f, ins->b, &q);
    if (!a || !b || a < f->fp_barrier || b < f->fp_barrier) return 0;
    const struct ir_ins *x = &f->I[a], *y = &f->I[b];
    if (x->mo != y->mo) return 0;
    if (x->a == y->b && x->b == y->a) q = mirror(q);
    else if (x->a != y->a || x->b != y->b) return 0;
    return make_fp_relation(f, x, ins->op == IR_AND ? p & q : ins->op == IR_OR ? p | q : p ^ q);
}

/* --- flags in pairs ------------------------------------------------------------------------------------------------ */

/* sign(a - b) != overflow(a - b) is a < b; sign(a + k) != overflow(a + k) is a < -k. */
static V sign_and_overflow(struct fold *f, V p, V q)
{
    const struct ir_ins *n = &f->I[p], *v = &f->I[q];
    if (n->op != IR_CMP) {
        const struct ir_ins *t = n;
        n = v;
        v = t;
    }
    if (n->op != IR_CMP || (n->sub != C_SLT && n->sub != C_SGE)) return 0;
    if (f->I[n->b].op != IR_K || f->I[n->b].imm) return 0;
    V limit = v->b;
    if (v->op == IR_SADDOV && f->I[v->b].op == IR_K) {
        unsigned type = f->I[v->a].type, w = ir_type_bits[type];
        uint64_t k = f->I[v->b].imm;
        if (k == 1ull << (w - 1)) return 0;
        limit = make_k(f, type, 0 - k);
    } else if (v->op != IR_SSUBOV) {
        return 0;
    }
    return is_difference(f, n->a, v->a, limit) ? make_cmp(f, n->sub, v->a, limit) : 0;
}

/*
 * Two selects by one condition, as conditional compares leave: the operation goes inside, where it meets comparisons
 * of one kind.
 */
static V combine_selects(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_ins *p = &f->I[ins->a], *q = &f->I[ins->b];
    if (p->op != IR_SELECT || q->op != IR_SELECT || p->a != q->a) return 0;
    if (f->I[p->b].op != IR_K && f->I[p->c].op != IR_K) return 0;
    V yes = make2(f, ins->op, T_I1, p->b, q->b);
    V no = make2(f, ins->op, T_I1, p->c, q->c);
    return fold_make(f, &(struct ir_ins){ .op = IR_SELECT, .type = T_I1, .a = p->a, .b = yes, .c = no });
}

static V flag_not(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_ins *a = &f->I[ins->a];
    if (a->op == IR_CMP) return make_cmp(f, a->sub ^ 1u, a->a, a->b);
    if (a->op == IR_SELECT && (f->I[a->b].op == IR_K || f->I[a->c].op == IR_K)) {
        V yes = make1(f, IR_NOT, T_I1, a->b), no = make1(f, IR_NOT, T_I1, a->c);
        return fold_make(f, &(struct ir_ins){ .op = IR_SELECT, .type = T_I1, .a = a->a, .b = yes, .c = no });
    }
    return 0;
}

V rules_flag(struct fold *f, struct ir_ins *ins)
{
    const struct ir_ins *a = &f->I[ins->a], *b = &f->I[ins->b];
    V v;
    switch (ins->op) {
    case IR_NOT: return flag_not(f, ins);
    case IR_XOR:
        if (a->op == IR_NOT) return make1(f, IR_NOT, T_I1, make2(f, IR_XOR, T_I1, a->a, ins->b));
        if (b->op == IR_NOT) return make1(f, IR_NOT, T_I1, make2(f, IR_XOR, T_I1, ins->a, b->a));
        if ((v = sign_and_overflow(f, ins->a, ins->b))) return v;
        break;
    case IR_AND: case IR_OR:
        if ((a->op == IR_NOT && a->a == ins->b) || (b->op == IR_NOT && b->a == ins->a))
            return make_k(f, T_I1, ins->op == IR_OR);
        if (a->op == IR_NOT && b->op == IR_NOT) /* De Morgan: one not */
            return make1(f, IR_NOT, T_I1, make2(f, ins->op == IR_AND ? IR_OR : IR_AND, T_I1, a->a, b->a));
        break;
    default: return 0;
    }
    if ((v = combine_relations(f, ins)) || (v = combine_fp(f, ins))) return v;
    return combine_selects(f, ins);
}

/* --- comparisons ------------------------------------------------------------------------------------------------------- */

/* A comparison of values that are zero-extended is unsigned in the narrow type. */
static unsigned to_unsigned(unsigned c)
{
    return cond_order(c) == ORDER_SIGNED ? c + (C_ULT - C_SLT) : c;
}

/* cmp(ext x, k) in x's type. */
static V cmp_narrow_k(struct fold *f, const struct ir_ins *ins, const struct ir_ins *a, uint64_t k)
{
    unsigned type = f->I[a->a].type, n = ir_type_bits[type];
    bool equality = ins->sub <= C_NE;
    uint64_t low = k & bits_mask(n);
    bool fits = a->op == IR_ZEXT ? low == k
                                 : ((uint64_t)bits_sext(low, n) & bits_mask(ir_type_bits[a->type])) == k;
    if (!fits) return equality ? make_k(f, T_I1, ins->sub == C_NE) : 0;
    if (type == T_I1) {
        if (!equality) return 0;
        return (low == 1) == (ins->sub == C_EQ) ? a->a : make1(f, IR_NOT, T_I1, a->a);
    }
    return make_cmp(f, a->op == IR_ZEXT ? to_unsigned(ins->sub) : ins->sub, a->a, make_k(f, type, low));
}

static V cmp_k(struct fold *f, const struct ir_ins *ins, uint64_t k)
{
    const struct ir_ins *a = &f->I[ins->a];
    unsigned type = a->type;
    if (type == T_I1) {
        if (ins->sub > C_NE) return 0;
        return (k == 1) == (ins->sub == C_EQ) ? ins->a : make1(f, IR_NOT, T_I1, ins->a);
    }
    if (a->op == IR_SEXT || a->op == IR_ZEXT) return cmp_narrow_k(f, ins, a, k);
    if (!k && (ins->sub == C_UGT || ins->sub == C_ULE))
        return make_cmp(f, ins->sub == C_UGT ? C_NE : C_EQ, ins->a, ins->b);
    if (ins->sub > C_NE) return 0;
    const struct ir_ins *b = &f->I[a->b];
    if ((a->op != IR_ADD && a->op != IR_XOR && a->op != IR_NEG) || fold_will_hold(f, ins->a)) return 0;
    if (a->op == IR_ADD && b->op == IR_K) return make_cmp(f, ins->sub, a->a, make_k(f, type, k - b->imm));
    if (a->op == IR_XOR && b->op == IR_K) return make_cmp(f, ins->sub, a->a, make_k(f, type, k ^ b->imm));
    if (a->op == IR_XOR && !k) return make_cmp(f, ins->sub, a->a, a->b);
    if (a->op == IR_NEG && !k) return make_cmp(f, ins->sub, a->a, ins->b);
    return 0;
}

V rules_cmp(struct fold *f, struct ir_ins *ins)
{
    const struct ir_ins *a = &f->I[ins->a], *b = &f->I[ins->b];
    if (b->op == IR_K) return cmp_k(f, ins, b->imm);
    if (a->type == T_I1 && ins->sub <= C_NE) {
        V v = make2(f, IR_XOR, T_I1, ins->a, ins->b);
        return ins->sub == C_NE ? v : make1(f, IR_NOT, T_I1, v);
    }
    if ((a->op == IR_SEXT || a->op == IR_ZEXT) && a->op == b->op && f->I[a->a].type == f->I[b->a].type &&
        f->I[a->a].type != T_I1)
        return make_cmp(f, a->op == IR_ZEXT ? to_unsigned(ins->sub) : ins->sub, a->a, b->a);
    if (ins->sub <= C_NE && ins->a > ins->b) { /* one form of an equality */
        V t = ins->a;
        ins->a = ins->b;
        ins->b = t;
    }
    return 0;
}
