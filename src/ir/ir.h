/*
 * ir.h: the intermediate representation (floor 1).
 *
 * A region is a control-flow graph of blocks. Inside a block, values are SSA: `V` is the index of the instruction that
 * defines it, and a value is used only in its own block. Between blocks, state travels in registers: the guest's
 * registers (rows of the guest's register table, id = row) and region variables (ids from ir->nregs up, no home in the
 * CPU). So block parameters are puts and gets, a deopt map is "the puts before this point", and the back end decides
 * per register where it lives in a region.
 *
 * The front end emits plain GET/PUT for every guest instruction, separated by INSN markers; the region builder cuts
 * blocks at those markers; ir_opt() forwards, folds and removes.
 *
 * Ownership: everything in a struct ir is owned by it and reused by ir_reset(); an ir belongs to one thread at a time.
 */
#ifndef LYRE_IR_H
#define LYRE_IR_H

#include "base/base.h"

typedef uint32_t V; /* 0 = no value (instruction 0 is a NOP) */

enum ir_type { T_VOID, T_I1, T_I8, T_I16, T_I32, T_I64, T_F16, T_F32, T_F64, T_V128, T_COUNT };
enum ir_lane { L_I8, L_I16, L_I32, L_I64, L_F16, L_F32, L_F64 };
enum ir_cond { C_EQ, C_NE, C_SLT, C_SGE, C_SLE, C_SGT, C_ULT, C_UGE, C_ULE, C_UGT }; /* c ^ 1 is the opposite */
enum ir_fcond { FC_EQ, FC_LT, FC_LE, FC_UN, FC_SIGNALLING = 0x10 }; /* false on NaN, except FC_UN: a or b is NaN */
/* Rounding. RM_DYN: the mode last set by FRMWR. FRMWR's operand and cpu->fp.rm hold RM_RNE..RM_RMM. */
enum ir_rm { RM_DYN, RM_RNE, RM_RTZ, RM_RDN, RM_RUP, RM_RMM, RM_ODD };
enum ir_minmax {
    MM_NUM,   /* IEEE 754-2019 minimumNumber: any NaN loses against a number; sNaN raises invalid (RISC-V F 2.2) */
    MM_NUM08, /* IEEE 754-2008 minNum: qNaN loses, sNaN gives a quiet NaN (AArch64 FMINNM) */
    MM_PROP,  /* minimum: NaN wins (AArch64 FMIN, RISC-V fminm) */
    MM_X86    /* a < b ? a : b, second operand on NaN or equal */
};
/* FTOI: bit 0 signed result; bits 1-2 out-of-range policy; inexact is always raised unless FTOI_NOINEX. */
enum {
    FTOI_SIGNED = 1,
    FTOI_RISCV = 0 << 1, /* saturate; NaN gives the maximum */
    FTOI_ARM = 1 << 1,   /* saturate; NaN gives 0 */
    FTOI_X86 = 2 << 1,   /* NaN and out of range give the integer indefinite value (only the top bit set) */
    FTOI_NOINEX = 8
};
enum ir_rmw { RMW_XCHG, RMW_ADD, RMW_AND, RMW_OR, RMW_XOR, RMW_SMIN, RMW_SMAX, RMW_UMIN, RMW_UMAX, RMW_BIC };
enum ir_vred { VRED_ADDU, VRED_ADDS, VRED_MINS, VRED_MAXS, VRED_MINU, VRED_MAXU };
enum ir_fence { FENCE_LL = 1, FENCE_LS = 2, FENCE_SL = 4, FENCE_SS = 8, FENCE_ALL = 15 };
/* Memory operands: bits 0-2 log2 of the size in bytes (0..4). */
enum ir_mo {
    MO_8, MO_16, MO_32, MO_64, MO_128,
    MO_SIZE = 7,
    MO_SIGN = 8,     /* LD to a wider integer: sign-extend */
    MO_BE = 16,      /* guest byte order is big-endian */
    MO_ALIGN = 32,   /* misaligned addresses raise EXC_ALIGN */
    MO_ACQ = 64,     /* load-acquire; with MO_SC on the store side sequentially consistent among themselves */
    MO_REL = 128,    /* store-release; a following MO_ACQ load must not pass it (AArch64 STLR/LDAR, RCsc) unless MO_PC */
};
#define MO_BYTES(mo) (1u << ((mo) & MO_SIZE))
/* Kinds of region exits: lets the engine pair calls with returns. */
enum ir_jk { JK_JUMP, JK_CALL, JK_RET };

