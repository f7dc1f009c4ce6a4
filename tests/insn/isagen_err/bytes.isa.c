STREAM(bytes)
INSN(add, "00 /r Eb,Gb lock | 01 /r Ev,Gv lock | 83 /0 Ev,Ibs", "add") {}
INSN(same, "01 /r Ev,Gv", "same") {} // ! form '01 /r Ev,Gv' of 'same' overlaps form '01 /r Ev,Gv lock' of 'add'
INSN(group, "83 /r mem Ev,Ibs", "group") {} // ! form '83 /r mem Ev,Ibs' of 'group' overlaps form '83 /0 Ev,Ibs' of 'add'
INSN(inner, "83 /0 reg Ev,Ibs", "inner") {}
INSN(bare, "00", "bare") {} // ! form '00' of 'bare' and form '00 /r Eb,Gb lock' of 'add'
INSN(xchg, "90+r Zv,rAX", "xchg") {}
INSN(nop, "NP 90", "nop") {}
INSN(addps, "VEX?.NP.0F 58 /r Vps,Hps,Wps", "{v}addps") {}
INSN(bsf, "0F BC /r Gv,Ev", "bsf") {}
INSN(bsfgated, "0F BC /r Gv,Ev @NEW", "bsfgated") {}
INSN(twice, "0F BC /r Gv,Ev @OTHER", "twice") {} // ! form '0F BC /r Gv,Ev @OTHER' of 'twice' overlaps form '0F BC /r Gv,Ev @NEW' of 'bsfgated'
