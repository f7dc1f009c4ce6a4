/*
 * random_test.c: random regions run before and after the passes, on ir_eval. What is compared: every memory access and
 * call with its operands, the registers each faulting op may show, the way through the blocks, and all guest registers
 * at exits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "ir/ir.h"

#define R(n, t, g) { .name = n, .type = t, .group = g, .pin = -1 }
static const struct ir_reg regs[] = {
    R("x0", T_I64, 0), R("x1", T_I64, 0), R("x2", T_I64, 0), R("w0", T_I32, 0), R("w1", T_I32, 0), R("h0", T_I16, 1),
    R("c0", T_I8, 1), R("n", T_I1, 2), R("z", T_I1, 2), R("c", T_I1, 2), R("v", T_I1, 2), R("d0", T_F64, 3),
    R("q0", T_V128, 3),
};
enum { NREGS = ARRAY_LEN(regs), NVARS = 2, NALL = NREGS + NVARS, MAX_VALUES = 600, MAX_EVENTS = 4000 };

static uint64_t seed;
static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1d;
}
static unsigned below(unsigned n)
{
    return (unsigned)(rnd() >> 33) % n;
}

/* --- making regions ---------------------------------------------------------------------------------------------------- */

static struct ir ir;
static V recent[T_COUNT][8];
static unsigned nrecent[T_COUNT];

static V keep(V v)
{
    unsigned t = ir.ins[v].type;
    recent[t][nrecent[t]++ % 8] = v;
    return v;
}

static uint64_t constant(unsigned w)
{
    switch (below(8)) {
    case 0: return 0;
    case 1: return 1;
    case 2: return ~0ull;
    case 3: return below(w);
    case 4: return bits_mask(1 + below(w));
    case 5: return 1ull << below(w);
    case 6: return (uint64_t)(int64_t)(int32_t)rnd();
    default: return rnd();
    }
}

static V value(unsigned type)
{
    unsigned have = MIN(nrecent[type], 8), w = ir_type_bits[type];
    if (have && below(5)) return recent[type][below(have)];
    if (type == T_V128 || type == T_F64 || below(2)) {
        unsigned r, tries = 0;
        do r = below(NALL);
        while (ir_regtype(&ir, r) != type && ++tries < 200);
        if (ir_regtype(&ir, r) == type)
            return keep(ir_emit(&ir, (struct ir_ins){ .op = IR_GET, .type = (uint8_t)type, .x = r }));
    }
    return keep(ir_emit(&ir, (struct ir_ins){ .op = IR_K, .type = (uint8_t)type, .imm = constant(w) & bits_mask(w) }));
}

static unsigned int_type(unsigned least)
{
    static const uint8_t t[] = { T_I64, T_I64, T_I64, T_I32, T_I32, T_I32, T_I16, T_I8 };
    unsigned r;
    do r = t[below(ARRAY_LEN(t))];
    while (r < least);
    return r;
}

static void unary_or_binary(void)
{
    static const uint8_t ops[] = {
        IR_ADD, IR_ADD, IR_SUB, IR_SUB, IR_MUL, IR_NEG, IR_NOT, IR_AND, IR_AND, IR_OR, IR_OR, IR_XOR, IR_SHL, IR_SHL,
        IR_SHR, IR_SHR, IR_SAR, IR_ROTR, IR_CLZ, IR_CTZ, IR_POPCNT, IR_BITREV, IR_BSWAP, IR_DIVS, IR_DIVU, IR_REMS,
        IR_REMU, IR_MULHS, IR_MULHU, IR_MULHSU, IR_EXTR,
    };
    struct ir_ins i = { .op = ops[below(ARRAY_LEN(ops))] };
    bool wide = i.op >= IR_MULHS && i.op <= IR_REMU;
    i.type = (uint8_t)int_type(wide || i.op == IR_EXTR ? T_I32 : i.op == IR_BSWAP ? T_I16 : T_I8);
    i.a = value(i.type);
    if (ir_opinfo[i.op].sig[3]) i.b = value(i.type);
    if (i.op == IR_EXTR) i.x = below(ir_type_bits[i.type]);
    keep(ir_emit(&ir, i));
}

