/* qcow2_map.c: guest clusters to host clusters: L1 and L2 tables; who works on which guest clusters. */
#include <stdio.h>
#include <stdlib.h>
#include "io/block/qcow2.h"

/* From here on nothing is written; an image that is open for writing gets the corrupt bit. */
int qc_corrupt(struct qcow2 *q, const char *what, uint64_t where)
{
    if (q->in_check) return -EIO;
    if (!q->corrupt) {
        log_write("%s: image is damaged: %s %llx; no more writes\n", q->node->filename ? q->node->filename : q->node->name, what,
                  (unsigned long long)where);
        q->corrupt = true;
        if ((q->node->flags & BLK_RDWR) && q->v3) {
            q->incompat |= QC_CORRUPT;
            qc_header_update(q);
        }
    }
    return -EIO;
}

/* --- ranges ------------------------------------------------------------------------------------------------------------------------ */

static bool must_wait(const struct qcow2 *q, const struct qc_range *r)
{
    for (const struct qc_range *o = q->ranges; o && o != r; o = o->next)
        if (o->start < r->end && r->start < o->end && (o->alone || r->alone)) return true;
    return false;
}

static void append(struct qcow2 *q, struct qc_range *r, uint64_t off, uint64_t bytes, bool alone)
{
    struct qc_range **p = &q->ranges;
    *r = (struct qc_range){ .start = ALIGN_DOWN(off, q->cs), .end = ALIGN_UP(off + bytes, q->cs), .alone = alone };
    while (*p) p = &(*p)->next;
    *p = r;
}

void qc_range_enter(struct qcow2 *q, struct qc_range *r, uint64_t off, uint64_t bytes, bool alone)
{
    append(q, r, off, bytes, alone);
    while (must_wait(q, r)) pthread_cond_wait(&q->cond, &q->lock);
}

bool qc_range_try(struct qcow2 *q, struct qc_range *r, uint64_t off, uint64_t bytes)
{
    append(q, r, off, bytes, false);
    if (!must_wait(q, r)) return true;
    qc_range_leave(q, r);
    return false;
}

void qc_range_leave(struct qcow2 *q, struct qc_range *r)
{
    struct qc_range **p = &q->ranges;
    while (*p != r) p = &(*p)->next;
    *p = r->next;
    if (q->ranges) pthread_cond_broadcast(&q->cond);
}

/* --- tables --------------------------------------------------------------------------------------------------------------------------- */

static int l1_offset(struct qcow2 *q, uint32_t i, uint64_t *off)
{
    uint64_t v = q->l1[i];
    *off = v & QC_OFFSET;
    if ((v & QC_L1_RSVD) || (*off & (q->cs - 1))) return qc_corrupt(q, "L1 entry", v);
    return 0;
}

static void l1_set(struct qcow2 *q, uint32_t i, uint64_t v)
{
    q->l1[i] = v;
    q->l1_lo = MIN(q->l1_lo, i);
    q->l1_hi = MAX(q->l1_hi, i + 1);
}

/* An empty table, or a copy of one that a snapshot has too. In the file at once; L1 points to it in memory. */
static int own_table(struct qcow2 *q, uint32_t i, uint64_t old)
{
    uint64_t c;
    uint8_t *s, *buf = xalloc((size_t)q->cs);
    int r = 0;
    for (uint64_t at = 0; old && !r && at < q->cs; at += q->l2.slice) {
        r = qc_cache_get(q, &q->l2, old + at, &s);
        if (!r) memcpy(buf + at, s, q->l2.slice);
    }
    if (!r) r = qc_alloc_exact(q, 1, &c);
    if (r) {
        free(buf);
        return r;
    }
    uint64_t off = c << q->cluster_bits;
    qc_cache_drop(&q->l2, off, q->cs);
    r = blk_node_pwrite(q->file, off, buf, (size_t)q->cs);
    free(buf);
    if (r) {
        qc_ref_down(q, c, 1);
        return r;
    }
    q->need_sync = true;
    l1_set(q, i, off | QC_COPIED);
    if (old) qc_free_later(q, old >> q->cluster_bits, 1);
    return 0;
}

