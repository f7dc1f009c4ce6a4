/*
 * serial.c: usb-serial: a serial adapter as FTDI's FT232BM (vendor requests and status bytes as in FTDI's application note AN232B-04 and
 * drivers know them), on a character device. Known gaps: no hardware flow control, no event character.
 */
#include "dev/usb/usb.h"

#include "io/char/chr.h"

#define SELF struct usb_serial
enum { BUFFER = 1024, PACKET = 64, EP_IN = 0x81, EP_OUT = 0x02 };
enum { RESET, MODEM_CONTROL, FLOW_CONTROL, SET_BAUD, SET_DATA, MODEM_STATUS, EVENT_CHAR, ERROR_CHAR, SET_LATENCY = 9, GET_LATENCY };
enum { ST_ALWAYS = 1, ST_CTS = 0x10, ST_DSR = 0x20, ST_RI = 0x40, ST_DCD = 0x80, LSR_BREAK = 0x10, LSR_EMPTY = 0x60 };

struct usb_serial {
    struct usb_dev u;
    struct chr *chr;
    struct chr_fe *fe;
    bool p_always;
    uint8_t buf[BUFFER];         /* input that the guest has not taken: a ring */
    uint32_t head, count, speed;
    uint8_t got_break, latency, data_bits, stop_bits, parity;
};

static const struct usb_endpoint eps[] = { { .address = EP_IN, .attr = USB_ENDPOINT_XFER_BULK, .packet = PACKET },
                                           { .address = EP_OUT, .attr = USB_ENDPOINT_XFER_BULK, .packet = PACKET } };
static const struct usb_interface ifs[] = { { .class = USB_CLASS_VENDOR_SPEC, .subclass = 0xff, .protocol = 0xff, .neps = 2, .eps = eps } };
static const struct usb_config configs[] = { { .value = 1, .power = 50, .nifs = 1, .ifs = ifs } };
static const struct usb_variant full = { .bcd = 0x0200, .packet0 = 8, .nconfigs = 1, .configs = configs };
static const struct usb_desc desc = {
    .vendor = 0x0403, .product = 0x6001, .release = 0x0400, .manufacturer = "QEMU", .name = "QEMU USB SERIAL", .serial = "1",
    .at = { [USB_FULL] = &full },
};

/* --- the line -------------------------------------------------------------------------------------------------------------- */

static size_t can_recv(void *ctx)
{
    SELF *s = ctx;
    return s->u.configuration ? BUFFER - s->count : 0;
}
static void recv_bytes(void *ctx, const uint8_t *buf, size_t len)
{
    SELF *s = ctx;
    for (size_t i = 0; i < len && s->count < BUFFER; i++) s->buf[(s->head + s->count++) % BUFFER] = buf[i];
    usb_ready(&s->u, EP_IN);
}
static void event(void *ctx, enum chr_event ev)
{
    SELF *s = ctx;
    if (ev != CHR_BREAK) return;
    s->got_break = 1;
    usb_ready(&s->u, EP_IN);
}
static void writable(void *ctx)
{
    usb_ready(&((SELF *)ctx)->u, EP_OUT);
}
static const struct chr_client client = { .can_recv = can_recv, .recv = recv_bytes, .event = event, .writable = writable };

static uint8_t modem(SELF *s)
{
    unsigned lines = CHR_CTS | CHR_DSR | CHR_DCD;
    if (chr_get_modem(s->fe, &lines)) lines = CHR_CTS | CHR_DSR | CHR_DCD;
    return (uint8_t)(ST_ALWAYS | (lines & CHR_CTS ? ST_CTS : 0) | (lines & CHR_DSR ? ST_DSR : 0) | (lines & CHR_DCD ? ST_DCD : 0) |
                     (lines & CHR_RI ? ST_RI : 0));
}

static void params(SELF *s)
{
    static const char parity[] = "NOENN"; /* mark and space are not known to back ends */
    chr_set_params(s->fe, &(struct chr_params){ .speed = s->speed, .data_bits = s->data_bits, .stop_bits = s->stop_bits, .parity = parity[s->parity] });
}

/* Divisors have a fraction in eighths, in an odd order. */
static void baud(SELF *s, uint16_t value, uint16_t index)
{
    static const uint8_t eighths[] = { 0, 4, 2, 1, 3, 5, 6, 7 };
    uint32_t div = (value & 0x3fffu) * 8 + eighths[value >> 14 | (index & 1) << 2];
    s->speed = div == 0 ? 3000000 : div == 8 ? 2000000 : 24000000 / div;
    params(s);
}

