/*
 * front.c: struct blk, what a device or tool holds: bounds are checked here, once; statistics, limits (a debt that is paid at the
 * rate; up to a second's worth goes through at once), detect-zeroes, writethrough.
 */
#include <stdio.h>
#include <stdlib.h>
#include "io/block/int.h"

struct blk *blk_new(struct blk_graph *g, const char *name, struct blk_node *node, unsigned flags, struct err *e)
{
    struct blk *b = xalloc(sizeof *b);
    pthread_mutex_lock(&g->lock);
    for (struct blk *o = g->blks; o; o = o->next) {
        if (!name || !*name || strcmp(o->name, name)) continue;
        pthread_mutex_unlock(&g->lock);
        free(b);
        blk_node_unref(node, NULL);
        err_set(e, EEXIST, "drive id '%s' is used twice", name);
        return NULL;
    }
    snprintf(b->name, sizeof b->name, "%s", name ? name : "");
    b->g = g;
    b->node = node;
    b->flags = flags;
    b->writethrough = flags & BLK_WRITETHROUGH;
    pthread_mutex_init(&b->lock, NULL);
    b->next = g->blks;
    g->blks = b;
    pthread_mutex_unlock(&g->lock);
    return b;
}

int blk_free(struct blk *b, struct err *e)
{
    if (!b) return 0;
    struct blk_graph *g = b->g;
    blk_drain(b);
    int r = blk_read_only(b) ? 0 : blk_flush_sync(b);
    if (r < 0) err_set(e, -r, "%s: flush: %s", b->node->filename ? b->node->filename : b->name, strerror(-r));
    int r2 = blk_node_unref(b->node, r ? NULL : e);
    pthread_mutex_lock(&g->lock);
    for (struct blk **p = &g->blks; *p; p = &(*p)->next) {
        if (*p != b) continue;
        *p = b->next;
        break;
    }
    pthread_mutex_unlock(&g->lock);
    pthread_mutex_destroy(&b->lock);
    free(b);
    return r ? r : r2;
}

struct blk *blk_find(struct blk_graph *g, const char *name)
{
    pthread_mutex_lock(&g->lock);
    struct blk *b = g->blks;
    while (b && strcmp(b->name, name)) b = b->next;
    pthread_mutex_unlock(&g->lock);
    return b;
}

struct blk *blk_open_file(struct blk_graph *g, const char *name, const char *driver, unsigned flags, struct err *e)
{
    struct blk_node *n = blk_node_open_file(g, name, driver, flags & ~(unsigned)BLK_WRITETHROUGH, e);
    return n ? blk_new(g, NULL, n, flags, e) : NULL;
}

/* --- properties ------------------------------------------------------------------------------------------------------------------ */

const char *blk_name(const struct blk *b)
{
    return b->name;
}

struct blk_node *blk_node_of(const struct blk *b)
{
    return b->node;
}

uint64_t blk_size(const struct blk *b)
{
    return blk_node_size(b->node);
}

bool blk_read_only(const struct blk *b)
{
    return !(b->node->flags & BLK_RDWR) || !(b->flags & BLK_RDWR);
}

uint32_t blk_discard_granularity(const struct blk *b)
{
    if (!(b->node->flags & BLK_UNMAP)) return 0;
    return b->node->cluster_size ? b->node->cluster_size : 4096;
}

void blk_get_stats(struct blk *b, struct blk_stats *s)
{
    pthread_mutex_lock(&b->lock);
    *s = b->stats;
    pthread_mutex_unlock(&b->lock);
}

void blk_set_limits(struct blk *b, const struct blk_limits *l)
{
    const uint64_t rate[6] = { l->bps, l->bps_rd, l->bps_wr, l->iops, l->iops_rd, l->iops_wr };
    pthread_mutex_lock(&b->lock);
    b->limits = *l;
    for (unsigned i = 0; i < 6; i++) b->bucket[i] = (struct bucket){ .rate = rate[i] };
    pthread_mutex_unlock(&b->lock);
}

void blk_get_limits(struct blk *b, struct blk_limits *l)
{
    pthread_mutex_lock(&b->lock);
    *l = b->limits;
    pthread_mutex_unlock(&b->lock);
}

struct blk_geometry blk_geometry(const struct blk *b)
{
    struct blk_geometry geo = b->geo;
    uint64_t sectors = blk_size(b) / 512, c;
    if (geo.heads && geo.sectors) return geo;
    geo.heads = 16;
    geo.sectors = 63;
    c = sectors / (16 * 63);
    geo.cylinders = (uint32_t)MIN(MAX(c, 2u), 16383u);
    return geo;
}

void blk_set_geometry(struct blk *b, struct blk_geometry geo)
{
    b->geo = geo;
}

void blk_on_resize(struct blk *b, void (*fn)(void *ctx), void *ctx)
{
    b->on_resize = fn;
    b->resize_ctx = ctx;
}

void blk_set_writethrough(struct blk *b, bool on)
{
    __atomic_store_n(&b->writethrough, on, __ATOMIC_RELAXED);
}

