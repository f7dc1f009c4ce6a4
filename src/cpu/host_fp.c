/*
 * host_fp.c: evaluates any F_FP op of ops.def exactly, under a region's policy: the interpreter's floating point and the
 * back ends' cold path.
 *
 * Most operations a program does are binary32/64 arithmetic to nearest on ordinary numbers when inexact is long set; these
 * run on the host's FPU (in C's default environment), which then cannot raise anything new. All else goes to fpu/.
 */
#include "cpu/host.h"
#include "fpu/fpu.h"

_Static_assert(RM_RNE == (int)FPU_RNE && RM_RTZ == (int)FPU_RTZ && RM_RDN == (int)FPU_RDN && RM_RUP == (int)FPU_RUP &&
               RM_RMM == (int)FPU_RMM && RM_ODD == (int)FPU_ODD, "rounding modes");
_Static_assert(NAN_CANON == (int)FPU_NAN_CANON && NAN_ARM == (int)FPU_NAN_ARM && NAN_X86 == (int)FPU_NAN_X86, "NaN policies");
_Static_assert(FTZ_ARM == (int)FPU_FLUSH_ARM && FTZ_X86 == (int)FPU_FLUSH_OUT && FTZ_DAZ == (int)FPU_FLUSH_IN, "flushing");
_Static_assert(FPF_INVALID == (int)FPU_INVALID && FPF_DIVZERO == (int)FPU_DIVZERO && FPF_OVERFLOW == (int)FPU_OVERFLOW &&
               FPF_UNDERFLOW == (int)FPU_UNDERFLOW && FPF_INEXACT == (int)FPU_INEXACT && FPF_INDENORM == (int)FPU_INDENORM,
               "flags");

static enum fpu_fmt fmt_of_type(enum ir_type t)
{
    return t == T_F64 ? FPU_F64 : t == T_F32 ? FPU_F32 : FPU_F16;
}

/* The environment for one op on values of format f. */
static struct fpu_env fp_env(const CPU *cpu, const struct ir_fp *fp, unsigned rm, enum fpu_fmt f)
{
    rm = rm == RM_DYN ? cpu->fp.rm : rm;
    return (struct fpu_env){
        .rm = (uint8_t)(rm >= RM_RNE && rm <= RM_ODD ? rm : RM_RNE),
        .nan = fp->nan,
        .tiny_before = fp->tiny_before,
        .ftz = f == FPU_F16 ? fp->ftz16 : fp->ftz,
        .x86 = (cpu->fp.x86 & CPU_FP_DE) != 0,
        .flags = cpu->fp.flags,
    };
}

/* One host operation; false unless the result is a normal number, well away from the edges. */
#define FAST(T, U, x, y, exp_mask, min_normal)                  \
    {                                                           \
        T a, b, r;                                              \
        U ux = (U)x, uy = (U)y, ur;                             \
        memcpy(&a, &ux, sizeof a), memcpy(&b, &uy, sizeof b);   \
        switch (op) {                                           \
        case IR_FADD: r = a + b; break;                         \
        case IR_FSUB: r = a - b; break;                         \
        case IR_FMUL: r = a * b; break;                         \
        case IR_FDIV: r = a / b; break;                         \
        default: return false;                                  \
        }                                                       \
        memcpy(&ur, &r, sizeof ur);                             \
        *res = ur;                                              \
        ur &= exp_mask;                                         \
        return ur > min_normal && ur != exp_mask && (ux & exp_mask) && (uy & exp_mask); \
    }

static bool fast_arith(unsigned op, const struct fpu_env *e, enum fpu_fmt f, uint64_t x, uint64_t y, uint64_t *res)
{
    if (e->rm != FPU_RNE || !(e->flags & FPU_INEXACT))
        return false;
    if (f == FPU_F64)
        FAST(double, uint64_t, x, y, 0x7ff0000000000000, 0x0010000000000000)
    if (f == FPU_F32)
        FAST(float, uint32_t, x, y, 0x7f800000, 0x00800000)
    return false;
}

/*
 * x86 has a flag for denormal operands, of lower priority than a NaN, an invalid operation and a division by zero (Intel SDM volume 1,
 * 4.9.2). One operation on one lane is bracketed by these two; nan: its result is one, or unordered.
 */
