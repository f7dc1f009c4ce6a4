/*
 * x87.c: control and status words, images in memory. Intel SDM volume 1, 8.1 (environment, figures 8-9 to 8-12), 8.1.7 (tag word), 10.5
 * (FXSAVE). FCS and FDS read as 0, as CPUID.7.0:EBX[13] says; FDP and FOP are those of unmasked exceptions' instructions, EBX[6].
 */
#include "x86.h"

uint32_t x87_mode(const struct x87 *x, uint32_t mode)
{
    return (mode & ~(uint32_t)MODE_X87_UNMASKED) | (~x->cw & X80_EXC ? MODE_X87_UNMASKED : 0);
}

uint16_t x87_status(const struct x87 *x)
{
    return (uint16_t)(x->sw | x->top << 11 | (x87_pending(x) ? 0x8000 | X80_ES : 0));
}

void x87_set_status(struct x87 *x, uint16_t sw)
{
    x->sw = sw & (X80_EXC | X80_SF | X80_CC);
    x->top = sw >> 11 & 7;
}

void x87_set_cw(struct x87 *x, uint16_t cw)
{
    static const uint16_t drop[] = { 40, 0, 11, 0 };
    static const uint16_t rc[] = { 0, X87_UP | 1 << X87_UP_NEG, X87_UP | 1 << X87_UP_POS, X87_UP };

    x->cw = (cw & X87_CW_BITS) | X87_CW_ONE;
    x->round = drop[cw >> 8 & 3] | rc[cw >> 10 & 3];
}

/* 0 valid, 1 zero, 2 special, 3 empty */
uint16_t x87_tags(const struct x87 *x)
{
    uint16_t tw = 0;

    for (unsigned i = 0; i < 8; i++) {
        unsigned exp = x->r[i].se & 0x7fff, tag = 2;
        if (!(x->tag >> i & 1))
            tag = 3;
        else if (exp == 0 && x->r[i].mant == 0)
            tag = 1;
        else if (exp != 0 && exp != 0x7fff && x->r[i].mant >> 63)
            tag = 0;
        tw |= (uint16_t)(tag << (2 * i));
    }
    return tw;
}

void x87_set_tags(struct x87 *x, uint16_t tw)
{
    x->tag = 0;
    for (unsigned i = 0; i < 8; i++)
        x->tag |= (uint32_t)((tw >> (2 * i) & 3) != 3) << i;
}

void x87_init(struct x87 *x)
{
    x87_set_cw(x, X87_CW_INIT);
    x->sw = x->top = x->tag = x->fop = 0;
    x->fip = x->fdp = 0;
}

void x87_reset(struct x87 *x)
{
    x87_init(x);
    memset(x->r, 0, sizeof x->r);
}

static void put16(uint8_t *p, uint64_t v)
{
    memcpy(p, &(uint16_t){ (uint16_t)v }, 2);
}
static void put32(uint8_t *p, uint64_t v)
{
    memcpy(p, &(uint32_t){ (uint32_t)v }, 4);
}
static uint16_t get16(const uint8_t *p)
{
    uint16_t v;
    memcpy(&v, p, 2);
    return v;
}
static uint32_t get32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

unsigned x87_env_put(const struct x87 *x, uint8_t *p, bool wide, bool real)
{
    const unsigned w = wide ? 4 : 2;

    memset(p, wide ? 0xff : 0, 7 * w); /* what is reserved in the wide form reads as ones */
    put16(p, x->cw);
    put16(p + w, x87_status(x));
    put16(p + 2 * w, x87_tags(x));
    if (!wide) {
        put16(p + 6, x->fip);
        put16(p + 8, real ? (x->fip >> 4 & 0xf000) | x->fop : 0);
        put16(p + 10, x->fdp);
        put16(p + 12, real ? x->fdp >> 4 & 0xf000 : 0);
        return 14;
    }
    if (real) {
        put16(p + 12, x->fip);
        put32(p + 16, (x->fip & 0xffff0000) >> 4 | x->fop);
        put16(p + 20, x->fdp);
        put32(p + 24, (x->fdp & 0xffff0000) >> 4);
    } else {
        put32(p + 12, x->fip);
        put32(p + 16, x->fop << 16);
        put32(p + 20, x->fdp);
        put16(p + 24, 0);
    }
    return 28;
}

void x87_env_get(struct x87 *x, const uint8_t *p, bool wide, bool real)
{
    const unsigned w = wide ? 4 : 2;

    x87_set_cw(x, get16(p));
    x87_set_status(x, get16(p + w));
    x87_set_tags(x, get16(p + 2 * w));
    x->fop = 0;
    if (!wide) {
        x->fip = get16(p + 6);
        x->fdp = get16(p + 10);
        if (real) {
            x->fip |= (uint64_t)(get16(p + 8) & 0xf000) << 4;
            x->fdp |= (uint64_t)(get16(p + 12) & 0xf000) << 4;
            x->fop = get16(p + 8) & 0x7ff;
        }
    } else if (real) {
        x->fip = get16(p + 12) | (get32(p + 16) & 0xffff000) << 4;
        x->fdp = get16(p + 20) | (get32(p + 24) & 0xffff000) << 4;
        x->fop = get32(p + 16) & 0x7ff;
    } else {
        x->fip = get32(p + 12);
        x->fdp = get32(p + 20);
        x->fop = get16(p + 18) & 0x7ff;
    }
}

void x87_regs_put(const struct x87 *x, uint8_t *p)
{
    for (unsigned i = 0; i < 8; i++, p += 10) {
        const struct f80 *r = &x->r[(x->top + i) & 7];
        memcpy(p, &r->mant, 8);
        memcpy(p + 8, &r->se, 2);
    }
}

void x87_regs_get(struct x87 *x, const uint8_t *p)
{
    for (unsigned i = 0; i < 8; i++, p += 10) {
        struct f80 *r = &x->r[(x->top + i) & 7];
        memcpy(&r->mant, p, 8);
        memcpy(&r->se, p + 8, 2);
    }
}

void x87_fx_put(const struct x87 *x, uint8_t *p, bool wide)
{
    put16(p, x->cw);
    put16(p + 2, x87_status(x));
    put16(p + 4, x->tag);
    put16(p + 6, x->fop);
    memcpy(p + 8, &x->fip, 8);
    memcpy(p + 16, &x->fdp, 8);
    if (!wide) {
        put32(p + 12, 0);
        put32(p + 20, 0);
    }
    for (unsigned i = 0; i < 8; i++) {
        const struct f80 *r = &x->r[(x->top + i) & 7];
        memset(p + 32 + 16 * i, 0, 16);
        memcpy(p + 32 + 16 * i, &r->mant, 8);
        memcpy(p + 40 + 16 * i, &r->se, 2);
    }
}

void x87_fx_get(struct x87 *x, const uint8_t *p, bool wide)
{
    x87_set_cw(x, get16(p));
    x87_set_status(x, get16(p + 2));
    x->tag = p[4];
    x->fop = get16(p + 6) & 0x7ff;
    memcpy(&x->fip, p + 8, 8);
    memcpy(&x->fdp, p + 16, 8);
    if (!wide) {
        x->fip = (uint32_t)x->fip;
        x->fdp = (uint32_t)x->fdp;
    }
    for (unsigned i = 0; i < 8; i++) {
        struct f80 *r = &x->r[(x->top + i) & 7];
        memcpy(&r->mant, p + 32 + 16 * i, 8);
        memcpy(&r->se, p + 40 + 16 * i, 2);
    }
}
