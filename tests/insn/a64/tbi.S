/*
 * Top byte ignore: loads, stores, exclusives and branches with a tagged address, in straight code and in a loop that ran
 * untagged before.
 * expect: x1=0x55 x2=0x55 x3=0 x4=0x66 x5=0x800 x6=1 x7=0x3a
 */
#include "test.inc"
BEGIN
    mov x28, x0
    mov x20, #0x3a00000000000000
    mov x27, #2
    mov x5, #0
1:  mov x24, #0
2:  str x24, [x28, x24]         // first round plain, second tagged
    ldr x25, [x28, x24]
    add x5, x5, x25
    add x24, x24, #8
    cmp x24, #184
    b.ne 2b
    orr x28, x0, x20
    subs x27, x27, #1
    b.ne 1b
    sub x5, x5, #0x7d0
    mov x1, #0x55
    str x1, [x28, #8]
    ldr x2, [x0, #8]
    mov x4, #0x66
    ldxr x21, [x28]
    stxr w3, x4, [x28]
    ldr x4, [x0]
    mov x6, #0
    adr x22, 3f
    orr x22, x22, x20
    br x22
    b 4f
3:  mov x6, #1
4:  lsr x7, x28, #56
END
