/*
 * syscalls.c: the system call table and the rows that need no code: arguments converted as their kinds say, passed on.
 */
#include "user/linux/user.h"

#include <sys/syscall.h>

#define INT      { A_INT, NULL }
#define UINT     { A_UINT, NULL }
#define SW       { A_SW, NULL }
#define UW       { A_UW, NULL }
#define HEX      { A_HEX, NULL }
#define PTR      { A_PTR, NULL }
#define FD       { A_FD, NULL }
#define ATFD     { A_ATFD, NULL }
#define MODE     { A_MODE, NULL }
#define SIG      { A_SIG, NULL }
#define PATH     { A_PATH, NULL }
#define PATHW    { A_PATHW, NULL }
#define STR      { A_STR, NULL }
#define IBUF     { A_IBUF, NULL }
#define OBUF     { A_OBUF, NULL }
#define OFF      { A_OFF, NULL }
#define SET      { A_SET, NULL }
#define STRV     { A_STRV, NULL }
#define IN(l)    { A_IN, &lay_##l }
#define OUT(l)   { A_OUT, &lay_##l }
#define IO(l)    { A_IO, &lay_##l }
#define FLAGS(f) { A_FLAGS, &fl_##f }
#define ENUM(f)  { A_ENUM, &fl_##f }

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static int64_t sys_refuse(struct task *t, const uint64_t *a)
{
    return -ENOSYS;
}

#define ROW_P(nr, name, fl, ...) [nr] = { #name, SYS_##name, fl, NULL, { __VA_ARGS__ } },
#define ROW_H(nr, name, fl, ...) [nr] = { #name, -1, fl, sys_##name, { __VA_ARGS__ } },
#define ROW_N(nr, name, fl, ...) [nr] = { #name, -1, fl, sys_refuse, { __VA_ARGS__ } },
static const struct sysrow rows[SYS_ROWS] = {
#include "user/linux/sys.def"
#include "user/linux/legacy.def"
};
#undef ROW_P
#undef ROW_H
#undef ROW_N

const struct sysrow *sys_row(const struct proc *p, uint64_t nr)
{
    int row = sys_number(p, nr);
    return row < 0 ? NULL : &rows[row & ~NR_T32];
}

uint64_t arg_off(const struct proc *p, const uint64_t *a, unsigned *i)
{
    if (p->word == 8) return a[(*i)++];
    if (p->lnx->abi == LINUX_ABI_ARM) *i = ALIGN_UP(*i, 2u); /* pairs start at an even register */
    unsigned n = MIN(*i, 4u);
    *i += 2;
    return p->big ? a[n] << 32 | (uint32_t)a[n + 1] : (uint32_t)a[n] | a[n + 1] << 32;
}

void *user_ptr(struct task *t, uint64_t addr, size_t len, unsigned prot)
{
    if (!addr) return NULL;
    if (!len) {
        static uint64_t nothing;
        return &nothing;
    }
    void *p = gmem_ptr(t->p->mem, addr, len, prot);
    return p ? p : BAD_PTR;
}

/* The same, shortened to the part that may be accessed, as the kernel's copies stop at a bad page. */
static void *user_ptr_part(struct task *t, uint64_t addr, uint64_t *len, unsigned prot)
{
    if (*len > 0x7ffff000) *len = 0x7ffff000;
    void *ptr = user_ptr(t, addr, *len, prot);
    if (ptr != BAD_PTR) return ptr;
    uint32_t page = gmem_page(t->p->mem);
    uint64_t ok = 0;
    for (uint64_t at = addr; ok < *len && (gmem_flags(t->p->mem, at) & prot) == prot; at += page) {
        at = ALIGN_DOWN(at, page);
        ok = at + page - addr;
    }
    if (!ok) return BAD_PTR;
    *len = MIN(*len, ok);
    return user_ptr(t, addr, *len, prot);
}

/* What must be written back to the guest after the call. */
struct out {
    const struct layout *l;
    uint64_t addr;
    void *host;
};

enum { PASS_STRUCTS = 3, PASS_STRUCT_SIZE = 400, PASS_PATHS = 2 };

/* Kept with the task: a stack frame of this size would be cleared for every call. */
struct pass {
    unsigned nst, nout, npath;
    struct out out[PASS_STRUCTS];
    uint64_t st[PASS_STRUCTS][PASS_STRUCT_SIZE / 8];
    char path[PASS_PATHS][PATH_MAX];
};

