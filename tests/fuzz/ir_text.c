/*
 * ir_text.c: any bytes as the text form of IR. What the parser takes and the verifier accepts is printed, and read back the
 * same; the passes leave it correct.
 */
#include "fuzz.h"
#include "ir/ir.h"

#define R(n, t, g) { .name = n, .type = t, .group = g, .pin = -1 }
static const struct ir_reg regs[] = {
    R("x0", T_I64, 0), R("x1", T_I64, 0), R("x2", T_I64, 0), R("w0", T_I32, 0), R("h0", T_I16, 0), R("c0", T_I8, 0),
    R("p0", T_I1, 1), R("d0", T_F64, 2), R("s0", T_F32, 2), R("g0", T_F16, 2), R("q0", T_V128, 3), R("q1", T_V128, 3),
};
struct text {
    char *p;
    size_t size, cap;
};

static void line(void *ctx, const char *s)
{
    struct text *t = ctx;
    size_t n = strlen(s);
    if (t->size + n + 2 > t->cap) {
        t->p = xrealloc(t->p, t->cap, t->cap * 2 + n + 2);
        t->cap = t->cap * 2 + n + 2;
    }
    memcpy(t->p + t->size, s, n);
    t->size += n;
    t->p[t->size++] = '\n';
    t->p[t->size] = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ir ir, again;
    struct text a = { 0 }, b = { 0 };
    struct err e = { 0 };
    char *in = xalloc(size + 1);
    memcpy(in, data, size);
    if (!ir_parse(&ir, regs, ARRAY_LEN(regs), in, &e) && !ir_verify(&ir, &e)) {
        ir_print(&ir, line, &a);
        int r = ir_parse(&again, regs, ARRAY_LEN(regs), a.p, &e);
        if (r) fprintf(stderr, "%s\n%s", e.msg, a.p);
        FUZZ_CHECK(!r && !ir_verify(&again, &e));
        ir_print(&again, line, &b);
        if (strcmp(a.p, b.p)) fprintf(stderr, "%s---\n%s", a.p, b.p);
        FUZZ_CHECK(!strcmp(a.p, b.p));
        ir_opt(&ir, OPT_ALL);
        if (ir_verify(&ir, &e)) fprintf(stderr, "%s\n%s", e.msg, a.p);
        FUZZ_CHECK(!e.code);
    }
    free(a.p);
    free(b.p);
    free(in);
    return 0;
}
