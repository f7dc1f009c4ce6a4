/*
 * gicv2.c: Arm Generic Interrupt Controller version 2, the distributor (Arm IHI 0048B, chapter 4.3). Modelled on the GIC-400: 5 bits
 * of priority, up to 8 CPUs and 1020 interrupts. CPU interfaces: gicv2_cpu.c; virtualization extensions: gicv2_virt.c.
 *
 * Gaps: GICD_NSACR is read-as-zero; power management bits are not there.
 */
#include "dev/intc/gicv2.h"

/* --- which accesses see what ------------------------------------------------------------------------------------------- */

/* Bits of a word that a non-secure access sees: group 1. */
static uint32_t visible(struct gicv2 *s, unsigned cpu, unsigned w, bool ns)
{
    return ns ? *v2_word(s, V2_GROUP, cpu, w) : UINT32_MAX;
}

static bool in_range(const struct gicv2 *s, unsigned irq)
{
    return irq < s->num_irq;
}

/* --- registers ------------------------------------------------------------------------------------------------------------ */

static uint32_t ctlr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    return ns ? s->ctlr >> 1 : s->ctlr;
}

static void ctlr_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    if (!(mask & 0xff)) return;
    s->ctlr = ns ? (s->ctlr & 1) | (v & 1) << 1 : v & 3;
    v2_update_all(s);
}

static uint32_t typer_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    return ((s->num_irq + 31) / 32 - 1) | (s->num_cpu - 1) << 5 | (uint32_t)s->security << 10;
}

static uint32_t iidr_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    return 0x0200143b;
}

static uint32_t group_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    return ns ? 0 : *v2_word(s, V2_GROUP, cpu, off / 4);
}

static void group_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    if (ns || !in_range(s, off * 8)) return;
    uint32_t *w = v2_word(s, V2_GROUP, cpu, off / 4);
    *w = (*w & ~mask) | (v & mask);
    v2_update_all(s);
}

static uint32_t enable_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    unsigned w = off % 0x80 / 4;
    return *v2_word(s, V2_ENABLED, cpu, w) & visible(s, cpu, w, ns);
}

static void enable_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    unsigned w = off % 0x80 / 4;
    v &= mask & visible(s, cpu, w, ns);
    if (!in_range(s, w * 32)) return;
    if (off < 0x80) *v2_word(s, V2_ENABLED, cpu, w) |= v;
    else *v2_word(s, V2_ENABLED, cpu, w) &= ~v | (w ? 0 : 0xffff); /* SGIs are always enabled */
    v2_update_all(s);
}

static uint32_t pending_word(struct gicv2 *s, unsigned cpu, unsigned w)
{
    return *v2_word(s, V2_PENDING, cpu, w) | (*v2_word(s, V2_LEVEL, cpu, w) & ~*v2_word(s, V2_EDGE, cpu, w));
}

static uint32_t pend_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    unsigned w = off % 0x80 / 4;
    return pending_word(s, cpu, w) & visible(s, cpu, w, ns);
}

static void pend_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    unsigned w = off % 0x80 / 4;
    v &= mask & visible(s, cpu, w, ns) & (w ? UINT32_MAX : 0xffff0000); /* SGIs have registers of their own */
    if (!in_range(s, w * 32)) return;
    if (off < 0x80) *v2_word(s, V2_PENDING, cpu, w) |= v;
    else *v2_word(s, V2_PENDING, cpu, w) &= ~v;
    v2_update_all(s);
}

static uint32_t active_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    unsigned w = off % 0x80 / 4;
    return *v2_word(s, V2_ACTIVE, cpu, w) & visible(s, cpu, w, ns);
}

static void active_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    unsigned w = off % 0x80 / 4;
    v &= mask & visible(s, cpu, w, ns);
    if (!in_range(s, w * 32)) return;
    if (off < 0x80) *v2_word(s, V2_ACTIVE, cpu, w) |= v;
    else *v2_word(s, V2_ACTIVE, cpu, w) &= ~v;
    v2_update_all(s);
}

static uint32_t prio_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    uint32_t r = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned irq = off + i;
        if (!in_range(s, irq) || (ns && !v2_bit(s, V2_GROUP, cpu, irq))) continue;
        uint32_t p = *v2_prio(s, cpu, irq);
        r |= (ns ? p << 1 & 0xff : p) << i * 8;
    }
    return r;
}

