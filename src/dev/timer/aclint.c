/*
 * aclint.c: RISC-V Advanced Core Local Interruptor (RISC-V ACLINT specification 1.0-rc4): software interrupts (MSWI and SSWI) and the
 * machine timer (MTIMER). Laid beside each other at 0 and 0x4000 they are SiFive's CLINT. Known gaps: none.
 */
#include "dev/device.h"
#include "dev/fdt.h"

#undef SELF
#define SELF struct aclint_swi
enum { HARTS = 512, MTIME = 0x7ff8 };

struct aclint_swi {
    struct dev dev;
    uint32_t harts, first;
    bool sswi;
    uint32_t *msip;
    uint32_t msip_bytes;
};

static uint64_t swi_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    struct aclint_swi *s = dev;
    return off / 4 < s->harts && !s->sswi ? s->msip[off / 4] : 0;
}

/* MSIP is a level; SETSSIP sets the hart's SSIP once. */
static void swi_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    struct aclint_swi *s = dev;
    uint64_t i = off / 4;
    if (i >= s->harts) return;
    if (s->sswi) {
        if (v & 1) irq_pulse(&s->dev.irq[i]);
        return;
    }
    s->msip[i] = v & 1;
    irq_set(&s->dev.irq[i], v & 1);
}

static const struct mmio_ops swi_ops = { .read = swi_read, .write = swi_write, .min = 4, .max = 4 };

static int swi_init(void *dev, struct err *e)
{
    struct aclint_swi *s = dev;
    if (!s->harts || s->harts > HARTS) return err_set(e, EINVAL, "aclint: 1 to %d harts, not %u", HARTS, s->harts);
    s->msip_bytes = s->harts * 4;
    s->msip = dev_alloc(&s->dev, s->msip_bytes);
    return 0;
}

static void swi_reset(void *dev)
{
    struct aclint_swi *s = dev;
    for (unsigned i = 0; i < s->harts; i++) {
        s->msip[i] = 0;
        irq_set(&s->dev.irq[i], false);
    }
}

static int swi_loaded(void *dev, struct err *e)
{
    struct aclint_swi *s = dev;
    return s->msip_bytes == s->harts * 4 ? 0 : err_set(e, EINVAL, "state of the ACLINT is for another number of harts");
}

const struct device aclint_swi_device = {
    .name = "riscv.aclint.swi", .help = "RISC-V ACLINT software interrupts", .size = sizeof(struct aclint_swi), .window = 0x4000,
    .irqs = HARTS, .ops = &swi_ops,
    PROPS(PROP_U32("num-harts", harts, 1), PROP_U32("hartid-base", first, 0), PROP_BOOL("sswi", sswi, false)),
    STATE({ .name = "msip", .type = STATE_T_BLOB, .field = offsetof(SELF, msip), .len_field = offsetof(SELF, msip_bytes) }),
    .init = swi_init, .reset = swi_reset, .loaded = swi_loaded,
};

/* --- the timer ------------------------------------------------------------------------------------------------------------------ */

#undef SELF
#define SELF struct aclint_mtimer

struct mtimecmp {
    struct aclint_mtimer *dev;
    struct timer timer;
};

struct aclint_mtimer {
    struct dev dev;
    uint32_t harts, first, freq;
    uint64_t delta;          /* mtime = clock + delta, in ticks */
    struct mtimecmp *cmp;
    uint64_t *when;          /* mtimecmp by hart */
    uint32_t when_bytes;
};

static uint64_t ticks(const struct aclint_mtimer *s)
{
    return (uint64_t)((u128)clock_now(s->dev.board->clock) * s->freq / NS_PER_S) + s->delta;
}

