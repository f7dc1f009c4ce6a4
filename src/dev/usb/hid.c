/*
 * hid.c: usb-kbd, usb-mouse, usb-tablet (HID 1.11; usages of HID Usage Tables 1.12), fed by io/display's input. What is typed faster than
 * the guest asks waits in a queue, so no key is lost. Known gaps: LEDs that the guest sets light nowhere.
 */
#include "dev/usb/usb.h"

#include <linux/input-event-codes.h>
#include "io/display/display.h"

#define SELF struct usb_hid
enum kind { KEYBOARD, MOUSE, TABLET };
enum { QUEUE = 64, HELD = 16, DT_HID = 0x21, DT_REPORT = 0x22, GET_REPORT = 1, GET_IDLE, GET_PROTOCOL, SET_REPORT = 9, SET_IDLE, SET_PROTOCOL,
       MOD_FIRST = 0xe0, MOD_LAST = 0xe7, ROLL_OVER = 1, MAX_STEP = 127 };

/* What one report tells: a key (usage, 0x100 when it goes down), or buttons and a way. */
struct hid_event {
    uint16_t key;
    uint8_t buttons;
    int32_t x, y, wheel;         /* way, or place (tablet) */
};
struct usb_hid {
    struct usb_dev u;
    enum kind kind;
    uint32_t p_version, p_head;
    char *p_display;
    struct input in;
    struct hid_event queue[QUEUE];
    uint32_t head, count;
    struct hid_event now;        /* pointers: what comes until the next EV_SYN; then what was told last */
    bool moved, lost;            /* lost: keys that fell out of a full queue: all are up */
    uint8_t mods, held[HELD], nheld;
    uint8_t protocol, idle, leds, due;
    struct timer timer;
};

/* --- what they are --------------------------------------------------------------------------------------------------------- */

static const uint8_t keyboard_report[] = {
    0x05, 0x01, 0x09, 0x06, 0xa1, 0x01,                                     /* generic desktop, keyboard */
    0x05, 0x07, 0x19, 0xe0, 0x29, 0xe7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x08, 0x81, 0x02, /* 8 modifiers */
    0x95, 0x01, 0x75, 0x08, 0x81, 0x01,                                     /* a byte of nothing */
    0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01, 0x29, 0x05, 0x91, 0x02, /* 5 LEDs */
    0x95, 0x01, 0x75, 0x03, 0x91, 0x01,
    0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x26, 0xff, 0x00, 0x05, 0x07, 0x19, 0x00, 0x29, 0xff, 0x81, 0x00, /* 6 keys */
    0xc0,
};
static const uint8_t mouse_report[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00,             /* generic desktop, mouse, pointer */
    0x05, 0x09, 0x19, 0x01, 0x29, 0x05, 0x15, 0x00, 0x25, 0x01, 0x95, 0x05, 0x75, 0x01, 0x81, 0x02, /* 5 buttons */
    0x95, 0x01, 0x75, 0x03, 0x81, 0x01,
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x09, 0x38, 0x15, 0x81, 0x25, 0x7f, 0x75, 0x08, 0x95, 0x03, 0x81, 0x06, /* X, Y, wheel */
    0xc0, 0xc0,
};
static const uint8_t tablet_report[] = {
    0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x09, 0x01, 0xa1, 0x00,
    0x05, 0x09, 0x19, 0x01, 0x29, 0x05, 0x15, 0x00, 0x25, 0x01, 0x95, 0x05, 0x75, 0x01, 0x81, 0x02,
    0x95, 0x01, 0x75, 0x03, 0x81, 0x01,
    0x05, 0x01, 0x09, 0x30, 0x09, 0x31, 0x15, 0x00, 0x26, 0xff, 0x7f, 0x35, 0x00, 0x46, 0xff, 0x7f, 0x75, 0x10, 0x95, 0x02, 0x81, 0x02, /* place */
    0x09, 0x38, 0x15, 0x81, 0x25, 0x7f, 0x35, 0x00, 0x45, 0x00, 0x75, 0x08, 0x95, 0x01, 0x81, 0x06, /* wheel */
    0xc0, 0xc0,
};
static const struct {
    const uint8_t *b;
    uint8_t len;
} reports[] = { { keyboard_report, sizeof keyboard_report }, { mouse_report, sizeof mouse_report }, { tablet_report, sizeof tablet_report } };

