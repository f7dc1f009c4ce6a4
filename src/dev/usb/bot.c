/*
 * bot.c: usb-storage and usb-bot: mass storage, bulk-only transport 1.0, over dev/scsi. usb-storage makes its one disk itself; usb-bot has a
 * SCSI bus for up to 16 units.
 *
 * A command's data is kept here, up to a cap: what the host writes is collected before the command runs, what it reads waits for the host.
 * A request that a reset overtakes ends on its own, and the next command waits for that.
 * Known gaps: a command of more than 32 MiB fails; a drive with media=cdrom is a disk to usb-storage (usb-bot takes a scsi-cd).
 */
#include "dev/scsi/scsi.h"
#include "dev/usb/usb.h"

#include <stdio.h>

#define SELF struct usb_bot
enum { CBW = 31, CSW = 13, DATA_CAP = 32 << 20, LUNS = 16, EP_IN = 0x81, EP_OUT = 0x02, RESET = 0xff, GET_MAX_LUN = 0xfe, REQUEST_SENSE = 3 };
enum stage { COMMAND, DATA_OUT, BUSY, DATA_IN, STATUS };

struct usb_bot {
    struct usb_dev u;
    struct scsi_bus scsi;
    char *p_drive, *p_rerror, *p_werror;
    bool p_removable, disk;
    uint32_t p_bootindex, p_logical, p_physical;
    struct scsi_request req;
    struct iovec iov;
    bool busy, stale;            /* a request is under way; of before a reset */
    uint8_t stage, lun, cdb[16], cdb_len, dir_in, status, sense_lun;
    uint8_t sense[SCSI_SENSE];   /* of the last command that failed: REQUEST SENSE tells */
    uint32_t tag, length;        /* of the command; bytes that the host wants to move */
    uint32_t at, have, residue;  /* data: how far the host is, how much there is */
    uint8_t *data;
    uint32_t data_len, cap;      /* data_len: bytes that matter, in saved state */
};

/* --- what it is ------------------------------------------------------------------------------------------------------------ */

#define BOT_EPS(n, size, b) \
    static const struct usb_endpoint n[] = { { .address = EP_IN, .attr = USB_ENDPOINT_XFER_BULK, .packet = size, .burst = b }, \
                                             { .address = EP_OUT, .attr = USB_ENDPOINT_XFER_BULK, .packet = size, .burst = b } };
