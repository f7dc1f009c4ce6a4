/*
 * a64_system.isa.c: AArch64 hints, barriers, PSTATE, cache maintenance, system registers (DDI 0487 C4.1.93, C5). What only system
 * mode has is in a64_sysmode.isa.c.
 * WFE and the timed forms return at once, as an event may always be pending; WFE gives the host CPU away. In user mode WFI does, too.
 * Known gaps: no MTE, TME.
 */
#include <sched.h>
#include <sys/random.h>
#include <time.h>
#include "sys.h"
#include "xl.h"

/* -- hints ----------------------------------------------------------------------------------------------------------------- */
INSN(hint, "1101010100 0 00 011 0010 hint:7 11111", "hint #{hint:hex}")
{
}
ALIAS(hint, "1101010100 0 00 011 0010 0000 000 11111", "nop")
ALIAS(hint, "1101010100 0 00 011 0010 0000 001 11111", "yield")
ALIAS(hint, "1101010100 0 00 011 0010 0000 100 11111", "sev")
ALIAS(hint, "1101010100 0 00 011 0010 0000 101 11111", "sevl")
ALIAS(hint, "1101010100 0 00 011 0010 0010 000 11111", "esb")
ALIAS(hint, "1101010100 0 00 011 0010 0010 001 11111", "psb csync")
ALIAS(hint, "1101010100 0 00 011 0010 0010 010 11111", "tsb csync")
ALIAS(hint, "1101010100 0 00 011 0010 0010 100 11111", "csdb")
ALIAS(hint, "1101010100 0 00 011 0010 0010 110 11111", "clearbhb")
ALIAS(hint, "1101010100 0 00 011 0010 0100 000 11111", "bti")
ALIAS(hint, "1101010100 0 00 011 0010 0100 010 11111", "bti c")
ALIAS(hint, "1101010100 0 00 011 0010 0100 100 11111", "bti j")
ALIAS(hint, "1101010100 0 00 011 0010 0100 110 11111", "bti jc")
HELPER(void, wfe, (CPU *cpu), "")
{
    sched_yield();
}
/* In system mode others of the machine get to run. */
static void wait_for_event(struct xlat *t, bool wfi)
{
    if (!acpu(t)->sysmode) {
        if (!wfi) IR_CALL0(t, wfe);
        return;
    }
    arm_check(t, wfi ? TC_WFI : TC_WFE, !wfi, 0, false);
    xl_exc(t, EXC_GUEST, GX_YIELD, t->next_pc);
}
INSN(wfi, "1101010100 0 00 011 0010 0000 011 11111", "wfi")
{
    if (!acpu(t)->sysmode) return;
    arm_check(t, TC_WFI, 0, 0, false);
    xl_exc(t, EXC_GUEST, GX_HALT, t->next_pc);
}
INSN(wfe, "1101010100 0 00 011 0010 0000 010 11111", "wfe")
{
    wait_for_event(t, false);
}
INSN(wfet, "1101010100 0 00 011 0001 0000 000 rt:5 @WFxT", "wfet {rt:x}")
{
    wait_for_event(t, false);
}
INSN(wfit, "1101010100 0 00 011 0001 0000 001 rt:5 @WFxT", "wfit {rt:x}")
{
    wait_for_event(t, true);
}

/* -- barriers ---------------------------------------------------------------------------------------------------------------- */
static void barrier(struct xlat *t, unsigned types)
{
    ir_fence(t, types == 1 ? FENCE_LL | FENCE_LS : types == 2 ? FENCE_SS : FENCE_ALL);
}
INSN(dsb, "1101010100 0 00 011 0011 dom:2 types:2 100 11111", "dsb {types:barrier}")
{
    barrier(t, (unsigned)f->types);
    if (!acpu(t)->sysmode) return;
    /* other CPUs are done with what a TLBI dropped; then this instruction comes again */
    V pending = ir_get(t, R_TLBI_PENDING);
    ir_put(t, R_TLBI_PENDING, ir_kt(t, T_I1, 0));
    xl_trapif(t, pending, EXC_GUEST, GX_YIELD);
}
ALIAS(dsb, "1101010100 0 00 011 0011 0000 100 11111", "ssbb")
ALIAS(dsb, "1101010100 0 00 011 0011 0100 100 11111", "pssbb")
INSN(dmb, "1101010100 0 00 011 0011 dom:2 types:2 101 11111", "dmb {types:barrier}")
{
    barrier(t, (unsigned)f->types);
}
INSN(isb, "1101010100 0 00 011 0011 crm:4 110 11111", "isb #{crm:hex}")
{
    xl_stop(t);
}
ALIAS(isb, "1101010100 0 00 011 0011 1111 110 11111", "isb")
INSN(sb, "1101010100 0 00 011 0011 0000 111 11111 @SB", "sb")
{
}

