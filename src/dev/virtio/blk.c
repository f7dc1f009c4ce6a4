/*
 * blk.c: virtio-blk (virtio 1.2, 5.2): a disk. Requests go to the block layer with the guest's memory as it is; their callbacks answer.
 * Known gaps: no lifetime, secure erase and zoned commands.
 */
#include "dev/virtio/virtio.h"

#include "io/block/blk.h"

#define SELF struct virtio_blk
struct virtio_blk {
    struct virtio v;
    struct blk *blk;
    char *serial, *iothread;
    uint32_t logical, physical, min_io, opt_io, discard_granularity, max_discard, max_zeroes;
    uint16_t p_queues, p_queue_size;
    int32_t bootindex;
    bool config_wce, p_discard, p_zeroes, write_cache, share;
    uint32_t cache;                       /* ONOFFAUTO */
    uint32_t rerror, werror;
    uint8_t wce;
};

enum { F_SIZE_MAX = 1, F_SEG_MAX = 2, F_GEOMETRY = 4, F_RO = 5, F_BLK_SIZE = 6, F_FLUSH = 9, F_TOPOLOGY = 10, F_CONFIG_WCE = 11, F_MQ = 12,
       F_DISCARD = 13, F_WRITE_ZEROES = 14 };
enum { T_IN, T_OUT, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK, S_IOERR, S_UNSUPP };
enum { SECTOR = 512, HEADER = 16, ID_BYTES = 20, RANGE = 16, RANGE_UNMAP = 1, SEGMENTS = VQ_IOV - 2 };

/* --- requests ----------------------------------------------------------------------------------------------------------- */

static void answer(struct vq_elem *el, uint8_t status, uint32_t bytes)
{
    struct vq *q = el->q;
    if (vq_write(el, el->in_len - 1, &status, 1) != 1 && vq_current(el)) virtio_error(q->v, "the status byte is not in memory");
    vq_push(el, status == S_OK ? bytes + 1 : 1);
    vq_notify(q);
}

/* tag: bytes that the request put into the guest's memory. */
static void done(void *ctx, int ret)
{
    struct vq_elem *el = ctx;
    answer(el, ret == -ENOTSUP ? S_UNSUPP : ret ? S_IOERR : S_OK, el->tag);
}

/* Is [sector, sector + bytes) on the disk and in whole blocks? */
static bool fits(struct virtio_blk *s, uint64_t sector, uint64_t bytes)
{
    uint64_t size = blk_size(s->blk);
    return sector <= size / SECTOR && bytes <= size - sector * SECTOR && !(sector * SECTOR % s->logical) && !(bytes % s->logical);
}

static void transfer(struct virtio_blk *s, struct vq_elem *el, bool in, uint64_t sector)
{
    uint64_t bytes = in ? el->in_len - 1 : el->out_len - HEADER;
    struct iovec *iov;
    if ((!in && blk_read_only(s->blk)) || !fits(s, sector, bytes) || bytes > BLK_MAX_REQUEST) {
        answer(el, S_IOERR, 0);
        return;
    }
    int n = vq_iov(el, in, in ? 0 : HEADER, bytes, &iov);
    if (n < 0) {
        answer(el, S_IOERR, 0);
        return;
    }
    el->tag = in ? (uint32_t)bytes : 0;
    if (in) blk_readv(s->blk, sector * SECTOR, iov, n, 0, done, el);
    else blk_writev(s->blk, sector * SECTOR, iov, n, 0, done, el);
}

