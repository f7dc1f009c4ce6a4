/* sandbox_test.c: the sandbox, in children: what is refused, what kills, what still works in all threads, what options change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <liburing.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sys/sandbox.h"

enum { CHILD_NO_SECCOMP = 77 };
extern char **environ;

/* Exit status of a child that runs fn in the sandbox; 1000 + signal. Skips where the kernel has no seccomp. */
static int inside(const char *opt, int (*fn)(void))
{
    struct sandbox s = { 0 };
    struct err e = { 0 };
    int st;
    if (opt) assert_int_equal(sandbox_parse(&s, opt, &e), 0);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (!pid) {
        struct rlimit none = { 0, 0 };
        setrlimit(RLIMIT_CORE, &none);
        _exit(sandbox_enter(&s, &e) ? CHILD_NO_SECCOMP : fn());
    }
    assert_int_equal(waitpid(pid, &st, 0), pid);
    if (WIFEXITED(st) && WEXITSTATUS(st) == CHILD_NO_SECCOMP) skip();
    return WIFEXITED(st) ? WEXITSTATUS(st) : 1000 + WTERMSIG(st);
}

static int do_exec(void) { return execl("/bin/true", "true", NULL), errno == EPERM ? 3 : 4; }
static int do_spawn(void)
{
    char *argv[] = { (char *)(uintptr_t)"/bin/true", NULL };
    pid_t pid;
    int st, r = posix_spawn(&pid, argv[0], NULL, NULL, argv, environ);
    return r ? (r == EPERM ? 3 : 4) : waitpid(pid, &st, 0) == pid && !st ? 0 : 5;
}
static int do_fork(void)
{
    pid_t pid = fork();
    if (!pid) _exit(0);
    return pid < 0 ? (errno == EPERM ? 3 : 4) : 0;
}
static int do_ptrace(void) { return ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? 1 : 0; }
static int do_mount(void) { return mount("none", "/proc", "tmpfs", 0, NULL) ? 1 : 0; }
static int do_module(void) { return syscall(SYS_finit_module, -1, "", 0) ? 1 : 0; }
static int do_kexec(void) { return syscall(SYS_kexec_load, 0, 0, NULL, 0) ? 1 : 0; }
static int do_bpf(void) { return syscall(SYS_bpf, 0, NULL, 0) ? 1 : 0; }
static int do_ustat(void) { return syscall(SYS_ustat, 0, NULL) ? 1 : 0; }
static int do_setuid(void) { return setuid(getuid()) ? (errno == EPERM ? 3 : 4) : 0; }
static int do_priority(void) { return setpriority(PRIO_PROCESS, 0, 5) ? (errno == EPERM ? 3 : 4) : 0; }

static void *thread(void *to)
{
    *(int *)to = do_fork(); /* a new thread is in it, too */
    return NULL;
}

/* What a machine does while it runs. */
static int do_work(void)
{
    pthread_t t;
    int got = 0, p[2];
    char path[] = "/tmp/lyre-sandbox-XXXXXX", b;
    struct io_uring ring;
    if (pthread_create(&t, NULL, thread, &got) || pthread_join(t, NULL) || got != 3) return 10;
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, "x", 1) != 1 || fallocate(fd, 0, 0, 4096) || fsync(fd) || unlink(path)) return 11;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, p) || write(p[0], "y", 1) != 1 || read(p[1], &b, 1) != 1) return 12;
    int s = socket(AF_INET, SOCK_STREAM, 0);
    if (s < 0 || listen(s, 1)) return 13;
    void *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED || mprotect(m, 4096, PROT_READ | PROT_EXEC)) return 14;
    if (memfd_create("x", MFD_CLOEXEC) < 0) return 15;
    int r = io_uring_queue_init(4, &ring, 0);
    if (r && r != -ENOSYS && r != -EPERM && r != -ENOMEM) return 16; /* the host may not have it */
    return 0;
}

static void test_refused(void **state)
{
    assert_int_equal(inside(NULL, do_exec), 3);
    assert_int_equal(inside("on", do_exec), 3);
    assert_int_equal(inside("on", do_spawn), 3);
    assert_int_equal(inside("on", do_fork), 3);
    assert_int_equal(inside("on", do_setuid), 3);
    assert_int_equal(inside("on", do_priority), 0);
    assert_int_equal(inside("on,resourcecontrol=deny", do_priority), 3);
    assert_int_equal(inside("on,spawn=allow", do_spawn), 0);
    assert_int_equal(inside("on,spawn=allow", do_fork), 0);
    assert_int_equal(inside("on,elevateprivileges=allow", do_setuid), 0);
    assert_int_equal(inside("on,elevateprivileges=children", do_setuid), 0);
    assert_int_equal(inside("off", do_spawn), 0);
}

static void test_killed(void **state)
{
    int (*const fns[])(void) = { do_ptrace, do_mount, do_module, do_kexec, do_bpf, do_ustat };
    for (unsigned i = 0; i < ARRAY_LEN(fns); i++) assert_int_equal(inside("on", fns[i]), 1000 + SIGSYS);
    assert_int_equal(inside("on,obsolete=allow", do_ustat), 1);
}

static void test_work(void **state)
{
    assert_int_equal(inside(NULL, do_work), 0);
    assert_int_equal(inside("on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny", do_work), 0);
}

static void test_words(void **state)
{
    static const char *const bad[] = { "maybe", "on,spawn=children", "on,obsolete=", "on,what=deny" };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct sandbox s = { 0 };
        struct err e = { 0 };
        if (sandbox_parse(&s, bad[i], &e) >= 0) fail_msg("%s", bad[i]);
        assert_true(*e.msg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused), cmocka_unit_test(test_killed), cmocka_unit_test(test_work), cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
