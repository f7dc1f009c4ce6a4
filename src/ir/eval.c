/*
 * eval.c: ir_eval, the one definition of what the pure operations of ops.def compute: scalars here, vectors in
 * eval_vec.c. Constant folding, the interpreter and deopt maps all come here, so a back end is right when it agrees.
 *
 * A scalar, floating-point bit patterns included, is held zero-extended in u64[0]; results also have u64[1] = 0.
 */
#include "ir/eval.h"

u128 ir_clmul64(uint64_t x, uint64_t y)
{
    u128 r = 0;

    for (; y; y &= y - 1)
        r ^= (u128)x << __builtin_ctzll(y);
    return r;
}

static uint64_t mul_high(unsigned op, unsigned w, uint64_t x, uint64_t y)
{
    s128 sx = op == IR_MULHU ? (s128)x : bits_sext(x, w);
    s128 sy = op == IR_MULHS ? bits_sext(y, w) : (s128)y;

    return (uint64_t)((u128)sx * (u128)sy >> w);
}

/* Signed division and remainder; the machine's own division would trap on MIN / -1. */
static uint64_t div_signed(unsigned op, unsigned w, uint64_t x, uint64_t y)
{
    int64_t sx = bits_sext(x, w), sy = bits_sext(y, w);

    if (sy == 0)
        return op == IR_DIVS ? 0 : x;
    if (sy == -1)
        return op == IR_DIVS ? 0 - x : 0;
    return (uint64_t)(op == IR_DIVS ? sx / sy : sx % sy);
}

static bool compare(enum ir_cond c, unsigned w, uint64_t x, uint64_t y)
{
    int64_t sx = bits_sext(x, w), sy = bits_sext(y, w);

    switch (c) {
    case C_EQ: return x == y;
    case C_NE: return x != y;
    case C_SLT: return sx < sy;
    case C_SGE: return sx >= sy;
    case C_SLE: return sx <= sy;
    case C_SGT: return sx > sy;
    case C_ULT: return x < y;
    case C_UGE: return x >= y;
    case C_ULE: return x <= y;
    case C_UGT: return x > y;
    }
    return false;
}

static uint64_t bit_reverse(unsigned w, uint64_t x)
{
    x = (x & 0x5555555555555555) << 1 | (x >> 1 & 0x5555555555555555);
    x = (x & 0x3333333333333333) << 2 | (x >> 2 & 0x3333333333333333);
    x = (x & 0x0f0f0f0f0f0f0f0f) << 4 | (x >> 4 & 0x0f0f0f0f0f0f0f0f);
    return __builtin_bswap64(x) >> (64 - w);
}

/* The canonical quiet NaN of a narrow value in a wider register whose upper bits are not all one. */
static uint64_t nan_unbox(unsigned w, unsigned wide, uint64_t x)
{
    if ((x | bits_mask(w)) == bits_mask(wide))
        return x;
    return w == 16 ? 0x7e00 : w == 32 ? 0x7fc00000 : 0x7ff8000000000000;
}

bool ir_eval(const struct ir_ins *ins, enum ir_type type_a, const union vlanes *a, const union vlanes *b,
             const union vlanes *c, union vlanes *res)
{
    const uint64_t x = a ? a->u64[0] : 0, y = b ? b->u64[0] : 0;
    const unsigned w = ir_type_bits[ins->type], wa = ir_type_bits[type_a];
    uint64_t r;

    switch (ins->op) {
    case IR_K: r = ins->imm; break;
    case IR_ADD: r = x + y; break;
    case IR_SUB: r = x - y; break;
    case IR_AND: r = x & y; break;
    case IR_OR: r = x | y; break;
    case IR_XOR: r = x ^ y; break;
    case IR_SHL: r = x << (y & (w - 1)); break;
    case IR_SHR: r = x >> (y & (w - 1)); break;
    case IR_SAR: r = (uint64_t)(bits_sext(x, w) >> (y & (w - 1))); break;
    case IR_SEXT: r = (uint64_t)bits_sext(x, wa); break;
    case IR_ZEXT:
    case IR_TRUNC:
    case IR_BITCAST: r = x; break;
    case IR_CMP: r = compare(ins->sub, wa, x, y); break;
    case IR_NEG: r = 0 - x; break;
    case IR_NOT: r = ~x; break;
    case IR_MUL: r = x * y; break;
    case IR_SELECT: *res = x & 1 ? *b : *c; return true;
    case IR_UBFX: r = x >> ins->x & bits_mask(ins->y); break;
    case IR_SBFX: r = (uint64_t)bits_sext(x >> ins->x, ins->y); break;
    case IR_BFI: {
        uint64_t m = bits_mask(ins->y) << ins->x;
        r = (x & ~m) | (y << ins->x & m);
        break;
    }
    case IR_MULHS:
    case IR_MULHU:
    case IR_MULHSU: r = mul_high(ins->op, w, x, y); break;
    case IR_DIVS:
    case IR_REMS: r = div_signed(ins->op, w, x, y); break;
    case IR_DIVU: r = y ? x / y : 0; break;
    case IR_REMU: r = y ? x % y : x; break;
    case IR_ROTR: r = x >> (y & (w - 1)) | x << (-y & (w - 1)); break;
    case IR_EXTR: r = (uint64_t)(((u128)x << w | y) >> ins->x); break;
    case IR_CLZ: r = x ? (uint64_t)__builtin_clzll(x) - (64 - w) : w; break;
    case IR_CTZ: r = x ? (uint64_t)__builtin_ctzll(x) : w; break;
    case IR_POPCNT: r = (uint64_t)__builtin_popcountll(x); break;
    case IR_BSWAP: r = __builtin_bswap64(x) >> (64 - w); break;
    case IR_BITREV: r = bit_reverse(w, x); break;
    case IR_CLMUL: r = (uint64_t)ir_clmul64(x, y); break;
    case IR_CLMULH: r = (uint64_t)(ir_clmul64(x, y) >> w); break;
    case IR_SADDOV: r = (~(x ^ y) & (x ^ (x + y))) >> (wa - 1) & 1; break;
    case IR_SSUBOV: r = ((x ^ y) & (x ^ (x - y))) >> (wa - 1) & 1; break;
    case IR_FNEG: r = x ^ 1ull << (w - 1); break;
    case IR_FABS: r = x & bits_mask(w - 1); break;
    case IR_FSGN: r = (x & bits_mask(w - 1)) | (y & 1ull << (w - 1)); break;
    case IR_FBOX: r = x | ~bits_mask(wa); break;
    case IR_FUNBOX: r = nan_unbox(w, wa, x); break;
    default: return ir_eval_vec(ins, type_a, a, b, c, res);
    }
    res->u64[0] = r & bits_mask(w);
    res->u64[1] = 0;
    return true;
}
