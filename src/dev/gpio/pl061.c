/*
 * pl061.c: Arm PrimeCell GPIO PL061 (Arm DDI 0190B): eight pins, interrupts by level or edge. Inputs 0..7 drive the pins; outputs 0..7
 * follow pins that are outputs, output 8 is the interrupt... which stands first as irq 0, so pins are outputs 1..8.
 *
 * Gap: hardware control (AFSEL) is stored only. Undriven pins read as 0.
 */
#include "dev/device.h"

#define SELF struct pl061

enum { PINS = 8, IRQ = 0, PIN0 = 1 };

struct pl061 {
    struct dev dev;
    uint32_t data;        /* pins: outputs as written, inputs as driven */
    uint32_t in;          /* what the outside drives */
    uint32_t dir, sense, both, event, mask, ris, afsel, pulldowns;
};

static void irq_update(struct pl061 *s)
{
    irq_set(&s->dev.irq[IRQ], s->ris & s->mask);
}

/* Pins take their new values: edges and levels of inputs, lines of outputs. */
static void pins(struct pl061 *s)
{
    uint32_t was = s->data, now = (s->data & s->dir) | (s->in & ~s->dir & 0xff), changed = was ^ now;
    s->data = now;
    for (unsigned i = 0; i < PINS; i++)
        if (s->dir >> i & 1) irq_set(&s->dev.irq[PIN0 + i], now >> i & 1);
    uint32_t edges = changed & ~s->sense & (s->both | ~(now ^ s->event)), levels = s->sense & ~(now ^ s->event);
    s->ris = (s->ris & ~s->sense) | ((edges | levels) & 0xff);
    irq_update(s);
}

/* The address's bits 9..2 say which pins an access is for. */
static uint64_t data_read(void *dev, unsigned i) { return ((struct pl061 *)dev)->data & i; }
static void data_write(void *dev, unsigned i, uint64_t v)
{
    struct pl061 *s = dev;
    uint32_t m = i & s->dir, was = s->data;
    s->data = (s->data & ~m) | ((uint32_t)v & m);
    for (unsigned p = 0; p < PINS; p++)
        if (((was ^ s->data) >> p & 1)) irq_set(&s->dev.irq[PIN0 + p], s->data >> p & 1);
}

static void after(void *dev, unsigned i) { pins(dev); }
static uint64_t ris_read(void *dev, unsigned i) { return ((struct pl061 *)dev)->ris; }
static uint64_t mis_read(void *dev, unsigned i) { return ((struct pl061 *)dev)->ris & ((struct pl061 *)dev)->mask; }

static void ic_write(void *dev, unsigned i, uint64_t v)
{
    struct pl061 *s = dev;
    s->ris &= ~((uint32_t)v & ~s->sense); /* levels go with their cause */
    irq_update(s);
}

static uint64_t id_read(void *dev, unsigned i)
{
    static const uint8_t id[] = { 0, 0, 0, 0, 0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
    return id[i];
}

static const struct reg pl061_regs[] = {
    { 0x000, "data", RW, .mask = 0xff, .count = 256, .step = 4, .read = data_read, .write = data_write },
    { 0x400, "dir", RW, FIELD(dir), .mask = 0xff, .after = after },
    { 0x404, "is", RW, FIELD(sense), .mask = 0xff, .after = after },
    { 0x408, "ibe", RW, FIELD(both), .mask = 0xff, .after = after },
    { 0x40c, "iev", RW, FIELD(event), .mask = 0xff, .after = after },
    { 0x410, "ie", RW, FIELD(mask), .mask = 0xff, .after = after },
    { 0x414, "ris", RO, .read = ris_read },
    { 0x418, "mis", RO, .read = mis_read },
    { 0x41c, "ic", WO, .mask = 0xff, .write = ic_write },
    { 0x420, "afsel", RW, FIELD(afsel), .mask = 0xff },
    { 0xfd0, "id", RO, .read = id_read, .count = 12, .step = 4 },
};

static void pl061_input(void *dev, unsigned n, bool level)
{
    struct pl061 *s = dev;
    if (n >= PINS) return;
    s->in = level ? s->in | 1u << n : s->in & ~(1u << n);
    pins(s);
}

static void pl061_reset(void *dev)
{
    struct pl061 *s = dev;
    s->ris = 0;
    s->data = s->in;
    for (unsigned i = 0; i < PINS; i++) irq_set(&s->dev.irq[PIN0 + i], false);
    irq_update(s);
}

static int pl061_loaded(void *dev, struct err *e)
{
    pins(dev);
    return 0;
}

const struct device pl061_device = {
    .name = "pl061", .help = "Arm PrimeCell GPIO", .category = "Misc devices", .dt = "arm,pl061;arm,primecell",
    .size = sizeof(struct pl061), .window = 0x1000, .irqs = 1 + PINS, .inputs = PINS, .input = pl061_input, REGS(pl061_regs),
    STATE(STATE_RANGE(data, 0, 0xff), STATE_RANGE(in, 0, 0xff), STATE_RANGE(ris, 0, 0xff)),
    .reset = pl061_reset, .loaded = pl061_loaded,
};
