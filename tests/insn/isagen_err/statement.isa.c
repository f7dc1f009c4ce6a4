STREAM(unit=16, order=lsb)
STREAM(unit=32, order=lsb) // ! second STREAM; the first is at statement.isa.c:1
MODES(wide, wide) // ! mode 'wide' is declared twice
GROUPS(x, f)
FMT(a|b, one)
FMT(b|c, two) // ! field 'b' already has the default formatter 'one'
#define ROW(n) INSN(n, "0000000000000000", "n") {} // ! a row cannot be made by a macro
/* INSN(in_a_comment, "", "") */
static const char *text = "INSN(in_a_string, \"\", \"\")";
INSN(one, "0000000000000000", "one")
{
    char c = '"';
    use("}", c); /* { */
    INSN(inside, "0000000000000001", "inside") {} // ! INSN inside of a body
}
INSN(one, "0000000000000010", "one again") {} // ! INSN 'one' is already defined at statement.isa.c:10
HELPER(float, ret, (CPU *cpu), "") {} // ! type 'float' is not one a helper can return
HELPER(void, arg, (CPU *cpu, int x), "") {} // ! type 'int' of parameter 1 is not one a helper can take
HELPER(void, first, (int x), "") {} // ! the first parameter has to be CPU *
HELPER(void, many, (CPU *cpu, bool a, bool b, bool c, bool d, bool e, bool f, bool g), "") {} // ! more than 6 parameters
HELPER(void, effect, (CPU *cpu), "fast") {} // ! effect 'fast' is not pure, fault, fp
HELPER(void, group, (CPU *cpu), "r=xz") {} // ! 'z' names no register group
HELPER(void, pure, (CPU *cpu), "pure fault") {} // ! cannot be pure and have effects
HELPER(void, group2, (CPU *cpu), "r=x,f w=xf") {}
HELPER(void, group2, (CPU *cpu), "") {} // ! HELPER 'group2' is already defined at statement.isa.c:24
