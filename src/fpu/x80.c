/*
 * x80.c: 80-bit extended precision: unpacking, rounding with precision control and unmasked responses, NaN rules; add,
 * subtract, multiply, divide, square root, partial remainders, scaling. Intel SDM volume 1: 4.8.3 (NaNs), 4.9.1 (exceptions),
 * 8.1.5 (control), 8.2.2 (unsupported formats), 8.3, 8.5; what it leaves open is as CPUs do it (x80_test.c holds them together).
 */
#include "fpu/x80_core.h"

struct fpu_num x80_unpack(struct x80_env *e, struct f80 a)
{
    const int32_t exp = a.se & 0x7fff;
    struct fpu_num x = { .sign = a.se >> 15, .sig = a.mant };

    if (likely(exp && exp < 0x7fff)) {
        x.cls = a.mant >> 63 ? FPU_FINITE : X80_BAD;
        x.exp = exp - X80_BIAS;
    } else if (exp) {
        x.cls = !(a.mant >> 63) ? X80_BAD : !(a.mant << 1) ? FPU_INF : a.mant >> 62 & 1 ? FPU_QNAN : FPU_SNAN;
    } else if (a.mant == 0) {
        x.cls = FPU_ZERO;
    } else {
        unsigned lz = (unsigned)__builtin_clzll(a.mant);
        x.cls = FPU_FINITE;
        x.exp = 1 - X80_BIAS - (int32_t)lz;
        x.sig <<= lz;
        e->den = true;
    }
    return x;
}

/*
 * Rounds to the p upper bits and returns them left aligned; a carry out of 1.11.. makes 1.00.. of the next exponent. Sets
 * precision exception and C1.
 */
static uint64_t round_sig(struct x80_env *e, bool sign, int32_t *exp, u128 sig, unsigned p)
{
    uint64_t kept = (uint64_t)(sig >> (128 - p));
    u128 rest = sig << p;
    bool up = fpu_round_up(x80_rm(e), sign, kept & 1, rest);

    e->sw |= (rest ? X80_PE : 0) | (up ? X80_C1 : 0);
    if (up && kept == bits_mask(p)) {
        ++*exp;
        return X80_TOP;
    }
    return (kept + up) << (64 - p);
}

/* Whether a number below the smallest normal exponent stays below when it is rounded to p bits with unbounded exponent. */
static bool tiny_rounded(const struct x80_env *e, bool sign, int32_t exp, int32_t exp_min, u128 sig, unsigned p)
{
    uint64_t kept = (uint64_t)(sig >> (128 - p));

    return exp < exp_min - 1 || kept != bits_mask(p) || !fpu_round_up(x80_rm(e), sign, kept & 1, sig << p);
}

/* The largest number of p bits, or infinity, by rounding mode. */
static struct f80 overflow(struct x80_env *e, bool sign, unsigned p)
{
    unsigned rm = x80_rm(e);
    bool inf = rm == FPU_RNE || rm == (sign ? FPU_RDN : FPU_RUP);

    e->sw = (uint16_t)((e->sw & ~X80_C1) | X80_OE | X80_PE | (inf ? X80_C1 : 0));
    return inf ? x80_inf(sign) : (struct f80){ ~bits_mask(64 - p), (uint16_t)(sign << 15 | 0x7ffe) };
}

/* Unmasked overflow and underflow wrap the exponent, which is always enough but for FSCALE. */
struct f80 x80_round(struct x80_env *e, bool sign, int32_t exp, u128 sig, unsigned p)
{
    const int32_t exp_min = 1 - X80_BIAS;
    uint64_t m;

    if (unlikely(exp < exp_min) && tiny_rounded(e, sign, exp, exp_min, sig, p)) {
        if (e->cw & X80_UE) {
            m = round_sig(e, sign, &exp, fpu_shr_jam(sig, (uint32_t)(exp_min - exp)), p);
            e->sw |= e->sw & X80_PE ? X80_UE : 0;
            return (struct f80){ m, (uint16_t)(sign << 15 | m >> 63) };
        }
        e->sw |= X80_UE;
        exp += X80_WRAP;
    }
    m = round_sig(e, sign, &exp, sig, p);
    if (unlikely(exp > X80_BIAS)) {
        if (e->cw & X80_OE)
            return overflow(e, sign, p);
        e->sw |= X80_OE;
        exp -= X80_WRAP;
    }
    return (struct f80){ m, (uint16_t)(sign << 15 | (uint32_t)(exp + X80_BIAS)) };
}

struct f80 x80_pack(struct x80_env *e, struct fpu_num x)
{
    return x80_round(e, x.sign, x.exp, (u128)x.sig << 64, 64);
}

