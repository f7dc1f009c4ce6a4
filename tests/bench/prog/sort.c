/* qsort with a comparison function, and a hash table: pointers, branches, cache misses. */
#include "bench.h"
static int cmp(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}
int main(int argc, char **argv)
{
    unsigned n = rounds(argc, argv, 10);
    enum { N = 200000 };
    static uint32_t v[N], tab[1 << 19];
    uint64_t s = 5, h = 0;
    for (unsigned r = 0; r < n; r++) {
        for (int i = 0; i < N; i++) v[i] = (uint32_t)rnd(&s) | 1;
        for (int i = 0; i < N; i++) {
            uint32_t j = v[i] * 2654435761u >> 13;
            while (tab[j] && tab[j] != v[i]) j = (j + 1) & ((1 << 19) - 1);
            tab[j] = v[i];
        }
        qsort(v, N, 4, cmp);
        for (int i = 0; i < N; i += 1000) h = h * 31 + v[i];
        memset(tab, 0, sizeof tab);
    }
    printf("%016llx\n", (unsigned long long)h);
    return 0;
}
