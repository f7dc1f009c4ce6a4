/*
 * isa_decode.h: what the decoders that tools/isagen writes have in common. Only generated code includes this.
 *
 * The window `w` is the instruction's first 8 bytes, bit 0 the least significant bit of the first unit in memory, zeros
 * where nothing is readable.
 */
#ifndef LYRE_CPU_ISA_DECODE_H
#define LYRE_CPU_ISA_DECODE_H

#include "cpu/isa_text.h"

struct isa_bits {
    uint64_t mask, val;
};
struct isa_match {
    uint64_t mask, val;
    uint16_t row;
    uint16_t cond;   /* entry of conds */
    uint16_t layout; /* which fields are where */
    uint8_t len;     /* bytes */
};
/*
 * A link of the decision tree. >= 0: a node, bits [shift, shift + width) of w choose among links[base...].
 * < 0: ~ an index into cands: matches to compare in full, most specific first, ended by -1.
 */
#define ISA_NODE(shift, width, base) ((base) << 14 | ((1 << (width)) - 1) << 6 | (shift))
struct isa_table {
    const int32_t *links; /* the first one is the root */
    const int16_t *cands;
    const struct isa_match *matches; /* nrows whole rows, parts of rows, naliases from `aliases` on */
    const struct isa_bits *conds; /* 1 + feat_words each */
    uint16_t nrows, aliases, naliases;
    uint8_t feat_words, unit, longest;
    bool big_endian; /* inside a unit */
};

uint64_t isa_window_slow(const struct isa_table *t, const uint8_t *p, size_t avail);

static inline __attribute__((always_inline)) uint64_t isa_window(const struct isa_table *t, const uint8_t *p, size_t avail)
{
    uint32_t lo;

    if (t->big_endian || t->longest > 4 || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ || unlikely(avail < 4))
        return isa_window_slow(t, p, avail);
    memcpy(&lo, p, sizeof lo);
    return lo;
}

/* 0 if modes and features are what an entry of conds demands. */
static inline __attribute__((always_inline)) uint64_t isa_unmet(const struct isa_table *t, unsigned cond, uint64_t modes,
                                                                const uint64_t *feats)
{
    const struct isa_bits *c = &t->conds[cond * (1u + t->feat_words)];
    uint64_t diff = (modes & c->mask) ^ c->val;

    for (unsigned i = 0; i < t->feat_words; i++) diff |= (feats[i] & c[1 + i].mask) ^ c[1 + i].val;
    return diff;
}

/* Zeroes a struct of fields: n is a constant multiple of 64. Compilers would call out or use a slow string instruction. */
static inline __attribute__((always_inline)) void isa_clear(void *p, size_t n)
{
    for (v128 *v = p, *end = v + n / sizeof *v; v != end; v += 4) {
        v[0] = v[1] = v[2] = v[3] = (v128){ 0 };
        __asm__("" : "+r"(v)); /* keeps the loop a loop */
    }
}

/* What w selects, NULL if nothing. Inlined with a constant table. */
static inline __attribute__((always_inline)) const struct isa_match *isa_find(const struct isa_table *t, uint64_t w,
                                                                              uint64_t modes, const uint64_t *feats)
{
    int32_t n = t->links[0];

    do
        n = t->links[(uint32_t)n / (1 << 14) + (w >> (n & 63) & (uint32_t)n / 64 % 256)];
    while (n >= 0);
    for (const int16_t *c = &t->cands[~n]; *c >= 0; c++) {
        const struct isa_match *m = &t->matches[*c];
        if (!(((w & m->mask) ^ m->val) | isa_unmet(t, m->cond, modes, feats))) return m;
    }
    return NULL;
}

/*
 * No row, or one longer than avail: -2 if a longer row could begin with these bytes, else -1 and the number of bytes
 * that say so, whole units.
 */
int isa_unknown(const struct isa_table *t, uint64_t w, size_t avail, uint8_t *len);
/* Data directive for what is undefined; returns the number of bytes it covers (1 at least). */
unsigned isa_undefined(struct isa_text *o, const struct isa_table *t, const uint8_t *p, size_t len);
typedef int isa_decode_fn(const uint8_t *p, size_t avail, uint64_t modes, const uint64_t *feats, unsigned *len);
bool isa_enable(const struct isa_table *t, unsigned row, uint64_t modes, uint64_t *feats);
/* Random bytes of a row, tried until decode() returns it; see <prefix>random. */
unsigned isa_random(const struct isa_table *t, isa_decode_fn *decode, uint64_t (*rnd)(void *), void *ctx, uint8_t *buf,
                    uint64_t modes, const uint64_t *feats, int row);

#endif
