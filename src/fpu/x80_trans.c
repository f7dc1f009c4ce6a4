/*
 * x80_trans.c: F2XM1, FYL2X, FYL2XP1, FPATAN, FSIN, FCOS, FPTAN. Intel SDM volume 1, 8.3.8 to 8.3.10, and the tables of special
 * values with each instruction in volume 2.
 *
 * All in numbers with 128-bit significands (struct wide): the argument is reduced with tables to where a short series holds, which
 * is summed in fixed point with an absolute error near 2^-124 and multiplied by its first term, so that small results are as
 * good as large ones. Angles are reduced by the 66-bit pi that the x87 has, exactly.
 * Precision control plays no part; rounding control does. Other CPUs' last bits differ, as Intel's and AMD's do.
 */
#include "fpu/x80_core.h"
#include "fpu/x80_tab.h"

/* (-1)^neg * m * 2^(exp - 127); m has its top bit set, or is zero. */
struct wide {
    u128 m;
    int32_t exp;
    bool neg;
};

static struct wide wide(bool neg, int32_t exp, u128 m)
{
    if (m == 0)
        return (struct wide){ 0 };
    unsigned lz = fpu_clz128(m);
    return (struct wide){ m << lz, exp - (int32_t)lz, neg };
}

static struct wide wide_num(struct fpu_num x)
{
    return (struct wide){ (u128)x.sig << 64, x.exp, x.sign };
}

/* k / 32 */
static struct wide wide_32nds(int32_t k)
{
    return wide(k < 0, 127 - 5, (u128)(k < 0 ? -k : k));
}

static u128 mul_hi(u128 a, u128 b)
{
    uint64_t a0 = (uint64_t)a, a1 = (uint64_t)(a >> 64), b0 = (uint64_t)b, b1 = (uint64_t)(b >> 64);
    u128 m1 = (u128)a0 * b1, m2 = (u128)a1 * b0;
    u128 mid = ((u128)a0 * b0 >> 64) + (uint64_t)m1 + (uint64_t)m2;

    return (u128)a1 * b1 + (m1 >> 64) + (m2 >> 64) + (mid >> 64);
}

static struct wide wide_mul(struct wide a, struct wide b)
{
    return wide(a.neg ^ b.neg, a.exp + b.exp + 1, mul_hi(a.m, b.m));
}

static struct wide wide_add(struct wide a, struct wide b)
{
    if (a.m == 0 || b.m == 0)
        return a.m ? a : b;
    if (a.exp < b.exp || (a.exp == b.exp && a.m < b.m)) {
        struct wide t = a;
        a = b, b = t;
    }
    uint32_t d = (uint32_t)(a.exp - b.exp);
    if (a.neg == b.neg) {
        u128 low = d < 127 ? b.m >> 1 >> d : 0;
        return wide(a.neg, a.exp + 1, (a.m >> 1) + low);
    }
    return wide(a.neg, a.exp, a.m - (d < 128 ? b.m >> d : 0));
}

static struct wide wide_sub(struct wide a, struct wide b)
{
    b.neg = !b.neg;
    return wide_add(a, b);
}

/*
 * One digit of 64 bits: n * 2^64 / d with n < d, whose top bit is set; *rem becomes the remainder. The estimate by d's upper half is
 * at most two too large (Knuth, The Art of Computer Programming 2, 4.3.1).
 */
static uint64_t digit(u128 n, u128 d, u128 *rem)
{
    const uint64_t d1 = (uint64_t)(d >> 64), d0 = (uint64_t)d;
    uint64_t q = n >> 64 >= d1 ? ~0ull : (uint64_t)(n / d1);
    u128 low = (u128)q * d0, high = (u128)q * d1 + (low >> 64), left = n - high; /* n * 2^64 - q * d is left : -low */
    u128 r = (left << 64) - (uint64_t)low;
    int64_t top = (int64_t)(left >> 64) - ((left << 64) < (uint64_t)low);

    while (top < 0) {
        q--;
        r += d;
        top += r < d;
    }
    *rem = r;
    return q;
}

/* b is not zero. */
static struct wide wide_div(struct wide a, struct wide b)
{
    u128 r;

    if (a.m == 0)
        return a;
    uint64_t high = digit(a.m >> 1, b.m, &r); /* the lowest bit does not matter */
    return wide(a.neg ^ b.neg, a.exp - b.exp, (u128)high << 64 | digit(r, b.m, &r));
}

