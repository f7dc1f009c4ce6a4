/* el3.c: MACHINE secure=on,virtualization=on CPU has-el2=on,has-el3=on SEMI on : from EL3: security states, SMC, routing, traps to EL3. */
#include "bare.h"

static u64 hello(u64 x) { return x + current_el(); }
static u64 smc_(u64 x) { asm volatile("smc #0x31"); return 1; }
static u64 hvc_(u64 x) { asm volatile("hvc #0x32"); return 2; }
static u64 svc_(u64 x) { asm volatile("svc #0x33"); return 3; }
static u64 fp_(u64 x) { asm volatile("fmov d0, x0"); return 4; }
static u64 wfi_(u64 x) { asm volatile("wfi"); return 5; }
static u64 lor_(u64 x) { return 6 + MRS(s3_0_c10_c4_3) * 0; }
static u64 key_(u64 x) { return 7 + MRS(s3_0_c2_c1_0) * 0; }
static u64 cpacr_(u64 x) { return 8 + MRS(cpacr_el1) * 0; }
static u64 cntps_(u64 x) { return 9 + MRS(s3_7_c14_c2_1) * 0; }
static u64 pmcr_(u64 x) { return 10 + MRS(pmcr_el0) * 0; }
static u64 dbg_(u64 x) { return 11 + MRS(mdscr_el1) * 0; }
static u64 osl_(u64 x) { return 12 + MRS(oslsr_el1) * 0; }
static u64 scr_(u64 x) { return 13 + MRS(scr_el3); }
static u64 hcr_(u64 x) { return 14 + MRS(hcr_el2) * 0; }
static u64 unmask(u64 x) { asm volatile("msr daifclr, #7\n\tnop\n\tnop\n\tmsr daifset, #7" : : : "memory"); return MRS(isr_el1); }
static const struct { const char *name; u64 (*fn)(u64); } list[] = {
    { "hello", hello }, { "smc", smc_ }, { "hvc", hvc_ }, { "svc", svc_ }, { "fp", fp_ }, { "wfi", wfi_ }, { "lor", lor_ }, { "key", key_ },
    { "cpacr", cpacr_ }, { "cntps", cntps_ }, { "pmcr", pmcr_ }, { "dbg", dbg_ }, { "osl", osl_ }, { "scr", scr_ }, { "hcr", hcr_ },
};
#define SCR_BASE (1ul << 10 | 0x30)

static void all(const char *title, u64 scr, u64 spsr, unsigned skip)
{
    puts_(title);
    puts_("\n");
    MSR(scr_el3, scr);
    for (unsigned i = 0; i < sizeof list / sizeof *list; i++) {
        if (skip >> i & 1) continue;
        u64 before = ex.count, r = lower(list[i].fn, 1, spsr, 3);
        SAY(list[i].name, r & 0xffffffff, ex.count - before);
        if (ex.count != before) tell_far(" ex", (void *)ex.elr, ex.far);
    }
}
static u64 seen;
static void on_timer(struct frame *f, u64 vec, u64 el)
{
    seen = seen << 16 | el << 8 | vec;
    MSR(cntp_ctl_el0, 0);
    if (el == 3) f->spsr |= 0;
}

void main(void)
{
    use_smc = 2;
    volatile u32 *gicd = (void *)0x8000000, *gicc = (void *)0x8010000;
    SAY("EL", current_el(), MRS(daif), MRS(scr_el3) & 0, MRS(sctlr_el3) & 1);
    MSR(hcr_el2, 1ul << 31);
    MSR(cptr_el2, 0x33ff & ~(1ul << 10));
    MSR(cptr_el3, 0);
    MSR(cpacr_el1, 3 << 20);
    MSR(cnthctl_el2, 3);
    MSR(mdcr_el2, 0);
    MSR(mdcr_el3, 0);
    MSR(sctlr_el1, 0x30d00800);
    MSR(sctlr_el2, 0x30c50830);
    MSR(hcr_el2, 1ul << 31 | 3ul << 40);
    static const u64 open = SCR_BASE | 3 << 16 | 1 << 8;
    /* WFI waits where it is not trapped */
    all("secure el1", open & ~(1ul << 8), 0x3c5, 1 << 5);
    all("non-secure el1", open | 1, 0x3c5, 1 << 5);
    all("non-secure el2", open | 1, 0x3c9, 1 << 5);
    all("el0", open | 1, 0x3c0, 1 << 5);
    all("closed el1", SCR_BASE | 1 | 1 << 12 | 1 << 13 | 1 << 14, 0x3c5, 0);
    all("closed el2", SCR_BASE | 1 | 1 << 12 | 1 << 13 | 1 << 14, 0x3c9, 0);
    all("closed secure el1", SCR_BASE | 1 << 12 | 1 << 13 | 1 << 14, 0x3c5, 0);
    MSR(cptr_el3, 1ul << 10 | 1ul << 31);
    MSR(mdcr_el3, 1 << 6 | 1 << 9 | 1 << 10);
    all("cptr, mdcr el1", open | 1, 0x3c5, 1 << 5);
    all("cptr, mdcr el2", open | 1, 0x3c9, 1 << 5);
    all("st", (open & ~(1ul << 8)) | 1 << 11, 0x3c5, 1 << 5);
    MSR(cptr_el3, 0);
    MSR(mdcr_el3, 0);
    /* interrupts: a group 1 interrupt of the physical timer, as IRQ, by levels and routes */
    puts_("routes\n");
    gicd[0] = 3;
    gicd[0x80 / 4] = ~0u;          /* group 1 */
    gicd[0x100 / 4] = 1u << 30;
    gicc[1] = 0xff;
    gicc[0] = 3;
    on_irq = on_timer;
    static const u64 hcrs[] = { 0, 1 << 4, 1 << 27 };
    for (int irq = 0; irq < 2; irq++)
        for (int h = 0; h < 3; h++)
            for (int el = 0; el < 3; el++) {
                if (h == 2 && el == 1) continue;
                MSR(scr_el3, open | 1 | (u64)irq << 1);
                MSR(hcr_el2, 1ul << 31 | hcrs[h]);
                seen = 0;
                MSR(cntp_cval_el0, 0);
                MSR(cntp_ctl_el0, 1);
                u64 spsr = 0x340 | (el ? el << 2 | 1 : 0), r = 0;
                if (el)
                    r = lower(unmask, 0, spsr, 3);
                else
                    r = lower(hello, 5, spsr, 3);
                MSR(cntp_ctl_el0, 0);
                SAY("irq", irq, h, el, seen, r);
            }
    on_irq = 0;
    puts_("done\n");
}
