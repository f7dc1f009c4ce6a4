/*
 * disk.c: scsi-hd and scsi-cd: disks and CD-ROM drives (SPC-4, SBC-3, MMC-5; what Linux, EDK2 and U-Boot use).
 * Known gaps: no audio, no reservations, no protection information.
 */
#include "dev/scsi/scsi.h"

#include <json-c/json.h>
#include <stdio.h>
#include "io/block/blk.h"

#define SELF struct scsi_disk
struct scsi_disk {
    struct scsi_dev s;
    struct blk *blk;
    char *serial, *ver, *product, *vendor, *device_id;
    uint64_t wwn;
    uint32_t logical, physical, min_io, opt_io, discard_granularity;
    int32_t bootindex;
    uint16_t rotation;
    uint32_t rerror, werror;
    uint8_t media_event;         /* for GET EVENT STATUS NOTIFICATION: 0 nothing, 1 eject request, 2 new medium, 3 it is gone */
    bool cd, removable, dpofua, locked, open, share;
};

enum { KEY_NOT_READY = 2, KEY_MEDIUM = 3, KEY_HARDWARE = 4, KEY_ILLEGAL = 5, KEY_PROTECT = 7 };

static bool loaded(const SELF *s) { return s->blk && blk_node_of(s->blk); }
static uint64_t blocks(const SELF *s) { return s->blk ? blk_size(s->blk) / s->logical : 0; }
static void bad_field(struct scsi_request *r) { scsi_sense(r, KEY_ILLEGAL, 0x24, 0); }

/* --- transfers ------------------------------------------------------------------------------------------------------------------ */

static void io_done(void *ctx, int ret)
{
    struct scsi_request *r = ctx;
    bool write = r->cdb[0] != 0x28 && r->cdb[0] != 0x88 && r->cdb[0] != 0xa8 && r->cdb[0] != 8;
    if (ret && ret != -ENOTSUP && !r->status) r->status = ret == -ENOSPC ? 0x27 : write ? 0x0c : 0x11;
    if (--r->parts) return;
    uint8_t bad = r->status;
    r->status = 0;
    if (bad == 0x27) {
        scsi_sense(r, KEY_PROTECT, 0x27, 7); /* space allocation failed */
    } else if (bad) {
        scsi_sense(r, KEY_MEDIUM, bad, 0);
    } else {
        r->moved = r->moving;
        scsi_done(r, SCSI_GOOD);
    }
}

/* Address and number of blocks of READ, WRITE, VERIFY, WRITE SAME by the length of the command. */
static void range(const uint8_t *c, uint64_t *lba, uint32_t *n)
{
    switch (c[0] >> 5) {
    case 0:
        *lba = scsi_be32(c) & 0x1fffff;
        *n = c[4] ? c[4] : 256;
        break;
    case 4:
        *lba = scsi_be64(c + 2);
        *n = scsi_be32(c + 10);
        break;
    case 5:
        *lba = scsi_be32(c + 2);
        *n = scsi_be32(c + 6);
        break;
    default:
        *lba = scsi_be32(c + 2);
        *n = scsi_be16(c + 7);
    }
}

static bool range_ok(SELF *s, struct scsi_request *r, uint64_t lba, uint64_t n)
{
    if (lba <= blocks(s) && n <= blocks(s) - lba) return true;
    scsi_sense(r, KEY_ILLEGAL, 0x21, 0);
    return false;
}

static bool writable(SELF *s, struct scsi_request *r)
{
    if (!s->cd && !blk_read_only(s->blk)) return true;
    scsi_sense(r, KEY_PROTECT, 0x27, 0);
    return false;
}

/* The first `bytes` of an iovec; the rest is cut off. */
static unsigned cut(struct iovec *iov, unsigned n, uint64_t bytes)
{
    for (unsigned i = 0; i < n; i++) {
        iov[i].iov_len = MIN(iov[i].iov_len, bytes);
        bytes -= iov[i].iov_len;
        if (!bytes) return i + 1;
    }
    return n;
}