static void prio_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned irq = off + i;
        if (!(mask >> i * 8 & 0xff) || !in_range(s, irq) || (ns && !v2_bit(s, V2_GROUP, cpu, irq))) continue;
        uint8_t p = (uint8_t)(v >> i * 8);
        *v2_prio(s, cpu, irq) = (ns ? p >> 1 | 0x80 : p) & 0xf8;
    }
    v2_update_all(s);
}

static uint32_t target_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    uint32_t r = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned irq = off + i;
        if (!in_range(s, irq) || (ns && !v2_bit(s, V2_GROUP, cpu, irq))) continue;
        uint32_t t = s->num_cpu == 1 ? 0 : irq < 32 ? 1u << cpu : s->target[irq]; /* RAZ where there is no choice */
        r |= t << i * 8;
    }
    return r;
}

static void target_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    if (s->num_cpu == 1) return;
    for (unsigned i = 0; i < 4; i++) {
        unsigned irq = off + i;
        if (!(mask >> i * 8 & 0xff) || irq < 32 || !in_range(s, irq) || (ns && !v2_bit(s, V2_GROUP, cpu, irq))) continue;
        s->target[irq] = (uint8_t)(v >> i * 8 & ((1u << s->num_cpu) - 1));
    }
    v2_update_all(s);
}

/* Two bits an interrupt, the upper one says edge. SGIs are edges for ever. */
static uint32_t cfg_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    uint32_t r = 0;
    for (unsigned i = 0; i < 16; i++) {
        unsigned irq = off * 4 + i;
        if (in_range(s, irq) && v2_bit(s, V2_EDGE, cpu, irq) && !(ns && !v2_bit(s, V2_GROUP, cpu, irq))) r |= 2u << i * 2;
    }
    return r;
}

static void cfg_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned irq = off * 4 + i;
        if (irq < 32 || !in_range(s, irq) || !(mask >> i * 2 & 2) || (ns && !v2_bit(s, V2_GROUP, cpu, irq))) continue;
        v2_put(s, V2_EDGE, cpu, irq, v >> i * 2 & 2);
    }
    v2_update_all(s);
}

static void sgi_pend(struct gicv2 *s, unsigned to, unsigned from, unsigned irq, bool on)
{
    uint8_t *src = &s->sgi_src[to][irq], m = (uint8_t)(1u << from);
    *src = on ? *src | m : *src & (uint8_t)~m;
    v2_put(s, V2_PENDING, to, irq, *src);
    v2_update(s, to);
}

static void sgir_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    if (mask != UINT32_MAX) return;
    unsigned irq = v & 15, all = (1u << s->num_cpu) - 1, to;
    switch (v >> 24 & 3) {
    case 0: to = v >> 16 & all; break;
    case 1: to = all & ~(1u << cpu); break;
    case 2: to = 1u << cpu; break;
    default: return;
    }
    for (unsigned i = 0; i < s->num_cpu; i++) {
        if (!(to >> i & 1)) continue;
        /* NSATT: a secure write chooses whom it means; a non-secure one means group 1 only. */
        bool grp1 = v2_bit(s, V2_GROUP, i, irq);
        if (s->security && (ns ? !grp1 : grp1 != (v >> 15 & 1))) continue;
        sgi_pend(s, i, cpu, irq, true);
    }
}

static uint32_t sgipend_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    uint32_t r = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned irq = off % 16 + i;
        if (!(ns && !v2_bit(s, V2_GROUP, cpu, irq))) r |= (uint32_t)s->sgi_src[cpu][irq] << i * 8;
    }
    return r;
}

static void sgipend_write(struct gicv2 *s, unsigned cpu, unsigned off, uint32_t v, uint32_t mask, bool ns)
{
    v &= mask;
    for (unsigned i = 0; i < 4; i++) {
        unsigned irq = off % 16 + i, m = v >> i * 8 & 0xff;
        if (ns && !v2_bit(s, V2_GROUP, cpu, irq)) continue;
        for (unsigned from = 0; from < s->num_cpu; from++)
            if (m >> from & 1) sgi_pend(s, cpu, from, irq, off >= 16);
    }
}

