/*
 * vnc_test.c: the VNC server, spoken to by a small client of its own: handshakes of the three versions, passwords, updates in every encoding
 * and several formats against the surface, keys, pointers, sizes, sharing, slow clients, garbage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "io/display/vnc_int.h"

enum { EVENTS = 64, ROUNDS = 20000 };

struct world {
    struct loop *l;
    struct display *d;
    struct console *con;
    struct vnc_set *set;
    struct vnc *v;
    struct err e;
    struct input keys, tablet;
    struct { uint16_t type, code; int32_t value; } ev[EVENTS];
    unsigned nev;
    char log[1024];
};

/* The client's end. */
struct client {
    struct world *w;
    int fd;
    uint32_t width, height;
    unsigned bytes;
    uint32_t *screen;          /* pixels as they came, of fmt */
    z_stream z, zr;
    bool z_on, zr_on;
    int modes, ext_keys, resizes, cursors;
};

static void on_input(void *ctx, uint16_t type, uint16_t code, int32_t value)
{
    struct world *w = ctx;
    if (type == EV_SYN) return;
    assert_true(w->nev < EVENTS);
    w->ev[w->nev].type = type, w->ev[w->nev].code = code, w->ev[w->nev++].value = value;
}

static void on_event(void *ctx, struct vnc *v, enum vnc_event ev, const struct vnc_address *a)
{
    struct world *w = ctx;
    size_t n = strlen(w->log);
    snprintf(w->log + n, sizeof w->log - n, "%c", "CID"[ev]);
}

static void paint(struct world *w, unsigned seed)
{
    struct surface *s = console_surface(w->con);
    for (uint32_t y = 0; y < s->height; y++)
        for (uint32_t x = 0; x < s->width; x++) {
            uint32_t p = 0x204060;                                           /* flat */
            if (y >= 32 && y < 64) p = x & 4 ? 0xffffff : 0;                 /* two colours */
            if (y >= 64 && y < 96) p = (x / 5 + y / 3) % 7 * 0x1f2f3f;       /* few */
            if (y >= 96) p = (x * 2654435761u ^ y * 40503u ^ seed) >> 4 & 0xffffff;
            s->pixels[y * s->width + x] = p;
        }
    console_dirty(w->con, 0, 0, s->width, s->height);
}

static int set_up_with(void **state, const char *opt)
{
    struct world *w = xalloc(sizeof *w);
    *state = w;
    w->l = loop_new(&w->e);
    assert_non_null(w->l);
    loop_lock(w->l);
    w->d = display_new();
    w->con = console_new(w->d, "gpu", 0, NULL, NULL);
    assert_int_equal(console_resize(w->con, 150, 130), 0);
    paint(w, 1);
    w->keys = (struct input){ .name = "keys", .takes = INPUT_KEYS, .event = on_input, .ctx = w };
    w->tablet = (struct input){ .name = "tablet", .takes = INPUT_ABS, .event = on_input, .ctx = w };
    input_add(w->d, &w->keys);
    input_add(w->d, &w->tablet);
    struct vnc_host h = { .event = on_event, .ctx = w };
    w->set = vnc_set_new(w->l, w->d, &h);
    int r = vnc_new(w->set, opt, &w->e);
    if (r) print_message("%s\n", w->e.msg);
    assert_int_equal(r, 0);
    w->v = vnc_next(w->set, NULL);
    return 0;
}
static int set_up(void **state) { return set_up_with(state, "none"); }
static int set_up_password(void **state) { return set_up_with(state, "none,password=on"); }

static int tear_down(void **state)
{
    struct world *w = *state;
    vnc_set_free(w->set);
    console_free(w->con);
    display_free(w->d);
    loop_unlock(w->l);
    loop_free(w->l);
    free(w);
    return 0;
}

