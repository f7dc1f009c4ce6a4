/*
 * sse_fp.isa.c: floating-point arithmetic, comparisons and conversions of SSE to SSE4.1, AVX, F16C. Intel SDM volume 2; exceptions: volume 1,
 * 11.5. Gates: @legacy/VEX.128/VEX.256. RCP and RSQRT give the nearest value of 12 bits; processors differ there.
 * Known gaps: none.
 */
#include "fpu/fpu.h"
#include "vec.h"

/* -- arithmetic ------------------------------------------------------------------------------------------------------------------ */

/* mo: rounding mode, or what a minimum is. */
static void packed(struct xlat *t, F *f, enum ir_op op, enum ir_lane lane, unsigned mo)
{
    struct vv b = vget(t, f, second(f)), a = vget(t, f, first(f)), r = { { 0 } };
    V before = vfp_begin(t);
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = ir_vf(t, op, lane, mo, a.h[h], b.h[h], 0, 0);
    vfp_check(t, before);
    vput(t, f, r);
}
static void scalar(struct xlat *t, F *f, enum ir_op op, enum ir_type type)
{
    enum ir_lane lane = type == T_F32 ? L_F32 : L_F64;
    V b = vscalar(t, f, second(f), type), a = ir_vget(t, type, lane, vlow(t, f, first(f)), 0);
    V before = vfp_begin(t);
    V r = op == IR_FMIN || op == IR_FMAX ? ir_fminmax(t, op, a, b, MM_X86) : ir_fop2(t, op, a, b, RM_DYN);
    vfp_check(t, before);
    vput_scalar(t, f, lane, r);
}
INSN(addps, "VEX?.NP.0F 58 /r Vps,Hps,Wps @SSE/AVX", "{v}addps")
{
    packed(t, f, IR_VFADD, L_F32, RM_DYN);
}
INSN(addpd, "VEX?.66.0F 58 /r Vpd,Hpd,Wpd @SSE2/AVX", "{v}addpd")
{
    packed(t, f, IR_VFADD, L_F64, RM_DYN);
}
INSN(addss, "VEX?.F3.0F 58 /r Vss,Hss,Wss @SSE/AVX", "{v}addss")
{
    scalar(t, f, IR_FADD, T_F32);
}
INSN(addsd, "VEX?.F2.0F 58 /r Vsd,Hsd,Wsd @SSE2/AVX", "{v}addsd")
{
    scalar(t, f, IR_FADD, T_F64);
}
INSN(mulps, "VEX?.NP.0F 59 /r Vps,Hps,Wps @SSE/AVX", "{v}mulps")
{
    packed(t, f, IR_VFMUL, L_F32, RM_DYN);
}
INSN(mulpd, "VEX?.66.0F 59 /r Vpd,Hpd,Wpd @SSE2/AVX", "{v}mulpd")
{
    packed(t, f, IR_VFMUL, L_F64, RM_DYN);
}
INSN(mulss, "VEX?.F3.0F 59 /r Vss,Hss,Wss @SSE/AVX", "{v}mulss")
{
    scalar(t, f, IR_FMUL, T_F32);
}
INSN(mulsd, "VEX?.F2.0F 59 /r Vsd,Hsd,Wsd @SSE2/AVX", "{v}mulsd")
{
    scalar(t, f, IR_FMUL, T_F64);
}
INSN(subps, "VEX?.NP.0F 5C /r Vps,Hps,Wps @SSE/AVX", "{v}subps")
{
    packed(t, f, IR_VFSUB, L_F32, RM_DYN);
}
INSN(subpd, "VEX?.66.0F 5C /r Vpd,Hpd,Wpd @SSE2/AVX", "{v}subpd")
{
    packed(t, f, IR_VFSUB, L_F64, RM_DYN);
}
INSN(subss, "VEX?.F3.0F 5C /r Vss,Hss,Wss @SSE/AVX", "{v}subss")
{
    scalar(t, f, IR_FSUB, T_F32);
}
INSN(subsd, "VEX?.F2.0F 5C /r Vsd,Hsd,Wsd @SSE2/AVX", "{v}subsd")
{
    scalar(t, f, IR_FSUB, T_F64);
}
INSN(minps, "VEX?.NP.0F 5D /r Vps,Hps,Wps @SSE/AVX", "{v}minps")
{
    packed(t, f, IR_VFMIN, L_F32, MM_X86);
}
INSN(minpd, "VEX?.66.0F 5D /r Vpd,Hpd,Wpd @SSE2/AVX", "{v}minpd")
{
    packed(t, f, IR_VFMIN, L_F64, MM_X86);
}
INSN(minss, "VEX?.F3.0F 5D /r Vss,Hss,Wss @SSE/AVX", "{v}minss")
{
    scalar(t, f, IR_FMIN, T_F32);
}
INSN(minsd, "VEX?.F2.0F 5D /r Vsd,Hsd,Wsd @SSE2/AVX", "{v}minsd")
{
    scalar(t, f, IR_FMIN, T_F64);
}
INSN(divps, "VEX?.NP.0F 5E /r Vps,Hps,Wps @SSE/AVX", "{v}divps")
{
    packed(t, f, IR_VFDIV, L_F32, RM_DYN);
}
INSN(divpd, "VEX?.66.0F 5E /r Vpd,Hpd,Wpd @SSE2/AVX", "{v}divpd")
{
    packed(t, f, IR_VFDIV, L_F64, RM_DYN);
}
INSN(divss, "VEX?.F3.0F 5E /r Vss,Hss,Wss @SSE/AVX", "{v}divss")
{
    scalar(t, f, IR_FDIV, T_F32);
}
INSN(divsd, "VEX?.F2.0F 5E /r Vsd,Hsd,Wsd @SSE2/AVX", "{v}divsd")
{
    scalar(t, f, IR_FDIV, T_F64);
}
INSN(maxps, "VEX?.NP.0F 5F /r Vps,Hps,Wps @SSE/AVX", "{v}maxps")
{
    packed(t, f, IR_VFMAX, L_F32, MM_X86);
}
INSN(maxpd, "VEX?.66.0F 5F /r Vpd,Hpd,Wpd @SSE2/AVX", "{v}maxpd")
{
    packed(t, f, IR_VFMAX, L_F64, MM_X86);
}
INSN(maxss, "VEX?.F3.0F 5F /r Vss,Hss,Wss @SSE/AVX", "{v}maxss")
{
    scalar(t, f, IR_FMAX, T_F32);
}
INSN(maxsd, "VEX?.F2.0F 5F /r Vsd,Hsd,Wsd @SSE2/AVX", "{v}maxsd")
{
    scalar(t, f, IR_FMAX, T_F64);
}
INSN(andps, "VEX?.NP.0F 54 /r Vps,Hps,Wps @SSE/AVX", "{v}andps")
{
    vop2(t, f, IR_VAND, L_I64);
}
INSN(andpd, "VEX?.66.0F 54 /r Vpd,Hpd,Wpd @SSE2/AVX", "{v}andpd")
{
    vop2(t, f, IR_VAND, L_I64);
}
INSN(orps, "VEX?.NP.0F 56 /r Vps,Hps,Wps @SSE/AVX", "{v}orps")
{
    vop2(t, f, IR_VOR, L_I64);
}
INSN(orpd, "VEX?.66.0F 56 /r Vpd,Hpd,Wpd @SSE2/AVX", "{v}orpd")
{
    vop2(t, f, IR_VOR, L_I64);
}
INSN(xorps, "VEX?.NP.0F 57 /r Vps,Hps,Wps @SSE/AVX", "{v}xorps")
{
    vop2(t, f, IR_VXOR, L_I64);
}
INSN(xorpd, "VEX?.66.0F 57 /r Vpd,Hpd,Wpd @SSE2/AVX", "{v}xorpd")
{
    vop2(t, f, IR_VXOR, L_I64);
}
static V andn_part(struct xlat *t, F *f, V a, V b)
{
    return ir_v2(t, IR_VANDN, L_I64, b, a);
}
INSN(andnps, "VEX?.NP.0F 55 /r Vps,Hps,Wps @SSE/AVX", "{v}andnps")
{
    vmap2(t, f, andn_part);
}
INSN(andnpd, "VEX?.66.0F 55 /r Vpd,Hpd,Wpd @SSE2/AVX", "{v}andnpd")
{
    vmap2(t, f, andn_part);
}

