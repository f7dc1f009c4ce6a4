/*
 * gicv2_virt.c: GICv2 virtualization extensions (Arm IHI 0048B, chapter 5): list registers that a hypervisor fills (GICH), and the
 * interface that its guest takes for a GICC (GICV). 4 list registers, 5 bits of priority, one GICH_APR.
 */
#include "dev/intc/gicv2.h"

enum { HCR_EN = 1, HCR_UIE = 2, HCR_LRENPIE = 4, HCR_NPIE = 8, HCR_VGRP0E = 16, HCR_VGRP0D = 32, HCR_VGRP1E = 64, HCR_VGRP1D = 128 };
enum { LR_EOI = 1 << 19, LR_PENDING = 1 << 28, LR_ACTIVE = 1 << 29, LR_GRP1 = 1 << 30 };
#define LR_HW (1u << 31)
#define LR_WRITABLE 0xfbffffffu /* bits 26..23 and 27 are the priority; nothing is reserved but what an LR without HW does not use */
#define VCTLR_MASK (CC_GRP0 | CC_GRP1 | CC_ACKCTL | CC_FIQEN | CC_CBPR | CC_EOIMODE_S)

static unsigned lr_prio(uint32_t lr) { return lr >> 23 & 31; }
static unsigned lr_vid(uint32_t lr) { return lr & 0x3ff; }
static bool lr_grp(uint32_t lr) { return lr & LR_GRP1; }

static uint8_t preempt_mask(const struct v2_virt *c, bool grp)
{
    return !grp || c->ctlr & CC_CBPR ? v2_group_mask(c->bpr) : v2_group_mask(c->abpr - 1u);
}

static unsigned running(const struct v2_virt *c)
{
    return c->apr ? (unsigned)__builtin_ctz(c->apr) * 8 : 0xff;
}

/* The list register with the pending interrupt of the highest priority that is enabled; -1: none. */
static int best_lr(const struct v2_virt *c)
{
    int best = -1;
    if (!(c->hcr & HCR_EN)) return -1;
    for (int i = 0; i < V2_LRS; i++) {
        uint32_t lr = c->lr[i];
        if (!(lr & LR_PENDING) || lr & LR_ACTIVE || !(c->ctlr & (lr_grp(lr) ? CC_GRP1 : CC_GRP0))) continue;
        if (best < 0 || lr_prio(lr) < lr_prio(c->lr[best])) best = i;
    }
    return best;
}

static bool signalled(const struct v2_virt *c, int i)
{
    if (i < 0) return false;
    unsigned p = lr_prio(c->lr[i]) * 8;
    return p < c->pmr && (p & preempt_mask(c, lr_grp(c->lr[i]))) < running(c);
}

/* GICH_MISR: why the hypervisor is told. */
static uint32_t misr(const struct v2_virt *c)
{
    uint32_t m = c->eisr ? 1 : 0;
    unsigned used = 0, pending = 0;
    for (unsigned i = 0; i < V2_LRS; i++) {
        used += (c->lr[i] & (LR_PENDING | LR_ACTIVE)) != 0;
        pending += (c->lr[i] & (LR_PENDING | LR_ACTIVE)) == LR_PENDING;
    }
    if (c->hcr & HCR_UIE && used <= 1) m |= 2;
    if (c->hcr & HCR_LRENPIE && c->hcr >> 27) m |= 4;
    if (c->hcr & HCR_NPIE && !pending) m |= 8;
    if (c->hcr & HCR_VGRP0E && c->ctlr & CC_GRP0) m |= 16;
    if (c->hcr & HCR_VGRP0D && !(c->ctlr & CC_GRP0)) m |= 32;
    if (c->hcr & HCR_VGRP1E && c->ctlr & CC_GRP1) m |= 64;
    if (c->hcr & HCR_VGRP1D && !(c->ctlr & CC_GRP1)) m |= 128;
    return m;
}

void v2_update_virt(struct gicv2 *s, unsigned cpu)
{
    struct v2_virt *c = &s->vcpu[cpu];
    int i = best_lr(c);
    bool on = signalled(c, i), fiq = on && !lr_grp(c->lr[i]) && c->ctlr & CC_FIQEN;
    v2_tell(s, cpu, GIC_VIRQ, on && !fiq);
    v2_tell(s, cpu, GIC_VFIQ, fiq);
    if (s->virt && cpu < s->num_cpu) v2_set_ppi(s, cpu, GIC_PPI_MAINTENANCE, c->hcr & HCR_EN && misr(c));
}

/* --- GICH: the hypervisor's side ------------------------------------------------------------------------------------------- */

