/*
 * x80_test.c: x80*.c against the host's own x87: results, exceptions and condition codes of random and edge operands in every
 * precision and rounding mode, with exceptions masked and not. X80_TEST_RUNS=n sets the number of operand pairs per
 * instruction. Transcendentals: against the host within one unit in the last place, special cases exactly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "fpu/x80.h"

typedef unsigned long long ull;

static uint64_t rnd_state = 0x2545f4914f6cdd1d;
static uint64_t rnd(void)
{
    uint64_t z = rnd_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* A number that is likely to be near something interesting; near = an earlier operand. Unsupported encodings too. */
static struct f80 rnd_f80(struct f80 near)
{
    const uint64_t r = rnd();
    uint64_t mant = rnd() | 1ull << 63;
    unsigned exp = r >> 40 & 0x7fff, sign = (unsigned)(r >> 63) << 15;

    switch (r & 15) {
    case 0: exp = 0; mant &= r >> 62 ? ~(1ull << 63) : ~0ull; break;
    case 1: exp = 0x7fff; break;
    case 2: exp = 0x7ffe - (r >> 50 & 3); break;
    case 3: exp = 1 + (r >> 50 & 3); break;
    case 4: exp = 0x3fff + (r >> 50 & 3); break;
    case 5: return (struct f80){ near.mant ^ (r >> 60 & 7), near.se };
    case 6: return (struct f80){ near.mant, near.se ^ 0x8000 };
    case 7: exp = (near.se + (r >> 50 & 7) - 3) & 0x7fff; break;
    case 8: exp = (0x7ffe - (near.se & 0x7fff) + (r >> 50 & 3) - 1) & 0x7fff; break; /* product near 1, or the edges */
    case 9: case 10: case 11: exp = 0x3fff + (r >> 50) % 70 - 4; break;
    case 12: exp = ((near.se & 0x7fff) + (r >> 50) % 140 - 70) & 0x7fff; break;
    default: break;
    }
    switch (r >> 4 & 15) {
    case 0: mant = 1ull << 63; break;
    case 1: mant = ~0ull; break;
    case 2: mant = 1ull << 63 | 1; break;
    case 3: mant = 1ull << 63 | 1ull << (r >> 10) % 63; break;
    case 4: case 5: mant &= ~0ull << (r >> 10) % 63; break;
    case 6: mant |= bits_mask((r >> 10) % 63); break;
    case 7: mant = r >> 20 & 1 ? 0 : mant; exp = r >> 20 & 1 ? 0 : exp; break;
    case 8: mant &= r >> 20 & 1 ? ~0ull : ~(1ull << 63); break;
    case 9: mant &= ~(3ull << 38); mant &= r >> 20 & 1 ? ~bits_mask(40) : ~bits_mask(11); break; /* 24 or 53 bits */
    default: break;
    }
    return (struct f80){ mant, (uint16_t)(sign | exp) };
}

/* What an instruction starts from and leaves: the upper two registers by their place afterwards, memory. */
struct regs {
    struct f80 st[2];
    uint8_t mem[16];
    uint16_t sw;
};

static void pop(struct regs *r)
{
    r->st[0] = r->st[1];
    r->st[1] = (struct f80){ 0, 0 };
}
static uint64_t mem_u64(const struct regs *r)
{
    uint64_t v;
    memcpy(&v, r->mem, 8);
    return v;
}

/* -- the software versions ------------------------------------------------------------------------------------------- */
static void put0(struct x80_env *e, struct regs *r, struct f80 v)
{
    r->st[0] = x80_stop(e) ? r->st[0] : v;
}
#define EMU(name, expr) \
    static void emu_##name(struct x80_env *e, struct regs *r) { struct f80 a = r->st[0], b = r->st[1]; (void)b; put0(e, r, expr); }
