/*
 * xl.h: how instruction bodies read and write registers. A register number 31 is the zero register in x(), r(), w() and
 * the stack pointer in xsp(), rsp(); `sf` chooses 64 or 32 bits. Results narrower than the register are zero-extended.
 */
#ifndef LYRE_GUEST_ARM_XL_H
#define LYRE_GUEST_ARM_XL_H

#include "arm.h"
#include "feat.h"

typedef const struct arm_fields F;

static inline const struct arm_cpu *acpu(struct xlat *t)
{
    return t->cpu;
}

/* -- general registers --------------------------------------------------------------------------------------------- */
static inline enum ir_type rtype(bool sf)
{
    return sf ? T_I64 : T_I32;
}
static inline V x(struct xlat *t, unsigned n)
{
    return n == 31 ? ir_k(t, 0) : ir_get(t, R_X0 + n);
}
static inline V xsp(struct xlat *t, unsigned n)
{
    return ir_get(t, R_X0 + n);
}
static inline void wx(struct xlat *t, unsigned n, V v)
{
    if (n != 31) ir_put(t, R_X0 + n, v);
}
static inline void wxsp(struct xlat *t, unsigned n, V v)
{
    ir_put(t, R_X0 + n, v);
}
static inline V r(struct xlat *t, bool sf, unsigned n)
{
    return ir_trunc(t, rtype(sf), x(t, n));
}
static inline V rsp(struct xlat *t, bool sf, unsigned n)
{
    return ir_trunc(t, rtype(sf), xsp(t, n));
}
static inline V w(struct xlat *t, unsigned n)
{
    return r(t, false, n);
}
/* v: I1 to I64; zero-extends. */
static inline void wr(struct xlat *t, unsigned n, V v)
{
    wx(t, n, ir_zext(t, T_I64, v));
}
static inline void wrsp(struct xlat *t, unsigned n, V v)
{
    wxsp(t, n, ir_zext(t, T_I64, v));
}

/* -- SIMD and FP registers ----------------------------------------------------------------------------------------- */
static inline V vr(struct xlat *t, unsigned n)
{
    return ir_get(t, R_V0 + n);
}
/* All 128 bits. */
static inline void wv(struct xlat *t, unsigned n, V v)
{
    ir_put(t, R_V0 + n, v);
}
/* Q = 0: the low 64 bits, the upper half zeroed; Q = 1: all. */
static inline void wvq(struct xlat *t, bool q, unsigned n, V v)
{
    ir_put(t, R_V0 + n, q ? v : ir_v1x(t, IR_VZEXT, L_I8, v, 8));
}
/* Scalar views: type is an FP type or an integer type of 8 to 64 bits; lane 0. Writing zeroes the rest. */
static inline enum ir_lane lane_of(enum ir_type type)
{
    static const uint8_t lane[T_COUNT] = {
        [T_I8] = L_I8, [T_I16] = L_I16, [T_I32] = L_I32, [T_I64] = L_I64, [T_F16] = L_F16, [T_F32] = L_F32, [T_F64] = L_F64,
    };
    return (enum ir_lane)lane[type];
}
static inline V fr(struct xlat *t, enum ir_type type, unsigned n)
{
    return ir_vget(t, type, lane_of(type), vr(t, n), 0);
}
static inline void wf(struct xlat *t, unsigned n, V scalar)
{
    ir_put(t, R_V0 + n, ir_vfrom(t, scalar));
}
/* The type of an FP scalar by the `ftype` field: 0 single, 1 double, 3 half; T_VOID if unallocated (2). */
static inline enum ir_type ftype(unsigned ft)
{
    static const uint8_t type[4] = { T_F32, T_F64, T_VOID, T_F16 };
    return (enum ir_type)type[ft & 3];
}
/* Element `i` of the vector register n as an unsigned integer of the size (log2 bytes). */
static inline V velem(struct xlat *t, unsigned n, unsigned size, unsigned i)
{
    static const uint8_t type[4] = { T_I8, T_I16, T_I32, T_I64 };
    return ir_vget(t, (enum ir_type)type[size & 3], (enum ir_lane)(L_I8 + (size & 3)), vr(t, n), i);
}
/* FPSR.QC |= any bit of v; typically v = saturated ^ not saturated. */
static inline void qc_or(struct xlat *t, V v)
{
    ir_put(t, R_QC, ir_v2(t, IR_VOR, L_I8, ir_get(t, R_QC), v));
}

