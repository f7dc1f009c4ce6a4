/* gen.c: random IR programs: every op of ops.def with operands of every kind it takes, branches, bounded loops. */
#include "random_ir.h"

struct gen {
    struct rng *r;
    struct ir *ir;
    V pool[T_COUNT][8];        /* recent values of the block by type */
    uint8_t n[T_COUNT];
    bool in_loop;
};

/* -- values ------------------------------------------------------------------------------------------------------- */

uint64_t rnd_value(struct rng *r, enum ir_type t)
{
    static const struct { uint8_t bits, frac; } fp[] = { { 16, 10 }, { 32, 23 }, { 64, 52 } };
    const unsigned bits = ir_type_bits[t];
    uint64_t k = rnd(r);

    if (t >= T_F16 && t <= T_F64) {
        unsigned b = fp[t - T_F16].bits, f = fp[t - T_F16].frac;
        uint64_t emax = bits_mask(b - 1 - f), exp = k >> 20 & emax, man = rnd(r) & bits_mask(f);
        switch (k & 15) {
        case 0: exp = 0; break;
        case 1: exp = emax; break;
        case 2: exp = emax - 1; break;
        case 3: exp = k >> 40 & 1; break;
        case 4: case 5: case 6: case 7: case 8: case 9: exp = emax / 2 + (k >> 40 & 15) - 7; break;
        }
        switch (k >> 4 & 7) {
        case 0: case 1: man = 0; break;
        case 2: man = bits_mask(f); break;
        case 3: man = 1ull << (k >> 50) % f; break;
        }
        return (k >> 63) << (b - 1) | exp << f | man;
    }
    switch (k & 15) {
    case 0: case 1: k = k >> 8 & 3; break;
    case 2: k = ~0ull; break;
    case 3: k = 1ull << (k >> 8 & 63); break;
    case 4: k = (1ull << (k >> 8 & 63)) - 1; break;
    case 5: k = ~0ull << (k >> 8 & 63); break;
    case 6: k = 1ull << (bits - 1); break;
    case 7: k = bits_mask(bits - 1); break;
    case 8: case 9: k = (uint64_t)(int64_t)(int8_t)(k >> 8); break;
    case 10: k = (uint64_t)(int64_t)(int32_t)(k >> 8); break;
    default: k = rnd(r); break;
    }
    return k & bits_mask(bits);
}

static V keep(struct gen *g, V v)
{
    unsigned t = g->ir->ins[v].type;

    if (t == T_VOID)
        return v;
    g->pool[t][g->n[t] < 8 ? g->n[t]++ : below(g->r, 8)] = v;
    return v;
}

static V emit(struct gen *g, struct ir_ins ins)
{
    return keep(g, ir_emit(g->ir, ins));
}

static V constant(struct gen *g, enum ir_type t)
{
    if (t == T_V128) {
        struct ir *ir = g->ir;
        ir->kv = vec_grow(ir->kv, &ir->cap_kv, ir->nkv + 1, sizeof *ir->kv);
        for (unsigned i = 0; i < 2; i++)
            ir->kv[ir->nkv].u64[i] = rnd_value(g->r, chance(g->r, 50) ? T_I64 : T_F64);
        return emit(g, (struct ir_ins){ .op = IR_KV, .type = T_V128, .x = ir->nkv++ });
    }
    return emit(g, (struct ir_ins){ .op = IR_K, .type = (uint8_t)t, .imm = rnd_value(g->r, t) });
}

static int reg_of_type(struct gen *g, enum ir_type t)
{
    uint32_t total = g->ir->nregs + g->ir->nvars, at = below(g->r, total);

    for (uint32_t i = 0; i < total; i++, at = (at + 1) % total)
        if (ir_regtype(g->ir, at) == t && at != R_LOOP)
            return (int)at;
    return -1;
}

/* Some value of a type: made before in this block, read from a register, or a constant. */
static V some(struct gen *g, enum ir_type t)
{
    int reg = reg_of_type(g, t);

    if (g->n[t] && chance(g->r, 60))
        return g->pool[t][below(g->r, g->n[t])];
    if (reg >= 0 && chance(g->r, 75))
        return emit(g, (struct ir_ins){ .op = IR_GET, .type = (uint8_t)t, .x = (uint32_t)reg });
    return constant(g, t);
}

static enum ir_type pick(struct gen *g, unsigned types)
{
    unsigned t;

    do
        t = below(g->r, T_COUNT);
    while (!(types >> t & 1));
    return (enum ir_type)t;
}

