/* vnc_int.h: what the files of the VNC server share (floor 3, private to io/display/vnc*.c). */
#ifndef LYRE_IO_DISPLAY_VNC_INT_H
#define LYRE_IO_DISPLAY_VNC_INT_H

#include <zlib.h>
#include "io/display/vnc.h"

enum { VNC_TILE = 16, VNC_RECT_PIXELS = 128 << 10, VNC_RECTS = 4096, VNC_IN = 4096, VNC_OUT_HIGH = 256 << 10, VNC_CUT_MAX = 1 << 20 };
/* Encodings and pseudo-encodings that we know (rfbproto 7.7, 7.8). */
enum { ENC_RAW = 0, ENC_HEXTILE = 5, ENC_ZLIB = 6, ENC_ZRLE = 16, ENC_DESKTOP_SIZE = -223, ENC_CURSOR = -239, ENC_POINTER_MODE = -257, ENC_EXT_KEY = -258 };
enum vnc_state { VS_VERSION, VS_SECURITY, VS_CHALLENGE, VS_INIT, VS_RUN, VS_ENCODINGS };

/* How a client wants pixels: of each colour's 8 bits, what they are in its pixel (in its byte order). */
struct vnc_format {
    unsigned bytes;               /* of a pixel: 1, 2, 4 */
    unsigned cbytes, cskip;       /* of a ZRLE CPIXEL, and how many are left out in front of it */
    uint32_t r[256], g[256], b[256];
    uint8_t wire[16];             /* PIXEL_FORMAT, for ServerInit */
};

struct vnc_client {
    struct vnc *v;
    struct vnc_client *next;
    struct vnc_address addr;
    int fd;
    struct loop_fd *watch;
    bool dead, skip_auth, initialized;
    enum vnc_state state;
    unsigned minor;               /* 3.minor */
    uint8_t challenge[16];
    uint8_t in[VNC_IN];
    uint32_t in_len, skip;        /* skip: bytes of input that nobody wants */
    uint32_t encodings;           /* that SetEncodings still has to bring */
    uint8_t *out;
    size_t out_at, out_len, out_cap;
    struct vnc_format fmt;
    int32_t enc;                  /* -1: none was chosen yet */
    bool can_size, can_cursor, can_ext_key, can_mode;
    bool size_due, cursor_due, ext_key_due, mode_due, colours_due;
    int mode;                     /* pointer: what the client was told; -1: nothing */
    uint32_t w, h;                /* of its framebuffer */
    uint32_t tw, th;              /* in tiles */
    uint8_t *dirty;               /* a byte per tile */
    bool any_dirty;
    bool wants;                   /* an update, of this area */
    struct rect area;
    struct rect rects[VNC_RECTS]; /* of the update that is being sent */
    unsigned nrects, at;
    z_stream zlib, zrle;
    bool zlib_on, zrle_on;
    uint8_t buttons;
    uint8_t keys[768 / 8];        /* that it holds down */
};

struct vnc {
    struct vnc_set *set;
    struct vnc *next;
    char *id, *owner;             /* owner: display=, of the console; NULL: the first that shows something */
    unsigned head;
    bool password_on, listening;
    char password[9];
    int64_t expires;
    enum { SHARE_ALLOW, SHARE_FORCE, SHARE_IGNORE } share;
    unsigned max;                 /* connections */
    int fd;
    struct loop_fd *watch;
    struct vnc_address addr;
    char *unlink_path;
    struct viewer viewer;
    struct console *con;
    struct vnc_client *clients;
    struct timer timer;           /* the next look at the console */
    uint64_t period;
    struct deferred reap;
    bool caps;                    /* the guest's caps lock, as far as we can tell */
    uint8_t *scratch;
    size_t scratch_cap;
};

struct vnc_set {
    struct loop *loop;
    struct display *display;
    struct vnc_host host;
    struct vnc *list;
};

/* vnc.c */
void vnc_wake(struct vnc *v, bool soon);
uint8_t *vnc_scratch(struct vnc *v, size_t need);
void vnc_event(struct vnc_client *c, enum vnc_event ev);
/* Others than c are sent away. */
void vnc_only(struct vnc_client *c);
bool vnc_others(const struct vnc_client *c);
const struct surface *vnc_surface(const struct vnc *v);

/* vnc_client.c */
void vnc_client_begin(struct vnc_client *c);
void vnc_client_end(struct vnc_client *c);      /* no more calls; vnc.c frees it soon */
void vnc_client_ready(void *ctx, unsigned events);
void vnc_out(struct vnc_client *c, const void *data, size_t n);
uint8_t *vnc_out_room(struct vnc_client *c, size_t n); /* n bytes at the end of what is written; for vnc_out_add */
void vnc_out_add(struct vnc_client *c, size_t n);
void vnc_flush(struct vnc_client *c);

/* vnc_update.c: what changed, and when it is sent. */
void vnc_resized(struct vnc_client *c);         /* the console has another size */
int vnc_set_size(struct vnc_client *c, uint32_t w, uint32_t h);
void vnc_mark(struct vnc_client *c, struct rect r);
void vnc_update(struct vnc_client *c);          /* begins one if it wants one and there is something */
void vnc_pump(struct vnc_client *c);            /* goes on with it, as far as the queue has room */

/* vnc_enc.c */
/* PIXEL_FORMAT of SetPixelFormat: 0, or -EINVAL. Not true colour: 8 bits, red 3, green 3, blue 2 of them. */
int vnc_format_set(struct vnc_format *f, const uint8_t wire[16]);
void vnc_format_default(struct vnc_format *f);
size_t vnc_pixels(const struct vnc_format *f, const uint32_t *src, size_t n, uint8_t *dst); /* bytes written */
void vnc_encode(struct vnc_client *c, struct rect r);
void vnc_encode_cursor(struct vnc_client *c, const struct cursor *k);
void vnc_rect_head(struct vnc_client *c, struct rect r, int32_t enc);

/* vnc_keys.c: key codes of linux/input-event-codes.h, 0: none. shift: -1: no matter; 0, 1: the US layout has it without, with. */
uint16_t vnc_keysym(uint32_t keysym, int *shift);
uint16_t vnc_xt(uint32_t code);

/* vnc_des.c: one block, with the key as VNC has it: the bits of each byte mirrored (rfbproto 7.2.2). */
void vnc_des(const char key[8], const uint8_t in[8], uint8_t out[8]);

#endif
