/*
 * qcow2_snap.c: snapshots inside the image. Each is an L1 table of its own; every table and cluster has one reference per L1 table
 * that leads to it. The header switches to a new snapshot table (and L1 table) in one write, when all it points to is durable; what
 * was counted for nothing after a crash is a leak.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "io/block/qcow2.h"

struct entry { /* as in the file, big endian */
    uint64_t l1_off;
    uint32_t l1_size;
    uint16_t id_len, name_len;
    uint32_t date_sec, date_ns;
    uint64_t vm_clock;
    uint32_t vm_size, extra;
};
struct extra {
    uint64_t vm_size, disk_size, icount;
};
_Static_assert(sizeof(struct entry) == 40 && sizeof(struct extra) == 24, "layout of the file");

static void snap_free(struct qc_snap *s)
{
    free(s->id);
    free(s->name);
}

void qc_snaps_free(struct qcow2 *q)
{
    for (uint32_t i = 0; i < q->nsnap; i++) snap_free(&q->snap[i]);
    free(q->snap);
    q->snap = NULL;
    q->nsnap = 0;
}

static int read_str(struct qcow2 *q, uint64_t at, unsigned len, char **out)
{
    *out = xalloc(len + 1u);
    return blk_node_pread(q->file, at, *out, len);
}

static int load_one(struct qcow2 *q, uint64_t *at, uint64_t disk_size, struct qc_snap *s)
{
    struct entry f;
    struct extra x = { 0 };
    int r = blk_node_pread(q->file, *at, &f, sizeof f);
    if (r) return r;
    uint32_t extra = be32toh(f.extra);
    unsigned id_len = be16toh(f.id_len), name_len = be16toh(f.name_len);
    if (extra > 1024) return -EINVAL;
    r = blk_node_pread(q->file, *at + sizeof f, &x, MIN(sizeof x, extra));
    *s = (struct qc_snap){
        .l1_off = be64toh(f.l1_off), .l1_size = be32toh(f.l1_size), .date_sec = be32toh(f.date_sec), .date_ns = be32toh(f.date_ns),
        .vm_clock_ns = be64toh(f.vm_clock), .vm_size = extra >= 8 ? be64toh(x.vm_size) : be32toh(f.vm_size),
        .disk_size = extra >= 16 ? be64toh(x.disk_size) : disk_size, .icount = extra >= 24 ? be64toh(x.icount) : UINT64_MAX,
    };
    if (s->l1_size > QC_MAX_L1 / 8 || (s->l1_off & (q->cs - 1)) || s->l1_off >> 56 || s->disk_size > INT64_MAX / 2) r = -EINVAL;
    uint64_t text = *at + sizeof f + extra;
    if (!r) r = read_str(q, text, id_len, &s->id);
    if (!r) r = read_str(q, text + id_len, name_len, &s->name);
    *at = ALIGN_UP(text + id_len + name_len, 8ull);
    return r;
}

int qc_snaps_load(struct qcow2 *q, const struct qc_header *h, struct err *e)
{
    uint64_t at = h->snap_offset;
    q->snap_off = h->snap_offset;
    for (uint32_t i = 0; i < h->nb_snapshots; i++) {
        if (at - h->snap_offset > QC_MAX_SNAP_TABLE || (at >= blk_node_size(q->file)))
            return err_set(e, EINVAL, "the snapshot table is too large or not there");
        q->snap = xrealloc(q->snap, i * sizeof *q->snap, (i + 1) * sizeof *q->snap);
        q->nsnap = i + 1;
        int r = load_one(q, &at, blk_node_size(q->node), &q->snap[i]);
        if (r) return err_set(e, -r, "snapshot table entry %u: %s", i, strerror(-r));
    }
    q->snap_bytes = at - h->snap_offset;
    return 0;
}

