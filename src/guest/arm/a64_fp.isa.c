/*
 * a64_fp.isa.c: scalar floating point. Arm ARM C4.1.95, "Floating-point data-processing", "Conversion between floating-point and
 * integer / fixed-point". ftype: 0 single, 1 double, 3 half (FEAT_FP16). Not modelled: trapped
 * exceptions.
 */
#include "a64_simd.h"

/* The type of the operation; T_VOID after raising an undefined instruction for half precision that the CPU has not. */
static enum ir_type fp_type(struct xlat *t, F *f)
{
    enum ir_type type = ftype((unsigned)f->ftype);
    if (type == T_F16 && !feat(t, ARM_FP16)) {
        xl_illegal(t);
        return T_VOID;
    }
    return type;
}
static V fn(struct xlat *t, F *f, enum ir_type type) { return fr(t, type, (unsigned)f->rn); }
static V fm(struct xlat *t, F *f, enum ir_type type) { return fr(t, type, (unsigned)f->rm); }

static void two(struct xlat *t, F *f, enum ir_op op, bool negate)
{
    enum ir_type ty = fp_type(t, f);
    if (!ty) return;
    V v = ir_fop2(t, op, fn(t, f, ty), fm(t, f, ty), RM_DYN);
    wf(t, (unsigned)f->rd, negate ? ir_fneg(t, v) : v);
}
static void minmax(struct xlat *t, F *f, enum ir_op op, enum ir_minmax kind)
{
    enum ir_type ty = fp_type(t, f);
    if (ty) wf(t, (unsigned)f->rd, ir_fminmax(t, op, fn(t, f, ty), fm(t, f, ty), kind));
}
INSN(fmul, "00011110 ftype:2 1 rm:5 0000 10 rn:5 rd:5 ftype!=2", "fmul {rd:ft}, {rn:ft}, {rm:ft}") { two(t, f, IR_FMUL, false); }
INSN(fdiv, "00011110 ftype:2 1 rm:5 0001 10 rn:5 rd:5 ftype!=2", "fdiv {rd:ft}, {rn:ft}, {rm:ft}") { two(t, f, IR_FDIV, false); }
INSN(fadd, "00011110 ftype:2 1 rm:5 0010 10 rn:5 rd:5 ftype!=2", "fadd {rd:ft}, {rn:ft}, {rm:ft}") { two(t, f, IR_FADD, false); }
INSN(fsub, "00011110 ftype:2 1 rm:5 0011 10 rn:5 rd:5 ftype!=2", "fsub {rd:ft}, {rn:ft}, {rm:ft}") { two(t, f, IR_FSUB, false); }
INSN(fnmul, "00011110 ftype:2 1 rm:5 1000 10 rn:5 rd:5 ftype!=2", "fnmul {rd:ft}, {rn:ft}, {rm:ft}") { two(t, f, IR_FMUL, true); }
INSN(fmax, "00011110 ftype:2 1 rm:5 0100 10 rn:5 rd:5 ftype!=2", "fmax {rd:ft}, {rn:ft}, {rm:ft}") { minmax(t, f, IR_FMAX, MM_PROP); }
INSN(fmin, "00011110 ftype:2 1 rm:5 0101 10 rn:5 rd:5 ftype!=2", "fmin {rd:ft}, {rn:ft}, {rm:ft}") { minmax(t, f, IR_FMIN, MM_PROP); }
INSN(fmaxnm, "00011110 ftype:2 1 rm:5 0110 10 rn:5 rd:5 ftype!=2", "fmaxnm {rd:ft}, {rn:ft}, {rm:ft}") { minmax(t, f, IR_FMAX, MM_NUM08); }
INSN(fminnm, "00011110 ftype:2 1 rm:5 0111 10 rn:5 rd:5 ftype!=2", "fminnm {rd:ft}, {rn:ft}, {rm:ft}") { minmax(t, f, IR_FMIN, MM_NUM08); }

