/*
 * string.isa.c: MOVS STOS LODS CMPS SCAS with their REP prefixes. Intel SDM volume 1, 7.3.9. Without a prefix they are IR. With one, a
 * helper does up to a chunk of them on the registers in the CPU, so that a fault finds them exact, and the instruction is run again
 * as long as there is something left, which lets requests in between.
 * Known gaps: INS and OUTS are system.isa.c's.
 */
#include "xl.h"
#include "mem/mem.h"

enum { REP_CHUNK = 1 << 16 }; /* bytes at a time */

/* What a REP helper is told: one number, made by rep_spec. */
struct spec {
    uint8_t size;    /* bytes of an element */
    uint8_t asize;   /* bits of rCX, rSI, rDI */
    uint8_t seg;     /* of rSI */
    uint8_t rep;     /* 0xf3 or 0xf2 */
    bool bases;      /* ES and DS have one */
    bool wide;       /* linear addresses have 64 bits */
};

static V rep_spec(struct xlat *t, F *f, unsigned bits)
{
    bool bases = t->mode & MODE_SEG && !code64(t);
    return ir_k32(t, bits / 8 | (f->asize / 16u) << 4 | (unsigned)f->mem_seg << 8 | (f->rep == 0xf2 ? 1u << 12 : 0) | (unsigned)bases << 13 |
                     (unsigned)code64(t) << 14);
}
static struct spec spec_of(uint32_t k)
{
    return (struct spec){ .size = k & 15, .asize = (uint8_t)((k >> 4 & 15) * 16), .seg = k >> 8 & 15, .rep = k >> 12 & 1 ? 0xf2 : 0xf3,
                          .bases = k >> 13 & 1, .wide = k >> 14 & 1 };
}

static uint64_t reg(const struct x86_cpu *x, const struct spec *s, unsigned n)
{
    return x->r[n] & bits_mask(s->asize);
}
static void set_reg(struct x86_cpu *x, const struct spec *s, unsigned n, uint64_t v)
{
    uint64_t m = bits_mask(s->asize);
    x->r[n] = s->asize == 16 ? (x->r[n] & ~m) | (v & m) : v & m;
}
static uint64_t linear(const struct x86_cpu *x, const struct spec *s, unsigned seg, uint64_t offset)
{
    if (s->bases || seg >= SEG_FS) offset += x->segbase[seg];
    return s->wide ? offset : (uint32_t)offset;
}
static uint64_t source(const struct x86_cpu *x, const struct spec *s)
{
    return linear(x, s, s->seg, reg(x, s, R_RSI));
}
static uint64_t dest(const struct x86_cpu *x, const struct spec *s)
{
    return linear(x, s, SEG_ES, reg(x, s, R_RDI));
}
static void step(struct x86_cpu *x, const struct spec *s, bool si, bool di, uint64_t n)
{
    uint64_t d = x->df * s->size * n;
    if (si) set_reg(x, s, R_RSI, reg(x, s, R_RSI) + d);
    if (di) set_reg(x, s, R_RDI, reg(x, s, R_RDI) + d);
    set_reg(x, s, R_RCX, reg(x, s, R_RCX) - n);
}
static unsigned mo(const struct spec *s)
{
    return (unsigned)__builtin_ctz(s->size);
}

/* Elements that can be done at once: upwards, in one page of each operand, no wrap; at least 1. */
static uint64_t at_once(const struct x86_cpu *x, const struct spec *s, uint64_t left, uint64_t a, uint64_t b)
{
    uint64_t page = 4096, room = MIN(page - (a & (page - 1)), page - (b & (page - 1))) / s->size;
    if ((int64_t)x->df < 0) return 1;
    return MAX(MIN(left, room), 1u);
}

static uint64_t chunk(const struct x86_cpu *x, const struct spec *s)
{
    return MIN(reg(x, s, R_RCX), (uint64_t)REP_CHUNK / s->size);
}

HELPER(void, rep_movs, (CPU *cpu, uint32_t k), "fault r=gpr,flags,seg w=gpr")
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    struct spec s = spec_of(k);
    uint8_t buf[4096];

    for (uint64_t left = chunk(x, &s), n; left; left -= n) {
        uint64_t from = source(x, &s), to = dest(x, &s);
        n = at_once(x, &s, left, from, to);
        if (n > 1 && to - from < n * s.size) n = to - from >= s.size ? (to - from) / s.size : 1; /* what is read was written before */
        if (n > 1) {
            cpu_ldn(cpu, buf, from, n * s.size);
            cpu_stn(cpu, to, buf, n * s.size);
        } else {
            cpu_st(cpu, to, cpu_ld(cpu, from, mo(&s)), mo(&s));
        }
        step(x, &s, true, true, n);
    }
}

