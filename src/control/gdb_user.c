/*
 * gdb_user.c: the threads of a Linux user-mode process under the debugger: all of them stop when one does.
 *
 * To stop, a thread's `action` becomes GA_NONE and it is sent a SIGSEGV that carries our mark, which interrupts whatever
 * it does: the handler sets SP_STOP, generated code is left at the next poll, a system call under way returns as if it had
 * not begun. Then task_loop calls on_stop, and the thread waits here. Nobody is stopped inside the emulator's locks.
 * A breakpoint or a step that finished while somebody else's stop was under way is forgotten: the breakpoint will be hit
 * again. A signal is not: it is reported once the process runs again.
 *
 * Gap: a call with a relative time-out that is stopped begins again with the full time.
 */
#include "control/gdb.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void wake_server(const struct gdb *g)
{
    uint64_t one = 1;
    RAW(SYS_write, g->event, &one, sizeof one);
}

/* --- stopping and resuming ------------------------------------------------------------------------------------------------ */
struct gdb_thread *gdb_thread_find(struct gdb *g, pid_t tid)
{
    struct gdb_thread *th = g->threads;
    while (th && th->tid != tid) th = th->next;
    return th;
}

bool gdb_user_all_parked(const struct gdb *g)
{
    for (const struct gdb_thread *th = g->threads; th; th = th->next)
        if (!th->parked && !th->asleep) return false;
    return true;
}

static void kick(const struct gdb *g, const struct gdb_thread *th)
{
    siginfo_t si = { .si_signo = SIGSEGV, .si_code = SI_QUEUE };
    si.si_pid = g->pid;
    si.si_value.sival_ptr = (void *)(uintptr_t)debugger->mark;
    RAW(SYS_rt_tgsigqueueinfo, g->pid, th->tid, SIGSEGV, &si);
}

void gdb_user_stop_all(struct gdb *g)
{
    pid_t self = (pid_t)RAW(SYS_gettid);
    g->phase = GP_STOPPING;
    for (struct gdb_thread *th = g->threads; th; th = th->next) {
        th->action = GA_NONE;
        if (!th->parked && !th->asleep && th->tid != self) kick(g, th);
    }
    if (gdb_user_all_parked(g)) wake_server(g);
}

void gdb_user_resume(struct gdb *g)
{
    bool any = false;
    g->phase = GP_RUNNING;
    g->reporter = NULL;
    for (struct gdb_thread *th = g->threads; th; th = th->next) {
        if (th->action == GA_NONE) continue;
        th->parked = false;
        any = true;
    }
    g->none_left = !any;
    if (!any) wake_server(g);
    pthread_cond_broadcast(&g->resumed);
}

void gdb_user_detach(struct gdb *g)
{
    for (uint32_t i = 0; i < g->nbps; i++) engine_breakpoint(g->engine, g->bps[i], false);
    g->nbps = 0;
    g->nwatch = 0;
    g->phase = GP_GONE;
    g->reporter = NULL;
    gdb_user_mirror(g);
    pthread_cond_broadcast(&g->resumed);
}

/* --- watchpoints ------------------------------------------------------------------------------------------------------- */
void gdb_user_watch(struct gdb *g, unsigned i)
{
    struct gdb_watch *w = &g->watch[i];
    if (gmem_read(g->mem, w->value, g->range[i].addr, g->range[i].len, NULL) < 0) memset(w->value, 0, sizeof w->value);
}

/* Which one the last step of v has hit; -1 = none. */
static int watch_hit(struct gdb *g, const struct vcpu *v)
{
    uint8_t now[GDB_WATCH_BYTES];
    for (unsigned i = 0; i < g->nwatch; i++) {
        struct gdb_watch *w = &g->watch[i];
        const struct cpu_watch *r = &g->range[i];
        bool hit = v->watch_hit == r;
        if (w->type == '2') {
            hit = gmem_read(g->mem, now, r->addr, r->len, NULL) >= 0 && memcmp(now, w->value, r->len);
            if (hit) memcpy(w->value, now, r->len);
        }
        if (hit) return (int)i;
    }
    return -1;
}

