/*
 * throttle.c: a node that lets so many bytes and operations through per second (limits.*). The limits of a drive's own options are
 * the front end's; this filter is for -blockdev, where several devices may share one. Requests wait in their worker thread.
 */
#include <json-c/json.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include "io/block/int.h"

struct throttle {
    pthread_mutex_t lock;
    uint64_t rate[6], next[6]; /* bps total, read, write; iops total, read, write */
};

static int throttle_open(struct blk_node *n, struct json_object *opts, struct err *e)
{
    static const char *const key[6] = { "limits.bps-total", "limits.bps-read", "limits.bps-write", "limits.iops-total",
                                        "limits.iops-read", "limits.iops-write" };
    struct throttle *t = xalloc(sizeof *t);
    int r = 0;
    n->s = t;
    pthread_mutex_init(&t->lock, NULL);
    for (unsigned i = 0; !r && i < 6; i++) r = blk_opt_size(opts, key[i], &t->rate[i], e);
    struct json_object *l;
    if (json_object_object_get_ex(opts, "limits", &l) && json_object_is_type(l, json_type_object) && !json_object_object_length(l))
        json_object_object_del(opts, "limits");
    if (r) return r;
    n->file = blk_open_child(n, opts, "file", n->flags, e);
    if (!n->file) return e && e->code ? -e->code : -EINVAL;
    n->size = blk_node_size(n->file);
    n->cluster_size = n->file->cluster_size;
    return 0;
}

static int throttle_close(struct blk_node *n)
{
    pthread_mutex_destroy(&((struct throttle *)n->s)->lock);
    return 0;
}

static void wait_turn(struct throttle *t, bool write, uint64_t bytes)
{
    const unsigned use[4] = { 0, write ? 2 : 1, 3, write ? 5 : 4 };
    uint64_t now = blk_now_ns(), until = now;
    pthread_mutex_lock(&t->lock);
    for (unsigned i = 0; i < 4; i++) {
        unsigned k = use[i];
        if (!t->rate[k]) continue;
        if (t->next[k] < now) t->next[k] = now;
        if (t->next[k] > now + 1000000000u) until = MAX(until, t->next[k] - 1000000000u);
        t->next[k] += (uint64_t)((u128)(k < 3 ? bytes : 1) * 1000000000u / t->rate[k]);
    }
    pthread_mutex_unlock(&t->lock);
    struct timespec ts = { (time_t)(until / 1000000000u), (long)(until % 1000000000u) };
    if (until > now) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static int throttle_preadv(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    wait_turn(n->s, false, blk_iov_bytes(iov, niov));
    return blk_node_preadv(n->file, off, iov, niov, flags);
}

static int throttle_pwritev(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    wait_turn(n->s, true, blk_iov_bytes(iov, niov));
    return blk_node_pwritev(n->file, off, iov, niov, flags);
}

static int throttle_zero(struct blk_node *n, uint64_t off, uint64_t bytes, unsigned flags)
{
    wait_turn(n->s, true, 0);
    return blk_node_zero(n->file, off, bytes, flags);
}

static int throttle_truncate(struct blk_node *n, uint64_t size, const char *prealloc, struct err *e)
{
    int r = blk_node_truncate(n->file, size, prealloc, e);
    if (!r) __atomic_store_n(&n->size, size, __ATOMIC_RELAXED);
    return r;
}

const struct blk_driver blk_throttle = {
    .name = "throttle", .is_filter = true, .open = throttle_open, .close = throttle_close, .preadv = throttle_preadv,
    .pwritev = throttle_pwritev, .zero = throttle_zero, .truncate = throttle_truncate,
};
