/*
 * gicv3_virt.c: GICv3 virtualization (Arm IHI 0069, chapter 6): ICH_*, which a hypervisor in EL2 fills with virtual interrupts, and
 * ICV_*, which EL1 has in place of ICC_* then. 4 list registers, 5 bits of priority.
 *
 * Gaps: the traps of ICH_HCR_EL2 (TC, TALL0, TALL1, TDIR) are stored only.
 */
#include "cpu/arm_sys.h"
#include "dev/intc/gicv3.h"

enum { HCR_EN = 1, HCR_UIE = 2, HCR_LRENPIE = 4, HCR_NPIE = 8, HCR_VGRP0E = 16, HCR_VGRP0D = 32, HCR_VGRP1E = 64, HCR_VGRP1D = 128 };
#define LR_PENDING (1ull << 62)
#define LR_ACTIVE  (2ull << 62)
#define LR_STATE   (3ull << 62)
#define LR_HW      (1ull << 61)
#define LR_GRP1    (1ull << 60)
#define LR_EOI     (1ull << 41)
#define LR_MASK    0xf0ff1fffffffffffull

static unsigned lr_prio(uint64_t lr) { return lr >> 48 & 0xf8; }
static uint32_t lr_id(uint64_t lr) { return (uint32_t)lr; }
static unsigned lr_grp(uint64_t lr) { return lr & LR_GRP1 ? 1 : 0; }

static uint8_t preempt_mask(const struct v3_virt *t, unsigned grp)
{
    return v3_group_bits(!grp || t->cbpr ? t->bpr[0] : t->bpr[1] - 1u);
}

static unsigned running(const struct v3_virt *t)
{
    uint32_t a = t->apr[0] | t->apr[1];
    return a ? (unsigned)__builtin_ctz(a) * 8 : 0xff;
}

static int best_lr(const struct v3_virt *t)
{
    int best = -1;
    if (!(t->hcr & HCR_EN)) return -1;
    for (int i = 0; i < V3_LRS; i++) {
        if ((t->lr[i] & LR_STATE) != LR_PENDING || !t->en[lr_grp(t->lr[i])]) continue;
        if (best < 0 || lr_prio(t->lr[i]) < lr_prio(t->lr[best])) best = i;
    }
    return best;
}

static bool signalled(const struct v3_virt *t, int i)
{
    if (i < 0) return false;
    unsigned p = lr_prio(t->lr[i]);
    return p < t->pmr && (p & preempt_mask(t, lr_grp(t->lr[i]))) < running(t);
}

static uint32_t misr(const struct v3_virt *t)
{
    uint32_t m = t->eisr ? 1 : 0;
    unsigned used = 0, pending = 0;
    for (unsigned i = 0; i < V3_LRS; i++) {
        used += (t->lr[i] & LR_STATE) != 0;
        pending += (t->lr[i] & LR_STATE) == LR_PENDING;
    }
    if (t->hcr & HCR_UIE && used <= 1) m |= 2;
    if (t->hcr & HCR_LRENPIE && t->hcr >> 27) m |= 4;
    if (t->hcr & HCR_NPIE && !pending) m |= 8;
    if (t->hcr & HCR_VGRP0E && t->en[0]) m |= 16;
    if (t->hcr & HCR_VGRP0D && !t->en[0]) m |= 32;
    if (t->hcr & HCR_VGRP1E && t->en[1]) m |= 64;
    if (t->hcr & HCR_VGRP1D && !t->en[1]) m |= 128;
    return m;
}

void v3_update_virt(struct v3_cpu *c)
{
    struct v3_virt *t = &c->virt;
    int i = best_lr(t);
    bool on = signalled(t, i), fiq = on && !lr_grp(t->lr[i]);
    v3_tell(c, GIC_VIRQ, on && !fiq);
    v3_tell(c, GIC_VFIQ, fiq);
    v3_set_level(c->gic, c->index, GIC_PPI_MAINTENANCE, t->hcr & HCR_EN && misr(t));
}

void v3_virt_reset(struct v3_cpu *c)
{
    memset(&c->virt, 0, sizeof c->virt);
    c->virt.bpr[0] = 2;
    c->virt.bpr[1] = 3;
    v3_update_virt(c);
}

/* --- ICH_* ------------------------------------------------------------------------------------------------------------------------------ */

