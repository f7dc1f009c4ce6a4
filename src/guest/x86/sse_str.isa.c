/*
 * sse_str.isa.c: string comparisons of SSE4.2, and what of SSE4.1 is not lane by lane: MPSADBW, PHMINPOSUW. Intel SDM volume 2;
 * comparisons: volume 2B, 4.1. Gates: @legacy/VEX.128/VEX.256. Known gaps: none.
 */
#include "vec.h"

/* -- PCMPxSTRx ----------------------------------------------------------------------------------------------------------------------- */

/* Sixteen bytes or eight words at once. */
typedef uint8_t bytes __attribute__((vector_size(16)));
typedef uint16_t words __attribute__((vector_size(16)));

/* A bit for each element of a comparison's result (all ones or zero). */
static uint32_t mask_of(bytes m, unsigned n)
{
    uint64_t w[2];
    memcpy(w, &m, 16);
    if (n == 16) /* the top bits of eight bytes, gathered by a multiplication */
        return (uint32_t)((w[0] & 0x8080808080808080ull) * 0x0002040810204081ull >> 56) |
               (uint32_t)((w[1] & 0x8080808080808080ull) * 0x0002040810204081ull >> 56) << 8;
    return (uint32_t)((w[0] & 0x8000800080008000ull) * 0x0000200040008001ull >> 60 & 15) |
           (uint32_t)((w[1] & 0x8000800080008000ull) * 0x0000200040008001ull >> 60 & 15) << 4;
}
struct text {
    union { bytes b; words w; uint8_t e8[16]; uint16_t e16[8]; };
    unsigned n, len; /* elements there are, elements that are valid */
};
static uint32_t low_bits(unsigned n)
{
    return (1u << n) - 1;
}
/* len < 0: up to the first 0. Signed elements are brought into unsigned order. */
static struct text text_of(v128 v, unsigned imm, int32_t len)
{
    struct text x = { .n = imm & 1 ? 8 : 16 };
    memcpy(&x.b, &v, 16);
    if (len < 0) {
        uint32_t zeros = mask_of(imm & 1 ? (bytes)(x.w == 0) : (bytes)(x.b == 0), x.n);
        x.len = zeros ? (unsigned)__builtin_ctz(zeros) : x.n;
    } else {
        x.len = MIN((uint32_t)len, x.n);
    }
    if (imm & 2 && imm & 1) x.w ^= 0x8000;
    else if (imm & 2) x.b ^= 0x80;
    return x;
}
/* Which elements of b are equal to element i of a, or lie from element i to element i + 1. */
static uint32_t equal(const struct text *a, unsigned i, const struct text *b)
{
    return mask_of(b->n == 8 ? (bytes)(b->w == a->e16[i]) : (bytes)(b->b == a->e8[i]), b->n);
}
static uint32_t between(const struct text *a, unsigned i, const struct text *b)
{
    return mask_of(b->n == 8 ? (bytes)((b->w >= a->e16[i]) & (b->w <= a->e16[i + 1])) : (bytes)((b->b >= a->e8[i]) & (b->b <= a->e8[i + 1])), b->n);
}
/* IntRes1: a bit for each element of b, as imm's bits 3:2 say. */
static uint32_t compare_texts(const struct text *a, const struct text *b, unsigned how)
{
    uint32_t r = 0, valid = low_bits(b->len), all = low_bits(b->n);
    switch (how) {
    case 0: /* equal to any */
        for (unsigned i = 0; i < a->len; i++) r |= equal(a, i, b);
        return r & valid;
    case 1: /* in a range */
        for (unsigned i = 0; i + 1 < a->len; i += 2) r |= between(a, i, b);
        return r & valid;
    case 2: { /* equal each; behind the end of both, too */
        uint32_t both = valid & low_bits(a->len), none = all & ~(valid | low_bits(a->len));
        return (mask_of(b->n == 8 ? (bytes)(a->w == b->w) : (bytes)(a->b == b->b), b->n) & both) | none;
    }
    default: /* equal ordered: a occurs in b from there on, as far as b is there */
        r = all;
        for (unsigned i = 0; i < a->len; i++) {
            uint32_t beyond = all & ~low_bits(b->n - i); /* element i of a would lie behind b's register */
            r &= (equal(a, i, b) & valid) >> i | beyond;
        }
        return r;
    }
}
/* IntRes2 in bits 15:0; bit 16: b is short (ZF), bit 17: a is (SF). */
HELPER(uint32_t, pcmpstr, (CPU *cpu, v128 va, v128 vb, uint32_t imm, int32_t la, int32_t lb), "pure")
{
    struct text a = text_of(va, imm, la), b = text_of(vb, imm, lb);
    uint32_t r = compare_texts(&a, &b, imm >> 2 & 3);
    if (imm & 16) r ^= imm & 32 ? low_bits(b.len) : low_bits(b.n);
    return r | (uint32_t)(b.len < b.n) << 16 | (uint32_t)(a.len < a.n) << 17;
}
/* The result as a mask of bits, or of elements (imm bit 6). */
HELPER(v128, pcmpmask, (CPU *cpu, uint32_t res, uint32_t imm), "pure")
{
    uint8_t m[16] = { (uint8_t)res, (uint8_t)(res >> 8) };
    v128 v;
    if (imm & 64)
        for (unsigned i = 0; i < 16; i++) m[i] = res >> (imm & 1 ? i / 2 : i) & 1 ? 0xff : 0;
    memcpy(&v, m, 16);
    return v;
}

