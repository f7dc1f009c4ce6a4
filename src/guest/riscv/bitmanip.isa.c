/*
 * bitmanip.isa.c: Zba, Zbb, Zbc, Zbs, Zicond and the bit operations of scalar cryptography, Zbkb, Zbkc, Zbkx
 * (volume I, chapters 12, 28, 31). Known gaps: none.
 */
#include "xl.h"

/* Zero-extended low word. */
static V uw(struct xlat *t, unsigned r)
{
    return ir_zext(t, T_I64, w(t, r));
}
static V bit(struct xlat *t, V n)
{
    return ir_shl(t, kx(t, 1), n);
}
static void pick(struct xlat *t, F *f, enum ir_cond c)
{
    V a = x(t, f->rs1), b = x(t, f->rs2);
    wx(t, f->rd, ir_select(t, ir_cmp(t, c, a, b), a, b));
}

/* Each byte that is not zero becomes 0xff: its top bit from (low seven bits + 0x7f) | byte, then spread. */
static void orc_b(struct xlat *t, F *f)
{
    uint64_t m = 0x7f7f7f7f7f7f7f7full;
    V a = x(t, f->rs1), top = ir_or(t, ir_addi(t, ir_andi(t, a, m), m), a);
    V ones = ir_shri(t, ir_andi(t, top, ~m), 7);
    wx(t, f->rd, ir_sub(t, ir_shli(t, ones, 8), ones));
}

/* Even and odd bits of 32. */
HELPER(uint32_t, zip, (CPU *cpu, uint32_t v), "pure")
{
    uint32_t r = 0;
    for (unsigned i = 0; i < 16; i++) r |= (v >> i & 1) << 2 * i | (v >> (i + 16) & 1) << (2 * i + 1);
    return r;
}
HELPER(uint32_t, unzip, (CPU *cpu, uint32_t v), "pure")
{
    uint32_t r = 0;
    for (unsigned i = 0; i < 16; i++) r |= (v >> 2 * i & 1) << i | (v >> (2 * i + 1) & 1) << (i + 16);
    return r;
}
/* Elements of `n` bits picked from a by those of b; an index past the end gives 0. On RV32 both are zero-extended. */
static uint64_t permute(uint64_t a, uint64_t b, unsigned n)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < 64; i += n) {
        uint64_t at = (b >> i & bits_mask(n)) * n;
        if (at < 64) r |= (a >> at & bits_mask(n)) << i;
    }
    return r;
}
HELPER(uint64_t, xperm4, (CPU *cpu, uint64_t a, uint64_t b), "pure")
{
    return permute(a, b, 4);
}
HELPER(uint64_t, xperm8, (CPU *cpu, uint64_t a, uint64_t b), "pure")
{
    return permute(a, b, 8);
}
static void xperm(struct xlat *t, F *f, const struct ir_helper *h)
{
    V args[] = { xaddr(t, f->rs1), xaddr(t, f->rs2) };
    wx(t, f->rd, ir_trunc(t, xtype(t), ir_call(t, h, args)));
}

/* -- Zba -------------------------------------------------------------------------------------------------------- */
INSN(sh1add, "0010000 rs2:5 rs1:5 010 rd:5 0110011 @Zba", "sh1add {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_add(t, ir_shli(t, x(t, f->rs1), 1), x(t, f->rs2)));
}
INSN(sh2add, "0010000 rs2:5 rs1:5 100 rd:5 0110011 @Zba", "sh2add {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_add(t, ir_shli(t, x(t, f->rs1), 2), x(t, f->rs2)));
}
INSN(sh3add, "0010000 rs2:5 rs1:5 110 rd:5 0110011 @Zba", "sh3add {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_add(t, ir_shli(t, x(t, f->rs1), 3), x(t, f->rs2)));
}
INSN(add_uw, "0000100 rs2:5 rs1:5 000 rd:5 0111011 @rv64 @Zba", "add.uw {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_add(t, uw(t, f->rs1), x(t, f->rs2)));
}
ALIAS(add_uw, "0000100 00000 rs1:5 000 rd:5 0111011 @rv64 @Zba", "zext.w {rd},{rs1}")
INSN(sh1add_uw, "0010000 rs2:5 rs1:5 010 rd:5 0111011 @rv64 @Zba", "sh1add.uw {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_add(t, ir_shli(t, uw(t, f->rs1), 1), x(t, f->rs2)));
}
INSN(sh2add_uw, "0010000 rs2:5 rs1:5 100 rd:5 0111011 @rv64 @Zba", "sh2add.uw {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_add(t, ir_shli(t, uw(t, f->rs1), 2), x(t, f->rs2)));
}
INSN(sh3add_uw, "0010000 rs2:5 rs1:5 110 rd:5 0111011 @rv64 @Zba", "sh3add.uw {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_add(t, ir_shli(t, uw(t, f->rs1), 3), x(t, f->rs2)));
}
INSN(slli_uw, "000010 shamt:6 rs1:5 001 rd:5 0011011 @rv64 @Zba", "slli.uw {rd},{rs1},{shamt}")
{
    wx(t, f->rd, ir_shli(t, uw(t, f->rs1), (uint64_t)f->shamt));
}

