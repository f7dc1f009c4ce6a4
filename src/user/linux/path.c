/*
 * path.c: where the guest's paths lead. Absolute paths are looked up under the -L directory first, symbolic links resolved
 * within it (openat2 RESOLVE_IN_ROOT), then on the host.
 */
#include "user/linux/user.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

/* /proc, /dev, /sys: never the prefix's. */
static bool kernel_tree(const char *path)
{
    static const char *const trees[] = { "/proc", "/dev", "/sys" };
    for (unsigned i = 0; i < ARRAY_LEN(trees); i++) {
        size_t n = strlen(trees[i]);
        if (!strncmp(path, trees[i], n) && (path[n] == '/' || !path[n])) return true;
    }
    return false;
}

void path_lookup(struct proc *p, char *buf, unsigned flags)
{
    if (p->prefix_fd < 0 || buf[0] != '/' || !buf[1] || (flags & PATH_HOST)) return;
    if (kernel_tree(buf)) return;
    struct open_how how = { .flags = O_PATH | O_CLOEXEC | (flags & PATH_NOFOLLOW ? O_NOFOLLOW : 0), .resolve = RESOLVE_IN_ROOT };
    /* a path that leads into the prefix from outside has its links resolved within, too */
    size_t n_prefix = strlen(p->prefix);
    char *rel = buf + 1;
    if (n_prefix && !strncmp(buf, p->prefix, n_prefix) && buf[n_prefix] == '/') rel = buf + n_prefix + 1;
    while (*rel == '/') rel++;
    long fd = RAW(SYS_openat2, p->prefix_fd, rel, &how, sizeof how);
    char name[PATH_MAX], link[64];
    if (fd == -ENOSYS || fd == -EPERM) { /* no openat2: links in the prefix lead where they say */
        long ok = RAW(SYS_faccessat, p->prefix_fd, rel, F_OK);
        if (ok < 0) return;
        snprintf(link, sizeof link, "/proc/self/fd/%d", p->prefix_fd);
        ssize_t n = readlink(link, name, sizeof name - 1);
        size_t len = strlen(rel);
        if (n <= 0 || (size_t)n + 1 + len >= PATH_MAX) return;
        memmove(buf + n + 1, rel, len + 1);
        memcpy(buf, name, (size_t)n);
        buf[n] = '/';
        return;
    }
    if (fd < 0) return;
    size_t len = strlen(buf);
    bool slash = buf[len - 1] == '/';
    snprintf(link, sizeof link, "/proc/self/fd/%ld", fd);
    ssize_t n = readlink(link, name, sizeof name - 2);
    close((int)fd);
    if (n <= 0 || name[0] != '/') return;
    if (slash && name[n - 1] != '/') name[n++] = '/';
    memcpy(buf, name, (size_t)n);
    buf[n] = 0;
}

int path_get(struct task *t, char *buf, uint64_t addr, unsigned flags)
{
    int n = get_str(t, buf, PATH_MAX, addr);
    if (n < 0) return n;
    if (buf[0] == '/') {
        if (!(flags & PATH_NOFOLLOW) && procfs_exe(t, AT_FDCWD, buf, buf, PATH_MAX)) return 0;
        path_lookup(t->p, buf, flags);
    }
    return 0;
}
