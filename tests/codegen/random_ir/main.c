/*
 * main.c: runs random IR programs on every executor and compares. A failing program is cut down to what still fails.
 *
 *   random_ir [-s SEED] [-n PROGRAMS] [-o OPS] [-H HOST] [-p PASSES] [-k] [-v] [-d FILE]
 *     -s first seed; -o most ops in a block; -H one host only; -p one set of OPT_* only (-1: without ir_opt, -3: not compiled but
 *     walked)
 *     -k do not reduce, do not stop; -v print every program; -d FILE host code of the last program compiled
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>
#include "random_ir.h"

#define REG(n, t, g, p, m) { #n, T_##t, g, p, offsetof(struct rcpu, m) }
const struct ir_reg rregs[] = {
    REG(x0, I64, 0, 0, x[0]),     REG(x1, I64, 0, 1, x[1]),     REG(x2, I64, 0, 2, x[2]),      REG(x3, I64, 0, 3, x[3]),
    REG(x4, I64, 0, 4, x[4]),     REG(x5, I64, 0, 5, x[5]),     REG(x6, I64, 0, 6, x[6]),      REG(x7, I64, 0, 7, x[7]),
    REG(x8, I64, 0, 8, x[8]),     REG(x9, I64, 0, 9, x[9]),     REG(x10, I64, 0, -1, x[10]),   REG(x11, I64, 0, -1, x[11]),
    REG(x12, I64, 0, -1, x[12]),  REG(x13, I64, 0, -1, x[13]),  REG(x14, I64, 0, -1, x[14]),   REG(x15, I64, 0, 10, x[15]),
    REG(w0, I32, 0, 11, w[0]),    REG(w1, I32, 0, 12, w[1]),    REG(w2, I32, 0, -1, w[2]),     REG(w3, I32, 0, -1, w[3]),
    REG(f0, I1, 1, -1, flag[0]),  REG(f1, I1, 1, -1, flag[1]),  REG(f2, I1, 1, -1, flag[2]),   REG(f3, I1, 1, -1, flag[3]),
    REG(b0, I8, 1, -1, i8[0]),    REG(b1, I8, 1, -1, i8[1]),    REG(h0, I16, 1, -1, i16[0]),   REG(h1, I16, 1, -1, i16[1]),
    REG(d0, F64, 2, -1, d[0]),    REG(d1, F64, 2, -1, d[1]),    REG(d2, F64, 2, -1, d[2]),     REG(d3, F64, 2, -1, d[3]),
    REG(d4, F64, 2, -1, d[4]),    REG(d5, F64, 2, -1, d[5]),    REG(s0, F32, 2, -1, s[0]),     REG(s1, F32, 2, -1, s[1]),
    REG(s2, F32, 2, -1, s[2]),    REG(s3, F32, 2, -1, s[3]),    REG(k0, F16, 2, -1, h[0]),     REG(k1, F16, 2, -1, h[1]),
    REG(v0, V128, 3, -1, v[0]),   REG(v1, V128, 3, -1, v[1]),   REG(v2, V128, 3, -1, v[2]),    REG(v3, V128, 3, -1, v[3]),
    REG(v4, V128, 3, -1, v[4]),   REG(v5, V128, 3, -1, v[5]),
};
const uint32_t rnregs = ARRAY_LEN(rregs);

enum { ARENA = 0x20000, BUF = 4 << 20, STATES = 3, RAW = -1, WALK = -3, MAX_INS = 4096 };

/* One back end, set up as the engine would. */
struct executor {
    const struct host *host;
    void *h;
    struct code_buf buf;       /* after the thunks */
    CPU *cpu;
    struct vcpu v;
};

static uint8_t *arena;         /* guest addresses 0 .. ARENA-1; only DATA is accessible */
static struct executor *running;
static const struct region *running_region;
static uint64_t running_seed;
static volatile uint64_t runs;
static unsigned ops_limit = 24;
static const char *dump;       /* file for the host code */

/* What the reducer does to instructions of the generated program. */
enum { EDIT_NONE, EDIT_NOP, EDIT_ZERO, EDIT_X, EDIT_Y };
static uint8_t edit[MAX_INS];

