/* parse.c: reads what print.c writes, docs/ir.md. For tests and bug reports: clear errors matter, speed does not. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include "ir/text.h"

struct parser {
    struct ir *ir;
    const char *p;
    unsigned line;
    struct err *e;
    bool in_block;
    uint32_t block; /* current */
};

static int fail(struct parser *s, const char *what)
{
    return err_set(s->e, EINVAL, "line %u: %s at \"%.24s\"", s->line, what, s->p);
}

static void blanks(struct parser *s)
{
    while (*s->p == ' ' || *s->p == '\t') s->p++;
}

static bool accept(struct parser *s, const char *word)
{
    size_t n = strlen(word);
    blanks(s);
    if (strncmp(s->p, word, n)) return false;
    s->p += n;
    return true;
}

/* A word of letters, digits and underscores; empty if there is none. */
static void word(struct parser *s, char *buf, size_t size)
{
    size_t n = 0;
    blanks(s);
    while ((isalnum((unsigned char)*s->p) || *s->p == '_') && n + 1 < size) buf[n++] = *s->p++;
    buf[n] = 0;
}

static bool number(struct parser *s, uint64_t *v)
{
    char *end;
    blanks(s);
    if (!isdigit((unsigned char)*s->p)) return false;
    *v = strtoull(s->p, &end, 0);
    s->p = end;
    return true;
}

static bool prefixed(struct parser *s, const char *prefix, uint32_t *v)
{
    const char *at = s->p;
    uint64_t k;
    if (accept(s, prefix) && isdigit((unsigned char)*s->p) && number(s, &k) && k < UINT32_MAX / 4) {
        *v = (uint32_t)k;
        return true;
    }
    s->p = at;
    return false;
}

static bool find(const char *const *names, unsigned n, const char *w, unsigned *index)
{
    for (unsigned i = 0; i < n; i++) {
        if (names[i] && !strcmp(names[i], w)) {
            *index = i;
            return true;
        }
    }
    return false;
}

static bool type_name(struct parser *s, uint8_t *type)
{
    char w[16];
    unsigned i;
    word(s, w, sizeof w);
    if (!find(ir_type_names, T_COUNT, w, &i)) return false;
    *type = (uint8_t)i;
    return true;
}

static bool reg_name(struct parser *s, uint32_t *r)
{
    char w[32];
    if (prefixed(s, "%", r)) {
        *r += s->ir->nregs;
        return *r - s->ir->nregs < s->ir->nvars;
    }
    word(s, w, sizeof w);
    for (*r = 0; *r < s->ir->nregs; (*r)++) {
        if (s->ir->regs[*r].name && !strcmp(s->ir->regs[*r].name, w)) return true;
    }
    return false;
}

static int op_name(struct parser *s, struct ir_ins *i)
{
    char w[32];
    word(s, w, sizeof w);
    for (unsigned op = 0; op < IR_OPS; op++) {
        if (!strcmp(ir_opinfo[op].text, w)) {
            i->op = (uint8_t)op;
            return 0;
        }
    }
    return fail(s, "no such operation");
}

static int suffixes(struct parser *s, struct ir_ins *i)
{
    unsigned n, k;
    const char *const *names = ir_sub_names(i->op, &n);
    bool sized = false;
    while (*s->p == '.') {
        char w[16];
        s->p++;
        word(s, w, sizeof w);
        if (names && find(names, n, w, &k)) {
            i->sub = (uint8_t)k;
            names = NULL;
            continue;
        }
        if (!sized && find(ir_mo_sizes, 8, w, &k)) {
            i->mo |= (uint8_t)k;
            sized = true;
            continue;
        }
        const struct ir_mo_name *m = ir_mo_names;
        while (m->name && strcmp(m->name, w)) m++;
        if (!m->name) return fail(s, "unknown suffix");
        i->mo |= m->bit;
    }
    return 0;
}

static void operands(struct parser *s, V *first, unsigned max)
{
    for (unsigned k = 0; k < max; k++) {
        if (!prefixed(s, "v", &first[k])) return;
        if (!accept(s, ",")) return;
    }
}

