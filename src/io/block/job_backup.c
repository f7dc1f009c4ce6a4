/*
 * job_backup.c: backups: the target gets what the source had when the job began; what the guest is about to write over is copied before.
 * Known gaps: no incremental backups (there are no dirty bitmaps).
 */
#include <stdlib.h>
#include "io/block/int.h"
#include "io/block/job.h"

enum { GRAIN = 65536 };
enum { TODO, BUSY, DONE };

struct backup {
    struct blk_watch watch;
    struct blk_node *source, *target;
    uint64_t size, grains;
    uint32_t grain;
    enum job_sync sync;
    bool watching;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    uint8_t *state;                  /* of each grain */
    int error;                       /* of a copy before a write: the job's, the guest goes on */
};

/* Takes a grain to copy; false: it is done. Waits for who copies it. Lock held. */
static bool take(struct backup *b, uint64_t i)
{
    while (b->state[i] == BUSY) pthread_cond_wait(&b->cond, &b->lock);
    if (b->state[i] == DONE) return false;
    b->state[i] = BUSY;
    return true;
}

/* 0: it is there. In the state of BUSY. */
static int copy_one(struct backup *b, uint64_t i, uint8_t *buf, bool *write)
{
    uint64_t off = i * b->grain, n = MIN((uint64_t)b->grain, b->size - off);
    struct iovec v = { buf, (size_t)n };
    int r = blk_node_preadv(b->source, off, &v, 1, 0);
    *write = !r;
    if (!r) r = blk_is_zero(buf, n) ? blk_node_zero(b->target, off, n, BLK_MAY_UNMAP) : blk_node_pwritev(b->target, off, &v, 1, 0);
    return r;
}

static void set(struct backup *b, uint64_t i, uint8_t state)
{
    pthread_mutex_lock(&b->lock);
    b->state[i] = state;
    pthread_cond_broadcast(&b->cond);
    pthread_mutex_unlock(&b->lock);
}

static int before(void *ctx, uint64_t off, uint64_t bytes)
{
    struct backup *b = ctx;
    uint8_t *buf = NULL;
    bool write;
    for (uint64_t i = off / b->grain; bytes && i <= (off + bytes - 1) / b->grain && i < b->grains; i++) {
        pthread_mutex_lock(&b->lock);
        bool mine = !b->error && take(b, i);
        pthread_mutex_unlock(&b->lock);
        if (!mine) continue;
        if (!buf) buf = xalloc(b->grain);
        int r = copy_one(b, i, buf, &write);
        if (r) {
            pthread_mutex_lock(&b->lock);
            b->error = r;
            pthread_mutex_unlock(&b->lock);
        }
        set(b, i, r ? TODO : DONE);
    }
    free(buf);
    return 0;
}

/* Is any of the grain the source's own, not its backing file's? */
static int own(struct backup *b, uint64_t i, bool *has)
{
    uint64_t off = i * b->grain, end = MIN(off + b->grain, b->size);
    struct blk_node *n = b->source;
    while (n->drv->is_filter && n->file) n = n->file;
    *has = false;
    while (off < end && !*has) {
        struct blk_range rg;
        int r = blk_node_status(n, off, end - off, &rg);
        if (r) return r;
        *has = rg.st & BLK_ST_ALLOCATED;
        off += rg.bytes;
    }
    return 0;
}

static int step(struct backup *b, uint64_t i, uint8_t *buf, uint64_t *bytes, bool *write)
{
    bool has = true;
    *write = false;
    *bytes = 0;
    pthread_mutex_lock(&b->lock);
    int r = b->error;
    bool mine = !r && take(b, i);
    pthread_mutex_unlock(&b->lock);
    if (!mine) {
        *write = true;
        return r;
    }
    if (b->sync == JOB_SYNC_TOP) r = own(b, i, &has);
    if (!r && has) r = copy_one(b, i, buf, write);
    if (!r && has) *bytes = b->grain;
    set(b, i, r ? TODO : DONE);
    return r;
}

static int run(struct job *j)
{
    struct backup *b = j->s;
    uint64_t bytes = 0;
    int r = 0;
    uint8_t *buf = xalloc(b->grain);
    job_progress(j, 0, b->size);
    for (uint64_t i = 0; i < b->grains && b->sync != JOB_SYNC_NONE && !(r = job_step(j, bytes));) {
        bool write;
        blk_graph_enter(job_graph(j));
        r = step(b, i, buf, &bytes, &write);
        blk_graph_leave(job_graph(j));
        if (r) {
            r = job_io_error(j, write, r);
            if (r < 0) break;
            pthread_mutex_lock(&b->lock);
            b->error = 0;
            pthread_mutex_unlock(&b->lock);
            if (!r) continue;
            r = 0;
        }
        i++;
        job_progress(j, MIN(i * b->grain, b->size), b->size);
    }
    while (b->sync == JOB_SYNC_NONE && !(r = job_step(j, 0))) { /* until it is cancelled */
        pthread_mutex_lock(&j->lock);
        if (!j->cancel && !j->pause) pthread_cond_wait(&j->cond, &j->lock);
        pthread_mutex_unlock(&j->lock);
    }
    free(buf);
    if (r) return r;
    blk_graph_enter(job_graph(j));
    r = blk_node_flush(b->target);
    blk_graph_leave(job_graph(j));
    return r;
}

static void clean(struct job *j)
{
    struct backup *b = j->s;
    if (b->watching) blk_watch_del(b->source, &b->watch);
    b->watching = false;
    free(b->state);
    b->state = NULL;
    pthread_mutex_destroy(&b->lock);
    pthread_cond_destroy(&b->cond);
}

struct job *job_backup(struct job_set *s, const struct job_args *a, struct blk_node *source, struct blk_node *target, enum job_sync sync, struct err *e)
{
    static const struct job_kind kind = { "backup", run, NULL, clean };
    if (source == target) {
        err_set(e, EINVAL, "Source and target cannot be the same");
        return NULL;
    }
    if (blk_node_size(source) != blk_node_size(target)) {
        err_set(e, EINVAL, "Source and target image have different sizes");
        return NULL;
    }
    struct backup *b = xalloc(sizeof *b);
    *b = (struct backup){ .watch = { before, NULL, b, NULL }, .source = source, .target = target, .size = blk_node_size(source), .sync = sync };
    b->grain = MAX((uint32_t)GRAIN, MIN(target->cluster_size, 1u << 20));
    b->grains = (b->size + b->grain - 1) / b->grain;
    b->state = xalloc(b->grains + 1);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->cond, NULL);
    struct job *j = job_new(s, &kind, a, b, e);
    if (!j) {
        free(b->state);
        free(b);
        return NULL;
    }
    int r = job_use(j, 0, source, e);
    if (!r) r = job_use(j, 1, target, e);
    if (!r) {
        blk_graph_stop(job_graph(j));
        blk_watch_add(source, &b->watch);
        b->watching = true;
        blk_graph_go(job_graph(j));
        r = job_start(j, e);
    }
    if (!r) return j;
    job_drop(j);
    return NULL;
}