static uint32_t one_begin(struct fpu_env *e)
{
    uint32_t before = e->flags;
    e->flags = e->denormal = 0;
    return before;
}
static void one_end(struct fpu_env *e, uint32_t before, bool nan)
{
    if (e->denormal && e->x86 && !nan && !(e->flags & (FPU_INVALID | FPU_DIVZERO)))
        e->flags |= FPU_INDENORM;
    e->flags |= before;
}

static uint64_t slow_arith(unsigned op, struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b, uint64_t c)
{
    switch (op) {
    case IR_FADD: return fpu_add(e, f, a, b);
    case IR_FSUB: return fpu_sub(e, f, a, b);
    case IR_FMUL: return fpu_mul(e, f, a, b);
    case IR_FDIV: return fpu_div(e, f, a, b);
    case IR_FSQRT: return fpu_sqrt(e, f, a);
    default: return fpu_fma(e, f, a, b, c);
    }
}

static uint64_t arith(unsigned op, struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t r;

    if (fast_arith(op, e, f, a, b, &r))
        return r;
    uint32_t before = one_begin(e);
    r = slow_arith(op, e, f, a, b, c);
    one_end(e, before, fpu_is_nan(f, r));
    return r;
}

static uint64_t minmax(struct fpu_env *e, enum fpu_fmt f, uint64_t a, uint64_t b, bool max, unsigned kind)
{
    uint32_t before = one_begin(e);
    uint64_t r = fpu_minmax(e, f, a, b, max, kind);
    one_end(e, before, fpu_is_nan(f, r));
    return r;
}

static uint64_t cvt(struct fpu_env *e, enum fpu_fmt to, enum fpu_fmt from, uint64_t a)
{
    uint32_t before = one_begin(e);
    uint64_t r = fpu_cvt(e, to, from, a);
    one_end(e, before, from == FPU_F16 || fpu_is_nan(to, r)); /* denormals of half precision are not reported */
    return r;
}

static bool fcmp(struct fpu_env *e, enum fpu_fmt f, enum ir_fcond cond, bool signalling, uint64_t a, uint64_t b)
{
    uint32_t before = one_begin(e);
    int c = fpu_cmp(e, f, a, b, signalling);
    one_end(e, before, c == 2);

    switch ((unsigned)cond) {
    case FC_EQ: return c == 0;
    case FC_LT: return c < 0;
    case FC_LE: return c <= 0;
    default: return c == 2;
    }
}

static uint64_t scalar(CPU *cpu, const struct ir_fp *fp, const struct ir_ins *ins, enum ir_type type_a, uint64_t a, uint64_t b,
                       uint64_t c)
{
    const unsigned bits = ir_type_bits[ins->type];
    const bool from_int = ins->op == IR_ITOF;
    const enum fpu_fmt f = fmt_of_type(from_int ? (enum ir_type)ins->type : type_a);
    const bool rounds = ins->op != IR_FMIN && ins->op != IR_FMAX && ins->op != IR_FCMP;
    struct fpu_env e = fp_env(cpu, fp, rounds ? ins->sub : RM_RNE, f);
    uint64_t r;

    switch (ins->op) {
    case IR_FMIN:
    case IR_FMAX: r = minmax(&e, f, a, b, ins->op == IR_FMAX, ins->mo); break;
    case IR_FCMP: r = fcmp(&e, f, ins->sub, ins->mo, a, b); break;
    case IR_FCVT:
        e.ftz = fp->ftz; /* fpu_cvt leaves binary16 alone */
        r = cvt(&e, fmt_of_type(ins->type), f, a);
        break;
    case IR_FTOI: r = fpu_to_int(&e, f, a, bits, ins->mo); break;
    case IR_ITOF: r = fpu_from_int(&e, f, a, ir_type_bits[type_a], ins->mo & 1); break;
    case IR_FRINT: r = fpu_rint(&e, f, a, ins->mo & 1); break;
    default: r = arith(ins->op, &e, f, a, b, c); break;
    }
    cpu->fp.flags = e.flags;
    return r;
}

static uint64_t lane(const union vlanes *v, enum fpu_fmt f, unsigned i)
{
    return f == FPU_F64 ? v->u64[i] : f == FPU_F32 ? v->u32[i] : v->u16[i];
}