static void on_fault(int sig, siginfo_t *si, void *uc)
{
    struct executor *x = running;

    if (!x || !x->v.in_code)
        goto crash;
    x->v.exc = EXC_FAULT;
    x->v.exc_code = 0;
    x->v.fault_addr = (uintptr_t)si->si_addr - x->v.guest_base;
    if (x->v.guest_access) {
        x->v.guest_access = false;
        siglongjmp(x->v.recover, 1);
    }
    if (x->host->fault && x->host->fault(x->h, x->cpu, running_region, uc, EXC_FAULT))
        return;
crash:
    fprintf(stderr, "random_ir: signal %d at %p, seed %llu, host %s\n", sig, si->si_addr, (unsigned long long)running_seed,
            x ? x->host->name : "none");
    _exit(3);
}

/* Once a second: a program that goes on and on is asked to leave, then given up. */
static void on_tick(int sig)
{
    static uint64_t seen;
    static unsigned same;

    same = running && running->v.in_code && seen == runs ? same + 1 : 0;
    seen = runs;
    if (same >= 2)
        __atomic_store_n(&running->cpu->exit_request, 1, __ATOMIC_RELAXED);
    if (same < 5)
        return;
    fprintf(stderr, "random_ir: does not end: seed %llu, host %s\n", (unsigned long long)running_seed, running->host->name);
    _exit(3);
}

static void *map(size_t size, int prot, int fd)
{
    void *p = mmap(NULL, size, prot, fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

    if (p == MAP_FAILED) {
        perror("random_ir: mmap");
        exit(2);
    }
    return p;
}

static void executor_init(struct executor *x, const struct host *host)
{
    struct err e = { 0 };
    const int32_t jc = (int32_t)ALIGN_UP(sizeof(struct rcpu), (size_t)64);
    const size_t size = (size_t)jc + JC_SIZE * sizeof(struct jc_entry) + host->cpu_extra;

    x->host = host;
    x->cpu = aligned_alloc(64, ALIGN_UP(size, (size_t)64));
    memset(x->cpu, 0, size);
    int fd = memfd_create("random_ir", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, BUF)) {
        perror("random_ir: memfd");
        exit(2);
    }
    x->buf.rw = map(BUF, PROT_READ | PROT_WRITE, fd);
    x->buf.end = x->buf.rw + BUF;
    x->buf.delta = (uint8_t *)map(BUF, host->needs_exec ? PROT_READ | PROT_EXEC : PROT_READ, fd) - x->buf.rw;
    close(fd);
    x->v = (struct vcpu){ .cpu = x->cpu, .jc = (struct jc_entry *)((char *)x->cpu + jc), .guest_base = (uintptr_t)arena,
                             .guest_last = ~0ull };
    for (unsigned i = 0; i < JC_SIZE; i++)
        x->v.jc[i] = (struct jc_entry){ jc_empty(i), NULL };
    struct host_env env = { .regs = rregs, .nregs = rnregs, .jc_offset = jc, .guest_base = x->v.guest_base, .addr_bits = 64, .pins = ~0u };
    x->h = host->init(&env, &x->buf, &e);
    if (!x->h) {
        fprintf(stderr, "random_ir: host %s: %s\n", host->name, e.msg);
        exit(2);
    }
}

/* A random state to start from. */
static void start_state(struct rng *r, const struct ir *ir, struct outcome *o)
{
    *o = (struct outcome){ 0 };
    for (uint32_t i = 0; i < rnregs; i++) {
        uint8_t *home = (uint8_t *)&o->cpu + rregs[i].offset;
        uint64_t k = rnd_value(r, rregs[i].type == T_V128 ? T_I64 : rregs[i].type), k2 = rnd_value(r, chance(r, 50) ? T_F64 : T_I64);
        unsigned bits = ir_type_bits[rregs[i].type];
        memcpy(home, &k, MIN((bits + 7) / 8, 8u));
        if (bits == 128)
            memcpy(home + 8, &k2, 8);
    }
    o->cpu.x[R_LOOP] = below(r, 5);
    for (unsigned i = 0; i < DATA / 8; i++) {
        uint64_t k = i % 4 ? rnd(r) : rnd_value(r, T_F64);
        memcpy(&o->mem[8 * i], &k, 8);
    }
    o->cpu.c.pc = ir->blk[0].pc;
    o->cpu.c.fp.rm = RM_RNE + below(r, ir->fp.slow ? 5 : 4);
    o->cpu.c.fp.flags = below(r, 32);
    o->cpu.c.res_addr = ~0ull;
}

