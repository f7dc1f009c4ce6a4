/* A made-up instruction set that uses each feature of the bit-pattern dialect once; isagen_unit_test.c knows it. */
#include "cpu/guest.h"
#include "toy_gen.h"

STREAM(unit=16, order=lsb)
MODES(wide, s8|s16|s32)
GROUPS(x, f, stat)
FMT(rd|rs, reg)

/* 16 bits: low two bits not 11 */
INSN(add, "0000 rs:5 rd:5 00", "add {rd}, {rs}") {}
ALIAS(add, "0000 00000 rd:5 00", "clr {rd}")
ALIAS(add, "0000 n:5 00001 00", "set1 {n}, {rd}")
ALIAS(add, "0000 00000 00001 00", "clr1")
ALIAS(add, "0000 rs:5 rd:5 00 twin=same(rs,rd)", "dbl {rd} {twin}")
INSN(jump, "0001 off[s9|3:1] off[8:4] 1 00", "jump {off@pc}") {}
INSN(far, "0001 off[s9|3:1] off[8:4] 0 00", "far {off@pc:abs}") {}
INSN(low, "0010 rd:3+8 k:s5*4 00 00 k!=0", "low {rd}, {k}") {}
INSN(any, "0011 v:8 00 00", "any {v:%#x}") {}
INSN(some, "0011 0000 v:4 00 00 v!=3", "some {v}") {}
INSN(sized_b, "0100 v:10 00 @s8", "b {v}") {}
INSN(sized_h, "0100 v:10 00 @s16", "h {v}") {}
INSN(narrow, "0101 v:10 00", "narrow {v}") {}
INSN(wide, "0101 v:10 00 @wide", "wide {v}") {}
INSN(old, "0110 v:10 00", "old {v}") {}
INSN(new, "0110 v:10 00 @Znew", "new {v}") {}
INSN(newer, "0110 v:10 00 @Znew @Znewer", "newer {v}") {}
INSN(lone, "0111 v:10 00 @Zlone @!Znew", "lone {v}") {}
/* kept apart by a !=, from one that is not inside */
INSN(shift, "1000 h:4 m:1 rd:5 00 h!=0..3", "shift {h} {m}") {}
INSN(imm, "1000 00 v:2 1 rd:5 00", "imm {v}") {}
/* each inside of neither, the third takes what they share */
INSN(left, "1001 v:5 00000 00", "left {v}") {}
INSN(right, "1001 00000 v:5 00", "right {v}") {}
INSN(mid, "1001 00000 00000 00", "mid {{}}") {}
INSN(comp, "1010 a:5 b:5 00 s=sum(a,b,7) m=pick(s,wide)", "comp {s} {m}") {}

/* 32 bits */
INSN(load, "imm:s12 rs:5 000 rd:5 0000011", "load {rd}, {imm}({rs})") {}
INSN(stor, "soff[s11|10:5] rd:5 rs:5 001 soff[4:0] 0000011", "stor {rd}, {soff}({rs})") {}
INSN(wrap, "w:25 0000111 ", "wrap {:all}") {}

HELPER(uint32_t, mix, (CPU *cpu, uint8_t a, bool b, lyre_f64 c, v128 d), "fp r=x,stat w=f")
{
    return (uint32_t)(a + b * 0x100u + (uint32_t)c * 0x10000u + (uint32_t)d[1] * 0x1000000u);
}
HELPER(void, nothing, (CPU *cpu), "fault") {}
HELPER(v128, both, (CPU *cpu, uint64_t lo, uint64_t hi), "pure")
{
    return (v128){ lo, hi };
}
