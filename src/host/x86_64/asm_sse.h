/*
 * asm_sse.h: x86-64 vector and floating-point encodings, 128-bit: legacy SSE, VEX, EVEX (Intel SDM volume 2, 2.3-2.7).
 *
 * An instruction is data: opcode, prefix, opcode map and the W bits of its encodings in one constant (enum xop). v2, v3
 * ... choose the encoding the host has: EVEX for what exists only there, else VEX, else legacy SSE with the copies that two
 * operands need. Registers are numbered as in gen.h; general registers are accepted where the instruction takes them.
 */
#ifndef LYRE_X86_64_ASM_SSE_H
#define LYRE_X86_64_ASM_SSE_H

#include "host/x86_64/asm.h"

/* Fields of an xop beyond those of asm.h (P_*, M_*, OP_W). */
enum {
    XO_EW = 1 << 15,         /* EVEX.W alone: 64-bit elements of an instruction whose VEX form ignores W */
    XO_COMM = 1 << 16,       /* the two sources may be exchanged */
    XO_E = 1 << 17,          /* EVEX only */
    XO_M4 = 1 << 18,
    XM_5 = XO_E | XO_M4 | M_0F, XM_6 = XO_E | XO_M4 | M_38, /* AVX512-FP16's opcode maps */
};
#define X0(op)     (M_0F | (op))
#define X66(op)    (P_66 | M_0F | (op))
#define XF3(op)    (P_F3 | M_0F | (op))
#define XF2(op)    (P_F2 | M_0F | (op))
#define X38(op)    (P_66 | M_38 | (op))
#define X3A(op)    (P_66 | M_3A | (op))
#define XC(op)     ((op) | XO_COMM)

