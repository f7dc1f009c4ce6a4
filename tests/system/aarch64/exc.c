/* exc.c: exceptions of EL1 and EL0: classes, syndromes, return addresses, saved state. */
#include "bare.h"

/* An instruction whose address is known. */
#define DO(name, insn) do { void *at_; asm volatile("adr %0, 77f\n77:\t" insn : "=&r"(at_) : : "memory", "x0", "x1", "x2", "x9"); \
    tell(name, at_); } while (0)

static u64 el0_list(u64 which)
{
    switch (which) {
    case 0: asm volatile("svc #0x123"); break;
    case 1: asm volatile("brk #0x45"); break;
    case 2: asm volatile(".inst 0x00000000"); break;
    case 3: asm volatile("mrs x9, daif" : : : "x9"); break;
    case 4: asm volatile("msr daifset, #2"); break;
    case 5: asm volatile("mrs x9, sctlr_el1" : : : "x9"); break;
    case 6: asm volatile("hvc #1"); break;
    case 7: asm volatile("smc #1"); break;
    case 8: asm volatile("eret"); break;
    case 9: asm volatile("wfi"); break;
    case 10: asm volatile("mrs x10, ctr_el0" : : : "x10"); break;
    case 11: asm volatile("mov x9, sp\n\tdc zva, x9" : : : "x9", "memory"); break;
    case 12: asm volatile("ic ivau, x0"); break;
    case 13: asm volatile("dc civac, x0"); break;
    case 14: asm volatile("mrs x11, cntvct_el0" : : : "x11"); break;
    case 15: asm volatile("mrs x12, cntpct_el0" : : : "x12"); break;
    case 16: asm volatile("msr cntv_ctl_el0, x0"); break;
    case 17: asm volatile("mrs x13, cntp_tval_el0" : : : "x13"); break;
    case 18: asm volatile("mrs x14, pmccntr_el0" : : : "x14"); break;
    case 19: asm volatile("mrs x15, midr_el1" : : : "x15"); break;
    case 20: asm volatile("dc isw, x0"); break;
    case 21: asm volatile("tlbi vmalle1"); break;
    case 22: asm volatile("at s1e0r, x0"); break;
    case 23: asm volatile("hlt #0"); break;
    case 24: asm volatile("msr spsel, #1"); break;
    case 25: asm volatile("mrs x9, cntfrq_el0" : : : "x9"); break;
    case 26: asm volatile("wfe"); break;
    case 27: asm volatile(".arch armv8.4-a\n\tmrs x9, dit" : : : "x9"); break;
    case 28: asm volatile("mrs x9, tpidrro_el0" : : : "x9"); break;
    case 29: asm volatile("msr tpidrro_el0, x9"); break;
    case 30: asm volatile("dc cvau, x0"); break;
    default: return which;
    }
    return which + 100;
}
extern char el0_list_at[] asm("el0_list");

static void from_el0(const char *title)
{
    puts_(title);
    puts_("\n");
    for (u64 i = 0; i < 32; i++) {
        if (i == 26 || i == 4) continue; /* WFE may find an event; QEMU 7.2 swaps op1 and op2 of a trapped DAIFSet */
        if (i == 9 && MRS(sctlr_el1) & 1 << 16) continue; /* it would wait */
        u64 before = ex.count;
        u64 r = AT_EL0(el0_list, i);
        if (ex.count == before)
            SAY("none", i, r);
        else
            SAY("el0", i, ex.count - before, ex.vec, ex.el, ex.esr, ex.spsr, *(u32 *)ex.elr);
    }
}

