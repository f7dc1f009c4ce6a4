/*
 * bits.isa.c: shifts, rotates, bit tests and scans, byte swaps, BMI1, BMI2, LZCNT, POPCNT, CRC32. Intel SDM volume 2.
 * Flags that the manual leaves undefined are as current processors have them where these agree.
 * Known gaps: none.
 */
#include "xl.h"

/* -- shifts --------------------------------------------------------------------------------------------------------------- */

/* The count of operand i as a value of `type`, masked as shifts of `bits` do. */
static V count_of(struct xlat *t, F *f, unsigned i, enum ir_type type, unsigned bits)
{
    return ir_zext(t, type, ir_andi(t, src(t, f, i), bits == 64 ? 63 : 31));
}

static V top_bit(struct xlat *t, V v)
{
    return ir_cmpi(t, C_SLT, v, 0);
}
static V bit_at(struct xlat *t, V v, V n)
{
    return ir_trunc(t, T_I1, ir_shr(t, v, n));
}
/* The second bit from the top. */
static V next_bit(struct xlat *t, V v)
{
    return ir_trunc(t, T_I1, ir_shri(t, v, bits_of(t, v) - 2));
}

/* Writes operand 0 (m) and, if the count n is not 0, flags. */
static void shifted(struct xlat *t, F *f, const struct modify *m, V n, V r, struct flags fl)
{
    modify_end(t, f, m, r);
    if (!ir_is_k(t, n)) put_flags_if(t, ir_cmpi(t, C_NE, n, 0), &fl);
    else if (ir_kval(t, n)) put_flags(t, &fl);
}

static void shl(struct xlat *t, F *f)
{
    struct modify m = modify_begin(t, f);
    unsigned bits = bits_of(t, m.old);
    enum ir_type type = type_of(bits), wide = bits < 32 ? T_I32 : type;
    V n = count_of(t, f, 1, wide, bits), a = ir_zext(t, wide, m.old), s = ir_shl(t, a, n), r = ir_trunc(t, type, s);
    /* the last bit out: above a narrow result it is still there */
    V cf = bits < 32 ? ir_trunc(t, T_I1, ir_shri(t, s, bits)) : bit_at(t, a, ir_neg(t, n));
    shifted(t, f, &m, n, r, flags_of(t, r, cf, ir_xor(t, top_bit(t, r), cf), 0));
}

/* Of what is shifted by one more bit, the lowest is the one that goes out. */
static void shift_right(struct xlat *t, F *f, bool is_signed)
{
    struct modify m = modify_begin(t, f);
    unsigned bits = bits_of(t, m.old);
    enum ir_type type = type_of(bits), wide = bits < 32 ? T_I32 : type;
    enum ir_op op = is_signed ? IR_SAR : IR_SHR;
    V n = count_of(t, f, 1, wide, bits), a = is_signed ? ir_sext(t, wide, m.old) : ir_zext(t, wide, m.old);
    V r = ir_trunc(t, type, ir_bin(t, op, a, n));
    V cf = ir_trunc(t, T_I1, ir_bin(t, op, a, ir_subi(t, n, 1)));
    shifted(t, f, &m, n, r, flags_of(t, r, cf, is_signed ? k1(t, false) : next_bit(t, r), 0));
}

INSN(shl, "C0 /4 Eb,Ib | C1 /4 Ev,Ib | D0 /4 Eb,1 | D1 /4 Ev,1 | D2 /4 Eb,CL | D3 /4 Ev,CL", "shl")
{
    shl(t, f);
}

INSN(sal, "C0 /6 Eb,Ib | C1 /6 Ev,Ib | D0 /6 Eb,1 | D1 /6 Ev,1 | D2 /6 Eb,CL | D3 /6 Ev,CL", "shl")
{
    shl(t, f);
}

