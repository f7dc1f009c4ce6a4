/*
 * crypto.isa.c: AES, carry-less multiplication, SHA, GFNI. Intel SDM volume 2; FIPS 197, FIPS 180-4.
 * Gates: @legacy/VEX.128/VEX.256. Known gaps: none.
 */
#include "vec.h"

/* -- AES: the IR's rounds add the key first, x86's last --------------------------------------------------------------------------------- */

static V aesenc_part(struct xlat *t, F *f, V a, V b)
{
    return ir_v2(t, IR_VXOR, L_I64, ir_v1(t, IR_VAESMC, L_I8, ir_v2(t, IR_VAESE, L_I8, a, zero(t))), b);
}
INSN(aesenc, "VEX?.66.0F38 DC /r Vx,Hx,Wx @AES/AES/VAES @/AVX", "{v}aesenc")
{
    vmap2(t, f, aesenc_part);
}
static V aesenclast_part(struct xlat *t, F *f, V a, V b)
{
    return ir_v2(t, IR_VXOR, L_I64, ir_v2(t, IR_VAESE, L_I8, a, zero(t)), b);
}
INSN(aesenclast, "VEX?.66.0F38 DD /r Vx,Hx,Wx @AES/AES/VAES @/AVX", "{v}aesenclast")
{
    vmap2(t, f, aesenclast_part);
}
static V aesdec_part(struct xlat *t, F *f, V a, V b)
{
    return ir_v2(t, IR_VXOR, L_I64, ir_v1(t, IR_VAESIMC, L_I8, ir_v2(t, IR_VAESD, L_I8, a, zero(t))), b);
}
INSN(aesdec, "VEX?.66.0F38 DE /r Vx,Hx,Wx @AES/AES/VAES @/AVX", "{v}aesdec")
{
    vmap2(t, f, aesdec_part);
}
static V aesdeclast_part(struct xlat *t, F *f, V a, V b)
{
    return ir_v2(t, IR_VXOR, L_I64, ir_v2(t, IR_VAESD, L_I8, a, zero(t)), b);
}
INSN(aesdeclast, "VEX?.66.0F38 DF /r Vx,Hx,Wx @AES/AES/VAES @/AVX", "{v}aesdeclast")
{
    vmap2(t, f, aesdeclast_part);
}
INSN(aesimc, "VEX?.L0.66.0F38 DB /r Vdq,Wdq @AES @/AVX", "{v}aesimc")
{
    vop1(t, f, IR_VAESIMC, L_I8);
}
INSN(aeskeygenassist, "VEX?.L0.66.0F3A DF /r Vdq,Wdq,Ib @AES @/AVX", "{v}aeskeygenassist")
{
    V a = vlow(t, f, 1), r = zero(t);
    for (unsigned i = 0; i < 2; i++) {
        /* in four equal columns ShiftRows changes nothing */
        V word = ir_vdup(t, L_I32, ir_vget(t, T_I32, L_I32, a, i * 2 + 1));
        V sub = ir_vget(t, T_I32, L_I32, ir_v2(t, IR_VAESE, L_I8, word, zero(t)), 0);
        r = ir_vins(t, L_I32, r, sub, i * 2);
        r = ir_vins(t, L_I32, r, ir_xori(t, ir_rotri(t, sub, 8), imm8(f)), i * 2 + 1);
    }
    vput1(t, f, r);
}

static V pclmul_part(struct xlat *t, F *f, V a, V b)
{
    return ir_v2x(t, IR_VCLMUL, L_I64, a, b, imm8(f) & 1, imm8(f) >> 4 & 1);
}
INSN(pclmulqdq, "VEX?.66.0F3A 44 /r Vx,Hx,Wx,Ib @PCLMULQDQ/PCLMULQDQ/VPCLMULQDQ @/AVX", "{v}pclmul{half}qdq")
{
    vmap2(t, f, pclmul_part);
}

/* -- SHA: words as the manual numbers them, 3 the highest; Intel's manual wants aligned operands, processors (Zen 4) do not -- */

