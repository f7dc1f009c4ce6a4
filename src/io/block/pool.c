/*
 * pool.c: how requests run beside the thread that asked: io_uring where the host file can take them as they are (no metadata to
 * read or write first), worker threads for everything else and wherever io_uring is not permitted. Completions of both make one
 * eventfd readable; callbacks run in blk_graph_poll().
 */
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include "base/loop.h"
#include "io/block/int.h"

enum { RING_SIZE = 256 };

uint64_t blk_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void wake(struct blk_graph *g)
{
    uint64_t one = 1;
    while (write(g->evfd, &one, sizeof one) < 0 && errno == EINTR) {}
}

void pool_done(struct blk_graph *g, struct blk_req *r)
{
    pthread_mutex_lock(&g->pool_lock);
    bool first = !g->done.head;
    req_push(&g->done, r);
    pthread_mutex_unlock(&g->pool_lock);
    if (first) wake(g);
}

static void *worker(void *arg)
{
    struct blk_graph *g = arg;
    pthread_mutex_lock(&g->pool_lock);
    for (;;) {
        while (!g->todo.head && !g->stop) {
            g->idle++;
            pthread_cond_wait(&g->pool_cond, &g->pool_lock);
            g->idle--;
        }
        struct blk_req *r = g->todo.head;
        if (!r) break;
        if (!(g->todo.head = r->next)) g->todo.tail = &g->todo.head;
        pthread_mutex_unlock(&g->pool_lock);
        r->ret = req_run(r);
        pool_done(g, r);
        pthread_mutex_lock(&g->pool_lock);
    }
    pthread_mutex_unlock(&g->pool_lock);
    return NULL;
}

static void to_worker(struct blk_graph *g, struct blk_req *r)
{
    pthread_mutex_lock(&g->pool_lock);
    req_push(&g->todo, r);
    if (!g->idle && g->nthreads < POOL_MAX && !pthread_create(&g->threads[g->nthreads], NULL, worker, g)) g->nthreads++;
    bool none = !g->nthreads;
    if (none) { /* no thread at all: here, late but done */
        g->todo.head = NULL;
        g->todo.tail = &g->todo.head;
    }
    pthread_cond_signal(&g->pool_cond);
    pthread_mutex_unlock(&g->pool_lock);
    if (none) {
        r->ret = req_run(r);
        pool_done(g, r);
    }
}

/* --- io_uring ------------------------------------------------------------------------------------------------------------------ */

static void leave_hops(struct blk_req *r)
{
    while (r->hops) {
        r->hops--;
        if (r->hop[r->hops].token) r->hop[r->hops].node->drv->leave(r->hop[r->hops].node, r->hop[r->hops].token);
    }
}

/* The ring is made when it is first wanted; where that is forbidden (seccomp, sysctl), there are the workers. */
static bool ring_ready(struct blk_graph *g)
{
    if (g->ring) return true;
    if (g->no_ring) return false;
    struct io_uring *ring = xalloc(sizeof *ring);
    if (io_uring_queue_init(RING_SIZE, ring, IORING_SETUP_CLAMP) < 0) {
        free(ring);
        g->no_ring = true;
        return false;
    }
    if (io_uring_register_eventfd(ring, g->evfd) < 0) {
        io_uring_queue_exit(ring);
        free(ring);
        g->no_ring = true;
        return false;
    }
    g->ring = ring;
    return true;
}

/* Follows the request down to a host file; -1: a worker has to look. */
static int reach_file(struct blk_req *r, uint64_t *at)
{
    struct blk_node *n = r->b->node;
    uint64_t off = r->offset;
    r->hops = 0;
    while (throttle_group(n) && !n->watch) n = n->file; /* the front end has waited for it */
    for (;;) {
        if ((n->flags & BLK_AIO_THREADS) || n->watch) break;
        if (n->drv->host_fd) {
            int fd = n->drv->host_fd(n, r->kind == REQ_WRITE, off, r->iov, r->niov);
            *at = off;
            if (fd >= 0) return fd;
            break;
        }
        struct blk_hop h = { 0 };
        if (!n->drv->enter || r->hops == HOPS || n->drv->enter(n, r->kind == REQ_WRITE, off, r->bytes, &h) != 1) break;
        r->hop[r->hops].node = n;
        r->hop[r->hops++].token = h.token;
        n = h.node;
        off = h.offset;
    }
    leave_hops(r);
    return -1;
}