EMU(add, x80_add(e, a, b))
EMU(sub, x80_sub(e, a, b))
EMU(subr, x80_sub(e, b, a))
EMU(mul, x80_mul(e, a, b))
EMU(div, x80_div(e, a, b))
EMU(divr, x80_div(e, b, a))
EMU(sqrt, x80_sqrt(e, a))
EMU(rem, x80_rem(e, a, b, false))
EMU(rem1, x80_rem(e, a, b, true))
EMU(rint, x80_rint(e, a))
EMU(scale, x80_scale(e, a, b))
EMU(add_s, x80_add(e, a, x80_operand(e, FPU_F32, (uint32_t)mem_u64(r))))
EMU(mul_d, x80_mul(e, a, x80_operand(e, FPU_F64, mem_u64(r))))
EMU(div_d, x80_div(e, a, x80_operand(e, FPU_F64, mem_u64(r))))
EMU(divr_s, x80_div(e, x80_operand(e, FPU_F32, (uint32_t)mem_u64(r)), a))
EMU(add_w, x80_add(e, a, x80_from_int((int16_t)mem_u64(r))))
EMU(mul_l, x80_mul(e, a, x80_from_int((int32_t)mem_u64(r))))
static void emu_load(struct x80_env *e, struct regs *r, struct f80 v)
{
    if (!(e->sw & ~e->cw & X80_IE))
        r->st[1] = r->st[0], r->st[0] = v;
}
static void emu_ld_s(struct x80_env *e, struct regs *r) { emu_load(e, r, x80_from_fp(e, FPU_F32, (uint32_t)mem_u64(r))); }
static void emu_ld_d(struct x80_env *e, struct regs *r) { emu_load(e, r, x80_from_fp(e, FPU_F64, mem_u64(r))); }
static void emu_ild_w(struct x80_env *e, struct regs *r) { emu_load(e, r, x80_from_int((int16_t)mem_u64(r))); }
static void emu_ild_l(struct x80_env *e, struct regs *r) { emu_load(e, r, x80_from_int((int32_t)mem_u64(r))); }
static void emu_ild_q(struct x80_env *e, struct regs *r) { emu_load(e, r, x80_from_int((int64_t)mem_u64(r))); }
static void emu_bld(struct x80_env *e, struct regs *r) { emu_load(e, r, x80_from_bcd(r->mem)); }
static void emu_ldpi(struct x80_env *e, struct regs *r) { emu_load(e, r, x80_constant(e->cw, X80_PI)); }
static void emu_ldl2t(struct x80_env *e, struct regs *r) { emu_load(e, r, x80_constant(e->cw, X80_L2T)); }
static void emu_ldl2e(struct x80_env *e, struct regs *r) { emu_load(e, r, x80_constant(e->cw, X80_L2E)); }
static void emu_ldlg2(struct x80_env *e, struct regs *r) { emu_load(e, r, x80_constant(e->cw, X80_LG2)); }
static void emu_ldln2(struct x80_env *e, struct regs *r) { emu_load(e, r, x80_constant(e->cw, X80_LN2)); }
static void emu_ld1(struct x80_env *e, struct regs *r) { emu_load(e, r, x80_constant(e->cw, X80_ONE)); }
static void emu_store(struct x80_env *e, struct regs *r, uint64_t v, unsigned size, bool popped)
{
    if (x80_stop_store(e))
        return;
    memcpy(r->mem, &v, size);
    if (popped)
        pop(r);
}
static void emu_st_s(struct x80_env *e, struct regs *r) { emu_store(e, r, x80_to_fp(e, FPU_F32, r->st[0]), 4, false); }
static void emu_st_d(struct x80_env *e, struct regs *r) { emu_store(e, r, x80_to_fp(e, FPU_F64, r->st[0]), 8, true); }
static void emu_ist_w(struct x80_env *e, struct regs *r) { emu_store(e, r, x80_to_int(e, r->st[0], 16, false), 2, false); }
static void emu_ist_l(struct x80_env *e, struct regs *r) { emu_store(e, r, x80_to_int(e, r->st[0], 32, false), 4, true); }
static void emu_ist_q(struct x80_env *e, struct regs *r) { emu_store(e, r, x80_to_int(e, r->st[0], 64, false), 8, true); }
static void emu_istt_w(struct x80_env *e, struct regs *r) { emu_store(e, r, x80_to_int(e, r->st[0], 16, true), 2, true); }
static void emu_istt_q(struct x80_env *e, struct regs *r) { emu_store(e, r, x80_to_int(e, r->st[0], 64, true), 8, true); }
static void emu_bst(struct x80_env *e, struct regs *r)
{
    uint8_t b[10];
    x80_to_bcd(e, r->st[0], b);
    if (!x80_stop_store(e)) {
        memcpy(r->mem, b, 10);
        pop(r);
    }
}
static void emu_com(struct x80_env *e, struct regs *r) { x80_cmp(e, r->st[0], r->st[1], false); }
static void emu_ucom(struct x80_env *e, struct regs *r) { x80_cmp(e, r->st[0], r->st[1], true); }
static void emu_com_s(struct x80_env *e, struct regs *r)
{
    x80_cmp(e, r->st[0], x80_operand(e, FPU_F32, (uint32_t)mem_u64(r)), false);
}
static void emu_tst(struct x80_env *e, struct regs *r) { x80_cmp(e, r->st[0], x80_constant(0, X80_ZERO), false); }
static void emu_xam(struct x80_env *e, struct regs *r) { e->sw |= x80_class(r->st[0]); }
static void emu_xtract(struct x80_env *e, struct regs *r)
{
    struct f80 exp, sig = x80_extract(e, r->st[0], &exp);
    if (!x80_stop(e))
        r->st[0] = sig, r->st[1] = exp;
}

