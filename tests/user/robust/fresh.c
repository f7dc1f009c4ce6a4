/*
 * fresh.c [blocks [threads [MiB [alone]]]]: more fresh code than the code cache takes: small functions written to new places, each run twice,
 * every 16th again much later. The results are right and the memory stays bounded. Then (if not alone) children that are forked without a
 * free descriptor: they and their parent, all making code, keep out of each other's way.
 */
#include "harness.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

typedef long fn(long);
static long blocks = 100000, threads = 1;
enum { AREA = 4 << 20, EACH = 32 };

static long resident(void)
{
    long size = 0, rss = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &size, &rss) != 2) rss = 0;
    if (f) fclose(f);
    return rss / 256; /* MiB */
}

static void make(uint32_t *p, uint32_t k)
{
#ifdef __riscv
    p[0] = 0x00050513u | (k & 0x7ff) << 20;         /* addi a0, a0, low */
    p[1] = 0x00054513u | (k >> 11 & 0x7ff) << 20;   /* xori a0, a0, high */
    p[2] = 0x00351513u;                             /* slli a0, a0, 3 */
    p[3] = 0x00008067u;                             /* ret */
#else
    p[0] = 0x91000000u | (k & 0x7ff) << 10;         /* add x0, x0, low */
    p[1] = 0xd2800001u | (k >> 11 & 0x7ff) << 5;    /* mov x1, high */
    p[2] = 0xca010000u;                             /* eor x0, x0, x1 */
    p[3] = 0xd37df000u;                             /* lsl x0, x0, 3 */
    p[4] = 0xd65f03c0u;                             /* ret */
#endif
}
static long want(long x, uint32_t k)
{
    return ((x + (k & 0x7ff)) ^ (k >> 11 & 0x7ff)) * 8;
}

static void *work(void *arg)
{
    uint8_t *area = mmap(NULL, AREA, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(area != MAP_FAILED);
    uint32_t me = (uint32_t)(uintptr_t)arg * 7919;
    for (long done = 0; done < blocks; done += AREA / EACH) {
        long m = blocks - done < AREA / EACH ? blocks - done : AREA / EACH;
        for (long i = 0; i < m; i++) make((uint32_t *)(area + i * EACH), me + (uint32_t)(done + i));
        sync_code(area, m * EACH);
        for (long i = 0; i < m; i++) {
            uint32_t k = me + (uint32_t)(done + i);
            fn *f = (fn *)(area + i * EACH);
            long r = f(i) - want(i, k) + f(-i) - want(-i, k);
            CHECK(!r, "block %ld", done + i);
            if (i % 16 == 0 && i >= 1600) {
                k = me + (uint32_t)(done + i - 1600);
                CHECK(((fn *)(area + (i - 1600) * EACH))(3) == want(3, k), "old block %ld", done + i - 1600);
            }
        }
    }
    munmap(area, AREA);
    return NULL;
}

static void crowded(void)
{
    enum { CHILDREN = 4 };
    struct rlimit few = { 64, 64 };
    pid_t p[CHILDREN];
    int st;
    setrlimit(RLIMIT_NOFILE, &few);
    while (open("/dev/null", O_RDONLY) >= 0) {}
    CHECK(errno == EMFILE);
    if (blocks > 20000) blocks = 20000;
    for (long i = 0; i < CHILDREN; i++) {
        p[i] = fork();
        if (p[i]) continue;
        work((void *)(i + 100));
        _exit(failures ? 1 : 0);
    }
    work((void *)200);
    for (int i = 0; i < CHILDREN; i++) CHECK(p[i] > 0 && waitpid(p[i], &st, 0) == p[i] && !st, "child %d: %x", i, st);
}

int main(int argc, char **argv)
{
    pthread_t t[8];
    if (argc > 1) blocks = atol(argv[1]);
    if (argc > 2) threads = atol(argv[2]);
    for (long i = 0; i < threads; i++) pthread_create(&t[i], NULL, work, (void *)i);
    for (long i = 0; i < threads; i++) pthread_join(t[i], NULL);
    if (argc > 3) CHECK(resident() < atol(argv[3]), "%ld MiB", resident());
    if (argc <= 4) crowded();
    return verdict();
}
