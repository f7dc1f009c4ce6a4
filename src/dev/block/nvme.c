/*
 * nvme.c: an NVM Express controller with one namespace (NVMe Base 1.4, NVM Command Set; field names as in FreeBSD's nvme.h).
 *
 * Commands are copied out of their queues once. Data goes between the disk and the guest's memory directly. A queue has at most as many
 * commands under way as it has entries, so what a guest can make the host hold is bounded. A reset makes requests stale; CSTS.RDY stays
 * set until the last one is back.
 * Known gaps: no `nvme-ns` and `nvme-subsys`, no zones, no end-to-end protection, no controller memory buffer; weighted arbitration is
 * round robin.
 */
#include "dev/pci/pci.h"

#include <stdio.h>
#include <stdlib.h>
#include "io/block/blk.h"

#define SELF struct nvme
enum { QUEUES = 65, ENTRIES = 2048, MSIX_TABLE = 0x2000, MSIX_PBA = 0x3000, DOORBELLS = 0x1000, BAR_BYTES = 0x4000, BUDGET = 64 };
enum { SG_MAX = 1024, MDTS = 7, AERS = 4, FEATURES = 16, RANGES = 256 };
/* Status: code | type << 8; DNR: do not retry. */
enum { OK = 0, BAD_OPCODE = 1, BAD_FIELD = 2, TRANSFER = 4, INTERNAL = 6, BAD_NAMESPACE = 0xb, BAD_SGL = 0xd, BAD_OFFSET = 0x13, OUT_OF_RANGE = 0x80,
       BAD_CQ = 0x100, BAD_QUEUE = 0x101, BAD_SIZE = 0x102, AER_LIMIT = 0x105, BAD_VECTOR = 0x108, BAD_LOG = 0x109, BAD_DELETE = 0x10c,
       NO_FEATURE_CHANGE = 0x10e, WRITE_FAULT = 0x280, READ_ERROR = 0x281, DNR = 0x4000, READ_ONLY = 0x182 };
enum { CC_EN = 1, CSTS_RDY = 1, CSTS_CFS = 2 };

struct sq {
    uint64_t addr;
    uint32_t size, head, tail;   /* size 0: it is not there */
    uint16_t cq, held;           /* held: commands without an answer */
    uint32_t serial;
};
struct cq {
    uint64_t addr;
    uint32_t size, head, tail;
    uint16_t vector, users;      /* users: submission queues */
    bool phase, irq;
};
struct sg {
    uint64_t addr;
    uint32_t len;
};

struct cmd {
    uint8_t opcode, flags;
    uint16_t cid;
    uint32_t nsid, dw[6];        /* dw10..dw15 */
    uint64_t prp1, prp2;
};

struct nvme;
struct request {
    struct nvme *s;
    struct request *next;
    uint32_t generation, result, parts; /* parts: what is under way of it */
    uint16_t sq, cid, status;
    uint32_t serial;             /* of its queue: one that was deleted and made anew is another */
    bool write, hint;            /* write: into the guest's memory; hint: may be refused */
    unsigned niov;
    struct iovec iov[];
};

struct nvme {
    struct pci_dev p;
    struct dma home;
    struct blk *blk;
    char *serial;
    uint32_t logical, max_pairs, p_vectors;
    int32_t bootindex;
    uint8_t p_mdts;
    uint32_t cc, csts, intms, aqa, feature[FEATURES];
    uint64_t asq, acq;
    struct sq sq[QUEUES];
    struct cq cq[QUEUES];
    uint16_t aer[AERS];
    uint32_t naer, generation, inflight;
    struct request *waiting, **last; /* answers for which their queue has no room */
    struct deferred run;
    uint64_t reads, writes, read_units, write_units;
};

static bool enabled(const SELF *s) { return s->csts & CSTS_RDY && s->cc & CC_EN; }
static uint32_t page_size(const SELF *s) { return 4096u << (s->cc >> 7 & 15); }
static uint64_t blocks(const SELF *s) { return blk_size(s->blk) / s->logical; }

/* --- interrupts and completions ---------------------------------------------------------------------------------------------- */

static void line_update(SELF *s)
{
    bool level = false;
    for (unsigned i = 0; i < QUEUES && !pci_msix_on(&s->p); i++)
        level |= s->cq[i].size && s->cq[i].irq && s->cq[i].head != s->cq[i].tail && !(s->intms & 1);
    pci_intx(&s->p, level && !pci_msix_on(&s->p));
}

static void interrupt(SELF *s, struct cq *q)
{
    if (!q->irq) return;
    if (pci_msix_on(&s->p)) pci_msix_send(&s->p, q->vector);
    else line_update(s);
}

static void fail(SELF *s, const char *what)
{
    dev_guest_error(&s->p.dev, false, "%s; the controller waits for a reset", what);
    s->csts |= CSTS_CFS;
}