HELPER(void, rep_stos, (CPU *cpu, uint32_t k), "fault r=gpr,flags,seg w=gpr")
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    struct spec s = spec_of(k);
    uint8_t buf[4096];
    unsigned filled = 0;

    for (uint64_t left = chunk(x, &s), n; left; left -= n) {
        uint64_t to = dest(x, &s);
        n = at_once(x, &s, left, to, to);
        for (; n > 1 && filled < n * s.size; filled += s.size) memcpy(buf + filled, &x->r[R_RAX], s.size);
        if (n > 1) cpu_stn(cpu, to, buf, n * s.size);
        else cpu_st(cpu, to, x->r[R_RAX], mo(&s));
        step(x, &s, false, true, n);
    }
}

HELPER(void, rep_lods, (CPU *cpu, uint32_t k), "fault r=gpr,flags,seg w=gpr")
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    struct spec s = spec_of(k);

    for (uint64_t left = chunk(x, &s); left; left--) {
        uint64_t v = cpu_ld(cpu, source(x, &s), mo(&s));
        x->r[R_RAX] = s.size >= 4 ? v : (x->r[R_RAX] & ~bits_mask(8u * s.size)) | v;
        step(x, &s, true, false, 1);
    }
}

static void compare(struct x86_cpu *x, unsigned bits, uint64_t a, uint64_t b)
{
    uint64_t r = a - b, top = 1ull << (bits - 1);
    x86_set_szp(x, r, bits);
    x->cf = a < b;
    x->of = ((a ^ b) & (a ^ r) & top) != 0;
    x->afv = x->pfv ^ (uint32_t)(a ^ b ^ r);
}

/* CMPS (with a source) and SCAS: true if the loop ends with this element. */
static bool compare_one(CPU *cpu, struct x86_cpu *x, const struct spec *s, bool cmps)
{
    unsigned bits = 8u * s->size;
    uint64_t a = cmps ? cpu_ld(cpu, source(x, s), mo(s)) : x->r[R_RAX] & bits_mask(bits), b = cpu_ld(cpu, dest(x, s), mo(s));
    bool stop = (a == b) != (s->rep == 0xf3);

    step(x, s, cmps, true, 1);
    if (stop || !reg(x, s, R_RCX)) compare(x, bits, a, b);
    return stop;
}

/* True: the instruction is over. */
HELPER(bool, rep_compare, (CPU *cpu, uint32_t k, bool cmps), "fault r=gpr,flags,seg w=gpr,flags")
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    struct spec s = spec_of(k);

    for (uint64_t left = chunk(x, &s); left; left--)
        if (compare_one(cpu, x, &s, cmps)) return true;
    return !reg(x, &s, R_RCX);
}

/* Once more as long as rCX says so. */
static void again(struct xlat *t, F *f)
{
    xl_branch(t, ir_cmpi(t, C_NE, gpr(t, R_RCX, f->asize), 0), t->pc);
}

static void advance(struct xlat *t, F *f, unsigned n, unsigned bits)
{
    V d = ir_trunc(t, type_of(f->asize), ir_shli(t, ir_get(t, R_DF), (unsigned)__builtin_ctz(bits / 8)));
    set_gpr(t, n, ir_add(t, gpr(t, n, f->asize), d));
}

INSN(movs, "A4 rep Yb,Xb | A5 rep Yv,Xv", "movs")
{
    if (f->rep) {
        IR_CALL(t, rep_movs, rep_spec(t, f, f->op[0].bits));
        again(t, f);
        return;
    }
    dst(t, f, 0, src(t, f, 1));
    advance(t, f, R_RSI, f->op[0].bits);
    advance(t, f, R_RDI, f->op[0].bits);
}

INSN(stos, "AA rep Yb,AL | AB rep Yv,rAX", "stos")
{
    if (f->rep) {
        IR_CALL(t, rep_stos, rep_spec(t, f, f->op[0].bits));
        again(t, f);
        return;
    }
    dst(t, f, 0, src(t, f, 1));
    advance(t, f, R_RDI, f->op[0].bits);
}

INSN(lods, "AC rep AL,Xb | AD rep rAX,Xv", "lods")
{
    if (f->rep) {
        IR_CALL(t, rep_lods, rep_spec(t, f, f->op[0].bits));
        again(t, f);
        return;
    }
    dst(t, f, 0, src(t, f, 1));
    advance(t, f, R_RSI, f->op[0].bits);
}

static void scan(struct xlat *t, F *f, bool cmps)
{
    if (f->rep) {
        V over = IR_CALL(t, rep_compare, rep_spec(t, f, f->op[0].bits), k1(t, cmps));
        xl_branch(t, ir_not(t, over), t->pc);
        return;
    }
    V a = src(t, f, 0), b = src(t, f, 1);
    struct flags fl = flags_sub(t, a, b, 0, ir_sub(t, a, b));
    if (cmps) advance(t, f, R_RSI, f->op[0].bits);
    advance(t, f, R_RDI, f->op[0].bits);
    put_flags(t, &fl);
}

INSN(cmps, "A6 repz Xb,Yb | A7 repz Xv,Yv", "cmps")
{
    scan(t, f, true);
}

INSN(scas, "AE repz AL,Yb | AF repz rAX,Yv", "scas")
{
    scan(t, f, false);
}
