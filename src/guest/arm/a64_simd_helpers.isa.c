/*
 * a64_simd_helpers.isa.c: what the vector tables do lane by lane in C: saturating and rounding shifts, doubling multiplies, estimates,
 * fixed point, complex numbers, hashes. Pseudocode: Arm ARM J1 (SatQ, RecipEstimate, FPRSqrtStep ...).
 */
#include "a64_simd.h"
#include "base/sm4.h"
#include "fpu/fpu.h"

static struct arm_cpu *arm(CPU *cpu) { return (struct arm_cpu *)cpu; }

static int64_t get_lane(const union vlanes *v, unsigned size, unsigned i, bool uns)
{
    switch (size) {
    case 0: return uns ? v->u8[i] : v->s8[i];
    case 1: return uns ? v->u16[i] : v->s16[i];
    case 2: return uns ? (int64_t)v->u32[i] : v->s32[i];
    default: return v->s64[i];
    }
}
static void set_lane(union vlanes *v, unsigned size, unsigned i, uint64_t x)
{
    switch (size) {
    case 0: v->u8[i] = (uint8_t)x; break;
    case 1: v->u16[i] = (uint16_t)x; break;
    case 2: v->u32[i] = (uint32_t)x; break;
    default: v->u64[i] = x;
    }
}
/* Lanes that take part: q 0, 1, or LANES_SCALAR. */
static unsigned nlanes(unsigned size, unsigned q)
{
    return q == LANES_SCALAR ? 1 : (q ? 16u : 8u) >> size;
}
/* SignedSatQ, UnsignedSatQ. */
static s128 saturate(s128 x, unsigned bits, bool uns, bool *sat)
{
    s128 max = uns ? ((s128)1 << bits) - 1 : ((s128)1 << (bits - 1)) - 1, min = uns ? 0 : -max - 1;
    if (x > max) return *sat = true, max;
    if (x < min) return *sat = true, min;
    return x;
}
/* SHL by a signed amount, rounding to the right if asked; wide enough for what saturation looks at. */
static s128 shift(s128 x, int n, bool round, unsigned bits)
{
    if (n >= 0) return n > (int)bits ? (x ? (x < 0 ? -((s128)1 << 126) : (s128)1 << 126) : 0) : x << n;
    n = -n;
    if (n > 100) return round ? 0 : x < 0 ? -1 : 0;
    return ((round ? x + ((s128)1 << (n - 1)) : x)) >> n;
}

HELPER(v128, simd_lanes, (CPU *cpu, v128 a, v128 b, uint32_t desc), "w=c")
{
    unsigned size = desc & 3, q = desc >> 2 & 3, op = desc >> 4, bits = 8u << size;
    union vlanes x = { .v = a }, y = { .v = b }, r = { .u64 = { 0, 0 } };
    bool sat = false;
    for (unsigned i = 0; i < nlanes(size, q); i++) {
        s128 s = get_lane(&x, size, i, false), u = (s128)(uint64_t)get_lane(&x, size, i, true), v = 0;
        s128 sb = get_lane(&y, size, i, false), ub = (s128)(uint64_t)get_lane(&y, size, i, true);
        int n = (int8_t)get_lane(&y, size, i, false);
        switch (op) {
        case SH_SQSHL: v = saturate(shift(s, n, false, bits), bits, false, &sat); break;
        case SH_UQSHL: v = saturate(shift(u, n, false, bits), bits, true, &sat); break;
        case SH_SQSHLU: v = saturate(shift(s, n, false, bits), bits, true, &sat); break;
        case SH_SRSHL: v = n >= (int)bits ? 0 : shift(s, n, true, bits); break;
        case SH_URSHL: v = n >= (int)bits ? 0 : shift(u, n, true, bits); break;
        case SH_SQRSHL: v = saturate(shift(s, n, true, bits), bits, false, &sat); break;
        case SH_UQRSHL: v = saturate(shift(u, n, true, bits), bits, true, &sat); break;
        case SH_SQDMULH: v = saturate(2 * s * sb >> bits, bits, false, &sat); break;
        case SH_SQRDMULH: v = saturate((2 * s * sb + ((s128)1 << (bits - 1))) >> bits, bits, false, &sat); break;
        case SH_SUQADD: v = saturate(s + ub, bits, false, &sat); break;
        case SH_USQADD: v = saturate(u + sb, bits, true, &sat); break;
        case SH_SQABS: v = saturate(s < 0 ? -s : s, bits, false, &sat); break;
        case SH_SQNEG: v = saturate(-s, bits, false, &sat); break;
        case SH_PMUL:
            for (unsigned k = 0; k < 8; k++)
                if (ub >> k & 1) v ^= u << k;
            break;
        case SH_URECPE:
            v = (uint32_t)u >> 31 ? (s128)arm_recip_estimate((unsigned)((uint32_t)u >> 23)) << 23 : 0xffffffffu;
            break;
        case SH_URSQRTE:
            v = (uint32_t)u >> 30 ? (s128)arm_rsqrt_estimate((unsigned)((uint32_t)u >> 23)) << 23 : 0xffffffffu;
            break;
        }
        set_lane(&r, size, i, (uint64_t)v);
    }
    if (sat) arm(cpu)->qc[0] |= 1;
    return r.v;
}

