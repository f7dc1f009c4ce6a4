/*
 * decode_speed.c: instructions decoded per second of processor time, fields extracted.
 *
 *   decode_speed GUEST [FILE OFFSET SIZE]     code of a file (its .text), else random instructions of all rows
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cpu/isa_text.h"

extern const struct isa_info riscv_isa, arm_isa;

static uint64_t xorshift(void *ctx)
{
    uint64_t *s = ctx;
    *s ^= *s << 13, *s ^= *s >> 7, *s ^= *s << 17;
    return *s;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
    const char *guest = argc > 1 ? argv[1] : "";
#ifdef HAVE_riscv
    const struct isa_info *isa = &riscv_isa;
    uint64_t modes = !strcmp(guest, "riscv64");
#else
    const struct isa_info *isa = &arm_isa;
    uint64_t modes = 0;
#endif
    enum { SIZE = 1 << 22, LEN = 8 };
    uint8_t *code = calloc(1, SIZE + LEN);
    uint64_t feats[16], seed = 1, count = 0, undefined = 0;
    size_t n = 0;

    if (!code) return 1;
    memset(feats, 0xff, sizeof feats);
    if (argc == 5) {
        FILE *f = fopen(argv[2], "rb");
        if (!f || fseek(f, strtol(argv[3], NULL, 0), SEEK_SET)) return perror(argv[2]), 1;
        n = fread(code, 1, MIN((size_t)strtoul(argv[4], NULL, 0), (size_t)SIZE), f);
        fclose(f);
    } else {
        while (n < SIZE / 4) n += isa->random(xorshift, &seed, code + n, modes, feats, -1);
    }
    double start = seconds();
    for (unsigned round = 0; round < 20; round++)
        for (size_t i = 0; i < n; count++) {
            unsigned len = 0;
            undefined += isa->decode(code + i, n + LEN - i, modes, feats, &len) < 0;
            i += len;
        }
    double took = seconds() - start;
    printf("%s: %.1f million instructions/s (%llu instructions, %llu undefined)\n", guest, (double)count / took / 1e6,
           (unsigned long long)count / 20, (unsigned long long)undefined / 20);
    return 0;
}
