/*
 * fpu_test.c: fpu/ against the host's FPU where there is one to compare with (x86-64: results, NaNs and flags of random
 * and edge operands in its four rounding modes; binary16 with AVX512-FP16), against itself where formats must agree
 * (round-to-odd, nearest-away), and against tables for the rules no x86 has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "fpu/fpu.h"

typedef unsigned long long ull;

static uint64_t rnd_state = 0x2545f4914f6cdd1d;
static uint64_t rnd(void)
{
    uint64_t z = rnd_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static const struct { uint8_t bits, frac; } fmts[] = { { 16, 10 }, { 32, 23 }, { 64, 52 } };

/* A number that is likely to be near something interesting; near = an earlier operand. */
static uint64_t rnd_fp(enum fpu_fmt f, uint64_t near)
{
    const unsigned bits = fmts[f].bits, frac = fmts[f].frac;
    const uint64_t emax = bits_mask(bits - 1 - frac), r = rnd();
    uint64_t sign = (r >> 63) << (bits - 1), exp = r >> 40 & emax, man = rnd() & bits_mask(frac);

    switch (r & 15) {
    case 0: exp = 0; break;
    case 1: exp = emax; break;
    case 2: exp = emax - 1; break;
    case 3: exp = 1; break;
    case 4: exp = emax / 2; break;
    case 5: return (near ^ (r >> 60 & 7)) & bits_mask(bits);
    case 6: return (near ^ 1ull << (bits - 1)) & bits_mask(bits);
    case 7: exp = ((near >> frac) + (r >> 50 & 7) - 3) & emax; break;
    case 8: exp = (emax - 1 - (near >> frac & emax) + (r >> 50 & 3) - 1) & emax; break; /* product near 1, or the edges */
    case 9: exp = (emax / 2 + (r >> 50) % 70 - 4) & emax; break;
    default: break;
    }
    switch (r >> 4 & 7) {
    case 0: man = 0; break;
    case 1: man = bits_mask(frac); break;
    case 2: man = 1; break;
    case 3: man = 1ull << (r >> 10) % frac; break;
    case 4: man &= bits_mask(frac) << (r >> 10) % frac; break;
    case 5: man |= bits_mask(frac) & bits_mask((r >> 10) % frac); break;
    default: break;
    }
    return sign | exp << frac | man;
}

static struct fpu_env env(unsigned rm, unsigned nan)
{
    return (struct fpu_env){ .rm = (uint8_t)rm, .nan = (uint8_t)nan };
}

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>

/* Runs one host instruction with its own MXCSR; %0 is the result and first operand, %1 %2 the others. */
#define HOST(name, rcons, insn)                                                                            \
    static uint64_t name(uint32_t *csr, __m128i a, __m128i b, __m128i c)                                   \
    {                                                                                                      \
        uint32_t dflt = 0x1f80;                                                                            \
        uint64_t r = 0;                                                                                    \
        __asm__ volatile("ldmxcsr %3\n\t" insn "\n\tstmxcsr %3\n\tldmxcsr %5"                              \
                         : "+x"(a), "+x"(b), "+r"(r), "+m"(*csr) : "x"(c), "m"(dflt));                     \
        return rcons;                                                                                      \
    }
