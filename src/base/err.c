/* err.c: errors that carry a sentence, and memory that does not fail to the caller's eyes. */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int err_set(struct err *e, int code, const char *fmt, ...)
{
    if (e) {
        va_list ap;
        e->code = code;
        va_start(ap, fmt);
        vsnprintf(e->msg, sizeof e->msg, fmt, ap);
        va_end(ap);
    }
    return -code;
}

static _Noreturn void out_of_memory(size_t size)
{
    char msg[80];
    int n = snprintf(msg, sizeof msg, "lyrebird: out of memory (%zu bytes)\n", size);
    if (write(2, msg, (size_t)n) < 0) {
        /* nothing is left to tell it to */
    }
    _exit(71);
}

void *xalloc(size_t size)
{
    void *p = calloc(1, size ? size : 1);
    if (!p) out_of_memory(size);
    return p;
}

void *xrealloc(void *p, size_t old_size, size_t new_size)
{
    char *q = realloc(p, new_size ? new_size : 1);
    if (!q) out_of_memory(new_size);
    if (new_size > old_size) memset(q + old_size, 0, new_size - old_size);
    return q;
}

void *vec_grow(void *p, uint32_t *cap, uint32_t need, size_t size)
{
    if (need <= *cap) return p;
    uint32_t n = *cap ? *cap : 16;
    while (n < need) n *= 2;
    p = xrealloc(p, *cap * size, n * size);
    *cap = n;
    return p;
}
