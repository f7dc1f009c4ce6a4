/*
 * lower_fp.c: scalar floating point on SSE/AVX/AVX-512. The host's operation gives result and sticky flags (MXCSR);
 * what differs from the guest's policy (struct ir_fp) is caught by a check after or before it and redone by gen_slow:
 *   NaN results     NAN_CANON: loaded as a constant, the flags being right already; NAN_ARM: evaluated again, since
 * Arm prefers a signalling operand. Conversions and rounding have one operand: Arm's and x86's results agree. FMA inf
 * * 0 + qNaN is invalid here and not on x86: every NaN result is evaluated again. tiny_before     x86 detects
 * tininess after rounding. The two differ only in results that were rounded up to the smallest normal number. Sums in
 * that range are exact; quotients and roots cannot come that close to it from below; products, FMA and narrowing
 * conversions are evaluated again when they are that number. static rounding the dynamic mode is compared with it; if
 * they differ, gen_slow. RM_RMM          rounding to integral is done by hand; arithmetic: gen_slow, as for RM_ODD
 *   fp.slow, F16 without AVX512-FP16: gen_slow (F16 <-> F32 has F16C).
 */
#include "host/x86_64/lower_sse.h"
#include "host/x86_64/priv.h"

enum check { CHECK_NONE, CHECK_CANON, CHECK_EVAL, CHECK_TINY };

bool fp_host_type(const struct gen *g, unsigned type)
{
    return type != T_F16 || (x86.avx512_fp16 && x86.avx512vl && x86.avx512bw && !g->ir->fp.ftz16);
}

unsigned fp_op(unsigned op, unsigned type, bool vec)
{
    static const unsigned form[2][3] = { { XF_SH, XF_SS, XF_SD }, { XF_PH, XF_PS, XF_PD } };
    return op | form[vec][type - T_F16];
}
static unsigned scalar(unsigned op, unsigned type)
{
    return fp_op(op, type, false);
}

static uint64_t sign_bit(unsigned type)
{
    return type == T_F64 ? 1ull << 63 : type == T_F32 ? 0x8000000080000000 : 0x8000800080008000;
}

static unsigned compare_op(unsigned type, bool signalling)
{
    static const unsigned op[2][3] = { { X_VUCOMISH, X_UCOMISS, X_UCOMISD }, { X_VCOMISH, X_COMISS, X_COMISD } };
    return op[signalling][type - T_F16];
}
static void compare(struct gen *g, unsigned type, unsigned a, struct opnd b)
{
    v2m(g, compare_op(type, false), a, b);
}

/* A scalar operation with one source: VEX forms take the other lanes from a as well, no dependency on d. */
static void unary(struct gen *g, unsigned op, unsigned d, unsigned a)
{
    if (x86.avx || (op & XO_E)) v3(g, op, d, a, a);
    else v2(g, op, d, a);
}
static void unary_imm(struct gen *g, unsigned op, unsigned d, unsigned a, unsigned imm)
{
    if (x86.avx || (op & XO_E)) v3i(g, op, d, a, a, imm);
    else v2i(g, op, d, a, imm);
}

/* An operand that may be in memory, unless the instruction is EVEX-coded. */
static struct opnd src(struct gen *g, unsigned type, V v)
{
    return type == T_F16 ? o_reg(use_r(g, v)) : use_rm(g, v);
}

static enum check check_of(const struct gen *g, const struct ir_ins *in, unsigned type_a)
{
    const struct ir_fp *fp = &g->ir->fp;
    bool narrow = in->op == IR_FCVT && in->type < type_a;

    if (fp->tiny_before && (in->op == IR_FMUL || in->op == IR_FMA || narrow)) return CHECK_TINY;
    if (in->op == IR_FMA && fp->nan != NAN_X86) return CHECK_EVAL; /* x86's NaN is that of VFMADD231, whose operands these are */
    if (fp->nan == NAN_CANON) return CHECK_CANON;
    return fp->nan == NAN_X86 || in->op == IR_FCVT || in->op == IR_FRINT ? CHECK_NONE : CHECK_EVAL;
}

/*
 * NAN_CANON: is a NaN in v seen by nothing but one operation that canonicalises its own result? The search is short and
 * stops at anything whose deopt map may hold v.
 */
