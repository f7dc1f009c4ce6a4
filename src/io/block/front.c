/*
 * front.c: struct blk, what a device or tool holds: bounds are checked here, once; statistics, errors that stop the machine,
 * detect-zeroes, writethrough; the medium, which may be another one tomorrow.
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
    b->werror = BLK_ERR_ENOSPC;
    pthread_mutex_init(&b->lock, NULL);
    struct blk **end = &g->blks;
    while (*end) end = &(*end)->next;
    *end = b;
    pthread_mutex_unlock(&g->lock);
    return b;
}

int blk_free(struct blk *b, struct err *e)
{
    if (!b) return 0;
    struct blk_graph *g = b->g;
    blk_drain(b);
    int r = blk_read_only(b) || !b->node ? 0 : blk_flush_sync(b);
    if (r < 0) err_set(e, -r, "%s: flush: %s", b->node->filename ? b->node->filename : b->name, strerror(-r));
    int r2 = blk_node_unref(b->node, r ? NULL : e);
    group_put(b->group);
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

struct blk *blk_next(struct blk_graph *g, const struct blk *after)
{
    return after ? after->next : g->blks;
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
    return b->node ? blk_node_size(b->node) : 0;
}

bool blk_read_only(const struct blk *b)
{
    return !(b->flags & BLK_RDWR) || (b->node && !(b->node->flags & BLK_RDWR));
}

uint32_t blk_discard_granularity(const struct blk *b)
{
    if (!b->node || !(b->node->flags & BLK_UNMAP)) return 0;
    return b->node->cluster_size ? b->node->cluster_size : 4096;
}

void blk_get_stats(struct blk *b, struct blk_stats *s)
{
    pthread_mutex_lock(&b->lock);
    *s = b->stats;
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

void blk_set_dev(struct blk *b, const struct blk_dev_ops *ops, void *ctx)
{
    b->ops = ops;
    b->ops_ctx = ctx;
}

void blk_set_name(struct blk *b, const char *name)
{
    snprintf(b->name, sizeof b->name, "%s", name);
}

const struct blk_dev_ops *blk_dev(const struct blk *b, void **ctx)
{
    if (ctx) *ctx = b->ops_ctx;
    return b->ops;
}

int blk_hold(struct blk *b, void *who, struct err *e)
{
    if (b->user) return err_set(e, EBUSY, "Drive '%s' is already in use by another device", *b->name ? b->name : b->node ? b->node->name : "");
    b->user = who;
    return 0;
}

int blk_share(struct blk *b, bool share, struct err *e)
{
    b->share = share;
    for (struct blk *o = b->g->blks; o && b->node; o = o->next) {
        if (o == b || !o->user || o->node != b->node || (o->share && share) || (blk_read_only(o) && blk_read_only(b))) continue;
        return err_set(e, EBUSY, "Conflicts with use by another device as 'root', which does not allow 'write' on %s", b->node->name);
    }
    return 0;
}

void blk_release(struct blk *b, bool drop)
{
    b->user = NULL;
    if (!*b->name || drop) blk_free(b, NULL);
}

void *blk_user(const struct blk *b)
{
    return b->user;
}

void blk_set_node(struct blk *b, struct blk_node *node, bool read_only)
{
    struct blk_node *old = b->node;
    if (old && !blk_read_only(b)) blk_flush_sync(b);
    blk_graph_stop(b->g);
    b->node = node;
    b->flags = read_only ? b->flags & ~(unsigned)BLK_RDWR : b->flags | BLK_RDWR;
    blk_graph_go(b->g);
    blk_node_unref(old, NULL);
    if (b->ops && b->ops->medium) b->ops->medium(b->ops_ctx, node != NULL);
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
    if (!b->node) return -ENOMEDIUM;
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

/* The node whose detect-zeroes= counts: filters have none of their own. */
const struct blk_node *front_detects(const struct blk_node *n)
{
    while (!n->detect_zeroes && n->drv->is_filter && n->file) n = n->file;
    return n->detect_zeroes ? n : NULL;
}

