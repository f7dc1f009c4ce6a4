/*
 * compressed.isa.c: C as Zca, Zcf, Zcd, and Zcb, Zcmop (volume I, chapters 27, 28). Bodies are those of the instructions
 * they stand for; objdump prints them by those names too. Known gaps: Zcmp, Zcmt (they exclude Zcd).
 */
#include "xl.h"

/* -- quadrant 0 ------------------------------------------------------------------------------------------------- */
INSN(c_addi4spn, "000 nzuimm[5:4|9:6|2|3] rd:3+8 00 nzuimm!=0 @Zca", "add {rd},sp,{nzuimm}")
{
    wx(t, f->rd, ir_addi(t, x(t, R_SP), f->nzuimm));
}
INSN(c_fld, "001 cimm[5:3] rs1:3+8 cimm[7:6] rd:3+8 00 @Zcd", "fld {rd:f},{cimm}({rs1})")
{
    ir_put(t, R_F0 + f->rd, load(t, T_F64, f->rs1, f->cimm, MO_64));
}
INSN(c_lw, "010 cimm[5:3] rs1:3+8 cimm[2|6] rd:3+8 00 @Zca", "lw {rd},{cimm}({rs1})")
{
    wx(t, f->rd, load(t, xtype(t), f->rs1, f->cimm, MO_32 | MO_SIGN));
}
INSN(c_flw, "011 cimm[5:3] rs1:3+8 cimm[2|6] rd:3+8 00 @!rv64 @Zcf", "flw {rd:f},{cimm}({rs1})")
{
    wf(t, f->rd, load(t, T_F32, f->rs1, f->cimm, MO_32));
}
INSN(c_ld, "011 cimm[5:3] rs1:3+8 cimm[7:6] rd:3+8 00 @rv64 @Zca", "ld {rd},{cimm}({rs1})")
{
    wx(t, f->rd, load(t, T_I64, f->rs1, f->cimm, MO_64));
}
INSN(c_fsd, "101 cimm[5:3] rs1:3+8 cimm[7:6] rs2:3+8 00 @Zcd", "fsd {rs2:f},{cimm}({rs1})")
{
    store(t, f->rs1, f->cimm, ir_get(t, R_F0 + f->rs2), MO_64);
}
INSN(c_sw, "110 cimm[5:3] rs1:3+8 cimm[2|6] rs2:3+8 00 @Zca", "sw {rs2},{cimm}({rs1})")
{
    store(t, f->rs1, f->cimm, x(t, f->rs2), MO_32);
}
INSN(c_fsw, "111 cimm[5:3] rs1:3+8 cimm[2|6] rs2:3+8 00 @!rv64 @Zcf", "fsw {rs2:f},{cimm}({rs1})")
{
    store(t, f->rs1, f->cimm, ir_trunc(t, T_I32, ir_bitcast(t, T_I64, ir_get(t, R_F0 + f->rs2))), MO_32);
}
INSN(c_sd, "111 cimm[5:3] rs1:3+8 cimm[7:6] rs2:3+8 00 @rv64 @Zca", "sd {rs2},{cimm}({rs1})")
{
    store(t, f->rs1, f->cimm, x(t, f->rs2), MO_64);
}

/* -- quadrant 0, 100: Zcb's narrow accesses --------------------------------------------------------------------- */
INSN(c_lbu, "100000 rs1:3+8 cimm[0|1] rd:3+8 00 @Zca @Zcb", "lbu {rd},{cimm}({rs1})")
{
    wx(t, f->rd, load(t, xtype(t), f->rs1, f->cimm, MO_8));
}
INSN(c_lhu, "100001 rs1:3+8 0 cimm[1] rd:3+8 00 @Zca @Zcb", "lhu {rd},{cimm}({rs1})")
{
    wx(t, f->rd, load(t, xtype(t), f->rs1, f->cimm, MO_16));
}
INSN(c_lh, "100001 rs1:3+8 1 cimm[1] rd:3+8 00 @Zca @Zcb", "lh {rd},{cimm}({rs1})")
{
    wx(t, f->rd, load(t, xtype(t), f->rs1, f->cimm, MO_16 | MO_SIGN));
}
INSN(c_sb, "100010 rs1:3+8 cimm[0|1] rs2:3+8 00 @Zca @Zcb", "sb {rs2},{cimm}({rs1})")
{
    store(t, f->rs1, f->cimm, x(t, f->rs2), MO_8);
}
INSN(c_sh, "100011 rs1:3+8 0 cimm[1] rs2:3+8 00 @Zca @Zcb", "sh {rs2},{cimm}({rs1})")
{
    store(t, f->rs1, f->cimm, x(t, f->rs2), MO_16);
}

