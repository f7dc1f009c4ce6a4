/*
 * x86_64_test.c: the back end against the interpreter: random regions over a small made-up CPU, with loops,
 * memory (also beyond its end: faults), atomics, traps, helper calls; state, memory, exception and pc must
 * agree.
 *
 * `x86_64_test SEED` runs one seed and prints its IR.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <cmocka.h>
#include "host/x86_64/gen.h"
#include "ir/build.h"

extern const struct host x86_64_host, interp_host;

enum {
    NX = 14,
    NW = 4,
    NB = 3,
    NF = 6,
    NV = 4,
    X0 = 0,
    W0 = NX,
    B0 = W0 + NW,
    F0 = B0 + NB,
    V0 = F0 + NF,
    NREG = V0 + NV,
    COUNT = NX - 1 /* x13 counts loop iterations down */,
    MEM = 8192
};

struct tcpu {
    CPU cpu;
    uint64_t x[NX];
    uint32_t w[NW];
    uint8_t b[8];
    uint64_t f[NF];
    v128 v[NV];
};

static struct ir_reg regs[NREG];
static char names[NREG][8];

static void make_regs(void)
{
    for (unsigned i = 0; i < NREG; i++) {
        struct ir_reg *r = &regs[i];
        r->name = names[i];
        r->pin = -1;
        if (i < W0) {
            snprintf(names[i], 8, "x%u", i);
            r->type = T_I64, r->offset = (int32_t)(offsetof(struct tcpu, x) + 8 * i),
            r->pin = i < 8 ? (int8_t)i : -1;
        } else if (i < B0) {
            snprintf(names[i], 8, "w%u", i - W0);
            r->type = T_I32, r->offset = (int32_t)(offsetof(struct tcpu, w) + 4 * (i - W0)), r->group = 1;
            r->pin = i == W0 ? 3 : -1;
        } else if (i < F0) {
            snprintf(names[i], 8, "b%u", i - B0);
            r->type = T_I1, r->offset = (int32_t)(offsetof(struct tcpu, b) + (i - B0)), r->group = 1;
        } else if (i < V0) {
            snprintf(names[i], 8, "f%u", i - F0);
            r->type = T_F64, r->offset = (int32_t)(offsetof(struct tcpu, f) + 8 * (i - F0)), r->group = 2;
        } else {
            snprintf(names[i], 8, "v%u", i - V0);
            r->type = T_V128, r->offset = (int32_t)(offsetof(struct tcpu, v) + 16 * (i - V0)), r->group = 3;
        }
    }
}

/* --- random regions
 * ----------------------------------------------------------------------------------------------------------
 */
static uint64_t rng;
static uint64_t rnd(void)
{
    rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
    return rng * 0x2545f4914f6cdd1dull;
}
static unsigned below(unsigned n)
{
    return (unsigned)((rnd() >> 33) % n);
}
static bool chance(unsigned percent)
{
    return below(100) < percent;
}
static uint64_t interesting(void)
{
    static const uint64_t k[] = {0,
                                 1,
                                 2,
                                 ~0ull,
                                 0x7f,
                                 0x80,
                                 0xff,
                                 0x7fff,
                                 0x8000,
                                 0xffff,
                                 0x7fffffff,
                                 0x80000000,
                                 0xffffffff,
                                 1ull << 63,
                                 (1ull << 63) - 1,
                                 0xffffffff00000000,
                                 0x1ffffffff};
    return chance(50) ? k[below(ARRAY_LEN(k))] : chance(50) ? below(64) : rnd();
}

