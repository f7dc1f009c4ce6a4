/*
 * sse.isa.c: SSE, AVX and FMA forms. Known gaps: decoded and printed only, nothing is executed yet; no features yet.
 */
#include "xl.h"

INSN(sqrtps, "VEX?.NP.0F 51 /r Vps,Wps", "{v}sqrtps")
{
    xl_illegal(t);
}

INSN(sqrtpd, "VEX?.66.0F 51 /r Vpd,Wpd", "{v}sqrtpd")
{
    xl_illegal(t);
}

INSN(sqrtss, "VEX?.F3.0F 51 /r Vss,Hss,Wss", "{v}sqrtss")
{
    xl_illegal(t);
}

INSN(sqrtsd, "VEX?.F2.0F 51 /r Vsd,Hsd,Wsd", "{v}sqrtsd")
{
    xl_illegal(t);
}

INSN(addps, "VEX?.NP.0F 58 /r Vps,Hps,Wps", "{v}addps")
{
    xl_illegal(t);
}

INSN(addpd, "VEX?.66.0F 58 /r Vpd,Hpd,Wpd", "{v}addpd")
{
    xl_illegal(t);
}

INSN(addss, "VEX?.F3.0F 58 /r Vss,Hss,Wss", "{v}addss")
{
    xl_illegal(t);
}

INSN(addsd, "VEX?.F2.0F 58 /r Vsd,Hsd,Wsd", "{v}addsd")
{
    xl_illegal(t);
}

INSN(mulps, "VEX?.NP.0F 59 /r Vps,Hps,Wps", "{v}mulps")
{
    xl_illegal(t);
}

INSN(mulpd, "VEX?.66.0F 59 /r Vpd,Hpd,Wpd", "{v}mulpd")
{
    xl_illegal(t);
}

INSN(mulss, "VEX?.F3.0F 59 /r Vss,Hss,Wss", "{v}mulss")
{
    xl_illegal(t);
}

INSN(mulsd, "VEX?.F2.0F 59 /r Vsd,Hsd,Wsd", "{v}mulsd")
{
    xl_illegal(t);
}

INSN(subps, "VEX?.NP.0F 5C /r Vps,Hps,Wps", "{v}subps")
{
    xl_illegal(t);
}

INSN(subpd, "VEX?.66.0F 5C /r Vpd,Hpd,Wpd", "{v}subpd")
{
    xl_illegal(t);
}

INSN(subss, "VEX?.F3.0F 5C /r Vss,Hss,Wss", "{v}subss")
{
    xl_illegal(t);
}

INSN(subsd, "VEX?.F2.0F 5C /r Vsd,Hsd,Wsd", "{v}subsd")
{
    xl_illegal(t);
}

INSN(minps, "VEX?.NP.0F 5D /r Vps,Hps,Wps", "{v}minps")
{
    xl_illegal(t);
}

INSN(minpd, "VEX?.66.0F 5D /r Vpd,Hpd,Wpd", "{v}minpd")
{
    xl_illegal(t);
}

INSN(minss, "VEX?.F3.0F 5D /r Vss,Hss,Wss", "{v}minss")
{
    xl_illegal(t);
}

INSN(minsd, "VEX?.F2.0F 5D /r Vsd,Hsd,Wsd", "{v}minsd")
{
    xl_illegal(t);
}

INSN(divps, "VEX?.NP.0F 5E /r Vps,Hps,Wps", "{v}divps")
{
    xl_illegal(t);
}

INSN(divpd, "VEX?.66.0F 5E /r Vpd,Hpd,Wpd", "{v}divpd")
{
    xl_illegal(t);
}

INSN(divss, "VEX?.F3.0F 5E /r Vss,Hss,Wss", "{v}divss")
{
    xl_illegal(t);
}

INSN(divsd, "VEX?.F2.0F 5E /r Vsd,Hsd,Wsd", "{v}divsd")
{
    xl_illegal(t);
}

INSN(maxps, "VEX?.NP.0F 5F /r Vps,Hps,Wps", "{v}maxps")
{
    xl_illegal(t);
}

INSN(maxpd, "VEX?.66.0F 5F /r Vpd,Hpd,Wpd", "{v}maxpd")
{
    xl_illegal(t);
}

INSN(maxss, "VEX?.F3.0F 5F /r Vss,Hss,Wss", "{v}maxss")
{
    xl_illegal(t);
}

INSN(maxsd, "VEX?.F2.0F 5F /r Vsd,Hsd,Wsd", "{v}maxsd")
{
    xl_illegal(t);
}

INSN(andps, "VEX?.NP.0F 54 /r Vps,Hps,Wps", "{v}andps")
{
    xl_illegal(t);
}

INSN(andpd, "VEX?.66.0F 54 /r Vpd,Hpd,Wpd", "{v}andpd")
{
    xl_illegal(t);
}

INSN(andnps, "VEX?.NP.0F 55 /r Vps,Hps,Wps", "{v}andnps")
{
    xl_illegal(t);
}

INSN(andnpd, "VEX?.66.0F 55 /r Vpd,Hpd,Wpd", "{v}andnpd")
{
    xl_illegal(t);
}