static unsigned pick_lane(struct gen *g, unsigned lanes)
{
    unsigned l;

    do
        l = below(g->r, 7);
    while (!(lanes >> l & 1));
    return l;
}

/* -- helpers ---------------------------------------------------------------------------------------------------------- */

static uint64_t h_mix(CPU *cpu, uint64_t a, uint32_t b)
{
    return (a ^ b) * 0x9e3779b97f4a7c15 >> 3;
}
static void h_mix_thunk(void *cpu, union vlanes *ret, const union vlanes *a)
{
    ret->u64[0] = h_mix(cpu, a[0].u64[0], (uint32_t)a[1].u64[0]);
}
static v128 h_vec(CPU *cpu, v128 a, uint64_t b)
{
    union vlanes x = { .v = a };
    ((struct rcpu *)cpu)->v[1].u64[0] ^= b;
    x.u64[1] += b;
    return x.v;
}
static void h_vec_thunk(void *cpu, union vlanes *ret, const union vlanes *a)
{
    ret->v = h_vec(cpu, a[0].v, a[1].u64[0]);
}
static void h_swap(CPU *cpu, uint64_t a)
{
    struct rcpu *c = (struct rcpu *)cpu;
    uint64_t t = c->x[0];
    c->x[0] = c->x[9] + a + cpu->pc;
    c->x[9] = t;
    c->w[1] ^= (uint32_t)a;
}
static void h_swap_thunk(void *cpu, union vlanes *ret, const union vlanes *a)
{
    h_swap(cpu, a[0].u64[0]);
}
static uint64_t h_flags(CPU *cpu, uint64_t d, uint32_t s, uint8_t b)
{
    cpu->fp.flags |= b ? FPF_DIVZERO : FPF_OVERFLOW;
    return d ^ s;
}
static void h_flags_thunk(void *cpu, union vlanes *ret, const union vlanes *a)
{
    ret->u64[0] = h_flags(cpu, a[0].u64[0], (uint32_t)a[1].u64[0], a[2].u8[0]);
}
static uint32_t h_raise(CPU *cpu, uint32_t a)
{
    if (a % 8 == 0)
        cpu_raise(cpu, EXC_GUEST, 5, a);
    return a + 1;
}
static void h_raise_thunk(void *cpu, union vlanes *ret, const union vlanes *a)
{
    ret->u64[0] = h_raise(cpu, a[0].u32[0]);
}
static const struct ir_helper helpers[] = {
    { "raise", (void *)h_raise, h_raise_thunk, T_I32, 1, { T_I32 }, 0, 0, HF_FAULT },
    { "mix", (void *)h_mix, h_mix_thunk, T_I64, 2, { T_I64, T_I32 }, 0, 0, HF_PURE },
    { "vec", (void *)h_vec, h_vec_thunk, T_V128, 2, { T_V128, T_I64 }, 8, 8, 0 },
    { "swap", (void *)h_swap, h_swap_thunk, T_VOID, 1, { T_I64 }, 1, 1, HF_FAULT },
    { "flags", (void *)h_flags, h_flags_thunk, T_F64, 3, { T_F64, T_F32, T_I1 }, 0, 0, HF_FP },
};

static void gen_call(struct gen *g)
{
    struct ir *ir = g->ir;
    struct ir_call c = { .h = &helpers[below(g->r, ARRAY_LEN(helpers))] };

    for (unsigned i = 0; i < c.h->nargs; i++)
        c.arg[i] = some(g, c.h->args[i]);
    ir->calls = vec_grow(ir->calls, &ir->cap_calls, ir->ncalls + 1, sizeof *ir->calls);
    ir->calls[ir->ncalls] = c;
    emit(g, (struct ir_ins){ .op = IR_CALL, .type = c.h->ret, .x = ir->ncalls++ });
}

/* -- scalars ------------------------------------------------------------------------------------------------------------ */

#define T(x) (1u << T_##x)
enum {
    INTS = T(I8) | T(I16) | T(I32) | T(I64),
    BITS = INTS | T(I1),
    WIDE = T(I32) | T(I64),
    FPS = T(F16) | T(F32) | T(F64),
    ALL = BITS | FPS | T(V128)
};

static void unary(struct gen *g, unsigned op, unsigned types)
{
    enum ir_type t = pick(g, types);
    emit(g, (struct ir_ins){ .op = (uint8_t)op, .type = (uint8_t)t, .a = some(g, t) });
}