static bool absorbed(struct gen *g, V v)
{
    const struct val *val = root_of(g, v);

    if (val->uses != 1) return false;
    for (V i = v + 1; i < g->ir->nins && i < v + 16; i++) {
        const struct ir_ins *in = ins_of(g, i);
        unsigned flags = ir_opinfo[in->op].flags;
        if (in->a == v || in->b == v || in->c == v)
            return val->last <= i && (in->op == IR_FADD || in->op == IR_FSUB || in->op == IR_FMUL ||
                                      in->op == IR_FDIV || in->op == IR_FSQRT || in->op == IR_FMA);
        if (in->op == IR_CALL || (flags & (F_FAULT | F_END))) return false;
    }
    return false;
}

static void emit_canon(struct gen *g, struct cold *c)
{
    /* the default NaN: exponent and the top mantissa bit */
    unsigned d = c->reg[0], type = c->reg[1];
    unsigned op = type == T_F64 ? X_SHIFTQ_I : type == T_F32 ? X_SHIFTD_I : X_SHIFTW_I;

    vones(g, d);
    vsh(g, op, XS_SLL, d, d, type == T_F64 ? 52 : type == T_F32 ? 23 : 10);
    vsh(g, op, XS_SRL, d, d, 1);
    gen_cold_return(g, c);
}

/* Jumped to at `site` when d has to become the default NaN. */
static void canon_cold(struct gen *g, uint8_t *site, unsigned d, unsigned type)
{
    struct cold *c = gen_cold(g, emit_canon, site);
    c->reg[0] = (uint8_t)d;
    c->reg[1] = (uint8_t)type;
    gen_cold_back(g, c);
}

static void check_result(struct gen *g, V v, enum check ck, unsigned d)
{
    static const uint64_t abs_mask[] = { 0x7fff7fff7fff7fff, 0x7fffffff7fffffff, 0x7fffffffffffffff },
                          min_norm[] = { 0x0400, 0x00800000, 0x0010000000000000 };
    unsigned type = type_of(g, v), i = type - T_F16;
    uint8_t *site;

    if (ck == CHECK_NONE || (ck == CHECK_CANON && absorbed(g, v))) return;
    if (ck == CHECK_TINY) {
        unsigned t = tmp_xmm(g);
        v3m(g, X_ANDPS, t, d, pool2(g, abs_mask[i]));
        compare(g, type, t, pool2(g, min_norm[i])); /* equal is also what unordered gives */
        site = a_jcc_fwd(g, CC_E);
    } else {
        compare(g, type, d, o_reg(d));
        site = a_jcc_fwd(g, CC_P);
    }
    if (ck == CHECK_CANON) canon_cold(g, site, d, type);
    else gen_slow_cold(g, v, site, d);
}

/* A result register: apart from the operands if a cold path needs them. */
static unsigned def_checked(struct gen *g, V v, enum check ck, unsigned rm)
{
    return ck >= CHECK_EVAL || rm != RM_DYN ? def_new(g, v) : def_r(g, v);
}

uint8_t *fp_static_rm(struct gen *g, unsigned rm)
{
    if (rm == RM_DYN) return NULL;
    a_alui(g, ALU_CMP, 32, o_cpu(offsetof(CPU, fp.rm)), (int32_t)rm);
    return a_jcc_fwd(g, CC_NE);
}

/* Modes that the host has. */
bool fp_host_rm(unsigned rm)
{
    return rm != RM_RMM && rm != RM_ODD;
}

unsigned fp_round_imm(unsigned rm)
{
    static const uint8_t imm[] = { XR_CUR, XR_RNE, XR_RTZ, XR_RDN, XR_RUP };
    return imm[rm];
}

static bool arith(struct gen *g, V v, const struct ir_ins *in, unsigned op)
{
    enum check ck = check_of(g, in, in->type);

    if (g->ir->fp.slow) return fz_arith(g, v, in, in->type, in->type, false, op, in->sub);
    if (!fp_host_rm(in->sub)) return false;
    unsigned a = use_r(g, in->a);
    struct opnd b = in->op == IR_FSQRT ? o_reg(a) : src(g, in->type, in->b);
    unsigned d = def_checked(g, v, ck, in->sub);
    uint8_t *rm = fp_static_rm(g, in->sub);
    if (in->op == IR_FSQRT) unary(g, scalar(op, in->type), d, a);
    else v3m(g, scalar(op, in->type), d, a, b);
    if (rm) gen_slow_cold(g, v, rm, d);
    check_result(g, v, ck, d);
    return true;
}

