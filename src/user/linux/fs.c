/* fs.c: files, directories, vectors of buffers, waiting for descriptors. */
#include "user/linux/user.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "user/linux/kernel.h"

/* --- open, stat, links ------------------------------------------------------------------------------------------------ */
static int64_t open_path(struct task *t, int dirfd, char *path, int flags, unsigned mode)
{
    int r = procfs_open(t, dirfd, path, flags);
    if (r != -ENOENT) return r;
    if (path[0] == '/') path_lookup(t->p, path, flags & O_NOFOLLOW ? PATH_NOFOLLOW : 0);
    return SAFE(t, SYS_openat, dirfd, path, flags, mode);
}

int64_t sys_openat(struct task *t, const uint64_t *a)
{
    char path[PATH_MAX];
    int r = get_str(t, path, sizeof path, a[1]);
    return r < 0 ? r : open_path(t, (int)a[0], path, (int)flags_to_host(t->p, &fl_open, (uint32_t)a[2]), (unsigned)a[3]);
}

int64_t sys_openat2(struct task *t, const uint64_t *a)
{
    struct open_how how;
    char path[PATH_MAX];
    int r;
    if (a[3] < sizeof how) return -EINVAL;
    if (a[3] > 4096) return -E2BIG;
    if ((r = lay_get(t, &lay_open_how, &how, a[2])) < 0 || (r = get_str(t, path, sizeof path, a[1])) < 0) return r;
    for (uint64_t i = sizeof how; i < a[3]; i++) {
        uint8_t b;
        if ((r = get_bytes(t, &b, a[2] + i, 1)) < 0) return r;
        if (b) return -E2BIG;
    }
    how.flags = (how.flags & ~0xffffffffull) | flags_to_host(t->p, &fl_open, (uint32_t)how.flags);
    if (!how.resolve) return open_path(t, (int)a[0], path, (int)how.flags, (unsigned)how.mode);
    return SAFE(t, SYS_openat2, (int)a[0], path, &how, sizeof how);
}

/* The emulator's own descriptors, which are high and few; -1 or 0 = none. */
enum { OWN_FDS = 3 + sizeof(((struct debugger *)0)->fd) / sizeof(int) };
static void own_fds(const struct proc *p, int own[OWN_FDS])
{
    own[0] = p->prefix_fd;
    own[1] = p->exe_fd;
    own[2] = log_own_fd();
    for (unsigned i = 3; i < OWN_FDS; i++) own[i] = debugger ? debugger->fd[i - 3] : -1;
}

bool fd_internal(const struct proc *p, int fd)
{
    int own[OWN_FDS];
    own_fds(p, own);
    for (unsigned i = 0; i < OWN_FDS; i++)
        if (fd > 2 && fd == own[i]) return true;
    return false;
}

int64_t sys_close(struct task *t, const uint64_t *a)
{
    return RAW(SYS_close, (int)a[0]);
}

int64_t sys_close_range(struct task *t, const uint64_t *a)
{
    unsigned first = (unsigned)a[0], last = (unsigned)a[1];
    int own[OWN_FDS];
    if (first > last) return -EINVAL;
    own_fds(t->p, own);
    for (;;) {
        unsigned stop = last, skip = 0;
        for (unsigned i = 0; i < ARRAY_LEN(own); i++) {
            if (own[i] > 2 && (unsigned)own[i] >= first && (unsigned)own[i] <= stop) {
                stop = (unsigned)own[i];
                skip = 1;
            }
        }
        long r = 0;
        if (!skip || stop > first) r = RAW(SYS_close_range, first, stop - skip, (unsigned)a[2]);
        if (r < 0 || !skip || stop == last) return r;
        first = stop + 1;
    }
}

int64_t sys_dup3(struct task *t, const uint64_t *a)
{
    if (fd_internal(t->p, (int)a[1])) return -EBADF;
    return RAW(SYS_dup3, (int)a[0], (int)a[1], flags_to_host(t->p, &fl_open, (uint32_t)a[2]));
}

int exe_open(const char *path)
{
    int fd = open(path, O_PATH | O_CLOEXEC), high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, OWN_FD_FIRST);
    if (fd >= 0) close(fd);
    return high;
}

int64_t sys_chroot(struct task *t, const uint64_t *a)
{
    char path[PATH_MAX];
    struct proc *p = t->p;
    int r = path_get(t, path, a[0], PATH_HOST);
    if (r < 0) return r;
    if (p->exe_fd < 0 && p->opt->emulator) p->exe_fd = exe_open(p->opt->emulator); /* the new root may have no /proc */
    return RAW(SYS_chroot, path);
}