static struct client connect_to(struct world *w)
{
    int p[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
    assert_int_equal(vnc_attach(w->v, p[0], false, &w->e), 0);
    return (struct client){ .w = w, .fd = p[1], .bytes = 4 };
}

static void leave(struct client *c)
{
    close(c->fd);
    free(c->screen);
    if (c->z_on) inflateEnd(&c->z);
    if (c->zr_on) inflateEnd(&c->zr);
}

/* n bytes; false: the server hung up. */
static bool try_get(struct client *c, void *buf, size_t n)
{
    uint8_t *p = buf;
    for (unsigned i = 0; n && i < ROUNDS;) {
        ssize_t k = recv(c->fd, p, n, MSG_DONTWAIT);
        if (k == 0 || (k < 0 && errno != EAGAIN)) return false;
        if (k > 0) {
            p += k, n -= (size_t)k;
            continue;
        }
        loop_once(c->w->l, true); /* there is something to come, or the test's time ends it */
        i++;
    }
    return !n;
}
static void get(struct client *c, void *buf, size_t n) { assert_true(try_get(c, buf, n)); }
static uint32_t get8(struct client *c) { uint8_t b; get(c, &b, 1); return b; }
static uint32_t get16(struct client *c) { uint32_t v = get8(c) << 8; return v | get8(c); }
static uint32_t get32(struct client *c) { uint32_t v = get16(c) << 16; return v | get16(c); }
static void put(struct client *c, const void *p, size_t n) { assert_int_equal(send(c->fd, p, n, MSG_NOSIGNAL), n); }
static void put8(struct client *c, unsigned v) { put(c, &(uint8_t){ (uint8_t)v }, 1); }
static void put16(struct client *c, unsigned v) { put8(c, v >> 8), put8(c, v & 255); }
static void put32(struct client *c, uint32_t v) { put16(c, v >> 16), put16(c, v & 65535); }
#define PUT(c, ...) put(c, (const uint8_t[]){ __VA_ARGS__ }, sizeof (const uint8_t[]){ __VA_ARGS__ })

static void drain(struct world *w)
{
    while (loop_once(w->l, false)) {}
}

static bool hung_up(struct client *c)
{
    char b[256];
    for (unsigned i = 0; i < 64; i++) {
        drain(c->w);
        ssize_t n = recv(c->fd, b, sizeof b, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN)) return true;
    }
    return false;
}

static void hello(struct client *c, const char *version)
{
    char b[12];
    get(c, b, 12);
    assert_memory_equal(b, "RFB 003.008\n", 12);
    put(c, version, 12);
}

static void init(struct client *c, bool shared)
{
    char name[64];
    uint8_t fmt[16];
    put8(c, shared);
    c->width = get16(c), c->height = get16(c);
    get(c, fmt, 16);
    assert_int_equal(fmt[0], 32);
    uint32_t n = get32(c);
    assert_true(n < sizeof name);
    get(c, name, n);
    c->screen = xalloc((size_t)c->width * c->height * 4);
}

static void begin(struct client *c)
{
    hello(c, "RFB 003.008\n");
    assert_int_equal(get8(c), 1);
    assert_int_equal(get8(c), 1);
    put8(c, 1);
    assert_int_equal(get32(c), 0);
    init(c, true);
}

static void encodings(struct client *c, unsigned n, ...)
{
    va_list ap;
    va_start(ap, n);
    PUT(c, 2, 0, (uint8_t)(n >> 8), (uint8_t)n);
    while (n--) put32(c, (uint32_t)va_arg(ap, int));
    va_end(ap);
}

static void request(struct client *c, bool incremental)
{
    PUT(c, 3, incremental, 0, 0, 0, 0);
    put16(c, c->width), put16(c, c->height);
}

/* --- decoding ------------------------------------------------------------------------------------------------------------------------------- */

static uint32_t load(const uint8_t *p, unsigned n)
{
    uint32_t v = 0;
    memcpy(&v, p, n);
    return v;
}
static uint32_t get_pixel(struct client *c)
{
    uint8_t b[4];
    get(c, b, c->bytes);
    return load(b, c->bytes);
}
static void plot(struct client *c, uint32_t x, uint32_t y, uint32_t v)
{
    assert_true(x < c->width && y < c->height);
    c->screen[y * c->width + x] = v;
}
static void fill(struct client *c, struct rect r, uint32_t v)
{
    for (uint32_t y = 0; y < r.h; y++)
        for (uint32_t x = 0; x < r.w; x++) plot(c, r.x + x, r.y + y, v);
}

