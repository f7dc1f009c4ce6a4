/*
 * rules.c: algebra on integers. A rule may assume that ir_trivial() found nothing, that operands are simplified
 * already, and that the constant of a commutative op is on the right. It either returns the value the instruction is,
 * or 0. Every rule makes the expression smaller or moves it towards one canonical form:
 *
 *   x - k             x + -k                     zero-extended low 8, 16, 32 bits    zext(trunc x)
 *   x * 2^k           x << k                     sign-extended low 8, 16, 32 bits    sext(trunc x)
 *   (x >> k) & mask   ubfx                       (x << j) >> k                       ubfx, sbfx
 *   cmp ne/eq on I1   xor, not xor               or of opposite shifts               rotr
 */
#include "ir/opt.h"

static bool is_k(const struct fold *f, V v)
{
    return f->I[v].op == IR_K;
}

static unsigned width(const struct fold *f, V v)
{
    return ir_type_bits[f->I[v].type];
}

/* n if k is a mask of the n low bits, else 0. */
static unsigned low_mask(uint64_t k)
{
    return k && !(k & (k + 1)) ? 64 - (unsigned)__builtin_clzll(k) : 0;
}

static enum ir_type int_type(unsigned bits)
{
    return bits == 8 ? T_I8 : bits == 16 ? T_I16 : bits == 32 ? T_I32 : T_VOID;
}

/* Operand shapes: op(x, constant). */
static bool shape_k(const struct fold *f, V v, unsigned op, V *x, uint64_t *k)
{
    const struct ir_ins *i = &f->I[v];
    if (i->op != op || f->I[i->b].op != IR_K) return false;
    *x = i->a;
    *k = f->I[i->b].imm;
    return true;
}

/* --- rotates ------------------------------------------------------------------------------------------------------- */

/* Is amount b = -a modulo w? */
static bool opposite_amount(const struct fold *f, V a, V b, unsigned w)
{
    const struct ir_ins *ia = &f->I[a], *ib = &f->I[b];
    if (ia->op == IR_K && ib->op == IR_K) return !((ia->imm + ib->imm) & (w - 1));
    if (ib->op == IR_NEG) return ib->a == a;
    return ib->op == IR_SUB && ib->b == a && f->I[ib->a].op == IR_K && !(f->I[ib->a].imm & (w - 1));
}

/* (x << l) | (x >> r), l + r = width. Variable amounts may both be 0, where + and ^ differ from |. */
static V rotate(struct fold *f, unsigned op, V p, V q)
{
    const struct ir_ins *l = &f->I[p], *r = &f->I[q];
    if (l->op == IR_SHR) {
        const struct ir_ins *t = l;
        l = r;
        r = t;
    }
    if (l->op != IR_SHL || r->op != IR_SHR || l->a != r->a) return 0;
    if (op != IR_OR && !is_k(f, l->b)) return 0;
    unsigned w = ir_type_bits[l->type];
    if (!opposite_amount(f, l->b, r->b, w) && !opposite_amount(f, r->b, l->b, w)) return 0;
    return make2(f, IR_ROTR, l->type, l->a, r->b);
}

/* The narrower value that v is an extension of, by an extension op. */
static V extended_from(const struct fold *f, V v, unsigned type)
{
    const struct ir_ins *i = &f->I[v];
    return (i->op == IR_SEXT || i->op == IR_ZEXT) && f->I[i->a].type == type ? i->a : 0;
}

/* ext32(x << l) | ext32(x >> r): the right part's sign is 0, so it is the left part's kind of extension of a rotate. */
static V rotate_extended(struct fold *f, const struct ir_ins *ins)
{
    if (ins->type != T_I64) return 0;
    V p = extended_from(f, ins->a, T_I32), q = extended_from(f, ins->b, T_I32);
    if (!p || !q) return 0;
    V left = f->I[p].op == IR_SHL ? ins->a : ins->b;
    V right_op = f->I[p].op == IR_SHL ? q : p;
    V amount = f->I[right_op].b;
    bool plain = f->I[right_op].op == IR_SHR && is_k(f, amount); /* constant: not 0, so its top bit is clear */
    unsigned ext = f->I[left].op;
    if (!plain && f->I[ins->a].op != f->I[ins->b].op) return 0;
    V r = rotate(f, ins->op, p, q);
    return r ? make1(f, ext, T_I64, r) : 0;
}

