/*
 * sse_int.isa.c: integer vectors of SSE2 to SSE4.2, AVX and AVX2 that work lane by lane or on neighbours. Intel SDM volume 2.
 * Gates: @legacy/VEX.128/VEX.256. Known gaps: none.
 */
#include "vec.h"

/* -- lane by lane ---------------------------------------------------------------------------------------------------------- */
INSN(paddb, "VEX?.66.0F FC /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}paddb")
{
    vop2(t, f, IR_VADD, L_I8);
}
INSN(paddw, "VEX?.66.0F FD /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}paddw")
{
    vop2(t, f, IR_VADD, L_I16);
}
INSN(paddd, "VEX?.66.0F FE /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}paddd")
{
    vop2(t, f, IR_VADD, L_I32);
}
INSN(paddq, "VEX?.66.0F D4 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}paddq")
{
    vop2(t, f, IR_VADD, L_I64);
}
INSN(psubb, "VEX?.66.0F F8 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}psubb")
{
    vop2(t, f, IR_VSUB, L_I8);
}
INSN(psubw, "VEX?.66.0F F9 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}psubw")
{
    vop2(t, f, IR_VSUB, L_I16);
}
INSN(psubd, "VEX?.66.0F FA /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}psubd")
{
    vop2(t, f, IR_VSUB, L_I32);
}
INSN(psubq, "VEX?.66.0F FB /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}psubq")
{
    vop2(t, f, IR_VSUB, L_I64);
}
INSN(paddsb, "VEX?.66.0F EC /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}paddsb")
{
    vop2(t, f, IR_VADDSS, L_I8);
}
INSN(paddsw, "VEX?.66.0F ED /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}paddsw")
{
    vop2(t, f, IR_VADDSS, L_I16);
}
INSN(paddusb, "VEX?.66.0F DC /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}paddusb")
{
    vop2(t, f, IR_VADDUS, L_I8);
}
INSN(paddusw, "VEX?.66.0F DD /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}paddusw")
{
    vop2(t, f, IR_VADDUS, L_I16);
}
INSN(psubsb, "VEX?.66.0F E8 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}psubsb")
{
    vop2(t, f, IR_VSUBSS, L_I8);
}
INSN(psubsw, "VEX?.66.0F E9 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}psubsw")
{
    vop2(t, f, IR_VSUBSS, L_I16);
}
INSN(psubusb, "VEX?.66.0F D8 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}psubusb")
{
    vop2(t, f, IR_VSUBUS, L_I8);
}
INSN(psubusw, "VEX?.66.0F D9 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}psubusw")
{
    vop2(t, f, IR_VSUBUS, L_I16);
}
INSN(pmullw, "VEX?.66.0F D5 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pmullw")
{
    vop2(t, f, IR_VMUL, L_I16);
}
INSN(pmulhw, "VEX?.66.0F E5 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pmulhw")
{
    vop2(t, f, IR_VMULHS, L_I16);
}
INSN(pmulhuw, "VEX?.66.0F E4 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pmulhuw")
{
    vop2(t, f, IR_VMULHU, L_I16);
}
INSN(pminub, "VEX?.66.0F DA /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pminub")
{
    vop2(t, f, IR_VMINU, L_I8);
}
INSN(pmaxub, "VEX?.66.0F DE /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pmaxub")
{
    vop2(t, f, IR_VMAXU, L_I8);
}
INSN(pminsw, "VEX?.66.0F EA /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pminsw")
{
    vop2(t, f, IR_VMINS, L_I16);
}
INSN(pmaxsw, "VEX?.66.0F EE /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pmaxsw")
{
    vop2(t, f, IR_VMAXS, L_I16);
}
INSN(pavgb, "VEX?.66.0F E0 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pavgb")
{
    vop2(t, f, IR_VAVGU, L_I8);
}
INSN(pavgw, "VEX?.66.0F E3 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pavgw")
{
    vop2(t, f, IR_VAVGU, L_I16);
}
INSN(pand, "VEX?.66.0F DB /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pand")
{
    vop2(t, f, IR_VAND, L_I64);
}
INSN(por, "VEX?.66.0F EB /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}por")
{
    vop2(t, f, IR_VOR, L_I64);
}
INSN(pxor, "VEX?.66.0F EF /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pxor")
{
    vop2(t, f, IR_VXOR, L_I64);
}
INSN(pmulld, "VEX?.66.0F38 40 /r Vx,Hx,Wx @SSE4_1/AVX/AVX2", "{v}pmulld")
{
    vop2(t, f, IR_VMUL, L_I32);
}
INSN(pminsb, "VEX?.66.0F38 38 /r Vx,Hx,Wx @SSE4_1/AVX/AVX2", "{v}pminsb")
{
    vop2(t, f, IR_VMINS, L_I8);
}
INSN(pminsd, "VEX?.66.0F38 39 /r Vx,Hx,Wx @SSE4_1/AVX/AVX2", "{v}pminsd")
{
    vop2(t, f, IR_VMINS, L_I32);
}
INSN(pminuw, "VEX?.66.0F38 3A /r Vx,Hx,Wx @SSE4_1/AVX/AVX2", "{v}pminuw")
{
    vop2(t, f, IR_VMINU, L_I16);
}
INSN(pminud, "VEX?.66.0F38 3B /r Vx,Hx,Wx @SSE4_1/AVX/AVX2", "{v}pminud")
{
    vop2(t, f, IR_VMINU, L_I32);
}
INSN(pmaxsb, "VEX?.66.0F38 3C /r Vx,Hx,Wx @SSE4_1/AVX/AVX2", "{v}pmaxsb")
{
    vop2(t, f, IR_VMAXS, L_I8);
}
INSN(pmaxsd, "VEX?.66.0F38 3D /r Vx,Hx,Wx @SSE4_1/AVX/AVX2", "{v}pmaxsd")
{
    vop2(t, f, IR_VMAXS, L_I32);
}
INSN(pmaxuw, "VEX?.66.0F38 3E /r Vx,Hx,Wx @SSE4_1/AVX/AVX2", "{v}pmaxuw")
{
    vop2(t, f, IR_VMAXU, L_I16);
}
INSN(pmaxud, "VEX?.66.0F38 3F /r Vx,Hx,Wx @SSE4_1/AVX/AVX2", "{v}pmaxud")
{
    vop2(t, f, IR_VMAXU, L_I32);
}
INSN(packsswb, "VEX?.66.0F 63 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}packsswb")
{
    vop2(t, f, IR_VNARSS, L_I8);
}
INSN(packuswb, "VEX?.66.0F 67 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}packuswb")
{
    vop2(t, f, IR_VNARSU, L_I8);
}
INSN(packssdw, "VEX?.66.0F 6B /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}packssdw")
{
    vop2(t, f, IR_VNARSS, L_I16);
}
INSN(punpcklbw, "VEX?.66.0F 60 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}punpcklbw")
{
    vop2(t, f, IR_VZIP1, L_I8);
}
INSN(punpcklwd, "VEX?.66.0F 61 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}punpcklwd")
{
    vop2(t, f, IR_VZIP1, L_I16);
}
INSN(punpckldq, "VEX?.66.0F 62 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}punpckldq")
{
    vop2(t, f, IR_VZIP1, L_I32);
}
INSN(punpcklqdq, "VEX?.66.0F 6C /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}punpcklqdq")
{
    vop2(t, f, IR_VZIP1, L_I64);
}
INSN(punpckhbw, "VEX?.66.0F 68 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}punpckhbw")
{
    vop2(t, f, IR_VZIP2, L_I8);
}
INSN(punpckhwd, "VEX?.66.0F 69 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}punpckhwd")
{
    vop2(t, f, IR_VZIP2, L_I16);
}
INSN(punpckhdq, "VEX?.66.0F 6A /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}punpckhdq")
{
    vop2(t, f, IR_VZIP2, L_I32);
}
INSN(punpckhqdq, "VEX?.66.0F 6D /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}punpckhqdq")
{
    vop2(t, f, IR_VZIP2, L_I64);
}
INSN(packusdw, "VEX?.66.0F38 2B /r Vx,Hx,Wx @SSE4_1/AVX/AVX2", "{v}packusdw")
{
    vop2(t, f, IR_VNARSU, L_I16);
}
INSN(phaddw, "VEX?.66.0F38 01 /r Vx,Hx,Wx @SSSE3/AVX/AVX2", "{v}phaddw")
{
    vop2(t, f, IR_VPADD, L_I16);
}
INSN(phaddd, "VEX?.66.0F38 02 /r Vx,Hx,Wx @SSSE3/AVX/AVX2", "{v}phaddd")
{
    vop2(t, f, IR_VPADD, L_I32);
}
INSN(pabsb, "VEX?.66.0F38 1C /r Vx,Wx @SSSE3/AVX/AVX2", "{v}pabsb")
{
    vop1(t, f, IR_VABS, L_I8);
}
INSN(pabsw, "VEX?.66.0F38 1D /r Vx,Wx @SSSE3/AVX/AVX2", "{v}pabsw")
{
    vop1(t, f, IR_VABS, L_I16);
}
INSN(pabsd, "VEX?.66.0F38 1E /r Vx,Wx @SSSE3/AVX/AVX2", "{v}pabsd")
{
    vop1(t, f, IR_VABS, L_I32);
}

