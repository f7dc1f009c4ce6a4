/* semi.S: the sequence that is a semihosting call, and parts of it that are not.
 * NOQEMU the answer is our test machine's
 * NOBOARD the same */
#include "test.h"
main:
    case 1 /* semihosting: the machine answers with a0 + a1 */
    li a0, 30
    li a1, 12
    .balign 16
    .option push
    .option norvc
    slli zero, zero, 0x1f
    ebreak
    srai zero, zero, 7
    .option pop
    want a0, 42

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
