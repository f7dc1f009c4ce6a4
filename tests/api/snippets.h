/* snippets.h: the same few instructions for each guest, for tests that run them through lyre.h. */
#ifndef TESTS_API_SNIPPETS_H
#define TESTS_API_SNIPPETS_H

#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "lyre.h"

/* a, b, c: registers that the instructions use; all instructions are four bytes. */
struct isa {
    const char *name, *a, *b, *c, *vector;
    uint32_t add;       /* a += b */
    uint32_t inc;       /* a += 1 */
    uint32_t load;      /* b = word at a + 8 */
    uint32_t store;     /* word at a + 8 = b */
    uint32_t store4;    /* 4 bytes at a = b */
    uint32_t sync[2];   /* what was stored is executed */
    uint32_t inc_c;     /* c += 1 */
    uint32_t add_c;     /* c += b */
    uint32_t back4;     /* to the instruction before */
    uint32_t self;      /* to itself */
    uint32_t syscall, brk, illegal;
    unsigned word;
};
static const struct isa isas[] = {
    { "riscv64", "a0", "a1", "a2", "v1", 0x00b50533, 0x00150513, 0x00853583, 0x00b53423, 0x00b52023, { 0x0000100f, 0x00000013 },
      0x00160613, 0x00b60633, 0xffdff06f, 0x0000006f, 0x00000073, 0x00100073, 0, 8 },
    { "riscv32", "a0", "a1", "a2", "v1", 0x00b50533, 0x00150513, 0x00852583, 0x00b52423, 0x00b52023, { 0x0000100f, 0x00000013 },
      0x00160613, 0x00b60633, 0xffdff06f, 0x0000006f, 0x00000073, 0x00100073, 0, 4 },
    { "aarch64", "x0", "x1", "x2", "v1", 0x8b010000, 0x91000400, 0xf9400401, 0xf9000401, 0xb9000001, { 0xd50b7520, 0xd5033fdf },
      0x91000442, 0x8b010042, 0x17ffffff, 0x14000000, 0xd4000001, 0xd4200000, 0, 8 },
};
enum { ISAS = sizeof isas / sizeof *isas, CODE = 0x10000, DATA = 0x40000, PAGE = 0x1000 };

static const char *const accels[] = { "jit", "interp" };

/* A machine with one CPU, a page of code at CODE and one of data at DATA. */
struct box {
    const struct isa *isa;
    lyre_machine *m;
    lyre_cpu *cpu;
};

static inline uint64_t get(lyre_cpu *cpu, const char *reg)
{
    uint64_t v = 0;
    assert_int_equal(lyre_get(cpu, reg, &v), 0);
    return v;
}

static inline void set(lyre_cpu *cpu, const char *reg, uint64_t v)
{
    assert_int_equal(lyre_set(cpu, reg, v), 0);
}

/* cmocka has handlers of its own, installed before each test: a program that does so asks the library first. */
static inline void on_fault(int sig, siginfo_t *si, void *context)
{
    if (!lyre_handle_fault(sig, si, context)) signal(sig, SIG_DFL);
}

static inline void catch_faults(void)
{
    struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
}

static inline struct box box_open(const struct isa *isa, const char *accel)
{
    lyre_machine_options o = LYRE_INIT(lyre_machine_options);
    lyre_error e = { 0 };
    struct box b = { .isa = isa };
    o.accel = accel;
    b.m = lyre_open(isa->name, &o, &e);
    if (!b.m) fail_msg("%s", e.message);
    catch_faults();
    b.cpu = lyre_cpu_new(b.m, NULL, &e);
    if (!b.cpu) fail_msg("%s", e.message);
    assert_int_equal(lyre_map(b.m, CODE, PAGE, LYRE_READ | LYRE_WRITE | LYRE_EXEC, -1, 0), 0);
    assert_int_equal(lyre_map(b.m, DATA, PAGE, LYRE_READ | LYRE_WRITE, -1, 0), 0);
    return b;
}

/* Puts n instructions at addr and the CPU there. */
static inline void box_code(struct box *b, uint64_t addr, const uint32_t *code, size_t n)
{
    assert_int_equal(lyre_write(b->m, addr, code, n * 4, NULL), 0);
    lyre_set_pc(b->cpu, addr);
}
#define BOX_CODE(b, addr, ...) \
    box_code(b, addr, (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

static inline lyre_exit box_run(struct box *b, uint64_t until, uint64_t limit)
{
    lyre_exit x = LYRE_INIT(lyre_exit);
    assert_int_equal(lyre_run(b->cpu, until, limit, &x), 0);
    assert_int_equal(x.pc, lyre_pc(b->cpu));
    return x;
}

/* Runs a test body for each guest and way of execution: BODY sees `b`. */
#define FOR_EACH_BOX(b)                                                         \
    for (unsigned i_ = 0; i_ < ISAS; i_++)                                      \
        for (unsigned k_ = 0; k_ < 2; k_++)                                     \
            for (struct box b = box_open(&isas[i_], accels[k_]); b.m; lyre_close(b.m), b.m = NULL)

#endif
