/*
 * fuzz.h: a fuzz target is LLVMFuzzerTestOneInput. With clang and -Dfuzz it is linked with libFuzzer; otherwise with this
 * main, which gives it seeded random inputs of every length: prog [inputs] [seed].
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef LYRE_LIBFUZZER
int main(int argc, char **argv)
{
    long n = argc > 1 ? atol(argv[1]) : 200000;
    uint64_t s = argc > 2 ? strtoull(argv[2], NULL, 0) | 1 : 1;
    for (long i = 0; i < n; i++) {
        /* on the heap and of the exact size, so that a sanitizer sees a read behind the end */
        size_t size = i % 64;
        uint8_t *p = malloc(size ? size : 1);
        for (size_t k = 0; p && k < size; k++) {
            s ^= s << 13, s ^= s >> 7, s ^= s << 17;
            p[k] = (uint8_t)(s >> 24);
        }
        if (p) LLVMFuzzerTestOneInput(p, size);
        free(p);
    }
    return 0;
}
#endif
