/* fd.h: what back ends over plain descriptors share: stdio, file, pipe, pty, serial, udp. */
#ifndef LYRE_IO_CHAR_FD_H
#define LYRE_IO_CHAR_FD_H

#include "io/char/chr.h"

struct fd_chr {
    struct chr c;
    int in, out;                 /* nonblocking; -1 none; the same for both directions or not */
    struct loop_fd *win, *wout;  /* win serves both where in == out */
    bool want_out;               /* a write was short */
    bool in_end;                 /* end of input was seen */
    /* The other side hung up or a read failed; NULL: CHR_CLOSED, and no more input. */
    void (*hung_up)(struct fd_chr *f);
};

/* Takes over the descriptors. */
void fd_chr_start(struct fd_chr *f, int in, int out);
void fd_chr_update(struct chr *c);
size_t fd_chr_write(struct chr *c, const uint8_t *buf, size_t len);
/* Forgets the descriptors and closes them. */
void fd_chr_close(struct chr *c);
/* Input goes on after in_end. */
void fd_chr_restart(struct fd_chr *f);
/* A path's descriptor, nonblocking: or -errno with a sentence. */
int fd_chr_open(const char *path, int flags, struct err *e);
/* No line editing, no echo, no translation of input; `signals`: Ctrl-C and others make signals. */
struct termios;
void fd_chr_raw(struct termios *t, bool signals);

#endif
