/*
 * p9.c: the 9P2000.L server of virtio-9p (p9.h). Known gaps: byte-range locks are always granted; security model mapped-file is not there;
 * writes and reads block the loop.
 */
#include "dev/virtio/p9.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { T_STATFS = 8, T_LOPEN = 12, T_LCREATE = 14, T_SYMLINK = 16, T_MKNOD = 18, T_RENAME = 20, T_READLINK = 22, T_GETATTR = 24, T_SETATTR = 26,
       T_XATTRWALK = 30, T_XATTRCREATE = 32, T_READDIR = 40, T_FSYNC = 50, T_LOCK = 52, T_GETLOCK = 54, T_LINK = 70, T_MKDIR = 72,
       T_RENAMEAT = 74, T_UNLINKAT = 76, T_VERSION = 100, T_AUTH = 102, T_ATTACH = 104, T_FLUSH = 108, T_WALK = 110, T_READ = 116,
       T_WRITE = 118, T_CLUNK = 120, T_REMOVE = 122, R_LERROR = 7 };
enum { HEADER = 7, NAMES = 16, XATTR_MAX = 64 << 10, HASH = 256 };

struct fid {
    struct fid *next;
    uint32_t id;
    int path, io;                /* O_PATH, and as it was opened (-1: not) */
    int parent;                  /* O_PATH of its folder, for remove; -1: the root */
    char name[256];              /* in there */
    uint8_t *xattr;              /* a value that is read or written */
    uint32_t xattr_len, xattr_done;
    char *xattr_name;            /* written when the fid goes */
    int xattr_flags;
};

struct p9 {
    int root;
    enum p9_security security;
    bool readonly;
    dev_t dev;
    ino_t ino;
    uint32_t msize, fids;
    struct fid *fid[HASH];
    uint8_t *out;
    uint32_t len, room;          /* of the answer */
};

/* --- messages ----------------------------------------------------------------------------------------------------------------- */

struct in {
    const uint8_t *p, *end;
    bool bad;
};

static uint64_t get(struct in *m, unsigned n)
{
    uint64_t v = 0;
    if (m->end - m->p < (ptrdiff_t)n) {
        m->bad = true;
        return 0;
    }
    memcpy(&v, m->p, n);
    m->p += n;
    return v;
}

/* A string of at most size - 1 bytes without zeros. */
static void get_text(struct in *m, char *buf, size_t size)
{
    size_t n = get(m, 2);
    if ((size_t)(m->end - m->p) < n || n >= size || memchr(m->p, 0, n)) {
        m->bad = true;
        n = 0;
    }
    memcpy(buf, m->p, n);
    buf[n] = 0;
    m->p += n;
}

/* One name: a path of one step that is not a way up. */
static void get_name(struct in *m, char buf[256])
{
    get_text(m, buf, 256);
    if (!*buf || strchr(buf, '/') || !strcmp(buf, ".") || !strcmp(buf, "..")) m->bad = true;
}

static void put(struct p9 *s, uint64_t v, unsigned n)
{
    if (s->len + n <= s->room) memcpy(s->out + s->len, &v, n);
    s->len += n; /* beyond the room: noticed at the end */
}
static void put_bytes(struct p9 *s, const void *b, uint32_t n)
{
    if (s->len + n <= s->room) memcpy(s->out + s->len, b, n);
    s->len += n;
}
static void put_text(struct p9 *s, const char *t)
{
    put(s, strlen(t), 2);
    put_bytes(s, t, (uint32_t)strlen(t));
}

/* --- files --------------------------------------------------------------------------------------------------------------------------- */

