/* proc.c: processes: waiting, identity, prctl, scheduling. */
#include "user/linux/user.h"

#include <linux/filter.h>
#include <linux/prctl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include "user/linux/kernel.h"

/* --- waiting ------------------------------------------------------------------------------------------------------------ */
int64_t sys_wait4(struct task *t, const uint64_t *a)
{
    struct rusage ru;
    int status, r;
    int64_t ret = SAFE(t, SYS_wait4, (int)a[0], &status, (int)a[2], a[3] ? &ru : NULL);
    if (ret <= 0) return ret;
    if (a[1] && (r = put_uint(t, a[1], 4, (uint32_t)status)) < 0) return r;
    if (a[3] && (r = lay_put(t, &lay_rusage, a[3], &ru)) < 0) return r;
    return ret;
}

int64_t sys_waitid(struct task *t, const uint64_t *a)
{
    struct rusage ru;
    siginfo_t si = { 0 };
    uint8_t raw[128];
    int r;
    int64_t ret = SAFE(t, SYS_waitid, (int)a[0], (int)a[1], &si, (int)a[3], a[4] ? &ru : NULL);
    if (ret < 0) return ret;
    if (a[2]) {
        if (si.si_signo)
            siginfo_to_guest(t->p, raw, &si);
        else
            memset(raw, 0, sizeof raw);
        if ((r = put_bytes(t, a[2], raw, sizeof raw)) < 0) return r;
    }
    if (a[4] && (r = lay_put(t, &lay_rusage, a[4], &ru)) < 0) return r;
    return ret;
}

/* --- identity ----------------------------------------------------------------------------------------------------------- */
int64_t sys_uname(struct task *t, const uint64_t *a)
{
    struct utsname u;
    if (uname(&u) < 0) return -errno;
    snprintf(u.machine, sizeof u.machine, "%s", t->p->lnx->uname_machine);
    if (t->p->opt->uname) snprintf(u.release, sizeof u.release, "%s", t->p->opt->uname);
    return lay_put(t, &lay_utsname, a[0], &u);
}

int64_t sys_getgroups(struct task *t, const uint64_t *a)
{
    gid_t g[65536 / 4];
    int n = (int)a[0];
    if (n < 0) return -EINVAL;
    int64_t ret = RAW(SYS_getgroups, MIN(n, (int)ARRAY_LEN(g)), g);
    for (int64_t i = 0; n && i < ret; i++) {
        int r = put_uint(t, a[1] + (uint64_t)i * 4, 4, g[i]);
        if (r < 0) return r;
    }
    return ret;
}

int64_t sys_setgroups(struct task *t, const uint64_t *a)
{
    gid_t g[65536 / 4];
    unsigned n = (unsigned)a[0];
    if (n > ARRAY_LEN(g)) return -EINVAL;
    for (unsigned i = 0; i < n; i++) {
        uint64_t v;
        int r = get_uint(t, a[1] + i * 4, 4, &v);
        if (r < 0) return r;
        g[i] = (gid_t)v;
    }
    return RAW(SYS_setgroups, n, g);
}

static unsigned cap_words(uint32_t version)
{
    return version == 0x19980330 ? 1 : 2;
}

int64_t sys_capget(struct task *t, const uint64_t *a)
{
    struct k_cap_header h;
    struct k_cap_data d[2] = { 0 };
    int r = lay_get(t, &lay_cap_header, &h, a[0]);
    if (r < 0) return r;
    int64_t ret = RAW(SYS_capget, &h, a[1] ? d : NULL);
    if ((r = lay_put(t, &lay_cap_header, a[0], &h)) < 0) return r; /* the version it would take */
    if (ret >= 0 && a[1] && (r = lay_put_n(t, &lay_cap_data, a[1], d, cap_words(h.version))) < 0) return r;
    return ret;
}

int64_t sys_capset(struct task *t, const uint64_t *a)
{
    struct k_cap_header h;
    struct k_cap_data d[2] = { 0 };
    int r = lay_get(t, &lay_cap_header, &h, a[0]);
    if (r < 0) return r;
    if ((r = lay_get_n(t, &lay_cap_data, d, a[1], cap_words(h.version))) < 0) return r;
    return RAW(SYS_capset, &h, d);
}

