/*
 * x87_fast.h: what nearly every x87 instruction computes: add, multiply, divide of normal numbers with a normal result, in any
 * precision and rounding mode. Each says false for everything else, and has changed nothing; fpu/x80.h is for that and the
 * definition. In integers this is twice as fast as the host's own x87 with its loads and stores of ten bytes.
 */
#ifndef LYRE_GUEST_X86_X87_FAST_H
#define LYRE_GUEST_X86_X87_FAST_H

#include "x87.h"

/*
 * A register's number, read and written in two pieces: copied as 16 bytes at once, it would have to wait for the two stores that
 * brought it there.
 */
static inline struct f80 f80_get(const struct f80 *p)
{
    struct f80 v = { *(volatile const uint64_t *)&p->mant, *(volatile const uint16_t *)&p->se };
    return v;
}
static inline void f80_put(struct f80 *p, struct f80 v)
{
    *(volatile uint64_t *)&p->mant = v.mant;
    *(volatile uint16_t *)&p->se = v.se;
}

static inline bool f80_normal(struct f80 a)
{
    return (a.se & 0x7fffu) - 1 < 0x7ffe && a.mant >> 63;
}
#define F80_HALF (1ull << 63)

/* A binary32 or binary64 that is normal or zero; false: something else. */
static inline bool f80_from_s(uint32_t v, struct f80 *r)
{
    const uint32_t exp = v >> 23 & 0xff;

    *r = (struct f80){ F80_HALF | (uint64_t)v << 40, (uint16_t)(v >> 31 << 15 | (exp - 127 + 16383)) };
    if (likely(exp - 1 < 254)) return true;
    *r = (struct f80){ 0, (uint16_t)(v >> 16) };
    return v << 1 == 0;
}
static inline bool f80_from_d(uint64_t v, struct f80 *r)
{
    const uint32_t exp = v >> 52 & 0x7ff;

    *r = (struct f80){ F80_HALF | v << 11, (uint16_t)(v >> 63 << 15 | (exp - 1023 + 16383)) };
    if (likely(exp - 1 < 2046)) return true;
    *r = (struct f80){ 0, (uint16_t)(v >> 48) };
    return v << 1 == 0;
}

/*
 * Rounds hi (top bit set) and lo below it to x's precision; exp is biased. Directions of rounding, carries and shifts by one bit are as
 * good as random, so none of them is a branch.
 */
static inline __attribute__((always_inline)) bool fast_round(struct x87 *x, uint32_t sign, uint32_t exp, uint64_t hi, uint64_t lo,
                                                             struct f80 *d)
{
    uint64_t up, rest = lo;

    if (likely(x->round == 0)) { /* all 64 bits, to the nearest */
        up = lo >> 63 & ((uint64_t)(lo << 1 != 0) | hi);
        hi += up;
    } else {
        const uint32_t drop = x->round & X87_DROP;
        const uint64_t unit = 1ull << drop, low = hi & (unit - 1), half = unit >> 1;
        rest |= low;
        if (x->round & X87_UP) up = (uint64_t)(rest != 0) & x->round >> (sign ? X87_UP_NEG : X87_UP_POS);
        else if (drop == 0) up = lo >> 63 & ((uint64_t)(lo << 1 != 0) | hi);
        else up = (uint64_t)(low > half) | ((uint64_t)(low == half) & ((uint64_t)(lo != 0) | hi >> drop) & 1);
        hi = (hi & ~(unit - 1)) + (up << drop);
    }
    if (unlikely(hi == 0)) {
        hi = F80_HALF;
        exp++;
    }
    if (unlikely(exp - 1 >= 0x7ffe)) return false;
    x->sw = (x->sw & ~(uint32_t)X80_C1) | (uint32_t)(rest != 0) << 5 | (uint32_t)up << 9;
    f80_put(d, (struct f80){ hi, (uint16_t)(sign | exp) });
    return true;
}
_Static_assert(X80_PE == 1 << 5 && X80_C1 == 1 << 9, "fast_round's shifts");