/* Path of an *at call; empty and NULL allowed with AT_EMPTY_PATH. */
static int at_path(struct task *t, char *path, int dirfd, uint64_t addr, int flags)
{
    if (!addr && (flags & AT_EMPTY_PATH)) {
        path[0] = 0;
        return 0;
    }
    int r = get_str(t, path, PATH_MAX, addr);
    if (r < 0) return r;
    bool nofollow = flags & AT_SYMLINK_NOFOLLOW;
    if (path[0] && !nofollow && procfs_exe(t, dirfd, path, path, PATH_MAX)) return 0;
    path_lookup(t->p, path, nofollow ? PATH_NOFOLLOW : 0);
    return 0;
}

int64_t stat_path(struct task *t, int dirfd, uint64_t addr, int flags, struct stat *st)
{
    char path[PATH_MAX];
    int r = at_path(t, path, dirfd, addr, flags);
    return r < 0 ? r : SAFE(t, SYS_newfstatat, dirfd, path, st, flags);
}

int64_t sys_newfstatat(struct task *t, const uint64_t *a)
{
    struct stat st;
    int64_t ret = stat_path(t, (int)a[0], a[1], (int)a[3], &st);
    return ret < 0 ? ret : lay_put(t, &lay_stat, a[2], &st);
}

int64_t sys_statx(struct task *t, const uint64_t *a)
{
    struct statx stx;
    char path[PATH_MAX];
    int r = at_path(t, path, (int)a[0], a[1], (int)a[2]);
    if (r < 0) return r;
    int64_t ret = SAFE(t, SYS_statx, (int)a[0], path, (int)a[2], (unsigned)a[3], &stx);
    return ret < 0 ? ret : lay_put(t, &lay_statx, a[4], &stx);
}

int64_t sys_readlinkat(struct task *t, const uint64_t *a)
{
    char path[PATH_MAX], target[PATH_MAX];
    int r = get_str(t, path, sizeof path, a[1]);
    if (r < 0) return r;
    if ((int32_t)a[3] <= 0) return -EINVAL;
    int64_t n;
    if (path[0] && procfs_exe(t, (int)a[0], path, target, sizeof target)) {
        n = (int64_t)strlen(target);
    } else {
        path_lookup(t->p, path, PATH_NOFOLLOW);
        n = SAFE(t, SYS_readlinkat, (int)a[0], path, target, sizeof target);
    }
    if (n < 0) return n;
    n = MIN(n, (int64_t)(int32_t)a[3]);
    r = put_bytes(t, a[2], target, (size_t)n);
    return r < 0 ? r : n;
}

int64_t sys_fchmodat2(struct task *t, const uint64_t *a)
{
    char path[PATH_MAX];
    int r = get_str(t, path, sizeof path, a[1]);
    return r < 0 ? r : SAFE(t, 452, (int)a[0], path, (unsigned)a[2], (int)a[3]);
}

/* 64-bit: (path, buf); 32-bit: statfs64(path, size, buf) */
static int64_t put_statfs(struct task *t, const uint64_t *a, const struct statfs *st)
{
    if (t->p->word == 8) return lay_put(t, &lay_statfs, a[1], st);
    return a[1] == lay_size(t->p, &lay_statfs) ? lay_put(t, &lay_statfs, a[2], st) : -EINVAL;
}

int64_t sys_statfs(struct task *t, const uint64_t *a)
{
    struct statfs st;
    char path[PATH_MAX];
    int r = path_get(t, path, a[0], 0);
    if (r < 0) return r;
    int64_t ret = SAFE(t, SYS_statfs, path, &st);
    return ret < 0 ? ret : put_statfs(t, a, &st);
}

int64_t sys_fstatfs(struct task *t, const uint64_t *a)
{
    struct statfs st;
    int64_t ret = SAFE(t, SYS_fstatfs, (int)a[0], &st);
    return ret < 0 ? ret : put_statfs(t, a, &st);
}

