/*
 * scsi.c: virtio-scsi (virtio 1.2, 5.6): an adapter; its targets are on a SCSI bus (dev/scsi).
 * Known gaps: single commands cannot be aborted (the function is rejected; resets wait for what is under way); no T10 protection.
 */
#include "dev/scsi/scsi.h"
#include "dev/virtio/virtio.h"

#include <stdio.h>
#include <stdlib.h>
#include "io/block/blk.h"

#define SELF struct virtio_scsi
enum { F_INOUT, F_HOTPLUG, F_CHANGE };
enum { CONTROL, EVENT, REQUESTS };
enum { S_OK, S_OVERRUN, S_ABORTED, S_BAD_TARGET, S_RESET, S_BUSY, S_FAILURE = 9, S_BAD_LUN = 12, TMF_SUCCEEDED = 10, TMF_REJECTED = 11 };
enum { LUN = 8, HEADER = 19, REPLY = 12, SENSE_MAX = 252, CDB_DEFAULT = 32, SENSE_DEFAULT = 96, EVENTS = 64 };

struct event {
    uint32_t event, reason;
    uint8_t target;
    uint16_t lun;
};
struct virtio_scsi {
    struct virtio v;
    struct scsi_bus bus;
    uint32_t p_queues, seg_max, max_sectors, cmd_per_lun, sense_size, cdb_size;
    uint16_t p_queue_size;
    char *iothread;
    struct vq_elem *tmf;          /* resets that wait for requests to end */
    struct event events[EVENTS];
    uint32_t nevents;
    bool missed;
};

struct command {
    struct scsi_request r;
    struct vq_elem *el;
};

/* --- commands --------------------------------------------------------------------------------------------------------------------- */

/* "1, target, 0x40 | lun, lun, 0...": false: something else. */
static bool lun_of(const uint8_t *b, unsigned *target, unsigned *lun)
{
    *target = b[1];
    *lun = (unsigned)(b[2] & 0x3f) << 8 | b[3];
    return b[0] == 1 && (!b[2] || (b[2] & 0xc0) == 0x40) && !(b[4] | b[5] | b[6] | b[7]);
}

static void tmf_check(SELF *s);

static void reply(SELF *s, struct vq_elem *el, uint8_t response, const struct scsi_request *r, uint64_t residual)
{
    uint8_t b[REPLY + SENSE_MAX] = { 0 };
    unsigned n = REPLY + s->sense_size;
    struct vq *q = el->q;
    if (r) {
        pci_put32(b, r->sense_len);
        b[10] = r->status;
        memcpy(b + REPLY, r->sense, MIN(r->sense_len, s->sense_size));
    }
    pci_put32(b + 4, (uint32_t)MIN(residual, UINT32_MAX));
    b[11] = response;
    vq_write(el, 0, b, n);
    vq_push(el, n + (uint32_t)(r && r->in_len ? r->moved : 0));
    vq_notify(q);
}

static void done(struct scsi_request *r)
{
    struct command *c = (struct command *)r;
    SELF *s = (SELF *)c->el->q->v;
    uint64_t asked = r->in_len ? r->in_len : r->out_len;
    reply(s, c->el, S_OK, r, asked - MIN(r->moved, asked));
    free(c);
    if (s->tmf) tmf_check(s);
}

