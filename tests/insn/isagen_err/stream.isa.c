STREAM(unit=24, order=lsb) // ! 'unit=24' is not unit=8|16|32
INSN(nop, "00000000000000000000000000000000", "nop") {}
