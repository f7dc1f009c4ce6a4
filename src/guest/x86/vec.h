/*
 * vec.h: vector operands of instruction bodies: XMM and YMM registers in 128-bit parts, the low one first. One body serves the legacy form
 * (operand 0 is the first source, too; what lies above 128 bits stays), VEX.128 (what lies above is cleared) and VEX.256.
 */
#ifndef LYRE_GUEST_X86_VEC_H
#define LYRE_GUEST_X86_VEC_H

#include "xl.h"

struct vv {
    V h[2]; /* V128; h[1] = 0 (no value) unless 256 bits are worked on */
};

static inline bool is_vex(F *f)
{
    return f->enc != X86_ENC_LEGACY;
}
/* Parts that the instruction works on. */
static inline unsigned parts(F *f)
{
    return is_vex(f) && f->L ? 2 : 1;
}
/* Numbers of the first and second source of a form V,H,W (V,W in the legacy encoding), and of what follows them. */
static inline unsigned first(F *f)
{
    return is_vex(f);
}
static inline unsigned second(F *f)
{
    return first(f) + 1;
}
static inline unsigned third(F *f)
{
    return first(f) + 2;
}
static inline unsigned imm8(F *f)
{
    return (uint8_t)f->op[f->nops - 1].imm;
}
static inline V zero(struct xlat *t)
{
    return ir_kv(t, 0, 0);
}

/* Where a vector operand in memory may lie: legacy ones of 128 bits at multiples of 16 only. */
enum aligned { ANYWHERE, LEGACY_ALIGNED, ALIGNED };
/* Operand i; fewer than 128 bits in memory are zero-extended. */
struct vv vget_at(struct xlat *t, F *f, unsigned i, enum aligned al);
static inline struct vv vget(struct xlat *t, F *f, unsigned i)
{
    return vget_at(t, f, i, LEGACY_ALIGNED);
}
/* Its low 128 bits. */
static inline V vlow(struct xlat *t, F *f, unsigned i)
{
    return vget(t, f, i).h[0];
}
/* Operand i as a scalar of a lane's type: lane 0 of a register, or that much memory. */
V vscalar(struct xlat *t, F *f, unsigned i, enum ir_type type);
/* Writes operand 0. A register: what lies above is kept (legacy) or cleared (VEX). Memory: as many bits as the operand has. */
void vput_at(struct xlat *t, F *f, struct vv r, enum aligned al);
static inline void vput(struct xlat *t, F *f, struct vv r)
{
    vput_at(t, f, r, LEGACY_ALIGNED);
}
static inline void vput1(struct xlat *t, F *f, V r)
{
    vput(t, f, (struct vv){ { r } });
}
/* Operand 0 = the first source with lane 0 replaced by a scalar. */
void vput_scalar(struct xlat *t, F *f, enum ir_lane lane, V r);

/* Operand 0 = fn of each part of the sources of V,H,W; of V,W (unary); of V,H,W,imm8. */
typedef V vfn2(struct xlat *t, F *f, V a, V b);
typedef V vfn1(struct xlat *t, F *f, V a);
void vmap2(struct xlat *t, F *f, vfn2 *fn);
void vmap1(struct xlat *t, F *f, vfn1 *fn);
/* The same for one operation of the IR. */
void vop2(struct xlat *t, F *f, enum ir_op op, enum ir_lane lane);
void vop1(struct xlat *t, F *f, enum ir_op op, enum ir_lane lane);

/*
 * Around floating-point arithmetic, after its operands were read and before results are written: where MXCSR unmasks exceptions, those
 * that are raised in between trap (#XM). The flags that were there are handed from one to the other.
 */
V vfp_begin(struct xlat *t);
void vfp_check(struct xlat *t, V flags_before);

/* Bytes of a, and of b where the index is 16 or more, by the index's low 5 bits: sel[i], i = 0..15. */
V vshuffle(struct xlat *t, V a, V b, const uint8_t sel[16]);
/* Lanes of 2^log bytes, one source: lane i of the result is lane (order >> i * bits & mask) of a, as PSHUFD and its like say. */
V vshuffle_imm(struct xlat *t, V a, unsigned log, unsigned imm);

#endif