static void request_handle(struct vq *q)
{
    SELF *s = (SELF *)q->v;
    for (struct vq_elem *el; (el = vq_pop(q));) {
        uint8_t h[HEADER + SENSE_MAX];
        uint32_t head = HEADER + s->cdb_size, resp = REPLY + s->sense_size;
        unsigned target, lun;
        if (vq_read(el, 0, h, head) != head || el->in_len < resp) {
            virtio_error(q->v, "a request without header or room for its answer");
            vq_drop(el);
            return;
        }
        if (!lun_of(h, &target, &lun)) {
            reply(s, el, S_BAD_TARGET, NULL, 0);
            continue;
        }
        if (!scsi_target(&s->bus, target)) {
            reply(s, el, S_BAD_TARGET, NULL, 0);
            continue;
        }
        uint64_t out = el->out_len - head, in = el->in_len - resp;
        if (in && out) {
            reply(s, el, S_FAILURE, NULL, 0);
            continue;
        }
        struct command *c = calloc(1, sizeof *c);
        int nin = c && in ? vq_iov(el, true, resp, in, &c->r.in) : 0, nout = c && out ? vq_iov(el, false, head, out, &c->r.out) : 0;
        if (!c || nin < 0 || nout < 0) {
            free(c);
            reply(s, el, S_FAILURE, NULL, 0);
            continue;
        }
        c->el = el;
        c->r.nin = (unsigned)nin, c->r.nout = (unsigned)nout;
        c->r.in_len = in, c->r.out_len = out;
        memcpy(c->r.cdb, h + HEADER, MIN(s->cdb_size, (uint32_t)SCSI_CDB));
        c->r.done = done;
        scsi_submit(&s->bus, target, lun, &c->r);
    }
}

/* --- task management ---------------------------------------------------------------------------------------------------------------------- */

/* Is a command of that unit (of the whole target: lun < 0) under way? */
static bool busy(SELF *s, unsigned target, int lun)
{
    for (struct scsi_dev *d = s->bus.devs; d; d = d->next)
        if (d->target == target && (lun < 0 || d->lun == (unsigned)lun) && d->inflight) return true;
    return false;
}

static void tmf_answer(struct vq_elem *el, uint8_t response)
{
    struct vq *q = el->q;
    vq_write(el, 0, &response, 1);
    vq_push(el, 1);
    vq_notify(q);
}

/* tag: target << 16 | lun, or 0xffff. */
static void tmf_check(SELF *s)
{
    for (struct vq_elem **p = &s->tmf, *el; (el = *p);) {
        unsigned target = el->tag >> 16;
        int lun = (el->tag & 0xffff) == 0xffff ? -1 : (int)(el->tag & 0xffff);
        if (busy(s, target, lun)) {
            p = &el->next;
            continue;
        }
        *p = el->next;
        for (struct scsi_dev *d = s->bus.devs; d; d = d->next)
            if (d->target == target && (lun < 0 || d->lun == (unsigned)lun)) d->attention = 0x29;
        tmf_answer(el, S_OK);
    }
}

static void control_handle(struct vq *q)
{
    SELF *s = (SELF *)q->v;
    for (struct vq_elem *el; (el = vq_pop(q));) {
        uint8_t b[24] = { 0 };
        int64_t n = vq_read(el, 0, b, sizeof b);
        unsigned target, lun, sub = pci_get32(b + 4);
        if (n < 4 || !el->in_len) {
            virtio_error(q->v, "a control request of %lld bytes", (long long)n);
            vq_drop(el);
            return;
        }
        if (pci_get32(b) != 0) { /* asynchronous notification: none is there */
            uint8_t none[5] = { 0 };
            vq_write(el, 0, none, sizeof none);
            vq_push(el, sizeof none);
            vq_notify(q);
        } else if (n < 24 || !lun_of(b + 8, &target, &lun)) {
            tmf_answer(el, S_BAD_TARGET);
        } else if (!scsi_target(&s->bus, target)) {
            tmf_answer(el, S_BAD_TARGET);
        } else if (sub == 4 || sub == 5) { /* I_T nexus, logical unit: when everything that is under way has ended */
            el->tag = target << 16 | (sub == 4 ? 0xffff : lun);
            el->next = s->tmf;
            s->tmf = el;
            tmf_check(s);
        } else if (sub == 6 || sub == 7) { /* query: nothing is known of tags any more when they are over */
            tmf_answer(el, busy(s, target, sub == 7 ? (int)lun : -1) ? TMF_SUCCEEDED : S_OK);
        } else {
            tmf_answer(el, TMF_REJECTED);
        }
    }
}

