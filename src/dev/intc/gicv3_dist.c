/*
 * gicv3_dist.c: GICv3, register frames of the distributor and of the redistributors (Arm IHI 0069, chapters 12.9-12.11). The banked
 * registers of the first 32 interrupts and the distributor's of all others are the same functions.
 */
#include "dev/intc/gicv3.h"

/* Who accesses which word: cpu and word 0 through a redistributor, any other word through the distributor. */
struct at {
    unsigned cpu;
    bool redist, ns;
    uint8_t arg;
};
struct row {
    uint32_t first, last;
    const char *name;
    uint8_t width, arg;
    uint64_t (*read)(struct gicv3 *s, struct at a, unsigned off);
    void (*write)(struct gicv3 *s, struct at a, unsigned off, uint64_t v, uint64_t mask);
};
enum { ARG_CLEAR = 0x80 };

/* Is that word there at this access? */
static bool has_word(const struct gicv3 *s, struct at a, unsigned w)
{
    return a.redist ? !w : w && w < s->num_irq / 32;
}

static uint32_t visible(struct gicv3 *s, struct at a, unsigned w)
{
    return a.ns ? *v3_word(s, V3_GROUP, a.cpu, w) : UINT32_MAX;
}

static bool irq_visible(struct gicv3 *s, struct at a, unsigned irq)
{
    return has_word(s, a, irq / 32) && !(a.ns && !v3_bit(s, V3_GROUP, a.cpu, irq));
}

/* --- bitmaps ----------------------------------------------------------------------------------------------------------------------- */

/* Enable, pending, active: one register sets, another clears. arg: which bitmap, ARG_CLEAR. */
static uint64_t bits_read(struct gicv3 *s, struct at a, unsigned off)
{
    unsigned w = off / 4;
    enum v3_bits k = (enum v3_bits)(a.arg & ~ARG_CLEAR);
    if (!has_word(s, a, w)) return 0;
    uint32_t v = *v3_word(s, k, a.cpu, w);
    if (k == V3_PENDING) v |= *v3_word(s, V3_LEVEL, a.cpu, w) & ~*v3_word(s, V3_EDGE, a.cpu, w);
    return v & visible(s, a, w);
}

static void bits_write(struct gicv3 *s, struct at a, unsigned off, uint64_t v, uint64_t mask)
{
    unsigned w = off / 4;
    if (!has_word(s, a, w)) return;
    uint32_t *p = v3_word(s, (enum v3_bits)(a.arg & ~ARG_CLEAR), a.cpu, w), m = (uint32_t)v & visible(s, a, w);
    *p = a.arg & ARG_CLEAR ? *p & ~m : *p | m;
    v3_update_word(s, a.cpu, w);
}

/* Groups: secure software's, or everybody's with one security state. */
static uint64_t group_read(struct gicv3 *s, struct at a, unsigned off)
{
    unsigned w = off / 4;
    if (!has_word(s, a, w) || a.ns || (a.arg == V3_GRPMOD && v3_one_state(s))) return 0;
    return *v3_word(s, (enum v3_bits)a.arg, a.cpu, w);
}

static void group_write(struct gicv3 *s, struct at a, unsigned off, uint64_t v, uint64_t mask)
{
    unsigned w = off / 4;
    if (!has_word(s, a, w) || a.ns || (a.arg == V3_GRPMOD && v3_one_state(s))) return;
    uint32_t *p = v3_word(s, (enum v3_bits)a.arg, a.cpu, w);
    *p = (*p & ~(uint32_t)mask) | (uint32_t)v;
    v3_update_word(s, a.cpu, w);
}

static uint64_t prio_read(struct gicv3 *s, struct at a, unsigned off)
{
    uint32_t r = 0;
    for (unsigned i = 0; i < 4; i++) {
        if (!irq_visible(s, a, off + i)) continue;
        uint32_t p = *v3_prio(s, a.cpu, off + i);
        r |= (a.ns ? p << 1 & 0xff : p) << i * 8;
    }
    return r;
}

