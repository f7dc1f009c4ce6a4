/*
 * base.isa.c: RV32I, RV64I, M, Zicsr, Zifencei (volume I, chapters 2, 4, 6, 7, 13). RV32 and RV64 share all bodies.
 * Known gaps: none.
 */
#include <time.h>
#include "xl.h"

STREAM(unit=16, order=lsb)
MODES(rv64)
GROUPS(x, f, v, c)
FMT(rd|rs1|rs2|rs3, x)
FMT(uimm20, hex)
FMT(shamt, hex)

void riscv_jump(struct xlat *t, unsigned rd, int64_t off)
{
    bool call = rd == 1 || rd == 5;

    wx(t, rd, kx(t, t->next_pc));
    if (call && t->mode & MODE_VALL) { /* scalar code on the other side is not specialised for vtype */
        t->mode &= ~(uint32_t)MODE_VALL;
        ir_put(t, R_MODE, ir_k32(t, t->mode));
    }
    xl_jump(t, target(t, off), call ? JK_CALL : JK_JUMP);
}

void riscv_jump_reg(struct xlat *t, unsigned rd, unsigned rs1, int64_t off)
{
    bool link_rd = rd == 1 || rd == 5, link_rs = rs1 == 1 || rs1 == 5;
    V pc = ir_andi(t, ir_addi(t, x(t, rs1), (uint64_t)off), ~1ull);

    wx(t, rd, kx(t, t->next_pc));
    xl_jump_ind(t, ir_zext(t, T_I64, pc), link_rd ? JK_CALL : link_rs ? JK_RET : JK_JUMP);
    if (t->mode & MODE_VALL) {
        t->new_mode = ir_k32(t, t->mode & ~(uint32_t)MODE_VALL);
        ir_put(t, R_MODE, t->new_mode);
    }
}

/* -- upper immediates, jumps, branches -------------------------------------------------------------------------- */
INSN(lui, "uimm20:20 rd:5 0110111", "lui {rd},{uimm20}")
{
    wx(t, f->rd, kx(t, (uint64_t)bits_sext((uint64_t)f->uimm20 << 12, 32)));
}
INSN(auipc, "uimm20:20 rd:5 0010111", "auipc {rd},{uimm20}")
{
    wx(t, f->rd, kx(t, t->pc + (uint64_t)bits_sext((uint64_t)f->uimm20 << 12, 32)));
}
/* Zicfilp's landing pad: a hint until a program asks for it. */
INSN(jal, "joff[s20|10:1|11|19:12] rd:5 1101111", "jal {rd},{joff@pc}")
{
    riscv_jump(t, f->rd, f->joff);
}
ALIAS(jal, "joff[s20|10:1|11|19:12] 00000 1101111", "j {joff@pc}")
ALIAS(jal, "joff[s20|10:1|11|19:12] 00001 1101111", "jal {joff@pc}")
/* RV32 targets wrap. */
ALIAS(jal, "joff[s20|10:1|11|19:12] rd:5 1101111 @!rv64", "jal {rd},{joff:pc32}")
ALIAS(jal, "joff[s20|10:1|11|19:12] 00000 1101111 @!rv64", "j {joff:pc32}")
ALIAS(jal, "joff[s20|10:1|11|19:12] 00001 1101111 @!rv64", "jal {joff:pc32}")
INSN(jalr, "imm:s12 rs1:5 000 rd:5 1100111", "jalr {rd},{imm}({rs1})")
{
    riscv_jump_reg(t, f->rd, f->rs1, f->imm);
}
ALIAS(jalr, "000000000000 rs1:5 000 rd:5 1100111", "jalr {rd},{rs1}")
ALIAS(jalr, "imm:s12 rs1:5 000 00001 1100111", "jalr {imm}({rs1})")
ALIAS(jalr, "000000000000 rs1:5 000 00001 1100111", "jalr {rs1}")
ALIAS(jalr, "imm:s12 rs1:5 000 00000 1100111", "jr {imm}({rs1})")
ALIAS(jalr, "000000000000 rs1:5 000 00000 1100111", "jr {rs1}")
ALIAS(jalr, "000000000000 00001 000 00000 1100111", "ret")