/* trunc32((x << l) | ext32(trunc32 x >> r)): RV64 code for an unsigned rotate whose upper half is dropped later. */
static V rotate_truncated(struct fold *f, const struct ir_ins *wide, unsigned type)
{
    if (type != T_I32 || wide->type != T_I64) return 0;
    for (unsigned swap = 0; swap < 2; swap++) {
        V l = swap ? wide->b : wide->a, r = extended_from(f, swap ? wide->a : wide->b, T_I32), x, y;
        uint64_t kl, kr;
        if (!r || !shape_k(f, l, IR_SHL, &x, &kl) || !shape_k(f, r, IR_SHR, &y, &kr) || kl + kr != 32) continue;
        if (make1(f, IR_TRUNC, T_I32, x) == y) return make2(f, IR_ROTR, T_I32, y, f->I[r].b);
    }
    return 0;
}

/* --- logic on sign-extended words: RV64 has no 32-bit and/or/xor ------------------------------------------------------- */

/* v as an I32 if it is the sign extension of one; 0 otherwise. */
static V narrow_word(struct fold *f, V v)
{
    const struct ir_ins *i = &f->I[v];
    if (i->op == IR_SEXT && f->I[i->a].type == T_I32) return i->a;
    if (i->op == IR_K && (int64_t)i->imm == (int32_t)i->imm) return make_k(f, T_I32, i->imm);
    if (i->op == IR_LD && (i->mo & (MO_SIGN | MO_SIZE)) == (MO_SIGN | MO_32)) return make1(f, IR_TRUNC, T_I32, v);
    return 0;
}

static V narrow_logic(struct fold *f, const struct ir_ins *ins)
{
    if (ins->type != T_I64) return 0;
    if (f->I[ins->a].op != IR_SEXT && f->I[ins->b].op != IR_SEXT) return 0;
    V a = narrow_word(f, ins->a);
    if (!a) return 0;
    V b = narrow_word(f, ins->b);
    return b ? make1(f, IR_SEXT, T_I64, make2(f, ins->op, T_I32, a, b)) : 0;
}

/* --- one op each ------------------------------------------------------------------------------------------------------- */

static V rule_add(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_ins *a = &f->I[ins->a], *b = &f->I[ins->b];
    V x;
    uint64_t k;
    if (b->op == IR_K) {
        if (!shape_k(f, ins->a, IR_ADD, &x, &k)) return 0;
        k += b->imm;
        /* a register holds the inner sum: adding to it needs no other live value */
        if (fold_held(f, ins->a) && k & bits_mask(width(f, x))) return 0;
        return make2(f, IR_ADD, ins->type, x, make_k(f, ins->type, k));
    }
    if (b->op == IR_NEG) return make2(f, IR_SUB, ins->type, ins->a, b->a);
    if (a->op == IR_NEG) return make2(f, IR_SUB, ins->type, ins->b, a->a);
    return rotate(f, ins->op, ins->a, ins->b);
}

static V rule_sub(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_ins *a = &f->I[ins->a], *b = &f->I[ins->b];
    if (b->op == IR_K) return make2(f, IR_ADD, ins->type, ins->a, make_k(f, ins->type, 0 - b->imm));
    if (a->op == IR_K && !a->imm) return make1(f, IR_NEG, ins->type, ins->b);
    if (b->op == IR_NEG) return make2(f, IR_ADD, ins->type, ins->a, b->a);
    return 0;
}

static V rule_mul(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_ins *b = &f->I[ins->b];
    if (b->op != IR_K) return 0;
    if (b->imm == bits_mask(width(f, ins->a))) return make1(f, IR_NEG, ins->type, ins->a);
    if (b->imm & (b->imm - 1)) return 0;
    return make2(f, IR_SHL, ins->type, ins->a, make_k(f, ins->type, (uint64_t)__builtin_ctzll(b->imm)));
}

static V rule_div(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_ins *b = &f->I[ins->b];
    if (b->op != IR_K || !b->imm || b->imm & (b->imm - 1)) return 0;
    if (ins->op == IR_REMU) return make2(f, IR_AND, ins->type, ins->a, make_k(f, ins->type, b->imm - 1));
    return make2(f, IR_SHR, ins->type, ins->a, make_k(f, ins->type, (uint64_t)__builtin_ctzll(b->imm)));
}

static V rule_neg(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_ins *a = &f->I[ins->a];
    if (a->op == IR_NEG) return a->a;
    if (a->op == IR_SUB) return make2(f, IR_SUB, ins->type, a->b, a->a);
    if (a->op == IR_ZEXT && f->I[a->a].type == T_I1) return make1(f, IR_SEXT, ins->type, a->a);
    return 0;
}

