/* xl.c: operands, flags and stack in IR (xl.h). */
#include "xl.h"

/* -- addresses ---------------------------------------------------------------------------------------------------------- */

/* Base and scaled index; 0 = neither. */
static V base_index(struct xlat *t, F *f)
{
    V base = f->base < 16 ? ir_get(t, R_RAX + f->base) : 0;
    if (f->index >= 16) return base;
    V index = ir_shli(t, ir_get(t, R_RAX + f->index), f->scale);
    return base ? ir_add(t, base, index) : index;
}

V x86_offset(struct xlat *t, F *f, int64_t *disp)
{
    V a = base_index(t, f);
    uint64_t k = (uint64_t)f->disp + (f->base == REG_IP ? t->next_pc : 0), mask = bits_mask(f->asize);

    *disp = 0;
    if (!a) return ir_k(t, k & mask);
    if (f->asize == 64) {
        *disp = f->disp;
        return a;
    }
    return ir_zext(t, T_I64, ir_addi(t, ir_trunc(t, type_of(f->asize), a), k & mask));
}

/* ES CS SS DS count outside of 64-bit code if they are not flat. */
static bool has_base(struct xlat *t, unsigned seg)
{
    return seg >= SEG_FS || (t->mode & MODE_SEG && !code64(t));
}

V x86_linear(struct xlat *t, V offset, unsigned seg)
{
    if (!has_base(t, seg)) return offset;
    V a = ir_add(t, ir_get(t, R_SEGBASE + seg), offset);
    return code64(t) ? a : ir_zext(t, T_I64, ir_trunc(t, T_I32, a));
}

struct ea x86_ea(struct xlat *t, F *f, const struct x86_op *op)
{
    struct ea m = { 0 };
    unsigned seg = f->mem_seg;

    if (op->kind == OP_MEM) {
        m.a = x86_offset(t, f, &m.disp);
    } else {
        m.a = ir_zext(t, T_I64, gpr(t, op->kind == OP_SI ? R_RSI : R_RDI, f->asize));
        if (op->kind == OP_DI) seg = SEG_ES;
    }
    m.a = x86_linear(t, m.a, seg);
    return m;
}

/* -- operands ------------------------------------------------------------------------------------------------------------- */

V src(struct xlat *t, F *f, unsigned i)
{
    const struct x86_op *op = &f->op[i];

    switch (op->kind) {
    case OP_REG: return gpr(t, op->reg, op->bits);
    case OP_HIGH: return ir_trunc(t, T_I8, ir_ubfx(t, ir_get(t, R_RAX + op->reg), 8, 8));
    case OP_MEM: case OP_SI: case OP_DI: return ld(t, type_of(op->bits), x86_ea(t, f, op));
    case OP_IMM: return ir_kt(t, type_of(op->bits), op->imm);
    case OP_SEG: return ir_trunc(t, T_I16, ir_get(t, R_SEL + op->reg));
    case OP_VEC: return ir_get(t, R_XMM + op->reg);
    default: return ir_k(t, 0); /* no form has others here */
    }
}

void dst(struct xlat *t, F *f, unsigned i, V v)
{
    const struct x86_op *op = &f->op[i];

    switch (op->kind) {
    case OP_REG: set_gpr(t, op->reg, v); break;
    case OP_HIGH:
        ir_put(t, R_RAX + op->reg, ir_bfi(t, ir_get(t, R_RAX + op->reg), ir_zext(t, T_I64, v), 8, 8));
        break;
    case OP_MEM: case OP_SI: case OP_DI: st(t, x86_ea(t, f, op), v); break;
    case OP_VEC: ir_put(t, R_XMM + op->reg, v); break;
    }
}

V modify(struct xlat *t, F *f, enum ir_rmw op, V b)
{
    V old, new;

    if (is_mem(f, 0) && (locked(f) || op == RMW_XCHG)) {
        V a = ea_value(t, x86_ea(t, f, &f->op[0]));
        return ir_rmw(t, op, a, b, mo_of(ir_type_of(t, b)) | MO_ACQ | MO_REL);
    }
    old = src(t, f, 0);
    switch (op) {
    case RMW_ADD: new = ir_add(t, old, b); break;
    case RMW_AND: new = ir_and(t, old, b); break;
    case RMW_OR: new = ir_or(t, old, b); break;
    case RMW_XOR: new = ir_xor(t, old, b); break;
    default: new = b; break;
    }
    dst(t, f, 0, new);
    return old;
}

struct modify modify_begin(struct xlat *t, F *f)
{
    struct modify m = { 0 };

    if (is_mem(f, 0)) {
        m.m = x86_ea(t, f, &f->op[0]);
        m.old = ld(t, type_of(f->op[0].bits), m.m);
    } else {
        m.old = src(t, f, 0);
    }
    return m;
}

