/*
 * a64_simd_text.c: what the SIMD and floating-point tables need from C: register arrangements and immediates in objdump's
 * spelling, and the computed fields (AdvSIMDExpandImm, VFPExpandImm, element numbers, size checks). Arm ARM C1.2, J1.
 */
#include "a64_simd.h"
#include "cpu/isa_text.h"

typedef struct isa_text T;

/* --- computed fields ------------------------------------------------------------------------------------------------- */

#define FIELD1(name) bool arm_##name(int64_t a, int64_t *out)
#define FIELD2(name) bool arm_##name(int64_t a, int64_t b, int64_t *out)
#define FIELD3(name) bool arm_##name(int64_t a, int64_t b, int64_t c, int64_t *out)
#define FIELD4(name) bool arm_##name(int64_t a, int64_t b, int64_t c, int64_t d, int64_t *out)

static bool yes(int64_t *out, bool ok)
{
    *out = ok;
    return ok;
}
static bool set(int64_t *out, uint64_t v)
{
    *out = (int64_t)v;
    return true;
}
FIELD2(differ) { return yes(out, a != b); }
FIELD1(one) { (void)a; return set(out, 1); }
FIELD1(cat100) { return set(out, (uint64_t)a << 3 | 4); }
FIELD1(cat1000) { return set(out, (uint64_t)a << 4 | 8); }
/* (size, q): no vectors of one 64-bit lane; (sz, q) for FP */
FIELD2(v1d) { return yes(out, a != 3 || b); }
FIELD2(vsz) { return yes(out, !a || b); }
FIELD2(vacross) { return yes(out, a < 2 || (a == 2 && b)); }
FIELD2(vdup) { return yes(out, a & 15 && (b || !(a & 8) || a & 7)); }
FIELD2(vsmov) { return yes(out, a & 3 || (a & 4 && b)); }
FIELD2(vumov) { return yes(out, b ? (a & 15) == 8 : a & 7); }
FIELD2(vext) { return yes(out, b || a < 8); }
/* immh:immb: 0 is the modified-immediate space */
FIELD2(vhb) { return yes(out, a >= 8 && (a < 64 || b)); }
FIELD1(hb32) { return yes(out, a >= 8 && a < 64); }
FIELD1(hb64) { return yes(out, a >= 64); }
FIELD1(hbany) { return yes(out, a >= 8); }
FIELD1(hbzero) { return yes(out, a == 8 || a == 16 || a == 32); }
FIELD2(fphb) { return yes(out, a >= 16 && (a < 64 || b)); }
FIELD2(fixscale) { return yes(out, a || b >= 32); }
FIELD2(fcmlah) { return yes(out, a || !b); }
FIELD4(eidx) { return set(out, (uint64_t)(a == 1 ? b << 2 | c << 1 | d : b << 1 | c)); }
FIELD3(erm) { return set(out, (uint64_t)(a == 1 ? c : b << 4 | c)); }
FIELD3(hidx) { return set(out, (uint64_t)(a << 2 | b << 1 | c)); }
FIELD3(fidx)
{
    *out = a ? b : b << 1 | c;
    return !a || !c;
}
FIELD3(frm) { (void)a; return set(out, (uint64_t)(b << 4 | c)); }