static bool is_breakpoint(const struct gdb *g, uint64_t pc)
{
    for (uint32_t i = 0; i < g->nbps; i++)
        if (g->bps[i] == pc) return true;
    return false;
}

/* --- parking ----------------------------------------------------------------------------------------------------------- */
/* Watching needs steps; but the first instruction is run as it is if it has a breakpoint, which a step would not see. */
static bool steps(const struct gdb *g, const struct gdb_thread *th)
{
    if (g->phase == GP_GONE) return false;
    return th->action == GA_STEP || (g->nwatch && !is_breakpoint(g, th->t->cpu->pc));
}

static void set_stepping(struct gdb *g, const struct gdb_thread *th)
{
    struct vcpu *v = th->t->cpu->v;
    v->single_step = steps(g, th);
    v->watch = g->range;
    v->nwatch = v->single_step ? g->nwatch : 0;
}

/* Waits while the thread is not to run. */
static void park(struct gdb *g, struct gdb_thread *th)
{
    struct task *t = th->t;
    while (th->action == GA_NONE && g->phase != GP_GONE) {
        th->parked = true;
        if (g->phase == GP_STOPPING && gdb_user_all_parked(g)) wake_server(g);
        pthread_cond_wait(&g->resumed, &g->lock);
    }
    th->parked = false;
    set_stepping(g, th);
    __atomic_and_fetch(&t->pending, ~SP_STOP, __ATOMIC_SEQ_CST);
}

/* A signal that came with the command to resume, at a stop that was no signal's: as if somebody had sent it. */
static void send_signal(struct gdb *g, struct gdb_thread *th)
{
    if (!th->sig) return;
    th->pass = th->sig;
    RAW(SYS_tgkill, g->pid, th->tid, th->sig);
    th->sig = 0;
}

/* Something happened in th: everybody stops. Returns when th is to run again; false if nobody was told. */
static bool event(struct gdb *g, struct gdb_thread *th, enum gdb_stop stop, int sig, const siginfo_t *si)
{
    bool told = false;
    do {
        if (g->phase == GP_RUNNING && th->action != GA_NONE) {
            g->reporter = th;
            g->stop = stop;
            g->stop_sig = sig;
            th->has_info = si != NULL;
            if (si) th->info = *si;
            told = true;
            gdb_user_stop_all(g);
        }
        park(g, th);
    } while (!told && stop == GS_SIGNAL && g->phase != GP_GONE);
    th->has_info = false;
    return told;
}

/* --- called by user/linux --------------------------------------------------------------------------------------------------- */
static void on_stop(struct task *t)
{
    struct gdb *g = &gdb_state;
    struct gdb_thread *th = t->dbg;
    pthread_mutex_lock(&g->lock);
    if (th) {
        park(g, th);
        send_signal(g, th);
    } else {
        __atomic_and_fetch(&t->pending, ~SP_STOP, __ATOMIC_SEQ_CST);
    }
    pthread_mutex_unlock(&g->lock);
}

/* What a finished step is to the debugger. */
static enum gdb_stop step_stop(struct gdb *g, const struct gdb_thread *th)
{
    uint64_t pc = th->t->cpu->pc;
    int hit = watch_hit(g, th->t->cpu->v);
    if (hit >= 0) {
        g->stop_arg = (unsigned)hit;
        return GS_WATCH;
    }
    if (th->action == GA_CONT) return is_breakpoint(g, pc) ? GS_BREAK : GS_NONE;
    return pc >= th->range_lo && pc < th->range_hi && !is_breakpoint(g, pc) ? GS_NONE : GS_STEP;
}

static void on_trap(struct task *t)
{
    struct gdb *g = &gdb_state;
    struct gdb_thread *th = t->dbg;
    bool *step = &t->cpu->v->single_step;
    if (!th) { /* a vfork child shares our breakpoints but is not debugged: it steps over them */
        *step = !*step;
        return;
    }
    pthread_mutex_lock(&g->lock);
    if (g->phase == GP_GONE) {
        set_stepping(g, th);
    } else if (g->phase == GP_RUNNING) {
        enum gdb_stop stop = *step ? step_stop(g, th) : GS_BREAK;
        if (stop != GS_NONE) event(g, th, stop, SIGTRAP, NULL);
        set_stepping(g, th);
    } else {
        park(g, th);
    }
    send_signal(g, th);
    pthread_mutex_unlock(&g->lock);
}

