/*
 * move.isa.c: moves, extensions, exchanges, stack, LEA, flags as a whole, segment registers' loads. Intel SDM volume 2.
 * Known gaps: MOV to SS and POP SS do not hold interrupts back.
 */
#include "xl.h"

INSN(mov, "88 /r Eb,Gb | 89 /r Ev,Gv | 8A /r Gb,Eb | 8B /r Gv,Ev | B0+r Zb,Ib | B8+r Zv,Iv | C6 /0 Eb,Ib"
     " | C7 /0 Ev,Iz", "mov")
{
    dst(t, f, 0, src(t, f, 1));
}

INSN(movabs, "B8+r os64 Zv,Iv | A0 AL,Ob | A1 rAX,Ov | A2 Ob,AL | A3 Ov,rAX", "movabs")
{
    dst(t, f, 0, src(t, f, 1));
}

/* To memory always 16 bits; to a register zero-extended. */
INSN(mov_from_seg, "8C /r reg Ev,Sw | 8C /r mem Ew,Sw", "mov")
{
    dst(t, f, 0, ir_zext(t, type_of(f->op[0].bits), src(t, f, 1)));
}

INSN(movsxd, "63 /r o64 Gv,Ed", "movsxd")
{
    V v = src(t, f, 1);
    dst(t, f, 0, f->osize == 64 ? ir_sext(t, T_I64, v) : ir_trunc(t, type_of(f->osize), v));
}

INSN(movzx, "0F B6 /r Gv,Eb | 0F B7 /r Gv,Ew", "movzx")
{
    dst(t, f, 0, ir_zext(t, type_of(f->osize), src(t, f, 1)));
}

INSN(movsx, "0F BE /r Gv,Eb | 0F BF /r Gv,Ew", "movsx")
{
    dst(t, f, 0, ir_sext(t, type_of(f->osize), src(t, f, 1)));
}

INSN(movnti, "NP 0F C3 /r My,Gy @SSE2", "movnti")
{
    dst(t, f, 0, src(t, f, 1));
}

INSN(movdiri, "NP 0F 38 F9 /r My,Gy @MOVDIRI", "movdiri")
{
    dst(t, f, 0, src(t, f, 1));
}

INSN(lea, "8D /r Gv,M", "lea")
{
    int64_t disp;
    V a = x86_offset(t, f, &disp);
    if (disp) a = ir_addi(t, a, (uint64_t)disp);
    dst(t, f, 0, ir_trunc(t, type_of(f->osize), a));
}

INSN(xchg, "86 /r Eb,Gb lock | 87 /r Ev,Gv lock | 90+r Zv,rAX", "xchg")
{
    V b = src(t, f, 1), a = modify(t, f, RMW_XCHG, b);
    dst(t, f, 1, a);
}

INSN(nop, "NP 90 rexb0 | 0F 1F /r Ev | 0F 18 /r Ev | 0F 19 /r Ev | 0F 1A /r Ev | 0F 1B /r Ev | 0F 1C /r Ev | 0F 1D /r Ev | 0F 1E /r Ev", "nop")
{
}

INSN(cbw, "98 os16", "cbw")
{
    set_gpr(t, R_RAX, ir_sext(t, T_I16, gpr(t, R_RAX, 8)));
}

INSN(cwde, "98 os32", "cwde")
{
    set_gpr(t, R_RAX, ir_sext(t, T_I32, gpr(t, R_RAX, 16)));
}

INSN(cdqe, "98 os64", "cdqe")
{
    set_gpr(t, R_RAX, ir_sext(t, T_I64, gpr(t, R_RAX, 32)));
}

INSN(cwd, "99 os16", "cwd")
{
    set_gpr(t, R_RDX, ir_sari(t, gpr(t, R_RAX, 16), 15));
}

INSN(cdq, "99 os32", "cdq")
{
    set_gpr(t, R_RDX, ir_sari(t, gpr(t, R_RAX, 32), 31));
}

INSN(cqo, "99 os64", "cqo")
{
    set_gpr(t, R_RDX, ir_sari(t, gpr(t, R_RAX, 64), 63));
}

