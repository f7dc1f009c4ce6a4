/*
 * qcow2_io.c: reading, writing, zeroing, discarding guest data.
 *
 * A write that finds its clusters in place goes there. Otherwise, alone on its clusters: clusters are allocated, data is written
 * with what surrounds it (copy on write), and then the L2 entries change in memory; see qcow2.h for how that reaches the file.
 */
#include <stdio.h>
#include <stdlib.h>
#include "io/block/qcow2.h"

enum { MAX_STEP = 8 << 20, FEW = 32 };

/* A vector's part in memory of its own if it has many pieces. */
struct part {
    struct iovec few[FEW], *v;
    int n;
};

static void part_of(struct part *p, const struct iovec *iov, int niov, size_t skip, size_t bytes)
{
    p->v = niov <= FEW ? p->few : xalloc((size_t)niov * sizeof *p->v);
    p->n = blk_iov_cut(iov, niov, skip, bytes, p->v);
}

static void part_end(struct part *p)
{
    if (p->v != p->few) free(p->v);
}

static void fill_zero(const struct iovec *iov, int niov)
{
    for (int i = 0; i < niov; i++) memset(iov[i].iov_base, 0, iov[i].iov_len);
}

/* --- reading -------------------------------------------------------------------------------------------------------------------- */

static int read_backing(struct qcow2 *q, uint64_t off, const struct iovec *iov, int niov, size_t bytes)
{
    struct blk_node *b = q->node->backing;
    uint64_t size = b ? blk_node_size(b) : 0;
    size_t have = off < size ? (size_t)MIN((uint64_t)bytes, size - off) : 0;
    struct part p;
    int r = 0;
    if (have) {
        part_of(&p, iov, niov, 0, have);
        r = blk_node_preadv(b, off, p.v, p.n, 0);
        part_end(&p);
    }
    if (!r && have < bytes) {
        part_of(&p, iov, niov, have, bytes - have);
        fill_zero(p.v, p.n);
        part_end(&p);
    }
    return r;
}

/* What is there now; the caller is in a range that covers it. Without the lock. */
static int read_range(struct qcow2 *q, uint64_t off, const struct iovec *iov, int niov, size_t bytes)
{
    int r = 0;
    for (size_t done = 0; !r && done < bytes;) {
        struct qc_map m;
        pthread_mutex_lock(&q->lock);
        r = qc_map(q, off + done, bytes - done, &m);
        pthread_mutex_unlock(&q->lock);
        if (r) break;
        struct part p;
        part_of(&p, iov, niov, done, (size_t)m.bytes);
        switch (m.type) {
        case QC_T_NONE: r = read_backing(q, off + done, p.v, p.n, (size_t)m.bytes); break;
        case QC_T_ZERO: fill_zero(p.v, p.n); break;
        case QC_T_DATA: r = blk_node_preadv(q->data, m.host, p.v, p.n, 0); break;
        case QC_T_COMP: r = qc_read_compressed(q, m.entry, (off + done) & (q->cs - 1), p.v, p.n, (size_t)m.bytes); break;
        }
        part_end(&p);
        done += (size_t)m.bytes;
    }
    return r;
}

int qc_preadv(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    struct qcow2 *q = n->s;
    struct qc_range rg;
    size_t bytes = blk_iov_bytes(iov, niov);
    uint64_t size = blk_node_size(n);
    size_t have = off < size ? (size_t)MIN((uint64_t)bytes, size - off) : 0;
    pthread_mutex_lock(&q->lock);
    qc_range_enter(q, &rg, off, bytes, false);
    pthread_mutex_unlock(&q->lock);
    int r = read_range(q, off, iov, niov, have);
    pthread_mutex_lock(&q->lock);
    qc_range_leave(q, &rg);
    pthread_mutex_unlock(&q->lock);
    struct part p;
    if (!r && have < bytes) { /* as a backing file that is shorter */
        part_of(&p, iov, niov, have, bytes - have);
        fill_zero(p.v, p.n);
        part_end(&p);
    }
    return r;
}

/* --- allocating writes --------------------------------------------------------------------------------------------------------------- */

/* One allocating write: whole clusters [first, first + n) of one L2 slice. */
struct cow {
    uint64_t off, bytes;      /* of the guest's data */
    uint64_t start, end;      /* with what is copied around it */
    uint64_t host;            /* of the first cluster */
    uint64_t n;               /* clusters */
    bool reuse, fresh, ours;  /* in place; not in the file before; allocated here */
};

