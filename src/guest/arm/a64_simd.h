/*
 * a64_simd.h: how Advanced SIMD and floating-point bodies read and write the V registers. Manual: Arm ARM (DDI 0487),
 * C7 "A64 Advanced SIMD and Floating-point Instruction Descriptions". A write of less than 128 bits zeroes the rest.
 */
#ifndef LYRE_GUEST_ARM_A64_SIMD_H
#define LYRE_GUEST_ARM_A64_SIMD_H

#include "xl.h"

/* A vector operand whose upper lanes must not raise FP flags or saturate: zeroed when q = 0. */
static inline V vz(struct xlat *t, unsigned n, int64_t q)
{
    return q ? vr(t, n) : ir_v1x(t, IR_VZEXT, L_I64, vr(t, n), 8);
}
static inline enum ir_lane vlane(int64_t size)
{
    return (enum ir_lane)size;
}
static inline unsigned lane_bits(enum ir_lane l)
{
    static const uint8_t bits[] = { 8, 16, 32, 64, 16, 32, 64 };
    return bits[l];
}
/* A lane's value alone: lane 0 of v, the rest zero. */
static inline void wlane0(struct xlat *t, unsigned n, enum ir_lane lane, V v)
{
    if (lane_bits(lane) == 8)
        wf(t, n, ir_vget(t, T_I32, L_I8, v, 0));
    else
        wv(t, n, ir_v1x(t, IR_VZEXT, L_I64, v, lane_bits(lane) / 8));
}
static inline V vzero(struct xlat *t)
{
    return ir_kv(t, 0, 0);
}
static inline V vones(struct xlat *t)
{
    return ir_kv(t, ~0ull, ~0ull);
}
/* Constant in every lane. */
static inline V vsplat(struct xlat *t, enum ir_lane lane, uint64_t k)
{
    unsigned bits = lane_bits(lane);
    uint64_t x = k & bits_mask(bits);
    for (; bits < 64; bits *= 2) x |= x << bits;
    return ir_kv(t, x, x);
}
/* SQDMULL, SQDMLAL, SQDMLSL (op VADDSS, VSUBSS or NOP): doubling widening products of a and b, accumulated in Vd; saturates twice, in
 * the product (only MIN * MIN) and in the sum. */
void arm_dmul_long(struct xlat *t, F *f, enum ir_op op, V a, V b, bool scalar);

/* Descriptors of the lane-wise helper (a64_simd_helpers.isa.c): size in bits 0-1, then q or LANES_SCALAR, operation above. */
enum { LANES_SCALAR = 2 };
enum {
    SH_SQSHL, SH_UQSHL, SH_SRSHL, SH_URSHL, SH_SQRSHL, SH_UQRSHL, SH_SQSHLU, /* register or immediate shifts */
    SH_SQDMULH, SH_SQRDMULH, SH_SQRDMLAH, SH_SQRDMLSH,
    SH_SUQADD, SH_USQADD, SH_SQABS, SH_SQNEG, SH_PMUL, SH_CLS, SH_URECPE, SH_URSQRTE
};
/* The estimate tables of FRECPE, FRSQRTE (a64_simd_helpers.isa.c). */
unsigned arm_recip_estimate(unsigned a);
unsigned arm_rsqrt_estimate(unsigned a);
#define SH(op, size, q) ((uint32_t)(op) << 4 | (uint32_t)(q) << 2 | (uint32_t)(size))

/* What helper sha_round does. */
enum { SHA1C, SHA1P, SHA1M, SHA1SU0, SHA1H, SHA1SU1, SHA256H, SHA256H2, SHA256SU0, SHA256SU1,
       SHA512H, SHA512H2, SHA512SU0, SHA512SU1, SM3PARTW1, SM3PARTW2, SM4E, SM4EKEY };

#endif