/* The source is read either way; a 32-bit destination is zero-extended either way. */
INSN(cmov, "0F 40+cc /r Gv,Ev @CMOV", "cmov{cc}")
{
    V v = src(t, f, 1);
    dst(t, f, 0, ir_select(t, condition(t, f->opcode & 15), v, src(t, f, 0)));
}

INSN(set, "0F 90+cc /r Eb", "set{cc}")
{
    dst(t, f, 0, ir_zext(t, T_I8, condition(t, f->opcode & 15)));
}

INSN(xadd, "0F C0 /r Eb,Gb lock | 0F C1 /r Ev,Gv lock", "xadd")
{
    V b = src(t, f, 1), a, r;
    if (is_mem(f, 0)) {
        a = modify(t, f, RMW_ADD, b);
        r = ir_add(t, a, b);
        dst(t, f, 1, a);
    } else { /* the sum wins if both are one register */
        a = src(t, f, 0);
        r = ir_add(t, a, b);
        dst(t, f, 1, a);
        dst(t, f, 0, r);
    }
    struct flags fl = flags_add(t, a, b, 0, r);
    put_flags(t, &fl);
}

/* A register that is not written keeps its upper half: rAX if they were equal, a destination register if not. */
INSN(cmpxchg, "0F B0 /r Eb,Gb lock | 0F B1 /r Ev,Gv lock", "cmpxchg")
{
    V want = gpr(t, R_RAX, f->op[0].bits), new = src(t, f, 1), old, equal;

    if (is_mem(f, 0) && locked(f)) {
        old = ir_cas(t, ea_value(t, x86_ea(t, f, &f->op[0])), want, new, mo_of(ir_type_of(t, new)) | MO_ACQ | MO_REL);
        equal = ir_cmp(t, C_EQ, want, old);
    } else if (is_mem(f, 0)) {
        struct modify m = modify_begin(t, f);
        old = m.old;
        equal = ir_cmp(t, C_EQ, want, old);
        modify_end(t, f, &m, ir_select(t, equal, new, old));
    } else {
        unsigned to = R_RAX + f->op[0].reg;
        V before = ir_get(t, to);
        old = src(t, f, 0);
        equal = ir_cmp(t, C_EQ, want, old);
        dst(t, f, 0, new);
        ir_put(t, to, ir_select(t, equal, ir_get(t, to), before));
    }
    /* the accumulator itself is always equal */
    if (is_mem(f, 0) || f->op[0].kind != OP_REG || f->op[0].reg != R_RAX) {
        V now = ir_get(t, R_RAX);
        set_gpr(t, R_RAX, old);
        ir_put(t, R_RAX, ir_select(t, equal, now, ir_get(t, R_RAX)));
    }
    struct flags fl = flags_sub(t, want, old, 0, ir_sub(t, want, old));
    put_flags(t, &fl);
}

/* Only Z changes. */
static void cmpxchg_pair(struct xlat *t, V old_hi, V old_lo, V equal)
{
    enum ir_type type = ir_type_of(t, old_lo);
    V dx = ir_get(t, R_RDX), ax = ir_get(t, R_RAX);

    ir_put(t, R_RDX, ir_select(t, equal, dx, ir_zext(t, T_I64, old_hi)));
    ir_put(t, R_RAX, ir_select(t, equal, ax, ir_zext(t, T_I64, old_lo)));
    if (type == T_I64 || type == T_I32) ir_put(t, R_ZFV, ir_zext(t, T_I64, ir_not(t, equal)));
}

INSN(cmpxchg8b, "NFx 0F C7 /1 W0 Mq lock @CX8", "cmpxchg8b")
{
    V want = ir_bfi(t, ir_zext(t, T_I64, gpr(t, R_RAX, 32)), ir_get(t, R_RDX), 32, 32);
    V new = ir_bfi(t, ir_zext(t, T_I64, gpr(t, R_RBX, 32)), ir_get(t, R_RCX), 32, 32), old, equal;

    if (locked(f)) {
        old = ir_cas(t, ea_value(t, x86_ea(t, f, &f->op[0])), want, new, MO_64 | MO_ACQ | MO_REL);
        equal = ir_cmp(t, C_EQ, want, old);
    } else {
        struct modify m = modify_begin(t, f);
        old = m.old;
        equal = ir_cmp(t, C_EQ, want, old);
        modify_end(t, f, &m, ir_select(t, equal, new, old));
    }
    cmpxchg_pair(t, ir_trunc(t, T_I32, ir_shri(t, old, 32)), ir_trunc(t, T_I32, old), equal);
}