INSN(beq, "boff[s12|10:5] rs2:5 rs1:5 000 boff[4:1|11] 1100011", "beq {rs1},{rs2},{boff@pc}")
{
    branch(t, f, C_EQ);
}
ALIAS(beq, "boff[s12|10:5] 00000 rs1:5 000 boff[4:1|11] 1100011", "beqz {rs1},{boff@pc}")
INSN(bne, "boff[s12|10:5] rs2:5 rs1:5 001 boff[4:1|11] 1100011", "bne {rs1},{rs2},{boff@pc}")
{
    branch(t, f, C_NE);
}
ALIAS(bne, "boff[s12|10:5] 00000 rs1:5 001 boff[4:1|11] 1100011", "bnez {rs1},{boff@pc}")
INSN(blt, "boff[s12|10:5] rs2:5 rs1:5 100 boff[4:1|11] 1100011", "blt {rs1},{rs2},{boff@pc}")
{
    branch(t, f, C_SLT);
}
ALIAS(blt, "boff[s12|10:5] 00000 rs1:5 100 boff[4:1|11] 1100011", "bltz {rs1},{boff@pc}")
ALIAS(blt, "boff[s12|10:5] rs2:5 00000 100 boff[4:1|11] 1100011", "bgtz {rs2},{boff@pc}")
ALIAS(blt, "boff[s12|10:5] 00000 00000 100 boff[4:1|11] 1100011", "bltz zero,{boff@pc}")
INSN(bge, "boff[s12|10:5] rs2:5 rs1:5 101 boff[4:1|11] 1100011", "bge {rs1},{rs2},{boff@pc}")
{
    branch(t, f, C_SGE);
}
ALIAS(bge, "boff[s12|10:5] 00000 rs1:5 101 boff[4:1|11] 1100011", "bgez {rs1},{boff@pc}")
ALIAS(bge, "boff[s12|10:5] rs2:5 00000 101 boff[4:1|11] 1100011", "blez {rs2},{boff@pc}")
ALIAS(bge, "boff[s12|10:5] 00000 00000 101 boff[4:1|11] 1100011", "blez zero,{boff@pc}")
INSN(bltu, "boff[s12|10:5] rs2:5 rs1:5 110 boff[4:1|11] 1100011", "bltu {rs1},{rs2},{boff@pc}")
{
    branch(t, f, C_ULT);
}
INSN(bgeu, "boff[s12|10:5] rs2:5 rs1:5 111 boff[4:1|11] 1100011", "bgeu {rs1},{rs2},{boff@pc}")
{
    branch(t, f, C_UGE);
}

/* -- loads, stores ---------------------------------------------------------------------------------------------- */
#define LOAD(type, mo) wx(t, f->rd, load(t, type, f->rs1, f->imm, mo))
INSN(lb, "imm:s12 rs1:5 000 rd:5 0000011", "lb {rd},{imm}({rs1})")
{
    LOAD(xtype(t), MO_8 | MO_SIGN);
}
INSN(lh, "imm:s12 rs1:5 001 rd:5 0000011", "lh {rd},{imm}({rs1})")
{
    LOAD(xtype(t), MO_16 | MO_SIGN);
}
INSN(lw, "imm:s12 rs1:5 010 rd:5 0000011", "lw {rd},{imm}({rs1})")
{
    LOAD(xtype(t), MO_32 | MO_SIGN);
}
INSN(lbu, "imm:s12 rs1:5 100 rd:5 0000011", "lbu {rd},{imm}({rs1})")
{
    LOAD(xtype(t), MO_8);
}
INSN(lhu, "imm:s12 rs1:5 101 rd:5 0000011", "lhu {rd},{imm}({rs1})")
{
    LOAD(xtype(t), MO_16);
}
INSN(lwu, "imm:s12 rs1:5 110 rd:5 0000011 @rv64", "lwu {rd},{imm}({rs1})")
{
    LOAD(T_I64, MO_32);
}
INSN(ld, "imm:s12 rs1:5 011 rd:5 0000011 @rv64", "ld {rd},{imm}({rs1})")
{
    LOAD(T_I64, MO_64);
}
INSN(sb, "soff[s11|10:5] rs2:5 rs1:5 000 soff[4:0] 0100011", "sb {rs2},{soff}({rs1})")
{
    store(t, f->rs1, f->soff, x(t, f->rs2), MO_8);
}
INSN(sh, "soff[s11|10:5] rs2:5 rs1:5 001 soff[4:0] 0100011", "sh {rs2},{soff}({rs1})")
{
    store(t, f->rs1, f->soff, x(t, f->rs2), MO_16);
}
INSN(sw, "soff[s11|10:5] rs2:5 rs1:5 010 soff[4:0] 0100011", "sw {rs2},{soff}({rs1})")
{
    store(t, f->rs1, f->soff, x(t, f->rs2), MO_32);
}
INSN(sd, "soff[s11|10:5] rs2:5 rs1:5 011 soff[4:0] 0100011 @rv64", "sd {rs2},{soff}({rs1})")
{
    store(t, f->rs1, f->soff, x(t, f->rs2), MO_64);
}

