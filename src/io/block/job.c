/* job.c: the life of block jobs: threads, pauses, speed, the end in order. */
#include "io/block/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "io/block/int.h"

struct job_set {
    struct loop *loop;
    struct blk_graph *g;
    struct job_host host;
    struct job *list;
};

struct job_set *job_set_new(struct loop *l, struct blk_graph *g, const struct job_host *host)
{
    struct job_set *s = xalloc(sizeof *s);
    *s = (struct job_set){ .loop = l, .g = g };
    if (host) s->host = *host;
    return s;
}

struct job *job_next(struct job_set *s, const struct job *after)
{
    return after ? after->next : s ? s->list : NULL;
}

struct job *job_find(struct job_set *s, const char *id)
{
    struct job *j = s ? s->list : NULL;
    while (j && strcmp(j->id, id)) j = j->next;
    return j;
}

const char *job_status_name(enum job_status s)
{
    static const char *const names[] = { "created", "running", "paused", "ready", "standby", "waiting", "pending", "aborting", "concluded", "null" };
    return names[s];
}

struct blk_graph *job_graph(const struct job *j)
{
    return j->set->g;
}

static void event(struct job *j, enum job_event ev)
{
    if (j->set->host.event) j->set->host.event(j->set->host.ctx, j, ev);
}

static void go_to(struct job *j, enum job_status s)
{
    if (j->status == s && s != JOB_CREATED) return;
    j->status = s;
    event(j, JOB_EV_STATUS);
}

static int not_now(struct job *j, const char *verb, struct err *e)
{
    return err_set(e, EPERM, "Job '%s' in state '%s' cannot accept command verb '%s'", j->id, job_status_name(j->status), verb);
}

/* --- making, ending ------------------------------------------------------------------------------------------------------------- */

static void free_job(struct job *j)
{
    for (struct job **p = &j->set->list; *p; p = &(*p)->next)
        if (*p == j) {
            *p = j->next;
            break;
        }
    deferred_cancel(&j->news);
    pthread_mutex_destroy(&j->lock);
    pthread_cond_destroy(&j->cond);
    free(j->s);
    free(j);
}

static void let_go(struct job *j)
{
    for (unsigned i = 0; i < JOB_NODES; i++) {
        if (!j->node[i]) continue;
        if (j->node[i]->job == j) j->node[i]->job = NULL;
        blk_node_unref(j->node[i], NULL);
        j->node[i] = NULL;
    }
}

/* The user has to see how it ended, unless he said no. */
static void conclude(struct job *j)
{
    go_to(j, JOB_CONCLUDED);
    if (!j->auto_dismiss) return;
    go_to(j, JOB_NULL);
    free_job(j);
}

static void finish(struct job *j)
{
    struct blk_graph *g = j->set->g;
    bool cancelled = j->cancel && (j->force || !j->ready);
    blk_graph_stop(g);
    if (!j->ret && !cancelled && j->kind->commit) j->ret = j->kind->commit(j, &j->err);
    if (j->kind->clean) j->kind->clean(j);
    blk_graph_go(g);
    let_go(j);
    if (j->ret && !j->err.code) err_set(&j->err, -j->ret, "%s", strerror(-j->ret));
    if (j->ret) go_to(j, JOB_ABORTING);
    event(j, cancelled ? JOB_EV_CANCELLED : JOB_EV_COMPLETED);
    conclude(j);
}

/* The thread has ended. */
static void ended(struct job *j)
{
    pthread_join(j->thread, NULL);
    j->started = false;
    if (j->cancel && (j->force || !j->ready) && !j->ret) j->ret = -ECANCELED;
    if (j->ret) {
        go_to(j, JOB_ABORTING);
        finish(j);
        return;
    }
    go_to(j, JOB_WAITING);
    go_to(j, JOB_PENDING);
    if (j->auto_finalize) finish(j);
    else event(j, JOB_EV_PENDING);
}

static void news(void *ctx)
{
    struct job *j = ctx;
    pthread_mutex_lock(&j->lock);
    bool end = j->ended, ready = j->ready, sleeps = j->sleeps && j->pause;
    int error = j->io_error;
    pthread_mutex_unlock(&j->lock);
    if (ready && (j->status == JOB_RUNNING || j->status == JOB_PAUSED)) {
        go_to(j, JOB_READY);
        event(j, JOB_EV_READY);
    }
    if (error && !j->user_paused) {
        event(j, JOB_EV_ERROR);
        j->user_paused = true;
    }
    if (end && j->started) ended(j);
    else if (sleeps) go_to(j, j->status == JOB_READY || j->status == JOB_STANDBY ? JOB_STANDBY : JOB_PAUSED);
    else if (j->status == JOB_PAUSED) go_to(j, JOB_RUNNING);
    else if (j->status == JOB_STANDBY) go_to(j, JOB_READY);
}

