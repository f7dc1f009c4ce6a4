/*
 * eval_vec.c: the vector half of ir_eval: what each pure V* operation of ops.def computes.
 *
 * LANES(expr) evaluates expr once per lane of kind sub with x, y, z the lanes of a, b, c as unsigned numbers (type U) and
 * sx, sy signed (type S); UW, SW are the types of twice the width, w is the width. The value of expr is stored, cut to
 * the lane, into r.
 * AES: FIPS 197, 5.1 and 5.3; SubBytes tables computed from the definition in 5.1.1.
 */
#include "ir/eval.h"

/* log2 of a lane's bytes */
static const uint8_t lane_log[] = { 0, 1, 2, 3, 1, 2, 3 };

#define LANE_LOOP(lg, U_, S_, UW_, SW_, mu, ms, expr)                              \
    {                                                                              \
        typedef U_ U UNUSED;                                                       \
        typedef S_ S UNUSED;                                                       \
        typedef UW_ UW UNUSED;                                                     \
        typedef SW_ SW UNUSED;                                                     \
        enum { w = 8 << lg };                                                      \
        for (unsigned i = 0; i < 16u >> lg; i++) {                                 \
            U x UNUSED = va.mu[i], y UNUSED = vb.mu[i], z UNUSED = vc.mu[i];       \
            S sx UNUSED = va.ms[i], sy UNUSED = vb.ms[i];                          \
            r.mu[i] = (U)(expr);                                                   \
        }                                                                          \
        break;                                                                     \
    }
#define LANES(expr)                                                                \
    do {                                                                           \
        switch (lg) {                                                              \
        case 0: LANE_LOOP(0, uint8_t, int8_t, uint16_t, int16_t, u8, s8, expr)     \
        case 1: LANE_LOOP(1, uint16_t, int16_t, uint32_t, int32_t, u16, s16, expr) \
        case 2: LANE_LOOP(2, uint32_t, int32_t, uint64_t, int64_t, u32, s32, expr) \
        case 3: LANE_LOOP(3, uint64_t, int64_t, u128, s128, u64, s64, expr)        \
        }                                                                          \
    } while (0)
#define S_MAX  ((SW)((U)~(U)0 >> 1))
#define S_MIN  (-S_MAX - 1)
#define U_MAX  ((UW)(U)~(U)0)
#define CLAMP(v, lo, hi) ((v) < (lo) ? (lo) : (v) > (hi) ? (hi) : (v))
/* all ones if the condition holds */
#define MASK(cond) (-(S)(cond))

static uint64_t lane_get(const union vlanes *v, unsigned lg, unsigned i)
{
    switch (lg) {
    case 0: return v->u8[i & 15];
    case 1: return v->u16[i & 7];
    case 2: return v->u32[i & 3];
    default: return v->u64[i & 1];
    }
}

static int64_t lane_get_s(const union vlanes *v, unsigned lg, unsigned i)
{
    return bits_sext(lane_get(v, lg, i), 8u << lg);
}

static void lane_set(union vlanes *v, unsigned lg, unsigned i, uint64_t k)
{
    switch (lg) {
    case 0: v->u8[i & 15] = (uint8_t)k; break;
    case 1: v->u16[i & 7] = (uint16_t)k; break;
    case 2: v->u32[i & 3] = (uint32_t)k; break;
    default: v->u64[i & 1] = k; break;
    }
}

static union vlanes compare(enum ir_cond cond, unsigned lg, union vlanes va, union vlanes vb)
{
    union vlanes vc = { 0 }, r = { 0 };

    switch (cond) {
    case C_EQ: LANES(MASK(x == y)); break;
    case C_NE: LANES(MASK(x != y)); break;
    case C_SLT: LANES(MASK(sx < sy)); break;
    case C_SGE: LANES(MASK(sx >= sy)); break;
    case C_SLE: LANES(MASK(sx <= sy)); break;
    case C_SGT: LANES(MASK(sx > sy)); break;
    case C_ULT: LANES(MASK(x < y)); break;
    case C_UGE: LANES(MASK(x >= y)); break;
    case C_ULE: LANES(MASK(x <= y)); break;
    case C_UGT: LANES(MASK(x > y)); break;
    }
    return r;
}

