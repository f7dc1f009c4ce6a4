/* qcow2_header.c: the header: validated once, when the image is opened; written in one piece. */
#include <stdio.h>
#include <stdlib.h>
#include "io/block/qcow2.h"

static const uint32_t EXT_END = 0, EXT_BACKING_FMT = 0xe2792aca, EXT_FEATURES = 0x6803f857, EXT_DATA_FILE = 0x44415441;
enum { MAX_EXTS = 64 };

static void from_file(struct qc_header *h)
{
    h->magic = be32toh(h->magic), h->version = be32toh(h->version);
    h->backing_offset = be64toh(h->backing_offset), h->backing_size = be32toh(h->backing_size);
    h->cluster_bits = be32toh(h->cluster_bits), h->size = be64toh(h->size), h->crypt_method = be32toh(h->crypt_method);
    h->l1_size = be32toh(h->l1_size), h->l1_offset = be64toh(h->l1_offset), h->reft_offset = be64toh(h->reft_offset);
    h->reft_clusters = be32toh(h->reft_clusters), h->nb_snapshots = be32toh(h->nb_snapshots), h->snap_offset = be64toh(h->snap_offset);
    if (h->version < 3) {
        h->incompat = h->compat = h->autoclear = 0;
        h->refcount_order = 4, h->header_length = 72, h->compression = 0;
        return;
    }
    h->incompat = be64toh(h->incompat), h->compat = be64toh(h->compat), h->autoclear = be64toh(h->autoclear);
    h->refcount_order = be32toh(h->refcount_order), h->header_length = be32toh(h->header_length);
    if (h->header_length <= 104) h->compression = 0;
}

/* The header as it is now, for the file. */
static size_t to_file(const struct qcow2 *q, struct qc_header *h)
{
    *h = (struct qc_header){
        .magic = htobe32(QC_MAGIC), .version = htobe32(q->version), .cluster_bits = htobe32(q->cluster_bits),
        .size = htobe64(q->node->size), .l1_size = htobe32(q->l1_size), .l1_offset = htobe64(q->l1_off),
        .reft_offset = htobe64(q->reft_off), .reft_clusters = htobe32(q->reft_clusters), .nb_snapshots = htobe32(q->nsnap),
        .snap_offset = htobe64(q->snap_off), .incompat = htobe64(q->incompat), .compat = htobe64(q->compat),
        .autoclear = htobe64(q->autoclear), .refcount_order = htobe32(q->refcount_order), .header_length = htobe32(q->header_length),
        .compression = q->zstd,
    };
    return MIN(q->v3 ? q->header_length : 72, sizeof *h);
}

int qc_header_update(struct qcow2 *q)
{
    struct qc_header h, old;
    size_t n = to_file(q, &h);
    /* the backing file's name stays where it is */
    int r = blk_node_pread(q->file, 0, &old, sizeof old);
    if (r) return r;
    h.backing_offset = old.backing_offset;
    h.backing_size = old.backing_size;
    return blk_node_pwrite(q->file, 0, &h, n);
}

static size_t put_ext(uint8_t *buf, size_t at, size_t max, uint32_t type, const void *data, size_t len)
{
    uint32_t t = htobe32(type), l = htobe32((uint32_t)len);
    if (at + 8 + ALIGN_UP(len, 8u) > max) return max + 1;
    memcpy(buf + at, &t, 4);
    memcpy(buf + at + 4, &l, 4);
    if (len) memcpy(buf + at + 8, data, len);
    return at + 8 + ALIGN_UP(len, 8u);
}

static size_t put_features(uint8_t *buf, size_t at, size_t max)
{
    static const struct {
        uint8_t type, bit;
        char name[46];
    } row[] = {
        { 0, 0, "dirty bit" }, { 0, 1, "corrupt bit" }, { 0, 2, "external data file" }, { 0, 3, "compression type" },
        { 0, 4, "extended L2 entries" }, { 1, 0, "lazy refcounts" }, { 2, 0, "bitmaps" }, { 2, 1, "raw external data" },
    };
    _Static_assert(sizeof row[0] == 48, "layout of the file");
    return max < 4096 ? at : put_ext(buf, at, max, EXT_FEATURES, row, sizeof row);
}

