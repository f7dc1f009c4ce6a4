/* misc.c: software steps, hardware breakpoints, guarded pages, pointer authentication's controls, the PMU. */
#include "bare.h"

static u64 steps, first, last, classes;
static void *base;
static u64 stepped(u64 x)
{
    asm volatile("mov x1, #1\n\tmov x2, #2\n\tadd x0, x1, x2\n\tb 1f\n\tnop\n1:\tsvc #0x55\n\tmov x3, #3" : : : "x0", "x1", "x2", "x3");
    return x + 2;
}
static u64 broken(u64 x) { asm volatile("nop\n\tnop"); return x + 3; }

/* Called by trap() for debug exceptions. */
static void on_debug(struct frame *f, u64 vec, u64 el)
{
    u32 ec = (u32)(f->esr >> 26);
    classes |= 1ul << (ec & 31);
    if (!steps++) first = f->elr - (u64)base, ex.esr = f->esr, ex.spsr = f->spsr;
    last = f->elr - (u64)base;
    if (ec >= 0x32 && steps < 10) {
        f->spsr |= 1 << 21;
        return;
    }
    f->spsr &= ~(1ul << 21);
    MSR(mdscr_el1, 0);
    MSR(dbgbcr0_el1, 0);
}
extern void (*volatile on_debug_hook)(struct frame *f, u64 vec, u64 el);

static void debug(void)
{
    puts_("debug\n");
    on_debug_hook = on_debug;
    MSR(oslar_el1, 0);
    SAY("os lock", MRS(oslsr_el1));
    base = stepped;
    MSR(mdscr_el1, 1);
    u64 r = lower(stepped, 1, 0x1c0 | 1 << 21, 1);
    SAY("step", r, steps, first, last, classes, ex.esr, ex.spsr);
    MSR(mdscr_el1, 0);
    tell("svc", 0 + (void *)ex.elr);
    steps = classes = 0, base = broken;
    MSR(dbgbvr0_el1, (u64)broken + 4);
    MSR(dbgbcr0_el1, 1 | 2 << 1 | 0xf << 5);
    MSR(mdscr_el1, 1 << 15);
    r = lower(broken, 1, 0x1c0, 1);
    SAY("break", r, steps, first, last, classes, ex.esr, ex.spsr);
    /* the same place at EL1 does not match PMC */
    MSR(dbgbcr0_el1, 1 | 2 << 1 | 0xf << 5);
    MSR(mdscr_el1, 1 << 15 | 1 << 13);
    asm volatile("msr daifclr, #8");
    steps = 0;
    SAY("el1", broken(1), steps);
    MSR(dbgbcr0_el1, 1 | 1 << 1 | 0xf << 5);
    SAY("el1 kde", broken(1), steps, classes);
    asm volatile("msr daifset, #8");
    MSR(mdscr_el1, 0);
    on_debug_hook = 0;
}

static void pac(void)
{
    puts_("pac\n");
    u64 sctlr = MRS(sctlr_el1), p = (u64)pac, q;
    MSR(s3_0_c2_c1_0, 0x1234567812345678); /* APIAKey */
    MSR(s3_0_c2_c1_1, 0x8765432187654321);
    q = p;
    asm volatile("pacia %0, %1" : "+r"(q) : "r"(0x55ul));
    SAY("off", q == p);
    MSR(sctlr_el1, sctlr | 1ul << 31);
    q = p;
    asm volatile("pacia %0, %1" : "+r"(q) : "r"(0x55ul));
    u64 signed_ = q;
    asm volatile("autia %0, %1" : "+r"(q) : "r"(0x55ul));
    SAY("on", signed_ != p, q == p);
    q = signed_;
    asm volatile("autia %0, %1" : "+r"(q) : "r"(0x56ul));
    SAY("bad", q == p);
    q = p;
    asm volatile("pacib %0, %1" : "+r"(q) : "r"(0x55ul));
    SAY("ib", q == p);
    MSR(sctlr_el1, sctlr);
    SAY("keys", MRS(s3_0_c2_c1_0), MRS(s3_0_c2_c1_1));
}

