/*
 * read.c: finds the table statements in C source. Statements stand at file level (outside of braces and parentheses);
 * comments, preprocessor lines, strings and bodies are skipped, so that a body may hold anything.
 */
#include "isagen.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = { "STREAM", "MODES", "GROUPS", "FMT", "INSN", "ALIAS", "HELPER" };

struct reader {
    struct loc loc;
    const char *p;
    struct stmt *out;
    unsigned n, cap;
};

static char *slurp(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    unsigned n = 0, cap = 0;

    if (!f) die("%s: cannot be read", path);
    for (int c; (c = getc(f)) != EOF;) *PUSH(text, n, cap) = (char)c;
    *PUSH(text, n, cap) = 0;
    fclose(f);
    return text;
}

static void next(struct reader *r)
{
    if (*r->p == '\n') r->loc.line++;
    if (*r->p) r->p++;
}

static void skip_line(struct reader *r)
{
    while (*r->p && *r->p != '\n') {
        if (*r->p == '\\' && r->p[1]) next(r);
        next(r);
    }
}

static void skip_comment(struct reader *r)
{
    struct loc start = r->loc;

    if (r->p[1] == '/') {
        skip_line(r);
        return;
    }
    next(r), next(r);
    while (*r->p && !(r->p[0] == '*' && r->p[1] == '/')) next(r);
    if (!*r->p) error_at(start, "comment without an end");
    next(r), next(r);
}

static bool at_comment(const struct reader *r)
{
    return r->p[0] == '/' && (r->p[1] == '/' || r->p[1] == '*');
}

static void skip_space(struct reader *r)
{
    while (isspace((unsigned char)*r->p) || at_comment(r))
        if (at_comment(r))
            skip_comment(r);
        else
            next(r);
}

static void skip_quoted(struct reader *r)
{
    struct loc start = r->loc;
    char q = *r->p;

    for (next(r); *r->p && *r->p != q && *r->p != '\n'; next(r))
        if (*r->p == '\\' && r->p[1]) next(r);
    if (*r->p != q) error_at(start, "%c without its partner", q);
    next(r);
}

/* "a" "b" with escapes resolved; anything else as it stands, trimmed. */
static const char *clean_arg(struct loc loc, const char *s, size_t n)
{
    while (n && isspace((unsigned char)s[n - 1])) n--;
    while (n && isspace((unsigned char)*s)) s++, n--;
    if (!n || *s != '"') return copy(s, n);

    char *res = copy(s, n), *o = res;
    const char *end = s + n;
    while (s < end) {
        if (*s != '"') {
            error_at(loc, "only string literals can follow a string");
            break;
        }
        for (s++; s < end && *s != '"'; s++) {
            bool escaped = *s == '\\';
            s += escaped;
            *o++ = !escaped ? *s : *s == 't' ? '\t' : *s == 'n' ? '\n' : *s;
        }
        for (s++; s < end && isspace((unsigned char)*s);) s++;
    }
    *o = 0;
    return res;
}

/* At the parenthesis after a statement's name. */
static void read_args(struct reader *r, struct stmt *s)
{
    int depth = 0;

    next(r);
    skip_space(r);
    for (const char *start = r->p;;) {
        char c = *r->p;
        if (!c) {
            error_at(s->loc, "%s( without )", s->kind);
            return;
        }
        if (depth == 0 && (c == ',' || c == ')')) {
            const char *arg = clean_arg(s->loc, start, (size_t)(r->p - start));
            if (s->nargs == sizeof s->arg / sizeof *s->arg)
                error_at(s->loc, "too many arguments");
            else if (*arg || c == ',' || s->nargs)
                s->arg[s->nargs++] = arg;
            next(r);
            if (c == ')') return;
            skip_space(r);
            start = r->p;
            continue;
        }
        depth += (c == '(') - (c == ')');
        if (c == '"' || c == '\'')
            skip_quoted(r);
        else if (at_comment(r))
            skip_comment(r);
        else
            next(r);
    }
}

static void read_word(struct reader *r, bool file_level)
{
    const char *w = r->p;
    struct loc loc = r->loc;

    while (isalnum((unsigned char)*r->p) || *r->p == '_') next(r);
    size_t n = (size_t)(r->p - w);
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strlen(kinds[i]) != n || memcmp(kinds[i], w, n)) continue;
        skip_space(r);
        if (*r->p != '(') return;
        if (!file_level) {
            error_at(loc, "%s inside of a body", kinds[i]);
            return;
        }
        struct stmt *s = PUSH(r->out, r->n, r->cap);
        *s = (struct stmt){ .loc = loc, .kind = kinds[i] };
        read_args(r, s);
        return;
    }
}

/* A table row made by a macro would compile but not be in the table: refused. */
static void skip_directive(struct reader *r)
{
    const char *start = r->p;
    struct loc loc = r->loc;

    skip_line(r);
    for (const char *p = start; p < r->p; p++)
        if ((!strncmp(p, "INSN(", 5) || !strncmp(p, "ALIAS(", 6) || !strncmp(p, "HELPER(", 7)) &&
            !isalnum((unsigned char)p[-1]) && p[-1] != '_') {
            error_at(loc, "a row cannot be made by a macro: isagen does not expand any");
            return;
        }
}

static void read_file(struct reader *r)
{
    int depth = 0;
    bool line_start = true;

    while (*r->p) {
        char c = *r->p;
        if (c == '#' && line_start) {
            skip_directive(r);
        } else if (at_comment(r)) {
            skip_comment(r);
        } else if (c == '"' || c == '\'') {
            skip_quoted(r);
        } else if (isalpha((unsigned char)c) || c == '_') {
            read_word(r, depth == 0);
        } else if (isdigit((unsigned char)c)) {
            while (isalnum((unsigned char)*r->p) || *r->p == '_' || *r->p == '\'') next(r);
        } else {
            depth += (c == '{' || c == '(') - (c == '}' || c == ')');
            next(r);
        }
        line_start = c == '\n' || (line_start && isspace((unsigned char)c));
    }
    if (depth) error_at(r->loc, "braces or parentheses do not match in this file");
}

struct stmt *read_files(char **files, unsigned n, unsigned *nstmts)
{
    struct reader r = { 0 };

    for (unsigned i = 0; i < n; i++) {
        const char *base = strrchr(files[i], '/');
        r.loc = (struct loc){ base ? base + 1 : files[i], 1 };
        r.p = slurp(files[i]);
        read_file(&r);
    }
    *nstmts = r.n;
    return r.out;
}
