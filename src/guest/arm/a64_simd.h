/*
 * a64_simd.h: how Advanced SIMD and floating-point bodies read and write the V registers. Manual: Arm ARM (DDI 0487),
 * C7 "A64 Advanced SIMD and Floating-point Instruction Descriptions". A write of less than 128 bits zeroes the rest.
 */
#ifndef LYRE_GUEST_ARM_A64_SIMD_H
#define LYRE_GUEST_ARM_A64_SIMD_H

#include "arm.h"

typedef const struct arm_fields F;

/* The whole register; the low half with the rest zero. */
static inline V vq(struct xlat *t, int64_t n)
{
    return ir_get(t, R_V0 + (unsigned)n);
}
static inline void wvq(struct xlat *t, int64_t n, V v)
{
    ir_put(t, R_V0 + (unsigned)n, v);
}
/* Writes a vector of 64 (q = 0) or 128 bits. */
static inline void wv(struct xlat *t, int64_t n, int64_t q, V v)
{
    wvq(t, n, q ? v : ir_v1x(t, IR_VZEXT, L_I64, v, 8));
}
/* A vector operand whose upper lanes must not raise FP flags: zeroed when q = 0. */
static inline V vz(struct xlat *t, int64_t n, int64_t q)
{
    return q ? vq(t, n) : ir_v1x(t, IR_VZEXT, L_I64, vq(t, n), 8);
}
/* Scalars: lane 0. Integers come zero-extended to `type`. */
static inline V vs(struct xlat *t, enum ir_type type, int64_t n, enum ir_lane lane)
{
    return ir_vget(t, type, lane, vq(t, n), 0);
}
static inline void ws(struct xlat *t, int64_t n, V scalar)
{
    wvq(t, n, ir_vfrom(t, scalar));
}
/* A lane's value alone: lane 0 of v, the rest zero. */
static inline void wlane0(struct xlat *t, int64_t n, enum ir_lane lane, V v)
{
    static const uint8_t bytes[] = { 1, 2, 4, 8, 2, 4, 8 };
    if (bytes[lane] == 1)
        ws(t, n, ir_vget(t, T_I32, L_I8, v, 0));
    else
        wvq(t, n, ir_v1x(t, IR_VZEXT, L_I64, v, bytes[lane]));
}
static inline enum ir_lane lane_of(int64_t size)
{
    return (enum ir_lane)size;
}
static inline unsigned lane_bits(enum ir_lane l)
{
    static const uint8_t bits[] = { 8, 16, 32, 64, 16, 32, 64 };
    return bits[l];
}
/* FP lanes and scalar types by their encoding: ftype 0 single, 1 double, 3 half. */
static inline enum ir_type ftype_of(int64_t ftype)
{
    return ftype == 0 ? T_F32 : ftype == 1 ? T_F64 : T_F16;
}
static inline enum ir_lane flane_of(int64_t sz)
{
    return sz ? L_F64 : L_F32;
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
/* FPSR.QC accumulates every bit in which a saturated result differs from the plain one (R_QC is not zero = QC). */
static inline void qc_or(struct xlat *t, V bits)
{
    ir_put(t, R_QC, ir_v2(t, IR_VOR, L_I64, ir_get(t, R_QC), bits));
}

/* Descriptors of the lane-wise helpers (simd_helpers.isa.c): size in bits 0-1, q in bit 2, operation above. */
enum {
    SH_SQSHL, SH_UQSHL, SH_SRSHL, SH_URSHL, SH_SQRSHL, SH_UQRSHL, SH_SQSHLU, /* register or immediate shifts */
    SH_SQDMULH, SH_SQRDMULH, SH_SQRDMLAH, SH_SQRDMLSH,
    SH_SUQADD, SH_USQADD, SH_SQABS, SH_SQNEG, SH_PMUL, SH_CLS, SH_URECPE, SH_URSQRTE
};
#define SH(op, size, q) ((uint32_t)(op) << 4 | (uint32_t)(q) << 2 | (uint32_t)(size))

#endif
