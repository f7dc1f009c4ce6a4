/*
 * vector_int.isa.c: V: integer and fixed-point arithmetic (volume I, chapters 30.11, 30.12); shared parts in vector.isa.c.
 */
#include "vector.h"

INSN(vadd_vx, "000000 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vadd.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_add, SH_SAME, SRC_X, 0);
}
INSN(vsub_vx, "000010 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vsub.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_sub, SH_SAME, SRC_X, 0);
}
INSN(vrsub_vx, "000011 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vrsub.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_rsub, SH_SAME, SRC_X, 0);
}
ALIAS(vrsub_vx, "000011 vm:1 vs2:5 00000 100 vd:5 1010111 @Zve32x", "vneg.v {vd},{vs2}{vm}")
INSN(vminu_vx, "000100 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vminu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_minu, SH_SAME, SRC_X, 0);
}
INSN(vmin_vx, "000101 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vmin.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_min, SH_SAME, SRC_X, 0);
}
INSN(vmaxu_vx, "000110 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vmaxu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_maxu, SH_SAME, SRC_X, 0);
}
INSN(vmax_vx, "000111 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vmax.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_max, SH_SAME, SRC_X, 0);
}
INSN(vand_vx, "001001 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vand.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_and, SH_SAME, SRC_X, 0);
}
INSN(vor_vx, "001010 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vor.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_or, SH_SAME, SRC_X, 0);
}
INSN(vxor_vx, "001011 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vxor.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_xor, SH_SAME, SRC_X, 0);
}
INSN(vadc_vxm, "010000 0 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vadc.vxm {vd},{vs2},{rs1},v0")
{
    riscv_v(t, f, VOP_adc, SH_SAME, SRC_X, VF_CARRY);
}
INSN(vmadc_vxm, "010001 0 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vmadc.vxm {vd},{vs2},{rs1},v0")
{
    riscv_v(t, f, VOP_madc_c, SH_MASK, SRC_X, VF_CARRY);
}
INSN(vmadc_vx, "010001 1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vmadc.vx {vd},{vs2},{rs1}")
{
    riscv_v(t, f, VOP_madc, SH_MASK, SRC_X, 0);
}
INSN(vsbc_vxm, "010010 0 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vsbc.vxm {vd},{vs2},{rs1},v0")
{
    riscv_v(t, f, VOP_sbc, SH_SAME, SRC_X, VF_CARRY);
}
INSN(vmsbc_vxm, "010011 0 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vmsbc.vxm {vd},{vs2},{rs1},v0")
{
    riscv_v(t, f, VOP_msbc_c, SH_MASK, SRC_X, VF_CARRY);
}
INSN(vmsbc_vx, "010011 1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vmsbc.vx {vd},{vs2},{rs1}")
{
    riscv_v(t, f, VOP_msbc, SH_MASK, SRC_X, 0);
}
INSN(vmerge_vxm, "010111 0 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vmerge.vxm {vd},{vs2},{rs1},v0")
{
    riscv_v(t, f, VOP_merge, SH_SAME, SRC_X, VF_CARRY);
}
INSN(vmv_v_x, "010111 1 00000 rs1:5 100 vd:5 1010111 @Zve32x", "vmv.v.x {vd},{rs1}")
{
    riscv_v(t, f, VOP_mv_v, SH_SAME, SRC_X, 0);
}
INSN(vmseq_vx, "011000 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vmseq.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_mseq, SH_MASK, SRC_X, 0);
}
INSN(vmsne_vx, "011001 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vmsne.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_msne, SH_MASK, SRC_X, 0);
}
INSN(vmsltu_vx, "011010 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vmsltu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_msltu, SH_MASK, SRC_X, 0);
}
INSN(vmslt_vx, "011011 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vmslt.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_mslt, SH_MASK, SRC_X, 0);
}
INSN(vmsleu_vx, "011100 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vmsleu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_msleu, SH_MASK, SRC_X, 0);
}
INSN(vmsle_vx, "011101 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vmsle.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_msle, SH_MASK, SRC_X, 0);
}
INSN(vmsgtu_vx, "011110 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vmsgtu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_msgtu, SH_MASK, SRC_X, 0);
}
INSN(vmsgt_vx, "011111 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vmsgt.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_msgt, SH_MASK, SRC_X, 0);
}
INSN(vsaddu_vx, "100000 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vsaddu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_saddu, SH_SAME, SRC_X, 0);
}
INSN(vsadd_vx, "100001 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vsadd.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_sadd, SH_SAME, SRC_X, 0);
}
INSN(vssubu_vx, "100010 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vssubu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_ssubu, SH_SAME, SRC_X, 0);
}
INSN(vssub_vx, "100011 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vssub.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_ssub, SH_SAME, SRC_X, 0);
}
INSN(vsll_vx, "100101 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vsll.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_sll, SH_SAME, SRC_X, 0);
}
INSN(vsmul_vx, "100111 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vsmul.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_smul, SH_SAME, SRC_X, 0);
}
INSN(vsrl_vx, "101000 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vsrl.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_srl, SH_SAME, SRC_X, 0);
}
INSN(vsra_vx, "101001 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vsra.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_sra, SH_SAME, SRC_X, 0);
}
INSN(vssrl_vx, "101010 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vssrl.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_ssrl, SH_SAME, SRC_X, 0);
}
INSN(vssra_vx, "101011 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vssra.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_ssra, SH_SAME, SRC_X, 0);
}
INSN(vnsrl_wx, "101100 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vnsrl.wx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_nsrl, SH_NARROW, SRC_X, 0);
}
ALIAS(vnsrl_wx, "101100 vm:1 vs2:5 00000 100 vd:5 1010111 @Zve32x", "vncvt.x.x.w {vd},{vs2}{vm}")
INSN(vnsra_wx, "101101 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vnsra.wx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_nsra, SH_NARROW, SRC_X, 0);
}
INSN(vnclipu_wx, "101110 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vnclipu.wx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_nclipu, SH_NARROW, SRC_X, 0);
}
INSN(vnclip_wx, "101111 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vnclip.wx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_nclip, SH_NARROW, SRC_X, 0);
}
INSN(vadd_vv, "000000 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vadd.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_add, SH_SAME, SRC_V, 0);
}
INSN(vsub_vv, "000010 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vsub.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_sub, SH_SAME, SRC_V, 0);
}
INSN(vminu_vv, "000100 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vminu.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_minu, SH_SAME, SRC_V, 0);
}
INSN(vmin_vv, "000101 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vmin.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_min, SH_SAME, SRC_V, 0);
}
INSN(vmaxu_vv, "000110 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vmaxu.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_maxu, SH_SAME, SRC_V, 0);
}
INSN(vmax_vv, "000111 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vmax.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_max, SH_SAME, SRC_V, 0);
}
INSN(vand_vv, "001001 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vand.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_and, SH_SAME, SRC_V, 0);
}
INSN(vor_vv, "001010 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vor.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_or, SH_SAME, SRC_V, 0);
}
INSN(vxor_vv, "001011 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vxor.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_xor, SH_SAME, SRC_V, 0);
}
INSN(vadc_vvm, "010000 0 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vadc.vvm {vd},{vs2},{vs1},v0")
{
    riscv_v(t, f, VOP_adc, SH_SAME, SRC_V, VF_CARRY);
}
INSN(vmadc_vvm, "010001 0 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vmadc.vvm {vd},{vs2},{vs1},v0")
{
    riscv_v(t, f, VOP_madc_c, SH_MASK, SRC_V, VF_CARRY);
}
INSN(vmadc_vv, "010001 1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vmadc.vv {vd},{vs2},{vs1}")
{
    riscv_v(t, f, VOP_madc, SH_MASK, SRC_V, 0);
}
INSN(vsbc_vvm, "010010 0 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vsbc.vvm {vd},{vs2},{vs1},v0")
{
    riscv_v(t, f, VOP_sbc, SH_SAME, SRC_V, VF_CARRY);
}
INSN(vmsbc_vvm, "010011 0 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vmsbc.vvm {vd},{vs2},{vs1},v0")
{
    riscv_v(t, f, VOP_msbc_c, SH_MASK, SRC_V, VF_CARRY);
}
INSN(vmsbc_vv, "010011 1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vmsbc.vv {vd},{vs2},{vs1}")
{
    riscv_v(t, f, VOP_msbc, SH_MASK, SRC_V, 0);
}
INSN(vmerge_vvm, "010111 0 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vmerge.vvm {vd},{vs2},{vs1},v0")
{
    riscv_v(t, f, VOP_merge, SH_SAME, SRC_V, VF_CARRY);
}
INSN(vmv_v_v, "010111 1 00000 vs1:5 000 vd:5 1010111 @Zve32x", "vmv.v.v {vd},{vs1}")
{
    riscv_v(t, f, VOP_mv_v, SH_SAME, SRC_V, 0);
}
INSN(vmseq_vv, "011000 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vmseq.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_mseq, SH_MASK, SRC_V, 0);
}
INSN(vmsne_vv, "011001 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vmsne.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_msne, SH_MASK, SRC_V, 0);
}
INSN(vmsltu_vv, "011010 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vmsltu.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_msltu, SH_MASK, SRC_V, 0);
}
INSN(vmslt_vv, "011011 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vmslt.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_mslt, SH_MASK, SRC_V, 0);
}
INSN(vmsleu_vv, "011100 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vmsleu.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_msleu, SH_MASK, SRC_V, 0);
}
INSN(vmsle_vv, "011101 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vmsle.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_msle, SH_MASK, SRC_V, 0);
}
INSN(vsaddu_vv, "100000 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vsaddu.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_saddu, SH_SAME, SRC_V, 0);
}
INSN(vsadd_vv, "100001 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vsadd.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_sadd, SH_SAME, SRC_V, 0);
}
INSN(vssubu_vv, "100010 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vssubu.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_ssubu, SH_SAME, SRC_V, 0);
}
INSN(vssub_vv, "100011 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vssub.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_ssub, SH_SAME, SRC_V, 0);
}
INSN(vsll_vv, "100101 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vsll.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_sll, SH_SAME, SRC_V, 0);
}
INSN(vsmul_vv, "100111 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vsmul.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_smul, SH_SAME, SRC_V, 0);
}
INSN(vsrl_vv, "101000 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vsrl.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_srl, SH_SAME, SRC_V, 0);
}
INSN(vsra_vv, "101001 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vsra.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_sra, SH_SAME, SRC_V, 0);
}
INSN(vssrl_vv, "101010 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vssrl.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_ssrl, SH_SAME, SRC_V, 0);
}
INSN(vssra_vv, "101011 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vssra.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_ssra, SH_SAME, SRC_V, 0);
}
INSN(vnsrl_wv, "101100 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vnsrl.wv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_nsrl, SH_NARROW, SRC_V, 0);
}
INSN(vnsra_wv, "101101 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vnsra.wv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_nsra, SH_NARROW, SRC_V, 0);
}
INSN(vnclipu_wv, "101110 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vnclipu.wv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_nclipu, SH_NARROW, SRC_V, 0);
}
INSN(vnclip_wv, "101111 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vnclip.wv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_nclip, SH_NARROW, SRC_V, 0);
}
INSN(vadd_vi, "000000 vm:1 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vadd.vi {vd},{vs2},{simm}{vm}")
{
    riscv_v(t, f, VOP_add, SH_SAME, SRC_I, 0);
}
INSN(vrsub_vi, "000011 vm:1 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vrsub.vi {vd},{vs2},{simm}{vm}")
{
    riscv_v(t, f, VOP_rsub, SH_SAME, SRC_I, 0);
}
INSN(vand_vi, "001001 vm:1 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vand.vi {vd},{vs2},{simm}{vm}")
{
    riscv_v(t, f, VOP_and, SH_SAME, SRC_I, 0);
}
INSN(vor_vi, "001010 vm:1 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vor.vi {vd},{vs2},{simm}{vm}")
{
    riscv_v(t, f, VOP_or, SH_SAME, SRC_I, 0);
}
INSN(vxor_vi, "001011 vm:1 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vxor.vi {vd},{vs2},{simm}{vm}")
{
    riscv_v(t, f, VOP_xor, SH_SAME, SRC_I, 0);
}
ALIAS(vxor_vi, "001011 vm:1 vs2:5 11111 011 vd:5 1010111 @Zve32x", "vnot.v {vd},{vs2}{vm}")
INSN(vadc_vim, "010000 0 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vadc.vim {vd},{vs2},{simm},v0")
{
    riscv_v(t, f, VOP_adc, SH_SAME, SRC_I, VF_CARRY);
}
INSN(vmadc_vim, "010001 0 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vmadc.vim {vd},{vs2},{simm},v0")
{
    riscv_v(t, f, VOP_madc_c, SH_MASK, SRC_I, VF_CARRY);
}
INSN(vmadc_vi, "010001 1 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vmadc.vi {vd},{vs2},{simm}")
{
    riscv_v(t, f, VOP_madc, SH_MASK, SRC_I, 0);
}
INSN(vmerge_vim, "010111 0 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vmerge.vim {vd},{vs2},{simm},v0")
{
    riscv_v(t, f, VOP_merge, SH_SAME, SRC_I, VF_CARRY);
}
INSN(vmv_v_i, "010111 1 00000 simm:s5 011 vd:5 1010111 @Zve32x", "vmv.v.i {vd},{simm}")
{
    riscv_v(t, f, VOP_mv_v, SH_SAME, SRC_I, 0);
}
INSN(vmseq_vi, "011000 vm:1 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vmseq.vi {vd},{vs2},{simm}{vm}")
{
    riscv_v(t, f, VOP_mseq, SH_MASK, SRC_I, 0);
}
INSN(vmsne_vi, "011001 vm:1 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vmsne.vi {vd},{vs2},{simm}{vm}")
{
    riscv_v(t, f, VOP_msne, SH_MASK, SRC_I, 0);
}
INSN(vmsleu_vi, "011100 vm:1 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vmsleu.vi {vd},{vs2},{simm}{vm}")
{
    riscv_v(t, f, VOP_msleu, SH_MASK, SRC_I, 0);
}
INSN(vmsle_vi, "011101 vm:1 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vmsle.vi {vd},{vs2},{simm}{vm}")
{
    riscv_v(t, f, VOP_msle, SH_MASK, SRC_I, 0);
}
INSN(vmsgtu_vi, "011110 vm:1 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vmsgtu.vi {vd},{vs2},{simm}{vm}")
{
    riscv_v(t, f, VOP_msgtu, SH_MASK, SRC_I, 0);
}
INSN(vmsgt_vi, "011111 vm:1 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vmsgt.vi {vd},{vs2},{simm}{vm}")
{
    riscv_v(t, f, VOP_msgt, SH_MASK, SRC_I, 0);
}
INSN(vsaddu_vi, "100000 vm:1 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vsaddu.vi {vd},{vs2},{simm}{vm}")
{
    riscv_v(t, f, VOP_saddu, SH_SAME, SRC_I, 0);
}
INSN(vsadd_vi, "100001 vm:1 vs2:5 simm:s5 011 vd:5 1010111 @Zve32x", "vsadd.vi {vd},{vs2},{simm}{vm}")
{
    riscv_v(t, f, VOP_sadd, SH_SAME, SRC_I, 0);
}
INSN(vsll_vi, "100101 vm:1 vs2:5 zimm:5 011 vd:5 1010111 @Zve32x", "vsll.vi {vd},{vs2},{zimm}{vm}")
{
    riscv_v(t, f, VOP_sll, SH_SAME, SRC_U, 0);
}
INSN(vsrl_vi, "101000 vm:1 vs2:5 zimm:5 011 vd:5 1010111 @Zve32x", "vsrl.vi {vd},{vs2},{zimm}{vm}")
{
    riscv_v(t, f, VOP_srl, SH_SAME, SRC_U, 0);
}
INSN(vsra_vi, "101001 vm:1 vs2:5 zimm:5 011 vd:5 1010111 @Zve32x", "vsra.vi {vd},{vs2},{zimm}{vm}")
{
    riscv_v(t, f, VOP_sra, SH_SAME, SRC_U, 0);
}
INSN(vssrl_vi, "101010 vm:1 vs2:5 zimm:5 011 vd:5 1010111 @Zve32x", "vssrl.vi {vd},{vs2},{zimm}{vm}")
{
    riscv_v(t, f, VOP_ssrl, SH_SAME, SRC_U, 0);
}
INSN(vssra_vi, "101011 vm:1 vs2:5 zimm:5 011 vd:5 1010111 @Zve32x", "vssra.vi {vd},{vs2},{zimm}{vm}")
{
    riscv_v(t, f, VOP_ssra, SH_SAME, SRC_U, 0);
}
INSN(vnsrl_wi, "101100 vm:1 vs2:5 zimm:5 011 vd:5 1010111 @Zve32x", "vnsrl.wi {vd},{vs2},{zimm}{vm}")
{
    riscv_v(t, f, VOP_nsrl, SH_NARROW, SRC_U, 0);
}
INSN(vnsra_wi, "101101 vm:1 vs2:5 zimm:5 011 vd:5 1010111 @Zve32x", "vnsra.wi {vd},{vs2},{zimm}{vm}")
{
    riscv_v(t, f, VOP_nsra, SH_NARROW, SRC_U, 0);
}
INSN(vnclipu_wi, "101110 vm:1 vs2:5 zimm:5 011 vd:5 1010111 @Zve32x", "vnclipu.wi {vd},{vs2},{zimm}{vm}")
{
    riscv_v(t, f, VOP_nclipu, SH_NARROW, SRC_U, 0);
}
INSN(vnclip_wi, "101111 vm:1 vs2:5 zimm:5 011 vd:5 1010111 @Zve32x", "vnclip.wi {vd},{vs2},{zimm}{vm}")
{
    riscv_v(t, f, VOP_nclip, SH_NARROW, SRC_U, 0);
}
INSN(vaaddu_vv, "001000 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vaaddu.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_aaddu, SH_SAME, SRC_V, 0);
}
INSN(vaadd_vv, "001001 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vaadd.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_aadd, SH_SAME, SRC_V, 0);
}
INSN(vasubu_vv, "001010 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vasubu.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_asubu, SH_SAME, SRC_V, 0);
}
INSN(vasub_vv, "001011 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vasub.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_asub, SH_SAME, SRC_V, 0);
}
INSN(vzext_vf8, "010010 vm:1 vs2:5 00010 010 vd:5 1010111 @Zve32x", "vzext.vf8 {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_zext_vf8, SH_EXT8, SRC_NONE, 0);
}
INSN(vsext_vf8, "010010 vm:1 vs2:5 00011 010 vd:5 1010111 @Zve32x", "vsext.vf8 {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_sext_vf8, SH_EXT8, SRC_NONE, 0);
}
INSN(vzext_vf4, "010010 vm:1 vs2:5 00100 010 vd:5 1010111 @Zve32x", "vzext.vf4 {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_zext_vf4, SH_EXT4, SRC_NONE, 0);
}
INSN(vsext_vf4, "010010 vm:1 vs2:5 00101 010 vd:5 1010111 @Zve32x", "vsext.vf4 {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_sext_vf4, SH_EXT4, SRC_NONE, 0);
}
INSN(vzext_vf2, "010010 vm:1 vs2:5 00110 010 vd:5 1010111 @Zve32x", "vzext.vf2 {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_zext_vf2, SH_EXT2, SRC_NONE, 0);
}
INSN(vsext_vf2, "010010 vm:1 vs2:5 00111 010 vd:5 1010111 @Zve32x", "vsext.vf2 {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_sext_vf2, SH_EXT2, SRC_NONE, 0);
}
INSN(vdivu_vv, "100000 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vdivu.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_divu, SH_SAME, SRC_V, 0);
}
INSN(vdiv_vv, "100001 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vdiv.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_div, SH_SAME, SRC_V, 0);
}
INSN(vremu_vv, "100010 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vremu.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_remu, SH_SAME, SRC_V, 0);
}
INSN(vrem_vv, "100011 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vrem.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_rem, SH_SAME, SRC_V, 0);
}
INSN(vmulhu_vv, "100100 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vmulhu.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_mulhu, SH_SAME, SRC_V, 0);
}
INSN(vmul_vv, "100101 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vmul.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_mul, SH_SAME, SRC_V, 0);
}
INSN(vmulhsu_vv, "100110 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vmulhsu.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_mulhsu, SH_SAME, SRC_V, 0);
}
INSN(vmulh_vv, "100111 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vmulh.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_mulh, SH_SAME, SRC_V, 0);
}
INSN(vmadd_vv, "101001 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vmadd.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_madd, SH_SAME, SRC_V, 0);
}
INSN(vnmsub_vv, "101011 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vnmsub.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_nmsub, SH_SAME, SRC_V, 0);
}
INSN(vmacc_vv, "101101 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vmacc.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_macc, SH_SAME, SRC_V, 0);
}
INSN(vnmsac_vv, "101111 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vnmsac.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_nmsac, SH_SAME, SRC_V, 0);
}
INSN(vwaddu_vv, "110000 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vwaddu.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_waddu, SH_WIDE, SRC_V, 0);
}
INSN(vwadd_vv, "110001 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vwadd.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_wadd, SH_WIDE, SRC_V, 0);
}
INSN(vwsubu_vv, "110010 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vwsubu.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_wsubu, SH_WIDE, SRC_V, 0);
}
INSN(vwsub_vv, "110011 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vwsub.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_wsub, SH_WIDE, SRC_V, 0);
}
INSN(vwaddu_wv, "110100 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vwaddu.wv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_waddu_w, SH_WIDE2, SRC_V, 0);
}
INSN(vwadd_wv, "110101 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vwadd.wv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_wadd_w, SH_WIDE2, SRC_V, 0);
}
INSN(vwsubu_wv, "110110 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vwsubu.wv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_wsubu_w, SH_WIDE2, SRC_V, 0);
}
INSN(vwsub_wv, "110111 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vwsub.wv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_wsub_w, SH_WIDE2, SRC_V, 0);
}
INSN(vwmulu_vv, "111000 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vwmulu.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_wmulu, SH_WIDE, SRC_V, 0);
}
INSN(vwmulsu_vv, "111010 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vwmulsu.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_wmulsu, SH_WIDE, SRC_V, 0);
}
INSN(vwmul_vv, "111011 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vwmul.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_wmul, SH_WIDE, SRC_V, 0);
}
INSN(vwmaccu_vv, "111100 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vwmaccu.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_wmaccu, SH_WIDE, SRC_V, 0);
}
INSN(vwmacc_vv, "111101 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vwmacc.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_wmacc, SH_WIDE, SRC_V, 0);
}
INSN(vwmaccsu_vv, "111111 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vwmaccsu.vv {vd},{vs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_wmaccsu, SH_WIDE, SRC_V, 0);
}
INSN(vaaddu_vx, "001000 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vaaddu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_aaddu, SH_SAME, SRC_X, 0);
}
INSN(vaadd_vx, "001001 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vaadd.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_aadd, SH_SAME, SRC_X, 0);
}
INSN(vasubu_vx, "001010 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vasubu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_asubu, SH_SAME, SRC_X, 0);
}
INSN(vasub_vx, "001011 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vasub.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_asub, SH_SAME, SRC_X, 0);
}
INSN(vdivu_vx, "100000 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vdivu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_divu, SH_SAME, SRC_X, 0);
}
INSN(vdiv_vx, "100001 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vdiv.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_div, SH_SAME, SRC_X, 0);
}
INSN(vremu_vx, "100010 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vremu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_remu, SH_SAME, SRC_X, 0);
}
INSN(vrem_vx, "100011 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vrem.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_rem, SH_SAME, SRC_X, 0);
}
INSN(vmulhu_vx, "100100 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vmulhu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_mulhu, SH_SAME, SRC_X, 0);
}
INSN(vmul_vx, "100101 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vmul.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_mul, SH_SAME, SRC_X, 0);
}
INSN(vmulhsu_vx, "100110 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vmulhsu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_mulhsu, SH_SAME, SRC_X, 0);
}
INSN(vmulh_vx, "100111 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vmulh.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_mulh, SH_SAME, SRC_X, 0);
}
INSN(vmadd_vx, "101001 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vmadd.vx {vd},{rs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_madd, SH_SAME, SRC_X, 0);
}
INSN(vnmsub_vx, "101011 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vnmsub.vx {vd},{rs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_nmsub, SH_SAME, SRC_X, 0);
}
INSN(vmacc_vx, "101101 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vmacc.vx {vd},{rs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_macc, SH_SAME, SRC_X, 0);
}
INSN(vnmsac_vx, "101111 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vnmsac.vx {vd},{rs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_nmsac, SH_SAME, SRC_X, 0);
}
INSN(vwaddu_vx, "110000 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vwaddu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_waddu, SH_WIDE, SRC_X, 0);
}
ALIAS(vwaddu_vx, "110000 vm:1 vs2:5 00000 110 vd:5 1010111 @Zve32x", "vwcvtu.x.x.v {vd},{vs2}{vm}")
INSN(vwadd_vx, "110001 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vwadd.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_wadd, SH_WIDE, SRC_X, 0);
}
ALIAS(vwadd_vx, "110001 vm:1 vs2:5 00000 110 vd:5 1010111 @Zve32x", "vwcvt.x.x.v {vd},{vs2}{vm}")
INSN(vwsubu_vx, "110010 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vwsubu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_wsubu, SH_WIDE, SRC_X, 0);
}
INSN(vwsub_vx, "110011 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vwsub.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_wsub, SH_WIDE, SRC_X, 0);
}
INSN(vwaddu_wx, "110100 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vwaddu.wx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_waddu_w, SH_WIDE2, SRC_X, 0);
}
INSN(vwadd_wx, "110101 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vwadd.wx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_wadd_w, SH_WIDE2, SRC_X, 0);
}
INSN(vwsubu_wx, "110110 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vwsubu.wx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_wsubu_w, SH_WIDE2, SRC_X, 0);
}
INSN(vwsub_wx, "110111 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vwsub.wx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_wsub_w, SH_WIDE2, SRC_X, 0);
}
INSN(vwmulu_vx, "111000 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vwmulu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_wmulu, SH_WIDE, SRC_X, 0);
}
INSN(vwmulsu_vx, "111010 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vwmulsu.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_wmulsu, SH_WIDE, SRC_X, 0);
}
INSN(vwmul_vx, "111011 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vwmul.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_wmul, SH_WIDE, SRC_X, 0);
}
INSN(vwmaccu_vx, "111100 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vwmaccu.vx {vd},{rs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_wmaccu, SH_WIDE, SRC_X, 0);
}
INSN(vwmacc_vx, "111101 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vwmacc.vx {vd},{rs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_wmacc, SH_WIDE, SRC_X, 0);
}
INSN(vwmaccus_vx, "111110 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vwmaccus.vx {vd},{rs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_wmaccus, SH_WIDE, SRC_X, 0);
}
INSN(vwmaccsu_vx, "111111 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vwmaccsu.vx {vd},{rs1},{vs2}{vm}")
{
    riscv_v(t, f, VOP_wmaccsu, SH_WIDE, SRC_X, 0);
}
