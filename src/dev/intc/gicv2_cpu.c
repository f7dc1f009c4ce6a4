/*
 * gicv2_cpu.c: GICv2, the CPU interfaces (Arm IHI 0048B, chapter 4.4; what is signalled: 3.2-3.4, 3.8's pseudocode in words).
 * 5 bits of priority: one GICC_APR register, BPR at least 2 (3 where a non-secure access looks).
 */
#include "dev/intc/gicv2.h"

enum { IDLE = 0xff, BPR_MIN = 2 };

/* BPR n: bits 7..n+1 decide preemption. */
uint8_t v2_group_mask(unsigned bpr)
{
    return (uint8_t)(0xfeu << MIN(bpr, 7u));
}

/* Bits that decide for an interrupt of a group; group 1 has a register of its own, one off, unless CBPR is set. */
static uint8_t preempt_mask(const struct v2_cpu *c, unsigned grp)
{
    return !grp || c->ctlr & CC_CBPR ? v2_group_mask(c->bpr) : v2_group_mask(c->abpr - 1u);
}

static unsigned running(const struct v2_cpu *c)
{
    uint32_t a = c->apr[0] | c->apr[1];
    return a ? (unsigned)__builtin_ctz(a) * 8 : IDLE;
}

struct best {
    unsigned irq, prio, grp; /* irq 1023: none */
};

/* The pending interrupt of the highest priority that distributor and interface let through; of equals the lowest number. */
static struct best best_pending(struct gicv2 *s, unsigned cpu)
{
    struct best b = { GIC_SPURIOUS, IDLE, 0 };
    unsigned forwarded = s->ctlr & s->cpu[cpu].ctlr & 3;
    if (!forwarded) return b;
    for (unsigned w = 0; w < s->num_irq / 32; w++) {
        uint32_t p = (*v2_word(s, V2_PENDING, cpu, w) | (*v2_word(s, V2_LEVEL, cpu, w) & ~*v2_word(s, V2_EDGE, cpu, w))) &
                     *v2_word(s, V2_ENABLED, cpu, w) & ~*v2_word(s, V2_ACTIVE, cpu, w);
        uint32_t g = *v2_word(s, V2_GROUP, cpu, w);
        p &= (forwarded & 1 ? ~g : 0) | (forwarded & 2 ? g : 0);
        for (; p; p &= p - 1) {
            unsigned bit = (unsigned)__builtin_ctz(p), irq = w * 32 + bit;
            if (w && !(s->target[irq] >> cpu & 1)) continue;
            unsigned prio = *v2_prio(s, cpu, irq);
            if (prio < b.prio) b = (struct best){ irq, prio, g >> bit & 1 };
        }
    }
    return b;
}

/* Is it of a priority that interrupts what runs now? */
static bool signalled(const struct v2_cpu *c, const struct best *b)
{
    return b->irq != GIC_SPURIOUS && b->prio < c->pmr && (b->prio & preempt_mask(c, b->grp)) < running(c);
}

void v2_update(struct gicv2 *s, unsigned cpu)
{
    struct v2_cpu *c = &s->cpu[cpu];
    struct best b = best_pending(s, cpu);
    bool on = signalled(c, &b), fiq = on && !b.grp && c->ctlr & CC_FIQEN;
    v2_tell(s, cpu, GIC_IRQ, on && !fiq);
    v2_tell(s, cpu, GIC_FIQ, fiq);
}

void v2_update_all(struct gicv2 *s)
{
    for (unsigned i = 0; i < s->num_cpu; i++) v2_update(s, i);
}

void v2_cpu_reset(struct gicv2 *s)
{
    memset(s->cpu, 0, sizeof s->cpu);
    memset(s->vcpu, 0, sizeof s->vcpu);
    for (unsigned i = 0; i < V2_CPUS; i++) {
        if (s->reset_ns) s->cpu[i].pmr = 0x80; /* what secure software would have opened */
        s->cpu[i].bpr = s->vcpu[i].bpr = BPR_MIN;
        s->cpu[i].abpr = s->vcpu[i].abpr = BPR_MIN + 1;
        v2_update_virt(s, i);
    }
}

/* --- acknowledge and end --------------------------------------------------------------------------------------------------- */

/* Which pending interrupt an access may acknowledge: its number, or a special one. `alias`: GICC_AIAR and GICC_AHPPIR. */
static unsigned may_see(const struct gicv2 *s, const struct v2_cpu *c, const struct best *b, bool ns, bool alias)
{
    if (b->irq == GIC_SPURIOUS) return GIC_SPURIOUS;
    if (ns || alias) return b->grp ? b->irq : GIC_SPURIOUS;
    return b->grp && !(c->ctlr & CC_ACKCTL) ? 1022 : b->irq;
}

