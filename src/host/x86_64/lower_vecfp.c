/*
 * lower_vecfp.c: floating point on vectors. As lower_fp.c, with the checks over all lanes: an odd lane sends the whole
 * operation to gen_slow (flags raised twice are the same flags).
 *
 * To gen_slow without a host instruction: F16 arithmetic below AVX512-FP16; F64 <-> I64 and unsigned conversions below
 * AVX-512; quiet ordered compares below AVX.
 */
#include "host/x86_64/lower_sse.h"

static const uint64_t lane_ones[] = { 0x0001000100010001, 0x0000000100000001, 1 }; /* one in each lane: F16 F32 F64 */
static const uint32_t cmpeq[] = { X_PCMPEQW, X_PCMPEQD, X_PCMPEQQ };

/* F16 F32 F64 -> 0 1 2 */
static unsigned lane_index(const struct ir_ins *in)
{
    return in->sub - L_F16;
}

static unsigned packed(unsigned op, unsigned i)
{
    return fp_op(op, T_F16 + i, true);
}

/* Jumps if some lane of mask t is set; returns the end of the jump. r: scratch. */
static uint8_t *jump_any(struct gen *g, unsigned i, unsigned t, unsigned r)
{
    v2(g, i == 2 ? X_MOVMSKPD : i == 1 ? X_MOVMSKPS : X_PMOVMSKB, r, t);
    a_test_rr(g, 32, r, r);
    return a_jcc_fwd(g, CC_NE);
}

enum { CHECK_NAN = 1, CHECK_TINY = 2 };

/* What host results of `in` have to be checked for; see lower_fp.c. */
static unsigned checks(const struct gen *g, const struct ir_ins *in)
{
    const struct ir_fp *fp = &g->ir->fp;
    bool convert = in->op == IR_VFCVTW || in->op == IR_VFCVTN || in->op == IR_VFRINT;
    bool nan = fp->nan == NAN_CANON || (fp->nan == NAN_ARM && !convert);
    bool tiny = fp->tiny_before && (in->op == IR_VFMUL || in->op == IR_VFMA || in->op == IR_VFCVTN);

    return (nan ? CHECK_NAN : 0) | (tiny ? CHECK_TINY : 0);
}

static void check_result(struct gen *g, V v, unsigned what, unsigned i, unsigned d)
{
    static const uint64_t min_norm[] = { 0x0400, 0x00800000, 0x0010000000000000 };
    uint64_t abs_mask = ~(lane_ones[i] << ((8u << (i + 1)) - 1));

    if (!what) return;
    unsigned t = tmp_xmm(g);
    if (i == 0) { /* as integers */
        unsigned u = what == 3 ? tmp_xmm(g) : t;
        v3m(g, X_PAND, t, d, pool2(g, abs_mask));
        if (what & CHECK_TINY) v3m(g, X_PCMPEQW, u, t, pool2(g, min_norm[0] * lane_ones[0]));
        if (what & CHECK_NAN) v3m(g, X_PCMPGTW, t, t, pool2(g, 0x7c00 * lane_ones[0]));
        if (u != t) v3(g, X_POR, t, t, u);
    } else if (what & CHECK_TINY) {
        struct opnd k = pool2(g, min_norm[i] * lane_ones[i]);
        v3m(g, X_ANDPS, t, d, pool2(g, abs_mask));
        if (x86.avx) {
            v3mi(g, packed(X_CMPPS, i), t, t, k, XCMP_EQ_UQ);
        } else {
            unsigned u = tmp_xmm(g);
            v3mi(g, packed(X_CMPPS, i), t, t, k, XCMP_EQ);
            v3i(g, packed(X_CMPPS, i), u, d, d, XCMP_UNORD);
            v3(g, X_ORPS, t, t, u);
        }
    } else {
        v3i(g, packed(X_CMPPS, i), t, d, d, XCMP_UNORD);
    }
    gen_slow_cold(g, v, jump_any(g, i, t, tmp_gpr(g)), d);
}

