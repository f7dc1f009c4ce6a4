/*
 * x87_test.c: every x87 and MMX instruction, in generated code and interpreted, against the host's own on random registers, control
 * words, stacks with holes, and operands: registers, status, tags, flags and memory afterwards. On AMD's CPUs: others differ in what the
 * manual leaves open. Pending exceptions. FXSAVE and XSAVE against the host.
 * X87_TEST_RUNS=n: states for each instruction; X87_TEST_ONLY=d8c1: one instruction's bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "cpu/guest.h"
#include "cpu/guest_linux.h"
#include "cpu/host.h"
#include "guest/x86/x87.h"
#include "mem/mem.h"

#ifdef __x86_64__
#include <cpuid.h>

extern const struct guest x86_64_guest;
typedef unsigned long long ull;

static uint64_t rnd_state = 0x2545f4914f6cdd1d;
static uint64_t rnd(void)
{
    uint64_t z = rnd_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* -- the instructions --------------------------------------------------------------------------------------------------- */
struct insn {
    uint8_t bytes[8], len;
    uint64_t code;     /* where it lies in the guest, with a RET behind */
    uint8_t *native;   /* the same for the host */
};
enum { MAX_INSNS = 2000, SLOT = 16, DATA = 4096 };
static struct insn insns[MAX_INSNS];
static unsigned ninsns, nplain; /* those behind are test_xsave's */

static void add(const uint8_t *b, unsigned n)
{
    struct insn *i = &insns[ninsns++];
    memcpy(i->bytes, b, n);
    i->len = (uint8_t)n;
}
#define ADD(...) add((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* Encodings that are undefined, or that the host cannot be asked for one by one. */
static bool x87_skipped(uint8_t op, uint8_t m)
{
    unsigned r = m >> 3 & 7;

    if (m < 0xc0) /* FLDENV and FRSTOR of random bytes leave what is tested elsewhere */
        return (op == 0xd9 && (r == 1 || r == 4)) || (op == 0xdb && (r == 4 || r == 6)) || (op == 0xdd && (r == 4 || r == 5));
    switch (op) {
    case 0xd9: return (r == 2 && m != 0xd0) || m == 0xe2 || m == 0xe3 || m == 0xe6 || m == 0xe7 || m == 0xef;
    case 0xda: return m >= 0xe0 && m != 0xe9;
    case 0xdb: return (m >= 0xe0 && m < 0xe8 && m != 0xe2 && m != 0xe3) || m >= 0xf8;
    case 0xdd: return m >= 0xf0;
    case 0xde: return r == 3 && m != 0xd9;
    case 0xdf: return (m >= 0xe1 && m < 0xe8) || m >= 0xf8;
    }
    return false;
}