static uint32_t acknowledge(struct gicv2 *s, unsigned cpu, bool ns, bool alias)
{
    struct v2_cpu *c = &s->cpu[cpu];
    struct best b = best_pending(s, cpu);
    if (!signalled(c, &b)) return GIC_SPURIOUS;
    unsigned id = may_see(s, c, &b, ns, alias);
    if (id >= GIC_MAX_IRQ) return id;
    c->apr[b.grp] |= 1u << (b.prio & preempt_mask(c, b.grp)) / 8;
    v2_put(s, V2_ACTIVE, cpu, id, true);
    v2_put(s, V2_PENDING, cpu, id, false);
    unsigned src = 0;
    if (id < 16) {
        uint8_t *from = &s->sgi_src[cpu][id];
        src = *from ? (unsigned)__builtin_ctz(*from) : 0;
        *from &= (uint8_t)(*from - 1);
        v2_put(s, V2_PENDING, cpu, id, *from);
    }
    if (id < 32) v2_update(s, cpu);
    else v2_update_all(s);
    return id | src << 10;
}

static uint32_t iar_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    return acknowledge(s, cpu, ns, false);
}

static uint32_t aiar_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    return ns ? 0 : acknowledge(s, cpu, false, true);
}

static bool may_end(struct gicv2 *s, unsigned cpu, unsigned id, bool grp1_only)
{
    return id < s->num_irq && !(grp1_only && !v2_bit(s, V2_GROUP, cpu, id));
}

static void end(struct gicv2 *s, unsigned cpu, uint32_t v, bool ns, bool alias)
{
    struct v2_cpu *c = &s->cpu[cpu];
    unsigned id = v & 0x3ff;
    if (id >= s->num_irq) return;
    bool ns_mode = s->security && (ns || alias);
    bool split = c->ctlr & (ns_mode ? CC_EOIMODE_NS : CC_EOIMODE_S);
    /* Priority drop: the highest active priority, which a non-secure access can only end if it is group 1's. */
    unsigned lo0 = c->apr[0] ? (unsigned)__builtin_ctz(c->apr[0]) : 32, lo1 = c->apr[1] ? (unsigned)__builtin_ctz(c->apr[1]) : 32;
    unsigned grp = lo1 < lo0;
    if (c->apr[grp] && (grp || !(ns || alias))) c->apr[grp] &= c->apr[grp] - 1;
    if (!split && may_end(s, cpu, id, ns || alias)) v2_deactivate(s, cpu, id);
    v2_update(s, cpu);
}

static void eoir_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    end(s, cpu, v, ns, false);
}

static void aeoir_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    if (!ns) end(s, cpu, v, false, true);
}

static void dir_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    struct v2_cpu *c = &s->cpu[cpu];
    bool ns_mode = s->security && ns;
    if (!(c->ctlr & (ns_mode ? CC_EOIMODE_NS : CC_EOIMODE_S))) return; /* unpredictable: ignored */
    if (may_end(s, cpu, v & 0x3ff, ns)) v2_deactivate(s, cpu, v & 0x3ff);
}

/* --- registers --------------------------------------------------------------------------------------------------------------- */

/* The non-secure view of a priority: the lower half, shifted. */
static uint32_t ns_view(unsigned prio)
{
    return prio == IDLE ? IDLE : prio & 0x80 ? prio << 1 & 0xff : 0;
}

static uint32_t ctlr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    uint32_t v = s->cpu[cpu].ctlr;
    return ns ? (v >> 1 & 1) | (v >> 2 & 0x60) | (v >> 1 & CC_EOIMODE_S) : v;
}

static void ctlr_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    uint32_t *r = &s->cpu[cpu].ctlr, may = 0x1ff | CC_EOIMODE_S | (s->security ? CC_EOIMODE_NS : 0);
    if (ns) { /* bits 0, 5-6, 9 of its own: group 1's enable and bypass, EOImodeNS */
        v = (v & 1) << 1 | (v & 0x60) << 2 | (v & CC_EOIMODE_S) << 1;
        may = CC_GRP1 | 0x180 | CC_EOIMODE_NS;
    }
    *r = (*r & ~may) | (v & may);
    v2_update(s, cpu);
}

static uint32_t pmr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    uint8_t p = s->cpu[cpu].pmr;
    return ns ? (p & 0x80 ? p << 1 & 0xff : 0) : p;
}

