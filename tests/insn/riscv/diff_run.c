/*
 * diff_run.c: the guest's side: runs the cases that diff_gen writes, each from its own random state, and prints a line of
 * the state after it; -v prints all registers. Integer values, FP values and vector contents are drawn from corner cases
 * and random numbers alike. An instruction that traps is counted and skipped. To be built with -march=rv64gcv.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { VLENB_MAX = 64 };
struct state {
    uint64_t x[32], f[32], fcsr, avl, vtype, vl, vcsr, vstart;
    uint8_t v[32 * VLENB_MAX] __attribute__((aligned(16))); /* 32 * vlenb bytes of it */
};
struct state in, out;
uint64_t host_regs[16];
uint8_t *code;
void run(void), done(void);

#define ALL(M) \
    M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11) M(12) M(13) M(14) M(15) M(16) M(17) M(18) M(19) M(20) M(21) \
    M(22) M(23) M(24) M(25) M(26) M(27) M(28) M(29) M(30) M(31)
/* All but zero, sp, gp, tp, t6, and t0, which comes last. */
#define FREE(M) \
    M(1) M(6) M(7) M(8) M(9) M(10) M(11) M(12) M(13) M(14) M(15) M(16) M(17) M(18) M(19) M(20) M(21) M(22) M(23) M(24) M(25) \
    M(26) M(27) M(28) M(29) M(30) M(5)
#define LX(n) "ld x" #n ", 8*" #n "(t6)\n"
#define SX(n) "sd x" #n ", 8*" #n "(t6)\n"
#define LF(n) "fld f" #n ", 256+8*" #n "(t6)\n"
#define SF(n) "fsd f" #n ", 256+8*" #n "(t6)\n"
#define HOST(op) \
    "la t0, host_regs\n" op " sp, 0(t0)\n" op " gp, 8(t0)\n" op " tp, 16(t0)\n" op " ra, 24(t0)\n" op " s0, 32(t0)\n" \
    op " s1, 40(t0)\n" op " s2, 48(t0)\n" op " s3, 56(t0)\n" op " s4, 64(t0)\n" op " s5, 72(t0)\n" op " s6, 80(t0)\n" \
    op " s7, 88(t0)\n" op " s8, 96(t0)\n" op " s9, 104(t0)\n" op " s10, 112(t0)\n" op " s11, 120(t0)\n"
#define VREGS(op) \
    "csrr t1, vlenb\nslli t1, t1, 3\naddi t0, t6, 560\n" op " v0, (t0)\nadd t0, t0, t1\n" op " v8, (t0)\n" \
    "add t0, t0, t1\n" op " v16, (t0)\nadd t0, t0, t1\n" op " v24, (t0)\n"
__asm__(".text\n.globl run, done\n"
        "run:\n" HOST("sd")
        "la t6, in\nld t0, 512(t6)\nfscsr t0\n" ALL(LF) VREGS("vl8re8.v")
        "ld t0, 520(t6)\nld t1, 528(t6)\nvsetvl x0, t0, t1\nld t0, 544(t6)\ncsrw vcsr, t0\n"
        "la t0, code\nld x5, 0(t0)\nsd x5, 248(t6)\n" FREE(LX) "ld t6, 248(t6)\njr t6\n"
        "done:\nla t6, out\n" FREE(SX) ALL(SF)
        "frcsr t0\nsd t0, 512(t6)\ncsrr t0, vl\nsd t0, 536(t6)\ncsrr t0, vtype\nsd t0, 528(t6)\n"
        "csrr t0, vcsr\nsd t0, 544(t6)\ncsrr t0, vstart\nsd t0, 552(t6)\ncsrw vstart, x0\n"
        "vsetivli x0, 1, e8, m1, ta, ma\n" VREGS("vs8r.v") HOST("ld") "ret\n");

