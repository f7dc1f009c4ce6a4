STREAM(bytes)
INSN(word, "00 /r Eb,Gb looock", "word") {} // ! 'looock' does not fit
INSN(digit, "00 /8 Eb,Gb", "digit") {} // ! '/8' does not fit
INSN(size, "00 /r Ek,Gb", "size") {} // ! 'Ek,Gb' does not fit
INSN(none, "NP 0F", "none") {} // ! no opcode
INSN(short, "50 Zv", "short") {} // ! Z needs an opcode with +r
INSN(modrm, "50 Ev", "modrm") {} // ! this operand needs a modrm byte
INSN(vvvv, "0F 58 /r Vps,Hps,Wps", "vvvv") {} // ! this operand needs VEX
INSN(cc, "72+cc Jb", "cc") {} // ! '72+cc' does not fit
INSN(both, "00 /r mem reg Eb,Gb", "both") {} // ! 'reg' does not fit
INSN(map, "VEX.NP 58 /r Vps,Hps,Wps", "map") {} // ! 'VEX.NP' does not fit
INSN(byte, "0F 01 0F", "byte") {} // ! '0F' does not fit
ALIAS(word, "00 /r mem Eb,Gb", "word") // ! STREAM(bytes) has no ALIAS
INSN(gates, "0F 59 /r Vps,Wps @SSE/AVX", "gates") {} // ! '@SSE/AVX' does not fit
INSN(gates4, "VEX?.NP.0F 59 /r Vps,Hps,Wps @A/B/C/D", "gates4") {} // ! '@A/B/C/D' does not fit
INSN(nogate, "0F 59 /r Vps,Wps @", "nogate") {} // ! '@' does not fit
