/* irq.c: SMP 3: the generic timers and their interrupts through a GICv2, masks, WFI; PSCI and further CPUs. */
#include "bare.h"

static volatile u32 *const gicd = (void *)0x8000000, *const gicc = (void *)0x8010000;
static volatile u64 irqs, last_irq;

static void gic_init(void)
{
    gicd[0] = 1;                        /* CTLR */
    gicd[0x100 / 4] = 1u << 30 | 1u << 27 | 1u << 26;
    gicc[1] = 0xff;                     /* PMR */
    gicc[0] = 1;
}
static void on_timer(struct frame *f, u64 vec, u64 el)
{
    u32 n = gicc[3];
    irqs++, last_irq = n | vec << 16 | el << 32;
    if (n == 30) MSR(cntp_ctl_el0, 3); /* masked */
    if (n == 27) MSR(cntv_ctl_el0, 3);
    gicc[4] = n;
}
static u64 spin_el0(u64 x)
{
    u64 n = 0;
    while (!irqs) n++;
    return 1;
}

static void timers(void)
{
    puts_("timers\n");
    u64 a = MRS(cntpct_el0), b = MRS(cntvct_el0), c = MRS(cntpct_el0);
    SAY("order", a <= b, b <= c);
    MSR(cntv_cval_el0, MRS(cntvct_el0) + 1000000000);
    MSR(cntv_ctl_el0, 1);
    SAY("not yet", MRS(cntv_ctl_el0));
    MSR(cntv_tval_el0, -5);
    SAY("past", MRS(cntv_ctl_el0), (MRS(cntv_tval_el0) & 0xffffffff) > 0x80000000, MRS(isr_el1));
    MSR(cntv_ctl_el0, 3);
    SAY("masked", MRS(cntv_ctl_el0), MRS(isr_el1));
    MSR(cntv_ctl_el0, 0);
    SAY("off", MRS(cntv_ctl_el0));
    /* a long tval, and a cval that is never reached */
    MSR(cntp_cval_el0, ~0ul);
    MSR(cntp_ctl_el0, 1);
    SAY("never", MRS(cntp_ctl_el0), (u32)MRS(cntp_tval_el0) != 0);
    MSR(cntp_ctl_el0, 0);

    on_irq = on_timer;
    irqs = 0;
    MSR(cntp_tval_el0, 62500);
    MSR(cntp_ctl_el0, 1);
    while (!(MRS(isr_el1) & 0x80)) {}
    SAY("pending, masked", irqs, MRS(isr_el1), MRS(cntp_ctl_el0));
    asm volatile("msr daifclr, #2\n\tnop\n\tmsr daifset, #2" : : : "memory");
    SAY("taken", irqs, last_irq, MRS(isr_el1));
    /* wakes what waits, with interrupts masked; not taken */
    irqs = 0;
    MSR(cntv_tval_el0, 62500);
    MSR(cntv_ctl_el0, 1);
    while (!(MRS(cntv_ctl_el0) & 4)) asm volatile("wfi");
    SAY("wfi", irqs);
    asm volatile("msr daifclr, #2\n\tisb\n\tmsr daifset, #2" : : : "memory");
    SAY("taken", irqs, last_irq);
    /* wfi with them enabled */
    irqs = 0;
    MSR(cntv_tval_el0, 62500);
    MSR(cntv_ctl_el0, 1);
    asm volatile("msr daifclr, #2");
    while (!irqs) asm volatile("wfi");
    asm volatile("msr daifset, #2");
    SAY("wfi enabled", irqs, last_irq);
    /* EL0, in a loop without exits */
    irqs = 0;
    MSR(cntp_tval_el0, 62500);
    MSR(cntp_ctl_el0, 1);
    SAY("el0", lower(spin_el0, 0, 0, 1), irqs, last_irq);
    /* an ERET that unmasks */
    irqs = 0;
    MSR(cntp_tval_el0, 0);
    MSR(cntp_ctl_el0, 1);
    asm volatile("adr x0, 1f\n\tmsr elr_el1, x0\n\tmsr spsr_el1, %0\n\teret\n1:\tmsr daifset, #2" : : "r"(0x345ul) : "x0", "cc", "memory");
    SAY("eret", irqs, last_irq);
    on_irq = 0;
}