int64_t sys_name_to_handle_at(struct task *t, const uint64_t *a)
{
    struct { struct k_file_handle h; uint8_t data[128]; } fh;
    char path[PATH_MAX];
    int mount;
    int r = at_path(t, path, (int)a[0], a[1], (int)a[4] & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW | (int)a[4]);
    if (r < 0 || (r = lay_get(t, &lay_file_handle, &fh.h, a[2])) < 0) return r;
    if (fh.h.bytes > sizeof fh.data) return -EINVAL;
    uint32_t room = fh.h.bytes;
    int64_t ret = SAFE(t, SYS_name_to_handle_at, (int)a[0], path, &fh, &mount, (int)a[4]);
    if (ret < 0 && ret != -EOVERFLOW) return ret;
    if ((r = lay_put(t, &lay_file_handle, a[2], &fh.h)) < 0) return r;
    if (ret == 0 && (r = put_bytes(t, a[2] + 8, fh.data, MIN(fh.h.bytes, room))) < 0) return r;
    r = put_uint(t, a[3], 4, (uint32_t)mount);
    return r < 0 ? r : ret;
}

int64_t sys_open_by_handle_at(struct task *t, const uint64_t *a)
{
    struct { struct k_file_handle h; uint8_t data[128]; } fh;
    int r = lay_get(t, &lay_file_handle, &fh.h, a[1]);
    if (r < 0) return r;
    if (fh.h.bytes > sizeof fh.data) return -EINVAL;
    if ((r = get_bytes(t, fh.data, a[1] + 8, fh.h.bytes)) < 0) return r;
    return SAFE(t, SYS_open_by_handle_at, (int)a[0], &fh, flags_to_host(t->p, &fl_open, (uint32_t)a[2]));
}

/* struct linux_dirent64 has fixed-size fields: only byte order can differ. */
int64_t sys_getdents64(struct task *t, const uint64_t *a)
{
    uint8_t *buf = user_ptr(t, a[1], (uint32_t)a[2], GP_WRITE);
    if (!buf || buf == BAD_PTR) return -EFAULT;
    int64_t n = SAFE(t, SYS_getdents64, (int)a[0], buf, (uint32_t)a[2]);
    for (int64_t at = 0; t->p->big && at < n;) {
        struct k_dirent d;
        memcpy(&d, buf + at, 19);
        uint8_t raw[24];
        lay_encode(t->p, &lay_dirent, raw, &d);
        memcpy(buf + at, raw, 19);
        at += d.d_reclen;
    }
    return n;
}

int64_t sys_lseek(struct task *t, const uint64_t *a)
{
    if (t->p->word == 8) return RAW(SYS_lseek, (int)a[0], a[1], (int)a[2]);
    /* llseek(fd, high, low, &result, whence) */
    int64_t off = RAW(SYS_lseek, (int)a[0], a[1] << 32 | (uint32_t)a[2], (int)a[4]);
    return off < 0 ? off : lay_put(t, &lay_off, a[3], &off);
}

/* --- fcntl -------------------------------------------------------------------------------------------------------------- */
static int64_t fcntl_lock(struct task *t, int fd, int cmd, uint64_t addr, bool get)
{
    struct flock fl;
    int r = lay_get(t, &lay_flock, &fl, addr);
    if (r < 0) return r;
    int64_t ret = SAFE(t, SYS_fcntl, fd, cmd, &fl);
    return ret < 0 || !get ? ret : lay_put(t, &lay_flock, addr, &fl);
}

int64_t sys_fcntl(struct task *t, const uint64_t *a)
{
    int fd = (int)a[0], cmd = (int)a[1], r;
    int64_t ret;
    enum { G_GETLK64 = 12, G_SETLK64, G_SETLKW64 };
    if (t->p->word == 4 && cmd >= G_GETLK64 && cmd <= G_SETLKW64) cmd = cmd - G_GETLK64 + F_GETLK;
    switch (cmd) {
    case F_GETLK: case F_OFD_GETLK: return fcntl_lock(t, fd, cmd, a[2], true);
    case F_SETLK: case F_SETLKW: case F_OFD_SETLK: case F_OFD_SETLKW: return fcntl_lock(t, fd, cmd, a[2], false);
    case F_GETFL:
        ret = RAW(SYS_fcntl, fd, cmd, 0);
        return ret < 0 ? ret : flags_to_guest(t->p, &fl_open, (uint32_t)ret);
    case F_SETFL: return RAW(SYS_fcntl, fd, cmd, flags_to_host(t->p, &fl_open, (uint32_t)a[2]));
    case F_GETOWN_EX: case F_SETOWN_EX: {
        struct k_f_owner own;
        if (cmd == F_SETOWN_EX && (r = lay_get(t, &lay_f_owner, &own, a[2])) < 0) return r;
        ret = RAW(SYS_fcntl, fd, cmd, &own);
        return ret < 0 || cmd == F_SETOWN_EX ? ret : lay_put(t, &lay_f_owner, a[2], &own);
    }
    case F_GET_RW_HINT: case F_SET_RW_HINT: case F_GET_FILE_RW_HINT: case F_SET_FILE_RW_HINT: {
        uint64_t hint = 0;
        bool set = cmd == F_SET_RW_HINT || cmd == F_SET_FILE_RW_HINT;
        if (set && (r = get_uint(t, a[2], 8, &hint)) < 0) return r;
        ret = RAW(SYS_fcntl, fd, cmd, &hint);
        return ret < 0 || set ? ret : put_uint(t, a[2], 8, hint);
    }
    default: return SAFE(t, SYS_fcntl, fd, cmd, (int64_t)a[2]);
    }
}