/* Whether an entry's host cluster can be written in place (its data is not wanted by anybody else). */
static bool own_host(const struct qcow2 *q, uint64_t entry)
{
    if (entry & QC_COMPRESSED) return false;
    if (q->has_data) return entry & QC_COPIED;
    return (entry & QC_COPIED) && (entry & QC_OFFSET);
}

/* Where subclusters that are not touched keep their state: nothing has to be copied for them. */
static bool keeps_rest(const struct qcow2 *q, uint64_t entry, bool reuse)
{
    return q->ext_l2 && !(entry & QC_COMPRESSED) && (reuse || !(entry & QC_OFFSET));
}

/* Head and tail: up to the cluster's ends, or only the subclusters' where those are not data yet. */
static void extent_of(struct qcow2 *q, struct cow *w, uint64_t first, uint64_t fbm, uint64_t last, uint64_t lbm)
{
    uint64_t mask = keeps_rest(q, first, w->reuse) ? q->sub_size - 1 : q->cs - 1;
    uint64_t end = w->off + w->bytes;
    w->start = w->off & ~mask;
    if (w->reuse && q->ext_l2 && (fbm >> ((w->off & (q->cs - 1)) / q->sub_size) & 1)) w->start = w->off;
    mask = keeps_rest(q, last, w->reuse) ? q->sub_size - 1 : q->cs - 1;
    w->end = (end + mask) & ~mask;
    if (w->reuse && q->ext_l2 && (lbm >> (((end - 1) & (q->cs - 1)) / q->sub_size) & 1)) w->end = end;
}

/* Decides on a run of clusters from off on, and allocates. With the lock. */
static int plan(struct qcow2 *q, uint64_t off, uint64_t bytes, struct cow *w)
{
    uint8_t *s;
    uint32_t index, count, n = 0;
    uint64_t entry, bm, first = 0, fbm = 0, last = 0, lbm = 0, c, got;
    int r = qc_entry(q, off, true, &s, &index, &count);
    if (r) return r;
    uint64_t in = off & (q->cs - 1), want = MIN((uint64_t)count, (in + bytes + q->cs - 1) >> q->cluster_bits);
    want = MIN(want, MAX((uint64_t)MAX_STEP >> q->cluster_bits, 1u));
    for (; n < want; n++) {
        qc_entry_get(q, s, index + n, &entry, &bm);
        struct qc_map m;
        if ((r = qc_map(q, ALIGN_DOWN(off, q->cs) + ((uint64_t)n << q->cluster_bits), q->cs, &m))) return r; /* validates */
        bool reuse = own_host(q, entry);
        if (!n)
            *w = (struct cow){ .off = off, .reuse = reuse, .host = entry & QC_OFFSET }, first = entry, fbm = bm;
        else if (reuse != w->reuse || (reuse && (entry & QC_OFFSET) != w->host + ((uint64_t)n << q->cluster_bits)))
            break;
        last = entry, lbm = bm;
    }
    w->n = n;
    if (!w->reuse && q->has_data) {
        w->host = ALIGN_DOWN(off, q->cs);
    } else if (!w->reuse) {
        if ((r = qc_alloc(q, n, &c, &got))) return r;
        w->ours = true;
        w->n = got;
        w->host = c << q->cluster_bits;
        w->fresh = w->host >= blk_node_size(q->file);
        if (got < n) { /* fewer: the last one is another */
            if ((r = qc_entry(q, off, true, &s, &index, &count))) {
                qc_ref_down(q, c, got);
                return r;
            }
            qc_entry_get(q, s, index + (uint32_t)got - 1, &last, &lbm);
        }
    }
    w->bytes = MIN(bytes, (w->n << q->cluster_bits) - in);
    extent_of(q, w, first, fbm, last, lbm);
    return 0;
}

/* Whether a guest range reads as zeros, as far as metadata can tell. */
static bool reads_zero(struct qcow2 *q, uint64_t off, uint64_t bytes)
{
    struct blk_node *b = q->node->backing;
    while (bytes) {
        struct qc_map m;
        pthread_mutex_lock(&q->lock);
        int r = qc_map(q, off, bytes, &m);
        pthread_mutex_unlock(&q->lock);
        if (r || m.type == QC_T_DATA || m.type == QC_T_COMP) return false;
        if (m.type == QC_T_NONE && b && off < blk_node_size(b)) return false;
        off += m.bytes;
        bytes -= m.bytes;
    }
    return true;
}