HELPER(v128, simd_lanes3, (CPU *cpu, v128 d, v128 a, v128 b, uint32_t desc), "w=c")
{
    unsigned size = desc & 3, q = desc >> 2 & 3, bits = 8u << size;
    bool sub = desc >> 4 == SH_SQRDMLSH, sat = false;
    union vlanes acc = { .v = d }, x = { .v = a }, y = { .v = b }, r = { .u64 = { 0, 0 } };
    for (unsigned i = 0; i < nlanes(size, q); i++) {
        s128 p = 2 * (s128)get_lane(&x, size, i, false) * get_lane(&y, size, i, false);
        s128 s = ((s128)get_lane(&acc, size, i, false) << bits) + (sub ? -p : p) + ((s128)1 << (bits - 1));
        set_lane(&r, size, i, (uint64_t)saturate(s >> bits, bits, false, &sat));
    }
    if (sat) arm(cpu)->qc[0] |= 1;
    return r.v;
}

HELPER(v128, simd_pmull8, (CPU *cpu, v128 a, v128 b, uint32_t high), "pure")
{
    union vlanes x = { .v = a }, y = { .v = b }, r;
    for (unsigned i = 0; i < 8; i++) {
        unsigned p = 0;
        for (unsigned k = 0; k < 8; k++)
            if (y.u8[i + 8 * high] >> k & 1) p ^= (unsigned)x.u8[i + 8 * high] << k;
        r.u16[i] = (uint16_t)p;
    }
    return r.v;
}

HELPER(v128, simd_mmla, (CPU *cpu, v128 d, v128 a, v128 b, uint32_t kind), "pure")
{
    union vlanes r = { .v = d }, x = { .v = a }, y = { .v = b };
    for (unsigned i = 0; i < 2; i++)
        for (unsigned j = 0; j < 2; j++)
            for (unsigned k = 0; k < 8; k++) {
                int p = kind ? x.u8[8 * i + k] : x.s8[8 * i + k], q = kind == 1 ? y.u8[8 * j + k] : y.s8[8 * j + k];
                r.u32[2 * i + j] += (uint32_t)(p * q);
            }
    return r.v;
}

/* --- floating point ------------------------------------------------------------------------------------------------------ */

static struct fpu_env fp_env(CPU *cpu)
{
    uint32_t fpcr = arm(cpu)->fpcr;
    return (struct fpu_env){ .rm = (uint8_t)cpu->fp.rm, .nan = fpcr & FPCR_DN ? FPU_NAN_CANON : FPU_NAN_ARM, .tiny_before = 1,
                             .ftz = !!(fpcr & FPCR_FZ) };
}
static struct fpu_env fp_env_for(CPU *cpu, enum fpu_fmt fmt)
{
    struct fpu_env e = fp_env(cpu);
    if (fmt == FPU_F16) e.ftz = !!(arm(cpu)->fpcr & FPCR_FZ16);
    return e;
}
struct format {
    unsigned bits, frac, bias;
};
static const struct format formats[] = { { 16, 10, 15 }, { 32, 23, 127 }, { 64, 52, 1023 } };

static uint64_t fp_inf(enum fpu_fmt k, bool sign)
{
    const struct format *m = &formats[k];
    return (uint64_t)sign << (m->bits - 1) | bits_mask(m->bits - 1 - m->frac) << m->frac;
}
/* A NaN operand as a result: FPProcessNaN. */
static uint64_t nan_result(struct fpu_env *e, enum fpu_fmt k, uint64_t a)
{
    if (fpu_is_snan(k, a)) e->flags |= FPU_INVALID;
    return e->nan == FPU_NAN_CANON ? fpu_default_nan(k, FPU_NAN_ARM) : a | 1ull << (formats[k].frac - 1);
}
static bool exp_all(enum fpu_fmt k, uint64_t a) { return (a & fp_inf(k, false)) == fp_inf(k, false); }
static uint64_t magnitude(enum fpu_fmt k, uint64_t a) { return a & bits_mask(formats[k].bits - 1); }
static bool is_inf(enum fpu_fmt k, uint64_t a) { return magnitude(k, a) == fp_inf(k, false); }
static bool sign_of(enum fpu_fmt k, uint64_t a) { return a >> (formats[k].bits - 1) & 1; }
static bool is_tiny(enum fpu_fmt k, uint64_t a) { return magnitude(k, a) >> formats[k].frac == 0 && magnitude(k, a); }

/* FPUnpack's flush to zero: half precision says nothing about it. */
static uint64_t flush_input(struct fpu_env *e, enum fpu_fmt k, uint64_t a)
{
    if (!e->ftz || !is_tiny(k, a)) return a;
    if (k != FPU_F16) e->flags |= FPU_INDENORM;
    return (uint64_t)sign_of(k, a) << (formats[k].bits - 1);
}

