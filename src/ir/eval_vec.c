/* eval_vec.c: the vector half of ir_eval. */
#include "ir/eval.h"

bool ir_eval_vec(const struct ir_ins *ins, enum ir_type type_a, const union vlanes *a, const union vlanes *b,
                 const union vlanes *c, union vlanes *res)
{
    return false;
}
