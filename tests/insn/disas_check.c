/*
 * disas_check.c: our disassembler against binutils' objdump, row by row and alias by alias.
 *
 *   disas_check GUEST KNOWN [-n SAMPLES] [-r ROW] [-w WORDS] [-s SEED] [-v]
 *
 * For each row and alias that the guest's modes allow, random instructions are drawn, assembled as data with .insn or
 * .inst, and objdump's text is compared with ours; blanks, comments and the spelling of branch targets aside. A row of
 * which objdump knows no sample is counted apart (too new for it); one of which it knows some is expected to agree on all.
 * With -w, WORDS random encodings, half of them valid ones with a few bits flipped: what one of the two decodes and the other
 * does not, and texts that differ.
 * KNOWN lists rows that are allowed to differ ("row  reason"), for -w also "+mnemonic" that only objdump decodes and "-row"
 * that only we do.
 * Exit: 0 agreement, 1 not, 77 no binutils for this guest.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cpu/isa_text.h"

enum { MAX_LEN = 8, TEXT = 160, FEAT_WORDS = 16, SHOWN = 3, START = 0x10000000 }; /* no branch leads below 0 */

extern const struct isa_info riscv_isa, arm_isa;

static const struct config {
    const char *guest;
    const struct isa_info *isa;
    const char *modes;    /* those that are set, blanks between */
    const char *tools;    /* prefix of as and objdump */
    const char *march;    /* -march=MARCH, extended by what this assembler knows of exts */
    const char *exts;
    const char *directive;
    struct { uint32_t mask, val; } absent[2]; /* encodings that are all of an extension that is not there */
} configs[] = {
#define RISCV_EXTS "v zicbom zicbop zicboz zihintpause zihintntl zicond zawrs zfh zfhmin zfa zba zbb zbc zbs zbkb zbkc zbkx " \
                   "zknd zkne zknh zksed zksh zvfh zvbb zvbc zvkg zvkned zvknha zvknhb zvksed zvksh zacas zabha zcb zcmop zimop " \
                   "svinval h"
#ifdef HAVE_riscv
    { "riscv64", &riscv_isa, "rv64", "riscv64-linux-gnu-", "rv64gc", RISCV_EXTS, ".insn %u, 0x%0*x", { { 0 } } },
    { "riscv32", &riscv_isa, "", "riscv64-linux-gnu-", "rv32gc", RISCV_EXTS, ".insn %u, 0x%0*x", { { 0 } } },
#endif
#ifdef HAVE_arm
    { "aarch64", &arm_isa, "a64", "aarch64-linux-gnu-", "armv8-a", "", ".inst /* %u */ 0x%0*x",
      { { 0x1e000000, 0x04000000 }, { 0x9e000000, 0x80000000 } } }, /* SVE, SME */
#endif
    { 0 }
};

struct sample {
    uint8_t bytes[MAX_LEN];
    unsigned len;
    int row; /* -1: undefined, with -w */
    uint64_t pc;
    char ours[TEXT], theirs[TEXT];
    bool skip; /* objdump had nothing at this address */
};

static struct sample *samples;
static size_t nsamples, cap_samples;
static char dir[] = "/tmp/disas_check.XXXXXX";
static bool verbose;

static uint64_t xorshift(void *ctx)
{
    uint64_t *s = ctx;
    *s ^= *s << 13, *s ^= *s >> 7, *s ^= *s << 17;
    return *s;
}

static uint64_t mode_bits(const struct config *c)
{
    uint64_t modes = 0;

    for (unsigned i = 0; c->isa->modes[i]; i++) {
        const char *at = strstr(c->modes, c->isa->modes[i]);
        if (at) modes |= 1ull << i;
    }
    return modes;
}

static struct sample *new_sample(void)
{
    if (nsamples == cap_samples) {
        cap_samples = cap_samples ? 2 * cap_samples : 4096;
        samples = realloc(samples, cap_samples * sizeof *samples);
        if (!samples) abort();
    }
    struct sample *s = &samples[nsamples++], *before = nsamples > 1 ? s - 1 : NULL;
    *s = (struct sample){ .pc = before ? before->pc + before->len : START, .skip = true };
    return s;
}

