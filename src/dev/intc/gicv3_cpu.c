/*
 * gicv3_cpu.c: GICv3, the CPU interface as system registers, ICC_* (Arm IHI 0069, chapters 4.8 and 12.2; ARM DDI 0487 for encodings).
 * The system register interface is always on (ICC_SRE_ELx read as all ones). 5 bits of priority, so one register of each ICC_AP*R.
 *
 * The acknowledge path is: lock, take `best` (kept up to date by whoever changes anything), a few bits, look for the next best.
 */
#include "cpu/arm_sys.h"
#include "dev/intc/gicv3.h"

enum { IDLE = 0xff, BPR_MIN = 2, BPR_MIN_NS = 3 };

/* BPR n: bits 7..n+1 decide preemption. */
uint8_t v3_group_bits(unsigned bpr)
{
    return (uint8_t)(0xfeu << MIN(bpr, 7u));
}

static uint8_t preempt_mask(const struct v3_cpu *c, unsigned grp)
{
    if (grp == G0 || c->ctlr[grp == G1NS] & IC_CBPR) return v3_group_bits(c->bpr[G0]);
    return v3_group_bits(grp == G1NS ? c->bpr[G1NS] - 1u : c->bpr[G1S]);
}

static unsigned running(const struct v3_cpu *c)
{
    uint32_t a = c->apr[G0] | c->apr[G1S] | c->apr[G1NS];
    return a ? (unsigned)__builtin_ctz(a) * 8 : IDLE;
}

static bool signalled(const struct v3_cpu *c)
{
    const struct v3_best *b = &c->best;
    return b->irq != GIC_SPURIOUS && b->prio < c->pmr && (b->prio & preempt_mask(c, b->grp)) < running(c);
}

/* IRQ or FIQ: group 0 is FIQ; group 1 is IRQ where its own security state runs, FIQ elsewhere and in EL3. */
void v3_signal(struct v3_cpu *c)
{
    bool on = signalled(c), fiq = on;
    if (v3_one_state(c->gic)) fiq &= c->best.grp == G0;
    else fiq &= c->best.grp == G0 || c->now_el3 || c->now_secure != (c->best.grp == G1S);
    v3_tell(c, GIC_IRQ, on && !fiq);
    v3_tell(c, GIC_FIQ, fiq);
}

void v3_cpu_reset(struct v3_cpu *c)
{
    c->pmr = 0;
    c->bpr[G0] = c->bpr[G1S] = BPR_MIN;
    c->bpr[G1NS] = BPR_MIN_NS;
    for (unsigned g = 0; g < V3_GROUPS; g++) {
        c->grpen[g] = false;
        c->apr[g] = 0;
    }
    c->ctlr[0] = c->ctlr[1] = c->ctlr_el3 = 0;
    c->now_secure = c->gic->security && !c->gic->reset_ns;
    c->now_el3 = c->now_secure;
}

/* --- acknowledge and end ------------------------------------------------------------------------------------------------------------- */

/* Group 1 of the access: secure software's own, or the only one. */
static enum v3_group group1(const struct v3_cpu *c, const struct v3_pe *pe)
{
    bool secure = pe->has_el3 && !(pe->scr & 1);
    return secure ? G1S : G1NS;
}

/* What an access for `grp` is told of the highest pending interrupt. */
static uint32_t visible(const struct v3_cpu *c, const struct v3_pe *pe, unsigned grp)
{
    if (c->best.irq == GIC_SPURIOUS || c->best.grp == grp) return c->best.irq;
    if (grp == G0 && pe->el == 3) return c->best.grp == G1S ? 1020 : 1021; /* EL3 learns whose it is */
    return GIC_SPURIOUS;
}