/* Lines as they are now (GIC-400: GICD_PPISR, GICD_SPISR). */
static uint32_t lines_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    unsigned w = off / 4;
    return *v2_word(s, V2_LEVEL, cpu, w) & visible(s, cpu, w, ns);
}

static uint32_t id_read(struct gicv2 *s, unsigned cpu, unsigned off, bool ns)
{
    static const uint8_t id[] = { 0x04, 0, 0, 0, 0x90, 0xb4, 0x2b, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
    return off / 4 < sizeof id ? id[off / 4] : 0;
}

static const struct v2_row dist_rows[] = {
    { 0x000, 0x003, "ctlr", ctlr_read, ctlr_write },
    { 0x004, 0x007, "typer", typer_read, NULL },
    { 0x008, 0x00b, "iidr", iidr_read, NULL },
    { 0x080, 0x0ff, "igroupr", group_read, group_write },
    { 0x100, 0x1ff, "isenabler", enable_read, enable_write },
    { 0x200, 0x2ff, "ispendr", pend_read, pend_write },
    { 0x300, 0x3ff, "isactiver", active_read, active_write },
    { 0x400, 0x7fb, "ipriorityr", prio_read, prio_write },
    { 0x800, 0xbfb, "itargetsr", target_read, target_write },
    { 0xc00, 0xcff, "icfgr", cfg_read, cfg_write },
    { 0xd00, 0xd7f, "spisr", lines_read, NULL },
    { 0xf00, 0xf03, "sgir", NULL, sgir_write },
    { 0xf10, 0xf2f, "spendsgir", sgipend_read, sgipend_write },
    { 0xfd0, 0xfff, "id", id_read, NULL },
};

/* --- dispatch --------------------------------------------------------------------------------------------------------------- */

static const struct v2_row *row_find(const struct v2_row *rows, unsigned n, uint64_t off)
{
    for (unsigned i = 0; i < n; i++)
        if (off >= rows[i].first && off <= rows[i].last) return &rows[i];
    return NULL;
}

static unsigned cpu_of(const struct gicv2 *s, struct mem_attr at)
{
    return at.cpu && at.requester < s->num_cpu ? at.requester : 0;
}

uint64_t v2_rows_read(struct gicv2 *s, const struct v2_row *rows, unsigned n, uint64_t off, unsigned size, struct mem_attr at)
{
    const struct v2_row *r = row_find(rows, n, off);
    if (!r || !r->read) {
        dev_guest_error(&s->dev, false, "read of GIC offset 0x%x", (unsigned)off);
        return 0;
    }
    unsigned shift = off % 4 * 8;
    pthread_mutex_lock(&s->lock);
    uint64_t v = r->read(s, cpu_of(s, at), (unsigned)(off & ~3ull) - r->first, s->security && !at.secure) >> shift & bits_mask(size * 8);
    pthread_mutex_unlock(&s->lock);
    return v;
}

void v2_rows_write(struct gicv2 *s, const struct v2_row *rows, unsigned n, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    const struct v2_row *r = row_find(rows, n, off);
    if (!r || !r->write) {
        dev_guest_error(&s->dev, false, "write of GIC offset 0x%x", (unsigned)off);
        return;
    }
    unsigned shift = off % 4 * 8;
    uint32_t mask = (uint32_t)(bits_mask(size * 8) << shift);
    pthread_mutex_lock(&s->lock);
    r->write(s, cpu_of(s, at), (unsigned)(off & ~3ull) - r->first, (uint32_t)(v << shift) & mask, mask, s->security && !at.secure);
    pthread_mutex_unlock(&s->lock);
}

static uint64_t dist_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    return v2_rows_read(dev, dist_rows, ARRAY_LEN(dist_rows), off, size, at);
}

static void dist_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    v2_rows_write(dev, dist_rows, ARRAY_LEN(dist_rows), off, v, size, at);
}

static const struct mmio_ops dist_ops = { .read = dist_read, .write = dist_write, .min = 1, .max = 4 };

/* --- lines in ---------------------------------------------------------------------------------------------------------------- */

