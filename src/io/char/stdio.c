/*
 * stdio.c: -chardev stdio[,signal=on|off]: the terminal (in raw mode, put back when it is closed) or what stands in its place.
 * The descriptors 0 and 1 are shared with other processes, so they are not made nonblocking: they are opened anew where possible.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include "io/char/fd.h"

/* A nonblocking description of its own for pipes and terminals; regular files keep theirs (offset, O_APPEND). */
static int reopen(int fd, int flags)
{
    char path[40];
    struct stat st;
    if (fstat(fd, &st)) return -1;
    if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        int own = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (own >= 0) return own;
    }
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static int stdio_open(struct chr *c, const struct opts *o, struct err *e)
{
    struct fd_chr *f = (struct fd_chr *)c;
    struct termios t;
    bool signals;
    fd_chr_start(f, -1, -1);
    int rc = opts_bool(o, "signal", true, &signals, e);
    if (!rc) rc = chr_take_terminal(c, e);
    if (rc) return rc;
    fd_chr_start(f, reopen(0, O_RDONLY), reopen(1, O_WRONLY));
    if (!tcgetattr(0, &t)) {
        chr_save_terminal(c, 0);
        fd_chr_raw(&t, signals);
        tcsetattr(0, TCSANOW, &t);
    }
    chr_be_event(c, CHR_OPENED);
    return 0;
}

static void stdio_close(struct chr *c)
{
    fd_chr_close(c);
    chr_release_terminal(c);
}

const struct chr_driver stdio_chr = {
    .name = "stdio", .help = "standard input and output: signal=on|off", .size = sizeof(struct fd_chr), .open = stdio_open,
    .close = stdio_close, .write = fd_chr_write, .update = fd_chr_update,
};
