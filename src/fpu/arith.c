/*
 * arith.c: unpack, round, NaN policies; add, subtract, multiply, divide, square root, fused multiply-add.
 * IEEE 754-2019 clauses 4 (rounding), 5.4.1, 6 (NaNs), 7 (exceptions); NaN and flush-to-zero rules after the Arm ARM's
 * FPProcessNaNs, FPMulAdd, FPUnpack and FPRound, RISC-V F 11.3, and the Intel SDM volume 1, 4.8.3.5.
 * Denormal operands are reported as Arm does (when they are flushed); x86's way is the caller's (fpu_env.denormal).
 */
#include "fpu/core.h"

const struct fpu_fmt_info fpu_fmts[] = {
    [FPU_F16] = { 16, 10, 15 },
    [FPU_F32] = { 32, 23, 127 },
    [FPU_F64] = { 64, 52, 1023 },
    [FPU_BF16] = { 16, 7, 127 },
};

struct fpu_num fpu_unpack(struct fpu_env *e, enum fpu_fmt f, uint64_t a)
{
    const struct fpu_fmt_info *t = &fpu_fmts[f];
    const int32_t exp_max = 2 * t->bias + 1, exp = (int32_t)(a >> t->frac) & exp_max;
    struct fpu_num x = { .sign = a >> (t->bits - 1) & 1, .sig = (a & bits_mask(t->frac)) << (63 - t->frac) };

    if (likely(exp > 0 && exp < exp_max)) {
        x.cls = FPU_FINITE;
        x.exp = exp - t->bias;
        x.sig |= 1ull << 63;
    } else if (exp) {
        x.cls = x.sig == 0 ? FPU_INF : x.sig >> 62 ? FPU_QNAN : FPU_SNAN;
    } else if (x.sig == 0) {
        x.cls = FPU_ZERO;
    } else if (e->ftz & (FPU_FLUSH_ARM | FPU_FLUSH_IN)) {
        x.cls = FPU_ZERO;
        e->flags |= e->ftz & FPU_FLUSH_ARM && f != FPU_F16 ? FPU_INDENORM : 0; /* Arm: FZ16 flushes silently */
    } else {
        e->denormal = 1;
        unsigned lz = (unsigned)__builtin_clzll(x.sig);
        x.cls = FPU_FINITE;
        x.exp = 1 - t->bias - (int32_t)lz;
        x.sig <<= lz;
    }
    return x;
}

bool fpu_round_up(unsigned rm, bool sign, bool odd, u128 rest)
{
    const u128 half = (u128)1 << 127;

    switch (rm) {
    case FPU_RTZ: return false;
    case FPU_RDN: return sign && rest;
    case FPU_RUP: return !sign && rest;
    case FPU_RMM: return rest >= half;
    case FPU_ODD: return rest && !odd; /* adding one to an even number only sets its lowest bit */
    default: return rest > half || (rest == half && odd);
    }
}

static uint64_t overflow(struct fpu_env *e, enum fpu_fmt f, bool sign)
{
    bool to_inf = e->rm == FPU_RNE || e->rm == FPU_RMM || (e->rm == FPU_RUP && !sign) || (e->rm == FPU_RDN && sign);

    e->flags |= FPU_OVERFLOW | FPU_INEXACT;
    return fpu_inf(f, sign) - !to_inf; /* one less than infinity is the largest number */
}

