/*
 * exec.c: execve of whatever the guest names, with or without binfmt_misc: programs of a guest of ours run in this
 * emulator again with the same options, scripts run their interpreter, the host's own programs run as they are.
 */
#include "user/linux/user.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SCRIPT_DEPTH = 5, ARG_MAX_BYTES = 8 << 20, SCRIPT_LINE = 256, SESSION_WORD = 16 };

/* All strings and vectors of one execve, in one allocation that a vfork child's parent can free. */
struct arena {
    char *mem;
    size_t used, size;
};

static void *take(struct arena *ar, size_t n)
{
    n = ALIGN_UP(n, 8ul);
    if (ar->size - ar->used < n) return NULL;
    void *p = ar->mem + ar->used;
    ar->used += n;
    return p;
}

static char *take_str(struct arena *ar, const char *s)
{
    size_t n = strlen(s) + 1;
    char *p = take(ar, n);
    if (p) memcpy(p, s, n);
    return p;
}

/* Counts a guest vector and the bytes of its strings. */
static int64_t vec_size(struct task *t, uint64_t addr, size_t *bytes)
{
    for (int64_t n = 0; addr; n++) {
        uint64_t p;
        int64_t r = get_uint(t, addr + (uint64_t)n * t->p->word, t->p->word, &p);
        if (r < 0) return r;
        if (!p) return n;
        r = gmem_strlen(t->p->mem, p, 128 << 10);
        if (r < 0) return r == -ENAMETOOLONG ? -E2BIG : r;
        *bytes += (size_t)r + 8 + 16;
        if (*bytes > ARG_MAX_BYTES) return -E2BIG;
    }
    return 0;
}

static int vec_read(struct task *t, struct arena *ar, uint64_t addr, int64_t n, char **out)
{
    for (int64_t i = 0; i < n; i++) {
        uint64_t p;
        int64_t r = get_uint(t, addr + (uint64_t)i * t->p->word, t->p->word, &p);
        if (r >= 0) r = gmem_strlen(t->p->mem, p, 128 << 10);
        if (r < 0) return (int)r;
        out[i] = take(ar, (size_t)r + 1);
        if (!out[i]) return -E2BIG; /* another thread made it longer meanwhile */
        if (get_bytes(t, out[i], p, (size_t)r) < 0) return -EFAULT;
        out[i][r] = 0;
    }
    out[n] = NULL;
    return 0;
}

struct exec {
    struct task *t;
    struct arena ar;
    char path[PATH_MAX];  /* host path of the file to run */
    int fd;               /* open for reading */
    bool by_fd;           /* the path is only good through the descriptor */
    char **argv, **envp;
    int64_t argc;
    char head[SCRIPT_LINE + 1];
};

static int check_executable(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0) return -errno;
    if (!S_ISREG(st.st_mode)) return -EACCES;
    if (!(st.st_mode & 0111)) return -EACCES;
    return 0;
}

/* Linux opens what it executes without needing read permission; an emulator has to read it. */
static int open_program(struct exec *x)
{
    x->fd = open(x->path, O_RDONLY | O_CLOEXEC);
    if (x->fd < 0) return -errno;
    if (access(x->path, X_OK) < 0) return -EACCES;
    return check_executable(x->fd);
}