INSN(shr, "C0 /5 Eb,Ib | C1 /5 Ev,Ib | D0 /5 Eb,1 | D1 /5 Ev,1 | D2 /5 Eb,CL | D3 /5 Ev,CL", "shr")
{
    shift_right(t, f, false);
}

INSN(sar, "C0 /7 Eb,Ib | C1 /7 Ev,Ib | D0 /7 Eb,1 | D1 /7 Ev,1 | D2 /7 Eb,CL | D3 /7 Ev,CL", "sar")
{
    shift_right(t, f, true);
}

/* -- rotates: C and O only ---------------------------------------------------------------------------------------------- */

static void rotate(struct xlat *t, F *f, bool left)
{
    struct modify m = modify_begin(t, f);
    unsigned bits = bits_of(t, m.old);
    enum ir_type type = type_of(bits);
    V n = count_of(t, f, 1, type, bits), r = ir_rotr(t, m.old, left ? ir_neg(t, n) : n);
    V cf = left ? ir_trunc(t, T_I1, r) : top_bit(t, r);
    V of = ir_xor(t, top_bit(t, r), left ? cf : next_bit(t, r));
    shifted(t, f, &m, n, r, (struct flags){ .cf = cf, .of = of });
}

INSN(rol, "C0 /0 Eb,Ib | C1 /0 Ev,Ib | D0 /0 Eb,1 | D1 /0 Ev,1 | D2 /0 Eb,CL | D3 /0 Ev,CL", "rol")
{
    rotate(t, f, true);
}

INSN(ror, "C0 /1 Eb,Ib | C1 /1 Ev,Ib | D0 /1 Eb,1 | D1 /1 Ev,1 | D2 /1 Eb,CL | D3 /1 Ev,CL", "ror")
{
    rotate(t, f, false);
}

/* A rotate of bits + 1 bits, C on top: up to 33 of them are done in 64. */
static V rotate_carry(struct xlat *t, V a, V n, bool left, V *cf)
{
    unsigned bits = bits_of(t, a);
    V c = ir_zext(t, T_I64, ir_get(t, R_CF)), v = ir_or(t, ir_zext(t, T_I64, a), ir_shli(t, c, bits));

    if (bits < 32) n = ir_bin(t, IR_REMU, n, ir_k(t, bits + 1));
    V other = ir_sub(t, ir_k(t, bits + 1), n);
    v = left ? ir_or(t, ir_shl(t, v, n), ir_shr(t, v, other)) : ir_or(t, ir_shr(t, v, n), ir_shl(t, v, other));
    *cf = ir_trunc(t, T_I1, ir_shri(t, v, bits));
    return ir_trunc(t, type_of(bits), v);
}

/* 65 bits, n = 1..63; a shift by 65 - n is one by 1 and one by 64 - n. */
static V rotate_carry64(struct xlat *t, V a, V n, bool left, V *cf)
{
    V c = ir_zext(t, T_I64, ir_get(t, R_CF)), one = ir_k(t, 1), rest = ir_neg(t, n), n1 = ir_sub(t, n, one);

    if (left) {
        *cf = bit_at(t, a, rest);
        return ir_or(t, ir_or(t, ir_shl(t, a, n), ir_shl(t, c, n1)), ir_shr(t, ir_shr(t, a, one), rest));
    }
    *cf = bit_at(t, a, n1);
    return ir_or(t, ir_or(t, ir_shr(t, a, n), ir_shl(t, c, rest)), ir_shl(t, ir_shl(t, a, one), rest));
}

static void rotate_through(struct xlat *t, F *f, bool left)
{
    struct modify m = modify_begin(t, f);
    unsigned bits = bits_of(t, m.old);
    V n = count_of(t, f, 1, T_I64, bits), some = ir_cmpi(t, C_NE, n, 0), cf;
    V r = bits == 64 ? rotate_carry64(t, m.old, n, left, &cf) : rotate_carry(t, m.old, n, left, &cf);
    r = ir_select(t, some, r, m.old);
    V of = ir_xor(t, top_bit(t, r), left ? cf : next_bit(t, r));
    shifted(t, f, &m, n, r, (struct flags){ .cf = cf, .of = of });
}

