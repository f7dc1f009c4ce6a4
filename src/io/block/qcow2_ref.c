/* qcow2_ref.c: reference counts of host clusters; who gets which cluster. */
#include <stdlib.h>
#include "io/block/qcow2.h"

enum { MAX_SCAN = 1 << 30 }; /* clusters, of one search for a free one */

uint64_t qc_ref_max(const struct qcow2 *q)
{
    return bits_mask(1u << q->refcount_order);
}

uint64_t qc_rb_get(const struct qcow2 *q, const uint8_t *s, uint64_t i)
{
    uint16_t v16;
    uint32_t v32;
    switch (q->refcount_order) {
    case 0: return (s[i / 8] >> (i % 8)) & 1;
    case 1: return (s[i / 4] >> (i % 4 * 2)) & 3;
    case 2: return (s[i / 2] >> (i % 2 * 4)) & 15;
    case 3: return s[i];
    case 4: memcpy(&v16, s + i * 2, 2); return be16toh(v16);
    case 5: memcpy(&v32, s + i * 4, 4); return be32toh(v32);
    default: return qc_be64(s + i * 8);
    }
}

void qc_rb_put(const struct qcow2 *q, uint8_t *s, uint64_t i, uint64_t v)
{
    uint16_t v16 = htobe16((uint16_t)v);
    uint32_t v32 = htobe32((uint32_t)v);
    unsigned bits = 1u << q->refcount_order, per = 8 / bits, sh;
    switch (q->refcount_order) {
    case 0: case 1: case 2:
        sh = (unsigned)(i % per) * bits;
        s[i / per] = (uint8_t)((s[i / per] & ~(bits_mask(bits) << sh)) | (v << sh));
        break;
    case 3: s[i] = (uint8_t)v; break;
    case 4: memcpy(s + i * 2, &v16, 2); break;
    case 5: memcpy(s + i * 4, &v32, 4); break;
    default: qc_put64(s + i * 8, v);
    }
}

/* --- refcount table -------------------------------------------------------------------------------------------------------------- */

static void reft_set(struct qcow2 *q, uint64_t i, uint64_t off)
{
    q->reft[i] = off;
    q->reft_lo = MIN(q->reft_lo, (uint32_t)i);
    q->reft_hi = MAX(q->reft_hi, (uint32_t)i + 1);
}

static int write_zeros(struct qcow2 *q, uint64_t off, uint64_t bytes)
{
    uint8_t *z = xalloc((size_t)MIN(bytes, 1u << 20));
    int r = 0;
    for (uint64_t at = 0; !r && at < bytes; at += 1u << 20) r = blk_node_pwrite(q->file, off + at, z, (size_t)MIN(bytes - at, 1u << 20));
    free(z);
    return r;
}

/* A block for clusters that have none yet: its first cluster holds it (all of them are free). */
static int new_block(struct qcow2 *q, uint64_t i)
{
    uint64_t off = i * q->rb_entries << q->cluster_bits;
    uint8_t *s;
    if (off >> 56) return -EFBIG;
    qc_cache_drop(&q->rb, off, q->cs);
    int r = write_zeros(q, off, q->cs);
    if (!r) r = qc_cache_get(q, &q->rb, off, &s);
    if (r) return r;
    qc_rb_put(q, s, 0, 1);
    qc_cache_dirty(&q->rb, off);
    q->need_sync = true;
    reft_set(q, i, off);
    return 0;
}

/*
 * A longer table, at the start of what the old one does not cover, behind the blocks for that. The header changes when all of it
 * is durable; the old table is freed by the next flush.
 */
