/*
 * lower.c: the driver (one pass over blocks, then cold paths, constants, maps) and integer operations.
 *
 * 8- and 16-bit operations are done in 32 bits, upper bits arbitrary, with an extension first where upper
 * bits matter.
 */
#include "host/x86_64/priv.h"
#include "host/x86_64/asm.h"
#include <stdlib.h>

struct x86_features x86;

static inline unsigned bits_of(const struct gen *g, V v)
{
    return ir_type_bits[type_of(g, v)];
}
static inline uint64_t kval(const struct gen *g, V v)
{
    return ins_of(g, v)->imm;
}

/* v is a constant that fits a sign-extended 32-bit immediate of an operation of `bits`. */
bool fits_imm(const struct gen *g, V v, unsigned bits, int32_t *k)
{
    if (!is_k(g, v)) return false;
    int64_t s = bits == 64 || bits == 1 ? (int64_t)kval(g, v) : bits_sext(kval(g, v), bits);
    *k = (int32_t)s;
    return s == (int32_t)s;
}

/* --- pool, cold paths
 * ------------------------------------------------------------------------------------------------------ */
struct opnd pool(struct gen *g, uint64_t lo, uint64_t hi)
{
    struct gen_priv *x = g->x;
    uint32_t i = 0;
    while (i < x->npool && (x->pool[i].u64[0] != lo || x->pool[i].u64[1] != hi))
        i++;
    if (i == x->npool) {
        if (x->npool == x->cap_pool)
            x->pool = vec_grow(x->pool, &x->cap_pool, x->npool + 1, sizeof(*x->pool));
        x->pool[x->npool].u64[0] = lo;
        x->pool[x->npool++].u64[1] = hi;
    }
    return (struct opnd){O_POOL, NOREG, NOREG, 0, 0, (int32_t)i};
}

void gen_pool_ref(struct gen *g, uint32_t idx, unsigned tail)
{
    struct gen_priv *x = g->x;
    if (x->npoolrefs == x->cap_poolrefs)
        x->poolrefs = vec_grow(x->poolrefs, &x->cap_poolrefs, x->npoolrefs + 1, sizeof(*x->poolrefs));
    x->poolrefs[x->npoolrefs++] = (struct fixup){g->p, idx, tail};
}

static void pool_finish(struct gen *g)
{
    struct gen_priv *x = g->x;
    if (x->npool == 0) return;
    while ((uintptr_t)g->p & 15)
        a_u8(g, 0xcc);
    if ((size_t)(g->end - g->p) < x->npool * 16 + 64) {
        g->err = -ENOSPC;
        return;
    }
    for (uint32_t i = 0; i < x->npoolrefs; i++) {
        const struct fixup *f = &x->poolrefs[i];
        int32_t d = (int32_t)(g->p + f->to * 16 - (f->site + 4 + f->tail));
        memcpy(f->site, &d, 4);
    }
    memcpy(g->p, x->pool, x->npool * 16);
    g->p += x->npool * 16;
}

struct cold *gen_cold(struct gen *g, void (*emit)(struct gen *, struct cold *), uint8_t *site)
{
    struct gen_priv *x = g->x;
    if (x->ncolds == x->cap_colds)
        x->colds = vec_grow(x->colds, &x->cap_colds, x->ncolds + 1, sizeof(*x->colds));
    struct cold *c = &x->colds[x->ncolds++];
    *c = (struct cold){.emit = emit, .site = site, .pc = g->pc};
    return c;
}

void gen_cold_return(struct gen *g, struct cold *c)
{
    a_jmp_to(g, c->back);
}

/* --- integers
 * --------------------------------------------------------------------------------------------------------------
 */
/* a + b as an address operand: b may be a small left shift that was deferred, or a constant. */
static bool lea_operand(struct gen *g, V a, V b, struct opnd *o)
{
    int32_t k;
    if (fits_imm(g, b, 64, &k)) {
        *o = o_mem(use_r(g, a), k);
        return true;
    }
    const struct ir_ins *s = ins_of(g, b);
    unsigned scale = 0;
    V index = b;
    if (is_deferred(g, b) && s->op == IR_SHL) {
        scale = (unsigned)kval(g, s->b);
        index = s->a;
    }
    unsigned base = use_r(g, a);
    *o = o_mem(base, 0);
    o->index = (uint8_t)use_r(g, index);
    o->scale = scale & 3;
    return true;
}