/* d = a + b, or a - b with negate = 0x8000 */
static inline __attribute__((always_inline)) bool fast_add(struct x87 *x, struct f80 *d, struct f80 a, struct f80 b, unsigned negate)
{
    if (unlikely(!f80_normal(a) || !f80_normal(b))) return false;
    uint32_t sa = a.se, sb = b.se ^ negate, ea = sa & 0x7fff, eb = sb & 0x7fff;
    uint64_t ma = a.mant, mb = b.mant;
    /* the larger one first */
    const uint64_t swap = 0 - (uint64_t)((ea < eb) | ((ea == eb) & (ma < mb))), xm = (ma ^ mb) & swap, xs = (sa ^ sb) & swap;
    ma ^= xm, mb ^= xm;
    sa ^= (uint32_t)xs, sb ^= (uint32_t)xs;
    ea = sa & 0x7fff, eb = sb & 0x7fff;
    const uint32_t shift = ea - eb;
    uint64_t hi, lo; /* of b, aligned */
    if (likely(shift < 64)) hi = mb >> shift, lo = mb << 1 << (63 - shift);
    else if (shift == 64) hi = 0, lo = mb;
    else hi = 0, lo = shift < 127 ? mb >> (shift - 64) | (mb << (128 - shift) != 0) : 1;
    if ((sa ^ sb) & 0x8000) {
        /* equal magnitudes: the sign of zero is rounding's */
        u128 v = ((u128)ma << 64) - ((u128)hi << 64 | lo);
        hi = (uint64_t)(v >> 64);
        if (unlikely(hi == 0)) return false;
        const uint32_t lz = (uint32_t)__builtin_clzll(hi);
        lo = (uint64_t)v;
        hi = hi << lz | (lo >> 1 >> (63 - lz));
        lo <<= lz;
        if (unlikely(ea <= lz)) return false;
        ea -= lz;
    } else {
        const uint64_t sum = ma + hi, carry = sum < ma;
        lo = lo >> carry | (lo & carry) | (sum & carry) << 63;
        hi = sum >> carry | carry << 63;
        ea += (uint32_t)carry;
    }
    return fast_round(x, sa & 0x8000, ea, hi, lo, d);
}

static inline __attribute__((always_inline)) bool fast_mul(struct x87 *x, struct f80 *d, struct f80 a, struct f80 b)
{
    if (unlikely(!f80_normal(a) || !f80_normal(b))) return false;
    const u128 p = (u128)a.mant * b.mant;
    uint64_t hi = (uint64_t)(p >> 64), lo = (uint64_t)p;
    const uint32_t shift = !(hi >> 63);
    hi = hi << shift | (lo >> 63 & shift);
    lo <<= shift;
    return fast_round(x, (a.se ^ b.se) & 0x8000, (a.se & 0x7fffu) + (b.se & 0x7fffu) - 16382 - shift, hi, lo, d);
}

/* n / div, which is below 2^64 */
static inline uint64_t f80_div128(uint64_t n_hi, uint64_t n_lo, uint64_t div, uint64_t *rem)
{
#ifdef __x86_64__
    uint64_t q;
    __asm__("divq %4" : "=a"(q), "=d"(*rem) : "0"(n_lo), "1"(n_hi), "r"(div) : "cc");
    return q;
#else
    u128 n = (u128)n_hi << 64 | n_lo;
    *rem = (uint64_t)(n % div);
    return (uint64_t)(n / div);
#endif
}

static inline __attribute__((always_inline)) bool fast_div(struct x87 *x, struct f80 *d, struct f80 a, struct f80 b)
{
    if (unlikely(!f80_normal(a) || !f80_normal(b))) return false;
    bool less = a.mant < b.mant; /* quotient in [1/2, 1): one more bit, so that it is normalised */
    uint64_t r, q = f80_div128(less ? a.mant : a.mant >> 1, less ? 0 : a.mant << 63, b.mant, &r);
    /* the next bit, and whether anything follows */
    uint64_t low = r == 0 ? 0 : r > b.mant - r ? F80_HALF | 1 : r == b.mant - r ? F80_HALF : 1;
    return fast_round(x, (a.se ^ b.se) & 0x8000, (a.se & 0x7fffu) - (b.se & 0x7fffu) + 16383 - less, q, low, d);
}

/* To an integer of so many bits, in any rounding mode (control word's bits 11:10; 3: truncation). */
static inline __attribute__((always_inline)) bool fast_int(struct x87 *x, struct f80 a, unsigned bits, unsigned rc, uint64_t *v)
{
    const int exp = (int)(a.se & 0x7fff) - 16383;
    const bool sign = a.se >> 15;

    if (unlikely(!f80_normal(a) || exp > (int)bits - 2)) return false;
    uint64_t n = exp < 0 ? 0 : a.mant >> (63 - exp), rest = exp >= 0 ? a.mant << (exp + 1) : exp == -1 ? a.mant : 1;
    bool up = rc == 0 ? rest > F80_HALF || (rest == F80_HALF && n & 1) : rc == 1 ? sign && rest : rc == 2 ? !sign && rest : false;
    n += up;
    if (unlikely(n >> (bits - 1))) return false;
    x->new_sw = (x->sw & ~(uint32_t)X80_C1) | (rest ? X80_PE : 0) | (up ? X80_C1 : 0);
    *v = sign ? 0 - n : n;
    return true;
}

#endif