/* Puts the answer into its queue. False: there is no room. */
static bool post(SELF *s, const struct request *r)
{
    struct sq *q = &s->sq[r->sq];
    struct cq *c = &s->cq[q->cq];
    uint8_t b[16] = { 0 };
    if (!q->size || !c->size || q->serial != r->serial) return true; /* nobody to tell */
    if ((c->tail + 1) % c->size == c->head) return false;
    pci_put32(b, r->result);
    pci_put16(b + 8, (uint16_t)q->head);
    pci_put16(b + 10, r->sq);
    pci_put16(b + 12, r->cid);
    pci_put16(b + 14, (uint16_t)(r->status << 1 | c->phase));
    uint64_t at = c->addr + 16ull * c->tail;
    /* what says that it is there comes last */
    if (dma_write(&s->p.dev.dma, at, b, 12) || !dma_st(&s->p.dev.dma, at + 12, pci_get32(b + 12), 4)) fail(s, "a completion queue is not in memory");
    if (++c->tail == c->size) c->tail = 0, c->phase = !c->phase;
    q->held--;
    interrupt(s, c);
    return true;
}

static void complete(struct request *r)
{
    SELF *s = r->s;
    for (unsigned i = 0; i < r->niov; i++) dma_unmap(&s->home, r->iov[i].iov_base, r->iov[i].iov_len, r->write, r->iov[i].iov_len);
    r->niov = 0;
    s->inflight--;
    if (r->generation != s->generation) { /* of before a reset */
        free(r);
        if (!s->inflight && !(s->cc & CC_EN)) s->csts &= ~(uint32_t)CSTS_RDY;
        return;
    }
    if (s->waiting || !post(s, r)) { /* in order */
        r->next = NULL;
        *s->last = r;
        s->last = &r->next;
        return;
    }
    struct sq *q = &s->sq[r->sq];
    free(r);
    if (q->head != q->tail) loop_defer(&s->run); /* its queue may go on */
}

static void post_waiting(SELF *s)
{
    struct request **p = &s->waiting, *r;
    while ((r = *p)) {
        if (!post(s, r)) {
            p = &r->next;
            continue;
        }
        *p = r->next;
        free(r);
    }
    s->last = p;
}

static void done(void *ctx, int ret)
{
    struct request *r = ctx;
    if (ret && !r->status && !(ret == -ENOTSUP && r->hint)) r->status = ret == -EROFS ? READ_ONLY : r->write ? READ_ERROR : WRITE_FAULT;
    if (!--r->parts) complete(r);
}

static struct request *request_new(SELF *s, unsigned sq, uint16_t cid, unsigned niov)
{
    struct request *r = malloc(sizeof *r + niov * sizeof r->iov[0]);
    if (!r) return NULL;
    *r = (struct request){ .s = s, .generation = s->generation, .sq = (uint16_t)sq, .cid = cid, .parts = 1, .serial = s->sq[sq].serial };
    s->inflight++;
    return r;
}

/* --- where data is --------------------------------------------------------------------------------------------------------------- */

static unsigned sg_add(struct sg *g, unsigned *n, uint64_t addr, uint64_t len)
{
    if (!len) return OK;
    if (*n && g[*n - 1].addr + g[*n - 1].len == addr && g[*n - 1].len + len <= UINT32_MAX) {
        g[*n - 1].len += (uint32_t)len;
        return OK;
    }
    if (*n == SG_MAX) return BAD_FIELD;
    g[(*n)++] = (struct sg){ addr, (uint32_t)len };
    return OK;
}

static unsigned prp_list(SELF *s, const struct cmd *c, uint32_t len, struct sg *g, unsigned *n)
{
    uint32_t page = page_size(s), first = MIN(len, page - (uint32_t)(c->prp1 % page));
    unsigned r = sg_add(g, n, c->prp1, first);
    if (c->prp1 & 3) return BAD_OFFSET;
    len -= first;
    if (!len || r) return r;
    if (len <= page) return c->prp2 % page ? (unsigned)BAD_OFFSET : sg_add(g, n, c->prp2, len);
    uint64_t at = c->prp2;
    uint64_t list[64];
    if (at & 7) return BAD_OFFSET;
    for (unsigned have = 0, i = 0, rounds = 0; len; i++) {
        if (i == have) {
            uint32_t room = (page - (uint32_t)(at % page)) / 8;
            have = MIN(MIN((uint32_t)ARRAY_LEN(list), room), (len + page - 1) / page + 1);
            if (rounds++ > SG_MAX || dma_read(&s->p.dev.dma, at, list, have * 8ul)) return TRANSFER;
            at += have * 8ul;
            i = 0;
        }
        bool chain = at % page == 0 && i + 1 == have && len > page; /* the page's last entry leads to the next */
        if (list[i] % (chain ? 8 : page)) return BAD_OFFSET;
        if (chain) {
            at = list[i];
            continue;
        }
        uint32_t part = MIN(len, page);
        if ((r = sg_add(g, n, list[i], part))) return r;
        len -= part;
    }
    return OK;
}

