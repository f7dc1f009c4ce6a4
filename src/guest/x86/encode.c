/*
 * encode.c: random instructions of the tables, for tests: a form, a point of its set, bytes for it; what the decoder does not take for
 * the same row is drawn again.
 * Known gaps: EVEX.
 */
#include "decode.h"

struct draw {
    uint64_t (*rnd)(void *);
    void *ctx;
    uint8_t *p;
    unsigned n;
    const struct x86_form *form;
    unsigned code;
    /* the point */
    unsigned pp, mod, reg, rm, w, l, os, as, rexb;
};

static uint64_t rnd(struct draw *d, uint64_t below)
{
    return (d->rnd(d->ctx) >> 11) % below;
}
static void put(struct draw *d, uint64_t v, unsigned bytes)
{
    for (; bytes && d->n < 15; bytes--, v >>= 8) d->p[d->n++] = (uint8_t)v;
}

/* A value of an axis that the form allows; `likely` first, seven times in eight, if it is one. */
static unsigned pick(struct draw *d, unsigned axis, unsigned values, unsigned likely)
{
    uint64_t set = d->form->set >> axis & ((1u << values) - 1);
    if (set >> likely & 1 && rnd(d, 8)) return likely;
    for (;;) {
        unsigned v = (unsigned)rnd(d, values);
        if (set >> v & 1) return v;
    }
}

static bool has_operand(const struct x86_form *f, const char *letters)
{
    for (unsigned i = 0; i < f->nops; i++)
        if (f->op[i].kind < X86_FIXED && strchr(letters, f->op[i].kind)) return true;
    return false;
}

/* Displacements and immediates: small, or all bits. */
static uint64_t number(struct draw *d)
{
    uint64_t v = d->rnd(d->ctx);
    switch (rnd(d, 4)) {
    case 0: return (uint64_t)(int64_t)(int8_t)v;
    case 1: return v & 0x3f;
    case 2: return 1ull << (v & 63);
    default: return v;
    }
}

static void modrm(struct draw *d)
{
    put(d, d->mod << 6 | d->reg << 3 | d->rm, 1);
    if (d->mod == 3) return;
    if (d->as == 0) { /* 16-bit addresses */
        put(d, number(d), d->mod == 0 ? 2 * (d->rm == 6) : d->mod);
        return;
    }
    unsigned bytes = d->mod == 1 ? 1 : d->mod == 2 ? 4 : 0;
    if (d->rm == 4) {
        unsigned sib = (unsigned)rnd(d, 256);
        put(d, sib, 1);
        if ((sib & 7) == 5 && d->mod == 0) bytes = 4;
    } else if (d->rm == 5 && d->mod == 0) {
        bytes = 4;
    }
    put(d, number(d), bytes);
}

static void immediates(struct draw *d)
{
    unsigned osize = d->os == 0 ? 2 : d->os == 1 ? 4 : 8;
    if (d->code == 64 && d->form->attrs & X86_ATTR_f64) osize = 8;
    unsigned z = MIN(osize, 4u);
    for (unsigned i = 0; i < d->form->nops; i++) {
        unsigned size = d->form->op[i].size, n = size == X86_SIZE_b || size == X86_SIZE_bs ? 1 : size == X86_SIZE_w ? 2 : size == X86_SIZE_v ? osize : z;
        switch (d->form->op[i].kind) {
        case 'I': case 'J': put(d, number(d), n); break;
        case 'O': put(d, number(d), d->as == 0 ? 2 : d->as == 1 ? 4 : 8); break;
        case 'L': put(d, rnd(d, d->code == 64 ? 16 : 8) << 4, 1); break;
        case 'A': put(d, number(d), z + 2); break;
        }
    }
}

static void legacy(struct draw *d)
{
    static const uint8_t mandatory[4] = { 0, 0x66, 0xf3, 0xf2 };
    unsigned dflt_os = d->code == 16 ? 0 : 1, dflt_as = d->code == 64 ? 2 : d->code == 32 ? 1 : 0;
    bool need66 = d->pp != 1 && (d->os == 0) != (dflt_os == 0) && d->os != 2;

    if (d->form->attrs & X86_ATTR_lock && d->mod != 3 && !rnd(d, 4)) put(d, 0xf0, 1);
    if (need66) put(d, 0x66, 1);
    if (d->as != dflt_as) put(d, 0x67, 1);
    if (d->form->attrs & (X86_ATTR_rep | X86_ATTR_repz) && rnd(d, 2)) put(d, 0xf2 + rnd(d, 2), 1);
    if (d->pp) put(d, mandatory[d->pp], 1);
    if (d->code == 64) {
        unsigned rex = 0x40 | (unsigned)rnd(d, 8) >> 1 << 1 | d->rexb | d->w << 3;
        if (rex != 0x40 ? d->w || d->rexb || rnd(d, 2) : !rnd(d, 4)) put(d, rex, 1);
    }
    if (d->form->map) put(d, 0x0f, 1);
    if (d->form->map > 1) put(d, d->form->map == 2 ? 0x38 : 0x3a, 1);
}