INSN(orps, "VEX?.NP.0F 56 /r Vps,Hps,Wps", "{v}orps")
{
    xl_illegal(t);
}

INSN(orpd, "VEX?.66.0F 56 /r Vpd,Hpd,Wpd", "{v}orpd")
{
    xl_illegal(t);
}

INSN(xorps, "VEX?.NP.0F 57 /r Vps,Hps,Wps", "{v}xorps")
{
    xl_illegal(t);
}

INSN(xorpd, "VEX?.66.0F 57 /r Vpd,Hpd,Wpd", "{v}xorpd")
{
    xl_illegal(t);
}

INSN(unpcklps, "VEX?.NP.0F 14 /r Vps,Hps,Wps", "{v}unpcklps")
{
    xl_illegal(t);
}

INSN(unpcklpd, "VEX?.66.0F 14 /r Vpd,Hpd,Wpd", "{v}unpcklpd")
{
    xl_illegal(t);
}

INSN(unpckhps, "VEX?.NP.0F 15 /r Vps,Hps,Wps", "{v}unpckhps")
{
    xl_illegal(t);
}

INSN(unpckhpd, "VEX?.66.0F 15 /r Vpd,Hpd,Wpd", "{v}unpckhpd")
{
    xl_illegal(t);
}

INSN(ucomiss, "VEX?.NP.0F 2E /r Vss,Wss", "{v}ucomiss")
{
    xl_illegal(t);
}

INSN(ucomisd, "VEX?.66.0F 2E /r Vsd,Wsd", "{v}ucomisd")
{
    xl_illegal(t);
}

INSN(comiss, "VEX?.NP.0F 2F /r Vss,Wss", "{v}comiss")
{
    xl_illegal(t);
}

INSN(comisd, "VEX?.66.0F 2F /r Vsd,Wsd", "{v}comisd")
{
    xl_illegal(t);
}

INSN(movups, "VEX?.NP.0F 10 /r Vps,Wps | VEX?.NP.0F 11 /r Wps,Vps", "{v}movups")
{
    xl_illegal(t);
}

INSN(movupd, "VEX?.66.0F 10 /r Vpd,Wpd | VEX?.66.0F 11 /r Wpd,Vpd", "{v}movupd")
{
    xl_illegal(t);
}

INSN(movaps, "VEX?.NP.0F 28 /r Vps,Wps | VEX?.NP.0F 29 /r Wps,Vps", "{v}movaps")
{
    xl_illegal(t);
}

INSN(movapd, "VEX?.66.0F 28 /r Vpd,Wpd | VEX?.66.0F 29 /r Wpd,Vpd", "{v}movapd")
{
    xl_illegal(t);
}

INSN(movdqa, "VEX?.66.0F 6F /r Vx,Wx | VEX?.66.0F 7F /r Wx,Vx", "{v}movdqa")
{
    xl_illegal(t);
}

INSN(movdqu, "VEX?.F3.0F 6F /r Vx,Wx | VEX?.F3.0F 7F /r Wx,Vx", "{v}movdqu")
{
    xl_illegal(t);
}

INSN(movss, "VEX?.F3.0F 10 /r Vss,Mss | VEX?.F3.0F 11 /r Mss,Vss | VEX?.F3.0F 10 /r Vss,Hss,Uss"
     " | VEX?.F3.0F 11 /r Uss,Hss,Vss", "{v}movss")
{
    xl_illegal(t);
}

INSN(movsd, "VEX?.F2.0F 10 /r Vsd,Msd | VEX?.F2.0F 11 /r Msd,Vsd | VEX?.F2.0F 10 /r Vsd,Hsd,Usd"
     " | VEX?.F2.0F 11 /r Usd,Hsd,Vsd", "{v}movsd")
{
    xl_illegal(t);
}

INSN(movlps, "VEX?.NP.0F 12 /r Vdq,Hdq,Mq | VEX?.NP.0F 13 /r Mq,Vdq", "{v}movlps")
{
    xl_illegal(t);
}

INSN(movlpd, "VEX?.66.0F 12 /r Vdq,Hdq,Mq | VEX?.66.0F 13 /r Mq,Vdq", "{v}movlpd")
{
    xl_illegal(t);
}

INSN(movhps, "VEX?.NP.0F 16 /r Vdq,Hdq,Mq | VEX?.NP.0F 17 /r Mq,Vdq", "{v}movhps")
{
    xl_illegal(t);
}

INSN(movhpd, "VEX?.66.0F 16 /r Vdq,Hdq,Mq | VEX?.66.0F 17 /r Mq,Vdq", "{v}movhpd")
{
    xl_illegal(t);
}

INSN(movhlps, "VEX?.NP.0F 12 /r Vdq,Hdq,Udq", "{v}movhlps")
{
    xl_illegal(t);
}

INSN(movlhps, "VEX?.NP.0F 16 /r Vdq,Hdq,Udq", "{v}movlhps")
{
    xl_illegal(t);
}

INSN(movntps, "VEX?.NP.0F 2B /r Mps,Vps", "{v}movntps")
{
    xl_illegal(t);
}

