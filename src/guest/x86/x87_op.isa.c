/*
 * x87_op.isa.c: what x87 instructions do to the unit: one helper each. Intel SDM volume 1, chapter 8; where that leaves something open
 * (condition codes, what an unmasked exception leaves), as AMD's Zen has it, which x87_test.c compares with. Pending exceptions
 * were asked for before (x87.isa.c). Arithmetic of normal numbers is x87_fast.h's, roots and functions the host's own unit's
 * where there is one (x87_host.h), everything else fpu/x80.h's.
 */
#include "x86.h"
#include "x87_fast.h"
#include "x87_host.h"

static inline struct x87 *unit(CPU *cpu)
{
    return &x86_cpu_rw(cpu)->x87;
}
static inline struct f80 *st(struct x87 *x, unsigned i)
{
    return &x->r[(x->top + i) & 7];
}
static inline bool empty(const struct x87 *x, unsigned i)
{
    return !(x->tag >> ((x->top + i) & 7) & 1);
}
static inline void pop(struct x87 *x)
{
    x->tag &= ~(1u << x->top);
    x->top = (x->top + 1) & 7;
}
static inline struct x80_env env(const struct x87 *x)
{
    return (struct x80_env){ .cw = (uint16_t)x->cw };
}
/* Takes over what the software raised; cc: the condition codes that it defines. */
static inline void done(struct x87 *x, const struct x80_env *e, uint32_t cc)
{
    x->sw = (x->sw & ~cc) | e->sw;
}

/* Stack overflow or underflow. true: it is masked, and the indefinite is the result. */
static bool stack_fault(struct x87 *x, bool over)
{
    x->sw = (x->sw & ~(uint32_t)X80_C1) | X80_IE | X80_SF | (over ? X80_C1 : 0);
    return x->cw & X80_IE;
}
/* Room for one more register at the top. false: overflow; the indefinite is there if that is masked. */
static inline bool push(struct x87 *x)
{
    unsigned n = (x->top - 1) & 7;

    if (unlikely(x->tag >> n & 1)) {
        if (stack_fault(x, true)) {
            x->top = n;
            x->r[n] = X80_INDEFINITE;
        }
        return false;
    }
    x->top = n;
    x->tag |= 1u << n;
    return true;
}
static inline void set_st(struct x87 *x, unsigned i, struct f80 v)
{
    unsigned n = (x->top + i) & 7;
    f80_put(&x->r[n], v);
    x->tag |= 1u << n;
}
/* Not both there: the result of an operation between them is the indefinite in ST(d). */
static bool underflow(struct x87 *x, unsigned d)
{
    if (!stack_fault(x, false)) return false;
    set_st(x, d, X80_INDEFINITE);
    return true;
}

/* -- add, multiply, subtract, divide ------------------------------------------------------------------------------------ */
enum arith { ADD, MUL, SUB = 4, SUBR, DIV, DIVR }; /* as in the reg field */

