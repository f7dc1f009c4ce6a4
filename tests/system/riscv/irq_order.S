/* irq_order.S: priorities of interrupts of one level.
 * NOQEMU it takes the lowest number first */
#include "test.h"
main:
    case 1 /* of several: software before timer, machine before supervisor */
    csrw mideleg, zero
    li t0, CLINT + 0x4000
    sw zero, 0(t0)
    sw zero, 4(t0)
    sw zero, 0(t0)
    li t0, 1
    li s1, CLINT
    sw t0, 0(s1)
    csrwi mip, 2
    li t0, 0x8a
    csrw mie, t0
    catch 1f
    csrsi mstatus, 8
    nop
    j failed
1:  rec a0, CAUSE
    li a1, INT_BIT | 3
    want_reg a0, a1
    sw zero, 0(s1)
    catch 1f
    csrsi mstatus, 8
    nop
    j failed
1:  rec a0, CAUSE
    li a1, INT_BIT | 7
    want_reg a0, a1
    li t0, CLINT + 0x4000
    li a3, -1
    sw a3, 4(t0)
    catch 1f
    csrsi mstatus, 8
    nop
    j failed
1:  rec a0, CAUSE
    li a1, INT_BIT | 1
    want_reg a0, a1
    csrwi mip, 0

    j passed
