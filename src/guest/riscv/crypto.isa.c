/*
 * crypto.isa.c: scalar cryptography, Zkne Zknd Zknh Zksed Zksh (volume I, chapter 31). AES is in terms of the IR's AES
 * round operations, so it runs on the host's AES unit. Zkr's seed CSR is not accessible from user mode.
 * Known gaps: none.
 */
#include "base/sm4.h"
#include "xl.h"

static V state(struct xlat *t, F *f)
{
    return ir_vins(t, L_I64, ir_vfrom(t, x(t, f->rs1)), x(t, f->rs2), 1);
}
static V aes(struct xlat *t, enum ir_op op, V v)
{
    return ir_v2(t, op, L_I8, v, ir_kv(t, 0, 0));
}
static V low(struct xlat *t, V v)
{
    return ir_vget(t, T_I64, L_I64, v, 0);
}

/* Key schedule: SubWord is the S-box on a vector of equal columns, which ShiftRows leaves alone. */
static void aes_key(struct xlat *t, F *f)
{
    static const uint8_t rcon[11] = { 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36, 0 };
    V word = ir_trunc(t, T_I32, ir_shri(t, x(t, f->rs1), 32)), s;

    if (f->rnum != 10) word = ir_rotri(t, word, 8);
    s = ir_vget(t, T_I32, L_I32, aes(t, IR_VAESE, ir_vdup(t, L_I32, word)), 0);
    s = ir_zext(t, T_I64, ir_xori(t, s, rcon[f->rnum]));
    wx(t, f->rd, ir_or(t, s, ir_shli(t, s, 32)));
}

static void aes32(struct xlat *t, F *f, enum ir_op sbox, enum ir_op mix)
{
    unsigned shift = (unsigned)f->bs * 8;
    V byte = ir_trunc(t, T_I8, ir_shri(t, x(t, f->rs2), shift));
    V s = ir_vget(t, T_I32, L_I8, aes(t, sbox, ir_vdup(t, L_I8, byte)), 0);

    if (mix != IR_NOP) s = ir_vget(t, T_I32, L_I32, ir_v1(t, mix, L_I8, ir_vfrom(t, s)), 0);
    wx(t, f->rd, ir_xor(t, x(t, f->rs1), ir_rotri(t, s, (32 - shift) & 31)));
}

static V mix3(struct xlat *t, V v, unsigned a, unsigned b, unsigned c, bool shift)
{
    V last = shift ? ir_shri(t, v, c) : ir_rotri(t, v, c);
    return ir_xor(t, ir_xor(t, ir_rotri(t, v, a), ir_rotri(t, v, b)), last);
}

/* Three shifts of rs1, three of rs2 (0 = none). */
static void sha512_half(struct xlat *t, F *f, const int shift[6])
{
    V r = 0;
    for (unsigned i = 0; i < 6 && shift[i]; i++) {
        V v = x(t, i < 3 ? f->rs1 : f->rs2);
        v = shift[i] > 0 ? ir_shli(t, v, (unsigned)shift[i]) : ir_shri(t, v, (unsigned)-shift[i]);
        r = r ? ir_xor(t, r, v) : v;
    }
    wx(t, f->rd, r);
}

static void sm3(struct xlat *t, F *f, unsigned a, unsigned b)
{
    V v = w(t, f->rs1);
    ww(t, f->rd, ir_xor(t, v, ir_xor(t, ir_rotri(t, v, 32 - a), ir_rotri(t, v, 32 - b))));
}

static uint32_t rol32(uint32_t v, unsigned n)
{
    return v << (n & 31) | v >> (-n & 31);
}
/* The linear layers on one substituted byte at bit position `shift`; SM4's words are big-endian. */
HELPER(uint32_t, sm4ed, (CPU *cpu, uint32_t v, uint32_t shift), "pure")
{
    uint32_t s = (uint32_t)sm4_sbox[v >> (shift & 24) & 0xff] << 24;
    return rol32(__builtin_bswap32(s ^ rol32(s, 2) ^ rol32(s, 10) ^ rol32(s, 18) ^ rol32(s, 24)), shift);
}
HELPER(uint32_t, sm4ks, (CPU *cpu, uint32_t v, uint32_t shift), "pure")
{
    uint32_t s = (uint32_t)sm4_sbox[v >> (shift & 24) & 0xff] << 24;
    return rol32(__builtin_bswap32(s ^ rol32(s, 13) ^ rol32(s, 23)), shift);
}