static inline bool quiet_nan(struct f80 a)
{
    return (a.se & 0x7fff) == 0x7fff && a.mant >> 62 == 3;
}
static inline bool zero(struct f80 a)
{
    return ((a.se & 0x7fff) | a.mant) == 0;
}
/* What is common beside normal numbers and raises nothing: zeros, one quiet NaN. false: something else. op: no reversed one. */
static inline bool plain_arith(struct x87 *x, enum arith op, struct f80 a, struct f80 b, struct f80 *r)
{
    const bool za = zero(a), zb = zero(b), na = f80_normal(a), nb = f80_normal(b);

    if (likely((na || za) && (nb || zb))) {
        if (x->round || !(za || zb) || (op == DIV && zb)) return false;
        if (op == MUL || op == DIV) *r = (struct f80){ 0, (a.se ^ b.se) & 0x8000 };
        else if (za && zb) *r = (struct f80){ 0, a.se & (op == SUB ? b.se ^ 0x8000 : b.se) };
        else *r = zb ? a : (struct f80){ b.mant, op == SUB ? b.se ^ 0x8000 : b.se };
        return true;
    }
    *r = quiet_nan(a) ? a : b;
    return (quiet_nan(a) && (nb || zb)) || (quiet_nan(b) && (na || za));
}
/* *d = a op b. false: stopped by an unmasked exception, and nothing is popped. */
static __attribute__((noinline)) bool soft_arith(struct x87 *x, enum arith op, struct f80 *d, struct f80 a, struct f80 b, bool denormal)
{
    struct f80 r;

    if (!denormal && plain_arith(x, op, a, b, &r)) {
        x->sw &= ~(uint32_t)X80_C1;
    } else {
        struct x80_env e = env(x);
        e.den = denormal;
        r = op == ADD ? x80_add(&e, a, b) : op == MUL ? x80_mul(&e, a, b) : op == SUB ? x80_sub(&e, a, b) : x80_div(&e, a, b);
        done(x, &e, X80_C1);
        if (x80_stop(&e)) return false;
    }
    f80_put(d, r);
    return true;
}
static inline __attribute__((always_inline)) bool arith(struct x87 *x, enum arith op, struct f80 *d, struct f80 s, bool denormal)
{
    const bool reversed = op == SUBR || op == DIVR;
    const struct f80 v = f80_get(d), a = reversed ? s : v, b = reversed ? v : s;

    op = op == SUBR ? SUB : op == DIVR ? DIV : op;
    if (likely(!denormal)) {
        bool ok = op == ADD ? fast_add(x, d, a, b, 0) : op == SUB ? fast_add(x, d, a, b, 0x8000) : op == MUL ? fast_mul(x, d, a, b)
                                                                                                          : fast_div(x, d, a, b);
        if (likely(ok)) return true;
    }
    return soft_arith(x, op, d, a, b, denormal);
}
/* how: destination, source, ST_POP */
static inline __attribute__((always_inline)) void arith_st(CPU *cpu, enum arith op, uint32_t how)
{
    struct x87 *x = unit(cpu);
    unsigned d = how & 7, s = how >> 3 & 7;
    bool ok;

    if (unlikely(empty(x, d) || empty(x, s))) ok = underflow(x, d);
    else ok = arith(x, op, st(x, d), f80_get(st(x, s)), false);
    if (how & ST_POP && likely(ok)) pop(x);
}
/* ST0 = ST0 op a number from memory */
static inline __attribute__((always_inline)) void arith_s(CPU *cpu, enum arith op, uint32_t v)
{
    struct x87 *x = unit(cpu);
    struct x80_env e = { 0 };

    if (unlikely(empty(x, 0))) {
        underflow(x, 0);
        return;
    }
    struct f80 s;
    if (unlikely(!f80_from_s(v, &s))) s = x80_operand(&e, FPU_F32, v);
    arith(x, op, st(x, 0), s, e.den);
}
static inline __attribute__((always_inline)) void arith_d(CPU *cpu, enum arith op, uint64_t v)
{
    struct x87 *x = unit(cpu);
    struct x80_env e = { 0 };

    if (unlikely(empty(x, 0))) {
        underflow(x, 0);
        return;
    }
    struct f80 s;
    if (unlikely(!f80_from_d(v, &s))) s = x80_operand(&e, FPU_F64, v);
    arith(x, op, st(x, 0), s, e.den);
}
HELPER(void, fadd_st, (CPU *cpu, uint32_t how), "r=x87 w=x87") { arith_st(cpu, ADD, how); }
HELPER(void, fmul_st, (CPU *cpu, uint32_t how), "r=x87 w=x87") { arith_st(cpu, MUL, how); }
HELPER(void, fsub_st, (CPU *cpu, uint32_t how), "r=x87 w=x87") { arith_st(cpu, SUB, how); }
HELPER(void, fsubr_st, (CPU *cpu, uint32_t how), "r=x87 w=x87") { arith_st(cpu, SUBR, how); }
HELPER(void, fdiv_st, (CPU *cpu, uint32_t how), "r=x87 w=x87") { arith_st(cpu, DIV, how); }
HELPER(void, fdivr_st, (CPU *cpu, uint32_t how), "r=x87 w=x87") { arith_st(cpu, DIVR, how); }
HELPER(void, fadd_s, (CPU *cpu, uint32_t v), "r=x87 w=x87") { arith_s(cpu, ADD, v); }
HELPER(void, fmul_s, (CPU *cpu, uint32_t v), "r=x87 w=x87") { arith_s(cpu, MUL, v); }
HELPER(void, fsub_s, (CPU *cpu, uint32_t v), "r=x87 w=x87") { arith_s(cpu, SUB, v); }
HELPER(void, fsubr_s, (CPU *cpu, uint32_t v), "r=x87 w=x87") { arith_s(cpu, SUBR, v); }
HELPER(void, fdiv_s, (CPU *cpu, uint32_t v), "r=x87 w=x87") { arith_s(cpu, DIV, v); }
HELPER(void, fdivr_s, (CPU *cpu, uint32_t v), "r=x87 w=x87") { arith_s(cpu, DIVR, v); }
HELPER(void, fadd_d, (CPU *cpu, uint64_t v), "r=x87 w=x87") { arith_d(cpu, ADD, v); }
HELPER(void, fmul_d, (CPU *cpu, uint64_t v), "r=x87 w=x87") { arith_d(cpu, MUL, v); }
HELPER(void, fsub_d, (CPU *cpu, uint64_t v), "r=x87 w=x87") { arith_d(cpu, SUB, v); }
HELPER(void, fsubr_d, (CPU *cpu, uint64_t v), "r=x87 w=x87") { arith_d(cpu, SUBR, v); }
HELPER(void, fdiv_d, (CPU *cpu, uint64_t v), "r=x87 w=x87") { arith_d(cpu, DIV, v); }
HELPER(void, fdivr_d, (CPU *cpu, uint64_t v), "r=x87 w=x87") { arith_d(cpu, DIVR, v); }
/* FIADD and the like: op is the reg field. */
HELPER(void, farith_int, (CPU *cpu, uint32_t op, int32_t v), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct f80 s = x80_from_int(v);

    if (unlikely(empty(x, 0))) {
        underflow(x, 0);
        return;
    }
    switch (op) {
    case ADD: arith(x, ADD, st(x, 0), s, false); break;
    case MUL: arith(x, MUL, st(x, 0), s, false); break;
    case SUB: arith(x, SUB, st(x, 0), s, false); break;
    case SUBR: arith(x, SUBR, st(x, 0), s, false); break;
    case DIV: arith(x, DIV, st(x, 0), s, false); break;
    default: arith(x, DIVR, st(x, 0), s, false); break;
    }
}