static void sqrt_packed(struct xlat *t, F *f, enum ir_lane lane)
{
    struct vv a = vget(t, f, 1), r = { { 0 } };
    V before = vfp_begin(t);
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = ir_vf(t, IR_VFSQRT, lane, RM_DYN, a.h[h], 0, 0, 0);
    vfp_check(t, before);
    vput(t, f, r);
}
static void sqrt_scalar(struct xlat *t, F *f, enum ir_type type)
{
    V a = vscalar(t, f, second(f), type);
    V before = vfp_begin(t);
    V r = ir_fsqrt(t, a, RM_DYN);
    vfp_check(t, before);
    vput_scalar(t, f, type == T_F32 ? L_F32 : L_F64, r);
}
INSN(sqrtps, "VEX?.NP.0F 51 /r Vps,Wps @SSE/AVX", "{v}sqrtps")
{
    sqrt_packed(t, f, L_F32);
}
INSN(sqrtpd, "VEX?.66.0F 51 /r Vpd,Wpd @SSE2/AVX", "{v}sqrtpd")
{
    sqrt_packed(t, f, L_F64);
}
INSN(sqrtss, "VEX?.F3.0F 51 /r Vss,Hss,Wss @SSE/AVX", "{v}sqrtss")
{
    sqrt_scalar(t, f, T_F32);
}
INSN(sqrtsd, "VEX?.F2.0F 51 /r Vsd,Hsd,Wsd @SSE2/AVX", "{v}sqrtsd")
{
    sqrt_scalar(t, f, T_F64);
}

