/*
 * qcow2.h: the qcow2 format, versions 2 and 3. Spec: QEMU's docs/interop/qcow2.rst.
 *
 * What is on the disk is right at every moment (safety.md). Metadata changes live in memory and reach the file in this order,
 * with a sync of the file between the steps:
 *   1. refcounts that went up, data and new tables    2. L2 entries    3. L1 entries    4. refcounts that go down
 * so on the disk a refcount is never below the references, and what was freed is given out again only when nothing on the disk
 * points to it any more: refcounts go down in memory after step 3 (`frees`). A crash leaks clusters at worst.
 *
 * Requests. `lock` covers metadata, in memory and its I/O; data moves without it. A request on guest clusters is in the list
 * `ranges` while it runs: requests that find everything in place share, one that changes the mapping (allocation, discard) is alone
 * on its clusters, first come first served.
 */
#ifndef LYRE_IO_BLOCK_QCOW2_H
#define LYRE_IO_BLOCK_QCOW2_H

#include <endian.h>
#include <pthread.h>
#include "io/block/int.h"

#define QC_COPIED     (UINT64_C(1) << 63)
#define QC_COMPRESSED (UINT64_C(1) << 62)
#define QC_ZERO       UINT64_C(1)
#define QC_OFFSET     UINT64_C(0x00fffffffffffe00)
#define QC_L1_RSVD    UINT64_C(0x7f000000000001ff)
#define QC_L2_RSVD    UINT64_C(0x3f000000000001fe)
#define QC_SUB_ZERO   UINT64_C(0xffffffff00000000) /* bitmap: every subcluster reads as zeros */
#define QC_WHOLE      (UINT64_C(1) << 62) /* more than any disk: a range of everything */

enum {
    QC_MAGIC = 0x514649fb,
    QC_MAX_L1 = 32 << 20, QC_MAX_REFT = 8 << 20, QC_MAX_SNAPS = 65536, QC_MAX_SNAP_TABLE = 64 << 20,
    QC_DIRTY = 1, QC_CORRUPT = 2, QC_DATA_FILE = 4, QC_COMP_TYPE = 8, QC_EXT_L2 = 16, QC_KNOWN = 31, /* incompatible */
    QC_LAZY = 1,                                                                                    /* compatible */
    QC_BITMAPS = 1, QC_DATA_RAW = 2,                                                                /* autoclear */
};

struct qc_header { /* as in the file, big endian */
    uint32_t magic, version;
    uint64_t backing_offset;
    uint32_t backing_size, cluster_bits;
    uint64_t size;
    uint32_t crypt_method, l1_size;
    uint64_t l1_offset, reft_offset;
    uint32_t reft_clusters, nb_snapshots;
    uint64_t snap_offset;
    uint64_t incompat, compat, autoclear; /* from here on: version 3 */
    uint32_t refcount_order, header_length;
    uint8_t compression, pad[7];
};
_Static_assert(sizeof(struct qc_header) == 112, "layout of the file");

struct qc_snap {
    char *id, *name;
    uint64_t l1_off, vm_clock_ns, vm_size, disk_size, icount;
    uint32_t l1_size, date_sec, date_ns;
};

struct qc_ent {
    uint64_t off;
    uint8_t *data;
    uint32_t next; /* in the bucket; index + 1 */
    bool dirty, used;
};

/* Slices of L2 tables or refcount blocks, as they are in the file. A pointer is good until the next look-up in the same cache. */
struct qc_cache {
    struct qc_ent *ent;
    uint32_t *bucket, nbuckets, n, cap, max, hand, ndirty, slice;
    bool is_l2;
};

struct qc_range {
    uint64_t start, end; /* guest bytes, whole clusters */
    bool alone;
    struct qc_range *next;
};

struct qc_free {
    uint64_t cluster, n;
};

struct qc_frees {
    struct qc_free *v;
    uint32_t n, cap;
};

struct qc_ext {
    uint32_t type, len;
    uint8_t *data;
};

