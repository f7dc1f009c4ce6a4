/*
 * threads.c [n [alone]]: threads that come and go, fork from many threads at once (not if alone), exec from a thread, an exit
 * while others compute; afterwards descriptors, threads and memory are back at the start.
 */
#include "harness.h"
#include <dirent.h>
#include <sys/wait.h>

static long n = 2000;
static char *self;
static volatile uint64_t sink;

static int entries(const char *dir)
{
    int k = 0;
    DIR *d = opendir(dir);
    while (d && readdir(d)) k++;
    if (d) closedir(d);
    return k;
}

static long resident(void)
{
    long size = 0, rss = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &size, &rss) != 2) rss = 0;
    if (f) fclose(f);
    return rss;
}

static void *brief(void *arg)
{
    uint64_t x = (uint64_t)arg;
    for (int i = 0; i < 50; i++) x = x * 6364136223846793005ull + 1;
    return (void *)x;
}

static void churn(long count)
{
    pthread_t t[8];
    for (long i = 0; i < count; i += 8) {
        void *r;
        for (long k = 0; k < 8; k++) CHECK(!pthread_create(&t[k], NULL, brief, (void *)(i + k)));
        for (long k = 0; k < 8; k++) {
            pthread_join(t[k], &r);
            CHECK(r == brief((void *)(i + k)));
        }
    }
}

static atomic_int stop;
static void *compute(void *arg)
{
    uint64_t x = 1;
    while (!stop)
        for (int i = 0; i < 1000; i++) x = x * 6364136223846793005ull + 1, sink = x;
    return NULL;
}

static void *forks(void *arg)
{
    long me = (long)arg;
    for (int i = 0; i < n / 50; i++) {
        int st;
        pid_t p = fork();
        if (!p) {
            /* the child is whole: it allocates, makes a thread, forks again */
            pthread_t t;
            void *r;
            if (pthread_create(&t, NULL, brief, (void *)7) || pthread_join(t, &r) || r != brief((void *)7)) _exit(1);
            if (i % 8 == 0) {
                pid_t q = fork();
                if (!q) _exit(5);
                if (waitpid(q, &st, 0) != q || !WIFEXITED(st) || WEXITSTATUS(st) != 5) _exit(2);
            }
            if (i % 8 == 1) {
                execl(self, self, "exit", NULL);
                _exit(3);
            }
            _exit(10 + me);
        }
        CHECK(p > 0 && waitpid(p, &st, 0) == p);
        CHECK(WIFEXITED(st) && WEXITSTATUS(st) == (i % 8 == 1 ? 77 : 10 + me), "thread %ld, child %d: %x", me, i, st);
    }
    return NULL;
}

static void *exec_here(void *arg)
{
    execl(self, self, "exit", NULL);
    return NULL;
}

static void *exit_here(void *arg)
{
    usleep(1000);
    exit(88);
}

/* A child whose threads all compute while one of them does `end`. */
static int child_status(void *(*end)(void *))
{
    int st = 0;
    pid_t p = fork();
    if (!p) {
        pthread_t t;
        stop = 0;
        for (int i = 0; i < 3; i++) pthread_create(&t, NULL, compute, NULL);
        pthread_create(&t, NULL, end, NULL);
        for (;;) pause();
    }
    CHECK(waitpid(p, &st, 0) == p);
    return st;
}

int main(int argc, char **argv)
{
    pthread_t t[4], c[2];
    self = argv[0];
    if (argc > 1 && !strcmp(argv[1], "exit")) return 77;
    if (argc > 1) n = atol(argv[1]);
    churn(200);
    int fds = entries("/proc/self/fd"), tasks = 3; /* this one, "." and ".." */
    long rss = resident();
    churn(n);
    CHECK(entries("/proc/self/fd") == fds);
    if (argc > 2) return verdict(); /* a sanitizer has threads and memory of its own */
    for (int i = 0; i < 200 && entries("/proc/self/task") != tasks; i++) usleep(10000); /* joined is before gone */
    CHECK(entries("/proc/self/task") == tasks, "%d tasks, %d before", entries("/proc/self/task"), tasks);
    CHECK(resident() - rss < 2500, "%ld pages, %ld before", resident(), rss);
    for (int i = 0; i < 2; i++) pthread_create(&c[i], NULL, compute, NULL);
    for (long i = 0; i < 4; i++) pthread_create(&t[i], NULL, forks, (void *)i);
    for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
    stop = 1;
    for (int i = 0; i < 2; i++) pthread_join(c[i], NULL);
    CHECK(entries("/proc/self/fd") == fds);
    for (int i = 0; i < 10; i++) {
        int st = child_status(exec_here);
        CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 77, "exec from a thread: %x", st);
        st = child_status(exit_here);
        CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 88, "exit from a thread: %x", st);
    }
    return verdict();
}