enum xop {
    /* moves; the load form, X_ST* the store form */
    X_MOVAPS = X0(0x28), X_MOVUPS = X0(0x10), X_ST_MOVUPS = X0(0x11), X_MOVDQU = XF3(0x6f),
    X_MOVSS = XF3(0x10), X_MOVSD = XF2(0x10) | XO_EW, X_MOVQ = XF3(0x7e), X_MOVHLPS = X0(0x12), X_MOVLHPS = X0(0x16),
    X_MOVDDUP = XF2(0x12), X_MOVD_TO = X66(0x6e), X_MOVQ_TO = X66(0x6e) | OP_W, X_MOVD_FROM = X66(0x7e),
    X_MOVQ_FROM = X66(0x7e) | OP_W, X_MOVMSKPS = X0(0x50), X_MOVMSKPD = X66(0x50), X_PMOVMSKB = X66(0xd7),
    X_MOVSHDUP = XF3(0x16), X_MOVSLDUP = XF3(0x12),
    /* logic */
    X_ANDPS = XC(X0(0x54)), X_ANDNPS = X0(0x55), X_ORPS = XC(X0(0x56)), X_XORPS = XC(X0(0x57)),
    X_PAND = XC(X66(0xdb)), X_PANDN = X66(0xdf), X_POR = XC(X66(0xeb)), X_PXOR = XC(X66(0xef)), X_PTEST = X38(0x17),
    X_VPTERNLOGD = XO_E | X3A(0x25),
    /* integer arithmetic */
    X_PADDB = XC(X66(0xfc)), X_PADDW = XC(X66(0xfd)), X_PADDD = XC(X66(0xfe)), X_PADDQ = XC(X66(0xd4)) | XO_EW,
    X_PSUBB = X66(0xf8), X_PSUBW = X66(0xf9), X_PSUBD = X66(0xfa), X_PSUBQ = X66(0xfb) | XO_EW,
    X_PADDSB = XC(X66(0xec)), X_PADDSW = XC(X66(0xed)), X_PADDUSB = XC(X66(0xdc)), X_PADDUSW = XC(X66(0xdd)),
    X_PSUBSB = X66(0xe8), X_PSUBSW = X66(0xe9), X_PSUBUSB = X66(0xd8), X_PSUBUSW = X66(0xd9),
    X_PAVGB = XC(X66(0xe0)), X_PAVGW = XC(X66(0xe3)), X_PSADBW = XC(X66(0xf6)),
    X_PMULLW = XC(X66(0xd5)), X_PMULHW = XC(X66(0xe5)), X_PMULHUW = XC(X66(0xe4)), X_PMULUDQ = XC(X66(0xf4)) | XO_EW,
    X_PMULDQ = XC(X38(0x28)) | XO_EW, X_PMULLD = XC(X38(0x40)), X_VPMULLQ = XO_E | XC(X38(0x40)) | OP_W,
    X_PMADDWD = XC(X66(0xf5)), X_PMADDUBSW = X38(0x04), X_PHADDW = X38(0x01), X_PHADDD = X38(0x02),
    X_PABSB = X38(0x1c), X_PABSW = X38(0x1d), X_PABSD = X38(0x1e), X_VPABSQ = XO_E | X38(0x1f) | OP_W,
    X_PMINSB = XC(X38(0x38)), X_PMINSW = XC(X66(0xea)), X_PMINSD = XC(X38(0x39)),
    X_VPMINSQ = XO_E | XC(X38(0x39)) | OP_W,
    X_PMINUB = XC(X66(0xda)), X_PMINUW = XC(X38(0x3a)), X_PMINUD = XC(X38(0x3b)),
    X_VPMINUQ = XO_E | XC(X38(0x3b)) | OP_W,
    X_PMAXSB = XC(X38(0x3c)), X_PMAXSW = XC(X66(0xee)), X_PMAXSD = XC(X38(0x3d)),
    X_VPMAXSQ = XO_E | XC(X38(0x3d)) | OP_W,
    X_PMAXUB = XC(X66(0xde)), X_PMAXUW = XC(X38(0x3e)), X_PMAXUD = XC(X38(0x3f)),
    X_VPMAXUQ = XO_E | XC(X38(0x3f)) | OP_W,
    X_PCMPEQB = XC(X66(0x74)), X_PCMPEQW = XC(X66(0x75)), X_PCMPEQD = XC(X66(0x76)), X_PCMPEQQ = XC(X38(0x29)),
    X_PCMPGTB = X66(0x64), X_PCMPGTW = X66(0x65), X_PCMPGTD = X66(0x66), X_PCMPGTQ = X38(0x37), /* GTQ: SSE4.2 */
    X_VPCMPB = XO_E | X3A(0x3f), X_VPCMPW = XO_E | X3A(0x3f) | OP_W, X_VPCMPD = XO_E | X3A(0x1f),
    X_VPCMPQ = XO_E | X3A(0x1f) | OP_W,
    X_VPCMPUB = XO_E | X3A(0x3e), X_VPCMPUW = XO_E | X3A(0x3e) | OP_W, X_VPCMPUD = XO_E | X3A(0x1e),
    X_VPCMPUQ = XO_E | X3A(0x1e) | OP_W,
    X_VPMOVM2B = XO_E | P_F3 | M_38 | 0x28, X_VPMOVM2W = X_VPMOVM2B | OP_W, X_VPMOVM2D = XO_E | P_F3 | M_38 | 0x38,
    X_VPMOVM2Q = X_VPMOVM2D | OP_W,
    X_VPDPBUSD = XO_E | X38(0x50), X_VPOPCNTB = XO_E | X38(0x54), X_VPOPCNTW = XO_E | X38(0x54) | OP_W,
    X_VPOPCNTD = XO_E | X38(0x55),
    X_VPOPCNTQ = XO_E | X38(0x55) | OP_W, X_VPLZCNTD = XO_E | X38(0x44), X_VPLZCNTQ = XO_E | X38(0x44) | OP_W,
    X_PCLMULQDQ = X3A(0x44), X_AESENC = X38(0xdc), X_AESENCLAST = X38(0xdd), X_AESDEC = X38(0xde),
    X_AESDECLAST = X38(0xdf), X_AESIMC = X38(0xdb), X_GF2P8AFFINEQB = X3A(0xce) | OP_W,
    /* shifts: by xmm, by immediate (opcode extension below), per lane */
    X_PSLLW = X66(0xf1), X_PSLLD = X66(0xf2), X_PSLLQ = X66(0xf3), X_PSRLW = X66(0xd1), X_PSRLD = X66(0xd2),
    X_PSRLQ = X66(0xd3), X_PSRAW = X66(0xe1), X_PSRAD = X66(0xe2), X_VPSRAQ = XO_E | X66(0xe2) | OP_W,
    X_SHIFTW_I = X66(0x71), X_SHIFTD_I = X66(0x72), X_VPSRAQ_I = XO_E | X66(0x72) | OP_W,
    X_SHIFTQ_I = X66(0x73) | XO_EW,
    X_VPSLLVW = XO_E | X38(0x12) | OP_W, X_VPSLLVD = X38(0x47), X_VPSLLVQ = X38(0x47) | OP_W,
    X_VPSRLVW = XO_E | X38(0x10) | OP_W,
    X_VPSRLVD = X38(0x45), X_VPSRLVQ = X38(0x45) | OP_W, X_VPSRAVW = XO_E | X38(0x11) | OP_W, X_VPSRAVD = X38(0x46),
    X_VPSRAVQ = XO_E | X38(0x46) | OP_W,
    /* shuffles */
    X_PSHUFB = X38(0x00), X_PSHUFD = X66(0x70), X_PSHUFLW = XF2(0x70), X_PSHUFHW = XF3(0x70), X_SHUFPS = X0(0xc6),
    X_SHUFPD = X66(0xc6), X_PALIGNR = X3A(0x0f), X_PBLENDW = X3A(0x0e), X_BLENDPS = X3A(0x0c), X_BLENDPD = X3A(0x0d),
    X_INSERTPS = X3A(0x21), X_VBLENDVPS = X3A(0x4a), X_VBLENDVPD = X3A(0x4b), X_PBLENDVB = X38(0x10),
    X_VPBLENDVB = X3A(0x4c), X_VPBLENDMB = XO_E | X38(0x66),
    X_PUNPCKLBW = X66(0x60), X_PUNPCKLWD = X66(0x61), X_PUNPCKLDQ = X66(0x62), X_PUNPCKLQDQ = X66(0x6c) | XO_EW,
    X_PUNPCKHBW = X66(0x68), X_PUNPCKHWD = X66(0x69), X_PUNPCKHDQ = X66(0x6a), X_PUNPCKHQDQ = X66(0x6d) | XO_EW,
    X_PACKSSWB = X66(0x63), X_PACKSSDW = X66(0x6b), X_PACKUSWB = X66(0x67), X_PACKUSDW = X38(0x2b),
    X_PMOVSXBW = X38(0x20), X_PMOVSXWD = X38(0x23), X_PMOVSXDQ = X38(0x25), X_PMOVZXBW = X38(0x30),
    X_PMOVZXWD = X38(0x33), X_PMOVZXDQ = X38(0x35), X_VPMOVWB = XO_E | P_F3 | M_38 | 0x30,
    X_VPMOVDW = XO_E | P_F3 | M_38 | 0x33,
    X_VPMOVQD = XO_E | P_F3 | M_38 | 0x35, X_VPMOVSWB = XO_E | P_F3 | M_38 | 0x20,
    X_VPMOVSDW = XO_E | P_F3 | M_38 | 0x23,
    X_VPMOVSQD = XO_E | P_F3 | M_38 | 0x25, X_VPMOVUSWB = XO_E | P_F3 | M_38 | 0x10,
    X_VPMOVUSDW = XO_E | P_F3 | M_38 | 0x13,
    X_VPMOVUSQD = XO_E | P_F3 | M_38 | 0x15,
    X_PINSRB = X3A(0x20), X_PINSRW = X66(0xc4), X_PINSRD = X3A(0x22), X_PINSRQ = X3A(0x22) | OP_W,
    X_PEXTRB = X3A(0x14), X_PEXTRW = X66(0xc5), X_PEXTRW_3A = X3A(0x15), X_PEXTRD = X3A(0x16),
    X_PEXTRQ = X3A(0x16) | OP_W,
    X_VPBROADCASTB = X38(0x78), X_VPBROADCASTW = X38(0x79), X_VPBROADCASTD = X38(0x58), X_VPBROADCASTQ = X38(0x59),
    X_VPBROADCASTB_R = XO_E | X38(0x7a), X_VPBROADCASTW_R = XO_E | X38(0x7b), X_VPBROADCASTD_R = XO_E | X38(0x7c),
    X_VPBROADCASTQ_R = XO_E | X38(0x7c) | OP_W, X_VBROADCASTSS = X38(0x18),
    /* floating point; packed single is the base, see XF_* */
    X_ADDPS = X0(0x58), X_MULPS = X0(0x59), X_SUBPS = X0(0x5c), X_MINPS = X0(0x5d), X_DIVPS = X0(0x5e),
    X_MAXPS = X0(0x5f),
    X_SQRTPS = X0(0x51), X_CMPPS = X0(0xc2), X_UCOMISS = X0(0x2e), X_UCOMISD = X66(0x2e) | XO_EW, X_COMISS = X0(0x2f),
    X_COMISD = X66(0x2f) | XO_EW,
    X_CVTSS2SD = XF3(0x5a), X_CVTSD2SS = XF2(0x5a) | XO_EW, X_CVTPS2PD = X0(0x5a), X_CVTPD2PS = X66(0x5a) | XO_EW,
    X_CVTSI2SS = XF3(0x2a), X_CVTSI2SD = XF2(0x2a), X_CVTTSS2SI = XF3(0x2c), X_CVTTSD2SI = XF2(0x2c),
    X_CVTSS2SI = XF3(0x2d),
    X_CVTSD2SI = XF2(0x2d), X_VCVTUSI2SS = XO_E | XF3(0x7b), X_VCVTUSI2SD = XO_E | XF2(0x7b),
    X_VCVTTSS2USI = XO_E | XF3(0x78),
    X_VCVTTSD2USI = XO_E | XF2(0x78), X_VCVTSS2USI = XO_E | XF3(0x79), X_VCVTSD2USI = XO_E | XF2(0x79),
    X_ROUNDPS = X3A(0x08), X_ROUNDPD = X3A(0x09), X_ROUNDSS = X3A(0x0a), X_ROUNDSD = X3A(0x0b),
    X_VFPCLASSPS = XO_E | X3A(0x66), X_VFPCLASSSS = XO_E | X3A(0x67), X_KORTESTB = X66(0x98),
    X_VRANGEPS = XO_E | X3A(0x50), X_VRANGEPD = XO_E | X3A(0x50) | OP_W, X_VRANGESS = XO_E | X3A(0x51),
    X_VRANGESD = XO_E | X3A(0x51) | OP_W,
    X_CVTDQ2PS = X0(0x5b), X_CVTPS2DQ = X66(0x5b), X_CVTTPS2DQ = XF3(0x5b), X_CVTDQ2PD = XF3(0xe6),
    X_VCVTUDQ2PS = XO_E | XF2(0x7a), X_VCVTQQ2PD = XO_E | XF3(0xe6) | OP_W, X_VCVTUQQ2PD = XO_E | XF3(0x7a) | OP_W,
    X_VCVTPS2UDQ = XO_E | X0(0x79), X_VCVTTPS2UDQ = XO_E | X0(0x78), X_VCVTPD2QQ = XO_E | X66(0x7b) | OP_W,
    X_VCVTTPD2QQ = XO_E | X66(0x7a) | OP_W,
    X_VCVTPD2UQQ = XO_E | X66(0x79) | OP_W, X_VCVTTPD2UQQ = XO_E | X66(0x78) | OP_W,
    X_VCVTPH2PS = X38(0x13), X_VCVTPS2PH = X3A(0x1d),
    X_VFMADD213PS = X38(0xa8), X_VFMADD231PS = X38(0xb8), X_VFMADD213SS = X38(0xa9), X_VFMADD231SS = X38(0xb9),
    /* AVX512-FP16: EVEX only */
    X_VADDPH = XM_5 | 0x58, X_VSQRTPH = XM_5 | 0x51, X_VUCOMISH = XM_5 | 0x2e, X_VCOMISH = XM_5 | 0x2f,
    X_VCMPPH = XO_E | M_3A | 0xc2, X_VRNDSCALEPH = XO_E | M_3A | 0x08, X_VRNDSCALESH = XO_E | M_3A | 0x0a,
    X_VFMADD213PH = P_66 | XM_6 | 0xa8, X_VFMADD231PH = P_66 | XM_6 | 0xb8, X_VFMADD213SH = P_66 | XM_6 | 0xa9,
    X_VFMADD231SH = P_66 | XM_6 | 0xb9,
    X_VCVTSH2SS = XM_6 | 0x13, X_VCVTSS2SH = XM_5 | 0x1d, X_VCVTSH2SD = P_F3 | XM_5 | 0x5a,
    X_VCVTSD2SH = P_F2 | XM_5 | OP_W | 0x5a, X_VCVTTSH2SI = P_F3 | XM_5 | 0x2c, X_VCVTSH2SI = P_F3 | XM_5 | 0x2d,
    X_VCVTTSH2USI = P_F3 | XM_5 | 0x78, X_VCVTSH2USI = P_F3 | XM_5 | 0x79, X_VCVTSI2SH = P_F3 | XM_5 | 0x2a,
    X_VCVTUSI2SH = P_F3 | XM_5 | 0x7b, X_VCVTPH2W = P_66 | XM_5 | 0x7d, X_VCVTTPH2W = P_66 | XM_5 | 0x7c,
    X_VCVTPH2UW = XM_5 | 0x7d, X_VCVTTPH2UW = XM_5 | 0x7c, X_VCVTW2PH = P_F3 | XM_5 | 0x7d,
    X_VCVTUW2PH = P_F2 | XM_5 | 0x7d, X_VMOVW_TO = P_66 | XM_5 | 0x6e, X_VMOVW_FROM = P_66 | XM_5 | 0x7e,
};
/* Opcode extensions of X_SHIFT?_I; byte shifts of the whole register go with X_SHIFTQ_I. */
enum { XS_SRL = 2, XS_SRA = 4, XS_SLL = 6, XS_SRLDQ = 3, XS_SLLDQ = 7 };
/* Packed-single arithmetic (X_ADDPS ...) to its other formats. */
enum { XF_PS = 0, XF_PD = P_66 | XO_EW, XF_SS = P_F3, XF_SD = P_F2 | XO_EW,
       XF_PH = XO_E | XO_M4, XF_SH = XO_E | XO_M4 | P_F3 };