static int open_beneath(int dir, const char *name, int flags, mode_t mode)
{
    struct open_how how = { .flags = (unsigned)(flags | O_CLOEXEC), .mode = mode, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
    return fd < 0 ? -errno : fd;
}
/* The last step may be a symbolic link itself: O_PATH | O_NOFOLLOW opens it as what it is. */
static int open_path(int dir, const char *name)
{
    struct open_how how = { .flags = (unsigned)(O_PATH | O_NOFOLLOW | O_CLOEXEC), .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    int fd = (int)syscall(SYS_openat2, dir, name, &how, sizeof how);
    return fd < 0 ? -errno : fd;
}
static void proc_path(int fd, char buf[40])
{
    snprintf(buf, 40, "/proc/self/fd/%d", fd);
}
static int result(int r) { return r < 0 ? -errno : r; }

static int mapped_get(int fd, const char *what, uint32_t *v)
{
    char path[40], name[32];
    uint32_t x;
    proc_path(fd, path);
    snprintf(name, sizeof name, "user.virtfs.%s", what);
    if (getxattr(path, name, &x, sizeof x) != sizeof x) return -1;
    *v = x;
    return 0;
}
static int mapped_set(int fd, const char *what, uint32_t v)
{
    char path[40], name[32];
    proc_path(fd, path);
    snprintf(name, sizeof name, "user.virtfs.%s", what);
    return result(setxattr(path, name, &v, sizeof v, 0));
}

/* As the guest shall see it. */
static int stat_of(struct p9 *s, int fd, struct stat *st)
{
    uint32_t v;
    if (fstat(fd, st)) return -errno;
    if (s->security != P9_MAPPED || S_ISLNK(st->st_mode)) return 0;
    if (!mapped_get(fd, "uid", &v)) st->st_uid = v;
    if (!mapped_get(fd, "gid", &v)) st->st_gid = v;
    if (!mapped_get(fd, "mode", &v)) st->st_mode = v;
    if (!mapped_get(fd, "rdev", &v)) st->st_rdev = v;
    return 0;
}

static uint64_t qid_path(const struct p9 *s, const struct stat *st)
{
    return st->st_ino ^ (st->st_dev == s->dev ? 0 : (uint64_t)(st->st_dev - s->dev) << 40);
}
static void put_qid(struct p9 *s, const struct stat *st)
{
    put(s, S_ISDIR(st->st_mode) ? 0x80 : S_ISLNK(st->st_mode) ? 2 : 0, 1);
    put(s, (uint32_t)(st->st_mtim.tv_nsec ^ (st->st_size << 8)), 4);
    put(s, qid_path(s, st), 8);
}

/* What was just made belongs to who made it. */
static int own(struct p9 *s, int dir, const char *name, mode_t mode, dev_t rdev, uint32_t gid, struct stat *st)
{
    int fd = open_path(dir, name), r;
    if (fd < 0) return fd;
    if (s->security == P9_MAPPED) {
        mapped_set(fd, "uid", 0);
        mapped_set(fd, "gid", gid);
        mapped_set(fd, "mode", mode);
        if (rdev) mapped_set(fd, "rdev", (uint32_t)rdev);
    } else if (fchownat(fd, "", (uid_t)-1, gid, AT_EMPTY_PATH) && s->security == P9_PASSTHROUGH && errno != EPERM) {
        r = -errno;
        close(fd);
        return r;
    }
    r = stat_of(s, fd, st);
    close(fd);
    return r;
}

/* --- fids ------------------------------------------------------------------------------------------------------------------------------- */

static struct fid *fid_find(struct p9 *s, uint32_t id)
{
    struct fid *f = s->fid[id % HASH];
    while (f && f->id != id) f = f->next;
    return f;
}

static struct fid *fid_new(struct p9 *s, uint32_t id, int *err)
{
    if (fid_find(s, id) || s->fids >= P9_FIDS) {
        *err = s->fids >= P9_FIDS ? -ENFILE : -EBADF;
        return NULL;
    }
    struct fid *f = xalloc(sizeof *f);
    f->id = id;
    f->path = f->io = f->parent = -1;
    f->next = s->fid[id % HASH];
    s->fid[id % HASH] = f;
    s->fids++;
    return f;
}

static int fid_free(struct p9 *s, struct fid *f)
{
    int r = 0;
    for (struct fid **p = &s->fid[f->id % HASH]; *p; p = &(*p)->next)
        if (*p == f) {
            *p = f->next;
            break;
        }
    if (f->xattr_name) {
        char path[40];
        proc_path(f->path, path);
        if (f->xattr_done != f->xattr_len) r = -EINVAL;
        else if (f->xattr_len) r = result(setxattr(path, f->xattr_name, f->xattr, f->xattr_len, f->xattr_flags));
        else r = result(removexattr(path, f->xattr_name));
    }
    if (f->path >= 0) close(f->path);
    if (f->io >= 0) close(f->io);
    if (f->parent >= 0) close(f->parent);
    free(f->xattr);
    free(f->xattr_name);
    free(f);
    s->fids--;
    return r;
}

void p9_reset(struct p9 *s)
{
    for (unsigned i = 0; i < HASH; i++)
        while (s->fid[i]) {
            free(s->fid[i]->xattr_name); /* nothing is written any more */
            s->fid[i]->xattr_name = NULL;
            fid_free(s, s->fid[i]);
        }
    s->msize = 8192;
}

struct p9 *p9_new(const char *path, enum p9_security security, bool readonly, struct err *e)
{
    struct stat st;
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st)) {
        err_set(e, errno, "virtio-9p: %s: %s", path, strerror(errno));
        return NULL;
    }
    struct p9 *s = xalloc(sizeof *s);
    *s = (struct p9){ .root = fd, .security = security, .readonly = readonly, .dev = st.st_dev, .ino = st.st_ino, .msize = 8192 };
    s->out = xalloc(P9_MSIZE);
    return s;
}