static int write_host(struct qcow2 *q, const struct cow *w, uint64_t guest, const struct iovec *iov, int niov)
{
    return blk_node_pwritev(q->data, w->host + (guest - ALIGN_DOWN(w->off, q->cs)), iov, niov, 0);
}

/* The data with its surroundings, in one write where it can be. */
static int move_data(struct qcow2 *q, const struct cow *w, const struct iovec *iov, int niov)
{
    size_t head = (size_t)(w->off - w->start), tail = (size_t)(w->end - w->off - w->bytes);
    uint64_t after = w->off + w->bytes, hend = w->host + (w->end - ALIGN_DOWN(w->off, q->cs));
    if (w->fresh && head && reads_zero(q, w->start, head)) head = 0;
    bool tail_hole = w->fresh && tail && reads_zero(q, after, tail);
    if (tail_hole) tail = 0;
    int r = 0;
    uint8_t *buf = NULL;
    if (!head && !tail) {
        r = write_host(q, w, w->off, iov, niov);
    } else {
        if (posix_memalign((void **)&buf, 4096, ALIGN_UP(head + tail, 4096u))) return -ENOMEM;
        struct iovec h = { buf, head }, t = { buf + head, tail };
        if (head) r = read_range(q, w->start, &h, 1, head);
        if (!r && tail) r = read_range(q, after, &t, 1, tail);
        struct iovec *all = xalloc(((size_t)niov + 2) * sizeof *all);
        int n = 0;
        if (head) all[n++] = h;
        for (int i = 0; i < niov; i++) all[n++] = iov[i];
        if (tail) all[n++] = t;
        if (!r) r = write_host(q, w, w->off - head, all, n);
        free(all);
        free(buf);
    }
    if (!r && tail_hole && hend > blk_node_size(q->data)) r = blk_node_zero(q->data, hend - 1, 1, BLK_MAY_UNMAP); /* the file covers it */
    return r;
}

/* The entries, in memory. With the lock. */
static int link_clusters(struct qcow2 *q, const struct cow *w)
{
    uint8_t *s;
    uint32_t index, count;
    uint64_t base = ALIGN_DOWN(w->off, q->cs), entry, bm;
    int r = qc_entry(q, base, true, &s, &index, &count);
    if (r) return r;
    for (uint32_t k = 0; k < w->n; k++) {
        uint64_t at = base + ((uint64_t)k << q->cluster_bits), lo = MAX(w->start, at), hi = MIN(w->end, at + q->cs);
        qc_entry_get(q, s, index + k, &entry, &bm);
        if (q->ext_l2) {
            uint64_t a = (lo - at) / q->sub_size, b = (hi - at + q->sub_size - 1) / q->sub_size;
            uint64_t bits = bits_mask((unsigned)b) & ~bits_mask((unsigned)a);
            bool keep = keeps_rest(q, entry, w->reuse);
            bm = keep ? (bm & ~(bits << 32)) | bits : bits;
        }
        if (!w->reuse) qc_free_entry(q, entry);
        qc_entry_set(q, at, s, index + k, (w->host + ((uint64_t)k << q->cluster_bits)) | QC_COPIED, bm);
    }
    q->need_sync = true;
    return 0;
}

/* Writes up to `bytes` from off on; *done of it. The caller is alone in the range. */
static int alloc_write(struct qcow2 *q, uint64_t off, uint64_t bytes, const struct iovec *iov, int niov, size_t skip, uint64_t *done)
{
    struct cow w;
    struct part p;
    pthread_mutex_lock(&q->lock);
    int r = q->corrupt ? -EIO : plan(q, off, bytes, &w);
    pthread_mutex_unlock(&q->lock);
    if (r) return r;
    part_of(&p, iov, niov, skip, (size_t)w.bytes);
    r = move_data(q, &w, p.v, p.n);
    part_end(&p);
    pthread_mutex_lock(&q->lock);
    if (!r) r = q->corrupt ? -EIO : link_clusters(q, &w);
    if (r && w.ours) qc_ref_down(q, w.host >> q->cluster_bits, w.n);
    pthread_mutex_unlock(&q->lock);
    *done = w.bytes;
    return r;
}