static bool wants(int sig)
{
    return gdb_state.phase != GP_GONE && !gdb_state.client.pass_signals[sig];
}

static int on_signal(struct task *t, int sig, const siginfo_t *si)
{
    struct gdb *g = &gdb_state;
    struct gdb_thread *th = t->dbg;
    pthread_mutex_lock(&g->lock);
    if (th->pass == sig) {
        th->pass = 0;
    } else if (wants(sig) && event(g, th, GS_SIGNAL, sig, si)) {
        sig = th->sig;
        th->sig = 0;
    }
    pthread_mutex_unlock(&g->lock);
    return sig;
}

static void on_thread_start(struct task *t)
{
    struct gdb *g = &gdb_state;
    if ((pid_t)RAW(SYS_getpid) != g->pid) return; /* of a vfork child */
    pthread_mutex_lock(&g->lock);
    struct gdb_thread *th = xalloc(sizeof *th), **end = &g->threads;
    th->t = t;
    th->tid = t->tid;
    th->action = g->phase == GP_RUNNING ? GA_CONT : GA_NONE;
    if (th->action == GA_NONE && g->phase != GP_GONE) t->pending |= SP_STOP;
    set_stepping(g, th);
    while (*end) end = &(*end)->next;
    *end = th;
    t->dbg = th;
    pthread_mutex_unlock(&g->lock);
}

/* The process ends: the debugger hears of it first. */
static void report_end(struct gdb *g, int code, int sig)
{
    gdb_unlisten(g);
    g->ending = true;
    g->exit_code = code;
    g->exit_sig = sig;
    wake_server(g);
    while (!g->ended && g->phase != GP_GONE) pthread_cond_wait(&g->resumed, &g->lock);
}

static void on_thread_end(struct task *t, int code, bool last)
{
    struct gdb *g = &gdb_state;
    struct gdb_thread *th = t->dbg, **q = &g->threads;
    pthread_mutex_lock(&g->lock);
    while (*q && *q != th) q = &(*q)->next;
    if (*q) *q = th->next;
    if (g->reporter == th) g->reporter = NULL;
    if (th->tid == g->pid) g->leader_code = code;
    t->dbg = NULL;
    free(th);
    if (last) {
        report_end(g, g->leader_code, 0);
    } else if (g->phase != GP_GONE && gdb_user_all_parked(g)) {
        g->none_left = g->phase == GP_RUNNING;
        wake_server(g);
    }
    pthread_mutex_unlock(&g->lock);
}

static void on_exit_process(struct task *t, int code, int sig)
{
    struct gdb *g = &gdb_state;
    pthread_mutex_lock(&g->lock);
    park(g, t->dbg);
    report_end(g, code, sig);
    pthread_mutex_unlock(&g->lock);
}

static int session = -1; /* of an execve under way */

/* Returns with the lock held, so that the connection is nobody's until the new program has it. */
static int on_exec(struct task *t)
{
    struct gdb *g = &gdb_state;
    pthread_mutex_lock(&g->lock);
    park(g, t->dbg);
    session = gdb_session_save(g);
    if (session < 0)
        pthread_mutex_unlock(&g->lock);
    else
        gdb_session_keep(g, true);
    return session;
}

static void on_exec_failed(struct task *t)
{
    struct gdb *g = &gdb_state;
    gdb_session_keep(g, false);
    close(session);
    send_signal(g, t->dbg);
    pthread_mutex_unlock(&g->lock);
}

static bool catches(const struct gdb_client *c, uint64_t nr)
{
    if (!c->catch || c->catch_all) return c->catch;
    for (uint32_t i = 0; i < c->ncatch; i++)
        if (c->catch_nr[i] == nr) return true;
    return false;
}

