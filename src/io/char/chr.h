/*
 * chr.h: character devices (floor 3): what a serial port, a console or a monitor is connected to.
 *
 * A back end (struct chr: a socket, a terminal, a file ...) has an id and belongs to the machine's chr_set. A front end (a UART, a
 * virtio console, a monitor) attaches to it and gets a handle, struct chr_fe. `mux` back ends take several front ends.
 * All functions: the loop's lock is held; callbacks come with it held. No call of a front end calls back into it before it returns
 * except where said.
 */
#ifndef LYRE_IO_CHAR_CHR_H
#define LYRE_IO_CHAR_CHR_H

#include "base/base.h"
#include "base/loop.h"
#include "io/opts.h"

struct chr;
struct chr_fe;
struct chr_set;

/* --- front ends: devices --------------------------------------------------------------------------------------------- */

enum chr_event {
    CHR_OPENED,   /* somebody is there: a client connected, a terminal was opened */
    CHR_CLOSED,
    CHR_BREAK,    /* a break condition was received */
    CHR_MUX_IN,   /* this front end got the input of a mux */
    CHR_MUX_OUT   /* ... lost it */
};

struct chr_client {
    size_t (*can_recv)(void *ctx);                              /* how many bytes it takes now. NULL: as many as come */
    void (*recv)(void *ctx, const uint8_t *buf, size_t len);    /* 0 < len <= what can_recv said. NULL: input is dropped */
    void (*event)(void *ctx, enum chr_event ev);                /* may be NULL */
    void (*writable)(void *ctx);                                /* there is room again after a short chr_write; may be NULL */
};

/*
 * Takes a place at the back end. NULL and *e if it is taken. If somebody is connected already, CHR_OPENED follows soon (by a deferred
 * call). Input that was waiting comes then as well. chr == NULL: returns NULL without an error; every function below takes a NULL
 * handle: a device without a back end writes into the void and is never connected.
 */
struct chr_fe *chr_attach(struct chr *chr, const struct chr_client *client, void *ctx, struct err *e);
void chr_detach(struct chr_fe *fe); /* no callback after it; fine inside of callbacks */
struct chr *chr_of(const struct chr_fe *fe);

/*
 * Writes as much as there is room for and says how much that was (at most CHR_QUEUE bytes wait for the other side). After a short
 * write `writable` is called once. While nobody is connected everything is taken and dropped.
 */
enum { CHR_QUEUE = 64 << 10 };
size_t chr_write(struct chr_fe *fe, const void *buf, size_t len);
/* For what has no flow control (a debug port, a monitor's replies): all is taken; what is beyond `CHR_QUEUE_ALL` waiting bytes is lost.
 * `writable` is called when less than CHR_QUEUE wait again. */
enum { CHR_QUEUE_ALL = 32 << 20 };
void chr_write_all(struct chr_fe *fe, const void *buf, size_t len);
void chr_printf(struct chr_fe *fe, const char *fmt, ...) PRINTF(2, 3);
/* Bytes that wait for the other side. */
size_t chr_pending(const struct chr_fe *fe);
/* can_recv would give more than it did: input that waits may come now (recv may be called inside of this call). */
void chr_accept_input(struct chr_fe *fe);
/* Is somebody there (CHR_OPENED was the last event of the two)? */
bool chr_fe_connected(const struct chr_fe *fe);
/* The guest opened or closed its side (virtio-serial): input waits while it is closed. Attached means open. */
void chr_fe_set_open(struct chr_fe *fe, bool open);
/* Line state, passed on where the back end is a real line. */
struct chr_params {
    uint32_t speed;
    uint8_t data_bits, stop_bits; /* 5..8, 1 or 2 */
    char parity;                  /* 'N', 'E', 'O' */
};
void chr_set_params(struct chr_fe *fe, const struct chr_params *p);
void chr_set_break(struct chr_fe *fe, bool on);
enum { CHR_DTR = 1, CHR_RTS = 2, CHR_CTS = 4, CHR_DSR = 8, CHR_DCD = 16, CHR_RI = 32 };
/* Modem lines. get: -ENOTSUP where the back end has none (a UART then takes CTS, DSR and DCD as set). */
int chr_get_modem(struct chr_fe *fe, unsigned *lines);
void chr_set_modem(struct chr_fe *fe, unsigned lines);
/* Descriptors that came along with the last bytes (SCM_RIGHTS), at most `max`; they are the caller's then. */
unsigned chr_take_fds(struct chr_fe *fe, int *fds, unsigned max);
/* A mux: this front end gets the input now (the last one that attached has it else). */
void chr_focus(struct chr_fe *fe);
/* Asks the back end to hang up: CHR_CLOSED follows (a monitor's client sent nonsense without end). */
void chr_disconnect(struct chr_fe *fe);

