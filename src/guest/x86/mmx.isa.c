/*
 * mmx.isa.c: MMX, and the forms that SSE, SSE2 and SSSE3 added for its registers. Intel SDM volume 1, chapter 9, and volume 2.
 * A register is the significand of x87's register of the same number; writing sets sign and exponent to ones, and any of these
 * instructions but EMMS sets TOP to 0 and all tags to valid. Values are I64; packed operations are done in the low half of a V128.
 * Known gaps: CR0.TS and EM (system mode).
 */
#include "xl.h"

/* -- registers ------------------------------------------------------------------------------------------------------------ */
static V mm(struct xlat *t, unsigned n)
{
    return ir_get(t, R_MM + n);
}
static void set_mm(struct xlat *t, unsigned n, V v)
{
    ir_put(t, R_MM + n, v);
    ir_put(t, R_MM_SE + n, ir_kt(t, T_I16, 0xffff));
}
/* From x87 to MMX. */
static void enter(struct xlat *t)
{
    ir_put(t, R_X87_TOP, ir_k32(t, 0));
    ir_put(t, R_X87_TAG, ir_k32(t, 0xff));
}
/* Operand i: an MMX register or memory of its size, zero-extended. */
static V mm_src(struct xlat *t, F *f, unsigned i)
{
    return f->op[i].kind == OP_MMX ? mm(t, f->op[i].reg) : ir_zext(t, T_I64, src(t, f, i));
}
static V vec(struct xlat *t, V i64)
{
    return ir_vfrom(t, i64);
}
static V low(struct xlat *t, V v)
{
    return ir_vget(t, T_I64, L_I64, v, 0);
}
/* Both halves in one vector, b above. */
static V both(struct xlat *t, V a, V b)
{
    return ir_v2(t, IR_VZIP1, L_I64, vec(t, a), vec(t, b));
}
/* What instructions `op mm, mm/m64` have in common. */
struct two {
    V a, b;
};
static struct two begin(struct xlat *t, F *f)
{
    struct two o;

    x87_xl_wait(t);
    o.b = mm_src(t, f, 1);
    o.a = mm_src(t, f, 0);
    enter(t);
    return o;
}
static void end(struct xlat *t, F *f, V v)
{
    set_mm(t, f->op[0].reg, v);
}