static void make_insns(void)
{
    static const uint8_t mmx[] = {
        0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6e, 0x6f, 0x74, 0x75, 0x76, 0x7e, 0x7f, 0xd1, 0xd2,
        0xd3, 0xd4, 0xd5, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe8, 0xe9, 0xea, 0xeb,
        0xec, 0xed, 0xee, 0xef, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe,
    };
    static const uint8_t shifts[] = { 0xd1, 0xe1, 0xf1, 0xd2, 0xe2, 0xf2, 0xd3, 0xf3 };
    static const uint8_t convert[] = { 0x2a, 0x2c, 0x2d };

    for (unsigned op = 0xd8; op < 0xe0; op++) {
        for (unsigned m = 0xc0; m < 0x100; m++)
            if (!x87_skipped((uint8_t)op, (uint8_t)m)) ADD((uint8_t)op, (uint8_t)m);
        for (unsigned r = 0; r < 8; r++)
            if (!x87_skipped((uint8_t)op, (uint8_t)(r << 3))) ADD((uint8_t)op, (uint8_t)(r << 3 | 7));
    }
    ADD(0x66, 0xd9, 0x37); /* FNSTENV, FNSAVE of 14 and 94 bytes */
    ADD(0x66, 0xdd, 0x37);
    for (unsigned i = 0; i < ARRAY_LEN(mmx); i++) {
        ADD(0x0f, mmx[i], mmx[i] == 0x6e || mmx[i] == 0x7e ? 0xc8 : 0xca);
        ADD(0x0f, mmx[i], 0x0f);
    }
    for (unsigned i = 0; i < 12; i++) {
        ADD(0x0f, 0x38, (uint8_t)i, 0xca);
        ADD(0x0f, 0x38, (uint8_t)i, 0x0f);
    }
    for (unsigned i = 0x1c; i < 0x1f; i++) ADD(0x0f, 0x38, (uint8_t)i, 0xca);
    for (unsigned i = 0; i < 256; i += 37) ADD(0x0f, 0x70, 0xca, (uint8_t)i);
    for (unsigned i = 0; i < 20; i++) ADD(0x0f, 0x3a, 0x0f, 0xca, (uint8_t)i);
    for (unsigned i = 0; i < ARRAY_LEN(shifts); i++)
        for (unsigned k = 0; k < 70; k += 7) ADD(0x0f, 0x70 + (shifts[i] & 3), (uint8_t)(0xc2 | (shifts[i] >> 4 & 3) << 4), (uint8_t)k);
    for (unsigned i = 0; i < 4; i++) {
        ADD(0x0f, 0xc4, 0xc8, (uint8_t)i);
        ADD(0x0f, 0xc4, 0x0f, (uint8_t)i);
        ADD(0x0f, 0xc5, 0xc2, (uint8_t)i);
    }
    ADD(0x0f, 0xd7, 0xc2);
    ADD(0x0f, 0xe7, 0x0f);
    ADD(0x0f, 0xf7, 0xca); /* MASKMOVQ */
    ADD(0x0f, 0x77);
    ADD(0x48, 0x0f, 0x6e, 0xc8);
    ADD(0x48, 0x0f, 0x7e, 0xc8);
    ADD(0xf3, 0x0f, 0xd6, 0xca);
    ADD(0xf2, 0x0f, 0xd6, 0xca);
    for (unsigned i = 0; i < 3; i++) {
        ADD(0x0f, convert[i], 0xca);
        ADD(0x0f, convert[i], 0x0f);
        ADD(0x66, 0x0f, convert[i], 0xca);
        ADD(0x66, 0x0f, convert[i], 0x0f);
    }
    nplain = ninsns;
    ADD(0x48, 0x0f, 0xae, 0x07); /* pairs: FXSAVE, XSAVE, XSAVEOPT, XSAVEC, each with what restores */
    ADD(0x48, 0x0f, 0xae, 0x0f);
    ADD(0x48, 0x0f, 0xae, 0x27);
    ADD(0x48, 0x0f, 0xae, 0x2f);
    ADD(0x48, 0x0f, 0xae, 0x37);
    ADD(0x48, 0x0f, 0xae, 0x2f);
    ADD(0x48, 0x0f, 0xc7, 0x27);
    ADD(0x48, 0x0f, 0xae, 0x2f);
}

/* -- states ------------------------------------------------------------------------------------------------------------- */
struct state {
    uint8_t fx[512];
    uint8_t data[128];
    uint64_t rax, flags;
} __attribute__((aligned(16)));

static void rnd_f80(uint8_t *p, const uint8_t *near)
{
    const uint64_t r = rnd();
    uint64_t mant = rnd() | 1ull << 63;
    unsigned exp = 0x3fff + (unsigned)(r >> 50) % 70 - 4;

    switch (r & 15) {
    case 0: exp = 0; mant &= r >> 62 ? ~(1ull << 63) : ~0ull; break;
    case 1: exp = 0x7fff; mant = r & 16 ? 1ull << 63 : r & 32 ? mant | 3ull << 62 : mant; break;
    case 2: exp = 0x7ffe; break;
    case 3: exp = 1; break;
    case 4: exp = 0x3fff; mant = 1ull << 63; break;
    case 5: exp = mant = 0; break;
    case 6: memcpy(p, near, 10); return;
    case 7: exp = r >> 40 & 0x7fff; break;
    case 8: mant &= r >> 62 ? ~(1ull << 63) : ~0ull; break;
    case 9: exp = 0x7fff; mant = rnd(); break; /* what MMX leaves */
    default: break;
    }
    if (r >> 20 & 1) mant &= ~bits_mask(r >> 21 & 31);
    memcpy(p, &mant, 8);
    memcpy(p + 8, &(uint16_t){ (uint16_t)(exp | (r >> 30 & 1) << 15) }, 2);
}