static void prio_write(struct gicv3 *s, struct at a, unsigned off, uint64_t v, uint64_t mask)
{
    for (unsigned i = 0; i < 4; i++) {
        if (!(mask >> i * 8 & 0xff) || !irq_visible(s, a, off + i)) continue;
        uint8_t p = (uint8_t)(v >> i * 8);
        *v3_prio(s, a.cpu, off + i) = (a.ns ? p >> 1 | 0x80 : p) & 0xf8;
    }
    v3_update_word(s, a.cpu, off / 32);
}

static uint64_t cfg_read(struct gicv3 *s, struct at a, unsigned off)
{
    uint32_t r = 0;
    for (unsigned i = 0; i < 16; i++) {
        unsigned irq = off * 4 + i;
        if (irq_visible(s, a, irq) && v3_bit(s, V3_EDGE, a.cpu, irq)) r |= 2u << i * 2;
    }
    return r;
}

static void cfg_write(struct gicv3 *s, struct at a, unsigned off, uint64_t v, uint64_t mask)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned irq = off * 4 + i;
        if (irq >= 16 && irq_visible(s, a, irq) && mask >> i * 2 & 2) v3_put(s, V3_EDGE, a.cpu, irq, v >> i * 2 & 2);
    }
    v3_update_word(s, a.cpu, off * 4 / 32);
}

/* --- the distributor's own ----------------------------------------------------------------------------------------------------------- */

static uint64_t ctlr_read(struct gicv3 *s, struct at a, unsigned off)
{
    if (a.ns) return (s->ctlr & DC_GRP1NS) | DC_ARE_S; /* EnableGrp1A, ARE_NS as this view numbers them */
    return v3_one_state(s) ? s->ctlr & (DC_DS | DC_ARE_S | DC_GRP0 | DC_GRP1NS) : s->ctlr;
}

static void ctlr_write(struct gicv3 *s, struct at a, unsigned off, uint64_t v, uint64_t mask)
{
    uint32_t may = a.ns ? DC_GRP1NS : v3_one_state(s) ? DC_GRP0 | DC_GRP1NS : DC_GRP0 | DC_GRP1NS | DC_GRP1S | DC_DS;
    may &= (uint32_t)mask;
    s->ctlr = (s->ctlr & ~may) | ((uint32_t)v & may);
    if (v3_one_state(s)) s->ctlr &= ~(uint32_t)DC_GRP1S;
    v3_update_all(s);
}

static uint64_t typer_read(struct gicv3 *s, struct at a, unsigned off)
{
    uint64_t bits = s->lpis ? LPI_BITS - 1 : 9;
    return (s->num_irq / 32 - 1) | (uint64_t)!v3_one_state(s) << 10 | 1u << 16 /* MBIS */ | (uint64_t)s->lpis << 17 | bits << 19 |
           1u << 24 /* A3V */ | 1u << 25 /* No1N */;
}

static uint64_t iidr_read(struct gicv3 *s, struct at a, unsigned off) { return 0x43b; }
static uint64_t zero_read(struct gicv3 *s, struct at a, unsigned off) { return 0; }
static void ignore_write(struct gicv3 *s, struct at a, unsigned off, uint64_t v, uint64_t mask) {}

/* SETSPI, CLRSPI: messages for SPIs. arg: 1 sets; +2: the secure register. */
static void spi_write(struct gicv3 *s, struct at a, unsigned off, uint64_t v, uint64_t mask)
{
    unsigned irq = v & 0x3ff;
    if (irq < 32 || irq >= s->num_irq || (a.ns && (a.arg & 2 || !v3_bit(s, V3_GROUP, 0, irq)))) return;
    v3_put(s, V3_PENDING, 0, irq, a.arg & 1);
    if (s->route[irq] != V3_NOBODY) v3_update(s, s->route[irq]);
}

