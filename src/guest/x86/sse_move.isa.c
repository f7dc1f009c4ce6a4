/*
 * sse_move.isa.c: moves of vectors and of parts of them, SSE to SSE4.1 and AVX. Intel SDM volume 2.
 * Gates: @legacy/VEX.128/VEX.256. Known gaps: none.
 */
#include "vec.h"

static void move(struct xlat *t, F *f, enum aligned al)
{
    vput_at(t, f, vget_at(t, f, 1, al), al);
}

INSN(movups, "VEX?.NP.0F 10 /r Vps,Wps @SSE/AVX | VEX?.NP.0F 11 /r Wps,Vps @SSE/AVX", "{v}movups")
{
    move(t, f, ANYWHERE);
}
INSN(movupd, "VEX?.66.0F 10 /r Vpd,Wpd @SSE2/AVX | VEX?.66.0F 11 /r Wpd,Vpd @SSE2/AVX", "{v}movupd")
{
    move(t, f, ANYWHERE);
}
INSN(movaps, "VEX?.NP.0F 28 /r Vps,Wps @SSE/AVX | VEX?.NP.0F 29 /r Wps,Vps @SSE/AVX", "{v}movaps")
{
    move(t, f, ALIGNED);
}
INSN(movapd, "VEX?.66.0F 28 /r Vpd,Wpd @SSE2/AVX | VEX?.66.0F 29 /r Wpd,Vpd @SSE2/AVX", "{v}movapd")
{
    move(t, f, ALIGNED);
}
INSN(movdqa, "VEX?.66.0F 6F /r Vx,Wx @SSE2/AVX | VEX?.66.0F 7F /r Wx,Vx @SSE2/AVX", "{v}movdqa")
{
    move(t, f, ALIGNED);
}
INSN(movdqu, "VEX?.F3.0F 6F /r Vx,Wx @SSE2/AVX | VEX?.F3.0F 7F /r Wx,Vx @SSE2/AVX", "{v}movdqu")
{
    move(t, f, ANYWHERE);
}
INSN(lddqu, "VEX?.F2.0F F0 /r Vx,Mx @SSE3/AVX", "{v}lddqu")
{
    move(t, f, ANYWHERE);
}
INSN(movntps, "VEX?.NP.0F 2B /r Mps,Vps @SSE/AVX", "{v}movntps")
{
    move(t, f, ALIGNED);
}
INSN(movntpd, "VEX?.66.0F 2B /r Mpd,Vpd @SSE2/AVX", "{v}movntpd")
{
    move(t, f, ALIGNED);
}
INSN(movntdq, "VEX?.66.0F E7 /r Mx,Vx @SSE2/AVX", "{v}movntdq")
{
    move(t, f, ALIGNED);
}
INSN(movntdqa, "VEX?.66.0F38 2A /r Vx,Mx @SSE4_1/AVX/AVX2", "{v}movntdqa")
{
    move(t, f, ALIGNED);
}

/* Scalars: from memory the rest of the register is cleared, from a register it stays the first source's. */
static void move_scalar(struct xlat *t, F *f, enum ir_type type, enum ir_lane lane)
{
    V v = vscalar(t, f, f->nops - 1u, type);

    if (is_mem(f, 0)) st(t, x86_ea(t, f, &f->op[0]), v);
    else if (is_mem(f, 1)) vput1(t, f, ir_vfrom(t, v));
    else vput_scalar(t, f, lane, v);
}
INSN(movss, "VEX?.F3.0F 10 /r Vss,Mss @SSE/AVX | VEX?.F3.0F 11 /r Mss,Vss @SSE/AVX | VEX?.F3.0F 10 /r Vss,Hss,Uss @SSE/AVX"
     " | VEX?.F3.0F 11 /r Uss,Hss,Vss @SSE/AVX", "{v}movss")
{
    move_scalar(t, f, T_I32, L_I32);
}
INSN(movsd, "VEX?.F2.0F 10 /r Vsd,Msd @SSE2/AVX | VEX?.F2.0F 11 /r Msd,Vsd @SSE2/AVX | VEX?.F2.0F 10 /r Vsd,Hsd,Usd @SSE2/AVX"
     " | VEX?.F2.0F 11 /r Usd,Hsd,Vsd @SSE2/AVX", "{v}movsd")
{
    move_scalar(t, f, T_I64, L_I64);
}

