# Zicond, Zimop: conditional zero; may-be operations write zero.
# a0 = 0x0000000000000000
# a1 = 0x0000000000000007
# a2 = 0x0000000000000007
# a3 = 0x0000000000000000
# a4 = 0x0000000000000000
# a5 = 0x0000000000000000
    .globl _start
_start:
    li t0, 7
    li t1, 1
    li a4, -1
    li a5, -1
    .word 0x0e02d533            # czero.eqz a0, t0, zero
    .word 0x0e62d5b3            # czero.eqz a1, t0, t1
    .word 0x0e02f633            # czero.nez a2, t0, zero
    .word 0x0e62f6b3            # czero.nez a3, t0, t1
    .word 0x81c2c773            # mop.r.0 a4, t0
    .word 0x8262c7f3            # mop.rr.0 a5, t0, t1
    finish
