/*
 * vnc_enc.c: pixels as VNC clients want them: formats (rfbproto 7.4), encodings Raw, Hextile, Zlib, ZRLE (7.7), cursors (7.8.2).
 * Known gaps: Tight, CopyRect, run lengths in ZRLE (zlib finds them).
 */
#include "io/display/vnc_int.h"

#include <stdlib.h>

enum { HT_RAW = 1, HT_BACK = 2, HT_FORE = 4, HT_SUBRECTS = 8, HT_COLOURED = 16 };
enum { ZTILE = 64, PALETTE = 16 };

static uint16_t be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static void put16(uint8_t *p, uint32_t v) { p[0] = (uint8_t)(v >> 8), p[1] = (uint8_t)v; }
static void put32(uint8_t *p, uint32_t v) { put16(p, v >> 16), put16(p + 2, v); }

/* --- formats -------------------------------------------------------------------------------------------------------------------- */

static uint32_t in_order(uint32_t v, unsigned bytes, bool big)
{
    bool swap = big != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    return !swap || bytes == 1 ? v : bytes == 2 ? __builtin_bswap16((uint16_t)v) : __builtin_bswap32(v);
}

int vnc_format_set(struct vnc_format *f, const uint8_t wire[16])
{
    unsigned bpp = wire[0], max[3] = { be16(wire + 4), be16(wire + 6), be16(wire + 8) }, shift[3] = { wire[10], wire[11], wire[12] };
    bool big = wire[2], palette = !wire[3];
    if ((bpp != 8 && bpp != 16 && bpp != 32) || (palette && bpp != 8)) return -EINVAL;
    if (palette) { /* the colour map that we send has these */
        max[0] = max[1] = 7, max[2] = 3;
        shift[0] = 0, shift[1] = 3, shift[2] = 6;
    }
    uint64_t all = 0;
    for (unsigned i = 0; i < 3; i++) {
        if (!max[i] || (max[i] & (max[i] + 1)) || shift[i] >= bpp || (uint64_t)max[i] << shift[i] >> bpp) return -EINVAL;
        all |= (uint64_t)max[i] << shift[i];
    }
    memcpy(f->wire, wire, 16);
    f->bytes = bpp / 8;
    f->cbytes = f->bytes;
    f->cskip = 0;
    if (bpp == 32 && wire[1] <= 24 && (!(all >> 24) || !(all & 0xff))) { /* 7.7.6: three bytes, if they have all colours */
        f->cbytes = 3;
        f->cskip = (all >> 24 ? 1 : 0) ^ (big ? 1 : 0);
    }
    for (unsigned v = 0; v < 256; v++) {
        f->r[v] = in_order((v * max[0] + 127) / 255 << shift[0], f->bytes, big);
        f->g[v] = in_order((v * max[1] + 127) / 255 << shift[1], f->bytes, big);
        f->b[v] = in_order((v * max[2] + 127) / 255 << shift[2], f->bytes, big);
    }
    return 0;
}

void vnc_format_default(struct vnc_format *f)
{
    static const uint8_t rgb[16] = { 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0 };
    vnc_format_set(f, rgb);
}

static uint32_t convert(const struct vnc_format *f, uint32_t p)
{
    return f->r[p >> 16 & 255] | f->g[p >> 8 & 255] | f->b[p & 255];
}

size_t vnc_pixels(const struct vnc_format *f, const uint32_t *src, size_t n, uint8_t *dst)
{
    for (size_t i = 0; i < n; i++, dst += f->bytes) {
        uint32_t v = convert(f, src[i]);
        if (f->bytes == 4) memcpy(dst, &v, 4);
        else if (f->bytes == 2) memcpy(dst, &(uint16_t){ (uint16_t)v }, 2);
        else *dst = (uint8_t)v;
    }
    return n * f->bytes;
}

static uint8_t *cpixel(const struct vnc_format *f, uint32_t p, uint8_t *o)
{
    uint8_t b[4];
    vnc_pixels(f, &p, 1, b);
    memcpy(o, b + f->cskip, f->cbytes);
    return o + f->cbytes;
}

/* w pixels of the screen at x, y; black where the console is smaller than what the client has. The byte that says nothing is 0. */
static void get_row(const struct vnc_client *c, uint32_t x, uint32_t y, uint32_t w, uint32_t *dst)
{
    const struct surface *s = vnc_surface(c->v);
    uint32_t n = s && y < s->height && x < s->width ? MIN(w, s->width - x) : 0;
    for (uint32_t i = 0; i < n; i++) dst[i] = s->pixels[(size_t)y * s->width + x + i] & 0xffffff;
    memset(dst + n, 0, (w - n) * sizeof *dst);
}

void vnc_rect_head(struct vnc_client *c, struct rect r, int32_t enc)
{
    uint8_t h[12];
    put16(h, r.x), put16(h + 2, r.y), put16(h + 4, r.w), put16(h + 6, r.h);
    put32(h + 8, (uint32_t)enc);
    vnc_out(c, h, sizeof h);
}

