/*
 * random_test.c: random words as instructions, in a JIT machine and an interpreting one with the same registers and memory: the same end,
 * the same registers, the same memory, and the host lives. Addresses are good, at edges, or anything at all.
 * usage: test_api_random [WORDS [SEED]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "snippets.h"

static uint64_t seed;
static uint64_t rnd(void)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return seed;
}

/* What differs between two machines on purpose: keys, clocks, random numbers; and what differs by the way of execution. */
static bool is_private(const char *text)
{
    static const char *const word[] = { "pac", "aut", "ret", "br", "bl", "ldra", "mrs", "csr", "rd", "fr", "fs", "e", NULL };
    for (unsigned i = 0; word[i]; i++)
        if (!strncmp(text, word[i], strlen(word[i]))) return true;
    return false;
}

static uint64_t value(unsigned word)
{
    switch (rnd() % 6) {
    case 0: return DATA + rnd() % PAGE;
    case 1: return DATA + PAGE - rnd() % 64;
    case 2: return (1ull << (word == 8 ? 38 : 32)) - rnd() % 64;
    case 3: return rnd() % 64;
    case 4: return CODE + rnd() % PAGE;
    default: return rnd();
    }
}

static void fill(struct box b[2])
{
    uint8_t page[PAGE];
    for (unsigned i = 0; i < sizeof page; i++) page[i] = (uint8_t)rnd();
    for (unsigned k = 0; k < 2; k++) assert_int_equal(lyre_write(b[k].m, DATA, page, sizeof page, NULL), 0);
    for (unsigned i = 0; i < lyre_registers(b[0].cpu); i++) {
        lyre_register_info r = LYRE_INIT(lyre_register_info);
        uint8_t v[256];
        if (lyre_register(b[0].cpu, i, &r) || r.name[0] == 'f' || !strcmp(r.name, "pc")) continue;
        for (unsigned k = 0; k < sizeof v; k++) v[k] = (uint8_t)rnd();
        uint64_t x = value(b[0].isa->word);
        if (r.bits <= 64) memcpy(v, &x, sizeof x);
        for (unsigned k = 0; k < 2; k++) assert_int_equal(lyre_register_write(b[k].cpu, i, v, (r.bits + 7) / 8), 0);
    }
}

static bool same(struct box b[2], const lyre_exit x[2])
{
    uint8_t v[2][PAGE];
    if (x[0].reason != x[1].reason || x[0].code != x[1].code || x[0].pc != x[1].pc || x[0].address != x[1].address ||
        x[0].mapped != x[1].mapped || x[0].instructions != x[1].instructions)
        return false;
    for (unsigned i = 0; i < lyre_registers(b[0].cpu); i++) {
        lyre_register_info r = LYRE_INIT(lyre_register_info);
        if (lyre_register(b[0].cpu, i, &r)) continue;
        for (unsigned k = 0; k < 2; k++) lyre_register_read(b[k].cpu, i, v[k], (r.bits + 7) / 8);
        if (memcmp(v[0], v[1], (r.bits + 7) / 8)) return false;
    }
    for (unsigned k = 0; k < 2; k++) lyre_read(b[k].m, DATA, v[k], PAGE, NULL);
    return !memcmp(v[0], v[1], PAGE);
}

static unsigned long words = 1500;

static void test_words(void **state)
{
    for (unsigned i = 0; i < ISAS; i++) {
        struct box b[2] = { box_open(&isas[i], "jit"), box_open(&isas[i], "interp") };
        for (unsigned long n = 0; n < words; n++) {
            uint64_t start = seed;
            uint32_t word = (uint32_t)rnd();
            char text[96] = "";
            lyre_exit x[2];
            memset(x, 0, sizeof x);
            if (i < 2) word |= 3; /* mostly not compressed */
            lyre_disassemble(b[0].cpu, &word, 4, CODE, text, sizeof text);
            fill(b);
            for (unsigned k = 0; k < 2; k++) {
                x[k].size = sizeof x[k];
                BOX_CODE(&b[k], CODE, word, b[k].isa->self);
                assert_int_equal(lyre_run(b[k].cpu, LYRE_NOWHERE, 1, &x[k]), 0);
            }
            if (same(b, x) || is_private(text)) continue;
            fail_msg("%s: %08" PRIx32 " %s: jit ends in %d at %#" PRIx64 " address %#" PRIx64 ", interp in %d at %#" PRIx64
                     " address %#" PRIx64 "; replay: test_api_random 1 %" PRIu64, isas[i].name, word, text, x[0].reason, x[0].pc,
                     x[0].address, x[1].reason, x[1].pc, x[1].address, start);
        }
        lyre_close(b[0].m);
        lyre_close(b[1].m);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_words) };
    words = argc > 1 ? strtoul(argv[1], NULL, 0) : words;
    seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 88172645463325252ull;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
