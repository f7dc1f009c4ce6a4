/* strace.c: -strace: one line per system call in strace(1)'s form, from the same table that runs it. */
#include "user/linux/user.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct line {
    char *buf;
    size_t n, size;
};

static void PRINTF(2, 3) put(struct line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (l->n < l->size) {
        int k = vsnprintf(l->buf + l->n, l->size - l->n, fmt, ap);
        if (k > 0) l->n = MIN(l->n + (size_t)k, l->size - 1);
    }
    va_end(ap);
}

static const char *const signals[] = {
    "0", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV",
    "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU",
    "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
};

const char *sig_name(int sig)
{
    static __thread char rt[24];
    if (sig >= 0 && sig < (int)ARRAY_LEN(signals)) return signals[sig];
    snprintf(rt, sizeof rt, sig >= 32 ? "SIGRT_%d" : "%d", sig >= 32 ? sig - 32 : sig);
    return rt;
}

const char *errno_name(int e)
{
    const char *s = strerrorname_np(e);
    return s ? s : "E???";
}

static void put_string(struct line *l, const uint8_t *s, size_t n, bool more)
{
    put(l, "\"");
    for (size_t i = 0; i < n; i++) {
        switch (s[i]) {
        case '\n': put(l, "\\n"); break;
        case '\t': put(l, "\\t"); break;
        case '\r': put(l, "\\r"); break;
        case '"': put(l, "\\\""); break;
        case '\\': put(l, "\\\\"); break;
        default: put(l, s[i] >= 32 && s[i] < 127 ? "%c" : "\\%o", s[i]);
        }
    }
    put(l, more ? "\"..." : "\"");
}

enum { SHOWN = 32, SHOWN_PATH = 200 };

static void put_mem(struct line *l, struct task *t, uint64_t addr, uint64_t len)
{
    uint8_t b[SHOWN];
    size_t n = MIN(len, sizeof b);
    if (!addr)
        put(l, "NULL");
    else if (gmem_read(t->p->mem, b, addr, n, NULL) < 0)
        put(l, "0x%llx", (unsigned long long)addr);
    else
        put_string(l, b, n, len > n);
}

static void put_cstr(struct line *l, struct task *t, uint64_t addr, size_t max)
{
    uint8_t b[SHOWN_PATH];
    int64_t n = addr ? gmem_strlen(t->p->mem, addr, 1 << 16) : 0;
    if (!addr) {
        put(l, "NULL");
    } else if (n < 0) {
        put(l, "0x%llx", (unsigned long long)addr);
    } else {
        size_t k = MIN((size_t)n, MIN(max, sizeof b));
        gmem_read(t->p->mem, b, addr, k, NULL);
        put_string(l, b, k, (size_t)n > k);
    }
}

static void put_flags(struct line *l, const struct proc *p, const struct flags *fl, uint32_t v)
{
    v = flags_to_host(p, fl, v);
    const char *sep = "";
    if (fl->is_enum) {
        for (const struct flag *f = fl->f; f < fl->f + fl->n; f++)
            if (f->host == v) {
                put(l, "%s", f->name);
                return;
            }
        put(l, "%d", (int)v);
        return;
    }
    if (fl->mask) { /* the enumeration in the low bits, zero included */
        for (const struct flag *f = fl->f; f < fl->f + fl->n; f++)
            if (!(f->host & ~fl->mask) && f->host == (v & fl->mask)) {
                put(l, "%s", f->name);
                sep = "|";
                v &= ~fl->mask;
                break;
            }
    }
    for (const struct flag *f = fl->f; f < fl->f + fl->n; f++) {
        if (!f->host || (v & f->host) != f->host || !(f->host & ~fl->mask)) continue;
        put(l, "%s%s", sep, f->name);
        sep = "|";
        v &= ~f->host;
    }
    if (v || !*sep) put(l, *sep ? "%s0x%x" : "%s%x", sep, v);
}