static V andn_part(struct xlat *t, F *f, V a, V b)
{
    return ir_v2(t, IR_VANDN, L_I64, b, a);
}
INSN(pandn, "VEX?.66.0F DF /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pandn")
{
    vmap2(t, f, andn_part);
}

/* a with the sign of b's lane: negated, zero or as it is. */
static V psign(struct xlat *t, enum ir_lane lane, V a, V b)
{
    V neg = ir_vcmp(t, C_SLT, lane, b, zero(t)), none = ir_vcmp(t, C_EQ, lane, b, zero(t));
    return ir_v2(t, IR_VANDN, L_I64, ir_v2(t, IR_VSUB, lane, ir_v2(t, IR_VXOR, L_I64, a, neg), neg), none);
}
static V psignb_part(struct xlat *t, F *f, V a, V b)
{
    return psign(t, L_I8, a, b);
}
INSN(psignb, "VEX?.66.0F38 08 /r Vx,Hx,Wx @SSSE3/AVX/AVX2", "{v}psignb")
{
    vmap2(t, f, psignb_part);
}
static V psignw_part(struct xlat *t, F *f, V a, V b)
{
    return psign(t, L_I16, a, b);
}
INSN(psignw, "VEX?.66.0F38 09 /r Vx,Hx,Wx @SSSE3/AVX/AVX2", "{v}psignw")
{
    vmap2(t, f, psignw_part);
}
static V psignd_part(struct xlat *t, F *f, V a, V b)
{
    return psign(t, L_I32, a, b);
}
INSN(psignd, "VEX?.66.0F38 0A /r Vx,Hx,Wx @SSSE3/AVX/AVX2", "{v}psignd")
{
    vmap2(t, f, psignd_part);
}