static void el1_list(void)
{
    DO("svc", "svc #0xabcd");
    DO("brk", "brk #0xffff");
    DO("udf", ".inst 0x00001234");
    DO("unallocated", ".inst 0xffffffff");
    DO("hlt", "hlt #1");
    DO("mrs_el2", "mrs x0, hcr_el2");
    DO("mrs_el3", "mrs x0, scr_el3");
    DO("msr_ro", "msr s3_0_c0_c0_0, x0");
    DO("no_such_reg", "mrs x0, s3_0_c13_c2_0");
    DO("id_reserved", "mrs x0, s3_0_c0_c7_7");
    DO("tlbi_el2", "tlbi alle2");
    DO("smc", "smc #3");
    DO("sp_el0", "mrs x0, sp_el0");
    DO("sp_el0_undef", "msr spsel, #0\n\t mov x1, sp\n\tmsr spsel, #1");
    DO("sp_el0_in_use", "mov x9, sp\n\tmsr sp_el0, x9\n\tmsr spsel, #0\n\tmrs x0, sp_el0\n\tmsr spsel, #1");
    MSR(cpacr_el1, 0);
    DO("fp_off", "fmov d0, x0");
    DO("simd_off", "ld1 {v0.16b}, [sp]");
    DO("fpcr_off", "mrs x0, fpcr");
    MSR(cpacr_el1, 1 << 20);
    DO("fp_el1", "fmov d0, x0");
    MSR(cpacr_el1, 3 << 20);
    DO("fp_on", "fmov d0, x0");
    /* the vector of SP_EL0 */
    asm volatile("mov x9, sp\n\tmsr sp_el0, x9\n\tmsr spsel, #0\n\tsvc #5\n\tmsr spsel, #1" : : : "x9");
    tell("svc_sp0", 0 + (void *)ex.elr);
    /* flags and masks come back */
    asm volatile("msr daifclr, #0xd\n\tcmp x9, x9\n\tsvc #6\n\tmrs %0, daif\n\tmrs x9, nzcv\n\torr %0, %0, x9" : "=r"(ex.far) : : "x9", "cc");
    SAY("state", ex.spsr, ex.far);
    MSR(daif, 0x3c0);
}

static u64 fp_el0(u64 x) { asm volatile("fmov d0, x0"); return 1; }
static u64 nop_el0(u64 x) { return x + 1; }

void main(void)
{
    SAY("EL", current_el(), MRS(daif), MRS(spsel), MRS(sctlr_el1) & 0xfffff7ff, MRS(mpidr_el1));
    SAY("frq", MRS(cntfrq_el0));
    el1_list();
    MSR(cpacr_el1, 1 << 20);
    SAY("fp_el0", AT_EL0(fp_el0, 0));
    tell("fp_el0", (void *)ex.elr);
    MSR(cpacr_el1, 3 << 20);
    u64 sctlr = MRS(sctlr_el1);
    MSR(sctlr_el1, sctlr & ~(1ul << 16 | 1ul << 18));
    from_el0("closed");
    MSR(sctlr_el1, sctlr | 1 << 9 | 1 << 14 | 1 << 15 | 1 << 16 | 1 << 18 | 1 << 26);
    MSR(cntkctl_el1, 0x303);
    MSR(pmuserenr_el0, 1);
    from_el0("open");
    tell("last", (void *)ex.elr);
    /* a bad return: the mode is illegal, pc and flags are the saved ones */
    static const u64 bad[] = { 0x3c9, 0x3c2, 0x3c1, 0x3cd, 0x3c6 };
    for (int i = 0; i < 5; i++) {
        asm volatile("adr x0, 1f\n\tmsr elr_el1, x0\n\tmsr spsr_el1, %0\n\teret\n1:\tnop\n\tnop" : : "r"(bad[i] | 9ul << 28) : "x0", "cc");
        tell("illegal", (void *)ex.elr);
    }
    /* a pc that is not aligned, one beyond the address space */
    u64 pcs[] = { 2, 1ul << 45 };
    for (int i = 0; i < 2; i++) {
        asm volatile("adr x30, 1f\n\tadd x0, x30, %0\n\tbr x0\n1:\tnop" : : "r"(pcs[i]) : "x0", "x30");
        tell_far("odd_pc", (void *)ex.elr, ex.elr);
    }
    SAY("nop_el0", AT_EL0(nop_el0, 41));
    puts_("done\n");
}
