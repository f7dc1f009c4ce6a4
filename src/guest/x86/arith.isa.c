/*
 * arith.isa.c: integer arithmetic and logic, multiplication, division, BCD, ADX. Intel SDM volume 2.
 * Flags that the manual leaves undefined are as current processors have them where these agree; see the single instructions.
 * Known gaps: none.
 */
#include "xl.h"

STREAM(bytes)
GROUPS(gpr, flags, seg, vec, x87, sys, x87ptr)

/* -- two operands ------------------------------------------------------------------------------------------------------- */

INSN(add, "00 /r Eb,Gb lock | 01 /r Ev,Gv lock | 02 /r Gb,Eb | 03 /r Gv,Ev | 04 AL,Ib | 05 rAX,Iz"
     " | 80 /0 Eb,Ib lock | 81 /0 Ev,Iz lock | 83 /0 Ev,Ibs lock | 82 /0 i64 Eb,Ib lock", "add")
{
    V b = src(t, f, 1), a = modify(t, f, RMW_ADD, b);
    struct flags fl = flags_add(t, a, b, 0, ir_add(t, a, b));
    put_flags(t, &fl);
}

static void logic(struct xlat *t, F *f, enum ir_rmw rmw, enum ir_op op)
{
    V b = src(t, f, 1), a = modify(t, f, rmw, b);
    put_flags_logic(t, ir_bin(t, op, a, b));
}

INSN(or, "08 /r Eb,Gb lock | 09 /r Ev,Gv lock | 0A /r Gb,Eb | 0B /r Gv,Ev | 0C AL,Ib | 0D rAX,Iz"
     " | 80 /1 Eb,Ib lock | 81 /1 Ev,Iz lock | 83 /1 Ev,Ibs lock | 82 /1 i64 Eb,Ib lock", "or")
{
    logic(t, f, RMW_OR, IR_OR);
}

INSN(and, "20 /r Eb,Gb lock | 21 /r Ev,Gv lock | 22 /r Gb,Eb | 23 /r Gv,Ev | 24 AL,Ib | 25 rAX,Iz"
     " | 80 /4 Eb,Ib lock | 81 /4 Ev,Iz lock | 83 /4 Ev,Ibs lock | 82 /4 i64 Eb,Ib lock", "and")
{
    logic(t, f, RMW_AND, IR_AND);
}

INSN(xor, "30 /r Eb,Gb lock | 31 /r Ev,Gv lock | 32 /r Gb,Eb | 33 /r Gv,Ev | 34 AL,Ib | 35 rAX,Iz"
     " | 80 /6 Eb,Ib lock | 81 /6 Ev,Iz lock | 83 /6 Ev,Ibs lock | 82 /6 i64 Eb,Ib lock", "xor")
{
    logic(t, f, RMW_XOR, IR_XOR);
}

INSN(test, "84 /r Eb,Gb | 85 /r Ev,Gv | A8 AL,Ib | A9 rAX,Iz | F6 /0 Eb,Ib | F6 /1 Eb,Ib | F7 /0 Ev,Iz"
     " | F7 /1 Ev,Iz", "test")
{
    put_flags_logic(t, ir_and(t, src(t, f, 0), src(t, f, 1)));
}

INSN(adc, "10 /r Eb,Gb lock | 11 /r Ev,Gv lock | 12 /r Gb,Eb | 13 /r Gv,Ev | 14 AL,Ib | 15 rAX,Iz"
     " | 80 /2 Eb,Ib lock | 81 /2 Ev,Iz lock | 83 /2 Ev,Ibs lock | 82 /2 i64 Eb,Ib lock", "adc")
{
    V b = src(t, f, 1), c = ir_get(t, R_CF), sum = ir_add(t, b, ir_zext(t, ir_type_of(t, b), c));
    V a = modify(t, f, RMW_ADD, sum);
    struct flags fl = flags_add(t, a, b, c, ir_add(t, a, sum));
    put_flags(t, &fl);
}

INSN(sbb, "18 /r Eb,Gb lock | 19 /r Ev,Gv lock | 1A /r Gb,Eb | 1B /r Gv,Ev | 1C AL,Ib | 1D rAX,Iz"
     " | 80 /3 Eb,Ib lock | 81 /3 Ev,Iz lock | 83 /3 Ev,Ibs lock | 82 /3 i64 Eb,Ib lock", "sbb")
{
    V b = src(t, f, 1), c = ir_get(t, R_CF), sum = ir_add(t, b, ir_zext(t, ir_type_of(t, b), c));
    V a = modify(t, f, RMW_ADD, ir_neg(t, sum));
    struct flags fl = flags_sub(t, a, b, c, ir_sub(t, a, sum));
    put_flags(t, &fl);
}