/* -- comparisons -------------------------------------------------------------------------------------------------------- */

/* Zero or a normal number: two of them compare as sign and magnitude. */
static inline bool plain(struct f80 a)
{
    unsigned exp = a.se & 0x7fff;
    return a.mant >> 63 ? exp - 1 < 0x7ffe : (exp | a.mant) == 0;
}
/* C3 C2 C0 of a against b. */
static inline uint32_t order(struct x80_env *e, struct f80 a, struct f80 b, bool quiet)
{
    if (unlikely(!plain(a) || !plain(b) || e->den)) {
        x80_cmp(e, a, b, quiet);
        return e->sw & X80_NCC;
    }
    u128 x = (u128)(a.se & 0x7fff) << 64 | a.mant, y = (u128)(b.se & 0x7fff) << 64 | b.mant;
    bool nx = a.se >> 15 && x, ny = b.se >> 15 && y;
    if (nx != ny) return nx ? X80_C0 : 0;
    return x == y ? X80_C3 : (x < y) != nx ? X80_C0 : 0;
}
static uint32_t compare(struct x87 *x, struct f80 b, bool there, bool denormal, uint32_t how)
{
    struct x80_env e = env(x);
    uint32_t cc = X80_NCC;

    e.den = denormal;
    if (unlikely(empty(x, 0) || !there)) stack_fault(x, false), e.sw = X80_IE;
    else cc = order(&e, f80_get(st(x, 0)), b, how & CMP_QUIET);
    x->sw |= e.sw & X80_EXC;
    bool stop = e.sw & ~e.cw & (X80_IE | X80_DE);
    if (how & (CMP_POP | CMP_POP2) && !stop) pop(x);
    if (how & CMP_POP2 && !stop) pop(x);
    return cc;
}
static inline void set_cc(struct x87 *x, uint32_t cc)
{
    x->sw = (x->sw & ~(uint32_t)X80_CC) | cc;
}
HELPER(void, fcom_st, (CPU *cpu, uint32_t how), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    set_cc(x, compare(x, f80_get(st(x, how & 7)), !empty(x, how & 7), false, how));
}
HELPER(void, fcom_s, (CPU *cpu, uint32_t v, uint32_t how), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct x80_env e = { 0 };
    struct f80 b;
    if (unlikely(!f80_from_s(v, &b))) b = x80_operand(&e, FPU_F32, v);
    set_cc(x, compare(x, b, true, e.den, how));
}
HELPER(void, fcom_d, (CPU *cpu, uint64_t v, uint32_t how), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct x80_env e = { 0 };
    struct f80 b;
    if (unlikely(!f80_from_d(v, &b))) b = x80_operand(&e, FPU_F64, v);
    set_cc(x, compare(x, b, true, e.den, how));
}
HELPER(void, ficom, (CPU *cpu, int32_t v, uint32_t how), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    set_cc(x, compare(x, x80_from_int(v), true, false, how));
}
HELPER(void, ftst, (CPU *cpu), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    set_cc(x, compare(x, x80_constant(0, X80_ZERO), true, false, 0));
}
/* EFLAGS' CF, PF, ZF as bits 0, 1, 2. */
HELPER(uint32_t, fcomi, (CPU *cpu, uint32_t how), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    uint32_t cc = compare(x, f80_get(st(x, how & 7)), !empty(x, how & 7), false, how);
    return (cc & X80_C0 ? 1 : 0) | (cc & X80_C2 ? 2 : 0) | (cc & X80_C3 ? 4 : 0);
}
HELPER(void, fxam, (CPU *cpu), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    uint32_t cc = x80_class(f80_get(st(x, 0)));
    if (empty(x, 0)) cc = (cc & X80_C1) | X80_C3 | X80_C0;
    x->sw = (x->sw & ~(uint32_t)X80_CC) | cc;
}

