/*
 * litmus.c [rounds] [-v]: memory model. Each test is a few accesses per thread on its own cache lines and an outcome that
 * the architecture forbids. Threads run through a batch of instances side by side and wait for each other at each, if there
 * are CPUs for all of them. Also: counters by every kind of atomic. -v shows how often each outcome was seen and how often
 * the threads met; the first one is unfenced store buffering, which is allowed: how sharp the test is here.
 */
#include "harness.h"
#include <linux/futex.h>
#include <sys/auxv.h>
#include <sys/syscall.h>

struct slot {
    _Alignas(64) uint32_t x;
    _Alignas(64) uint32_t y;
    _Alignas(64) uint32_t z;
    _Alignas(64) uint32_t r[8];
    _Alignas(64) atomic_uint here;
    atomic_uchar apart; /* some thread did not see the others come */
};
enum { BATCH = 5000, THREADS = 4 };
static struct slot slots[BATCH];

#define ASM(...) __asm__ volatile(__VA_ARGS__)
#define LOADER(name, insn)                             \
    static inline uint32_t name(uint32_t *p)           \
    {                                                  \
        uint32_t v;                                    \
        ASM(insn : "=&r"(v) : "r"(p) : "memory");      \
        return v;                                      \
    }
#define STORER(name, insn)                             \
    static inline void name(uint32_t *p, uint32_t v)   \
    {                                                  \
        uint32_t t, u;                                 \
        ASM(insn : "=&r"(t), "=&r"(u) : "r"(v), "r"(p) : "memory"); \
    }
#define FENCER(name, insn)                             \
    static inline void name(void)                      \
    {                                                  \
        ASM(insn ::: "memory");                        \
    }
#ifdef __riscv
LOADER(ld, "lw %0, (%1)")
STORER(st, "sw %2, (%3)")
LOADER(ld_lr, "lr.w.aqrl %0, (%1)")
STORER(st_amo, "amoswap.w.aqrl %0, %2, (%3)")
LOADER(ld_amo, "amoor.w.aqrl %0, zero, (%1)")
STORER(st_sc, "1: lr.w.aqrl %0, (%3)\n sc.w.aqrl %1, %2, (%3)\n bnez %1, 1b")
STORER(st_rel, "fence rw, w\n sw %2, (%3)")
LOADER(ld_acq, "lw %0, (%1)\n fence r, rw")
STORER(st_sc_seq, "fence rw, w\n sw %2, (%3)")
LOADER(ld_sc_seq, "fence rw, rw\n lw %0, (%1)\n fence r, rw")
FENCER(full, "fence rw, rw")
FENCER(fence_ww, "fence w, w")
FENCER(fence_rr, "fence r, r")
FENCER(fence_io, "fence")
#else
LOADER(ld, "ldr %w0, [%1]")
STORER(st, "str %w2, [%3]")
LOADER(ld_lr, "ldaxr %w0, [%1]\n clrex")
STORER(st_amo, ".arch armv8.1-a\n swpal %w2, %w0, [%3]")
LOADER(ld_amo, ".arch armv8.1-a\n ldaddal wzr, %w0, [%1]")
STORER(st_sc, "1: ldaxr %w0, [%3]\n stlxr %w1, %w2, [%3]\n cbnz %w1, 1b")
STORER(st_rel, "stlr %w2, [%3]")
LOADER(ld_acq, ".arch armv8.3-a\n ldapr %w0, [%1]")
STORER(st_sc_seq, "stlr %w2, [%3]")
LOADER(ld_sc_seq, "ldar %w0, [%1]")
FENCER(full, "dmb ish")
FENCER(fence_ww, "dmb ishst")
FENCER(fence_rr, "dmb ishld")
FENCER(fence_io, "dsb sy")
#endif
/* what a compiler makes of C11 */
#define C_ST(p, v, o) atomic_store_explicit((_Atomic uint32_t *)(p), v, o)
#define C_LD(p, o)    atomic_load_explicit((_Atomic uint32_t *)(p), o)
#define C_RMW(p, v)   atomic_exchange((_Atomic uint32_t *)(p), v)
#define SC            memory_order_seq_cst
#define REL           memory_order_release
#define ACQ           memory_order_acquire
#define RLX           memory_order_relaxed
/* a zero that depends on v */
static inline uint32_t zero_of(uint32_t v)
{
    uint32_t z;
#ifdef __riscv
    ASM("xor %0, %1, %1" : "=r"(z) : "r"(v));
#else
    ASM("eor %w0, %w1, %w1" : "=r"(z) : "r"(v));
#endif
    return z;
}