static void binary(struct gen *g, unsigned op, unsigned types)
{
    enum ir_type t = pick(g, types);
    V a = some(g, t), b = some(g, t);
    emit(g, (struct ir_ins){ .op = (uint8_t)op, .type = (uint8_t)t, .a = a, .b = b });
}

static void gen_int(struct gen *g)
{
    static const struct { uint8_t op, unary; uint16_t types; } ops[] = {
        { IR_ADD, 0, INTS }, { IR_ADD, 0, WIDE }, { IR_ADD, 0, WIDE }, { IR_SUB, 0, INTS }, { IR_SUB, 0, WIDE }, { IR_MUL, 0, INTS },
        { IR_MULHS, 0, WIDE }, { IR_MULHU, 0, WIDE }, { IR_MULHSU, 0, WIDE }, { IR_DIVS, 0, WIDE }, { IR_DIVU, 0, WIDE }, { IR_REMS, 0, WIDE },
        { IR_REMU, 0, WIDE }, { IR_NEG, 1, INTS }, { IR_NOT, 1, BITS }, { IR_AND, 0, BITS }, { IR_OR, 0, BITS }, { IR_XOR, 0, BITS },
        { IR_SHL, 0, INTS }, { IR_SHR, 0, INTS }, { IR_SAR, 0, INTS }, { IR_ROTR, 0, INTS }, { IR_CLZ, 1, INTS }, { IR_CTZ, 1, INTS },
        { IR_POPCNT, 1, INTS }, { IR_BSWAP, 1, INTS & ~T(I8) }, { IR_BITREV, 1, INTS }, { IR_CLMUL, 0, WIDE }, { IR_CLMULH, 0, WIDE },
        { IR_FNEG, 1, FPS }, { IR_FABS, 1, FPS }, { IR_FSGN, 0, FPS },
    };
    unsigned i = below(g->r, ARRAY_LEN(ops));

    (ops[i].unary ? unary : binary)(g, ops[i].op, ops[i].types);
}

static void gen_int2(struct gen *g)
{
    enum ir_type t = pick(g, INTS), u;
    unsigned w = ir_type_bits[t], k = below(g->r, 13);
    struct ir_ins i = { .type = (uint8_t)t };

    switch (k) {
    case 0: case 1: case 2:
        i.op = k == 0 ? IR_UBFX : k == 1 ? IR_SBFX : IR_BFI;
        i.x = below(g->r, w);
        i.y = 1 + below(g->r, w - i.x);
        i.a = some(g, t);
        i.b = k == 2 ? some(g, t) : 0;
        break;
    case 3:
        i.op = IR_EXTR, i.type = t = chance(g->r, 50) ? T_I32 : T_I64;
        i.a = some(g, t), i.b = some(g, t), i.x = below(g->r, ir_type_bits[t]);
        break;
    case 4: case 5: case 6:
        do
            t = pick(g, BITS), u = pick(g, BITS);
        while (t == u);
        i.op = t < u ? IR_TRUNC : k == 4 ? IR_SEXT : IR_ZEXT;
        i.type = (uint8_t)t;
        i.a = some(g, u);
        break;
    case 7: case 8: case 9:
        i.op = IR_CMP, i.type = T_I1, i.sub = (uint8_t)below(g->r, 10);
        i.a = some(g, t), i.b = some(g, t);
        break;
    case 10:
        i.op = chance(g->r, 50) ? IR_SADDOV : IR_SSUBOV, i.type = T_I1;
        i.a = some(g, t), i.b = some(g, t);
        break;
    case 11:
        i.op = IR_SELECT, i.type = t = pick(g, ALL);
        i.a = some(g, T_I1), i.b = some(g, t), i.c = some(g, t);
        break;
    default:
        i.op = IR_BITCAST, i.type = 0;
        switch (below(g->r, 3)) {
        case 0: t = T_I16, u = T_F16; break;
        case 1: t = T_I32, u = T_F32; break;
        default: t = T_I64, u = T_F64; break;
        }
        if (chance(g->r, 50))
            i.type = (uint8_t)t, i.a = some(g, u);
        else
            i.type = (uint8_t)u, i.a = some(g, t);
        break;
    }
    emit(g, i);
}

static uint8_t rnd_rm(struct gen *g)
{
    return chance(g->r, 60) ? RM_DYN : (uint8_t)(RM_RNE + below(g->r, 6));
}

static unsigned rnd_ftoi(struct gen *g)
{
    unsigned f = below(g->r, 3) << 1 | (chance(g->r, 20) ? FTOI_NOINEX : 0);
    return f | (chance(g->r, 50) || (f & 6) == FTOI_X86 ? FTOI_SIGNED : 0);
}

