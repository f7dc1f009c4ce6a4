/* traps.S: exceptions from each mode, their cause, mtval and mepc, delegation, vectored interrupts, mret and sret. */
#include "test.h"
main:
    case 1 /* ecall from M */
    catch 1f
0:  ecall
1:  rec a0, CAUSE
    want a0, 11
    rec a0, EPC
    la a1, 0b
    want_reg a0, a1
    rec a0, TVAL
    want a0, 0
    rec a0, STATUS
    li a1, 0x1800
    and a0, a0, a1
    want a0, 0x1800

    case 2 /* illegal instruction: the bits are in mtval */
    catch 1f
    .word 0xffffffff
1:  rec a0, CAUSE
    want a0, 2
    rec a0, TVAL
    li a1, -1
    slli a1, a1, (__riscv_xlen - 32)
    srli a1, a1, (__riscv_xlen - 32)
    want_reg a0, a1

    case 3 /* a compressed one */
    catch 1f
    .half 0
    .align 2
1:  rec a0, CAUSE
    want a0, 2
    rec a0, TVAL
    want a0, 0

    case 4 /* a CSR that does not exist; a write to one that is read-only */
    catch 1f
    csrr a0, 0x8ff
1:  rec a0, CAUSE
    want a0, 2
    rec a0, TVAL
    want a0, 0x8ff02573
    catch 1f
    csrw mhartid, zero
1:  rec a0, CAUSE
    want a0, 2
    rec a0, TVAL
    want a0, 0xf1401073

    case 5 /* breakpoint */
    catch 1f
0:  ebreak
1:  rec a0, CAUSE
    want a0, 3

    case 6 /* loads and stores where nothing is */
    catch 1f
    li a1, 0x40
    ld_nothing: lw a0, 0(a1)
1:  rec a0, CAUSE
    want a0, 5
    rec a0, TVAL
    want a0, 0x40
    catch 1f
    li a1, 0x48
    sw a0, 0(a1)
1:  rec a0, CAUSE
    want a0, 7
    rec a0, TVAL
    want a0, 0x48
    catch 1f
    li a1, 0x50
    jr a1
1:  rec a0, CAUSE
    want a0, 1
    rec a0, TVAL
    want a0, 0x50
    rec a0, EPC
    want a0, 0x50

    case 7 /* ecall from U and S */
    catch 1f
    enter MPP_U, user_ecall
1:  rec a0, CAUSE
    want a0, 8
    rec a0, STATUS
    li a1, 0x1800
    and a0, a0, a1
    want a0, 0
    catch 1f
    enter MPP_S, user_ecall
1:  rec a0, CAUSE
    want a0, 9
    rec a0, STATUS
    li a1, 0x1800
    and a0, a0, a1
    want a0, 0x800

    case 8 /* what U mode may not do */
    catch 1f
    enter MPP_U, u_csr
1:  rec a0, CAUSE
    want a0, 2
    rec a0, TVAL
    want a0, 0x14002573
    catch 1f
    enter MPP_U, u_mret
1:  rec a0, CAUSE
    want a0, 2
    rec a0, TVAL
    want a0, 0x30200073
    catch 1f
    enter MPP_U, u_sret
1:  rec a0, CAUSE
    want a0, 2
    catch 1f
    enter MPP_U, u_sfence
1:  rec a0, CAUSE
    want a0, 2
    rec a0, TVAL
    want a0, 0x12000073
    catch 1f
    enter MPP_U, u_wfi
1:  rec a0, CAUSE
    want a0, 2

    case 9 /* what S mode may not do */
    catch 1f
    enter MPP_S, s_csr
1:  rec a0, CAUSE
    want a0, 2
    rec a0, TVAL
    want a0, 0x30002573
    catch 1f
    enter MPP_S, u_mret
1:  rec a0, CAUSE
    want a0, 2

    case 10 /* TVM, TW, TSR */
    li a0, 1 << 20
    csrs mstatus, a0
    catch 1f
    enter MPP_S, u_sfence
1:  rec a0, CAUSE
    want a0, 2
    catch 1f
    enter MPP_S, s_satp
1:  rec a0, CAUSE
    want a0, 2
    rec a0, TVAL
    want a0, 0x18002573
    li a0, 1 << 20
    csrc mstatus, a0
    li a0, 1 << 21
    csrs mstatus, a0
    catch 1f
    enter MPP_S, u_wfi
1:  rec a0, CAUSE
    want a0, 2
    li a0, 1 << 21
    csrc mstatus, a0
    li a0, 1 << 22
    csrs mstatus, a0
    catch 1f
    enter MPP_S, u_sret
1:  rec a0, CAUSE
    want a0, 2
    li a0, 1 << 22
    csrc mstatus, a0

    case 11 /* delegation: U's ecall goes to S mode, and from there with sret back */
    li a0, 1 << 8
    csrw medeleg, a0
    la a0, s_handler
    csrw stvec, a0
    catch 1f
    enter MPP_U, u_two_ecalls
1:  rec a0, CAUSE
    want a0, 9 /* the handler's second time */
    want s0, 2
    csrr a0, scause
    want a0, 8
    csrr a0, sepc
    la a1, u_second
    want_reg a0, a1
    csrr a0, stval
    want a0, 0
    csrr a0, sstatus
    andi a0, a0, 0x100
    want a0, 0
    csrw medeleg, zero

    case 12 /* M mode's traps are not delegated */
    li a0, 0xffff
    csrw medeleg, a0
    catch 1f
    .word 0xffffffff
1:  rec a0, CAUSE
    want a0, 2
    csrw medeleg, zero

    case 14 /* WARL fields */
    li a0, 3
    csrw mtvec, a0 /* a reserved mode */
    csrr a1, mtvec
    andi a1, a1, 2
    want a1, 0
    la a0, trap
    csrw mtvec, a0
    j passed

.option norvc
user_ecall: ecall
u_csr:  csrr a0, sscratch
u_mret: mret
u_sret: sret
u_sfence: sfence.vma
u_wfi:  wfi
s_csr:  csrr a0, mstatus
s_satp: csrr a0, satp
u_two_ecalls:
    li s0, 0
    ecall
    addi s0, s0, 1
u_second:
    ecall
.option rvc
.align 2
s_handler:
    csrr a0, sepc
    beqz s0, 1f
    addi s0, s0, 1
    ecall
1:  addi a0, a0, 4
    csrw sepc, a0
    sret