static void rnd_data(uint8_t *p)
{
    for (unsigned i = 0; i < 128; i += 8) {
        uint64_t r = rnd(), v = rnd();
        switch (r & 7) {
        case 0: v &= 0x800fffff807fffff; break;
        case 1: v |= 0x7ff000007f800000; break;
        case 2: v &= 0x8000000080000000; break;
        case 3: v = (v & 0xbfffffffbfffffff) | 0x3f0000003f000000; break;
        case 4: v &= 0x9999999999999999; break;
        case 5: v &= 0x8f; break;
        default: break;
        }
        memcpy(p + i, &v, 8);
    }
}

static void rnd_mem_state(struct state *s)
{
    const uint64_t r = rnd();
    uint16_t cw = (uint16_t)(r & 3 ? 0x37f : (rnd() & 0xf00) | 0x40 | (r & 4 ? 0x3f : rnd() & 0x3f));
    uint16_t sw = (uint16_t)(rnd() & 0x7f47), exc = (uint16_t)(r & 8 ? 0x20 : rnd() & 0x7f);

    memset(s->fx, 0, sizeof s->fx);
    sw = (uint16_t)((sw & 0x7f00) | (exc & (cw | 0x40))); /* nothing pending */
    memcpy(s->fx, &cw, 2);
    memcpy(s->fx + 2, &sw, 2);
    /* full to the brim of where loads need room, or with holes */
    unsigned top = sw >> 11 & 7;
    s->fx[4] = (uint8_t)(r & 0x30 ? ~(1u << ((top - 1) & 7)) : rnd());
    memcpy(s->fx + 24, &(uint32_t){ 0x1f80 }, 4);
    for (unsigned i = 0; i < 8; i++) rnd_f80(s->fx + 32 + 16 * i, s->fx + 32 + 16 * (i ? i - 1 : 0));
    for (unsigned i = 160; i < 416; i += 8) memcpy(s->fx + i, &(uint64_t){ rnd() }, 8);
    rnd_data(s->fx + 160);
    rnd_data(s->data);
    s->rax = rnd();
    s->flags = 2 | (rnd() & 0x8d5);
}

