/* Calls through pointers, target by data. */
#include "bench.h"
static __attribute__((noinline)) uint32_t f0(uint32_t x) { return x + 1; }
static __attribute__((noinline)) uint32_t f1(uint32_t x) { return x ^ 0x55; }
static __attribute__((noinline)) uint32_t f2(uint32_t x) { return x * 3; }
static __attribute__((noinline)) uint32_t f3(uint32_t x) { return x - 7; }
static __attribute__((noinline)) uint32_t f4(uint32_t x) { return x << 1 | x >> 31; }
static __attribute__((noinline)) uint32_t f5(uint32_t x) { return ~x; }
static __attribute__((noinline)) uint32_t f6(uint32_t x) { return x >> 1; }
static __attribute__((noinline)) uint32_t f7(uint32_t x) { return x | 1; }
static uint32_t (*const volatile table[8])(uint32_t) = { f0, f1, f2, f3, f4, f5, f6, f7 };
int main(int argc, char **argv)
{
    unsigned n = rounds(argc, argv, 60000000);
    uint32_t x = 1;
    for (unsigned i = 0; i < n; i++) x = table[i * 5 + (i >> 3) & 7](x);
    printf("%08x\n", x);
    return 0;
}
