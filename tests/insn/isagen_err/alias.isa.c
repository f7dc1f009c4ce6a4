STREAM(unit=16, order=lsb)

INSN(base, "0000 a:4 b:8", "base {a}") {}
ALIAS(base, "0001 a:4 b:8", "outside") // ! ALIAS does not lie inside of INSN 'base' (alias.isa.c:3)
ALIAS(base, "000x a:4 b:8", "around") // ! ALIAS does not lie inside of INSN 'base'
ALIAS(nowhere, "0000 a:4 b:8", "nowhere") // ! ALIAS of 'nowhere', which is no INSN
ALIAS(base, "0000 0000 b:8", "one")
ALIAS(base, "0000 a:4 00000000", "two") // ! ALIAS 'base' overlaps 'base' (alias.isa.c:7)