static void run_native(const struct insn *in, struct state *s, void *data)
{
    static const uint32_t mxcsr = 0x1f80;
    uint64_t rax = s->rax, flags = s->flags;

    memcpy(data, s->data, sizeof s->data);
    __asm__ volatile("lea -512(%%rsp), %%rsp\n\tfxrstor64 (%[fx])\n\tpush %[fl]\n\tpopf\n\tcall *%[code]\n\tpushf\n\tpop %[fl]\n\tcld\n\t"
                     "fxsave64 (%[fx])\n\tfninit\n\tldmxcsr (%[mx])\n\tlea 512(%%rsp), %%rsp"
                     : "+a"(rax), [fl] "+b"(flags), "+D"(data) : [fx] "r"(s->fx), [code] "r"(in->native), [mx] "r"(&mxcsr)
                     : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                       "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    s->rax = rax;
    s->flags = flags & 0x8d5;
    memcpy(s->data, data, sizeof s->data);
}

/* -- the emulated CPU --------------------------------------------------------------------------------------------------- */
struct emu {
    CPU *cpu;
    struct engine *engine;
    struct x87 *x;
    uint64_t data, stop;
    unsigned illegal; /* runs of what needs features that `max` does not have */
};

static void *home(CPU *cpu, const char *name)
{
    for (unsigned i = 0; i < x86_64_guest.nregs; i++)
        if (!strcmp(x86_64_guest.regs[i].name, name)) return (char *)cpu + x86_64_guest.regs[i].offset;
    fail_msg("no register %s", name);
    return NULL;
}
static const struct guest_reg *reg(const char *name)
{
    for (unsigned i = 0; i < x86_64_guest.nregs; i++)
        if (!strcmp(x86_64_guest.regs[i].name, name)) return &x86_64_guest.regs[i];
    fail_msg("no register %s", name);
    return NULL;
}
static void set64(CPU *cpu, const char *name, uint64_t v)
{
    memcpy(home(cpu, name), &v, 8);
}

static bool run_emulated(struct emu *m, const struct insn *in, struct state *s)
{
    CPU *cpu = m->cpu;
    uint64_t sp = m->data + DATA - 64;

    memcpy((void *)m->data, s->data, sizeof s->data);
    memcpy((void *)sp, &m->stop, 8);
    x87_fx_get(m->x, s->fx, true);
    cpu->mode = x87_mode(m->x, cpu->mode);
    memcpy(home(cpu, "xmm0"), s->fx + 160, 256);
    reg("mxcsr")->set(cpu, 0x1f80);
    reg("eflags")->set(cpu, s->flags);
    set64(cpu, "rax", s->rax);
    set64(cpu, "rdi", m->data);
    set64(cpu, "rsp", sp);
    cpu->pc = in->code;
    enum cpu_exc exc;
    while ((exc = cpu_run(cpu)) == EXC_REQUEST) {}
    if (exc == EXC_ILLEGAL) return false;
    if (cpu->pc - m->stop > 1) fail_msg("exception %d, code %u at %+lld", exc, cpu->v->exc_code, (long long)(cpu->pc - in->code));
    x87_fx_put(m->x, s->fx, true);
    memcpy(s->fx + 160, home(cpu, "xmm0"), 256);
    memcpy(s->fx + 24, &(uint32_t){ (uint32_t)reg("mxcsr")->get(cpu) }, 4);
    memcpy(&s->rax, home(cpu, "rax"), 8);
    s->flags = reg("eflags")->get(cpu) & 0x8d5;
    memcpy(s->data, (void *)m->data, sizeof s->data);
    return true;
}

static uint16_t word(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}

static ull quad(const uint8_t *p)
{
    ull v;
    memcpy(&v, p, 8);
    return v;
}

/* What differs, with where it began. */
static void print_diff(const struct insn *in, const struct state *from, const struct state *host, const struct state *emu)
{
    const struct state *s[] = { from, host, emu };
    static const char *const name[] = { "from", "host", "emu" };

    for (unsigned i = 0; i < in->len; i++) print_message("%02x ", in->bytes[i]);
    print_message("\n");
    for (unsigned i = 0; i < 3; i++)
        print_message("  %-4s cw %04x sw %04x tag %02x flags %03llx rax %llx mxcsr %x\n", name[i], word(s[i]->fx), word(s[i]->fx + 2),
                      s[i]->fx[4], (ull)s[i]->flags, (ull)s[i]->rax, *(const uint32_t *)(s[i]->fx + 24));
    for (unsigned i = 0; i < 8; i++) {
        const unsigned at = 32 + 16 * i, xmm = 160 + 16 * i;
        const bool memory = i == 0 && in->bytes[1] < 0xc0;

        for (unsigned j = 0; j < 3; j++) {
            if (i < 2 || memcmp(host->fx + at, emu->fx + at, 16))
                print_message("  %-4s st%u %04x %016llx\n", name[j], i, word(s[j]->fx + at + 8), quad(s[j]->fx + at));
            if (memcmp(host->fx + xmm, emu->fx + xmm, 16))
                print_message("  %-4s xmm%u %016llx %016llx\n", name[j], i, quad(s[j]->fx + xmm + 8), quad(s[j]->fx + xmm));
            if (memory || memcmp(host->data + 16 * i, emu->data + 16 * i, 16))
                print_message("  %-4s mem%u %016llx %016llx\n", name[j], 16 * i, quad(s[j]->data + 16 * i + 8), quad(s[j]->data + 16 * i));
        }
    }
}

/* Pointers are not compared: AMD's CPUs keep them back. */
static void clean(struct state *s, const struct insn *in)
{
    memset(s->fx + 6, 0, 18);
    memset(s->fx + 28, 0, 4);
    memset(s->fx + 416, 0, 96);
    unsigned op = in->bytes[0] == 0x66 ? 1 : 0, env = in->bytes[0] == 0x66 ? 14 : 28;
    if ((in->bytes[op] == 0xd9 || in->bytes[op] == 0xdd) && in->bytes[op + 1] == 0x37) {
        memset(s->data + (op ? 6 : 12), 0, env - (op ? 6 : 12));
        if (!op) s->data[2] = s->data[3] = s->data[6] = s->data[7] = s->data[10] = s->data[11] = 0;
    }
}

static bool transcendental(const struct insn *in)
{
    return in->bytes[0] == 0xd9 && ((in->bytes[1] & 0xfc) == 0xf0 || in->bytes[1] == 0xf9 || in->bytes[1] == 0xfb || in->bytes[1] >= 0xfe);
}
/* Their last bit and its C1 are the CPU's own: b gets a's. */
static void forgive(const struct state *a, struct state *b)
{
    uint16_t c1 = word(a->fx + 2) & X80_C1;

    b->fx[3] = (uint8_t)((b->fx[3] & ~(X80_C1 >> 8)) | c1 >> 8);
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t *p = a->fx + 32 + 16 * i;
        uint8_t *q = b->fx + 32 + 16 * i;
        uint64_t m, n;
        memcpy(&m, p, 8);
        memcpy(&n, q, 8);
        s128 x = ((s128)word(p + 8) << 63) + (s128)(m & ~(1ull << 63)), y = ((s128)word(q + 8) << 63) + (s128)(n & ~(1ull << 63));
        if (x - y <= 1 && y - x <= 1) memcpy(q, p, 10);
    }
}

