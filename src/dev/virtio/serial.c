/*
 * serial.c: virtio-serial (virtio 1.2, 5.3, "console"): a bus of ports; `virtconsole` is a console for the guest, `virtserialport` a named
 * channel. Each port is connected to a character device.
 * Known gaps: the console's size is fixed.
 */
#include "dev/virtio/virtio.h"

#include <json-c/json.h>
#include <stdio.h>
#include "io/char/chr.h"

enum { F_SIZE, F_MULTIPORT, F_EMERG };
enum { PORTS = 31, MESSAGES = 256, NAME_MAX_BYTES = 128, CHUNK = 4096 };
enum { READY, PORT_ADD, PORT_REMOVE, PORT_READY, CONSOLE_PORT, RESIZE, PORT_OPEN, PORT_NAME };
enum { CTRL_RX = 2, CTRL_TX = 3 };

struct serial;
struct port {
    struct dev dev;
    struct serial *s;
    struct chr *chr;
    struct chr_fe *fe;
    char *name;
    uint32_t nr;
    bool console;
    bool guest_open, host_open;
    bool known;                  /* the guest's driver has it */
    uint32_t sent;               /* bytes of the first waiting request that have been written */
};

#define SELF struct serial
struct serial {
    struct virtio v;
    struct bus *bus;
    struct port *port[PORTS];
    uint32_t p_ports;
    uint16_t cols, rows;
    bool p_emerg;
    uint32_t emerg;
    struct message {
        uint32_t nr;
        uint16_t event, value;
    } msg[MESSAGES];             /* wait for buffers of the control queue */
    uint32_t first, count;
};

static unsigned rx_queue(unsigned nr) { return nr ? 2 + 2 * nr : 0; }
static struct vq *rx(struct port *p) { return &p->s->v.vq[rx_queue(p->nr)]; }
static struct vq *tx(struct port *p) { return &p->s->v.vq[rx_queue(p->nr) + 1]; }
static bool multiport(const struct serial *s) { return virtio_has(&s->v, F_MULTIPORT); }
static struct port *port_of(struct vq *q)
{
    struct serial *s = (struct serial *)q->v;
    unsigned nr = q->index < 2 ? 0 : (q->index - 2u) / 2;
    return nr < PORTS ? s->port[nr] : NULL;
}

/* --- control messages to the guest --------------------------------------------------------------------------------------------- */

static void flush_messages(struct serial *s)
{
    struct vq *q = &s->v.vq[CTRL_RX];
    bool any = false;
    while (s->count) {
        struct vq_elem *el = vq_pop(q);
        if (!el && !(vq_want(q, true) && (el = vq_pop(q)))) break;
        const struct message *m = &s->msg[s->first];
        uint8_t b[8 + NAME_MAX_BYTES];
        size_t n = 8;
        pci_put32(b, m->nr);
        pci_put16(b + 4, m->event);
        pci_put16(b + 6, m->value);
        struct port *p = m->nr < PORTS ? s->port[m->nr] : NULL;
        if (m->event == PORT_NAME && p && p->name) {
            size_t len = MIN(strlen(p->name), (size_t)NAME_MAX_BYTES - 1);
            memcpy(b + 8, p->name, len);
            b[8 + len] = 0;
            n += len + 1;
        }
        int64_t done = vq_write(el, 0, b, n);
        if (done < 8) virtio_error(&s->v, "a control buffer of %u bytes", el->in_len);
        vq_push(el, done < 0 ? 0 : (uint32_t)done);
        s->first = (s->first + 1) % MESSAGES;
        s->count--;
        any = true;
    }
    if (any) vq_notify(q);
}

static void tell(struct serial *s, uint32_t nr, uint16_t event, uint16_t value)
{
    if (!multiport(s) || !virtio_running(&s->v)) return;
    if (s->count == MESSAGES) { /* the guest takes none: it has not lost more than it refuses */
        dev_guest_error(&s->v.dev, false, "control messages are not taken");
        return;
    }
    s->msg[(s->first + s->count++) % MESSAGES] = (struct message){ nr, event, value };
    flush_messages(s);
}

