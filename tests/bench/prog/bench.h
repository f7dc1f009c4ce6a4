/* bench.h: what the benchmark programs share. Each prints one checksum line, so that wrong results show. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static inline uint64_t rnd(uint64_t *s)
{
    *s ^= *s << 13, *s ^= *s >> 7, *s ^= *s << 17;
    return *s;
}
static inline unsigned rounds(int argc, char **argv, unsigned dflt) { return argc > 1 ? (unsigned)atoi(argv[1]) : dflt; }
