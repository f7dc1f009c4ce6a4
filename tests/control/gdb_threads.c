/* gdb_threads.c: what gdb_test.sh debugs. The first argument says what happens at the end. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

volatile int watched, in_child;
__thread volatile long own = 1;
volatile unsigned long spins;
volatile double third = 1.0 / 3.0;
static volatile int usr1_seen;
static pthread_barrier_t barrier;

static void on_usr1(int sig)
{
    usr1_seen = sig;
}

int leaf(int a, int b)
{
    int c = a * b;
    watched = c;
    return c + 1;
}

double scale(double x)
{
    double y = x * 1.5;
    return y + third;
}

static void *worker(void *arg)
{
    long id = (long)arg;
    own = 100 + id;
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return (void *)id;
}

static void say(const char *what)
{
    puts(what);
    fflush(stdout);
}

static void forks(void)
{
    int status;
    pid_t pid = fork();
    if (!pid) {
        in_child = leaf(100, 200); /* has a breakpoint, but only in the parent */
        _exit(in_child == 20001 ? 3 : 4);
    }
    waitpid(pid, &status, 0);
    printf("child %d\n", WEXITSTATUS(status));
    pid = vfork();
    if (!pid) {
        execl("/proc/self/exe", "again", "exit5", (char *)NULL);
        _exit(9);
    }
    waitpid(pid, &status, 0);
    printf("program %d\n", WEXITSTATUS(status));
}

static void *ends_alone(void *arg)
{
    say("alone");
    return arg;
}

static void *tells_of_spin(void *arg)
{
    while (spins < 1000)
        ;
    say("ready");
    for (;;) pause();
}

int main(int argc, char **argv)
{
    pthread_t t[3];
    const char *mode = argc > 1 ? argv[1] : "";
    if (!strcmp(mode, "exit5")) return 5;
    if (!strcmp(mode, "exec")) {
        leaf(1, 1);
        execl("/nonexistent", "x", (char *)NULL);
        execl("/proc/self/exe", "again", "after", (char *)NULL);
    }
    signal(SIGUSR1, on_usr1);
    pthread_barrier_init(&barrier, NULL, 4);
    for (long i = 0; i < 3; i++) pthread_create(&t[i], NULL, worker, (void *)i);
    pthread_barrier_wait(&barrier);
    int r = leaf(6, 7);
    double d = scale(2.0);
    printf("r=%d d=%.3f\n", r, d);
    if (!strcmp(mode, "spin")) {
        pthread_create(&t[0], NULL, tells_of_spin, NULL);
        for (;;) spins++;
    }
    if (!strcmp(mode, "read")) {
        char c;
        say("ready");
        printf("got %d\n", (int)read(0, &c, 1));
    }
    if (!strcmp(mode, "sleep")) {
        say("ready");
        printf("slept %u\n", sleep(2));
    }
    if (!strcmp(mode, "signal")) raise(SIGUSR1);
    if (!strcmp(mode, "crash")) *(volatile int *)8 = 1;
    if (!strcmp(mode, "abort")) abort();
    if (!strcmp(mode, "fork")) forks();
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 3; i++) pthread_join(t[i], NULL);
    printf("end usr1=%d\n", usr1_seen);
    if (!strcmp(mode, "leader")) {
        fflush(stdout);
        pthread_create(&t[0], NULL, ends_alone, NULL);
        pthread_exit(NULL);
    }
    return 7;
}