INSN(movntdq, "VEX?.66.0F E7 /r Mx,Vx", "{v}movntdq")
{
    xl_illegal(t);
}

INSN(movntdqa, "VEX?.66.0F38 2A /r Vx,Mx", "{v}movntdqa")
{
    xl_illegal(t);
}

INSN(movd, "VEX?.66.0F.W0 6E /r Vdq,Ed | VEX?.66.0F.W0 7E /r Ed,Vdq", "{v}movd")
{
    xl_illegal(t);
}

INSN(movq, "VEX?.66.0F.W1 6E /r Vdq,Eq | VEX?.66.0F.W1 7E /r Eq,Vdq | VEX?.F3.0F 7E /r Vq,Wq"
     " | VEX?.66.0F D6 /r Wq,Vq", "{v}movq")
{
    xl_illegal(t);
}

INSN(movmskps, "VEX?.NP.0F 50 /r Gd,Ups", "{v}movmskps")
{
    xl_illegal(t);
}

INSN(movmskpd, "VEX?.66.0F 50 /r Gd,Upd", "{v}movmskpd")
{
    xl_illegal(t);
}

INSN(pmovmskb, "VEX?.66.0F D7 /r Gd,Ux", "{v}pmovmskb")
{
    xl_illegal(t);
}

INSN(cvtsi2ss, "VEX?.F3.0F 2A /r Vss,Hss,Ey", "{v}cvtsi2ss")
{
    xl_illegal(t);
}

INSN(cvtsi2sd, "VEX?.F2.0F 2A /r Vsd,Hsd,Ey", "{v}cvtsi2sd")
{
    xl_illegal(t);
}

INSN(cvttss2si, "VEX?.F3.0F 2C /r Gy,Wss", "{v}cvttss2si")
{
    xl_illegal(t);
}

INSN(cvttsd2si, "VEX?.F2.0F 2C /r Gy,Wsd", "{v}cvttsd2si")
{
    xl_illegal(t);
}

INSN(cvtss2si, "VEX?.F3.0F 2D /r Gy,Wss", "{v}cvtss2si")
{
    xl_illegal(t);
}

INSN(cvtsd2si, "VEX?.F2.0F 2D /r Gy,Wsd", "{v}cvtsd2si")
{
    xl_illegal(t);
}

INSN(cvtss2sd, "VEX?.F3.0F 5A /r Vsd,Hsd,Wss", "{v}cvtss2sd")
{
    xl_illegal(t);
}

INSN(cvtsd2ss, "VEX?.F2.0F 5A /r Vss,Hss,Wsd", "{v}cvtsd2ss")
{
    xl_illegal(t);
}

INSN(cvtps2pd, "NP 0F 5A /r Vdq,Wq", "cvtps2pd")
{
    xl_illegal(t);
}

INSN(cvtpd2ps, "66 0F 5A /r Vdq,Wdq", "cvtpd2ps")
{
    xl_illegal(t);
}

INSN(cvtdq2ps, "VEX?.NP.0F 5B /r Vps,Wx", "{v}cvtdq2ps")
{
    xl_illegal(t);
}

INSN(cvttps2dq, "VEX?.F3.0F 5B /r Vx,Wps", "{v}cvttps2dq")
{
    xl_illegal(t);
}

INSN(cvtdq2pd, "F3 0F E6 /r Vdq,Wq", "cvtdq2pd")
{
    xl_illegal(t);
}

INSN(shufps, "VEX?.NP.0F C6 /r Vps,Hps,Wps,Ib", "{v}shufps")
{
    xl_illegal(t);
}

INSN(shufpd, "VEX?.66.0F C6 /r Vpd,Hpd,Wpd,Ib", "{v}shufpd")
{
    xl_illegal(t);
}

INSN(pshufd, "VEX?.66.0F 70 /r Vx,Wx,Ib", "{v}pshufd")
{
    xl_illegal(t);
}

INSN(pshufhw, "VEX?.F3.0F 70 /r Vx,Wx,Ib", "{v}pshufhw")
{
    xl_illegal(t);
}

INSN(pshuflw, "VEX?.F2.0F 70 /r Vx,Wx,Ib", "{v}pshuflw")
{
    xl_illegal(t);
}

INSN(pinsrw, "66 0F C4 /r reg Vdq,Ed,Ib | 66 0F C4 /r mem Vdq,Ew,Ib", "pinsrw")
{
    xl_illegal(t);
}

INSN(pextrw, "VEX?.66.0F C5 /r Gd,Udq,Ib", "{v}pextrw")
{
    xl_illegal(t);
}

INSN(punpcklbw, "VEX?.66.0F 60 /r Vx,Hx,Wx", "{v}punpcklbw")
{
    xl_illegal(t);
}

INSN(punpcklwd, "VEX?.66.0F 61 /r Vx,Hx,Wx", "{v}punpcklwd")
{
    xl_illegal(t);
}

INSN(punpckldq, "VEX?.66.0F 62 /r Vx,Hx,Wx", "{v}punpckldq")
{
    xl_illegal(t);
}

INSN(packsswb, "VEX?.66.0F 63 /r Vx,Hx,Wx", "{v}packsswb")
{
    xl_illegal(t);
}