INSN(rcl, "C0 /2 Eb,Ib | C1 /2 Ev,Ib | D0 /2 Eb,1 | D1 /2 Ev,1 | D2 /2 Eb,CL | D3 /2 Ev,CL", "rcl")
{
    rotate_through(t, f, true);
}

INSN(rcr, "C0 /3 Eb,Ib | C1 /3 Ev,Ib | D0 /3 Eb,1 | D1 /3 Ev,1 | D2 /3 Eb,CL | D3 /3 Ev,CL", "rcr")
{
    rotate_through(t, f, false);
}

/*
 * Double shifts. 16-bit ones take counts up to 31: then what comes in is the source and after it the destination again.
 */
static void shift_double(struct xlat *t, F *f, bool left)
{
    struct modify m = modify_begin(t, f);
    V a = m.old, b = src(t, f, 1), r, cf, n;
    unsigned bits = bits_of(t, a);
    enum ir_type type = type_of(bits);

    if (bits == 16) {
        V a64 = ir_zext(t, T_I64, a), b64 = ir_zext(t, T_I64, b);
        V v = ir_or(t, ir_or(t, ir_shli(t, a64, 32), ir_shli(t, b64, 16)), a64);
        n = count_of(t, f, 2, T_I64, bits);
        r = ir_trunc(t, T_I16, left ? ir_shri(t, ir_shl(t, v, n), 32) : ir_shr(t, v, n));
        cf = left ? ir_trunc(t, T_I1, ir_shri(t, ir_shl(t, v, n), 48)) : bit_at(t, v, ir_subi(t, n, 1));
    } else {
        n = count_of(t, f, 2, type, bits);
        V rest = ir_subi(t, ir_neg(t, n), 1), one = ir_kt(t, type, 1); /* bits - 1 - n: never a shift by all bits */
        r = left ? ir_or(t, ir_shl(t, a, n), ir_shr(t, ir_shr(t, b, one), rest))
                 : ir_or(t, ir_shr(t, a, n), ir_shl(t, ir_shl(t, b, one), rest));
        cf = bit_at(t, a, left ? ir_neg(t, n) : ir_subi(t, n, 1));
    }
    shifted(t, f, &m, n, r, flags_of(t, r, cf, ir_xor(t, top_bit(t, r), left ? cf : next_bit(t, r)), 0));
}

INSN(shld, "0F A4 /r Ev,Gv,Ib | 0F A5 /r Ev,Gv,CL", "shld")
{
    shift_double(t, f, true);
}

INSN(shrd, "0F AC /r Ev,Gv,Ib | 0F AD /r Ev,Gv,CL", "shrd")
{
    shift_double(t, f, false);
}

/* BMI2: no flags. */
static void shiftx(struct xlat *t, F *f, enum ir_op op)
{
    dst(t, f, 0, ir_bin(t, op, src(t, f, 1), src(t, f, 2)));
}

INSN(sarx, "VEX.L0.F3.0F38 F7 /r Gy,Ey,By @BMI2", "sarx")
{
    shiftx(t, f, IR_SAR);
}

INSN(shlx, "VEX.L0.66.0F38 F7 /r Gy,Ey,By @BMI2", "shlx")
{
    shiftx(t, f, IR_SHL);
}

INSN(shrx, "VEX.L0.F2.0F38 F7 /r Gy,Ey,By @BMI2", "shrx")
{
    shiftx(t, f, IR_SHR);
}

INSN(rorx, "VEX.L0.F2.0F3A F0 /r Gy,Ey,Ib @BMI2", "rorx")
{
    dst(t, f, 0, ir_rotri(t, src(t, f, 1), f->op[2].imm));
}

