/*
 * far.isa.c: what loads CS: far jumps, calls and returns, IRET; what asks about descriptors; what only privileged code may. Intel SDM
 * volumes 2 and 3. In user mode there is one privilege level and Linux's code segments; a 64-bit program reaches 32-bit code this way.
 * Known gaps: system mode.
 */
#include "xl.h"

HELPER(void, load_cs, (CPU *cpu, uint32_t sel), "fault r=seg,sys w=seg,sys")
{
    if (!x86_load_cs(x86_cpu_rw(cpu), (uint16_t)sel)) cpu_raise(cpu, EXC_GUEST, VEC_GP, 0);
}

/* Goes to an offset in another code segment, which decides what kind of code it is. */
static void far_to(struct xlat *t, V sel, V ip, enum ir_jk jk)
{
    IR_CALL(t, load_cs, ir_zext(t, T_I32, sel));
    V to = ir_add(t, ir_zext(t, T_I64, ip), ir_get(t, R_SEGBASE + SEG_CS));
    xl_jump_ind(t, to, jk);
    t->new_mode = ir_get(t, R_MODE);
}

/* Offset and selector of a far pointer, in the instruction or in memory. */
static V far_operand(struct xlat *t, F *f, V *sel)
{
    enum ir_type type = type_of(f->osize);
    if (f->op[0].kind == OP_FAR) {
        *sel = ir_kt(t, T_I16, f->op[0].sel);
        return ir_kt(t, type, f->op[0].imm);
    }
    struct ea m = x86_ea(t, f, &f->op[0]), s = m;
    s.disp += f->osize / 8;
    *sel = ld(t, T_I16, s);
    return ld(t, type, m);
}

INSN(jmp_far, "EA i64 Ap | FF /5 Mp", "jmp")
{
    V sel, ip = far_operand(t, f, &sel);
    far_to(t, sel, ip, JK_JUMP);
}

INSN(call_far, "9A i64 Ap | FF /3 Mp", "call")
{
    V sel, ip = far_operand(t, f, &sel), back = ip_value(t, t->next_pc, type_of(f->osize));
    unsigned bytes = f->osize / 8;
    stack_store(t, ir_zext(t, type_of(f->osize), ir_trunc(t, T_I16, ir_get(t, R_SEL + SEG_CS))), bytes);
    stack_store(t, back, 2 * bytes);
    stack_drop(t, -(uint64_t)(2 * bytes));
    far_to(t, sel, ip, JK_CALL);
}

INSN(retf, "CB | CA Iw", "retf")
{
    enum ir_type type = type_of(f->osize);
    V ip = stack_top(t, type, 0), sel = ir_trunc(t, T_I16, stack_top(t, type, f->osize / 8));
    IR_CALL(t, load_cs, ir_zext(t, T_I32, sel));
    stack_drop(t, f->osize / 4 + (f->nops ? f->op[0].imm : 0));
    xl_jump_ind(t, ir_add(t, ir_zext(t, T_I64, ip), ir_get(t, R_SEGBASE + SEG_CS)), JK_RET);
    t->new_mode = ir_get(t, R_MODE);
}

/* In 64-bit code SS:RSP is always popped, too. */
INSN(iret, "CF", "iret")
{
    enum ir_type type = type_of(f->osize);
    unsigned bytes = f->osize / 8;
    V ip = stack_top(t, type, 0), sel = ir_trunc(t, T_I16, stack_top(t, type, bytes)), fl = stack_top(t, type, 2 * bytes), sp = 0;

    if (code64(t)) sp = stack_top(t, type, 3 * bytes);
    IR_CALL(t, load_cs, ir_zext(t, T_I32, sel));
    if (sp) ir_put(t, R_RSP, ir_zext(t, T_I64, sp));
    else stack_drop(t, 3 * bytes);
    set_eflags(t, bytes == 8 ? ir_trunc(t, T_I32, fl) : ir_zext(t, T_I32, fl), bytes == 2 ? FL_USER & 0xffff : FL_USER);
    xl_jump_ind(t, ir_add(t, ir_zext(t, T_I64, ip), ir_get(t, R_SEGBASE + SEG_CS)), JK_RET);
    t->new_mode = ir_get(t, R_MODE);
}

/* -- descriptors: Z says whether the selector names one that the program may use ---------------------------------------- */
HELPER(uint64_t, describe, (CPU *cpu, uint32_t sel), "r=seg,sys")
{
    uint32_t attr, limit;
    return x86_describe(x86_cpu(cpu), (uint16_t)sel, &attr, &limit) ? (uint64_t)limit << 32 | attr : 0;
}

static void ask(struct xlat *t, F *f, bool limit)
{
    V d = IR_CALL(t, describe, ir_zext(t, T_I32, ir_trunc(t, T_I16, src(t, f, 1)))), ok = ir_cmpi(t, C_NE, d, 0);
    V v = limit ? ir_shri(t, d, 32) : ir_ubfx(t, d, 0, 32), old = ir_get(t, R_RAX + f->op[0].reg);
    V new = f->osize == 16 ? ir_bfi(t, old, v, 0, 16) : v;
    ir_put(t, R_RAX + f->op[0].reg, ir_select(t, ok, new, old));
    ir_put(t, R_ZFV, ir_zext(t, T_I64, ir_not(t, ok)));
}

