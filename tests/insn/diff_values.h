/* diff_values.h: what the registers of random states hold (a64/diff_run.c, x86/diff_run.c): random numbers from `seed`, and values at which
 * instructions behave in a special way: limits of integers, NaNs, infinities, denormals of all formats. */
static uint64_t seed;
static uint64_t rnd(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}
static uint64_t interesting(void)
{
    static const uint64_t k[] = {
        0, 1, 2, ~0ull, 1ull << 63, ~0ull >> 1, 1ull << 31, 0x7fffffff, 0xffffffff, 0x8000, 0x7f, 0x80, 0xffffffff80000000,
        0x3ff0000000000000, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000001, 0x7ff0000000000001, 0x0010000000000000,
        0x000fffffffffffff, 0x3f8000007f800000, 0x7fc00001ff800000, 0x7f80000100000001, 0x3c007c00fc007e01, 0x7c010001040003ff,
        0x4330000000000000, 0x41dfffffffc00000, 0xc1e0000000000000, 0x43e0000000000000, 0x4f0000005f000000, 0x3fe0000000000000,
    };
    uint64_t r = rnd();
    switch (r & 7) {
    case 0: case 1: case 2: return k[(r >> 8) % (sizeof k / sizeof *k)];
    case 3: return (r >> 8) & 0xff;
    case 4: return (uint64_t)((int64_t)r >> (r >> 8 & 63));
    case 5: return 0x3ff0000000000000 + (rnd() >> 8) % 0x0060000000000000; /* ordinary doubles, with ordinary singles below */
    case 6: return (uint64_t)(0x3f000000 + (uint32_t)rnd() % 0x3000000) << 32 | (0xbf000000 + (uint32_t)rnd() % 0x3000000);
    default: return rnd();
    }
}
