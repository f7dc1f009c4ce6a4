/*
 * Bitfields, immediates, shifts, counts.
 * expect: x1=0x123456789abcdef0 x2=0xde x3=0xffffffffffffffde x4=0xde00 x5=0xffffffffffffde00 x6=0x12345678debcdef0
 * expect: x7=0xffffffff9abcdef0 x8=0x9abcdef0 x9=0xf0 x10=0xdef01234 x11=0x0f7b3d591e6a2c48 x12=0xf0debc9a78563412
 * expect: x13=0xdef09abc56781234 x14=0x78563412f0debc9a x15=3 x16=2 x17=31 x18=0xff00ff00ff00ff00 x19=0xcccccccc x20=0xabcd0000
 * expect: x21=0xffffffff5432ffff x22=0xf012345678 x23=0x91a2b3c x24=0xfffffffffffff123 x25=0x0 x26=0x80000000
 */
#include "test.inc"
BEGIN
    movz x1, #0xdef0
    movk x1, #0x9abc, lsl #16
    movk x1, #0x5678, lsl #32
    movk x1, #0x1234, lsl #48
    ubfx x2, x1, #8, #8
    sbfx x3, x1, #8, #8
    ubfiz x4, x2, #8, #8
    sbfiz x5, x2, #8, #8
    mov x6, x1
    bfi x6, x2, #24, #8
    sxtw x7, w1
    mov w8, w1
    uxtb w9, w1
    mov w10, #0x1234
    bfi w10, w1, #16, #16
    rbit x11, x1
    rev x12, x1
    rev32 x14, x1
    rev16 x13, x12
    clz x15, x1
    cls x16, x1
    cls w17, wzr
    mov x18, #0xff00ff00ff00ff00
    mov w19, #0xcccccccc
    movz w20, #0xabcd, lsl #16
    movn x21, #0xabcd, lsl #16
    extr x22, x2, x1, #32
    bfc x22, #40, #24
    mov x25, #0xf0
    bfi x22, x25, #32, #8
    ror w23, w1, #4
    movz w23, #0x5678
    movk w23, #0x1234, lsl #16
    lsr w23, w23, #1
    asr x24, x1, #48
    mov w24, #0xf123
    sxth x24, w24
    mov x25, #64
    lsl x25, x1, x25            // the amount is taken modulo 64
    sub x25, x25, x1
    mov w26, #0x80000000
END