/* Operations whose result lane depends on the operands' lanes of the same number only. */
static bool lanewise(const struct ir_ins *ins, union vlanes va, union vlanes vb, union vlanes vc, union vlanes *res)
{
    const unsigned lg = lane_log[ins->sub], k = ins->x;
    union vlanes r = { 0 };

    switch (ins->op) {
    case IR_VADD: LANES(x + y); break;
    case IR_VSUB: LANES(x - y); break;
    case IR_VMUL: LANES((UW)x * y); break;
    case IR_VMULHS: LANES((SW)sx * sy >> w); break;
    case IR_VMULHU: LANES((UW)x * y >> w); break;
    case IR_VABS: LANES(sx < 0 ? (U)(0 - x) : x); break;
    case IR_VMINS: LANES(sx < sy ? x : y); break;
    case IR_VMINU: LANES(x < y ? x : y); break;
    case IR_VMAXS: LANES(sx > sy ? x : y); break;
    case IR_VMAXU: LANES(x > y ? x : y); break;
    case IR_VAVGU: LANES(((UW)x + y + 1) >> 1); break;
    case IR_VADDSS: LANES(CLAMP((SW)sx + sy, S_MIN, S_MAX)); break;
    case IR_VADDUS: LANES((U)(x + y) < x ? U_MAX : (U)(x + y)); break;
    case IR_VSUBSS: LANES(CLAMP((SW)sx - sy, S_MIN, S_MAX)); break;
    case IR_VSUBUS: LANES(x > y ? x - y : 0); break;
    case IR_VSHLI: LANES(k < w ? (UW)x << k : 0); break;
    case IR_VSHRI: LANES(k < w ? x >> k : 0); break;
    case IR_VSARI: LANES(sx >> (k < w ? k : w - 1)); break;
    case IR_VSHL: LANES(y < w ? (UW)x << y : 0); break;
    case IR_VSHR: LANES(y < w ? x >> y : 0); break;
    case IR_VSAR: LANES(sx >> (y < w ? y : w - 1)); break;
    case IR_VCMP: r = compare(ins->mo, lg, va, vb); break;
    case IR_VPOPCNT: LANES(__builtin_popcountll(x)); break;
    case IR_VCLZ: LANES(x ? __builtin_clzll(x) - (64 - w) : w); break;
    case IR_VFNEG: LANES(x ^ (U)1 << (w - 1)); break;
    case IR_VFABS: LANES(x & (U)~(U)0 >> 1); break;
    default: return false;
    }
    *res = r;
    return true;
}

/* Operations on the 128 bits as a whole. */
static bool bitwise(const struct ir_ins *ins, union vlanes a, union vlanes b, union vlanes c, union vlanes *res)
{
    union vlanes r = { 0 };

    switch (ins->op) {
    case IR_VAND: r.v = a.v & b.v; break;
    case IR_VOR: r.v = a.v | b.v; break;
    case IR_VXOR: r.v = a.v ^ b.v; break;
    case IR_VANDN: r.v = a.v & ~b.v; break;
    case IR_VBSEL: r.v = (b.v & a.v) | (c.v & ~a.v); break;
    case IR_VFROM: r.u64[0] = a.u64[0]; break;
    case IR_VZEXT: r.u64[0] = a.u64[0] & bits_mask(8 * ins->x); break;
    case IR_VALIGN:
        for (unsigned i = 0; i < 16; i++)
            r.u8[i] = i + ins->x < 16 ? a.u8[i + ins->x] : b.u8[(i + ins->x) & 15];
        break;
    case IR_VTBL:
        for (unsigned i = 0; i < 16; i++)
            r.u8[i] = b.u8[i] < 16 ? a.u8[b.u8[i]] : 0;
        break;
    case IR_VBITREV:
        for (unsigned i = 0; i < 2; i++) {
            uint64_t x = a.u64[i];
            x = (x & 0x5555555555555555) << 1 | (x >> 1 & 0x5555555555555555);
            x = (x & 0x3333333333333333) << 2 | (x >> 2 & 0x3333333333333333);
            r.u64[i] = (x & 0x0f0f0f0f0f0f0f0f) << 4 | (x >> 4 & 0x0f0f0f0f0f0f0f0f);
        }
        break;
    case IR_VCLMUL: r.u128 = ir_clmul64(a.u64[ins->x & 1], b.u64[ins->y & 1]); break;
    default: return false;
    }
    *res = r;
    return true;
}

