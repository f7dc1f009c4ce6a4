/* semi.S: the sequence that is a semihosting call, and parts of it that are not.
 * SEMI on */
#include "test.h"
main:
    case 1 /* SYS_ISERROR of -1 */
    li a0, 8
    la a1, 2f
    .balign 16
    .option push
    .option norvc
    slli zero, zero, 0x1f
    ebreak
    srai zero, zero, 7
    .option pop
    snez a0, a0
    want a0, 1

    case 2 /* a breakpoint alone, compressed or not, is one */
    catch 1f
    .option push
    .option norvc
    slli zero, zero, 0x1f
    ebreak
    nop
    .option pop
1:  rec a0, CAUSE
    want a0, 3
    catch 1f
    c.ebreak
1:  rec a0, CAUSE
    want a0, 3
    j passed
    .balign 8
2:  .fill 8, 1, 0xff
