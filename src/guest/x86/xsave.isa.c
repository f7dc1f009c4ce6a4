/*
 * xsave.isa.c: FXSAVE, FXRSTOR, XSAVE, XSAVEOPT, XSAVEC, XRSTOR, LDMXCSR's larger relatives. Intel SDM volume 1, 10.5 and chapter 13.
 * What is where in the areas is xstate.c's. Outside of 64-bit code only the first eight vector registers take part.
 * Known gaps: system mode (CR0.TS, CR4.OSFXSR, OSXSAVE); XSAVES, XRSTORS; components beyond AVX.
 */
#include "xl.h"
#include "x87_host.h"

enum { WIDE = 1, CODE64 = 2 }; /* REX.W: 64-bit pointers; 16 vector registers */
enum { XSAVE_ALL, XSAVE_USED, XSAVE_COMPACT };
enum { FX_MXCSR = 24, FX_ST = 32, FX_XMM = 160, XS_BV_AT = 512, XS_COMP_AT = 520 };

static V flags_of_form(struct xlat *t)
{
    return ir_k32(t, code64(t) ? CODE64 : 0);
}
static V address(struct xlat *t, F *f)
{
    return ea_value(t, x86_ea(t, f, &f->op[0]));
}
static V how(struct xlat *t, F *f, uint32_t more)
{
    return ir_ori(t, flags_of_form(t), (x86_rexw(f) ? WIDE : 0) | more << 8);
}
static uint64_t vectors(uint32_t form)
{
    return form & CODE64 ? 256 : 128;
}
static void check_aligned(CPU *cpu, uint64_t addr, unsigned to)
{
    if (addr & (to - 1)) cpu_raise(cpu, EXC_GUEST, VEC_GP, 0);
}

/* -- FXSAVE ------------------------------------------------------------------------------------------------------------- */
HELPER(void, fxsave, (CPU *cpu, uint64_t addr, uint32_t form), "fault fp r=x87,x87ptr,vec,sys")
{
    uint8_t b[XS_LEGACY];

    check_aligned(cpu, addr, 16);
    x86_fx_put(x86_cpu(cpu), b, form & WIDE);
    cpu_stn(cpu, addr, b, FX_XMM + vectors(form));
}
HELPER(void, fxrstor, (CPU *cpu, uint64_t addr, uint32_t form), "fault fp r=x87,x87ptr,vec,sys w=x87,x87ptr,vec,sys")
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    uint8_t b[XS_LEGACY] = { 0 };
    v128 high[8];

    check_aligned(cpu, addr, 16);
    cpu_ldn(cpu, b, addr, FX_XMM + vectors(form));
    memcpy(high, x->xmm + 8, sizeof high);
    if (!x86_fx_get(x, b, form & WIDE, XS_X87 | XS_SSE)) cpu_raise(cpu, EXC_GUEST, VEC_GP, 0);
    if (!(form & CODE64)) memcpy(x->xmm + 8, high, sizeof high);
    host_clear();
}
INSN(fxsave, "NP 0F AE /0 W0 M @FXSR", "fxsave")
{
    IR_CALL(t, fxsave, address(t, f), how(t, f, 0));
}
INSN(fxsave64, "NP 0F AE /0 W1 M @FXSR", "fxsave64")
{
    IR_CALL(t, fxsave, address(t, f), how(t, f, 0));
}
static void fxrstor(struct xlat *t, F *f)
{
    IR_CALL(t, fxrstor, address(t, f), how(t, f, 0));
    xl_stop_mode(t, ir_get(t, R_MODE));
}
INSN(fxrstor, "NP 0F AE /1 W0 M @FXSR", "fxrstor") { fxrstor(t, f); }
INSN(fxrstor64, "NP 0F AE /1 W1 M @FXSR", "fxrstor64") { fxrstor(t, f); }

/* -- XSAVE -------------------------------------------------------------------------------------------------------------- */
static bool all_zero(const void *p, size_t n)
{
    const uint8_t *b = p;
    return n == 0 || (!b[0] && !memcmp(b, b + 1, n - 1));
}
/* The components that are not as after reset. */
static uint64_t in_use(const struct x86_cpu *x, uint32_t form)
{
    const struct x87 *u = &x->x87;
    bool fpu = u->cw != X87_CW_INIT || u->sw || u->top || u->tag || u->fip || u->fdp || u->fop;

    for (unsigned i = 0; i < 8; i++) fpu |= u->r[i].mant || u->r[i].se;
    return (fpu ? XS_X87 : 0) | (all_zero(x->xmm, vectors(form)) ? 0 : XS_SSE) | (all_zero(x->ymmh, vectors(form)) ? 0 : XS_AVX);
}