static int grow_table(struct qcow2 *q, uint64_t need)
{
    uint64_t per = q->cs / 8, first = (uint64_t)q->reft_size * q->rb_entries, blocks = 1, table;
    uint64_t entries = MAX(need, (uint64_t)q->reft_size + q->reft_size / 2);
    if (need > QC_MAX_REFT / 8) return -EFBIG;
    do {
        table = (entries + blocks + per - 1) / per;
        if (table * q->cs > QC_MAX_REFT) table = (need + blocks + per - 1) / per;
    } while (blocks * q->rb_entries < blocks + table && ++blocks);
    if (table * q->cs > QC_MAX_REFT || (first + blocks + table) << q->cluster_bits >> 56) return -EFBIG;
    uint64_t at = first << q->cluster_bits, *t = xalloc((size_t)(table * q->cs));
    memcpy(t, q->reft, (size_t)q->reft_size * 8);
    uint8_t *b = xalloc((size_t)(q->cs * (blocks + table)));
    for (uint64_t i = 0; i < blocks; i++) t[q->reft_size + i] = at + (i << q->cluster_bits);
    for (uint64_t i = 0; i < blocks + table; i++) qc_rb_put(q, b + (i / q->rb_entries << q->cluster_bits), i % q->rb_entries, 1);
    for (uint64_t i = 0; i < table * per; i++) qc_put64(b + (blocks << q->cluster_bits) + i * 8, t[i]);
    int r = qc_cache_write(q, &q->rb); /* the new table may point to blocks that are not in the file yet */
    qc_cache_drop(&q->rb, at, (blocks + table) << q->cluster_bits);
    if (!r) r = blk_node_pwrite(q->file, at, b, (size_t)((blocks + table) << q->cluster_bits));
    free(b);
    if (!r) r = qc_sync(q);
    struct qcow2 old = *q;
    if (!r) {
        q->reft = t;
        q->reft_off = at + (blocks << q->cluster_bits);
        q->reft_clusters = (uint32_t)table;
        q->reft_size = (uint32_t)(table * per);
        q->reft_lo = UINT32_MAX, q->reft_hi = 0;
        r = qc_header_update(q);
        if (!r) r = qc_sync(q);
        if (r) { /* which one the file has is not known: neither may be used for anything else, and no more is written */
            q->corrupt = true;
            q->reft = old.reft, q->reft_off = old.reft_off, q->reft_clusters = old.reft_clusters, q->reft_size = old.reft_size;
            q->reft_lo = old.reft_lo, q->reft_hi = old.reft_hi;
        }
    }
    if (r) {
        free(t);
        return r;
    }
    qc_free_later(q, old.reft_off >> q->cluster_bits, old.reft_clusters);
    free(old.reft);
    return 0;
}

/* The slice that a cluster's count is in; *s NULL: there is none (0) and none is wanted. */
static int locate(struct qcow2 *q, uint64_t cluster, bool make, uint8_t **s, uint64_t *i, uint64_t *at)
{
    uint64_t ti = cluster / q->rb_entries, bi = cluster % q->rb_entries;
    int r;
    *s = NULL;
    if (ti >= q->reft_size) {
        if (!make) return 0;
        if ((r = grow_table(q, ti + 1))) return r;
    }
    if (!q->reft[ti]) {
        if (!make) return 0;
        if ((r = new_block(q, ti))) return r;
    }
    uint64_t off = q->reft[ti], per = (uint64_t)q->rb.slice * 8 >> q->refcount_order;
    if (off & (q->cs - 1) || off >> 56) return qc_corrupt(q, "refcount block at", off);
    *at = off + bi / per * q->rb.slice;
    *i = bi % per;
    return qc_cache_get(q, &q->rb, *at, s);
}

int qc_ref_get(struct qcow2 *q, uint64_t cluster, uint64_t *count)
{
    uint8_t *s;
    uint64_t i, at;
    int r = locate(q, cluster, false, &s, &i, &at);
    *count = !r && s ? qc_rb_get(q, s, i) : 0;
    return r;
}

/* Lazy refcounts: before the first one that is not written at once. */
static int mark_dirty(struct qcow2 *q)
{
    if (!q->lazy || q->dirty) return 0;
    q->incompat |= QC_DIRTY;
    int r = qc_header_update(q);
    if (!r) r = qc_sync(q);
    if (!r)
        q->dirty = true;
    else
        q->incompat &= ~(uint64_t)QC_DIRTY;
    return r;
}

