/*
 * file.c: files and block devices of the host (drivers "file" and "host_device").
 *
 * O_DIRECT (cache.direct): what is not aligned as the file system wants goes through a buffer, with a read-modify-write that other
 * unaligned writers wait for; aligned ones touch no block of theirs. A failed fdatasync() may have dropped what it could not
 * write, and later ones would succeed: from then on every flush fails.
 */
#include <fcntl.h>
#include <json-c/json.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "io/block/int.h"

enum { BOUNCE = 1 << 20, MAX_ALIGN = 65536 };

struct file {
    int fd;
    bool is_dev, no_zero, no_punch, lost; /* __atomic */
    bool unlocked;
    uint32_t align, mem_align;            /* of O_DIRECT; 1 without */
    pthread_mutex_t rmw;
    pthread_rwlock_t end; /* shared: writes that make the file longer; alone: who sets its length. Taken after rmw */
};

static int file_probe_align(struct file *f)
{
    struct statx sx;
    f->align = f->mem_align = 4096;
#ifdef STATX_DIOALIGN
    if (!statx(f->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &sx) && (sx.stx_mask & STATX_DIOALIGN) && sx.stx_dio_offset_align) {
        f->align = sx.stx_dio_offset_align;
        f->mem_align = MAX(sx.stx_dio_mem_align, 1u);
    }
#else
    (void)sx;
    int ssz;
    if (f->is_dev && !ioctl(f->fd, BLKSSZGET, &ssz) && ssz >= 512) f->align = (uint32_t)ssz;
#endif
    return f->align > MAX_ALIGN || (f->align & (f->align - 1)) || (f->mem_align & (f->mem_align - 1)) ? -EINVAL : 0;
}

static int file_length(struct file *f, uint64_t *size)
{
    off_t end = lseek(f->fd, 0, SEEK_END);
    if (end < 0) return -errno;
    *size = (uint64_t)end;
    return 0;
}

static int file_open(struct blk_node *n, struct json_object *opts, struct err *e)
{
    char *name = blk_opt_str(opts, "filename"), *locking = blk_opt_str(opts, "locking");
    bool rw = n->flags & BLK_RDWR, no_lock = locking && !strcmp(locking, "off");
    free(locking);
    if (!name) return err_set(e, EINVAL, "A block device must be specified for \"file\"");
    n->filename = name;
    int fd = open(name, O_CLOEXEC | O_NOCTTY | (rw ? O_RDWR : O_RDONLY) | (n->flags & BLK_DIRECT ? O_DIRECT : 0));
    if (fd < 0 && rw && n->auto_ro && (errno == EACCES || errno == EROFS)) {
        n->flags &= ~(unsigned)BLK_RDWR;
        fd = open(name, O_CLOEXEC | O_NOCTTY | O_RDONLY | (n->flags & BLK_DIRECT ? O_DIRECT : 0));
    }
    if (fd < 0) return err_set(e, errno, "Could not open '%s': %s", name, strerror(errno));
    struct stat st;
    if (fstat(fd, &st) || (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode) && !S_ISCHR(st.st_mode))) {
        close(fd);
        return err_set(e, EINVAL, "'%s' is neither a file nor a block device", name);
    }
    struct file *f = xalloc(sizeof *f);
    f->fd = fd;
    f->is_dev = S_ISBLK(st.st_mode);
    f->unlocked = no_lock;
    f->align = f->mem_align = 1;
    pthread_mutex_init(&f->rmw, NULL);
    pthread_rwlock_init(&f->end, NULL);
    n->s = f;
    int r = no_lock ? 0 : blk_lock_file(fd, name, n->flags, e);
    if (!r && (n->flags & BLK_DIRECT) && (r = file_probe_align(f))) err_set(e, -r, "'%s': O_DIRECT: unknown alignment", name);
    if (!r && (r = file_length(f, &n->size))) err_set(e, -r, "'%s': size: %s", name, strerror(-r));
    return r;
}

