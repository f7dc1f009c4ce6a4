/*
 * usb.c: ports, packets that wait, control transfers (USB 2.0, 8.5.3 and chapter 9). Known gaps: no toggles and no bus time: what a device can
 * answer is answered at once; no pcap files.
 */
#include "dev/usb/usb.h"

#include <stdio.h>
#include <stdlib.h>

enum { IDLE, DATA_IN, DATA_OUT, STATUS_IN, WAKE_BUDGET = 128 };

static uint32_t ep_bit(uint8_t pid, uint8_t ep)
{
    return 1u << ((ep & 15) + (pid == USB_IN ? 16 : 0));
}
static uint32_t address_bit(uint8_t ep)
{
    return ep_bit(ep & USB_DIR_IN ? USB_IN : USB_OUT, ep);
}

/* --- data ------------------------------------------------------------------------------------------------------------------ */

static uint32_t copy(struct usb_packet *p, uint8_t *buf, uint32_t n, bool in)
{
    uint64_t at = p->actual;
    uint32_t done = 0;
    n = MIN(n, usb_left(p));
    for (unsigned i = 0; i < p->nsg && done < n; i++) {
        const struct usb_sg *g = &p->sg[i];
        if (at >= g->len) {
            at -= g->len;
            continue;
        }
        uint32_t part = (uint32_t)MIN(g->len - at, n - done);
        if (in ? dma_write(p->dma, g->addr + at, buf + done, part) : dma_read(p->dma, g->addr + at, buf + done, part)) p->fault = true;
        done += part;
        at = 0;
    }
    p->actual += done;
    return done;
}

uint32_t usb_put(struct usb_packet *p, const void *buf, uint32_t n)
{
    return p->pid == USB_IN ? copy(p, (uint8_t *)(uintptr_t)buf, n, true) : 0;
}

uint32_t usb_get(struct usb_packet *p, void *buf, uint32_t n)
{
    return p->pid == USB_IN ? 0 : copy(p, buf, n, false);
}

/* --- control transfers ----------------------------------------------------------------------------------------------------- */

/* 0 or more: bytes of the answer. */
static int run_request(struct usb_dev *d)
{
    struct usb_control *c = &d->ctl;
    TRACE(usb_request, "%s type 0x%02x request %u value 0x%x index 0x%x length %u", d->dev.id ? d->dev.id : d->dev.cls->name, c->s.type,
          c->s.request, c->s.value, c->s.index, c->s.length);
    int r = c->s.type & USB_TYPE_MASK ? -1 : usb_standard(d, &c->s, c->buf);
    if (r < 0 && d->ops->control) r = d->ops->control(d, &c->s, c->buf);
    return r;
}

static enum usb_status setup(struct usb_dev *d, struct usb_packet *p)
{
    struct usb_control *c = &d->ctl;
    uint8_t b[8];
    c->stage = IDLE;
    if (p->len != 8 || usb_get(p, b, 8) != 8) return USB_STALL;
    c->s = (struct usb_setup){ b[0], b[1], (uint16_t)(b[2] | b[3] << 8), (uint16_t)(b[4] | b[5] << 8), (uint16_t)(b[6] | b[7] << 8) };
    c->len = c->at = 0;
    c->ran = false;
    if (!c->s.length) {
        c->stage = STATUS_IN;
    } else if (c->s.type & USB_DIR_IN) {
        c->s.length = (uint16_t)MIN(c->s.length, (unsigned)USB_CONTROL_MAX);
        c->stage = DATA_IN;
    } else if (c->s.length <= USB_CONTROL_MAX) {
        c->stage = DATA_OUT;
    } else {
        return USB_STALL;
    }
    return USB_OK;
}