void p9_free(struct p9 *s)
{
    if (!s) return;
    p9_reset(s);
    close(s->root);
    free(s->out);
    free(s);
}

/* --- the tree ----------------------------------------------------------------------------------------------------------------------------- */

static int version(struct p9 *s, struct in *m)
{
    char name[32];
    uint32_t msize = (uint32_t)get(m, 4);
    get_text(m, name, sizeof name);
    if (m->bad || msize < 4096) return -EINVAL;
    p9_reset(s);
    s->msize = MIN(msize, (uint32_t)P9_MSIZE);
    put(s, s->msize, 4);
    put_text(s, strcmp(name, "9P2000.L") ? "unknown" : "9P2000.L");
    return 0;
}

static int attach(struct p9 *s, struct in *m)
{
    struct stat st;
    int r = 0;
    uint32_t id = (uint32_t)get(m, 4);
    if (m->bad) return -EINVAL;
    struct fid *f = fid_new(s, id, &r);
    if (!f) return r;
    f->path = fcntl(s->root, F_DUPFD_CLOEXEC, 0);
    if (f->path < 0 || (r = stat_of(s, f->path, &st))) {
        r = r ? r : -errno;
        fid_free(s, f);
        return r;
    }
    put_qid(s, &st);
    return 0;
}

static bool is_root(const struct p9 *s, int fd)
{
    struct stat st;
    return !fstat(fd, &st) && st.st_dev == s->dev && st.st_ino == s->ino;
}

/* The folder above, which is the root's own for the root; only if the root is above that. */
static int above(struct p9 *s, int fd)
{
    int up = is_root(s, fd) ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : openat(fd, "..", O_PATH | O_CLOEXEC);
    int at = up < 0 ? -1 : fcntl(up, F_DUPFD_CLOEXEC, 0);
    for (unsigned n = 0; at >= 0 && n < 256; n++) {
        if (is_root(s, at)) {
            close(at);
            return up;
        }
        int next = openat(at, "..", O_PATH | O_CLOEXEC);
        close(at);
        at = next;
    }
    if (at >= 0) close(at);
    if (up >= 0) close(up);
    return -ENOENT;
}

static int walk(struct p9 *s, struct in *m)
{
    uint32_t id = (uint32_t)get(m, 4), to = (uint32_t)get(m, 4);
    unsigned n = (unsigned)get(m, 2), done = 0;
    struct fid *f = fid_find(s, id);
    int r = 0, parent = -1;
    char name[256] = "";
    if (m->bad || n > NAMES) return -EINVAL;
    if (!f || f->io >= 0 || f->xattr) return -EBADF;
    if (to != id && fid_find(s, to)) return -EBADF;
    int at = fcntl(f->path, F_DUPFD_CLOEXEC, 0);
    if (at < 0) return -errno;
    put(s, 0, 2);
    for (; done < n; done++) {
        struct stat st;
        char step[256];
        get_text(m, step, sizeof step);
        if (m->bad || !*step || strchr(step, '/')) r = -EINVAL;
        int next = r ? r : !strcmp(step, "..") ? above(s, at) : !strcmp(step, ".") ? fcntl(at, F_DUPFD_CLOEXEC, 0) : open_path(at, step);
        if (next < 0 || (r = stat_of(s, next, &st))) {
            if (next >= 0) close(next);
            else r = next;
            break;
        }
        put_qid(s, &st);
        if (parent >= 0) close(parent);
        parent = at;
        at = next;
        snprintf(name, sizeof name, "%s", step);
    }
    struct fid *t = NULL;
    if (done == n) {
        if (to != id) t = fid_new(s, to, &r);
        else t = f;
    }
    if (!t) {
        close(at);
        if (parent >= 0) close(parent);
        if (!done || (done == n && r)) return r ? r : -ENOENT;
        memcpy(s->out + HEADER, &(uint16_t){ (uint16_t)done }, 2); /* as far as it went */
        return 0;
    }
    if (n) {
        if (t->parent >= 0) close(t->parent);
        t->parent = parent;
        snprintf(t->name, sizeof t->name, "%s", name);
    } else if (t != f) {
        t->parent = f->parent >= 0 ? fcntl(f->parent, F_DUPFD_CLOEXEC, 0) : -1;
        memcpy(t->name, f->name, sizeof t->name);
    }
    if (t->path >= 0) close(t->path);
    t->path = at;
    memcpy(s->out + HEADER, &(uint16_t){ (uint16_t)done }, 2);
    return 0;
}

