/*
 * pdma.c: SiFive's platform DMA engine (FU540-C000 manual, chapter 12): four channels that copy memory. A transfer goes on in pieces, so that others
 * get their turn. Known gaps: the order and size of bus accesses.
 */
#include "dev/device.h"
#include "dev/fdt.h"

#define SELF struct sifive_pdma
enum { CHANNELS = 4, STEP = 0x1000, CLAIM = 1, RUN = 2, DONE_IE = 1 << 14, ERROR_IE = 1 << 15, DONE = 1 << 30, PIECE = 4096, BUDGET = 16, CFG_REPEAT = 4 };
#define ERROR (1u << 31)

struct channel {
    uint32_t control, next_config, exec_config;
    uint64_t next_bytes, next_dst, next_src, exec_bytes, exec_dst, exec_src;
};
struct sifive_pdma {
    struct dev dev;
    struct channel ch[CHANNELS];
    struct deferred run;
};

static void lines(SELF *s)
{
    for (unsigned i = 0; i < CHANNELS; i++) {
        uint32_t c = s->ch[i].control;
        irq_set(&s->dev.irq[2 * i], c & DONE && c & DONE_IE);
        irq_set(&s->dev.irq[2 * i + 1], c & ERROR && c & ERROR_IE);
    }
}

static void begin(struct channel *c)
{
    c->exec_config = c->next_config;
    c->exec_bytes = c->next_bytes;
    c->exec_dst = c->next_dst;
    c->exec_src = c->next_src;
}

/* True: there is more. */
static bool go_on(SELF *s, struct channel *c)
{
    uint8_t b[PIECE];
    for (unsigned i = 0; i < BUDGET && c->control & RUN && c->exec_bytes; i++) {
        uint64_t n = MIN(c->exec_bytes, (uint64_t)PIECE);
        if (dma_read(&s->dev.dma, c->exec_src, b, n) || dma_write(&s->dev.dma, c->exec_dst, b, n)) {
            c->control = (c->control & ~(uint32_t)RUN) | ERROR;
            return false;
        }
        c->exec_src += n, c->exec_dst += n, c->exec_bytes -= n;
    }
    if (!(c->control & RUN)) return false;
    if (c->exec_bytes) return true;
    c->control |= DONE;
    if (c->next_config & CFG_REPEAT && c->next_bytes) {
        begin(c);
        return true;
    }
    c->control &= ~(uint32_t)RUN;
    return false;
}

static void run(void *ctx)
{
    SELF *s = ctx;
    bool more = false;
    for (unsigned i = 0; i < CHANNELS; i++) more |= go_on(s, &s->ch[i]);
    lines(s);
    if (more) loop_defer(&s->run);
}

static void control_write(SELF *s, struct channel *c, uint32_t v)
{
    uint32_t old = c->control;
    c->control = v & (CLAIM | RUN | DONE_IE | ERROR_IE | DONE | ERROR);
    if (!(old & CLAIM) && v & CLAIM && !(old & RUN)) { /* claimed: what was set before is gone */
        c->next_config = 0;
        c->next_bytes = c->next_dst = c->next_src = 0;
    }
    if (!(v & CLAIM)) c->control &= ~(uint32_t)RUN;
    if (c->control & RUN && !(old & RUN)) {
        c->control &= ~(DONE | ERROR);
        begin(c);
        loop_defer(&s->run);
    }
    lines(s);
}

static uint64_t *wide(struct channel *c, unsigned off)
{
    switch (off) {
    case 0x008: return &c->next_bytes;
    case 0x010: return &c->next_dst;
    case 0x018: return &c->next_src;
    case 0x108: return &c->exec_bytes;
    case 0x110: return &c->exec_dst;
    case 0x118: return &c->exec_src;
    default: return NULL;
    }
}

static uint64_t pdma_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    SELF *s = dev;
    if (off / STEP >= CHANNELS) return 0;
    struct channel *c = &s->ch[off / STEP];
    uint64_t *w = wide(c, off % STEP & ~7u);
    if (w) return off & 4 ? *w >> 32 : *w;
    return off % STEP == 0 ? c->control : off % STEP == 4 ? c->next_config : off % STEP == 0x104 ? c->exec_config : 0;
}
static void pdma_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    SELF *s = dev;
    if (off / STEP >= CHANNELS) return;
    struct channel *c = &s->ch[off / STEP];
    unsigned r = off % STEP;
    uint64_t *w = r < 0x100 ? wide(c, r & ~7u) : NULL;
    if (r == 0) control_write(s, c, (uint32_t)v);
    else if (r == 4 && c->control & CLAIM) c->next_config = (uint32_t)v & 0xff00000c;
    else if (w && size == 8) *w = v;
    else if (w) *w = r & 4 ? (*w & UINT32_MAX) | v << 32 : (*w & ~(uint64_t)UINT32_MAX) | (uint32_t)v;
}
static const struct mmio_ops pdma_ops = { .read = pdma_read, .write = pdma_write, .min = 4, .max = 8 };

static int pdma_init(void *dev, struct err *e)
{
    SELF *s = dev;
    deferred_init(&s->run, s->dev.board->loop, run, s);
    return 0;
}
static void pdma_reset(void *dev)
{
    SELF *s = dev;
    memset(s->ch, 0, sizeof s->ch);
    deferred_cancel(&s->run);
    lines(s);
}
static void pdma_exit(void *dev) { deferred_cancel(&((SELF *)dev)->run); }
static int pdma_loaded(void *dev, struct err *e)
{
    loop_defer(&((SELF *)dev)->run);
    return 0;
}
static void pdma_fdt(void *dev, struct fdt_node *n) { fdt_set_u32(n, "#dma-cells", 1); }

#define F(m) { .name = #m, .type = STATE_T_INT, .field = offsetof(struct channel, m), .size = sizeof(((struct channel *)0)->m) }
static const struct state_field channel_state[] = { F(control), F(next_config), F(exec_config), F(next_bytes), F(next_dst), F(next_src), F(exec_bytes), F(exec_dst), F(exec_src) };
const struct device sifive_pdma_device = {
    .name = "sifive.pdma", .help = "SiFive platform DMA engine", .dt = "sifive,fu540-c000-pdma", .size = sizeof(SELF), .window = 0x100000, .irqs = 2 * CHANNELS,
    .ops = &pdma_ops, .init = pdma_init, .reset = pdma_reset, .exit = pdma_exit, .loaded = pdma_loaded, .fdt = pdma_fdt,
    STATE({ .name = "ch", .type = STATE_T_STRUCT, .field = offsetof(SELF, ch), .size = sizeof(struct channel), .count = CHANNELS, .sub = channel_state,
            .nsub = ARRAY_LEN(channel_state) }),
};