static int control(struct usb_dev *d, const struct usb_setup *q, uint8_t *buf)
{
    enum { OUT = USB_TYPE_VENDOR, IN = USB_DIR_IN | USB_TYPE_VENDOR };
    SELF *s = (SELF *)d;
    switch (USB_REQ(q->type, q->request)) {
    case USB_REQ(OUT, RESET):
        if (q->value < 2) s->head = s->count = 0; /* all, or what was received */
        chr_accept_input(s->fe);
        return 0;
    case USB_REQ(OUT, MODEM_CONTROL): {
        unsigned lines = 0;
        if (!chr_get_modem(s->fe, &lines)) {
            if (q->value & 0x100) lines = (lines & ~(unsigned)CHR_DTR) | (q->value & 1 ? CHR_DTR : 0);
            if (q->value & 0x200) lines = (lines & ~(unsigned)CHR_RTS) | (q->value & 2 ? CHR_RTS : 0);
            chr_set_modem(s->fe, lines);
        }
        return 0;
    }
    case USB_REQ(OUT, FLOW_CONTROL): case USB_REQ(OUT, EVENT_CHAR): case USB_REQ(OUT, ERROR_CHAR): return 0;
    case USB_REQ(OUT, SET_BAUD):
        baud(s, q->value, q->index);
        return 0;
    case USB_REQ(OUT, SET_DATA):
        if ((q->value >> 8 & 7) > 4 || (q->value & 0xff) < 5 || (q->value & 0xff) > 8) return -1;
        s->data_bits = q->value & 0xff;
        s->parity = q->value >> 8 & 7;
        s->stop_bits = q->value >> 11 & 7 ? 2 : 1;
        params(s);
        chr_set_break(s->fe, q->value >> 14 & 1);
        return 0;
    case USB_REQ(IN, MODEM_STATUS):
        buf[0] = modem(s), buf[1] = LSR_EMPTY;
        return 2;
    case USB_REQ(OUT, SET_LATENCY):
        s->latency = (uint8_t)q->value;
        return 0;
    case USB_REQ(IN, GET_LATENCY):
        buf[0] = s->latency;
        return 1;
    default: return -1;
    }
}

/* Each packet on the wire begins with modem and line status. */
static enum usb_status data_in(SELF *s, struct usb_packet *p)
{
    if (!s->count && !s->got_break) return USB_NAK;
    do {
        uint8_t b[PACKET] = { modem(s), (uint8_t)(LSR_EMPTY | (s->got_break ? LSR_BREAK : 0)) };
        uint32_t n = MIN(MIN(s->count, PACKET - 2u), usb_left(p) > 2 ? usb_left(p) - 2 : 0);
        for (uint32_t i = 0; i < n; i++) b[2 + i] = s->buf[(s->head + i) % BUFFER];
        s->head = (s->head + n) % BUFFER;
        s->count -= n;
        s->got_break = 0;
        usb_put(p, b, n + 2);
        if (n < PACKET - 2) break;
    } while (s->count && usb_left(p) > 2);
    chr_accept_input(s->fe);
    return USB_OK;
}

static enum usb_status data_out(SELF *s, struct usb_packet *p)
{
    uint8_t b[4096];
    while (usb_left(p)) {
        uint32_t n = usb_get(p, b, sizeof b), done = (uint32_t)chr_write(s->fe, b, n);
        p->actual -= n - done; /* the rest goes when there is room for it */
        if (done < n) return USB_NAK;
    }
    return USB_OK;
}

static enum usb_status data(struct usb_dev *d, struct usb_packet *p)
{
    return p->pid == USB_IN ? data_in((SELF *)d, p) : data_out((SELF *)d, p);
}

static void reset(struct usb_dev *d)
{
    SELF *s = (SELF *)d;
    s->head = s->count = 0;
    s->got_break = 0;
    s->latency = 16;
    s->speed = 9600;
    s->data_bits = 8, s->stop_bits = 1, s->parity = 0;
}
static void configured(struct usb_dev *d)
{
    chr_accept_input(((SELF *)d)->fe);
}
static const struct usb_class class = { .reset = reset, .control = control, .data = data, .configured = configured };

/* --- life ------------------------------------------------------------------------------------------------------------------ */

static int init(void *dev, struct err *e)
{
    SELF *s = dev;
    if (!s->chr) return err_set(e, EINVAL, "Property chardev is required");
    if (!(s->fe = chr_attach(s->chr, &client, s, e))) return -EBUSY;
    usb_init(&s->u, &desc, &class);
    int r = usb_attach(&s->u, e);
    if (r) chr_detach(s->fe);
    return r;
}
static void leave(void *dev)
{
    usb_exit(dev);
    chr_detach(((SELF *)dev)->fe);
}
static int loaded(void *dev, struct err *e)
{
    params(dev);
    return usb_loaded(dev, e);
}

const struct device usb_serial_device = {
    .name = "usb-serial", .help = "USB serial adapter (FTDI)", .category = "Input devices", .bus = "usb-bus", .size = sizeof(SELF), .init = init,
    .reset = usb_dev_reset, .exit = leave, .loaded = loaded, .user_creatable = true, .hotplug = true,
    PROPS(USB_PROPS, PROP_CHR("chardev", chr), PROP_BOOL("always-plugged", p_always, false)),
    STATE(USB_STATE, STATE_BYTES(buf), STATE_RANGE(head, 0, BUFFER - 1), STATE_RANGE(count, 0, BUFFER), STATE_INT(speed), STATE_RANGE(got_break, 0, 1),
          STATE_INT(latency), STATE_RANGE(data_bits, 5, 8), STATE_RANGE(stop_bits, 1, 2), STATE_RANGE(parity, 0, 4)),
};