/* The operand has to be aligned: #GP. Always atomic here. */
INSN(cmpxchg16b, "NFx 0F C7 /1 W1 Mdq lock @CX16", "cmpxchg16b")
{
    V a = ea_value(t, x86_ea(t, f, &f->op[0]));
    V want = ir_vins(t, L_I64, ir_vfrom(t, ir_get(t, R_RAX)), ir_get(t, R_RDX), 1);
    V new = ir_vins(t, L_I64, ir_vfrom(t, ir_get(t, R_RBX)), ir_get(t, R_RCX), 1), old;

    fault_if(t, ir_cmpi(t, C_NE, ir_andi(t, a, 15), 0), VEC_GP);
    old = ir_cas(t, a, want, new, MO_128 | MO_ACQ | MO_REL);
    V lo = ir_vget(t, T_I64, L_I64, old, 0), hi = ir_vget(t, T_I64, L_I64, old, 1);
    V diff = ir_or(t, ir_xor(t, lo, ir_get(t, R_RAX)), ir_xor(t, hi, ir_get(t, R_RDX)));
    cmpxchg_pair(t, hi, lo, ir_cmpi(t, C_EQ, diff, 0));
}

/* -- stack ------------------------------------------------------------------------------------------------------------------ */

INSN(push, "50+r d64 Zv | 68 d64 Iz | 6A d64 Ibs | FF /6 d64 Ev", "push")
{
    push(t, src(t, f, 0));
}

/* As wide as the operand size, the selector in its low half (processors leave what is above in memory, or write 0). */
INSN(push_seg, "06 i64 ES | 0E i64 CS | 16 i64 SS | 1E i64 DS | 0F A0 d64 FS | 0F A8 d64 GS", "push")
{
    push(t, ir_zext(t, type_of(f->osize), src(t, f, 0)));
}

/* A memory operand's address is formed with the stack pointer behind the value. */
INSN(pop, "58+r d64 Zv | 8F /0 d64 Ev", "pop")
{
    V v = stack_top(t, type_of(f->osize), 0);
    if (!is_mem(f, 0)) {
        stack_drop(t, f->osize / 8);
        dst(t, f, 0, v);
        return;
    }
    /* a fault of the store must find the old stack pointer */
    V old = ir_get(t, R_RSP);
    stack_drop(t, f->osize / 8);
    V new = ir_get(t, R_RSP);
    struct ea m = x86_ea(t, f, &f->op[0]);
    ir_put(t, R_RSP, old);
    st(t, m, v);
    ir_put(t, R_RSP, new);
}

INSN(pusha, "60 i64", "pusha")
{
    for (unsigned i = 0; i < 8; i++) stack_store(t, gpr(t, i, f->osize), (i + 1) * f->osize / 8);
    stack_drop(t, -(uint64_t)f->osize);
}

INSN(popa, "61 i64", "popa")
{
    static const uint8_t order[8] = { R_RDI, R_RSI, R_RBP, R_RSP, R_RBX, R_RDX, R_RCX, R_RAX };
    V v[8];
    for (unsigned i = 0; i < 8; i++) v[i] = stack_top(t, type_of(f->osize), i * f->osize / 8);
    stack_drop(t, f->osize);
    for (unsigned i = 0; i < 8; i++)
        if (order[i] != R_RSP) set_gpr(t, order[i], v[i]);
}

