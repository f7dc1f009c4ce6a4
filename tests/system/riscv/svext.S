/* svext.S: Svade and Svadu by menvcfg.ADUE, Svnapot, Svpbmt, Svinval, Smstateen, Smepmp. ONLY 64
 * NOQEMU 7.2 has not all of these */
#include "test.h"
#define V 1
#define R 2
#define W 4
#define X 8
#define A 64
#define D 128
#define ADUE 61
#define PBMTE 62
#define VA 0xffffffc000000000
.macro setbit csr, n
    li t0, 1
    slli t0, t0, \n
    csrs \csr, t0
.endm
.macro clrbit csr, n
    li t0, 1
    slli t0, t0, \n
    csrc \csr, t0
.endm
.macro map0 n, symbol, flags, high
    la t0, \symbol
    srli t0, t0, 2
    ori t0, t0, \flags
    li t2, \high
    slli t2, t2, 54
    or t0, t0, t2
    la t1, t_0
    sd t0, \n * 8(t1)
    sfence.vma
.endm
main:
    la t0, t_0
    srli t0, t0, 2
    ori t0, t0, V
    la t1, t_1
    sd t0, 0(t1)
    la t0, t_1
    srli t0, t0, 2
    ori t0, t0, V
    la t1, root
    li t2, 256 * 8
    add t1, t1, t2
    sd t0, 0(t1)
    la t0, root
    srli t0, t0, 12
    li t1, 8 << 60
    or t0, t0, t1
    csrw satp, t0
    sfence.vma
    li a1, VA

    case 1 /* Svade: A and D have to be set */
    clrbit 0x30a, ADUE
    map0 0, page_a, V | R | W, 0
    load_as MPP_S
    want a0, 13
    map0 0, page_a, V | R | W | A, 0
    load_as MPP_S
    want a0, -1
    store_as MPP_S
    want a0, 15
    map0 0, page_a, V | R | W | A | D, 0
    store_as MPP_S
    want a0, -1
    case 2 /* Svadu: the hart sets them */
    setbit 0x30a, ADUE
    map0 0, page_a, V | R | W, 0
    store_as MPP_S
    want a0, -1
    la t1, t_0
    ld t0, 0(t1)
    andi t0, t0, A | D
    want t0, A | D
    case 3 /* the table is written with the hart's rights */
    map0 0, page_a, V | R | W, 0
    la t0, t_0
    srli t0, t0, 2
    ori t0, t0, 0x1ff
    csrw pmpaddr0, t0
    li t0, -1
    csrw pmpaddr1, t0
    li t0, 0x1f19 /* read only */
    csrw pmpcfg0, t0
    sfence.vma
    load_as MPP_S
    want a0, 5
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, -1
    csrw pmpaddr0, t0

    case 4 /* Svnapot: 64 KiB */
    la t0, block
    srli t0, t0, 2
    ori t0, t0, V | R | W | A | D
    li t2, 8 << 10
    or t0, t0, t2
    li t2, 1
    slli t2, t2, 63
    or t0, t0, t2
    la t1, t_0
    addi t1, t1, 16 * 8
    li t2, 16
1:  sd t0, 0(t1)
    addi t1, t1, 8
    addi t2, t2, -1
    bnez t2, 1b
    sfence.vma
    li a1, VA + 0x10000 + 0x5008
    li t0, 4321
    sd t0, block + 0x5008, t1
    load_as MPP_S
    want a0, -1
    want a4, 4321
    li a1, VA + 0x10000 + 0xf008
    li a4, 99
    store_as MPP_S
    want a0, -1
    ld t0, block + 0xf008
    want t0, 99
    case 5 /* other sizes are reserved */
    map0 0, page_a, V | R | W | A | D, 0x200
    li a1, VA
    load_as MPP_S
    want a0, 13
    case 6 /* Svpbmt: reserved unless enabled; 3 always is */
    clrbit 0x30a, PBMTE
    map0 0, page_a, V | R | W | A | D, 0x80
    load_as MPP_S
    want a0, 13
    setbit 0x30a, PBMTE
    sfence.vma
    load_as MPP_S
    want a0, -1
    map0 0, page_a, V | R | W | A | D, 0x100
    load_as MPP_S
    want a0, -1
    map0 0, page_a, V | R | W | A | D, 0x180
    load_as MPP_S
    want a0, 13
    case 7 /* Svinval */
    map0 0, page_a, V | R | W | A | D, 0
    sd zero, page_a, t1
    load_as MPP_S
    want a0, -1
    la t0, block
    srli t0, t0, 2
    ori t0, t0, V | R | W | A | D
    la t1, t_0
    sd t0, 0(t1)
    li t0, 55
    sd t0, block, t1
    .word 0x18000073 /* sfence.w.inval */
    .word 0x16058073 /* sinval.vma a1, zero */
    .word 0x18100073 /* sfence.inval.ir */
    load_as MPP_S
    want a4, 55
    csrw satp, zero
    la a1, u_inval
    run_as MPP_U
    want a0, 2

    case 8 /* Smstateen: senvcfg from S mode */
    csrw 0x30c, zero
    la a1, s_senvcfg
    run_as MPP_S
    want a0, 2
    setbit 0x30c, 62
    la a1, s_senvcfg
    run_as MPP_S
    want a0, 9
    la a1, s_sstateen
    run_as MPP_S
    want a0, 2
    setbit 0x30c, 63
    la a1, s_sstateen
    run_as MPP_S
    want a0, 9
    case 9 /* cache-block instructions by envcfg */
    csrw 0x10a, zero
    clrbit 0x30a, 7
    la a1, s_cbo
    la a2, page_a
    run_as MPP_S
    want a0, 2
    setbit 0x30a, 7
    la a1, s_cbo
    run_as MPP_S
    want a0, 9
    la a1, s_cbo
    run_as MPP_U
    want a0, 2
    setbit 0x10a, 7
    la a1, s_cbo
    run_as MPP_U
    want a0, 8

    case 10 /* Smepmp: with MMWP machine mode needs a rule */
    li t0, -1
    csrw pmpaddr1, t0
    la t0, _start
    srli t0, t0, 2
    li t1, 0x1fffff
    or t0, t0, t1
    csrw pmpaddr0, t0
    li t0, 0x9f /* locked, RWX: 16 MiB of RAM */
    csrw pmpcfg0, t0
    csrwi 0x747, 2
    csrr a0, 0x747
    want a0, 2
    catch 1f
    li a1, FINISHER
    lw a0, 0(a1)
    j failed
1:  rec a0, CAUSE
    want a0, 5
    csrw pmpaddr2, zero
    li t0, FINISHER >> 2
    csrw pmpaddr2, t0
    li t0, 0x93009f /* NA4, locked, RW */
    csrw pmpcfg0, t0
    j passed
.option norvc
u_inval: .word 0x16058073
s_senvcfg: csrr a0, 0x10a
    ecall
s_sstateen: csrr a0, 0x10c
    ecall
s_cbo: .word 0x0046200f /* cbo.zero (a2) */
    ecall
.data
.align 16
block: .skip 65536
page_a: .skip 4096
root: .skip 4096
t_0: .skip 4096
t_1: .skip 4096