static unsigned sgl_list(SELF *s, const struct cmd *c, uint32_t len, struct sg *g, unsigned *n)
{
    uint8_t seg[16 * 256], d[16];
    uint32_t count = 1, total = 0;
    memcpy(d, &c->prp1, 8);
    memcpy(d + 8, &c->prp2, 8);
    memcpy(seg, d, 16);
    for (unsigned i = 0; i < count && len; i++) {
        uint64_t addr;
        uint8_t *e = seg + 16 * i, type = e[15] >> 4;
        memcpy(&addr, e, 8);
        uint32_t bytes = pci_get32(e + 8);
        if (++total > SG_MAX || e[15] & 15) return BAD_SGL;
        if (type == 0) {
            uint32_t part = MIN(bytes, len);
            unsigned r = sg_add(g, n, addr, part);
            if (r) return r;
            len -= part;
        } else if ((type == 2 || type == 3) && i + 1 == count && bytes && bytes % 16 == 0 && bytes <= sizeof seg) {
            if (dma_read(&s->p.dev.dma, addr, seg, bytes)) return TRANSFER;
            count = bytes / 16;
            i = UINT32_MAX; /* from its beginning */
        } else {
            return BAD_SGL;
        }
    }
    return len ? BAD_SGL : OK;
}

static unsigned data_list(SELF *s, const struct cmd *c, uint32_t len, struct sg *g, unsigned *n)
{
    *n = 0;
    return c->flags >> 6 ? sgl_list(s, c, len, g, n) : prp_list(s, c, len, g, n);
}

/* Copies `len` bytes to or from the guest. */
static unsigned transfer(SELF *s, const struct cmd *c, void *buf, uint32_t len, bool to_guest)
{
    struct sg g[SG_MAX];
    unsigned n, r = data_list(s, c, len, g, &n);
    for (unsigned i = 0; !r && i < n; buf = (uint8_t *)buf + g[i++].len)
        if (to_guest ? dma_write(&s->p.dev.dma, g[i].addr, buf, g[i].len) : dma_read(&s->p.dev.dma, g[i].addr, buf, g[i].len)) r = TRANSFER;
    return r;
}

/* --- I/O commands ------------------------------------------------------------------------------------------------------------------- */

enum { IO_FLUSH, IO_WRITE, IO_READ, IO_WRITE_ZEROES = 8, IO_DSM = 9 };

static void answer(SELF *s, unsigned sq, uint16_t cid, unsigned status, uint32_t result)
{
    struct request *r = request_new(s, sq, cid, 0);
    if (!r) {
        fail(s, "no host memory for a command");
        return;
    }
    r->status = (uint16_t)(status ? status | DNR : 0);
    r->result = result;
    complete(r);
}

static unsigned read_write(SELF *s, unsigned sq, const struct cmd *c, bool write)
{
    uint64_t lba = c->dw[0] | (uint64_t)c->dw[1] << 32, bytes = ((uint64_t)(c->dw[2] & 0xffff) + 1) * s->logical;
    struct sg g[SG_MAX];
    struct iovec iov[SG_MAX];
    unsigned n, niov = 0, status;
    if (bytes > 4096ull << s->p_mdts) return BAD_FIELD;
    if (lba >= blocks(s) || bytes / s->logical > blocks(s) - lba) return OUT_OF_RANGE;
    if (write && blk_read_only(s->blk)) return READ_ONLY;
    if ((status = data_list(s, c, (uint32_t)bytes, g, &n))) return status;
    for (unsigned i = 0; i < n && !status; i++)
        for (uint64_t at = g[i].addr, left = g[i].len, len; left && !status; at += len, left -= len) {
            void *host = niov < SG_MAX ? (len = left, dma_map(&s->p.dev.dma, at, &len, !write)) : NULL;
            if (!host) {
                status = TRANSFER;
                break;
            }
            iov[niov++] = (struct iovec){ host, len };
        }
    struct request *r = status ? NULL : request_new(s, sq, c->cid, niov);
    if (!r) {
        for (unsigned i = 0; i < niov; i++) dma_unmap(&s->home, iov[i].iov_base, iov[i].iov_len, !write, 0);
        return status ? status : (unsigned)INTERNAL;
    }
    r->write = !write;
    r->niov = niov;
    memcpy(r->iov, iov, niov * sizeof iov[0]);
    if (write) {
        s->writes++;
        s->write_units += bytes / 512;
        blk_writev(s->blk, lba * s->logical, r->iov, (int)niov, c->dw[2] >> 30 & 1 ? BLK_FUA : 0, done, r);
    } else {
        s->reads++;
        s->read_units += bytes / 512;
        blk_readv(s->blk, lba * s->logical, r->iov, (int)niov, 0, done, r);
    }
    return OK;
}

static unsigned write_zeroes(SELF *s, unsigned sq, const struct cmd *c)
{
    uint64_t lba = c->dw[0] | (uint64_t)c->dw[1] << 32, n = (uint64_t)(c->dw[2] & 0xffff) + 1;
    if (lba >= blocks(s) || n > blocks(s) - lba) return OUT_OF_RANGE;
    if (blk_read_only(s->blk)) return READ_ONLY;
    struct request *r = request_new(s, sq, c->cid, 0);
    if (!r) return INTERNAL;
    blk_write_zeroes(s->blk, lba * s->logical, n * s->logical, c->dw[2] >> 25 & 1 ? BLK_MAY_UNMAP : 0, done, r);
    return OK;
}