static int address(struct parser *s, struct ir_ins *i)
{
    uint64_t d;
    if (!accept(s, "[") || !prefixed(s, "v", &i->a)) return fail(s, "expected [vN");
    bool minus = accept(s, "-");
    if (!minus && !accept(s, "+")) return fail(s, "expected + or -");
    if (!number(s, &d) || !accept(s, "]")) return fail(s, "expected displacement and ]");
    i->imm = minus ? 0 - d : d;
    if (accept(s, ",")) operands(s, &i->b, 2);
    return 0;
}

static int keyword(struct parser *s, const char *key, uint64_t *v)
{
    if (!accept(s, key)) return 0;
    return number(s, v) ? 1 : fail(s, "expected a number");
}

static int fields(struct parser *s, struct ir_ins *i)
{
    uint64_t v;
    for (;;) {
        int r;
        if ((r = keyword(s, "sub=", &v)) > 0) i->sub = (uint8_t)v;
        else if (!r && (r = keyword(s, "mo=", &v)) > 0) i->mo = (uint8_t)v;
        else if (!r && (r = keyword(s, "x=", &v)) > 0) i->x = (uint32_t)v;
        else if (!r && (r = keyword(s, "y=", &v)) > 0) i->y = (uint32_t)v;
        else if (!r && (r = keyword(s, "imm=", &v)) > 0) i->imm = v;
        if (r <= 0) return r;
    }
}

/* name(type vN, ...) reads= writes= flags=: a descriptor without a function is made for it. */
static int call(struct parser *s, struct ir_ins *i)
{
    struct ir *ir = s->ir;
    struct ir_scratch *sc = ir->scratch;
    struct named_helper {
        struct ir_helper h;
        char name[64];
    } *n = xalloc(sizeof *n);
    struct ir_call c = { .h = &n->h };
    uint64_t v[3] = { 0 };
    if (sc->nparsed == sc->cap_parsed)
        sc->parsed = vec_grow(sc->parsed, &sc->cap_parsed, sc->nparsed + 1, sizeof *sc->parsed);
    sc->parsed[sc->nparsed++] = &n->h;
    word(s, n->name, sizeof n->name);
    n->h.name = n->name;
    n->h.ret = i->type;
    if (!accept(s, "(")) return fail(s, "expected (");
    while (!accept(s, ")")) {
        unsigned k = n->h.nargs;
        if (k == ARRAY_LEN(c.arg)) return fail(s, "too many arguments");
        if (k && !accept(s, ",")) return fail(s, "expected ,");
        if (!type_name(s, &n->h.args[k]) || !prefixed(s, "v", &c.arg[k])) return fail(s, "expected type and value");
        n->h.nargs++;
    }
    if (keyword(s, "reads=", &v[0]) < 0 || keyword(s, "writes=", &v[1]) < 0 || keyword(s, "flags=", &v[2]) < 0)
        return -EINVAL;
    n->h.reads = (uint8_t)v[0];
    n->h.writes = (uint8_t)v[1];
    n->h.flags = (uint8_t)v[2];
    i->x = ir_addcall(ir, &c);
    return 0;
}

static int body(struct parser *s, struct ir_ins *i)
{
    uint64_t lo, hi;
    switch (i->op) {
    case IR_GET: return reg_name(s, &i->x) ? 0 : fail(s, "no such register");
    case IR_PUT:
        if (!reg_name(s, &i->x)) return fail(s, "no such register");
        return accept(s, ",") && prefixed(s, "v", &i->a) ? 0 : fail(s, "expected , and a value");
    case IR_KV:
        if (!number(s, &lo) || !number(s, &hi)) return fail(s, "expected two numbers");
        i->x = ir_addkv(s->ir, lo, hi);
        return 0;
    case IR_CALL: return call(s, i);
    case IR_JMP: return prefixed(s, "b", &i->x) ? 0 : fail(s, "expected a block");
    case IR_BRC:
        if (!prefixed(s, "v", &i->a) || !accept(s, ",") || !prefixed(s, "b", &i->x) || !accept(s, ",") ||
            !prefixed(s, "b", &i->y))
            return fail(s, "expected value, block, block");
        return 0;
    case IR_LD: case IR_ST: case IR_CAS: case IR_RMW: case IR_PROBE: return address(s, i) ? -EINVAL : fields(s, i);
    default:
        if (ir_imm_positional(i->op) && !number(s, &i->imm)) return fail(s, "expected a number");
        operands(s, &i->a, 1);
        if (i->a && s->p[-1] == ',') operands(s, &i->b, 2);
        return fields(s, i);
    }
}

