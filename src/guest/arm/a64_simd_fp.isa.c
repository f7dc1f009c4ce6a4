/*
 * a64_simd_fp.isa.c: Advanced SIMD floating point, vectors and the scalar forms in that encoding space. Arm ARM C4.1.95.
 * Rows come in pairs: sz (single, double) and half precision (FEAT_FP16). `q` = 0 works on the low 64 bits: the operands' upper
 * halves are zeroed first so that they raise no flags.
 */
#include "a64_simd.h"

enum { SC = 2 }; /* in place of q: lane 0 alone */

static enum ir_lane sd(F *f)
{
    return f->sz ? L_F64 : L_F32;
}
/* An operand with only the lanes that take part. */
static V part(struct xlat *t, int64_t n, int64_t q, enum ir_lane l)
{
    if (q == SC) return ir_v1x(t, IR_VZEXT, L_I64, vr(t, (unsigned)n), lane_bits(l) / 8);
    return vz(t, (unsigned)n, q);
}
/* The result's lanes that do not take part are zeroed: 0 op 0 need not be 0 (comparisons, divisions). */
static void result(struct xlat *t, F *f, int64_t q, enum ir_lane l, V v)
{
    if (q == SC)
        wlane0(t, (unsigned)f->rd, l, v);
    else
        wvq(t, q, (unsigned)f->rd, v);
}
static void fp3(struct xlat *t, F *f, enum ir_op op, unsigned mo, int64_t q, enum ir_lane l)
{
    V a = part(t, f->rn, q, l), b = part(t, f->rm, q, l);
    if (op == IR_VFDIV && q != 1) b = ir_v2(t, IR_VOR, L_I64, b, ir_kv(t, 0, l == L_F64 ? 0 : l == L_F32 ? 0x3f8000003f800000 : 0x3c003c003c003c00));
    result(t, f, q, l, ir_vf(t, op, l, mo, a, b, 0, 0));
}
static void fp_cmp(struct xlat *t, F *f, enum ir_fcond c, int64_t q, enum ir_lane l, bool swap, bool abs, bool zero)
{
    V a = part(t, f->rn, q, l), b = zero ? vzero(t) : part(t, f->rm, q, l);
    if (abs) a = ir_v1(t, IR_VFABS, l, a), b = ir_v1(t, IR_VFABS, l, b);
    result(t, f, q, l, ir_vf(t, IR_VFCMP, l, c | (c == FC_EQ ? 0 : FC_SIGNALLING), swap ? b : a, swap ? a : b, 0, 0));
}
static void fp_abd(struct xlat *t, F *f, int64_t q, enum ir_lane l)
{
    result(t, f, q, l, ir_v1(t, IR_VFABS, l, ir_vf(t, IR_VFSUB, l, RM_DYN, part(t, f->rn, q, l), part(t, f->rm, q, l), 0, 0)));
}
static void fp_mla(struct xlat *t, F *f, bool sub, int64_t q, enum ir_lane l, V b)
{
    V a = part(t, f->rn, q, l);
    result(t, f, q, l, ir_vf(t, IR_VFMA, l, RM_DYN, sub ? ir_v1(t, IR_VFNEG, l, a) : a, b, part(t, f->rd, q, l), 0));
}
static void fp_pair(struct xlat *t, F *f, enum ir_op op, unsigned mo, int64_t q, enum ir_lane l)
{
    enum ir_lane il = (enum ir_lane)(l - L_F16 + L_I16);
    V a = vr(t, (unsigned)f->rn), b = vr(t, (unsigned)f->rm);
    if (!q) a = ir_v2(t, IR_VZIP1, L_I64, a, b), b = vzero(t);
    result(t, f, q, l, ir_vf(t, op, l, mo, ir_v2(t, IR_VUZP1, il, a, b), ir_v2(t, IR_VUZP2, il, a, b), 0, 0));
}
/* Lane-wise in C: estimates and steps. */
enum { FL_RECPE, FL_RSQRTE, FL_RECPS, FL_RSQRTS, FL_RECPX, FL_MULX };
static void fp_lanes(struct xlat *t, F *f, unsigned op, int64_t q, enum ir_lane l, V b)
{
    V a = part(t, f->rn, q, l);
    uint32_t desc = op << 8 | (uint32_t)q << 4 | (uint32_t)(l - L_F16);
    wv(t, (unsigned)f->rd, IR_CALL(t, simd_fp_lanes, a, b, ir_k32(t, desc)));
}

