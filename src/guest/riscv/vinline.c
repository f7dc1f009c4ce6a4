/*
 * vinline.c: vector instructions as 128-bit IR, for VLEN = 128 and vstart = 0: one operation per register of the group.
 * Where vl < VLMAX or the instruction is masked, results are blended with the old destination (tail and inactive
 * elements undisturbed), and FP operands of inactive elements are replaced by 1.0 so that they raise no flag.
 */
#include "vector.h"

struct vi {
    struct xlat *t;
    F *f;
    unsigned sew, n, vlmax;  /* log2 of bytes; registers of a group */
    bool vm, full, whole;    /* unmasked; vl = VLMAX; and no element of the registers is past vl */
    enum vsrc src;
    V scalar;
};

static enum ir_lane ilane(unsigned sew)
{
    return (enum ir_lane)(L_I8 + sew);
}
static enum ir_lane flane(unsigned sew)
{
    return (enum ir_lane)(L_F16 + sew - 1);
}
static V kv(struct xlat *t, union vlanes v)
{
    return ir_kv(t, v.u64[0], v.u64[1]);
}
/* The same constant in every lane. */
static V kdup(struct xlat *t, unsigned sew, uint64_t k)
{
    union vlanes v;
    for (unsigned i = 0; i < 16; i++) v.u8[i] = (uint8_t)(k >> 8 * (i & ((1u << sew) - 1)));
    return kv(t, v);
}

static V vget(struct vi *s, unsigned reg)
{
    return ir_get(s->t, R_V0 + (reg & 31));
}
/* Register j of the second source. */
static V src1(struct vi *s, unsigned j)
{
    if (s->src == SRC_V) return vget(s, s->f->vs1 + j);
    if (ir_is_k(s->t, s->scalar)) return kdup(s->t, s->sew, ir_kval(s->t, s->scalar));
    return ir_vdup(s->t, ilane(s->sew), s->scalar);
}

/* -- which elements are active: lanes of all ones, 0 = all of them ---------------------------------------------- */
/* Element numbers of register j against vl, where that is not known to be past them. Signed comparison is enough: only
 * groups that are not full are compared, so vl < 128. */
static V body_lanes(struct vi *s, unsigned sew, unsigned j)
{
    union vlanes idx;
    unsigned lanes = 16u >> sew;
    if (s->full) {
        union vlanes in = { 0 };
        if (s->vlmax >= (j + 1) * lanes) return 0;
        if (s->vlmax > j * lanes) memset(&in, 0xff, (s->vlmax - j * lanes) << sew);
        return kv(s->t, in);
    }
    for (unsigned i = 0; i < 16; i++) idx.u8[i] = i & ((1u << sew) - 1) ? 0 : (uint8_t)(j * lanes + (i >> sew));
    return ir_vcmp(s->t, C_SGT, ilane(sew), ir_vdup(s->t, ilane(sew), ir_get(s->t, R_VL)), kv(s->t, idx));
}
/* v0's bits for register j, spread over its lanes. */
static V mask_lanes(struct vi *s, unsigned sew, unsigned j)
{
    union vlanes at, bit;
    for (unsigned i = 0; i < 16; i++) {
        unsigned e = j * (16u >> sew) + (i >> sew);
        at.u8[i] = (uint8_t)(e / 8);
        bit.u8[i] = (uint8_t)(1u << (e % 8));
    }
    V b = kv(s->t, bit);
    V spread = ir_v2(s->t, IR_VTBL, L_I8, vget(s, 0), kv(s->t, at));
    return ir_vcmp(s->t, C_EQ, L_I8, ir_v2(s->t, IR_VAND, L_I8, spread, b), b);
}
static V active(struct vi *s, unsigned sew, unsigned j)
{
    V body = body_lanes(s, sew, j), mask = s->vm ? 0 : mask_lanes(s, sew, j);
    return body && mask ? ir_v2(s->t, IR_VAND, L_I8, body, mask) : body ? body : mask;
}
static V blend(struct vi *s, V act, V yes, V no)
{
    return act ? ir_v3(s->t, IR_VBSEL, L_I8, act, yes, no) : yes;
}
/* Writes n registers from reg on; sew is that of the destination. */
static void put(struct vi *s, unsigned reg, unsigned sew, const V *r, unsigned n)
{
    for (unsigned j = 0; j < n; j++) {
        V v = blend(s, active(s, sew, j), r[j], vget(s, reg + j));
        ir_put(s->t, R_V0 + ((reg + j) & 31), v);
    }
}

