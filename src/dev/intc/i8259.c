/*
 * i8259.c: Intel 8259A programmable interrupt controller as in PC chipsets (8259A data sheet; ICH9 datasheet, 13.4: edge and level control
 * registers). Two instances make a PC's pair: the slave's output is the master's input 2.
 * Known gaps: no buffered mode, no 8080 mode (the vectors are x86's); the cascade registers are ignored, wires say who the slave is.
 */
#include "dev/intc/i8259.h"

#define SELF struct i8259

enum { ICW1_IC4 = 1, ICW1_SINGLE = 2, ICW1_LTIM = 8, ICW1 = 16, ICW4_AEOI = 2, ICW4_SFNM = 16, CASCADE = 2 };
enum { NORMAL, ICW2_NEXT, ICW3_NEXT, ICW4_NEXT };

struct i8259 {
    struct dev dev;
    struct dev *slave;       /* whom input 2 comes from, NULL: it is an input like others */
    bool master;
    uint8_t irr, isr, imr, elcr;
    uint8_t base;            /* vector of input 0 */
    uint8_t lowest;          /* input of the lowest priority; 7 after initialisation */
    uint8_t step;            /* of initialisation */
    uint8_t icw1, icw4;
    uint8_t lines;           /* levels of the inputs */
    bool read_isr, poll, special_mask, rotate_aeoi;
};

static unsigned priority(const struct i8259 *s, unsigned n)
{
    return (n - s->lowest - 1) & 7;
}

/* The input of `bits` with the highest priority; -1: none. */
static int highest(const struct i8259 *s, uint8_t bits)
{
    for (unsigned i = 1; i <= 8; i++) {
        unsigned n = (s->lowest + i) & 7;
        if (bits >> n & 1) return (int)n;
    }
    return -1;
}

static int pending(const struct i8259 *s)
{
    int n = highest(s, s->irr & ~s->imr);
    /* in special mask mode what is masked does not hold up others; in special fully nested mode a slave can interrupt itself */
    uint8_t served = s->special_mask ? s->isr & ~s->imr : s->isr;
    if (n == CASCADE && s->slave && s->icw4 & ICW4_SFNM) served &= ~(1 << CASCADE);
    int busy = highest(s, served);
    return n >= 0 && (busy < 0 || priority(s, (unsigned)n) < priority(s, (unsigned)busy)) ? n : -1;
}

static void update(struct i8259 *s)
{
    irq_set(&s->dev.irq[0], s->step == NORMAL && pending(s) >= 0);
}

static bool is_level(const struct i8259 *s, unsigned n)
{
    return s->icw1 & ICW1_LTIM || s->elcr >> n & 1;
}

static void line(void *dev, unsigned n, bool level)
{
    struct i8259 *s = dev;
    uint8_t bit = (uint8_t)(1u << n);
    bool rose = level && !(s->lines & bit);

    s->lines = level ? s->lines | bit : s->lines & ~bit;
    /* An edge stays noted when the line falls; the chip would give a spurious interrupt, which nobody wants. */
    if (level && (rose || is_level(s, n))) s->irr |= bit;
    else if (!level && is_level(s, n)) s->irr &= ~bit;
    update(s);
}

static void end(struct i8259 *s, int n, bool rotate)
{
    if (n < 0) return;
    s->isr &= ~(1u << n);
    if (rotate) s->lowest = (uint8_t)n;
}

/* Takes the request; 7 if there is none any more. */
static unsigned take(struct i8259 *s)
{
    int n = pending(s);
    if (n < 0) return 7;
    if (!is_level(s, (unsigned)n)) s->irr &= ~(1u << n);
    if (s->icw4 & ICW4_AEOI) {
        if (s->rotate_aeoi) s->lowest = (uint8_t)n;
    } else {
        s->isr |= 1u << n;
    }
    update(s);
    return (unsigned)n;
}

uint8_t i8259_ack(struct dev *master)
{
    struct i8259 *s = (struct i8259 *)master;
    unsigned n = take(s);
    if (n == CASCADE && s->slave && s->isr >> n & 1) {
        s = (struct i8259 *)s->slave;
        n = take(s);
    }
    return (uint8_t)(s->base + n);
}

static void initialize(struct i8259 *s, uint8_t v)
{
    s->icw1 = v;
    s->icw4 = 0;
    s->imr = s->isr = 0;
    s->irr = is_level(s, 0) ? s->lines : s->lines & s->elcr; /* edges have to come again */
    s->lowest = 7;
    s->special_mask = s->read_isr = s->poll = s->rotate_aeoi = false;
    s->step = ICW2_NEXT;
}

