/*
 * Addressing modes, sign extension, pairs, structures.
 * expect: x1=0x1020 x2=0xffffffffffffff88 x3=0xffffff88 x4=0x8899 x5=0xffffffffffff8899 x6=0x1030 x7=0x1028
 * expect: x8=0x2 x9=0x1 x10=0x1010 x11=0xffffffff88776655 x12=0x44332211 x13=0x1005 x14=0x6655 x15=0x8877665544332211
 * expect: v0=0x0c0906030c090600_0c09060300000000 v1=0x0_1d1a1714110e0b08 v2=0x0_0201 v3=0x0403020104030201_0403020104030201
 * expect: v4=0xff00ff00ff00ff_00ff00ff00ff00ff v5=0x8877665544332211_1 v6=0x0_0706050403020100
 */
#include "test.inc"
BEGIN
    add x1, x0, #1, lsl #12
    mov x20, x1
    movz x15, #0x2211
    movk x15, #0x4433, lsl #16
    movk x15, #0x6655, lsl #32
    movk x15, #0x8877, lsl #48
    str x15, [x1, #8]!          // 1008
    add x1, x1, #24             // 1020
    mov w2, #0x88
    sturb w2, [x1, #-1]
    ldursb x2, [x1, #-1]
    ldursb w3, [x1, #-1]
    mov w4, #0x8899
    strh w4, [x1, #2]
    ldrsh x5, [x1, #2]
    ldrh w4, [x1, #2]
    add x6, x1, #16
    mov x7, x1
    ldr xzr, [x7], #8           // 1028
    mov x8, #1
    mov x9, #2
    stp x8, x9, [x20, #-16]!
    ldp x9, x8, [x20], #32      // 1, 2: swapped; 1010
    mov x10, x20
    add x21, x0, #1, lsl #12
    mov w22, #1
    add x23, x21, w22, uxtw #3
    ldpsw x12, x11, [x23]
    ldr x12, [x23]
    and x12, x12, #0xffffffff
    mov x13, x21
    ldrb w14, [x13], #5
    mov x24, #2
    add x25, x23, #2
    ldrh w14, [x25, x24]        // 100c
    // structures: 24 bytes of 0..23 style
    mov x26, x0
    mov w27, #0
1:  strb w27, [x26], #1
    add w27, w27, #1
    cmp w27, #64
    b.ne 1b
    mov x26, x0
    ld3 {v0.8b, v1.8b, v2.8b}, [x26], #24
    mov x28, #8
    add x26, x0, #8
    ld3 {v28.8b, v29.8b, v30.8b}, [x26]
    mov v1.16b, v28.16b
    add x26, x0, #256
    st3 {v28.8b, v29.8b, v30.8b}, [x26]
    ldr d6, [x0]
    ldr h2, [x0, #1]
    ldr w27, =0x04030201
    str w27, [x26]
    ld1r {v3.4s}, [x26]
    movi v4.8h, #0xff
    mov x27, #1
    str x27, [x26]
    ld1 {v5.d}[0], [x26]
    str x15, [x26]
    ld1 {v5.d}[1], [x26]
    // v0: 00 03 06 09 0c ... as loaded, then spread to both halves with lane loads
    ldr w27, =0x0c090603
    str w27, [x26]
    movi v0.16b, #0
    ld1 {v0.s}[1], [x26]
    ld1 {v0.s}[3], [x26]
    mov w27, #0x0600
    movk w27, #0x0c09, lsl #16
    str w27, [x26]
    ld1 {v0.s}[2], [x26]
END