/* Linux' open flags of the protocol are those of this host's ABI on every common architecture; only harmless ones pass. */
static int open_flags(uint32_t f)
{
    return (int)(f & (O_ACCMODE | O_TRUNC | O_APPEND | O_EXCL)) | ((f & 0200000) ? O_DIRECTORY : 0);
}

/* Opens what an O_PATH descriptor stands for: regular files and folders only. */
static int reopen(int fd, int flags)
{
    struct stat st;
    char path[40];
    if (fstat(fd, &st)) return -errno;
    if (S_ISLNK(st.st_mode)) return -ELOOP;
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) return -EPERM;
    proc_path(fd, path);
    return result(open(path, (flags & ~(O_CREAT | O_EXCL | O_APPEND)) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
}

static int lopen(struct p9 *s, struct in *m)
{
    struct fid *f = fid_find(s, (uint32_t)get(m, 4));
    uint32_t flags = (uint32_t)get(m, 4);
    struct stat st;
    if (m->bad) return -EINVAL;
    if (!f || f->io >= 0 || f->xattr) return -EBADF;
    if (s->readonly && ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC))) return -EROFS;
    int fd = reopen(f->path, open_flags(flags)), r;
    if (fd < 0) return fd;
    if ((r = stat_of(s, fd, &st))) {
        close(fd);
        return r;
    }
    f->io = fd;
    put_qid(s, &st);
    put(s, 0, 4);
    return 0;
}

static mode_t host_mode(const struct p9 *s, uint32_t mode, mode_t mapped)
{
    return s->security == P9_MAPPED ? mapped : (mode_t)(mode & 07777);
}

static int lcreate(struct p9 *s, struct in *m)
{
    char name[256];
    struct stat st;
    struct fid *f = fid_find(s, (uint32_t)get(m, 4));
    get_name(m, name);
    uint32_t flags = (uint32_t)get(m, 4), mode = (uint32_t)get(m, 4), gid = (uint32_t)get(m, 4);
    if (m->bad) return -EINVAL;
    if (!f || f->io >= 0 || f->xattr) return -EBADF;
    if (s->readonly) return -EROFS;
    int fd = open_beneath(f->path, name, (open_flags(flags) & ~O_APPEND) | O_CREAT | O_NOFOLLOW | O_NONBLOCK, host_mode(s, mode, 0600)), r;
    if (fd < 0) return fd;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) { /* it was there and is no file */
        close(fd);
        return -EPERM;
    }
    r = own(s, f->path, name, (mode & 07777) | S_IFREG, 0, gid, &st);
    int path = r ? r : open_path(f->path, name);
    if (path < 0) {
        close(fd);
        return path;
    }
    if (f->parent >= 0) close(f->parent);
    f->parent = f->path;
    f->path = path;
    f->io = fd;
    memcpy(f->name, name, sizeof name);
    put_qid(s, &st);
    put(s, 0, 4);
    return 0;
}

/* SYMLINK, MKNOD, MKDIR: something new in a folder. */
static int make(struct p9 *s, struct in *m, unsigned type)
{
    char name[256], target[4096] = "";
    struct stat st;
    uint32_t mode = 0777, major_no = 0, minor_no = 0;
    struct fid *f = fid_find(s, (uint32_t)get(m, 4));
    get_name(m, name);
    if (type == T_SYMLINK) get_text(m, target, sizeof target);
    else mode = (uint32_t)get(m, 4);
    if (type == T_MKNOD) major_no = (uint32_t)get(m, 4), minor_no = (uint32_t)get(m, 4);
    uint32_t gid = (uint32_t)get(m, 4);
    if (m->bad) return -EINVAL;
    if (!f) return -EBADF;
    if (s->readonly) return -EROFS;
    dev_t rdev = makedev(major_no, minor_no);
    bool mapped = s->security == P9_MAPPED, plain = S_ISREG(mode) || S_ISFIFO(mode) || S_ISSOCK(mode);
    int r;
    if (type == T_SYMLINK) r = symlinkat(target, f->path, name);
    else if (type == T_MKDIR) r = mkdirat(f->path, name, host_mode(s, mode, 0700)), mode = (mode & 07777) | S_IFDIR;
    else if (mapped) r = mknodat(f->path, name, S_IFREG | 0600, 0);
    else if (!plain) return -EPERM; /* device nodes of the host are not a guest's to make */
    else r = mknodat(f->path, name, mode & (S_IFMT | 07777), 0);
    if (r) return -errno;
    if ((r = own(s, f->path, name, type == T_SYMLINK ? S_IFLNK | 0777 : mode, S_ISBLK(mode) || S_ISCHR(mode) ? rdev : 0, gid, &st))) return r;
    put_qid(s, &st);
    return 0;
}