/* --- prctl ----------------------------------------------------------------------------------------------------------------- */
int64_t sys_prctl(struct task *t, const uint64_t *a)
{
    int64_t ret;
    char name[16];
    int value;
    if (t->p->lnx->prctl && t->p->lnx->prctl(t->cpu, a, &ret)) return ret;
    switch ((int)a[0]) {
    case PR_SET_NAME: {
        int r = 0;
        for (unsigned i = 0; i < 15; i++) {
            if ((r = get_bytes(t, name + i, a[1] + i, 1)) < 0) return r;
            if (!name[i]) break;
        }
        name[15] = 0;
        return RAW(SYS_prctl, PR_SET_NAME, name);
    }
    case PR_GET_NAME:
        ret = RAW(SYS_prctl, PR_GET_NAME, name);
        return ret < 0 ? ret : put_bytes(t, a[1], name, sizeof name);
    case PR_GET_PDEATHSIG: case PR_GET_CHILD_SUBREAPER: case PR_GET_UNALIGN: case PR_GET_FPEMU: case PR_GET_FPEXC: case PR_GET_TSC:
    case PR_GET_ENDIAN:
        ret = RAW(SYS_prctl, (int)a[0], &value);
        return ret < 0 ? ret : put_uint(t, a[1], 4, (uint32_t)value);
    case PR_GET_TID_ADDRESS: return put_uint(t, a[1], t->p->word, t->clear_tid);
    case PR_SET_PDEATHSIG: case PR_GET_DUMPABLE: case PR_SET_DUMPABLE: case PR_SET_KEEPCAPS: case PR_GET_KEEPCAPS:
    case PR_SET_TIMERSLACK: case PR_GET_TIMERSLACK: case PR_SET_CHILD_SUBREAPER: case PR_SET_NO_NEW_PRIVS:
    case PR_GET_NO_NEW_PRIVS: case PR_CAPBSET_READ: case PR_CAPBSET_DROP: case PR_SET_SECUREBITS: case PR_GET_SECUREBITS:
    case PR_CAP_AMBIENT: case PR_SET_THP_DISABLE: case PR_GET_THP_DISABLE: case PR_MCE_KILL: case PR_MCE_KILL_GET:
    case PR_SET_IO_FLUSHER: case PR_GET_IO_FLUSHER:
        return RAW(SYS_prctl, a[0], a[1], a[2], a[3], a[4]);
    case PR_SET_SECCOMP: /* a filter would see the emulator's system calls, not the guest's */
    case PR_GET_SECCOMP: return (int)a[0] == PR_GET_SECCOMP ? 0 : -EINVAL;
    case 0x53564d41: return -EINVAL; /* PR_SET_VMA, as a kernel without CONFIG_ANON_VMA_NAME */
    default:
        LOG(LOG_UNIMP, "prctl %d is not implemented\n", (int)a[0]);
        return -EINVAL;
    }
}

int64_t sys_seccomp(struct task *t, const uint64_t *a)
{
    return -ENOSYS; /* as above, and as a kernel without it */
}

int64_t sys_ptrace(struct task *t, const uint64_t *a)
{
    LOG(LOG_UNIMP, "ptrace is not implemented\n");
    return (int64_t)a[0] == 0 ? -EPERM : -ESRCH;
}

/* --- scheduling -------------------------------------------------------------------------------------------------------------- */
enum { AFFINITY_WORDS = 128 };

/* cpumask: an array of longs; the kernel works in its own longs of 8 bytes. */
int64_t sys_sched_getaffinity(struct task *t, const uint64_t *a)
{
    uint64_t mask[AFFINITY_WORDS] = { 0 };
    unsigned w = t->p->word;
    uint64_t len = MIN(a[1], sizeof mask);
    if (a[1] & (w - 1)) return -EINVAL;
    int64_t n = RAW(SYS_sched_getaffinity, (int)a[0], ALIGN_UP(len, 8ull), mask);
    if (n < 0) return n;
    n = MIN(n, (int64_t)len);
    for (int64_t i = 0; i < n; i += w) {
        int r = put_uint(t, a[2] + (uint64_t)i, w, w == 8 ? mask[i / 8] : mask[i / 8] >> (i % 8 * 8));
        if (r < 0) return r;
    }
    return n;
}

int64_t sys_sched_setaffinity(struct task *t, const uint64_t *a)
{
    uint64_t mask[AFFINITY_WORDS] = { 0 }, v;
    unsigned w = t->p->word;
    uint64_t len = MIN(a[1], sizeof mask);
    for (uint64_t i = 0; i + w <= len; i += w) {
        int r = get_uint(t, a[2] + i, w, &v);
        if (r < 0) return r;
        mask[i / 8] |= v << (i % 8 * 8);
    }
    return RAW(SYS_sched_setaffinity, (int)a[0], ALIGN_UP(len, 8ull), mask);
}

int64_t sys_sched_getattr(struct task *t, const uint64_t *a)
{
    struct k_sched_attr at = { 0 };
    if (a[2] < sizeof at || a[2] > 4096) return -EINVAL;
    int64_t ret = RAW(SYS_sched_getattr, (int)a[0], &at, sizeof at, (unsigned)a[3]);
    return ret < 0 ? ret : lay_put(t, &lay_sched_attr, a[1], &at);
}
