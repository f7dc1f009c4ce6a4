/*
 * build.c: the constructors of build.h. Only what is free at this point is folded (constants, x + 0, x & 0 ...): the
 * rest is ir_opt's, which sees whole blocks.
 */
#include "ir/build.h"
#include "ir/simplify.h"

static inline V last(const struct xlat *t)
{
    return t->ir->nins - 1;
}

/* Writes an instruction in its place. The array may move: no argument may look into it. */
#define EMIT(t, ...) (*ir_next((t)->ir) = (struct ir_ins){ __VA_ARGS__ }, last(t))

V ir_kt(struct xlat *t, enum ir_type type, uint64_t k)
{
    struct ir *ir = t->ir;
    k &= bits_mask(ir_type_bits[type]);
    for (unsigned i = 0; i < ARRAY_LEN(ir->last_k); i++) {
        V v = ir->last_k[i];
        if (v && ir->ins[v].imm == k && ir->ins[v].type == type) return v;
    }
    V v = EMIT(t, .op = IR_K, .type = (uint8_t)type, .imm = k);
    memmove(ir->last_k + 1, ir->last_k, sizeof ir->last_k - sizeof *ir->last_k);
    ir->last_k[0] = v;
    return v;
}

V ir_kv(struct xlat *t, uint64_t lo, uint64_t hi)
{
    uint32_t x = ir_addkv(t->ir, lo, hi);
    return EMIT(t, .op = IR_KV, .type = T_V128, .x = x);
}

V ir_get(struct xlat *t, unsigned reg)
{
    return EMIT(t, .op = IR_GET, .type = (uint8_t)ir_regtype(t->ir, reg), .x = reg);
}

void ir_put(struct xlat *t, unsigned reg, V v)
{
    EMIT(t, .op = IR_PUT, .a = v, .x = reg);
}

/* Emits a pure op, or what it trivially is. */
static inline V pure(struct xlat *t, struct ir_ins ins)
{
    if (ir_maybe_trivial(t->ir->ins, &ins)) {
        struct ir_simple s = ir_trivial(t->ir->ins, &ins);
        if (s.kind == SIMPLE_VALUE) return s.v;
        if (s.kind == SIMPLE_CONST) return ir_kt(t, (enum ir_type)ins.type, s.k);
    }
    ir_ins_copy(ir_next(t->ir), &ins);
    return last(t);
}

V ir_un(struct xlat *t, enum ir_op op, V a)
{
    return pure(t, (struct ir_ins){ .op = (uint8_t)op, .type = t->ir->ins[a].type, .a = a });
}

V ir_bin(struct xlat *t, enum ir_op op, V a, V b)
{
    return pure(t, (struct ir_ins){ .op = (uint8_t)op, .type = t->ir->ins[a].type, .a = a, .b = b });
}

V ir_extr(struct xlat *t, V hi, V lo, unsigned shift)
{
    return pure(t, (struct ir_ins){ .op = IR_EXTR, .type = t->ir->ins[lo].type, .a = hi, .b = lo, .x = shift });
}

static V convert(struct xlat *t, enum ir_op op, enum ir_type type, V a)
{
    if (t->ir->ins[a].type == type) return a;
    return pure(t, (struct ir_ins){ .op = (uint8_t)op, .type = (uint8_t)type, .a = a });
}

V ir_sext(struct xlat *t, enum ir_type type, V a)
{
    return convert(t, IR_SEXT, type, a);
}

V ir_zext(struct xlat *t, enum ir_type type, V a)
{
    return convert(t, IR_ZEXT, type, a);
}

V ir_trunc(struct xlat *t, enum ir_type type, V a)
{
    return convert(t, IR_TRUNC, type, a);
}

V ir_bitcast(struct xlat *t, enum ir_type type, V a)
{
    return convert(t, IR_BITCAST, type, a);
}

static V bitfield(struct xlat *t, enum ir_op op, V a, V b, unsigned lsb, unsigned width)
{
    return pure(t, (struct ir_ins){ .op = (uint8_t)op, .type = t->ir->ins[a].type, .a = a, .b = b, .x = lsb, .y = width });
}

V ir_ubfx(struct xlat *t, V a, unsigned lsb, unsigned width)
{
    return bitfield(t, IR_UBFX, a, 0, lsb, width);
}

V ir_sbfx(struct xlat *t, V a, unsigned lsb, unsigned width)
{
    return bitfield(t, IR_SBFX, a, 0, lsb, width);
}

V ir_bfi(struct xlat *t, V a, V b, unsigned lsb, unsigned width)
{
    return bitfield(t, IR_BFI, a, b, lsb, width);
}