static enum usb_status control_in(struct usb_dev *d, struct usb_packet *p)
{
    struct usb_control *c = &d->ctl;
    int r;
    switch (c->stage) {
    case DATA_IN:
        if (!c->ran) {
            if ((r = run_request(d)) < 0) break;
            c->ran = true;
            c->len = (uint32_t)MIN(r, c->s.length);
        }
        c->at += usb_put(p, c->buf + c->at, c->len - c->at);
        return USB_OK;
    case DATA_OUT:
        if (c->at < c->s.length) break;
        /* fall through */
    case STATUS_IN:
        c->stage = IDLE;
        return run_request(d) < 0 ? USB_STALL : USB_OK;
    default: break;
    }
    c->stage = IDLE;
    return USB_STALL;
}

static enum usb_status control_out(struct usb_dev *d, struct usb_packet *p)
{
    struct usb_control *c = &d->ctl;
    switch (c->stage) {
    case DATA_OUT:
        c->at += usb_get(p, c->buf + c->at, c->s.length - c->at);
        return USB_OK;
    case DATA_IN:
        c->stage = IDLE;
        return USB_OK;
    default:
        c->stage = IDLE;
        return USB_STALL;
    }
}

bool usb_request(struct usb_dev *d, uint8_t type, uint8_t request, uint16_t value, uint16_t index)
{
    d->ctl.stage = IDLE;
    d->ctl.s = (struct usb_setup){ type, request, value, index, 0 };
    return run_request(d) >= 0;
}

/* --- packets --------------------------------------------------------------------------------------------------------------- */

static enum usb_status answer(struct usb_dev *d, struct usb_packet *p)
{
    enum usb_status r;
    if (!d->attached) return USB_NODEV;
    if (!p->ep) {
        r = p->pid == USB_SETUP ? setup(d, p) : p->pid == USB_IN ? control_in(d, p) : control_out(d, p);
    } else {
        const struct usb_endpoint *ep = usb_find_ep(d, p->ep | (p->pid == USB_IN ? USB_DIR_IN : 0));
        if (!ep || p->pid == USB_SETUP || !d->ops->data) return USB_NODEV;
        if (d->halted & ep_bit(p->pid, p->ep)) return USB_STALL;
        r = d->ops->data(d, p);
        if (r == USB_STALL) d->halted |= ep_bit(p->pid, p->ep);
    }
    if (p->fault) r = USB_BUFFER;
    if (r == USB_OK && p->pid == USB_OUT && p->ep) p->actual = p->len;
    return r;
}

enum usb_status usb_submit(struct usb_packet *p)
{
    struct usb_dev *d = p->dev;
    p->fault = p->waiting = false;
    p->status = (uint8_t)answer(d, p);
    if (p->status == USB_NAK && !p->once) {
        struct usb_packet **q = &d->waiting;
        while (*q) q = &(*q)->next;
        p->next = NULL;
        p->waiting = true;
        p->round = d->round;
        *q = p;
    }
    return p->status;
}

void usb_cancel(struct usb_packet *p)
{
    if (!p->waiting) return;
    for (struct usb_packet **q = &p->dev->waiting; *q; q = &(*q)->next)
        if (*q == p) {
            *q = p->next;
            break;
        }
    p->waiting = false;
}

static void finish(struct usb_packet *p, enum usb_status status)
{
    usb_cancel(p);
    p->status = (uint8_t)status;
    p->done(p);
}

/* Packets of endpoints that are ready are tried once more, in order; each at most once a round. */
static void wake(void *ctx)
{
    struct usb_dev *d = ctx;
    uint32_t ready = d->ready;
    d->ready = 0;
    d->round++;
    for (unsigned n = 0; n < WAKE_BUDGET; n++) {
        struct usb_packet *p = d->waiting;
        while (p && (p->round == d->round || !(ready & ep_bit(p->pid, p->ep)))) p = p->next;
        if (!p) return;
        p->round = d->round;
        enum usb_status r = answer(d, p);
        if (r != USB_NAK) finish(p, r);
    }
    d->ready |= ready;
    loop_defer(&d->wake);
}

void usb_ready(struct usb_dev *d, uint8_t ep)
{
    d->ready |= address_bit(ep);
    if (d->waiting) loop_defer(&d->wake);
}