/* -- shifts ----------------------------------------------------------------------------------------------------- */
/* Amounts count modulo the element width. */
static V amount(struct vi *s, unsigned sew, V y)
{
    return ir_v2(s->t, IR_VAND, L_I8, y, kdup(s->t, sew, (8u << sew) - 1));
}
static V shift(struct vi *s, enum ir_op by_imm, enum ir_op by_lane, unsigned sew, V x, V y)
{
    if (s->src != SRC_V && ir_is_k(s->t, s->scalar))
        return ir_v1x(s->t, by_imm, ilane(sew), x, (unsigned)(ir_kval(s->t, s->scalar) & ((8u << sew) - 1)));
    return ir_v2(s->t, by_lane, ilane(sew), x, amount(s, sew, y));
}

/* -- fixed point ------------------------------------------------------------------------------------------------ */
enum { RNU, RNE, RDN, ROD }; /* vxrm */

/* (x + y) >> 1 of one more bit, rounded to nearest up or down; 0 in other modes. */
static V average(struct vi *s, bool is_signed, V x, V y)
{
    struct xlat *t = s->t;
    enum ir_lane l = ilane(s->sew);
    V half;
    if (v_vxrm(t) == RNU && !is_signed) return ir_v2(t, IR_VAVGU, l, x, y);
    if (v_vxrm(t) != RNU && v_vxrm(t) != RDN) return 0;
    half = ir_v1x(t, is_signed ? IR_VSARI : IR_VSHRI, l, ir_v2(t, IR_VXOR, l, x, y), 1);
    return v_vxrm(t) == RNU ? ir_v2(t, IR_VSUB, l, ir_v2(t, IR_VOR, l, x, y), half) :
                              ir_v2(t, IR_VADD, l, ir_v2(t, IR_VAND, l, x, y), half);
}
/* x >> y; the same modes. The bit below the result's lowest is that of x >> (y - 1), and 0 for y = 0. */
static V round_shift(struct vi *s, bool is_signed, unsigned sew, V x, V y)
{
    struct xlat *t = s->t;
    enum ir_lane l = ilane(sew);
    V r = shift(s, is_signed ? IR_VSARI : IR_VSHRI, is_signed ? IR_VSAR : IR_VSHR, sew, x, y), below;
    if (v_vxrm(t) == RDN) return r;
    if (v_vxrm(t) != RNU) return 0;
    if (s->src != SRC_V && ir_is_k(t, s->scalar)) {
        unsigned n = (unsigned)(ir_kval(t, s->scalar) & ((8u << sew) - 1));
        if (!n) return r;
        below = ir_v1x(t, IR_VSHRI, l, x, n - 1);
    } else {
        below = ir_v2(t, IR_VSHR, l, x, ir_v2(t, IR_VSUB, l, amount(s, sew, y), kdup(t, sew, 1)));
    }
    return ir_v2(t, IR_VADD, l, r, ir_v2(t, IR_VAND, l, below, kdup(t, sew, 1)));
}
/* vxsat is set if an active element's lane is all ones. */
static void saturated(struct vi *s, unsigned j, V lanes)
{
    struct xlat *t = s->t;
    V act = active(s, s->sew, j), any;
    if (act) lanes = ir_v2(t, IR_VAND, L_I8, lanes, act);
    any = ir_cmpi(t, C_NE, ir_v1(t, IR_VMSK, L_I8, lanes), 0);
    ir_put(t, R_VXSAT, ir_or(t, ir_get(t, R_VXSAT), ir_zext(t, T_I32, any)));
}
static V saturating(struct vi *s, enum ir_op sat_op, enum ir_op op, unsigned j, V x, V y)
{
    enum ir_lane l = ilane(s->sew);
    V r = ir_v2(s->t, sat_op, l, x, y);
    saturated(s, j, ir_vcmp(s->t, C_NE, l, r, ir_v2(s->t, op, l, x, y)));
    return r;
}

