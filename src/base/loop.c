/*
 * loop.c: the event loop: its fair lock, rounds, descriptors, deferred calls. Clocks and timers are in clock.c.
 *
 * A descriptor that is freed stays in memory until no round on any nesting level can have an event for it. The thread that waits says
 * so in `waiting`; others wake it through an eventfd, and only then. Known gap: none of the calls is safe in signal handlers but
 * loop_stop.
 */
#include "base/loop_priv.h"

#include <linux/futex.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { BATCH = 64, SPINS = 200 };

struct loop_fd {
    struct loop *loop;
    int fd;
    unsigned events;
    bool dead, always;    /* always: epoll does not take it, it is ready at any time */
    uint64_t round;       /* in which it was called last */
    void (*fn)(void *ctx, unsigned events);
    void *ctx;
    struct loop_fd *prev, *next;
};

/* --- the lock ------------------------------------------------------------------------------------------------------------ */

static long futex(uint32_t *p, int op, uint32_t val, uint32_t bits)
{
    return syscall(SYS_futex, p, op | FUTEX_PRIVATE_FLAG, val, NULL, NULL, bits);
}

static void relax(void)
{
#if defined __x86_64__
    __builtin_ia32_pause();
#else
    __asm__ volatile("" ::: "memory");
#endif
}

static uintptr_t me(void)
{
    return (uintptr_t)pthread_self();
}

/* A ticket lock: who waits long sleeps on `serving`, with its ticket's bit, so that the one whose turn it is wakes alone. */
void loop_lock(struct loop *l)
{
    assert(!loop_locked_by_me(l));
    uint32_t ticket = __atomic_fetch_add(&l->ticket, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0;; i++) {
        uint32_t now = __atomic_load_n(&l->serving, __ATOMIC_SEQ_CST);
        if (now == ticket) break;
        if (i < SPINS && ticket - now == 1) { /* only the next one spins */
            relax();
            continue;
        }
        __atomic_fetch_add(&l->sleepers, 1, __ATOMIC_SEQ_CST);
        futex(&l->serving, FUTEX_WAIT_BITSET, now, 1u << (ticket & 31));
        __atomic_fetch_sub(&l->sleepers, 1, __ATOMIC_SEQ_CST);
    }
    __atomic_store_n(&l->owner, me(), __ATOMIC_RELAXED);
}

void loop_unlock(struct loop *l)
{
    assert(loop_locked_by_me(l));
    __atomic_store_n(&l->owner, 0, __ATOMIC_RELAXED);
    uint32_t next = __atomic_add_fetch(&l->serving, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&l->sleepers, __ATOMIC_SEQ_CST)) futex(&l->serving, FUTEX_WAKE_BITSET, INT32_MAX, 1u << (next & 31));
}

bool loop_locked_by_me(const struct loop *l)
{
    return __atomic_load_n(&l->owner, __ATOMIC_RELAXED) == me();
}

/* --- making ---------------------------------------------------------------------------------------------------------------- */

static int own_fd(struct loop *l, int fd, int *to)
{
    *to = fd;
    if (fd < 0) return -errno;
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = to };
    return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) ? -errno : 0;
}

struct loop *loop_new(struct err *e)
{
    struct loop *l = xalloc(sizeof *l);
    l->wake = l->timer = -1;
    l->armed = TIMER_NEVER;
    pthread_mutex_init(&l->defer_lock, NULL);
    l->defer_head.prev = l->defer_head.next = &l->defer_head;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    int rc = l->epoll < 0 ? -errno : own_fd(l, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), &l->wake);
    if (!rc) rc = own_fd(l, timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), &l->timer);
    if (rc) {
        err_set(e, -rc, "event loop: %s", strerror(-rc));
        loop_free(l);
        return NULL;
    }
    l->clocks = &l->host;
    l->host.loop = l;
    l->host.kind = CLOCK_HOST;
    l->host.running = 1;
    return l;
}

static void bury(struct loop *l)
{
    while (l->graves) {
        struct loop_fd *f = l->graves;
        l->graves = f->next;
        free(f);
    }
}

void loop_free(struct loop *l)
{
    if (!l) return;
    while (l->fds) {
        struct loop_fd *f = l->fds;
        l->fds = f->next;
        free(f);
    }
    bury(l);
    if (l->epoll >= 0) close(l->epoll);
    if (l->wake >= 0) close(l->wake);
    if (l->timer >= 0) close(l->timer);
    pthread_mutex_destroy(&l->defer_lock);
    free(l->host.heap);
    free(l);
}

/* --- descriptors ----------------------------------------------------------------------------------------------------------- */