static uint32_t hcr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns) { return s->vcpu[cpu].hcr; }
static void hcr_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    s->vcpu[cpu].hcr = v & 0xf80000ff;
    v2_update_virt(s, cpu);
}

static uint32_t vtr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    return 4u << 29 | 4u << 26 | (V2_LRS - 1);
}

static uint32_t vmcr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    const struct v2_virt *c = &s->vcpu[cpu];
    return (c->ctlr & 0x1f) | (c->ctlr & CC_EOIMODE_S) | (uint32_t)c->abpr << 18 | (uint32_t)c->bpr << 21 | (uint32_t)(c->pmr >> 3) << 27;
}

static void vmcr_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    struct v2_virt *c = &s->vcpu[cpu];
    c->ctlr = v & VCTLR_MASK;
    c->abpr = (uint8_t)MAX(v >> 18 & 7, 3u);
    c->bpr = (uint8_t)MAX(v >> 21 & 7, 2u);
    c->pmr = (uint8_t)((v >> 27) << 3);
    v2_update_virt(s, cpu);
}

static uint32_t misr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns) { return misr(&s->vcpu[cpu]); }
static uint32_t eisr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns) { return off ? 0 : s->vcpu[cpu].eisr; }

static uint32_t elrsr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    uint32_t r = 0;
    for (unsigned i = 0; i < V2_LRS && !off; i++)
        if (!(s->vcpu[cpu].lr[i] & (LR_PENDING | LR_ACTIVE)) && !(s->vcpu[cpu].eisr >> i & 1)) r |= 1u << i;
    return r;
}

static uint32_t vapr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns) { return s->vcpu[cpu].apr; }
static void vapr_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    s->vcpu[cpu].apr = v;
    v2_update_virt(s, cpu);
}

static uint32_t lr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    return off / 4 < V2_LRS ? s->vcpu[cpu].lr[off / 4] : 0;
}

static void lr_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    if (off / 4 >= V2_LRS) return;
    s->vcpu[cpu].lr[off / 4] = v & LR_WRITABLE;
    s->vcpu[cpu].eisr &= ~(1u << off / 4);
    v2_update_virt(s, cpu);
}

static const struct v2_row hyp_rows[] = {
    { 0x00, 0x03, "hcr", hcr_read, hcr_write },
    { 0x04, 0x07, "vtr", vtr_read, NULL },
    { 0x08, 0x0b, "vmcr", vmcr_read, vmcr_write },
    { 0x10, 0x13, "misr", misr_read, NULL },
    { 0x20, 0x27, "eisr", eisr_read, NULL },
    { 0x30, 0x37, "elrsr", elrsr_read, NULL },
    { 0xf0, 0xf3, "apr", vapr_read, vapr_write },
    { 0x100, 0x1ff, "lr", lr_read, lr_write },
};

static uint64_t hyp_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    return v2_rows_read(dev, hyp_rows, ARRAY_LEN(hyp_rows), off, size, at);
}

static void hyp_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    v2_rows_write(dev, hyp_rows, ARRAY_LEN(hyp_rows), off, v, size, at);
}

const struct mmio_ops v2_hyp_ops = { .read = hyp_read, .write = hyp_write, .min = 4, .max = 4 };

/* --- GICV: the guest's side ------------------------------------------------------------------------------------------------- */

static uint32_t ctlr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns) { return s->vcpu[cpu].ctlr; }
static void ctlr_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    s->vcpu[cpu].ctlr = v & VCTLR_MASK;
    v2_update_virt(s, cpu);
}

static uint32_t pmr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns) { return s->vcpu[cpu].pmr; }
static void pmr_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    s->vcpu[cpu].pmr = v & 0xf8;
    v2_update_virt(s, cpu);
}

static uint32_t bpr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns) { return s->vcpu[cpu].bpr; }
static void bpr_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    s->vcpu[cpu].bpr = (uint8_t)MAX(v & 7, 2u);
    v2_update_virt(s, cpu);
}

static uint32_t abpr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns) { return s->vcpu[cpu].abpr; }
static void abpr_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    s->vcpu[cpu].abpr = (uint8_t)MAX(v & 7, 3u);
    v2_update_virt(s, cpu);
}

/* Of an interrupt without HW an SGI's number comes with who sent it. */
static uint32_t lr_id(uint32_t lr)
{
    return lr_vid(lr) | (!(lr & LR_HW) && lr_vid(lr) < 16 ? lr & 7 << 10 : 0);
}

static uint32_t visible_id(const struct v2_virt *c, int i, bool alias)
{
    if (i < 0) return GIC_SPURIOUS;
    if (alias) return lr_grp(c->lr[i]) ? lr_id(c->lr[i]) : GIC_SPURIOUS;
    return lr_grp(c->lr[i]) && !(c->ctlr & CC_ACKCTL) ? 1022 : lr_id(c->lr[i]);
}