/* Both halves of a rotate, sometimes not quite. */
static void rotate(void)
{
    unsigned type = int_type(T_I8), w = ir_type_bits[type], k = 1 + below(w - 1), other = below(4) ? w - k : below(w);
    V x = value(type), s[2];
    for (unsigned n = 0; n < 2; n++) {
        V by = ir_emit(&ir, (struct ir_ins){ .op = IR_K, .type = (uint8_t)type, .imm = n ? other : k });
        s[n] = keep(ir_emit(&ir, (struct ir_ins){ .op = n ? IR_SHR : IR_SHL, .type = (uint8_t)type, .a = x, .b = by }));
        if (type == T_I32 && below(2))
            s[n] = ir_emit(&ir, (struct ir_ins){ .op = below(2) ? IR_SEXT : IR_ZEXT, .type = T_I64, .a = s[n] });
    }
    if (ir.ins[s[0]].type != ir.ins[s[1]].type) return;
    static const uint8_t ops[] = { IR_OR, IR_ADD, IR_XOR };
    keep(ir_emit(&ir, (struct ir_ins){ .op = ops[below(3)], .type = ir.ins[s[0]].type, .a = s[0], .b = s[1] }));
}

static void conversion(void)
{
    static const uint8_t order[] = { T_I1, T_I8, T_I16, T_I32, T_I64 };
    unsigned lo = below(4), hi = lo + 1 + below(4 - lo), k = below(5);
    struct ir_ins i = { .op = IR_TRUNC, .type = order[lo], .a = 0 };
    if (k < 2) i.a = value(order[hi]);
    else i.op = k == 2 ? IR_ZEXT : IR_SEXT, i.type = order[hi], i.a = value(order[lo]);
    keep(ir_emit(&ir, i));
}

static void bitfield(void)
{
    struct ir_ins i = { .op = (uint8_t)(IR_UBFX + below(3)), .type = (uint8_t)int_type(T_I8) };
    unsigned w = ir_type_bits[i.type];
    i.a = value(i.type);
    if (i.op == IR_BFI) i.b = value(i.type);
    i.x = below(3) ? below(w) : 0;
    i.y = 1 + below(w - i.x);
    if (i.x + 8 <= w && !below(3)) i.y = 8;
    keep(ir_emit(&ir, i));
}

static void comparison(void)
{
    struct ir_ins i = { .op = IR_CMP, .type = T_I1, .sub = (uint8_t)below(10) };
    unsigned k = below(8), t = k == 7 ? T_I1 : int_type(T_I8);
    if (k < 2 && t != T_I1) i.op = k ? IR_SADDOV : IR_SSUBOV, i.sub = 0;
    i.a = value(t);
    i.b = value(t);
    keep(ir_emit(&ir, i));
}

static void put_flag(unsigned reg, V v)
{
    ir_emit(&ir, (struct ir_ins){ .op = IR_PUT, .x = reg, .a = v });
    keep(v);
}

static V emit2(unsigned op, unsigned type, unsigned sub, V a, V b)
{
    return keep(ir_emit(&ir, (struct ir_ins){ .op = (uint8_t)op, .type = (uint8_t)type, .sub = (uint8_t)sub, .a = a, .b = b }));
}

