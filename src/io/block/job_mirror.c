/*
 * job_mirror.c: mirrors: what the source has is copied to the target, what is written meanwhile again, until somebody says `complete`:
 * then the target takes the source's place. block-commit of the active layer is a mirror onto a backing file.
 * Known gaps: copy-mode write-blocking is the same as background.
 */
#include <stdio.h>
#include <stdlib.h>
#include "io/block/int.h"
#include "io/block/job.h"

enum { GRANULARITY = 65536, STEP = 1 << 20, REST_MS = 100 };

struct mirror {
    struct blk_watch watch;
    struct blk_node *source, *target, *replaces;
    uint64_t size, copied;
    uint32_t grain;
    enum job_sync sync;
    bool watching, commit, unmap, adopt, reopened;
    uint64_t *dirty;                 /* __atomic: a bit for each grain */
    uint64_t grains, at, count;      /* count: __atomic, bits that are set */
    struct blk_node *base;           /* what both stand on: not copied */
};

static void mark(struct mirror *m, uint64_t off, uint64_t bytes)
{
    if (!bytes) return;
    for (uint64_t i = off / m->grain; i <= (off + bytes - 1) / m->grain && i < m->grains; i++) {
        uint64_t bit = 1ull << i % 64;
        if (!(__atomic_fetch_or(&m->dirty[i / 64], bit, __ATOMIC_SEQ_CST) & bit)) __atomic_fetch_add(&m->count, 1, __ATOMIC_SEQ_CST);
    }
}

static bool unmark(struct mirror *m, uint64_t i)
{
    uint64_t bit = 1ull << i % 64;
    if (!(__atomic_fetch_and(&m->dirty[i / 64], ~bit, __ATOMIC_SEQ_CST) & bit)) return false;
    __atomic_fetch_sub(&m->count, 1, __ATOMIC_SEQ_CST);
    return true;
}

static void after(void *ctx, uint64_t off, uint64_t bytes, int ret)
{
    mark(ctx, off, bytes);
}

static struct blk_node *image_of(struct blk_node *n)
{
    while (n && n->drv->is_filter && n->file) n = n->file;
    return n;
}

/* What has to be copied at first: everything, or what is above the base. */
static int survey(struct job *j, struct mirror *m)
{
    int r = 0;
    if (m->sync == JOB_SYNC_NONE) return 0;
    if (m->sync == JOB_SYNC_FULL) {
        mark(m, 0, m->size);
        return 0;
    }
    for (uint64_t off = 0; off < m->size && !(r = job_step(j, 0));) {
        uint64_t n = m->size - off;
        bool has = false;
        blk_graph_enter(job_graph(j));
        for (struct blk_node *l = image_of(m->source); l && l != m->base && !has && !r; l = image_of(l->backing)) {
            struct blk_range rg;
            if (off >= blk_node_size(l)) continue;
            r = blk_node_status(l, off, MIN(n, blk_node_size(l) - off), &rg);
            if (r) break;
            n = MIN(n, rg.bytes);
            has = rg.st & BLK_ST_ALLOCATED;
        }
        blk_graph_leave(job_graph(j));
        if (r) return r;
        if (has) mark(m, off, n);
        off += n;
    }
    return r;
}

/* Copies the next stretch that is dirty, at most STEP bytes. */
static int copy_some(struct mirror *m, uint8_t *buf, uint64_t *bytes, bool *write)
{
    uint64_t i = m->at, n = 0;
    *bytes = 0;
    *write = false;
    for (uint64_t seen = 0; seen < m->grains; seen++, i = i + 1 < m->grains ? i + 1 : 0) {
        if (!(i % 64) && !__atomic_load_n(&m->dirty[i / 64], __ATOMIC_SEQ_CST)) { /* a word of clean ones */
            uint64_t skip = MIN(63, m->grains - 1 - i);
            i += skip;
            seen += skip;
            continue;
        }
        if (unmark(m, i)) {
            n = 1;
            break;
        }
    }
    if (!n) return 0;
    while ((n + 1) * m->grain <= STEP && i + n < m->grains && unmark(m, i + n)) n++;
    uint64_t off = i * m->grain;
    *bytes = MIN(n * m->grain, m->size - off);
    m->at = i + n < m->grains ? i + n : 0;
    struct iovec v = { buf, (size_t)*bytes };
    int r = blk_node_preadv(m->source, off, &v, 1, 0);
    if (!r) {
        *write = true;
        r = blk_is_zero(buf, *bytes) ? blk_node_zero(m->target, off, *bytes, m->unmap ? BLK_MAY_UNMAP : 0) : blk_node_pwritev(m->target, off, &v, 1, 0);
    }
    if (r) mark(m, off, *bytes);
    return r;
}

static uint64_t left(const struct mirror *m)
{
    return __atomic_load_n(&m->count, __ATOMIC_SEQ_CST) * m->grain;
}

/* Nothing to do: until somebody wants the end, or for a while. */
static void rest(struct job *j)
{
    uint64_t until = blk_now_ns() + REST_MS * 1000000ull;
    struct timespec t = { (time_t)(until / 1000000000u), (long)(until % 1000000000u) };
    pthread_mutex_lock(&j->lock);
    if (!j->complete && !j->cancel && !j->pause) pthread_cond_timedwait(&j->cond, &j->lock, &t);
    pthread_mutex_unlock(&j->lock);
}