static void vex(struct draw *d)
{
    unsigned vvvv = has_operand(d->form, "HB") ? (unsigned)rnd(d, d->code == 64 ? 16 : 8) : 0;
    unsigned r = d->code == 64 ? (unsigned)rnd(d, 2) : 0, x = d->code == 64 ? (unsigned)rnd(d, 2) : 0;
    unsigned low = (~vvvv & 15) << 3 | d->l << 2 | d->pp;

    if (d->as != (d->code == 64 ? 2u : 1u)) put(d, 0x67, 1);
    if (d->form->map == 1 && !x && !d->rexb && !d->w && rnd(d, 2)) {
        put(d, 0xc5, 1);
        put(d, (r ? 0 : 0x80) | low, 1);
        return;
    }
    put(d, 0xc4, 1);
    put(d, (r ? 0 : 0x80) | (x ? 0 : 0x40) | (d->rexb ? 0 : 0x20) | d->form->map, 1);
    put(d, d->w << 7 | low, 1);
}

static void one(struct draw *d)
{
    unsigned c64 = d->code == 64, first_os = d->code == 16 ? 0 : 1, opcode = d->form->opcode;

    d->n = 0;
    d->mod = d->form->modrm ? pick(d, X86_AXIS_MOD, 2, (unsigned)rnd(d, 2)) ? 3 : (unsigned)rnd(d, 3) : 3;
    d->reg = d->form->modrm ? pick(d, X86_AXIS_REG, 8, (unsigned)rnd(d, 8)) : 0;
    d->rm = d->form->modrm ? pick(d, X86_AXIS_RM, 8, (unsigned)rnd(d, 8)) : 0;
    d->pp = pick(d, X86_AXIS_PP, 4, 0);
    d->w = pick(d, X86_AXIS_W, 2, (unsigned)rnd(d, 2));
    d->l = pick(d, X86_AXIS_L, 2, (unsigned)rnd(d, 2));
    d->as = pick(d, X86_AXIS_AS, 3, c64 ? 2 : d->code == 32);
    d->rexb = pick(d, X86_AXIS_REXB, 2, (unsigned)rnd(d, 2));
    if (!c64) d->w &= d->form->enc != X86_ENC_LEGACY, d->rexb = 0;
    d->os = d->w && c64 ? 2 : pick(d, X86_AXIS_OS, 3, rnd(d, 3) ? first_os : 0);
    if (d->os == 2 && c64) d->w = 1;
    if (d->form->enc == X86_ENC_LEGACY) legacy(d);
    else vex(d);
    if (d->form->range > 1) opcode += (unsigned)rnd(d, d->form->range);
    put(d, opcode, 1);
    if (d->form->modrm) modrm(d);
    immediates(d);
}

static bool open_here(const struct x86_form *f, unsigned code, const uint64_t *feats)
{
    for (unsigned i = 0; i < ARRAY_LEN(f->gate) && f->gate[i]; i++)
        if (!(feats[(f->gate[i] - 1u) / 64] >> (f->gate[i] - 1u) % 64 & 1)) return false;
    return f->set >> (X86_AXIS_MODE64 + (code == 64)) & 1 && f->enc != X86_ENC_EVEX;
}

unsigned x86_random(uint64_t (*next)(void *), void *ctx, uint8_t *buf, unsigned code, const uint64_t *feats, int row)
{
    enum { TRIES = 200 };
    struct draw d = { .rnd = next, .ctx = ctx, .p = buf, .code = code };
    unsigned n = 0, k;

    for (unsigned i = 0; i < X86_NFORMS; i++) n += (row < 0 || x86_forms[i].row == row) && open_here(&x86_forms[i], code, feats);
    if (!n) return 0;
    for (unsigned try = 0; try < TRIES; try++) {
        struct x86_fields f;
        k = (unsigned)rnd(&d, n);
        for (unsigned i = 0; i < X86_NFORMS; i++) {
            if ((row >= 0 && x86_forms[i].row != row) || !open_here(&x86_forms[i], code, feats) || k--) continue;
            d.form = &x86_forms[i];
            break;
        }
        one(&d);
        int got = x86_decode(buf, d.n, code, feats, &f);
        if (got >= 0 && f.len == d.n && (row < 0 || got == row)) return d.n;
    }
    return 0;
}
