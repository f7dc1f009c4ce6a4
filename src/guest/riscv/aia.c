/*
 * aia.c: the hart's part of the Advanced Interrupt Architecture (Smaia, Ssaia): priorities of major interrupts, mtopi, stopi, vstopi,
 * and the windows to an IMSIC, which is a device (v->intc, riscv_sys.h). Known gaps: hvictl.VTI does not inject, hvien is 0.
 */
#include "sysreg.h"

enum { NO_PRIO = 256 };

/* -- the IMSIC --------------------------------------------------------------------------------------------------------- */
/* File of a level; -1: VS mode has none now. */
static int file_of(const struct riscv_cpu *r, enum hart_level level)
{
    uint64_t vgein = (r->s.hstatus & HS_VGEIN) >> 12;
    return level == LEVEL_M ? 0 : level == LEVEL_S ? 1 : vgein ? (int)vgein + 1 : -1;
}
static uint64_t imsic_read(const struct riscv_cpu *r, enum hart_level level, unsigned select, bool *ok)
{
    const struct cpu_intc *ic = r->c.v ? r->c.v->intc : NULL;
    int file = file_of(r, level);
    *ok = ic && file >= 0;
    return *ok ? ic->read(ic->ctx, (CPU *)(uintptr_t)&r->c, RISCV_IMSIC(file, select), ok) : 0;
}
static void imsic_write(struct riscv_cpu *r, enum hart_level level, unsigned select, uint64_t v)
{
    const struct cpu_intc *ic = r->c.v->intc;
    int file = file_of(r, level);
    bool ok = true;
    if (ic && file >= 0) ic->write(ic->ctx, &r->c, RISCV_IMSIC(file, select), v, &ok);
}
uint64_t riscv_aia_topei(const struct riscv_cpu *r, enum hart_level level, bool *ok)
{
    return imsic_read(r, level, RISCV_IMSIC_TOPEI, ok);
}
void riscv_aia_claim(struct riscv_cpu *r, enum hart_level level)
{
    imsic_write(r, level, RISCV_IMSIC_TOPEI, 0);
}

/* -- priorities ---------------------------------------------------------------------------------------------------------- */
static uint8_t iprio(const struct riscv_cpu *r, enum hart_level level, unsigned irq)
{
    /* hviprio1: interrupts 0, 1, 4, 5, 13, 14, 15, 16 */
    static const uint8_t hviprio1[] = { 0, 1, 4, 5, 13, 14, 15, 16 };
    if (level == LEVEL_M) return r->s.miprio[irq % IPRIOS];
    if (level == LEVEL_S) return r->s.siprio[irq % IPRIOS];
    for (unsigned i = 1; i < ARRAY_LEN(hviprio1); i++)
        if (hviprio1[i] == irq) return (uint8_t)(r->s.hviprio[0] >> 8 * i);
    return 0;
}

/*
 * The pending interrupt with the smallest priority number; among equals the default order. 0 stands for "where the default order has it
 * against the level's external interrupt", whose own number is the IMSIC's. pending: by cause as in mip.
 */
int riscv_aia_pick(const struct riscv_cpu *r, enum hart_level level, uint64_t pending, unsigned *prio)
{
    int best = -1;
    unsigned best_prio = NO_PRIO + 1, ei = level == LEVEL_M ? IRQ_MEI : level == LEVEL_S ? IRQ_SEI : IRQ_VSEI;
    bool past = false, ok;
    *prio = 0;
    if (!riscv_has_ext(r, level == LEVEL_M ? EXT_smaia : EXT_ssaia)) return riscv_default_pick(pending);
    for (uint64_t left = pending; left;) {
        int irq = riscv_default_pick(left);
        if (irq < 0) break;
        left &= ~IRQ(irq);
        /* those of the order behind the external interrupt; all of the M level's precede the S level's and so on */
        past |= (unsigned)irq == ei || !(IRQ(irq) & (level == LEVEL_M ? 0 : level == LEVEL_S ? IRQ_M : IRQ_M | IRQ_S | IRQ(IRQ_SGEI)));
        unsigned p = iprio(r, level, level == LEVEL_VS ? (unsigned)irq - 1 : (unsigned)irq);
        if ((unsigned)irq == ei) {
            uint64_t top = riscv_aia_topei(r, level, &ok);
            p = ok && top & 0x7ff ? top & 0x7ff : NO_PRIO;
        } else if (!p) {
            p = past ? NO_PRIO : 0;
        }
        if (p < best_prio) best = irq, best_prio = p;
    }
    *prio = MIN(best_prio, 255u);
    return best;
}

/* identity << 16 | priority */
uint64_t riscv_aia_topi(const struct riscv_cpu *r, enum hart_level level)
{
    uint64_t pending = riscv_mip(r) & r->s.mie, deleg = r->s.mideleg, vs = riscv_h(r) ? r->s.hideleg : 0;
    unsigned prio;
    if (level == LEVEL_M) pending &= ~deleg;
    if (level == LEVEL_S) pending = (pending & deleg & ~vs) | (r->s.mvip & r->s.mvien & ~deleg);
    if (level == LEVEL_VS) pending &= deleg & vs & IRQ_VS;
    int irq = pending ? riscv_aia_pick(r, level, pending, &prio) : -1;
    if (irq < 0) return 0;
    /* without a priority of its own it is not 0: that would be "nothing" to some */
    return (uint64_t)(level == LEVEL_VS ? irq - 1 : irq) << 16 | (prio ? prio : 1);
}

/* -- indirect registers ------------------------------------------------------------------------------------------------------ */
static uint64_t selected(const struct riscv_cpu *r, enum hart_level level)
{
    return level == LEVEL_M ? r->s.miselect : level == LEVEL_S ? r->s.siselect : r->s.vsiselect;
}
static bool is_iprio(const struct riscv_cpu *r, enum hart_level level, uint64_t sel)
{
    return sel >= 0x30 && sel <= 0x3f && level != LEVEL_VS && (r->rv32 || !(sel & 1));
}

uint64_t riscv_aia_ireg(const struct riscv_cpu *r, enum hart_level level, bool *ok)
{
    uint64_t sel = selected(r, level), v = 0;
    const uint8_t *p = (level == LEVEL_M ? r->s.miprio : r->s.siprio) + (sel & 15) * 4;
    *ok = true;
    if (is_iprio(r, level, sel)) {
        memcpy(&v, p, riscv_xlen(r) / 8);
        return v;
    }
    if (sel >= 0x70 && sel <= 0xff) return imsic_read(r, level, (unsigned)sel, ok);
    *ok = false;
    return 0;
}

void riscv_aia_set_ireg(struct riscv_cpu *r, enum hart_level level, uint64_t v)
{
    uint64_t sel = selected(r, level);
    uint8_t *all = level == LEVEL_M ? r->s.miprio : r->s.siprio;
    if (is_iprio(r, level, sel)) {
        memcpy(all + (sel & 15) * 4, &v, riscv_xlen(r) / 8);
        all[level == LEVEL_M ? IRQ_MEI : IRQ_SEI] = 0; /* the IMSIC's */
    } else if (sel >= 0x70 && sel <= 0xff) {
        imsic_write(r, level, (unsigned)sel, v);
    }
}
