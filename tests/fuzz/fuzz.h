/*
 * fuzz.h: a fuzz target is LLVMFuzzerTestOneInput; it traps on what must not be. With clang and -Dfuzz it is linked with
 * libFuzzer (`make fuzz`); otherwise with this main, which gives it the corpus and seeded mutations of it:
 *   prog [-n INPUTS] [-s SEED] [FILE|DIRECTORY ...]
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(x)                                                            \
    do {                                                                         \
        if (!(x)) {                                                              \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #x); \
            __builtin_trap();                                                    \
        }                                                                        \
    } while (0)

#ifndef LYRE_LIBFUZZER
enum { FUZZ_MAX = 4096, FUZZ_FILES = 256 };
static struct {
    uint8_t *data;
    size_t size;
} fuzz_file[FUZZ_FILES];
static unsigned fuzz_files;
static uint64_t fuzz_state;

static uint64_t fuzz_rnd(uint64_t n)
{
    fuzz_state ^= fuzz_state << 13, fuzz_state ^= fuzz_state >> 7, fuzz_state ^= fuzz_state << 17;
    return (fuzz_state >> 11) % n;
}

static void fuzz_add(const char *path)
{
    struct stat st;
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        char sub[4096];
        if (e->d_name[0] == '.') continue;
        snprintf(sub, sizeof sub, "%s/%s", path, e->d_name);
        fuzz_add(sub);
    }
    if (d) {
        closedir(d);
        return;
    }
    FILE *f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &st) || fuzz_files == FUZZ_FILES) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(2);
    }
    uint8_t *p = malloc((size_t)st.st_size + 1);
    if (!p) exit(2);
    fuzz_file[fuzz_files].size = fread(p, 1, (size_t)st.st_size, f);
    fuzz_file[fuzz_files++].data = p;
    fclose(f);
}

/* An input out of the corpus (or nothing), with a few changes of every kind. */
static size_t fuzz_make(uint8_t *b)
{
    static const uint64_t odd[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, INT32_MAX, 0x80000000, UINT32_MAX, INT64_MAX, 1ull << 63, ~0ull };
    size_t n = 0;
    if (fuzz_files) {
        unsigned f = (unsigned)fuzz_rnd(fuzz_files);
        n = MIN(fuzz_file[f].size, (size_t)FUZZ_MAX);
        memcpy(b, fuzz_file[f].data, n);
    }
    if (!n || !fuzz_rnd(16)) {
        n = 1 + fuzz_rnd(128);
        for (size_t i = 0; i < n; i++) b[i] = (uint8_t)fuzz_rnd(256);
    }
    for (uint64_t k = 1 + fuzz_rnd(4); k && n > 8; k--) {
        size_t at = fuzz_rnd(n), len = 1 + fuzz_rnd(MIN(n - at, 32)), word = (size_t)1 << fuzz_rnd(4); /* MIN evaluates twice */
        switch (fuzz_rnd(6)) {
        case 0: b[at] ^= (uint8_t)(1u << fuzz_rnd(8)); break;
        case 1: b[at] = (uint8_t)fuzz_rnd(256); break;
        case 2: memcpy(b + at, &odd[fuzz_rnd(ARRAY_LEN(odd))], MIN(n - at, word)); break;
        case 3: memmove(b + at, b + at + len, n - at - len), n -= len; break;
        case 4: memmove(b + at, b + fuzz_rnd(n - len + 1), len); break;
        default:
            if (n + len > FUZZ_MAX) break;
            memmove(b + at + len, b + at, n - at);
            n += len;
        }
    }
    return n;
}

/* On the heap and of the exact size, so that a sanitizer sees a read behind the end. */
static void fuzz_run(const uint8_t *b, size_t n)
{
    uint8_t *p = malloc(n ? n : 1);
    if (!p) exit(2);
    memcpy(p, b, n);
    LLVMFuzzerTestOneInput(p, n);
    free(p);
}

int main(int argc, char **argv)
{
    static uint8_t b[FUZZ_MAX];
    long inputs = 20000;
    fuzz_state = 0x9e3779b97f4a7c15;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-n") && i + 1 < argc)
            inputs = atol(argv[++i]);
        else if (!strcmp(argv[i], "-s") && i + 1 < argc)
            fuzz_state ^= strtoull(argv[++i], NULL, 0) * 2;
        else
            fuzz_add(argv[i]);
    }
    for (unsigned i = 0; i < fuzz_files; i++) fuzz_run(fuzz_file[i].data, fuzz_file[i].size);
    for (long i = 0; i < inputs; i++) fuzz_run(b, fuzz_make(b));
    for (unsigned i = 0; i < fuzz_files; i++) free(fuzz_file[i].data);
    return 0;
}
#endif
