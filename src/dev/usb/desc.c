/* desc.c: descriptors out of tables, standard requests (USB 2.0, 9.4 to 9.6; USB 3.2, 9.4 to 9.6). Known gaps: no test modes. */
#include "dev/usb/usb.h"

struct out {
    uint8_t *b;
    unsigned n;
};

/* Writes a byte if there is room; what is too long for a control transfer is cut. */
static void byte(struct out *o, unsigned v)
{
    if (o->n < USB_CONTROL_MAX) o->b[o->n++] = (uint8_t)v;
}
static void word(struct out *o, unsigned v)
{
    byte(o, v);
    byte(o, v >> 8);
}
static void bytes(struct out *o, const uint8_t *p, unsigned n)
{
    while (n--) byte(o, *p++);
}

static bool qualified(const struct usb_desc *d, unsigned speed)
{
    return speed != USB_SUPER && d->at[USB_FULL] && d->at[USB_HIGH];
}

static void device(struct out *o, const struct usb_dev *d, const struct usb_variant *v)
{
    const struct usb_desc *s = d->desc;
    byte(o, USB_DT_DEVICE_SIZE), byte(o, USB_DT_DEVICE), word(o, v->bcd);
    byte(o, s->class), byte(o, s->subclass), byte(o, s->protocol), byte(o, v->packet0);
    word(o, s->vendor), word(o, s->product), word(o, s->release);
    byte(o, USB_STR_MANUFACTURER), byte(o, USB_STR_PRODUCT), byte(o, USB_STR_SERIAL), byte(o, v->nconfigs);
}

static void qualifier(struct out *o, const struct usb_dev *d, const struct usb_variant *v)
{
    const struct usb_desc *s = d->desc;
    byte(o, 10), byte(o, USB_DT_DEVICE_QUALIFIER), word(o, 0x0200);
    byte(o, s->class), byte(o, s->subclass), byte(o, s->protocol), byte(o, v->packet0);
    byte(o, v->nconfigs), byte(o, 0);
}

static void config(struct out *o, const struct usb_config *c, unsigned type, bool super)
{
    unsigned start = o->n, count = 0;
    for (unsigned i = 0; i < c->nifs; i++) count = MAX(count, c->ifs[i].number + 1u);
    byte(o, USB_DT_CONFIG_SIZE), byte(o, type), word(o, 0);
    byte(o, count), byte(o, c->value), byte(o, 0), byte(o, c->attr | 0x80), byte(o, super ? (c->power + 3u) / 4 : c->power);
    for (unsigned i = 0; i < c->nifs; i++) {
        const struct usb_interface *f = &c->ifs[i];
        byte(o, USB_DT_INTERFACE_SIZE), byte(o, USB_DT_INTERFACE), byte(o, f->number), byte(o, f->alt);
        byte(o, f->neps), byte(o, f->class), byte(o, f->subclass), byte(o, f->protocol), byte(o, f->string);
        bytes(o, f->extra, f->nextra);
        for (unsigned k = 0; k < f->neps; k++) {
            const struct usb_endpoint *e = &f->eps[k];
            byte(o, USB_DT_ENDPOINT_SIZE), byte(o, USB_DT_ENDPOINT), byte(o, e->address), byte(o, e->attr), word(o, e->packet), byte(o, e->interval);
            if (super) {
                byte(o, USB_DT_SS_EP_COMP_SIZE), byte(o, USB_DT_SS_ENDPOINT_COMP);
                byte(o, e->burst), byte(o, e->ss_attr), word(o, e->ss_bytes);
            }
            bytes(o, e->extra, e->nextra);
        }
    }
    if (start + 4 > USB_CONTROL_MAX) return;
    o->b[start + 2] = (uint8_t)(o->n - start), o->b[start + 3] = (uint8_t)((o->n - start) >> 8);
}

/* Text as UTF-16; ours is ASCII. */
static int string(struct out *o, const struct usb_dev *d, unsigned i)
{
    const struct usb_desc *s = d->desc;
    const char *t = i == USB_STR_MANUFACTURER ? s->manufacturer : i == USB_STR_PRODUCT ? s->name : i == USB_STR_SERIAL ? d->serial : NULL;
    if (!i) { /* languages: US English */
        byte(o, 4), byte(o, USB_DT_STRING), word(o, 0x0409);
        return 4;
    }
    if (i == USB_STR_MORE && d->own_string) t = d->own_string;
    for (unsigned k = 0; !t && i >= USB_STR_MORE && s->strings && s->strings[k]; k++)
        if (k == i - USB_STR_MORE) t = s->strings[k];
    if (!t) return -1;
    unsigned len = (unsigned)MIN(strlen(t), 126u);
    byte(o, 2 + 2 * len), byte(o, USB_DT_STRING);
    for (unsigned k = 0; k < len; k++) word(o, (uint8_t)t[k]);
    return (int)o->n;
}