/* Runs compiled code, or walks IR if there is none, from the state in *o, which becomes the state after. */
static void execute(struct executor *x, const struct region *r, const struct ir *ir, struct outcome *o)
{
    static union vlanes val[MAX_INS * 4];
    CPU *cpu = x->cpu;

    memcpy(cpu, &o->cpu, sizeof o->cpu);
    cpu->v = &x->v;
    memcpy(arena + DATA_AT, o->mem, DATA);
    if (x->host->fp_sync)
        x->host->fp_sync(cpu);
    x->v.exc_code = 0, x->v.fault_addr = 0;
    running = x, running_region = r;
    runs++;
    if (sigsetjmp(x->v.recover, 0)) {
        o->exc = x->v.exc;
        if (x->v.in_code && x->host->unwound)
            x->host->unwound(cpu);
    } else {
        x->v.in_code = true;
        o->exc = r->code ? x->host->enter(x->h, cpu, r->code) : x->host->walk(cpu, ir, val);
    }
    x->v.in_code = x->v.guest_access = false;
    o->exc_code = x->v.exc_code;
    o->fault_addr = x->v.fault_addr;
    memcpy(&o->cpu, cpu, sizeof o->cpu);
    memcpy(o->mem, arena + DATA_AT, DATA);
}

/* Says in *why how two outcomes differ; false if they agree. */
static bool differ(const struct outcome *want, const struct outcome *got, char *why, size_t size)
{
    const struct rcpu *a = &want->cpu, *b = &got->cpu;

#define CHECK(what, x, y)                                                                                          \
    if ((x) != (y)) {                                                                                              \
        snprintf(why, size, what " %#llx, should be %#llx", (unsigned long long)(y), (unsigned long long)(x));     \
        return true;                                                                                               \
    }
    CHECK("exception", want->exc, got->exc)
    CHECK("pc", a->c.pc, b->c.pc)
    CHECK("mode", a->c.mode, b->c.mode)
    if (want->exc != EXC_FAULT && want->exc != EXC_ALIGN && want->exc != EXC_NONE)
        CHECK("exception code", want->exc_code, got->exc_code)
    if ((want->exc == EXC_FAULT && !want->any_addr) || want->exc == EXC_ALIGN)
        CHECK("fault address", want->fault_addr, got->fault_addr)
    for (uint32_t i = 0; i < rnregs; i++) {
        const uint8_t *p = (const uint8_t *)a + rregs[i].offset, *q = (const uint8_t *)b + rregs[i].offset;
        unsigned n = MAX(ir_type_bits[rregs[i].type] / 8u, 1u);
        union vlanes u = { 0 }, v = { 0 };
        if (!memcmp(p, q, n))
            continue;
        memcpy(&u, p, n), memcpy(&v, q, n);
        snprintf(why, size, "%s %#llx:%016llx, should be %#llx:%016llx", rregs[i].name, (unsigned long long)v.u64[1],
                 (unsigned long long)v.u64[0], (unsigned long long)u.u64[1], (unsigned long long)u.u64[0]);
        return true;
    }
    CHECK("fp flags", a->c.fp.flags, b->c.fp.flags)
    CHECK("fp rm", a->c.fp.rm, b->c.fp.rm)
    for (unsigned i = 0; i < DATA; i++)
        if (want->mem[i] != got->mem[i]) {
            snprintf(why, size, "memory %#x: %#x, should be %#x", DATA_AT + i, got->mem[i], want->mem[i]);
            return true;
        }
    return false;
}

/* The program of a seed, with the reducer's edits. */
static void build(uint64_t seed, struct ir *ir)
{
    struct rng r = { rnd(&(struct rng){ seed }) }; /* neighbours must not be shifts of each other */

    gen_program(&r, ir, ops_limit);
    for (uint32_t i = 0; i < ir->nins && i < MAX_INS; i++) {
        struct ir_ins *ins = &ir->ins[i];
        if (edit[i] == EDIT_NOP)
            *ins = (struct ir_ins){ .op = IR_NOP };
        else if (edit[i] == EDIT_ZERO)
            *ins = (struct ir_ins){ .op = IR_K, .type = ins->type };
        else if (edit[i] == EDIT_X || edit[i] == EDIT_Y)
            *ins = (struct ir_ins){ .op = IR_JMP, .x = edit[i] == EDIT_X ? ins->x : ins->y };
    }
}