static bool fused(struct gen *g, V v, const struct ir_ins *in)
{
    enum check ck = check_of(g, in, in->type);

    if (g->ir->fp.slow) return fz_arith(g, v, in, in->type, in->type, false, 0, in->sub);
    if (!x86.fma || !fp_host_rm(in->sub)) return false;
    unsigned a = use_r(g, in->a), b = use_r(g, in->b), c = use_r(g, in->c), d = def_new(g, v);
    uint8_t *rm = fp_static_rm(g, in->sub);
    a_movaps(g, d, c);
    v3(g, in->type == T_F64 ? X_VFMADD231SS | OP_W : in->type == T_F32 ? X_VFMADD231SS : X_VFMADD231SH, d, a, b);
    if (rm) gen_slow_cold(g, v, rm, d);
    check_result(g, v, ck, d);
    return true;
}

/* A NaN operand goes to C; of equal operands, which may be zeros of different sign, both are looked at. */
static bool minmax(struct gen *g, V v, const struct ir_ins *in)
{
    bool max = in->op == IR_FMAX;

    if (in->mo == MM_X86 && g->ir->fp.slow) return false;
    unsigned op = scalar(max ? X_MAXPS : X_MINPS, in->type), a = use_r(g, in->a), b = use_r(g, in->b);
    if (in->mo == MM_X86) {
        v3(g, op, def_r(g, v), a, b);
        return true;
    }
    unsigned t = tmp_xmm(g), d = def_new(g, v);
    uint8_t *odd = g->ir->fp.slow ? fz_denormal(g, in->type, false, a, b) : NULL;
    compare(g, in->type, a, o_reg(b));
    uint8_t *site = a_jcc_fwd(g, CC_P);
    if (x86.avx512dq && in->type != T_F16) {
        v3i(g, in->type == T_F64 ? X_VRANGESD : X_VRANGESS, d, a, b, 4 | max);
    } else {
        v3(g, op, t, a, b);
        v3(g, op, d, b, a);
        v3(g, max ? X_ANDPS : X_ORPS, d, d, t);
    }
    if (odd) gen_slow_cold(g, v, odd, d);
    gen_slow_cold(g, v, site, d);
    return true;
}

/* Equality is not one condition of the flags: a mask of ones or zero in a general register, F32 and F64. */
static bool has_eq_mask(unsigned type, bool signalling)
{
    return type != T_F16 && (x86.avx || !signalling);
}
static void eq_mask(struct gen *g, const struct ir_ins *in, unsigned d, unsigned a, struct opnd b)
{
    unsigned t = tmp_xmm(g);

    v3mi(g, scalar(X_CMPPS, type_of(g, in->a)), t, a, b, in->mo ? XCMP_EQ_OS : XCMP_EQ);
    a_movq_rx(g, 32, d, t);
}

/* The compare and the condition code that is the result; FC_EQ: and CC_NP. */
static unsigned flags_use(struct gen *g, const struct ir_ins *in, struct cond *c)
{
    unsigned type = type_of(g, in->a);
    V a = in->a, b = in->b;

    if (in->sub == FC_LT || in->sub == FC_LE) a = in->b, b = in->a; /* this way round, unordered is not above */
    *c = (struct cond){ .kind = CK_FCMP, .k = (int32_t)compare_op(type, in->mo), .a = o_reg(use_r(g, a)) };
    c->b = o_reg(use_r(g, b)); /* not memory: a branch may store homes before it compares */
    return in->sub == FC_LT ? CC_A : in->sub == FC_LE ? CC_AE : in->sub == FC_EQ ? CC_E : CC_P;
}

bool fcmp_can_wait(const struct gen *g, V v, uint32_t at)
{
    const struct ir_ins *in = ins_of(g, v);
    unsigned type = type_of(g, in->a);

    if (g->ir->fp.slow || !fp_host_type(g, type) || (in->sub == FC_EQ && !has_eq_mask(type, in->mo))) return false;
    for (V i = v + 1; i < at; i++) { /* nobody may look at the flags meanwhile */
        unsigned op = ins_of(g, i)->op;
        if (op == IR_CALL || op == IR_FENVRD || op == IR_FENVWR || op == IR_FRMWR || (ir_opinfo[op].flags & F_FAULT))
            return false;
    }
    return true;
}

