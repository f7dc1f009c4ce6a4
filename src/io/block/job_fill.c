/* job_fill.c: block-stream (what is below comes up) and block-commit of layers that nobody writes to (what is above goes down). */
#include <stdio.h>
#include <stdlib.h>
#include "io/block/cor.h"
#include "io/block/job.h"

enum { STEP = 1 << 20 };

struct fill {
    struct cor cor;
    bool watching, reopened;
    struct blk_node *top, *base, *overlay;
    char backing[1024];
    bool named;               /* backing is what the user said */
};

/* The image that has backing files, below filters. */
static struct blk_node *image_of(struct blk_node *n)
{
    while (n && n->drv->is_filter && n->file) n = n->file;
    return n;
}

static int set_header(struct fill *f, struct blk_node *n, struct blk_node *base, struct err *e)
{
    struct blk_node *img = image_of(base);
    const char *name = f->named ? f->backing : img ? img->filename : NULL;
    if (!n->drv->set_backing) return 0;
    return n->drv->set_backing(n, name && *name ? name : NULL, name && *name && img ? img->drv->name : NULL, e);
}

/* --- stream ------------------------------------------------------------------------------------------------------------------------ */

static int stream_run(struct job *j)
{
    struct fill *f = j->s;
    uint64_t size = blk_node_size(f->top), off = 0, copied = 0;
    int r = 0;
    job_progress(j, 0, size);
    while (off < size && !(r = job_step(j, copied))) {
        uint64_t n = MIN((uint64_t)STEP, size - off);
        blk_graph_enter(job_graph(j));
        r = cor_fill(&f->cor, f->base, off, n, &copied);
        blk_graph_leave(job_graph(j));
        if (r < 0 && (r = job_io_error(j, false, r)) < 0) return r;
        if (r == 0 || r == 1) off += n;
        r = 0;
        job_progress(j, off, size);
    }
    return r;
}

static int stream_commit(struct job *j, struct err *e)
{
    struct fill *f = j->s;
    int r = set_header(f, f->top, f->base, e);
    if (!r) blk_node_set_backing(f->top, f->base ? blk_node_ref(f->base) : NULL);
    return r;
}

static void stream_clean(struct job *j)
{
    struct fill *f = j->s;
    if (f->watching) cor_done(&f->cor);
    f->watching = false;
}

struct job *job_stream(struct job_set *s, const struct job_args *a, struct blk_node *top, struct blk_node *base, const char *backing, struct err *e)
{
    static const struct job_kind kind = { "stream", stream_run, stream_commit, stream_clean };
    struct blk_node *img = image_of(top);
    if (!(img->flags & BLK_RDWR)) {
        err_set(e, EROFS, "Node '%s' is read-only", img->name);
        return NULL;
    }
    if (base && (base == img || !blk_node_below(img, base))) {
        err_set(e, EINVAL, "Can't find '%s' in the backing chain", base->name);
        return NULL;
    }
    struct fill *f = xalloc(sizeof *f);
    f->top = img;
    f->base = base;
    f->named = backing != NULL;
    snprintf(f->backing, sizeof f->backing, "%s", backing ? backing : "");
    struct job *j = job_new(s, &kind, a, f, e);
    if (!j) {
        free(f);
        return NULL;
    }
    int r = job_use(j, 0, img, e);
    if (!r && base) r = job_use(j, 1, base, e);
    if (!r) {
        blk_graph_stop(job_graph(j));
        cor_init(&f->cor, img);
        f->watching = true;
        blk_graph_go(job_graph(j));
        r = job_start(j, e);
    }
    if (!r) return j;
    job_drop(j);
    return NULL;
}

/* --- commit ------------------------------------------------------------------------------------------------------------------------- */