INSN(sub, "28 /r Eb,Gb lock | 29 /r Ev,Gv lock | 2A /r Gb,Eb | 2B /r Gv,Ev | 2C AL,Ib | 2D rAX,Iz"
     " | 80 /5 Eb,Ib lock | 81 /5 Ev,Iz lock | 83 /5 Ev,Ibs lock | 82 /5 i64 Eb,Ib lock", "sub")
{
    V b = src(t, f, 1), a, r;
    if (is_mem(f, 0) && locked(f)) {
        a = modify(t, f, RMW_ADD, ir_neg(t, b));
        r = ir_sub(t, a, b);
    } else {
        a = src(t, f, 0);
        r = ir_sub(t, a, b);
        dst(t, f, 0, r);
    }
    struct flags fl = flags_sub(t, a, b, 0, r);
    put_flags(t, &fl);
}

INSN(cmp, "38 /r Eb,Gb | 39 /r Ev,Gv | 3A /r Gb,Eb | 3B /r Gv,Ev | 3C AL,Ib | 3D rAX,Iz | 80 /7 Eb,Ib"
     " | 81 /7 Ev,Iz | 83 /7 Ev,Ibs | 82 /7 i64 Eb,Ib", "cmp")
{
    V a = src(t, f, 0), b = src(t, f, 1);
    struct flags fl = flags_sub(t, a, b, 0, ir_sub(t, a, b));
    put_flags(t, &fl);
}

/* ADX: add with one flag as carry, nothing else changes. */
static void add_through(struct xlat *t, F *f, unsigned flag)
{
    V a = src(t, f, 0), b = src(t, f, 1), c = ir_get(t, flag);
    V r = ir_add(t, a, ir_add(t, b, ir_zext(t, ir_type_of(t, b), c)));
    struct flags fl = flags_add(t, a, b, c, r);
    dst(t, f, 0, r);
    ir_put(t, flag, fl.cf);
}

INSN(adcx, "66 0F 38 F6 /r Gy,Ey @ADX", "adcx")
{
    add_through(t, f, R_CF);
}

INSN(adox, "F3 0F 38 F6 /r Gy,Ey @ADX", "adox")
{
    add_through(t, f, R_OF);
}

/* -- one operand -------------------------------------------------------------------------------------------------------- */

INSN(not, "F6 /2 Eb lock | F7 /2 Ev lock", "not")
{
    modify(t, f, RMW_XOR, ir_kt(t, type_of(f->op[0].bits), ~0ull));
}

INSN(neg, "F6 /3 Eb lock | F7 /3 Ev lock", "neg")
{
    struct modify m = modify_begin(t, f);
    V zero = ir_kt(t, ir_type_of(t, m.old), 0), r = ir_sub(t, zero, m.old), ok = modify_end(t, f, &m, r);
    struct flags fl = flags_sub(t, zero, m.old, 0, r);
    put_flags_if(t, ok, &fl);
    modify_retry(t, ok);
}

/* C stays. */
INSN(inc, "FE /0 Eb lock | FF /0 Ev lock | 40+r i64 Zv", "inc")
{
    V one = ir_kt(t, type_of(f->op[0].bits), 1), a = modify(t, f, RMW_ADD, one);
    struct flags fl = flags_add(t, a, one, 0, ir_add(t, a, one));
    fl.cf = 0;
    put_flags(t, &fl);
}

INSN(dec, "FE /1 Eb lock | FF /1 Ev lock | 48+r i64 Zv", "dec")
{
    V one = ir_kt(t, type_of(f->op[0].bits), 1), a = modify(t, f, RMW_ADD, ir_neg(t, one));
    struct flags fl = flags_sub(t, a, one, 0, ir_sub(t, a, one));
    fl.cf = 0;
    put_flags(t, &fl);
}

/* -- multiplication ------------------------------------------------------------------------------------------------------ */

/* The full product: low half returned, high half in *high. */
static V product(struct xlat *t, V a, V b, bool is_signed, V *high)
{
    unsigned bits = bits_of(t, a);
    enum ir_type type = type_of(bits), wide = type_of(bits * 2);

    if (bits == 64) {
        *high = is_signed ? ir_mulhs(t, a, b) : ir_mulhu(t, a, b);
        return ir_mul(t, a, b);
    }
    V p = is_signed ? ir_mul(t, ir_sext(t, wide, a), ir_sext(t, wide, b)) : ir_mul(t, ir_zext(t, wide, a), ir_zext(t, wide, b));
    *high = ir_trunc(t, type, ir_shri(t, p, bits));
    return ir_trunc(t, type, p);
}

/* C = O = the high half is more than the low half's extension. S, Z, A and P are undefined and stay (some processors set them). */
static void put_flags_mul(struct xlat *t, V more)
{
    ir_put(t, R_CF, more);
    ir_put(t, R_OF, more);
}