/* The common frame: rounding mode before, operation, check after. */
static bool arith(struct gen *g, V v, const struct ir_ins *in, unsigned op)
{
    unsigned i = lane_index(in), what = checks(g, in);

    if (g->ir->fp.slow) return fz_host(g, T_F16 + i) && fz_arith(g, v, in, T_F16 + i, T_F16 + i, true, op, in->mo);
    if (!fp_host_type(g, T_F16 + i) || !fp_host_rm(in->mo)) return false;
    if (in->op == IR_VFMA && !x86.fma) return false;
    unsigned a = use_r(g, in->a), c = in->c ? use_r(g, in->c) : 0;
    struct opnd b = { 0 };
    if (in->b) b = i == 0 ? o_reg(use_r(g, in->b)) : use_rm(g, in->b);
    unsigned d = what || in->mo != RM_DYN || in->op == IR_VFMA ? def_new(g, v) : def_r(g, v);
    uint8_t *rm = fp_static_rm(g, in->mo);
    if (in->op == IR_VFMA) {
        a_movaps(g, d, c);
        v3m(g, i == 2 ? X_VFMADD231PS | OP_W : i == 1 ? X_VFMADD231PS : X_VFMADD231PH, d, a, b);
    } else if (in->op == IR_VFSQRT) {
        v2(g, packed(op, i), d, a);
    } else {
        v3m(g, packed(op, i), d, a, b);
    }
    if (rm) gen_slow_cold(g, v, rm, d);
    check_result(g, v, what, i, d);
    return true;
}

static bool minmax(struct gen *g, V v, const struct ir_ins *in)
{
    bool max = in->op == IR_VFMAX;
    unsigned i = lane_index(in), op = packed(max ? X_MAXPS : X_MINPS, i);

    if (!fp_host_type(g, T_F16 + i)) return false;
    unsigned a = use_r(g, in->a), b = use_r(g, in->b);
    if (in->mo == MM_X86) {
        v3(g, op, def_r(g, v), a, b);
        return true;
    }
    unsigned t = tmp_xmm(g), d = def_new(g, v);
    uint8_t *site;
    if (i == 0) {
        e3k(g, X_VCMPPH, 1, a, o_reg(b), 0, 1);
        a_u8(g, XCMP_UNORD);
        e3k(g, X_VPMOVM2W, t, 0, o_reg(1), 0, 0);
    } else {
        v3i(g, packed(X_CMPPS, i), t, a, b, XCMP_UNORD);
    }
    site = jump_any(g, i, t, tmp_gpr(g));
    if (i && x86.avx512dq && x86.avx512vl) {
        v3i(g, i == 2 ? X_VRANGEPD : X_VRANGEPS, d, a, b, 4 | max);
    } else { /* equal operands may be zeros of different sign */
        v3(g, op, t, a, b);
        v3(g, op, d, b, a);
        v3(g, max ? X_ANDPS : X_ORPS, d, d, t);
    }
    gen_slow_cold(g, v, site, d);
    return true;
}

static bool compare(struct gen *g, V v, const struct ir_ins *in)
{
    static const uint8_t pred[2][4] = { /* [signalling][condition] */
        { XCMP_EQ, XCMP_LT_OQ, XCMP_LE_OQ, XCMP_UNORD }, { XCMP_EQ_OS, XCMP_LT_OS, XCMP_LE_OS, XCMP_UNORD_S },
    };
    unsigned i = lane_index(in), p = pred[!!(in->mo & FC_SIGNALLING)][in->mo & 3];

    if (!fp_host_type(g, T_F16 + i) || (p > 7 && !x86.avx)) return false;
    unsigned a = use_r(g, in->a), b = use_r(g, in->b), d = def_r(g, v);
    if (i == 0) {
        e3k(g, X_VCMPPH, 1, a, o_reg(b), 0, 1);
        a_u8(g, p);
        e3k(g, X_VPMOVM2W, d, 0, o_reg(1), 0, 0);
    } else {
        v3i(g, packed(X_CMPPS, i), d, a, b, p);
    }
    return true;
}