/* DISCARD and WRITE_ZEROES: one range behind the header. */
static void range(struct virtio_blk *s, struct vq_elem *el, bool zero)
{
    uint8_t b[RANGE];
    if (el->out_len != HEADER + RANGE || vq_read(el, HEADER, b, sizeof b) != sizeof b) {
        answer(el, S_IOERR, 0);
        return;
    }
    uint64_t sector = pci_get32(b) | (uint64_t)pci_get32(b + 4) << 32;
    uint32_t count = pci_get32(b + 8), flags = pci_get32(b + 12);
    if (flags & ~(zero ? (uint32_t)RANGE_UNMAP : 0u)) {
        answer(el, S_UNSUPP, 0);
    } else if (blk_read_only(s->blk) || count > (zero ? s->max_zeroes : s->max_discard) || !fits(s, sector, (uint64_t)count * SECTOR)) {
        answer(el, S_IOERR, 0);
    } else {
        el->tag = 0;
        if (zero) blk_write_zeroes(s->blk, sector * SECTOR, (uint64_t)count * SECTOR, flags & RANGE_UNMAP ? BLK_MAY_UNMAP : 0, done, el);
        else blk_discard(s->blk, sector * SECTOR, (uint64_t)count * SECTOR, done, el);
    }
}

static void get_id(struct virtio_blk *s, struct vq_elem *el)
{
    char id[ID_BYTES] = { 0 };
    size_t n = strlen(s->serial ? s->serial : "");
    uint32_t bytes = MIN(el->in_len - 1, (uint32_t)ID_BYTES);
    memcpy(id, s->serial ? s->serial : "", MIN(n, sizeof id));
    bool ok = vq_write(el, 0, id, bytes) == bytes;
    answer(el, ok ? S_OK : S_IOERR, bytes);
}

static void handle(struct vq *q)
{
    struct virtio_blk *s = (struct virtio_blk *)q->v;
    for (struct vq_elem *el; (el = vq_pop(q));) {
        uint8_t h[HEADER];
        if (!el->in_len || vq_read(el, 0, h, sizeof h) != sizeof h) {
            virtio_error(q->v, "a request without header or status");
            vq_drop(el);
            return;
        }
        uint32_t type = pci_get32(h);
        uint64_t sector = pci_get32(h + 8) | (uint64_t)pci_get32(h + 12) << 32;
        TRACE(virtio_blk_request, "%s type %u sector %llu out %u in %u", q->v->dev.id ? q->v->dev.id : "", type, (unsigned long long)sector,
              el->out_len, el->in_len);
        switch (type) {
        case T_IN: transfer(s, el, true, sector); break;
        case T_OUT: transfer(s, el, false, sector); break;
        case T_FLUSH:
            el->tag = 0;
            blk_flush(s->blk, done, el);
            break;
        case T_GET_ID: get_id(s, el); break;
        case T_DISCARD: s->p_discard ? range(s, el, false) : answer(el, S_UNSUPP, 0); break;
        case T_WRITE_ZEROES: s->p_zeroes ? range(s, el, true) : answer(el, S_UNSUPP, 0); break;
        default: answer(el, S_UNSUPP, 0);
        }
    }
}

/* --- configuration ----------------------------------------------------------------------------------------------------------- */

static uint64_t capacity_read(void *dev, unsigned i) { return blk_size(((SELF *)dev)->blk) / SECTOR; }
static uint64_t seg_read(void *dev, unsigned i)
{
    return MIN(((SELF *)dev)->v.vq[0].max - 2u, (unsigned)SEGMENTS);
}
static uint64_t cyl_read(void *dev, unsigned i) { return MIN(blk_geometry(((SELF *)dev)->blk).cylinders, 65535u); }
static uint64_t heads_read(void *dev, unsigned i) { return MIN(blk_geometry(((SELF *)dev)->blk).heads, 255u); }
static uint64_t sectors_read(void *dev, unsigned i) { return MIN(blk_geometry(((SELF *)dev)->blk).sectors, 255u); }
static uint64_t exponent_read(void *dev, unsigned i)
{
    SELF *s = dev;
    unsigned n = 0;
    while (s->logical << n < s->physical && n < 8) n++;
    return n;
}
static uint64_t min_io_read(void *dev, unsigned i) { return ((SELF *)dev)->min_io / ((SELF *)dev)->logical; }
static uint64_t opt_io_read(void *dev, unsigned i) { return ((SELF *)dev)->opt_io / ((SELF *)dev)->logical; }
static uint64_t queues_read(void *dev, unsigned i) { return ((SELF *)dev)->v.nqueues; }
static uint64_t one_read(void *dev, unsigned i) { return 1; }
static uint64_t align_read(void *dev, unsigned i) { return MAX(((SELF *)dev)->discard_granularity, ((SELF *)dev)->logical) / SECTOR; }
static void wce_after(void *dev, unsigned i)
{
    SELF *s = dev;
    if (virtio_has(&s->v, F_CONFIG_WCE)) blk_set_writethrough(s->blk, !s->wce);
}