/* Another descriptor in the place of the one that is open, by the flags as they are now. */
static int file_reopen(struct blk_node *n, struct err *e)
{
    struct file *f = n->s;
    bool rw = n->flags & BLK_RDWR;
    struct flock all = { .l_type = F_UNLCK, .l_whence = SEEK_SET };
    int fd = open(n->filename, O_CLOEXEC | O_NOCTTY | (rw ? O_RDWR : O_RDONLY) | (n->flags & BLK_DIRECT ? O_DIRECT : 0));
    if (fd < 0) return err_set(e, errno, "Could not reopen file: %s", strerror(errno));
    struct stat was, is;
    if (fstat(f->fd, &was) || fstat(fd, &is) || was.st_ino != is.st_ino || was.st_dev != is.st_dev) {
        close(fd);
        return err_set(e, ESTALE, "'%s' is another file now", n->filename);
    }
    fcntl(f->fd, F_OFD_SETLK, &all); /* they would be in the way of the new one's */
    int r = f->unlocked ? 0 : blk_lock_file(fd, n->filename, n->flags, e);
    if (r) {
        close(fd);
        blk_lock_file(f->fd, n->filename, rw ? n->flags & ~(unsigned)BLK_RDWR : n->flags | BLK_RDWR, NULL);
        return r;
    }
    close(f->fd);
    f->fd = fd;
    return 0;
}

static int file_close(struct blk_node *n)
{
    struct file *f = n->s;
    pthread_mutex_destroy(&f->rmw);
    pthread_rwlock_destroy(&f->end);
    return close(f->fd) ? -errno : 0;
}

/* --- reading and writing ---------------------------------------------------------------------------------------------------------- */

static bool aligned(const struct file *f, uint64_t off, const struct iovec *iov, int niov)
{
    if (f->align == 1) return true;
    if (off % f->align) return false;
    for (int i = 0; i < niov; i++)
        if (iov[i].iov_len % f->align || (uintptr_t)iov[i].iov_base % f->mem_align) return false;
    return true;
}

static void zero_iov(const struct iovec *iov, int niov, size_t from)
{
    for (int i = 0; i < niov; i++) {
        size_t len = iov[i].iov_len, skip = MIN(from, len);
        memset((char *)iov[i].iov_base + skip, 0, len - skip);
        from -= skip;
    }
}