bool blk_writethrough(const struct blk *b)
{
    return __atomic_load_n(&b->writethrough, __ATOMIC_RELAXED);
}

/* --- requests ----------------------------------------------------------------------------------------------------------------------- */

static int check(struct blk *b, enum req_kind kind, uint64_t offset, uint64_t bytes)
{
    uint64_t size = blk_size(b);
    if (kind != REQ_READ && kind != REQ_FLUSH && blk_read_only(b)) return -EROFS;
    if (kind == REQ_FLUSH) return 0;
    if (offset > size || bytes > size - offset) return -EIO;
    return 0;
}

/* The sum of the pieces, or -EINVAL. */
static int sum(const struct iovec *iov, int niov, uint64_t *bytes)
{
    *bytes = 0;
    if (niov < 0 || niov > BLK_MAX_IOV) return -EINVAL;
    for (int i = 0; i < niov; i++) {
        if (iov[i].iov_len > BLK_MAX_REQUEST - *bytes) return -EINVAL;
        *bytes += iov[i].iov_len;
    }
    return 0;
}

static bool all_zero(const struct iovec *iov, int niov)
{
    for (int i = 0; i < niov; i++)
        if (!blk_is_zero(iov[i].iov_base, iov[i].iov_len)) return false;
    return true;
}

int req_run(struct blk_req *r)
{
    struct blk_node *n = r->b->node;
    bool through = (r->flags & BLK_FUA) || __atomic_load_n(&r->b->writethrough, __ATOMIC_RELAXED);
    unsigned flags = r->flags & ~(unsigned)BLK_FUA;
    int ret = 0;
    if (!r->bytes && r->kind != REQ_FLUSH) return 0;
    switch (r->kind) {
    case REQ_READ: return blk_node_preadv(n, r->offset, r->iov, r->niov, flags);
    case REQ_FLUSH: return blk_node_flush(n);
    case REQ_DISCARD: ret = blk_node_discard(n, r->offset, r->bytes); break;
    case REQ_ZERO: ret = blk_node_zero(n, r->offset, r->bytes, flags); break;
    case REQ_WRITE:
        if (n->detect_zeroes && !(flags & BLK_COMPRESS) && all_zero(r->iov, r->niov))
            ret = blk_node_zero(n, r->offset, r->bytes, flags | (n->detect_unmap ? BLK_MAY_UNMAP : 0));
        else
            ret = blk_node_pwritev(n, r->offset, r->iov, r->niov, flags);
        break;
    }
    return ret || !through ? ret : blk_node_flush(n);
}

static void account(struct blk_req *r)
{
    struct blk *b = r->b;
    uint64_t ns = r->start_ns ? blk_now_ns() - r->start_ns : 0;
    struct blk_stats *s = &b->stats;
    pthread_mutex_lock(&b->lock);
    if (r->ret == -EINVAL || (r->ret == -EIO && !r->start_ns)) s->invalid++;
    switch (r->kind) {
    case REQ_READ: s->rd_ops++, s->rd_bytes += r->ret ? 0 : r->bytes, s->rd_ns += ns, s->rd_errors += r->ret != 0; break;
    case REQ_WRITE: s->wr_ops++, s->wr_bytes += r->ret ? 0 : r->bytes, s->wr_ns += ns, s->wr_errors += r->ret != 0; break;
    case REQ_FLUSH: s->flush_ops++, s->flush_ns += ns, s->flush_errors += r->ret != 0; break;
    case REQ_DISCARD: s->discard_ops++; break;
    case REQ_ZERO: s->zero_ops++; break;
    }
    pthread_mutex_unlock(&b->lock);
}

void req_complete(struct blk_req *r)
{
    struct blk *b = r->b;
    struct blk_graph *g = b->g;
    account(r);
    if (r->cb) r->cb(r->ctx, r->ret);
    __atomic_fetch_sub(&b->inflight, 1, __ATOMIC_RELEASE);
    __atomic_fetch_sub(&g->inflight, 1, __ATOMIC_RELEASE);
    free(r);
}

/* When the request may start: every bucket's debt is at most a second. */
static uint64_t due(struct blk *b, enum req_kind kind, uint64_t bytes, uint64_t now)
{
    bool wr = kind != REQ_READ;
    const unsigned use[4] = { 0, wr ? 2 : 1, 3, wr ? 5 : 4 };
    uint64_t at = now;
    if (kind == REQ_FLUSH) return now;
    pthread_mutex_lock(&b->lock);
    for (unsigned i = 0; i < 4; i++) {
        struct bucket *k = &b->bucket[use[i]];
        uint64_t units = use[i] < 3 ? bytes : 1;
        if (!k->rate) continue;
        uint64_t cost = (uint64_t)((u128)units * 1000000000u / k->rate);
        if (k->next_ns < now) k->next_ns = now;
        if (k->next_ns > now + 1000000000u) at = MAX(at, k->next_ns - 1000000000u);
        k->next_ns += cost;
    }
    pthread_mutex_unlock(&b->lock);
    return at;
}

