/*
 * FRSQRTS under FPCR.FZ16 and rounding to zero: (3 - 2^-14 * 2^-14) / 2 has one rounding, and no operand is flushed.
 * expect: v1=0x3dff v2=0x3e00 fpsr=0x10
 */
#include "test.inc"
BEGIN
    mov w1, #0x00c80000
    mov w2, #0x0400             // 2^-14, the smallest normal number
    fmov h0, w2
    mov w3, #0x0200             // a denormal: flushed, the result is exact
    fmov h3, w3
    msr fpcr, x1
    frsqrts h1, h0, h0
    frsqrts h2, h3, h0
    msr fpcr, xzr
END