struct qcow2 {
    struct blk_node *node, *file, *data; /* data: the external data file, else file */
    pthread_mutex_t lock;
    pthread_cond_t cond;
    struct qc_range *ranges;
    /* from the header, validated */
    uint32_t version, cluster_bits, refcount_order, header_length, l2_entries, esize, sub_size, rb_entries;
    uint64_t cs; /* cluster size */
    bool ext_l2, v3, has_data, data_raw, lazy, zstd;
    uint64_t incompat, compat, autoclear;
    struct qc_ext *ext; /* header extensions that are kept as they are */
    uint32_t next;
    char *data_name;
    /* metadata in memory */
    uint64_t *l1, l1_off; /* l1: host order */
    uint32_t l1_size, l1_lo, l1_hi; /* dirty entries: [lo, hi) */
    uint64_t *reft, reft_off;
    uint32_t reft_size, reft_lo, reft_hi, reft_clusters;
    struct qc_snap *snap;
    uint32_t nsnap;
    uint64_t snap_off, snap_bytes;
    struct qc_cache l2, rb;
    struct qc_frees frees;
    uint64_t hint;      /* no free cluster below */
    uint64_t comp_next; /* where the next compressed cluster may begin, 0 = nowhere */
    bool need_sync;     /* written since the last sync: data or tables that entries will point to */
    bool corrupt, dirty, in_check, loaded;
    bool pass_discard;
    /* the last cluster that was decompressed */
    pthread_mutex_t comp_lock;
    uint64_t comp_entry, comp_gen, comp_at;
    uint8_t *comp_buf;
};

static inline uint64_t qc_be64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return be64toh(v);
}

static inline void qc_put64(uint8_t *p, uint64_t v)
{
    v = htobe64(v);
    memcpy(p, &v, 8);
}

/* qcow2_cache.c: `off` is that of the slice's bytes in the file (any byte of it). */
int qc_cache_get(struct qcow2 *q, struct qc_cache *c, uint64_t off, uint8_t **slice);
void qc_cache_dirty(struct qc_cache *c, uint64_t off);
/* Forgets what lies in a range, written or not. */
void qc_cache_drop(struct qc_cache *c, uint64_t off, uint64_t bytes);
int qc_cache_write(struct qcow2 *q, struct qc_cache *c);
void qc_cache_init(struct qc_cache *c, uint32_t slice, uint64_t bytes, bool is_l2);
void qc_cache_free(struct qc_cache *c);
/* Steps 1; 1 to 3; all with the lock held. qc_flush() ends with everything durable and step 4 done in memory. */
int qc_barrier(struct qcow2 *q);
int qc_flush(struct qcow2 *q);
int qc_sync(struct qcow2 *q);
int qc_write_l1(struct qcow2 *q);

/* qcow2_ref.c: cluster numbers; with the lock held. */
int qc_ref_get(struct qcow2 *q, uint64_t cluster, uint64_t *count);
/* One up; the caller's reference of what it will point to. */
int qc_ref_up(struct qcow2 *q, uint64_t cluster, uint64_t n);
/* One down, now: only for what nothing on the disk points to. Later: after the next flush. */
int qc_ref_down(struct qcow2 *q, uint64_t cluster, uint64_t n);
int qc_ref_set(struct qcow2 *q, uint64_t cluster, uint64_t count);
void qc_free_later(struct qcow2 *q, uint64_t cluster, uint64_t n);
int qc_apply_frees(struct qcow2 *q, struct qc_frees *f);
/* 1 to n clusters in a row with a reference each; exactly n. */
int qc_alloc(struct qcow2 *q, uint64_t n, uint64_t *first, uint64_t *got);
int qc_alloc_exact(struct qcow2 *q, uint64_t n, uint64_t *first);
uint64_t qc_ref_max(const struct qcow2 *q);
uint64_t qc_rb_get(const struct qcow2 *q, const uint8_t *slice, uint64_t i);
void qc_rb_put(const struct qcow2 *q, uint8_t *slice, uint64_t i, uint64_t v);
/* What a compressed entry occupies. */
void qc_comp_extent(const struct qcow2 *q, uint64_t entry, uint64_t *off, uint64_t *bytes);
/* Gives back what an entry pointed to. */
void qc_free_entry(struct qcow2 *q, uint64_t entry);

/* qcow2_map.c */
enum qc_type { QC_T_NONE, QC_T_ZERO, QC_T_DATA, QC_T_COMP };