/* -- loads -------------------------------------------------------------------------------------------------------------- */
static inline void load(struct x87 *x, struct f80 v)
{
    if (unlikely(!push(x))) return;
    f80_put(st(x, 0), v);
    x->sw &= ~(uint32_t)X80_C1;
}
static __attribute__((noinline)) void load_fp(struct x87 *x, enum fpu_fmt f, uint64_t v)
{
    struct x80_env e = env(x);
    struct f80 r = x80_from_fp(&e, f, v);

    if (x->tag >> ((x->top - 1) & 7) & 1) {
        push(x);
        return;
    }
    done(x, &e, X80_C1);
    if (!(e.sw & ~e.cw & X80_IE)) {
        push(x);
        f80_put(st(x, 0), r);
    }
}
HELPER(void, fld_s, (CPU *cpu, uint32_t v), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct f80 r;

    if (likely(f80_from_s(v, &r))) load(x, r);
    else load_fp(x, FPU_F32, v);
}
HELPER(void, fld_d, (CPU *cpu, uint64_t v), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct f80 r;

    if (likely(f80_from_d(v, &r))) load(x, r);
    else load_fp(x, FPU_F64, v);
}
HELPER(void, fld_t, (CPU *cpu, uint64_t mant, uint32_t se), "r=x87 w=x87")
{
    load(unit(cpu), (struct f80){ mant, (uint16_t)se });
}
HELPER(void, fild, (CPU *cpu, int64_t v), "r=x87 w=x87")
{
    load(unit(cpu), x80_from_int(v));
}
HELPER(void, fld_const, (CPU *cpu, uint32_t which), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    load(x, x80_constant((uint16_t)x->cw, (enum x80_const)which));
}
HELPER(void, fbld, (CPU *cpu, uint64_t addr), "fault r=x87 w=x87")
{
    uint8_t b[10];
    cpu_ldn(cpu, b, addr, sizeof b);
    load(unit(cpu), x80_from_bcd(b));
}
HELPER(void, fld_st, (CPU *cpu, uint32_t i), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct f80 v = f80_get(st(x, i));

    if (unlikely(empty(x, i))) {
        if (!stack_fault(x, false)) return;
        x->top = (x->top - 1) & 7;
        set_st(x, 0, X80_INDEFINITE);
        return;
    }
    load(x, v);
}