INSN(lar, "0F 02 /r reg Gv,Ev | 0F 02 /r mem Gv,Ew", "lar")
{
    ask(t, f, false);
}

INSN(lsl, "0F 03 /r reg Gv,Ev | 0F 03 /r mem Gv,Ew", "lsl")
{
    ask(t, f, true);
}

/* Readable: bit 9 of the attributes, or data; writable: data with bit 9. Bit 11: code. */
static void verify(struct xlat *t, F *f, bool write)
{
    V d = IR_CALL(t, describe, ir_zext(t, T_I32, src(t, f, 0)));
    V rw = ir_trunc(t, T_I1, ir_shri(t, d, 9)), code = ir_trunc(t, T_I1, ir_shri(t, d, 11)), ok = ir_cmpi(t, C_NE, d, 0);
    V may = write ? ir_and(t, rw, ir_not(t, code)) : ir_or(t, rw, ir_not(t, code));
    ir_put(t, R_ZFV, ir_zext(t, T_I64, ir_not(t, ir_and(t, ok, may))));
}

INSN(verr, "0F 00 /4 Ew", "verr")
{
    verify(t, f, false);
}

INSN(verw, "0F 00 /5 Ew", "verw")
{
    verify(t, f, true);
}

/* The requested privilege level of operand 0 becomes that of operand 1, if it is lower. */
INSN(arpl, "63 /r i64 Ew,Gw", "arpl")
{
    struct modify m = modify_begin(t, f);
    V want = ir_andi(t, src(t, f, 1), 3), less = ir_cmp(t, C_ULT, ir_andi(t, m.old, 3), want);
    modify_end(t, f, &m, ir_select(t, less, ir_bfi(t, m.old, want, 0, 2), m.old));
    ir_put(t, R_ZFV, ir_zext(t, T_I64, ir_not(t, less)));
}

/* -- what the tables are: Linux keeps programs from knowing (UMIP), and gives them these --------------------------------- */
static void store_table(struct xlat *t, F *f, uint64_t base)
{
    struct ea m = x86_ea(t, f, &f->op[0]);
    st(t, m, ir_kt(t, T_I16, 0));
    m.disp += 2;
    st(t, m, code64(t) ? ir_k(t, base) : ir_k32(t, (uint32_t)base));
}

INSN(sgdt, "0F 01 /0 mem Ms", "sgdt")
{
    store_table(t, f, 0xfffffffffffe0000);
}

INSN(sidt, "0F 01 /1 mem Ms", "sidt")
{
    store_table(t, f, 0xffffffffffff0000);
}

static void store_word(struct xlat *t, F *f, uint32_t v)
{
    dst(t, f, 0, ir_kt(t, type_of(f->op[0].bits), v));
}

INSN(sldt, "0F 00 /0 reg Ev | 0F 00 /0 mem Ew", "sldt")
{
    store_word(t, f, 0);
}

INSN(str, "0F 00 /1 reg Ev | 0F 00 /1 mem Ew", "str")
{
    store_word(t, f, 0x40);
}

INSN(smsw, "0F 01 /4 reg Ev | 0F 01 /4 mem Ew", "smsw")
{
    store_word(t, f, 0x80050033);
}

/* -- privileged ----------------------------------------------------------------------------------------------------------- */
#define PRIVILEGED        \
    {                     \
        fault(t, VEC_GP); \
    }
INSN(lldt, "0F 00 /2 Ew", "lldt") PRIVILEGED
INSN(ltr, "0F 00 /3 Ew", "ltr") PRIVILEGED
INSN(lgdt, "0F 01 /2 Ms", "lgdt") PRIVILEGED
INSN(lidt, "0F 01 /3 Ms", "lidt") PRIVILEGED
INSN(lmsw, "0F 01 /6 Ew", "lmsw") PRIVILEGED
INSN(invlpg, "0F 01 /7 Mb", "invlpg") PRIVILEGED
INSN(swapgs, "0F 01 F8 o64", "swapgs") PRIVILEGED
INSN(clts, "0F 06", "clts") PRIVILEGED
INSN(sysret, "0F 07 @SYSCALL", "sysret") PRIVILEGED
INSN(invd, "0F 08", "invd") PRIVILEGED
INSN(wbinvd, "0F 09", "wbinvd") PRIVILEGED
INSN(mov_from_cr, "0F 20 /r reg Rq,Cq", "mov") PRIVILEGED
INSN(mov_from_dr, "0F 21 /r reg Rq,Dq", "mov") PRIVILEGED
INSN(mov_to_cr, "0F 22 /r reg Cq,Rq", "mov") PRIVILEGED
INSN(mov_to_dr, "0F 23 /r reg Dq,Rq", "mov") PRIVILEGED
INSN(wrmsr, "0F 30", "wrmsr") PRIVILEGED
INSN(rdmsr, "0F 32", "rdmsr") PRIVILEGED
INSN(rdpmc, "0F 33", "rdpmc") PRIVILEGED
INSN(sysexit, "0F 35 @SEP", "sysexit") PRIVILEGED
