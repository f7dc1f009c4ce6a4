/*
 * i8254.c: Intel 8254 programmable interval timer (data sheet 231164): three counters at 1.193182 MHz, all modes, binary and BCD, latches and
 * read-back. A counter is not stepped: its value and its output follow from the time since it was started. Output 0 is an interrupt line.
 * Known gaps: a count that is written in the middle of a period of modes 2 and 3 takes effect at once instead of at its end.
 */
#include "dev/timer/i8254.h"

#define SELF struct i8254
#define HZ 1193182u

enum { CHANNELS = 3, RW_LATCH = 0, RW_LOW, RW_HIGH, RW_BOTH };

struct channel {
    uint64_t start;          /* the tick of guest time at which counting began */
    uint32_t count;          /* 1..65536, or 10000 in BCD */
    uint16_t latch;
    uint8_t mode, rw, bcd, status;
    uint8_t write_low;       /* first byte of two */
    uint8_t latched;         /* bytes still to be read of the latch */
    bool second_write, second_read, status_latched, null_count;
    bool counting;           /* a count was loaded and, in modes 1 and 5, the gate rose */
    bool gate;
};
struct i8254 {
    struct dev dev;
    struct timer timer;      /* the next change of output 0 */
    struct channel ch[CHANNELS];
};

/* --- time -------------------------------------------------------------------------------------------------------------------- */

static uint64_t ticks_of(uint64_t ns)
{
    return ns / NS_PER_S * HZ + ns % NS_PER_S * HZ / NS_PER_S;
}
/* The first moment at which so many ticks have passed. */
static uint64_t ns_of(uint64_t ticks)
{
    return ticks / HZ * NS_PER_S + (ticks % HZ * NS_PER_S + HZ - 1) / HZ;
}
static uint64_t elapsed(const struct i8254 *s, const struct channel *c)
{
    return ticks_of(clock_now(s->dev.board->clock)) - c->start;
}
static bool gate_stops(const struct channel *c)
{
    return c->mode != 1 && c->mode != 5 && !c->gate;
}

static bool output_at(const struct channel *c, uint64_t t)
{
    if (!c->counting) return c->mode != 0;
    switch (c->mode) {
    case 0: case 1: return t >= c->count;
    case 2: return gate_stops(c) || t % c->count != c->count - 1u;
    case 3: return gate_stops(c) || t % c->count < (c->count + 1u) / 2;
    default: return t != c->count; /* 4, 5: a strobe of one tick */
    }
}
/* The first tick after t at which the output changes; UINT64_MAX: it stays. */
static uint64_t next_change(const struct channel *c, uint64_t t)
{
    uint64_t in = t % c->count, period = t - in;
    if (!c->counting || gate_stops(c)) return UINT64_MAX;
    switch (c->mode) {
    case 0: case 1: return t < c->count ? c->count : UINT64_MAX;
    case 2: return in < c->count - 1u ? period + c->count - 1 : period + c->count;
    case 3: return in < (c->count + 1u) / 2 ? period + (c->count + 1u) / 2 : period + c->count;
    default: return t < c->count ? c->count : t == c->count ? t + 1 : UINT64_MAX;
    }
}
/* What the counting element shows. */
static uint16_t value_at(const struct channel *c, uint64_t t)
{
    uint32_t wrap = c->bcd ? 10000 : 0x10000, v;
    if (!c->counting || gate_stops(c)) t = 0;
    switch (c->mode) {
    case 2: v = c->count - (uint32_t)(t % c->count); break;
    case 3: v = c->count - (uint32_t)(t % ((c->count + 1u) / 2) * 2); break; /* counts by two */
    default: v = (uint32_t)((c->count + (uint64_t)wrap - t % wrap) % wrap);
    }
    v %= wrap;
    return (uint16_t)(c->bcd ? v / 1000 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10 : v);
}

/* Brings output 0 up to date and waits for its next change. */
static void update(struct i8254 *s)
{
    struct channel *c = &s->ch[0];
    uint64_t t = elapsed(s, c), next = next_change(c, t);
    irq_set(&s->dev.irq[0], output_at(c, t));
    if (next == UINT64_MAX) timer_cancel(&s->timer);
    else timer_set(&s->timer, ns_of(c->start + next));
}
static void changes(void *ctx)
{
    update(ctx);
}

static void start(struct i8254 *s, struct channel *c)
{
    c->start = ticks_of(clock_now(s->dev.board->clock));
    c->counting = true;
    update(s);
}

void i8254_gate(struct dev *d, unsigned n, bool level)
{
    struct i8254 *s = (struct i8254 *)d;
    struct channel *c = &s->ch[n];
    bool rose = level && !c->gate;
    c->gate = level;
    /* a rising gate starts or restarts all but modes 0 and 4, which it lets go on (here: from the start) */
    if (rose && !c->null_count && (c->mode != 0 && c->mode != 4)) start(s, c);
    else update(s);
}
bool i8254_out(struct dev *d, unsigned n)
{
    struct i8254 *s = (struct i8254 *)d;
    return output_at(&s->ch[n], elapsed(s, &s->ch[n]));
}

/* --- ports ------------------------------------------------------------------------------------------------------------------- */

static void load(struct i8254 *s, struct channel *c, uint16_t v)
{
    uint32_t n = c->bcd ? (v >> 12) * 1000u + (v >> 8 & 15) * 100u + (v >> 4 & 15) * 10u + (v & 15) : v;
    c->count = n ? n : c->bcd ? 10000 : 0x10000;
    if (c->count == 1 && (c->mode == 2 || c->mode == 3)) c->count = 2; /* 1 is not allowed: data sheet, modes 2 and 3 */
    c->null_count = false;
    if (c->mode == 1 || c->mode == 5) return; /* the gate starts them */
    start(s, c);
}