/* In place, as far as that goes: *done. */
static int overwrite(struct qcow2 *q, uint64_t off, const struct iovec *iov, int niov, size_t bytes, size_t *done)
{
    int r = 0;
    while (!r && *done < bytes) {
        struct qc_map m;
        pthread_mutex_lock(&q->lock);
        r = q->corrupt ? -EIO : qc_map(q, off + *done, bytes - *done, &m);
        pthread_mutex_unlock(&q->lock);
        if (r || m.type != QC_T_DATA || !m.copied) break;
        struct part p;
        part_of(&p, iov, niov, *done, (size_t)m.bytes);
        r = blk_node_pwritev(q->data, m.host, p.v, p.n, 0);
        part_end(&p);
        if (!r) *done += (size_t)m.bytes;
    }
    return r;
}

static int compressed_write(struct qcow2 *q, uint64_t off, const struct iovec *iov, int niov, size_t bytes)
{
    uint8_t *in = xalloc((size_t)q->cs), *out = xalloc((size_t)q->cs);
    int r = 0;
    for (size_t at = 0; !r && at < bytes; at += (size_t)q->cs) {
        size_t n = MIN(bytes - at, (size_t)q->cs), len = 0, pos = 0;
        struct part p;
        struct qc_range rg;
        part_of(&p, iov, niov, at, n);
        for (int i = 0; i < p.n; pos += p.v[i++].iov_len) memcpy(in + pos, p.v[i].iov_base, p.v[i].iov_len);
        part_end(&p);
        memset(in + n, 0, (size_t)q->cs - n);
        r = qc_compress(q, in, out, &len);
        if (r) break;
        struct iovec whole = { in, n };
        uint64_t done = 0;
        pthread_mutex_lock(&q->lock);
        qc_range_enter(q, &rg, off + at, n, true);
        pthread_mutex_unlock(&q->lock);
        if (len)
            r = qc_write_compressed(q, off + at, out, len);
        else
            r = alloc_write(q, off + at, n, &whole, 1, 0, &done);
        pthread_mutex_lock(&q->lock);
        qc_range_leave(q, &rg);
        pthread_mutex_unlock(&q->lock);
    }
    free(in);
    free(out);
    return r;
}

static int write_range(struct qcow2 *q, uint64_t off, const struct iovec *iov, int niov, size_t bytes)
{
    struct qc_range rg;
    size_t done = 0;
    pthread_mutex_lock(&q->lock);
    qc_range_enter(q, &rg, off, bytes, false);
    pthread_mutex_unlock(&q->lock);
    int r = overwrite(q, off, iov, niov, bytes, &done);
    pthread_mutex_lock(&q->lock);
    qc_range_leave(q, &rg);
    if (!r && done < bytes) {
        qc_range_enter(q, &rg, off + done, bytes - done, true);
        pthread_mutex_unlock(&q->lock);
        while (!r && done < bytes) {
            uint64_t n = 0;
            r = overwrite(q, off, iov, niov, bytes, &done); /* another may have allocated meanwhile */
            if (!r && done < bytes) r = alloc_write(q, off + done, bytes - done, iov, niov, done, &n);
            done += (size_t)n;
        }
        pthread_mutex_lock(&q->lock);
        qc_range_leave(q, &rg);
    }
    pthread_mutex_unlock(&q->lock);
    return r;
}

int qc_pwritev(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    struct qcow2 *q = n->s;
    size_t bytes = blk_iov_bytes(iov, niov);
    if (!(flags & BLK_COMPRESS)) return write_range(q, off, iov, niov, bytes);
    if (q->has_data) return -ENOTSUP;
    if ((off & (q->cs - 1)) || ((bytes & (q->cs - 1)) && off + bytes != blk_node_size(n))) return -EINVAL;
    return compressed_write(q, off, iov, niov, bytes);
}

/* --- zeroes and discards ---------------------------------------------------------------------------------------------------------------- */

