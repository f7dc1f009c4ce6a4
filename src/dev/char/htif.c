/*
 * htif.c: Host-Target Interface of the RISC-V simulators (as the programs of riscv-tests and OpenSBI use it): two words of 64 bits.
 * What is written to tohost is device << 56 | command << 48 | payload; device 0: an odd payload ends the machine with payload >> 1;
 * device 1: console, command 1 writes a byte, command 0 asks for one, which comes in fromhost. Known gaps: proxied system calls.
 */
#include "dev/char/htif.h"
#include "io/char/chr.h"

#define SELF struct htif

struct htif {
    struct dev dev;
    struct chr *chr;
    struct chr_fe *fe;
    uint64_t tohost, fromhost;
    bool wants;                  /* a byte was asked for */
    struct window *to_win, *from_win;
};

static void command(struct htif *s)
{
    uint64_t v = s->tohost, payload = v & bits_mask(48);
    unsigned dev = v >> 56, cmd = v >> 48 & 0xff;
    uint8_t c = (uint8_t)payload;
    s->tohost = 0;
    if (!v) return;
    if (dev == 0 && payload & 1) {
        if (s->dev.board->request) s->dev.board->request(s->dev.board, BOARD_SHUTDOWN, (int)(payload >> 1));
    } else if (dev == 1 && cmd == 1) {
        chr_write_all(s->fe, &c, 1);
        s->fromhost = v & ~bits_mask(48);
    } else if (dev == 1 && cmd == 0) {
        s->wants = true;
        chr_accept_input(s->fe);
    } else {
        dev_guest_error(&s->dev, false, "unknown command %u of device %u", cmd, dev);
    }
}

static uint64_t tohost_read(void *dev, unsigned i) { return ((struct htif *)dev)->tohost; }
static uint64_t fromhost_read(void *dev, unsigned i) { return ((struct htif *)dev)->fromhost; }
static void fromhost_write(void *dev, unsigned i, uint64_t v) { ((struct htif *)dev)->fromhost = v; }

static const struct reg htif_regs[] = {
    { 0, "fromhost", RW, 8, .read = fromhost_read, .write = fromhost_write },
    { 8, "tohost", RO, 8, .read = tohost_read },
};

static uint64_t htif_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    return regs_read(dev, htif_regs, ARRAY_LEN(htif_regs), off, size);
}

/* 32-bit harts write the low half first. */
static void htif_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    struct htif *s = dev;
    if (off < 8) {
        uint64_t m = bits_mask(8 * size) << 8 * off;
        s->fromhost = (s->fromhost & ~m) | (v << 8 * off & m);
        return;
    }
    if (off > 15) return;
    uint64_t m = bits_mask(8 * size) << 8 * (off - 8);
    s->tohost = (s->tohost & ~m) | (v << 8 * (off - 8) & m);
    if (off + size >= 16) command(s);
}

static uint64_t to_read(void *dev, uint64_t off, unsigned size, struct mem_attr at) { return htif_read(dev, 8 + off, size, at); }
static void to_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at) { htif_write(dev, 8 + off, v, size, at); }

static const struct mmio_ops htif_ops = { .read = htif_read, .write = htif_write }, to_ops = { .read = to_read, .write = to_write };

void htif_words(struct dev *d, uint64_t tohost, uint64_t fromhost)
{
    struct htif *s = (struct htif *)d;
    window_free(s->to_win);
    window_free(s->from_win);
    s->to_win = space_map_mmio(d->board->space, "tohost", tohost, 8, &to_ops, s, 1);
    s->from_win = space_map_mmio(d->board->space, "fromhost", fromhost, 8, &htif_ops, s, 1);
}

static size_t can_recv(void *ctx)
{
    struct htif *s = ctx;
    return s->wants && !s->fromhost ? 1 : 0;
}

static void recv_bytes(void *ctx, const uint8_t *buf, size_t len)
{
    struct htif *s = ctx;
    s->wants = false;
    s->fromhost = 1ull << 56 | 0x100 | buf[0];
}

static const struct chr_client client = { can_recv, recv_bytes, NULL, NULL };

static int htif_init(void *dev, struct err *e)
{
    struct htif *s = dev;
    struct err why = { 0 };
    s->fe = chr_attach(s->chr, &client, s, &why);
    if (s->fe || !why.code) return 0;
    if (e) *e = why;
    return -why.code;
}

static void htif_exit(void *dev)
{
    struct htif *s = dev;
    window_free(s->to_win);
    window_free(s->from_win);
    chr_detach(s->fe);
    s->fe = NULL;
}

static void htif_reset(void *dev)
{
    struct htif *s = dev;
    s->tohost = s->fromhost = 0;
    s->wants = false;
}

const struct device htif_device = {
    .name = "riscv.htif", .help = "RISC-V Host-Target Interface", .size = sizeof(struct htif), .window = 0x1000, .ops = &htif_ops,
    PROPS(PROP_CHR("chardev", chr)), STATE(STATE_INT(tohost), STATE_INT(fromhost), STATE_RANGE(wants, 0, 1)),
    .init = htif_init, .exit = htif_exit, .reset = htif_reset,
};
