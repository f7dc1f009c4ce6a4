/* atomics.S: misaligned atomic accesses.
 * NOQEMU it does them */
#include "test.h"
main:
    case 1 /* misaligned atomics */
    la a1, word + 1
    catch 1f
    amoadd.w a0, a0, (a1)
1:  rec a0, CAUSE
    want a0, 6
    rec a0, TVAL
    want_reg a0, a1
    catch 1f
    lr.w a0, (a1)
1:  rec a0, CAUSE
    want a0, 4
    catch 1f
    sc.w a0, a0, (a1)
1:  rec a0, CAUSE
    want a0, 6

    j passed
.data
.align 3
word: .dword 0, 0
