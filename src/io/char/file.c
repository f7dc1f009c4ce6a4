/* file.c: -chardev file,path=[,append=on][,input-path=]: output to a file, input from another. -chardev pipe,path=. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "io/char/fd.h"

static int file_open(struct chr *c, const struct opts *o, struct err *e)
{
    struct fd_chr *f = (struct fd_chr *)c;
    const char *path = opts_get(o, "path"), *input = opts_get(o, "input-path");
    bool append;
    fd_chr_start(f, -1, -1);
    if (!path) return err_set(e, EINVAL, "chardev: file: no filename given (path=)");
    int rc = opts_bool(o, "append", false, &append, e);
    if (rc) return rc;
    int out = fd_chr_open(path, O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), e);
    if (out < 0) return out;
    fd_chr_start(f, -1, out);
    if (input) {
        int in = fd_chr_open(input, O_RDONLY, e);
        if (in < 0) return in;
        fd_chr_start(f, in, out);
    }
    chr_be_event(c, CHR_OPENED);
    return 0;
}

const struct chr_driver file_chr = {
    .name = "file", .help = "output to a file: path=, append=on|off, input-path=", .size = sizeof(struct fd_chr), .open = file_open,
    .close = fd_chr_close, .write = fd_chr_write, .update = fd_chr_update,
};

/* Two fifos PATH.in and PATH.out, or one, PATH, for both. Opened for both directions so that no end is ever seen. */
static int pipe_open(struct chr *c, const struct opts *o, struct err *e)
{
    struct fd_chr *f = (struct fd_chr *)c;
    const char *path = opts_get(o, "path");
    char name[4096];
    fd_chr_start(f, -1, -1);
    if (!path) return err_set(e, EINVAL, "chardev: pipe: no device path given (path=)");
    snprintf(name, sizeof name, "%s.in", path);
    int in = fd_chr_open(name, O_RDWR, NULL);
    snprintf(name, sizeof name, "%s.out", path);
    int out = fd_chr_open(name, O_RDWR, NULL);
    if (in < 0 || out < 0) {
        if (in >= 0) close(in);
        if (out >= 0) close(out);
        in = out = fd_chr_open(path, O_RDWR, e);
        if (in < 0) return in;
    }
    fd_chr_start(f, in, out);
    chr_be_event(c, CHR_OPENED);
    return 0;
}

const struct chr_driver pipe_chr = {
    .name = "pipe", .help = "fifos path=X.in and X.out, or X", .size = sizeof(struct fd_chr), .open = pipe_open,
    .close = fd_chr_close, .write = fd_chr_write, .update = fd_chr_update,
};
