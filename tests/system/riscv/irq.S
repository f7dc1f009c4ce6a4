/* irq.S: pending and enabled, delegation, vectors, wfi, machine timer, supervisor timer (Sstc), software interrupts. */
#include "test.h"
#if __riscv_xlen == 64
.macro set_stimecmp reg
    csrw 0x14d, \reg
.endm
#else
.macro set_stimecmp reg
    li t6, -1
    csrw 0x15d, t6
    csrw 0x14d, \reg
    csrr t6, 0xc81
    csrw 0x15d, t6
.endm
#endif
main:
    case 1 /* mip.SSIP can be written; it waits for its enable */
    csrw mie, zero
    csrw mideleg, zero
    csrwi mip, 2
    csrr a0, mip
    andi a0, a0, 2
    want a0, 2
    csrsi mstatus, 8
    nop
    csrwi mie, 0
    catch 1f
    csrwi mie, 2
    nop
    j failed
1:  rec a0, CAUSE
    li a1, INT_BIT | 1
    want_reg a0, a1
    rec a0, TVAL
    want a0, 0
    csrwi mip, 0

    case 2 /* the global enable; nothing happens while it is off; mret turns it on */
    csrci mstatus, 8
    csrwi mip, 2
    nop
    catch 2f
    la t0, 1f
    csrw mepc, t0
    li t0, MPP_M | 0x80
    csrs mstatus, t0
    mret
1:  j failed
2:  rec a0, EPC
    la a1, 1b
    want_reg a0, a1
    csrwi mip, 0

    case 3 /* U mode takes M interrupts whatever MIE is */
    csrci mstatus, 8
    csrwi mip, 2
    catch 1f
    enter MPP_U, spin
1:  rec a0, CAUSE
    li a1, INT_BIT | 1
    want_reg a0, a1
    rec a0, EPC
    la a1, spin
    want_reg a0, a1

    case 4 /* delegated: M mode does not take it, S mode does by SIE, at the vector */
    csrwi mideleg, 2
    csrsi mstatus, 8
    nop
    csrci mstatus, 8
    la t0, s_vectors + 1
    csrw stvec, t0
    catch 1f
    enter MPP_S, s_wait
1:  rec a0, CAUSE
    want a0, 9
    want s0, 101
    csrr a0, scause
    li a1, INT_BIT | 1
    want_reg a0, a1
    csrr a0, sepc
    la a1, s_enabled
    want_reg a0, a1
    csrr a0, sstatus
    andi a0, a0, 0x122
    want a0, 0x120 /* SPP and SPIE; SIE is off */

    case 5 /* sip and sie show what is delegated */
    csrr a0, sie
    want a0, 2
    csrr a0, sip
    want a0, 2
    csrwi mideleg, 0
    csrr a0, sie
    want a0, 0
    csrr a0, sip
    want a0, 0
    csrwi mideleg, 2
    csrwi sip, 0
    csrr a0, mip
    andi a0, a0, 2
    want a0, 0

    case 6 /* the machine software interrupt comes from the CLINT; MSIP cannot be written */
    li t0, 8
    csrw mip, t0
    csrr a0, mip
    andi a0, a0, 8
    want a0, 0
    li t0, 8
    csrw mie, t0
    li s1, CLINT
    li t0, 1
    catch 1f
    csrsi mstatus, 8
    sw t0, 0(s1)
2:  j 2b
1:  sw zero, 0(s1)
    rec a0, CAUSE
    li a1, INT_BIT | 3
    want_reg a0, a1

    case 7 /* the timer, while busy and in wfi */
    li s2, 0
3:  li t0, CLINT + 0xbff8
    lw a0, 0(t0)
    lw a1, 4(t0)
    li a2, 20000 /* 2 ms */
    add a2, a0, a2
    sltu a3, a2, a0
    add a1, a1, a3
    li t0, CLINT + 0x4000
    li a3, -1
    sw a3, 4(t0)
    sw a2, 0(t0)
    sw a1, 4(t0)
    li t0, 0x80
    csrw mie, t0
    catch 1f
    csrsi mstatus, 8
    bnez s2, 4f
