/*
 * qcow2.c: driver "qcow2": opening and closing. Versions 2 and 3: backing files, snapshots, zlib and zstd compressed clusters, lazy
 * refcounts, subclusters, external data files. Spec: QEMU's docs/interop/qcow2.rst; the inside: qcow2.h.
 * Known gaps: encryption; persistent bitmaps are kept as long as nobody writes (then their autoclear bit goes, as the spec says).
 */
#include <json-c/json.h>
#include <stdlib.h>
#include "io/block/qcow2.h"

enum { SLICE = 4096, L2_CACHE = 32 << 20, RB_CACHE = 4 << 20 };

static int qc_probe(const uint8_t *buf, size_t n, const char *filename)
{
    return n >= 8 && !memcmp(buf, "QFI\xfb", 4) && !buf[4] && !buf[5] && !buf[6] && buf[7] >= 2 ? 100 : 0;
}

static int load_table(struct qcow2 *q, uint64_t off, uint64_t n, uint64_t **out)
{
    uint64_t *t = xalloc((size_t)n * 8 + 8);
    *out = t;
    int r = n ? blk_node_pread(q->file, off, t, (size_t)n * 8) : 0;
    for (uint64_t i = 0; !r && i < n; i++) t[i] = be64toh(t[i]);
    return r;
}

static int take_options(struct blk_node *n, struct json_object *opts, uint64_t *l2, uint64_t *rb, bool *lazy, bool *pass, struct err *e)
{
    static const char *const quiet[] = { "overlap-check", "cache-clean-interval", "l2-cache-entry-size", "discard-no-unref" };
    uint64_t both = 0;
    int r = blk_opt_size(opts, "cache-size", &both, e);
    if (!r && both) *l2 = both - MIN(both / 8, (uint64_t)RB_CACHE);
    if (!r) r = blk_opt_size(opts, "l2-cache-size", l2, e);
    if (!r) r = blk_opt_size(opts, "refcount-cache-size", rb, e);
    if (!r) r = blk_opt_bool(opts, "lazy-refcounts", lazy, e);
    if (!r) r = blk_opt_bool(opts, "pass-discard-request", pass, e);
    if (!r) r = blk_opt_bool(opts, "pass-discard-snapshot", &(bool){ 0 }, e);
    if (!r) r = blk_opt_bool(opts, "pass-discard-other", &(bool){ 0 }, e);
    for (unsigned i = 0; i < ARRAY_LEN(quiet); i++) free(blk_opt_str(opts, quiet[i]));
    return r;
}

static int open_data_file(struct blk_node *n, struct qcow2 *q, struct json_object *opts, struct err *e)
{
    q->data = q->file;
    if (!q->has_data) return 0;
    if (json_object_object_get_ex(opts, "data-file", NULL)) {
        q->data = blk_open_child(n, opts, "data-file", n->flags, e);
    } else if (q->data_name && *q->data_name) {
        char *path = blk_path_combine(n->file->filename, q->data_name);
        q->data = path ? blk_node_open_file(n->graph, path, "file", n->flags, e) : NULL;
        free(path);
    } else {
        q->data = NULL;
        return err_set(e, EINVAL, "'data-file' is required for this image");
    }
    return q->data ? 0 : e && e->code ? -e->code : -EINVAL;
}

/* What was left by a crash, or is not ours to keep when we write. */
static int make_writable(struct blk_node *n, struct qcow2 *q, struct err *e)
{
    uint64_t keep = QC_DATA_RAW;
    if (!(n->flags & BLK_RDWR) || (n->flags & BLK_CHECK)) return 0;
    if (q->corrupt)
        return err_set(e, EACCES, "qcow2: Image is corrupt; cannot be opened read/write ('check -r all' may repair it)");
    if (q->dirty) {
        struct blk_check c = { 0 };
        int r = qc_check(n, &c, BLK_FIX_LEAKS | BLK_FIX_ERRORS, e);
        if (r) return r;
        if (c.corruptions || c.check_errors) return err_set(e, EIO, "the image was not closed and cannot be repaired");
    }
    if (!(q->autoclear & ~keep)) return 0;
    q->autoclear &= keep;
    int r = qc_header_update(q);
    return r ? err_set(e, -r, "header: %s", strerror(-r)) : 0;
}

static int qc_load(struct blk_node *n, struct qcow2 *q, struct json_object *opts, struct err *e)
{
    struct qc_header h;
    uint64_t l2 = L2_CACHE, rb = RB_CACHE;
    int r = qc_header_load(q, &h, e);
    if (r) return r;
    bool lazy = q->lazy, pass = true;
    if ((r = take_options(n, opts, &l2, &rb, &lazy, &pass, e))) return r;
    q->lazy = lazy && q->v3;
    q->pass_discard = pass && (n->flags & BLK_UNMAP);
    n->size = h.size;
    n->cluster_size = (uint32_t)q->cs;
    uint32_t slice = (uint32_t)MIN(q->cs, (uint64_t)SLICE);
    qc_cache_init(&q->l2, slice, MIN(l2, ((uint64_t)h.l1_size << q->cluster_bits) + slice), true);
    qc_cache_init(&q->rb, slice, rb, false);
    q->l1_size = h.l1_size, q->l1_off = h.l1_offset;
    q->reft_off = h.reft_offset, q->reft_clusters = h.reft_clusters;
    q->reft_size = (uint32_t)((uint64_t)h.reft_clusters * (q->cs / 8));
    q->l1_lo = q->reft_lo = UINT32_MAX;
    if ((r = load_table(q, q->l1_off, q->l1_size, &q->l1))) return err_set(e, -r, "L1 table: %s", strerror(-r));
    if ((r = load_table(q, q->reft_off, q->reft_size, &q->reft))) return err_set(e, -r, "refcount table: %s", strerror(-r));
    if ((r = qc_snaps_load(q, &h, e))) return r;
    if ((r = open_data_file(n, q, opts, e))) return r;
    if ((r = make_writable(n, q, e))) return r;
    q->loaded = true;
    return blk_open_backing(n, opts, e);
}

