/*
 * calls.c [rounds]: calls and returns in code that is hot: recursion from more places than one, small functions called from
 * several places of a loop, returns to other places than the caller's next instruction, faults and signals inside of a callee,
 * a callee that changes while its caller runs, and one that never returns.
 */
#include "harness.h"
#include <setjmp.h>
#include <sys/time.h>
#include <ucontext.h>

#define LEAF __attribute__((noinline))

static long rounds = 40000;

/* --- recursion: from two places, from four, and by turns ---------------------------------------------------------------- */
static LEAF unsigned fib(unsigned n)
{
    if (n < 2) return n;
    unsigned a = fib(n - 1);
    __asm__("" : "+r"(a));
    return a + fib(n - 2);
}
static LEAF unsigned four(unsigned n, unsigned x)
{
    if (!n) return x & 7;
    x = x * 5 + four(n - 1, x);
    __asm__("" : "+r"(x));
    x ^= four(n - 1, x + 1);
    __asm__("" : "+r"(x));
    x += four(n - 1, x + 2);
    __asm__("" : "+r"(x));
    return x - four(n - 1, x ^ 3);
}
static unsigned four_ref(unsigned n, unsigned x)
{
    unsigned s[12], xs[12], at[12], sp = 0, r = 0;
    /* the same by hand, without a call */
    s[0] = n, xs[0] = x, at[0] = 0;
    for (;;) {
        if (!s[sp]) {
            r = xs[sp] & 7;
        } else {
            unsigned a = at[sp]++;
            if (a == 1) xs[sp] = xs[sp] * 5 + r;
            if (a == 2) xs[sp] ^= r;
            if (a == 3) xs[sp] += r;
            if (a < 4) {
                unsigned arg = a == 0 ? xs[sp] : a == 1 ? xs[sp] + 1 : a == 2 ? xs[sp] + 2 : xs[sp] ^ 3;
                s[sp + 1] = s[sp] - 1, xs[sp + 1] = arg, at[sp + 1] = 0;
                sp++;
                continue;
            }
            r = xs[sp] - r;
        }
        if (!sp--) return r;
    }
}
static int odd(unsigned n);
static LEAF int even(unsigned n) { return n ? odd(n - 1) : 1; }
static LEAF int odd(unsigned n)
{
    int r = n ? even(n - 1) : 0;
    __asm__("" : "+r"(r));
    return r;
}

static void recursion(void)
{
    CHECK(fib(24) == 46368);
    for (unsigned i = 0; i < 40; i++) CHECK(four(8, i) == four_ref(8, i), "%u", i);
    for (unsigned i = 0; i < 300; i++) CHECK(even(i) == !(i & 1) && odd(i) == (int)(i & 1), "%u", i);
}

/* --- leaves --------------------------------------------------------------------------------------------------------------- */
static LEAF long pick(long a, long b, long k) { return k & 1 ? a + b : k & 2 ? a - b : a ^ b; }
static LEAF long low(const long *p) { return *p & 0xff; }

static void leaves(void)
{
    long want = 0, have = 0, v[64];
    for (long i = 0; i < 64; i++) v[i] = i * 77;
    for (long i = 0; i < rounds; i++) {
        have = pick(have, i, i);
        have += pick(i, have, i >> 1) ^ low(&v[i & 63]);
        if (i & 4) have = pick(have, 3, i >> 2) + low(&v[have & 63]);
        have -= pick(pick(have, 5, 1), pick(i, 7, 2), 0);
        have += low(&v[i >> 3 & 63]);

#define PICK(a, b, k) ({ long a_ = a, b_ = b, k_ = k; k_ & 1 ? a_ + b_ : k_ & 2 ? a_ - b_ : a_ ^ b_; })
        want = PICK(want, i, i);
        want += PICK(i, want, i >> 1) ^ (v[i & 63] & 0xff);
        if (i & 4) want = PICK(want, 3, i >> 2) + (v[want & 63] & 0xff);
        want -= PICK(PICK(want, 5, 1), PICK(i, 7, 2), 0);
        want += v[i >> 3 & 63] & 0xff;
        CHECK(want == have, "round %ld", i);
    }
}

/* --- returns to elsewhere: every eighth leaves out the instruction behind the call ------------------------------------------ */
long skips(long n);
extern char load_at[];
long loads(long n, long *p);
#ifdef __riscv
__asm__(".text\n.globl skips, loads, load_at\n.option push\n.option norvc\n.option norelax\n"
        "skip: beqz a1, 1f\n addi ra, ra, 4\n1: ret\n"
        "skips: mv t3, ra\n li t2, 0\n"
        "1: andi a1, a0, 7\n seqz a1, a1\n jal ra, skip\n addi t2, t2, 100\n addi t2, t2, 1\n addi a0, a0, -1\n bnez a0, 1b\n"
        "  mv a0, t2\n mv ra, t3\n ret\n"
        "load: ld a3, 0(a1)\nret\n.set load_at, load\n"
        "loads: mv t3, ra\n li t2, 0\n"
        "1: li a3, 5\n jal ra, load\n add t2, t2, a3\n addi a0, a0, -1\n bnez a0, 1b\n mv a0, t2\n mv ra, t3\n ret\n.option pop\n");