struct f80 x80_invalid(struct x80_env *e)
{
    e->sw |= X80_IE;
    return X80_INDEFINITE;
}

struct f80 x80_nan(struct x80_env *e, struct f80 a, struct f80 b)
{
    struct x80_env quiet = { 0 };
    struct fpu_num x = x80_unpack(&quiet, a), y = x80_unpack(&quiet, b);
    bool first;

    if (x.cls == X80_BAD || y.cls == X80_BAD)
        return x80_invalid(e);
    if (x.cls == FPU_SNAN || y.cls == FPU_SNAN)
        e->sw |= X80_IE;
    if (!fpu_nan_num(x) || !fpu_nan_num(y))
        first = fpu_nan_num(x);
    else if (x.cls != y.cls)
        first = x.cls == FPU_QNAN;
    else
        first = a.mant != b.mant ? a.mant > b.mant : a.se < b.se;
    b = first ? a : b;
    b.mant |= 1ull << 62;
    return b;
}

/* Precision control of the basic operations. */
static unsigned precision(const struct x80_env *e)
{
    static const uint8_t bits[] = { 24, 64, 53, 64 };
    return bits[e->cw >> 8 & 3];
}

static struct f80 add_finite(struct x80_env *e, struct fpu_num x, struct fpu_num y)
{
    if (x.exp < y.exp || (x.exp == y.exp && x.sig < y.sig)) {
        struct fpu_num t = x;
        x = y, y = t;
    }
    /* One bit of headroom and 63 below: enough to jam what an alignment shifts out. */
    u128 mx = (u128)x.sig << 63, my = fpu_shr_jam((u128)y.sig << 63, (uint32_t)(x.exp - y.exp));
    mx = x.sign == y.sign ? mx + my : mx - my;
    if (mx == 0)
        return x80_zero(x80_rm(e) == FPU_RDN);
    unsigned lz = fpu_clz128(mx);
    return x80_round(e, x.sign, x.exp + 1 - (int32_t)lz, mx << lz, precision(e));
}

static struct f80 add_sub(struct x80_env *e, struct f80 a, struct f80 b, bool sub)
{
    struct fpu_num x = x80_unpack(e, a), y = x80_unpack(e, b);

    if (unlikely(fpu_nan_num(x) || fpu_nan_num(y)))
        return x80_nan(e, a, b);
    y.sign ^= sub;
    if (x.cls == FPU_INF && y.cls == FPU_INF && x.sign != y.sign)
        return x80_invalid(e);
    if (x80_denormal(e))
        return a;
    if (likely(x.cls == FPU_FINITE && y.cls == FPU_FINITE))
        return add_finite(e, x, y);
    if (x.cls == FPU_INF || y.cls == FPU_INF)
        return x80_inf(x.cls == FPU_INF ? x.sign : y.sign);
    if (x.cls == FPU_FINITE || y.cls == FPU_FINITE) {
        x = x.cls == FPU_FINITE ? x : y;
        return x80_round(e, x.sign, x.exp, (u128)x.sig << 64, precision(e));
    }
    return x80_zero(x.sign == y.sign ? x.sign : x80_rm(e) == FPU_RDN);
}

struct f80 x80_add(struct x80_env *e, struct f80 a, struct f80 b)
{
    return add_sub(e, a, b, false);
}

struct f80 x80_sub(struct x80_env *e, struct f80 a, struct f80 b)
{
    return add_sub(e, a, b, true);
}

struct f80 x80_mul(struct x80_env *e, struct f80 a, struct f80 b)
{
    struct fpu_num x = x80_unpack(e, a), y = x80_unpack(e, b);
    const bool sign = x.sign ^ y.sign;

    if (unlikely(fpu_nan_num(x) || fpu_nan_num(y)))
        return x80_nan(e, a, b);
    if ((x.cls == FPU_INF && y.cls == FPU_ZERO) || (x.cls == FPU_ZERO && y.cls == FPU_INF))
        return x80_invalid(e);
    if (x80_denormal(e))
        return a;
    if (x.cls == FPU_INF || y.cls == FPU_INF)
        return x80_inf(sign);
    if (x.cls == FPU_ZERO || y.cls == FPU_ZERO)
        return x80_zero(sign);
    u128 m = (u128)x.sig * y.sig;
    bool carry = m >> 127;
    return x80_round(e, sign, x.exp + y.exp + carry, carry ? m : m << 1, precision(e));
}

struct f80 x80_div(struct x80_env *e, struct f80 a, struct f80 b)
{
    struct fpu_num x = x80_unpack(e, a), y = x80_unpack(e, b);
    const bool sign = x.sign ^ y.sign;