enum {
    H_AP0R0 = ARM_SYSREG(3, 4, 12, 8, 0), H_AP1R0 = ARM_SYSREG(3, 4, 12, 9, 0), H_HCR = ARM_SYSREG(3, 4, 12, 11, 0), H_VTR = ARM_SYSREG(3, 4, 12, 11, 1),
    H_MISR = ARM_SYSREG(3, 4, 12, 11, 2), H_EISR = ARM_SYSREG(3, 4, 12, 11, 3), H_ELRSR = ARM_SYSREG(3, 4, 12, 11, 5),
    H_VMCR = ARM_SYSREG(3, 4, 12, 11, 7), H_LR0 = ARM_SYSREG(3, 4, 12, 12, 0)
};

static uint64_t vmcr_read(const struct v3_virt *t)
{
    return (uint64_t)t->en[0] | (uint64_t)t->en[1] << 1 | 1u << 3 /* VFIQEn */ | (uint64_t)t->cbpr << 4 | (uint64_t)t->eoimode << 9 |
           (uint64_t)t->bpr[1] << 18 | (uint64_t)t->bpr[0] << 21 | (uint64_t)t->pmr << 24;
}

static void vmcr_write(struct v3_virt *t, uint64_t v)
{
    t->en[0] = v & 1;
    t->en[1] = v >> 1 & 1;
    t->cbpr = v >> 4 & 1;
    t->eoimode = v >> 9 & 1;
    t->bpr[1] = (uint8_t)MAX((unsigned)(v >> 18 & 7), 3u);
    t->bpr[0] = (uint8_t)MAX((unsigned)(v >> 21 & 7), 2u);
    t->pmr = (uint8_t)(v >> 24) & 0xf8;
}

static uint64_t elrsr(const struct v3_virt *t)
{
    uint64_t r = 0;
    for (unsigned i = 0; i < V3_LRS; i++)
        if (!(t->lr[i] & LR_STATE) && (t->lr[i] & LR_HW || !(t->lr[i] & LR_EOI))) r |= 1u << i;
    return r;
}

bool v3_ich_read(struct v3_cpu *c, unsigned reg, uint64_t *v)
{
    struct v3_virt *t = &c->virt;
    switch (reg) {
    case H_AP0R0: *v = t->apr[0]; return true;
    case H_AP1R0: *v = t->apr[1]; return true;
    case H_HCR: *v = t->hcr; return true;
    case H_VTR: *v = 4u << 29 | 4u << 26 | 1u << 21 /* A3V */ | 1u << 20 /* nV4 */ | 1u << 19 /* TDS */ | (V3_LRS - 1); return true;
    case H_MISR: *v = misr(t); return true;
    case H_EISR: *v = t->eisr; return true;
    case H_ELRSR: *v = elrsr(t); return true;
    case H_VMCR: *v = vmcr_read(t); return true;
    }
    if (reg < H_LR0 || reg >= H_LR0 + V3_LRS) return false;
    *v = t->lr[reg - H_LR0];
    return true;
}

bool v3_ich_write(struct v3_cpu *c, unsigned reg, uint64_t v)
{
    struct v3_virt *t = &c->virt;
    switch (reg) {
    case H_AP0R0: t->apr[0] = (uint32_t)v; break;
    case H_AP1R0: t->apr[1] = (uint32_t)v; break;
    case H_HCR: t->hcr = (uint32_t)v & 0xf8007cff; break;
    case H_VMCR: vmcr_write(t, v); break;
    default:
        if (reg < H_LR0 || reg >= H_LR0 + V3_LRS) return false;
        t->lr[reg - H_LR0] = v & LR_MASK;
        t->eisr &= ~(1u << (reg - H_LR0));
    }
    v3_update_virt(c);
    return true;
}

/* --- ICV_* ------------------------------------------------------------------------------------------------------------------------------- */

static uint32_t visible(const struct v3_virt *t, int i, unsigned grp)
{
    return i < 0 || lr_grp(t->lr[i]) != grp ? GIC_SPURIOUS : lr_id(t->lr[i]);
}

static uint32_t acknowledge(struct v3_virt *t, unsigned grp)
{
    int i = best_lr(t);
    if (!signalled(t, i)) return GIC_SPURIOUS;
    uint32_t id = visible(t, i, grp);
    if (id >= GIC_MAX_IRQ && id < LPI_FIRST) return GIC_SPURIOUS;
    t->apr[grp] |= 1u << (lr_prio(t->lr[i]) & preempt_mask(t, grp)) / 8;
    t->lr[i] &= ~LR_STATE;
    if (id < LPI_FIRST) t->lr[i] |= LR_ACTIVE; /* LPIs have no active state */
    return id;
}