/* The table for the file. */
static uint8_t *build(const struct qcow2 *q, size_t *bytes)
{
    size_t n = 0, at = 0;
    for (uint32_t i = 0; i < q->nsnap; i++)
        n += ALIGN_UP(sizeof(struct entry) + sizeof(struct extra) + strlen(q->snap[i].id) + strlen(q->snap[i].name), 8u);
    uint8_t *buf = xalloc(n ? n : 1);
    for (uint32_t i = 0; i < q->nsnap; i++) {
        const struct qc_snap *s = &q->snap[i];
        size_t idl = strlen(s->id), nl = strlen(s->name);
        struct entry f = {
            .l1_off = htobe64(s->l1_off), .l1_size = htobe32(s->l1_size), .id_len = htobe16((uint16_t)idl),
            .name_len = htobe16((uint16_t)nl), .date_sec = htobe32(s->date_sec), .date_ns = htobe32(s->date_ns),
            .vm_clock = htobe64(s->vm_clock_ns), .vm_size = htobe32(s->vm_size > UINT32_MAX ? 0 : (uint32_t)s->vm_size),
            .extra = htobe32(sizeof(struct extra)),
        };
        struct extra x = { htobe64(s->vm_size), htobe64(s->disk_size), htobe64(s->icount) };
        memcpy(buf + at, &f, sizeof f);
        memcpy(buf + at + sizeof f, &x, sizeof x);
        memcpy(buf + at + sizeof f + sizeof x, s->id, idl);
        memcpy(buf + at + sizeof f + sizeof x + idl, s->name, nl);
        at = ALIGN_UP(at + sizeof f + sizeof x + idl + nl, (size_t)8);
    }
    *bytes = n;
    return buf;
}

static uint64_t clusters(const struct qcow2 *q, uint64_t bytes)
{
    return (bytes + q->cs - 1) >> q->cluster_bits;
}

/* Puts the table as it is in memory into the file and the header. The old one is freed by the next flush. */
static int commit_table(struct qcow2 *q)
{
    size_t bytes;
    uint64_t c = 0, n, old_off = q->snap_off, old_bytes = q->snap_bytes;
    uint8_t *buf = build(q, &bytes);
    int r = bytes > QC_MAX_SNAP_TABLE ? -EFBIG : 0;
    n = clusters(q, bytes);
    if (!r && n) r = qc_alloc_exact(q, n, &c);
    if (!r && n) r = blk_node_pwrite(q->file, c << q->cluster_bits, buf, bytes);
    free(buf);
    q->need_sync = true;
    if (!r) r = qc_flush(q);
    if (r) {
        if (c) qc_ref_down(q, c, n);
        return r;
    }
    q->snap_off = c << q->cluster_bits;
    q->snap_bytes = bytes;
    r = qc_header_update(q);
    if (!r) r = qc_sync(q);
    if (r) {
        q->corrupt = true; /* the file may have either table */
        return r;
    }
    if (old_bytes) qc_free_later(q, old_off >> q->cluster_bits, clusters(q, old_bytes));
    return 0;
}

/* --- walking the tables of a snapshot ---------------------------------------------------------------------------------------------- */

static int load_l1(struct qcow2 *q, uint64_t off, uint32_t size, uint64_t **out)
{
    uint8_t *buf = xalloc((size_t)size * 8 + 1);
    uint64_t *l1 = xalloc((size_t)size * 8 + 8);
    int r = blk_node_pread(q->file, off, buf, (size_t)size * 8);
    for (uint32_t i = 0; !r && i < size; i++) l1[i] = qc_be64(buf + (size_t)i * 8);
    free(buf);
    *out = l1;
    return r;
}

/* One more, noted in `done` so that it can be taken back. */
static int up(struct qcow2 *q, uint64_t first, uint64_t n, struct qc_frees *done)
{
    struct qc_free *last = done->n ? &done->v[done->n - 1] : NULL;
    int r = 0;
    for (uint64_t i = 0, v; !r && i < n; i++) {
        r = qc_ref_get(q, first + i, &v);
        if (!r && !v) r = qc_corrupt(q, "refcount 0 of used cluster", first + i);
    }
    if (!r) r = qc_ref_up(q, first, n);
    if (r) return r;
    if (last && last->cluster + last->n == first) {
        last->n += n;
        return 0;
    }
    done->v = vec_grow(done->v, &done->cap, done->n + 1, sizeof *done->v);
    done->v[done->n++] = (struct qc_free){ first, n };
    return 0;
}

static int ref_entry(struct qcow2 *q, uint64_t entry, struct qc_frees *done)
{
    uint64_t off, bytes, first, n;
    if (entry & QC_COMPRESSED)
        qc_comp_extent(q, entry, &off, &bytes);
    else if (!(off = entry & QC_OFFSET))
        return 0;
    else if (off & (q->cs - 1))
        return qc_corrupt(q, "L2 entry", entry);
    else
        bytes = 1;
    first = off >> q->cluster_bits;
    n = ((off + bytes - 1) >> q->cluster_bits) - first + 1;
    if (done) return up(q, first, n, done);
    qc_free_later(q, first, n);
    return 0;
}

