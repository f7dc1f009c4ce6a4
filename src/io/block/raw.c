/* raw.c: the file is the disk, or a window of it (offset=, size=). */
#include <json-c/json.h>
#include <stdlib.h>
#include "io/block/int.h"

struct raw {
    uint64_t offset;
    bool window;
};

static int raw_open(struct blk_node *n, struct json_object *opts, struct err *e)
{
    struct raw *s = xalloc(sizeof *s);
    uint64_t size = UINT64_MAX;
    n->s = s;
    n->file = blk_open_child(n, opts, "file", n->flags, e);
    if (!n->file) return e && e->code ? -e->code : -EINVAL;
    int r = blk_opt_size(opts, "offset", &s->offset, e);
    if (!r) r = blk_opt_size(opts, "size", &size, e);
    if (r) return r;
    uint64_t whole = blk_node_size(n->file);
    if (s->offset > whole || (size != UINT64_MAX && size > whole - s->offset))
        return err_set(e, EINVAL, "raw: offset %llu and size reach beyond the file's %llu bytes", (unsigned long long)s->offset,
                       (unsigned long long)whole);
    s->window = s->offset || size != UINT64_MAX;
    n->size = size != UINT64_MAX ? size : whole - s->offset;
    n->cluster_size = n->file->cluster_size;
    return 0;
}

static uint64_t at(struct blk_node *n, uint64_t off)
{
    return ((struct raw *)n->s)->offset + off;
}

static int raw_preadv(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    return blk_node_preadv(n->file, at(n, off), iov, niov, flags);
}

static int raw_pwritev(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    return blk_node_pwritev(n->file, at(n, off), iov, niov, flags);
}

static int raw_flush(struct blk_node *n)
{
    return blk_node_flush(n->file);
}

static int raw_discard(struct blk_node *n, uint64_t off, uint64_t bytes)
{
    return blk_node_discard(n->file, at(n, off), bytes);
}

static int raw_zero(struct blk_node *n, uint64_t off, uint64_t bytes, unsigned flags)
{
    return blk_node_zero(n->file, at(n, off), bytes, flags);
}

static int raw_truncate(struct blk_node *n, uint64_t size, const char *prealloc, struct err *e)
{
    if (((struct raw *)n->s)->window) return err_set(e, ENOTSUP, "a raw image with offset or size cannot be resized");
    int r = blk_node_truncate(n->file, size, prealloc, e);
    if (!r) __atomic_store_n(&n->size, size, __ATOMIC_RELAXED);
    return r;
}

static int raw_status(struct blk_node *n, uint64_t off, uint64_t bytes, struct blk_range *r)
{
    *r = (struct blk_range){ .st = BLK_ST_ALLOCATED | BLK_ST_OFFSET | BLK_ST_RECURSE, .bytes = bytes, .host = at(n, off),
                             .file = n->file };
    return 0;
}

static int raw_enter(struct blk_node *n, bool write, uint64_t off, uint64_t bytes, struct blk_hop *h)
{
    h->node = n->file;
    h->offset = at(n, off);
    return 1;
}

static int raw_create(struct blk_graph *g, const char *filename, struct json_object *opts, struct err *e)
{
    return blk_driver_find("file")->create(g, !strncmp(filename, "file:", 5) ? filename + 5 : filename, opts, e);
}

static int raw_measure(struct json_object *opts, uint64_t size, struct blk_node *src, uint64_t *required, uint64_t *full, struct err *e)
{
    *required = *full = ALIGN_UP(size, 512ull);
    return 0;
}

static const struct blk_create_opt raw_create_opts[] = {
    { "nocow", "bool (on/off)", "Turn off copy-on-write (valid only on btrfs)" },
    { "preallocation", "str", "Preallocation mode (allowed values: off, falloc, full)" },
    { "size", "size", "Virtual disk size" },
    { 0 },
};

const struct blk_driver blk_raw = {
    .name = "raw", .create_opts = raw_create_opts, .open = raw_open, .preadv = raw_preadv, .pwritev = raw_pwritev,
    .flush = raw_flush, .discard = raw_discard, .zero = raw_zero, .truncate = raw_truncate, .status = raw_status, .enter = raw_enter,
    .create = raw_create, .measure = raw_measure,
};
