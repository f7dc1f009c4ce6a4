/*
 * Exclusives, compare-and-swap, LSE operations, acquire and release.
 * expect: x1=0x11 x2=0 x3=1 x4=0x22 x5=0x22 x6=1 x7=5 x8=6 x9=0xfffffffffffffffe x10=0xfe x11=0x80 x12=0x7f x13=3 x14=4
 * expect: x15=0 x16=0x100 x17=0x200 x18=0x22 x19=0x77 x20=0x1111 x21=0x2222 x24=0xaaaa x25=0xbbbb x26=0xffffff80
 */
#include "test.inc"
BEGIN
    mov x1, #0x11
    str x1, [x0]
    mov x4, #0x22
    ldxr x5, [x0]
    stxr w2, x4, [x0]           // 0: stored
    stxr w3, x5, [x0]           // 1: no reservation any more
    ldr x5, [x0]
    ldaxr x18, [x0]
    clrex
    stlxr w6, x1, [x0]          // 1: cleared
    // pairs
    mov x16, #0x100
    mov x17, #0x200
    stp x16, x17, [x0, #16]
    add x28, x0, #16
    ldxp x16, x17, [x28]
    mov x20, #0x1111
    mov x21, #0x2222
    stlxp w15, x20, x21, [x28]
    ldp x20, x21, [x0, #16]
    // CASP: fails, then succeeds
    mov x22, #1
    mov x23, #2
    mov x24, #0xaaaa
    mov x25, #0xbbbb
    casp x22, x23, x24, x25, [x28]      // loads 1111 2222
    caspal x22, x23, x24, x25, [x28]
    ldp x24, x25, [x28]
    // CAS
    mov w19, #0x99
    mov w27, #0x77
    cas w19, w27, [x0]                  // fails: w19 = 0x22
    casal w19, w27, [x0]
    ldar w19, [x0]
    // LSE on bytes and double words
    mov x7, #5
    str x7, [x0, #64]
    add x28, x0, #64
    mov x29, #1
    ldadd x29, x7, [x28]                // 5
    ldr x8, [x28]
    mov x9, #-2
    stlr x9, [x28]
    mov w10, #1
    ldsetalb w10, w10, [x28]            // fe
    mov w11, #0x80
    strb w11, [x28]
    mov w12, #0x7f
    ldsmaxb w12, w11, [x28]             // 80; memory 7f, as 0x80 is negative
    ldrb w12, [x28]
    mov w13, #3
    str w13, [x28]
    mov w14, #4
    ldumax w14, w13, [x28]
    ldapr w14, [x28]
    mov w26, #0x80
    strb w26, [x28]
    ldrsb w26, [x28]
    ldr x9, =0xfffffffffffffffe
END
