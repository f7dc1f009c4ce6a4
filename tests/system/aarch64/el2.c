/* el2.c: stage 2, traps, TGE, VHE, virtual interrupts. PSCI by SMC. MACHINE virtualization=on CPU has-el2=on */
#include "bare.h"

enum { AF = 1 << 10, SH = 3 << 8 };
static u64 pool;
static u64 *page(u64 bytes)
{
    if (!pool) pool = (u64)free_memory;
    pool = (pool + bytes - 1) & ~(bytes - 1);
    u64 *p = (u64 *)pool;
    for (u64 i = 0; i < bytes / 8; i++) p[i] = 0;
    pool += bytes;
    return p;
}
static u64 s2top;
/* Stage 2: 4K, 32-bit IPAs from level 1 (T0SZ 32, SL0 1). */
#define S2(r, w, x) (0xful << 2 | AF | SH | (r) << 6 | (w) << 7 | ((x) ? 0 : 2ul << 53))
static u64 *map2(u64 ipa, u64 pa, u64 attr, unsigned at)
{
    u64 *t = (u64 *)s2top;
    for (unsigned l = 1;; l++) {
        u64 *d = &t[ipa >> (39 - 9 * l) & 511];
        if (l == at) {
            *d = pa | attr | (l == 3 ? 3 : 1);
            return d;
        }
        if (!(*d & 1)) *d = (u64)page(4096) | 3;
        t = (u64 *)(*d & 0xfffffffff000ul);
    }
}
static void flush2(void)
{
    asm volatile("dsb ish\n\ttlbi vmalls12e1\n\ttlbi alle2\n\tdsb ish\n\tisb" : : : "memory");
}
static void note(const char *name)
{
    tell_far(name, (void *)ex.elr, 0);
    SAY(" hpfar", ex.hpfar);
}
#define HCR_BASE (1ul << 31)
#define EL1(fn, arg) lower(fn, (u64)(arg), 0x3c5, 2)

static u64 hello(u64 x) { return x + current_el(); }
static u64 regs(u64 x)
{
    MSR(contextidr_el1, x);
    MSR(tpidr_el1, x + 1);
    return MRS(contextidr_el1) + MRS(tpidr_el1);
}
static u64 mrs_list(u64 which)
{
    u64 v = 0;
    switch (which) {
    case 0: v = MRS(midr_el1); break;
    case 1: v = MRS(mpidr_el1); break;
    case 2: v = MRS(ctr_el0) & 0; break;
    case 3: v = MRS(id_aa64pfr0_el1) & 0; break;
    case 4: v = MRS(actlr_el1); break;
    case 5: v = MRS(sctlr_el1) & 0; break;
    case 6: MSR(ttbr0_el1, 0x5000); v = 1; break;
    case 7: v = MRS(ttbr0_el1); break;
    case 8: asm volatile("dc cisw, %0" : : "r"(0)); v = 2; break;
    case 9: asm volatile("dc civac, %0" : : "r"(&pool)); v = 3; break;
    case 10: asm volatile("ic ivau, %0" : : "r"(&pool)); v = 4; break;
    case 11: asm volatile("tlbi vmalle1"); v = 5; break;
    case 12: asm volatile("wfi"); v = 6; break;
    case 13: asm volatile("smc #4"); v = 7; break;
    case 14: asm volatile("hvc #9"); v = 8; break;
    case 15: v = MRS(cntpct_el0) & 0; break;
    case 16: v = MRS(cntp_ctl_el0); break;
    case 17: v = MRS(cpacr_el1) & 0; break;
    case 18: v = MRS(mdscr_el1); break;
    case 19: v = MRS(pmcr_el0) & 0; break;
    case 20: v = MRS(aidr_el1); break;
    case 21: v = MRS(oslsr_el1); break;
    case 22: asm volatile("fmov d0, x0"); v = 9; break;
    case 23: asm volatile("dc zva, %0" : : "r"(page(64)) : "memory"); v = 10; break;
    case 24: v = MRS(s3_0_c2_c1_0); break; /* APIAKeyLo_EL1 */
    case 25: asm volatile(".inst 0xdac103e0"); v = 11; break; /* pacia x0, sp ... */
    case 26: v = MRS(dczid_el0); break;
    case 27: asm volatile("brk #7"); v = 12; break;
    case 28: v = MRS(esr_el1) & 0; break;
    }
    return v + 100 * which;
}
static void list(const char *title, u64 hcr)
{
    puts_(title);
    puts_("\n");
    MSR(hcr_el2, hcr);
    for (u64 i = 0; i < 29; i++) {
        u64 before = ex.count, r;
        if (i == 12 && !(hcr & 1 << 13)) continue;
        if (i == 25 || i == 13 || (i == 27 && hcr >> 30 & 1)) continue; /* the handler's reads of ESR_EL1 would be trapped */
        r = EL1(mrs_list, i);
        SAY("el1", i, r, ex.count - before);
        if (ex.count != before) tell_far(" ex", (void *)ex.elr, ex.far);
    }
}