/* --- the machine's set ------------------------------------------------------------------------------------------------ */

/* What a set needs of its machine; all may be NULL. */
struct chr_host {
    void (*quit)(void *ctx);                            /* mux: Ctrl-A x */
    void (*save)(void *ctx);                            /* mux: Ctrl-A s: write disks back */
    void (*say)(void *ctx, const char *line);           /* a line for the user: "char device redirected to ..." (default: stderr) */
    void (*changed)(void *ctx, struct chr *c, bool open);
    void *ctx;
};
struct chr_set *chr_set_new(struct loop *l, const struct chr_host *host);
/* Closes all; attached front ends are detached (their handles are invalid). Terminals get their state back. */
void chr_set_free(struct chr_set *s);
/* For signal handlers and ends that do not come by chr_set_free (async-signal-safe): gives the terminal its state back. */
void chr_restore_terminal(struct chr_set *s);

/* "-echr": what begins a mux's commands; 1 (Ctrl-A) at first, 0: nothing does. */
void chr_set_escape(struct chr_set *s, uint8_t c);
uint8_t chr_escape(const struct chr_set *s);

/* The back end with that id, or NULL; all of them in order of making. */
struct chr *chr_find(struct chr_set *s, const char *id);
struct chr *chr_next(struct chr_set *s, const struct chr *after);
/* "-chardev kind,id=...": settings beneath the key "backend" name the kind. With mux=on a mux is put before it. *out may be NULL. */
int chr_new(struct chr_set *s, const struct opts *o, struct chr **out, struct err *e);
int chr_new_text(struct chr_set *s, const char *text, struct chr **out, struct err *e);
/*
 * "-serial", "-monitor", "-qmp", ...: stdio, mon:stdio, unix:PATH,server=on,wait=off, tcp:HOST:PORT,..., telnet:..., udp:..., file:PATH,
 * pipe:PATH, pty, null, none (*out = NULL), chardev:ID, /dev/...; label becomes the id ("serial0"). monitor: "mon:" was in front
 * (*monitor may be NULL): the machine puts a monitor on it as well.
 */
int chr_legacy(struct chr_set *s, const char *text, const char *label, struct chr **out, bool *monitor, struct err *e);
/* QMP's chardev-add: {"id":..., "backend":{"type":..., "data":{...}}}, flattened. *pty: the path where it made one (caller frees). */
int chr_add_qmp(struct chr_set *s, const struct opts *o, char **pty, struct err *e);
/* chardev-change: another back end takes the place of *old, front ends stay. change: chr_add_qmp's arguments. */
int chr_change(struct chr_set *s, const struct opts *o, struct chr **old, struct chr **out, struct err *e);
int chr_change_qmp(struct chr_set *s, const struct opts *o, struct chr **old, struct chr **out, struct err *e);
/* -EBUSY while a front end is attached. */
int chr_remove(struct chr_set *s, const char *id, struct err *e);

const char *chr_id(const struct chr *c);
const char *chr_name(const struct chr *c);  /* "unix:/tmp/x,server=on", as query-chardev shows it ("filename") */
bool chr_connected(const struct chr *c);
bool chr_frontend_open(const struct chr *c);
/* ringbuf: bytes written so far and not read. */
int chr_ringbuf_read(struct chr *c, void *buf, size_t max, size_t *len, struct err *e);
int chr_ringbuf_write(struct chr *c, const void *buf, size_t len, struct err *e);
/* Lists kinds, a line each ("-chardev help"). */
void chr_list_kinds(void (*out)(void *ctx, const char *name, const char *help), void *ctx);

