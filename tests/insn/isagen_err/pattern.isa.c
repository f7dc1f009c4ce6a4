/* Each line that ends in a comment "! text" has to be reported, with this text and this line. */
STREAM(unit=16, order=lsb)
MODES(wide, s8|s16)

INSN(bits, "0101 f:11", "bits") {} // ! draws 15 bits, which is no multiple of 16
INSN(empty, "", "empty") {} // ! draws 0 bits
INSN(long, "a:64 0000000000000000", "long") {} // ! more than 64 bits drawn
INSN(twice, "0000 f:4 f:4 0000", "twice") {} // ! 'f:4': field drawn before
INSN(again, "0000 f[3:0] f[3] 0000000", "again") {} // ! this bit of the field is drawn twice
INSN(order, "0000 f[0:3] 00000000", "order") {} // ! pieces are written hi:lo or bit
INSN(sign, "0000 f[s3|5:4] 000000000", "sign") {} // ! s has to mark the field's highest bit
INSN(bar, "0000 f[3,2] 0000000000", "bar") {} // ! pieces are separated by |
INSN(width, "0000 f:0 000000000000", "width") {} // ! the width has to be 1 to 64
INSN(tail, "0000 f:4+ 00000000", "tail") {} // ! a number has to follow + and *
INSN(junk, "0000 f:4/2 00000000", "junk") {} // ! 'f:4/2': is not understood
INSN(word, "0000 hello 000000000000", "word") {} // ! 'hello': is not understood
INSN(name, "0000 2f:4 00000000", "name") {} // ! the field's name is not a name
INSN(sel, "0000000000000000 @", "sel") {} // ! a mode or feature has to follow @
INSN(both, "0000000000000001 @wide @!wide", "both") {} // ! contradicts an earlier selector
INSN(axis, "0000000000000010 @s8 @s16", "axis") {} // ! contradicts an earlier selector
INSN(none, "0000000000000011 @!s8 @!s16", "none") {} // ! the selectors leave no mode
INSN(gate, "0000000000000100 @Zx @!Zx", "gate") {} // ! given twice
INSN(undrawn, "0000000000000101 f!=0", "undrawn") {} // ! the pattern has not drawn this field
INSN(value, "000000000001 g:4 g!=", "value") {} // ! numbers or ranges a..b
INSN(range, "000000000010 g:4 g!=3..1", "range") {} // ! numbers or ranges a..b
INSN(call, "000000000011 g:4 h=fn", "call") {} // ! a computed field is written f=function(a,b)
INSN(arg, "000000000100 g:4 h=fn(z)", "arg") {} // ! arguments are fields drawn or computed to the left
INSN(clash, "000000000101 g:4 g=fn(g)", "clash") {} // ! this field already has a value
INSN(arity1, "000000000110 g:4 h=two(g)", "arity1") {}
INSN(arity2, "000000000111 g:4 h=two(g,g)", "arity2") {} // ! this function takes another number of arguments elsewhere
INSN(3, "0000000000001000", "3") {} // ! '3' is not a name
INSN(two, "0000000000001001") {} // ! takes three arguments, not 2