/* Generic accrued IEEE flags; guests convert to their own layout. */
enum { FPF_INVALID = 1, FPF_DIVZERO = 2, FPF_OVERFLOW = 4, FPF_UNDERFLOW = 8, FPF_INEXACT = 16, FPF_INDENORM = 32 };

/* How NaNs come out; part of the translation mode, so constant in a region. */
enum ir_nan { NAN_CANON, /* every NaN result is the positive default quiet NaN (RISC-V; AArch64 with FPCR.DN) */
              NAN_ARM,   /* first sNaN operand, else first qNaN operand, quieted; generated: positive default */
              NAN_X86 }; /* first operand if NaN, else second, quieted; generated: negative default */
struct ir_fp {
    uint8_t nan;      /* enum ir_nan */
    uint8_t tiny_before; /* 1: underflow is detected before rounding (Arm), 0: after (RISC-V, x86) */
    uint8_t ftz;      /* FTZ_* */
    uint8_t ftz16;    /* the same for F16 */
    uint8_t slow;     /* 1: host FP cannot be used (Arm's flushing, rounding to nearest-away...): every F_FP op goes through fpu/ */
};

enum { FTZ_ARM = 1 /* FZ: operands and results */, FTZ_X86 = 2 /* FTZ: results */, FTZ_DAZ = 4 /* x86's DAZ: operands; both: cpu->fp.x86, too */ };

/*
 * A register as the IR sees it; the guest's register table (struct guest_reg) is turned into an array of these once.
 * Group: 0..7, what a helper's effects are declared in.
 */
struct ir_reg {
    const char *name;
    uint8_t type;    /* enum ir_type of get and put */
    uint8_t group;
    int8_t pin;      /* 0 = hottest, 1, ...: order in which back ends pin registers across all code; -1 never */
    int32_t offset;  /* home: byte offset in the guest's CPU struct; I1 homes are one byte holding 0 or 1 */
};

/* A C function callable from IR; one static const per HELPER, written by isagen (see guest.h). */
struct ir_helper {
    const char *name;
    void *fn;                 /* ret fn(CPU *, args...) */
    /* Portable call for the interpreter: *ret and args hold each value in its low bytes. */
    void (*thunk)(void *cpu, union vlanes *ret, const union vlanes *args);
    uint8_t ret;              /* enum ir_type, T_VOID for none */
    uint8_t nargs;            /* without the CPU pointer, 0..6 */
    uint8_t args[6];          /* enum ir_type */
    uint8_t reads, writes;    /* bit sets of register groups whose homes it reads / writes */
    uint8_t flags;            /* HF_* */
};
enum { HF_PURE = 1,  /* depends on its arguments only, no effect: may be removed and merged; does not use the CPU pointer */
       HF_FAULT = 2, /* may raise a guest exception or touch guest memory: all dirty registers are stored before the call
                        and cpu->pc is the instruction's pc */
       HF_FP = 4 };  /* uses or changes cpu->fp (rounding mode, flags) */

struct ir_call {
    const struct ir_helper *h;
    V arg[6];
};

struct ir_ins {
    uint8_t op, type, sub, mo;
    V a, b, c;
    uint64_t imm;
    uint32_t x, y;
};

enum { IR_REGS_MAX = 256 };
struct ir_regset { uint64_t w[IR_REGS_MAX / 64]; };

struct ir_block {
    uint32_t first, end;      /* instructions [first, end) of ir->ins; the last one that is not a NOP is an F_END op */
    uint64_t pc;              /* guest pc of its first instruction */
    uint8_t entry;            /* 1: an entry of the region (block 0; more are possible) */
    uint8_t loop_head;        /* 1: target of a back edge: the exit request is polled here */
    uint16_t depth;           /* loop nesting, 0 = none; filled by ir_opt */
    struct ir_regset live_in; /* registers read before written on some path from here, exits counted as reading all guest
                                 registers; filled by ir_opt */
    struct ir_regset live_out;
};

enum { IRF_LIVE = 1, IRF_LAZY = 2, IRF_DEOPT = 4 };