void usb_halt(struct usb_dev *d, uint8_t ep)
{
    d->halted |= address_bit(ep);
    usb_ready(d, ep);
}

void usb_wakeup(struct usb_dev *d)
{
    if (d->attached && d->remote_wakeup && d->port && d->port->ops->wakeup) d->port->ops->wakeup(d->port);
}

const struct usb_endpoint *usb_find_ep(const struct usb_dev *d, uint8_t ep)
{
    const struct usb_variant *v = d->desc->at[d->speed];
    for (unsigned c = 0; v && c < v->nconfigs; c++) {
        const struct usb_config *cfg = &v->configs[c];
        if (!d->configuration || cfg->value != d->configuration) continue;
        for (unsigned i = 0; i < cfg->nifs; i++) {
            const struct usb_interface *f = &cfg->ifs[i];
            if (f->number >= USB_IFACES || f->alt != d->alt[f->number]) continue;
            for (unsigned k = 0; k < f->neps; k++)
                if (f->eps[k].address == ep) return &f->eps[k];
        }
    }
    return NULL;
}

/* --- ports ----------------------------------------------------------------------------------------------------------------- */

void usb_port_add(struct usb_bus *b, struct usb_port *p, struct usb_dev *hub, unsigned number, unsigned speeds, const struct usb_port_ops *ops, void *ctx)
{
    struct usb_port **q = &b->ports;
    *p = (struct usb_port){ .bus = b, .hub = hub, .number = (uint8_t)number, .speeds = (uint8_t)speeds, .ops = ops, .ctx = ctx };
    snprintf(p->path, sizeof p->path, "%.16s%s%u", hub ? hub->port->path : "", hub ? "." : "", number);
    while (*q) q = &(*q)->next;
    *q = p;
    b->bus->max++;
}

static struct usb_port *root_of(struct usb_port *p)
{
    for (unsigned tier = 0; p && p->hub && tier <= USB_TIERS; tier++) p = p->hub->port;
    return p && !p->hub ? p : NULL;
}

static void detach(struct usb_dev *d)
{
    if (!d->attached) return;
    struct usb_port *root = root_of(d->port);
    for (unsigned i = 0; i < d->nports; i++)
        if (d->ports[i].dev) detach(d->ports[i].dev);
    if (root && root->ops->forget) root->ops->forget(root, d);
    if (d->port) d->port->ops->detach(d->port);
    d->attached = false;
    deferred_cancel(&d->wake);
    while (d->waiting) finish(d->waiting, USB_NODEV);
}

void usb_port_remove(struct usb_port *p)
{
    for (struct usb_port **q = &p->bus->ports; *q; q = &(*q)->next)
        if (*q == p) {
            *q = p->next;
            break;
        }
    if (!p->dev) { /* else its place goes with the device (unplug) */
        p->bus->bus->max--;
        return;
    }
    detach(p->dev);
    p->dev->port = NULL;
    p->dev = NULL;
}

static int plug(struct bus *bus, struct dev *dev, struct err *e)
{
    struct usb_bus *b = bus->data;
    struct usb_dev *d = (struct usb_dev *)dev;
    struct usb_port *p = b->ports;
    while (p && (d->p_port ? strcmp(p->path, d->p_port) != 0 : p->dev != NULL)) p = p->next;
    if (!p && d->p_port) return err_set(e, ENOENT, "usb port %s (bus %s) not found", d->p_port, bus->name);
    if (!p) return err_set(e, EBUSY, "tried to attach usb device %s to a bus with no free ports", dev->cls->name);
    if (p->dev) return err_set(e, EBUSY, "usb port %s (bus %s) is in use by %s", p->path, bus->name, p->dev->dev.id ? p->dev->dev.id : p->dev->dev.cls->name);
    p->dev = d;
    d->port = p;
    return 0;
}

static void unplug(struct bus *bus, struct dev *dev)
{
    struct usb_dev *d = (struct usb_dev *)dev;
    detach(d);
    if (d->port) d->port->dev = NULL;
    else bus->max--;
    d->port = NULL;
}