static uint32_t acknowledge(struct v3_cpu *c, const struct v3_pe *pe, unsigned grp)
{
    struct gicv3 *s = c->gic;
    if (!signalled(c)) return GIC_SPURIOUS;
    uint32_t irq = visible(c, pe, grp);
    if (irq >= GIC_MAX_IRQ && irq < LPI_FIRST) return irq;
    c->apr[grp] |= 1u << (c->best.prio & preempt_mask(c, grp)) / 8;
    if (irq >= LPI_FIRST) {
        v3_lpi_put(c, irq, false);
    } else {
        v3_put(s, V3_ACTIVE, c->index, irq, true);
        v3_put(s, V3_PENDING, c->index, irq, false);
    }
    v3_update(s, c->index);
    return irq;
}

static bool eoi_split(const struct v3_cpu *c, const struct v3_pe *pe)
{
    if (pe->has_el3 && pe->el == 3) return c->ctlr_el3 & 4;
    return c->ctlr[!pe->secure] & IC_EOIMODE;
}

/* Non-secure software leaves secure interrupts alone. */
static bool may_end(struct v3_cpu *c, const struct v3_pe *pe, uint32_t irq)
{
    struct gicv3 *s = c->gic;
    return irq < s->num_irq && (v3_one_state(s) || pe->secure || v3_group_of(s, c->index, irq) == G1NS);
}

static void end(struct v3_cpu *c, const struct v3_pe *pe, unsigned grp, uint32_t irq)
{
    if (irq >= GIC_MAX_IRQ && irq < LPI_FIRST) return;
    uint32_t all = c->apr[G0] | c->apr[G1S] | c->apr[G1NS];
    if (all && c->apr[grp] & (all & -all)) c->apr[grp] &= c->apr[grp] - 1; /* priority drop, of the group's own only */
    if (!eoi_split(c, pe) && irq < LPI_FIRST && may_end(c, pe, irq)) v3_put(c->gic, V3_ACTIVE, c->index, irq, false);
    if (irq >= 32 && irq < c->gic->num_irq && c->gic->route[irq] != c->index && c->gic->route[irq] < c->gic->num_cpu)
        v3_update(c->gic, c->gic->route[irq]); /* it was moved meanwhile */
    v3_update(c->gic, c->index);
}

static void deactivate(struct v3_cpu *c, const struct v3_pe *pe, uint32_t irq)
{
    if (eoi_split(c, pe) && may_end(c, pe, irq)) v3_deactivate(c->gic, c->index, irq);
}

/* --- SGIs ------------------------------------------------------------------------------------------------------------------------------ */

/* Of a security state's group `grp`: to CPUs whose own configuration has the interrupt in that group. */
static void sgi_to(struct gicv3 *s, unsigned cpu, unsigned irq, unsigned grp, bool ns)
{
    enum v3_group has = v3_group_of(s, cpu, irq);
    if (v3_one_state(s) ? (has == G0) != (grp == G0) : has != grp || (ns && grp != G1NS)) return;
    v3_put(s, V3_PENDING, cpu, irq, true);
    v3_update(s, cpu);
}

static void sgi(struct v3_cpu *c, const struct v3_pe *pe, uint64_t v, unsigned grp)
{
    struct gicv3 *s = c->gic;
    unsigned irq = v >> 24 & 15;
    bool ns = !v3_one_state(s) && !pe->secure;
    if (v >> 40 & 1) { /* IRM: all but this one */
        for (unsigned i = 0; i < s->num_cpu; i++)
            if (i != c->index) sgi_to(s, i, irq, grp, ns);
        return;
    }
    uint32_t base = (uint32_t)(v >> 48 & 0xff) << 24 | (uint32_t)(v >> 32 & 0xff) << 16 | (uint32_t)(v >> 16 & 0xff) << 8 |
                    (uint32_t)(v >> 44 & 15) << 4;
    for (uint64_t list = v & 0xffff; list; list &= list - 1) {
        int cpu = v3_find_affinity(s, base + (uint32_t)__builtin_ctzll(list));
        if (cpu >= 0) sgi_to(s, (unsigned)cpu, irq, grp, ns);
    }
}

/* --- registers -------------------------------------------------------------------------------------------------------------------------- */

