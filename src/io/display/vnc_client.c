/*
 * vnc_client.c: one VNC client: the RFB protocol 3.3, 3.7, 3.8 (RFC 6143; rfbproto for the pseudo-encodings of QEMU's clients): handshake,
 * its messages, its output queue. Whatever it sends, the worst that happens is the end of its connection.
 */
#include "io/display/vnc_int.h"

#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include "io/sock.h"

enum { SEC_NONE = 1, SEC_VNC = 2 };
enum { MSG_FORMAT = 0, MSG_ENCODINGS = 2, MSG_REQUEST = 3, MSG_KEY = 4, MSG_POINTER = 5, MSG_CUT = 6, MSG_QEMU = 255 };

static uint32_t be16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }
static uint32_t be32(const uint8_t *p) { return be16(p) << 16 | be16(p + 2); }

/* --- output -------------------------------------------------------------------------------------------------------------------------- */

uint8_t *vnc_out_room(struct vnc_client *c, size_t n)
{
    if (c->out_at == c->out_len) c->out_at = c->out_len = 0;
    if (c->out_cap - c->out_len < n && c->out_at) {
        memmove(c->out, c->out + c->out_at, c->out_len - c->out_at);
        c->out_len -= c->out_at;
        c->out_at = 0;
    }
    if (c->out_cap - c->out_len < n) {
        size_t cap = MAX(c->out_len + n, c->out_cap * 2);
        c->out = xrealloc(c->out, c->out_cap, cap);
        c->out_cap = cap;
    }
    return c->out + c->out_len;
}

void vnc_out_add(struct vnc_client *c, size_t n)
{
    c->out_len += n;
}

void vnc_out(struct vnc_client *c, const void *data, size_t n)
{
    memcpy(vnc_out_room(c, n), data, n);
    c->out_len += n;
}

static void out32(struct vnc_client *c, uint32_t v)
{
    uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };
    vnc_out(c, b, 4);
}

void vnc_flush(struct vnc_client *c)
{
    while (!c->dead && c->out_at < c->out_len) {
        ssize_t n = fd_write(c->fd, c->out + c->out_at, c->out_len - c->out_at);
        if (n == -EAGAIN || n == -EINTR) break;
        if (n <= 0) {
            vnc_client_end(c);
            return;
        }
        c->out_at += (size_t)n;
    }
    if (!c->dead) loop_fd_set(c->watch, LOOP_IN | (c->out_at < c->out_len ? LOOP_OUT : 0));
}

/* --- keys and pointers ------------------------------------------------------------------------------------------------------------------- */

static bool held(const struct vnc_client *c, unsigned code)
{
    return c->keys[code / 8] >> code % 8 & 1;
}

static void press(struct vnc_client *c, uint16_t code, bool down)
{
    struct display *d = c->v->set->display;
    if (!code || code >= sizeof c->keys * 8 || (!down && !held(c, code))) return;
    if (down && !held(c, code) && code == KEY_CAPSLOCK) c->v->caps = !c->v->caps;
    c->keys[code / 8] = (uint8_t)((c->keys[code / 8] & ~(1 << code % 8)) | down << code % 8);
    input_key(d, code, down);
    input_sync(d);
}

/* The guest has a US keyboard; where the client's has the sign on another level, shift is put right around it. */
static void key_event(struct vnc_client *c, uint32_t sym, bool down)
{
    struct display *d = c->v->set->display;
    int want;
    uint16_t code = vnc_keysym(sym, &want);
    bool shift = held(c, KEY_LEFTSHIFT) || held(c, KEY_RIGHTSHIFT);
    bool letter = (sym >= 'a' && sym <= 'z') || (sym >= 'A' && sym <= 'Z');
    if (letter && want >= 0) want ^= c->v->caps;
    bool other = down && want >= 0 && want != shift && !held(c, KEY_LEFTCTRL) && !held(c, KEY_RIGHTCTRL) && !held(c, KEY_LEFTALT);
    if (other && want) {
        input_key(d, KEY_LEFTSHIFT, true);
    } else if (other) {
        if (held(c, KEY_LEFTSHIFT)) input_key(d, KEY_LEFTSHIFT, false);
        if (held(c, KEY_RIGHTSHIFT)) input_key(d, KEY_RIGHTSHIFT, false);
    }
    if (other) input_sync(d);
    press(c, code, down);
    if (other && want) {
        input_key(d, KEY_LEFTSHIFT, false);
    } else if (other) {
        if (held(c, KEY_LEFTSHIFT)) input_key(d, KEY_LEFTSHIFT, true);
        if (held(c, KEY_RIGHTSHIFT)) input_key(d, KEY_RIGHTSHIFT, true);
    }
    if (other) input_sync(d);
}