/* --- vectors -------------------------------------------------------------------------------------------------------------- */
int iov_get(struct task *t, struct iovec **out, struct iovec *fixed, unsigned nfixed, uint64_t addr, uint64_t n, unsigned prot)
{
    struct iovec *v = fixed;
    size_t size = lay_size(t->p, &lay_iovec);
    uint64_t total = 0;
    int r = 0, good = 0;
    *out = fixed;
    if (n > 1024) return -EINVAL;
    if (n > nfixed) v = xalloc(n * sizeof *v);
    for (uint64_t i = 0; i < n && r >= 0; i++) {
        struct g_iovec g;
        r = lay_get(t, &lay_iovec, &g, addr + i * size);
        if (r < 0) break;
        if ((int64_t)g.len < 0 || (t->p->word == 4 && (int32_t)g.len < 0)) {
            r = -EINVAL;
            break;
        }
        g.len = MIN(g.len, 0x7ffff000 - total);
        total += g.len;
        v[i].iov_base = user_ptr(t, g.base, g.len, prot);
        v[i].iov_len = g.len;
        if (v[i].iov_base == BAD_PTR) {
            if (i == 0) r = -EFAULT;
            break;
        }
        good = (int)i + 1;
    }
    if (r < 0) {
        iov_put(v, fixed);
        return r;
    }
    *out = v;
    return good;
}

void iov_put(struct iovec *v, const struct iovec *fixed)
{
    if (v != fixed) free(v);
}

/* readv, writev and their relatives: the vector is the second and third argument. */
static int64_t vector_io(struct task *t, long nr, const uint64_t *a, unsigned prot, uint64_t lo, uint64_t hi, uint64_t flags)
{
    struct iovec fixed[16], *v;
    int n = iov_get(t, &v, fixed, ARRAY_LEN(fixed), a[1], (uint32_t)a[2], prot);
    if (n < 0) return n;
    int64_t ret = SAFE(t, nr, (int)a[0], v, n, lo, hi, flags);
    iov_put(v, fixed);
    return ret;
}

/* A 64-bit position given as two longs, low first: on 64-bit guests the high one is not used. */
static uint64_t position(struct task *t, const uint64_t *a)
{
    return t->p->word == 8 ? a[3] : (uint32_t)a[3] | a[4] << 32;
}

int64_t sys_readv(struct task *t, const uint64_t *a)
{
    return vector_io(t, SYS_readv, a, GP_WRITE, 0, 0, 0);
}

int64_t sys_writev(struct task *t, const uint64_t *a)
{
    return vector_io(t, SYS_writev, a, GP_READ, 0, 0, 0);
}

int64_t sys_preadv(struct task *t, const uint64_t *a)
{
    return vector_io(t, SYS_preadv, a, GP_WRITE, position(t, a), 0, 0);
}

int64_t sys_pwritev(struct task *t, const uint64_t *a)
{
    return vector_io(t, SYS_pwritev, a, GP_READ, position(t, a), 0, 0);
}

int64_t sys_preadv2(struct task *t, const uint64_t *a)
{
    return vector_io(t, SYS_preadv2, a, GP_WRITE, position(t, a), 0, a[5]);
}

int64_t sys_pwritev2(struct task *t, const uint64_t *a)
{
    return vector_io(t, SYS_pwritev2, a, GP_READ, position(t, a), 0, a[5]);
}

