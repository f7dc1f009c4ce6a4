/*
 * qcow2_check.c: counts every reference and compares with the refcounts of the image. What is too high is a leak, what is too low a
 * corruption. Repair: leaks are set right in place; where counts are too low or their tables damaged, all of them are written
 * anew behind the end of the image, and the header switches over.
 */
#include <stdio.h>
#include <stdlib.h>
#include "io/block/qcow2.h"

struct ck {
    struct qcow2 *q;
    struct blk_check *c;
    uint32_t *count;  /* references, by cluster */
    uint64_t n;       /* clusters of the file */
    unsigned fix;
    bool rebuild, bad_tables;
    uint64_t next_host; /* what would not be fragmented */
    uint64_t low, copied; /* corruptions that repair deals with: counts and their tables, flags */
};

static void say(struct ck *k, const char *fmt, ...) PRINTF(2, 3);
static void say(struct ck *k, const char *fmt, ...)
{
    char line[256];
    va_list ap;
    if (!k->c->say) return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    k->c->say(k->c->ctx, line);
}

static void ref(struct ck *k, uint64_t off, uint64_t bytes)
{
    struct qcow2 *q = k->q;
    if (!bytes) return;
    for (uint64_t c = off >> q->cluster_bits; c <= (off + bytes - 1) >> q->cluster_bits; c++) {
        if (c >= k->n) {
            say(k, "ERROR cluster %llu is beyond the end of the image", (unsigned long long)c);
            k->c->corruptions++;
            return;
        }
        if (k->count[c] < UINT32_MAX) k->count[c]++;
    }
}

static void check_entry(struct ck *k, uint64_t e, uint64_t bm, bool active)
{
    struct qcow2 *q = k->q;
    uint64_t off = e & QC_OFFSET, bytes = q->cs;
    bool z = (e & QC_ZERO) && !q->ext_l2;
    if (e & QC_COMPRESSED) {
        if (q->has_data || (e & QC_COPIED)) {
            say(k, "ERROR: compressed cluster with flags: l2_entry=%llx", (unsigned long long)e);
            k->c->corruptions++;
        }
        qc_comp_extent(q, e, &off, &bytes);
        if (active) k->c->compressed_clusters++, k->c->allocated_clusters++, k->c->fragmented_clusters++;
        ref(k, off, bytes);
        return;
    }
    if ((e & QC_L2_RSVD) || (z && !q->v3) || (off & (q->cs - 1)) || (bm & (bm >> 32) & 0xffffffffu) || ((uint32_t)bm && !off && !q->has_data)) {
        say(k, "ERROR L2 entry %llx: reserved bits, alignment or subclusters", (unsigned long long)e);
        k->c->corruptions++;
        return;
    }
    if (!off && !(q->has_data && (e & QC_COPIED))) return;
    if (active && !z) {
        k->c->allocated_clusters++;
        if (k->next_host && off != k->next_host) k->c->fragmented_clusters++;
        k->next_host = off + q->cs;
    }
    if (!q->has_data) ref(k, off, q->cs);
}

static int walk_l1(struct ck *k, uint64_t l1_off, uint32_t size, bool active)
{
    struct qcow2 *q = k->q;
    uint8_t *l1 = xalloc((size_t)size * 8 + 1), *t = xalloc((size_t)q->cs);
    ref(k, l1_off, (uint64_t)size * 8);
    if (l1_off >= blk_node_size(q->file)) size = 0; /* what is not in the file has been told of */
    int r = blk_node_pread(q->file, l1_off, l1, (size_t)size * 8);
    for (uint32_t i = 0; !r && i < size; i++) {
        uint64_t v = qc_be64(l1 + (size_t)i * 8), off = v & QC_OFFSET;
        if ((v & QC_L1_RSVD) || (off & (q->cs - 1))) {
            say(k, "ERROR L1 entry %llx: reserved bits or alignment", (unsigned long long)v);
            k->c->corruptions++;
            continue;
        }
        if (!off) continue;
        ref(k, off, q->cs);
        if (off >> q->cluster_bits >= k->n) continue;
        if (blk_node_pread(q->file, off, t, (size_t)q->cs)) {
            k->c->check_errors++;
            continue;
        }
        for (uint32_t e = 0; e < q->l2_entries; e++) {
            uint64_t at = ((uint64_t)i * q->l2_entries + e) << q->cluster_bits;
            uint64_t bm = q->ext_l2 ? qc_be64(t + (size_t)e * q->esize + 8) : 0;
            check_entry(k, qc_be64(t + (size_t)e * q->esize), bm, active && at < blk_node_size(q->node));
        }
    }
    free(l1);
    free(t);
    return r;
}

