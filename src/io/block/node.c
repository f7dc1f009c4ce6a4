/* node.c: blocking I/O on a node: filters looked through, what a driver has not made up generically, vectors. */
#include <stdlib.h>
#include "io/block/int.h"

enum { ZERO_CHUNK = 1 << 20 };

size_t blk_iov_bytes(const struct iovec *iov, int n)
{
    size_t sum = 0;
    for (int i = 0; i < n; i++) sum += iov[i].iov_len;
    return sum;
}

int blk_iov_cut(const struct iovec *src, int n, size_t skip, size_t bytes, struct iovec *dst)
{
    int out = 0;
    for (int i = 0; i < n && bytes; i++) {
        size_t len = src[i].iov_len;
        if (skip >= len) {
            skip -= len;
            continue;
        }
        len = MIN(len - skip, bytes);
        dst[out++] = (struct iovec){ (char *)src[i].iov_base + skip, len };
        bytes -= len;
        skip = 0;
    }
    return out;
}

bool blk_is_zero(const void *p, size_t n)
{
    const uint8_t *b = p;
    if (n < 16) {
        for (size_t i = 0; i < n; i++)
            if (b[i]) return false;
        return true;
    }
    for (size_t i = 0; i < 16; i++)
        if (b[i]) return false;
    return !memcmp(b, b + 16, n - 16);
}

int blk_node_preadv(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    while (n->drv->is_filter && !n->drv->preadv) n = n->file;
    if (!n->drv->is_filter) flags &= ~(unsigned)BLK_PAID;
    return n->drv->preadv(n, off, iov, niov, flags);
}

/* Those who watch a node; what `before` was called of is called of `after`. */
static int announce(struct blk_node *n, uint64_t off, uint64_t bytes)
{
    int r = 0;
    struct blk_watch *w = n->watch;
    for (; w && !r; w = r ? w : w->next)
        if (w->before) r = w->before(w->ctx, off, bytes);
    for (struct blk_watch *o = n->watch; r && o != w; o = o->next)
        if (o->after) o->after(o->ctx, off, bytes, r);
    return r;
}

static int tell(struct blk_node *n, uint64_t off, uint64_t bytes, int ret)
{
    for (struct blk_watch *w = n->watch; w; w = w->next)
        if (w->after) w->after(w->ctx, off, bytes, ret);
    return ret;
}

int blk_node_pwritev(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    while (n->drv->is_filter && !n->drv->pwritev && !n->watch) n = n->file;
    if (!(n->flags & BLK_RDWR)) return -EROFS;
    if (!n->drv->is_filter) flags &= ~(unsigned)BLK_PAID;
    size_t bytes = n->watch ? blk_iov_bytes(iov, niov) : 0;
    int r = n->watch ? announce(n, off, bytes) : 0;
    if (r) return r;
    if (n->drv->pwritev) r = n->drv->pwritev(n, off, iov, niov, flags);
    else r = n->drv->is_filter ? blk_node_pwritev(n->file, off, iov, niov, flags) : -ENOTSUP;
    return n->watch ? tell(n, off, bytes, r) : r;
}

int blk_node_pread(struct blk_node *n, uint64_t off, void *buf, size_t bytes)
{
    struct iovec iov = { buf, bytes };
    return blk_node_preadv(n, off, &iov, 1, 0);
}

int blk_node_pwrite(struct blk_node *n, uint64_t off, const void *buf, size_t bytes)
{
    struct iovec iov = { (void *)(uintptr_t)buf, bytes };
    return blk_node_pwritev(n, off, &iov, 1, 0);
}

int blk_node_flush(struct blk_node *n)
{
    while (n->drv->is_filter && !n->drv->flush) n = n->file;
    if (!(n->flags & BLK_RDWR)) return 0;
    return n->drv->flush ? n->drv->flush(n) : 0;
}