V modify_end(struct xlat *t, F *f, const struct modify *m, V v)
{
    if (!is_mem(f, 0)) {
        dst(t, f, 0, v);
    } else if (!locked(f)) {
        st(t, m->m, v);
    } else {
        V seen = ir_cas(t, ea_value(t, m->m), m->old, v, mo_of(ir_type_of(t, v)) | MO_ACQ | MO_REL);
        return ir_cmp(t, C_EQ, seen, m->old);
    }
    return 0;
}

/* -- flags ---------------------------------------------------------------------------------------------------------------- */

/* Any value as I32; what is above its width does not matter. */
static V low32(struct xlat *t, V v)
{
    return bits_of(t, v) == 64 ? ir_trunc(t, T_I32, v) : ir_zext(t, T_I32, v);
}

struct flags flags_of(struct xlat *t, V r, V cf, V of, V x)
{
    V wide = ir_sext(t, T_I64, r), low = ir_trunc(t, T_I32, wide);
    return (struct flags){ .zfv = wide, .sfv = wide, .pfv = low, .afv = x ? ir_xor(t, low32(t, x), low) : low, .cf = cf, .of = of };
}

void put_flags(struct xlat *t, const struct flags *fl)
{
    put_flags_if(t, 0, fl);
}

void put_flags_if(struct xlat *t, V ok, const struct flags *fl)
{
    if (fl->zfv) put_if(t, ok, R_ZFV, fl->zfv);
    if (fl->sfv) put_if(t, ok, R_SFV, fl->sfv);
    if (fl->afv) put_if(t, ok, R_AFV, fl->afv);
    if (fl->pfv) put_if(t, ok, R_PFV, fl->pfv);
    if (fl->cf) put_if(t, ok, R_CF, fl->cf);
    if (fl->of) put_if(t, ok, R_OF, fl->of);
}

/* A = bit 4 of a ^ b ^ r, and afv holds it xored with r. */
static V aux(struct xlat *t, V a, V b)
{
    return low32(t, ir_xor(t, a, b));
}

struct flags flags_add(struct xlat *t, V a, V b, V carry, V r)
{
    V cf = ir_cmp(t, C_ULT, r, a), of;
    if (carry) {
        /* r - a = b + carry: it wrapped if r < a, or if r == a and a carry came in, which then made b + 1 zero */
        cf = ir_or(t, cf, ir_and(t, carry, ir_cmp(t, C_EQ, r, a)));
        of = ir_cmpi(t, C_SLT, ir_and(t, ir_xor(t, a, r), ir_xor(t, b, r)), 0);
    } else {
        of = ir_saddov(t, a, b);
    }
    struct flags fl = flags_of(t, r, cf, of, 0);
    fl.afv = aux(t, a, b);
    return fl;
}

struct flags flags_sub(struct xlat *t, V a, V b, V borrow, V r)
{
    V cf = ir_cmp(t, C_ULT, a, b), of;
    if (borrow) {
        cf = ir_or(t, cf, ir_and(t, borrow, ir_cmp(t, C_EQ, a, b)));
        of = ir_cmpi(t, C_SLT, ir_and(t, ir_xor(t, a, b), ir_xor(t, a, r)), 0);
    } else {
        of = ir_ssubov(t, a, b);
    }
    struct flags fl = flags_of(t, r, cf, of, 0);
    fl.afv = aux(t, a, b);
    return fl;
}

void put_flags_zpc(struct xlat *t, V z, V p, V c)
{
    /* S = 0, and afv = pfv: A = 0 */
    V pfv = ir_zext(t, T_I32, ir_not(t, p));
    put_flags(t, &(struct flags){ .zfv = ir_zext(t, T_I64, ir_not(t, z)), .sfv = ir_k(t, 0), .pfv = pfv, .afv = pfv, .cf = c, .of = k1(t, 0) });
}

static V flag_z(struct xlat *t)
{
    return ir_cmpi(t, C_EQ, ir_get(t, R_ZFV), 0);
}
static V flag_s(struct xlat *t)
{
    return ir_cmpi(t, C_SLT, ir_get(t, R_SFV), 0);
}
static V flag_p(struct xlat *t)
{
    V n = ir_popcnt(t, ir_andi(t, ir_get(t, R_PFV), 0xff));
    return ir_not(t, ir_trunc(t, T_I1, n));
}
static V flag_a(struct xlat *t)
{
    return ir_trunc(t, T_I1, ir_shri(t, ir_xor(t, ir_get(t, R_AFV), ir_get(t, R_PFV)), 4));
}

V condition(struct xlat *t, unsigned cc)
{
    V v;

    switch (cc >> 1 & 7) {
    case 0: v = ir_get(t, R_OF); break;
    case 1: v = ir_get(t, R_CF); break;
    case 2: v = flag_z(t); break;
    case 3: v = ir_or(t, ir_get(t, R_CF), flag_z(t)); break;
    case 4: v = flag_s(t); break;
    case 5: v = flag_p(t); break;
    case 6: v = ir_xor(t, flag_s(t), ir_get(t, R_OF)); break;
    default: v = ir_or(t, flag_z(t), ir_xor(t, flag_s(t), ir_get(t, R_OF))); break;
    }
    return cc & 1 ? ir_not(t, v) : v;
}

