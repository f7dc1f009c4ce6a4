# LR and SC, Zacas, Zabha.
# a0 = 0x0000000000000005
# a1 = 0x0000000000000000
# a2 = 0x0000000000000001
# a3 = 0x0000000000000009
# a4 = 0x0000000000000009
# a5 = 0x000000000000000b
# a6 = 0x1111111111111111
# a7 = 0x2222222222222222
# s2 = 0x3333333333333333
# s3 = 0x4444444444444444
# s4 = 0xffffffffffffff80
# s5 = 0x0000000000000001
# s6 = 0xffffffffffffff81
# s7 = 0xffffffffffff8000
# s8 = 0x000000000000007f
# s9 = 0x0000000000000001
    .globl _start
_start:
    la s0, word
    lr.w a0, (s0)
    li t0, 9
    sc.w a1, t0, (s0)           # succeeds
    sc.w a2, t0, (s0)           # the reservation is gone
    lw a3, (s0)
    mv a4, a0
    li t1, 11
    .word 0x2864272f            # amocas.w a4, t1, (s0): memory is 9, not 5
    .word 0x2864272f            # and now it is what a4 holds
    lw a5, (s0)
    la s1, pair
    ld a6, 0(s1)
    ld a7, 8(s1)
    li t3, 0x3333333333333333
    li t4, 0x4444444444444444
    .word 0x29c4c82f            # amocas.q a6, t3, (s1)
    ld s2, 0(s1)
    ld s3, 8(s1)
    la s1, bytes
    li t0, 1
    .word 0x00548a2f            # amoadd.b s4, t0, (s1)
    lb s6, 0(s1)
    lbu s5, 1(s1)
    addi s1, s1, 2
    li t0, 0x7fff
    .word 0x80549baf            # amomin.h s7, t0, (s1)
    addi s1, s1, 2
    li t0, -1
    .word 0xe0548c2f            # amomaxu.b s8, t0, (s1)
    lbu s9, 1(s1)
    finish
    .data
    .balign 16
pair:
    .dword 0x1111111111111111, 0x2222222222222222
word:
    .word 5, 0
bytes:
    .byte 0x80, 1, 0x00, 0x80, 0x7f, 1, 0, 0