    if (unlikely(fpu_nan_num(x) || fpu_nan_num(y)))
        return x80_nan(e, a, b);
    if (x.cls == y.cls && x.cls != FPU_FINITE)
        return x80_invalid(e); /* inf / inf, 0 / 0 */
    if (x.cls == FPU_FINITE && y.cls == FPU_ZERO) {
        e->sw |= X80_ZE;
        return x80_inf(sign);
    }
    if (x80_denormal(e))
        return a;
    if (x.cls == FPU_INF)
        return x80_inf(sign);
    if (x.cls == FPU_ZERO || y.cls == FPU_INF)
        return x80_zero(sign);
    bool less = x.sig < y.sig; /* quotient in [1/2, 1): one more bit, so that it is normalised */
    u128 n = (u128)x.sig << (less ? 64 : 63);
    uint64_t q = (uint64_t)(n / y.sig), r = (uint64_t)(n - (u128)q * y.sig);
    u128 twice = (u128)r << 1; /* the next bit, and whether anything follows */
    uint64_t low = r == 0 ? 0 : twice < y.sig ? 1 : X80_TOP | (twice != y.sig);
    return x80_round(e, sign, x.exp - y.exp - less, (u128)q << 64 | low, precision(e));
}

struct f80 x80_sqrt(struct x80_env *e, struct f80 a)
{
    struct fpu_num x = x80_unpack(e, a);

    if (fpu_nan_num(x))
        return x80_nan(e, a, a);
    if (x.cls == FPU_ZERO)
        return a;
    if (x.sign)
        return x80_invalid(e);
    if (x.cls == FPU_INF || x80_denormal(e))
        return a;
    /* the root of a radicand in [1, 4), scaled by 2^126; the next bit is one if the remainder exceeds the root */
    bool odd = x.exp & 1;
    u128 rem;
    uint64_t root = fpu_isqrt128((u128)x.sig << (odd ? 64 : 63), &rem);
    u128 sig = (u128)root << 64 | (rem > root ? X80_TOP : 0) | (rem != 0);
    return x80_round(e, false, (x.exp - odd) / 2, sig, precision(e));
}

/* Divides until the quotient has steps more bits: *rem (below div) becomes the remainder, the quotient's low bits return. */
static uint64_t long_division(uint64_t *rem, uint64_t div, int32_t steps)
{
    uint64_t q = 0;
    u128 r = *rem;

    for (int32_t i = 0; i < steps; i++) {
        r <<= i != 0;
        bool fits = r >= div;
        r -= fits ? div : 0;
        q = q << 1 | fits;
    }
    *rem = (uint64_t)r;
    return q;
}

struct f80 x80_rem(struct x80_env *e, struct f80 a, struct f80 b, bool nearest)
{
    struct fpu_num x = x80_unpack(e, a), y = x80_unpack(e, b);
    uint64_t q = 0;

    if (fpu_nan_num(x) || fpu_nan_num(y))
        return x80_nan(e, a, b);
    if (x.cls == FPU_INF || y.cls == FPU_ZERO)
        return x80_invalid(e);
    if (x80_denormal(e))
        return a;
    if (x.cls == FPU_ZERO)
        return a;
    const int32_t d = x.exp - y.exp;
    if (y.cls == FPU_INF || d < -1)
        return x80_pack(e, x);
    if (d >= 64) { /* some of the quotient's upper bits only: between 32 and 63 of them, the CPU's choice */
        int32_t n = 32 + d % 32;
        long_division(&x.sig, y.sig, n + 1);
        x.exp -= n;
        e->sw |= X80_C2;
    } else {
        if (d >= 0) {
            q = long_division(&x.sig, y.sig, d + 1);
            x.exp = y.exp;
        }
        /* the remainder's double against the divisor, both of exponent y.exp; d = -1: x.sig is the double */
        u128 twice = d < 0 ? x.sig : (u128)x.sig << 1;
        if (nearest && (twice > y.sig || (twice == y.sig && q & 1))) {
            x.sig = (d < 0 ? 2 * y.sig : y.sig) - x.sig; /* below 2^64 */
            x.sign = !x.sign;
            q++;
        }
        e->sw |= (q & 1 ? X80_C1 : 0) | (q & 2 ? X80_C3 : 0) | (q & 4 ? X80_C0 : 0);
    }
    if (x.sig == 0)
        return x80_zero(a.se >> 15);
    unsigned lz = (unsigned)__builtin_clzll(x.sig);
    x.sig <<= lz;
    x.exp -= (int32_t)lz;
    return x80_pack(e, x);
}
