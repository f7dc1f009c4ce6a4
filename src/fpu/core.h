/*
 * core.h: private to fpu/: the unpacked number that all formats share, and rounding back into a format.
 *
 * A finite non-zero number is (-1)^sign * sig * 2^(exp - 63), sig normalised: its top bit set. The core carries results as
 * 128-bit significands with the top bit set (value sig * 2^(exp - 127)), exact or with a sticky lowest bit. A format is one
 * row of fpu_fmts; the 80-bit one, with its explicit integer bit and status word, is in x80*.
 */
#ifndef LYRE_FPU_CORE_H
#define LYRE_FPU_CORE_H

#include "fpu/fpu.h"

struct fpu_fmt_info {
    uint8_t bits;  /* width of the whole */
    uint8_t frac;  /* stored fraction bits */
    int16_t bias;  /* also the largest exponent */
};
extern const struct fpu_fmt_info fpu_fmts[];

enum fpu_class { FPU_ZERO, FPU_FINITE, FPU_INF, FPU_QNAN, FPU_SNAN };
struct fpu_num {
    uint8_t cls;   /* enum fpu_class */
    bool sign;
    int32_t exp;
    uint64_t sig;  /* NaN: the fraction, its quiet bit at bit 62 */
};

/* Unpacks; flushes denormals as e->ftz says, or notes them in e->denormal. */
struct fpu_num fpu_unpack(struct fpu_env *e, enum fpu_fmt f, uint64_t a);
/* Rounds sig (top bit set) * 2^(exp - 127) into the format, with every flag. */
uint64_t fpu_round(struct fpu_env *e, enum fpu_fmt f, bool sign, int32_t exp, u128 sig);
/* Whether rounding away from zero: odd = lowest kept bit, rest = the dropped bits, the first of them at bit 127. */
bool fpu_round_up(unsigned rm, bool sign, bool odd, u128 rest);

/* Rounds a finite number's magnitude to an integer; false if it has more than 64 bits. up: away from zero. */
bool fpu_integer(unsigned rm, struct fpu_num x, uint64_t *n, bool *inexact, bool *up);
/* -1, 0 or 1 of two numbers that are no NaNs. */
int fpu_order(struct fpu_num x, struct fpu_num y);

/* The result of an invalid operation: flag and default NaN. */
uint64_t fpu_invalid(struct fpu_env *e, enum fpu_fmt f);
/* The NaN that comes out of n operands in the order of the policy, at least one of them a NaN; invalid on an sNaN. */
uint64_t fpu_pick_nan(struct fpu_env *e, enum fpu_fmt f, const uint64_t *ops, unsigned n);

static inline bool fpu_nan_num(struct fpu_num x)
{
    return x.cls >= FPU_QNAN;
}
static inline uint64_t fpu_sign_bit(enum fpu_fmt f, bool sign)
{
    return (uint64_t)sign << (fpu_fmts[f].bits - 1);
}
static inline uint64_t fpu_inf(enum fpu_fmt f, bool sign)
{
    const struct fpu_fmt_info *t = &fpu_fmts[f];
    return fpu_sign_bit(f, sign) | (uint64_t)(2 * t->bias + 1) << t->frac;
}
static inline unsigned fpu_clz128(u128 x)
{
    uint64_t hi = (uint64_t)(x >> 64);
    return (unsigned)(hi ? __builtin_clzll(hi) : 64 + __builtin_clzll((uint64_t)x));
}
/* The square root of n, one of whose top two bits is set, and n less its square. */
uint64_t fpu_isqrt128(u128 n, u128 *rem);
/* x >> n with the bits that fall out collected in the lowest one. */
static inline u128 fpu_shr_jam(u128 x, uint32_t n)
{
    if (n == 0)
        return x;
    if (n > 127)
        return x != 0;
    return x >> n | (x << (128 - n) != 0);
}

#endif