/* -- bit tests: C is the bit, nothing else changes ---------------------------------------------------------------------- */

enum bit_op { BIT_TEST, BIT_SET, BIT_RESET, BIT_FLIP };

/* A bit number in a register, with memory, reaches beyond the operand: the address moves by whole operands. */
static struct ea bit_address(struct xlat *t, F *f, V number)
{
    struct ea m = x86_ea(t, f, &f->op[0]);
    unsigned bits = f->op[0].bits;
    V off = ir_andi(t, ir_sari(t, ir_sext(t, T_I64, number), 3), ~(uint64_t)(bits / 8 - 1));

    m.a = ir_add(t, m.a, off);
    if (f->asize == 64) return m;
    V a = ir_addi(t, m.a, (uint64_t)m.disp); /* the offset wraps, the base does not matter where it is flat */
    return (struct ea){ ir_zext(t, T_I64, ir_trunc(t, f->asize == 16 && !(t->mode & MODE_SEG) ? T_I16 : T_I32, a)), 0 };
}

static V bit_result(struct xlat *t, enum bit_op op, V old, V mask)
{
    switch (op) {
    case BIT_SET: return ir_or(t, old, mask);
    case BIT_RESET: return ir_and(t, old, ir_not(t, mask));
    default: return ir_xor(t, old, mask);
    }
}

static void bit_test(struct xlat *t, F *f, enum bit_op op)
{
    unsigned bits = f->op[0].bits;
    enum ir_type type = type_of(bits);
    V number = f->op[1].kind == OP_IMM ? ir_kt(t, type, f->op[1].imm) : src(t, f, 1), n = ir_andi(t, number, bits - 1), old;
    V mask = ir_shl(t, ir_kt(t, type, 1), n);

    if (!is_mem(f, 0)) {
        old = src(t, f, 0);
        if (op != BIT_TEST) dst(t, f, 0, bit_result(t, op, old, mask));
    } else {
        struct ea m = f->op[1].kind == OP_IMM ? x86_ea(t, f, &f->op[0]) : bit_address(t, f, number);
        if (locked(f)) {
            enum ir_rmw rmw = op == BIT_SET ? RMW_OR : op == BIT_RESET ? RMW_AND : RMW_XOR;
            old = ir_rmw(t, rmw, ea_value(t, m), op == BIT_RESET ? ir_not(t, mask) : mask, mo_of(type) | MO_ACQ | MO_REL);
        } else {
            old = ld(t, type, m);
            if (op != BIT_TEST) st(t, m, bit_result(t, op, old, mask));
        }
    }
    ir_put(t, R_CF, bit_at(t, old, n));
}

INSN(bt, "0F A3 /r Ev,Gv | 0F BA /4 Ev,Ib", "bt")
{
    bit_test(t, f, BIT_TEST);
}

INSN(bts, "0F AB /r Ev,Gv lock | 0F BA /5 Ev,Ib lock", "bts")
{
    bit_test(t, f, BIT_SET);
}

INSN(btr, "0F B3 /r Ev,Gv lock | 0F BA /6 Ev,Ib lock", "btr")
{
    bit_test(t, f, BIT_RESET);
}

INSN(btc, "0F BB /r Ev,Gv lock | 0F BA /7 Ev,Ib lock", "btc")
{
    bit_test(t, f, BIT_FLIP);
}

/* -- scans and counts ----------------------------------------------------------------------------------------------------- */

/* The destination keeps its value if the source is 0. Z only: the other flags are undefined and stay. */
static void scan(struct xlat *t, F *f, bool forward)
{
    V a = src(t, f, 1), zero = ir_cmpi(t, C_EQ, a, 0);
    V n = forward ? ir_ctz(t, a) : ir_xori(t, ir_clz(t, a), bits_of(t, a) - 1);
    V old = ir_get(t, R_RAX + f->op[0].reg), wide = ir_zext(t, T_I64, n);

    if (bits_of(t, a) == 16) wide = ir_bfi(t, old, wide, 0, 16);
    ir_put(t, R_RAX + f->op[0].reg, ir_select(t, zero, old, wide));
    ir_put(t, R_ZFV, ir_sext(t, T_I64, a));
}