static int write_out(struct blk_node *n, struct blk_req *r, unsigned flags)
{
    const struct blk_node *d = front_detects(n);
    if (d && !(flags & BLK_COMPRESS) && all_zero(r->iov, r->niov))
        return blk_node_zero(n, r->offset, r->bytes, flags | (d->detect_unmap ? BLK_MAY_UNMAP : 0));
    return blk_node_pwritev(n, r->offset, r->iov, r->niov, flags);
}

int req_run(struct blk_req *r)
{
    struct blk_node *n = r->b->node;
    bool through = (r->flags & BLK_FUA) || __atomic_load_n(&r->b->writethrough, __ATOMIC_RELAXED);
    unsigned flags = (r->flags & ~(unsigned)BLK_FUA) | BLK_PAID;
    int ret = 0;
    if (!r->bytes && r->kind != REQ_FLUSH) return 0;
    switch (r->kind) {
    case REQ_READ: return blk_node_preadv(n, r->offset, r->iov, r->niov, flags);
    case REQ_FLUSH: return blk_node_flush(n);
    case REQ_DISCARD: ret = blk_node_discard(n, r->offset, r->bytes); break;
    case REQ_ZERO: ret = blk_node_zero(n, r->offset, r->bytes, flags); break;
    case REQ_WRITE:
        ret = write_out(n, r, flags);
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

/* --- errors ------------------------------------------------------------------------------------------------------------------------ */

int blk_on_error_parse(const char *text, bool write, enum blk_on_error *a, struct err *e)
{
    static const char *const words[] = { "report", "ignore", "stop", "enospc" };
    for (unsigned i = 0; i < (write ? 4u : 3u); i++)
        if (!strcmp(text, words[i])) {
            *a = (enum blk_on_error)i;
            return 0;
        }
    return err_set(e, EINVAL, "'%s' invalid %s error action", text, write ? "write" : "read");
}

const char *const blk_error_names[] = { "auto", "report", "ignore", "stop", "enospc", NULL };

void blk_error_words(struct blk *b, uint32_t rerror, uint32_t werror)
{
    if (rerror && rerror < 4) b->rerror = (enum blk_on_error)(rerror - 1);
    if (werror) b->werror = (enum blk_on_error)(werror - 1);
}

void blk_set_on_error(struct blk *b, enum blk_on_error rerror, enum blk_on_error werror)
{
    b->rerror = rerror;
    b->werror = werror;
}

void blk_get_on_error(const struct blk *b, enum blk_on_error *rerror, enum blk_on_error *werror)
{
    *rerror = b->rerror;
    *werror = b->werror;
}

void blk_graph_on_error(struct blk_graph *g, void (*fn)(void *ctx, struct blk *b, bool write, int error, enum blk_on_error action), void *ctx)
{
    g->on_error = fn;
    g->error_ctx = ctx;
}

int blk_status(const struct blk *b)
{
    return b->status;
}

/* What the user wants done about a request that failed. True: it waits for blk_graph_resume. */
static bool failed(struct blk_req *r)
{
    struct blk *b = r->b;
    struct blk_graph *g = b->g;
    bool write = r->kind != REQ_READ;
    /* what is wrong with the request is the guest's affair */
    if (!r->start_ns || !b->ops || !b->ops->errors || !g->on_error || r->ret == -ENOTSUP || r->ret == -ENOMEDIUM || r->ret == -EINVAL) return false;
    enum blk_on_error a = write ? b->werror : b->rerror;
    if (a == BLK_ERR_ENOSPC) a = r->ret == -ENOSPC ? BLK_ERR_STOP : BLK_ERR_REPORT;
    if (a == BLK_ERR_STOP) b->status = r->ret;
    g->on_error(g->error_ctx, b, write, r->ret, a);
    if (a == BLK_ERR_IGNORE) r->ret = 0;
    return a == BLK_ERR_STOP;
}

static void uncount(struct blk_req *r)
{
    struct blk_graph *g = r->b->g;
    __atomic_fetch_sub(&r->b->inflight, 1, __ATOMIC_RELEASE);
    __atomic_fetch_sub(&g->inflight, 1, __ATOMIC_RELEASE);
}

void req_complete(struct blk_req *r)
{
    account(r);
    if (r->ret && failed(r)) {
        req_push(&r->b->g->held, r);
        uncount(r);
        return;
    }
    if (r->cb) r->cb(r->ctx, r->ret);
    uncount(r);
    free(r);
}

static void start(struct blk_req *r)
{
    struct blk *b = r->b;
    struct blk_graph *g = b->g;
    r->start_ns = r->due_ns = blk_now_ns();
    if (r->kind != REQ_FLUSH) r->due_ns = limit_due(b, r->kind != REQ_READ, r->bytes, r->start_ns);
    if (r->due_ns > r->start_ns)
        pool_delay(g, r);
    else
        pool_submit(g, r);
}

/* Takes those of b (NULL: all) out of the list of what is held. */
static struct blk_req *take_held(struct blk_graph *g, struct blk *b)
{
    struct blk_req *all = g->held.head, *list = NULL, **end = &list;
    g->held = (struct req_list){ .tail = &g->held.head };
    for (struct blk_req *r = all, *next; r; r = next) {
        next = r->next;
        if (b && r->b != b) {
            req_push(&g->held, r);
            continue;
        }
        r->next = NULL;
        *end = r;
        end = &r->next;
    }
    return list;
}

void blk_graph_resume(struct blk_graph *g)
{
    for (struct blk *b = g->blks; b; b = b->next) b->status = 0;
    for (struct blk_req *r = take_held(g, NULL), *next; r; r = next) {
        next = r->next;
        __atomic_fetch_add(&r->b->inflight, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&g->inflight, 1, __ATOMIC_RELAXED);
        r->ret = check(r->b, r->kind, r->offset, r->bytes); /* the medium may be another one */
        if (r->ret) {
            r->start_ns = 0;
            pool_done(g, r);
        } else {
            start(r);
        }
    }
}

/* --- in and out ------------------------------------------------------------------------------------------------------------------- */

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
    start(r);
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

static void wait_for(struct blk_graph *g, const unsigned *inflight)
{
    if (!__atomic_load_n(inflight, __ATOMIC_ACQUIRE)) return;
    __atomic_fetch_add(&g->hurry, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(inflight, __ATOMIC_ACQUIRE)) {
        pool_start_delayed(g);
        if (!blk_graph_poll(g)) pool_wait(g);
    }
    __atomic_fetch_sub(&g->hurry, 1, __ATOMIC_SEQ_CST);
}

void blk_drain(struct blk *b)
{
    wait_for(b->g, &b->inflight);
    for (struct blk_req *r = take_held(b->g, b), *next; r; r = next) { /* the device does not wait any more: as they ended */
        next = r->next;
        if (r->cb) r->cb(r->ctx, r->ret);
        free(r);
    }
}

void blk_drain_all(struct blk_graph *g)
{
    wait_for(g, &g->inflight);
}

static int sync_req(struct blk *b, enum req_kind kind, uint64_t offset, uint64_t bytes, void *buf, unsigned flags)
{
    struct iovec iov = { buf, (size_t)bytes };
    struct blk_req r = { .b = b, .kind = kind, .offset = offset, .bytes = bytes, .iov = &iov, .niov = 1, .flags = flags,
                         .start_ns = blk_now_ns() };
    pthread_rwlock_rdlock(&b->g->gate);
    r.ret = check(b, kind, offset, bytes);
    if (!r.ret) r.ret = req_run(&r);
    pthread_rwlock_unlock(&b->g->gate);
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
    if (!b->node) return err_set(e, ENOMEDIUM, "Device '%s' has no medium", b->name);
    if (blk_read_only(b)) return err_set(e, EROFS, "%s is read-only", b->node->filename ? b->node->filename : b->name);
    if (size > INT64_MAX / 2) return err_set(e, EFBIG, "a disk of %llu bytes is too large", (unsigned long long)size);
    blk_graph_stop(b->g); /* other front ends may share the node */
    int r = blk_node_truncate(b->node, size, NULL, e);
    blk_graph_go(b->g);
    if (!r && b->ops && b->ops->resized) b->ops->resized(b->ops_ctx);
    return r;
}
