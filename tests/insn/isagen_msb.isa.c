/* The same for big units drawn first to last, big-endian inside. */
#include "cpu/guest.h"
#include "msb_gen.h"

STREAM(unit=16, order=msb, endian=big)

INSN(brief, "0010 rd:4 imm:s8", "brief {rd}, {imm}") {}
INSN(full, "11110 a:11 b:3 1 c:12", "full {a} {b} {c}") {}
INSN(across, "11111 a:1 w[31:22] w[21:16] w[9:0]", "across {w:%x}") {}
INSN(triple, "1110 r:12 hi:16 lo:16", "triple {r} {hi:%x} {lo:%x}") {}