/* The address of a deferred or plain value + disp, as memory operand without segment. */
struct opnd addr_use(struct gen *g, V v, int64_t disp)
{
    struct opnd o;
    const struct ir_ins *in = ins_of(g, v);
    if (is_deferred(g, v) && in->op == IR_ADD) {
        if (is_deferred(g, in->a) && !is_deferred(g, in->b))
            lea_operand(g, in->b, in->a, &o);
        else
            lea_operand(g, in->a, in->b, &o);
    } else if (is_k(g, v) && kval(g, v) + (uint64_t)disp <= 0x7fffffff) {
        o = o_mem(NOREG, (int32_t)(kval(g, v) + (uint64_t)disp));
        return o;
    } else {
        o = o_mem(use_r(g, v), 0);
    }
    if (disp == (int32_t)disp && (int64_t)o.disp + disp == (int32_t)(o.disp + disp)) {
        o.disp += (int32_t)disp;
        return o;
    }
    unsigned t = tmp_gpr(g);
    if (o.index == NOREG) {
        a_mov_ri(g, t, (uint64_t)(disp + o.disp));
        o.disp = 0, o.index = (uint8_t)t;
    } else {
        a_mov_ri(g, t, (uint64_t)disp);
        a_alu(g, ALU_ADD, 64, t, o_reg(o.reg));
        o.reg = (uint8_t)t;
    }
    return o;
}

static void lower_add(struct gen *g, V v, const struct ir_ins *in)
{
    V a = in->a, b = in->b;
    unsigned bits = bits_of(g, v) == 64 ? 64 : 32;
    int32_t k;
    if (is_deferred(g, a) || is_k(g, a)) a = in->b, b = in->a;
    if (is_deferred(g, b)) {
        struct opnd o;
        lea_operand(g, a, b, &o);
        a_lea(g, 64, def_r(g, v), o);
        return;
    }
    bool imm = fits_imm(g, b, bits_of(g, v), &k);
    if (!imm && !can_inplace(g, v, a) && can_inplace(g, v, b)) {
        V t = a;
        a = b, b = t;
    }
    struct val *ra = root_of(g, a), *rb = root_of(g, b);
    if (can_inplace(g, v, a) || ra->reg == NOREG || (!imm && rb->reg == NOREG && !is_k(g, b))) {
        if (imm) {
            a_alui(g, ALU_ADD, bits, o_reg(def_copy(g, v, a)), k);
        } else {
            struct opnd o = use_rm(g, b);
            a_alu(g, ALU_ADD, bits, def_copy(g, v, a), o);
        }
        return;
    }
    struct opnd o = o_mem(use_r(g, a), imm ? k : 0);
    if (!imm) o.index = (uint8_t)use_r(g, b);
    a_lea(g, bits, def_r(g, v), o);
}

static void lower_alu(struct gen *g, V v, const struct ir_ins *in, unsigned alu, bool comm)
{
    V a = in->a, b = in->b;
    unsigned tb = bits_of(g, v), bits = tb == 64 ? 64 : 32;
    int32_t k;
    if (comm && is_k(g, a)) a = in->b, b = in->a;
    if (is_k(g, b) && alu == ALU_AND) {
        uint64_t m = kval(g, b);
        if (m == 0xff || m == 0xffff || (m == 0xffffffff && bits == 64)) {
            struct opnd o = use_rm(g, a);
            a_load(g, m == 0xff ? 8 : m == 0xffff ? 16 : 32, def_r(g, v), o);
            return;
        }
        if (m <= 0x7fffffff) bits = 32;
    }
    if (fits_imm(g, b, tb, &k)) {
        if (alu == ALU_SUB && !can_inplace(g, v, a) && root_of(g, a)->reg != NOREG && k != INT32_MIN) {
            struct opnd o = o_mem(use_r(g, a), -k);
            a_lea(g, bits, def_r(g, v), o);
            return;
        }
        unsigned d = def_copy(g, v, a);
        if (alu == ALU_XOR && k == -1)
            a_g3(g, G3_NOT, bits, o_reg(d));
        else
            a_alui(g, alu, bits, o_reg(d), k);
        return;
    }
    if (comm && !can_inplace(g, v, a) && can_inplace(g, v, b)) {
        V t = a;
        a = b, b = t;
    }
    struct opnd o = use_rm(g, b);
    a_alu(g, alu, bits, def_copy(g, v, a), o);
}

static void lower_mul(struct gen *g, V v, const struct ir_ins *in)
{
    V a = in->a, b = in->b;
    unsigned bits = bits_of(g, v) == 64 ? 64 : 32;
    int32_t k;
    if (is_k(g, a)) a = in->b, b = in->a;
    if (fits_imm(g, b, bits_of(g, v), &k)) {
        struct opnd o = use_rm(g, a);
        a_imuli(g, bits, def_r(g, v), o, k);
        return;
    }
    if (!can_inplace(g, v, a) && can_inplace(g, v, b)) {
        V t = a;
        a = b, b = t;
    }
    struct opnd o = use_rm(g, b);
    a_imul(g, bits, def_copy(g, v, a), o);
}