/* The bitmaps' directory, tables and clusters (not read otherwise). */
static int walk_bitmaps(struct ck *k)
{
    struct qcow2 *q = k->q;
    const struct qc_ext *x = NULL;
    for (uint32_t i = 0; i < q->next; i++)
        if (q->ext[i].type == 0x23852875 && q->ext[i].len >= 24) x = &q->ext[i];
    if (!x || !(q->autoclear & QC_BITMAPS)) return 0;
    uint64_t size = qc_be64(x->data + 8), off = qc_be64(x->data + 16), at = 0;
    if (size > 64u << 20 || (off & (q->cs - 1))) {
        k->c->corruptions++;
        return 0;
    }
    uint8_t *dir = xalloc((size_t)size + 1);
    int r = blk_node_pread(q->file, off, dir, (size_t)size);
    ref(k, off, size);
    while (!r && at + 24 <= size) {
        uint32_t n32, extra;
        uint16_t name;
        memcpy(&n32, dir + at + 8, 4);
        memcpy(&name, dir + at + 18, 2);
        memcpy(&extra, dir + at + 20, 4);
        uint64_t table = qc_be64(dir + at), n = be32toh(n32);
        if (n > QC_MAX_L1 / 8 || (table & (q->cs - 1)) || be32toh(extra) > size) {
            k->c->corruptions++;
            break;
        }
        uint8_t *t = xalloc((size_t)n * 8 + 1);
        r = blk_node_pread(q->file, table, t, (size_t)n * 8);
        ref(k, table, n * 8);
        for (uint64_t i = 0; !r && i < n; i++) {
            uint64_t e = qc_be64(t + i * 8) & QC_OFFSET;
            if (e) ref(k, e, q->cs);
        }
        free(t);
        at = ALIGN_UP(at + 24 + be16toh(name) + be32toh(extra), 8ull);
    }
    free(dir);
    return r;
}

/* The refcount table and its blocks; also tells whether they can be used. */
static void walk_refs(struct ck *k)
{
    struct qcow2 *q = k->q;
    ref(k, q->reft_off, (uint64_t)q->reft_clusters << q->cluster_bits);
    for (uint32_t i = 0; i < q->reft_size; i++) {
        uint64_t off = q->reft[i];
        if (!off) continue;
        if ((off & (q->cs - 1)) || off >> q->cluster_bits >= k->n) {
            say(k, "ERROR refcount block %u is %s", i, off & (q->cs - 1) ? "not cluster aligned; refcount table entry corrupted" : "outside image");
            k->c->corruptions++;
            k->low++;
            k->bad_tables = true;
            continue;
        }
        ref(k, off, q->cs);
        if (k->count[off >> q->cluster_bits] != 1) {
            say(k, "ERROR refcount block %u refcount=%u", i, k->count[off >> q->cluster_bits]);
            k->c->corruptions++;
            k->low++;
            k->bad_tables = true;
        }
    }
}

static uint64_t image_count(struct ck *k, uint64_t c)
{
    uint64_t v = 0;
    struct qcow2 *q = k->q;
    uint64_t ti = c / q->rb_entries;
    if (ti < q->reft_size && ((q->reft[ti] & (q->cs - 1)) || q->reft[ti] >> q->cluster_bits >= k->n)) return 0;
    if (qc_ref_get(q, c, &v)) k->c->check_errors++;
    return v;
}

static int compare(struct ck *k)
{
    struct qcow2 *q = k->q;
    for (uint64_t c = 0; c < k->n; c++) {
        uint64_t v = image_count(k, c), want = k->count[c];
        if (v || want) k->c->image_end = (c + 1) << q->cluster_bits;
        if (v == want) continue;
        bool leak = v > want, fix = leak && (k->fix & BLK_FIX_LEAKS) && !k->bad_tables;
        say(k, "%s cluster %llu refcount=%llu reference=%llu", fix ? "Repairing" : leak ? "Leaked" : "ERROR", (unsigned long long)c,
            (unsigned long long)v, (unsigned long long)want);
        if (fix) {
            int r = qc_ref_set(q, c, want);
            if (r) return r;
            k->c->leaks_fixed++;
        } else if (leak) {
            k->c->leaks++;
        } else {
            k->c->corruptions++;
            k->low++;
        }
    }
    return 0;
}