/* A saturating or cutting conversion of one lane to half its width n. */
static uint64_t narrow(unsigned op, unsigned n, uint64_t u, int64_t s)
{
    const int64_t smax = (int64_t)bits_mask(n - 1), umax = (int64_t)bits_mask(n);

    switch (op) {
    case IR_VNARSS: return (uint64_t)CLAMP(s, -smax - 1, smax);
    case IR_VNARSU: return (uint64_t)CLAMP(s, 0, umax);
    case IR_VNARUU: return MIN(u, (uint64_t)umax);
    default: return u;
    }
}

/* Operations that move data between lanes or change the lane width. */
static bool crosswise(const struct ir_ins *ins, const union vlanes *a, const union vlanes *b, const union vlanes *c,
                      union vlanes *res)
{
    const unsigned lg = lane_log[ins->sub], n = 16u >> lg, half = ins->x ? n / 2 : 0;
    const unsigned op = ins->op;
    union vlanes r = { 0 };

    switch (op) {
    case IR_VDUP:
        for (unsigned i = 0; i < n; i++)
            lane_set(&r, lg, i, a->u64[0]);
        break;
    case IR_VINS:
        r = *a;
        lane_set(&r, lg, ins->x, b->u64[0]);
        break;
    case IR_VINSV:
        r = *a;
        lane_set(&r, lg, ins->x, lane_get(b, lg, ins->y));
        break;
    case IR_VMULLS:
        for (unsigned i = 0; i < n / 2; i++)
            lane_set(&r, lg + 1, i, (uint64_t)(lane_get_s(a, lg, half + i) * lane_get_s(b, lg, half + i)));
        break;
    case IR_VMULLU:
        for (unsigned i = 0; i < n / 2; i++)
            lane_set(&r, lg + 1, i, lane_get(a, lg, half + i) * lane_get(b, lg, half + i));
        break;
    case IR_VSXTL:
        for (unsigned i = 0; i < n / 2; i++)
            lane_set(&r, lg + 1, i, (uint64_t)lane_get_s(a, lg, half + i));
        break;
    case IR_VUXTL:
        for (unsigned i = 0; i < n / 2; i++)
            lane_set(&r, lg + 1, i, lane_get(a, lg, half + i));
        break;
    case IR_VNARROW:
    case IR_VNARSS:
    case IR_VNARSU:
    case IR_VNARUU:
        for (unsigned i = 0; i < n; i++) {
            const union vlanes *s = i < n / 2 ? a : b;
            lane_set(&r, lg, i, narrow(op, 8u << lg, lane_get(s, lg + 1, i % (n / 2)), lane_get_s(s, lg + 1, i % (n / 2))));
        }
        break;
    case IR_VPADD:
    case IR_VUZP1:
    case IR_VUZP2:
        for (unsigned i = 0; i < n; i++) {
            const union vlanes *s = i < n / 2 ? a : b;
            uint64_t even = lane_get(s, lg, 2 * i % n), odd = lane_get(s, lg, 2 * i % n + 1);
            lane_set(&r, lg, i, op == IR_VUZP1 ? even : op == IR_VUZP2 ? odd : even + odd);
        }
        break;
    case IR_VZIP1:
    case IR_VZIP2:
    case IR_VTRN1:
    case IR_VTRN2:
        for (unsigned i = 0; i < n; i++) {
            unsigned from = op == IR_VZIP1 ? i / 2 : op == IR_VZIP2 ? n / 2 + i / 2 : (i & ~1u) + (op == IR_VTRN2);
            lane_set(&r, lg, i, lane_get(i & 1 ? b : a, lg, from));
        }
        break;
    case IR_VDOTSS:
    case IR_VDOTUU:
    case IR_VDOTUS:
        for (unsigned i = 0; i < 16; i++)
            r.u32[i / 4] += (uint32_t)((op == IR_VDOTSS ? b->s8[i] : b->u8[i]) * (op == IR_VDOTUU ? c->u8[i] : c->s8[i]));
        for (unsigned i = 0; i < 4; i++)
            r.u32[i] += a->u32[i];
        break;
    default: return false;
    }
    *res = r;
    return true;
}

