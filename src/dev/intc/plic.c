/*
 * plic.c: RISC-V Platform-Level Interrupt Controller (RISC-V PLIC specification 1.0.0): up to 1023 sources, contexts of pairs M, S per
 * hart. A source is a level: it becomes pending, is claimed, and becomes pending again after completion while it is still high.
 * Known gaps: none.
 */
#include "dev/device.h"
#include "dev/fdt.h"

#define SELF struct plic

enum { SOURCES = 1024, WORDS = SOURCES / 32, CONTEXTS = 1024 };
enum { PRIORITY = 0, PENDING = 0x1000, ENABLE = 0x2000, ENABLE_STEP = 0x80, CONTEXT = 0x200000, CONTEXT_STEP = 0x1000 };

struct plic_context {
    uint32_t enable[WORDS], threshold;
};

struct plic {
    struct dev dev;
    uint32_t sources, contexts, priorities;
    uint32_t priority[SOURCES], pending[WORDS], level[WORDS], claimed[WORDS];
    struct plic_context *ctx;
    uint32_t ctx_bytes;
};

static bool bit(const uint32_t *w, unsigned n) { return w[n / 32] >> n % 32 & 1; }
static void put_bit(uint32_t *w, unsigned n, bool on)
{
    if (on) w[n / 32] |= 1u << n % 32;
    else w[n / 32] &= ~(1u << n % 32);
}

/* The pending source of highest priority above the threshold; of equals the lowest number. 0: none. */
static unsigned best(const struct plic *s, const struct plic_context *c)
{
    unsigned best_irq = 0;
    uint32_t prio = c->threshold;
    for (unsigned w = 0; w < s->sources / 32 + 1; w++)
        for (uint32_t m = s->pending[w] & c->enable[w] & ~s->claimed[w]; m; m &= m - 1) {
            unsigned n = 32 * w + (unsigned)__builtin_ctz(m);
            if (s->priority[n] > prio) prio = s->priority[n], best_irq = n;
        }
    return best_irq;
}

static void update(struct plic *s)
{
    for (unsigned i = 0; i < s->contexts; i++) irq_set(&s->dev.irq[i], best(s, &s->ctx[i]) != 0);
}

static void plic_input(void *dev, unsigned n, bool level)
{
    struct plic *s = dev;
    put_bit(s->level, n, level);
    if (level && !bit(s->claimed, n)) {
        put_bit(s->pending, n, true);
        update(s);
    }
}

static uint32_t claim(struct plic *s, unsigned i)
{
    unsigned n = best(s, &s->ctx[i]);
    if (n) {
        put_bit(s->pending, n, false);
        put_bit(s->claimed, n, true);
        update(s);
    }
    TRACE(plic_claim, "context %u source %u", i, n);
    return n;
}

static void complete(struct plic *s, unsigned i, uint64_t n)
{
    if (n >= s->sources + 1u || !n || !bit(s->ctx[i].enable, (unsigned)n)) return; /* silently ignored, says the specification */
    put_bit(s->claimed, (unsigned)n, false);
    if (bit(s->level, (unsigned)n)) put_bit(s->pending, (unsigned)n, true);
    update(s);
}

static uint64_t plic_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    struct plic *s = dev;
    uint64_t i;
    if (off < PENDING) return off / 4 <= s->sources ? s->priority[off / 4] : 0;
    if (off < PENDING + SOURCES / 8) return s->pending[(off - PENDING) / 4];
    if (off >= ENABLE && off < CONTEXT) {
        i = (off - ENABLE) / ENABLE_STEP;
        return i < s->contexts ? s->ctx[i].enable[(off - ENABLE) % ENABLE_STEP / 4] : 0;
    }
    i = (off - CONTEXT) / CONTEXT_STEP;
    if (off < CONTEXT || i >= s->contexts) return 0;
    switch (off % CONTEXT_STEP) {
    case 0: return s->ctx[i].threshold;
    case 4: return claim(s, (unsigned)i);
    default: return 0;
    }
}

/* Bits of word w that are sources; 0 is none. */
static uint32_t word_mask(const struct plic *s, uint64_t w)
{
    uint64_t first = 32 * w, n = s->sources + 1;
    uint32_t m = first >= n ? 0 : n - first >= 32 ? ~0u : (uint32_t)bits_mask((unsigned)(n - first));
    return w ? m : m & ~1u;
}

