/*
 * randcode.c seed n [deaths]: jumps into n sequences of random words (without system calls). What they do (illegal
 * instructions, wild accesses, traps, endless loops) ends in a handler here or in the death of a child, 50 sequences each; the
 * emulator must survive. Who died of what, or exited, goes to the file `deaths`: the emulator's log has to know of each.
 */
#include "harness.h"
#include <setjmp.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { WORDS = 64 };
static sigjmp_buf back;
static uint8_t altstack[65536];

/* The random words changed the registers that compiled code takes for constant. */
static void *volatile own_tp __attribute__((used));
void handler(int sig);
#ifdef __riscv
__asm__(".text\n.globl handler\nhandler:\n.option push\n.option norelax\n la gp, __global_pointer$\n"
        " lla tp, own_tp\n ld tp, (tp)\n.option pop\n j do_handler\n");
#else /* tpidr_el0 cannot be hit without a system register instruction; x18 is nobody's */
__asm__(".text\n.globl handler\nhandler:\n b do_handler\n");
#endif
__attribute__((used)) void do_handler(int sig)
{
    siglongjmp(back, sig);
}

static uint32_t word(uint64_t *seed)
{
    for (;;) {
        uint64_t r = rnd(seed);
        uint32_t w = (uint32_t)r;
#ifdef __riscv
        if (r >> 62 == 0) w |= 3;                         /* often 32-bit ones */
        if (r >> 61 == 7) w = (w & ~0x7fu) | 0x57;        /* vector */
        if (r >> 61 == 6) w = (w & ~0x7fu) | 0x2f;        /* atomic */
        if (w == 0x73 || (w & 0xffff) == 0x0073 || w >> 16 == 0x0073) continue; /* ecall */
        if ((w & 0xffff0000) == 0x00730000 || (w & 0xffff) == 0) continue;
#else
        if (r >> 62 == 3) w = (w & ~0x1e000000u) | 0x0e000000; /* SIMD and FP */
        if ((w & 0xffe0001f) == 0xd4000001) continue;          /* svc */
#endif
        return w;
    }
}

#ifdef __riscv
/* the halves of two words may make a system call together: a page is checked as a whole */
static int has_syscall(const uint16_t *h, int n)
{
    for (int i = 0; i + 1 < n; i++)
        if (h[i] == 0x73 && h[i + 1] == 0) return 1;
    return 0;
}
#endif

static void child(uint64_t seed, long n)
{
    struct itimerval tick = { { 0, 2000 }, { 0, 400 } };
    static const int sigs[] = { SIGILL, SIGSEGV, SIGBUS, SIGTRAP, SIGFPE, SIGALRM };
    stack_t ss = { .ss_sp = altstack, .ss_size = sizeof altstack };
    struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_ONSTACK | SA_NODEFER };
    sigaltstack(&ss, NULL);
    own_tp = __builtin_thread_pointer();
    for (unsigned i = 0; i < sizeof sigs / sizeof *sigs; i++) sigaction(sigs[i], &sa, NULL);
    uint32_t *code = mmap(NULL, 3 * 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    code += 65536 / 4;
    mprotect(code, 65536, PROT_READ | PROT_WRITE | PROT_EXEC);
    for (long i = 0; i < n; i++) {
        for (int k = 0; k < WORDS; k++) code[k] = word(&seed);
        code[WORDS] = 0; /* undefined in both */
#ifdef __riscv
        if (has_syscall((uint16_t *)code, 2 * WORDS + 2)) continue;
#endif
        sync_code(code, 4 * WORDS + 4);
        if (sigsetjmp(back, 1)) continue;
        setitimer(ITIMER_REAL, &tick, NULL);
#ifdef __riscv
        register uint64_t a0 __asm__("a0") = (uint64_t)code;
        __asm__ volatile("mv sp, %1\n mv gp, %1\n mv tp, %2\n jr %0"
                         : : "r"(a0), "r"((uint8_t *)code + 32768), "r"((uint8_t *)__builtin_thread_pointer()) : "memory");
#else
        register uint64_t x16 __asm__("x16") = (uint64_t)code, x17 __asm__("x17") = (uint64_t)code + 32768;
        __asm__ volatile("mov sp, %1\n mov x0, %1\n mov x1, %0\n mov x2, %1\n mov x30, %0\n br %0" : : "r"(x16), "r"(x17) : "memory");
#endif
        __builtin_unreachable();
    }
    _exit(0);
}

static volatile pid_t running;
static void too_long(int sig)
{
    kill(running, SIGKILL);
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    long n = argc > 2 ? atol(argv[2]) : 2000, runs = 0;
    struct itimerval limit = { { 0, 0 }, { 2, 0 } };
    FILE *deaths = argc > 3 ? fopen(argv[3], "w") : NULL;
    signal(SIGALRM, too_long);
    /* random code may destroy the program's own data: that child dies of it, the next one goes on */
    for (long left = n; left > 0 && runs < 10000; left -= 50, runs++) {
        int st;
        pid_t p = fork();
        if (!p) {
            child(seed * 0x9e3779b97f4a7c15ull + runs * 2 + 1, 50);
        }
        running = p;
        setitimer(ITIMER_REAL, &limit, NULL); /* one whose handlers' data are gone may go round for ever */
        CHECK(waitpid(p, &st, 0) == p);
        if (!st) continue;
        CHECK(deaths, "run %ld: status %#x", runs, st);
        if (!deaths || (WIFSIGNALED(st) && WTERMSIG(st) == SIGKILL)) continue;
        /* it may find its way into the C library: to the exits there, and to abort() */
        if (WIFSIGNALED(st)) fprintf(deaths, "%d +++ killed by SIG%s +++\n", p, sigabbrev_np(WTERMSIG(st)));
        else fprintf(deaths, "%d exit_group(%d) = ?\n", p, WEXITSTATUS(st));
    }
    if (deaths) fclose(deaths);
    return verdict();
}
