/*
 * vop_int.c: element loops of the V extension's integer and fixed-point instructions (volume I, chapter 30.11, 30.12),
 * one function per operation for every SEW. They run when there is no inline code (vinline.c): masks with unusual
 * shapes, widening, narrowing, saturation, VLEN other than 128. Tail and inactive elements are left undisturbed, which
 * every policy allows.
 */
#include "vector.h"

/* Runs `stmt` per active element with U, S (element types), W, SW (twice as wide), N (bits); x = vs2, y = vs1 or scalar. */
#define BODY(u, s, w, sw, n, D, A, stmt) { \
        typedef u U UNUSED; typedef s S UNUSED; typedef w W UNUSED; typedef sw SW UNUSED; \
        enum { N UNUSED = n }; \
        D *d UNUSED = (D *)c->d; const A *a = (const A *)c->a; const U *b = (const U *)c->b; \
        EACH(i) { A x UNUSED = a[i]; U y UNUSED = b[i * c->bs]; stmt; } \
    } break;
#define B8(D, A, stmt)  BODY(uint8_t, int8_t, uint16_t, int16_t, 8, D, A, stmt)
#define B16(D, A, stmt) BODY(uint16_t, int16_t, uint32_t, int32_t, 16, D, A, stmt)
#define B32(D, A, stmt) BODY(uint32_t, int32_t, uint64_t, int64_t, 32, D, A, stmt)
#define B64(D, A, stmt) BODY(uint64_t, int64_t, u128, s128, 64, D, A, stmt)

#define OP(name, stmt) \
    void riscv_vop_##name(struct vx *c) \
    { \
        switch (c->sew) { \
        case 0: B8(uint8_t, uint8_t, stmt) \
        case 1: B16(uint16_t, uint16_t, stmt) \
        case 2: B32(uint32_t, uint32_t, stmt) \
        default: B64(uint64_t, uint64_t, stmt) \
        } \
    }
/* Destination and, for WIDE2, the first source twice as wide; NARROW: the first source only. SEW 64 was refused. */
#define WIDE(name, stmt) \
    void riscv_vop_##name(struct vx *c) \
    { \
        switch (c->sew) { \
        case 0: B8(uint16_t, uint8_t, stmt) \
        case 1: B16(uint32_t, uint16_t, stmt) \
        default: B32(uint64_t, uint32_t, stmt) \
        } \
    }
#define WIDE2(name, stmt) \
    void riscv_vop_##name(struct vx *c) \
    { \
        switch (c->sew) { \
        case 0: B8(uint16_t, uint16_t, stmt) \
        case 1: B16(uint32_t, uint32_t, stmt) \
        default: B32(uint64_t, uint64_t, stmt) \
        } \
    }
#define NARROW(name, stmt) \
    void riscv_vop_##name(struct vx *c) \
    { \
        switch (c->sew) { \
        case 0: B8(uint8_t, uint16_t, stmt) \
        case 1: B16(uint16_t, uint32_t, stmt) \
        default: B32(uint32_t, uint64_t, stmt) \
        } \
    }