/* --- events ----------------------------------------------------------------------------------------------------------------------------------- */

static void flush_events(SELF *s)
{
    struct vq *q = &s->v.vq[EVENT];
    bool any = false;
    while (s->nevents) {
        struct vq_elem *el = vq_pop(q);
        if (!el && !(vq_want(q, true) && (el = vq_pop(q)))) break;
        const struct event *v = &s->events[0];
        uint8_t b[16] = { 0 };
        pci_put32(b, v->event | (s->missed ? 0x80000000u : 0));
        b[4] = 1, b[5] = v->target;
        b[6] = (uint8_t)(0x40 | v->lun >> 8), b[7] = (uint8_t)v->lun;
        pci_put32(b + 12, v->reason);
        s->missed = false;
        memmove(s->events, s->events + 1, --s->nevents * sizeof s->events[0]);
        int64_t n = vq_write(el, 0, b, sizeof b);
        vq_push(el, n < 0 ? 0 : (uint32_t)n);
        any = true;
    }
    if (any) vq_notify(q);
}

static void event_handle(struct vq *q)
{
    vq_want(q, false);
    flush_events((SELF *)q->v);
}

static void event(SELF *s, struct scsi_dev *d, uint32_t what, uint32_t reason)
{
    if (s->nevents == EVENTS) {
        s->missed = true;
        return;
    }
    s->events[s->nevents++] = (struct event){ what, reason, (uint8_t)d->target, (uint16_t)d->lun };
    flush_events(s);
}

static void changed(struct dev *hba, struct scsi_dev *d, bool there)
{
    SELF *s = (SELF *)hba;
    if (virtio_running(&s->v) && virtio_has(&s->v, F_HOTPLUG)) event(s, d, 1, there ? 1 : 2); /* transport reset: rescan, removed */
}

static void touched(struct dev *hba, struct scsi_dev *d, unsigned code)
{
    SELF *s = (SELF *)hba;
    if (virtio_running(&s->v) && virtio_has(&s->v, F_CHANGE)) event(s, d, 3, code); /* parameter change */
}

/* --- the device -------------------------------------------------------------------------------------------------------------------------------- */

static uint64_t const16(void *dev, unsigned i) { return 16; }
static uint64_t max_target(void *dev, unsigned i) { return SCSI_TARGETS - 1; }
static uint64_t max_lun(void *dev, unsigned i) { return SCSI_LUNS - 1; }
static void sizes_after(void *dev, unsigned i)
{
    SELF *s = dev;
    s->sense_size = MIN(s->sense_size, (uint32_t)SENSE_MAX);
    s->cdb_size = MIN(s->cdb_size, (uint32_t)SENSE_MAX);
}
static const struct reg config[] = {
    { 0, "num_queues", RO, FIELD(p_queues) },
    { 4, "seg_max", RO, FIELD(seg_max) },
    { 8, "max_sectors", RO, FIELD(max_sectors) },
    { 12, "cmd_per_lun", RO, FIELD(cmd_per_lun) },
    { 16, "event_info_size", RO, .read = const16 },
    { 20, "sense_size", RW, FIELD(sense_size), .after = sizes_after },
    { 24, "cdb_size", RW, FIELD(cdb_size), .after = sizes_after },
    { 28, "max_channel", RO, .size = 2 },
    { 30, "max_target", RO, .size = 2, .read = max_target },
    { 32, "max_lun", RO, .read = max_lun },
};

static void reset(void *dev)
{
    SELF *s = dev;
    for (struct vq_elem *el; (el = s->tmf);) {
        s->tmf = el->next;
        vq_drop(el);
    }
    s->nevents = 0;
    s->missed = false;
    s->sense_size = SENSE_DEFAULT;
    s->cdb_size = CDB_DEFAULT;
}