struct ir {
    struct ir_ins *ins;
    uint8_t *flag;            /* per instruction, filled by ir_opt: IRF_LIVE code needs it; IRF_LAZY only deopt maps need it (never
                                 computed on the fast path: the map carries the expression); IRF_DEOPT on a PUT: dead for
                                 code, kept for the maps of the faulting ops before the next PUT of that register */
    uint32_t nins, cap_ins;
    struct ir_block *blk;
    uint32_t nblk, cap_blk;
    union vlanes *kv;
    uint32_t nkv, cap_kv;
    struct ir_call *calls;
    uint32_t ncalls, cap_calls;
    const struct ir_reg *regs;
    uint32_t nregs;           /* guest registers */
    uint8_t *vartype;         /* region variables: type of id nregs + i */
    uint32_t nvars, cap_vars;
    struct ir_fp fp;
    uint32_t mode;            /* translation mode of the region */
    V last_k[4];              /* small cache of recent constants, build-time */
    struct ir_scratch *scratch; /* the passes' arrays, kept between regions */
};

struct ir_opinfo { const char *text, *sig; uint16_t flags; };
enum { F_PURE = 1, F_FP = 2, F_MEM = 4, F_FAULT = 8, F_SIDE = 16, F_END = 32 };
enum ir_op {
#define OP(name, text, sig, flags) IR_##name,
#include "ir/ops.def"
#undef OP
    IR_OPS
};
extern const struct ir_opinfo ir_opinfo[IR_OPS];
extern const uint8_t ir_type_bits[T_COUNT]; /* 0 1 8 16 32 64 16 32 64 128 */

/* Prepares an empty region over a register list (nregs <= IR_REGS_MAX - 32). Keeps allocated memory. */
void ir_reset(struct ir *ir, const struct ir_reg *regs, uint32_t nregs);
void ir_free(struct ir *ir);

/* Room for one more instruction. */
void ir_grow(struct ir *ir);
static inline struct ir_ins *ir_next(struct ir *ir)
{
    if (unlikely(ir->nins == ir->cap_ins)) ir_grow(ir);
    return &ir->ins[ir->nins++];
}

/* Appends an instruction, returns its index. Never fails. Inline, so that its fields are written in place. */
static inline V ir_emit(struct ir *ir, struct ir_ins ins)
{
    /* Blocks are cut at INSN markers, possibly later: cached constants must not be used across one. */
    if (ins.op == IR_INSN) memset(ir->last_k, 0, sizeof ir->last_k);
    *ir_next(ir) = ins;
    return ir->nins - 1;
}

/* Adds a region variable of a type; returns its register id. */
uint32_t ir_newvar(struct ir *ir, enum ir_type type);
uint32_t ir_newblock(struct ir *ir, uint64_t pc);

/* Type of a register id (guest register or region variable). */
static inline enum ir_type ir_regtype(const struct ir *ir, uint32_t r)
{
    return r < ir->nregs ? (enum ir_type)ir->regs[r].type : (enum ir_type)ir->vartype[r - ir->nregs];
}

/* Text form (print.c, parse.c): one instruction a line, "v7:i64 = add v3, v5"; round trip is exact. docs/ir.md. */
void ir_print(const struct ir *ir, void (*out)(void *ctx, const char *line), void *ctx);
/* Parses what ir_print writes (register list given). Returns 0 or -EINVAL with line number and reason. */
int ir_parse(struct ir *ir, const struct ir_reg *regs, uint32_t nregs, const char *text, struct err *e);
/* Checks every rule of ops.def and of blocks; 0 or -EINVAL with a sentence. */
int ir_verify(const struct ir *ir, struct err *e);

/*
 * Evaluates one F_PURE op (no GET, no HELPER) on constants: the one definition of integer and vector semantics, used by
 * constant folding, the interpreter and deopt maps. type_a: type of operand a (for SEXT, CMP ...). False if op is not pure.
 */
bool ir_eval(const struct ir_ins *ins, enum ir_type type_a, const union vlanes *a, const union vlanes *b,
             const union vlanes *c, union vlanes *res);

/* Passes; each can be switched off to bisect (-d nofold ...). ir_opt runs the set and fills flag, live sets, depth. */
enum { OPT_FOLD = 1, /* per block: get/put forwarding, value numbering, constants, algebra, known bits, compare fusion,
                        address folding */
       OPT_DEMAND = 2, /* backwards: demanded bits, dead code, dead puts */
       OPT_LICM = 4, OPT_ALL = 3 };
void ir_opt(struct ir *ir, unsigned passes);

static inline bool regset_has(const struct ir_regset *s, unsigned r) { return s->w[r / 64] >> (r % 64) & 1; }
static inline void regset_add(struct ir_regset *s, unsigned r) { s->w[r / 64] |= 1ull << (r % 64); }
static inline void regset_del(struct ir_regset *s, unsigned r) { s->w[r / 64] &= ~(1ull << (r % 64)); }

#endif
