/*
 * signals.c [milliseconds [nanoseconds]]: signals at any moment do no harm. Timers that fire every 130 us (or so many ns)
 * with a handler that uses every
 * register it may, nested, on an alternate stack, while integer, floating-point and vector checksums are computed; calls
 * that restart; signals between threads, none of the queued ones lost.
 */
#include "harness.h"
#include <linux/futex.h>
#include <math.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static atomic_long hits, nested;
static volatile double fsink;
static volatile long isink;
static __thread int depth;

static void handler(int sig, siginfo_t *si, void *context)
{
    int saved = errno;
    atomic_fetch_add(&hits, 1);
    if (++depth > 1) atomic_fetch_add(&nested, 1);
#ifdef __riscv
    __asm__ volatile("li t0, -1\n li t1, -2\n li t2, -3\n li t3, -4\n li t4, -5\n li t5, -6\n li t6, -7\n"
                     "li a0, -8\n li a1, -9\n li a2, -10\n li a3, -11\n li a4, -12\n li a5, -13\n li a6, -14\n li a7, -15\n"
                     "fmv.d.x ft0, t0\n fmv.d.x ft1, t0\n fmv.d.x ft2, t0\n fmv.d.x ft3, t0\n fmv.d.x ft4, t0\n"
                     "fmv.d.x ft5, t0\n fmv.d.x ft6, t0\n fmv.d.x ft7, t0\n fmv.d.x fa0, t0\n fmv.d.x fa1, t0\n"
                     "fmv.d.x fa2, t0\n fmv.d.x fa3, t0\n fmv.d.x fa4, t0\n fmv.d.x fa5, t0\n fmv.d.x fa6, t0\n"
                     "fmv.d.x fa7, t0\n fmv.d.x ft8, t0\n fmv.d.x ft9, t0\n fmv.d.x ft10, t0\n fmv.d.x ft11, t0\n"
                     "fsrmi 1\n fsflags zero\n"
                     ".option push\n.option arch, +v\n vsetvli t0, zero, e8, m8, ta, ma\n vmv.v.i v0, -1\n vmv.v.i v8, -2\n"
                     "vmv.v.i v16, -3\n vmv.v.i v24, -4\n .option pop\n"
                     ::: "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "memory");
#else
    __asm__ volatile("mov x0, -1\n mov x1, -1\n mov x2, -1\n mov x3, -1\n mov x4, -1\n mov x5, -1\n mov x6, -1\n mov x7, -1\n"
                     "mov x8, -1\n mov x9, -1\n mov x10, -1\n mov x11, -1\n mov x12, -1\n mov x13, -1\n mov x14, -1\n"
                     "mov x15, -1\n mov x16, -1\n mov x17, -1\n"
                     "movi v0.16b, #255\n mov v1.16b, v0.16b\n mov v2.16b, v0.16b\n mov v3.16b, v0.16b\n mov v4.16b, v0.16b\n"
                     "mov v5.16b, v0.16b\n mov v6.16b, v0.16b\n mov v7.16b, v0.16b\n mov v16.16b, v0.16b\n"
                     "mov v17.16b, v0.16b\n mov v18.16b, v0.16b\n mov v19.16b, v0.16b\n mov v20.16b, v0.16b\n"
                     "mov v21.16b, v0.16b\n mov v22.16b, v0.16b\n mov v23.16b, v0.16b\n mov v24.16b, v0.16b\n"
                     "mov v25.16b, v0.16b\n mov v26.16b, v0.16b\n mov v27.16b, v0.16b\n mov v28.16b, v0.16b\n"
                     "mov v29.16b, v0.16b\n mov v30.16b, v0.16b\n mov v31.16b, v0.16b\n"
                     "mov x0, #0xc00000\n msr fpcr, x0\n msr fpsr, xzr\n cmp x0, x0\n"
                     ::: "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",
                         "x16", "x17", "cc", "memory");
#endif
    for (int i = 0; i < 20; i++) fsink = fsink * 0.25 + i, isink += i;
    depth--;
    errno = saved;
}

/* --- the same sum over and over --------------------------------------------------------------------------------------- */
static __attribute__((noinline)) uint64_t integer(void)
{
    uint64_t x = 88172645463325252ull, s = 0;
    for (int i = 0; i < 3000; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        s += x * (i | 1) ^ (s >> 9);
        if (s & 1) s = s / 3;
    }
    return s;
}

static __attribute__((noinline)) double floating(void)
{
    double a = 1, b = 0, c = 0.1;
    float f = 1;
    for (int i = 1; i < 2000; i++) {
        a = a * 1.0000001 + 1.0 / i;
        b += a - c;
        c = sqrt(b > 0 ? b : -b);
        f = f * 1.001f + (float)c;
        if (f > 1e6f) f -= 1e6f;
    }
    return a + b + c + f;
}

/* vector: the registers are written at the start and read at the end of a long stretch */
static __attribute__((noinline)) uint64_t vector(void)
{
    uint64_t out[8] = { 0 };
#ifdef __riscv
    uint64_t k = 0x0123456789abcdefull, n = 300;
    __asm__ volatile(".option push\n.option arch, +v\n vsetivli zero, 2, e64, m1, ta, ma\n vmv.v.x v1, %1\n vid.v v2\n vmv.v.x v31, %1\n"
                     "1: vadd.vv v1, v1, v2\n vsll.vi v3, v1, 13\n vxor.vv v1, v1, v3\n vsrl.vi v3, v1, 7\n vxor.vv v1, v1, v3\n"
                     " vadd.vv v31, v31, v1\n addi %0, %0, -1\n bnez %0, 1b\n"
                     " vse64.v v1, (%2)\n addi %2, %2, 16\n vse64.v v31, (%2)\n addi %2, %2, -16\n .option pop\n"
                     : "+r"(n) : "r"(k), "r"(out) : "memory");
#else
    uint64_t k = 0x0123456789abcdefull, n = 300;
    __asm__ volatile("dup v1.2d, %1\n movi v2.16b, #3\n dup v31.2d, %1\n dup v9.2d, %1\n"
                     "1: add v1.2d, v1.2d, v2.2d\n shl v3.2d, v1.2d, #13\n eor v1.16b, v1.16b, v3.16b\n ushr v3.2d, v1.2d, #7\n"
                     " eor v1.16b, v1.16b, v3.16b\n add v31.2d, v31.2d, v1.2d\n mul v9.4s, v9.4s, v1.4s\n subs %0, %0, #1\n b.ne 1b\n"
                     " stp q1, q31, [%2]\n str q9, [%2, #32]\n"
                     : "+r"(n) : "r"(k), "r"(out) : "memory", "v1", "v2", "v3", "v9", "v31", "cc");
#endif
    uint64_t s = 0;
    for (int i = 0; i < 8; i++) s = s * 31 + out[i];
    return s;
}

static long ms = 500;
static uint64_t now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000ull + ts.tv_nsec / 1000000;
}

