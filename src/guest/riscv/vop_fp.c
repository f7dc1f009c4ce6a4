/*
 * vop_fp.c: element loops of the V extension's floating-point instructions (volume I, chapter 30.13), through fpu/.
 * They run when there is no inline code (vinline.c).
 */
#include "fpu/fpu.h"
#include "vector.h"

static enum fpu_fmt fmt(unsigned sew)
{
    return sew == 1 ? FPU_F16 : sew == 2 ? FPU_F32 : FPU_F64;
}
static uint64_t sign_of(unsigned sew)
{
    return 1ull << ((8u << sew) - 1);
}
static struct fpu_env env(const struct vx *c)
{
    return (struct fpu_env){ .rm = (uint8_t)c->r->c.fp.rm, .nan = FPU_NAN_CANON };
}

/* x = vs2[i], y = vs1[i] or the scalar, z = vd[i], all bit patterns of SEW; e = environment, f = format. */
#define FOP(name, expr) \
    void riscv_vop_##name(struct vx *c) \
    { \
        struct fpu_env E = env(c), *e UNUSED = &E; \
        enum fpu_fmt f UNUSED = fmt(c->sew); \
        uint64_t sign UNUSED = sign_of(c->sew); \
        EACH(i) { \
            uint64_t x UNUSED = vel_get(c->a, c->sew, i), y UNUSED = vel_get(c->b, c->sew, i * c->bs), z UNUSED = vel_get(c->d, c->sew, i); \
            vel_set(c->d, c->sew, i, expr); \
        } \
        c->flags = E.flags; \
    }
FOP(fadd, fpu_add(e, f, x, y))
FOP(fsub, fpu_sub(e, f, x, y))
FOP(frsub, fpu_sub(e, f, y, x))
FOP(fmul, fpu_mul(e, f, x, y))
FOP(fdiv, fpu_div(e, f, x, y))
FOP(frdiv, fpu_div(e, f, y, x))
FOP(fsqrt, fpu_sqrt(e, f, x))
FOP(fmin, fpu_minmax(e, f, x, y, false, MM_NUM))
FOP(fmax, fpu_minmax(e, f, x, y, true, MM_NUM))
FOP(fsgnj, (x & ~sign) | (y & sign))
FOP(fsgnjn, (x & ~sign) | (~y & sign))
FOP(fsgnjx, x ^ (y & sign))
FOP(fmacc, fpu_fma(e, f, y, x, z))
FOP(fnmacc, fpu_fma(e, f, y ^ sign, x, z ^ sign))
FOP(fmsac, fpu_fma(e, f, y, x, z ^ sign))
FOP(fnmsac, fpu_fma(e, f, y ^ sign, x, z))
FOP(fmadd, fpu_fma(e, f, y, z, x))
FOP(fnmadd, fpu_fma(e, f, y ^ sign, z, x ^ sign))
FOP(fmsub, fpu_fma(e, f, y, z, x ^ sign))
FOP(fnmsub, fpu_fma(e, f, y ^ sign, z, x))

/* Comparisons: cmp gives -1, 0, 1, 2 (unordered). */
#define FCMP(name, signalling, expr) \
    void riscv_vop_##name(struct vx *c) \
    { \
        struct fpu_env e = env(c); \
        EACH(i) { \
            int r = fpu_cmp(&e, fmt(c->sew), vel_get(c->a, c->sew, i), vel_get(c->b, c->sew, i * c->bs), signalling); \
            mask_set(c->d, i, expr); \
        } \
        c->flags = e.flags; \
    }
FCMP(mfeq, false, r == 0)
FCMP(mfne, false, r != 0)
FCMP(mflt, true, r == -1)
FCMP(mfle, true, r == -1 || r == 0)
FCMP(mfgt, true, r == 1)
FCMP(mfge, true, r == 1 || r == 0)

/* -- widening --------------------------------------------------------------------------------------------------- */
/* X, Y: operands widened exactly (sNaNs raise invalid); wide = vs2 has the wide format already. */
#define FWIDE(name, wide, expr) \
    void riscv_vop_##name(struct vx *c) \
    { \
        struct fpu_env E = env(c), *e = &E; \
        enum fpu_fmt n = fmt(c->sew), f = fmt(c->sew + 1); \
        uint64_t sign UNUSED = sign_of(c->sew + 1); \
        EACH(i) { \
            uint64_t x = wide ? vel_get(c->a, c->sew + 1, i) : fpu_cvt(e, f, n, vel_get(c->a, c->sew, i)); \
            uint64_t y = fpu_cvt(e, f, n, vel_get(c->b, c->sew, i * c->bs)), z UNUSED = vel_get(c->d, c->sew + 1, i); \
            vel_set(c->d, c->sew + 1, i, expr); \
        } \
        c->flags = E.flags; \
    }