/* -- single-width integer --------------------------------------------------------------------------------------- */
/* One register; 0 if the operation has no inline form. */
static V int_op(struct vi *s, enum vop op, unsigned j)
{
    struct xlat *t = s->t;
    enum ir_lane l = ilane(s->sew);
    V x = op == VOP_mv_v || op == VOP_id ? 0 : vget(s, s->f->vs2 + j), y = op == VOP_id ? 0 : src1(s, j);
    V d = 0;

    switch (op) {
    case VOP_add: return ir_v2(t, IR_VADD, l, x, y);
    case VOP_sub: return ir_v2(t, IR_VSUB, l, x, y);
    case VOP_rsub: return ir_v2(t, IR_VSUB, l, y, x);
    case VOP_and: return ir_v2(t, IR_VAND, l, x, y);
    case VOP_or: return ir_v2(t, IR_VOR, l, x, y);
    case VOP_xor: return ir_v2(t, IR_VXOR, l, x, y);
    case VOP_min: return ir_v2(t, IR_VMINS, l, x, y);
    case VOP_max: return ir_v2(t, IR_VMAXS, l, x, y);
    case VOP_minu: return ir_v2(t, IR_VMINU, l, x, y);
    case VOP_maxu: return ir_v2(t, IR_VMAXU, l, x, y);
    case VOP_sll: return shift(s, IR_VSHLI, IR_VSHL, s->sew, x, y);
    case VOP_srl: return shift(s, IR_VSHRI, IR_VSHR, s->sew, x, y);
    case VOP_sra: return shift(s, IR_VSARI, IR_VSAR, s->sew, x, y);
    case VOP_mul: return ir_v2(t, IR_VMUL, l, x, y);
    case VOP_saddu: return saturating(s, IR_VADDUS, IR_VADD, j, x, y);
    case VOP_sadd: return saturating(s, IR_VADDSS, IR_VADD, j, x, y);
    case VOP_ssubu: return saturating(s, IR_VSUBUS, IR_VSUB, j, x, y);
    case VOP_ssub: return saturating(s, IR_VSUBSS, IR_VSUB, j, x, y);
    case VOP_aaddu: return average(s, false, x, y);
    case VOP_aadd: return average(s, true, x, y);
    case VOP_ssrl: return round_shift(s, false, s->sew, x, y);
    case VOP_ssra: return round_shift(s, true, s->sew, x, y);
    case VOP_mulh: return ir_v2(t, IR_VMULHS, l, x, y);
    case VOP_mulhu: return ir_v2(t, IR_VMULHU, l, x, y);
    case VOP_macc: case VOP_nmsac: case VOP_madd: case VOP_nmsub: d = vget(s, s->f->vd + j); break;
    case VOP_mv_v: return y;
    case VOP_merge: return ir_v3(t, IR_VBSEL, L_I8, mask_lanes(s, s->sew, j), y, x);
    case VOP_id: {
        union vlanes v = { 0 };
        for (unsigned i = 0; i < 16u >> s->sew; i++) v.u8[i << s->sew] = (uint8_t)(j * (16u >> s->sew) + i);
        return kv(t, v);
    }
    default: return 0;
    }
    switch (op) {
    case VOP_macc: return ir_v2(t, IR_VADD, l, d, ir_v2(t, IR_VMUL, l, x, y));
    case VOP_nmsac: return ir_v2(t, IR_VSUB, l, d, ir_v2(t, IR_VMUL, l, x, y));
    case VOP_madd: return ir_v2(t, IR_VADD, l, x, ir_v2(t, IR_VMUL, l, d, y));
    default: return ir_v2(t, IR_VSUB, l, x, ir_v2(t, IR_VMUL, l, d, y));
    }
}

/* -- single-width floating point -------------------------------------------------------------------------------- */
static V one(struct xlat *t, unsigned sew)
{
    return kdup(t, sew, sew == 1 ? 0x3c00 : sew == 2 ? 0x3f800000 : 0x3ff0000000000000);
}
static V neg(struct vi *s, V v)
{
    return ir_vf(s->t, IR_VFNEG, flane(s->sew), 0, v, 0, 0, 0);
}
static V fused(struct vi *s, V a, V b, V c, bool neg_product, bool neg_addend)
{
    return ir_vf(s->t, IR_VFMA, flane(s->sew), RM_DYN, neg_product ? neg(s, a) : a, b, neg_addend ? neg(s, c) : c, 0);
}

