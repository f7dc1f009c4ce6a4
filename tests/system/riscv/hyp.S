/* hyp.S: the hypervisor extension: privilege, virtual instructions, both stages of translation, what traps record, delegation and
 * injection, hypervisor loads and stores. ONLY 64 */
#include "test.h"
#define V 1
#define R 2
#define W 4
#define X 8
#define U 16
#define AD (64 | 128)
#define RAMLEAF ((0x80000000 >> 2) | V | R | W | X | AD)
#define GPA 0x40000000    /* guest physical: entry 1 of the root, then t1[0], t0[0] */
#define GVA 0x123456000   /* guest virtual: root[4], v1[0x11a -> 282], v0[0x56 -> 86] */
#define hstatus 0x600
#define hedeleg 0x602
#define hideleg 0x603
#define hvip 0x645
#define hgatp 0x680
#define htval 0x643
#define htinst 0x64a
#define vsstatus 0x200
#define vsie 0x204
#define vstvec 0x205
#define vsscratch 0x240
#define vsepc 0x241
#define vscause 0x242
#define vstval 0x243
#define vsip 0x244
#define vsatp 0x280
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
/* Data accesses by code in VS mode, or VU mode; as load_as of test.h (QEMU 7.2 gets MPRV with MPV wrong). */
.macro in_vs label
    mv a3, a1
    la a1, \label
    set_mpv
    run_as MPP_S
    clear_mpv
    mv a1, a3
    addi t0, a0, -10
    bnez t0, 903f
    li a0, -1
903:
.endm
.macro vload
    in_vs v_lw
.endm
.macro vstore
    in_vs v_sw
.endm
/* With translation, RAM is there for VU mode 1 GiB higher up. */
.macro uload offset=0x40000000
    mv a3, a1
    la a1, v_lw
    li t0, \offset
    add a1, a1, t0
    set_mpv
    run_as MPP_U
    clear_mpv
    mv a1, a3
    addi t0, a0, -8
    bnez t0, 903f
    li a0, -1
903:
.endm
.macro vrun mpp, label
    la a1, \label
    set_mpv
    run_as \mpp
    clear_mpv
.endm
.macro pte reg, symbol, flags
    la \reg, \symbol
    srli \reg, \reg, 2
    ori \reg, \reg, (\flags) & 0x3ff
.endm
.macro gmap symbol, flags
    pte t0, \symbol, \flags
    la t1, g0
    sd t0, 0(t1)
    .word 0x62000073 /* hfence.gvma */
.endm
.macro vmap gpa_bits
    li t0, \gpa_bits
    la t1, v0
    sd t0, 86 * 8(t1)
    .word 0x22000073 /* hfence.vvma */
.endm
.macro status_v reg /* recorded MPV and GVA */
    rec \reg, STATUS
    srli \reg, \reg, 38
    andi \reg, \reg, 3