/* -- stores ------------------------------------------------------------------------------------------------------------- */
static inline unsigned int_bits(enum fst how)
{
    return how == M_W || how == M_TW ? 16 : how == M_L || how == M_TL ? 32 : 64;
}
/* The first 64 bits of what is stored, exceptions in e. */
static uint64_t store_value(struct x80_env *e, struct f80 v, enum fst how)
{
    switch (how) {
    case M_S: return x80_to_fp(e, FPU_F32, v);
    case M_D: return x80_to_fp(e, FPU_F64, v);
    case M_T: return v.mant;
    case M_TW: case M_TL: case M_TQ: return x80_to_int(e, v, int_bits(how), true);
    default: return x80_to_int(e, v, int_bits(how), false);
    }
}
static uint64_t store_indefinite(enum fst how)
{
    switch (how) {
    case M_S: return 0xffc00000;
    case M_D: return 0xfff8000000000000;
    case M_T: return X80_INDEFINITE.mant;
    default: return 1ull << (int_bits(how) - 1);
    }
}

/*
 * With all exceptions masked a store always happens. These give the value; new_sw is to be taken over, and the register popped, when
 * it is in memory.
 */
static __attribute__((noinline)) uint64_t masked_store(struct x87 *x, enum fst how)
{
    struct x80_env e = env(x);
    uint64_t v;

    x->new_se = st(x, 0)->se;
    if (empty(x, 0)) {
        x->new_se = X80_INDEFINITE.se;
        v = store_indefinite(how);
        e.sw = X80_IE | X80_SF;
    } else {
        v = store_value(&e, f80_get(st(x, 0)), how);
    }
    x->new_sw = (x->sw & ~(uint32_t)X80_C1) | e.sw;
    return v;
}
/* A number that is normal in the narrow format too, to the nearest: drop = significand bits that go. Returns it without sign. */
static inline uint64_t narrow(struct x87 *x, struct f80 a, unsigned drop, int bias)
{
    const uint64_t low = a.mant << (64 - drop), kept = a.mant >> drop, up = low >> 63 & ((uint64_t)(low << 1 != 0) | kept);

    x->new_sw = (x->sw & ~(uint32_t)X80_C1) | (uint32_t)(low != 0) << 5 | (uint32_t)up << 9;
    return ((uint64_t)((int)(a.se & 0x7fff) - 16383 + bias - 1) << (63 - drop)) + kept + up;
}
static inline bool narrows(const struct x87 *x, struct f80 a, int bias)
{
    return likely((unsigned)((int)(a.se & 0x7fff) - 16383 + bias - 1) < 2u * (unsigned)bias - 1 && a.mant >> 63 && !(x->cw & 0xc00) &&
                  !empty(x, 0));
}
HELPER(uint32_t, fst_s, (CPU *cpu), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct f80 a = f80_get(st(x, 0));

    if (!narrows(x, a, 127)) return (uint32_t)masked_store(x, M_S);
    return (uint32_t)(a.se >> 15) << 31 | (uint32_t)narrow(x, a, 40, 127);
}
HELPER(uint64_t, fst_d, (CPU *cpu), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct f80 a = f80_get(st(x, 0));

    if (!narrows(x, a, 1023)) return masked_store(x, M_D);
    return (uint64_t)(a.se >> 15) << 63 | narrow(x, a, 11, 1023);
}
HELPER(uint64_t, fst_t, (CPU *cpu), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);

    if (unlikely(empty(x, 0))) return masked_store(x, M_T);
    x->new_sw = x->sw & ~(uint32_t)X80_C1;
    x->new_se = st(x, 0)->se;
    return st(x, 0)->mant;
}
HELPER(uint64_t, fist, (CPU *cpu, uint32_t how), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    uint64_t v;

    const unsigned rc = how >= M_TW ? 3 : x->cw >> 10 & 3;

    if (likely(!empty(x, 0)) && fast_int(x, f80_get(st(x, 0)), int_bits((enum fst)how), rc, &v)) return v;
    return masked_store(x, (enum fst)how);
}