BOT_EPS(full_eps, 64, 0)
BOT_EPS(high_eps, 512, 0)
BOT_EPS(super_eps, 1024, 15)
#define BOT_AT(speed, version, packet) \
    static const struct usb_interface speed##_if[] = { { .class = USB_CLASS_MASS_STORAGE, .subclass = 6, .protocol = 0x50, .neps = 2, \
                                                       .eps = speed##_eps } }; \
    static const struct usb_config speed##_config[] = { { .value = 1, .attr = USB_CONFIG_ATT_SELFPOWER, .nifs = 1, .ifs = speed##_if } }; \
    static const struct usb_variant speed = { .bcd = version, .packet0 = packet, .nconfigs = 1, .configs = speed##_config };
BOT_AT(full, 0x0200, 64)
BOT_AT(high, 0x0200, 64)
BOT_AT(super, 0x0300, 9)
static const struct usb_desc desc = {
    .vendor = 0x46f4, .product = 1, .manufacturer = "QEMU", .name = "QEMU USB HARDDRIVE", .serial = "1",
    .at = { [USB_FULL] = &full, [USB_HIGH] = &high, [USB_SUPER] = &super },
};

static uint32_t le32(const uint8_t *b) { return b[0] | b[1] << 8 | b[2] << 16 | (uint32_t)b[3] << 24; }
static void put32(uint8_t *b, uint32_t v) { b[0] = (uint8_t)v, b[1] = (uint8_t)(v >> 8), b[2] = (uint8_t)(v >> 16), b[3] = (uint8_t)(v >> 24); }

/* --- commands -------------------------------------------------------------------------------------------------------------- */

/* Room for a command's data; what was there is of no use any more. */
static bool reserve(SELF *s, uint32_t n)
{
    if (n > DATA_CAP) return false;
    if (n > s->cap) { /* doubled, so that what the device holds on to is at most twice the cap */
        uint32_t cap = MAX(s->cap, 64u << 10);
        while (cap < n) cap *= 2;
        s->data = dev_alloc(&s->u.dev, cap);
        s->cap = cap;
    }
    s->data_len = n;
    return true;
}

/* The command is over: `have` bytes of it for the host. */
static void over(SELF *s, uint8_t status, uint32_t moved)
{
    s->status = status;
    s->have = s->dir_in ? MIN(moved, s->length) : 0;
    s->residue = s->length - MIN(moved, s->length);
    s->at = 0;
    s->stage = s->dir_in && s->length ? DATA_IN : STATUS;
    if (s->stage == STATUS) s->data_len = 0;
    usb_ready(&s->u, EP_IN);
}

static void done(struct scsi_request *r)
{
    SELF *s = container_of(r, SELF, req);
    bool stale = s->stale;
    s->busy = s->stale = false;
    if (stale) {
        usb_ready(&s->u, EP_OUT);
        return;
    }
    if (r->sense_len) {
        memcpy(s->sense, r->sense, MIN(r->sense_len, (uint8_t)SCSI_SENSE));
        s->sense_lun = s->lun;
    }
    over(s, r->status != SCSI_GOOD, (uint32_t)r->moved);
}

/* What the last failure was: BOT has no other way to tell. */
static bool told_sense(SELF *s)
{
    if (s->cdb[0] != REQUEST_SENSE || !s->sense[0] || s->sense_lun != s->lun) return false;
    uint32_t n = s->dir_in ? MIN(MIN(s->length, s->cdb[4]), (uint32_t)SCSI_SENSE) : 0;
    memcpy(s->data, s->sense, n);
    memset(s->sense, 0, sizeof s->sense);
    over(s, 0, n);
    return true;
}

static void start(SELF *s)
{
    s->stage = BUSY;
    if (told_sense(s)) return;
    memset(s->sense, 0, sizeof s->sense);
    struct scsi_request *r = &s->req;
    *r = (struct scsi_request){ .done = done };
    s->iov = (struct iovec){ s->data, s->length };
    memcpy(r->cdb, s->cdb, s->cdb_len);
    if (s->dir_in) r->in = &s->iov, r->nin = s->length != 0, r->in_len = s->length;
    else r->out = &s->iov, r->nout = s->length != 0, r->out_len = s->length;
    s->busy = true;
    scsi_submit(&s->scsi, 0, s->lun, r);
}

/* A command block wrapper; anything else stalls both pipes until the reset recovery (6.6.1). */
static enum usb_status wrapper(SELF *s, struct usb_packet *p)
{
    uint8_t b[CBW];
    if (s->busy) return USB_NAK;
    if (p->len != CBW || usb_get(p, b, CBW) != CBW || le32(b) != 0x43425355 || b[13] >= LUNS || !b[14] || b[14] > 16) {
        usb_halt(&s->u, EP_IN);
        return USB_STALL;
    }
    s->tag = le32(b + 4);
    s->length = le32(b + 8);
    s->dir_in = b[12] >> 7;
    s->lun = b[13];
    s->cdb_len = b[14];
    memset(s->cdb, 0, sizeof s->cdb);
    memcpy(s->cdb, b + 15, s->cdb_len);
    s->at = s->have = s->residue = 0;
    s->status = 0;
    TRACE(usb_storage_command, "tag 0x%x length %u lun %u command 0x%02x", s->tag, s->length, s->lun, s->cdb[0]);
    if (!reserve(s, s->length)) {
        over(s, 1, 0);
        return USB_OK;
    }
    if (s->length && !s->dir_in) s->stage = DATA_OUT;
    else start(s);
    return USB_OK;
}

/* --- pipes ----------------------------------------------------------------------------------------------------------------- */

static enum usb_status data_out(SELF *s, struct usb_packet *p)
{
    if (usb_left(p) > s->length - s->at) return USB_STALL; /* more than was said */
    s->at += usb_get(p, s->data + s->at, usb_left(p));
    if (s->at == s->length) start(s);
    return USB_OK;
}

/* A packet that is not filled tells that there is no more; if it fits exactly, a stall does (6.7.2). */
static enum usb_status data_in(SELF *s, struct usb_packet *p)
{
    uint32_t n = MIN(usb_left(p), s->have - s->at);
    if (!n && usb_left(p)) {
        s->stage = STATUS;
        s->data_len = 0;
        return USB_STALL;
    }
    usb_put(p, s->data + s->at, n);
    s->at += n;
    if (usb_left(p) || s->at == s->length) {
        s->stage = STATUS;
        s->data_len = 0;
    }
    return USB_OK;
}

static enum usb_status status(SELF *s, struct usb_packet *p)
{
    uint8_t b[CSW];
    if (p->len < CSW) return USB_STALL;
    put32(b, 0x53425355);
    put32(b + 4, s->tag);
    put32(b + 8, s->residue);
    b[12] = s->status;
    usb_put(p, b, CSW);
    s->stage = COMMAND;
    return USB_OK;
}

static enum usb_status data(struct usb_dev *d, struct usb_packet *p)
{
    SELF *s = (SELF *)d;
    bool in = p->pid == USB_IN;
    switch (s->stage) {
    case COMMAND: return in ? USB_NAK : wrapper(s, p);
    case DATA_OUT: return in ? USB_STALL : data_out(s, p);
    case BUSY: return in ? USB_NAK : USB_STALL;
    case DATA_IN: return in ? data_in(s, p) : USB_STALL;
    default: return in ? status(s, p) : USB_STALL;
    }
}

static void forget(SELF *s)
{
    s->stage = COMMAND;
    s->data_len = 0;
    s->stale = s->busy;
}

static int control(struct usb_dev *d, const struct usb_setup *q, uint8_t *buf)
{
    enum { IN = USB_DIR_IN | USB_TYPE_CLASS | USB_TO_INTERFACE, OUT = USB_TYPE_CLASS | USB_TO_INTERFACE };
    SELF *s = (SELF *)d;
    switch (USB_REQ(q->type, q->request)) {
    case USB_REQ(OUT, RESET):
        forget(s);
        return 0;
    case USB_REQ(IN, GET_MAX_LUN): {
        uint8_t most = 0;
        for (struct scsi_dev *o = s->scsi.devs; o; o = o->next) most = (uint8_t)MAX(most, o->lun);
        buf[0] = most;
        return 1;
    }
    default: return -1;
    }
}

static void reset(struct usb_dev *d)
{
    SELF *s = (SELF *)d;
    forget(s);
    memset(s->sense, 0, sizeof s->sense);
}

static const struct usb_class class = { .reset = reset, .control = control, .data = data };

/* --- life ------------------------------------------------------------------------------------------------------------------ */

static int make_disk(SELF *s, struct err *e)
{
    struct dev *d = dev_new(s->u.dev.board, device_find("scsi-hd"), NULL, e);
    char text[24];
    int r = d ? dev_set(d, "drive", s->p_drive, e) : -EINVAL;
    if (!r) r = dev_set(d, "removable", s->p_removable ? "on" : "off", e);
    if (!r && s->u.p_serial) r = dev_set(d, "serial", s->u.p_serial, e);
    if (!r && s->p_rerror) r = dev_set(d, "rerror", s->p_rerror, e);
    if (!r && s->p_werror) r = dev_set(d, "werror", s->p_werror, e);
    snprintf(text, sizeof text, "%u", s->p_logical);
    if (!r) r = dev_set(d, "logical_block_size", text, e);
    snprintf(text, sizeof text, "%u", s->p_physical);
    if (!r) r = dev_set(d, "physical_block_size", text, e);
    if (!r) r = dev_realize(d, s->scsi.bus, e);
    if (r) dev_free(d);
    return r;
}

static int init(SELF *s, bool disk, struct err *e)
{
    char name[80];
    unsigned n = 0;
    s->disk = disk;
    if (disk && !s->p_drive) return err_set(e, EINVAL, "drive property not set");
    for (struct bus *b = s->u.dev.board->buses; b; b = b->next) n += !strcmp(b->type, "SCSI");
    if (s->u.dev.id) snprintf(name, sizeof name, "%.60s.0", s->u.dev.id);
    else snprintf(name, sizeof name, "scsi.%u", n);
    scsi_bus_init(&s->scsi, &s->u.dev, name, 0, LUNS - 1);
    int r = disk ? make_disk(s, e) : 0;
    if (r) return r;
    usb_init(&s->u, &desc, &class);
    return usb_attach(&s->u, e);
}
static int storage_init(void *dev, struct err *e) { return init(dev, true, e); }
static int bot_init(void *dev, struct err *e) { return init(dev, false, e); }

static void leave(void *dev)
{
    usb_exit(dev);
    forget(dev);
}

static int loaded(void *dev, struct err *e)
{
    SELF *s = dev;
    int r = usb_loaded(dev, e);
    if (r) return r;
    s->cap = s->data ? s->data_len : 0;
    if ((s->stage != COMMAND && s->stage != STATUS && s->data_len != s->length) || s->at > s->length || s->have > s->length || s->lun >= LUNS ||
        s->cdb_len > sizeof s->cdb || (s->stage == DATA_IN && s->at > s->have))
        return err_set(e, EINVAL, "%s: a command that cannot be", s->u.dev.cls->name);
    if (s->stage == BUSY) over(s, 1, 0); /* its request was not saved */
    return 0;
}

#define BOT_STATE \
    USB_STATE, STATE_RANGE(stage, 0, STATUS), STATE_INT(lun), STATE_BYTES(cdb), STATE_INT(cdb_len), STATE_RANGE(dir_in, 0, 1), STATE_INT(status), \
    STATE_INT(sense_lun), STATE_BYTES(sense), STATE_INT(tag), STATE_INT(length), STATE_INT(at), STATE_INT(have), STATE_INT(residue), \
    { .name = "data", .type = STATE_T_BLOB, .field = offsetof(SELF, data), .len_field = offsetof(SELF, data_len), .max = DATA_CAP }
#define BOT_DEVICE(n, text, init_fn) \
    .name = n, .help = text, .category = "Storage devices", .bus = "usb-bus", .size = sizeof(SELF), .init = init_fn, .reset = usb_dev_reset, \
    .exit = leave, .loaded = loaded, .user_creatable = true, .hotplug = true, STATE(BOT_STATE)

const struct device usb_storage_device = {
    BOT_DEVICE("usb-storage", "USB disk (bulk only)", storage_init),
    PROPS(USB_PROPS, PROP_STR("drive", p_drive, NULL), PROP_BOOL("removable", p_removable, false), PROP_U32("bootindex", p_bootindex, UINT32_MAX),
          PROP_U32("logical_block_size", p_logical, 512), PROP_U32("physical_block_size", p_physical, 512),
          PROP_STR("rerror", p_rerror, NULL), PROP_STR("werror", p_werror, NULL)),
};
const struct device usb_bot_device = { BOT_DEVICE("usb-bot", "USB adapter for SCSI devices (bulk only)", bot_init), PROPS(USB_PROPS) };