static uint32_t acknowledge(struct gicv2 *s, unsigned cpu, bool alias)
{
    struct v2_virt *c = &s->vcpu[cpu];
    int i = best_lr(c);
    if (!signalled(c, i)) return GIC_SPURIOUS;
    uint32_t id = visible_id(c, i, alias);
    if ((id & 0x3ff) >= GIC_MAX_IRQ) return id;
    c->lr[i] = (c->lr[i] & ~(uint32_t)LR_PENDING) | LR_ACTIVE;
    c->apr |= 1u << (lr_prio(c->lr[i]) * 8 & preempt_mask(c, lr_grp(c->lr[i]))) / 8;
    v2_update_virt(s, cpu);
    return id;
}

static uint32_t iar_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns) { return acknowledge(s, cpu, false); }
static uint32_t aiar_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns) { return acknowledge(s, cpu, true); }

static void deactivate(struct gicv2 *s, unsigned cpu, uint32_t id)
{
    struct v2_virt *c = &s->vcpu[cpu];
    for (unsigned i = 0; i < V2_LRS; i++) {
        uint32_t *lr = &c->lr[i];
        if (!(*lr & LR_ACTIVE) || lr_vid(*lr) != (id & 0x3ff)) continue;
        if (!(*lr & LR_HW) && lr_vid(*lr) < 16 && (*lr >> 10 & 7) != (id >> 10 & 7)) continue;
        *lr &= ~(uint32_t)LR_ACTIVE;
        if (*lr & LR_HW) {
            unsigned phys = *lr >> 10 & 0x3ff;
            if (phys >= 16) v2_deactivate(s, cpu, phys);
        } else if (*lr & LR_EOI && !(*lr & LR_PENDING)) {
            c->eisr |= 1u << i;
        }
        return;
    }
    c->hcr += 1u << 27; /* EOICount: it was not in a list register */
}

static void eoir_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    struct v2_virt *c = &s->vcpu[cpu];
    if ((v & 0x3ff) >= GIC_MAX_IRQ) return;
    bool dropped = c->apr != 0;
    c->apr &= c->apr - 1;
    if (!(c->ctlr & CC_EOIMODE_S) && dropped) deactivate(s, cpu, v);
    v2_update_virt(s, cpu);
}

static void dir_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    if ((v & 0x3ff) >= GIC_MAX_IRQ || !(s->vcpu[cpu].ctlr & CC_EOIMODE_S)) return;
    deactivate(s, cpu, v);
    v2_update_virt(s, cpu);
}

static uint32_t rpr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns) { return running(&s->vcpu[cpu]); }
static uint32_t hppir_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    return visible_id(&s->vcpu[cpu], best_lr(&s->vcpu[cpu]), false);
}
static uint32_t ahppir_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    return visible_id(&s->vcpu[cpu], best_lr(&s->vcpu[cpu]), true);
}
static uint32_t iidr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns) { return 0x0202143b; }

static const struct v2_row vcpu_rows[] = {
    { 0x00, 0x03, "ctlr", ctlr_read, ctlr_write },
    { 0x04, 0x07, "pmr", pmr_read, pmr_write },
    { 0x08, 0x0b, "bpr", bpr_read, bpr_write },
    { 0x0c, 0x0f, "iar", iar_read, NULL },
    { 0x10, 0x13, "eoir", NULL, eoir_write },
    { 0x14, 0x17, "rpr", rpr_read, NULL },
    { 0x18, 0x1b, "hppir", hppir_read, NULL },
    { 0x1c, 0x1f, "abpr", abpr_read, abpr_write },
    { 0x20, 0x23, "aiar", aiar_read, NULL },
    { 0x24, 0x27, "aeoir", NULL, eoir_write },
    { 0x28, 0x2b, "ahppir", ahppir_read, NULL },
    { 0xd0, 0xd3, "apr", vapr_read, vapr_write },
    { 0xfc, 0xff, "iidr", iidr_read, NULL },
    { 0x1000, 0x1003, "dir", NULL, dir_write },
};

static uint64_t vcpu_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    return v2_rows_read(dev, vcpu_rows, ARRAY_LEN(vcpu_rows), off, size, at);
}

static void vcpu_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    v2_rows_write(dev, vcpu_rows, ARRAY_LEN(vcpu_rows), off, v, size, at);
}

const struct mmio_ops v2_vcpu_ops = { .read = vcpu_read, .write = vcpu_write, .min = 4, .max = 4 };