/* A compare as an AArch64 front end writes it: result, N, Z, C, V. */
static void set_flags(void)
{
    unsigned type = below(2) ? T_I64 : T_I32, kind = below(3);
    V a = value(type), b = value(type);
    V zero = ir_emit(&ir, (struct ir_ins){ .op = IR_K, .type = (uint8_t)type });
    V no = ir_emit(&ir, (struct ir_ins){ .op = IR_K, .type = T_I1 });
    V r = emit2(kind == 0 ? IR_SUB : kind == 1 ? IR_ADD : IR_AND, type, 0, a, b);
    if (below(2)) ir_emit(&ir, (struct ir_ins){ .op = IR_PUT, .x = type == T_I64 ? 1 : 4, .a = r });
    put_flag(7, emit2(IR_CMP, T_I1, C_SLT, r, zero));
    put_flag(8, emit2(IR_CMP, T_I1, C_EQ, r, zero));
    put_flag(9, kind == 0 ? emit2(IR_CMP, T_I1, C_UGE, a, b) : kind == 1 ? emit2(IR_CMP, T_I1, C_ULT, r, a) : no);
    put_flag(10, kind == 0 ? emit2(IR_SSUBOV, T_I1, 0, a, b) : kind == 1 ? emit2(IR_SADDOV, T_I1, 0, a, b) : no);
}

static V get(unsigned r)
{
    return ir_emit(&ir, (struct ir_ins){ .op = IR_GET, .type = regs[r].type, .x = r });
}

/* An AArch64 condition. */
static V condition(void)
{
    V v = 0;
    switch (below(7)) {
    case 0: v = get(8); break;
    case 1: v = get(9); break;
    case 2: v = get(7); break;
    case 3: v = get(10); break;
    case 4: v = emit2(IR_AND, T_I1, 0, get(9), emit2(IR_NOT, T_I1, 0, get(8), 0)); break;
    case 5: v = emit2(IR_CMP, T_I1, C_EQ, get(7), get(10)); break;
    default:
        v = emit2(IR_AND, T_I1, 0, emit2(IR_NOT, T_I1, 0, get(8), 0), emit2(IR_CMP, T_I1, C_EQ, get(7), get(10)));
    }
    return below(2) ? v : emit2(IR_NOT, T_I1, 0, v, 0);
}

/* A conditional compare: new flags if a condition holds, else constants. */
static void conditional_compare(void)
{
    V c = condition(), old[4];
    set_flags();
    for (unsigned f = 0; f < 4; f++) {
        old[f] = ir_emit(&ir, (struct ir_ins){ .op = IR_K, .type = T_I1, .imm = below(2) });
        V v = ir_emit(&ir, (struct ir_ins){ .op = IR_SELECT, .type = T_I1, .a = c, .b = get(7 + f), .c = old[f] });
        put_flag(7 + f, v);
    }
}

static void flag_logic(void)
{
    static const uint8_t ops[] = { IR_AND, IR_OR, IR_XOR, IR_NOT };
    struct ir_ins i = { .op = ops[below(4)], .type = T_I1, .a = value(T_I1) };
    if (i.op != IR_NOT) i.b = value(T_I1);
    keep(ir_emit(&ir, i));
}

static void select_value(void)
{
    unsigned t = below(3) ? int_type(T_I8) : T_I1;
    V c = value(T_I1), a = value(t), b = value(t);
    keep(ir_emit(&ir, (struct ir_ins){ .op = IR_SELECT, .type = (uint8_t)t, .a = c, .b = a, .c = b }));
}

static void memory(void)
{
    unsigned size = below(4), t = T_I8 + below(4);
    struct ir_ins i = { .op = IR_LD, .mo = (uint8_t)size, .a = value(T_I64), .imm = (uint64_t)(int64_t)(below(64) - 32) };
    while (ir_type_bits[t] < 8u << size) t++;
    ir_emit(&ir, (struct ir_ins){ .op = IR_INSN, .imm = 0x1000 + 4 * below(100), .x = 4 });
    if (below(3)) {
        if (below(2)) i.mo |= MO_SIGN;
        i.type = (uint8_t)t;
        keep(ir_emit(&ir, i));
    } else {
        i.op = IR_ST;
        i.b = value(t);
        ir_emit(&ir, i);
    }
}

