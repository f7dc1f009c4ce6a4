/*
 * uas.c: usb-uas: USB Attached SCSI (T10 UAS r04), an adapter with a SCSI bus: many commands at a time, by streams at super speed and by READY
 * units otherwise.
 *
 * A command tells nothing of how much it moves, so that is taken from its CDB. Its data is kept here, within a cap for all of them; commands for
 * which there is no room wait in the host. Commands that run cannot be called back: an aborted one ends without an answer.
 * Known gaps: commands under way when state is saved are aborted when it is loaded (hosts repeat them); no command priorities.
 */
#include "dev/scsi/scsi.h"
#include "dev/usb/usb.h"

#include <stdio.h>
#include <stdlib.h>

#define SELF struct usb_uas
enum { IU_COMMAND = 1, IU_SENSE = 3, IU_RESPONSE, IU_TASK, IU_READ_READY, IU_WRITE_READY };
enum { TASK_DONE = 0, BAD_IU = 2, NOT_SUPPORTED = 4, BAD_LUN = 9, OVERLAPPED = 10 };
enum { ABORT_TASK = 1, ABORT_SET = 2, CLEAR_SET = 4, LUN_RESET = 8, NEXUS_RESET = 16 };
enum { REQS = 32, ANSWERS = 128, STREAMS_LOG2 = 4, DATA_CAP = 32 << 20, DATA_TOTAL = 64 << 20, LUNS = 256, EP_COMMAND = 0x01, EP_STATUS = 0x82,
       EP_IN = 0x83, EP_OUT = 0x04 };
enum req_state { FREE, DATA_OUT, BUSY, DATA_IN, STATUS };

struct req {
    struct scsi_request r;
    SELF *s;
    struct iovec iov;
    uint8_t state;               /* enum req_state */
    bool aborted, in;
    uint8_t lun;
    uint16_t tag;
    uint32_t order;              /* of READY units, for who has no streams; 0: none was told */
    uint8_t *data;
    uint32_t len, at, have;
};
struct answer {
    uint8_t iu, code;
    uint16_t tag;
};
struct usb_uas {
    struct usb_dev u;
    struct scsi_bus scsi;
    struct req req[REQS];
    struct answer answer[ANSWERS];
    uint32_t nanswers, order, held; /* held: bytes of data */
};

/* --- what it is ------------------------------------------------------------------------------------------------------------ */