static void set_level(struct gicv2 *s, unsigned cpu, unsigned irq, bool level)
{
    bool was = v2_bit(s, V2_LEVEL, cpu, irq);
    if (was == level) return;
    v2_put(s, V2_LEVEL, cpu, irq, level);
    if (level && v2_bit(s, V2_EDGE, cpu, irq)) v2_put(s, V2_PENDING, cpu, irq, true);
    if (irq < 32) v2_update(s, cpu);
    else v2_update_all(s);
}

void v2_set_ppi(struct gicv2 *s, unsigned cpu, unsigned ppi, bool level)
{
    set_level(s, cpu, ppi, level);
}

static void gicv2_input(void *dev, unsigned n, bool level)
{
    struct gicv2 *s = dev;
    unsigned spis = s->num_irq - 32;
    pthread_mutex_lock(&s->lock);
    if (n < spis) set_level(s, 0, n + 32, level);
    else if ((n - spis) / 32 < s->num_cpu && (n - spis) % 32 >= 16) set_level(s, (n - spis) / 32, (n - spis) % 32, level);
    pthread_mutex_unlock(&s->lock);
}

void v2_deactivate(struct gicv2 *s, unsigned cpu, unsigned irq)
{
    if (!in_range(s, irq)) return;
    v2_put(s, V2_ACTIVE, cpu, irq, false);
    if (irq < 32) v2_update(s, cpu);
    else v2_update_all(s);
}

/* --- life ---------------------------------------------------------------------------------------------------------------------- */

void gicv2_attach(struct dev *gic, unsigned n, gic_set_line *set, void *ctx)
{
    struct gicv2 *s = (struct gicv2 *)gic;
    if (n < V2_CPUS) s->line[n] = (struct v2_line){ set, ctx };
}

void v2_tell(struct gicv2 *s, unsigned cpu, enum gic_line line, bool level)
{
    uint8_t m = (uint8_t)(1u << line);
    if (!(s->out[cpu] & m) == !level) return;
    s->out[cpu] = level ? s->out[cpu] | m : s->out[cpu] & (uint8_t)~m;
    if (s->line[cpu].set) s->line[cpu].set(s->line[cpu].ctx, line, level);
}

static void gicv2_reset(void *dev)
{
    struct gicv2 *s = dev;
    pthread_mutex_lock(&s->lock);
    s->ctlr = 0;
    for (unsigned k = 0; k < V2_BITS; k++) {
        if (k == V2_LEVEL) continue; /* the lines are what they are */
        uint32_t v = k == V2_GROUP && s->reset_ns ? UINT32_MAX : 0;
        for (unsigned w = 0; w < V2_WORDS; w++) s->spi[k][w] = v;
        for (unsigned c = 0; c < V2_CPUS; c++) s->ppi[k][c] = k == V2_ENABLED || k == V2_EDGE ? 0xffff : v;
    }
    memset(s->prio, 0, sizeof s->prio);
    memset(s->ppi_prio, 0, sizeof s->ppi_prio);
    memset(s->target, s->num_cpu == 1 ? 1 : 0, sizeof s->target);
    memset(s->sgi_src, 0, sizeof s->sgi_src);
    v2_cpu_reset(s);
    v2_update_all(s);
    pthread_mutex_unlock(&s->lock);
}

static void gicv2_exit(void *dev)
{
    struct gicv2 *s = dev;
    pthread_mutex_destroy(&s->lock);
}

static unsigned gicv2_fdt_irq(const void *dev, unsigned n, uint32_t cells[4])
{
    return gic_fdt_irq(((const struct gicv2 *)dev)->num_irq - 32, n, cells);
}

static int gicv2_init(void *dev, struct err *e)
{
    struct gicv2 *s = dev;
    struct space *sp = s->dev.board ? s->dev.board->space : NULL;
    if (s->num_irq % 32) return err_set(e, EINVAL, "gicv2: num-irq must be a multiple of 32, not %u", s->num_irq);
    pthread_mutex_init(&s->lock, NULL);
    s->dev.ninputs = s->num_irq - 32 + s->num_cpu * 32;
    if (s->cpu_addr && !space_map_mmio(sp, "gicv2-cpu", s->cpu_addr, 0x10000, &v2_cpu_ops, s, 0)) return err_set(e, ENOMEM, "gicv2: no window");
    if (!s->virt) return 0;
    if (s->hyp_addr && !space_map_mmio(sp, "gicv2-hyp", s->hyp_addr, 0x10000, &v2_hyp_ops, s, 0)) return err_set(e, ENOMEM, "gicv2: no window");
    if (s->vcpu_addr && !space_map_mmio(sp, "gicv2-vcpu", s->vcpu_addr, 0x10000, &v2_vcpu_ops, s, 0))
        return err_set(e, ENOMEM, "gicv2: no window");
    return 0;
}

