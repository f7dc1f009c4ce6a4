/* base64.h: RFC 4648, section 4. */
#ifndef LYRE_SYS_BASE64_H
#define LYRE_SYS_BASE64_H

#include <sys/types.h>
#include "base/base.h"

/* The caller frees. */
char *base64_encode(const uint8_t *p, size_t n);
/* In place: the length, or -1: it is none. */
ssize_t base64_decode(char *s);

#endif