.endm
main:
    case 1 /* misa.H, and the machine's view of a guest without translation */
    csrr a0, misa
    andi a0, a0, 0x80
    want a0, 0x80
    csrw hgatp, zero
    csrw vsatp, zero
    vrun MPP_S, v_ecall
    want a0, 10
    rec a0, STATUS
    srli a0, a0, 39
    andi a0, a0, 1
    want a0, 1
    vrun MPP_U, v_ecall
    want a0, 8
    rec a0, STATUS
    srli a0, a0, 39
    andi a0, a0, 1
    want a0, 1
    la a1, v_ecall
    run_as MPP_S
    want a0, 9
    rec a0, STATUS
    srli a0, a0, 39
    andi a0, a0, 1
    want a0, 0

    case 2 /* supervisor registers in VS mode are the virtual ones */
    li t0, 0x1234
    csrw sscratch, t0
    li t0, 0x5678
    csrw vsscratch, t0
    vrun MPP_S, v_scratch
    want a0, 10
    want s0, 0x5678
    csrr t0, sscratch
    want t0, 0x1234
    csrr t0, vsscratch
    want t0, 0x99

    case 3 /* virtual instructions, and illegal ones */
    vrun MPP_S, v_hstatus
    want a0, 22
    rec a0, TVAL
    want a0, 0x60002573
    vrun MPP_S, v_vsscratch
    want a0, 22
    vrun MPP_S, v_mstatus
    want a0, 2
    vrun MPP_S, v_hfence
    want a0, 22
    vrun MPP_S, v_hlv
    want a0, 22
    vrun MPP_S, v_mret
    want a0, 2

    case 4 /* VTW, VTVM, VTSR */
    li t0, 1 << 21
    csrw hstatus, t0
    vrun MPP_S, v_wfi
    want a0, 22
    li t0, 1 << 20
    csrw hstatus, t0
    vrun MPP_S, v_sfence
    want a0, 22
    li t0, 1 << 22
    csrw hstatus, t0
    vrun MPP_S, v_sret
    want a0, 22
    csrw hstatus, zero

    case 5 /* the second stage alone */
    li t0, RAMLEAF | U
    la t1, groot
    sd t0, 16(t1)
    pte t0, g1, V
    sd t0, 8(t1)
    pte t0, g0, V
    la t1, g1
    sd t0, 0(t1)
    la t0, groot
    srli t0, t0, 12
    li t1, 8 << 60
    or t0, t0, t1
    csrw hgatp, t0
    csrr t1, hgatp
    bne t0, t1, failed
    gmap page_a, V | R | W | U | AD
    li a1, GPA
    vload
    want a0, -1
    want a4, 0x1111
    uload 0
    want a0, -1
    li a4, 0x1112
    vstore
    want a0, -1
    ld t0, page_a
    want t0, 0x1112
    case 6 /* guest page faults */
    gmap page_a, V | R | U | AD
    vstore
    want a0, 23
    rec a0, TVAL
    want a0, GPA
    csrr a0, 0x34b
    want a0, GPA >> 2
    status_v a0
    want a0, 3 /* MPV and GVA */
    gmap page_a, V | R | W | AD /* not a user page */
    vload
    want a0, 21
    csrr a0, 0x34b
    want a0, GPA >> 2
    gmap page_a, R | W | U
    li a1, GPA + 8
    vload
    want a0, 21
    csrr a0, 0x34b
    want a0, (GPA + 8) >> 2
    case 7 /* fetches from there */
    li a1, GPA
    set_mpv
    run_as MPP_S
    clear_mpv
    want a0, 20
    rec a0, TVAL
    want a0, GPA
    csrr a0, 0x34b
    want a0, GPA >> 2
    status_v a0
    want a0, 3
    gmap page_b, V | R | X | U | AD
    li a1, GPA
    set_mpv
    run_as MPP_S
    clear_mpv
    want a0, 10
    case 8 /* guest physical addresses have 41 bits */
    li a1, 1 << 41
    vload
    want a0, 21
    rec a0, TVAL
    want_reg a0, a1

    case 9 /* both stages */
    gmap page_a, V | R | W | U | AD
    li t0, RAMLEAF
    la t1, vroot
    sd t0, 16(t1)
    ori t0, t0, U
    sd t0, 24(t1)
    pte t0, v1, V
    sd t0, 32(t1)
    pte t0, v0, V
    la t1, v1
    li t2, 282 * 8
    add t1, t1, t2
    sd t0, 0(t1)
    la t0, vroot
    srli t0, t0, 12
    li t1, 8 << 60
    or t0, t0, t1
    csrw vsatp, t0
    vmap (GPA >> 2) | V | R | W | AD
    li a1, GVA + 4
    sw zero, page_a + 4, t0
    vload
    want a0, -1
    want a4, 0
    li a4, 77
    vstore
    want a0, -1
    lw t0, page_a + 4
    want t0, 77
    case 10 /* the first stage's faults are page faults */
    uload
    want a0, 13
    rec a0, TVAL
    want_reg a0, a1
    csrr a0, 0x34b
    want a0, 0
    status_v a0
    want a0, 3
    vmap (GPA >> 2) | V | R | AD
    vstore
    want a0, 15
    vmap 0
    vload
    want a0, 13
    case 11 /* the second stage's have both addresses */
    vmap (GPA >> 2) | V | R | W | AD
    gmap page_a, V | R | U | AD
    vstore
    want a0, 23
    rec a0, TVAL
    want_reg a0, a1
    csrr a0, 0x34b
    want a0, (GPA + 4) >> 2
    case 12 /* vsstatus.SUM and MXR are what counts */
    gmap page_b, V | R | X | U | AD
    vmap (GPA >> 2) | V | R | U | AD
    li a1, GVA
    vload
    want a0, 13
    uload
    want a0, -1
    li t0, 1 << 18
    csrs vsstatus, t0
    vload
    want a0, -1
    li t0, 1 << 18
    csrc vsstatus, t0
    vmap (GPA >> 2) | V | X | AD
    vload
    want a0, 13
    li t0, 1 << 19
    csrs vsstatus, t0
    vload
    want a0, -1
    want a4, 0x73
    li t0, 1 << 19
    csrc vsstatus, t0
    case 13 /* code in VS mode through both */
    gmap page_b, V | R | X | U | AD
    li a1, GVA
    set_mpv
    run_as MPP_S
    clear_mpv
    want a0, 10
    rec a0, EPC
    want_reg a0, a1

    case 14 /* a table of the first stage that the second does not map */
    la t1, vroot
    li t0, ((GPA + 0x1000) >> 2) | V
    sd t0, 32(t1)
    .word 0x22000073
    vload
    want a0, 21
    rec a0, TVAL
    want_reg a0, a1
    csrr a0, 0x34b
    want a0, (GPA + 0x1000 + 282 * 8) >> 2
    csrr a0, 0x34a
    want a0, 0x3000
    pte t0, v1, V
    la t1, vroot
    sd t0, 32(t1)
    .word 0x22000073

    case 15 /* hypervisor loads and stores, in M, HS and U mode */
    gmap page_a, V | R | W | U | AD
    vmap (GPA >> 2) | V | R | W | AD
    sw zero, page_a, t0
    li t0, 1 << 8 /* SPVP: as VS mode */
    csrw hstatus, t0
    li a1, GVA
    catch 1f
    li a0, 0x7788
    .word 0x6aa5c073 /* hsv.w a0, (a1) */
    .word 0x6805c673 /* hlv.w a2, (a1) */
    la a3, resume
    sd zero, 0(a3)
    want a2, 0x7788
    lw a2, page_a
    want a2, 0x7788
    csrw hstatus, zero /* as VU mode */
    la a1, u_hlv
    run_as MPP_U
    want a0, 2
    vmap (GPA >> 2) | V | R | U | AD
    li t0, 1 << 9 /* HU */
    csrw hstatus, t0
    la a1, u_hlv
    run_as MPP_U
    want a0, 8
    want a2, 0x7788