static int rename_link(struct p9 *s, struct in *m, unsigned type)
{
    char a[256], b[256] = "";
    struct fid *f = fid_find(s, (uint32_t)get(m, 4)), *g = NULL;
    if (type == T_RENAMEAT) {
        get_name(m, a);
        g = fid_find(s, (uint32_t)get(m, 4));
        get_name(m, b);
    } else { /* RENAME fid dir name, LINK dir fid name */
        g = fid_find(s, (uint32_t)get(m, 4));
        get_name(m, a);
    }
    if (m->bad) return -EINVAL;
    if (!f || !g) return -EBADF;
    if (s->readonly) return -EROFS;
    if (type == T_RENAMEAT) return result(renameat(f->path, a, g->path, b));
    if (type == T_LINK) {
        char path[40];
        proc_path(g->path, path);
        return result(linkat(AT_FDCWD, path, f->path, a, AT_SYMLINK_FOLLOW));
    }
    if (f->parent < 0) return -EBUSY;
    int r = result(renameat(f->parent, f->name, g->path, a));
    if (r < 0) return r;
    close(f->parent);
    f->parent = fcntl(g->path, F_DUPFD_CLOEXEC, 0);
    memcpy(f->name, a, sizeof a);
    return 0;
}

static int unlinkat_(struct p9 *s, struct in *m)
{
    char name[256];
    struct fid *f = fid_find(s, (uint32_t)get(m, 4));
    get_name(m, name);
    uint32_t flags = (uint32_t)get(m, 4);
    if (m->bad) return -EINVAL;
    if (!f) return -EBADF;
    return s->readonly ? -EROFS : result(unlinkat(f->path, name, flags & 0x200 ? AT_REMOVEDIR : 0));
}

static int remove_(struct p9 *s, struct in *m)
{
    struct fid *f = fid_find(s, (uint32_t)get(m, 4));
    struct stat st;
    int r = 0;
    if (m->bad || !f) return -EBADF;
    if (s->readonly) r = -EROFS;
    else if (f->parent < 0) r = -EBUSY;
    else if (fstat(f->path, &st)) r = -errno;
    else r = result(unlinkat(f->parent, f->name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0));
    fid_free(s, f); /* in any case */
    return r;
}

/* --- attributes ------------------------------------------------------------------------------------------------------------------------------ */

static int getattr(struct p9 *s, struct in *m)
{
    struct stat st;
    struct fid *f = fid_find(s, (uint32_t)get(m, 4));
    get(m, 8);
    if (m->bad) return -EINVAL;
    if (!f) return -EBADF;
    int r = stat_of(s, f->path, &st);
    if (r) return r;
    put(s, 0x7ff, 8);
    put_qid(s, &st);
    put(s, st.st_mode, 4), put(s, st.st_uid, 4), put(s, st.st_gid, 4);
    put(s, st.st_nlink, 8), put(s, st.st_rdev, 8), put(s, (uint64_t)st.st_size, 8);
    put(s, 4096, 8), put(s, (uint64_t)st.st_blocks, 8);
    put(s, (uint64_t)st.st_atim.tv_sec, 8), put(s, (uint64_t)st.st_atim.tv_nsec, 8);
    put(s, (uint64_t)st.st_mtim.tv_sec, 8), put(s, (uint64_t)st.st_mtim.tv_nsec, 8);
    put(s, (uint64_t)st.st_ctim.tv_sec, 8), put(s, (uint64_t)st.st_ctim.tv_nsec, 8);
    for (unsigned i = 0; i < 4; i++) put(s, 0, 8);
    return 0;
}