static V rule_not(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_ins *a = &f->I[ins->a];
    if (a->op == IR_NOT) return a->a;
    if (a->op == IR_SEXT) return make1(f, IR_SEXT, ins->type, make1(f, IR_NOT, f->I[a->a].type, a->a));
    return 0;
}

static V rule_and(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_ins *a = &f->I[ins->a], *b = &f->I[ins->b];
    unsigned w = width(f, ins->a), n;
    V x;
    uint64_t k;
    if (b->op != IR_K) return narrow_logic(f, ins);
    if (shape_k(f, ins->a, IR_AND, &x, &k)) return make2(f, IR_AND, ins->type, x, make_k(f, ins->type, k & b->imm));
    n = low_mask(b->imm);
    if (n && a->op == IR_SHR && is_k(f, a->b)) {
        k = f->I[a->b].imm;
        return k + n >= w ? ins->a : make_field(f, IR_UBFX, ins->type, a->a, (unsigned)k, n);
    }
    if (!(~ir_known_zero(f->I, ins->a, BITS_DEPTH) & ~b->imm)) return ins->a;
    if (n && int_type(n)) return make1(f, IR_ZEXT, ins->type, make1(f, IR_TRUNC, int_type(n), ins->a));
    return narrow_logic(f, ins);
}

static V rule_or(struct fold *f, const struct ir_ins *ins)
{
    V x, v;
    uint64_t k;
    if (is_k(f, ins->b)) {
        if (shape_k(f, ins->a, IR_OR, &x, &k))
            return make2(f, IR_OR, ins->type, x, make_k(f, ins->type, k | f->I[ins->b].imm));
        return narrow_logic(f, ins);
    }
    if ((v = rotate(f, ins->op, ins->a, ins->b)) || (v = rotate_extended(f, ins))) return v;
    return narrow_logic(f, ins);
}

static V rule_xor(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_ins *a = &f->I[ins->a], *b = &f->I[ins->b];
    V x, v;
    uint64_t k;
    if (b->op == IR_K) {
        if (b->imm == bits_mask(width(f, ins->a))) return make1(f, IR_NOT, ins->type, ins->a);
        if (shape_k(f, ins->a, IR_XOR, &x, &k))
            return make2(f, IR_XOR, ins->type, x, make_k(f, ins->type, k ^ b->imm));
        if (b->imm == 1 && a->op == IR_ZEXT && f->I[a->a].type == T_I1)
            return make1(f, IR_ZEXT, ins->type, make1(f, IR_NOT, T_I1, a->a));
        return narrow_logic(f, ins);
    }
    if ((v = rotate(f, ins->op, ins->a, ins->b)) || (v = rotate_extended(f, ins))) return v;
    return narrow_logic(f, ins);
}

/* Shift amounts count modulo the width. */
static bool reduce_amount(struct fold *f, struct ir_ins *ins)
{
    const struct ir_ins *b = &f->I[ins->b];
    uint64_t m = width(f, ins->a) - 1, k;
    V x;
    if (b->op == IR_K && b->imm > m) {
        ins->b = make_k(f, b->type, b->imm & m);
        return true;
    }
    if (shape_k(f, ins->b, IR_AND, &x, &k) && (k & m) == m) {
        ins->b = x;
        return true;
    }
    return false;
}

static V rule_shl(struct fold *f, const struct ir_ins *ins, uint64_t k)
{
    unsigned w = width(f, ins->a);
    V x;
    uint64_t j;
    if (shape_k(f, ins->a, IR_SHL, &x, &j)) {
        if (j + k >= w) return make_k(f, ins->type, 0);
        return make2(f, IR_SHL, ins->type, x, make_k(f, ins->type, j + k));
    }
    /* clears low bits; beyond 31 the mask is no immediate on common hosts */
    if (shape_k(f, ins->a, IR_SHR, &x, &j) && j == k && k <= 31)
        return make2(f, IR_AND, ins->type, x, make_k(f, ins->type, ~0ull << k));
    return 0;
}