/* Zeros as data, for parts of clusters; the caller is alone there. */
static int zero_data(struct qcow2 *q, uint64_t off, uint64_t bytes)
{
    size_t len = (size_t)MIN(bytes, 1u << 20);
    void *z;
    int r = 0;
    if (!bytes || reads_zero(q, off, bytes)) return 0;
    if (posix_memalign(&z, 4096, ALIGN_UP(len, 4096u))) return -ENOMEM;
    memset(z, 0, len);
    while (!r && bytes) {
        struct iovec v = { z, (size_t)MIN((uint64_t)len, bytes) };
        size_t done = 0;
        uint64_t n = 0;
        r = overwrite(q, off, &v, 1, v.iov_len, &done);
        if (!r && !done) r = alloc_write(q, off, v.iov_len, &v, 1, 0, &n);
        off += done + n;
        bytes -= done + n;
    }
    free(z);
    return r;
}

/* One cluster that is to read as zeros. -ENOTSUP: only data can do that. With the lock. */
static int zero_entry(struct qcow2 *q, uint64_t off, uint8_t *s, uint32_t i, bool unmap)
{
    uint64_t entry, bm, all = q->ext_l2 ? QC_SUB_ZERO : 0, z = q->ext_l2 ? 0 : QC_ZERO;
    struct blk_node *b = q->node->backing;
    bool shows = (b && off < blk_node_size(b)) || (q->node->flags & BLK_NO_BACKING); /* the backing file, if unmapped */
    qc_entry_get(q, s, i, &entry, &bm);
    bool none = !(entry & (QC_OFFSET | QC_COMPRESSED)) && !(entry & QC_ZERO) && !(entry & QC_COPIED) && !bm;
    if (none && !shows) return 0;
    if (!q->v3) {
        if (shows || !unmap) return -ENOTSUP;
        z = 0;
    } else if (!shows && unmap) {
        z = 0, all = 0;
    }
    if (own_host(q, entry) && (!unmap || q->has_data)) {
        if (!q->v3) return -ENOTSUP;
        if (!q->ext_l2) z = QC_ZERO;
        if (q->ext_l2) all = QC_SUB_ZERO;
        qc_entry_set(q, off, s, i, (entry & QC_OFFSET) | QC_COPIED | z, all);
        return 0;
    }
    qc_free_entry(q, entry);
    qc_entry_set(q, off, s, i, z, all);
    return 0;
}

/* Whole clusters; how far it came: *done. */
static int zero_clusters(struct qcow2 *q, uint64_t off, uint64_t bytes, bool unmap, uint64_t *done)
{
    uint8_t *s;
    uint32_t index, count;
    uint64_t entry, bm;
    pthread_mutex_lock(&q->lock);
    int r = q->corrupt ? -EIO : qc_entry(q, off, false, &s, &index, &count);
    struct blk_node *b = q->node->backing;
    bool deep = (b && off < blk_node_size(b)) || (q->node->flags & BLK_NO_BACKING);
    if (!r && !s && !deep) {
        *done = MIN(bytes, (uint64_t)count << q->cluster_bits);
    } else if (!r) {
        r = q->v3 || s ? qc_entry(q, off, true, &s, &index, &count) : -ENOTSUP;
        for (uint32_t k = 0; !r && k < count && *done < bytes; k++) {
            struct qc_map m;
            qc_entry_get(q, s, index + k, &entry, &bm);
            r = qc_map(q, off + *done, q->cs, &m);
            if (!r) r = zero_entry(q, off + *done, s, index + k, unmap);
            if (!r) *done += q->cs;
        }
    }
    pthread_mutex_unlock(&q->lock);
    return r;
}

/* Subclusters of one cluster (extended L2): true if it was done. */
static bool zero_subclusters(struct qcow2 *q, uint64_t off, uint64_t bytes)
{
    uint8_t *s;
    uint32_t index, count;
    uint64_t entry, bm;
    if (!q->ext_l2 || off % q->sub_size || bytes % q->sub_size) return false;
    pthread_mutex_lock(&q->lock);
    bool ok = !q->corrupt && !qc_entry(q, off, true, &s, &index, &count);
    if (ok) {
        qc_entry_get(q, s, index, &entry, &bm);
        unsigned a = (unsigned)((off & (q->cs - 1)) / q->sub_size), n = (unsigned)(bytes / q->sub_size);
        uint64_t bits = bits_mask(n) << a;
        /* those of a snapshot's cluster may change too: the entry is ours, the data is not touched */
        ok = !(entry & QC_COMPRESSED) && !q->data_raw;
        if (ok) qc_entry_set(q, off, s, index, entry, (bm & ~bits) | bits << 32);
    }
    pthread_mutex_unlock(&q->lock);
    return ok;
}