struct qc_map {
    enum qc_type type;
    uint64_t host, bytes, entry; /* bytes: how far the same type goes on, in a row in the file */
    bool copied;                 /* all of it may be written in place */
};
int qc_map(struct qcow2 *q, uint64_t off, uint64_t bytes, struct qc_map *m);
/* The same without I/O: -EAGAIN if it would need some. */
int qc_map_cached(struct qcow2 *q, uint64_t off, uint64_t bytes, struct qc_map *m);
/* Where the L2 entry of a guest offset is; made (and made our own) if `alloc`. *slice NULL: there is no table. */
int qc_entry(struct qcow2 *q, uint64_t off, bool alloc, uint8_t **slice, uint32_t *index, uint32_t *count);
void qc_entry_get(const struct qcow2 *q, const uint8_t *slice, uint32_t i, uint64_t *entry, uint64_t *bitmap);
/* And marks the slice dirty. */
void qc_entry_set(struct qcow2 *q, uint64_t off, uint8_t *slice, uint32_t i, uint64_t entry, uint64_t bitmap);
int qc_corrupt(struct qcow2 *q, const char *what, uint64_t where);
int qc_grow_l1(struct qcow2 *q, uint64_t entries);
static inline uint64_t qc_l1_span(const struct qcow2 *q)
{
    return (uint64_t)q->l2_entries << q->cluster_bits;
}

/* Ranges; with the lock held. qc_range_try: false if it would have to wait. */
void qc_range_enter(struct qcow2 *q, struct qc_range *r, uint64_t off, uint64_t bytes, bool alone);
bool qc_range_try(struct qcow2 *q, struct qc_range *r, uint64_t off, uint64_t bytes);
void qc_range_leave(struct qcow2 *q, struct qc_range *r);

/* qcow2_io.c */
int qc_preadv(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags);
int qc_pwritev(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags);
int qc_zero(struct blk_node *n, uint64_t off, uint64_t bytes, unsigned flags);
int qc_discard(struct blk_node *n, uint64_t off, uint64_t bytes);
int qc_status(struct blk_node *n, uint64_t off, uint64_t bytes, struct blk_range *r);
int qc_node_flush(struct blk_node *n);
int qc_enter(struct blk_node *n, bool write, uint64_t off, uint64_t bytes, struct blk_hop *h);
void qc_leave(struct blk_node *n, void *token);
int qc_vmstate(struct blk_node *n, bool write, uint64_t off, void *buf, size_t bytes);
/* Drops mappings from a guest offset on, up to the end of the tables; the caller is alone. */
int qc_drop_from(struct qcow2 *q, uint64_t off, uint64_t end);
/* Maps a range to clusters of its own that read as zeros. */
int qc_preallocate(struct qcow2 *q, uint64_t off, uint64_t bytes);
/* qcow2_comp.c */
int qc_read_compressed(struct qcow2 *q, uint64_t entry, uint64_t skip, const struct iovec *iov, int niov, size_t bytes);
/* *len 0: it does not get smaller. */
int qc_compress(struct qcow2 *q, const uint8_t *in, uint8_t *out, size_t *len);
int qc_write_compressed(struct qcow2 *q, uint64_t off, const uint8_t *comp, size_t len);
bool qc_inflate(bool zstd, const uint8_t *in, size_t n, uint8_t *out, size_t want);

/* qcow2_snap.c */
int qc_snaps_load(struct qcow2 *q, const struct qc_header *h, struct err *e);
void qc_snaps_free(struct qcow2 *q);
int qc_snap_list(struct blk_node *n, struct blk_snapshot **list, unsigned *count);
int qc_snap_create(struct blk_node *n, struct blk_snapshot *s, struct err *e);
int qc_snap_apply(struct blk_node *n, const char *id, struct err *e);
int qc_snap_show(struct blk_node *n, const char *id, struct err *e);
int qc_snap_delete(struct blk_node *n, const char *id, struct err *e);
/* qcow2_check.c */
int qc_check(struct blk_node *n, struct blk_check *c, unsigned fix, struct err *e);

/* qcow2_header.c */
/* The fields that change, in one sector, at once. */
int qc_header_update(struct qcow2 *q);
/* With extensions and the name of the backing file. */
int qc_header_rewrite(struct qcow2 *q, struct err *e);
int qc_header_load(struct qcow2 *q, struct qc_header *h, struct err *e);
void qc_exts_free(struct qcow2 *q);
/* qcow2_create.c */
int qc_create(struct blk_graph *g, const char *filename, struct json_object *opts, struct err *e);
int qc_measure(struct json_object *opts, uint64_t size, struct blk_node *src, uint64_t *required, uint64_t *full, struct err *e);
int qc_truncate(struct blk_node *n, uint64_t size, const char *prealloc, struct err *e);
int qc_set_backing(struct blk_node *n, const char *name, const char *fmt, struct err *e);
int qc_amend(struct blk_node *n, struct json_object *opts, struct err *e);
int qc_make_empty(struct blk_node *n, struct err *e);
extern const struct blk_create_opt qc_create_opts[];

#endif