/*
 * Approximations raise no exceptions, and MXCSR means nothing to them: not computed by the host's unit, which holds the guest's MXCSR.
 * Denormal arguments count as zero, results too small to be normal are zero.
 */
static uint32_t approximate(uint32_t bits, bool root)
{
    uint32_t sign = bits & 0x80000000u, mag = bits & 0x7fffffffu;
    struct fpu_env e = { .rm = FPU_RNE, .nan = FPU_NAN_X86 };

    if (mag > 0x7f800000u) return bits | 0x400000u;                /* NaN */
    if (mag < 0x800000u) return sign | 0x7f800000u;                /* zero, denormal */
    if (root && sign) return 0xffc00000u;
    if (mag == 0x7f800000u) return sign;
    uint64_t r = fpu_div(&e, FPU_F64, 1023ull << 52, fpu_cvt(&e, FPU_F64, FPU_F32, bits));
    if (root) r = fpu_sqrt(&e, FPU_F64, r);
    r = (r + (1ull << 39)) & ~((1ull << 40) - 1);                  /* 12 bits */
    return (r >> 52 & 0x7ff) < 1023 - 126 ? sign : (uint32_t)fpu_cvt(&e, FPU_F32, FPU_F64, r);
}
HELPER(uint32_t, rcp, (CPU *cpu, uint32_t x), "pure")
{
    return approximate(x, false);
}
HELPER(uint32_t, rsqrt, (CPU *cpu, uint32_t x), "pure")
{
    return approximate(x, true);
}
static V approx(struct xlat *t, V x, bool root)
{
    return root ? IR_CALL(t, rsqrt, x) : IR_CALL(t, rcp, x);
}
static void approx_packed(struct xlat *t, F *f, bool root)
{
    struct vv a = vget(t, f, 1), r = a;
    for (unsigned i = 0; i < parts(f) * 4; i++)
        r.h[i / 4] = ir_vins(t, L_I32, r.h[i / 4], approx(t, ir_vget(t, T_I32, L_I32, a.h[i / 4], i % 4), root), i % 4);
    vput(t, f, r);
}
INSN(rcpps, "VEX?.NP.0F 53 /r Vps,Wps @SSE/AVX", "{v}rcpps")
{
    approx_packed(t, f, false);
}
INSN(rsqrtps, "VEX?.NP.0F 52 /r Vps,Wps @SSE/AVX", "{v}rsqrtps")
{
    approx_packed(t, f, true);
}
INSN(rcpss, "VEX?.F3.0F 53 /r Vss,Hss,Wss @SSE/AVX", "{v}rcpss")
{
    vput_scalar(t, f, L_I32, approx(t, vscalar(t, f, second(f), T_I32), false));
}
INSN(rsqrtss, "VEX?.F3.0F 52 /r Vss,Hss,Wss @SSE/AVX", "{v}rsqrtss")
{
    vput_scalar(t, f, L_I32, approx(t, vscalar(t, f, second(f), T_I32), true));
}