/* a + n * m with the signs of n * m and a changed before the operation, as the manual's FPMulAdd callers do. */
static void madd(struct xlat *t, F *f, bool neg_n, bool neg_a)
{
    enum ir_type ty = fp_type(t, f);
    if (!ty) return;
    V n = fn(t, f, ty), a = fr(t, ty, (unsigned)f->ra);
    wf(t, (unsigned)f->rd, ir_fma(t, neg_n ? ir_fneg(t, n) : n, fm(t, f, ty), neg_a ? ir_fneg(t, a) : a, RM_DYN));
}
INSN(fmadd, "00011111 ftype:2 0 rm:5 0 ra:5 rn:5 rd:5 ftype!=2", "fmadd {rd:ft}, {rn:ft}, {rm:ft}, {ra:ft}") { madd(t, f, false, false); }
INSN(fmsub, "00011111 ftype:2 0 rm:5 1 ra:5 rn:5 rd:5 ftype!=2", "fmsub {rd:ft}, {rn:ft}, {rm:ft}, {ra:ft}") { madd(t, f, true, false); }
INSN(fnmadd, "00011111 ftype:2 1 rm:5 0 ra:5 rn:5 rd:5 ftype!=2", "fnmadd {rd:ft}, {rn:ft}, {rm:ft}, {ra:ft}") { madd(t, f, true, true); }
INSN(fnmsub, "00011111 ftype:2 1 rm:5 1 ra:5 rn:5 rd:5 ftype!=2", "fnmsub {rd:ft}, {rn:ft}, {rm:ft}, {ra:ft}") { madd(t, f, false, true); }

static void one(struct xlat *t, F *f, enum ir_op op)
{
    enum ir_type ty = fp_type(t, f);
    if (!ty) return;
    V a = fn(t, f, ty);
    wf(t, (unsigned)f->rd, op == IR_NOP ? a : op == IR_FSQRT ? ir_fsqrt(t, a, RM_DYN) : ir_un(t, op, a));
}
INSN(fmov_reg, "00011110 ftype:2 1 000000 10000 rn:5 rd:5 ftype!=2", "fmov {rd:ft}, {rn:ft}") { one(t, f, IR_NOP); }
INSN(fabs, "00011110 ftype:2 1 000001 10000 rn:5 rd:5 ftype!=2", "fabs {rd:ft}, {rn:ft}") { one(t, f, IR_FABS); }
INSN(fneg, "00011110 ftype:2 1 000010 10000 rn:5 rd:5 ftype!=2", "fneg {rd:ft}, {rn:ft}") { one(t, f, IR_FNEG); }
INSN(fsqrt, "00011110 ftype:2 1 000011 10000 rn:5 rd:5 ftype!=2", "fsqrt {rd:ft}, {rn:ft}") { one(t, f, IR_FSQRT); }
INSN(fcvt, "00011110 ftype:2 1 0001 opc:2 10000 rn:5 rd:5 ftype!=2 opc!=2 ok=differ(ftype,opc)", "fcvt {rd:fpo}, {rn:ft}")
{
    /* half precision as a storage format is in the base architecture */
    if (t->mode & MODE_AHP && (f->ftype == 3 || f->opc == 3)) {
        uint32_t from = ftype((unsigned)f->ftype) - T_F16, to = ftype((unsigned)f->opc) - T_F16;
        wv(t, (unsigned)f->rd, IR_CALL(t, fp_cvt_ahp, vr(t, (unsigned)f->rn), ir_k32(t, from | to << 2 | 1 << 4)));
        return;
    }
    wf(t, (unsigned)f->rd, ir_fcvt(t, ftype((unsigned)f->opc), fn(t, f, ftype((unsigned)f->ftype)), RM_DYN));
}
static void round_int(struct xlat *t, F *f, enum ir_rm rm, bool inexact)
{
    enum ir_type ty = fp_type(t, f);
    if (ty) wf(t, (unsigned)f->rd, ir_frint(t, fn(t, f, ty), rm, inexact));
}
INSN(frintn, "00011110 ftype:2 1 001000 10000 rn:5 rd:5 ftype!=2", "frintn {rd:ft}, {rn:ft}") { round_int(t, f, RM_RNE, false); }
INSN(frintp, "00011110 ftype:2 1 001001 10000 rn:5 rd:5 ftype!=2", "frintp {rd:ft}, {rn:ft}") { round_int(t, f, RM_RUP, false); }
INSN(frintm, "00011110 ftype:2 1 001010 10000 rn:5 rd:5 ftype!=2", "frintm {rd:ft}, {rn:ft}") { round_int(t, f, RM_RDN, false); }
INSN(frintz, "00011110 ftype:2 1 001011 10000 rn:5 rd:5 ftype!=2", "frintz {rd:ft}, {rn:ft}") { round_int(t, f, RM_RTZ, false); }
INSN(frinta, "00011110 ftype:2 1 001100 10000 rn:5 rd:5 ftype!=2", "frinta {rd:ft}, {rn:ft}") { round_int(t, f, RM_RMM, false); }
INSN(frintx, "00011110 ftype:2 1 001110 10000 rn:5 rd:5 ftype!=2", "frintx {rd:ft}, {rn:ft}") { round_int(t, f, RM_DYN, true); }
INSN(frinti, "00011110 ftype:2 1 001111 10000 rn:5 rd:5 ftype!=2", "frinti {rd:ft}, {rn:ft}") { round_int(t, f, RM_DYN, false); }
static void round_n(struct xlat *t, F *f, unsigned bits, bool dyn)
{
    enum ir_type ty = ftype((unsigned)f->ftype);
    V a = ir_vfrom(t, fn(t, f, ty));
    wv(t, (unsigned)f->rd, IR_CALL(t, simd_rint_n, a, ir_k32(t, (uint32_t)(f->ftype | (bits == 64) << 1 | dyn << 2 | 1 << 3))));
}
INSN(frint32z, "00011110 0 ftype:1 1 010000 10000 rn:5 rd:5 @FRINTTS", "frint32z {rd:ft}, {rn:ft}") { round_n(t, f, 32, false); }
INSN(frint32x, "00011110 0 ftype:1 1 010001 10000 rn:5 rd:5 @FRINTTS", "frint32x {rd:ft}, {rn:ft}") { round_n(t, f, 32, true); }
INSN(frint64z, "00011110 0 ftype:1 1 010010 10000 rn:5 rd:5 @FRINTTS", "frint64z {rd:ft}, {rn:ft}") { round_n(t, f, 64, false); }
INSN(frint64x, "00011110 0 ftype:1 1 010011 10000 rn:5 rd:5 @FRINTTS", "frint64x {rd:ft}, {rn:ft}") { round_n(t, f, 64, true); }