/* Dataset management: the attribute "deallocate" is a discard of each range, others are hints. */
static unsigned dsm(SELF *s, unsigned sq, const struct cmd *c)
{
    uint8_t b[16 * RANGES];
    unsigned n = (c->dw[0] & 0xff) + 1, status = transfer(s, c, b, 16 * n, false);
    if (status) return status;
    if (blk_read_only(s->blk)) return READ_ONLY;
    for (unsigned i = 0; i < n; i++) {
        uint64_t lba = pci_get32(b + 16 * i + 8) | (uint64_t)pci_get32(b + 16 * i + 12) << 32;
        if (lba > blocks(s) || pci_get32(b + 16 * i + 4) > blocks(s) - lba) return OUT_OF_RANGE;
    }
    struct request *r = request_new(s, sq, c->cid, 0);
    if (!r) return INTERNAL;
    r->hint = true;
    for (unsigned i = 0; i < n && (c->dw[1] & 4); i++) {
        uint64_t lba = pci_get32(b + 16 * i + 8) | (uint64_t)pci_get32(b + 16 * i + 12) << 32, len = pci_get32(b + 16 * i + 4);
        if (!len) continue;
        r->parts++;
        blk_discard(s->blk, lba * s->logical, len * s->logical, done, r);
    }
    done(r, 0);
    return OK;
}

static void io_command(SELF *s, unsigned sq, const struct cmd *c)
{
    unsigned status = BAD_OPCODE;
    struct request *r;
    if (c->nsid != 1 && !(c->opcode == IO_FLUSH && c->nsid == UINT32_MAX)) {
        status = BAD_NAMESPACE;
    } else {
        switch (c->opcode) {
        case IO_FLUSH:
            status = (r = request_new(s, sq, c->cid, 0)) ? OK : INTERNAL;
            if (r) blk_flush(s->blk, done, r);
            break;
        case IO_WRITE: case IO_READ: status = read_write(s, sq, c, c->opcode == IO_WRITE); break;
        case IO_WRITE_ZEROES: status = write_zeroes(s, sq, c); break;
        case IO_DSM: status = dsm(s, sq, c); break;
        default: break;
        }
    }
    if (status) answer(s, sq, c->cid, status, 0);
}

/* --- administration --------------------------------------------------------------------------------------------------------------------- */

enum { DELETE_SQ, CREATE_SQ, GET_LOG, DELETE_CQ = 4, CREATE_CQ, IDENTIFY, ABORT = 8, SET_FEATURES, GET_FEATURES, ASYNC_EVENT = 12 };
enum { FT_ARBITRATION = 1, FT_POWER, FT_TEMPERATURE = 4, FT_ERROR, FT_CACHE, FT_QUEUES, FT_COALESCING, FT_VECTOR, FT_ATOMICITY, FT_EVENTS };

static unsigned create_cq(SELF *s, const struct cmd *c)
{
    uint32_t id = c->dw[0] & 0xffff, size = (c->dw[0] >> 16) + 1, vector = c->dw[1] >> 16;
    if (!id || id > s->max_pairs || s->cq[id].size) return BAD_QUEUE;
    if (size < 2 || size > ENTRIES) return BAD_SIZE;
    if (vector >= (s->p.msix_n ? s->p.msix_n : 1u)) return BAD_VECTOR;
    if (!(c->dw[1] & 1) || c->prp1 % page_size(s)) return c->dw[1] & 1 ? BAD_OFFSET : BAD_FIELD;
    s->cq[id] = (struct cq){ .addr = c->prp1, .size = size, .vector = (uint16_t)vector, .phase = true, .irq = c->dw[1] >> 1 & 1 };
    return OK;
}

static unsigned create_sq(SELF *s, const struct cmd *c)
{
    uint32_t id = c->dw[0] & 0xffff, size = (c->dw[0] >> 16) + 1, cq = c->dw[1] >> 16;
    if (!id || id > s->max_pairs || s->sq[id].size) return BAD_QUEUE;
    if (!cq || cq > s->max_pairs || !s->cq[cq].size) return BAD_CQ;
    if (size < 2 || size > ENTRIES) return BAD_SIZE;
    if (!(c->dw[1] & 1) || c->prp1 % page_size(s)) return c->dw[1] & 1 ? BAD_OFFSET : BAD_FIELD;
    s->sq[id] = (struct sq){ .addr = c->prp1, .size = size, .cq = (uint16_t)cq, .serial = s->sq[id].serial };
    s->cq[cq].users++;
    return OK;
}