static void pmu(void)
{
    puts_("pmu\n");
    MSR(pmcr_el0, 1 | 4 | 2);
    MSR(pmcntenset_el0, 1ul << 31 | 1);
    MSR(pmselr_el0, 0);
    MSR(pmxevtyper_el0, 0);
    MSR(pmevcntr0_el0, 5);
    MSR(pmswinc_el0, 1);
    MSR(pmswinc_el0, 1);
    SAY("swinc", MRS(pmevcntr0_el0), MRS(pmxevcntr_el0), MRS(pmcntenset_el0), MRS(pmcntenclr_el0));
    u64 a = MRS(pmccntr_el0), b;
    for (volatile int i = 0; i < 1000; i++) {}
    b = MRS(pmccntr_el0);
    SAY("cycles", b > a);
    MSR(pmcntenclr_el0, 1ul << 31);
    a = MRS(pmccntr_el0);
    SAY("stopped", a == MRS(pmccntr_el0));
    MSR(pmevcntr0_el0, 0xffffffff);
    MSR(pmswinc_el0, 1);
    SAY("overflow", MRS(pmovsclr_el0), MRS(pmevcntr0_el0) & 0xfffffffful);
    MSR(pmovsclr_el0, 1);
    SAY("cleared", MRS(pmovsset_el0));
    MSR(pmintenset_el1, 3);
    MSR(pmintenclr_el1, 1);
    SAY("inten", MRS(pmintenset_el1));
}

enum { AF = 1 << 10, SH = 3 << 8 };
static void guarded(void)
{
    puts_("guarded pages\n");
    u64 *t1 = (u64 *)(((u64)free_memory + 4095) & ~4095ul), *t2 = t1 + 512, *t3 = t2 + 512;
    u32 *code = (u32 *)(t3 + 512);
    for (int i = 0; i < 1536; i++) t1[i] = 0;
    static const u32 text[] = { 0xd503201f, 0xd65f03c0, /* nop; ret */ 0xd503245f, 0xd65f03c0, /* bti c */ 0xd503249f, 0xd65f03c0, /* bti j */
                                0xd50324df, 0xd65f03c0, /* bti jc */ 0xd503233f, 0xd50323bf, 0xd65f03c0 /* paciasp, autiasp */ };
    for (unsigned i = 0; i < sizeof text / 4; i++) code[i] = text[i];
    t1[0] = AF | 1 | 1 << 2 | 1ul << 54 | 1ul << 53;
    t1[1] = 0x40000000 | AF | SH | 1;
    t1[2] = (u64)t2 | 3;
    t2[0] = (u64)t3 | 3;
    t3[0] = (u64)code | AF | SH | 3 | 1ul << 50;
    MSR(mair_el1, 0xff);
    MSR(tcr_el1, 25 | 25 << 16 | 1 << 23 | 2ul << 32 | 0x3500);
    MSR(ttbr0_el1, t1);
    asm volatile("dsb ish\n\tic iallu\n\ttlbi vmalle1\n\tdsb ish\n\tisb");
    MSR(sctlr_el1, MRS(sctlr_el1) | 1);
    u64 at = 0x80000000;
    /* the first landing tells that there are such pages */
    asm volatile("blr %0" : : "r"(at + 8) : "x30");
    asm volatile("svc #1");
    tell("svc", (void *)ex.elr);
    static const u8 off[] = { 0, 8, 16, 24, 32 };
    for (int i = 0; i < 5; i++) {
        asm volatile("blr %0" : : "r"(at + off[i]) : "x30");
        say("blr", 2, (u64)off[i], ex.spsr);
        tell(" ", (void *)at);
        asm volatile("adr x30, 1f\n\tbr %0\n1:" : : "r"(at + off[i]) : "x30");
        tell(" br", (void *)at);
        asm volatile("adr x30, 1f\n\tmov x16, %0\n\tbr x16\n1:" : : "r"(at + off[i]) : "x16", "x30");
        tell(" br x16", (void *)at);
    }
    MSR(sctlr_el1, MRS(sctlr_el1) & ~1ul);
}

void main(void)
{
    debug();
    pac();
    pmu();
    guarded();
    puts_("done\n");
}
