/* loop_test.c: the event loop: order, cancelling inside of callbacks, calls from other threads, clocks, the lock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/loop.h"

struct world {
    struct loop *l;
    struct clock guest;
    char log[256];
    struct timer t[8];
    struct deferred d[4];
    struct loop_fd *f[4];
    int fd[4];
    uint64_t ticks;
    unsigned count, limit;
};

static void note(struct world *w, char c)
{
    size_t n = strlen(w->log);
    if (n + 1 < sizeof w->log) w->log[n] = c;
}

static int set_up(void **state)
{
    struct world *w = xalloc(sizeof *w);
    struct err e;
    w->l = loop_new(&e);
    assert_non_null(w->l);
    loop_lock(w->l);
    clock_init(&w->guest, w->l, CLOCK_GUEST);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    clock_done(&w->guest);
    loop_unlock(w->l);
    loop_free(w->l);
    free(w);
    return 0;
}

static uint64_t ticks(void *ctx)
{
    return __atomic_load_n(&((struct world *)ctx)->ticks, __ATOMIC_RELAXED);
}

/* --- timers -------------------------------------------------------------------------------------------------------------- */

#define NOTE(name, c) static void name(void *ctx) { note(ctx, c); }
NOTE(note_a, 'a')
NOTE(note_b, 'b')
NOTE(note_c, 'c')

static void test_order(void **state)
{
    struct world *w = *state;
    clock_set_source(&w->guest, ticks, w);
    clock_start(&w->guest);
    timer_init(&w->t[0], &w->guest, note_a, w);
    timer_init(&w->t[1], &w->guest, note_b, w);
    timer_init(&w->t[2], &w->guest, note_c, w);
    assert_true(clock_next_deadline(&w->guest) == TIMER_NEVER);
    timer_set(&w->t[2], 50);
    timer_set(&w->t[0], 50);
    timer_set(&w->t[1], 20);
    assert_int_equal(clock_next_deadline(&w->guest), 20);
    w->ticks = 19;
    assert_false(clock_run(&w->guest));
    w->ticks = 20;
    assert_true(clock_run(&w->guest));
    assert_string_equal(w->log, "b");
    assert_false(timer_is_set(&w->t[1]));
    clock_warp(&w->guest, 40);
    assert_int_equal(clock_now(&w->guest), 60);
    timer_set(&w->t[1], 1); /* in the past: as of the last run, before what came later */
    clock_run(&w->guest);
    assert_string_equal(w->log, "bbca");
    clock_run(&w->guest);
    assert_string_equal(w->log, "bbca");
    timer_set(&w->t[0], 70);
    timer_set(&w->t[0], TIMER_NEVER);
    assert_false(timer_is_set(&w->t[0]));
}

static void again(void *ctx)
{
    struct world *w = ctx;
    note(w, '.');
    timer_set(&w->t[0], 0); /* always due */
}

static void cancels(void *ctx)
{
    struct world *w = ctx;
    note(w, 'x');
    timer_cancel(&w->t[1]);
    timer_cancel(&w->t[2]);
}

static void test_greedy_timer(void **state)
{
    struct world *w = *state;
    clock_set_source(&w->guest, ticks, w);
    clock_start(&w->guest);
    timer_init(&w->t[0], &w->guest, again, w);
    timer_init(&w->t[1], &w->guest, note_a, w);
    timer_set(&w->t[0], 0);
    timer_set(&w->t[1], 5);
    w->ticks = 10;
    clock_run(&w->guest); /* one that is always due does not keep others away, nor the loop */
    clock_run(&w->guest);
    assert_string_equal(w->log, ".a.");
}

static void test_cancel_inside(void **state)
{
    struct world *w = *state;
    timer_init(&w->t[0], loop_clock(w->l), cancels, w);
    timer_init(&w->t[1], loop_clock(w->l), note_a, w);
    timer_init(&w->t[2], loop_clock(w->l), note_b, w);
    timer_init(&w->t[3], loop_clock(w->l), note_c, w);
    for (int i = 0; i < 4; i++) timer_set(&w->t[i], 1);
    assert_true(loop_once(w->l, true));
    assert_string_equal(w->log, "xc");
}