/* A magnitude below one as Q128. */
static u128 fraction(struct wide a)
{
    return a.m == 0 || a.exp < -128 ? 0 : a.m >> (-1 - a.exp);
}

/*
 * c[0] + c[1] z + ... in Q127 of z in Q128. alt: the signs of the terms alternate, and the sum is below c[0] by at least the
 * last bit, as it has to be for directed rounding when all terms but the first vanish.
 */
static u128 series(const u128 *c, unsigned n, u128 z, bool alt)
{
    u128 s = c[n - 1];

    for (unsigned i = n - 1; i-- > 0;)
        s = alt ? c[i] - mul_hi(s, z) : c[i] + mul_hi(s, z);
    return s - alt;
}

/* Rounds a result that is never exact. */
static struct f80 inexact(struct x80_env *e, struct wide a)
{
    return x80_round(e, a.neg, a.exp, a.m | 1, 64);
}

/* -- angles ---------------------------------------------------------------------------------------------------------- */
/* pi/2 in 67 fraction bits, the last two of them zero: with 66 bits of pi, as in the x87. */
#define HALF_PI_Q67 U128(0xc, 0x90fdaa22168c234c)
enum { HALF_PI_FRAC = 67 };

/* Takes the nearest multiple of pi/2 away from |x|; returns the quadrant. x.exp < 63. */
static unsigned reduce(struct fpu_num x, struct wide *rest)
{
    u128 r = x.sig;
    unsigned q = 0;
    bool neg = false;

    if (x.exp < -1) {
        *rest = wide_num(x);
        rest->neg = false;
        return 0;
    }
    for (int32_t i = 0; i < x.exp - 63 + HALF_PI_FRAC; i++) {
        r <<= 1;
        q <<= 1;
        if (r >= HALF_PI_Q67)
            r -= HALF_PI_Q67, q |= 1;
    }
    if (r << 1 > HALF_PI_Q67) {
        r = HALF_PI_Q67 - r;
        q++;
        neg = true;
    }
    *rest = wide(neg, 127 - HALF_PI_FRAC, r);
    return q & 3;
}

/* Sine and cosine of an angle that is reduced, |a| <= pi/4. */
static struct wide sin_reduced(struct wide a)
{
    u128 z = fraction(wide_mul(a, a));

    return wide_mul(a, wide(false, 0, series(sin_c, ARRAY_LEN(sin_c), z, true)));
}
static struct wide cos_reduced(struct wide a)
{
    return wide(false, 0, series(cos_c, ARRAY_LEN(cos_c), fraction(wide_mul(a, a)), true));
}

/* What all angles' instructions begin with. true: *r is the result, or C2 or an unmasked exception says that there is none. */
static bool angle_special(struct x80_env *e, struct f80 a, struct fpu_num *x, struct f80 *r)
{
    *x = x80_unpack(e, a);
    *r = a;
    if (fpu_nan_num(*x)) {
        *r = x80_nan(e, a, a);
        return true;
    }
    if (x->cls == FPU_INF) {
        *r = x80_invalid(e);
        return true;
    }
    if (x->cls == FPU_FINITE && x->exp >= 63) {
        e->sw |= X80_C2;
        return true;
    }
    return x80_denormal(e);
}

void x80_sincos(struct x80_env *e, struct f80 a, struct f80 *sin, struct f80 *cos)
{
    struct wide rest, v;
    struct fpu_num x;
    struct f80 r;

    if (angle_special(e, a, &x, &r) || x.cls == FPU_ZERO) {
        if (sin)
            *sin = r;
        if (cos)
            *cos = x.cls == FPU_ZERO ? x80_constant(0, X80_ONE) : r;
        return;
    }
    unsigned q = reduce(x, &rest);
    if (sin) {
        v = q & 1 ? cos_reduced(rest) : sin_reduced(rest);
        v.neg ^= q >> 1 ^ x.sign;
        *sin = inexact(e, v);
    }
    if (cos) { /* the exceptions of both, C1 of this one */
        v = q & 1 ? sin_reduced(rest) : cos_reduced(rest);
        v.neg ^= q >> 1 ^ (q & 1);
        e->sw &= (uint16_t)~X80_C1;
        *cos = inexact(e, v);
    }
}

struct f80 x80_ptan(struct x80_env *e, struct f80 a)
{
    struct wide rest, s, c;
    struct fpu_num x;
    struct f80 r;

