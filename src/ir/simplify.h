/* simplify.h: what build.c and the optimiser share; private to src/ir. */
#ifndef LYRE_IR_SIMPLIFY_H
#define LYRE_IR_SIMPLIFY_H

#include "ir/ir.h"

/* What an instruction turned out to be: itself, an existing value, or a constant of its own type. */
struct ir_simple {
    enum { SIMPLE_NO, SIMPLE_VALUE, SIMPLE_CONST } kind;
    V v;
    uint64_t k;
};

/*
 * Folds a scalar F_PURE instruction whose operands are in I[]: constant operands, and identities that need no more than
 * a look at the operands (x + 0, x & 0, select of equals). Moves the constant of a commutative op or of a comparison to
 * the right, in *ins, on the way.
 */
struct ir_simple ir_trivial(const struct ir_ins *I, struct ir_ins *ins);

/* The flags of ops.def alone, in few cache lines. */
extern const uint8_t ir_op_flags[IR_OPS];

/* Is ir_trivial() worth calling? TRIVIAL_K: only if an operand is constant or both are one; by op. */
enum { TRIVIAL_NO, TRIVIAL_K, TRIVIAL_ASK };
extern const uint8_t ir_trivial_class[IR_OPS];
static inline bool ir_maybe_trivial(const struct ir_ins *I, const struct ir_ins *ins)
{
    unsigned k = ir_trivial_class[ins->op];
    if (k != TRIVIAL_K) return k;
    return I[ins->a].op == IR_K || I[ins->b].op == IR_K || ins->a == ins->b;
}

/* Field by field: src was mostly just written so, and a wider load of it would wait for those stores. */
static inline void ir_ins_copy(struct ir_ins *dst, const struct ir_ins *src)
{
    dst->op = src->op;
    dst->type = src->type;
    dst->sub = src->sub;
    dst->mo = src->mo;
    dst->a = src->a;
    dst->b = src->b;
    dst->c = src->c;
    dst->imm = src->imm;
    dst->x = src->x;
    dst->y = src->y;
}

/* Appends to the region's constant vectors and calls; returns the index. */
uint32_t ir_addkv(struct ir *ir, uint64_t lo, uint64_t hi);
uint32_t ir_addcall(struct ir *ir, const struct ir_call *call);

void ir_scratch_free(struct ir_scratch *s);

/* The condition with its operands swapped. */
static inline unsigned ir_cond_swap(unsigned c)
{
    static const uint8_t swap[] = { C_EQ, C_NE, C_SGT, C_SLE, C_SGE, C_SLT, C_UGT, C_ULE, C_UGE, C_ULT };
    return swap[c];
}

/* True for conditions that hold when both operands are equal. */
static inline bool ir_cond_reflexive(unsigned c)
{
    return c == C_EQ || c == C_SGE || c == C_SLE || c == C_UGE || c == C_ULE;
}

static inline bool ir_is_int(unsigned type)
{
    return type >= T_I1 && type <= T_I64;
}

#endif