static volatile unsigned traps, kinds;
static void handler(int sig, siginfo_t *si, void *ctx)
{
    unsigned long *pc = &((ucontext_t *)ctx)->uc_mcontext.__gregs[0];
    (void)si;
    traps++;
    kinds = kinds * 31 + (unsigned)sig;
    *pc += (*(uint16_t *)*pc & 3) == 3 ? 4 : 2;
}

static uint64_t seed;
static uint64_t rnd(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1d >> 11;
}
static uint64_t rnd64(void)
{
    return rnd() << 32 ^ rnd();
}
#define PICK(a) (a)[rnd() % (sizeof(a) / sizeof *(a))]

static uint64_t integer(void)
{
    static const uint64_t corner[] = { 0, 1, -1, 2, 3, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0x7fffffff,
                                       0x80000000, 0xffffffff, 0x7fffffffffffffff, 1ull << 63, 0xffffffff80000000 };
    switch (rnd() % 6) {
    case 0: return PICK(corner);
    case 1: return (uint64_t)((int64_t)rnd64() >> 40);
    case 2: return rnd() % 64;
    case 3: return (uint64_t)(int32_t)rnd();
    case 4: return rnd64() >> rnd() % 64;
    default: return rnd64();
    }
}
static uint16_t half(void)
{
    static const uint16_t corner[] = { 0, 0x8000, 0x3c00, 0xbc00, 0x7c00, 0xfc00, 0x7e00, 0x7c01, 1, 0x8001, 0x3ff, 0x400, 0x7bff,
                                       0xfbff, 0x3800, 0x5800 };
    return rnd() % 2 ? PICK(corner) : (uint16_t)rnd();
}
static uint32_t single(void)
{
    static const uint32_t corner[] = { 0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 1,
                                       0x80000001, 0x007fffff, 0x00800000, 0x7f7fffff, 0xff7fffff, 0x4f000000, 0xcf000000,
                                       0x4effffff, 0x5f000000, 0xdf000000, 0x3f000000, 0x33800000, 0x477fe000, 0x477ff000 };
    switch (rnd() % 3) {
    case 0: return PICK(corner);
    case 1: return (uint32_t)((rnd() % 40 + 107) << 23 | (rnd() & 0x807fffff));
    default: return (uint32_t)rnd();
    }
}
static uint64_t twice(void)
{
    static const uint64_t corner[] = { 0, 1ull << 63, 0x3ff0000000000000, 0xbff0000000000000, 0x7ff0000000000000, 0xfff0000000000000,
                                       0x7ff8000000000000, 0x7ff0000000000001, 1, 0x000fffffffffffff, 0x0010000000000000,
                                       0x7fefffffffffffff, 0x43e0000000000000, 0xc3e0000000000000, 0x41e0000000000000,
                                       0xc1e0000000000000, 0x41dfffffffc00000, 0x3fe0000000000000, 0x47efffffe0000000,
                                       0x380fffffc0000000, 0x36a0000000000000, 0x40effc0000000000, 0x3f10000000000000 };
    switch (rnd() % 3) {
    case 0: return PICK(corner);
    case 1: return (rnd() % 80 + 983) << 52 | (rnd64() & 0x800fffffffffffff);
    default: return rnd64();
    }
}

