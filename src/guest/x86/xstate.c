/*
 * xstate.c: the FXSAVE area and XSAVE's standard form in memory: what FXSAVE and XSAVE write, signal frames and core files hold.
 * Intel SDM volume 1, 10.5 and 13.4.
 * Known gaps: AVX-512 and PKRU components.
 */
#include "x86.h"

enum { FX_MXCSR = 24, FX_MXCSR_MASK = 28, FX_XMM = 160, MXCSR_MASK = 0xffff };

void x86_fx_put(const struct x86_cpu *x, uint8_t *p, bool wide)
{
    uint32_t mx[2] = { x86_mxcsr(&x->c), MXCSR_MASK };
    unsigned n = x->is64 ? 16 : 8;

    memset(p, 0, XS_LEGACY);
    x87_fx_put(&x->x87, p, wide);
    memcpy(p + FX_MXCSR, mx, sizeof mx);
    memcpy(p + FX_XMM, x->xmm, n * 16);
}

bool x86_fx_get(struct x86_cpu *x, const uint8_t *p, bool wide, unsigned what)
{
    uint32_t mx;

    memcpy(&mx, p + FX_MXCSR, 4);
    if (what & (XS_SSE | XS_AVX) && mx & ~(uint32_t)MXCSR_MASK) return false;
    if (what & XS_X87) x87_fx_get(&x->x87, p, wide);
    x->c.mode = x87_mode(&x->x87, x->c.mode);
    if (what & (XS_SSE | XS_AVX)) x86_set_mxcsr(&x->c, mx);
    if (what & XS_SSE) memcpy(x->xmm, p + FX_XMM, (x->is64 ? 16 : 8) * 16);
    return true;
}

void x86_fp_reset(struct x86_cpu *x)
{
    x87_reset(&x->x87);
    memset(x->xmm, 0, sizeof x->xmm);
    memset(x->ymmh, 0, sizeof x->ymmh);
    memset(x->k, 0, sizeof x->k);
    x86_set_mxcsr(&x->c, 0x1f80);
    x->c.mode = x87_mode(&x->x87, x->c.mode);
}

unsigned x86_xsave_size(const struct x86_cpu *x)
{
    return x->xcr0 & XS_AVX ? XS_END_AVX : XS_LEGACY + XS_HEADER;
}

void x86_xsave_put(const struct x86_cpu *x, uint8_t *p)
{
    uint64_t bv = x->xcr0 & (XS_X87 | XS_SSE | XS_AVX);
    unsigned n = x->is64 ? 16 : 8;

    x86_fx_put(x, p, x->is64);
    memset(p + XS_LEGACY, 0, x86_xsave_size(x) - XS_LEGACY);
    memcpy(p + XS_LEGACY, &bv, 8);
    if (bv & XS_AVX) memcpy(p + XS_AVX_AT, x->ymmh, n * 16);
}

bool x86_xsave_get(struct x86_cpu *x, const uint8_t *p, uint64_t which)
{
    uint64_t header[3];
    unsigned n = x->is64 ? 16 : 8;

    memcpy(header, p + XS_LEGACY, sizeof header);
    if (header[0] & ~x->xcr0 || header[1] || header[2]) return false;
    uint64_t load = which & header[0], init = which & x->xcr0 & ~header[0];
    if (!x86_fx_get(x, p, x->is64, (unsigned)load | (which & (XS_SSE | XS_AVX) ? XS_AVX : 0))) return false;
    if (load & XS_AVX) memcpy(x->ymmh, p + XS_AVX_AT, n * 16);
    if (init & XS_X87) {
        x87_reset(&x->x87);
        x->c.mode = x87_mode(&x->x87, x->c.mode);
    }
    if (init & XS_SSE) memset(x->xmm, 0, n * 16);
    if (init & XS_AVX) memset(x->ymmh, 0, n * 16);
    return true;
}

void x86_fsave_put(const struct x86_cpu *x, uint8_t p[108])
{
    x87_regs_put(&x->x87, p + x87_env_put(&x->x87, p, true, false));
}

void x86_xsave_cpuid(const struct x86_cpu *x, uint32_t subleaf, uint32_t out[4])
{
    switch (subleaf) {
    case 0:
        out[0] = (uint32_t)x->xcr0;
        out[1] = out[2] = x86_xsave_size(x);
        break;
    case 1: out[1] = x86_xsave_size(x); break;
    case 2:
        if (x->xcr0 & XS_AVX) out[0] = XS_END_AVX - XS_AVX_AT, out[1] = XS_AVX_AT;
        break;
    }
}
