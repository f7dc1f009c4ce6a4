/*
 * hub.c: usb-hub: a full-speed hub (USB 2.0, chapter 11). Known gaps: ports have no over-current and no indicators; no transaction
 * translator: what is behind it runs at full or low speed.
 */
#include "dev/usb/usb.h"

#include <linux/usb/ch11.h>

#define SELF struct usb_hub
struct usb_hub {
    struct usb_dev u;
    uint32_t p_ports;
    bool p_port_power;
    struct usb_port port[USB_HUB_PORTS];
    uint16_t status[USB_HUB_PORTS], change[USB_HUB_PORTS]; /* wPortStatus, wPortChange */
};

/* --- what it is ------------------------------------------------------------------------------------------------------------ */

static const struct usb_endpoint eps[] = { { .address = 0x81, .attr = USB_ENDPOINT_XFER_INT, .packet = 2, .interval = 0xff } };
static const struct usb_interface ifs[] = { { .class = USB_CLASS_HUB, .neps = 1, .eps = eps } };
static const struct usb_config configs[] = { { .value = 1, .attr = USB_CONFIG_ATT_SELFPOWER | USB_CONFIG_ATT_WAKEUP, .nifs = 1, .ifs = ifs } };
static const struct usb_variant full = { .bcd = 0x0110, .packet0 = 8, .nconfigs = 1, .configs = configs };
static const struct usb_desc desc = {
    .vendor = 0x0409, .product = 0x55aa, .release = 0x0101, .class = USB_CLASS_HUB, .manufacturer = "QEMU", .name = "QEMU USB Hub",
    .serial = "314159", .at = { [USB_FULL] = &full },
};

/* --- ports ----------------------------------------------------------------------------------------------------------------- */

static void changed(SELF *s)
{
    for (unsigned i = 0; i < s->p_ports; i++)
        if (s->change[i]) usb_ready(&s->u, 0x81);
}

static void attach(struct usb_port *p)
{
    SELF *s = p->ctx;
    unsigned i = p->number - 1u;
    s->status[i] = (uint16_t)((s->status[i] & USB_PORT_STAT_POWER) | USB_PORT_STAT_CONNECTION |
                              (p->dev->speed == USB_LOW ? USB_PORT_STAT_LOW_SPEED : 0));
    s->change[i] |= USB_PORT_STAT_C_CONNECTION;
    changed(s);
    usb_wakeup(&s->u);
}

static void port_off(SELF *s, unsigned i)
{
    if (s->status[i] & USB_PORT_STAT_ENABLE) s->change[i] |= USB_PORT_STAT_C_ENABLE;
    s->status[i] &= (uint16_t)~(USB_PORT_STAT_ENABLE | USB_PORT_STAT_SUSPEND);
}

static void detach(struct usb_port *p)
{
    SELF *s = p->ctx;
    unsigned i = p->number - 1u;
    port_off(s, i);
    s->status[i] &= (uint16_t)~(USB_PORT_STAT_CONNECTION | USB_PORT_STAT_LOW_SPEED);
    s->change[i] |= USB_PORT_STAT_C_CONNECTION;
    changed(s);
}

static void wakeup(struct usb_port *p)
{
    SELF *s = p->ctx;
    unsigned i = p->number - 1u;
    if (s->status[i] & USB_PORT_STAT_SUSPEND) {
        s->status[i] &= (uint16_t)~USB_PORT_STAT_SUSPEND;
        s->change[i] |= USB_PORT_STAT_C_SUSPEND;
        changed(s);
    }
    usb_wakeup(&s->u);
}

static bool enabled(const struct usb_port *p)
{
    return ((const SELF *)p->ctx)->status[p->number - 1u] & USB_PORT_STAT_ENABLE;
}

static const struct usb_port_ops ports = { .attach = attach, .detach = detach, .wakeup = wakeup, .enabled = enabled };

static void reset(struct usb_dev *d)
{
    SELF *s = (SELF *)d;
    for (unsigned i = 0; i < s->p_ports; i++) {
        struct usb_dev *c = s->port[i].dev;
        s->status[i] = USB_PORT_STAT_POWER;
        s->change[i] = 0;
        if (c && c->attached) attach(&s->port[i]);
    }
}

/* --- requests -------------------------------------------------------------------------------------------------------------- */

static int set_feature(SELF *s, unsigned i, unsigned feature)
{
    struct usb_dev *c = s->port[i].dev;
    switch (feature) {
    case USB_PORT_FEAT_RESET:
        if (!c || !c->attached) return 0;
        usb_reset(c);
        s->status[i] |= USB_PORT_STAT_ENABLE;
        s->status[i] &= (uint16_t)~USB_PORT_STAT_SUSPEND;
        s->change[i] |= USB_PORT_STAT_C_RESET;
        changed(s);
        return 0;
    case USB_PORT_FEAT_SUSPEND:
        if (s->status[i] & USB_PORT_STAT_ENABLE) s->status[i] |= USB_PORT_STAT_SUSPEND;
        return 0;
    case USB_PORT_FEAT_POWER: s->status[i] |= USB_PORT_STAT_POWER; return 0;
    case USB_PORT_FEAT_INDICATOR: return 0;
    default: return -1;
    }
}