/* -- comparisons ----------------------------------------------------------------------------------------------------------- */

static void compare(struct xlat *t, F *f, enum ir_cond c, enum ir_lane lane)
{
    struct vv b = vget(t, f, second(f)), a = vget(t, f, first(f)), r = { { 0 } };
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = ir_vcmp(t, c, lane, a.h[h], b.h[h]);
    vput(t, f, r);
}
INSN(pcmpeqb, "VEX?.66.0F 74 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pcmpeqb")
{
    compare(t, f, C_EQ, L_I8);
}
INSN(pcmpeqw, "VEX?.66.0F 75 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pcmpeqw")
{
    compare(t, f, C_EQ, L_I16);
}
INSN(pcmpeqd, "VEX?.66.0F 76 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pcmpeqd")
{
    compare(t, f, C_EQ, L_I32);
}
INSN(pcmpgtb, "VEX?.66.0F 64 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pcmpgtb")
{
    compare(t, f, C_SGT, L_I8);
}
INSN(pcmpgtw, "VEX?.66.0F 65 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pcmpgtw")
{
    compare(t, f, C_SGT, L_I16);
}
INSN(pcmpgtd, "VEX?.66.0F 66 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pcmpgtd")
{
    compare(t, f, C_SGT, L_I32);
}
INSN(pcmpeqq, "VEX?.66.0F38 29 /r Vx,Hx,Wx @SSE4_1/AVX/AVX2", "{v}pcmpeqq")
{
    compare(t, f, C_EQ, L_I64);
}
INSN(pcmpgtq, "VEX?.66.0F38 37 /r Vx,Hx,Wx @SSE4_2/AVX/AVX2", "{v}pcmpgtq")
{
    compare(t, f, C_SGT, L_I64);
}

/* -- shifts ------------------------------------------------------------------------------------------------------------------ */

static unsigned lane_bits(enum ir_lane lane)
{
    return 8u << lane; /* of the integer ones */
}

/* By an immediate: V/H/U forms, see the rows; too far is the same as by the whole width. */
static void shift_imm(struct xlat *t, F *f, enum ir_op op, enum ir_lane lane)
{
    unsigned n = MIN(imm8(f), lane_bits(lane));
    struct vv a = vget(t, f, f->nops - 2u), r = { { 0 } };
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = ir_v1x(t, op, lane, a.h[h], n);
    vput(t, f, r);
}

