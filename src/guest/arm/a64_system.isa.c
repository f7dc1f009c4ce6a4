/*
 * a64_system.isa.c: AArch64 hints, barriers, PSTATE, cache maintenance, system registers (DDI 0487 C4.1.93, C5).
 * WFE, WFI and their timed forms return at once, as an event may always be pending; WFE gives the host CPU away.
 * Known gaps: no MTE, TME.
 */
#include <sched.h>
#include <sys/random.h>
#include <time.h>
#include "xl.h"

/* -- hints ----------------------------------------------------------------------------------------------------------------- */
INSN(hint, "1101010100 0 00 011 0010 hint:7 11111", "hint #{hint:hex}")
{
}
ALIAS(hint, "1101010100 0 00 011 0010 0000 000 11111", "nop")
ALIAS(hint, "1101010100 0 00 011 0010 0000 001 11111", "yield")
ALIAS(hint, "1101010100 0 00 011 0010 0000 011 11111", "wfi")
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
INSN(wfe, "1101010100 0 00 011 0010 0000 010 11111", "wfe")
{
    IR_CALL0(t, wfe);
}
INSN(wfet, "1101010100 0 00 011 0001 0000 000 rt:5 @WFxT", "wfet {rt:x}")
{
    IR_CALL0(t, wfe);
}
INSN(wfit, "1101010100 0 00 011 0001 0000 001 rt:5 @WFxT", "wfit {rt:x}")
{
}

/* -- barriers ---------------------------------------------------------------------------------------------------------------- */
static void barrier(struct xlat *t, unsigned types)
{
    ir_fence(t, types == 1 ? FENCE_LL | FENCE_LS : types == 2 ? FENCE_SS : FENCE_ALL);
}
INSN(dsb, "1101010100 0 00 011 0011 dom:2 types:2 100 11111", "dsb {types:barrier}")
{
    barrier(t, (unsigned)f->types);
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
static void dc_clean(struct xlat *t, F *f)
{
    ir_probe(t, arm_addr(t, x(t, f->rt)), 1, false);
}
INSN(dc_cvac, "1101010100 0 01 011 0111 1010 001 rt:5", "dc cvac, {rt:x}")
{
    dc_clean(t, f);
}
INSN(dc_cvau, "1101010100 0 01 011 0111 1011 001 rt:5", "dc cvau, {rt:x}")
{
    dc_clean(t, f);
}
INSN(dc_cvap, "1101010100 0 01 011 0111 1100 001 rt:5", "dc cvap, {rt:x}")
{
    if (feat(t, ARM_DPB))
        dc_clean(t, f);
    else
        xl_illegal(t);
}
INSN(dc_cvadp, "1101010100 0 01 011 0111 1101 001 rt:5", "dc cvadp, {rt:x}")
{
    if (feat(t, ARM_DPB2))
        dc_clean(t, f);
    else
        xl_illegal(t);
}
INSN(dc_civac, "1101010100 0 01 011 0111 1110 001 rt:5", "dc civac, {rt:x}")
{
    dc_clean(t, f);
}
/* DCZID_EL0 says 64 bytes. */
INSN(dc_zva, "1101010100 0 01 011 0111 0100 001 rt:5", "dc zva, {rt:x}")
{
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
    while (getrandom(&v, sizeof v, 0) < 0 && errno == EINTR) {}
    return v;
}
INSN(mrs, "1101010100 1 1 reg:15 rt:5", "mrs {rt:x}, {reg:sysreg}")
{
    if (!arm_mrs(t, (unsigned)f->reg, (unsigned)f->rt)) xl_illegal(t);
}
INSN(msr, "1101010100 0 1 reg:15 rt:5", "msr {reg:sysreg}, {rt:x}")
{
    if (!arm_msr(t, (unsigned)f->reg, x(t, f->rt))) xl_illegal(t);
}
