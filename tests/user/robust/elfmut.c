/*
 * elfmut.c EMULATOR PROGRAM N SEED: for the host. Runs N mutants of an ELF file (headers, program headers, sizes, a cut
 * tail) and says what no mutant may do: hang, or make the emulator die of its own.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
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

int main(int argc, char **argv)
{
    static uint8_t orig[4 << 20], copy[4 << 20];
    char path[] = "/tmp/elfmutXXXXXX", text[4096];
    int fd = open(argv[2], O_RDONLY), bad = 0;
    ssize_t size = read(fd, orig, sizeof orig);
    long n = atol(argv[3]), ran = 0, refused = 0, died = 0;
    close(fd);
    close(mkstemp(path));
    for (long i = 0; i < n && bad < 5; i++) {
        seed = (strtoull(argv[4], NULL, 0) + i) * 0x9e3779b97f4a7c15ull | 1;
        memcpy(copy, orig, size);
        size_t len = mutate(copy, size);
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
            alarm(60);
            execl(argv[1], argv[1], path, NULL);
            _exit(120);
        }
        close(out[1]);
        size_t have = 0;
        for (ssize_t r; have < sizeof text - 1 && (r = read(out[0], text + have, sizeof text - 1 - have)) > 0;) have += r;
        text[have] = 0;
        close(out[0]);
        waitpid(p, &st, 0);
        const char *what = NULL;
        if (strstr(text, "internal error") || strstr(text, "Sanitizer") || strstr(text, "runtime error:"))
            what = "dies of its own";
        else if (WIFSIGNALED(st) && (WTERMSIG(st) == SIGALRM || WTERMSIG(st) == SIGXCPU || WTERMSIG(st) == SIGKILL))
            what = "does not end";
        else if (WIFSIGNALED(st) && WTERMSIG(st) == SIGABRT)
            what = "aborts";
        if (WIFSIGNALED(st)) died++;
        else if (WEXITSTATUS(st) == 126 || WEXITSTATUS(st) == 127) refused++;
        else ran++;
        if (!what) continue;
        bad++;
        printf("mutant %ld: %s (status %#x): %.200s\n", i, what, st, text);
    }
    unlink(path);
    if (!bad) printf("ok\n");
    if (argc > 5) printf("%ld refused, %ld died, %ld ran\n", refused, died, ran);
    return bad != 0;
}