void fcmp_use(struct gen *g, const struct ir_ins *in, struct cond *c)
{
    if (in->sub != FC_EQ) {
        c->cc = (uint8_t)flags_use(g, in, c);
        return;
    }
    unsigned a = use_r(g, in->a);
    struct opnd b = src(g, type_of(g, in->a), in->b);
    unsigned r = tmp_gpr(g);
    eq_mask(g, in, r, a, b);
    *c = (struct cond){ .cc = CC_NE, .kind = CK_TEST_RR, .bits = 32, .a = o_reg(r), .b = o_reg(r) };
}

void fcmp_emit(struct gen *g, const struct cond *c)
{
    v2m(g, (unsigned)c->k, c->a.reg, c->b);
}

static bool fcmp(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned type = type_of(g, in->a);
    struct cond c;

    if (!fp_host_type(g, type)) return false;
    if (g->ir->fp.slow) {
        unsigned a = use_r(g, in->a), b = use_r(g, in->b), t = tmp_xmm(g), d = def_new(g, v);
        static const uint8_t pred[2][4] = { { XCMP_EQ, XCMP_LT_OQ, XCMP_LE_OQ, XCMP_UNORD },
                                            { XCMP_EQ_OS, XCMP_LT_OS, XCMP_LE_OS, XCMP_UNORD_S } };
        uint8_t *odd = fz_denormal(g, type, false, a, b);
        v3i(g, scalar(X_CMPPS, type), t, a, b, pred[in->mo & 1][in->sub & 3]);
        a_movq_rx(g, 32, d, t);
        a_alui(g, ALU_AND, 32, o_reg(d), 1);
        gen_slow_cold(g, v, odd, d);
        return true;
    }
    if (in->sub == FC_EQ && has_eq_mask(type, in->mo)) {
        unsigned a = use_r(g, in->a);
        struct opnd b = src(g, type, in->b);
        unsigned d = def_r(g, v);
        eq_mask(g, in, d, a, b);
        a_alui(g, ALU_AND, 32, o_reg(d), 1);
        return true;
    }
    unsigned cc = flags_use(g, in, &c), d = def_r(g, v);
    a_alu(g, ALU_XOR, 32, d, o_reg(d));
    fcmp_emit(g, &c);
    a_setcc(g, cc, d);
    if (in->sub == FC_EQ) {
        unsigned t = tmp_gpr(g);
        a_mov_ri(g, t, 0);
        a_cmov(g, CC_P, 32, d, o_reg(t));
    }
    return true;
}

/* F16 <-> F32 by F16C, whose instructions are packed: the other lanes must be zero. */
static bool convert_f16c(struct gen *g, V v, const struct ir_ins *in, unsigned type_a)
{
    enum check ck = check_of(g, in, type_a);

    if (!x86.f16c || g->ir->fp.ftz16 || in->type == T_F64 || type_a == T_F64) return false;
    unsigned a = use_r(g, in->a), t = tmp_xmm(g);
    if (in->type == T_F32) {
        unsigned d = def_checked(g, v, ck, RM_DYN);
        vzero(g, t);
        v3i(g, X_PBLENDW, t, t, a, 1);
        v2(g, X_VCVTPH2PS, d, t);
        check_result(g, v, ck, d);
        return true;
    }
    unsigned r = tmp_gpr(g), d = def_checked(g, v, ck, in->sub);
    uint8_t *rm = fp_static_rm(g, in->sub), *site;
    v3i(g, X_INSERTPS, t, a, a, 0x0e);
    v2i(g, X_VCVTPS2PH, t, d, XR_CUR); /* the destination is the r/m operand */
    if (ck != CHECK_NONE) {
        a_movq_rx(g, 32, r, d);
        a_alui(g, ALU_AND, 32, o_reg(r), 0x7fff);
        if (ck == CHECK_TINY) {
            a_alui(g, ALU_CMP, 32, o_reg(r), 0x0400);
            site = a_jcc_fwd(g, CC_E);
            gen_slow_cold(g, v, site, d);
        }
        if (g->ir->fp.nan == NAN_CANON) {
            a_alui(g, ALU_CMP, 32, o_reg(r), 0x7c00);
            site = a_jcc_fwd(g, CC_A);
            canon_cold(g, site, d, T_F16);
        }
    }
    if (rm) gen_slow_cold(g, v, rm, d);
    return true;
}