HELPER(void, xsave, (CPU *cpu, uint64_t addr, uint64_t mask, uint32_t form), "fault fp r=x87,x87ptr,vec,sys")
{
    const struct x86_cpu *x = x86_cpu(cpu);
    const unsigned kind = form >> 8;
    uint64_t wanted = mask & x->xcr0, used = in_use(x, form), header[2];
    uint8_t b[XS_LEGACY];

    check_aligned(cpu, addr, 64);
    x86_fx_put(x, b, form & WIDE);
    if (kind == XSAVE_COMPACT && x86_mxcsr(cpu) != 0x1f80) used |= XS_SSE; /* there MXCSR is SSE's */
    uint64_t saved = kind == XSAVE_ALL ? wanted : wanted & used;
    if (kind == XSAVE_COMPACT) {
        header[0] = saved;
        header[1] = wanted | 1ull << 63;
    } else {
        header[0] = (cpu_ld(cpu, addr + XS_BV_AT, MO_64) & ~wanted) | (wanted & used);
    }
    if (saved & XS_X87) {
        cpu_stn(cpu, addr, b, FX_MXCSR);
        cpu_stn(cpu, addr + FX_ST, b + FX_ST, FX_XMM - FX_ST);
    }
    if (kind == XSAVE_COMPACT ? saved & XS_SSE : wanted & (XS_SSE | XS_AVX)) cpu_stn(cpu, addr + FX_MXCSR, b + FX_MXCSR, 8);
    if (saved & XS_SSE) cpu_stn(cpu, addr + FX_XMM, b + FX_XMM, vectors(form));
    if (saved & XS_AVX) cpu_stn(cpu, addr + XS_AVX_AT, x->ymmh, vectors(form));
    cpu_stn(cpu, addr + XS_BV_AT, header, kind == XSAVE_COMPACT ? 16 : 8);
}

/* Whether XRSTOR takes an area with this header: XSTATE_BV, XCOMP_BV and what is reserved. */
static bool header_valid(const struct x86_cpu *x, const uint64_t h[8])
{
    bool compact = h[1] >> 63;
    uint64_t comp = h[1] & ~(1ull << 63);

    for (unsigned i = 2; i < (compact ? 8 : 3); i++)
        if (h[i]) return false;
    return compact ? !(comp & ~x->xcr0) && !(h[0] & ~comp) : !h[1] && !(h[0] & ~x->xcr0);
}
HELPER(void, xrstor, (CPU *cpu, uint64_t addr, uint64_t mask, uint32_t form), "fault fp r=x87,x87ptr,vec,sys w=x87,x87ptr,vec,sys")
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    uint8_t b[XS_LEGACY], ymmh[256];
    uint64_t h[8], wanted = mask & x->xcr0;
    uint32_t mxcsr;

    check_aligned(cpu, addr, 64);
    cpu_ldn(cpu, b, addr, sizeof b);
    cpu_ldn(cpu, h, addr + XS_BV_AT, sizeof h);
    if (!header_valid(x, h)) cpu_raise(cpu, EXC_GUEST, VEC_GP, 0);
    const bool compact = h[1] >> 63;
    uint64_t load = wanted & h[0], init = wanted & ~h[0];
    if (load & XS_AVX) cpu_ldn(cpu, ymmh, addr + XS_AVX_AT, vectors(form));
    bool from_memory = compact ? load & XS_SSE : wanted & (XS_SSE | XS_AVX);
    memcpy(&mxcsr, b + FX_MXCSR, 4);
    if (from_memory && mxcsr >> 16) cpu_raise(cpu, EXC_GUEST, VEC_GP, 0);
    if (from_memory) x86_set_mxcsr(cpu, mxcsr);
    else if (compact && init & XS_SSE) x86_set_mxcsr(cpu, 0x1f80);
    if (load & XS_X87) x87_fx_get(&x->x87, b, form & WIDE);
    if (load & XS_SSE) memcpy(x->xmm, b + FX_XMM, vectors(form));
    if (load & XS_AVX) memcpy(x->ymmh, ymmh, vectors(form));
    if (init & XS_X87) x87_reset(&x->x87);
    if (init & XS_SSE) memset(x->xmm, 0, vectors(form));
    if (init & XS_AVX) memset(x->ymmh, 0, vectors(form));
    host_clear();
    cpu->mode = x87_mode(&x->x87, cpu->mode);
}

static V wanted(struct xlat *t)
{
    return ir_or(t, ir_shli(t, ir_get(t, R_RDX), 32), ir_zext(t, T_I64, gpr(t, R_RAX, 32)));
}
static void xsave(struct xlat *t, F *f, unsigned kind)
{
    IR_CALL(t, xsave, address(t, f), wanted(t), how(t, f, kind));
}
INSN(xsave, "NP 0F AE /4 W0 M @XSAVE", "xsave") { xsave(t, f, XSAVE_ALL); }
INSN(xsave64, "NP 0F AE /4 W1 M @XSAVE", "xsave64") { xsave(t, f, XSAVE_ALL); }
INSN(xsaveopt, "NP 0F AE /6 W0 M @XSAVEOPT", "xsaveopt") { xsave(t, f, XSAVE_USED); }
INSN(xsaveopt64, "NP 0F AE /6 W1 M @XSAVEOPT", "xsaveopt64") { xsave(t, f, XSAVE_USED); }
INSN(xsavec, "NP 0F C7 /4 W0 M @XSAVEC", "xsavec") { xsave(t, f, XSAVE_COMPACT); }
INSN(xsavec64, "NP 0F C7 /4 W1 M @XSAVEC", "xsavec64") { xsave(t, f, XSAVE_COMPACT); }

static void xrstor(struct xlat *t, F *f)
{
    IR_CALL(t, xrstor, address(t, f), wanted(t), how(t, f, 0));
    xl_stop_mode(t, ir_get(t, R_MODE));
}
INSN(xrstor, "NP 0F AE /5 W0 M @XSAVE", "xrstor") { xrstor(t, f); }
INSN(xrstor64, "NP 0F AE /5 W1 M @XSAVE", "xrstor64") { xrstor(t, f); }
