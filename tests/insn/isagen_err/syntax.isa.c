STREAM(unit=16, order=lsb)
FMT(a, fa)

INSN(ok, "0000 a:4 b:8", "ok {a} {b:fb} {b@pc} {b@pc:fp} {b:%#x} {:all} {{}}") {}
INSN(other, "0001 a:12", "other {b}") {} // ! the pattern has no field 'b'
INSN(none, "0010 a:12", "none {c}") {} // ! 'c' is no field
INSN(open, "0011 a:12", "open {a") {} // ! { without }
INSN(close, "0100 a:12", "close a}") {} // ! a brace is written }}
INSN(at, "0101 a:12", "at {a@sp}") {} // ! only @pc can follow a field
INSN(fmt, "0110 a:12", "fmt {a:%q}") {} // ! '%q' is no formatter