static bool convert(struct gen *g, V v, const struct ir_ins *in)
{
    static const unsigned op[3][3] = { /* [from][to] */
        { 0, X_VCVTSH2SS, X_VCVTSH2SD }, { X_VCVTSS2SH, 0, X_CVTSS2SD }, { X_VCVTSD2SH, X_CVTSD2SS, 0 },
    };
    unsigned from = type_of(g, in->a);
    bool narrow = in->type < from;
    enum check ck = check_of(g, in, from);

    if (g->ir->fp.slow) {
        if (from != T_F64 || in->type != T_F32) return false;
        return fz_arith(g, v, in, from, in->type, false, X_CVTSD2SS, in->sub);
    }
    if (narrow && !fp_host_rm(in->sub)) return false;
    if (!fp_host_type(g, from) || !fp_host_type(g, in->type)) return convert_f16c(g, v, in, from);
    unsigned a = use_r(g, in->a), d = def_checked(g, v, ck, narrow ? in->sub : RM_DYN);
    uint8_t *rm = narrow ? fp_static_rm(g, in->sub) : NULL;
    unary(g, op[from - T_F16][in->type - T_F16], d, a);
    if (rm) gen_slow_cold(g, v, rm, d);
    check_result(g, v, ck, d);
    return true;
}

void fp_round_away(struct gen *g, unsigned type, bool vec, unsigned d, unsigned a, unsigned t, unsigned u)
{
    static const uint64_t ones[] = { 0x3f8000003f800000, 0x3ff0000000000000 },
                          halves[] = { 0x3f0000003f000000, 0x3fe0000000000000 },
                          signs[] = { 0x8000000080000000, 0x8000000000000000 };
    unsigned i = type - T_F32, round = i ? X_ROUNDPD : X_ROUNDPS;

    if (vec) v2i(g, round, d, a, XR_RTZ | XR_NOINEX);
    else unary_imm(g, i ? X_ROUNDSD : X_ROUNDSS, d, a, XR_RTZ | XR_NOINEX);
    v3(g, fp_op(X_SUBPS, type, vec), t, a, d); /* exact */
    v3m(g, X_ANDPS, t, t, pool2(g, ~signs[i]));
    v2m(g, X_MOVAPS, u, pool2(g, halves[i]));
    v3i(g, fp_op(X_CMPPS, type, vec), u, u, t, XCMP_LE_OS);
    v3m(g, X_ANDPS, u, u, pool2(g, ones[i]));
    v3m(g, X_ANDPS, t, a, pool2(g, signs[i]));
    v3(g, X_ORPS, u, u, t); /* one or zero with the operand's sign, so that zeros keep it */
    v3(g, fp_op(X_ADDPS, type, vec), d, d, u);
}

/* RM_RMM on the host, for what fp_round_away can take: the end of the jump for the rest, infinities and NaNs
 * included. */
static uint8_t *round_away(struct gen *g, unsigned type, unsigned d, unsigned a)
{
    unsigned t = tmp_xmm(g), u = tmp_xmm(g);

    v3m(g, X_ANDPS, t, a, pool2(g, ~sign_bit(type)));
    v2m(g, X_MOVAPS, u, pool2(g, type == T_F64 ? 0x4330000000000000 : 0x4b0000004b000000)); /* all above are integral */
    compare(g, type, u, o_reg(t));
    uint8_t *site = a_jcc_fwd(g, CC_BE);
    fp_round_away(g, type, false, d, a, t, u);
    return site;
}

static void round_to(struct gen *g, unsigned type, unsigned d, unsigned a, unsigned imm)
{
    unary_imm(g, type == T_F64 ? X_ROUNDSD : type == T_F32 ? X_ROUNDSS : X_VRNDSCALESH, d, a, imm);
}

/* Unsigned without AVX-512: x holds an integral value; r = it, other sites jump to the cold path. t: scratch. */
static unsigned to_unsigned_sse(struct gen *g, unsigned type, unsigned bits, unsigned r, unsigned x, unsigned t,
                                uint8_t **site)
{
    unsigned op = type == T_F64 ? X_CVTTSD2SI : X_CVTTSS2SI, n = 0;

    if (bits == 32) {
        v2(g, op | OP_W, r, x);
        a_mov_rr(g, 32, t, r);
        a_alu(g, ALU_CMP, 64, t, o_reg(r));
        site[n++] = a_jcc_fwd(g, CC_NE);
    } else {
        compare(g, type, x, pool2(g, type == T_F64 ? 0x43e0000000000000 : 0x5f000000)); /* 2^63 */
        site[n++] = a_jcc_fwd(g, CC_AE);
        v2(g, op | OP_W, r, x);
        a_test_rr(g, 64, r, r);
        site[n++] = a_jcc_fwd(g, CC_S);
    }
    return n;
}