EMU(f2xm1, x80_f2xm1(e, a))
static void emu_pop2(struct x80_env *e, struct regs *r, struct f80 v)
{
    if (!x80_stop(e)) {
        r->st[1] = v;
        pop(r);
    }
}
static void emu_yl2x(struct x80_env *e, struct regs *r) { emu_pop2(e, r, x80_yl2x(e, r->st[1], r->st[0])); }
static void emu_yl2xp1(struct x80_env *e, struct regs *r) { emu_pop2(e, r, x80_yl2xp1(e, r->st[1], r->st[0])); }
static void emu_patan(struct x80_env *e, struct regs *r) { emu_pop2(e, r, x80_patan(e, r->st[1], r->st[0])); }
static void emu_sin(struct x80_env *e, struct regs *r)
{
    struct f80 v;
    x80_sincos(e, r->st[0], &v, NULL);
    put0(e, r, v);
}
static void emu_cos(struct x80_env *e, struct regs *r)
{
    struct f80 v;
    x80_sincos(e, r->st[0], NULL, &v);
    put0(e, r, v);
}
static void emu_sincos(struct x80_env *e, struct regs *r)
{
    struct f80 s, c;
    x80_sincos(e, r->st[0], &s, &c);
    if (!x80_stop(e) && !(e->sw & X80_C2))
        r->st[1] = s, r->st[0] = c;
}
static void emu_ptan(struct x80_env *e, struct regs *r)
{
    struct f80 v = x80_ptan(e, r->st[0]);
    if (!x80_stop(e) && !(e->sw & X80_C2))
        r->st[1] = v, r->st[0] = e->sw & X80_IE || (v.se & 0x7fff) == 0x7fff ? v : x80_constant(0, X80_ONE);
}

#ifdef __x86_64__
#include <cpuid.h>

struct image {
    uint32_t cw, sw, tw, fip, fcs, fdp, fds;
    uint8_t st[8][10];
} __attribute__((packed));