static u64 ld_(u64 a) { u64 v = 0xdead; asm volatile("ldr %0, [%1]" : "+r"(v) : "r"(a) : "memory"); return v; }
static u64 ldrb_(u64 a) { u64 v = 0xdead; asm volatile("ldrsb %0, [%1]" : "+r"(v) : "r"(a) : "memory"); return v; }
static u64 ldrsw_(u64 a) { u64 v = 0xdead; asm volatile("ldrsh %w0, [%1, #2]" : "+r"(v) : "r"(a) : "memory"); return v; }
static u64 st_(u64 a) { asm volatile("strh %w0, [%0]" : : "r"(a) : "memory"); return 1; }
static u64 stp_(u64 a) { asm volatile("stp %0, %0, [%0]" : : "r"(a) : "memory"); return 2; }
static u64 post_(u64 a) { asm volatile("ldr x9, [%0], #8" : "+r"(a) : : "memory", "x9"); return 3; }
static u64 ldar_(u64 a) { asm volatile("ldar w9, [%0]" : : "r"(a) : "memory", "x9"); return 4; }
static u64 ldur_(u64 a) { asm volatile("ldur x7, [%0, #-8]" : : "r"(a + 8) : "memory", "x7"); return 5; }
static u64 ldro_(u64 a) { asm volatile("ldr w8, [%0, xzr]" : : "r"(a) : "memory", "x8"); return 5; }
static u64 call_(u64 a) { asm volatile("blr %0" : : "r"(a) : "x30", "memory"); return 6; }
static u64 at_(u64 a) { asm volatile("at s1e1r, %0\n\tisb" : : "r"(a)); return MRS(par_el1) & ~0x180ul; } /* QEMU 7.2 says that device memory is not shared */