static void ctrl_rx_handle(struct vq *q)
{
    vq_want(q, false);
    flush_messages((struct serial *)q->v);
}

/* --- control messages of the guest ------------------------------------------------------------------------------------------------- */

static void guest_open(struct port *p, bool open)
{
    struct board *b = p->dev.board;
    if (p->guest_open == open) return;
    p->guest_open = open;
    if (!p->console) chr_fe_set_open(p->fe, open);
    if (p->dev.id && b->event && !p->console) {
        struct json_object *data = json_object_new_object();
        json_object_object_add(data, "open", json_object_new_boolean(open));
        json_object_object_add(data, "id", json_object_new_string(p->dev.id));
        b->event(b, "VSERPORT_CHANGE", data);
    }
    if (open) chr_accept_input(p->fe);
}

static void control(struct serial *s, const uint8_t *b)
{
    uint32_t nr = pci_get32(b);
    uint16_t event = pci_get16(b + 4), value = pci_get16(b + 6);
    struct port *p = nr < PORTS ? s->port[nr] : NULL;
    if (event == READY) {
        for (unsigned i = 0; value && i < PORTS; i++)
            if (s->port[i]) tell(s, i, PORT_ADD, 1);
        return;
    }
    if (!p) {
        dev_guest_error(&s->v.dev, false, "a message for port %u, which is not there", nr);
        return;
    }
    switch (event) {
    case PORT_READY:
        if (!(p->known = value)) break;
        if (p->console) tell(s, nr, CONSOLE_PORT, 1);
        if (p->name) tell(s, nr, PORT_NAME, 1);
        if (p->host_open) tell(s, nr, PORT_OPEN, 1);
        break;
    case PORT_OPEN: guest_open(p, value); break;
    default: break;
    }
}

static void ctrl_tx_handle(struct vq *q)
{
    bool any = false;
    for (struct vq_elem *el; (el = vq_pop(q));) {
        uint8_t b[8];
        if (vq_read(el, 0, b, sizeof b) == sizeof b) control((struct serial *)q->v, b);
        vq_push(el, 0);
        any = true;
    }
    if (any) vq_notify(q);
}

/* --- data ---------------------------------------------------------------------------------------------------------------------------- */

/* As much as the other side takes; the rest of a request waits in its ring. */
static void tx_run(struct port *p, struct vq *q)
{
    bool any = false;
    for (struct vq_elem *el; (el = vq_pop(q));) {
        uint8_t b[CHUNK];
        uint32_t at = p && p->sent <= el->out_len ? p->sent : 0;
        while (p && p->fe && at < el->out_len) {
            int64_t n = vq_read(el, at, b, sizeof b);
            if (n <= 0) break; /* not memory: said nothing */
            size_t took = chr_write(p->fe, b, (size_t)n);
            at += (uint32_t)took;
            if (took < (size_t)n) {
                p->sent = at;
                vq_unpop(el);
                if (any) vq_notify(q);
                return;
            }
        }
        if (p) p->sent = 0;
        vq_push(el, 0);
        any = true;
    }
    if (any) vq_notify(q);
}

static void tx_handle(struct vq *q)
{
    tx_run(port_of(q), q);
}

static void writable(void *ctx)
{
    struct port *p = ctx;
    vq_schedule(tx(p));
}

static size_t can_recv(void *ctx)
{
    struct port *p = ctx;
    struct vq *q = rx(p);
    if (!virtio_running(&p->s->v) || (multiport(p->s) && !p->guest_open)) return 0;
    struct vq_elem *el = vq_pop(q);
    if (!el && !(vq_want(q, true) && (el = vq_pop(q)))) return 0;
    size_t n = el->in_len;
    vq_unpop(el);
    return n;
}

static void recv(void *ctx, const uint8_t *buf, size_t len)
{
    struct port *p = ctx;
    struct vq *q = rx(p);
    for (size_t done = 0; done < len;) {
        struct vq_elem *el = vq_pop(q);
        if (!el) break;
        int64_t n = vq_write(el, 0, buf + done, len - done);
        if (n <= 0) virtio_error(&p->s->v, "a receive buffer that is not in memory or has no room");
        vq_push(el, n < 0 ? 0 : (uint32_t)n);
        if (n <= 0) break;
        done += (size_t)n;
    }
    vq_notify(q);
}