INSN(pcmpgtb, "VEX?.66.0F 64 /r Vx,Hx,Wx", "{v}pcmpgtb")
{
    xl_illegal(t);
}

INSN(pcmpgtw, "VEX?.66.0F 65 /r Vx,Hx,Wx", "{v}pcmpgtw")
{
    xl_illegal(t);
}

INSN(pcmpgtd, "VEX?.66.0F 66 /r Vx,Hx,Wx", "{v}pcmpgtd")
{
    xl_illegal(t);
}

INSN(packuswb, "VEX?.66.0F 67 /r Vx,Hx,Wx", "{v}packuswb")
{
    xl_illegal(t);
}

INSN(punpckhbw, "VEX?.66.0F 68 /r Vx,Hx,Wx", "{v}punpckhbw")
{
    xl_illegal(t);
}

INSN(punpckhwd, "VEX?.66.0F 69 /r Vx,Hx,Wx", "{v}punpckhwd")
{
    xl_illegal(t);
}

INSN(punpckhdq, "VEX?.66.0F 6A /r Vx,Hx,Wx", "{v}punpckhdq")
{
    xl_illegal(t);
}

INSN(packssdw, "VEX?.66.0F 6B /r Vx,Hx,Wx", "{v}packssdw")
{
    xl_illegal(t);
}

INSN(punpcklqdq, "VEX?.66.0F 6C /r Vx,Hx,Wx", "{v}punpcklqdq")
{
    xl_illegal(t);
}

INSN(punpckhqdq, "VEX?.66.0F 6D /r Vx,Hx,Wx", "{v}punpckhqdq")
{
    xl_illegal(t);
}

INSN(pcmpeqb, "VEX?.66.0F 74 /r Vx,Hx,Wx", "{v}pcmpeqb")
{
    xl_illegal(t);
}

INSN(pcmpeqw, "VEX?.66.0F 75 /r Vx,Hx,Wx", "{v}pcmpeqw")
{
    xl_illegal(t);
}

INSN(pcmpeqd, "VEX?.66.0F 76 /r Vx,Hx,Wx", "{v}pcmpeqd")
{
    xl_illegal(t);
}

INSN(paddq, "VEX?.66.0F D4 /r Vx,Hx,Wx", "{v}paddq")
{
    xl_illegal(t);
}

INSN(pmullw, "VEX?.66.0F D5 /r Vx,Hx,Wx", "{v}pmullw")
{
    xl_illegal(t);
}

INSN(psubusb, "VEX?.66.0F D8 /r Vx,Hx,Wx", "{v}psubusb")
{
    xl_illegal(t);
}

INSN(psubusw, "VEX?.66.0F D9 /r Vx,Hx,Wx", "{v}psubusw")
{
    xl_illegal(t);
}

INSN(pminub, "VEX?.66.0F DA /r Vx,Hx,Wx", "{v}pminub")
{
    xl_illegal(t);
}

INSN(pand, "VEX?.66.0F DB /r Vx,Hx,Wx", "{v}pand")
{
    xl_illegal(t);
}

INSN(paddusb, "VEX?.66.0F DC /r Vx,Hx,Wx", "{v}paddusb")
{
    xl_illegal(t);
}

INSN(paddusw, "VEX?.66.0F DD /r Vx,Hx,Wx", "{v}paddusw")
{
    xl_illegal(t);
}

INSN(pmaxub, "VEX?.66.0F DE /r Vx,Hx,Wx", "{v}pmaxub")
{
    xl_illegal(t);
}

INSN(pandn, "VEX?.66.0F DF /r Vx,Hx,Wx", "{v}pandn")
{
    xl_illegal(t);
}

INSN(pavgb, "VEX?.66.0F E0 /r Vx,Hx,Wx", "{v}pavgb")
{
    xl_illegal(t);
}

INSN(pavgw, "VEX?.66.0F E3 /r Vx,Hx,Wx", "{v}pavgw")
{
    xl_illegal(t);
}

INSN(pmulhuw, "VEX?.66.0F E4 /r Vx,Hx,Wx", "{v}pmulhuw")
{
    xl_illegal(t);
}

INSN(pmulhw, "VEX?.66.0F E5 /r Vx,Hx,Wx", "{v}pmulhw")
{
    xl_illegal(t);
}

INSN(psubsb, "VEX?.66.0F E8 /r Vx,Hx,Wx", "{v}psubsb")
{
    xl_illegal(t);
}

INSN(psubsw, "VEX?.66.0F E9 /r Vx,Hx,Wx", "{v}psubsw")
{
    xl_illegal(t);
}

INSN(pminsw, "VEX?.66.0F EA /r Vx,Hx,Wx", "{v}pminsw")
{
    xl_illegal(t);
}

INSN(por, "VEX?.66.0F EB /r Vx,Hx,Wx", "{v}por")
{
    xl_illegal(t);
}

INSN(paddsb, "VEX?.66.0F EC /r Vx,Hx,Wx", "{v}paddsb")
{
    xl_illegal(t);
}

