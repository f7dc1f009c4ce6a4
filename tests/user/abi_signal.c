/* abi_signal.c: signals as the kernel delivers them: masks, queues, siginfo, restart, alternate stack, job control. */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static volatile int got;
static volatile siginfo_t last;
static volatile sigset_t in_handler;
static char alt[65536];
static char *volatile handler_sp;
static sigjmp_buf jump;

static void handler(int s, siginfo_t *si, void *uc)
{
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    memcpy((void *)&in_handler, &now, sizeof now);
    memcpy((void *)&last, si, sizeof *si);
    got++;
}

static void on_alt(int s)
{
    char x;
    handler_sp = &x;
}

static void jump_out(int s, siginfo_t *si, void *uc)
{
    memcpy((void *)&last, si, sizeof *si);
    siglongjmp(jump, 1);
}

static void set(int s, void (*fn)(int, siginfo_t *, void *), int flags)
{
    struct sigaction sa = { .sa_sigaction = fn, .sa_flags = SA_SIGINFO | flags };
    CHECK(sigaction(s, &sa, NULL) == 0);
}

/* Runs fn in a child; returns its wait status. */
static int child(void (*fn)(void))
{
    int st;
    fflush(stdout);
    pid_t p = fork();
    if (!p) {
        fn();
        _exit(0);
    }
    waitpid(p, &st, 0);
    return st;
}

static void null_store(void)
{
    *(volatile char *)8 = 1;
}

static void blocked_fault(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    null_store();
}

static void past_end(void)
{
    int f = memfd_create("x", 0);
    if (ftruncate(f, 100)) _exit(1);
    char *m = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
    m[5000] = 1;
}

static void *send_usr1(void *arg)
{
    kill(getpid(), SIGUSR1);
    return NULL;
}

static void masks(void)
{
    sigset_t s, old, pend, none;
    union sigval v;
    sigemptyset(&none);
    sigemptyset(&s);
    sigaddset(&s, SIGUSR1);
    sigaddset(&s, SIGRTMIN + 2);
    sigprocmask(SIG_BLOCK, &s, &old);
    set(SIGUSR1, handler, 0);
    set(SIGRTMIN + 2, handler, 0);
    got = 0;
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1); /* not queued twice */
    for (int i = 0; i < 3; i++) {
        v.sival_int = 100 + i;
        sigqueue(getpid(), SIGRTMIN + 2, v);
    }
    CHECK(got == 0);
    sigpending(&pend);
    CHECK(sigismember(&pend, SIGUSR1) && sigismember(&pend, SIGRTMIN + 2) && !sigismember(&pend, SIGUSR2));
    sigprocmask(SIG_SETMASK, &old, NULL);
    CHECK(got == 4);
    CHECK(last.si_signo == SIGRTMIN + 2 || last.si_signo == SIGUSR1);
    CHECK(last.si_pid == getpid() && last.si_uid == getuid());
    CHECK(sigismember((sigset_t *)&in_handler, last.si_signo));

    pthread_t t;
    sigprocmask(SIG_BLOCK, &s, NULL);
    got = 0;
    pthread_create(&t, NULL, send_usr1, NULL);
    CHECK(sigsuspend(&none) == -1 && errno == EINTR && got == 1);
    pthread_join(t, NULL);
    sigprocmask(SIG_BLOCK, NULL, &pend);
    CHECK(sigismember(&pend, SIGUSR1));
    got = 0;
    pthread_create(&t, NULL, send_usr1, NULL);
    CHECK(ppoll(NULL, 0, NULL, &none) == -1 && errno == EINTR && got == 1);
    pthread_join(t, NULL);

    siginfo_t si;
    got = 0;
    pthread_create(&t, NULL, send_usr1, NULL);
    CHECK(sigwaitinfo(&s, &si) == SIGUSR1 && si.si_pid == getpid() && got == 0);
    pthread_join(t, NULL);
    struct timespec ts = { 0, 1000 };
    CHECK(sigtimedwait(&s, &si, &ts) == -1 && errno == EAGAIN);

    struct signalfd_siginfo fi;
    int fd = signalfd(-1, &s, SFD_CLOEXEC);
    kill(getpid(), SIGUSR1);
    CHECK(read(fd, &fi, sizeof fi) == sizeof fi && fi.ssi_signo == SIGUSR1 && fi.ssi_pid == (uint32_t)getpid());
    close(fd);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void restart(void)
{
    struct itimerval it = { { 0, 0 }, { 0, 2000 } };
    int p[2];
    char c;
    CHECK(pipe(p) == 0);
    set(SIGALRM, handler, 0);
    got = 0;
    setitimer(ITIMER_REAL, &it, NULL);
    CHECK(read(p[0], &c, 1) == -1 && errno == EINTR && got == 1);
    set(SIGALRM, handler, SA_RESTART);
    got = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) { /* writes only after it was told that the parent's timer went off */
        while (read(p[0], &c, 0) < 0) {}
        sigset_t s;
        int sig;
        sigemptyset(&s);
        sigaddset(&s, SIGALRM);
        sigprocmask(SIG_BLOCK, &s, NULL);
        it.it_value.tv_usec = 20000;
        setitimer(ITIMER_REAL, &it, NULL);
        sigwait(&s, &sig);
        _exit(write(p[1], "x", 1) != 1);
    }
    setitimer(ITIMER_REAL, &it, NULL);
    CHECK(read(p[0], &c, 1) == 1 && c == 'x');
    waitpid(pid, NULL, 0);
    CHECK(got == 1);
    /* a sleep is not restarted and tells the rest */
    struct timespec want = { 1000, 0 }, rest = { 0 };
    setitimer(ITIMER_REAL, &it, NULL);
    CHECK(nanosleep(&want, &rest) == -1 && errno == EINTR && rest.tv_sec >= 900 && rest.tv_sec < 1000);
    close(p[0]);
    close(p[1]);
}