#ifndef QEMU /* 7.2 says access fault */
    case 16 /* hlvx reads what can be executed */
    vmap (GPA >> 2) | V | X | U | AD
    gmap page_b, V | X | U | AD
    li a1, GVA
    catch failed
    .word 0x6835c673 /* hlvx.wu a2, (a1) */
    want a2, 0x73
    la a3, resume
    sd zero, 0(a3)
#endif
    csrw hstatus, zero

    case 17 /* exceptions for VS mode: medeleg and hedeleg */
    li t0, 1 << 8
    csrw medeleg, t0
    csrw hedeleg, t0
    la t0, vs_handler
    csrw vstvec, t0
    csrr s7, vsatp
    csrw vsatp, zero
    li s0, 0
    vrun MPP_U, v_ecall
    want a0, 10
    want s0, 1
    csrr a0, vscause
    want a0, 8
    csrr a0, vsepc
    la a1, v_ecall
    want_reg a0, a1
    csrr a0, vsstatus
    andi a0, a0, 0x100
    want a0, 0
    csrw vsatp, s7
    case 18 /* for HS mode: hstatus and the guest's address */
    csrw hedeleg, zero
    li t0, 1 << 21
    csrs medeleg, t0
    la t0, hs_handler
    csrw stvec, t0
    gmap page_a, R
    vmap (GPA >> 2) | V | R | W | AD
    li s1, GVA + 16
    vrun MPP_S, v_load
    want a0, 9
    want s0, 2
    csrr a0, scause
    want a0, 21
    csrr a0, stval
    want_reg a0, s1
    csrr a0, htval
    want a0, (GPA + 16) >> 2
    csrr a0, hstatus
    andi a0, a0, 0x1c0
    want a0, 0x1c0 /* SPVP, SPV, GVA */
    csrr a0, htinst
    li a1, 0x2503 /* lw a0, 0(x0): transformed; 0 would do */
    beq a0, a1, 1f
    want a0, 0
