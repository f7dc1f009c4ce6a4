/*
 * elfmut.c EMULATOR PROGRAM N SEED [MAIN]: for the host. Runs N mutants of an ELF file (headers, program headers, sizes, a cut
 * tail; every other one also any bytes: notes, names, data, code) and says what none may do: make the emulator die of
 * its own, or hang (headers only: changed code may wait or loop). With MAIN that program is run, whose interpreter the
 * mutant takes the place of. What a system call that code came by could do to the host is forbidden by a filter.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t seed;
static uint64_t rnd(void)
{
    seed ^= seed >> 12, seed ^= seed << 25, seed ^= seed >> 27;
    return seed * 0x2545f4914f6cdd1dull;
}

/* Values that loaders get wrong. */
static uint64_t odd_value(uint64_t old)
{
    static const uint64_t v[] = { 0, 1, 3, 0x7f, 0xfff, 0x1000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
                                  0x7ffffffff000, 0x7fffffffffff, 0x800000000000, INT64_MAX, 1ull << 63, -4096ull, -1ull };
    switch (rnd() % 5) {
    case 0: return old + rnd() % 9 - 4;
    case 1: return old ^ 1ull << rnd() % 64;
    case 2: return rnd() >> rnd() % 64;
    case 3: return old + v[rnd() % (sizeof v / sizeof *v)];
    default: return v[rnd() % (sizeof v / sizeof *v)];
    }
}

static void put(uint8_t *p, unsigned size)
{
    uint64_t v = 0;
    memcpy(&v, p, size);
    v = odd_value(v);
    memcpy(p, &v, size);
}

static size_t mutate(uint8_t *d, size_t n)
{
    static const uint8_t eh[][2] = { { 16, 2 }, { 18, 2 }, { 20, 4 }, { 24, 8 }, { 32, 8 }, { 40, 8 }, { 48, 4 }, { 52, 2 },
                                     { 54, 2 }, { 56, 2 }, { 58, 2 }, { 60, 2 }, { 62, 2 }, { 4, 1 }, { 5, 1 }, { 6, 1 } };
    static const uint8_t ph[][2] = { { 0, 4 }, { 4, 4 }, { 8, 8 }, { 16, 8 }, { 24, 8 }, { 32, 8 }, { 40, 8 }, { 48, 8 } };
    Elf64_Ehdr *e = (Elf64_Ehdr *)d;
    unsigned np = e->e_phnum;
    size_t at = e->e_phoff;
    for (int k = 1 + rnd() % 3; k; k--) {
        const uint8_t *f;
        switch (rnd() % 8) {
        case 0: case 1: f = eh[rnd() % 16], put(d + f[0], f[1]); break;
        case 2: case 3: case 4: case 5: f = ph[rnd() % 8], put(d + at + 56 * (rnd() % np) + f[0], f[1]); break;
        case 6: d[rnd() % (at + 56 * np)] = (uint8_t)rnd(); break;
        default: n = rnd() % 8 ? n : rnd() % 4 ? rnd() % n : rnd() % 512; /* seldom: all else is lost with the tail */
        }
    }
    return n;
}

/* Anywhere behind the program headers; more often where there is something. */
static void mutate_contents(uint8_t *d, size_t n)
{
    Elf64_Ehdr *e = (Elf64_Ehdr *)d;
    size_t from = e->e_phoff + 56 * e->e_phnum;
    for (int k = 1 + rnd() % 4; k && n > from + 8; k--) {
        size_t at = from + rnd() % (n - from - 8);
        for (int i = 0; i < 20 && !d[at]; i++) at = from + rnd() % (n - from - 8);
        if (rnd() % 2)
            d[at] = (uint8_t)rnd();
        else
            put(d + at, 1 + rnd() % 8);
    }
}

