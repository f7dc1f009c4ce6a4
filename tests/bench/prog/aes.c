/* AES-128 in C with look-up tables (FIPS 197), chained: loads that depend on what was computed, xors, byte extraction. */
#include "bench.h"
static uint8_t sbox[256];
static uint32_t te[4][256];
static uint8_t times2(uint8_t v) { return (uint8_t)(v << 1 ^ (v >> 7) * 0x1b); }
static uint32_t ror(uint32_t v, int n) { return v >> n | v << (32 - n); }
static void tables(void)
{
    uint8_t p = 1, q = 1;
    do { /* p runs through the field's units as powers of 3, q through their inverses */
        p = (uint8_t)(p ^ times2(p));
        q ^= (uint8_t)(q << 1), q ^= (uint8_t)(q << 2), q ^= (uint8_t)(q << 4);
        if (q & 0x80) q ^= 0x09;
        sbox[p] = (uint8_t)(q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4) ^ 0x63);
    } while (p != 1);
    sbox[0] = 0x63;
    for (int i = 0; i < 256; i++) {
        uint8_t s = sbox[i], d = times2(s);
        te[0][i] = (uint32_t)d << 24 | (uint32_t)s << 16 | (uint32_t)s << 8 | (uint8_t)(d ^ s);
        for (int j = 1; j < 4; j++) te[j][i] = ror(te[0][i], 8 * j);
    }
}
static uint32_t word(uint32_t a, uint32_t b, uint32_t c, uint32_t d) /* SubBytes and ShiftRows of one column */
{
    return (uint32_t)sbox[a >> 24] << 24 | (uint32_t)sbox[b >> 16 & 255] << 16 | (uint32_t)sbox[c >> 8 & 255] << 8 | sbox[d & 255];
}
static void expand(const uint32_t key[4], uint32_t w[44])
{
    uint8_t rcon = 1;
    memcpy(w, key, 16);
    for (int i = 4; i < 44; i++) {
        uint32_t t = w[i - 1];
        if (i % 4 == 0) t = ror(t, 24), t = word(t, t, t, t) ^ (uint32_t)rcon << 24, rcon = times2(rcon);
        w[i] = w[i - 4] ^ t;
    }
}
static uint32_t column(const uint32_t *s, int i)
{
    return te[0][s[i] >> 24] ^ te[1][s[(i + 1) & 3] >> 16 & 255] ^ te[2][s[(i + 2) & 3] >> 8 & 255] ^ te[3][s[(i + 3) & 3] & 255];
}
static void encrypt(const uint32_t *w, uint32_t s[4])
{
    uint32_t t[4];
    for (int i = 0; i < 4; i++) s[i] ^= w[i];
    for (int r = 1; r < 10; r++) {
        for (int i = 0; i < 4; i++) t[i] = column(s, i) ^ w[4 * r + i];
        memcpy(s, t, sizeof t);
    }
    for (int i = 0; i < 4; i++) t[i] = word(s[i], s[(i + 1) & 3], s[(i + 2) & 3], s[(i + 3) & 3]) ^ w[40 + i];
    memcpy(s, t, sizeof t);
}
int main(int argc, char **argv)
{
    unsigned n = rounds(argc, argv, 1500000);
    uint32_t w[44], s[4] = { 0x00112233, 0x44556677, 0x8899aabb, 0xccddeeff }; /* the example of FIPS 197, C.1 */
    const uint32_t key[4] = { 0x00010203, 0x04050607, 0x08090a0b, 0x0c0d0e0f };
    tables();
    expand(key, w);
    encrypt(w, s);
    printf("%08x%08x%08x%08x\n", s[0], s[1], s[2], s[3]);
    for (unsigned i = 0; i < n; i++) s[0] ^= i, encrypt(w, s);
    printf("%08x%08x%08x%08x\n", s[0], s[1], s[2], s[3]);
    return 0;
}