/* One up, or one down by the next flush, for everything that an L1 table leads to. */
static int ref_tree(struct qcow2 *q, const uint64_t *l1, uint32_t size, bool more)
{
    struct qc_frees done = { 0 };
    uint8_t *t = xalloc((size_t)q->cs);
    int r = 0;
    for (uint32_t i = 0; !r && i < size; i++) {
        uint64_t off = l1[i] & QC_OFFSET;
        if (!off) continue;
        if ((off & (q->cs - 1)) || (l1[i] & QC_L1_RSVD)) r = qc_corrupt(q, "L1 entry", l1[i]);
        if (!r) r = blk_node_pread(q->file, off, t, (size_t)q->cs);
        for (uint32_t k = 0; !r && k < q->l2_entries; k++) r = ref_entry(q, qc_be64(t + (size_t)k * q->esize), more ? &done : NULL);
        if (!r && more) r = up(q, off >> q->cluster_bits, 1, &done);
        if (!r && !more) qc_free_later(q, off >> q->cluster_bits, 1);
    }
    for (uint32_t i = 0; r && i < done.n; i++) qc_ref_down(q, done.v[i].cluster, done.v[i].n);
    free(done.v);
    free(t);
    return r;
}

/* "Copied" of an active table that counts 1: from the counts, or off for all. */
static int set_copied(struct qcow2 *q, bool any)
{
    uint64_t count, entry, bm, span = qc_l1_span(q);
    uint32_t per = q->l2.slice / q->esize;
    int r = 0;
    for (uint32_t i = 0; !r && i < q->l1_size; i++) {
        uint64_t off = q->l1[i] & QC_OFFSET;
        if (!off) continue;
        if ((r = qc_ref_get(q, off >> q->cluster_bits, &count))) break;
        uint64_t want = off | (any && count == 1 ? QC_COPIED : 0);
        for (uint32_t k = 0; !r && k < q->l2_entries; k++) {
            uint8_t *s;
            r = qc_cache_get(q, &q->l2, off + (uint64_t)k * q->esize, &s);
            if (r) break;
            qc_entry_get(q, s, k % per, &entry, &bm);
            if (!(entry & QC_OFFSET) || (entry & QC_COMPRESSED) || q->has_data) continue;
            uint64_t is = entry & ~QC_COPIED;
            if (any && (r = qc_ref_get(q, (entry & QC_OFFSET) >> q->cluster_bits, &count))) break;
            if (any && count == 1) is |= QC_COPIED;
            if (is != entry) qc_entry_set(q, (uint64_t)i * span + ((uint64_t)k << q->cluster_bits), s, k % per, is, bm);
        }
        if (q->l1[i] != want) {
            q->l1[i] = want;
            q->l1_lo = MIN(q->l1_lo, i), q->l1_hi = MAX(q->l1_hi, i + 1);
        }
    }
    return r;
}

/* --- operations ----------------------------------------------------------------------------------------------------------------------- */

static struct qc_snap *find(struct qcow2 *q, const char *name)
{
    for (uint32_t i = 0; i < q->nsnap; i++)
        if (!strcmp(q->snap[i].id, name)) return &q->snap[i];
    for (uint32_t i = 0; i < q->nsnap; i++)
        if (!strcmp(q->snap[i].name, name)) return &q->snap[i];
    return NULL;
}

static int begin(struct qcow2 *q, struct qc_range *rg, struct err *e)
{
    if (!(q->node->flags & BLK_RDWR)) return err_set(e, EROFS, "the image is read-only");
    if (q->has_data) return err_set(e, ENOTSUP, "snapshots do not go with an external data file");
    pthread_mutex_lock(&q->lock);
    qc_range_enter(q, rg, 0, QC_WHOLE, true);
    if (!q->corrupt) return 0;
    qc_range_leave(q, rg);
    pthread_mutex_unlock(&q->lock);
    return err_set(e, EIO, "the image is damaged");
}

static int end(struct qcow2 *q, struct qc_range *rg, int r, const char *what, struct err *e)
{
    if (!r) r = qc_flush(q);
    qc_range_leave(q, rg);
    pthread_mutex_unlock(&q->lock);
    if (r && e && !e->code) err_set(e, -r, "Could not %s snapshot: %s", what, r == -EMLINK ? "too many references for the width of the image's refcounts" : strerror(-r));
    return r;
}