/* SHR or SAR by k of x << j. */
static V rule_shift_pair(struct fold *f, const struct ir_ins *ins, V x, uint64_t j, uint64_t k)
{
    unsigned w = width(f, ins->a), op = ins->op == IR_SHR ? IR_UBFX : IR_SBFX;
    if (k >= j) return make_field(f, op, ins->type, x, (unsigned)(k - j), w - (unsigned)k);
    V field = make_field(f, op, ins->type, x, 0, w - (unsigned)j);
    return make2(f, IR_SHL, ins->type, field, make_k(f, ins->type, j - k));
}

static V rule_shr(struct fold *f, const struct ir_ins *ins, uint64_t k)
{
    const struct ir_ins *a = &f->I[ins->a];
    unsigned w = width(f, ins->a), from, n;
    V x;
    uint64_t j;
    if (shape_k(f, ins->a, IR_SHL, &x, &j)) return rule_shift_pair(f, ins, x, j, k);
    if (shape_k(f, ins->a, IR_SHR, &x, &j)) {
        if (j + k >= w) return make_k(f, ins->type, 0);
        return make2(f, IR_SHR, ins->type, x, make_k(f, ins->type, j + k));
    }
    if (shape_k(f, ins->a, IR_AND, &x, &j)) {
        if (!(j >> k)) return make_k(f, ins->type, 0);
        if ((n = low_mask(j >> k)) && k + n < w) return make_field(f, IR_UBFX, ins->type, x, (unsigned)k, n);
    }
    if (a->op == IR_UBFX) {
        if (k >= a->y) return make_k(f, ins->type, 0);
        return make_field(f, IR_UBFX, ins->type, a->a, a->x + (unsigned)k, a->y - (unsigned)k);
    }
    if (a->op == IR_ZEXT && (from = width(f, a->a)) > 1) {
        if (k >= from) return make_k(f, ins->type, 0);
        unsigned t = f->I[a->a].type;
        return make1(f, IR_ZEXT, ins->type, make2(f, IR_SHR, t, a->a, make_k(f, t, k)));
    }
    return 0;
}

static V rule_sar(struct fold *f, const struct ir_ins *ins, uint64_t k)
{
    const struct ir_ins *a = &f->I[ins->a];
    unsigned w = width(f, ins->a), from;
    V x;
    uint64_t j;
    if (shape_k(f, ins->a, IR_SHL, &x, &j)) return rule_shift_pair(f, ins, x, j, k);
    if (shape_k(f, ins->a, IR_SAR, &x, &j))
        return make2(f, IR_SAR, ins->type, x, make_k(f, ins->type, MIN(j + k, w - 1)));
    if (a->op == IR_SEXT && (from = width(f, a->a)) > 1) {
        unsigned t = f->I[a->a].type;
        return make1(f, IR_SEXT, ins->type, make2(f, IR_SAR, t, a->a, make_k(f, t, MIN(k, from - 1))));
    }
    return 0;
}

static V rule_shift(struct fold *f, struct ir_ins *ins)
{
    if (reduce_amount(f, ins)) return fold_make(f, ins);
    const struct ir_ins *b = &f->I[ins->b];
    if (b->op != IR_K) return 0;
    switch (ins->op) {
    case IR_SHL: return rule_shl(f, ins, b->imm);
    case IR_SHR: return rule_shr(f, ins, b->imm);
    case IR_SAR: return rule_sar(f, ins, b->imm);
    default: return 0;
    }
}

/* Bits lo .. lo+n-1 of a BFI as those of what they come from (*lo says where there); 0: from both. */
static V bfi_part(const struct ir_ins *bfi, unsigned *lo, unsigned n)
{
    if (*lo >= bfi->x + bfi->y || *lo + n <= bfi->x) return bfi->a;
    if (*lo < bfi->x || *lo + n > bfi->x + bfi->y) return 0;
    *lo -= bfi->x;
    return bfi->b;
}

/* Into a constant that has nothing beside the field; twice into one field. */
static V rule_bfi(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_ins *a = &f->I[ins->a];
    uint64_t field = bits_mask(ins->y);
    if (a->op == IR_K && !ins->x && !(a->imm & ~field))
        return ~ir_known_zero(f->I, ins->b, BITS_DEPTH) & ~field ? make_field(f, IR_UBFX, ins->type, ins->b, 0, ins->y) : ins->b;
    if (a->op == IR_BFI && a->x == ins->x && a->y == ins->y)
        return fold_make(f, &(struct ir_ins){ .op = IR_BFI, .type = ins->type, .a = a->a, .b = ins->b, .x = ins->x, .y = ins->y });
    return 0;
}