enum {
    PMR = ARM_SYSREG(3, 0, 4, 6, 0), IAR0 = ARM_SYSREG(3, 0, 12, 8, 0), EOIR0 = ARM_SYSREG(3, 0, 12, 8, 1), HPPIR0 = ARM_SYSREG(3, 0, 12, 8, 2),
    BPR0 = ARM_SYSREG(3, 0, 12, 8, 3), AP0R0 = ARM_SYSREG(3, 0, 12, 8, 4), AP1R0 = ARM_SYSREG(3, 0, 12, 9, 0), DIR = ARM_SYSREG(3, 0, 12, 11, 1),
    RPR = ARM_SYSREG(3, 0, 12, 11, 3), SGI1R = ARM_SYSREG(3, 0, 12, 11, 5), ASGI1R = ARM_SYSREG(3, 0, 12, 11, 6),
    SGI0R = ARM_SYSREG(3, 0, 12, 11, 7), IAR1 = ARM_SYSREG(3, 0, 12, 12, 0), EOIR1 = ARM_SYSREG(3, 0, 12, 12, 1),
    HPPIR1 = ARM_SYSREG(3, 0, 12, 12, 2), BPR1 = ARM_SYSREG(3, 0, 12, 12, 3), CTLR = ARM_SYSREG(3, 0, 12, 12, 4), SRE1 = ARM_SYSREG(3, 0, 12, 12, 5),
    IGRPEN0 = ARM_SYSREG(3, 0, 12, 12, 6), IGRPEN1 = ARM_SYSREG(3, 0, 12, 12, 7), SRE2 = ARM_SYSREG(3, 4, 12, 9, 5),
    CTLR3 = ARM_SYSREG(3, 6, 12, 12, 4), SRE3 = ARM_SYSREG(3, 6, 12, 12, 5), IGRPEN1_3 = ARM_SYSREG(3, 6, 12, 12, 7)
};

/* Non-secure software under secure firmware that takes FIQs sees the lower half of priorities as all there are. */
static bool shifted(const struct v3_pe *pe)
{
    return pe->has_el3 && !pe->secure && pe->scr & 4;
}

static uint32_t view(const struct v3_pe *pe, unsigned p)
{
    return !shifted(pe) || p == IDLE ? p : p & 0x80 ? p << 1 & 0xff : 0;
}

static void pmr_write(struct v3_cpu *c, const struct v3_pe *pe, uint64_t v)
{
    if (shifted(pe)) {
        if (!(c->pmr & 0x80)) return;
        v = (v >> 1 & 0x7f) | 0x80;
    }
    c->pmr = v & 0xf8;
    v3_signal(c);
}

static uint32_t bpr1_read(const struct v3_cpu *c, const struct v3_pe *pe)
{
    unsigned g = group1(c, pe);
    if (!(c->ctlr[g == G1NS] & IC_CBPR)) return c->bpr[g];
    return g == G1NS ? MIN(c->bpr[G0] + 1u, 7u) : c->bpr[G0];
}

static void bpr1_write(struct v3_cpu *c, const struct v3_pe *pe, uint64_t v)
{
    unsigned g = group1(c, pe), min = g == G1NS ? BPR_MIN_NS : BPR_MIN;
    if (c->ctlr[g == G1NS] & IC_CBPR) {
        if (g == G1NS) return;
        g = G0;
    }
    c->bpr[g] = (uint8_t)MAX((unsigned)(v & 7), min);
    v3_signal(c);
}

enum { CTLR_CONST = 4 << 8 | 1 << 15 /* PRIbits, A3V; IDbits = 0: 16 */ };

static void ctlr_write(struct v3_cpu *c, const struct v3_pe *pe, uint64_t v)
{
    unsigned g = group1(c, pe) == G1NS;
    uint32_t may = IC_CBPR | IC_EOIMODE;
    if (g && pe->has_el3 && !v3_one_state(c->gic)) may = IC_EOIMODE; /* CBPR is EL3's there */
    c->ctlr[g] = (c->ctlr[g] & ~may) | ((uint32_t)v & may);
    v3_signal(c);
}