#define PIPE(n, id) static const uint8_t n[] = { 4, 0x24, id, 0 };
PIPE(pipe1, 1)
PIPE(pipe2, 2)
PIPE(pipe3, 3)
PIPE(pipe4, 4)
#define UAS_EP(a, size, b, log, x) { .address = a, .attr = USB_ENDPOINT_XFER_BULK, .packet = size, .burst = b, .ss_attr = log, .extra = x, .nextra = 4 }
#define UAS_AT(speed, version, packet, size, b, log) \
    static const struct usb_endpoint speed##_eps[] = { UAS_EP(EP_COMMAND, size, b, 0, pipe1), UAS_EP(EP_STATUS, size, b, log, pipe2), \
                                                       UAS_EP(EP_IN, size, b, log, pipe3), UAS_EP(EP_OUT, size, b, log, pipe4) }; \
    static const struct usb_interface speed##_if[] = { { .class = USB_CLASS_MASS_STORAGE, .subclass = 6, .protocol = 0x62, .neps = 4, .eps = speed##_eps } }; \
    static const struct usb_config speed##_config[] = { { .value = 1, .attr = USB_CONFIG_ATT_SELFPOWER, .nifs = 1, .ifs = speed##_if } }; \
    static const struct usb_variant speed = { .bcd = version, .packet0 = packet, .nconfigs = 1, .configs = speed##_config };
UAS_AT(high, 0x0200, 64, 512, 0, 0)
UAS_AT(super, 0x0300, 9, 1024, 15, STREAMS_LOG2)
static const struct usb_desc desc = {
    .vendor = 0x46f4, .product = 3, .manufacturer = "QEMU", .name = "USB Attached SCSI HBA", .serial = "27842",
    .at = { [USB_HIGH] = &high, [USB_SUPER] = &super },
};

/* --- how much a command moves ---------------------------------------------------------------------------------------------- */

static uint32_t block_size(SELF *s, unsigned lun)
{
    char text[32];
    struct scsi_dev *d = scsi_find(&s->scsi, 0, lun);
    return d && dev_get(&d->dev, "logical_block_size", text, sizeof text) ? (uint32_t)strtoul(text, NULL, 0) : 512;
}

/* Bytes; *in: to the host. */
static uint64_t moves(SELF *s, unsigned lun, const uint8_t *c, bool *in)
{
    *in = true;
    switch (c[0]) {
    case 0x03: case 0x1a: return c[4];
    case 0x12: return scsi_be16(c + 3);
    case 0x25: return 8;
    case 0x43: case 0x46: case 0x4a: case 0x51: case 0x5a: return scsi_be16(c + 7);
    case 0x9e: return scsi_be32(c + 10);
    case 0xa0: case 0xa3: return scsi_be32(c + 6);
    case 0xbd: return scsi_be16(c + 8);
    case 0x08: return (uint64_t)(c[4] ? c[4] : 256) * block_size(s, lun);
    case 0x28: return (uint64_t)scsi_be16(c + 7) * block_size(s, lun);
    case 0xa8: return (uint64_t)scsi_be32(c + 6) * block_size(s, lun);
    case 0x88: return (uint64_t)scsi_be32(c + 10) * block_size(s, lun);
    default: break;
    }
    *in = false;
    switch (c[0]) {
    case 0x15: return c[4];
    case 0x42: case 0x55: return scsi_be16(c + 7);
    case 0x41: case 0x93: return c[1] & 1 ? 0 : block_size(s, lun);
    case 0x0a: return (uint64_t)(c[4] ? c[4] : 256) * block_size(s, lun);
    case 0x2a: case 0x2e: return (uint64_t)scsi_be16(c + 7) * block_size(s, lun);
    case 0xaa: return (uint64_t)scsi_be32(c + 6) * block_size(s, lun);
    case 0x8a: return (uint64_t)scsi_be32(c + 10) * block_size(s, lun);
    default: return 0;
    }
}

/* --- requests -------------------------------------------------------------------------------------------------------------- */

static void answer(SELF *s, uint8_t iu, uint16_t tag, uint8_t code)
{
    if (s->nanswers < ANSWERS) s->answer[s->nanswers++] = (struct answer){ iu, code, tag };
    usb_ready(&s->u, EP_STATUS);
}

static struct req *find(SELF *s, uint16_t tag)
{
    for (struct req *q = s->req; q < s->req + REQS; q++)
        if (q->state != FREE && q->tag == tag && !q->aborted) return q;
    return NULL;
}

static void release(struct req *q)
{
    SELF *s = q->s;
    free(q->data);
    s->held -= q->len;
    *q = (struct req){ 0 };
    usb_ready(&s->u, EP_COMMAND); /* there is room again */
}

/* READY units and answers of a request that goes. */
static void forget_answers(SELF *s, uint16_t tag)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->nanswers; i++)
        if (s->answer[i].tag != tag || s->answer[i].iu == IU_RESPONSE) s->answer[n++] = s->answer[i];
    s->nanswers = n;
}

static void abort_req(struct req *q)
{
    if (q->state == FREE || q->aborted) return;
    forget_answers(q->s, q->tag);
    q->aborted = true;
    if (q->state != BUSY) release(q);
}

static void done(struct scsi_request *r)
{
    struct req *q = container_of(r, struct req, r);
    SELF *s = q->s;
    if (q->aborted) {
        release(q);
        return;
    }
    q->have = q->in ? (uint32_t)MIN(r->moved, q->len) : 0;
    q->at = 0;
    if (q->have) {
        q->state = DATA_IN;
        answer(s, IU_READ_READY, q->tag, 0);
        usb_ready(&s->u, EP_IN);
    } else {
        q->state = STATUS;
        answer(s, IU_SENSE, q->tag, 0);
    }
}

static void run(struct req *q)
{
    q->state = BUSY;
    q->iov = (struct iovec){ q->data, q->len };
    q->r.done = done;
    if (q->in) q->r.in = &q->iov, q->r.nin = q->len != 0, q->r.in_len = q->len;
    else q->r.out = &q->iov, q->r.nout = q->len != 0, q->r.out_len = q->len;
    scsi_submit(&q->s->scsi, 0, q->lun, &q->r);
}

/* --- pipes ----------------------------------------------------------------------------------------------------------------- */

static bool lun_of(const uint8_t *b, uint8_t *lun)
{
    *lun = b[1];
    return !b[0] && !b[2] && !b[3] && !b[4] && !b[5] && !b[6] && !b[7];
}

