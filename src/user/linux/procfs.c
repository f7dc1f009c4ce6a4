/*
 * procfs.c: the files of /proc that tell a program about itself. The host's would show the emulator: they are written
 * here from what the guest has, into a memory file. Known under /proc/self, /proc/thread-self and the process's own number.
 */
#include "user/linux/user.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* --- text being collected -------------------------------------------------------------------------------------------- */
struct text {
    char *s;
    uint32_t len, cap;
};

static void add(struct text *x, const void *s, size_t n)
{
    x->s = vec_grow(x->s, &x->cap, x->len + (uint32_t)n, 1);
    memcpy(x->s + x->len, s, n);
    x->len += (uint32_t)n;
}

static void PRINTF(2, 3) addf(struct text *x, const char *fmt, ...)
{
    char buf[PATH_MAX + 256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(buf, sizeof buf, fmt, ap);
    va_end(ap);
    if (n > 0) add(x, buf, MIN((size_t)n, sizeof buf - 1));
}

/* --- maps ------------------------------------------------------------------------------------------------------------ */
struct host_map {
    uint64_t lo, hi, off, ino;
    unsigned maj, min;
    char name[PATH_MAX];
};

struct maps_walk {
    struct text *x;
    struct proc *p;
    FILE *f;
    struct host_map cur; /* the host line that comes next */
    bool have, smaps;
};

static bool next_host_map(struct maps_walk *w)
{
    char line[PATH_MAX + 128];
    while (fgets(line, sizeof line, w->f)) {
        struct host_map *m = &w->cur;
        unsigned long long lo, hi, off, ino;
        int at = 0;
        if (sscanf(line, "%llx-%llx %*s %llx %x:%x %llu %n", &lo, &hi, &off, &m->maj, &m->min, &ino, &at) < 6) continue;
        *m = (struct host_map){ .lo = lo, .hi = hi, .off = off, .ino = ino, .maj = m->maj, .min = m->min };
        size_t n = at ? strcspn(line + at, "\n") : 0;
        memcpy(m->name, line + at, MIN(n, sizeof m->name - 1));
        return w->have = true;
    }
    return w->have = false;
}

static const char *region_name(const struct proc *p, uint64_t lo, uint64_t hi)
{
    if (lo < p->stack_hi && hi > p->stack_lo) return "[stack]";
    if (lo < p->vdso_end && hi > p->vdso) return "[vdso]";
    if (lo < p->brk_mapped && hi > p->brk_start) return "[heap]";
    return "";
}

static void map_line(struct maps_walk *w, uint64_t lo, uint64_t hi, unsigned flags, const struct host_map *m, uint64_t off)
{
    const char *name = m && m->ino ? m->name : region_name(w->p, lo, hi);
    char head[128];
    snprintf(head, sizeof head, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu ", (unsigned long long)lo, (unsigned long long)hi,
             flags & GP_READ ? 'r' : '-', flags & GP_WRITE ? 'w' : '-', flags & GP_EXEC ? 'x' : '-', flags & GP_SHARED ? 's' : 'p',
             (unsigned long long)off, m && m->ino ? m->maj : 0, m && m->ino ? m->min : 0, m ? (unsigned long long)m->ino : 0ull);
    addf(w->x, *name ? "%-72s %s\n" : "%s%s\n", head, name);
    if (w->smaps)
        addf(w->x, "Size: %18llu kB\nRss: %19d kB\nPss: %19d kB\n", (unsigned long long)(hi - lo) / 1024, 0, 0);
}

/* One range of the guest's map, cut where the host's files change. */
static int map_range(void *ctx, uint64_t start, uint64_t end, unsigned flags)
{
    struct maps_walk *w = ctx;
    uint64_t base = gmem_base(w->p->mem);
    while (start < end) {
        while (w->have && w->cur.hi <= base + start) next_host_map(w);
        const struct host_map *m = w->have && w->cur.lo <= base + start ? &w->cur : NULL;
        uint64_t stop = m ? MIN(end, m->hi - base) : w->have && w->cur.lo < base + end ? w->cur.lo - base : end;
        uint64_t off = m && m->ino ? m->off + (base + start - m->lo) : 0;
        /* adjoining pieces that are no file's are one to the guest */
        map_line(w, start, stop, flags, m, off);
        start = stop;
    }
    return 0;
}

static void write_maps(struct task *t, struct text *x, bool smaps)
{
    struct maps_walk w = { .x = x, .p = t->p, .f = fopen("/proc/self/maps", "re"), .smaps = smaps };
    if (!w.f) return;
    next_host_map(&w);
    gmem_walk(t->p->mem, map_range, &w);
    fclose(w.f);
}

static void proc_maps(struct task *t, struct text *x)
{
    write_maps(t, x, false);
}

static void proc_smaps(struct task *t, struct text *x)
{
    write_maps(t, x, true);
}

/* --- other files --------------------------------------------------------------------------------------------------------- */
static void proc_auxv(struct task *t, struct text *x)
{
    for (unsigned i = 0; i < t->p->nauxv; i++) {
        uint8_t b[8];
        put_raw(t->p, b, t->p->word, t->p->auxv[i]);
        add(x, b, t->p->word);
    }
}

static void copy_guest(struct task *t, struct text *x, uint64_t lo, uint64_t hi)
{
    char buf[4096];
    while (lo < hi) {
        size_t n = MIN(hi - lo, sizeof buf);
        if (get_bytes(t, buf, lo, n) < 0) return;
        add(x, buf, n);
        lo += n;
    }
}

static void proc_cmdline(struct task *t, struct text *x)
{
    copy_guest(t, x, t->p->arg_start, t->p->arg_end);
}

static void proc_environ(struct task *t, struct text *x)
{
    copy_guest(t, x, t->p->env_start, t->p->env_end);
}

/* The host's line with the fields that are the guest's: name, stack, code. Fields as in proc(5), counted from 1. */
static void proc_stat(struct task *t, struct text *x)
{
    char line[4096], *rest;
    FILE *f = fopen("/proc/self/stat", "re");
    if (!f) return;
    size_t n = fread(line, 1, sizeof line - 1, f);
    fclose(f);
    line[n] = 0;
    rest = strrchr(line, ')');
    if (!rest) return;
    add(x, line, (size_t)(rest + 1 - line));
    unsigned field = 2;
    char *save;
    for (char *w = strtok_r(rest + 1, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
        uint64_t v;
        switch (++field) {
        case 26: v = t->p->image.lo; break;
        case 27: v = t->p->image.hi; break;
        case 28: v = t->p->stack_hi - 16; break;
        case 29: case 30: v = 0; break;
        case 45: v = t->p->image.lo; break;
        case 46: v = t->p->image.hi; break;
        case 47: v = t->p->brk_start; break;
        case 48: v = t->p->arg_start; break;
        case 49: v = t->p->arg_end; break;
        case 50: v = t->p->env_start; break;
        case 51: v = t->p->env_end; break;
        default: addf(x, " %s", w); continue;
        }
        addf(x, " %llu", (unsigned long long)v);
    }
    add(x, "\n", 1);
}

static void proc_cpuinfo(struct task *t, struct text *x)
{
    char buf[8192];
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    if (!t->p->lnx->cpuinfo) return;
    for (long i = 0; i < n; i++) add(x, buf, t->p->lnx->cpuinfo(t->cpu, (unsigned)i, buf, sizeof buf));
}

static const struct proc_file {
    const char *name;
    void (*fill)(struct task *t, struct text *x);
    bool global; /* directly under /proc */
} files[] = {
    { "maps", proc_maps, false }, { "smaps", proc_smaps, false }, { "auxv", proc_auxv, false }, { "cmdline", proc_cmdline, false },
    { "environ", proc_environ, false }, { "stat", proc_stat, false }, { "cpuinfo", proc_cpuinfo, true },
};

/* Most paths end in no name of ours: the cheap test before all others. */
static bool may_be_ours(const char *path)
{
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    if (!strcmp(base, "exe")) return true;
    for (unsigned i = 0; i < ARRAY_LEN(files); i++)
        if (!strcmp(base, files[i].name)) return true;
    return false;
}

/* What follows /proc/self/ (or its synonyms) in path; NULL if it is something else. */
static const char *own_proc(const char *path)
{
    if (strncmp(path, "/proc/", 6)) return NULL;
    path += 6;
    if (!strncmp(path, "self/", 5)) {
        path += 5;
    } else if (!strncmp(path, "thread-self/", 12)) {
        return path + 12;
    } else {
        char *end;
        long pid = strtol(path, &end, 10);
        if (end == path || *end != '/' || pid != RAW(SYS_getpid)) return NULL;
        path = end + 1;
    }
    if (!strncmp(path, "task/", 5)) { /* task/TID/... of any thread tells the same */
        char *end;
        strtol(path + 5, &end, 10);
        if (*end == '/') return end + 1;
    }
    return path;
}

/* "name" relative to an open /proc directory becomes a path. */
static const char *absolute(int dirfd, const char *path, char *buf, size_t size)
{
    char link[64];
    if (path[0] == '/') return path;
    if (dirfd == AT_FDCWD) {
        if (!getcwd(buf, size)) return path;
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd);
        ssize_t n = readlink(link, buf, size - 1);
        if (n <= 0) return path;
        buf[n] = 0;
    }
    size_t len = strlen(buf);
    if (strncmp(buf, "/proc", 5) || len + strlen(path) + 2 > size) return path;
    buf[len] = '/';
    strcpy(buf + len + 1, path);
    return buf;
}

static int memory_file(struct task *t, const struct proc_file *f, int flags)
{
    struct text x = { 0 };
    int fd = memfd_create(f->name, flags & O_CLOEXEC ? MFD_CLOEXEC : 0);
    if (fd < 0) return -errno;
    f->fill(t, &x);
    for (uint32_t done = 0; done < x.len;) {
        ssize_t n = write(fd, x.s + done, x.len - done);
        if (n <= 0) break;
        done += (uint32_t)n;
    }
    lseek(fd, 0, SEEK_SET);
    free(x.s);
    return fd;
}

int procfs_open(struct task *t, int dirfd, const char *path, int flags)
{
    char buf[PATH_MAX + 64];
    if (!may_be_ours(path) || (path[0] == '/' && strncmp(path, "/proc/", 6))) return -ENOENT;
    path = absolute(dirfd, path, buf, sizeof buf);
    const char *own = own_proc(path);
    for (unsigned i = 0; i < ARRAY_LEN(files); i++) {
        const struct proc_file *f = &files[i];
        bool hit = f->global ? !strncmp(path, "/proc/", 6) && !strcmp(path + 6, f->name) : own && !strcmp(own, f->name);
        if (!hit || (flags & O_PATH)) continue;
        if (f->global && !t->p->lnx->cpuinfo) continue;
        if ((flags & O_ACCMODE) != O_RDONLY) return -EACCES;
        return memory_file(t, f, flags);
    }
    if (own && !strcmp(own, "exe")) {
        long r = RAW(SYS_openat, AT_FDCWD, t->p->exe, flags & ~(O_CREAT | O_EXCL), 0);
        return r == -ENOENT ? -ENXIO : (int)r;
    }
    return -ENOENT;
}

int procfs_exe(struct task *t, int dirfd, const char *path, char *buf, size_t size)
{
    char abs[PATH_MAX + 64];
    if (!may_be_ours(path) || (path[0] == '/' && strncmp(path, "/proc/", 6))) return 0;
    const char *own = own_proc(absolute(dirfd, path, abs, sizeof abs));
    if (!own || strcmp(own, "exe")) return 0;
    snprintf(buf, size, "%s", t->p->exe);
    return 1;
}