#define XMM ((uint64_t)_mm_cvtsi128_si64(a))
#define GPR r
#define ARITH(s)                                                                                           \
    HOST(h_add_##s, XMM, "vadd" #s " %1,%0,%0") HOST(h_sub_##s, XMM, "vsub" #s " %1,%0,%0")                \
    HOST(h_mul_##s, XMM, "vmul" #s " %1,%0,%0") HOST(h_div_##s, XMM, "vdiv" #s " %1,%0,%0")                \
    HOST(h_min_##s, XMM, "vmin" #s " %1,%0,%0") HOST(h_max_##s, XMM, "vmax" #s " %1,%0,%0")                \
    HOST(h_sqrt_##s, XMM, "vsqrt" #s " %0,%0,%0") HOST(h_fma_##s, XMM, "vfmadd132" #s " %1,%4,%0")
ARITH(sh)
ARITH(ss)
ARITH(sd)
#define CONV(s)                                                                                            \
    HOST(h_toi32_##s, (uint32_t)GPR, "vcvt" #s "2si %0,%k2") HOST(h_toi64_##s, GPR, "vcvt" #s "2si %0,%q2")
#define CONVU(s)                                                                                           \
    HOST(h_tou32_##s, (uint32_t)GPR, "vcvt" #s "2usi %0,%k2") HOST(h_tou64_##s, GPR, "vcvt" #s "2usi %0,%q2") \
    HOST(h_ucmp_##s, 0, "vucomi" #s " %1,%0") HOST(h_scmp_##s, 0, "vcomi" #s " %1,%0")
CONV(sh)
CONV(ss)
CONV(sd)
CONVU(sh)
CONVU(ss)
CONVU(sd)
#define RINT(s)                                                                                            \
    HOST(h_rint_##s, XMM, "vrndscale" #s " $4,%0,%0,%0") HOST(h_rintq_##s, XMM, "vrndscale" #s " $12,%0,%0,%0")
RINT(sh)
RINT(ss)
RINT(sd)
#define FROM(s)                                                                                            \
    HOST(h_i32_##s, XMM, "vmovq %0,%q2\n\tvpxor %0,%0,%0\n\tvcvtsi2" #s "l %k2,%0,%0")                     \
    HOST(h_i64_##s, XMM, "vmovq %0,%q2\n\tvpxor %0,%0,%0\n\tvcvtsi2" #s "q %q2,%0,%0")                     \
    HOST(h_u32_##s, XMM, "vmovq %0,%q2\n\tvpxor %0,%0,%0\n\tvcvtusi2" #s "l %k2,%0,%0")                    \
    HOST(h_u64_##s, XMM, "vmovq %0,%q2\n\tvpxor %0,%0,%0\n\tvcvtusi2" #s "q %q2,%0,%0")
FROM(sh)
FROM(ss)
FROM(sd)
HOST(h_hs, XMM, "vcvtsh2ss %0,%0,%0")
HOST(h_hd, XMM, "vcvtsh2sd %0,%0,%0")
HOST(h_sh, XMM, "vcvtss2sh %0,%0,%0")
HOST(h_sd, XMM, "vcvtss2sd %0,%0,%0")
HOST(h_dh, XMM, "vcvtsd2sh %0,%0,%0")
HOST(h_ds, XMM, "vcvtsd2ss %0,%0,%0")

typedef uint64_t host_fn(uint32_t *, __m128i, __m128i, __m128i);
enum host_kind { K_ADD, K_SUB, K_MUL, K_DIV, K_MIN, K_MAX, K_SQRT, K_FMA, K_TOI32, K_TOI64, K_TOU32, K_TOU64, K_QCMP, K_SCMP,
                 K_RINT, K_RINTQ, K_I32, K_I64, K_U32, K_U64, K_TO16, K_TO32, K_TO64, K_COUNT };
#define ROW(s) { h_add_##s, h_sub_##s, h_mul_##s, h_div_##s, h_min_##s, h_max_##s, h_sqrt_##s, h_fma_##s, h_toi32_##s,       \
                 h_toi64_##s, h_tou32_##s, h_tou64_##s, h_ucmp_##s, h_scmp_##s, h_rint_##s, h_rintq_##s, h_i32_##s, h_i64_##s, \
                 h_u32_##s, h_u64_##s,
static host_fn *const host_ops[3][K_COUNT] = {
    ROW(sh) NULL, h_hs, h_hd },
    ROW(ss) h_sh, NULL, h_sd },
    ROW(sd) h_dh, h_ds, NULL },
};

static uint64_t ours(struct fpu_env *e, enum fpu_fmt f, enum host_kind k, uint64_t a, uint64_t b, uint64_t c)
{
    switch (k) {
    case K_ADD: return fpu_add(e, f, a, b);
    case K_SUB: return fpu_sub(e, f, a, b);
    case K_MUL: return fpu_mul(e, f, a, b);
    case K_DIV: return fpu_div(e, f, a, b);
    case K_MIN: return fpu_minmax(e, f, a, b, false, 3);
    case K_MAX: return fpu_minmax(e, f, a, b, true, 3);
    case K_SQRT: return fpu_sqrt(e, f, a);
    case K_FMA: return fpu_fma(e, f, a, b, c);
    case K_TOI32: return fpu_to_int(e, f, a, 32, 1 | 2 << 1);
    case K_TOI64: return fpu_to_int(e, f, a, 64, 1 | 2 << 1);
    case K_TOU32: return fpu_to_int(e, f, a, 32, 2 << 1);
    case K_TOU64: return fpu_to_int(e, f, a, 64, 2 << 1);
    case K_QCMP: fpu_cmp(e, f, a, b, false); return 0;
    case K_SCMP: fpu_cmp(e, f, a, b, true); return 0;
    case K_RINT: return fpu_rint(e, f, a, true);
    case K_RINTQ: return fpu_rint(e, f, a, false);
    case K_I32: return fpu_from_int(e, f, a, 32, true);
    case K_I64: return fpu_from_int(e, f, a, 64, true);
    case K_U32: return fpu_from_int(e, f, a, 32, false);
    case K_U64: return fpu_from_int(e, f, a, 64, false);
    default: return fpu_cvt(e, (enum fpu_fmt)(k - K_TO16), f, a);
    }
}

static bool have(unsigned what)
{
    unsigned a, b, c, d, xa, xd;
    __cpuid_count(7, 0, a, b, c, d);
    if (!(b & 1u << 16) || !(b & 1u << 31)) /* AVX512F, AVX512VL */
        return false;
    __asm__("xgetbv" : "=a"(xa), "=d"(xd) : "c"(0));
    return (xa & 0xe6) == 0xe6 && (what == FPU_F16 ? d >> 23 & 1 : true);
}

static void against_host(enum fpu_fmt f, enum host_kind k, unsigned count)
{
    static const uint32_t host_rm[4] = { 0, 3, 1, 2 };  /* RNE RTZ RDN RUP in MXCSR's numbering */
    const bool from_int = k >= K_I32 && k <= K_U64;
    const enum fpu_fmt fr = k >= K_TO16 ? (enum fpu_fmt)(k - K_TO16) : f;

    for (unsigned n = 0; n < count; n++) {
        uint64_t a = rnd_fp(f, rnd()), b = rnd_fp(f, a), c = rnd_fp(f, n & 1 ? a : b);
        if (from_int) {
            a = rnd() >> (n & 63);
            a = n & 64 ? 0 - a : a;
        }
        uint32_t rm = n >> 3 & 3, csr = 0x1f80 | host_rm[rm] << 13;
        struct fpu_env e = env(FPU_RNE + rm, FPU_NAN_X86);
        uint64_t got = ours(&e, f, k, a, b, c);
        uint64_t want = host_ops[f][k](&csr, _mm_cvtsi64_si128((int64_t)a), _mm_cvtsi64_si128((int64_t)b), _mm_cvtsi64_si128((int64_t)c));
        uint32_t flags = (csr & 1) | (csr >> 1 & 0x1e);
        if (k >= K_TO16 || k < K_TOI32 || (k > K_TOU64))
            want &= bits_mask(fmts[fr].bits);
        if (k == K_QCMP || k == K_SCMP)
            want = 0;
        if ((k == K_TOU32 || k == K_TOU64) && flags & 1)
            want = got;        /* the host's indefinite value differs for unsigned results */
        if (got != want || e.flags != flags)
            fail_msg("fmt %d op %d rm %u: %llx %llx %llx gives %llx flags %x, host %llx flags %x", f, k, rm, (ull)a, (ull)b, (ull)c,
                     (ull)got, e.flags, (ull)want, flags);
    }
}

static void test_host(void **state)
{
    const char *scale = getenv("LYRE_TEST_SCALE");
    const unsigned count = 40000 * (scale ? (unsigned)atoi(scale) : 1);

    for (int f = have(FPU_F16) ? FPU_F16 : FPU_F32; f <= FPU_F64; f++) {
        if (!have((unsigned)f))
            skip();
        for (int k = 0; k < K_COUNT; k++) {
            if (host_ops[f][k] && (k != K_TO16 || have(FPU_F16)))
                against_host((enum fpu_fmt)f, (enum host_kind)k, count);
        }
    }
}
#else
static void test_host(void **state)
{
    skip();
}
#endif

/*
 * A narrower operation in any mode equals the wider one rounded to odd and then narrowed in that mode; so RMM and ODD, which
 * the host lacks, follow from the host's modes and from conversions.
 */
static void test_odd_then_narrow(void **state)
{
    for (unsigned n = 0; n < 400000; n++) {
        enum fpu_fmt f = n & 1 ? FPU_F32 : FPU_F16, g = f + 1;
        uint64_t a = rnd_fp(f, rnd()), b = rnd_fp(f, a);
        unsigned rm = FPU_RNE + n / 2 % 6, op = n / 12 % 4;
        struct fpu_env e = env(rm, FPU_NAN_CANON), w = env(FPU_ODD, FPU_NAN_CANON), x = w;
        uint64_t (*fn)(struct fpu_env *, enum fpu_fmt, uint64_t, uint64_t) = op == 0 ? fpu_add : op == 1 ? fpu_sub : op == 2 ? fpu_mul : fpu_div;

        uint64_t direct = fn(&e, f, a, b);
        uint64_t wa = fpu_cvt(&x, g, f, a), wb = fpu_cvt(&x, g, f, b);
        uint64_t wide = fn(&w, g, wa, wb);
        w.rm = (uint8_t)rm;
        if (!fpu_is_nan(g, wide) && (wide << 1 & bits_mask(fmts[g].bits)) == 0)
            wide = direct >> (fmts[f].bits - 1) ? 1ull << (fmts[g].bits - 1) : 0; /* the sign of an exact zero sum depends on the mode */
        uint64_t twice = fpu_cvt(&w, f, g, wide);
        w.flags |= x.flags;
        if (direct != twice || (e.flags & ~8u) != (w.flags & ~8u))
            fail_msg("fmt %d op %u rm %u: %llx %llx gives %llx %x, by way of the wider %llx %x", f, op, rm, (ull)a, (ull)b, (ull)direct, e.flags,
                     (ull)twice, w.flags);
    }
}

/* Nearest-away against a definition on integers: (2m + 1) / 2 style ties for conversions of integers to binary32. */
static void test_rmm(void **state)
{
    for (unsigned n = 0; n < 200000; n++) {
        uint64_t v = rnd() >> (rnd() & 31) | 1ull << 24;
        unsigned drop = 40 - (unsigned)__builtin_clzll(v); /* bits beyond 24 */
        if ((int)drop > 0 && n & 1)
            v = (v & ~bits_mask(drop)) | 1ull << (drop - 1);
        uint64_t m = (int)drop > 0 ? (v >> drop) + (v >> (drop - 1) & 1) : v;
        struct fpu_env e = env(FPU_RMM, 0), x = env(FPU_RNE, 0);
        uint64_t r = fpu_cvt(&x, FPU_F64, FPU_F32, fpu_from_int(&e, FPU_F32, v, 64, false));
        double d, want = (double)m * ((int)drop > 0 ? (double)(1ull << drop) : 1);
        memcpy(&d, &r, 8);
        assert_true(d == want);
        assert_true(x.flags == 0 && (e.flags == FPU_INEXACT) == ((int)drop > 0 && v & bits_mask(drop)));
    }
}

/* -- rules by table: binary32 ------------------------------------------------------------------------------------ */
#define QN  0x7fc00001u /* quiet, payload 1 */
#define QN2 0xffc00002u
#define SN  0x7f800003u
#define SN2 0xff800004u
#define QUIET(s) ((s) | 0x00400000u)
#define DN  0x7fc00000u
#define XN  0xffc00000u
#define INF 0x7f800000u
#define ONE 0x3f800000u
#define TWO 0x40000000u
#define NEG 0x80000000u
#define IV  FPU_INVALID

static void test_nan_rules(void **state)
{
    static const struct { uint32_t a, b, canon, arm, x86, flags; } two[] = {
        { QN, ONE, DN, QN, QN, 0 }, { ONE, QN2, DN, QN2, QN2, 0 }, { QN, QN2, DN, QN, QN, 0 }, { QN2, QN, DN, QN2, QN2, 0 },
        { SN, ONE, DN, QUIET(SN), QUIET(SN), IV }, { ONE, SN, DN, QUIET(SN), QUIET(SN), IV }, { QN, SN, DN, QUIET(SN), QN, IV },
        { SN, QN, DN, QUIET(SN), QUIET(SN), IV }, { SN2, SN, DN, QUIET(SN2), QUIET(SN2), IV }, { INF, INF | NEG, DN, DN, XN, IV },
    };
    for (size_t i = 0; i < ARRAY_LEN(two); i++) {
        const uint32_t want[] = { two[i].canon, two[i].arm, two[i].x86 };
        for (unsigned p = FPU_NAN_CANON; p <= FPU_NAN_X86; p++) {
            struct fpu_env e = env(FPU_RNE, p);
            assert_int_equal(fpu_add(&e, FPU_F32, two[i].a, two[i].b), want[p]);
            assert_int_equal(e.flags, two[i].flags);
        }
    }
    static const struct { uint32_t a, b, c, canon, arm, x86, canon_flags, arm_flags, x86_flags; } three[] = {
        { INF, 0, QN, DN, DN, QN, IV, IV, 0 },          /* inf * 0 + qNaN */
        { 0, INF | NEG, QN2, DN, DN, QN2, IV, IV, 0 },
        { INF, 0, SN, DN, QUIET(SN), QUIET(SN), IV, IV, IV },
        { INF, 0, ONE, DN, DN, XN, IV, IV, IV },
        { QN, 0, QN2, DN, QN2, QN, 0, 0, 0 },           /* Arm: the addend comes first */
        { QN, SN, QN2, DN, QUIET(SN), QN, IV, IV, IV },
        { SN, SN2, ONE, DN, QUIET(SN), QUIET(SN), IV, IV, IV },
        { SN, ONE, SN2, DN, QUIET(SN2), QUIET(SN), IV, IV, IV },
        { INF, ONE, INF | NEG, DN, DN, XN, IV, IV, IV },
        { QN, QN2, ONE, DN, QN, QN, 0, 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(three); i++) {
        const uint32_t want[] = { three[i].canon, three[i].arm, three[i].x86 };
        const uint32_t flags[] = { three[i].canon_flags, three[i].arm_flags, three[i].x86_flags };
        for (unsigned p = FPU_NAN_CANON; p <= FPU_NAN_X86; p++) {
            struct fpu_env e = env(FPU_RNE, p);
            uint64_t r = fpu_fma(&e, FPU_F32, three[i].a, three[i].b, three[i].c);
            if (r != want[p] || e.flags != flags[p])
                fail_msg("fma row %zu policy %u: %llx flags %x", i, p, (ull)r, e.flags);
        }
    }
    struct fpu_env e = env(FPU_RNE, FPU_NAN_ARM);
    assert_int_equal(fpu_cvt(&e, FPU_F16, FPU_F32, 0xff803000), 0xfe01); /* payload's top bits, quieted */
    assert_int_equal(fpu_cvt(&e, FPU_F64, FPU_F32, QN), 0x7ff8000020000000);
    assert_int_equal(e.flags, IV);
    e = env(FPU_RNE, FPU_NAN_CANON);
    assert_int_equal(fpu_cvt(&e, FPU_F64, FPU_F32, 0xffc00001), 0x7ff8000000000000);
    assert_int_equal(fpu_sqrt(&e, FPU_F32, 0xbf800000), DN);
    assert_int_equal(fpu_rint(&e, FPU_F32, SN2, true), DN);
    assert_int_equal(e.flags, IV);
}

static void test_minmax(void **state)
{
    enum { NUM, NUM08, PROP, X86 };
    static const struct { uint8_t kind, max, nan; uint32_t a, b, res, flags; } rows[] = {
        { NUM, 0, 0, 0, NEG, NEG, 0 }, { NUM, 1, 0, NEG, 0, 0, 0 }, { NUM, 0, 0, QN, ONE, ONE, 0 }, { NUM, 1, 0, ONE, SN, ONE, IV },
        { NUM, 0, 0, QN, QN2, DN, 0 }, { NUM, 0, 0, SN, QN2, DN, IV }, { NUM, 1, 0, ONE, TWO, TWO, 0 }, { NUM, 0, 0, INF | NEG, ONE, INF | NEG, 0 },
        { NUM08, 0, 1, QN, ONE, ONE, 0 }, { NUM08, 1, 1, SN, ONE, QUIET(SN), IV }, { NUM08, 0, 1, QN, SN2, QUIET(SN2), IV },
        { NUM08, 0, 1, QN, QN2, QN, 0 }, { PROP, 0, 1, ONE, QN, QN, 0 }, { PROP, 1, 1, SN, QN, QUIET(SN), IV }, { PROP, 0, 0, ONE, QN2, DN, 0 },
        { PROP, 0, 1, 0, NEG, NEG, 0 }, { X86, 0, 2, 0, NEG, NEG, 0 }, { X86, 0, 2, NEG, 0, 0, 0 }, { X86, 1, 2, QN, ONE, ONE, IV },
        { X86, 1, 2, ONE, SN, SN, IV },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fpu_env e = env(FPU_RNE, rows[i].nan);
        uint64_t r = fpu_minmax(&e, FPU_F32, rows[i].a, rows[i].b, rows[i].max, rows[i].kind);
        if (r != rows[i].res || e.flags != rows[i].flags)
            fail_msg("minmax row %zu: %llx flags %x", i, (ull)r, e.flags);
    }
}

static void test_compare(void **state)
{
    static const struct { uint32_t a, b; int res; uint32_t quiet, signalling; } rows[] = {
        { 0, NEG, 0, 0, 0 }, { ONE, TWO, -1, 0, 0 }, { ONE | NEG, TWO | NEG, 1, 0, 0 }, { INF, INF, 0, 0, 0 }, { INF | NEG, INF, -1, 0, 0 },
        { 1, 0, 1, 0, 0 }, { 1 | NEG, 0, -1, 0, 0 }, { 0, 1, -1, 0, 0 }, { 0, 1 | NEG, 1, 0, 0 }, { QN, ONE, 2, 0, IV }, { ONE, SN, 2, IV, IV },
        { INF, 0x7f7fffff, 1, 0, 0 }, { INF | NEG, 0xff7fffff, -1, 0, 0 }, { 2, 1, 1, 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int s = 0; s < 2; s++) {
            struct fpu_env e = env(FPU_RNE, 0);
            assert_int_equal(fpu_cmp(&e, FPU_F32, rows[i].a, rows[i].b, s), rows[i].res);
            assert_int_equal(e.flags, s ? rows[i].signalling : rows[i].quiet);
        }
    }
}

static void test_to_int(void **state)
{
    enum { S = 1, RV = 0, ARM = 2, X86 = 4, NOINEX = 8, NX = FPU_INEXACT };
    static const struct { uint8_t bits, ftoi, rm; uint32_t a; uint64_t res; uint32_t flags; } rows[] = {
        { 32, S | RV, FPU_RTZ, QN2, 0x7fffffff, IV }, { 32, RV, FPU_RTZ, QN, 0xffffffff, IV }, { 64, RV, FPU_RTZ, SN, ~0ull, IV },
        { 32, S | ARM, FPU_RTZ, QN, 0, IV }, { 64, ARM, FPU_RTZ, SN, 0, IV }, { 32, S | X86, FPU_RTZ, QN, 0x80000000, IV },
        { 64, S | X86, FPU_RTZ, INF, 1ull << 63, IV }, { 32, S | ARM, FPU_RTZ, INF | NEG, 0x80000000, IV }, { 32, S | RV, FPU_RTZ, INF, 0x7fffffff, IV },
        { 32, RV, FPU_RTZ, 0xbf800000, 0, IV }, { 32, ARM, FPU_RTZ, 0xbf400000, 0, NX }, { 32, RV, FPU_RDN, 0xbf000000, 0, IV },
        { 32, S | RV, FPU_RDN, 0xbf000000, 0xffffffff, NX }, { 32, S | RV, FPU_RNE, 0x3f000000, 0, NX }, { 32, S | RV, FPU_RMM, 0x3f000000, 1, NX },
        { 32, S | RV, FPU_RMM, 0xbf000000, 0xffffffff, NX }, { 32, S | RV, FPU_RNE, 0x3fc00000, 2, NX }, { 32, S | NOINEX, FPU_RNE, 0x3fc00000, 2, 0 },
        { 32, S, FPU_RTZ, 0xcf000000, 0x80000000, 0 }, { 32, S, FPU_RTZ, 0x4f000000, 0x7fffffff, IV }, { 32, 0, FPU_RTZ, 0x4f000000, 0x80000000, 0 },
        { 64, 0, FPU_RTZ, 0x5f800000, ~0ull, IV }, { 64, 0, FPU_RTZ, 0x5f000000, 1ull << 63, 0 }, { 64, S, FPU_RTZ, 0xdf000000, 1ull << 63, 0 },
        { 16, S | ARM, FPU_RTZ, 0x47000000, 0x7fff, IV }, { 16, S | ARM, FPU_RTZ, 0xc7000000, 0x8000, 0 }, { 32, S, FPU_RTZ, NEG, 0, 0 },
        { 64, S, FPU_RUP, 1, 1, NX }, { 64, S, FPU_RUP, 1 | NEG, 0, NX }, { 32, S, FPU_ODD, 0x40200000, 3, NX }, { 32, S, FPU_ODD, 0x40000000, 2, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fpu_env e = env(rows[i].rm, 0);
        uint64_t r = fpu_to_int(&e, FPU_F32, rows[i].a, rows[i].bits, rows[i].ftoi);
        if (r != rows[i].res || e.flags != rows[i].flags)
            fail_msg("to_int row %zu: %llx flags %x", i, (ull)r, e.flags);
    }
}

static void test_tiny_and_flush(void **state)
{
    enum { UF = FPU_UNDERFLOW, NX = FPU_INEXACT, ID = FPU_INDENORM };
    /* 0x00ffffff * 0.5 is exactly representable but one bit: rounds up to the smallest normal number */
    struct fpu_env e = env(FPU_RNE, FPU_NAN_ARM);
    assert_int_equal(fpu_mul(&e, FPU_F32, 0x00ffffff, 0x3f000000), 0x00800000);
    assert_int_equal(e.flags, UF | NX); /* with 24 bits and unbounded exponent it is exact, so below */
    e = env(FPU_RNE, FPU_NAN_ARM);
    assert_int_equal(fpu_mul(&e, FPU_F32, 0x3f7ff800, 0x00800400), 0x00800000);
    assert_int_equal(e.flags, NX);      /* after rounding to 24 bits it is the smallest normal: not tiny */
    e = env(FPU_RNE, FPU_NAN_ARM);
    e.tiny_before = 1;
    assert_int_equal(fpu_mul(&e, FPU_F32, 0x3f7ff800, 0x00800400), 0x00800000);
    assert_int_equal(e.flags, UF | NX);
    e.flags = 0;
    assert_int_equal(fpu_mul(&e, FPU_F32, 0x00800000, 0x3f000000), 0x00400000);
    assert_int_equal(e.flags, 0);       /* tiny, but exact */
    e.ftz = 1;
    assert_int_equal(fpu_mul(&e, FPU_F32, 0x80800000, 0x3f000000), 0x80000000);
    assert_int_equal(e.flags, UF);      /* flushed result: underflow alone, exact or not */
    e.flags = 0;
    assert_int_equal(fpu_mul(&e, FPU_F32, 0x3f7ff800, 0x00800400), 0);
    assert_int_equal(e.flags, UF);      /* flushed before rounding */
    e.flags = 0;
    assert_int_equal(fpu_add(&e, FPU_F32, 0x80000001, 0), 0);
    assert_int_equal(e.flags, ID);
    e.flags = 0;
    assert_int_equal(fpu_add(&e, FPU_F32, 0x80000001, 0x80000000), 0x80000000);
    assert_int_equal(fpu_div(&e, FPU_F32, ONE, 1), INF);
    assert_int_equal(e.flags, ID | FPU_DIVZERO);
    e.flags = 0;
    assert_int_equal(fpu_add(&e, FPU_F16, 0x0001, 0), 0);
    assert_int_equal(e.flags, 0);       /* FZ16: silent */
    assert_int_equal(fpu_cmp(&e, FPU_F32, 1, 0, false), 0);
    assert_int_equal(e.flags, ID);
    e.flags = 0;
    assert_int_equal(fpu_minmax(&e, FPU_F32, 0x80000001, ONE, false, 2), 0x80000000);
    assert_int_equal(fpu_to_int(&e, FPU_F32, 1, 32, 1), 0);
    assert_int_equal(fpu_rint(&e, FPU_F32, 0x80000001, true), 0x80000000);
    assert_int_equal(e.flags, ID);
    e.flags = 0;
    assert_int_equal(fpu_cvt(&e, FPU_F32, FPU_F16, 0x0001), 0x33800000); /* conversions keep binary16 denormals */
    assert_int_equal(fpu_cvt(&e, FPU_F16, FPU_F32, 0x33800000), 0x0001);
    assert_int_equal(e.flags, 0);
    assert_int_equal(fpu_cvt(&e, FPU_F32, FPU_F64, 0x3800000000000000), 0);
    assert_int_equal(e.flags, UF);
    /* overflow by mode */
    static const uint32_t big[] = { INF, 0x7f7fffff, 0x7f7fffff, INF, INF, 0x7f7fffff };
    for (unsigned rm = FPU_RNE; rm <= FPU_ODD; rm++) {
        e = env(rm, 0);
        assert_int_equal(fpu_add(&e, FPU_F32, 0x7f7fffff, 0x7f7fffff), big[rm - FPU_RNE]);
        assert_int_equal(e.flags, FPU_OVERFLOW | NX);
    }
    /* 2^-16 as a half from fixed point: a denormal; flushed as any result is. 3 * 2^-25: one rounding, ties to even */
    e = env(FPU_RNE, FPU_NAN_ARM);
    assert_int_equal(fpu_from_fixed(&e, FPU_F16, 1, 64, false, 16), 0x0100);
    assert_int_equal(e.flags, 0);
    assert_int_equal(fpu_from_fixed(&e, FPU_F16, 3, 64, true, 25), 0x0002);
    assert_int_equal(e.flags, UF | NX);
    e = env(FPU_RNE, FPU_NAN_ARM);
    e.ftz = 1;
    assert_int_equal(fpu_from_fixed(&e, FPU_F16, (uint64_t)-1, 64, true, 16), 0x8000);
    assert_int_equal(e.flags, UF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host),      cmocka_unit_test(test_odd_then_narrow), cmocka_unit_test(test_rmm),
        cmocka_unit_test(test_nan_rules), cmocka_unit_test(test_minmax),          cmocka_unit_test(test_compare),
        cmocka_unit_test(test_to_int),    cmocka_unit_test(test_tiny_and_flush),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