static int setattr(struct p9 *s, struct in *m)
{
    enum { MODE = 1, UID = 2, GID = 4, SIZE = 8, ATIME = 16, MTIME = 32, ATIME_SET = 128, MTIME_SET = 256 };
    struct fid *f = fid_find(s, (uint32_t)get(m, 4));
    uint32_t valid = (uint32_t)get(m, 4), mode = (uint32_t)get(m, 4), uid = (uint32_t)get(m, 4), gid = (uint32_t)get(m, 4);
    uint64_t size = get(m, 8), t[4];
    for (unsigned i = 0; i < 4; i++) t[i] = get(m, 8);
    char path[40];
    struct stat st;
    int r = 0;
    if (m->bad || size > INT64_MAX) return -EINVAL;
    if (!f) return -EBADF;
    if (s->readonly) return -EROFS;
    if ((r = stat_of(s, f->path, &st))) return r;
    proc_path(f->path, path);
    if ((valid & MODE) && S_ISLNK(st.st_mode)) return -EOPNOTSUPP;
    if (valid & MODE) r = s->security == P9_MAPPED ? mapped_set(f->path, "mode", (st.st_mode & S_IFMT) | (mode & 07777)) : result(chmod(path, mode & 07777));
    if (!r && (valid & (UID | GID))) {
        if (s->security == P9_MAPPED) {
            if (valid & UID) r = mapped_set(f->path, "uid", uid);
            if (!r && (valid & GID)) r = mapped_set(f->path, "gid", gid);
        } else {
            r = result(fchownat(f->path, "", valid & UID ? uid : (uid_t)-1, valid & GID ? gid : (gid_t)-1, AT_EMPTY_PATH));
            if (s->security == P9_NONE) r = 0;
        }
    }
    if (!r && (valid & (ATIME | MTIME))) {
        struct timespec ts[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_OMIT } };
        for (unsigned i = 0; i < 2; i++) {
            if (!(valid & (i ? MTIME : ATIME))) continue;
            bool set = valid & (i ? MTIME_SET : ATIME_SET);
            if (set && t[2 * i + 1] >= 1000000000) return -EINVAL;
            ts[i] = set ? (struct timespec){ (time_t)t[2 * i], (long)t[2 * i + 1] } : (struct timespec){ .tv_nsec = UTIME_NOW };
        }
        r = result(utimensat(f->path, "", ts, AT_EMPTY_PATH));
    }
    if (!r && (valid & SIZE)) {
        int fd = reopen(f->path, O_WRONLY);
        r = fd < 0 ? fd : result(ftruncate(fd, (off_t)size));
        if (fd >= 0) close(fd);
    }
    return r;
}

static int statfs_(struct p9 *s, struct in *m)
{
    struct statfs st;
    struct fid *f = fid_find(s, (uint32_t)get(m, 4));
    uint64_t id;
    if (!f) return -EBADF;
    if (fstatfs(f->path, &st)) return -errno;
    memcpy(&id, &st.f_fsid, 8);
    put(s, (uint32_t)st.f_type, 4), put(s, (uint32_t)st.f_bsize, 4);
    put(s, st.f_blocks, 8), put(s, st.f_bfree, 8), put(s, st.f_bavail, 8), put(s, st.f_files, 8), put(s, st.f_ffree, 8), put(s, id, 8);
    put(s, (uint32_t)st.f_namelen, 4);
    return 0;
}

/* Names that are the guest's: not those in which mapped owners are kept, and "user." only. */
static bool xattr_ok(const char *name)
{
    return !strncmp(name, "user.", 5) && strncmp(name, "user.virtfs.", 12);
}

static int xattrwalk(struct p9 *s, struct in *m)
{
    char name[256], path[40];
    struct fid *f = fid_find(s, (uint32_t)get(m, 4));
    uint32_t to = (uint32_t)get(m, 4);
    get_text(m, name, sizeof name);
    int r = 0;
    if (m->bad) return -EINVAL;
    if (!f) return -EBADF;
    if (*name && !xattr_ok(name)) return -ENODATA;
    proc_path(f->path, path);
    uint8_t *buf = xalloc(XATTR_MAX);
    ssize_t n = *name ? getxattr(path, name, buf, XATTR_MAX) : listxattr(path, (char *)buf, XATTR_MAX);
    if (n < 0) {
        r = -errno;
        free(buf);
        return r;
    }
    if (!*name) { /* only what can be asked for */
        ssize_t kept = 0;
        for (ssize_t i = 0, len; i < n; i += len) {
            len = (ssize_t)strlen((char *)buf + i) + 1;
            if (!xattr_ok((char *)buf + i)) continue;
            memmove(buf + kept, buf + i, (size_t)len);
            kept += len;
        }
        n = kept;
    }
    struct fid *t = fid_new(s, to, &r);
    if (!t || (t->path = fcntl(f->path, F_DUPFD_CLOEXEC, 0)) < 0) {
        if (t) r = -errno, fid_free(s, t);
        free(buf);
        return r;
    }
    t->xattr = buf;
    t->xattr_len = (uint32_t)n;
    put(s, (uint64_t)n, 8);
    return 0;
}

