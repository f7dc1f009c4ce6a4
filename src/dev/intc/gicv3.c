/*
 * gicv3.c: Arm Generic Interrupt Controller version 3 (Arm IHI 0069): the device, and which interrupt is the next of a CPU. Affinity
 * routing is always on (ARE bits read as one), 5 bits of priority, 16 bits of interrupt numbers with LPIs.
 *
 * Gaps: extended SPI and PPI ranges (3.1), 1-of-N routing (GICD_TYPER.No1N says so), GICD_NSACR and GICR_NSACR, MPAM, NMIs (3.3),
 * direct virtual LPIs (4.x).
 */
#include <stdio.h>
#include "dev/intc/gicv3.h"

/* --- what pends for whom ------------------------------------------------------------------------------------------------------ */

enum v3_group v3_group_of(struct gicv3 *s, unsigned cpu, unsigned irq)
{
    if (irq >= LPI_FIRST || v3_bit(s, V3_GROUP, cpu, irq)) return G1NS;
    return !v3_one_state(s) && v3_bit(s, V3_GRPMOD, cpu, irq) ? G1S : G0;
}

/* Bits of word w whose group both the distributor and the CPU's interface let through. */
static uint32_t forwarded(struct gicv3 *s, const struct v3_cpu *c, unsigned w)
{
    uint32_t g = *v3_word(s, V3_GROUP, c->index, w), m = v3_one_state(s) ? 0 : *v3_word(s, V3_GRPMOD, c->index, w);
    return (s->ctlr & DC_GRP0 && c->grpen[G0] ? ~g & ~m : 0) | (s->ctlr & DC_GRP1S && c->grpen[G1S] ? ~g & m : 0) |
           (s->ctlr & DC_GRP1NS && c->grpen[G1NS] ? g : 0);
}

static void best_of_word(struct gicv3 *s, const struct v3_cpu *c, unsigned w, struct v3_best *b)
{
    uint32_t p = (*v3_word(s, V3_PENDING, c->index, w) | (*v3_word(s, V3_LEVEL, c->index, w) & ~*v3_word(s, V3_EDGE, c->index, w))) &
                 *v3_word(s, V3_ENABLED, c->index, w) & ~*v3_word(s, V3_ACTIVE, c->index, w);
    if (!p) return;
    for (p &= forwarded(s, c, w); p; p &= p - 1) {
        unsigned irq = w * 32 + (unsigned)__builtin_ctz(p);
        if (w && s->route[irq] != c->index) continue;
        uint8_t prio = *v3_prio(s, c->index, irq);
        if (prio < b->prio) *b = (struct v3_best){ irq, prio, (uint8_t)v3_group_of(s, c->index, irq) };
    }
}

void v3_update(struct gicv3 *s, unsigned cpu)
{
    struct v3_cpu *c = s->cpu[cpu];
    struct v3_best b = { GIC_SPURIOUS, 0xff, 0 };
    for (unsigned w = 0; w < s->num_irq / 32; w++) best_of_word(s, c, w, &b);
    if (c->lpi_best.prio < b.prio && s->ctlr & DC_GRP1NS && c->grpen[G1NS]) b = c->lpi_best;
    c->best = b;
    v3_signal(c);
}

void v3_update_all(struct gicv3 *s)
{
    for (unsigned i = 0; i < s->num_cpu; i++) v3_update(s, i);
}

void v3_update_word(struct gicv3 *s, unsigned cpu, unsigned w)
{
    if (w) v3_update_all(s);
    else v3_update(s, cpu);
}

/* An SPI changed: its target only. */
static void update_irq(struct gicv3 *s, unsigned cpu, unsigned irq)
{
    if (irq >= 32) cpu = s->route[irq];
    if (cpu < s->num_cpu) v3_update(s, cpu);
}

void v3_set_level(struct gicv3 *s, unsigned cpu, unsigned irq, bool level)
{
    if (v3_bit(s, V3_LEVEL, cpu, irq) == level) return;
    v3_put(s, V3_LEVEL, cpu, irq, level);
    if (v3_bit(s, V3_EDGE, cpu, irq)) {
        if (!level) return; /* a falling edge is nothing */
        v3_put(s, V3_PENDING, cpu, irq, true);
    }
    update_irq(s, cpu, irq);
}