INSN(paddsw, "VEX?.66.0F ED /r Vx,Hx,Wx", "{v}paddsw")
{
    xl_illegal(t);
}

INSN(pmaxsw, "VEX?.66.0F EE /r Vx,Hx,Wx", "{v}pmaxsw")
{
    xl_illegal(t);
}

INSN(pxor, "VEX?.66.0F EF /r Vx,Hx,Wx", "{v}pxor")
{
    xl_illegal(t);
}

INSN(pmuludq, "VEX?.66.0F F4 /r Vx,Hx,Wx", "{v}pmuludq")
{
    xl_illegal(t);
}

INSN(pmaddwd, "VEX?.66.0F F5 /r Vx,Hx,Wx", "{v}pmaddwd")
{
    xl_illegal(t);
}

INSN(psadbw, "VEX?.66.0F F6 /r Vx,Hx,Wx", "{v}psadbw")
{
    xl_illegal(t);
}

INSN(psubb, "VEX?.66.0F F8 /r Vx,Hx,Wx", "{v}psubb")
{
    xl_illegal(t);
}

INSN(psubw, "VEX?.66.0F F9 /r Vx,Hx,Wx", "{v}psubw")
{
    xl_illegal(t);
}

INSN(psubd, "VEX?.66.0F FA /r Vx,Hx,Wx", "{v}psubd")
{
    xl_illegal(t);
}

INSN(psubq, "VEX?.66.0F FB /r Vx,Hx,Wx", "{v}psubq")
{
    xl_illegal(t);
}

INSN(paddb, "VEX?.66.0F FC /r Vx,Hx,Wx", "{v}paddb")
{
    xl_illegal(t);
}

INSN(paddw, "VEX?.66.0F FD /r Vx,Hx,Wx", "{v}paddw")
{
    xl_illegal(t);
}

INSN(paddd, "VEX?.66.0F FE /r Vx,Hx,Wx", "{v}paddd")
{
    xl_illegal(t);
}

INSN(psrlw, "VEX?.66.0F D1 /r Vx,Hx,Wdq | 66 0F 71 /2 Ux,Ib | VEX.66.0F 71 /2 Hx,Ux,Ib", "{v}psrlw")
{
    xl_illegal(t);
}

INSN(psrld, "VEX?.66.0F D2 /r Vx,Hx,Wdq | 66 0F 72 /2 Ux,Ib | VEX.66.0F 72 /2 Hx,Ux,Ib", "{v}psrld")
{
    xl_illegal(t);
}

INSN(psrlq, "VEX?.66.0F D3 /r Vx,Hx,Wdq | 66 0F 73 /2 Ux,Ib | VEX.66.0F 73 /2 Hx,Ux,Ib", "{v}psrlq")
{
    xl_illegal(t);
}

INSN(psraw, "VEX?.66.0F E1 /r Vx,Hx,Wdq | 66 0F 71 /4 Ux,Ib | VEX.66.0F 71 /4 Hx,Ux,Ib", "{v}psraw")
{
    xl_illegal(t);
}

INSN(psrad, "VEX?.66.0F E2 /r Vx,Hx,Wdq | 66 0F 72 /4 Ux,Ib | VEX.66.0F 72 /4 Hx,Ux,Ib", "{v}psrad")
{
    xl_illegal(t);
}

INSN(psllw, "VEX?.66.0F F1 /r Vx,Hx,Wdq | 66 0F 71 /6 Ux,Ib | VEX.66.0F 71 /6 Hx,Ux,Ib", "{v}psllw")
{
    xl_illegal(t);
}

INSN(pslld, "VEX?.66.0F F2 /r Vx,Hx,Wdq | 66 0F 72 /6 Ux,Ib | VEX.66.0F 72 /6 Hx,Ux,Ib", "{v}pslld")
{
    xl_illegal(t);
}

INSN(psllq, "VEX?.66.0F F3 /r Vx,Hx,Wdq | 66 0F 73 /6 Ux,Ib | VEX.66.0F 73 /6 Hx,Ux,Ib", "{v}psllq")
{
    xl_illegal(t);
}

INSN(psrldq, "66 0F 73 /3 Ux,Ib | VEX.66.0F 73 /3 Hx,Ux,Ib", "{v}psrldq")
{
    xl_illegal(t);
}

INSN(pslldq, "66 0F 73 /7 Ux,Ib | VEX.66.0F 73 /7 Hx,Ux,Ib", "{v}pslldq")
{
    xl_illegal(t);
}

INSN(pshufb, "VEX?.66.0F38 00 /r Vx,Hx,Wx", "{v}pshufb")
{
    xl_illegal(t);
}

INSN(phaddw, "VEX?.66.0F38 01 /r Vx,Hx,Wx", "{v}phaddw")
{
    xl_illegal(t);
}

INSN(phaddd, "VEX?.66.0F38 02 /r Vx,Hx,Wx", "{v}phaddd")
{
    xl_illegal(t);
}

INSN(pmaddubsw, "VEX?.66.0F38 04 /r Vx,Hx,Wx", "{v}pmaddubsw")
{
    xl_illegal(t);
}