/* -- integer register-immediate --------------------------------------------------------------------------------- */
INSN(addi, "imm:s12 rs1:5 000 rd:5 0010011", "add {rd},{rs1},{imm}")
{
    wx(t, f->rd, ir_addi(t, x(t, f->rs1), (uint64_t)f->imm));
}
ALIAS(addi, "000000000000 00000 000 00000 0010011", "nop")
ALIAS(addi, "imm:s12 00000 000 rd:5 0010011", "li {rd},{imm}")
ALIAS(addi, "000000000000 rs1:5 000 rd:5 0010011", "mv {rd},{rs1}")
ALIAS(addi, "000000000000 00000 000 rd:5 0010011", "li {rd},0")
INSN(slti, "imm:s12 rs1:5 010 rd:5 0010011", "slti {rd},{rs1},{imm}")
{
    wb(t, f->rd, ir_cmpi(t, C_SLT, x(t, f->rs1), (uint64_t)f->imm));
}
INSN(sltiu, "imm:s12 rs1:5 011 rd:5 0010011", "sltiu {rd},{rs1},{imm}")
{
    wb(t, f->rd, ir_cmpi(t, C_ULT, x(t, f->rs1), (uint64_t)f->imm));
}
ALIAS(sltiu, "000000000001 rs1:5 011 rd:5 0010011", "seqz {rd},{rs1}")
INSN(xori, "imm:s12 rs1:5 100 rd:5 0010011", "xor {rd},{rs1},{imm}")
{
    wx(t, f->rd, ir_xori(t, x(t, f->rs1), (uint64_t)f->imm));
}
ALIAS(xori, "111111111111 rs1:5 100 rd:5 0010011", "not {rd},{rs1}")
INSN(ori, "imm:s12 rs1:5 110 rd:5 0010011", "or {rd},{rs1},{imm}")
{
    wx(t, f->rd, ir_ori(t, x(t, f->rs1), (uint64_t)f->imm));
}
INSN(andi, "imm:s12 rs1:5 111 rd:5 0010011", "and {rd},{rs1},{imm}")
{
    wx(t, f->rd, ir_andi(t, x(t, f->rs1), (uint64_t)f->imm));
}
ALIAS(andi, "000011111111 rs1:5 111 rd:5 0010011", "zext.b {rd},{rs1}")

/* RV32's shift amounts have five bits: the rows with bit 25 clear belong to both. */
INSN(slli, "0000000 shamt:5 rs1:5 001 rd:5 0010011", "sll {rd},{rs1},{shamt}")
{
    wx(t, f->rd, ir_shli(t, x(t, f->rs1), (uint64_t)f->shamt));
}
INSN(slli_hi, "0000001 shamt:5+32 rs1:5 001 rd:5 0010011 @rv64", "sll {rd},{rs1},{shamt}")
{
    riscv_insn_slli(t, f);
}
INSN(srli, "0000000 shamt:5 rs1:5 101 rd:5 0010011", "srl {rd},{rs1},{shamt}")
{
    wx(t, f->rd, ir_shri(t, x(t, f->rs1), (uint64_t)f->shamt));
}
INSN(srli_hi, "0000001 shamt:5+32 rs1:5 101 rd:5 0010011 @rv64", "srl {rd},{rs1},{shamt}")
{
    riscv_insn_srli(t, f);
}
INSN(srai, "0100000 shamt:5 rs1:5 101 rd:5 0010011", "sra {rd},{rs1},{shamt}")
{
    wx(t, f->rd, ir_sari(t, x(t, f->rs1), (uint64_t)f->shamt));
}
INSN(srai_hi, "0100001 shamt:5+32 rs1:5 101 rd:5 0010011 @rv64", "sra {rd},{rs1},{shamt}")
{
    riscv_insn_srai(t, f);
}