/* -- PSTATE ------------------------------------------------------------------------------------------------------------------ */
INSN(cfinv, "1101010100 0 00 000 0100 0000 000 11111 @FlagM", "cfinv")
{
    ir_put(t, R_C, ir_not(t, ir_get(t, R_C)));
}
/* From the flags of an FP compare to an alternative form with unordered in N and V's place, and back. */
INSN(xaflag, "1101010100 0 00 000 0100 0000 001 11111 @FlagM2", "xaflag")
{
    V z = ir_get(t, R_Z), c = ir_get(t, R_C), nz = ir_not(t, z), nc = ir_not(t, c);
    put_nzcv(t, ir_and(t, nc, nz), ir_and(t, z, c), ir_or(t, c, z), ir_and(t, nc, z));
}
INSN(axflag, "1101010100 0 00 000 0100 0000 010 11111 @FlagM2", "axflag")
{
    V zero = ir_kt(t, T_I1, 0), v = ir_get(t, R_V);
    put_nzcv(t, zero, ir_or(t, ir_get(t, R_Z), v), ir_and(t, ir_get(t, R_C), ir_not(t, v)), zero);
}
INSN(msr_ssbs, "1101010100 0 00 011 0100 000 on:1 001 11111", "msr ssbs, #{on:hex}")
{
    if (feat(t, ARM_SSBS2))
        ir_put(t, R_SSBS, ir_k32(t, (uint32_t)f->on));
    else
        xl_illegal(t);
}
INSN(msr_dit, "1101010100 0 00 011 0100 000 on:1 010 11111", "msr dit, #{on:hex}")
{
    if (feat(t, ARM_DIT))
        ir_put(t, R_DIT, ir_k32(t, (uint32_t)f->on));
    else
        xl_illegal(t);
}

/* -- cache maintenance: memory is coherent. What a DC touches has to be readable. ------------------------------------------- */
static void dc_clean(struct xlat *t, F *f, unsigned cls, unsigned crm)
{
    arm_check(t, cls, 1 << 15 | SYSREG(0, 3, 7, crm, 1), (unsigned)f->rt, false);
    ir_probe(t, arm_addr(t, x(t, f->rt)), 1, false);
}
INSN(dc_cvac, "1101010100 0 01 011 0111 1010 001 rt:5", "dc cvac, {rt:x}")
{
    dc_clean(t, f, TC_POC, 10);
}
INSN(dc_cvau, "1101010100 0 01 011 0111 1011 001 rt:5", "dc cvau, {rt:x}")
{
    dc_clean(t, f, TC_POU, 11);
}
INSN(dc_cvap, "1101010100 0 01 011 0111 1100 001 rt:5", "dc cvap, {rt:x}")
{
    if (feat(t, ARM_DPB))
        dc_clean(t, f, TC_POC, 12);
    else
        xl_illegal(t);
}
INSN(dc_cvadp, "1101010100 0 01 011 0111 1101 001 rt:5", "dc cvadp, {rt:x}")
{
    if (feat(t, ARM_DPB2))
        dc_clean(t, f, TC_POC, 13);
    else
        xl_illegal(t);
}
INSN(dc_civac, "1101010100 0 01 011 0111 1110 001 rt:5", "dc civac, {rt:x}")
{
    dc_clean(t, f, TC_POC, 14);
}
/* DCZID_EL0 says 64 bytes. */
INSN(dc_zva, "1101010100 0 01 011 0111 0100 001 rt:5", "dc zva, {rt:x}")
{
    arm_check(t, TC_ZVA, 1 << 15 | SYSREG(0, 3, 7, 4, 1), (unsigned)f->rt, false);
    V a = ir_andi(t, arm_addr(t, x(t, f->rt)), ~63ull), zero = ir_kv(t, 0, 0);
    for (unsigned i = 0; i < 64; i += 16) ir_st(t, a, i, zero, MO_128);
}
/* Translated pages are write-protected, so only pages that change through another mapping need to be dropped here. A line is
 * 4 KiB (CTR_EL0.IminLine), so that a program walks few of them. */
HELPER(void, ic_ivau, (CPU *cpu, uint64_t addr), "fault")
{
    engine_icache_flush(cpu->v->engine, addr & ~4095ull, (addr | 4095) + 1);
}
INSN(ic_ivau, "1101010100 0 01 011 0111 0101 001 rt:5", "ic ivau, {rt:x}")
{
    arm_check(t, TC_POU, 1 << 15 | SYSREG(0, 3, 7, 5, 1), (unsigned)f->rt, false);
    if (acpu(t)->sysmode) { /* stores to code are noticed */
        ir_probe(t, x(t, f->rt), 1, false);
        return;
    }
    IR_CALL(t, ic_ivau, arm_addr(t, x(t, f->rt)));
    xl_stop(t);
}

/* -- system registers: what sysreg.c reads through a helper ----------------------------------------------------------------- */
HELPER(uint64_t, clock_ns, (CPU *cpu), "")
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}
HELPER(uint64_t, random, (CPU *cpu), "")
{
    uint64_t v = 0;
    if (cpu->v->host && cpu->v->host->random) return cpu->v->host->random(cpu->v->host_ctx);
    while (getrandom(&v, sizeof v, 0) < 0 && errno == EINTR) {}
    return v;
}
INSN(mrs, "1101010100 1 1 reg:15 rt:5", "mrs {rt:x}, {reg:sysreg}")
{
    if (!arm_mrs(t, (unsigned)f->reg, (unsigned)f->rt)) xl_illegal(t);
}
INSN(msr, "1101010100 0 1 reg:15 rt:5", "msr {reg:sysreg}, {rt:x}")
{
    if (!arm_msr(t, (unsigned)f->reg, (unsigned)f->rt)) xl_illegal(t);
}