/* Operand a in a given scratch register, extended to 64 bits if it is narrower. */
static void ext_to(struct gen *g, V a, unsigned d, bool sign)
{
    unsigned bits = bits_of(g, a);
    if (is_k(g, a)) {
        a_mov_ri(g, d, sign ? (uint64_t)bits_sext(kval(g, a), bits) : kval(g, a));
        return;
    }
    struct opnd o = use_rm(g, a);
    if (sign && bits < 64)
        a_loads(g, bits, 64, d, o);
    else
        a_load(g, bits, d, o);
}

static void lower_mulh(struct gen *g, V v, const struct ir_ins *in)
{
    if (in->type == T_I32) {
        unsigned t = tmp_gpr(g), b = use_r(g, in->b);
        ext_to(g, in->a, t, in->op != IR_MULHU);
        unsigned d = def_r(g, v);
        if (in->op == IR_MULHS)
            a_loads(g, 32, 64, d, o_reg(b));
        else
            a_mov_rr(g, 32, d, b);
        a_imul(g, 64, d, o_reg(t));
        a_shifti(g, SH_SHR, 64, d, 32);
        return;
    }
    take(g, RDX);
    if (in->op != IR_MULHS && x86.bmi2) {
        unsigned b = use_r(g, in->b);
        ext_to(g, in->a, RDX, false);
        unsigned d = in->op == IR_MULHU ? def_r(g, v) : def_new(g, v);
        a_mulx(g, 64, d, d, o_reg(b));
        if (in->op == IR_MULHSU) { /* a < 0: take b off */
            a_shifti(g, SH_SAR, 64, RDX, 63);
            a_alu(g, ALU_AND, 64, RDX, o_reg(b));
            a_alu(g, ALU_SUB, 64, d, o_reg(RDX));
        }
        return;
    }
    take(g, RAX);
    unsigned b = use_r(g, in->b);
    ext_to(g, in->a, RAX, false);
    unsigned t = in->op == IR_MULHSU ? tmp_gpr(g) : RAX;
    if (in->op == IR_MULHSU) a_mov_rr(g, 64, t, RAX);
    a_g3(g, in->op == IR_MULHS ? G3_IMUL : G3_MUL, 64, o_reg(b));
    if (in->op == IR_MULHSU) {
        a_shifti(g, SH_SAR, 64, t, 63);
        a_alu(g, ALU_AND, 64, t, o_reg(b));
        a_alu(g, ALU_SUB, 64, RDX, o_reg(t));
    }
    def_is(g, v, RDX);
}

/* Divisor 0 or -1. In: dividend in rax, divisor in reg[0]; out: result in reg[1] (rax or rdx). */
static void cold_div(struct gen *g, struct cold *c)
{
    const struct ir_ins *in = ins_of(g, c->v);
    unsigned bits = ir_type_bits[in->type];
    bool rem = in->op == IR_REMS || in->op == IR_REMU, sign = in->op == IR_DIVS || in->op == IR_REMS;
    uint8_t *minus1 = NULL;
    if (sign) {
        a_test_rr(g, bits, c->reg[0], c->reg[0]);
        minus1 = a_jcc8(g, CC_NE);
    }
    if (rem)
        a_mov_rr(g, bits, RDX, RAX);
    else
        a_alu(g, ALU_XOR, 32, RAX, o_reg(RAX));
    gen_cold_return(g, c);
    if (sign) {
        a_bind8(g, minus1);
        if (rem)
            a_alu(g, ALU_XOR, 32, RDX, o_reg(RDX));
        else
            a_g3(g, G3_NEG, bits, o_reg(RAX));
        gen_cold_return(g, c);
    }
}

