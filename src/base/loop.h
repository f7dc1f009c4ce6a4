/*
 * loop.h: the event loop of a machine, its big lock, clocks and timers (floor 0). Linux: epoll, eventfd, timerfd.
 *
 * A loop has no global state; a process may have several. One thread runs it (loop_run). Callbacks - of descriptors, deferred calls,
 * timers - run on that thread with the loop's lock held; it is released only while the thread waits. Device code on vCPU threads
 * takes the same lock, so devices need no locks of their own. "Lock held" below: the caller holds it (callbacks do).
 */
#ifndef LYRE_BASE_LOOP_H
#define LYRE_BASE_LOOP_H

#include "base/base.h"

struct loop;
/* NULL and *e: no descriptors left. */
struct loop *loop_new(struct err *e);
/* No thread runs it or will call it; descriptors, timers and deferred calls that are left are forgotten, not closed. */
void loop_free(struct loop *l);

/* --- the lock ------------------------------------------------------------------------------------------------------- */

/* Fair (first come, first served): a CPU that polls a device cannot starve the loop. Not recursive. */
void loop_lock(struct loop *l);
void loop_unlock(struct loop *l);
bool loop_locked_by_me(const struct loop *l);

/* --- running -------------------------------------------------------------------------------------------------------- */

/* Until loop_stop. Called without the lock. Returns what loop_stop was given. */
int loop_run(struct loop *l);
/* Makes loop_run return after the round that runs now, or before the next. Any thread, lock held or not; of several calls the
 * first one's code counts. */
void loop_stop(struct loop *l, int code);
/*
 * One round: waits (if `wait`) until something is ready, runs it. Lock held, released while it waits. May be called inside of callbacks
 * (a wait for a request to complete), on the loop's thread only. True: something was run.
 */
bool loop_once(struct loop *l, bool wait);

/* --- descriptors ---------------------------------------------------------------------------------------------------- */

/* HUP: the other side hung up or the descriptor has an error; reported whether asked for or not, until it is freed. */
enum { LOOP_IN = 1, LOOP_OUT = 2, LOOP_HUP = 4 };
struct loop_fd;
/*
 * Calls fn(ctx, LOOP_*) while the descriptor is ready (level-triggered) for one of `events` (may be 0). Files that cannot be polled
 * (regular files, /dev/null) are always ready. One registration per descriptor; dup it for a second one (NULL and *e otherwise).
 * The descriptor stays the caller's and is closed after loop_fd_free. Lock held.
 */
struct loop_fd *loop_fd_new(struct loop *l, int fd, unsigned events, void (*fn)(void *ctx, unsigned events), void *ctx,
                            struct err *e);
void loop_fd_set(struct loop_fd *f, unsigned events);
/* fn is not called any more once this returns; fine inside any callback, its own too. NULL: nothing to do. */
void loop_fd_free(struct loop_fd *f);

/* --- deferred calls ------------------------------------------------------------------------------------------------- */

/* A call that is made soon on the loop's thread, lock held; once, however often it was asked for until then. */
struct deferred {
    struct loop *loop;
    void (*fn)(void *ctx);
    void *ctx;
    struct deferred *prev, *next; /* the loop's, as what follows */
    uint64_t seq;
    bool queued;
};
void deferred_init(struct deferred *d, struct loop *l, void (*fn)(void *ctx), void *ctx);
/* Any thread, lock held or not. Calls are made in the order of asking. What is asked for by a deferred call is made in the next round. */
void loop_defer(struct deferred *d);
/* Lock held: it does not run after this (until deferred anew). Before the memory goes. */
void deferred_cancel(struct deferred *d);

/* --- clocks --------------------------------------------------------------------------------------------------------- */

enum { NS_PER_US = 1000, NS_PER_MS = 1000 * 1000, NS_PER_S = 1000 * 1000 * 1000 };
#define TIMER_NEVER UINT64_MAX

enum clock_kind {
    CLOCK_HOST,  /* the host's CLOCK_MONOTONIC; never stops */
    CLOCK_GUEST  /* starts at 0, stopped; runs while the machine runs */
};
struct timer;
struct clock {
    struct loop *loop;
    enum clock_kind kind;
    /* now = base + (running ? (source ? source() : host) - start : 0), read under a sequence lock */
    uint32_t version;
    uint32_t running;
    uint64_t base, start;
    uint64_t floor; /* time of the last clock_run: what is set for earlier is due after all that is due already */
    uint64_t seq;
    uint64_t (*source)(void *ctx);
    void *source_ctx;
    struct timer **heap;
    uint32_t count, cap;
    uint64_t round;     /* the loop's, as what follows */
    struct clock *next;
};
/* The loop's own host clock. */
struct clock *loop_clock(struct loop *l);
/* A further clock of the loop. Lock held. clock_done: no timer of it is set; before the memory goes. */
void clock_init(struct clock *c, struct loop *l, enum clock_kind kind);
void clock_done(struct clock *c);
/* Time in ns. Any thread, lock held or not. */
uint64_t clock_now(const struct clock *c);
/* Guest clocks. Lock held. Stopping and starting twice is fine. While it is stopped its timers do not run. */
void clock_start(struct clock *c);
void clock_stop(struct clock *c);
bool clock_running(const struct clock *c);
/* Sets the time (a snapshot was loaded); timers keep their deadlines. */
void clock_set(struct clock *c, uint64_t ns);
/*
 * Time from somewhere else, e.g. a counter of instructions: source() is monotonic, in ns, callable on any thread; NULL: the host's
 * clock again. The time does not jump when the source changes. The loop cannot wait for such a clock: whoever drives it asks
 * clock_next_deadline and calls clock_run when that is reached.
 */
void clock_set_source(struct clock *c, uint64_t (*source)(void *ctx), void *ctx);
/* Adds ns to the time: every CPU sleeps, and the next deadline need not be waited for. */
void clock_warp(struct clock *c, uint64_t ns);
/* When the first timer of the clock is due, in its own time; TIMER_NEVER. Lock held. */
uint64_t clock_next_deadline(const struct clock *c);
/* Runs the timers that are due, each once. True if there were any. Lock held; the loop does it for clocks that follow the host's. */
bool clock_run(struct clock *c);

/* --- timers --------------------------------------------------------------------------------------------------------- */

/* Embedded in what it belongs to. All calls: lock held, any thread. fn runs on the loop's thread (or in clock_run), lock held. */
struct timer {
    struct clock *clock;
    void (*fn)(void *ctx);
    void *ctx;
    uint64_t when, seq;
    uint32_t at; /* place in the heap + 1; 0: not set */
};
void timer_init(struct timer *t, struct clock *c, void (*fn)(void *ctx), void *ctx);
/* Due at clock time ns (absolute; in the past: as soon as possible; TIMER_NEVER: cancels). Replaces an earlier setting. Timers with
 * the same deadline run in the order they were set. A timer that is set by a timer's call runs in the next round at the earliest. */
void timer_set(struct timer *t, uint64_t ns);
void timer_cancel(struct timer *t);
static inline bool timer_is_set(const struct timer *t)
{
    return t->at != 0;
}
/* ns from now on; what overflows is never. */
void timer_set_in(struct timer *t, uint64_t ns);

#endif