static V rule_bitfield(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_ins *a = &f->I[ins->a];
    bool sign = ins->op == IR_SBFX;
    unsigned w = width(f, ins->a), end = ins->x + ins->y;
    V x;
    uint64_t k;
    if (end == w) return make2(f, sign ? IR_SAR : IR_SHR, ins->type, ins->a, make_k(f, ins->type, ins->x));
    if (!ins->x && int_type(ins->y))
        return make1(f, sign ? IR_SEXT : IR_ZEXT, ins->type, make1(f, IR_TRUNC, int_type(ins->y), ins->a));
    if (a->op == IR_UBFX && end <= a->y) return make_field(f, ins->op, ins->type, a->a, a->x + ins->x, ins->y);
    if (a->op == IR_UBFX && !sign) {
        if (ins->x >= a->y) return make_k(f, ins->type, 0);
        return make_field(f, IR_UBFX, ins->type, a->a, a->x + ins->x, a->y - ins->x);
    }
    if (shape_k(f, ins->a, IR_SHR, &x, &k) && k + end <= w)
        return make_field(f, ins->op, ins->type, x, (unsigned)k + ins->x, ins->y);
    unsigned lo = ins->x;
    if (a->op == IR_BFI && (x = bfi_part(a, &lo, ins->y))) return make_field(f, ins->op, ins->type, x, lo, ins->y);
    return 0;
}

/* SEXT or ZEXT. */
static V rule_extend(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_ins *a = &f->I[ins->a];
    unsigned w = ir_type_bits[ins->type], wa = ir_type_bits[a->type];
    V x;
    uint64_t k;
    if (a->op == IR_ZEXT || a->op == ins->op) return make1(f, a->op, ins->type, a->a);
    if (a->op != IR_TRUNC || f->I[a->a].type != ins->type) return 0;
    /* of the low part of a value as wide as the result */
    if (ins->op == IR_SEXT) {
        if (ir_sign_bits(f->I, a->a, BITS_DEPTH) > w - wa) return a->a;
    } else if (!(~ir_known_zero(f->I, a->a, BITS_DEPTH) & ~bits_mask(wa))) {
        return a->a;
    }
    if ((shape_k(f, a->a, IR_SHR, &x, &k) || shape_k(f, a->a, IR_SAR, &x, &k)) && k + wa <= w)
        return make_field(f, ins->op == IR_SEXT ? IR_SBFX : IR_UBFX, ins->type, x, (unsigned)k, wa);
    return 0;
}

static V rule_trunc(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_ins *a = &f->I[ins->a];
    unsigned w = ir_type_bits[ins->type], from;
    uint64_t k;
    V x, v;
    unsigned lo = 0;
    switch (a->op) {
    case IR_TRUNC: return make1(f, IR_TRUNC, ins->type, a->a);
    case IR_BFI: return (x = bfi_part(a, &lo, w)) && !lo ? make1(f, IR_TRUNC, ins->type, x) : 0;
    case IR_SEXT: case IR_ZEXT:
        from = width(f, a->a);
        if (f->I[a->a].type == ins->type) return a->a;
        return make1(f, from > w ? IR_TRUNC : a->op, ins->type, a->a);
    case IR_AND:
        if (!shape_k(f, ins->a, IR_AND, &x, &k) || ~k & bits_mask(w)) return 0;
        return make1(f, IR_TRUNC, ins->type, x);
    case IR_OR:
        if ((v = rotate_truncated(f, a, ins->type))) return v;
        /* fall through */
    case IR_XOR:
        if (!shape_k(f, ins->a, a->op, &x, &k) || k & bits_mask(w)) return 0;
        return make1(f, IR_TRUNC, ins->type, x);
    case IR_ADD: return ins->type == T_I1 ? 0 : rotate_truncated(f, a, ins->type);
    case IR_SHR: case IR_SAR: /* the sign as a bit */
        if (ins->type != T_I1 || !is_k(f, a->b) || f->I[a->b].imm != width(f, ins->a) - 1) return 0;
        return make_cmp(f, C_SLT, a->a, make_k(f, a->type, 0));
    default: return 0;
    }
}

static V rule_extr(struct fold *f, const struct ir_ins *ins)
{
    if (ins->a != ins->b) return 0;
    return make2(f, IR_ROTR, ins->type, ins->a, make_k(f, ins->type, ins->x));
}