static void submit(struct blk *b, enum req_kind kind, uint64_t offset, uint64_t bytes, const struct iovec *iov, int niov,
                   unsigned flags, blk_done *cb, void *ctx, int bad)
{
    struct blk_graph *g = b->g;
    struct blk_req *r = xalloc(sizeof *r);
    *r = (struct blk_req){ .b = b, .kind = kind, .offset = offset, .bytes = bytes, .iov = iov, .niov = niov, .flags = flags,
                           .cb = cb, .ctx = ctx };
    __atomic_fetch_add(&b->inflight, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&g->inflight, 1, __ATOMIC_RELAXED);
    if (!bad) bad = check(b, kind, offset, bytes);
    if (bad) {
        r->ret = bad;
        pool_done(g, r);
        return;
    }
    r->start_ns = blk_now_ns();
    r->due_ns = due(b, kind, bytes, r->start_ns);
    if (r->due_ns > r->start_ns)
        pool_delay(g, r);
    else
        pool_submit(g, r);
}

void blk_readv(struct blk *b, uint64_t offset, const struct iovec *iov, int niov, unsigned flags, blk_done *cb, void *ctx)
{
    uint64_t bytes;
    int bad = sum(iov, niov, &bytes);
    submit(b, REQ_READ, offset, bytes, iov, niov, flags, cb, ctx, bad);
}

void blk_writev(struct blk *b, uint64_t offset, const struct iovec *iov, int niov, unsigned flags, blk_done *cb, void *ctx)
{
    uint64_t bytes;
    int bad = sum(iov, niov, &bytes);
    submit(b, REQ_WRITE, offset, bytes, iov, niov, flags, cb, ctx, bad);
}

void blk_flush(struct blk *b, blk_done *cb, void *ctx)
{
    submit(b, REQ_FLUSH, 0, 0, NULL, 0, 0, cb, ctx, 0);
}

void blk_discard(struct blk *b, uint64_t offset, uint64_t bytes, blk_done *cb, void *ctx)
{
    submit(b, REQ_DISCARD, offset, bytes, NULL, 0, 0, cb, ctx, 0);
}

void blk_write_zeroes(struct blk *b, uint64_t offset, uint64_t bytes, unsigned flags, blk_done *cb, void *ctx)
{
    submit(b, REQ_ZERO, offset, bytes, NULL, 0, flags, cb, ctx, 0);
}

void blk_drain(struct blk *b)
{
    while (__atomic_load_n(&b->inflight, __ATOMIC_ACQUIRE))
        if (!blk_graph_poll(b->g)) pool_wait(b->g);
}

void blk_drain_all(struct blk_graph *g)
{
    while (__atomic_load_n(&g->inflight, __ATOMIC_ACQUIRE))
        if (!blk_graph_poll(g)) pool_wait(g);
}

static int sync_req(struct blk *b, enum req_kind kind, uint64_t offset, uint64_t bytes, void *buf, unsigned flags)
{
    struct iovec iov = { buf, (size_t)bytes };
    struct blk_req r = { .b = b, .kind = kind, .offset = offset, .bytes = bytes, .iov = &iov, .niov = 1, .flags = flags,
                         .start_ns = blk_now_ns() };
    r.ret = check(b, kind, offset, bytes);
    if (!r.ret) r.ret = req_run(&r);
    account(&r);
    return r.ret;
}

int blk_pread(struct blk *b, uint64_t offset, void *buf, size_t bytes)
{
    return sync_req(b, REQ_READ, offset, bytes, buf, 0);
}

int blk_pwrite(struct blk *b, uint64_t offset, const void *buf, size_t bytes, unsigned flags)
{
    return sync_req(b, REQ_WRITE, offset, bytes, (void *)(uintptr_t)buf, flags);
}

int blk_flush_sync(struct blk *b)
{
    return sync_req(b, REQ_FLUSH, 0, 0, NULL, 0);
}

int blk_discard_sync(struct blk *b, uint64_t offset, uint64_t bytes)
{
    return sync_req(b, REQ_DISCARD, offset, bytes, NULL, 0);
}

int blk_zero_sync(struct blk *b, uint64_t offset, uint64_t bytes, unsigned flags)
{
    return sync_req(b, REQ_ZERO, offset, bytes, NULL, flags);
}

int blk_resize(struct blk *b, uint64_t size, struct err *e)
{
    if (blk_read_only(b)) return err_set(e, EROFS, "%s is read-only", b->node->filename ? b->node->filename : b->name);
    if (size > INT64_MAX / 2) return err_set(e, EFBIG, "a disk of %llu bytes is too large", (unsigned long long)size);
    blk_drain_all(b->g); /* other front ends may share the node */
    int r = blk_node_truncate(b->node, size, NULL, e);
    if (r) return r;
    if (b->on_resize) b->on_resize(b->resize_ctx);
    return 0;
}
