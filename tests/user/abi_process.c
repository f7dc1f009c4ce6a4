/* abi_process.c: memory, threads, fork, vfork, exec, /proc of oneself, limits. Runs itself again with an argument. */
#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#if defined(__riscv)
#define MACHINE "riscv64"
#elif defined(__aarch64__)
#define MACHINE "aarch64"
#elif defined(__x86_64__)
#define MACHINE "x86_64"
#else
#define MACHINE "i686"
#endif

extern char **environ;
static char self[4096];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, *robust;
static long counter;

static int wait_for(pid_t p)
{
    int st;
    return waitpid(p, &st, 0) == p && WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

static void memory(void)
{
    unsigned char vec[512];
    char *m = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *big;
    CHECK(m != MAP_FAILED);
    m[5000] = 1;
    big = mremap(m, 1 << 20, 2 << 20, MREMAP_MAYMOVE);
    CHECK(big != MAP_FAILED && big[5000] == 1);
    CHECK(madvise(big, 1 << 20, MADV_DONTNEED) == 0 && big[5000] == 0 && mincore(big, 2 << 20, vec) == 0);
    CHECK(munmap(big + 4096, 4096) == 0 && msync(big, 8192, MS_SYNC) == -1 && errno == ENOMEM);
    CHECK(mmap(big, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED && errno == EEXIST);
    CHECK(munmap(big, 2 << 20) == 0);
    char *brk0 = sbrk(0);
    CHECK(sbrk(1 << 20) == brk0);
    memset(brk0, 1, 1 << 20);
    CHECK(sbrk(-(1 << 20)) != (void *)-1 && sbrk(0) == brk0);
}

static void *count(void *arg)
{
    for (int i = 0; i < 10000; i++) {
        pthread_mutex_lock(&lock);
        counter++;
        pthread_mutex_unlock(&lock);
    }
    return arg;
}

static void *die_holding(void *arg)
{
    pthread_mutex_lock(robust);
    return NULL;
}

static void *forever(void *arg)
{
    for (;;) pause();
}

static int based; /* guest addresses are not the host's: after SIGKILL the host's kernel cannot follow the list of robust mutexes */

static void threads(void)
{
    pthread_t t[8];
    void *r;
    for (long i = 0; i < 8; i++) CHECK(pthread_create(&t[i], NULL, count, (void *)i) == 0);
    for (long i = 0; i < 8; i++) CHECK(pthread_join(t[i], &r) == 0 && r == (void *)i);
    CHECK(counter == 80000);
    pthread_create(&t[0], NULL, forever, NULL);
    CHECK(pthread_cancel(t[0]) == 0 && pthread_join(t[0], &r) == 0 && r == PTHREAD_CANCELED);
    pthread_mutexattr_t a;
    robust = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(robust, &a);
    pthread_create(&t[0], NULL, die_holding, NULL);
    pthread_join(t[0], NULL);
    CHECK(pthread_mutex_lock(robust) == EOWNERDEAD && pthread_mutex_consistent(robust) == 0 && pthread_mutex_unlock(robust) == 0);
    if (!based) {
        pid_t p = fork();
        if (!p) {
            pthread_mutex_lock(robust);
            kill(getpid(), SIGKILL);
        }
        waitpid(p, NULL, 0);
        CHECK(pthread_mutex_lock(robust) == EOWNERDEAD && pthread_mutex_consistent(robust) == 0 && pthread_mutex_unlock(robust) == 0);
    }
    pthread_mutex_t pi;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
    pthread_mutex_init(&pi, &a);
    CHECK(pthread_mutex_lock(&pi) == 0 && pthread_mutex_unlock(&pi) == 0);
}

static void write_script(const char *path, const char *text)
{
    int f = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0755);
    CHECK(write(f, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(f, 0755) == 0);
    close(f);
}

static void programs(void)
{
    char *argv[] = { "self", "child", "two words", NULL }, script[] = "/tmp/lyre-scriptXXXXXX", text[8192];
    pid_t p;
    fflush(stdout);
    CHECK(posix_spawn(&p, self, NULL, NULL, argv, environ) == 0 && wait_for(p) == 42);
    CHECK(posix_spawn(&p, "/nonexistent/program", NULL, NULL, argv, environ) == ENOENT);
    if (!(p = fork())) {
        int f = open(self, O_RDONLY | O_CLOEXEC);
        fexecve(f, argv, environ);
        _exit(1);
    }
    CHECK(wait_for(p) == 42);
    if (!(p = fork())) {
        execl("/bin/sh", "sh", "-c", "exit 4", (char *)NULL); /* a program of the host's */
        _exit(1);
    }
    CHECK(wait_for(p) == 4);
    close(mkstemp(script));
    snprintf(text, sizeof text, "#!%s script\nanything\n", self);
    write_script(script, text);
    if (!(p = fork())) {
        execl(script, "name", "last", (char *)NULL);
        _exit(1);
    }
    CHECK(wait_for(p) == 43);
    write_script(script, "no program at all");
    CHECK(execl(script, script, (char *)NULL) == -1 && errno == ENOEXEC);
    CHECK(chmod(script, 0600) == 0 && execl(script, script, (char *)NULL) == -1 && errno == EACCES);
    unlink(script);
    CHECK(execl("/nonexistent", "x", (char *)NULL) == -1 && errno == ENOENT);
    volatile int shared = 0;
    if (!(p = vfork())) {
        shared = 1; /* the parent's memory */
        _exit(11);
    }
    CHECK(wait_for(p) == 11 && shared == 1);
}

static int read_file(const char *path, char *buf, size_t size)
{
    int f = open(path, O_RDONLY), n = 0, r;
    while (f >= 0 && (r = read(f, buf + n, size - 1 - n)) > 0) n += r;
    buf[n] = 0;
    close(f);
    return n;
}

static void about_self(void)
{
    static char buf[1 << 20];
    char name[16], link[4096];
    struct utsname u;
    struct rlimit rl = { 1 << 30, RLIM_INFINITY };
    cpu_set_t cpus;
    ssize_t n = readlink("/proc/self/exe", link, sizeof link - 1);
    CHECK(n > 0 && (link[n] = 0, !strcmp(link, self)));
    CHECK(read_file("/proc/self/maps", buf, sizeof buf) > 0 && strstr(buf, "[stack]") && strstr(buf, self));
    CHECK(read_file("/proc/self/auxv", buf, sizeof buf) % (2 * sizeof(long)) == 0);
    CHECK(((long *)buf)[1] != 0);
    CHECK(read_file("/proc/self/cmdline", buf, sizeof buf) > 0 && strstr(buf, "abi_process"));
    CHECK(prctl(PR_SET_NAME, "a name") == 0 && prctl(PR_GET_NAME, name) == 0 && !strcmp(name, "a name"));
    CHECK(read_file("/proc/self/stat", buf, sizeof buf) > 0 && strstr(buf, "(a name)") && atoi(buf) == getpid());
    CHECK(read_file("/proc/cpuinfo", buf, sizeof buf) > 0 && (strstr(buf, "Lyrebird") || (!strstr(buf, "GenuineIntel") && !strstr(buf, "AuthenticAMD"))));
    CHECK(uname(&u) == 0 && !strcmp(u.machine, MACHINE));
    CHECK(getauxval(AT_PAGESZ) == (unsigned long)sysconf(_SC_PAGESIZE) && getauxval(AT_RANDOM) && getauxval(AT_SYSINFO_EHDR));
    CHECK(getauxval(AT_PHDR) && getauxval(AT_EXECFN) && strstr((char *)getauxval(AT_EXECFN), "abi_process"));
    CHECK(setrlimit(RLIMIT_AS, &rl) == 0 && getrlimit(RLIMIT_AS, &rl) == 0 && rl.rlim_cur == 1 << 30);
    void *most = mmap(NULL, 900 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(most != MAP_FAILED && mmap(NULL, 200 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
    CHECK(mremap(most, 900 << 20, 1100 << 20, MREMAP_MAYMOVE) == MAP_FAILED && errno == ENOMEM);
    CHECK(munmap(most, 900 << 20) == 0);
    rl.rlim_cur = 64 << 20; /* private and writable memory only */
    CHECK(setrlimit(RLIMIT_DATA, &rl) == 0 && sbrk(100 << 20) == (void *)-1 && errno == ENOMEM);
    most = mmap(NULL, 100 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(most != MAP_FAILED && munmap(most, 100 << 20) == 0);
    rl.rlim_cur = RLIM_INFINITY;
    CHECK(setrlimit(RLIMIT_DATA, &rl) == 0);
    CHECK(sched_getaffinity(0, sizeof cpus, &cpus) == 0 && CPU_COUNT(&cpus) >= 1);
    CHECK(syscall(99999) == -1 && errno == ENOSYS && syscall(425, 1, 0) == -1 && errno == ENOSYS);
    CHECK(read_file("/proc/thread-self/comm", buf, sizeof buf) > 0);
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "child")) return strcmp(argv[0], "self") || strcmp(argv[2], "two words") ? 1 : 42;
    if (argc == 4 && !strcmp(argv[1], "script")) return strcmp(argv[3], "last") ? 1 : 43;
    based = argc == 2 && !strcmp(argv[1], "based");
    if (!realpath(argv[0], self)) return 2;
    about_self();
    memory();
    threads();
    programs();
    return done();
}
