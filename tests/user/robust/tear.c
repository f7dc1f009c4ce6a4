/*
 * tear.c [rounds]: accesses that the architecture makes single-copy atomic never show parts of two stores. Two threads store
 * values of equal parts in one way, two others load in another way and compare the parts: every store with every load of
 * its size. AArch64 with FEAT_LSE2: also pairs, 16 bytes, and all that lies within 16 aligned bytes (DDI 0487 B2.2.1.1).
 */
#include "harness.h"
#include <sys/auxv.h>

typedef struct {
    uint64_t lo, hi;
} value;
struct way {
    const char *name;
    unsigned bytes, offset; /* offset: from an aligned 16-byte granule */
    void (*store)(void *p, uint64_t v);
    value (*load)(void *p);
};

#define ASM(...) __asm__ volatile(__VA_ARGS__)
#define STORE(name, ...) static void name(void *p, uint64_t v) { __VA_ARGS__; }
#define LOAD(name, ...) static value name(void *p) { value r = { 0, 0 }; __VA_ARGS__; return r; }
#define ST(name, insn) STORE(name, ASM(insn : : "r"(v), "r"(p) : "memory"))
#define LD(name, insn) LOAD(name, ASM(insn : "=&r"(r.lo) : "r"(p) : "memory"))
#ifdef __riscv
ST(sd, "sd %0, (%1)")
ST(fsd, "fmv.d.x ft0, %0\n fsd ft0, (%1)")
ST(sw, "sw %0, (%1)")
ST(fsw, "fmv.w.x ft0, %0\n fsw ft0, (%1)")
ST(sh, "sh %0, (%1)")
ST(swap_d, "amoswap.d zero, %0, (%1)")
ST(sc_d, "1: lr.d t0, (%1)\n sc.d t0, %0, (%1)\n bnez t0, 1b")
LD(ld, "ld %0, (%1)")
LD(fld, "fld ft0, (%1)\n fmv.x.d %0, ft0")
LD(lr_d, "lr.d %0, (%1)")
LD(lw, "lwu %0, (%1)")
LD(flw, "flw ft0, (%1)\n fmv.x.w %0, ft0")
LD(lh, "lhu %0, (%1)")
LD(or_d, "amoor.d %0, zero, (%1)")
/* amocas.q.aqrl t5 (and t6), t3 (and t4), (p): no assembler of the day knows it */
#define CAS_Q(p) ASM(".insn r 0x2f, 4, 0x17, t5, %4, t3" : "+r"(t5), "+r"(t6) : "r"(t3), "r"(t4), "r"(p) : "memory")
static value cas_q(void *p, value old, value new)
{
    register uint64_t t5 __asm__("t5") = old.lo, t6 __asm__("t6") = old.hi, t3 __asm__("t3") = new.lo, t4 __asm__("t4") = new.hi;
    CAS_Q(p);
    return (value){ t5, t6 };
}
LOAD(ld_cas_q, r = cas_q(p, r, r))
STORE(st_cas_q, value r = { 0, 0 }, seen; while (seen = cas_q(p, r, (value){ v, v }), seen.lo != r.lo || seen.hi != r.hi) r = seen)
static const struct way ways[] = {
    { "amocas.q", 16, 0, st_cas_q, ld_cas_q }, { "sd", 8, 0, sd }, { "fsd", 8, 0, fsd }, { "amoswap.d", 8, 0, swap_d },
    { "sc.d", 8, 0, sc_d }, { "ld", 8, 0, 0, ld }, { "fld", 8, 0, 0, fld }, { "lr.d", 8, 0, 0, lr_d }, { "amoor.d", 8, 0, 0, or_d },
    { "sw", 4, 4, sw }, { "fsw", 4, 4, fsw }, { "lw", 4, 4, 0, lw }, { "flw", 4, 4, 0, flw }, { "sh", 2, 6, sh }, { "lh", 2, 6, 0, lh },
};
static unsigned missing(void) { return 0; }
#else
#define LSE ".arch armv8.3-a\n "
#define LDQ(name, insn) LOAD(name, ASM(insn : "=&r"(r.lo), "=&r"(r.hi) : "r"(p) : "memory", "x10", "v0"))
ST(stp, "stp %0, %0, [%1]")
ST(stnp, "stnp %0, %0, [%1]")
ST(stp_post, "mov x10, %1\n stp %0, %0, [x10], #32")
ST(str_q, "dup v0.2d, %0\n str q0, [%1]")
ST(stxp, "1: ldxp x10, x11, [%1]\n stlxp w10, %0, %0, [%1]\n cbnz w10, 1b")
LDQ(ldp, "ldp %0, %1, [%2]")
LDQ(ldnp, "ldnp %0, %1, [%2]")
LDQ(ldp_pre, "sub x10, %2, #32\n ldp %0, %1, [x10, #32]!")
LDQ(ldr_q, "ldr q0, [%2]\n umov %0, v0.d[0]\n umov %1, v0.d[1]")
LDQ(ldxp, "1: ldaxp %0, %1, [%2]\n stxp w10, %0, %1, [%2]\n cbnz w10, 1b")
static value casp(void *p, value old, value new)
{
    register uint64_t x0 __asm__("x0") = old.lo, x1 __asm__("x1") = old.hi, x2 __asm__("x2") = new.lo, x3 __asm__("x3") = new.hi;
    ASM(LSE "caspal x0, x1, x2, x3, [%4]" : "+r"(x0), "+r"(x1) : "r"(x2), "r"(x3), "r"(p) : "memory");
    return (value){ x0, x1 };
}
LOAD(ld_casp, r = casp(p, r, r))
STORE(st_casp, value r = { 0, 0 }, seen; while (seen = casp(p, r, (value){ v, v }), seen.lo != r.lo || seen.hi != r.hi) r = seen)
ST(str_x, "str %0, [%1]")
ST(str_d, "fmov d0, %0\n str d0, [%1]")
ST(stlr, "stlr %0, [%1]")
ST(swp, LSE "swp %0, x10, [%1]")
ST(stp_w, "stp %w0, %w0, [%1]")
ST(stlxr, "1: ldxr x10, [%1]\n stlxr w10, %0, [%1]\n cbnz w10, 1b")
LD(ldr_x, "ldr %0, [%1]")
LD(ldr_d, "ldr d0, [%1]\n fmov %0, d0")
LD(ldar, "ldar %0, [%1]")
LD(ldapr, LSE "ldapr %0, [%1]")
LD(ldset, LSE "ldset xzr, %0, [%1]")
LD(ldp_w, "ldp %w0, w10, [%1]\n bfi %0, x10, #32, #32")
ST(str_w, "str %w0, [%1]")
ST(swp_w, LSE "swp %w0, w10, [%1]")
LD(ldr_w, "ldr %w0, [%1]")
LD(ldar_w, "ldar %w0, [%1]")
ST(strh, "strh %w0, [%1]")
LD(ldrh, "ldrh %w0, [%1]")
static const struct way ways[] = {
    { "casp", 16, 0, st_casp, ld_casp }, { "stxp", 16, 0, stxp, ldxp }, { "stp", 16, 0, stp }, { "stnp", 16, 0, stnp },
    { "stp post", 16, 0, stp_post }, { "str q", 16, 0, str_q }, { "ldp", 16, 0, 0, ldp }, { "ldnp", 16, 0, 0, ldnp },
    { "ldp pre", 16, 0, 0, ldp_pre }, { "ldr q", 16, 0, 0, ldr_q },
    { "str x", 8, 4, str_x }, { "str d", 8, 4, str_d }, { "stlr", 8, 4, stlr }, { "swp", 8, 4, swp }, { "stp w", 8, 4, stp_w },
    { "stlxr", 8, 4, stlxr }, { "ldr x", 8, 4, 0, ldr_x }, { "ldr d", 8, 4, 0, ldr_d }, { "ldar", 8, 4, 0, ldar },
    { "ldapr", 8, 4, 0, ldapr }, { "ldset", 8, 4, 0, ldset }, { "ldp w", 8, 4, 0, ldp_w },
    { "str x", 8, 0, str_x }, { "stp w", 8, 0, stp_w }, { "ldr x", 8, 0, 0, ldr_x }, { "ldp w", 8, 0, 0, ldp_w },
    { "str w", 4, 6, str_w }, { "swp w", 4, 6, swp_w }, { "ldr w", 4, 6, 0, ldr_w }, { "ldar w", 4, 6, 0, ldar_w },
    { "strh", 2, 7, strh }, { "ldrh", 2, 7, 0, ldrh },
};
/* the features that the list takes for granted: LSE, LRCPC, LSE2 */
static unsigned missing(void)
{
    return ~getauxval(AT_HWCAP) & (1u << 8 | 1u << 15 | 1u << 25);
}
#endif

