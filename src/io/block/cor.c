/*
 * cor.c: copy-on-read: what is read from a backing file is written into the image, so that it is there the next time. The filter is
 * for -drive copy-on-read=on and -blockdev driver=copy-on-read; block jobs use the same copying.
 */
#include "io/block/cor.h"

#include <json-c/json.h>
#include <stdlib.h>

enum { CHUNK = 1 << 20 };

static int before(void *ctx, uint64_t off, uint64_t bytes)
{
    ranges_enter(&((struct cor *)ctx)->ranges, off, bytes, false);
    return 0;
}

static void after(void *ctx, uint64_t off, uint64_t bytes, int ret)
{
    ranges_leave(&((struct cor *)ctx)->ranges, off, bytes, false);
}

void cor_init(struct cor *c, struct blk_node *top)
{
    *c = (struct cor){ .watch = { before, after, c, NULL }, .top = top };
    ranges_init(&c->ranges);
    blk_watch_add(top, &c->watch);
}

void cor_done(struct cor *c)
{
    blk_watch_del(c->top, &c->watch);
    ranges_done(&c->ranges);
}

/* Is [off, off + *bytes) in a layer from top down to above base? *bytes is cut to where the answer is one. */
static int layer_has(struct blk_node *top, const struct blk_node *base, uint64_t off, uint64_t *bytes, bool *has)
{
    *has = false;
    for (struct blk_node *n = top; n && n != base; n = n->backing) {
        struct blk_range rg;
        while (n->drv->is_filter && n->file) n = n->file;
        if (n == base) break;
        int r = blk_node_status(n, off, *bytes, &rg);
        if (r) return r;
        *bytes = MIN(*bytes, rg.bytes);
        if (rg.st & BLK_ST_ALLOCATED || !n->backing) {
            *has = n != top && (base || n->backing || rg.st & BLK_ST_DATA);
            return 0;
        }
    }
    return 0;
}

/* One piece of at most CHUNK bytes; writers are kept out. */
static int fill(struct cor *c, const struct blk_node *base, uint64_t off, uint64_t bytes, uint8_t *buf, uint64_t *copied)
{
    for (uint64_t end = off + bytes; off < end;) {
        struct blk_range rg;
        uint64_t n = end - off;
        bool has = false;
        int r = blk_node_status(c->top, off, n, &rg);
        if (r) return r;
        n = MIN(n, rg.bytes);
        if (!(rg.st & BLK_ST_ALLOCATED) && (r = layer_has(c->top, base, off, &n, &has))) return r;
        if (has) {
            struct iovec v = { buf, (size_t)n };
            r = c->top->drv->preadv(c->top, off, &v, 1, 0);
            if (!r && blk_is_zero(buf, n) && c->top->drv->zero) r = c->top->drv->zero(c->top, off, n, 0);
            else if (!r) r = c->top->drv->pwritev(c->top, off, &v, 1, 0); /* past the watch */
            if (r) return r;
            *copied += n;
        }
        off += n;
    }
    return 0;
}

int cor_fill(struct cor *c, const struct blk_node *base, uint64_t off, uint64_t bytes, uint64_t *copied)
{
    uint64_t cluster = MAX(c->top->cluster_size, 512u), size = blk_node_size(c->top), end = MIN(ALIGN_UP(off + bytes, cluster), size);
    void *buf = NULL;
    int r = 0;
    *copied = 0;
    off = ALIGN_DOWN(off, cluster);
    if (posix_memalign(&buf, 4096, CHUNK)) return -ENOMEM;
    while (!r && off < end) {
        uint64_t n = MIN(end - off, (uint64_t)CHUNK);
        ranges_enter(&c->ranges, off, n, true);
        r = fill(c, base, off, n, buf, copied);
        ranges_leave(&c->ranges, off, n, true);
        off += n;
    }
    free(buf);
    return r;
}

/* --- the filter ------------------------------------------------------------------------------------------------------------------ */

static int cor_open(struct blk_node *n, struct json_object *opts, struct err *e)
{
    n->file = blk_open_child(n, opts, "file", n->flags, e);
    if (!n->file) return e && e->code ? -e->code : -EINVAL;
    if (!(n->file->flags & BLK_RDWR)) return err_set(e, EINVAL, "copy-on-read: the node below is read-only");
    struct cor *c = xalloc(sizeof *c);
    n->s = c;
    n->size = blk_node_size(n->file);
    n->cluster_size = n->file->cluster_size;
    blk_graph_stop(n->graph);
    cor_init(c, n->file);
    blk_graph_go(n->graph);
    return 0;
}

static int cor_close(struct blk_node *n)
{
    blk_graph_stop(n->graph);
    cor_done(n->s);
    blk_graph_go(n->graph);
    return 0;
}

static int cor_preadv(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    uint64_t copied;
    struct cor *c = n->s;
    if (c->top != n->file) return blk_node_preadv(n->file, off, iov, niov, flags); /* another node is below now */
    if (n->file->backing) cor_fill(c, NULL, off, blk_iov_bytes(iov, niov), &copied); /* where it fails, it is read as before */
    return blk_node_preadv(n->file, off, iov, niov, flags);
}

static int cor_truncate(struct blk_node *n, uint64_t size, const char *prealloc, struct err *e)
{
    int r = blk_node_truncate(n->file, size, prealloc, e);
    if (!r) __atomic_store_n(&n->size, size, __ATOMIC_RELAXED);
    return r;
}

const struct blk_driver blk_copy_on_read = {
    .name = "copy-on-read", .is_filter = true, .open = cor_open, .close = cor_close, .preadv = cor_preadv, .truncate = cor_truncate,
};