/* Valid rounding modes only: QEMU 7.2 aborts on vector conversions under an invalid one. */
static void randomize(uint8_t *data, size_t bytes)
{
    unsigned sew, kind = rnd() % 3;
    for (int i = 0; i < 32; i++) {
        static uint64_t (*const wide[])(void) = { integer, rnd64 };
        in.x[i] = wide[rnd() % 4 == 0]();
        switch (rnd() % 8) {
        case 0: case 1: case 2: in.f[i] = twice(); break;
        case 3: case 4: case 5: in.f[i] = 0xffffffff00000000 | single(); break;
        case 6: in.f[i] = 0xffffffffffff0000 | half(); break;
        default: in.f[i] = rnd64(); break;
        }
    }
    in.fcsr = (rnd() % 8) << 5 | (rnd() & 31);
    in.vtype = rnd() & 0xdf;
    if ((in.vtype & 7) == 4) in.vtype &= ~7ull;
    in.avl = rnd() % 3 ? rnd() % 40 : 200;
    in.vcsr = rnd() & 7;
    sew = in.vtype >> 3 & 3;
    for (unsigned i = 0; i < sizeof in.v; i += 8) {
        uint64_t q = kind == 0 ? rnd64() : kind == 1 ? integer() : sew == 3 ? twice() : sew == 2 ? single() | (uint64_t)single() << 32
                     : half() | (uint64_t)half() << 16 | (uint64_t)half() << 32 | (uint64_t)half() << 48;
        memcpy(in.v + i, &q, 8);
    }
    if (rnd() % 2) for (int i = 0; i < 16; i++) in.v[i] = (uint8_t)rnd(); /* a mask */
    for (size_t i = 0; i < bytes; i++) data[i] = (uint8_t)rnd();
    in.x[8] = (uint64_t)data + bytes / 2;
    in.x[9] = in.x[8] + rnd() % 16;
}

static uint32_t hash(const void *p, size_t n)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < n; i++) h = (h ^ ((const uint8_t *)p)[i]) * 16777619u;
    return h;
}

int main(int argc, char **argv)
{
    enum { DATA = 16384, CODE = 65536 };
    uint8_t *data = mmap((void *)0x10000000, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    stack_t ss = { .ss_sp = malloc(65536), .ss_size = 65536 };
    struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    static char line[16384], hex[8192], names[8192];
    int verbose = argc > 1 && !strcmp(argv[1], "-v");

    code = mmap(NULL, CODE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaltstack(&ss, NULL);
    for (int i = 0; i < 4; i++) sigaction((const int[]){ SIGILL, SIGSEGV, SIGBUS, SIGTRAP }[i], &sa, NULL);
    while (fgets(line, sizeof line, stdin)) {
        unsigned long long s;
        uint8_t *p = code;
        uint64_t back = (uint64_t)done;
        if (sscanf(line, "%llx %8191s %8191s", &s, hex, names) != 3) continue;
        for (char *h = strtok(hex, ","); h; h = strtok(NULL, ",")) {
            uint32_t w = (uint32_t)strtoul(h, NULL, 16);
            memcpy(p, &w, strlen(h) / 2);
            p += strlen(h) / 2;
        }
        for (; (uintptr_t)p & 7; p += 2) memcpy(p, &(uint16_t){ 1 }, 2);
        /* auipc t6,0; ld t6,16(t6); jr t6 */
        memcpy(p, (const uint32_t[]){ 0xf97, 0x010fbf83, 0xf8067, 0 }, 16);
        memcpy(p + 16, &back, 8);
        __builtin___clear_cache((char *)code, (char *)p + 24);
        seed = s | 1;
        for (int i = 0; i < 8; i++) rnd();
        memset(&out, 0, sizeof out);
        randomize(data + 0x10000, DATA);
        traps = kinds = 0;
        run();
        printf("%s x=%08x f=%08x fcsr=%llx vl=%llx vtype=%llx vcsr=%llx vstart=%llx v=%08x mem=%08x traps=%u/%x\n", names,
               hash(out.x, sizeof out.x), hash(out.f, sizeof out.f), (unsigned long long)out.fcsr, (unsigned long long)out.vl,
               (unsigned long long)out.vtype, (unsigned long long)out.vcsr, (unsigned long long)out.vstart, hash(out.v, sizeof out.v),
               hash(data + 0x10000, DATA), traps, kinds);
        if (!verbose) continue;
        for (int i = 0; i < 32; i++) printf("  x%d=%llx f%d=%llx\n", i, (unsigned long long)out.x[i], i, (unsigned long long)out.f[i]);
        for (int i = 0; i < 64; i += 2) {
            uint64_t q[2];
            memcpy(q, out.v + i * 8, 16);
            printf("  v%d=%016llx%016llx\n", i / 2, (unsigned long long)q[1], (unsigned long long)q[0]);
        }
    }
    return 0;
}