static void gen_fp(struct gen *g)
{
    static const uint8_t arith[] = { IR_FADD, IR_FSUB, IR_FMUL, IR_FDIV, IR_FSQRT, IR_FMA };
    enum ir_type t = pick(g, chance(g->r, 80) ? T(F32) | T(F64) : FPS), u;
    unsigned k = below(g->r, 16);
    struct ir_ins i = { .type = (uint8_t)t, .sub = rnd_rm(g) };

    switch (k) {
    case 6: case 7:
        i.op = chance(g->r, 50) ? IR_FMIN : IR_FMAX, i.sub = 0, i.mo = (uint8_t)below(g->r, 4);
        i.a = some(g, t), i.b = some(g, t);
        break;
    case 8: case 9:
        i.op = IR_FCMP, i.type = T_I1, i.sub = (uint8_t)below(g->r, 4), i.mo = chance(g->r, 50);
        i.a = some(g, t), i.b = some(g, t);
        break;
    case 10:
        do
            u = pick(g, FPS);
        while (u == t);
        i.op = IR_FCVT, i.a = some(g, u);
        break;
    case 11: i.op = IR_FTOI, i.type = (uint8_t)pick(g, WIDE), i.mo = (uint8_t)rnd_ftoi(g), i.a = some(g, t); break;
    case 12: i.op = IR_ITOF, i.mo = chance(g->r, 50), i.a = some(g, pick(g, WIDE)); break;
    case 13: i.op = IR_FRINT, i.mo = chance(g->r, 50), i.a = some(g, t); break;
    case 14:
        u = chance(g->r, 70) ? T_F32 : T_F16, i.sub = 0;
        if (chance(g->r, 50))
            i.op = IR_FBOX, i.type = T_F64, i.a = some(g, u);
        else
            i.op = IR_FUNBOX, i.type = (uint8_t)u, i.a = some(g, T_F64);
        break;
    case 15:
        if (chance(g->r, 50)) {
            i = (struct ir_ins){ .op = IR_FENVRD, .type = T_I32 };
        } else if (chance(g->r, 50)) {
            V k31 = ir_emit(g->ir, (struct ir_ins){ .op = IR_K, .type = T_I32, .imm = below(g->r, 32) });
            i = (struct ir_ins){ .op = IR_FENVWR, .a = k31 };
        } else {
            V rm = ir_emit(g->ir, (struct ir_ins){ .op = IR_K, .type = T_I32, .imm = RM_RNE + below(g->r, 4) });
            i = (struct ir_ins){ .op = IR_FRMWR, .a = rm };
        }
        break;
    default:
        i.op = arith[k];
        i.a = some(g, t), i.b = i.op != IR_FSQRT ? some(g, t) : 0, i.c = i.op == IR_FMA ? some(g, t) : 0;
        break;
    }
    emit(g, i);
}

/* -- vectors ------------------------------------------------------------------------------------------------------------- */

enum { LI = 15, LI3 = 7, LF = 0x70, LF2 = 0x60 };