/* Subtracts in the even lanes and adds in the odd ones; what is not wanted is computed on zeros, which raises nothing. */
static void addsub(struct xlat *t, F *f, enum ir_lane lane)
{
    struct vv b = vget(t, f, second(f)), a = vget(t, f, first(f)), r = { { 0 } };
    V even = lane == L_F32 ? ir_kv(t, 0xffffffff, 0xffffffff) : ir_kv(t, ~0ull, 0);

    V before = vfp_begin(t);
    for (unsigned h = 0; h < parts(f); h++) {
        V sub = ir_vf(t, IR_VFSUB, lane, RM_DYN, ir_v2(t, IR_VAND, L_I64, a.h[h], even), ir_v2(t, IR_VAND, L_I64, b.h[h], even), 0, 0);
        V add = ir_vf(t, IR_VFADD, lane, RM_DYN, ir_v2(t, IR_VANDN, L_I64, a.h[h], even), ir_v2(t, IR_VANDN, L_I64, b.h[h], even), 0, 0);
        r.h[h] = ir_v3(t, IR_VBSEL, L_I64, even, sub, add);
    }
    vfp_check(t, before);
    vput(t, f, r);
}
INSN(addsubps, "VEX?.F2.0F D0 /r Vps,Hps,Wps @SSE3/AVX", "{v}addsubps")
{
    addsub(t, f, L_F32);
}
INSN(addsubpd, "VEX?.66.0F D0 /r Vpd,Hpd,Wpd @SSE3/AVX", "{v}addsubpd")
{
    addsub(t, f, L_F64);
}

/* Of neighbours: of a in the low half of the result, of b in the high one. */
static V pairs(struct xlat *t, enum ir_op op, enum ir_lane lane, V a, V b)
{
    return ir_vf(t, op, lane, RM_DYN, ir_v2(t, IR_VUZP1, lane, a, b), ir_v2(t, IR_VUZP2, lane, a, b), 0, 0);
}
static void horizontal(struct xlat *t, F *f, enum ir_op op, enum ir_lane lane)
{
    struct vv b = vget(t, f, second(f)), a = vget(t, f, first(f)), r = { { 0 } };
    V before = vfp_begin(t);
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = pairs(t, op, lane, a.h[h], b.h[h]);
    vfp_check(t, before);
    vput(t, f, r);
}
INSN(haddps, "VEX?.F2.0F 7C /r Vps,Hps,Wps @SSE3/AVX", "{v}haddps")
{
    horizontal(t, f, IR_VFADD, L_F32);
}
INSN(haddpd, "VEX?.66.0F 7C /r Vpd,Hpd,Wpd @SSE3/AVX", "{v}haddpd")
{
    horizontal(t, f, IR_VFADD, L_F64);
}
INSN(hsubps, "VEX?.F2.0F 7D /r Vps,Hps,Wps @SSE3/AVX", "{v}hsubps")
{
    horizontal(t, f, IR_VFSUB, L_F32);
}
INSN(hsubpd, "VEX?.66.0F 7D /r Vpd,Hpd,Wpd @SSE3/AVX", "{v}hsubpd")
{
    horizontal(t, f, IR_VFSUB, L_F64);
}

/* Lanes chosen by the low n bits of imm. */
static V lane_mask(struct xlat *t, enum ir_lane lane, unsigned imm)
{
    uint32_t m[4];
    uint64_t w[2];
    for (unsigned i = 0; i < 4; i++) m[i] = imm >> (lane == L_F32 ? i : i / 2) & 1 ? ~0u : 0;
    memcpy(w, m, 16);
    return ir_kv(t, w[0], w[1]);
}
/* Dot products: the products chosen by imm's high bits, summed, into the lanes chosen by its low bits. */
static void dot(struct xlat *t, F *f, enum ir_lane lane)
{
    struct vv b = vget(t, f, second(f)), a = vget(t, f, first(f)), r = { { 0 } };
    V in = lane_mask(t, lane, imm8(f) >> 4), out = lane_mask(t, lane, imm8(f));

    V before = vfp_begin(t);
    for (unsigned h = 0; h < parts(f); h++) {
        V p = ir_vf(t, IR_VFMUL, lane, RM_DYN, ir_v2(t, IR_VAND, L_I64, a.h[h], in), ir_v2(t, IR_VAND, L_I64, b.h[h], in), 0, 0);
        p = pairs(t, IR_VFADD, lane, ir_v2(t, IR_VAND, L_I64, p, in), ir_v2(t, IR_VAND, L_I64, p, in));
        if (lane == L_F32) p = pairs(t, IR_VFADD, lane, p, p);
        r.h[h] = ir_v2(t, IR_VAND, L_I64, p, out);
    }
    vfp_check(t, before);
    vput(t, f, r);
}
INSN(dpps, "VEX?.66.0F3A 40 /r Vps,Hps,Wps,Ib @SSE4_1/AVX", "{v}dpps")
{
    dot(t, f, L_F32);
}
INSN(dppd, "VEX?.L0.66.0F3A 41 /r Vdq,Hdq,Wdq,Ib @SSE4_1/AVX", "{v}dppd")
{
    dot(t, f, L_F64);
}