static uint32_t to_epoll(unsigned events)
{
    return (events & LOOP_IN ? EPOLLIN | EPOLLRDHUP : 0u) | (events & LOOP_OUT ? EPOLLOUT : 0u);
}

static void wake_up(struct loop *l)
{
    uint64_t one = 1;
    if (__atomic_exchange_n(&l->waiting, 0, __ATOMIC_SEQ_CST) && write(l->wake, &one, sizeof one) < 0) {
        /* full: it is awake */
    }
}

struct loop_fd *loop_fd_new(struct loop *l, int fd, unsigned events, void (*fn)(void *ctx, unsigned events), void *ctx,
                            struct err *e)
{
    assert(loop_locked_by_me(l));
    struct loop_fd *f = xalloc(sizeof *f);
    *f = (struct loop_fd){ .loop = l, .fd = fd, .events = events, .fn = fn, .ctx = ctx };
    struct epoll_event ev = { .events = to_epoll(events), .data.ptr = f };
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev)) {
        if (errno != EPERM) {
            err_set(e, errno, "event loop: descriptor %d: %s", fd, strerror(errno));
            free(f);
            return NULL;
        }
        f->always = true;
        l->always++;
        wake_up(l);
    }
    f->next = l->fds;
    if (f->next) f->next->prev = f;
    l->fds = f;
    return f;
}

void loop_fd_set(struct loop_fd *f, unsigned events)
{
    if (f->events == events || f->dead) return;
    f->events = events;
    if (f->always) {
        wake_up(f->loop);
        return;
    }
    struct epoll_event ev = { .events = to_epoll(events), .data.ptr = f };
    epoll_ctl(f->loop->epoll, EPOLL_CTL_MOD, f->fd, &ev);
}

void loop_fd_free(struct loop_fd *f)
{
    if (!f || f->dead) return;
    struct loop *l = f->loop;
    if (f->always)
        l->always--;
    else
        epoll_ctl(l->epoll, EPOLL_CTL_DEL, f->fd, NULL);
    f->dead = true;
    if (f->prev)
        f->prev->next = f->next;
    else
        l->fds = f->next;
    if (f->next) f->next->prev = f->prev;
    f->next = l->graves; /* the round that runs may have an event for it */
    l->graves = f;
}

static bool call_fd(struct loop *l, struct loop_fd *f, unsigned ready, uint64_t round)
{
    if (f->dead || f->round > round) return false; /* freed, or an inner round has seen to it */
    ready &= f->events | LOOP_HUP;
    if (!ready) return false;
    f->round = l->round;
    f->fn(f->ctx, ready);
    return true;
}

/* Those that epoll does not know. A callback may change the list: it is walked anew, each is called once. */
static bool call_always(struct loop *l, uint64_t round)
{
    bool ran = false;
    for (struct loop_fd *f = l->always ? l->fds : NULL, *next; f; f = next) {
        next = f->next;
        if (!f->always || f->round >= round || !(f->events & (LOOP_IN | LOOP_OUT))) continue;
        f->round = round;
        f->fn(f->ctx, f->events & (LOOP_IN | LOOP_OUT));
        ran = true;
        next = l->fds;
    }
    return ran;
}

static bool always_ready(const struct loop *l)
{
    if (!l->always) return false;
    for (const struct loop_fd *f = l->fds; f; f = f->next)
        if (f->always && (f->events & (LOOP_IN | LOOP_OUT))) return true;
    return false;
}

/* --- deferred calls ---------------------------------------------------------------------------------------------------------- */

void deferred_init(struct deferred *d, struct loop *l, void (*fn)(void *ctx), void *ctx)
{
    *d = (struct deferred){ .loop = l, .fn = fn, .ctx = ctx };
}

void loop_defer(struct deferred *d)
{
    struct loop *l = d->loop;
    pthread_mutex_lock(&l->defer_lock);
    bool queued = d->queued;
    if (!queued) {
        d->queued = true;
        d->seq = ++l->defer_seq;
        d->next = &l->defer_head;
        d->prev = l->defer_head.prev;
        d->prev->next = d;
        l->defer_head.prev = d;
    }
    pthread_mutex_unlock(&l->defer_lock);
    if (!queued) wake_up(l);
}

static void unqueue(struct deferred *d)
{
    d->prev->next = d->next;
    d->next->prev = d->prev;
    d->queued = false;
}

void deferred_cancel(struct deferred *d)
{
    if (!d->loop) return;
    pthread_mutex_lock(&d->loop->defer_lock);
    if (d->queued) unqueue(d);
    pthread_mutex_unlock(&d->loop->defer_lock);
}