/* Its commands that are under way get no answer any more. */
static unsigned delete_sq(SELF *s, uint32_t id)
{
    if (!id || id > s->max_pairs || !s->sq[id].size) return BAD_QUEUE;
    for (struct request **p = &s->waiting, *r; (r = *p);) {
        if (r->sq != id) {
            p = &r->next;
            continue;
        }
        *p = r->next;
        if (!*p) s->last = p;
        free(r);
    }
    s->cq[s->sq[id].cq].users--;
    s->sq[id] = (struct sq){ .serial = s->sq[id].serial + 1 };
    return OK;
}

static unsigned delete_cq(SELF *s, uint32_t id)
{
    if (!id || id > s->max_pairs || !s->cq[id].size) return BAD_QUEUE;
    if (s->cq[id].users) return BAD_DELETE;
    s->cq[id] = (struct cq){ 0 };
    line_update(s);
    return OK;
}

static void padded(uint8_t *b, size_t n, const char *text)
{
    size_t len = MIN(strlen(text), n);
    memset(b, ' ', n);
    memcpy(b, text, len);
}

static void identify_controller(SELF *s, uint8_t *b)
{
    pci_put16(b, 0x1b36);
    pci_put16(b + 2, 0x1af4);
    padded(b + 4, 20, s->serial);
    padded(b + 24, 40, "Lyrebird NVMe Ctrl");
    padded(b + 64, 8, "1.0");
    b[72] = 6;                                  /* recommended arbitration burst */
    b[77] = s->p_mdts;
    pci_put32(b + 80, 0x00010400);              /* version */
    b[111] = 1;                                 /* I/O controller */
    b[258] = 3, b[259] = AERS - 1;              /* aborts, events at once */
    b[260] = 3, b[261] = 1;                     /* one read-only firmware slot */
    pci_put16(b + 266, 343), pci_put16(b + 268, 373);
    b[512] = 0x66, b[513] = 0x44;               /* entry sizes */
    pci_put32(b + 516, 1);                      /* namespaces */
    pci_put16(b + 520, 1 << 2 | 1 << 3);        /* DSM, write zeroes */
    b[525] = 1 | 3 << 1;                        /* a write cache; flush of all namespaces */
    pci_put32(b + 536, 1);                      /* SGL */
    snprintf((char *)b + 768, 256, "nqn.2019-08.org.qemu:%.64s", s->serial);
    pci_put16(b + 2048, 2500);                  /* power state 0: 25 W */
}

static void identify_namespace(SELF *s, uint8_t *b)
{
    unsigned shift = 9;
    while (1u << shift < s->logical) shift++;
    for (unsigned i = 0; i < 3; i++) {
        pci_put32(b + 8 * i, (uint32_t)blocks(s));
        pci_put32(b + 8 * i + 4, (uint32_t)(blocks(s) >> 32));
    }
    b[33] = 1;                                  /* deallocated blocks read as zeros */
    b[99] = blk_read_only(s->blk);
    b[130] = (uint8_t)shift;
}

static unsigned identify(SELF *s, const struct cmd *c)
{
    uint8_t b[4096] = { 0 };
    switch (c->dw[0] & 0xff) {
    case 0: case 5:
        if (c->nsid != 1 && c->nsid != UINT32_MAX) return BAD_NAMESPACE;
        if ((c->dw[0] & 0xff) == 0) identify_namespace(s, b);
        break;
    case 1: identify_controller(s, b); break;
    case 6: break;                              /* command set specific: nothing to say */
    case 2:
        if (c->nsid >= UINT32_MAX - 1) return BAD_NAMESPACE;
        if (c->nsid < 1) pci_put32(b, 1);
        break;
    case 3: {                                   /* descriptors: an EUI-64 out of the serial number */
        uint64_t h = 0xcbf29ce484222325;
        if (c->nsid != 1) return BAD_NAMESPACE;
        for (const char *t = s->serial; *t; t++) h = (h ^ (uint8_t)*t) * 0x100000001b3;
        b[0] = 1, b[1] = 8;
        pci_put32(b + 4, 0x00005452), pci_put32(b + 8, (uint32_t)h);
        b[12] = 4, b[13] = 1;                   /* command set: NVM */
        break;
    }
    default: return BAD_FIELD;
    }
    return transfer(s, c, b, sizeof b, true);
}

static unsigned get_log(SELF *s, const struct cmd *c)
{
    uint8_t b[4096] = { 0 };
    uint64_t len = (((uint64_t)(c->dw[1] & 0xffff) << 16 | c->dw[0] >> 16) + 1) * 4, off = c->dw[2] | (uint64_t)c->dw[3] << 32;
    switch (c->dw[0] & 0xff) {
    case 1: break;                              /* no errors */
    case 2:                                     /* health */
        pci_put16(b + 1, 303);
        b[3] = 100, b[4] = 10;
        pci_put32(b + 32, (uint32_t)(s->read_units / 1000));
        pci_put32(b + 48, (uint32_t)(s->write_units / 1000));
        pci_put32(b + 64, (uint32_t)s->reads);
        pci_put32(b + 80, (uint32_t)s->writes);
        break;
    case 3:
        b[0] = 1;
        padded(b + 8, 8, "1.0");
        break;
    case 4: break;
    case 5:                                     /* commands and effects */
        for (unsigned i = 0; i < 13; i++)
            if (0x1f77 >> i & 1) pci_put32(b + 4 * i, 1);
        pci_put32(b + 1024, 1), pci_put32(b + 1024 + 4, 3), pci_put32(b + 1024 + 8, 1), pci_put32(b + 1024 + 32, 3), pci_put32(b + 1024 + 36, 3);
        break;
    default: return BAD_LOG;
    }
    if (off > sizeof b || off & 3) return BAD_FIELD;
    return transfer(s, c, b + off, (uint32_t)MIN(len, sizeof b - off), true);
}