static void transfer(SELF *s, struct scsi_request *r, bool write)
{
    uint64_t lba, bytes;
    uint32_t n;
    range(r->cdb, &lba, &n);
    bytes = (uint64_t)n * s->logical;
    if ((write && !writable(s, r)) || !range_ok(s, r, lba, n)) return;
    if (bytes > (write ? r->out_len : r->in_len) || bytes > BLK_MAX_REQUEST) { /* the initiator has less room than it asks for */
        bad_field(r);
        return;
    }
    if (!n) {
        scsi_done(r, SCSI_GOOD);
        return;
    }
    r->parts = 1;
    r->moving = bytes;
    bool fua = (r->cdb[0] & 0xe0) && (r->cdb[1] & 8);
    if (write) blk_writev(s->blk, lba * s->logical, r->out, (int)cut(r->out, r->nout, bytes), fua ? BLK_FUA : 0, io_done, r);
    else blk_readv(s->blk, lba * s->logical, r->in, (int)cut(r->in, r->nin, bytes), 0, io_done, r);
}

static void unmap(SELF *s, struct scsi_request *r)
{
    uint8_t b[8 + 16 * 256];
    uint64_t n = scsi_parameters(r, b, MIN(sizeof b, (uint64_t)scsi_be16(r->cdb + 7)));
    if (!writable(s, r)) return;
    if (r->cdb[1] & 1 || n < 8 || (scsi_be16(b + 2) & 15) || scsi_be16(b + 2) + 8u > n) {
        n ? scsi_sense(r, KEY_ILLEGAL, 0x26, 0) : scsi_done(r, SCSI_GOOD);
        return;
    }
    unsigned count = scsi_be16(b + 2) / 16;
    for (unsigned i = 0; i < count; i++)
        if (!range_ok(s, r, scsi_be64(b + 8 + 16 * i), scsi_be32(b + 16 + 16 * i))) return;
    r->parts = 1;
    r->moving = 0;
    for (unsigned i = 0; i < count; i++) {
        uint64_t len = (uint64_t)scsi_be32(b + 16 + 16 * i) * s->logical;
        if (!len) continue;
        r->parts++;
        blk_discard(s->blk, scsi_be64(b + 8 + 16 * i) * s->logical, len, io_done, r);
    }
    io_done(r, 0);
}

/* WRITE SAME of zeros, and with UNMAP; other patterns are refused. */
static void write_same(SELF *s, struct scsi_request *r)
{
    uint8_t block[4096];
    uint64_t lba, got = 0;
    uint32_t n;
    bool zero = true;
    range(r->cdb, &lba, &n);
    if (r->cdb[0] == 0x41) n = scsi_be16(r->cdb + 7);
    if (!writable(s, r) || !range_ok(s, r, lba, n)) return;
    if (!(r->cdb[1] & 1)) got = scsi_parameters(r, block, s->logical); /* NDOB: no data, zeros are meant */
    for (uint64_t i = 0; i < got; i++) zero &= !block[i];
    if (!n || (r->cdb[1] & 0x10) || !zero || (!(r->cdb[1] & 1) && got < s->logical)) {
        bad_field(r);
        return;
    }
    r->parts = 1;
    r->moving = got;
    blk_write_zeroes(s->blk, lba * s->logical, (uint64_t)n * s->logical, r->cdb[1] & 8 ? BLK_MAY_UNMAP : 0, io_done, r);
}

/* --- what it is ------------------------------------------------------------------------------------------------------------------------ */

static void padded(uint8_t *b, size_t n, const char *t)
{
    size_t len = MIN(strlen(t), n);
    memset(b, ' ', n);
    memcpy(b, t, len);
}