/* -- Zkne, Zknd: the AES round on the 128-bit state rs2:rs1 ----------------------------------------------------- */
INSN(aes64es, "0011001 rs2:5 rs1:5 000 rd:5 0110011 @rv64 @Zkne", "aes64es {rd},{rs1},{rs2}")
{
    wx(t, f->rd, low(t, aes(t, IR_VAESE, state(t, f))));
}
INSN(aes64esm, "0011011 rs2:5 rs1:5 000 rd:5 0110011 @rv64 @Zkne", "aes64esm {rd},{rs1},{rs2}")
{
    wx(t, f->rd, low(t, ir_v1(t, IR_VAESMC, L_I8, aes(t, IR_VAESE, state(t, f)))));
}
INSN(aes64ds, "0011101 rs2:5 rs1:5 000 rd:5 0110011 @rv64 @Zknd", "aes64ds {rd},{rs1},{rs2}")
{
    wx(t, f->rd, low(t, aes(t, IR_VAESD, state(t, f))));
}
INSN(aes64dsm, "0011111 rs2:5 rs1:5 000 rd:5 0110011 @rv64 @Zknd", "aes64dsm {rd},{rs1},{rs2}")
{
    wx(t, f->rd, low(t, ir_v1(t, IR_VAESIMC, L_I8, aes(t, IR_VAESD, state(t, f)))));
}
INSN(aes64im, "0011000 00000 rs1:5 001 rd:5 0010011 @rv64 @Zknd", "aes64im {rd},{rs1}")
{
    wx(t, f->rd, low(t, ir_v1(t, IR_VAESIMC, L_I8, ir_vfrom(t, x(t, f->rs1)))));
}
INSN(aes64ks2, "0111111 rs2:5 rs1:5 000 rd:5 0110011 @rv64 @Zknd_or_Zkne", "aes64ks2 {rd},{rs1},{rs2}")
{
    V w0 = ir_xor(t, ir_shri(t, x(t, f->rs1), 32), ir_zext(t, T_I64, w(t, f->rs2)));
    V w1 = ir_xor(t, w0, ir_shri(t, x(t, f->rs2), 32));
    wx(t, f->rd, ir_or(t, w0, ir_shli(t, w1, 32)));
}
INSN(aes64ks1i, "0011000 1 rnum:4 rs1:5 001 rd:5 0010011 rnum!=11,12,13,14,15 @rv64 @Zknd_or_Zkne",
     "aes64ks1i {rd},{rs1},{rnum:hex}")
{
    aes_key(t, f);
}

/* RV32: one byte of rs2 through the S-box, mixed into a column. A vector of equal bytes is its own ShiftRows. */
INSN(aes32esi, "bs:2 10001 rs2:5 rs1:5 000 rd:5 0110011 @!rv64 @Zkne", "aes32esi {rd},{rs1},{rs2},{bs:hex}")
{
    aes32(t, f, IR_VAESE, IR_NOP);
}
INSN(aes32esmi, "bs:2 10011 rs2:5 rs1:5 000 rd:5 0110011 @!rv64 @Zkne", "aes32esmi {rd},{rs1},{rs2},{bs:hex}")
{
    aes32(t, f, IR_VAESE, IR_VAESMC);
}
INSN(aes32dsi, "bs:2 10101 rs2:5 rs1:5 000 rd:5 0110011 @!rv64 @Zknd", "aes32dsi {rd},{rs1},{rs2},{bs:hex}")
{
    aes32(t, f, IR_VAESD, IR_NOP);
}
INSN(aes32dsmi, "bs:2 10111 rs2:5 rs1:5 000 rd:5 0110011 @!rv64 @Zknd", "aes32dsmi {rd},{rs1},{rs2},{bs:hex}")
{
    aes32(t, f, IR_VAESD, IR_VAESIMC);
}