static unsigned features(SELF *s, const struct cmd *c, bool set, uint32_t *result)
{
    unsigned id = c->dw[0] & 0xff;
    if (id < FT_ARBITRATION || id > FT_EVENTS || id == 3) return BAD_FIELD;
    if (set && c->dw[0] >> 31) return NO_FEATURE_CHANGE; /* nothing is saved */
    switch (id) {
    case FT_QUEUES: *result = (s->max_pairs - 1) | (s->max_pairs - 1) << 16; return OK;
    case FT_CACHE:
        if (set) blk_set_writethrough(s->blk, !(c->dw[1] & 1));
        *result = !blk_writethrough(s->blk);
        return OK;
    default:
        if (set) s->feature[id] = c->dw[1];
        *result = id == FT_VECTOR && !set ? c->dw[1] & 0xffff : s->feature[id];
        return OK;
    }
}

static void admin_command(SELF *s, const struct cmd *c)
{
    uint32_t result = 0;
    unsigned status = BAD_OPCODE;
    if (c->flags >> 6) {
        status = BAD_FIELD; /* SGLs are for I/O */
    } else {
        switch (c->opcode) {
        case CREATE_CQ: status = create_cq(s, c); break;
        case CREATE_SQ: status = create_sq(s, c); break;
        case DELETE_SQ: status = delete_sq(s, c->dw[0] & 0xffff); break;
        case DELETE_CQ: status = delete_cq(s, c->dw[0] & 0xffff); break;
        case IDENTIFY: status = identify(s, c); break;
        case GET_LOG: status = get_log(s, c); break;
        case SET_FEATURES: case GET_FEATURES: status = features(s, c, c->opcode == SET_FEATURES, &result); break;
        case ABORT: status = OK, result = 1; break; /* not aborted */
        case ASYNC_EVENT: /* answered when something happens: never, so far */
            if (s->naer < AERS) {
                s->aer[s->naer++] = c->cid;
                s->sq[0].held--;
                return;
            }
            status = AER_LIMIT;
            break;
        default: break;
        }
    }
    answer(s, 0, c->cid, status, result);
}

/* --- queues ---------------------------------------------------------------------------------------------------------------------------------- */

/* Commands of one queue, as many as there are answers' places and budget. True: there are more. */
static bool sq_run(SELF *s, unsigned id)
{
    struct sq *q = &s->sq[id];
    for (unsigned n = 0; enabled(s) && q->size && q->head != q->tail && q->held < q->size; n++) {
        if (n == BUDGET) return true;
        uint8_t b[64];
        struct cmd c;
        if (dma_read(&s->p.dev.dma, q->addr + 64ull * q->head, b, sizeof b)) {
            fail(s, "a submission queue is not in memory");
            return false;
        }
        q->head = q->head + 1 == q->size ? 0 : q->head + 1;
        c.opcode = b[0], c.flags = b[1], c.cid = pci_get16(b + 2), c.nsid = pci_get32(b + 4);
        memcpy(&c.prp1, b + 24, 8);
        memcpy(&c.prp2, b + 32, 8);
        memcpy(c.dw, b + 40, 24);
        TRACE(nvme_command, "queue %u opcode 0x%x id %u", id, c.opcode, c.cid);
        q->held++;
        if (id) io_command(s, id, &c);
        else admin_command(s, &c);
    }
    return false;
}

static void run(void *dev)
{
    SELF *s = dev;
    bool more = false;
    if (!s->p.dev.dma.space) return;
    for (unsigned i = 0; i < QUEUES && enabled(s) && !(s->csts & CSTS_CFS); i++) more |= sq_run(s, i);
    if (more) loop_defer(&s->run);
}

static void doorbell(SELF *s, uint64_t off, uint32_t v)
{
    unsigned i = (unsigned)(off / 8);
    if (off % 4 || i >= QUEUES || !enabled(s)) return;
    if (off & 4) {
        struct cq *q = &s->cq[i];
        if (!q->size || v >= q->size) {
            dev_guest_error(&s->p.dev, false, "head %u of completion queue %u", v, i);
            return;
        }
        q->head = v;
        post_waiting(s);
        line_update(s);
        loop_defer(&s->run);
    } else {
        struct sq *q = &s->sq[i];
        if (!q->size || v >= q->size) {
            dev_guest_error(&s->p.dev, false, "tail %u of submission queue %u", v, i);
            return;
        }
        q->tail = v;
        if (s->p.dev.dma.space && !(s->csts & CSTS_CFS) && sq_run(s, i)) loop_defer(&s->run);
    }
}

