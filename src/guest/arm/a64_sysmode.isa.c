/*
 * a64_sysmode.isa.c: AArch64 instructions of system mode: exception calls and returns, PSTATE, SYS; helpers of system registers
 * (DDI 0487 C5, C6). In user mode they are undefined, or do what EL0 may.
 * Known gaps: DCPS and DRPS (external debug).
 */
#include "sys.h"
#include "xl.h"

static bool above_el0(struct xlat *t)
{
    return t->mode & MODE_EL;
}

/* -- exceptions ------------------------------------------------------------------------------------------------------------ */
static void call_up(struct xlat *t, unsigned gx, int64_t imm)
{
    if (above_el0(t))
        xl_exc(t, EXC_GUEST, (uint32_t)imm << 16 | gx, t->next_pc);
    else
        xl_illegal(t);
}
INSN(hvc, "11010100 000 imm16:16 00010", "hvc #{imm16}")
{
    call_up(t, GX_HVC, f->imm16);
}
INSN(smc, "11010100 000 imm16:16 00011", "smc #{imm16}")
{
    call_up(t, GX_SMC, f->imm16);
}
INSN(eret, "1101011 0100 11111 000000 11111 00000", "eret")
{
    if (above_el0(t))
        xl_exc(t, EXC_GUEST, GX_ERET, t->pc);
    else
        xl_illegal(t);
}
INSN(ereta, "1101011 0100 11111 00001 b:1 11111 11111 @PAuth", "ereta{b:ab}")
{
    if (!above_el0(t)) {
        xl_illegal(t);
        return;
    }
    unsigned elr = R_SRI + SR_ELR_EL1 + (t->mode >> MODE_EL_SHIFT & 3) - 1;
    ir_put(t, elr, arm_auth(t, ir_get(t, elr), ir_get(t, R_SP), KEY_IA + (unsigned)f->b));
    xl_exc(t, EXC_GUEST, GX_ERET, t->pc);
}

/* -- PSTATE ----------------------------------------------------------------------------------------------------------------- */
HELPER(void, daif_write, (CPU *cpu, uint32_t v), "r=c w=c")
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    a->daif = v & PS_DAIF;
    arm_irq_poke(a);
}
HELPER(void, daif_clear, (CPU *cpu, uint32_t bits), "r=c w=c")
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    a->daif &= ~bits;
    arm_irq_poke(a);
}
HELPER(void, spsel_write, (CPU *cpu, uint32_t v), "r=x,c,s w=x,c,s")
{
    arm_set_spsel(arm_cpu_rw(cpu), v & 1);
}
HELPER(uint64_t, pstate_read, (CPU *cpu, uint32_t bit), "")
{
    const struct arm_cpu *a = arm_cpu(cpu);
    return bit == PS_PAN ? a->pan * (uint64_t)PS_PAN : a->uao * (uint64_t)PS_UAO;
}
HELPER(void, pstate_write, (CPU *cpu, uint32_t bit, uint32_t v), "r=c w=c")
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    if (bit == PS_PAN)
        a->pan = v;
    else
        a->uao = v;
    arm_mode_update(a, false);
    soft_switch(cpu);
}
/* DAIFSet and DAIFClr may be EL0's (SCTLR.UMA); the others are undefined there. */
INSN(msr_daifset, "1101010100 0 00 011 0100 imm4:4 110 11111", "msr daifset, #{imm4:hex}")
{
    if (!acpu(t)->sysmode) {
        xl_illegal(t);
        return;
    }
    arm_check(t, TC_UMA, SYSREG(0, 3, 4, f->imm4, 6), 31, false);
    ir_put(t, R_DAIF, ir_ori(t, ir_get(t, R_DAIF), (uint64_t)f->imm4 << 6));
}
INSN(msr_daifclr, "1101010100 0 00 011 0100 imm4:4 111 11111", "msr daifclr, #{imm4:hex}")
{
    if (!acpu(t)->sysmode) {
        xl_illegal(t);
        return;
    }
    arm_check(t, TC_UMA, SYSREG(0, 3, 4, f->imm4, 7), 31, false);
    IR_CALL(t, daif_clear, ir_k32(t, (uint32_t)f->imm4 << 6));
    xl_stop(t);
}
INSN(msr_spsel, "1101010100 0 00 000 0100 000 on:1 101 11111", "msr spsel, #{on:hex}")
{
    if (above_el0(t)) {
        IR_CALL(t, spsel_write, ir_k32(t, (uint32_t)f->on));
        xl_stop_mode(t, ir_get(t, R_MODE));
    } else {
        xl_illegal(t);
    }
}
static void set_pstate(struct xlat *t, F *f, enum arm_feat need, uint32_t bit)
{
    if (!above_el0(t) || !feat(t, need)) {
        xl_illegal(t);
        return;
    }
    IR_CALL(t, pstate_write, ir_k32(t, bit), ir_k32(t, (uint32_t)f->on));
    xl_stop_mode(t, ir_get(t, R_MODE));
}
INSN(msr_pan, "1101010100 0 00 000 0100 000 on:1 100 11111", "msr pan, #{on:hex}")
{
    set_pstate(t, f, ARM_PAN, PS_PAN);
}
INSN(msr_uao, "1101010100 0 00 000 0100 000 on:1 011 11111", "msr uao, #{on:hex}")
{
    set_pstate(t, f, ARM_UAO, PS_UAO);
}