INSN(pmulhrsw, "VEX?.66.0F38 0B /r Vx,Hx,Wx", "{v}pmulhrsw")
{
    xl_illegal(t);
}

INSN(pmuldq, "VEX?.66.0F38 28 /r Vx,Hx,Wx", "{v}pmuldq")
{
    xl_illegal(t);
}

INSN(pcmpeqq, "VEX?.66.0F38 29 /r Vx,Hx,Wx", "{v}pcmpeqq")
{
    xl_illegal(t);
}

INSN(pcmpgtq, "VEX?.66.0F38 37 /r Vx,Hx,Wx", "{v}pcmpgtq")
{
    xl_illegal(t);
}

INSN(pminsb, "VEX?.66.0F38 38 /r Vx,Hx,Wx", "{v}pminsb")
{
    xl_illegal(t);
}

INSN(pminsd, "VEX?.66.0F38 39 /r Vx,Hx,Wx", "{v}pminsd")
{
    xl_illegal(t);
}

INSN(pminuw, "VEX?.66.0F38 3A /r Vx,Hx,Wx", "{v}pminuw")
{
    xl_illegal(t);
}

INSN(pminud, "VEX?.66.0F38 3B /r Vx,Hx,Wx", "{v}pminud")
{
    xl_illegal(t);
}

INSN(pmaxsb, "VEX?.66.0F38 3C /r Vx,Hx,Wx", "{v}pmaxsb")
{
    xl_illegal(t);
}

INSN(pmaxsd, "VEX?.66.0F38 3D /r Vx,Hx,Wx", "{v}pmaxsd")
{
    xl_illegal(t);
}

INSN(pmaxuw, "VEX?.66.0F38 3E /r Vx,Hx,Wx", "{v}pmaxuw")
{
    xl_illegal(t);
}

INSN(pmaxud, "VEX?.66.0F38 3F /r Vx,Hx,Wx", "{v}pmaxud")
{
    xl_illegal(t);
}

INSN(pmulld, "VEX?.66.0F38 40 /r Vx,Hx,Wx", "{v}pmulld")
{
    xl_illegal(t);
}

INSN(aesenc, "VEX?.66.0F38 DC /r Vx,Hx,Wx", "{v}aesenc")
{
    xl_illegal(t);
}

INSN(aesdec, "VEX?.66.0F38 DE /r Vx,Hx,Wx", "{v}aesdec")
{
    xl_illegal(t);
}

INSN(ptest, "VEX?.66.0F38 17 /r Vx,Wx", "{v}ptest")
{
    xl_illegal(t);
}

INSN(pabsb, "VEX?.66.0F38 1C /r Vx,Wx", "{v}pabsb")
{
    xl_illegal(t);
}

INSN(pabsw, "VEX?.66.0F38 1D /r Vx,Wx", "{v}pabsw")
{
    xl_illegal(t);
}

INSN(pabsd, "VEX?.66.0F38 1E /r Vx,Wx", "{v}pabsd")
{
    xl_illegal(t);
}

INSN(pmovsxbw, "66 0F 38 20 /r Vdq,Wq", "pmovsxbw")
{
    xl_illegal(t);
}

INSN(pmovsxwd, "66 0F 38 23 /r Vdq,Wq", "pmovsxwd")
{
    xl_illegal(t);
}

INSN(pmovsxdq, "66 0F 38 25 /r Vdq,Wq", "pmovsxdq")
{
    xl_illegal(t);
}

INSN(pmovzxbw, "66 0F 38 30 /r Vdq,Wq", "pmovzxbw")
{
    xl_illegal(t);
}

INSN(pmovzxwd, "66 0F 38 33 /r Vdq,Wq", "pmovzxwd")
{
    xl_illegal(t);
}

INSN(pmovzxdq, "66 0F 38 35 /r Vdq,Wq", "pmovzxdq")
{
    xl_illegal(t);
}

INSN(palignr, "66 0F 3A 0F /r Vdq,Wdq,Ib", "palignr")
{
    xl_illegal(t);
}

INSN(pextrd, "66 0F 3A 16 /r W0 Ed,Vdq,Ib", "pextrd")
{
    xl_illegal(t);
}

INSN(pextrq, "66 0F 3A 16 /r W1 Eq,Vdq,Ib", "pextrq")
{
    xl_illegal(t);
}

INSN(pinsrd, "66 0F 3A 22 /r W0 Vdq,Ed,Ib", "pinsrd")
{
    xl_illegal(t);
}

INSN(pinsrq, "66 0F 3A 22 /r W1 Vdq,Eq,Ib", "pinsrq")
{
    xl_illegal(t);
}

INSN(roundss, "66 0F 3A 0A /r Vss,Wss,Ib", "roundss")
{
    xl_illegal(t);
}

INSN(roundsd, "66 0F 3A 0B /r Vsd,Wsd,Ib", "roundsd")
{
    xl_illegal(t);
}

INSN(pcmpistri, "66 0F 3A 63 /r Vdq,Wdq,Ib", "pcmpistri")
{
    xl_illegal(t);
}

INSN(vzeroupper, "VEX.L0.NP.0F 77", "vzeroupper")
{
    xl_illegal(t);
}