INSN(movd, "VEX?.L0.66.0F.W0 6E /r Vdq,Ed @SSE2/AVX | VEX?.L0.66.0F.W0 7E /r Ed,Vdq @SSE2/AVX", "{v}movd")
{
    if (f->op[0].kind == OP_VEC) vput1(t, f, ir_vfrom(t, src(t, f, 1)));
    else dst(t, f, 0, vscalar(t, f, 1, T_I32));
}
INSN(movq, "VEX?.L0.66.0F.W1 6E /r o64 Vdq,Eq @SSE2/AVX | VEX?.L0.66.0F.W1 7E /r o64 Eq,Vdq @SSE2/AVX"
     " | VEX?.L0.F3.0F 7E /r Vq,Wq @SSE2/AVX | VEX?.L0.66.0F D6 /r Wq,Vq @SSE2/AVX", "{v}movq")
{
    V v = f->op[1].kind == OP_VEC || f->op[1].kind == OP_MEM ? vscalar(t, f, 1, T_I64) : src(t, f, 1);
    if (f->op[0].kind == OP_VEC) vput1(t, f, ir_vfrom(t, v));
    else dst(t, f, 0, v);
}

/* One half in memory; the other stays. */
static void move_half(struct xlat *t, F *f, unsigned half)
{
    if (is_mem(f, 0)) st(t, x86_ea(t, f, &f->op[0]), ir_vget(t, T_I64, L_I64, vlow(t, f, 1), half));
    else vput1(t, f, ir_vins(t, L_I64, vlow(t, f, first(f)), vscalar(t, f, second(f), T_I64), half));
}
INSN(movlps, "VEX?.L0.NP.0F 12 /r Vdq,Hdq,Mq @SSE/AVX | VEX?.L0.NP.0F 13 /r Mq,Vdq @SSE/AVX", "{v}movlps")
{
    move_half(t, f, 0);
}
INSN(movlpd, "VEX?.L0.66.0F 12 /r Vdq,Hdq,Mq @SSE2/AVX | VEX?.L0.66.0F 13 /r Mq,Vdq @SSE2/AVX", "{v}movlpd")
{
    move_half(t, f, 0);
}
INSN(movhps, "VEX?.L0.NP.0F 16 /r Vdq,Hdq,Mq @SSE/AVX | VEX?.L0.NP.0F 17 /r Mq,Vdq @SSE/AVX", "{v}movhps")
{
    move_half(t, f, 1);
}
INSN(movhpd, "VEX?.L0.66.0F 16 /r Vdq,Hdq,Mq @SSE2/AVX | VEX?.L0.66.0F 17 /r Mq,Vdq @SSE2/AVX", "{v}movhpd")
{
    move_half(t, f, 1);
}
INSN(movhlps, "VEX?.L0.NP.0F 12 /r Vdq,Hdq,Udq @SSE/AVX", "{v}movhlps")
{
    vput1(t, f, ir_v2x(t, IR_VINSV, L_I64, vlow(t, f, first(f)), vlow(t, f, second(f)), 0, 1));
}
INSN(movlhps, "VEX?.L0.NP.0F 16 /r Vdq,Hdq,Udq @SSE/AVX", "{v}movlhps")
{
    vput1(t, f, ir_v2x(t, IR_VINSV, L_I64, vlow(t, f, first(f)), vlow(t, f, second(f)), 1, 0));
}

/* Lanes twice. */
static V movsldup_part(struct xlat *t, F *f, V a)
{
    return ir_v2(t, IR_VTRN1, L_I32, a, a);
}
INSN(movsldup, "VEX?.F3.0F 12 /r Vps,Wps @SSE3/AVX", "{v}movsldup")
{
    vmap1(t, f, movsldup_part);
}
static V movshdup_part(struct xlat *t, F *f, V a)
{
    return ir_v2(t, IR_VTRN2, L_I32, a, a);
}
INSN(movshdup, "VEX?.F3.0F 16 /r Vps,Wps @SSE3/AVX", "{v}movshdup")
{
    vmap1(t, f, movshdup_part);
}
static V movddup_part(struct xlat *t, F *f, V a)
{
    return ir_v2(t, IR_VTRN1, L_I64, a, a);
}
INSN(movddup, "VEX?.L0.F2.0F 12 /r Vdq,Wq @SSE3/AVX | VEX.L1.F2.0F 12 /r Vqq,Wqq @AVX", "{v}movddup")
{
    vmap1(t, f, movddup_part);
}