/* -- integer register-register ---------------------------------------------------------------------------------- */
#define XOP(op) wx(t, f->rd, op(t, x(t, f->rs1), x(t, f->rs2)))
#define WOP(op) ww(t, f->rd, op(t, w(t, f->rs1), w(t, f->rs2)))
INSN(add, "0000000 rs2:5 rs1:5 000 rd:5 0110011", "add {rd},{rs1},{rs2}")
{
    XOP(ir_add);
}
INSN(sub, "0100000 rs2:5 rs1:5 000 rd:5 0110011", "sub {rd},{rs1},{rs2}")
{
    XOP(ir_sub);
}
ALIAS(sub, "0100000 rs2:5 00000 000 rd:5 0110011", "neg {rd},{rs2}")
INSN(sll, "0000000 rs2:5 rs1:5 001 rd:5 0110011", "sll {rd},{rs1},{rs2}")
{
    XOP(ir_shl);
}
INSN(slt, "0000000 rs2:5 rs1:5 010 rd:5 0110011", "slt {rd},{rs1},{rs2}")
{
    wb(t, f->rd, ir_cmp(t, C_SLT, x(t, f->rs1), x(t, f->rs2)));
}
ALIAS(slt, "0000000 00000 rs1:5 010 rd:5 0110011", "sltz {rd},{rs1}")
ALIAS(slt, "0000000 rs2:5 00000 010 rd:5 0110011", "sgtz {rd},{rs2}")
ALIAS(slt, "0000000 00000 00000 010 rd:5 0110011", "sltz {rd},zero")
INSN(sltu, "0000000 rs2:5 rs1:5 011 rd:5 0110011", "sltu {rd},{rs1},{rs2}")
{
    wb(t, f->rd, ir_cmp(t, C_ULT, x(t, f->rs1), x(t, f->rs2)));
}
ALIAS(sltu, "0000000 rs2:5 00000 011 rd:5 0110011", "snez {rd},{rs2}")
INSN(xor, "0000000 rs2:5 rs1:5 100 rd:5 0110011", "xor {rd},{rs1},{rs2}")
{
    XOP(ir_xor);
}
INSN(srl, "0000000 rs2:5 rs1:5 101 rd:5 0110011", "srl {rd},{rs1},{rs2}")
{
    XOP(ir_shr);
}
INSN(sra, "0100000 rs2:5 rs1:5 101 rd:5 0110011", "sra {rd},{rs1},{rs2}")
{
    XOP(ir_sar);
}
INSN(or, "0000000 rs2:5 rs1:5 110 rd:5 0110011", "or {rd},{rs1},{rs2}")
{
    XOP(ir_or);
}
INSN(and, "0000000 rs2:5 rs1:5 111 rd:5 0110011", "and {rd},{rs1},{rs2}")
{
    XOP(ir_and);
}

