/* counters.S: cycle, time, instret: permission, writing, inhibiting; the clock goes on. */
#include "test.h"
main:
    case 1 /* M mode always may */
    csrw mcounteren, zero
    rdcycle a0
    rdtime a1
    rdinstret a2
    case 2 /* S mode by mcounteren, U mode by scounteren as well */
    la a1, s_cycle
    run_as MPP_S
    want a0, 2
    rec a0, TVAL
    want a0, 0xc0002573
    csrwi mcounteren, 1
    la a1, s_cycle
    run_as MPP_S
    want a0, 9
    la a1, s_time
    run_as MPP_S
    want a0, 2
    csrw scounteren, zero
    la a1, s_cycle
    run_as MPP_U
    want a0, 2
    csrwi scounteren, 1
    la a1, s_cycle
    run_as MPP_U
    want a0, 8
    csrwi mcounteren, 7
    csrwi scounteren, 7
    la a1, s_time
    run_as MPP_U
    want a0, 8
    case 3 /* time is the CLINT's */
    li a1, CLINT + 0xbff8
    rdtime a0
    lw a2, 0(a1)
    rdtime a3
    sub a4, a2, a0
    sub a5, a3, a2
#if __riscv_xlen == 64
    sext.w a4, a4
    sext.w a5, a5
#endif
    bltz a4, failed
    bltz a5, failed
    case 4 /* it goes on */
    li a3, 100000000
1:  rdtime a2
    addi a3, a3, -1
    beqz a3, failed
    beq a2, a0, 1b
    case 5 /* counters can be written and stopped */
    csrwi mcountinhibit, 5
    csrr a0, mcountinhibit
    want a0, 5
    li t0, 12345
    csrw mcycle, t0
    csrw minstret, t0
    csrr a0, mcycle
    want a0, 12345
    csrr a0, minstret
    want a0, 12345
    csrwi mcountinhibit, 0
    li a3, 100000000
1:  csrr a0, mcycle
    addi a3, a3, -1
    beqz a3, failed
    li t0, 12345
    beq a0, t0, 1b
    case 6
#if __riscv_xlen == 32
    csrwi mcountinhibit, 5
    li t0, 0x7654
    csrw mcycleh, t0
    csrw mcycle, zero
    csrr a0, mcycleh
    want a0, 0x7654
    csrr a0, cycleh
    want a0, 0x7654
    csrr a0, cycle
    want a0, 0
#endif
    j passed
.option norvc
s_cycle: rdcycle a0
    ecall
s_time: rdtime a0
    ecall
