/*
 * pl011.c: Arm PrimeCell UART PL011 (Arm DDI 0183G): FIFOs of 16 bytes, interrupts by level and timeout, modem lines, break, loopback.
 *
 * What is received goes into the FIFO as fast as there is room; what is sent leaves at once (the transmit FIFO fills only while the
 * other side does not take it). Gaps: no DMA requests, no IrDA; the receive timeout is at once.
 */
#include "dev/device.h"
#include "io/char/chr.h"

#define SELF struct pl011

enum { FIFO = 16 };
/* FR */
enum { FR_CTS = 1, FR_DSR = 2, FR_DCD = 4, FR_BUSY = 8, FR_RXFE = 16, FR_TXFF = 32, FR_RXFF = 64, FR_TXFE = 128, FR_RI = 256 };
/* RIS, IMSC, MIS, ICR */
enum { INT_CTS = 2, INT_RX = 16, INT_TX = 32, INT_RT = 64, INT_FE = 128, INT_PE = 256, INT_BE = 512, INT_OE = 1024, INT_ALL = 0x7ff };
/* DR, and RSR without the data */
enum { DR_FE = 1 << 8, DR_PE = 1 << 9, DR_BE = 1 << 10, DR_OE = 1 << 11 };
enum { LCR_BRK = 1, LCR_PEN = 2, LCR_EPS = 4, LCR_STP2 = 8, LCR_FEN = 16 };
enum { CR_UARTEN = 1, CR_LBE = 128, CR_TXE = 256, CR_RXE = 512, CR_DTR = 1 << 10, CR_RTS = 1 << 11 };

struct pl011 {
    struct dev dev;
    struct chr *chr;
    struct chr_fe *fe;
    uint16_t rx[FIFO];
    uint32_t rx_count;
    uint8_t tx[FIFO];
    uint32_t tx_count;
    uint32_t rsr, ilpr, ibrd, fbrd, lcr, cr, ifls, imsc, ris, dmacr;
};

static void update(struct pl011 *s)
{
    irq_set(&s->dev.irq[0], s->ris & s->imsc);
}

static unsigned fifo_size(const struct pl011 *s)
{
    return s->lcr & LCR_FEN ? FIFO : 1;
}

/* Bytes at which the interrupts of a FIFO come: 1/8, 1/4, 1/2, 3/4, 7/8. */
static unsigned level_of(const struct pl011 *s, unsigned sel)
{
    static const uint8_t at[] = { 2, 4, 8, 12, 14, 14, 14, 14 };
    return s->lcr & LCR_FEN ? at[sel & 7] : 1;
}

/* Receive interrupts follow the FIFO: RX at its level, RT for what is less than that and waits. */
static void rx_ints(struct pl011 *s)
{
    s->ris &= ~(uint32_t)(INT_RX | INT_RT);
    if (s->rx_count >= level_of(s, s->ifls >> 3)) s->ris |= INT_RX;
    if (s->rx_count && s->lcr & LCR_FEN) s->ris |= INT_RT;
}

static void rx_put(struct pl011 *s, uint16_t v)
{
    if (s->rx_count >= fifo_size(s)) {
        s->ris |= INT_OE;
        s->rsr |= DR_OE >> 8;
    } else {
        s->rx[s->rx_count++] = v;
        if (v & DR_BE) s->ris |= INT_BE;
    }
    rx_ints(s);
}

/* Sends what waits, and says so when the FIFO has fallen to its level. */
static void tx_flush(struct pl011 *s)
{
    size_t n = chr_write(s->fe, s->tx, s->tx_count);
    if (n > s->tx_count) n = s->tx_count;
    s->tx_count -= (uint32_t)n;
    memmove(s->tx, s->tx + n, s->tx_count);
    if (s->tx_count <= (s->lcr & LCR_FEN ? level_of(s, s->ifls) : 0)) s->ris |= INT_TX;
    update(s);
}

/* --- registers --------------------------------------------------------------------------------------------------------------------------- */

static uint64_t dr_read(void *dev, unsigned i)
{
    struct pl011 *s = dev;
    if (!s->rx_count) return 0;
    uint16_t v = s->rx[0];
    s->rx_count--;
    memmove(s->rx, s->rx + 1, s->rx_count * sizeof s->rx[0]);
    s->rsr = (s->rsr & (DR_OE >> 8)) | (v >> 8 & 7);
    rx_ints(s);
    update(s);
    chr_accept_input(s->fe);
    return v;
}