uint64_t fpu_round(struct fpu_env *e, enum fpu_fmt f, bool sign, int32_t exp, u128 sig)
{
    const struct fpu_fmt_info *t = &fpu_fmts[f];
    const unsigned p = t->frac + 1;
    const int32_t exp_min = 1 - t->bias;
    bool tiny = exp < exp_min;

    if (unlikely(tiny)) {
        if (e->ftz & FPU_FLUSH_ARM) {
            e->flags |= FPU_UNDERFLOW;
            return fpu_sign_bit(f, sign);
        }
        if (!e->tiny_before && exp == exp_min - 1) { /* rounding with unbounded exponent may reach the smallest normal */
            uint64_t kept = (uint64_t)(sig >> (128 - p));
            tiny = kept + fpu_round_up(e->rm, sign, kept & 1, sig << p) <= bits_mask(p);
        }
        if (e->ftz & FPU_FLUSH_OUT && tiny) {
            e->flags |= FPU_UNDERFLOW | FPU_INEXACT;
            return fpu_sign_bit(f, sign);
        }
        sig = fpu_shr_jam(sig, (uint32_t)(exp_min - exp));
        exp = exp_min;
    }
    uint64_t kept = (uint64_t)(sig >> (128 - p));
    u128 rest = sig << p;
    if (rest)
        e->flags |= FPU_INEXACT | (tiny ? FPU_UNDERFLOW : 0);
    /* A carry out of the significand, or of a denormal into the smallest normal, is right in the packed form too. */
    uint64_t biased = kept >> t->frac ? (uint64_t)(exp + t->bias) : 0;
    if (unlikely(biased > 2 * (uint64_t)t->bias))
        return overflow(e, f, sign);
    uint64_t r = (biased << t->frac | (kept & bits_mask(t->frac))) + fpu_round_up(e->rm, sign, kept & 1, rest);
    if (unlikely(r == fpu_inf(f, false)))
        return overflow(e, f, sign);
    return fpu_sign_bit(f, sign) | r;
}

bool fpu_is_nan(enum fpu_fmt f, uint64_t a)
{
    return (a & bits_mask(fpu_fmts[f].bits - 1)) > fpu_inf(f, false);
}

bool fpu_is_snan(enum fpu_fmt f, uint64_t a)
{
    return fpu_is_nan(f, a) && !(a >> (fpu_fmts[f].frac - 1) & 1);
}

uint64_t fpu_default_nan(enum fpu_fmt f, enum fpu_nan n)
{
    return fpu_inf(f, n == FPU_NAN_X86) | 1ull << (fpu_fmts[f].frac - 1);
}

uint64_t fpu_invalid(struct fpu_env *e, enum fpu_fmt f)
{
    e->flags |= FPU_INVALID;
    return fpu_default_nan(f, e->nan);
}

uint64_t fpu_pick_nan(struct fpu_env *e, enum fpu_fmt f, const uint64_t *ops, unsigned n)
{
    uint64_t first = 0, first_s = 0;

    for (unsigned i = n; i-- > 0;) {
        first = fpu_is_nan(f, ops[i]) ? ops[i] : first;
        first_s = fpu_is_snan(f, ops[i]) ? ops[i] : first_s;
    }
    if (first_s)
        e->flags |= FPU_INVALID;
    if (e->nan == FPU_NAN_CANON)
        return fpu_default_nan(f, e->nan);
    return (first_s && e->nan == FPU_NAN_ARM ? first_s : first) | 1ull << (fpu_fmts[f].frac - 1);
}

static uint64_t nan2(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b)
{
    return fpu_pick_nan(e, f, (const uint64_t[]){ a, b }, 2);
}

/* The sign of an exact zero sum of opposite signs. */
static bool zero_sign(const struct fpu_env *e)
{
    return e->rm == FPU_RDN;
}

/* Sum of two finite non-zero numbers with 128-bit significands, top bit set. */
static uint64_t add_finite(struct fpu_env *e, enum fpu_fmt f, bool sa, int32_t ea, u128 ma, bool sb, int32_t eb, u128 mb)
{
    if (ea < eb || (ea == eb && ma < mb)) {
        bool s = sa;
        int32_t x = ea;
        u128 m = ma;
        sa = sb, sb = s, ea = eb, eb = x, ma = mb, mb = m;
    }
    /* One bit of headroom; the lowest bit of a full-width significand is not lost, as none has 128 significant bits. */
    ma >>= 1;
    mb = fpu_shr_jam(mb >> 1, (uint32_t)(ea - eb));
    ma = sa == sb ? ma + mb : ma - mb;
    if (ma == 0)
        return fpu_sign_bit(f, zero_sign(e));
    unsigned lz = fpu_clz128(ma);
    return fpu_round(e, f, sa, ea + 1 - (int32_t)lz, ma << lz);
}