static uint64_t h_mix(CPU *cpu, uint64_t a, uint32_t b, uint8_t c)
{
    return (a ^ b) * 31 + c;
}
static void t_mix(void *cpu, union vlanes *r, const union vlanes *a)
{
    r->u64[0] = h_mix(cpu, a[0].u64[0], a[1].u32[0], a[2].u8[0]);
}
static void h_swap(CPU *cpu, uint64_t a) /* reads and writes the x registers */
{
    struct tcpu *t = (struct tcpu *)cpu;
    uint64_t k = t->x[2];
    t->x[2] = t->x[9] + a;
    t->x[9] = k;
    t->x[10] ^= a;
}
static void t_swap(void *cpu, union vlanes *r, const union vlanes *a)
{
    h_swap(cpu, a[0].u64[0]);
}
static uint32_t h_fault(CPU *cpu, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    struct tcpu *t = (struct tcpu *)cpu;
    uint64_t s = a + 3 * b + 5 * c + 7 * d + 11 * e + 13 * f;
    for (unsigned i = 0; i < NX; i++)
        s += t->x[i];
    if ((s & 7) == 0) cpu_raise(cpu, EXC_GUEST, 77, s);
    return (uint32_t)s;
}
static void t_fault(void *cpu, union vlanes *r, const union vlanes *a)
{
    r->u64[0] = h_fault(cpu, a[0].u64[0], a[1].u64[0], a[2].u64[0], a[3].u64[0], a[4].u64[0], a[5].u64[0]);
}
static v128 h_vec(CPU *cpu, v128 a, uint64_t k, v128 b)
{
    return a + b * (v128){k, 3};
}
static void t_vec(void *cpu, union vlanes *r, const union vlanes *a)
{
    r->v = h_vec(cpu, a[0].v, a[1].u64[0], a[2].v);
}
static uint64_t h_fbits(CPU *cpu, uint64_t a, uint64_t b)
{
    return a ^ (b >> 1);
}
static void t_fbits(void *cpu, union vlanes *r, const union vlanes *a)
{
    r->u64[0] = h_fbits(cpu, a[0].u64[0], a[1].u64[0]);
}

static const struct ir_helper helpers[] = {
    {"mix", (void *)h_mix, t_mix, T_I64, 3, {T_I64, T_I32, T_I8}, 0, 0, HF_PURE},
    {"swap", (void *)h_swap, t_swap, T_VOID, 1, {T_I64}, 1, 1, 0},
    {"fault", (void *)h_fault, t_fault, T_I32, 6, {T_I64, T_I64, T_I64, T_I64, T_I64, T_I64}, 1, 0, HF_FAULT},
    {"vec", (void *)h_vec, t_vec, T_V128, 3, {T_V128, T_I64, T_V128}, 0, 0, HF_PURE},
    {"fbits", (void *)h_fbits, t_fbits, T_F64, 2, {T_F64, T_F64}, 0, 0, HF_PURE},
};

static struct ir ir;
static uint64_t mem_base;
static bool integer_only; /* no FP arithmetic, no vectors but moves */
static V avail[4096];
static unsigned navail;

static V add(struct ir_ins in)
{
    V v = ir_emit(&ir, in);
    if (in.type) avail[navail++] = v;
    return v;
}
static V konst(enum ir_type t, uint64_t k)
{
    return add(
        (struct ir_ins){.op = IR_K, .type = (uint8_t)t, .imm = k & bits_mask(MIN(ir_type_bits[t], 64))});
}
static V get(unsigned r)
{
    return add((struct ir_ins){.op = IR_GET, .type = regs[r].type, .x = r});
}

static V any(enum ir_type t)
{
    if (navail && chance(70))
        for (unsigned tries = 0; tries < 12; tries++) {
            unsigned recent = chance(70) ? 8 : navail, back = below(MIN(navail, recent));
            V v = avail[navail - 1 - back];
            if (ir.ins[v].type == t) return v;
        }
    switch (t) {
    case T_I64: return chance(75) ? get(below(NX)) : konst(t, interesting());
    case T_I32:
        return chance(50)   ? get(W0 + below(NW))
               : chance(50) ? konst(t, interesting())
                            : add((struct ir_ins){.op = IR_TRUNC, .type = T_I32, .a = any(T_I64)});
    case T_I1:
        return chance(40) ? get(B0 + below(NB))
                          : add((struct ir_ins){.op = IR_CMP,
                                                .type = T_I1,
                                                .sub = (uint8_t)below(10),
                                                .a = any(T_I64),
                                                .b = any(T_I64)});
    case T_I8:
    case T_I16: return add((struct ir_ins){.op = IR_TRUNC, .type = (uint8_t)t, .a = any(T_I64)});
    case T_F64: return get(F0 + below(NF));
    default: return get(V0 + below(NV));
    }
}

static enum ir_type int_type(void)
{
    static const uint8_t t[] = {T_I64, T_I64, T_I64, T_I64, T_I32, T_I32, T_I32, T_I16, T_I8};
    return (enum ir_type)t[below(sizeof(t))];
}