int qc_entry(struct qcow2 *q, uint64_t off, bool alloc, uint8_t **slice, uint32_t *index, uint32_t *count)
{
    uint64_t i = off / qc_l1_span(q), table;
    uint32_t k = (uint32_t)(off >> q->cluster_bits) & (q->l2_entries - 1), per = q->l2.slice / q->esize;
    *slice = NULL;
    *index = k % per;
    *count = per - k % per;
    if (i >= q->l1_size) {
        if (!alloc) return 0;
        return -EIO;
    }
    int r = l1_offset(q, (uint32_t)i, &table);
    if (r) return r;
    if (!table && !alloc) {
        *count = q->l2_entries - k;
        return 0;
    }
    if (alloc && (!table || !(q->l1[i] & QC_COPIED))) {
        r = own_table(q, (uint32_t)i, table);
        if (!r) r = l1_offset(q, (uint32_t)i, &table);
        if (r) return r;
    }
    return qc_cache_get(q, &q->l2, table + (uint64_t)k * q->esize, slice);
}

void qc_entry_get(const struct qcow2 *q, const uint8_t *slice, uint32_t i, uint64_t *entry, uint64_t *bitmap)
{
    *entry = qc_be64(slice + (size_t)i * q->esize);
    *bitmap = q->ext_l2 ? qc_be64(slice + (size_t)i * q->esize + 8) : 0;
}

void qc_entry_set(struct qcow2 *q, uint64_t off, uint8_t *slice, uint32_t i, uint64_t entry, uint64_t bitmap)
{
    uint64_t k = (off >> q->cluster_bits) & (q->l2_entries - 1);
    qc_put64(slice + (size_t)i * q->esize, entry);
    if (q->ext_l2) qc_put64(slice + (size_t)i * q->esize + 8, bitmap);
    qc_cache_dirty(&q->l2, (q->l1[off / qc_l1_span(q)] & QC_OFFSET) + k * q->esize);
}

/* What subcluster sc of an entry is. */
static int type_of(struct qcow2 *q, uint64_t entry, uint64_t bitmap, unsigned sc, enum qc_type *t)
{
    uint64_t host = entry & QC_OFFSET;
    if (entry & QC_COMPRESSED) {
        *t = QC_T_COMP;
        return q->has_data ? qc_corrupt(q, "compressed entry beside a data file", entry) : 0;
    }
    if ((entry & QC_L2_RSVD) || (host & (q->cs - 1)) || ((entry & QC_ZERO) && (!q->v3 || q->ext_l2)))
        return qc_corrupt(q, "L2 entry", entry);
    bool there = host || (q->has_data && (entry & QC_COPIED));
    if (q->ext_l2) {
        bool a = bitmap >> sc & 1, z = bitmap >> (32 + sc) & 1;
        if ((a && z) || (a && !there)) return qc_corrupt(q, "subclusters of L2 entry", entry);
        *t = z ? QC_T_ZERO : a ? QC_T_DATA : QC_T_NONE;
    } else {
        *t = entry & QC_ZERO ? QC_T_ZERO : there ? QC_T_DATA : QC_T_NONE;
    }
    return 0;
}