static void put_struct(struct line *l, struct task *t, const struct layout *lay, uint64_t addr)
{
    uint64_t host[64];
    if (!addr) {
        put(l, "NULL");
        return;
    }
    if (lay_get(t, lay, host, addr) < 0) {
        put(l, "0x%llx", (unsigned long long)addr);
        return;
    }
    if (lay->nfields == 1 && !lay->f[0].name[0]) put(l, "[");
    else put(l, "{");
    const char *sep = "";
    for (const struct lay_field *f = lay->f; f < lay->f + lay->nfields; f++) {
        if (!f->name) continue;
        put(l, f->name[0] ? "%s%s=" : "%s", sep, f->name);
        for (unsigned i = 0; i < f->n; i++) {
            uint64_t v = 0;
            memcpy(&v, (char *)host + f->hoff + i * f->hsize, f->hsize);
            bool sign = (f->type >= L_S8 && f->type <= L_S64) || f->type == L_SW;
            if (sign && f->hsize < 8) v = (uint64_t)bits_sext(v, f->hsize * 8);
            if (f->n > 8 && i == 8) {
                put(l, "...");
                break;
            }
            if (f->type == L_SIGSET)
                put(l, "0x%llx", (unsigned long long)v);
            else
                put(l, sign ? "%s%lld" : "%s%llu", i ? "," : "", (long long)v);
        }
        sep = ", ";
    }
    put(l, lay->nfields == 1 && !lay->f[0].name[0] ? "]" : "}");
}

static void put_argv(struct line *l, struct task *t, uint64_t addr)
{
    put(l, "[");
    for (unsigned i = 0; addr && i < 16; i++) {
        uint64_t p;
        if (get_uint(t, addr + i * t->p->word, t->p->word, &p) < 0 || !p) break;
        if (i) put(l, ", ");
        put_cstr(l, t, p, SHOWN);
    }
    put(l, "]");
}

static void put_sigset(struct line *l, struct task *t, uint64_t addr)
{
    uint64_t set;
    if (!addr || sigset_get(t, addr, 8, &set) < 0) {
        put(l, addr ? "0x%llx" : "NULL", (unsigned long long)addr);
        return;
    }
    bool inverse = __builtin_popcountll(set) > 32;
    put(l, inverse ? "~[" : "[");
    const char *sep = "";
    for (int s = 1; s <= NSIG_GUEST; s++)
        if (((set >> (s - 1)) & 1) != inverse) {
            put(l, "%s%s", sep, sig_name(s) + (s < 32 ? 3 : 0));
            sep = " ";
        }
    put(l, "]");
}

/* What only exists after the call is printed then. */
static bool is_output(unsigned kind)
{
    return kind == A_OBUF || kind == A_OUT;
}

static void put_arg(struct line *l, struct task *t, const struct sysrow *r, const struct sysarg *g, const uint64_t *a, unsigned *ri,
                    int64_t ret)
{
    uint64_t v = a[MIN(*ri, 5u)], len = a[MIN(*ri + 1, 5u)];
    if (g->kind == A_OFF) {
        put(l, "%lld", (long long)arg_off(t->p, a, ri));
        return;
    }
    ++*ri;
    switch (g->kind) {
    case A_INT: case A_FD: put(l, "%d", (int)v); break;
    case A_UINT: put(l, "%u", (unsigned)v); break;
    case A_SW: put(l, "%lld", (long long)v); break;
    case A_UW: put(l, "%llu", (unsigned long long)v); break;
    case A_ATFD: put(l, (int)v == AT_FDCWD ? "AT_FDCWD" : "%d", (int)v); break;
    case A_MODE: put(l, "0%o", (unsigned)v); break;
    case A_SIG: put(l, "%s", sig_name((int)v)); break;
    case A_FLAGS: case A_ENUM: put_flags(l, t->p, g->ref, (uint32_t)v); break;
    case A_PATH: case A_PATHW: put_cstr(l, t, v, SHOWN_PATH); break;
    case A_STR: put_cstr(l, t, v, SHOWN); break;
    case A_IBUF: put_mem(l, t, v, len); break;
    case A_OBUF:
        if (ret >= 0)
            put_mem(l, t, v, MIN((uint64_t)ret, len));
        else
            put(l, "0x%llx", (unsigned long long)v);
        break;
    case A_IN: case A_IO: put_struct(l, t, g->ref, v); break;
    case A_OUT:
        if (ret >= 0)
            put_struct(l, t, g->ref, v);
        else
            put(l, v ? "0x%llx" : "NULL", (unsigned long long)v);
        break;
    case A_SET: put_sigset(l, t, v); break;
    case A_STRV: put_argv(l, t, v); break;
    case A_HEX:
        if (!strcmp(r->name, "ioctl") && *ri == 2 && ioctl_name((uint32_t)v)) {
            put(l, "%s", ioctl_name((uint32_t)v));
            break;
        }
        put(l, v ? "0x%llx" : "%llx", (unsigned long long)v);
        break;
    default: put(l, v ? "0x%llx" : "NULL", (unsigned long long)v);
    }
}