/* -- add, logic, compare, shift --------------------------------------------------------------------------------- */
OP(add, d[i] = (U)(x + y))
OP(sub, d[i] = (U)(x - y))
OP(rsub, d[i] = (U)(y - x))
OP(and, d[i] = x & y)
OP(or, d[i] = x | y)
OP(xor, d[i] = x ^ y)
OP(minu, d[i] = MIN(x, y))
OP(maxu, d[i] = MAX(x, y))
OP(min, d[i] = (U)MIN((S)x, (S)y))
OP(max, d[i] = (U)MAX((S)x, (S)y))
OP(sll, d[i] = (U)(x << (y & (N - 1))))
OP(srl, d[i] = (U)(x >> (y & (N - 1))))
OP(sra, d[i] = (U)((S)x >> (y & (N - 1))))
NARROW(nsrl, d[i] = (U)(x >> (y & (2 * N - 1))))
NARROW(nsra, d[i] = (U)((SW)x >> (y & (2 * N - 1))))
OP(mseq, mask_set(c->d, i, x == y))
OP(msne, mask_set(c->d, i, x != y))
OP(msltu, mask_set(c->d, i, x < y))
OP(mslt, mask_set(c->d, i, (S)x < (S)y))
OP(msleu, mask_set(c->d, i, x <= y))
OP(msle, mask_set(c->d, i, (S)x <= (S)y))
OP(msgtu, mask_set(c->d, i, x > y))
OP(msgt, mask_set(c->d, i, (S)x > (S)y))
/* v0 is a carry here and vm is set by the caller. */
#define CARRY mask_bit(c->v0, i)
OP(adc, d[i] = (U)(x + y + CARRY))
OP(sbc, d[i] = (U)(x - y - CARRY))
OP(madc, mask_set(c->d, i, (U)(x + y) < x))
OP(msbc, mask_set(c->d, i, x < y))
OP(madc_c, mask_set(c->d, i, (W)((W)x + y + CARRY) >> N))
OP(msbc_c, mask_set(c->d, i, x < (W)((W)y + CARRY)))
OP(merge, d[i] = CARRY ? y : x)
OP(mv_v, d[i] = y)

/* -- multiply, divide ------------------------------------------------------------------------------------------- */
OP(mul, d[i] = (U)((W)x * y))
OP(mulhu, d[i] = (U)((W)((W)x * y) >> N))
OP(mulh, d[i] = (U)((W)((SW)(S)x * (SW)(S)y) >> N))
OP(mulhsu, d[i] = (U)((W)((SW)(S)x * (SW)y) >> N))
OP(divu, d[i] = y ? (U)(x / y) : (U)~(U)0)
OP(remu, d[i] = y ? (U)(x % y) : x)
OP(div, d[i] = !y ? (U)~(U)0 : (S)y == -1 ? (U)-x : (U)((S)x / (S)y))
OP(rem, d[i] = !y ? x : (S)y == -1 ? 0 : (U)((S)x % (S)y))
OP(macc, d[i] = (U)(d[i] + (W)x * y))
OP(nmsac, d[i] = (U)(d[i] - (W)x * y))
OP(madd, d[i] = (U)((W)d[i] * y + x))
OP(nmsub, d[i] = (U)(x - (W)d[i] * y))

/* -- widening --------------------------------------------------------------------------------------------------- */
WIDE(waddu, d[i] = (W)((W)x + y))
WIDE(wadd, d[i] = (W)((SW)(S)x + (S)y))
WIDE(wsubu, d[i] = (W)((W)x - y))
WIDE(wsub, d[i] = (W)((SW)(S)x - (S)y))
WIDE2(waddu_w, d[i] = (W)(x + y))
WIDE2(wadd_w, d[i] = (W)(x + (W)(SW)(S)y))
WIDE2(wsubu_w, d[i] = (W)(x - y))
WIDE2(wsub_w, d[i] = (W)(x - (W)(SW)(S)y))
WIDE(wmulu, d[i] = (W)((W)x * y))
WIDE(wmul, d[i] = (W)((SW)(S)x * (SW)(S)y))
WIDE(wmulsu, d[i] = (W)((W)(SW)(S)x * (W)y))
WIDE(wmaccu, d[i] = (W)(d[i] + (W)x * y))
WIDE(wmacc, d[i] = (W)(d[i] + (W)((SW)(S)x * (SW)(S)y)))
WIDE(wmaccsu, d[i] = (W)(d[i] + (W)(SW)(S)y * (W)x))
WIDE(wmaccus, d[i] = (W)(d[i] + (W)(SW)(S)x * (W)y))

