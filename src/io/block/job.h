/*
 * job.h: block jobs: what copies disks about while the machine runs (QEMU's docs: QMP reference, block jobs and jobs).
 *
 * A job has a thread, which works in steps: inside blk_graph_enter/leave each, so that the graph can change between two. Everything
 * else - making, asking, its end - is on the loop's thread, lock held. When the thread has ended, the loop goes on: waiting, pending
 * (finalize), concluded (dismiss); what changes the graph happens in `commit`, between blk_graph_stop and go.
 */
#ifndef LYRE_IO_BLOCK_JOB_H
#define LYRE_IO_BLOCK_JOB_H

#include <pthread.h>
#include "base/loop.h"
#include "io/block/blk.h"
#include "io/block/leaky.h"

enum job_status { JOB_CREATED, JOB_RUNNING, JOB_PAUSED, JOB_READY, JOB_STANDBY, JOB_WAITING, JOB_PENDING, JOB_ABORTING, JOB_CONCLUDED, JOB_NULL };
enum job_event { JOB_EV_STATUS, JOB_EV_READY, JOB_EV_PENDING, JOB_EV_COMPLETED, JOB_EV_CANCELLED, JOB_EV_ERROR };
enum { JOB_NODES = 4 };

struct job;
struct job_set;
struct job_kind {
    const char *type;                  /* "stream" */
    /* The thread. 0, -errno (job_cancelled: -ECANCELED). Calls job_step between its steps. */
    int (*run)(struct job *j);
    /* The loop's thread, the graph stopped; after run gave 0 (*e) or in any case. May be NULL. */
    int (*commit)(struct job *j, struct err *e);
    void (*clean)(struct job *j);
};

struct job {
    struct job_set *set;
    struct job *next;
    const struct job_kind *kind;
    char id[128];
    enum job_status status;
    bool auto_finalize, auto_dismiss;
    struct blk_node *node[JOB_NODES];  /* references; nobody else may change them */
    void *s;                           /* the kind's, freed with the job */
    struct err err;
    int ret;
    /* under the lock below: what the thread says, and what it is told */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    uint64_t offset, len, speed;
    unsigned speed_changes;
    struct leaky limit;
    bool pause, cancel, complete, ready, ended, sleeps;
    bool force, pivot;                 /* of cancel; of complete: the target takes the source's place */
    enum blk_on_error on_error[2];     /* read, write */
    int io_error;                      /* it paused because of this one, 0: no */
    bool error_write;
    bool started, user_paused;
    struct deferred news;
};

struct job_host {
    void (*event)(void *ctx, struct job *j, enum job_event ev);
    void *ctx;
};
struct job_set *job_set_new(struct loop *l, struct blk_graph *g, const struct job_host *host);
/* Cancels all and waits. */
void job_set_free(struct job_set *s);
struct job *job_find(struct job_set *s, const char *id);
struct job *job_next(struct job_set *s, const struct job *after);
const char *job_status_name(enum job_status s);
struct blk_graph *job_graph(const struct job *j);

/* What all of them have. */
struct job_args {
    const char *id;                    /* NULL: def */
    const char *def;
    int64_t speed;
    bool auto_finalize, auto_dismiss;
    enum blk_on_error on_read, on_write;
};
/* Makes one that does not run yet; takes `s` over (free) when it succeeds. */
struct job *job_new(struct job_set *s, const struct job_kind *kind, const struct job_args *a, void *state, struct err *e);
/* It works on that node: -EBUSY if another does. */
int job_use(struct job *j, unsigned i, struct blk_node *n, struct err *e);
int job_start(struct job *j, struct err *e);
/* Of one that was not started. */
void job_drop(struct job *j);

/* Of the thread. step: sleeps while it is paused or too fast; `bytes` were copied; -ECANCELED. Outside of enter/leave. */
int job_step(struct job *j, uint64_t bytes);
void job_progress(struct job *j, uint64_t offset, uint64_t len);
void job_is_ready(struct job *j);
bool job_completing(struct job *j);
/* What to do about an I/O error: 0: the step again (after the user resumed), 1: go on without, or the error itself. */
int job_io_error(struct job *j, bool write, int error);

/* Commands. 0 or *e. */
int job_cancel(struct job *j, bool force, struct err *e);
int job_pause(struct job *j, struct err *e);
int job_resume(struct job *j, struct err *e);
int job_complete(struct job *j, struct err *e);
int job_finalize(struct job *j, struct err *e);
int job_dismiss(struct job *j, struct err *e);
int job_set_speed(struct job *j, int64_t speed, struct err *e);
/* A copy of what the thread said. */
void job_state(struct job *j, uint64_t *offset, uint64_t *len, uint64_t *speed, bool *busy, bool *ready, bool *paused, int *io_error);

/* --- kinds (job_fill.c, job_mirror.c, job_backup.c) ------------------------------------------------------------------------------------ */

/* base: what stays below (NULL: nothing). backing: the name to write into the image; NULL: base's. */
struct job *job_stream(struct job_set *s, const struct job_args *a, struct blk_node *top, struct blk_node *base, const char *backing, struct err *e);
/* top is below `overlay`; everything of it and what is above base goes into base. */
struct job *job_commit(struct job_set *s, const struct job_args *a, struct blk_node *overlay, struct blk_node *top, struct blk_node *base,
                       const char *backing, struct err *e);
enum job_sync { JOB_SYNC_FULL, JOB_SYNC_TOP, JOB_SYNC_NONE };
struct job_mirror_args {
    enum job_sync sync;
    uint32_t granularity;              /* 0: 64 KiB, or the target's clusters */
    bool commit;                       /* target is below the source: block-commit of the active layer */
    bool unmap;
    bool adopt;                        /* the target gets the source's backing file when it takes its place */
    struct blk_node *replaces;         /* NULL: the source */
};
struct job *job_mirror(struct job_set *s, const struct job_args *a, struct blk_node *source, struct blk_node *target, const struct job_mirror_args *m,
                       struct err *e);
struct job *job_backup(struct job_set *s, const struct job_args *a, struct blk_node *source, struct blk_node *target, enum job_sync sync, struct err *e);

#endif