/*
 * To integer. Rounding first and converting the integral value after, where the mode is not one that the conversion
 * has. Inexact must not be raised together with invalid, so it is raised after the range is known to be right, except
 * where a value out of range is always integral.
 */
static bool to_int(struct gen *g, V v, const struct ir_ins *in)
{
    static const unsigned op[2][2][3] = { /* [unsigned][truncating][type] */
        { { X_VCVTSH2SI, X_CVTSS2SI, X_CVTSD2SI }, { X_VCVTTSH2SI, X_CVTTSS2SI, X_CVTTSD2SI } },
        { { X_VCVTSH2USI, X_VCVTSS2USI, X_VCVTSD2USI }, { X_VCVTTSH2USI, X_VCVTTSS2USI, X_VCVTTSD2USI } },
    };
    unsigned from = type_of(g, in->a), bits = ir_type_bits[in->type], w = bits == 64 ? OP_W : 0;
    bool uns = !(in->mo & FTOI_SIGNED), inex = !(in->mo & FTOI_NOINEX), sse = uns && !x86.avx512vl;
    bool direct = inex && !sse && (in->sub == RM_DYN || in->sub == RM_RTZ);
    bool away = in->sub == RM_RMM && from != T_F16 && !g->ir->fp.slow;
    uint8_t *site[5];
    unsigned n = 0;

    if (!fp_host_type(g, from) || (!fp_host_rm(in->sub) && !away)) return false;
    unsigned a = use_r(g, in->a), t = tmp_xmm(g), r = sse ? tmp_gpr(g) : 0, d = def_r(g, v);
    if (g->ir->fp.slow) site[n++] = fz_denormal(g, from, false, a, a);
    if (away) site[n++] = round_away(g, from, t, a);
    else if (!direct) round_to(g, from, t, a, fp_round_imm(in->sub) | XR_NOINEX);
    if (sse) {
        n += to_unsigned_sse(g, from, bits, d, t, r, site + n);
    } else {
        v2(g, op[uns][!direct || in->sub == RM_RTZ][from - T_F16] | w, d, direct ? a : t);
        if (uns) a_alui(g, ALU_CMP, bits, o_reg(d), -1);
        else a_alui(g, ALU_CMP, bits, o_reg(d), 1); /* the minimum, which stands for out of range, overflows */
        if (uns || !direct || (in->mo & 6) != FTOI_X86) site[n++] = a_jcc_fwd(g, uns ? CC_E : CC_O);
    }
    if (!direct && inex) round_to(g, from, t, a, fp_round_imm(away ? RM_RTZ : in->sub));
    for (unsigned i = 0; i < n; i++) gen_slow_cold(g, v, site[i], d);
    return true;
}

static bool from_int(struct gen *g, V v, const struct ir_ins *in)
{
    static const unsigned op[2][3] = { { X_VCVTSI2SH, X_CVTSI2SS, X_CVTSI2SD },
                                       { X_VCVTUSI2SH, X_VCVTUSI2SS, X_VCVTUSI2SD } };
    unsigned from = type_of(g, in->a), w = from == T_I64 ? OP_W : 0;
    bool uns = !in->mo, wide = false, exact = from == T_I32 && in->type == T_F64;
    uint8_t *site[2] = { NULL, NULL };

    if (!fp_host_type(g, in->type) || (!exact && !fp_host_rm(in->sub))) return false;
    unsigned a = use_r(g, in->a), d;
    if (uns && !x86.avx512vl) {
        wide = true;
        if (from == T_I32) {
            unsigned t = tmp_gpr(g);
            a_mov_rr(g, 32, t, a);
            a = t;
        }
        d = def_r(g, v);
        if (from == T_I64) {
            a_test_rr(g, 64, a, a);
            site[0] = a_jcc_fwd(g, CC_S);
        }
    } else {
        d = def_r(g, v);
    }
    if (!exact) site[1] = fp_static_rm(g, in->sub);
    vzero(g, d);
    v3(g, op[uns && !wide][in->type - T_F16] | (wide ? OP_W : w), d, d, a);
    for (unsigned i = 0; i < 2; i++)
        if (site[i]) gen_slow_cold(g, v, site[i], d);
    return true;
}

