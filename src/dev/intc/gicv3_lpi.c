/*
 * gicv3_lpi.c: LPIs (Arm IHI 0069, chapters 5.1 and 5.2): their configuration table in memory, one byte each, is read when a redistributor
 * enables LPIs and when software invalidates it; what pends is kept here while LPIs are enabled, and in the pending table otherwise.
 */
#include "dev/intc/gicv3.h"

#define ADDR_MASK 0xffffffffff000ull /* bits 51..12 */

static uint8_t lpi_prio(const struct gicv3 *s, uint32_t irq)
{
    uint8_t p = s->lpi_cfg[irq] & 0xf8;
    return v3_one_state(s) ? p : (uint8_t)(p >> 1 | 0x80) & 0xf8; /* the table is non-secure software's */
}

/* Looks anew for the pending LPI of the highest priority. */
static void find_best(struct v3_cpu *c)
{
    struct gicv3 *s = c->gic;
    struct v3_best b = { GIC_SPURIOUS, 0xff, G1NS };
    for (unsigned i = 0; i < ARRAY_LEN(c->lpi_some); i++)
        for (uint64_t some = c->lpi_some[i]; some; some &= some - 1) {
            unsigned w = i * 64 + (unsigned)__builtin_ctzll(some);
            for (uint64_t p = c->lpi_pend[w] & s->lpi_enabled[w]; p; p &= p - 1) {
                uint32_t irq = w * 64 + (unsigned)__builtin_ctzll(p);
                uint8_t prio = lpi_prio(s, irq);
                if (prio < b.prio) b = (struct v3_best){ irq, prio, G1NS };
            }
        }
    c->lpi_best = b;
}

static void put_bit(struct v3_cpu *c, uint32_t irq, bool on)
{
    uint64_t *w = &c->lpi_pend[irq / 64], m = 1ull << irq % 64, *some = &c->lpi_some[irq / 64 / 64], sm = 1ull << irq / 64 % 64;
    *w = on ? *w | m : *w & ~m;
    *some = *w ? *some | sm : *some & ~sm;
}

bool v3_lpi_pending(const struct v3_cpu *c, uint32_t irq)
{
    return c->lpi_pend && irq >= LPI_FIRST && irq < LPI_END && c->lpi_pend[irq / 64] >> irq % 64 & 1;
}

void v3_lpi_put(struct v3_cpu *c, uint32_t irq, bool pending)
{
    struct gicv3 *s = c->gic;
    if (!c->lpi_on || irq < LPI_FIRST || irq >= s->lpi_end || v3_lpi_pending(c, irq) == pending) return;
    put_bit(c, irq, pending);
    if (pending) {
        if (!(s->lpi_enabled[irq / 64] >> irq % 64 & 1)) return;
        uint8_t p = lpi_prio(s, irq);
        if (p > c->lpi_best.prio || (p == c->lpi_best.prio && irq > c->lpi_best.irq)) return;
        c->lpi_best = (struct v3_best){ irq, p, G1NS };
    } else {
        if (irq != c->lpi_best.irq) return;
        find_best(c);
    }
    v3_update(s, c->index);
}

/* Reads the configuration of [first, end); what memory does not have is disabled. */
static void read_config(struct gicv3 *s, uint32_t first, uint32_t end)
{
    if (dma_read(&s->dev.dma, s->lpi_base + (first - LPI_FIRST), s->lpi_cfg + first, end - first)) memset(s->lpi_cfg + first, 0, end - first);
    for (uint32_t i = first; i < end; i++) {
        uint64_t *w = &s->lpi_enabled[i / 64], m = 1ull << i % 64;
        *w = s->lpi_cfg[i] & 1 ? *w | m : *w & ~m;
    }
}

static void all_best(struct gicv3 *s)
{
    for (unsigned i = 0; i < s->num_cpu; i++) {
        if (!s->cpu[i]->lpi_on) continue;
        find_best(s->cpu[i]);
        v3_update(s, i);
    }
}

