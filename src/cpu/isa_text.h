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

void isa_puts(struct isa_text *o, const char *s);
void isa_printf(struct isa_text *o, const char *fmt, ...) PRINTF(2, 3);

#endif