static void get_hextile(struct client *c, struct rect r)
{
    uint32_t back = 0, fore = 0;
    for (uint32_t y = 0; y < r.h; y += 16)
        for (uint32_t x = 0; x < r.w; x += 16) {
            struct rect t = { r.x + x, r.y + y, MIN(16u, r.w - x), MIN(16u, r.h - y) };
            uint32_t f = get8(c);
            if (f & 1) {
                for (uint32_t i = 0; i < t.w * t.h; i++) plot(c, t.x + i % t.w, t.y + i / t.w, get_pixel(c));
                continue;
            }
            if (f & 2) back = get_pixel(c);
            if (f & 4) fore = get_pixel(c);
            fill(c, t, back);
            for (uint32_t n = f & 8 ? get8(c) : 0; n; n--) {
                uint32_t v = f & 16 ? get_pixel(c) : fore, xy = get8(c), wh = get8(c);
                assert_true((xy >> 4) + (wh >> 4) < t.w && (xy & 15) + (wh & 15) < t.h);
                fill(c, (struct rect){ t.x + (xy >> 4), t.y + (xy & 15), (wh >> 4) + 1, (wh & 15) + 1 }, v);
            }
        }
}

static uint8_t *get_inflated(struct client *c, z_stream *z, bool *on, size_t cap, size_t *len)
{
    uint32_t n = get32(c);
    uint8_t *in = xalloc(n + 1), *out = xalloc(cap + 1);
    get(c, in, n);
    if (!*on) assert_int_equal(inflateInit(z), Z_OK);
    *on = true;
    z->next_in = in, z->avail_in = n, z->next_out = out, z->avail_out = (uInt)cap;
    assert_int_equal(inflate(z, Z_SYNC_FLUSH), Z_OK);
    assert_int_equal(z->avail_in, 0);
    *len = cap - z->avail_out;
    free(in);
    return out;
}

static void get_zrle(struct client *c, struct rect r)
{
    size_t len;
    unsigned cb = c->bytes == 4 ? 3 : c->bytes;
    uint8_t *buf = get_inflated(c, &c->zr, &c->zr_on, (size_t)r.w * r.h * 4 + 65536, &len), *p = buf;
    for (uint32_t y = 0; y < r.h; y += 64)
        for (uint32_t x = 0; x < r.w; x += 64) {
            struct rect t = { r.x + x, r.y + y, MIN(64u, r.w - x), MIN(64u, r.h - y) };
            unsigned k = *p++;
            assert_true(k <= 16);
            const uint8_t *pal = p;
            p += k * cb;
            unsigned bits = k < 2 ? 0 : k == 2 ? 1 : k <= 4 ? 2 : 4;
            for (uint32_t j = 0; j < t.h; j++) {
                for (uint32_t i = 0; i < t.w; i++) {
                    unsigned at = bits ? p[i * bits / 8] >> (8 - bits - i * bits % 8) & ((1 << bits) - 1) : 0;
                    assert_true(!k || at < k);
                    plot(c, t.x + i, t.y + j, k ? load(pal + at * cb, cb) : load(p + i * cb, cb));
                }
                p += k ? (t.w * bits + 7) / 8 : t.w * cb;
            }
        }
    assert_int_equal(p - buf, len);
    free(buf);
}

static void get_rect(struct client *c, struct rect r, int32_t enc)
{
    size_t len;
    switch (enc) {
    case ENC_RAW:
        for (uint32_t i = 0; i < r.w * r.h; i++) plot(c, r.x + i % r.w, r.y + i / r.w, get_pixel(c));
        break;
    case ENC_HEXTILE: get_hextile(c, r); break;
    case ENC_ZRLE: get_zrle(c, r); break;
    case ENC_ZLIB: {
        uint8_t *p = get_inflated(c, &c->z, &c->z_on, (size_t)r.w * r.h * c->bytes + 1, &len);
        assert_int_equal(len, r.w * r.h * c->bytes);
        for (uint32_t i = 0; i < r.w * r.h; i++) plot(c, r.x + i % r.w, r.y + i / r.w, load(p + i * c->bytes, c->bytes));
        free(p);
        break;
    }
    case ENC_DESKTOP_SIZE:
        c->width = r.w, c->height = r.h;
        free(c->screen);
        c->screen = xalloc((size_t)r.w * r.h * 4);
        c->resizes++;
        break;
    case ENC_CURSOR:
        for (uint32_t i = 0; i < r.w * r.h * c->bytes + (r.w + 7) / 8 * r.h; i++) get8(c);
        c->cursors++;
        break;
    case ENC_EXT_KEY: c->ext_keys++; break;
    case ENC_POINTER_MODE: c->modes = (int)r.x + 1; break;
    default: fail_msg("encoding %d", enc);
    }
}