/* --- three registers of the same type ------------------------------------------------------------------------------------ */
INSN(fmaxnm_v, "0 q:1 0 01110 0 sz:1 1 rm:5 11000 1 rn:5 rd:5 ok=vsz(sz,q)", "fmaxnm {rd:vf}, {rn:vf}, {rm:vf}") { fp3(t, f, IR_VFMAX, MM_NUM08, f->q, sd(f)); }
INSN(fmaxnm_vh, "0 q:1 0 01110 0 10 rm:5 00000 1 rn:5 rd:5 @FP16", "fmaxnm {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp3(t, f, IR_VFMAX, MM_NUM08, f->q, L_F16); }
INSN(fminnm_v, "0 q:1 0 01110 1 sz:1 1 rm:5 11000 1 rn:5 rd:5 ok=vsz(sz,q)", "fminnm {rd:vf}, {rn:vf}, {rm:vf}") { fp3(t, f, IR_VFMIN, MM_NUM08, f->q, sd(f)); }
INSN(fminnm_vh, "0 q:1 0 01110 1 10 rm:5 00000 1 rn:5 rd:5 @FP16", "fminnm {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp3(t, f, IR_VFMIN, MM_NUM08, f->q, L_F16); }
INSN(fmla_v, "0 q:1 0 01110 0 sz:1 1 rm:5 11001 1 rn:5 rd:5 ok=vsz(sz,q)", "fmla {rd:vf}, {rn:vf}, {rm:vf}") { fp_mla(t, f, false, f->q, sd(f), part(t, f->rm, f->q, sd(f))); }
INSN(fmla_vh, "0 q:1 0 01110 0 10 rm:5 00001 1 rn:5 rd:5 @FP16", "fmla {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp_mla(t, f, false, f->q, L_F16, part(t, f->rm, f->q, L_F16)); }
INSN(fmls_v, "0 q:1 0 01110 1 sz:1 1 rm:5 11001 1 rn:5 rd:5 ok=vsz(sz,q)", "fmls {rd:vf}, {rn:vf}, {rm:vf}") { fp_mla(t, f, true, f->q, sd(f), part(t, f->rm, f->q, sd(f))); }
INSN(fmls_vh, "0 q:1 0 01110 1 10 rm:5 00001 1 rn:5 rd:5 @FP16", "fmls {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp_mla(t, f, true, f->q, L_F16, part(t, f->rm, f->q, L_F16)); }
INSN(fadd_v, "0 q:1 0 01110 0 sz:1 1 rm:5 11010 1 rn:5 rd:5 ok=vsz(sz,q)", "fadd {rd:vf}, {rn:vf}, {rm:vf}") { fp3(t, f, IR_VFADD, RM_DYN, f->q, sd(f)); }
INSN(fadd_vh, "0 q:1 0 01110 0 10 rm:5 00010 1 rn:5 rd:5 @FP16", "fadd {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp3(t, f, IR_VFADD, RM_DYN, f->q, L_F16); }
INSN(fsub_v, "0 q:1 0 01110 1 sz:1 1 rm:5 11010 1 rn:5 rd:5 ok=vsz(sz,q)", "fsub {rd:vf}, {rn:vf}, {rm:vf}") { fp3(t, f, IR_VFSUB, RM_DYN, f->q, sd(f)); }
INSN(fsub_vh, "0 q:1 0 01110 1 10 rm:5 00010 1 rn:5 rd:5 @FP16", "fsub {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp3(t, f, IR_VFSUB, RM_DYN, f->q, L_F16); }
INSN(fmulx_v, "0 q:1 0 01110 0 sz:1 1 rm:5 11011 1 rn:5 rd:5 ok=vsz(sz,q)", "fmulx {rd:vf}, {rn:vf}, {rm:vf}") { fp_lanes(t, f, FL_MULX, f->q, sd(f), part(t, f->rm, f->q, sd(f))); }
INSN(fmulx_vh, "0 q:1 0 01110 0 10 rm:5 00011 1 rn:5 rd:5 @FP16", "fmulx {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp_lanes(t, f, FL_MULX, f->q, L_F16, part(t, f->rm, f->q, L_F16)); }
INSN(fmulx_s, "01 0 11110 0 sz:1 1 rm:5 11011 1 rn:5 rd:5", "fmulx {rd:fz}, {rn:fz}, {rm:fz}") { fp_lanes(t, f, FL_MULX, SC, sd(f), part(t, f->rm, SC, sd(f))); }
INSN(fmulx_sh, "01 0 11110 0 10 rm:5 00011 1 rn:5 rd:5 @FP16", "fmulx {rd:fh}, {rn:fh}, {rm:fh}") { fp_lanes(t, f, FL_MULX, SC, L_F16, part(t, f->rm, SC, L_F16)); }
INSN(fcmeq_v, "0 q:1 0 01110 0 sz:1 1 rm:5 11100 1 rn:5 rd:5 ok=vsz(sz,q)", "fcmeq {rd:vf}, {rn:vf}, {rm:vf}") { fp_cmp(t, f, FC_EQ, f->q, sd(f), false, false, false); }
INSN(fcmeq_vh, "0 q:1 0 01110 0 10 rm:5 00100 1 rn:5 rd:5 @FP16", "fcmeq {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp_cmp(t, f, FC_EQ, f->q, L_F16, false, false, false); }
INSN(fcmeq_s, "01 0 11110 0 sz:1 1 rm:5 11100 1 rn:5 rd:5", "fcmeq {rd:fz}, {rn:fz}, {rm:fz}") { fp_cmp(t, f, FC_EQ, SC, sd(f), false, false, false); }
INSN(fcmeq_sh, "01 0 11110 0 10 rm:5 00100 1 rn:5 rd:5 @FP16", "fcmeq {rd:fh}, {rn:fh}, {rm:fh}") { fp_cmp(t, f, FC_EQ, SC, L_F16, false, false, false); }
INSN(fmax_v, "0 q:1 0 01110 0 sz:1 1 rm:5 11110 1 rn:5 rd:5 ok=vsz(sz,q)", "fmax {rd:vf}, {rn:vf}, {rm:vf}") { fp3(t, f, IR_VFMAX, MM_PROP, f->q, sd(f)); }
INSN(fmax_vh, "0 q:1 0 01110 0 10 rm:5 00110 1 rn:5 rd:5 @FP16", "fmax {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp3(t, f, IR_VFMAX, MM_PROP, f->q, L_F16); }
INSN(fmin_v, "0 q:1 0 01110 1 sz:1 1 rm:5 11110 1 rn:5 rd:5 ok=vsz(sz,q)", "fmin {rd:vf}, {rn:vf}, {rm:vf}") { fp3(t, f, IR_VFMIN, MM_PROP, f->q, sd(f)); }
INSN(fmin_vh, "0 q:1 0 01110 1 10 rm:5 00110 1 rn:5 rd:5 @FP16", "fmin {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp3(t, f, IR_VFMIN, MM_PROP, f->q, L_F16); }
INSN(frecps_v, "0 q:1 0 01110 0 sz:1 1 rm:5 11111 1 rn:5 rd:5 ok=vsz(sz,q)", "frecps {rd:vf}, {rn:vf}, {rm:vf}") { fp_lanes(t, f, FL_RECPS, f->q, sd(f), part(t, f->rm, f->q, sd(f))); }
INSN(frecps_vh, "0 q:1 0 01110 0 10 rm:5 00111 1 rn:5 rd:5 @FP16", "frecps {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp_lanes(t, f, FL_RECPS, f->q, L_F16, part(t, f->rm, f->q, L_F16)); }
INSN(frecps_s, "01 0 11110 0 sz:1 1 rm:5 11111 1 rn:5 rd:5", "frecps {rd:fz}, {rn:fz}, {rm:fz}") { fp_lanes(t, f, FL_RECPS, SC, sd(f), part(t, f->rm, SC, sd(f))); }
INSN(frecps_sh, "01 0 11110 0 10 rm:5 00111 1 rn:5 rd:5 @FP16", "frecps {rd:fh}, {rn:fh}, {rm:fh}") { fp_lanes(t, f, FL_RECPS, SC, L_F16, part(t, f->rm, SC, L_F16)); }
INSN(frsqrts_v, "0 q:1 0 01110 1 sz:1 1 rm:5 11111 1 rn:5 rd:5 ok=vsz(sz,q)", "frsqrts {rd:vf}, {rn:vf}, {rm:vf}") { fp_lanes(t, f, FL_RSQRTS, f->q, sd(f), part(t, f->rm, f->q, sd(f))); }
INSN(frsqrts_vh, "0 q:1 0 01110 1 10 rm:5 00111 1 rn:5 rd:5 @FP16", "frsqrts {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp_lanes(t, f, FL_RSQRTS, f->q, L_F16, part(t, f->rm, f->q, L_F16)); }
INSN(frsqrts_s, "01 0 11110 1 sz:1 1 rm:5 11111 1 rn:5 rd:5", "frsqrts {rd:fz}, {rn:fz}, {rm:fz}") { fp_lanes(t, f, FL_RSQRTS, SC, sd(f), part(t, f->rm, SC, sd(f))); }
INSN(frsqrts_sh, "01 0 11110 1 10 rm:5 00111 1 rn:5 rd:5 @FP16", "frsqrts {rd:fh}, {rn:fh}, {rm:fh}") { fp_lanes(t, f, FL_RSQRTS, SC, L_F16, part(t, f->rm, SC, L_F16)); }
INSN(fmaxnmp_v, "0 q:1 1 01110 0 sz:1 1 rm:5 11000 1 rn:5 rd:5 ok=vsz(sz,q)", "fmaxnmp {rd:vf}, {rn:vf}, {rm:vf}") { fp_pair(t, f, IR_VFMAX, MM_NUM08, f->q, sd(f)); }
INSN(fmaxnmp_vh, "0 q:1 1 01110 0 10 rm:5 00000 1 rn:5 rd:5 @FP16", "fmaxnmp {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp_pair(t, f, IR_VFMAX, MM_NUM08, f->q, L_F16); }
INSN(fminnmp_v, "0 q:1 1 01110 1 sz:1 1 rm:5 11000 1 rn:5 rd:5 ok=vsz(sz,q)", "fminnmp {rd:vf}, {rn:vf}, {rm:vf}") { fp_pair(t, f, IR_VFMIN, MM_NUM08, f->q, sd(f)); }
INSN(fminnmp_vh, "0 q:1 1 01110 1 10 rm:5 00000 1 rn:5 rd:5 @FP16", "fminnmp {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp_pair(t, f, IR_VFMIN, MM_NUM08, f->q, L_F16); }
INSN(faddp_v, "0 q:1 1 01110 0 sz:1 1 rm:5 11010 1 rn:5 rd:5 ok=vsz(sz,q)", "faddp {rd:vf}, {rn:vf}, {rm:vf}") { fp_pair(t, f, IR_VFADD, RM_DYN, f->q, sd(f)); }
INSN(faddp_vh, "0 q:1 1 01110 0 10 rm:5 00010 1 rn:5 rd:5 @FP16", "faddp {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp_pair(t, f, IR_VFADD, RM_DYN, f->q, L_F16); }
INSN(fabd_v, "0 q:1 1 01110 1 sz:1 1 rm:5 11010 1 rn:5 rd:5 ok=vsz(sz,q)", "fabd {rd:vf}, {rn:vf}, {rm:vf}") { fp_abd(t, f, f->q, sd(f)); }
INSN(fabd_vh, "0 q:1 1 01110 1 10 rm:5 00010 1 rn:5 rd:5 @FP16", "fabd {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp_abd(t, f, f->q, L_F16); }
INSN(fabd_s, "01 1 11110 1 sz:1 1 rm:5 11010 1 rn:5 rd:5", "fabd {rd:fz}, {rn:fz}, {rm:fz}") { fp_abd(t, f, SC, sd(f)); }
INSN(fabd_sh, "01 1 11110 1 10 rm:5 00010 1 rn:5 rd:5 @FP16", "fabd {rd:fh}, {rn:fh}, {rm:fh}") { fp_abd(t, f, SC, L_F16); }
INSN(fmul_v, "0 q:1 1 01110 0 sz:1 1 rm:5 11011 1 rn:5 rd:5 ok=vsz(sz,q)", "fmul {rd:vf}, {rn:vf}, {rm:vf}") { fp3(t, f, IR_VFMUL, RM_DYN, f->q, sd(f)); }
INSN(fmul_vh, "0 q:1 1 01110 0 10 rm:5 00011 1 rn:5 rd:5 @FP16", "fmul {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp3(t, f, IR_VFMUL, RM_DYN, f->q, L_F16); }
INSN(fcmge_v, "0 q:1 1 01110 0 sz:1 1 rm:5 11100 1 rn:5 rd:5 ok=vsz(sz,q)", "fcmge {rd:vf}, {rn:vf}, {rm:vf}") { fp_cmp(t, f, FC_LE, f->q, sd(f), true, false, false); }
INSN(fcmge_vh, "0 q:1 1 01110 0 10 rm:5 00100 1 rn:5 rd:5 @FP16", "fcmge {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp_cmp(t, f, FC_LE, f->q, L_F16, true, false, false); }
INSN(fcmge_s, "01 1 11110 0 sz:1 1 rm:5 11100 1 rn:5 rd:5", "fcmge {rd:fz}, {rn:fz}, {rm:fz}") { fp_cmp(t, f, FC_LE, SC, sd(f), true, false, false); }
INSN(fcmge_sh, "01 1 11110 0 10 rm:5 00100 1 rn:5 rd:5 @FP16", "fcmge {rd:fh}, {rn:fh}, {rm:fh}") { fp_cmp(t, f, FC_LE, SC, L_F16, true, false, false); }
INSN(fcmgt_v, "0 q:1 1 01110 1 sz:1 1 rm:5 11100 1 rn:5 rd:5 ok=vsz(sz,q)", "fcmgt {rd:vf}, {rn:vf}, {rm:vf}") { fp_cmp(t, f, FC_LT, f->q, sd(f), true, false, false); }
INSN(fcmgt_vh, "0 q:1 1 01110 1 10 rm:5 00100 1 rn:5 rd:5 @FP16", "fcmgt {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp_cmp(t, f, FC_LT, f->q, L_F16, true, false, false); }
INSN(fcmgt_s, "01 1 11110 1 sz:1 1 rm:5 11100 1 rn:5 rd:5", "fcmgt {rd:fz}, {rn:fz}, {rm:fz}") { fp_cmp(t, f, FC_LT, SC, sd(f), true, false, false); }
INSN(fcmgt_sh, "01 1 11110 1 10 rm:5 00100 1 rn:5 rd:5 @FP16", "fcmgt {rd:fh}, {rn:fh}, {rm:fh}") { fp_cmp(t, f, FC_LT, SC, L_F16, true, false, false); }
INSN(facge_v, "0 q:1 1 01110 0 sz:1 1 rm:5 11101 1 rn:5 rd:5 ok=vsz(sz,q)", "facge {rd:vf}, {rn:vf}, {rm:vf}") { fp_cmp(t, f, FC_LE, f->q, sd(f), true, true, false); }
INSN(facge_vh, "0 q:1 1 01110 0 10 rm:5 00101 1 rn:5 rd:5 @FP16", "facge {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp_cmp(t, f, FC_LE, f->q, L_F16, true, true, false); }
INSN(facge_s, "01 1 11110 0 sz:1 1 rm:5 11101 1 rn:5 rd:5", "facge {rd:fz}, {rn:fz}, {rm:fz}") { fp_cmp(t, f, FC_LE, SC, sd(f), true, true, false); }
INSN(facge_sh, "01 1 11110 0 10 rm:5 00101 1 rn:5 rd:5 @FP16", "facge {rd:fh}, {rn:fh}, {rm:fh}") { fp_cmp(t, f, FC_LE, SC, L_F16, true, true, false); }
INSN(facgt_v, "0 q:1 1 01110 1 sz:1 1 rm:5 11101 1 rn:5 rd:5 ok=vsz(sz,q)", "facgt {rd:vf}, {rn:vf}, {rm:vf}") { fp_cmp(t, f, FC_LT, f->q, sd(f), true, true, false); }
INSN(facgt_vh, "0 q:1 1 01110 1 10 rm:5 00101 1 rn:5 rd:5 @FP16", "facgt {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp_cmp(t, f, FC_LT, f->q, L_F16, true, true, false); }
INSN(facgt_s, "01 1 11110 1 sz:1 1 rm:5 11101 1 rn:5 rd:5", "facgt {rd:fz}, {rn:fz}, {rm:fz}") { fp_cmp(t, f, FC_LT, SC, sd(f), true, true, false); }
INSN(facgt_sh, "01 1 11110 1 10 rm:5 00101 1 rn:5 rd:5 @FP16", "facgt {rd:fh}, {rn:fh}, {rm:fh}") { fp_cmp(t, f, FC_LT, SC, L_F16, true, true, false); }
INSN(fmaxp_v, "0 q:1 1 01110 0 sz:1 1 rm:5 11110 1 rn:5 rd:5 ok=vsz(sz,q)", "fmaxp {rd:vf}, {rn:vf}, {rm:vf}") { fp_pair(t, f, IR_VFMAX, MM_PROP, f->q, sd(f)); }
INSN(fmaxp_vh, "0 q:1 1 01110 0 10 rm:5 00110 1 rn:5 rd:5 @FP16", "fmaxp {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp_pair(t, f, IR_VFMAX, MM_PROP, f->q, L_F16); }
INSN(fminp_v, "0 q:1 1 01110 1 sz:1 1 rm:5 11110 1 rn:5 rd:5 ok=vsz(sz,q)", "fminp {rd:vf}, {rn:vf}, {rm:vf}") { fp_pair(t, f, IR_VFMIN, MM_PROP, f->q, sd(f)); }
INSN(fminp_vh, "0 q:1 1 01110 1 10 rm:5 00110 1 rn:5 rd:5 @FP16", "fminp {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp_pair(t, f, IR_VFMIN, MM_PROP, f->q, L_F16); }
INSN(fdiv_v, "0 q:1 1 01110 0 sz:1 1 rm:5 11111 1 rn:5 rd:5 ok=vsz(sz,q)", "fdiv {rd:vf}, {rn:vf}, {rm:vf}") { fp3(t, f, IR_VFDIV, RM_DYN, f->q, sd(f)); }
INSN(fdiv_vh, "0 q:1 1 01110 0 10 rm:5 00111 1 rn:5 rd:5 @FP16", "fdiv {rd:v4h}, {rn:v4h}, {rm:v4h}") { fp3(t, f, IR_VFDIV, RM_DYN, f->q, L_F16); }

/* --- scalar pairwise: of the two low lanes --------------------------------------------------------------------------------- */

static void pair_s(struct xlat *t, F *f, enum ir_op op, unsigned mo, enum ir_lane l)
{
    V a = vr(t, (unsigned)f->rn), b = ir_v2x(t, IR_VALIGN, L_I8, a, vzero(t), lane_bits(l) / 8, 0);
    unsigned bytes = lane_bits(l) / 8;
    a = ir_v1x(t, IR_VZEXT, L_I64, a, bytes);
    b = ir_v1x(t, IR_VZEXT, L_I64, b, bytes);
    wlane0(t, (unsigned)f->rd, l, ir_vf(t, op, l, mo, a, b, 0, 0));
}
INSN(fmaxnmp_p, "01 1 11110 0 sz:1 11000 01100 10 rn:5 rd:5", "fmaxnmp {rd:fz}, {rn:vf2}") { pair_s(t, f, IR_VFMAX, MM_NUM08, sd(f)); }
INSN(fmaxnmp_ph, "01 0 11110 0 0 11000 01100 10 rn:5 rd:5 @FP16", "fmaxnmp {rd:fh}, v{rn:d}.2h") { pair_s(t, f, IR_VFMAX, MM_NUM08, L_F16); }
INSN(fminnmp_p, "01 1 11110 1 sz:1 11000 01100 10 rn:5 rd:5", "fminnmp {rd:fz}, {rn:vf2}") { pair_s(t, f, IR_VFMIN, MM_NUM08, sd(f)); }
INSN(fminnmp_ph, "01 0 11110 1 0 11000 01100 10 rn:5 rd:5 @FP16", "fminnmp {rd:fh}, v{rn:d}.2h") { pair_s(t, f, IR_VFMIN, MM_NUM08, L_F16); }
INSN(faddp_p, "01 1 11110 0 sz:1 11000 01101 10 rn:5 rd:5", "faddp {rd:fz}, {rn:vf2}") { pair_s(t, f, IR_VFADD, RM_DYN, sd(f)); }
INSN(faddp_ph, "01 0 11110 0 0 11000 01101 10 rn:5 rd:5 @FP16", "faddp {rd:fh}, v{rn:d}.2h") { pair_s(t, f, IR_VFADD, RM_DYN, L_F16); }
INSN(fmaxp_p, "01 1 11110 0 sz:1 11000 01111 10 rn:5 rd:5", "fmaxp {rd:fz}, {rn:vf2}") { pair_s(t, f, IR_VFMAX, MM_PROP, sd(f)); }
INSN(fmaxp_ph, "01 0 11110 0 0 11000 01111 10 rn:5 rd:5 @FP16", "fmaxp {rd:fh}, v{rn:d}.2h") { pair_s(t, f, IR_VFMAX, MM_PROP, L_F16); }
INSN(fminp_p, "01 1 11110 1 sz:1 11000 01111 10 rn:5 rd:5", "fminp {rd:fz}, {rn:vf2}") { pair_s(t, f, IR_VFMIN, MM_PROP, sd(f)); }
INSN(fminp_ph, "01 0 11110 1 0 11000 01111 10 rn:5 rd:5 @FP16", "fminp {rd:fh}, v{rn:d}.2h") { pair_s(t, f, IR_VFMIN, MM_PROP, L_F16); }

/* --- two-register miscellaneous ---------------------------------------------------------------------------------------------- */

static void fp1(struct xlat *t, F *f, enum ir_op op, unsigned mo, unsigned x, int64_t q, enum ir_lane l)
{
    result(t, f, q, l, ir_vf(t, op, l, mo, part(t, f->rn, q, l), 0, 0, x));
}
static void sign(struct xlat *t, F *f, enum ir_op op, int64_t q, enum ir_lane l)
{
    result(t, f, q, l, ir_v1(t, op, l, vr(t, (unsigned)f->rn)));
}
INSN(frintn_v, "0 q:1 0 01110 0 sz:1 10000 11000 10 rn:5 rd:5 ok=vsz(sz,q)", "frintn {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFRINT, RM_RNE, 0, f->q, sd(f)); }
INSN(frintn_vh, "0 q:1 0 01110 0 11 1100 11000 10 rn:5 rd:5 @FP16", "frintn {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFRINT, RM_RNE, 0, f->q, L_F16); }
INSN(frintp_v, "0 q:1 0 01110 1 sz:1 10000 11000 10 rn:5 rd:5 ok=vsz(sz,q)", "frintp {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFRINT, RM_RUP, 0, f->q, sd(f)); }
INSN(frintp_vh, "0 q:1 0 01110 1 11 1100 11000 10 rn:5 rd:5 @FP16", "frintp {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFRINT, RM_RUP, 0, f->q, L_F16); }
INSN(frintm_v, "0 q:1 0 01110 0 sz:1 10000 11001 10 rn:5 rd:5 ok=vsz(sz,q)", "frintm {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFRINT, RM_RDN, 0, f->q, sd(f)); }
INSN(frintm_vh, "0 q:1 0 01110 0 11 1100 11001 10 rn:5 rd:5 @FP16", "frintm {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFRINT, RM_RDN, 0, f->q, L_F16); }
INSN(frintz_v, "0 q:1 0 01110 1 sz:1 10000 11001 10 rn:5 rd:5 ok=vsz(sz,q)", "frintz {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFRINT, RM_RTZ, 0, f->q, sd(f)); }
INSN(frintz_vh, "0 q:1 0 01110 1 11 1100 11001 10 rn:5 rd:5 @FP16", "frintz {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFRINT, RM_RTZ, 0, f->q, L_F16); }
INSN(frinta_v, "0 q:1 1 01110 0 sz:1 10000 11000 10 rn:5 rd:5 ok=vsz(sz,q)", "frinta {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFRINT, RM_RMM, 0, f->q, sd(f)); }
INSN(frinta_vh, "0 q:1 1 01110 0 11 1100 11000 10 rn:5 rd:5 @FP16", "frinta {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFRINT, RM_RMM, 0, f->q, L_F16); }
INSN(frintx_v, "0 q:1 1 01110 0 sz:1 10000 11001 10 rn:5 rd:5 ok=vsz(sz,q)", "frintx {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFRINT, RM_DYN, 1, f->q, sd(f)); }
INSN(frintx_vh, "0 q:1 1 01110 0 11 1100 11001 10 rn:5 rd:5 @FP16", "frintx {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFRINT, RM_DYN, 1, f->q, L_F16); }
INSN(frinti_v, "0 q:1 1 01110 1 sz:1 10000 11001 10 rn:5 rd:5 ok=vsz(sz,q)", "frinti {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFRINT, RM_DYN, 0, f->q, sd(f)); }
INSN(frinti_vh, "0 q:1 1 01110 1 11 1100 11001 10 rn:5 rd:5 @FP16", "frinti {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFRINT, RM_DYN, 0, f->q, L_F16); }
INSN(fcvtns_v, "0 q:1 0 01110 0 sz:1 10000 11010 10 rn:5 rd:5 ok=vsz(sz,q)", "fcvtns {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFTOI, RM_RNE, FTOI_ARM | FTOI_SIGNED, f->q, sd(f)); }
INSN(fcvtns_vh, "0 q:1 0 01110 0 11 1100 11010 10 rn:5 rd:5 @FP16", "fcvtns {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFTOI, RM_RNE, FTOI_ARM | FTOI_SIGNED, f->q, L_F16); }
INSN(fcvtns_s, "01 0 11110 0 sz:1 10000 11010 10 rn:5 rd:5", "fcvtns {rd:fz}, {rn:fz}") { fp1(t, f, IR_VFTOI, RM_RNE, FTOI_ARM | FTOI_SIGNED, SC, sd(f)); }
INSN(fcvtns_sh, "01 0 11110 0 11 1100 11010 10 rn:5 rd:5 @FP16", "fcvtns {rd:fh}, {rn:fh}") { fp1(t, f, IR_VFTOI, RM_RNE, FTOI_ARM | FTOI_SIGNED, SC, L_F16); }
INSN(fcvtps_v, "0 q:1 0 01110 1 sz:1 10000 11010 10 rn:5 rd:5 ok=vsz(sz,q)", "fcvtps {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFTOI, RM_RUP, FTOI_ARM | FTOI_SIGNED, f->q, sd(f)); }
INSN(fcvtps_vh, "0 q:1 0 01110 1 11 1100 11010 10 rn:5 rd:5 @FP16", "fcvtps {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFTOI, RM_RUP, FTOI_ARM | FTOI_SIGNED, f->q, L_F16); }
INSN(fcvtps_s, "01 0 11110 1 sz:1 10000 11010 10 rn:5 rd:5", "fcvtps {rd:fz}, {rn:fz}") { fp1(t, f, IR_VFTOI, RM_RUP, FTOI_ARM | FTOI_SIGNED, SC, sd(f)); }
INSN(fcvtps_sh, "01 0 11110 1 11 1100 11010 10 rn:5 rd:5 @FP16", "fcvtps {rd:fh}, {rn:fh}") { fp1(t, f, IR_VFTOI, RM_RUP, FTOI_ARM | FTOI_SIGNED, SC, L_F16); }
INSN(fcvtms_v, "0 q:1 0 01110 0 sz:1 10000 11011 10 rn:5 rd:5 ok=vsz(sz,q)", "fcvtms {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFTOI, RM_RDN, FTOI_ARM | FTOI_SIGNED, f->q, sd(f)); }
INSN(fcvtms_vh, "0 q:1 0 01110 0 11 1100 11011 10 rn:5 rd:5 @FP16", "fcvtms {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFTOI, RM_RDN, FTOI_ARM | FTOI_SIGNED, f->q, L_F16); }
INSN(fcvtms_s, "01 0 11110 0 sz:1 10000 11011 10 rn:5 rd:5", "fcvtms {rd:fz}, {rn:fz}") { fp1(t, f, IR_VFTOI, RM_RDN, FTOI_ARM | FTOI_SIGNED, SC, sd(f)); }
INSN(fcvtms_sh, "01 0 11110 0 11 1100 11011 10 rn:5 rd:5 @FP16", "fcvtms {rd:fh}, {rn:fh}") { fp1(t, f, IR_VFTOI, RM_RDN, FTOI_ARM | FTOI_SIGNED, SC, L_F16); }
INSN(fcvtzs_v, "0 q:1 0 01110 1 sz:1 10000 11011 10 rn:5 rd:5 ok=vsz(sz,q)", "fcvtzs {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFTOI, RM_RTZ, FTOI_ARM | FTOI_SIGNED, f->q, sd(f)); }
INSN(fcvtzs_vh, "0 q:1 0 01110 1 11 1100 11011 10 rn:5 rd:5 @FP16", "fcvtzs {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFTOI, RM_RTZ, FTOI_ARM | FTOI_SIGNED, f->q, L_F16); }
INSN(fcvtzs_s, "01 0 11110 1 sz:1 10000 11011 10 rn:5 rd:5", "fcvtzs {rd:fz}, {rn:fz}") { fp1(t, f, IR_VFTOI, RM_RTZ, FTOI_ARM | FTOI_SIGNED, SC, sd(f)); }
INSN(fcvtzs_sh, "01 0 11110 1 11 1100 11011 10 rn:5 rd:5 @FP16", "fcvtzs {rd:fh}, {rn:fh}") { fp1(t, f, IR_VFTOI, RM_RTZ, FTOI_ARM | FTOI_SIGNED, SC, L_F16); }
INSN(fcvtas_v, "0 q:1 0 01110 0 sz:1 10000 11100 10 rn:5 rd:5 ok=vsz(sz,q)", "fcvtas {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFTOI, RM_RMM, FTOI_ARM | FTOI_SIGNED, f->q, sd(f)); }
INSN(fcvtas_vh, "0 q:1 0 01110 0 11 1100 11100 10 rn:5 rd:5 @FP16", "fcvtas {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFTOI, RM_RMM, FTOI_ARM | FTOI_SIGNED, f->q, L_F16); }
INSN(fcvtas_s, "01 0 11110 0 sz:1 10000 11100 10 rn:5 rd:5", "fcvtas {rd:fz}, {rn:fz}") { fp1(t, f, IR_VFTOI, RM_RMM, FTOI_ARM | FTOI_SIGNED, SC, sd(f)); }
INSN(fcvtas_sh, "01 0 11110 0 11 1100 11100 10 rn:5 rd:5 @FP16", "fcvtas {rd:fh}, {rn:fh}") { fp1(t, f, IR_VFTOI, RM_RMM, FTOI_ARM | FTOI_SIGNED, SC, L_F16); }
INSN(fcvtnu_v, "0 q:1 1 01110 0 sz:1 10000 11010 10 rn:5 rd:5 ok=vsz(sz,q)", "fcvtnu {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFTOI, RM_RNE, FTOI_ARM, f->q, sd(f)); }
INSN(fcvtnu_vh, "0 q:1 1 01110 0 11 1100 11010 10 rn:5 rd:5 @FP16", "fcvtnu {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFTOI, RM_RNE, FTOI_ARM, f->q, L_F16); }
INSN(fcvtnu_s, "01 1 11110 0 sz:1 10000 11010 10 rn:5 rd:5", "fcvtnu {rd:fz}, {rn:fz}") { fp1(t, f, IR_VFTOI, RM_RNE, FTOI_ARM, SC, sd(f)); }
INSN(fcvtnu_sh, "01 1 11110 0 11 1100 11010 10 rn:5 rd:5 @FP16", "fcvtnu {rd:fh}, {rn:fh}") { fp1(t, f, IR_VFTOI, RM_RNE, FTOI_ARM, SC, L_F16); }
INSN(fcvtpu_v, "0 q:1 1 01110 1 sz:1 10000 11010 10 rn:5 rd:5 ok=vsz(sz,q)", "fcvtpu {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFTOI, RM_RUP, FTOI_ARM, f->q, sd(f)); }
INSN(fcvtpu_vh, "0 q:1 1 01110 1 11 1100 11010 10 rn:5 rd:5 @FP16", "fcvtpu {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFTOI, RM_RUP, FTOI_ARM, f->q, L_F16); }
INSN(fcvtpu_s, "01 1 11110 1 sz:1 10000 11010 10 rn:5 rd:5", "fcvtpu {rd:fz}, {rn:fz}") { fp1(t, f, IR_VFTOI, RM_RUP, FTOI_ARM, SC, sd(f)); }
INSN(fcvtpu_sh, "01 1 11110 1 11 1100 11010 10 rn:5 rd:5 @FP16", "fcvtpu {rd:fh}, {rn:fh}") { fp1(t, f, IR_VFTOI, RM_RUP, FTOI_ARM, SC, L_F16); }
INSN(fcvtmu_v, "0 q:1 1 01110 0 sz:1 10000 11011 10 rn:5 rd:5 ok=vsz(sz,q)", "fcvtmu {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFTOI, RM_RDN, FTOI_ARM, f->q, sd(f)); }
INSN(fcvtmu_vh, "0 q:1 1 01110 0 11 1100 11011 10 rn:5 rd:5 @FP16", "fcvtmu {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFTOI, RM_RDN, FTOI_ARM, f->q, L_F16); }
INSN(fcvtmu_s, "01 1 11110 0 sz:1 10000 11011 10 rn:5 rd:5", "fcvtmu {rd:fz}, {rn:fz}") { fp1(t, f, IR_VFTOI, RM_RDN, FTOI_ARM, SC, sd(f)); }
INSN(fcvtmu_sh, "01 1 11110 0 11 1100 11011 10 rn:5 rd:5 @FP16", "fcvtmu {rd:fh}, {rn:fh}") { fp1(t, f, IR_VFTOI, RM_RDN, FTOI_ARM, SC, L_F16); }
INSN(fcvtzu_v, "0 q:1 1 01110 1 sz:1 10000 11011 10 rn:5 rd:5 ok=vsz(sz,q)", "fcvtzu {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFTOI, RM_RTZ, FTOI_ARM, f->q, sd(f)); }
INSN(fcvtzu_vh, "0 q:1 1 01110 1 11 1100 11011 10 rn:5 rd:5 @FP16", "fcvtzu {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFTOI, RM_RTZ, FTOI_ARM, f->q, L_F16); }
INSN(fcvtzu_s, "01 1 11110 1 sz:1 10000 11011 10 rn:5 rd:5", "fcvtzu {rd:fz}, {rn:fz}") { fp1(t, f, IR_VFTOI, RM_RTZ, FTOI_ARM, SC, sd(f)); }
INSN(fcvtzu_sh, "01 1 11110 1 11 1100 11011 10 rn:5 rd:5 @FP16", "fcvtzu {rd:fh}, {rn:fh}") { fp1(t, f, IR_VFTOI, RM_RTZ, FTOI_ARM, SC, L_F16); }
INSN(fcvtau_v, "0 q:1 1 01110 0 sz:1 10000 11100 10 rn:5 rd:5 ok=vsz(sz,q)", "fcvtau {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFTOI, RM_RMM, FTOI_ARM, f->q, sd(f)); }
INSN(fcvtau_vh, "0 q:1 1 01110 0 11 1100 11100 10 rn:5 rd:5 @FP16", "fcvtau {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFTOI, RM_RMM, FTOI_ARM, f->q, L_F16); }
INSN(fcvtau_s, "01 1 11110 0 sz:1 10000 11100 10 rn:5 rd:5", "fcvtau {rd:fz}, {rn:fz}") { fp1(t, f, IR_VFTOI, RM_RMM, FTOI_ARM, SC, sd(f)); }
INSN(fcvtau_sh, "01 1 11110 0 11 1100 11100 10 rn:5 rd:5 @FP16", "fcvtau {rd:fh}, {rn:fh}") { fp1(t, f, IR_VFTOI, RM_RMM, FTOI_ARM, SC, L_F16); }
INSN(scvtf_v, "0 q:1 0 01110 0 sz:1 10000 11101 10 rn:5 rd:5 ok=vsz(sz,q)", "scvtf {rd:vf}, {rn:vf}") { fp1(t, f, IR_VITOF, RM_DYN, 1, f->q, sd(f)); }
INSN(scvtf_vh, "0 q:1 0 01110 0 11 1100 11101 10 rn:5 rd:5 @FP16", "scvtf {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VITOF, RM_DYN, 1, f->q, L_F16); }
INSN(scvtf_s, "01 0 11110 0 sz:1 10000 11101 10 rn:5 rd:5", "scvtf {rd:fz}, {rn:fz}") { fp1(t, f, IR_VITOF, RM_DYN, 1, SC, sd(f)); }
INSN(scvtf_sh, "01 0 11110 0 11 1100 11101 10 rn:5 rd:5 @FP16", "scvtf {rd:fh}, {rn:fh}") { fp1(t, f, IR_VITOF, RM_DYN, 1, SC, L_F16); }
INSN(ucvtf_v, "0 q:1 1 01110 0 sz:1 10000 11101 10 rn:5 rd:5 ok=vsz(sz,q)", "ucvtf {rd:vf}, {rn:vf}") { fp1(t, f, IR_VITOF, RM_DYN, 0, f->q, sd(f)); }
INSN(ucvtf_vh, "0 q:1 1 01110 0 11 1100 11101 10 rn:5 rd:5 @FP16", "ucvtf {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VITOF, RM_DYN, 0, f->q, L_F16); }
INSN(ucvtf_s, "01 1 11110 0 sz:1 10000 11101 10 rn:5 rd:5", "ucvtf {rd:fz}, {rn:fz}") { fp1(t, f, IR_VITOF, RM_DYN, 0, SC, sd(f)); }
INSN(ucvtf_sh, "01 1 11110 0 11 1100 11101 10 rn:5 rd:5 @FP16", "ucvtf {rd:fh}, {rn:fh}") { fp1(t, f, IR_VITOF, RM_DYN, 0, SC, L_F16); }
INSN(fabs_v, "0 q:1 0 01110 1 sz:1 10000 01111 10 rn:5 rd:5 ok=vsz(sz,q)", "fabs {rd:vf}, {rn:vf}") { sign(t, f, IR_VFABS, f->q, sd(f)); }
INSN(fabs_vh, "0 q:1 0 01110 1 11 1100 01111 10 rn:5 rd:5 @FP16", "fabs {rd:v4h}, {rn:v4h}") { sign(t, f, IR_VFABS, f->q, L_F16); }
INSN(fneg_v, "0 q:1 1 01110 1 sz:1 10000 01111 10 rn:5 rd:5 ok=vsz(sz,q)", "fneg {rd:vf}, {rn:vf}") { sign(t, f, IR_VFNEG, f->q, sd(f)); }
INSN(fneg_vh, "0 q:1 1 01110 1 11 1100 01111 10 rn:5 rd:5 @FP16", "fneg {rd:v4h}, {rn:v4h}") { sign(t, f, IR_VFNEG, f->q, L_F16); }
INSN(fsqrt_v, "0 q:1 1 01110 1 sz:1 10000 11111 10 rn:5 rd:5 ok=vsz(sz,q)", "fsqrt {rd:vf}, {rn:vf}") { fp1(t, f, IR_VFSQRT, RM_DYN, 0, f->q, sd(f)); }
INSN(fsqrt_vh, "0 q:1 1 01110 1 11 1100 11111 10 rn:5 rd:5 @FP16", "fsqrt {rd:v4h}, {rn:v4h}") { fp1(t, f, IR_VFSQRT, RM_DYN, 0, f->q, L_F16); }
INSN(frecpe_v, "0 q:1 0 01110 1 sz:1 10000 11101 10 rn:5 rd:5 ok=vsz(sz,q)", "frecpe {rd:vf}, {rn:vf}") { fp_lanes(t, f, FL_RECPE, f->q, sd(f), vzero(t)); }
INSN(frecpe_vh, "0 q:1 0 01110 1 11 1100 11101 10 rn:5 rd:5 @FP16", "frecpe {rd:v4h}, {rn:v4h}") { fp_lanes(t, f, FL_RECPE, f->q, L_F16, vzero(t)); }
INSN(frecpe_s, "01 0 11110 1 sz:1 10000 11101 10 rn:5 rd:5", "frecpe {rd:fz}, {rn:fz}") { fp_lanes(t, f, FL_RECPE, SC, sd(f), vzero(t)); }
INSN(frecpe_sh, "01 0 11110 1 11 1100 11101 10 rn:5 rd:5 @FP16", "frecpe {rd:fh}, {rn:fh}") { fp_lanes(t, f, FL_RECPE, SC, L_F16, vzero(t)); }
INSN(frsqrte_v, "0 q:1 1 01110 1 sz:1 10000 11101 10 rn:5 rd:5 ok=vsz(sz,q)", "frsqrte {rd:vf}, {rn:vf}") { fp_lanes(t, f, FL_RSQRTE, f->q, sd(f), vzero(t)); }
INSN(frsqrte_vh, "0 q:1 1 01110 1 11 1100 11101 10 rn:5 rd:5 @FP16", "frsqrte {rd:v4h}, {rn:v4h}") { fp_lanes(t, f, FL_RSQRTE, f->q, L_F16, vzero(t)); }
INSN(frsqrte_s, "01 1 11110 1 sz:1 10000 11101 10 rn:5 rd:5", "frsqrte {rd:fz}, {rn:fz}") { fp_lanes(t, f, FL_RSQRTE, SC, sd(f), vzero(t)); }
INSN(frsqrte_sh, "01 1 11110 1 11 1100 11101 10 rn:5 rd:5 @FP16", "frsqrte {rd:fh}, {rn:fh}") { fp_lanes(t, f, FL_RSQRTE, SC, L_F16, vzero(t)); }
INSN(frecpx_s, "01 0 11110 1 sz:1 10000 11111 10 rn:5 rd:5", "frecpx {rd:fz}, {rn:fz}") { fp_lanes(t, f, FL_RECPX, SC, sd(f), vzero(t)); }
INSN(frecpx_sh, "01 0 11110 1 11 1100 11111 10 rn:5 rd:5 @FP16", "frecpx {rd:fh}, {rn:fh}") { fp_lanes(t, f, FL_RECPX, SC, L_F16, vzero(t)); }
INSN(fcmgt0_v, "0 q:1 0 01110 1 sz:1 10000 01100 10 rn:5 rd:5 ok=vsz(sz,q)", "fcmgt {rd:vf}, {rn:vf}, #0.0") { fp_cmp(t, f, FC_LT, f->q, sd(f), true, false, true); }
INSN(fcmgt0_vh, "0 q:1 0 01110 1 11 1100 01100 10 rn:5 rd:5 @FP16", "fcmgt {rd:v4h}, {rn:v4h}, #0.0") { fp_cmp(t, f, FC_LT, f->q, L_F16, true, false, true); }
INSN(fcmgt0_s, "01 0 11110 1 sz:1 10000 01100 10 rn:5 rd:5", "fcmgt {rd:fz}, {rn:fz}, #0.0") { fp_cmp(t, f, FC_LT, SC, sd(f), true, false, true); }
INSN(fcmgt0_sh, "01 0 11110 1 11 1100 01100 10 rn:5 rd:5 @FP16", "fcmgt {rd:fh}, {rn:fh}, #0.0") { fp_cmp(t, f, FC_LT, SC, L_F16, true, false, true); }
INSN(fcmeq0_v, "0 q:1 0 01110 1 sz:1 10000 01101 10 rn:5 rd:5 ok=vsz(sz,q)", "fcmeq {rd:vf}, {rn:vf}, #0.0") { fp_cmp(t, f, FC_EQ, f->q, sd(f), false, false, true); }
INSN(fcmeq0_vh, "0 q:1 0 01110 1 11 1100 01101 10 rn:5 rd:5 @FP16", "fcmeq {rd:v4h}, {rn:v4h}, #0.0") { fp_cmp(t, f, FC_EQ, f->q, L_F16, false, false, true); }
INSN(fcmeq0_s, "01 0 11110 1 sz:1 10000 01101 10 rn:5 rd:5", "fcmeq {rd:fz}, {rn:fz}, #0.0") { fp_cmp(t, f, FC_EQ, SC, sd(f), false, false, true); }
INSN(fcmeq0_sh, "01 0 11110 1 11 1100 01101 10 rn:5 rd:5 @FP16", "fcmeq {rd:fh}, {rn:fh}, #0.0") { fp_cmp(t, f, FC_EQ, SC, L_F16, false, false, true); }
INSN(fcmlt0_v, "0 q:1 0 01110 1 sz:1 10000 01110 10 rn:5 rd:5 ok=vsz(sz,q)", "fcmlt {rd:vf}, {rn:vf}, #0.0") { fp_cmp(t, f, FC_LT, f->q, sd(f), false, false, true); }
INSN(fcmlt0_vh, "0 q:1 0 01110 1 11 1100 01110 10 rn:5 rd:5 @FP16", "fcmlt {rd:v4h}, {rn:v4h}, #0.0") { fp_cmp(t, f, FC_LT, f->q, L_F16, false, false, true); }
INSN(fcmlt0_s, "01 0 11110 1 sz:1 10000 01110 10 rn:5 rd:5", "fcmlt {rd:fz}, {rn:fz}, #0.0") { fp_cmp(t, f, FC_LT, SC, sd(f), false, false, true); }
INSN(fcmlt0_sh, "01 0 11110 1 11 1100 01110 10 rn:5 rd:5 @FP16", "fcmlt {rd:fh}, {rn:fh}, #0.0") { fp_cmp(t, f, FC_LT, SC, L_F16, false, false, true); }
INSN(fcmge0_v, "0 q:1 1 01110 1 sz:1 10000 01100 10 rn:5 rd:5 ok=vsz(sz,q)", "fcmge {rd:vf}, {rn:vf}, #0.0") { fp_cmp(t, f, FC_LE, f->q, sd(f), true, false, true); }
INSN(fcmge0_vh, "0 q:1 1 01110 1 11 1100 01100 10 rn:5 rd:5 @FP16", "fcmge {rd:v4h}, {rn:v4h}, #0.0") { fp_cmp(t, f, FC_LE, f->q, L_F16, true, false, true); }
INSN(fcmge0_s, "01 1 11110 1 sz:1 10000 01100 10 rn:5 rd:5", "fcmge {rd:fz}, {rn:fz}, #0.0") { fp_cmp(t, f, FC_LE, SC, sd(f), true, false, true); }
INSN(fcmge0_sh, "01 1 11110 1 11 1100 01100 10 rn:5 rd:5 @FP16", "fcmge {rd:fh}, {rn:fh}, #0.0") { fp_cmp(t, f, FC_LE, SC, L_F16, true, false, true); }
INSN(fcmle0_v, "0 q:1 1 01110 1 sz:1 10000 01101 10 rn:5 rd:5 ok=vsz(sz,q)", "fcmle {rd:vf}, {rn:vf}, #0.0") { fp_cmp(t, f, FC_LE, f->q, sd(f), false, false, true); }
INSN(fcmle0_vh, "0 q:1 1 01110 1 11 1100 01101 10 rn:5 rd:5 @FP16", "fcmle {rd:v4h}, {rn:v4h}, #0.0") { fp_cmp(t, f, FC_LE, f->q, L_F16, false, false, true); }
INSN(fcmle0_s, "01 1 11110 1 sz:1 10000 01101 10 rn:5 rd:5", "fcmle {rd:fz}, {rn:fz}, #0.0") { fp_cmp(t, f, FC_LE, SC, sd(f), false, false, true); }
INSN(fcmle0_sh, "01 1 11110 1 11 1100 01101 10 rn:5 rd:5 @FP16", "fcmle {rd:fh}, {rn:fh}, #0.0") { fp_cmp(t, f, FC_LE, SC, L_F16, false, false, true); }

/* Widening and narrowing: "2" reads or writes the high half. */
INSN(fcvtl, "0 q:1 0 01110 0 sz:1 10000 10111 10 rn:5 rd:5", "fcvtl{q:two} {rd:vfw}, {rn:vfn}")
{
    if (t->mode & MODE_AHP && !f->sz) {
        uint32_t desc = (uint32_t)(L_F16 - L_F16) | (uint32_t)(L_F32 - L_F16) << 2 | 4 << 4 | (uint32_t)f->q << 9;
        wv(t, (unsigned)f->rd, IR_CALL(t, fp_cvt_ahp, vr(t, (unsigned)f->rn), ir_k32(t, desc)));
        return;
    }
    wv(t, (unsigned)f->rd, ir_vf(t, IR_VFCVTW, f->sz ? L_F32 : L_F16, RM_DYN, vr(t, (unsigned)f->rn), 0, 0, (unsigned)f->q));
}
static void narrow_fp(struct xlat *t, F *f, V low)
{
    wv(t, (unsigned)f->rd, f->q ? ir_v2(t, IR_VZIP1, L_I64, vr(t, (unsigned)f->rd), low) : low);
}
INSN(fcvtn, "0 q:1 0 01110 0 sz:1 10000 10110 10 rn:5 rd:5", "fcvtn{q:two} {rd:vfn}, {rn:vfw}")
{
    if (t->mode & MODE_AHP && !f->sz) {
        uint32_t desc = (uint32_t)(L_F32 - L_F16) | (uint32_t)(L_F16 - L_F16) << 2 | 4 << 4;
        narrow_fp(t, f, IR_CALL(t, fp_cvt_ahp, vr(t, (unsigned)f->rn), ir_k32(t, desc)));
        return;
    }
    narrow_fp(t, f, ir_vf(t, IR_VFCVTN, f->sz ? L_F32 : L_F16, RM_DYN, vr(t, (unsigned)f->rn), 0, 0, 0));
}
INSN(fcvtxn, "0 q:1 1 01110 01 10000 10110 10 rn:5 rd:5", "fcvtxn{q:two} {rd:v2s}, v{rn:d}.2d")
{
    narrow_fp(t, f, ir_vf(t, IR_VFCVTN, L_F32, RM_ODD, vr(t, (unsigned)f->rn), 0, 0, 0));
}
INSN(fcvtxn_s, "01 1 11110 01 10000 10110 10 rn:5 rd:5", "fcvtxn {rd:fs}, {rn:fd}")
{
    wf(t, (unsigned)f->rd, ir_fcvt(t, T_F32, fr(t, T_F64, (unsigned)f->rn), RM_ODD));
}
static void round_n(struct xlat *t, F *f, unsigned bits, bool dyn)
{
    uint32_t desc = (uint32_t)(f->sz | (bits == 64) << 1 | dyn << 2);
    wv(t, (unsigned)f->rd, IR_CALL(t, simd_rint_n, vz(t, (unsigned)f->rn, f->q), ir_k32(t, desc)));
}
INSN(frint32z_v, "0 q:1 0 01110 0 sz:1 10000 11110 10 rn:5 rd:5 ok=vsz(sz,q) @FRINTTS", "frint32z {rd:vf}, {rn:vf}") { round_n(t, f, 32, false); }
INSN(frint32x_v, "0 q:1 1 01110 0 sz:1 10000 11110 10 rn:5 rd:5 ok=vsz(sz,q) @FRINTTS", "frint32x {rd:vf}, {rn:vf}") { round_n(t, f, 32, true); }
INSN(frint64z_v, "0 q:1 0 01110 0 sz:1 10000 11111 10 rn:5 rd:5 ok=vsz(sz,q) @FRINTTS", "frint64z {rd:vf}, {rn:vf}") { round_n(t, f, 64, false); }
INSN(frint64x_v, "0 q:1 1 01110 0 sz:1 10000 11111 10 rn:5 rd:5 ok=vsz(sz,q) @FRINTTS", "frint64x {rd:vf}, {rn:vf}") { round_n(t, f, 64, true); }

/* --- across lanes: a tree of pairs, low against high half first as FPReduce does ----------------------------------------------- */

static void across(struct xlat *t, F *f, enum ir_op op, enum ir_minmax mm, enum ir_lane l, bool q)
{
    enum ir_lane il = (enum ir_lane)(l - L_F16 + L_I16);
    V a = vz(t, (unsigned)f->rn, q);
    for (unsigned n = (q ? 128 : 64) / lane_bits(l); n > 1; n /= 2) {
        V even = ir_v2(t, IR_VUZP1, il, a, a), odd = ir_v2(t, IR_VUZP2, il, a, a);
        a = ir_vf(t, op, l, mm, even, odd, 0, 0);
    }
    wlane0(t, (unsigned)f->rd, l, a);
}
INSN(fmaxnmv, "0 1 1 01110 0 0 11000 01100 10 rn:5 rd:5", "fmaxnmv {rd:fs}, v{rn:d}.4s") { across(t, f, IR_VFMAX, MM_NUM08, L_F32, true); }
INSN(fmaxnmv_h, "0 q:1 0 01110 0 0 11000 01100 10 rn:5 rd:5 @FP16", "fmaxnmv {rd:fh}, {rn:v4h}") { across(t, f, IR_VFMAX, MM_NUM08, L_F16, f->q); }
INSN(fminnmv, "0 1 1 01110 1 0 11000 01100 10 rn:5 rd:5", "fminnmv {rd:fs}, v{rn:d}.4s") { across(t, f, IR_VFMIN, MM_NUM08, L_F32, true); }
INSN(fminnmv_h, "0 q:1 0 01110 1 0 11000 01100 10 rn:5 rd:5 @FP16", "fminnmv {rd:fh}, {rn:v4h}") { across(t, f, IR_VFMIN, MM_NUM08, L_F16, f->q); }
INSN(fmaxv, "0 1 1 01110 0 0 11000 01111 10 rn:5 rd:5", "fmaxv {rd:fs}, v{rn:d}.4s") { across(t, f, IR_VFMAX, MM_PROP, L_F32, true); }
INSN(fmaxv_h, "0 q:1 0 01110 0 0 11000 01111 10 rn:5 rd:5 @FP16", "fmaxv {rd:fh}, {rn:v4h}") { across(t, f, IR_VFMAX, MM_PROP, L_F16, f->q); }
INSN(fminv, "0 1 1 01110 1 0 11000 01111 10 rn:5 rd:5", "fminv {rd:fs}, v{rn:d}.4s") { across(t, f, IR_VFMIN, MM_PROP, L_F32, true); }
INSN(fminv_h, "0 q:1 0 01110 1 0 11000 01111 10 rn:5 rd:5 @FP16", "fminv {rd:fh}, {rn:v4h}") { across(t, f, IR_VFMIN, MM_PROP, L_F16, f->q); }

/* --- by element ------------------------------------------------------------------------------------------------------------------ */

static V element(struct xlat *t, F *f, enum ir_lane l, int64_t q)
{
    enum ir_lane il = (enum ir_lane)(l - L_F16 + L_I16);
    V e = ir_vget(t, il == L_I64 ? T_I64 : T_I32, il, vr(t, (unsigned)f->erm), (unsigned)f->eidx);
    if (q == SC) return il == L_I16 ? ir_vfrom(t, ir_trunc(t, T_I16, e)) : ir_vfrom(t, e);
    V all = ir_vdup(t, il, e);
    return q ? all : ir_v1x(t, IR_VZEXT, L_I64, all, 8);
}
static void fp_elt(struct xlat *t, F *f, int64_t q, enum ir_lane l)
{
    result(t, f, q, l, ir_vf(t, IR_VFMUL, l, RM_DYN, part(t, f->rn, q, l), element(t, f, l, q), 0, 0));
}
INSN(fmla_e, "0 q:1 0 01111 1 sz:1 l:1 m:1 rm4:4 0001 h:1 0 rn:5 rd:5 ok=vsz(sz,q) eidx=fidx(sz,h,l) erm=frm(sz,m,rm4)", "fmla {rd:vf}, {rn:vf}, {erm:fe}") { fp_mla(t, f, false, f->q, sd(f), element(t, f, sd(f), f->q)); }
INSN(fmla_eh, "0 q:1 0 01111 00 l:1 m:1 erm:4 0001 h:1 0 rn:5 rd:5 eidx=hidx(h,l,m) @FP16", "fmla {rd:v4h}, {rn:v4h}, {erm:he}") { fp_mla(t, f, false, f->q, L_F16, element(t, f, L_F16, f->q)); }
INSN(fmla_es, "01 0 11111 1 sz:1 l:1 m:1 rm4:4 0001 h:1 0 rn:5 rd:5 eidx=fidx(sz,h,l) erm=frm(sz,m,rm4)", "fmla {rd:fz}, {rn:fz}, {erm:fe}") { fp_mla(t, f, false, SC, sd(f), element(t, f, sd(f), SC)); }
INSN(fmla_esh, "01 0 11111 00 l:1 m:1 erm:4 0001 h:1 0 rn:5 rd:5 eidx=hidx(h,l,m) @FP16", "fmla {rd:fh}, {rn:fh}, {erm:he}") { fp_mla(t, f, false, SC, L_F16, element(t, f, L_F16, SC)); }
INSN(fmls_e, "0 q:1 0 01111 1 sz:1 l:1 m:1 rm4:4 0101 h:1 0 rn:5 rd:5 ok=vsz(sz,q) eidx=fidx(sz,h,l) erm=frm(sz,m,rm4)", "fmls {rd:vf}, {rn:vf}, {erm:fe}") { fp_mla(t, f, true, f->q, sd(f), element(t, f, sd(f), f->q)); }
INSN(fmls_eh, "0 q:1 0 01111 00 l:1 m:1 erm:4 0101 h:1 0 rn:5 rd:5 eidx=hidx(h,l,m) @FP16", "fmls {rd:v4h}, {rn:v4h}, {erm:he}") { fp_mla(t, f, true, f->q, L_F16, element(t, f, L_F16, f->q)); }
INSN(fmls_es, "01 0 11111 1 sz:1 l:1 m:1 rm4:4 0101 h:1 0 rn:5 rd:5 eidx=fidx(sz,h,l) erm=frm(sz,m,rm4)", "fmls {rd:fz}, {rn:fz}, {erm:fe}") { fp_mla(t, f, true, SC, sd(f), element(t, f, sd(f), SC)); }
INSN(fmls_esh, "01 0 11111 00 l:1 m:1 erm:4 0101 h:1 0 rn:5 rd:5 eidx=hidx(h,l,m) @FP16", "fmls {rd:fh}, {rn:fh}, {erm:he}") { fp_mla(t, f, true, SC, L_F16, element(t, f, L_F16, SC)); }
INSN(fmul_e, "0 q:1 0 01111 1 sz:1 l:1 m:1 rm4:4 1001 h:1 0 rn:5 rd:5 ok=vsz(sz,q) eidx=fidx(sz,h,l) erm=frm(sz,m,rm4)", "fmul {rd:vf}, {rn:vf}, {erm:fe}") { fp_elt(t, f, f->q, sd(f)); }
INSN(fmul_eh, "0 q:1 0 01111 00 l:1 m:1 erm:4 1001 h:1 0 rn:5 rd:5 eidx=hidx(h,l,m) @FP16", "fmul {rd:v4h}, {rn:v4h}, {erm:he}") { fp_elt(t, f, f->q, L_F16); }
INSN(fmul_es, "01 0 11111 1 sz:1 l:1 m:1 rm4:4 1001 h:1 0 rn:5 rd:5 eidx=fidx(sz,h,l) erm=frm(sz,m,rm4)", "fmul {rd:fz}, {rn:fz}, {erm:fe}") { fp_elt(t, f, SC, sd(f)); }
INSN(fmul_esh, "01 0 11111 00 l:1 m:1 erm:4 1001 h:1 0 rn:5 rd:5 eidx=hidx(h,l,m) @FP16", "fmul {rd:fh}, {rn:fh}, {erm:he}") { fp_elt(t, f, SC, L_F16); }
INSN(fmulx_e, "0 q:1 1 01111 1 sz:1 l:1 m:1 rm4:4 1001 h:1 0 rn:5 rd:5 ok=vsz(sz,q) eidx=fidx(sz,h,l) erm=frm(sz,m,rm4)", "fmulx {rd:vf}, {rn:vf}, {erm:fe}") { fp_lanes(t, f, FL_MULX, f->q, sd(f), element(t, f, sd(f), f->q)); }
INSN(fmulx_eh, "0 q:1 1 01111 00 l:1 m:1 erm:4 1001 h:1 0 rn:5 rd:5 eidx=hidx(h,l,m) @FP16", "fmulx {rd:v4h}, {rn:v4h}, {erm:he}") { fp_lanes(t, f, FL_MULX, f->q, L_F16, element(t, f, L_F16, f->q)); }
INSN(fmulx_es, "01 1 11111 1 sz:1 l:1 m:1 rm4:4 1001 h:1 0 rn:5 rd:5 eidx=fidx(sz,h,l) erm=frm(sz,m,rm4)", "fmulx {rd:fz}, {rn:fz}, {erm:fe}") { fp_lanes(t, f, FL_MULX, SC, sd(f), element(t, f, sd(f), SC)); }
INSN(fmulx_esh, "01 1 11111 00 l:1 m:1 erm:4 1001 h:1 0 rn:5 rd:5 eidx=hidx(h,l,m) @FP16", "fmulx {rd:fh}, {rn:fh}, {erm:he}") { fp_lanes(t, f, FL_MULX, SC, L_F16, element(t, f, L_F16, SC)); }

/* --- fixed point (FP shift-right forms): fraction bits = 2 * esize - hb ---------------------------------------------------------- */

static void fixed(struct xlat *t, F *f, bool to_int, bool is_signed, int64_t q)
{
    enum ir_lane l = (enum ir_lane)(31 - __builtin_clz((unsigned)f->hb >> 3) - L_I16 + L_F16);
    uint32_t bits = 2 * lane_bits(l) - (uint32_t)f->hb;
    uint32_t desc = (uint32_t)(l - L_F16) | (uint32_t)q << 2 | (uint32_t)to_int << 4 | (uint32_t)is_signed << 5 | bits << 8;
    wv(t, (unsigned)f->rd, IR_CALL(t, simd_fixed, part(t, f->rn, q, l), ir_k32(t, desc)));
}
INSN(scvtf_vfix, "0 q:1 0 011110 hb:7 11100 1 rn:5 rd:5 ok=fphb(hb,q)", "scvtf {rd:vh}, {rn:vh}, #{hb:right}") { fixed(t, f, false, true, f->q); }
INSN(scvtf_sfix, "01 0 111110 hb:7 11100 1 rn:5 rd:5 ok=fphb(hb,1)", "scvtf {rd:sch}, {rn:sch}, #{hb:right}") { fixed(t, f, false, true, SC); }
INSN(ucvtf_vfix, "0 q:1 1 011110 hb:7 11100 1 rn:5 rd:5 ok=fphb(hb,q)", "ucvtf {rd:vh}, {rn:vh}, #{hb:right}") { fixed(t, f, false, false, f->q); }
INSN(ucvtf_sfix, "01 1 111110 hb:7 11100 1 rn:5 rd:5 ok=fphb(hb,1)", "ucvtf {rd:sch}, {rn:sch}, #{hb:right}") { fixed(t, f, false, false, SC); }
INSN(fcvtzs_vfix, "0 q:1 0 011110 hb:7 11111 1 rn:5 rd:5 ok=fphb(hb,q)", "fcvtzs {rd:vh}, {rn:vh}, #{hb:right}") { fixed(t, f, true, true, f->q); }
INSN(fcvtzs_sfix, "01 0 111110 hb:7 11111 1 rn:5 rd:5 ok=fphb(hb,1)", "fcvtzs {rd:sch}, {rn:sch}, #{hb:right}") { fixed(t, f, true, true, SC); }
INSN(fcvtzu_vfix, "0 q:1 1 011110 hb:7 11111 1 rn:5 rd:5 ok=fphb(hb,q)", "fcvtzu {rd:vh}, {rn:vh}, #{hb:right}") { fixed(t, f, true, false, f->q); }
INSN(fcvtzu_sfix, "01 1 111110 hb:7 11111 1 rn:5 rd:5 ok=fphb(hb,1)", "fcvtzu {rd:sch}, {rn:sch}, #{hb:right}") { fixed(t, f, true, false, SC); }