2:  j 2b
4:  wfi
    j 4b
1:  rec a0, CAUSE
    li a1, INT_BIT | 7
    want_reg a0, a1
    csrr a0, mip
    andi a0, a0, 0x80
    want a0, 0x80
    li t0, CLINT + 0x4000
    li a3, -1
    sw a3, 4(t0)
    csrr a0, mip
    andi a0, a0, 0x80
    want a0, 0
    addi s2, s2, 1
    li t0, 3
    bne s2, t0, 3b

    case 8 /* wfi ends for what is enabled in mie though not in mstatus */
    csrci mstatus, 8
    li t0, CLINT + 0xbff8
    lw a0, 0(t0)
    lw a1, 4(t0)
    li a2, 20000
    add a2, a0, a2
    sltu a3, a2, a0
    add a1, a1, a3
    li t0, CLINT + 0x4000
    sw a2, 0(t0)
    sw a1, 4(t0)
    wfi
    csrr a0, mip
    andi a0, a0, 0x80
    beqz a0, failed
    li t0, CLINT + 0x4000
    li a3, -1
    sw a3, 4(t0)

    case 10 /* Sstc: not for S mode before menvcfg.STCE and mcounteren.TM */
    csrw mcounteren, zero
    catch 1f
    enter MPP_S, s_stimecmp
1:  rec a0, CAUSE
    want a0, 2
    csrwi mcounteren, 7
    li t0, 1
#if __riscv_xlen == 64
    slli t0, t0, 63
    csrs 0x30a, t0
#else
    slli t0, t0, 31
    csrs 0x31a, t0
#endif
    catch 1f
    enter MPP_S, s_stimecmp
1:  rec a0, CAUSE
    want a0, 9
    case 11 /* STIP follows the clock, and is not to be written */
    li t0, -1
#if __riscv_xlen == 32
    csrw 0x15d, t0
#endif
    csrw 0x14d, t0
    li t0, 0x20
    csrs mip, t0
    csrr a0, mip
    andi a0, a0, 0x20
    want a0, 0
    csrw 0x14d, zero
#if __riscv_xlen == 32
    csrw 0x15d, zero
#endif
    csrr a0, mip
    andi a0, a0, 0x20
    want a0, 0x20
    li t0, -1
#if __riscv_xlen == 32
    csrw 0x15d, t0
#endif
    csrw 0x14d, t0
    csrr a0, mip
    andi a0, a0, 0x20
    want a0, 0
    case 12 /* a supervisor that programs its timer and waits */
    li t0, 0x20
    csrw mideleg, t0
    li t0, 0x20
    csrw mie, t0
    catch 1f
    enter MPP_S, s_timer
1:  rec a0, CAUSE
    want a0, 9
    want s0, 5
    want s3, 105
    j passed

.option norvc
spin: j spin
s_wait:
    li s0, 0
    csrsi sie, 2
    csrsi sstatus, 2
s_enabled:
    nop
    j failed_s
failed_s: li s0, -1
    ecall
s_stimecmp:
    csrr a0, 0x14d
    ecall
s_timer:
    li s0, 0
1:  rdtime a0
    li a1, 10000
    add a0, a0, a1
    set_stimecmp a0
    csrsi sstatus, 2
    li s3, 0
2:  wfi
    beqz s3, 2b
    addi s0, s0, 1
    li a1, 5
    bne s0, a1, 1b
    ecall
.align 6
s_vectors:
    j failed_s
    j s_software
    j failed_s
    j failed_s
    j failed_s
    j s_clock
s_software:
    li s0, 101
    ecall
s_clock:
    li s3, 105
    li t6, -1
#if __riscv_xlen == 32
    csrw 0x15d, t6
#endif
    csrw 0x14d, t6
    sret
