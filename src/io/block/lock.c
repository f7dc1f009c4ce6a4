/*
 * lock.c: who else uses an image. Open-file-description locks on single bytes, as QEMU's programs take them (observed: `strace
 * qemu-img`): a shared lock on byte 100+p says "I do p", on 200+p "nobody else may do p". p: 0 reads consistent data, 1 writes,
 * 3 resizes. After taking them the opposite bytes are tested, so that of two that come at once at least one gives up.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "io/block/int.h"

enum { PERM_READ = 1 << 0, PERM_WRITE = 1 << 1, PERM_RESIZE = 1 << 3, PERMS = 5, DOES = 100, DENIES = 200 };

static int lock_byte(int fd, int cmd, int type, off_t at)
{
    struct flock l = { .l_type = (short)type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
    int r;
    while ((r = fcntl(fd, cmd, &l)) < 0 && errno == EINTR) {}
    if (r < 0) return -errno;
    return cmd == F_OFD_GETLK && l.l_type != F_UNLCK ? -EAGAIN : 0;
}

/* Of "lock: 1: OFDLCK ADVISORY READ -1 fe:00:10969433 100 101": whether it is that file and byte. */
static bool lock_line(const char *line, const struct stat *st, long at)
{
    unsigned maj, min;
    unsigned long long ino;
    long from, to;
    char end[32];
    if (sscanf(line, "lock: %*u: OFDLCK %*s %*s %*s %x:%x:%llu %ld %31s", &maj, &min, &ino, &from, end) != 5) return false;
    to = strcmp(end, "EOF") ? atol(end) : at;
    return ino == st->st_ino && makedev(maj, min) == st->st_dev && from <= at && at <= to;
}

static bool fdinfo_has(const char *path, const struct stat *st, long at)
{
    char line[256];
    FILE *f = fopen(path, "re");
    bool found = false;
    while (f && !found && fgets(line, sizeof line, f)) found = lock_line(line, st, at);
    if (f) fclose(f);
    return found;
}

/* The process that holds a lock on the byte: such locks have no pid, but /proc/PID/fdinfo tells. 0: cannot be seen. */
static int holder(int fd, long at, char *comm, size_t size)
{
    struct stat st;
    struct dirent *p, *d;
    int pid = 0;
    DIR *proc = fstat(fd, &st) ? NULL : opendir("/proc");
    while (proc && !pid && (p = readdir(proc))) {
        char path[600];
        if (p->d_name[0] < '1' || p->d_name[0] > '9') continue;
        snprintf(path, sizeof path, "/proc/%s/fdinfo", p->d_name);
        DIR *fds = opendir(path);
        while (fds && !pid && (d = readdir(fds))) {
            if (d->d_name[0] == '.') continue;
            snprintf(path, sizeof path, "/proc/%.20s/fdinfo/%.200s", p->d_name, d->d_name);
            if ((atoi(p->d_name) != getpid() || atoi(d->d_name) != fd) && fdinfo_has(path, &st, at)) pid = atoi(p->d_name);
        }
        if (fds) closedir(fds);
    }
    if (proc) closedir(proc);
    snprintf(comm, size, "?");
    if (pid) {
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/comm", pid);
        FILE *f = fopen(path, "re");
        if (f && fgets(comm, (int)size, f)) comm[strcspn(comm, "\n")] = 0;
        if (f) fclose(f);
    }
    return pid;
}

static int conflict(int fd, const char *name, long at, struct err *e)
{
    char comm[64], who[128] = "another process";
    int pid = holder(fd, at, comm, sizeof comm);
    bool shared = at < DENIES; /* somebody does it, and we cannot share that */
    const char *what = at % 100 == 1 ? "write" : at % 100 == 3 ? "resize" : "consistent read";
    if (pid) snprintf(who, sizeof who, "process %d (%s)", pid, comm);
    return err_set(e, EAGAIN, "Failed to get %s\"%s\" lock: '%s' is in use by %s: end that, or open it read-only and shared "
                   "(-U, force-share=on) if it may change under you", shared ? "shared " : "", what, name, who);
}

int blk_lock_file(int fd, const char *name, unsigned flags, struct err *e)
{
    unsigned does = PERM_READ, denies = PERM_WRITE | PERM_RESIZE;
    bool rw = flags & BLK_RDWR;
    if (rw) does |= PERM_WRITE | PERM_RESIZE;
    if (flags & BLK_NO_LOCK) {
        denies = 0;
        if (!rw) does = 0;
    }
    for (int p = 0; p < PERMS; p++) {
        int r = 0, at = DOES + p;
        if (does & (1u << p)) r = lock_byte(fd, F_OFD_SETLK, F_RDLCK, at);
        if (!r && (denies & (1u << p))) r = lock_byte(fd, F_OFD_SETLK, F_RDLCK, at = DENIES + p);
        if (r == -EAGAIN || r == -EACCES) return conflict(fd, name, at, e);
        if (r) return 0; /* a file system without locks */
    }
    for (int p = 0; p < PERMS; p++) {
        if ((does & (1u << p)) && lock_byte(fd, F_OFD_GETLK, F_WRLCK, DENIES + p) == -EAGAIN) return conflict(fd, name, DENIES + p, e);
        if ((denies & (1u << p)) && lock_byte(fd, F_OFD_GETLK, F_WRLCK, DOES + p) == -EAGAIN) return conflict(fd, name, DOES + p, e);
    }
    return 0;
}
