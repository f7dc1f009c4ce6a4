// start.S: entry, vectors and changes of exception level for the bare-metal tests. Linked at 0x40080000; runs at the level it finds.
    .section .text.start
    .global _start
_start:
    mrs x1, mpidr_el1
    and x1, x1, #0xff
    ldr x2, =stack_top
    sub x2, x2, x1, lsl #14
    mov sp, x2
    mrs x1, CurrentEL
    lsr x1, x1, #2
    adr x2, vectors1
    msr vbar_el1, x2
    cmp x1, #2
    b.lt 1f
    mrs x3, id_aa64pfr0_el1
    tst x3, #0xf00
    b.eq 2f
    adr x2, vectors2
    msr vbar_el2, x2
2:  cmp x1, #3
    b.lt 1f
    adr x2, vectors3
    msr vbar_el3, x2
1:  isb
    bl main
    b bye

// A second CPU's way in: x0 is its function
    .global cpu_entry
cpu_entry:
    mrs x1, mpidr_el1
    and x1, x1, #0xff
    ldr x2, =stack_top
    sub x2, x2, x1, lsl #14
    mov sp, x2
    adr x2, vectors1
    msr vbar_el1, x2
    isb
    blr x0
1:  wfi
    b 1b

    .global bye
bye:
    ldr w0, =0x84000008
    ldr x1, =use_smc
    ldr w1, [x1]
    cmp w1, #1
    b.eq 1f
    b.gt 2f
    hvc #0
1:  smc #0
2:  adr x1, 3f              // no PSCI: a semihosting exit
    mov x0, #0x18
    hlt #0xf000
    .balign 8
3:  .quad 0x20026, 0
    wfi
    b 1b

    .macro entry el, n
    .balign 128
    stp x0, x1, [sp, #-288]!
    stp x29, x30, [sp, #232]
    mov x0, #\n
    b save\el
    .endm
    .macro table el
    .balign 2048
vectors\el:
    .irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    entry \el, \n
    .endr
save\el:
    stp x2, x3, [sp, #16]
    stp x4, x5, [sp, #32]
    stp x6, x7, [sp, #48]
    stp x8, x9, [sp, #64]
    stp x10, x11, [sp, #80]
    stp x12, x13, [sp, #96]
    stp x14, x15, [sp, #112]
    stp x16, x17, [sp, #128]
    stp x18, x19, [sp, #144]
    stp x20, x21, [sp, #160]
    stp x22, x23, [sp, #176]
    stp x24, x25, [sp, #192]
    stp x26, x27, [sp, #208]
    str x28, [sp, #224]
    mrs x1, elr_el\el
    mrs x2, spsr_el\el
    stp x1, x2, [sp, #248]
    mrs x1, esr_el\el
    mrs x2, far_el\el
    stp x1, x2, [sp, #264]
    mov x1, x0
    mov x0, sp
    mov x2, #\el
    bl trap
    ldp x1, x2, [sp, #248]
    msr elr_el\el, x1
    msr spsr_el\el, x2
    ldp x2, x3, [sp, #16]
    ldp x4, x5, [sp, #32]
    ldp x6, x7, [sp, #48]
    ldp x8, x9, [sp, #64]
    ldp x10, x11, [sp, #80]
    ldp x12, x13, [sp, #96]
    ldp x14, x15, [sp, #112]
    ldp x16, x17, [sp, #128]
    ldp x18, x19, [sp, #144]
    ldp x20, x21, [sp, #160]
    ldp x22, x23, [sp, #176]
    ldp x24, x25, [sp, #192]
    ldp x26, x27, [sp, #208]
    ldr x28, [sp, #224]
    ldp x29, x30, [sp, #232]
    ldp x0, x1, [sp], #288
    eret
    .endm
    table 1
    table 2
    table 3

// long lower(fn, arg, spsr, from_el): runs fn(arg) at a lower level until it does SVC or HVC 0x77 with its result in x0
    .global lower
lower:
    stp x29, x30, [sp, #-112]!
    stp x19, x20, [sp, #16]
    stp x21, x22, [sp, #32]
    stp x23, x24, [sp, #48]
    stp x25, x26, [sp, #64]
    stp x27, x28, [sp, #80]
    mrs x5, daif
    str x5, [sp, #96]
    ldr x4, =lower_from
    str x3, [x4]
    ldr x4, =back_sp
    mov x5, sp
    str x5, [x4]
    ldr x6, =low_stack
    ldr x7, =low_offset
    ldr x7, [x7]
    add x6, x6, x7
    and x7, x2, #0xf
    cmp x3, #2
    b.eq 2f
    cmp x3, #3
    b.eq 3f
    msr elr_el1, x0
    msr spsr_el1, x2
    msr sp_el0, x6
    b 4f
2:  msr elr_el2, x0
    msr spsr_el2, x2
    msr sp_el0, x6
    msr sp_el1, x6
    b 4f
3:  msr elr_el3, x0
    msr spsr_el3, x2
    msr sp_el0, x6
    sub x8, x6, #4096       // levels between have stacks of their own
    tst x7, #4
    csel x8, x6, x8, ne
    msr sp_el1, x8
    sub x8, x6, #8192
    tst x7, #8
    csel x8, x6, x8, ne
    msr sp_el2, x8
4:  mov x0, x1
    ldr x30, =low_return
    eret
    .global low_return
low_return:
    .inst 0xd5384241           // mrs x1, CurrentEL: undefined at EL0
    hvc #0x77
    svc #0x77
    .global comes_back
comes_back:                 // the handler goes here, x0 = result
    ldr x4, =back_sp
    ldr x5, [x4]
    mov sp, x5
    ldr x5, [sp, #96]
    msr daif, x5
    ldp x19, x20, [sp, #16]
    ldp x21, x22, [sp, #32]
    ldp x23, x24, [sp, #48]
    ldp x25, x26, [sp, #64]
    ldp x27, x28, [sp, #80]
    ldp x29, x30, [sp], #112
    ret
    .bss
    .balign 16
    .global low_offset          // from where this runs to where the lower level finds it
low_offset: .skip 16
    .global back_sp, lower_from
back_sp: .skip 16
lower_from: .skip 16
    .skip 16384
low_stack:
    .skip 16384 * 8
stack_top:
