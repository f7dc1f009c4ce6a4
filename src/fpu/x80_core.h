/*
 * x80_core.h: private to fpu/: unpacked 80-bit numbers and rounding back into them. As core.h: a finite non-zero number is
 * (-1)^sign * sig * 2^(exp - 63) with sig's top bit set.
 */
#ifndef LYRE_FPU_X80_CORE_H
#define LYRE_FPU_X80_CORE_H

#include "fpu/core.h"
#include "fpu/x80.h"

enum { X80_BAD = FPU_SNAN + 1 }; /* beside enum fpu_class: unnormals, pseudo-infinities, pseudo-NaNs */
enum { X80_BIAS = 16383, X80_WRAP = 24576 };
#define X80_TOP (1ull << 63)

/* Notes denormals (pseudo-denormals too) in e->den. */
struct fpu_num x80_unpack(struct x80_env *e, struct f80 a);
/* Rounds sig (top bit set, or with a sticky lowest bit) * 2^(exp - 127) to p bits. */
struct f80 x80_round(struct x80_env *e, bool sign, int32_t exp, u128 sig, unsigned p);
/* The same of a finite number that has 64 bits already. */
struct f80 x80_pack(struct x80_env *e, struct fpu_num x);
struct f80 x80_invalid(struct x80_env *e);
/* The result of an operation with one operand or two (b may be a again) of which one is a NaN or unsupported. */
struct f80 x80_nan(struct x80_env *e, struct f80 a, struct f80 b);
/* Raises a noted denormal operand; true: it is unmasked, stop. */
static inline bool x80_denormal(struct x80_env *e)
{
    if (e->den)
        e->sw |= X80_DE;
    return e->den && !(e->cw & X80_DE);
}
static inline unsigned x80_rm(const struct x80_env *e)
{
    static const uint8_t rm[] = { FPU_RNE, FPU_RDN, FPU_RUP, FPU_RTZ };
    return rm[e->cw >> 10 & 3];
}
static inline struct f80 x80_zero(bool sign)
{
    return (struct f80){ 0, (uint16_t)(sign << 15) };
}
static inline struct f80 x80_inf(bool sign)
{
    return (struct f80){ X80_TOP, (uint16_t)(sign << 15 | 0x7fff) };
}

#endif