int qc_header_rewrite(struct qcow2 *q, struct err *e)
{
    struct blk_node *n = q->node;
    size_t max = (size_t)MIN(q->cs, 65536u), at;
    uint8_t *buf = xalloc(max + 16);
    struct qc_header h;
    at = to_file(q, &h);
    at = q->v3 ? q->header_length : at;
    if (at > max) at = max;
    /* fields that a later version of the format put behind ours stay */
    int r = at > sizeof h ? blk_node_pread(q->file, 0, buf, at) : 0;
    if (n->backing_fmt && *n->backing_fmt) at = put_ext(buf, at, max, EXT_BACKING_FMT, n->backing_fmt, strlen(n->backing_fmt));
    if (at <= max && q->data_name) at = put_ext(buf, at, max, EXT_DATA_FILE, q->data_name, strlen(q->data_name));
    for (uint32_t i = 0; at <= max && i < q->next; i++) at = put_ext(buf, at, max, q->ext[i].type, q->ext[i].data, q->ext[i].len);
    if (at <= max && q->v3) at = put_features(buf, at, max);
    if (at <= max) at = put_ext(buf, at, max, EXT_END, NULL, 0);
    size_t len = n->backing_name ? strlen(n->backing_name) : 0;
    if (!r && (at > max || len > max - at || len > 1023)) r = err_set(e, ENOSPC, "the header's cluster has no room for the name of the backing file");
    if (!r) {
        if (len) {
            memcpy(buf + at, n->backing_name, len);
            h.backing_offset = htobe64(at);
            h.backing_size = htobe32((uint32_t)len);
        }
        memcpy(buf, &h, MIN(q->v3 ? q->header_length : 72u, sizeof h));
        r = blk_node_pwrite(q->file, 0, buf, max);
        if (!r) r = blk_node_flush(q->file);
        if (r) err_set(e, -r, "header: %s", strerror(-r));
    }
    free(buf);
    return r;
}

/* --- reading ------------------------------------------------------------------------------------------------------------------------- */

static int bad(struct blk_node *n, struct err *e, int code, const char *what)
{
    return err_set(e, code, "%s: %s", n->filename ? n->filename : n->file->filename ? n->file->filename : n->name, what);
}

/* What a feature bit is called by the image itself. */
static void feature_name(const struct qcow2 *q, uint64_t bits, char *out, size_t size)
{
    unsigned bit = (unsigned)__builtin_ctzll(bits);
    snprintf(out, size, "Unknown incompatible feature: %llx", (unsigned long long)bits);
    for (uint32_t i = 0; i < q->next; i++) {
        for (uint32_t at = 0; q->ext[i].type == EXT_FEATURES && at + 48 <= q->ext[i].len; at += 48)
            if (!q->ext[i].data[at] && q->ext[i].data[at + 1] == bit) snprintf(out, size, "%.46s", (char *)q->ext[i].data + at + 2);
    }
}

static int read_exts(struct qcow2 *q, const struct qc_header *h, struct err *e)
{
    struct blk_node *n = q->node;
    uint64_t end = h->backing_offset ? MIN(h->backing_offset, q->cs) : q->cs, at = h->header_length;
    while (at + 8 <= end) {
        uint8_t head[8];
        uint32_t type, len;
        int r = blk_node_pread(q->file, at, head, 8);
        if (r) return bad(n, e, -r, "header cannot be read");
        memcpy(&type, head, 4);
        memcpy(&len, head + 4, 4);
        type = be32toh(type), len = be32toh(len);
        at += 8;
        if (type == EXT_END) break;
        if (len > end - at || q->next == MAX_EXTS) return bad(n, e, EINVAL, "Header extension too large");
        uint8_t *data = xalloc(len + 1u);
        if ((r = blk_node_pread(q->file, at, data, len))) {
            free(data);
            return bad(n, e, -r, "header cannot be read");
        }
        at += ALIGN_UP((uint64_t)len, 8u);
        if (type == EXT_BACKING_FMT && !n->backing_fmt) {
            n->backing_fmt = (char *)data;
        } else if (type == EXT_DATA_FILE && !q->data_name) {
            q->data_name = (char *)data;
        } else {
            q->ext = xrealloc(q->ext, q->next * sizeof *q->ext, (q->next + 1) * sizeof *q->ext);
            q->ext[q->next++] = (struct qc_ext){ type, len, data };
        }
    }
    return 0;
}

void qc_exts_free(struct qcow2 *q)
{
    for (uint32_t i = 0; i < q->next; i++) free(q->ext[i].data);
    free(q->ext);
    q->ext = NULL;
    q->next = 0;
}

static int read_backing_name(struct qcow2 *q, const struct qc_header *h, struct err *e)
{
    struct blk_node *n = q->node;
    if (!h->backing_offset || !h->backing_size) return 0;
    if (h->backing_size > 1023 || h->backing_offset > q->cs || h->backing_size > q->cs - h->backing_offset)
        return bad(n, e, EINVAL, "Backing file name too long");
    n->backing_name = xalloc(h->backing_size + 1u);
    int r = blk_node_pread(q->file, h->backing_offset, n->backing_name, h->backing_size);
    return r ? bad(n, e, -r, "name of the backing file") : 0;
}

