/*
 * Flags of add, subtract, with carry, logical and conditional compare.
 * expect: x1=0x80000000 x2=0x9 x3=0x6 x4=0x8 x5=0x3 x6=0x4 x25=0x2 x8=0x5 x9=0x2
 * expect: x10=0x9 x11=0xa x12=0x0 x13=0x1 x14=0x8000000000000000 x15=0x9
 * expect: x16=0x2 x17=0x0 x18=0x6 x19=0x3
 */
#include "test.inc"
.macro FLAGS r
    mrs \r, nzcv
    lsr \r, \r, #28
.endm
BEGIN
    mov w1, #0x7fffffff
    adds w1, w1, #1             // N V
    FLAGS x2
    mov x3, #5
    cmp x3, #5                  // Z C
    FLAGS x3
    mov x4, #0
    cmp x4, #1                  // N
    FLAGS x4
    mov w5, #0x80000000
    cmp w5, #1                  // C V
    FLAGS x5
    tst xzr, #1                 // Z, C and V cleared
    FLAGS x6
    mov x7, #-1
    cmn x7, #2                  // carry, not zero
    FLAGS x25
    cmp xzr, xzr                // Z C
    ccmp x7, x7, #5, ne         // not equal: no, so the immediate
    FLAGS x8
    ccmp x7, #1, #0, vs         // overflow is set: compare -1 with 1: N C? -1 - 1 = -2: N, C
    ccmn x7, #3, #0, mi         // -1 + 3: C
    FLAGS x9
    // 128-bit addition: low halves carry into the high ones
    mov x20, #-1
    mov x21, #0x7fffffffffffffff
    adds x22, x20, #1
    adcs x14, x21, xzr          // N V
    FLAGS x10
    mov x11, x10
    // 128-bit subtraction 0 - 1
    subs x22, xzr, x20          // 0 - -1 = 1: borrow
    sbcs x23, xzr, xzr          // -1: N
    cset x12, cs
    cset x13, cc
    FLAGS x11
    add x11, x11, #2
    mov x15, x10
    // sbc without borrow
    cmp x7, #1
    sbcs x24, x7, x7            // C in: 0, Z C
    FLAGS x18
    csel x16, x13, xzr, ne
    cinc x16, x16, eq
    cinc x16, x16, eq
    csetm x17, ne
    csneg x19, x13, x20, eq
    cneg x19, x19, eq
    neg x19, x19
    add x19, x19, #2
END