/* --- Raw ---------------------------------------------------------------------------------------------------------------------------- */

static size_t raw(struct vnc_client *c, struct rect r, uint8_t *out)
{
    uint32_t row[1024];
    uint8_t *o = out;
    for (uint32_t y = 0; y < r.h; y++)
        for (uint32_t x = 0; x < r.w; x += ARRAY_LEN(row)) {
            uint32_t n = MIN(r.w - x, (uint32_t)ARRAY_LEN(row));
            get_row(c, r.x + x, r.y + y, n, row);
            o += vnc_pixels(&c->fmt, row, n, o);
        }
    return (size_t)(o - out);
}

/* --- Hextile -------------------------------------------------------------------------------------------------------------------------- */

struct hextile {
    bool have_back;
    uint32_t back;
};

/* Rectangles of one colour, of all that is not `back`: their number, or more than 255 or `limit` bytes: 0. */
static unsigned subrects(struct vnc_client *c, const uint32_t *t, uint32_t w, uint32_t h, uint32_t back, bool coloured, uint8_t *o, size_t limit, size_t *len)
{
    bool done[256] = { false };
    unsigned n = 0;
    *len = 0;
    for (uint32_t y = 0; y < h; y++)
        for (uint32_t x = 0; x < w; x++) {
            uint32_t p = t[y * w + x], rw = 1, rh = 1;
            if (done[y * w + x] || p == back) continue;
            while (x + rw < w && t[y * w + x + rw] == p && !done[y * w + x + rw]) rw++;
            for (bool same = true; y + rh < h; rh++) {
                for (uint32_t i = 0; i < rw && same; i++) same = t[(y + rh) * w + x + i] == p;
                if (!same) break;
            }
            for (uint32_t j = 0; j < rh; j++) memset(&done[(y + j) * w + x], 1, rw);
            if (n == 255 || *len + 6 > limit) return 0;
            if (coloured) *len += vnc_pixels(&c->fmt, &p, 1, o + *len);
            o[(*len)++] = (uint8_t)(x << 4 | y);
            o[(*len)++] = (uint8_t)((rw - 1) << 4 | (rh - 1));
            n++;
        }
    return n;
}

static uint8_t *hextile_tile(struct vnc_client *c, struct hextile *ht, const uint32_t *t, uint32_t w, uint32_t h, uint8_t *o)
{
    uint32_t n = w * h, first = t[0], second = first, count = 0;
    bool two = true;
    for (uint32_t i = 0; i < n; i++) {
        if (t[i] == first) count++;
        else if (second == first) second = t[i];
        else if (t[i] != second) two = false;
    }
    uint32_t back = two && count * 2 < n ? second : first, fore = back == first ? second : first;
    uint8_t *flags = o++, sub[VNC_TILE * VNC_TILE * 4];
    size_t len;
    *flags = 0;
    if (!ht->have_back || ht->back != back) {
        *flags |= HT_BACK;
        o += vnc_pixels(&c->fmt, &back, 1, o);
    }
    ht->back = back;
    ht->have_back = true;
    if (first == second) return o;
    size_t plain = n * c->fmt.bytes;
    unsigned k = subrects(c, t, w, h, back, !two, sub, plain > 16 ? plain - 10 : 0, &len);
    if (!k) {
        ht->have_back = false; /* 7.7.4: after a raw tile it has to be said anew */
        *flags = HT_RAW;
        o = flags + 1;
        return o + vnc_pixels(&c->fmt, t, n, o);
    }
    if (two) {
        *flags |= HT_FORE | HT_SUBRECTS;
        o += vnc_pixels(&c->fmt, &fore, 1, o);
    } else {
        *flags |= HT_SUBRECTS | HT_COLOURED;
    }
    *o++ = (uint8_t)k;
    memcpy(o, sub, len);
    return o + len;
}

static void get_tile(struct vnc_client *c, struct rect r, uint32_t *t)
{
    for (uint32_t y = 0; y < r.h; y++) get_row(c, r.x, r.y + y, r.w, t + y * r.w);
}

static void hextile(struct vnc_client *c, struct rect r)
{
    struct hextile ht = { 0 };
    uint32_t t[VNC_TILE * VNC_TILE];
    for (uint32_t y = 0; y < r.h; y += VNC_TILE)
        for (uint32_t x = 0; x < r.w; x += VNC_TILE) {
            struct rect k = { r.x + x, r.y + y, MIN((uint32_t)VNC_TILE, r.w - x), MIN((uint32_t)VNC_TILE, r.h - y) };
            uint8_t *o = vnc_out_room(c, sizeof t + 64);
            get_tile(c, k, t);
            vnc_out_add(c, (size_t)(hextile_tile(c, &ht, t, k.w, k.h, o) - o));
        }
}

/* --- Zlib, ZRLE ------------------------------------------------------------------------------------------------------------------------- */