static int check_tables(struct qcow2 *q, const struct qc_header *h, struct err *e)
{
    struct blk_node *n = q->node;
    if (h->size > INT64_MAX / 2) return bad(n, e, EFBIG, "Image is too big");
    if (h->l1_size > QC_MAX_L1 / 8) return bad(n, e, EFBIG, "Active L1 table too large");
    if ((h->l1_offset & (q->cs - 1)) || h->l1_offset >> 56) return bad(n, e, EINVAL, "Active L1 table offset invalid");
    if ((u128)h->l1_size * qc_l1_span(q) < h->size) return bad(n, e, EINVAL, "L1 table is too small");
    if (h->reft_clusters > QC_MAX_REFT / q->cs) return bad(n, e, EINVAL, "Reference count table too large");
    if (!h->reft_clusters && !(n->flags & BLK_CHECK)) return bad(n, e, EINVAL, "Image does not contain a reference count table");
    if ((h->reft_offset & (q->cs - 1)) || h->reft_offset >> 56) return bad(n, e, EINVAL, "Reference count table offset invalid");
    if (h->nb_snapshots > QC_MAX_SNAPS) return bad(n, e, EINVAL, "Snapshot table too large");
    if (h->nb_snapshots && ((h->snap_offset & (q->cs - 1)) || h->snap_offset >> 56)) return bad(n, e, EINVAL, "Snapshot table offset invalid");
    return 0;
}

int qc_header_load(struct qcow2 *q, struct qc_header *h, struct err *e)
{
    struct blk_node *n = q->node;
    char what[64];
    int r = blk_node_pread(q->file, 0, h, sizeof *h);
    if (r) return bad(n, e, -r, "header cannot be read");
    from_file(h);
    if (h->magic != QC_MAGIC) return bad(n, e, EINVAL, "Image is not in qcow2 format");
    if (h->version != 2 && h->version != 3) return bad(n, e, ENOTSUP, "Unsupported qcow2 version");
    if (h->cluster_bits < 9 || h->cluster_bits > 21) return bad(n, e, EINVAL, "Unsupported cluster size");
    q->version = h->version;
    q->v3 = h->version >= 3;
    q->cluster_bits = h->cluster_bits;
    q->cs = 1ull << h->cluster_bits;
    if (q->v3 && (h->header_length < 104 || h->header_length > q->cs || h->header_length % 8))
        return bad(n, e, EINVAL, "qcow2 header has a wrong length");
    if (h->backing_offset > q->cs) return bad(n, e, EINVAL, "Invalid backing file offset");
    q->header_length = h->header_length;
    q->incompat = h->incompat, q->compat = h->compat, q->autoclear = h->autoclear;
    if ((r = read_exts(q, h, e))) return r;
    if (h->incompat & ~(uint64_t)QC_KNOWN) {
        feature_name(q, h->incompat & ~(uint64_t)QC_KNOWN, what, sizeof what);
        return err_set(e, ENOTSUP, "Unsupported qcow2 feature(s): %s", what);
    }
    for (uint32_t i = 0, k = 0, all = q->next; i < all; i++) { /* the table is written anew */
        if (q->ext[i].type == EXT_FEATURES)
            free(q->ext[i].data), q->next--;
        else
            q->ext[k++] = q->ext[i];
    }
    if (h->refcount_order > 6) return bad(n, e, EINVAL, "Reference count entry width too large; may not exceed 64 bits");
    if (h->crypt_method) return bad(n, e, ENOTSUP, "encrypted images are not supported");
    if ((h->incompat & QC_COMP_TYPE) ? h->compression != 1 : h->compression != 0) return bad(n, e, EINVAL, "qcow2: unknown or invalid compression type");
    q->refcount_order = h->refcount_order;
    q->zstd = h->compression == 1;
    q->ext_l2 = h->incompat & QC_EXT_L2;
    if (q->ext_l2 && q->cluster_bits < 14) return bad(n, e, EINVAL, "extended L2 entries need clusters of 16 KiB at least");
    q->has_data = h->incompat & QC_DATA_FILE;
    q->data_raw = q->has_data && (h->autoclear & QC_DATA_RAW);
    q->esize = q->ext_l2 ? 16 : 8;
    q->l2_entries = (uint32_t)(q->cs / q->esize);
    q->sub_size = (uint32_t)(q->ext_l2 ? q->cs / 32 : q->cs);
    q->rb_entries = (uint32_t)(q->cs * 8 >> q->refcount_order);
    q->corrupt = h->incompat & QC_CORRUPT;
    q->dirty = h->incompat & QC_DIRTY;
    q->lazy = h->compat & QC_LAZY;
    r = check_tables(q, h, e);
    return r ? r : read_backing_name(q, h, e);
}