static unsigned vpd(SELF *s, uint8_t page, uint8_t *b)
{
    const char *serial = s->serial ? s->serial : "";
    unsigned n = 4;
    b[0] = s->cd ? 5 : 0;
    b[1] = page;
    switch (page) {
    case 0x00: {
        static const uint8_t pages[] = { 0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2 };
        n += s->cd ? 3 : (unsigned)sizeof pages;
        memcpy(b + 4, pages, n - 4);
        break;
    }
    case 0x80:
        if (!*serial) return 0;
        n += (unsigned)MIN(strlen(serial), 36u);
        memcpy(b + 4, serial, n - 4);
        break;
    case 0x83: {
        const char *id = s->device_id ? s->device_id : *serial ? serial : s->s.dev.id ? s->s.dev.id : "";
        unsigned len = (unsigned)MIN(strlen(id), 240u);
        if (len) {
            b[n] = 2, b[n + 3] = (uint8_t)len; /* ASCII, vendor specific */
            memcpy(b + n + 4, id, len);
            n += 4 + len;
        }
        if (s->wwn) {
            b[n] = 1, b[n + 1] = 3, b[n + 3] = 8;
            scsi_put64(b + n + 4, s->wwn);
            n += 12;
        }
        break;
    }
    case 0xb0: /* limits */
        n = 64;
        scsi_put16(b + 6, s->min_io / s->logical);
        scsi_put32(b + 8, (1u << 22) / s->logical);
        scsi_put32(b + 12, s->opt_io / s->logical);
        scsi_put32(b + 20, (1u << 30) / s->logical); /* UNMAP: blocks, descriptors, best grain */
        scsi_put32(b + 24, 255);
        scsi_put32(b + 28, MAX(s->discard_granularity, s->logical) / s->logical);
        scsi_put64(b + 36, (1u << 30) / s->logical); /* WRITE SAME */
        break;
    case 0xb1:
        n = 64;
        scsi_put16(b + 4, s->rotation);
        break;
    case 0xb2: /* thin: UNMAP, WRITE SAME with UNMAP; reads zeros */
        n = 8;
        b[5] = 0xe4;
        b[6] = 2;
        break;
    default: return 0;
    }
    scsi_put16(b + 2, n - 4);
    return n;
}

static void inquiry(SELF *s, struct scsi_request *r)
{
    uint8_t b[512] = { 0 };
    unsigned alloc = scsi_be16(r->cdb + 3), n;
    if (r->cdb[1] & 1) {
        n = vpd(s, r->cdb[2], b);
        n ? scsi_reply(r, b, n, alloc) : bad_field(r);
        return;
    }
    if (r->cdb[2]) {
        bad_field(r);
        return;
    }
    b[0] = s->cd ? 5 : 0;
    b[1] = s->removable || s->cd ? 0x80 : 0;
    b[2] = 5; /* SPC-3 */
    b[3] = 0x12;
    b[4] = 36 - 5;
    b[7] = 0x02; /* command queues */
    padded(b + 8, 8, s->vendor ? s->vendor : "LYREBIRD");
    padded(b + 16, 16, s->product ? s->product : s->cd ? "CD-ROM" : "HARDDISK");
    padded(b + 32, 4, s->ver ? s->ver : "1.0");
    scsi_reply(r, b, 36, alloc);
}

static unsigned mode_page(SELF *s, uint8_t page, bool changeable, uint8_t *b)
{
    switch (page) {
    case 0x08: /* caching: WCE */
        b[0] = 8, b[1] = 18;
        b[2] = changeable || !s->blk || !blk_writethrough(s->blk) ? 4 : 0;
        return 20;
    case 0x01: /* error recovery */
        b[0] = 1, b[1] = 10;
        b[2] = changeable || s->cd ? 0 : 0x80;
        if (s->cd && !changeable) b[3] = 0x20;
        return 12;
    case 0x2a: /* capabilities of CD drives */
        if (!s->cd) return 0;
        b[0] = 0x2a, b[1] = 20;
        if (changeable) return 22;
        b[2] = 0x3b, b[4] = 0x7f, b[6] = (uint8_t)(0x2d | (s->locked ? 2 : 0));
        scsi_put16(b + 8, 50 * 176), scsi_put16(b + 12, 2048), scsi_put16(b + 14, 16 * 176);
        return 22;
    default: return 0;
    }
}

