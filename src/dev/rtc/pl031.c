/*
 * pl031.c: Arm PrimeCell Real Time Clock PL031 (Arm DDI 0224C): seconds since 1970, one alarm. The count follows the guest's clock from
 * the host's time of day at start on, so that it stops with the machine and is deterministic where that is.
 */
#include <time.h>
#include "dev/device.h"

#define SELF struct pl031

struct pl031 {
    struct dev dev;
    int64_t offset;       /* what is counted = guest seconds + offset, modulo 2^32 */
    int64_t start;        /* property: seconds since 1970 at guest time 0; 0: the host's now */
    uint32_t mr, lr, imsc, ris;
    struct timer alarm;
};

static uint32_t count(const struct pl031 *s)
{
    return (uint32_t)((int64_t)(clock_now(s->dev.board->clock) / NS_PER_S) + s->offset);
}

static void update(struct pl031 *s)
{
    irq_set(&s->dev.irq[0], s->ris & s->imsc);
}

/* The match comes when the count next equals it: at once where it does now. */
static void set_alarm(struct pl031 *s)
{
    uint32_t ticks = s->mr - count(s);
    uint64_t now = clock_now(s->dev.board->clock);
    if (!ticks) {
        s->ris = 1;
        timer_cancel(&s->alarm);
    } else {
        timer_set(&s->alarm, (now / NS_PER_S + ticks) * NS_PER_S);
    }
    update(s);
}

static void ring(void *ctx)
{
    struct pl031 *s = ctx;
    s->ris = 1;
    update(s);
}

static uint64_t dr_read(void *dev, unsigned i) { return count(dev); }
static void mr_after(void *dev, unsigned i) { set_alarm(dev); }

static void lr_after(void *dev, unsigned i)
{
    struct pl031 *s = dev;
    s->offset += (int32_t)(s->lr - count(s));
    set_alarm(s);
}

static uint64_t cr_read(void *dev, unsigned i) { return 1; } /* it runs, always */
static void cr_write(void *dev, unsigned i, uint64_t v) {}
static void imsc_after(void *dev, unsigned i) { update(dev); }
static uint64_t ris_read(void *dev, unsigned i) { return ((struct pl031 *)dev)->ris; }
static uint64_t mis_read(void *dev, unsigned i) { return ((struct pl031 *)dev)->ris & ((struct pl031 *)dev)->imsc; }

static void icr_write(void *dev, unsigned i, uint64_t v)
{
    struct pl031 *s = dev;
    s->ris &= ~(uint32_t)v;
    update(s);
}

static uint64_t id_read(void *dev, unsigned i)
{
    static const uint8_t id[] = { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
    return id[i];
}

static const struct reg pl031_regs[] = {
    { 0x00, "dr", RO, .read = dr_read },
    { 0x04, "mr", RW, FIELD(mr), .after = mr_after },
    { 0x08, "lr", RW, FIELD(lr), .after = lr_after },
    { 0x0c, "cr", RW, .read = cr_read, .write = cr_write },
    { 0x10, "imsc", RW, FIELD(imsc), .mask = 1, .after = imsc_after },
    { 0x14, "ris", RO, .read = ris_read },
    { 0x18, "mis", RO, .read = mis_read },
    { 0x1c, "icr", WO, .mask = 1, .write = icr_write },
    { 0xfe0, "id", RO, .read = id_read, .count = 8, .step = 4 },
};

static int pl031_init(void *dev, struct err *e)
{
    struct pl031 *s = dev;
    timer_init(&s->alarm, s->dev.board->clock, ring, s);
    s->offset = (s->start ? s->start : (int64_t)time(NULL) + s->dev.board->rtc_offset) - (int64_t)(clock_now(s->dev.board->clock) / NS_PER_S);
    return 0;
}

static void pl031_exit(void *dev)
{
    struct pl031 *s = dev;
    timer_cancel(&s->alarm);
}

/* A reset of the machine leaves the time of day alone. */
static void pl031_reset(void *dev)
{
    struct pl031 *s = dev;
    s->ris = 0;
    timer_cancel(&s->alarm);
    update(s);
}

static int pl031_loaded(void *dev, struct err *e)
{
    update(dev);
    return 0;
}

const struct device pl031_device = {
    .name = "pl031", .help = "Arm PrimeCell real time clock", .category = "Misc devices", .dt = "arm,pl031;arm,primecell",
    .size = sizeof(struct pl031), .window = 0x1000, .irqs = 1, REGS(pl031_regs),
    PROPS({ .name = "start-time", .type = PROP_T_U64, .field = offsetof(SELF, start) }),
    STATE(STATE_INT(offset), STATE_RANGE(ris, 0, 1), STATE_TIMER(alarm)),
    .init = pl031_init, .exit = pl031_exit, .reset = pl031_reset, .loaded = pl031_loaded,
};
