/*
 * diff_gen.c: random RV64 instructions for diff_run: a line per case, "seed hex,hex,... row,row,...".
 *   diff_gen [-n CASES] [-l LENGTH] [-s SEED] [-r ROW,ROW...] [-x ROW,ROW...] [-f FILE,FILE...: tables to draw from]
 * With length 1 every row has its turn. Registers that the runner needs (sp gp tp t6) do not occur, and addresses are s0
 * or s1, which nothing writes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cpu/isa_text.h"

extern const struct isa_info riscv_isa;
enum { WORDS = 16, ROWS = 4096 };

static uint64_t xorshift(void *ctx)
{
    uint64_t *s = ctx;
    *s ^= *s << 13, *s ^= *s >> 7, *s ^= *s << 17;
    return *s * 0x2545f4914f6cdd1d >> 20;
}
static bool listed(const char *list, const char *name, size_t n)
{
    for (const char *p = list; p && *p; p += strcspn(p, ","), p += *p == ',')
        if (strcspn(p, ",") == n && !memcmp(p, name, n)) return true;
    return false;
}

static bool reserved(unsigned r)
{
    return r == 2 || r == 3 || r == 4 || r == 31;
}
static bool kept(unsigned r)
{
    return reserved(r) || r == 8 || r == 9;
}

/* Whether a 32-bit instruction leaves the runner's registers alone; memory operands get their base here. */
static bool fit(uint32_t *w, uint64_t pick)
{
    unsigned op = *w & 127, rd = *w >> 7 & 31, rs1 = *w >> 15 & 31, rs2 = *w >> 20 & 31;
    bool memory = op == 0x03 || op == 0x23 || op == 0x07 || op == 0x27 || op == 0x2f || op == 0x0f;
    bool fp = op == 0x53 || op == 0x43 || op == 0x47 || op == 0x4b || op == 0x4f, vector = op == 0x57;
    bool config = vector && (*w >> 12 & 7) == 7;
    bool writes_x = op == 0x03 || op == 0x2f || op == 0x13 || op == 0x1b || op == 0x33 || op == 0x3b || op == 0x37 || config ||
                    (vector && *w >> 26 == 0x10) ||
                    (op == 0x53 && (*w >> 28 == 0xa || *w >> 28 == 0xc || *w >> 28 == 0xe));
    if (memory) { /* s1 may be misaligned, which atomics may not be */
        rs1 = op == 0x2f || pick % 4 ? 8 : 9;
        *w = (*w & ~(31u << 15)) | rs1 << 15;
    }
    return !(writes_x && kept(rd)) && !(!memory && op != 0x37 && reserved(rs1)) && !(!fp && op != 0x37 && reserved(rs2));
}
/* The same for a compressed one: loads and stores take s0. */
static bool fit_compressed(uint32_t *w)
{
    unsigned q = *w & 3, rd = *w >> 7 & 31, rp1 = (*w >> 7 & 7) + 8, rp2 = (*w >> 2 & 7) + 8, r2 = *w >> 2 & 31;
    if (q == 0) *w &= ~(7u << 7);
    return q == 0 ? !kept(rp2) : !kept(rd) && (q == 2 ? !reserved(r2) : !kept(rp1));
}

int main(int argc, char **argv)
{
    const char *only = NULL, *files = NULL;
    char except[8192] = "";
    uint64_t seed = 1, feats[WORDS];
    unsigned rows[ROWS], nrows = 0;
    int n = 1000, len = 1;

    for (int c; (c = getopt(argc, argv, "n:l:s:r:x:f:")) != -1;) switch (c) {
        case 'n': n = atoi(optarg); break;
        case 'l': len = atoi(optarg); break;
        case 's': seed = strtoull(optarg, NULL, 0) * 2 + 1; break;
        case 'r': only = optarg; break;
        case 'x': snprintf(except + strlen(except), sizeof except - strlen(except), ",%s", optarg); break;
        case 'f': files = optarg; break;
        default: return 2;
        }
    memset(feats, 0xff, sizeof feats);
    seed *= 0x9e3779b97f4a7c15ull;
    for (unsigned row = 0; row < riscv_isa.nrows && nrows < ROWS; row++) {
        const char *where, *name = riscv_isa.name(row, &where);
        if (files && !listed(files, where, strcspn(where, ":"))) continue;
        if (!listed(except, name, strlen(name)) && (!only || listed(only, name, strlen(name)))) rows[nrows++] = row;
    }
    for (int i = 0; nrows && i < n; i++) {
        char hex[4096] = "", names[4096] = "";
        for (int j = 0; j < len; j++) {
            unsigned row = rows[(len == 1 ? (uint64_t)i : xorshift(&seed)) % nrows], bytes = 0;
            const char *where, *name = riscv_isa.name(row, &where);
            uint32_t w = 0;
            for (int tries = 0; tries < 1000; tries++) {
                uint8_t b[16] = { 0 };
                bytes = riscv_isa.random(xorshift, &seed, b, 1, feats, (int)row);
                memcpy(&w, b, 4);
                if (bytes == 2) w &= 0xffff;
                if (!bytes || (bytes == 2 ? fit_compressed(&w) : fit(&w, xorshift(&seed)))) break;
                bytes = 0;
            }
            if (!bytes || strlen(names) + strlen(name) + 2 > sizeof names || strlen(hex) + 10 > sizeof hex) continue;
            sprintf(hex + strlen(hex), "%s%0*x", *hex ? "," : "", (int)bytes * 2, w);
            sprintf(names + strlen(names), "%s%s", *names ? "," : "", name);
        }
        if (*hex) printf("%llx %s %s\n", (unsigned long long)xorshift(&seed), hex, names);
    }
    return 0;
}