static V rule_select(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_ins *c = &f->I[ins->a], *x = &f->I[ins->b], *y = &f->I[ins->c];
    if (c->op == IR_NOT)
        return fold_make(f, &(struct ir_ins){ .op = IR_SELECT, .type = ins->type, .a = c->a, .b = ins->c, .c = ins->b });
    if (x->op != IR_K || y->op != IR_K || !ir_is_int(ins->type)) return 0;
    if (x->imm == y->imm) return ins->b; /* the value table forgets: equal constants can be two values */
    uint64_t ones = bits_mask(ir_type_bits[ins->type]);
    V v = ins->a;
    if (!x->imm && (y->imm == 1 || y->imm == ones)) {
        v = make1(f, IR_NOT, T_I1, v);
        x = y;
    } else if (y->imm) {
        return 0;
    }
    if (ins->type == T_I1) return v;
    return x->imm == 1 ? make1(f, IR_ZEXT, ins->type, v) : x->imm == ones ? make1(f, IR_SEXT, ins->type, v) : 0;
}

/* --- moves between kinds of value --------------------------------------------------------------------------------------- */

static bool lane_is(unsigned lane, unsigned type)
{
    static const uint8_t bits[] = { 8, 16, 32, 64, 16, 32, 64 };
    return bits[lane] == ir_type_bits[type];
}

/* The scalar that was put into lane 0, or in every lane, of a vector. */
static V rule_vget(struct fold *f, const struct ir_ins *ins)
{
    const struct ir_ins *a = &f->I[ins->a], *s = &f->I[a->a];
    if (a->op == IR_VZEXT && !ins->x && lane_is(ins->sub, ins->type) && 8 * a->x >= ir_type_bits[ins->type])
        return fold_make(f, &(struct ir_ins){ .op = IR_VGET, .type = ins->type, .sub = ins->sub, .a = a->a });
    if ((a->op != IR_VFROM || ins->x) && (a->op != IR_VDUP || !lane_is(a->sub, ins->type))) return 0;
    if (!lane_is(ins->sub, ins->type) || ir_type_bits[s->type] != ir_type_bits[ins->type]) return 0;
    return s->type == ins->type ? a->a : make1(f, IR_BITCAST, ins->type, a->a);
}

static V rule_fsgn(struct fold *f, const struct ir_ins *ins)
{
    if (ins->a == ins->b) return ins->a;
    return f->I[ins->b].op == IR_FNEG && f->I[ins->b].a == ins->a ? ins->b : 0;
}

/* op(op'(x)) = x when the types agree */
static V rule_inverse(const struct fold *f, const struct ir_ins *ins, unsigned op)
{
    const struct ir_ins *a = &f->I[ins->a];
    return a->op == op && f->I[a->a].type == ins->type ? a->a : 0;
}

V rules_int(struct fold *f, struct ir_ins *ins)
{
    if (ins->type == T_I1) {
        V v = rules_flag(f, ins);
        if (v) return v;
    }
    switch (ins->op) {
    case IR_ADD: return rule_add(f, ins);
    case IR_SUB: return rule_sub(f, ins);
    case IR_MUL: return rule_mul(f, ins);
    case IR_DIVU: case IR_REMU: return rule_div(f, ins);
    case IR_NEG: return rule_neg(f, ins);
    case IR_NOT: return rule_not(f, ins);
    case IR_AND: return rule_and(f, ins);
    case IR_OR: return rule_or(f, ins);
    case IR_XOR: return rule_xor(f, ins);
    case IR_SHL: case IR_SHR: case IR_SAR: case IR_ROTR: return rule_shift(f, ins);
    case IR_UBFX: case IR_SBFX: return rule_bitfield(f, ins);
    case IR_BFI: return rule_bfi(f, ins);
    case IR_SEXT: case IR_ZEXT: return rule_extend(f, ins);
    case IR_TRUNC: return rule_trunc(f, ins);
    case IR_EXTR: return rule_extr(f, ins);
    case IR_SELECT: return rule_select(f, ins);
    case IR_CMP: return rules_cmp(f, ins);
    case IR_VGET: return rule_vget(f, ins);
    case IR_VAND: case IR_VOR: return ins->a == ins->b ? ins->a : 0;
    case IR_FSGN: return rule_fsgn(f, ins);
    case IR_FUNBOX: return rule_inverse(f, ins, IR_FBOX);
    case IR_BITCAST: return rule_inverse(f, ins, IR_BITCAST);
    case IR_FNEG: return rule_inverse(f, ins, IR_FNEG);
    default: return 0;
    }
}
