/*
 * input.c: virtio-input (virtio 1.2, 5.8): keyboard, mouse, tablet. Event codes are Linux's (linux/input-event-codes.h).
 * Known gaps: LEDs that the guest sets light nowhere; no multi-touch, no passing of host devices.
 */
#include "dev/virtio/virtio.h"

#include <linux/input-event-codes.h>
#include <stdio.h>
#include "io/display/display.h"

#define SELF struct vinput
enum { CFG_ID_NAME = 1, CFG_ID_SERIAL, CFG_ID_DEVIDS, CFG_PROP_BITS = 0x10, CFG_EV_BITS, CFG_ABS_INFO };
enum { EVENTS, STATUS, GROUP = 64 };
enum kind { KEYBOARD, MOUSE, TABLET };

struct vinput {
    struct virtio v;
    enum kind kind;
    char *serial;
    struct input in;
    uint8_t select, subsel, size, u[128];
    uint8_t group[GROUP][8];      /* events up to the next EV_SYN */
    uint32_t count;
    bool overflow;
};

/* --- what the device is ------------------------------------------------------------------------------------------------------- */

static const char *const names[] = { "Virtio Keyboard", "Virtio Mouse", "Virtio Tablet" };
static const uint16_t buttons[] = { BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, BTN_SIDE, BTN_EXTRA, BTN_GEAR_DOWN, BTN_GEAR_UP, BTN_TOUCH };

static void bit(SELF *s, unsigned n)
{
    s->u[n / 8] |= (uint8_t)(1u << n % 8);
    s->size = (uint8_t)MAX(s->size, n / 8 + 1);
}

static void event_bits(SELF *s, unsigned type)
{
    switch (type) {
    case EV_KEY:
        if (s->kind == KEYBOARD)
            for (unsigned k = 1; k < 248; k++) bit(s, k);
        else
            for (unsigned k = 0; k < ARRAY_LEN(buttons); k++)
                if (s->kind == TABLET || buttons[k] != BTN_TOUCH) bit(s, buttons[k]);
        break;
    case EV_REL:
        if (s->kind == MOUSE) bit(s, REL_X), bit(s, REL_Y);
        if (s->kind != KEYBOARD) bit(s, REL_WHEEL);
        break;
    case EV_ABS:
        if (s->kind == TABLET) bit(s, ABS_X), bit(s, ABS_Y);
        break;
    case EV_REP:
        if (s->kind == KEYBOARD) bit(s, REP_DELAY), bit(s, REP_PERIOD);
        break;
    case EV_LED:
        if (s->kind == KEYBOARD) bit(s, LED_NUML), bit(s, LED_CAPSL), bit(s, LED_SCROLLL);
        break;
    default: break;
    }
}

static void text(SELF *s, const char *t)
{
    size_t n = MIN(strlen(t), sizeof s->u);
    memcpy(s->u, t, n);
    s->size = (uint8_t)n;
}

/* The union shows what select and subsel ask for. */
static void selected(void *dev, unsigned i)
{
    SELF *s = dev;
    s->size = 0;
    memset(s->u, 0, sizeof s->u);
    switch (s->select) {
    case CFG_ID_NAME:
        if (!s->subsel) text(s, names[s->kind]);
        break;
    case CFG_ID_SERIAL:
        if (!s->subsel && s->serial) text(s, s->serial);
        break;
    case CFG_ID_DEVIDS:
        if (s->subsel) break;
        pci_put16(s->u, 0x06); /* BUS_VIRTUAL */
        pci_put16(s->u + 2, 0x0627);
        pci_put16(s->u + 4, (uint16_t)(s->kind + 1));
        pci_put16(s->u + 6, 1);
        s->size = 8;
        break;
    case CFG_EV_BITS: event_bits(s, s->subsel); break;
    case CFG_ABS_INFO:
        if (s->kind != TABLET || s->subsel > ABS_Y) break;
        pci_put32(s->u + 4, INPUT_ABS_MAX);
        s->size = 20;
        break;
    default: break;
    }
}

static const struct reg config[] = {
    { 0, "select", RW, .size = 1, FIELD(select), .after = selected },
    { 1, "subsel", RW, .size = 1, FIELD(subsel), .after = selected },
    { 2, "size", RO, .size = 1, FIELD(size) },
    { 3, "reserved", RO, .size = 1, .count = 5, .step = 1 },
    { 8, "u", RO, .size = 1, FIELD_ARRAY(u), .step = 1 },
};

/* --- events ---------------------------------------------------------------------------------------------------------------------- */