static V not_extension(struct xlat *t, V low, V high, bool is_signed)
{
    V want = is_signed ? ir_sari(t, low, bits_of(t, low) - 1) : ir_kt(t, ir_type_of(t, low), 0);
    return ir_cmp(t, C_NE, high, want);
}

/* rDX:rAX = rAX * operand; AX = AL * operand. */
static void mul_wide(struct xlat *t, F *f, bool is_signed)
{
    unsigned bits = f->op[0].bits;
    V high, low = product(t, gpr(t, R_RAX, bits), src(t, f, 0), is_signed, &high);

    if (bits == 8) {
        set_gpr(t, R_RAX, ir_bfi(t, ir_zext(t, T_I16, low), ir_zext(t, T_I16, high), 8, 8));
    } else {
        set_gpr(t, R_RAX, low);
        set_gpr(t, R_RDX, high);
    }
    put_flags_mul(t, not_extension(t, low, high, is_signed));
}

INSN(mul, "F6 /4 Eb | F7 /4 Ev", "mul")
{
    mul_wide(t, f, false);
}

INSN(imul, "F6 /5 Eb | F7 /5 Ev", "imul")
{
    mul_wide(t, f, true);
}

INSN(imul2, "0F AF /r Gv,Ev | 69 /r Gv,Ev,Iz | 6B /r Gv,Ev,Ibs", "imul")
{
    unsigned i = f->nops - 2u;
    V high, low = product(t, src(t, f, i), src(t, f, i + 1), true, &high);
    dst(t, f, 0, low);
    put_flags_mul(t, not_extension(t, low, high, true));
}

INSN(mulx, "VEX.L0.F2.0F38 F6 /r Gy,By,Ey @BMI2", "mulx")
{
    V high, low = product(t, gpr(t, R_RDX, f->op[0].bits), src(t, f, 2), false, &high);
    dst(t, f, 1, low);
    dst(t, f, 0, high); /* last: it wins if both are one register */
}

/* -- division: #DE if the quotient does not fit. Flags stay as they are (undefined). ------------------------------------- */

HELPER(uint64_t, divu128, (CPU *cpu, uint64_t hi, uint64_t lo, uint64_t d), "pure")
{
    if (!hi && d) return lo / d;
    return hi < d ? (uint64_t)(((unsigned __int128)hi << 64 | lo) / d) : 0;
}

/* The quotient's magnitude, for operands' magnitudes, fits if it is at most max. */
static bool divs128(uint64_t hi, uint64_t lo, uint64_t d, uint64_t *q)
{
    unsigned __int128 n = (unsigned __int128)hi << 64 | lo;
    bool minus = (int64_t)hi < 0, dminus = (int64_t)d < 0;
    uint64_t ud = dminus ? -d : d;

    if (minus) n = -n;
    *q = 0;
    if ((uint64_t)(n >> 64) >= ud) return false;
    uint64_t uq = (uint64_t)(n >> 64 ? n / ud : (uint64_t)n / ud), max = (1ull << 63) - (minus == dminus);
    if (uq > max) return false;
    *q = minus != dminus ? -uq : uq;
    return true;
}
HELPER(uint64_t, divs128_q, (CPU *cpu, uint64_t hi, uint64_t lo, uint64_t d), "pure")
{
    uint64_t q;
    divs128(hi, lo, d, &q);
    return q;
}
HELPER(bool, divs128_bad, (CPU *cpu, uint64_t hi, uint64_t lo, uint64_t d), "pure")
{
    uint64_t q;
    return !divs128(hi, lo, d, &q);
}

static void div64(struct xlat *t, F *f, bool is_signed)
{
    V hi = ir_get(t, R_RDX), lo = ir_get(t, R_RAX), d = src(t, f, 0), q;

    if (is_signed) {
        fault_if(t, IR_CALL(t, divs128_bad, hi, lo, d), VEC_DE);
        q = IR_CALL(t, divs128_q, hi, lo, d);
    } else {
        fault_if(t, ir_cmp(t, C_UGE, hi, d), VEC_DE);
        q = IR_CALL(t, divu128, hi, lo, d);
    }
    ir_put(t, R_RAX, q);
    ir_put(t, R_RDX, ir_sub(t, lo, ir_mul(t, q, d)));
}