static void draw_rows(const struct config *c, unsigned per_row, const char *only, uint64_t seed)
{
    uint64_t modes = mode_bits(c);

    for (unsigned row = 0; row < c->isa->nrows + c->isa->naliases; row++) {
        uint64_t feats[FEAT_WORDS];
        const char *where;
        memset(feats, 0xff, sizeof feats);
        if (!c->isa->enable(row, modes, feats) || (only && strcmp(only, c->isa->name(row, &where)))) continue;
        for (unsigned i = 0; i < per_row; i++) {
            struct sample *s = new_sample();
            s->row = (int)row;
            s->len = c->isa->random(xorshift, &seed, s->bytes, modes, feats, (int)row);
            if (!s->len) {
                printf("%s: no instruction can be drawn\n", c->isa->name(row, &where));
                nsamples--;
                break;
            }
            c->isa->disassemble(s->ours, sizeof s->ours, s->bytes, s->len, modes, feats, s->pc);
        }
    }
}

static void draw_words(const struct config *c, unsigned words, uint64_t seed)
{
    uint64_t modes = mode_bits(c), feats[FEAT_WORDS];

    memset(feats, 0xff, sizeof feats);
    while (nsamples < words) {
        uint8_t bytes[MAX_LEN];
        uint32_t w = (uint32_t)(xorshift(&seed) >> 16);
        if (nsamples & 1 && c->isa->random(xorshift, &seed, bytes, modes, feats, -1)) {
            memcpy(&w, bytes, 4);
            for (unsigned flips = xorshift(&seed) % 4; flips; flips--) w ^= 1u << xorshift(&seed) % 32;
        }
        bool absent = false;
        for (size_t i = 0; i < ARRAY_LEN(c->absent); i++) absent |= c->absent[i].mask && (w & c->absent[i].mask) == c->absent[i].val;
        if (absent || (c->isa == &riscv_isa && (w & 31) == 31)) continue; /* longer than 32 bits */
        struct sample *s = new_sample();
        unsigned len;
        s->len = c->isa == &riscv_isa && (w & 3) != 3 ? 2 : 4;
        memcpy(s->bytes, &w, s->len);
        s->row = c->isa->decode(s->bytes, s->len, modes, feats, &len);
        c->isa->disassemble(s->ours, sizeof s->ours, s->bytes, s->len, modes, feats, s->pc);
    }
}

static FILE *open_in(const char *name, const char *mode)
{
    char path[sizeof dir + 32];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, mode);
    if (!f) perror(path), exit(1);
    return f;
}

/* Runs a shell command in the scratch folder. */
static int run(const char *fmt, ...)
{
    char cmd[4096];
    int n = snprintf(cmd, sizeof cmd, "cd %s && ", dir);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(cmd + n, sizeof cmd - (size_t)n, fmt, ap);
    va_end(ap);
    return system(cmd);
}

/* -march= with the extensions that this assembler has heard of. */
static void march(const struct config *c, char *out, size_t size)
{
    snprintf(out, size, "%s", c->march);
    for (const char *p = c->exts; *p; p += strspn(p, " ")) {
        int n = (int)strcspn(p, " ");
        size_t len = strlen(out);
        snprintf(out + len, size - len, "%s%.*s", n > 1 ? "_" : "", n, p);
        if (run("%sas -march=%s /dev/null -o probe.o 2>/dev/null", c->tools, out)) out[len] = 0;
        p += n;
    }
}

static void assemble(const struct config *c)
{
    char arch[1024];
    FILE *f = open_in("t.s", "w");

    fprintf(f, "\t.text\n");
    for (size_t i = 0; i < nsamples; i++) {
        uint64_t v = 0;
        for (unsigned b = 0; b < samples[i].len; b++) v |= (uint64_t)samples[i].bytes[b] << 8 * b;
        fprintf(f, c->directive, samples[i].len, (int)samples[i].len * 2, (unsigned)v);
        fputc('\n', f);
    }
    fclose(f);
    march(c, arch, sizeof arch);
    if (run("%sas -march=%s t.s -o t.o && %sobjdump -d -z --no-show-raw-insn --adjust-vma=%#x t.o > t.txt", c->tools, arch,
            c->tools, START)) exit(1);
}