/* All lanes by the low 64 bits of the second source, which is 128 bits wide in memory, too. */
static void shift_all(struct xlat *t, F *f, enum ir_op op, enum ir_lane lane)
{
    V n = ir_vget(t, T_I64, L_I64, vlow(t, f, second(f)), 0), most = ir_k(t, lane_bits(lane));
    V by = ir_vdup(t, lane, ir_select(t, ir_cmp(t, C_ULT, n, most), n, most));
    struct vv a = vget(t, f, first(f)), r = { { 0 } };
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = ir_v2(t, op, lane, a.h[h], by);
    vput(t, f, r);
}
INSN(psrlw, "VEX?.66.0F D1 /r Vx,Hx,Wdq @SSE2/AVX/AVX2 | 66 0F 71 /2 Ux,Ib @SSE2 | VEX.66.0F 71 /2 Hx,Ux,Ib @/AVX/AVX2", "{v}psrlw")
{
    if (f->opcode >= 0x71 && f->opcode <= 0x73) shift_imm(t, f, IR_VSHRI, L_I16);
    else shift_all(t, f, IR_VSHR, L_I16);
}
INSN(psrld, "VEX?.66.0F D2 /r Vx,Hx,Wdq @SSE2/AVX/AVX2 | 66 0F 72 /2 Ux,Ib @SSE2 | VEX.66.0F 72 /2 Hx,Ux,Ib @/AVX/AVX2", "{v}psrld")
{
    if (f->opcode >= 0x71 && f->opcode <= 0x73) shift_imm(t, f, IR_VSHRI, L_I32);
    else shift_all(t, f, IR_VSHR, L_I32);
}
INSN(psrlq, "VEX?.66.0F D3 /r Vx,Hx,Wdq @SSE2/AVX/AVX2 | 66 0F 73 /2 Ux,Ib @SSE2 | VEX.66.0F 73 /2 Hx,Ux,Ib @/AVX/AVX2", "{v}psrlq")
{
    if (f->opcode >= 0x71 && f->opcode <= 0x73) shift_imm(t, f, IR_VSHRI, L_I64);
    else shift_all(t, f, IR_VSHR, L_I64);
}
INSN(psraw, "VEX?.66.0F E1 /r Vx,Hx,Wdq @SSE2/AVX/AVX2 | 66 0F 71 /4 Ux,Ib @SSE2 | VEX.66.0F 71 /4 Hx,Ux,Ib @/AVX/AVX2", "{v}psraw")
{
    if (f->opcode >= 0x71 && f->opcode <= 0x73) shift_imm(t, f, IR_VSARI, L_I16);
    else shift_all(t, f, IR_VSAR, L_I16);
}
INSN(psrad, "VEX?.66.0F E2 /r Vx,Hx,Wdq @SSE2/AVX/AVX2 | 66 0F 72 /4 Ux,Ib @SSE2 | VEX.66.0F 72 /4 Hx,Ux,Ib @/AVX/AVX2", "{v}psrad")
{
    if (f->opcode >= 0x71 && f->opcode <= 0x73) shift_imm(t, f, IR_VSARI, L_I32);
    else shift_all(t, f, IR_VSAR, L_I32);
}
INSN(psllw, "VEX?.66.0F F1 /r Vx,Hx,Wdq @SSE2/AVX/AVX2 | 66 0F 71 /6 Ux,Ib @SSE2 | VEX.66.0F 71 /6 Hx,Ux,Ib @/AVX/AVX2", "{v}psllw")
{
    if (f->opcode >= 0x71 && f->opcode <= 0x73) shift_imm(t, f, IR_VSHLI, L_I16);
    else shift_all(t, f, IR_VSHL, L_I16);
}
INSN(pslld, "VEX?.66.0F F2 /r Vx,Hx,Wdq @SSE2/AVX/AVX2 | 66 0F 72 /6 Ux,Ib @SSE2 | VEX.66.0F 72 /6 Hx,Ux,Ib @/AVX/AVX2", "{v}pslld")
{
    if (f->opcode >= 0x71 && f->opcode <= 0x73) shift_imm(t, f, IR_VSHLI, L_I32);
    else shift_all(t, f, IR_VSHL, L_I32);
}
INSN(psllq, "VEX?.66.0F F3 /r Vx,Hx,Wdq @SSE2/AVX/AVX2 | 66 0F 73 /6 Ux,Ib @SSE2 | VEX.66.0F 73 /6 Hx,Ux,Ib @/AVX/AVX2", "{v}psllq")
{
    if (f->opcode >= 0x71 && f->opcode <= 0x73) shift_imm(t, f, IR_VSHLI, L_I64);
    else shift_all(t, f, IR_VSHL, L_I64);
}
INSN(vpsllvd, "VEX.66.0F38.W0 47 /r Vx,Hx,Wx @AVX2", "vpsllvd")
{
    vop2(t, f, IR_VSHL, L_I32);
}
INSN(vpsllvq, "VEX.66.0F38.W1 47 /r Vx,Hx,Wx @AVX2", "vpsllvq")
{
    vop2(t, f, IR_VSHL, L_I64);
}
INSN(vpsrlvd, "VEX.66.0F38.W0 45 /r Vx,Hx,Wx @AVX2", "vpsrlvd")
{
    vop2(t, f, IR_VSHR, L_I32);
}
INSN(vpsrlvq, "VEX.66.0F38.W1 45 /r Vx,Hx,Wx @AVX2", "vpsrlvq")
{
    vop2(t, f, IR_VSHR, L_I64);
}
INSN(vpsravd, "VEX.66.0F38.W0 46 /r Vx,Hx,Wx @AVX2", "vpsravd")
{
    vop2(t, f, IR_VSAR, L_I32);
}

/* Bytes of (hi:lo) from n on; n >= 32 gives zeros. */
static V bytes_from(struct xlat *t, V hi, V lo, unsigned n)
{
    if (n >= 32) return zero(t);
    if (n > 16) return ir_v2x(t, IR_VALIGN, L_I8, hi, zero(t), n - 16, 0);
    return ir_v2x(t, IR_VALIGN, L_I8, lo, hi, n, 0);
}
static void shift_bytes(struct xlat *t, F *f, bool left)
{
    unsigned n = MIN(imm8(f), 16u);
    struct vv a = vget(t, f, f->nops - 2u), r = { { 0 } };
    for (unsigned h = 0; h < parts(f); h++)
        r.h[h] = left ? bytes_from(t, a.h[h], zero(t), 16 - n) : bytes_from(t, zero(t), a.h[h], n);
    vput(t, f, r);
}
INSN(psrldq, "66 0F 73 /3 Ux,Ib @SSE2 | VEX.66.0F 73 /3 Hx,Ux,Ib @/AVX/AVX2", "{v}psrldq")
{
    shift_bytes(t, f, false);
}
INSN(pslldq, "66 0F 73 /7 Ux,Ib @SSE2 | VEX.66.0F 73 /7 Hx,Ux,Ib @/AVX/AVX2", "{v}pslldq")
{
    shift_bytes(t, f, true);
}
static V palignr_part(struct xlat *t, F *f, V a, V b)
{
    return bytes_from(t, a, b, imm8(f));
}
INSN(palignr, "VEX?.66.0F3A 0F /r Vx,Hx,Wx,Ib @SSSE3/AVX/AVX2", "{v}palignr")
{
    vmap2(t, f, palignr_part);
}

/* -- shuffles ------------------------------------------------------------------------------------------------------------------ */

