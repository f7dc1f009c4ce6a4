/*
 * uart16550.c: 16550A serial port (National Semiconductor PC16550D, June 1995): FIFOs of 16 bytes, interrupts by level and timeout,
 * modem lines, break, loopback. `regshift` spreads the registers, as SoCs do.
 *
 * What is sent leaves at once; the transmit FIFO fills only while the other side does not take it. Gaps: DMA modes, the time that a
 * byte takes on the line (only the receive timeout is timed).
 */
#include "dev/device.h"
#include "dev/fdt.h"
#include "io/char/chr.h"

#define SELF struct uart16550

enum { FIFO = 16 };
enum { IER_RX = 1, IER_TX = 2, IER_LINE = 4, IER_MODEM = 8 };
enum { IIR_NONE = 1, IIR_MODEM = 0, IIR_TX = 2, IIR_RX = 4, IIR_LINE = 6, IIR_TIMEOUT = 12, IIR_FIFOS = 0xc0 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_CLEAR_TX = 4 };
enum { LCR_STOP = 4, LCR_PARITY = 8, LCR_EVEN = 16, LCR_BREAK = 0x40, LCR_DLAB = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 16 };
enum { LSR_DATA = 1, LSR_OVERRUN = 2, LSR_PARITY = 4, LSR_FRAMING = 8, LSR_BREAK = 16, LSR_THRE = 32, LSR_IDLE = 64, LSR_FIFO_ERROR = 0x80,
       LSR_ERRORS = LSR_OVERRUN | LSR_PARITY | LSR_FRAMING | LSR_BREAK };
enum { MSR_CTS = 16, MSR_DSR = 32, MSR_RI = 64, MSR_DCD = 128 };

struct uart16550 {
    struct dev dev;
    struct chr *chr;
    struct chr_fe *fe;
    uint32_t shift, clock, baudbase;
    struct timer timeout;
    uint8_t rx[FIFO], rx_flags[FIFO], tx[FIFO];
    uint32_t rx_count, tx_count;
    uint8_t ier, fcr, lcr, mcr, lsr, msr, scr;
    uint16_t divisor;
    bool tx_empty_int, timed_out; /* reasons for interrupts that are no levels */
    bool tx_waits;            /* the back end was full */
};

static unsigned fifo_size(const struct uart16550 *s)
{
    return s->fcr & FCR_ENABLE ? FIFO : 1;
}

static unsigned rx_level(const struct uart16550 *s)
{
    static const uint8_t at[] = { 1, 4, 8, 14 };
    return s->fcr & FCR_ENABLE ? at[s->fcr >> 6] : 1;
}

/* The reason of highest priority (table 4 of the manual). */
static uint8_t reason(const struct uart16550 *s)
{
    if (s->ier & IER_LINE && s->lsr & LSR_ERRORS) return IIR_LINE;
    if (s->ier & IER_RX && s->rx_count >= rx_level(s)) return IIR_RX;
    if (s->ier & IER_RX && s->rx_count && s->timed_out) return IIR_TIMEOUT;
    if (s->ier & IER_TX && s->tx_empty_int) return IIR_TX;
    if (s->ier & IER_MODEM && s->msr & 15) return IIR_MODEM;
    return IIR_NONE;
}

static void update(struct uart16550 *s)
{
    irq_set(&s->dev.irq[0], reason(s) != IIR_NONE);
}

/* Time of four characters, after which waiting bytes are announced. */
static uint64_t timeout_ns(const struct uart16550 *s)
{
    uint64_t bits = 4ull * (7 + (s->lcr & 3) + 2), div = s->divisor ? s->divisor : 1;
    return MIN(bits * div * NS_PER_S / s->baudbase, (uint64_t)NS_PER_S);
}

static void rx_put(struct uart16550 *s, uint8_t c, uint8_t flags)
{
    if (s->rx_count >= fifo_size(s)) {
        s->lsr |= LSR_OVERRUN;
        return;
    }
    s->rx_flags[s->rx_count] = flags;
    s->rx[s->rx_count++] = c;
    if (s->rx_count == 1) s->lsr |= flags; /* errors show with the byte at the top */
    s->lsr |= LSR_DATA;
}