static void gen_vec(struct gen *g)
{
    enum { N1, N2, N3, SHIFT, HALF2, HALF1, PARTS };
    static const struct { uint8_t op, kind, lanes; } ops[] = {
        { IR_VADD, N2, LI }, { IR_VSUB, N2, LI }, { IR_VMUL, N2, LI }, { IR_VMULHS, N2, LI }, { IR_VMULHU, N2, LI }, { IR_VMULLS, HALF2, LI3 },
        { IR_VMULLU, HALF2, LI3 }, { IR_VDOTSS, N3, 4 }, { IR_VDOTUU, N3, 4 }, { IR_VDOTUS, N3, 4 }, { IR_VAND, N2, 1 }, { IR_VOR, N2, 1 },
        { IR_VXOR, N2, 1 }, { IR_VANDN, N2, 1 }, { IR_VBSEL, N3, 1 }, { IR_VABS, N1, LI }, { IR_VMINS, N2, LI }, { IR_VMINU, N2, LI },
        { IR_VMAXS, N2, LI }, { IR_VMAXU, N2, LI }, { IR_VAVGU, N2, LI }, { IR_VADDSS, N2, LI }, { IR_VADDUS, N2, LI }, { IR_VSUBSS, N2, LI },
        { IR_VSUBUS, N2, LI }, { IR_VSHLI, SHIFT, LI }, { IR_VSHRI, SHIFT, LI }, { IR_VSARI, SHIFT, LI }, { IR_VSHL, N2, LI }, { IR_VSHR, N2, LI },
        { IR_VSAR, N2, LI }, { IR_VPOPCNT, N1, LI }, { IR_VCLZ, N1, LI }, { IR_VBITREV, N1, 1 }, { IR_VZIP1, N2, LI }, { IR_VZIP2, N2, LI },
        { IR_VUZP1, N2, LI }, { IR_VUZP2, N2, LI }, { IR_VTRN1, N2, LI }, { IR_VTRN2, N2, LI }, { IR_VTBL, N2, 1 }, { IR_VSXTL, HALF1, LI3 },
        { IR_VUXTL, HALF1, LI3 }, { IR_VNARROW, N2, LI3 }, { IR_VNARSS, N2, LI3 }, { IR_VNARSU, N2, LI3 }, { IR_VNARUU, N2, LI3 },
        { IR_VPADD, N2, LI }, { IR_VCLMUL, PARTS, 1 }, { IR_VAESE, N2, 1 }, { IR_VAESD, N2, 1 }, { IR_VAESMC, N1, 1 }, { IR_VAESIMC, N1, 1 },
        { IR_VFNEG, N1, LF }, { IR_VFABS, N1, LF },
    };
    unsigned k = below(g->r, ARRAY_LEN(ops)), kind = ops[k].kind;
    struct ir_ins i = { .op = ops[k].op, .type = T_V128 };

    i.sub = (uint8_t)pick_lane(g, ops[k].lanes);
    i.a = some(g, T_V128);
    if (kind == N2 || kind == N3 || kind == HALF2 || kind == PARTS)
        i.b = some(g, T_V128);
    if (kind == N3)
        i.c = some(g, T_V128);
    if (kind == SHIFT)
        i.x = below(g->r, (8u << i.sub) + 1);
    else if (kind >= HALF2)
        i.x = below(g->r, 2);
    if (kind == PARTS)
        i.y = below(g->r, 2);
    emit(g, i);
}

static unsigned lane_bits(unsigned lane)
{
    return lane <= L_I64 ? 8u << lane : 16u << (lane - L_F16);
}

static void gen_vec2(struct gen *g)
{
    static const uint8_t lane_type[] = { T_I8, T_I16, T_I32, T_I64, T_F16, T_F32, T_F64 };
    unsigned lane = pick_lane(g, 0x7f), bits = lane_bits(lane);
    struct ir_ins i = { .type = T_V128, .sub = (uint8_t)lane };

    switch (below(g->r, 10)) {
    case 0: i.op = IR_VCMP, i.sub = (uint8_t)pick_lane(g, LI), i.mo = (uint8_t)below(g->r, 10), i.a = some(g, T_V128), i.b = some(g, T_V128); break;
    case 1: i.op = IR_VDUP, i.a = some(g, lane <= L_I64 && chance(g->r, 30) ? T_I64 : lane_type[lane]); break;
    case 2: i.op = IR_VFROM, i.sub = 0, i.a = some(g, pick(g, INTS | FPS)); break;
    case 3: i.op = IR_VZEXT, i.sub = 0, i.x = 2u << below(g->r, 3), i.a = some(g, T_V128); break;
    case 4: case 5:
        i.op = IR_VGET, i.type = lane_type[lane], i.x = below(g->r, 128 / bits), i.a = some(g, T_V128);
        if (lane < L_I32 && chance(g->r, 50))
            i.type = chance(g->r, 50) ? T_I32 : T_I64;
        break;
    case 6: i.op = IR_VINS, i.a = some(g, T_V128), i.b = some(g, lane_type[lane]), i.x = below(g->r, 128 / bits); break;
    case 7:
        i.op = IR_VINSV, i.a = some(g, T_V128), i.b = some(g, T_V128);
        i.x = below(g->r, 128 / bits), i.y = below(g->r, 128 / bits);
        break;
    case 8: i.op = IR_VALIGN, i.sub = 0, i.a = some(g, T_V128), i.b = some(g, T_V128), i.x = below(g->r, 17); break;
    default:
        i.sub = (uint8_t)pick_lane(g, LI), i.a = some(g, T_V128);
        if (chance(g->r, 30))
            i.op = IR_VMSK, i.type = T_I32;
        else
            i.op = IR_VRED, i.mo = (uint8_t)below(g->r, 6), i.type = i.sub == L_I64 || chance(g->r, 50) ? T_I64 : T_I32;
        break;
    }
    emit(g, i);
}