static void move_mask(struct xlat *t, F *f, enum ir_lane lane)
{
    struct vv a = vget(t, f, 1);
    V m = ir_v1(t, IR_VMSK, lane, a.h[0]);
    if (parts(f) == 2) m = ir_or(t, m, ir_shli(t, ir_v1(t, IR_VMSK, lane, a.h[1]), lane == L_I32 ? 4 : 2));
    dst(t, f, 0, m);
}
INSN(movmskps, "VEX?.NP.0F 50 /r Gd,Ups @SSE/AVX", "{v}movmskps")
{
    move_mask(t, f, L_I32);
}
INSN(movmskpd, "VEX?.66.0F 50 /r Gd,Upd @SSE2/AVX", "{v}movmskpd")
{
    move_mask(t, f, L_I64);
}

/* Bytes whose mask's top bit is set; the others are not touched, but may fault, as the manual allows. */
HELPER(void, maskmov, (CPU *cpu, uint64_t addr, v128 data, v128 mask), "fault")
{
    for (unsigned i = 0; i < 16; i++)
        if (((const uint8_t *)&mask)[i] & 0x80) cpu_st(cpu, addr + i, ((const uint8_t *)&data)[i], MO_8);
}
INSN(maskmovdqu, "VEX?.L0.66.0F F7 /r Vdq,Udq @SSE2/AVX", "{v}maskmovdqu")
{
    V offset = ir_zext(t, T_I64, gpr(t, R_RDI, f->asize));
    IR_CALL(t, maskmov, x86_linear(t, offset, f->mem_seg), vlow(t, f, 0), vlow(t, f, 1));
}

/* -- interleaving, shuffles of floating-point lanes ---------------------------------------------------------------------------------- */

INSN(unpcklps, "VEX?.NP.0F 14 /r Vps,Hps,Wps @SSE/AVX", "{v}unpcklps")
{
    vop2(t, f, IR_VZIP1, L_I32);
}
INSN(unpckhps, "VEX?.NP.0F 15 /r Vps,Hps,Wps @SSE/AVX", "{v}unpckhps")
{
    vop2(t, f, IR_VZIP2, L_I32);
}
INSN(unpcklpd, "VEX?.66.0F 14 /r Vpd,Hpd,Wpd @SSE2/AVX", "{v}unpcklpd")
{
    vop2(t, f, IR_VZIP1, L_I64);
}
INSN(unpckhpd, "VEX?.66.0F 15 /r Vpd,Hpd,Wpd @SSE2/AVX", "{v}unpckhpd")
{
    vop2(t, f, IR_VZIP2, L_I64);
}
/* The low lanes of the result come from a, the high ones from b. */
static V shufps_part(struct xlat *t, F *f, V a, V b)
{
    uint8_t sel[16];
    for (unsigned i = 0; i < 16; i++)
        sel[i] = (uint8_t)((imm8(f) >> i / 4 * 2 & 3) * 4 + i % 4 + (i < 8 ? 0 : 16));
    return vshuffle(t, a, b, sel);
}
INSN(shufps, "VEX?.NP.0F C6 /r Vps,Hps,Wps,Ib @SSE/AVX", "{v}shufps")
{
    vmap2(t, f, shufps_part);
}
INSN(shufpd, "VEX?.66.0F C6 /r Vpd,Hpd,Wpd,Ib @SSE2/AVX", "{v}shufpd")
{
    struct vv b = vget(t, f, second(f)), a = vget(t, f, first(f)), r = { { 0 } };
    for (unsigned h = 0; h < parts(f); h++) {
        unsigned imm = imm8(f) >> h * 2;
        V from_b = ir_v2x(t, IR_VINSV, L_I64, b.h[h], b.h[h], 1, imm >> 1 & 1);
        r.h[h] = ir_v2x(t, IR_VINSV, L_I64, from_b, a.h[h], 0, imm & 1);
    }
    vput(t, f, r);
}
INSN(insertps, "VEX?.L0.66.0F3A 21 /r Vdq,Hdq,Wd,Ib @SSE4_1/AVX", "{v}insertps")
{
    unsigned imm = imm8(f), i = second(f);
    V a = vlow(t, f, first(f)), b = vlow(t, f, i);
    V r = ir_v2x(t, IR_VINSV, L_I32, a, b, imm >> 4 & 3, is_mem(f, i) ? 0 : imm >> 6);
    for (unsigned lane = 0; lane < 4; lane++)
        if (imm >> lane & 1) r = ir_vins(t, L_I32, r, ir_k32(t, 0), lane);
    vput1(t, f, r);
}