static void bos(struct out *o, const struct usb_desc *s)
{
    unsigned speeds = (s->at[USB_LOW] ? 1 : 0) | (s->at[USB_FULL] ? 2 : 0) | (s->at[USB_HIGH] ? 4 : 0) | (s->at[USB_SUPER] ? 8 : 0);
    byte(o, USB_DT_BOS_SIZE), byte(o, USB_DT_BOS), word(o, USB_DT_BOS_SIZE + 7 + USB_DT_USB_SS_CAP_SIZE), byte(o, 2);
    byte(o, 7), byte(o, USB_DT_DEVICE_CAPABILITY), byte(o, USB_CAP_TYPE_EXT), word(o, USB_LPM_SUPPORT), word(o, 0);
    byte(o, USB_DT_USB_SS_CAP_SIZE), byte(o, USB_DT_DEVICE_CAPABILITY), byte(o, USB_SS_CAP_TYPE), byte(o, 0), word(o, speeds);
    byte(o, s->at[USB_FULL] ? 1 : s->at[USB_HIGH] ? 2 : 3), byte(o, 10), word(o, 32); /* lowest speed at which all works; exit latencies */
}

static int get_descriptor(const struct usb_dev *d, const struct usb_setup *s, uint8_t *buf)
{
    const struct usb_desc *t = d->desc;
    const struct usb_variant *v = t->at[d->speed], *other = d->speed == USB_HIGH ? t->at[USB_FULL] : t->at[USB_HIGH];
    struct out o = { buf, 0 };
    unsigned i = s->value & 0xff;
    switch (s->value >> 8) {
    case USB_DT_DEVICE: device(&o, d, v); break;
    case USB_DT_CONFIG:
        if (i >= v->nconfigs) return -1;
        config(&o, &v->configs[i], USB_DT_CONFIG, d->speed == USB_SUPER);
        break;
    case USB_DT_STRING: return string(&o, d, i);
    case USB_DT_DEVICE_QUALIFIER:
        if (!qualified(t, d->speed)) return -1;
        qualifier(&o, d, other);
        break;
    case USB_DT_OTHER_SPEED_CONFIG:
        if (!qualified(t, d->speed) || i >= other->nconfigs) return -1;
        config(&o, &other->configs[i], USB_DT_OTHER_SPEED_CONFIG, false);
        break;
    case USB_DT_BOS:
        if (!t->at[USB_SUPER]) return -1;
        bos(&o, t);
        break;
    default: return -1;
    }
    return (int)o.n;
}

static const struct usb_config *config_of(const struct usb_dev *d, unsigned value)
{
    const struct usb_variant *v = d->desc->at[d->speed];
    for (unsigned i = 0; i < v->nconfigs; i++)
        if (v->configs[i].value == value) return &v->configs[i];
    return NULL;
}

static int set_configuration(struct usb_dev *d, unsigned value)
{
    if (value && !config_of(d, value)) return -1;
    d->configuration = (uint8_t)value;
    d->halted = 0;
    memset(d->alt, 0, sizeof d->alt);
    if (d->ops->configured) d->ops->configured(d);
    return 0;
}

static int set_interface(struct usb_dev *d, unsigned iface, unsigned alt)
{
    const struct usb_config *c = d->configuration ? config_of(d, d->configuration) : NULL;
    for (unsigned i = 0; c && i < c->nifs; i++) {
        if (c->ifs[i].number != iface || c->ifs[i].alt != alt || iface >= USB_IFACES) continue;
        d->alt[iface] = (uint8_t)alt;
        d->halted = 0;
        if (d->ops->alt_set) d->ops->alt_set(d, iface);
        return 0;
    }
    return -1;
}

static bool has_interface(const struct usb_dev *d, unsigned iface)
{
    const struct usb_config *c = d->configuration ? config_of(d, d->configuration) : NULL;
    for (unsigned i = 0; c && i < c->nifs; i++)
        if (c->ifs[i].number == iface) return true;
    return false;
}

static uint32_t *halt_bit(struct usb_dev *d, const struct usb_setup *s, uint32_t *bit)
{
    uint8_t ep = s->index & 0x8f;
    *bit = 1u << ((ep & 15) + (ep & USB_DIR_IN ? 16 : 0));
    return !(ep & 15) || usb_find_ep(d, ep) ? &d->halted : NULL;
}