static enum usb_status command(SELF *s, const uint8_t *b)
{
    uint16_t tag = (uint16_t)scsi_be16(b + 2);
    struct req *q = s->req;
    uint8_t lun;
    bool in;
    if (find(s, tag)) {
        answer(s, IU_RESPONSE, tag, OVERLAPPED);
        return USB_OK;
    }
    if (!lun_of(b + 8, &lun)) {
        answer(s, IU_RESPONSE, tag, BAD_LUN);
        return USB_OK;
    }
    uint64_t len = moves(s, lun, b + 16, &in);
    while (q < s->req + REQS && q->state != FREE) q++;
    bool large = len > DATA_CAP;
    if (q == s->req + REQS || (!large && s->held + len > DATA_TOTAL)) return USB_NAK;
    *q = (struct req){ .s = s, .in = in, .lun = lun, .tag = tag, .data = !large && len ? calloc(1, len) : NULL };
    memcpy(q->r.cdb, b + 16, 16);
    TRACE(usb_uas_command, "tag %u lun %u command 0x%02x, %llu bytes", tag, lun, b[16], (unsigned long long)len);
    if (large || (len && !q->data)) { /* more than it may have: an invalid field */
        q->state = STATUS;
        q->r.status = SCSI_CHECK;
        memcpy(q->r.sense, (const uint8_t[SCSI_SENSE]){ 0x70, 0, 5, [7] = 10, [12] = 0x24 }, SCSI_SENSE);
        q->r.sense_len = SCSI_SENSE;
        answer(s, IU_SENSE, tag, 0);
        return USB_OK;
    }
    q->len = (uint32_t)len;
    s->held += q->len;
    if (in || !len) {
        run(q);
    } else {
        q->state = DATA_OUT;
        answer(s, IU_WRITE_READY, tag, 0);
        usb_ready(&s->u, EP_OUT);
    }
    return USB_OK;
}

static enum usb_status task(SELF *s, const uint8_t *b)
{
    uint16_t tag = (uint16_t)scsi_be16(b + 2);
    uint8_t lun, code = TASK_DONE, fn = b[4];
    bool all = fn == NEXUS_RESET;
    if (!lun_of(b + 8, &lun)) {
        code = BAD_LUN;
    } else if (fn == ABORT_TASK) {
        struct req *q = find(s, (uint16_t)scsi_be16(b + 6));
        if (q) abort_req(q);
    } else if (fn == ABORT_SET || fn == CLEAR_SET || fn == LUN_RESET || all) {
        for (struct req *q = s->req; q < s->req + REQS; q++)
            if (all || q->lun == lun) abort_req(q);
        for (struct scsi_dev *d = s->scsi.devs; d && fn >= LUN_RESET; d = d->next)
            if (all || d->lun == lun) d->attention = 0x29;
    } else {
        code = NOT_SUPPORTED;
    }
    answer(s, IU_RESPONSE, tag, code);
    return USB_OK;
}

static enum usb_status command_pipe(SELF *s, struct usb_packet *p)
{
    uint8_t b[32] = { 0 };
    if (s->nanswers > ANSWERS - 2 * REQS) return USB_NAK; /* the host shall hear of what it asked first */
    uint32_t n = usb_get(p, b, sizeof b);
    p->actual = 0;
    if (n == 32 && b[0] == IU_COMMAND) return command(s, b);
    if (n >= 16 && b[0] == IU_TASK) return task(s, b);
    answer(s, IU_RESPONSE, (uint16_t)scsi_be16(b + 2), BAD_IU);
    return USB_OK;
}

static enum usb_status status_pipe(SELF *s, struct usb_packet *p)
{
    uint8_t b[16 + SCSI_SENSE] = { 0 };
    unsigned n = 4;
    for (uint32_t i = 0; i < s->nanswers; i++) {
        struct answer a = s->answer[i];
        bool ready = a.iu == IU_READ_READY || a.iu == IU_WRITE_READY;
        if (p->stream && (ready || a.tag != p->stream)) continue; /* who has streams needs no READY */
        memmove(&s->answer[i], &s->answer[i + 1], (--s->nanswers - i) * sizeof a);
        b[0] = a.iu;
        scsi_put16(b + 2, a.tag);
        if (s->nanswers == ANSWERS - 2 * REQS) usb_ready(&s->u, EP_COMMAND);
        struct req *q = a.iu == IU_RESPONSE ? NULL : find(s, a.tag);
        if (a.iu == IU_RESPONSE) {
            b[7] = a.code;
            n = 8;
        } else if (ready && q) {
            q->order = ++s->order;
            usb_ready(&s->u, a.iu == IU_READ_READY ? EP_IN : EP_OUT);
        } else if (q) {
            b[6] = q->r.status;
            b[15] = q->r.sense_len;
            memcpy(b + 16, q->r.sense, MIN(q->r.sense_len, (uint8_t)SCSI_SENSE));
            n = 16u + MIN(q->r.sense_len, (uint8_t)SCSI_SENSE);
            release(q);
        }
        usb_put(p, b, n);
        return USB_OK;
    }
    return USB_NAK;
}