/* -- Zknh: SHA-2. r = rotate right, s = shift right ------------------------------------------------------------- */
INSN(sha256sum0, "0001000 00000 rs1:5 001 rd:5 0010011 @Zknh", "sha256sum0 {rd},{rs1}")
{
    ww(t, f->rd, mix3(t, w(t, f->rs1), 2, 13, 22, false));
}
INSN(sha256sum1, "0001000 00001 rs1:5 001 rd:5 0010011 @Zknh", "sha256sum1 {rd},{rs1}")
{
    ww(t, f->rd, mix3(t, w(t, f->rs1), 6, 11, 25, false));
}
INSN(sha256sig0, "0001000 00010 rs1:5 001 rd:5 0010011 @Zknh", "sha256sig0 {rd},{rs1}")
{
    ww(t, f->rd, mix3(t, w(t, f->rs1), 7, 18, 3, true));
}
INSN(sha256sig1, "0001000 00011 rs1:5 001 rd:5 0010011 @Zknh", "sha256sig1 {rd},{rs1}")
{
    ww(t, f->rd, mix3(t, w(t, f->rs1), 17, 19, 10, true));
}
INSN(sha512sum0, "0001000 00100 rs1:5 001 rd:5 0010011 @rv64 @Zknh", "sha512sum0 {rd},{rs1}")
{
    wx(t, f->rd, mix3(t, x(t, f->rs1), 28, 34, 39, false));
}
INSN(sha512sum1, "0001000 00101 rs1:5 001 rd:5 0010011 @rv64 @Zknh", "sha512sum1 {rd},{rs1}")
{
    wx(t, f->rd, mix3(t, x(t, f->rs1), 14, 18, 41, false));
}
INSN(sha512sig0, "0001000 00110 rs1:5 001 rd:5 0010011 @rv64 @Zknh", "sha512sig0 {rd},{rs1}")
{
    wx(t, f->rd, mix3(t, x(t, f->rs1), 1, 8, 7, true));
}
INSN(sha512sig1, "0001000 00111 rs1:5 001 rd:5 0010011 @rv64 @Zknh", "sha512sig1 {rd},{rs1}")
{
    wx(t, f->rd, mix3(t, x(t, f->rs1), 19, 61, 6, true));
}

/* RV32's SHA-512: halves of 64-bit sums; positive = shift left, negative = right. */
INSN(sha512sum0r, "0101000 rs2:5 rs1:5 000 rd:5 0110011 @!rv64 @Zknh", "sha512sum0r {rd},{rs1},{rs2}")
{
    sha512_half(t, f, (const int[]){ 25, 30, -28, -7, -2, 4 });
}
INSN(sha512sum1r, "0101001 rs2:5 rs1:5 000 rd:5 0110011 @!rv64 @Zknh", "sha512sum1r {rd},{rs1},{rs2}")
{
    sha512_half(t, f, (const int[]){ 23, -14, -18, -9, 18, 14 });
}
INSN(sha512sig0l, "0101010 rs2:5 rs1:5 000 rd:5 0110011 @!rv64 @Zknh", "sha512sig0l {rd},{rs1},{rs2}")
{
    sha512_half(t, f, (const int[]){ -1, -7, -8, 31, 25, 24 });
}
INSN(sha512sig0h, "0101110 rs2:5 rs1:5 000 rd:5 0110011 @!rv64 @Zknh", "sha512sig0h {rd},{rs1},{rs2}")
{
    sha512_half(t, f, (const int[]){ -1, -7, -8, 31, 24, 0 });
}
INSN(sha512sig1l, "0101011 rs2:5 rs1:5 000 rd:5 0110011 @!rv64 @Zknh", "sha512sig1l {rd},{rs1},{rs2}")
{
    sha512_half(t, f, (const int[]){ 3, -6, -19, -29, 26, 13 });
}
INSN(sha512sig1h, "0101111 rs2:5 rs1:5 000 rd:5 0110011 @!rv64 @Zknh", "sha512sig1h {rd},{rs1},{rs2}")
{
    sha512_half(t, f, (const int[]){ 3, -6, -19, -29, 13, 0 });
}

/* -- Zksh, Zksed: SM3, SM4 -------------------------------------------------------------------------------------- */
INSN(sm3p0, "0001000 01000 rs1:5 001 rd:5 0010011 @Zksh", "sm3p0 {rd},{rs1}")
{
    sm3(t, f, 9, 17);
}
INSN(sm3p1, "0001000 01001 rs1:5 001 rd:5 0010011 @Zksh", "sm3p1 {rd},{rs1}")
{
    sm3(t, f, 15, 23);
}
INSN(sm4ed, "bs:2 11000 rs2:5 rs1:5 000 rd:5 0110011 @Zksed", "sm4ed {rd},{rs1},{rs2},{bs:hex}")
{
    ww(t, f->rd, ir_xor(t, w(t, f->rs1), IR_CALL(t, sm4ed, w(t, f->rs2), ir_k32(t, (uint32_t)f->bs * 8))));
}
INSN(sm4ks, "bs:2 11010 rs2:5 rs1:5 000 rd:5 0110011 @Zksed", "sm4ks {rd},{rs1},{rs2},{bs:hex}")
{
    ww(t, f->rd, ir_xor(t, w(t, f->rs1), IR_CALL(t, sm4ks, w(t, f->rs2), ir_k32(t, (uint32_t)f->bs * 8))));
}