/* "#! interpreter [argument]": the interpreter takes the script's place. */
static int script(struct exec *x, const char *name)
{
    char *s = x->head + 2, *arg = NULL, *end;
    end = strchr(s, '\n');
    if (!end) end = strlen(x->head) == SCRIPT_LINE ? NULL : x->head + strlen(x->head);
    if (!end) return -ENOEXEC;
    while (end > s && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r')) end--;
    *end = 0;
    s += strspn(s, " \t");
    if (!*s) return -ENOEXEC;
    size_t n = strcspn(s, " \t");
    if (s[n]) {
        s[n] = 0;
        arg = s + n + 1 + strspn(s + n + 1, " \t");
    }
    int64_t extra = arg && *arg ? 2 : 1;
    char **v = take(&x->ar, (size_t)(x->argc + extra + 2) * sizeof *v);
    char *interp = take_str(&x->ar, s), *a = extra == 2 ? take_str(&x->ar, arg) : NULL, *file = take_str(&x->ar, name);
    if (!v || !interp || !file || (extra == 2 && !a)) return -E2BIG;
    int64_t k = 0;
    v[k++] = interp;
    if (a) v[k++] = a;
    v[k++] = file;
    for (int64_t i = 1; i < x->argc; i++) v[k++] = x->argv[i];
    v[k] = NULL;
    x->argv = v;
    x->argc = k;
    close(x->fd);
    snprintf(x->path, sizeof x->path, "%s", s);
    x->by_fd = false;
    path_lookup(x->t->p, x->path, 0);
    return open_program(x);
}

/* The host's kernel runs the file. */
static long exec_words(struct exec *x)
{
    return x->by_fd ? RAW(SYS_execveat, x->fd, "", x->argv, x->envp, AT_EMPTY_PATH) : RAW(SYS_execve, x->path, x->argv, x->envp);
}

/* An option that hands a descriptor on. */
static void fd_words(struct exec *x, char **v, unsigned *k, const char *option, int fd)
{
    char number[16];
    snprintf(number, sizeof number, "%d", fd);
    v[(*k)++] = take_str(&x->ar, option);
    v[(*k)++] = take_str(&x->ar, number);
}

/* The emulator again: its name, its options, -0 argv[0], the program, its arguments. */
static int exec_guest(struct exec *x, const struct guest *g)
{
    struct proc *p = x->t->p;
    struct user_options o = *p->opt;
    char role[64], limits[LIMITS_WORD], *session = NULL;
    unsigned nopt, k = 0;
    snprintf(role, sizeof role, "lyre-%s", g->name);
    if (g != p->guest) o.cpu = NULL; /* a model of another architecture */
    o.stack_size = o.stack_size ? o.stack_size : 0;
    o.argv0 = x->argc ? x->argv[0] : "";
    o.exec_fd = -1;
    char **words = options_words(&o, &nopt);
    char **v = take(&x->ar, (nopt + (size_t)x->argc + 14) * sizeof *v);
    if (!v) return -E2BIG;
    v[k++] = take_str(&x->ar, role);
    for (unsigned i = 0; i < nopt; i++) v[k++] = take_str(&x->ar, words[i]);
    free(words);
    int keep = -1;
    if (x->by_fd) {
        keep = fcntl(x->fd, F_DUPFD, OWN_FD_FIRST);
        fd_words(x, v, &k, "-execfd", keep);
    }
    if (p->exe_fd >= 0) fd_words(x, v, &k, "-selffd", p->exe_fd);
    if (x->t->dbg) { /* the debugger comes along */
        v[k++] = take_str(&x->ar, "-g");
        v[k++] = session = take(&x->ar, SESSION_WORD);
    }
    if (limits_word(p, limits, sizeof limits)) {
        v[k++] = take_str(&x->ar, "-limits");
        v[k++] = take_str(&x->ar, limits);
    }
    v[k++] = take_str(&x->ar, "--");
    v[k++] = take_str(&x->ar, x->path);
    for (int64_t i = 1; i < x->argc; i++) v[k++] = x->argv[i];
    v[k] = NULL;
    for (unsigned i = 0; i < k; i++)
        if (!v[i]) return -E2BIG;
    if (session) {
        int fd = debugger->exec(x->t);
        if (fd < 0) return fd;
        snprintf(session, SESSION_WORD, "fd:%d", fd);
    }
    signal_before_exec(x->t);
    if (p->exe_fd >= 0) fcntl(p->exe_fd, F_SETFD, 0);
    long r = p->exe_fd >= 0 ? RAW(SYS_execveat, p->exe_fd, "", v, x->envp, AT_EMPTY_PATH)
                            : RAW(SYS_execve, p->opt->emulator, v, x->envp);
    if (r == -ENOENT) /* no /proc, nor was there one at the start: the kernel may know us as the interpreter (binfmt_misc) */
        r = exec_words(x);
    signal_exec_failed(x->t);
    if (session) debugger->exec_failed(x->t);
    if (p->exe_fd >= 0) fcntl(p->exe_fd, F_SETFD, FD_CLOEXEC);
    if (keep >= 0) close(keep);
    return (int)r;
}

static int exec_host(struct exec *x)
{
    rlim_t soft[RLIM_NLIMITS];
    signal_before_exec(x->t);
    limits_swap(x->t->p, soft, true);
    long r = exec_words(x);
    limits_swap(x->t->p, soft, false);
    signal_exec_failed(x->t);
    return (int)r;
}

static int run_program(struct exec *x, const char *name)
{
    const struct guest *g;
    for (int depth = 0; depth < SCRIPT_DEPTH; depth++) {
        enum file_kind kind = file_kind(x->fd, &g, x->head, sizeof x->head);
        if (kind == FILE_GUEST && file_is_host(g) && !file_is_host(x->t->p->guest)) kind = FILE_HOST; /* it runs by itself */
        switch (kind) {
        case FILE_GUEST: return x->t->p->exe_fd >= 0 || x->t->p->opt->emulator ? exec_guest(x, g) : exec_host(x);
        case FILE_HOST: return exec_host(x);
        case FILE_SCRIPT: {
            int r = script(x, depth ? x->argv[0] : name);
            if (r < 0) return r;
            break;
        }
        default: return exec_host(x); /* the host may know a format that we do not (binfmt_misc) */
        }
    }
    return -ELOOP;
}

/* Opens what (dirfd, path) names; *x->path is its host path. */
static int find_program(struct exec *x, int dirfd, const char *guest_path, int flags)
{
    char link[64];
    if (!guest_path[0] && !(flags & AT_EMPTY_PATH)) return -ENOENT;
    if (guest_path[0] == '/' || (dirfd == AT_FDCWD && guest_path[0])) {
        snprintf(x->path, sizeof x->path, "%s", guest_path);
        if (!procfs_exe(x->t, AT_FDCWD, x->path, x->path, sizeof x->path)) path_lookup(x->t->p, x->path, 0);
        return open_program(x);
    }
    if (guest_path[0]) {
        x->fd = openat(dirfd, guest_path, O_RDONLY | O_CLOEXEC | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0));
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", dirfd); /* also turns O_PATH into something readable */
        x->fd = open(link, O_RDONLY | O_CLOEXEC);
    }
    if (x->fd < 0) return -errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", x->fd);
    ssize_t n = readlink(link, x->path, sizeof x->path - 1);
    x->path[n > 0 ? n : 0] = 0;
    x->by_fd = true;
    return check_executable(x->fd);
}

