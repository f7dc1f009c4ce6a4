/*
 * mops.c: memory copy and set (FEAT_MOPS) against memmove and memset: overlaps, sizes, registers of option A, exact and
 * resumable faults in the middle, going on from a state that does not fit, undefined registers, tagged addresses.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#define CHECK(c) do { if (!(c)) fprintf(stderr, "mops.c:%d: %s\n", __LINE__, #c), bad = 1; } while (0)
enum { PAGE = 4096, ROOM = 64 * PAGE };
static int bad;
static uint8_t *mem, *want;

struct regs {
    uint64_t d, s, n, nzcv;
};
#define STAGES(name, p, m, e, sreg) \
    void name(struct regs *r); \
    __asm__(".arch armv8.8-a\n.pushsection .text\n.global " #name ", " #name "_p, " #name "_m, " #name "_e\n" \
            ".type " #name ", %function\n" #name ":\n" \
            " ldp x1, x2, [x0]\n ldr x3, [x0, #16]\n" #name "_p: " p "\n" #name "_m: " m "\n" #name "_e: " e "\n" \
            " stp x1, x2, [x0]\n mrs x4, nzcv\n stp x3, x4, [x0, #16]\n ret\n.popsection\n"); \
    extern char name##_p[], name##_m[], name##_e[];
#define CPY(op, o) op "p" o " [x1]!, [x2]!, x3!", op "m" o " [x1]!, [x2]!, x3!", op "e" o " [x1]!, [x2]!, x3!"
#define SET(o) "setp" o " [x1]!, x3!, x2", "setm" o " [x1]!, x3!, x2", "sete" o " [x1]!, x3!, x2"
#define EXPAND(m, ...) m(__VA_ARGS__)
EXPAND(STAGES, cpy, CPY("cpy", ""), 0)
EXPAND(STAGES, cpy_rtwn, CPY("cpy", "rtwn"), 0)
EXPAND(STAGES, cpyf, CPY("cpyf", ""), 0)
EXPAND(STAGES, cpyf_tn, CPY("cpyf", "tn"), 0)
EXPAND(STAGES, set, SET(""), 0)
EXPAND(STAGES, set_tn, SET("tn"), 0)
/* prologues alone, as data: this assembler wants the three together */
EXPAND(STAGES, prologue, ".inst 0x1d020461", "nop", "nop", 0)
EXPAND(STAGES, prologue_f, ".inst 0x19020461", "nop", "nop", 0)
/* Begins in the middle of one of the above. */
void enter(struct regs *r, const char *label);
__asm__(".pushsection .text\n.global enter\n.type enter, %function\nenter: mov x9, x1\n ldp x1, x2, [x0]\n"
        " ldp x3, x4, [x0, #16]\n msr nzcv, x4\n br x9\n.popsection\n");