static void dr_write(void *dev, unsigned i, uint64_t v)
{
    struct pl011 *s = dev;
    uint8_t c = (uint8_t)v;
    if (s->cr & CR_LBE) {
        rx_put(s, c);
        s->ris |= INT_TX;
        update(s);
        return;
    }
    if (s->tx_count >= fifo_size(s)) return; /* full: lost, as software was told by FR */
    s->ris &= ~(uint32_t)INT_TX;
    s->tx[s->tx_count++] = c;
    TRACE(pl011_tx, "byte %02x", c);
    tx_flush(s);
}

static uint64_t rsr_read(void *dev, unsigned i) { return ((struct pl011 *)dev)->rsr; }
static void rsr_write(void *dev, unsigned i, uint64_t v) { ((struct pl011 *)dev)->rsr = 0; }

/* CTS, DSR, DCD, RI: the line's; set where there is none. In loopback the outputs come back. */
static uint32_t modem(const struct pl011 *s)
{
    unsigned l;
    if (s->cr & CR_LBE) return (s->cr & CR_RTS ? FR_CTS : 0) | (s->cr & CR_DTR ? FR_DSR : 0) | (s->cr >> 12 & 1 ? FR_DCD : 0) | (s->cr >> 13 & 1 ? FR_RI : 0);
    if (chr_get_modem(s->fe, &l)) return FR_CTS | FR_DSR | FR_DCD;
    return (l & CHR_CTS ? FR_CTS : 0) | (l & CHR_DSR ? FR_DSR : 0) | (l & CHR_DCD ? FR_DCD : 0) | (l & CHR_RI ? FR_RI : 0);
}

static uint64_t fr_read(void *dev, unsigned i)
{
    struct pl011 *s = dev;
    return modem(s) | (s->rx_count ? 0 : FR_RXFE) | (s->rx_count >= fifo_size(s) ? FR_RXFF : 0) | (s->tx_count ? FR_BUSY : FR_TXFE) |
           (s->tx_count >= fifo_size(s) ? FR_TXFF : 0);
}

/* Speed: UARTCLK is 24 MHz on the boards that have it; divisor in 1/64. */
static void set_params(struct pl011 *s)
{
    uint64_t div = (uint64_t)s->ibrd << 6 | s->fbrd;
    struct chr_params p = { .speed = div ? (uint32_t)(24000000ull * 4 / div) : 0, .data_bits = (uint8_t)(5 + (s->lcr >> 5 & 3)),
                            .stop_bits = s->lcr & LCR_STP2 ? 2 : 1, .parity = !(s->lcr & LCR_PEN) ? 'N' : s->lcr & LCR_EPS ? 'E' : 'O' };
    if (p.speed) chr_set_params(s->fe, &p);
}

static void lcr_write(void *dev, unsigned i, uint64_t v)
{
    struct pl011 *s = dev;
    uint32_t was = s->lcr;
    s->lcr = (uint32_t)v;
    if ((was ^ s->lcr) & LCR_FEN) s->rx_count = s->tx_count = 0; /* switching FIFOs flushes them */
    if ((was ^ s->lcr) & LCR_BRK) {
        if (s->cr & CR_LBE) { if (s->lcr & LCR_BRK) rx_put(s, DR_BE); }
        else chr_set_break(s->fe, s->lcr & LCR_BRK);
    }
    set_params(s);
    rx_ints(s);
    update(s);
    chr_accept_input(s->fe);
}

static void cr_write(void *dev, unsigned i, uint64_t v)
{
    struct pl011 *s = dev;
    s->cr = (uint32_t)v;
    if (!(s->cr & CR_LBE)) chr_set_modem(s->fe, (s->cr & CR_DTR ? CHR_DTR : 0) | (s->cr & CR_RTS ? CHR_RTS : 0));
    chr_accept_input(s->fe);
}

static void ifls_after(void *dev, unsigned i)
{
    struct pl011 *s = dev;
    rx_ints(s);
    update(s);
}