int qc_snap_list(struct blk_node *n, struct blk_snapshot **list, unsigned *count)
{
    struct qcow2 *q = n->s;
    pthread_mutex_lock(&q->lock);
    *list = xalloc((q->nsnap + 1) * sizeof **list);
    *count = q->nsnap;
    for (uint32_t i = 0; i < q->nsnap; i++) {
        const struct qc_snap *s = &q->snap[i];
        struct blk_snapshot *o = &(*list)[i];
        snprintf(o->id, sizeof o->id, "%s", s->id);
        snprintf(o->name, sizeof o->name, "%s", s->name);
        o->date_sec = s->date_sec, o->date_ns = s->date_ns, o->vm_clock_ns = s->vm_clock_ns;
        o->vm_state_size = s->vm_size, o->disk_size = s->disk_size, o->icount = s->icount;
    }
    pthread_mutex_unlock(&q->lock);
    return 0;
}

static int write_l1(struct qcow2 *q, const uint64_t *l1, uint32_t size, uint64_t *first)
{
    uint64_t n = MAX(clusters(q, (uint64_t)size * 8), 1u);
    uint8_t *buf = xalloc((size_t)(n << q->cluster_bits));
    int r = qc_alloc_exact(q, n, first);
    for (uint32_t i = 0; i < size; i++) qc_put64(buf + (size_t)i * 8, l1[i]);
    if (!r) {
        r = blk_node_pwrite(q->file, *first << q->cluster_bits, buf, (size_t)(n << q->cluster_bits));
        if (r) qc_ref_down(q, *first, n);
    }
    free(buf);
    q->need_sync = true;
    return r;
}

int qc_snap_create(struct blk_node *n, struct blk_snapshot *in, struct err *e)
{
    struct qcow2 *q = n->s;
    struct qc_range rg;
    uint64_t c = 0, top = 0;
    if (q->nsnap == QC_MAX_SNAPS) return err_set(e, EFBIG, "too many snapshots");
    int r = begin(q, &rg, e);
    if (r) return r;
    for (uint32_t i = 0; i < q->nsnap; i++) top = MAX(top, strtoul(q->snap[i].id, NULL, 10));
    if (!*in->id) snprintf(in->id, sizeof in->id, "%llu", (unsigned long long)top + 1);
    for (uint32_t i = 0; i < q->nsnap; i++)
        if (!strcmp(q->snap[i].id, in->id)) r = err_set(e, EEXIST, "there is a snapshot with the id %s", in->id);
    /* "copied" off first: on the disk it is never set where a count is 2 */
    if (!r) r = set_copied(q, false);
    if (!r) r = qc_flush(q);
    uint64_t *l1 = NULL;
    if (!r) {
        l1 = xalloc((size_t)q->l1_size * 8 + 8);
        for (uint32_t i = 0; i < q->l1_size; i++) l1[i] = q->l1[i] & ~QC_COPIED;
        r = ref_tree(q, l1, q->l1_size, true);
        if (!r) r = write_l1(q, l1, q->l1_size, &c);
        free(l1);
    }
    if (!r) {
        q->snap = xrealloc(q->snap, q->nsnap * sizeof *q->snap, (q->nsnap + 1) * sizeof *q->snap);
        q->snap[q->nsnap++] = (struct qc_snap){
            .id = strdup(in->id), .name = strdup(in->name), .l1_off = c << q->cluster_bits, .l1_size = q->l1_size,
            .date_sec = (uint32_t)in->date_sec, .date_ns = in->date_ns, .vm_clock_ns = in->vm_clock_ns, .vm_size = in->vm_state_size,
            .disk_size = blk_node_size(n), .icount = in->icount,
        };
        r = commit_table(q);
        if (r) snap_free(&q->snap[--q->nsnap]);
        /* the machine's state is the snapshot's alone from now on */
        uint64_t span = qc_l1_span(q), base = (blk_node_size(n) + span - 1) / span * span;
        if (!r && in->vm_state_size) r = qc_drop_from(q, base, q->l1_size * span);
    }
    if (r) set_copied(q, true); /* as it was, as far as counts say */
    return end(q, &rg, r, "create", e);
}

