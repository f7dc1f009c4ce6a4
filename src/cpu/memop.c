/*
 * memop.c: memory operations of IR on host memory in their general form: byte order, acquire and release, compare-and-swap,
 * read-modify-write. The interpreter and the slow paths of system mode share it.
 *
 * Known gap: atomics that are misaligned without MO_ALIGN rely on the host allowing them.
 */
#include "cpu/soft.h"
#include "ir/build.h"
#include "mem/access.h"

static uint64_t swap(uint64_t x, unsigned bytes)
{
    return bytes == 1 ? x : __builtin_bswap64(x) >> (64 - 8 * bytes);
}

static union vlanes swap16(union vlanes x)
{
    return (union vlanes){ .u64 = { __builtin_bswap64(x.u64[1]), __builtin_bswap64(x.u64[0]) } };
}

/* A value in memory order: what has to be stored for v, or the value that was loaded. */
static union vlanes ordered(union vlanes v, unsigned mo)
{
    if (!(mo & MO_BE))
        return v;
    if ((mo & MO_SIZE) == MO_128)
        return swap16(v);
    v.u64[0] = swap(v.u64[0] & bits_mask(8 * MO_BYTES(mo)), MO_BYTES(mo));
    return v;
}

static union vlanes load(const void *p, unsigned size)
{
    union vlanes r = { 0 };

    switch (size) {
    case MO_8: r.u64[0] = access_ld8(p); break;
    case MO_16: r.u64[0] = access_ld16(p); break;
    case MO_32: r.u64[0] = access_ld32(p); break;
    case MO_64: r.u64[0] = access_ld64(p); break;
    default: r.v = access_ld128(p); break;
    }
    return r;
}

static void store(void *p, unsigned size, union vlanes v)
{
    switch (size) {
    case MO_8: access_st8(p, v.u8[0]); break;
    case MO_16: access_st16(p, (uint16_t)v.u64[0]); break;
    case MO_32: access_st32(p, (uint32_t)v.u64[0]); break;
    case MO_64: access_st64(p, v.u64[0]); break;
    default: access_st128(p, v.v); break;
    }
}

/* If memory equals expect, writes desired; returns what was there. In memory order. */
static union vlanes cas(void *p, unsigned size, union vlanes expect, union vlanes desired)
{
#define CAS_N(T)                                                                                              \
    {                                                                                                         \
        T old = (T)expect.u64[0];                                                                             \
        __atomic_compare_exchange_n((T *)p, &old, (T)desired.u64[0], false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
        return (union vlanes){ .u64 = { old } };                                                              \
    }
    switch (size) {
    case MO_8: CAS_N(uint8_t)
    case MO_16: CAS_N(uint16_t)
    case MO_32: CAS_N(uint32_t)
    case MO_64: CAS_N(uint64_t)
    default: return (union vlanes){ .u128 = access_cas128(p, expect.u128, desired.u128) };
    }
}

static uint64_t combine(enum ir_rmw op, unsigned bits, uint64_t old, uint64_t v)
{
    int64_t so = bits_sext(old, bits), sv = bits_sext(v, bits);

    switch (op) {
    case RMW_XCHG: return v;
    case RMW_ADD: return old + v;
    case RMW_AND: return old & v;
    case RMW_OR: return old | v;
    case RMW_XOR: return old ^ v;
    case RMW_SMIN: return so < sv ? old : v;
    case RMW_SMAX: return so > sv ? old : v;
    case RMW_UMIN: return old < v ? old : v;
    case RMW_UMAX: return old > v ? old : v;
    case RMW_BIC: return old & ~v;
    }
    return v;
}

/* One loop for all of them: it always ends, as a failed exchange means that another CPU went on. */
static union vlanes rmw(void *p, enum ir_rmw op, unsigned mo, union vlanes v)
{
    const unsigned bits = 8 * MO_BYTES(mo);
    union vlanes seen = load(p, mo & MO_SIZE), old, next;

    do {
        old = seen;
        next.u64[0] = combine(op, bits, ordered(old, mo).u64[0], v.u64[0]) & bits_mask(bits);
        next.u64[1] = 0;
        seen = cas(p, mo & MO_SIZE, old, ordered(next, mo));
    } while (seen.u64[0] != old.u64[0]);
    return ordered(old, mo);
}

/* Touches what an access of n bytes would: its first and last byte and one in each page between. */
static void probe(uint8_t *p, uint32_t n, bool is_store)
{
    for (uint32_t at = 0; n; at = MIN(at + 4096, n - 1)) {
        if (is_store)
            __atomic_fetch_or(p + at, 0, __ATOMIC_RELAXED);
        else
            access_ld8(p + at);
        if (at == n - 1)
            break;
    }
}

void memop(const struct ir_ins *ins, void *p, const union vlanes *b, const union vlanes *c, union vlanes *r)
{
    const unsigned mo = ins->mo, size = mo & MO_SIZE;

    switch (ins->op) {
    case IR_LD:
        *r = load(p, size);
        if (mo & MO_ACQ)
            __atomic_thread_fence(__ATOMIC_ACQUIRE);
        *r = ordered(*r, mo);
        if (mo & MO_SIGN && size < MO_64)
            r->u64[0] = (uint64_t)bits_sext(r->u64[0], 8u << size) & bits_mask(ir_type_bits[ins->type]);
        break;
    case IR_ST:
        if (mo & MO_REL)
            __atomic_thread_fence(__ATOMIC_RELEASE);
        store(p, size, ordered(*b, mo));
        if (mo & MO_REL) /* a later load-acquire must not pass it */
            __atomic_thread_fence(__ATOMIC_SEQ_CST);
        break;
    case IR_CAS: *r = ordered(cas(p, size, ordered(*b, mo), ordered(*c, mo)), mo); break;
    case IR_RMW: *r = rmw(p, ins->sub, mo, *b); break;
    default: probe(p, ins->y, mo & MO_STORE); break;
    }
}