static bool round_int(struct gen *g, V v, const struct ir_ins *in)
{
    enum check ck = check_of(g, in, in->type);

    if (in->sub == RM_RMM && in->type != T_F16 && !in->mo) {
        unsigned a = use_r(g, in->a), d = def_new(g, v);
        gen_slow_cold(g, v, round_away(g, in->type, d, a), d);
        return true;
    }
    if (!fp_host_rm(in->sub)) return false;
    unsigned a = use_r(g, in->a), d = def_checked(g, v, ck, RM_DYN);
    round_to(g, in->type, d, a, fp_round_imm(in->sub) | (in->mo ? 0 : XR_NOINEX));
    check_result(g, v, ck, d);
    return true;
}

/* --- sign operations, boxes, moves: pure ---------------------------------------------------------------------------
 */
static bool copy_sign(struct gen *g, V v, const struct ir_ins *in)
{
    uint64_t s = sign_bit(in->type);
    unsigned a = use_r(g, in->a), b = use_r(g, in->b), t = tmp_xmm(g), u = tmp_xmm(g), d = def_r(g, v);

    v3m(g, X_ANDPS, t, b, pool2(g, s));
    v3m(g, X_ANDPS, u, a, pool2(g, ~s));
    v3(g, X_ORPS, d, t, u);
    return true;
}

static uint64_t box_mask(unsigned type)
{
    return type == T_F32 ? 0xffffffff00000000 : 0xffffffffffff0000;
}

static bool unbox(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned d = def_copy(g, v, in->a);

    v2m(g, X_PTEST, d, pool(g, box_mask(in->type), 0));
    canon_cold(g, a_jcc_fwd(g, CC_AE), d, in->type);
    return true;
}

static bool bitcast(struct gen *g, V v, const struct ir_ins *in)
{
    bool to_xmm = type_is_xmm(in->type);
    unsigned bits = ir_type_bits[in->type] == 64 ? 64 : 32;

    if (to_xmm == type_is_xmm(type_of(g, in->a))) return false;
    unsigned a = use_r(g, in->a), d = def_r(g, v);
    if (to_xmm) a_movq_xr(g, bits, d, a);
    else a_movq_rx(g, bits, d, a);
    return true;
}

bool lower_fp(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned from = in->op == IR_FCMP || in->op == IR_FCVT || in->op == IR_FTOI ? type_of(g, in->a) : in->type;
    bool fast = !g->ir->fp.slow, host = fast ? fp_host_type(g, in->type) : fz_host(g, from);

    switch (in->op) {
    case IR_FADD: return host && arith(g, v, in, X_ADDPS);
    case IR_FSUB: return host && arith(g, v, in, X_SUBPS);
    case IR_FMUL: return host && arith(g, v, in, X_MULPS);
    case IR_FDIV: return host && arith(g, v, in, X_DIVPS);
    case IR_FSQRT: return host && arith(g, v, in, X_SQRTPS);
    case IR_FMA: return host && fused(g, v, in);
    case IR_FMIN: case IR_FMAX: return host && minmax(g, v, in);
    case IR_FRINT: return fast && host && round_int(g, v, in);
    case IR_FCMP: return (fast || host) && fcmp(g, v, in);
    case IR_FCVT: return (fast || host) && convert(g, v, in);
    case IR_FTOI: return (fast || (host && in->sub != RM_DYN)) && to_int(g, v, in);
    case IR_ITOF: return fast && host && from_int(g, v, in);
    case IR_FNEG:
    case IR_FABS: {
        unsigned a = use_r(g, in->a), d = def_r(g, v);
        uint64_t s = sign_bit(in->type);
        v3m(g, in->op == IR_FNEG ? X_XORPS : X_ANDPS, d, a, pool2(g, in->op == IR_FNEG ? s : ~s));
        return true;
    }
    case IR_FSGN: return copy_sign(g, v, in);
    case IR_FBOX: {
        unsigned a = use_r(g, in->a), d = def_r(g, v);
        v3m(g, X_ORPS, d, a, pool2(g, box_mask(type_of(g, in->a))));
        return true;
    }
    case IR_FUNBOX: return unbox(g, v, in);
    case IR_BITCAST: return bitcast(g, v, in);
    default: return false;
    }
}