/* One update; the encoding that its pixels came in. */
static int32_t update(struct client *c)
{
    int32_t seen = -1;
    while (get8(c) == 1) { /* a colour map */
        get8(c), get16(c);
        for (uint32_t n = get16(c) * 3; n; n--) get16(c);
    }
    get8(c);
    for (uint32_t n = get16(c); n; n--) {
        struct rect r = { .x = get16(c) };
        r.y = get16(c), r.w = get16(c), r.h = get16(c);
        int32_t enc = (int32_t)get32(c);
        get_rect(c, r, enc);
        if (enc >= 0) seen = enc;
    }
    return seen;
}

static void same_screen(struct client *c, uint32_t (*as)(uint32_t))
{
    const struct surface *s = console_surface(c->w->con);
    assert_int_equal(c->width, s->width);
    assert_int_equal(c->height, s->height);
    for (uint32_t i = 0; i < s->width * s->height; i++)
        if (c->screen[i] != as(s->pixels[i])) fail_msg("pixel %u,%u: %06x, should be %06x", i % s->width, i / s->width, c->screen[i], as(s->pixels[i]));
}
static uint32_t as_is(uint32_t p) { return p; }
static uint32_t as_bgr_be(uint32_t p) { return (p & 255) << 8 | (p >> 8 & 255) << 16 | p >> 16 << 24; } /* bytes 0 B G R */
static uint32_t level(uint32_t v, uint32_t max) { return ((v & 255) * max + 127) / 255; }
static uint32_t as_565(uint32_t p) { return level(p >> 16, 31) << 11 | level(p >> 8, 63) << 5 | level(p, 31); }
static uint32_t as_565_be(uint32_t p) { return __builtin_bswap16((uint16_t)as_565(p)); }
static uint32_t as_332(uint32_t p) { return level(p >> 16, 7) | level(p >> 8, 7) << 3 | level(p, 3) << 6; }

/* --- tests ---------------------------------------------------------------------------------------------------------------------------------- */

static void test_des(void **state)
{
    /* the well-known example 133457799bbcdff1, 0123456789abcdef; its key's bytes mirrored as VNC has them */
    static const char key[8] = { (char)0xc8, 0x2c, (char)0xea, (char)0x9e, (char)0xd9, 0x3d, (char)0xfb, (char)0x8f };
    static const uint8_t in[8] = { 1, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef }, want[8] = { 0x85, 0xe8, 0x13, 0x54, 0x0f, 0x0a, 0xb4, 0x05 };
    uint8_t out[8];
    vnc_des(key, in, out);
    assert_memory_equal(out, want, 8);
}

static void test_versions(void **state)
{
    struct world *w = *state;
    struct client a = connect_to(w), b = connect_to(w), c = connect_to(w);
    hello(&a, "RFB 003.003\n");
    assert_int_equal(get32(&a), 1);
    init(&a, true);
    hello(&b, "RFB 003.007\n");
    assert_int_equal(get16(&b), 0x0101);
    put8(&b, 1);
    init(&b, true); /* no result in 3.7 */
    begin(&c);
    assert_string_equal(w->log, "CCCIII");
    request(&a, false), update(&a), same_screen(&a, as_is);
    request(&b, false), update(&b), same_screen(&b, as_is);
    request(&c, false), update(&c), same_screen(&c, as_is);
    leave(&a), leave(&b), leave(&c);
    drain(w);
    assert_string_equal(w->log, "CCCIIIDDD");
}

static bool log_in(struct client *c, const char *version, const char *password)
{
    uint8_t ch[16], resp[16];
    char pw[9] = { 0 };
    hello(c, version);
    if (!strcmp(version, "RFB 003.003\n")) {
        assert_int_equal(get32(c), 2);
    } else {
        assert_int_equal(get16(c), 0x0102);
        put8(c, 2);
    }
    get(c, ch, 16);
    snprintf(pw, sizeof pw, "%s", password);
    vnc_des(pw, ch, resp);
    vnc_des(pw, ch + 8, resp + 8);
    put(c, resp, 16);
    return get32(c) == 0;
}