/* -- lanes that do not meet ----------------------------------------------------------------------------------------------- */
static void lanes(struct xlat *t, F *f, enum ir_op op, enum ir_lane lane)
{
    struct two o = begin(t, f);
    end(t, f, low(t, ir_v2(t, op, lane, vec(t, o.a), vec(t, o.b))));
}
INSN(mm_paddb, "NP 0F FC /r Pq,Qq @MMX", "paddb") { lanes(t, f, IR_VADD, L_I8); }
INSN(mm_paddw, "NP 0F FD /r Pq,Qq @MMX", "paddw") { lanes(t, f, IR_VADD, L_I16); }
INSN(mm_paddd, "NP 0F FE /r Pq,Qq @MMX", "paddd") { lanes(t, f, IR_VADD, L_I32); }
INSN(mm_psubb, "NP 0F F8 /r Pq,Qq @MMX", "psubb") { lanes(t, f, IR_VSUB, L_I8); }
INSN(mm_psubw, "NP 0F F9 /r Pq,Qq @MMX", "psubw") { lanes(t, f, IR_VSUB, L_I16); }
INSN(mm_psubd, "NP 0F FA /r Pq,Qq @MMX", "psubd") { lanes(t, f, IR_VSUB, L_I32); }
INSN(mm_paddsb, "NP 0F EC /r Pq,Qq @MMX", "paddsb") { lanes(t, f, IR_VADDSS, L_I8); }
INSN(mm_paddsw, "NP 0F ED /r Pq,Qq @MMX", "paddsw") { lanes(t, f, IR_VADDSS, L_I16); }
INSN(mm_paddusb, "NP 0F DC /r Pq,Qq @MMX", "paddusb") { lanes(t, f, IR_VADDUS, L_I8); }
INSN(mm_paddusw, "NP 0F DD /r Pq,Qq @MMX", "paddusw") { lanes(t, f, IR_VADDUS, L_I16); }
INSN(mm_psubsb, "NP 0F E8 /r Pq,Qq @MMX", "psubsb") { lanes(t, f, IR_VSUBSS, L_I8); }
INSN(mm_psubsw, "NP 0F E9 /r Pq,Qq @MMX", "psubsw") { lanes(t, f, IR_VSUBSS, L_I16); }
INSN(mm_psubusb, "NP 0F D8 /r Pq,Qq @MMX", "psubusb") { lanes(t, f, IR_VSUBUS, L_I8); }
INSN(mm_psubusw, "NP 0F D9 /r Pq,Qq @MMX", "psubusw") { lanes(t, f, IR_VSUBUS, L_I16); }
INSN(mm_pmullw, "NP 0F D5 /r Pq,Qq @MMX", "pmullw") { lanes(t, f, IR_VMUL, L_I16); }
INSN(mm_pmulhw, "NP 0F E5 /r Pq,Qq @MMX", "pmulhw") { lanes(t, f, IR_VMULHS, L_I16); }
INSN(mm_pmulhuw, "NP 0F E4 /r Pq,Qq @SSE", "pmulhuw") { lanes(t, f, IR_VMULHU, L_I16); }
INSN(mm_pavgb, "NP 0F E0 /r Pq,Qq @SSE", "pavgb") { lanes(t, f, IR_VAVGU, L_I8); }
INSN(mm_pavgw, "NP 0F E3 /r Pq,Qq @SSE", "pavgw") { lanes(t, f, IR_VAVGU, L_I16); }
INSN(mm_pminub, "NP 0F DA /r Pq,Qq @SSE", "pminub") { lanes(t, f, IR_VMINU, L_I8); }
INSN(mm_pmaxub, "NP 0F DE /r Pq,Qq @SSE", "pmaxub") { lanes(t, f, IR_VMAXU, L_I8); }
INSN(mm_pminsw, "NP 0F EA /r Pq,Qq @SSE", "pminsw") { lanes(t, f, IR_VMINS, L_I16); }
INSN(mm_pmaxsw, "NP 0F EE /r Pq,Qq @SSE", "pmaxsw") { lanes(t, f, IR_VMAXS, L_I16); }

static void compare(struct xlat *t, F *f, enum ir_cond c, enum ir_lane lane)
{
    struct two o = begin(t, f);
    end(t, f, low(t, ir_vcmp(t, c, lane, vec(t, o.a), vec(t, o.b))));
}
INSN(mm_pcmpeqb, "NP 0F 74 /r Pq,Qq @MMX", "pcmpeqb") { compare(t, f, C_EQ, L_I8); }
INSN(mm_pcmpeqw, "NP 0F 75 /r Pq,Qq @MMX", "pcmpeqw") { compare(t, f, C_EQ, L_I16); }
INSN(mm_pcmpeqd, "NP 0F 76 /r Pq,Qq @MMX", "pcmpeqd") { compare(t, f, C_EQ, L_I32); }
INSN(mm_pcmpgtb, "NP 0F 64 /r Pq,Qq @MMX", "pcmpgtb") { compare(t, f, C_SGT, L_I8); }
INSN(mm_pcmpgtw, "NP 0F 65 /r Pq,Qq @MMX", "pcmpgtw") { compare(t, f, C_SGT, L_I16); }
INSN(mm_pcmpgtd, "NP 0F 66 /r Pq,Qq @MMX", "pcmpgtd") { compare(t, f, C_SGT, L_I32); }

