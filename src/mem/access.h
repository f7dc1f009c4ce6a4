/*
 * access.h: one access to guest memory of 1 to 16 bytes at any address. No other CPU sees it half done where it lies within
 * 16 aligned bytes, and the compiler neither splits nor checks it: whatever the guest does at the address is the guest's.
 *
 * x86-64: one instruction; misaligned ones rely on the host's cache lines (SDM volume 3A, 9.1.1), 16 bytes on AVX.
 * Others: aligned accesses as the compiler's atomics do them, 16 bytes in halves (access_whole16() says so).
 */
#ifndef LYRE_MEM_ACCESS_H
#define LYRE_MEM_ACCESS_H

#include "base/base.h"

#if defined(__x86_64__)
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h> /* glibc's record: a cpuid of our own may cost a trip to the hypervisor */
#else
#include <cpuid.h>
#endif

#define ACCESS_N(bits, mov, reg)                                                                       \
    static inline uint##bits##_t access_ld##bits(const void *p)                                        \
    {                                                                                                  \
        uint##bits##_t x;                                                                              \
        __asm__ volatile(mov " %1, %0" : "=" reg(x) : "m"(*(const char(*)[bits / 8])p));              \
        return x;                                                                                      \
    }                                                                                                  \
    static inline void access_st##bits(void *p, uint##bits##_t x)                                      \
    {                                                                                                  \
        __asm__ volatile(mov " %1, %0" : "=m"(*(char(*)[bits / 8])p) : reg(x) : "memory");            \
    }
ACCESS_N(8, "movb", "q")
ACCESS_N(16, "movw", "r")
ACCESS_N(32, "movl", "r")
ACCESS_N(64, "movq", "r")
#undef ACCESS_N

static inline v128 access_ld128(const void *p)
{
    v128 x;
    __asm__ volatile("movdqu %1, %0" : "=x"(x) : "m"(*(const char(*)[16])p));
    return x;
}

static inline void access_st128(void *p, v128 x)
{
    __asm__ volatile("movdqu %1, %0" : "=m"(*(char(*)[16])p) : "x"(x) : "memory");
}

/* Whether aligned 16-byte loads and stores are single accesses. */
static inline bool access_whole16(void)
{
#if __has_include(<sys/platform/x86.h>)
    return x86_cpu_active(x86_cpu_AVX);
#else
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && c & bit_AVX;
#endif
}

/* Compare-and-swap of 16 aligned bytes; returns what was there. */
static inline u128 access_cas128(void *p, u128 expect, u128 desired)
{
    uint64_t lo = (uint64_t)expect, hi = (uint64_t)(expect >> 64);
    __asm__ volatile("lock cmpxchg16b %0"
                     : "+m"(*(char(*)[16])p), "+a"(lo), "+d"(hi)
                     : "b"((uint64_t)desired), "c"((uint64_t)(desired >> 64))
                     : "cc", "memory");
    return (u128)hi << 64 | lo;
}

#else
#define ACCESS_N(bits)                                                                                 \
    typedef uint##bits##_t access_any##bits __attribute__((aligned(1), may_alias));                    \
    static inline uint##bits##_t access_ld##bits(const void *p)                                        \
    {                                                                                                  \
        if ((uintptr_t)p % (bits / 8)) return *(const volatile access_any##bits *)p;                   \
        return __atomic_load_n((const uint##bits##_t *)p, __ATOMIC_RELAXED);                           \
    }                                                                                                  \
    static inline void access_st##bits(void *p, uint##bits##_t x)                                      \
    {                                                                                                  \
        if ((uintptr_t)p % (bits / 8))                                                                 \
            *(volatile access_any##bits *)p = x;                                                       \
        else                                                                                           \
            __atomic_store_n((uint##bits##_t *)p, x, __ATOMIC_RELAXED);                                \
    }
ACCESS_N(8)
ACCESS_N(16)
ACCESS_N(32)
ACCESS_N(64)
#undef ACCESS_N

static inline v128 access_ld128(const void *p)
{
    return (v128){ access_ld64(p), access_ld64((const char *)p + 8) };
}

static inline void access_st128(void *p, v128 x)
{
    access_st64(p, x[0]);
    access_st64((char *)p + 8, x[1]);
}

static inline bool access_whole16(void)
{
    return false;
}

/* Atomic among those that use it. */
static inline u128 access_cas128(void *p, u128 expect, u128 desired)
{
    static char lock;
    while (__atomic_test_and_set(&lock, __ATOMIC_SEQ_CST)) {}
    union vlanes old = { .v = access_ld128(p) };
    if (old.u128 == expect) access_st128(p, (union vlanes){ .u128 = desired }.v);
    __atomic_clear(&lock, __ATOMIC_SEQ_CST);
    return old.u128;
}
#endif

#endif