static uint64_t add_sub(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b, bool sub)
{
    struct fpu_num x = fpu_unpack(e, f, a), y = fpu_unpack(e, f, b);

    if (unlikely(fpu_nan_num(x) || fpu_nan_num(y)))
        return nan2(e, f, a, b);
    y.sign ^= sub;
    if (likely(x.cls == FPU_FINITE && y.cls == FPU_FINITE))
        return add_finite(e, f, x.sign, x.exp, (u128)x.sig << 64, y.sign, y.exp, (u128)y.sig << 64);
    if (x.cls == FPU_INF)
        return y.cls == FPU_INF && x.sign != y.sign ? fpu_invalid(e, f) : fpu_inf(f, x.sign);
    if (y.cls == FPU_INF)
        return fpu_inf(f, y.sign);
    if (x.cls == FPU_FINITE)
        return fpu_round(e, f, x.sign, x.exp, (u128)x.sig << 64);
    if (y.cls == FPU_FINITE)
        return fpu_round(e, f, y.sign, y.exp, (u128)y.sig << 64);
    return fpu_sign_bit(f, x.sign == y.sign ? x.sign : zero_sign(e));
}

uint64_t fpu_add(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b)
{
    return add_sub(e, f, a, b, false);
}

uint64_t fpu_sub(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b)
{
    return add_sub(e, f, a, b, true);
}

/* The exact product of two finite non-zero numbers, normalised. */
static u128 mul_finite(struct fpu_num x, struct fpu_num y, int32_t *exp)
{
    u128 m = (u128)x.sig * y.sig;
    bool carry = m >> 127;

    *exp = x.exp + y.exp + carry;
    return carry ? m : m << 1;
}

static bool inf_times_zero(struct fpu_num x, struct fpu_num y)
{
    return (x.cls == FPU_INF && y.cls == FPU_ZERO) || (x.cls == FPU_ZERO && y.cls == FPU_INF);
}

uint64_t fpu_mul(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b)
{
    struct fpu_num x = fpu_unpack(e, f, a), y = fpu_unpack(e, f, b);
    bool sign = x.sign ^ y.sign;

    if (likely(x.cls == FPU_FINITE && y.cls == FPU_FINITE)) {
        int32_t exp;
        u128 m = mul_finite(x, y, &exp);
        return fpu_round(e, f, sign, exp, m);
    }
    if (fpu_nan_num(x) || fpu_nan_num(y))
        return nan2(e, f, a, b);
    if (inf_times_zero(x, y))
        return fpu_invalid(e, f);
    return x.cls == FPU_INF || y.cls == FPU_INF ? fpu_inf(f, sign) : fpu_sign_bit(f, sign);
}

uint64_t fpu_div(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b)
{
    struct fpu_num x = fpu_unpack(e, f, a), y = fpu_unpack(e, f, b);
    bool sign = x.sign ^ y.sign;

    if (likely(x.cls == FPU_FINITE && y.cls == FPU_FINITE)) {
        bool less = x.sig < y.sig; /* quotient in [1/2, 1): one more bit, so that it is normalised */
        u128 n = (u128)x.sig << (less ? 64 : 63);
        uint64_t q = (uint64_t)(n / y.sig);
        return fpu_round(e, f, sign, x.exp - y.exp - less, (u128)q << 64 | ((u128)q * y.sig != n));
    }
    if (fpu_nan_num(x) || fpu_nan_num(y))
        return nan2(e, f, a, b);
    if (x.cls == y.cls)
        return fpu_invalid(e, f); /* inf / inf, 0 / 0 */
    if (x.cls == FPU_INF || y.cls == FPU_ZERO) {
        e->flags |= x.cls == FPU_INF ? 0 : FPU_DIVZERO;
        return fpu_inf(f, sign);
    }
    return fpu_sign_bit(f, sign);
}

/*
 * Integer square roots with remainder of numbers whose top two bits are not both zero, each from the one of half the
 * width (P. Zimmermann, Karatsuba Square Root, 1999): root of the upper half, one division for the lower digit, and a
 * correction by at most one.
 */