void usb_bus_init(struct usb_bus *b, struct dev *hc, const char *where)
{
    char name[80];
    unsigned n = 0;
    for (struct bus *o = hc->board->buses; o; o = o->next) n += !strcmp(o->type, "usb-bus");
    if (hc->id) snprintf(name, sizeof name, "%.60s.0", hc->id);
    else snprintf(name, sizeof name, "usb-bus.%u", n);
    b->bus = bus_new(hc, "usb-bus", name, 0);
    b->bus->plug = plug;
    b->bus->unplug = unplug;
    b->bus->data = b;
    b->bus->hotplug = true;
    snprintf(b->where, sizeof b->where, "%s", where);
}

struct usb_dev *usb_route(const struct usb_port *root, uint32_t route)
{
    struct usb_dev *d = root->dev;
    for (; d && d->attached && route & 0xfffff; route >>= 4) {
        unsigned n = route & 15;
        d = n && n <= d->nports ? d->ports[n - 1].dev : NULL;
    }
    return d && d->attached ? d : NULL;
}

static struct usb_dev *search(const struct usb_port *p, uint8_t address, unsigned tier)
{
    struct usb_dev *d = p->dev, *found = NULL;
    if (!d || !d->attached || !p->ops->enabled(p) || tier > USB_TIERS) return NULL;
    if (d->address == address) return d;
    for (unsigned i = 0; i < d->nports && !found; i++) found = search(&d->ports[i], address, tier + 1);
    return found;
}

struct usb_dev *usb_by_address(const struct usb_port *root, uint8_t address)
{
    return search(root, address, 0);
}

const char *usb_speed_name(unsigned speed)
{
    static const char *const names[] = { "1.5", "12", "480", "5000" };
    return speed < USB_SPEEDS ? names[speed] : "?";
}

/* --- life ------------------------------------------------------------------------------------------------------------------ */

void usb_init(struct usb_dev *d, const struct usb_desc *desc, const struct usb_class *ops)
{
    d->desc = desc;
    d->ops = ops;
    deferred_init(&d->wake, d->dev.board->loop, wake, d);
    if (d->p_serial) snprintf(d->serial, sizeof d->serial, "%s", d->p_serial);
    else snprintf(d->serial, sizeof d->serial, "%s-%s-%s", desc->serial ? desc->serial : "1", d->port->bus->where, d->port->path);
}

/* At the highest speed that both know. */
int usb_attach(struct usb_dev *d, struct err *e)
{
    int speed = USB_SPEEDS - 1;
    while (speed >= 0 && !(d->port->speeds >> speed & 1 && d->desc->at[speed])) speed--;
    if (speed < 0) return err_set(e, EINVAL, "usb port %s is of other speeds than %s", d->port->path, d->dev.cls->name);
    d->speed = (uint8_t)speed;
    d->attached = true;
    usb_reset(d);
    d->port->ops->attach(d->port);
    return 0;
}

void usb_reset(struct usb_dev *d)
{
    d->address = d->configuration = d->remote_wakeup = 0;
    memset(d->alt, 0, sizeof d->alt);
    d->halted = 0;
    d->ctl.stage = IDLE;
    if (d->ops->reset) d->ops->reset(d);
}

void usb_dev_reset(void *dev)
{
    usb_reset(dev);
}

void usb_exit(void *dev)
{
    detach(dev);
}

int usb_loaded(void *dev, struct err *e)
{
    struct usb_dev *d = dev;
    const struct usb_control *c = &d->ctl;
    if (c->len > USB_CONTROL_MAX || c->at > USB_CONTROL_MAX || c->s.length > USB_CONTROL_MAX || (c->stage == DATA_IN && c->at > c->len) ||
        (c->stage == DATA_OUT && c->at > c->s.length))
        return err_set(e, EINVAL, "%s: a control transfer that cannot be", d->dev.cls->name);
    return 0;
}