static V pshufb_part(struct xlat *t, F *f, V a, V b)
{
    /* an index with its top bit set gives 0, as anything above 15 does for VTBL; bits 6:4 do not count */
    return ir_v2(t, IR_VTBL, L_I8, a, ir_v2(t, IR_VAND, L_I64, b, ir_kv(t, 0x8f8f8f8f8f8f8f8full, 0x8f8f8f8f8f8f8f8full)));
}
INSN(pshufb, "VEX?.66.0F38 00 /r Vx,Hx,Wx @SSSE3/AVX/AVX2", "{v}pshufb")
{
    vmap2(t, f, pshufb_part);
}
static V pshufd_part(struct xlat *t, F *f, V a)
{
    return vshuffle_imm(t, a, 2, imm8(f));
}
INSN(pshufd, "VEX?.66.0F 70 /r Vx,Wx,Ib @SSE2/AVX/AVX2", "{v}pshufd")
{
    vmap1(t, f, pshufd_part);
}
/* Words of one half; the other stays. */
static V shuffle_words(struct xlat *t, V a, unsigned imm, unsigned from)
{
    uint8_t sel[16];
    for (unsigned i = 0; i < 16; i++) {
        unsigned w = i / 2;
        if (w >= from && w < from + 4) w = from + (imm >> (w - from) * 2 & 3);
        sel[i] = (uint8_t)(w * 2 + i % 2);
    }
    return vshuffle(t, a, a, sel);
}
static V pshuflw_part(struct xlat *t, F *f, V a)
{
    return shuffle_words(t, a, imm8(f), 0);
}
INSN(pshuflw, "VEX?.F2.0F 70 /r Vx,Wx,Ib @SSE2/AVX/AVX2", "{v}pshuflw")
{
    vmap1(t, f, pshuflw_part);
}
static V pshufhw_part(struct xlat *t, F *f, V a)
{
    return shuffle_words(t, a, imm8(f), 4);
}
INSN(pshufhw, "VEX?.F3.0F 70 /r Vx,Wx,Ib @SSE2/AVX/AVX2", "{v}pshufhw")
{
    vmap1(t, f, pshufhw_part);
}
/* Lanes of 2^log bytes from b where the immediate's bit is set (imm: one bit for each, repeated by the caller). */
static V blend_imm(struct xlat *t, V a, V b, unsigned log, unsigned imm)
{
    uint8_t m[16];
    uint64_t w[2];
    for (unsigned i = 0; i < 16; i++) m[i] = imm >> (i >> log) & 1 ? 0xff : 0;
    memcpy(w, m, 16);
    return ir_v3(t, IR_VBSEL, L_I64, ir_kv(t, w[0], w[1]), b, a);
}
static V pblendw_part(struct xlat *t, F *f, V a, V b)
{
    return blend_imm(t, a, b, 1, imm8(f));
}
INSN(pblendw, "VEX?.66.0F3A 0E /r Vx,Hx,Wx,Ib @SSE4_1/AVX/AVX2", "{v}pblendw")
{
    vmap2(t, f, pblendw_part);
}
static void blend(struct xlat *t, F *f, unsigned log)
{
    struct vv b = vget(t, f, second(f)), a = vget(t, f, first(f)), r = { { 0 } };
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = blend_imm(t, a.h[h], b.h[h], log, imm8(f) >> h * (16u >> log));
    vput(t, f, r);
}
INSN(blendps, "VEX?.66.0F3A 0C /r Vps,Hps,Wps,Ib @SSE4_1/AVX", "{v}blendps")
{
    blend(t, f, 2);
}
INSN(blendpd, "VEX?.66.0F3A 0D /r Vpd,Hpd,Wpd,Ib @SSE4_1/AVX", "{v}blendpd")
{
    blend(t, f, 3);
}
INSN(vpblendd, "VEX.66.0F3A.W0 02 /r Vx,Hx,Wx,Ib @AVX2", "vpblendd")
{
    blend(t, f, 2);
}
/* By the top bits of a mask's lanes: XMM0, or the register of a fourth operand. */
static void blend_by(struct xlat *t, F *f, enum ir_lane lane)
{
    struct vv b = vget(t, f, second(f)), a = vget(t, f, first(f)), m = vget(t, f, third(f)), r = { { 0 } };
    for (unsigned h = 0; h < parts(f); h++)
        r.h[h] = ir_v3(t, IR_VBSEL, L_I64, ir_v1x(t, IR_VSARI, lane, m.h[h], lane_bits(lane)), b.h[h], a.h[h]);
    vput(t, f, r);
}
INSN(pblendvb, "66 0F 38 10 /r Vdq,Wdq,XMM0 @SSE4_1", "pblendvb")
{
    blend_by(t, f, L_I8);
}
INSN(blendvps, "66 0F 38 14 /r Vdq,Wdq,XMM0 @SSE4_1", "blendvps")
{
    blend_by(t, f, L_I32);
}
INSN(blendvpd, "66 0F 38 15 /r Vdq,Wdq,XMM0 @SSE4_1", "blendvpd")
{
    blend_by(t, f, L_I64);
}
INSN(vpblendvb, "VEX.66.0F3A.W0 4C /r Vx,Hx,Wx,Lx @/AVX/AVX2", "vpblendvb")
{
    blend_by(t, f, L_I8);
}
INSN(vblendvps, "VEX.66.0F3A.W0 4A /r Vps,Hps,Wps,Lps @AVX", "vblendvps")
{
    blend_by(t, f, L_I32);
}
INSN(vblendvpd, "VEX.66.0F3A.W0 4B /r Vpd,Hpd,Wpd,Lpd @AVX", "vblendvpd")
{
    blend_by(t, f, L_I64);
}

/* -- neighbours ---------------------------------------------------------------------------------------------------------------- */