static int64_t do_exec(struct task *t, int dirfd, uint64_t path, uint64_t argv, uint64_t envp, int flags)
{
    struct exec x = { .t = t, .fd = -1 };
    char name[PATH_MAX];
    size_t bytes = 0;
    int r = get_str(t, name, sizeof name, path);
    if (r < 0) return r;
    int64_t argc = vec_size(t, argv, &bytes), envc = argc < 0 ? argc : vec_size(t, envp, &bytes);
    if (envc < 0) return envc;
    x.ar.size = bytes * 2 + (size_t)(argc + envc) * 64 + (256 << 10);
    free(t->exec_mem); /* of an execve that failed */
    t->exec_mem = x.ar.mem = malloc(x.ar.size);
    if (!x.ar.mem) return -ENOMEM;
    x.argc = argc;
    x.argv = take(&x.ar, (size_t)(argc + 2) * sizeof *x.argv);
    x.envp = take(&x.ar, (size_t)(envc + 1) * sizeof *x.envp);
    r = vec_read(t, &x.ar, argv, argc, x.argv);
    if (r >= 0) r = vec_read(t, &x.ar, envp, envc, x.envp);
    if (r >= 0 && !argc) { /* as Linux does since 5.18 */
        x.argv[0] = take_str(&x.ar, "");
        x.argv[1] = NULL;
        x.argc = 1;
    }
    if (r >= 0) r = find_program(&x, dirfd, name, flags);
    if (r >= 0) r = run_program(&x, name[0] ? name : x.path);
    if (x.fd >= 0) close(x.fd);
    free(t->exec_mem);
    t->exec_mem = NULL;
    return r;
}

int64_t sys_execve(struct task *t, const uint64_t *a)
{
    return do_exec(t, AT_FDCWD, a[0], a[1], a[2], 0);
}

int64_t sys_execveat(struct task *t, const uint64_t *a)
{
    if ((int)a[4] & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) return -EINVAL;
    return do_exec(t, (int)a[0], a[1], a[2], a[3], (int)a[4]);
}