/* RecipEstimate: 9 bits of 0.5 <= a < 1 in, 9 bits out. */
unsigned arm_recip_estimate(unsigned a)
{
    a = (a & 511) * 2 + 1;
    unsigned b = (1u << 19) / a;
    return (b + 1) / 2;
}
/* RecipSqrtEstimate: 9 bits of 0.25 <= a < 1 in. */
unsigned arm_rsqrt_estimate(unsigned a)
{
    a &= 511;
    if (a < 256)
        a = a * 2 + 1;
    else
        a = (a >> 1 << 1) * 2 + 2; /* the low bit is dropped, rounded to the middle */
    unsigned b = 512;
    while ((uint64_t)a * (b + 1) * (b + 1) < 1u << 28) b++;
    return (b + 1) / 2;
}

/* FPRecipEstimate. */
static uint64_t recpe(struct fpu_env *e, enum fpu_fmt k, uint64_t a)
{
    const struct format *m = &formats[k];
    bool sign = sign_of(k, a);
    if (fpu_is_nan(k, a)) return nan_result(e, k, a);
    a = flush_input(e, k, a);
    uint64_t mag = magnitude(k, a);
    if (is_inf(k, a)) return (uint64_t)sign << (m->bits - 1);
    if (!mag) {
        e->flags |= FPU_DIVZERO;
        return fp_inf(k, sign);
    }
    /* below 2^-(bias+1) the reciprocal overflows */
    if (mag < 1ull << (m->frac - 2)) {
        bool inf = e->rm == FPU_RNE || (e->rm == FPU_RUP && !sign) || (e->rm == FPU_RDN && sign);
        e->flags |= FPU_OVERFLOW | FPU_INEXACT;
        return inf ? fp_inf(k, sign) : fp_inf(k, sign) - 1;
    }
    if (e->ftz && (mag >> m->frac) >= 2 * m->bias - 1) {
        e->flags |= FPU_UNDERFLOW;
        return (uint64_t)sign << (m->bits - 1);
    }
    uint64_t frac = (mag & bits_mask(m->frac)) << (52 - m->frac);
    int64_t exp = (int64_t)(mag >> m->frac);
    if (!exp) {
        if (!(frac >> 51)) {
            exp = -1;
            frac = frac << 2 & bits_mask(52);
        } else {
            frac = frac << 1 & bits_mask(52);
        }
    }
    unsigned scaled = 256 | (unsigned)(frac >> 44);
    int64_t rexp = 2 * (int64_t)m->bias - 1 - exp;
    uint64_t est = arm_recip_estimate(scaled), rfrac = (est & 255) << 44;
    if (rexp == 0) {
        rfrac = 1ull << 51 | rfrac >> 1;
    } else if (rexp == -1) {
        rfrac = 1ull << 50 | rfrac >> 2;
        rexp = 0;
    }
    return (uint64_t)sign << (m->bits - 1) | (uint64_t)rexp << m->frac | rfrac >> (52 - m->frac);
}
/* FPRSqrtEstimate. */
static uint64_t rsqrte(struct fpu_env *e, enum fpu_fmt k, uint64_t a)
{
    const struct format *m = &formats[k];
    bool sign = sign_of(k, a);
    if (fpu_is_nan(k, a)) return nan_result(e, k, a);
    a = flush_input(e, k, a);
    uint64_t mag = magnitude(k, a);
    if (!mag) {
        e->flags |= FPU_DIVZERO;
        return fp_inf(k, sign);
    }
    if (sign) {
        e->flags |= FPU_INVALID;
        return fpu_default_nan(k, FPU_NAN_ARM);
    }
    if (is_inf(k, a)) return 0;
    uint64_t frac = (mag & bits_mask(m->frac)) << (52 - m->frac);
    int64_t exp = (int64_t)(mag >> m->frac);
    if (!exp) {
        while (!(frac >> 51)) frac <<= 1, exp--;
        frac = frac << 1 & bits_mask(52);
    }
    unsigned scaled = exp & 1 ? 128 | (unsigned)(frac >> 45) : 256 | (unsigned)(frac >> 44);
    int64_t rexp = (3 * (int64_t)m->bias - 1 - exp) >> 1;
    uint64_t est = arm_rsqrt_estimate(scaled);
    return (uint64_t)rexp << m->frac | (est & 255) << (m->frac - 8);
}
static uint64_t power_of_two(enum fpu_fmt k, int exp, bool sign)
{
    const struct format *m = &formats[k];
    return (uint64_t)sign << (m->bits - 1) | (uint64_t)((int64_t)m->bias + exp) << m->frac;
}
static uint64_t negate(enum fpu_fmt k, uint64_t a) { return a ^ 1ull << (formats[k].bits - 1); }