/* Extension from a fraction of SEW. */
#define EXT(name, T16, T32, T64) \
    void riscv_vop_##name(struct vx *c) \
    { \
        EACH(i) { \
            if (c->sew == 1) ((uint16_t *)c->d)[i] = (uint16_t)((const T16 *)c->a)[i]; \
            else if (c->sew == 2) ((uint32_t *)c->d)[i] = (uint32_t)((const T32 *)c->a)[i]; \
            else ((uint64_t *)c->d)[i] = (uint64_t)((const T64 *)c->a)[i]; \
        } \
    }
EXT(zext_vf2, uint8_t, uint16_t, uint32_t)
EXT(sext_vf2, int8_t, int16_t, int32_t)
EXT(zext_vf4, uint8_t, uint8_t, uint16_t)
EXT(sext_vf4, int8_t, int8_t, int16_t)
EXT(zext_vf8, uint8_t, uint8_t, uint8_t)
EXT(sext_vf8, int8_t, int8_t, int8_t)

/* -- fixed point ------------------------------------------------------------------------------------------------ */
/* What rounding adds to v >> n, by vxrm: to nearest up, to nearest even, down, to odd. */
static inline unsigned round_bit(const struct vx *c, u128 v, unsigned n)
{
    bool half, rest, odd;
    if (!n) return 0;
    half = v >> (n - 1) & 1;
    rest = v & (((u128)1 << (n - 1)) - 1);
    odd = v >> n & 1;
    switch (c->r->vxrm & 3) {
    case 0: return half;
    case 1: return half && (rest || odd);
    case 2: return 0;
    default: return !odd && (half || rest);
    }
}
#define SAT(cond) ((cond) ? (c->r->vxsat = 1, true) : false)
#define SMAX ((S)((U)~(U)0 >> 1))
#define SMIN ((S)~SMAX)

OP(saddu, U r = (U)(x + y); d[i] = SAT(r < x) ? (U)~(U)0 : r)
OP(ssubu, d[i] = SAT(x < y) ? 0 : (U)(x - y))
OP(sadd, S r; d[i] = (U)(SAT(__builtin_add_overflow((S)x, (S)y, &r)) ? ((S)x < 0 ? SMIN : SMAX) : r))
OP(ssub, S r; d[i] = (U)(SAT(__builtin_sub_overflow((S)x, (S)y, &r)) ? ((S)x < 0 ? SMIN : SMAX) : r))
OP(aaddu, u128 r = (u128)x + y; d[i] = (U)((r >> 1) + round_bit(c, r, 1)))
OP(aadd, s128 r = (s128)(S)x + (S)y; d[i] = (U)((r >> 1) + round_bit(c, (u128)r, 1)))
OP(asubu, s128 r = (s128)x - y; d[i] = (U)((r >> 1) + round_bit(c, (u128)r, 1)))
OP(asub, s128 r = (s128)(S)x - (S)y; d[i] = (U)((r >> 1) + round_bit(c, (u128)r, 1)))
OP(smul, if (SAT((S)x == SMIN && (S)y == SMIN)) d[i] = (U)SMAX;
         else { s128 r = (s128)(S)x * (S)y; d[i] = (U)((r >> (N - 1)) + round_bit(c, (u128)r, N - 1)); })
OP(ssrl, unsigned n = y & (N - 1); d[i] = (U)((x >> n) + round_bit(c, x, n)))
OP(ssra, unsigned n = y & (N - 1); d[i] = (U)(((S)x >> n) + (S)round_bit(c, (u128)(s128)(S)x, n)))
NARROW(nclipu, unsigned n = y & (2 * N - 1); u128 r = ((u128)x >> n) + round_bit(c, x, n);
       d[i] = SAT(r > (U)~(U)0) ? (U)~(U)0 : (U)r)
NARROW(nclip, unsigned n = y & (2 * N - 1); s128 r = ((s128)(SW)x >> n) + round_bit(c, (u128)(s128)(SW)x, n);
       d[i] = (U)(SAT(r > SMAX) ? SMAX : SAT(r < SMIN) ? SMIN : (S)r))
