/* bits.c: what is known of a value's bits, computed when a rule asks. */
#include "ir/opt.h"

static uint64_t load_zero(const struct ir_ins *i)
{
    return i->mo & MO_SIGN ? 0 : ~bits_mask(8 * MO_BYTES(i->mo));
}

uint64_t ir_known_zero(const struct ir_ins *I, V v, unsigned depth)
{
    const struct ir_ins *i = &I[v], *b = &I[i->b];
    uint64_t above = ~bits_mask(ir_type_bits[i->type]);
    if (i->op == IR_K) return ~i->imm;
    if (!depth) return above;
    depth--;
    switch (i->op) {
    case IR_ZEXT: case IR_TRUNC: return ir_known_zero(I, i->a, depth) | above;
    case IR_SEXT: {
        uint64_t z = ir_known_zero(I, i->a, depth);
        return z >> (ir_type_bits[I[i->a].type] - 1) & 1 ? z : z & bits_mask(ir_type_bits[I[i->a].type]);
    }
    case IR_AND: return ir_known_zero(I, i->a, depth) | ir_known_zero(I, i->b, depth);
    case IR_OR: case IR_XOR: return ir_known_zero(I, i->a, depth) & ir_known_zero(I, i->b, depth);
    case IR_SELECT: return ir_known_zero(I, i->b, depth) & ir_known_zero(I, i->c, depth);
    case IR_SHL:
        if (b->op != IR_K) return above;
        return ir_known_zero(I, i->a, depth) << b->imm | bits_mask((unsigned)b->imm) | above;
    case IR_SHR:
        if (b->op != IR_K) return above;
        return ~(~ir_known_zero(I, i->a, depth) >> b->imm);
    case IR_UBFX: return ~bits_mask(i->y) | ir_known_zero(I, i->a, depth) >> i->x;
    case IR_LD: return load_zero(i) | above;
    case IR_CLZ: case IR_CTZ: case IR_POPCNT: return ~(uint64_t)0x7f;
    case IR_REMU:
        return b->op == IR_K && b->imm ? ~bits_mask(64 - (unsigned)__builtin_clzll(b->imm)) : above;
    default: return above;
    }
}

unsigned ir_sign_bits(const struct ir_ins *I, V v, unsigned depth)
{
    const struct ir_ins *i = &I[v], *b = &I[i->b];
    unsigned w = ir_type_bits[i->type], x, y;
    if (i->op == IR_K) {
        uint64_t k = (uint64_t)bits_sext(i->imm, w);
        k ^= (uint64_t)((int64_t)k >> 63);
        return k ? (unsigned)__builtin_clzll(k) - (64 - w) : w;
    }
    if (!depth) return 1;
    depth--;
    switch (i->op) {
    case IR_SEXT: return w - ir_type_bits[I[i->a].type] + ir_sign_bits(I, i->a, depth);
    case IR_SBFX: return w - i->y + 1;
    case IR_LD:
        x = 8 * MO_BYTES(i->mo);
        return !(i->mo & MO_SIGN) || x > w ? MAX(1, (int)w - (int)x) : w - x + 1;
    case IR_SAR:
        return b->op == IR_K ? MIN(w, ir_sign_bits(I, i->a, depth) + (unsigned)b->imm) : ir_sign_bits(I, i->a, depth);
    case IR_NOT: return ir_sign_bits(I, i->a, depth);
    case IR_TRUNC:
        x = ir_type_bits[I[i->a].type] - w;
        y = ir_sign_bits(I, i->a, depth);
        return y > x ? y - x : 1;
    case IR_AND: case IR_OR: case IR_XOR:
    case IR_ADD: case IR_SUB:
        x = ir_sign_bits(I, i->a, depth);
        if (x == 1) return 1;
        y = ir_sign_bits(I, i->b, depth);
        x = MIN(x, y);
        return (i->op == IR_ADD || i->op == IR_SUB) && x > 1 ? x - 1 : x;
    case IR_SELECT:
        x = ir_sign_bits(I, i->b, depth);
        y = ir_sign_bits(I, i->c, depth);
        return MIN(x, y);
    case IR_ZEXT: case IR_SHR: case IR_UBFX: case IR_CLZ: case IR_CTZ: case IR_POPCNT: {
        uint64_t nz = ~ir_known_zero(I, v, depth + 1);
        unsigned lead = nz ? (unsigned)__builtin_clzll(nz) - (64 - w) : w;
        return MAX(1, lead);
    }
    default: return 1;
    }
}
