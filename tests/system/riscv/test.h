/*
 * test.h: frame of privileged test programs. They start in M mode at 0x80000000 and end at the finisher. A test case is
 *
 *     case N                    its number is what the failure says (TESTNUM lives in s11)
 *     ...
 *     want REG, VALUE           fails unless equal
 *
 * Traps of all modes come to M mode (unless delegated) and are recorded: `expect CAUSE` arms the handler; it stores cause, epc, tval and
 * so on in `rec`, goes on at the label in `resume` (in M mode), and an unexpected trap fails with 100 + cause.
 */
#define FINISHER 0x100000
#define UART 0x10000000
#define CLINT 0x2000000
#if __riscv_xlen == 64
#define LX ld
#define SX sd
#define RB 8
#define INT_BIT (1 << 63)
#else
#define LX lw
#define SX sw
#define RB 4
#define INT_BIT (1 << 31)
#endif
#define MPP_U 0
#define MPP_S 0x800
#define MPP_M 0x1800

.macro case n
    li s11, \n
.endm
.macro want reg, value
    li t6, \value
    bne \reg, t6, failed
.endm
.macro want_reg reg, other
    bne \reg, \other, failed
.endm
/* The next trap goes to M mode's recorder and from there to the label. */
.macro catch label
    la t6, \label
    la t5, resume
    SX t6, 0(t5)
.endm
/* What was recorded: cause, tval, epc, mtval2, mtinst, mstatus. */
.macro rec reg, what
    la \reg, record
    LX \reg, \what * RB(\reg)
.endm
#define CAUSE 0
#define TVAL 1
#define EPC 2
#define STATUS 3
#define TVAL2 4
#define TINST 5
/* To a label in a less privileged mode: bits of mstatus.MPP. */
.macro enter mpp, label
    li t6, MPP_M
    csrc mstatus, t6
    li t6, \mpp
    csrs mstatus, t6
    la t6, \label
    csrw mepc, t6
    mret
.endm
/*
 * Data accesses as another mode does them, by MPRV: va in a1, result in a0: -1, or the cause of the trap; a load's value in a4.
 * Clobbers t registers.
 */
.macro as mpp, insn:vararg
    catch 901f
    li t6, MPP_M
    csrc mstatus, t6
    li t6, 0x20000 | \mpp
    csrs mstatus, t6
    \insn
    li t6, 0x20000
    csrc mstatus, t6
    la t5, resume
    SX zero, 0(t5)
    li a0, -1
    j 902f
901: rec a0, CAUSE
902:
.endm
.macro load_as mpp
    as \mpp, lw a4, 0(a1)
.endm
.macro store_as mpp
    as \mpp, sw a4, 0(a1)
.endm
/* Runs the code at a1 in a mode until it traps; a0: the cause. */
.macro run_as mpp
    catch 901f
    li t6, MPP_M
    csrc mstatus, t6
    li t6, \mpp
    csrs mstatus, t6
    csrw mepc, a1
    mret
901: rec a0, CAUSE
.endm

.section .text.start
.globl _start
_start:
    la t0, trap
    csrw mtvec, t0
    la sp, stack_top
    csrw mscratch, sp
    /* everything is open to S and U mode */
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li s11, 0
    j main

.align 4
trap:
    csrrw sp, mscratch, sp
    SX t5, -1 * RB(sp)
    SX t6, -2 * RB(sp)
    la t6, record
    csrr t5, mcause
    SX t5, CAUSE * RB(t6)
    csrr t5, mtval
    SX t5, TVAL * RB(t6)
    csrr t5, mepc
    SX t5, EPC * RB(t6)
    csrr t5, mstatus
    SX t5, STATUS * RB(t6)
    la t6, resume
    LX t5, 0(t6)
    SX zero, 0(t6)
    beqz t5, unexpected
    csrw mepc, t5
    /* on in M mode, interrupts and MPRV off */
    li t6, 0x20000
    csrc mstatus, t6
#if __riscv_xlen == 64
    li t6, 1 << 39 /* MPV */
    csrc mstatus, t6
#endif
    li t6, MPP_M
    csrs mstatus, t6
    li t6, 0x80
    csrc mstatus, t6
    LX t5, -1 * RB(sp)
    LX t6, -2 * RB(sp)
    csrrw sp, mscratch, sp
    mret
unexpected:
    csrr a0, mcause
    bltz a0, 1f
    addi a0, a0, 70
    j exit_code
1:  li a0, 69
    j exit_code
failed:
    mv a0, s11
exit_code: /* a0: failure; interrupts off, M mode or one that can reach the finisher */
    slli a0, a0, 16
    li t0, 0x3333
    or a0, a0, t0
    li t0, FINISHER
    sw a0, 0(t0)
1:  j 1b
passed:
    li a0, 0x5555
    li t0, FINISHER
    sw a0, 0(t0)
1:  j 1b

.section .bss
.align 12
.globl stack_top
    .skip 4096
stack_top:
record: .skip 8 * RB
resume: .skip RB
.text