static void deactivate(struct v3_cpu *c, uint32_t id)
{
    struct v3_virt *t = &c->virt;
    if (id >= GIC_MAX_IRQ) return;
    for (unsigned i = 0; i < V3_LRS; i++) {
        uint64_t *lr = &t->lr[i];
        if (!(*lr & LR_ACTIVE) || lr_id(*lr) != id) continue;
        *lr &= ~LR_ACTIVE;
        if (*lr & LR_HW) v3_deactivate(c->gic, c->index, *lr >> 32 & 0x1fff);
        else if (*lr & LR_EOI && !(*lr & LR_PENDING)) t->eisr |= 1u << i;
        return;
    }
    t->hcr += 1u << 27; /* EOIcount: it was in no list register */
}

static void end(struct v3_cpu *c, unsigned grp, uint32_t id)
{
    struct v3_virt *t = &c->virt;
    if (id >= GIC_MAX_IRQ && id < LPI_FIRST) return;
    uint32_t all = t->apr[0] | t->apr[1];
    if (!all || !(t->apr[grp] & (all & -all))) return;
    t->apr[grp] &= t->apr[grp] - 1;
    if (!t->eoimode) deactivate(c, id);
}

enum {
    PMR = ARM_SYSREG(3, 0, 4, 6, 0), IAR0 = ARM_SYSREG(3, 0, 12, 8, 0), EOIR0 = ARM_SYSREG(3, 0, 12, 8, 1), HPPIR0 = ARM_SYSREG(3, 0, 12, 8, 2),
    BPR0 = ARM_SYSREG(3, 0, 12, 8, 3), AP0R0 = ARM_SYSREG(3, 0, 12, 8, 4), AP1R0 = ARM_SYSREG(3, 0, 12, 9, 0), DIR = ARM_SYSREG(3, 0, 12, 11, 1),
    RPR = ARM_SYSREG(3, 0, 12, 11, 3), IAR1 = ARM_SYSREG(3, 0, 12, 12, 0), EOIR1 = ARM_SYSREG(3, 0, 12, 12, 1),
    HPPIR1 = ARM_SYSREG(3, 0, 12, 12, 2), BPR1 = ARM_SYSREG(3, 0, 12, 12, 3), CTLR = ARM_SYSREG(3, 0, 12, 12, 4),
    IGRPEN0 = ARM_SYSREG(3, 0, 12, 12, 6), IGRPEN1 = ARM_SYSREG(3, 0, 12, 12, 7)
};

bool v3_icv_read(struct v3_cpu *c, unsigned reg, uint64_t *v)
{
    struct v3_virt *t = &c->virt;
    switch (reg) {
    case PMR: *v = t->pmr; return true;
    case IAR0: *v = acknowledge(t, 0); break;
    case IAR1: *v = acknowledge(t, 1); break;
    case HPPIR0: *v = visible(t, best_lr(t), 0); return true;
    case HPPIR1: *v = visible(t, best_lr(t), 1); return true;
    case BPR0: *v = t->bpr[0]; return true;
    case BPR1: *v = t->cbpr ? MIN(t->bpr[0] + 1u, 7u) : t->bpr[1]; return true;
    case AP0R0: *v = t->apr[0]; return true;
    case AP1R0: *v = t->apr[1]; return true;
    case RPR: *v = running(t); return true;
    case CTLR: *v = (uint64_t)t->cbpr | (uint64_t)t->eoimode << 1 | 4 << 8 | 1 << 15; return true;
    case IGRPEN0: *v = t->en[0]; return true;
    case IGRPEN1: *v = t->en[1]; return true;
    default: return false;
    }
    v3_update_virt(c);
    return true;
}

bool v3_icv_write(struct v3_cpu *c, unsigned reg, uint64_t v)
{
    struct v3_virt *t = &c->virt;
    switch (reg) {
    case PMR: t->pmr = v & 0xf8; break;
    case EOIR0: end(c, 0, v & 0xffffff); break;
    case EOIR1: end(c, 1, v & 0xffffff); break;
    case DIR: if (t->eoimode) deactivate(c, v & 0xffffff); break;
    case BPR0: t->bpr[0] = (uint8_t)MAX((unsigned)(v & 7), 2u); break;
    case BPR1: if (!t->cbpr) t->bpr[1] = (uint8_t)MAX((unsigned)(v & 7), 3u); break;
    case AP0R0: t->apr[0] = (uint32_t)v; break;
    case AP1R0: t->apr[1] = (uint32_t)v; break;
    case CTLR: t->cbpr = v & 1; t->eoimode = v >> 1 & 1; break;
    case IGRPEN0: t->en[0] = v & 1; break;
    case IGRPEN1: t->en[1] = v & 1; break;
    default: return false;
    }
    v3_update_virt(c);
    return true;
}