static void gen_vecfp(struct gen *g)
{
    static const uint8_t arith[] = { IR_VFADD, IR_VFSUB, IR_VFMUL, IR_VFDIV, IR_VFSQRT, IR_VFMA };
    unsigned k = below(g->r, 13);
    struct ir_ins i = { .type = T_V128, .sub = (uint8_t)pick_lane(g, chance(g->r, 85) ? LF2 : LF), .mo = rnd_rm(g) };

    i.a = some(g, T_V128);
    switch (k) {
    case 6: case 7: i.op = chance(g->r, 50) ? IR_VFMIN : IR_VFMAX, i.mo = (uint8_t)below(g->r, 4), i.b = some(g, T_V128); break;
    case 8: i.op = IR_VFCMP, i.mo = (uint8_t)(below(g->r, 4) | (chance(g->r, 50) ? FC_SIGNALLING : 0)), i.b = some(g, T_V128); break;
    case 9: i.op = IR_VFTOI, i.x = rnd_ftoi(g); break;
    case 10: i.op = IR_VITOF, i.x = below(g->r, 2); break;
    case 11: i.op = IR_VFRINT, i.x = below(g->r, 2); break;
    case 12:
        i.op = chance(g->r, 50) ? IR_VFCVTW : IR_VFCVTN, i.sub = chance(g->r, 50) ? L_F16 : L_F32;
        i.x = i.op == IR_VFCVTW ? below(g->r, 2) : 0;
        break;
    default:
        i.op = arith[k];
        i.b = i.op != IR_VFSQRT ? some(g, T_V128) : 0, i.c = i.op == IR_VFMA ? some(g, T_V128) : 0;
        break;
    }
    emit(g, i);
}

/* -- memory, traps ------------------------------------------------------------------------------------------------------- */

/* An address: nearly always inside DATA, sometimes across its end. */
static V address(struct gen *g, bool aligned)
{
    bool wild = chance(g->r, 4);
    uint64_t mask = aligned ? 0x1ff0 : 0x1fff;
    V off = ir_emit(g->ir, (struct ir_ins){ .op = IR_AND, .type = T_I64, .a = some(g, T_I64),
                                            .b = ir_emit(g->ir, (struct ir_ins){ .op = IR_K, .type = T_I64, .imm = wild ? 0x3ff0 : (mask - 0xff) & mask }) });
    return ir_emit(g->ir, (struct ir_ins){ .op = IR_ADD, .type = T_I64, .a = off,
                                           .b = ir_emit(g->ir, (struct ir_ins){ .op = IR_K, .type = T_I64, .imm = wild ? DATA_AT - 0x1000 : DATA_AT }) });
}

static void gen_mem(struct gen *g)
{
    static const uint8_t size_of[] = { [T_I8] = MO_8, [T_I16] = MO_16, [T_I32] = MO_32, [T_I64] = MO_64, [T_F16] = MO_16, [T_F32] = MO_32,
                                       [T_F64] = MO_64, [T_V128] = MO_128 };
    unsigned k = below(g->r, 14);
    enum ir_type t = pick(g, k >= 10 ? INTS : INTS | WIDE | FPS | T(V128));
    bool is_int = t <= T_I64;
    struct ir_ins i = { .type = (uint8_t)t, .mo = size_of[t] };

    if (is_int && k < 10 && chance(g->r, 40))
        i.mo = (uint8_t)below(g->r, i.mo + 1u);
    if (chance(g->r, 5))
        i.mo |= MO_BE;
    i.imm = chance(g->r, 60) ? below(g->r, 240) : 0;
    if (k < 5) {
        i.op = IR_LD, i.a = address(g, false);
        i.mo |= is_int && chance(g->r, 40) ? MO_SIGN : 0;
        i.mo |= chance(g->r, 5) ? MO_ACQ : 0;
        i.mo |= chance(g->r, 4) ? MO_ALIGN : 0;
    } else if (k < 10) {
        i.op = IR_ST, i.type = T_VOID, i.a = address(g, false), i.b = some(g, t);
        i.mo |= chance(g->r, 5) ? MO_REL : 0;
        i.mo |= chance(g->r, 4) ? MO_ALIGN : 0;
    } else if (k == 10) {
        i.op = IR_RMW, i.sub = (uint8_t)below(g->r, 10), i.a = address(g, true), i.b = some(g, t), i.imm = 0;
    } else if (k == 11) {
        if (chance(g->r, 30))
            i.type = t = T_V128, i.mo = (uint8_t)(MO_128 | (i.mo & MO_BE));
        i.op = IR_CAS, i.a = address(g, true), i.b = some(g, t), i.c = some(g, t), i.imm = 0;
    } else if (k == 12) {
        i = (struct ir_ins){ .op = IR_PROBE, .a = address(g, false), .y = 1 + below(g->r, 64), .mo = chance(g->r, 50) ? 1 << 7 : 0 };
    } else {
        i = (struct ir_ins){ .op = IR_FENCE, .sub = (uint8_t)(1 + below(g->r, 15)) };
    }
    emit(g, i);
}