/* -- comparisons -------------------------------------------------------------------------------------------------------------------- */

/*
 * Predicates 0..31: which of less, equal, greater (both ways round) and unordered make it true, and whether a quiet NaN is invalid.
 * Built of one comparison that is false on NaN, and of FC_UN where NaN makes the predicate true and the comparison is not negated.
 */
struct predicate {
    uint8_t cond;       /* enum ir_fcond */
    bool swap, negate;  /* of b and a; the result */
    bool or_un, and_ordered;
};
static const struct predicate predicates[16] = {
    { FC_EQ, 0, 0, 0, 0 }, { FC_LT, 0, 0, 0, 0 }, { FC_LE, 0, 0, 0, 0 }, { FC_UN, 0, 0, 0, 0 },
    { FC_EQ, 0, 1, 0, 0 }, { FC_LT, 0, 1, 0, 0 }, { FC_LE, 0, 1, 0, 0 }, { FC_UN, 0, 1, 0, 0 },
    { FC_EQ, 0, 0, 1, 0 }, { FC_LE, 1, 1, 0, 0 }, { FC_LT, 1, 1, 0, 0 }, { FC_UN, 0, 0, 0, 1 },
    { FC_EQ, 0, 1, 0, 1 }, { FC_LE, 1, 0, 0, 0 }, { FC_LT, 1, 0, 0, 0 }, { FC_UN, 0, 1, 1, 0 },
};
/* Those of 0..15 that signal; 16..31 are the same with the other choice. */
static bool signals(unsigned imm)
{
    unsigned p = imm & 15;
    bool sig = p == 1 || p == 2 || p == 5 || p == 6 || p == 9 || p == 10 || p == 13 || p == 14;
    return imm & 16 ? !sig : sig;
}
static unsigned predicate_of(F *f)
{
    return imm8(f) & (is_vex(f) ? 31 : 7);
}
static V compare_part(struct xlat *t, F *f, enum ir_lane lane, V a, V b)
{
    unsigned imm = predicate_of(f);
    const struct predicate *p = &predicates[imm & 15];
    V ones = ir_kv(t, ~0ull, ~0ull), x = p->swap ? b : a, y = p->swap ? a : b;
    V r = ir_vf(t, IR_VFCMP, lane, p->cond | (signals(imm) ? FC_SIGNALLING : 0), x, y, 0, 0);

    if (p->negate) r = ir_v2(t, IR_VXOR, L_I64, r, ones);
    if (p->or_un || p->and_ordered) {
        V un = ir_vf(t, IR_VFCMP, lane, FC_UN, a, b, 0, 0);
        r = p->or_un ? ir_v2(t, IR_VOR, L_I64, r, un) : ir_v2(t, IR_VANDN, L_I64, r, un);
    }
    return r;
}
static void compare_packed(struct xlat *t, F *f, enum ir_lane lane)
{
    struct vv b = vget(t, f, second(f)), a = vget(t, f, first(f)), r = { { 0 } };
    V before = vfp_begin(t);
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = compare_part(t, f, lane, a.h[h], b.h[h]);
    vfp_check(t, before);
    vput(t, f, r);
}
static void compare_scalar(struct xlat *t, F *f, enum ir_type type)
{
    enum ir_lane lane = type == T_F32 ? L_F32 : L_F64;
    unsigned imm = predicate_of(f);
    const struct predicate *p = &predicates[imm & 15];
    V b = vscalar(t, f, second(f), type), a = ir_vget(t, type, lane, vlow(t, f, first(f)), 0);

    V before = vfp_begin(t);
    V r = ir_fcmp(t, (enum ir_fcond)p->cond, signals(imm), p->swap ? b : a, p->swap ? a : b);
    if (p->negate) r = ir_not(t, r);
    if (p->or_un || p->and_ordered) {
        V un = ir_fcmp(t, FC_UN, false, a, b);
        r = p->or_un ? ir_or(t, r, un) : ir_and(t, r, ir_not(t, un));
    }
    vfp_check(t, before);
    vput_scalar(t, f, type == T_F32 ? L_I32 : L_I64, ir_sext(t, type == T_F32 ? T_I32 : T_I64, r));
}
INSN(cmpps, "VEX?.NP.0F C2 /r Vps,Hps,Wps,Ib @SSE/AVX", "{v}cmp{pred}ps")
{
    compare_packed(t, f, L_F32);
}
INSN(cmppd, "VEX?.66.0F C2 /r Vpd,Hpd,Wpd,Ib @SSE2/AVX", "{v}cmp{pred}pd")
{
    compare_packed(t, f, L_F64);
}
INSN(cmpss, "VEX?.F3.0F C2 /r Vss,Hss,Wss,Ib @SSE/AVX", "{v}cmp{pred}ss")
{
    compare_scalar(t, f, T_F32);
}
INSN(cmpsd, "VEX?.F2.0F C2 /r Vsd,Hsd,Wsd,Ib @SSE2/AVX", "{v}cmp{pred}sd")
{
    compare_scalar(t, f, T_F64);
}