static void lower_div(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned bits = bits_of(g, v);
    bool rem = in->op == IR_REMS || in->op == IR_REMU, sign = in->op == IR_DIVS || in->op == IR_REMS;
    bool safe = is_k(g, in->b) && kval(g, in->b) != 0 && kval(g, in->b) != bits_mask(bits);
    take(g, RAX);
    take(g, RDX);
    unsigned b = use_r(g, in->b);
    struct cold *c = NULL;
    if (is_k(g, in->a))
        a_mov_ri(g, RAX, kval(g, in->a));
    else
        a_load(g, bits, RAX, use_rm(g, in->a));
    if (!safe) {
        if (sign) {
            a_lea(g, bits, RDX, o_mem(b, 1));
            a_alui(g, ALU_CMP, bits, o_reg(RDX), 1);
        } else {
            a_test_rr(g, bits, b, b);
        }
        c = gen_cold(g, cold_div, a_jcc_fwd(g, sign ? CC_BE : CC_E));
        c->v = v;
        c->reg[0] = (uint8_t)b;
    }
    if (sign) {
        if (bits == 64) a_u8(g, 0x48);
        a_u8(g, 0x99); /* cdq, cqo */
    } else {
        a_alu(g, ALU_XOR, 32, RDX, o_reg(RDX));
    }
    a_g3(g, sign ? G3_IDIV : G3_DIV, bits, o_reg(b));
    if (c) gen_cold_back(g, c);
    def_is(g, v, rem ? RDX : RAX);
}

static void lower_shift(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned tb = bits_of(g, v), bits = tb == 64 ? 64 : 32;
    unsigned ext = in->op == IR_SHL ? SH_SHL : in->op == IR_SHR ? SH_SHR : in->op == IR_SAR ? SH_SAR : SH_ROR;
    if (tb < 32 && !(is_k(g, in->b) && in->op != IR_ROTR)) {
        gen_slow(g, v);
        return;
    }
    if (is_k(g, in->b)) {
        unsigned k = (unsigned)kval(g, in->b) & (tb - 1);
        if (tb < 32 && in->op != IR_SHL) { /* bring in the right upper bits */
            struct opnd o = use_rm(g, in->a);
            unsigned d = def_r(g, v);
            if (in->op == IR_SAR)
                a_loads(g, tb, 32, d, o);
            else
                a_load(g, tb, d, o);
            if (k) a_shifti(g, ext, 32, d, k);
            return;
        }
        if (ext == SH_ROR && x86.bmi2 && !can_inplace(g, v, in->a)) {
            struct opnd o = use_rm(g, in->a);
            a_rorx(g, bits, def_r(g, v), o, k);
            return;
        }
        if (ext == SH_SHL && k == 1 && root_of(g, in->a)->reg != NOREG && !can_inplace(g, v, in->a)) {
            struct opnd o = o_mem(use_r(g, in->a), 0);
            o.index = o.reg;
            a_lea(g, bits, def_r(g, v), o);
            return;
        }
        unsigned d = def_copy(g, v, in->a);
        if (k)
            a_shifti(g, ext, bits, d, k);
        else if (bits == 32)
            a_mov_rr(g, 32, d, d);
        return;
    }
    if (x86.bmi2 && ext != SH_ROR) {
        unsigned n = use_r(g, in->b);
        struct opnd o = use_rm(g, in->a);
        a_shx(g, ext == SH_SHL ? X_SHLX : ext == SH_SHR ? X_SHRX : X_SARX, bits, def_r(g, v), o, n);
        return;
    }
    take(g, RCX);
    a_load(g, 32, RCX, use_rm(g, in->b));
    unsigned d = def_copy(g, v, in->a);
    a_shift_cl(g, ext, bits, d);
}

static void lower_extr(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned bits = bits_of(g, v);
    if (g->val[in->a].root == g->val[in->b].root && x86.bmi2) {
        struct opnd o = use_rm(g, in->a);
        a_rorx(g, bits, def_r(g, v), o, in->x);
        return;
    }
    unsigned hi = use_r(g, in->a), d = def_copy(g, v, in->b);
    if (in->x)
        a_shrd(g, bits, d, hi, in->x);
    else if (bits == 32)
        a_mov_rr(g, 32, d, d);
}

static void lower_ext(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned from = bits_of(g, in->a), to = bits_of(g, v) == 64 ? 64 : 32;
    if (is_k(g, in->a)) {
        a_mov_ri(g, def_r(g, v),
                 in->op == IR_SEXT ? (uint64_t)bits_sext(kval(g, in->a), from) & bits_mask(to)
                                   : kval(g, in->a));
        return;
    }
    if (from == 1) {
        unsigned d = def_copy(g, v, in->a);
        if (in->op == IR_SEXT) a_g3(g, G3_NEG, to, o_reg(d));
        return;
    }
    struct opnd o = use_rm(g, in->a);
    unsigned d = def_r(g, v);
    if (in->op == IR_SEXT)
        a_loads(g, from, to, d, o);
    else
        a_load(g, from, d, o);
}