static void round_to(struct gen *g, unsigned i, unsigned d, unsigned a, unsigned imm)
{
    v2i(g, i == 2 ? X_ROUNDPD : i == 1 ? X_ROUNDPS : X_VRNDSCALEPH, d, a, imm);
}

/* RM_RMM by hand; the end of the jump for lanes of large numbers, infinities and NaNs (compared as integers: no
 * flags). */
static uint8_t *round_away(struct gen *g, unsigned i, unsigned d, unsigned a)
{
    unsigned t = tmp_xmm(g), u = tmp_xmm(g), r = tmp_gpr(g);

    v3m(g, X_ANDPS, t, a, pool2(g, ~(lane_ones[i] << ((8u << (i + 1)) - 1))));
    v3m(g, X_PCMPGTD, t, t, pool2(g, i == 2 ? 0x432fffff7fffffff : 0x4affffff4affffff));
    uint8_t *site = jump_any(g, i, t, r);
    fp_round_away(g, T_F16 + i, true, d, a, t, u);
    return site;
}

static bool to_int(struct gen *g, V v, const struct ir_ins *in)
{
    static const unsigned op[2][2][3] = { /* [unsigned][truncating][lane] */
        { { X_VCVTPH2W, X_CVTPS2DQ, X_VCVTPD2QQ }, { X_VCVTTPH2W, X_CVTTPS2DQ, X_VCVTTPD2QQ } },
        { { X_VCVTPH2UW, X_VCVTPS2UDQ, X_VCVTPD2UQQ }, { X_VCVTTPH2UW, X_VCVTTPS2UDQ, X_VCVTTPD2UQQ } },
    };
    unsigned i = lane_index(in);
    bool uns = !(in->x & FTOI_SIGNED), inex = !(in->x & FTOI_NOINEX);
    bool direct = inex && (in->mo == RM_DYN || in->mo == RM_RTZ);

    bool away = in->mo == RM_RMM && i;
    uint8_t *site = NULL, *odd = NULL;

    if (!fp_host_type(g, T_F16 + i) || (!fp_host_rm(in->mo) && !away) || ((i == 2 || uns) && !has_avx512()))
        return false;
    unsigned a = use_r(g, in->a), t = tmp_xmm(g), u = tmp_xmm(g), r = tmp_gpr(g), d = def_new(g, v);
    if (away) odd = round_away(g, i, t, a);
    else if (!direct) round_to(g, i, t, a, fp_round_imm(in->mo) | XR_NOINEX);
    v2(g, op[uns][!direct || in->mo == RM_RTZ][i], d, direct ? a : t);
    /* inexact only where nothing is out of range, as in lower_fp.c */
    if (uns || !direct || (in->x & 6) != FTOI_X86) {
        v3m(g, cmpeq[i], u, d, pool2(g, uns ? ~0ull : lane_ones[i] << ((8u << (i + 1)) - 1)));
        site = jump_any(g, i, u, r);
    }
    if (!direct && inex) round_to(g, i, t, a, fp_round_imm(away ? RM_RTZ : in->mo));
    if (odd) gen_slow_cold(g, v, odd, d);
    if (site) gen_slow_cold(g, v, site, d);
    return true;
}

static bool from_int(struct gen *g, V v, const struct ir_ins *in)
{
    static const unsigned op[2][3] = { { X_VCVTUW2PH, X_VCVTUDQ2PS, X_VCVTUQQ2PD },
                                       { X_VCVTW2PH, X_CVTDQ2PS, X_VCVTQQ2PD } };
    unsigned i = lane_index(in);

    if (!fp_host_type(g, T_F16 + i) || !fp_host_rm(in->mo) || ((i == 2 || !in->x) && !has_avx512())) return false;
    unsigned a = use_r(g, in->a), d = def_new(g, v);
    uint8_t *rm = fp_static_rm(g, in->mo);
    v2(g, op[!!in->x][i], d, a);
    if (rm) gen_slow_cold(g, v, rm, d);
    return true;
}