1:
    case 19 /* sret goes back there */
    gmap page_a, V | R | W | U | AD
    la a1, h_return
    run_as MPP_S
    want a0, 10
    rec a0, STATUS
    srli a0, a0, 39
    andi a0, a0, 1
    want a0, 1
    csrw medeleg, zero

    case 20 /* an interrupt made up for the guest */
    li t0, 0x444
    csrw hideleg, t0
    csrr t1, hideleg
    bne t0, t1, failed
    csrw mideleg, zero
    csrr t1, mideleg
    and t1, t1, t0
    want_reg t0, t1
    csrwi vsie, 2
    csrr t0, 0x604 /* hie */
    want t0, 4
    csrwi hvip, 4
    csrr t0, vsip
    want t0, 2
    csrr t0, mip
    andi t0, t0, 4
    want t0, 4
    la t0, vs_handler
    csrw vstvec, t0
    csrwi vsstatus, 2
    li s0, 0
    vrun MPP_S, v_spin
    want a0, 10
    want s0, 1
    csrr a0, vscause
    li a1, INT_BIT | 1
    want_reg a0, a1
    csrr a0, vsepc
    la a1, v_spin
    want_reg a0, a1
    case 21 /* not while it has them off */
    csrw vsstatus, zero
    vrun MPP_S, v_ecall
    want a0, 10
    want s0, 1
    case 22 /* not delegated: HS mode gets it as number 2 */
    csrw hideleg, zero
    la t0, hs_handler
    csrw stvec, t0
    vrun MPP_S, v_spin
    want a0, 9
    want s0, 2
    csrr a0, scause
    li a1, INT_BIT | 2
    want_reg a0, a1
    csrw hvip, zero
    csrwi 0x604, 0

    case 23 /* floating point needs both */
    li t0, 3 << 13
    csrs mstatus, t0
    csrw vsstatus, zero
    vrun MPP_S, v_fp
    want a0, 2
    li t0, 1 << 13
    csrw vsstatus, t0
    csrc mstatus, t0
    vrun MPP_S, v_fp
    want a0, 10
    csrr a0, vsstatus
    li t0, 3 << 13
    and a0, a0, t0
    want_reg a0, t0
    csrr a0, mstatus
    and a0, a0, t0
    want_reg a0, t0

    case 24 /* counters: virtual where hcounteren says no */
    csrwi mcounteren, 7
    csrw 0x606, zero
    vrun MPP_S, v_time
    want a0, 22
    csrwi 0x606, 2
    vrun MPP_S, v_time
    want a0, 10
    csrwi mcounteren, 0
    vrun MPP_S, v_time
    want a0, 2
    csrwi mcounteren, 7
    li t0, -1
    slli t0, t0, 63
    csrw 0x605, t0 /* htimedelta */
    vrun MPP_S, v_time
    want a0, 10
    bgez s0, failed
    j passed

.option norvc
v_ecall: ecall
v_lw:
    lw a4, 0(a3)
    ecall
v_sw:
    sw a4, 0(a3)
    ecall
v_scratch:
    csrr s0, sscratch
    li t0, 0x99
    csrw sscratch, t0
    ecall
v_hstatus: csrr a0, hstatus
v_vsscratch: csrr a0, vsscratch
v_mstatus: csrr a0, mstatus
v_hfence: .word 0x22000073
v_hlv: .word 0x6805c673
v_sret: sret
v_mret: mret
v_wfi: wfi
v_sfence: sfence.vma
v_satp: csrr a0, satp
v_load:
    lw a0, 0(s1)
    ecall
v_spin: j v_spin
v_fp:
    fmv.w.x f0, zero
    ecall
v_time:
    rdtime s0
    ecall
u_hlv:
    li a1, GVA
    .word 0x6805c673
    ecall
h_return: sret
.option rvc
.align 2
vs_handler:
    li s0, 1
    ecall
.align 2
hs_handler:
    li s0, 2
    ecall

.data
.align 12
page_a: .dword 0x1111
.align 12
page_b: .word 0x73
.align 14
groot: .skip 16384
g1: .skip 4096
g0: .skip 4096
vroot: .skip 4096
v1: .skip 4096
v0: .skip 4096