/* The whole of a store, masked or not. */
HELPER(void, fst_mem, (CPU *cpu, uint64_t addr, uint32_t how), "fault r=x87 w=x87")
{
    static const uint8_t size[] = { 4, 8, 10, 2, 4, 8, 2, 4, 8, 10 };
    struct x87 *x = unit(cpu);
    const enum fst kind = (enum fst)(how & 15);
    struct x80_env e = env(x);
    uint8_t b[16] = { 0 };

    if (empty(x, 0)) {
        if (!stack_fault(x, false)) return;
        memcpy(b, &(uint64_t){ store_indefinite(kind) }, 8);
        memcpy(b + 8, &X80_INDEFINITE.se, 2);
        if (kind == M_BCD) memcpy(b, (const uint8_t[10]){ 0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0xff }, 10);
    } else {
        if (kind == M_BCD) {
            x80_to_bcd(&e, f80_get(st(x, 0)), b);
        } else {
            memcpy(b, &(uint64_t){ store_value(&e, f80_get(st(x, 0)), kind) }, 8);
            memcpy(b + 8, &st(x, 0)->se, 2);
        }
        if (x80_stop_store(&e)) {
            done(x, &e, X80_C1);
            return;
        }
    }
    cpu_stn(cpu, addr, b, size[kind]);
    if (!empty(x, 0)) done(x, &e, X80_C1);
    if (how & M_POP) pop(x);
}

/* -- registers ---------------------------------------------------------------------------------------------------------- */
HELPER(void, fst_st, (CPU *cpu, uint32_t i, bool popped), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);

    if (unlikely(empty(x, 0))) {
        if (!underflow(x, i)) return;
    } else {
        set_st(x, i, f80_get(st(x, 0)));
        x->sw &= ~(uint32_t)X80_C1;
    }
    if (popped) pop(x);
}
/* The undocumented D9 D8: an empty register is no exception, and not stored. */
HELPER(void, fstp1, (CPU *cpu, uint32_t i), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);

    if (!empty(x, 0)) set_st(x, i, f80_get(st(x, 0)));
    x->sw &= ~(uint32_t)X80_C1;
    pop(x);
}
HELPER(void, fxch, (CPU *cpu, uint32_t i), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct f80 a = f80_get(st(x, 0)), b = f80_get(st(x, i));

    if (unlikely(empty(x, 0) || empty(x, i))) {
        if (!stack_fault(x, false)) return;
        a = empty(x, 0) ? X80_INDEFINITE : a;
        b = empty(x, i) ? X80_INDEFINITE : b;
    } else {
        x->sw &= ~(uint32_t)X80_C1;
    }
    set_st(x, i, a);
    set_st(x, 0, b);
}
HELPER(void, fcmov, (CPU *cpu, uint32_t i, bool cond), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);

    if (unlikely(empty(x, 0) || empty(x, i))) {
        underflow(x, 0);
        return;
    }
    if (cond) f80_put(st(x, 0), f80_get(st(x, i)));
}
HELPER(void, fsign, (CPU *cpu, bool negate), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);

    if (unlikely(empty(x, 0))) {
        underflow(x, 0);
        return;
    }
    st(x, 0)->se = negate ? st(x, 0)->se ^ 0x8000 : st(x, 0)->se & 0x7fff;
    x->sw &= ~(uint32_t)X80_C1;
}
HELPER(void, ffree, (CPU *cpu, uint32_t i, bool popped), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    x->tag &= ~(1u << ((x->top + i) & 7));
    x->sw &= ~(uint32_t)X80_C1;
    if (popped) pop(x);
}
HELPER(void, fincstp, (CPU *cpu, uint32_t by), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    x->top = (x->top + by) & 7;
    x->sw &= ~(uint32_t)X80_C1;
}