/* -- Zbb, and what Zbkb shares with it -------------------------------------------------------------------------- */
INSN(andn, "0100000 rs2:5 rs1:5 111 rd:5 0110011 @Zbb_or_Zbkb", "andn {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_and(t, x(t, f->rs1), ir_not(t, x(t, f->rs2))));
}
INSN(orn, "0100000 rs2:5 rs1:5 110 rd:5 0110011 @Zbb_or_Zbkb", "orn {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_or(t, x(t, f->rs1), ir_not(t, x(t, f->rs2))));
}
INSN(xnor, "0100000 rs2:5 rs1:5 100 rd:5 0110011 @Zbb_or_Zbkb", "xnor {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_not(t, ir_xor(t, x(t, f->rs1), x(t, f->rs2))));
}
INSN(clz, "0110000 00000 rs1:5 001 rd:5 0010011 @Zbb", "clz {rd},{rs1}")
{
    wx(t, f->rd, ir_clz(t, x(t, f->rs1)));
}
INSN(clzw, "0110000 00000 rs1:5 001 rd:5 0011011 @rv64 @Zbb", "clzw {rd},{rs1}")
{
    ww(t, f->rd, ir_clz(t, w(t, f->rs1)));
}
INSN(ctz, "0110000 00001 rs1:5 001 rd:5 0010011 @Zbb", "ctz {rd},{rs1}")
{
    wx(t, f->rd, ir_ctz(t, x(t, f->rs1)));
}
INSN(ctzw, "0110000 00001 rs1:5 001 rd:5 0011011 @rv64 @Zbb", "ctzw {rd},{rs1}")
{
    ww(t, f->rd, ir_ctz(t, w(t, f->rs1)));
}
INSN(cpop, "0110000 00010 rs1:5 001 rd:5 0010011 @Zbb", "cpop {rd},{rs1}")
{
    wx(t, f->rd, ir_popcnt(t, x(t, f->rs1)));
}
INSN(cpopw, "0110000 00010 rs1:5 001 rd:5 0011011 @rv64 @Zbb", "cpopw {rd},{rs1}")
{
    ww(t, f->rd, ir_popcnt(t, w(t, f->rs1)));
}
INSN(min, "0000101 rs2:5 rs1:5 100 rd:5 0110011 @Zbb", "min {rd},{rs1},{rs2}")
{
    pick(t, f, C_SLT);
}
INSN(minu, "0000101 rs2:5 rs1:5 101 rd:5 0110011 @Zbb", "minu {rd},{rs1},{rs2}")
{
    pick(t, f, C_ULT);
}
INSN(max, "0000101 rs2:5 rs1:5 110 rd:5 0110011 @Zbb", "max {rd},{rs1},{rs2}")
{
    pick(t, f, C_SGT);
}
INSN(maxu, "0000101 rs2:5 rs1:5 111 rd:5 0110011 @Zbb", "maxu {rd},{rs1},{rs2}")
{
    pick(t, f, C_UGT);
}
INSN(sext_b, "0110000 00100 rs1:5 001 rd:5 0010011 @Zbb", "sext.b {rd},{rs1}")
{
    wx(t, f->rd, ir_sext(t, xtype(t), ir_trunc(t, T_I8, x(t, f->rs1))));
}
INSN(sext_h, "0110000 00101 rs1:5 001 rd:5 0010011 @Zbb", "sext.h {rd},{rs1}")
{
    wx(t, f->rd, ir_sext(t, xtype(t), ir_trunc(t, T_I16, x(t, f->rs1))));
}
INSN(zext_h, "0000100 00000 rs1:5 100 rd:5 0111011 @rv64 @Zbb @!Zbkb", "zext.h {rd},{rs1}")
{
    wx(t, f->rd, ir_zext(t, T_I64, ir_trunc(t, T_I16, x(t, f->rs1))));
}
INSN(zext_h_rv32, "0000100 00000 rs1:5 100 rd:5 0110011 @!rv64 @Zbb @!Zbkb", "zext.h {rd},{rs1}")
{
    wx(t, f->rd, ir_zext(t, T_I32, ir_trunc(t, T_I16, x(t, f->rs1))));
}
INSN(rol, "0110000 rs2:5 rs1:5 001 rd:5 0110011 @Zbb_or_Zbkb", "rol {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_rotr(t, x(t, f->rs1), ir_neg(t, x(t, f->rs2))));
}
INSN(ror, "0110000 rs2:5 rs1:5 101 rd:5 0110011 @Zbb_or_Zbkb", "ror {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_rotr(t, x(t, f->rs1), x(t, f->rs2)));
}
INSN(rolw, "0110000 rs2:5 rs1:5 001 rd:5 0111011 @rv64 @Zbb_or_Zbkb", "rolw {rd},{rs1},{rs2}")
{
    ww(t, f->rd, ir_rotr(t, w(t, f->rs1), ir_neg(t, w(t, f->rs2))));
}
INSN(rorw, "0110000 rs2:5 rs1:5 101 rd:5 0111011 @rv64 @Zbb_or_Zbkb", "rorw {rd},{rs1},{rs2}")
{
    ww(t, f->rd, ir_rotr(t, w(t, f->rs1), w(t, f->rs2)));
}
INSN(rori, "0110000 shamt:5 rs1:5 101 rd:5 0010011 @Zbb_or_Zbkb", "ror {rd},{rs1},{shamt}")
{
    wx(t, f->rd, ir_rotri(t, x(t, f->rs1), (uint64_t)f->shamt));
}
INSN(rori_hi, "0110001 shamt:5+32 rs1:5 101 rd:5 0010011 @rv64 @Zbb_or_Zbkb", "ror {rd},{rs1},{shamt}")
{
    riscv_insn_rori(t, f);
}
INSN(roriw, "0110000 shamt:5 rs1:5 101 rd:5 0011011 @rv64 @Zbb_or_Zbkb", "rorw {rd},{rs1},{shamt}")
{
    ww(t, f->rd, ir_rotri(t, w(t, f->rs1), (uint64_t)f->shamt));
}
INSN(orc_b, "001010000111 rs1:5 101 rd:5 0010011 @Zbb", "orc.b {rd},{rs1}")
{
    orc_b(t, f);
}
INSN(rev8, "011010111000 rs1:5 101 rd:5 0010011 @rv64 @Zbb_or_Zbkb", "rev8 {rd},{rs1}")
{
    wx(t, f->rd, ir_bswap(t, x(t, f->rs1)));
}
INSN(rev8_rv32, "011010011000 rs1:5 101 rd:5 0010011 @!rv64 @Zbb_or_Zbkb", "rev8 {rd},{rs1}")
{
    wx(t, f->rd, ir_bswap(t, x(t, f->rs1)));
}