/* FPRecipStepFused: 2 - a * b; FPRSqrtStepFused: (3 - a * b) / 2. Infinity times zero counts as zero. */
static uint64_t step(struct fpu_env *e, enum fpu_fmt k, uint64_t a, uint64_t b, bool rsqrt)
{
    a = negate(k, a);
    a = flush_input(e, k, a), b = flush_input(e, k, b);
    bool az = !magnitude(k, a), bz = !magnitude(k, b);
    uint64_t three = power_of_two(k, 1, false) | (rsqrt ? 1ull << (formats[k].frac - 1) : 0);
    if ((is_inf(k, a) && bz) || (is_inf(k, b) && az)) return rsqrt ? power_of_two(k, 0, false) | 1ull << (formats[k].frac - 1) : three;
    if (!rsqrt || exp_all(k, a) || exp_all(k, b)) return fpu_fma(e, k, a, b, three);
    /* One rounding for the sum and the halving: the larger operand is halved first. Where its half is no normal number the sum is
     * next to 3, and halving that is exact. */
    uint64_t big = magnitude(k, a) > magnitude(k, b) ? a : b, small = big == a ? b : a, one = 1ull << formats[k].frac;
    if (magnitude(k, big) >= 2 * one) return fpu_fma(e, k, big - one, small, power_of_two(k, 0, false) | one >> 1);
    return fpu_mul(e, k, fpu_fma(e, k, a, b, three), power_of_two(k, -1, false));
}
/* FPMulX: infinity times zero is 2 with the product's sign. */
static uint64_t mulx(struct fpu_env *e, enum fpu_fmt k, uint64_t a, uint64_t b)
{
    a = flush_input(e, k, a), b = flush_input(e, k, b);
    bool az = !magnitude(k, a), bz = !magnitude(k, b);
    if ((is_inf(k, a) && bz) || (is_inf(k, b) && az)) return power_of_two(k, 1, sign_of(k, a) ^ sign_of(k, b));
    return fpu_mul(e, k, a, b);
}
/* FPRecpX: the exponent's complement. */
static uint64_t recpx(struct fpu_env *e, enum fpu_fmt k, uint64_t a)
{
    const struct format *m = &formats[k];
    if (fpu_is_nan(k, a)) return nan_result(e, k, a);
    a = flush_input(e, k, a);
    uint64_t sign = (uint64_t)sign_of(k, a) << (m->bits - 1), max = bits_mask(m->bits - 1 - m->frac);
    uint64_t exp = magnitude(k, a) >> m->frac;
    return sign | (exp ? ~exp & max : max - 1) << m->frac;
}

static uint64_t fp_get(const union vlanes *v, enum fpu_fmt k, unsigned i)
{
    return k == FPU_F16 ? v->u16[i] : k == FPU_F32 ? v->u32[i] : v->u64[i];
}
static void fp_set(union vlanes *v, enum fpu_fmt k, unsigned i, uint64_t x)
{
    set_lane(v, (unsigned)k + 1, i, x);
}

/* desc: format, q << 4, operation << 8 (the enum in a64_simd_fp.isa.c). */
HELPER(v128, simd_fp_lanes, (CPU *cpu, v128 a, v128 b, uint32_t desc), "fp r=c")
{
    enum fpu_fmt k = (enum fpu_fmt)(desc & 3);
    unsigned n = nlanes((unsigned)k + 1, desc >> 4 & 3);
    struct fpu_env e = fp_env_for(cpu, k);
    union vlanes x = { .v = a }, y = { .v = b }, r = { .u64 = { 0, 0 } };
    for (unsigned i = 0; i < n; i++) {
        uint64_t p = fp_get(&x, k, i), q = fp_get(&y, k, i), v;
        switch (desc >> 8) {
        case 0: v = recpe(&e, k, p); break;
        case 1: v = rsqrte(&e, k, p); break;
        case 2: v = step(&e, k, p, q, false); break;
        case 3: v = step(&e, k, p, q, true); break;
        case 4: v = recpx(&e, k, p); break;
        default: v = mulx(&e, k, p, q);
        }
        fp_set(&r, k, i, v);
    }
    cpu->fp.flags |= e.flags;
    return r.v;
}

/* FRINT32/64: out of range and NaN give the most negative integer and invalid. desc: double, 64 bits << 1, dynamic << 2, scalar << 3. */
HELPER(v128, simd_rint_n, (CPU *cpu, v128 a, uint32_t desc), "fp r=c")
{
    enum fpu_fmt k = desc & 1 ? FPU_F64 : FPU_F32;
    unsigned bits = desc & 2 ? 64 : 32, n = desc & 8 ? 1 : (unsigned)(16 / (formats[k].bits / 8));
    struct fpu_env e = fp_env_for(cpu, k);
    union vlanes x = { .v = a }, r = { .u64 = { 0, 0 } };
    if (!(desc & 4)) e.rm = FPU_RTZ;
    for (unsigned i = 0; i < n; i++) {
        struct fpu_env t = e;
        t.flags = 0;
        uint64_t p = fp_get(&x, k, i), v = fpu_rint(&t, k, p, true), limit = power_of_two(k, (int)bits - 1, false);
        bool out = fpu_is_nan(k, p) || (magnitude(k, v) >= limit && v != negate(k, limit));
        if (out) {
            v = negate(k, limit);
            t.flags = FPU_INVALID;
        }
        e.flags |= t.flags;
        fp_set(&r, k, i, v);
    }
    cpu->fp.flags |= e.flags;
    return r.v;
}