/* The size of the stack pointer is the stack's, that of the frame pointer the operand's. */
INSN(leave, "C9 d64", "leave")
{
    unsigned bits = stack_bits(t);
    V bp = ir_zext(t, T_I64, gpr(t, R_RBP, bits)), a = x86_linear(t, bp, SEG_SS);
    V v = ir_ld(t, type_of(f->osize), a, 0, mo_of(type_of(f->osize)));
    set_gpr(t, R_RSP, ir_trunc(t, type_of(bits), ir_addi(t, bp, f->osize / 8)));
    set_gpr(t, R_RBP, v);
}

INSN(enter, "C8 d64 Iw,Ib", "enter")
{
    unsigned level = f->op[1].imm & 31, bits = stack_bits(t), bytes = f->osize / 8, below = bytes;
    enum ir_type type = type_of(f->osize);
    V frame = ir_subi(t, gpr(t, R_RSP, bits), bytes);

    stack_store(t, gpr(t, R_RBP, f->osize), below);
    for (unsigned i = 1; i < level; i++) {
        V a = ir_zext(t, T_I64, ir_subi(t, gpr(t, R_RBP, bits), i * bytes));
        stack_store(t, ir_ld(t, type, x86_linear(t, a, SEG_SS), 0, mo_of(type)), below += bytes);
    }
    if (level) stack_store(t, bits < f->osize ? ir_zext(t, type, frame) : ir_trunc(t, type, frame), below += bytes);
    V sp = ir_subi(t, gpr(t, R_RSP, bits), below + f->op[0].imm);
    ir_probe(t, x86_linear(t, ir_zext(t, T_I64, sp), SEG_SS), 1, true); /* the new top has to be writable */
    set_gpr(t, R_RSP, sp);
    set_gpr(t, R_RBP, bits < f->osize ? ir_zext(t, type, frame) : ir_trunc(t, type, frame));
}

/* -- flags ------------------------------------------------------------------------------------------------------------------ */

INSN(pushf, "9C d64", "pushf")
{
    push(t, ir_zext(t, type_of(f->osize), f->osize == 16 ? ir_trunc(t, T_I16, get_eflags(t))
                                                         : ir_andi(t, get_eflags(t), ~(uint32_t)(FL_RF | FL_VM))));
}

INSN(popf, "9D d64", "popf")
{
    V v = stack_top(t, type_of(f->osize), 0);
    uint32_t which = FL_USER;

    if (f->osize == 16) which &= 0xffff;
    stack_drop(t, f->osize / 8);
    set_eflags(t, f->osize == 64 ? ir_trunc(t, T_I32, v) : ir_zext(t, T_I32, v), which);
}

INSN(lahf, "9F @LAHF", "lahf")
{
    ir_put(t, R_RAX, ir_bfi(t, ir_get(t, R_RAX), ir_zext(t, T_I64, get_eflags(t)), 8, 8));
}

INSN(sahf, "9E @LAHF", "sahf")
{
    set_eflags(t, ir_zext(t, T_I32, ir_trunc(t, T_I8, ir_ubfx(t, ir_get(t, R_RAX), 8, 8))), FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF);
}

INSN(clc, "F8", "clc")
{
    ir_put(t, R_CF, k1(t, false));
}

INSN(stc, "F9", "stc")
{
    ir_put(t, R_CF, k1(t, true));
}

INSN(cmc, "F5", "cmc")
{
    ir_put(t, R_CF, ir_not(t, ir_get(t, R_CF)));
}

INSN(cld, "FC", "cld")
{
    ir_put(t, R_DF, ir_k(t, 1));
}

INSN(std, "FD", "std")
{
    ir_put(t, R_DF, ir_k(t, ~0ull));
}

INSN(salc, "D6 i64", "salc")
{
    set_gpr(t, R_RAX, ir_sext(t, T_I8, ir_get(t, R_CF)));
}

/* -- tables ----------------------------------------------------------------------------------------------------------------- */

INSN(xlat, "D7", "xlat")
{
    V off = ir_add(t, ir_get(t, R_RBX), ir_zext(t, T_I64, gpr(t, R_RAX, 8)));
    V a = x86_linear(t, ir_zext(t, T_I64, ir_trunc(t, type_of(f->asize), off)), f->mem_seg);
    set_gpr(t, R_RAX, ir_ld(t, T_I8, a, 0, MO_8));
}