static void lower_trunc(struct gen *g, V v, const struct ir_ins *in)
{
    if (in->type == T_I1) {
        a_alui(g, ALU_AND, 32, o_reg(def_copy(g, v, in->a)), 1);
        return;
    }
    struct opnd o = use_rm(g, in->a);
    a_load(g, 32, def_r(g, v), o);
}

static void lower_bfx(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned tb = bits_of(g, v), bits = tb == 64 ? 64 : 32, x = in->x, y = in->y;
    bool sign = in->op == IR_SBFX;
    if (x == 0 && (y == 8 || y == 16 || y == 32)) {
        struct opnd o = use_rm(g, in->a);
        unsigned d = def_r(g, v);
        if (sign && y < bits)
            a_loads(g, y, bits, d, o);
        else
            a_load(g, y, d, o);
        return;
    }
    if (sign || y > 31) {
        if (!sign && x + y == bits && x == 0) {
            def_copy(g, v, in->a);
            return;
        }
        unsigned d = def_copy(g, v, in->a);
        if (x + y < bits) a_shifti(g, SH_SHL, bits, d, bits - x - y);
        if (bits - y) a_shifti(g, sign ? SH_SAR : SH_SHR, bits, d, bits - y);
        return;
    }
    if (x + y <= 32 && tb == 64) bits = 32;
    unsigned d;
    if (x && x86.bmi2 && !can_inplace(g, v, in->a)) {
        struct opnd o = use_rm(g, in->a);
        d = def_r(g, v);
        a_rorx(g, bits, d, o, x);
    } else {
        d = def_copy(g, v, in->a);
        if (x) a_shifti(g, SH_SHR, bits, d, x);
        if (x + y == bits && x) return;
    }
    if (y == 8 || y == 16)
        a_load(g, y, d, o_reg(d));
    else
        a_alui(g, ALU_AND, 32, o_reg(d), (int32_t)bits_mask(y));
}

static void lower_bfi(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned tb = bits_of(g, v), bits = tb == 64 ? 64 : 32, x = in->x, y = in->y;
    uint64_t mask = bits_mask(y);
    if (y >= bits) {
        unsigned d = def_copy(g, v, in->b);
        if (bits == 32) a_mov_rr(g, 32, d, d);
        return;
    }
    unsigned t = tmp_gpr(g);
    if (is_k(g, in->b)) {
        a_mov_ri(g, t, (kval(g, in->b) & mask) << x);
    } else {
        struct opnd o = use_rm(g, in->b);
        if (y == 8 || y == 16 || y == 32) {
            a_load(g, y, t, o);
            if (x) a_shifti(g, SH_SHL, bits, t, x);
        } else {
            a_load(g, bits_of(g, in->b), t, o);
            if (x + y == bits) {
                a_shifti(g, SH_SHL, bits, t, x);
            } else if (y < 32) {
                a_alui(g, ALU_AND, 32, o_reg(t), (int32_t)mask);
                if (x) a_shifti(g, SH_SHL, bits, t, x);
            } else {
                a_shifti(g, SH_SHL, bits, t, bits - y);
                a_shifti(g, SH_SHR, bits, t, bits - y - x);
            }
        }
    }
    int64_t keep = bits == 64 ? (int64_t) ~(mask << x) : (int32_t) ~(mask << x);
    if (keep == (int32_t)keep) {
        unsigned d = def_copy(g, v, in->a);
        a_alui(g, ALU_AND, bits, o_reg(d), (int32_t)keep);
        a_alu(g, ALU_OR, bits, d, o_reg(t));
        return;
    }
    unsigned m = tmp_gpr(g);
    a_mov_ri(g, m, (uint64_t)keep);
    unsigned d = def_copy(g, v, in->a);
    a_alu(g, ALU_AND, bits, d, o_reg(m));
    a_alu(g, ALU_OR, bits, d, o_reg(t));
}

/* lzcnt, tzcnt, popcnt. */
static void lower_count(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned bits = bits_of(g, v);
    bool have = in->op == IR_CLZ ? x86.lzcnt : in->op == IR_CTZ ? x86.bmi1 : x86.popcnt;
    if (bits < 32 || !have) {
        gen_slow(g, v);
        return;
    }
    struct opnd o = use_rm(g, in->a);
    unsigned op = in->op == IR_CLZ ? 0xbd : in->op == IR_CTZ ? 0xbc : 0xb8;
    a_rm(g, P_F3 | M_0F | op | w_of(bits), def_r(g, v), o, 0);
}

static void lower_bswap(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned bits = bits_of(g, v), d = def_copy(g, v, in->a);
    if (bits == 16)
        a_shifti(g, SH_ROL, 16, d, 8);
    else
        a_bswap(g, bits, d);
}

