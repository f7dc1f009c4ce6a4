/*
 * diff_gen.c: random x86 instructions of each row for diff_run:
 *   name hexbytes UNDEFINED-FLAGS BASE INDEX SCALE DISP BITREG FLAGS
 * with registers as numbers (-1: none); FLAGS: 1 string, 2 rep, 4 needs rBP, rBX in the buffer,
 * 8 rCX up to 16, 16 INDEX is a vector register, 32 of quadwords.
 * or, with -l LENGTH, "seq" lines: several on registers alone, of rows all of whose flags but A are as processors have them.
 *   diff_gen [-n PER_ROW] [-l LENGTH] [-s SEED] [-r ROW,...] [-x ROW,ROW...] [-f FILE,...: tables] [-g GATE,...: gates to close] [-u: no flag undefined] 64|32
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "decode.h"

enum { SLOT = 120 }; /* bytes that diff_run takes */
enum { CF = 1, PF = 4, AF = 16, ZF = 64, SF = 128, OF = 0x800 };

/* Flags that the manual leaves undefined and processors differ in. */
static const struct {
    const char *row;
    unsigned flags;
} undefined[] = {
    { "mul", SF | ZF | AF | PF }, { "imul", SF | ZF | AF | PF }, { "imul2", SF | ZF | AF | PF },
    { "div", SF | ZF | AF | PF | CF | OF }, { "idiv", SF | ZF | AF | PF | CF | OF }, { "aam", CF | AF | OF }, { "aad", CF | AF | OF },
    { "and", AF }, { "or", AF }, { "xor", AF }, { "test", AF }, { "andn", AF | PF }, { "bzhi", AF | PF }, { "bextr", AF | PF | SF },
    { "blsr", AF | PF }, { "blsi", AF | PF }, { "blsmsk", AF | PF }, { "daa", OF }, { "das", OF }, { "aaa", OF | SF | ZF | PF },
    { "aas", OF | SF | ZF | PF }, { "shl", AF | OF | CF }, { "sal", AF | OF | CF }, { "shr", AF | OF | CF }, { "sar", AF | OF | CF },
    { "rol", OF }, { "ror", OF }, { "rcl", OF }, { "rcr", OF }, { "shld", AF | OF | CF }, { "shrd", AF | OF | CF },
    { "bt", OF | SF | AF | PF }, { "bts", OF | SF | AF | PF }, { "btr", OF | SF | AF | PF }, { "btc", OF | SF | AF | PF },
    { "bsf", CF | OF | SF | AF | PF }, { "bsr", CF | OF | SF | AF | PF }, { "tzcnt", OF | SF | AF | PF }, { "lzcnt", OF | SF | AF | PF },
};

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
static bool from(const char *files, const char *where)
{
    char file[64];
    snprintf(file, sizeof file, "%.*s", (int)strcspn(where, ":"), where);
    return !files || listed(files, file);
}

static bool is_double_shift(const struct x86_fields *f)
{
    const char *name = x86_rows[f->form->row].name;
    return !strcmp(name, "shld") || !strcmp(name, "shrd");
}

/* An address that diff_run can bring into its buffer. */
static bool reachable(const struct x86_fields *f)
{
    /* the result of a double shift by more than the operand's width is undefined */
    if (is_double_shift(f) && f->osize == 16 && f->op[2].kind == OP_IMM && (f->op[2].imm & 31) > 16) return false;
    if (is_double_shift(f) && f->osize == 16 && f->base == 1) return false;
    if (f->seg) return false;
    if (f->mod == 3) return true;
    return f->base < 16 && (f->base != f->index || f->form->attrs & X86_ATTR_vsib);
}

static unsigned undefined_flags(const char *row, bool all)
{
    for (unsigned i = 0; i < sizeof undefined / sizeof *undefined; i++)
        if (!all && !strcmp(undefined[i].row, row)) return undefined[i].flags;
    return 0;
}

static void line(const uint8_t *p, const struct x86_fields *f, bool all)
{
    const char *name = x86_rows[f->form->row].name;
    bool mem = f->mod != 3, string = f->form->attrs & (X86_ATTR_rep | X86_ATTR_repz);
    int bit = mem && f->nops > 1 && f->op[1].kind == OP_REG && !strncmp(name, "bt", 2) ? f->op[1].reg : -1;
    bool frame = !strcmp(name, "enter") || !strcmp(name, "leave") || !strcmp(name, "xlat");

    printf("%s ", name);
    for (unsigned i = 0; i < f->len; i++) printf("%02x", p[i]);
    printf(" %x %d %d %u %lld %d %d\n", undefined_flags(name, all), mem ? f->base : -1, mem && f->index < 16 ? f->index : -1, f->scale,
           mem ? (long long)f->disp : 0, bit, string | (string && f->rep ? 2 : 0) | (frame ? 4 : 0) |
           (is_double_shift(f) && f->osize == 16 ? 8 : 0) | (!(f->form->attrs & X86_ATTR_vsib) ? 0 : f->opcode & 1 ? 48 : 16));
}