static V fp_op(struct vi *s, enum vop op, unsigned j)
{
    struct xlat *t = s->t;
    enum ir_lane l = flane(s->sew);
    V act = active(s, s->sew, j), k1 = act ? one(t, s->sew) : 0;
    V x = blend(s, act, vget(s, s->f->vs2 + j), k1), y = blend(s, act, src1(s, j), k1), d;
    V sign = kdup(t, s->sew, 1ull << ((8u << s->sew) - 1));

    switch (op) {
    case VOP_fadd: return ir_vf(t, IR_VFADD, l, RM_DYN, x, y, 0, 0);
    case VOP_fsub: return ir_vf(t, IR_VFSUB, l, RM_DYN, x, y, 0, 0);
    case VOP_frsub: return ir_vf(t, IR_VFSUB, l, RM_DYN, y, x, 0, 0);
    case VOP_fmul: return ir_vf(t, IR_VFMUL, l, RM_DYN, x, y, 0, 0);
    case VOP_fdiv: return ir_vf(t, IR_VFDIV, l, RM_DYN, x, y, 0, 0);
    case VOP_frdiv: return ir_vf(t, IR_VFDIV, l, RM_DYN, y, x, 0, 0);
    case VOP_fsqrt: return ir_vf(t, IR_VFSQRT, l, RM_DYN, x, 0, 0, 0);
    case VOP_fmin: return ir_vf(t, IR_VFMIN, l, MM_NUM, x, y, 0, 0);
    case VOP_fmax: return ir_vf(t, IR_VFMAX, l, MM_NUM, x, y, 0, 0);
    case VOP_fsgnj: return ir_v3(t, IR_VBSEL, L_I8, sign, y, x);
    case VOP_fsgnjn: return ir_v3(t, IR_VBSEL, L_I8, sign, neg(s, y), x);
    case VOP_fsgnjx: return ir_v2(t, IR_VXOR, L_I8, x, ir_v2(t, IR_VAND, L_I8, y, sign));
    case VOP_fcvt_x_f: return ir_vf(t, IR_VFTOI, l, RM_DYN, x, 0, 0, FTOI_RISCV | FTOI_SIGNED);
    case VOP_fcvt_xu_f: return ir_vf(t, IR_VFTOI, l, RM_DYN, x, 0, 0, FTOI_RISCV);
    case VOP_fcvt_rtz_x_f: return ir_vf(t, IR_VFTOI, l, RM_RTZ, x, 0, 0, FTOI_RISCV | FTOI_SIGNED);
    case VOP_fcvt_rtz_xu_f: return ir_vf(t, IR_VFTOI, l, RM_RTZ, x, 0, 0, FTOI_RISCV);
    case VOP_fcvt_f_x: return ir_vf(t, IR_VITOF, l, RM_DYN, x, 0, 0, 1);
    case VOP_fcvt_f_xu: return ir_vf(t, IR_VITOF, l, RM_DYN, x, 0, 0, 0);
    case VOP_fmacc: case VOP_fnmacc: case VOP_fmsac: case VOP_fnmsac:
    case VOP_fmadd: case VOP_fnmadd: case VOP_fmsub: case VOP_fnmsub: break;
    default: return 0;
    }
    d = blend(s, act, vget(s, s->f->vd + j), k1);
    switch (op) {
    case VOP_fmacc: return fused(s, x, y, d, false, false);
    case VOP_fnmacc: return fused(s, x, y, d, true, true);
    case VOP_fmsac: return fused(s, x, y, d, false, true);
    case VOP_fnmsac: return fused(s, x, y, d, true, false);
    case VOP_fmadd: return fused(s, d, y, x, false, false);
    case VOP_fnmadd: return fused(s, d, y, x, true, true);
    case VOP_fmsub: return fused(s, d, y, x, false, true);
    default: return fused(s, d, y, x, true, false);
    }
}