static int xattrcreate(struct p9 *s, struct in *m)
{
    char name[256];
    struct fid *f = fid_find(s, (uint32_t)get(m, 4));
    get_text(m, name, sizeof name);
    uint64_t size = get(m, 8);
    uint32_t flags = (uint32_t)get(m, 4);
    if (m->bad) return -EINVAL;
    if (!f || f->io >= 0 || f->xattr) return -EBADF;
    if (s->readonly) return -EROFS;
    if (!xattr_ok(name)) return -EOPNOTSUPP;
    if (size > XATTR_MAX) return -E2BIG;
    f->xattr = xalloc((size_t)size + 1);
    f->xattr_len = (uint32_t)size;
    f->xattr_name = strdup(name);
    f->xattr_flags = (int)(flags & (XATTR_CREATE | XATTR_REPLACE));
    return 0;
}

/* --- data ------------------------------------------------------------------------------------------------------------------------------------------ */

static int read_(struct p9 *s, struct in *m)
{
    struct fid *f = fid_find(s, (uint32_t)get(m, 4));
    uint64_t off = get(m, 8);
    uint32_t n = (uint32_t)get(m, 4);
    if (m->bad) return -EINVAL;
    if (!f || (f->io < 0 && !f->xattr)) return -EBADF;
    n = MIN(n, s->room - MIN(s->room, HEADER + 4u));
    if (f->xattr) {
        uint32_t part = off < f->xattr_len ? MIN(n, f->xattr_len - (uint32_t)off) : 0;
        put(s, part, 4);
        put_bytes(s, f->xattr + (part ? off : 0), part);
        return 0;
    }
    if (off > INT64_MAX) return -EINVAL;
    ssize_t got = pread(f->io, s->out + HEADER + 4, n, (off_t)off);
    if (got < 0) return -errno;
    put(s, (uint64_t)got, 4);
    s->len += (uint32_t)got;
    return 0;
}

static int write_(struct p9 *s, struct in *m)
{
    struct fid *f = fid_find(s, (uint32_t)get(m, 4));
    uint64_t off = get(m, 8);
    uint32_t n = (uint32_t)get(m, 4);
    if (m->bad || n > (size_t)(m->end - m->p) || off > INT64_MAX) return -EINVAL;
    if (!f || (f->io < 0 && !f->xattr_name)) return -EBADF;
    if (f->xattr_name) {
        if (off > f->xattr_len || n > f->xattr_len - off) return -ENOSPC;
        memcpy(f->xattr + off, m->p, n);
        f->xattr_done = MAX(f->xattr_done, (uint32_t)off + n);
        put(s, n, 4);
        return 0;
    }
    if (s->readonly) return -EROFS;
    ssize_t done = pwrite(f->io, m->p, n, (off_t)off);
    if (done < 0) return -errno;
    put(s, (uint64_t)done, 4);
    return 0;
}

static int readdir_(struct p9 *s, struct in *m)
{
    struct entry { /* linux_dirent64 */
        uint64_t ino, off;
        uint16_t len;
        uint8_t type;
        char name[];
    };
    struct fid *f = fid_find(s, (uint32_t)get(m, 4));
    uint64_t off = get(m, 8);
    uint32_t count = (uint32_t)get(m, 4), start;
    _Alignas(8) char buf[16384];
    if (m->bad || off > INT64_MAX) return -EINVAL;
    if (!f || f->io < 0) return -EBADF;
    count = MIN(count, s->room - MIN(s->room, HEADER + 4u));
    if (lseek(f->io, (off_t)off, SEEK_SET) < 0) return -errno;
    put(s, 0, 4);
    start = s->len;
    for (bool full = false; !full;) {
        long n = syscall(SYS_getdents64, f->io, buf, sizeof buf);
        if (n < 0) return -errno;
        if (!n) break;
        for (long at = 0; at < n && !full;) {
            const struct entry *d = (const struct entry *)(buf + at);
            uint32_t need = 13 + 8 + 1 + 2 + (uint32_t)strlen(d->name);
            if ((full = s->len - start + need > count)) break;
            put(s, d->type == 4 ? 0x80 : d->type == 10 ? 2 : 0, 1), put(s, 0, 4), put(s, d->ino, 8);
            put(s, d->off, 8), put(s, d->type, 1), put_text(s, d->name);
            at += d->len;
        }
    }
    uint32_t bytes = s->len - start;
    memcpy(s->out + HEADER, &bytes, 4);
    return 0;
}

