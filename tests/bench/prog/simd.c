/* Integer arrays: saturating blend, sums of absolute differences, histogram-free; vectorised where possible. */
#include "bench.h"
enum { N = 4096 };
static uint8_t x[N], y[N], z[N];
static int16_t p[N], q[N];
static int32_t s[N];
int main(int argc, char **argv)
{
    unsigned n = rounds(argc, argv, 10000);
    uint64_t seed = 99;
    uint32_t sad = 0;
    for (int i = 0; i < N; i++) x[i] = (uint8_t)rnd(&seed), y[i] = (uint8_t)rnd(&seed), p[i] = (int16_t)rnd(&seed), q[i] = (int16_t)rnd(&seed);
    for (unsigned r = 0; r < n; r++) {
        for (int i = 0; i < N; i++) z[i] = (uint8_t)((x[i] + y[i] + 1) >> 1);
        for (int i = 0; i < N; i++) s[i] += p[i] * q[i];
        for (int i = 0; i < N; i++) sad += x[i] > z[i] ? x[i] - z[i] : z[i] - x[i];
        for (int i = 0; i < N; i++) x[i] ^= (uint8_t)(z[i] << 1);
        p[r % N] ^= (int16_t)sad;
    }
    uint32_t h = sad;
    for (int i = 0; i < N; i++) h = h * 31 + (uint32_t)s[i] + x[i];
    printf("%08x\n", h);
    return 0;
}