/* No mutant's system call reaches beyond its process. */
static void confine(void)
{
    static const uint16_t no[] = {
        SYS_kill, SYS_tkill, SYS_rt_sigqueueinfo, SYS_pidfd_send_signal, SYS_pidfd_open, SYS_ptrace, SYS_process_vm_writev,
        SYS_unlink, SYS_unlinkat, SYS_rename, SYS_renameat, SYS_renameat2, SYS_rmdir, SYS_mkdir, SYS_mkdirat, SYS_mknod,
        SYS_mknodat, SYS_link, SYS_linkat, SYS_symlink, SYS_symlinkat, SYS_truncate, SYS_chmod, SYS_fchmod, SYS_fchmodat,
        SYS_chown, SYS_fchown, SYS_lchown, SYS_fchownat, SYS_setxattr, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot,
        SYS_reboot, SYS_swapon, SYS_swapoff, SYS_sethostname, SYS_setdomainname, SYS_settimeofday, SYS_clock_settime,
        SYS_adjtimex, SYS_clock_adjtime, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_setns,
        SYS_unshare, SYS_bpf, SYS_shmget, SYS_shmctl, SYS_semget, SYS_semctl, SYS_msgget, SYS_msgctl, SYS_mq_unlink,
        SYS_setpriority, SYS_sched_setscheduler, SYS_sched_setparam, SYS_ioprio_set, SYS_vhangup, SYS_acct, SYS_quotactl,
        SYS_keyctl, SYS_add_key, SYS_connect, SYS_sendto, SYS_fork, SYS_vfork, SYS_clone, SYS_clone3, SYS_setsid, SYS_setpgid,
    };
    enum { N = sizeof no / sizeof *no };
    struct sock_filter f[2 * N + 2] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)) };
    for (int i = 0; i < N; i++) {
        f[1 + 2 * i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, no[i], 0, 1);
        f[2 + 2 * i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1 /* EPERM */);
    }
    f[2 * N + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog p = { 2 * N + 2, f };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p)) _exit(121);
}

/* The end of what it says, until it ends or is killed. */
static void listen_to(pid_t p, int fd, int ms, char *text, size_t size)
{
    struct pollfd pf = { fd, POLLIN, 0 };
    size_t have = 0;
    for (int left = ms / 100; left;) {
        if (poll(&pf, 1, 100) <= 0) {
            if (!--left) kill(p, SIGKILL);
            continue;
        }
        ssize_t r = read(fd, text + have, size - 1 - have);
        if (r <= 0) break;
        have += r;
        if (have > size / 2) memmove(text, text + have - size / 4, size / 4), have = size / 4;
    }
    text[have] = 0;
}

int main(int argc, char **argv)
{
    static uint8_t orig[4 << 20], copy[4 << 20];
    char path[4096], text[4096];
    const char *program = argc > 5 && *argv[5] ? argv[5] : path;
    int fd = open(argv[2], O_RDONLY), bad = 0;
    ssize_t size = read(fd, orig, sizeof orig);
    long n = atol(argv[3]), ran = 0, refused = 0, died = 0;
    close(fd);
    snprintf(path, sizeof path, "%s.mutant", argv[2]);
    for (long i = 0; i < n && bad < 5; i++) {
        seed = (strtoull(argv[4], NULL, 0) + i) * 0x9e3779b97f4a7c15ull | 1;
        memcpy(copy, orig, size);
        size_t len = size;
        int code = i & 1;
        if (code) mutate_contents(copy, size);
        if (!code || rnd() % 4 == 0) len = mutate(copy, size);
        fd = open(path, O_WRONLY | O_TRUNC | O_CREAT, 0700);
        if (write(fd, copy, len) != (ssize_t)len) return 2;
        close(fd);
        int out[2], st;
        if (pipe(out)) return 2;
        pid_t p = fork();
        if (!p) {
            struct rlimit cpu = { 10, 10 };
            setrlimit(RLIMIT_CPU, &cpu);
            dup2(open("/dev/null", O_RDWR), 0);
            dup2(out[1], 1), dup2(out[1], 2);
            close(out[0]), close(out[1]);
            confine();
            execl(argv[1], argv[1], "-d", "int", program, NULL);
            _exit(120);
        }
        close(out[1]);
        listen_to(p, out[0], code ? 2000 : 60000, text, sizeof text);
        close(out[0]);
        waitpid(p, &st, 0);
        const char *what = NULL;
        if (strstr(text, "internal error") || strstr(text, "Sanitizer") || strstr(text, "runtime error:"))
            what = "dies of its own";
        else if (WIFEXITED(st) && (WEXITSTATUS(st) == 120 || WEXITSTATUS(st) == 121))
            what = "cannot be started";
        else if (WIFSIGNALED(st) && (WTERMSIG(st) == SIGXCPU || WTERMSIG(st) == SIGKILL))
            what = code ? NULL : "does not end";
        else if (WIFSIGNALED(st) && !strstr(text, "+++ killed by"))
            what = "dies, and not of its guest's signal";
        if (WIFSIGNALED(st)) died++;
        else if (WEXITSTATUS(st) == 126 || WEXITSTATUS(st) == 127) refused++;
        else ran++;
        if (!what) continue;
        bad++;
        printf("mutant %ld: %s (status %#x): %.200s\n", i, what, st, text);
    }
    unlink(path);
    if (!bad) printf("ok\n");
    if (argc > 6) printf("%ld refused, %ld died, %ld ran\n", refused, died, ran);
    return bad != 0;
}