/* -- masks: bits of the first 64 elements as one I64 ------------------------------------------------------------ */
static V active_bits(struct vi *s, unsigned vlmax)
{
    struct xlat *t = s->t;
    V act = t->mode & MODE_VFULL ? ir_k(t, bits_mask(vlmax)) : ir_subi(t, ir_shl(t, ir_k(t, 1), ir_get(t, R_VL)), 1);
    return s->vm ? act : ir_and(t, act, ir_vget(t, T_I64, L_I64, vget(s, 0), 0));
}
static void put_bits(struct vi *s, V bits, unsigned vlmax)
{
    struct xlat *t = s->t;
    V old = vget(s, s->f->vd), act = active_bits(s, vlmax);
    V keep = ir_and(t, ir_vget(t, T_I64, L_I64, old, 0), ir_not(t, act));
    ir_put(t, R_V0 + s->f->vd, ir_vins(t, L_I64, old, ir_or(t, keep, ir_and(t, bits, act)), 0));
}

static V compare(struct vi *s, enum vop op, unsigned j)
{
    static const int8_t cond[VOP_COUNT] = {
        [VOP_mseq] = C_EQ + 1, [VOP_msne] = C_NE + 1, [VOP_msltu] = C_ULT + 1, [VOP_mslt] = C_SLT + 1, [VOP_msleu] = C_ULE + 1,
        [VOP_msle] = C_SLE + 1, [VOP_msgtu] = C_UGT + 1, [VOP_msgt] = C_SGT + 1,
    };
    struct xlat *t = s->t;
    V x = vget(s, s->f->vs2 + j), y = src1(s, j), act, k1;

    if (cond[op]) return ir_vcmp(t, (enum ir_cond)(cond[op] - 1), ilane(s->sew), x, y);
    if (op < VOP_mfeq || op > VOP_mfge) return 0;
    act = active(s, s->sew, j), k1 = act ? one(t, s->sew) : 0;
    x = blend(s, act, x, k1), y = blend(s, act, y, k1);
    enum ir_lane l = flane(s->sew);
    switch (op) {
    case VOP_mfeq: return ir_vf(t, IR_VFCMP, l, FC_EQ, x, y, 0, 0);
    case VOP_mfne: return ir_v2(t, IR_VXOR, L_I8, ir_vf(t, IR_VFCMP, l, FC_EQ, x, y, 0, 0), ir_kv(t, ~0ull, ~0ull));
    case VOP_mflt: return ir_vf(t, IR_VFCMP, l, FC_LT | FC_SIGNALLING, x, y, 0, 0);
    case VOP_mfle: return ir_vf(t, IR_VFCMP, l, FC_LE | FC_SIGNALLING, x, y, 0, 0);
    case VOP_mfgt: return ir_vf(t, IR_VFCMP, l, FC_LT | FC_SIGNALLING, y, x, 0, 0);
    default: return ir_vf(t, IR_VFCMP, l, FC_LE | FC_SIGNALLING, y, x, 0, 0);
    }
}
static bool compare_group(struct vi *s, enum vop op, unsigned vlmax)
{
    V bits = 0;
    if (vlmax > 64) return false;
    for (unsigned j = 0; j < s->n; j++) {
        V c = compare(s, op, j), m;
        if (!c) return false;
        m = ir_zext(s->t, T_I64, ir_v1(s->t, IR_VMSK, ilane(s->sew), c));
        bits = bits ? ir_or(s->t, bits, ir_shli(s->t, m, j * (16u >> s->sew))) : m;
    }
    put_bits(s, bits, vlmax);
    return true;
}

static bool logic(struct vi *s, enum vop op, unsigned vlmax)
{
    struct xlat *t = s->t;
    V x, y, r;
    if (vlmax > 64) return false;
    x = ir_vget(t, T_I64, L_I64, vget(s, s->f->vs2), 0);
    y = ir_vget(t, T_I64, L_I64, vget(s, s->f->vs1), 0);
    switch (op) {
    case VOP_mand: r = ir_and(t, x, y); break;
    case VOP_mandn: r = ir_and(t, x, ir_not(t, y)); break;
    case VOP_mor: r = ir_or(t, x, y); break;
    case VOP_morn: r = ir_or(t, x, ir_not(t, y)); break;
    case VOP_mxor: r = ir_xor(t, x, y); break;
    case VOP_mnand: r = ir_not(t, ir_and(t, x, y)); break;
    case VOP_mnor: r = ir_not(t, ir_or(t, x, y)); break;
    default: r = ir_not(t, ir_xor(t, x, y)); break;
    }
    put_bits(s, r, vlmax);
    return true;
}

