/*
 * x87.h: state of the x87 unit and MMX, and its images in memory. Intel SDM volume 1, chapters 8, 9 and 13.
 *
 * Registers are kept by their number (R0..R7), not by their distance from the top, so that MMX registers are the significands
 * where they lie. TOP is a number of its own; ES and B follow from exceptions and masks and are not kept.
 */
#ifndef LYRE_GUEST_X86_X87_H
#define LYRE_GUEST_X86_X87_H

#include "fpu/x80.h"

struct xlat;

struct x87 {
    _Alignas(16) struct f80 r[8];
    uint32_t top;          /* 0..7 */
    uint32_t tag;          /* bit n: Rn is not empty (FXSAVE's abridged tag word) */
    uint32_t round;        /* precision and rounding control as x87_fast.h wants them */
    uint32_t cw, sw;       /* sw: exceptions, SF and condition codes only */
    uint32_t new_sw, new_se; /* of a store to memory that is under way: taken over when it has not faulted */
    uint32_t fop;
    uint64_t fip, fdp;     /* of the last instruction that is none of control; fop, fdp: with unmasked exceptions only */
};

enum { X87_CW_INIT = 0x37f, X87_CW_BITS = 0x1f7f, X87_CW_ONE = 0x40 };

/*
 * x87.round: how many low bits of a significand precision control drops; X87_UP: not to the nearest, and the bits by these numbers say
 * whether an inexact result goes up if it is positive, if it is negative.
 */
enum { X87_DROP = 63, X87_UP = 64, X87_UP_POS = 8, X87_UP_NEG = 9 };

/*
 * cpu->mode bit: some exception is unmasked, so that one may be pending and stores may not happen. Code for this mode asks before
 * each instruction and lets C store; all other code need not think of it.
 */
enum { MODE_X87_UNMASKED = 1 << 8 };
/* The mode with its bit brought up to date. */
uint32_t x87_mode(const struct x87 *x, uint32_t mode);

/* In translation: #MF if an exception is pending, which is the first thing of all instructions but the FN.. ones. */
void x87_xl_wait(struct xlat *t);

/* An unmasked exception waits for the next instruction that asks. */
static inline bool x87_pending(const struct x87 *x)
{
    return x->sw & ~x->cw & X80_EXC;
}
/* The status word as it is stored: with TOP, ES and B. */
uint16_t x87_status(const struct x87 *x);
void x87_set_status(struct x87 *x, uint16_t sw);
/* The tag word with two bits per register, and setting which are empty from one. */
uint16_t x87_tags(const struct x87 *x);
void x87_set_tags(struct x87 *x, uint16_t tw);
void x87_init(struct x87 *x);  /* FNINIT: registers keep their numbers */
void x87_reset(struct x87 *x); /* they do not */
/* A control word as FLDCW takes it. */
void x87_set_cw(struct x87 *x, uint16_t cw);

/* What instruction bodies (x87.isa.c) tell their helpers (x87_op.isa.c) in one number. */
enum { ST_POP = 1 << 6 };                           /* destination in bits 2:0, source in 5:3 */
enum { CMP_QUIET = 8, CMP_POP = 16, CMP_POP2 = 32 }; /* register in bits 2:0 */
enum fst { M_S, M_D, M_T, M_W, M_L, M_Q, M_TW, M_TL, M_TQ, M_BCD, M_POP = 16 }; /* formats of stores; T..: truncating */
enum { YL2X, YL2XP1, PATAN };

/* FSTENV and FLDENV: 14 or 28 bytes; real: the forms of real and virtual-8086 mode. Returns the length. */
unsigned x87_env_put(const struct x87 *x, uint8_t *p, bool wide, bool real);
void x87_env_get(struct x87 *x, const uint8_t *p, bool wide, bool real);
enum { X87_ENV_MAX = 28, X87_REGS_BYTES = 80 };
/* The registers, ST0 first, 10 bytes each. */
void x87_regs_put(const struct x87 *x, uint8_t *p);
void x87_regs_get(struct x87 *x, const uint8_t *p);
/* Bytes 0..23 and 32..159 of the FXSAVE area (without MXCSR); wide: FXSAVE64's pointers. */
void x87_fx_put(const struct x87 *x, uint8_t *p, bool wide);
void x87_fx_get(struct x87 *x, const uint8_t *p, bool wide);

#endif
