/* units.S: floating point and vectors off, clean, dirty; SD; their CSRs.
 * CPU v=true
 * QCPU v=true */
#include "test.h"
#define FS (3 << 13)
#define VS (3 << 9)
.macro fs n
    li t0, FS
    csrc mstatus, t0
    li t0, \n << 13
    csrs mstatus, t0
.endm
.macro want_fs n
    csrr t0, mstatus
    srli t0, t0, 13
    andi t0, t0, 3
    want t0, \n
.endm
.macro vs n
    li t0, VS
    csrc mstatus, t0
    li t0, \n << 9
    csrs mstatus, t0
.endm
.macro want_vs n
    csrr t0, mstatus
    srli t0, t0, 9
    andi t0, t0, 3
    want t0, \n
.endm
.macro traps insn:vararg
    catch 901f
    \insn
    j failed
901: rec a0, CAUSE
    want a0, 2
.endm
main:
    la a1, data
    case 1 /* off */
    fs 0
    traps fadd.s f0, f1, f2
    traps flw f0, 0(a1)
    traps fsw f0, 0(a1)
    traps fmv.x.w a0, f0
    traps csrr a0, fcsr
    traps csrw fflags, zero
    rec a0, TVAL
    want a0, 0x00101073
#if __riscv_xlen == 64
    .option push
    .option rvc
    traps fld f8, 0(a1)
    .option pop
#endif
    case 2 /* reading changes nothing */
    fs 1
    fsw f0, 0(a1)
    fmv.x.w a0, f0
    csrr a0, frm
    want_fs 1
    csrr t0, mstatus
    bltz t0, failed
    case 3 /* writing does */
    flw f0, 0(a1)
    want_fs 3
    csrr t0, mstatus
    bgez t0, failed
    fs 2
    fmv.w.x f0, zero
    want_fs 3
    fs 2
    csrwi fflags, 1
    want_fs 3
    fs 1
    fadd.s f0, f1, f2
    want_fs 3
    case 4 /* each loop from clean: the code has been translated for both */
    li s0, 0
1:  fs 2
    fmv.w.x f1, s0
    fcvt.s.w f2, s0
    fcvt.w.s a0, f2
    want_reg a0, s0
    want_fs 3
    addi s0, s0, 1
    li t0, 300
    bne s0, t0, 1b
    case 5 /* off for U mode as well */
    fs 0
    la a1, u_fp
    run_as MPP_U
    want a0, 2
    fs 1
    la a1, u_fp
    run_as MPP_U
    want a0, 8
    want_fs 3

    case 6 /* vectors */
    vs 0
    traps .word 0x0d00f557 /* vsetvli a0, ra, e32, m1 ... any */
    traps csrr a0, 0xc20
    vs 1
    csrr a0, 0xc20
    want_vs 1
    .word 0xcd027057 /* vsetivli zero, 4, e32, m1, ta, ma */
    want_vs 3
    vs 2
    li a0, 77
    .word 0x5e054057 /* vmv.v.x v0, a0 */
    want_vs 3
    .word 0x42002557 /* vmv.x.s a0, v0 */
    want a0, 77
    case 7 /* a mode of the vector unit survives traps */
    catch 1f
    ecall
1:  .word 0x5e05c0d7 /* vmv.v.x v1, a1 */
    .word 0x42102557 /* vmv.x.s a0, v1 */
#if __riscv_xlen == 64
    sext.w a1, a1
#endif
    want_reg a0, a1
    case 8 /* faults of vector accesses: vstart, and it goes on from there */
    la a1, data
    li a2, 0x50
    catch 1f
    .word 0x02066107 /* vle32.v v2, (a2) */
    j failed
1:  rec a0, CAUSE
    want a0, 5
    rec a0, TVAL
    want a0, 0x50
    csrr a0, 0x008
    want a0, 0
    .word 0x0205e107 /* vle32.v v2, (a1) */
    .word 0x42202557 /* vmv.x.s a0, v2 */
    lw t0, 0(a1)
    want_reg a0, t0
    j passed
.option norvc
u_fp:
    fmv.w.x f0, zero
    ecall
.data
.align 4
data: .word 0x3f800000, 1, 2, 3, 4, 5, 6, 7
