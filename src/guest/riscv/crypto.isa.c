/*
 * crypto.isa.c: scalar cryptography, Zkne Zknd Zknh Zksed Zksh (volume I, chapter 31). AES is in terms of the IR's AES
 * round operations, so it runs on the host's AES unit. Zkr's seed CSR is not accessible from user mode.
 * Known gaps: none.
 */
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

static const uint8_t sm4_sbox[256] = {
    0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7, 0x16, 0xb6, 0x14, 0xc2, 0x28, 0xfb, 0x2c, 0x05,
    0x2b, 0x67, 0x9a, 0x76, 0x2a, 0xbe, 0x04, 0xc3, 0xaa, 0x44, 0x13, 0x26, 0x49, 0x86, 0x06, 0x99,
    0x9c, 0x42, 0x50, 0xf4, 0x91, 0xef, 0x98, 0x7a, 0x33, 0x54, 0x0b, 0x43, 0xed, 0xcf, 0xac, 0x62,
    0xe4, 0xb3, 0x1c, 0xa9, 0xc9, 0x08, 0xe8, 0x95, 0x80, 0xdf, 0x94, 0xfa, 0x75, 0x8f, 0x3f, 0xa6,
    0x47, 0x07, 0xa7, 0xfc, 0xf3, 0x73, 0x17, 0xba, 0x83, 0x59, 0x3c, 0x19, 0xe6, 0x85, 0x4f, 0xa8,
    0x68, 0x6b, 0x81, 0xb2, 0x71, 0x64, 0xda, 0x8b, 0xf8, 0xeb, 0x0f, 0x4b, 0x70, 0x56, 0x9d, 0x35,
    0x1e, 0x24, 0x0e, 0x5e, 0x63, 0x58, 0xd1, 0xa2, 0x25, 0x22, 0x7c, 0x3b, 0x01, 0x21, 0x78, 0x87,
    0xd4, 0x00, 0x46, 0x57, 0x9f, 0xd3, 0x27, 0x52, 0x4c, 0x36, 0x02, 0xe7, 0xa0, 0xc4, 0xc8, 0x9e,
    0xea, 0xbf, 0x8a, 0xd2, 0x40, 0xc7, 0x38, 0xb5, 0xa3, 0xf7, 0xf2, 0xce, 0xf9, 0x61, 0x15, 0xa1,
    0xe0, 0xae, 0x5d, 0xa4, 0x9b, 0x34, 0x1a, 0x55, 0xad, 0x93, 0x32, 0x30, 0xf5, 0x8c, 0xb1, 0xe3,
    0x1d, 0xf6, 0xe2, 0x2e, 0x82, 0x66, 0xca, 0x60, 0xc0, 0x29, 0x23, 0xab, 0x0d, 0x53, 0x4e, 0x6f,
    0xd5, 0xdb, 0x37, 0x45, 0xde, 0xfd, 0x8e, 0x2f, 0x03, 0xff, 0x6a, 0x72, 0x6d, 0x6c, 0x5b, 0x51,
    0x8d, 0x1b, 0xaf, 0x92, 0xbb, 0xdd, 0xbc, 0x7f, 0x11, 0xd9, 0x5c, 0x41, 0x1f, 0x10, 0x5a, 0xd8,
    0x0a, 0xc1, 0x31, 0x88, 0xa5, 0xcd, 0x7b, 0xbd, 0x2d, 0x74, 0xd0, 0x12, 0xb8, 0xe5, 0xb4, 0xb0,
    0x89, 0x69, 0x97, 0x4a, 0x0c, 0x96, 0x77, 0x7e, 0x65, 0xb9, 0xf1, 0x09, 0xc5, 0x6e, 0xc6, 0x84,
    0x18, 0xf0, 0x7d, 0xec, 0x3a, 0xdc, 0x4d, 0x20, 0x79, 0xee, 0x5f, 0x3e, 0xd7, 0xcb, 0x39, 0x48,
};
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

/* -- Zkne, Zknd: the AES round on the 128-bit state rs2:rs1 ---------------------------------------------------------------- */
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
INSN(aes64ks1i, "0011000 1 rnum:4 rs1:5 001 rd:5 0010011 rnum!=11,12,13,14,15 @rv64 @Zknd_or_Zkne", "aes64ks1i {rd},{rs1},{rnum:hex}")
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

/* -- Zknh: SHA-2. r = rotate right, s = shift right ------------------------------------------------------------------------------ */
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

/* -- Zksh, Zksed: SM3, SM4 -------------------------------------------------------------------------------------------------------- */
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