FWIDE(fwadd, false, fpu_add(e, f, x, y))
FWIDE(fwsub, false, fpu_sub(e, f, x, y))
FWIDE(fwadd_w, true, fpu_add(e, f, x, y))
FWIDE(fwsub_w, true, fpu_sub(e, f, x, y))
FWIDE(fwmul, false, fpu_mul(e, f, x, y))
FWIDE(fwmacc, false, fpu_fma(e, f, x, y, z))
FWIDE(fwnmacc, false, fpu_fma(e, f, x ^ sign, y, z ^ sign))
FWIDE(fwmsac, false, fpu_fma(e, f, x, y, z ^ sign))
FWIDE(fwnmsac, false, fpu_fma(e, f, x ^ sign, y, z))

/* -- conversions: from sew `a` to sew `d` ----------------------------------------------------------------------- */
enum { DYN = 0 };
static void to_int(struct vx *c, unsigned a, unsigned d, unsigned rm, bool is_signed)
{
    struct fpu_env e = env(c);
    unsigned bits = 8u << d;

    if (rm) e.rm = (uint8_t)rm;
    EACH(i) {
        uint64_t x = vel_get(c->a, a, i), r;
        if (bits >= 16) {
            r = fpu_to_int(&e, fmt(a), x, bits, FTOI_RISCV | (is_signed ? FTOI_SIGNED : 0));
        } else { /* binary16 to 8 bits: by 16, then saturated, where out of range is invalid alone */
            struct fpu_env w = e;
            int64_t v, lo = is_signed ? -128 : 0, hi = is_signed ? 127 : 255;
            w.flags = 0;
            r = fpu_to_int(&w, fmt(a), x, 32, FTOI_RISCV | FTOI_SIGNED);
            v = bits_sext(r, 32);
            if (v < lo || v > hi) w.flags = FPU_INVALID, v = v < lo ? lo : hi;
            e.flags |= w.flags;
            r = (uint64_t)v;
        }
        vel_set(c->d, d, i, r);
    }
    c->flags = e.flags;
}
static void from_int(struct vx *c, unsigned a, unsigned d, bool is_signed)
{
    struct fpu_env e = env(c);
    EACH(i) {
        uint64_t v = vel_get(c->a, a, i);
        if (is_signed) v = (uint64_t)bits_sext(v, 8u << a);
        vel_set(c->d, d, i, fpu_from_int(&e, fmt(d), v, 64, is_signed));
    }
    c->flags = e.flags;
}
static void convert(struct vx *c, unsigned a, unsigned d, unsigned rm)
{
    struct fpu_env e = env(c);
    if (rm) e.rm = (uint8_t)rm;
    EACH(i) vel_set(c->d, d, i, fpu_cvt(&e, fmt(d), fmt(a), vel_get(c->a, a, i)));
    c->flags = e.flags;
}
#define CVT(name, call) \
    void riscv_vop_##name(struct vx *c) \
    { \
        unsigned s = c->sew; \
        call; \
    }
CVT(fcvt_xu_f, to_int(c, s, s, DYN, false))
CVT(fcvt_x_f, to_int(c, s, s, DYN, true))
CVT(fcvt_rtz_xu_f, to_int(c, s, s, FPU_RTZ, false))
CVT(fcvt_rtz_x_f, to_int(c, s, s, FPU_RTZ, true))
CVT(fcvt_f_xu, from_int(c, s, s, false))
CVT(fcvt_f_x, from_int(c, s, s, true))
CVT(fwcvt_xu_f, to_int(c, s, s + 1, DYN, false))
CVT(fwcvt_x_f, to_int(c, s, s + 1, DYN, true))
CVT(fwcvt_rtz_xu_f, to_int(c, s, s + 1, FPU_RTZ, false))
CVT(fwcvt_rtz_x_f, to_int(c, s, s + 1, FPU_RTZ, true))
CVT(fwcvt_f_xu, from_int(c, s, s + 1, false))
CVT(fwcvt_f_x, from_int(c, s, s + 1, true))
CVT(fwcvt_f_f, convert(c, s, s + 1, DYN))
CVT(fncvt_xu_f, to_int(c, s + 1, s, DYN, false))
CVT(fncvt_x_f, to_int(c, s + 1, s, DYN, true))
CVT(fncvt_rtz_xu_f, to_int(c, s + 1, s, FPU_RTZ, false))
CVT(fncvt_rtz_x_f, to_int(c, s + 1, s, FPU_RTZ, true))
CVT(fncvt_f_xu, from_int(c, s + 1, s, false))
CVT(fncvt_f_x, from_int(c, s + 1, s, true))
CVT(fncvt_f_f, convert(c, s + 1, s, DYN))
CVT(fncvt_rod_f_f, convert(c, s + 1, s, FPU_ODD))