static void plic_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    struct plic *s = dev;
    uint64_t i;
    if (off < PENDING) {
        if (off / 4 && off / 4 <= s->sources) s->priority[off / 4] = (uint32_t)(v & s->priorities);
        update(s);
    } else if (off >= ENABLE && off < CONTEXT) {
        i = (off - ENABLE) / ENABLE_STEP;
        uint64_t w = (off - ENABLE) % ENABLE_STEP / 4;
        if (i >= s->contexts) return;
        s->ctx[i].enable[w] = (uint32_t)v & word_mask(s, w);
        update(s);
    } else if (off >= CONTEXT && (i = (off - CONTEXT) / CONTEXT_STEP) < s->contexts) {
        if (off % CONTEXT_STEP == 0) {
            s->ctx[i].threshold = (uint32_t)(v & s->priorities);
            update(s);
        } else if (off % CONTEXT_STEP == 4) {
            complete(s, (unsigned)i, v);
        }
    }
}

static const struct mmio_ops plic_ops = { .read = plic_read, .write = plic_write, .min = 4, .max = 4 };

static int plic_init(void *dev, struct err *e)
{
    struct plic *s = dev;
    if (s->sources >= SOURCES || !s->sources) return err_set(e, EINVAL, "plic: 1 to %d sources, not %u", SOURCES - 1, s->sources);
    if (s->contexts > CONTEXTS || !s->contexts) return err_set(e, EINVAL, "plic: 1 to %d contexts, not %u", CONTEXTS, s->contexts);
    if (!s->priorities || (s->priorities & (s->priorities + 1))) return err_set(e, EINVAL, "plic: priorities are a number of ones, not %u", s->priorities);
    s->ctx_bytes = s->contexts * (uint32_t)sizeof *s->ctx;
    s->ctx = dev_alloc(&s->dev, s->ctx_bytes);
    s->dev.ninputs = s->sources + 1;
    return 0;
}

static void plic_reset(void *dev)
{
    struct plic *s = dev;
    memset(s->priority, 0, sizeof s->priority);
    memset(s->pending, 0, sizeof s->pending);
    memset(s->claimed, 0, sizeof s->claimed);
    memset(s->ctx, 0, s->ctx_bytes);
    for (unsigned n = 1; n <= s->sources; n++)
        if (bit(s->level, n)) put_bit(s->pending, n, true); /* the lines are others' */
    update(s);
}

static int plic_loaded(void *dev, struct err *e)
{
    struct plic *s = dev;
    if (s->ctx_bytes != s->contexts * sizeof *s->ctx) return err_set(e, EINVAL, "state of the PLIC is for another number of contexts");
    for (unsigned i = 0; i < s->contexts; i++)
        for (unsigned w = 0; w < WORDS; w++) s->ctx[i].enable[w] &= word_mask(s, w);
    for (unsigned w = 0; w < WORDS; w++) s->pending[w] &= word_mask(s, w);
    return 0;
}

static void plic_fdt(void *dev, struct fdt_node *n)
{
    struct plic *s = dev;
    fdt_set_u32(n, "#interrupt-cells", 1);
    fdt_set_u32(n, "#address-cells", 0);
    fdt_set_empty(n, "interrupt-controller");
    fdt_set_u32(n, "riscv,ndev", s->sources);
    fdt_phandle(n);
}

static unsigned plic_fdt_irq(const void *dev, unsigned n, uint32_t cells[4])
{
    cells[0] = n;
    return 1;
}

const struct device plic_device = {
    .name = "riscv.plic", .alias = "riscv.sifive.plic", .help = "RISC-V platform-level interrupt controller", .dt = "sifive,plic-1.0.0;riscv,plic0",
    .size = sizeof(struct plic), .window = 0x600000, .irqs = CONTEXTS, .inputs = UINT32_MAX, .input = plic_input, .ops = &plic_ops,
    PROPS(PROP_U32("num-sources", sources, 96), PROP_U32("num-contexts", contexts, 2), PROP_U32("num-priorities", priorities, 7)),
    STATE(STATE_ARRAY(priority), STATE_ARRAY(pending), STATE_ARRAY(level), STATE_ARRAY(claimed),
          { .name = "contexts", .type = STATE_T_BLOB, .field = offsetof(SELF, ctx), .len_field = offsetof(SELF, ctx_bytes) }),
    .init = plic_init, .reset = plic_reset, .loaded = plic_loaded, .fdt = plic_fdt, .fdt_irq = plic_fdt_irq,
};