/* VGET, VMSK, VRED: a scalar result. */
static bool to_scalar(const struct ir_ins *ins, const union vlanes *a, union vlanes *res)
{
    const unsigned lg = lane_log[ins->sub], n = 16u >> lg;
    uint64_t r = 0;

    switch (ins->op) {
    case IR_VGET: r = lane_get(a, lg, ins->x); break;
    case IR_VMSK:
        for (unsigned i = 0; i < n; i++)
            r |= (uint64_t)(lane_get_s(a, lg, i) < 0) << i;
        break;
    case IR_VRED: {
        bool uns = ins->mo == VRED_ADDU || ins->mo == VRED_MINU || ins->mo == VRED_MAXU;
        for (unsigned i = 0; i < n; i++) {
            uint64_t x = uns ? lane_get(a, lg, i) : (uint64_t)lane_get_s(a, lg, i);
            switch (ins->mo) {
            case VRED_MINU: r = i && r < x ? r : x; break;
            case VRED_MAXU: r = i && r > x ? r : x; break;
            case VRED_MINS: r = i && (int64_t)r < (int64_t)x ? r : x; break;
            case VRED_MAXS: r = i && (int64_t)r > (int64_t)x ? r : x; break;
            default: r += x; break;
            }
        }
        break;
    }
    default: return false;
    }
    res->u64[0] = r & bits_mask(ir_type_bits[ins->type]);
    res->u64[1] = 0;
    return true;
}

/* -- AES ------------------------------------------------------------------------------------------------------- */
static const uint8_t aes_sbox[256] = {
    0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76,
    0xca, 0x82, 0xc9, 0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0,
    0xb7, 0xfd, 0x93, 0x26, 0x36, 0x3f, 0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15,
    0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96, 0x05, 0x9a, 0x07, 0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75,
    0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0, 0x52, 0x3b, 0xd6, 0xb3, 0x29, 0xe3, 0x2f, 0x84,
    0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb, 0xbe, 0x39, 0x4a, 0x4c, 0x58, 0xcf,
    0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f, 0x50, 0x3c, 0x9f, 0xa8,
    0x51, 0xa3, 0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff, 0xf3, 0xd2,
    0xcd, 0x0c, 0x13, 0xec, 0x5f, 0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73,
    0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88, 0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb,
    0xe0, 0x32, 0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac, 0x62, 0x91, 0x95, 0xe4, 0x79,
    0xe7, 0xc8, 0x37, 0x6d, 0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a, 0xae, 0x08,
    0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6, 0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a,
    0x70, 0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e, 0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e,
    0xe1, 0xf8, 0x98, 0x11, 0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e, 0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf,
    0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42, 0x68, 0x41, 0x99, 0x2d, 0x0f, 0xb0, 0x54, 0xbb, 0x16,
};
static const uint8_t aes_inv_sbox[256] = {
    0x52, 0x09, 0x6a, 0xd5, 0x30, 0x36, 0xa5, 0x38, 0xbf, 0x40, 0xa3, 0x9e, 0x81, 0xf3, 0xd7, 0xfb,
    0x7c, 0xe3, 0x39, 0x82, 0x9b, 0x2f, 0xff, 0x87, 0x34, 0x8e, 0x43, 0x44, 0xc4, 0xde, 0xe9, 0xcb,
    0x54, 0x7b, 0x94, 0x32, 0xa6, 0xc2, 0x23, 0x3d, 0xee, 0x4c, 0x95, 0x0b, 0x42, 0xfa, 0xc3, 0x4e,
    0x08, 0x2e, 0xa1, 0x66, 0x28, 0xd9, 0x24, 0xb2, 0x76, 0x5b, 0xa2, 0x49, 0x6d, 0x8b, 0xd1, 0x25,
    0x72, 0xf8, 0xf6, 0x64, 0x86, 0x68, 0x98, 0x16, 0xd4, 0xa4, 0x5c, 0xcc, 0x5d, 0x65, 0xb6, 0x92,
    0x6c, 0x70, 0x48, 0x50, 0xfd, 0xed, 0xb9, 0xda, 0x5e, 0x15, 0x46, 0x57, 0xa7, 0x8d, 0x9d, 0x84,
    0x90, 0xd8, 0xab, 0x00, 0x8c, 0xbc, 0xd3, 0x0a, 0xf7, 0xe4, 0x58, 0x05, 0xb8, 0xb3, 0x45, 0x06,
    0xd0, 0x2c, 0x1e, 0x8f, 0xca, 0x3f, 0x0f, 0x02, 0xc1, 0xaf, 0xbd, 0x03, 0x01, 0x13, 0x8a, 0x6b,
    0x3a, 0x91, 0x11, 0x41, 0x4f, 0x67, 0xdc, 0xea, 0x97, 0xf2, 0xcf, 0xce, 0xf0, 0xb4, 0xe6, 0x73,
    0x96, 0xac, 0x74, 0x22, 0xe7, 0xad, 0x35, 0x85, 0xe2, 0xf9, 0x37, 0xe8, 0x1c, 0x75, 0xdf, 0x6e,
    0x47, 0xf1, 0x1a, 0x71, 0x1d, 0x29, 0xc5, 0x89, 0x6f, 0xb7, 0x62, 0x0e, 0xaa, 0x18, 0xbe, 0x1b,
    0xfc, 0x56, 0x3e, 0x4b, 0xc6, 0xd2, 0x79, 0x20, 0x9a, 0xdb, 0xc0, 0xfe, 0x78, 0xcd, 0x5a, 0xf4,
    0x1f, 0xdd, 0xa8, 0x33, 0x88, 0x07, 0xc7, 0x31, 0xb1, 0x12, 0x10, 0x59, 0x27, 0x80, 0xec, 0x5f,
    0x60, 0x51, 0x7f, 0xa9, 0x19, 0xb5, 0x4a, 0x0d, 0x2d, 0xe5, 0x7a, 0x9f, 0x93, 0xc9, 0x9c, 0xef,
    0xa0, 0xe0, 0x3b, 0x4d, 0xae, 0x2a, 0xf5, 0xb0, 0xc8, 0xeb, 0xbb, 0x3c, 0x83, 0x53, 0x99, 0x61,
    0x17, 0x2b, 0x04, 0x7e, 0xba, 0x77, 0xd6, 0x26, 0xe1, 0x69, 0x14, 0x63, 0x55, 0x21, 0x0c, 0x7d,
};