/* Blanks to one blank, no comments; of "1f4 <sym+0x10>" the number stays, with `hex` before it. */
static void normalise(const char *in, const char *hex, char *out, size_t size)
{
    size_t n = 0, word = 0;

    while (isspace((unsigned char)*in)) in++;
    for (; *in && n + 4 < size; in++) {
        if ((*in == '#' && in[1] == ' ') || (*in == '/' && in[1] == '/')) break;
        if (*in == '<') {
            n -= n && out[n - 1] == ' ';
            if (strncmp(out + word, "0x", 2)) {
                memmove(out + word + strlen(hex), out + word, n - word);
                memcpy(out + word, hex, strlen(hex));
                n += strlen(hex);
            }
            in += strcspn(in, ">");
            if (!*in) break;
        } else if (!isspace((unsigned char)*in)) {
            if (n && (out[n - 1] == ' ' || out[n - 1] == ',')) word = n;
            out[n++] = *in;
        } else if (n && out[n - 1] != ' ') {
            out[n++] = ' ';
        }
    }
    while (n && out[n - 1] == ' ') n--;
    out[n] = 0;
}

/* Branch targets may be written with or without 0x: objdump has both, by kind of file. */
static bool same_text(const struct sample *s)
{
    char ours[TEXT], plain[TEXT], hex[TEXT];

    normalise(s->ours, "", ours, sizeof ours);
    normalise(s->theirs, "", plain, sizeof plain);
    normalise(s->theirs, "0x", hex, sizeof hex);
    return !strcmp(ours, plain) || !strcmp(ours, hex);
}

static void read_objdump(void)
{
    FILE *f = open_in("t.txt", "r");
    char line[512];
    size_t i = 0;

    while (fgets(line, sizeof line, f)) {
        char *end;
        uint64_t pc = strtoull(line, &end, 16);
        if (end == line || *end != ':' || end[1] != '\t') continue;
        while (i < nsamples && samples[i].pc < pc) i++;
        if (i == nsamples || samples[i].pc != pc) continue;
        line[strcspn(line, "\n")] = 0;
        snprintf(samples[i].theirs, TEXT, "%s", end + 2);
        samples[i].skip = false;
    }
    fclose(f);
}

static bool unknown(const struct sample *s)
{
    return s->skip || !strncmp(s->theirs, ".2byte", 6) || !strncmp(s->theirs, ".4byte", 6) || !strncmp(s->theirs, ".insn", 5) ||
           !strncmp(s->theirs, ".inst", 5) || !strncmp(s->theirs, ".word", 5) || !strncmp(s->theirs, ".short", 6) ||
           strstr(s->theirs, "undefined");
}

static bool listed(const char *known, const char *prefix, const char *row)
{
    FILE *f = fopen(known, "r");
    char line[256];
    bool hit = false;

    while (f && fgets(line, sizeof line, f)) {
        line[strcspn(line, " \t\n")] = 0;
        hit |= !strncmp(line, prefix, strlen(prefix)) && !strcmp(line + strlen(prefix), row);
    }
    if (f) fclose(f);
    return hit;
}

/* Samples of one row; returns whether it is in order. */
static bool judge(const struct config *c, const struct sample *s, size_t n, const char *known, unsigned *unheard)
{
    unsigned differ = 0, unk = 0;
    const char *where, *name = c->isa->name((unsigned)s->row, &where);

    for (size_t i = 0; i < n; i++) unk += unknown(&s[i]);
    if (unk == n) {
        if (verbose) printf("%s (%s): not known to objdump\n", name, where);
        ++*unheard;
        return true;
    }
    bool may_differ = listed(known, "", name);
    for (size_t i = 0; i < n; i++) {
        if (same_text(&s[i])) continue;
        if (differ++ >= SHOWN || (may_differ && !verbose)) continue;
        printf("%s (%s):", name, where);
        for (unsigned b = s[i].len; b > 0; b--) printf("%s%02x", b == s[i].len ? " " : "", s[i].bytes[b - 1]);
        printf(" at %#llx\n    ours    %s\n    objdump %s\n", (unsigned long long)s[i].pc, s[i].ours, s[i].theirs);
    }
    if (differ > SHOWN && !may_differ) printf("    ... %u of %zu differ\n", differ, n);
    if (verbose && may_differ && !differ) printf("%s (%s): listed in %s, but does not differ\n", name, where, known);
    return !differ || may_differ;
}