static uint32_t rol(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}
static uint32_t ror(uint32_t v, unsigned n)
{
    return rol(v, 32 - n);
}
struct words {
    uint32_t w[4];
};
static struct words words_of(v128 v)
{
    struct words r;
    memcpy(&r, &v, 16);
    return r;
}
static v128 vector_of(struct words w)
{
    v128 r;
    memcpy(&r, &w, 16);
    return r;
}
HELPER(v128, sha1rnds4, (CPU *cpu, v128 a, v128 b, uint32_t fn), "pure")
{
    static const uint32_t k[4] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
    struct words s = words_of(a), m = words_of(b);
    uint32_t A = s.w[3], B = s.w[2], C = s.w[1], D = s.w[0], E = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t g = fn == 0 ? (B & C) ^ (~B & D) : fn == 2 ? (B & C) ^ (B & D) ^ (C & D) : B ^ C ^ D;
        uint32_t n = g + rol(A, 5) + m.w[3 - i] + E + k[fn];
        E = D, D = C, C = rol(B, 30), B = A, A = n;
    }
    return vector_of((struct words){ { D, C, B, A } });
}
INSN(sha1rnds4, "NP 0F 3A CC /r Vdq,Wdq,Ib @SHA", "sha1rnds4")
{
    vput1(t, f, IR_CALL(t, sha1rnds4, vlow(t, f, 0), vget_at(t, f, 1, ANYWHERE).h[0], ir_k32(t, imm8(f) & 3)));
}
HELPER(v128, sha1nexte, (CPU *cpu, v128 a, v128 b), "pure")
{
    struct words s = words_of(a), m = words_of(b);
    m.w[3] += rol(s.w[3], 30);
    return vector_of(m);
}
INSN(sha1nexte, "NP 0F 38 C8 /r Vdq,Wdq @SHA", "sha1nexte")
{
    vput1(t, f, IR_CALL(t, sha1nexte, vlow(t, f, 0), vget_at(t, f, 1, ANYWHERE).h[0]));
}
HELPER(v128, sha1msg1, (CPU *cpu, v128 a, v128 b), "pure")
{
    struct words s = words_of(a), m = words_of(b);
    return vector_of((struct words){ { m.w[2] ^ s.w[0], m.w[3] ^ s.w[1], s.w[0] ^ s.w[2], s.w[1] ^ s.w[3] } });
}
INSN(sha1msg1, "NP 0F 38 C9 /r Vdq,Wdq @SHA", "sha1msg1")
{
    vput1(t, f, IR_CALL(t, sha1msg1, vlow(t, f, 0), vget_at(t, f, 1, ANYWHERE).h[0]));
}
HELPER(v128, sha1msg2, (CPU *cpu, v128 a, v128 b), "pure")
{
    struct words s = words_of(a), m = words_of(b), r;
    r.w[3] = rol(s.w[3] ^ m.w[2], 1);
    r.w[2] = rol(s.w[2] ^ m.w[1], 1);
    r.w[1] = rol(s.w[1] ^ m.w[0], 1);
    r.w[0] = rol(s.w[0] ^ r.w[3], 1);
    return vector_of(r);
}
INSN(sha1msg2, "NP 0F 38 CA /r Vdq,Wdq @SHA", "sha1msg2")
{
    vput1(t, f, IR_CALL(t, sha1msg2, vlow(t, f, 0), vget_at(t, f, 1, ANYWHERE).h[0]));
}
/* a: C D G H, b: A B E F from the highest word down; wk: two words of message plus constant. */
HELPER(v128, sha256rnds2, (CPU *cpu, v128 a, v128 b, v128 wk), "pure")
{
    struct words s1 = words_of(a), s2 = words_of(b), m = words_of(wk);
    uint32_t A = s2.w[3], B = s2.w[2], C = s1.w[3], D = s1.w[2], E = s2.w[1], G = s1.w[1], H = s1.w[0], G0 = s2.w[0];
    for (unsigned i = 0; i < 2; i++) {
        uint32_t t1 = H + (ror(E, 6) ^ ror(E, 11) ^ ror(E, 25)) + ((E & G0) ^ (~E & G)) + m.w[i];
        uint32_t t2 = (ror(A, 2) ^ ror(A, 13) ^ ror(A, 22)) + ((A & B) ^ (A & C) ^ (B & C));
        H = G, G = G0, G0 = E, E = D + t1, D = C, C = B, B = A, A = t1 + t2;
    }
    return vector_of((struct words){ { G0, E, B, A } });
}
INSN(sha256rnds2, "NP 0F 38 CB /r Vdq,Wdq,XMM0 @SHA", "sha256rnds2")
{
    vput1(t, f, IR_CALL(t, sha256rnds2, vlow(t, f, 0), vget_at(t, f, 1, ANYWHERE).h[0], vlow(t, f, 2)));
}
HELPER(v128, sha256msg1, (CPU *cpu, v128 a, v128 b), "pure")
{
    struct words s = words_of(a), m = words_of(b), r;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t w = i < 3 ? s.w[i + 1] : m.w[0];
        r.w[i] = s.w[i] + (ror(w, 7) ^ ror(w, 18) ^ w >> 3);
    }
    return vector_of(r);
}
INSN(sha256msg1, "NP 0F 38 CC /r Vdq,Wdq @SHA", "sha256msg1")
{
    vput1(t, f, IR_CALL(t, sha256msg1, vlow(t, f, 0), vget_at(t, f, 1, ANYWHERE).h[0]));
}
HELPER(v128, sha256msg2, (CPU *cpu, v128 a, v128 b), "pure")
{
    struct words s = words_of(a), m = words_of(b), r;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t w = i < 2 ? m.w[i + 2] : r.w[i - 2];
        r.w[i] = s.w[i] + (ror(w, 17) ^ ror(w, 19) ^ w >> 10);
    }
    return vector_of(r);
}
INSN(sha256msg2, "NP 0F 38 CD /r Vdq,Wdq @SHA", "sha256msg2")
{
    vput1(t, f, IR_CALL(t, sha256msg2, vlow(t, f, 0), vget_at(t, f, 1, ANYWHERE).h[0]));
}