static void whole(struct xlat *t, F *f, enum ir_op op)
{
    struct two o = begin(t, f);
    end(t, f, ir_bin(t, op, o.a, o.b));
}
INSN(mm_pand, "NP 0F DB /r Pq,Qq @MMX", "pand") { whole(t, f, IR_AND); }
INSN(mm_por, "NP 0F EB /r Pq,Qq @MMX", "por") { whole(t, f, IR_OR); }
INSN(mm_pxor, "NP 0F EF /r Pq,Qq @MMX", "pxor") { whole(t, f, IR_XOR); }
INSN(mm_paddq, "NP 0F D4 /r Pq,Qq @SSE2", "paddq") { whole(t, f, IR_ADD); }
INSN(mm_psubq, "NP 0F FB /r Pq,Qq @SSE2", "psubq") { whole(t, f, IR_SUB); }
INSN(mm_pandn, "NP 0F DF /r Pq,Qq @MMX", "pandn")
{
    struct two o = begin(t, f);
    end(t, f, ir_and(t, ir_not(t, o.a), o.b));
}
INSN(mm_pmuludq, "NP 0F F4 /r Pq,Qq @SSE2", "pmuludq")
{
    struct two o = begin(t, f);
    end(t, f, ir_mul(t, ir_ubfx(t, o.a, 0, 32), ir_ubfx(t, o.b, 0, 32)));
}
static void absolute(struct xlat *t, F *f, enum ir_lane lane)
{
    struct two o = begin(t, f);
    end(t, f, low(t, ir_v1(t, IR_VABS, lane, vec(t, o.b))));
}
INSN(mm_pabsb, "NP 0F 38 1C /r Pq,Qq @SSSE3", "pabsb") { absolute(t, f, L_I8); }
INSN(mm_pabsw, "NP 0F 38 1D /r Pq,Qq @SSSE3", "pabsw") { absolute(t, f, L_I16); }
INSN(mm_pabsd, "NP 0F 38 1E /r Pq,Qq @SSSE3", "pabsd") { absolute(t, f, L_I32); }

/* a with b's sign: (a ^ m) - m with m = all ones where b is negative, and 0 where b is. */
static void sign(struct xlat *t, F *f, enum ir_lane lane, unsigned bits)
{
    struct two o = begin(t, f);
    V b = vec(t, o.b), m = ir_v1x(t, IR_VSARI, lane, b, bits), zero = ir_vcmp(t, C_EQ, lane, b, ir_kv(t, 0, 0));
    V v = ir_v2(t, IR_VSUB, lane, ir_v2(t, IR_VXOR, lane, vec(t, o.a), m), m);
    end(t, f, low(t, ir_v2(t, IR_VANDN, lane, v, zero)));
}
INSN(mm_psignb, "NP 0F 38 08 /r Pq,Qq @SSSE3", "psignb") { sign(t, f, L_I8, 8); }
INSN(mm_psignw, "NP 0F 38 09 /r Pq,Qq @SSSE3", "psignw") { sign(t, f, L_I16, 16); }
INSN(mm_psignd, "NP 0F 38 0A /r Pq,Qq @SSSE3", "psignd") { sign(t, f, L_I32, 32); }

/* -- shifts ------------------------------------------------------------------------------------------------------------- */