/* --- registers ---------------------------------------------------------------------------------------------------------------------------------- */

static void stop(SELF *s)
{
    s->generation++;
    for (struct request *r; (r = s->waiting);) {
        s->waiting = r->next;
        free(r);
    }
    s->last = &s->waiting;
    memset(s->sq, 0, sizeof s->sq);
    memset(s->cq, 0, sizeof s->cq);
    s->naer = 0;
    s->intms = 0;
    deferred_cancel(&s->run);
    s->csts = s->inflight ? s->csts & CSTS_RDY : 0;
    line_update(s);
}

static void start(SELF *s)
{
    uint32_t nsq = (s->aqa & 0xfff) + 1, ncq = (s->aqa >> 16 & 0xfff) + 1;
    if (s->inflight || nsq < 2 || ncq < 2 || (s->cc >> 7 & 15) > 4 || s->cc >> 4 & 7 || s->asq % page_size(s) || s->acq % page_size(s)) {
        fail(s, "it is enabled with admin queues or settings that cannot be");
        return;
    }
    s->sq[0] = (struct sq){ .addr = s->asq, .size = nsq };
    s->cq[0] = (struct cq){ .addr = s->acq, .size = ncq, .phase = true, .irq = true, .users = 1 };
    s->csts = CSTS_RDY;
}

static void flushed(void *ctx, int ret)
{
    struct request *r = ctx;
    SELF *s = r->s;
    if (r->generation == s->generation) s->csts = (s->csts & ~0xcu) | 2 << 2; /* shutdown complete */
    s->inflight--;
    if (!s->inflight && !(s->cc & CC_EN)) s->csts &= ~(uint32_t)CSTS_RDY;
    free(r);
}

static void cc_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    uint32_t old = s->cc;
    s->cc = (uint32_t)v;
    if ((old & CC_EN) && !(v & CC_EN)) stop(s);
    else if (!(old & CC_EN) && (v & CC_EN)) start(s);
    if ((v >> 14 & 3) && !(old >> 14 & 3)) {
        struct request *r = request_new(s, 0, 0, 0);
        s->csts |= 1 << 2;
        if (r) blk_flush(s->blk, flushed, r);
    } else if (!(v >> 14 & 3)) {
        s->csts &= ~0xcu;
    }
}
static uint64_t cap_read(void *dev, unsigned i)
{
    /* entries, contiguous queues, 7.5 s, NVM command set, pages of 4 to 64 KiB */
    return i ? 1u << 5 | 4u << 20 : (ENTRIES - 1) | 1u << 16 | 15u << 24;
}
static uint64_t vs_read(void *dev, unsigned i) { return 0x00010400; }
static void intms_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->intms = i ? s->intms & ~(uint32_t)v : s->intms | (uint32_t)v;
    line_update(s);
}
static uint64_t intms_read(void *dev, unsigned i) { return ((SELF *)dev)->intms; }

static const struct reg regs[] = {
    { 0x00, "CAP", RO, .count = 2, .read = cap_read },
    { 0x08, "VS", RO, .read = vs_read },
    { 0x0c, "INTM", RW, .count = 2, .read = intms_read, .write = intms_write },
    { 0x14, "CC", RW, FIELD(cc), .mask = 0x00fffff1, .write = cc_write },
    { 0x1c, "CSTS", RO, FIELD(csts) },
    { 0x20, "NSSR", WO, .size = 4 },
    { 0x24, "AQA", RW, FIELD(aqa), .mask = 0x0fff0fff },
    { 0x28, "ASQ", RW, .size = 8, FIELD(asq), .mask = ~0xfffull },
    { 0x30, "ACQ", RW, .size = 8, FIELD(acq), .mask = ~0xfffull },
    { 0x38, "CMB", RO, .size = 4, .count = 2 },
};

static uint64_t bar_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    SELF *s = dev;
    uint64_t v;
    if (pci_msix_read(&s->p, off, size, &v)) return v;
    return off < DOORBELLS ? regs_read(dev, regs, ARRAY_LEN(regs), off, size) : 0;
}
static void bar_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    SELF *s = dev;
    if (pci_msix_write(&s->p, off, v, size)) return;
    if (off < DOORBELLS) regs_write(dev, regs, ARRAY_LEN(regs), off, v, size);
    else doorbell(s, off - DOORBELLS, (uint32_t)v);
}
static const struct mmio_ops bar_ops = { .read = bar_read, .write = bar_write };

/* --- life ------------------------------------------------------------------------------------------------------------------------------------------ */

static void bus_master(struct pci_dev *p, bool on)
{
    SELF *s = (SELF *)p;
    if (on) loop_defer(&s->run);
}