static void fill(void)
{
    for (unsigned i = 0; i < ROOM; i++) mem[i] = want[i] = (uint8_t)(rand() >> 7);
}
static void copy_is_memmove(void)
{
    void (*const fn[])(struct regs *) = { cpy, cpy_rtwn, cpyf, cpyf_tn };
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t n = (uint64_t)rand() % (i % 10 ? 200 : 5 * PAGE), d = 512 + (uint64_t)rand() % (ROOM / 4), s;
        unsigned k = (unsigned)rand() % 4;
        s = rand() & 1 ? d + (uint64_t)rand() % 300 : d - (uint64_t)rand() % 300;
        if (k > 1 || i % 7 == 0) s = d + ROOM / 2; /* CPYF: no overlap */
        int backward = s < d && s + n > d;
        struct regs r = { (uint64_t)mem + d, (uint64_t)mem + s, n, 0 };
        memmove(want + d, want + s, n);
        fn[k](&r);
        CHECK(!memcmp(mem + d - 64, want + d - 64, n + 128) && r.n == 0 && r.nzcv == 0);
        CHECK(r.d == (uint64_t)mem + d + (backward ? 0 : n) && r.s == (uint64_t)mem + s + (backward ? 0 : n));
        if (bad) {
            printf("copy %u: to %#llx from %#llx size %#llx\n", k, (long long)d, (long long)s, (long long)n);
            return;
        }
    }
    CHECK(!memcmp(mem, want, ROOM));
}
static void set_is_memset(void)
{
    for (unsigned i = 0; i < 500; i++) {
        uint64_t n = (uint64_t)rand() % (i % 10 ? 200 : 5 * PAGE), d = 64 + (uint64_t)rand() % (ROOM / 4);
        uint64_t v = (uint64_t)rand();
        struct regs r = { (uint64_t)mem + d, v, n, 0 };
        memset(want + d, (uint8_t)v, n);
        (i & 1 ? set_tn : set)(&r);
        CHECK(!memcmp(mem + d - 64, want + d - 64, n + 128));
        CHECK(r.n == 0 && r.d == (uint64_t)mem + d + n && r.s == v && r.nzcv == 0);
    }
    CHECK(!memcmp(mem, want, ROOM));
}
static void prologues(void)
{
    struct regs r = { 0x1000, 0x100000, ~0ull, 0xf0000000 };
    prologue(&r);
    CHECK(r.n == -0x007fffffffffffffull && r.d == 0x1000 + 0x007fffffffffffffull && r.nzcv == 0);
    r = (struct regs){ 0x1000, 0xff0, 0x20, 0xf0000000 };
    prologue(&r);
    CHECK(r.n == 0x20 && r.d == 0x1000 && r.s == 0xff0 && r.nzcv == 0);
    r = (struct regs){ 0x1000, 0xff0, 0x10, 0 };
    prologue(&r);
    CHECK(r.n == -0x10ull && r.d == 0x1010 && r.s == 0x1000);
    r = (struct regs){ 0x1000, 0xff0, 1ull << 63, 0 };
    prologue_f(&r);
    CHECK(r.n == -0x7fffffffffffffffull && r.d == 0x1000 + 0x7fffffffffffffffull);
}
/* State of option B, or of an unfinished main part at the epilogue: set right, and on from the prologue. */
static void wrong_state(void)
{
    enum { N = 1u << 31, C = 1u << 29 };
    uint64_t m = (uint64_t)mem;

    fill();
    struct regs r = { m + 10 + 300, 0x5a, -(uint64_t)300, 0 };
    memset(want + 10, 0x5a, 300);
    enter(&r, set_e);
    CHECK(!memcmp(mem, want, ROOM) && r.n == 0 && r.d == m + 310 && r.s == 0x5a);
    r = (struct regs){ m + 77, 0xa5, 600, C };
    memset(want + 77, 0xa5, 600);
    enter(&r, set_m);
    CHECK(!memcmp(mem, want, ROOM) && r.n == 0 && r.d == m + 677 && r.nzcv == 0);
    r = (struct regs){ m + PAGE + 5000, m + PAGE + 4990, 5000, C | N }; /* from the top */
    memmove(want + PAGE, want + PAGE - 10, 5000);
    enter(&r, cpy_m);
    CHECK(!memcmp(mem, want, ROOM) && r.n == 0 && r.d == m + PAGE && r.s == m + PAGE - 10);
    r = (struct regs){ m + PAGE, m + PAGE - 10, 5000, 0 }; /* backward, option A */
    memmove(want + PAGE, want + PAGE - 10, 5000);
    enter(&r, cpy_e);
    CHECK(!memcmp(mem, want, ROOM) && r.n == 0);
    r = (struct regs){ 1, 2, 0, C }; /* nothing left: nothing to mind */
    enter(&r, cpy_m);
    CHECK(r.d == 1 && r.s == 2 && r.nzcv == C);
}