struct job *job_new(struct job_set *s, const struct job_kind *kind, const struct job_args *a, void *state, struct err *e)
{
    const char *id = a->id ? a->id : a->def;
    if (a->id && !*a->id) id = a->def;
    if (!id || !*id) {
        err_set(e, EINVAL, "An explicit job ID is required for this node");
        return NULL;
    }
    if (!((*id >= 'a' && *id <= 'z') || (*id >= 'A' && *id <= 'Z')) || strlen(id) >= sizeof s->list->id) {
        err_set(e, EINVAL, "Invalid job ID '%.60s'", id);
        return NULL;
    }
    if (job_find(s, id)) {
        err_set(e, EEXIST, "Job ID '%.60s' already in use", id);
        return NULL;
    }
    if (a->speed < 0) {
        err_set(e, EINVAL, "Parameter 'speed' expects a non-negative value");
        return NULL;
    }
    struct job *j = xalloc(sizeof *j), **p = &s->list;
    pthread_condattr_t attr;
    *j = (struct job){ .set = s, .kind = kind, .s = state, .auto_finalize = a->auto_finalize, .auto_dismiss = a->auto_dismiss };
    snprintf(j->id, sizeof j->id, "%s", id);
    pthread_mutex_init(&j->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&j->cond, &attr);
    pthread_condattr_destroy(&attr);
    deferred_init(&j->news, s->loop, news, j);
    j->on_error[0] = a->on_read, j->on_error[1] = a->on_write;
    j->pivot = true;
    job_set_speed(j, a->speed, NULL);
    while (*p) p = &(*p)->next;
    *p = j;
    return j;
}

int job_use(struct job *j, unsigned i, struct blk_node *n, struct err *e)
{
    if (n->job && n->job != j) return err_set(e, EBUSY, "Node '%s' is busy: block device is in use by block job", n->name);
    j->node[i] = blk_node_ref(n);
    n->job = j;
    return 0;
}

void job_drop(struct job *j)
{
    void *state = j->s;
    if (j->kind->clean) {
        blk_graph_stop(j->set->g);
        j->kind->clean(j);
        blk_graph_go(j->set->g);
    }
    let_go(j);
    j->s = state;
    free_job(j);
}

static void *thread(void *ctx)
{
    struct job *j = ctx;
    int ret = j->kind->run(j);
    pthread_mutex_lock(&j->lock);
    j->ret = ret;
    j->ended = true;
    pthread_mutex_unlock(&j->lock);
    loop_defer(&j->news);
    return NULL;
}

int job_start(struct job *j, struct err *e)
{
    go_to(j, JOB_CREATED);
    j->started = true;
    int r = pthread_create(&j->thread, NULL, thread, j);
    if (r) {
        j->started = false;
        return err_set(e, r, "job '%s': %s", j->id, strerror(r));
    }
    go_to(j, JOB_RUNNING);
    return 0;
}

void job_set_free(struct job_set *s)
{
    if (!s) return;
    s->host.event = NULL; /* nobody listens any more */
    while (s->list) {
        struct job *j = s->list;
        j->auto_dismiss = j->auto_finalize = true;
        if (j->started) {
            job_cancel(j, true, NULL);
            ended(j);
        } else if (j->status == JOB_PENDING) {
            finish(j);
        } else {
            free_job(j);
        }
    }
    free(s);
}

/* --- the thread -------------------------------------------------------------------------------------------------------------------- */

/* Lock held. */
static void sleep_until(struct job *j, uint64_t ns)
{
    struct timespec t = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };
    pthread_cond_timedwait(&j->cond, &j->lock, &t);
}

int job_step(struct job *j, uint64_t bytes)
{
    pthread_mutex_lock(&j->lock);
    uint64_t now = blk_now_ns(), until = j->speed && bytes ? leaky_take(&j->limit, true, bytes, now) : now;
    unsigned change = j->speed_changes; /* another speed: what the old one wanted is forgotten */
    while (!j->cancel && !j->pause && until > now && j->speed_changes == change) {
        sleep_until(j, until);
        now = blk_now_ns();
    }
    if (j->pause && !(j->cancel && j->force)) {
        j->sleeps = true;
        loop_defer(&j->news);
        while (j->pause && !(j->cancel && j->force)) pthread_cond_wait(&j->cond, &j->lock);
        j->sleeps = false;
        loop_defer(&j->news);
    }
    bool cancelled = j->cancel && (j->force || !j->ready);
    pthread_mutex_unlock(&j->lock);
    return cancelled ? -ECANCELED : 0;
}

