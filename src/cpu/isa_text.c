/* isa_text.c: text of disassemblers, and the rare paths of generated decoders. */
#include "cpu/isa_decode.h"

#include <stdio.h>

void isa_puts(struct isa_text *o, const char *s)
{
    for (; *s; s++, o->len++)
        if (o->len + 1 < o->size) o->buf[o->len] = *s, o->buf[o->len + 1] = 0;
}

void isa_printf(struct isa_text *o, const char *fmt, ...)
{
    size_t room = o->len < o->size ? o->size - o->len : 0;
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(room ? o->buf + o->len : NULL, room, fmt, ap);
    va_end(ap);
    if (n > 0) o->len += (size_t)n;
}

static unsigned in_unit(const struct isa_table *t, unsigned i)
{
    return t->big_endian ? i / t->unit * t->unit + (t->unit - 1 - i % t->unit) : i;
}

uint64_t isa_window_slow(const struct isa_table *t, const uint8_t *p, size_t avail)
{
    uint64_t w = 0;

    for (unsigned i = 0; i < MIN(avail, t->longest); i++) w |= (uint64_t)p[i] << 8 * in_unit(t, i);
    return w;
}

/* Could some row begin with the first n bytes of w and be longer? */
static bool may_go_on(const struct isa_table *t, uint64_t w, size_t n)
{
    for (unsigned i = 0; i < t->nrows; i++) {
        const struct isa_match *m = &t->matches[i];
        if (m->len > n && !((w ^ m->val) & m->mask & bits_mask((unsigned)n * 8))) return true;
    }
    return false;
}

int isa_unknown(const struct isa_table *t, uint64_t w, size_t avail, uint8_t *len)
{
    size_t whole = avail / t->unit * t->unit;

    for (size_t n = t->unit; n <= whole; n += t->unit)
        if (n >= t->longest || !may_go_on(t, w, n)) {
            *len = (uint8_t)n;
            return -1;
        }
    return -2;
}

unsigned isa_undefined(struct isa_text *o, const struct isa_table *t, const uint8_t *p, size_t len)
{
    if (len % t->unit || len > 4 || !len) {
        isa_printf(o, ".byte 0x%02x", *p);
        return 1;
    }
    isa_printf(o, ".%ubyte 0x%0*llx", (unsigned)len, (int)len * 2, (unsigned long long)isa_window_slow(t, p, len));
    return (unsigned)len;
}

/* Rows, then aliases. */
static const struct isa_match *match_of(const struct isa_table *t, unsigned row)
{
    return &t->matches[row < t->nrows ? row : t->aliases + (row - t->nrows)];
}

bool isa_enable(const struct isa_table *t, unsigned row, uint64_t modes, uint64_t *feats)
{
    const struct isa_bits *c = &t->conds[match_of(t, row)->cond * (1u + t->feat_words)];

    for (unsigned i = 0; i < t->feat_words; i++) feats[i] = (feats[i] & ~c[1 + i].mask) | c[1 + i].val;
    return (modes & c->mask) == c->val;
}

unsigned isa_random(const struct isa_table *t, isa_decode_fn *decode, uint64_t (*rnd)(void *), void *ctx, uint8_t *buf,
                    uint64_t modes, const uint64_t *feats, int row)
{
    unsigned len;

    for (unsigned pick = 0; pick < (row < 0 ? 16u * t->nrows : 1); pick++) {
        const struct isa_match *m = match_of(t, row < 0 ? (unsigned)(rnd(ctx) % t->nrows) : (unsigned)row);
        if (isa_unmet(t, m->cond, modes, feats)) continue;
        for (unsigned i = 0; i < 1000; i++) {
            uint64_t w = (rnd(ctx) & ~m->mask) | m->val;
            for (unsigned b = 0; b < m->len; b++) buf[b] = (uint8_t)(w >> 8 * in_unit(t, b));
            if (decode(buf, m->len, modes, feats, &len) == m->row) return m->len;
        }
    }
    return 0;
}
