/*
 * vnc.h: VNC servers of a machine (floor 3): what its consoles show, to any number of clients; their keys and pointers to its input devices.
 * All functions: the loop's lock is held.
 */
#ifndef LYRE_IO_DISPLAY_VNC_H
#define LYRE_IO_DISPLAY_VNC_H

#include "base/loop.h"
#include "io/display/display.h"

struct vnc_set;                   /* all servers of a machine */
struct vnc;

/* One end of a connection, as monitors show it. */
struct vnc_address {
    char host[128], service[128], family[8];
};
enum vnc_event { VNC_CONNECTED, VNC_INITIALIZED, VNC_DISCONNECTED };
struct vnc_host {
    void (*event)(void *ctx, struct vnc *v, enum vnc_event ev, const struct vnc_address *client); /* may be NULL */
    const char *(*secret)(void *ctx, const char *id); /* the text of a -object secret; NULL: there is none */
    void *ctx;
};
/* Both outlive the set. h: copied; NULL: nobody is told. */
struct vnc_set *vnc_set_new(struct loop *l, struct display *d, const struct vnc_host *h);
void vnc_set_free(struct vnc_set *s);

/*
 * A server: "HOST:DISPLAY", "unix:PATH" or "none", then ",password=on,share=...,to=N,id=...,display=DEVICE,head=N,connections=N,
 * password-secret=ID". "none" listens nowhere; connections come by vnc_attach.
 */
int vnc_new(struct vnc_set *s, const char *text, struct err *e);
/* A connected socket becomes a client's, and the server's to close. skip_auth: it need not say the password. */
int vnc_attach(struct vnc *v, int fd, bool skip_auth, struct err *e);

struct vnc *vnc_next(struct vnc_set *s, const struct vnc *after);
struct vnc *vnc_find(struct vnc_set *s, const char *id);   /* NULL: the first */
const char *vnc_id(const struct vnc *v);
const char *vnc_auth(const struct vnc *v);                 /* "none", "vnc" */
/* Where it listens; false: nowhere. */
bool vnc_listens(const struct vnc *v, struct vnc_address *a);
/* Client number i that has got as far as being shown something; false past the last. */
bool vnc_client_nth(const struct vnc *v, unsigned i, struct vnc_address *a);

/* Up to 8 bytes count. -EINVAL: the server asks for no password. Empty: nobody gets in. */
int vnc_set_password(struct vnc *v, const char *password, struct err *e);
/* From this time on (seconds since 1970) the password is not good; INT64_MAX: it is forever. */
void vnc_set_expiry(struct vnc *v, int64_t seconds);
/* Ends all connections. */
void vnc_disconnect(struct vnc *v);

#endif