/* By an immediate, or by all of operand 1. */
static void shift(struct xlat *t, F *f, enum ir_op by_k, enum ir_op by_v, enum ir_lane lane)
{
    const unsigned bits = 8u << lane;
    V v;

    if (f->op[1].kind == OP_IMM) {
        x87_xl_wait(t);
        enter(t);
        v = ir_v1x(t, by_k, lane, vec(t, mm(t, f->op[0].reg)), (unsigned)MIN(f->op[1].imm & 0xff, bits));
    } else {
        struct two o = begin(t, f);
        V n = ir_select(t, ir_cmpi(t, C_ULT, o.b, bits), o.b, ir_k(t, bits));
        v = ir_v2(t, by_v, lane, vec(t, o.a), ir_vdup(t, lane, n));
    }
    end(t, f, low(t, v));
}
INSN(mm_psrlw, "NP 0F 71 /2 Nq,Ib @MMX | NP 0F D1 /r Pq,Qq @MMX", "psrlw") { shift(t, f, IR_VSHRI, IR_VSHR, L_I16); }
INSN(mm_psrld, "NP 0F 72 /2 Nq,Ib @MMX | NP 0F D2 /r Pq,Qq @MMX", "psrld") { shift(t, f, IR_VSHRI, IR_VSHR, L_I32); }
INSN(mm_psrlq, "NP 0F 73 /2 Nq,Ib @MMX | NP 0F D3 /r Pq,Qq @MMX", "psrlq") { shift(t, f, IR_VSHRI, IR_VSHR, L_I64); }
INSN(mm_psraw, "NP 0F 71 /4 Nq,Ib @MMX | NP 0F E1 /r Pq,Qq @MMX", "psraw") { shift(t, f, IR_VSARI, IR_VSAR, L_I16); }
INSN(mm_psrad, "NP 0F 72 /4 Nq,Ib @MMX | NP 0F E2 /r Pq,Qq @MMX", "psrad") { shift(t, f, IR_VSARI, IR_VSAR, L_I32); }
INSN(mm_psllw, "NP 0F 71 /6 Nq,Ib @MMX | NP 0F F1 /r Pq,Qq @MMX", "psllw") { shift(t, f, IR_VSHLI, IR_VSHL, L_I16); }
INSN(mm_pslld, "NP 0F 72 /6 Nq,Ib @MMX | NP 0F F2 /r Pq,Qq @MMX", "pslld") { shift(t, f, IR_VSHLI, IR_VSHL, L_I32); }
INSN(mm_psllq, "NP 0F 73 /6 Nq,Ib @MMX | NP 0F F3 /r Pq,Qq @MMX", "psllq") { shift(t, f, IR_VSHLI, IR_VSHL, L_I64); }

/* -- lanes that meet: sums, products ------------------------------------------------------------------------------------ */
INSN(mm_pmaddwd, "NP 0F F5 /r Pq,Qq @MMX", "pmaddwd")
{
    struct two o = begin(t, f);
    V p = ir_v2x(t, IR_VMULLS, L_I16, vec(t, o.a), vec(t, o.b), 0, 0);
    end(t, f, low(t, ir_v2(t, IR_VPADD, L_I32, p, p)));
}
/* Even and odd lanes of both operands, one after the other. */
static void pairs(struct xlat *t, F *f, enum ir_op op, enum ir_lane lane)
{
    struct two o = begin(t, f);
    V c = both(t, o.a, o.b);
    end(t, f, low(t, ir_v2(t, op, lane, ir_v2(t, IR_VUZP1, lane, c, c), ir_v2(t, IR_VUZP2, lane, c, c))));
}
INSN(mm_phaddw, "NP 0F 38 01 /r Pq,Qq @SSSE3", "phaddw") { pairs(t, f, IR_VADD, L_I16); }
INSN(mm_phaddd, "NP 0F 38 02 /r Pq,Qq @SSSE3", "phaddd") { pairs(t, f, IR_VADD, L_I32); }
INSN(mm_phaddsw, "NP 0F 38 03 /r Pq,Qq @SSSE3", "phaddsw") { pairs(t, f, IR_VADDSS, L_I16); }
INSN(mm_phsubw, "NP 0F 38 05 /r Pq,Qq @SSSE3", "phsubw") { pairs(t, f, IR_VSUB, L_I16); }
INSN(mm_phsubd, "NP 0F 38 06 /r Pq,Qq @SSSE3", "phsubd") { pairs(t, f, IR_VSUB, L_I32); }
INSN(mm_phsubsw, "NP 0F 38 07 /r Pq,Qq @SSSE3", "phsubsw") { pairs(t, f, IR_VSUBSS, L_I16); }
/* Unsigned bytes of a times signed ones of b; neighbours' products are added. */
INSN(mm_pmaddubsw, "NP 0F 38 04 /r Pq,Qq @SSSE3", "pmaddubsw")
{
    struct two o = begin(t, f);
    V p = ir_v2(t, IR_VMUL, L_I16, ir_v1x(t, IR_VUXTL, L_I8, vec(t, o.a), 0), ir_v1x(t, IR_VSXTL, L_I8, vec(t, o.b), 0));
    end(t, f, low(t, ir_v2(t, IR_VADDSS, L_I16, ir_v2(t, IR_VUZP1, L_I16, p, p), ir_v2(t, IR_VUZP2, L_I16, p, p))));
}
INSN(mm_pmulhrsw, "NP 0F 38 0B /r Pq,Qq @SSSE3", "pmulhrsw")
{
    struct two o = begin(t, f);
    V p = ir_v2x(t, IR_VMULLS, L_I16, vec(t, o.a), vec(t, o.b), 0, 0), one = ir_kv(t, 0x100000001, 0x100000001);
    p = ir_v1x(t, IR_VSARI, L_I32, ir_v2(t, IR_VADD, L_I32, ir_v1x(t, IR_VSARI, L_I32, p, 14), one), 1);
    end(t, f, low(t, ir_v2(t, IR_VNARROW, L_I16, p, p)));
}
INSN(mm_psadbw, "NP 0F F6 /r Pq,Qq @SSE", "psadbw")
{
    struct two o = begin(t, f);
    V a = vec(t, o.a), b = vec(t, o.b);
    V d = ir_v2(t, IR_VOR, L_I8, ir_v2(t, IR_VSUBUS, L_I8, a, b), ir_v2(t, IR_VSUBUS, L_I8, b, a));
    end(t, f, ir_vred(t, T_I64, L_I8, VRED_ADDU, d));
}