int64_t sys_vmsplice(struct task *t, const uint64_t *a)
{
    struct iovec fixed[16], *v;
    int n = iov_get(t, &v, fixed, ARRAY_LEN(fixed), a[1], a[2], GP_READ);
    if (n < 0) return n;
    int64_t ret = SAFE(t, SYS_vmsplice, (int)a[0], v, n, (unsigned)a[3]);
    iov_put(v, fixed);
    return ret;
}

/* Between processes: remote addresses are guest addresses of a process that is laid out like this one. */
static int64_t process_vm(struct task *t, long nr, const uint64_t *a, unsigned prot)
{
    struct iovec lf[16], *l, rv[64];
    uint64_t base = gmem_base(t->p->mem);
    if (a[4] > ARRAY_LEN(rv)) return -EINVAL;
    for (uint64_t i = 0; i < a[4]; i++) {
        struct g_iovec g;
        int r = lay_get(t, &lay_iovec, &g, a[3] + i * lay_size(t->p, &lay_iovec));
        if (r < 0) return r;
        rv[i] = (struct iovec){ (void *)(uintptr_t)(base + g.base), g.len };
    }
    int n = iov_get(t, &l, lf, ARRAY_LEN(lf), a[1], a[2], prot);
    if (n < 0) return n;
    int64_t ret = SAFE(t, nr, (int)a[0], l, n, rv, a[4], a[5]);
    iov_put(l, lf);
    return ret;
}

int64_t sys_process_vm_readv(struct task *t, const uint64_t *a)
{
    return process_vm(t, SYS_process_vm_readv, a, GP_WRITE);
}

int64_t sys_process_vm_writev(struct task *t, const uint64_t *a)
{
    return -EPERM; /* could change translated code behind the engine's back */
}

int64_t sys_fsconfig(struct task *t, const uint64_t *a)
{
    char key[256];
    void *val = NULL;
    int r = a[2] ? get_str(t, key, sizeof key, a[2]) : 0;
    if (r < 0) return r;
    if (a[3]) {
        int64_t n = (int)a[1] == 2 ? (int64_t)(uint32_t)a[4] : gmem_strlen(t->p->mem, a[3], 4096) + 1; /* 2: a blob */
        if (n <= 0 || (val = user_ptr(t, a[3], (size_t)n, GP_READ)) == BAD_PTR) return -EFAULT;
    }
    return SAFE(t, SYS_fsconfig, (int)a[0], (int)a[1], a[2] ? key : NULL, val, (int)a[4]);
}

/* --- waiting for descriptors ---------------------------------------------------------------------------------------------- */
/* Runs `nr` with the guest's temporary signal mask, if it gave one. */
struct tmp_mask {
    uint64_t set;
    bool used;
};

static int mask_begin(struct task *t, struct tmp_mask *m, uint64_t addr, uint64_t size)
{
    m->used = addr != 0;
    if (!m->used) return 0;
    int r = sigset_get(t, addr, size, &m->set);
    if (r < 0) return r;
    suspend_begin(t, m->set);
    m->set &= ~SIG_HOST_OPEN;
    return 0;
}

static int64_t mask_end(struct task *t, struct tmp_mask *m, int64_t ret)
{
    return m->used ? suspend_end(t, ret) : ret;
}

int64_t sys_ppoll(struct task *t, const uint64_t *a)
{
    struct pollfd fixed[64], *fds = fixed;
    struct timespec ts;
    struct tmp_mask m;
    uint64_t n = (uint32_t)a[1];
    int r;
    if (n > 1 << 20) return -EINVAL;
    if (a[2] && (r = lay_get(t, &lay_timespec, &ts, a[2])) < 0) return r;
    if (n > ARRAY_LEN(fixed)) fds = xalloc(n * sizeof *fds);
    r = lay_get_n(t, &lay_pollfd, fds, a[0], n);
    if (r >= 0) r = mask_begin(t, &m, a[3], a[4]);
    int64_t ret = r;
    if (r >= 0) {
        ret = SAFE(t, SYS_ppoll, fds, n, a[2] ? &ts : NULL, m.used ? &m.set : NULL, 8);
        ret = mask_end(t, &m, ret);
        if (ret >= 0 && (r = lay_put_n(t, &lay_pollfd, a[0], fds, n)) < 0) ret = r;
        if (a[2]) lay_put(t, &lay_timespec, a[2], &ts); /* the kernel leaves the rest of the time there */
    }
    if (fds != fixed) free(fds);
    return ret;
}

enum { FDSET_WORDS = 1024 / 64 * 16 }; /* up to 16384 descriptors */