static void rx_arm(struct uart16550 *s)
{
    s->timed_out = false;
    if (s->rx_count && s->fcr & FCR_ENABLE && s->rx_count < rx_level(s)) timer_set_in(&s->timeout, timeout_ns(s));
    else timer_cancel(&s->timeout);
}

static void on_timeout(void *ctx)
{
    struct uart16550 *s = ctx;
    s->timed_out = s->rx_count != 0;
    update(s);
}

static void tx_flush(struct uart16550 *s)
{
    size_t n = MIN(chr_write(s->fe, s->tx, s->tx_count), s->tx_count);
    s->tx_count -= (uint32_t)n;
    s->tx_waits = s->tx_count != 0;
    memmove(s->tx, s->tx + n, s->tx_count);
    if (!s->tx_count) {
        s->lsr |= LSR_THRE | LSR_IDLE;
        s->tx_empty_int = true;
    }
    update(s);
}

static uint8_t modem_lines(const struct uart16550 *s)
{
    unsigned l;
    if (s->mcr & MCR_LOOP) return (uint8_t)((s->mcr & MCR_DTR) << 5 | (s->mcr & MCR_RTS) << 3 | (s->mcr & (MCR_OUT1 | MCR_OUT2)) << 4);
    if (chr_get_modem(s->fe, &l)) return MSR_CTS | MSR_DSR | MSR_DCD;
    return (l & CHR_CTS ? MSR_CTS : 0) | (l & CHR_DSR ? MSR_DSR : 0) | (l & CHR_DCD ? MSR_DCD : 0) | (l & CHR_RI ? MSR_RI : 0);
}

/* Deltas: CTS, DSR and DCD on any change, RI on its end. */
static void modem_update(struct uart16550 *s)
{
    uint8_t now = modem_lines(s), diff = (now ^ s->msr) & 0xf0;
    s->msr = now | (s->msr & 15) | ((diff & ~MSR_RI) >> 4) | (diff & MSR_RI && !(now & MSR_RI) ? 4 : 0);
}

static void set_params(struct uart16550 *s)
{
    static const char parity[] = "NONE";
    struct chr_params p = { .speed = s->divisor ? s->baudbase / s->divisor : 0, .data_bits = (uint8_t)(5 + (s->lcr & 3)),
                            .stop_bits = s->lcr & LCR_STOP ? 2 : 1 };
    p.parity = !(s->lcr & LCR_PARITY) ? parity[0] : s->lcr & LCR_EVEN ? parity[3] : parity[1];
    if (p.speed) chr_set_params(s->fe, &p);
}

/* --- registers ------------------------------------------------------------------------------------------------------------ */

static uint64_t rbr_read(void *dev, unsigned i)
{
    struct uart16550 *s = dev;
    if (s->lcr & LCR_DLAB) return s->divisor & 0xff;
    if (!s->rx_count) return 0;
    uint8_t c = s->rx[0];
    s->rx_count--;
    memmove(s->rx, s->rx + 1, s->rx_count);
    memmove(s->rx_flags, s->rx_flags + 1, s->rx_count);
    if (s->rx_count) s->lsr |= s->rx_flags[0];
    else s->lsr &= (uint8_t)~LSR_DATA;
    rx_arm(s);
    update(s);
    if (!(s->mcr & MCR_LOOP)) chr_accept_input(s->fe);
    return c;
}

static void thr_write(void *dev, unsigned i, uint64_t v)
{
    struct uart16550 *s = dev;
    if (s->lcr & LCR_DLAB) {
        s->divisor = (uint16_t)((s->divisor & 0xff00) | v);
        set_params(s);
        return;
    }
    s->tx_empty_int = false;
    if (s->mcr & MCR_LOOP) {
        rx_put(s, (uint8_t)v, 0);
        rx_arm(s);
        s->tx_empty_int = true;
        update(s);
        return;
    }
    if (s->tx_count >= fifo_size(s)) return; /* full, as LSR said: lost */
    s->tx[s->tx_count++] = (uint8_t)v;
    s->lsr &= (uint8_t)~(LSR_THRE | LSR_IDLE);
    if (s->tx_waits) update(s);
    else tx_flush(s);
}

static uint64_t ier_read(void *dev, unsigned i)
{
    struct uart16550 *s = dev;
    return s->lcr & LCR_DLAB ? s->divisor >> 8 : s->ier;
}