/* Rounding control of round*, vrndscale*, vcvtps2ph: RC or the current mode; bit 3 suppresses inexact. */
enum { XR_RNE, XR_RDN, XR_RUP, XR_RTZ, XR_CUR, XR_NOINEX = 8 };
/* Predicates of cmpps and friends; those >= 8 are VEX only. */
enum { XCMP_EQ, XCMP_LT_OS, XCMP_LE_OS, XCMP_UNORD,
       XCMP_EQ_UQ = 8, XCMP_EQ_OS = 16, XCMP_LT_OQ, XCMP_LE_OQ, XCMP_UNORD_S };

/* Prefixes and opcode of a VEX or EVEX instruction; o: the r/m operand (for its register bits). k: opmask, 0 = none. */
static inline void a_vex_head(struct gen *g, unsigned op, unsigned reg, unsigned v, struct opnd o)
{
    unsigned b = o.kind != O_POOL && o.reg != NOREG ? o.reg & 8 : 0;
    unsigned x = o.kind == O_MEM && o.index != NOREG ? o.index & 8 : 0;
    unsigned r = reg & 8 ? 0 : 0x80, low = (~v & 15) << 3 | (op >> 8 & 3);

    if (o.kind == O_MEM && o.gs) a_u8(g, 0x65);
    if ((op & M_MASK) == M_0F && !(op & OP_W) && !b && !x) {
        a_u8(g, 0xc5);
        a_u8(g, r | low);
    } else {
        a_u8(g, 0xc4);
        a_u8(g, r | (x ? 0 : 0x40) | (b ? 0 : 0x20) | (op >> 10 & 3));
        a_u8(g, (op & OP_W ? 0x80 : 0) | low);
    }
    a_u8(g, op & 0xff);
}
static inline void a_evex_head(struct gen *g, unsigned op, unsigned reg, unsigned v, struct opnd o, unsigned k)
{
    unsigned b = o.kind == O_REG ? o.reg & 8 : 0;

    a_u8(g, 0x62);
    a_u8(g, (reg & 8 ? 0 : 0x80) | 0x40 | (b ? 0 : 0x20) | 0x10 | (op >> 10 & 3) | (op >> 16 & 4));
    a_u8(g, (op & (OP_W | XO_EW) ? 0x80 : 0) | (~v & 15) << 3 | 4 | (op >> 8 & 3));
    a_u8(g, 8 | k);
    a_u8(g, op & 0xff);
}
/* EVEX with everything given. o: a register or the pool (a disp8 would be scaled). */
static inline void e3k(struct gen *g, unsigned op, unsigned d, unsigned a, struct opnd o, unsigned k, unsigned tail)
{
    a_evex_head(g, op, d, a, o, k);
    a_modrm(g, d, o, tail);
}

