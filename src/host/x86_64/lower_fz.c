/*
 * lower_fz.c: floating point of guests that flush denormals to zero (ir->fp.ftz, Arm's FPCR.FZ; what programs linked with
 * -ffast-math run in), on hosts with AVX-512. The host does not flush; it computes, where that is provably the same:
 *   operands        none is denormal (fpclass before the operation)
 *   result          neither denormal nor a NaN, and not the smallest normal number where tiny_before makes a difference
 *                   (see lower_fp.c); a result that has become zero is zero and has raised underflow for Arm, too
 *   inexact         is what the host raises and Arm does not when a result is flushed: it has been accrued before
 *   rounding        the dynamic mode is the host's (ir->fp.slow might mean RM_RMM)
 * Anything else is evaluated by C.
 */
#include "host/x86_64/lower_sse.h"

enum { CLASS_QNAN = 0x01, CLASS_DENORMAL = 0x20, CLASS_SNAN = 0x80 };

bool fz_host(const struct gen *g, unsigned type)
{
    return g->ir->fp.ftz & FTZ_ARM && type != T_F16 && has_avx512();
}

/* Mask register k = lanes of x of these classes. */
static void classify(struct gen *g, unsigned type, bool vec, unsigned k, unsigned x, unsigned classes)
{
    e3k(g, (vec ? X_VFPCLASSPS : X_VFPCLASSSS) | (type == T_F64 ? OP_W : 0), k, 0, o_reg(x), 0, 1);
    a_u8(g, classes);
}

static uint8_t *jump_if(struct gen *g, unsigned k1, unsigned k2)
{
    v2(g, X_KORTESTB, k1, k2);
    return a_jcc_fwd(g, CC_NE);
}

uint8_t *fz_denormal(struct gen *g, unsigned type, bool vec, unsigned a, unsigned b)
{
    classify(g, type, vec, 1, a, CLASS_DENORMAL);
    if (b != a) classify(g, type, vec, 2, b, CLASS_DENORMAL);
    return jump_if(g, 1, b != a ? 2 : 1);
}

bool fz_arith(struct gen *g, V v, const struct ir_ins *in, unsigned from, unsigned type, bool vec, unsigned op,
              unsigned rm)
{
    static const uint64_t abs_mask[] = { 0x7fffffff7fffffff, 0x7fffffffffffffff },
                          min_norm[] = { 0x0080000000800000, 0x0010000000000000 };
    bool fma = in->op == IR_FMA || in->op == IR_VFMA, sqrt = in->op == IR_FSQRT || in->op == IR_VFSQRT;
    bool tiny = fma || in->op == IR_FMUL || in->op == IR_VFMUL || in->op == IR_FCVT;
    uint8_t *out[8];
    unsigned n = 0;

    if (!fp_host_rm(rm) || (fma && !x86.fma)) return false;
    unsigned a = use_r(g, in->a), b = in->b ? use_r(g, in->b) : a, c = in->c ? use_r(g, in->c) : 0;
    unsigned t = tmp_xmm(g), d = def_new(g, v);
    a_testi(g, 8, o_cpu(offsetof(CPU, fp.flags)), FPF_INEXACT);
    out[n++] = a_jcc_fwd(g, CC_E);
    a_alui(g, ALU_CMP, 32, o_cpu(offsetof(CPU, fp.rm)), rm == RM_DYN ? RM_RUP : (int)rm);
    out[n++] = a_jcc_fwd(g, rm == RM_DYN ? CC_A : CC_NE);
    out[n++] = fz_denormal(g, from, vec, a, b);
    if (fma) {
        out[n++] = fz_denormal(g, from, vec, c, c);
        a_movaps(g, d, c);
        v3(g, (vec ? X_VFMADD231PS : X_VFMADD231SS) | (type == T_F64 ? OP_W : 0), d, a, b);
    } else if (vec && sqrt) {
        v2(g, fp_op(op, type, true), d, a);
    } else {
        v3(g, in->op == IR_FCVT ? op : fp_op(op, type, vec), d, a, b);
    }
    classify(g, type, vec, 1, d, CLASS_QNAN | CLASS_SNAN | CLASS_DENORMAL);
    if (tiny) {
        v3m(g, X_ANDPS, t, d, pool2(g, abs_mask[type - T_F32]));
        v3mi(g, fp_op(X_CMPPS, type, vec) | XO_E, 2, t, pool2(g, min_norm[type - T_F32]), XCMP_EQ);
    }
    out[n++] = jump_if(g, 1, tiny ? 2 : 1);
    /* one cold path for all: by way of a jump that is jumped over */
    uint8_t *over = a_jmp8(g);
    for (unsigned i = 0; i < n; i++) a_bind(out[i], g->p);
    uint8_t *site = a_jmp_fwd(g);
    a_bind8(g, over);
    gen_slow_cold(g, v, site, d);
    return true;
}
