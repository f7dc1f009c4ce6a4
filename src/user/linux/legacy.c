/*
 * legacy.c: system calls of older ABIs (legacy.def), most of them in terms of the newer ones.
 * Known gaps: readdir, ustat, sysfs, vm86 and what Linux removed.
 */
#include "user/linux/user.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include "user/linux/kernel.h"

#define AT ((uint64_t)AT_FDCWD)

/* A call is another one with these arguments. */
#define VIA(name, target, ...)                                     \
    int64_t sys_##name(struct task *t, const uint64_t *a)          \
    {                                                              \
        return sys_call(t, NR_##target, (const uint64_t[6]){ __VA_ARGS__ }); \
    }
VIA(open, openat, AT, a[0], a[1], a[2])
VIA(access, faccessat, AT, a[0], a[1])
VIA(rename, renameat2, AT, a[0], AT, a[1], 0)
VIA(mkdir, mkdirat, AT, a[0], a[1])
VIA(rmdir, unlinkat, AT, a[0], AT_REMOVEDIR)
VIA(link, linkat, AT, a[0], AT, a[1], 0)
VIA(unlink, unlinkat, AT, a[0], 0)
VIA(symlink, symlinkat, a[0], AT, a[1])
VIA(readlink, readlinkat, AT, a[0], a[1], a[2])
VIA(chmod, fchmodat, AT, a[0], a[1])
VIA(chown, fchownat, AT, a[0], a[1], a[2], 0)
VIA(lchown, fchownat, AT, a[0], a[1], a[2], AT_SYMLINK_NOFOLLOW)
VIA(mknod, mknodat, AT, a[0], a[1], a[2])
VIA(inotify_init, inotify_init1, 0)
VIA(eventfd, eventfd2, a[0], 0)
VIA(signalfd, signalfd4, a[0], a[1], a[2], 0)
VIA(pipe, pipe2, a[0], 0)
VIA(fork, clone, SIGCHLD)
VIA(vfork, clone, CLONE_VM | CLONE_VFORK | SIGCHLD)
VIA(epoll_wait, epoll_pwait, a[0], a[1], a[2], a[3], 0, 8)
VIA(stat, newfstatat, AT, a[0], a[1], 0)
VIA(lstat, newfstatat, AT, a[0], a[1], AT_SYMLINK_NOFOLLOW)
VIA(clone_x86_64, clone, a[0], a[1], a[2], a[4], a[3])
VIA(waitpid, wait4, a[0], a[1], a[2], 0)

int64_t sys_creat(struct task *t, const uint64_t *a)
{
    uint32_t flags = flags_to_guest(t->p, &fl_open, O_CREAT | O_WRONLY | O_TRUNC);
    return sys_openat(t, (const uint64_t[6]){ AT, a[0], flags, a[1] });
}

int64_t sys_dup2(struct task *t, const uint64_t *a)
{
    if (fd_internal(t->p, (int)a[1]) || fd_internal(t->p, (int)a[0])) return -EBADF;
    return RAW(SYS_dup2, (int)a[0], (int)a[1]);
}

int64_t sys_epoll_create(struct task *t, const uint64_t *a)
{
    return (int)a[0] <= 0 ? -EINVAL : RAW(SYS_epoll_create1, 0);
}

/* --- waiting ------------------------------------------------------------------------------------------------------------ */
int64_t sys_poll(struct task *t, const uint64_t *a)
{
    struct pollfd fixed[64], *fds = fixed;
    uint64_t n = (uint32_t)a[1];
    if (n > 1 << 20) return -EINVAL;
    if (n > ARRAY_LEN(fixed)) fds = xalloc(n * sizeof *fds);
    int64_t ret = lay_get_n(t, &lay_pollfd, fds, a[0], n);
    if (ret >= 0) ret = SAFE(t, SYS_poll, fds, n, (int)a[2]);
    int r = ret < 0 ? 0 : lay_put_n(t, &lay_pollfd, a[0], fds, n);
    if (fds != fixed) free(fds);
    return r < 0 ? r : ret;
}

int64_t sys_select(struct task *t, const uint64_t *a)
{
    struct timeval tv;
    struct timespec ts;
    int r;
    if (!a[4]) return select_call(t, a, NULL, 0, 0);
    if ((r = lay_get(t, &lay_timeval, &tv, a[4])) < 0) return r;
    if (tv.tv_sec < 0 || tv.tv_usec < 0) return -EINVAL;
    ts = (struct timespec){ tv.tv_sec + tv.tv_usec / 1000000, tv.tv_usec % 1000000 * 1000 };
    int64_t ret = select_call(t, a, &ts, 0, 0);
    tv = (struct timeval){ ts.tv_sec, ts.tv_nsec / 1000 };
    lay_put(t, &lay_timeval, a[4], &tv);
    return ret;
}

int64_t sys_old_select(struct task *t, const uint64_t *a)
{
    uint64_t b[6] = { 0 };
    for (unsigned i = 0; i < 5; i++) {
        int r = get_uint(t, a[0] + i * t->p->word, t->p->word, &b[i]);
        if (r < 0) return r;
    }
    return sys_select(t, b);
}

/* --- files ---------------------------------------------------------------------------------------------------------------- */
/* struct linux_dirent: long ino, long off, u16 reclen, name, and the type in the last byte. Converted in place: it is shorter. */
int64_t sys_getdents(struct task *t, const uint64_t *a)
{
    struct k_dirent d;
    unsigned w = t->p->word, head = 2 * w + 2;
    uint8_t *buf = user_ptr(t, a[1], (uint32_t)a[2], GP_WRITE);
    if (!buf || buf == BAD_PTR) return -EFAULT;
    int64_t n = SAFE(t, SYS_getdents64, (int)a[0], buf, (uint32_t)a[2]), to = 0;
    for (int64_t at = 0; at < n; at += d.d_reclen) {
        memcpy(&d, buf + at, 19);
        size_t name = strlen((char *)buf + at + 19), len = ALIGN_UP(head + name + 2, (size_t)w);
        if (len > d.d_reclen) return -EINVAL; /* 24 bytes and the name become 18 or 10 and the name: never */
        memmove(buf + to + head, buf + at + 19, name + 1);
        memset(buf + to + head + name + 1, 0, len - head - name - 1);
        put_raw(t->p, buf + to, w, d.d_ino);
        put_raw(t->p, buf + to + w, w, (uint64_t)d.d_off);
        put_raw(t->p, buf + to + 2 * w, 2, len);
        buf[to + (int64_t)len - 1] = d.d_type;
        to += (int64_t)len;
    }
    return n < 0 ? n : to;
}

/* Times of a file, as utimensat takes them; NULL = now. */
static int64_t set_times(struct task *t, int dirfd, uint64_t path_at, const struct timespec ts[2])
{
    char path[PATH_MAX];
    int r = path_get(t, path, path_at, PATH_HOST);
    return r < 0 ? r : SAFE(t, SYS_utimensat, dirfd, path, ts, 0);
}

int64_t sys_utime(struct task *t, const uint64_t *a)
{
    uint64_t sec[2];
    unsigned w = t->p->word;
    int r;
    if (!a[1]) return set_times(t, AT_FDCWD, a[0], NULL);
    for (unsigned i = 0; i < 2; i++) {
        if ((r = get_uint(t, a[1] + i * w, w, &sec[i])) < 0) return r;
        sec[i] = (uint64_t)bits_sext(sec[i], w * 8);
    }
    return set_times(t, AT_FDCWD, a[0], (struct timespec[]){ { (time_t)sec[0], 0 }, { (time_t)sec[1], 0 } });
}

int64_t sys_futimesat(struct task *t, const uint64_t *a)
{
    struct timeval tv[2];
    int r;
    if (!a[2]) return set_times(t, (int)a[0], a[1], NULL);
    if ((r = lay_get_n(t, &lay_timeval, tv, a[2], 2)) < 0) return r;
    for (unsigned i = 0; i < 2; i++)
        if (tv[i].tv_usec < 0 || tv[i].tv_usec >= 1000000) return -EINVAL;
    return set_times(t, (int)a[0], a[1], (struct timespec[]){ { tv[0].tv_sec, tv[0].tv_usec * 1000 }, { tv[1].tv_sec, tv[1].tv_usec * 1000 } });
}

int64_t sys_utimes(struct task *t, const uint64_t *a)
{
    return sys_futimesat(t, (const uint64_t[6]){ AT, a[0], a[1] });
}

int64_t sys_time(struct task *t, const uint64_t *a)
{
    time_t now = time(NULL);
    int r = a[0] ? put_uint(t, a[0], t->p->word, (uint64_t)now) : 0;
    return r < 0 ? r : now;
}

int64_t sys_stime(struct task *t, const uint64_t *a)
{
    uint64_t sec;
    int r = get_uint(t, a[0], t->p->word, &sec);
    struct timespec ts = { (time_t)bits_sext(sec, t->p->word * 8), 0 };
    return r < 0 ? r : RAW(SYS_clock_settime, CLOCK_REALTIME, &ts);
}

int64_t sys_nice(struct task *t, const uint64_t *a)
{
    errno = 0;
    int r = nice((int)a[0]);
    return r == -1 && errno ? -errno : 0;
}

int64_t sys_oldumount(struct task *t, const uint64_t *a)
{
    return sys_call(t, NR_umount2, (const uint64_t[6]){ a[0], 0 });
}

/* --- i386: struct stat64 and struct stat ------------------------------------------------------------------------------- */
static int64_t stat_as(struct task *t, const struct layout *l, int dirfd, uint64_t path, uint64_t out, int flags)
{
    struct stat st;
    int64_t r = stat_path(t, dirfd, path, flags, &st);
    if (r >= 0 && l == &lay_stat32 && (st.st_size >> 31 || st.st_ino >> 32)) return -EOVERFLOW;
    return r < 0 ? r : lay_put(t, l, out, &st);
}
static int64_t fstat_as(struct task *t, const struct layout *l, int fd, uint64_t out)
{
    struct stat st;
    int64_t r = SAFE(t, SYS_fstat, fd, &st);
    return r < 0 ? r : lay_put(t, l, out, &st);
}
#define STAT(name, layout, dirfd, path, out, flags)                \
    int64_t sys_##name(struct task *t, const uint64_t *a)          \
    {                                                              \
        return stat_as(t, &layout, (int)(dirfd), path, out, (int)(flags)); \
    }
STAT(stat64, lay_stat64, AT_FDCWD, a[0], a[1], 0)
STAT(lstat64, lay_stat64, AT_FDCWD, a[0], a[1], AT_SYMLINK_NOFOLLOW)
STAT(fstatat64, lay_stat64, a[0], a[1], a[2], a[3])
STAT(stat32, lay_stat32, AT_FDCWD, a[0], a[1], 0)
STAT(lstat32, lay_stat32, AT_FDCWD, a[0], a[1], AT_SYMLINK_NOFOLLOW)
int64_t sys_fstat64(struct task *t, const uint64_t *a)
{
    return fstat_as(t, &lay_stat64, (int)a[0], a[1]);
}
int64_t sys_fstat32(struct task *t, const uint64_t *a)
{
    return fstat_as(t, &lay_stat32, (int)a[0], a[1]);
}

int64_t sys_lseek32(struct task *t, const uint64_t *a)
{
    int64_t off = RAW(SYS_lseek, (int)a[0], (int32_t)a[1], (int)a[2]);
    return off > INT32_MAX ? -EOVERFLOW : off;
}
int64_t sys_truncate32(struct task *t, const uint64_t *a)
{
    char path[PATH_MAX];
    int r = path_get(t, path, a[0], PATH_HOST);
    return r < 0 ? r : SAFE(t, SYS_truncate, path, (int32_t)a[1]);
}
int64_t sys_ftruncate32(struct task *t, const uint64_t *a)
{
    return SAFE(t, SYS_ftruncate, (int)a[0], (int32_t)a[1]);
}
int64_t sys_fadvise64_32(struct task *t, const uint64_t *a)
{
    return SAFE(t, SYS_fadvise64, (int)a[0], (uint32_t)a[1] | a[2] << 32, (uint32_t)a[3], (int)a[4]);
}
int64_t sys_sendfile32(struct task *t, const uint64_t *a)
{
    uint64_t v = 0;
    int r = a[2] ? get_uint(t, a[2], 4, &v) : 0;
    int64_t off = (int32_t)v;
    if (r < 0) return r;
    int64_t ret = SAFE(t, SYS_sendfile, (int)a[0], (int)a[1], a[2] ? &off : NULL, a[3]);
    r = ret >= 0 && a[2] ? put_uint(t, a[2], 4, (uint64_t)off) : 0;
    return r < 0 ? r : ret;
}

/* F_GETLK and its like take a struct flock of 32-bit offsets. */
int64_t sys_fcntl32(struct task *t, const uint64_t *a)
{
    struct flock fl;
    int cmd = (int)a[1], r;
    if (cmd != F_GETLK && cmd != F_SETLK && cmd != F_SETLKW) return sys_fcntl(t, a);
    if ((r = lay_get(t, &lay_flock32, &fl, a[2])) < 0) return r;
    int64_t ret = SAFE(t, SYS_fcntl, (int)a[0], cmd, &fl);
    return ret < 0 || cmd != F_GETLK ? ret : lay_put(t, &lay_flock32, a[2], &fl);
}

int64_t sys_statfs32(struct task *t, const uint64_t *a)
{
    struct statfs st;
    char path[PATH_MAX];
    int r = path_get(t, path, a[0], 0);
    if (r < 0) return r;
    int64_t ret = SAFE(t, SYS_statfs, path, &st);
    return ret < 0 ? ret : lay_put(t, &lay_statfs32, a[1], &st);
}
int64_t sys_fstatfs32(struct task *t, const uint64_t *a)
{
    struct statfs st;
    int64_t ret = SAFE(t, SYS_fstatfs, (int)a[0], &st);
    return ret < 0 ? ret : lay_put(t, &lay_statfs32, a[1], &st);
}

/* --- calls that pack others --------------------------------------------------------------------------------------------- */
static int get_words(struct task *t, uint64_t *b, uint64_t addr, unsigned n)
{
    int r = 0;
    for (unsigned i = 0; i < n && r >= 0; i++) r = get_uint(t, addr + i * t->p->word, t->p->word, &b[i]);
    return r;
}

/* The offset is in bytes; sys_mmap of 32-bit ABIs wants pages. */
int64_t sys_old_mmap(struct task *t, const uint64_t *a)
{
    uint64_t b[6];
    int r = get_words(t, b, a[0], 6);
    if (r < 0) return r;
    if (b[5] & 4095) return -EINVAL;
    b[5] >>= 12;
    return sys_mmap(t, b);
}

int64_t sys_socketcall(struct task *t, const uint64_t *a)
{
    static const struct { uint16_t nr; uint8_t args; } call[] = {
        { NR_socket, 3 }, { NR_bind, 3 }, { NR_connect, 3 }, { NR_listen, 2 }, { NR_accept, 3 }, { NR_getsockname, 3 },
        { NR_getpeername, 3 }, { NR_socketpair, 4 }, { NR_sendto, 4 }, { NR_recvfrom, 4 }, { NR_sendto, 6 }, { NR_recvfrom, 6 },
        { NR_shutdown, 2 }, { NR_setsockopt, 5 }, { NR_getsockopt, 5 }, { NR_sendmsg, 3 }, { NR_recvmsg, 3 }, { NR_accept4, 4 },
        { NR_recvmmsg, 5 }, { NR_sendmmsg, 4 },
    };
    uint64_t b[6] = { 0 };
    unsigned n = (unsigned)a[0] - 1;
    if (n >= ARRAY_LEN(call)) return -EINVAL;
    int r = get_words(t, b, a[1], call[n].args);
    return r < 0 ? r : sys_call(t, call[n].nr, b);
}

/* first, second, third, ptr, fifth are a[1] to a[5]. The old form of msgrcv (version 0) has a struct of two in ptr. */
int64_t sys_ipc(struct task *t, const uint64_t *a)
{
    uint64_t b[6] = { a[1], a[2], a[3], a[4], a[5], 0 }, pair[2];
    int64_t r;

    switch (a[0] & 0xffff) {
    case 1: return sys_call(t, NR_semop, (const uint64_t[6]){ a[1], a[4], a[2] });
    case 2: return sys_call(t, NR_semget, b);
    case 3:
        if ((r = get_words(t, pair, a[4], 1)) < 0) return r;
        return sys_call(t, NR_semctl, (const uint64_t[6]){ a[1], a[2], a[3], pair[0] });
    case 4: return sys_call(t, NR_semtimedop, (const uint64_t[6]){ a[1], a[4], a[2], a[5] });
    case 11: return sys_call(t, NR_msgsnd, (const uint64_t[6]){ a[1], a[4], a[2], a[3] });
    case 12:
        if (a[0] >> 16) return sys_call(t, NR_msgrcv, (const uint64_t[6]){ a[1], a[4], a[2], a[5], a[3] });
        if ((r = get_words(t, pair, a[4], 2)) < 0) return r;
        return sys_call(t, NR_msgrcv, (const uint64_t[6]){ a[1], pair[0], a[2], pair[1], a[3] });
    case 13: return sys_call(t, NR_msgget, b);
    case 14: return sys_call(t, NR_msgctl, (const uint64_t[6]){ a[1], a[2], a[4] });
    case 21:
        r = sys_call(t, NR_shmat, (const uint64_t[6]){ a[1], a[4], a[2] });
        return r < 0 && r > -4096 ? r : put_uint(t, a[3], t->p->word, (uint64_t)r);
    case 22: return sys_call(t, NR_shmdt, (const uint64_t[6]){ a[4] });
    case 23: return sys_call(t, NR_shmget, b);
    case 24: return sys_call(t, NR_shmctl, (const uint64_t[6]){ a[1], a[2], a[4] });
    }
    return -ENOSYS;
}

/* --- user and group numbers of 16 bits ------------------------------------------------------------------------------------ */
static uint64_t wide_id(uint64_t id)
{
    return (uint16_t)id == 0xffff ? (uint32_t)-1 : (uint16_t)id;
}
static uint32_t narrow_id(uint32_t id)
{
    return id >> 16 ? 65534 : id; /* overflowuid */
}
#define GET16(name, expr)                                 \
    int64_t sys_##name(struct task *t, const uint64_t *a) \
    {                                                     \
        return narrow_id(expr);                           \
    }
GET16(getuid16, getuid())
GET16(getgid16, getgid())
GET16(geteuid16, geteuid())
GET16(getegid16, getegid())
VIA(setuid16, setuid, wide_id(a[0]))
VIA(setgid16, setgid, wide_id(a[0]))
VIA(setreuid16, setreuid, wide_id(a[0]), wide_id(a[1]))
VIA(setregid16, setregid, wide_id(a[0]), wide_id(a[1]))
VIA(setresuid16, setresuid, wide_id(a[0]), wide_id(a[1]), wide_id(a[2]))
VIA(setresgid16, setresgid, wide_id(a[0]), wide_id(a[1]), wide_id(a[2]))
VIA(setfsuid16, setfsuid, wide_id(a[0]))
VIA(setfsgid16, setfsgid, wide_id(a[0]))
VIA(chown16, fchownat, AT, a[0], wide_id(a[1]), wide_id(a[2]), 0)
VIA(lchown16, fchownat, AT, a[0], wide_id(a[1]), wide_id(a[2]), AT_SYMLINK_NOFOLLOW)
VIA(fchown16, fchown, a[0], wide_id(a[1]), wide_id(a[2]))

static int64_t put_ids16(struct task *t, const uint64_t *a, long nr)
{
    uint32_t id[3];
    int64_t r = RAW(nr, &id[0], &id[1], &id[2]);
    for (unsigned i = 0; i < 3 && r >= 0; i++) r = put_uint(t, a[i], 2, narrow_id(id[i]));
    return r;
}
int64_t sys_getresuid16(struct task *t, const uint64_t *a)
{
    return put_ids16(t, a, SYS_getresuid);
}
int64_t sys_getresgid16(struct task *t, const uint64_t *a)
{
    return put_ids16(t, a, SYS_getresgid);
}

enum { GROUPS_MAX = 65536 };
int64_t sys_getgroups16(struct task *t, const uint64_t *a)
{
    int n = (int)a[0], r = 0;
    if (n < 0 || n > GROUPS_MAX) return -EINVAL;
    gid_t *g = xalloc(((size_t)n + 1) * sizeof *g);
    int64_t got = RAW(SYS_getgroups, n, g);
    for (int i = 0; n && i < got && r >= 0; i++) r = put_uint(t, a[1] + 2u * (unsigned)i, 2, narrow_id(g[i]));
    free(g);
    return r < 0 ? r : got;
}
int64_t sys_setgroups16(struct task *t, const uint64_t *a)
{
    int n = (int)a[0], r = 0;
    if (n < 0 || n > GROUPS_MAX) return -EINVAL;
    gid_t *g = xalloc(((size_t)n + 1) * sizeof *g);
    for (int i = 0; i < n && r >= 0; i++) {
        uint64_t id;
        r = get_uint(t, a[1] + 2u * (unsigned)i, 2, &id);
        if (r >= 0) g[i] = (gid_t)wide_id(id);
    }
    int64_t ret = r < 0 ? r : RAW(SYS_setgroups, n, g);
    free(g);
    return ret;
}
