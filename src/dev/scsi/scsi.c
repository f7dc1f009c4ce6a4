/* scsi.c: the SCSI bus: who sits where, commands that a target answers for its units (SPC-4). Known gaps: no tagged abort. */
#include "dev/scsi/scsi.h"

#include <stdlib.h>

struct scsi_dev *scsi_find(struct scsi_bus *b, unsigned target, unsigned lun)
{
    struct scsi_dev *d = b->devs;
    while (d && (d->target != target || d->lun != lun)) d = d->next;
    return d && d->command ? d : NULL;
}

bool scsi_target(const struct scsi_bus *b, unsigned target)
{
    for (const struct scsi_dev *d = b->devs; d; d = d->next)
        if (d->target == target && d->command) return true;
    return false;
}

static struct scsi_bus *of(struct bus *bus)
{
    return bus->data;
}

static int plug(struct bus *bus, struct dev *dev, struct err *e)
{
    struct scsi_bus *b = of(bus);
    struct scsi_dev *d = (struct scsi_dev *)dev, **p = &b->devs;
    bool any = d->target == UINT32_MAX;
    if (d->lun == UINT32_MAX) d->lun = 0;
    if (d->channel) return err_set(e, EINVAL, "bad scsi channel id: %u", d->channel);
    for (unsigned t = 0; any && t <= b->max_target; t++) {
        struct scsi_dev *o = b->devs;
        while (o && (o->target != t || o->lun != d->lun)) o = o->next;
        if (!o) d->target = t, any = false;
    }
    if (any) return err_set(e, EBUSY, "no free target");
    if (d->target > b->max_target) return err_set(e, EINVAL, "bad scsi device id: %u", d->target);
    if (d->lun > b->max_lun) return err_set(e, EINVAL, "bad scsi device lun: %u", d->lun);
    for (struct scsi_dev *o = b->devs; o; o = o->next)
        if (o->target == d->target && o->lun == d->lun) return err_set(e, EBUSY, "lun already used by '%s'", o->dev.id ? o->dev.id : o->dev.cls->name);
    while (*p && ((*p)->target < d->target || ((*p)->target == d->target && (*p)->lun < d->lun))) p = &(*p)->next;
    d->next = *p;
    *p = d;
    d->on = b;
    return 0;
}

static void unplug(struct bus *bus, struct dev *dev)
{
    struct scsi_bus *b = of(bus);
    for (struct scsi_dev **p = &b->devs; *p; p = &(*p)->next)
        if (*p == (struct scsi_dev *)dev) {
            *p = (*p)->next;
            break;
        }
}

void scsi_bus_init(struct scsi_bus *b, struct dev *hba, const char *name, unsigned max_target, unsigned max_lun)
{
    b->bus = bus_new(hba, "SCSI", name, 0);
    b->bus->plug = plug;
    b->bus->unplug = unplug;
    b->bus->data = b;
    b->bus->hotplug = true;
    b->max_target = max_target;
    b->max_lun = max_lun;
}

/* --- answers ---------------------------------------------------------------------------------------------------------------- */

void scsi_done(struct scsi_request *r, uint8_t status)
{
    r->status = status;
    if (r->dev) r->dev->inflight--;
    r->done(r);
}

static void fill_sense(uint8_t *b, uint8_t key, uint8_t asc, uint8_t ascq)
{
    memset(b, 0, SCSI_SENSE);
    b[0] = 0x70;
    b[2] = key;
    b[7] = SCSI_SENSE - 8;
    b[12] = asc;
    b[13] = ascq;
}

void scsi_sense(struct scsi_request *r, uint8_t key, uint8_t asc, uint8_t ascq)
{
    fill_sense(r->sense, key, asc, ascq);
    r->sense_len = SCSI_SENSE;
    scsi_done(r, SCSI_CHECK);
}

void scsi_reply(struct scsi_request *r, const void *buf, uint64_t len, uint64_t alloc)
{
    uint64_t n = MIN(MIN(len, alloc), r->in_len), done = 0;
    for (unsigned i = 0; i < r->nin && done < n; i++) {
        uint64_t part = MIN(r->in[i].iov_len, n - done);
        memcpy(r->in[i].iov_base, (const uint8_t *)buf + done, part);
        done += part;
    }
    r->moved = done;
    scsi_done(r, SCSI_GOOD);
}

uint64_t scsi_parameters(const struct scsi_request *r, void *buf, uint64_t len)
{
    uint64_t done = 0;
    for (unsigned i = 0; i < r->nout && done < len; i++) {
        uint64_t part = MIN(r->out[i].iov_len, len - done);
        memcpy((uint8_t *)buf + done, r->out[i].iov_base, part);
        done += part;
    }
    return done;
}

/* --- commands --------------------------------------------------------------------------------------------------------------------- */

static void report_luns(struct scsi_bus *b, unsigned target, struct scsi_request *r)
{
    enum { MOST = 256 };
    uint8_t buf[8 + 8 * MOST] = { 0 };
    unsigned n = 0;
    for (struct scsi_dev *d = b->devs; d && n < MOST; d = d->next) {
        if (d->target != target || !d->command) continue;
        scsi_put16(buf + 8 + 8 * n++, d->lun < 256 ? d->lun : 0x4000 | d->lun);
    }
    scsi_put32(buf, 8 * n);
    scsi_reply(r, buf, 8 + 8 * n, scsi_be32(r->cdb + 6));
}

void scsi_submit(struct scsi_bus *b, unsigned target, unsigned lun, struct scsi_request *r)
{
    struct scsi_dev *d = scsi_find(b, target, lun);
    r->dev = d;
    r->moved = r->sense_len = r->status = 0;
    if (d) d->inflight++;
    if (r->cdb[0] == 0xa0) {
        report_luns(b, target, r);
    } else if (!d && r->cdb[0] == 0x12) { /* INQUIRY: there is no such unit here */
        uint8_t buf[36] = { 0x7f, 0, 5, 2, 31 };
        scsi_reply(r, buf, sizeof buf, scsi_be16(r->cdb + 3));
    } else if (!d) {
        scsi_sense(r, 5, 0x25, 0); /* logical unit not supported */
    } else if (d->attention && r->cdb[0] != 0x12 && r->cdb[0] != 3) {
        uint8_t asc = d->attention;
        d->attention = 0;
        scsi_sense(r, 6, asc, 0);
    } else {
        d->command(d, r);
    }
}