static void mode_sense(SELF *s, struct scsi_request *r)
{
    static const uint8_t all[] = { 0x01, 0x08, 0x2a };
    bool ten = r->cdb[0] == 0x5a;
    uint8_t b[256] = { 0 }, page = r->cdb[2] & 0x3f, control = r->cdb[2] >> 6;
    unsigned n = ten ? 8 : 4, any = 0;
    if (control == 3) {
        scsi_sense(r, KEY_ILLEGAL, 0x39, 0); /* nothing is saved */
        return;
    }
    uint8_t specific = (uint8_t)((s->cd || (s->blk && blk_read_only(s->blk)) ? 0x80 : 0) | (s->dpofua ? 0x10 : 0));
    b[ten ? 3 : 2] = s->cd ? 0 : specific;
    if (!(r->cdb[1] & 8) && !s->cd && s->blk) { /* block descriptor */
        b[ten ? 7 : 3] = 8;
        scsi_put32(b + n, (uint32_t)MIN(blocks(s), 0xffffffu));
        b[n] = 0;
        scsi_put32(b + n + 4, s->logical & 0xffffff);
        n += 8;
    }
    for (unsigned i = 0; i < sizeof all; i++) {
        if (page != 0x3f && page != all[i]) continue;
        unsigned len = mode_page(s, all[i], control == 1, b + n);
        n += len;
        any += len;
    }
    if (!any && page != 0x3f) {
        bad_field(r);
        return;
    }
    if (ten) scsi_put16(b, n - 2);
    else b[0] = (uint8_t)(n - 1);
    scsi_reply(r, b, n, ten ? scsi_be16(r->cdb + 7) : r->cdb[4]);
}

/* The write cache is what can be changed. */
static void mode_select(SELF *s, struct scsi_request *r)
{
    bool ten = r->cdb[0] == 0x55;
    uint8_t b[256];
    uint64_t n = scsi_parameters(r, b, MIN(sizeof b, ten ? (uint64_t)scsi_be16(r->cdb + 7) : r->cdb[4])), at = ten ? 8 : 4;
    if (n >= at) at += ten ? scsi_be16(b + 6) : b[3];
    for (; at + 2 <= n && at + 2 + b[at + 1] <= n; at += 2u + b[at + 1])
        if ((b[at] & 0x3f) == 8 && b[at + 1] >= 1 && s->blk && !s->cd) blk_set_writethrough(s->blk, !(b[at + 2] & 4));
    scsi_done(r, SCSI_GOOD);
}

static void capacity(SELF *s, struct scsi_request *r)
{
    uint8_t b[32] = { 0 };
    uint64_t last = blocks(s) - 1;
    if (!blocks(s)) {
        scsi_sense(r, KEY_NOT_READY, 0x3a, 0);
    } else if (r->cdb[0] == 0x25) {
        scsi_put32(b, (uint32_t)MIN(last, UINT32_MAX));
        scsi_put32(b + 4, s->logical);
        scsi_reply(r, b, 8, 8);
    } else if ((r->cdb[1] & 31) == 0x10) {
        unsigned exponent = 0;
        while (s->logical << exponent < s->physical && exponent < 15) exponent++;
        scsi_put64(b, last);
        scsi_put32(b + 8, s->logical);
        b[13] = (uint8_t)exponent;
        b[14] = s->cd ? 0 : 0xc0; /* thin, reads zeros */
        scsi_reply(r, b, 32, scsi_be32(r->cdb + 10));
    } else {
        bad_field(r);
    }
}