static void random_int(void)
{
    static const uint8_t bin[] = {IR_ADD, IR_ADD, IR_SUB, IR_MUL, IR_AND, IR_OR,
                                  IR_XOR, IR_SHL, IR_SHR, IR_SAR, IR_ROTR};
    static const uint8_t wide[] = {IR_MULHS, IR_MULHU, IR_MULHSU, IR_DIVS,
                                   IR_DIVU,  IR_REMS,  IR_REMU,   IR_CLMUL};
    static const uint8_t un[] = {IR_NEG, IR_NOT, IR_CLZ, IR_CTZ, IR_POPCNT, IR_BITREV, IR_BSWAP};
    enum ir_type t = int_type();
    unsigned w = ir_type_bits[t];
    switch (below(11)) {
    case 0:
    case 1:
    case 2:
    case 3: {
        unsigned op = bin[below(sizeof(bin))];
        V a = any(t), b = chance(35) ? konst(t, interesting()) : any(t);
        add((struct ir_ins){.op = (uint8_t)op, .type = (uint8_t)t, .a = a, .b = b});
        break;
    }
    case 4: {
        if (w < 32) t = T_I32;
        V a = any(t), b = any(t);
        unsigned op = wide[below(sizeof(wide))];
        add((struct ir_ins){.op = (uint8_t)op, .type = (uint8_t)t, .a = a, .b = b});
        break;
    }
    case 5: {
        unsigned op = un[below(sizeof(un))];
        if (op == IR_BSWAP && w == 8) break;
        add((struct ir_ins){.op = (uint8_t)op, .type = (uint8_t)t, .a = any(t)});
        break;
    }
    case 6: {
        static const uint8_t from[] = {T_I1, T_I8, T_I16, T_I32};
        enum ir_type s = (enum ir_type)from[below(4)];
        t = ir_type_bits[s] < 32 && chance(40) ? T_I32 : T_I64;
        V a = any(s);
        if (s == t) break;
        add((struct ir_ins){.op = chance(50) ? IR_SEXT : IR_ZEXT, .type = (uint8_t)t, .a = a});
        break;
    }
    case 7: {
        unsigned y = 1 + below(w), x = below(w - y + 1),
                 op = chance(40)   ? IR_UBFX
                      : chance(50) ? IR_SBFX
                                   : IR_BFI;
        V a = any(t), b = op == IR_BFI ? any(t) : 0;
        add((struct ir_ins){.op = (uint8_t)op, .type = (uint8_t)t, .a = a, .b = b, .x = x, .y = y});
        break;
    }
    case 8: {
        V a = any(t), b = chance(50) ? konst(t, interesting()) : any(t);
        add((struct ir_ins){.op = chance(80)   ? IR_CMP
                                  : chance(50) ? IR_SADDOV
                                               : IR_SSUBOV,
                            .type = T_I1,
                            .sub = (uint8_t)below(10),
                            .a = a,
                            .b = b});
        ir.ins[ir.nins - 1].sub = ir.ins[ir.nins - 1].op == IR_CMP ? ir.ins[ir.nins - 1].sub : 0;
        break;
    }
    case 9: {
        if (chance(20)) t = integer_only || chance(50) ? T_F64 : T_V128;
        V c = any(T_I1), a = any(t), b = any(t);
        add((struct ir_ins){.op = IR_SELECT, .type = (uint8_t)t, .a = c, .b = a, .c = b});
        break;
    }
    default: {
        if (w < 32) t = T_I32, w = 32;
        V a = any(t), b = chance(30) ? a : any(t);
        add((struct ir_ins){.op = IR_EXTR, .type = (uint8_t)t, .a = a, .b = b, .x = below(w)});
    }
    }
}

static void random_fp(void)
{
    static const uint8_t fop[] = {IR_FADD, IR_FSUB, IR_FMUL, IR_FDIV};
    static const uint8_t vop[] = {IR_VADD, IR_VSUB, IR_VAND, IR_VXOR, IR_VOR};
    if (chance(60)) {
        V a = any(T_F64), b = any(T_F64);
        add((struct ir_ins){.op = fop[below(4)], .type = T_F64, .sub = RM_DYN, .a = a, .b = b});
    } else {
        V a = any(T_V128), b = any(T_V128);
        add((struct ir_ins){.op = vop[below(5)], .type = T_V128, .sub = (uint8_t)below(4), .a = a, .b = b});
    }
}