/* Arguments from number `from` up to the first output (or, with the result known, all the rest). */
static unsigned put_args(struct line *l, struct task *t, const struct sysrow *r, const uint64_t *a, unsigned from, int64_t ret, bool done)
{
    unsigned ri = 0, i;
    struct line none = { NULL, 0, 0 };
    for (i = 0; i < 6 && r->arg[i].kind; i++) {
        if (!done && is_output(r->arg[i].kind)) break;
        if (i < from) {
            if (r->arg[i].kind == A_OFF)
                put_arg(&none, t, r, &r->arg[i], a, &ri, ret);
            else
                ri++;
            continue;
        }
        if (i) put(l, ", ");
        put_arg(l, t, r, &r->arg[i], a, &ri, ret);
    }
    return i;
}

/* A signal to the caller itself that is likely to be its end: the kernel does that by itself. */
static bool ends_itself(const struct task *t, const struct sysrow *r, const uint64_t *a)
{
    bool group = !strcmp(r->name, "kill"), both = !strcmp(r->name, "tgkill");
    if (!group && !both && strcmp(r->name, "tkill")) return false;
    uint64_t sig = a[1 + both];
    return (pid_t)a[both] == (group ? getpid() : t->tid) && sig >= 1 && sig <= NSIG_GUEST && !t->sigh->act[sig].handler;
}

/* The start of the line stays in buf until the result is known; calls that do not return print at once. */
void strace_enter(struct task *t, const struct sysrow *r, uint64_t nr, const uint64_t *a, char *buf, size_t size)
{
    struct line l = { buf, 0, size };
    put(&l, "%d ", (int)t->tid);
    if (!r) {
        put(&l, "syscall_%llu(0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx, 0x%llx", (unsigned long long)nr, (unsigned long long)a[0],
            (unsigned long long)a[1], (unsigned long long)a[2], (unsigned long long)a[3], (unsigned long long)a[4],
            (unsigned long long)a[5]);
        return;
    }
    put(&l, "%s(", r->name);
    put_args(&l, t, r, a, 0, 0, false);
    if (!strncmp(r->name, "exit", 4) || ends_itself(t, r, a)) log_write("%s) = ?\n", buf);
    if (!strncmp(r->name, "execve", 6)) log_write("%s)\n", buf);
}

void strace_leave(struct task *t, const struct sysrow *r, uint64_t nr, const uint64_t *a, char *buf, size_t size, int64_t ret)
{
    struct line l = { buf, strlen(buf), size };
    if (r) {
        unsigned from = 0;
        while (from < 6 && r->arg[from].kind && !is_output(r->arg[from].kind)) from++;
        put_args(&l, t, r, a, from, ret, true);
    }
    if (r && !strncmp(r->name, "exit", 4)) return;
    put(&l, ")");
    if (ret == SYS_NORET)
        put(&l, " = ?");
    else if (ret == SYS_RESTART)
        put(&l, " = ? ERESTARTSYS");
    else if (ret == SYS_AGAIN)
        put(&l, " = ? ERESTARTNOINTR");
    else if (ret < 0 && ret > -4096)
        put(&l, " = -1 %s (%s)", errno_name((int)-ret), strerror((int)-ret));
    else
        put(&l, r && (r->flags & SF_HEX) ? " = 0x%llx" : " = %lld", (long long)ret);
    log_write("%s\n", buf);
}

void strace_signal(struct task *t, int sig, const siginfo_t *si)
{
    bool fault = (sig == SIGSEGV || sig == SIGBUS || sig == SIGILL || sig == SIGFPE || sig == SIGTRAP) && si->si_code > 0;
    if (fault)
        log_write("%d --- %s {si_signo=%s, si_code=%d, si_addr=%p} ---\n", (int)t->tid, sig_name(sig), sig_name(sig), si->si_code,
                  si->si_addr);
    else
        log_write("%d --- %s {si_signo=%s, si_code=%d, si_pid=%d, si_uid=%u} ---\n", (int)t->tid, sig_name(sig), sig_name(sig),
                  si->si_code, (int)si->si_pid, (unsigned)si->si_uid);
}