int qc_ref_set(struct qcow2 *q, uint64_t cluster, uint64_t count)
{
    uint8_t *s;
    uint64_t i, at;
    int r = mark_dirty(q);
    if (!r) r = locate(q, cluster, true, &s, &i, &at);
    if (r) return r;
    qc_rb_put(q, s, i, count);
    qc_cache_dirty(&q->rb, at);
    if (!count) q->hint = MIN(q->hint, cluster);
    return 0;
}

int qc_ref_up(struct qcow2 *q, uint64_t cluster, uint64_t n)
{
    for (uint64_t k = 0; k < n; k++) {
        uint64_t v;
        int r = qc_ref_get(q, cluster + k, &v);
        if (!r && v == qc_ref_max(q)) r = -EMLINK;
        if (!r) r = qc_ref_set(q, cluster + k, v + 1);
        if (!r) continue;
        qc_ref_down(q, cluster, k);
        return r;
    }
    return 0;
}

/* Nobody points to it any more. */
static void released(struct qcow2 *q, uint64_t cluster)
{
    uint64_t off = cluster << q->cluster_bits;
    qc_cache_drop(&q->l2, off, q->cs);
    qc_cache_drop(&q->rb, off, q->cs);
    if (q->comp_next >> q->cluster_bits == cluster) q->comp_next = 0;
    __atomic_fetch_add(&q->comp_gen, 1, __ATOMIC_RELEASE);
    if (q->pass_discard) blk_node_discard(q->file, off, q->cs);
}

int qc_ref_down(struct qcow2 *q, uint64_t cluster, uint64_t n)
{
    for (uint64_t k = 0; k < n; k++) {
        uint64_t v;
        int r = qc_ref_get(q, cluster + k, &v);
        if (!r && !v) r = qc_corrupt(q, "a reference too many of cluster", cluster + k);
        if (!r) r = qc_ref_set(q, cluster + k, v - 1);
        if (r) return r;
        if (v == 1) released(q, cluster + k);
    }
    return 0;
}

/* --- what is freed after the next flush --------------------------------------------------------------------------------------------- */

void qc_free_later(struct qcow2 *q, uint64_t cluster, uint64_t n)
{
    struct qc_frees *f = &q->frees;
    struct qc_free *last = f->n ? &f->v[f->n - 1] : NULL;
    if (!n) return;
    if (last && last->cluster + last->n == cluster) {
        last->n += n;
        return;
    }
    f->v = vec_grow(f->v, &f->cap, f->n + 1, sizeof *f->v);
    f->v[f->n++] = (struct qc_free){ cluster, n };
}

int qc_apply_frees(struct qcow2 *q, struct qc_frees *f)
{
    int r = 0;
    struct qc_frees now = *f;
    *f = (struct qc_frees){ 0 };
    for (uint32_t i = 0; i < now.n; i++) {
        int k = qc_ref_down(q, now.v[i].cluster, now.v[i].n);
        if (!r) r = k; /* what could not be given back leaks */
    }
    free(now.v);
    return r;
}

void qc_comp_extent(const struct qcow2 *q, uint64_t entry, uint64_t *off, uint64_t *bytes)
{
    unsigned x = 62 - (q->cluster_bits - 8);
    uint64_t sectors = ((entry & bits_mask(62)) >> x) + 1;
    *off = entry & bits_mask(x);
    *bytes = sectors * 512 - (*off & 511);
}

void qc_free_entry(struct qcow2 *q, uint64_t entry)
{
    uint64_t off, bytes;
    if (q->has_data) return;
    if (entry & QC_COMPRESSED) {
        qc_comp_extent(q, entry, &off, &bytes);
        uint64_t first = off >> q->cluster_bits;
        qc_free_later(q, first, ((off + bytes - 1) >> q->cluster_bits) - first + 1);
    } else if (entry & QC_OFFSET) {
        qc_free_later(q, (entry & QC_OFFSET) >> q->cluster_bits, 1);
    }
}

/* --- allocation ------------------------------------------------------------------------------------------------------------------------ */