/* -- Zbc, Zbkc -------------------------------------------------------------------------------------------------- */
INSN(clmul, "0000101 rs2:5 rs1:5 001 rd:5 0110011 @Zbkc", "clmul {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_clmul(t, x(t, f->rs1), x(t, f->rs2)));
}
INSN(clmulh, "0000101 rs2:5 rs1:5 011 rd:5 0110011 @Zbkc", "clmulh {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_clmulh(t, x(t, f->rs1), x(t, f->rs2)));
}
INSN(clmulr, "0000101 rs2:5 rs1:5 010 rd:5 0110011 @Zbc", "clmulr {rd},{rs1},{rs2}")
{
    V lo = ir_clmul(t, x(t, f->rs1), x(t, f->rs2)), hi = ir_clmulh(t, x(t, f->rs1), x(t, f->rs2));
    wx(t, f->rd, ir_extr(t, hi, lo, xlen(t) - 1));
}

/* -- Zbs -------------------------------------------------------------------------------------------------------- */
INSN(bset, "0010100 rs2:5 rs1:5 001 rd:5 0110011 @Zbs", "bset {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_or(t, x(t, f->rs1), bit(t, x(t, f->rs2))));
}
INSN(bseti, "0010100 shamt:5 rs1:5 001 rd:5 0010011 @Zbs", "bset {rd},{rs1},{shamt}")
{
    wx(t, f->rd, ir_or(t, x(t, f->rs1), bit(t, kx(t, f->shamt))));
}
INSN(bseti_hi, "0010101 shamt:5+32 rs1:5 001 rd:5 0010011 @rv64 @Zbs", "bset {rd},{rs1},{shamt}")
{
    riscv_insn_bseti(t, f);
}
INSN(bclr, "0100100 rs2:5 rs1:5 001 rd:5 0110011 @Zbs", "bclr {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_and(t, x(t, f->rs1), ir_not(t, bit(t, x(t, f->rs2)))));
}
INSN(bclri, "0100100 shamt:5 rs1:5 001 rd:5 0010011 @Zbs", "bclr {rd},{rs1},{shamt}")
{
    wx(t, f->rd, ir_and(t, x(t, f->rs1), ir_not(t, bit(t, kx(t, f->shamt)))));
}
INSN(bclri_hi, "0100101 shamt:5+32 rs1:5 001 rd:5 0010011 @rv64 @Zbs", "bclr {rd},{rs1},{shamt}")
{
    riscv_insn_bclri(t, f);
}
INSN(binv, "0110100 rs2:5 rs1:5 001 rd:5 0110011 @Zbs", "binv {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_xor(t, x(t, f->rs1), bit(t, x(t, f->rs2))));
}
INSN(binvi, "0110100 shamt:5 rs1:5 001 rd:5 0010011 @Zbs", "binv {rd},{rs1},{shamt}")
{
    wx(t, f->rd, ir_xor(t, x(t, f->rs1), bit(t, kx(t, f->shamt))));
}
INSN(binvi_hi, "0110101 shamt:5+32 rs1:5 001 rd:5 0010011 @rv64 @Zbs", "binv {rd},{rs1},{shamt}")
{
    riscv_insn_binvi(t, f);
}
INSN(bext, "0100100 rs2:5 rs1:5 101 rd:5 0110011 @Zbs", "bext {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_andi(t, ir_shr(t, x(t, f->rs1), x(t, f->rs2)), 1));
}
INSN(bexti, "0100100 shamt:5 rs1:5 101 rd:5 0010011 @Zbs", "bext {rd},{rs1},{shamt}")
{
    wx(t, f->rd, ir_ubfx(t, x(t, f->rs1), f->shamt, 1));
}
INSN(bexti_hi, "0100101 shamt:5+32 rs1:5 101 rd:5 0010011 @rv64 @Zbs", "bext {rd},{rs1},{shamt}")
{
    riscv_insn_bexti(t, f);
}

