/*
 * vnc_update.c: what a VNC client has not seen yet, as tiles, and how it gets there. An update is a list of rectangles; each is encoded,
 * from what the screen shows then, when the output queue has room for it. So a slow client skips states and never holds memory.
 */
#include "io/display/vnc_int.h"

#include <stdlib.h>

int vnc_set_size(struct vnc_client *c, uint32_t w, uint32_t h)
{
    uint32_t tw = (w + VNC_TILE - 1) / VNC_TILE, th = (h + VNC_TILE - 1) / VNC_TILE;
    uint8_t *d = malloc((size_t)tw * th + 1);
    if (!d) return -ENOMEM;
    memset(d, 1, (size_t)tw * th);
    free(c->dirty);
    c->dirty = d;
    c->w = w, c->h = h, c->tw = tw, c->th = th;
    c->any_dirty = true;
    return 0;
}

static void size_of(const struct vnc *v, uint32_t *w, uint32_t *h)
{
    const struct surface *s = vnc_surface(v);
    *w = s && s->width ? s->width : 640;
    *h = s && s->height ? s->height : 480;
}

void vnc_resized(struct vnc_client *c)
{
    uint32_t w, h;
    if (!c->initialized) return;
    size_of(c->v, &w, &h);
    c->size_due = w != c->w || h != c->h;
    vnc_mark(c, (struct rect){ 0, 0, c->w, c->h });
}

void vnc_mark(struct vnc_client *c, struct rect r)
{
    if (!c->dirty || r.x >= c->w || r.y >= c->h || !r.w || !r.h) return;
    uint32_t x0 = r.x / VNC_TILE, x1 = (MIN(r.w, c->w - r.x) + r.x - 1) / VNC_TILE;
    uint32_t y0 = r.y / VNC_TILE, y1 = (MIN(r.h, c->h - r.y) + r.y - 1) / VNC_TILE;
    for (uint32_t y = y0; y <= y1; y++) memset(c->dirty + (size_t)y * c->tw + x0, 1, x1 - x0 + 1);
    c->any_dirty = true;
}

/* Runs of dirty tiles, each extended downwards as far as the same ones are dirty, within the area that was asked for. */
static void collect(struct vnc_client *c)
{
    c->nrects = c->at = 0;
    if (!c->any_dirty || c->area.x >= c->w || c->area.y >= c->h || !c->area.w || !c->area.h) return;
    uint32_t x0 = c->area.x / VNC_TILE, x1 = (MIN(c->area.w, c->w - c->area.x) + c->area.x - 1) / VNC_TILE;
    uint32_t y0 = c->area.y / VNC_TILE, y1 = (MIN(c->area.h, c->h - c->area.y) + c->area.y - 1) / VNC_TILE;
    for (uint32_t y = y0; y <= y1; y++)
        for (uint32_t x = x0; x <= x1; x++) {
            uint8_t *t = c->dirty + (size_t)y * c->tw + x;
            uint32_t w = 0, h = 1;
            if (*t != 1) continue;
            if (c->nrects == VNC_RECTS) return; /* the rest: next time */
            while (x + w <= x1 && t[w] == 1) t[w++] = 2;
            uint32_t rows = MAX(VNC_RECT_PIXELS / (w * VNC_TILE * VNC_TILE), 1u);
            for (bool same = true; h < rows && y + h <= y1; h++) {
                uint8_t *u = t + (size_t)h * c->tw;
                for (uint32_t i = 0; i < w && same; i++) same = u[i] == 1;
                if (!same) break;
                memset(u, 2, w);
            }
            struct rect r = { x * VNC_TILE, y * VNC_TILE, w * VNC_TILE, h * VNC_TILE };
            r.w = MIN(r.w, c->w - r.x);
            r.h = MIN(r.h, c->h - r.y);
            c->rects[c->nrects++] = r;
            x += w - 1;
        }
    if (!x0 && !y0 && x1 == c->tw - 1 && y1 == c->th - 1) c->any_dirty = false; /* all of it is in the list */
}

static void head(struct vnc_client *c, unsigned rects)
{
    uint8_t h[4] = { 0, 0, (uint8_t)(rects >> 8), (uint8_t)rects };
    vnc_out(c, h, sizeof h);
    c->wants = false;
}

/* 7.6.2: the palette of a client that wants one; red in the low bits, as vnc_format_set has it. */
static void send_colours(struct vnc_client *c)
{
    uint8_t m[6 + 256 * 6] = { 1, 0, 0, 0, 1, 0 };
    for (unsigned i = 0; i < 256; i++) {
        unsigned v[3] = { (i & 7) * 65535 / 7, (i >> 3 & 7) * 65535 / 7, (i >> 6) * 65535 / 3 };
        for (unsigned k = 0; k < 3; k++) {
            m[6 + i * 6 + k * 2] = (uint8_t)(v[k] >> 8);
            m[7 + i * 6 + k * 2] = (uint8_t)v[k];
        }
    }
    vnc_out(c, m, sizeof m);
    c->colours_due = false;
}

void vnc_update(struct vnc_client *c)
{
    static const struct rect none;
    if (c->dead || c->state < VS_RUN || c->at < c->nrects || c->out_at < c->out_len) return;
    if (c->colours_due) send_colours(c);
    if (c->wants && c->size_due && c->can_size) {
        uint32_t w, h;
        size_of(c->v, &w, &h);
        c->size_due = false;
        if (vnc_set_size(c, w, h)) {
            vnc_client_end(c);
            return;
        }
        head(c, 1);
        vnc_rect_head(c, (struct rect){ 0, 0, w, h }, ENC_DESKTOP_SIZE);
        vnc_flush(c);
        return;
    }
    if (!c->wants) {
        vnc_flush(c);
        return;
    }
    bool cursor = c->cursor_due && c->can_cursor, mode = c->can_mode && c->mode != (int)input_absolute(c->v->set->display);
    collect(c);
    unsigned n = c->nrects + cursor + mode + c->ext_key_due;
    if (!n) return;
    head(c, n);
    if (c->ext_key_due) vnc_rect_head(c, none, ENC_EXT_KEY);
    c->ext_key_due = false;
    if (mode) {
        c->mode = input_absolute(c->v->set->display);
        vnc_rect_head(c, (struct rect){ (uint32_t)c->mode, 0, 0, 0 }, ENC_POINTER_MODE);
    }
    if (cursor) {
        vnc_encode_cursor(c, c->v->con ? console_cursor_get(c->v->con) : NULL);
        c->cursor_due = false;
    }
    vnc_pump(c);
}

void vnc_pump(struct vnc_client *c)
{
    while (!c->dead && c->at < c->nrects) {
        if (c->out_len - c->out_at > VNC_OUT_HIGH) {
            vnc_flush(c);
            if (c->out_len - c->out_at > VNC_OUT_HIGH) return;
        }
        struct rect r = c->rects[c->at++];
        for (uint32_t y = r.y / VNC_TILE; c->dirty && y <= (r.y + r.h - 1) / VNC_TILE; y++)
            memset(c->dirty + (size_t)y * c->tw + r.x / VNC_TILE, 0, (r.w + VNC_TILE - 1) / VNC_TILE);
        vnc_encode(c, r);
    }
    vnc_flush(c);
}