static bool defer_waits(struct loop *l)
{
    pthread_mutex_lock(&l->defer_lock);
    bool yes = l->defer_head.next != &l->defer_head;
    pthread_mutex_unlock(&l->defer_lock);
    return yes;
}

static bool run_deferred(struct loop *l)
{
    bool ran = false;
    pthread_mutex_lock(&l->defer_lock);
    uint64_t last = l->defer_seq;
    for (struct deferred *d; (d = l->defer_head.next) != &l->defer_head && d->seq <= last;) {
        void (*fn)(void *) = d->fn;
        void *ctx = d->ctx;
        unqueue(d);
        pthread_mutex_unlock(&l->defer_lock);
        fn(ctx); /* d may be gone after this */
        ran = true;
        pthread_mutex_lock(&l->defer_lock);
    }
    pthread_mutex_unlock(&l->defer_lock);
    return ran;
}

/* --- rounds -------------------------------------------------------------------------------------------------------------------- */

static void loop_arm(struct loop *l, uint64_t deadline)
{
    if (deadline == l->armed) return;
    l->armed = deadline;
    struct itimerspec t = { 0 };
    if (deadline != TIMER_NEVER) {
        uint64_t at = MIN(MAX(deadline, 1), (uint64_t)INT64_MAX);
        t.it_value = (struct timespec){ .tv_sec = (time_t)(at / NS_PER_S), .tv_nsec = (long)(at % NS_PER_S) };
    }
    timerfd_settime(l->timer, TFD_TIMER_ABSTIME, &t, NULL);
}

/* A deadline came or moved while the loop's thread waits for a later one. */
void loop_rearm(struct loop *l)
{
    if (!l->in_wait) return; /* it looks before it waits */
    uint64_t d = clock_host_deadline(l);
    if (d < l->armed) loop_arm(l, d);
}

static void drain(struct loop *l, int fd)
{
    uint64_t count;
    while (read(fd, &count, sizeof count) > 0) continue;
    if (fd == l->timer) l->armed = TIMER_NEVER;
}

static int wait_events(struct loop *l, bool wait, struct epoll_event *ev)
{
    uint64_t deadline = clock_host_deadline(l);
    if (wait && deadline != TIMER_NEVER && deadline <= clock_now(&l->host)) wait = false;
    if (always_ready(l)) wait = false;
    if (wait) {
        loop_arm(l, deadline);
        __atomic_store_n(&l->waiting, 1, __ATOMIC_SEQ_CST); /* from here on others write to the eventfd */
        if (defer_waits(l) || __atomic_load_n(&l->stopping, __ATOMIC_SEQ_CST)) wait = false;
    }
    l->in_wait = true;
    loop_unlock(l);
    int n = epoll_wait(l->epoll, ev, BATCH, wait ? -1 : 0);
    __atomic_store_n(&l->waiting, 0, __ATOMIC_SEQ_CST);
    loop_lock(l);
    l->in_wait = false;
    return n;
}

bool loop_once(struct loop *l, bool wait)
{
    struct epoll_event ev[BATCH];
    bool ran = false;
    l->depth++;
    int n = wait_events(l, wait, ev);
    uint64_t round = ++l->round;
    for (int i = 0; i < n; i++) {
        uint32_t got = ev[i].events;
        if (ev[i].data.ptr == &l->wake || ev[i].data.ptr == &l->timer) {
            drain(l, *(int *)ev[i].data.ptr);
            continue;
        }
        unsigned ready = (got & EPOLLIN ? LOOP_IN : 0u) | (got & EPOLLOUT ? LOOP_OUT : 0u);
        if (got & (EPOLLHUP | EPOLLERR)) ready |= LOOP_HUP | LOOP_IN | LOOP_OUT; /* reads and writes tell what it is */
        if (got & EPOLLRDHUP) ready |= LOOP_IN;
        ran |= call_fd(l, ev[i].data.ptr, ready, round);
    }
    ran |= call_always(l, round);
    ran |= clock_run_host(l);
    ran |= run_deferred(l);
    if (--l->depth == 0) bury(l);
    return ran;
}

int loop_run(struct loop *l)
{
    loop_lock(l);
    while (!__atomic_load_n(&l->stopping, __ATOMIC_SEQ_CST)) loop_once(l, true);
    uint64_t code = __atomic_exchange_n(&l->stopping, 0, __ATOMIC_SEQ_CST);
    loop_unlock(l);
    return (int)(uint32_t)code;
}

void loop_stop(struct loop *l, int code)
{
    uint64_t none = 0; /* flag and code in one word */
    __atomic_compare_exchange_n(&l->stopping, &none, 1ull << 32 | (uint32_t)code, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    wake_up(l);
}