static void rx_handle(struct vq *q)
{
    struct port *p = port_of(q);
    vq_want(q, false);
    if (p) chr_accept_input(p->fe);
}

static void event(void *ctx, enum chr_event ev)
{
    struct port *p = ctx;
    if (ev != CHR_OPENED && ev != CHR_CLOSED) return;
    p->host_open = ev == CHR_OPENED;
    if (p->known) tell(p->s, p->nr, PORT_OPEN, p->host_open);
}

static const struct chr_client client = { .can_recv = can_recv, .recv = recv, .event = event, .writable = writable };

/* --- the device --------------------------------------------------------------------------------------------------------------------- */

static void emerg_after(void *dev, unsigned i)
{
    struct serial *s = dev;
    uint8_t c = (uint8_t)s->emerg;
    if (s->port[0]) chr_write(s->port[0]->fe, &c, 1);
}

static const struct reg config[] = {
    { 0, "cols", RO, .size = 2, FIELD(cols) },
    { 2, "rows", RO, .size = 2, FIELD(rows) },
    { 4, "max_nr_ports", RO, FIELD(p_ports) },
    { 8, "emerg_wr", WO, FIELD(emerg), .after = emerg_after },
};

static uint64_t offer(void *dev)
{
    struct serial *s = dev;
    return (s->p_ports > 1 ? VF(F_MULTIPORT) : 0) | (s->p_emerg ? VF(F_EMERG) : 0);
}

static void running(void *dev, bool on)
{
    struct serial *s = dev;
    for (unsigned i = 0; on && i < PORTS; i++)
        if (s->port[i]) chr_accept_input(s->port[i]->fe);
}

static void reset(void *dev)
{
    struct serial *s = dev;
    s->first = s->count = 0;
    for (unsigned i = 0; i < PORTS; i++) {
        if (!s->port[i]) continue;
        s->port[i]->sent = 0;
        s->port[i]->known = false;
        guest_open(s->port[i], false);
    }
}

static void queue_reset(void *dev, struct vq *q)
{
    struct port *p = port_of(q);
    if (p) p->sent = 0;
}

static const struct vq_row rows[] = {
    { "rx0", .flags = VQ_SUPPLY, .handle = rx_handle }, { "tx0", .handle = tx_handle },
    { "ctrl_rx", .size = 32, .flags = VQ_SUPPLY, .handle = ctrl_rx_handle }, { "ctrl_tx", .size = 32, .handle = ctrl_tx_handle },
#define PAIR { "rx", .flags = VQ_SUPPLY, .handle = rx_handle }, { "tx", .handle = tx_handle }
#define PAIRS PAIR, PAIR, PAIR, PAIR, PAIR
    PAIRS, PAIRS, PAIRS, PAIRS, PAIRS, PAIRS,
#undef PAIRS
#undef PAIR
};
static const struct virtio_class class = {
    .name = "virtio-serial", .id = 3, .pci_class = 0x078000, VIRTIO_CONFIG(config), .config_size = 12, VIRTIO_ROWS(rows), .offer = offer,
    .status = running, .reset = reset, .queue_reset = queue_reset,
};

/* --- ports --------------------------------------------------------------------------------------------------------------------------- */

static int plug(struct bus *bus, struct dev *d, struct err *e)
{
    struct serial *s = (struct serial *)bus->owner;
    struct port *p = (struct port *)d;
    p->console = !strcmp(d->cls->name, "virtconsole");
    if (p->nr == UINT32_MAX) { /* 0 is for consoles: drivers without MULTIPORT know that one only */
        for (p->nr = p->console ? 0 : 1; p->nr < s->p_ports && s->port[p->nr]; p->nr++) {}
        if (p->nr >= s->p_ports) return err_set(e, EBUSY, "%s: the %u ports of '%s' are in use", d->cls->name, s->p_ports, bus->name);
    }
    if (p->nr >= s->p_ports) return err_set(e, EINVAL, "%s: nr is 0 to %u", d->cls->name, s->p_ports - 1);
    if (!p->nr && !p->console) return err_set(e, EINVAL, "Port number 0 on virtio-serial devices reserved for virtconsole devices");
    if (s->port[p->nr]) return err_set(e, EBUSY, "%s: port %u of '%s' is in use", d->cls->name, p->nr, bus->name);
    p->s = s;
    s->port[p->nr] = p;
    return 0;
}