static void compare_flags(struct xlat *t, F *f, enum ir_type type, bool signalling)
{
    V b = vscalar(t, f, 1, type), a = vscalar(t, f, 0, type);
    V before = vfp_begin(t);
    V un = ir_fcmp(t, FC_UN, signalling, a, b), eq = ir_fcmp(t, FC_EQ, signalling, a, b), lt = ir_fcmp(t, FC_LT, signalling, a, b);
    vfp_check(t, before);
    put_flags_zpc(t, ir_or(t, eq, un), un, ir_or(t, lt, un));
}
INSN(ucomiss, "VEX?.NP.0F 2E /r Vss,Wss @SSE/AVX", "{v}ucomiss")
{
    compare_flags(t, f, T_F32, false);
}
INSN(ucomisd, "VEX?.66.0F 2E /r Vsd,Wsd @SSE2/AVX", "{v}ucomisd")
{
    compare_flags(t, f, T_F64, false);
}
INSN(comiss, "VEX?.NP.0F 2F /r Vss,Wss @SSE/AVX", "{v}comiss")
{
    compare_flags(t, f, T_F32, true);
}
INSN(comisd, "VEX?.66.0F 2F /r Vsd,Wsd @SSE2/AVX", "{v}comisd")
{
    compare_flags(t, f, T_F64, true);
}

/* -- rounding ------------------------------------------------------------------------------------------------------------------------- */

static enum ir_rm round_mode(unsigned imm)
{
    static const uint8_t modes[4] = { RM_RNE, RM_RDN, RM_RUP, RM_RTZ };
    return imm & 4 ? RM_DYN : (enum ir_rm)modes[imm & 3];
}
static void round_packed(struct xlat *t, F *f, enum ir_lane lane)
{
    struct vv a = vget(t, f, 1), r = { { 0 } };
    V before = vfp_begin(t);
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = ir_vf(t, IR_VFRINT, lane, round_mode(imm8(f)), a.h[h], 0, 0, !(imm8(f) & 8));
    vfp_check(t, before);
    vput(t, f, r);
}
static void round_scalar(struct xlat *t, F *f, enum ir_type type)
{
    V a = vscalar(t, f, second(f), type);
    V before = vfp_begin(t);
    V r = ir_frint(t, a, round_mode(imm8(f)), !(imm8(f) & 8));
    vfp_check(t, before);
    vput_scalar(t, f, type == T_F32 ? L_F32 : L_F64, r);
}
INSN(roundps, "VEX?.66.0F3A 08 /r Vps,Wps,Ib @SSE4_1/AVX", "{v}roundps")
{
    round_packed(t, f, L_F32);
}
INSN(roundpd, "VEX?.66.0F3A 09 /r Vpd,Wpd,Ib @SSE4_1/AVX", "{v}roundpd")
{
    round_packed(t, f, L_F64);
}
INSN(roundss, "VEX?.66.0F3A 0A /r Vss,Hss,Wss,Ib @SSE4_1/AVX", "{v}roundss")
{
    round_scalar(t, f, T_F32);
}
INSN(roundsd, "VEX?.66.0F3A 0B /r Vsd,Hsd,Wsd,Ib @SSE4_1/AVX", "{v}roundsd")
{
    round_scalar(t, f, T_F64);
}

/* -- conversions ---------------------------------------------------------------------------------------------------------------------- */