static int run(struct job *j)
{
    struct mirror *m = j->s;
    void *buf = NULL;
    uint64_t bytes = 0;
    int r;
    if (posix_memalign(&buf, 4096, MAX((uint64_t)STEP, (uint64_t)m->grain))) return -ENOMEM;
    r = survey(j, m);
    while (!r && !(r = job_step(j, bytes))) {
        bool write;
        blk_graph_enter(job_graph(j));
        r = copy_some(m, buf, &bytes, &write);
        blk_graph_leave(job_graph(j));
        if (r) {
            bytes = 0;
            if ((r = job_io_error(j, write, r)) < 0) break;
            r = 0;
            continue;
        }
        m->copied += bytes;
        job_progress(j, m->copied, m->copied + left(m));
        if (bytes) continue;
        if (left(m)) continue; /* marked behind our back */
        if (job_completing(j)) break;
        job_is_ready(j);
        rest(j);
    }
    free(buf);
    return r;
}

/* What was written since the thread's last look, then the places change. */
static int finish(struct job *j, struct err *e)
{
    struct mirror *m = j->s;
    void *buf = NULL;
    int r = posix_memalign(&buf, 4096, MAX((uint64_t)STEP, (uint64_t)m->grain)) ? -ENOMEM : 0;
    while (!r && left(m)) {
        uint64_t bytes;
        bool write;
        r = copy_some(m, buf, &bytes, &write);
        m->copied += bytes;
    }
    free(buf);
    if (!r) r = blk_node_flush(m->target);
    if (r) return err_set(e, -r, "%s", strerror(-r));
    job_progress(j, m->copied, m->copied);
    if (!j->pivot) return 0;
    struct blk_node *img = image_of(m->target), *back = m->sync == JOB_SYNC_TOP ? image_of(m->source)->backing : m->sync == JOB_SYNC_NONE ? m->source : NULL;
    if (m->adopt && back && !img->backing) {
        img->flags &= ~(unsigned)BLK_NO_BACKING;
        blk_node_set_backing(img, blk_node_ref(back));
    }
    m->reopened = false;
    return blk_node_replace(m->replaces, m->target, m->target, e);
}

static void clean(struct job *j)
{
    struct mirror *m = j->s;
    if (m->watching) blk_watch_del(m->source, &m->watch);
    m->watching = false;
    free(m->dirty);
    m->dirty = NULL;
    if (m->reopened) blk_node_reopen(m->target, false, NULL);
    m->reopened = false;
}

static int prepare(struct job *j, struct mirror *m, struct err *e)
{
    int r = 0;
    uint64_t have = blk_node_size(m->target);
    if (m->commit && !(m->target->flags & BLK_RDWR)) {
        if ((r = blk_node_reopen(m->target, true, e))) return r;
        m->reopened = true;
    }
    if (m->commit && have < m->size) r = blk_node_truncate(m->target, m->size, NULL, e);
    else if (have != m->size && !(m->commit && have > m->size)) r = err_set(e, EINVAL, "Source and target image have different sizes");
    if (r) return r;
    blk_watch_add(m->source, &m->watch);
    m->watching = true;
    return 0;
}

struct job *job_mirror(struct job_set *s, const struct job_args *a, struct blk_node *source, struct blk_node *target, const struct job_mirror_args *arg,
                       struct err *e)
{
    static const struct job_kind mirror = { "mirror", run, finish, clean }, commit = { "commit", run, finish, clean };
    uint32_t grain = arg->granularity ? arg->granularity : MAX((uint32_t)GRANULARITY, MIN(target->cluster_size, 1u << 20));
    if (grain < 512 || grain > 64 << 20 || (grain & (grain - 1))) {
        err_set(e, EINVAL, grain & (grain - 1) ? "Parameter 'granularity' expects a power of 2" : "Parameter 'granularity' expects a value in range [512B, 64MB]");
        return NULL;
    }
    if (source == target) {
        err_set(e, EINVAL, "Can't mirror node into itself");
        return NULL;
    }
    struct mirror *m = xalloc(sizeof *m);
    *m = (struct mirror){ .watch = { NULL, after, m, NULL }, .source = source, .target = target, .replaces = arg->replaces ? arg->replaces : source,
                          .size = blk_node_size(source), .grain = grain, .sync = arg->sync, .commit = arg->commit, .unmap = arg->unmap, .adopt = arg->adopt };
    m->base = arg->commit ? target : arg->sync == JOB_SYNC_TOP && image_of(source)->backing ? image_of(image_of(source)->backing) : NULL;
    m->grains = (m->size + grain - 1) / grain;
    m->dirty = xalloc((m->grains / 64 + 1) * sizeof *m->dirty);
    struct job *j = job_new(s, arg->commit ? &commit : &mirror, a, m, e);
    if (!j) {
        free(m->dirty);
        free(m);
        return NULL;
    }
    int r = job_use(j, 0, source, e);
    if (!r) r = job_use(j, 1, target, e);
    if (!r) {
        blk_graph_stop(job_graph(j));
        r = prepare(j, m, e);
        blk_graph_go(job_graph(j));
    }
    if (!r) r = job_start(j, e);
    if (!r) return j;
    job_drop(j);
    return NULL;
}