static void divide(struct xlat *t, F *f, bool is_signed)
{
    unsigned bits = f->op[0].bits;
    enum ir_type type = type_of(bits), wide = bits == 32 ? T_I64 : T_I32;
    V d, n, q, r;

    if (bits == 64) {
        div64(t, f, is_signed);
        return;
    }
    d = src(t, f, 0);
    d = is_signed ? ir_sext(t, wide, d) : ir_zext(t, wide, d);
    if (bits == 8)
        n = is_signed ? ir_sext(t, wide, gpr(t, R_RAX, 16)) : ir_zext(t, wide, gpr(t, R_RAX, 16));
    else
        n = ir_bfi(t, ir_zext(t, wide, gpr(t, R_RAX, bits)), ir_zext(t, wide, gpr(t, R_RDX, bits)), bits, bits);
    fault_if(t, ir_cmpi(t, C_EQ, d, 0), VEC_DE);
    q = ir_bin(t, is_signed ? IR_DIVS : IR_DIVU, n, d);
    r = ir_bin(t, is_signed ? IR_REMS : IR_REMU, n, d);
    V low = ir_trunc(t, type, q), back = is_signed ? ir_sext(t, wide, low) : ir_zext(t, wide, low);
    fault_if(t, ir_cmp(t, C_NE, back, q), VEC_DE);
    r = ir_trunc(t, type, r);
    if (bits == 8) {
        set_gpr(t, R_RAX, ir_bfi(t, ir_zext(t, T_I16, low), ir_zext(t, T_I16, r), 8, 8));
    } else {
        set_gpr(t, R_RAX, low);
        set_gpr(t, R_RDX, r);
    }
}

INSN(div, "F6 /6 Eb | F7 /6 Ev", "div")
{
    divide(t, f, false);
}

INSN(idiv, "F6 /7 Eb | F7 /7 Ev", "idiv")
{
    divide(t, f, true);
}

/* -- decimal: not in 64-bit code ------------------------------------------------------------------------------------------ */

static void set_al(struct x86_cpu *x, uint8_t al, bool cf, bool af)
{
    x->r[R_RAX] = (x->r[R_RAX] & ~0xffull) | al;
    x86_set_szp(x, al, 8);
    x->cf = cf;
    x->of = 0;
    x->afv = x->pfv ^ (af ? 16u : 0);
}

static bool get_af(const struct x86_cpu *x)
{
    return (x->afv ^ x->pfv) >> 4 & 1;
}

HELPER(void, daa, (CPU *cpu, bool das), "r=gpr,flags w=gpr,flags")
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    uint8_t old = (uint8_t)x->r[R_RAX], al = old;
    bool low = (al & 15) > 9 || get_af(x), high = old > 0x99 || x->cf, cf = high;

    if (low) {
        cf |= das ? al < 6 : al > 0xf9;
        al = (uint8_t)(das ? al - 6 : al + 6);
    }
    if (high) al = (uint8_t)(das ? al - 0x60 : al + 0x60);
    set_al(x, al, cf, low);
}

INSN(daa, "27 i64", "daa")
{
    IR_CALL(t, daa, k1(t, false));
}

INSN(das, "2F i64", "das")
{
    IR_CALL(t, daa, k1(t, true));
}

HELPER(void, aaa, (CPU *cpu, bool aas), "r=gpr,flags w=gpr,flags")
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    uint16_t ax = (uint16_t)x->r[R_RAX];
    bool adjust = (ax & 15) > 9 || get_af(x);

    if (adjust) ax = (uint16_t)(aas ? ax - 0x106 : ax + 0x106);
    ax &= 0xff0f;
    x->r[R_RAX] = (x->r[R_RAX] & ~0xffffull) | ax;
    set_al(x, (uint8_t)ax, adjust, adjust);
}

INSN(aaa, "37 i64", "aaa")
{
    IR_CALL(t, aaa, k1(t, false));
}

INSN(aas, "3F i64", "aas")
{
    IR_CALL(t, aaa, k1(t, true));
}

INSN(aam, "D4 i64 Ib", "aam")
{
    V al = ir_zext(t, T_I32, gpr(t, R_RAX, 8)), d = ir_k32(t, (uint8_t)f->op[0].imm);

    if (!f->op[0].imm) {
        fault(t, VEC_DE);
        return;
    }
    V q = ir_bin(t, IR_DIVU, al, d), r = ir_bin(t, IR_REMU, al, d);
    set_gpr(t, R_RAX, ir_trunc(t, T_I16, ir_bfi(t, r, q, 8, 8)));
    put_flags_logic(t, ir_trunc(t, T_I8, r));
}

INSN(aad, "D5 i64 Ib", "aad")
{
    V ah = ir_trunc(t, T_I8, ir_shri(t, gpr(t, R_RAX, 16), 8));
    V al = gpr(t, R_RAX, 8), add = ir_mul(t, ah, src(t, f, 0)), r = ir_add(t, al, add);
    struct flags fl = flags_add(t, al, add, 0, r);
    set_gpr(t, R_RAX, ir_zext(t, T_I16, r));
    put_flags(t, &fl);
}
