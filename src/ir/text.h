/* text.h: spellings shared by print.c and parse.c; private to src/ir. */
#ifndef LYRE_IR_TEXT_H
#define LYRE_IR_TEXT_H

#include "ir/opt.h"

extern const char *const ir_type_names[T_COUNT];
/* What `sub` means for an op: its names (NULL: a plain number) and how many. */
const char *const *ir_sub_names(unsigned op, unsigned *n);
/* Memory operand bits above the size, in order of printing. */
struct ir_mo_name {
    uint8_t bit;
    const char *name;
};
extern const struct ir_mo_name ir_mo_names[];
extern const char *const ir_mo_sizes[8];
/* Is imm an operand without a keyword? */
static inline bool ir_imm_positional(unsigned op)
{
    return op == IR_K || op == IR_INSN || op == IR_EXIT || op == IR_EXC;
}

#endif