/* -- system registers and instructions ---------------------------------------------------------------------------------------- */
/* The syndrome of a trapped MRS, MSR or SYS; WFx has its own. rt: and 32 for reads. */
HELPER(void, sys_check, (CPU *cpu, uint32_t cls, uint32_t reg, uint32_t rt), "fault r=c")
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    unsigned ec, to = arm_trapped(a, (enum arm_trap_class)cls, reg, rt & 32, &ec);
    if (cls == TC_LOR && arm_secure(a)) cpu_raise(cpu, EXC_ILLEGAL, 0, 0);
    if (cls == TC_PS && a->el == 1 && !arm_secure(a)) cpu_raise(cpu, EXC_ILLEGAL, 0, 0);
    if (!to) return;
    if (ec == EC_WFX) arm_raise_trap(a, to, ec, 0x1e00000 | reg);
    unsigned op0 = reg >> 15 & 1 ? 1 : 2 | (reg >> 14 & 1);
    if (cls == TC_UMA && !(reg >> 14 & 1)) op0 = 0;
    uint32_t iss = op0 << 20 | (reg & 7) << 17 | (reg >> 11 & 7) << 14 | (reg >> 7 & 15) << 10 | (rt & 31) << 5 | (reg >> 3 & 15) << 1 |
                   (rt >> 5 & 1);
    /* an exception from EL0 that TGE redirects is of unknown reason where EL1 would not have had it */
    arm_raise_trap(a, to, ec, iss);
}
HELPER(uint64_t, sr_read, (CPU *cpu, uint32_t r), "")
{
    return arm_sr_read(arm_cpu_rw(cpu), (enum arm_sr)r);
}
HELPER(void, sr_write, (CPU *cpu, uint32_t r, uint64_t v), "r=c w=c")
{
    arm_sr_write(arm_cpu_rw(cpu), (enum arm_sr)r, v);
}
HELPER(uint64_t, id_read, (CPU *cpu, uint32_t reg), "")
{
    uint64_t v = 0;
    arm_id_system(arm_cpu(cpu), reg, &v);
    return v;
}
HELPER(uint64_t, dczid, (CPU *cpu), "")
{
    const struct arm_cpu *a = arm_cpu(cpu);
    unsigned ec;
    return 4 | (arm_trapped(a, TC_ZVA, 0, false, &ec) ? 1 << 4 : 0);
}
HELPER(uint64_t, cntvct, (CPU *cpu), "")
{
    const struct arm_cpu *a = arm_cpu(cpu);
    bool host = a->el == 0 ? arm_vhe_host(a) : a->el == 2 && arm_hcr(a) & HCR_E2H;
    return arm_count(a) - (host || !a->has_el2 ? 0 : a->sr[SR_CNTVOFF_EL2]);
}
HELPER(uint64_t, icc_read, (CPU *cpu, uint32_t reg), "fault r=c")
{
    bool ok = true;
    uint64_t v = cpu->v->intc->read(cpu->v->intc->ctx, cpu, reg, &ok);
    if (!ok) cpu_raise(cpu, EXC_ILLEGAL, 0, 0);
    return v;
}
HELPER(void, icc_write, (CPU *cpu, uint32_t reg, uint64_t v), "fault r=c")
{
    bool ok = true;
    cpu->v->intc->write(cpu->v->intc->ctx, cpu, reg, v, &ok);
    if (!ok) cpu_raise(cpu, EXC_ILLEGAL, 0, 0);
}
HELPER(void, at, (CPU *cpu, uint32_t op, uint64_t va), "fault r=c,s w=s")
{
    arm_at(arm_cpu_rw(cpu), op, va);
}
HELPER(void, tlbi, (CPU *cpu, uint32_t op, uint64_t v), "r=c w=c")
{
    arm_tlbi(arm_cpu_rw(cpu), op, v);
}
INSN(sys, "1101010100 0 01 op:14 rt:5", "{op:sysop}")
{
    if (!arm_sys_insn(t, (unsigned)f->op, (unsigned)f->rt)) xl_illegal(t);
}

/* -- debug: a software step or hardware breakpoints are on ------------------------------------------------------------------- */
HELPER(void, debug_check, (CPU *cpu), "fault r=c")
{
    arm_debug_check(arm_cpu_rw(cpu));
}
void arm_debug_before(struct xlat *t)
{
    IR_CALL0(t, debug_check);
}
HELPER(void, bti_check, (CPU *cpu, uint32_t insn), "fault r=c")
{
    arm_bti_check(arm_cpu_rw(cpu), insn);
}
void arm_bti_before(struct xlat *t, uint32_t insn)
{
    IR_CALL(t, bti_check, ir_k32(t, insn));
}