static int device_feature(struct usb_dev *d, const struct usb_setup *s)
{
    bool set = s->request == USB_REQ_SET_FEATURE;
    switch (s->value) {
    case USB_DEVICE_REMOTE_WAKEUP: d->remote_wakeup = set; return 0;
    case USB_DEVICE_U1_ENABLE: case USB_DEVICE_U2_ENABLE: case USB_DEVICE_LTM_ENABLE: return d->speed == USB_SUPER ? 0 : -1;
    default: return -1;
    }
}

static int endpoint_feature(struct usb_dev *d, const struct usb_setup *s)
{
    uint32_t bit, *halted = halt_bit(d, s, &bit);
    if (!halted || s->value != USB_ENDPOINT_HALT) return -1;
    if (!(s->index & 15)) return 0;
    if (s->request == USB_REQ_SET_FEATURE) {
        *halted |= bit;
    } else {
        *halted &= ~bit;
        if (d->ops->unhalted) d->ops->unhalted(d, s->index & 0x8f);
        usb_ready(d, s->index & 0x8f);
    }
    return 0;
}

static int get_status(struct usb_dev *d, const struct usb_setup *s, uint8_t *buf)
{
    uint32_t bit, *halted;
    const struct usb_config *c = config_of(d, d->configuration ? d->configuration : 1);
    buf[0] = buf[1] = 0;
    switch (s->type & 0x1f) {
    case USB_TO_DEVICE: buf[0] = (uint8_t)((c && c->attr & USB_CONFIG_ATT_SELFPOWER ? 1 : 0) | d->remote_wakeup << 1); return 2;
    case USB_TO_INTERFACE: return has_interface(d, s->index & 0xff) ? 2 : -1;
    case USB_TO_ENDPOINT:
        if (!(halted = halt_bit(d, s, &bit))) return -1;
        buf[0] = (*halted & bit) != 0;
        return 2;
    default: return -1;
    }
}

int usb_standard(struct usb_dev *d, const struct usb_setup *s, uint8_t *buf)
{
    enum { DEV_IN = USB_DIR_IN | USB_TO_DEVICE, IF_IN = USB_DIR_IN | USB_TO_INTERFACE, EP_IN = USB_DIR_IN | USB_TO_ENDPOINT };
    switch (USB_REQ(s->type, s->request)) {
    case USB_REQ(USB_TO_DEVICE, USB_REQ_SET_ADDRESS):
        d->address = s->value & 127;
        return 0;
    case USB_REQ(DEV_IN, USB_REQ_GET_DESCRIPTOR): return s->length ? get_descriptor(d, s, buf) : 0;
    case USB_REQ(DEV_IN, USB_REQ_GET_CONFIGURATION):
        buf[0] = d->configuration;
        return 1;
    case USB_REQ(USB_TO_DEVICE, USB_REQ_SET_CONFIGURATION): return set_configuration(d, s->value & 0xff);
    case USB_REQ(DEV_IN, USB_REQ_GET_STATUS): case USB_REQ(IF_IN, USB_REQ_GET_STATUS): case USB_REQ(EP_IN, USB_REQ_GET_STATUS):
        return get_status(d, s, buf);
    case USB_REQ(USB_TO_DEVICE, USB_REQ_CLEAR_FEATURE): case USB_REQ(USB_TO_DEVICE, USB_REQ_SET_FEATURE): return device_feature(d, s);
    case USB_REQ(USB_TO_ENDPOINT, USB_REQ_CLEAR_FEATURE): case USB_REQ(USB_TO_ENDPOINT, USB_REQ_SET_FEATURE): return endpoint_feature(d, s);
    case USB_REQ(USB_TO_INTERFACE, USB_REQ_CLEAR_FEATURE): case USB_REQ(USB_TO_INTERFACE, USB_REQ_SET_FEATURE):
        return s->value == USB_INTRF_FUNC_SUSPEND && d->speed == USB_SUPER && has_interface(d, s->index & 0xff) ? 0 : -1;
    case USB_REQ(IF_IN, USB_REQ_GET_INTERFACE):
        if (!has_interface(d, s->index & 0xff) || (s->index & 0xff) >= USB_IFACES) return -1;
        buf[0] = d->alt[s->index & 0xff];
        return 1;
    case USB_REQ(USB_TO_INTERFACE, USB_REQ_SET_INTERFACE): return set_interface(d, s->index & 0xff, s->value);
    case USB_REQ(USB_TO_DEVICE, USB_REQ_SET_SEL): case USB_REQ(USB_TO_DEVICE, USB_REQ_SET_ISOCH_DELAY): return d->speed == USB_SUPER ? 0 : -1;
    default: return -1;
    }
}