static void test_password(void **state)
{
    struct world *w = *state;
    struct client a = connect_to(w), b, c, d, f;
    assert_false(log_in(&a, "RFB 003.008\n", "")); /* none is set: nobody gets in */
    assert_int_equal(vnc_set_password(w->v, "geheimnis", &w->e), 0);
    b = connect_to(w);
    assert_true(log_in(&b, "RFB 003.008\n", "geheimni")); /* eight count */
    init(&b, true);
    request(&b, false), update(&b), same_screen(&b, as_is);
    c = connect_to(w);
    assert_false(log_in(&c, "RFB 003.008\n", "Geheimni"));
    assert_int_equal(get32(&c), strlen("Authentication failed"));
    assert_false(!hung_up(&c));
    d = connect_to(w);
    assert_true(log_in(&d, "RFB 003.003\n", "geheimni"));
    init(&d, true);
    vnc_set_expiry(w->v, 1);
    f = connect_to(w);
    assert_false(log_in(&f, "RFB 003.007\n", "geheimni"));
    assert_true(hung_up(&f));
    f.fd = (close(f.fd), connect_to(w).fd); /* asking for no security where there is some */
    hello(&f, "RFB 003.008\n");
    assert_int_equal(get16(&f), 0x0102);
    put8(&f, 1);
    assert_true(hung_up(&f));
    leave(&a), leave(&b), leave(&c), leave(&d), leave(&f);
}

static void test_encodings(void **state)
{
    static const struct { uint8_t wire[16]; unsigned bytes; uint32_t (*as)(uint32_t); } formats[] = {
        { { 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0 }, 4, as_is },
        { { 32, 24, 1, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16 }, 4, as_bgr_be },
        { { 16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0 }, 2, as_565 },
        { { 16, 16, 1, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0 }, 2, as_565_be },
        { { 8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6 }, 1, as_332 },
        { { 8, 8, 0, 0 }, 1, as_332 }, /* a palette */
    };
    static const int encs[] = { ENC_RAW, ENC_HEXTILE, ENC_ZLIB, ENC_ZRLE };
    struct world *w = *state;
    struct client c = connect_to(w);
    begin(&c);
    for (unsigned f = 0; f < ARRAY_LEN(formats); f++)
        for (unsigned k = 0; k < ARRAY_LEN(encs); k++) {
            if (f == 1 && encs[k] == ENC_ZRLE) continue; /* the client here keeps no gaps */
            PUT(&c, 0, 0, 0, 0);
            put(&c, formats[f].wire, 16);
            c.bytes = formats[f].bytes;
            encodings(&c, 2, 7, encs[k]); /* Tight is not here */
            paint(w, f * 4 + k);
            request(&c, false);
            assert_int_equal(update(&c), encs[k]);
            same_screen(&c, formats[f].as);
        }
    leave(&c);
}

static void test_incremental(void **state)
{
    struct world *w = *state;
    struct surface *s = console_surface(w->con);
    struct client c = connect_to(w);
    begin(&c);
    request(&c, false), update(&c);
    request(&c, true);
    drain(w);
    char b;
    assert_int_equal(recv(c.fd, &b, 1, MSG_DONTWAIT), -1); /* nothing changed */
    s->pixels[40 * s->width + 20] = 0xabcdef;
    console_dirty(w->con, 20, 40, 1, 1);
    update(&c);
    same_screen(&c, as_is);
    assert_int_equal(c.screen[40 * s->width + 20], 0xabcdef);
    leave(&c);
}

