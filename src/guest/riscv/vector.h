/*
 * vector.h: the V extension's shared parts: what an instruction's operands are (translation), and the helpers' view of
 * a running instruction.
 */
#ifndef LYRE_GUEST_RISCV_VECTOR_H
#define LYRE_GUEST_RISCV_VECTOR_H

#include "xl.h"

/* Where the second source comes from. */
enum vsrc { SRC_V, SRC_X, SRC_I, SRC_U, SRC_F, SRC_NONE };

/* Element widths and roles of operands, relative to SEW. */
enum vshape {
    SH_SAME,       /* vd, vs2, vs1 of SEW */
    SH_WIDE,       /* vd of 2 * SEW */
    SH_WIDE2,      /* vd and vs2 of 2 * SEW */
    SH_NARROW,     /* vs2 of 2 * SEW */
    SH_MASK,       /* vd is a mask */
    SH_EXT2, SH_EXT4, SH_EXT8, /* vs2 of SEW / 2, / 4, / 8 */
    SH_REDUCE,     /* vd and vs1 are element 0 */
    SH_WREDUCE,    /* the same, of 2 * SEW */
    SH_LOGIC,      /* all three are masks */
    SH_PREFIX,     /* vmsbf ...: vd and vs2 are masks, distinct */
    SH_IOTA,       /* vs2 is a mask */
    SH_GATHER,     /* vd distinct from the sources */
    SH_GATHER16,   /* vs1 of 16 bits, vd distinct from the sources */
    SH_UP,         /* vd distinct from vs2 */
    SH_COMPRESS,   /* vs1 is a mask, vd distinct from both */
};
enum {
    VF_CARRY = 1,  /* v0 is an operand, not a mask; all elements are active */
    VF_FP = 2,     /* element type is FP of SEW (and of 2 * SEW if wide): which SEWs are valid follows */
    VF_FPINT = 4,  /* the operands of SEW are integers */
    VF_WIDEINT = 8, /* those of 2 * SEW are */
    VF_CONVERT = 16, /* between formats: Zvfhmin is enough for binary16 */
};

/* A running instruction. Elements of vs2 are a, of vs1 b; a scalar is b with stride 0. */
struct vx {
    struct riscv_cpu *r;
    uint8_t *d;
    const uint8_t *a, *b, *v0;
    unsigned bs;             /* stride of b in elements: 0 or 1 */
    unsigned sew;            /* log2 of bytes */
    bool vm;                 /* unmasked */
    uint64_t vl, vstart, vlmax;
    uint64_t scalar;
    uint32_t flags;          /* FP flags raised */
};
typedef void vfn(struct vx *c);

static inline bool mask_bit(const uint8_t *m, uint64_t i)
{
    return m[i / 8] >> (i % 8) & 1;
}
static inline void mask_set(uint8_t *m, uint64_t i, bool v)
{
    m[i / 8] = (uint8_t)((m[i / 8] & ~(1u << (i % 8))) | (unsigned)v << (i % 8));
}
static inline uint8_t *vreg(struct riscv_cpu *r, unsigned n)
{
    return r->v + n * (r->vlen / 8u);
}

/* Element i of 1 << sew bytes. */
static inline uint64_t vel_get(const uint8_t *p, unsigned sew, uint64_t i)
{
    switch (sew) {
    case 0: return p[i];
    case 1: return ((const uint16_t *)p)[i];
    case 2: return ((const uint32_t *)p)[i];
    default: return ((const uint64_t *)p)[i];
    }
}
static inline void vel_set(uint8_t *p, unsigned sew, uint64_t i, uint64_t v)
{
    switch (sew) {
    case 0: p[i] = (uint8_t)v; break;
    case 1: ((uint16_t *)p)[i] = (uint16_t)v; break;
    case 2: ((uint32_t *)p)[i] = (uint32_t)v; break;
    default: ((uint64_t *)p)[i] = v; break;
    }
}

#define EACH(i) \
    for (uint64_t i = c->vstart; i < c->vl; i++) \
        if (c->vm || mask_bit(c->v0, i))

/* Operations: one function per row of vop.def, in the order of the enumeration. */
enum vop {
#define VOP(name) VOP_##name,
#include "vop.def"
#undef VOP
    VOP_COUNT
};
#define VOP(name) vfn riscv_vop_##name;
#include "vop.def"
#undef VOP

/* Translates one arithmetic instruction: checks operands, then inline IR or the helper. */
void riscv_v(struct xlat *t, F *f, enum vop op, enum vshape shape, enum vsrc src, unsigned flags);
/* What inline code exists for an operation (vinline.c); false: none in this mode. */
bool riscv_v_inline(struct xlat *t, F *f, enum vop op, enum vshape shape, enum vsrc src, V scalar);

/* Active bits of the mask vs2, for groups of up to 64 elements; 0 if there is no inline code. */
V riscv_v_mask_bits(struct xlat *t, F *f);

/* Bit 25, whether a row draws it as a field or as a constant. */
static inline bool v_unmasked(F *f)
{
    return f->raw >> 25 & 1;
}
/* Mode of the instruction being translated. */
static inline unsigned v_sew(struct xlat *t)
{
    return t->mode >> MODE_VSEW_SHIFT & 3;
}
/* log2 of LMUL, -3..3 */
static inline int v_lmul(struct xlat *t)
{
    int m = (int)(t->mode >> MODE_VLMUL_SHIFT & 7);
    return m < 4 ? m : m - 8;
}
static inline unsigned v_vxrm(struct xlat *t)
{
    return t->mode >> MODE_VXRM_SHIFT & 3;
}
/* False if the mode has to be looked up first: then the instruction has been sent to itself in that mode. */
bool riscv_v_mode(struct xlat *t);
/* The same, and false after raising an illegal instruction because of vill or vstart. */
bool riscv_v_begin(struct xlat *t, bool any_vstart);
/* After an instruction: vstart is zero again. */
void riscv_v_end(struct xlat *t);
/* Whether the inline code's assumptions hold: VLEN 128, vstart 0. */
static inline bool v_fast(struct xlat *t)
{
    return hart(t)->vlen == 128 && !(t->mode & MODE_VSTART);
}
bool riscv_v_aligned(int reg, int emul);
bool riscv_v_overlap_ok(int d, int d_emul, int d_eew, int s, int s_emul, int s_eew);

#endif