INSN(bsf, "0F BC /r Gv,Ev", "bsf")
{
    scan(t, f, true);
}

INSN(bsr, "0F BD /r Gv,Ev", "bsr")
{
    scan(t, f, false);
}

/* C: the source was 0. Z: the result is. The other flags are undefined and stay. */
static void count_zeros(struct xlat *t, F *f, enum ir_op op)
{
    V a = src(t, f, 1), r = ir_un(t, op, a);
    dst(t, f, 0, r);
    ir_put(t, R_CF, ir_cmpi(t, C_EQ, a, 0));
    ir_put(t, R_ZFV, ir_zext(t, T_I64, r));
}

INSN(tzcnt, "F3 0F BC /r Gv,Ev @BMI1", "tzcnt")
{
    count_zeros(t, f, IR_CTZ);
}

INSN(lzcnt, "F3 0F BD /r Gv,Ev @LZCNT", "lzcnt")
{
    count_zeros(t, f, IR_CLZ);
}

INSN(popcnt, "F3 0F B8 /r Gv,Ev @POPCNT", "popcnt")
{
    V a = src(t, f, 1), z = k1(t, false), k = ir_kt(t, T_I32, 1);
    dst(t, f, 0, ir_popcnt(t, a));
    /* only Z can be set; an odd pfv: P = 0 */
    put_flags(t, &(struct flags){ .zfv = ir_zext(t, T_I64, a), .sfv = ir_k(t, 0), .pfv = k, .afv = k, .cf = z, .of = z });
}

/* -- bytes ------------------------------------------------------------------------------------------------------------------ */

/* With a 16-bit operand: 0, as processors do. */
INSN(bswap, "0F C8+r Zv", "bswap")
{
    V v = src(t, f, 0);
    dst(t, f, 0, f->osize == 16 ? ir_kt(t, T_I16, 0) : ir_bswap(t, v));
}

INSN(movbe, "NFx 0F 38 F0 /r Gv,Mv @MOVBE | NFx 0F 38 F1 /r Mv,Gv @MOVBE", "movbe")
{
    dst(t, f, 0, ir_bswap(t, src(t, f, 1)));
}

