/* time.c: clocks, and timers and queues that notify by a signal. */
#include "user/linux/user.h"

#include <sched.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

/* --- clocks: through libc, which asks the host's vdso ----------------------------------------------------------------- */
int64_t sys_clock_gettime(struct task *t, const uint64_t *a)
{
    struct timespec ts;
    if (clock_gettime((clockid_t)a[0], &ts) < 0) return -errno;
    return lay_put(t, &lay_timespec, a[1], &ts);
}

int64_t sys_gettimeofday(struct task *t, const uint64_t *a)
{
    struct timeval tv;
    struct timezone tz;
    int r = 0;
    if (a[0] && gettimeofday(&tv, NULL) < 0) return -errno;
    if (a[1] && (r = (int)RAW(SYS_gettimeofday, NULL, &tz)) < 0) return r; /* libc tells no time zone */
    if (a[0]) r = lay_put(t, &lay_timeval, a[0], &tv);
    return r < 0 || !a[1] ? r : lay_put(t, &lay_timezone, a[1], &tz);
}

int64_t sys_getcpu(struct task *t, const uint64_t *a)
{
    unsigned id[2];
    int r = 0;
    if (getcpu(&id[0], &id[1]) < 0) return -errno;
    for (unsigned i = 0; i < 2 && r >= 0; i++)
        if (a[i]) r = put_uint(t, a[i], 4, id[i]);
    return r;
}

/* --- timers and notification by signal -------------------------------------------------------------------------------------- */
static int get_sigevent(struct task *t, struct sigevent *ev, uint64_t addr)
{
    struct g_sigevent g;
    int r = lay_get(t, &lay_sigevent, &g, addr);
    if (r < 0) return r;
    memset(ev, 0, sizeof *ev);
    ev->sigev_value.sival_ptr = (void *)(uintptr_t)g.value;
    ev->sigev_signo = g.signo;
    ev->sigev_notify = g.notify;
    ev->_sigev_un._tid = g.tid;
    return 0;
}

int64_t sys_timer_create(struct task *t, const uint64_t *a)
{
    struct sigevent ev;
    int id, r;
    if (a[1] && (r = get_sigevent(t, &ev, a[1])) < 0) return r;
    int64_t ret = RAW(SYS_timer_create, (int)a[0], a[1] ? &ev : NULL, &id);
    return ret < 0 ? ret : put_uint(t, a[2], 4, (uint32_t)id);
}

int64_t sys_mq_notify(struct task *t, const uint64_t *a)
{
    struct sigevent ev;
    int r;
    if (a[1] && (r = get_sigevent(t, &ev, a[1])) < 0) return r;
    if (a[1] && ev.sigev_notify == SIGEV_THREAD) return -ENOSYS; /* the cookie is libc's affair with its own thread */
    return RAW(SYS_mq_notify, (int)a[0], a[1] ? &ev : NULL);
}