/* ICC_CTLR_EL3 has the bits of both security states and EL3's own EOI mode. */
static uint64_t ctlr3_read(const struct v3_cpu *c)
{
    return (c->ctlr[0] & 1) | (c->ctlr[1] & 1) << 1 | (c->ctlr_el3 & 4) | (c->ctlr[0] & 2) << 2 | (c->ctlr[1] & 2) << 3 | CTLR_CONST;
}

static void ctlr3_write(struct v3_cpu *c, uint64_t v)
{
    c->ctlr[0] = (uint32_t)((v & 1) | (v >> 2 & 2));
    c->ctlr[1] = (uint32_t)((v >> 1 & 1) | (v >> 3 & 2));
    c->ctlr_el3 = v & 4;
    v3_signal(c);
}

static void grpen_write(struct v3_cpu *c, unsigned g, bool on)
{
    c->grpen[g] = on;
    v3_update(c->gic, c->index);
}

static void apr_write(struct v3_cpu *c, unsigned g, uint64_t v)
{
    c->apr[g] = (uint32_t)v;
    v3_signal(c);
}

bool v3_icc_read(struct v3_cpu *c, const struct v3_pe *pe, unsigned reg, uint64_t *v)
{
    *v = 0;
    switch (reg) {
    case PMR: *v = view(pe, c->pmr) & 0xf8; return true;
    case IAR0: *v = acknowledge(c, pe, G0); return true;
    case IAR1: *v = acknowledge(c, pe, group1(c, pe)); return true;
    case HPPIR0: *v = visible(c, pe, G0); return true;
    case HPPIR1: *v = visible(c, pe, group1(c, pe)); return true;
    case BPR0: *v = c->bpr[G0]; return true;
    case BPR1: *v = bpr1_read(c, pe); return true;
    case AP0R0: *v = c->apr[G0]; return true;
    case AP1R0: *v = c->apr[group1(c, pe)]; return true;
    case RPR: *v = view(pe, running(c)); return true;
    case CTLR: *v = c->ctlr[group1(c, pe) == G1NS] | CTLR_CONST; return true;
    case SRE1: *v = 7; return true;
    case SRE2: *v = 15; return true;
    case SRE3: *v = 15; return pe->has_el3;
    case IGRPEN0: *v = c->grpen[G0]; return true;
    case IGRPEN1: *v = c->grpen[group1(c, pe)]; return true;
    case CTLR3: *v = ctlr3_read(c); return pe->has_el3;
    case IGRPEN1_3: *v = (uint64_t)c->grpen[G1NS] | (uint64_t)c->grpen[G1S] << 1; return pe->has_el3;
    }
    return false;
}

bool v3_icc_write(struct v3_cpu *c, const struct v3_pe *pe, unsigned reg, uint64_t v)
{
    unsigned g1 = group1(c, pe);
    switch (reg) {
    case PMR: pmr_write(c, pe, v); return true;
    case EOIR0: end(c, pe, G0, v & 0xffffff); return true;
    case EOIR1: end(c, pe, g1, v & 0xffffff); return true;
    case DIR: deactivate(c, pe, v & 0xffffff); return true;
    case BPR0: c->bpr[G0] = (uint8_t)MAX((unsigned)(v & 7), (unsigned)BPR_MIN); v3_signal(c); return true;
    case BPR1: bpr1_write(c, pe, v); return true;
    case AP0R0: apr_write(c, G0, v); return true;
    case AP1R0: apr_write(c, g1, v); return true;
    case SGI0R: sgi(c, pe, v, G0); return true;
    case SGI1R: sgi(c, pe, v, g1); return true;
    case ASGI1R: sgi(c, pe, v, v3_one_state(c->gic) ? G0 : g1 == G1S ? G1NS : G1S); return true;
    case CTLR: ctlr_write(c, pe, v); return true;
    case SRE1: case SRE2: return true;
    case SRE3: return pe->has_el3;
    case IGRPEN0: grpen_write(c, G0, v & 1); return true;
    case IGRPEN1: grpen_write(c, g1, v & 1); return true;
    case CTLR3: if (pe->has_el3) ctlr3_write(c, v); return pe->has_el3;
    case IGRPEN1_3:
        if (!pe->has_el3) return false;
        c->grpen[G1S] = v >> 1 & 1;
        grpen_write(c, G1NS, v & 1);
        return true;
    }
    return false;
}