/* d = op(a): two operands in every encoding. `tail`: 1 if the caller appends an immediate byte. */
static inline void v2t(struct gen *g, unsigned op, unsigned d, struct opnd a, unsigned tail)
{
    if (op & XO_E) {
        e3k(g, op, d, 0, a, 0, tail);
    } else if (x86.avx) {
        a_vex_head(g, op, d, 0, a);
        a_modrm(g, d, a, tail);
    } else {
        a_rm(g, op, d, a, tail);
    }
}
/* d = op(a, b): three operands; in legacy encodings d takes a's value first. */
static inline void v3t(struct gen *g, unsigned op, unsigned d, unsigned a, struct opnd b, unsigned tail)
{
    if (op & XO_E) {
        e3k(g, op, d, a, b, 0, tail);
        return;
    }
    if (x86.avx) {
        if ((op & XO_COMM) && b.kind == O_REG && (b.reg & 8) && !(a & 8)) { /* a byte shorter the other way */
            unsigned t = a;
            a = b.reg;
            b = o_reg(t);
        }
        a_vex_head(g, op, d, a, b);
        a_modrm(g, d, b, tail);
        return;
    }
    if (d != a) {
        if (b.kind == O_REG && b.reg == d && (op & XO_COMM)) {
            b = o_reg(a);
        } else {
            if (b.kind == O_REG && b.reg == d) {
                b = o_reg(tmp_xmm(g));
                a_movaps(g, b.reg, d);
            }
            a_movaps(g, d, a);
        }
    }
    a_rm(g, op, d, b, tail);
}

