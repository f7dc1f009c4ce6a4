STREAM(unit=16, order=lsb)
MODES(wide, s8|s16|s32)

INSN(left, "0000 v:4 0000 0000", "left") {}
INSN(right, "0000 0000 v:4 0000", "right") {} // ! INSN 'right' overlaps 'left' (overlap.isa.c:4): both match 0x0000, and
INSN(same1, "0001 v:12", "same1") {}
INSN(same2, "0001 w:12", "same2") {} // ! overlaps 'same1' (overlap.isa.c:6): both match 0x1000
INSN(gate1, "0010 v:12 @Za", "gate1") {}
INSN(gate2, "0010 v:12 @Zb", "gate2") {} // ! overlaps 'gate1'
INSN(mode1, "0011 v:11 0 @wide", "mode1") {}
INSN(mode2, "0011 0 v:11", "mode2") {} // ! both match 0x3000 in mode wide
INSN(short, "0100 v:12", "short") {}
INSN(long, "0000000000000001 0100000000000000", "long") {} // ! overlaps 'short' (overlap.isa.c:12): both match 0x00014000
INSN(ne1, "0101 v:4 w:8 v!=1", "ne1") {}
INSN(ne2, "0101 00 v:2 w:4 0000", "ne2") {}
INSN(ne3, "0110 v:4 00000000 v!=1", "ne3") {}
INSN(ne4, "0110 00 v:2 w:8", "ne4") {} // ! overlaps 'ne3'

/* these are right: apart by mode, by one value of an axis, by gate, inside */
INSN(ok1, "1000 v:12 @wide", "ok1") {}
INSN(ok2, "1000 v:12 @!wide", "ok2") {}
INSN(ok3, "1001 v:12 @s8", "ok3") {}
INSN(ok4, "1001 v:12 @s16", "ok4") {}
INSN(ok5, "1001 v:12 @!s8 @!s16", "ok5") {}
INSN(ok6, "1010 v:12 @Za", "ok6") {}
INSN(ok7, "1010 v:12 @!Za @Zb", "ok7") {}
INSN(ok8, "1010 0000 v:8", "ok8") {}