static struct {
    uint64_t addr, pc, d, s, n, code;
    unsigned count, sig;
} hit;
static void on_fault(int sig, siginfo_t *si, void *uc)
{
    mcontext_t *m = &((ucontext_t *)uc)->uc_mcontext;
    hit.sig = (unsigned)sig, hit.count++;
    hit.addr = (uint64_t)si->si_addr, hit.code = (uint64_t)si->si_code;
    hit.pc = m->pc, hit.d = m->regs[1], hit.s = m->regs[2], hit.n = m->regs[3];
    if (sig == SIGSEGV)
        mprotect((void *)(hit.addr & -PAGE), PAGE, PROT_READ | PROT_WRITE);
    else
        m->pc += 4;
}
static void protect(unsigned page)
{
    hit.count = 0;
    mprotect(mem + page * PAGE, PAGE, PROT_NONE);
}
static void faults(void)
{
    fill();
    /* writing, forward: page 3 is not there */
    struct regs r = { (uint64_t)mem + PAGE + 100, (uint64_t)mem + 32 * PAGE + 7, 4 * PAGE, 0 }, in = r;
    memmove(want + PAGE + 100, want + 32 * PAGE + 7, 4 * PAGE);
    protect(3);
    cpy(&r);
    CHECK(hit.count == 1 && hit.pc == (uint64_t)cpy_m);
    CHECK(hit.addr == (uint64_t)mem + 3 * PAGE && hit.code == SEGV_ACCERR);
    CHECK(hit.d == in.d + in.n && hit.s == in.s + in.n && hit.n == -(in.n - (2 * PAGE - 100)));
    CHECK(!memcmp(mem, want, ROOM) && r.n == 0);
    /* reading, forward */
    r = in = (struct regs){ (uint64_t)mem + PAGE + 100, (uint64_t)mem + 32 * PAGE + 7, 4 * PAGE, 0 };
    protect(34);
    cpyf(&r);
    CHECK(hit.count == 1 && hit.pc == (uint64_t)cpyf_m && hit.addr == (uint64_t)mem + 34 * PAGE);
    CHECK(hit.n == -(in.n - (2 * PAGE - 7)) && !memcmp(mem, want, ROOM));
    /* backward */
    r = in = (struct regs){ (uint64_t)mem + 2 * PAGE + 50, (uint64_t)mem + 2 * PAGE + 20, 4 * PAGE, 0 };
    memmove(want + 2 * PAGE + 50, want + 2 * PAGE + 20, 4 * PAGE);
    protect(4);
    cpy(&r);
    CHECK(hit.count == 1 && hit.pc == (uint64_t)cpy_m && hit.addr >> 12 == ((uint64_t)mem + 4 * PAGE) >> 12);
    CHECK(hit.d == in.d && hit.s == in.s && hit.n == 3 * PAGE - 20 && !memcmp(mem, want, ROOM));
    /* set */
    r = in = (struct regs){ (uint64_t)mem + 5 * PAGE - 1, 0xab, PAGE, 0 };
    memset(want + 5 * PAGE - 1, 0xab, PAGE);
    protect(5);
    set(&r);
    CHECK(hit.count == 1 && hit.pc == (uint64_t)set_m && hit.addr == (uint64_t)mem + 5 * PAGE);
    CHECK(hit.n == -(uint64_t)(PAGE - 1));
    CHECK(!memcmp(mem, want, ROOM) && r.n == 0);
    /* a tag in the top byte, and beyond the address space */
    fill();
    r = (struct regs){ (uint64_t)mem | 0xabull << 56, ((uint64_t)mem + 9 * PAGE) | 0x7full << 56, 2 * PAGE + 1, 0 };
    memmove(want, want + 9 * PAGE, 2 * PAGE + 1);
    cpy(&r);
    CHECK(!memcmp(mem, want, ROOM) && r.n == 0 && r.d >> 56 == 0xab && r.s >> 56 == 0x7f);
    /* nothing is touched when there is nothing to do */
    r = (struct regs){ 8, 16, 0, 0 };
    cpy(&r), cpyf(&r), set(&r);
}

/* Equal registers and register 31: undefined here. */
static void undefined(void)
{
    hit.count = 0;
    __asm__ volatile(".inst 0x1d010421, 0x1d03047f, 0x1d1f0461, 0x19c20442, 0x59020461" ::: "x1", "x2", "x3");
    CHECK(hit.count == 5 && hit.sig == SIGILL);
}

int main(void)
{
    struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &sa, NULL), sigaction(SIGILL, &sa, NULL);
    mem = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), want = malloc(ROOM);
    CHECK(getauxval(AT_HWCAP2) >> 43 & 1);
    fill();
    copy_is_memmove();
    set_is_memset();
    prologues();
    wrong_state();
    faults();
    undefined();
    return bad;
}