static uint64_t rep(uint64_t x, unsigned bits)
{
    for (x &= bits_mask(bits); bits < 64; bits *= 2) x |= x << bits;
    return x;
}
static uint64_t imm8(int64_t a, int64_t b)
{
    return (uint64_t)(a << 5 | b);
}
FIELD3(vimm32) { return set(out, rep(imm8(a, b) << 8 * c, 32)); }
FIELD3(vimm32n) { return set(out, ~rep(imm8(a, b) << 8 * c, 32)); }
FIELD3(vimm16) { return set(out, rep(imm8(a, b) << 8 * c, 16)); }
FIELD3(vimm16n) { return set(out, ~rep(imm8(a, b) << 8 * c, 16)); }
FIELD3(vimmsl) { return set(out, rep(c ? imm8(a, b) << 16 | 0xffff : imm8(a, b) << 8 | 0xff, 32)); }
FIELD3(vimmsln) { return set(out, ~rep(c ? imm8(a, b) << 16 | 0xffff : imm8(a, b) << 8 | 0xff, 32)); }
FIELD2(vimm8) { return set(out, rep(imm8(a, b), 8)); }
FIELD2(vimm64)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        if (imm8(a, b) >> i & 1) v |= 0xffull << 8 * i;
    return set(out, v);
}
/* VFPExpandImm: sign, 3 exponent bits around the bias, 4 fraction bits. */
static uint64_t fimm(uint64_t v, unsigned exp_bits, unsigned frac_bits)
{
    uint64_t sign = v >> 7 & 1, e = v >> 4 & 7, frac = v & 15;
    uint64_t exp = (e & 4 ? bits_mask(exp_bits - 3) << 2 : 1ull << (exp_bits - 1)) | (e & 3);
    return sign << (exp_bits + frac_bits) | exp << frac_bits | frac << (frac_bits - 4);
}
FIELD2(fimm) { return set(out, a == 0 ? fimm((uint64_t)b, 8, 23) : a == 1 ? fimm((uint64_t)b, 11, 52) : fimm((uint64_t)b, 5, 10)); }
FIELD2(vfimm32) { return set(out, rep(fimm(imm8(a, b), 8, 23), 32)); }
FIELD2(vfimm16) { return set(out, rep(fimm(imm8(a, b), 5, 10), 16)); }
FIELD2(vfimm64) { return set(out, fimm(imm8(a, b), 11, 52)); }

/* --- formatters ---------------------------------------------------------------------------------------------------------- */

#define FORMATTER(name) void arm_fmt_##name(T *o, int64_t v UNUSED, const struct arm_fields *f UNUSED, uint64_t pc UNUSED)

/* v12.4s: lanes of 8 << size bits in 64 or 128 bits. */
static void arrangement(T *o, int64_t reg, int64_t size, bool q)
{
    isa_printf(o, "v%d.%d%c", (int)reg, (q ? 16 : 8) >> size, "bhsd"[size & 3]);
}
static void scalar(T *o, int64_t reg, int64_t size)
{
    isa_printf(o, "%c%d", "bhsdq"[size < 0 || size > 4 ? 4 : size], (int)reg);
}
static int64_t log2_of(int64_t v)
{
    return v > 0 ? 31 - __builtin_clz((unsigned)v) : 0;
}
static int64_t hb_size(const struct arm_fields *f) { return log2_of(f->hb >> 3); }
static int64_t imm5_size(const struct arm_fields *f) { return f->imm5 ? __builtin_ctz((unsigned)f->imm5) : 0; }