/* Bits of each byte by GFNI or in three steps of exchanges, then the bytes. */
static void lower_bitrev(struct gen *g, V v, const struct ir_ins *in)
{
    static const uint64_t mask[] = {0x0f0f0f0f0f0f0f0full, 0x3333333333333333ull, 0x5555555555555555ull};
    unsigned bits = bits_of(g, v), w = bits == 64 ? 64 : 32;
    unsigned d = def_copy(g, v, in->a);
    if (x86.gfni && x86.avx) {
        unsigned x = tmp_xmm(g);
        a_movq_xr(g, w, x, d);
        a_vex(g, P_66 | M_3A | 0xce | OP_W, x, x, pool2(g, 0x8040201008040201ull), 1);
        a_u8(g, 0);
        a_movq_rx(g, w, d, x);
    } else {
        unsigned t = tmp_gpr(g), m = w == 64 ? tmp_gpr(g) : 0;
        for (unsigned i = 0; i < 3; i++) {
            a_mov_rr(g, w, t, d);
            a_shifti(g, SH_SHR, w, t, 4 >> i);
            if (w == 64) {
                a_mov_ri(g, m, mask[i]);
                a_alu(g, ALU_AND, w, t, o_reg(m));
                a_alu(g, ALU_AND, w, d, o_reg(m));
            } else {
                a_alui(g, ALU_AND, w, o_reg(t), (int32_t)mask[i]);
                a_alui(g, ALU_AND, w, o_reg(d), (int32_t)mask[i]);
            }
            a_shifti(g, SH_SHL, w, d, 4 >> i);
            a_alu(g, ALU_OR, w, d, o_reg(t));
        }
    }
    if (bits == 16)
        a_shifti(g, SH_ROL, 16, d, 8);
    else if (bits > 16)
        a_bswap(g, bits, d);
}

/* Low or high half of the carry-less product, in an XMM register. */
static void lower_clmul(struct gen *g, V v, const struct ir_ins *in)
{
    if (!x86.pclmul) {
        gen_slow(g, v);
        return;
    }
    bool high = in->op == IR_CLMULH, wide = in->type == T_I64;
    unsigned a = use_r(g, in->a), b = use_r(g, in->b), x = tmp_xmm(g), y = tmp_xmm(g), d = def_r(g, v);
    a_movq_xr(g, wide ? 64 : 32, x, a);
    a_movq_xr(g, wide ? 64 : 32, y, b);
    a_rm(g, P_66 | M_3A | 0x44, x & 15, o_reg(y & 15), 1); /* pclmulqdq */
    a_u8(g, 0);
    if (high && wide) {
        a_rm(g, P_66 | M_3A | 0x16 | OP_W, x & 15, o_reg(d), 1); /* pextrq */
        a_u8(g, 1);
    } else {
        a_movq_rx(g, high || wide ? 64 : 32, d, x);
        if (high) a_shifti(g, SH_SHR, 64, d, 32);
    }
}

static void lower_cmp(struct gen *g, V v, const struct ir_ins *in)
{
    int32_t k;
    unsigned bits = bits_of(g, in->a);
    if (in->sub == C_SLT && bits >= 32 && fits_imm(g, in->b, bits, &k) && k == 0 && !is_deferred(g, in->a)) {
        unsigned d = def_copy(g, v, in->a);
        a_shifti(g, SH_SHR, bits, d, bits - 1);
        return;
    }
    struct cond c;
    cond_use_cmp(g, in, &c);
    if (!hint_free(g, v) || !(g->locked >> g->val[v].hint & 1)) {
        unsigned d = def_new(g, v);
        a_alu(g, ALU_XOR, 32, d, o_reg(d));
        a_setcc(g, cond_emit(g, &c), d);
    } else {
        unsigned d = def_r(g, v), cc = cond_emit(g, &c);
        a_setcc(g, cc, d);
        a_load(g, 8, d, o_reg(d));
    }
}

static void lower_ov(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned bits = bits_of(g, in->a), t = tmp_gpr(g);
    ext_to(g, in->a, t, false);
    struct opnd o = use_rm(g, in->b);
    unsigned d = def_new(g, v);
    a_alu(g, in->op == IR_SADDOV ? ALU_ADD : ALU_SUB, bits, t, o);
    a_setcc(g, CC_O, d);
    a_load(g, 8, d, o_reg(d));
}

