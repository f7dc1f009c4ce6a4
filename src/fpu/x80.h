/*
 * x80.h: the x87's 80-bit format (floor 1): arithmetic, conversions, transcendental functions; Intel SDM volume 1, chapters
 * 4.8, 4.9 and 8. Results and status bits are those of today's CPUs, unsupported encodings, NaN rules and unmasked exceptions
 * included; transcendentals are within one unit in the last place of the true value (for multiples of the x87's own pi).
 *
 * An operation looks at masks, precision and rounding control in e->cw and sets exceptions and condition codes in e->sw. What
 * an unmasked exception suppresses is the caller's: x80_stop says that an operation has no result at all.
 */
#ifndef LYRE_FPU_X80_H
#define LYRE_FPU_X80_H

#include "fpu/fpu.h"

struct f80 {
    uint64_t mant;  /* with the explicit integer bit 63 */
    uint16_t se;    /* sign in bit 15, biased exponent */
};

/* Status word; the first six are also the control word's masks. C1 after a rounding: away from zero. */
enum {
    X80_IE = 1, X80_DE = 2, X80_ZE = 4, X80_OE = 8, X80_UE = 16, X80_PE = 32, X80_SF = 64, X80_ES = 128,
    X80_C0 = 0x100, X80_C1 = 0x200, X80_C2 = 0x400, X80_C3 = 0x4000, X80_CC = 0x4700,
};
enum { X80_EXC = 0x3f, X80_NCC = X80_CC & ~X80_C1 };

struct x80_env {
    uint16_t cw;   /* the control word */
    uint16_t sw;   /* what the operation raised; only ever set */
    bool den;      /* an operand was a denormal in the format it was read from (x80_operand) */
};

static const struct f80 X80_INDEFINITE = { 0xc000000000000000, 0xffff };

/* The operation was stopped before its result by an unmasked invalid, denormal or divide-by-zero. */
static inline bool x80_stop(const struct x80_env *e)
{
    return e->sw & ~e->cw & (X80_IE | X80_DE | X80_ZE);
}
/* A conversion on its way to memory stops at overflow and underflow too. */
static inline bool x80_stop_store(const struct x80_env *e)
{
    return e->sw & ~e->cw & (X80_IE | X80_OE | X80_UE);
}

struct f80 x80_add(struct x80_env *e, struct f80 a, struct f80 b);
struct f80 x80_sub(struct x80_env *e, struct f80 a, struct f80 b);
struct f80 x80_mul(struct x80_env *e, struct f80 a, struct f80 b);
struct f80 x80_div(struct x80_env *e, struct f80 a, struct f80 b);
struct f80 x80_sqrt(struct x80_env *e, struct f80 a);
/* FPREM (truncating) and FPREM1 (nearest): C2 while partial, else the quotient's low bits in C0 C3 C1. */
struct f80 x80_rem(struct x80_env *e, struct f80 a, struct f80 b, bool nearest);
struct f80 x80_rint(struct x80_env *e, struct f80 a);
struct f80 x80_scale(struct x80_env *e, struct f80 a, struct f80 b);    /* a * 2^trunc(b) */
struct f80 x80_extract(struct x80_env *e, struct f80 a, struct f80 *exp); /* significand; exponent */
/* Sets C3 C2 C0: 000 greater, 001 less, 100 equal, 111 unordered. quiet: invalid on SNaN only. */
void x80_cmp(struct x80_env *e, struct f80 a, struct f80 b, bool quiet);
/* FXAM: C3 C2 C0 by class, C1 = sign; an empty register is the caller's. */
uint16_t x80_class(struct f80 a);

/* binary32 or binary64 as an operand of arithmetic: exact, an SNaN stays one, a denormal is noted in e->den. */
struct f80 x80_operand(struct x80_env *e, enum fpu_fmt f, uint64_t v);
/* As FLD loads it (an unmasked denormal operand does not stop it), and FST stores it. */
struct f80 x80_from_fp(struct x80_env *e, enum fpu_fmt f, uint64_t v);
uint64_t x80_to_fp(struct x80_env *e, enum fpu_fmt f, struct f80 a);
struct f80 x80_from_int(int64_t v);
/* To 16, 32 or 64 bits; trunc: FISTTP's rounding. Invalid: the smallest number. */
uint64_t x80_to_int(struct x80_env *e, struct f80 a, unsigned bits, bool trunc);
struct f80 x80_from_bcd(const uint8_t b[10]);
void x80_to_bcd(struct x80_env *e, struct f80 a, uint8_t b[10]);

enum x80_const { X80_ONE, X80_L2T, X80_L2E, X80_PI, X80_LG2, X80_LN2, X80_ZERO };
struct f80 x80_constant(uint16_t cw, enum x80_const c);

struct f80 x80_f2xm1(struct x80_env *e, struct f80 a);
struct f80 x80_yl2x(struct x80_env *e, struct f80 y, struct f80 x);
struct f80 x80_yl2xp1(struct x80_env *e, struct f80 y, struct f80 x);
struct f80 x80_patan(struct x80_env *e, struct f80 y, struct f80 x);
/* Operands from 2^63: C2, and no result. Either pointer may be NULL. */
void x80_sincos(struct x80_env *e, struct f80 a, struct f80 *sin, struct f80 *cos);
struct f80 x80_ptan(struct x80_env *e, struct f80 a);

#endif