static void pmr_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    uint8_t *p = &s->cpu[cpu].pmr;
    if (ns && !(*p & 0x80)) return; /* secure software keeps the upper half for itself */
    *p = (uint8_t)(ns ? (v >> 1 & 0x7f) | 0x80 : v) & 0xf8;
    v2_update(s, cpu);
}

static uint32_t bpr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    const struct v2_cpu *c = &s->cpu[cpu];
    if (!ns) return c->bpr;
    return c->ctlr & CC_CBPR ? MIN(c->bpr + 1u, 7u) : c->abpr;
}

static void bpr_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    struct v2_cpu *c = &s->cpu[cpu];
    if (!ns) c->bpr = (uint8_t)MAX(v & 7, (uint32_t)BPR_MIN);
    else if (!(c->ctlr & CC_CBPR)) c->abpr = (uint8_t)MAX(v & 7, BPR_MIN + 1u);
    v2_update(s, cpu);
}

static uint32_t abpr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    return ns ? 0 : s->cpu[cpu].abpr;
}

static void abpr_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    if (ns) return;
    s->cpu[cpu].abpr = (uint8_t)MAX(v & 7, BPR_MIN + 1u);
    v2_update(s, cpu);
}

static uint32_t rpr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    unsigned p = running(&s->cpu[cpu]);
    return ns ? ns_view(p) : p;
}

static uint32_t hppir(struct gicv2 *s, unsigned cpu, bool ns, bool alias)
{
    struct best b = best_pending(s, cpu);
    unsigned id = may_see(s, &s->cpu[cpu], &b, ns, alias);
    if (id >= 16) return id;
    uint8_t from = s->sgi_src[cpu][id];
    return id | (from ? (uint32_t)__builtin_ctz(from) : 0) << 10;
}

static uint32_t hppir_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    return hppir(s, cpu, ns, false);
}

static uint32_t ahppir_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    return ns ? 0 : hppir(s, cpu, false, true);
}

/* Group 1's active priorities as a non-secure access numbers them: 16 levels from the middle on. */
static uint32_t apr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    const struct v2_cpu *c = &s->cpu[cpu];
    if (off / 4) return 0;
    return ns ? c->apr[1] >> 16 : s->security ? c->apr[0] : c->apr[0] | c->apr[1];
}

static void apr_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    struct v2_cpu *c = &s->cpu[cpu];
    if (off / 4) return;
    if (ns) c->apr[1] = (c->apr[1] & 0xffff) | v << 16;
    else c->apr[0] = s->security ? v : v & ~c->apr[1];
    if (!ns && !s->security) c->apr[1] &= v;
    v2_update(s, cpu);
}

static uint32_t nsapr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    return ns || off / 4 ? 0 : s->cpu[cpu].apr[1];
}

static void nsapr_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    if (ns || off / 4) return;
    s->cpu[cpu].apr[1] = v;
    v2_update(s, cpu);
}

static uint32_t iidr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    return 0x0202143b;
}

static const struct v2_row cpu_rows[] = {
    { 0x00, 0x03, "ctlr", ctlr_read, ctlr_write },
    { 0x04, 0x07, "pmr", pmr_read, pmr_write },
    { 0x08, 0x0b, "bpr", bpr_read, bpr_write },
    { 0x0c, 0x0f, "iar", iar_read, NULL },
    { 0x10, 0x13, "eoir", NULL, eoir_write },
    { 0x14, 0x17, "rpr", rpr_read, NULL },
    { 0x18, 0x1b, "hppir", hppir_read, NULL },
    { 0x1c, 0x1f, "abpr", abpr_read, abpr_write },
    { 0x20, 0x23, "aiar", aiar_read, NULL },
    { 0x24, 0x27, "aeoir", NULL, aeoir_write },
    { 0x28, 0x2b, "ahppir", ahppir_read, NULL },
    { 0xd0, 0xdf, "apr", apr_read, apr_write },
    { 0xe0, 0xef, "nsapr", nsapr_read, nsapr_write },
    { 0xfc, 0xff, "iidr", iidr_read, NULL },
    { 0x1000, 0x1003, "dir", NULL, dir_write },
};

static uint64_t cpu_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    return v2_rows_read(dev, cpu_rows, ARRAY_LEN(cpu_rows), off, size, at);
}

static void cpu_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    v2_rows_write(dev, cpu_rows, ARRAY_LEN(cpu_rows), off, v, size, at);
}

const struct mmio_ops v2_cpu_ops = { .read = cpu_read, .write = cpu_write, .min = 4, .max = 4 };
