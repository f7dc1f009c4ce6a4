/*
 * faults.c: precise faults at a page end. Every kind of load and store crosses into a page without access, from every
 * offset: fault address, pc and all registers must be exact, nothing of a store may be seen before the fault where the
 * first byte is out of bounds, and the access must work when the handler opens the page and returns. Then faults in a loop
 * whose values live in host registers only.
 */
#include "harness.h"
#include <ucontext.h>

#ifdef __riscv
enum { NREG = 32 };
#define UC_PC(uc) (uc)->uc_mcontext.__gregs[0]
#define UC_REG(uc, i) (uc)->uc_mcontext.__gregs[i]
#define ADDR_REG 10 /* a0 */
#else
enum { NREG = 31 };
#define UC_PC(uc) (uc)->uc_mcontext.pc
#define UC_REG(uc, i) (uc)->uc_mcontext.regs[i]
#define ADDR_REG 0
#endif

static uint8_t *volatile page; /* [page, page + 4096) open, the next closed */
static volatile int count, open_page;
static uint64_t regs[32], at_pc, at_addr;
static int code;

static void handler(int sig, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;
    count++;
    code = si->si_code;
    at_addr = (uint64_t)si->si_addr;
    at_pc = UC_PC(uc);
    for (int i = 0; i < NREG; i++) regs[i] = UC_REG(uc, i);
    if (open_page)
        mprotect(page + 4096, 4096, PROT_READ | PROT_WRITE);
    else
        UC_PC(uc) += 4;
}

/* Puts marks into registers, runs one instruction (4 bytes) and ends. */
struct access {
    const char *name;
    uint32_t insn;
    int bytes, store;
};
#ifdef __riscv
#define I(n, w, b, s) { n, w, b, s }
static const struct access list[] = {
    I("lb", 0x00050583, 1, 0), I("lbu", 0x00054583, 1, 0), I("lh", 0x00051583, 2, 0), I("lhu", 0x00055583, 2, 0),
    I("lw", 0x00052583, 4, 0), I("lwu", 0x00056583, 4, 0), I("ld", 0x00053583, 8, 0), I("flw", 0x00052507, 4, 0),
    I("fld", 0x00053507, 8, 0), I("sb", 0x00b50023, 1, 1), I("sh", 0x00b51023, 2, 1), I("sw", 0x00b52023, 4, 1),
    I("sd", 0x00b53023, 8, 1), I("fsw", 0x00a52027, 4, 1), I("fsd", 0x00a53027, 8, 1),
};
#else
#define I(n, w, b, s) { n, w, b, s }
static const struct access list[] = {
    I("ldrb", 0x39400001, 1, 0), I("ldrsb", 0x39800001, 1, 0), I("ldrh", 0x79400001, 2, 0), I("ldrsh", 0x79800001, 2, 0),
    I("ldr w", 0xb9400001, 4, 0), I("ldrsw", 0xb9800001, 4, 0), I("ldr x", 0xf9400001, 8, 0), I("ldp w", 0x29400801, 8, 0),
    I("ldp x", 0xa9400801, 16, 0), I("ldpsw", 0x69400801, 8, 0), I("ldr b", 0x3d400001, 1, 0), I("ldr h", 0x7d400001, 2, 0),
    I("ldr s", 0xbd400001, 4, 0), I("ldr d", 0xfd400001, 8, 0), I("ldr q", 0x3dc00001, 16, 0), I("ldp s", 0x2d400801, 8, 0),
    I("ldp d", 0x6d400801, 16, 0), I("ldp q", 0xad400801, 32, 0), I("ld1 1", 0x4c407001, 16, 0), I("ld1 4", 0x4c402001, 64, 0),
    I("ld2", 0x4c408001, 32, 0), I("ld3", 0x4c404001, 48, 0), I("ld4", 0x4c400001, 64, 0), I("ld1r", 0x4d40c001, 1, 0),
    I("strb", 0x39000001, 1, 1), I("strh", 0x79000001, 2, 1), I("str w", 0xb9000001, 4, 1), I("str x", 0xf9000001, 8, 1),
    I("stp w", 0x29000801, 8, 1), I("stp x", 0xa9000801, 16, 1), I("str s", 0xbd000001, 4, 1), I("str d", 0xfd000001, 8, 1),
    I("str q", 0x3d800001, 16, 1), I("stp q", 0xad000801, 32, 1), I("st1 1", 0x4c007001, 16, 1), I("st1 4", 0x4c002001, 64, 1),
    I("st4", 0x4c000001, 64, 1),
    /* with write back: the base must be the old one at the fault */
    I("ldr x, post", 0xf8408401, 8, 0), I("ldr x, pre", 0xf8400c01, 8, 0), I("ldp x, post", 0xa8c00801, 16, 0),
    I("str x, post", 0xf8008401, 8, 1), I("stp x, post", 0xa8800801, 16, 1),
};
#endif

extern char access_insn[];
void do_access(void *addr, uint64_t *out);
#ifdef __riscv
__asm__(".pushsection .text\n.balign 4096\n.globl do_access, access_insn\n.option push\n.option norvc\ndo_access:\n"
        " mv a7, a1\n li a1, 0x111\n li a2, 0x222\n li a3, 0x333\n li a4, 0x444\n li a5, 0x555\n li t0, 0x666\n li t1, 0x777\n"
        " fmv.d.x fa0, a2\n add a5, a5, t1\n"
        "access_insn: nop\n"
        " add a6, a1, a5\n sd a6, 0(a7)\n sd a0, 8(a7)\n ret\n.balign 4096\n.option pop\n.popsection\n");