/* --- CD-ROM ----------------------------------------------------------------------------------------------------------------------------- */

static void msf(uint8_t *b, uint64_t lba)
{
    lba += 150;
    b[1] = (uint8_t)(lba / 75 / 60), b[2] = (uint8_t)(lba / 75 % 60), b[3] = (uint8_t)(lba % 75);
}

static void read_toc(SELF *s, struct scsi_request *r)
{
    uint8_t b[20] = { 0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x16, 0xaa };
    unsigned alloc = scsi_be16(r->cdb + 7);
    bool minutes = r->cdb[1] & 2;
    uint64_t end = blocks(s);
    switch (r->cdb[2] & 15 ? r->cdb[2] & 15 : r->cdb[9] >> 6) {
    case 0:
        if (minutes) msf(b + 8, 0), msf(b + 16, end);
        else scsi_put32(b + 16, (uint32_t)end);
        if (r->cdb[6] > 1) { /* the lead-out alone */
            memmove(b + 4, b + 12, 8);
            b[1] = 10;
        }
        scsi_reply(r, b, b[1] + 2u, alloc);
        break;
    case 1: { /* the one session */
        uint8_t m[12] = { 0, 10, 1, 1, 0, 0x14, 1 };
        if (minutes) msf(m + 8, 0);
        scsi_reply(r, m, sizeof m, alloc);
        break;
    }
    default: bad_field(r);
    }
}

static void cd_command(SELF *s, struct scsi_request *r)
{
    uint8_t b[40] = { 0 };
    switch (r->cdb[0]) {
    case 0x43: read_toc(s, r); break;
    case 0x46: /* configuration: a CD-ROM */
        scsi_put32(b, 8 - 4);
        scsi_put16(b + 6, loaded(s) ? 8 : 0);
        scsi_reply(r, b, 8, scsi_be16(r->cdb + 7));
        break;
    case 0x4a: /* events: media class */
        if (!(r->cdb[1] & 1)) {
            bad_field(r);
            break;
        }
        b[3] = 0x10;
        if (r->cdb[4] & 0x10) {
            b[1] = 6, b[2] = 4, b[4] = s->media_event, b[5] = (uint8_t)((loaded(s) ? 2 : 0) | s->open);
            s->media_event = 0;
        }
        else b[1] = 2, b[2] = 0x80;
        scsi_reply(r, b, b[1] + 2u, scsi_be16(r->cdb + 7));
        break;
    case 0x51: /* disc information: complete */
        scsi_put16(b, 32);
        b[2] = 0x0e, b[3] = b[4] = b[5] = b[6] = 1, b[7] = 0x20;
        scsi_reply(r, b, 34, scsi_be16(r->cdb + 7));
        break;
    case 0xbd: /* mechanism */
        scsi_reply(r, b, 8, scsi_be16(r->cdb + 8));
        break;
    default: scsi_sense(r, KEY_ILLEGAL, 0x20, 0);
    }
}

/* --- commands ------------------------------------------------------------------------------------------------------------------------------ */

/* DEVICE_TRAY_MOVED, whoever did it. */
static void moved(SELF *s, bool open)
{
    struct board *b = s->s.dev.board;
    char path[160];
    if (!b->event || !s->blk) return;
    struct json_object *data = json_object_new_object();
    dev_path(&s->s.dev, path, sizeof path);
    json_object_object_add(data, "device", json_object_new_string(blk_name(s->blk)));
    json_object_object_add(data, "id", json_object_new_string(s->s.dev.id ? s->s.dev.id : path));
    json_object_object_add(data, "tray-open", json_object_new_boolean(open));
    b->event(b, "DEVICE_TRAY_MOVED", data);
}

static bool needs_medium(uint8_t op)
{
    return op != 0x03 && op != 0x12 && op != 0x1a && op != 0x5a && op != 0x4a && op != 0x46 && op != 0x1b && op != 0x1e && op != 0x15 && op != 0x55 &&
           op != 0xbd;
}