static void unplug(struct bus *bus, struct dev *d)
{
    struct serial *s = (struct serial *)bus->owner;
    struct port *p = (struct port *)d;
    s->port[p->nr] = NULL;
    tell(s, p->nr, PORT_REMOVE, 1);
}

static int port_init(void *dev, struct err *e)
{
    struct port *p = dev;
    if (p->name && strlen(p->name) >= NAME_MAX_BYTES) return err_set(e, EINVAL, "%s: name has %d letters at most", p->dev.cls->name, NAME_MAX_BYTES - 1);
    if (p->chr && !(p->fe = chr_attach(p->chr, &client, p, e))) return -EBUSY;
    if (p->console) p->host_open = true;
    else chr_fe_set_open(p->fe, false);
    tell(p->s, p->nr, PORT_ADD, 1);
    return 0;
}

static void port_exit(void *dev)
{
    struct port *p = dev;
    chr_detach(p->fe);
    p->fe = NULL;
}

static int init(void *dev, struct err *e)
{
    struct serial *s = dev;
    char name[64];
    unsigned n = 0;
    if (!s->p_ports || s->p_ports > PORTS) return err_set(e, EINVAL, "virtio-serial: max_ports is 1 to %d", PORTS);
    for (struct bus *b = s->v.dev.board->buses; b; b = b->next) n += !strcmp(b->type, "virtio-serial-bus");
    if (s->v.dev.id) snprintf(name, sizeof name, "%.60s.0", s->v.dev.id);
    else snprintf(name, sizeof name, "virtio-serial-bus.%u", n);
    int r = virtio_init(dev, &class, s->p_ports > 1 ? 2 * (s->p_ports + 1) : 2, e);
    if (r) return r;
    s->bus = bus_new(&s->v.dev, "virtio-serial-bus", name, 0);
    s->bus->plug = plug;
    s->bus->unplug = unplug;
    s->bus->hotplug = true;
    return 0;
}

#define SERIAL_PROPS VIRTIO_PROPS, PROP_U32("max_ports", p_ports, PORTS), PROP_BOOL("emergency-write", p_emerg, true)
#define SERIAL_STATE STATE_RANGE(first, 0, MESSAGES - 1), STATE_RANGE(count, 0, MESSAGES), STATE_BYTES(msg)

const struct device virtio_serial_device = {
    VIRTIO_DEVICE("virtio-serial", "virtio serial ports", "Input devices", init, virtio_exit), PROPS(SERIAL_PROPS),
    STATE(VIRTIO_STATE, SERIAL_STATE),
};
const struct device virtio_serial_pci_device = {
    VIRTIO_PCI_DEVICE("virtio-serial", "virtio serial ports", "Input devices", init, virtio_exit), PROPS(SERIAL_PROPS, VIRTIO_PCI_PROPS),
    STATE(VIRTIO_PCI_STATE, SERIAL_STATE),
};

#undef SELF
#define SELF struct port
#define PORT_DEVICE(n, text) \
    .name = n, .help = text, .category = "Input devices", .bus = "virtio-serial-bus", .size = sizeof(SELF), .init = port_init, \
    .exit = port_exit, .user_creatable = true, .hotplug = true, \
    PROPS(PROP_CHR("chardev", chr), PROP_STR("name", name, NULL), PROP_U32("nr", nr, UINT32_MAX)), \
    STATE(STATE_RANGE(guest_open, 0, 1), STATE_RANGE(known, 0, 1), STATE_INT(sent))

const struct device virtconsole_device = { PORT_DEVICE("virtconsole", "console of a virtio-serial device") };
const struct device virtserialport_device = { PORT_DEVICE("virtserialport", "channel of a virtio-serial device") };