/* "Copied" is set exactly where the count is 1. */
static int check_copied(struct ck *k, bool fix)
{
    struct qcow2 *q = k->q;
    uint32_t per = q->l2.slice / q->esize;
    uint64_t span = qc_l1_span(q);
    for (uint32_t i = 0; i < q->l1_size; i++) {
        uint64_t off = q->l1[i] & QC_OFFSET;
        if (!off || (off & (q->cs - 1)) || off >> q->cluster_bits >= k->n) continue;
        uint64_t v = image_count(k, off >> q->cluster_bits);
        if ((v == 1) != !!(q->l1[i] & QC_COPIED)) {
            say(k, "%s OFLAG_COPIED L2 cluster: l1_index=%u l1_entry=%llx refcount=%llu", fix ? "Repairing" : "ERROR", i,
                (unsigned long long)q->l1[i], (unsigned long long)v);
            k->copied++;
            if (fix) {
                q->l1[i] = off | (v == 1 ? QC_COPIED : 0);
                q->l1_lo = MIN(q->l1_lo, i), q->l1_hi = MAX(q->l1_hi, i + 1);
            }
        }
        for (uint32_t e = 0; !q->has_data && e < q->l2_entries; e++) {
            uint8_t *s;
            uint64_t en, bm;
            int r = qc_cache_get(q, &q->l2, off + (uint64_t)e * q->esize, &s);
            if (r) {
                k->c->check_errors++;
                break;
            }
            qc_entry_get(q, s, e % per, &en, &bm);
            uint64_t host = en & QC_OFFSET;
            if ((en & QC_COMPRESSED) || !host || (host & (q->cs - 1)) || host >> q->cluster_bits >= k->n) continue;
            v = image_count(k, host >> q->cluster_bits);
            if ((v == 1) == !!(en & QC_COPIED)) continue;
            say(k, "%s OFLAG_COPIED data cluster: l2_entry=%llx refcount=%llu", fix ? "Repairing" : "ERROR", (unsigned long long)en,
                (unsigned long long)v);
            k->copied++;
            if (fix)
                qc_entry_set(q, (uint64_t)i * span + ((uint64_t)e << q->cluster_bits), s, e % per,
                             (en & ~QC_COPIED) | (v == 1 ? QC_COPIED : 0), bm);
        }
    }
    return 0;
}

/* All refcounts anew, behind the end. The old tables are free then. */
static int rebuild(struct ck *k, struct err *e)
{
    struct qcow2 *q = k->q;
    uint64_t nb = 1, nt = 1, total, per = q->cs / 8, max = qc_ref_max(q);
    /* without the old tables, which are referenced by themselves only */
    for (uint32_t i = 0; i < q->reft_size; i++) {
        uint64_t c = q->reft[i] >> q->cluster_bits;
        if (q->reft[i] && !(q->reft[i] & (q->cs - 1)) && c < k->n && k->count[c]) k->count[c]--;
    }
    for (uint64_t c = q->reft_off >> q->cluster_bits, i = 0; i < q->reft_clusters; i++)
        if (c + i < k->n && k->count[c + i]) k->count[c + i]--;
    for (;;) {
        total = k->n + nb + nt;
        uint64_t b = (total + q->rb_entries - 1) / q->rb_entries, t = (b + per - 1) / per;
        if (b == nb && t == nt) break;
        nb = MAX(b, nb), nt = MAX(t, nt);
    }
    if (nt * q->cs > QC_MAX_REFT) return err_set(e, EFBIG, "the image is too large for a refcount table");
    uint8_t *b = xalloc((size_t)q->cs);
    int r = 0;
    for (uint64_t i = 0; !r && i < nb; i++) {
        memset(b, 0, (size_t)q->cs);
        for (uint64_t j = 0; j < q->rb_entries; j++) {
            uint64_t c = i * q->rb_entries + j, v = c < k->n ? k->count[c] : c < total ? 1 : 0;
            if (v > max) r = err_set(e, EOVERFLOW, "cluster %llu has more references than refcounts can count", (unsigned long long)c);
            qc_rb_put(q, b, j, v);
        }
        if (!r && (r = blk_node_pwrite(q->file, (k->n + i) << q->cluster_bits, b, (size_t)q->cs))) err_set(e, -r, "refcounts: %s", strerror(-r));
    }
    free(b);
    uint64_t *t = xalloc((size_t)(nt * q->cs));
    uint8_t *tb = xalloc((size_t)(nt * q->cs));
    for (uint64_t i = 0; i < nb; i++) t[i] = (k->n + i) << q->cluster_bits;
    for (uint64_t i = 0; i < nt * per; i++) qc_put64(tb + i * 8, t[i]);
    if (!r && (r = blk_node_pwrite(q->file, (k->n + nb) << q->cluster_bits, tb, (size_t)(nt * q->cs)))) err_set(e, -r, "refcounts: %s", strerror(-r));
    free(tb);
    if (!r) r = qc_sync(q);
    if (r) {
        free(t);
        return r;
    }
    uint32_t slice = q->rb.slice;
    uint64_t bytes = (uint64_t)q->rb.max * slice;
    qc_cache_free(&q->rb);
    qc_cache_init(&q->rb, slice, bytes, false);
    free(q->reft);
    q->reft = t;
    q->reft_off = (k->n + nb) << q->cluster_bits;
    q->reft_clusters = (uint32_t)nt;
    q->reft_size = (uint32_t)(nt * per);
    q->reft_lo = UINT32_MAX, q->reft_hi = 0;
    q->hint = 0;
    q->comp_next = 0;
    r = qc_header_update(q);
    if (!r) r = qc_sync(q);
    return r;
}

