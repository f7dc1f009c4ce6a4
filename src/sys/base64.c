/* base64.c: bytes as text and back. */
#include "sys/base64.h"

#include <stdlib.h>

static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const uint8_t *p, size_t n)
{
    char *text = xalloc((n + 2) / 3 * 4 + 1), *o = text;
    for (size_t i = 0; i < n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0u);
        *o++ = b64[v >> 18];
        *o++ = b64[v >> 12 & 63];
        *o++ = i + 1 < n ? b64[v >> 6 & 63] : '=';
        *o++ = i + 2 < n ? b64[v & 63] : '=';
    }
    return text;
}

ssize_t base64_decode(char *s)
{
    uint32_t v = 0;
    unsigned bits = 0;
    size_t n = 0, len = strlen(s), pad = 0;
    if (len % 4) return -1;
    for (size_t i = 0; i < len; i++) {
        const char *p = strchr(b64, s[i]);
        if (s[i] == '=' && i + 2 >= len) {
            pad++;
            continue;
        }
        if (!p || pad) return -1;
        v = v << 6 | (uint32_t)(p - b64);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            s[n++] = (char)(v >> bits);
        }
    }
    return (ssize_t)n;
}
