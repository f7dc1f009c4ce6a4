/*
 * fpu.h: IEEE 754 arithmetic in integers (floor 1): binary16, binary32, binary64, bfloat16 (x87's 80-bit: x80.h). Bit-exact
 * results and flags under the policy in struct fpu_env; used by the interpreter, cold paths and helpers.
 */
#ifndef LYRE_FPU_FPU_H
#define LYRE_FPU_FPU_H

#include "base/base.h"

/* Same numbering as ir/ir.h's enums (the two folders do not see each other; cpu/host_fp.c asserts that they agree). */
enum fpu_rm { FPU_RNE = 1, FPU_RTZ, FPU_RDN, FPU_RUP, FPU_RMM, FPU_ODD };
enum fpu_nan { FPU_NAN_CANON, FPU_NAN_ARM, FPU_NAN_X86 };
enum { FPU_INVALID = 1, FPU_DIVZERO = 2, FPU_OVERFLOW = 4, FPU_UNDERFLOW = 8, FPU_INEXACT = 16, FPU_INDENORM = 32 };

struct fpu_env {
    uint8_t rm;           /* enum fpu_rm */
    uint8_t nan;          /* enum fpu_nan */
    uint8_t tiny_before;  /* underflow detected before rounding */
    uint8_t ftz;          /* FPU_FLUSH_* */
    uint8_t denormal;     /* set by an operand that is denormal and not flushed */
    uint8_t x86;          /* not looked at here: the caller turns `denormal` into FPU_INDENORM by x86's rules */
    uint32_t flags;       /* accrued, only ever set */
};
enum {
    FPU_FLUSH_ARM = 1,    /* denormal operands (FPU_INDENORM) and results (FPU_UNDERFLOW only) become zero: Arm's FZ */
    FPU_FLUSH_OUT = 2,    /* results that are tiny after rounding (FPU_UNDERFLOW, FPU_INEXACT): x86's FTZ */
    FPU_FLUSH_IN = 4      /* operands, silently: x86's DAZ */
};

enum fpu_fmt { FPU_F16, FPU_F32, FPU_F64, FPU_BF16 };
/* Values are bit patterns in the low bits. */
uint64_t fpu_add(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b);
uint64_t fpu_sub(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b);
uint64_t fpu_mul(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b);
uint64_t fpu_div(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b);
uint64_t fpu_sqrt(struct fpu_env *e, enum fpu_fmt f, uint64_t a);
uint64_t fpu_fma(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b, uint64_t c); /* a*b+c */
/* max: true for maximum. kind: numbering of enum ir_minmax. */
uint64_t fpu_minmax(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b, bool max, unsigned kind);
/* -1 less, 0 equal, 1 greater, 2 unordered; signalling: invalid on any NaN, else on sNaN only. */
int fpu_cmp(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b, bool signalling);
uint64_t fpu_cvt(struct fpu_env *e, enum fpu_fmt to, enum fpu_fmt from, uint64_t a);
/* To an integer of `bits` (16, 32, 64); ftoi: numbering of ir/ir.h's FTOI_* bits. Result in the low `bits`. */
uint64_t fpu_to_int(struct fpu_env *e, enum fpu_fmt f, uint64_t a, unsigned bits, unsigned ftoi);
uint64_t fpu_from_int(struct fpu_env *e, enum fpu_fmt f, uint64_t v, unsigned bits, bool is_signed);
/* The same of v * 2^-frac, with one rounding. */
uint64_t fpu_from_fixed(struct fpu_env *e, enum fpu_fmt f, uint64_t v, unsigned bits, bool is_signed, unsigned frac);
uint64_t fpu_rint(struct fpu_env *e, enum fpu_fmt f, uint64_t a, bool inexact);
bool fpu_is_nan(enum fpu_fmt f, uint64_t a);
bool fpu_is_snan(enum fpu_fmt f, uint64_t a);
uint64_t fpu_default_nan(enum fpu_fmt f, enum fpu_nan n);

#endif