/* |rAX| or |rDX|, at most 16. */
static V explicit_len(struct xlat *t, F *f, unsigned reg)
{
    V len = x86_rexw(f) && code64(t) ? gpr(t, reg, 64) : ir_sext(t, T_I64, gpr(t, reg, 32)), most = ir_k(t, 16);
    len = ir_select(t, ir_cmpi(t, C_SLT, len, 0), ir_neg(t, len), len);
    return ir_trunc(t, T_I32, ir_select(t, ir_cmp(t, C_ULT, len, most), len, most));
}
static void compare_strings(struct xlat *t, F *f, bool explicit, bool to_mask)
{
    V none = ir_k32(t, ~0u), la = explicit ? explicit_len(t, f, R_RAX) : none, lb = explicit ? explicit_len(t, f, R_RDX) : none;
    V b = vget_at(t, f, 1, ANYWHERE).h[0], imm = ir_k32(t, imm8(f));
    V r = IR_CALL(t, pcmpstr, vlow(t, f, 0), b, imm, la, lb), res = ir_andi(t, r, 0xffff), any = ir_cmpi(t, C_NE, res, 0);

    if (to_mask) {
        ir_put(t, R_XMM, IR_CALL(t, pcmpmask, res, imm));
        if (is_vex(f)) ir_put(t, R_YMMH, zero(t));
    } else {
        V at = imm8(f) & 64 ? ir_sub(t, ir_k32(t, 31), ir_clz(t, res)) : ir_ctz(t, res);
        set_gpr(t, R_RCX, ir_select(t, any, at, ir_k32(t, imm8(f) & 1 ? 8 : 16)));
    }
    V z = ir_andi(t, r, 1 << 16), s = ir_shli(t, ir_zext(t, T_I64, r), 63 - 17), odd = ir_k32(t, 1);
    struct flags fl = { .zfv = ir_zext(t, T_I64, ir_xori(t, z, 1 << 16)), .sfv = s, .pfv = odd, .afv = odd, .cf = any,
                        .of = ir_trunc(t, T_I1, res) };
    put_flags(t, &fl);
}
INSN(pcmpestrm, "VEX?.L0.66.0F3A 60 /r Vdq,Wdq,Ib @SSE4_2/AVX", "{v}pcmpestrm")
{
    compare_strings(t, f, true, true);
}
INSN(pcmpestri, "VEX?.L0.66.0F3A 61 /r Vdq,Wdq,Ib @SSE4_2/AVX", "{v}pcmpestri")
{
    compare_strings(t, f, true, false);
}
INSN(pcmpistrm, "VEX?.L0.66.0F3A 62 /r Vdq,Wdq,Ib @SSE4_2/AVX", "{v}pcmpistrm")
{
    compare_strings(t, f, false, true);
}
INSN(pcmpistri, "VEX?.L0.66.0F3A 63 /r Vdq,Wdq,Ib @SSE4_2/AVX", "{v}pcmpistri")
{
    compare_strings(t, f, false, false);
}

/* -- sums and minima ------------------------------------------------------------------------------------------------------------------- */

/* Eight sums of absolute differences of four bytes: of a from 4 * imm[2] on, each against the four of b from 4 * imm[1:0] on. */
HELPER(v128, mpsadbw, (CPU *cpu, v128 va, v128 vb, uint32_t imm), "pure")
{
    uint8_t a[16], b[16];
    uint16_t r[8] = { 0 };
    v128 v;
    memcpy(a, &va, 16), memcpy(b, &vb, 16);
    for (unsigned i = 0; i < 8; i++)
        for (unsigned j = 0; j < 4; j++) {
            int d = a[(imm & 4) + i + j] - b[(imm & 3) * 4 + j];
            r[i] = (uint16_t)(r[i] + (d < 0 ? -d : d));
        }
    memcpy(&v, r, 16);
    return v;
}
INSN(mpsadbw, "VEX?.66.0F3A 42 /r Vx,Hx,Wx,Ib @SSE4_1/AVX/AVX2", "{v}mpsadbw")
{
    struct vv b = vget(t, f, second(f)), a = vget(t, f, first(f)), r = { { 0 } };
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = IR_CALL(t, mpsadbw, a.h[h], b.h[h], ir_k32(t, imm8(f) >> h * 3 & 7));
    vput(t, f, r);
}
/* The smallest word and the number of its lane. */
HELPER(v128, phminposuw, (CPU *cpu, v128 va), "pure")
{
    uint16_t a[8];
    unsigned at = 0;
    v128 v;
    memcpy(a, &va, 16);
    for (unsigned i = 1; i < 8; i++)
        if (a[i] < a[at]) at = i;
    uint16_t r[8] = { a[at], (uint16_t)at };
    memcpy(&v, r, 16);
    return v;
}
INSN(phminposuw, "VEX?.L0.66.0F38 41 /r Vdq,Wdq @SSE4_1/AVX", "{v}phminposuw")
{
    vput1(t, f, IR_CALL(t, phminposuw, vlow(t, f, 1)));
}