/* -- reductions; the unordered sum adds in order too ------------------------------------------------------------ */
#define FREDUCE(name, expr) \
    void riscv_vop_##name(struct vx *c) \
    { \
        struct fpu_env E = env(c), *e = &E; \
        enum fpu_fmt f = fmt(c->sew); \
        uint64_t r = vel_get(c->b, c->sew, 0); \
        if (!c->vl) return; \
        EACH(i) { uint64_t x = vel_get(c->a, c->sew, i); r = (expr); } \
        vel_set(c->d, c->sew, 0, r); \
        c->flags = E.flags; \
    }
FREDUCE(fredosum, fpu_add(e, f, r, x))
FREDUCE(fredusum, fpu_add(e, f, r, x))
FREDUCE(fredmin, fpu_minmax(e, f, r, x, false, MM_NUM))
FREDUCE(fredmax, fpu_minmax(e, f, r, x, true, MM_NUM))
static void wide_sum(struct vx *c)
{
    struct fpu_env e = env(c);
    enum fpu_fmt n = fmt(c->sew), f = fmt(c->sew + 1);
    uint64_t r = vel_get(c->b, c->sew + 1, 0);
    if (!c->vl) return;
    EACH(i) r = fpu_add(&e, f, r, fpu_cvt(&e, f, n, vel_get(c->a, c->sew, i)));
    vel_set(c->d, c->sew + 1, 0, r);
    c->flags = e.flags;
}
void riscv_vop_fwredosum(struct vx *c)
{
    wide_sum(c);
}
void riscv_vop_fwredusum(struct vx *c)
{
    wide_sum(c);
}

/* -- classify, estimates ---------------------------------------------------------------------------------------- */
static void split(unsigned sew, unsigned *exp, unsigned *man)
{
    *exp = sew == 1 ? 5 : sew == 2 ? 8 : 11;
    *man = sew == 1 ? 10 : sew == 2 ? 23 : 52;
}
void riscv_vop_fclass(struct vx *c)
{
    EACH(i) {
        uint64_t v = vel_get(c->a, c->sew, i), cls;
        if (c->sew == 1) cls = riscv_helper_fclass_h(&c->r->c, (uint16_t)v);
        else if (c->sew == 2) cls = riscv_helper_fclass_s(&c->r->c, (uint32_t)v);
        else cls = riscv_helper_fclass_d(&c->r->c, v);
        vel_set(c->d, c->sew, i, cls);
    }
}

/*
 * Seven-bit estimates of 1/sqrt(x) and 1/x: the manual's tables of leading significand bits.
 */
