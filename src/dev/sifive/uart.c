/*
 * uart.c: SiFive's UART (FU540-C000 manual, chapter 13): FIFOs of 8 bytes with watermarks. What is sent leaves at once, unless the other side
 * does not take it. Known gaps: the divisor has no effect on time.
 */
#include "dev/device.h"
#include "io/char/chr.h"

#define SELF struct sifive_uart
enum { FIFO = 8, TXEN = 1, RXEN = 1, IP_TX = 1, IP_RX = 2 };
#define FULL_OR_EMPTY (1u << 31)

struct sifive_uart {
    struct dev dev;
    struct chr *chr;
    struct chr_fe *fe;
    uint8_t rx[FIFO], tx[FIFO];
    uint32_t nrx, ntx, txctrl, rxctrl, ie, div;
};

static uint32_t pending(const SELF *s)
{
    return (s->ntx < (s->txctrl >> 16 & 7) ? IP_TX : 0) | (s->nrx > (s->rxctrl >> 16 & 7) ? IP_RX : 0);
}
static void update(void *dev, unsigned i)
{
    SELF *s = dev;
    irq_set(&s->dev.irq[0], pending(s) & s->ie);
}
static void flush(SELF *s)
{
    size_t n = s->txctrl & TXEN ? chr_write(s->fe, s->tx, s->ntx) : 0;
    s->ntx -= (uint32_t)MIN(n, (size_t)s->ntx);
    memmove(s->tx, s->tx + n, s->ntx);
    update(s, 0);
}

static uint64_t txdata_read(void *dev, unsigned i) { return ((SELF *)dev)->ntx == FIFO ? FULL_OR_EMPTY : 0; }
static void txdata_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    if (s->ntx == FIFO) return;
    s->tx[s->ntx++] = (uint8_t)v;
    flush(s);
}
static uint64_t rxdata_read(void *dev, unsigned i)
{
    SELF *s = dev;
    if (!s->nrx) return FULL_OR_EMPTY;
    uint8_t v = s->rx[0];
    memmove(s->rx, s->rx + 1, --s->nrx);
    update(s, 0);
    chr_accept_input(s->fe);
    return v;
}
static uint64_t ip_read(void *dev, unsigned i) { return pending(dev); }
static void txctrl_after(void *dev, unsigned i) { flush(dev); }
static void rxctrl_after(void *dev, unsigned i)
{
    update(dev, 0);
    chr_accept_input(((SELF *)dev)->fe);
}

static const struct reg uart_regs[] = {
    { 0x00, "txdata", RW, .read = txdata_read, .write = txdata_write }, { 0x04, "rxdata", RO, .read = rxdata_read },
    { 0x08, "txctrl", RW, FIELD(txctrl), .mask = 0x70003, .after = txctrl_after }, { 0x0c, "rxctrl", RW, FIELD(rxctrl), .mask = 0x70001, .after = rxctrl_after },
    { 0x10, "ie", RW, FIELD(ie), .mask = 3, .after = update }, { 0x14, "ip", RO, .read = ip_read }, { 0x18, "div", RW, FIELD(div), .mask = 0xffff },
};

static size_t can_recv(void *ctx)
{
    SELF *s = ctx;
    return s->rxctrl & RXEN ? FIFO - s->nrx : 0;
}
static void recv_bytes(void *ctx, const uint8_t *buf, size_t len)
{
    SELF *s = ctx;
    for (size_t i = 0; i < len && s->nrx < FIFO; i++) s->rx[s->nrx++] = buf[i];
    update(s, 0);
}
static void writable(void *ctx) { flush(ctx); }
static const struct chr_client client = { can_recv, recv_bytes, NULL, writable };

static int uart_init(void *dev, struct err *e)
{
    SELF *s = dev;
    struct err local = { 0 };
    s->fe = chr_attach(s->chr, &client, s, &local);
    if (!s->fe && local.code) {
        if (e) *e = local;
        return -local.code;
    }
    return 0;
}
static void uart_exit(void *dev)
{
    SELF *s = dev;
    chr_detach(s->fe);
    s->fe = NULL;
}
static void uart_reset(void *dev)
{
    SELF *s = dev;
    s->nrx = s->ntx = 0;
    update(s, 0);
}
static int uart_loaded(void *dev, struct err *e)
{
    flush(dev);
    return 0;
}

const struct device sifive_uart_device = {
    .name = "riscv.sifive.uart", .help = "SiFive UART", .category = "Input devices", .dt = "sifive,uart0", .size = sizeof(SELF), .window = 0x1000, .irqs = 1,
    REGS(uart_regs), PROPS(PROP_CHR("chardev", chr)), STATE(STATE_BYTES(rx), STATE_BYTES(tx), STATE_RANGE(nrx, 0, FIFO), STATE_RANGE(ntx, 0, FIFO)),
    .init = uart_init, .exit = uart_exit, .reset = uart_reset, .loaded = uart_loaded,
};