static void command(struct scsi_dev *d, struct scsi_request *r)
{
    SELF *s = (SELF *)d;
    uint8_t op = r->cdb[0], sense[SCSI_SENSE] = { 0x70, [7] = SCSI_SENSE - 8 };
    TRACE(scsi_command, "%s 0x%02x in %llu out %llu", d->dev.id ? d->dev.id : d->dev.cls->name, op, (unsigned long long)r->in_len,
          (unsigned long long)r->out_len);
    if (needs_medium(op) && (!loaded(s) || s->open)) {
        scsi_sense(r, KEY_NOT_READY, 0x3a, s->open ? 2 : 1);
        return;
    }
    switch (op) {
    case 0x00: case 0x2f: case 0x8f: case 0xaf: scsi_done(r, SCSI_GOOD); break; /* TEST UNIT READY, VERIFY */
    case 0x03: scsi_reply(r, sense, sizeof sense, r->cdb[4]); break;
    case 0x12: inquiry(s, r); break;
    case 0x15: case 0x55: mode_select(s, r); break;
    case 0x1a: case 0x5a: mode_sense(s, r); break;
    case 0x1b: /* START STOP UNIT */
        if (s->cd && (r->cdb[4] & 2) && !(r->cdb[4] >> 4)) {
            if (!(r->cdb[4] & 1) && s->locked) {
                scsi_sense(r, KEY_ILLEGAL, 0x53, 2); /* removal prevented */
                break;
            }
            bool open = !(r->cdb[4] & 1);
            if (open != s->open) moved(s, open);
            s->open = open;
        }
        scsi_done(r, SCSI_GOOD);
        break;
    case 0x1e:
        s->locked = r->cdb[4] & 1;
        scsi_done(r, SCSI_GOOD);
        break;
    case 0x25: case 0x9e: capacity(s, r); break;
    case 0x08: case 0x28: case 0x88: case 0xa8: transfer(s, r, false); break;
    case 0x0a: case 0x2a: case 0x8a: case 0xaa: case 0x2e: transfer(s, r, true); break;
    case 0x35: case 0x91:
        r->parts = 1;
        r->moving = 0;
        blk_flush(s->blk, io_done, r);
        break;
    case 0x41: case 0x93: write_same(s, r); break;
    case 0x42: s->cd ? cd_command(s, r) : unmap(s, r); break;
    default: s->cd ? cd_command(s, r) : scsi_sense(r, KEY_ILLEGAL, 0x20, 0);
    }
}

/* --- life ----------------------------------------------------------------------------------------------------------------------------------- */

static void resized(void *dev)
{
    SELF *s = dev;
    s->s.attention = 0x2a; /* parameters changed */
    if (s->s.on->touched) s->s.on->touched(s->s.on->bus->owner, &s->s, 0x2a | 9 << 8); /* capacity data */
}

static void medium(void *dev, bool there)
{
    SELF *s = dev;
    s->media_event = there ? 2 : 3;
    if (there) s->s.attention = 0x28; /* not ready to ready */
    if (s->s.on->touched) s->s.on->touched(s->s.on->bus->owner, &s->s, 0x28);
}

static void tray(void *dev, bool open)
{
    SELF *s = dev;
    if (s->open == open) return;
    s->open = open;
    moved(s, open);
}

static bool tray_open(void *dev) { return ((SELF *)dev)->open; }
static bool locked(void *dev) { return ((SELF *)dev)->locked; }
static void eject_request(void *dev, bool force)
{
    SELF *s = dev;
    s->media_event = 1;
    if (force) s->locked = false;
    if (s->s.on->touched) s->s.on->touched(s->s.on->bus->owner, &s->s, 0x28);
}
static const struct blk_dev_ops hd_ops = { .resized = resized, .errors = true };
static const struct blk_dev_ops cd_ops = { .resized = resized, .medium = medium, .tray = tray, .tray_open = tray_open, .locked = locked,
                                           .eject_request = eject_request, .removable = true, .errors = true };

