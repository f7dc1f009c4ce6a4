/*
 * diff_gen.c: random AArch64 instructions of each row for diff_run: "row hexword" lines, with -l LENGTH "seq hexword,..."
 * lines of random rows.
 *   diff_gen [-n PER_ROW] [-l LENGTH] [-s SEED] [-r ROW] [-x ROW,ROW...] [-f FILE,...: tables] [GATE,GATE...: gates to open; default all]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cpu/isa_text.h"

extern const struct isa_info arm_isa;
enum { WORDS = 16, ROWS = 4096 };

static uint64_t xorshift(void *ctx)
{
    uint64_t *s = ctx;
    *s ^= *s << 13, *s ^= *s >> 7, *s ^= *s << 17;
    return *s;
}
static bool listed(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = list; p && *p; p += strcspn(p, ","), p += *p == ',')
        if (strcspn(p, ",") == n && !memcmp(p, name, n)) return true;
    return false;
}

/* Whether the row's table ("file.isa.c:line") is one of the files. */
static bool from(const char *files, const char *where)
{
    char file[64];
    snprintf(file, sizeof file, "%.*s", (int)strcspn(where, ":"), where);
    return !files || listed(files, file);
}

int main(int argc, char **argv)
{
    const char *only = NULL, *except = NULL, *files = NULL;
    uint64_t seed = 1, feats[WORDS] = { 0 };
    int n = 3, length = 0, rows[ROWS], nrows = 0;

    for (int c; (c = getopt(argc, argv, "n:l:s:r:x:f:")) != -1;) switch (c) {
        case 'l': length = atoi(optarg); break;
        case 'f': files = optarg; break;
        case 'n': n = atoi(optarg); break;
        case 's': seed = strtoull(optarg, NULL, 0) * 2 + 1; break;
        case 'r': only = optarg; break;
        case 'x': except = optarg; break;
        default: return 2;
        }
    for (unsigned f = 0; arm_isa.feats[f]; f++)
        if (optind >= argc || listed(argv[optind], arm_isa.feats[f])) feats[f / 64] |= 1ull << f % 64;
    seed *= 0x9e3779b97f4a7c15ull;
    for (unsigned row = 0; row < arm_isa.nrows; row++) {
        const char *where, *name = arm_isa.name(row, &where);
        uint64_t need[WORDS] = { 0 };
        bool open = true;
        if (listed(except, name) || (only && !listed(only, name)) || !from(files, where)) continue;
        if (!arm_isa.enable(row, 0, need)) continue;
        for (unsigned w = 0; w < WORDS; w++) open &= !(need[w] & ~feats[w]);
        if (open && nrows < ROWS) rows[nrows++] = (int)row;
        for (int i = 0; open && !length && i < n; i++) {
            uint32_t insn;
            if (arm_isa.random(xorshift, &seed, (uint8_t *)&insn, 0, feats, (int)row) == 4) printf("%s %08x\n", name, insn);
        }
    }
    for (int i = 0; length && nrows && i < n; i++) {
        printf("seq ");
        for (int k = 0; k < length; k++) {
            uint32_t insn = 0xd503201f;
            arm_isa.random(xorshift, &seed, (uint8_t *)&insn, 0, feats, rows[(xorshift(&seed) >> 8) % (unsigned)nrows]);
            printf("%s%08x", k ? "," : "", insn);
        }
        printf("\n");
    }
    return 0;
}