/* The first run of free clusters from `hint` on: at least `min`, at most n; the counts are still 0. */
static int find_run(struct qcow2 *q, uint64_t min, uint64_t n, uint64_t *first, uint64_t *got)
{
    uint64_t c = q->hint, run = 0, v;
    bool moved = false;
    for (;; c++) {
        uint64_t ti = c / q->rb_entries;
        if (c >> (56 - q->cluster_bits) || c - q->hint > MAX_SCAN) return -EFBIG;
        /* a block is made before what it counts is given out: it takes the first of its clusters */
        if (ti >= q->reft_size || !q->reft[ti]) {
            uint8_t *s;
            uint64_t i, at;
            int r = locate(q, c, true, &s, &i, &at);
            if (r) return r;
            if (ti >= q->reft_size) return -EFBIG;
        }
        int r = qc_ref_get(q, c, &v);
        if (r) return r;
        if (v) {
            if (run >= min && run) break;
            run = 0;
            continue;
        }
        if (!moved) q->hint = c, moved = true;
        if (!run) *first = c;
        if (++run == n) break;
    }
    *got = run;
    return 0;
}

static int take(struct qcow2 *q, uint64_t min, uint64_t n, uint64_t *first, uint64_t *got)
{
    int r = mark_dirty(q);
    if (q->corrupt && !q->in_check) return -EIO;
    if (q->frees.n > 65536) r = qc_flush(q);
    if (!r) r = find_run(q, min, n, first, got);
    if (!r) r = qc_ref_up(q, *first, *got);
    if (r) return r;
    if (q->hint == *first) q->hint = *first + *got;
    /* a free cluster that something points to: the image was damaged before */
    for (uint64_t i = 0; i < *got; i++) {
        uint64_t off = (*first + i) << q->cluster_bits;
        if (off < q->cs || (off >= q->l1_off && off < q->l1_off + (uint64_t)q->l1_size * 8) ||
            (off >= q->reft_off && off < q->reft_off + (uint64_t)q->reft_clusters * q->cs) ||
            (off >= q->snap_off && off < q->snap_off + q->snap_bytes))
            return qc_corrupt(q, "refcount 0 of metadata at", off);
    }
    return 0;
}

int qc_alloc(struct qcow2 *q, uint64_t n, uint64_t *first, uint64_t *got)
{
    return take(q, 1, n, first, got);
}

/* More than fits between two blocks that hold themselves: behind everything, with the blocks in front of it. */
static int take_big(struct qcow2 *q, uint64_t n, uint64_t *first)
{
    uint64_t ti = q->reft_size, k = 1;
    if (n > QC_MAX_L1) return -EFBIG;
    while (ti && !q->reft[ti - 1]) ti--;
    while (k * q->rb_entries < k + n) k++;
    int r = ti + k > q->reft_size ? grow_table(q, ti + k) : 0;
    if (r) return r;
    for (ti = q->reft_size; ti && !q->reft[ti - 1];) ti--; /* the new table may have brought blocks */
    if (ti + k > q->reft_size && (r = grow_table(q, ti + k))) return r;
    uint64_t at = ti * q->rb_entries;
    if ((at + k + n) >> (56 - q->cluster_bits)) return -EFBIG;
    qc_cache_drop(&q->rb, at << q->cluster_bits, k << q->cluster_bits);
    r = write_zeros(q, at << q->cluster_bits, k << q->cluster_bits);
    for (uint64_t i = 0; !r && i < k; i++) reft_set(q, ti + i, (at + i) << q->cluster_bits);
    for (uint64_t i = 0; !r && i < k + n; i++) r = qc_ref_set(q, at + i, 1);
    q->need_sync = true;
    *first = at + k;
    return r;
}

int qc_alloc_exact(struct qcow2 *q, uint64_t n, uint64_t *first)
{
    uint64_t got;
    if (n >= q->rb_entries / 2) {
        int r = mark_dirty(q);
        return r ? r : take_big(q, n, first);
    }
    return take(q, n, n, first, &got);
}
