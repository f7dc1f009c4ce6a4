/*
 * x80_conv.c: conversions between the 80-bit format and binary32/64, integers, packed BCD; rounding to an integer, comparison,
 * scaling, taking apart, the constants. Intel SDM volume 1: 4.8.3, 8.1.2, 8.3, 8.5; volume 2: FST, FIST, FBSTP, FSCALE, FXAM.
 */
#include "fpu/x80_core.h"

struct f80 x80_operand(struct x80_env *e, enum fpu_fmt f, uint64_t v)
{
    const struct fpu_fmt_info *t = &fpu_fmts[f];
    const int32_t exp_max = 2 * t->bias + 1, exp = (int32_t)(v >> t->frac) & exp_max;
    const uint64_t frac = (v & bits_mask(t->frac)) << (63 - t->frac);
    const uint16_t sign = (uint16_t)((v >> (t->bits - 1) & 1) << 15);

    if (likely(exp && exp < exp_max))
        return (struct f80){ X80_TOP | frac, (uint16_t)(sign | (exp - t->bias + X80_BIAS)) };
    if (exp)
        return (struct f80){ X80_TOP | frac, sign | 0x7fff };
    if (frac == 0)
        return (struct f80){ 0, sign };
    unsigned lz = (unsigned)__builtin_clzll(frac);
    e->den = true;
    return (struct f80){ frac << lz, (uint16_t)(sign | (1 - t->bias - (int32_t)lz + X80_BIAS)) };
}

struct f80 x80_from_fp(struct x80_env *e, enum fpu_fmt f, uint64_t v)
{
    struct f80 a = x80_operand(e, f, v);

    if ((a.se & 0x7fff) == 0x7fff && a.mant << 1) {
        e->sw |= a.mant >> 62 & 1 ? 0 : X80_IE;
        a.mant |= 1ull << 62;
    }
    x80_denormal(e);
    return a;
}

/* Rounds a finite number into a narrow format; masked responses, and none to memory if unmasked. */
static uint64_t narrow(struct x80_env *e, enum fpu_fmt f, struct fpu_num x)
{
    struct fpu_env w = { .rm = (uint8_t)x80_rm(e), .nan = FPU_NAN_X86 };
    uint64_t r = fpu_round(&w, f, x.sign, x.exp, (u128)x.sig << 64);

    if (!(e->cw & X80_UE) && !(w.flags & FPU_UNDERFLOW) && x.exp < 1 - fpu_fmts[f].bias) {
        /* unmasked, tiny is enough, exact or not: after rounding to the format's precision */
        uint64_t bits = r & bits_mask(fpu_fmts[f].bits - 1);
        if (bits >> fpu_fmts[f].frac == 0 || !(w.flags & FPU_INEXACT))
            w.flags |= FPU_UNDERFLOW;
    }
    e->sw |= (w.flags & FPU_OVERFLOW ? X80_OE : 0) | (w.flags & FPU_UNDERFLOW ? X80_UE : 0);
    if (w.flags & FPU_INEXACT && !x80_stop_store(e)) { /* was the magnitude rounded up? compare with truncation */
        w.rm = FPU_RTZ;
        e->sw |= X80_PE | (r != fpu_round(&w, f, x.sign, x.exp, (u128)x.sig << 64) ? X80_C1 : 0);
    }
    return r;
}

uint64_t x80_to_fp(struct x80_env *e, enum fpu_fmt f, struct f80 a)
{
    struct fpu_num x = x80_unpack(e, a);

    switch (x.cls) {
    case FPU_ZERO: return fpu_sign_bit(f, x.sign);
    case FPU_FINITE: return narrow(e, f, x);
    case FPU_INF: return fpu_inf(f, x.sign);
    case X80_BAD: e->sw |= X80_IE; return fpu_default_nan(f, FPU_NAN_X86);
    default:
        e->sw |= x.cls == FPU_SNAN ? X80_IE : 0;
        return fpu_inf(f, x.sign) | (x.sig << 1 | X80_TOP) >> (64 - fpu_fmts[f].frac);
    }
}