/* u32 length, and the bytes through the client's stream of that encoding. */
static void deflated(struct vnc_client *c, z_stream *z, bool *on, uint8_t *data, size_t n)
{
    if (!*on && deflateInit(z, 3) != Z_OK) {
        vnc_client_end(c);
        return;
    }
    *on = true;
    size_t cap = deflateBound(z, n) + 64;
    uint8_t *o = vnc_out_room(c, cap + 4);
    z->next_in = data;
    z->avail_in = (uInt)n;
    z->next_out = o + 4;
    z->avail_out = (uInt)cap;
    if (deflate(z, Z_SYNC_FLUSH) != Z_OK || z->avail_in || !z->avail_out) {
        vnc_client_end(c);
        return;
    }
    put32(o, (uint32_t)(cap - z->avail_out));
    vnc_out_add(c, 4 + cap - z->avail_out);
}

/* 7.7.6: one colour, a palette of up to 16, or the pixels. */
static uint8_t *zrle_tile(struct vnc_client *c, const uint32_t *t, uint32_t w, uint32_t h, uint8_t *o)
{
    uint32_t n = w * h, pal[PALETTE + 1];
    uint8_t index[ZTILE * ZTILE];
    unsigned k = 0, last = 0;
    for (uint32_t i = 0; i < n && k <= PALETTE; i++) {
        if (!k || pal[last] != t[i]) {
            for (last = 0; last < k && pal[last] != t[i]; last++) {}
            if (last == k) pal[k++] = t[i];
        }
        index[i] = (uint8_t)last;
    }
    if (k > PALETTE) {
        *o++ = 0;
        for (uint32_t i = 0; i < n; i++) o = cpixel(&c->fmt, t[i], o);
        return o;
    }
    *o++ = (uint8_t)k;
    for (unsigned i = 0; i < k; i++) o = cpixel(&c->fmt, pal[i], o);
    unsigned bits = k <= 1 ? 0 : k == 2 ? 1 : k <= 4 ? 2 : 4;
    for (uint32_t y = 0; bits && y < h; y++) {
        unsigned acc = 0, have = 0;
        for (uint32_t x = 0; x < w; x++) {
            acc = acc << bits | index[y * w + x];
            if ((have += bits) < 8) continue;
            *o++ = (uint8_t)acc;
            acc = have = 0;
        }
        if (have) *o++ = (uint8_t)(acc << (8 - have));
    }
    return o;
}

static void zrle(struct vnc_client *c, struct rect r)
{
    uint8_t *buf = vnc_scratch(c->v, (size_t)r.w * r.h * 4 + (r.w / ZTILE + 1) * (r.h / ZTILE + 1) * 80 + 80), *o = buf;
    uint32_t t[ZTILE * ZTILE];
    for (uint32_t y = 0; y < r.h; y += ZTILE)
        for (uint32_t x = 0; x < r.w; x += ZTILE) {
            struct rect k = { r.x + x, r.y + y, MIN((uint32_t)ZTILE, r.w - x), MIN((uint32_t)ZTILE, r.h - y) };
            get_tile(c, k, t);
            o = zrle_tile(c, t, k.w, k.h, o);
        }
    deflated(c, &c->zrle, &c->zrle_on, buf, (size_t)(o - buf));
}

void vnc_encode(struct vnc_client *c, struct rect r)
{
    int32_t enc = c->enc < 0 ? ENC_RAW : c->enc;
    size_t bytes = (size_t)r.w * r.h * c->fmt.bytes;
    vnc_rect_head(c, r, enc);
    switch (enc) {
    case ENC_HEXTILE: hextile(c, r); break;
    case ENC_ZLIB: {
        uint8_t *buf = vnc_scratch(c->v, bytes);
        deflated(c, &c->zlib, &c->zlib_on, buf, raw(c, r, buf));
        break;
    }
    case ENC_ZRLE: zrle(c, r); break;
    default: vnc_out_add(c, raw(c, r, vnc_out_room(c, bytes)));
    }
}

/* Pixels, then a bit for each that is to be seen. */
void vnc_encode_cursor(struct vnc_client *c, const struct cursor *k)
{
    static const struct cursor hidden;
    if (!k || !k->visible) k = &hidden;
    size_t n = (size_t)k->width * k->height, line = (k->width + 7) / 8;
    vnc_rect_head(c, (struct rect){ MIN(k->hot_x, k->width), MIN(k->hot_y, k->height), k->width, k->height }, ENC_CURSOR);
    if (!n) return;
    vnc_out_add(c, vnc_pixels(&c->fmt, k->pixels, n, vnc_out_room(c, n * c->fmt.bytes)));
    uint8_t *mask = vnc_out_room(c, line * k->height);
    memset(mask, 0, line * k->height);
    for (size_t i = 0; i < n; i++)
        if (k->pixels[i] >> 31) mask[i / k->width * line + i % k->width / 8] |= (uint8_t)(0x80 >> (i % k->width % 8));
    vnc_out_add(c, line * k->height);
}