FORMATTER(v) { arrangement(o, v, f->size, f->q); }
FORMATTER(vw) { arrangement(o, v, f->size + 1, true); }          /* twice as wide, all of the register */
FORMATTER(vp) { arrangement(o, v, f->size + 1, f->q); }          /* twice as wide, half as many */
FORMATTER(vb) { arrangement(o, v, 0, f->q); }
FORMATTER(v2s) { arrangement(o, v, 2, f->q); }
FORMATTER(v4h) { arrangement(o, v, 1, f->q); }
FORMATTER(v2h) { isa_printf(o, "v%d.%dh", (int)v, f->q ? 4 : 2); }
FORMATTER(v8h) { isa_printf(o, "v%d.8h", (int)v); }
FORMATTER(v1d) { isa_printf(o, "v%d.%dd", (int)v, f->q ? 2 : 1); }
FORMATTER(v1q) { isa_printf(o, "v%d.1q", (int)v); }
FORMATTER(vh) { arrangement(o, v, hb_size(f), f->q); }
FORMATTER(vhw) { arrangement(o, v, hb_size(f) + 1, true); }
FORMATTER(v5) { arrangement(o, v, imm5_size(f), f->q); }
FORMATTER(vf) { arrangement(o, v, f->sz + 2, f->q); }
FORMATTER(vf2) { isa_printf(o, "v%d.2%c", (int)v, f->sz ? 'd' : 's'); }
FORMATTER(vfw) { arrangement(o, v, f->sz + 2, true); }           /* the wide side of FCVTL, FCVTN */
FORMATTER(vfn) { arrangement(o, v, f->sz + 1, f->q); }
FORMATTER(sc) { scalar(o, v, f->size); }
FORMATTER(scw) { scalar(o, v, f->size + 1); }
FORMATTER(sch) { scalar(o, v, hb_size(f)); }
FORMATTER(schw) { scalar(o, v, hb_size(f) + 1); }
FORMATTER(sc5) { scalar(o, v, imm5_size(f)); }
FORMATTER(fh) { scalar(o, v, 1); }
FORMATTER(fs) { scalar(o, v, 2); }
FORMATTER(fd) { scalar(o, v, 3); }
FORMATTER(fz) { scalar(o, v, f->sz + 2); }
static int64_t ftype_size(int64_t ft) { return ft == 0 ? 2 : ft == 1 ? 3 : 1; }
FORMATTER(ft) { scalar(o, v, ftype_size(f->ftype)); }
FORMATTER(fpo) { scalar(o, v, ftype_size(f->opc)); }
static void gpr(T *o, int64_t n, bool wide)
{
    if (n == 31)
        isa_puts(o, wide ? "xzr" : "wzr");
    else
        isa_printf(o, "%c%d", wide ? 'x' : 'w', (int)n);
}
FORMATTER(rx) { gpr(o, v, true); }
FORMATTER(rw) { gpr(o, v, false); }
FORMATTER(rq) { gpr(o, v, f->q); }
FORMATTER(r5) { gpr(o, v, imm5_size(f) == 3); }
FORMATTER(two) { if (v) isa_puts(o, "2"); }
FORMATTER(bt) { isa_puts(o, v ? "t" : "b"); }
FORMATTER(elt) { isa_printf(o, "v%d.%c[%d]", (int)v, "bhsd"[imm5_size(f) & 3], (int)(f->imm5 >> (imm5_size(f) + 1))); }
FORMATTER(elt4) { isa_printf(o, "v%d.%c[%d]", (int)v, "bhsd"[imm5_size(f) & 3], (int)(f->imm4 >> imm5_size(f))); }
FORMATTER(ve) { isa_printf(o, "v%d.%c[%d]", (int)v, "bhsd"[f->size & 3], (int)f->eidx); }
FORMATTER(he) { isa_printf(o, "v%d.h[%d]", (int)v, (int)f->eidx); }
FORMATTER(fe) { isa_printf(o, "v%d.%c[%d]", (int)v, f->sz ? 'd' : 's', (int)f->eidx); }
FORMATTER(b4e) { isa_printf(o, "v%d.4b[%d]", (int)v, (int)(f->h << 1 | f->l)); }
FORMATTER(h2e) { isa_printf(o, "v%d.2h[%d]", (int)v, (int)(f->h << 1 | f->l)); }
FORMATTER(hce) { isa_printf(o, "v%d.h[%d]", (int)v, (int)(f->h << 1 | f->l)); }
FORMATTER(sce) { isa_printf(o, "v%d.s[%d]", (int)v, (int)f->h); }
FORMATTER(tab)
{
    unsigned n = (unsigned)f->tlen + 1;
    if (n == 1)
        isa_printf(o, "{v%d.16b}", (int)v);
    else if (n == 2 || v + n > 32)
        for (unsigned i = 0; i < n; i++) isa_printf(o, "%sv%d.16b%s", i ? " " : "{", (int)(v + i) & 31, i + 1 < n ? "," : "}");
    else
        isa_printf(o, "{v%d.16b-v%d.16b}", (int)v, (int)(v + n - 1));
}
FORMATTER(right) { isa_printf(o, "%d", (int)((16 << hb_size(f)) - v)); }
FORMATTER(left) { isa_printf(o, "%d", (int)(v - (8 << hb_size(f)))); }
FORMATTER(esize) { isa_printf(o, "%d", 8 << v); }
FORMATTER(imm8) { isa_printf(o, "#0x%x", (unsigned)imm8(v, f->b)); }
FORMATTER(hex16) { isa_printf(o, "#0x%llx", (unsigned long long)v); }
FORMATTER(msl) { isa_printf(o, "#%d", v ? 16 : 8); }
FORMATTER(rot) { isa_printf(o, "%d", (int)v * 90); }
FORMATTER(rot90) { isa_printf(o, "%d", v ? 270 : 90); }
FORMATTER(fbits) { isa_printf(o, "%d", 64 - (int)v); }
static void float8(T *o, uint64_t v)
{
    double d;
    uint64_t bits = fimm(v, 11, 52);
    memcpy(&d, &bits, sizeof d);
    isa_printf(o, "%.18e", d);
}
FORMATTER(fimm) { float8(o, (uint64_t)v); }
FORMATTER(fimm8) { float8(o, imm8(v, f->b)); }