struct f80 x80_from_int(int64_t v)
{
    uint64_t m = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    if (m == 0)
        return x80_zero(false);
    unsigned lz = (unsigned)__builtin_clzll(m);
    return (struct f80){ m << lz, (uint16_t)((v < 0) << 15 | (X80_BIAS + 63 - lz)) };
}

uint64_t x80_to_int(struct x80_env *e, struct f80 a, unsigned bits, bool trunc)
{
    const uint64_t min = 1ull << (bits - 1);
    struct fpu_num x = x80_unpack(e, a);
    uint64_t n = 0;
    bool inexact, up;

    if (x.cls == FPU_ZERO)
        return 0;
    if (x.cls == FPU_FINITE && fpu_integer(trunc ? FPU_RTZ : x80_rm(e), x, &n, &inexact, &up) && n <= min - !x.sign) {
        e->sw |= (inexact ? X80_PE : 0) | (up ? X80_C1 : 0);
        return (x.sign ? 0 - n : n) & bits_mask(bits);
    }
    e->sw |= X80_IE;
    return min;
}

struct f80 x80_rint(struct x80_env *e, struct f80 a)
{
    struct fpu_num x = x80_unpack(e, a);
    uint64_t n;
    bool inexact, up;

    if (fpu_nan_num(x))
        return x80_nan(e, a, a);
    if (x80_denormal(e) || x.cls != FPU_FINITE || !fpu_integer(x80_rm(e), x, &n, &inexact, &up))
        return a;
    e->sw |= (inexact ? X80_PE : 0) | (up ? X80_C1 : 0);
    struct f80 r = n >> 63 ? (struct f80){ n, X80_BIAS + 63 } : x80_from_int((int64_t)n);
    r.se |= a.se & 0x8000;
    return r;
}

void x80_cmp(struct x80_env *e, struct f80 a, struct f80 b, bool quiet)
{
    struct fpu_num x = x80_unpack(e, a), y = x80_unpack(e, b);

    if (fpu_nan_num(x) || fpu_nan_num(y)) {
        bool silent = quiet && (x.cls == FPU_QNAN || !fpu_nan_num(x)) && (y.cls == FPU_QNAN || !fpu_nan_num(y));
        e->sw |= X80_C3 | X80_C2 | X80_C0 | (silent ? 0 : X80_IE);
        return;
    }
    x80_denormal(e); /* unmasked too the codes are set */
    int o = fpu_order(x, y);
    e->sw |= o < 0 ? X80_C0 : o == 0 ? X80_C3 : 0;
}

uint16_t x80_class(struct f80 a)
{
    struct x80_env e = { 0 };
    struct fpu_num x = x80_unpack(&e, a);
    uint16_t sign = a.se >> 15 ? X80_C1 : 0;

    switch (x.cls) {
    case X80_BAD: return sign;
    case FPU_ZERO: return sign | X80_C3;
    case FPU_FINITE: return sign | X80_C2 | (e.den ? X80_C3 : 0);
    case FPU_INF: return sign | X80_C2 | X80_C0;
    default: return sign | X80_C0;
    }
}

struct f80 x80_scale(struct x80_env *e, struct f80 a, struct f80 b)
{
    struct fpu_num x = x80_unpack(e, a), y = x80_unpack(e, b);
    uint64_t n = 0;
    bool inexact, up;