static uint8_t gf_mul(uint8_t x, unsigned k)
{
    unsigned r = 0, p = x;

    for (; k; k >>= 1) {
        if (k & 1)
            r ^= p;
        p = p << 1 ^ (p & 0x80 ? 0x11b : 0);
    }
    return (uint8_t)r;
}

/* SubBytes and ShiftRows; row i % 4 of a column moves by that many columns, left for encryption. */
static union vlanes aes_sub_shift(union vlanes s, const uint8_t *sbox, unsigned step)
{
    union vlanes r;

    for (unsigned i = 0; i < 16; i++)
        r.u8[i] = sbox[s.u8[(i + (i & 3) * step) & 15]];
    return r;
}

/* Each column times a circulant matrix whose first row is k[0..3]. */
static union vlanes aes_mix(union vlanes s, const uint8_t k[4])
{
    union vlanes r;

    for (unsigned i = 0; i < 16; i++) {
        uint8_t x = 0;
        for (unsigned j = 0; j < 4; j++)
            x ^= gf_mul(s.u8[(i & ~3u) + ((i + j) & 3)], k[j]);
        r.u8[i] = x;
    }
    return r;
}

static bool aes(unsigned op, union vlanes a, union vlanes b, union vlanes *res)
{
    static const uint8_t mix[4] = { 2, 3, 1, 1 }, inv_mix[4] = { 14, 11, 13, 9 };
    union vlanes x = { .v = a.v ^ b.v };

    switch (op) {
    case IR_VAESE: *res = aes_sub_shift(x, aes_sbox, 4); return true;
    case IR_VAESD: *res = aes_sub_shift(x, aes_inv_sbox, 12); return true;
    case IR_VAESMC: *res = aes_mix(a, mix); return true;
    case IR_VAESIMC: *res = aes_mix(a, inv_mix); return true;
    default: return false;
    }
}

bool ir_eval_vec(const struct ir_ins *ins, enum ir_type type_a, const union vlanes *a, const union vlanes *b,
                 const union vlanes *c, union vlanes *res)
{
    static const union vlanes zero;

    a = a ? a : &zero, b = b ? b : &zero, c = c ? c : &zero;
    if (ins->sub >= ARRAY_LEN(lane_log))
        return false;
    return lanewise(ins, *a, *b, *c, res) || bitwise(ins, *a, *b, *c, res) || crosswise(ins, a, b, c, res) ||
           to_scalar(ins, a, res) || aes(ins->op, *a, *b, res);
}