/* fd_set: an array of longs. */
static int fdset_get(struct task *t, uint64_t *set, uint64_t addr, unsigned nfds)
{
    unsigned w = t->p->word, bits = w * 8;
    memset(set, 0, FDSET_WORDS * sizeof *set);
    for (unsigned i = 0; i * bits < nfds; i++) {
        uint64_t v;
        int r = get_uint(t, addr + i * w, w, &v);
        if (r < 0) return r;
        set[i * bits / 64] |= v << (i * bits % 64);
    }
    return 0;
}

static int fdset_put(struct task *t, const uint64_t *set, uint64_t addr, unsigned nfds)
{
    unsigned w = t->p->word, bits = w * 8;
    for (unsigned i = 0; i * bits < nfds; i++) {
        int r = put_uint(t, addr + i * w, w, set[i * bits / 64] >> (i * bits % 64));
        if (r < 0) return r;
    }
    return 0;
}

int64_t select_call(struct task *t, const uint64_t *a, struct timespec *ts, uint64_t set, uint64_t set_size)
{
    uint64_t sets[3][FDSET_WORDS];
    struct tmp_mask m;
    int r, nfds = (int)a[0];
    if (nfds < 0) return -EINVAL;
    nfds = MIN(nfds, FDSET_WORDS * 64);
    for (unsigned i = 0; i < 3; i++)
        if (a[1 + i] && (r = fdset_get(t, sets[i], a[1 + i], (unsigned)nfds)) < 0) return r;
    if ((r = mask_begin(t, &m, set, set_size)) < 0) return r;
    struct k_sigset_arg arg = { m.used ? &m.set : NULL, 8 };
    int64_t ret = SAFE(t, SYS_pselect6, nfds, a[1] ? sets[0] : NULL, a[2] ? sets[1] : NULL, a[3] ? sets[2] : NULL, ts, &arg);
    ret = mask_end(t, &m, ret);
    for (unsigned i = 0; i < 3 && ret >= 0; i++)
        if (a[1 + i] && (r = fdset_put(t, sets[i], a[1 + i], (unsigned)nfds)) < 0) ret = r;
    return ret;
}

int64_t sys_pselect6(struct task *t, const uint64_t *a)
{
    uint64_t sig[2] = { 0 };
    struct timespec ts;
    int r;
    if (a[4] && (r = lay_get(t, &lay_timespec, &ts, a[4])) < 0) return r;
    if (a[5]) { /* { const sigset_t *, size_t } */
        for (unsigned i = 0; i < 2; i++)
            if ((r = get_uint(t, a[5] + i * t->p->word, t->p->word, &sig[i])) < 0) return r;
    }
    int64_t ret = select_call(t, a, a[4] ? &ts : NULL, sig[0], sig[1]);
    if (a[4]) lay_put(t, &lay_timespec, a[4], &ts);
    return ret;
}

static int64_t epoll_wait_common(struct task *t, const uint64_t *a, bool wait2)
{
    struct epoll_event fixed[64], *ev = fixed;
    struct timespec ts;
    struct tmp_mask m;
    int r, n = (int)a[2];
    if (n <= 0 || n > INT_MAX / 16) return -EINVAL;
    n = MIN(n, 65536);
    if (wait2 && a[3] && (r = lay_get(t, &lay_timespec, &ts, a[3])) < 0) return r;
    if ((r = mask_begin(t, &m, a[4], a[5])) < 0) return r;
    if (n > (int)ARRAY_LEN(fixed)) ev = xalloc((size_t)n * sizeof *ev);
    void *set = m.used ? &m.set : NULL;
    int64_t ret = wait2 ? SAFE(t, SYS_epoll_pwait2, (int)a[0], ev, n, a[3] ? &ts : NULL, set, 8)
                        : SAFE(t, SYS_epoll_pwait, (int)a[0], ev, n, (int)a[3], set, 8);
    ret = mask_end(t, &m, ret);
    if (ret > 0 && (r = lay_put_n(t, &lay_epoll_event, a[1], ev, (size_t)ret)) < 0) ret = r;
    if (ev != fixed) free(ev);
    return ret;
}

int64_t sys_epoll_pwait(struct task *t, const uint64_t *a)
{
    return epoll_wait_common(t, a, false);
}

int64_t sys_epoll_pwait2(struct task *t, const uint64_t *a)
{
    return epoll_wait_common(t, a, true);
}