static volatile u64 cpu_told[4];
static volatile u64 go;
static u64 *shared;

static void second(void)
{
    u64 me = MRS(mpidr_el1) & 0xff;
    cpu_told[me] = me << 16 | current_el() << 8 | (MRS(sctlr_el1) & 1);
    while (go != 1) asm volatile("yield");
    for (int i = 0; i < 10000; i++) {
        u64 old, fail;
        do asm volatile("ldaxr %0, [%2]\n\tadd %0, %0, #1\n\tstlxr %w1, %0, [%2]" : "=&r"(old), "=&r"(fail) : "r"(shared) : "memory"); while (fail & 1);
    }
    asm volatile("dmb ish" : : : "memory");
    cpu_told[me] |= 1 << 24;
    if (me == 2) psci(0x84000002, 0, 0, 0);
    while (go != 2) asm volatile("yield");
    /* waits for the timer's interrupt, this CPU's own */
    gicd[0x100 / 4] = 1u << 27;
    gicc[1] = 0xff;
    gicc[0] = 1;
    on_irq = on_timer;
    MSR(cntv_tval_el0, 6250);
    MSR(cntv_ctl_el0, 1);
    asm volatile("msr daifclr, #2");
    while (!irqs) asm volatile("wfi");
    asm volatile("msr daifset, #2");
    cpu_told[me] |= 1 << 25;
}

static void power(void)
{
    puts_("psci\n");
    SAY("version", psci(0x84000000, 0, 0, 0) >> 16);
    SAY("type", psci(0x84000006, 0, 0, 0));
    SAY("features", psci(0x8400000a, 0x84000001, 0, 0), psci(0x8400000a, 0xc4000003, 0, 0), psci(0x8400000a, 0x84000002, 0, 0), psci(0x8400000a, 0x84000008, 0, 0),
        psci(0x8400000a, 0x8400ffff, 0, 0));
    SAY("affinity", psci(0xc4000004, 0, 0, 0), psci(0xc4000004, 1, 0, 0), psci(0xc4000004, 7, 0, 0));
    shared = (u64 *)(((u64)free_memory + 4095) & ~4095ul);
    *shared = 0;
    SAY("on", psci(0xc4000003, 1, (u64)cpu_entry, (u64)second), psci(0xc4000003, 2, (u64)cpu_entry, (u64)second), psci(0xc4000003, 9, (u64)cpu_entry, 0));
    while (!cpu_told[1] || !cpu_told[2]) asm volatile("yield");
    SAY("told", cpu_told[1], cpu_told[2]);
    SAY("again", psci(0xc4000003, 1, (u64)cpu_entry, 0), psci(0xc4000004, 1, 0, 0));
    go = 1;
    while (!(cpu_told[1] >> 24 & 1) || !(cpu_told[2] >> 24 & 1)) asm volatile("yield");
    SAY("counted", *shared);
    while (psci(0xc4000004, 2, 0, 0) != 1) {}
    puts_("2 is off\n");
    cpu_told[2] = 0, go = 0;
    SAY("on again", psci(0xc4000003, 2, (u64)cpu_entry, (u64)second));
    while (!cpu_told[2]) asm volatile("yield");
    SAY("told", cpu_told[2]);
    irqs = 0;
    go = 2;
    while (!(cpu_told[1] >> 25 & 1)) asm volatile("yield");
    SAY("timer of 1", irqs, last_irq);
}

/* Pairs are two accesses to a device, wherever they lie; in RAM they may be one. */
static void pairs(void)
{
    u64 a, b, c, d;
    asm volatile("ldp %w0, %w1, [%4, #0x14]\n\tldp %2, %3, [%4, #0x18]\n\tstp %w0, %w0, [%4, #0x3c]" : "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d) : "r"(0x9000000ul) : "memory");
    SAY("pairs", a, b & 0x10, c & 0x10, d);
    tell("none", 0);
}

void main(void)
{
    pairs();
    gic_init();
    timers();
    power();
    puts_("done\n");
}