/* -- flags ----------------------------------------------------------------------------------------------------------- */
static inline void put_nzcv(struct xlat *t, V n, V z, V c, V v)
{
    ir_put(t, R_N, n);
    ir_put(t, R_Z, z);
    ir_put(t, R_C, c);
    ir_put(t, R_V, v);
}
static inline void put_nzcv_k(struct xlat *t, unsigned nzcv)
{
    put_nzcv(t, ir_kt(t, T_I1, nzcv >> 3 & 1), ir_kt(t, T_I1, nzcv >> 2 & 1), ir_kt(t, T_I1, nzcv >> 1 & 1),
             ir_kt(t, T_I1, nzcv & 1));
}
static inline V is_zero(struct xlat *t, V v)
{
    return ir_cmpi(t, C_EQ, v, 0);
}
static inline V is_negative(struct xlat *t, V v)
{
    return ir_cmpi(t, C_SLT, v, 0);
}
/* ConditionHolds(): the textbook forms, which the optimiser fuses with the compare that set the flags. */
V arm_cond(struct xlat *t, unsigned cond);

/* -- memory ---------------------------------------------------------------------------------------------------------- */
/* An address as the memory operations take it: base register value, tag stripped in MODE_TBI. The displacement of LD/ST
 * must not carry into the top byte there, so it is added first. */
V arm_addr(struct xlat *t, V addr);
static inline V load(struct xlat *t, enum ir_type type, V base, int64_t disp, unsigned mo)
{
    if (t->mode & MODE_ALIGN) mo |= MO_ALIGN;
    if (t->mode & MODE_TBI) return ir_ld(t, type, arm_addr(t, ir_addi(t, base, (uint64_t)disp)), 0, mo);
    return ir_ld(t, type, base, disp, mo);
}
static inline void store(struct xlat *t, V base, int64_t disp, V v, unsigned mo)
{
    if (t->mode & MODE_ALIGN) mo |= MO_ALIGN;
    if (t->mode & MODE_TBI)
        ir_st(t, arm_addr(t, ir_addi(t, base, (uint64_t)disp)), 0, v, mo);
    else
        ir_st(t, base, disp, v, mo);
}
/* Two words as one value of twice the size (log2 bytes of a word: 2 or 3), so that they are one access. */
static inline V lo64(struct xlat *t, V v)
{
    return ir_vget(t, T_I64, L_I64, v, 0);
}
static inline V hi64(struct xlat *t, V v)
{
    return ir_vget(t, T_I64, L_I64, v, 1);
}
static inline V pair128(struct xlat *t, V lo, V hi)
{
    return ir_vins(t, L_I64, ir_vfrom(t, lo), hi, 1);
}
static inline V pair(struct xlat *t, unsigned size, unsigned lo, unsigned hi)
{
    if (size == MO_64) return pair128(t, x(t, lo), x(t, hi));
    return ir_or(t, ir_zext(t, T_I64, w(t, lo)), ir_shli(t, x(t, hi), 32));
}
static inline void write_pair(struct xlat *t, unsigned size, unsigned lo, unsigned hi, V v)
{
    wx(t, lo, size == MO_64 ? lo64(t, v) : ir_ubfx(t, v, 0, 32));
    wx(t, hi, size == MO_64 ? hi64(t, v) : ir_shri(t, v, 32));
}
/* BR, BLR and their kin by register rn. */
void arm_computed_jump(struct xlat *t, unsigned rn, V to, enum ir_jk jk);
/* The address behind a pointer with an authentication code. */
V arm_auth(struct xlat *t, V p, V modifier, unsigned key);
/* Rn plus Rm, extended by option and shifted by scale if S. */
V arm_reg_offset(struct xlat *t, F *f, unsigned scale);

static inline bool feat(struct xlat *t, enum arm_feat f)
{
    return arm_has(acpu(t), f);
}

#endif