V ir_cmp(struct xlat *t, enum ir_cond c, V a, V b)
{
    return pure(t, (struct ir_ins){ .op = IR_CMP, .type = T_I1, .sub = (uint8_t)c, .a = a, .b = b });
}

V ir_saddov(struct xlat *t, V a, V b)
{
    return pure(t, (struct ir_ins){ .op = IR_SADDOV, .type = T_I1, .a = a, .b = b });
}

V ir_ssubov(struct xlat *t, V a, V b)
{
    return pure(t, (struct ir_ins){ .op = IR_SSUBOV, .type = T_I1, .a = a, .b = b });
}

V ir_select(struct xlat *t, V cond, V a, V b)
{
    return pure(t, (struct ir_ins){ .op = IR_SELECT, .type = t->ir->ins[a].type, .a = cond, .b = a, .c = b });
}

/* --- scalar floating point: nothing folds, flags and rounding are dynamic ---------------------------------------- */

static V fp(struct xlat *t, enum ir_op op, enum ir_type type, unsigned sub, unsigned mo, V a, V b, V c)
{
    return EMIT(t, .op = (uint8_t)op, .type = (uint8_t)type, .sub = (uint8_t)sub,
           .mo = (uint8_t)mo, .a = a, .b = b, .c = c);
}

V ir_fop2(struct xlat *t, enum ir_op op, V a, V b, enum ir_rm rm)
{
    return fp(t, op, ir_type_of(t, a), rm, 0, a, b, 0);
}

V ir_fsqrt(struct xlat *t, V a, enum ir_rm rm)
{
    return fp(t, IR_FSQRT, ir_type_of(t, a), rm, 0, a, 0, 0);
}

V ir_fma(struct xlat *t, V a, V b, V c, enum ir_rm rm)
{
    return fp(t, IR_FMA, ir_type_of(t, a), rm, 0, a, b, c);
}

V ir_fminmax(struct xlat *t, enum ir_op op, V a, V b, enum ir_minmax m)
{
    return fp(t, op, ir_type_of(t, a), 0, m, a, b, 0);
}

V ir_fcmp(struct xlat *t, enum ir_fcond c, bool signalling, V a, V b)
{
    return fp(t, IR_FCMP, T_I1, c, signalling, a, b, 0);
}

V ir_fcvt(struct xlat *t, enum ir_type type, V a, enum ir_rm rm)
{
    return fp(t, IR_FCVT, type, rm, 0, a, 0, 0);
}

V ir_ftoi(struct xlat *t, enum ir_type type, V a, enum ir_rm rm, unsigned ftoi)
{
    return fp(t, IR_FTOI, type, rm, ftoi, a, 0, 0);
}

V ir_itof(struct xlat *t, enum ir_type type, V a, enum ir_rm rm, bool is_signed)
{
    return fp(t, IR_ITOF, type, rm, is_signed, a, 0, 0);
}

V ir_frint(struct xlat *t, V a, enum ir_rm rm, bool inexact)
{
    return fp(t, IR_FRINT, ir_type_of(t, a), rm, inexact, a, 0, 0);
}

V ir_fbox(struct xlat *t, V a)
{
    return convert(t, IR_FBOX, T_F64, a);
}

V ir_funbox(struct xlat *t, enum ir_type type, V a)
{
    return convert(t, IR_FUNBOX, type, a);
}

V ir_fenvrd(struct xlat *t)
{
    return EMIT(t, .op = IR_FENVRD, .type = T_I32);
}

void ir_fenvwr(struct xlat *t, V flags)
{
    EMIT(t, .op = IR_FENVWR, .a = flags);
}

void ir_frmwr(struct xlat *t, V rm)
{
    EMIT(t, .op = IR_FRMWR, .a = rm);
}

/* --- vectors ------------------------------------------------------------------------------------------------------- */

static V vec(struct xlat *t, enum ir_op op, enum ir_lane lane, unsigned mo, V a, V b, V c, unsigned x, unsigned y)
{
    return EMIT(t, .op = (uint8_t)op, .type = T_V128, .sub = (uint8_t)lane, .mo = (uint8_t)mo,
           .a = a, .b = b, .c = c, .x = x, .y = y);
}

V ir_v1(struct xlat *t, enum ir_op op, enum ir_lane lane, V a)
{
    V v = vec(t, op, lane, 0, a, 0, 0, 0, 0);
    if (op == IR_VMSK) t->ir->ins[v].type = T_I32;
    return v;
}

V ir_v2(struct xlat *t, enum ir_op op, enum ir_lane lane, V a, V b)
{
    return vec(t, op, lane, 0, a, b, 0, 0, 0);
}

