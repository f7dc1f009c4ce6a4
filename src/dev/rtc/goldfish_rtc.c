/*
 * goldfish_rtc.c: Android emulator's real-time clock ("Goldfish virtual hardware", GOLDFISH-VIRTUAL-HARDWARE.TXT, section RTC): time of
 * day in ns, 64 bits in two registers (reading the low one latches the high one), an alarm. Known gaps: none.
 */
#include <time.h>
#include "dev/device.h"

#define SELF struct goldfish_rtc

struct goldfish_rtc {
    struct dev dev;
    struct timer alarm;
    uint64_t offset;          /* time of day = the board's clock + offset */
    uint64_t when;
    uint32_t time_high, alarm_high, irq_enabled, irq_pending;
    uint32_t alarm_running;
};

static uint64_t now(const struct goldfish_rtc *s)
{
    return clock_now(s->dev.board->clock) + s->offset;
}

static void update(struct goldfish_rtc *s)
{
    irq_set(&s->dev.irq[0], s->irq_pending & s->irq_enabled);
}

static void rings(void *ctx)
{
    struct goldfish_rtc *s = ctx;
    s->alarm_running = 0;
    s->irq_pending = 1;
    update(s);
}

static void arm(struct goldfish_rtc *s)
{
    uint64_t t = now(s);
    if (s->when <= t) {
        timer_cancel(&s->alarm);
        rings(s);
        return;
    }
    s->alarm_running = 1;
    timer_set(&s->alarm, s->when - s->offset < s->when || s->offset == 0 ? s->when - s->offset : TIMER_NEVER);
}

static uint64_t time_low_read(void *dev, unsigned i)
{
    struct goldfish_rtc *s = dev;
    uint64_t t = now(s);
    s->time_high = (uint32_t)(t >> 32);
    return t & 0xffffffff;
}

static void time_low_write(void *dev, unsigned i, uint64_t v)
{
    struct goldfish_rtc *s = dev;
    s->offset += ((now(s) & ~0xffffffffull) | v) - now(s);
}

static void time_high_write(void *dev, unsigned i, uint64_t v)
{
    struct goldfish_rtc *s = dev;
    s->offset += ((now(s) & 0xffffffff) | v << 32) - now(s);
}

static uint64_t alarm_low_read(void *dev, unsigned i) { return ((struct goldfish_rtc *)dev)->when & 0xffffffff; }
static void alarm_low_write(void *dev, unsigned i, uint64_t v)
{
    struct goldfish_rtc *s = dev;
    s->when = (uint64_t)s->alarm_high << 32 | v;
    arm(s);
}

static void clear_alarm_write(void *dev, unsigned i, uint64_t v)
{
    struct goldfish_rtc *s = dev;
    timer_cancel(&s->alarm);
    s->alarm_running = 0;
}

static void irq_after(void *dev, unsigned i) { update(dev); }
static void clear_irq_write(void *dev, unsigned i, uint64_t v)
{
    struct goldfish_rtc *s = dev;
    s->irq_pending = 0;
    update(s);
}

static const struct reg rtc_regs[] = {
    { 0x00, "time_low", RW, .read = time_low_read, .write = time_low_write },
    { 0x04, "time_high", RW, FIELD(time_high), .write = time_high_write },
    { 0x08, "alarm_low", RW, .read = alarm_low_read, .write = alarm_low_write },
    { 0x0c, "alarm_high", RW, FIELD(alarm_high) },
    { 0x10, "irq_enabled", RW, FIELD(irq_enabled), .mask = 1, .after = irq_after },
    { 0x14, "clear_alarm", WO, .write = clear_alarm_write },
    { 0x18, "alarm_status", RO, FIELD(alarm_running) },
    { 0x1c, "clear_interrupt", WO, .write = clear_irq_write },
};

static int rtc_init(void *dev, struct err *e)
{
    struct goldfish_rtc *s = dev;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    /* The guest's clock stands while the machine does; the offset is taken once. */
    s->offset = (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec - clock_now(s->dev.board->clock) + (uint64_t)s->dev.board->rtc_offset * NS_PER_S;
    timer_init(&s->alarm, s->dev.board->clock, rings, s);
    return 0;
}

static void rtc_exit(void *dev) { timer_cancel(&((struct goldfish_rtc *)dev)->alarm); }

static void rtc_reset(void *dev)
{
    struct goldfish_rtc *s = dev;
    timer_cancel(&s->alarm);
    s->when = 0;
    s->irq_pending = 0;
    update(s);
}

static int rtc_loaded(void *dev, struct err *e)
{
    struct goldfish_rtc *s = dev;
    if (s->alarm_running) arm(s);
    return 0;
}

const struct device goldfish_rtc_device = {
    .name = "goldfish_rtc", .help = "Goldfish real-time clock", .dt = "google,goldfish-rtc", .size = sizeof(struct goldfish_rtc),
    .window = 0x1000, .irqs = 1, REGS(rtc_regs),
    STATE(STATE_INT(offset), STATE_INT(when), STATE_RANGE(irq_pending, 0, 1)),
    .init = rtc_init, .exit = rtc_exit, .reset = rtc_reset, .loaded = rtc_loaded,
};
