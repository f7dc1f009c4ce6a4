/*
 * pwm.c: SiFive's pulse-width modulator (FU540-C000 manual, chapter 14): a counter of 31 bits, four comparators of 16 bits with an interrupt each.
 * It counts the peripheral clock of 500 MHz on guest time. Known gaps: what the pins do (centre, gang) is registers only.
 */
#include "dev/device.h"
#include "dev/fdt.h"

#define SELF struct sifive_pwm
enum { CMPS = 4, SCALE = 15, STICKY = 1 << 8, ZEROCMP = 1 << 9, ALWAYS = 1 << 12, ONESHOT = 1 << 13, IP = 28, CLOCK_NS = 2 };
#define COUNT_MASK 0x7fffffffull

struct sifive_pwm {
    struct dev dev;
    uint32_t cfg, cmp[CMPS], ip;
    uint64_t base, at;           /* the count at a time; it stands still unless enabled */
    struct timer timer;
};

static bool runs(const SELF *s) { return s->cfg & (ALWAYS | ONESHOT); }
static uint64_t ticks(const SELF *s) { return runs(s) ? (clock_now(s->dev.board->clock) - s->at) / CLOCK_NS : 0; }
static unsigned scale(const SELF *s) { return s->cfg & SCALE; }
/* Where it begins anew: behind comparator 0, or when its 16 scaled bits (in one-shot mode) or all 31 overflow. */
static uint64_t round_ticks(const SELF *s)
{
    uint64_t top = (COUNT_MASK >> scale(s) > 0xffff ? 0xffffull : COUNT_MASK >> scale(s)) + 1;
    return (s->cfg & ZEROCMP ? (uint64_t)(s->cmp[0] & 0xffff) + 1 : top) << scale(s);
}

static void lines(SELF *s)
{
    for (unsigned i = 0; i < CMPS; i++) irq_set(&s->dev.irq[i], s->ip >> i & 1);
}

/* Brings count and interrupts up to now, and sets the timer for what is next. */
static void update(SELF *s)
{
    uint64_t round = round_ticks(s), count = s->base + ticks(s), next = round;
    bool over = count >= round;
    if (over && s->cfg & ONESHOT && !(s->cfg & ALWAYS)) s->cfg &= ~(uint32_t)ONESHOT, count = 0;
    uint32_t now = 0;
    for (unsigned i = 0; i < CMPS; i++) {
        uint64_t c = (uint64_t)(s->cmp[i] & 0xffff) << scale(s);
        if (count >= c) now |= 1u << i; /* also: in the round that is over */
        else if (c < next) next = c;
    }
    if (over) count %= round, next = round;
    s->ip = s->cfg & STICKY ? s->ip | now : now;
    s->base = count;
    s->at = clock_now(s->dev.board->clock);
    lines(s);
    uint64_t wait = (next > count ? next - count : 1) * CLOCK_NS;
    if (runs(s)) timer_set_in(&s->timer, MAX(wait, (uint64_t)NS_PER_US)); /* not more often than anybody can react */
    else timer_cancel(&s->timer);
}
static void due(void *ctx) { update(ctx); }

static uint64_t cfg_read(void *dev, unsigned i)
{
    SELF *s = dev;
    update(s);
    return s->cfg | s->ip << IP;
}
static void cfg_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    update(s);
    s->cfg = (uint32_t)v & 0x0fffffff;
    s->ip &= (uint32_t)v >> IP;
    update(s);
}
static uint64_t count_read(void *dev, unsigned i)
{
    SELF *s = dev;
    update(s);
    return s->base & COUNT_MASK;
}
static void count_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    update(s);
    s->base = v & COUNT_MASK;
    update(s);
}
static uint64_t s_read(void *dev, unsigned i)
{
    SELF *s = dev;
    update(s);
    return s->base >> scale(s) & 0xffff;
}
static void cmp_after(void *dev, unsigned i) { update(dev); }

static const struct reg pwm_regs[] = {
    { 0x00, "pwmcfg", RW, .read = cfg_read, .write = cfg_write }, { 0x08, "pwmcount", RW, .read = count_read, .write = count_write }, { 0x10, "pwms", RO, .read = s_read },
    { 0x20, "pwmcmp", RW, FIELD_ARRAY(cmp), .mask = 0xffff, .reset = 0xffff, .after = cmp_after },
};
static int pwm_init(void *dev, struct err *e)
{
    SELF *s = dev;
    timer_init(&s->timer, s->dev.board->clock, due, s);
    return 0;
}
static void pwm_reset(void *dev)
{
    SELF *s = dev;
    s->cfg = s->ip = 0;
    s->base = 0;
    update(s);
}
static void pwm_exit(void *dev) { timer_cancel(&((SELF *)dev)->timer); }
static void pwm_fdt(void *dev, struct fdt_node *n) { fdt_set_u32(n, "#pwm-cells", 0); }

const struct device sifive_pwm_device = {
    .name = "sifive-pwm", .help = "SiFive PWM", .dt = "sifive,pwm0", .size = sizeof(SELF), .window = 0x1000, .irqs = CMPS, REGS(pwm_regs), .init = pwm_init,
    .reset = pwm_reset, .exit = pwm_exit, .fdt = pwm_fdt,
    STATE(STATE_INT(cfg), STATE_INT(ip), STATE_RANGE(base, 0, COUNT_MASK), STATE_INT(at), STATE_TIMER(timer)),
};