static void count_down(void *ctx)
{
    struct world *w = ctx;
    if (++w->count == w->limit) loop_stop(w->l, 7);
}

/* A heap of random deadlines comes out sorted, also with cancellations. */
static void test_heap(void **state)
{
    struct world *w = *state;
    enum { N = 1000 };
    static struct timer t[N];
    uint32_t r = 12345;
    clock_set_source(&w->guest, ticks, w);
    clock_start(&w->guest);
    for (int i = 0; i < N; i++) timer_init(&t[i], &w->guest, count_down, w);
    for (int i = 0; i < 5 * N; i++) {
        r = r * 1664525 + 1013904223;
        if (r & 0x800)
            timer_cancel(&t[(r >> 16) % N]);
        else
            timer_set(&t[(r >> 16) % N], r >> 12);
    }
    unsigned set = 0;
    for (int i = 0; i < N; i++) set += timer_is_set(&t[i]);
    uint64_t last = 0, when;
    while ((when = clock_next_deadline(&w->guest)) != TIMER_NEVER) {
        assert_true(when >= last);
        last = w->ticks = when;
        assert_true(clock_run(&w->guest));
    }
    assert_int_equal(w->count, set);
}

static void test_host_timer(void **state)
{
    struct world *w = *state;
    w->limit = 1;
    uint64_t due = clock_now(loop_clock(w->l)) + 2 * NS_PER_MS;
    timer_init(&w->t[0], loop_clock(w->l), count_down, w);
    timer_set(&w->t[0], due);
    loop_unlock(w->l);
    assert_int_equal(loop_run(w->l), 7);
    loop_lock(w->l);
    assert_true(clock_now(loop_clock(w->l)) >= due);
}

static void test_virtual_clock(void **state)
{
    struct world *w = *state;
    w->limit = 1;
    assert_int_equal(clock_now(&w->guest), 0);
    timer_init(&w->t[0], &w->guest, count_down, w);
    timer_set(&w->t[0], 1);
    timer_init(&w->t[1], loop_clock(w->l), note_a, w);
    timer_set_in(&w->t[1], NS_PER_MS);
    while (!w->log[0]) loop_once(w->l, true);
    assert_int_equal(w->count, 0); /* stopped: host time passed, its own did not */
    assert_int_equal(clock_now(&w->guest), 0);
    clock_start(&w->guest);
    while (!w->count) loop_once(w->l, true);
    clock_stop(&w->guest);
    uint64_t t = clock_now(&w->guest);
    assert_true(t >= 1);
    assert_int_equal(clock_now(&w->guest), t);
    clock_set(&w->guest, 5);
    assert_int_equal(clock_now(&w->guest), 5);
    clock_start(&w->guest);
    clock_set_source(&w->guest, ticks, w); /* does not jump */
    t = clock_now(&w->guest);
    assert_true(t >= 5);
    w->ticks += 100;
    assert_int_equal(clock_now(&w->guest), t + 100);
    timer_set(&w->t[0], t + 50); /* due, but the loop leaves such a clock alone */
    assert_false(loop_once(w->l, false));
    assert_true(clock_run(&w->guest));
}

/* --- descriptors ------------------------------------------------------------------------------------------------------------ */

static void reads(void *ctx, unsigned ev)
{
    struct world *w = ctx;
    char c;
    if (read(w->fd[0], &c, 1) == 1) note(w, c);
    if (ev & LOOP_HUP) note(w, '!');
}

static void frees_all(void *ctx, unsigned ev)
{
    struct world *w = ctx;
    note(w, 'f');
    for (int i = 0; i < 4; i++) {
        loop_fd_free(w->f[i]);
        w->f[i] = NULL;
    }
}

