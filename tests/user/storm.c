/* storm.c: timer signals, signals between threads, forks in a threaded process, threads coming and going: nothing is lost. */
#include "check.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <sys/wait.h>

static atomic_long hits;
static atomic_int stop;
static pthread_t workers[3];

static void handler(int s)
{
    hits++;
}

static unsigned long mix(unsigned long x)
{
    for (int i = 0; i < 2000; i++) x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return x;
}

static void *worker(void *arg)
{
    unsigned long seed = (unsigned long)arg + 1, want = mix(seed);
    double d = 0;
    while (!stop) {
        if (mix(seed) != want) {
            printf("wrong result in thread %lu\n", seed);
            failures++;
            break;
        }
        for (int i = 0; i < 100; i++) d = d * 0.5 + 1;
        if (d > 2.0 || d < 1.9) {
            printf("wrong floating point result %g\n", d);
            failures++;
            break;
        }
        free(memset(malloc(500), 1, 500));
    }
    return NULL;
}

static void *forker(void *arg)
{
    for (int i = 0; i < 30; i++) {
        int st;
        pid_t p = fork();
        if (!p) {
            free(memset(malloc(10000), 0, 10000));
            _exit(i);
        }
        while (waitpid(p, &st, 0) < 0 && errno == EINTR) {}
        if (!WIFEXITED(st) || WEXITSTATUS(st) != i) {
            printf("child %d: status %x\n", i, st);
            failures++;
        }
    }
    return NULL;
}

static void *once(void *arg)
{
    return (void *)mix((unsigned long)arg);
}

static void *churn(void *arg)
{
    for (int n = 0; n < 100; n++) {
        pthread_t t[4];
        void *r;
        for (long i = 0; i < 4; i++) pthread_create(&t[i], NULL, once, (void *)(i + 1));
        for (long i = 0; i < 4; i++) {
            pthread_join(t[i], &r);
            if ((unsigned long)r != mix(i + 1)) failures++;
        }
    }
    return NULL;
}

static void *pester(void *arg)
{
    while (!stop) {
        for (int i = 0; i < 3; i++) pthread_kill(workers[i], SIGUSR1);
        sched_yield();
    }
    return NULL;
}

int main(void)
{
    struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART };
    struct itimerval it = { { 0, 500 }, { 0, 500 } };
    pthread_t t[3];
    sigaction(SIGALRM, &sa, NULL);
    sigaction(SIGUSR1, &sa, NULL);
    setitimer(ITIMER_REAL, &it, NULL);
    for (long i = 0; i < 3; i++) pthread_create(&workers[i], NULL, worker, (void *)i);
    pthread_create(&t[0], NULL, forker, NULL);
    pthread_create(&t[1], NULL, churn, NULL);
    pthread_create(&t[2], NULL, pester, NULL);
    pthread_join(t[0], NULL);
    pthread_join(t[1], NULL);
    stop = 1;
    pthread_join(t[2], NULL);
    for (int i = 0; i < 3; i++) pthread_join(workers[i], NULL);
    CHECK(hits > 0);
    return done();
}