static uint32_t isqrt32(uint32_t n, uint32_t *rem)
{
    uint32_t root = 0, rest = 0;

    for (unsigned i = 0; i < 16; i++, n <<= 2) {
        rest = rest << 2 | n >> 30;
        uint32_t fits = -(uint32_t)(rest > root << 2);
        rest -= ((root << 2) + 1) & fits;
        root = root << 1 | (fits & 1);
    }
    *rem = rest;
    return root;
}

static uint32_t isqrt64(uint64_t n, uint64_t *rem)
{
    uint32_t r;
    uint64_t s = isqrt32((uint32_t)(n >> 32), &r), num = (uint64_t)r << 16 | (n >> 16 & 0xffff);
    uint64_t q = num / (2 * s), u = num % (2 * s);
    int64_t left = (int64_t)(u << 16 | (n & 0xffff)) - (int64_t)(q * q);

    s = (s << 16) + q;
    if (left < 0) {
        left += 2 * (int64_t)s - 1;
        s--;
    }
    *rem = (uint64_t)left;
    return (uint32_t)s;
}

uint64_t fpu_isqrt128(u128 n, u128 *rem)
{
    uint64_t r;
    u128 s = isqrt64((uint64_t)(n >> 64), &r), num = (u128)r << 32 | (uint32_t)(n >> 32);
    u128 q = num / (uint64_t)(2 * s), u = num - q * (2 * s);
    s128 left = (s128)(u << 32 | (uint32_t)n) - (s128)(q * q);

    s = (s << 32) + q;
    if (left < 0) {
        left += 2 * (s128)s - 1;
        s--;
    }
    *rem = (u128)left;
    return (uint64_t)s;
}

uint64_t fpu_sqrt(struct fpu_env *e, enum fpu_fmt f, uint64_t a)
{
    struct fpu_num x = fpu_unpack(e, f, a);

    if (fpu_nan_num(x))
        return fpu_pick_nan(e, f, &a, 1);
    if (x.cls == FPU_ZERO)
        return fpu_sign_bit(f, x.sign);
    if (x.sign)
        return fpu_invalid(e, f);
    if (x.cls == FPU_INF)
        return fpu_inf(f, false);

    /* the radicand in [1, 4), scaled by 2^126: its root has 64 bits, the first of them set */
    bool odd = x.exp & 1;
    u128 rem;
    uint64_t root = fpu_isqrt128((u128)x.sig << (odd ? 64 : 63), &rem);
    return fpu_round(e, f, false, (x.exp - odd) / 2, (u128)root << 64 | (rem != 0));
}

uint64_t fpu_fma(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b, uint64_t c)
{
    struct fpu_num x = fpu_unpack(e, f, a), y = fpu_unpack(e, f, b), z = fpu_unpack(e, f, c);
    bool sign = x.sign ^ y.sign;

    if (unlikely(fpu_nan_num(x) || fpu_nan_num(y) || fpu_nan_num(z))) {
        bool arm = e->nan == FPU_NAN_ARM;
        if (z.cls == FPU_QNAN && inf_times_zero(x, y) && e->nan != FPU_NAN_X86)
            return fpu_invalid(e, f);
        return fpu_pick_nan(e, f, arm ? (const uint64_t[]){ c, a, b } : (const uint64_t[]){ a, b, c }, 3);
    }
    if (inf_times_zero(x, y))
        return fpu_invalid(e, f);
    if (x.cls == FPU_INF || y.cls == FPU_INF)
        return z.cls == FPU_INF && z.sign != sign ? fpu_invalid(e, f) : fpu_inf(f, sign);
    if (z.cls == FPU_INF)
        return fpu_inf(f, z.sign);
    if (x.cls == FPU_ZERO || y.cls == FPU_ZERO) {
        if (z.cls == FPU_ZERO)
            return fpu_sign_bit(f, sign == z.sign ? sign : zero_sign(e));
        return fpu_round(e, f, z.sign, z.exp, (u128)z.sig << 64);
    }
    int32_t exp;
    u128 m = mul_finite(x, y, &exp);
    if (z.cls == FPU_ZERO)
        return fpu_round(e, f, sign, exp, m);
    return add_finite(e, f, sign, exp, m, z.sign, z.exp, (u128)z.sig << 64);
}