/* An integer operand into a scalar. */
static void from_int(struct xlat *t, F *f, enum ir_type type)
{
    V v = src(t, f, second(f));
    V before = vfp_begin(t);
    V r = ir_itof(t, type, v, RM_DYN, true);
    vfp_check(t, before);
    vput_scalar(t, f, type == T_F32 ? L_F32 : L_F64, r);
}
INSN(cvtsi2ss, "VEX?.F3.0F 2A /r Vss,Hss,Ey @SSE/AVX", "{v}cvtsi2ss")
{
    from_int(t, f, T_F32);
}
INSN(cvtsi2sd, "VEX?.F2.0F 2A /r Vsd,Hsd,Ey @SSE2/AVX", "{v}cvtsi2sd")
{
    from_int(t, f, T_F64);
}
static void to_int(struct xlat *t, F *f, enum ir_type type, enum ir_rm rm)
{
    V v = vscalar(t, f, 1, type);
    V before = vfp_begin(t);
    V r = ir_ftoi(t, type_of(f->op[0].bits), v, rm, FTOI_X86 | FTOI_SIGNED);
    vfp_check(t, before);
    dst(t, f, 0, r);
}
INSN(cvttss2si, "VEX?.F3.0F 2C /r Gy,Wss @SSE/AVX", "{v}cvttss2si")
{
    to_int(t, f, T_F32, RM_RTZ);
}
INSN(cvttsd2si, "VEX?.F2.0F 2C /r Gy,Wsd @SSE2/AVX", "{v}cvttsd2si")
{
    to_int(t, f, T_F64, RM_RTZ);
}
INSN(cvtss2si, "VEX?.F3.0F 2D /r Gy,Wss @SSE/AVX", "{v}cvtss2si")
{
    to_int(t, f, T_F32, RM_DYN);
}
INSN(cvtsd2si, "VEX?.F2.0F 2D /r Gy,Wsd @SSE2/AVX", "{v}cvtsd2si")
{
    to_int(t, f, T_F64, RM_DYN);
}
INSN(cvtss2sd, "VEX?.F3.0F 5A /r Vsd,Hsd,Wss @SSE2/AVX", "{v}cvtss2sd")
{
    V v = vscalar(t, f, second(f), T_F32);
    V before = vfp_begin(t);
    V r = ir_fcvt(t, T_F64, v, RM_DYN);
    vfp_check(t, before);
    vput_scalar(t, f, L_F64, r);
}
INSN(cvtsd2ss, "VEX?.F2.0F 5A /r Vss,Hss,Wsd @SSE2/AVX", "{v}cvtsd2ss")
{
    V v = vscalar(t, f, second(f), T_F64);
    V before = vfp_begin(t);
    V r = ir_fcvt(t, T_F32, v, RM_DYN);
    vfp_check(t, before);
    vput_scalar(t, f, L_F32, r);
}

/* Lane by lane, of the same width. */
static void convert_packed(struct xlat *t, F *f, enum ir_op op, enum ir_rm rm, unsigned x)
{
    struct vv a = vget(t, f, 1), r = { { 0 } };
    V before = vfp_begin(t);
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = ir_vf(t, op, L_F32, rm, a.h[h], 0, 0, x);
    vfp_check(t, before);
    vput(t, f, r);
}
INSN(cvtdq2ps, "VEX?.NP.0F 5B /r Vps,Wx @SSE2/AVX", "{v}cvtdq2ps")
{
    convert_packed(t, f, IR_VITOF, RM_DYN, 1);
}
INSN(cvtps2dq, "VEX?.66.0F 5B /r Vx,Wps @SSE2/AVX", "{v}cvtps2dq")
{
    convert_packed(t, f, IR_VFTOI, RM_DYN, FTOI_X86 | FTOI_SIGNED);
}
INSN(cvttps2dq, "VEX?.F3.0F 5B /r Vx,Wps @SSE2/AVX", "{v}cvttps2dq")
{
    convert_packed(t, f, IR_VFTOI, RM_RTZ, FTOI_X86 | FTOI_SIGNED);
}