static int qc_open(struct blk_node *n, struct json_object *opts, struct err *e)
{
    struct qcow2 *q = xalloc(sizeof *q);
    n->s = q;
    q->node = n;
    q->l1_lo = q->reft_lo = UINT32_MAX;
    pthread_mutex_init(&q->lock, NULL);
    pthread_mutex_init(&q->comp_lock, NULL);
    pthread_cond_init(&q->cond, NULL);
    n->file = blk_open_child(n, opts, "file", n->flags, e);
    if (!n->file) return e && e->code ? -e->code : -EINVAL;
    q->file = q->data = n->file;
    if (!n->filename && n->file->filename) n->filename = strdup(n->file->filename);
    return qc_load(n, q, opts, e);
}

/* Everything to the file; only then is it not dirty any more. */
static int shut_down(struct qcow2 *q)
{
    int r = qc_flush(q);
    if (!r) r = qc_cache_write(q, &q->rb);
    if (!r && q->reft_lo < q->reft_hi) r = qc_flush(q);
    if (r || !(q->incompat & QC_DIRTY)) return r;
    r = qc_sync(q);
    q->incompat &= ~(uint64_t)QC_DIRTY;
    if (!r) r = qc_header_update(q);
    return r;
}

static int qc_reopen(struct blk_node *n, struct err *e)
{
    struct qcow2 *q = n->s;
    if (n->flags & BLK_RDWR) return q->data != q->file ? err_set(e, ENOTSUP, "the data file stays read-only") : make_writable(n, q, e);
    int r = q->corrupt ? 0 : shut_down(q);
    return r ? err_set(e, -r, "%s: %s", n->filename ? n->filename : n->name, strerror(-r)) : 0;
}

static int qc_close(struct blk_node *n)
{
    struct qcow2 *q = n->s;
    int r = 0;
    if (q->loaded && (n->flags & BLK_RDWR) && !q->corrupt && !(n->flags & BLK_CHECK)) r = shut_down(q);
    if (q->data && q->data != q->file) blk_node_unref(q->data, NULL);
    qc_snaps_free(q);
    qc_exts_free(q);
    qc_cache_free(&q->l2);
    qc_cache_free(&q->rb);
    free(q->frees.v);
    free(q->l1);
    free(q->reft);
    free(q->data_name);
    free(q->comp_buf);
    pthread_mutex_destroy(&q->lock);
    pthread_mutex_destroy(&q->comp_lock);
    pthread_cond_destroy(&q->cond);
    return r;
}

static void add_bool(struct json_object *o, const char *key, bool v)
{
    json_object_object_add(o, key, json_object_new_boolean(v));
}

static int qc_info(struct blk_node *n, struct json_object *out)
{
    struct qcow2 *q = n->s;
    json_object_object_add(out, "compat", json_object_new_string(q->v3 ? "1.1" : "0.10"));
    if (q->v3) {
        json_object_object_add(out, "compression-type", json_object_new_string(q->zstd ? "zstd" : "zlib"));
        add_bool(out, "lazy-refcounts", q->compat & QC_LAZY);
        json_object_object_add(out, "refcount-bits", json_object_new_int(1 << q->refcount_order));
        if (q->has_data && q->data_name) json_object_object_add(out, "data-file", json_object_new_string(q->data_name));
        if (q->has_data) add_bool(out, "data-file-raw", q->data_raw);
        add_bool(out, "corrupt", q->incompat & QC_CORRUPT);
        add_bool(out, "extended-l2", q->ext_l2);
    } else {
        json_object_object_add(out, "compression-type", json_object_new_string("zlib"));
        json_object_object_add(out, "refcount-bits", json_object_new_int(16));
    }
    return 0;
}

const struct blk_driver blk_qcow2 = {
    .name = "qcow2", .create_opts = qc_create_opts, .probe = qc_probe, .open = qc_open, .close = qc_close,
    .preadv = qc_preadv, .pwritev = qc_pwritev, .flush = qc_node_flush, .discard = qc_discard, .zero = qc_zero,
    .truncate = qc_truncate, .status = qc_status, .enter = qc_enter, .leave = qc_leave, .info = qc_info, .create = qc_create,
    .measure = qc_measure, .check = qc_check, .set_backing = qc_set_backing, .amend = qc_amend, .snap_list = qc_snap_list,
    .snap_create = qc_snap_create, .snap_apply = qc_snap_apply, .snap_delete = qc_snap_delete, .snap_show = qc_snap_show, .vmstate = qc_vmstate,
    .make_empty = qc_make_empty, .reopen = qc_reopen,
};
