/* png.c: what a console shows as a PNG file (ISO/IEC 15948): 8 bits a colour, no filters. */
#include <stdlib.h>
#include <zlib.h>
#include "io/display/display.h"

static void put32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Length, type, data (n bytes, at p + 8 already), checksum; where the next one begins. */
static uint8_t *chunk(uint8_t *p, const char *type, uint32_t n)
{
    put32(p, n);
    memcpy(p + 4, type, 4);
    put32(p + 8 + n, (uint32_t)crc32(crc32(0, NULL, 0), p + 4, n + 4));
    return p + 12 + n;
}

static uint8_t *lines(const struct surface *s, size_t *n)
{
    uint8_t *buf = xalloc(((size_t)s->width * 3 + 1) * s->height + 1), *o = buf;
    for (uint32_t y = 0; y < s->height; y++) {
        *o++ = 0; /* filter: none */
        for (uint32_t x = 0; x < s->width; x++, o += 3) {
            uint32_t p = s->pixels[(size_t)y * s->width + x];
            o[0] = (uint8_t)(p >> 16), o[1] = (uint8_t)(p >> 8), o[2] = (uint8_t)p;
        }
    }
    *n = (size_t)(o - buf);
    return buf;
}

uint8_t *console_png(struct console *c, size_t *size)
{
    static const uint8_t magic[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
    console_refresh(c);
    const struct surface *s = console_surface(c);
    size_t n;
    uint8_t *data = lines(s, &n);
    uLongf packed = compressBound(n);
    uint8_t *out = xalloc(packed + 128), *p = out + 8;
    memcpy(out, magic, 8);
    put32(p + 8, s->width);
    put32(p + 12, s->height);
    memcpy(p + 16, (uint8_t[]){ 8, 2, 0, 0, 0 }, 5); /* 8 bits, RGB */
    p = chunk(p, "IHDR", 13);
    bool ok = compress2(p + 8, &packed, data, n, 6) == Z_OK;
    free(data);
    if (!ok) {
        free(out);
        return NULL;
    }
    p = chunk(p, "IDAT", (uint32_t)packed);
    p = chunk(p, "IEND", 0);
    *size = (size_t)(p - out);
    return out;
}
