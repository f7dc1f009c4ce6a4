/*
 * a64_branch.isa.c: AArch64 branches and exception generation (DDI 0487 C4.1.93). Branches with pointer authentication are
 * in a64_pauth.isa.c.
 * Guarded pages (FEAT_BTI): a computed jump leaves PSTATE.BTYPE in the translation mode; the landing pad is checked by
 * translate() in arm.c.
 */
#include "mem/mem.h"
#include "sys.h"
#include "xl.h"

static uint64_t target(struct xlat *t, int64_t off)
{
    return t->pc + (uint64_t)off;
}

INSN(b, "0 00101 off[s27:2]", "b {off@pc}")
{
    xl_jump(t, target(t, f->off), JK_JUMP);
}
INSN(bl, "1 00101 off[s27:2]", "bl {off@pc}")
{
    wx(t, 30, ir_k(t, t->next_pc));
    xl_jump(t, target(t, f->off), JK_CALL);
}
INSN(b_cond, "01010100 off[s20:2] 0 cond:4", "b.{cond} {off@pc}")
{
    xl_branch(t, arm_cond(t, (unsigned)f->cond), target(t, f->off));
}
INSN(bc_cond, "01010100 off[s20:2] 1 cond:4 @HBC", "bc.{cond} {off@pc}")
{
    xl_branch(t, arm_cond(t, (unsigned)f->cond), target(t, f->off));
}
INSN(cbz, "sf:1 011010 0 off[s20:2] rt:5", "cbz {rt:r}, {off@pc}")
{
    xl_branch(t, is_zero(t, r(t, f->sf, f->rt)), target(t, f->off));
}
INSN(cbnz, "sf:1 011010 1 off[s20:2] rt:5", "cbnz {rt:r}, {off@pc}")
{
    xl_branch(t, ir_cmpi(t, C_NE, r(t, f->sf, f->rt), 0), target(t, f->off));
}
static V tested_bit(struct xlat *t, F *f)
{
    return ir_andi(t, x(t, f->rt), 1ull << f->bit);
}
INSN(tbz, "bit[5] 011011 0 bit[4:0] off[s15:2] rt:5", "tbz {rt:bitreg}, #{bit}, {off@pc}")
{
    xl_branch(t, is_zero(t, tested_bit(t, f)), target(t, f->off));
}
INSN(tbnz, "bit[5] 011011 1 bit[4:0] off[s15:2] rt:5", "tbnz {rt:bitreg}, #{bit}, {off@pc}")
{
    xl_branch(t, ir_cmpi(t, C_NE, tested_bit(t, f), 0), target(t, f->off));
}

/* BTypeNext: 2 for a call, 1 for a jump that any landing pad takes, 3 for one that has to be meant as a jump. */
void arm_computed_jump(struct xlat *t, unsigned rn, V to, enum ir_jk jk)
{
    const struct gmem *m = acpu(t)->c.v->mem;

    if (acpu(t)->sysmode) {
        if (t->mode & MODE_GUARD) t->mode |= (jk == JK_CALL ? 2u : rn == 16 || rn == 17 || !arm_is_guarded(acpu(t), t->pc) ? 1u : 3u) << MODE_BTYPE_SHIFT;
    } else if (feat(t, ARM_BTI) && gmem_guarded(m)) {
        bool free = rn == 16 || rn == 17 || !(gmem_flags(m, t->pc) & GP_GUARD);
        t->mode |= (jk == JK_CALL ? 2u : free ? 1u : 3u) << MODE_BTYPE_SHIFT;
    }
    xl_jump_ind(t, to, jk);
}
INSN(br, "1101011 0000 11111 000000 rn:5 00000", "br {rn:x}")
{
    arm_computed_jump(t, (unsigned)f->rn, arm_addr(t, x(t, f->rn)), JK_JUMP);
}
INSN(blr, "1101011 0001 11111 000000 rn:5 00000", "blr {rn:x}")
{
    V to = arm_addr(t, x(t, f->rn));
    wx(t, 30, ir_k(t, t->next_pc));
    arm_computed_jump(t, (unsigned)f->rn, to, JK_CALL);
}
INSN(ret, "1101011 0010 11111 000000 rn:5 00000", "ret {rn:x}")
{
    xl_jump_ind(t, arm_addr(t, x(t, f->rn)), JK_RET);
}
ALIAS(ret, "1101011 0010 11111 000000 11110 00000", "ret")

/* -- exceptions; the calls to higher levels are in a64_sysmode.isa.c. HLT is undefined without a debugger ------------------- */
INSN(svc, "11010100 000 imm16:16 00001", "svc #{imm16}")
{
    xl_exc(t, EXC_SYSCALL, (uint32_t)f->imm16, t->next_pc);
}
INSN(brk, "11010100 001 imm16:16 00000", "brk #{imm16}")
{
    xl_exc(t, EXC_BREAK, (uint32_t)f->imm16, t->pc);
}
INSN(hlt, "11010100 010 imm16:16 00000", "hlt #{imm16}")
{
    if (acpu(t)->semihosting && f->imm16 == 0xf000 && (t->mode & MODE_EL || acpu(t)->semihosting == 2))
        xl_exc(t, EXC_GUEST, GX_SEMIHOST, t->next_pc);
    else
        xl_illegal(t);
}
INSN(udf, "0000000000000000 imm16:16", "udf #{imm16:d}")
{
    xl_illegal(t);
}
