/* hyp_vu.S: what VU mode may not do is a virtual instruction. ONLY 64
 * NOQEMU it says illegal instruction */
#include "test.h"
.macro set_mpv
    li t6, 1
    slli t6, t6, 39
    csrs mstatus, t6
.endm
.macro clear_mpv
    li t6, 1
    slli t6, t6, 39
    csrc mstatus, t6
.endm
.macro vrun mpp, label
    la a1, \label
    set_mpv
    run_as \mpp
    clear_mpv
.endm
main:
    case 1
    vrun MPP_U, v_scratch
    want a0, 22
    rec a0, TVAL
    want a0, 0x14002473
    vrun MPP_U, v_sret
    want a0, 22
    vrun MPP_U, v_wfi
    want a0, 22
    vrun MPP_U, v_sfence
    want a0, 22
    case 2 /* satp with VTVM */
    li t0, 1 << 20
    csrw 0x600, t0
    vrun MPP_S, v_satp
    want a0, 22
    j passed
.option norvc
v_scratch: csrr s0, sscratch
v_satp: csrr a0, satp
v_sret: sret
v_wfi: wfi
v_sfence: sfence.vma