/* -- one operand, and two with the result in the first -------------------------------------------------------------------- */
static void finish(struct x87 *x, const struct x80_env *e, uint32_t cc, struct f80 v)
{
    done(x, e, cc);
    if (!x80_stop(e)) f80_put(st(x, 0), v);
}
HELPER(void, fsqrt, (CPU *cpu), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct x80_env e = env(x);

    if (unlikely(empty(x, 0))) underflow(x, 0);
    else if (likely(host_ready(x))) HOST_OP1("fsqrt", x, st(x, 0), X80_C1);
    else finish(x, &e, X80_C1, x80_sqrt(&e, f80_get(st(x, 0))));
}
HELPER(void, frndint, (CPU *cpu), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct x80_env e = env(x);

    if (unlikely(empty(x, 0))) underflow(x, 0);
    else if (likely(host_ready(x))) HOST_OP1("frndint", x, st(x, 0), X80_C1);
    else finish(x, &e, X80_C1, x80_rint(&e, f80_get(st(x, 0))));
}
HELPER(void, f2xm1, (CPU *cpu), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct x80_env e = env(x);

    if (unlikely(empty(x, 0))) underflow(x, 0);
    else if (likely(host_ready(x))) HOST_OP1("f2xm1", x, st(x, 0), X80_C1);
    else finish(x, &e, X80_C1, x80_f2xm1(&e, f80_get(st(x, 0))));
}
HELPER(void, fsin, (CPU *cpu), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct x80_env e = env(x);
    struct f80 v;

    x->sw &= ~(uint32_t)X80_C2;
    if (unlikely(empty(x, 0))) {
        underflow(x, 0);
    } else if (likely(host_ready(x))) {
        HOST_OP1("fsin", x, st(x, 0), X80_C1 | X80_C2);
    } else {
        x80_sincos(&e, f80_get(st(x, 0)), &v, NULL);
        finish(x, &e, X80_C1 | X80_C2, v);
    }
}
HELPER(void, fcos, (CPU *cpu), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct x80_env e = env(x);
    struct f80 v;

    x->sw &= ~(uint32_t)X80_C2;
    if (unlikely(empty(x, 0))) {
        underflow(x, 0);
    } else if (likely(host_ready(x))) {
        HOST_OP1("fcos", x, st(x, 0), X80_C1 | X80_C2);
    } else {
        x80_sincos(&e, f80_get(st(x, 0)), NULL, &v);
        finish(x, &e, X80_C1 | X80_C2, v);
    }
}
HELPER(void, fprem, (CPU *cpu, bool nearest), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct x80_env e = env(x);

    const uint32_t kept = x->sw & (X80_C0 | X80_C3);

    x->sw &= ~(uint32_t)X80_C2;
    if (unlikely(empty(x, 0) || empty(x, 1))) underflow(x, 0);
    else if (unlikely(!host_ready(x))) finish(x, &e, X80_CC, x80_rem(&e, f80_get(st(x, 0)), f80_get(st(x, 1)), nearest));
    else if (nearest) HOST_OP20("fprem1", x, st(x, 0), st(x, 1), X80_CC);
    else HOST_OP20("fprem", x, st(x, 0), st(x, 1), X80_CC);
    if (x80_stop(&e) || (st(x, 0)->mant << 1 && (st(x, 0)->se & 0x7fff) == 0x7fff)) /* no quotient */
        x->sw = (x->sw & ~(uint32_t)(X80_C0 | X80_C3)) | kept;
}
HELPER(void, fscale, (CPU *cpu), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct x80_env e = env(x);

    if (unlikely(empty(x, 0) || empty(x, 1))) underflow(x, 0);
    else if (likely(host_ready(x))) HOST_OP20("fscale", x, st(x, 0), st(x, 1), X80_C1);
    else finish(x, &e, X80_C1, x80_scale(&e, f80_get(st(x, 0)), f80_get(st(x, 1))));
}

