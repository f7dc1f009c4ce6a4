/*
 * vector_perm.isa.c: V: reductions, masks, permutations (volume I, chapters 30.14 to 30.16).
 */
#include "vector.h"

INSN(vrgather_vx, "001100 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vrgather.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_rgather_s, SH_GATHER, SRC_X, 0);
}
INSN(vslideup_vx, "001110 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vslideup.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_slideup, SH_UP, SRC_X, 0);
}
INSN(vslidedown_vx, "001111 vm:1 vs2:5 rs1:5 100 vd:5 1010111 @Zve32x", "vslidedown.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_slidedown, SH_SAME, SRC_X, 0);
}
INSN(vrgather_vv, "001100 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vrgather.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_rgather, SH_GATHER, SRC_V, 0);
}
INSN(vrgatherei16_vv, "001110 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vrgatherei16.vv {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_rgatherei16, SH_GATHER16, SRC_V, 0);
}
INSN(vwredsumu_vs, "110000 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vwredsumu.vs {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_wredsumu, SH_WREDUCE, SRC_V, 0);
}
INSN(vwredsum_vs, "110001 vm:1 vs2:5 vs1:5 000 vd:5 1010111 @Zve32x", "vwredsum.vs {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_wredsum, SH_WREDUCE, SRC_V, 0);
}
INSN(vrgather_vi, "001100 vm:1 vs2:5 zimm:5 011 vd:5 1010111 @Zve32x", "vrgather.vi {vd},{vs2},{zimm}{vm}")
{
    riscv_v(t, f, VOP_rgather_s, SH_GATHER, SRC_U, 0);
}
INSN(vslideup_vi, "001110 vm:1 vs2:5 zimm:5 011 vd:5 1010111 @Zve32x", "vslideup.vi {vd},{vs2},{zimm}{vm}")
{
    riscv_v(t, f, VOP_slideup, SH_UP, SRC_U, 0);
}
INSN(vslidedown_vi, "001111 vm:1 vs2:5 zimm:5 011 vd:5 1010111 @Zve32x", "vslidedown.vi {vd},{vs2},{zimm}{vm}")
{
    riscv_v(t, f, VOP_slidedown, SH_SAME, SRC_U, 0);
}
INSN(vredsum_vs, "000000 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vredsum.vs {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_redsum, SH_REDUCE, SRC_V, 0);
}
INSN(vredand_vs, "000001 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vredand.vs {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_redand, SH_REDUCE, SRC_V, 0);
}
INSN(vredor_vs, "000010 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vredor.vs {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_redor, SH_REDUCE, SRC_V, 0);
}
INSN(vredxor_vs, "000011 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vredxor.vs {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_redxor, SH_REDUCE, SRC_V, 0);
}
INSN(vredminu_vs, "000100 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vredminu.vs {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_redminu, SH_REDUCE, SRC_V, 0);
}
INSN(vredmin_vs, "000101 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vredmin.vs {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_redmin, SH_REDUCE, SRC_V, 0);
}
INSN(vredmaxu_vs, "000110 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vredmaxu.vs {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_redmaxu, SH_REDUCE, SRC_V, 0);
}
INSN(vredmax_vs, "000111 vm:1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vredmax.vs {vd},{vs2},{vs1}{vm}")
{
    riscv_v(t, f, VOP_redmax, SH_REDUCE, SRC_V, 0);
}
INSN(vcompress_vm, "010111 1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vcompress.vm {vd},{vs2},{vs1}")
{
    riscv_v(t, f, VOP_compress, SH_COMPRESS, SRC_V, 0);
}
INSN(vmandn_mm, "011000 1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vmandn.mm {vd},{vs2},{vs1}")
{
    riscv_v(t, f, VOP_mandn, SH_LOGIC, SRC_V, 0);
}
INSN(vmand_mm, "011001 1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vmand.mm {vd},{vs2},{vs1}")
{
    riscv_v(t, f, VOP_mand, SH_LOGIC, SRC_V, 0);
}
ALIAS(vmand_mm, "011001 1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x same=same(vs1,vs2)", "vmmv.m {vd},{vs2}")
INSN(vmor_mm, "011010 1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vmor.mm {vd},{vs2},{vs1}")
{
    riscv_v(t, f, VOP_mor, SH_LOGIC, SRC_V, 0);
}
INSN(vmxor_mm, "011011 1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vmxor.mm {vd},{vs2},{vs1}")
{
    riscv_v(t, f, VOP_mxor, SH_LOGIC, SRC_V, 0);
}
ALIAS(vmxor_mm, "011011 1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x same=same(vs1,vs2) all=same(vd,vs2)", "vmclr.m {vd}")
INSN(vmorn_mm, "011100 1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vmorn.mm {vd},{vs2},{vs1}")
{
    riscv_v(t, f, VOP_morn, SH_LOGIC, SRC_V, 0);
}
INSN(vmnand_mm, "011101 1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vmnand.mm {vd},{vs2},{vs1}")
{
    riscv_v(t, f, VOP_mnand, SH_LOGIC, SRC_V, 0);
}
ALIAS(vmnand_mm, "011101 1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x same=same(vs1,vs2)", "vmnot.m {vd},{vs2}")
INSN(vmnor_mm, "011110 1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vmnor.mm {vd},{vs2},{vs1}")
{
    riscv_v(t, f, VOP_mnor, SH_LOGIC, SRC_V, 0);
}
INSN(vmxnor_mm, "011111 1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x", "vmxnor.mm {vd},{vs2},{vs1}")
{
    riscv_v(t, f, VOP_mxnor, SH_LOGIC, SRC_V, 0);
}
ALIAS(vmxnor_mm, "011111 1 vs2:5 vs1:5 010 vd:5 1010111 @Zve32x same=same(vs1,vs2) all=same(vd,vs2)", "vmset.m {vd}")
INSN(vmsbf_m, "010100 vm:1 vs2:5 00001 010 vd:5 1010111 @Zve32x", "vmsbf.m {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_msbf, SH_PREFIX, SRC_NONE, 0);
}
INSN(vmsof_m, "010100 vm:1 vs2:5 00010 010 vd:5 1010111 @Zve32x", "vmsof.m {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_msof, SH_PREFIX, SRC_NONE, 0);
}
INSN(vmsif_m, "010100 vm:1 vs2:5 00011 010 vd:5 1010111 @Zve32x", "vmsif.m {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_msif, SH_PREFIX, SRC_NONE, 0);
}
INSN(viota_m, "010100 vm:1 vs2:5 10000 010 vd:5 1010111 @Zve32x", "viota.m {vd},{vs2}{vm}")
{
    riscv_v(t, f, VOP_iota, SH_IOTA, SRC_NONE, 0);
}
INSN(vid_v, "010100 vm:1 00000 10001 010 vd:5 1010111 @Zve32x", "vid.v {vd}{vm}")
{
    riscv_v(t, f, VOP_id, SH_SAME, SRC_NONE, 0);
}
INSN(vslide1up_vx, "001110 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vslide1up.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_slide1up, SH_UP, SRC_X, 0);
}
INSN(vslide1down_vx, "001111 vm:1 vs2:5 rs1:5 110 vd:5 1010111 @Zve32x", "vslide1down.vx {vd},{vs2},{rs1}{vm}")
{
    riscv_v(t, f, VOP_slide1down, SH_SAME, SRC_X, 0);
}