static bool equal(const struct state *a, const struct state *b)
{
    return !memcmp(a->fx, b->fx, sizeof a->fx) && !memcmp(a->data, b->data, sizeof a->data) && a->rax == b->rax && a->flags == b->flags;
}

static bool compare(struct emu *m, const struct insn *in)
{
    struct state start, native, emu;

    rnd_mem_state(&start);
    native = emu = start;
    run_native(in, &native, (void *)m->data);
    if (!run_emulated(m, in, &emu)) {
        m->illegal++;
        return true;
    }
    clean(&native, in);
    clean(&emu, in);
    if (transcendental(in)) forgive(&native, &emu);
    if (equal(&native, &emu)) return true;
    print_diff(in, &start, &native, &emu);
    return false;
}

/* A machine with all instructions in its memory, each with a RET behind it; the same for the host in *native. */
static struct emu new_emu(const char *host, uint8_t **native)
{
    const uint64_t size = ALIGN_UP(MAX_INSNS * SLOT, 4096);
    struct err e = { 0 };
    struct gmem *mem = gmem_new(47, 4096, &e);
    struct engine_config cfg = { .guest = &x86_64_guest, .host = host_find(host), .mem = mem, .opt_passes = ~0u, .warmup = 0 };
    struct emu m = { .engine = engine_new(&cfg, &e) };