/* -- moving lanes about --------------------------------------------------------------------------------------------------- */
static void unpack(struct xlat *t, F *f, enum ir_lane lane, unsigned half)
{
    struct two o = begin(t, f);
    end(t, f, ir_vget(t, T_I64, L_I64, ir_v2(t, IR_VZIP1, lane, vec(t, o.a), vec(t, o.b)), half));
}
INSN(mm_punpcklbw, "NP 0F 60 /r Pq,Qd @MMX", "punpcklbw") { unpack(t, f, L_I8, 0); }
INSN(mm_punpcklwd, "NP 0F 61 /r Pq,Qd @MMX", "punpcklwd") { unpack(t, f, L_I16, 0); }
INSN(mm_punpckldq, "NP 0F 62 /r Pq,Qd @MMX", "punpckldq") { unpack(t, f, L_I32, 0); }
INSN(mm_punpckhbw, "NP 0F 68 /r Pq,Qq @MMX", "punpckhbw") { unpack(t, f, L_I8, 1); }
INSN(mm_punpckhwd, "NP 0F 69 /r Pq,Qq @MMX", "punpckhwd") { unpack(t, f, L_I16, 1); }
INSN(mm_punpckhdq, "NP 0F 6A /r Pq,Qq @MMX", "punpckhdq") { unpack(t, f, L_I32, 1); }

static void pack(struct xlat *t, F *f, enum ir_op op, enum ir_lane lane)
{
    struct two o = begin(t, f);
    V c = both(t, o.a, o.b);
    end(t, f, low(t, ir_v2(t, op, lane, c, c)));
}
INSN(mm_packsswb, "NP 0F 63 /r Pq,Qq @MMX", "packsswb") { pack(t, f, IR_VNARSS, L_I8); }
INSN(mm_packssdw, "NP 0F 6B /r Pq,Qq @MMX", "packssdw") { pack(t, f, IR_VNARSS, L_I16); }
INSN(mm_packuswb, "NP 0F 67 /r Pq,Qq @MMX", "packuswb") { pack(t, f, IR_VNARSU, L_I8); }