/* An address in the buffer, aligned to bytes; sometimes past its end. */
static V address(unsigned bytes)
{
    V off = add(
        (struct ir_ins){.op = IR_AND,
                        .type = T_I64,
                        .a = any(T_I64),
                        .b = konst(T_I64, (chance(8) ? 2 * MEM - 1 : MEM / 2 - 1) & ~(uint64_t)(bytes - 1))});
    if (chance(30))
        off = add((struct ir_ins){.op = IR_SHL, .type = T_I64, .a = off, .b = konst(T_I64, below(2))});
    return add((struct ir_ins){
        .op = IR_ADD, .type = T_I64, .a = off, .b = chance(50) ? konst(T_I64, mem_base) : get(12)});
}

static void random_mem(void)
{
    unsigned sz = below(4), mo = sz;
    static const uint8_t of_size[] = {T_I8, T_I16, T_I32, T_I64};
    int64_t disp = chance(50) ? 0 : (int64_t)(below(16) * 16);
    if (chance(10)) mo |= MO_BE;
    switch (below(8)) {
    case 0:
    case 1:
    case 2: {
        enum ir_type t = chance(50) ? T_I64 : (enum ir_type)of_size[sz];
        if (chance(50) && t > of_size[sz]) mo |= MO_SIGN;
        if (chance(15))
            t = T_F64, mo = MO_64;
        else if (chance(15))
            t = T_V128, mo = MO_128 | (mo & MO_BE);
        if (chance(10)) mo |= MO_ALIGN;
        V a = address(MO_BYTES(mo));
        if (mo & MO_ALIGN && chance(20)) disp += 1;
        add((struct ir_ins){
            .op = IR_LD, .type = (uint8_t)t, .mo = (uint8_t)mo, .a = a, .imm = (uint64_t)disp});
        break;
    }
    case 3:
    case 4:
    case 5: {
        enum ir_type t = chance(50) ? T_I64 : (enum ir_type)of_size[sz];
        if (chance(15))
            t = T_F64, mo = MO_64;
        else if (chance(15))
            t = T_V128, mo = MO_128 | (mo & MO_BE);
        if (chance(20)) mo |= MO_REL;
        V a = address(1), b = chance(20) && t <= T_I64 ? konst(t, interesting()) : any(t);
        add((struct ir_ins){.op = IR_ST, .mo = (uint8_t)mo, .a = a, .b = b, .imm = (uint64_t)disp});
        break;
    }
    case 6: {
        enum ir_type t = (enum ir_type)of_size[sz];
        if (chance(20)) t = T_V128, mo = MO_128;
        V a = address(MO_BYTES(mo)), b = any(t), c = any(t);
        add((struct ir_ins){.op = IR_CAS,
                            .type = (uint8_t)t,
                            .mo = (uint8_t)mo,
                            .a = a,
                            .b = b,
                            .c = c,
                            .imm = (uint64_t)disp});
        break;
    }
    default: {
        V a = address(MO_BYTES(mo)), b = any((enum ir_type)of_size[sz]);
        add((struct ir_ins){.op = IR_RMW,
                            .type = of_size[sz],
                            .mo = (uint8_t)mo,
                            .sub = (uint8_t)below(10),
                            .a = a,
                            .b = b,
                            .imm = (uint64_t)disp});
    }
    }
}

static void random_call(void)
{
    struct ir_call c = {.h = &helpers[below(ARRAY_LEN(helpers))]};
    for (unsigned i = 0; i < c.h->nargs; i++)
        c.arg[i] = any((enum ir_type)c.h->args[i]);
    if (ir.ncalls == ir.cap_calls) ir.calls = vec_grow(ir.calls, &ir.cap_calls, ir.ncalls + 1, sizeof(c));
    ir.calls[ir.ncalls++] = c;
    add((struct ir_ins){.op = IR_CALL, .type = c.h->ret, .x = ir.ncalls - 1});
}

static void random_put(void)
{
    unsigned r = below(NREG);
    if (r == COUNT || r == 12) return; /* x12: the buffer's address */
    V v = any((enum ir_type)regs[r].type);
    ir_emit(&ir, (struct ir_ins){.op = IR_PUT, .x = r, .a = v});
}