/* --- what the CPU calls ------------------------------------------------------------------------------------------------------------------- */

static struct v3_pe pe_of(const CPU *cpu)
{
    return (struct v3_pe){ arm_sys_el(cpu), arm_sys_secure(cpu), arm_sys_has_el3(cpu), arm_sys_hcr(cpu), arm_sys_scr(cpu) };
}

/* Does a hypervisor give EL1 its virtual interface instead? HCR_EL2.FMO for group 0, IMO for group 1, either for what is common. */
static bool is_virtual(const struct v3_pe *pe, unsigned reg)
{
    enum { FMO = 1 << 3, IMO = 1 << 4 };
    if (pe->el != 1 || !(pe->hcr & (FMO | IMO))) return false;
    switch (reg) {
    case IAR0: case EOIR0: case HPPIR0: case BPR0: case IGRPEN0: case AP0R0: return pe->hcr & FMO;
    case IAR1: case EOIR1: case HPPIR1: case BPR1: case IGRPEN1: case AP1R0: return pe->hcr & IMO;
    case PMR: case DIR: case RPR: case CTLR: return true;
    }
    return false;
}

/* ICH_*: op1 4, CRn 12, CRm 8 and up, but for ICC_SRE_EL2. */
static bool is_hyp(unsigned reg)
{
    return (reg & ~0x7fu) == (ARM_SYSREG(3, 4, 12, 0, 0) & ~0x7fu) && reg != SRE2;
}

static uint64_t intc_read(void *ctx, CPU *cpu, unsigned reg, bool *ok)
{
    struct v3_cpu *c = ctx;
    struct v3_pe pe = pe_of(cpu);
    uint64_t v = 0;
    pthread_mutex_lock(&c->gic->lock);
    *ok = is_hyp(reg) ? v3_ich_read(c, reg, &v) : is_virtual(&pe, reg) ? v3_icv_read(c, reg, &v) : v3_icc_read(c, &pe, reg, &v);
    pthread_mutex_unlock(&c->gic->lock);
    return v;
}

static void intc_write(void *ctx, CPU *cpu, unsigned reg, uint64_t v, bool *ok)
{
    struct v3_cpu *c = ctx;
    struct v3_pe pe = pe_of(cpu);
    pthread_mutex_lock(&c->gic->lock);
    *ok = is_hyp(reg) ? v3_ich_write(c, reg, v) : is_virtual(&pe, reg) ? v3_icv_write(c, reg, v) : v3_icc_write(c, &pe, reg, v);
    pthread_mutex_unlock(&c->gic->lock);
}

const struct cpu_intc *gicv3_intc(struct dev *gic, unsigned n)
{
    struct gicv3 *s = (struct gicv3 *)gic;
    struct cpu_intc *i = dev_alloc(gic, sizeof *i);
    *i = (struct cpu_intc){ intc_read, intc_write, s->cpu[n] };
    return i;
}

void gicv3_state_changed(struct dev *gic, unsigned n, bool secure, bool el3)
{
    struct gicv3 *s = (struct gicv3 *)gic;
    if (n >= s->num_cpu || v3_one_state(s)) return;
    pthread_mutex_lock(&s->lock);
    s->cpu[n]->now_secure = secure;
    s->cpu[n]->now_el3 = el3;
    v3_signal(s->cpu[n]);
    pthread_mutex_unlock(&s->lock);
}