static void test_fds(void **state)
{
    struct world *w = *state;
    struct err e;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, w->fd), 0);
    w->f[0] = loop_fd_new(w->l, w->fd[0], LOOP_IN, reads, w, &e);
    assert_non_null(w->f[0]);
    assert_null(loop_fd_new(w->l, w->fd[0], LOOP_IN, reads, w, &e)); /* one each */
    assert_true(strlen(e.msg) > 0);
    assert_false(loop_once(w->l, false));
    assert_int_equal(write(w->fd[1], "uv", 2), 2);
    loop_once(w->l, true);
    assert_string_equal(w->log, "u"); /* level-triggered: the rest comes later */
    loop_fd_set(w->f[0], 0);
    assert_false(loop_once(w->l, false));
    loop_fd_set(w->f[0], LOOP_IN);
    loop_once(w->l, true);
    assert_string_equal(w->log, "uv");
    close(w->fd[1]);
    loop_once(w->l, true);
    assert_string_equal(w->log, "uv!");
    loop_fd_free(w->f[0]);
    assert_false(loop_once(w->l, false));
    close(w->fd[0]);
}

/* All are ready in one batch; the first call frees every one. */
static void test_free_inside(void **state)
{
    struct world *w = *state;
    int p[4][2];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pipe(p[i]), 0);
        assert_int_equal(write(p[i][1], "x", 1), 1);
        w->f[i] = loop_fd_new(w->l, p[i][0], LOOP_IN, frees_all, w, NULL);
    }
    assert_true(loop_once(w->l, true));
    assert_string_equal(w->log, "f");
    assert_false(loop_once(w->l, false));
    for (int i = 0; i < 4; i++) {
        close(p[i][0]);
        close(p[i][1]);
    }
}

static void test_regular_file(void **state)
{
    struct world *w = *state;
    char name[] = "/tmp/loop_test.XXXXXX";
    w->fd[0] = mkstemp(name);
    unlink(name);
    assert_int_equal(pwrite(w->fd[0], "ab", 2, 0), 2);
    w->f[0] = loop_fd_new(w->l, w->fd[0], LOOP_IN, reads, w, NULL);
    loop_once(w->l, true);
    loop_once(w->l, true);
    assert_string_equal(w->log, "ab");
    loop_fd_set(w->f[0], 0);
    assert_false(loop_once(w->l, false));
    loop_fd_free(w->f[0]);
    close(w->fd[0]);
}

/* --- deferred calls and threads ------------------------------------------------------------------------------------------------ */

static void redo(void *ctx)
{
    struct world *w = ctx;
    note(w, 'r');
    loop_defer(&w->d[0]);
    deferred_cancel(&w->d[1]);
}

static void test_deferred(void **state)
{
    struct world *w = *state;
    deferred_init(&w->d[0], w->l, redo, w);
    deferred_init(&w->d[1], w->l, note_a, w);
    deferred_init(&w->d[2], w->l, note_b, w);
    loop_defer(&w->d[0]);
    loop_defer(&w->d[1]);
    loop_defer(&w->d[2]);
    loop_defer(&w->d[2]);
    loop_once(w->l, true);
    assert_string_equal(w->log, "rb");
    loop_once(w->l, true);
    assert_string_equal(w->log, "rbr");
    deferred_cancel(&w->d[0]);
    assert_false(loop_once(w->l, false));
}

struct worker {
    struct world *w;
    pthread_t thread;
    struct deferred d;
    struct timer t;
    uint32_t asked, done;
    uint64_t sum;
};

static void work_done(void *ctx)
{
    struct worker *k = ctx;
    assert_true(loop_locked_by_me(k->w->l));
    k->done = __atomic_load_n(&k->asked, __ATOMIC_ACQUIRE);
    if (k->done == 2000) {
        k->done++;
        if (++k->w->count == k->w->limit) loop_stop(k->w->l, 3);
    }
}