#else
__asm__(".text\n.globl skips, loads, load_at\n"
        "skip: cbz x1, 1f\n add x30, x30, #4\n1: ret\n"
        "skips: mov x10, x30\n mov x9, #0\n"
        "1: tst x0, #7\n cset x1, eq\n bl skip\n add x9, x9, #100\n add x9, x9, #1\n subs x0, x0, #1\n b.ne 1b\n"
        "  mov x0, x9\n ret x10\n"
        "load: ldr x3, [x1]\nret\n.set load_at, load\n"
        "loads: mov x10, x30\n mov x9, #0\n"
        "1: mov x3, #5\n bl load\n add x9, x9, x3\n subs x0, x0, #1\n b.ne 1b\n mov x0, x9\n ret x10\n");
#endif

static void elsewhere(void)
{
    long n = rounds / 8 * 8;
    CHECK(skips(n) == n + 100 * (n - n / 8));
}

/* --- faults and signals in a leaf ------------------------------------------------------------------------------------------ */
static volatile int faults, ticks;
static long *volatile good;
static uint64_t fault_pc, link_reg;

static void on_fault(int sig, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;
    faults++;
#ifdef __riscv
    fault_pc = uc->uc_mcontext.__gregs[0];
    link_reg = uc->uc_mcontext.__gregs[1];
    uc->uc_mcontext.__gregs[11] = (uint64_t)good;
#else
    fault_pc = uc->uc_mcontext.pc;
    link_reg = uc->uc_mcontext.regs[30];
    uc->uc_mcontext.regs[1] = (uint64_t)good;
#endif
}
static void on_tick(int sig) { ticks++; }

static void signals(void)
{
    long value = 3;
    struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    good = &value;
    sigaction(SIGSEGV, &sa, NULL);
    CHECK(loads(rounds, good) == rounds * 3);
    for (int i = 1; i < 20; i++) {
        fault_pc = link_reg = 0;
        CHECK(loads(i, (long *)8) == i * 3 && faults == i);
        CHECK(fault_pc == (uintptr_t)load_at && link_reg > (uintptr_t)loads && link_reg < (uintptr_t)loads + 32);
    }
    struct itimerval it = { { 0, 500 }, { 0, 500 } }, off = { 0 };
    signal(SIGALRM, on_tick);
    setitimer(ITIMER_REAL, &it, NULL);
    for (int i = 0; ticks < 50 && i < 4000; i++) {
        CHECK(fib(15) == 610);
        CHECK(loads(300, good) == 900);
        CHECK(skips(800) == 800 + 100 * 700);
    }
    setitimer(ITIMER_REAL, &off, NULL);
    CHECK(ticks > 1);
}

/* --- a callee that changes, and one that does not come back ---------------------------------------------------------------- */
static void changing(void)
{
    uint32_t *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint32_t *leaf = p + 1024; /* on the second page */
    CHECK(p != MAP_FAILED);
#ifdef __riscv
    const uint32_t add = 0x00058593, ret = 0x8067; /* addi a1, a1, k; ret */
    const uint32_t loop[] = { 0x00008293, 0, 0xfff50513, 0xfe051ce3, 0x00058513, 0x00028067 }; /* mv t0, ra; jal ra, leaf; addi a0, a0, -1; bnez a0, -8; mv a0, a1; jr t0 */
    memcpy(p, loop, sizeof loop);
    uint32_t off = 4096 - 4;
    p[1] = 0xef | (off >> 20 & 1) << 31 | (off >> 1 & 0x3ff) << 21 | (off >> 11 & 1) << 20 | (off >> 12 & 0xff) << 12;
#define ADD(k) (add | (uint32_t)(k) << 20)
#else
    const uint32_t add = 0x91000021, ret = 0xd65f03c0; /* add x1, x1, #k */
    const uint32_t loop[] = { 0xaa1e03e9, 0x94000000 | 1023, 0xf1000400, 0x54ffffc1, 0xaa0103e0, 0xd65f0120 };
    memcpy(p, loop, sizeof loop);
#define ADD(k) (add | (uint32_t)(k) << 10)
#endif
    leaf[1] = ret;
    for (long k = 1; k < 40; k++) {
        leaf[0] = ADD(k);
        sync_code(leaf, 8);
        if (k == 1) sync_code(p, sizeof loop);
        long n = k % 3 ? 100 : rounds;
        CHECK(((long (*)(long, long))p)(n, 7) == 7 + n * k, "%ld", k);
    }
    munmap(p, 8192);
}

static jmp_buf back;
static volatile long leaves_at;
static LEAF void perhaps(long i) { if (i == leaves_at) longjmp(back, 1); }
static LEAF long until(long n)
{
    long i;
    for (i = 0; i < n; i++) perhaps(i);
    return i;
}
static void away(void)
{
    for (long k = 0; k < 20; k++) {
        volatile long done = -1;
        leaves_at = k & 1 ? rounds / 2 : -1;
        if (!setjmp(back)) done = until(rounds);
        CHECK(done == (k & 1 ? -1 : rounds));
    }
}

int main(int argc, char **argv)
{
    if (argc > 1) rounds = atol(argv[1]);
    recursion();
    leaves();
    elsewhere();
    signals();
    changing();
    away();
    return verdict();
}