/* -- GFNI: bytes as polynomials modulo x^8 + x^4 + x^3 + x + 1 ----------------------------------------------------------------------------- */

static uint8_t gf_mul(uint8_t a, uint8_t b)
{
    unsigned r = 0;
    for (unsigned x = a; b; b >>= 1, x = x << 1 ^ (x & 0x80 ? 0x11b : 0))
        if (b & 1) r ^= x;
    return (uint8_t)r;
}
static uint8_t gf_inverse(uint8_t a)
{
    uint8_t r = 1;
    for (unsigned i = 0; i < 7; i++) a = gf_mul(a, a), r = gf_mul(r, a); /* a ^ 254 */
    return r;
}
HELPER(v128, gf2p8mulb, (CPU *cpu, v128 a, v128 b), "pure")
{
    uint8_t x[16], y[16];
    v128 r;
    memcpy(x, &a, 16), memcpy(y, &b, 16);
    for (unsigned i = 0; i < 16; i++) x[i] = gf_mul(x[i], y[i]);
    memcpy(&r, x, 16);
    return r;
}
/* Bit j of a result is the parity of its byte and row 7 - j of the matrix in the same quadword. how: constant | invert << 8. */
HELPER(v128, gf2p8affine, (CPU *cpu, v128 a, v128 matrix, uint32_t how), "pure")
{
    uint8_t x[16], m[16];
    v128 r;
    memcpy(x, &a, 16), memcpy(m, &matrix, 16);
    for (unsigned i = 0; i < 16; i++) {
        uint8_t in = how >> 8 ? gf_inverse(x[i]) : x[i];
        unsigned out = 0;
        for (unsigned j = 0; j < 8; j++) out |= (unsigned)__builtin_parity(in & m[(i & 8) + 7 - j]) << j;
        x[i] = (uint8_t)(out ^ how);
    }
    memcpy(&r, x, 16);
    return r;
}
static V gf2p8mulb_part(struct xlat *t, F *f, V a, V b)
{
    return IR_CALL(t, gf2p8mulb, a, b);
}
INSN(gf2p8mulb, "VEX?.66.0F38.W0 CF /r Vx,Hx,Wx @GFNI @/AVX", "{v}gf2p8mulb")
{
    vmap2(t, f, gf2p8mulb_part);
}
static V gf2p8affineqb_part(struct xlat *t, F *f, V a, V b)
{
    return IR_CALL(t, gf2p8affine, a, b, ir_k32(t, imm8(f)));
}
INSN(gf2p8affineqb, "VEX?.66.0F3A.W1 CE /r Vx,Hx,Wx,Ib @GFNI @/AVX", "{v}gf2p8affineqb")
{
    vmap2(t, f, gf2p8affineqb_part);
}
static V gf2p8affineinvqb_part(struct xlat *t, F *f, V a, V b)
{
    return IR_CALL(t, gf2p8affine, a, b, ir_k32(t, imm8(f) | 0x100));
}
INSN(gf2p8affineinvqb, "VEX?.66.0F3A.W1 CF /r Vx,Hx,Wx,Ib @GFNI @/AVX", "{v}gf2p8affineinvqb")
{
    vmap2(t, f, gf2p8affineinvqb_part);
}