INSN(vzeroall, "VEX.L1.NP.0F 77", "vzeroall")
{
    xl_illegal(t);
}

INSN(vpbroadcastb, "VEX.66.0F38.W0 78 /r Vx,Wb", "vpbroadcastb")
{
    xl_illegal(t);
}

INSN(vpbroadcastw, "VEX.66.0F38.W0 79 /r Vx,Ww", "vpbroadcastw")
{
    xl_illegal(t);
}

INSN(vpbroadcastd, "VEX.66.0F38.W0 58 /r Vx,Wd", "vpbroadcastd")
{
    xl_illegal(t);
}

INSN(vpbroadcastq, "VEX.66.0F38.W0 59 /r Vx,Wq", "vpbroadcastq")
{
    xl_illegal(t);
}

INSN(vbroadcastss, "VEX.66.0F38.W0 18 /r Vx,Wss", "vbroadcastss")
{
    xl_illegal(t);
}

INSN(vpsllvd, "VEX.66.0F38.W0 47 /r Vx,Hx,Wx", "vpsllvd")
{
    xl_illegal(t);
}

INSN(vpsllvq, "VEX.66.0F38.W1 47 /r Vx,Hx,Wx", "vpsllvq")
{
    xl_illegal(t);
}

INSN(vpsrlvd, "VEX.66.0F38.W0 45 /r Vx,Hx,Wx", "vpsrlvd")
{
    xl_illegal(t);
}

INSN(vpsrlvq, "VEX.66.0F38.W1 45 /r Vx,Hx,Wx", "vpsrlvq")
{
    xl_illegal(t);
}

INSN(vfmadd132ps, "VEX.66.0F38.W0 98 /r Vps,Hps,Wps", "vfmadd132ps")
{
    xl_illegal(t);
}

INSN(vfmadd132pd, "VEX.66.0F38.W1 98 /r Vpd,Hpd,Wpd", "vfmadd132pd")
{
    xl_illegal(t);
}

INSN(vfmadd132ss, "VEX.66.0F38.W0 99 /r Vss,Hss,Wss", "vfmadd132ss")
{
    xl_illegal(t);
}

INSN(vfmadd132sd, "VEX.66.0F38.W1 99 /r Vsd,Hsd,Wsd", "vfmadd132sd")
{
    xl_illegal(t);
}

INSN(vfmsub132ps, "VEX.66.0F38.W0 9A /r Vps,Hps,Wps", "vfmsub132ps")
{
    xl_illegal(t);
}

INSN(vfmsub132pd, "VEX.66.0F38.W1 9A /r Vpd,Hpd,Wpd", "vfmsub132pd")
{
    xl_illegal(t);
}

INSN(vfmsub132ss, "VEX.66.0F38.W0 9B /r Vss,Hss,Wss", "vfmsub132ss")
{
    xl_illegal(t);
}

INSN(vfmsub132sd, "VEX.66.0F38.W1 9B /r Vsd,Hsd,Wsd", "vfmsub132sd")
{
    xl_illegal(t);
}

INSN(vfnmadd132ps, "VEX.66.0F38.W0 9C /r Vps,Hps,Wps", "vfnmadd132ps")
{
    xl_illegal(t);
}

INSN(vfnmadd132pd, "VEX.66.0F38.W1 9C /r Vpd,Hpd,Wpd", "vfnmadd132pd")
{
    xl_illegal(t);
}

INSN(vfnmadd132ss, "VEX.66.0F38.W0 9D /r Vss,Hss,Wss", "vfnmadd132ss")
{
    xl_illegal(t);
}

INSN(vfnmadd132sd, "VEX.66.0F38.W1 9D /r Vsd,Hsd,Wsd", "vfnmadd132sd")
{
    xl_illegal(t);
}

INSN(vfnmsub132ps, "VEX.66.0F38.W0 9E /r Vps,Hps,Wps", "vfnmsub132ps")
{
    xl_illegal(t);
}

INSN(vfnmsub132pd, "VEX.66.0F38.W1 9E /r Vpd,Hpd,Wpd", "vfnmsub132pd")
{
    xl_illegal(t);
}

INSN(vfnmsub132ss, "VEX.66.0F38.W0 9F /r Vss,Hss,Wss", "vfnmsub132ss")
{
    xl_illegal(t);
}

INSN(vfnmsub132sd, "VEX.66.0F38.W1 9F /r Vsd,Hsd,Wsd", "vfnmsub132sd")
{
    xl_illegal(t);
}

INSN(vfmadd213ps, "VEX.66.0F38.W0 A8 /r Vps,Hps,Wps", "vfmadd213ps")
{
    xl_illegal(t);
}

INSN(vfmadd213pd, "VEX.66.0F38.W1 A8 /r Vpd,Hpd,Wpd", "vfmadd213pd")
{
    xl_illegal(t);
}

INSN(vfmadd213ss, "VEX.66.0F38.W0 A9 /r Vss,Hss,Wss", "vfmadd213ss")
{
    xl_illegal(t);
}

INSN(vfmadd213sd, "VEX.66.0F38.W1 A9 /r Vsd,Hsd,Wsd", "vfmadd213sd")
{
    xl_illegal(t);
}