/*
 * Waits for the other threads of an instance, as long as there is patience left in this batch, and then a varying moment: the
 * first to come learns of the last one late, and the accesses are to meet.
 */
static unsigned turn, cpus;
static inline void together(struct slot *s, unsigned me, unsigned n, unsigned *patience)
{
    unsigned wait = (turn + (unsigned)(s - slots)) * 2654435761u >> (8 + 6 * me) & 63;
    atomic_fetch_add(&s->here, 1);
    while (atomic_load_explicit(&s->here, RLX) < n && *patience) --*patience;
    if (!*patience) s->apart = 1;
    for (; wait; wait--) ASM("");
}
#define BODY(name, i, n, ...)                                 \
    static void name##_##i(struct slot *s)                    \
    {                                                         \
        unsigned patience = n > cpus ? 20000 : 300000;        \
        for (struct slot *e = s + BATCH; s < e; s++) {        \
            together(s, i, n, &patience);                     \
            uint32_t *x = &s->x, *y = &s->y, *z = &s->z, *r = s->r; \
            (void)x, (void)y, (void)z, (void)r;               \
            __VA_ARGS__;                                      \
        }                                                     \
    }
#define BAD(name, cond)                                       \
    static int name##_bad(const struct slot *s)               \
    {                                                         \
        const uint32_t *r = s->r, x = s->x, y = s->y;         \
        (void)r, (void)x, (void)y;                            \
        return cond;                                          \
    }
#define T2(name, a, b, cond) BODY(name, 0, 2, a) BODY(name, 1, 2, b) BAD(name, cond)
#define T3(name, a, b, c, cond) BODY(name, 0, 3, a) BODY(name, 1, 3, b) BODY(name, 2, 3, c) BAD(name, cond)
#define T4(name, a, b, c, d, cond) \
    BODY(name, 0, 4, a) BODY(name, 1, 4, b) BODY(name, 2, 4, c) BODY(name, 3, 4, d) BAD(name, cond)

/* store buffering: both loads see nothing */
#define SB(name, S, F, L) T2(sb_##name, S(x, 1); F; r[0] = L(y), S(y, 1); F; r[1] = L(x), !r[0] && !r[1])
SB(plain, st, , ld)
SB(fence, st, full(), ld)
SB(fence_io, st, fence_io(), ld)
SB(seq, st_sc_seq, , ld_sc_seq)
SB(amo, st_amo, , ld_amo)
SB(lrsc, st_sc, , ld_lr)
T2(sb_c11, C_ST(x, 1, SC); r[0] = C_LD(y, SC), C_ST(y, 1, SC); r[1] = C_LD(x, SC), !r[0] && !r[1])
T2(sb_c11_fence, C_ST(x, 1, RLX); atomic_thread_fence(SC); r[0] = C_LD(y, RLX),
   C_ST(y, 1, RLX); atomic_thread_fence(SC); r[1] = C_LD(x, RLX), !r[0] && !r[1])