INSN(mm_pshufb, "NP 0F 38 00 /r Pq,Qq @SSSE3", "pshufb")
{
    struct two o = begin(t, f);
    V index = vec(t, ir_andi(t, o.b, 0x8787878787878787)); /* above 15: zero */
    end(t, f, low(t, ir_v2(t, IR_VTBL, L_I8, vec(t, o.a), index)));
}
INSN(mm_pshufw, "NP 0F 70 /r Pq,Qq,Ib @SSE", "pshufw")
{
    struct two o = begin(t, f);
    uint64_t index = 0;
    for (unsigned i = 0; i < 4; i++) index |= (0x0100 + (f->op[2].imm >> (2 * i) & 3) * 0x0202) << (16 * i);
    end(t, f, low(t, ir_v2(t, IR_VTBL, L_I8, vec(t, o.b), ir_kv(t, index, 0))));
}
INSN(mm_palignr, "NP 0F 3A 0F /r Pq,Qq,Ib @SSSE3", "palignr")
{
    struct two o = begin(t, f);
    unsigned n = (unsigned)MIN(f->op[2].imm & 0xff, 16);
    end(t, f, low(t, ir_v2x(t, IR_VALIGN, L_I8, both(t, o.b, o.a), ir_kv(t, 0, 0), n, 0)));
}
INSN(mm_pinsrw, "NP 0F C4 /r reg Pq,Rd,Ib @SSE | NP 0F C4 /r mem Pq,Mw,Ib @SSE", "pinsrw")
{
    struct two o = begin(t, f);
    end(t, f, ir_bfi(t, o.a, o.b, 16 * (f->op[2].imm & 3), 16));
}
INSN(mm_pextrw, "NP 0F C5 /r Gd,Nq,Ib @SSE", "pextrw")
{
    x87_xl_wait(t);
    enter(t);
    dst(t, f, 0, ir_trunc(t, T_I32, ir_ubfx(t, mm(t, f->op[1].reg), 16 * (f->op[2].imm & 3), 16)));
}
INSN(mm_pmovmskb, "NP 0F D7 /r Gd,Nq @SSE", "pmovmskb")
{
    x87_xl_wait(t);
    enter(t);
    dst(t, f, 0, ir_v1(t, IR_VMSK, L_I8, vec(t, mm(t, f->op[1].reg))));
}

/* -- to and from --------------------------------------------------------------------------------------------------------- */
static void move_in(struct xlat *t, F *f)
{
    x87_xl_wait(t);
    V v = mm_src(t, f, 1);
    enter(t);
    end(t, f, v);
}
static void move_out(struct xlat *t, F *f)
{
    x87_xl_wait(t);
    V v = mm(t, f->op[1].reg);
    if (f->op[0].kind == OP_MMX) set_mm(t, f->op[0].reg, v);
    else dst(t, f, 0, ir_trunc(t, type_of(f->op[0].bits), v));
    enter(t);
}
INSN(mm_movd, "NP 0F 6E /r W0 Pq,Ed @MMX", "movd") { move_in(t, f); }
INSN(mm_movd_out, "NP 0F 7E /r W0 Ed,Pq @MMX", "movd") { move_out(t, f); }
INSN(mm_movq, "NP 0F 6F /r Pq,Qq @MMX | NP 0F 6E /r W1 Pq,Eq @MMX", "movq") { move_in(t, f); }
INSN(mm_movq_out, "NP 0F 7F /r Qq,Pq @MMX | NP 0F 7E /r W1 Eq,Pq @MMX", "movq") { move_out(t, f); }
INSN(mm_movntq, "NP 0F E7 /r Mq,Pq @SSE", "movntq") { move_out(t, f); }
INSN(movq2dq, "F3 0F D6 /r Vdq,Nq @SSE2", "movq2dq")
{
    x87_xl_wait(t);
    enter(t);
    dst(t, f, 0, vec(t, mm(t, f->op[1].reg)));
}
INSN(movdq2q, "F2 0F D6 /r Pq,Udq @SSE2", "movdq2q")
{
    x87_xl_wait(t);
    enter(t);
    end(t, f, low(t, src(t, f, 1)));
}
HELPER(void, maskmovq, (CPU *cpu, uint64_t addr, uint64_t v, uint64_t mask), "fault")
{
    for (unsigned i = 0; i < 8; i++)
        if (mask >> (8 * i + 7) & 1) cpu_st(cpu, addr + i, v >> (8 * i) & 0xff, MO_8);
}
INSN(mm_maskmovq, "NP 0F F7 /r Pq,Nq @SSE", "maskmovq")
{
    x87_xl_wait(t);
    V a = x86_linear(t, ir_zext(t, T_I64, gpr(t, R_RDI, f->asize)), f->mem_seg);
    IR_CALL(t, maskmovq, a, mm(t, f->op[0].reg), mm(t, f->op[1].reg));
    enter(t);
}
INSN(emms, "NP 0F 77 @MMX", "emms")
{
    x87_xl_wait(t);
    ir_put(t, R_X87_TOP, ir_k32(t, 0));
    ir_put(t, R_X87_TAG, ir_k32(t, 0));
}