#define HOST(name, insn)                                                                                      \
    static void host_##name(uint16_t cw, struct image *im, const struct f80 *a, const struct f80 *b, uint8_t *mem) \
    {                                                                                                         \
        __asm__ volatile("fninit\n\tfldt %3\n\tfldt %2\n\tfldcw %4\n\t" insn "\n\tfnsave %0"                  \
                         : "=m"(*im), "+m"(*(uint8_t(*)[16])mem) : "m"(*a), "m"(*b), "m"(cw) : "memory");     \
    }
HOST(add, "fadd %%st(1), %%st") HOST(sub, "fsub %%st(1), %%st") HOST(subr, "fsubr %%st(1), %%st")
HOST(mul, "fmul %%st(1), %%st") HOST(div, "fdiv %%st(1), %%st") HOST(divr, "fdivr %%st(1), %%st")
HOST(sqrt, "fsqrt") HOST(rem, "fprem") HOST(rem1, "fprem1") HOST(rint, "frndint") HOST(scale, "fscale")
HOST(add_s, "fadds %1") HOST(mul_d, "fmull %1") HOST(div_d, "fdivl %1") HOST(divr_s, "fdivrs %1")
HOST(add_w, "fiadds %1") HOST(mul_l, "fimull %1")
HOST(ld_s, "flds %1") HOST(ld_d, "fldl %1") HOST(ild_w, "filds %1") HOST(ild_l, "fildl %1") HOST(ild_q, "fildll %1")
HOST(bld, "fbld %1") HOST(st_s, "fsts %1") HOST(st_d, "fstpl %1") HOST(ist_w, "fists %1") HOST(ist_l, "fistpl %1")
HOST(ist_q, "fistpll %1") HOST(istt_w, "fisttps %1") HOST(istt_q, "fisttpll %1") HOST(bst, "fbstp %1")
HOST(com, "fcom %%st(1)") HOST(ucom, "fucom %%st(1)") HOST(com_s, "fcoms %1") HOST(tst, "ftst") HOST(xam, "fxam")
HOST(xtract, "fxtract")
HOST(f2xm1, "f2xm1") HOST(yl2x, "fyl2x") HOST(yl2xp1, "fyl2xp1") HOST(patan, "fpatan")
HOST(sin, "fsin") HOST(cos, "fcos") HOST(sincos, "fsincos") HOST(ptan, "fptan")
HOST(ldpi, "fldpi") HOST(ldl2t, "fldl2t") HOST(ldl2e, "fldl2e") HOST(ldlg2, "fldlg2") HOST(ldln2, "fldln2") HOST(ld1, "fld1")

#define OP(name, cc) { #name, emu_##name, host_##name, cc, 0 }
#define TR(name, cc) { #name, emu_##name, host_##name, cc, 1 }
static const struct op {
    const char *name;
    void (*emu)(struct x80_env *e, struct regs *r);
    void (*host)(uint16_t cw, struct image *im, const struct f80 *a, const struct f80 *b, uint8_t *mem);
    uint16_t cc; /* condition codes that are defined */
    uint8_t ulps; /* by which the host's result may differ */
} ops[] = {
    OP(add, X80_C1), OP(sub, X80_C1), OP(subr, X80_C1), OP(mul, X80_C1), OP(div, X80_C1), OP(divr, X80_C1),
    OP(sqrt, X80_C1), OP(rem, X80_CC), OP(rem1, X80_CC), OP(rint, X80_C1), OP(scale, X80_C1),
    OP(add_s, X80_C1), OP(mul_d, X80_C1), OP(div_d, X80_C1), OP(divr_s, X80_C1), OP(add_w, X80_C1), OP(mul_l, X80_C1),
    OP(ld_s, X80_C1), OP(ld_d, X80_C1), OP(ild_w, X80_C1), OP(ild_l, X80_C1), OP(ild_q, X80_C1), OP(bld, X80_C1),
    OP(st_s, X80_C1), OP(st_d, X80_C1), OP(ist_w, X80_C1), OP(ist_l, X80_C1), OP(ist_q, X80_C1), OP(istt_w, X80_C1),
    OP(istt_q, X80_C1), OP(bst, X80_C1), OP(com, X80_CC), OP(ucom, X80_CC), OP(com_s, X80_CC), OP(tst, X80_CC),
    OP(xam, X80_CC), OP(xtract, X80_C1), OP(ldpi, X80_C1), OP(ldl2t, X80_C1), OP(ldl2e, X80_C1), OP(ldlg2, X80_C1),
    OP(ldln2, X80_C1), OP(ld1, X80_C1), TR(f2xm1, 0), TR(yl2x, 0), TR(yl2xp1, 0), TR(patan, 0), TR(sin, X80_C2),
    TR(cos, X80_C2), TR(sincos, X80_C2), TR(ptan, X80_C2),
};

