/*
 * x86_check.c [64|32]: reads `objdump -d -w -M intel` of such code from standard input. Every instruction that the table has must be as long
 * as objdump says, and have its text unless it carries prefixes that mean nothing there; those that the table does not
 * have are counted, and must stay under UNCOVERED_PERCENT of all (X86_CHECK_UNCOVERED=1 lists them).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode.h"

enum { UNCOVERED_PERCENT = 3, UNCOMPARED_PERCENT = 3, MIN_INSNS = 10000, SHOWN = 20 };

static unsigned code = 64;
static uint64_t all_features[(X86_NFEATS + 63) / 64];
static unsigned long all, uncovered, uncompared, wrong_length, wrong_text;

/* Prefixes that objdump prints by name because the instruction does not use them. */
static bool idle_prefixes(const struct x86_fields *d, const char *text)
{
    static const char *const words[] = { "cs ", "ds ", "es ", "ss ", "data16 ", "rex", "repz ", "addr32 ",
                                        "xacquire ", "xrelease " };
    bool string = d->form->attrs & (X86_ATTR_rep | X86_ATTR_repz);

    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (!strncmp(text, words[i], strlen(words[i])) && !string) return true;
    return false;
}

/* Without symbols, comments and blanks at the end. */
static void trim(char *s)
{
    s[strcspn(s, "<#\n")] = 0;
    for (size_t n = strlen(s); n && s[n - 1] == ' ';) s[--n] = 0;
}

static void complain(const char *what, uint64_t pc, const char *want, const char *got, unsigned long *count)
{
    if ((*count)++ < SHOWN) printf("%#llx: %s: objdump '%s', table '%s'\n", (unsigned long long)pc, what, want, got);
}

static void check(uint64_t pc, const uint8_t *p, unsigned len, char *want)
{
    uint8_t window[15 + 1] = { 0 };
    struct x86_fields d, cut;
    char got[128];
    struct isa_text o = isa_text(got, sizeof got);

    if (strstr(want, "(bad)")) return;
    all++;
    memcpy(window, p, len);
    if (x86_decode(window, 15, code, all_features, &d) < 0) {
        if (getenv("X86_CHECK_UNCOVERED")) printf("uncovered: %s", want);
        uncovered++;
        return;
    }
    x86_print(&o, &d, pc);
    if (d.len != len) {
        complain("length", pc, want, got, &wrong_length);
        return;
    }
    if (x86_decode(window, len - 1, code, all_features, &cut) != -2) complain("cut short", pc, want, got, &wrong_length);
    if (idle_prefixes(&d, want)) {
        uncompared++;
        return;
    }
    trim(want);
    if (strcmp(want, got)) complain("text", pc, want, got, &wrong_text);
}

int main(int argc, char **argv)
{
    static char line[4096];

    if (argc > 1) code = (unsigned)atoi(argv[1]);
    memset(all_features, 0xff, sizeof all_features);
    while (fgets(line, sizeof line, stdin)) {
        char *end, *tab;
        uint64_t pc = strtoull(line, &end, 16);
        uint8_t bytes[15];
        unsigned n = 0;

        if (end == line || end[0] != ':' || end[1] != '\t' || !(tab = strchr(end + 2, '\t'))) continue;
        for (char *s = end + 2; s < tab && n < sizeof bytes; n++) {
            bytes[n] = (uint8_t)strtoul(s, &s, 16);
            while (*s == ' ') s++;
        }
        check(pc, bytes, n, tab + 1);
    }
    printf("%lu instructions: %lu not in the table, %lu with idle prefixes (length only), %lu wrong lengths, "
           "%lu wrong texts\n", all, uncovered, uncompared, wrong_length, wrong_text);
    if (all < MIN_INSNS) printf("too few instructions: this tests nothing\n");
    return wrong_length || wrong_text || all < MIN_INSNS || uncovered * 100 > all * UNCOVERED_PERCENT ||
           uncompared * 100 > all * UNCOMPARED_PERCENT;
}
