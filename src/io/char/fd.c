/*
 * fd.c: back ends over plain descriptors. A descriptor is watched only while there is something to do with it: epoll reports hang-ups
 * always, and a front end without room would make that a busy loop.
 */
#include "io/char/fd.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>
#include "io/sock.h"

enum { READ_MAX = 4096 };

static void ready(void *ctx, unsigned ev);

static void watch(struct fd_chr *f, struct loop_fd **w, int fd, unsigned events)
{
    if (*w && events) {
        loop_fd_set(*w, events);
    } else if (*w) {
        loop_fd_free(*w);
        *w = NULL;
    } else if (events && fd >= 0) {
        *w = loop_fd_new(chr_loop(&f->c), fd, events, ready, f, NULL);
    }
}

void fd_chr_update(struct chr *c)
{
    struct fd_chr *f = (struct fd_chr *)c;
    unsigned in = f->in >= 0 && !f->in_end && chr_be_room(c) ? LOOP_IN : 0, out = f->out >= 0 && f->want_out ? LOOP_OUT : 0;
    if (f->in == f->out) {
        watch(f, &f->win, f->in, in | out);
    } else {
        watch(f, &f->win, f->in, in);
        watch(f, &f->wout, f->out, out);
    }
}

static void input(struct fd_chr *f)
{
    uint8_t buf[READ_MAX];
    size_t room = MIN(chr_be_room(&f->c), sizeof buf);
    if (!room || f->in < 0 || f->in_end) return;
    ssize_t n = read(f->in, buf, room);
    if (n > 0) {
        chr_be_recv(&f->c, buf, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        f->in_end = true;
        if (f->hung_up)
            f->hung_up(f);
        else
            chr_be_event(&f->c, CHR_CLOSED);
    }
}

static void ready(void *ctx, unsigned ev)
{
    struct fd_chr *f = ctx;
    if (ev & LOOP_OUT && f->want_out) {
        f->want_out = false;
        chr_be_writable(&f->c);
    }
    if (ev & LOOP_IN && !f->c.dead) input(f);
    if (!f->c.dead) fd_chr_update(&f->c);
}

size_t fd_chr_write(struct chr *c, const uint8_t *buf, size_t len)
{
    struct fd_chr *f = (struct fd_chr *)c;
    if (f->out < 0) return len;
    size_t done = 0;
    while (done < len) {
        ssize_t n = fd_write(f->out, buf + done, len - done);
        if (n == -EINTR) continue;
        if (n == -EAGAIN) {
            f->want_out = true;
            fd_chr_update(c);
            return done;
        }
        if (n <= 0) return len; /* nobody reads it any more, or the disk is full: it is lost */
        done += (size_t)n;
    }
    return done;
}

void fd_chr_start(struct fd_chr *f, int in, int out)
{
    f->in = in;
    f->out = out;
}

void fd_chr_restart(struct fd_chr *f)
{
    f->in_end = false;
    fd_chr_update(&f->c);
}

void fd_chr_close(struct chr *c)
{
    struct fd_chr *f = (struct fd_chr *)c;
    loop_fd_free(f->win);
    loop_fd_free(f->wout);
    f->win = f->wout = NULL;
    if (f->in > 0) close(f->in);
    if (f->out > 0 && f->out != f->in) close(f->out);
    f->in = f->out = -1;
}

int fd_chr_open(const char *path, int flags, struct err *e)
{
    int fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);
    return fd < 0 ? err_set(e, errno, "Could not open '%s': %s", path, strerror(errno)) : fd;
}

void fd_chr_raw(struct termios *t, bool signals)
{
    t->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    t->c_oflag |= OPOST;
    t->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    if (!signals) t->c_lflag &= ~(tcflag_t)ISIG;
    t->c_cflag = (t->c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    t->c_cc[VMIN] = 1;
    t->c_cc[VTIME] = 0;
}
