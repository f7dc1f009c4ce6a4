/*
 * vop_perm.c: reductions, mask operations and permutations of the V extension (volume I, chapters 30.14 to 30.16).
 */
#include "vector.h"

static int64_t sx(uint64_t v, unsigned sew)
{
    return bits_sext(v, 8u << sew);
}

/* -- reductions: vd[0] = vs1[0] op all active elements; nothing happens if vl = 0 ------------------------------- */
#define REDUCE(name, expr) \
    void riscv_vop_##name(struct vx *c) \
    { \
        uint64_t r = vel_get(c->b, c->sew, 0); \
        if (!c->vl) return; \
        EACH(i) { uint64_t x = vel_get(c->a, c->sew, i); r = (expr); } \
        vel_set(c->d, c->sew, 0, r); \
    }
REDUCE(redsum, r + x)
REDUCE(redand, r & x)
REDUCE(redor, r | x)
REDUCE(redxor, r ^ x)
REDUCE(redminu, MIN(r, x))
REDUCE(redmaxu, MAX(r, x))
REDUCE(redmin, sx(x, c->sew) < sx(r, c->sew) ? x : r)
REDUCE(redmax, sx(x, c->sew) > sx(r, c->sew) ? x : r)

static void wide_sum(struct vx *c, bool is_signed)
{
    uint64_t r = vel_get(c->b, c->sew + 1, 0);
    if (!c->vl) return;
    EACH(i) {
        uint64_t x = vel_get(c->a, c->sew, i);
        r += is_signed ? (uint64_t)sx(x, c->sew) : x;
    }
    vel_set(c->d, c->sew + 1, 0, r);
}
void riscv_vop_wredsumu(struct vx *c)
{
    wide_sum(c, false);
}
void riscv_vop_wredsum(struct vx *c)
{
    wide_sum(c, true);
}

/* -- masks ------------------------------------------------------------------------------------------------------ */
#define LOGIC(name, expr) \
    void riscv_vop_##name(struct vx *c) \
    { \
        for (uint64_t i = c->vstart; i < c->vl; i++) { \
            bool x = mask_bit(c->a, i), y = mask_bit(c->b, i); \
            mask_set(c->d, i, expr); \
        } \
    }
LOGIC(mandn, x && !y)
LOGIC(mand, x && y)
LOGIC(mor, x || y)
LOGIC(mxor, x != y)
LOGIC(morn, x || !y)
LOGIC(mnand, !(x && y))
LOGIC(mnor, !(x || y))
LOGIC(mxnor, x == y)

/* Set before, up to, or only at the first active set bit. */
static void prefix(struct vx *c, bool before, bool at)
{
    bool seen = false;
    EACH(i) {
        bool x = mask_bit(c->a, i);
        mask_set(c->d, i, seen ? false : x ? at : before);
        seen |= x;
    }
}
void riscv_vop_msbf(struct vx *c)
{
    prefix(c, true, false);
}
void riscv_vop_msif(struct vx *c)
{
    prefix(c, true, true);
}
void riscv_vop_msof(struct vx *c)
{
    prefix(c, false, true);
}
void riscv_vop_iota(struct vx *c)
{
    uint64_t n = 0;
    EACH(i) {
        bool x = mask_bit(c->a, i);
        vel_set(c->d, c->sew, i, n);
        n += x;
    }
}
void riscv_vop_id(struct vx *c)
{
    EACH(i) vel_set(c->d, c->sew, i, i);
}

/* -- slides, gathers, compress: a scalar or an index past VLMAX reads as zero ----------------------------------- */
void riscv_vop_slideup(struct vx *c)
{
    EACH(i) if (i >= c->scalar) vel_set(c->d, c->sew, i, vel_get(c->a, c->sew, i - c->scalar));
}
void riscv_vop_slidedown(struct vx *c)
{
    EACH(i) vel_set(c->d, c->sew, i, c->scalar < c->vlmax - i ? vel_get(c->a, c->sew, i + c->scalar) : 0);
}
void riscv_vop_slide1up(struct vx *c)
{
    EACH(i) vel_set(c->d, c->sew, i, i ? vel_get(c->a, c->sew, i - 1) : c->scalar);
}
void riscv_vop_slide1down(struct vx *c)
{
    EACH(i) vel_set(c->d, c->sew, i, i + 1 < c->vl ? vel_get(c->a, c->sew, i + 1) : c->scalar);
}
void riscv_vop_rgather(struct vx *c)
{
    EACH(i) {
        uint64_t n = vel_get(c->b, c->sew, i);
        vel_set(c->d, c->sew, i, n < c->vlmax ? vel_get(c->a, c->sew, n) : 0);
    }
}
void riscv_vop_rgatherei16(struct vx *c)
{
    EACH(i) {
        uint64_t n = vel_get(c->b, 1, i);
        vel_set(c->d, c->sew, i, n < c->vlmax ? vel_get(c->a, c->sew, n) : 0);
    }
}
void riscv_vop_rgather_s(struct vx *c)
{
    uint64_t v = c->scalar < c->vlmax ? vel_get(c->a, c->sew, c->scalar) : 0;
    EACH(i) vel_set(c->d, c->sew, i, v);
}
void riscv_vop_compress(struct vx *c)
{
    uint64_t n = 0;
    for (uint64_t i = 0; i < c->vl; i++)
        if (mask_bit(c->b, i)) vel_set(c->d, c->sew, n++, vel_get(c->a, c->sew, i));
}