/* A call that a signal precedes has not been interrupted by it: what cannot fail with EINTR does not. */
static void not_begun(void)
{
    struct itimerval it = { { 0, 20 }, { 0, 20 } };
    long pid = getpid(), wrong = 0;
    set(SIGALRM, handler, 0);
    got = 0;
    setitimer(ITIMER_REAL, &it, NULL);
    while (got < 3000) wrong += getpid() != pid;
    it.it_value.tv_usec = 0;
    setitimer(ITIMER_REAL, &it, NULL);
    CHECK(wrong == 0);
}

static void faults(void)
{
    int st;
    set(SIGSEGV, jump_out, 0);
    if (!sigsetjmp(jump, 1))
        *(volatile int *)0x1238 = 1;
    CHECK(last.si_addr == (void *)0x1238 && last.si_code == SEGV_MAPERR);
    char *ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!sigsetjmp(jump, 1))
        ro[100] = 1;
    CHECK(last.si_addr == ro + 100 && last.si_code == SEGV_ACCERR);
    set(SIGBUS, jump_out, 0);
    if (!sigsetjmp(jump, 1))
        past_end();
    CHECK(last.si_signo == SIGBUS);
    signal(SIGBUS, SIG_DFL);
    signal(SIGSEGV, SIG_DFL);
    st = child(null_store);
    CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
    st = child(blocked_fault);
    CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGSEGV);
    st = child(past_end);
    CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGBUS);
    st = child(abort);
    CHECK(WIFSIGNALED(st) && WTERMSIG(st) == SIGABRT);
}

static void stacks(void)
{
    stack_t ss = { .ss_sp = alt, .ss_size = sizeof alt }, old;
    struct sigaction sa = { .sa_handler = on_alt, .sa_flags = SA_ONSTACK }, q;
    CHECK(sigaltstack(&ss, NULL) == 0);
    sigaction(SIGUSR2, &sa, NULL);
    raise(SIGUSR2);
    CHECK(handler_sp >= alt && handler_sp < alt + sizeof alt);
    CHECK(sigaltstack(NULL, &old) == 0 && old.ss_sp == alt && old.ss_flags == 0);
    ss.ss_flags = SS_DISABLE;
    CHECK(sigaltstack(&ss, NULL) == 0);
    raise(SIGUSR2);
    CHECK(handler_sp < alt || handler_sp >= alt + sizeof alt);
    set(SIGUSR2, handler, SA_RESETHAND);
    got = 0;
    raise(SIGUSR2);
    sigaction(SIGUSR2, NULL, &q);
    CHECK(got == 1 && q.sa_handler == SIG_DFL);
    set(SIGUSR2, handler, SA_NODEFER);
    raise(SIGUSR2);
    CHECK(!sigismember((sigset_t *)&in_handler, SIGUSR2));
}

static void children(void)
{
    int st;
    sigset_t s, old;
    sigemptyset(&s);
    sigaddset(&s, SIGCHLD);
    sigprocmask(SIG_BLOCK, &s, &old);
    set(SIGCHLD, handler, 0);
    pid_t p = fork();
    if (!p) _exit(3);
    siginfo_t si;
    CHECK(sigwaitinfo(&s, &si) == SIGCHLD && si.si_pid == p && si.si_status == 3 && si.si_code == CLD_EXITED);
    waitpid(p, &st, 0);
    p = fork();
    if (!p)
        for (;;) pause();
    kill(p, SIGSTOP);
    CHECK(waitpid(p, &st, WUNTRACED) == p && WIFSTOPPED(st) && WSTOPSIG(st) == SIGSTOP);
    kill(p, SIGCONT);
    CHECK(waitpid(p, &st, WCONTINUED) == p && WIFCONTINUED(st));
    kill(p, SIGKILL);
    CHECK(waitid(P_PID, (id_t)p, &si, WEXITED) == 0 && si.si_code == CLD_KILLED && si.si_status == SIGKILL);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void timers(void)
{
    timer_t tm;
    struct sigevent ev = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 5 };
    struct itimerspec its = { { 0, 0 }, { 0, 1000 } };
    ev.sigev_value.sival_ptr = (void *)0x1122334455667788;
    set(SIGRTMIN + 5, handler, 0);
    got = 0;
    CHECK(timer_create(CLOCK_MONOTONIC, &ev, &tm) == 0 && timer_settime(tm, 0, &its, NULL) == 0);
    while (!got) {}
    CHECK(last.si_value.sival_ptr == (void *)0x1122334455667788 && last.si_code == SI_TIMER);
    timer_delete(tm);
}

int main(void)
{
    masks();
    restart();
    not_begun();
    faults();
    stacks();
    children();
    timers();
    return done();
}