    m.cpu = m.engine ? cpu_new(m.engine, "max", &e) : NULL;
    if (!m.cpu) fail_msg("%s", e.msg);
    uint64_t code = (uint64_t)gmem_map(mem, 0, size, GP_READ | GP_WRITE | GP_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    m.data = (uint64_t)gmem_map(mem, 0, DATA, GP_READ | GP_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *native = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(*native, MAP_FAILED);
    memset(*native, 0xcc, size);
    ninsns = 0;
    make_insns();
    for (unsigned i = 0; i < ninsns; i++) {
        insns[i].code = code + i * SLOT;
        insns[i].native = *native + i * SLOT;
        memcpy(insns[i].native, insns[i].bytes, insns[i].len);
        insns[i].native[insns[i].len] = 0xc3;
    }
    memcpy((void *)code, *native, size);
    m.stop = code + ninsns * SLOT;
    m.x = home(m.cpu, "mm0");
    return m;
}
static void free_emu(struct emu *m, uint8_t *native)
{
    struct gmem *mem = m->cpu->v->mem;

    cpu_free(m->cpu);
    engine_free(m->engine);
    gmem_free(mem);
    munmap(native, ALIGN_UP(MAX_INSNS * SLOT, 4096));
}

static bool is_amd(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(0, &a, &b, &c, &d) && b == signature_AMD_ebx;
}

static void run_all(const char *host)
{
    const char *runs = getenv("X87_TEST_RUNS"), *only = getenv("X87_TEST_ONLY");
    const unsigned n = runs ? (unsigned)strtoul(runs, NULL, 0) : 40;
    unsigned bad = 0;
    uint8_t *native;

    if (!is_amd()) skip(); /* what the manual leaves open (condition codes, undocumented opcodes) is as there */
    struct emu m = new_emu(host, &native);

    for (unsigned i = 0; i < nplain; i++) {
        char hex[16];
        snprintf(hex, sizeof hex, "%02x%02x", insns[i].bytes[0], insns[i].bytes[1]);
        if (only && strcmp(only, hex)) continue;
        for (unsigned k = 0; k < n; k++) {
            if (compare(&m, &insns[i])) continue;
            bad++;
            break;
        }
    }
    if (m.illegal) print_message("%u runs were illegal instructions\n", m.illegal);
    free_emu(&m, native);
    if (bad) fail_msg("%u of %u instructions", bad, nplain);
}

/* -- XSAVE and its relatives ---------------------------------------------------------------------------------------------- */
enum { AREA = 1024 };

/* insn's memory operand is (%rdi); EDX:EAX selects x87, SSE or both. */
static void native_area(const struct insn *in, struct state *s, uint8_t *area, uint32_t mask)
{
    static const uint32_t mxcsr = 0x1f80;
    void *at = area;

    __asm__ volatile("lea -512(%%rsp), %%rsp\n\tfxrstor64 (%[fx])\n\tcall *%[code]\n\tfxsave64 (%[fx])\n\tfninit\n\tldmxcsr (%[mx])\n\t"
                     "lea 512(%%rsp), %%rsp"
                     : "+D"(at) : "a"(mask), "d"(0), [fx] "r"(s->fx), [code] "r"(in->native), [mx] "r"(&mxcsr)
                     : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                       "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}
static void emulated_area(struct emu *m, const struct insn *in, struct state *s, const uint8_t *area, uint32_t mask)
{
    CPU *cpu = m->cpu;

    memcpy((void *)m->data, area, AREA);
    memcpy((void *)(m->data + DATA - 64), &m->stop, 8);
    x87_fx_get(m->x, s->fx, true);
    cpu->mode = x87_mode(m->x, cpu->mode);
    memcpy(home(cpu, "xmm0"), s->fx + 160, 256);
    reg("mxcsr")->set(cpu, *(const uint32_t *)(s->fx + 24));
    set64(cpu, "rax", mask);
    set64(cpu, "rdx", 0);
    set64(cpu, "rdi", m->data);
    set64(cpu, "rsp", m->data + DATA - 64);
    cpu->pc = in->code;
    enum cpu_exc exc;
    while ((exc = cpu_run(cpu)) == EXC_REQUEST) {}
    if (cpu->pc - m->stop > 1) fail_msg("exception %d, code %u", exc, cpu->v->exc_code);
    x87_fx_put(m->x, s->fx, true);
    memcpy(s->fx + 160, home(cpu, "xmm0"), 256);
    memcpy(s->fx + 24, &(uint32_t){ (uint32_t)reg("mxcsr")->get(cpu) }, 4);
}
/* Pointers, MXCSR's mask, and beyond: what the host may know more of. */
static void clean_area(uint8_t *a)
{
    memset(a + 6, 0, 18);
    memset(a + 28, 0, 4);
    memset(a + 416, 0, 96);
}

/* The host's: XSAVEOPT and XSAVEC. */
static bool has_xsavec(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && c >> 27 & 1 && __get_cpuid_count(0xd, 1, &a, &b, &c, &d) && (a & 3) == 3;
}
static bool has_sse(const CPU *cpu)
{
    static char buf[4096];
    x86_64_guest.lnx->cpuinfo(cpu, 0, buf, sizeof buf);
    return strstr(buf, " sse ");
}

static void test_xsave(void **state)
{
    static uint8_t a[AREA] __attribute__((aligned(64))), b[AREA] __attribute__((aligned(64)));
    struct state host, emu;
    uint8_t *native;
    struct emu m;

    if (!has_xsavec()) skip();
    m = new_emu("x86_64", &native);
    for (unsigned round = 0; round < 4000; round++) {
        const unsigned kind = round & 3, mask = has_sse(m.cpu) ? (unsigned)(rnd() % 3 + 1) : 1;
        const struct insn *in = &insns[nplain + 2 * kind];
        rnd_mem_state(&host);
        if (rnd() & 1) host.fx[24] = (uint8_t)rnd();                              /* MXCSR: status, DAZ */
        memset(a, rnd() & 1 ? 0 : 0xa5, sizeof a);
        if (kind != 3) memset(a + 512, 0, 64);                                    /* a header that was there */
        if (kind != 3) a[512] = (uint8_t)(rnd() & (has_sse(m.cpu) ? 3 : 1));
        emu = host;
        memcpy(b, a, sizeof b);
        native_area(&in[0], &host, a, mask);
        emulated_area(&m, &in[0], &emu, b, mask);
        memcpy(b, (void *)m.data, sizeof b);
        clean_area(a), clean_area(b);
        for (unsigned i = 0; i < 576; i++)
            if (a[i] != b[i]) fail_msg("save %u, mask %u: byte %u is %02x, host %02x", kind, mask, i, b[i], a[i]);
        if (kind == 3) memset(a + 528, 0, 48); /* what XSAVEC leaves alone has to be zero for XRSTOR */
        if (*(uint16_t *)(a + 24) == 0xa5a5 || a[25] == 0xa5) memcpy(a + 24, &(uint32_t){ 0x1f80 }, 4);
        rnd_mem_state(&host);
        emu = host;
        native_area(&in[1], &host, a, mask);
        emulated_area(&m, &in[1], &emu, a, mask);
        clean_area(host.fx), clean_area(emu.fx);
        for (unsigned i = 0; i < 416; i++)
            if (host.fx[i] != emu.fx[i])
                fail_msg("restore %u, mask %u: byte %u is %02x, host %02x", kind, mask, i, emu.fx[i], host.fx[i]);
    }
    free_emu(&m, native);
}

/* Instructions that do not ask for pending exceptions. */
static bool waits(const struct insn *in)
{
    const uint8_t *b = in->bytes + (in->bytes[0] == 0x66);
    const unsigned r = b[1] >> 3 & 7;

    if (b[0] == 0x0f) return !(b[1] == 0x2a && b[2] < 0xc0); /* conversions from memory leave the unit alone */
    if (b[1] < 0xc0) return !((b[0] == 0xd9 || b[0] == 0xdd) && r >= 6);
    return !((b[0] == 0xdb && b[1] >= 0xe0 && b[1] < 0xe8) || (b[0] == 0xdf && b[1] == 0xe0));
}
/* With an exception pending, all that wait end in #MF and have done nothing. */
static void test_pending(void **state)
{
    enum { VEC_MF = 16 };
    uint8_t *native;
    struct emu m = new_emu("x86_64", &native);

    for (unsigned i = 0; i < nplain; i++) {
        struct x87 before;
        x87_reset(m.x);
        x87_set_cw(m.x, 0x37b);
        m.x->tag = 0x0f;
        m.x->sw = X80_ZE;
        before = *m.x;
        m.cpu->mode = x87_mode(m.x, m.cpu->mode);
        set64(m.cpu, "rdi", m.data);
        set64(m.cpu, "rsp", m.data + DATA - 64);
        memcpy((void *)(m.data + DATA - 64), &m.stop, 8);
        memset((void *)m.data, 0x55, 128);
        m.cpu->pc = insns[i].code;
        enum cpu_exc exc;
        while ((exc = cpu_run(m.cpu)) == EXC_REQUEST) {}
        if (exc == EXC_ILLEGAL) continue;
        bool trapped = exc == EXC_GUEST && m.cpu->v->exc_code == VEC_MF && m.cpu->pc == insns[i].code;
        if (trapped != waits(&insns[i]) || (trapped && (memcmp(&before, m.x, sizeof before) || *(uint8_t *)m.data != 0x55)))
            fail_msg("%02x %02x: exception %d, code %u", insns[i].bytes[0], insns[i].bytes[1], exc, m.cpu->v->exc_code);
    }
    free_emu(&m, native);
}
static void test_jit(void **state)
{
    run_all("x86_64");
}
static void test_interp(void **state)
{
    run_all("interp");
}
#else
static void test_jit(void **state)
{
    skip();
}
static void test_interp(void **state)
{
    skip();
}
static void test_pending(void **state)
{
    skip();
}
static void test_xsave(void **state)
{
    skip();
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_jit), cmocka_unit_test(test_interp), cmocka_unit_test(test_pending),
                                       cmocka_unit_test(test_xsave) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
