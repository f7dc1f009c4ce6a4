/*
 * Pointer authentication: signing and authenticating give the address back, a wrong modifier or key does not, and neither
 * does a changed code. XPAC strips. Keys are random, so the codes themselves are not looked at; chances of a false match are
 * 1 in 128 each, hence several modifiers.
 * expect: x1=1 x2=1 x3=1 x4=1 x5=1 x6=0x12345678 x7=0xffff000000001000 x8=1 x9=1 x10=1
 * cpu: max max,pauth-impdef=off
 */
#include "test.inc"
BEGIN
    add x20, x0, #0x123
    mov x21, #77
    mov x22, x20
    pacia x22, x21
    mov x23, x22
    autia x23, x21
    cmp x23, x20
    cset x1, eq
    // wrong modifiers: at least one of eight fails
    mov x2, #0
    mov x24, #8
1:  add x25, x21, x24
    mov x23, x22
    autia x23, x25
    cmp x23, x20
    csinc x2, x2, xzr, eq
    subs x24, x24, #1
    b.ne 1b
    // data keys, zero modifier
    mov x22, x20
    pacdzb x22
    autdzb x22
    cmp x22, x20
    cset x3, eq
    // sp and the link register
    mov x29, sp
    mov x30, x20
    paciasp
    autiasp
    cmp x30, x20
    cset x4, eq
    // combined branch
    adr x26, 2f
    pacib x26, x21
    mov x5, #0
    blrab x26, x21
    b 3f
2:  mov x5, #1
3:
    mov x6, #0x5678
    movk x6, #0x1234, lsl #16
    movk x6, #0x0055, lsl #48
    xpaci x6
    mov x7, #0x1000
    movk x7, #0x00c0, lsl #48
    xpacd x7
    // generic: low half zero, depends on the modifier
    mov x27, #0x42
    pacga x28, x20, x27
    cmp w28, #0
    cset x8, eq
    mov x9, #0
    mov x24, #8
4:  pacga x25, x20, x24
    cmp x25, x28
    csinc x9, x9, xzr, eq
    subs x24, x24, #1
    b.ne 4b
    // one algorithm is announced: APA or API
    mrs x28, id_aa64isar1_el1
    ubfx x25, x28, #4, #4
    cmp x25, #0
    cset x10, ne
    ubfx x25, x28, #8, #4
    cmp x25, #0
    cinc x10, x10, ne
END
