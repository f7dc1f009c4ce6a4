/*
 * gdb_file.c: "Host I/O Packets": gdb reads the guest's program and libraries through the stub. Reading of regular files
 * only; paths are looked up as the guest's are (-L).
 */
#include "control/gdb.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES = 8 };
static int files[FILES]; /* the client's descriptor is the index; 0 = free */

/* The protocol's own errno values; those below 29 that it knows are Linux's. */
static int file_errno(int e)
{
    static const uint8_t same[] = { EPERM, ENOENT, EINTR, EBADF, EACCES, EFAULT, EBUSY, EEXIST, ENODEV, ENOTDIR, EISDIR, EINVAL,
                                    ENFILE, EMFILE, EFBIG, ENOSPC, ESPIPE };
    if (e == ENAMETOOLONG) return 91;
    if (e == EROFS) return 30;
    for (unsigned i = 0; i < ARRAY_LEN(same); i++)
        if (same[i] == e) return e;
    return 9999;
}

static void result(struct gdb *g, int64_t r)
{
    if (r < 0)
        gdb_putf(&g->out, "F-1,%x", file_errno((int)-r));
    else
        gdb_putf(&g->out, "F%llx", (unsigned long long)r);
}

/* A path in hex. */
static bool path_arg(const char **s, char path[PATH_MAX])
{
    size_t n = gdb_hex_bytes(s, path, PATH_MAX - 1);
    path[n] = 0;
    return n && strlen(path) == n;
}

/* As the guest would open it: /proc tells of the guest, not of the emulator. */
static int open_as_guest(struct gdb *g, char path[PATH_MAX])
{
    struct gdb_thread *th = gdb_current(g);
    int fd = th ? procfs_open(th->t, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -ENOENT;
    if (fd != -ENOENT) return fd;
    path_lookup(g->p, path, 0);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return fd < 0 ? -errno : fd;
}

/* Length, or -1 and errno. */
static ssize_t read_link(struct gdb *g, const char *name, char link[PATH_MAX])
{
    char path[PATH_MAX];
    struct gdb_thread *th = gdb_current(g);
    if (th && procfs_exe(th->t, AT_FDCWD, name, link, PATH_MAX)) return (ssize_t)strlen(link);
    snprintf(path, sizeof path, "%s", name);
    path_lookup(g->p, path, 0);
    return readlink(path, link, PATH_MAX);
}

static int64_t open_file(struct gdb *g, const char *s)
{
    char path[PATH_MAX];
    struct stat st;
    uint64_t flags;
    unsigned i = 0;
    if (!path_arg(&s, path) || !gdb_skip(&s, ',') || !gdb_hex(&s, &flags)) return -EINVAL;
    if (flags) return -EPERM; /* O_RDONLY is 0 */
    while (i < FILES && files[i]) i++;
    if (i == FILES) return -EMFILE;
    int fd = open_as_guest(g, path);
    if (fd < 0) return fd;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return -EACCES;
    }
    files[i] = gdb_user_high_fd(fd);
    gdb_user_own_fd(files[i], true);
    return i;
}

static int file_arg(const char **s)
{
    uint64_t i;
    return gdb_hex(s, &i) && i < FILES && files[i] ? (int)i : -1;
}

static void close_file(int i)
{
    gdb_user_own_fd(files[i], false);
    close(files[i]);
    files[i] = 0;
}

void gdb_file_close_all(void)
{
    for (int i = 0; i < FILES; i++)
        if (files[i]) close_file(i);
}

static void data_reply(struct gdb *g, const void *data, size_t n)
{
    result(g, (int64_t)n);
    gdb_puts(&g->out, ";");
    gdb_put(&g->out, data, n);
}

static void read_file(struct gdb *g, const char *s)
{
    uint8_t buf[GDB_PACKET / 2 - 32]; /* each byte may need an escape */
    uint64_t count, off;
    int i = file_arg(&s);
    if (i < 0 || !gdb_skip(&s, ',') || !gdb_hex(&s, &count) || !gdb_skip(&s, ',') || !gdb_hex(&s, &off)) {
        result(g, i < 0 ? -EBADF : -EINVAL);
        return;
    }
    ssize_t n = pread(files[i], buf, MIN(count, sizeof buf), (off_t)off);
    if (n < 0)
        result(g, -errno);
    else
        data_reply(g, buf, (size_t)n);
}

static uint8_t *big(uint8_t *p, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) p[i] = (uint8_t)(v >> 8 * (n - 1 - i));
    return p + n;
}

/* struct stat as the protocol has it: big endian, no padding. */
static void stat_reply(struct gdb *g, const struct stat *st)
{
    uint8_t b[64], *p = b;
    p = big(p, st->st_dev, 4);
    p = big(p, st->st_ino, 4);
    p = big(p, st->st_mode, 4);
    p = big(p, st->st_nlink, 4);
    p = big(p, st->st_uid, 4);
    p = big(p, st->st_gid, 4);
    p = big(p, st->st_rdev, 4);
    p = big(p, (uint64_t)st->st_size, 8);
    p = big(p, (uint64_t)st->st_blksize, 8);
    p = big(p, (uint64_t)st->st_blocks, 8);
    p = big(p, (uint64_t)st->st_atime, 4);
    p = big(p, (uint64_t)st->st_mtime, 4);
    p = big(p, (uint64_t)st->st_ctime, 4);
    data_reply(g, b, (size_t)(p - b));
}

void gdb_file_command(struct gdb *g, const char *s, size_t len)
{
    static const char *const names[] = { "open:", "close:", "pread:", "fstat:", "stat:", "readlink:", "setfs:" };
    enum { OPEN, CLOSE, PREAD, FSTAT, STAT, READLINK, SETFS };
    char path[PATH_MAX], link[PATH_MAX];
    struct stat st;
    unsigned op = 0;
    ssize_t n;
    int i;
    while (op < ARRAY_LEN(names) && strncmp(s, names[op], strlen(names[op]))) op++;
    if (op == ARRAY_LEN(names)) return; /* an empty reply: not supported */
    s += strlen(names[op]);
    switch (op) {
    case OPEN: result(g, open_file(g, s)); break;
    case CLOSE:
        i = file_arg(&s);
        if (i >= 0) close_file(i);
        result(g, i < 0 ? -EBADF : 0);
        break;
    case PREAD: read_file(g, s); break;
    case FSTAT:
        i = file_arg(&s);
        if (i < 0 || fstat(files[i], &st) < 0)
            result(g, -EBADF);
        else
            stat_reply(g, &st);
        break;
    case STAT:
        if (!path_arg(&s, path))
            result(g, -EINVAL);
        else if (path_lookup(g->p, path, 0), stat(path, &st) < 0)
            result(g, -errno);
        else
            stat_reply(g, &st);
        break;
    case READLINK:
        n = path_arg(&s, path) ? read_link(g, path, link) : (errno = EINVAL, -1);
        if (n < 0)
            result(g, -errno);
        else
            data_reply(g, link, (size_t)n);
        break;
    default: result(g, 0); /* setfs: there is one file system, the guest's */
    }
}