static int init(SELF *s, bool cd, struct err *e)
{
    s->cd = cd;
    if (!s->blk && !cd) return err_set(e, EINVAL, "scsi-hd: drive property not set");
    if (!loaded(s) && !cd) return err_set(e, EINVAL, "Device needs media, but drive is empty");
    if (s->blk && blk_share(s->blk, s->share, e)) return -EBUSY;
    if (cd) s->logical = s->physical = 2048;
    if (s->logical < 512 || s->logical > 4096 || (s->logical & (s->logical - 1)) || (s->physical & (s->physical - 1)))
        return err_set(e, EINVAL, "%s: block sizes must be powers of two, the logical one 512 to 4096", s->s.dev.cls->name);
    if (s->blk) {
        blk_error_words(s->blk, s->rerror, s->werror);
        blk_set_dev(s->blk, cd ? &cd_ops : &hd_ops, s);
    }
    s->s.command = command;
    if (s->s.on->changed) s->s.on->changed(s->s.on->bus->owner, &s->s, true);
    return 0;
}
static int hd_init(void *dev, struct err *e) { return init(dev, false, e); }
static int cd_init(void *dev, struct err *e) { return init(dev, true, e); }

static void reset(void *dev)
{
    SELF *s = dev;
    s->locked = s->open = false;
    s->media_event = 0;
    s->s.attention = 0x29; /* power on */
    if (s->blk) blk_drain(s->blk); /* the machine's memory will be others' */
}

static void leave(void *dev)
{
    SELF *s = dev;
    if (s->blk) {
        blk_drain(s->blk);
        blk_set_dev(s->blk, NULL, NULL);
    }
    s->s.command = NULL;
    if (s->s.on->changed) s->s.on->changed(s->s.on->bus->owner, &s->s, false);
}

#define DISK_PROPS \
    SCSI_PROPS, PROP_BLK("drive", blk), PROP_STR("serial", serial, NULL), PROP_STR("ver", ver, NULL), PROP_STR("product", product, NULL), \
    PROP_STR("vendor", vendor, NULL), PROP_STR("device_id", device_id, NULL), PROP_U64("wwn", wwn, 0), \
    PROP_U32("logical_block_size", logical, 512), PROP_U32("physical_block_size", physical, 512), PROP_U32("min_io_size", min_io, 0), \
    PROP_U32("opt_io_size", opt_io, 0), PROP_U32("discard_granularity", discard_granularity, 4096), PROP_U16("rotation_rate", rotation, 0), \
    PROP_U32("bootindex", bootindex, UINT32_MAX), PROP_ENUM("rerror", rerror, 0, blk_error_names), PROP_ENUM("werror", werror, 0, blk_error_names)
#define DISK_STATE STATE(STATE_INT(s.attention), STATE_RANGE(media_event, 0, 3), STATE_RANGE(locked, 0, 1), STATE_RANGE(open, 0, 1))

const struct device scsi_hd_device = {
    .name = "scsi-hd", .help = "SCSI disk", .category = "Storage devices", .bus = "SCSI", .size = sizeof(SELF), .init = hd_init, .reset = reset,
    .exit = leave, .user_creatable = true, .hotplug = true,
    PROPS(DISK_PROPS, PROP_BOOL("share-rw", share, false), PROP_BOOL("removable", removable, false), PROP_BOOL("dpofua", dpofua, true)), DISK_STATE,
};
const struct device scsi_cd_device = {
    .name = "scsi-cd", .help = "SCSI CD-ROM", .category = "Storage devices", .bus = "SCSI", .size = sizeof(SELF), .init = cd_init, .reset = reset,
    .exit = leave, .user_creatable = true, .hotplug = true, PROPS(DISK_PROPS), DISK_STATE,
};
