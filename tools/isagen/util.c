/* util.c: messages, growing arrays, names, numbers. Nothing is freed: the tool lives for one run. */
#include "isagen.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

unsigned errors;

/* A sanitized build of the tool shall not end in a report of what is left for exit() to free. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
    return 1;
}

void error_at(struct loc loc, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "%s:%d: error: ", loc.file, loc.line);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    errors++;
}

_Noreturn void die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("isagen: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

void *grow(void *p, unsigned *cap, unsigned need, size_t size)
{
    if (need <= *cap) return p;
    unsigned n = *cap ? *cap : 16;
    while (n < need) n *= 2;
    p = realloc(p, n * size);
    if (!p) die("out of memory");
    memset((char *)p + *cap * size, 0, (n - *cap) * size);
    *cap = n;
    return p;
}

char *copy(const char *s, size_t n)
{
    char *p = malloc(n + 1);
    if (!p) die("out of memory");
    memcpy(p, s, n);
    p[n] = 0;
    return p;
}

char *upper(const char *s)
{
    char *p = copy(s, strlen(s));
    for (char *q = p; *q; q++) *q = (char)toupper((unsigned char)*q);
    return p;
}

int name_find(const struct names *t, const char *s)
{
    for (unsigned i = 0; i < t->n; i++)
        if (t->v[i] && !strcmp(t->v[i], s)) return (int)i;
    return -1;
}

unsigned name_add(struct names *t, const char *s)
{
    int i = name_find(t, s);
    if (i >= 0) return (unsigned)i;
    *PUSH(t->v, t->n, t->cap) = s;
    return t->n - 1;
}

bool is_ident(const char *s)
{
    if (!isalpha((unsigned char)*s) && *s != '_') return false;
    while (isalnum((unsigned char)*s) || *s == '_') s++;
    return !*s;
}

bool parse_num(const char *s, int64_t *v)
{
    char *end;
    bool neg = *s == '-';
    s += neg;
    if (!isdigit((unsigned char)*s)) return false;
    uint64_t n = s[0] == '0' && s[1] == 'b' ? strtoull(s + 2, &end, 2) : strtoull(s, &end, 0);
    *v = (int64_t)(neg ? 0 - n : n);
    return !*end;
}