T2(sb_c11_rmw, C_RMW(x, 1); r[0] = C_LD(y, SC), C_RMW(y, 1); r[1] = C_LD(x, SC), !r[0] && !r[1])
/* message passing: the flag without the data */
#define MP(name, S1, F1, S2, L1, F2, L2) \
    T2(mp_##name, S1(x, 1); F1; S2(y, 1), r[0] = L1(y); F2; r[1] = L2(x), r[0] && !r[1])
MP(fence, st, fence_ww(), st, ld, fence_rr(), ld)
MP(full, st, full(), st, ld, full(), ld)
MP(relacq, st, , st_rel, ld_acq, , ld)
MP(amo, st, , st_amo, ld_amo, , ld)
MP(lrsc, st, , st_sc, ld_lr, , ld)
T2(mp_addr, st(x, 1); fence_ww(); st(y, 1), r[0] = ld(y); r[1] = ld(x + zero_of(r[0])), r[0] && !r[1])
T2(mp_c11, C_ST(x, 1, RLX); C_ST(y, 1, REL), r[0] = C_LD(y, ACQ); r[1] = C_LD(x, RLX), r[0] && !r[1])
/* load buffering: both loads see a store that follows the other */
T2(lb_data, r[0] = ld(x); st(y, 1 + zero_of(r[0])), r[1] = ld(y); st(x, 1 + zero_of(r[1])), r[0] && r[1])
T2(lb_fence, r[0] = ld(x); full(); st(y, 1), r[1] = ld(y); full(); st(x, 1), r[0] && r[1])
T2(lb_relacq, r[0] = ld_acq(x); st(y, 1), r[1] = ld(y); st_rel(x, 1), r[0] && r[1])
T2(lb_c11, r[0] = C_LD(x, ACQ); C_ST(y, 1, RLX), r[1] = C_LD(y, ACQ); C_ST(x, 1, RLX), r[0] && r[1])
/* coherence: two loads of one place go backwards; two stores end in the wrong order */
T2(corr, st(x, 1); st(x, 2), r[0] = ld(x); r[1] = ld(x), r[0] > r[1])
T2(two_two_w, st(x, 1); fence_ww(); st(y, 2), st(y, 1); fence_ww(); st(x, 2), x == 1 && y == 1)
/* R, S */
T2(r_fence, st(x, 1); full(); st(y, 1), st(y, 2); full(); r[0] = ld(x), y == 2 && !r[0])
T2(s_relacq, st(x, 2); st_rel(y, 1), r[0] = ld_acq(y); st(x, 1), r[0] && x == 2)
/* write to read causality, and through a third thread */
T3(wrc, st(x, 1), r[0] = ld_acq(x); st_rel(y, 1), r[1] = ld_acq(y); r[2] = ld(x), r[0] && r[1] && !r[2])
T3(isa2, st(x, 1); st_rel(y, 1), r[0] = ld_acq(y); st_rel(z, 1), r[1] = ld_acq(z); r[2] = ld(x), r[0] && r[1] && !r[2])
T3(sb3, st(x, 1); full(); r[0] = ld(y), st(y, 1); full(); r[1] = ld(z), st(z, 1); full(); r[2] = ld(x), !r[0] && !r[1] && !r[2])
/* independent reads of independent writes */
#define IRIW(name, S, F, L) \
    T4(iriw_##name, S(x, 1), S(y, 1), r[0] = L(x); F; r[1] = L(y), r[2] = L(y); F; r[3] = L(x), r[0] && !r[1] && r[2] && !r[3])
IRIW(fence, st, full(), ld)
IRIW(seq, st_sc_seq, , ld_sc_seq)
IRIW(relacq, st_rel, , ld_acq)
IRIW(amo, st_amo, , ld_amo)
#define C_ST1(p, v) C_ST(p, v, SC)
#define C_LD1(p)    C_LD(p, SC)
IRIW(c11, C_ST1, , C_LD1)

struct test {
    const char *name;
    int n;
    void (*run[4])(struct slot *);
    int (*bad)(const struct slot *);
};
#define E2(t) { #t, 2, { t##_0, t##_1 }, t##_bad }
#define E3(t) { #t, 3, { t##_0, t##_1, t##_2 }, t##_bad }
#define E4(t) { #t, 4, { t##_0, t##_1, t##_2, t##_3 }, t##_bad }
static const struct test tests[] = {
    E2(sb_plain), E2(sb_fence), E2(sb_fence_io), E2(sb_seq), E2(sb_amo), E2(sb_lrsc), E2(sb_c11), E2(sb_c11_fence),
    E2(sb_c11_rmw), E2(mp_fence), E2(mp_full), E2(mp_relacq), E2(mp_amo), E2(mp_lrsc), E2(mp_addr), E2(mp_c11),
    E2(lb_data), E2(lb_fence), E2(lb_relacq), E2(lb_c11), E2(corr), E2(two_two_w), E2(r_fence), E2(s_relacq),
    E3(wrc), E3(isa2), E3(sb3), E4(iriw_fence), E4(iriw_seq), E4(iriw_relacq), E4(iriw_amo), E4(iriw_c11),
};

/* --- threads in step: every thread runs its part of a batch; the last one to come judges and clears --------------------- */
static long rounds = 100000;
static struct {
    long weak, met, all;
} seen[sizeof tests / sizeof *tests];
static struct { _Alignas(64) atomic_uint gen, arrived; } gate[sizeof tests / sizeof *tests];

static void meet(const struct test *t, void (*last)(const struct test *))
{
    atomic_uint *gen = &gate[t - tests].gen, *arrived = &gate[t - tests].arrived;
    unsigned g = atomic_load(gen);
    if (atomic_fetch_add(arrived, 1) == (unsigned)t->n - 1) {
        if (last) last(t);
        atomic_store(arrived, 0);
        atomic_fetch_add(gen, 1);
        syscall(SYS_futex, gen, FUTEX_WAKE_PRIVATE, THREADS, NULL, NULL, 0);
        return;
    }
    for (unsigned spin = 0; atomic_load(gen) == g; spin++)
        if (spin > 2000) syscall(SYS_futex, gen, FUTEX_WAIT_PRIVATE, g, NULL, NULL, 0);
}

static void judge(const struct test *t)
{
    for (int i = 0; i < BATCH; i++) {
        seen[t - tests].weak += t->bad(&slots[i]);
        seen[t - tests].met += !slots[i].apart;
    }
    seen[t - tests].all += BATCH;
    memset(slots, 0, sizeof slots);
    turn += BATCH;
}

static void *worker(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    for (const struct test *t = tests; t < tests + sizeof tests / sizeof *tests; t++) {
        if (me >= (unsigned)t->n) continue;
        do {
            meet(t, NULL);
            t->run[me](slots);
            meet(t, judge);
        } while (seen[t - tests].all < rounds);
    }
    return NULL;
}

/* --- atomics count right, pairs do not tear --------------------------------------------------------------------------- */
static _Alignas(64) uint8_t c8[8];
static _Alignas(64) uint16_t c16[4];
static _Alignas(64) uint32_t c32[2];
static _Alignas(64) uint64_t c64, c_lrsc, c_cas;
#ifdef __aarch64__
static _Alignas(64) uint64_t pair[2];
#endif
static long counts;

static void add_lrsc(uint64_t *p)
{
    uint64_t v, f;
#ifdef __riscv
    ASM("1: lr.d %0, (%2)\n addi %0, %0, 1\n sc.d %1, %0, (%2)\n bnez %1, 1b" : "=&r"(v), "=&r"(f) : "r"(p) : "memory");
#else
    ASM("1: ldxr %0, [%2]\n add %0, %0, 1\n stxr %w1, %0, [%2]\n cbnz %w1, 1b" : "=&r"(v), "=&r"(f) : "r"(p) : "memory");
#endif
}

static void *count(void *arg)
{
    for (long i = 0; i < counts; i++) {
        __atomic_fetch_add(&c8[3], 1, __ATOMIC_RELAXED); /* compilers make word-sized loops of these on RISC-V */
        __atomic_fetch_add(&c16[1], 1, __ATOMIC_ACQ_REL);
        __atomic_fetch_add(&c32[1], 1, __ATOMIC_SEQ_CST);
        __atomic_fetch_sub(&c64, 1, __ATOMIC_SEQ_CST);
        add_lrsc(&c_lrsc);
        uint64_t old = __atomic_load_n(&c_cas, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(&c_cas, &old, old + 3, 1, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {}
    }
    return NULL;
}

#ifdef __aarch64__
static void *pairs(void *arg)
{
    int me = (int)(uintptr_t)arg, lse2 = !!(getauxval(AT_HWCAP) & 1ul << 25); /* USCAT: aligned 16 bytes are single-copy atomic */
    uint64_t a, b, f;
    for (long i = 0; i < counts; i++) {
        if (me == 0) {
            ASM("1: ldaxp %0, %1, [%3]\n add %0, %0, 1\n add %1, %1, 1\n stlxp %w2, %0, %1, [%3]\n cbnz %w2, 1b"
                : "=&r"(a), "=&r"(b), "=&r"(f) : "r"(pair) : "memory");
        } else if (me == 1) {
            register uint64_t r0 __asm__("x0"), r1 __asm__("x1"), n0 __asm__("x2"), n1 __asm__("x3"), w0, w1;
            do {
                ASM("ldp %0, %1, [%2]" : "=&r"(r0), "=&r"(r1) : "r"(pair) : "memory");
                w0 = r0, w1 = r1, n0 = r0 + 1, n1 = r1 + 1;
                ASM(".arch armv8.1-a\n caspal x0, x1, x2, x3, [%4]"
                    : "+r"(r0), "+r"(r1) : "r"(n0), "r"(n1), "r"(pair) : "memory");
            } while (r0 != w0 || r1 != w1);
        } else {
            if (lse2)
                ASM("ldp %0, %1, [%2]" : "=&r"(a), "=&r"(b) : "r"(pair) : "memory");
            else
                ASM("1: ldxp %0, %1, [%3]\n stxp %w2, %0, %1, [%3]\n cbnz %w2, 1b"
                    : "=&r"(a), "=&r"(b), "=&r"(f) : "r"(pair) : "memory");
            CHECK(a == b, "torn pair %llx %llx", (long long)a, (long long)b);
        }
    }
    return NULL;
}
#endif

static void run(void *(*fn)(void *))
{
    pthread_t t[THREADS];
    for (long i = 0; i < THREADS; i++) pthread_create(&t[i], NULL, fn, (void *)i);
    for (long i = 0; i < THREADS; i++) pthread_join(t[i], NULL);
}

int main(int argc, char **argv)
{
    if (argc > 1) rounds = atol(argv[1]);
    counts = rounds / 2;
    cpus = sysconf(_SC_NPROCESSORS_ONLN);
    run(worker);
    for (unsigned i = 0; i < sizeof tests / sizeof *tests; i++) {
        if (argc > 2) printf("%-14s %ld of %ld, met %ld\n", tests[i].name, seen[i].weak, seen[i].all, seen[i].met);
        CHECK(!seen[i].weak || !i, "%s: %ld forbidden outcomes in %ld", tests[i].name, seen[i].weak, seen[i].all);
    }
    run(count);
    uint64_t n = (uint64_t)counts * THREADS;
    CHECK(c8[3] == (uint8_t)n && !c8[2] && !c8[4]);
    CHECK(c16[1] == (uint16_t)n && !c16[0] && !c16[2]);
    CHECK(c32[1] == (uint32_t)n && !c32[0]);
    CHECK(c64 == -n && c_lrsc == n && c_cas == 3 * n, "%llu %llu %llu", (long long)-c64, (long long)c_lrsc, (long long)c_cas / 3);
#ifdef __aarch64__
    run(pairs);
    CHECK(pair[0] == pair[1] && pair[0] == 2 * (uint64_t)counts);
#endif
    return verdict();
}