void v3_deactivate(struct gicv3 *s, unsigned cpu, unsigned irq)
{
    if (irq >= s->num_irq) return;
    v3_put(s, V3_ACTIVE, cpu, irq, false);
    update_irq(s, cpu, irq);
}

int v3_find_affinity(const struct gicv3 *s, uint32_t aff)
{
    if (s->num_cpu && s->cpu[aff % s->num_cpu]->affinity == aff) return (int)(aff % s->num_cpu); /* small machines: at once */
    for (unsigned i = 0; i < s->num_cpu; i++)
        if (s->cpu[i]->affinity == aff) return (int)i;
    return -1;
}

void v3_route(struct gicv3 *s, unsigned irq)
{
    uint64_t r = s->router[irq];
    int cpu = v3_find_affinity(s, (uint32_t)(r & 0xffffff) | (uint32_t)(r >> 32 & 0xff) << 24);
    s->route[irq] = cpu < 0 ? V3_NOBODY : (uint16_t)cpu;
}

extern const struct device gicv3_cpu_device;

/* --- life ----------------------------------------------------------------------------------------------------------------------- */

void v3_tell(struct v3_cpu *c, enum gic_line line, bool level)
{
    uint8_t m = (uint8_t)(1u << line);
    if (!(c->out & m) == !level) return;
    c->out = level ? c->out | m : c->out & (uint8_t)~m;
    if (c->set) c->set(c->set_ctx, line, level);
}

void gicv3_attach(struct dev *gic, unsigned n, uint32_t affinity, gic_set_line *set, void *ctx)
{
    struct gicv3 *s = (struct gicv3 *)gic;
    if (n >= s->num_cpu) return;
    s->cpu[n]->affinity = affinity;
    s->cpu[n]->set = set;
    s->cpu[n]->set_ctx = ctx;
    for (unsigned i = 32; i < s->num_irq; i++) v3_route(s, i);
}

static void gicv3_input(void *dev, unsigned n, bool level)
{
    struct gicv3 *s = dev;
    unsigned spis = s->num_irq - 32;
    pthread_mutex_lock(&s->lock);
    if (n < spis) v3_set_level(s, 0, n + 32, level);
    else if ((n - spis) / 32 < s->num_cpu && (n - spis) % 32 >= 16) v3_set_level(s, (n - spis) / 32, (n - spis) % 32, level);
    pthread_mutex_unlock(&s->lock);
}

static void gicv3_reset(void *dev)
{
    struct gicv3 *s = dev;
    pthread_mutex_lock(&s->lock);
    s->ctlr = DC_ARE_S | DC_ARE_NS | (s->security ? 0 : DC_DS);
    for (unsigned k = 0; k < V3_BITS; k++) {
        if (k == V3_LEVEL) continue;
        uint32_t v = k == V3_GROUP && s->reset_ns ? UINT32_MAX : 0;
        for (unsigned w = 0; w < V3_WORDS; w++) s->spi[k][w] = v;
        for (unsigned i = 0; i < s->num_cpu; i++) s->cpu[i]->ppi[k] = k == V3_EDGE ? 0xffff : v;
    }
    memset(s->prio, 0, sizeof s->prio);
    memset(s->router, 0, sizeof s->router);
    for (unsigned i = 32; i < s->num_irq; i++) v3_route(s, i);
    s->lpi_end = 0;
    memset(s->lpi_enabled, 0, sizeof s->lpi_enabled);
    for (unsigned i = 0; i < s->num_cpu; i++) {
        struct v3_cpu *c = s->cpu[i];
        memset(c->prio, 0, sizeof c->prio);
        c->waker = 6;
        c->propbase = c->pendbase = 0;
        c->lpi_on = false;
        if (c->lpi_pend) memset(c->lpi_pend, 0, LPI_END / 8);
        memset(c->lpi_some, 0, sizeof c->lpi_some);
        c->lpi_best = (struct v3_best){ GIC_SPURIOUS, 0xff, 0 };
        v3_cpu_reset(c);
        v3_virt_reset(c);
    }
    v3_update_all(s);
    pthread_mutex_unlock(&s->lock);
}

static unsigned gicv3_fdt_irq(const void *dev, unsigned n, uint32_t cells[4])
{
    return gic_fdt_irq(((const struct gicv3 *)dev)->num_irq - 32, n, cells);
}