/* CRC-32C, least significant bit first (polynomial 0x82f63b78). */
HELPER(uint32_t, crc32c, (CPU *cpu, uint32_t crc, uint64_t v, uint32_t bytes), "pure")
{
    for (; bytes; bytes--, v >>= 8) {
        crc ^= (uint8_t)v;
        for (unsigned i = 0; i < 8; i++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return crc;
}

INSN(crc32, "F2 0F 38 F0 /r Gy,Eb @SSE4_2 | F2 0F 38 F1 /r Gy,Ev @SSE4_2", "crc32")
{
    V v = src(t, f, 1), crc = gpr(t, f->op[0].reg, 32);
    V r = IR_CALL(t, crc32c, crc, ir_zext(t, T_I64, v), ir_k32(t, bits_of(t, v) / 8));
    set_gpr(t, f->op[0].reg, r);
}

/* -- BMI1, BMI2 --------------------------------------------------------------------------------------------------------- */

INSN(andn, "VEX.L0.NP.0F38 F2 /r Gy,By,Ey @BMI1", "andn")
{
    V r = ir_and(t, ir_not(t, src(t, f, 1)), src(t, f, 2));
    dst(t, f, 0, r);
    put_flags_logic(t, r);
}

static void blend_lowest(struct xlat *t, F *f, V a, V r, V cf)
{
    struct flags fl = flags_of(t, r, cf, k1(t, false), 0);
    dst(t, f, 0, r);
    put_flags(t, &fl);
}

INSN(blsr, "VEX.L0.NP.0F38 F3 /1 By,Ey @BMI1", "blsr")
{
    V a = src(t, f, 1);
    blend_lowest(t, f, a, ir_and(t, a, ir_subi(t, a, 1)), ir_cmpi(t, C_EQ, a, 0));
}

INSN(blsmsk, "VEX.L0.NP.0F38 F3 /2 By,Ey @BMI1", "blsmsk")
{
    V a = src(t, f, 1);
    blend_lowest(t, f, a, ir_xor(t, a, ir_subi(t, a, 1)), ir_cmpi(t, C_EQ, a, 0));
}

INSN(blsi, "VEX.L0.NP.0F38 F3 /3 By,Ey @BMI1", "blsi")
{
    V a = src(t, f, 1);
    blend_lowest(t, f, a, ir_and(t, a, ir_neg(t, a)), ir_cmpi(t, C_NE, a, 0));
}

/* The low n bits set, n = 0..255 (I64, the shift beyond 63 is all). */
static V low_mask(struct xlat *t, enum ir_type type, V n)
{
    V all = ir_kt(t, type, ~0ull), some = ir_not(t, ir_shl(t, all, n));
    return ir_select(t, ir_cmpi(t, C_ULT, n, ir_type_bits[type]), some, all);
}

INSN(bzhi, "VEX.L0.NP.0F38 F5 /r Gy,Ey,By @BMI2", "bzhi")
{
    V a = src(t, f, 1), n = ir_andi(t, src(t, f, 2), 0xff), r = ir_and(t, a, low_mask(t, ir_type_of(t, a), n));
    struct flags fl = flags_of(t, r, ir_cmpi(t, C_UGE, n, bits_of(t, a)), k1(t, false), 0);
    dst(t, f, 0, r);
    put_flags(t, &fl);
}

INSN(bextr, "VEX.L0.NP.0F38 F7 /r Gy,Ey,By @BMI1", "bextr")
{
    V a = src(t, f, 1), c = src(t, f, 2), start = ir_andi(t, c, 0xff), len = ir_ubfx(t, c, 8, 8);
    enum ir_type type = ir_type_of(t, a);
    V s = ir_select(t, ir_cmpi(t, C_ULT, start, ir_type_bits[type]), ir_shr(t, a, start), ir_kt(t, type, 0));
    V r = ir_and(t, s, low_mask(t, type, len));
    dst(t, f, 0, r);
    put_flags_logic(t, r);
}

HELPER(uint64_t, pdep, (CPU *cpu, uint64_t v, uint64_t mask), "pure")
{
    uint64_t r = 0;
    for (; mask; mask &= mask - 1, v >>= 1)
        if (v & 1) r |= mask & -mask;
    return r;
}
HELPER(uint64_t, pext, (CPU *cpu, uint64_t v, uint64_t mask), "pure")
{
    uint64_t r = 0;
    for (unsigned i = 0; mask; mask &= mask - 1, i++)
        if (v & mask & -mask) r |= 1ull << i;
    return r;
}

INSN(pdep, "VEX.L0.F2.0F38 F5 /r Gy,By,Ey @BMI2", "pdep")
{
    V r = IR_CALL(t, pdep, ir_zext(t, T_I64, src(t, f, 1)), ir_zext(t, T_I64, src(t, f, 2)));
    dst(t, f, 0, ir_trunc(t, type_of(f->op[0].bits), r));
}

INSN(pext, "VEX.L0.F3.0F38 F5 /r Gy,By,Ey @BMI2", "pext")
{
    V r = IR_CALL(t, pext, ir_zext(t, T_I64, src(t, f, 1)), ir_zext(t, T_I64, src(t, f, 2)));
    dst(t, f, 0, ir_trunc(t, type_of(f->op[0].bits), r));
}