/* -- RV64's 32-bit operations ----------------------------------------------------------------------------------- */
INSN(addiw, "imm:s12 rs1:5 000 rd:5 0011011 @rv64", "addw {rd},{rs1},{imm}")
{
    ww(t, f->rd, ir_addi(t, w(t, f->rs1), (uint64_t)f->imm));
}
ALIAS(addiw, "000000000000 rs1:5 000 rd:5 0011011 @rv64", "sext.w {rd},{rs1}")
INSN(slliw, "0000000 shamt:5 rs1:5 001 rd:5 0011011 @rv64", "sllw {rd},{rs1},{shamt}")
{
    ww(t, f->rd, ir_shli(t, w(t, f->rs1), (uint64_t)f->shamt));
}
INSN(srliw, "0000000 shamt:5 rs1:5 101 rd:5 0011011 @rv64", "srlw {rd},{rs1},{shamt}")
{
    ww(t, f->rd, ir_shri(t, w(t, f->rs1), (uint64_t)f->shamt));
}
INSN(sraiw, "0100000 shamt:5 rs1:5 101 rd:5 0011011 @rv64", "sraw {rd},{rs1},{shamt}")
{
    ww(t, f->rd, ir_sari(t, w(t, f->rs1), (uint64_t)f->shamt));
}
INSN(addw, "0000000 rs2:5 rs1:5 000 rd:5 0111011 @rv64", "addw {rd},{rs1},{rs2}")
{
    WOP(ir_add);
}
INSN(subw, "0100000 rs2:5 rs1:5 000 rd:5 0111011 @rv64", "subw {rd},{rs1},{rs2}")
{
    WOP(ir_sub);
}
ALIAS(subw, "0100000 rs2:5 00000 000 rd:5 0111011 @rv64", "negw {rd},{rs2}")
INSN(sllw, "0000000 rs2:5 rs1:5 001 rd:5 0111011 @rv64", "sllw {rd},{rs1},{rs2}")
{
    WOP(ir_shl);
}
INSN(srlw, "0000000 rs2:5 rs1:5 101 rd:5 0111011 @rv64", "srlw {rd},{rs1},{rs2}")
{
    WOP(ir_shr);
}
INSN(sraw, "0100000 rs2:5 rs1:5 101 rd:5 0111011 @rv64", "sraw {rd},{rs1},{rs2}")
{
    WOP(ir_sar);
}

/* -- M: the IR gives 0 for a quotient by zero, the manual all ones ---------------------------------------------- */
static V quotient(struct xlat *t, enum ir_op op, V a, V b)
{
    V q = ir_bin(t, op, a, b);
    return ir_select(t, ir_cmpi(t, C_EQ, b, 0), ir_kt(t, ir_type_of(t, b), ~0ull), q);
}
static V div_s(struct xlat *t, V a, V b)
{
    return quotient(t, IR_DIVS, a, b);
}
static V div_u(struct xlat *t, V a, V b)
{
    return quotient(t, IR_DIVU, a, b);
}
INSN(mul, "0000001 rs2:5 rs1:5 000 rd:5 0110011 @Zmmul", "mul {rd},{rs1},{rs2}")
{
    XOP(ir_mul);
}
INSN(mulh, "0000001 rs2:5 rs1:5 001 rd:5 0110011 @Zmmul", "mulh {rd},{rs1},{rs2}")
{
    XOP(ir_mulhs);
}
INSN(mulhsu, "0000001 rs2:5 rs1:5 010 rd:5 0110011 @Zmmul", "mulhsu {rd},{rs1},{rs2}")
{
    XOP(ir_mulhsu);
}
INSN(mulhu, "0000001 rs2:5 rs1:5 011 rd:5 0110011 @Zmmul", "mulhu {rd},{rs1},{rs2}")
{
    XOP(ir_mulhu);
}
INSN(div, "0000001 rs2:5 rs1:5 100 rd:5 0110011 @M", "div {rd},{rs1},{rs2}")
{
    XOP(div_s);
}
INSN(divu, "0000001 rs2:5 rs1:5 101 rd:5 0110011 @M", "divu {rd},{rs1},{rs2}")
{
    XOP(div_u);
}
INSN(rem, "0000001 rs2:5 rs1:5 110 rd:5 0110011 @M", "rem {rd},{rs1},{rs2}")
{
    XOP(ir_rems);
}
INSN(remu, "0000001 rs2:5 rs1:5 111 rd:5 0110011 @M", "remu {rd},{rs1},{rs2}")
{
    XOP(ir_remu);
}
INSN(mulw, "0000001 rs2:5 rs1:5 000 rd:5 0111011 @rv64 @Zmmul", "mulw {rd},{rs1},{rs2}")
{
    WOP(ir_mul);
}
INSN(divw, "0000001 rs2:5 rs1:5 100 rd:5 0111011 @rv64 @M", "divw {rd},{rs1},{rs2}")
{
    WOP(div_s);
}
INSN(divuw, "0000001 rs2:5 rs1:5 101 rd:5 0111011 @rv64 @M", "divuw {rd},{rs1},{rs2}")
{
    WOP(div_u);
}
INSN(remw, "0000001 rs2:5 rs1:5 110 rd:5 0111011 @rv64 @M", "remw {rd},{rs1},{rs2}")
{
    WOP(ir_rems);
}
INSN(remuw, "0000001 rs2:5 rs1:5 111 rd:5 0111011 @rv64 @M", "remuw {rd},{rs1},{rs2}")
{
    WOP(ir_remu);
}