/* --- compare, select, immediate -------------------------------------------------------------------------------------- */

/* FPCompare: less 1000, equal 0110, greater 0010, unordered 0011. All four look at the same comparison. */
static void compare(struct xlat *t, enum ir_type ty, V a, V b, bool signalling, V n[4])
{
    (void)ty;
    n[0] = ir_fcmp(t, FC_LT, signalling, a, b);
    n[1] = ir_fcmp(t, FC_EQ, signalling, a, b);
    n[2] = ir_not(t, n[0]);
    n[3] = ir_fcmp(t, FC_UN, signalling, a, b);
}
static void fcmp(struct xlat *t, F *f, bool zero, bool signalling)
{
    enum ir_type ty = fp_type(t, f);
    if (!ty) return;
    V fl[4];
    compare(t, ty, fn(t, f, ty), zero ? ir_kt(t, ty, 0) : fm(t, f, ty), signalling, fl);
    put_nzcv(t, fl[0], fl[1], fl[2], fl[3]);
}
INSN(fcmp, "00011110 ftype:2 1 rm:5 00 1000 rn:5 00000 ftype!=2", "fcmp {rn:ft}, {rm:ft}") { fcmp(t, f, false, false); }
INSN(fcmp0, "00011110 ftype:2 1 rm:5 00 1000 rn:5 01000 ftype!=2", "fcmp {rn:ft}, #0.0") { fcmp(t, f, true, false); }
INSN(fcmpe, "00011110 ftype:2 1 rm:5 00 1000 rn:5 10000 ftype!=2", "fcmpe {rn:ft}, {rm:ft}") { fcmp(t, f, false, true); }
INSN(fcmpe0, "00011110 ftype:2 1 rm:5 00 1000 rn:5 11000 ftype!=2", "fcmpe {rn:ft}, #0.0") { fcmp(t, f, true, true); }
static void fccmp(struct xlat *t, F *f, bool signalling)
{
    enum ir_type ty = fp_type(t, f);
    if (!ty) return;
    /* when the condition fails nothing is compared: equal operands raise nothing */
    V c = arm_cond(t, (unsigned)f->cond), zero = ir_kt(t, ty, 0), fl[4];
    compare(t, ty, ir_select(t, c, fn(t, f, ty), zero), ir_select(t, c, fm(t, f, ty), zero), signalling, fl);
    for (unsigned i = 0; i < 4; i++) fl[i] = ir_select(t, c, fl[i], ir_kt(t, T_I1, (uint64_t)f->nzcv >> (3 - i) & 1));
    put_nzcv(t, fl[0], fl[1], fl[2], fl[3]);
}
INSN(fccmp, "00011110 ftype:2 1 rm:5 cond:4 01 rn:5 0 nzcv:4 ftype!=2", "fccmp {rn:ft}, {rm:ft}, #{nzcv:hex}, {cond:cond}") { fccmp(t, f, false); }
INSN(fccmpe, "00011110 ftype:2 1 rm:5 cond:4 01 rn:5 1 nzcv:4 ftype!=2", "fccmpe {rn:ft}, {rm:ft}, #{nzcv:hex}, {cond:cond}") { fccmp(t, f, true); }
INSN(fcsel, "00011110 ftype:2 1 rm:5 cond:4 11 rn:5 rd:5 ftype!=2", "fcsel {rd:ft}, {rn:ft}, {rm:ft}, {cond:cond}")
{
    enum ir_type ty = fp_type(t, f);
    if (ty) wf(t, (unsigned)f->rd, ir_select(t, arm_cond(t, (unsigned)f->cond), fn(t, f, ty), fm(t, f, ty)));
}
INSN(fmov_imm, "00011110 ftype:2 1 imm8:8 100 00000 rd:5 ftype!=2 imm=fimm(ftype,imm8)", "fmov {rd:ft}, #{imm8:fimm}")
{
    enum ir_type ty = fp_type(t, f);
    if (ty) wf(t, (unsigned)f->rd, ir_kt(t, ty, (uint64_t)f->imm));
}