static void stage2(void)
{
    puts_("stage 2\n");
    s2top = (u64)page(4096);
    for (u64 a = 0x40000000; a < 0x48000000; a += 0x200000) map2(a, a, S2(1ul, 1ul, 1), 2);
    map2(0x9000000, 0x9000000, (1ul << 2 | AF | 3ul << 6), 3);
    u64 *p = page(4096);
    p[0] = 0x8877665544332211, p[511] = 0xd65f03c0d65f03c0;
    map2(0x10000000, (u64)p, S2(1ul, 0ul, 1), 3);
    map2(0x10001000, (u64)p, S2(0ul, 1ul, 1), 3);
    map2(0x10002000, (u64)p, S2(1ul, 1ul, 0), 3);
    map2(0x10003000, (u64)p, S2(1ul, 1ul, 1) & ~(u64)AF, 3);
    map2(0x10004000, (u64)p | 1ul << 46, S2(1ul, 1ul, 1), 3);
    u64 *two = map2(0x20000000, (u64)p & ~0x1ffffful, S2(1ul, 1ul, 1), 2);
    MSR(vtcr_el2, 1ul << 31 | 5 << 16 | 3 << 12 | 1 << 10 | 1 << 8 | 1 << 6 | 32);
    MSR(vttbr_el2, s2top | 5ul << 48);
    MSR(hcr_el2, HCR_BASE | 1);
    flush2();
    SAY("hello", EL1(hello, 7));
    static const struct { const char *name; u64 (*fn)(u64); u64 a; } t[] = {
        { "ro ld", ld_, 0x10000000 }, { "ro st", st_, 0x10000010 }, { "wo ld", ld_, 0x10001008 }, { "wo st", st_, 0x10001020 },
        { "xn", call_, 0x10002ff8 }, { "x", call_, 0x10000ff8 }, { "noaf", ld_, 0x10003000 }, { "address", ld_, 0x10004000 },
        { "none", ld_, 0x10005123 & ~7ul }, { "none sb", ldrb_, 0x10005001 }, { "none sh", ldrsw_, 0x10005000 }, { "none st", st_, 0x10005004 },
        { "none stp", stp_, 0x10005010 }, { "none post", post_, 0x10005020 }, { "none ldar", ldar_, 0x10005030 },
        { "none ldur", ldur_, 0x10005038 }, { "none ldro", ldro_, 0x10005038 }, { "outside", ld_, 1ul << 32 }, { "none x", call_, 0x10006000 },
        { "none 2", ld_, 0x30000000 }, { "none 1", ld_, 0xc0000000 },
        { "mmio", ld_, 0x9000ff0 }, { "at", at_, 0x10000000 }, { "at none", at_, 0x10005000 },
    };
    for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
        say(t[i].name, 1, EL1(t[i].fn, t[i].a));
        note("");
    }
    SAY("block", EL1(ld_, 0x20000000 + ((u64)p & 0x1fffff)));
    /* a change of stage 2 behind the guest's back */
    *two = 0;
    asm volatile("dsb ish\n\ttlbi ipas2e1is, %0\n\tdsb ish\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" : : "r"(0x20000000ul >> 12) : "memory");
    SAY("gone", EL1(ld_, 0x20000000 + ((u64)p & 0x1fffff)));
    note("");
    /* stage 1 over stage 2: tables of stage 1 in what stage 2 does not map */
    puts_("both stages\n");
    u64 *t1 = page(4096), *t2 = page(4096);
    t1[1] = 0x40000000 | AF | SH | 1; /* a block of 1 GiB */
    t1[0] = 0x00000000 | AF | SH | 1;
    t1[2] = (u64)t2 | 3;
    t1[3] = 0x11110000 | 3;           /* a table that is not there */
    t2[0] = 0x10000000 | AF | SH | 1ul << 7 | 1;
    MSR(mair_el1, 0xff);
    MSR(tcr_el1, 25 | 25 << 16 | 1 << 23 | 5ul << 32 | 0x3500);
    MSR(ttbr0_el1, t1);
    MSR(sctlr_el1, 0x30d00801 | 0x4);
    flush2();
    SAY("hello", EL1(hello, 9));
    SAY("ld", EL1(ld_, 0x80000000));
    note("");
    SAY("st", EL1(st_, 0x80000000));
    note("");
    SAY("wo", EL1(ld_, 0x80001000));
    note("");
    SAY("ptw", EL1(ld_, 0xc0000000));
    note("");
    SAY("s1", EL1(ld_, 0x100000000));
    note("");
    u64 q[6];
    static const u64 va[] = { 0x80000000, 0x80001000, 0x80005000, 0x100000000 };
    for (int i = 0; i < 4; i++) {
        asm volatile("at s12e1r, %0\n\tisb" : : "r"(va[i])); q[0] = MRS(par_el1);
        asm volatile("at s12e1w, %0\n\tisb" : : "r"(va[i])); q[1] = MRS(par_el1);
        asm volatile("at s12e0r, %0\n\tisb" : : "r"(va[i])); q[2] = MRS(par_el1);
        asm volatile("at s12e0w, %0\n\tisb" : : "r"(va[i])); q[3] = MRS(par_el1);
        asm volatile("at s1e1r, %0\n\tisb" : : "r"(va[i])); q[4] = MRS(par_el1);
        SAY("at", va[i], q[0], q[1], q[2], q[3], q[4]);
    }
    MSR(sctlr_el1, 0x30d00800);
    MSR(hcr_el2, HCR_BASE);
}

static u64 virt_seen;
static void virt_irq(struct frame *f, u64 vec, u64 el)
{
    virt_seen = virt_seen << 8 | vec << 4 | el;
    if (el == 1) f->spsr |= 0x3c0;
    else MSR(hcr_el2, MRS(hcr_el2) & ~(3ul << 6));
}
static u64 unmask(u64 x)
{
    u64 isr = MRS(isr_el1);
    asm volatile("msr daifclr, #7\n\tnop\n\tnop\n\tmsr daifset, #7" : : : "memory");
    return isr;
}
static u64 svc_(u64 x) { asm volatile("svc #3"); return 5; }
static u64 vhe(u64 x) { return 0; }