static int zero_range(struct qcow2 *q, uint64_t off, uint64_t bytes, bool unmap)
{
    uint64_t size = blk_node_size(q->node), end = off + bytes;
    int r = 0;
    if (end == size) end = ALIGN_UP(end, q->cs); /* nobody sees the rest of the last cluster */
    while (!r && off < end) {
        uint64_t in = off & (q->cs - 1), n = MIN(end - off, q->cs - in), done = 0;
        if (q->data_raw || n < q->cs) {
            if (q->data_raw) n = MIN(end, MAX(size, off)) - off;
            if (!n) break;
            if (n >= q->cs || !zero_subclusters(q, off, n)) r = zero_data(q, off, n);
            done = n;
        } else {
            r = zero_clusters(q, off, ALIGN_DOWN(end - off, q->cs), unmap, &done);
            if (r == -ENOTSUP) {
                r = zero_data(q, off + done, q->cs);
                done += q->cs;
            }
        }
        off += done;
    }
    return r;
}

int qc_zero(struct blk_node *n, uint64_t off, uint64_t bytes, unsigned flags)
{
    struct qcow2 *q = n->s;
    struct qc_range rg;
    pthread_mutex_lock(&q->lock);
    qc_range_enter(q, &rg, off, bytes, true);
    pthread_mutex_unlock(&q->lock);
    int r = zero_range(q, off, bytes, flags & BLK_MAY_UNMAP);
    pthread_mutex_lock(&q->lock);
    qc_range_leave(q, &rg);
    pthread_mutex_unlock(&q->lock);
    return r;
}

int qc_discard(struct blk_node *n, uint64_t off, uint64_t bytes)
{
    struct qcow2 *q = n->s;
    struct qc_range rg;
    uint64_t end = off + bytes == blk_node_size(n) ? ALIGN_UP(off + bytes, q->cs) : ALIGN_DOWN(off + bytes, q->cs);
    int r = 0;
    off = ALIGN_UP(off, q->cs);
    if (off >= end) return 0;
    pthread_mutex_lock(&q->lock);
    qc_range_enter(q, &rg, off, end - off, true);
    pthread_mutex_unlock(&q->lock);
    while (!r && off < end && !q->data_raw) {
        uint64_t done = 0;
        r = zero_clusters(q, off, end - off, true, &done);
        if (r == -ENOTSUP) done += q->cs, r = 0; /* version 2 with a backing file: it stays as it is */
        off += done;
    }
    pthread_mutex_lock(&q->lock);
    qc_range_leave(q, &rg);
    pthread_mutex_unlock(&q->lock);
    return r;
}

int qc_drop_from(struct qcow2 *q, uint64_t off, uint64_t end)
{
    int r = 0;
    while (!r && off < end) {
        uint8_t *s;
        uint32_t index, count;
        uint64_t entry, bm;
        r = qc_entry(q, off, false, &s, &index, &count);
        if (!r && s) r = qc_entry(q, off, true, &s, &index, &count);
        for (uint32_t k = 0; !r && s && k < count && off + ((uint64_t)k << q->cluster_bits) < end; k++) {
            qc_entry_get(q, s, index + k, &entry, &bm);
            if (!entry && !bm) continue;
            qc_free_entry(q, entry);
            qc_entry_set(q, off + ((uint64_t)k << q->cluster_bits), s, index + k, 0, 0);
        }
        off = ALIGN_DOWN(off, q->cs) + ((uint64_t)count << q->cluster_bits);
    }
    return r;
}

int qc_preallocate(struct qcow2 *q, uint64_t off, uint64_t bytes)
{
    int r = 0;
    for (uint64_t done = 0; !r && done < bytes;) {
        struct qc_map m;
        struct cow w;
        pthread_mutex_lock(&q->lock);
        r = qc_map(q, off + done, bytes - done, &m);
        if (!r && m.type != QC_T_NONE) {
            done += m.bytes;
        } else if (!r) {
            r = plan(q, ALIGN_DOWN(off + done, q->cs), m.bytes, &w);
            if (!r && w.fresh) { /* the file is made long enough: a hole */
                uint64_t end = w.host + (w.n << q->cluster_bits);
                if (end > blk_node_size(q->file)) r = blk_node_zero(q->file, end - 1, 1, BLK_MAY_UNMAP);
            } else if (!r && !q->has_data) {
                r = blk_node_zero(q->file, w.host, w.n << q->cluster_bits, BLK_MAY_UNMAP);
            }
            w.start = ALIGN_DOWN(w.off, q->cs), w.end = w.start + (w.n << q->cluster_bits);
            if (!r) r = link_clusters(q, &w);
            done += w.n << q->cluster_bits;
        }
        pthread_mutex_unlock(&q->lock);
    }
    return r;
}