static uint64_t router_read(struct gicv3 *s, struct at a, unsigned off)
{
    unsigned irq = off / 8 + 32;
    return irq_visible(s, a, irq) ? s->router[irq] : 0;
}

static void router_write(struct gicv3 *s, struct at a, unsigned off, uint64_t v, uint64_t mask)
{
    unsigned irq = off / 8 + 32;
    if (!irq_visible(s, a, irq)) return;
    unsigned was = s->route[irq];
    s->router[irq] = ((s->router[irq] & ~mask) | v) & 0xff00ffffffull;
    v3_route(s, irq);
    if (was < s->num_cpu) v3_update(s, was);
    if (s->route[irq] < s->num_cpu) v3_update(s, s->route[irq]);
}

/* Identification: a GICv3 by Arm (PIDR2.ArchRev = 3); arg: the part's low byte. */
static uint64_t id_read(struct gicv3 *s, struct at a, unsigned off)
{
    static const uint8_t id[] = { 0x44, 0, 0, 0, 0, 0xb4, 0x3b, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
    return off / 4 == 4 ? a.arg : id[off / 4 % sizeof id];
}

#define SET_CLEAR(at, len, nm, k)                                                                                                     \
    { (at), (at) + (len) - 1, "is" nm, 4, k, bits_read, bits_write },                                                                 \
    { (at) + 0x80, (at) + 0x80 + (len) - 1, "ic" nm, 4, (k) | ARG_CLEAR, bits_read, bits_write }

static const struct row dist_rows[] = {
    { 0x000, 0x003, "ctlr", 4, 0, ctlr_read, ctlr_write },
    { 0x004, 0x007, "typer", 4, 0, typer_read, NULL },
    { 0x008, 0x00b, "iidr", 4, 0, iidr_read, NULL },
    { 0x00c, 0x00f, "typer2", 4, 0, zero_read, NULL },
    { 0x010, 0x013, "statusr", 4, 0, zero_read, ignore_write },
    { 0x040, 0x043, "setspi_nsr", 4, 1, NULL, spi_write },
    { 0x048, 0x04b, "clrspi_nsr", 4, 0, NULL, spi_write },
    { 0x050, 0x053, "setspi_sr", 4, 3, NULL, spi_write },
    { 0x058, 0x05b, "clrspi_sr", 4, 2, NULL, spi_write },
    { 0x080, 0x0ff, "igroupr", 4, V3_GROUP, group_read, group_write },
    SET_CLEAR(0x100, 0x80, "enabler", V3_ENABLED),
    SET_CLEAR(0x200, 0x80, "pendr", V3_PENDING),
    SET_CLEAR(0x300, 0x80, "activer", V3_ACTIVE),
    { 0x400, 0x7fb, "ipriorityr", 4, 0, prio_read, prio_write },
    { 0x800, 0xbfb, "itargetsr", 4, 0, zero_read, ignore_write },
    { 0xc00, 0xcff, "icfgr", 4, 0, cfg_read, cfg_write },
    { 0xd00, 0xd7f, "igrpmodr", 4, V3_GRPMOD, group_read, group_write },
    { 0xe00, 0xeff, "nsacr", 4, 0, zero_read, ignore_write },
    { 0xf00, 0xf2f, "sgir", 4, 0, zero_read, ignore_write },
    { 0x6100, 0x7fdf, "irouter", 8, 0, router_read, router_write },
    { 0xffd0, 0xffff, "id", 4, 0x92, id_read, NULL },
};

/* --- redistributors ------------------------------------------------------------------------------------------------------------------- */

static uint64_t r_ctlr_read(struct gicv3 *s, struct at a, unsigned off) { return s->cpu[a.cpu]->lpi_on; }
static void r_ctlr_write(struct gicv3 *s, struct at a, unsigned off, uint64_t v, uint64_t mask)
{
    if (mask & 1) v3_lpi_enable(s->cpu[a.cpu], v & 1);
}

static bool last_of_region(const struct gicv3 *s, unsigned cpu)
{
    for (unsigned i = 0; i < V3_REGIONS; i++)
        if (s->region[i].count && cpu == s->region[i].first + s->region[i].count - 1) return true;
    return false;
}

static uint64_t r_typer_read(struct gicv3 *s, struct at a, unsigned off)
{
    return (uint64_t)s->cpu[a.cpu]->affinity << 32 | (uint64_t)a.cpu << 8 | (uint64_t)last_of_region(s, a.cpu) << 4 | (s->lpis ? 1u : 0u);
}

static uint64_t waker_read(struct gicv3 *s, struct at a, unsigned off) { return a.ns ? 0 : s->cpu[a.cpu]->waker; }
static void waker_write(struct gicv3 *s, struct at a, unsigned off, uint64_t v, uint64_t mask)
{
    if (!a.ns && mask & 2) s->cpu[a.cpu]->waker = v & 2 ? 6 : 0; /* ChildrenAsleep follows ProcessorSleep at once */
}

static uint64_t propbase_read(struct gicv3 *s, struct at a, unsigned off) { return s->cpu[a.cpu]->propbase; }
static void propbase_write(struct gicv3 *s, struct at a, unsigned off, uint64_t v, uint64_t mask)
{
    struct v3_cpu *c = s->cpu[a.cpu];
    if (!s->lpis || c->lpi_on) return; /* unpredictable while they are enabled: ignored */
    c->propbase = ((c->propbase & ~mask) | v) & 0x070ffffffffff79full;
    if ((c->propbase & 31) > LPI_BITS - 1) c->propbase = (c->propbase & ~31ull) | (LPI_BITS - 1);
}

static uint64_t pendbase_read(struct gicv3 *s, struct at a, unsigned off) { return s->cpu[a.cpu]->pendbase & ~(1ull << 62); }
static void pendbase_write(struct gicv3 *s, struct at a, unsigned off, uint64_t v, uint64_t mask)
{
    struct v3_cpu *c = s->cpu[a.cpu];
    if (!s->lpis || c->lpi_on) return;
    c->pendbase = ((c->pendbase & ~mask) | v) & 0x470fffffffff0f80ull;
}

static const struct row redist_rows[] = {
    { 0x0000, 0x0003, "ctlr", 4, 0, r_ctlr_read, r_ctlr_write },
    { 0x0004, 0x0007, "iidr", 4, 0, iidr_read, NULL },
    { 0x0008, 0x000f, "typer", 8, 0, r_typer_read, NULL },
    { 0x0010, 0x0013, "statusr", 4, 0, zero_read, ignore_write },
    { 0x0014, 0x0017, "waker", 4, 0, waker_read, waker_write },
    { 0x0070, 0x0077, "propbaser", 8, 0, propbase_read, propbase_write },
    { 0x0078, 0x007f, "pendbaser", 8, 0, pendbase_read, pendbase_write },
    { 0x00c0, 0x00c3, "syncr", 4, 0, zero_read, NULL },
    { 0xffd0, 0xffff, "id", 4, 0x93, id_read, NULL },
    { 0x10080, 0x10083, "igroupr0", 4, V3_GROUP, group_read, group_write },
    SET_CLEAR(0x10100, 4, "enabler0", V3_ENABLED),
    SET_CLEAR(0x10200, 4, "pendr0", V3_PENDING),
    SET_CLEAR(0x10300, 4, "activer0", V3_ACTIVE),
    { 0x10400, 0x1041f, "ipriorityr", 4, 0, prio_read, prio_write },
    { 0x10c00, 0x10c07, "icfgr", 4, 0, cfg_read, cfg_write },
    { 0x10d00, 0x10d03, "igrpmodr0", 4, V3_GRPMOD, group_read, group_write },
    { 0x10e00, 0x10e03, "nsacr", 4, 0, zero_read, ignore_write },
};

/* --- dispatch --------------------------------------------------------------------------------------------------------------------------- */

static const struct row *row_find(const struct row *rows, unsigned n, uint64_t off)
{
    for (unsigned i = 0; i < n; i++)
        if (off >= rows[i].first && off <= rows[i].last) return &rows[i];
    return NULL;
}

/* An access inside of one register; 8 bytes of two 4-byte ones are two accesses. */
static uint64_t rows_read(struct gicv3 *s, const struct row *rows, unsigned n, struct at a, uint64_t off, unsigned size)
{
    const struct row *r = row_find(rows, n, off);
    if (!r || !r->read) {
        dev_guest_error(&s->dev, false, "read of GIC offset 0x%x", (unsigned)off);
        return 0;
    }
    if (size > r->width) return rows_read(s, rows, n, a, off, 4) | rows_read(s, rows, n, a, off + 4, 4) << 32;
    uint64_t reg = off & ~(uint64_t)(r->width - 1u);
    a.arg = r->arg;
    return r->read(s, a, (unsigned)reg - r->first) >> (off - reg) * 8 & bits_mask(size * 8);
}

static void rows_write(struct gicv3 *s, const struct row *rows, unsigned n, struct at a, uint64_t off, uint64_t v, unsigned size)
{
    const struct row *r = row_find(rows, n, off);
    if (!r || !r->write) {
        dev_guest_error(&s->dev, false, "write of GIC offset 0x%x", (unsigned)off);
        return;
    }
    if (size > r->width) {
        rows_write(s, rows, n, a, off, v & 0xffffffff, 4);
        rows_write(s, rows, n, a, off + 4, v >> 32, 4);
        return;
    }
    uint64_t reg = off & ~(uint64_t)(r->width - 1u), shift = (off - reg) * 8, mask = bits_mask(size * 8) << shift;
    a.arg = r->arg;
    r->write(s, a, (unsigned)reg - r->first, v << shift & mask, mask);
}

static bool non_secure(const struct gicv3 *s, struct mem_attr at)
{
    return !v3_one_state(s) && !at.secure;
}

static uint64_t dist_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    struct gicv3 *s = dev;
    pthread_mutex_lock(&s->lock);
    uint64_t v = rows_read(s, dist_rows, ARRAY_LEN(dist_rows), (struct at){ .ns = non_secure(s, at) }, off, size);
    pthread_mutex_unlock(&s->lock);
    return v;
}

