/*
 * vector_fp.isa.c: V: floating-point arithmetic and conversions (volume I, chapter 30.13).
 */
#include "vector.h"

INSN(vfadd_vf, "000000 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfadd.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_fadd, SH_SAME, SRC_F, VF_FP);
}
INSN(vfsub_vf, "000010 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfsub.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_fsub, SH_SAME, SRC_F, VF_FP);
}
INSN(vfmin_vf, "000100 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfmin.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_fmin, SH_SAME, SRC_F, VF_FP);
}
INSN(vfmax_vf, "000110 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfmax.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_fmax, SH_SAME, SRC_F, VF_FP);
}
INSN(vfsgnj_vf, "001000 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfsgnj.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_fsgnj, SH_SAME, SRC_F, VF_FP);
}
INSN(vfsgnjn_vf, "001001 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfsgnjn.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_fsgnjn, SH_SAME, SRC_F, VF_FP);
}
INSN(vfsgnjx_vf, "001010 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfsgnjx.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_fsgnjx, SH_SAME, SRC_F, VF_FP);
}
INSN(vfslide1up_vf, "001110 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfslide1up.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_slide1up, SH_UP, SRC_F, VF_FP);
}
INSN(vfslide1down_vf, "001111 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfslide1down.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_slide1down, SH_SAME, SRC_F, VF_FP);
}
INSN(vfmerge_vfm, "010111 0 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfmerge.vfm {vd},{vs2},{rs1:f},v0")
{
    riscv_v(t, f, VOP_merge, SH_SAME, SRC_F, VF_CARRY | VF_FP);
}
INSN(vfmv_v_f, "010111 1 00000 rs1:5 101 vd:5 1010111 @Zve32f", "vfmv.v.f {vd},{rs1:f}")
{
    riscv_v(t, f, VOP_mv_v, SH_SAME, SRC_F, VF_FP);
}
INSN(vmfeq_vf, "011000 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vmfeq.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_mfeq, SH_MASK, SRC_F, VF_FP);
}
INSN(vmfle_vf, "011001 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vmfle.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_mfle, SH_MASK, SRC_F, VF_FP);
}
INSN(vmflt_vf, "011011 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vmflt.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_mflt, SH_MASK, SRC_F, VF_FP);
}
INSN(vmfne_vf, "011100 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vmfne.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_mfne, SH_MASK, SRC_F, VF_FP);
}
INSN(vmfgt_vf, "011101 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vmfgt.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_mfgt, SH_MASK, SRC_F, VF_FP);
}
INSN(vmfge_vf, "011111 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vmfge.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_mfge, SH_MASK, SRC_F, VF_FP);
}
INSN(vfdiv_vf, "100000 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfdiv.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_fdiv, SH_SAME, SRC_F, VF_FP);
}
INSN(vfrdiv_vf, "100001 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfrdiv.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_frdiv, SH_SAME, SRC_F, VF_FP);
}
INSN(vfmul_vf, "100100 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfmul.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_fmul, SH_SAME, SRC_F, VF_FP);
}
INSN(vfrsub_vf, "100111 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfrsub.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_frsub, SH_SAME, SRC_F, VF_FP);
}
INSN(vfmadd_vf, "101000 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfmadd.vf {vd},{rs1:f},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fmadd, SH_SAME, SRC_F, VF_FP);
}
INSN(vfnmadd_vf, "101001 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfnmadd.vf {vd},{rs1:f},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fnmadd, SH_SAME, SRC_F, VF_FP);
}
INSN(vfmsub_vf, "101010 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfmsub.vf {vd},{rs1:f},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fmsub, SH_SAME, SRC_F, VF_FP);
}
INSN(vfnmsub_vf, "101011 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfnmsub.vf {vd},{rs1:f},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fnmsub, SH_SAME, SRC_F, VF_FP);
}
INSN(vfmacc_vf, "101100 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfmacc.vf {vd},{rs1:f},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fmacc, SH_SAME, SRC_F, VF_FP);
}
INSN(vfnmacc_vf, "101101 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfnmacc.vf {vd},{rs1:f},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fnmacc, SH_SAME, SRC_F, VF_FP);
}
INSN(vfmsac_vf, "101110 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfmsac.vf {vd},{rs1:f},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fmsac, SH_SAME, SRC_F, VF_FP);
}
INSN(vfnmsac_vf, "101111 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfnmsac.vf {vd},{rs1:f},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fnmsac, SH_SAME, SRC_F, VF_FP);
}
INSN(vfwadd_vf, "110000 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfwadd.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_fwadd, SH_WIDE, SRC_F, VF_FP);
}
INSN(vfwsub_vf, "110010 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfwsub.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_fwsub, SH_WIDE, SRC_F, VF_FP);
}
INSN(vfwadd_wf, "110100 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfwadd.wf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_fwadd_w, SH_WIDE2, SRC_F, VF_FP);
}
INSN(vfwsub_wf, "110110 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfwsub.wf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_fwsub_w, SH_WIDE2, SRC_F, VF_FP);
}
INSN(vfwmul_vf, "111000 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfwmul.vf {vd},{vs2},{rs1:f}{vm}")
{
    riscv_v(t, f, VOP_fwmul, SH_WIDE, SRC_F, VF_FP);
}
INSN(vfwmacc_vf, "111100 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfwmacc.vf {vd},{rs1:f},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fwmacc, SH_WIDE, SRC_F, VF_FP);
}
INSN(vfwnmacc_vf, "111101 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfwnmacc.vf {vd},{rs1:f},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fwnmacc, SH_WIDE, SRC_F, VF_FP);
}
INSN(vfwmsac_vf, "111110 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfwmsac.vf {vd},{rs1:f},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fwmsac, SH_WIDE, SRC_F, VF_FP);
}
INSN(vfwnmsac_vf, "111111 vm:1 vs2:5 rs1:5 101 vd:5 1010111 @Zve32f", "vfwnmsac.vf {vd},{rs1:f},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fwnmsac, SH_WIDE, SRC_F, VF_FP);
}
INSN(vfadd_vv, "000000 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfadd.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fadd, SH_SAME, SRC_V, VF_FP);
}
INSN(vfredusum_vs, "000001 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfredusum.vs {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fredusum, SH_REDUCE, SRC_V, VF_FP);
}
INSN(vfsub_vv, "000010 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfsub.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fsub, SH_SAME, SRC_V, VF_FP);
}
INSN(vfredosum_vs, "000011 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfredosum.vs {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fredosum, SH_REDUCE, SRC_V, VF_FP);
}
INSN(vfmin_vv, "000100 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfmin.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fmin, SH_SAME, SRC_V, VF_FP);
}
INSN(vfredmin_vs, "000101 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfredmin.vs {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fredmin, SH_REDUCE, SRC_V, VF_FP);
}
INSN(vfmax_vv, "000110 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfmax.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fmax, SH_SAME, SRC_V, VF_FP);
}
INSN(vfredmax_vs, "000111 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfredmax.vs {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fredmax, SH_REDUCE, SRC_V, VF_FP);
}
INSN(vfsgnj_vv, "001000 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfsgnj.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fsgnj, SH_SAME, SRC_V, VF_FP);
}
INSN(vfsgnjn_vv, "001001 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfsgnjn.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fsgnjn, SH_SAME, SRC_V, VF_FP);
}
ALIAS(vfsgnjn_vv, "001001 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f same=same(vs1,vs2)", "vfneg.v {vd},{vs2}{vm}")
INSN(vfsgnjx_vv, "001010 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfsgnjx.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fsgnjx, SH_SAME, SRC_V, VF_FP);
}
ALIAS(vfsgnjx_vv, "001010 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f same=same(vs1,vs2)", "vfabs.v {vd},{vs2}{vm}")
INSN(vmfeq_vv, "011000 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vmfeq.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_mfeq, SH_MASK, SRC_V, VF_FP);
}
INSN(vmfle_vv, "011001 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vmfle.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_mfle, SH_MASK, SRC_V, VF_FP);
}
INSN(vmflt_vv, "011011 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vmflt.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_mflt, SH_MASK, SRC_V, VF_FP);
}
INSN(vmfne_vv, "011100 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vmfne.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_mfne, SH_MASK, SRC_V, VF_FP);
}
INSN(vfdiv_vv, "100000 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfdiv.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fdiv, SH_SAME, SRC_V, VF_FP);
}
INSN(vfmul_vv, "100100 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfmul.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fmul, SH_SAME, SRC_V, VF_FP);
}
INSN(vfmadd_vv, "101000 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfmadd.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fmadd, SH_SAME, SRC_V, VF_FP);
}
INSN(vfnmadd_vv, "101001 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfnmadd.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fnmadd, SH_SAME, SRC_V, VF_FP);
}
INSN(vfmsub_vv, "101010 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfmsub.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fmsub, SH_SAME, SRC_V, VF_FP);
}
INSN(vfnmsub_vv, "101011 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfnmsub.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fnmsub, SH_SAME, SRC_V, VF_FP);
}
INSN(vfmacc_vv, "101100 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfmacc.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fmacc, SH_SAME, SRC_V, VF_FP);
}
INSN(vfnmacc_vv, "101101 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfnmacc.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fnmacc, SH_SAME, SRC_V, VF_FP);
}
INSN(vfmsac_vv, "101110 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfmsac.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fmsac, SH_SAME, SRC_V, VF_FP);
}
INSN(vfnmsac_vv, "101111 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfnmsac.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fnmsac, SH_SAME, SRC_V, VF_FP);
}
INSN(vfcvt_xu_f_v, "010010 vm:1 vs2:5 00000 001 vd:5 1010111 @Zve32f", "vfcvt.xu.f.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fcvt_xu_f, SH_SAME, SRC_NONE, VF_FP);
}
INSN(vfcvt_x_f_v, "010010 vm:1 vs2:5 00001 001 vd:5 1010111 @Zve32f", "vfcvt.x.f.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fcvt_x_f, SH_SAME, SRC_NONE, VF_FP);
}
INSN(vfcvt_f_xu_v, "010010 vm:1 vs2:5 00010 001 vd:5 1010111 @Zve32f", "vfcvt.f.xu.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fcvt_f_xu, SH_SAME, SRC_NONE, VF_FP);
}
INSN(vfcvt_f_x_v, "010010 vm:1 vs2:5 00011 001 vd:5 1010111 @Zve32f", "vfcvt.f.x.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fcvt_f_x, SH_SAME, SRC_NONE, VF_FP);
}
INSN(vfcvt_rtz_xu_f_v, "010010 vm:1 vs2:5 00110 001 vd:5 1010111 @Zve32f", "vfcvt.rtz.xu.f.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fcvt_rtz_xu_f, SH_SAME, SRC_NONE, VF_FP);
}
INSN(vfcvt_rtz_x_f_v, "010010 vm:1 vs2:5 00111 001 vd:5 1010111 @Zve32f", "vfcvt.rtz.x.f.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fcvt_rtz_x_f, SH_SAME, SRC_NONE, VF_FP);
}
INSN(vfwcvt_xu_f_v, "010010 vm:1 vs2:5 01000 001 vd:5 1010111 @Zve32f", "vfwcvt.xu.f.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fwcvt_xu_f, SH_WIDE, SRC_NONE, VF_FP | VF_WIDEINT);
}
INSN(vfwcvt_x_f_v, "010010 vm:1 vs2:5 01001 001 vd:5 1010111 @Zve32f", "vfwcvt.x.f.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fwcvt_x_f, SH_WIDE, SRC_NONE, VF_FP | VF_WIDEINT);
}
INSN(vfwcvt_f_xu_v, "010010 vm:1 vs2:5 01010 001 vd:5 1010111 @Zve32f", "vfwcvt.f.xu.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fwcvt_f_xu, SH_WIDE, SRC_NONE, VF_FP | VF_FPINT);
}
INSN(vfwcvt_f_x_v, "010010 vm:1 vs2:5 01011 001 vd:5 1010111 @Zve32f", "vfwcvt.f.x.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fwcvt_f_x, SH_WIDE, SRC_NONE, VF_FP | VF_FPINT);
}
INSN(vfwcvt_f_f_v, "010010 vm:1 vs2:5 01100 001 vd:5 1010111 @Zve32f", "vfwcvt.f.f.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fwcvt_f_f, SH_WIDE, SRC_NONE, VF_FP | VF_CONVERT);
}
INSN(vfwcvt_rtz_xu_f_v, "010010 vm:1 vs2:5 01110 001 vd:5 1010111 @Zve32f", "vfwcvt.rtz.xu.f.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fwcvt_rtz_xu_f, SH_WIDE, SRC_NONE, VF_FP | VF_WIDEINT);
}
INSN(vfwcvt_rtz_x_f_v, "010010 vm:1 vs2:5 01111 001 vd:5 1010111 @Zve32f", "vfwcvt.rtz.x.f.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fwcvt_rtz_x_f, SH_WIDE, SRC_NONE, VF_FP | VF_WIDEINT);
}
INSN(vfncvt_xu_f_w, "010010 vm:1 vs2:5 10000 001 vd:5 1010111 @Zve32f", "vfncvt.xu.f.w {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fncvt_xu_f, SH_NARROW, SRC_NONE, VF_FP | VF_FPINT);
}
INSN(vfncvt_x_f_w, "010010 vm:1 vs2:5 10001 001 vd:5 1010111 @Zve32f", "vfncvt.x.f.w {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fncvt_x_f, SH_NARROW, SRC_NONE, VF_FP | VF_FPINT);
}
INSN(vfncvt_f_xu_w, "010010 vm:1 vs2:5 10010 001 vd:5 1010111 @Zve32f", "vfncvt.f.xu.w {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fncvt_f_xu, SH_NARROW, SRC_NONE, VF_FP | VF_WIDEINT);
}
INSN(vfncvt_f_x_w, "010010 vm:1 vs2:5 10011 001 vd:5 1010111 @Zve32f", "vfncvt.f.x.w {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fncvt_f_x, SH_NARROW, SRC_NONE, VF_FP | VF_WIDEINT);
}
INSN(vfncvt_f_f_w, "010010 vm:1 vs2:5 10100 001 vd:5 1010111 @Zve32f", "vfncvt.f.f.w {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fncvt_f_f, SH_NARROW, SRC_NONE, VF_FP | VF_CONVERT);
}
INSN(vfncvt_rod_f_f_w, "010010 vm:1 vs2:5 10101 001 vd:5 1010111 @Zve32f", "vfncvt.rod.f.f.w {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fncvt_rod_f_f, SH_NARROW, SRC_NONE, VF_FP);
}
INSN(vfncvt_rtz_xu_f_w, "010010 vm:1 vs2:5 10110 001 vd:5 1010111 @Zve32f", "vfncvt.rtz.xu.f.w {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fncvt_rtz_xu_f, SH_NARROW, SRC_NONE, VF_FP | VF_FPINT);
}
INSN(vfncvt_rtz_x_f_w, "010010 vm:1 vs2:5 10111 001 vd:5 1010111 @Zve32f", "vfncvt.rtz.x.f.w {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fncvt_rtz_x_f, SH_NARROW, SRC_NONE, VF_FP | VF_FPINT);
}
INSN(vfsqrt_v, "010011 vm:1 vs2:5 00000 001 vd:5 1010111 @Zve32f", "vfsqrt.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fsqrt, SH_SAME, SRC_NONE, VF_FP);
}
INSN(vfrsqrt7_v, "010011 vm:1 vs2:5 00100 001 vd:5 1010111 @Zve32f", "vfrsqrt7.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_frsqrt7, SH_SAME, SRC_NONE, VF_FP);
}
INSN(vfrec7_v, "010011 vm:1 vs2:5 00101 001 vd:5 1010111 @Zve32f", "vfrec7.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_frec7, SH_SAME, SRC_NONE, VF_FP);
}
INSN(vfclass_v, "010011 vm:1 vs2:5 10000 001 vd:5 1010111 @Zve32f", "vfclass.v {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fclass, SH_SAME, SRC_NONE, VF_FP);
}
INSN(vfwadd_vv, "110000 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfwadd.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fwadd, SH_WIDE, SRC_V, VF_FP);
}
INSN(vfwredusum_vs, "110001 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfwredusum.vs {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fwredusum, SH_WREDUCE, SRC_V, VF_FP);
}
INSN(vfwsub_vv, "110010 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfwsub.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fwsub, SH_WIDE, SRC_V, VF_FP);
}
INSN(vfwredosum_vs, "110011 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfwredosum.vs {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fwredosum, SH_WREDUCE, SRC_V, VF_FP);
}
INSN(vfwadd_wv, "110100 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfwadd.wv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fwadd_w, SH_WIDE2, SRC_V, VF_FP);
}
INSN(vfwsub_wv, "110110 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfwsub.wv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fwsub_w, SH_WIDE2, SRC_V, VF_FP);
}
INSN(vfwmul_vv, "111000 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfwmul.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_fwmul, SH_WIDE, SRC_V, VF_FP);
}
INSN(vfwmacc_vv, "111100 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfwmacc.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fwmacc, SH_WIDE, SRC_V, VF_FP);
}
INSN(vfwnmacc_vv, "111101 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfwnmacc.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fwnmacc, SH_WIDE, SRC_V, VF_FP);
}
INSN(vfwmsac_vv, "111110 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfwmsac.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fwmsac, SH_WIDE, SRC_V, VF_FP);
}
INSN(vfwnmsac_vv, "111111 vm:1 vs2:5 vs1:5 001 vd:5 1010111 @Zve32f", "vfwnmsac.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_fwnmsac, SH_WIDE, SRC_V, VF_FP);
}