static void *work(void *ctx)
{
    struct worker *k = ctx;
    for (int i = 0; i < 2000; i++) {
        __atomic_add_fetch(&k->asked, 1, __ATOMIC_RELEASE);
        loop_defer(&k->d);
        if (i % 4) continue;
        loop_lock(k->w->l);
        k->w->ticks++; /* under the lock: plain */
        timer_set(&k->t, clock_now(&k->w->guest) + (uint64_t)i % 3);
        loop_unlock(k->w->l);
        k->sum += clock_now(&k->w->guest);
        assert_false(loop_locked_by_me(k->w->l));
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct world *w = *state;
    enum { N = 3 };
    static struct worker k[N];
    w->limit = N;
    clock_start(&w->guest);
    for (int i = 0; i < N; i++) {
        k[i].w = w;
        deferred_init(&k[i].d, w->l, work_done, &k[i]);
        timer_init(&k[i].t, &w->guest, note_a, w);
    }
    loop_unlock(w->l);
    for (int i = 0; i < N; i++) assert_int_equal(pthread_create(&k[i].thread, NULL, work, &k[i]), 0);
    assert_int_equal(loop_run(w->l), 3);
    for (int i = 0; i < N; i++) pthread_join(k[i].thread, NULL);
    loop_lock(w->l);
    assert_int_equal(w->ticks, N * 500);
    for (int i = 0; i < N; i++) timer_cancel(&k[i].t);
}

/* A timer set by another thread wakes a loop that waits for a later one. */
static void *sets_timer(void *ctx)
{
    struct world *w = ctx;
    loop_lock(w->l);
    timer_set_in(&w->t[0], 1);
    loop_unlock(w->l);
    return NULL;
}

static void test_earlier_deadline(void **state)
{
    struct world *w = *state;
    pthread_t th;
    w->limit = 1;
    timer_init(&w->t[0], loop_clock(w->l), count_down, w);
    timer_init(&w->t[1], loop_clock(w->l), note_a, w);
    timer_set_in(&w->t[1], 3600ull * NS_PER_S);
    assert_int_equal(pthread_create(&th, NULL, sets_timer, w), 0);
    loop_unlock(w->l);
    assert_int_equal(loop_run(w->l), 7);
    pthread_join(th, NULL);
    loop_lock(w->l);
    assert_string_equal(w->log, "");
    timer_cancel(&w->t[1]);
}

/* A round inside of a callback, while the outer round has events left. */
static void nests(void *ctx, unsigned ev)
{
    struct world *w = ctx;
    note(w, 'n');
    char c;
    if (read(w->fd[0], &c, 1) < 0) note(w, '?');
    loop_once(w->l, false);
    loop_fd_free(w->f[1]);
    loop_once(w->l, false);
}

static void reads_other(void *ctx, unsigned ev)
{
    struct world *w = ctx;
    char c;
    note(w, read(w->fd[2], &c, 1) == 1 ? c : '?');
}

static void test_nested(void **state)
{
    struct world *w = *state;
    assert_int_equal(pipe2(w->fd, O_NONBLOCK), 0);
    assert_int_equal(pipe2(w->fd + 2, O_NONBLOCK), 0);
    assert_int_equal(write(w->fd[1], "x", 1), 1);
    assert_int_equal(write(w->fd[3], "y", 1), 1);
    w->f[0] = loop_fd_new(w->l, w->fd[0], LOOP_IN, nests, w, NULL);
    w->f[1] = loop_fd_new(w->l, w->fd[2], LOOP_IN, reads_other, w, NULL);
    loop_once(w->l, true);
    loop_once(w->l, false);
    assert_true(!strcmp(w->log, "ny") || !strcmp(w->log, "yn"));
    loop_fd_free(w->f[0]);
    for (int i = 0; i < 4; i++) close(w->fd[i]);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_order), T(test_greedy_timer), T(test_cancel_inside), T(test_heap), T(test_host_timer), T(test_virtual_clock),
        T(test_fds), T(test_free_inside), T(test_regular_file), T(test_deferred), T(test_threads), T(test_earlier_deadline),
        T(test_nested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