/* On registers alone, without faults, and nothing of it depends on a flag that processors differ in. */
static bool plain(const struct x86_fields *f)
{
    static const char out[] = "div,idiv,daa,das,aaa,aas,aam,aad,mul,imul,imul2,lahf,pushf,pushad,push,pop,pusha,popa,enter,leave,xlat,bound,ud0,ud1,"
                              "ud2,int3,in,out,ins,outs,hlt,cli,sti,std,lzcnt,tzcnt,bsf,bsr,bextr,bzhi,blsr,blsi,blsmsk,andn,into";
    if (f->mod != 3 || f->form->attrs & (X86_ATTR_rep | X86_ATTR_repz) || (is_double_shift(f) && f->osize == 16)) return false;
    for (unsigned i = 0; i < f->nops; i++)
        if (f->op[i].kind == OP_MEM || (f->op[i].kind == OP_REG && f->op[i].reg == 4)) return false;
    return !listed(out, x86_rows[f->form->row].name);
}

static void sequence(uint64_t *seed, unsigned code, const uint64_t *feats, const int *rows, int nrows, int length)
{
    unsigned total = 0;
    printf("seq ");
    for (int k = 0; k < length;) {
        uint8_t buf[16];
        struct x86_fields f;
        unsigned len = x86_random(xorshift, seed, buf, code, feats, rows[(xorshift(seed) >> 8) % (unsigned)nrows]);
        if (!len || x86_decode(buf, len, code, feats, &f) < 0 || !plain(&f)) continue;
        if ((total += len) > SLOT) break;
        for (unsigned i = 0; i < len; i++) printf("%02x", buf[i]);
        k++;
    }
    printf(" 10 -1 -1 0 0 -1 0\n");
}

int main(int argc, char **argv)
{
    const char *only = NULL, *except = NULL, *files = NULL, *closed = NULL;
    uint64_t seed = 1, feats[(X86_NFEATS + 63) / 64] = { 0 };
    bool all = false;
    int n = 3, length = 0, rows[X86_NROWS], nrows = 0;

    for (int c; (c = getopt(argc, argv, "n:l:s:r:x:f:g:u")) != -1;) switch (c) {
        case 'f': files = optarg; break;
        case 'n': n = atoi(optarg); break;
        case 'l': length = atoi(optarg); break;
        case 's': seed = strtoull(optarg, NULL, 0) * 2 + 1; break;
        case 'r': only = optarg; break;
        case 'x': except = optarg; break;
        case 'g': closed = optarg; break;
        case 'u': all = true; break;
        default: return 2;
        }
    unsigned code = optind < argc ? (unsigned)atoi(argv[optind]) : 64;
    for (unsigned g = 0; x86_feat_names[g]; g++)
        if (!listed(closed, x86_feat_names[g])) feats[g / 64] |= 1ull << g % 64;
    seed *= 0x9e3779b97f4a7c15ull;
    for (int row = 0; row < X86_NROWS; row++) {
        const char *name = x86_rows[row].name;
        if (listed(except, name) || (only && !listed(only, name)) || !from(files, x86_rows[row].where)) continue;
        uint8_t first[16];
        struct x86_fields one;
        for (int i = 0; length && i < 20; i++) /* rows that have a plain form at all */
            if (x86_random(xorshift, &seed, first, code, feats, row) && x86_decode(first, 15, code, feats, &one) >= 0 && plain(&one)) {
                rows[nrows++] = row;
                break;
            }
        for (int i = 0, tries = 0; !length && i < n && tries < 20 * n; tries++) {
            uint8_t buf[16];
            struct x86_fields f;
            unsigned len = x86_random(xorshift, &seed, buf, code, feats, row);
            if (!len) break;
            if (x86_decode(buf, len, code, feats, &f) < 0 || !reachable(&f)) continue;
            line(buf, &f, all);
            i++;
        }
    }
    for (int i = 0; nrows && i < n; i++) sequence(&seed, code, feats, rows, nrows, length);
    return 0;
}
