/*
 * qcow2_cache.c: slices of L2 tables and refcount blocks in memory (second chance replacement), and the order in which metadata
 * reaches the file.
 */
#include <stdlib.h>
#include "io/block/qcow2.h"

void qc_cache_init(struct qc_cache *c, uint32_t slice, uint64_t bytes, bool is_l2)
{
    *c = (struct qc_cache){ .slice = slice, .is_l2 = is_l2 };
    c->max = (uint32_t)MIN(MAX(bytes / slice, 16u), 1u << 20);
    for (c->nbuckets = 16; c->nbuckets < c->max && c->nbuckets < 65536;) c->nbuckets *= 2;
    c->bucket = xalloc(c->nbuckets * sizeof *c->bucket);
}

void qc_cache_free(struct qc_cache *c)
{
    for (uint32_t i = 0; i < c->n; i++) free(c->ent[i].data);
    free(c->ent);
    free(c->bucket);
    *c = (struct qc_cache){ 0 };
}

static uint32_t *bucket_of(struct qc_cache *c, uint64_t off)
{
    uint64_t h = (off / c->slice) * 0x9e3779b97f4a7c15u;
    return &c->bucket[(h >> 40) & (c->nbuckets - 1)];
}

static struct qc_ent *find(struct qc_cache *c, uint64_t off)
{
    for (uint32_t i = *bucket_of(c, off); i; i = c->ent[i - 1].next)
        if (c->ent[i - 1].off == off) return &c->ent[i - 1];
    return NULL;
}

static void unlink_ent(struct qc_cache *c, struct qc_ent *e)
{
    uint32_t self = (uint32_t)(e - c->ent) + 1, *p = bucket_of(c, e->off);
    while (*p && *p != self) p = &c->ent[*p - 1].next;
    if (*p) *p = e->next;
    e->next = 0;
    e->off = UINT64_MAX;
    c->ndirty -= e->dirty;
    e->dirty = e->used = false;
}

static int write_ent(struct qcow2 *q, struct qc_cache *c, struct qc_ent *e)
{
    int r = blk_node_pwrite(q->file, e->off, e->data, c->slice);
    if (r) return r;
    e->dirty = false;
    c->ndirty--;
    q->need_sync = true;
    return 0;
}

int qc_cache_write(struct qcow2 *q, struct qc_cache *c)
{
    for (uint32_t i = 0; i < c->n && c->ndirty; i++) {
        int r = c->ent[i].dirty ? write_ent(q, c, &c->ent[i]) : 0;
        if (r) return r;
    }
    return 0;
}

/* An entry to fill: a new one, or one that was not asked for lately. Dirty L2 slices go out all together, after the barrier. */
static int victim(struct qcow2 *q, struct qc_cache *c, struct qc_ent **out)
{
    if (c->n < c->max) {
        c->ent = vec_grow(c->ent, &c->cap, c->n + 1, sizeof *c->ent);
        c->ent[c->n] = (struct qc_ent){ .off = UINT64_MAX, .data = xalloc(c->slice) };
        *out = &c->ent[c->n++];
        return 0;
    }
    for (;;) {
        struct qc_ent *e = &c->ent[c->hand];
        c->hand = (c->hand + 1) % c->n;
        if (e->used) {
            e->used = false;
            continue;
        }
        int r = 0;
        if (e->dirty && c->is_l2) {
            r = qc_barrier(q);
            if (!r) r = qc_cache_write(q, c);
        } else if (e->dirty) {
            r = write_ent(q, c, e);
        }
        if (r) return r;
        if (e->off != UINT64_MAX) unlink_ent(c, e);
        *out = e;
        return 0;
    }
}

int qc_cache_get(struct qcow2 *q, struct qc_cache *c, uint64_t off, uint8_t **slice)
{
    off = ALIGN_DOWN(off, (uint64_t)c->slice);
    struct qc_ent *e = find(c, off);
    if (!e) {
        int r = victim(q, c, &e);
        if (!r) r = blk_node_pread(q->file, off, e->data, c->slice);
        if (r) return r;
        uint32_t *b = bucket_of(c, off);
        e->off = off;
        e->next = *b;
        *b = (uint32_t)(e - c->ent) + 1;
    }
    e->used = true;
    *slice = e->data;
    return 0;
}

void qc_cache_dirty(struct qc_cache *c, uint64_t off)
{
    struct qc_ent *e = find(c, ALIGN_DOWN(off, (uint64_t)c->slice));
    if (!e || e->dirty) return;
    e->dirty = true;
    c->ndirty++;
}

void qc_cache_drop(struct qc_cache *c, uint64_t off, uint64_t bytes)
{
    for (uint64_t at = off; at < off + bytes; at += c->slice) {
        struct qc_ent *e = find(c, at);
        if (e) unlink_ent(c, e);
    }
}

/* --- order --------------------------------------------------------------------------------------------------------------------------- */

int qc_sync(struct qcow2 *q)
{
    int r = q->has_data ? blk_node_flush(q->data) : 0;
    if (!r) r = blk_node_flush(q->file);
    if (!r) q->need_sync = false;
    return r;
}

/* Part of a table of 64-bit entries: as the file has them. */
static int write_table(struct qcow2 *q, uint64_t at, const uint64_t *v, uint32_t lo, uint32_t hi)
{
    uint8_t *buf = xalloc((size_t)(hi - lo) * 8);
    for (uint32_t i = lo; i < hi; i++) qc_put64(buf + (size_t)(i - lo) * 8, v[i]);
    int r = blk_node_pwrite(q->file, at + (uint64_t)lo * 8, buf, (size_t)(hi - lo) * 8);
    free(buf);
    return r;
}

/* Refcounts, and what L2 entries in memory point to. With lazy refcounts the dirty bit stands for them. */
static int write_refs(struct qcow2 *q, bool all)
{
    int r = 0;
    if (!q->lazy || all) r = qc_cache_write(q, &q->rb);
    if (!r && q->reft_lo < q->reft_hi) { /* a new refcount block, before the table points to it */
        r = qc_cache_write(q, &q->rb);
        if (!r) r = qc_sync(q);
        if (!r) r = write_table(q, q->reft_off, q->reft, q->reft_lo, q->reft_hi);
        if (!r) {
            q->reft_lo = UINT32_MAX, q->reft_hi = 0;
            q->need_sync = true;
        }
    }
    return r;
}

int qc_barrier(struct qcow2 *q)
{
    int r = write_refs(q, false);
    return r || !q->need_sync ? r : qc_sync(q);
}

int qc_write_l1(struct qcow2 *q)
{
    int r = write_table(q, q->l1_off, q->l1, q->l1_lo, q->l1_hi);
    if (r) return r;
    q->l1_lo = UINT32_MAX, q->l1_hi = 0;
    q->need_sync = true;
    return 0;
}

int qc_flush(struct qcow2 *q)
{
    int r = 0;
    bool l1 = q->l1_lo < q->l1_hi;
    if (q->corrupt && !q->in_check) return -EIO;
    if (q->l2.ndirty || l1) {
        r = qc_barrier(q);
        if (!r) r = qc_cache_write(q, &q->l2);
        /* a table that L1 did not point to before is in the file since the barrier, as it was made */
        if (!r && l1) r = qc_write_l1(q);
    } else {
        r = write_refs(q, false);
    }
    if (!r) r = qc_sync(q);
    return r ? r : qc_apply_frees(q, &q->frees);
}
