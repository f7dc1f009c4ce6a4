/*
 * a64_simd_int.isa.c: Advanced SIMD on integers: three same, two-register miscellaneous, across lanes, copy, permute, extract,
 * table look-up, modified immediate. Arm ARM C4.1.95 "Data Processing -- Scalar Floating-Point and Advanced SIMD".
 */
#include "a64_simd.h"

/* --- three registers of the same type ---------------------------------------------------------------------------- */

static void three(struct xlat *t, F *f, enum ir_op op)
{
    wv(t, f->rd, f->q, ir_v2(t, op, lane_of(f->size), vq(t, f->rn), vq(t, f->rm)));
}
/* On the low halves only when q = 0: what the operation does in the upper half is dropped, but saturation must not be seen. */
static void saturating(struct xlat *t, F *f, enum ir_op op, enum ir_op plain, bool scalar)
{
    enum ir_lane l = lane_of(f->size);
    V a = vz(t, f->rn, scalar ? 0 : f->q), b = vz(t, f->rm, scalar ? 0 : f->q);
    if (scalar) {
        a = ir_v2(t, IR_VAND, L_I64, a, ir_kv(t, bits_mask(lane_bits(l)), 0));
        b = ir_v2(t, IR_VAND, L_I64, b, ir_kv(t, bits_mask(lane_bits(l)), 0));
    }
    V r = ir_v2(t, op, l, a, b);
    qc_or(t, ir_v2(t, IR_VXOR, L_I64, r, ir_v2(t, plain, l, a, b)));
    wvq(t, f->rd, r); /* zero operands give zero lanes */
}
/* (a + b) >> 1, (a - b) >> 1 and the rounded sum, without a wider type. */
static void halving(struct xlat *t, F *f, enum ir_op shift, int kind)
{
    enum ir_lane l = lane_of(f->size);
    V a = vq(t, f->rn), b = vq(t, f->rm), half = ir_v1x(t, shift, l, ir_v2(t, IR_VXOR, l, a, b), 1), r;
    if (kind == 0)
        r = ir_v2(t, IR_VADD, l, ir_v2(t, IR_VAND, l, a, b), half);
    else if (kind == 1)
        r = ir_v2(t, IR_VSUB, l, half, ir_v2(t, IR_VANDN, l, b, a));
    else
        r = ir_v2(t, IR_VSUB, l, ir_v2(t, IR_VOR, l, a, b), half);
    wv(t, f->rd, f->q, r);
}
static void compare(struct xlat *t, F *f, enum ir_cond c)
{
    wv(t, f->rd, f->q, ir_vcmp(t, c, lane_of(f->size), vq(t, f->rn), vq(t, f->rm)));
}
static V abd(struct xlat *t, enum ir_lane l, bool uns, V a, V b)
{
    return ir_v2(t, IR_VSUB, l, ir_v2(t, uns ? IR_VMAXU : IR_VMAXS, l, a, b), ir_v2(t, uns ? IR_VMINU : IR_VMINS, l, a, b));
}
static void pairwise(struct xlat *t, F *f, enum ir_op op)
{
    enum ir_lane l = lane_of(f->size);
    V a = vq(t, f->rn), b = vq(t, f->rm);
    if (!f->q) a = b = ir_v2(t, IR_VZIP1, L_I64, a, b);
    wv(t, f->rd, f->q, ir_v2(t, op, l, ir_v2(t, IR_VUZP1, l, a, b), ir_v2(t, IR_VUZP2, l, a, b)));
}
static void accumulate(struct xlat *t, F *f, enum ir_op op, V x)
{
    wv(t, f->rd, f->q, ir_v2(t, op, lane_of(f->size), vq(t, f->rd), x));
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
static void lanewise(struct xlat *t, F *f, unsigned op, V a, V b, bool scalar)
{
    V r = IR_CALL(t, simd_lanes, a, b, ir_k32(t, SH(op, f->size, scalar ? 0 : f->q) | (scalar ? 1u << 3 : 0)));
    wvq(t, f->rd, r);
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
    wv(t, f->rd, f->q, ir_v2(t, IR_VAND, L_I64, vq(t, f->rn), vq(t, f->rm)));
}
INSN(bic_v, "0 q:1 0 01110 01 1 rm:5 00011 1 rn:5 rd:5", "bic {rd:vb}, {rn:vb}, {rm:vb}")
{
    wv(t, f->rd, f->q, ir_v2(t, IR_VANDN, L_I64, vq(t, f->rn), vq(t, f->rm)));
}
INSN(orr_v, "0 q:1 0 01110 10 1 rm:5 00011 1 rn:5 rd:5", "orr {rd:vb}, {rn:vb}, {rm:vb}")
{
    V a = vq(t, f->rn);
    wv(t, f->rd, f->q, f->rn == f->rm ? a : ir_v2(t, IR_VOR, L_I64, a, vq(t, f->rm)));
}
ALIAS(orr_v, "0 q:1 0 01110 10 1 rm:5 00011 1 rn:5 rd:5 rm==rn", "mov {rd:vb}, {rn:vb}")
INSN(orn_v, "0 q:1 0 01110 11 1 rm:5 00011 1 rn:5 rd:5", "orn {rd:vb}, {rn:vb}, {rm:vb}")
{
    wv(t, f->rd, f->q, ir_v2(t, IR_VOR, L_I64, vq(t, f->rn), ir_v2(t, IR_VXOR, L_I64, vq(t, f->rm), vones(t))));
}
INSN(eor_v, "0 q:1 1 01110 00 1 rm:5 00011 1 rn:5 rd:5", "eor {rd:vb}, {rn:vb}, {rm:vb}")
{
    wv(t, f->rd, f->q, f->rn == f->rm ? vzero(t) : ir_v2(t, IR_VXOR, L_I64, vq(t, f->rn), vq(t, f->rm)));
}
INSN(bsl_v, "0 q:1 1 01110 01 1 rm:5 00011 1 rn:5 rd:5", "bsl {rd:vb}, {rn:vb}, {rm:vb}")
{
    wv(t, f->rd, f->q, ir_v3(t, IR_VBSEL, L_I64, vq(t, f->rd), vq(t, f->rn), vq(t, f->rm)));
}
INSN(bit_v, "0 q:1 1 01110 10 1 rm:5 00011 1 rn:5 rd:5", "bit {rd:vb}, {rn:vb}, {rm:vb}")
{
    wv(t, f->rd, f->q, ir_v3(t, IR_VBSEL, L_I64, vq(t, f->rm), vq(t, f->rn), vq(t, f->rd)));
}
INSN(bif_v, "0 q:1 1 01110 11 1 rm:5 00011 1 rn:5 rd:5", "bif {rd:vb}, {rn:vb}, {rm:vb}")
{
    wv(t, f->rd, f->q, ir_v3(t, IR_VBSEL, L_I64, vq(t, f->rm), vq(t, f->rd), vq(t, f->rn)));
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
    wv(t, f->rd, f->q, tst(t, lane_of(f->size), vq(t, f->rn), vq(t, f->rm)));
}
static void compare_s(struct xlat *t, F *f, enum ir_cond c, V b)
{
    wv(t, f->rd, 0, ir_vcmp(t, c, L_I64, vq(t, f->rn), b));
}
INSN(cmgt_s, "01 0 11110 11 1 rm:5 00110 1 rn:5 rd:5", "cmgt {rd:d}, {rn:d}, {rm:d}") { compare_s(t, f, C_SGT, vq(t, f->rm)); }
INSN(cmge_s, "01 0 11110 11 1 rm:5 00111 1 rn:5 rd:5", "cmge {rd:d}, {rn:d}, {rm:d}") { compare_s(t, f, C_SGE, vq(t, f->rm)); }
INSN(cmhi_s, "01 1 11110 11 1 rm:5 00110 1 rn:5 rd:5", "cmhi {rd:d}, {rn:d}, {rm:d}") { compare_s(t, f, C_UGT, vq(t, f->rm)); }
INSN(cmhs_s, "01 1 11110 11 1 rm:5 00111 1 rn:5 rd:5", "cmhs {rd:d}, {rn:d}, {rm:d}") { compare_s(t, f, C_UGE, vq(t, f->rm)); }
INSN(cmeq_s, "01 1 11110 11 1 rm:5 10001 1 rn:5 rd:5", "cmeq {rd:d}, {rn:d}, {rm:d}") { compare_s(t, f, C_EQ, vq(t, f->rm)); }
INSN(cmtst_s, "01 0 11110 11 1 rm:5 10001 1 rn:5 rd:5", "cmtst {rd:d}, {rn:d}, {rm:d}")
{
    wv(t, f->rd, 0, tst(t, L_I64, vq(t, f->rn), vq(t, f->rm)));
}

INSN(sshl_v, "0 q:1 0 01110 size:2 1 rm:5 01000 1 rn:5 rd:5 ok=v1d(size,q)", "sshl {rd:v}, {rn:v}, {rm:v}")
{
    wv(t, f->rd, f->q, shift_reg(t, lane_of(f->size), false, vq(t, f->rn), vq(t, f->rm)));
}
INSN(ushl_v, "0 q:1 1 01110 size:2 1 rm:5 01000 1 rn:5 rd:5 ok=v1d(size,q)", "ushl {rd:v}, {rn:v}, {rm:v}")
{
    wv(t, f->rd, f->q, shift_reg(t, lane_of(f->size), true, vq(t, f->rn), vq(t, f->rm)));
}
INSN(sshl_s, "01 0 11110 11 1 rm:5 01000 1 rn:5 rd:5", "sshl {rd:d}, {rn:d}, {rm:d}")
{
    wv(t, f->rd, 0, shift_reg(t, L_I64, false, vq(t, f->rn), vq(t, f->rm)));
}
INSN(ushl_s, "01 1 11110 11 1 rm:5 01000 1 rn:5 rd:5", "ushl {rd:d}, {rn:d}, {rm:d}")
{
    wv(t, f->rd, 0, shift_reg(t, L_I64, true, vq(t, f->rn), vq(t, f->rm)));
}
INSN(sqshl_v, "0 q:1 0 01110 size:2 1 rm:5 01001 1 rn:5 rd:5 ok=v1d(size,q)", "sqshl {rd:v}, {rn:v}, {rm:v}") { lanewise(t, f, SH_SQSHL, vq(t, f->rn), vq(t, f->rm), false); }
INSN(uqshl_v, "0 q:1 1 01110 size:2 1 rm:5 01001 1 rn:5 rd:5 ok=v1d(size,q)", "uqshl {rd:v}, {rn:v}, {rm:v}") { lanewise(t, f, SH_UQSHL, vq(t, f->rn), vq(t, f->rm), false); }
INSN(srshl_v, "0 q:1 0 01110 size:2 1 rm:5 01010 1 rn:5 rd:5 ok=v1d(size,q)", "srshl {rd:v}, {rn:v}, {rm:v}") { lanewise(t, f, SH_SRSHL, vq(t, f->rn), vq(t, f->rm), false); }
INSN(urshl_v, "0 q:1 1 01110 size:2 1 rm:5 01010 1 rn:5 rd:5 ok=v1d(size,q)", "urshl {rd:v}, {rn:v}, {rm:v}") { lanewise(t, f, SH_URSHL, vq(t, f->rn), vq(t, f->rm), false); }
INSN(sqrshl_v, "0 q:1 0 01110 size:2 1 rm:5 01011 1 rn:5 rd:5 ok=v1d(size,q)", "sqrshl {rd:v}, {rn:v}, {rm:v}") { lanewise(t, f, SH_SQRSHL, vq(t, f->rn), vq(t, f->rm), false); }
INSN(uqrshl_v, "0 q:1 1 01110 size:2 1 rm:5 01011 1 rn:5 rd:5 ok=v1d(size,q)", "uqrshl {rd:v}, {rn:v}, {rm:v}") { lanewise(t, f, SH_UQRSHL, vq(t, f->rn), vq(t, f->rm), false); }
INSN(sqshl_s, "01 0 11110 size:2 1 rm:5 01001 1 rn:5 rd:5", "sqshl {rd:sc}, {rn:sc}, {rm:sc}") { lanewise(t, f, SH_SQSHL, vq(t, f->rn), vq(t, f->rm), true); }
INSN(uqshl_s, "01 1 11110 size:2 1 rm:5 01001 1 rn:5 rd:5", "uqshl {rd:sc}, {rn:sc}, {rm:sc}") { lanewise(t, f, SH_UQSHL, vq(t, f->rn), vq(t, f->rm), true); }
INSN(srshl_s, "01 0 11110 size:2 1 rm:5 01010 1 rn:5 rd:5 size=3", "srshl {rd:sc}, {rn:sc}, {rm:sc}") { lanewise(t, f, SH_SRSHL, vq(t, f->rn), vq(t, f->rm), true); }
INSN(urshl_s, "01 1 11110 size:2 1 rm:5 01010 1 rn:5 rd:5 size=3", "urshl {rd:sc}, {rn:sc}, {rm:sc}") { lanewise(t, f, SH_URSHL, vq(t, f->rn), vq(t, f->rm), true); }
INSN(sqrshl_s, "01 0 11110 size:2 1 rm:5 01011 1 rn:5 rd:5", "sqrshl {rd:sc}, {rn:sc}, {rm:sc}") { lanewise(t, f, SH_SQRSHL, vq(t, f->rn), vq(t, f->rm), true); }
INSN(uqrshl_s, "01 1 11110 size:2 1 rm:5 01011 1 rn:5 rd:5", "uqrshl {rd:sc}, {rn:sc}, {rm:sc}") { lanewise(t, f, SH_UQRSHL, vq(t, f->rn), vq(t, f->rm), true); }