/* Further ranges: CPU interfaces, then the hypervisor's two. */
static void gicv2_fdt(void *dev, struct fdt_node *n)
{
    struct gicv2 *s = dev;
    if (s->cpu_addr) fdt_add_reg(n, s->cpu_addr, 0x10000);
    if (s->virt && s->hyp_addr) fdt_add_reg(n, s->hyp_addr, 0x10000);
    if (s->virt && s->vcpu_addr) fdt_add_reg(n, s->vcpu_addr, 0x10000);
    gic_fdt(n);
}

static int gicv2_loaded(void *dev, struct err *e)
{
    struct gicv2 *s = dev;
    for (unsigned c = 0; c < V2_CPUS; c++)
        for (unsigned i = 0; i < 16; i++) v2_put(s, V2_PENDING, c, i, s->sgi_src[c][i]);
    v2_update_all(s);
    return 0;
}

#undef SELF
#define SELF struct v2_cpu
static const struct state_field cpu_state[] = { STATE_INT(ctlr), STATE_INT(pmr), STATE_INT(bpr), STATE_INT(abpr), STATE_ARRAY(apr) };
#undef SELF
#define SELF struct v2_virt
static const struct state_field virt_state[] = { STATE_INT(hcr), STATE_INT(apr), STATE_INT(eisr), STATE_ARRAY(lr), STATE_INT(ctlr),
                                                 STATE_INT(pmr), STATE_INT(bpr), STATE_INT(abpr) };
#undef SELF
#define SELF struct gicv2

#define STATE_WORDS(m) { .name = #m, .type = STATE_T_INT, .field = offsetof(SELF, m), .size = 4, .count = sizeof(((SELF *)0)->m) / 4 }

const struct device gicv2_device = {
    .name = "arm_gic", .help = "Arm Generic Interrupt Controller version 2", .category = "Misc devices", .dt = "arm,cortex-a15-gic",
    .size = sizeof(struct gicv2), .window = 0x10000, .ops = &dist_ops, .inputs = UINT32_MAX, .input = gicv2_input,
    PROPS({ .name = "num-irq", .type = PROP_T_U32, .field = offsetof(SELF, num_irq), .def = 96, .min = 32, .max = 1020 - 28 },
          { .name = "num-cpu", .type = PROP_T_U32, .field = offsetof(SELF, num_cpu), .def = 1, .min = 1, .max = V2_CPUS },
          PROP_BOOL("has-security-extensions", security, false), PROP_BOOL("has-virtualization-extensions", virt, false),
          PROP_BOOL("reset-nonsecure", reset_ns, false), PROP_U64("cpu-addr", cpu_addr, 0), PROP_U64("hyp-addr", hyp_addr, 0),
          PROP_U64("vcpu-addr", vcpu_addr, 0)),
    STATE(STATE_INT(ctlr), STATE_WORDS(spi), STATE_WORDS(ppi), STATE_BYTES(prio), STATE_BYTES(ppi_prio), STATE_BYTES(target),
          STATE_BYTES(sgi_src),
          { .name = "cpu", .type = STATE_T_STRUCT, .field = offsetof(SELF, cpu), .size = sizeof(struct v2_cpu), .count = V2_CPUS,
            .sub = cpu_state, .nsub = ARRAY_LEN(cpu_state) },
          { .name = "vcpu", .type = STATE_T_STRUCT, .field = offsetof(SELF, vcpu), .size = sizeof(struct v2_virt), .count = V2_CPUS,
            .sub = virt_state, .nsub = ARRAY_LEN(virt_state) }),
    .init = gicv2_init, .reset = gicv2_reset, .exit = gicv2_exit, .fdt = gicv2_fdt, .fdt_irq = gicv2_fdt_irq, .loaded = gicv2_loaded,
};
