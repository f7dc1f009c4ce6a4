/*
 * insn.h: any bytes as code of FUZZ_GUEST. The disassembler's text ends in its buffer and it goes on; the translator makes IR
 * that keeps the rules, as built and after the passes, and both back ends compile it. Nothing is run. The first byte of an
 * input says where in a page the code lies and how large regions may be.
 */
#include "fuzz.h"
#include <sys/mman.h>
#include "cpu/engine.h"

enum { SPACE = 8192, FOLLOW = 8 };
struct subject {
    const char *host;
    unsigned passes;
    uint64_t base;
    struct host checked;
    const struct host *real;
    struct gmem *mem;
    struct engine *en;
    CPU *cpu;
};
static struct subject subjects[] = {
    { .host = "interp", .passes = 0, .base = 0x10000000 }, { .host = "x86_64", .passes = ~0u, .base = 0x20000000 },
};

static int checked_compile(const struct host *real, void *h, struct ir *ir, struct code_buf *buf, struct region *r)
{
    struct err e = { 0 };
    if (ir_verify(ir, &e)) fprintf(stderr, "%s\n", e.msg);
    FUZZ_CHECK(!e.code);
    return real->compile(h, ir, buf, r);
}
static int compile0(void *h, struct ir *ir, struct code_buf *buf, struct region *r)
{
    return checked_compile(subjects[0].real, h, ir, buf, r);
}
static int compile1(void *h, struct ir *ir, struct code_buf *buf, struct region *r)
{
    return checked_compile(subjects[1].real, h, ir, buf, r);
}

static void set_up(struct subject *s, const struct guest *g)
{
    struct err e = { 0 };
    s->real = host_find(s->host);
    if (!s->real) s->real = host_find("interp"); /* another host */
    s->checked = *s->real;
    s->checked.compile = s == subjects ? compile0 : compile1;
    s->mem = gmem_new(g->addr_bits, 4096, &e);
    FUZZ_CHECK(s->mem && gmem_map(s->mem, s->base, SPACE, GP_READ | GP_WRITE | GP_EXEC,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == (int64_t)s->base);
    struct engine_config cfg = { .guest = g, .host = &s->checked, .mem = s->mem, .opt_passes = s->passes, .cache_bytes = 16 << 20 };
    s->en = engine_new(&cfg, &e);
    FUZZ_CHECK(s->en);
    s->cpu = cpu_new(s->en, "max", &e);
    FUZZ_CHECK(s->cpu);
}

/* The region at pc, and those it leads to: modes follow each other that way. */
static void translate(struct subject *s, uint64_t pc, unsigned limit, bool first)
{
    struct { uint64_t pc; uint32_t mode; } todo[FOLLOW] = { { pc, s->cpu->mode } };
    unsigned n = 1;
    pthread_mutex_lock(&s->en->lock);
    for (unsigned i = 0; i < n; i++) {
        const struct region *r = region_translate(s->en, s->cpu->v, todo[i].pc, todo[i].mode, limit, first);
        FUZZ_CHECK(r || s->cpu->v->exc == EXC_FAULT);
        for (unsigned k = 0; r && k < r->nexits && n < FOLLOW; k++)
            if (r->exits[k].pc - s->base < SPACE) todo[n].pc = r->exits[k].pc, todo[n++].mode = r->exits[k].mode;
    }
    pthread_mutex_unlock(&s->en->lock);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t nothing[SPACE];
    char text[128];
    if (!subjects[0].en)
        for (unsigned i = 0; i < ARRAY_LEN(subjects); i++) set_up(&subjects[i], guest_find(FUZZ_GUEST));
    for (size_t at = 1; at < size;) {
        memset(text, 1, sizeof text);
        unsigned n = guest_find(FUZZ_GUEST)->disas(text, sizeof text, data + at, size - at, 0x1000 + at, subjects[0].cpu);
        FUZZ_CHECK(n && memchr(text, 0, sizeof text));
        at += n;
    }
    if (size < 2 || size > SPACE / 2) return 0;
    for (unsigned i = 0; i < ARRAY_LEN(subjects); i++) {
        struct subject *s = &subjects[i];
        unsigned how = data[0], limit = how & 4 ? 1 + (how >> 3) : 0;
        uint64_t pc = s->base + (how & 1 ? 4096 - ALIGN_DOWN(size / 2, 4) : 0);
        FUZZ_CHECK(!gmem_write(s->mem, s->base, nothing, SPACE, NULL));
        FUZZ_CHECK(!gmem_write(s->mem, pc, data + 1, size - 1, NULL));
        translate(s, pc, limit, how & 2);
    }
    return 0;
}
