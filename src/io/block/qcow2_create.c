/* qcow2_create.c: new images, their size, and changes to the header. */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include "io/block/qcow2.h"

const struct blk_create_opt qc_create_opts[] = {
    { "backing_file", "str", "File name of a base image" },
    { "backing_fmt", "str", "Image format of the base image" },
    { "cluster_size", "size", "qcow2 cluster size" },
    { "compat", "str", "Compatibility level (v2 [0.10] or v3 [1.1])" },
    { "compression_type", "str", "Compression method used for image cluster compression" },
    { "data_file", "str", "File name of an external data file" },
    { "data_file_raw", "bool (on/off)", "The external data file must stay valid as a raw image" },
    { "extended_l2", "bool (on/off)", "Extended L2 tables" },
    { "lazy_refcounts", "bool (on/off)", "Postpone refcount updates" },
    { "nocow", "bool (on/off)", "Turn off copy-on-write (valid only on btrfs)" },
    { "preallocation", "str", "Preallocation mode (allowed values: off, metadata, falloc, full)" },
    { "refcount_bits", "num", "Width of a reference count entry in bits" },
    { "size", "size", "Virtual disk size" },
    { 0 },
};

struct params {
    uint64_t size, cs, bits;
    char *backing, *fmt, *compat, *comp, *data, *prealloc;
    bool data_raw, ext, lazy, v3;
};

static void params_free(struct params *p)
{
    free(p->backing), free(p->fmt), free(p->compat), free(p->comp), free(p->data), free(p->prealloc);
}

static bool among(const char *s, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(s, *list)) return true;
    return false;
}

static int validate(struct params *p, struct err *e)
{
    static const char *const modes[] = { "off", "metadata", "falloc", "full", NULL }, *const comps[] = { "zlib", "zstd", NULL };
    static const char *const old[] = { "0.10", "v2", NULL }, *const now[] = { "1.1", "v3", NULL };
    p->v3 = !p->compat || among(p->compat, now);
    if (!p->v3 && !among(p->compat, old)) return err_set(e, EINVAL, "Invalid parameter '%s': compat is 0.10 (v2) or 1.1 (v3)", p->compat);
    if (p->cs < 512 || p->cs > 2 << 20 || (p->cs & (p->cs - 1))) return err_set(e, EINVAL, "Cluster size must be a power of two between 512 and 2048k");
    if (!p->bits || p->bits > 64 || (p->bits & (p->bits - 1)))
        return err_set(e, EINVAL, "Refcount width must be a power of two and may not exceed 64 bits");
    if (!p->v3 && p->bits != 16) return err_set(e, EINVAL, "Different refcount widths than 16 bits require compatibility level 1.1 or above (use version=v3 or greater)");
    if (p->lazy && !p->v3) return err_set(e, EINVAL, "Lazy refcounts only supported with compatibility level 1.1 and above (use version=v3 or greater)");
    if (p->ext && !p->v3) return err_set(e, EINVAL, "Extended L2 entries are only supported with compatibility level 1.1 and above (use version=v3 or greater)");
    if (p->ext && p->cs < 16384) return err_set(e, EINVAL, "Extended L2 entries are only supported with cluster sizes of at least 16384 bytes");
    if (p->comp && !among(p->comp, comps)) return err_set(e, EINVAL, "Invalid parameter '%s': compression_type is zlib or zstd", p->comp);
    if (p->comp && !strcmp(p->comp, "zstd") && !p->v3) return err_set(e, EINVAL, "Non-zlib compression type is only supported with compatibility level 1.1 and above (use version=v3 or greater)");
    if (p->prealloc && !among(p->prealloc, modes)) return err_set(e, EINVAL, "Invalid parameter '%s': preallocation is off, metadata, falloc or full", p->prealloc);
    if (p->prealloc && strcmp(p->prealloc, "off") && p->backing && !p->ext && !p->v3)
        return err_set(e, EINVAL, "Backing file and preallocation can only be used at the same time if extended_l2 is enabled");
    if (p->data && !p->v3) return err_set(e, EINVAL, "External data files are only supported with compatibility level 1.1 and above (use version=v3 or greater)");
    if (p->data_raw && !p->data) return err_set(e, EINVAL, "data-file-raw requires data-file");
    if (p->data_raw && p->backing) return err_set(e, EINVAL, "Backing file and data-file-raw cannot be used at the same time");
    if (p->fmt && !p->backing) return err_set(e, EINVAL, "Backing format cannot be used without backing file");
    if (p->backing && strlen(p->backing) > 1023) return err_set(e, EINVAL, "Backing file name too long");
    return 0;
}