static void ier_write(void *dev, unsigned i, uint64_t v)
{
    struct uart16550 *s = dev;
    if (s->lcr & LCR_DLAB) {
        s->divisor = (uint16_t)((s->divisor & 0xff) | v << 8);
        set_params(s);
        return;
    }
    bool tx_on = v & IER_TX && !(s->ier & IER_TX);
    s->ier = v & 15;
    if (tx_on && s->lsr & LSR_THRE) s->tx_empty_int = true;
    update(s);
}

static uint64_t iir_read(void *dev, unsigned i)
{
    struct uart16550 *s = dev;
    uint8_t r = reason(s);
    if (r == IIR_TX) { /* reading it is the acknowledgement */
        s->tx_empty_int = false;
        update(s);
    }
    return r | (s->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static void fcr_write(void *dev, unsigned i, uint64_t v)
{
    struct uart16550 *s = dev;
    bool flip = (s->fcr ^ v) & FCR_ENABLE;
    if (flip || v & FCR_CLEAR_RX) {
        s->rx_count = 0;
        s->lsr &= (uint8_t)~(LSR_DATA | LSR_BREAK);
    }
    if (flip || v & FCR_CLEAR_TX) {
        s->tx_count = 0;
        s->lsr |= LSR_THRE | LSR_IDLE;
        s->tx_empty_int = true;
    }
    s->fcr = v & FCR_ENABLE ? (uint8_t)(v & 0xc9) : 0;
    rx_arm(s);
    update(s);
    chr_accept_input(s->fe);
}

static uint64_t lcr_read(void *dev, unsigned i) { return ((struct uart16550 *)dev)->lcr; }
static void lcr_write(void *dev, unsigned i, uint64_t v)
{
    struct uart16550 *s = dev;
    uint8_t was = s->lcr;
    s->lcr = (uint8_t)v;
    if ((was ^ v) & LCR_BREAK) chr_set_break(s->fe, v & LCR_BREAK);
    if ((was ^ v) & 0x3f) set_params(s);
}

static uint64_t mcr_read(void *dev, unsigned i) { return ((struct uart16550 *)dev)->mcr; }
static void mcr_write(void *dev, unsigned i, uint64_t v)
{
    struct uart16550 *s = dev;
    s->mcr = v & 31;
    if (!(v & MCR_LOOP)) chr_set_modem(s->fe, (v & MCR_DTR ? CHR_DTR : 0) | (v & MCR_RTS ? CHR_RTS : 0));
    modem_update(s);
    update(s);
    chr_accept_input(s->fe);
}

static uint64_t lsr_read(void *dev, unsigned i)
{
    struct uart16550 *s = dev;
    uint8_t v = s->lsr;
    for (unsigned k = 1; k < s->rx_count; k++)
        if (s->rx_flags[k]) v |= LSR_FIFO_ERROR;
    s->lsr &= (uint8_t)~LSR_ERRORS;
    update(s);
    return v;
}

static uint64_t msr_read(void *dev, unsigned i)
{
    struct uart16550 *s = dev;
    modem_update(s);
    uint8_t v = s->msr;
    s->msr &= 0xf0;
    update(s);
    return v;
}

static const struct reg uart_regs[] = {
    { 0, "rbr_thr_dll", RW, 1, .mask = 0xff, .read = rbr_read, .write = thr_write },
    { 1, "ier_dlm", RW, 1, .mask = 0xff, .read = ier_read, .write = ier_write },
    { 2, "iir_fcr", RW, 1, .mask = 0xff, .read = iir_read, .write = fcr_write },
    { 3, "lcr", RW, 1, .mask = 0xff, .read = lcr_read, .write = lcr_write },
    { 4, "mcr", RW, 1, .mask = 0xff, .read = mcr_read, .write = mcr_write },
    { 5, "lsr", RO, 1, .read = lsr_read },
    { 6, "msr", RO, 1, .read = msr_read },
    { 7, "scr", RW, 1, FIELD(scr) },
};

/* Bytes between the registers, and behind them, are the registers again: only some address lines are wired. */
static uint64_t uart_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    struct uart16550 *s = dev;
    return regs_read(dev, uart_regs, ARRAY_LEN(uart_regs), off >> s->shift & 7, 1);
}

static void uart_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    struct uart16550 *s = dev;
    regs_write(dev, uart_regs, ARRAY_LEN(uart_regs), off >> s->shift & 7, v & 0xff, 1);
}

