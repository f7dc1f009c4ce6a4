/*
 * text.c: syntax strings to the disassembler.
 *
 *   {f} {f:fmt}      the formatter FMT gives the field, or fmt; without either, decimal
 *   {f@pc} {f@pc:fmt} pc + field; FMT(@pc, fmt) is its default, without it 0x hex
 *   {:fmt}           a formatter that looks at the fields only; its value is 0
 *   {f:%x}           d, u or x with printf's #, 0 and width
 *   {{ }}            braces
 */
#include "isagen.h"

#include <string.h>

struct piece {
    const char *lit;        /* text, or */
    int field;              /* the field, -1: value 0 */
    bool pc;
    const char *fmt;        /* NULL: decimal */
};

/* The next piece of a syntax string; false at the end. */
static bool next_piece(const struct isa *isa, const struct row *r, const char **pp, struct piece *out)
{
    const char *p = *pp;
    char lit[512];
    unsigned n = 0;

    *out = (struct piece){ .field = -1 };
    if (!*p) return false;
    while (*p && n < sizeof lit - 1 && (*p != '{' || p[1] == '{')) {
        if (*p == '}' && p[1] != '}') error_at(r->loc, "syntax \"%s\": a brace is written }}", r->syntax);
        bool twice = (*p == '{' || *p == '}') && p[1] == *p;
        lit[n++] = *p;
        p += 1 + twice;
    }
    if (n) {
        out->lit = copy(lit, n);
        *pp = p;
        return true;
    }
    size_t len = strcspn(++p, "}");
    if (!p[len]) {
        error_at(r->loc, "syntax \"%s\": { without }", r->syntax);
        *pp = p + len;
        return false;
    }
    *pp = p + len + 1;
    const char *body = copy(p, len), *colon = strchr(body, ':'), *name = copy(body, strcspn(body, ":@"));
    const char *at = strchr(body, '@');
    if (at && colon && at > colon) at = NULL;
    out->pc = at != NULL;
    if (at && strncmp(at, "@pc", colon ? (size_t)(colon - at) : strlen(at)))
        error_at(r->loc, "syntax \"%s\": only @pc can follow a field", r->syntax);
    if (*name) {
        out->field = name_find(&isa->fields, name);
        if (out->field < 0) error_at(r->loc, "syntax \"%s\": '%s' is no field", r->syntax, name);
    }
    if (colon)
        out->fmt = colon + 1;
    else if (out->pc)
        out->fmt = isa->pc_fmt ? isa->pc_fmt : "%#x";
    else if (out->field >= 0)
        out->fmt = isa->field_fmt.v[out->field];
    return true;
}

static bool has_field(const struct isa *isa, const struct row *r, unsigned f)
{
    for (unsigned i = 0; i < r->nuses; i++)
        if (r->use[i].field == f) return true;
    return r->is_alias && has_field(isa, &isa->rows[r->of], f);
}

static bool is_printf(const char *s)
{
    if (*s++ != '%') return false;
    s += strspn(s, "#0");
    s += strspn(s, "123456789");
    return strchr("dux", *s) && *s && !s[1];
}

void resolve_syntax(struct isa *isa, const struct row *r)
{
    struct piece pc;

    for (const char *p = r->syntax; next_piece(isa, r, &p, &pc);) {
        if (pc.lit) continue;
        if (pc.field >= 0 && !has_field(isa, r, (unsigned)pc.field))
            error_at(r->loc, "syntax \"%s\": the pattern has no field '%s'", r->syntax, isa->fields.v[pc.field]);
        if (!pc.fmt || is_printf(pc.fmt)) continue;
        if (is_ident(pc.fmt))
            name_add(&isa->fmts, pc.fmt);
        else
            error_at(r->loc, "syntax \"%s\": '%s' is no formatter", r->syntax, pc.fmt);
    }
}

void emit_cstring(FILE *o, const char *s, size_t n)
{
    fputc('"', o);
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\t')
            fputs("\\t", o);
        else if (s[i] == '\n')
            fputs("\\n", o);
        else
            fprintf(o, "%s%c", s[i] == '"' || s[i] == '\\' ? "\\" : "", s[i]);
    }
    fputc('"', o);
}

static void emit_value(const struct isa *isa, FILE *o, const struct piece *p)
{
    if (p->pc) fprintf(o, "(int64_t)(c->pc + (uint64_t)");
    if (p->field < 0)
        fprintf(o, "0");
    else
        fprintf(o, "f->%s", isa->fields.v[p->field]);
    if (p->pc) fprintf(o, ")");
}

