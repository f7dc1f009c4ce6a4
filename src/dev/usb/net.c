/*
 * net.c: usb-net: an Ethernet card of the CDC's Ethernet control model (CDC 1.2, ECM 1.2). A transfer is a frame.
 * Known gaps: no RNDIS configuration (what Windows without drivers wants); no power management patterns, no statistics.
 */
#include "dev/usb/usb.h"

#include <stdio.h>
#include <linux/usb/cdc.h>
#include "io/net/net.h"

#define SELF struct usb_net
enum { FRAME = 1514 + 4, EP_NOTE = 0x81, EP_IN = 0x82, EP_OUT = 0x02, SPEED = 100000000, NOTE_LINK = 1, NOTE_SPEED = 2 };

struct usb_net {
    struct usb_dev u;
    struct net_port *netdev, *nic;
    uint8_t mac[6];
    char mac_text[13];
    uint32_t p_bootindex;
    uint8_t frame[FRAME];        /* one that came in */
    uint32_t len, at;            /* len 0: none */
    uint8_t notes;               /* NOTE_*: what the guest is to be told */
};

/* --- what it is ------------------------------------------------------------------------------------------------------------ */

static const uint8_t functions[] = {
    5, USB_DT_CS_INTERFACE, USB_CDC_HEADER_TYPE, 0x10, 0x01,
    5, USB_DT_CS_INTERFACE, USB_CDC_UNION_TYPE, 0, 1,
    13, USB_DT_CS_INTERFACE, USB_CDC_ETHERNET_TYPE, USB_STR_MORE, 0, 0, 0, 0, 1514 & 0xff, 1514 >> 8, 0, 0, 0,
};
#define NET_AT(speed, size, ival) \
    static const struct usb_endpoint speed##_note[] = { { .address = EP_NOTE, .attr = USB_ENDPOINT_XFER_INT, .packet = 16, .interval = ival } }; \
    static const struct usb_endpoint speed##_data[] = { { .address = EP_IN, .attr = USB_ENDPOINT_XFER_BULK, .packet = size }, \
                                                        { .address = EP_OUT, .attr = USB_ENDPOINT_XFER_BULK, .packet = size } }; \
    static const struct usb_interface speed##_ifs[] = { \
        { .number = 0, .class = USB_CLASS_COMM, .subclass = USB_CDC_SUBCLASS_ETHERNET, .neps = 1, .eps = speed##_note, .extra = functions, \
          .nextra = sizeof functions }, \
        { .number = 1, .class = USB_CLASS_CDC_DATA }, \
        { .number = 1, .alt = 1, .class = USB_CLASS_CDC_DATA, .neps = 2, .eps = speed##_data }, \
    }; \
    static const struct usb_config speed##_config[] = { { .value = 1, .attr = USB_CONFIG_ATT_SELFPOWER, .power = 50, .nifs = 3, .ifs = speed##_ifs } }; \
    static const struct usb_variant speed = { .bcd = 0x0200, .packet0 = 64, .nconfigs = 1, .configs = speed##_config };
NET_AT(full, 64, 32)
NET_AT(high, 512, 9)
static const struct usb_desc desc = {
    .vendor = 0x0525, .product = 0xa4a2, .class = USB_CLASS_COMM, .manufacturer = "QEMU", .name = "RNDIS/QEMU USB Network Device", .serial = "1",
    .at = { [USB_FULL] = &full, [USB_HIGH] = &high },
};

/* --- frames ---------------------------------------------------------------------------------------------------------------- */

static bool listens(const SELF *s)
{
    return s->u.configuration && s->u.alt[1];
}
static bool can_recv(void *ctx)
{
    const SELF *s = ctx;
    return !s->len || !listens(s);
}
static bool recv_frame(void *ctx, const struct iovec *iov, unsigned n)
{
    SELF *s = ctx;
    size_t len = 0;
    if (!listens(s)) return true;
    if (s->len) return false;
    for (unsigned i = 0; i < n; i++) {
        if (iov[i].iov_len > FRAME - len) return true; /* too long for this wire */
        memcpy(s->frame + len, iov[i].iov_base, iov[i].iov_len);
        len += iov[i].iov_len;
    }
    if (len < 60) memset(s->frame + len, 0, 60 - len), len = 60;
    s->len = (uint32_t)len;
    s->at = 0;
    usb_ready(&s->u, EP_IN);
    return true;
}
static void resume(void *ctx)
{
    usb_ready(&((SELF *)ctx)->u, EP_OUT);
}
static void link_changed(void *ctx, bool up)
{
    SELF *s = ctx;
    s->notes |= NOTE_LINK;
    usb_ready(&s->u, EP_NOTE);
}
static const struct net_client client = { .can_recv = can_recv, .recv = recv_frame, .resume = resume, .link = link_changed };

static enum usb_status note(SELF *s, struct usb_packet *p)
{
    bool up = net_link(s->nic);
    uint8_t b[16] = { USB_DIR_IN | USB_TYPE_CLASS | USB_TO_INTERFACE };
    if (s->notes & NOTE_SPEED && p->len >= 16) {
        s->notes &= (uint8_t)~NOTE_SPEED;
        b[1] = USB_CDC_NOTIFY_SPEED_CHANGE;
        b[6] = 8;
        for (unsigned i = 0; i < 8; i++) b[8 + i] = (uint8_t)(SPEED >> 8 * (i % 4));
        usb_put(p, b, 16);
    } else if (s->notes & NOTE_LINK) {
        s->notes &= (uint8_t)~NOTE_LINK;
        b[1] = USB_CDC_NOTIFY_NETWORK_CONNECTION;
        b[2] = up;
        usb_put(p, b, 8);
    } else {
        return USB_NAK;
    }
    return USB_OK;
}

static enum usb_status data(struct usb_dev *d, struct usb_packet *p)
{
    SELF *s = (SELF *)d;
    if (p->pid == USB_IN && p->ep == (EP_NOTE & 15)) return note(s, p);
    if (p->pid == USB_IN) {
        if (!s->len) return USB_NAK;
        s->at += usb_put(p, s->frame + s->at, s->len - s->at);
        if (s->at == s->len) {
            s->len = 0;
            net_ready(s->nic);
        }
        return USB_OK;
    }
    uint8_t b[FRAME];
    if (s->nic && !net_can_send(s->nic)) return USB_NAK;
    uint32_t n = usb_get(p, b, sizeof b);
    if (n >= 14) net_send_buf(s->nic, b, n);
    return USB_OK;
}

/* --- requests -------------------------------------------------------------------------------------------------------------- */

static int control(struct usb_dev *d, const struct usb_setup *q, uint8_t *buf)
{
    enum { OUT = USB_TYPE_CLASS | USB_TO_INTERFACE };
    switch (USB_REQ(q->type, q->request)) {
    case USB_REQ(OUT, USB_CDC_SET_ETHERNET_PACKET_FILTER): case USB_REQ(OUT, USB_CDC_SET_ETHERNET_MULTICAST_FILTERS):
        return 0; /* the guest's driver filters once more */
    default: return -1;
    }
}

static void reset(struct usb_dev *d)
{
    SELF *s = (SELF *)d;
    s->len = s->at = 0;
    s->notes = NOTE_LINK | NOTE_SPEED;
    net_ready(s->nic);
}
static void alt_set(struct usb_dev *d, unsigned iface)
{
    if (iface == 1) reset(d);
}
static const struct usb_class class = { .reset = reset, .control = control, .data = data, .configured = reset, .alt_set = alt_set };

/* --- life ------------------------------------------------------------------------------------------------------------------ */

static int init(void *dev, struct err *e)
{
    SELF *s = dev;
    int r = net_nic_new(s->netdev, s->u.dev.id, "usb-net", s->mac, &client, s, &s->nic, e);
    if (r) return r;
    snprintf(s->mac_text, sizeof s->mac_text, "%02X%02X%02X%02X%02X%02X", s->mac[0], s->mac[1], s->mac[2], s->mac[3], s->mac[4], s->mac[5]);
    usb_init(&s->u, &desc, &class);
    s->u.own_string = s->mac_text;
    if ((r = usb_attach(&s->u, e))) net_port_free(s->nic);
    return r;
}
static void leave(void *dev)
{
    usb_exit(dev);
    net_port_free(((SELF *)dev)->nic);
}
static int loaded(void *dev, struct err *e)
{
    SELF *s = dev;
    return s->at <= s->len ? usb_loaded(dev, e) : err_set(e, EINVAL, "usb-net: a frame that cannot be");
}

const struct device usb_net_device = {
    .name = "usb-net", .help = "USB Ethernet card (CDC)", .category = "Network devices", .bus = "usb-bus", .size = sizeof(SELF), .init = init,
    .reset = usb_dev_reset, .exit = leave, .loaded = loaded, .user_creatable = true, .hotplug = true,
    PROPS(USB_PROPS, PROP_NET("netdev", netdev), PROP_MAC("mac", mac), PROP_U32("bootindex", p_bootindex, UINT32_MAX)),
    STATE(USB_STATE, STATE_BYTES(frame), STATE_RANGE(len, 0, FRAME), STATE_RANGE(at, 0, FRAME), STATE_RANGE(notes, 0, 3)),
};