static void lower_select(struct gen *g, V v, const struct ir_ins *in)
{
    struct cond c;
    V a = in->b, b = in->c; /* cc ? a : b */
    bool swap = !type_is_xmm(in->type) && !can_inplace(g, v, b) && can_inplace(g, v, a);
    if (swap) a = in->c, b = in->b;
    if (is_lazy(g, b)) use_r(g, b);
    struct opnd s = type_is_xmm(in->type) ? o_reg(use_r(g, a)) : use_rm(g, a);
    uint32_t locked = g->locked;
    cond_use(g, in->a, &c);
    unsigned cc = cond_emit(g, &c) ^ swap;
    /* from here to the end only moves, which leave the flags alone; what was compared may be overwritten */
    g->locked = locked;
    unsigned d = def_copy(g, v, b);
    if (type_is_xmm(in->type)) {
        uint8_t *skip = a_jcc8(g, cc ^ 1);
        a_movaps(g, d, s.reg);
        a_bind8(g, skip);
    } else {
        a_cmov(g, cc, in->type == T_I64 ? 64 : 32, d, s);
    }
}

void lower_ins(struct gen *g, V v, const struct ir_ins *in)
{
    switch (in->op) {
    case IR_ADD: lower_add(g, v, in); return;
    case IR_SUB: lower_alu(g, v, in, ALU_SUB, false); return;
    case IR_AND: lower_alu(g, v, in, ALU_AND, true); return;
    case IR_OR: lower_alu(g, v, in, ALU_OR, true); return;
    case IR_XOR: lower_alu(g, v, in, ALU_XOR, true); return;
    case IR_MUL: lower_mul(g, v, in); return;
    case IR_MULHS:
    case IR_MULHU:
    case IR_MULHSU: lower_mulh(g, v, in); return;
    case IR_DIVS:
    case IR_DIVU:
    case IR_REMS:
    case IR_REMU: lower_div(g, v, in); return;
    case IR_NEG: a_g3(g, G3_NEG, in->type == T_I64 ? 64 : 32, o_reg(def_copy(g, v, in->a))); return;
    case IR_NOT: {
        unsigned d = def_copy(g, v, in->a);
        if (in->type == T_I1)
            a_alui(g, ALU_XOR, 32, o_reg(d), 1);
        else
            a_g3(g, G3_NOT, in->type == T_I64 ? 64 : 32, o_reg(d));
        return;
    }
    case IR_SHL:
    case IR_SHR:
    case IR_SAR:
    case IR_ROTR: lower_shift(g, v, in); return;
    case IR_EXTR: lower_extr(g, v, in); return;
    case IR_SEXT:
    case IR_ZEXT: lower_ext(g, v, in); return;
    case IR_TRUNC: lower_trunc(g, v, in); return;
    case IR_UBFX:
    case IR_SBFX: lower_bfx(g, v, in); return;
    case IR_BFI: lower_bfi(g, v, in); return;
    case IR_CLZ:
    case IR_CTZ:
    case IR_POPCNT: lower_count(g, v, in); return;
    case IR_BSWAP: lower_bswap(g, v, in); return;
    case IR_CMP: lower_cmp(g, v, in); return;
    case IR_SADDOV:
    case IR_SSUBOV: lower_ov(g, v, in); return;
    case IR_SELECT: lower_select(g, v, in); return;
    case IR_LD:
    case IR_ST:
    case IR_CAS:
    case IR_RMW:
    case IR_FENCE:
    case IR_PROBE: lower_mem(g, v, in); return;
    case IR_CALL: lower_call(g, v, in); return;
    case IR_TRAPIF: lower_trapif(g, in); return;
    case IR_FENVRD:
    case IR_FENVWR:
    case IR_FRMWR: lower_fenv(g, v, in); return;
    case IR_CLMUL:
    case IR_CLMULH: lower_clmul(g, v, in); return;
    case IR_BITREV: lower_bitrev(g, v, in); return;
    default:
        if (in->op >= IR_VADD ? lower_vec(g, v, in) : lower_fp(g, v, in)) return;
        gen_slow(g, v);
    }
}

/* --- the driver
 * ------------------------------------------------------------------------------------------------------------
 */
enum { ROOM = 1024 }; /* no instruction's hot or cold code is longer */