/* -- conversions from and to XMM ------------------------------------------------------------------------------------------ */
/* From memory the two leave the x87 unit alone. */
INSN(cvtpi2ps, "NP 0F 2A /r Vps,Qq @SSE", "cvtpi2ps")
{
    if (f->op[1].kind == OP_MMX) x87_xl_wait(t);
    V v = ir_vf(t, IR_VITOF, L_F32, RM_DYN, vec(t, mm_src(t, f, 1)), 0, 0, 1);
    if (f->op[1].kind == OP_MMX) enter(t);
    dst(t, f, 0, ir_v2x(t, IR_VINSV, L_I64, ir_get(t, R_XMM + f->op[0].reg), v, 0, 0));
}
INSN(cvtpi2pd, "66 0F 2A /r Vpd,Qq @SSE2", "cvtpi2pd")
{
    if (f->op[1].kind == OP_MMX) x87_xl_wait(t);
    V b = mm_src(t, f, 1), v;
    v = ir_vfrom(t, ir_bitcast(t, T_I64, ir_itof(t, T_F64, ir_trunc(t, T_I32, b), RM_RNE, true)));
    V hi = ir_itof(t, T_F64, ir_trunc(t, T_I32, ir_shri(t, b, 32)), RM_RNE, true);
    if (f->op[1].kind == OP_MMX) enter(t);
    dst(t, f, 0, ir_vins(t, L_I64, v, ir_bitcast(t, T_I64, hi), 1));
}
static void to_int32s(struct xlat *t, F *f, enum ir_type from, enum ir_rm rm)
{
    V v, n[2];

    x87_xl_wait(t);
    v = f->op[1].kind == OP_MEM && from == T_F32 ? vec(t, src(t, f, 1)) : src(t, f, 1);
    for (unsigned i = 0; i < 2; i++)
        n[i] = ir_ftoi(t, T_I32, ir_vget(t, from, from == T_F32 ? L_F32 : L_F64, v, i), rm, FTOI_SIGNED | FTOI_X86);
    enter(t);
    end(t, f, ir_or(t, ir_zext(t, T_I64, n[0]), ir_shli(t, ir_zext(t, T_I64, n[1]), 32)));
}
INSN(cvttps2pi, "NP 0F 2C /r Pq,Wq @SSE", "cvttps2pi") { to_int32s(t, f, T_F32, RM_RTZ); }
INSN(cvtps2pi, "NP 0F 2D /r Pq,Wq @SSE", "cvtps2pi") { to_int32s(t, f, T_F32, RM_DYN); }
INSN(cvttpd2pi, "66 0F 2C /r Pq,Wpd @SSE2", "cvttpd2pi") { to_int32s(t, f, T_F64, RM_RTZ); }
INSN(cvtpd2pi, "66 0F 2D /r Pq,Wpd @SSE2", "cvtpd2pi") { to_int32s(t, f, T_F64, RM_DYN); }