/* Even and odd lanes of a, then of b. */
static V neighbours(struct xlat *t, enum ir_op op, enum ir_lane lane, V a, V b)
{
    return ir_v2(t, op, lane, ir_v2(t, IR_VUZP1, lane, a, b), ir_v2(t, IR_VUZP2, lane, a, b));
}
static V phaddsw_part(struct xlat *t, F *f, V a, V b)
{
    return neighbours(t, IR_VADDSS, L_I16, a, b);
}
INSN(phaddsw, "VEX?.66.0F38 03 /r Vx,Hx,Wx @SSSE3/AVX/AVX2", "{v}phaddsw")
{
    vmap2(t, f, phaddsw_part);
}
static V phsubw_part(struct xlat *t, F *f, V a, V b)
{
    return neighbours(t, IR_VSUB, L_I16, a, b);
}
INSN(phsubw, "VEX?.66.0F38 05 /r Vx,Hx,Wx @SSSE3/AVX/AVX2", "{v}phsubw")
{
    vmap2(t, f, phsubw_part);
}
static V phsubd_part(struct xlat *t, F *f, V a, V b)
{
    return neighbours(t, IR_VSUB, L_I32, a, b);
}
INSN(phsubd, "VEX?.66.0F38 06 /r Vx,Hx,Wx @SSSE3/AVX/AVX2", "{v}phsubd")
{
    vmap2(t, f, phsubd_part);
}
static V phsubsw_part(struct xlat *t, F *f, V a, V b)
{
    return neighbours(t, IR_VSUBSS, L_I16, a, b);
}
INSN(phsubsw, "VEX?.66.0F38 07 /r Vx,Hx,Wx @SSSE3/AVX/AVX2", "{v}phsubsw")
{
    vmap2(t, f, phsubsw_part);
}
static V pmaddwd_part(struct xlat *t, F *f, V a, V b)
{
    return ir_v2(t, IR_VPADD, L_I32, ir_v2x(t, IR_VMULLS, L_I16, a, b, 0, 0), ir_v2x(t, IR_VMULLS, L_I16, a, b, 1, 0));
}
INSN(pmaddwd, "VEX?.66.0F F5 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pmaddwd")
{
    vmap2(t, f, pmaddwd_part);
}
static V pmaddubsw_part(struct xlat *t, F *f, V a, V b)
{
    V p[2];
    for (unsigned x = 0; x < 2; x++) /* a product fits 16 bits, a sum of two may not */
        p[x] = ir_v2(t, IR_VMUL, L_I16, ir_v1x(t, IR_VUXTL, L_I8, a, x), ir_v1x(t, IR_VSXTL, L_I8, b, x));
    return neighbours(t, IR_VADDSS, L_I16, p[0], p[1]);
}
INSN(pmaddubsw, "VEX?.66.0F38 04 /r Vx,Hx,Wx @SSSE3/AVX/AVX2", "{v}pmaddubsw")
{
    vmap2(t, f, pmaddubsw_part);
}
static V pmulhrsw_part(struct xlat *t, F *f, V a, V b)
{
    V p[2], half = ir_vdup(t, L_I32, ir_k32(t, 0x4000));
    for (unsigned x = 0; x < 2; x++)
        p[x] = ir_v1x(t, IR_VSHRI, L_I32, ir_v2(t, IR_VADD, L_I32, ir_v2x(t, IR_VMULLS, L_I16, a, b, x, 0), half), 15);
    return ir_v2(t, IR_VNARROW, L_I16, p[0], p[1]);
}
INSN(pmulhrsw, "VEX?.66.0F38 0B /r Vx,Hx,Wx @SSSE3/AVX/AVX2", "{v}pmulhrsw")
{
    vmap2(t, f, pmulhrsw_part);
}
/* Products of the even doublewords. */
static V mul_even(struct xlat *t, enum ir_op op, V a, V b)
{
    return ir_v2x(t, op, L_I32, ir_v2(t, IR_VUZP1, L_I32, a, a), ir_v2(t, IR_VUZP1, L_I32, b, b), 0, 0);
}
static V pmuludq_part(struct xlat *t, F *f, V a, V b)
{
    return mul_even(t, IR_VMULLU, a, b);
}
INSN(pmuludq, "VEX?.66.0F F4 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}pmuludq")
{
    vmap2(t, f, pmuludq_part);
}
static V pmuldq_part(struct xlat *t, F *f, V a, V b)
{
    return mul_even(t, IR_VMULLS, a, b);
}
INSN(pmuldq, "VEX?.66.0F38 28 /r Vx,Hx,Wx @SSE4_1/AVX/AVX2", "{v}pmuldq")
{
    vmap2(t, f, pmuldq_part);
}
/* Sums of neighbouring lanes of `bits`, as lanes of twice that. */
static V pair_sums(struct xlat *t, V a, enum ir_lane to)
{
    unsigned bits = lane_bits(to) / 2;
    V low = ir_v1x(t, IR_VSHRI, to, ir_v1x(t, IR_VSHLI, to, a, bits), bits);
    return ir_v2(t, IR_VADD, to, low, ir_v1x(t, IR_VSHRI, to, a, bits));
}
static V psadbw_part(struct xlat *t, F *f, V a, V b)
{
    V d = ir_v2(t, IR_VSUB, L_I8, ir_v2(t, IR_VMAXU, L_I8, a, b), ir_v2(t, IR_VMINU, L_I8, a, b));
    return pair_sums(t, pair_sums(t, pair_sums(t, d, L_I16), L_I32), L_I64);
}
INSN(psadbw, "VEX?.66.0F F6 /r Vx,Hx,Wx @SSE2/AVX/AVX2", "{v}psadbw")
{
    vmap2(t, f, psadbw_part);
}