#else
__asm__(".pushsection .text\n.balign 4096\n.globl do_access, access_insn\ndo_access:\n"
        " mov x7, x1\n mov x1, #0x111\n mov x2, #0x222\n mov x3, #0x333\n mov x4, #0x444\n mov x5, #0x555\n mov x6, #0x777\n"
        " add x5, x5, x6\n"
        "access_insn: nop\n"
        " add x6, x1, x5\n str x6, [x7]\n str x0, [x7, #8]\n ret\n.balign 4096\n.popsection\n");
#endif

static void one(const struct access *a, int over)
{
    uint8_t *addr = page + 4096 - a->bytes + over, before[64];
    uint64_t out[2];
    int inside = a->bytes - over; /* bytes before the page end */
    for (int k = 0; k < 64; k++) page[4096 - 64 + k] = k + 1;
    memcpy(before, page + 4096 - 64, 64);
    mprotect(page + 4096, 4096, PROT_NONE);
    for (open_page = 0; open_page < 2; open_page++) {
        count = 0;
        do_access(addr, out);
        if (!over) {
            CHECK(!count, "%s: fault inside the page", a->name);
            continue;
        }
        CHECK(count == 1, "%s over by %d: %d faults", a->name, over, count);
        CHECK(at_pc == (uint64_t)access_insn, "%s: pc %llx", a->name, (long long)at_pc);
        /* the fault address is in the access, on the closed page */
        CHECK(at_addr >= (uint64_t)addr && at_addr < (uint64_t)addr + a->bytes && at_addr >= (uint64_t)page + 4096,
              "%s over by %d: address %llx of %llx", a->name, over, (long long)at_addr, (long long)(uint64_t)addr);
        CHECK(code == SEGV_ACCERR, "%s: si_code %d", a->name, code);
#ifdef __riscv
        CHECK(regs[10] == (uint64_t)addr && regs[11] == 0x111 && regs[12] == 0x222 && regs[13] == 0x333 && regs[14] == 0x444 &&
              regs[15] == 0x555 + 0x777 && regs[5] == 0x666 && regs[6] == 0x777, "%s over by %d", a->name, over);
#else
        CHECK(regs[0] == (uint64_t)addr && regs[1] == 0x111 && regs[2] == 0x222 && regs[3] == 0x333 && regs[4] == 0x444 &&
              regs[5] == 0x555 + 0x777 && regs[6] == 0x777, "%s over by %d", a->name, over);
#endif
        if (!open_page && a->store && inside == 0)
            CHECK(!memcmp(before, page + 4096 - 64, 64), "%s: stored before the fault", a->name);
        if (!open_page && !a->store) CHECK(out[0] == 0x111 + 0x555 + 0x777, "%s: %llx", a->name, (long long)out[0]);
    }
}

/* A fault in the middle of a loop with everything in registers: the sum goes on where it was. */
static __attribute__((noinline)) uint64_t loop(const uint8_t *p, long n, double *d)
{
    uint64_t a = 1, b = 2, c = 3;
    double f = 0;
    for (long i = 0; i < n; i++) {
        a = a * 3 + p[i];
        b ^= a >> 7;
        c += b * 5;
        f = f * 0.5 + p[i];
    }
    *d = f;
    return a ^ b ^ c;
}

static void loops(void)
{
    uint8_t *p = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *keep = page;
    double want_d, d;
    for (int i = 0; i < 64 * 4096; i++) p[i] = i * 7 >> 3;
    uint64_t want = loop(p, 64 * 4096, &want_d);
    open_page = 1;
    for (int n = 0; n < 20; n++) {
        count = 0;
        for (int i = 1; i < 64; i++) mprotect(p + i * 4096, 4096, PROT_NONE);
        uint64_t r = 0;
        /* the handler opens the page after `page` */
        for (int i = 1; i < 64; i++) {
            page = p + (i - 1) * 4096;
            int c = count;
            (void)*(volatile uint8_t *)(p + i * 4096 + n);
            CHECK(count == c + 1);
        }
        mprotect(p + 4096 * (n + 1), 4096, PROT_NONE);
        page = p + 4096 * n;
        count = 0;
        r = loop(p, 64 * 4096, &d);
        CHECK(count == 1 && r == want && d == want_d, "%d faults, %llx not %llx", count, (long long)r, (long long)want);
        CHECK(at_addr == (uint64_t)p + 4096 * (n + 1));
    }
    page = keep;
    munmap(p, 64 * 4096);
}

int main(void)
{
    struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &sa, NULL);
    page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(!mprotect((void *)((uint64_t)do_access & ~4095ull), 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
    /* alone, and with memory that others see: pairs are one access then */
    for (int shared = 0; shared < 2; shared++) {
        for (unsigned i = 0; i < sizeof list / sizeof *list; i++) {
            memcpy(access_insn, &list[i].insn, 4);
            sync_code(access_insn, 4);
            for (int over = 0; over <= list[i].bytes; over++) one(&list[i], over);
        }
        loops();
        CHECK(mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    }
    return verdict();
}
