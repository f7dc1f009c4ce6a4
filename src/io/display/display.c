/*
 * display.c: consoles, viewers, input devices: who shows what to whom (display.h). Known gaps: one seat.
 */
#include "io/display/display.h"

#include <linux/input-event-codes.h>
#include <stdio.h>
#include <stdlib.h>

struct console {
    struct display *d;
    struct console *next;
    char *owner;
    unsigned head;
    const struct console_ops *ops;
    void *ctx;
    struct surface surface;
    struct cursor cursor;
};

struct display {
    struct console *consoles;
    struct viewer *viewers;
    struct input *inputs;        /* the front one first */
    uint32_t x, y;               /* where the pointer was last */
};

struct display *display_new(void)
{
    return xalloc(sizeof(struct display));
}

void display_free(struct display *d)
{
    if (!d) return;
    for (struct console *c = d->consoles; c; c = c->next) c->d = NULL;
    free(d);
}

/* --- consoles --------------------------------------------------------------------------------------------------------------- */

#define EACH_VIEWER(c, call, ...)                                                            \
    for (struct viewer *v = (c)->d ? (c)->d->viewers : NULL, *next_; v; v = next_) {         \
        next_ = v->next;                                                                     \
        if (v->call) v->call(v->ctx, __VA_ARGS__);                                           \
    }

struct console *console_new(struct display *d, const char *owner, unsigned head, const struct console_ops *ops, void *ctx)
{
    struct console *c = xalloc(sizeof *c), **p = d ? &d->consoles : NULL;
    *c = (struct console){ .d = d, .owner = owner ? strdup(owner) : NULL, .head = head, .ops = ops, .ctx = ctx };
    while (p && *p) p = &(*p)->next;
    if (p) *p = c;
    return c;
}

void console_free(struct console *c)
{
    if (!c) return;
    EACH_VIEWER(c, gone, c);
    for (struct console **p = c->d ? &c->d->consoles : NULL; p && *p; p = &(*p)->next)
        if (*p == c) {
            *p = c->next;
            break;
        }
    free(c->surface.pixels);
    free(c->cursor.pixels);
    free(c->owner);
    free(c);
}

int console_resize(struct console *c, uint32_t width, uint32_t height)
{
    struct surface *s = &c->surface;
    if (width == s->width && height == s->height) return 0;
    if (!width != !height || width > DISPLAY_MAX || height > DISPLAY_MAX || (uint64_t)width * height * 4 > DISPLAY_BYTES) return -EINVAL;
    uint32_t *pixels = width ? calloc((size_t)width * height, 4) : NULL;
    if (width && !pixels) return -ENOMEM;
    free(s->pixels);
    *s = (struct surface){ width, height, pixels };
    EACH_VIEWER(c, resized, c);
    return 0;
}

struct surface *console_surface(struct console *c)
{
    return &c->surface;
}

void console_dirty(struct console *c, uint32_t x, uint32_t y, uint32_t w, uint32_t h)
{
    const struct surface *s = &c->surface;
    if (x >= s->width || y >= s->height || !w || !h) return;
    struct rect r = { x, y, MIN(w, s->width - x), MIN(h, s->height - y) };
    EACH_VIEWER(c, dirty, c, r);
}

void console_cursor(struct console *c, uint32_t width, uint32_t height, uint32_t hot_x, uint32_t hot_y, const uint32_t *pixels)
{
    struct cursor *k = &c->cursor;
    free(k->pixels);
    k->pixels = NULL;
    k->visible = pixels && width && height && width <= CURSOR_MAX && height <= CURSOR_MAX;
    if (k->visible) {
        k->width = width;
        k->height = height;
        k->hot_x = hot_x;
        k->hot_y = hot_y;
        k->pixels = xalloc((size_t)width * height * 4);
        memcpy(k->pixels, pixels, (size_t)width * height * 4);
    }
    EACH_VIEWER(c, cursor, c, true);
}

void console_cursor_move(struct console *c, int32_t x, int32_t y)
{
    c->cursor.x = x;
    c->cursor.y = y;
    EACH_VIEWER(c, cursor, c, false);
}

/* --- viewers ------------------------------------------------------------------------------------------------------------------- */

void display_view(struct display *d, struct viewer *v)
{
    v->next = d->viewers;
    d->viewers = v;
}

void display_unview(struct display *d, struct viewer *v)
{
    for (struct viewer **p = &d->viewers; *p; p = &(*p)->next)
        if (*p == v) {
            *p = v->next;
            return;
        }
}