static void random_region(void)
{
    unsigned nblk = 1 + below(6);
    ir_reset(&ir, regs, NREG);
    ir.fp = (struct ir_fp){.nan = NAN_CANON};
    for (unsigned b = 0; b < nblk; b++)
        ir_newblock(&ir, 0x1000 + 64 * b);
    ir.blk[0].entry = 1;
    uint64_t pc = 0x1000;
    for (unsigned b = 0; b < nblk; b++) {
        navail = 0;
        ir.blk[b].first = ir.nins;
        ir.blk[b].pc = pc;
        unsigned n = 1 + below(chance(20) ? 60 : 12);
        for (unsigned i = 0; i < n; i++) {
            if (i == 0 || chance(40)) {
                ir_emit(&ir, (struct ir_ins){.op = IR_INSN, .imm = pc, .x = 4});
                pc += 4;
            }
            unsigned k = below(100);
            if (k < 50)
                random_int();
            else if (k < 60)
                random_mem();
            else if (k < 63)
                random_call();
            else if (k < 66)
                add((struct ir_ins){.op = IR_TRAPIF, .sub = EXC_ILLEGAL, .imm = 5, .a = any(T_I1)});
            else if (k < 72 && !integer_only)
                random_fp();
            else
                random_put();
        }
        ir_emit(&ir, (struct ir_ins){.op = IR_INSN, .imm = pc, .x = 4});
        pc += 4;
        if (chance(40)) { /* back edge, counted */
            unsigned to = below(b + 1);
            V c = ir_emit(
                &ir, (struct ir_ins){.op = IR_SUB, .type = T_I64, .a = get(COUNT), .b = konst(T_I64, 1)});
            ir_emit(&ir, (struct ir_ins){.op = IR_PUT, .x = COUNT, .a = c});
            V z = ir_emit(
                &ir, (struct ir_ins){.op = IR_CMP, .type = T_I1, .sub = C_SGT, .a = c, .b = konst(T_I64, 0)});
            unsigned exit = b + 1 < nblk ? b + 1 : b;
            if (exit == b) to = b, exit = b; /* the last block ends below */
            if (b + 1 < nblk) {
                ir.blk[to].loop_head = 1;
                ir_emit(&ir, (struct ir_ins){.op = IR_BRC, .a = z, .x = to, .y = exit});
                ir.blk[b].end = ir.nins;
                continue;
            }
        }
        if (b + 1 < nblk && chance(85)) {
            unsigned x = b + 1 + below(nblk - b - 1), y = b + 1 + below(nblk - b - 1);
            if (chance(70))
                ir_emit(&ir, (struct ir_ins){.op = IR_BRC, .a = any(T_I1), .x = x, .y = y});
            else
                ir_emit(&ir, (struct ir_ins){.op = IR_JMP, .x = x});
        } else if (chance(40)) {
            ir_emit(&ir, (struct ir_ins){.op = IR_EXITI, .sub = JK_RET, .a = any(T_I64)});
        } else if (chance(20)) {
            ir_emit(&ir, (struct ir_ins){.op = IR_EXC, .sub = EXC_SYSCALL, .x = 9, .imm = pc});
        } else {
            ir_emit(&ir, (struct ir_ins){.op = IR_EXIT, .sub = JK_JUMP, .imm = 0x123456789000 + pc});
        }
        ir.blk[b].end = ir.nins;
    }
}

/* --- running
 * --------------------------------------------------------------------------------------------------------------------
 */
struct machine {
    const struct host *host;
    void *h;
    struct tcpu *cpu;
    struct vcpu v;
    struct code_buf buf, start;
    struct region r;
};
static struct machine *running;
static uint8_t *mem;

static void on_fault(int sig, siginfo_t *si, void *uc)
{
    struct machine *m = running;
    if (m && m->host->fault(m->h, &m->cpu->cpu, &m->r, uc, EXC_FAULT)) return;
    if (m && m->v.guest_access) {
        m->v.exc = EXC_FAULT;
        siglongjmp(m->v.recover, 1);
    }
    signal(sig, SIG_DFL);
}