static int compile(struct executor *x, struct ir *ir, struct region *r)
{
    struct code_buf buf = x->buf;
    int ret = x->host->compile(x->h, ir, &buf, r);

    r->code_base = x->buf.rw + x->buf.delta;
    r->code_size = (uint32_t)(buf.rw - x->buf.rw);
    FILE *f = dump ? fopen(dump, "wb") : NULL;
    if (f) {
        fwrite(x->buf.rw, 1, r->code_size, f);
        fclose(f);
    }
    return ret;
}

static void release(struct executor *x, struct region *r)
{
    if (r->host_data && x->host->release)
        x->host->release(x->h, r);
    free(r->exits);
    free(r->maps);
}

/* Runs a program from several states on one back end with one set of passes against the evaluator. True: all equal. */
static bool agree(struct executor *x, int passes, uint64_t seed, char *why, size_t size)
{
    static struct ir plain, ir;
    struct region r = { 0 };
    struct err e = { 0 };
    bool ok = true;

    running_seed = seed;
    build(seed, &plain);
    build(seed, &ir);
    if (ir_verify(&ir, &e)) {
        snprintf(why, size, "invalid: the generator made invalid IR: %s", e.msg);
        return false;
    }
    if (passes != RAW && passes != WALK)
        ir_opt(&ir, (unsigned)passes);
    if (ir_verify(&ir, &e)) {
        snprintf(why, size, "invalid: the optimiser made invalid IR: %s", e.msg);
        return false;
    }
    r.pc = ir.blk[0].pc;
    int ret = passes == WALK ? 0 : compile(x, &ir, &r);
    if (ret == -E2BIG) {
        release(x, &r);
        return true;
    }
    if (ret) {
        snprintf(why, size, "compile: %s", strerror(-ret));
        release(x, &r);
        return false;
    }
    for (unsigned n = 0; ok && n < STATES; n++) {
        static struct outcome want, got;
        struct rng s = { rnd(&(struct rng){ ~seed * STATES + n }) };
        start_state(&s, &plain, &want);
        got = want;
        want.cpu.c.v = &want.v;
        want.v.cpu = &want.cpu.c;
        ref_run(&plain, &want);
        if (want.endless)
            break;
        execute(x, &r, &ir, &got);
        ok = !differ(&want, &got, why, size);
    }
    release(x, &r);
    return ok;
}

static bool used(const struct ir *ir, V v)
{
    for (uint32_t i = v + 1; i < ir->nins; i++) {
        const struct ir_ins *ins = &ir->ins[i];
        if (ins->a == v || ins->b == v || ins->c == v)
            return true;
        for (unsigned k = 0; ins->op == IR_CALL && k < ir->calls[ins->x].h->nargs; k++)
            if (ir->calls[ins->x].arg[k] == v)
                return true;
    }
    return false;
}

/* Takes away what is not needed for the failure. */
static void reduce(struct executor *x, int passes, uint64_t seed, const char *first)
{
    static struct ir ir;
    char why[320];
    const size_t kind = strcspn(first, " "); /* what differs has to stay the same */

    for (bool changed = true; changed;) {
        changed = false;
        build(seed, &ir);
        for (uint32_t i = MIN(ir.nins, (uint32_t)MAX_INS); i-- > 1;) {
            const struct ir_ins *ins = &ir.ins[i];
            uint8_t old = edit[i], tries[2] = { 0 };
            if (ins->op == IR_NOP || ins->op == IR_INSN)
                continue;
            if (ins->op == IR_BRC)
                tries[0] = EDIT_X, tries[1] = EDIT_Y;
            else if (ir_opinfo[ins->op].flags & F_END)
                continue;
            else if (!used(&ir, i))
                tries[0] = EDIT_NOP;
            else if (ins->op != IR_K && ins->type != T_V128)
                tries[0] = EDIT_ZERO;
            for (unsigned t = 0; t < 2 && tries[t]; t++) {
                edit[i] = tries[t];
                if (!agree(x, passes, seed, why, sizeof why) && !strncmp(why, first, kind + 1)) {
                    changed = true;
                    build(seed, &ir);
                    break;
                }
                edit[i] = old;
            }
        }
    }
}

