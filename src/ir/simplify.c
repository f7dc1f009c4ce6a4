/* simplify.c: foldings that need only an instruction and its operands. */
#include "ir/simplify.h"

static struct ir_simple value(V v)
{
    return (struct ir_simple){ .kind = SIMPLE_VALUE, .v = v };
}

static struct ir_simple constant(uint64_t k)
{
    return (struct ir_simple){ .kind = SIMPLE_CONST, .k = k };
}

static const struct ir_simple none = { .kind = SIMPLE_NO };

static bool commutative(unsigned op)
{
    switch (op) {
    case IR_ADD: case IR_MUL: case IR_MULHS: case IR_MULHU: case IR_AND: case IR_OR: case IR_XOR: case IR_CLMUL:
    case IR_CLMULH: case IR_SADDOV:
        return true;
    default:
        return false;
    }
}

/* Every operand is a scalar constant: the one definition of the semantics decides. */
static struct ir_simple eval(const struct ir_ins *I, const struct ir_ins *ins)
{
    union vlanes a = { .u64 = { I[ins->a].imm } }, b = { .u64 = { I[ins->b].imm } }, c = { .u64 = { I[ins->c].imm } }, r;
    if (ins->type == T_V128 || !ir_eval(ins, (enum ir_type)I[ins->a].type, &a, &b, &c, &r)) return none;
    return constant(r.u64[0] & bits_mask(ir_type_bits[ins->type]));
}

/* op(x, k), k constant. */
static struct ir_simple with_const(const struct ir_ins *ins, unsigned width, uint64_t k)
{
    switch (ins->op) {
    case IR_ADD: case IR_SUB: case IR_XOR:
        return k ? none : value(ins->a);
    case IR_OR:
        return !k ? value(ins->a) : k == bits_mask(width) ? constant(k) : none;
    case IR_AND:
        return !k ? constant(0) : k == bits_mask(width) ? value(ins->a) : none;
    case IR_SHL: case IR_SHR: case IR_SAR: case IR_ROTR:
        return k & (width - 1) ? none : value(ins->a);
    case IR_MUL:
        return !k ? constant(0) : k == 1 ? value(ins->a) : none;
    case IR_MULHU: case IR_MULHS: case IR_CLMUL: case IR_CLMULH: case IR_MULHSU: case IR_DIVU: case IR_DIVS:
        if (!k) return constant(0);
        return k == 1 && (ins->op == IR_DIVU || ins->op == IR_DIVS || ins->op == IR_CLMUL) ? value(ins->a) : none;
    case IR_REMU: case IR_REMS:
        return !k ? value(ins->a) : k == 1 ? constant(0) : none;
    case IR_SADDOV: case IR_SSUBOV:
        return k ? none : constant(0);
    case IR_CMP:
        if (!k && (ins->sub == C_ULT || ins->sub == C_UGE)) return constant(ins->sub == C_UGE);
        if (k == bits_mask(width) && (ins->sub == C_UGT || ins->sub == C_ULE)) return constant(ins->sub == C_ULE);
        return none;
    default:
        return none;
    }
}

/* op(x, x). */
static struct ir_simple with_self(const struct ir_ins *ins)
{
    switch (ins->op) {
    case IR_SUB: case IR_XOR: case IR_SSUBOV: case IR_REMU: case IR_REMS:
        return constant(0);
    case IR_AND: case IR_OR:
        return value(ins->a);
    case IR_CMP:
        return constant(ir_cond_reflexive(ins->sub));
    default:
        return none;
    }
}

const uint8_t ir_trivial_class[IR_OPS] = {
    [IR_ADD] = TRIVIAL_K, [IR_SUB] = TRIVIAL_K, [IR_MUL] = TRIVIAL_K, [IR_MULHS] = TRIVIAL_K, [IR_MULHU] = TRIVIAL_K,
    [IR_MULHSU] = TRIVIAL_K, [IR_DIVS] = TRIVIAL_K, [IR_DIVU] = TRIVIAL_K, [IR_REMS] = TRIVIAL_K,
    [IR_REMU] = TRIVIAL_K, [IR_NEG] = TRIVIAL_K, [IR_NOT] = TRIVIAL_K, [IR_AND] = TRIVIAL_K, [IR_OR] = TRIVIAL_K,
    [IR_XOR] = TRIVIAL_K, [IR_SHL] = TRIVIAL_K, [IR_SHR] = TRIVIAL_K, [IR_SAR] = TRIVIAL_K, [IR_ROTR] = TRIVIAL_K,
    [IR_EXTR] = TRIVIAL_ASK, [IR_SEXT] = TRIVIAL_K, [IR_ZEXT] = TRIVIAL_K, [IR_TRUNC] = TRIVIAL_K,
    [IR_UBFX] = TRIVIAL_ASK, [IR_SBFX] = TRIVIAL_ASK, [IR_BFI] = TRIVIAL_ASK, [IR_CLZ] = TRIVIAL_K,
    [IR_CTZ] = TRIVIAL_K, [IR_POPCNT] = TRIVIAL_K, [IR_BSWAP] = TRIVIAL_K, [IR_BITREV] = TRIVIAL_K,
    [IR_CLMUL] = TRIVIAL_K, [IR_CLMULH] = TRIVIAL_K, [IR_CMP] = TRIVIAL_K, [IR_SADDOV] = TRIVIAL_K,
    [IR_SSUBOV] = TRIVIAL_K, [IR_SELECT] = TRIVIAL_ASK, [IR_BITCAST] = TRIVIAL_K, [IR_FNEG] = TRIVIAL_K,
    [IR_FABS] = TRIVIAL_K, [IR_FSGN] = TRIVIAL_K, [IR_FBOX] = TRIVIAL_K, [IR_FUNBOX] = TRIVIAL_K,
};

struct ir_simple ir_trivial(const struct ir_ins *I, struct ir_ins *ins)
{
    const struct ir_ins *a = &I[ins->a], *b = &I[ins->b];
    switch (ins->op) {
    case IR_SELECT:
        if (a->op == IR_K) return value(a->imm ? ins->b : ins->c);
        return ins->b == ins->c ? value(ins->b) : none;
    case IR_UBFX: case IR_SBFX:
        if (ins->y == ir_type_bits[ins->type]) return value(ins->a);
        break;
    case IR_BFI:
        if (ins->y == ir_type_bits[ins->type]) return value(ins->b);
        break;
    case IR_EXTR:
        if (!ins->x) return value(ins->b);
        break;
    }
    if (!ins->b) return a->op == IR_K ? eval(I, ins) : none;
    if (a->op == IR_K) {
        if (b->op == IR_K) return eval(I, ins);
        if (commutative(ins->op) || ins->op == IR_CMP) {
            V v = ins->a;
            ins->a = ins->b;
            ins->b = v;
            if (ins->op == IR_CMP) ins->sub = (uint8_t)ir_cond_swap(ins->sub);
            b = a;
        }
    }
    if (b->op == IR_K) return with_const(ins, ir_type_bits[b->type], b->imm);
    return ins->a == ins->b ? with_self(ins) : none;
}