static void gen_block(struct gen *g, uint32_t bi)
{
    const struct ir *ir = g->ir;
    const struct ir_block *b = &ir->blk[bi];
    g->x->label[bi] = g->p;
    g->pc = b->pc;
    gen_block_start(g, bi);
    if (b->loop_head || bi == 0) lower_poll(g, b->pc);
    for (uint32_t i = b->first; i < b->end && !g->err; i++) {
        const struct ir_ins *in = &ir->ins[i];
        unsigned fl = ir->flag[i];
        struct val *v = &g->val[i];
        g->at = i;
        if (in->op == IR_INSN) {
            g->pc = in->imm;
            continue;
        }
        if (in->op == IR_GET && v->root == i) gen_fresh(g, in->x, i);
        if (in->op == IR_NOP || in->op == IR_GET || v->root != i || v->flags & (VF_K | VF_LAZY | VF_DEFER)) continue;
        if (g->end - g->p < ROOM) {
            g->err = -ENOSPC;
            return;
        }
        if (in->op == IR_PUT) {
            if (fl & (IRF_LIVE | IRF_DEOPT)) gen_put(g, in->x, in->a, fl & IRF_LIVE);
        } else if (ir_opinfo[in->op].flags & F_END) {
            lower_term(g, bi, in);
        } else if (!fl) {
            continue;
        } else if (v->flags & VF_FOLD && v->uses == 1 && v->last == v->user) {
            v->flags |= VF_DEFER;
            continue;
        } else {
            lower_ins(g, i, in);
        }
        gen_end_ins(g);
    }
}

static void finish_jumps(struct gen *g)
{
    struct gen_priv *x = g->x;
    for (uint32_t i = 0; i < x->njumps; i++)
        a_bind(x->jumps[i].site, x->label[x->jumps[i].to]);
    for (uint32_t i = 0; i < x->ncolds && !g->err; i++) {
        if (g->end - g->p < ROOM) {
            g->err = -ENOSPC;
            return;
        }
        struct cold c = x->colds[i];
        a_bind(c.site, g->p);
        g->pc = c.pc;
        c.emit(g, &c);
    }
}

/*
 * Regions begin at no multiple of anything: AMD's predictor of computed jumps (Zen 4) knows where it came from by the low bits of
 * the addresses of jumps, which in regions of one shape would be the same. A table of functions of one instruction each is called
 * in 60% of the time that way.
 */
static int try_region(struct x86_host *h, struct ir *ir, struct code_buf *buf, struct region *r)
{
    struct gen_priv *x = &h->x;
    uint8_t *start = (uint8_t *)ALIGN_UP((uintptr_t)buf->rw, 16) + (r->pc * 0x9e3779b97f4a7c15ull >> 60);
    if (buf->end - start < 4 * ROOM) return -ENOSPC;
    struct gen g = {
        .p = start, .start = start, .end = buf->end, .delta = buf->delta, .ir = ir, .h = h, .r = r, .x = x};
    x->njumps = x->ncolds = x->npool = x->npoolrefs = x->nrecs = x->nmap = x->ntraps = x->nexits = x->nslows = x->nsofts =
        0;
    gen_reset(&g);
    if (!g.err) gen_carry(&g);
    for (unsigned k = 0; k < x->ncarry && !g.err; k++) {
        enum ir_type t = ir_regtype(ir, x->carry[k]);
        load_from(&g, t, x->hreg[x->carry[k]], home_of(&g, x->carry[k]), true);
    }
    for (uint32_t b = 0; b < ir->nblk && !g.err; b++)
        gen_block(&g, b);
    if (!g.err) finish_jumps(&g);
    if (!g.err) deopt_finish(&g);
    if (!g.err) slow_finish(&g);
    if (!g.err) pool_finish(&g);
    if (!g.err) g.err = deopt_write(&g);
    if (g.err) return g.err;
    r->code = start + buf->delta;
    r->code_size = (uint32_t)(g.p - start);
    buf->rw = g.p;
    return 0;
}

int gen_region(struct x86_host *h, struct ir *ir, struct code_buf *buf, struct region *r)
{
    struct gen_priv *x = &h->x;
    uint32_t nexits = 0;
    for (uint32_t b = 0; b < ir->nblk; b++)
        for (uint32_t i = ir->blk[b].end; i-- > ir->blk[b].first;)
            if (ir->ins[i].op != IR_NOP) {
                nexits += ir->ins[i].op == IR_EXIT;
                break;
            }
    x->exits = calloc(nexits ? nexits : 1, sizeof(*x->exits));
    if (!x->exits) return -ENOSPC;
    if (ir->nblk > x->cap_label) x->label = vec_grow(x->label, &x->cap_label, ir->nblk, sizeof(*x->label));
    x->nocarry = false;
    int err = try_region(h, ir, buf, r);
    if (err == -E2BIG && x->ncarry) { /* too few temporaries are left for some operation */
        x->nocarry = true;
        err = try_region(h, ir, buf, r);
    }
    if (err) {
        free(x->exits);
        return err;
    }
    r->exits = x->exits;
    r->nexits = x->nexits;
    return 0;
}