INSN(vfmsub213ps, "VEX.66.0F38.W0 AA /r Vps,Hps,Wps", "vfmsub213ps")
{
    xl_illegal(t);
}

INSN(vfmsub213pd, "VEX.66.0F38.W1 AA /r Vpd,Hpd,Wpd", "vfmsub213pd")
{
    xl_illegal(t);
}

INSN(vfmsub213ss, "VEX.66.0F38.W0 AB /r Vss,Hss,Wss", "vfmsub213ss")
{
    xl_illegal(t);
}

INSN(vfmsub213sd, "VEX.66.0F38.W1 AB /r Vsd,Hsd,Wsd", "vfmsub213sd")
{
    xl_illegal(t);
}

INSN(vfnmadd213ps, "VEX.66.0F38.W0 AC /r Vps,Hps,Wps", "vfnmadd213ps")
{
    xl_illegal(t);
}

INSN(vfnmadd213pd, "VEX.66.0F38.W1 AC /r Vpd,Hpd,Wpd", "vfnmadd213pd")
{
    xl_illegal(t);
}

INSN(vfnmadd213ss, "VEX.66.0F38.W0 AD /r Vss,Hss,Wss", "vfnmadd213ss")
{
    xl_illegal(t);
}

INSN(vfnmadd213sd, "VEX.66.0F38.W1 AD /r Vsd,Hsd,Wsd", "vfnmadd213sd")
{
    xl_illegal(t);
}

INSN(vfnmsub213ps, "VEX.66.0F38.W0 AE /r Vps,Hps,Wps", "vfnmsub213ps")
{
    xl_illegal(t);
}

INSN(vfnmsub213pd, "VEX.66.0F38.W1 AE /r Vpd,Hpd,Wpd", "vfnmsub213pd")
{
    xl_illegal(t);
}

INSN(vfnmsub213ss, "VEX.66.0F38.W0 AF /r Vss,Hss,Wss", "vfnmsub213ss")
{
    xl_illegal(t);
}

INSN(vfnmsub213sd, "VEX.66.0F38.W1 AF /r Vsd,Hsd,Wsd", "vfnmsub213sd")
{
    xl_illegal(t);
}

INSN(vfmadd231ps, "VEX.66.0F38.W0 B8 /r Vps,Hps,Wps", "vfmadd231ps")
{
    xl_illegal(t);
}

INSN(vfmadd231pd, "VEX.66.0F38.W1 B8 /r Vpd,Hpd,Wpd", "vfmadd231pd")
{
    xl_illegal(t);
}

INSN(vfmadd231ss, "VEX.66.0F38.W0 B9 /r Vss,Hss,Wss", "vfmadd231ss")
{
    xl_illegal(t);
}

INSN(vfmadd231sd, "VEX.66.0F38.W1 B9 /r Vsd,Hsd,Wsd", "vfmadd231sd")
{
    xl_illegal(t);
}

INSN(vfmsub231ps, "VEX.66.0F38.W0 BA /r Vps,Hps,Wps", "vfmsub231ps")
{
    xl_illegal(t);
}

INSN(vfmsub231pd, "VEX.66.0F38.W1 BA /r Vpd,Hpd,Wpd", "vfmsub231pd")
{
    xl_illegal(t);
}

INSN(vfmsub231ss, "VEX.66.0F38.W0 BB /r Vss,Hss,Wss", "vfmsub231ss")
{
    xl_illegal(t);
}

INSN(vfmsub231sd, "VEX.66.0F38.W1 BB /r Vsd,Hsd,Wsd", "vfmsub231sd")
{
    xl_illegal(t);
}

INSN(vfnmadd231ps, "VEX.66.0F38.W0 BC /r Vps,Hps,Wps", "vfnmadd231ps")
{
    xl_illegal(t);
}

INSN(vfnmadd231pd, "VEX.66.0F38.W1 BC /r Vpd,Hpd,Wpd", "vfnmadd231pd")
{
    xl_illegal(t);
}

INSN(vfnmadd231ss, "VEX.66.0F38.W0 BD /r Vss,Hss,Wss", "vfnmadd231ss")
{
    xl_illegal(t);
}

INSN(vfnmadd231sd, "VEX.66.0F38.W1 BD /r Vsd,Hsd,Wsd", "vfnmadd231sd")
{
    xl_illegal(t);
}

INSN(vfnmsub231ps, "VEX.66.0F38.W0 BE /r Vps,Hps,Wps", "vfnmsub231ps")
{
    xl_illegal(t);
}

INSN(vfnmsub231pd, "VEX.66.0F38.W1 BE /r Vpd,Hpd,Wpd", "vfnmsub231pd")
{
    xl_illegal(t);
}

INSN(vfnmsub231ss, "VEX.66.0F38.W0 BF /r Vss,Hss,Wss", "vfnmsub231ss")
{
    xl_illegal(t);
}

INSN(vfnmsub231sd, "VEX.66.0F38.W1 BF /r Vsd,Hsd,Wsd", "vfnmsub231sd")
{
    xl_illegal(t);
}