static bool to_ring(struct blk_graph *g, struct blk_req *r)
{
    uint64_t at;
    if ((r->kind != REQ_READ && r->kind != REQ_WRITE) || r->flags || !r->bytes) return false;
    if (r->kind == REQ_WRITE && (front_detects(r->b->node) || __atomic_load_n(&r->b->writethrough, __ATOMIC_RELAXED))) return false;
    int fd = reach_file(r, &at);
    if (fd < 0) return false;
    pthread_mutex_lock(&g->ring_lock);
    struct io_uring_sqe *sqe = NULL;
    if (ring_ready(g) && __atomic_load_n(&g->ring_busy, __ATOMIC_RELAXED) < RING_SIZE) sqe = io_uring_get_sqe(g->ring);
    if (sqe) {
        if (r->kind == REQ_READ)
            io_uring_prep_readv(sqe, fd, r->iov, (unsigned)r->niov, at);
        else
            io_uring_prep_writev(sqe, fd, r->iov, (unsigned)r->niov, at);
        io_uring_sqe_set_data(sqe, r);
        __atomic_fetch_add(&g->ring_busy, 1, __ATOMIC_RELAXED);
        /* an entry that the kernel did not take now goes with the next one: blk_graph_poll() tries again */
        io_uring_submit(g->ring);
    }
    pthread_mutex_unlock(&g->ring_lock);
    if (!sqe) leave_hops(r);
    return sqe != NULL;
}

/* What the ring has done. Short transfers and errors that a plain call might not have are done again by a worker, in whole. */
static void reap(struct blk_graph *g, struct req_list *out)
{
    struct io_uring_cqe *cqe;
    pthread_mutex_lock(&g->ring_lock);
    struct io_uring *ring = g->ring;
    if (ring && io_uring_sq_ready(ring)) io_uring_submit(ring);
    for (unsigned n = 0; ring && n < 4 * RING_SIZE && !io_uring_peek_cqe(ring, &cqe); n++) {
        struct blk_req *r = io_uring_cqe_get_data(cqe);
        r->ret = cqe->res;
        io_uring_cqe_seen(ring, cqe);
        __atomic_fetch_sub(&g->ring_busy, 1, __ATOMIC_RELAXED);
        req_push(out, r);
    }
    pthread_mutex_unlock(&g->ring_lock);
}

/* --- the graph's side ------------------------------------------------------------------------------------------------------------ */

void pool_submit(struct blk_graph *g, struct blk_req *r)
{
    if (!to_ring(g, r)) to_worker(g, r);
}

static void arm_timer(struct blk_graph *g)
{
    struct itimerspec t = { 0 };
    uint64_t due = g->delayed.head ? MAX(g->delayed.head->due_ns, 1u) : 0;
    t.it_value.tv_sec = (time_t)(due / 1000000000u);
    t.it_value.tv_nsec = (long)(due % 1000000000u);
    timerfd_settime(g->timerfd, TFD_TIMER_ABSTIME, &t, NULL);
}

void pool_delay(struct blk_graph *g, struct blk_req *r)
{
    pthread_mutex_lock(&g->pool_lock);
    struct blk_req **p = &g->delayed.head;
    while (*p && (*p)->due_ns <= r->due_ns) p = &(*p)->next;
    r->next = *p;
    *p = r;
    if (g->delayed.head == r) arm_timer(g);
    pthread_mutex_unlock(&g->pool_lock);
}

static void start_due(struct blk_graph *g, uint64_t now)
{
    struct req_list due = { .tail = &due.head };
    pthread_mutex_lock(&g->pool_lock);
    bool any = g->delayed.head;
    while (g->delayed.head && g->delayed.head->due_ns <= now) {
        struct blk_req *r = g->delayed.head;
        g->delayed.head = r->next;
        req_push(&due, r);
    }
    if (any) arm_timer(g);
    pthread_mutex_unlock(&g->pool_lock);
    for (struct blk_req *r = due.head, *next; r; r = next) {
        next = r->next;
        pool_submit(g, r);
    }
}