void job_progress(struct job *j, uint64_t offset, uint64_t len)
{
    pthread_mutex_lock(&j->lock);
    j->offset = offset;
    j->len = len;
    pthread_mutex_unlock(&j->lock);
}

void job_is_ready(struct job *j)
{
    pthread_mutex_lock(&j->lock);
    bool first = !j->ready;
    j->ready = true;
    pthread_mutex_unlock(&j->lock);
    if (first) loop_defer(&j->news);
}

bool job_completing(struct job *j)
{
    pthread_mutex_lock(&j->lock);
    bool done = j->complete;
    pthread_mutex_unlock(&j->lock);
    return done;
}

int job_io_error(struct job *j, bool write, int error)
{
    enum blk_on_error a = j->on_error[write];
    if (a == BLK_ERR_ENOSPC) a = error == -ENOSPC ? BLK_ERR_STOP : BLK_ERR_REPORT;
    if (a == BLK_ERR_REPORT) return error;
    if (a == BLK_ERR_IGNORE) return 1;
    pthread_mutex_lock(&j->lock);
    j->io_error = error;
    j->error_write = write;
    j->pause = true;
    pthread_mutex_unlock(&j->lock);
    return job_step(j, 0);
}

/* --- commands ------------------------------------------------------------------------------------------------------------------------ */

static void wake(struct job *j)
{
    pthread_cond_broadcast(&j->cond);
    pthread_mutex_unlock(&j->lock);
}

int job_cancel(struct job *j, bool force, struct err *e)
{
    if (j->status == JOB_PENDING || j->status == JOB_WAITING) { /* the thread is done, nothing has changed yet */
        j->cancel = j->force = true;
        j->ret = -ECANCELED;
        finish(j);
        return 0;
    }
    if (j->status >= JOB_ABORTING) return not_now(j, "cancel", e);
    pthread_mutex_lock(&j->lock);
    if (j->ready && !force) { /* a mirror ends as it is, and nothing takes the source's place */
        j->complete = true;
        j->pivot = false;
    } else {
        j->cancel = true;
        j->force = true;
    }
    j->pause = false;
    wake(j);
    return 0;
}

int job_pause(struct job *j, struct err *e)
{
    if (j->status != JOB_RUNNING && j->status != JOB_READY && j->status != JOB_CREATED) return not_now(j, "pause", e);
    if (j->user_paused) return err_set(e, EPERM, "Job is already paused");
    j->user_paused = true;
    pthread_mutex_lock(&j->lock);
    j->pause = true;
    wake(j);
    return 0;
}

int job_resume(struct job *j, struct err *e)
{
    if (!j->user_paused) return err_set(e, EPERM, "Can't resume a job that was not paused");
    j->user_paused = false;
    pthread_mutex_lock(&j->lock);
    j->pause = false;
    j->io_error = 0;
    wake(j);
    return 0;
}

int job_complete(struct job *j, struct err *e)
{
    if (j->status != JOB_READY || j->user_paused) {
        if (j->status == JOB_READY) return err_set(e, EPERM, "The active block job '%s' cannot be completed", j->id);
        return not_now(j, "complete", e);
    }
    pthread_mutex_lock(&j->lock);
    j->complete = true;
    wake(j);
    return 0;
}

int job_finalize(struct job *j, struct err *e)
{
    if (j->status != JOB_PENDING) return not_now(j, "finalize", e);
    finish(j);
    return 0;
}

int job_dismiss(struct job *j, struct err *e)
{
    if (j->status != JOB_CONCLUDED) return not_now(j, "dismiss", e);
    go_to(j, JOB_NULL);
    free_job(j);
    return 0;
}

int job_set_speed(struct job *j, int64_t speed, struct err *e)
{
    if (speed < 0) return err_set(e, EINVAL, "Parameter 'speed' expects a non-negative value");
    struct leaky_config c = { .rate[LEAKY_BPS] = { .avg = (uint64_t)MIN(speed, (1ll << LEAKY_MAX_SHIFT) - 1) } };
    pthread_mutex_lock(&j->lock);
    j->speed = (uint64_t)speed;
    j->speed_changes++;
    leaky_set(&j->limit, &c);
    wake(j);
    return 0;
}

void job_state(struct job *j, uint64_t *offset, uint64_t *len, uint64_t *speed, bool *busy, bool *ready, bool *paused, int *io_error)
{
    pthread_mutex_lock(&j->lock);
    *offset = j->offset, *len = j->len, *speed = j->speed;
    *busy = j->started && !j->sleeps && !j->ended;
    *ready = j->ready;
    *paused = j->user_paused || j->pause;
    *io_error = j->io_error;
    pthread_mutex_unlock(&j->lock);
}
