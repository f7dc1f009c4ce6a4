/*
 * a64_simd_int.isa.c: Advanced SIMD on integers: three same, two-register miscellaneous, across lanes, copy, permute, extract,
 * table look-up, modified immediate. Arm ARM C4.1.95 "Data Processing -- Scalar Floating-Point and Advanced SIMD".
 */
#include "a64_simd.h"

/* --- three registers of the same type ---------------------------------------------------------------------------- */

static void three(struct xlat *t, F *f, enum ir_op op)
{
    wvq(t, f->q, (unsigned)f->rd, ir_v2(t, op, vlane(f->size), vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
/* On the low halves only when q = 0: what the operation does in the upper half is dropped, but saturation must not be seen. */
static void saturating(struct xlat *t, F *f, enum ir_op op, enum ir_op plain, bool scalar)
{
    enum ir_lane l = vlane(f->size);
    V a = vz(t, (unsigned)f->rn, scalar ? 0 : f->q), b = vz(t, (unsigned)f->rm, scalar ? 0 : f->q);
    if (scalar) {
        a = ir_v2(t, IR_VAND, L_I64, a, ir_kv(t, bits_mask(lane_bits(l)), 0));
        b = ir_v2(t, IR_VAND, L_I64, b, ir_kv(t, bits_mask(lane_bits(l)), 0));
    }
    V r = ir_v2(t, op, l, a, b);
    qc_or(t, ir_v2(t, IR_VXOR, L_I64, r, ir_v2(t, plain, l, a, b)));
    wv(t, (unsigned)f->rd, r); /* zero operands give zero lanes */
}
/* (a + b) >> 1, (a - b) >> 1 and the rounded sum, without a wider type. */
static void halving(struct xlat *t, F *f, enum ir_op shift, int kind)
{
    enum ir_lane l = vlane(f->size);
    V a = vr(t, (unsigned)f->rn), b = vr(t, (unsigned)f->rm), half = ir_v1x(t, shift, l, ir_v2(t, IR_VXOR, l, a, b), 1), r;
    if (kind == 0)
        r = ir_v2(t, IR_VADD, l, ir_v2(t, IR_VAND, l, a, b), half);
    else if (kind == 1)
        r = ir_v2(t, IR_VSUB, l, half, ir_v2(t, IR_VANDN, l, b, a));
    else
        r = ir_v2(t, IR_VSUB, l, ir_v2(t, IR_VOR, l, a, b), half);
    wvq(t, f->q, (unsigned)f->rd, r);
}
static void compare(struct xlat *t, F *f, enum ir_cond c)
{
    wvq(t, f->q, (unsigned)f->rd, ir_vcmp(t, c, vlane(f->size), vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
static V abd(struct xlat *t, enum ir_lane l, bool uns, V a, V b)
{
    return ir_v2(t, IR_VSUB, l, ir_v2(t, uns ? IR_VMAXU : IR_VMAXS, l, a, b), ir_v2(t, uns ? IR_VMINU : IR_VMINS, l, a, b));
}
static void pairwise(struct xlat *t, F *f, enum ir_op op)
{
    enum ir_lane l = vlane(f->size);
    V a = vr(t, (unsigned)f->rn), b = vr(t, (unsigned)f->rm);
    if (!f->q) a = b = ir_v2(t, IR_VZIP1, L_I64, a, b);
    wvq(t, f->q, (unsigned)f->rd, ir_v2(t, op, l, ir_v2(t, IR_VUZP1, l, a, b), ir_v2(t, IR_VUZP2, l, a, b)));
}
static void accumulate(struct xlat *t, F *f, enum ir_op op, V x)
{
    wvq(t, f->q, (unsigned)f->rd, ir_v2(t, op, vlane(f->size), vr(t, (unsigned)f->rd), x));
}
/* SSHL, USHL: by the signed low byte of each lane. */
static V shift_reg(struct xlat *t, enum ir_lane l, bool uns, V a, V b)
{
    unsigned w = lane_bits(l);
    V amount = w == 8 ? b : ir_v1x(t, IR_VSARI, l, ir_v1x(t, IR_VSHLI, l, b, w - 8), w - 8);
    V right = ir_v2(t, IR_VSUB, l, vzero(t), amount);
    V left = ir_v2(t, IR_VSHL, l, a, amount);
    if (uns) return ir_v2(t, IR_VOR, l, left, ir_v2(t, IR_VSHR, l, a, right)); /* a negative amount is a huge one */
    return ir_v3(t, IR_VBSEL, l, ir_vcmp(t, C_SGT, l, vzero(t), amount), ir_v2(t, IR_VSAR, l, a, right), left);
}
/* A lane-wise helper with saturation into QC. `scalar`: lane 0 alone. */
static void lanes(struct xlat *t, int64_t rd, int64_t size, unsigned op, V a, V b, int64_t q)
{
    wv(t, (unsigned)rd, IR_CALL(t, simd_lanes, a, b, ir_k32(t, SH(op, size, q))));
}
static void lanewise(struct xlat *t, F *f, unsigned op, V a, V b, bool scalar)
{
    lanes(t, f->rd, f->size, op, a, b, scalar ? LANES_SCALAR : f->q);
}

INSN(shadd_v, "0 q:1 0 01110 size:2 1 rm:5 00000 1 rn:5 rd:5 size!=3", "shadd {rd:v}, {rn:v}, {rm:v}") { halving(t, f, IR_VSARI, 0); }
INSN(uhadd_v, "0 q:1 1 01110 size:2 1 rm:5 00000 1 rn:5 rd:5 size!=3", "uhadd {rd:v}, {rn:v}, {rm:v}") { halving(t, f, IR_VSHRI, 0); }
INSN(shsub_v, "0 q:1 0 01110 size:2 1 rm:5 00100 1 rn:5 rd:5 size!=3", "shsub {rd:v}, {rn:v}, {rm:v}") { halving(t, f, IR_VSARI, 1); }
INSN(uhsub_v, "0 q:1 1 01110 size:2 1 rm:5 00100 1 rn:5 rd:5 size!=3", "uhsub {rd:v}, {rn:v}, {rm:v}") { halving(t, f, IR_VSHRI, 1); }
INSN(srhadd_v, "0 q:1 0 01110 size:2 1 rm:5 00010 1 rn:5 rd:5 size!=3", "srhadd {rd:v}, {rn:v}, {rm:v}") { halving(t, f, IR_VSARI, 2); }
INSN(urhadd_v, "0 q:1 1 01110 size:2 1 rm:5 00010 1 rn:5 rd:5 size!=3", "urhadd {rd:v}, {rn:v}, {rm:v}") { three(t, f, IR_VAVGU); }

INSN(sqadd_v, "0 q:1 0 01110 size:2 1 rm:5 00001 1 rn:5 rd:5 ok=v1d(size,q)", "sqadd {rd:v}, {rn:v}, {rm:v}") { saturating(t, f, IR_VADDSS, IR_VADD, false); }
INSN(uqadd_v, "0 q:1 1 01110 size:2 1 rm:5 00001 1 rn:5 rd:5 ok=v1d(size,q)", "uqadd {rd:v}, {rn:v}, {rm:v}") { saturating(t, f, IR_VADDUS, IR_VADD, false); }
INSN(sqsub_v, "0 q:1 0 01110 size:2 1 rm:5 00101 1 rn:5 rd:5 ok=v1d(size,q)", "sqsub {rd:v}, {rn:v}, {rm:v}") { saturating(t, f, IR_VSUBSS, IR_VSUB, false); }
INSN(uqsub_v, "0 q:1 1 01110 size:2 1 rm:5 00101 1 rn:5 rd:5 ok=v1d(size,q)", "uqsub {rd:v}, {rn:v}, {rm:v}") { saturating(t, f, IR_VSUBUS, IR_VSUB, false); }
INSN(sqadd_s, "01 0 11110 size:2 1 rm:5 00001 1 rn:5 rd:5", "sqadd {rd:sc}, {rn:sc}, {rm:sc}") { saturating(t, f, IR_VADDSS, IR_VADD, true); }
INSN(uqadd_s, "01 1 11110 size:2 1 rm:5 00001 1 rn:5 rd:5", "uqadd {rd:sc}, {rn:sc}, {rm:sc}") { saturating(t, f, IR_VADDUS, IR_VADD, true); }
INSN(sqsub_s, "01 0 11110 size:2 1 rm:5 00101 1 rn:5 rd:5", "sqsub {rd:sc}, {rn:sc}, {rm:sc}") { saturating(t, f, IR_VSUBSS, IR_VSUB, true); }
INSN(uqsub_s, "01 1 11110 size:2 1 rm:5 00101 1 rn:5 rd:5", "uqsub {rd:sc}, {rn:sc}, {rm:sc}") { saturating(t, f, IR_VSUBUS, IR_VSUB, true); }

INSN(and_v, "0 q:1 0 01110 00 1 rm:5 00011 1 rn:5 rd:5", "and {rd:vb}, {rn:vb}, {rm:vb}")
{
    wvq(t, f->q, (unsigned)f->rd, ir_v2(t, IR_VAND, L_I64, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(bic_v, "0 q:1 0 01110 01 1 rm:5 00011 1 rn:5 rd:5", "bic {rd:vb}, {rn:vb}, {rm:vb}")
{
    wvq(t, f->q, (unsigned)f->rd, ir_v2(t, IR_VANDN, L_I64, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(orr_v, "0 q:1 0 01110 10 1 rm:5 00011 1 rn:5 rd:5", "orr {rd:vb}, {rn:vb}, {rm:vb}")
{
    V a = vr(t, (unsigned)f->rn);
    wvq(t, f->q, (unsigned)f->rd, f->rn == f->rm ? a : ir_v2(t, IR_VOR, L_I64, a, vr(t, (unsigned)f->rm)));
}
ALIAS(orr_v, "0 q:1 0 01110 10 1 rm:5 00011 1 rn:5 rd:5 ok=same(rm,rn)", "mov {rd:vb}, {rn:vb}")
INSN(orn_v, "0 q:1 0 01110 11 1 rm:5 00011 1 rn:5 rd:5", "orn {rd:vb}, {rn:vb}, {rm:vb}")
{
    wvq(t, f->q, (unsigned)f->rd, ir_v2(t, IR_VOR, L_I64, vr(t, (unsigned)f->rn), ir_v2(t, IR_VXOR, L_I64, vr(t, (unsigned)f->rm), vones(t))));
}
INSN(eor_v, "0 q:1 1 01110 00 1 rm:5 00011 1 rn:5 rd:5", "eor {rd:vb}, {rn:vb}, {rm:vb}")
{
    wvq(t, f->q, (unsigned)f->rd, f->rn == f->rm ? vzero(t) : ir_v2(t, IR_VXOR, L_I64, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(bsl_v, "0 q:1 1 01110 01 1 rm:5 00011 1 rn:5 rd:5", "bsl {rd:vb}, {rn:vb}, {rm:vb}")
{
    wvq(t, f->q, (unsigned)f->rd, ir_v3(t, IR_VBSEL, L_I64, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(bit_v, "0 q:1 1 01110 10 1 rm:5 00011 1 rn:5 rd:5", "bit {rd:vb}, {rn:vb}, {rm:vb}")
{
    wvq(t, f->q, (unsigned)f->rd, ir_v3(t, IR_VBSEL, L_I64, vr(t, (unsigned)f->rm), vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rd)));
}
INSN(bif_v, "0 q:1 1 01110 11 1 rm:5 00011 1 rn:5 rd:5", "bif {rd:vb}, {rn:vb}, {rm:vb}")
{
    wvq(t, f->q, (unsigned)f->rd, ir_v3(t, IR_VBSEL, L_I64, vr(t, (unsigned)f->rm), vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn)));
}

INSN(cmgt_v, "0 q:1 0 01110 size:2 1 rm:5 00110 1 rn:5 rd:5 ok=v1d(size,q)", "cmgt {rd:v}, {rn:v}, {rm:v}") { compare(t, f, C_SGT); }
INSN(cmge_v, "0 q:1 0 01110 size:2 1 rm:5 00111 1 rn:5 rd:5 ok=v1d(size,q)", "cmge {rd:v}, {rn:v}, {rm:v}") { compare(t, f, C_SGE); }
INSN(cmhi_v, "0 q:1 1 01110 size:2 1 rm:5 00110 1 rn:5 rd:5 ok=v1d(size,q)", "cmhi {rd:v}, {rn:v}, {rm:v}") { compare(t, f, C_UGT); }
INSN(cmhs_v, "0 q:1 1 01110 size:2 1 rm:5 00111 1 rn:5 rd:5 ok=v1d(size,q)", "cmhs {rd:v}, {rn:v}, {rm:v}") { compare(t, f, C_UGE); }
INSN(cmeq_v, "0 q:1 1 01110 size:2 1 rm:5 10001 1 rn:5 rd:5 ok=v1d(size,q)", "cmeq {rd:v}, {rn:v}, {rm:v}") { compare(t, f, C_EQ); }
static V tst(struct xlat *t, enum ir_lane l, V a, V b)
{
    return ir_v2(t, IR_VXOR, L_I64, ir_vcmp(t, C_EQ, l, ir_v2(t, IR_VAND, L_I64, a, b), vzero(t)), vones(t));
}
INSN(cmtst_v, "0 q:1 0 01110 size:2 1 rm:5 10001 1 rn:5 rd:5 ok=v1d(size,q)", "cmtst {rd:v}, {rn:v}, {rm:v}")
{
    wvq(t, f->q, (unsigned)f->rd, tst(t, vlane(f->size), vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
static void compare_s(struct xlat *t, F *f, enum ir_cond c, V b)
{
    wvq(t, 0, (unsigned)f->rd, ir_vcmp(t, c, L_I64, vr(t, (unsigned)f->rn), b));
}
INSN(cmgt_s, "01 0 11110 11 1 rm:5 00110 1 rn:5 rd:5", "cmgt {rd:fd}, {rn:fd}, {rm:fd}") { compare_s(t, f, C_SGT, vr(t, (unsigned)f->rm)); }
INSN(cmge_s, "01 0 11110 11 1 rm:5 00111 1 rn:5 rd:5", "cmge {rd:fd}, {rn:fd}, {rm:fd}") { compare_s(t, f, C_SGE, vr(t, (unsigned)f->rm)); }
INSN(cmhi_s, "01 1 11110 11 1 rm:5 00110 1 rn:5 rd:5", "cmhi {rd:fd}, {rn:fd}, {rm:fd}") { compare_s(t, f, C_UGT, vr(t, (unsigned)f->rm)); }
INSN(cmhs_s, "01 1 11110 11 1 rm:5 00111 1 rn:5 rd:5", "cmhs {rd:fd}, {rn:fd}, {rm:fd}") { compare_s(t, f, C_UGE, vr(t, (unsigned)f->rm)); }
INSN(cmeq_s, "01 1 11110 11 1 rm:5 10001 1 rn:5 rd:5", "cmeq {rd:fd}, {rn:fd}, {rm:fd}") { compare_s(t, f, C_EQ, vr(t, (unsigned)f->rm)); }
INSN(cmtst_s, "01 0 11110 11 1 rm:5 10001 1 rn:5 rd:5", "cmtst {rd:fd}, {rn:fd}, {rm:fd}")
{
    wvq(t, 0, (unsigned)f->rd, tst(t, L_I64, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}

INSN(sshl_v, "0 q:1 0 01110 size:2 1 rm:5 01000 1 rn:5 rd:5 ok=v1d(size,q)", "sshl {rd:v}, {rn:v}, {rm:v}")
{
    wvq(t, f->q, (unsigned)f->rd, shift_reg(t, vlane(f->size), false, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(ushl_v, "0 q:1 1 01110 size:2 1 rm:5 01000 1 rn:5 rd:5 ok=v1d(size,q)", "ushl {rd:v}, {rn:v}, {rm:v}")
{
    wvq(t, f->q, (unsigned)f->rd, shift_reg(t, vlane(f->size), true, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(sshl_s, "01 0 11110 11 1 rm:5 01000 1 rn:5 rd:5", "sshl {rd:fd}, {rn:fd}, {rm:fd}")
{
    wvq(t, 0, (unsigned)f->rd, shift_reg(t, L_I64, false, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(ushl_s, "01 1 11110 11 1 rm:5 01000 1 rn:5 rd:5", "ushl {rd:fd}, {rn:fd}, {rm:fd}")
{
    wvq(t, 0, (unsigned)f->rd, shift_reg(t, L_I64, true, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(sqshl_v, "0 q:1 0 01110 size:2 1 rm:5 01001 1 rn:5 rd:5 ok=v1d(size,q)", "sqshl {rd:v}, {rn:v}, {rm:v}") { lanewise(t, f, SH_SQSHL, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), false); }
INSN(uqshl_v, "0 q:1 1 01110 size:2 1 rm:5 01001 1 rn:5 rd:5 ok=v1d(size,q)", "uqshl {rd:v}, {rn:v}, {rm:v}") { lanewise(t, f, SH_UQSHL, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), false); }
INSN(srshl_v, "0 q:1 0 01110 size:2 1 rm:5 01010 1 rn:5 rd:5 ok=v1d(size,q)", "srshl {rd:v}, {rn:v}, {rm:v}") { lanewise(t, f, SH_SRSHL, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), false); }
INSN(urshl_v, "0 q:1 1 01110 size:2 1 rm:5 01010 1 rn:5 rd:5 ok=v1d(size,q)", "urshl {rd:v}, {rn:v}, {rm:v}") { lanewise(t, f, SH_URSHL, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), false); }
INSN(sqrshl_v, "0 q:1 0 01110 size:2 1 rm:5 01011 1 rn:5 rd:5 ok=v1d(size,q)", "sqrshl {rd:v}, {rn:v}, {rm:v}") { lanewise(t, f, SH_SQRSHL, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), false); }
INSN(uqrshl_v, "0 q:1 1 01110 size:2 1 rm:5 01011 1 rn:5 rd:5 ok=v1d(size,q)", "uqrshl {rd:v}, {rn:v}, {rm:v}") { lanewise(t, f, SH_UQRSHL, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), false); }
INSN(sqshl_s, "01 0 11110 size:2 1 rm:5 01001 1 rn:5 rd:5", "sqshl {rd:sc}, {rn:sc}, {rm:sc}") { lanewise(t, f, SH_SQSHL, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), true); }
INSN(uqshl_s, "01 1 11110 size:2 1 rm:5 01001 1 rn:5 rd:5", "uqshl {rd:sc}, {rn:sc}, {rm:sc}") { lanewise(t, f, SH_UQSHL, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), true); }
INSN(srshl_s, "01 0 11110 11 1 rm:5 01010 1 rn:5 rd:5", "srshl {rd:fd}, {rn:fd}, {rm:fd}") { lanes(t, f->rd, 3, SH_SRSHL, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), LANES_SCALAR); }
INSN(urshl_s, "01 1 11110 11 1 rm:5 01010 1 rn:5 rd:5", "urshl {rd:fd}, {rn:fd}, {rm:fd}") { lanes(t, f->rd, 3, SH_URSHL, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), LANES_SCALAR); }
INSN(sqrshl_s, "01 0 11110 size:2 1 rm:5 01011 1 rn:5 rd:5", "sqrshl {rd:sc}, {rn:sc}, {rm:sc}") { lanewise(t, f, SH_SQRSHL, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), true); }
INSN(uqrshl_s, "01 1 11110 size:2 1 rm:5 01011 1 rn:5 rd:5", "uqrshl {rd:sc}, {rn:sc}, {rm:sc}") { lanewise(t, f, SH_UQRSHL, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), true); }

INSN(smax_v, "0 q:1 0 01110 size:2 1 rm:5 01100 1 rn:5 rd:5 size!=3", "smax {rd:v}, {rn:v}, {rm:v}") { three(t, f, IR_VMAXS); }
INSN(smin_v, "0 q:1 0 01110 size:2 1 rm:5 01101 1 rn:5 rd:5 size!=3", "smin {rd:v}, {rn:v}, {rm:v}") { three(t, f, IR_VMINS); }
INSN(umax_v, "0 q:1 1 01110 size:2 1 rm:5 01100 1 rn:5 rd:5 size!=3", "umax {rd:v}, {rn:v}, {rm:v}") { three(t, f, IR_VMAXU); }
INSN(umin_v, "0 q:1 1 01110 size:2 1 rm:5 01101 1 rn:5 rd:5 size!=3", "umin {rd:v}, {rn:v}, {rm:v}") { three(t, f, IR_VMINU); }
INSN(smaxp_v, "0 q:1 0 01110 size:2 1 rm:5 10100 1 rn:5 rd:5 size!=3", "smaxp {rd:v}, {rn:v}, {rm:v}") { pairwise(t, f, IR_VMAXS); }
INSN(sminp_v, "0 q:1 0 01110 size:2 1 rm:5 10101 1 rn:5 rd:5 size!=3", "sminp {rd:v}, {rn:v}, {rm:v}") { pairwise(t, f, IR_VMINS); }
INSN(umaxp_v, "0 q:1 1 01110 size:2 1 rm:5 10100 1 rn:5 rd:5 size!=3", "umaxp {rd:v}, {rn:v}, {rm:v}") { pairwise(t, f, IR_VMAXU); }
INSN(uminp_v, "0 q:1 1 01110 size:2 1 rm:5 10101 1 rn:5 rd:5 size!=3", "uminp {rd:v}, {rn:v}, {rm:v}") { pairwise(t, f, IR_VMINU); }
INSN(addp_v, "0 q:1 0 01110 size:2 1 rm:5 10111 1 rn:5 rd:5 ok=v1d(size,q)", "addp {rd:v}, {rn:v}, {rm:v}") { pairwise(t, f, IR_VADD); }
INSN(addp_s, "01 0 11110 11 11000 11011 10 rn:5 rd:5", "addp {rd:fd}, v{rn:d}.2d")
{
    V a = vr(t, (unsigned)f->rn);
    wvq(t, 0, (unsigned)f->rd, ir_v2(t, IR_VADD, L_I64, a, ir_v2(t, IR_VUZP2, L_I64, a, a)));
}
INSN(sabd_v, "0 q:1 0 01110 size:2 1 rm:5 01110 1 rn:5 rd:5 size!=3", "sabd {rd:v}, {rn:v}, {rm:v}")
{
    wvq(t, f->q, (unsigned)f->rd, abd(t, vlane(f->size), false, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(uabd_v, "0 q:1 1 01110 size:2 1 rm:5 01110 1 rn:5 rd:5 size!=3", "uabd {rd:v}, {rn:v}, {rm:v}")
{
    wvq(t, f->q, (unsigned)f->rd, abd(t, vlane(f->size), true, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(saba_v, "0 q:1 0 01110 size:2 1 rm:5 01111 1 rn:5 rd:5 size!=3", "saba {rd:v}, {rn:v}, {rm:v}")
{
    accumulate(t, f, IR_VADD, abd(t, vlane(f->size), false, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(uaba_v, "0 q:1 1 01110 size:2 1 rm:5 01111 1 rn:5 rd:5 size!=3", "uaba {rd:v}, {rn:v}, {rm:v}")
{
    accumulate(t, f, IR_VADD, abd(t, vlane(f->size), true, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(add_v, "0 q:1 0 01110 size:2 1 rm:5 10000 1 rn:5 rd:5 ok=v1d(size,q)", "add {rd:v}, {rn:v}, {rm:v}") { three(t, f, IR_VADD); }
INSN(sub_v, "0 q:1 1 01110 size:2 1 rm:5 10000 1 rn:5 rd:5 ok=v1d(size,q)", "sub {rd:v}, {rn:v}, {rm:v}") { three(t, f, IR_VSUB); }
INSN(add_s, "01 0 11110 11 1 rm:5 10000 1 rn:5 rd:5", "add {rd:fd}, {rn:fd}, {rm:fd}")
{
    wvq(t, 0, (unsigned)f->rd, ir_v2(t, IR_VADD, L_I64, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(sub_s, "01 1 11110 11 1 rm:5 10000 1 rn:5 rd:5", "sub {rd:fd}, {rn:fd}, {rm:fd}")
{
    wvq(t, 0, (unsigned)f->rd, ir_v2(t, IR_VSUB, L_I64, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(mul_v, "0 q:1 0 01110 size:2 1 rm:5 10011 1 rn:5 rd:5 size!=3", "mul {rd:v}, {rn:v}, {rm:v}") { three(t, f, IR_VMUL); }
INSN(mla_v, "0 q:1 0 01110 size:2 1 rm:5 10010 1 rn:5 rd:5 size!=3", "mla {rd:v}, {rn:v}, {rm:v}")
{
    accumulate(t, f, IR_VADD, ir_v2(t, IR_VMUL, vlane(f->size), vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(mls_v, "0 q:1 1 01110 size:2 1 rm:5 10010 1 rn:5 rd:5 size!=3", "mls {rd:v}, {rn:v}, {rm:v}")
{
    accumulate(t, f, IR_VSUB, ir_v2(t, IR_VMUL, vlane(f->size), vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(pmul_v, "0 q:1 1 01110 00 1 rm:5 10011 1 rn:5 rd:5", "pmul {rd:vb}, {rn:vb}, {rm:vb}") { lanes(t, f->rd, 0, SH_PMUL, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), f->q); }
INSN(sqdmulh_v, "0 q:1 0 01110 size:2 1 rm:5 10110 1 rn:5 rd:5 size!=0,3", "sqdmulh {rd:v}, {rn:v}, {rm:v}") { lanewise(t, f, SH_SQDMULH, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), false); }
INSN(sqrdmulh_v, "0 q:1 1 01110 size:2 1 rm:5 10110 1 rn:5 rd:5 size!=0,3", "sqrdmulh {rd:v}, {rn:v}, {rm:v}") { lanewise(t, f, SH_SQRDMULH, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), false); }
INSN(sqdmulh_s, "01 0 11110 size:2 1 rm:5 10110 1 rn:5 rd:5 size!=0,3", "sqdmulh {rd:sc}, {rn:sc}, {rm:sc}") { lanewise(t, f, SH_SQDMULH, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), true); }
INSN(sqrdmulh_s, "01 1 11110 size:2 1 rm:5 10110 1 rn:5 rd:5 size!=0,3", "sqrdmulh {rd:sc}, {rn:sc}, {rm:sc}") { lanewise(t, f, SH_SQRDMULH, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), true); }

/* --- two-register miscellaneous ------------------------------------------------------------------------------------ */

/* Reverses lanes of 1 << from bytes within containers of 1 << to bytes. */
static void reverse(struct xlat *t, F *f, unsigned from, unsigned to)
{
    uint64_t idx[2] = { 0, 0 };
    unsigned n = (1u << to) - 1, m = (1u << from) - 1;
    for (unsigned i = 0; i < 16; i++) idx[i / 8] |= (uint64_t)((i & ~n) | ((n & ~m) - (i & n & ~m)) | (i & m)) << (i % 8 * 8);
    wvq(t, f->q, (unsigned)f->rd, ir_v2(t, IR_VTBL, L_I8, vr(t, (unsigned)f->rn), ir_kv(t, idx[0], idx[1])));
}
INSN(rev64_v, "0 q:1 0 01110 size:2 10000 00000 10 rn:5 rd:5 size!=3", "rev64 {rd:v}, {rn:v}") { reverse(t, f, (unsigned)f->size, 3); }
INSN(rev32_v, "0 q:1 1 01110 size:2 10000 00000 10 rn:5 rd:5 size!=2,3", "rev32 {rd:v}, {rn:v}") { reverse(t, f, (unsigned)f->size, 2); }
INSN(rev16_v, "0 q:1 0 01110 00 10000 00001 10 rn:5 rd:5", "rev16 {rd:vb}, {rn:vb}") { reverse(t, f, 0, 1); }

/* Sums of adjacent pairs into lanes of twice the width. */
static V add_long_pairs(struct xlat *t, enum ir_lane l, bool uns, V a)
{
    enum ir_lane wide = (enum ir_lane)(l + 1);
    unsigned w = lane_bits(l);
    V odd = ir_v1x(t, uns ? IR_VSHRI : IR_VSARI, wide, a, w);
    V even = ir_v1x(t, uns ? IR_VSHRI : IR_VSARI, wide, ir_v1x(t, IR_VSHLI, wide, a, w), w);
    return ir_v2(t, IR_VADD, wide, even, odd);
}
INSN(saddlp_v, "0 q:1 0 01110 size:2 10000 00010 10 rn:5 rd:5 size!=3", "saddlp {rd:vp}, {rn:v}")
{
    wvq(t, f->q, (unsigned)f->rd, add_long_pairs(t, vlane(f->size), false, vr(t, (unsigned)f->rn)));
}
INSN(uaddlp_v, "0 q:1 1 01110 size:2 10000 00010 10 rn:5 rd:5 size!=3", "uaddlp {rd:vp}, {rn:v}")
{
    wvq(t, f->q, (unsigned)f->rd, add_long_pairs(t, vlane(f->size), true, vr(t, (unsigned)f->rn)));
}
INSN(sadalp_v, "0 q:1 0 01110 size:2 10000 00110 10 rn:5 rd:5 size!=3", "sadalp {rd:vp}, {rn:v}")
{
    V s = add_long_pairs(t, vlane(f->size), false, vr(t, (unsigned)f->rn));
    wvq(t, f->q, (unsigned)f->rd, ir_v2(t, IR_VADD, (enum ir_lane)(f->size + 1), vr(t, (unsigned)f->rd), s));
}
INSN(uadalp_v, "0 q:1 1 01110 size:2 10000 00110 10 rn:5 rd:5 size!=3", "uadalp {rd:vp}, {rn:v}")
{
    V s = add_long_pairs(t, vlane(f->size), true, vr(t, (unsigned)f->rn));
    wvq(t, f->q, (unsigned)f->rd, ir_v2(t, IR_VADD, (enum ir_lane)(f->size + 1), vr(t, (unsigned)f->rd), s));
}
INSN(suqadd_v, "0 q:1 0 01110 size:2 10000 00011 10 rn:5 rd:5 ok=v1d(size,q)", "suqadd {rd:v}, {rn:v}") { lanewise(t, f, SH_SUQADD, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn), false); }
INSN(usqadd_v, "0 q:1 1 01110 size:2 10000 00011 10 rn:5 rd:5 ok=v1d(size,q)", "usqadd {rd:v}, {rn:v}") { lanewise(t, f, SH_USQADD, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn), false); }
INSN(suqadd_s, "01 0 11110 size:2 10000 00011 10 rn:5 rd:5", "suqadd {rd:sc}, {rn:sc}") { lanewise(t, f, SH_SUQADD, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn), true); }
INSN(usqadd_s, "01 1 11110 size:2 10000 00011 10 rn:5 rd:5", "usqadd {rd:sc}, {rn:sc}") { lanewise(t, f, SH_USQADD, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn), true); }
INSN(sqabs_v, "0 q:1 0 01110 size:2 10000 00111 10 rn:5 rd:5 ok=v1d(size,q)", "sqabs {rd:v}, {rn:v}") { lanewise(t, f, SH_SQABS, vr(t, (unsigned)f->rn), vzero(t), false); }
INSN(sqneg_v, "0 q:1 1 01110 size:2 10000 00111 10 rn:5 rd:5 ok=v1d(size,q)", "sqneg {rd:v}, {rn:v}") { lanewise(t, f, SH_SQNEG, vr(t, (unsigned)f->rn), vzero(t), false); }
INSN(sqabs_s, "01 0 11110 size:2 10000 00111 10 rn:5 rd:5", "sqabs {rd:sc}, {rn:sc}") { lanewise(t, f, SH_SQABS, vr(t, (unsigned)f->rn), vzero(t), true); }
INSN(sqneg_s, "01 1 11110 size:2 10000 00111 10 rn:5 rd:5", "sqneg {rd:sc}, {rn:sc}") { lanewise(t, f, SH_SQNEG, vr(t, (unsigned)f->rn), vzero(t), true); }
INSN(cls_v, "0 q:1 0 01110 size:2 10000 00100 10 rn:5 rd:5 size!=3", "cls {rd:v}, {rn:v}")
{
    /* leading bits equal to the sign: zeros of a ^ (a >> 1, arithmetic), less the sign itself */
    enum ir_lane l = vlane(f->size);
    V a = vr(t, (unsigned)f->rn), x = ir_v2(t, IR_VXOR, l, a, ir_v1x(t, IR_VSARI, l, a, 1));
    wvq(t, f->q, (unsigned)f->rd, ir_v2(t, IR_VSUB, l, ir_v1(t, IR_VCLZ, l, x), vsplat(t, l, 1)));
}
INSN(clz_v, "0 q:1 1 01110 size:2 10000 00100 10 rn:5 rd:5 size!=3", "clz {rd:v}, {rn:v}")
{
    wvq(t, f->q, (unsigned)f->rd, ir_v1(t, IR_VCLZ, vlane(f->size), vr(t, (unsigned)f->rn)));
}
INSN(cnt_v, "0 q:1 0 01110 00 10000 00101 10 rn:5 rd:5", "cnt {rd:vb}, {rn:vb}") { wvq(t, f->q, (unsigned)f->rd, ir_v1(t, IR_VPOPCNT, L_I8, vr(t, (unsigned)f->rn))); }
INSN(not_v, "0 q:1 1 01110 00 10000 00101 10 rn:5 rd:5", "mvn {rd:vb}, {rn:vb}")
{
    wvq(t, f->q, (unsigned)f->rd, ir_v2(t, IR_VXOR, L_I64, vr(t, (unsigned)f->rn), vones(t)));
}
INSN(rbit_v, "0 q:1 1 01110 01 10000 00101 10 rn:5 rd:5", "rbit {rd:vb}, {rn:vb}") { wvq(t, f->q, (unsigned)f->rd, ir_v1(t, IR_VBITREV, L_I8, vr(t, (unsigned)f->rn))); }

static void compare0(struct xlat *t, F *f, enum ir_cond c)
{
    wvq(t, f->q, (unsigned)f->rd, ir_vcmp(t, c, vlane(f->size), vr(t, (unsigned)f->rn), vzero(t)));
}
INSN(cmgt0_v, "0 q:1 0 01110 size:2 10000 01000 10 rn:5 rd:5 ok=v1d(size,q)", "cmgt {rd:v}, {rn:v}, #0") { compare0(t, f, C_SGT); }
INSN(cmge0_v, "0 q:1 1 01110 size:2 10000 01000 10 rn:5 rd:5 ok=v1d(size,q)", "cmge {rd:v}, {rn:v}, #0") { compare0(t, f, C_SGE); }
INSN(cmeq0_v, "0 q:1 0 01110 size:2 10000 01001 10 rn:5 rd:5 ok=v1d(size,q)", "cmeq {rd:v}, {rn:v}, #0") { compare0(t, f, C_EQ); }
INSN(cmle0_v, "0 q:1 1 01110 size:2 10000 01001 10 rn:5 rd:5 ok=v1d(size,q)", "cmle {rd:v}, {rn:v}, #0") { compare0(t, f, C_SLE); }
INSN(cmlt0_v, "0 q:1 0 01110 size:2 10000 01010 10 rn:5 rd:5 ok=v1d(size,q)", "cmlt {rd:v}, {rn:v}, #0") { compare0(t, f, C_SLT); }
INSN(cmgt0_s, "01 0 11110 11 10000 01000 10 rn:5 rd:5", "cmgt {rd:fd}, {rn:fd}, #0") { compare_s(t, f, C_SGT, vzero(t)); }
INSN(cmge0_s, "01 1 11110 11 10000 01000 10 rn:5 rd:5", "cmge {rd:fd}, {rn:fd}, #0") { compare_s(t, f, C_SGE, vzero(t)); }
INSN(cmeq0_s, "01 0 11110 11 10000 01001 10 rn:5 rd:5", "cmeq {rd:fd}, {rn:fd}, #0") { compare_s(t, f, C_EQ, vzero(t)); }
INSN(cmle0_s, "01 1 11110 11 10000 01001 10 rn:5 rd:5", "cmle {rd:fd}, {rn:fd}, #0") { compare_s(t, f, C_SLE, vzero(t)); }
INSN(cmlt0_s, "01 0 11110 11 10000 01010 10 rn:5 rd:5", "cmlt {rd:fd}, {rn:fd}, #0") { compare_s(t, f, C_SLT, vzero(t)); }
INSN(abs_v, "0 q:1 0 01110 size:2 10000 01011 10 rn:5 rd:5 ok=v1d(size,q)", "abs {rd:v}, {rn:v}")
{
    wvq(t, f->q, (unsigned)f->rd, ir_v1(t, IR_VABS, vlane(f->size), vr(t, (unsigned)f->rn)));
}
INSN(neg_v, "0 q:1 1 01110 size:2 10000 01011 10 rn:5 rd:5 ok=v1d(size,q)", "neg {rd:v}, {rn:v}")
{
    wvq(t, f->q, (unsigned)f->rd, ir_v2(t, IR_VSUB, vlane(f->size), vzero(t), vr(t, (unsigned)f->rn)));
}
INSN(abs_s, "01 0 11110 11 10000 01011 10 rn:5 rd:5", "abs {rd:fd}, {rn:fd}") { wvq(t, 0, (unsigned)f->rd, ir_v1(t, IR_VABS, L_I64, vr(t, (unsigned)f->rn))); }
INSN(neg_s, "01 1 11110 11 10000 01011 10 rn:5 rd:5", "neg {rd:fd}, {rn:fd}") { wvq(t, 0, (unsigned)f->rd, ir_v2(t, IR_VSUB, L_I64, vzero(t), vr(t, (unsigned)f->rn))); }

/* Narrowing writes the low half, or with "2" the high half, keeping the other. */
static void narrow_to(struct xlat *t, F *f, V low)
{
    if (f->q)
        wv(t, (unsigned)f->rd, ir_v2(t, IR_VZIP1, L_I64, vr(t, (unsigned)f->rd), low));
    else
        wvq(t, 0, (unsigned)f->rd, low);
}
static void narrow(struct xlat *t, F *f, enum ir_op op, V a)
{
    narrow_to(t, f, ir_v2(t, op, vlane(f->size), a, vzero(t)));
}
/* Saturated if widening the result does not give the operand back; `uns`: how the result widens. */
static void narrow_sat(struct xlat *t, F *f, enum ir_op op, bool uns, V a)
{
    V r = ir_v2(t, op, vlane(f->size), a, vzero(t));
    qc_or(t, ir_v2(t, IR_VXOR, L_I64, a, ir_v1x(t, uns ? IR_VUXTL : IR_VSXTL, vlane(f->size), r, 0)));
    narrow_to(t, f, r);
}
static void narrow_sat_s(struct xlat *t, F *f, enum ir_op op, bool uns)
{
    enum ir_lane l = vlane(f->size);
    V a = ir_v2(t, IR_VAND, L_I64, vr(t, (unsigned)f->rn), ir_kv(t, bits_mask(2 * lane_bits(l)), 0));
    V r = ir_v2(t, op, l, a, vzero(t));
    qc_or(t, ir_v2(t, IR_VXOR, L_I64, a, ir_v1x(t, uns ? IR_VUXTL : IR_VSXTL, l, r, 0)));
    wlane0(t, (unsigned)f->rd, l, r);
}
INSN(xtn_v, "0 q:1 0 01110 size:2 10000 10010 10 rn:5 rd:5 size!=3", "xtn{q:two} {rd:v}, {rn:vw}") { narrow(t, f, IR_VNARROW, vr(t, (unsigned)f->rn)); }
INSN(sqxtn_v, "0 q:1 0 01110 size:2 10000 10100 10 rn:5 rd:5 size!=3", "sqxtn{q:two} {rd:v}, {rn:vw}") { narrow_sat(t, f, IR_VNARSS, false, vr(t, (unsigned)f->rn)); }
INSN(uqxtn_v, "0 q:1 1 01110 size:2 10000 10100 10 rn:5 rd:5 size!=3", "uqxtn{q:two} {rd:v}, {rn:vw}") { narrow_sat(t, f, IR_VNARUU, true, vr(t, (unsigned)f->rn)); }
INSN(sqxtun_v, "0 q:1 1 01110 size:2 10000 10010 10 rn:5 rd:5 size!=3", "sqxtun{q:two} {rd:v}, {rn:vw}") { narrow_sat(t, f, IR_VNARSU, true, vr(t, (unsigned)f->rn)); }
INSN(sqxtn_s, "01 0 11110 size:2 10000 10100 10 rn:5 rd:5 size!=3", "sqxtn {rd:sc}, {rn:scw}") { narrow_sat_s(t, f, IR_VNARSS, false); }
INSN(uqxtn_s, "01 1 11110 size:2 10000 10100 10 rn:5 rd:5 size!=3", "uqxtn {rd:sc}, {rn:scw}") { narrow_sat_s(t, f, IR_VNARUU, true); }
INSN(sqxtun_s, "01 1 11110 size:2 10000 10010 10 rn:5 rd:5 size!=3", "sqxtun {rd:sc}, {rn:scw}") { narrow_sat_s(t, f, IR_VNARSU, true); }
INSN(shll_v, "0 q:1 1 01110 size:2 10000 10011 10 rn:5 rd:5 size!=3", "shll{q:two} {rd:vw}, {rn:v}, #{size:esize}")
{
    enum ir_lane l = vlane(f->size);
    wv(t, (unsigned)f->rd, ir_v1x(t, IR_VSHLI, (enum ir_lane)(l + 1), ir_v1x(t, IR_VUXTL, l, vr(t, (unsigned)f->rn), (unsigned)f->q), lane_bits(l)));
}
INSN(urecpe_v, "0 q:1 0 01110 10 10000 11100 10 rn:5 rd:5", "urecpe {rd:v2s}, {rn:v2s}") { lanes(t, f->rd, 2, SH_URECPE, vr(t, (unsigned)f->rn), vzero(t), f->q); }
INSN(ursqrte_v, "0 q:1 1 01110 10 10000 11100 10 rn:5 rd:5", "ursqrte {rd:v2s}, {rn:v2s}") { lanes(t, f->rd, 2, SH_URSQRTE, vr(t, (unsigned)f->rn), vzero(t), f->q); }

/* --- across lanes --------------------------------------------------------------------------------------------------- */

/* All lanes into one; with q = 0 the missing half must not count: it becomes a copy (min, max) or zero (sums). */
static void across(struct xlat *t, F *f, enum ir_vred op, bool wide)
{
    enum ir_lane l = vlane(f->size);
    V a = vr(t, (unsigned)f->rn);
    if (!f->q) a = op <= VRED_ADDS ? ir_v1x(t, IR_VZEXT, L_I64, a, 8) : ir_v2(t, IR_VZIP1, L_I64, a, a);
    enum ir_type type = wide && l == L_I32 ? T_I64 : T_I32;
    V r = ir_vred(t, type, l, op, a);
    if (!wide || l != L_I32) r = ir_ubfx(t, r, 0, MIN(lane_bits(l) * (wide ? 2 : 1), 32u));
    wf(t, (unsigned)f->rd, r);
}
INSN(addv, "0 q:1 0 01110 size:2 11000 11011 10 rn:5 rd:5 ok=vacross(size,q)", "addv {rd:sc}, {rn:v}") { across(t, f, VRED_ADDU, false); }
INSN(smaxv, "0 q:1 0 01110 size:2 11000 01010 10 rn:5 rd:5 ok=vacross(size,q)", "smaxv {rd:sc}, {rn:v}") { across(t, f, VRED_MAXS, false); }
INSN(sminv, "0 q:1 0 01110 size:2 11000 11010 10 rn:5 rd:5 ok=vacross(size,q)", "sminv {rd:sc}, {rn:v}") { across(t, f, VRED_MINS, false); }
INSN(umaxv, "0 q:1 1 01110 size:2 11000 01010 10 rn:5 rd:5 ok=vacross(size,q)", "umaxv {rd:sc}, {rn:v}") { across(t, f, VRED_MAXU, false); }
INSN(uminv, "0 q:1 1 01110 size:2 11000 11010 10 rn:5 rd:5 ok=vacross(size,q)", "uminv {rd:sc}, {rn:v}") { across(t, f, VRED_MINU, false); }
INSN(saddlv, "0 q:1 0 01110 size:2 11000 00011 10 rn:5 rd:5 ok=vacross(size,q)", "saddlv {rd:scw}, {rn:v}") { across(t, f, VRED_ADDS, true); }
INSN(uaddlv, "0 q:1 1 01110 size:2 11000 00011 10 rn:5 rd:5 ok=vacross(size,q)", "uaddlv {rd:scw}, {rn:v}") { across(t, f, VRED_ADDU, true); }

/* --- copy: imm5 holds the lane's size (lowest set bit) and number ------------------------------------------------------ */

static enum ir_lane imm5_lane(int64_t imm5)
{
    return (enum ir_lane)__builtin_ctz((unsigned)imm5);
}
static unsigned imm5_index(int64_t imm5)
{
    return (unsigned)imm5 >> (__builtin_ctz((unsigned)imm5) + 1);
}
INSN(dup_elt, "0 q:1 0 01110000 imm5:5 0 0000 1 rn:5 rd:5 ok=vdup(imm5,q)", "dup {rd:v5}, {rn:elt}")
{
    enum ir_lane l = imm5_lane(f->imm5);
    wvq(t, f->q, (unsigned)f->rd, ir_vdup(t, l, ir_vget(t, l == L_I64 ? T_I64 : T_I32, l, vr(t, (unsigned)f->rn), imm5_index(f->imm5))));
}
INSN(dup_s, "01 0 11110000 imm5:5 0 0000 1 rn:5 rd:5 imm5!=0,16", "mov {rd:sc5}, {rn:elt}")
{
    enum ir_lane l = imm5_lane(f->imm5);
    wf(t, (unsigned)f->rd, ir_vget(t, l == L_I64 ? T_I64 : T_I32, l, vr(t, (unsigned)f->rn), imm5_index(f->imm5)));
}
INSN(dup_gpr, "0 q:1 0 01110000 imm5:5 0 0001 1 rn:5 rd:5 ok=vdup(imm5,q)", "dup {rd:v5}, {rn:r5}")
{
    wvq(t, f->q, (unsigned)f->rd, ir_vdup(t, imm5_lane(f->imm5), x(t, (unsigned)f->rn)));
}
INSN(smov, "0 q:1 0 01110000 imm5:5 0 0101 1 rn:5 rd:5 ok=vsmov(imm5,q)", "smov {rd:rq}, {rn:elt}")
{
    enum ir_lane l = imm5_lane(f->imm5);
    V v = ir_vget(t, T_I64, l, vr(t, (unsigned)f->rn), imm5_index(f->imm5));
    v = ir_sbfx(t, v, 0, lane_bits(l));
    wx(t, (unsigned)f->rd, f->q ? v : ir_ubfx(t, v, 0, 32));
}
INSN(umov, "0 q:1 0 01110000 imm5:5 0 0111 1 rn:5 rd:5 ok=vumov(imm5,q)", "umov {rd:rq}, {rn:elt}")
{
    wx(t, (unsigned)f->rd, ir_vget(t, T_I64, imm5_lane(f->imm5), vr(t, (unsigned)f->rn), imm5_index(f->imm5)));
}
ALIAS(umov, "0 0 0 01110000 i:2 100 0 0111 1 rn:5 rd:5 imm5=cat100(i)", "mov {rd:rw}, {rn:elt}")
ALIAS(umov, "0 1 0 01110000 i:1 1000 0 0111 1 rn:5 rd:5 imm5=cat1000(i)", "mov {rd:rx}, {rn:elt}")
INSN(ins_gpr, "0 1 0 01110000 imm5:5 0 0011 1 rn:5 rd:5 imm5!=0,16", "mov {rd:elt}, {rn:r5}")
{
    wv(t, (unsigned)f->rd, ir_vins(t, imm5_lane(f->imm5), vr(t, (unsigned)f->rd), x(t, (unsigned)f->rn), imm5_index(f->imm5)));
}
INSN(ins_elt, "0 1 1 01110000 imm5:5 0 imm4:4 1 rn:5 rd:5 imm5!=0,16", "mov {rd:elt}, {rn:elt4}")
{
    enum ir_lane l = imm5_lane(f->imm5);
    wv(t, (unsigned)f->rd, ir_v2x(t, IR_VINSV, l, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn), imm5_index(f->imm5), (unsigned)f->imm4 >> l));
}

/* --- permute, extract, table look-up ---------------------------------------------------------------------------------- */

/* With q = 0 the operation is the 128-bit one on the two low halves put together. */
static void permute(struct xlat *t, F *f, enum ir_op op)
{
    enum ir_lane l = vlane(f->size);
    V a = vr(t, (unsigned)f->rn), b = vr(t, (unsigned)f->rm);
    if (!f->q && (op == IR_VUZP1 || op == IR_VUZP2)) a = b = ir_v2(t, IR_VZIP1, L_I64, a, b);
    if (!f->q && op == IR_VZIP2) {
        /* the upper half of the low halves' interleaving */
        V z = ir_v2(t, IR_VZIP1, l, a, b);
        wvq(t, 0, (unsigned)f->rd, ir_v2(t, IR_VUZP2, L_I64, z, z));
        return;
    }
    wvq(t, f->q, (unsigned)f->rd, ir_v2(t, op, l, a, b));
}
INSN(uzp1_v, "0 q:1 0 01110 size:2 0 rm:5 0 001 10 rn:5 rd:5 ok=v1d(size,q)", "uzp1 {rd:v}, {rn:v}, {rm:v}") { permute(t, f, IR_VUZP1); }
INSN(uzp2_v, "0 q:1 0 01110 size:2 0 rm:5 0 101 10 rn:5 rd:5 ok=v1d(size,q)", "uzp2 {rd:v}, {rn:v}, {rm:v}") { permute(t, f, IR_VUZP2); }
INSN(trn1_v, "0 q:1 0 01110 size:2 0 rm:5 0 010 10 rn:5 rd:5 ok=v1d(size,q)", "trn1 {rd:v}, {rn:v}, {rm:v}") { permute(t, f, IR_VTRN1); }
INSN(trn2_v, "0 q:1 0 01110 size:2 0 rm:5 0 110 10 rn:5 rd:5 ok=v1d(size,q)", "trn2 {rd:v}, {rn:v}, {rm:v}") { permute(t, f, IR_VTRN2); }
INSN(zip1_v, "0 q:1 0 01110 size:2 0 rm:5 0 011 10 rn:5 rd:5 ok=v1d(size,q)", "zip1 {rd:v}, {rn:v}, {rm:v}") { permute(t, f, IR_VZIP1); }
INSN(zip2_v, "0 q:1 0 01110 size:2 0 rm:5 0 111 10 rn:5 rd:5 ok=v1d(size,q)", "zip2 {rd:v}, {rn:v}, {rm:v}") { permute(t, f, IR_VZIP2); }
INSN(ext_v, "0 q:1 1 01110 00 0 rm:5 0 imm4:4 0 rn:5 rd:5 ok=vext(imm4,q)", "ext {rd:vb}, {rn:vb}, {rm:vb}, #{imm4}")
{
    V a = vr(t, (unsigned)f->rn), b = vr(t, (unsigned)f->rm);
    if (!f->q) a = ir_v2(t, IR_VZIP1, L_I64, a, b);
    wvq(t, f->q, (unsigned)f->rd, ir_v2x(t, IR_VALIGN, L_I8, a, b, (unsigned)f->imm4, 0));
}
/* Up to four table registers: each look-up sees its own 16 indices, the others give zero. */
static void table(struct xlat *t, F *f, bool keep)
{
    V idx = vr(t, (unsigned)f->rm), r = 0, inside = 0;
    for (unsigned i = 0; i <= (unsigned)f->tlen; i++) {
        V k = i ? ir_v2(t, IR_VSUB, L_I8, idx, vsplat(t, L_I8, 16 * i)) : idx;
        V one = ir_v2(t, IR_VTBL, L_I8, vr(t, (unsigned)(f->rn + i) & 31), k);
        r = r ? ir_v2(t, IR_VOR, L_I64, r, one) : one;
    }
    if (keep) {
        inside = ir_vcmp(t, C_ULT, L_I8, idx, vsplat(t, L_I8, 16 * ((uint64_t)f->tlen + 1)));
        r = ir_v3(t, IR_VBSEL, L_I64, inside, r, vr(t, (unsigned)f->rd));
    }
    wvq(t, f->q, (unsigned)f->rd, r);
}
INSN(tbl, "0 q:1 0 01110000 rm:5 0 tlen:2 0 00 rn:5 rd:5", "tbl {rd:vb}, {rn:tab}, {rm:vb}") { table(t, f, false); }
INSN(tbx, "0 q:1 0 01110000 rm:5 0 tlen:2 1 00 rn:5 rd:5", "tbx {rd:vb}, {rn:tab}, {rm:vb}") { table(t, f, true); }

/* --- modified immediate (immh = 0 of the shifts; a row per cmode, so that it lies inside the shift's row): imm = the 64 bits that cmode, op and abcdefgh stand for (AdvSIMDExpandImm) ----------------------- */

static void move_imm(struct xlat *t, F *f)
{
    wvq(t, f->q, (unsigned)f->rd, ir_kv(t, (uint64_t)f->imm, (uint64_t)f->imm));
}
static void logic_imm(struct xlat *t, F *f, enum ir_op op)
{
    wvq(t, f->q, (unsigned)f->rd, ir_v2(t, op, L_I64, vr(t, (unsigned)f->rd), ir_kv(t, (uint64_t)f->imm, (uint64_t)f->imm)));
}
INSN(movi_w0, "0 q:1 0 0111100000 a:3 0 00 0 01 b:5 rd:5 imm=vimm32(a,b,0)", "movi {rd:v2s}, {a:imm8}") { move_imm(t, f); }
INSN(movi_w8, "0 q:1 0 0111100000 a:3 0 01 0 01 b:5 rd:5 imm=vimm32(a,b,1)", "movi {rd:v2s}, {a:imm8}, lsl #8") { move_imm(t, f); }
INSN(movi_w16, "0 q:1 0 0111100000 a:3 0 10 0 01 b:5 rd:5 imm=vimm32(a,b,2)", "movi {rd:v2s}, {a:imm8}, lsl #16") { move_imm(t, f); }
INSN(movi_w24, "0 q:1 0 0111100000 a:3 0 11 0 01 b:5 rd:5 imm=vimm32(a,b,3)", "movi {rd:v2s}, {a:imm8}, lsl #24") { move_imm(t, f); }
INSN(orr_imm_w0, "0 q:1 0 0111100000 a:3 0 00 1 01 b:5 rd:5 imm=vimm32(a,b,0)", "orr {rd:v2s}, {a:imm8}") { logic_imm(t, f, IR_VOR); }
INSN(orr_imm_w8, "0 q:1 0 0111100000 a:3 0 01 1 01 b:5 rd:5 imm=vimm32(a,b,1)", "orr {rd:v2s}, {a:imm8}, lsl #8") { logic_imm(t, f, IR_VOR); }
INSN(orr_imm_w16, "0 q:1 0 0111100000 a:3 0 10 1 01 b:5 rd:5 imm=vimm32(a,b,2)", "orr {rd:v2s}, {a:imm8}, lsl #16") { logic_imm(t, f, IR_VOR); }
INSN(orr_imm_w24, "0 q:1 0 0111100000 a:3 0 11 1 01 b:5 rd:5 imm=vimm32(a,b,3)", "orr {rd:v2s}, {a:imm8}, lsl #24") { logic_imm(t, f, IR_VOR); }
INSN(mvni_w0, "0 q:1 1 0111100000 a:3 0 00 0 01 b:5 rd:5 imm=vimm32n(a,b,0)", "mvni {rd:v2s}, {a:imm8}") { move_imm(t, f); }
INSN(mvni_w8, "0 q:1 1 0111100000 a:3 0 01 0 01 b:5 rd:5 imm=vimm32n(a,b,1)", "mvni {rd:v2s}, {a:imm8}, lsl #8") { move_imm(t, f); }
INSN(mvni_w16, "0 q:1 1 0111100000 a:3 0 10 0 01 b:5 rd:5 imm=vimm32n(a,b,2)", "mvni {rd:v2s}, {a:imm8}, lsl #16") { move_imm(t, f); }
INSN(mvni_w24, "0 q:1 1 0111100000 a:3 0 11 0 01 b:5 rd:5 imm=vimm32n(a,b,3)", "mvni {rd:v2s}, {a:imm8}, lsl #24") { move_imm(t, f); }
INSN(bic_imm_w0, "0 q:1 1 0111100000 a:3 0 00 1 01 b:5 rd:5 imm=vimm32(a,b,0)", "bic {rd:v2s}, {a:imm8}") { logic_imm(t, f, IR_VANDN); }
INSN(bic_imm_w8, "0 q:1 1 0111100000 a:3 0 01 1 01 b:5 rd:5 imm=vimm32(a,b,1)", "bic {rd:v2s}, {a:imm8}, lsl #8") { logic_imm(t, f, IR_VANDN); }
INSN(bic_imm_w16, "0 q:1 1 0111100000 a:3 0 10 1 01 b:5 rd:5 imm=vimm32(a,b,2)", "bic {rd:v2s}, {a:imm8}, lsl #16") { logic_imm(t, f, IR_VANDN); }
INSN(bic_imm_w24, "0 q:1 1 0111100000 a:3 0 11 1 01 b:5 rd:5 imm=vimm32(a,b,3)", "bic {rd:v2s}, {a:imm8}, lsl #24") { logic_imm(t, f, IR_VANDN); }
INSN(movi_h0, "0 q:1 0 0111100000 a:3 10 0 0 01 b:5 rd:5 imm=vimm16(a,b,0)", "movi {rd:v4h}, {a:imm8}") { move_imm(t, f); }
INSN(movi_h8, "0 q:1 0 0111100000 a:3 10 1 0 01 b:5 rd:5 imm=vimm16(a,b,1)", "movi {rd:v4h}, {a:imm8}, lsl #8") { move_imm(t, f); }
INSN(orr_imm_h0, "0 q:1 0 0111100000 a:3 10 0 1 01 b:5 rd:5 imm=vimm16(a,b,0)", "orr {rd:v4h}, {a:imm8}") { logic_imm(t, f, IR_VOR); }
INSN(orr_imm_h8, "0 q:1 0 0111100000 a:3 10 1 1 01 b:5 rd:5 imm=vimm16(a,b,1)", "orr {rd:v4h}, {a:imm8}, lsl #8") { logic_imm(t, f, IR_VOR); }
INSN(mvni_h0, "0 q:1 1 0111100000 a:3 10 0 0 01 b:5 rd:5 imm=vimm16n(a,b,0)", "mvni {rd:v4h}, {a:imm8}") { move_imm(t, f); }
INSN(mvni_h8, "0 q:1 1 0111100000 a:3 10 1 0 01 b:5 rd:5 imm=vimm16n(a,b,1)", "mvni {rd:v4h}, {a:imm8}, lsl #8") { move_imm(t, f); }
INSN(bic_imm_h0, "0 q:1 1 0111100000 a:3 10 0 1 01 b:5 rd:5 imm=vimm16(a,b,0)", "bic {rd:v4h}, {a:imm8}") { logic_imm(t, f, IR_VANDN); }
INSN(bic_imm_h8, "0 q:1 1 0111100000 a:3 10 1 1 01 b:5 rd:5 imm=vimm16(a,b,1)", "bic {rd:v4h}, {a:imm8}, lsl #8") { logic_imm(t, f, IR_VANDN); }
INSN(movi_msl, "0 q:1 0 0111100000 a:3 110 c:1 01 b:5 rd:5 imm=vimmsl(a,b,c)", "movi {rd:v2s}, {a:imm8}, msl {c:msl}") { move_imm(t, f); }
INSN(mvni_msl, "0 q:1 1 0111100000 a:3 110 c:1 01 b:5 rd:5 imm=vimmsln(a,b,c)", "mvni {rd:v2s}, {a:imm8}, msl {c:msl}") { move_imm(t, f); }
INSN(movi_b, "0 q:1 0 0111100000 a:3 1110 01 b:5 rd:5 imm=vimm8(a,b)", "movi {rd:vb}, {a:imm8}") { move_imm(t, f); }
INSN(movi_d, "0 0 1 0111100000 a:3 1110 01 b:5 rd:5 imm=vimm64(a,b)", "movi {rd:fd}, {imm:hex16}") { wvq(t, 0, (unsigned)f->rd, ir_kv(t, (uint64_t)f->imm, 0)); }
INSN(movi_2d, "0 1 1 0111100000 a:3 1110 01 b:5 rd:5 imm=vimm64(a,b)", "movi v{rd:d}.2d, {imm:hex16}") { wv(t, (unsigned)f->rd, ir_kv(t, (uint64_t)f->imm, (uint64_t)f->imm)); }
INSN(fmov_vimm_s, "0 q:1 0 0111100000 a:3 1111 01 b:5 rd:5 imm=vfimm32(a,b)", "fmov {rd:v2s}, #{a:fimm8}") { move_imm(t, f); }
INSN(fmov_vimm_h, "0 q:1 0 0111100000 a:3 1111 11 b:5 rd:5 imm=vfimm16(a,b) @FP16", "fmov {rd:v4h}, #{a:fimm8}") { move_imm(t, f); }
INSN(fmov_vimm_d, "0 1 1 0111100000 a:3 1111 01 b:5 rd:5 imm=vfimm64(a,b)", "fmov v{rd:d}.2d, #{a:fimm8}") { wv(t, (unsigned)f->rd, ir_kv(t, (uint64_t)f->imm, (uint64_t)f->imm)); }
