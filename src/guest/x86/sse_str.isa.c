/*
 * sse_str.isa.c: string comparisons of SSE4.2, and what of SSE4.1 is not lane by lane: MPSADBW, PHMINPOSUW. Intel SDM volume 2;
 * comparisons: volume 2B, 4.1. Gates: @legacy/VEX.128/VEX.256. Known gaps: none.
 */
#include "vec.h"

/* -- PCMPxSTRx ----------------------------------------------------------------------------------------------------------------------- */

struct text {
    int32_t e[16];
    unsigned n, len; /* elements there are, elements that are valid */
};
/* len < 0: up to the first 0. */
static struct text text_of(v128 v, unsigned imm, int32_t len)
{
    struct text x = { .n = imm & 1 ? 8 : 16 };
    uint8_t b[16];
    memcpy(b, &v, 16);
    for (unsigned i = 0; i < x.n; i++)
        x.e[i] = imm & 1 ? (imm & 2 ? (int16_t)(b[i * 2] | b[i * 2 + 1] << 8) : b[i * 2] | b[i * 2 + 1] << 8) : imm & 2 ? (int8_t)b[i] : b[i];
    if (len < 0)
        while (x.len < x.n && x.e[x.len]) x.len++;
    else
        x.len = MIN((uint32_t)len, x.n);
    return x;
}
/* Whether element j of b fits a, as imm's bits 3:2 say; ordered: a occurs in b from j on. */
static bool fits(const struct text *a, const struct text *b, unsigned j, unsigned how)
{
    bool r = false;
    switch (how) {
    case 0: /* equal to any */
        for (unsigned i = 0; i < a->len; i++) r |= j < b->len && a->e[i] == b->e[j];
        return r;
    case 1: /* in a range */
        for (unsigned i = 0; i + 1 < a->len; i += 2) r |= j < b->len && b->e[j] >= a->e[i] && b->e[j] <= a->e[i + 1];
        return r;
    case 2: /* equal each */
        return j < a->len && j < b->len ? a->e[j] == b->e[j] : j >= a->len && j >= b->len;
    default: /* equal ordered */
        for (unsigned i = 0; i < a->len && j + i < b->n; i++)
            if (j + i >= b->len || a->e[i] != b->e[j + i]) return false;
        return true;
    }
}
/* IntRes2 in bits 15:0; bit 16: b is short (ZF), bit 17: a is (SF). */
HELPER(uint32_t, pcmpstr, (CPU *cpu, v128 va, v128 vb, uint32_t imm, int32_t la, int32_t lb), "pure")
{
    struct text a = text_of(va, imm, la), b = text_of(vb, imm, lb);
    uint32_t r = 0;
    for (unsigned j = 0; j < b.n; j++) {
        bool bit = fits(&a, &b, j, imm >> 2 & 3);
        if (imm & 16 && (!(imm & 32) || j < b.len)) bit = !bit;
        r |= (uint32_t)bit << j;
    }
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