static void machine_new(struct machine *m, const struct host *host, unsigned pins)
{
    size_t size = sizeof(struct tcpu) + 64 + JC_SIZE * sizeof(struct jc_entry) + host->cpu_extra;
    struct host_env env = {.regs = regs,
                           .nregs = NREG,
                           .jc_offset = (int32_t)ALIGN_UP(sizeof(struct tcpu), 64),
                           .addr_bits = 64,
                           .pins = pins};
    struct err e;
    memset(m, 0, sizeof(*m));
    m->host = host;
    m->cpu = aligned_alloc(64, ALIGN_UP(size, (size_t)64));
    memset(m->cpu, 0, size);
    int fd = memfd_create("code", 0);
    size_t bytes = 1 << 20;
    assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
    m->buf.rw = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    uint8_t *rx = mmap(NULL, bytes, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    close(fd);
    m->buf.end = m->buf.rw + bytes;
    m->buf.delta = rx - m->buf.rw;
    m->h = host->init(&env, &m->buf, &e);
    assert_non_null(m->h);
    m->start = m->buf;
    m->v.cpu = &m->cpu->cpu;
    m->v.guest_last = ~0ull;
    m->v.jc = (struct jc_entry *)((char *)m->cpu + env.jc_offset);
    for (unsigned i = 0; i < JC_SIZE; i++)
        m->v.jc[i].tag = jc_empty(i);
}

static enum cpu_exc run(struct machine *m, const struct tcpu *init)
{
    *m->cpu = *init;
    m->cpu->cpu.v = &m->v;
    m->v.exc_code = 0, m->v.chain_from = NULL, m->v.guest_access = false;
    running = m;
    if (sigsetjmp(m->v.recover, 1)) {
        if (m->host->unwound) m->host->unwound(&m->cpu->cpu);
        m->v.guest_access = false;
    } else {
        m->v.exc = m->host->enter(m->h, &m->cpu->cpu, m->r.code);
    }
    running = NULL;
    return m->v.exc;
}

static bool compile(struct machine *m, unsigned passes)
{
    m->buf = m->start;
    if (m->r.maps) free(m->r.maps);
    if (m->r.exits) free(m->r.exits);
    if (m->host->release && m->r.host_data) m->host->release(m->h, &m->r);
    memset(&m->r, 0, sizeof(m->r));
    m->r.pc = 0x1000;
    ir_opt(&ir, passes);
    int e = m->host->compile(m->h, &ir, &m->buf, &m->r);
    if (e) print_error("compile %s: %d\n", m->host->name, e);
    return !e;
}

static void print_line(void *ctx, const char *line)
{
    printf("%s\n", line);
}

static void dump_region(const struct machine *m)
{
    FILE *f = fopen("/tmp/x86_64_test.bin", "wb");
    if (!f) return;
    fwrite(m->r.code, 1, m->r.code_size, f);
    fclose(f);
}

static struct machine a, b[3];
static uint8_t mem_init[MEM], mem_a[MEM];

static void random_state(struct tcpu *c)
{
    memset(c, 0, sizeof(*c));
    for (unsigned i = 0; i < NX; i++)
        c->x[i] = interesting();
    c->x[12] = mem_base;
    c->x[COUNT] = 1 + below(4);
    for (unsigned i = 0; i < NW; i++)
        c->w[i] = (uint32_t)interesting();
    for (unsigned i = 0; i < NB; i++)
        c->b[i] = (uint8_t)below(2);
    for (unsigned i = 0; i < NF; i++) {
        double d = (double)(int64_t)interesting() / 3;
        memcpy(&c->f[i], &d, 8);
        if (chance(10)) c->f[i] = interesting();
    }
    for (unsigned i = 0; i < NV; i++)
        c->v[i] = (v128){interesting(), rnd()};
    c->cpu.fp.rm = RM_RNE;
    for (unsigned i = 0; i < MEM; i++)
        mem_init[i] = (uint8_t)rnd();
}

static bool same(const struct machine *p, const struct machine *q, bool verbose)
{
    const struct tcpu *s = p->cpu, *t = q->cpu;
    bool ok = p->v.exc == q->v.exc && s->cpu.pc == t->cpu.pc && p->v.exc_code == q->v.exc_code &&
              s->cpu.fp.flags == t->cpu.fp.flags &&
              !memcmp(s->x, t->x, sizeof(*s) - offsetof(struct tcpu, x)) && !memcmp(mem, mem_a, MEM);
    if (ok || !verbose) return ok;
    printf("exc %d %d  pc %#lx %#lx  code %u %u flags %x %x\n", p->v.exc, q->v.exc, (long)s->cpu.pc,
           (long)t->cpu.pc, p->v.exc_code, q->v.exc_code, s->cpu.fp.flags, t->cpu.fp.flags);
    for (unsigned i = 0; i < NREG; i++) {
        const char *x = (const char *)s + regs[i].offset, *y = (const char *)t + regs[i].offset;
        unsigned n = MAX(ir_type_bits[regs[i].type] / 8, 1);
        uint64_t u[2] = {0}, w[2] = {0};
        memcpy(u, x, n), memcpy(w, y, n);
        if (memcmp(x, y, n))
            printf("%s: %lx:%lx want, %lx:%lx got\n", names[i], (long)u[1], (long)u[0], (long)w[1],
                   (long)w[0]);
    }
    if (memcmp(mem, mem_a, MEM)) printf("memory differs\n");
    return false;
}

static bool one_seed(uint64_t seed, bool verbose)
{
    static struct tcpu init;
    rng = seed * 0x9e3779b97f4a7c15ull + 1;
    for (unsigned i = 0; i < 4; i++)
        rnd();
    random_region();
    struct err e;
    if (ir_verify(&ir, &e)) {
        print_error("seed %lu: %s\n", (long)seed, e.msg);
        return false;
    }
    if (verbose) ir_print(&ir, print_line, NULL);
    uint64_t state = rng;
    if (!compile(&a, 0)) return false;
    unsigned passes = seed % 3 == 0 ? 0 : seed % 3 == 1 ? OPT_FOLD : OPT_ALL;
    struct machine *m = &b[seed / 3 % 3];
    if (passes) { /* ir_opt changes the IR: build it again */
        rng = seed * 0x9e3779b97f4a7c15ull + 1;
        for (unsigned i = 0; i < 4; i++)
            rnd();
        random_region();
    }
    if (!compile(m, passes)) return false;
    if (verbose) {
        printf("--- optimised\n");
        ir_print(&ir, print_line, NULL);
        dump_region(m);
    }
    for (unsigned k = 0; k < 6; k++) {
        rng = state + k * 77;
        random_state(&init);
        memcpy(mem, mem_init, MEM);
        run(&a, &init);
        memcpy(mem_a, mem, MEM);
        memcpy(mem, mem_init, MEM);
        run(m, &init);
        if (!same(&a, m, verbose)) {
            if (verbose) printf("state %u\n", k);
            return false;
        }
    }
    return true;
}

/* Again in each test: cmocka has handlers of its own. */
static void catch_faults(void)
{
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGSEGV, &sa, NULL);
    sigaction(SIGBUS, &sa, NULL);
}