static inline void v2(struct gen *g, unsigned op, unsigned d, unsigned a) { v2t(g, op, d, o_reg(a), 0); }
static inline void v2m(struct gen *g, unsigned op, unsigned d, struct opnd a) { v2t(g, op, d, a, 0); }
static inline void v2i(struct gen *g, unsigned op, unsigned d, unsigned a, unsigned imm)
{
    v2t(g, op, d, o_reg(a), 1);
    a_u8(g, imm);
}
static inline void v3(struct gen *g, unsigned op, unsigned d, unsigned a, unsigned b) { v3t(g, op, d, a, o_reg(b), 0); }
static inline void v3m(struct gen *g, unsigned op, unsigned d, unsigned a, struct opnd b) { v3t(g, op, d, a, b, 0); }
static inline void v3i(struct gen *g, unsigned op, unsigned d, unsigned a, unsigned b, unsigned imm)
{
    v3t(g, op, d, a, o_reg(b), 1);
    a_u8(g, imm);
}
static inline void v3mi(struct gen *g, unsigned op, unsigned d, unsigned a, struct opnd b, unsigned imm)
{
    v3t(g, op, d, a, b, 1);
    a_u8(g, imm);
}
/* Shift by an immediate: X_SHIFT?_I or X_VPSRAQ_I with XS_*. */
static inline void vsh(struct gen *g, unsigned op, unsigned ext, unsigned d, unsigned a, unsigned n)
{
    if (op & XO_E) {
        e3k(g, op, ext, d, o_reg(a), 0, 1);
    } else if (x86.avx) {
        a_vex_head(g, op, ext, d, o_reg(a));
        a_modrm(g, ext, o_reg(a), 1);
    } else {
        if (d != a) a_movaps(g, d, a);
        a_rm(g, op, ext, o_reg(d), 1);
    }
    a_u8(g, n);
}
/* d = all zero, all one */
static inline void vzero(struct gen *g, unsigned d)
{
    v3(g, x86.avx ? X_PXOR : X_XORPS, d, d, d);
}
static inline void vones(struct gen *g, unsigned d)
{
    v3(g, X_PCMPEQD, d, d, d);
}

#endif