int blk_node_discard(struct blk_node *n, uint64_t off, uint64_t bytes)
{
    while (n->drv->is_filter && !n->drv->discard && !n->watch) n = n->file;
    if (!(n->flags & BLK_RDWR)) return -EROFS;
    if (!(n->flags & BLK_UNMAP) || (!n->drv->discard && !n->drv->is_filter)) return 0;
    int r = n->watch ? announce(n, off, bytes) : 0;
    if (r) return r;
    r = n->drv->discard ? n->drv->discard(n, off, bytes) : blk_node_discard(n->file, off, bytes);
    return n->watch ? tell(n, off, bytes, r) : r;
}

static int zero(struct blk_node *n, uint64_t off, uint64_t bytes, unsigned flags)
{
    int r = -ENOTSUP;
    if (!n->drv->is_filter) flags &= ~(unsigned)BLK_PAID;
    if (n->drv->zero) r = n->drv->zero(n, off, bytes, flags);
    else if (n->drv->is_filter) r = blk_node_zero(n->file, off, bytes, flags);
    if (r != -ENOTSUP || (flags & BLK_NO_FALLBACK)) return r;
    size_t len = (size_t)MIN(bytes, (uint64_t)ZERO_CHUNK);
    void *buf = NULL;
    if (posix_memalign(&buf, 4096, ALIGN_UP(len, 4096u))) return -ENOMEM;
    memset(buf, 0, len);
    for (r = 0; !r && bytes;) {
        /* whole chunks where the file has them: what follows is aligned for O_DIRECT */
        size_t step = (size_t)MIN(bytes, ZERO_CHUNK - (off & (ZERO_CHUNK - 1)));
        step = MIN(step, len);
        struct iovec iov = { buf, step };
        r = n->drv->pwritev ? n->drv->pwritev(n, off, &iov, 1, 0) : -ENOTSUP;
        off += step;
        bytes -= step;
    }
    free(buf);
    return r;
}

int blk_node_zero(struct blk_node *n, uint64_t off, uint64_t bytes, unsigned flags)
{
    while (n->drv->is_filter && !n->drv->zero && !n->watch) n = n->file;
    if (!(n->flags & BLK_RDWR)) return -EROFS;
    if (!(n->flags & BLK_UNMAP)) flags &= ~(unsigned)BLK_MAY_UNMAP;
    int r = n->watch ? announce(n, off, bytes) : 0;
    if (r) return r;
    r = zero(n, off, bytes, flags);
    return n->watch ? tell(n, off, bytes, r) : r;
}

int blk_node_truncate(struct blk_node *n, uint64_t size, const char *prealloc, struct err *e)
{
    while (n->drv->is_filter && !n->drv->truncate) n = n->file;
    if (!(n->flags & BLK_RDWR)) return err_set(e, EROFS, "%s is read-only", n->filename ? n->filename : n->name);
    if (!n->drv->truncate) return err_set(e, ENOTSUP, "Image format driver does not support resize");
    return n->drv->truncate(n, size, prealloc, e);
}

int blk_node_status(struct blk_node *n, uint64_t off, uint64_t bytes, struct blk_range *r)
{
    uint64_t size = blk_node_size(n);
    *r = (struct blk_range){ .bytes = bytes };
    while (n->drv->is_filter && !n->drv->status) n = n->file;
    if (off >= size) {
        r->st = BLK_ST_ZERO;
        return 0;
    }
    bytes = MIN(bytes, size - off);
    r->bytes = bytes;
    if (!n->drv->status) {
        r->st = BLK_ST_DATA | BLK_ST_ALLOCATED;
        return 0;
    }
    int ret = n->drv->status(n, off, bytes, r);
    if (ret) return ret;
    if (!r->bytes || r->bytes > bytes) return -EIO;
    /* the layer below may know of holes; it decides nothing else */
    if ((r->st & BLK_ST_RECURSE) && (r->st & BLK_ST_OFFSET) && r->file) {
        struct blk_range low;
        if (!blk_node_status(r->file, r->host, r->bytes, &low)) {
            r->st |= low.st & (BLK_ST_ZERO | (r->st & BLK_ST_DATA ? 0u : BLK_ST_DATA));
            r->bytes = MIN(r->bytes, low.bytes);
            if ((low.st & BLK_ST_OFFSET) && low.file != r->file) {
                r->file = low.file;
                r->host = low.host;
            }
        }
    }
    return 0;
}