static int references(struct ck *k)
{
    struct qcow2 *q = k->q;
    ref(k, 0, q->cs);
    int r = walk_l1(k, q->l1_off, q->l1_size, true);
    for (uint32_t i = 0; !r && i < q->nsnap; i++) r = walk_l1(k, q->snap[i].l1_off, q->snap[i].l1_size, false);
    if (q->nsnap) ref(k, q->snap_off, q->snap_bytes);
    if (!r) r = walk_bitmaps(k);
    walk_refs(k);
    return r;
}

static int run(struct ck *k, struct err *e)
{
    struct qcow2 *q = k->q;
    struct blk_check *c = k->c;
    int r = references(k);
    if (!r) r = compare(k);
    if (!r) r = check_copied(k, false);
    c->corruptions += k->copied;
    if (r || !(k->fix & BLK_FIX_ERRORS)) return r;
    if (k->low || k->bad_tables) {
        say(k, "Rebuilding refcount structure");
        uint64_t was = k->low;
        r = rebuild(k, e);
        if (r) return r;
        c->corruptions_fixed += was;
        c->corruptions -= was;
        c->leaks_fixed += c->leaks;
        c->leaks = 0;
        k->n = (blk_node_size(q->file) + q->cs - 1) >> q->cluster_bits;
    }
    uint64_t n = k->copied;
    r = check_copied(k, true);
    c->corruptions_fixed += n;
    c->corruptions -= n;
    return r;
}

int qc_check(struct blk_node *n, struct blk_check *c, unsigned fix, struct err *e)
{
    struct qcow2 *q = n->s;
    struct qc_range rg;
    struct ck k = { .q = q, .c = c, .fix = fix };
    if (fix && !(n->flags & BLK_RDWR)) return err_set(e, EROFS, "the image is read-only");
    pthread_mutex_lock(&q->lock);
    qc_range_enter(q, &rg, 0, QC_WHOLE, true);
    int r = 0;
    bool was = q->in_check;
    q->in_check = true;
    if ((n->flags & BLK_RDWR) && !q->corrupt) r = qc_flush(q);
    k.n = (blk_node_size(q->file) + q->cs - 1) >> q->cluster_bits;
    if (k.n > 1u << 28) r = err_set(e, EFBIG, "the image has too many clusters to be checked");
    c->total_clusters = (blk_node_size(n) + q->cs - 1) >> q->cluster_bits;
    if (!r) {
        k.count = xalloc((size_t)(k.n + 1) * sizeof *k.count);
        r = run(&k, e);
        free(k.count);
    }
    if (!r && fix) {
        q->corrupt = false;
        bool lazy = q->lazy;
        q->lazy = false; /* counts go out too */
        r = qc_flush(q);
        if (!r) r = qc_cache_write(q, &q->rb);
        if (!r) r = qc_sync(q);
        q->lazy = lazy;
        bool whole = !c->corruptions && !c->check_errors;
        if (!r && whole && (fix & BLK_FIX_ERRORS) && (q->incompat & (QC_DIRTY | QC_CORRUPT))) {
            q->incompat &= ~(uint64_t)(QC_DIRTY | QC_CORRUPT);
            q->dirty = false;
            r = qc_header_update(q);
            if (!r) r = qc_sync(q);
        }
        q->corrupt = q->incompat & QC_CORRUPT;
    }
    if (r && e && !e->code) err_set(e, -r, "check: %s", strerror(-r));
    q->in_check = was;
    qc_range_leave(q, &rg);
    pthread_mutex_unlock(&q->lock);
    return r;
}
