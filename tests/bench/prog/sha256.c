/* SHA-256 in plain C: rotates and additions in long dependence chains. */
#include "bench.h"
static uint32_t k[64], h[8];
static uint32_t ror(uint32_t v, int n) { return v >> n | v << (32 - n); }
static void block(const uint8_t *p)
{
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++) w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + w[i - 7] + (ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3) + (ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10);
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = v[7] + (ror(v[4], 6) ^ ror(v[4], 11) ^ ror(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
        uint32_t t2 = (ror(v[0], 2) ^ ror(v[0], 13) ^ ror(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 28);
        v[4] += t1, v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) h[i] += v[i];
}
int main(int argc, char **argv)
{
    unsigned n = rounds(argc, argv, 500000);
    uint64_t s = 7;
    uint8_t buf[64];
    for (int i = 0; i < 64; i++) k[i] = (uint32_t)rnd(&s), buf[i] = (uint8_t)i;
    for (int i = 0; i < 8; i++) h[i] = (uint32_t)rnd(&s);
    for (unsigned r = 0; r < n; r++) buf[r & 63]++, block(buf);
    printf("%08x%08x\n", h[0], h[7]);
    return 0;
}