/* --- integers ------------------------------------------------------------------------------------------------------------ */

static void to_int(struct xlat *t, F *f, enum ir_rm rm, bool is_signed)
{
    enum ir_type ty = fp_type(t, f);
    if (!ty) return;
    V v = ir_ftoi(t, rtype(f->sf), fn(t, f, ty), rm, FTOI_ARM | (is_signed ? FTOI_SIGNED : 0));
    wr(t, (unsigned)f->rd, v);
}
INSN(fcvtns, "sf:1 0011110 ftype:2 1 00 000 000000 rn:5 rd:5 ftype!=2", "fcvtns {rd:r}, {rn:ft}") { to_int(t, f, RM_RNE, true); }
INSN(fcvtnu, "sf:1 0011110 ftype:2 1 00 001 000000 rn:5 rd:5 ftype!=2", "fcvtnu {rd:r}, {rn:ft}") { to_int(t, f, RM_RNE, false); }
INSN(fcvtas, "sf:1 0011110 ftype:2 1 00 100 000000 rn:5 rd:5 ftype!=2", "fcvtas {rd:r}, {rn:ft}") { to_int(t, f, RM_RMM, true); }
INSN(fcvtau, "sf:1 0011110 ftype:2 1 00 101 000000 rn:5 rd:5 ftype!=2", "fcvtau {rd:r}, {rn:ft}") { to_int(t, f, RM_RMM, false); }
INSN(fcvtps, "sf:1 0011110 ftype:2 1 01 000 000000 rn:5 rd:5 ftype!=2", "fcvtps {rd:r}, {rn:ft}") { to_int(t, f, RM_RUP, true); }
INSN(fcvtpu, "sf:1 0011110 ftype:2 1 01 001 000000 rn:5 rd:5 ftype!=2", "fcvtpu {rd:r}, {rn:ft}") { to_int(t, f, RM_RUP, false); }
INSN(fcvtms, "sf:1 0011110 ftype:2 1 10 000 000000 rn:5 rd:5 ftype!=2", "fcvtms {rd:r}, {rn:ft}") { to_int(t, f, RM_RDN, true); }
INSN(fcvtmu, "sf:1 0011110 ftype:2 1 10 001 000000 rn:5 rd:5 ftype!=2", "fcvtmu {rd:r}, {rn:ft}") { to_int(t, f, RM_RDN, false); }
INSN(fcvtzs, "sf:1 0011110 ftype:2 1 11 000 000000 rn:5 rd:5 ftype!=2", "fcvtzs {rd:r}, {rn:ft}") { to_int(t, f, RM_RTZ, true); }
INSN(fcvtzu, "sf:1 0011110 ftype:2 1 11 001 000000 rn:5 rd:5 ftype!=2", "fcvtzu {rd:r}, {rn:ft}") { to_int(t, f, RM_RTZ, false); }
static void from_int(struct xlat *t, F *f, bool is_signed)
{
    enum ir_type ty = fp_type(t, f);
    if (ty) wf(t, (unsigned)f->rd, ir_itof(t, ty, r(t, f->sf, (unsigned)f->rn), RM_DYN, is_signed));
}
INSN(scvtf, "sf:1 0011110 ftype:2 1 00 010 000000 rn:5 rd:5 ftype!=2", "scvtf {rd:ft}, {rn:r}") { from_int(t, f, true); }
INSN(ucvtf, "sf:1 0011110 ftype:2 1 00 011 000000 rn:5 rd:5 ftype!=2", "ucvtf {rd:ft}, {rn:r}") { from_int(t, f, false); }