/* --- back ends --------------------------------------------------------------------------------------------------------- */

/* `const struct chr_driver NAME_chr = {` at the start of a line in io/char registers a kind. */
struct chr_driver {
    const char *name;                 /* "socket" */
    const char *alias;                /* older name: "tty" of "serial", "memory" of "ringbuf"; NULL */
    const char *help;                 /* a line: what it is */
    size_t size;                      /* of its struct, which begins with struct chr */
    bool hidden;                      /* not listed */
    /* Reads its settings and opens. On failure close is called. Calls chr_be_event(CHR_OPENED) when somebody is there. */
    int (*open)(struct chr *c, const struct opts *o, struct err *e);
    void (*close)(struct chr *c);
    /* Takes some bytes without waiting: how many. Short: calls chr_be_writable when there is room. NULL: takes and drops all. */
    size_t (*write)(struct chr *c, const uint8_t *buf, size_t len);
    /* chr_be_room may have changed: front end attached, detached, or wants more input. */
    void (*update)(struct chr *c);
    void (*set_params)(struct chr *c, const struct chr_params *p);
    void (*set_break)(struct chr *c, bool on);
    int (*get_modem)(struct chr *c, unsigned *lines);
    void (*set_modem)(struct chr *c, unsigned lines);
    unsigned (*take_fds)(struct chr *c, int *fds, unsigned max);
    void (*disconnect)(struct chr *c);
    void (*fe_open)(struct chr *c, bool open);
    /* Kinds that take several front ends: how many; 0 is 1. input: which of them gets the input changed. */
    unsigned max_fe;
    void (*focus)(struct chr *c, struct chr_fe *fe);
};
extern const struct chr_driver *const chr_driver_registry[];

struct chr_fe {
    struct chr *chr;
    const struct chr_client *client;
    void *ctx;
    struct chr_fe *next, *grave;
    bool dead, silent;                /* silent: chr_fe_set_open(false) */
    bool fresh;                       /* attached, not told CHR_OPENED yet */
    bool starved;                     /* a write was short */
};

struct chr {
    const struct chr_driver *driver;
    struct chr_set *set;
    struct chr *next, *grave;
    char *id, *name;
    bool open;                        /* somebody is at the other side */
    bool dead;                        /* removed: memory goes when no callback runs */
    struct chr *mux;                  /* the mux above it */
    struct chr_fe *fe, *focus;        /* front ends, and who gets the input */
    unsigned nfe;
    uint8_t *queue;                   /* output that waits */
    size_t queued, queue_cap;
    uint64_t lost;                    /* bytes that chr_write_all dropped */
    int log;                          /* logfile=, or -1 */
};

struct loop *chr_loop(const struct chr *c);
/* Input for the front end: how many bytes it takes, and the bytes. */
size_t chr_be_room(struct chr *c);
void chr_be_recv(struct chr *c, const uint8_t *buf, size_t len);
void chr_be_event(struct chr *c, enum chr_event ev);
/* There is room for output again: what waits is passed to write. */
void chr_be_writable(struct chr *c);
/* Nobody is there to whom it could go: what waits is thrown away. */
void chr_be_drop(struct chr *c);
/* The one terminal of a process: taken by one stdio back end of the set; -EBUSY. Raw mode is its to set. */
int chr_take_terminal(struct chr *c, struct err *e);
void chr_save_terminal(struct chr *c, int fd);
void chr_release_terminal(struct chr *c);
struct chr_host;
const struct chr_host *chr_host(const struct chr *c);
void chr_set_name(struct chr *c, const char *fmt, ...) PRINTF(2, 3);
void chr_say(struct chr *c, const char *fmt, ...) PRINTF(2, 3);

#endif