/* vcpop and vfirst: popcnt and ctz of the active bits. */
V riscv_v_mask_bits(struct xlat *t, F *f)
{
    int lmul = v_lmul(t);
    unsigned vlmax = lmul >= 0 ? 16u >> v_sew(t) << lmul : 16u >> v_sew(t) >> -lmul;
    struct vi s = { .t = t, .f = f, .vm = v_unmasked(f) };
    if (!v_fast(t) || vlmax > 64) return 0;
    return ir_and(t, ir_vget(t, T_I64, L_I64, vget(&s, f->vs2), 0), active_bits(&s, vlmax));
}

/* -- widening, narrowing ---------------------------------------------------------------------------------------- */
/* Half h of register v, widened. */
static V widen(struct vi *s, bool is_signed, V v, unsigned h)
{
    return ir_v1x(s->t, is_signed ? IR_VSXTL : IR_VUXTL, ilane(s->sew), v, h);
}
static V wide_op(struct vi *s, enum vop op, unsigned k)
{
    struct xlat *t = s->t;
    enum ir_lane wide = ilane(s->sew + 1);
    bool two = op == VOP_waddu_w || op == VOP_wadd_w || op == VOP_wsubu_w || op == VOP_wsub_w, is_signed;
    V x = vget(s, s->f->vs2 + (two ? k : k / 2)), y = src1(s, k / 2), p;

    switch (op) {
    case VOP_waddu: case VOP_wsubu: case VOP_waddu_w: case VOP_wsubu_w: is_signed = false; break;
    case VOP_wadd: case VOP_wsub: case VOP_wadd_w: case VOP_wsub_w: is_signed = true; break;
    case VOP_wmulu: case VOP_wmul: case VOP_wmaccu: case VOP_wmacc:
        is_signed = op == VOP_wmul || op == VOP_wmacc;
        p = ir_v2x(t, is_signed ? IR_VMULLS : IR_VMULLU, ilane(s->sew), x, y, k & 1, 0);
        return op == VOP_wmul || op == VOP_wmulu ? p : ir_v2(t, IR_VADD, wide, vget(s, s->f->vd + k), p);
    default: return 0;
    }
    if (!two) x = widen(s, is_signed, x, k & 1);
    y = widen(s, is_signed, y, k & 1);
    bool add = op == VOP_waddu || op == VOP_wadd || op == VOP_waddu_w || op == VOP_wadd_w;
    return ir_v2(t, add ? IR_VADD : IR_VSUB, wide, x, y);
}
static V narrow_op(struct vi *s, enum vop op, unsigned j)
{
    struct xlat *t = s->t;
    bool sar = op == VOP_nsra || op == VOP_nclip, clip = op == VOP_nclip || op == VOP_nclipu;
    unsigned halves = v_lmul(t) < 0 ? 1 : 2; /* of a fraction, the upper half is tail */
    V half[2], r, lost[2];

    if (op != VOP_nsrl && op != VOP_nsra && !clip) return 0;
    for (unsigned h = 0; h < halves; h++) {
        V y = s->src == SRC_V ? widen(s, false, src1(s, j), h) : ir_vdup(t, ilane(s->sew + 1), s->scalar);
        V x = vget(s, s->f->vs2 + 2 * j + h);
        if (clip) half[h] = round_shift(s, sar, s->sew + 1, x, y);
        else half[h] = shift(s, sar ? IR_VSARI : IR_VSHRI, sar ? IR_VSAR : IR_VSHR, s->sew + 1, x, y);
        if (!half[h]) return 0;
    }
    if (halves == 1) half[1] = half[0];
    r = ir_v2(t, clip ? sar ? IR_VNARSS : IR_VNARUU : IR_VNARROW, ilane(s->sew), half[0], half[1]);
    if (!clip) return r;
    for (unsigned h = 0; h < 2; h++) lost[h] = ir_vcmp(t, C_NE, ilane(s->sew + 1), widen(s, sar, r, h), half[h]);
    saturated(s, j, ir_v2(t, IR_VNARROW, ilane(s->sew), lost[0], lost[1]));
    return r;
}
/* vzext and vsext from a fraction of 1 / (1 << log). */
static V extend(struct vi *s, bool is_signed, unsigned log, unsigned k)
{
    V v = vget(s, s->f->vs2 + (k >> log));
    for (unsigned i = log; i > 0; i--) {
        unsigned h = k >> (i - 1) & 1;
        v = ir_v1x(s->t, is_signed ? IR_VSXTL : IR_VUXTL, ilane(s->sew - i), v, h);
    }
    return v;
}