static V flag_bit(struct xlat *t, V sum, V bit, unsigned at)
{
    return ir_or(t, sum, ir_shli(t, ir_zext(t, T_I32, bit), at));
}

V get_eflags(struct xlat *t)
{
    V v = ir_ori(t, ir_get(t, R_FLREST), FL_ONE);
    v = flag_bit(t, v, ir_get(t, R_CF), 0);
    v = flag_bit(t, v, flag_p(t), 2);
    v = flag_bit(t, v, flag_a(t), 4);
    v = flag_bit(t, v, flag_z(t), 6);
    v = flag_bit(t, v, flag_s(t), 7);
    v = flag_bit(t, v, ir_cmpi(t, C_SLT, ir_get(t, R_DF), 0), 10);
    return flag_bit(t, v, ir_get(t, R_OF), 11);
}

static V bit_of(struct xlat *t, V v, unsigned n)
{
    return ir_trunc(t, T_I1, ir_shri(t, v, n));
}

void set_eflags(struct xlat *t, V v, uint32_t which)
{
    if (which & FL_CF) ir_put(t, R_CF, bit_of(t, v, 0));
    if (which & FL_OF) ir_put(t, R_OF, bit_of(t, v, 11));
    if (which & FL_DF) ir_put(t, R_DF, ir_select(t, bit_of(t, v, 10), ir_k(t, ~0ull), ir_k(t, 1)));
    if (which & FL_ZF) ir_put(t, R_ZFV, ir_zext(t, T_I64, ir_not(t, bit_of(t, v, 6))));
    if (which & FL_SF) ir_put(t, R_SFV, ir_shli(t, ir_zext(t, T_I64, v), 56));
    if (which & FL_PF) { /* and AF: no instruction sets one of the two only */
        ir_put(t, R_PFV, ir_zext(t, T_I32, ir_not(t, bit_of(t, v, 2))));
        ir_put(t, R_AFV, ir_andi(t, v, FL_AF));
    }
    if (which & FL_REST)
        ir_put(t, R_FLREST, ir_or(t, ir_andi(t, ir_get(t, R_FLREST), (uint32_t)~which), ir_andi(t, v, which & FL_REST)));
}

/* -- stack ---------------------------------------------------------------------------------------------------------------- */

unsigned stack_bits(struct xlat *t)
{
    return code64(t) ? 64 : t->mode & MODE_STACK16 ? 16 : 32;
}

/* The linear address of an offset (signed) from the stack pointer; in 64-bit code what is to be added stays in *disp. */
static V stack_at(struct xlat *t, int64_t offset, int64_t *disp)
{
    V sp = gpr(t, R_RSP, stack_bits(t));
    *disp = stack_bits(t) == 64 ? offset : 0;
    if (!*disp && offset) sp = ir_addi(t, sp, (uint64_t)offset);
    return x86_linear(t, ir_zext(t, T_I64, sp), SEG_SS);
}

void stack_store(struct xlat *t, V v, unsigned below)
{
    int64_t disp;
    V a = stack_at(t, -(int64_t)below, &disp);
    ir_st(t, a, disp, v, mo_of(ir_type_of(t, v)));
}

V stack_top(struct xlat *t, enum ir_type type, unsigned offset)
{
    int64_t disp;
    V a = stack_at(t, offset, &disp);
    return ir_ld(t, type, a, disp, mo_of(type));
}

void push(struct xlat *t, V v)
{
    unsigned bytes = bits_of(t, v) / 8;
    stack_store(t, v, bytes);
    stack_drop(t, -(uint64_t)bytes);
}

void stack_drop(struct xlat *t, uint64_t bytes)
{
    set_gpr(t, R_RSP, ir_addi(t, gpr(t, R_RSP, stack_bits(t)), bytes));
}

/* -- leaving -------------------------------------------------------------------------------------------------------------- */

V ip_value(struct xlat *t, uint64_t pc, enum ir_type type)
{
    if (!has_base(t, SEG_CS)) return ir_kt(t, type, pc);
    return ir_trunc(t, type, ir_sub(t, ir_k(t, pc), ir_get(t, R_SEGBASE + SEG_CS)));
}

uint64_t rel_target(struct xlat *t, F *f, unsigned i)
{
    uint64_t pc = t->next_pc + f->op[i].imm;
    if (code64(t)) return pc;
    return f->osize == 16 && !(t->mode & MODE_SEG) ? (uint16_t)pc : (uint32_t)pc;
}

void jump_to(struct xlat *t, V ip, enum ir_jk jk)
{
    xl_jump_ind(t, x86_linear(t, ir_zext(t, T_I64, ip), SEG_CS), jk);
}
