/* isa.c: statements to struct isa. Modes, groups and formatters are known before any row is parsed. */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

static void do_stream(struct isa *isa, const struct stmt *s)
{
    if (isa->have_stream) {
        error_at(s->loc, "second STREAM; the first is at %s:%d", isa->stream_loc.file, isa->stream_loc.line);
        return;
    }
    isa->have_stream = true;
    isa->stream_loc = s->loc;
    for (unsigned i = 0; i < s->nargs; i++) {
        const char *a = s->arg[i];
        if (!strcmp(a, "bytes") && s->nargs == 1)
            isa->stream = calloc(1, sizeof *isa->stream);
        else if (!strcmp(a, "unit=8") || !strcmp(a, "unit=16") || !strcmp(a, "unit=32"))
            isa->unit = (unsigned)atoi(a + 5) / 8;
        else if (!strcmp(a, "order=lsb") || !strcmp(a, "order=msb"))
            isa->msb_first = a[6] == 'm';
        else if (!strcmp(a, "endian=little") || !strcmp(a, "endian=big"))
            isa->big_endian = a[7] == 'b';
        else
            error_at(s->loc, "STREAM: '%s' is not unit=8|16|32, order=lsb|msb, endian=little|big, or bytes alone", a);
    }
}

/* "a|b|c" to names; each must be an identifier (FMT also takes @pc). */
static unsigned split(const struct stmt *s, const char *text, const char **out, unsigned max)
{
    unsigned n = 0;

    for (const char *p = text;; p++) {
        size_t len = strcspn(p, "|");
        const char *w = copy(p, len);
        while (len && w[len - 1] == ' ') ((char *)w)[--len] = 0;
        while (*w == ' ') w++;
        if (!is_ident(w) && strcmp(w, "@pc")) error_at(s->loc, "%s: '%s' is not a name", s->kind, w);
        if (n < max) out[n++] = w;
        p += strcspn(p, "|");
        if (!*p) return n;
    }
}

static void do_modes(struct isa *isa, const struct stmt *s)
{
    for (unsigned i = 0; i < s->nargs; i++) {
        const char *v[MAX_MODES];
        unsigned n = split(s, s->arg[i], v, MAX_MODES);
        for (unsigned j = 0; j < n; j++) {
            if (name_find(&isa->modes, v[j]) >= 0) {
                error_at(s->loc, "mode '%s' is declared twice", v[j]);
                continue;
            }
            unsigned m = name_add(&isa->modes, v[j]);
            if (m >= MAX_MODES) {
                error_at(s->loc, "more than %d modes", MAX_MODES);
                return;
            }
            isa->mode_axis[m] = n > 1 ? isa->naxes + 1 : 0; /* 0: a boolean of its own */
        }
        isa->naxes += n > 1;
    }
}

static void do_groups(struct isa *isa, const struct stmt *s)
{
    for (unsigned i = 0; i < s->nargs; i++) {
        if (!is_ident(s->arg[i])) error_at(s->loc, "GROUPS: '%s' is not a name", s->arg[i]);
        name_add(&isa->groups, s->arg[i]);
    }
    if (isa->groups.n > MAX_GROUPS) error_at(s->loc, "more than %d register groups", MAX_GROUPS);
}

static void do_fmt(struct isa *isa, const struct stmt *s)
{
    const char *v[64];

    if (s->nargs != 2) {
        error_at(s->loc, "FMT(field|field, formatter) takes two arguments");
        return;
    }
    unsigned n = split(s, s->arg[0], v, 64);
    for (unsigned i = 0; i < n; i++) {
        const char **slot = &isa->pc_fmt;
        if (strcmp(v[i], "@pc")) {
            unsigned f = name_add(&isa->fields, v[i]);
            isa->field_fmt.v = grow(isa->field_fmt.v, &isa->field_fmt.cap, f + 1, sizeof *isa->field_fmt.v);
            slot = &isa->field_fmt.v[f];
        }
        if (*slot && strcmp(*slot, s->arg[1]))
            error_at(s->loc, "field '%s' already has the default formatter '%s'", v[i], *slot);
        *slot = s->arg[1];
    }
}

