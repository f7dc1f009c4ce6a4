# CSRs: fcsr and its parts, rounding modes set and kept, vector CSRs, counters that move.
# a0 = 0x00000000000000e3
# a1 = 0x0000000000000007
# a2 = 0x0000000000000003
# a3 = 0x0000000000000002
# a4 = 0x0000000000000003
# a5 = 0x0000000000000001
# a6 = 0x0000000000000004
# a7 = 0x0000000000000003
# s2 = 0x0000000000000005
# s3 = 0x0000000000000010
# s4 = 0x0000000000000004
# s5 = 0x00000000000000d0
# s6 = 0x0000000000000001
# s7 = 0x0000000000000001
# s8 = 0x8000000000000000
    .option arch, +v
    .globl _start
_start:
    li t0, 0xfe3
    fscsr t0
    frcsr a0                    # the rest is not there
    frrm a1
    frflags a2
    fsrmi 0
    li t0, 0x4004000000000000
    fmv.d.x ft0, t0             # 2.5
    fcvt.l.d a3, ft0            # to nearest even: 2
    fsrmi 3
    fcvt.l.d a4, ft0            # up: 3
    fsrmi 1
    fcvt.l.d t1, ft0            # to zero: 2
    addi a5, t1, -1
    fsrmi a6, 4
    addi a6, a6, 3              # it was 1
    fcvt.l.d a7, ft0            # to nearest, ties away: 3
    csrwi vcsr, 5
    csrr s2, vcsr
    csrr s3, vlenb
    csrr t0, vtype              # illegal state before the first vsetvli
    mv s8, t0
    vsetvli s4, x0, e32, m1, ta, ma
    csrr s5, vtype
    csrr t0, vl
    sub s4, t0, zero
    rdtime t0
1:  rdtime t1
    beq t0, t1, 1b
    sltu s6, t0, t1
    csrr s7, vxsat
    finish