static void host(void)
{
    puts_("tge\n");
    MSR(hcr_el2, HCR_BASE | 1ul << 27);
    SAY("svc", lower(svc_, 0, 0x3c0, 2));
    tell_far("svc", (void *)ex.elr, ex.far);
    SAY("brk", lower(mrs_list, 27, 0x3c0, 2));
    tell_far("brk", (void *)ex.elr, ex.far);
    SAY("mrs", lower(mrs_list, 5, 0x3c0, 2));
    tell_far("mrs", (void *)ex.elr, ex.far);
    asm volatile("adr x0, 1f\n\tmsr elr_el2, x0\n\tmsr spsr_el2, %0\n\teret\n1:\tnop\n\tnop" : : "r"(0x3c5ul) : "x0", "cc");
    tell_far("to el1", (void *)ex.elr, ex.far);
    puts_("vhe\n");
    MSR(hcr_el2, HCR_BASE | 1ul << 34);
    MSR(s3_5_c13_c0_1, 0x11);     /* CONTEXTIDR_EL12 */
    MSR(contextidr_el1, 0x22);
    SAY("redirected", MRS(s3_5_c13_c0_1), MRS(contextidr_el1), MRS(s3_4_c13_c0_1));
    MSR(s3_5_c14_c3_2, 0x33);     /* CNTV_CVAL_EL02 */
    MSR(cntv_cval_el0, 0x44);
    SAY("timers", MRS(s3_5_c14_c3_2), MRS(cntv_cval_el0), MRS(s3_4_c14_c3_2));
    SAY("cpacr", MRS(cpacr_el1) & (3 << 20), MRS(cptr_el2) & (3 << 20));
    MSR(cpacr_el1, 3 << 20);
    SAY("cptr", MRS(cptr_el2) & (3 << 20));
    asm volatile("fmov d0, x0");
    tell("fp", (void *)ex.elr);
    MSR(hcr_el2, HCR_BASE | 1ul << 34 | 1ul << 27);
    SAY("svc", lower(svc_, 0, 0x3c0, 2));
    tell_far("svc", (void *)ex.elr, ex.far);
    SAY("hello", lower(vhe, 0, 0x3c0, 2));
    MSR(hcr_el2, HCR_BASE);
}

void main(void)
{
    use_smc = 1;
    SAY("EL", current_el(), MRS(daif), MRS(hcr_el2) & 0, MRS(mpidr_el1));
    MSR(hcr_el2, HCR_BASE);
    MSR(cptr_el2, 0x33ff & ~(1ul << 10));
    MSR(cnthctl_el2, 3);
    MSR(cpacr_el1, 3 << 20);
    MSR(vpidr_el2, 0x12345678);
    MSR(vmpidr_el2, 0x80000055);
    MSR(sctlr_el1, 0x30d00800);
    SAY("el1", EL1(hello, 3), EL1(regs, 5));
    list("plain", HCR_BASE | 3ul << 40);
    list("traps", HCR_BASE | 1ul << 13 | 1ul << 14 | 7ul << 16 | 0x1ful << 21 | 1ul << 26 | 1ul << 28 | 1ul << 30 | 3ul << 40);
    list("keys", HCR_BASE);
    MSR(cnthctl_el2, 0);
    MSR(cptr_el2, 0x33ff | 1ul << 31);
    MSR(mdcr_el2, 1 << 9 | 1 << 10 | 1 << 11 | 1 << 6);
    list("others", HCR_BASE | 3ul << 40);
    MSR(mdcr_el2, 1 << 8 | 1 << 9 | 1 << 10 | 1 << 11);
    SAY("brk", EL1(mrs_list, 27));
    tell_far("tde", (void *)ex.elr, ex.far);
    MSR(cnthctl_el2, 3);
    MSR(cptr_el2, 0x33ff & ~(1ul << 10));
    MSR(mdcr_el2, 0);
    stage2();
    puts_("virtual\n");
    on_irq = virt_irq;
    static const u64 v[] = { 1 << 4 | 1 << 7, 1 << 3 | 1 << 6, 1 << 7, 1 << 5 | 1 << 8 };
    for (int i = 0; i < 3; i++) {
        MSR(hcr_el2, HCR_BASE | v[i]);
        virt_seen = 0;
        u64 isr = EL1(unmask, 0);
        SAY("virq", isr, virt_seen);
    }
    MSR(hcr_el2, HCR_BASE);
    host();
    puts_("done\n");
}