static int take(struct json_object *o, struct params *p, struct err *e)
{
    *p = (struct params){ .cs = 65536, .bits = 16 };
    p->backing = blk_opt_str(o, "backing_file"), p->fmt = blk_opt_str(o, "backing_fmt"), p->compat = blk_opt_str(o, "compat");
    p->comp = blk_opt_str(o, "compression_type"), p->data = blk_opt_str(o, "data_file"), p->prealloc = blk_opt_str(o, "preallocation");
    bool encrypt = false, nocow;
    int r = blk_opt_size(o, "size", &p->size, e);
    if (!r) r = blk_opt_size(o, "cluster_size", &p->cs, e);
    if (!r) r = blk_opt_size(o, "refcount_bits", &p->bits, e);
    if (!r) r = blk_opt_bool(o, "data_file_raw", &p->data_raw, e);
    if (!r) r = blk_opt_bool(o, "extended_l2", &p->ext, e);
    if (!r) r = blk_opt_bool(o, "lazy_refcounts", &p->lazy, e);
    if (!r) r = blk_opt_bool(o, "nocow", &nocow, e);
    if (!r) r = blk_opt_bool(o, "encryption", &encrypt, e);
    if (!r && encrypt) r = err_set(e, ENOTSUP, "encryption is not available");
    if (p->backing && !*p->backing) free(p->backing), p->backing = NULL;
    if (!r) r = validate(p, e);
    p->size = ALIGN_UP(p->size, 512ull);
    return r ? r : blk_opts_left(o, "qcow2", e);
}

struct layout {
    uint64_t l1_size, nl1, nb, nt, total; /* clusters but for l1_size */
};

static int layout_of(const struct params *p, struct layout *y, struct err *e)
{
    uint64_t per_l2 = p->cs / (p->ext ? 16 : 8), rb = p->cs * 8 / p->bits, span = per_l2 * p->cs;
    y->l1_size = p->size / span + (p->size % span != 0);
    if (y->l1_size * 8 > QC_MAX_L1) return err_set(e, EFBIG, "Image is too big for this cluster size");
    y->nl1 = MAX((y->l1_size * 8 + p->cs - 1) / p->cs, 1u);
    y->nb = y->nt = 1;
    for (;;) {
        y->total = 1 + y->nt + y->nb + y->nl1;
        uint64_t b = (y->total + rb - 1) / rb, t = (b * 8 + p->cs - 1) / p->cs;
        if (b == y->nb && t == y->nt) return 0;
        y->nb = b, y->nt = t;
    }
}

static int write_tables(struct qcow2 *q, const struct layout *y)
{
    uint8_t *b = xalloc((size_t)q->cs);
    uint64_t rb_at = 1 + y->nt, l1_at = rb_at + y->nb;
    int r = 0;
    for (uint64_t i = 0; !r && i < y->nb; i++) {
        memset(b, 0, (size_t)q->cs);
        for (uint64_t k = 0; k < q->rb_entries && i * q->rb_entries + k < y->total; k++) qc_rb_put(q, b, k, 1);
        r = blk_node_pwrite(q->file, (rb_at + i) << q->cluster_bits, b, (size_t)q->cs);
    }
    for (uint64_t i = 0; !r && i < y->nt; i++) {
        memset(b, 0, (size_t)q->cs);
        for (uint64_t k = 0; k < q->cs / 8 && i * (q->cs / 8) + k < y->nb; k++)
            qc_put64(b + k * 8, (rb_at + i * (q->cs / 8) + k) << q->cluster_bits);
        r = blk_node_pwrite(q->file, (1 + i) << q->cluster_bits, b, (size_t)q->cs);
    }
    memset(b, 0, (size_t)q->cs);
    for (uint64_t i = 0; !r && i < y->nl1; i++) r = blk_node_pwrite(q->file, (l1_at + i) << q->cluster_bits, b, (size_t)q->cs);
    free(b);
    q->l1_size = (uint32_t)y->l1_size;
    q->l1_off = l1_at << q->cluster_bits;
    q->reft_off = q->cs;
    q->reft_clusters = (uint32_t)y->nt;
    return r;
}