static void dist_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    struct gicv3 *s = dev;
    pthread_mutex_lock(&s->lock);
    rows_write(s, dist_rows, ARRAY_LEN(dist_rows), (struct at){ .ns = non_secure(s, at) }, off, v, size);
    pthread_mutex_unlock(&s->lock);
}

const struct mmio_ops v3_dist_ops = { .read = dist_read, .write = dist_write, .min = 1, .max = 8 };

static uint64_t redist_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    struct v3_region *r = dev;
    struct gicv3 *s = r->gic;
    unsigned cpu = r->first + (unsigned)(off >> 17);
    if (cpu >= s->num_cpu) return 0;
    pthread_mutex_lock(&s->lock);
    struct at a = { .cpu = cpu, .redist = true, .ns = non_secure(s, at) };
    uint64_t v = rows_read(s, redist_rows, ARRAY_LEN(redist_rows), a, off & 0x1ffff, size);
    pthread_mutex_unlock(&s->lock);
    return v;
}

static void redist_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    struct v3_region *r = dev;
    struct gicv3 *s = r->gic;
    unsigned cpu = r->first + (unsigned)(off >> 17);
    if (cpu >= s->num_cpu) return;
    pthread_mutex_lock(&s->lock);
    struct at a = { .cpu = cpu, .redist = true, .ns = non_secure(s, at) };
    rows_write(s, redist_rows, ARRAY_LEN(redist_rows), a, off & 0x1ffff, v, size);
    pthread_mutex_unlock(&s->lock);
}

const struct mmio_ops v3_redist_ops = { .read = redist_read, .write = redist_write, .min = 1, .max = 8 };