static struct ir_helper helpers[] = {
    { .name = "plain", .ret = T_I64, .nargs = 1, .args = { T_I64 } },
    { .name = "pure", .ret = T_I64, .nargs = 1, .args = { T_I64 }, .flags = HF_PURE },
    { .name = "raises", .ret = T_I64, .nargs = 1, .args = { T_I64 }, .flags = HF_FAULT },
    { .name = "reads", .ret = T_I64, .nargs = 1, .args = { T_I64 }, .reads = 5 },
    { .name = "writes", .ret = T_I64, .nargs = 1, .args = { T_I64 }, .writes = 3 },
    { .name = "both", .ret = T_I64, .nargs = 1, .args = { T_I64 }, .reads = 2, .writes = 4, .flags = HF_FAULT },
};

static void helper_call(void)
{
    struct ir_call c = { .h = &helpers[below(ARRAY_LEN(helpers))], .arg = { value(T_I64) } };
    if (ir.ncalls == ir.cap_calls) ir.calls = vec_grow(ir.calls, &ir.cap_calls, ir.ncalls + 1, sizeof c);
    ir.calls[ir.ncalls] = c;
    keep(ir_emit(&ir, (struct ir_ins){ .op = IR_CALL, .type = T_I64, .x = ir.ncalls++ }));
}

static void vector(void)
{
    static const uint8_t ops[] = { IR_VADD, IR_VAND, IR_VOR, IR_VXOR, IR_VSUB };
    struct ir_ins i = { .type = T_V128, .sub = L_I64 };
    switch (below(4)) {
    case 0: i.op = IR_VFROM; i.sub = 0; i.a = value(below(2) ? T_I64 : T_F64); break;
    case 1: i.op = IR_VDUP; i.a = value(below(2) ? T_I64 : T_F64); break;
    case 2: i.op = IR_VGET; i.type = below(2) ? T_I64 : T_F64; i.a = value(T_V128); i.x = below(2); break;
    default: i.op = ops[below(ARRAY_LEN(ops))]; i.a = value(T_V128); i.b = value(T_V128); break;
    }
    keep(ir_emit(&ir, i));
}

static void put_value(void)
{
    unsigned r = below(NALL);
    V v = value(ir_regtype(&ir, r));
    ir_emit(&ir, (struct ir_ins){ .op = IR_PUT, .x = r, .a = v });
}

static void make_ins(void)
{
    static void (*const kinds[])(void) = {
        unary_or_binary, unary_or_binary, unary_or_binary, unary_or_binary, conversion, conversion, conversion, bitfield,
        comparison, comparison, flag_logic, flag_logic, select_value, memory, put_value, put_value, put_value, rotate,
        set_flags, conditional_compare, vector,
    };
    if (!below(40)) helper_call();
    else kinds[below(ARRAY_LEN(kinds))]();
}

static void make_region(void)
{
    unsigned nblk = 1 + below(4);
    ir_reset(&ir, regs, NREGS);
    for (unsigned n = 0; n < NVARS; n++) ir_newvar(&ir, n ? T_I64 : T_I32);
    for (unsigned b = 0; b < nblk; b++) {
        uint32_t id = ir_newblock(&ir, 0x1000 + 16 * b);
        memset(nrecent, 0, sizeof nrecent);
        if (!b) { /* region variables start undefined: give them values */
            for (unsigned n = 0; n < NVARS; n++)
                ir_emit(&ir, (struct ir_ins){ .op = IR_PUT, .x = NREGS + n, .a = value(n ? T_I64 : T_I32) });
        }
        for (unsigned n = 3 + below(30); n-- > 0;) make_ins();
        struct ir_ins end = { .op = IR_EXIT, .imm = 0x9000 };
        switch (below(5)) {
        case 0: break;
        case 1: end = (struct ir_ins){ .op = IR_JMP, .x = below(nblk) }; break;
        case 2: end = (struct ir_ins){ .op = IR_EXITI, .a = value(T_I64) }; break;
        default: end = (struct ir_ins){ .op = IR_BRC, .x = below(nblk), .y = below(nblk), .a = below(2) ? condition() : value(T_I1) };
        }
        ir_emit(&ir, end);
        ir.blk[id].end = ir.nins;
    }
    ir.blk[0].entry = 1;
}

