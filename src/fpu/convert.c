/*
 * convert.c: between formats and integers, rounding to integral values, comparison, minimum and maximum.
 * IEEE 754-2019 5.3.1, 5.4, 5.8, 5.11, 9.6; Arm ARM FPConvert, FPToFixed, FPRoundInt, FPMin, FPMinNum; RISC-V F 11.7.
 */
#include "fpu/core.h"

uint64_t fpu_cvt(struct fpu_env *e, enum fpu_fmt to, enum fpu_fmt from, uint64_t a)
{
    const uint8_t ftz = e->ftz;
    uint64_t r;

    /* Conversions never flush binary16, neither as operand nor as result. */
    e->ftz = from != FPU_F16 ? ftz : 0;
    struct fpu_num x = fpu_unpack(e, from, a);
    e->ftz = to != FPU_F16 ? ftz : 0;
    switch (x.cls) {
    case FPU_ZERO: r = fpu_sign_bit(to, x.sign); break;
    case FPU_FINITE: r = fpu_round(e, to, x.sign, x.exp, (u128)x.sig << 64); break;
    case FPU_INF: r = fpu_inf(to, x.sign); break;
    default:
        if (x.cls == FPU_SNAN)
            e->flags |= FPU_INVALID;
        if (e->nan == FPU_NAN_CANON)
            r = fpu_default_nan(to, e->nan);
        else
            r = fpu_inf(to, x.sign) | (x.sig | 1ull << 62) >> (63 - fpu_fmts[to].frac);
        break;
    }
    e->ftz = ftz;
    return r;
}

bool fpu_integer(unsigned rm, struct fpu_num x, uint64_t *n, bool *inexact, bool *up)
{
    if (x.exp > 63)
        return false;
    /* 64 integer bits above 64 fraction bits */
    u128 m = fpu_shr_jam((u128)x.sig << 64, (uint32_t)(63 - x.exp));
    uint64_t i = (uint64_t)(m >> 64);
    u128 rest = m << 64;

    *inexact = rest != 0;
    *up = fpu_round_up(rm, x.sign, i & 1, rest);
    *n = i + *up;
    return *n >= i;
}

uint64_t fpu_to_int(struct fpu_env *e, enum fpu_fmt f, uint64_t a, unsigned bits, unsigned ftoi)
{
    enum { SIGNED = 1, POLICY = 6, RISCV = 0, ARM = 2, X86 = 4, NO_INEXACT = 8 };
    const uint64_t max = bits_mask(bits - (ftoi & SIGNED)), min = ftoi & SIGNED ? 1ull << (bits - 1) : 0;
    struct fpu_num x = fpu_unpack(e, f, a);
    uint64_t n = 0;
    bool inexact = false, up;

    if (x.cls == FPU_ZERO)
        return 0;
    if (x.cls == FPU_FINITE && fpu_integer(e->rm, x, &n, &inexact, &up) && n <= (x.sign ? min : max)) {
        if (inexact && !(ftoi & NO_INEXACT))
            e->flags |= FPU_INEXACT;
        return (x.sign ? 0 - n : n) & bits_mask(bits);
    }
    e->flags |= FPU_INVALID;
    if ((ftoi & POLICY) == X86)
        return 1ull << (bits - 1);
    if (fpu_nan_num(x))
        return (ftoi & POLICY) == ARM ? 0 : max;
    return x.sign ? min : max;
}

uint64_t fpu_from_fixed(struct fpu_env *e, enum fpu_fmt f, uint64_t v, unsigned bits, bool is_signed, unsigned frac)
{
    bool sign = is_signed && v >> (bits - 1) & 1;
    uint64_t m = (sign ? 0 - v : v) & bits_mask(bits);

    if (m == 0)
        return 0;
    unsigned lz = (unsigned)__builtin_clzll(m);
    return fpu_round(e, f, sign, 63 - (int32_t)(lz + frac), (u128)(m << lz) << 64);
}

uint64_t fpu_from_int(struct fpu_env *e, enum fpu_fmt f, uint64_t v, unsigned bits, bool is_signed)
{
    return fpu_from_fixed(e, f, v, bits, is_signed, 0);
}

uint64_t fpu_rint(struct fpu_env *e, enum fpu_fmt f, uint64_t a, bool inexact)
{
    struct fpu_num x = fpu_unpack(e, f, a);
    uint64_t n;
    bool changed, up;

    if (fpu_nan_num(x))
        return fpu_pick_nan(e, f, &a, 1);
    if (x.cls == FPU_ZERO)
        return fpu_sign_bit(f, x.sign);
    if (x.cls == FPU_INF || x.exp >= fpu_fmts[f].frac)
        return a; /* integral already */
    fpu_integer(e->rm, x, &n, &changed, &up);
    if (changed && inexact)
        e->flags |= FPU_INEXACT;
    return fpu_sign_bit(f, x.sign) | fpu_from_int(e, f, n, 64, false);
}

int fpu_order(struct fpu_num x, struct fpu_num y)
{
    if (x.cls == FPU_ZERO && y.cls == FPU_ZERO)
        return 0;
    if (x.cls == FPU_ZERO)
        return y.sign ? 1 : -1;
    if (y.cls == FPU_ZERO || x.sign != y.sign)
        return x.sign ? -1 : 1;
    int mag = x.cls != y.cls ? (x.cls == FPU_INF ? 1 : -1)
              : x.cls == FPU_INF ? 0
              : x.exp != y.exp ? (x.exp > y.exp ? 1 : -1)
              : (x.sig > y.sig) - (x.sig < y.sig);
    return x.sign ? -mag : mag;
}

int fpu_cmp(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b, bool signalling)
{
    struct fpu_num x = fpu_unpack(e, f, a), y = fpu_unpack(e, f, b);

    if (fpu_nan_num(x) || fpu_nan_num(y)) {
        if (signalling || x.cls == FPU_SNAN || y.cls == FPU_SNAN)
            e->flags |= FPU_INVALID;
        return 2;
    }
    return fpu_order(x, y);
}

uint64_t fpu_minmax(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b, bool max, unsigned kind)
{
    enum { NUM, NUM08, PROP, X86 };
    struct fpu_num x = fpu_unpack(e, f, a), y = fpu_unpack(e, f, b);

    a = x.cls == FPU_ZERO ? fpu_sign_bit(f, x.sign) : a; /* a flushed denormal comes out as zero */
    b = y.cls == FPU_ZERO ? fpu_sign_bit(f, y.sign) : b;
    if (unlikely(fpu_nan_num(x) || fpu_nan_num(y))) {
        bool any_s = x.cls == FPU_SNAN || y.cls == FPU_SNAN;
        if (any_s || kind == X86)
            e->flags |= FPU_INVALID;
        if (kind == X86)
            return b;
        bool number_wins = kind == NUM || (kind == NUM08 && !any_s);
        if (number_wins && !fpu_nan_num(x))
            return a;
        if (number_wins && !fpu_nan_num(y))
            return b;
        return fpu_pick_nan(e, f, (const uint64_t[]){ a, b }, 2);
    }
    int c = fpu_order(x, y);
    if (c == 0 && kind != X86)
        c = (int)y.sign - (int)x.sign; /* -0 is below +0 */
    return (max ? c > 0 : c < 0) ? a : b;
}