void v3_lpi_inv(struct gicv3 *s, uint32_t irq)
{
    if (irq < LPI_FIRST || irq >= s->lpi_end) return;
    read_config(s, irq, irq + 1);
    for (unsigned i = 0; i < s->num_cpu; i++) {
        if (!v3_lpi_pending(s->cpu[i], irq)) continue;
        find_best(s->cpu[i]);
        v3_update(s, i);
    }
}

void v3_lpi_inv_all(struct gicv3 *s)
{
    if (!s->lpi_end) return;
    read_config(s, LPI_FIRST, s->lpi_end);
    all_best(s);
}

static void summarize(struct v3_cpu *c)
{
    memset(c->lpi_some, 0, sizeof c->lpi_some);
    for (unsigned w = LPI_FIRST / 64; w < LPI_END / 64; w++)
        if (c->lpi_pend[w]) c->lpi_some[w / 64] |= 1ull << w % 64;
}

void v3_lpi_loaded(struct v3_cpu *c)
{
    if (!c->lpi_pend) return;
    summarize(c);
    find_best(c);
}

void v3_lpi_config_loaded(struct gicv3 *s)
{
    memset(s->lpi_enabled, 0, sizeof s->lpi_enabled);
    for (uint32_t i = LPI_FIRST; i < s->lpi_end; i++)
        if (s->lpi_cfg[i] & 1) s->lpi_enabled[i / 64] |= 1ull << i % 64;
}

/* The pending table: a bit for every number, those below 8192 not used. */
static void pending_table(struct v3_cpu *c, bool load)
{
    struct gicv3 *s = c->gic;
    uint64_t at = (c->pendbase & 0xfffffffff0000ull) + LPI_FIRST / 8;
    uint8_t *bytes = (uint8_t *)(c->lpi_pend + LPI_FIRST / 64);
    uint64_t len = (s->lpi_end - LPI_FIRST) / 8;
    if (!load) {
        dma_write(&s->dev.dma, at, bytes, len);
        memset(c->lpi_pend, 0, LPI_END / 8);
    } else if (c->pendbase >> 62 & 1 || dma_read(&s->dev.dma, at, bytes, len)) { /* PTZ: software says that it is zero */
        memset(c->lpi_pend, 0, LPI_END / 8);
    }
    summarize(c);
}

void v3_lpi_enable(struct v3_cpu *c, bool on)
{
    struct gicv3 *s = c->gic;
    if (!c->lpi_pend || c->lpi_on == on) return;
    if (on) {
        unsigned bits = (unsigned)(c->propbase & 31) + 1;
        if (bits < 14) return; /* too few for a single LPI: they stay off (GICR_PROPBASER.IDbits) */
        s->lpi_base = c->propbase & ADDR_MASK;
        s->lpi_end = 1u << MIN(bits, (unsigned)LPI_BITS);
        read_config(s, LPI_FIRST, s->lpi_end);
    }
    pending_table(c, on);
    c->lpi_on = on;
    c->lpi_best = (struct v3_best){ GIC_SPURIOUS, 0xff, G1NS };
    if (on) find_best(c);
    v3_update(s, c->index);
}

void v3_lpi_move_all(struct v3_cpu *from, struct v3_cpu *to)
{
    if (from == to || !from->lpi_on || !to->lpi_on) return;
    for (unsigned w = LPI_FIRST / 64; w < LPI_END / 64; w++) {
        if (!from->lpi_pend[w]) continue;
        to->lpi_pend[w] |= from->lpi_pend[w];
        from->lpi_pend[w] = 0;
        to->lpi_some[w / 64] |= 1ull << w % 64;
    }
    memset(from->lpi_some, 0, sizeof from->lpi_some);
    find_best(from);
    find_best(to);
    v3_update(from->gic, from->index);
    v3_update(to->gic, to->index);
}