/* -- results in ST1, ST0 popped ------------------------------------------------------------------------------------------- */
HELPER(void, fyx, (CPU *cpu, uint32_t op), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct x80_env e = env(x);
    struct f80 *a = st(x, 0), *b = st(x, 1), v;

    if (unlikely(empty(x, 0) || empty(x, 1))) {
        if (!underflow(x, 1)) return;
    } else if (likely(host_ready(x))) {
        if (op == YL2X) HOST_OP2("fyl2x", x, b, a);
        else if (op == YL2XP1) HOST_OP2("fyl2xp1", x, b, a);
        else HOST_OP2("fpatan", x, b, a);
    } else {
        v = op == YL2X ? x80_yl2x(&e, *b, *a) : op == YL2XP1 ? x80_yl2xp1(&e, *b, *a) : x80_patan(&e, *b, *a);
        done(x, &e, X80_C1);
        if (x80_stop(&e)) return;
        *b = v;
    }
    pop(x);
}

/* -- two results: below goes where ST0 was, above is pushed ------------------------------------------------------------- */

/* false: a stack fault, taken care of. */
static bool two_results(struct x87 *x)
{
    bool under = empty(x, 0), over = x->tag >> ((x->top - 1) & 7) & 1;

    if (likely(!under && !over)) return true;
    if (stack_fault(x, over && !under)) {
        set_st(x, 0, X80_INDEFINITE);
        x->top = (x->top - 1) & 7;
        set_st(x, 0, X80_INDEFINITE);
    }
    return false;
}
static void finish_two(struct x87 *x, const struct x80_env *e, uint32_t cc, struct f80 below, struct f80 above)
{
    done(x, e, cc);
    if (x80_stop(e) || e->sw & X80_C2) return;
    f80_put(st(x, 0), below);
    push(x);
    f80_put(st(x, 0), above);
}
HELPER(void, fxtract, (CPU *cpu), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct x80_env e = env(x);
    struct f80 exp, sig;

    if (!two_results(x)) return;
    sig = x80_extract(&e, f80_get(st(x, 0)), &exp);
    finish_two(x, &e, X80_C1, exp, sig);
}
/* FSINCOS, FPTAN */
HELPER(void, fangle, (CPU *cpu, bool tan), "r=x87 w=x87")
{
    struct x87 *x = unit(cpu);
    struct x80_env e = env(x);
    struct f80 a = f80_get(st(x, 0)), below, above;

    x->sw &= ~(uint32_t)X80_C2;
    if (!two_results(x)) return;
    if ((a.se & 0x7fff) < 16383 + 63 && likely(host_ready(x))) { /* in range: both results come */
        if (tan) HOST_OP12("fptan", x, &a, &below, &above, X80_C1 | X80_C2);
        else HOST_OP12("fsincos", x, &a, &below, &above, X80_C1 | X80_C2);
        f80_put(st(x, 0), below);
        push(x);
        f80_put(st(x, 0), above);
    } else if (tan) {
        below = x80_ptan(&e, a);
        bool nan = (below.se & 0x7fff) == 0x7fff;
        finish_two(x, &e, X80_C1 | X80_C2, below, nan ? below : x80_constant(0, X80_ONE));
    } else {
        x80_sincos(&e, a, &below, &above);
        finish_two(x, &e, X80_C1 | X80_C2, below, above);
    }
}