/* -- fences, environment ---------------------------------------------------------------------------------------- */
/* Device input and output order like memory reads and writes: pred and succ are i o r w from the top. */
INSN(fence, "fm:4 pred:4 succ:4 rs1:5 000 rd:5 0001111", "fence {pred:iorw},{succ:iorw}")
{
    bool pr = f->pred & 0xa, pw = f->pred & 5, sr = f->succ & 0xa, sw = f->succ & 5;
    unsigned bits = (pr && sr ? FENCE_LL : 0) | (pr && sw ? FENCE_LS : 0) | (pw && sr ? FENCE_SL : 0) |
                    (pw && sw ? FENCE_SS : 0);
    if (f->fm == 8 && f->pred == 3 && f->succ == 3) bits &= ~(unsigned)FENCE_SL;
    if (bits) ir_fence(t, bits);
}
ALIAS(fence, "0000 1111 1111 00000 000 00000 0001111", "fence")
ALIAS(fence, "1000 0011 0011 00000 000 00000 0001111", "fence.tso")
ALIAS(fence, "0000 0001 0000 00000 000 00000 0001111", "pause")

/* Pages with translated code are write-protected, so stale code is gone already; what is left is to leave this region. */
/* Translated pages are write-protected, so only what changes through another mapping has to be dropped here. */
HELPER(void, fence_i, (CPU *cpu), "fault")
{
    engine_icache_flush(cpu->v->engine, 0, ~0ull);
}
INSN(fence_i, "imm:12 rs1:5 001 rd:5 0001111 @Zifencei", "fence.i")
{
    if (!hart(t)->sys) IR_CALL0(t, fence_i); /* in system mode, writes to code are noticed */
    xl_stop(t);
}
INSN(ecall, "000000000000 00000 000 00000 1110011", "ecall")
{
    if (hart(t)->sys) riscv_trap_call(t);
    else xl_exc(t, EXC_SYSCALL, 0, t->next_pc);
}
INSN(ebreak, "000000000001 00000 000 00000 1110011", "ebreak")
{
    xl_exc(t, EXC_BREAK, 0, t->pc);
}

