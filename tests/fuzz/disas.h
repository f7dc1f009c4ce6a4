/* disas.h: decoder and disassembler of a guest: any bytes give text that ends in the buffer and a length that goes on. */
#include "fuzz.h"
#include "cpu/guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct guest *g;
    static CPU *cpu; /* for its features */
    char text[128];
    if (!g) {
        struct err e = { 0 };
        g = guest_find(FUZZ_GUEST);
        cpu = aligned_alloc(64, ALIGN_UP(g->cpu_size, (size_t)64));
        if (!cpu) abort();
        memset(cpu, 0, g->cpu_size);
        if (g->init(cpu, g->models[0].name, &e)) __builtin_trap();
    }
    for (size_t at = 0; at < size;) {
        memset(text, 1, sizeof text);
        unsigned n = g->disas(text, sizeof text, data + at, size - at, 0x1000 + at, cpu);
        if (!n || !memchr(text, 0, sizeof text)) __builtin_trap();
        at += n;
    }
    return 0;
}