static void setup(void)
{
    make_regs();
    uint8_t *p = mmap((void *)0x40000000, MEM * 3, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    assert_true(p != MAP_FAILED);
    mprotect(p, MEM, PROT_READ | PROT_WRITE);
    mem = p;
    mem_base = (uintptr_t)p;
    machine_new(&a, &interp_host, 0);
    machine_new(&b[0], &x86_64_host, ~0u);
    machine_new(&b[1], &x86_64_host, 0);
    machine_new(&b[2], &x86_64_host, 9);
}

static void test_random(void **state)
{
    catch_faults();
    for (unsigned i = 0; i < 2; i++) {
        integer_only = i == 0;
        for (uint64_t s = 1; s <= 3000; s++)
            if (!one_seed(s, false)) {
                print_error("seed %lu%s\n", (long)s, integer_only ? "" : " fp");
                fail();
            }
    }
}

/* The same on a host with nothing beyond SSE4.1. */
static void test_baseline(void **state)
{
    struct x86_features all = x86;
    x86 = (struct x86_features){.cx16 = true};
    test_random(state);
    x86 = all;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random), cmocka_unit_test(test_baseline)};
    setvbuf(stdout, NULL, _IOLBF, 0);
    setup();
    catch_faults();
    if (argc > 1) {
        integer_only = argc < 3;
        if (argc > 3) { /* SEED fp COUNT: a longer run */
            integer_only = argv[2][0] == 'i';
            uint64_t s = strtoull(argv[1], NULL, 0), n = strtoull(argv[3], NULL, 0);
            for (uint64_t k = s; k < s + n; k++)
                if (!one_seed(k, false)) return printf("seed %lu\n", (long)k), 1;
            return 0;
        }
        return !one_seed(strtoull(argv[1], NULL, 0), true);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