static void do_row(struct isa *isa, const struct stmt *s)
{
    bool alias = *s->kind == 'A';

    if (s->nargs != 3) {
        error_at(s->loc, "%s(name, \"pattern\", \"syntax\") takes three arguments, not %u", s->kind, s->nargs);
        return;
    }
    if (!is_ident(s->arg[0])) {
        error_at(s->loc, "'%s' is not a name", s->arg[0]);
        return;
    }
    struct row *r = alias ? PUSH(isa->aliases, isa->naliases, isa->cap_aliases)
                          : PUSH(isa->rows, isa->nrows, isa->cap_rows);
    *r = (struct row){ .name = s->arg[0], .pattern = s->arg[1], .syntax = s->arg[2], .loc = s->loc,
                       .is_alias = alias, .order = isa->nrows + isa->naliases };
    if (!isa->stream)
        parse_pattern(isa, r);
    else if (alias)
        error_at(s->loc, "STREAM(bytes) has no ALIAS: a form that is a strict subset does it");
    else
        parse_forms(isa, isa->nrows - 1);
}

static int row_find(const struct isa *isa, const char *name)
{
    for (unsigned i = 0; i < isa->nrows; i++)
        if (!strcmp(isa->rows[i].name, name)) return (int)i;
    return -1;
}

static void check_names(const struct isa *isa)
{
    for (unsigned i = 0; i < isa->nrows; i++) {
        const struct row *r = &isa->rows[i], *first = &isa->rows[row_find(isa, r->name)];
        if (first != r)
            error_at(r->loc, "INSN '%s' is already defined at %s:%d", r->name, first->loc.file, first->loc.line);
    }
    for (unsigned i = 0; i < isa->nhelpers; i++)
        for (unsigned j = 0; j < i; j++)
            if (!strcmp(isa->helpers[i].name, isa->helpers[j].name))
                error_at(isa->helpers[i].loc, "HELPER '%s' is already defined at %s:%d", isa->helpers[i].name,
                         isa->helpers[j].loc.file, isa->helpers[j].loc.line);
}

/* An alias must lie inside the row it respells, else it could never be printed, or for something else. */
static void link_aliases(struct isa *isa)
{
    for (unsigned i = 0; i < isa->naliases; i++) {
        struct row *a = &isa->aliases[i];
        int of = row_find(isa, a->name);
        if (of < 0) {
            error_at(a->loc, "ALIAS of '%s', which is no INSN", a->name);
            continue;
        }
        const struct row *r = &isa->rows[of];
        a->of = (unsigned)of;
        if (a->bytes != r->bytes || !cubes_meet(&a->cube, &r->cube) || (r->cube.mask & ~a->cube.mask))
            error_at(a->loc, "ALIAS does not lie inside of INSN '%s' (%s:%d)", r->name, r->loc.file, r->loc.line);
    }
}

void isa_build(struct isa *isa, const struct stmt *st, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (!strcmp(st[i].kind, "STREAM")) do_stream(isa, &st[i]);
        if (!strcmp(st[i].kind, "MODES")) do_modes(isa, &st[i]);
        if (!strcmp(st[i].kind, "GROUPS")) do_groups(isa, &st[i]);
        if (!strcmp(st[i].kind, "FMT")) do_fmt(isa, &st[i]);
    }
    if (!isa->have_stream) die("no STREAM statement in any file");
    for (unsigned i = 0; i < n; i++) {
        if (!strcmp(st[i].kind, "INSN") || !strcmp(st[i].kind, "ALIAS")) do_row(isa, &st[i]);
        if (!strcmp(st[i].kind, "HELPER")) parse_helper(isa, &st[i]);
    }
    if (!isa->nrows) die("no INSN in any file");
    isa->field_fmt.v = grow(isa->field_fmt.v, &isa->field_fmt.cap, isa->fields.n, sizeof *isa->field_fmt.v);
    check_names(isa);
    if (errors) return;
    if (isa->stream) {
        check_forms(isa);
        return;
    }
    check_overlap(isa);
    make_cells(isa);
    link_aliases(isa);
    check_aliases(isa);
    for (unsigned i = 0; i < isa->nrows; i++) resolve_syntax(isa, &isa->rows[i]);
    for (unsigned i = 0; i < isa->naliases; i++) resolve_syntax(isa, &isa->aliases[i]);
}
