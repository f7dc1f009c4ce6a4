/*
 * limits.c: resource limits. Those of memory are the guest's, not the emulator's, which needs more: they are kept here, told
 * to the guest, held against what it maps, and handed on to the programs it executes. All others are the host's.
 * Known gap: a page that mprotect makes writable does not count for RLIMIT_DATA.
 */
#include "user/linux/user.h"

#include <stdlib.h>
#include <sys/syscall.h>

static bool of_memory(unsigned res)
{
    return res == RLIMIT_AS || res == RLIMIT_DATA || res == RLIMIT_STACK;
}

static int64_t change_limit(struct task *t, pid_t pid, unsigned res, const struct rlimit *new, struct rlimit *old)
{
    bool own = !pid || pid == (pid_t)RAW(SYS_getpid);
    struct kept_limit *k = &t->p->limit[MIN(res, (unsigned)RLIM_NLIMITS - 1)];
    if (res >= RLIM_NLIMITS) return -EINVAL;
    if (!own || !of_memory(res)) return RAW(SYS_prlimit64, pid, res, new, old);
    struct rlimit now = k->lim;
    if (!k->set && getrlimit(res, &now) < 0) return -errno;
    if (new) {
        if (new->rlim_cur > new->rlim_max) return -EINVAL;
        if (new->rlim_max > now.rlim_max && RAW(SYS_geteuid) != 0) return -EPERM;
        *k = (struct kept_limit){ true, *new };
        /* the stack limit also tells execve how big the next program's stack is */
        if (res == RLIMIT_STACK && new->rlim_cur >= 1 << 20) RAW(SYS_prlimit64, 0, res, new, NULL);
    }
    if (old) *old = now;
    return 0;
}

struct usage {
    uint64_t all, data;
};

static int add_range(void *ctx, uint64_t start, uint64_t end, unsigned flags)
{
    struct usage *u = ctx;
    u->all += end - start;
    if ((flags & GP_WRITE) && !(flags & GP_SHARED)) u->data += end - start;
    return 0;
}

static bool over(const struct proc *p, unsigned res, uint64_t bytes)
{
    return p->limit[res].set && bytes > p->limit[res].lim.rlim_cur;
}

bool limits_allow(struct proc *p, uint64_t more, bool data)
{
    struct usage u = { 0 };
    if (likely(!p->limit[RLIMIT_AS].set && !p->limit[RLIMIT_DATA].set)) return true;
    gmem_walk(p->mem, add_range, &u);
    return !over(p, RLIMIT_AS, u.all + more) && !(data && over(p, RLIMIT_DATA, u.data + more));
}

size_t limits_word(const struct proc *p, char *buf, size_t size)
{
    size_t n = 0;
    buf[0] = 0;
    for (unsigned r = 0; r < RLIM_NLIMITS && n < size; r++)
        if (p->limit[r].set && r != RLIMIT_STACK)
            n += (size_t)snprintf(buf + n, size - n, "%u=%llu:%llu,", r, (unsigned long long)p->limit[r].lim.rlim_cur,
                                  (unsigned long long)p->limit[r].lim.rlim_max);
    return n;
}

void limits_from_word(struct proc *p, const char *s)
{
    unsigned res;
    unsigned long long cur, max;
    for (int n; sscanf(s, "%u=%llu:%llu,%n", &res, &cur, &max, &n) == 3; s += n)
        if (res < RLIM_NLIMITS && of_memory(res)) p->limit[res] = (struct kept_limit){ true, { cur, max } };
}

void limits_swap(const struct proc *p, rlim_t soft[RLIM_NLIMITS], bool to_host)
{
    struct rlimit rl;
    for (unsigned r = 0; r < RLIM_NLIMITS; r++) {
        if (!p->limit[r].set || getrlimit(r, &rl) < 0) continue;
        if (to_host) soft[r] = rl.rlim_cur;
        rl.rlim_cur = to_host ? MIN(p->limit[r].lim.rlim_cur, rl.rlim_max) : soft[r];
        RAW(SYS_prlimit64, 0, r, &rl, NULL);
    }
}

int64_t sys_prlimit64(struct task *t, const uint64_t *a)
{
    struct rlimit new, old;
    int r;
    if (a[2] && (r = lay_get(t, &lay_rlimit64, &new, a[2])) < 0) return r;
    int64_t ret = change_limit(t, (pid_t)a[0], (unsigned)a[1], a[2] ? &new : NULL, &old);
    return ret < 0 || !a[3] ? ret : lay_put(t, &lay_rlimit64, a[3], &old);
}

int64_t sys_getrlimit(struct task *t, const uint64_t *a)
{
    struct rlimit old;
    int64_t ret = change_limit(t, 0, (unsigned)a[0], NULL, &old);
    return ret < 0 ? ret : lay_put(t, &lay_rlimit, a[1], &old);
}

int64_t sys_setrlimit(struct task *t, const uint64_t *a)
{
    struct rlimit new;
    int r = lay_get(t, &lay_rlimit, &new, a[1]);
    if (r < 0) return r;
    if (t->p->word == 4) {
        if (new.rlim_cur == 0xffffffff) new.rlim_cur = RLIM_INFINITY;
        if (new.rlim_max == 0xffffffff) new.rlim_max = RLIM_INFINITY;
    }
    return change_limit(t, 0, (unsigned)a[0], &new, NULL);
}
