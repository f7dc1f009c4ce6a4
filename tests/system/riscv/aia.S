/* aia.S: priorities of major interrupts and mtopi, stopi without an IMSIC. ONLY 64
 * CPU smaia=on,ssaia=on
 * NOQEMU 7.2 has them with an IMSIC only
 * NOBOARD the same */
#include "test.h"
#define mtopi 0xfb0
#define stopi 0xdb0
#define miselect 0x350
#define mireg 0x351
#define siselect 0x150
#define sireg 0x151
main:
    case 1 /* nothing */
    csrw mideleg, zero
    csrw mie, zero
    csrr a0, mtopi
    want a0, 0
    case 2 /* the default order: MSI before SSI before STI */
    li t0, 0x2a
    csrw mie, t0
    li t0, 0x22
    csrw mip, t0
    csrr a0, mtopi
    srli a0, a0, 16
    want a0, 1
    li t1, CLINT
    li t0, 1
    sw t0, 0(t1)
    csrr a0, mtopi
    srli a0, a0, 16
    want a0, 3
    case 3 /* priorities: the smaller number wins */
    li t0, 0x30
    csrw miselect, t0
    li t0, (9 << 8) | (8 << 24) | (7 << 40)
    csrw mireg, t0
    csrr a0, mireg
    want_reg a0, t0
    csrr a0, mtopi
    want a0, (5 << 16) | 7
    li t0, (5 << 8) | (8 << 24) | (7 << 40)
    csrw mireg, t0
    csrr a0, mtopi
    want a0, (1 << 16) | 5
    case 4 /* and it is what is taken */
    catch 1f
    csrsi mstatus, 8
    nop
    j failed
1:  rec a0, CAUSE
    li a1, INT_BIT | 1
    want_reg a0, a1
    case 5 /* odd registers are none on RV64; nor others */
    li t0, 0x31
    csrw miselect, t0
    catch 1f
    csrr a0, mireg
    j failed
1:  rec a0, CAUSE
    want a0, 2
    li t0, 0x70 /* an IMSIC's */
    csrw miselect, t0
    catch 1f
    csrr a0, mireg
    j failed
1:  rec a0, CAUSE
    want a0, 2
    catch 1f
    csrr a0, 0x35c /* mtopei */
    j failed
1:  rec a0, CAUSE
    want a0, 2
    case 6 /* the supervisor's */
    li t0, 0x22
    csrw mideleg, t0
    csrr a0, stopi
    srli a0, a0, 16
    want a0, 1
    li t0, 0x30
    csrw siselect, t0
    li t0, (9 << 8) | (3 << 40)
    csrw sireg, t0
    csrr a0, stopi
    want a0, (5 << 16) | 3
    csrr a0, mtopi
    srli a0, a0, 16
    want a0, 3
    case 7 /* a virtual interrupt for S mode: mvien and mvip */
    csrw mideleg, zero
    csrw mip, zero
    csrwi 0x308, 2
    csrwi 0x309, 2
    csrr a0, mip
    andi a0, a0, 2
    want a0, 0
    csrr a0, sip
    want a0, 2
    csrr a0, stopi
    srli a0, a0, 16
    want a0, 1
    j passed