static int write_image(struct blk_node *file, const struct params *p, const struct layout *y, struct err *e)
{
    struct blk_node n = { .size = p->size, .backing_name = p->backing, .backing_fmt = p->fmt };
    struct qcow2 q = {
        .node = &n, .file = file, .data = file, .version = p->v3 ? 3 : 2, .v3 = p->v3, .cs = p->cs,
        .cluster_bits = (uint32_t)__builtin_ctzll(p->cs), .refcount_order = (uint32_t)__builtin_ctzll(p->bits),
        .header_length = p->v3 ? 112 : 72, .zstd = p->comp && !strcmp(p->comp, "zstd"), .data_name = p->data,
        .rb_entries = (uint32_t)(p->cs * 8 / p->bits), .compat = p->lazy ? QC_LAZY : 0, .autoclear = p->data_raw ? QC_DATA_RAW : 0,
    };
    q.incompat = (q.zstd ? QC_COMP_TYPE : 0u) | (p->ext ? QC_EXT_L2 : 0u) | (p->data ? QC_DATA_FILE : 0u);
    int r = write_tables(&q, y);
    if (!r) r = blk_node_flush(file);
    if (r) return err_set(e, -r, "Could not write the image: %s", strerror(-r));
    return qc_header_rewrite(&q, e);
}

/* The data of a preallocated image: space of the file (falloc) or written zeros (full). */
static int fill(struct blk_node *n, const char *mode)
{
    struct qcow2 *q = n->s;
    uint64_t size = blk_node_size(n);
    int r = 0;
    for (uint64_t at = 0; !r && at < size;) {
        struct qc_map m;
        pthread_mutex_lock(&q->lock);
        r = qc_map(q, at, size - at, &m);
        pthread_mutex_unlock(&q->lock);
        if (r) break;
        uint64_t len = MIN(m.bytes, 1u << 20);
        if (m.type == QC_T_DATA && !strcmp(mode, "falloc")) {
            r = blk_node_zero(q->data, m.host, len, 0);
        } else if (m.type == QC_T_DATA) {
            uint8_t *z = xalloc((size_t)len);
            r = blk_node_pwrite(q->data, m.host, z, (size_t)len);
            free(z);
        }
        at += len;
    }
    return r;
}

static int preallocate(struct blk_graph *g, const char *filename, const char *mode, struct err *e)
{
    struct blk_node *n = blk_node_open_file(g, filename, "qcow2", BLK_RDWR | BLK_NO_BACKING | BLK_NO_FLUSH, e);
    if (!n) return e && e->code ? -e->code : -EIO;
    int r = qc_preallocate(n->s, 0, blk_node_size(n));
    if (!r && strcmp(mode, "metadata")) r = fill(n, mode);
    if (r) err_set(e, -r, "Could not preallocate: %s", strerror(-r));
    int r2 = blk_node_unref(n, r ? NULL : e);
    return r ? r : r2;
}

int qc_create(struct blk_graph *g, const char *filename, struct json_object *opts, struct err *e)
{
    struct params p;
    struct layout y;
    const struct blk_driver *f = blk_driver_find("file");
    if (!strncmp(filename, "file:", 5)) filename += 5;
    int r = take(opts, &p, e);
    if (!r) r = layout_of(&p, &y, e);
    struct json_object *none = json_object_new_object();
    if (!r) r = f->create(g, filename, none, e);
    if (!r && p.data) {
        char *path = blk_path_combine(filename, p.data), num[32];
        snprintf(num, sizeof num, "%llu", (unsigned long long)p.size);
        json_object_object_add(none, "size", json_object_new_string(num));
        r = path ? f->create(g, path, none, e) : -ENOMEM;
        free(path);
    }
    json_object_put(none);
    struct blk_node *file = r ? NULL : blk_node_open_file(g, filename, "file", BLK_RDWR, e);
    if (!r && !file) r = e && e->code ? -e->code : -EIO;
    if (!r) r = write_image(file, &p, &y, e);
    int r2 = blk_node_unref(file, r ? NULL : e);
    if (!r) r = r2;
    const char *mode = p.prealloc && strcmp(p.prealloc, "off") ? p.prealloc : p.data_raw ? "metadata" : NULL;
    if (!r && mode) r = preallocate(g, filename, mode, e);
    params_free(&p);
    return r;
}