static void set_lane(union vlanes *v, enum fpu_fmt f, unsigned i, uint64_t k)
{
    if (f == FPU_F64)
        v->u64[i] = k;
    else if (f == FPU_F32)
        v->u32[i] = (uint32_t)k;
    else
        v->u16[i] = (uint16_t)k;
}

/* VFCVTW, VFCVTN: between lanes of format n and lanes twice as wide. */
static union vlanes vector_cvt(struct fpu_env *e, const struct ir_ins *ins, enum fpu_fmt n, const union vlanes *a)
{
    const unsigned lanes = n == FPU_F16 ? 4 : 2; /* in half a vector */
    union vlanes r = { 0 };

    for (unsigned i = 0; i < lanes; i++) {
        if (ins->op == IR_VFCVTW)
            set_lane(&r, n + 1, i, cvt(e, n + 1, n, lane(a, n, i + (ins->x ? lanes : 0))));
        else
            set_lane(&r, n, i, cvt(e, n, n + 1, lane(a, n + 1, i)));
    }
    return r;
}

static union vlanes vector(CPU *cpu, const struct ir_fp *fp, const struct ir_ins *ins, const union vlanes *va,
                           const union vlanes *vb, const union vlanes *vc)
{
    const enum fpu_fmt f = ins->sub == L_F64 ? FPU_F64 : ins->sub == L_F32 ? FPU_F32 : FPU_F16;
    const unsigned bits = 16u << f, n = 128 / bits;
    const bool rounds = ins->op != IR_VFMIN && ins->op != IR_VFMAX && ins->op != IR_VFCMP;
    struct fpu_env e = fp_env(cpu, fp, rounds ? ins->mo : RM_RNE, f);
    union vlanes res = { 0 };

    if (ins->op == IR_VFCVTW || ins->op == IR_VFCVTN) {
        e.ftz = fp->ftz;
        res = vector_cvt(&e, ins, MIN(f, FPU_F32), va);
        cpu->fp.flags = e.flags;
        return res;
    }
    for (unsigned i = 0; i < n; i++) {
        uint64_t a = lane(va, f, i), b = lane(vb, f, i), c = lane(vc, f, i), r = 0;
        switch (ins->op) {
        case IR_VFADD: r = arith(IR_FADD, &e, f, a, b, 0); break;
        case IR_VFSUB: r = arith(IR_FSUB, &e, f, a, b, 0); break;
        case IR_VFMUL: r = arith(IR_FMUL, &e, f, a, b, 0); break;
        case IR_VFDIV: r = arith(IR_FDIV, &e, f, a, b, 0); break;
        case IR_VFSQRT: r = arith(IR_FSQRT, &e, f, a, 0, 0); break;
        case IR_VFMA: r = arith(IR_FMA, &e, f, a, b, c); break;
        case IR_VFMIN:
        case IR_VFMAX: r = minmax(&e, f, a, b, ins->op == IR_VFMAX, ins->mo); break;
        case IR_VFCMP: r = 0 - (uint64_t)fcmp(&e, f, ins->mo & 0xf, ins->mo & FC_SIGNALLING, a, b); break;
        case IR_VFTOI: r = fpu_to_int(&e, f, a, bits, ins->x); break;
        case IR_VITOF: r = fpu_from_int(&e, f, a, bits, ins->x & 1); break;
        case IR_VFRINT: r = fpu_rint(&e, f, a, ins->x & 1); break;
        default: break;
        }
        set_lane(&res, f, i, r);
    }
    cpu->fp.flags = e.flags;
    return res;
}

void host_fp_eval(CPU *cpu, const struct ir_fp *fp, const struct ir_ins *ins, enum ir_type type_a, const union vlanes *a,
                  const union vlanes *b, const union vlanes *c, union vlanes *res)
{
    static const union vlanes zero;

    b = b ? b : &zero, c = c ? c : &zero;
    if (type_a == T_V128)
        *res = vector(cpu, fp, ins, a, b, c);
    else
        *res = (union vlanes){ .u64 = { scalar(cpu, fp, ins, type_a, a->u64[0], b->u64[0], c->u64[0]) } };
}