/* preadv/pwritev in whole; a read ends at the end of the file: *done. */
static int transfer(int fd, bool write, uint64_t off, const struct iovec *iov, int niov, size_t bytes, size_t *done)
{
    struct iovec *part = NULL;
    int r = 0;
    *done = 0;
    while (*done < bytes) {
        const struct iovec *v = iov;
        int nv = niov;
        if (*done) {
            if (!part) part = xalloc((size_t)niov * sizeof *part);
            nv = blk_iov_cut(iov, niov, *done, bytes - *done, part);
            v = part;
        }
        ssize_t n = write ? pwritev(fd, v, MIN(nv, BLK_MAX_IOV), (off_t)(off + *done))
                          : preadv(fd, v, MIN(nv, BLK_MAX_IOV), (off_t)(off + *done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) r = -errno;
        if (n == 0 && write) r = -ENOSPC;
        if (n <= 0) break;
        *done += (size_t)n;
    }
    free(part);
    return r;
}

static void copy_iov(const struct iovec *iov, int niov, size_t skip, uint8_t *buf, size_t bytes, bool to_iov)
{
    for (int i = 0; i < niov && bytes; i++) {
        size_t len = iov[i].iov_len;
        if (skip >= len) {
            skip -= len;
            continue;
        }
        size_t n = MIN(len - skip, bytes);
        if (to_iov)
            memcpy((char *)iov[i].iov_base + skip, buf, n);
        else
            memcpy(buf, (char *)iov[i].iov_base + skip, n);
        buf += n;
        bytes -= n;
        skip = 0;
    }
}

static void grown(struct blk_node *n, uint64_t end)
{
    uint64_t size = blk_node_size(n);
    while (size < end && !__atomic_compare_exchange_n(&n->size, &size, end, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {}
}

/* Through an aligned buffer, block by block where ends are not aligned. */
static int bounce(struct blk_node *n, bool write, uint64_t off, const struct iovec *iov, int niov, size_t bytes)
{
    struct file *f = n->s;
    void *mem;
    int r = 0;
    if (posix_memalign(&mem, MAX(f->align, 4096u), BOUNCE + 2 * f->align)) return -ENOMEM;
    uint8_t *buf = mem;
    if (write) pthread_mutex_lock(&f->rmw);
    for (size_t at = 0; !r && at < bytes;) {
        size_t step = MIN(bytes - at, (size_t)BOUNCE), got;
        uint64_t lo = ALIGN_DOWN(off + at, (uint64_t)f->align), hi = ALIGN_UP(off + at + step, (uint64_t)f->align);
        struct iovec v = { buf, (size_t)(hi - lo) };
        size_t skip = (size_t)(off + at - lo);
        if (!write || skip || hi != off + at + step) {
            r = transfer(f->fd, false, lo, &v, 1, v.iov_len, &got);
            if (r) break;
            memset(buf + got, 0, v.iov_len - got);
        }
        if (write) {
            copy_iov(iov, niov, at, buf + skip, step, false);
            bool longer = hi > blk_node_size(n);
            if (longer) pthread_rwlock_wrlock(&f->end);
            uint64_t size = MAX(blk_node_size(n), off + at + step);
            r = transfer(f->fd, true, lo, &v, 1, v.iov_len, &got);
            if (!r && hi > size && !f->is_dev && ftruncate(f->fd, (off_t)size)) r = -errno;
            if (!r) grown(n, off + at + step);
            if (longer) pthread_rwlock_unlock(&f->end);
        } else {
            copy_iov(iov, niov, at, buf + skip, step, true);
        }
        at += step;
    }
    if (write) pthread_mutex_unlock(&f->rmw);
    free(mem);
    return r;
}

static int file_preadv(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    struct file *f = n->s;
    size_t bytes = blk_iov_bytes(iov, niov), done;
    if (off > INT64_MAX || bytes > INT64_MAX - off) return -EIO;
    if (!aligned(f, off, iov, niov)) return bounce(n, false, off, iov, niov, bytes);
    int r = transfer(f->fd, false, off, iov, niov, bytes, &done);
    if (!r && done < bytes) zero_iov(iov, niov, done);
    return r;
}

static int file_pwritev(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    struct file *f = n->s;
    size_t bytes = blk_iov_bytes(iov, niov), done;
    if (flags & BLK_COMPRESS) return -ENOTSUP;
    if (off > INT64_MAX || bytes > INT64_MAX - off) return -EFBIG;
    if (!aligned(f, off, iov, niov)) return bounce(n, true, off, iov, niov, bytes);
    bool longer = off + bytes > blk_node_size(n);
    if (longer) pthread_rwlock_rdlock(&f->end);
    int r = transfer(f->fd, true, off, iov, niov, bytes, &done);
    grown(n, off + done);
    if (longer) pthread_rwlock_unlock(&f->end);
    return r;
}

static int file_host_fd(struct blk_node *n, bool write, uint64_t off, const struct iovec *iov, int niov)
{
    struct file *f = n->s;
    uint64_t size = blk_node_size(n), bytes = blk_iov_bytes(iov, niov);
    if (off > size || bytes > size - off || !aligned(f, off, iov, niov)) return -1;
    return f->fd;
}

static int file_flush(struct blk_node *n)
{
    struct file *f = n->s;
    int r = 0;
    if (n->flags & BLK_NO_FLUSH) return 0;
    if (__atomic_load_n(&f->lost, __ATOMIC_RELAXED)) return -EIO;
    while (fdatasync(f->fd) && (r = errno) == EINTR) r = 0;
    if (r == EROFS || r == EINVAL) r = 0; /* a special file */
    if (r) __atomic_store_n(&f->lost, true, __ATOMIC_RELAXED);
    return -r;
}

/* --- holes ------------------------------------------------------------------------------------------------------------------------- */

static int do_fallocate(int fd, int mode, uint64_t off, uint64_t bytes)
{
    int r;
    while ((r = fallocate(fd, mode, (off_t)off, (off_t)bytes)) && errno == EINTR) {}
    if (!r) return 0;
    return errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL || errno == ENODEV ? -ENOTSUP : -errno;
}

static int file_discard(struct blk_node *n, uint64_t off, uint64_t bytes)
{
    struct file *f = n->s;
    uint64_t size = blk_node_size(n);
    if (off >= size || __atomic_load_n(&f->no_punch, __ATOMIC_RELAXED)) return 0;
    bytes = MIN(bytes, size - off);
    int r = do_fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, bytes);
    if (r == -ENOTSUP) __atomic_store_n(&f->no_punch, true, __ATOMIC_RELAXED);
    return r == -ENOTSUP ? 0 : r;
}

static int file_zero(struct blk_node *n, uint64_t off, uint64_t bytes, unsigned flags)
{
    struct file *f = n->s;
    int r = -ENOTSUP;
    uint64_t end = off + bytes;
    if (off > INT64_MAX || bytes > INT64_MAX - off) return -EFBIG;
    if (!bytes) return 0;
    if (flags & BLK_MAY_UNMAP) {
        /* KEEP_SIZE is demanded with a hole; what is beyond the end is a hole when the file is longer */
        r = do_fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, bytes);
        if (!r && !f->is_dev && end > blk_node_size(n)) {
            uint64_t now;
            pthread_rwlock_wrlock(&f->end); /* or it would cut off what somebody writes behind it now */
            r = file_length(f, &now);
            if (!r && now < end && ftruncate(f->fd, (off_t)end)) r = -errno;
            if (!r) grown(n, end);
            pthread_rwlock_unlock(&f->end);
        }
    }
    if (r == -ENOTSUP && !__atomic_load_n(&f->no_zero, __ATOMIC_RELAXED)) {
        pthread_rwlock_rdlock(&f->end);
        r = do_fallocate(f->fd, FALLOC_FL_ZERO_RANGE, off, bytes);
        if (!r && !f->is_dev) grown(n, end);
        pthread_rwlock_unlock(&f->end);
        if (r == -ENOTSUP) __atomic_store_n(&f->no_zero, true, __ATOMIC_RELAXED);
    }
    return r;
}

static int file_status(struct blk_node *n, uint64_t off, uint64_t bytes, struct blk_range *r)
{
    struct file *f = n->s;
    *r = (struct blk_range){ .st = BLK_ST_DATA | BLK_ST_ALLOCATED | BLK_ST_OFFSET, .bytes = bytes, .host = off, .file = n };
    if (f->is_dev) return 0;
    off_t data = lseek(f->fd, (off_t)off, SEEK_DATA);
    if (data < 0 && errno != ENXIO) return 0; /* cannot tell */
    uint64_t at = data < 0 ? UINT64_MAX : (uint64_t)data;
    if (at > off) {
        r->st = BLK_ST_ZERO | BLK_ST_ALLOCATED | BLK_ST_OFFSET;
        r->bytes = MIN(bytes, at - off);
        return 0;
    }
    off_t hole = lseek(f->fd, (off_t)off, SEEK_HOLE);
    if (hole > (off_t)off) r->bytes = MIN(bytes, (uint64_t)hole - off);
    return 0;
}

/* --- size, creation -------------------------------------------------------------------------------------------------------------------- */

static int resize_fd(int fd, uint64_t old, uint64_t size, const char *prealloc, const char *name, struct err *e)
{
    if (ftruncate(fd, (off_t)size)) return err_set(e, errno, "%s: could not resize: %s", name, strerror(errno));
    if (!prealloc || !strcmp(prealloc, "off") || size <= old) return 0;
    if (!strcmp(prealloc, "falloc")) {
        int r = posix_fallocate(fd, (off_t)old, (off_t)(size - old));
        return r ? err_set(e, r, "%s: could not preallocate: %s", name, strerror(r)) : 0;
    }
    if (strcmp(prealloc, "full")) return err_set(e, ENOTSUP, "Unsupported preallocation mode '%s'", prealloc);
    uint8_t *zero = xalloc(BOUNCE);
    struct iovec v = { zero, BOUNCE };
    int r = 0;
    size_t done;
    for (uint64_t at = old; !r && at < size; at += v.iov_len) {
        v.iov_len = (size_t)MIN((uint64_t)BOUNCE, size - at);
        r = transfer(fd, true, at, &v, 1, v.iov_len, &done);
    }
    if (!r && fsync(fd)) r = -errno;
    free(zero);
    return r ? err_set(e, -r, "%s: could not preallocate: %s", name, strerror(-r)) : 0;
}

static int file_truncate(struct blk_node *n, uint64_t size, const char *prealloc, struct err *e)
{
    struct file *f = n->s;
    if (f->is_dev) {
        int r = file_length(f, &n->size);
        if (!r && size <= n->size) return 0;
        return err_set(e, EINVAL, "%s: a device has the size it has", n->filename);
    }
    if (size > INT64_MAX) return err_set(e, EFBIG, "%s: too large", n->filename);
    int r = resize_fd(f->fd, blk_node_size(n), size, prealloc, n->filename, e);
    if (!r) __atomic_store_n(&n->size, size, __ATOMIC_RELAXED);
    return r;
}

static int file_create(struct blk_graph *g, const char *filename, struct json_object *opts, struct err *e)
{
    uint64_t size = 0;
    bool nocow = false;
    char *prealloc = blk_opt_str(opts, "preallocation");
    int r = blk_opt_size(opts, "size", &size, e);
    if (!r) r = blk_opt_bool(opts, "nocow", &nocow, e);
    if (!r) r = blk_opts_left(opts, "file", e);
    if (!r && size > INT64_MAX) r = err_set(e, EFBIG, "%s: too large", filename);
    int fd = r ? -1 : open(filename, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (!r && fd < 0) r = err_set(e, errno, "%s: Could not create '%s': %s", filename, filename, strerror(errno));
    struct stat st;
    if (!r && !fstat(fd, &st) && S_ISBLK(st.st_mode)) {
        off_t end = lseek(fd, 0, SEEK_END);
        if (end < 0 || (uint64_t)end < size) r = err_set(e, ENOSPC, "%s: the device is smaller than %llu bytes", filename, (unsigned long long)size);
    } else if (!r) { /* somebody may be using it: not before the lock */
        r = blk_lock_file(fd, filename, BLK_RDWR, e);
        if (!r && ftruncate(fd, 0)) r = err_set(e, errno, "%s: %s", filename, strerror(errno));
        if (!r) r = resize_fd(fd, 0, size, prealloc, filename, e);
    }
    if (fd >= 0) close(fd);
    free(prealloc);
    return r;
}

static int host_device_open(struct blk_node *n, struct json_object *opts, struct err *e)
{
    int r = file_open(n, opts, e);
    if (!r && !((struct file *)n->s)->is_dev) r = err_set(e, EINVAL, "'host_device' needs a block device: '%s' is none", n->filename);
    return r;
}

static const struct blk_create_opt file_create_opts[] = {
    { "nocow", "bool (on/off)", "Turn off copy-on-write (valid only on btrfs)" },
    { "preallocation", "str", "Preallocation mode (allowed values: off, falloc, full)" },
    { "size", "size", "Virtual disk size" },
    { 0 },
};

const struct blk_driver blk_file = {
    .name = "file", .protocol = "file:", .is_protocol = true, .create_opts = file_create_opts,
    .open = file_open, .close = file_close, .preadv = file_preadv, .pwritev = file_pwritev, .flush = file_flush,
    .discard = file_discard, .zero = file_zero, .truncate = file_truncate, .status = file_status, .host_fd = file_host_fd,
    .create = file_create, .reopen = file_reopen,
};

const struct blk_driver blk_host_device = {
    .name = "host_device", .is_protocol = true,
    .open = host_device_open, .close = file_close, .preadv = file_preadv, .pwritev = file_pwritev, .flush = file_flush,
    .discard = file_discard, .zero = file_zero, .truncate = file_truncate, .status = file_status, .host_fd = file_host_fd,
    .create = file_create, .reopen = file_reopen,
};