int qc_measure(struct json_object *opts, uint64_t size, struct blk_node *src, uint64_t *required, uint64_t *full, struct err *e)
{
    struct params p;
    struct layout y;
    int r = take(opts, &p, e);
    p.size = ALIGN_UP(size, 512ull);
    if (!r) r = layout_of(&p, &y, e);
    uint64_t data = ALIGN_UP(p.size, p.cs), esize = p.ext ? 16 : 8, used = 0;
    if (!r) {
        uint64_t l2 = ALIGN_UP(data / p.cs * esize, p.cs), other = p.cs + l2 + y.nl1 * p.cs, nb = 0, nt = 0, rb = p.cs * 8 / p.bits;
        for (;;) {
            uint64_t total = (data + other) / p.cs + nb + nt, b = (total + rb - 1) / rb, t = (b * 8 + p.cs - 1) / p.cs;
            if (b == nb && t == nt) break;
            nb = b, nt = t;
        }
        *full = data + other + (nb + nt) * p.cs;
    }
    bool all = p.prealloc && (!strcmp(p.prealloc, "falloc") || !strcmp(p.prealloc, "full"));
    uint64_t last = UINT64_MAX; /* clusters that have data in the source, each once */
    for (uint64_t at = 0; !r && src && at < blk_node_size(src);) {
        struct blk_range g;
        r = blk_node_status(src, at, blk_node_size(src) - at, &g);
        if (r) break;
        bool has = (g.st & BLK_ST_DATA) && !(g.st & BLK_ST_ZERO);
        if (!(g.st & (BLK_ST_ALLOCATED | BLK_ST_ZERO)) && src->backing) has = true;
        if (has) {
            uint64_t a = at / p.cs, b = (at + g.bytes - 1) / p.cs;
            used += b - a + (a != last);
            last = b;
        }
        at += g.bytes;
    }
    if (!r) *required = *full - data + (all ? data : used * p.cs);
    params_free(&p);
    return r;
}

/* --- changes ------------------------------------------------------------------------------------------------------------------------------ */

static int grow(struct qcow2 *q, uint64_t old, uint64_t size)
{
    struct blk_node *n = q->node;
    uint64_t span = qc_l1_span(q), base = (size + span - 1) / span;
    pthread_mutex_lock(&q->lock);
    int r = qc_grow_l1(q, base);
    pthread_mutex_unlock(&q->lock);
    if (r) return r;
    /* what comes into view reads as zeros: the rest of the last cluster, what a machine's state left there, a longer backing file */
    uint64_t bsize = n->backing ? blk_node_size(n->backing) : 0, show = MIN(MAX(ALIGN_UP(old, q->cs), bsize), size);
    if (show > old) r = qc_zero(n, old, show - old, 0);
    if (!r && q->has_data && size > blk_node_size(q->data)) r = blk_node_truncate(q->data, size, NULL, NULL);
    return r;
}

int qc_truncate(struct blk_node *n, uint64_t size, const char *prealloc, struct err *e)
{
    struct qcow2 *q = n->s;
    struct qc_range rg;
    uint64_t old = blk_node_size(n), span = qc_l1_span(q);
    int r = 0;
    size = ALIGN_UP(size, 512ull);
    if (q->nsnap && !q->v3) return err_set(e, ENOTSUP, "Can't resize a version 2 image which has snapshots");
    if (size / span + 1 > QC_MAX_L1 / 8) return err_set(e, EFBIG, "The image is too big for its cluster size");
    if (size > old) {
        r = grow(q, old, size);
    } else if (size < old) {
        pthread_mutex_lock(&q->lock);
        qc_range_enter(q, &rg, 0, QC_WHOLE, true);
        r = qc_drop_from(q, ALIGN_UP(size, q->cs), q->l1_size * span);
        if (!r) r = qc_flush(q);
        qc_range_leave(q, &rg);
        pthread_mutex_unlock(&q->lock);
    }
    if (!r) {
        pthread_mutex_lock(&q->lock);
        r = qc_flush(q);
        __atomic_store_n(&n->size, size, __ATOMIC_RELAXED);
        if (!r) r = qc_header_update(q);
        if (!r) r = qc_sync(q);
        if (r) __atomic_store_n(&n->size, old, __ATOMIC_RELAXED);
        pthread_mutex_unlock(&q->lock);
    }
    if (!r && q->has_data && size < old) r = blk_node_truncate(q->data, size, NULL, NULL);
    if (!r && size > old && prealloc && strcmp(prealloc, "off")) {
        r = qc_preallocate(q, ALIGN_UP(old, q->cs), size > ALIGN_UP(old, q->cs) ? size - ALIGN_UP(old, q->cs) : 0);
        if (!r && strcmp(prealloc, "metadata")) r = fill(n, prealloc);
    }
    return r ? err_set(e, -r, "Failed to resize image: %s", strerror(-r)) : 0;
}