static const struct reg config[] = {
    { 0, "capacity", RO, .size = 8, .read = capacity_read },
    { 8, "size_max", RO, .size = 4 },
    { 12, "seg_max", RO, .read = seg_read },
    { 16, "cylinders", RO, .size = 2, .read = cyl_read },
    { 18, "heads", RO, .size = 1, .read = heads_read },
    { 19, "sectors", RO, .size = 1, .read = sectors_read },
    { 20, "blk_size", RO, FIELD(logical) },
    { 24, "physical_block_exp", RO, .size = 1, .read = exponent_read },
    { 25, "alignment_offset", RO, .size = 1 },
    { 26, "min_io_size", RO, .size = 2, .read = min_io_read },
    { 28, "opt_io_size", RO, .read = opt_io_read },
    { 32, "writeback", RW, .size = 1, FIELD(wce), .mask = 1, .after = wce_after },
    { 33, "unused", RO, .size = 1 },
    { 34, "num_queues", RO, .size = 2, .read = queues_read },
    { 36, "max_discard_sectors", RO, FIELD(max_discard) },
    { 40, "max_discard_seg", RO, .read = one_read },
    { 44, "discard_sector_alignment", RO, .read = align_read },
    { 48, "max_write_zeroes_sectors", RO, FIELD(max_zeroes) },
    { 52, "max_write_zeroes_seg", RO, .read = one_read },
    { 56, "write_zeroes_may_unmap", RO, .size = 1, .read = one_read },
};

static uint64_t offer(void *dev)
{
    SELF *s = dev;
    return (blk_read_only(s->blk) ? VF(F_RO) : 0) | (s->config_wce ? VF(F_CONFIG_WCE) : 0) | (s->v.nqueues > 1 ? VF(F_MQ) : 0) |
           (s->p_discard ? VF(F_DISCARD) : 0) | (s->p_zeroes ? VF(F_WRITE_ZEROES) : 0);
}

/* A driver that can neither flush nor turn the cache off gets none (5.2.6.2). */
static void agreed(void *dev)
{
    SELF *s = dev;
    if (!virtio_has(&s->v, F_FLUSH) && !virtio_has(&s->v, F_CONFIG_WCE)) s->wce = 0;
    blk_set_writethrough(s->blk, !s->wce);
}

static void reset(void *dev)
{
    SELF *s = dev;
    s->wce = s->write_cache;
    blk_set_writethrough(s->blk, !s->wce);
}

static void drain(void *dev)
{
    blk_drain(((SELF *)dev)->blk);
}

static const struct vq_row rows[] = { { "requests", .flags = VQ_NOW, .handle = handle } };
static const struct virtio_class class = {
    .name = "virtio-blk", .id = 2, .pci_class = 0x010000,
    .features = VF(F_SEG_MAX) | VF(F_GEOMETRY) | VF(F_BLK_SIZE) | VF(F_FLUSH) | VF(F_TOPOLOGY),
    VIRTIO_CONFIG(config), .config_size = 60, VIRTIO_ROWS(rows), .offer = offer, .agreed = agreed, .reset = reset,
    .drain = drain,
};

/* --- life ------------------------------------------------------------------------------------------------------------------------ */