static void compute(void)
{
    uint64_t i0 = integer(), v0 = vector(), end = now() + ms;
    double f0 = floating();
    long last = hits;
    while (now() < end || hits < last + 20) {
        CHECK(integer() == i0);
        CHECK(floating() == f0);
        CHECK(vector() == v0);
    }
}

static void timers(struct timespec ts)
{
    stack_t ss = { .ss_sp = malloc(1 << 18), .ss_size = 1 << 18 };
    struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER };
    struct itimerval it = { { 0, 200 }, { 0, 200 } }, off = { 0 };
    CHECK(!sigaltstack(&ss, NULL));
    sigaction(SIGALRM, &sa, NULL);
    sa.sa_flags |= SA_ONSTACK;
    sigaction(SIGUSR1, &sa, NULL);
    timer_t t;
    struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
    struct itimerspec its = { ts, ts };
    CHECK(!timer_create(CLOCK_MONOTONIC, &ev, &t));
    setitimer(ITIMER_REAL, &it, NULL);
    CHECK(!timer_settime(t, 0, &its, NULL));
    compute();
    timer_delete(t);
    setitimer(ITIMER_REAL, &off, NULL);
}

/* --- a read and a futex wait that signals interrupt all the time ----------------------------------------------------------- */
static int pipes[2];
static uint32_t word;
static pthread_t reader, waiter;
static atomic_int ended;

static void *do_read(void *arg)
{
    char c;
    for (int i = 0; i < 50; i++) CHECK(read(pipes[0], &c, 1) == 1 && c == (char)i, "byte %d", i);
    ended++;
    return NULL;
}

static void *do_wait(void *arg)
{
    while (!atomic_load((_Atomic uint32_t *)&word)) {
        long r = syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
        CHECK(r == 0 || errno == EAGAIN || errno == EINTR, "futex: %ld", r);
    }
    ended++;
    return NULL;
}

static void restart(void)
{
    struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };
    sigaction(SIGUSR2, &sa, NULL);
    CHECK(!pipe(pipes));
    pthread_create(&reader, NULL, do_read, NULL);
    pthread_create(&waiter, NULL, do_wait, NULL);
    for (int i = 0; i < 50; i++) {
        for (int k = 0; k < 20; k++) pthread_kill(reader, SIGUSR2), pthread_kill(waiter, SIGUSR2);
        char c = i;
        CHECK(write(pipes[1], &c, 1) == 1);
        /* the reader ends with its 50th byte, which it cannot have before this loop's last turn */
    }
    atomic_store((_Atomic uint32_t *)&word, 1);
    syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0);
    pthread_join(reader, NULL);
    pthread_join(waiter, NULL);
    CHECK(ended == 2);
}

/* --- queued signals arrive, every one, in order, with their values ------------------------------------------------------- */
enum { QUEUED = 2000 };
static volatile int got, bad_order;
static void queued(int sig, siginfo_t *si, void *context)
{
    if (si->si_value.sival_int != got) bad_order++;
    got++;
}

static void *send_all(void *arg)
{
    for (int i = 0; i < QUEUED; i++) {
        union sigval v = { .sival_int = i };
        while (sigqueue(getpid(), SIGRTMIN + 2, v) < 0) sched_yield();
    }
    return NULL;
}

static void queue(void)
{
    struct sigaction sa = { .sa_sigaction = queued, .sa_flags = SA_SIGINFO | SA_RESTART };
    pthread_t t;
    sigset_t set;
    sigaction(SIGRTMIN + 2, &sa, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 2);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* the sender inherits it: all come here */
    pthread_create(&t, NULL, send_all, NULL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    uint64_t i0 = integer();
    while (got < QUEUED) CHECK(integer() == i0);
    pthread_join(t, NULL);
    CHECK(got == QUEUED && !bad_order, "%d, %d out of order", got, bad_order);
}

int main(int argc, char **argv)
{
    if (argc > 1) ms = atol(argv[1]);
    timers((struct timespec){ 0, argc > 2 ? atol(argv[2]) : 130000 });
    restart();
    queue();
    CHECK(hits > 100, "%ld signals", (long)hits);
    return verdict();
}