static int new_cpu(struct gicv3 *s, unsigned i, struct err *e)
{
    char id[80];
    snprintf(id, sizeof id, "%s-cpu%u", s->dev.id ? s->dev.id : "gic", i);
    struct dev *d = dev_new(s->dev.board, &gicv3_cpu_device, id, e);
    if (!d) return -EINVAL;
    struct v3_cpu *c = s->cpu[i] = (struct v3_cpu *)d;
    c->gic = s;
    c->index = i;
    c->affinity = (i / 16) << 8 | i % 16;
    c->lpi_bytes = s->lpis ? LPI_END / 8 : 0;
    if (s->lpis) c->lpi_pend = dev_alloc(d, LPI_END / 8);
    return dev_realize(d, NULL, e);
}

static int gicv3_init(void *dev, struct err *e)
{
    struct gicv3 *s = dev;
    if (s->num_irq % 32) return err_set(e, EINVAL, "arm-gicv3: num-irq must be a multiple of 32, not %u", s->num_irq);
    pthread_mutex_init(&s->lock, NULL);
    s->lpi_bytes = s->lpis ? LPI_END : 0;
    if (s->lpis) s->lpi_cfg = dev_alloc(&s->dev, LPI_END);
    s->cpu = dev_alloc(&s->dev, s->num_cpu * sizeof *s->cpu);
    for (unsigned i = 0; i < s->num_cpu; i++) {
        int r = new_cpu(s, i, e);
        if (r) return r;
    }
    s->dev.ninputs = s->num_irq - 32 + s->num_cpu * 32;
    unsigned first = 0;
    for (unsigned i = 0; i < V3_REGIONS; i++) {
        struct v3_region *r = &s->region[i];
        r->gic = s;
        r->first = first;
        r->count = MIN(r->count, s->num_cpu - first);
        first += r->count;
        if (!r->count || !r->addr) continue;
        if (!space_map_mmio(s->dev.board->space, "gicv3-redist", r->addr, (uint64_t)r->count << 17, &v3_redist_ops, r, 0))
            return err_set(e, ENOMEM, "arm-gicv3: no window for redistributors");
    }
    if (first < s->num_cpu) return err_set(e, EINVAL, "arm-gicv3: room for %u redistributors, but there are %u CPUs", first, s->num_cpu);
    return 0;
}

static void gicv3_exit(void *dev)
{
    struct gicv3 *s = dev;
    pthread_mutex_destroy(&s->lock);
}

/* Further ranges after the distributor's: redistributors. */
static void gicv3_fdt(void *dev, struct fdt_node *n)
{
    struct gicv3 *s = dev;
    uint32_t regions = 0;
    for (unsigned i = 0; i < V3_REGIONS; i++) {
        if (!s->region[i].count) continue;
        fdt_add_reg(n, s->region[i].addr, (uint64_t)s->region[i].count << 17);
        regions++;
    }
    fdt_set_u32(n, "#redistributor-regions", regions);
    gic_fdt(n);
}

/* The GIC comes before its CPUs: they find its state when theirs is loaded. */
static int gicv3_loaded(void *dev, struct err *e)
{
    struct gicv3 *s = dev;
    if (s->lpi_end && (s->lpi_end < 2 * LPI_FIRST || s->lpi_end > s->lpi_bytes)) return err_set(e, EINVAL, "arm-gicv3: end of LPIs %u", s->lpi_end);
    s->ctlr = (s->ctlr & (DC_GRP0 | DC_GRP1NS | DC_GRP1S | DC_DS)) | DC_ARE_S | DC_ARE_NS | (s->security ? 0 : DC_DS);
    for (unsigned i = 32; i < s->num_irq; i++) {
        s->prio[i] &= 0xf8;
        v3_route(s, i);
    }
    v3_lpi_config_loaded(s);
    return 0;
}

static int gicv3_cpu_init(void *dev, struct err *e)
{
    return ((struct v3_cpu *)dev)->gic ? 0 : err_set(e, EINVAL, "arm-gicv3-cpu: a GICv3 makes its own");
}

