/* isa_text.h: where disassemblers write; truncates, always ends in NUL. Formatters of the guests get one of these. */
#ifndef LYRE_CPU_ISA_TEXT_H
#define LYRE_CPU_ISA_TEXT_H

#include "base/base.h"

struct isa_text {
    char *buf;
    size_t size, len; /* len: of the whole text, of which size - 1 bytes are kept */
};

static inline struct isa_text isa_text(char *buf, size_t size)
{
    if (size) *buf = 0;
    return (struct isa_text){ buf, size, 0 };
}

/*
 * A generated decoder as one object, for tools and tests that do not know its ISA: `const struct isa_info <prefix>isa`.
 * Numbers from nrows on are aliases: random() then draws instructions of the row that have the alias's bits.
 */
struct isa_info {
    const char *const *modes, *const *feats; /* names by bit number, ended by NULL */
    unsigned nrows, naliases;
    const char *(*name)(unsigned row, const char **where);
    int (*decode)(const uint8_t *p, size_t avail, uint64_t modes, const uint64_t *feats, unsigned *len);
    unsigned (*disassemble)(char *buf, size_t size, const uint8_t *p, size_t avail, uint64_t modes, const uint64_t *feats,
                            uint64_t pc);
    unsigned (*random)(uint64_t (*rnd)(void *), void *ctx, uint8_t *buf, uint64_t modes, const uint64_t *feats, int row);
    /* Opens the gates of a row in feats; false if modes rule it out. */
    bool (*enable)(unsigned row, uint64_t modes, uint64_t *feats);
};

void isa_puts(struct isa_text *o, const char *s);
void isa_printf(struct isa_text *o, const char *fmt, ...) PRINTF(2, 3);

#endif