static void ocw2(struct i8259 *s, uint8_t v)
{
    unsigned n = v & 7;
    switch (v >> 5) {
    case 0: s->rotate_aeoi = false; break;
    case 4: s->rotate_aeoi = true; break;
    case 1: case 5: end(s, highest(s, s->special_mask ? s->isr & ~s->imr : s->isr), v & 0x80); break;
    case 3: case 7: end(s, (int)n, v & 0x80); break;
    case 6: s->lowest = (uint8_t)n; break;
    default: break;
    }
}

static uint64_t command_read(void *dev, unsigned i)
{
    struct i8259 *s = dev;
    if (s->poll) { /* acts as an acknowledge */
        s->poll = false;
        int n = pending(s);
        return n < 0 ? 0 : 0x80 | take(s);
    }
    return s->read_isr ? s->isr : s->irr;
}

static void command_write(void *dev, unsigned i, uint64_t v)
{
    struct i8259 *s = dev;
    if (v & ICW1) {
        initialize(s, (uint8_t)v);
    } else if (v & 8) {
        if (v & 2) s->read_isr = v & 1;
        s->poll = v & 4;
        if (v & 0x40) s->special_mask = v & 0x20;
    } else {
        ocw2(s, (uint8_t)v);
    }
    update(s);
}

static uint64_t data_read(void *dev, unsigned i)
{
    struct i8259 *s = dev;
    return s->poll ? command_read(dev, i) : s->imr;
}

static void data_write(void *dev, unsigned i, uint64_t v)
{
    struct i8259 *s = dev;
    switch (s->step) {
    case NORMAL: s->imr = (uint8_t)v; break;
    case ICW2_NEXT:
        s->base = v & 0xf8;
        s->step = !(s->icw1 & ICW1_SINGLE) ? ICW3_NEXT : s->icw1 & ICW1_IC4 ? ICW4_NEXT : NORMAL;
        break;
    case ICW3_NEXT: s->step = s->icw1 & ICW1_IC4 ? ICW4_NEXT : NORMAL; break;
    default:
        s->icw4 = (uint8_t)v;
        s->step = NORMAL;
    }
    update(s);
}

static const struct reg pic_regs[] = {
    { 0, "command", RW, 1, .read = command_read, .write = command_write },
    { 1, "data", RW, 1, .read = data_read, .write = data_write },
};

/* Edge and level control: ports 0x4d0 and 0x4d1. Timer, keyboard, cascade, clock and coprocessor are always edges. */
static uint64_t elcr_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    return ((struct i8259 *)dev)->elcr;
}
static void elcr_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    struct i8259 *s = dev;
    s->elcr = v & (s->master ? 0xf8 : 0xde);
    update(s);
}
static const struct mmio_ops elcr_ops = { .read = elcr_read, .write = elcr_write, .min = 1, .max = 1 };

static int pic_init(void *dev, struct err *e)
{
    struct i8259 *s = dev;
    if (s->slave && s->slave->cls != s->dev.cls) return err_set(e, EINVAL, "i8259: slave '%s' is no i8259", s->slave->id);
    if (s->dev.board->io) space_map_mmio(s->dev.board->io, "elcr", s->master ? 0x4d0 : 0x4d1, 1, &elcr_ops, s, 0);
    return 0;
}

static void pic_reset(void *dev)
{
    struct i8259 *s = dev;
    initialize(s, 0);
    s->elcr = s->base = 0;
    s->step = NORMAL;
    s->irr = 0;
    update(s);
}

static int pic_loaded(void *dev, struct err *e)
{
    update(dev);
    return 0;
}

const struct device i8259_device = {
    .name = "i8259", .alias = "isa-i8259", .help = "8259A interrupt controller", .size = sizeof(struct i8259), .window = 2, .irqs = 1, .inputs = 8,
    .input = line, REGS(pic_regs), PROPS(PROP_BOOL("master", master, false), PROP_DEV("slave", slave)),
    STATE(STATE_INT(irr), STATE_INT(isr), STATE_INT(imr), STATE_INT(elcr), STATE_INT(base), STATE_RANGE(lowest, 0, 7),
          STATE_RANGE(step, NORMAL, ICW4_NEXT), STATE_INT(icw1), STATE_INT(icw4), STATE_INT(lines), STATE_RANGE(read_isr, 0, 1),
          STATE_RANGE(poll, 0, 1), STATE_RANGE(special_mask, 0, 1), STATE_RANGE(rotate_aeoi, 0, 1)),
    .init = pic_init, .reset = pic_reset, .loaded = pic_loaded,
};