/* -- Zicond ----------------------------------------------------------------------------------------------------- */
INSN(czero_eqz, "0000111 rs2:5 rs1:5 101 rd:5 0110011 @Zicond", "czero.eqz {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_select(t, ir_cmpi(t, C_EQ, x(t, f->rs2), 0), kx(t, 0), x(t, f->rs1)));
}
INSN(czero_nez, "0000111 rs2:5 rs1:5 111 rd:5 0110011 @Zicond", "czero.nez {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_select(t, ir_cmpi(t, C_EQ, x(t, f->rs2), 0), x(t, f->rs1), kx(t, 0)));
}

/* -- Zbkb, Zbkx ------------------------------------------------------------------------------------------------- */
INSN(pack, "0000100 rs2:5 rs1:5 100 rd:5 0110011 @Zbkb", "pack {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_bfi(t, x(t, f->rs1), x(t, f->rs2), xlen(t) / 2, xlen(t) / 2));
}
ALIAS(pack, "0000100 00000 rs1:5 100 rd:5 0110011 @!rv64 @Zbkb", "zext.h {rd},{rs1}")
INSN(packh, "0000100 rs2:5 rs1:5 111 rd:5 0110011 @Zbkb", "packh {rd},{rs1},{rs2}")
{
    wx(t, f->rd, ir_or(t, ir_andi(t, x(t, f->rs1), 0xff), ir_shli(t, ir_andi(t, x(t, f->rs2), 0xff), 8)));
}
INSN(packw, "0000100 rs2:5 rs1:5 100 rd:5 0111011 @rv64 @Zbkb", "packw {rd},{rs1},{rs2}")
{
    ww(t, f->rd, ir_bfi(t, w(t, f->rs1), w(t, f->rs2), 16, 16));
}
ALIAS(packw, "0000100 00000 rs1:5 100 rd:5 0111011 @rv64 @Zbkb", "zext.h {rd},{rs1}")
INSN(brev8, "011010000111 rs1:5 101 rd:5 0010011 @Zbkb", "brev8 {rd},{rs1}")
{
    wx(t, f->rd, ir_bswap(t, ir_bitrev(t, x(t, f->rs1))));
}
INSN(zip, "000010001111 rs1:5 001 rd:5 0010011 @!rv64 @Zbkb", "zip {rd},{rs1}")
{
    wx(t, f->rd, IR_CALL(t, zip, x(t, f->rs1)));
}
INSN(unzip, "000010001111 rs1:5 101 rd:5 0010011 @!rv64 @Zbkb", "unzip {rd},{rs1}")
{
    wx(t, f->rd, IR_CALL(t, unzip, x(t, f->rs1)));
}
INSN(xperm4, "0010100 rs2:5 rs1:5 010 rd:5 0110011 @Zbkx", "xperm4 {rd},{rs1},{rs2}")
{
    xperm(t, f, &riscv_hd_xperm4);
}
INSN(xperm8, "0010100 rs2:5 rs1:5 100 rd:5 0110011 @Zbkx", "xperm8 {rd},{rs1},{rs2}")
{
    xperm(t, f, &riscv_hd_xperm8);
}