/* --- the rest ------------------------------------------------------------------------------------------------------------------------------ */

int qc_node_flush(struct blk_node *n)
{
    struct qcow2 *q = n->s;
    pthread_mutex_lock(&q->lock);
    int r = qc_flush(q);
    pthread_mutex_unlock(&q->lock);
    return r;
}

int qc_status(struct blk_node *n, uint64_t off, uint64_t bytes, struct blk_range *r)
{
    struct qcow2 *q = n->s;
    struct qc_map m;
    pthread_mutex_lock(&q->lock);
    int ret = qc_map(q, off, bytes, &m);
    pthread_mutex_unlock(&q->lock);
    if (ret) return ret;
    *r = (struct blk_range){ .bytes = m.bytes };
    switch (m.type) {
    case QC_T_NONE:
        if (n->backing && off < blk_node_size(n->backing)) r->bytes = MIN(r->bytes, blk_node_size(n->backing) - off);
        r->st = n->backing ? (off < blk_node_size(n->backing) ? 0 : BLK_ST_ZERO) : n->flags & BLK_NO_BACKING && n->backing_name ? 0 : BLK_ST_ZERO;
        break;
    case QC_T_ZERO: r->st = BLK_ST_ZERO | BLK_ST_ALLOCATED; break;
    case QC_T_COMP: r->st = BLK_ST_DATA | BLK_ST_ALLOCATED | BLK_ST_COMPRESSED; break;
    case QC_T_DATA:
        r->st = BLK_ST_DATA | BLK_ST_ALLOCATED | BLK_ST_OFFSET;
        r->host = m.host;
        r->file = q->data;
        break;
    }
    return 0;
}

int qc_enter(struct blk_node *n, bool write, uint64_t off, uint64_t bytes, struct blk_hop *h)
{
    struct qcow2 *q = n->s;
    struct qc_map m;
    int ok = 0;
    if (pthread_mutex_trylock(&q->lock)) return 0;
    struct qc_range *rg = !(write && q->corrupt) ? xalloc(sizeof *rg) : NULL;
    if (rg && qc_range_try(q, rg, off, bytes)) {
        ok = !qc_map_cached(q, off, bytes, &m) && m.type == QC_T_DATA && m.bytes == bytes && (!write || m.copied);
        if (!ok) qc_range_leave(q, rg);
    }
    pthread_mutex_unlock(&q->lock);
    if (ok)
        *h = (struct blk_hop){ .node = q->data, .offset = m.host, .token = rg };
    else
        free(rg);
    return ok;
}

void qc_leave(struct blk_node *n, void *token)
{
    struct qcow2 *q = n->s;
    pthread_mutex_lock(&q->lock);
    qc_range_leave(q, token);
    pthread_mutex_unlock(&q->lock);
    free(token);
}

/* Behind the disk: from the first L1 entry on that has none of it. */
int qc_vmstate(struct blk_node *n, bool write, uint64_t off, void *buf, size_t bytes)
{
    struct qcow2 *q = n->s;
    struct iovec v = { buf, bytes };
    uint64_t span = qc_l1_span(q), base = (blk_node_size(n) + span - 1) / span * span;
    int r = 0;
    if (off > QC_MAX_L1 * (span / 16) || bytes > BLK_MAX_REQUEST) return -EFBIG;
    if (!write) return read_range(q, base + off, &v, 1, bytes);
    if (!(n->flags & BLK_RDWR)) return -EROFS;
    pthread_mutex_lock(&q->lock);
    r = qc_grow_l1(q, (base + off + bytes + span - 1) / span);
    pthread_mutex_unlock(&q->lock);
    return r ? r : write_range(q, base + off, &v, 1, bytes);
}