static _Alignas(64) uint8_t cells[64];
static const struct way *writing, *reading;
static long rounds = 20000;
static atomic_int readers, writers;
enum { THREADS = 4 };

static uint64_t equal_parts(uint64_t v, unsigned bytes)
{
    return bytes == 16 ? v : bytes == 8 ? (uint32_t)v * 0x100000001ull : bytes == 4 ? (uint16_t)v * 0x10001u : (uint8_t)v * 0x101u;
}

static void *work(void *arg)
{
    const long me = (long)arg;
    uint8_t *p = cells + 32 + writing->offset;
    if (me & 1) {
        for (uint64_t n = 0; readers; n++) {
            writing->store(p, equal_parts(n * 0x0101010101010101 + me, writing->bytes));
            if (!n) writers++;
        }
        return NULL;
    }
    while (writers < THREADS / 2) sched_yield();
    for (long i = 0; i < rounds; i++) {
        value r = reading->load(p);
        unsigned half = writing->bytes * 4; /* bits */
        if (half != 64) r.hi = r.lo >> half & ((1ull << half) - 1), r.lo &= (1ull << half) - 1;
        CHECK(r.lo == r.hi, "%s, %s: %llx %llx", writing->name, reading->name, (long long)r.lo, (long long)r.hi);
    }
    readers--;
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t t[THREADS];
    const struct way *end = ways + sizeof ways / sizeof *ways;
    if (argc > 1) rounds = atol(argv[1]);
    CHECK(!missing(), "%x", missing());
    for (writing = ways; writing < end; writing++) {
        for (reading = ways; writing->store && reading < end; reading++) {
            if (!reading->load || reading->bytes != writing->bytes || reading->offset != writing->offset) continue;
            memset(cells, 0, sizeof cells);
            readers = THREADS / 2;
            writers = 0;
            for (long i = 0; i < THREADS; i++) pthread_create(&t[i], NULL, work, (void *)i);
            for (long i = 0; i < THREADS; i++) pthread_join(t[i], NULL);
        }
    }
    return verdict();
}