/* Whose data the packet is: its stream's, or that of the READY unit that was told first. */
static struct req *data_of(SELF *s, const struct usb_packet *p, enum req_state state)
{
    struct req *best = NULL;
    for (struct req *q = s->req; q < s->req + REQS; q++) {
        if (q->state != state || q->aborted) continue;
        if (p->stream ? q->tag == p->stream : q->order && (!best || q->order < best->order)) best = q;
    }
    return best;
}

static enum usb_status data_pipe(SELF *s, struct usb_packet *p)
{
    bool in = p->pid == USB_IN;
    struct req *q = data_of(s, p, in ? DATA_IN : DATA_OUT);
    if (!q) return USB_NAK;
    if (!in) {
        q->at += usb_get(p, q->data + q->at, MIN(usb_left(p), q->len - q->at));
        if (q->at < q->len) return USB_OK;
        if (p->stream) forget_answers(s, q->tag); /* the READY unit that nobody took */
        run(q);
        return USB_OK;
    }
    q->at += usb_put(p, q->data + q->at, q->have - q->at);
    if (q->at == q->have) {
        if (p->stream) forget_answers(s, q->tag);
        q->state = STATUS;
        answer(s, IU_SENSE, q->tag, 0);
    }
    return USB_OK;
}

static enum usb_status data(struct usb_dev *d, struct usb_packet *p)
{
    SELF *s = (SELF *)d;
    if (p->ep == (EP_COMMAND & 15)) return command_pipe(s, p);
    if (p->ep == (EP_STATUS & 15)) return status_pipe(s, p);
    return data_pipe(s, p);
}

static void reset(struct usb_dev *d)
{
    SELF *s = (SELF *)d;
    for (struct req *q = s->req; q < s->req + REQS; q++) abort_req(q);
    s->nanswers = s->order = 0;
}

static const struct usb_class class = { .reset = reset, .data = data, .configured = reset };

/* --- life ------------------------------------------------------------------------------------------------------------------ */

static int init(void *dev, struct err *e)
{
    SELF *s = dev;
    char name[80];
    unsigned n = 0;
    for (struct bus *b = s->u.dev.board->buses; b; b = b->next) n += !strcmp(b->type, "SCSI");
    if (s->u.dev.id) snprintf(name, sizeof name, "%.60s.0", s->u.dev.id);
    else snprintf(name, sizeof name, "scsi.%u", n);
    scsi_bus_init(&s->scsi, &s->u.dev, name, 0, LUNS - 1);
    usb_init(&s->u, &desc, &class);
    return usb_attach(&s->u, e);
}

/* Its devices go after it: commands that run end then, and free what is theirs. */
static void leave(void *dev)
{
    usb_exit(dev);
    reset(dev);
}

/* Commands that were under way: aborted, as after a transport error. */
static int loaded(void *dev, struct err *e)
{
    SELF *s = dev;
    int r = usb_loaded(dev, e);
    if (r) return r;
    s->nanswers = 0;
    for (struct req *q = s->req; q < s->req + REQS; q++) {
        if (q->aborted) q->state = BUSY; /* still on its way here */
        if (q->state == FREE || q->aborted) continue;
        *q = (struct req){ .s = s, .state = STATUS, .tag = q->tag, .lun = q->lun, .r = { .status = SCSI_CHECK, .sense_len = SCSI_SENSE } };
        memcpy(q->r.sense, (const uint8_t[SCSI_SENSE]){ 0x70, 0, 0x0b, [7] = 10 }, SCSI_SENSE);
        answer(s, IU_SENSE, q->tag, 0);
    }
    return 0;
}

static const struct state_field req_state[] = {
    { .name = "state", .type = STATE_T_INT, .field = offsetof(struct req, state), .size = 1, .max = STATUS },
    { .name = "tag", .type = STATE_T_INT, .field = offsetof(struct req, tag), .size = 2 },
    { .name = "lun", .type = STATE_T_INT, .field = offsetof(struct req, lun), .size = 1 },
};
const struct device usb_uas_device = {
    .name = "usb-uas", .help = "USB Attached SCSI adapter", .category = "Storage devices", .bus = "usb-bus", .size = sizeof(SELF), .init = init,
    .reset = usb_dev_reset, .exit = leave, .loaded = loaded, .user_creatable = true, .hotplug = true, PROPS(USB_PROPS),
    STATE(USB_STATE, { .name = "req", .type = STATE_T_STRUCT, .field = offsetof(SELF, req), .size = sizeof(struct req), .count = REQS, .sub = req_state,
                       .nsub = ARRAY_LEN(req_state) }),
};