INSN(fmov_w_s, "0 0011110 00 1 00 110 000000 rn:5 rd:5", "fmov {rd:rw}, {rn:fs}") { wr(t, (unsigned)f->rd, fr(t, T_I32, (unsigned)f->rn)); }
INSN(fmov_s_w, "0 0011110 00 1 00 111 000000 rn:5 rd:5", "fmov {rd:fs}, {rn:rw}") { wf(t, (unsigned)f->rd, w(t, (unsigned)f->rn)); }
INSN(fmov_x_d, "1 0011110 01 1 00 110 000000 rn:5 rd:5", "fmov {rd:rx}, {rn:fd}") { wx(t, (unsigned)f->rd, fr(t, T_I64, (unsigned)f->rn)); }
INSN(fmov_d_x, "1 0011110 01 1 00 111 000000 rn:5 rd:5", "fmov {rd:fd}, {rn:rx}") { wf(t, (unsigned)f->rd, x(t, (unsigned)f->rn)); }
INSN(fmov_x_v1, "1 0011110 10 1 01 110 000000 rn:5 rd:5", "fmov {rd:rx}, v{rn:d}.d[1]") { wx(t, (unsigned)f->rd, ir_vget(t, T_I64, L_I64, vr(t, (unsigned)f->rn), 1)); }
INSN(fmov_v1_x, "1 0011110 10 1 01 111 000000 rn:5 rd:5", "fmov v{rd:d}.d[1], {rn:rx}")
{
    wv(t, (unsigned)f->rd, ir_vins(t, L_I64, vr(t, (unsigned)f->rd), x(t, (unsigned)f->rn), 1));
}
INSN(fmov_r_h, "sf:1 0011110 11 1 00 110 000000 rn:5 rd:5 @FP16", "fmov {rd:r}, {rn:fh}")
{
    wx(t, (unsigned)f->rd, ir_vget(t, T_I64, L_I16, vr(t, (unsigned)f->rn), 0));
}
INSN(fmov_h_r, "sf:1 0011110 11 1 00 111 000000 rn:5 rd:5 @FP16", "fmov {rd:fh}, {rn:r}")
{
    wf(t, (unsigned)f->rd, ir_trunc(t, T_I16, x(t, (unsigned)f->rn)));
}
INSN(fjcvtzs, "0 0011110 01 1 11 110 000000 rn:5 rd:5 @JSCVT", "fjcvtzs {rd:rw}, {rn:fd}")
{
    V v = IR_CALL(t, fp_jcvt, fr(t, T_I64, (unsigned)f->rn)); /* bit 32: exact */
    wx(t, (unsigned)f->rd, ir_ubfx(t, v, 0, 32));
    V zero = ir_kt(t, T_I1, 0);
    put_nzcv(t, zero, ir_cmpi(t, C_NE, ir_shri(t, v, 32), 0), zero, zero);
}

