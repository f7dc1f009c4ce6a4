# Zcb: narrow compressed accesses, extensions, not, mul; Zcmop.
# a0 = 0x0000000000000080
# a1 = 0xffffffffffff8180
# a2 = 0x0000000000008180
# a3 = 0x0000000000000085
# a4 = 0xfffffffffffffff5
# a5 = 0x0000000080000001
# s0 = 0x0000000000000c80
# s1 = 0xffffffffffffff80
    .globl _start
_start:
    la s0, bytes
    .half 0x8008                # c.lbu a0, 0(s0)
    .half 0x844c                # c.lh a1, 0(s0)
    .half 0x8410                # c.lhu a2, 0(s0)
    .half 0x8810                # c.sb a2, 0(s0)
    .half 0x8c30                # c.sh a2, 2(s0)
    lbu t0, 3(s0)
    li a3, 4
    add a3, a3, t0
    li a4, 10
    .half 0x9f75                # c.not a4
    li a5, -0x7fffffff
    .half 0x9ff1                # c.zext.w a5
    lb s1, 0(s0)
    .half 0x9ce5                # c.sext.b s1
    li s0, 25
    .half 0x9c49                # c.mul s0, a0
    .half 0x6081                # c.mop.1
    finish
    .data
    .balign 8
bytes:
    .byte 0x80, 0x81, 0, 0, 0, 0, 0, 0