/* -- Zicsr ------------------------------------------------------------------------------------------------------ */
FMT(csr, csr)
INSN(csrrw, "csr:12 rs1:5 001 rd:5 1110011 @Zicsr", "csrrw {rd},{csr},{rs1}")
{
    riscv_csr_access(t, f->csr, CSR_WRITE, f->rd, x(t, f->rs1), true);
}
ALIAS(csrrw, "csr:12 rs1:5 001 00000 1110011", "csrw {csr},{rs1}")
ALIAS(csrrw, "000000000001 rs1:5 001 00000 1110011", "fsflags {rs1}")
ALIAS(csrrw, "000000000001 rs1:5 001 rd:5 1110011", "fsflags {rd},{rs1}")
ALIAS(csrrw, "000000000010 rs1:5 001 00000 1110011", "fsrm {rs1}")
ALIAS(csrrw, "000000000010 rs1:5 001 rd:5 1110011", "fsrm {rd},{rs1}")
ALIAS(csrrw, "000000000011 rs1:5 001 00000 1110011", "fscsr {rs1}")
ALIAS(csrrw, "000000000011 rs1:5 001 rd:5 1110011", "fscsr {rd},{rs1}")
/* unimp: a write to the read-only cycle counter, made to trap. */
ALIAS(csrrw, "110000000000 00000 001 00000 1110011", "unimp")
INSN(csrrs, "csr:12 rs1:5 010 rd:5 1110011 @Zicsr", "csrrs {rd},{csr},{rs1}")
{
    riscv_csr_access(t, f->csr, CSR_SET, f->rd, x(t, f->rs1), f->rs1 != 0);
}
ALIAS(csrrs, "csr:12 rs1:5 010 00000 1110011", "csrs {csr},{rs1}")
ALIAS(csrrs, "csr:12 00000 010 rd:5 1110011", "csrr {rd},{csr}")
ALIAS(csrrs, "csr:12 00000 010 00000 1110011", "csrr zero,{csr}")
ALIAS(csrrs, "000000000001 00000 010 rd:5 1110011", "frflags {rd}")
ALIAS(csrrs, "000000000010 00000 010 rd:5 1110011", "frrm {rd}")
ALIAS(csrrs, "000000000011 00000 010 rd:5 1110011", "frcsr {rd}")
ALIAS(csrrs, "000000000001 00000 010 00000 1110011", "frflags zero")
ALIAS(csrrs, "000000000010 00000 010 00000 1110011", "frrm zero")
ALIAS(csrrs, "000000000011 00000 010 00000 1110011", "frcsr zero")
ALIAS(csrrs, "110000000000 00000 010 rd:5 1110011", "rdcycle {rd}")
ALIAS(csrrs, "110000000001 00000 010 rd:5 1110011", "rdtime {rd}")
ALIAS(csrrs, "110000000010 00000 010 rd:5 1110011", "rdinstret {rd}")
ALIAS(csrrs, "110000000000 00000 010 00000 1110011", "rdcycle zero")
ALIAS(csrrs, "110000000001 00000 010 00000 1110011", "rdtime zero")
ALIAS(csrrs, "110000000010 00000 010 00000 1110011", "rdinstret zero")
ALIAS(csrrs, "110010000000 00000 010 rd:5 1110011 @!rv64", "rdcycleh {rd}")
ALIAS(csrrs, "110010000001 00000 010 rd:5 1110011 @!rv64", "rdtimeh {rd}")
ALIAS(csrrs, "110010000010 00000 010 rd:5 1110011 @!rv64", "rdinstreth {rd}")
ALIAS(csrrs, "110010000000 00000 010 00000 1110011 @!rv64", "rdcycleh zero")
ALIAS(csrrs, "110010000001 00000 010 00000 1110011 @!rv64", "rdtimeh zero")
ALIAS(csrrs, "110010000010 00000 010 00000 1110011 @!rv64", "rdinstreth zero")
INSN(csrrc, "csr:12 rs1:5 011 rd:5 1110011 @Zicsr", "csrrc {rd},{csr},{rs1}")
{
    riscv_csr_access(t, f->csr, CSR_CLEAR, f->rd, x(t, f->rs1), f->rs1 != 0);
}
ALIAS(csrrc, "csr:12 rs1:5 011 00000 1110011", "csrc {csr},{rs1}")
INSN(csrrwi, "csr:12 zimm:5 101 rd:5 1110011 @Zicsr", "csrrw {rd},{csr},{zimm}")
{
    riscv_csr_access(t, f->csr, CSR_WRITE, f->rd, kx(t, f->zimm), true);
}
ALIAS(csrrwi, "csr:12 zimm:5 101 00000 1110011", "csrw {csr},{zimm}")
ALIAS(csrrwi, "000000000001 zimm:5 101 rd:5 1110011", "fsflagsi {rd},{zimm}")
ALIAS(csrrwi, "000000000001 zimm:5 101 00000 1110011", "fsflagsi zero,{zimm}")
ALIAS(csrrwi, "000000000010 zimm:5 101 rd:5 1110011", "fsrmi {rd},{zimm}")
ALIAS(csrrwi, "000000000010 zimm:5 101 00000 1110011", "fsrmi zero,{zimm}")
INSN(csrrsi, "csr:12 zimm:5 110 rd:5 1110011 @Zicsr", "csrrs {rd},{csr},{zimm}")
{
    riscv_csr_access(t, f->csr, CSR_SET, f->rd, kx(t, f->zimm), f->zimm != 0);
}
ALIAS(csrrsi, "csr:12 zimm:5 110 00000 1110011", "csrs {csr},{zimm}")
INSN(csrrci, "csr:12 zimm:5 111 rd:5 1110011 @Zicsr", "csrrc {rd},{csr},{zimm}")
{
    riscv_csr_access(t, f->csr, CSR_CLEAR, f->rd, kx(t, f->zimm), f->zimm != 0);
}
ALIAS(csrrci, "csr:12 zimm:5 111 00000 1110011", "csrc {csr},{zimm}")

/* The clock behind cycle, time and instret. */
HELPER(uint64_t, clock_ns, (CPU *cpu), "")
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}