static int gicv3_cpu_loaded(void *dev, struct err *e)
{
    struct v3_cpu *c = dev;
    pthread_mutex_lock(&c->gic->lock);
    for (unsigned i = 0; i < 32; i++) c->prio[i] &= 0xf8;
    c->pmr &= 0xf8;
    c->virt.pmr &= 0xf8;
    c->lpi_on &= c->lpi_pend && c->gic->lpi_end;
    v3_lpi_loaded(c);
    v3_update(c->gic, c->index);
    v3_update_virt(c);
    pthread_mutex_unlock(&c->gic->lock);
    return 0;
}

#define STATE_FLAT(m, n) { .name = #m, .type = STATE_T_INT, .field = offsetof(SELF, m), .size = n, .count = sizeof(((SELF *)0)->m) / (n) }
#define STATE_BLOB(m, len) { .name = #m, .type = STATE_T_BLOB, .field = offsetof(SELF, m), .len_field = offsetof(SELF, len) }

#define SELF struct v3_cpu
const struct device gicv3_cpu_device = {
    .name = "arm-gicv3-cpu", .help = "a CPU's part of a GICv3", .category = "Misc devices", .size = sizeof(struct v3_cpu), .init = gicv3_cpu_init, .loaded = gicv3_cpu_loaded,
    STATE(STATE_FLAT(ppi, 4), STATE_ARRAY(prio), STATE_RANGE(lpi_on, 0, 1), STATE_INT(waker), STATE_INT(propbase), STATE_INT(pendbase),
          STATE_BLOB(lpi_pend, lpi_bytes), STATE_INT(pmr), { .name = "bpr", .type = STATE_T_INT, .field = offsetof(SELF, bpr), .size = 1,
          .count = V3_GROUPS, .min = 2, .max = 7 }, { .name = "grpen", .type = STATE_T_INT, .field = offsetof(SELF, grpen), .size = 1,
          .count = V3_GROUPS, .max = 1 }, STATE_ARRAY(apr), STATE_ARRAY(ctlr), STATE_INT(ctlr_el3), STATE_RANGE(now_secure, 0, 1), STATE_RANGE(now_el3, 0, 1),
          STATE_INT(virt.hcr), STATE_INT(virt.eisr), STATE_ARRAY(virt.apr), STATE_ARRAY(virt.lr), STATE_INT(virt.pmr), STATE_RANGE(virt.bpr[0], 2, 7),
          STATE_RANGE(virt.bpr[1], 3, 7), STATE_RANGE(virt.en[0], 0, 1), STATE_RANGE(virt.en[1], 0, 1), STATE_RANGE(virt.cbpr, 0, 1),
          STATE_RANGE(virt.eoimode, 0, 1)),
};
#undef SELF

#define SELF struct gicv3
const struct device gicv3_device = {
    .name = "arm-gicv3", .help = "Arm Generic Interrupt Controller version 3", .category = "Misc devices", .dt = "arm,gic-v3",
    .size = sizeof(struct gicv3), .window = 0x10000, .ops = &v3_dist_ops, .inputs = UINT32_MAX, .input = gicv3_input,
    PROPS({ .name = "num-irq", .type = PROP_T_U32, .field = offsetof(SELF, num_irq), .def = 288, .min = 64, .max = 992 },
          { .name = "num-cpu", .type = PROP_T_U32, .field = offsetof(SELF, num_cpu), .def = 1, .min = 1, .max = V3_CPUS },
          PROP_BOOL("has-security-extensions", security, false), PROP_BOOL("has-lpi", lpis, false), PROP_BOOL("reset-nonsecure", reset_ns, false),
          PROP_U64("redist-addr", region[0].addr, 0), PROP_U32("redist-count", region[0].count, V3_CPUS),
          PROP_U64("redist-addr2", region[1].addr, 0), PROP_U32("redist-count2", region[1].count, 0)),
    STATE(STATE_INT(ctlr), STATE_FLAT(spi, 4), STATE_ARRAY(prio), STATE_ARRAY(router), STATE_INT(lpi_base), STATE_INT(lpi_end),
          STATE_BLOB(lpi_cfg, lpi_bytes)),
    .init = gicv3_init, .reset = gicv3_reset, .loaded = gicv3_loaded, .exit = gicv3_exit, .fdt_irq = gicv3_fdt_irq, .fdt = gicv3_fdt,
};