/* Is any layer from top down to above base the one that decides? *bytes is cut to where the answer is one. */
static int above_base(struct blk_node *top, const struct blk_node *base, uint64_t off, uint64_t *bytes, bool *has)
{
    *has = false;
    for (struct blk_node *n = image_of(top); n && n != base && !*has; n = image_of(n->backing)) {
        struct blk_range rg;
        uint64_t size = blk_node_size(n);
        if (off >= size) continue;
        int r = blk_node_status(n, off, MIN(*bytes, size - off), &rg);
        if (r) return r;
        *bytes = MIN(*bytes, rg.bytes);
        *has = rg.st & BLK_ST_ALLOCATED;
    }
    return 0;
}

static int commit_piece(struct fill *f, uint64_t off, uint64_t *n, uint8_t *buf, bool *copied, bool *write)
{
    struct iovec v = { buf, 0 };
    int r = above_base(f->top, f->base, off, n, copied);
    *write = false;
    if (r || !*copied) return r;
    v.iov_len = (size_t)*n;
    if ((r = blk_node_preadv(f->top, off, &v, 1, 0))) return r;
    *write = true;
    return blk_is_zero(buf, v.iov_len) ? blk_node_zero(f->base, off, *n, BLK_MAY_UNMAP) : blk_node_pwritev(f->base, off, &v, 1, 0);
}

static int commit_run(struct job *j)
{
    struct fill *f = j->s;
    uint64_t size = blk_node_size(f->top), off = 0, bytes = 0;
    void *buf = NULL;
    int r = 0;
    if (posix_memalign(&buf, 4096, STEP)) return -ENOMEM;
    job_progress(j, 0, size);
    while (off < size && !(r = job_step(j, bytes))) {
        uint64_t n = MIN((uint64_t)STEP, size - off);
        bool copied, write;
        blk_graph_enter(job_graph(j));
        r = commit_piece(f, off, &n, buf, &copied, &write);
        blk_graph_leave(job_graph(j));
        bytes = copied ? n : 0;
        if (r && (r = job_io_error(j, write, r)) < 0) break;
        off += n;
        r = 0;
        job_progress(j, off, size);
    }
    free(buf);
    if (r) return r;
    blk_graph_enter(job_graph(j));
    r = blk_node_flush(f->base);
    blk_graph_leave(job_graph(j));
    return r;
}

static int commit_commit(struct job *j, struct err *e)
{
    struct fill *f = j->s;
    int r = set_header(f, f->overlay, f->base, e);
    if (!r) blk_node_set_backing(f->overlay, blk_node_ref(f->base));
    return r;
}

static void commit_clean(struct job *j)
{
    struct fill *f = j->s;
    if (f->reopened) blk_node_reopen(f->base, false, NULL);
    f->reopened = false;
}

struct job *job_commit(struct job_set *s, const struct job_args *a, struct blk_node *overlay, struct blk_node *top, struct blk_node *base,
                       const char *backing, struct err *e)
{
    static const struct job_kind kind = { "commit", commit_run, commit_commit, commit_clean };
    struct fill *f = xalloc(sizeof *f);
    *f = (struct fill){ .top = top, .base = base, .overlay = image_of(overlay), .named = backing != NULL };
    snprintf(f->backing, sizeof f->backing, "%s", backing ? backing : "");
    struct job *j = job_new(s, &kind, a, f, e);
    if (!j) {
        free(f);
        return NULL;
    }
    int r = job_use(j, 0, f->overlay, e);
    if (!r) r = job_use(j, 1, top, e);
    if (!r) r = job_use(j, 2, base, e);
    if (!r) {
        blk_graph_stop(job_graph(j));
        f->reopened = !(base->flags & BLK_RDWR);
        if (f->reopened && (r = blk_node_reopen(base, true, e))) f->reopened = false;
        if (!r && blk_node_size(base) < blk_node_size(top)) r = blk_node_truncate(base, blk_node_size(top), NULL, e);
        blk_graph_go(job_graph(j));
        if (!r) r = job_start(j, e);
    }
    if (!r) return j;
    job_drop(j);
    return NULL;
}