/* -- reductions ------------------------------------------------------------------------------------------------- */
static bool reduce(struct vi *s, enum vop op)
{
    struct xlat *t = s->t;
    bool wide = op == VOP_wredsum || op == VOP_wredsumu;
    enum ir_lane l = ilane(s->sew + wide);
    unsigned width = 8u << (s->sew + wide);
    bool is_signed = op == VOP_redmin || op == VOP_redmax;
    enum ir_op lane_op;
    enum ir_vred all;
    uint64_t none;
    V acc = 0, r, first, old = vget(s, s->f->vd);

    switch (op) {
    case VOP_redsum: case VOP_wredsum: case VOP_wredsumu: lane_op = IR_VADD, all = VRED_ADDU, none = 0; break;
    case VOP_redminu: lane_op = IR_VMINU, all = VRED_MINU, none = ~0ull; break;
    case VOP_redmaxu: lane_op = IR_VMAXU, all = VRED_MAXU, none = 0; break;
    case VOP_redmin: lane_op = IR_VMINS, all = VRED_MINS, none = bits_mask(width - 1); break;
    case VOP_redmax: lane_op = IR_VMAXS, all = VRED_MAXS, none = 1ull << (width - 1); break;
    default: return false;
    }
    for (unsigned j = 0; j < s->n; j++) {
        V act = active(s, s->sew, j), x = vget(s, s->f->vs2 + j);
        if (act) x = blend(s, act, x, kdup(t, s->sew, none));
        if (wide) {
            bool sx = op == VOP_wredsum;
            x = ir_v2(t, IR_VADD, l, widen(s, sx, x, 0), widen(s, sx, x, 1));
        }
        acc = acc ? ir_v2(t, lane_op, l, acc, x) : x;
    }
    r = ir_vred(t, T_I64, l, all, acc);
    first = ir_vget(t, T_I64, l, vget(s, s->f->vs1), 0);
    if (width < 64) first = is_signed ? ir_sbfx(t, first, 0, width) : first;
    if (lane_op == IR_VADD) {
        r = ir_add(t, r, first);
    } else {
        enum ir_cond c = op == VOP_redminu ? C_ULT : op == VOP_redmaxu ? C_UGT : op == VOP_redmin ? C_SLT : C_SGT;
        r = ir_select(t, ir_cmp(t, c, r, first), r, first);
    }
    r = ir_vins(t, l, old, r, 0);
    if (!(t->mode & MODE_VFULL)) r = ir_select(t, ir_cmpi(t, C_EQ, ir_get(t, R_VL), 0), old, r);
    ir_put(t, R_V0 + s->f->vd, r);
    return true;
}
/* In element order, for whole groups of a few elements. */
static bool freduce(struct vi *s, enum vop op)
{
    struct xlat *t = s->t;
    unsigned lanes = 16u >> s->sew;
    enum ir_type ft = s->sew == 2 ? T_F32 : T_F64;
    V r;

    if (!s->whole || !s->vm || s->sew < 2 || lanes * s->n > 16) return false;
    r = ir_vget(t, ft, flane(s->sew), vget(s, s->f->vs1), 0);
    for (unsigned j = 0; j < s->n; j++)
        for (unsigned i = 0; i < lanes; i++) {
            V x = ir_vget(t, ft, flane(s->sew), vget(s, s->f->vs2 + j), i);
            if (op == VOP_fredosum || op == VOP_fredusum) r = ir_fop2(t, IR_FADD, r, x, RM_DYN);
            else r = ir_fminmax(t, op == VOP_fredmin ? IR_FMIN : IR_FMAX, r, x, MM_NUM);
        }
    r = ir_bitcast(t, s->sew == 2 ? T_I32 : T_I64, r);
    ir_put(t, R_V0 + s->f->vd, ir_vins(t, ilane(s->sew), vget(s, s->f->vd), r, 0));
    return true;
}