static bool round_int(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned i = lane_index(in), what = checks(g, in);

    if (in->mo == RM_RMM && i && !in->x) {
        unsigned a = use_r(g, in->a), d = def_new(g, v);
        gen_slow_cold(g, v, round_away(g, i, d, a), d);
        return true;
    }
    if (!fp_host_type(g, T_F16 + i) || !fp_host_rm(in->mo)) return false;
    unsigned a = use_r(g, in->a), d = what ? def_new(g, v) : def_r(g, v);
    round_to(g, i, d, a, fp_round_imm(in->mo) | (in->x ? 0 : XR_NOINEX));
    check_result(g, v, what, i, d);
    return true;
}

static bool widen(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned i = lane_index(in), what = checks(g, in);

    if ((i == 0 && (!x86.f16c || g->ir->fp.ftz16)) || i > 1) return false;
    unsigned a = use_r(g, in->a), s = a, d = what ? def_new(g, v) : def_r(g, v);
    if (in->x) {
        s = tmp_xmm(g);
        v2i(g, X_PSHUFD, s, a, 0xee);
    }
    v2(g, i ? X_CVTPS2PD : X_VCVTPH2PS, d, s);
    check_result(g, v, what, i + 1, d);
    return true;
}

static bool narrow(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned i = lane_index(in), what = checks(g, in);

    if ((i == 0 && (!x86.f16c || g->ir->fp.ftz16)) || i > 1 || !fp_host_rm(in->mo)) return false;
    unsigned a = use_r(g, in->a), d = what || in->mo != RM_DYN ? def_new(g, v) : def_r(g, v);
    uint8_t *rm = fp_static_rm(g, in->mo);
    if (i) v2(g, X_CVTPD2PS, d, a);
    else v2i(g, X_VCVTPS2PH, a, d, XR_CUR); /* the destination is the r/m operand */
    if (rm) gen_slow_cold(g, v, rm, d);
    check_result(g, v, what, i, d);
    return true;
}

bool lower_vec_fp(struct gen *g, V v, const struct ir_ins *in)
{
    if (in->op == IR_VFNEG || in->op == IR_VFABS) {
        unsigned i = lane_index(in), a = use_r(g, in->a);
        uint64_t s = lane_ones[i] << ((8u << (i + 1)) - 1);
        v3m(g, in->op == IR_VFNEG ? X_XORPS : X_ANDPS, def_r(g, v), a, pool2(g, in->op == IR_VFNEG ? s : ~s));
        return true;
    }
    if (g->ir->fp.slow && !(in->op >= IR_VFADD && in->op <= IR_VFMA)) return false;
    switch (in->op) {
    case IR_VFADD: return arith(g, v, in, X_ADDPS);
    case IR_VFSUB: return arith(g, v, in, X_SUBPS);
    case IR_VFMUL: return arith(g, v, in, X_MULPS);
    case IR_VFDIV: return arith(g, v, in, X_DIVPS);
    case IR_VFSQRT: return arith(g, v, in, X_SQRTPS);
    case IR_VFMA: return arith(g, v, in, 0);
    case IR_VFMIN: case IR_VFMAX: return minmax(g, v, in);
    case IR_VFCMP: return compare(g, v, in);
    case IR_VFTOI: return to_int(g, v, in);
    case IR_VITOF: return from_int(g, v, in);
    case IR_VFRINT: return round_int(g, v, in);
    case IR_VFCVTW: return widen(g, v, in);
    case IR_VFCVTN: return narrow(g, v, in);
    default: return false;
    }
}