/* -- quadrant 1 ------------------------------------------------------------------------------------------------- */
INSN(c_addi, "000 imm[s5] rd:5 imm[4:0] 01 @Zca", "add {rd},{rd},{imm}")
{
    wx(t, f->rd, ir_addi(t, x(t, f->rd), (uint64_t)f->imm));
}
ALIAS(c_addi, "000 0 00000 00000 01 @Zca", "nop")
ALIAS(c_addi, "000 imm[s5] 00000 imm[4:0] 01 @Zca", "c.nop {imm}")
INSN(c_jal, "001 joff[s11|4|9:8|10|6|7|3:1|5] 01 @!rv64 @Zca", "jal {joff@pc}")
{
    riscv_jump(t, R_RA, f->joff);
}
INSN(c_addiw, "001 imm[s5] rd:5 imm[4:0] 01 rd!=0 @rv64 @Zca", "addw {rd},{rd},{imm}")
{
    ww(t, f->rd, ir_addi(t, w(t, f->rd), (uint64_t)f->imm));
}
ALIAS(c_addiw, "001 0 rd:5 00000 01 rd!=0 @rv64 @Zca", "sext.w {rd},{rd}")
INSN(c_li, "010 imm[s5] rd:5 imm[4:0] 01 @Zca", "li {rd},{imm}")
{
    wx(t, f->rd, kx(t, (uint64_t)f->imm));
}
ALIAS(c_li, "010 imm[s5] 00000 imm[4:0] 01 @Zca", "c.li zero,{imm}")
INSN(c_lui, "011 imm[s5] rd:5 imm[4:0] 01 imm!=0 @Zca", "lui {rd},{imm:lui}")
{
    wx(t, f->rd, kx(t, (uint64_t)f->imm << 12));
}
ALIAS(c_lui, "011 imm[s5] 00000 imm[4:0] 01 @Zca", "c.lui zero,{imm:lui}")
INSN(c_addi16sp, "011 imm[s9] 00010 imm[4|6|8:7|5] 01 imm!=0 @Zca", "add sp,sp,{imm}")
{
    wx(t, R_SP, ir_addi(t, x(t, R_SP), (uint64_t)f->imm));
}
/* Zcmop: odd x1..x15 under a zero immediate. */
INSN(c_mop, "01100 cmop:3 1 00000 01 @Zca @Zcmop", "c.mop.{cmop:cmop}")
{
}
INSN(c_srli, "100 0 00 rd:3+8 shamt:5 01 @Zca", "srl {rd},{rd},{shamt}")
{
    wx(t, f->rd, ir_shri(t, x(t, f->rd), (uint64_t)f->shamt));
}
ALIAS(c_srli, "100 0 00 rd:3+8 00000 01 @Zca", "c.srli64 {rd}")
INSN(c_srli_hi, "100 1 00 rd:3+8 shamt:5+32 01 @rv64 @Zca", "srl {rd},{rd},{shamt}")
{
    riscv_insn_c_srli(t, f);
}
INSN(c_srai, "100 0 01 rd:3+8 shamt:5 01 @Zca", "sra {rd},{rd},{shamt}")
{
    wx(t, f->rd, ir_sari(t, x(t, f->rd), (uint64_t)f->shamt));
}
ALIAS(c_srai, "100 0 01 rd:3+8 00000 01 @Zca", "c.srai64 {rd}")
INSN(c_srai_hi, "100 1 01 rd:3+8 shamt:5+32 01 @rv64 @Zca", "sra {rd},{rd},{shamt}")
{
    riscv_insn_c_srai(t, f);
}
INSN(c_andi, "100 imm[s5] 10 rd:3+8 imm[4:0] 01 @Zca", "and {rd},{rd},{imm}")
{
    wx(t, f->rd, ir_andi(t, x(t, f->rd), (uint64_t)f->imm));
}
#define COP(op) wx(t, f->rd, op(t, x(t, f->rd), x(t, f->rs2)))
INSN(c_sub, "100011 rd:3+8 00 rs2:3+8 01 @Zca", "sub {rd},{rd},{rs2}")
{
    COP(ir_sub);
}
INSN(c_xor, "100011 rd:3+8 01 rs2:3+8 01 @Zca", "xor {rd},{rd},{rs2}")
{
    COP(ir_xor);
}
INSN(c_or, "100011 rd:3+8 10 rs2:3+8 01 @Zca", "or {rd},{rd},{rs2}")
{
    COP(ir_or);
}
INSN(c_and, "100011 rd:3+8 11 rs2:3+8 01 @Zca", "and {rd},{rd},{rs2}")
{
    COP(ir_and);
}
INSN(c_subw, "100111 rd:3+8 00 rs2:3+8 01 @rv64 @Zca", "subw {rd},{rd},{rs2}")
{
    ww(t, f->rd, ir_sub(t, w(t, f->rd), w(t, f->rs2)));
}
INSN(c_addw, "100111 rd:3+8 01 rs2:3+8 01 @rv64 @Zca", "addw {rd},{rd},{rs2}")
{
    ww(t, f->rd, ir_add(t, w(t, f->rd), w(t, f->rs2)));
}
INSN(c_mul, "100111 rd:3+8 10 rs2:3+8 01 @Zca @Zcb @Zmmul", "mul {rd},{rd},{rs2}")
{
    COP(ir_mul);
}
INSN(c_zext_b, "100111 rd:3+8 11 000 01 @Zca @Zcb", "zext.b {rd},{rd}")
{
    wx(t, f->rd, ir_andi(t, x(t, f->rd), 0xff));
}
INSN(c_sext_b, "100111 rd:3+8 11 001 01 @Zca @Zcb @Zbb", "sext.b {rd},{rd}")
{
    wx(t, f->rd, ir_sext(t, xtype(t), ir_trunc(t, T_I8, x(t, f->rd))));
}
INSN(c_zext_h, "100111 rd:3+8 11 010 01 @Zca @Zcb @Zbb", "zext.h {rd},{rd}")
{
    wx(t, f->rd, ir_zext(t, xtype(t), ir_trunc(t, T_I16, x(t, f->rd))));
}
INSN(c_sext_h, "100111 rd:3+8 11 011 01 @Zca @Zcb @Zbb", "sext.h {rd},{rd}")
{
    wx(t, f->rd, ir_sext(t, xtype(t), ir_trunc(t, T_I16, x(t, f->rd))));
}
INSN(c_zext_w, "100111 rd:3+8 11 100 01 @rv64 @Zca @Zcb @Zba", "zext.w {rd},{rd}")
{
    wx(t, f->rd, ir_zext(t, T_I64, w(t, f->rd)));
}
INSN(c_not, "100111 rd:3+8 11 101 01 @Zca @Zcb", "not {rd},{rd}")
{
    wx(t, f->rd, ir_not(t, x(t, f->rd)));
}
INSN(c_j, "101 joff[s11|4|9:8|10|6|7|3:1|5] 01 @Zca", "j {joff@pc}")
{
    riscv_jump(t, 0, f->joff);
}
INSN(c_beqz, "110 boff[s8|4:3] rs1:3+8 boff[7:6|2:1|5] 01 @Zca", "beqz {rs1},{boff@pc}")
{
    xl_branch(t, ir_cmpi(t, C_EQ, x(t, f->rs1), 0), target(t, f->boff));
}
INSN(c_bnez, "111 boff[s8|4:3] rs1:3+8 boff[7:6|2:1|5] 01 @Zca", "bnez {rs1},{boff@pc}")
{
    xl_branch(t, ir_cmpi(t, C_NE, x(t, f->rs1), 0), target(t, f->boff));
}