static void queue_reset(void *dev, struct vq *q)
{
    SELF *s = dev;
    for (struct vq_elem *el; q->index == CONTROL && (el = s->tmf);) {
        s->tmf = el->next;
        vq_drop(el);
    }
}

static const struct vq_row rows[] = {
    [CONTROL] = { "control", .size = 64, .handle = control_handle },
    [EVENT] = { "event", .size = 64, .flags = VQ_SUPPLY, .handle = event_handle },
    [REQUESTS] = { "request", .flags = VQ_NOW, .handle = request_handle },
};
static const struct virtio_class class = {
    .name = "virtio-scsi", .id = 8, .pci_class = 0x010000, .features = VF(F_HOTPLUG) | VF(F_CHANGE), VIRTIO_CONFIG(config), .config_size = 36,
    VIRTIO_ROWS(rows), .reset = reset, .queue_reset = queue_reset,
};

static int init(void *dev, struct err *e)
{
    SELF *s = dev;
    char name[80];
    unsigned n = 0;
    if (!s->p_queues || s->p_queues > VIRTIO_QUEUES - REQUESTS)
        return err_set(e, EINVAL, "virtio-scsi: num_queues must be 1 to %d", VIRTIO_QUEUES - REQUESTS);
    if (s->p_queue_size < 4 || s->p_queue_size > VQ_MAX || (s->p_queue_size & (s->p_queue_size - 1)))
        return err_set(e, EINVAL, "virtio-scsi: virtqueue_size must be a power of two from 4 to %d", VQ_MAX);
    s->seg_max = MIN(s->p_queue_size, (uint16_t)BLK_MAX_IOV) - 2u;
    int r = virtio_init(dev, &class, REQUESTS + s->p_queues, e);
    if (r) return r;
    for (unsigned i = REQUESTS; i < VIRTIO_QUEUES; i++) s->v.vq[i].max = s->p_queue_size;
    for (struct bus *b = s->v.dev.board->buses; b; b = b->next) n += !strcmp(b->type, "SCSI");
    if (s->v.dev.id) snprintf(name, sizeof name, "%.60s.0", s->v.dev.id);
    else snprintf(name, sizeof name, "scsi.%u", n);
    if ((r = virtio_on_iothread(dev, s->iothread, e))) return r;
    scsi_bus_init(&s->bus, dev, name, SCSI_TARGETS - 1, SCSI_LUNS - 1);
    s->bus.changed = changed;
    s->bus.touched = touched;
    return 0;
}

/* Its devices go after it: their requests end while it is still here. */
static void leave(void *dev)
{
    SELF *s = dev;
    s->bus.changed = NULL;
    s->bus.touched = NULL;
    virtio_exit(dev);
}

#define SCSI_HBA_PROPS \
    VIRTIO_PROPS, PROP_U32("num_queues", p_queues, 1), PROP_U16("virtqueue_size", p_queue_size, 256), \
    PROP_STR("iothread", iothread, NULL), PROP_U32("max_sectors", max_sectors, 0xffff), PROP_U32("cmd_per_lun", cmd_per_lun, 128)
#define SCSI_STATE STATE_RANGE(sense_size, 0, SENSE_MAX), STATE_RANGE(cdb_size, 0, SENSE_MAX)

const struct device virtio_scsi_device = {
    VIRTIO_DEVICE("virtio-scsi", "virtio SCSI adapter", "Storage devices", init, leave), PROPS(SCSI_HBA_PROPS), STATE(VIRTIO_STATE, SCSI_STATE),
};
const struct device virtio_scsi_pci_device = {
    VIRTIO_PCI_DEVICE("virtio-scsi", "virtio SCSI adapter", "Storage devices", init, leave), PROPS(SCSI_HBA_PROPS, VIRTIO_PCI_PROPS),
    STATE(VIRTIO_PCI_STATE, SCSI_STATE),
};