static struct f80 image_st(const struct image *im, unsigned i)
{
    struct f80 v;
    memcpy(&v.mant, im->st[i], 8);
    memcpy(&v.se, im->st[i] + 8, 2);
    return v;
}

/* Equal, or so many units in the last place from each other. */
static bool same(struct f80 a, struct f80 b, unsigned ulps)
{
    s128 x = ((s128)a.se << 63) + (s128)(a.mant & ~(1ull << 63)), y = ((s128)b.se << 63) + (s128)(b.mant & ~(1ull << 63));

    if (ulps == 0)
        return a.mant == b.mant && a.se == b.se;
    return (x > y ? x - y : y - x) <= ulps;
}

static void rnd_mem(uint8_t *mem)
{
    uint64_t r = rnd(), v = rnd();

    if (r & 1) { /* digits for the BCD load, a number or an edge of the formats else */
        for (unsigned i = 0; i < 10; i++)
            mem[i] = (uint8_t)(rnd() % 10 << 4 | rnd() % 10);
    } else {
        switch (r >> 1 & 7) {
        case 0: v &= 0x800fffff807fffff; break;
        case 1: v |= 0x7ff000007f800000; break;
        case 2: v = (v & 0x8000000080000000) | 0x7ff000007f800000; break;
        case 3: v &= 0x8000000080000000; break;
        case 4: v = (v & 0xbfffffffbfffffff) | 0x3f0000003f000000; break;
        default: break;
        }
        memcpy(mem, &v, 8);
        memcpy(mem + 8, &r, 2);
    }
    memcpy(mem + 10, &r, 6);
}

/* The only vendor whose CPUs this has been held against: unmasked responses and the transcendentals' flags are left open in part. */
static bool is_amd(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(0, &a, &b, &c, &d) && b == signature_AMD_ebx;
}

/* Masked mostly; every precision (the reserved one too) and rounding mode. */
static uint16_t rnd_cw(bool amd)
{
    uint64_t r = rnd();

    return (uint16_t)((r & 0xf00) | (r >> 20 & 1 || !amd ? 0x7f : 0x40 | (r >> 30 & 0x3f)));
}

static void check(const struct op *op, uint16_t cw, struct regs in)
{
    struct regs emu = in, host = in;
    struct x80_env e = { .cw = cw };
    struct image im;

    op->host(cw, &im, &in.st[0], &in.st[1], host.mem);
    host.st[0] = image_st(&im, 0);
    host.st[1] = image_st(&im, 1);
    host.sw = (uint16_t)im.sw & (X80_EXC | op->cc);
    op->emu(&e, &emu);
    emu.sw = e.sw & (X80_EXC | op->cc);
    if (same(emu.st[0], host.st[0], op->ulps) && same(emu.st[1], host.st[1], op->ulps) && emu.sw == host.sw &&
        !memcmp(emu.mem, host.mem, 16))
        return;
    for (unsigned i = 0; i < 2; i++)
        print_message("st%u %04x %016llx -> %04x %016llx, host %04x %016llx\n", i, in.st[i].se, (ull)in.st[i].mant,
                      emu.st[i].se, (ull)emu.st[i].mant, host.st[i].se, (ull)host.st[i].mant);
    for (unsigned i = 0; i < 10; i++)
        print_message("%02x.%02x.%02x ", in.mem[i], emu.mem[i], host.mem[i]);
    fail_msg("\n%s, control %04x: status %04x, host %04x", op->name, cw, emu.sw, host.sw);
}