static int readlink_(struct p9 *s, struct in *m)
{
    char t[4096];
    struct fid *f = fid_find(s, (uint32_t)get(m, 4));
    if (!f) return -EBADF;
    ssize_t n = readlinkat(f->path, "", t, sizeof t - 1);
    if (n < 0) return -errno;
    t[n] = 0;
    put_text(s, t);
    return 0;
}

static int fsync_(struct p9 *s, struct in *m)
{
    struct fid *f = fid_find(s, (uint32_t)get(m, 4));
    uint32_t only_data = (uint32_t)get(m, 4);
    if (!f || f->io < 0) return -EBADF;
    return result(only_data ? fdatasync(f->io) : fsync(f->io));
}

static int getlock(struct p9 *s, struct in *m)
{
    char id[256];
    struct fid *f = fid_find(s, (uint32_t)get(m, 4));
    get(m, 1);
    uint64_t start = get(m, 8), len = get(m, 8);
    uint32_t pid = (uint32_t)get(m, 4);
    get_text(m, id, sizeof id);
    if (m->bad) return -EINVAL;
    if (!f) return -EBADF;
    put(s, 2, 1), put(s, start, 8), put(s, len, 8), put(s, pid, 4), put_text(s, id); /* free */
    return 0;
}

/* --- dispatch --------------------------------------------------------------------------------------------------------------------------------------- */

static int handle(struct p9 *s, unsigned type, struct in *m)
{
    struct fid *f;
    switch (type) {
    case T_VERSION: return version(s, m);
    case T_AUTH: return -EOPNOTSUPP;
    case T_ATTACH: return attach(s, m);
    case T_FLUSH: return 0; /* everything before has been answered */
    case T_WALK: return walk(s, m);
    case T_LOPEN: return lopen(s, m);
    case T_LCREATE: return lcreate(s, m);
    case T_SYMLINK: case T_MKNOD: case T_MKDIR: return make(s, m, type);
    case T_RENAME: case T_RENAMEAT: case T_LINK: return rename_link(s, m, type);
    case T_UNLINKAT: return unlinkat_(s, m);
    case T_REMOVE: return remove_(s, m);
    case T_READLINK: return readlink_(s, m);
    case T_GETATTR: return getattr(s, m);
    case T_SETATTR: return setattr(s, m);
    case T_STATFS: return statfs_(s, m);
    case T_XATTRWALK: return xattrwalk(s, m);
    case T_XATTRCREATE: return xattrcreate(s, m);
    case T_READDIR: return readdir_(s, m);
    case T_READ: return read_(s, m);
    case T_WRITE: return write_(s, m);
    case T_FSYNC: return fsync_(s, m);
    case T_LOCK:
        if (!fid_find(s, (uint32_t)get(m, 4))) return -EBADF;
        put(s, 0, 1);
        return 0;
    case T_GETLOCK: return getlock(s, m);
    case T_CLUNK: return (f = fid_find(s, (uint32_t)get(m, 4))) ? fid_free(s, f) : -EBADF;
    default: return -EOPNOTSUPP;
    }
}

const uint8_t *p9_message(struct p9 *s, const uint8_t *msg, uint32_t len, uint32_t room, uint32_t *reply)
{
    struct in m = { msg, msg + len, false };
    *reply = 0;
    uint32_t size = (uint32_t)get(&m, 4);
    unsigned type = (unsigned)get(&m, 1);
    uint16_t tag = (uint16_t)get(&m, 2);
    if (m.bad || size < HEADER || size > len) return NULL;
    m.end = msg + size;
    s->room = MIN(room, MAX(s->msize, 4096u));
    s->len = HEADER;
    if (s->room < HEADER + 4) return NULL;
    int r = handle(s, type, &m);
    if (r >= 0 && s->len > s->room) r = -EMSGSIZE;
    if (r < 0) {
        s->len = HEADER;
        put(s, (uint32_t)-r, 4);
    }
    memcpy(s->out, &s->len, 4);
    s->out[4] = (uint8_t)(r < 0 ? R_LERROR : type + 1);
    memcpy(s->out + 5, &tag, 2);
    *reply = s->len;
    return s->out;
}