static void print_line(void *ctx, const char *line)
{
    fprintf(ctx, "  %s\n", line);
}

static void print_program(uint64_t seed, int passes)
{
    static struct ir ir;

    build(seed, &ir);
    fprintf(stderr, "program (nan %u tiny_before %u ftz %u ftz16 %u slow %u):\n", ir.fp.nan, ir.fp.tiny_before, ir.fp.ftz, ir.fp.ftz16, ir.fp.slow);
    ir_print(&ir, print_line, stderr);
    if (passes == RAW || passes == WALK)
        return;
    ir_opt(&ir, (unsigned)passes);
    fprintf(stderr, "optimised (passes %d):\n", passes);
    ir_print(&ir, print_line, stderr);
}

static bool check(struct executor *x, int passes, uint64_t seed, const char *self, bool keep)
{
    char why[320];

    if (agree(x, passes, seed, why, sizeof why))
        return true;
    fprintf(stderr, "random_ir: seed %llu, host %s, passes %d: %s\n", (unsigned long long)seed, x->host->name, passes, why);
    if (!keep) {
        reduce(x, passes, seed, why);
        agree(x, passes, seed, why, sizeof why);
        fprintf(stderr, "reduced: %s\n", why);
        print_program(seed, passes);
        memset(edit, 0, sizeof edit);
    }
    fprintf(stderr, "again: %s -s %llu -n 1 -o %u -H %s -p %d\n", self, (unsigned long long)seed, ops_limit, x->host->name, passes);
    return false;
}

int main(int argc, char **argv)
{
    static const int all_passes[] = { WALK, RAW, 0, OPT_FOLD, OPT_DEMAND, OPT_ALL };
    uint64_t seed = 1, count = 1000;
    const char *only = NULL;
    int passes = -2, failed = 0;
    bool keep = false, verbose = false;
    int max_failures = 5;

    for (int c; (c = getopt(argc, argv, "s:n:o:H:p:kvd:")) != -1;) {
        switch (c) {
        case 's': seed = strtoull(optarg, NULL, 0); break;
        case 'n': count = strtoull(optarg, NULL, 0); break;
        case 'o': ops_limit = (unsigned)strtoul(optarg, NULL, 0); break;
        case 'H': only = optarg; break;
        case 'p': passes = atoi(optarg); break;
        case 'k': keep = true; max_failures = 1000; break;
        case 'v': verbose = true; break;
        case 'd': dump = optarg; break;
        default: fprintf(stderr, "usage: random_ir [-s SEED] [-n PROGRAMS] [-o OPS] [-H HOST] [-p PASSES] [-k] [-v]\n"); return 2;
        }
    }
    arena = map(ARENA, PROT_NONE, -1);
    mprotect(arena + DATA_AT, DATA, PROT_READ | PROT_WRITE);
    struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER };
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
    signal(SIGALRM, on_tick);
    setitimer(ITIMER_REAL, &(struct itimerval){ { 1, 0 }, { 1, 0 } }, NULL);

    static struct executor ex[8];
    unsigned nex = 0;
    for (const struct host *const *h = host_registry; *h && nex < ARRAY_LEN(ex); h++)
        if (!only || !strcmp((*h)->name, only))
            executor_init(&ex[nex++], *h);
    for (uint64_t n = 0; n < count && failed < max_failures; n++) {
        if (verbose)
            print_program(seed + n, passes == -2 ? OPT_ALL : passes);
        for (unsigned k = 0; k < nex; k++)
            for (unsigned p = 0; p < ARRAY_LEN(all_passes); p++)
                if ((passes == -2 || passes == all_passes[p]) && (all_passes[p] != RAW || !ex[k].host->needs_exec) &&
                    (all_passes[p] != WALK || ex[k].host->walk))
                    failed += !check(&ex[k], all_passes[p], seed + n, argv[0], keep);
    }
    printf("random_ir: %llu programs, %u back ends, %d failures\n", (unsigned long long)count, nex, failed);
    return failed != 0 || nex == 0;
}