static void test_host(void **state)
{
    const char *runs = getenv("X80_TEST_RUNS"), *only = getenv("X80_TEST_OP");
    const unsigned long n = runs ? strtoul(runs, NULL, 0) : 20000;
    const bool amd = is_amd();

    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        if ((only && strcmp(only, ops[i].name)) || (ops[i].ulps && !amd))
            continue;
        struct f80 near = { 1ull << 63, 0x3fff };
        for (unsigned long k = 0; k < n; k++) {
            struct regs in = { 0 };
            in.st[0] = rnd_f80(near);
            in.st[1] = rnd_f80(in.st[0]);
            near = in.st[1];
            rnd_mem(in.mem);
            check(&ops[i], rnd_cw(amd), in);
        }
    }
}
#else
static void test_host(void **state)
{
    skip();
}
#endif

/* What needs no x87 to be known: C's and the manual's constants. */
static void test_known(void **state)
{
    static const struct { void (*emu)(struct x80_env *, struct regs *); struct f80 a, b, want; uint16_t sw; } t[] = {
        { emu_add, { 1ull << 63, 0x3fff }, { 1ull << 63, 0x3fbf }, { 1ull << 63, 0x3fff }, X80_PE },
        { emu_div, { 1ull << 63, 0x3fff }, { 3ull << 62, 0x4000 }, { 0xaaaaaaaaaaaaaaab, 0x3ffd }, X80_PE | X80_C1 },
        { emu_sqrt, { 1ull << 63, 0x4000 }, { 0, 0 }, { 0xb504f333f9de6484, 0x3fff }, X80_PE },
        { emu_sin, { 1ull << 63, 0x3fff }, { 0, 0 }, { 0xd76aa47848677021, 0x3ffe }, X80_PE | X80_C1 },
        { emu_patan, { 1ull << 63, 0x3fff }, { 1ull << 63, 0x3fff }, { 0xc90fdaa22168c235, 0x3ffe }, X80_PE | X80_C1 },
        { emu_patan, { 1ull << 63, 0xbfff }, { 0, 0x8000 }, { 0xc90fdaa22168c235, 0xc000 }, X80_PE | X80_C1 },
        { emu_yl2x, { 0xa000000000000000, 0x4002 }, { 1ull << 63, 0x3fff }, { 0xd49a784bcd1b8afe, 0x4000 }, X80_PE },
        { emu_f2xm1, { 1ull << 63, 0x3ffe }, { 0, 0 }, { 0xd413cccfe7799211, 0x3ffd }, X80_PE },
        { emu_mul, { 1ull << 63, 0x7fff }, { 0, 0x8000 }, { 3ull << 62, 0xffff }, X80_IE },
        { emu_rem, { 0xe000000000000000, 0x4001 }, { 1ull << 63, 0x4000 }, { 1ull << 63, 0x3fff }, X80_C1 | X80_C3 },
        { emu_cos, { 1ull << 63, 0x403e }, { 0, 0 }, { 1ull << 63, 0x403e }, X80_C2 },
    };

    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        struct x80_env e = { .cw = 0x37f };
        struct regs r = { .st = { t[i].a, t[i].b } };
        t[i].emu(&e, &r);
        if (r.st[0].mant != t[i].want.mant || r.st[0].se != t[i].want.se || e.sw != t[i].sw)
            fail_msg("row %zu: %04x %016llx, status %04x", i, r.st[0].se, (ull)r.st[0].mant, e.sw);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
