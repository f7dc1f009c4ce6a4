/* clock.c: clocks and timers of the event loop: a binary heap per clock, ordered by deadline and by when it was set. */
#include "base/loop_priv.h"

#include <stdlib.h>
#include <time.h>

static uint64_t host_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

#define LD(p)    __atomic_load_n(&(p), __ATOMIC_RELAXED)
#define ST(p, v) __atomic_store_n(&(p), (v), __ATOMIC_RELAXED)

/* --- time ---------------------------------------------------------------------------------------------------------------- */

uint64_t clock_now(const struct clock *c)
{
    if (c->kind == CLOCK_HOST) return host_ns();
    for (;;) {
        uint32_t v = __atomic_load_n(&c->version, __ATOMIC_ACQUIRE);
        uint64_t base = LD(c->base), start = LD(c->start);
        bool running = LD(c->running);
        uint64_t (*source)(void *) = LD(c->source);
        void *ctx = LD(c->source_ctx);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (v & 1 || LD(c->version) != v) continue;
        if (!running) return base;
        uint64_t now = source ? source(ctx) : host_ns();
        return now > start ? base + (now - start) : base;
    }
}

/* Writes under the lock; readers retry while it is under way. */
static void clock_write(struct clock *c, uint64_t base, bool running, uint64_t (*source)(void *), void *ctx)
{
    assert(loop_locked_by_me(c->loop));
    uint32_t v = c->version;
    ST(c->version, v + 1);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    ST(c->base, base);
    ST(c->running, running);
    ST(c->source, source);
    ST(c->source_ctx, ctx);
    ST(c->start, running ? (source ? source(ctx) : host_ns()) : 0);
    __atomic_store_n(&c->version, v + 2, __ATOMIC_RELEASE);
    loop_rearm(c->loop);
}

struct clock *loop_clock(struct loop *l)
{
    return &l->host;
}

void clock_init(struct clock *c, struct loop *l, enum clock_kind kind)
{
    assert(loop_locked_by_me(l));
    *c = (struct clock){ .loop = l, .kind = kind, .running = kind == CLOCK_HOST, .next = l->clocks };
    l->clocks = c;
}

void clock_done(struct clock *c)
{
    if (!c->loop) return;
    assert(loop_locked_by_me(c->loop));
    for (uint32_t i = 0; i < c->count; i++) c->heap[i]->at = 0;
    for (struct clock **p = &c->loop->clocks; *p; p = &(*p)->next)
        if (*p == c) {
            *p = c->next;
            break;
        }
    free(c->heap);
    *c = (struct clock){ 0 };
}

void clock_start(struct clock *c)
{
    if (!c->running) clock_write(c, c->base, true, c->source, c->source_ctx);
}

void clock_stop(struct clock *c)
{
    if (c->running && c->kind != CLOCK_HOST) clock_write(c, clock_now(c), false, c->source, c->source_ctx);
}

bool clock_running(const struct clock *c)
{
    return LD(c->running);
}

void clock_set(struct clock *c, uint64_t ns)
{
    if (c->kind == CLOCK_HOST) return;
    c->floor = 0;
    clock_write(c, ns, c->running, c->source, c->source_ctx);
}

void clock_set_source(struct clock *c, uint64_t (*source)(void *ctx), void *ctx)
{
    if (c->kind != CLOCK_HOST) clock_write(c, clock_now(c), c->running, source, ctx);
}

void clock_warp(struct clock *c, uint64_t ns)
{
    if (c->kind != CLOCK_HOST) clock_write(c, clock_now(c) + ns, c->running, c->source, c->source_ctx);
}

/* --- the heap ------------------------------------------------------------------------------------------------------------ */

static bool before(const struct timer *a, const struct timer *b)
{
    return a->when != b->when ? a->when < b->when : a->seq < b->seq;
}

static void put(struct clock *c, uint32_t i, struct timer *t)
{
    c->heap[i] = t;
    t->at = i + 1;
}