    if (angle_special(e, a, &x, &r) || x.cls == FPU_ZERO)
        return r;
    unsigned q = reduce(x, &rest);
    s = sin_reduced(rest);
    c = cos_reduced(rest);
    s = q & 1 ? wide_div(c, s) : wide_div(s, c);
    s.neg ^= (q & 1) ^ x.sign;
    return inexact(e, s);
}

/* sign * pi * n / 4 */
static struct f80 quarter_pis(struct x80_env *e, bool sign, unsigned n)
{
    struct wide pi = { PI_Q126, 1, sign };

    pi.exp -= n == 1 ? 2 : n == 2 ? 1 : 0;
    if (n == 3)
        pi = wide_sub(pi, (struct wide){ pi.m, pi.exp - 2, sign });
    return inexact(e, pi);
}

/* atan(small / large), both finite, positive and not zero, small <= large */
static struct wide atan_ratio(struct fpu_num small, struct fpu_num large)
{
    struct wide y = wide_num(small), x = wide_num(large);
    int32_t d = x.exp - y.exp;
    /* k / 32 nearest to the ratio: atan(y/x) = atan(k/32) + atan((y - x k/32) / (x + y k/32)) */
    uint32_t k = d > 6 ? 0 : (uint32_t)((((u128)small.sig << 6 >> d) / large.sig + 1) >> 1);

    if (k) {
        struct wide c = wide_32nds((int32_t)k), t = wide_sub(y, wide_mul(c, x));
        x = wide_add(x, wide_mul(c, y));
        y = t;
    }
    y = wide_div(y, x);
    y = wide_mul(y, wide(false, 0, series(odd_c, ARRAY_LEN(odd_c), fraction(wide_mul(y, y)), true)));
    return wide_add(wide(false, 0, atan_t[k]), y);
}

struct f80 x80_patan(struct x80_env *e, struct f80 b, struct f80 a)
{
    struct fpu_num x = x80_unpack(e, a), y = x80_unpack(e, b);
    const bool sign = y.sign, left = x.sign;

    if (fpu_nan_num(x) || fpu_nan_num(y))
        return x80_nan(e, a, b);
    if (x80_denormal(e))
        return a;
    if (y.cls == FPU_INF)
        return quarter_pis(e, sign, x.cls != FPU_INF ? 2 : left ? 3 : 1);
    if (y.cls == FPU_ZERO || x.cls == FPU_INF)
        return left ? quarter_pis(e, sign, 4) : x80_zero(sign);
    if (x.cls == FPU_ZERO)
        return quarter_pis(e, sign, 2);
    x.sign = y.sign = false;
    bool steep = y.exp > x.exp || (y.exp == x.exp && y.sig > x.sig);
    struct wide r = steep ? atan_ratio(x, y) : atan_ratio(y, x), pi = { PI_Q126, 1, false };
    if (steep) {
        pi.exp--;
        r.neg ^= !left;
        r = wide_add(pi, r);
    } else if (left) {
        r = wide_sub(pi, r);
    }
    r.neg = sign;
    return inexact(e, r);
}

/* -- powers and logarithms ------------------------------------------------------------------------------------------- */
struct f80 x80_f2xm1(struct x80_env *e, struct f80 a)
{
    struct fpu_num x = x80_unpack(e, a);

    if (fpu_nan_num(x))
        return x80_nan(e, a, a);
    if (x80_denormal(e) || x.cls == FPU_ZERO)
        return a;
    if (x.cls == FPU_INF)
        return x.sign ? x80_from_int(-1) : a;
    if (x.exp >= 0) { /* undefined beyond -1 .. 1; as on AMD's CPUs */
        bool one = x.exp == 0 && x.sig == X80_TOP;
        e->sw |= X80_PE;
        return one && x.sign ? (struct f80){ X80_TOP, 0x8000 | (X80_BIAS - 1) } : a;
    }
    /* 2^x - 1 = (t - 1) + t (2^d - 1), where x = k / 32 + d and t = 2^(k / 32) */
    int32_t k = x.exp < -6 ? 0 : (int32_t)(((x.sig >> (57 - x.exp)) + 1) >> 1);
    k = x.sign ? -k : k;
    struct wide v = wide_mul(wide_sub(wide_num(x), wide_32nds(k)), (struct wide){ LN2_Q128, -1, false });
    v = wide_mul(v, wide(false, 0, series(exp_c, ARRAY_LEN(exp_c), fraction(v), v.neg)));
    if (k) {
        struct wide t = wide(false, k < 0 ? -1 : k / 32, exp2_t[k & 31]);
        v = wide_add(wide_sub(t, wide_32nds(32)), wide_mul(t, v));
    }
    return inexact(e, v);
}