/* -- slides by a constant, or by one ---------------------------------------------------------------------------- */
static bool slide(struct vi *s, enum vop op)
{
    struct xlat *t = s->t;
    unsigned esize = 1u << s->sew, off;
    V r[8], zero = ir_kv(t, 0, 0), fill;

    if ((op == VOP_slide1down || op == VOP_slide1up) && !s->whole) return false;
    if (op == VOP_slidedown) {
        if (!ir_is_k(t, s->scalar)) return false;
        off = ir_kval(t, s->scalar) >= 128 ? 128 : (unsigned)ir_kval(t, s->scalar) * esize;
        if (v_lmul(t) < 0) return false; /* elements past VLMAX read as zero, and are in the register */
    } else {
        off = esize;
    }
    fill = op == VOP_slidedown ? zero : ir_vdup(t, ilane(s->sew), s->scalar);
    for (unsigned j = 0; j < s->n; j++) {
        if (op == VOP_slide1up) {
            r[j] = ir_v2x(t, IR_VALIGN, L_I8, j ? vget(s, s->f->vs2 + j - 1) : fill, vget(s, s->f->vs2 + j), 16 - esize, 0);
            continue;
        }
        unsigned at = j + off / 16;
        V lo = at < s->n ? vget(s, s->f->vs2 + at) : fill, hi = at + 1 < s->n ? vget(s, s->f->vs2 + at + 1) : fill;
        r[j] = ir_v2x(t, IR_VALIGN, L_I8, lo, hi, off % 16, 0);
    }
    put(s, s->f->vd, s->sew, r, s->n);
    return true;
}

/* -- dispatch --------------------------------------------------------------------------------------------------- */
static bool each(struct vi *s, V (*one_reg)(struct vi *, enum vop, unsigned), enum vop op, unsigned dsew, unsigned n)
{
    V r[8];
    for (unsigned j = 0; j < n; j++)
        if (!(r[j] = one_reg(s, op, j))) return false;
    put(s, s->f->vd, dsew, r, n);
    return true;
}

bool riscv_v_inline(struct xlat *t, F *f, enum vop op, enum vshape shape, enum vsrc src, V scalar)
{
    int lmul = v_lmul(t);
    unsigned sew = v_sew(t), vlmax = lmul >= 0 ? 16u >> sew << lmul : 16u >> sew >> -lmul;
    struct vi s = { .t = t, .f = f, .sew = sew, .n = lmul > 0 ? 1u << lmul : 1, .vm = v_unmasked(f) || op == VOP_merge,
                    .vlmax = vlmax, .full = t->mode & MODE_VFULL, .whole = t->mode & MODE_VFULL && lmul >= 0, .src = src, .scalar = scalar };
    V r[8];

    switch (shape) {
    case SH_SAME:
    case SH_UP:
        if (op == VOP_slidedown || op == VOP_slide1down || op == VOP_slide1up) return slide(&s, op);
        if (op >= VOP_fadd && op <= VOP_fsgnjx) return each(&s, fp_op, op, sew, s.n);
        return each(&s, int_op, op, sew, s.n) || (sew && each(&s, fp_op, op, sew, s.n));
    case SH_MASK: return compare_group(&s, op, vlmax);
    case SH_LOGIC: return logic(&s, op, vlmax);
    case SH_WIDE:
    case SH_WIDE2: return each(&s, wide_op, op, sew + 1, lmul >= 0 ? 2 * s.n : 1);
    case SH_NARROW: return each(&s, narrow_op, op, sew, s.n);
    case SH_EXT2:
    case SH_EXT4:
    case SH_EXT8:
        for (unsigned j = 0; j < s.n; j++)
            r[j] = extend(&s, op == VOP_sext_vf2 || op == VOP_sext_vf4 || op == VOP_sext_vf8, shape - SH_EXT2 + 1, j);
        put(&s, f->vd, sew, r, s.n);
        return true;
    case SH_WREDUCE: return reduce(&s, op);
    case SH_REDUCE: return op >= VOP_fredusum && op <= VOP_fredmax ? freduce(&s, op) : reduce(&s, op);
    default: return false;
    }
}