static void buttons(struct vnc_client *c, uint8_t mask)
{
    static const uint16_t codes[] = { BTN_LEFT, BTN_MIDDLE, BTN_RIGHT };
    struct display *d = c->v->set->display;
    for (unsigned i = 0; i < 3; i++)
        if ((mask ^ c->buttons) >> i & 1) input_button(d, codes[i], mask >> i & 1);
    if (mask & ~c->buttons & 8) input_wheel(d, 1);
    if (mask & ~c->buttons & 16) input_wheel(d, -1);
    c->buttons = mask;
}

static void pointer_event(struct vnc_client *c, uint8_t mask, uint32_t x, uint32_t y)
{
    struct display *d = c->v->set->display;
    if (c->can_mode && c->mode == 0) /* it was told that we want differences */
        input_move(d, (int32_t)x - 0x7fff, (int32_t)y - 0x7fff);
    else if (c->w && c->h)
        input_point(d, (uint32_t)((uint64_t)MIN(x, c->w - 1) * INPUT_ABS_MAX / MAX(c->w - 1, 1u)),
                    (uint32_t)((uint64_t)MIN(y, c->h - 1) * INPUT_ABS_MAX / MAX(c->h - 1, 1u)));
    buttons(c, mask);
    input_sync(d);
    vnc_wake(c->v, true);
}

/* --- handshake ------------------------------------------------------------------------------------------------------------------------------ */

static int server_init(struct vnc_client *c, bool shared)
{
    static const char name[] = "Lyrebird";
    const struct surface *s = vnc_surface(c->v);
    uint32_t w = s && s->width ? s->width : 640, h = s && s->height ? s->height : 480;
    if (!shared && c->v->share == SHARE_FORCE) return -EACCES;
    if (!shared && c->v->share == SHARE_ALLOW) vnc_only(c);
    uint8_t size[4] = { (uint8_t)(w >> 8), (uint8_t)w, (uint8_t)(h >> 8), (uint8_t)h };
    if (vnc_set_size(c, w, h)) return -ENOMEM;
    vnc_out(c, size, 4);
    vnc_out(c, c->fmt.wire, 16);
    out32(c, sizeof name - 1);
    vnc_out(c, name, sizeof name - 1);
    c->state = VS_RUN;
    c->initialized = true;
    c->cursor_due = true;
    vnc_event(c, VNC_INITIALIZED);
    vnc_wake(c->v, true);
    return 0;
}

static bool needs_password(const struct vnc_client *c)
{
    return c->v->password_on && !c->skip_auth;
}

/* 7.1.3: 3.8 always says how it went, older ones after a password only; 3.8 has a reason as well. */
static int security_result(struct vnc_client *c, bool ok, const char *why)
{
    if (ok && c->minor < 8 && !needs_password(c)) {
        c->state = VS_INIT;
        return 0;
    }
    out32(c, !ok);
    if (!ok && c->minor >= 8) {
        out32(c, (uint32_t)strlen(why));
        vnc_out(c, why, strlen(why));
    }
    if (!ok) return -EACCES;
    c->state = VS_INIT;
    return 0;
}

static int challenge(struct vnc_client *c)
{
    if (getrandom(c->challenge, sizeof c->challenge, 0) != sizeof c->challenge) return -EIO;
    vnc_out(c, c->challenge, sizeof c->challenge);
    c->state = VS_CHALLENGE;
    return 0;
}