static bool on_syscall(struct task *t, uint64_t nr, bool end)
{
    struct gdb *g = &gdb_state;
    struct gdb_thread *th = t->dbg;
    if (!__atomic_load_n(&g->client.catch, __ATOMIC_RELAXED)) return false;
    pthread_mutex_lock(&g->lock);
    bool told = false;
    if (g->phase == GP_RUNNING && catches(&g->client, nr)) {
        g->stop_arg = nr;
        told = event(g, th, end ? GS_SYSCALL_END : GS_SYSCALL, SIGTRAP, NULL);
        send_signal(g, th);
    }
    pthread_mutex_unlock(&g->lock);
    return told;
}

static void on_vfork(struct task *t, bool begin)
{
    struct gdb *g = &gdb_state;
    struct gdb_thread *th = t->dbg;
    pthread_mutex_lock(&g->lock);
    th->asleep = begin;
    if (!begin) {
        park(g, th);
        send_signal(g, th);
    } else if (g->phase == GP_STOPPING && gdb_user_all_parked(g)) {
        wake_server(g);
    }
    pthread_mutex_unlock(&g->lock);
}

static void mirror_all(struct task *t)
{
    for (int sig = 1; sig <= NSIG_GUEST; sig++)
        if (sig != SIGKILL && sig != SIGSTOP) signal_mirror(t, sig);
}

static struct debugger hooks;

/* A forked child is not debugged. Only its one thread exists; the locks may be in any state. */
static void on_fork_child(struct task *t)
{
    struct gdb *g = &gdb_state;
    debugger = NULL;
    t->dbg = NULL;
    t->cpu->v->single_step = false;
    t->cpu->v->nwatch = 0;
    __atomic_and_fetch(&t->pending, ~SP_STOP, __ATOMIC_SEQ_CST);
    g->phase = GP_GONE;
    for (uint32_t i = 0; i < g->nbps; i++) engine_breakpoint(g->engine, g->bps[i], false);
    for (unsigned i = 0; i < ARRAY_LEN(hooks.fd); i++) {
        if (hooks.fd[i] > 0) RAW(SYS_close, hooks.fd[i]);
        hooks.fd[i] = 0;
    }
    mirror_all(t);
}

static struct debugger hooks = {
    .thread_start = on_thread_start, .thread_end = on_thread_end, .stop = on_stop, .trap = on_trap, .signal = on_signal,
    .wants = wants, .process_end = on_exit_process, .fork_child = on_fork_child, .vfork = on_vfork, .exec = on_exec,
    .exec_failed = on_exec_failed, .syscall = on_syscall, .mark = &gdb_state,
};

/* --- for the server ----------------------------------------------------------------------------------------------------------- */
void gdb_user_mirror(struct gdb *g)
{
    if (!g->threads) return;
    pthread_mutex_lock(&g->p->lock);
    mirror_all(g->threads->t);
    pthread_mutex_unlock(&g->p->lock);
}

void gdb_user_init(struct gdb *g, CPU *cpu, enum gdb_phase phase)
{
    struct task *t = cpu->v->user;
    struct gdb_thread *th = xalloc(sizeof *th);
    th->t = t;
    th->tid = t->tid;
    th->parked = phase != GP_GONE;
    g->threads = th;
    g->reporter = th;
    g->stop = phase == GP_STOPPING ? GS_EXEC : GS_SIGNAL;
    g->stop_sig = SIGTRAP;
    g->p = t->p;
    g->engine = t->p->engine;
    g->mem = t->p->mem;
    g->pid = (pid_t)RAW(SYS_getpid);
    g->phase = phase;
    t->dbg = th;
    debugger = &hooks;
    gdb_user_mirror(g);
}

void gdb_user_park_first(struct gdb *g, CPU *cpu)
{
    on_stop(cpu->v->user);
}

void gdb_user_own_fd(int fd, bool own)
{
    for (unsigned i = 0; i < ARRAY_LEN(hooks.fd); i++) {
        int *slot = &hooks.fd[i];
        if (*slot == (own ? 0 : fd)) {
            *slot = own ? fd : 0;
            return;
        }
    }
}

int gdb_user_high_fd(int fd)
{
    int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 1000);
    if (high < 0) return fd;
    close(fd);
    return high;
}