/* --- running them -------------------------------------------------------------------------------------------------------- */

struct state {
    union vlanes real[NALL];  /* what code sees: puts that are only for deopt maps are not done */
    union vlanes shown[NALL]; /* what a fault would show */
    uint64_t event[MAX_EVENTS];
    unsigned nevents;
};
static union vlanes val[MAX_VALUES * 8];

static void event(struct state *s, uint64_t v)
{
    if (s->nevents < MAX_EVENTS) s->event[s->nevents++] = v;
}

static void show(struct state *s, const union vlanes *r)
{
    uint64_t h = 0;
    for (unsigned i = 0; i < NREGS; i++) h = (h ^ r[i].u64[0] ^ r[i].u64[1] * 31) * 0x9e3779b97f4a7c15 + (h >> 29);
    event(s, h);
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 31) * 0x9fb21c651e98df25;
    return x ^ x >> 29;
}

static void run_call(struct state *s, const struct ir_ins *i, V v)
{
    const struct ir_call *c = &ir.calls[i->x];
    uint64_t x = mix(val[c->arg[0]].u64[0] + (uint64_t)(c->h - helpers));
    val[v] = (union vlanes){ .u64 = { x } };
    if (c->h->flags & HF_PURE) return;
    event(s, x);
    if (c->h->flags & HF_FAULT) show(s, s->real);
    for (unsigned r = 0; r < NREGS; r++) {
        if (c->h->reads >> regs[r].group & 1) event(s, s->real[r].u64[0]);
        if (c->h->writes >> regs[r].group & 1 && x >> r & 1) {
            s->real[r] = (union vlanes){ .u64 = { mix(x + r) & bits_mask(ir_type_bits[regs[r].type]) } };
            s->shown[r] = s->real[r];
        }
    }
}

static void run_memory(struct state *s, const struct ir_ins *i, V v)
{
    uint64_t addr = val[i->a].u64[0] + i->imm;
    unsigned bits = 8 * MO_BYTES(i->mo);
    event(s, addr * 2 + (i->op == IR_ST));
    show(s, s->shown);
    if (i->op == IR_ST) {
        event(s, val[i->b].u64[0] & bits_mask(bits));
        return;
    }
    uint64_t m = mix(addr) & bits_mask(bits);
    if (i->mo & MO_SIGN) m = (uint64_t)bits_sext(m, bits);
    val[v] = (union vlanes){ .u64 = { m & bits_mask(ir_type_bits[i->type]) } };
}

static void run_pure(const struct ir_ins *i, V v)
{
    if (!ir_eval(i, (enum ir_type)ir.ins[i->a].type, &val[i->a], &val[i->b], &val[i->c], &val[v]))
        fail_msg("cannot evaluate %s", ir_opinfo[i->op].text);
}

/* Returns the next block, or -1. */
static int run_block(struct state *s, uint32_t b, bool optimised)
{
    memcpy(s->shown, s->real, sizeof s->shown);
    for (V v = ir.blk[b].first; v < ir.blk[b].end; v++) {
        const struct ir_ins *i = &ir.ins[v];
        unsigned f = optimised ? ir.flag[v] : IRF_LIVE;
        if (f == IRF_LIVE && i->op != IR_NOP && optimised) { /* code must not use what is not computed */
            const V ops[] = { i->a, i->b, i->c };
            for (unsigned k = 0; k < 3; k++) assert_true(!ops[k] || ir.flag[ops[k]] == IRF_LIVE);
        }
        switch (i->op) {
        case IR_NOP: case IR_INSN: break;
        case IR_GET: val[v] = s->real[i->x]; break;
        case IR_PUT:
            if (f & IRF_LIVE) s->real[i->x] = val[i->a];
            s->shown[i->x] = val[i->a];
            break;
        case IR_LD: case IR_ST: run_memory(s, i, v); break;
        case IR_CALL: run_call(s, i, v); break;
        case IR_JMP: return (int)i->x;
        case IR_BRC: return (int)(val[i->a].u64[0] & 1 ? i->x : i->y);
        case IR_EXITI: event(s, val[i->a].u64[0]); show(s, s->real); return -1;
        case IR_EXIT: event(s, i->imm); show(s, s->real); return -1;
        default: run_pure(i, v); break;
        }
    }
    return -1;
}

