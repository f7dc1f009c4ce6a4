/* eval.h: private to ir_eval's two files: the vector half. */
#ifndef LYRE_IR_EVAL_H
#define LYRE_IR_EVAL_H

#include "ir/ir.h"

/* Evaluates a pure V* op; false if ins is none. res may be one of the operands. */
bool ir_eval_vec(const struct ir_ins *ins, enum ir_type type_a, const union vlanes *a, const union vlanes *b,
                 const union vlanes *c, union vlanes *res);
/* The carry-less product of two 64-bit polynomials. */
u128 ir_clmul64(uint64_t x, uint64_t y);

#endif
