/*
 * flow.isa.c: jumps, calls, returns, loops, traps. Intel SDM volume 2. In 64-bit code the operand size of near branches is 64 bits, as
 * on Intel processors.
 * Known gaps: far jumps, calls and returns and IRET are system.isa.c's.
 */
#include "xl.h"

INSN(jcc, "70+cc bnd hint f64 Jb | 0F 80+cc bnd hint f64 Jz", "j{cc}")
{
    xl_branch(t, condition(t, f->opcode & 15), rel_target(t, f, 0));
}

INSN(jmp, "EB bnd f64 Jb | E9 bnd f64 Jz", "jmp")
{
    xl_jump(t, rel_target(t, f, 0), JK_JUMP);
}

INSN(jmp_ind, "FF /4 bnd notrack f64 Ev", "jmp")
{
    jump_to(t, src(t, f, 0), JK_JUMP);
}

/* A call of the next instruction is how position-independent code asks where it is: no call to be returned from. */
INSN(call, "E8 bnd f64 Jz", "call")
{
    push(t, ip_value(t, t->next_pc, type_of(f->osize)));
    xl_jump(t, rel_target(t, f, 0), f->op[0].imm ? JK_CALL : JK_JUMP);
}

INSN(call_ind, "FF /2 bnd notrack f64 Ev", "call")
{
    V to = src(t, f, 0);
    push(t, ip_value(t, t->next_pc, type_of(f->osize)));
    jump_to(t, to, JK_CALL);
}

INSN(ret, "C3 bnd f64 | C2 bnd f64 Iw", "ret")
{
    V to = stack_top(t, type_of(f->osize), 0);
    stack_drop(t, f->osize / 8 + (f->nops ? f->op[0].imm : 0));
    jump_to(t, to, JK_RET);
}

static V count_is_zero(struct xlat *t, unsigned bits)
{
    return ir_cmpi(t, C_EQ, gpr(t, R_RCX, bits), 0);
}

INSN(jrcxz, "E3 as64 f64 Jb", "jrcxz")
{
    xl_branch(t, count_is_zero(t, 64), rel_target(t, f, 0));
}

INSN(jecxz, "E3 as32 f64 Jb", "jecxz")
{
    xl_branch(t, count_is_zero(t, 32), rel_target(t, f, 0));
}

INSN(jcxz, "E3 as16 f64 Jb", "jcxz")
{
    xl_branch(t, count_is_zero(t, 16), rel_target(t, f, 0));
}

static void loop_if(struct xlat *t, F *f, V also)
{
    V n = ir_subi(t, gpr(t, R_RCX, f->asize), 1), more = ir_cmpi(t, C_NE, n, 0);
    set_gpr(t, R_RCX, n);
    xl_branch(t, also ? ir_and(t, more, also) : more, rel_target(t, f, 0));
}

INSN(loop, "E2 f64 Jb", "loop")
{
    loop_if(t, f, 0);
}

INSN(loope, "E1 f64 Jb", "loope")
{
    loop_if(t, f, condition(t, 4));
}

INSN(loopne, "E0 f64 Jb", "loopne")
{
    loop_if(t, f, condition(t, 5));
}

/* CET's landing pads are nothing without CET. */
INSN(endbr64, "F3 0F 1E FA", "endbr64")
{
}

INSN(endbr32, "F3 0F 1E FB", "endbr32")
{
}

/* -- traps ------------------------------------------------------------------------------------------------------------------ */

INSN(ud2, "0F 0B", "ud2")
{
    xl_illegal(t);
}

INSN(ud1, "0F B9 /r Gv,Ev", "ud1")
{
    xl_illegal(t);
}

INSN(ud0, "0F FF /r Gv,Ev", "ud0")
{
    xl_illegal(t);
}

INSN(int3, "CC", "int3")
{
    xl_exc(t, EXC_GUEST, VEC_BP, t->next_pc);
}

INSN(int1, "F1", "int1")
{
    xl_exc(t, EXC_GUEST, VEC_DB, t->next_pc);
}

/* In user mode 0x80 is a system call, 3 and 4 are traps, the others are not allowed. */
INSN(int, "CD Ib", "int")
{
    unsigned n = (uint8_t)f->op[0].imm;
    if (n == 0x80) xl_exc(t, EXC_SYSCALL, GX_INT80, t->next_pc);
    else if (n == VEC_BP || n == VEC_OF) xl_exc(t, EXC_GUEST, n, t->next_pc);
    else fault(t, VEC_GP);
}

/* A trap: the return address is behind it. */
HELPER(void, into, (CPU *cpu, bool of, uint64_t next), "fault")
{
    if (!of) return;
    cpu->pc = next;
    cpu_raise(cpu, EXC_GUEST, VEC_OF, 0);
}

INSN(into, "CE i64", "into")
{
    IR_CALL(t, into, ir_get(t, R_OF), ir_k(t, t->next_pc));
}

/* RCX and R11 keep what the kernel will return with. */
INSN(syscall, "0F 05 @SYSCALL", "syscall")
{
    if (!code64(t)) {
        xl_illegal(t);
        return;
    }
    ir_put(t, R_RCX, ir_k(t, t->next_pc));
    ir_put(t, R_R8 + 3, ir_zext(t, T_I64, ir_andi(t, get_eflags(t), ~(uint32_t)FL_RF)));
    xl_exc(t, EXC_SYSCALL, GX_SYSCALL, t->next_pc);
}

INSN(sysenter, "0F 34 @SEP", "sysenter")
{
    xl_exc(t, EXC_SYSCALL, GX_SYSENTER, t->next_pc);
}

INSN(bound, "62 /r mem i64 Gv,Ma", "bound")
{
    struct ea m = x86_ea(t, f, &f->op[1]);
    enum ir_type type = type_of(f->osize);
    V low = ld(t, type, m), high;
    m.disp += f->osize / 8;
    high = ld(t, type, m);
    V i = src(t, f, 0);
    fault_if(t, ir_or(t, ir_cmp(t, C_SLT, i, low), ir_cmp(t, C_SGT, i, high)), VEC_BR);
}