/* -- widening ------------------------------------------------------------------------------------------------------------------ */

/* From lanes of kind `from` to lanes 2^steps as wide; the second half of a 256-bit result comes from further up in the source. */
static void widen(struct xlat *t, F *f, enum ir_op op, enum ir_lane from, unsigned steps)
{
    V a = vlow(t, f, 1);
    struct vv r = { { 0 } };

    for (unsigned h = 0; h < parts(f); h++) {
        V v = a;
        for (unsigned s = 0; s < steps; s++) /* the upper half of the result begins in the middle of the part that is used */
            v = ir_v1x(t, op, (enum ir_lane)(from + s), v, h && s == steps - 1);
        r.h[h] = v;
    }
    vput(t, f, r);
}
INSN(pmovsxbw, "VEX?.L0.66.0F38 20 /r Vx,Wq @SSE4_1/AVX | VEX.L1.66.0F38 20 /r Vx,Wdq @AVX2", "{v}pmovsxbw")
{
    widen(t, f, IR_VSXTL, L_I8, 1);
}
INSN(pmovsxbd, "VEX?.L0.66.0F38 21 /r Vx,Wd @SSE4_1/AVX | VEX.L1.66.0F38 21 /r Vx,Wq @AVX2", "{v}pmovsxbd")
{
    widen(t, f, IR_VSXTL, L_I8, 2);
}
INSN(pmovsxbq, "VEX?.L0.66.0F38 22 /r Vx,Ww @SSE4_1/AVX | VEX.L1.66.0F38 22 /r Vx,Wd @AVX2", "{v}pmovsxbq")
{
    widen(t, f, IR_VSXTL, L_I8, 3);
}
INSN(pmovsxwd, "VEX?.L0.66.0F38 23 /r Vx,Wq @SSE4_1/AVX | VEX.L1.66.0F38 23 /r Vx,Wdq @AVX2", "{v}pmovsxwd")
{
    widen(t, f, IR_VSXTL, L_I16, 1);
}
INSN(pmovsxwq, "VEX?.L0.66.0F38 24 /r Vx,Wd @SSE4_1/AVX | VEX.L1.66.0F38 24 /r Vx,Wq @AVX2", "{v}pmovsxwq")
{
    widen(t, f, IR_VSXTL, L_I16, 2);
}
INSN(pmovsxdq, "VEX?.L0.66.0F38 25 /r Vx,Wq @SSE4_1/AVX | VEX.L1.66.0F38 25 /r Vx,Wdq @AVX2", "{v}pmovsxdq")
{
    widen(t, f, IR_VSXTL, L_I32, 1);
}
INSN(pmovzxbw, "VEX?.L0.66.0F38 30 /r Vx,Wq @SSE4_1/AVX | VEX.L1.66.0F38 30 /r Vx,Wdq @AVX2", "{v}pmovzxbw")
{
    widen(t, f, IR_VUXTL, L_I8, 1);
}
INSN(pmovzxbd, "VEX?.L0.66.0F38 31 /r Vx,Wd @SSE4_1/AVX | VEX.L1.66.0F38 31 /r Vx,Wq @AVX2", "{v}pmovzxbd")
{
    widen(t, f, IR_VUXTL, L_I8, 2);
}
INSN(pmovzxbq, "VEX?.L0.66.0F38 32 /r Vx,Ww @SSE4_1/AVX | VEX.L1.66.0F38 32 /r Vx,Wd @AVX2", "{v}pmovzxbq")
{
    widen(t, f, IR_VUXTL, L_I8, 3);
}
INSN(pmovzxwd, "VEX?.L0.66.0F38 33 /r Vx,Wq @SSE4_1/AVX | VEX.L1.66.0F38 33 /r Vx,Wdq @AVX2", "{v}pmovzxwd")
{
    widen(t, f, IR_VUXTL, L_I16, 1);
}
INSN(pmovzxwq, "VEX?.L0.66.0F38 34 /r Vx,Wd @SSE4_1/AVX | VEX.L1.66.0F38 34 /r Vx,Wq @AVX2", "{v}pmovzxwq")
{
    widen(t, f, IR_VUXTL, L_I16, 2);
}
INSN(pmovzxdq, "VEX?.L0.66.0F38 35 /r Vx,Wq @SSE4_1/AVX | VEX.L1.66.0F38 35 /r Vx,Wdq @AVX2", "{v}pmovzxdq")
{
    widen(t, f, IR_VUXTL, L_I32, 1);
}

/* -- between vectors and general registers --------------------------------------------------------------------------------------- */

INSN(pmovmskb, "VEX?.66.0F D7 /r Gd,Ux @SSE2/AVX/AVX2", "{v}pmovmskb")
{
    struct vv a = vget(t, f, 1);
    V m = ir_v1(t, IR_VMSK, L_I8, a.h[0]);
    if (parts(f) == 2) m = ir_or(t, m, ir_shli(t, ir_v1(t, IR_VMSK, L_I8, a.h[1]), 16));
    dst(t, f, 0, m);
}