    if (fpu_nan_num(x) || fpu_nan_num(y))
        return x80_nan(e, a, b);
    if (y.cls == FPU_INF && x.cls == (y.sign ? FPU_INF : FPU_ZERO))
        return x80_invalid(e);
    if (x80_denormal(e) || x.cls != FPU_FINITE)
        return a;
    if (y.cls == FPU_INF)
        return y.sign ? x80_zero(x.sign) : x80_inf(x.sign);
    if (y.cls == FPU_FINITE && (!fpu_integer(FPU_RTZ, y, &n, &inexact, &up) || n > 0xffff))
        n = 0xffff;
    x.exp += y.sign ? -(int32_t)n : (int32_t)n;
    /* unmasked, and out of reach even with a wrapped exponent: infinity or zero in any mode */
    if (x.exp - X80_WRAP > X80_BIAS && !(e->cw & X80_OE)) {
        e->sw |= X80_OE | X80_PE | X80_C1;
        return x80_inf(x.sign);
    }
    if (x.exp + X80_WRAP < 1 - X80_BIAS && !(e->cw & X80_UE)) {
        e->sw |= X80_UE | X80_PE;
        return x80_zero(x.sign);
    }
    return x80_pack(e, x);
}

struct f80 x80_extract(struct x80_env *e, struct f80 a, struct f80 *exp)
{
    struct fpu_num x = x80_unpack(e, a);

    if (fpu_nan_num(x))
        return *exp = x80_nan(e, a, a);
    if (x.cls == FPU_ZERO) {
        e->sw |= X80_ZE;
        *exp = x80_inf(true);
        return a;
    }
    *exp = x80_inf(false);
    if (x.cls == FPU_INF || x80_denormal(e))
        return a;
    *exp = x80_from_int(x.exp);
    return (struct f80){ x.sig, (uint16_t)((a.se & 0x8000) | X80_BIAS) };
}

enum { BCD_BYTES = 9 };

struct f80 x80_from_bcd(const uint8_t b[10])
{
    uint64_t n = 0;

    for (unsigned i = BCD_BYTES; i-- > 0;)
        n = n * 100 + (b[i] >> 4) * 10u + (b[i] & 15);
    struct f80 r = x80_from_int((int64_t)n);
    r.se |= (b[9] & 0x80) << 8;
    return r;
}

void x80_to_bcd(struct x80_env *e, struct f80 a, uint8_t b[10])
{
    struct fpu_num x = x80_unpack(e, a);
    uint64_t n = 0;
    bool inexact = false, up = false;

    if (x.cls != FPU_ZERO &&
        (x.cls != FPU_FINITE || !fpu_integer(x80_rm(e), x, &n, &inexact, &up) || n > 999999999999999999)) {
        e->sw |= X80_IE;
        memcpy(b, (const uint8_t[10]){ 0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff }, 10);
        return;
    }
    e->sw |= (inexact ? X80_PE : 0) | (up ? X80_C1 : 0);
    for (unsigned i = 0; i < BCD_BYTES; i++, n /= 100)
        b[i] = (uint8_t)(n % 100 / 10 << 4 | n % 10);
    b[9] = x.sign ? 0x80 : 0;
}

struct f80 x80_constant(uint16_t cw, enum x80_const c)
{
    /* truncated, the direction of the nearest, exponent */
    static const struct { uint64_t mant; uint8_t up; int16_t exp; } k[] = {
        [X80_ONE] = { 0x8000000000000000, 0, 0 },  [X80_L2T] = { 0xd49a784bcd1b8afe, 0, 1 },
        [X80_L2E] = { 0xb8aa3b295c17f0bb, 1, 0 },  [X80_PI] = { 0xc90fdaa22168c234, 1, 1 },
        [X80_LG2] = { 0x9a209a84fbcff798, 1, -2 }, [X80_LN2] = { 0xb17217f7d1cf79ab, 1, -1 },
    };
    struct x80_env e = { .cw = cw };
    unsigned rm = x80_rm(&e);

    if (c == X80_ZERO)
        return x80_zero(false);
    bool up = c != X80_ONE && (rm == FPU_RUP || (rm == FPU_RNE && k[c].up));
    return (struct f80){ k[c].mant + up, (uint16_t)(k[c].exp + X80_BIAS) };
}