/* FPToFixed: scaling is exact in binary64, so there is one rounding. */
static uint64_t fixed_to_int(struct fpu_env *e, enum fpu_fmt k, uint64_t a, unsigned bits, bool is_signed, unsigned frac)
{
    a = flush_input(e, k, a);
    uint64_t d = k == FPU_F64 ? a : fpu_cvt(e, FPU_F64, k, a);
    if (magnitude(FPU_F64, d) < power_of_two(FPU_F64, 64, false)) d = fpu_mul(e, FPU_F64, d, power_of_two(FPU_F64, (int)frac, false));
    e->rm = FPU_RTZ;
    return fpu_to_int(e, FPU_F64, d, bits, 1u << 1 | is_signed);
}
/* desc: format, q << 2, to integer << 4, signed << 5, fraction bits << 8. */
HELPER(v128, simd_fixed, (CPU *cpu, v128 a, uint32_t desc), "fp r=c")
{
    enum fpu_fmt k = (enum fpu_fmt)(desc & 3);
    unsigned n = nlanes((unsigned)k + 1, desc >> 2 & 3), bits = formats[k].bits, frac = desc >> 8;
    bool to_int = desc >> 4 & 1, is_signed = desc >> 5 & 1;
    uint32_t flags = 0;
    union vlanes x = { .v = a }, r = { .u64 = { 0, 0 } };
    for (unsigned i = 0; i < n; i++) {
        struct fpu_env e = fp_env_for(cpu, k);
        uint64_t p = fp_get(&x, k, i);
        fp_set(&r, k, i, to_int ? fixed_to_int(&e, k, p, bits, is_signed, frac) : fpu_from_fixed(&e, k, p, bits, is_signed, frac));
        flags |= e.flags;
    }
    cpu->fp.flags |= flags;
    return r.v;
}
HELPER(uint32_t, fp_fixed_to_half, (CPU *cpu, uint64_t a, uint32_t desc), "fp r=c")
{
    struct fpu_env e = fp_env_for(cpu, FPU_F16);
    uint64_t h = fpu_from_fixed(&e, FPU_F16, a, 64, desc >> 8 & 1, desc & 0xff);
    cpu->fp.flags |= e.flags;
    return (uint32_t)h;
}
/* desc: bits of the integer, signed << 8, fraction bits << 16. */
HELPER(uint64_t, fp_half_to_fixed, (CPU *cpu, uint64_t h, uint32_t desc), "fp r=c")
{
    struct fpu_env e = fp_env_for(cpu, FPU_F16);
    uint64_t v = fixed_to_int(&e, FPU_F16, h & 0xffff, desc & 0xff, desc >> 8 & 1, desc >> 16);
    cpu->fp.flags |= e.flags;
    return v;
}
/* FPToFixedJS: the integer modulo 2^32; bit 32: the conversion was exact and -0 was not the operand. */
HELPER(uint64_t, fp_jcvt, (CPU *cpu, uint64_t a), "fp r=c")
{
    int exp = (int)(a >> 52 & 2047) - 1075;
    uint64_t m = (a & bits_mask(52)) | (a >> 52 & 2047 ? 1ull << 52 : 0), v;
    bool nan_inf = exp_all(FPU_F64, a), exact = true, fits;
    if (!magnitude(FPU_F64, a)) return (uint64_t)!(a >> 63) << 32;
    if (nan_inf) {
        cpu->fp.flags |= FPU_INVALID;
        return 0;
    }
    if (arm(cpu)->fpcr & FPCR_FZ && is_tiny(FPU_F64, a)) {
        cpu->fp.flags |= FPU_INDENORM;
        return (uint64_t)!(a >> 63) << 32;
    }
    if (exp >= 0) {
        v = exp < 64 ? m << exp : 0;
        fits = false;
    } else {
        v = exp > -64 ? m >> -exp : 0;
        exact = exp > -64 && v << -exp == m;
        fits = a >> 63 ? v <= 1ull << 31 : v < 1ull << 31;
    }
    if (!fits)
        cpu->fp.flags |= FPU_INVALID;
    else if (!exact)
        cpu->fp.flags |= FPU_INEXACT;
    if (a >> 63) v = -v;
    return (uint32_t)v | (uint64_t)(fits && exact) << 32;
}

/* The alternative half-precision format (FPCR.AHP) has no NaNs and infinities: exponent 31 is a number's. */
static uint64_t from_alternative(struct fpu_env *e, enum fpu_fmt to, uint64_t h)
{
    uint64_t frac = h & 0x3ff, d = (h >> 15 & 1) << 63;
    if ((h & 0x7c00) != 0x7c00) return fpu_cvt(e, to, FPU_F16, h);
    return fpu_cvt(e, to, FPU_F64, d | (1023ull + 16) << 52 | frac << 42);
}
static uint64_t to_alternative(struct fpu_env *e, enum fpu_fmt from, uint64_t a)
{
    uint64_t sign = (uint64_t)sign_of(from, a) << 15;
    if (exp_all(from, a)) {
        e->flags |= FPU_INVALID;
        return fpu_is_nan(from, a) ? sign : sign | 0x7fff;
    }
    struct fpu_env t = *e;
    t.flags = 0;
    uint64_t h = fpu_cvt(&t, FPU_F16, from, a);
    if (t.flags & FPU_OVERFLOW) {
        /* one more binade than the standard format has */
        t.flags = 0;
        h = fpu_cvt(&t, FPU_F16, from, fpu_mul(&t, from, a, power_of_two(from, -1, false)));
        if (t.flags & FPU_OVERFLOW || (h & 0x7c00) == 0x7c00) {
            e->flags |= FPU_INVALID;
            return sign | 0x7fff;
        }
        h += 0x400;
    }
    e->flags |= t.flags;
    return h;
}
/* Conversions under FPCR.AHP; formats in bits 0-1 (from) and 2-3 (to), lanes in bits 4-6, first source lane above. */
HELPER(v128, fp_cvt_ahp, (CPU *cpu, v128 a, uint32_t desc), "fp r=c")
{
    enum fpu_fmt from = (enum fpu_fmt)(desc & 3), to = (enum fpu_fmt)(desc >> 2 & 3);
    struct fpu_env e = fp_env(cpu);
    union vlanes x = { .v = a }, r = { .u64 = { 0, 0 } };
    for (unsigned i = 0; i < (desc >> 4 & 7); i++) {
        uint64_t v = fp_get(&x, from, i + (desc >> 7));
        fp_set(&r, to, i, from == FPU_F16 ? from_alternative(&e, to, v) : to_alternative(&e, from, v));
    }
    cpu->fp.flags |= e.flags;
    return r.v;
}

