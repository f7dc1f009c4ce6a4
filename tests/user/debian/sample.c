/* What the compilers of the Debian tests compile: loops, structures, floating point, a switch, a function pointer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct item { int key; double weight; char name[12]; };

static int by_weight(const void *a, const void *b)
{
    const struct item *x = a, *y = b;
    return (x->weight > y->weight) - (x->weight < y->weight);
}

static unsigned crc(const unsigned char *p, size_t n)
{
    unsigned c = ~0u;
    while (n--) {
        c ^= *p++;
        for (int i = 0; i < 8; i++) c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
    }
    return ~c;
}

static const char *kind(int n)
{
    switch (n % 7) {
    case 0: return "zero";
    case 1: return "one";
    case 2: return "two";
    case 5: return "five";
    default: return "other";
    }
}

int main(void)
{
    struct item v[50];
    double sum = 0;
    memset(v, 0, sizeof v);
    for (int i = 0; i < 50; i++) {
        v[i].key = i;
        v[i].weight = (i * 7919 % 101) / 8.0;
        snprintf(v[i].name, sizeof v[i].name, "%s%d", kind(i), i);
        sum += v[i].weight * i;
    }
    qsort(v, 50, sizeof v[0], by_weight);
    printf("%g %s %s %08x\n", sum, v[0].name, v[49].name, crc((unsigned char *)v, sizeof v));
    return 0;
}
