/*
 * smc.c [rounds]: code that changes. By the same thread, with the ISA's cache maintenance; behind the same address after
 * munmap and mmap or mprotect; through another mapping of the same memory; by another thread while it runs; across a page
 * boundary; right behind the storing instruction; when the host is out of mappings.
 */
#include "harness.h"

typedef long fn(long);
static long rounds = 2000;

/* return arg + k, |k| < 2000 */
static void make(uint32_t *p, int k)
{
#ifdef __riscv
    __atomic_store_n(&p[0], 0x00050513u | (uint32_t)k << 20, __ATOMIC_RELAXED); /* addi a0, a0, k */
    __atomic_store_n(&p[1], 0x00008067u, __ATOMIC_RELAXED);                     /* ret */
#else
    __atomic_store_n(&p[0], (k < 0 ? 0xd1000000u : 0x91000000u) | (uint32_t)(k < 0 ? -k : k) << 10, __ATOMIC_RELAXED);
    __atomic_store_n(&p[1], 0xd65f03c0u, __ATOMIC_RELAXED);
#endif
}

static void *map(size_t n, int prot)
{
    void *p = mmap(NULL, n, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    return p;
}

static void same_thread(void)
{
    uint32_t *p = map(8192, PROT_READ | PROT_WRITE | PROT_EXEC);
    for (int i = 0; i < rounds; i++) {
        make(p + i % 64 * 2, i % 2000);
        sync_code(p + i % 64 * 2, 8);
        CHECK(((fn *)(p + i % 64 * 2))(i) == i + i % 2000, "round %d", i);
        /* an older one is still what it was */
        if (i >= 64) CHECK(((fn *)(p + (i + 1) % 64 * 2))(5) == 5 + (i - 63) % 2000, "round %d", i);
    }
    /* two instructions on two pages */
    uint32_t *q = (uint32_t *)((char *)p + 4092);
    for (int i = 0; i < rounds / 4; i++) {
        make(q, i % 2000);
        sync_code(q, 8);
        CHECK(((fn *)q)(1) == 1 + i % 2000, "round %d", i);
    }
    munmap(p, 8192);
}

/* W^X in time: mprotect between writing and running */
static void protect(void)
{
    uint32_t *p = map(4096, PROT_READ | PROT_WRITE);
    for (int i = 0; i < rounds / 4; i++) {
        CHECK(!mprotect(p, 4096, PROT_READ | PROT_WRITE));
        make(p, i % 1000 - 0);
        CHECK(!mprotect(p, 4096, PROT_READ | PROT_EXEC));
        sync_code(p, 8);
        CHECK(((fn *)p)(i) == i + i % 1000, "round %d", i);
    }
    munmap(p, 4096);
}

static void remap(void)
{
    uint32_t *p = map(65536, PROT_READ | PROT_WRITE | PROT_EXEC);
    for (int i = 0; i < rounds / 4; i++) {
        munmap(p, 65536);
        void *q = mmap(p, 65536, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | (i & 1 ? MAP_FIXED : 0), -1, 0);
        CHECK(q == p, "round %d: %p is not %p", i, q, (void *)p);
        if (q != p) return;
        make(p, i % 2000);
        sync_code(p, 8);
        CHECK(((fn *)p)(7) == 7 + i % 2000, "round %d", i);
    }
    munmap(p, 65536);
}

static void dual(void)
{
    int fd = memfd_create("code", 0);
    CHECK(fd >= 0 && !ftruncate(fd, 65536));
    uint32_t *w = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    uint32_t *x = mmap(NULL, 65536, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    CHECK(w != MAP_FAILED && x != MAP_FAILED);
    for (int i = 0; i < rounds; i++) {
        int at = i % 8 * 1024;
        make(w + at, i % 2000);
        sync_code(w + at, 8);
        sync_code(x + at, 8);
        CHECK(((fn *)(x + at))(3) == 3 + i % 2000, "round %d", i);
    }
    munmap(w, 65536);
    munmap(x, 65536);
    close(fd);
}

/* The store changes an instruction a few bytes on, in the same straight line. */
#ifdef __riscv
static const uint32_t self[] = {
    0x00b52823, /* sw a1, 16(a0) */
    0x0000100f, /* fence.i */
    0x00000013, /* nop */
    0x00000013, /* nop */
    0x00100513, /* li a0, 1: replaced by li a0, 2 */
    0x00008067, /* ret */
};
enum { SELF_NEW = 0x00200513 };
#else
static const uint32_t self[] = {
    0xb9001c01, /* str w1, [x0, #28] */
    0x91007002, /* add x2, x0, #28 */
    0xd50b7b22, /* dc cvau, x2 */
    0xd5033b9f, /* dsb ish */
    0xd50b7522, /* ic ivau, x2 */
    0xd5033b9f, /* dsb ish */
    0xd5033fdf, /* isb */
    0x52800020, /* mov w0, #1: replaced by mov w0, #2 */
    0xd65f03c0, /* ret */
};
enum { SELF_NEW = 0x52800040 };
#endif
static void ahead(void)
{
    uint32_t *p = map(4096, PROT_READ | PROT_WRITE | PROT_EXEC);
    for (int i = 0; i < rounds / 4; i++) {
        memcpy(p, self, sizeof self);
        sync_code(p, sizeof self);
        long r = ((long (*)(void *, long))p)(p, SELF_NEW);
        CHECK(r == 2, "round %d: %ld", i, r);
    }
    munmap(p, 4096);
}

/*
 * A compiler thread rewrites functions and publishes them; the others call. A function is written only when nobody can be
 * in it (its slot was taken out and all have passed), its neighbours on the page are being run.
 */
enum { SLOTS = 512, RUNNERS = 3 };
static uint32_t *jit;
static _Atomic long published[SLOTS]; /* k + 1, 0 = not to be called */
static atomic_int busy[RUNNERS][SLOTS / 64];
static atomic_int stop;
static atomic_long calls;

static void *runner(void *arg)
{
    long me = (long)arg, n = 0;
    uint64_t seed = me + 1;
    while (!stop) {
        int i = rnd(&seed) % SLOTS;
        atomic_store(&busy[me][i / 64], 1);
        long k = atomic_load(&published[i]);
        if (k) {
#ifdef __riscv
            __asm__ volatile("fence.i" ::: "memory");
#else
            __asm__ volatile("isb" ::: "memory");
#endif
            long r = ((fn *)(jit + i * 8))(n);
            CHECK(r == n + k - 1, "slot %d: %ld, not %ld", i, r, n + k - 1);
            n++;
        }
        atomic_store(&busy[me][i / 64], 0);
    }
    calls += n;
    return NULL;
}

static void other_thread(void)
{
    pthread_t t[RUNNERS];
    uint64_t seed = 99;
    jit = map(SLOTS * 32, PROT_READ | PROT_WRITE | PROT_EXEC);
    for (long i = 0; i < RUNNERS; i++) pthread_create(&t[i], NULL, runner, (void *)i);
    for (long n = 0; n < rounds * 5 || !calls; n++) {
        int i = rnd(&seed) % SLOTS, k = rnd(&seed) % 2000;
        atomic_store(&published[i], 0);
        for (int r = 0; r < RUNNERS; r++)
            while (atomic_load(&busy[r][i / 64])) sched_yield();
        make(jit + i * 8, k);
        sync_code(jit + i * 8, 8);
        atomic_store(&published[i], k + 1);
        if (n == rounds * 5 - 1) {
            stop = 1;
            break;
        }
    }
    for (int i = 0; i < RUNNERS; i++) pthread_join(t[i], NULL);
    munmap(jit, SLOTS * 32);
}

/* One instruction that is being run is replaced by another, back and forth: either is seen, and in the end the last one. */
static uint32_t *hot;
static void *hot_runner(void *arg)
{
    while (!stop) {
        long r = ((fn *)hot)(0);
        CHECK(r == 1 || r == 2, "%ld", r);
    }
    return NULL;
}

static void concurrent(void)
{
    pthread_t t[2];
    stop = 0;
    hot = map(4096, PROT_READ | PROT_WRITE | PROT_EXEC);
    make(hot, 1);
    sync_code(hot, 8);
    for (int i = 0; i < 2; i++) pthread_create(&t[i], NULL, hot_runner, NULL);
    for (int i = 0; i < rounds; i++) {
        make(hot, 1 + (i & 1));
        sync_code(hot, 8);
        CHECK(((fn *)hot)(0) == 1 + (i & 1), "round %d", i);
    }
    stop = 1;
    for (int i = 0; i < 2; i++) pthread_join(t[i], NULL);
    munmap(hot, 4096);
}

/* The host may have no mapping left for what it takes to notice a write: the write goes on all the same. */
static void no_more_mappings(void)
{
    enum { PAGES = 300000 };
    char *p = map(5 * 4096, PROT_NONE), *many = map(PAGES * 4096l, PROT_READ | PROT_WRITE);
    CHECK(!mprotect(p += 4096, 3 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
    for (int i = 0; i < 3; i++) {
        make((uint32_t *)(p + i * 4096), i + 1);
        sync_code(p + i * 4096, 8);
        CHECK(((fn *)(p + i * 4096))(1) == i + 2);
    }
    for (long i = 0; i < PAGES && !mprotect(many + i * 4096, 4096, PROT_READ); i += 2) {}
    make((uint32_t *)(p + 4096), 7); /* in the middle of three */
    sync_code(p + 4096, 8);
    munmap(many, PAGES * 4096l);
    CHECK(((fn *)(p + 4096))(1) == 8 && ((fn *)p)(1) == 2);
    munmap(p - 4096, 5 * 4096);
}

int main(int argc, char **argv)
{
    if (argc > 1) rounds = atol(argv[1]);
    same_thread();
    protect();
    remap();
    dual();
    ahead();
    no_more_mappings();
    other_thread();
    concurrent();
    return verdict();
}