/* A half as a single, signalling NaNs kept as such. */
static uint64_t half_to_single(uint64_t h, bool ftz)
{
    struct fpu_env none = { .rm = FPU_RNE };
    if (fpu_is_nan(FPU_F16, h)) return (h & 0x8000) << 16 | 0x7f800000 | (h & 0x3ff) << 13;
    return fpu_cvt(&none, FPU_F32, FPU_F16, ftz && is_tiny(FPU_F16, h) ? h & 0x8000 : h);
}
/* FPMulAddH: products of halves are exact in single precision. desc: q, high half << 1, subtract << 2. */
HELPER(v128, simd_fhm, (CPU *cpu, v128 d, v128 a, v128 b, uint32_t desc), "fp r=c")
{
    unsigned n = desc & 1 ? 4 : 2, from = desc & 2 ? n : 0;
    bool ftz16 = arm(cpu)->fpcr & FPCR_FZ16;
    struct fpu_env e = fp_env_for(cpu, FPU_F32);
    union vlanes acc = { .v = d }, x = { .v = a }, y = { .v = b }, r = { .u64 = { 0, 0 } };
    for (unsigned i = 0; i < n; i++) {
        uint64_t p = half_to_single(x.u16[from + i] ^ (desc & 4 ? 0x8000u : 0), ftz16);
        r.u32[i] = (uint32_t)fpu_fma(&e, FPU_F32, p, half_to_single(y.u16[from + i], ftz16), acc.u32[i]);
    }
    cpu->fp.flags |= e.flags;
    return r.v;
}

/* bfloat16. BFConvert: to nearest or as FPCR says, with its flags. desc: lanes, high half of the result << 4. */
HELPER(v128, simd_bfcvt, (CPU *cpu, v128 d, v128 a, uint32_t desc), "fp r=c")
{
    unsigned n = desc & 15, to = desc & 16 ? n : 0;
    struct fpu_env e = fp_env_for(cpu, FPU_F32);
    union vlanes x = { .v = a }, r = { .v = d };
    if (!to) r.u64[0] = r.u64[1] = 0;
    for (unsigned i = 0; i < n; i++) r.u16[to + i] = (uint16_t)fpu_cvt(&e, FPU_BF16, FPU_F32, x.u32[i]);
    cpu->fp.flags |= e.flags;
    return r.v;
}
/* BFMulH, BFAdd: rounded to odd, denormals flushed, default NaNs, overflow to infinity; FPCR and FPSR take no part. */
static uint32_t bf_round(struct fpu_env *e, uint64_t r)
{
    bool over = e->flags & FPU_OVERFLOW;
    e->flags = 0;
    return (uint32_t)r + over; /* from the largest number to infinity */
}
static uint32_t bf_mul(struct fpu_env *e, uint16_t a, uint16_t b)
{
    return bf_round(e, fpu_mul(e, FPU_F32, (uint32_t)a << 16, (uint32_t)b << 16));
}
static uint32_t bf_add(struct fpu_env *e, uint32_t a, uint32_t b)
{
    return bf_round(e, fpu_add(e, FPU_F32, a, b));
}
/* BFDotAdd: two pairs at x and y. */
static uint32_t bf_dot(uint32_t acc, const uint16_t *x, const uint16_t *y)
{
    struct fpu_env e = { .rm = FPU_ODD, .nan = FPU_NAN_CANON, .tiny_before = 1, .ftz = 1 };
    uint32_t p = bf_mul(&e, x[0], y[0]), q = bf_mul(&e, x[1], y[1]);
    return bf_add(&e, acc, bf_add(&e, p, q));
}
HELPER(v128, simd_bfdot, (CPU *cpu, v128 d, v128 a, v128 b), "pure")
{
    union vlanes r = { .v = d }, x = { .v = a }, y = { .v = b };
    for (unsigned i = 0; i < 4; i++) r.u32[i] = bf_dot(r.u32[i], &x.u16[2 * i], &y.u16[2 * i]);
    return r.v;
}
/* BFMatMulAdd: 2x4 by 4x2. */
HELPER(v128, simd_bfmmla, (CPU *cpu, v128 d, v128 a, v128 b), "pure")
{
    union vlanes r = { .v = d }, x = { .v = a }, y = { .v = b };
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < 2; k++)
            r.u32[i] = bf_dot(r.u32[i], &x.u16[(i & 2) * 2 + 2 * k], &y.u16[(i & 1) * 4 + 2 * k]);
    return r.v;
}