/* -- quadrant 2 ------------------------------------------------------------------------------------------------- */
INSN(c_slli, "000 0 rd:5 shamt:5 10 @Zca", "sll {rd},{rd},{shamt}")
{
    wx(t, f->rd, ir_shli(t, x(t, f->rd), (uint64_t)f->shamt));
}
ALIAS(c_slli, "000 0 rd:5 00000 10 @Zca", "c.slli64 {rd}")
ALIAS(c_slli, "000 0 00000 shamt:5 10 @Zca", "c.slli zero,{shamt}")
ALIAS(c_slli, "000 0 00000 00000 10 @Zca", "c.slli64 zero")
INSN(c_slli_hi, "000 1 rd:5 shamt:5+32 10 @rv64 @Zca", "sll {rd},{rd},{shamt}")
{
    riscv_insn_c_slli(t, f);
}
ALIAS(c_slli_hi, "000 1 00000 shamt:5+32 10 @rv64 @Zca", "c.slli zero,{shamt}")
INSN(c_fldsp, "001 cimm[5] rd:5 cimm[4:3|8:6] 10 @Zcd", "fld {rd:f},{cimm}(sp)")
{
    ir_put(t, R_F0 + f->rd, load(t, T_F64, R_SP, f->cimm, MO_64));
}
INSN(c_lwsp, "010 cimm[5] rd:5 cimm[4:2|7:6] 10 rd!=0 @Zca", "lw {rd},{cimm}(sp)")
{
    wx(t, f->rd, load(t, xtype(t), R_SP, f->cimm, MO_32 | MO_SIGN));
}
INSN(c_flwsp, "011 cimm[5] rd:5 cimm[4:2|7:6] 10 @!rv64 @Zcf", "flw {rd:f},{cimm}(sp)")
{
    wf(t, f->rd, load(t, T_F32, R_SP, f->cimm, MO_32));
}
INSN(c_ldsp, "011 cimm[5] rd:5 cimm[4:3|8:6] 10 rd!=0 @rv64 @Zca", "ld {rd},{cimm}(sp)")
{
    wx(t, f->rd, load(t, T_I64, R_SP, f->cimm, MO_64));
}
INSN(c_jr, "1000 rs1:5 00000 10 rs1!=0 @Zca", "jr {rs1}")
{
    riscv_jump_reg(t, 0, f->rs1, 0);
}
ALIAS(c_jr, "1000 00001 00000 10 @Zca", "ret")
INSN(c_mv, "1000 rd:5 rs2:5 10 @Zca", "mv {rd},{rs2}")
{
    wx(t, f->rd, x(t, f->rs2));
}
ALIAS(c_mv, "1000 00000 rs2:5 10 @Zca", "c.mv zero,{rs2}")
INSN(c_jalr, "1001 rs1:5 00000 10 @Zca", "jalr {rs1}")
{
    riscv_jump_reg(t, R_RA, f->rs1, 0);
}
INSN(c_ebreak, "1001 00000 00000 10 @Zca", "ebreak")
{
    xl_exc(t, EXC_BREAK, 0, t->pc);
}
INSN(c_add, "1001 rd:5 rs2:5 10 @Zca", "add {rd},{rd},{rs2}")
{
    COP(ir_add);
}
ALIAS(c_add, "1001 00000 rs2:5 10 @Zca", "c.add zero,{rs2}")
INSN(c_fsdsp, "101 cimm[5:3|8:6] rs2:5 10 @Zcd", "fsd {rs2:f},{cimm}(sp)")
{
    store(t, R_SP, f->cimm, ir_get(t, R_F0 + f->rs2), MO_64);
}
INSN(c_swsp, "110 cimm[5:2|7:6] rs2:5 10 @Zca", "sw {rs2},{cimm}(sp)")
{
    store(t, R_SP, f->cimm, x(t, f->rs2), MO_32);
}
INSN(c_fswsp, "111 cimm[5:2|7:6] rs2:5 10 @!rv64 @Zcf", "fsw {rs2:f},{cimm}(sp)")
{
    store(t, R_SP, f->cimm, ir_trunc(t, T_I32, ir_bitcast(t, T_I64, ir_get(t, R_F0 + f->rs2))), MO_32);
}
INSN(c_sdsp, "111 cimm[5:3|8:6] rs2:5 10 @rv64 @Zca", "sd {rs2},{cimm}(sp)")
{
    store(t, R_SP, f->cimm, x(t, f->rs2), MO_64);
}
