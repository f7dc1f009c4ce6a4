/*
 * pty.c: -chardev pty: a new pseudo terminal. Who opens its path is the other side. The kernel says of a master whose slave nobody
 * has open only that it hung up; that somebody opens it is seen with inotify, or by looking once a second.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <termios.h>
#include <unistd.h>
#include "io/char/fd.h"

struct pty {
    struct fd_chr f;
    struct timer look;
    int notify;
    struct loop_fd *wnotify;
};

static bool slave_open(int master)
{
    struct pollfd p = { .fd = master, .events = POLLIN };
    return poll(&p, 1, 0) >= 0 && (!(p.revents & POLLHUP) || p.revents & POLLIN);
}

static void check(void *ctx)
{
    struct pty *p = ctx;
    if (p->f.c.open || p->f.in < 0) return;
    if (slave_open(p->f.in)) {
        chr_be_event(&p->f.c, CHR_OPENED);
        fd_chr_restart(&p->f);
    } else if (p->notify < 0) {
        timer_set_in(&p->look, NS_PER_S);
    }
}

static void notified(void *ctx, unsigned ev)
{
    struct pty *p = ctx;
    _Alignas(struct inotify_event) char buf[1024];
    while (read(p->notify, buf, sizeof buf) > 0) continue;
    check(p);
}

static void hung_up(struct fd_chr *f)
{
    struct pty *p = (struct pty *)f;
    f->want_out = false;
    chr_be_event(&f->c, CHR_CLOSED);
    chr_be_drop(&f->c);
    check(p); /* somebody may have come meanwhile */
}

static void pty_update(struct chr *c)
{
    struct fd_chr *f = (struct fd_chr *)c;
    if (!c->open) f->in_end = true; /* not watched: it would say "hung up" all the time */
    fd_chr_update(c);
}

static size_t pty_write(struct chr *c, const uint8_t *buf, size_t len)
{
    if (!c->open) check(c);
    return c->open ? fd_chr_write(c, buf, len) : len;
}

static int pty_open(struct chr *c, const struct opts *o, struct err *e)
{
    struct pty *p = (struct pty *)c;
    struct termios t;
    char path[64];
    p->notify = -1;
    fd_chr_start(&p->f, -1, -1);
    p->f.hung_up = hung_up;
    timer_init(&p->look, loop_clock(chr_loop(c)), check, p);
    int m = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (m < 0) return err_set(e, errno, "Failed to create PTY: %s", strerror(errno));
    fd_chr_start(&p->f, m, m);
    if (grantpt(m) || unlockpt(m) || ptsname_r(m, path, sizeof path))
        return err_set(e, errno, "Failed to create PTY: %s", strerror(errno));
    int s = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (s < 0) return err_set(e, errno, "Failed to open PTY %s: %s", path, strerror(errno));
    tcgetattr(s, &t);
    cfmakeraw(&t);
    tcsetattr(s, TCSAFLUSH, &t);
    close(s);
    p->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (p->notify >= 0 && inotify_add_watch(p->notify, path, IN_OPEN) >= 0)
        p->wnotify = loop_fd_new(chr_loop(c), p->notify, LOOP_IN, notified, p, NULL);
    if (!p->wnotify && p->notify >= 0) {
        close(p->notify);
        p->notify = -1;
    }
    chr_set_name(c, "pty:%s", path);
    size_t n = strlen(c->id);
    bool base = n > 5 && !strcmp(c->id + n - 5, "-base"); /* beneath a mux, which has the name that was asked for */
    chr_say(c, "char device redirected to %s (label %.*s)", path, (int)(base ? n - 5 : n), c->id);
    check(p);
    return 0;
}

static void pty_close(struct chr *c)
{
    struct pty *p = (struct pty *)c;
    if (p->look.clock) timer_cancel(&p->look);
    loop_fd_free(p->wnotify);
    if (p->notify >= 0) close(p->notify);
    fd_chr_close(c);
}

const struct chr_driver pty_chr = {
    .name = "pty", .help = "a new pseudo terminal", .size = sizeof(struct pty), .open = pty_open, .close = pty_close,
    .write = pty_write, .update = pty_update,
};