static void test_resize(void **state)
{
    struct world *w = *state;
    struct client c = connect_to(w), old = connect_to(w);
    begin(&c), begin(&old);
    encodings(&c, 3, ENC_ZRLE, ENC_DESKTOP_SIZE, ENC_CURSOR);
    request(&c, false), update(&c), request(&c, true);
    request(&old, false), update(&old), request(&old, true);
    assert_int_equal(console_resize(w->con, 300, 70), 0);
    paint(w, 9);
    update(&c);
    assert_int_equal(c.resizes, 1);
    request(&c, false), update(&c), same_screen(&c, as_is);
    update(&old); /* it keeps its size: black where nothing is */
    assert_int_equal(old.width, 150);
    assert_int_equal(old.screen[69 * 150 + 149], console_surface(w->con)->pixels[69 * 300 + 149]);
    assert_int_equal(old.screen[70 * 150], 0);
    uint32_t shape[64] = { 0xff00ff00 };
    console_cursor(w->con, 8, 8, 1, 1, shape);
    request(&c, true), update(&c);
    assert_true(c.cursors > 0);
    console_free(w->con); /* hot-unplug */
    w->con = console_new(w->d, "gpu", 0, NULL, NULL);
    console_resize(w->con, 64, 64);
    request(&c, true), update(&c);
    assert_int_equal(c.resizes, 2);
    leave(&c), leave(&old);
}

static void expect(struct world *w, unsigned n, const int (*want)[3])
{
    drain(w);
    assert_int_equal(w->nev, n);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(w->ev[i].type, want[i][0]);
        assert_int_equal(w->ev[i].code, want[i][1]);
        assert_int_equal(w->ev[i].value, want[i][2]);
    }
    w->nev = 0;
}
#define EXPECT(w, ...) expect(w, sizeof (int[][3]){ __VA_ARGS__ } / sizeof(int[3]), (const int[][3]){ __VA_ARGS__ })

static void key(struct client *c, bool down, uint32_t sym)
{
    PUT(c, 4, down, 0, 0);
    put32(c, sym);
}

static void test_keys(void **state)
{
    struct world *w = *state;
    struct client c = connect_to(w);
    begin(&c);
    encodings(&c, 3, ENC_RAW, ENC_EXT_KEY, ENC_POINTER_MODE);
    request(&c, false), update(&c);
    assert_int_equal(c.ext_keys, 1);
    assert_int_equal(c.modes, 2); /* absolute */
    key(&c, true, 'a'), key(&c, false, 'a');
    EXPECT(w, { EV_KEY, KEY_A, 1 }, { EV_KEY, KEY_A, 0 });
    key(&c, true, '!'); /* without shift held */
    EXPECT(w, { EV_KEY, KEY_LEFTSHIFT, 1 }, { EV_KEY, KEY_1, 1 }, { EV_KEY, KEY_LEFTSHIFT, 0 });
    key(&c, false, '!');
    key(&c, true, 0xffe1), key(&c, true, '?'), key(&c, false, '?'), key(&c, false, 0xffe1);
    EXPECT(w, { EV_KEY, KEY_1, 0 }, { EV_KEY, KEY_LEFTSHIFT, 1 }, { EV_KEY, KEY_SLASH, 1 }, { EV_KEY, KEY_SLASH, 0 }, { EV_KEY, KEY_LEFTSHIFT, 0 });
    PUT(&c, 255, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x9d); /* right control, by its scan code */
    EXPECT(w, { EV_KEY, KEY_RIGHTCTRL, 1 });
    PUT(&c, 5, 1), put16(&c, 149), put16(&c, 0);
    EXPECT(w, { EV_ABS, ABS_X, INPUT_ABS_MAX }, { EV_ABS, ABS_Y, 0 }, { EV_KEY, BTN_LEFT, 1 });
    PUT(&c, 5, 17), put16(&c, 60000), put16(&c, 60000); /* outside: the edge; wheel */
    EXPECT(w, { EV_ABS, ABS_X, INPUT_ABS_MAX }, { EV_ABS, ABS_Y, INPUT_ABS_MAX }, { EV_REL, REL_WHEEL, -1 });
    leave(&c); /* what it held is let go */
    EXPECT(w, { EV_KEY, KEY_RIGHTCTRL, 0 }, { EV_KEY, BTN_LEFT, 0 });
}

static void test_share(void **state)
{
    struct world *w = *state;
    struct client a = connect_to(w), b = connect_to(w);
    struct vnc_address who;
    begin(&a);
    assert_true(vnc_client_nth(w->v, 0, &who));
    hello(&b, "RFB 003.003\n");
    get32(&b);
    init(&b, false); /* alone, please */
    assert_true(hung_up(&a));
    request(&b, false), update(&b), same_screen(&b, as_is);
    vnc_disconnect(w->v);
    assert_true(hung_up(&b));
    leave(&a), leave(&b);
}