void pool_start_delayed(struct blk_graph *g)
{
    start_due(g, UINT64_MAX);
}

unsigned blk_graph_poll(struct blk_graph *g)
{
    uint64_t drop;
    unsigned n = 0;
    while (read(g->evfd, &drop, sizeof drop) < 0 && errno == EINTR) {}
    while (read(g->timerfd, &drop, sizeof drop) < 0 && errno == EINTR) {}
    start_due(g, __atomic_load_n(&g->hurry, __ATOMIC_SEQ_CST) ? UINT64_MAX : blk_now_ns());
    struct req_list ring = { .tail = &ring.head };
    reap(g, &ring);
    for (struct blk_req *r = ring.head, *next; r; r = next) {
        next = r->next;
        leave_hops(r);
        if (r->ret >= 0 && (uint64_t)r->ret == r->bytes) {
            r->ret = 0;
            pthread_mutex_lock(&g->pool_lock);
            req_push(&g->done, r);
            pthread_mutex_unlock(&g->pool_lock);
        } else {
            to_worker(g, r);
        }
    }
    for (;; n++) { /* one by one: a callback may drain another front end */
        pthread_mutex_lock(&g->pool_lock);
        struct blk_req *r = g->done.head;
        if (r && !(g->done.head = r->next)) g->done.tail = &g->done.head;
        pthread_mutex_unlock(&g->pool_lock);
        if (!r) return n;
        req_complete(r);
    }
}

int blk_graph_fd(struct blk_graph *g)
{
    return g->epfd;
}

static void ready(void *ctx, unsigned events)
{
    blk_graph_poll(ctx);
}

int blk_graph_attach(struct blk_graph *g, struct loop *l, struct err *e)
{
    g->loop_fd = loop_fd_new(l, g->epfd, LOOP_IN, ready, g, e);
    return g->loop_fd ? 0 : -ENOMEM;
}

void pool_wait(struct blk_graph *g)
{
    struct pollfd p = { .fd = g->epfd, .events = POLLIN };
    poll(&p, 1, 1000);
}

int pool_init(struct blk_graph *g)
{
    pthread_mutex_init(&g->pool_lock, NULL);
    pthread_mutex_init(&g->ring_lock, NULL);
    pthread_cond_init(&g->pool_cond, NULL);
    g->todo.tail = &g->todo.head;
    g->done.tail = &g->done.head;
    g->delayed.tail = &g->delayed.head;
    g->held.tail = &g->held.head;
    g->epfd = epoll_create1(EPOLL_CLOEXEC);
    g->evfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    g->timerfd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    struct epoll_event ev = { .events = EPOLLIN };
    if (g->epfd < 0 || g->evfd < 0 || g->timerfd < 0) return -errno;
    if (epoll_ctl(g->epfd, EPOLL_CTL_ADD, g->evfd, &ev) || epoll_ctl(g->epfd, EPOLL_CTL_ADD, g->timerfd, &ev)) return -errno;
    return 0;
}

void pool_stop(struct blk_graph *g)
{
    if (g->loop_fd) loop_fd_free(g->loop_fd);
    pthread_mutex_lock(&g->pool_lock);
    g->stop = true;
    pthread_cond_broadcast(&g->pool_cond);
    pthread_mutex_unlock(&g->pool_lock);
    for (unsigned i = 0; i < g->nthreads; i++) pthread_join(g->threads[i], NULL);
    if (g->ring) {
        io_uring_queue_exit(g->ring);
        free(g->ring);
    }
    if (g->epfd >= 0) close(g->epfd);
    if (g->evfd >= 0) close(g->evfd);
    if (g->timerfd >= 0) close(g->timerfd);
    pthread_mutex_destroy(&g->pool_lock);
    pthread_mutex_destroy(&g->ring_lock);
    pthread_cond_destroy(&g->pool_cond);
}
