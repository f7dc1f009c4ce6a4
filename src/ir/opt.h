/* opt.h: what the passes share; private to src/ir. */
#ifndef LYRE_IR_OPT_H
#define LYRE_IR_OPT_H

#include "ir/simplify.h"

enum { VN_BITS = 10 };

/* Working memory of the passes, grown once and kept from region to region. */
struct ir_scratch {
    struct ir_ins *out;       /* fold writes here; then it becomes ir->ins */
    uint8_t *out_flag;
    uint32_t cap_out;
    V *map;                   /* old value -> new value */
    uint32_t cap_map;
    uint16_t *home;           /* per new value: the register it was last put in or read from, or NO_HOME */
    bool folded;              /* home[] is of the values of now */
    uint32_t cap_home;
    uint64_t *demand;         /* demanded bits */
    uint32_t cap_demand;
    V cur[IR_REGS_MAX];       /* value a register holds at this point of the block, if in `known` */
    V vn[1 << VN_BITS];       /* value numbers; an entry counts only if it is of this block and equal */
    /* register groups of the register list seen last */
    const struct ir_reg *regs;
    uint32_t nregs;
    struct ir_regset guest;   /* every guest register */
    struct ir_regset group[8];
    /* blocks */
    struct ir_regset *use, *def;
    uint32_t cap_use, cap_def;
    uint32_t *order;          /* opt_depth's graph */
    struct ir_helper **parsed; /* descriptors of the calls in parsed text */
    uint32_t nparsed, cap_parsed;
    uint32_t cap_order;
};

enum { NO_HOME = 0xffff };

/* --- fold.c: the forward pass, and how rules make values ------------------------------------------------------------ */
struct fold {
    struct ir *ir;
    struct ir_scratch *s;
    struct ir_ins *I;         /* = s->out */
    uint32_t n, first;        /* next new value; first of this block */
    struct ir_regset known;   /* registers whose value is in s->cur */
    struct ir_regset *use, *def; /* of this block, for opt_liveness */
    bool saw_all;             /* something read all guest registers */
    V fp_barrier;             /* F_FP values before this one may not be reused */
    V marker;                 /* old INSN marker not copied yet */
    V at;                     /* the old instruction at hand */
    unsigned fuel;            /* rule applications left for the current old instruction */
};

/*
 * Rules hold pointers into I[] while they make values, so it grows between old instructions only: room for what one can
 * become is kept, and fuel bounds that (a rule makes at most 4 values).
 */
enum { FOLD_FUEL = 24, FOLD_ROOM = 4 * FOLD_FUEL + 8 };

/* Simplifies a pure instruction over new values, finds it among those of the block, or appends it. */
V fold_make(struct fold *f, struct ir_ins *ins);
/* An F_FP instruction: an equal one that raised the same flags already, or a new one. */
V fold_fp(struct fold *f, const struct ir_ins *ins);
/* True if some register holds v at this point, so that v is alive anyway. */
bool fold_held(const struct fold *f, V v);

/* The same, or the guest instruction at hand will put it in one. */
bool fold_will_hold(const struct fold *f, V v);

static inline V make_k(struct fold *f, unsigned type, uint64_t k)
{
    return fold_make(f, &(struct ir_ins){ .op = IR_K, .type = (uint8_t)type, .imm = k & bits_mask(ir_type_bits[type]) });
}

static inline V make2(struct fold *f, unsigned op, unsigned type, V a, V b)
{
    return fold_make(f, &(struct ir_ins){ .op = (uint8_t)op, .type = (uint8_t)type, .a = a, .b = b });
}

static inline V make1(struct fold *f, unsigned op, unsigned type, V a)
{
    return make2(f, op, type, a, 0);
}

static inline V make_cmp(struct fold *f, unsigned cond, V a, V b)
{
    return fold_make(f, &(struct ir_ins){ .op = IR_CMP, .type = T_I1, .sub = (uint8_t)cond, .a = a, .b = b });
}

static inline V make_field(struct fold *f, unsigned op, unsigned type, V a, unsigned lsb, unsigned width)
{
    return fold_make(f, &(struct ir_ins){ .op = (uint8_t)op, .type = (uint8_t)type, .a = a, .x = lsb, .y = width });
}

/* --- rules.c, rules_cmp.c: one round of algebra on an instruction. 0: nothing to do; else the value it is -------------- */
V rules_int(struct fold *f, struct ir_ins *ins);
V rules_cmp(struct fold *f, struct ir_ins *ins);
V rules_flag(struct fold *f, struct ir_ins *ins); /* AND OR XOR NOT SELECT on I1 */

/* --- bits.c -------------------------------------------------------------------------------------------------------------- */
/* Bits of v known to be zero; all those above its width are. */
uint64_t ir_known_zero(const struct ir_ins *I, V v, unsigned depth);
/* How many top bits of v are known to be copies of its sign bit, itself included: >= 1. */
unsigned ir_sign_bits(const struct ir_ins *I, V v, unsigned depth);
enum { BITS_DEPTH = 4 };

/* --- the passes ------------------------------------------------------------------------------------------------------------ */
void opt_fold(struct ir *ir);
void opt_liveness(struct ir *ir);
void opt_depth(struct ir *ir);
void opt_demand(struct ir *ir);

/* Leaves with guest state: a F_FAULT op or a call that may raise. */
static inline bool ins_faults(const struct ir *ir, const struct ir_ins *i)
{
    return ir_op_flags[i->op] & F_FAULT || (i->op == IR_CALL && ir->calls[i->x].h->flags & HF_FAULT);
}

static inline void regset_or(struct ir_regset *a, const struct ir_regset *b)
{
    for (unsigned i = 0; i < ARRAY_LEN(a->w); i++) a->w[i] |= b->w[i];
}

static inline void regset_andn(struct ir_regset *a, const struct ir_regset *b)
{
    for (unsigned i = 0; i < ARRAY_LEN(a->w); i++) a->w[i] &= ~b->w[i];
}

/* Union of the register groups in a helper's mask. */
static inline void regset_or_groups(const struct ir_scratch *s, struct ir_regset *a, unsigned groups)
{
    for (; groups; groups &= groups - 1) regset_or(a, &s->group[__builtin_ctz(groups)]);
}

/*
 * What an instruction other than GET and PUT reads of the guest registers not in def: all if it leaves or may, a call
 * what its helper declares. True if all were read, so that a further reader adds nothing.
 */
static inline bool add_readers(const struct ir *ir, const struct ir_ins *i, unsigned flags, struct ir_regset *use,
                               const struct ir_regset *def)
{
    const struct ir_helper *h = i->op == IR_CALL ? ir->calls[i->x].h : NULL;
    bool all = flags & F_FAULT || (flags & (F_END | F_SIDE)) == (F_END | F_SIDE) || (h && h->flags & HF_FAULT);
    struct ir_regset read = { { 0 } };
    if (all) read = ir->scratch->guest;
    else if (h) regset_or_groups(ir->scratch, &read, h->reads);
    else return false;
    regset_andn(&read, def);
    regset_or(use, &read);
    return all;
}

#endif