V ir_v3(struct xlat *t, enum ir_op op, enum ir_lane lane, V a, V b, V c)
{
    return vec(t, op, lane, 0, a, b, c, 0, 0);
}

V ir_v1x(struct xlat *t, enum ir_op op, enum ir_lane lane, V a, unsigned x)
{
    return vec(t, op, lane, 0, a, 0, 0, x, 0);
}

V ir_v2x(struct xlat *t, enum ir_op op, enum ir_lane lane, V a, V b, unsigned x, unsigned y)
{
    return vec(t, op, lane, 0, a, b, 0, x, y);
}

V ir_vcmp(struct xlat *t, enum ir_cond c, enum ir_lane lane, V a, V b)
{
    return vec(t, IR_VCMP, lane, c, a, b, 0, 0, 0);
}

V ir_vdup(struct xlat *t, enum ir_lane lane, V scalar)
{
    return vec(t, IR_VDUP, lane, 0, scalar, 0, 0, 0, 0);
}

V ir_vfrom(struct xlat *t, V scalar)
{
    return vec(t, IR_VFROM, L_I8, 0, scalar, 0, 0, 0, 0);
}

V ir_vget(struct xlat *t, enum ir_type type, enum ir_lane lane, V a, unsigned x)
{
    V v = vec(t, IR_VGET, lane, 0, a, 0, 0, x, 0);
    t->ir->ins[v].type = (uint8_t)type;
    return v;
}

V ir_vins(struct xlat *t, enum ir_lane lane, V a, V scalar, unsigned x)
{
    return vec(t, IR_VINS, lane, 0, a, scalar, 0, x, 0);
}

V ir_vred(struct xlat *t, enum ir_type type, enum ir_lane lane, enum ir_vred op, V a)
{
    V v = vec(t, IR_VRED, lane, op, a, 0, 0, 0, 0);
    t->ir->ins[v].type = (uint8_t)type;
    return v;
}

V ir_vf(struct xlat *t, enum ir_op op, enum ir_lane lane, unsigned mo, V a, V b, V c, unsigned x)
{
    return vec(t, op, lane, mo, a, b, c, x, 0);
}

/* --- memory, calls ------------------------------------------------------------------------------------------------- */

static void watched(struct xlat *t, V addr, int64_t disp, unsigned mo, unsigned how)
{
    if (unlikely(t->watch)) ir_call(t, t->watch, (V[]){ disp ? ir_addi(t, addr, disp) : addr, ir_k(t, MO_BYTES(mo) << 2 | how) });
}

V ir_ld(struct xlat *t, enum ir_type type, V addr, int64_t disp, unsigned mo)
{
    watched(t, addr, disp, mo, 1);
    return EMIT(t, .op = IR_LD, .type = (uint8_t)type, .mo = (uint8_t)mo, .a = addr,
           .x = t->view, .imm = (uint64_t)disp);
}

void ir_st(struct xlat *t, V addr, int64_t disp, V v, unsigned mo)
{
    watched(t, addr, disp, mo, 2);
    EMIT(t, .op = IR_ST, .mo = (uint8_t)mo, .a = addr, .b = v, .x = t->view, .imm = (uint64_t)disp);
}

V ir_cas(struct xlat *t, V addr, V expect, V desired, unsigned mo)
{
    uint8_t type = t->ir->ins[expect].type;
    watched(t, addr, 0, mo, 3);
    return EMIT(t, .op = IR_CAS, .type = type, .mo = (uint8_t)mo, .a = addr,
           .b = expect, .c = desired, .x = t->view);
}

V ir_rmw(struct xlat *t, enum ir_rmw op, V addr, V v, unsigned mo)
{
    uint8_t type = t->ir->ins[v].type;
    watched(t, addr, 0, mo, 3);
    return EMIT(t, .op = IR_RMW, .type = type, .sub = (uint8_t)op,
           .mo = (uint8_t)mo, .a = addr, .b = v, .x = t->view);
}

void ir_fence(struct xlat *t, unsigned bits)
{
    EMIT(t, .op = IR_FENCE, .sub = (uint8_t)bits);
}

void ir_probe(struct xlat *t, V addr, unsigned bytes, bool store)
{
    EMIT(t, .op = IR_PROBE, .mo = store ? MO_STORE : 0, .a = addr, .x = t->view, .y = bytes);
}

V ir_call(struct xlat *t, const struct ir_helper *h, const V *args)
{
    struct ir_call call = { .h = h };
    for (unsigned i = 0; i < h->nargs; i++) call.arg[i] = args[i];
    uint32_t x = ir_addcall(t->ir, &call);
    V v = EMIT(t, .op = IR_CALL, .type = h->ret, .x = x);
    return h->ret == T_VOID ? 0 : v;
}