static void resized(void *dev)
{
    virtio_config_changed(dev);
}

static const struct blk_dev_ops blk_ops = { .resized = resized, .errors = true };

static int init(void *dev, struct err *e)
{
    SELF *s = dev;
    if (!s->blk) return err_set(e, EINVAL, "virtio-blk: drive property not set");
    if (!blk_node_of(s->blk)) return err_set(e, EINVAL, "Device needs media, but drive is empty");
    int r = blk_share(s->blk, s->share, e);
    if (r) return r;
    if (s->logical < 512 || s->logical > 1 << 21 || (s->logical & (s->logical - 1)) || (s->physical & (s->physical - 1)))
        return err_set(e, EINVAL, "virtio-blk: block sizes must be powers of two from 512 to 2097152");
    if (s->physical < s->logical) s->physical = s->logical;
    if (!s->p_queues || s->p_queues > VIRTIO_QUEUES) return err_set(e, EINVAL, "virtio-blk: num-queues must be 1 to %d", VIRTIO_QUEUES);
    if (s->p_queue_size < 4 || s->p_queue_size > VQ_MAX || (s->p_queue_size & (s->p_queue_size - 1)))
        return err_set(e, EINVAL, "virtio-blk: queue-size must be a power of two from 4 to %d", VQ_MAX);
    s->write_cache = s->cache == 0 ? !blk_writethrough(s->blk) : s->cache == 1;
    r = virtio_init(dev, &class, s->p_queues, e);
    for (unsigned i = 0; i < VIRTIO_QUEUES; i++) s->v.vq[i].max = s->p_queue_size;
    if (!r) r = virtio_on_iothread(dev, s->iothread, e);
    if (!r) blk_error_words(s->blk, s->rerror, s->werror);
    if (!r) blk_set_dev(s->blk, &blk_ops, s);
    return r;
}

static void leave(void *dev)
{
    SELF *s = dev;
    blk_drain(s->blk);
    blk_set_dev(s->blk, NULL, NULL);
    virtio_exit(dev);
}

#define BLK_PROPS \
    VIRTIO_PROPS, PROP_BLK("drive", blk), PROP_STR("serial", serial, NULL), PROP_STR("iothread", iothread, NULL), \
    PROP_U32("logical_block_size", logical, 512), \
    PROP_U32("physical_block_size", physical, 512), PROP_U32("min_io_size", min_io, 0), PROP_U32("opt_io_size", opt_io, 0), \
    PROP_U32("discard_granularity", discard_granularity, 0), PROP_U16("num-queues", p_queues, 1), PROP_U16("queue-size", p_queue_size, 256), \
    PROP_BOOL("config-wce", config_wce, true), PROP_BOOL("discard", p_discard, true), PROP_BOOL("write-zeroes", p_zeroes, true), \
    PROP_U32("max-discard-sectors", max_discard, 0x3fffff), PROP_U32("max-write-zeroes-sectors", max_zeroes, 0x3fffff), \
    { .name = "write-cache", .type = PROP_T_ONOFFAUTO, .field = offsetof(SELF, cache) }, \
    PROP_BOOL("share-rw", share, false), PROP_U32("bootindex", bootindex, UINT32_MAX), \
    PROP_ENUM("rerror", rerror, 0, blk_error_names), PROP_ENUM("werror", werror, 0, blk_error_names)
#define BLK_STATE STATE_INT(wce)

const struct device virtio_blk_device = {
    VIRTIO_DEVICE("virtio-blk", "virtio disk", "Storage devices", init, leave), PROPS(BLK_PROPS), STATE(VIRTIO_STATE, BLK_STATE),
};
const struct device virtio_blk_pci_device = {
    VIRTIO_PCI_DEVICE("virtio-blk", "virtio disk", "Storage devices", init, leave), PROPS(BLK_PROPS, VIRTIO_PCI_PROPS), STATE(VIRTIO_PCI_STATE, BLK_STATE),
};