static void put(struct gen *g, V v)
{
    int reg = reg_of_type(g, g->ir->ins[v].type);

    if (reg >= 0)
        emit(g, (struct ir_ins){ .op = IR_PUT, .a = v, .x = (uint32_t)reg });
}

static void gen_put(struct gen *g)
{
    put(g, some(g, pick(g, ALL)));
}

static void gen_trap(struct gen *g)
{
    V c = ir_emit(g->ir, (struct ir_ins){ .op = IR_CMP, .type = T_I1, .sub = C_ULT, .a = some(g, T_I32),
                                          .b = ir_emit(g->ir, (struct ir_ins){ .op = IR_K, .type = T_I32, .imm = below(g->r, 16) }) });
    emit(g, (struct ir_ins){ .op = IR_TRAPIF, .a = c, .sub = (uint8_t)(EXC_SYSCALL + below(g->r, 3)), .imm = below(g->r, 1000) });
}

/* What a compare or a subtraction that sets flags does: the difference, some of N Z C V, perhaps a condition as well. */
static void gen_flags(struct gen *g)
{
    uint8_t t = chance(g->r, 50) ? T_I64 : T_I32;
    V a = some(g, (enum ir_type)t), b = chance(g->r, 50) ? constant(g, (enum ir_type)t) : some(g, (enum ir_type)t);
    struct ir_ins diff = { .op = IR_SUB, .type = t, .a = a, .b = b };
    if (g->ir->ins[b].op == IR_K && chance(g->r, 50)) {
        V k = ir_emit(g->ir, (struct ir_ins){ .op = IR_K, .type = t, .imm = -g->ir->ins[b].imm & bits_mask(ir_type_bits[t]) });
        diff = (struct ir_ins){ .op = IR_ADD, .type = t, .a = a, .b = k };
    }
    V d = ir_emit(g->ir, diff), zero = ir_emit(g->ir, (struct ir_ins){ .op = IR_K, .type = t });
    if (chance(g->r, 40))
        put(g, keep(g, d));
    bool direct = chance(g->r, 50);
    for (unsigned i = 0; i < 5; i++) {
        struct ir_ins f = { .op = IR_CMP, .type = T_I1, .sub = i ? C_EQ : C_SLT, .a = d, .b = zero };
        if (i == 1 && direct)
            f.a = a, f.b = b;
        if (i == 2)
            f.sub = C_UGE, f.a = a, f.b = b;
        if (i == 3)
            f.op = IR_SSUBOV, f.sub = 0, f.a = a, f.b = b;
        if (i == 4)
            f.sub = (uint8_t)below(g->r, 10), f.a = a, f.b = b;
        V v = chance(g->r, 85) ? emit(g, f) : 0;
        if (v && i < 4)
            emit(g, (struct ir_ins){ .op = IR_PUT, .a = v, .x = R_FLAG + i });
    }
}

/* -- blocks --------------------------------------------------------------------------------------------------------------- */

static void gen_op(struct gen *g)
{
    unsigned k = below(g->r, 100);

    if (k < 18)
        gen_put(g);
    else if (k < 38)
        gen_int(g);
    else if (k < 52)
        gen_int2(g);
    else if (k < 63)
        gen_fp(g);
    else if (k < 75)
        gen_vec(g);
    else if (k < 81)
        gen_vec2(g);
    else if (k < 86)
        gen_vecfp(g);
    else if (k < 93)
        gen_mem(g);
    else if (k < 95)
        gen_flags(g);
    else if (k < 98)
        gen_trap(g);
    else
        gen_call(g);
}