/* A lane into a general register (zero-extended) or memory. */
static void extract(struct xlat *t, F *f, enum ir_type type, enum ir_lane lane)
{
    V v = ir_vget(t, type, lane, vlow(t, f, 1), imm8(f) & ((128u / lane_bits(lane)) - 1));
    if (is_mem(f, 0)) st(t, x86_ea(t, f, &f->op[0]), v);
    else set_gpr(t, f->op[0].reg, ir_type_bits[type] < 32 ? ir_zext(t, T_I32, v) : v);
}
INSN(pextrb, "VEX?.L0.66.0F3A 14 /r reg Ed,Vdq,Ib @SSE4_1/AVX | VEX?.L0.66.0F3A 14 /r mem Eb,Vdq,Ib @SSE4_1/AVX", "{v}pextrb")
{
    extract(t, f, T_I8, L_I8);
}
INSN(pextrw, "VEX?.L0.66.0F C5 /r Gd,Udq,Ib @SSE2/AVX | VEX?.L0.66.0F3A 15 /r reg Ed,Vdq,Ib @SSE4_1/AVX"
     " | VEX?.L0.66.0F3A 15 /r mem Ew,Vdq,Ib @SSE4_1/AVX", "{v}pextrw")
{
    extract(t, f, T_I16, L_I16);
}
INSN(pextrd, "VEX?.L0.66.0F3A.W0 16 /r Ed,Vdq,Ib @SSE4_1/AVX", "{v}pextrd")
{
    extract(t, f, T_I32, L_I32);
}
INSN(pextrq, "VEX?.L0.66.0F3A.W1 16 /r o64 Eq,Vdq,Ib @SSE4_1/AVX", "{v}pextrq")
{
    extract(t, f, T_I64, L_I64);
}
INSN(extractps, "VEX?.L0.66.0F3A 17 /r Ed,Vdq,Ib @SSE4_1/AVX", "{v}extractps")
{
    extract(t, f, T_I32, L_I32);
}

static void insert(struct xlat *t, F *f, enum ir_lane lane)
{
    V v = src(t, f, second(f));
    unsigned bits = lane_bits(lane);
    if (bits < bits_of(t, v)) v = ir_trunc(t, type_of(bits), v);
    vput1(t, f, ir_vins(t, lane, vlow(t, f, first(f)), v, imm8(f) & (128 / bits - 1)));
}
INSN(pinsrb, "VEX?.L0.66.0F3A 20 /r reg Vdq,Hdq,Ed,Ib @SSE4_1/AVX | VEX?.L0.66.0F3A 20 /r mem Vdq,Hdq,Eb,Ib @SSE4_1/AVX", "{v}pinsrb")
{
    insert(t, f, L_I8);
}
INSN(pinsrw, "VEX?.L0.66.0F C4 /r reg Vdq,Hdq,Ed,Ib @SSE2/AVX | VEX?.L0.66.0F C4 /r mem Vdq,Hdq,Ew,Ib @SSE2/AVX", "{v}pinsrw")
{
    insert(t, f, L_I16);
}
INSN(pinsrd, "VEX?.L0.66.0F3A.W0 22 /r Vdq,Hdq,Ed,Ib @SSE4_1/AVX", "{v}pinsrd")
{
    insert(t, f, L_I32);
}
INSN(pinsrq, "VEX?.L0.66.0F3A.W1 22 /r o64 Vdq,Hdq,Eq,Ib @SSE4_1/AVX", "{v}pinsrq")
{
    insert(t, f, L_I64);
}

/* ZF: all of a & b is 0; CF: all of ~a & b is. */
static void test_bits(struct xlat *t, F *f, V mask)
{
    struct vv a = vget(t, f, 0), b = vget(t, f, 1);
    V both = 0, only_b = 0;
    for (unsigned h = 0; h < parts(f); h++) {
        V x = ir_v2(t, IR_VAND, L_I64, a.h[h], b.h[h]), y = ir_v2(t, IR_VANDN, L_I64, b.h[h], a.h[h]);
        both = h ? ir_v2(t, IR_VOR, L_I64, both, x) : x;
        only_b = h ? ir_v2(t, IR_VOR, L_I64, only_b, y) : y;
    }
    V none[2] = { both, only_b };
    for (unsigned i = 0; i < 2; i++) {
        V v = mask ? ir_v2(t, IR_VAND, L_I64, none[i], mask) : none[i];
        none[i] = ir_cmpi(t, C_EQ, ir_or(t, ir_vget(t, T_I64, L_I64, v, 0), ir_vget(t, T_I64, L_I64, v, 1)), 0);
    }
    put_flags_zpc(t, none[0], k1(t, false), none[1]);
}
INSN(ptest, "VEX?.66.0F38 17 /r Vx,Wx @SSE4_1/AVX", "{v}ptest")
{
    test_bits(t, f, 0);
}
INSN(vtestps, "VEX.66.0F38.W0 0E /r Vps,Wps @AVX", "vtestps")
{
    test_bits(t, f, ir_kv(t, 0x8000000080000000ull, 0x8000000080000000ull));
}
INSN(vtestpd, "VEX.66.0F38.W0 0F /r Vpd,Wpd @AVX", "vtestpd")
{
    test_bits(t, f, ir_kv(t, 1ull << 63, 1ull << 63));
}