static int version(struct vnc_client *c, const uint8_t *p)
{
    uint8_t type = needs_password(c) ? SEC_VNC : SEC_NONE, list[2] = { 1, type };
    if (memcmp(p, "RFB 003.", 8) || p[11] != '\n') return -EINVAL;
    for (unsigned i = 8; i < 11; i++)
        if (p[i] < '0' || p[i] > '9') return -EINVAL;
    unsigned minor = (unsigned)(p[8] - '0') * 100 + (unsigned)(p[9] - '0') * 10 + (unsigned)(p[10] - '0');
    c->minor = minor >= 8 ? 8 : minor == 7 ? 7 : 3; /* what is unknown is 3.3 */
    if (c->minor > 3) {
        vnc_out(c, list, 2);
        c->state = VS_SECURITY;
        return 0;
    }
    out32(c, type);
    if (type == SEC_VNC) return challenge(c);
    c->state = VS_INIT;
    return 0;
}

static int response(struct vnc_client *c, const uint8_t *p)
{
    uint8_t good[16], diff = 0;
    vnc_des(c->v->password, c->challenge, good);
    vnc_des(c->v->password, c->challenge + 8, good + 8);
    for (unsigned i = 0; i < 16; i++) diff |= good[i] ^ p[i];
    bool ok = !diff && *c->v->password && (int64_t)time(NULL) < c->v->expires;
    return security_result(c, ok, "Authentication failed");
}

/* --- messages ---------------------------------------------------------------------------------------------------------------------------- */

static void encoding(struct vnc_client *c, int32_t enc)
{
    switch (enc) {
    case ENC_RAW: case ENC_HEXTILE: case ENC_ZLIB: case ENC_ZRLE:
        if (c->enc < 0) c->enc = enc;
        break;
    case ENC_DESKTOP_SIZE: c->can_size = true; break;
    case ENC_CURSOR:
        c->cursor_due |= !c->can_cursor;
        c->can_cursor = true;
        break;
    case ENC_POINTER_MODE: c->can_mode = true; break;
    case ENC_EXT_KEY:
        c->ext_key_due |= !c->can_ext_key;
        c->can_ext_key = true;
        break;
    default: break;
    }
}

static void request(struct vnc_client *c, const uint8_t *p)
{
    struct rect r = { be16(p + 2), be16(p + 4), be16(p + 6), be16(p + 8) };
    if (!p[1]) vnc_mark(c, r);
    if (c->wants) { /* both areas, and what is between them */
        uint32_t x1 = MAX(r.x + r.w, c->area.x + c->area.w), y1 = MAX(r.y + r.h, c->area.y + c->area.h);
        r.x = MIN(r.x, c->area.x), r.y = MIN(r.y, c->area.y);
        r.w = x1 - r.x, r.h = y1 - r.y;
    }
    c->area = r;
    c->wants = true;
    vnc_wake(c->v, true);
}

/* One of QEMU's: 0 is the extended key event; audio (1) was not offered. */
static ssize_t qemu_message(struct vnc_client *c, const uint8_t *p, uint32_t n)
{
    if (n < 2) return 0;
    if (p[1]) return -EINVAL;
    if (n < 12) return 0;
    uint16_t code = vnc_xt(be32(p + 8));
    if (code) press(c, code, be16(p + 2));
    else key_event(c, be32(p + 4), be16(p + 2));
    vnc_wake(c->v, true);
    return 12;
}

/* Bytes used, 0: there are not enough yet, negative: nonsense. */
static ssize_t message(struct vnc_client *c, const uint8_t *p, uint32_t n)
{
    static const uint8_t lengths[] = { [MSG_FORMAT] = 20, [MSG_ENCODINGS] = 4, [MSG_REQUEST] = 10, [MSG_KEY] = 8, [MSG_POINTER] = 6, [MSG_CUT] = 8 };
    if (*p == MSG_QEMU) return qemu_message(c, p, n);
    if (*p >= ARRAY_LEN(lengths) || !lengths[*p]) return -EINVAL;
    if (n < lengths[*p]) return 0;
    switch (*p) {
    case MSG_FORMAT: {
        struct vnc_format f;
        if (c->at < c->nrects) return -EAGAIN; /* what is under way goes out in one format */
        if (vnc_format_set(&f, p + 4)) return -EINVAL;
        c->fmt = f;
        c->colours_due = !p[7];
        c->cursor_due = true;
        vnc_mark(c, (struct rect){ 0, 0, c->w, c->h });
        break;
    }
    case MSG_ENCODINGS:
        c->encodings = be16(p + 2);
        c->enc = -1;
        c->can_size = c->can_cursor = c->can_mode = c->can_ext_key = false;
        if (c->encodings) c->state = VS_ENCODINGS;
        break;
    case MSG_REQUEST: request(c, p); break;
    case MSG_KEY:
        key_event(c, be32(p + 4), p[1]);
        vnc_wake(c->v, true);
        break;
    case MSG_POINTER: pointer_event(c, p[1], be16(p + 2), be16(p + 4)); break;
    default:
        if (be32(p + 4) > VNC_CUT_MAX) return -EINVAL;
        c->skip = be32(p + 4); /* there is no clipboard */
        break;
    }
    return lengths[*p];
}