/* desc: lane kind, q << 2, rotation / 90 << 4, multiply << 6. */
HELPER(v128, simd_complex, (CPU *cpu, v128 d, v128 a, v128 b, uint32_t desc), "fp r=c")
{
    enum fpu_fmt k = (enum fpu_fmt)(desc & 3);
    unsigned n = nlanes((unsigned)k + 1, desc >> 2 & 1), rot = desc >> 4 & 3;
    struct fpu_env e = fp_env_for(cpu, k);
    union vlanes acc = { .v = d }, x = { .v = a }, y = { .v = b }, r = { .u64 = { 0, 0 } };
    for (unsigned i = 0; i < n; i += 2) {
        uint64_t xr = fp_get(&x, k, i), xi = fp_get(&x, k, i + 1), yr = fp_get(&y, k, i), yi = fp_get(&y, k, i + 1);
        if (desc >> 6) {
            uint64_t m = rot & 1 ? xi : xr, p = rot & 1 ? yi : yr, q = rot & 1 ? yr : yi;
            if (rot == 1 || rot == 2) p = negate(k, p);
            if (rot & 2) q = negate(k, q);
            fp_set(&r, k, i, fpu_fma(&e, k, m, p, fp_get(&acc, k, i)));
            fp_set(&r, k, i + 1, fpu_fma(&e, k, m, q, fp_get(&acc, k, i + 1)));
        } else {
            fp_set(&r, k, i, fpu_add(&e, k, xr, rot == 1 ? negate(k, yi) : yi));
            fp_set(&r, k, i + 1, fpu_add(&e, k, xi, rot == 1 ? yr : negate(k, yr)));
        }
    }
    cpu->fp.flags |= e.flags;
    return r.v;
}

/* --- hashes: kinds as in a64_crypto.isa.c; x, y, w as in the manual's functions ------------------------------------------- */

static uint32_t rol(uint32_t v, unsigned n) { return v << n | v >> (32 - n); }
static uint64_t ror64(uint64_t v, unsigned n) { return v >> n | v << (64 - n); }

static v128 sha1_hash(union vlanes x, uint32_t y, union vlanes w, unsigned kind)
{
    for (unsigned i = 0; i < 4; i++) {
        uint32_t b = x.u32[1], c = x.u32[2], d = x.u32[3];
        uint32_t f = kind == 0 ? (b & c) | (~b & d) : kind == 1 ? b ^ c ^ d : (b & c) | (b & d) | (c & d);
        uint32_t a = y + rol(x.u32[0], 5) + f + w.u32[i];
        y = d;
        x = (union vlanes){ .u32 = { a, x.u32[0], rol(b, 30), c } };
    }
    return x.v;
}
static v128 sha256_hash(union vlanes x, union vlanes y, union vlanes w, bool part1)
{
    for (unsigned i = 0; i < 4; i++) {
        uint32_t a = x.u32[0], b = x.u32[1], c = x.u32[2], e = y.u32[0];
        uint32_t t = y.u32[3] + (rol(e, 26) ^ rol(e, 21) ^ rol(e, 7)) + ((e & y.u32[1]) | (~e & y.u32[2])) + w.u32[i];
        uint32_t n = t + (rol(a, 30) ^ rol(a, 19) ^ rol(a, 10)) + ((a & b) | (a & c) | (b & c));
        y = (union vlanes){ .u32 = { x.u32[3] + t, e, y.u32[1], y.u32[2] } };
        x = (union vlanes){ .u32 = { n, a, b, c } };
    }
    return part1 ? x.v : y.v;
}
static uint32_t sigma0(uint32_t v) { return rol(v, 25) ^ rol(v, 14) ^ v >> 3; }
static uint32_t sigma1(uint32_t v) { return rol(v, 15) ^ rol(v, 13) ^ v >> 10; }
static uint64_t big1(uint64_t v) { return ror64(v, 14) ^ ror64(v, 18) ^ ror64(v, 41); }
static uint64_t big0(uint64_t v) { return ror64(v, 28) ^ ror64(v, 34) ^ ror64(v, 39); }
static uint64_t small0(uint64_t v) { return ror64(v, 1) ^ ror64(v, 8) ^ v >> 7; }
static uint64_t small1(uint64_t v) { return ror64(v, 19) ^ ror64(v, 61) ^ v >> 6; }
static uint32_t sm3_p1(uint32_t v) { return v ^ rol(v, 15) ^ rol(v, 23); }

/* Four rounds of SM4, of the cipher (rotations 2 10 18 24) or of the key schedule (13 23). */
static v128 sm4_rounds(union vlanes s, union vlanes k, bool key)
{
    for (unsigned i = 0; i < 4; i++) {
        uint32_t t = s.u32[1] ^ s.u32[2] ^ s.u32[3] ^ k.u32[i], b = 0;
        for (unsigned j = 0; j < 32; j += 8) b |= (uint32_t)sm4_sbox[t >> j & 255] << j;
        b ^= key ? rol(b, 13) ^ rol(b, 23) : rol(b, 2) ^ rol(b, 10) ^ rol(b, 18) ^ rol(b, 24);
        s = (union vlanes){ .u32 = { s.u32[1], s.u32[2], s.u32[3], s.u32[0] ^ b } };
    }
    return s.v;
}

