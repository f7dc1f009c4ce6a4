/*
 * i6300esb.c: the watchdog timer of Intel's 6300ESB I/O controller hub (datasheet 300641, chapter 15): two stages, the first interrupts,
 * the second resets. It counts guest time.
 * Known gaps: SMI is not there; in free-running mode nothing but the end of each round is shown.
 */
#include "dev/pci/pci.h"

#define SELF struct i6300esb
enum { CONFIG = 0x60, LOCK = 0x68, LOCK_LOCKED = 1, LOCK_ENABLE = 2, LOCK_FREE = 4, CONFIG_INT = 3, CONFIG_FAST = 4, CONFIG_NO_OUTPUT = 32 };
enum { RELOAD = 0x100, TIMEOUT = 0x200, KEY1 = 0x80, KEY2 = 0x86, PRELOAD_MAX = 0xfffff };

struct i6300esb {
    struct pci_dev p;
    uint32_t preload[2];
    uint8_t stage;               /* 0: stands, 1, 2 */
    uint8_t unlock;              /* how much of the sequence came: 2 = the next write counts */
    bool interrupt, fired;       /* fired: shown after the reset that it made */
    struct timer timer;
};

/* The 35-bit counter takes the preload as its upper 20 bits (1 kHz) or as bits 24 to 5 (1 MHz); it counts cycles of 33 MHz. */
static void begin(SELF *s, unsigned stage)
{
    uint64_t cycles = ((uint64_t)s->preload[stage - 1] + 1) << (s->p.config[CONFIG] & CONFIG_FAST ? 5 : 15);
    s->stage = (uint8_t)stage;
    timer_set_in(&s->timer, cycles * 30);
}

static void stop(SELF *s)
{
    s->stage = 0;
    timer_cancel(&s->timer);
}

static void restart(SELF *s)
{
    if (s->p.config[LOCK] & LOCK_ENABLE) begin(s, s->p.config[LOCK] & LOCK_FREE ? 2 : 1);
    else stop(s);
}

static void over(void *ctx)
{
    SELF *s = ctx;
    struct board *b = s->p.dev.board;
    TRACE(i6300esb_over, "stage %u", s->stage);
    if (s->stage == 1) {
        if ((s->p.config[CONFIG] & CONFIG_INT) == 0) s->interrupt = true, pci_intx(&s->p, true);
        begin(s, 2);
    } else if (s->p.config[LOCK] & LOCK_FREE) {
        begin(s, 2);
    } else {
        stop(s);
        if (s->p.config[CONFIG] & CONFIG_NO_OUTPUT) return;
        s->fired = true;
        if (b->request) b->request(b, BOARD_WATCHDOG, 0);
    }
}

/* Registers are written behind 80h, 86h at RELOAD. */
static bool unlocked(SELF *s)
{
    bool yes = s->unlock == 2;
    s->unlock = 0;
    return yes;
}
static void preload_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    if (unlocked(s)) s->preload[i] = (uint32_t)v & PRELOAD_MAX;
}
static void gintsr_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    if (!unlocked(s) || !(v & 1)) return;
    s->interrupt = false;
    pci_intx(&s->p, false);
}
static uint64_t gintsr_read(void *dev, unsigned i) { return ((SELF *)dev)->interrupt; }
static void reload_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    if (v == KEY1) {
        s->unlock = 1;
    } else if (v == KEY2 && s->unlock == 1) {
        s->unlock = 2;
    } else if (unlocked(s)) {
        if (v & RELOAD) restart(s);
        if (v & TIMEOUT) s->fired = false;
    }
}
static uint64_t reload_read(void *dev, unsigned i) { return ((SELF *)dev)->fired ? TIMEOUT : 0; }

static const struct reg i6300esb_regs[] = {
    { 0x00, "PRELOAD", RW, FIELD_ARRAY(preload), .reset = PRELOAD_MAX, .write = preload_write },
    { 0x08, "GINTSR", RW, .read = gintsr_read, .write = gintsr_write },
    { 0x0c, "RELOAD", RW, .size = 2, .read = reload_read, .write = reload_write },
};
static uint64_t bar_read(void *dev, uint64_t off, unsigned size, struct mem_attr at) { return regs_read(dev, i6300esb_regs, ARRAY_LEN(i6300esb_regs), off, size); }
static void bar_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    regs_write(dev, i6300esb_regs, ARRAY_LEN(i6300esb_regs), off, v, size);
}
static const struct mmio_ops bar_ops = { .read = bar_read, .write = bar_write };

static void config_written(struct pci_dev *p, uint32_t off, unsigned size)
{
    SELF *s = (SELF *)p;
    if (off > LOCK || off + size <= LOCK) return;
    bool on = p->config[LOCK] & LOCK_ENABLE;
    if (p->config[LOCK] & LOCK_LOCKED) p->wmask[LOCK] = 0; /* until a reset */
    if (on != (s->stage != 0)) restart(s);
}

static void i6300esb_reset(void *dev)
{
    SELF *s = dev;
    stop(s);
    s->interrupt = false;
    s->unlock = 0;
    s->p.wmask[LOCK] = LOCK_LOCKED | LOCK_ENABLE | LOCK_FREE;
    pci_reset(&s->p);
}

static int i6300esb_init(void *dev, struct err *e)
{
    static const struct pci_row rows[] = {
        { CONFIG, 2, .write = CONFIG_INT | CONFIG_FAST | CONFIG_NO_OUTPUT },
        { LOCK, 1, .write = LOCK_LOCKED | LOCK_ENABLE | LOCK_FREE },
    };
    SELF *s = dev;
    timer_init(&s->timer, s->p.dev.board->clock, over, s);
    pci_init(&s->p, &(struct pci_id){ 0x8086, 0x25ab, 0x1af4, 0x1100, 0x088000, 0 });
    pci_rows(&s->p, 0, rows, ARRAY_LEN(rows));
    pci_bar_mmio(&s->p, 0, 0, 16, &bar_ops, s);
    s->p.config_written = config_written;
    return 0;
}

static void i6300esb_exit(void *dev)
{
    SELF *s = dev;
    stop(s);
    pci_exit(&s->p);
}

static int i6300esb_loaded(void *dev, struct err *e)
{
    SELF *s = dev;
    s->p.wmask[LOCK] = s->p.config[LOCK] & LOCK_LOCKED ? 0 : LOCK_LOCKED | LOCK_ENABLE | LOCK_FREE;
    return pci_loaded(&s->p, e);
}

const struct device i6300esb_device = {
    .name = "i6300esb", .help = "Intel 6300ESB watchdog", .category = "Watchdog devices", .bus = "pci", .size = sizeof(SELF), REGS(i6300esb_regs),
    .init = i6300esb_init, .reset = i6300esb_reset, .exit = i6300esb_exit, .loaded = i6300esb_loaded, .user_creatable = true, .hotplug = true, PROPS(PCI_PROPS),
    STATE(PCI_STATE, STATE_RANGE(stage, 0, 2), STATE_RANGE(unlock, 0, 2), STATE_RANGE(interrupt, 0, 1), STATE_RANGE(fired, 0, 1), STATE_TIMER(timer)),
};