static ssize_t step(struct vnc_client *c, const uint8_t *p, uint32_t n)
{
    switch (c->state) {
    case VS_VERSION: return n < 12 ? 0 : version(c, p) ? -EINVAL : 12;
    case VS_SECURITY:
        if (*p != (needs_password(c) ? SEC_VNC : SEC_NONE)) return -EINVAL;
        return (*p == SEC_VNC ? challenge(c) : security_result(c, true, NULL)) ? -EINVAL : 1;
    case VS_CHALLENGE: return n < 16 ? 0 : response(c, p) ? -EACCES : 16;
    case VS_INIT: return server_init(c, *p) ? -EACCES : 1;
    case VS_ENCODINGS:
        if (n < 4) return 0;
        encoding(c, (int32_t)be32(p));
        if (!--c->encodings) c->state = VS_RUN;
        return 4;
    default: return message(c, p, n);
    }
}

static void eat(struct vnc_client *c)
{
    uint32_t at = 0;
    ssize_t n = 1;
    while (!c->dead && at < c->in_len && n > 0) {
        if (c->skip) {
            n = MIN(c->skip, c->in_len - at);
            c->skip -= (uint32_t)n;
        } else {
            n = step(c, c->in + at, c->in_len - at);
        }
        if (n > 0) at += (uint32_t)n;
    }
    if (n < 0 && n != -EAGAIN && !c->dead) {
        vnc_flush(c); /* the reason, as far as it goes */
        if (!c->dead) vnc_client_end(c);
    }
    memmove(c->in, c->in + at, c->in_len - at);
    c->in_len -= at;
}

/* --- the connection -------------------------------------------------------------------------------------------------------------------- */

void vnc_client_ready(void *ctx, unsigned events)
{
    struct vnc_client *c = ctx;
    if (events & LOOP_OUT) {
        vnc_pump(c);
        if (!c->dead && c->in_len) eat(c); /* what waited for the end of the update */
        if (!c->dead && c->wants) vnc_wake(c->v, true);
    }
    if (c->dead || !(events & (LOOP_IN | LOOP_HUP))) return;
    if (c->in_len == sizeof c->in) { /* only while an update is under way: wait for that */
        if (events & LOOP_HUP) vnc_client_end(c);
        else loop_fd_set(c->watch, LOOP_OUT);
        return;
    }
    ssize_t n = read(c->fd, c->in + c->in_len, sizeof c->in - c->in_len);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n <= 0) {
        vnc_client_end(c);
        return;
    }
    c->in_len += (uint32_t)n;
    eat(c);
    if (!c->dead && c->out_at < c->out_len) vnc_flush(c);
}

void vnc_client_begin(struct vnc_client *c)
{
    c->enc = -1;
    c->mode = -1;
    vnc_format_default(&c->fmt);
    vnc_out(c, "RFB 003.008\n", 12);
    vnc_flush(c);
}

void vnc_client_end(struct vnc_client *c)
{
    struct display *d = c->v->set->display;
    if (c->dead) return;
    c->dead = true;
    for (unsigned k = 0; k < sizeof c->keys * 8; k++) /* nobody will let go of them */
        if (held(c, k)) press(c, (uint16_t)k, false);
    if (c->buttons & 7) {
        buttons(c, 0);
        input_sync(d);
    }
    vnc_event(c, VNC_DISCONNECTED);
    loop_fd_free(c->watch);
    c->watch = NULL;
    loop_defer(&c->v->reap);
}