/* What the samples of -w differ in: kind ' ' text, '+' only objdump decodes, '-' only we do. */
struct finding {
    char kind, key[40];
    unsigned count;
    const struct sample *first;
};
static unsigned judge_words(const struct config *c, const char *known)
{
    enum { MAX_FINDINGS = 4096 };
    struct finding *f = calloc(MAX_FINDINGS, sizeof *f);
    unsigned n = 0, bad = 0;

    if (!f) abort();
    for (size_t i = 0; i < nsamples; i++) {
        const struct sample *s = &samples[i];
        const char *where;
        char key[40], kind = s->row < 0 ? '+' : unknown(s) ? '-' : ' ';
        unsigned k = 0;
        if (kind == '+' ? unknown(s) : kind == ' ' && same_text(s)) continue;
        if (s->row < 0)
            snprintf(key, sizeof key, "%.*s", (int)strcspn(s->theirs, " \t"), s->theirs);
        else
            snprintf(key, sizeof key, "%s", c->isa->name((unsigned)s->row, &where));
        while (k < n && (f[k].kind != kind || strcmp(f[k].key, key))) k++;
        if (k == MAX_FINDINGS) break;
        if (k == n) {
            f[n] = (struct finding){ .kind = kind, .first = s };
            memcpy(f[n++].key, key, sizeof key);
        }
        f[k].count++;
    }
    for (unsigned k = 0; k < n; k++) {
        const struct sample *s = f[k].first;
        uint32_t w = 0;
        if (listed(known, (char[2]){ f[k].kind == ' ' ? 0 : f[k].kind }, f[k].key)) continue;
        bad++;
        memcpy(&w, s->bytes, s->len);
        printf("%c%s: %u, first %0*x  ours %s  objdump %s\n", f[k].kind, f[k].key, f[k].count, 2 * (int)s->len, w, s->ours, s->theirs);
    }
    free(f);
    return bad;
}

int main(int argc, char **argv)
{
    unsigned per_row = 40, words = 0, rows = 0, bad = 0, unheard = 0;
    const char *only = NULL, *known = argc > 2 ? argv[2] : "";
    const struct config *c = configs;
    uint64_t seed = 0x9e3779b97f4a7c15;

    while (c->guest && (argc < 2 || strcmp(argv[1], c->guest))) c++;
    if (!c->guest) {
        fprintf(stderr, "disas_check: no such guest\n");
        return 2;
    }
    for (int i = 3; i < argc; i++) {
        if (!strcmp(argv[i], "-v")) verbose = true;
        if (!strcmp(argv[i], "-n") && i + 1 < argc) per_row = (unsigned)atoi(argv[++i]);
        if (!strcmp(argv[i], "-w") && i + 1 < argc) words = (unsigned)atoi(argv[++i]);
        if (!strcmp(argv[i], "-r") && i + 1 < argc) only = argv[++i];
        if (!strcmp(argv[i], "-s") && i + 1 < argc) seed = strtoull(argv[++i], NULL, 0) | 1;
    }
    if (!mkdtemp(dir)) return perror(dir), 1;
    if (run("%sobjdump --version >/dev/null 2>&1 && %sas --version >/dev/null 2>&1", c->tools, c->tools)) {
        printf("skipped: no %sobjdump\n", c->tools);
        run("rm -rf %s", dir);
        return 77;
    }
    if (words)
        draw_words(c, words, seed);
    else
        draw_rows(c, per_row, only, seed);
    assemble(c);
    read_objdump();
    if (words) bad = judge_words(c, known);
    for (size_t i = 0, n; !words && i < nsamples; i += n, rows++) {
        for (n = 1; i + n < nsamples && samples[i + n].row == samples[i].row;) n++;
        bad += !judge(c, &samples[i], n, known, &unheard);
    }
    run("rm -rf %s", dir);
    if (words) {
        printf("%s: %zu encodings; %u kinds of differences\n", c->guest, nsamples, bad);
        return bad || !nsamples;
    }
    printf("%s: %zu instructions of %u rows and aliases; %u differ, %u not known to objdump\n", c->guest, nsamples, rows, bad,
           unheard);
    return bad || !nsamples;
}