/* One function at full and at high speed: the same but for the interval (frames, or log2 of microframes + 1). */
#define HID_EP(n, size, ival) \
    static const struct usb_endpoint n[] = { { .address = 0x81, .attr = USB_ENDPOINT_XFER_INT, .packet = size, .interval = ival } };
#define HID_AT(speed, n, sub, proto) \
    static const struct usb_interface n##_##speed##_if[] = { { .class = USB_CLASS_HID, .subclass = sub, .protocol = proto, .neps = 1, \
                                                               .eps = n##_##speed##_ep, \
                                                               .extra = n##_hid, .nextra = sizeof n##_hid } }; \
    static const struct usb_config n##_##speed##_config[] = { { .value = 1, .attr = USB_CONFIG_ATT_WAKEUP, .power = 50, .nifs = 1, \
                                                              .ifs = n##_##speed##_if } }; \
    static const struct usb_variant n##_##speed = { .bcd = 0x0200, .packet0 = speed##_PACKET0, .nconfigs = 1, .configs = n##_##speed##_config };
enum { full_PACKET0 = 8, high_PACKET0 = 64 };
#define HID_KIND(n, text, num, size, full_ival, high_ival, sub, proto) \
    static const uint8_t n##_hid[] = { 9, DT_HID, 0x11, 0x01, 0, 1, DT_REPORT, sizeof n##_report, 0 }; \
    HID_EP(n##_full_ep, size, full_ival) HID_EP(n##_high_ep, size, high_ival) HID_AT(full, n, sub, proto) HID_AT(high, n, sub, proto) \
    static const struct usb_desc n##_desc = { .vendor = 0x0627, .product = 1, .manufacturer = "QEMU", .name = text, .serial = num, \
                                              .at = { [USB_FULL] = &n##_full, [USB_HIGH] = &n##_high } };
HID_KIND(keyboard, "QEMU USB Keyboard", "68284", 8, 10, 7, 1, 1)
HID_KIND(mouse, "QEMU USB Mouse", "89126", 4, 10, 7, 1, 2)
HID_KIND(tablet, "QEMU USB Tablet", "28754", 8, 10, 4, 0, 0)
static const struct usb_desc *const descs[] = { &keyboard_desc, &mouse_desc, &tablet_desc };
static const char *const names[] = { "QEMU USB Keyboard", "QEMU USB Mouse", "QEMU USB Tablet" };

/* Usages of the keyboard page by key code. */
static const uint8_t usages[] = {
    [KEY_ESC] = 0x29, [KEY_1] = 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x2d, 0x2e, 0x2a, 0x2b, [KEY_Q] = 0x14, 0x1a, 0x08, 0x15,
    0x17, 0x1c, 0x18, 0x0c, 0x12, 0x13, 0x2f, 0x30, 0x28, 0xe0, [KEY_A] = 0x04, 0x16, 0x07, 0x09, 0x0a, 0x0b, 0x0d, 0x0e, 0x0f, 0x33, 0x34, 0x35, 0xe1,
    0x31, [KEY_Z] = 0x1d, 0x1b, 0x06, 0x19, 0x05, 0x11, 0x10, 0x36, 0x37, 0x38, 0xe5, 0x55, 0xe2, 0x2c, 0x39, [KEY_F1] = 0x3a, 0x3b, 0x3c, 0x3d, 0x3e,
    0x3f, 0x40, 0x41, 0x42, 0x43, 0x53, 0x47, [KEY_KP7] = 0x5f, 0x60, 0x61, 0x56, 0x5c, 0x5d, 0x5e, 0x57, 0x59, 0x5a, 0x5b, 0x62, 0x63,
    [KEY_ZENKAKUHANKAKU] = 0x94, [KEY_102ND] = 0x64, 0x44, 0x45, 0x87, 0x92, 0x93, 0x8a, 0x88, 0x8b, 0x8c, [KEY_KPENTER] = 0x58, 0xe4, 0x54, 0x46, 0xe6,
    [KEY_HOME] = 0x4a, 0x52, 0x4b, 0x50, 0x4f, 0x4d, 0x51, 0x4e, 0x49, 0x4c, [KEY_MUTE] = 0x7f, 0x81, 0x80, 0x66, 0x67, [KEY_PAUSE] = 0x48,
    [KEY_KPCOMMA] = 0x85, 0x90, 0x91, 0x89, 0xe3, 0xe7, 0x65, [KEY_STOP] = 0x78, 0x79, 0x76, 0x7a, 0x77, 0x7c, 0x74, 0x7d, 0x7e, 0x7b, 0x75,
    [KEY_F13] = 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x71, 0x72, 0x73,
};

/* --- the queue ------------------------------------------------------------------------------------------------------------- */

static void push(SELF *s, struct hid_event e)
{
    struct hid_event *last = s->count ? &s->queue[(s->head + s->count - 1) % QUEUE] : NULL;
    if (s->kind != KEYBOARD && last && last->buttons == e.buttons) { /* the guest will see where it ended */
        if (s->kind == MOUSE) e.x += last->x, e.y += last->y;
        e.wheel += last->wheel;
        *last = e;
    } else if (s->count < QUEUE) {
        s->queue[(s->head + s->count++) % QUEUE] = e;
    } else {
        s->lost = true;
    }
    usb_ready(&s->u, 0x81);
    usb_wakeup(&s->u);
}

static void key_event(SELF *s, uint16_t code, bool down)
{
    uint8_t u = code < ARRAY_LEN(usages) ? usages[code] : 0;
    if (u) push(s, (struct hid_event){ .key = (uint16_t)(u | (down ? 0x100 : 0)) });
}

static void pointer_event(SELF *s, uint16_t type, uint16_t code, int32_t value)
{
    static const uint16_t buttons[] = { BTN_LEFT, BTN_RIGHT, BTN_MIDDLE, BTN_SIDE, BTN_EXTRA };
    struct hid_event *e = &s->now;
    switch (type) {
    case EV_KEY:
        for (unsigned i = 0; i < ARRAY_LEN(buttons); i++)
            if (buttons[i] == code) e->buttons = (uint8_t)((e->buttons & ~(1u << i)) | (value ? 1u << i : 0)), s->moved = true;
        break;
    case EV_REL:
        if (code == REL_X) e->x += value;
        else if (code == REL_Y) e->y += value;
        else if (code == REL_WHEEL) e->wheel += value;
        s->moved = true;
        break;
    case EV_ABS:
        if (code == ABS_X) e->x = value;
        else if (code == ABS_Y) e->y = value;
        s->moved = true;
        break;
    case EV_SYN:
        if (!s->moved) break;
        s->moved = false;
        push(s, *e);
        e->wheel = 0;
        if (s->kind == MOUSE) e->x = e->y = 0;
        break;
    default: break;
    }
}

static void event(void *ctx, uint16_t type, uint16_t code, int32_t value)
{
    SELF *s = ctx;
    if (!s->u.configuration) return;
    if (s->kind != KEYBOARD) pointer_event(s, type, code, value);
    else if (type == EV_KEY) key_event(s, code, value != 0);
}

/* --- reports --------------------------------------------------------------------------------------------------------------- */

static void key_apply(SELF *s, uint16_t key)
{
    uint8_t u = (uint8_t)key;
    unsigned i = 0;
    if (u >= MOD_FIRST && u <= MOD_LAST) {
        uint8_t bit = (uint8_t)(1u << (u - MOD_FIRST));
        s->mods = (uint8_t)(key & 0x100 ? s->mods | bit : s->mods & ~bit);
        return;
    }
    while (i < s->nheld && s->held[i] != u) i++;
    if (key & 0x100) {
        if (i == s->nheld && s->nheld < HELD) s->held[s->nheld++] = u;
    } else if (i < s->nheld) {
        memmove(s->held + i, s->held + i + 1, --s->nheld - i);
    }
}

/* Takes what fits into a report out of the event. */
static int8_t step(int32_t *way)
{
    int32_t v = MAX(MIN(*way, MAX_STEP), -MAX_STEP);
    *way -= v;
    return (int8_t)v;
}

static unsigned report(SELF *s, const struct hid_event *e, uint8_t b[8])
{
    memset(b, 0, 8);
    switch (s->kind) {
    case KEYBOARD:
        b[0] = s->mods;
        if (s->nheld <= 6) memcpy(b + 2, s->held, s->nheld);
        else memset(b + 2, ROLL_OVER, 6);
        return 8;
    case MOUSE:
        b[0] = e->buttons, b[1] = (uint8_t)e->x, b[2] = (uint8_t)e->y, b[3] = (uint8_t)e->wheel;
        return s->protocol ? 4 : 3;
    default:
        b[0] = e->buttons;
        b[1] = (uint8_t)e->x, b[2] = (uint8_t)(e->x >> 8), b[3] = (uint8_t)e->y, b[4] = (uint8_t)(e->y >> 8), b[5] = (uint8_t)e->wheel;
        return 6;
    }
}

/* The next report out of the queue. False: nothing happened. */
static bool next(SELF *s, uint8_t b[8], unsigned *n)
{
    struct hid_event e = s->now, *q = &s->queue[s->head];
    if (!s->count) {
        if (s->lost) s->nheld = s->mods = 0;
        else if (!s->due) return false;
        s->lost = false;
        e.wheel = 0;
        if (s->kind == MOUSE) e.x = e.y = 0;
        *n = report(s, &e, b);
        return true;
    }
    bool whole = true;
    e = *q;
    if (s->kind == KEYBOARD) {
        key_apply(s, q->key);
    } else {
        if (s->kind == MOUSE) {
            e.x = step(&q->x), e.y = step(&q->y);
            whole = !q->x && !q->y;
        }
        e.wheel = step(&q->wheel);
        whole &= !q->wheel;
    }
    *n = report(s, &e, b);
    if (whole) {
        s->head = (s->head + 1) % QUEUE;
        s->count--;
    }
    return true;
}

static void idle_set(SELF *s)
{
    s->due = 0;
    if (s->idle) timer_set_in(&s->timer, (uint64_t)s->idle * 4 * NS_PER_MS);
    else timer_cancel(&s->timer);
}

/* Nothing happened for so long that the guest wants to hear that. */
static void idle_over(void *ctx)
{
    SELF *s = ctx;
    s->due = 1;
    usb_ready(&s->u, 0x81);
}

static enum usb_status data(struct usb_dev *d, struct usb_packet *p)
{
    SELF *s = (SELF *)d;
    uint8_t b[8];
    unsigned n;
    if (!next(s, b, &n)) return USB_NAK;
    usb_put(p, b, n);
    idle_set(s);
    return USB_OK;
}

/* --- requests -------------------------------------------------------------------------------------------------------------- */

static int control(struct usb_dev *d, const struct usb_setup *q, uint8_t *buf)
{
    enum { IN = USB_DIR_IN | USB_TYPE_CLASS | USB_TO_INTERFACE, OUT = USB_TYPE_CLASS | USB_TO_INTERFACE };
    SELF *s = (SELF *)d;
    unsigned type = q->value >> 8;
    switch (USB_REQ(q->type, q->request)) {
    case USB_REQ(USB_DIR_IN | USB_TO_INTERFACE, USB_REQ_GET_DESCRIPTOR):
        if (type == DT_REPORT) {
            memcpy(buf, reports[s->kind].b, reports[s->kind].len);
            return reports[s->kind].len;
        }
        if (type != DT_HID) return -1;
        memcpy(buf, d->desc->at[USB_FULL]->configs->ifs->extra, 9);
        return 9;
    case USB_REQ(IN, GET_REPORT): {
        struct hid_event e = s->now;
        e.wheel = 0;
        if (s->kind == MOUSE) e.x = e.y = 0;
        if (type == 2) {
            buf[0] = s->leds;
            return s->kind == KEYBOARD ? 1 : -1;
        }
        return type == 1 ? (int)report(s, &e, buf) : -1;
    }
    case USB_REQ(OUT, SET_REPORT):
        if (type != 2 || s->kind != KEYBOARD) return -1;
        if (q->length) s->leds = buf[0];
        TRACE(usb_kbd_leds, "0x%x", s->leds);
        return 0;
    case USB_REQ(IN, GET_IDLE):
        buf[0] = s->idle;
        return 1;
    case USB_REQ(OUT, SET_IDLE):
        s->idle = (uint8_t)type;
        idle_set(s);
        return 0;
    case USB_REQ(IN, GET_PROTOCOL):
        buf[0] = s->protocol;
        return s->kind == TABLET ? -1 : 1;
    case USB_REQ(OUT, SET_PROTOCOL):
        if (s->kind == TABLET || q->value > 1) return -1;
        s->protocol = (uint8_t)q->value;
        return 0;
    default: return -1;
    }
}

static void reset(struct usb_dev *d)
{
    SELF *s = (SELF *)d;
    s->head = s->count = 0;
    s->mods = s->nheld = s->leds = s->idle = s->due = 0;
    s->protocol = 1;
    s->moved = s->lost = false;
    s->now = (struct hid_event){ 0 };
    timer_cancel(&s->timer);
}

static void configured(struct usb_dev *d)
{
    SELF *s = (SELF *)d;
    if (d->configuration) input_focus(d->dev.board->display, &s->in);
}

static const struct usb_class class = { .reset = reset, .control = control, .data = data, .configured = configured };

/* --- life ------------------------------------------------------------------------------------------------------------------ */

static int init(void *dev, enum kind kind, struct err *e)
{
    static const unsigned takes[] = { INPUT_KEYS, INPUT_REL, INPUT_ABS };
    SELF *s = dev;
    s->kind = kind;
    s->in = (struct input){ .name = names[kind], .takes = takes[kind], .event = event, .ctx = s };
    timer_init(&s->timer, s->u.dev.board->clock, idle_over, s);
    usb_init(&s->u, descs[kind], &class);
    int r = usb_attach(&s->u, e);
    if (!r) input_add(s->u.dev.board->display, &s->in);
    return r;
}
static int keyboard_init(void *dev, struct err *e) { return init(dev, KEYBOARD, e); }
static int mouse_init(void *dev, struct err *e) { return init(dev, MOUSE, e); }
static int tablet_init(void *dev, struct err *e) { return init(dev, TABLET, e); }

static void leave(void *dev)
{
    SELF *s = dev;
    input_remove(s->u.dev.board->display, &s->in);
    timer_cancel(&s->timer);
    usb_exit(dev);
}

#define EVENT_FIELD(m) { .name = #m, .type = STATE_T_INT, .field = offsetof(struct hid_event, m), .size = sizeof(((struct hid_event *)0)->m) }
static const struct state_field event_state[] = { EVENT_FIELD(key), EVENT_FIELD(buttons), EVENT_FIELD(x), EVENT_FIELD(y), EVENT_FIELD(wheel) };
#define EVENTS(m, n) { .name = #m, .type = STATE_T_STRUCT, .field = offsetof(SELF, m), .size = sizeof(struct hid_event), .count = n, .sub = event_state, \
                       .nsub = ARRAY_LEN(event_state) }
#define HID_DEVICE(n, text, init_fn) \
    .name = n, .help = text, .category = "Input devices", .bus = "usb-bus", .size = sizeof(SELF), .init = init_fn, .reset = usb_dev_reset, .exit = leave, \
    .loaded = usb_loaded, .user_creatable = true, .hotplug = true, \
    PROPS(USB_PROPS, PROP_U32("usb_version", p_version, 2), PROP_STR("display", p_display, NULL), PROP_U32("head", p_head, 0)), \
    STATE(USB_STATE, EVENTS(queue, QUEUE), EVENTS(now, 1), STATE_RANGE(head, 0, QUEUE - 1), STATE_RANGE(count, 0, QUEUE), STATE_RANGE(moved, 0, 1), \
          STATE_RANGE(lost, 0, 1), STATE_INT(mods), STATE_BYTES(held), STATE_RANGE(nheld, 0, HELD), STATE_RANGE(protocol, 0, 1), STATE_INT(idle), \
          STATE_INT(leds), STATE_RANGE(due, 0, 1), STATE_TIMER(timer))

const struct device usb_kbd_device = { HID_DEVICE("usb-kbd", "USB keyboard", keyboard_init) };
const struct device usb_mouse_device = { HID_DEVICE("usb-mouse", "USB mouse", mouse_init) };
const struct device usb_tablet_device = { HID_DEVICE("usb-tablet", "USB tablet", tablet_init) };