struct console *display_console(struct display *d, unsigned i)
{
    struct console *c = d->consoles;
    while (c && i--) c = c->next;
    return c;
}

struct console *display_find(struct display *d, const char *owner, unsigned head)
{
    for (struct console *c = d->consoles; c; c = c->next)
        if (!owner || (c->owner && !strcmp(c->owner, owner) && c->head == head)) return c;
    return NULL;
}

const char *console_owner(const struct console *c) { return c->owner; }
unsigned console_head(const struct console *c) { return c->head; }
const struct cursor *console_cursor_get(const struct console *c) { return &c->cursor; }

void console_refresh(struct console *c)
{
    if (c->ops && c->ops->refresh) c->ops->refresh(c->ctx);
}

void console_prefer(struct console *c, uint32_t w, uint32_t h)
{
    if (c->ops && c->ops->preferred) c->ops->preferred(c->ctx, w, h);
}

uint8_t *console_ppm(struct console *c, size_t *size)
{
    console_refresh(c);
    const struct surface *s = &c->surface;
    char head[48];
    int n = snprintf(head, sizeof head, "P6\n%u %u\n255\n", s->width, s->height);
    size_t pixels = (size_t)s->width * s->height;
    uint8_t *out = xalloc((size_t)n + pixels * 3), *o = out + n;
    memcpy(out, head, (size_t)n);
    for (size_t i = 0; i < pixels; i++, o += 3) {
        uint32_t p = s->pixels[i];
        o[0] = (uint8_t)(p >> 16), o[1] = (uint8_t)(p >> 8), o[2] = (uint8_t)p;
    }
    *size = (size_t)n + pixels * 3;
    return out;
}

/* --- input ------------------------------------------------------------------------------------------------------------------------- */

void input_add(struct display *d, struct input *in)
{
    if (!d) return;
    in->next = d->inputs;
    d->inputs = in;
}

void input_remove(struct display *d, struct input *in)
{
    for (struct input **p = d ? &d->inputs : NULL; p && *p; p = &(*p)->next)
        if (*p == in) {
            *p = in->next;
            return;
        }
}

void input_focus(struct display *d, struct input *in)
{
    if (!d) return;
    input_remove(d, in);
    input_add(d, in);
}

static struct input *first(const struct display *d, unsigned takes)
{
    struct input *i = d->inputs;
    while (i && !(i->takes & takes)) i = i->next;
    return i;
}
static void send(const struct display *d, unsigned takes, uint16_t type, uint16_t code, int32_t value)
{
    struct input *i = first(d, takes);
    if (i) i->event(i->ctx, type, code, value);
}

bool input_absolute(const struct display *d)
{
    struct input *i = first(d, INPUT_ABS | INPUT_REL);
    return i && (i->takes & INPUT_ABS);
}

void input_key(struct display *d, uint16_t code, bool down) { send(d, INPUT_KEYS, EV_KEY, code, down); }
void input_button(struct display *d, uint16_t button, bool down) { send(d, INPUT_ABS | INPUT_REL, EV_KEY, button, down); }
void input_wheel(struct display *d, int32_t steps) { send(d, INPUT_ABS | INPUT_REL, EV_REL, REL_WHEEL, steps); }

void input_move(struct display *d, int32_t dx, int32_t dy)
{
    if (dx) send(d, INPUT_REL, EV_REL, REL_X, dx);
    if (dy) send(d, INPUT_REL, EV_REL, REL_Y, dy);
}

void input_point(struct display *d, uint32_t x, uint32_t y)
{
    x = MIN(x, (uint32_t)INPUT_ABS_MAX);
    y = MIN(y, (uint32_t)INPUT_ABS_MAX);
    if (input_absolute(d)) {
        send(d, INPUT_ABS, EV_ABS, ABS_X, (int32_t)x);
        send(d, INPUT_ABS, EV_ABS, ABS_Y, (int32_t)y);
    } else { /* 1024 counts from edge to edge */
        input_move(d, (int32_t)(x / 32) - (int32_t)(d->x / 32), (int32_t)(y / 32) - (int32_t)(d->y / 32));
    }
    d->x = x;
    d->y = y;
}

void input_sync(struct display *d)
{
    for (struct input *i = d->inputs; i; i = i->next) i->event(i->ctx, EV_SYN, SYN_REPORT, 0);
}

struct input *input_next(struct display *d, const struct input *after)
{
    return after ? after->next : d->inputs;
}