static void imsc_after(void *dev, unsigned i) { update(dev); }
static uint64_t ris_read(void *dev, unsigned i) { return ((struct pl011 *)dev)->ris; }
static uint64_t mis_read(void *dev, unsigned i) { return ((struct pl011 *)dev)->ris & ((struct pl011 *)dev)->imsc; }
static void icr_write(void *dev, unsigned i, uint64_t v)
{
    struct pl011 *s = dev;
    s->ris &= ~(uint32_t)v;
    update(s);
}

static uint64_t id_read(void *dev, unsigned i)
{
    static const uint8_t id[] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };
    return id[i];
}

static const struct reg pl011_regs[] = {
    { 0x00, "dr", RW, .mask = 0xff, .read = dr_read, .write = dr_write },
    { 0x04, "rsr", RW, .read = rsr_read, .write = rsr_write },
    { 0x18, "fr", RO, .read = fr_read },
    { 0x20, "ilpr", RW, FIELD(ilpr), .mask = 0xff },
    { 0x24, "ibrd", RW, FIELD(ibrd), .mask = 0xffff },
    { 0x28, "fbrd", RW, FIELD(fbrd), .mask = 0x3f },
    { 0x2c, "lcr_h", RW, FIELD(lcr), .mask = 0xff, .write = lcr_write },
    { 0x30, "cr", RW, FIELD(cr), .mask = 0xff87, .reset = CR_TXE | CR_RXE, .write = cr_write },
    { 0x34, "ifls", RW, FIELD(ifls), .mask = 0x3f, .reset = 0x12, .after = ifls_after },
    { 0x38, "imsc", RW, FIELD(imsc), .mask = INT_ALL, .after = imsc_after },
    { 0x3c, "ris", RO, .read = ris_read },
    { 0x40, "mis", RO, .read = mis_read },
    { 0x44, "icr", WO, .mask = INT_ALL, .write = icr_write },
    { 0x48, "dmacr", RW, FIELD(dmacr), .mask = 7 },
    { 0xfe0, "id", RO, .read = id_read, .count = 8, .step = 4 },
};

/* --- the other side ----------------------------------------------------------------------------------------------------------------------- */

static bool listening(const struct pl011 *s)
{
    return !(s->cr & CR_LBE);
}

static size_t can_recv(void *ctx)
{
    struct pl011 *s = ctx;
    return listening(s) && s->rx_count < fifo_size(s) ? fifo_size(s) - s->rx_count : 0;
}

static void recv_bytes(void *ctx, const uint8_t *buf, size_t len)
{
    struct pl011 *s = ctx;
    for (size_t i = 0; i < len; i++) rx_put(s, buf[i]);
    update(s);
}

static void event(void *ctx, enum chr_event ev)
{
    struct pl011 *s = ctx;
    if (ev == CHR_BREAK && listening(s)) {
        rx_put(s, DR_BE);
        update(s);
    }
}

static void writable(void *ctx)
{
    struct pl011 *s = ctx;
    if (s->tx_count) tx_flush(s);
}

static const struct chr_client client = { can_recv, recv_bytes, event, writable };

static int pl011_init(void *dev, struct err *e)
{
    struct pl011 *s = dev;
    struct err local = { 0 };
    s->fe = chr_attach(s->chr, &client, s, &local);
    if (!s->fe && local.code) {
        if (e) *e = local;
        return -local.code;
    }
    return 0;
}

static void pl011_exit(void *dev)
{
    struct pl011 *s = dev;
    chr_detach(s->fe);
    s->fe = NULL;
}

static void pl011_reset(void *dev)
{
    struct pl011 *s = dev;
    s->rx_count = s->tx_count = 0;
    s->rsr = s->ris = 0;
    update(s);
    chr_accept_input(s->fe);
}

static int pl011_loaded(void *dev, struct err *e)
{
    tx_flush(dev);
    return 0;
}

const struct device pl011_device = {
    .name = "pl011", .help = "Arm PrimeCell UART", .category = "Input devices", .dt = "arm,pl011;arm,primecell",
    .size = sizeof(struct pl011), .window = 0x1000, .irqs = 1, REGS(pl011_regs),
    PROPS(PROP_CHR("chardev", chr)),
    STATE(STATE_ARRAY(rx), STATE_RANGE(rx_count, 0, FIFO), STATE_BYTES(tx), STATE_RANGE(tx_count, 0, FIFO), STATE_INT(rsr), STATE_INT(ris)),
    .init = pl011_init, .exit = pl011_exit, .reset = pl011_reset, .loaded = pl011_loaded,
};