/* log2 of w > 0; w1 = w - 1, which is exact where w is near one. */
static struct wide log2_wide(struct wide w, struct wide w1)
{
    const uint64_t sqrt2 = 0xb504f333f9de6484;
    int32_t exp = w.exp;

    w.exp = 0;
    if (w.m >> 64 >= sqrt2) {
        w.exp--;
        exp++;
    }
    /* w = (c + x) 2^exp, c = k / 32: log2 w = exp + log2 c + 2 atanh(s) / ln 2, s = x / (2c + x) */
    int32_t k = (int32_t)(((uint64_t)(w.m >> (121 - w.exp)) + 1) >> 1);
    struct wide c = wide_32nds(k), x = k == 32 && exp == 0 ? w1 : wide_sub(w, c), s;
    s = wide_div(x, wide_add(w, c));
    s = wide_mul(s, wide(false, 0, series(odd_c, ARRAY_LEN(odd_c), fraction(wide_mul(s, s)), false)));
    s = wide_mul(s, (struct wide){ TWO_LOG2E_Q126, 1, false });
    return wide_add(wide_add(wide(exp < 0, 127, (u128)(exp < 0 ? -exp : exp)), wide(k < 32, 0, log2_t[k - 22])), s);
}

/* y * infinity of a sign, y * 0: the ends of both logarithms' tables */
static struct f80 times_inf(struct x80_env *e, struct fpu_num y, bool sign)
{
    return y.cls == FPU_ZERO ? x80_invalid(e) : x80_inf(y.sign ^ sign);
}

struct f80 x80_yl2x(struct x80_env *e, struct f80 b, struct f80 a)
{
    struct fpu_num x = x80_unpack(e, a), y = x80_unpack(e, b);

    if (fpu_nan_num(x) || fpu_nan_num(y))
        return x80_nan(e, a, b);
    if (x.sign && x.cls != FPU_ZERO)
        return x80_invalid(e);
    if (x.cls == FPU_ZERO) {
        if (y.cls == FPU_FINITE)
            e->sw |= X80_ZE;
        return times_inf(e, y, true);
    }
    bool one = x.cls == FPU_FINITE && x.exp == 0 && x.sig == X80_TOP, below = x.cls == FPU_FINITE && x.exp < 0;
    if ((x.cls == FPU_INF && y.cls == FPU_ZERO) || (one && y.cls == FPU_INF))
        return x80_invalid(e);
    if (x80_denormal(e))
        return b;
    if (x.cls == FPU_INF || y.cls == FPU_INF)
        return x80_inf(y.sign ^ below);
    if (one || y.cls == FPU_ZERO)
        return x80_zero(y.sign ^ below);
    if (x.sig == X80_TOP) { /* a power of two: only the product is rounded; CPUs call it inexact in any case */
        struct wide r = wide_mul(wide_num(y), wide(x.exp < 0, 127, (u128)(x.exp < 0 ? -x.exp : x.exp)));
        struct f80 v = x80_round(e, r.neg, r.exp, r.m, 64);
        e->sw |= X80_PE | ((v.se & 0x7fff) == 0 ? X80_UE : 0);
        return v;
    }
    struct wide w = wide_num(x);
    return inexact(e, wide_mul(wide_num(y), log2_wide(w, wide_sub(w, wide_32nds(32)))));
}

struct f80 x80_yl2xp1(struct x80_env *e, struct f80 b, struct f80 a)
{
    struct fpu_num x = x80_unpack(e, a), y = x80_unpack(e, b);

    if (fpu_nan_num(x) || fpu_nan_num(y))
        return x80_nan(e, a, b);
    if ((x.cls == FPU_ZERO && y.cls == FPU_INF) || (x.cls == FPU_INF && (x.sign || y.cls == FPU_ZERO)))
        return x80_invalid(e);
    if (x80_denormal(e))
        return b;
    if (x.cls == FPU_INF || y.cls == FPU_INF)
        return x80_inf(x.sign ^ y.sign);
    if (x.cls == FPU_ZERO || y.cls == FPU_ZERO)
        return x80_zero(x.sign ^ y.sign);
    if (x.sign && x.exp >= 0) { /* undefined from 1 - sqrt(1/2); no logarithm from -1: as on AMD's CPUs */
        e->sw |= X80_PE;
        return a;
    }
    struct wide w1 = wide_num(x);
    return inexact(e, wide_mul(wide_num(y), log2_wide(wide_add(w1, wide_32nds(32)), w1)));
}