static void leave(struct gen *g)
{
    uint64_t pc = 0x8000 + 4 * below(g->r, 100);
    uint8_t jk = (uint8_t)below(g->r, 3);
    uint32_t mode = chance(g->r, 30) ? below(g->r, 4) : 0;

    switch (below(g->r, 4)) {
    case 0: emit(g, (struct ir_ins){ .op = IR_EXC, .sub = (uint8_t)(EXC_SYSCALL + below(g->r, 3)), .x = below(g->r, 100), .imm = pc }); break;
    case 1: {
        V a = some(g, T_I64), b = chance(g->r, 30) ? some(g, T_I32) : 0;
        emit(g, (struct ir_ins){ .op = IR_EXITI, .a = a, .b = b, .y = mode, .sub = jk });
        break;
    }
    default: emit(g, (struct ir_ins){ .op = IR_EXIT, .imm = pc, .y = mode, .sub = jk }); break;
    }
}

/* The counter goes down; signed, so that a loop ends even when another one used it up. */
static V count_down(struct gen *g)
{
    struct ir *ir = g->ir;
    V c = ir_emit(ir, (struct ir_ins){ .op = IR_GET, .type = T_I64, .x = R_LOOP });
    V one = ir_emit(ir, (struct ir_ins){ .op = IR_K, .type = T_I64, .imm = 1 });
    V d = ir_emit(ir, (struct ir_ins){ .op = IR_SUB, .type = T_I64, .a = c, .b = one });
    ir_emit(ir, (struct ir_ins){ .op = IR_PUT, .a = d, .x = R_LOOP });
    V zero = ir_emit(ir, (struct ir_ins){ .op = IR_K, .type = T_I64 });
    return ir_emit(ir, (struct ir_ins){ .op = IR_CMP, .type = T_I1, .sub = C_SGT, .a = d, .b = zero });
}

static void gen_end(struct gen *g, unsigned n, unsigned nblk)
{
    unsigned later = nblk - n - 1;

    if (chance(g->r, 25))
        gen_flags(g);
    if (!later || chance(g->r, 8)) {
        leave(g);
        return;
    }
    uint32_t x = n + 1 + below(g->r, later), y = n + 1 + below(g->r, later);
    if (chance(g->r, 20)) {
        emit(g, (struct ir_ins){ .op = IR_JMP, .x = x });
        return;
    }
    V c;
    if (chance(g->r, 30)) {
        c = count_down(g);
        x = below(g->r, n + 1);
        g->ir->blk[x].loop_head = 1;
    } else {
        c = some(g, T_I1);
    }
    emit(g, (struct ir_ins){ .op = IR_BRC, .a = c, .x = x, .y = y });
}

static void gen_fp_policy(struct rng *r, struct ir_fp *fp)
{
    *fp = (struct ir_fp){ .nan = (uint8_t)below(r, 3), .tiny_before = chance(r, 40), .ftz = chance(r, 15), .ftz16 = chance(r, 15) };
    fp->slow = fp->ftz || fp->ftz16 || chance(r, 10);
}

void gen_program(struct rng *r, struct ir *ir, unsigned ops)
{
    struct gen g = { .r = r, .ir = ir };
    unsigned nblk = 1 + below(r, 6);
    uint64_t pc = 0x1000;

    ir_reset(ir, rregs, rnregs);
    gen_fp_policy(r, &ir->fp);
    uint32_t var[3] = { ir_newvar(ir, T_I64), ir_newvar(ir, T_V128), ir_newvar(ir, T_I32) };
    for (unsigned n = 0; n < nblk; n++)
        ir_newblock(ir, 0);
    ir->blk[0].entry = 1;
    for (unsigned n = 0; n < nblk; n++) {
        memset(g.n, 0, sizeof g.n);
        ir->blk[n].first = ir->nins;
        ir->blk[n].pc = pc;
        ir_emit(ir, (struct ir_ins){ .op = IR_INSN, .imm = pc, .x = 4 });
        for (unsigned i = 0; n == 0 && i < ARRAY_LEN(var); i++) {
            V v = constant(&g, ir_regtype(ir, var[i]));
            ir_emit(ir, (struct ir_ins){ .op = IR_PUT, .a = v, .x = var[i] });
        }
        for (unsigned k = 1 + below(r, ops); k > 0; k--) {
            gen_op(&g);
            if (ir->ins[ir->nins - 1].type != T_VOID && chance(r, 40))
                put(&g, ir->nins - 1); /* so that the result is seen */
            if (!chance(r, 30))
                continue;
            pc += 4;
            ir_emit(ir, (struct ir_ins){ .op = IR_NOP });
            ir_emit(ir, (struct ir_ins){ .op = IR_INSN, .imm = pc, .x = 4 });
        }
        gen_end(&g, n, nblk);
        ir->blk[n].end = ir->nins;
        pc += 4;
    }
}