static void run(struct state *s, const union vlanes *start, bool optimised)
{
    memcpy(s->real, start, sizeof s->real);
    s->nevents = 0;
    int b = 0;
    for (unsigned steps = 0; b >= 0 && steps < 16; steps++) {
        event(s, (uint64_t)b);
        b = run_block(s, (uint32_t)b, optimised);
    }
}

static void to_stderr(void *ctx UNUSED, const char *line)
{
    fprintf(stderr, "%s\n", line);
}

static uint64_t reg_value(unsigned type)
{
    return constant(type == T_F64 || type == T_V128 ? 64 : ir_type_bits[type]) &
           bits_mask(type == T_V128 ? 64 : ir_type_bits[type]);
}

static void one_region(uint64_t n, unsigned passes)
{
    static struct state before[4], after;
    union vlanes start[4][NALL];
    struct err e = { 0 };
    seed = n * 0x9e3779b97f4a7c15 + 12345;
    rnd();
    make_region();
    if (ir_verify(&ir, &e)) fail_msg("region %llu: %s", (unsigned long long)n, e.msg);
    assert_true(ir.nins < ARRAY_LEN(val));
    for (unsigned k = 0; k < ARRAY_LEN(start); k++) {
        for (unsigned r = 0; r < NALL; r++) {
            unsigned t = ir_regtype(&ir, r);
            start[k][r] = (union vlanes){ .u64 = { reg_value(t), t == T_V128 ? rnd() : 0 } };
        }
        run(&before[k], start[k], false);
    }
    ir_opt(&ir, passes);
    if (ir_verify(&ir, &e)) fail_msg("region %llu: %s", (unsigned long long)n, e.msg);
    assert_true(ir.nins < ARRAY_LEN(val));
    for (unsigned k = 0; k < ARRAY_LEN(start); k++) {
        run(&after, start[k], true);
        unsigned at = 0;
        while (at < after.nevents && at < before[k].nevents && after.event[at] == before[k].event[at]) at++;
        if (at == after.nevents && at == before[k].nevents) continue;
        ir_print(&ir, to_stderr, NULL);
        seed = n * 0x9e3779b97f4a7c15 + 12345;
        rnd();
        make_region();
        ir_print(&ir, to_stderr, NULL);
        fail_msg("region %llu, passes %u, input %u: event %u of %u (%u) differs", (unsigned long long)n, passes, k, at,
                 before[k].nevents, after.nevents);
    }
}

enum { REGIONS = 6000 };

static void all_passes(void **s UNUSED)
{
    for (uint64_t n = 0; n < REGIONS; n++) one_region(n, OPT_ALL);
}

static void fold_only(void **s UNUSED)
{
    for (uint64_t n = 0; n < REGIONS / 4; n++) one_region(n, OPT_FOLD);
}

static void demand_only(void **s UNUSED)
{
    for (uint64_t n = 0; n < REGIONS / 4; n++) one_region(n, OPT_DEMAND);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fold_only), cmocka_unit_test(demand_only), cmocka_unit_test(all_passes),
    };
    if (argc > 2) { /* FIRST COUNT: a longer run */
        uint64_t first = strtoull(argv[1], NULL, 0), count = strtoull(argv[2], NULL, 0);
        for (uint64_t n = first; n < first + count; n++) one_region(n, OPT_ALL);
        return 0;
    }
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    ir_free(&ir);
    return r;
}