static const struct mmio_ops uart_ops = { .read = uart_read, .write = uart_write, .max = 8 };

/* --- the other side ---------------------------------------------------------------------------------------------------------- */

static size_t can_recv(void *ctx)
{
    struct uart16550 *s = ctx;
    return !(s->mcr & MCR_LOOP) && s->rx_count < fifo_size(s) ? fifo_size(s) - s->rx_count : 0;
}

static void recv_bytes(void *ctx, const uint8_t *buf, size_t len)
{
    struct uart16550 *s = ctx;
    for (size_t i = 0; i < len; i++) rx_put(s, buf[i], 0);
    rx_arm(s);
    update(s);
}

static void event(void *ctx, enum chr_event ev)
{
    struct uart16550 *s = ctx;
    if (ev == CHR_BREAK && !(s->mcr & MCR_LOOP)) {
        rx_put(s, 0, LSR_BREAK);
        rx_arm(s);
        update(s);
    }
}

static void writable(void *ctx)
{
    struct uart16550 *s = ctx;
    s->tx_waits = false;
    if (s->tx_count) tx_flush(s);
}

static const struct chr_client client = { can_recv, recv_bytes, event, writable };

static int uart_init(void *dev, struct err *e)
{
    struct uart16550 *s = dev;
    struct err why = { 0 };
    if (!s->baudbase) s->baudbase = 115200;
    timer_init(&s->timeout, s->dev.board->clock, on_timeout, s);
    s->fe = chr_attach(s->chr, &client, s, &why);
    if (s->fe || !why.code) return 0;
    if (e) *e = why;
    return -why.code;
}

static void uart_exit(void *dev)
{
    struct uart16550 *s = dev;
    timer_cancel(&s->timeout);
    chr_detach(s->fe);
    s->fe = NULL;
}

static void uart_reset(void *dev)
{
    struct uart16550 *s = dev;
    s->rx_count = s->tx_count = 0;
    s->ier = s->fcr = s->lcr = s->mcr = s->scr = 0;
    s->mcr = MCR_OUT2;
    s->lsr = LSR_THRE | LSR_IDLE;
    s->divisor = 12;
    s->tx_empty_int = s->timed_out = s->tx_waits = false;
    s->msr = modem_lines(s);
    timer_cancel(&s->timeout);
    update(s);
    chr_accept_input(s->fe);
}

static int uart_loaded(void *dev, struct err *e)
{
    struct uart16550 *s = dev;
    s->tx_waits = false;
    if (s->tx_count) tx_flush(s);
    return 0;
}

static void uart_fdt(void *dev, struct fdt_node *n)
{
    struct uart16550 *s = dev;
    fdt_set_u32(n, "clock-frequency", s->clock);
    if (s->shift) fdt_set_u32(n, "reg-shift", s->shift);
}

const struct device uart16550_device = {
    .name = "uart16550", .help = "16550A serial port", .category = "Input devices", .dt = "ns16550a", .size = sizeof(struct uart16550),
    .window = 0x100, .irqs = 1, .ops = &uart_ops,
    PROPS(PROP_CHR("chardev", chr), PROP_U32("regshift", shift, 0), PROP_U32("clock", clock, 3686400), PROP_U32("baudbase", baudbase, 115200)),
    STATE(STATE_BYTES(rx), STATE_BYTES(rx_flags), STATE_BYTES(tx), STATE_RANGE(rx_count, 0, FIFO), STATE_RANGE(tx_count, 0, FIFO),
          STATE_INT(ier), STATE_INT(fcr), STATE_INT(lcr), STATE_INT(mcr), STATE_INT(lsr), STATE_INT(msr), STATE_INT(scr), STATE_INT(divisor),
          STATE_RANGE(tx_empty_int, 0, 1), STATE_RANGE(timed_out, 0, 1), STATE_TIMER(timeout)),
    .init = uart_init, .exit = uart_exit, .reset = uart_reset, .loaded = uart_loaded, .fdt = uart_fdt,
};
