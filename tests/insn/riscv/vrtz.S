# Vector conversions that truncate, and the round-to-odd narrowing: Debian's QEMU 7.2 stops at these.
# a0 = 0x0000000000000002
# a1 = 0xfffffffffffffffe
# a2 = 0x0000000000000000
# a3 = 0x7fffffffffffffff
# a4 = 0x0000000000000011
# a5 = 0x000000003f800001
# a6 = 0x0000000000000003
# a7 = 0xffffffffffffffff
    .option arch, +v
    .globl _start
_start:
    vsetivli zero, 2, e64, m1, ta, ma
    la s0, doubles
    vle64.v v8, (s0)
    fsflags zero
    vfcvt.rtz.x.f.v v9, v8      # 2.75, -2.75
    vmv.x.s a0, v9
    vslidedown.vi v10, v9, 1
    vmv.x.s a1, v10
    vfcvt.rtz.xu.f.v v9, v8     # the second is invalid: 0
    vslidedown.vi v10, v9, 1
    vmv.x.s a2, v10
    addi s0, s0, 16
    vle64.v v8, (s0)
    vfcvt.rtz.x.f.v v9, v8      # infinity saturates
    vmv.x.s a3, v9
    frflags a4
    vsetivli zero, 2, e32, mf2, ta, ma
    addi s0, s0, 16
    vle64.v v8, (s0)
    vfncvt.rod.f.f.w v11, v8    # 1 + 2^-30 becomes the odd neighbour
    vmv.x.s a5, v11
    addi s0, s0, 16
    vle64.v v8, (s0)
    vfncvt.rtz.x.f.w v11, v8
    vmv.x.s a6, v11
    vslidedown.vi v11, v11, 1
    vmv.x.s a7, v11
    finish
    .data
    .balign 16
doubles:
    .double 2.75, -2.75
    .dword 0x7ff0000000000000, 0
    .dword 0x3ff0000000400000, 0
    .double 3.999, -1.5
