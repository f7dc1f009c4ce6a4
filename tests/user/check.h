/* check.h: for guest test programs: CHECK(condition) prints what failed; main ends with `return done();`. */
#ifndef CHECK_H
#define CHECK_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int failures;
#define CHECK(x)                                                                             \
    do {                                                                                     \
        errno = 0;                                                                           \
        if (!(x)) {                                                                          \
            printf("line %d: %s (errno %d)\n", __LINE__, #x, errno);                         \
            failures++;                                                                      \
        }                                                                                    \
    } while (0)
static inline int done(void)
{
    fflush(stdout);
    return failures ? 1 : 0;
}
#endif