HELPER(v128, sha_round, (CPU *cpu, v128 d, v128 n, v128 m, uint32_t kind), "pure")
{
    union vlanes x = { .v = d }, y = { .v = n }, w = { .v = m }, r = { .u64 = { 0, 0 } };
    switch (kind) {
    case SHA1C: case SHA1P: case SHA1M: return sha1_hash(x, y.u32[0], w, kind - SHA1C);
    case SHA1SU0:
        r.u64[0] = x.u64[1] ^ x.u64[0] ^ w.u64[0];
        r.u64[1] = y.u64[0] ^ x.u64[1] ^ w.u64[1];
        break;
    case SHA1H: r.u32[0] = rol(y.u32[0], 30); break;
    case SHA1SU1:
        for (unsigned i = 0; i < 4; i++) r.u32[i] = rol(x.u32[i] ^ (i < 3 ? y.u32[i + 1] : 0), 1);
        r.u32[3] ^= rol(x.u32[0] ^ y.u32[1], 2);
        break;
    case SHA256H: return sha256_hash(x, y, w, true);
    case SHA256H2: return sha256_hash(y, x, w, false);
    case SHA256SU0:
        for (unsigned i = 0; i < 4; i++) r.u32[i] = x.u32[i] + sigma0(i < 3 ? x.u32[i + 1] : y.u32[0]);
        break;
    case SHA256SU1:
        for (unsigned i = 0; i < 4; i++)
            r.u32[i] = x.u32[i] + (i < 3 ? y.u32[i + 1] : w.u32[0]) + sigma1(i < 2 ? w.u32[i + 2] : r.u32[i - 2]);
        break;
    case SHA512H:
        r.u64[1] = ((w.u64[1] & y.u64[0]) ^ (~w.u64[1] & y.u64[1])) + big1(w.u64[1]) + x.u64[1];
        r.u64[0] = r.u64[1] + w.u64[0];
        r.u64[0] = ((r.u64[0] & w.u64[1]) ^ (~r.u64[0] & y.u64[0])) + big1(r.u64[0]) + x.u64[0];
        break;
    case SHA512H2:
        r.u64[1] = ((y.u64[0] & w.u64[1]) ^ (y.u64[0] & w.u64[0]) ^ (w.u64[1] & w.u64[0])) + big0(w.u64[0]) + x.u64[1];
        r.u64[0] = ((r.u64[1] & w.u64[0]) ^ (r.u64[1] & w.u64[1]) ^ (w.u64[1] & w.u64[0])) + big0(r.u64[1]) + x.u64[0];
        break;
    case SHA512SU0:
        r.u64[0] = x.u64[0] + small0(x.u64[1]);
        r.u64[1] = x.u64[1] + small0(y.u64[0]);
        break;
    case SHA512SU1:
        for (unsigned i = 0; i < 2; i++) r.u64[i] = x.u64[i] + small1(y.u64[i]) + w.u64[i];
        break;
    case SM3PARTW1:
        for (unsigned i = 0; i < 3; i++) r.u32[i] = sm3_p1(x.u32[i] ^ y.u32[i] ^ rol(w.u32[i + 1], 15));
        r.u32[3] = sm3_p1(x.u32[3] ^ y.u32[3] ^ rol(r.u32[0], 15));
        break;
    case SM3PARTW2: {
        uint32_t first = y.u32[0] ^ rol(w.u32[0], 7);
        for (unsigned i = 0; i < 4; i++) r.u32[i] = x.u32[i] ^ y.u32[i] ^ rol(w.u32[i], 7);
        r.u32[3] ^= sm3_p1(rol(first, 15));
        break;
    }
    case SM4E: return sm4_rounds(x, y, false);
    case SM4EKEY: return sm4_rounds(y, w, true);
    }
    return r.v;
}

HELPER(v128, sm3_ss1, (CPU *cpu, v128 n, v128 m, v128 a), "pure")
{
    union vlanes x = { .v = n }, y = { .v = m }, z = { .v = a };
    return (union vlanes){ .u32 = { 0, 0, 0, rol(rol(x.u32[3], 12) + y.u32[3] + z.u32[3], 7) } }.v;
}

/* kind: 0 TT1A, 1 TT1B, 2 TT2A, 3 TT2B; element << 2. */
HELPER(v128, sm3_tt, (CPU *cpu, v128 d, v128 n, v128 m, uint32_t desc), "pure")
{
    union vlanes x = { .v = d }, y = { .v = n }, w = { .v = m };
    uint32_t a = x.u32[3], b = x.u32[2], c = x.u32[1], k = w.u32[desc >> 2], f, t;
    bool second = desc & 2;
    if (!(desc & 1))
        f = a ^ b ^ c;
    else
        f = second ? (a & b) | (~a & c) : (a & c) | (a & b) | (c & b);
    t = f + x.u32[0] + k + (second ? y.u32[3] : y.u32[3] ^ rol(a, 12));
    return (union vlanes){ .u32 = { c, rol(b, second ? 19 : 9), a, second ? t ^ rol(t, 9) ^ rol(t, 17) : t } }.v;
}