int qc_snap_apply(struct blk_node *n, const char *name, struct err *e)
{
    struct qcow2 *q = n->s;
    struct qc_range rg;
    uint64_t *l1 = NULL, c = 0;
    int r = begin(q, &rg, e);
    if (r) return r;
    struct qc_snap *s = find(q, name);
    if (!s) r = err_set(e, ENOENT, "Could not apply snapshot '%s': snapshot not found", name);
    if (!r && s->disk_size != blk_node_size(n) && !q->v3) r = err_set(e, ENOTSUP, "the snapshot's disk has another size");
    uint32_t size = s ? MAX(s->l1_size, 1u) : 1;
    if (!r && (u128)s->l1_size * qc_l1_span(q) < s->disk_size) r = err_set(e, EINVAL, "the snapshot's table is too small for its disk");
    if (!r) r = qc_flush(q);
    if (!r) r = load_l1(q, s->l1_off, s->l1_size, &l1);
    for (uint32_t i = 0; !r && i < s->l1_size; i++) l1[i] &= ~QC_COPIED;
    if (!r) r = ref_tree(q, l1, s->l1_size, true);
    if (!r) r = write_l1(q, l1, s->l1_size, &c);
    if (!r) r = qc_flush(q);
    if (!r) {
        uint64_t *old = q->l1, old_off = q->l1_off;
        uint32_t old_size = q->l1_size;
        q->l1 = l1, q->l1_off = c << q->cluster_bits, q->l1_size = size;
        l1 = NULL;
        __atomic_store_n(&n->size, s->disk_size, __ATOMIC_RELAXED);
        r = qc_header_update(q);
        if (!r) r = qc_sync(q);
        if (r) q->corrupt = true; /* the file may have either */
        if (!r) r = ref_tree(q, old, old_size, false);
        if (!r) qc_free_later(q, old_off >> q->cluster_bits, clusters(q, (uint64_t)old_size * 8));
        free(old);
        if (!r) r = qc_flush(q);
        if (!r) r = set_copied(q, true);
    }
    free(l1);
    return end(q, &rg, r, "apply", e);
}

int qc_snap_delete(struct blk_node *n, const char *name, struct err *e)
{
    struct qcow2 *q = n->s;
    struct qc_range rg;
    uint64_t *l1 = NULL;
    int r = begin(q, &rg, e);
    if (r) return r;
    struct qc_snap *s = find(q, name), gone = { 0 };
    if (!s) r = err_set(e, ENOENT, "Could not delete snapshot '%s': snapshot not found", name);
    if (!r) r = load_l1(q, s->l1_off, s->l1_size, &l1);
    if (!r) {
        uint32_t i = (uint32_t)(s - q->snap);
        gone = *s;
        memmove(s, s + 1, (q->nsnap - i - 1) * sizeof *s);
        q->nsnap--;
        r = commit_table(q);
        if (r) {
            memmove(q->snap + i + 1, q->snap + i, (q->nsnap - i) * sizeof *s);
            q->snap[i] = gone;
            q->nsnap++;
            gone = (struct qc_snap){ 0 };
        }
    }
    if (!r) r = ref_tree(q, l1, gone.l1_size, false);
    if (!r) qc_free_later(q, gone.l1_off >> q->cluster_bits, clusters(q, (uint64_t)gone.l1_size * 8));
    if (!r) r = qc_flush(q);
    if (!r) r = set_copied(q, true);
    snap_free(&gone);
    free(l1);
    return end(q, &rg, r, "delete", e);
}

int qc_snap_show(struct blk_node *n, const char *name, struct err *e)
{
    struct qcow2 *q = n->s;
    uint64_t *l1 = NULL;
    struct qc_snap *s = find(q, name);
    if (!s) return err_set(e, ENOENT, "Failed to load snapshot: Can't find snapshot '%s'", name);
    if (n->flags & BLK_RDWR) return err_set(e, EINVAL, "Device is not readonly");
    if ((u128)s->l1_size * qc_l1_span(q) < s->disk_size) return err_set(e, EINVAL, "the snapshot's table is too small for its disk");
    int r = load_l1(q, s->l1_off, s->l1_size, &l1);
    if (r) {
        free(l1);
        return err_set(e, -r, "Failed to load snapshot: %s", strerror(-r));
    }
    pthread_mutex_lock(&q->lock);
    free(q->l1);
    q->l1 = l1;
    q->l1_size = s->l1_size;
    __atomic_store_n(&n->size, s->disk_size, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&q->lock);
    return 0;
}
