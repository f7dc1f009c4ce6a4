/*
 * display.h: what a machine shows and what is typed (floor 3). Display devices own consoles, each with a surface; viewers (VNC, screendump,
 * a window) read surfaces and are told which rectangles changed. Keys and pointers go the other way, to the input devices of the machine.
 *
 * All functions: the loop's lock is held; callbacks come with it held. Surfaces change only under it.
 */
#ifndef LYRE_IO_DISPLAY_DISPLAY_H
#define LYRE_IO_DISPLAY_DISPLAY_H

#include "base/base.h"

enum { DISPLAY_MAX = 16384, DISPLAY_BYTES = 256 << 20, CURSOR_MAX = 512 }; /* width and height; bytes of a surface */

/* 32 bits a pixel, 0x..RRGGBB in the host's byte order (the first byte says nothing); rows are width * 4 bytes. */
struct surface {
    uint32_t width, height;
    uint32_t *pixels;
};
struct rect {
    uint32_t x, y, w, h;
};
struct cursor {
    uint32_t width, height, hot_x, hot_y;
    int32_t x, y;
    bool visible;
    uint32_t *pixels;             /* 0xAARRGGBB, alpha not premultiplied */
};

struct display;                   /* all consoles, viewers and input devices of a machine */
struct display *display_new(void);
void display_free(struct display *d);

/* --- devices that show something ---------------------------------------------------------------------------------------- */

struct console;
struct console_ops {
    void (*refresh)(void *ctx);                            /* a viewer is about to look: brings the surface up to date; may be NULL */
    void (*preferred)(void *ctx, uint32_t w, uint32_t h);  /* a viewer would like this size (0, 0: it is gone); may be NULL */
};
/* d == NULL: a console that nobody looks at. owner: id of the device, head: number of the output. */
struct console *console_new(struct display *d, const char *owner, unsigned head, const struct console_ops *ops, void *ctx);
void console_free(struct console *c);
/* A black surface of that size; the one that is there if it has it already. -EINVAL beyond the limits above; 0, 0: nothing is shown. */
int console_resize(struct console *c, uint32_t width, uint32_t height);
struct surface *console_surface(struct console *c);
/* The device changed these pixels; what is outside of the surface is cut off. */
void console_dirty(struct console *c, uint32_t x, uint32_t y, uint32_t w, uint32_t h);
/* Copies the shape (NULL: hides it). */
void console_cursor(struct console *c, uint32_t width, uint32_t height, uint32_t hot_x, uint32_t hot_y, const uint32_t *pixels);
void console_cursor_move(struct console *c, int32_t x, int32_t y);

/* --- viewers ----------------------------------------------------------------------------------------------------------------- */

struct viewer {
    void (*resized)(void *ctx, struct console *c);         /* its surface is another one */
    void (*dirty)(void *ctx, struct console *c, struct rect r);
    void (*cursor)(void *ctx, struct console *c, bool shape); /* it moved; shape: it looks different */
    void (*gone)(void *ctx, struct console *c);
    void *ctx;
    struct viewer *next;
};
void display_view(struct display *d, struct viewer *v);
void display_unview(struct display *d, struct viewer *v);
struct console *display_console(struct display *d, unsigned i);   /* NULL past the last */
struct console *display_find(struct display *d, const char *owner, unsigned head); /* owner NULL: the first */
const char *console_owner(const struct console *c);
unsigned console_head(const struct console *c);
const struct cursor *console_cursor_get(const struct console *c);
/* Calls the device's refresh; to be done before reading the surface. */
void console_refresh(struct console *c);
void console_prefer(struct console *c, uint32_t w, uint32_t h);
/* The surface as a PPM file (P6) in memory; the caller frees. */
uint8_t *console_ppm(struct console *c, size_t *size);
/* The same as PNG; NULL: zlib would not. */
uint8_t *console_png(struct console *c, size_t *size);

/* --- input: key codes and axes as in linux/input-event-codes.h ------------------------------------------------------------------- */

enum { INPUT_KEYS = 1, INPUT_REL = 2, INPUT_ABS = 4 };
enum { INPUT_ABS_MAX = 32767 };
struct input {
    const char *name;             /* for `info mice` */
    unsigned takes;               /* INPUT_* */
    void (*event)(void *ctx, uint16_t type, uint16_t code, int32_t value); /* EV_KEY, EV_REL, EV_ABS; EV_SYN ends a group */
    void *ctx;
    struct input *next;
};
/* The device that came last gets the events of its kinds. */
void input_add(struct display *d, struct input *in);
void input_remove(struct display *d, struct input *in);
/* The device's guest side began or ended to listen: it comes to the front. */
void input_focus(struct display *d, struct input *in);
/* Has the guest an absolute pointer? */
bool input_absolute(const struct display *d);
void input_key(struct display *d, uint16_t code, bool down);
void input_button(struct display *d, uint16_t button, bool down); /* BTN_LEFT... */
void input_move(struct display *d, int32_t dx, int32_t dy);
/* 0..INPUT_ABS_MAX of the screen. A relative pointer is moved by the difference. */
void input_point(struct display *d, uint32_t x, uint32_t y);
void input_wheel(struct display *d, int32_t steps);
void input_sync(struct display *d);
struct input *input_next(struct display *d, const struct input *after);

#endif