/* --- fixed point: scale = 64 - number of fraction bits --------------------------------------------------------------------- */

static void to_fixed(struct xlat *t, F *f, bool is_signed)
{
    enum ir_type ty = fp_type(t, f);
    if (!ty) return;
    if (ty == T_F16) {
        uint32_t desc = (f->sf ? 64 : 32) | (uint32_t)is_signed << 8 | (uint32_t)(64 - f->scale) << 16;
        V v = IR_CALL(t, fp_half_to_fixed, ir_vget(t, T_I64, L_I16, vr(t, (unsigned)f->rn), 0), ir_k32(t, desc));
        wx(t, (unsigned)f->rd, f->sf ? v : ir_ubfx(t, v, 0, 32));
        return;
    }
    /* In f64 the scaling is exact; values that are out of range anyway are not scaled, so that nothing overflows. */
    V a = fn(t, f, ty);
    if (ty != T_F64) a = ir_fcvt(t, T_F64, a, RM_DYN);
    V small = ir_fcmp(t, FC_LT, false, ir_fabs(t, a), ir_kt(t, T_F64, 0x43f0000000000000)); /* 2^64 */
    V k = ir_select(t, small, ir_kt(t, T_F64, (1023ull + 64 - (uint64_t)f->scale) << 52), ir_kt(t, T_F64, 0x3ff0000000000000));
    V v = ir_ftoi(t, rtype(f->sf), ir_fop2(t, IR_FMUL, a, k, RM_RNE), RM_RTZ, FTOI_ARM | (is_signed ? FTOI_SIGNED : 0));
    wr(t, (unsigned)f->rd, v);
}
static void from_fixed(struct xlat *t, F *f, bool is_signed)
{
    enum ir_type ty = fp_type(t, f);
    if (!ty) return;
    V a = r(t, f->sf, (unsigned)f->rn);
    uint64_t bits = 64 - (uint64_t)f->scale;
    if (ty == T_F16) {
        /* half precision has no room for an exact scaling */
        a = is_signed ? ir_sext(t, T_I64, a) : ir_zext(t, T_I64, a);
        wf(t, (unsigned)f->rd, ir_trunc(t, T_I16, IR_CALL(t, fp_fixed_to_half, a, ir_k32(t, (uint32_t)bits | (uint32_t)is_signed << 8))));
        return;
    }
    V v = ir_itof(t, ty, a, RM_DYN, is_signed);
    wf(t, (unsigned)f->rd, ir_fop2(t, IR_FMUL, v, ir_kt(t, ty, ty == T_F64 ? (1023 - bits) << 52 : (127 - bits) << 23), RM_RNE));
}
INSN(fcvtzs_fix, "sf:1 0011110 ftype:2 0 11 000 scale:6 rn:5 rd:5 ftype!=2 ok=fixscale(sf,scale)", "fcvtzs {rd:r}, {rn:ft}, #{scale:fbits}") { to_fixed(t, f, true); }
INSN(fcvtzu_fix, "sf:1 0011110 ftype:2 0 11 001 scale:6 rn:5 rd:5 ftype!=2 ok=fixscale(sf,scale)", "fcvtzu {rd:r}, {rn:ft}, #{scale:fbits}") { to_fixed(t, f, false); }
INSN(scvtf_fix, "sf:1 0011110 ftype:2 0 00 010 scale:6 rn:5 rd:5 ftype!=2 ok=fixscale(sf,scale)", "scvtf {rd:ft}, {rn:r}, #{scale:fbits}") { from_fixed(t, f, true); }
INSN(ucvtf_fix, "sf:1 0011110 ftype:2 0 00 011 scale:6 rn:5 rd:5 ftype!=2 ok=fixscale(sf,scale)", "ucvtf {rd:ft}, {rn:r}, #{scale:fbits}") { from_fixed(t, f, false); }