static void nvme_reset(void *dev)
{
    SELF *s = dev;
    s->cc = s->aqa = 0;
    s->asq = s->acq = 0;
    memset(s->feature, 0, sizeof s->feature);
    s->feature[FT_TEMPERATURE] = 343;
    stop(s);
    blk_drain(s->blk); /* the machine's memory will be others' */
    pci_reset(&s->p);
}

static int nvme_init(void *dev, struct err *e)
{
    SELF *s = dev;
    if (!s->blk) return err_set(e, EINVAL, "nvme: drive property not set");
    if (!s->serial || strlen(s->serial) > 20) return err_set(e, EINVAL, "nvme: serial property not set, or longer than 20 letters");
    if (s->logical < 512 || s->logical > 4096 || (s->logical & (s->logical - 1))) return err_set(e, EINVAL, "nvme: logical_block_size is 512 to 4096");
    if (!s->max_pairs || s->max_pairs >= QUEUES) return err_set(e, EINVAL, "nvme: max_ioqpairs is 1 to %d", QUEUES - 1);
    if (!s->p_vectors || s->p_vectors > 65) return err_set(e, EINVAL, "nvme: msix_qsize is 1 to 65");
    if (s->p_mdts > 8) return err_set(e, EINVAL, "nvme: mdts is 0 to 8");
    s->home = s->p.dev.dma;
    s->last = &s->waiting;
    deferred_init(&s->run, s->p.dev.board->loop, run, s);
    pci_init(&s->p, &(struct pci_id){ 0x1b36, 0x0010, 0x1af4, 0x1100, 0x010802, 2 });
    pci_bar_mmio(&s->p, 0, PCI_BAR_64, BAR_BYTES, &bar_ops, s);
    pci_cap_msix(&s->p, s->p_vectors, 0, MSIX_TABLE, MSIX_PBA);
    pci_cap_express(&s->p, PCIE_ENDPOINT);
    pci_cap_pm(&s->p);
    s->p.bus_master = bus_master;
    return 0;
}

static void nvme_exit(void *dev)
{
    SELF *s = dev;
    stop(s);
    blk_drain(s->blk);
    deferred_cancel(&s->run);
    pci_exit(&s->p);
}

static int nvme_loaded(void *dev, struct err *e)
{
    SELF *s = dev;
    for (unsigned i = 0; i < QUEUES; i++) {
        struct sq *q = &s->sq[i];
        struct cq *c = &s->cq[i];
        if (q->size > 4096 || (q->size && (q->head >= q->size || q->tail >= q->size || q->cq >= QUEUES || !s->cq[q->cq].size)) || c->size > 4096 ||
            (c->size && (c->head >= c->size || c->tail >= c->size)))
            return err_set(e, EINVAL, "nvme: queue %u is not one", i);
        q->held = 0;
    }
    if ((s->cc >> 7 & 15) > 4) return err_set(e, EINVAL, "nvme: page size");
    loop_defer(&s->run);
    return pci_loaded(&s->p, e);
}

#define F(t, m) { .name = #m, .type = STATE_T_INT, .field = offsetof(struct t, m), .size = sizeof(((struct t *)0)->m) }
#define B(t, m) { .name = #m, .type = STATE_T_INT, .field = offsetof(struct t, m), .size = 1, .max = 1 }
static const struct state_field sq_state[] = { F(sq, addr), F(sq, size), F(sq, head), F(sq, tail), F(sq, cq) };
static const struct state_field cq_state[] = { F(cq, addr), F(cq, size), F(cq, head), F(cq, tail), F(cq, vector), F(cq, users), B(cq, phase), B(cq, irq) };
#undef F
#undef B

const struct device nvme_device = {
    .name = "nvme", .help = "Non-Volatile Memory Express", .category = "Storage devices", .bus = "pci", .size = sizeof(SELF), .init = nvme_init,
    .reset = nvme_reset, .exit = nvme_exit, .loaded = nvme_loaded, .user_creatable = true, .hotplug = true,
    PROPS(PCI_PROPS, PROP_BLK("drive", blk), PROP_STR("serial", serial, NULL), PROP_U32("logical_block_size", logical, 512),
          PROP_U32("max_ioqpairs", max_pairs, 64), PROP_U32("msix_qsize", p_vectors, 65), PROP_U8("mdts", p_mdts, MDTS),
          PROP_U32("bootindex", bootindex, UINT32_MAX)),
    STATE(PCI_STATE, STATE_INT(cc), STATE_INT(csts), STATE_INT(intms), STATE_INT(aqa), STATE_INT(asq), STATE_INT(acq), STATE_ARRAY(feature),
          STATE_ARRAY(aer), STATE_RANGE(naer, 0, AERS),
          { .name = "sq", .type = STATE_T_STRUCT, .field = offsetof(SELF, sq), .size = sizeof(struct sq), .count = QUEUES, .sub = sq_state,
            .nsub = ARRAY_LEN(sq_state) },
          { .name = "cq", .type = STATE_T_STRUCT, .field = offsetof(SELF, cq), .size = sizeof(struct cq), .count = QUEUES, .sub = cq_state,
            .nsub = ARRAY_LEN(cq_state) }),
};