static void latch(struct i8254 *s, struct channel *c)
{
    if (c->latched) return;
    c->latch = value_at(c, elapsed(s, c));
    c->latched = c->rw == RW_BOTH ? 2 : 1;
}

static uint64_t counter_read(void *dev, unsigned i)
{
    struct i8254 *s = dev;
    struct channel *c = &s->ch[i];
    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    uint16_t v = c->latched ? c->latch : value_at(c, elapsed(s, c));
    bool high = c->rw == RW_HIGH || (c->rw == RW_BOTH && c->second_read);
    if (c->rw == RW_BOTH) c->second_read = !c->second_read;
    if (c->latched) c->latched--;
    return high ? v >> 8 : v & 0xff;
}

static void counter_write(void *dev, unsigned i, uint64_t v)
{
    struct i8254 *s = dev;
    struct channel *c = &s->ch[i];
    switch (c->rw) {
    case RW_LOW: load(s, c, (uint16_t)v); break;
    case RW_HIGH: load(s, c, (uint16_t)(v << 8)); break;
    default:
        if (c->second_write) {
            load(s, c, (uint16_t)(v << 8 | c->write_low));
        } else {
            c->write_low = (uint8_t)v;
            if (c->mode == 0) c->counting = false, update(s); /* the first byte stops it */
        }
        c->second_write = !c->second_write;
    }
}

static void read_back(struct i8254 *s, unsigned v)
{
    for (unsigned i = 0; i < CHANNELS; i++) {
        struct channel *c = &s->ch[i];
        if (!(v >> (1 + i) & 1)) continue;
        if (!(v & 0x20)) latch(s, c);
        if (!(v & 0x10) && !c->status_latched) {
            c->status = (uint8_t)(output_at(c, elapsed(s, c)) << 7 | c->null_count << 6 | c->rw << 4 | c->mode << 1 | c->bcd);
            c->status_latched = true;
        }
    }
}

static void control_write(void *dev, unsigned i, uint64_t v)
{
    struct i8254 *s = dev;
    unsigned n = v >> 6 & 3;
    if (n == 3) {
        read_back(s, (unsigned)v);
        return;
    }
    struct channel *c = &s->ch[n];
    if ((v >> 4 & 3) == RW_LATCH) {
        latch(s, c);
        return;
    }
    c->rw = v >> 4 & 3;
    c->mode = v >> 1 & 7;
    if (c->mode > 5) c->mode -= 4;
    c->bcd = v & 1;
    c->second_write = c->second_read = c->counting = c->status_latched = false;
    c->latched = 0;
    c->null_count = true;
    update(s);
}

static const struct reg pit_regs[] = {
    { 0, "counter", RW, 1, .count = CHANNELS, .step = 1, .read = counter_read, .write = counter_write },
    { 3, "control", WO, 1, .write = control_write },
};

static int pit_init(void *dev, struct err *e)
{
    struct i8254 *s = dev;
    timer_init(&s->timer, s->dev.board->clock, changes, s);
    return 0;
}
static void pit_exit(void *dev)
{
    timer_cancel(&((struct i8254 *)dev)->timer);
}
static void pit_reset(void *dev)
{
    struct i8254 *s = dev;
    for (unsigned i = 0; i < CHANNELS; i++)
        s->ch[i] = (struct channel){ .count = 0x10000, .mode = 3, .rw = RW_BOTH, .gate = i != 2, .null_count = true };
    update(s);
}
static int pit_loaded(void *dev, struct err *e)
{
    struct i8254 *s = dev;
    for (unsigned i = 0; i < CHANNELS; i++)
        s->ch[i].start = MIN(s->ch[i].start, ticks_of(clock_now(s->dev.board->clock)));
    update(s);
    return 0;
}

#define CHANNEL_INT(m, lo, hi) { .name = #m, .type = STATE_T_INT, .field = offsetof(struct channel, m), .size = sizeof(((struct channel *)0)->m), .min = lo, .max = hi }
static const struct state_field channel_state[] = {
    CHANNEL_INT(start, 0, 0), CHANNEL_INT(count, 1, 0x10000), CHANNEL_INT(latch, 0, 0), CHANNEL_INT(mode, 0, 5), CHANNEL_INT(rw, RW_LOW, RW_BOTH),
    CHANNEL_INT(bcd, 0, 1), CHANNEL_INT(status, 0, 0), CHANNEL_INT(write_low, 0, 0), CHANNEL_INT(latched, 0, 2), CHANNEL_INT(second_write, 0, 1),
    CHANNEL_INT(second_read, 0, 1), CHANNEL_INT(status_latched, 0, 1), CHANNEL_INT(null_count, 0, 1), CHANNEL_INT(counting, 0, 1), CHANNEL_INT(gate, 0, 1),
};

const struct device i8254_device = {
    .name = "i8254", .alias = "isa-pit", .help = "8254 interval timer", .size = sizeof(struct i8254), .window = 4, .irqs = 1, REGS(pit_regs),
    STATE({ .name = "ch", .type = STATE_T_STRUCT, .field = offsetof(SELF, ch), .size = sizeof(struct channel), .count = CHANNELS, .sub = channel_state,
            .nsub = ARRAY_LEN(channel_state) }),
    .init = pit_init, .exit = pit_exit, .reset = pit_reset, .loaded = pit_loaded,
};