static int clear_feature(SELF *s, unsigned i, unsigned feature)
{
    switch (feature) {
    case USB_PORT_FEAT_ENABLE: s->status[i] &= (uint16_t)~(USB_PORT_STAT_ENABLE | USB_PORT_STAT_SUSPEND); return 0;
    case USB_PORT_FEAT_SUSPEND:
        if (s->status[i] & USB_PORT_STAT_SUSPEND) s->change[i] |= USB_PORT_STAT_C_SUSPEND;
        s->status[i] &= (uint16_t)~USB_PORT_STAT_SUSPEND;
        changed(s);
        return 0;
    case USB_PORT_FEAT_POWER:
        if (s->p_port_power) s->status[i] &= (uint16_t)~(USB_PORT_STAT_POWER | USB_PORT_STAT_ENABLE | USB_PORT_STAT_SUSPEND);
        return 0;
    case USB_PORT_FEAT_INDICATOR: return 0;
    case USB_PORT_FEAT_C_CONNECTION: case USB_PORT_FEAT_C_ENABLE: case USB_PORT_FEAT_C_SUSPEND: case USB_PORT_FEAT_C_OVER_CURRENT:
    case USB_PORT_FEAT_C_RESET:
        s->change[i] &= (uint16_t)~(1u << (feature - USB_PORT_FEAT_C_CONNECTION));
        return 0;
    default: return -1;
    }
}

static int hub_descriptor(SELF *s, uint8_t *b)
{
    unsigned n = s->p_ports / 8 + 1;
    memset(b, 0, 7 + 2 * n);
    b[0] = (uint8_t)(7 + 2 * n);
    b[1] = USB_DT_HUB;
    b[2] = (uint8_t)s->p_ports;
    b[3] = s->p_port_power ? 0x09 : 0x0a; /* power by port or none at all; no over-current protection of single ports */
    b[5] = 1;                             /* 2 ms until power is good */
    memset(b + 7 + n, 0xff, n);
    return b[0];
}

static int control(struct usb_dev *d, const struct usb_setup *q, uint8_t *buf)
{
    SELF *s = (SELF *)d;
    enum { HUB_IN = USB_DIR_IN | USB_TYPE_CLASS | USB_TO_DEVICE, HUB = USB_TYPE_CLASS | USB_TO_DEVICE, PORT_IN = USB_DIR_IN | USB_TYPE_CLASS | USB_TO_OTHER,
           PORT = USB_TYPE_CLASS | USB_TO_OTHER };
    unsigned i = (q->index & 0xff) - 1u;
    switch (USB_REQ(q->type, q->request)) {
    case USB_REQ(HUB_IN, USB_REQ_GET_STATUS):
        memset(buf, 0, 4);
        return 4;
    case USB_REQ(HUB, USB_REQ_CLEAR_FEATURE): case USB_REQ(HUB, USB_REQ_SET_FEATURE): return q->value <= C_HUB_OVER_CURRENT ? 0 : -1;
    case USB_REQ(HUB_IN, USB_REQ_GET_DESCRIPTOR): return hub_descriptor(s, buf);
    default: break;
    }
    if (i >= s->p_ports) return -1;
    switch (USB_REQ(q->type, q->request)) {
    case USB_REQ(PORT_IN, USB_REQ_GET_STATUS):
        buf[0] = (uint8_t)s->status[i], buf[1] = (uint8_t)(s->status[i] >> 8);
        buf[2] = (uint8_t)s->change[i], buf[3] = (uint8_t)(s->change[i] >> 8);
        return 4;
    case USB_REQ(PORT, USB_REQ_SET_FEATURE): return set_feature(s, i, q->value);
    case USB_REQ(PORT, USB_REQ_CLEAR_FEATURE): return clear_feature(s, i, q->value);
    default: return -1;
    }
}

/* The status change endpoint: a bit a port. */
static enum usb_status data(struct usb_dev *d, struct usb_packet *p)
{
    SELF *s = (SELF *)d;
    uint8_t b[2] = { 0 };
    for (unsigned i = 0; i < s->p_ports; i++)
        if (s->change[i]) b[(i + 1) / 8] |= (uint8_t)(1u << (i + 1) % 8);
    if (!b[0] && !b[1]) return USB_NAK;
    usb_put(p, b, s->p_ports / 8 + 1);
    return USB_OK;
}

static const struct usb_class class = { .reset = reset, .control = control, .data = data };

/* --- life ------------------------------------------------------------------------------------------------------------------ */

static int hub_init(void *dev, struct err *e)
{
    SELF *s = dev;
    unsigned tier = 1;
    for (struct usb_dev *h = s->u.port->hub; h; h = h->port->hub) tier++;
    if (tier > USB_TIERS) return err_set(e, EINVAL, "usb-hub: more than %d hubs behind each other", USB_TIERS);
    if (!s->p_ports || s->p_ports > USB_HUB_PORTS) return err_set(e, EINVAL, "usb-hub: ports is 1 to %d", USB_HUB_PORTS);
    usb_init(&s->u, &desc, &class);
    int r = usb_attach(&s->u, e);
    if (r) return r;
    for (unsigned i = 0; i < s->p_ports; i++) {
        usb_port_add(s->u.port->bus, &s->port[i], &s->u, i + 1, USB_SPEEDS_1, &ports, s);
        s->status[i] = USB_PORT_STAT_POWER;
    }
    s->u.ports = s->port;
    s->u.nports = s->p_ports;
    return 0;
}

static void hub_exit(void *dev)
{
    SELF *s = dev;
    usb_exit(dev);
    for (unsigned i = 0; i < s->p_ports; i++) usb_port_remove(&s->port[i]);
    s->u.nports = 0;
}

const struct device usb_hub_device = {
    .name = "usb-hub", .help = "USB hub", .category = "USB devices", .bus = "usb-bus", .size = sizeof(SELF), .init = hub_init, .reset = usb_dev_reset,
    .exit = hub_exit, .loaded = usb_loaded, .user_creatable = true, .hotplug = true,
    PROPS(USB_PROPS, PROP_U32("ports", p_ports, 8), PROP_BOOL("port-power", p_port_power, false)),
    STATE(USB_STATE, STATE_ARRAY(status), STATE_ARRAY(change)),
};