static int instruction(struct parser *s)
{
    struct ir *ir = s->ir;
    struct ir_ins i = { 0 };
    uint32_t v = ir->nins;
    if (!s->in_block) return fail(s, "instruction outside a block");
    if (prefixed(s, "v", &v)) {
        if (!accept(s, ":") || !type_name(s, &i.type) || !accept(s, "=")) return fail(s, "expected :type =");
        if (v < ir->nins) return fail(s, "value number does not increase");
        if (v > ir->nins + 100000) return fail(s, "value number leaps");
        while (ir->nins < v) ir_emit(ir, (struct ir_ins){ .op = IR_NOP });
    }
    int r = op_name(s, &i);
    if (r || (r = suffixes(s, &i)) || (r = body(s, &i))) return r;
    v = ir_emit(ir, i);
    ir->flag[v] = 0;
    if (accept(s, "@lazy")) ir->flag[v] |= IRF_LAZY;
    if (accept(s, "@deopt")) ir->flag[v] |= IRF_DEOPT;
    ir->blk[s->block].end = ir->nins;
    return 0;
}

static int block(struct parser *s)
{
    struct ir *ir = s->ir;
    uint64_t pc = 0, depth = 0;
    uint32_t b;
    if (!prefixed(s, "b", &b) || b > 100000) return fail(s, "expected bN");
    while (ir->nblk <= b) {
        ir_newblock(ir, 0);
        ir->blk[ir->nblk - 1].first = 0;
    }
    if (ir->blk[b].first) return fail(s, "the block is there already");
    if (keyword(s, "pc=", &pc) < 0) return -EINVAL;
    ir->blk[b] = (struct ir_block){ .first = ir->nins, .end = ir->nins, .pc = pc };
    ir->blk[b].entry = accept(s, "entry");
    ir->blk[b].loop_head = accept(s, "head");
    if (keyword(s, "depth=", &depth) < 0) return -EINVAL;
    ir->blk[b].depth = (uint16_t)depth;
    s->in_block = true;
    s->block = b;
    return 0;
}

static int region(struct parser *s)
{
    struct ir *ir = s->ir;
    uint64_t v[5] = { 0 }, mode = 0;
    if (keyword(s, "mode=", &mode) < 0) return -EINVAL;
    ir->mode = (uint32_t)mode;
    if (accept(s, "fp=")) {
        for (unsigned k = 0; k < 5; k++) {
            if ((k && !accept(s, ",")) || !number(s, &v[k])) return fail(s, "expected five numbers");
        }
    }
    ir->fp = (struct ir_fp){ (uint8_t)v[0], (uint8_t)v[1], (uint8_t)v[2], (uint8_t)v[3], (uint8_t)v[4] };
    if (!accept(s, "vars=")) return 0;
    do {
        uint8_t t;
        if (!type_name(s, &t)) return fail(s, "no such type");
        ir_newvar(ir, (enum ir_type)t);
    } while (accept(s, ","));
    return 0;
}

static int text_line(struct parser *s)
{
    int r = accept(s, "region ") ? region(s) : accept(s, "block ") ? block(s) : instruction(s);
    if (r) return r;
    blanks(s);
    return *s->p && *s->p != ';' ? fail(s, "unexpected text") : 0;
}

int ir_parse(struct ir *ir, const struct ir_reg *regs, uint32_t nregs, const char *text, struct err *e)
{
    struct parser s = { .ir = ir, .e = e };
    char buf[600];
    ir_reset(ir, regs, nregs);
    if (!ir->scratch) ir->scratch = xalloc(sizeof *ir->scratch);
    while (*text) {
        size_t n = strcspn(text, "\n");
        s.line++;
        if (n >= sizeof buf) return err_set(e, EINVAL, "line %u: too long", s.line);
        memcpy(buf, text, n);
        buf[n] = 0;
        text += n + (text[n] == '\n');
        s.p = buf;
        blanks(&s);
        if (!*s.p || *s.p == ';') continue;
        int r = text_line(&s);
        if (r) return r;
    }
    for (uint32_t b = 0; b < ir->nblk; b++) {
        if (!ir->blk[b].first) return err_set(e, EINVAL, "block b%u is not there", b);
    }
    return 0;
}