/* A group goes out as a whole or, without room for it, not at all. */
static void flush(SELF *s)
{
    struct vq *q = &s->v.vq[EVENTS];
    struct vq_elem *el[GROUP];
    uint32_t len[GROUP], n = 0;
    while (n < s->count && (el[n] = vq_pop(q))) {
        len[n] = 8;
        if (vq_write(el[n], 0, s->group[n], 8) != 8) virtio_error(&s->v, "an event buffer of %u bytes", el[n]->in_len);
        n++;
    }
    if (n == s->count) {
        vq_push_all(el, len, n);
        vq_notify(q);
    } else {
        TRACE(virtio_input_full, "%s", names[s->kind]);
        while (n) vq_unpop(el[--n]);
    }
}

static void event(void *ctx, uint16_t type, uint16_t code, int32_t value)
{
    SELF *s = ctx;
    if (!virtio_running(&s->v) || (type == EV_SYN && !s->count)) return;
    if (s->count == GROUP - 1 && type != EV_SYN) { /* more than anybody types: the rest of the group is lost */
        s->overflow = true;
        return;
    }
    uint8_t *b = s->group[s->count++];
    pci_put16(b, type);
    pci_put16(b + 2, code);
    pci_put32(b + 4, (uint32_t)value);
    if (type != EV_SYN) return;
    flush(s);
    s->count = 0;
    s->overflow = false;
}

static void status_handle(struct vq *q)
{
    bool any = false;
    for (struct vq_elem *el; (el = vq_pop(q));) {
        vq_push(el, 0);
        any = true;
    }
    if (any) vq_notify(q);
}

static void running(void *dev, bool on)
{
    SELF *s = dev;
    if (on) input_focus(s->v.dev.board->display, &s->in);
}

static void reset(void *dev)
{
    SELF *s = dev;
    s->count = 0;
    s->overflow = false;
    s->select = s->subsel = s->size = 0;
}

static const struct vq_row rows[] = { [EVENTS] = { "events", .size = 64, .flags = VQ_SUPPLY }, [STATUS] = { "status", .size = 64, .handle = status_handle } };
#define CLASS(n, pclass) \
    { .name = n, .id = 18, .pci_class = pclass, VIRTIO_CONFIG(config), .config_size = 136, VIRTIO_ROWS(rows), .status = running, .reset = reset }
static const struct virtio_class classes[] = {
    CLASS("virtio-keyboard", 0x090000), CLASS("virtio-mouse", 0x090200), CLASS("virtio-tablet", 0x090200),
};

static int init(void *dev, enum kind kind, struct err *e)
{
    SELF *s = dev;
    s->kind = kind;
    s->in = (struct input){ .name = names[kind], .takes = kind == KEYBOARD ? INPUT_KEYS : kind == MOUSE ? INPUT_REL : INPUT_ABS,
                            .event = event, .ctx = s };
    int r = virtio_init(dev, &classes[kind], 2, e);
    if (!r) input_add(s->v.dev.board->display, &s->in);
    return r;
}
static int keyboard_init(void *dev, struct err *e) { return init(dev, KEYBOARD, e); }
static int mouse_init(void *dev, struct err *e) { return init(dev, MOUSE, e); }
static int tablet_init(void *dev, struct err *e) { return init(dev, TABLET, e); }
static void leave(void *dev)
{
    SELF *s = dev;
    input_remove(s->v.dev.board->display, &s->in);
    virtio_exit(dev);
}

#define INPUT_PROPS VIRTIO_PROPS, PROP_STR("serial", serial, NULL)
#define INPUT_STATE STATE_INT(select), STATE_INT(subsel), STATE_INT(size), STATE_BYTES(u)
#define ON_BUS(n, text, init_fn) VIRTIO_DEVICE(n, text, "Input devices", init_fn, leave), PROPS(INPUT_PROPS), STATE(VIRTIO_STATE, INPUT_STATE)
#define ON_PCI(n, text, init_fn) \
    VIRTIO_PCI_DEVICE(n, text, "Input devices", init_fn, leave), PROPS(INPUT_PROPS, VIRTIO_PCI_PROPS), STATE(VIRTIO_PCI_STATE, INPUT_STATE)

const struct device virtio_keyboard_device = { ON_BUS("virtio-keyboard", "virtio keyboard", keyboard_init) };
const struct device virtio_keyboard_pci_device = { ON_PCI("virtio-keyboard", "virtio keyboard", keyboard_init) };
const struct device virtio_mouse_device = { ON_BUS("virtio-mouse", "virtio mouse", mouse_init) };
const struct device virtio_mouse_pci_device = { ON_PCI("virtio-mouse", "virtio mouse", mouse_init) };
const struct device virtio_tablet_device = { ON_BUS("virtio-tablet", "virtio tablet", tablet_init) };
const struct device virtio_tablet_pci_device = { ON_PCI("virtio-tablet", "virtio tablet", tablet_init) };