/* Sets the line, and the time when it has to be looked at again. */
static void cmp_update(struct aclint_mtimer *s, unsigned i)
{
    uint64_t now = ticks(s);
    bool due = now >= s->when[i];
    irq_set(&s->dev.irq[i], due);
    if (due) {
        timer_cancel(&s->cmp[i].timer);
        return;
    }
    u128 ns = ((u128)(s->when[i] - s->delta) * NS_PER_S + s->freq - 1) / s->freq;
    timer_set(&s->cmp[i].timer, s->when[i] < s->delta || ns > INT64_MAX ? TIMER_NEVER : (uint64_t)ns);
}

static void cmp_due(void *ctx)
{
    struct mtimecmp *c = ctx;
    cmp_update(c->dev, (unsigned)(c - c->dev->cmp));
}

static uint64_t mtimer_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    struct aclint_mtimer *s = dev;
    uint64_t v = off >= MTIME ? ticks(s) : off / 8 < s->harts ? s->when[off / 8] : 0;
    return size == 8 ? v : off & 4 ? v >> 32 : v & 0xffffffff;
}

static void mtimer_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    struct aclint_mtimer *s = dev;
    uint64_t old = off >= MTIME ? ticks(s) : off / 8 < s->harts ? s->when[off / 8] : 0;
    if (size < 8) v = off & 4 ? (old & 0xffffffff) | v << 32 : (old & ~0xffffffffull) | v;
    if (off >= MTIME) {
        s->delta += v - old;
        for (unsigned i = 0; i < s->harts; i++) cmp_update(s, i);
    } else if (off / 8 < s->harts) {
        s->when[off / 8] = v;
        cmp_update(s, (unsigned)(off / 8));
    }
}

static const struct mmio_ops mtimer_ops = { .read = mtimer_read, .write = mtimer_write, .min = 4, .max = 8 };

static int mtimer_init(void *dev, struct err *e)
{
    struct aclint_mtimer *s = dev;
    if (!s->harts || s->harts > HARTS) return err_set(e, EINVAL, "aclint: 1 to %d harts, not %u", HARTS, s->harts);
    if (!s->freq) return err_set(e, EINVAL, "aclint: a timer of 0 Hz");
    s->when_bytes = s->harts * 8;
    s->when = dev_alloc(&s->dev, s->when_bytes);
    s->cmp = dev_alloc(&s->dev, s->harts * sizeof *s->cmp);
    for (unsigned i = 0; i < s->harts; i++) {
        s->cmp[i].dev = s;
        timer_init(&s->cmp[i].timer, s->dev.board->clock, cmp_due, &s->cmp[i]);
    }
    return 0;
}

static void mtimer_reset(void *dev)
{
    struct aclint_mtimer *s = dev;
    s->delta = 0; /* the CPUs' time register shows the same clock */
    for (unsigned i = 0; i < s->harts; i++) {
        s->when[i] = UINT64_MAX;
        cmp_update(s, i);
    }
}

static void mtimer_exit(void *dev)
{
    struct aclint_mtimer *s = dev;
    for (unsigned i = 0; i < s->harts; i++) timer_cancel(&s->cmp[i].timer);
}

static int mtimer_loaded(void *dev, struct err *e)
{
    struct aclint_mtimer *s = dev;
    if (s->when_bytes != s->harts * 8) return err_set(e, EINVAL, "state of the ACLINT is for another number of harts");
    for (unsigned i = 0; i < s->harts; i++) cmp_update(s, i);
    return 0;
}

const struct device aclint_mtimer_device = {
    .name = "riscv.aclint.mtimer", .help = "RISC-V ACLINT machine timer", .size = sizeof(struct aclint_mtimer), .window = 0x8000,
    .irqs = HARTS, .ops = &mtimer_ops,
    PROPS(PROP_U32("num-harts", harts, 1), PROP_U32("hartid-base", first, 0), PROP_U32("timebase-freq", freq, 10000000)),
    STATE(STATE_INT(delta), { .name = "mtimecmp", .type = STATE_T_BLOB, .field = offsetof(SELF, when), .len_field = offsetof(SELF, when_bytes) }),
    .init = mtimer_init, .reset = mtimer_reset, .exit = mtimer_exit, .loaded = mtimer_loaded,
};
