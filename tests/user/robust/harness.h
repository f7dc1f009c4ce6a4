/*
 * harness.h: for the programs of robust_test.sh. CHECK(condition, format, ...) counts and shows a failure; main ends with
 * `return verdict();`, which prints "ok" or "N failures". Handlers may use CHECK: it writes with one write().
 */
#ifndef HARNESS_H
#define HARNESS_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_int failures;

__attribute__((format(printf, 3, 4), unused)) static void failed(int line, const char *what, const char *fmt, ...)
{
    char buf[256];
    va_list ap;
    if (atomic_fetch_add(&failures, 1) >= 10) return; /* the first ones tell enough */
    int n = snprintf(buf, sizeof buf, "line %d: %.120s:", line, what);
    va_start(ap, fmt);
    n += vsnprintf(buf + n, sizeof buf - 1 - n, fmt, ap);
    va_end(ap);
    if (n > (int)sizeof buf - 1) n = sizeof buf - 1;
    buf[n++] = '\n';
    if (write(1, buf, n) < 0) _exit(99);
}
#define CHECK(x, ...)                               \
    do {                                            \
        if (!(x)) failed(__LINE__, #x, " " __VA_ARGS__); \
    } while (0)

static inline int verdict(void)
{
    if (failures)
        printf("%d failures\n", failures);
    else
        printf("ok\n");
    fflush(stdout);
    return failures ? 1 : 0;
}

/* xorshift64*: the same numbers on every machine */
static inline uint64_t rnd(uint64_t *s)
{
    *s ^= *s >> 12, *s ^= *s << 25, *s ^= *s >> 27;
    return *s * 0x2545f4914f6cdd1dull;
}

/* Makes stores to [p, p + n) visible to instruction fetch, as the ISA demands, for this thread. */
static inline void sync_code(void *p, size_t n)
{
    __builtin___clear_cache((char *)p, (char *)p + n);
}
#endif