/* Converts one argument; *ri is the register it comes from (several for wide ones). */
static int pass_arg(struct task *t, struct pass *ps, const struct sysrow *r, const struct sysarg *g, uint64_t *a,
                    unsigned *ri, long *h)
{
    struct proc *p = t->p;
    uint64_t v = *ri < 6 ? a[*ri] : 0;
    void *ptr;
    int err;
    switch (g->kind) {
    case A_OFF:
        *h = (long)arg_off(p, a, ri);
        return 0;
    case A_INT: case A_FD: case A_ATFD: case A_SIG: case A_ENUM: *h = (int32_t)v; break;
    case A_UINT: case A_MODE: *h = (long)(uint32_t)v; break;
    case A_FLAGS: *h = (long)flags_to_host(p, g->ref, (uint32_t)v); break;
    case A_SW: *h = p->word == 4 ? (int32_t)v : (int64_t)v; break;
    case A_PATH:
        if (!v) break;
        if ((err = path_get(t, ps->path[ps->npath], v, 0)) < 0) return err;
        *h = (long)ps->path[ps->npath++];
        break;
    case A_PATHW: case A_STR:
        if (!v) break;
        int64_t n = gmem_strlen(p->mem, v, g->kind == A_STR ? 1 << 16 : PATH_MAX - 1);
        if (n < 0) return (int)n;
        if ((ptr = user_ptr(t, v, (size_t)n + 1, GP_READ)) == BAD_PTR) return -EFAULT;
        *h = (long)ptr;
        break;
    case A_OBUF:
        if ((ptr = user_ptr_part(t, v, &a[*ri + 1], GP_WRITE)) == BAD_PTR) return -EFAULT;
        *h = (long)ptr;
        break;
    case A_IBUF:
        ptr = r->host == SYS_write || r->host == SYS_pwrite64 ? user_ptr_part(t, v, &a[*ri + 1], GP_READ)
                                                               : user_ptr(t, v, a[*ri + 1], GP_READ);
        if (ptr == BAD_PTR) return -EFAULT;
        *h = (long)ptr;
        break;
    case A_IN: case A_OUT: case A_IO:
        if (!v) break;
        const struct layout *l = g->ref;
        void *host = ps->st[ps->nst++];
        memset(host, 0, PASS_STRUCT_SIZE);
        if (g->kind != A_OUT && (err = lay_get(t, l, host, v)) < 0) return err;
        if (g->kind != A_IN) ps->out[ps->nout++] = (struct out){ l, v, host };
        *h = (long)host;
        break;
    default: *h = (long)v;
    }
    ++*ri;
    return 0;
}

int64_t sys_pass(struct task *t, const struct sysrow *r, const uint64_t *args)
{
    struct pass *ps = t->pass;
    uint64_t a[7];
    long h[6] = { 0 };
    unsigned ri = 0;
    if (unlikely(!ps)) ps = t->pass = xalloc(sizeof *ps);
    ps->nst = ps->nout = ps->npath = 0;
    memcpy(a, args, 6 * sizeof *a);
    a[6] = 0;
    for (unsigned i = 0; i < 6 && r->arg[i].kind; i++) {
        int err = pass_arg(t, ps, r, &r->arg[i], a, &ri, &h[i]);
        if (err < 0) return err;
    }
    int64_t ret = SAFE(t, r->host, h[0], h[1], h[2], h[3], h[4], h[5]);
    /* an interrupted sleep reports the rest; others have written nothing when they fail */
    bool rest = ret == -EINTR && (r->host == SYS_nanosleep || r->host == SYS_clock_nanosleep);
    if (ret < 0 && ret > -4096 && !rest) return ret;
    for (unsigned i = 0; i < ps->nout; i++)
        if (lay_put(t, ps->out[i].l, ps->out[i].addr, ps->out[i].host) < 0) return -EFAULT;
    return ret;
}

static int64_t run(struct task *t, const struct sysrow *r, uint64_t nr, const uint64_t *a)
{
    if (!r) {
        int64_t ret;
        if (t->p->lnx->syscall && t->p->lnx->syscall(t->cpu, nr, a, &ret)) return ret;
        LOG(LOG_UNIMP, "system call %llu is not implemented\n", (unsigned long long)nr);
        return -ENOSYS;
    }
    if ((uint32_t)a[0] >= OWN_FD_FIRST && (r->arg[0].kind == A_FD || r->arg[0].kind == A_ATFD) && fd_internal(t->p, (int)a[0]))
        return -EBADF;
    return r->fn ? r->fn(t, a) : sys_pass(t, r, a);
}

int64_t sys_call(struct task *t, unsigned row, const uint64_t *a)
{
    return run(t, &rows[row], row, a);
}

int64_t sys_dispatch(struct task *t, uint64_t nr, const uint64_t a[6])
{
    int row = sys_number(t->p, nr);
    const struct sysrow *r = row < 0 ? NULL : &rows[row & ~NR_T32];
    t->time32 = row >= 0 && row & NR_T32;
    if (likely(!t->p->strace)) return run(t, r, nr, a);
    char line[2048];
    strace_enter(t, r, nr, a, line, sizeof line);
    int64_t ret = run(t, r, nr, a);
    strace_leave(t, r, nr, a, line, sizeof line, ret);
    return ret;
}