/* Does not read: what is queued for it stays small, and it sees the last state at the end. */
static void test_slow(void **state)
{
    struct world *w = *state;
    console_resize(w->con, 1600, 1200);
    struct client c = connect_to(w);
    begin(&c);
    request(&c, false);
    for (unsigned i = 0; i < 20; i++) {
        paint(w, i);
        for (unsigned k = 0; k < 3; k++) loop_once(w->l, false);
        request(&c, true);
    }
    drain(w);
    assert_true(w->v->clients->out_cap < 4 << 20);
    paint(w, 77);
    do update(&c);
    while (memcmp(c.screen, console_surface(w->con)->pixels, 1600 * 1200 * 4) && (request(&c, true), true));
    same_screen(&c, as_is);
    leave(&c);
}

static void test_garbage(void **state)
{
    static const uint8_t bad[][24] = {
        { 1 }, { 7 }, { 200 }, { 255, 9 }, { 0, 0, 0, 0, 33, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0 }, { 0, 0, 0, 0, 32, 24, 0, 1 },
        { 0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 99, 8, 0 }, { 0, 0, 0, 0, 16, 16, 0, 1, 0, 255, 0, 255, 0, 255, 11, 5, 0 },
        { 0, 0, 0, 0, 32, 24, 0, 0, 0, 255, 0, 255, 0, 255, 16, 8, 0 }, { 6, 0, 0, 0, 0xff, 0xff, 0xff, 0xff },
    };
    struct world *w = *state;
    struct client good = connect_to(w), c;
    begin(&good);
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        c = connect_to(w);
        begin(&c);
        put(&c, bad[i], sizeof bad[i]);
        assert_true(hung_up(&c));
        leave(&c);
    }
    static const char *const hellos[] = { "GET / HTTP/1.1\r\n\r\n", "RFB 004.000\nxxxx", "RFB 003.00x\nxxxx", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" };
    for (unsigned i = 0; i < ARRAY_LEN(hellos); i++) {
        c = connect_to(w);
        put(&c, hellos[i], 16);
        assert_true(hung_up(&c));
        leave(&c);
    }
    uint32_t rnd = 1;
    for (unsigned i = 0; i < 200; i++) { /* whatever comes of it */
        uint8_t b[300];
        c = connect_to(w);
        begin(&c);
        for (unsigned k = 0; k < sizeof b; k++) b[k] = (uint8_t)((rnd = rnd * 1103515245 + 12345) >> 16);
        b[0] = (uint8_t)(i % 7);
        if (send(c.fd, b, sizeof b, MSG_NOSIGNAL | MSG_DONTWAIT) > 0) drain(w);
        leave(&c);
        drain(w);
        w->nev = 0;
        *w->log = 0;
    }
    request(&good, false), update(&good), same_screen(&good, as_is);
    leave(&good);
}

static void test_options(void **state)
{
    static const char *const bad[] = { "5", ":x", ":70000", "127.0.0.1:1,to=0x", ":1,what=1", "unix:", "none,share=maybe", "none,tls-creds=x", "none,password-secret=x" };
    struct world *w = *state;
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        w->e.code = 0;
        if (vnc_new(w->set, bad[i], &w->e) >= 0) fail_msg("%s", bad[i]);
        assert_true(w->e.code && *w->e.msg);
    }
    struct vnc_address a;
    char path[] = "/tmp/lyre-vnc-XXXXXX", text[64];
    assert_non_null(mkdtemp(path));
    snprintf(text, sizeof text, "unix:%s/s,id=second", path);
    assert_int_equal(vnc_new(w->set, text, &w->e), 0);
    assert_true(vnc_listens(vnc_find(w->set, "second"), &a));
    assert_string_equal(a.family, "unix");
    snprintf(text, sizeof text, "%s/s", path);
    assert_int_equal(access(text, F_OK), 0);
    vnc_set_free(w->set);
    w->set = NULL;
    assert_int_equal(access(text, F_OK), -1);
    rmdir(path);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_des), T(test_versions), cmocka_unit_test_setup_teardown(test_password, set_up_password, tear_down), T(test_encodings),
        T(test_incremental), T(test_resize), T(test_keys), T(test_share), T(test_slow), T(test_garbage), T(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