static void emit_print(const struct isa *isa, FILE *o, const struct row *r, const char *indent)
{
    struct piece p;

    for (const char *s = r->syntax; next_piece(isa, r, &s, &p);) {
        fputs(indent, o);
        if (p.lit) {
            fprintf(o, "isa_puts(o, ");
            emit_cstring(o, p.lit, strlen(p.lit));
        } else if (!p.fmt || *p.fmt == '%') {
            const char *fmt = p.fmt ? p.fmt : "%d";
            size_t n = strlen(fmt) - 1;
            fprintf(o, "isa_printf(o, \"%.*s\" PRI%c64, (%s)", (int)n, fmt, fmt[n], fmt[n] == 'd' ? "int64_t" : "uint64_t");
            emit_value(isa, o, &p);
        } else {
            fprintf(o, "%sfmt_%s(o, ", isa->prefix, p.fmt);
            emit_value(isa, o, &p);
            fprintf(o, ", f, c->pc");
        }
        fprintf(o, ");\n");
    }
}

static void emit_condition(const struct isa *isa, FILE *o, const struct row *r)
{
    const struct cube *c = &r->cube;

    fprintf(o, "    if ((c->w & %#llx) != %#llx) return false;\n", (unsigned long long)c->mask, (unsigned long long)c->val);
    if (c->mode_mask)
        fprintf(o, "    if ((c->modes & %#llx) != %#llx) return false;\n", (unsigned long long)c->mode_mask,
                (unsigned long long)c->mode_val);
    for (unsigned i = 0; i < (isa->feats.n + 63) / 64; i++)
        if (c->feat_mask[i])
            fprintf(o, "    if ((c->feats[%u] & %#llx) != %#llx) return false;\n", i, (unsigned long long)c->feat_mask[i],
                    (unsigned long long)c->feat_val[i]);
}

/* Each alias is a function that prints and says so, or leaves the text alone. */
static void emit_alias(const struct isa *isa, FILE *o, unsigned i)
{
    const struct row *r = &isa->aliases[i];
    char *code = NULL;
    size_t n = 0;
    FILE *m = open_memstream(&code, &n);

    emit_extract(isa, m, r, "    ", "false");
    fclose(m);
    fprintf(o, "\n/* %s:%d: %s */\n", r->loc.file, r->loc.line, r->pattern);
    fprintf(o, "static bool alias_%u(struct isa_text *o, const struct context *c, const struct %sfields *%s UNUSED)\n{\n", i,
            isa->prefix, n ? "base" : "f");
    emit_condition(isa, o, r);
    if (n)
        fprintf(o, "    struct %sfields own = *base, *f = &own;\n"
                   "    const uint64_t w UNUSED = c->w, modes UNUSED = c->modes;\n%s", isa->prefix, code);
    emit_print(isa, o, r, "    ");
    fprintf(o, "    return true;\n}\n");
}

void emit_text(const struct isa *isa, FILE *o)
{
    fprintf(o, "\n/* --- disassembler --- */\nstruct context {\n    uint64_t w, modes, pc;\n    const uint64_t *feats;\n};\n");
    for (unsigned i = 0; i < isa->naliases; i++) emit_alias(isa, o, i);
    fprintf(o, "\nstatic void print_row(struct isa_text *o, unsigned row, const struct context *c UNUSED, "
               "const struct %sfields *f UNUSED)\n{\n    switch (row) {\n", isa->prefix);
    for (unsigned i = 0; i < isa->nrows; i++) {
        const struct row *r = &isa->rows[i];
        fprintf(o, "    case %sROW_%s: /* %s:%d */\n", isa->upper, r->name, r->loc.file, r->loc.line);
        for (unsigned j = 0; j < isa->naliases; j++)
            if (isa->aliases[j].of == i) fprintf(o, "        if (alias_%u(o, c, f)) return;\n", j);
        emit_print(isa, o, r, "        ");
        fprintf(o, "        return;\n");
    }
    fprintf(o, "    }\n}\n\n");
    fprintf(o, "unsigned %sdisassemble(char *buf, size_t size, const uint8_t *p, size_t avail, uint64_t modes,\n"
               "    const uint64_t *feats, uint64_t pc)\n{\n", isa->prefix);
    fprintf(o, "    struct isa_text o = isa_text(buf, size);\n"
               "    struct %sfields f;\n"
               "    int row = %sdecode(p, avail, modes, feats, &f);\n\n"
               "    if (row < 0) return isa_undefined(&o, &table, p, row == -1 ? f.len : avail);\n"
               "    const struct context c = { isa_window(&table, p, avail), modes, pc, feats };\n"
               "    print_row(&o, (unsigned)row, &c, &f);\n"
               "    return f.len;\n}\n", isa->prefix, isa->prefix);
}