/* To lanes twice as wide: the source is half the result. */
INSN(cvtps2pd, "VEX?.L0.NP.0F 5A /r Vdq,Wq @SSE2/AVX | VEX.L1.NP.0F 5A /r Vqq,Wdq @AVX", "{v}cvtps2pd")
{
    V a = vlow(t, f, 1);
    struct vv r = { { 0 } };
    V before = vfp_begin(t);
    if (parts(f) == 1) a = ir_v1x(t, IR_VZEXT, L_I64, a, 8); /* what lies above raises nothing */
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = ir_vf(t, IR_VFCVTW, L_F32, RM_DYN, a, 0, 0, h);
    vfp_check(t, before);
    vput(t, f, r);
}
INSN(cvtdq2pd, "VEX?.L0.F3.0F E6 /r Vdq,Wq @SSE2/AVX | VEX.L1.F3.0F E6 /r Vqq,Wdq @AVX", "{v}cvtdq2pd")
{
    V a = vlow(t, f, 1);
    struct vv r = { { 0 } };
    for (unsigned h = 0; h < parts(f); h++) /* exact */
        r.h[h] = ir_vf(t, IR_VITOF, L_F64, RM_DYN, ir_v1x(t, IR_VSXTL, L_I32, a, h), 0, 0, 1);
    vput(t, f, r);
}
/* To lanes half as wide: the result is half the source, zeros above. */
static void halve(struct xlat *t, F *f, V (*fn)(struct xlat *t, V a, enum ir_rm rm), enum ir_rm rm)
{
    struct vv a = vget(t, f, 1);
    V r[2] = { 0 };
    V before = vfp_begin(t);
    for (unsigned h = 0; h < parts(f); h++) r[h] = fn(t, a.h[h], rm);
    vfp_check(t, before);
    vput1(t, f, parts(f) == 2 ? ir_v2x(t, IR_VINSV, L_I64, r[0], r[1], 1, 0) : r[0]);
}
static V pd_to_ps(struct xlat *t, V a, enum ir_rm rm)
{
    return ir_vf(t, IR_VFCVTN, L_F32, rm, a, 0, 0, 0);
}
INSN(cvtpd2ps, "VEX?.66.0F 5A /r Vdq,Wpd @SSE2/AVX", "{v}cvtpd2ps")
{
    halve(t, f, pd_to_ps, RM_DYN);
}
static V pd_to_dq(struct xlat *t, V a, enum ir_rm rm)
{
    V r = zero(t);
    for (unsigned i = 0; i < 2; i++)
        r = ir_vins(t, L_I32, r, ir_ftoi(t, T_I32, ir_vget(t, T_F64, L_F64, a, i), rm, FTOI_X86 | FTOI_SIGNED), i);
    return r;
}
INSN(cvtpd2dq, "VEX?.F2.0F E6 /r Vdq,Wpd @SSE2/AVX", "{v}cvtpd2dq")
{
    halve(t, f, pd_to_dq, RM_DYN);
}
INSN(cvttpd2dq, "VEX?.66.0F E6 /r Vdq,Wpd @SSE2/AVX", "{v}cvttpd2dq")
{
    halve(t, f, pd_to_dq, RM_RTZ);
}

/* -- half precision ------------------------------------------------------------------------------------------------------------------- */

INSN(vcvtph2ps, "VEX.L0.66.0F38.W0 13 /r Vdq,Wq @F16C | VEX.L1.66.0F38.W0 13 /r Vqq,Wdq @F16C", "vcvtph2ps")
{
    V a = vlow(t, f, 1);
    struct vv r = { { 0 } };
    V before = vfp_begin(t);
    if (parts(f) == 1) a = ir_v1x(t, IR_VZEXT, L_I64, a, 8);
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = ir_vf(t, IR_VFCVTW, L_F16, RM_DYN, a, 0, 0, h);
    vfp_check(t, before);
    vput(t, f, r);
}
INSN(vcvtps2ph, "VEX.L0.66.0F3A.W0 1D /r Wq,Vdq,Ib @F16C | VEX.L1.66.0F3A.W0 1D /r Wdq,Vqq,Ib @F16C", "vcvtps2ph")
{
    struct vv a = vget(t, f, 1);
    V r[2] = { 0 };
    V before = vfp_begin(t);
    for (unsigned h = 0; h < parts(f); h++) r[h] = ir_vf(t, IR_VFCVTN, L_F16, round_mode(imm8(f)), a.h[h], 0, 0, 0);
    vfp_check(t, before);
    vput_at(t, f, (struct vv){ { parts(f) == 2 ? ir_v2x(t, IR_VINSV, L_I64, r[0], r[1], 1, 0) : r[0] } }, ANYWHERE);
}

/* -- control and status ----------------------------------------------------------------------------------------------------------------- */

HELPER(uint32_t, ldmxcsr, (CPU *cpu, uint32_t v), "fault fp r=sys w=sys")
{
    if (v >> 16) cpu_raise(cpu, EXC_GUEST, VEC_GP, 0);
    x86_set_mxcsr(cpu, v);
    return cpu->mode;
}
HELPER(uint32_t, stmxcsr, (CPU *cpu), "fp r=sys")
{
    return x86_mxcsr(cpu);
}
INSN(ldmxcsr, "VEX?.L0.NP.0F AE /2 Md @SSE/AVX", "{v}ldmxcsr")
{
    xl_stop_mode(t, IR_CALL(t, ldmxcsr, src(t, f, 0)));
}
INSN(stmxcsr, "VEX?.L0.NP.0F AE /3 Md @SSE/AVX", "{v}stmxcsr")
{
    dst(t, f, 0, IR_CALL0(t, stmxcsr));
}