int qc_set_backing(struct blk_node *n, const char *name, const char *fmt, struct err *e)
{
    struct qcow2 *q = n->s;
    if (name && strlen(name) > 1023) return err_set(e, EINVAL, "Backing file name too long");
    if (name && q->data_raw) return err_set(e, EINVAL, "Cannot set a backing file for an image with data-file-raw");
    pthread_mutex_lock(&q->lock);
    char *old_name = n->backing_name, *old_fmt = n->backing_fmt;
    n->backing_name = name && *name ? strdup(name) : NULL;
    n->backing_fmt = n->backing_name && fmt ? strdup(fmt) : NULL;
    int r = qc_flush(q);
    r = r ? err_set(e, -r, "flush: %s", strerror(-r)) : qc_header_rewrite(q, e);
    if (r) {
        free(n->backing_name), free(n->backing_fmt);
        n->backing_name = old_name, n->backing_fmt = old_fmt;
    } else {
        free(old_name), free(old_fmt);
    }
    pthread_mutex_unlock(&q->lock);
    return r;
}

int qc_amend(struct blk_node *n, struct json_object *opts, struct err *e)
{
    struct qcow2 *q = n->s;
    uint64_t size = blk_node_size(n);
    bool lazy = q->compat & QC_LAZY, v3 = q->v3;
    char *compat = blk_opt_str(opts, "compat"), *backing = blk_opt_str(opts, "backing_file"), *fmt = blk_opt_str(opts, "backing_fmt");
    int r = blk_opt_size(opts, "size", &size, e);
    if (!r) r = blk_opt_bool(opts, "lazy_refcounts", &lazy, e);
    if (!r && compat) {
        v3 = !strcmp(compat, "1.1") || !strcmp(compat, "v3");
        if (!v3 && strcmp(compat, "0.10") && strcmp(compat, "v2")) r = err_set(e, EINVAL, "Invalid parameter '%s'", compat);
    }
    if (!r) r = blk_opts_left(opts, "qcow2 (amend)", e);
    if (!r && !v3 && q->v3) r = err_set(e, ENOTSUP, "an image cannot be made version 2: convert it (-o compat=0.10)");
    if (!r && lazy && !v3) r = err_set(e, EINVAL, "Lazy refcounts only supported with compatibility level 1.1 and above");
    if (!r && (v3 != q->v3 || lazy != !!(q->compat & QC_LAZY))) {
        pthread_mutex_lock(&q->lock);
        r = qc_flush(q);
        if (!q->v3) q->header_length = 112;
        q->version = v3 ? 3 : 2, q->v3 = v3;
        q->compat = lazy ? q->compat | QC_LAZY : q->compat & ~(uint64_t)QC_LAZY;
        q->lazy = lazy;
        if (!r) r = qc_cache_write(q, &q->rb);
        if (!r) r = qc_header_rewrite(q, e);
        pthread_mutex_unlock(&q->lock);
    }
    if (!r && backing) r = qc_set_backing(n, backing, fmt, e);
    if (!r && size != blk_node_size(n)) r = qc_truncate(n, size, NULL, e);
    free(compat), free(backing), free(fmt);
    return r;
}

int qc_make_empty(struct blk_node *n, struct err *e)
{
    struct qcow2 *q = n->s;
    struct qc_range rg;
    pthread_mutex_lock(&q->lock);
    qc_range_enter(q, &rg, 0, QC_WHOLE, true);
    int r = qc_drop_from(q, 0, ALIGN_UP(blk_node_size(n), q->cs));
    if (!r) r = qc_flush(q);
    qc_range_leave(q, &rg);
    pthread_mutex_unlock(&q->lock);
    return r ? err_set(e, -r, "Could not empty %s: %s", n->filename, strerror(-r)) : 0;
}
