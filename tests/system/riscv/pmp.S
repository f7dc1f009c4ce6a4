/* pmp.S: physical memory protection: TOR, NA4, NAPOT, order, locks, the machine's own accesses, execution. */
#include "test.h"
.macro cfg v
    li t0, \v
    csrw pmpcfg0, t0
    sfence.vma
.endm
.macro napot n, symbol, mask /* mask: size / 8 - 1 */
    la t0, \symbol
    srli t0, t0, 2
    ori t0, t0, \mask
    csrw pmpaddr\n, t0
.endm
.macro all n
    li t0, -1
    csrw pmpaddr\n, t0
.endm
#if __riscv_xlen == 64
#define REST (0x1f << 32)
#else
#define REST 0
#endif
main:
    case 1 /* nothing matches: S and U mode may not, M mode may */
    la a1, page
    napot 0, page2, 0x1ff
    cfg 0x1f
    load_as MPP_S
    want a0, 5
    rec a0, TVAL
    want_reg a0, a1
    store_as MPP_U
    want a0, 7
    lw a4, 0(a1)
    run_as MPP_S
    want a0, 1

    case 2 /* NAPOT of a page: the first that matches decides */
    napot 0, page, 0x1ff
    all 1
    cfg 0x1f19 /* R only */
    load_as MPP_S
    want a0, -1
    store_as MPP_S
    want a0, 7
    run_as MPP_S
    want a0, 1
    cfg 0x1f1c /* X only */
    load_as MPP_S
    want a0, 5
    run_as MPP_S
    want a0, 9
    run_as MPP_U
    want a0, 8
    cfg 0x1f1b
    load_as MPP_S
    want a0, -1
    store_as MPP_U
    want a0, -1
    li t0, 0x1000
    add a1, a1, t0
    cfg 0x1f18
    load_as MPP_S
    want a0, -1
    li t0, -0x1000
    add a1, a1, t0
    load_as MPP_S
    want a0, 5

    case 3 /* eight bytes in the middle of a page */
    la a1, page + 0x100
    napot 0, page + 0x100, 0
    load_as MPP_S
    want a0, 5
    addi a1, a1, -4
    load_as MPP_S
    want a0, -1
    addi a1, a1, 8
    load_as MPP_S
    want a0, 5
    addi a1, a1, 4
    load_as MPP_S
    want a0, -1
    store_as MPP_S
    want a0, -1
    addi a1, a1, -8
    store_as MPP_S
    want a0, 7

    case 4 /* NA4 */
    la t0, page + 0x200
    srli t0, t0, 2
    csrw pmpaddr0, t0
    cfg 0x1f10
    la a1, page + 0x200
    load_as MPP_S
    want a0, 5
    addi a1, a1, 4
    load_as MPP_S
    want a0, -1
    addi a1, a1, -8
    load_as MPP_S
    want a0, -1

    case 5 /* TOR from one address to the next */
    la t0, page + 0x300
    srli t0, t0, 2
    csrw pmpaddr0, t0
    la t0, page + 0x340
    srli t0, t0, 2
    csrw pmpaddr1, t0
    all 2
    cfg 0x1f0800
    la a1, page + 0x2fc
    load_as MPP_S
    want a0, -1
    addi a1, a1, 4
    load_as MPP_S
    want a0, 5
    la a1, page + 0x33c
    load_as MPP_S
    want a0, 5
    addi a1, a1, 4
    load_as MPP_S
    want a0, -1

    case 6 /* locked: for M mode too, and not to be changed */
    napot 3, page2, 0x1ff
    all 4
#if __riscv_xlen == 64
    li t0, (0x1f << 32) | (0x99 << 24)
    csrw pmpcfg0, t0
#else
    li t0, 0x1f
    csrw pmpcfg1, t0
    li t0, 0x99 << 24
    csrw pmpcfg0, t0
#endif
    sfence.vma
    la a1, page2
    lw a4, 0(a1)
    catch 1f
    sw a4, 0(a1)
    j failed
1:  rec a0, CAUSE
    want a0, 7
    rec a0, TVAL
    want_reg a0, a1
    csrr a2, pmpaddr3
    csrw pmpaddr3, zero
    csrr a3, pmpaddr3
    want_reg a2, a3
#if __riscv_xlen == 64
    li t0, 0x1f << 32
    csrw pmpcfg0, t0
#else
    csrw pmpcfg0, zero
#endif
    csrr a0, pmpcfg0
    srli a0, a0, 24
    andi a0, a0, 0xff
    want a0, 0x99
    catch 1f
    sw a4, 0(a1)
    j failed
1:  rec a0, CAUSE
    want a0, 7

    case 7 /* code in a page that is split: one half runs */
    la t0, page
    srli t0, t0, 2
    csrw pmpaddr0, t0
    la t0, page + 0x800
    srli t0, t0, 2
    csrw pmpaddr1, t0
    cfg (0x0800 | REST)
    la a1, page + 0x800
    run_as MPP_S
    want a0, 9
    la a1, page + 0x400
    run_as MPP_S
    want a0, 1
    rec a0, TVAL
    want_reg a0, a1
    cfg (0x0c00 | REST)
    run_as MPP_S
    want a0, 9
    j passed
.data
.align 12
page: .word 0x73
    .skip 0x3fc
    .word 0x73
    .skip 0x3fc
    .word 0x73
    .skip 0x7fc
page1: .skip 4096
page2: .skip 4096