static int map_slice(struct qcow2 *q, const uint8_t *slice, uint32_t index, uint32_t count, uint64_t off, uint64_t bytes, struct qc_map *m)
{
    uint64_t in = off & (q->cs - 1), entry, bitmap;
    uint64_t at = off, end = off + bytes, skip = in % q->sub_size;
    unsigned sc = (unsigned)(in / q->sub_size), nsub = (unsigned)(q->cs / q->sub_size);
    enum qc_type t = QC_T_NONE;
    for (uint32_t k = 0; k < count && at < end; k++, sc = 0) {
        qc_entry_get(q, slice, index + k, &entry, &bitmap);
        for (; sc < nsub && at < end; sc++) {
            int r = type_of(q, entry, bitmap, sc, &t);
            if (r) return at > off ? 0 : r;
            uint64_t host = t == QC_T_DATA ? (entry & QC_OFFSET) + (uint64_t)sc * q->sub_size + skip : 0;
            if (at == off) {
                *m = (struct qc_map){ .type = t, .host = host, .entry = entry, .copied = true };
                if (t == QC_T_COMP) {
                    m->copied = false;
                    m->bytes = MIN(bytes, q->cs - in);
                    return 0;
                }
            } else if (t != m->type || (t == QC_T_DATA && host != m->host + (at - off))) {
                return 0;
            }
            if (!(entry & QC_COPIED)) m->copied = false;
            at += q->sub_size - skip;
            skip = 0;
            m->bytes = MIN(at, end) - off;
        }
    }
    return 0;
}

int qc_map(struct qcow2 *q, uint64_t off, uint64_t bytes, struct qc_map *m)
{
    uint8_t *slice;
    uint32_t index, count;
    int r = qc_entry(q, off, false, &slice, &index, &count);
    if (r) return r;
    if (slice) return map_slice(q, slice, index, count, off, bytes, m);
    uint64_t span = (uint64_t)count << q->cluster_bits;
    *m = (struct qc_map){ .type = QC_T_NONE, .bytes = MIN(bytes, span - (off & (q->cs - 1))) };
    return 0;
}

int qc_map_cached(struct qcow2 *q, uint64_t off, uint64_t bytes, struct qc_map *m)
{
    uint64_t i = off / qc_l1_span(q), table;
    uint32_t k = (uint32_t)(off >> q->cluster_bits) & (q->l2_entries - 1);
    if (i >= q->l1_size || l1_offset(q, (uint32_t)i, &table) || !table) return -EAGAIN;
    uint64_t at = ALIGN_DOWN(table + (uint64_t)k * q->esize, (uint64_t)q->l2.slice);
    uint64_t h = (at / q->l2.slice) * 0x9e3779b97f4a7c15u;
    for (uint32_t e = q->l2.bucket[(h >> 40) & (q->l2.nbuckets - 1)]; e; e = q->l2.ent[e - 1].next)
        if (q->l2.ent[e - 1].off == at) return qc_map(q, off, bytes, m);
    return -EAGAIN;
}

int qc_grow_l1(struct qcow2 *q, uint64_t entries)
{
    uint64_t c, bytes = ALIGN_UP(entries * 8, q->cs), n = bytes >> q->cluster_bits;
    if (entries <= q->l1_size) return 0;
    if (entries * 8 > QC_MAX_L1) return -EFBIG;
    int r = qc_flush(q);
    if (!r) r = qc_alloc_exact(q, n, &c);
    if (r) return r;
    uint8_t *buf = xalloc((size_t)bytes);
    for (uint32_t i = 0; i < q->l1_size; i++) qc_put64(buf + (size_t)i * 8, q->l1[i]);
    r = blk_node_pwrite(q->file, c << q->cluster_bits, buf, (size_t)bytes);
    free(buf);
    q->need_sync = true;
    if (!r) r = qc_barrier(q);
    if (r) {
        qc_ref_down(q, c, n);
        return r;
    }
    uint64_t old_off = q->l1_off, *l1 = xalloc((size_t)entries * 8);
    uint32_t old_size = q->l1_size;
    if (old_size) memcpy(l1, q->l1, (size_t)old_size * 8);
    q->l1_off = c << q->cluster_bits;
    q->l1_size = (uint32_t)entries;
    r = qc_header_update(q);
    if (!r) r = qc_sync(q);
    if (r) { /* the file may have either */
        q->l1_off = old_off;
        q->l1_size = old_size;
        q->corrupt = true;
        free(l1);
        return r;
    }
    free(q->l1);
    q->l1 = l1;
    qc_free_later(q, old_off >> q->cluster_bits, (old_size * 8ull + q->cs - 1) >> q->cluster_bits);
    return 0;
}