static void sift_up(struct clock *c, uint32_t i, struct timer *t)
{
    for (; i && before(t, c->heap[(i - 1) / 2]); i = (i - 1) / 2) put(c, i, c->heap[(i - 1) / 2]);
    put(c, i, t);
}

static void sift_down(struct clock *c, uint32_t i, struct timer *t)
{
    for (;;) {
        uint32_t kid = 2 * i + 1;
        if (kid + 1 < c->count && before(c->heap[kid + 1], c->heap[kid])) kid++;
        if (kid >= c->count || !before(c->heap[kid], t)) break;
        put(c, i, c->heap[kid]);
        i = kid;
    }
    put(c, i, t);
}

static void take_out(struct timer *t)
{
    struct clock *c = t->clock;
    uint32_t i = t->at - 1;
    struct timer *last = c->heap[--c->count];
    t->at = 0;
    if (last == t) return;
    if (i && before(last, c->heap[(i - 1) / 2]))
        sift_up(c, i, last);
    else
        sift_down(c, i, last);
}

/* --- timers ---------------------------------------------------------------------------------------------------------------- */

void timer_init(struct timer *t, struct clock *c, void (*fn)(void *ctx), void *ctx)
{
    *t = (struct timer){ .clock = c, .fn = fn, .ctx = ctx };
}

void timer_cancel(struct timer *t)
{
    if (!t->at) return;
    assert(loop_locked_by_me(t->clock->loop));
    take_out(t);
}

void timer_set(struct timer *t, uint64_t ns)
{
    struct clock *c = t->clock;
    assert(loop_locked_by_me(c->loop));
    if (t->at) take_out(t);
    if (ns == TIMER_NEVER) return;
    t->when = MAX(ns, c->floor);
    t->seq = ++c->seq;
    c->heap = vec_grow(c->heap, &c->cap, c->count + 1, sizeof *c->heap);
    sift_up(c, c->count++, t);
    if (t->at == 1) loop_rearm(c->loop);
}

void timer_set_in(struct timer *t, uint64_t ns)
{
    uint64_t now = clock_now(t->clock);
    timer_set(t, ns > TIMER_NEVER - now ? TIMER_NEVER : now + ns);
}

uint64_t clock_next_deadline(const struct clock *c)
{
    return c->count ? c->heap[0]->when : TIMER_NEVER;
}

bool clock_run(struct clock *c)
{
    assert(loop_locked_by_me(c->loop));
    if (!c->running || !c->count) return false;
    uint64_t now = clock_now(c), last = c->seq;
    bool ran = false;
    c->floor = now;
    while (c->count && c->heap[0]->when <= now && c->heap[0]->seq <= last) {
        struct timer *t = c->heap[0];
        take_out(t);
        t->fn(t->ctx); /* t may be gone after this */
        ran = true;
    }
    return ran;
}

/* --- the loop's side ---------------------------------------------------------------------------------------------------------- */

static bool follows_host(const struct clock *c)
{
    return c->running && !c->source;
}

uint64_t clock_host_deadline(struct loop *l)
{
    uint64_t first = TIMER_NEVER;
    for (const struct clock *c = l->clocks; c; c = c->next) {
        if (!c->count || !follows_host(c)) continue;
        uint64_t when = c->heap[0]->when;
        if (c->kind != CLOCK_HOST) {
            uint64_t left = when > c->base ? when - c->base : 0;
            when = left > TIMER_NEVER - 1 - c->start ? TIMER_NEVER - 1 : c->start + left;
        }
        first = MIN(first, when);
    }
    return first;
}

/* A callback may make and free clocks: the list is walked anew after each that ran, and each runs once a round. */
bool clock_run_host(struct loop *l)
{
    bool ran = false;
    uint64_t round = l->round;
    for (struct clock *c = l->clocks; c;) {
        if (c->round >= round || !follows_host(c)) {
            c = c->next;
            continue;
        }
        c->round = round;
        bool did = clock_run(c);
        ran |= did;
        c = did ? l->clocks : c->next;
    }
    return ran;
}