static const uint8_t rsqrt7[128] = {
    52, 51, 50, 48, 47, 46, 44, 43, 42, 41, 40, 39, 38, 36, 35, 34, 33, 32, 31, 30, 30, 29, 28, 27, 26, 25, 24, 23, 23, 22, 21, 20,
    19, 19, 18, 17, 16, 16, 15, 14, 14, 13, 12, 12, 11, 10, 10, 9, 9, 8, 7, 7, 6, 6, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0,
    127, 125, 123, 121, 119, 118, 116, 114, 113, 111, 109, 108, 106, 105, 103, 102, 100, 99, 97, 96, 95, 93, 92, 91, 90, 88, 87, 86,
    85, 84, 83, 82, 80, 79, 78, 77, 76, 75, 74, 73, 72, 71, 70, 70, 69, 68, 67, 66, 65, 64, 63, 63, 62, 61, 60, 59, 59, 58, 57, 56,
    56, 55, 54, 53,
};
static const uint8_t rec7[128] = {
    127, 125, 123, 121, 119, 117, 116, 114, 112, 110, 109, 107, 105, 104, 102, 100, 99, 97, 96, 94, 93, 91, 90, 88, 87, 85, 84, 83,
    81, 80, 79, 77, 76, 75, 74, 72, 71, 70, 69, 68, 66, 65, 64, 63, 62, 61, 60, 59, 58, 57, 56, 55, 54, 53, 52, 51, 50, 49, 48, 47,
    46, 45, 44, 43, 42, 41, 40, 40, 39, 38, 37, 36, 35, 35, 34, 33, 32, 31, 31, 30, 29, 28, 28, 27, 26, 25, 25, 24, 23, 23, 22, 21,
    21, 20, 19, 19, 18, 17, 17, 16, 15, 15, 14, 14, 13, 12, 12, 11, 11, 10, 9, 9, 8, 8, 7, 7, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0,
};

static uint64_t frsqrt7(struct vx *c, uint64_t v)
{
    unsigned exp, man;
    split(c->sew, &exp, &man);
    uint64_t sign = v >> (exp + man) & 1, m = v & bits_mask(man);
    int64_t e = (int64_t)(v >> man & bits_mask(exp)), bias = (1ll << (exp - 1)) - 1;
    uint64_t nan = fpu_default_nan(fmt(c->sew), FPU_NAN_CANON), inf = bits_mask(exp) << man;

    if (e == (int64_t)bits_mask(exp) && m) {
        if (fpu_is_snan(fmt(c->sew), v)) c->flags |= FPU_INVALID;
        return nan;
    }
    if (!e && !m) {
        c->flags |= FPU_DIVZERO;
        return sign << (exp + man) | inf;
    }
    if (sign) {
        c->flags |= FPU_INVALID;
        return nan;
    }
    if (e == (int64_t)bits_mask(exp)) return 0;
    if (!e) {
        while (!(m >> (man - 1) & 1)) e--, m <<= 1;
        m = m << 1 & bits_mask(man);
    }
    return (uint64_t)((3 * bias - 1 - e) / 2) << man | (uint64_t)rsqrt7[(e & 1) << 6 | m >> (man - 6)] << (man - 7);
}

static uint64_t frec7(struct vx *c, uint64_t v)
{
    unsigned exp, man, rm = c->r->c.fp.rm;
    split(c->sew, &exp, &man);
    uint64_t sign = v >> (exp + man) & 1, m = v & bits_mask(man), s = sign << (exp + man), out;
    int64_t e = (int64_t)(v >> man & bits_mask(exp)), bias = (1ll << (exp - 1)) - 1, oe;
    uint64_t inf = bits_mask(exp) << man;

    if (e == (int64_t)bits_mask(exp)) {
        if (!m) return s;
        if (fpu_is_snan(fmt(c->sew), v)) c->flags |= FPU_INVALID;
        return fpu_default_nan(fmt(c->sew), FPU_NAN_CANON);
    }
    if (!e && !m) {
        c->flags |= FPU_DIVZERO;
        return s | inf;
    }
    if (!e) {
        while (!(m >> (man - 1) & 1)) e--, m <<= 1;
        m = m << 1 & bits_mask(man);
        if (e < -1) { /* the reciprocal overflows */
            c->flags |= FPU_OVERFLOW | FPU_INEXACT;
            return rm == FPU_RTZ || (rm == FPU_RDN && !sign) || (rm == FPU_RUP && sign) ? s | (inf - 1) : s | inf;
        }
    }
    oe = 2 * bias - 1 - e;
    out = (uint64_t)rec7[m >> (man - 7)] << (man - 7);
    if (oe <= 0) { /* a subnormal result: 0 or 1 below the smallest exponent */
        out = (out >> 1 | 1ull << (man - 1)) >> (oe < 0);
        oe = 0;
    }
    return s | (uint64_t)oe << man | out;
}
void riscv_vop_frsqrt7(struct vx *c)
{
    EACH(i) vel_set(c->d, c->sew, i, frsqrt7(c, vel_get(c->a, c->sew, i)));
}
void riscv_vop_frec7(struct vx *c)
{
    EACH(i) vel_set(c->d, c->sew, i, frec7(c, vel_get(c->a, c->sew, i)));
}
