# Zfa: constants, minimum and maximum that keep NaNs, rounding, quiet comparisons, fcvtmod.w.d.
# fa0 = 0xffffffff3f800000
# fa1 = 0xbff0000000000000
# fa2 = 0x0010000000000000
# fa3 = 0xffffffff7f800000
# fa4 = 0x7ff8000000000000
# fa5 = 0x3fd4000000000000
# fa6 = 0xffffffffffff0100
# fa7 = 0xffffffffffff7c00
# fs2 = 0x7ff8000000000000
# fs3 = 0x4000000000000000
# fs4 = 0x4000000000000000
# fs5 = 0xc000000000000000
# a0 = 0x0000000000000000
# a1 = 0x0000000000000001
# a2 = 0x0000000000000001
# a3 = 0xffffffff80000000
# a4 = 0x0000000000000010
# a5 = 0x0000000000000000
# a6 = 0x0000000000000000
# a7 = 0x0000000000000001
# s2 = 0x0000000000000000
# s3 = 0xfffffffffffffffd
    .globl _start
_start:
    .word 0xf0180553            # fli.s fa0, 1.0
    .word 0xf21005d3            # fli.d fa1, -1.0
    .word 0xf2108653            # fli.d fa2, min
    .word 0xf01f06d3            # fli.s fa3, inf
    .word 0xf21f8753            # fli.d fa4, nan
    .word 0xf21487d3            # fli.d fa5, 0.3125
    .word 0xf4110853            # fli.h fa6, 2^-16
    .word 0xf41e88d3            # fli.h fa7, 2^16: past the format
    fsflags zero
    .word 0x2ae5a953            # fminm.d fs2, fa1, fa4
    .word 0xa2e5c553            # fleq.d a0, fa1, fa4
    .word 0xa2b5c5d3            # fleq.d a1, fa1, fa1
    .word 0xa2c5d653            # fltq.d a2, fa1, fa2
    frflags a5                  # all quiet
    li t0, 5                    # 2.5 = 5 / 2
    fcvt.d.l ft0, t0
    li t0, 2
    fcvt.d.l ft1, t0
    fdiv.d ft0, ft0, ft1
    .word 0x424009d3            # fround.d fs3, ft0, rne
    frflags a6                  # not inexact
    .word 0x42500a53            # froundnx.d fs4, ft0, rne
    frflags a7
    fneg.d ft2, ft0
    .word 0x42411ad3           # fround.d fs5, ft2, rtz
    fsflags zero
    li t0, 0x41e0000000000000   # 2^31
    fmv.d.x ft3, t0
    .word 0xc28196d3            # fcvtmod.w.d a3, ft3, rtz
    frflags a4                  # invalid
    li t0, 0x43f0000000000000   # 2^64
    fmv.d.x ft3, t0
    .word 0xc2819953            # fcvtmod.w.d s2, ft3, rtz
    li t0, 0xc1e0000000600000   # -(2^31 + 3)
    fmv.d.x ft3, t0
    li t0, 0xc1f0000000300000   # -(2^32 + 3)
    fmv.d.x ft3, t0
    .word 0xc28199d3            # fcvtmod.w.d s3, ft3, rtz
    finish
