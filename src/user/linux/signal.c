/*
 * signal.c: guest signals. Numbers are the host's one to one, the real-time ones that libc reserves included: all host
 * calls here are raw, and nothing in this program uses pthread_cancel or libc's setuid.
 *
 * The host kernel is the queue. Dispositions are mirrored (ignored, default, or our handler) and so is each thread's mask,
 * SIGSEGV and SIGBUS excepted, which the engine needs. The host handler takes one signal, blocks all others in the context
 * it returns to, and kicks the CPU; signal_deliver() enters the guest's handler and sets the mask that belongs to it, which
 * lets the next one in. So pending sets, signalfd, sigtimedwait, process- and thread-directed queues are the kernel's own.
 */
#include "user/linux/user.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include "user/linux/kernel.h"

#define BIT(sig)      (1ull << ((sig) - 1))
#define G_SIG_DFL     0
#define G_SIG_IGN     1
enum {
    G_SA_NOCLDSTOP = 1, G_SA_NOCLDWAIT = 2, G_SA_SIGINFO = 4, G_SA_RESTORER = 0x04000000, G_SA_ONSTACK = 0x08000000,
    G_SA_RESTART = 0x10000000, G_SA_NODEFER = 0x40000000, K_SS_ONSTACK = 1, K_SS_DISABLE = 2, K_SIGSET = 8,
};
#define G_SA_RESETHAND 0x80000000u
#define UNBLOCKABLE    (BIT(SIGKILL) | BIT(SIGSTOP))

__thread struct task *task_self;

/* --- the host's side ------------------------------------------------------------------------------------------- */
void signal_host_mask(uint64_t mask)
{
    mask &= ~SIG_HOST_OPEN;
    RAW(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, K_SIGSET);
}

void signal_block_all(void)
{
    signal_host_mask(~0ull);
}

static void host_action(int sig, void *handler, uint64_t flags)
{
    struct k_sigaction sa = { .handler = handler, .flags = flags | G_SA_RESTORER, .restorer = (void *)(uintptr_t)sig_restorer,
                              .mask = ~0ull };
    RAW(SYS_rt_sigaction, sig, &sa, NULL, K_SIGSET);
}

static void raise_self(int sig)
{
    long pid = RAW(SYS_getpid), tid = RAW(SYS_gettid);
    RAW(SYS_tgkill, pid, tid, sig);
}

static void set_context_mask(ucontext_t *uc, uint64_t mask)
{
    memcpy(&uc->uc_sigmask, &mask, sizeof mask);
}

/* A fault of the emulator's own. SIGABRT, whatever it was: nobody is to take it for a fault of the guest's. */
static _Noreturn void host_crash(int sig, const siginfo_t *si, const ucontext_t *uc)
{
    char msg[160];
    int n = snprintf(msg, sizeof msg, "lyrebird: internal error: host signal %d, code %d, address %p\n", sig, si->si_code,
                     si->si_addr);
    if (write(2, msg, (size_t)n) < 0) {
        /* nothing is left to tell it to */
    }
    host_action(SIGABRT, SIG_DFL, 0);
    raise_self(SIGABRT);
    uint64_t none = 0;
    RAW(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, K_SIGSET);
    _exit(128 + SIGABRT);
}

/* The debugger's way to stop a thread. */
static bool debugger_signal(struct task *t, const siginfo_t *si, void *context)
{
    if (!debugger || si->si_code != SI_QUEUE || si->si_value.sival_ptr != debugger->mark) return false;
    if (!t) return true; /* the thread has just ended */
    t->pending |= SP_STOP;
    safe_interrupt(context);
    cpu_kick(t->cpu);
    return true;
}

static void host_signal(int sig, siginfo_t *si, void *context)
{
    struct task *t = task_self;
    ucontext_t *uc = context;
    int saved_errno = errno;
    bool fault = (sig == SIGSEGV || sig == SIGBUS) && si->si_code > 0;
    if (fault) {
        /* order matters: a fault of an accessor may happen inside a helper */
        if (gmem_host_fault(uc) || (t && engine_host_fault(t->cpu, sig, si, uc))) {
            errno = saved_errno;
            return;
        }
        host_crash(sig, si, uc);
    }
    if (sig == SIGSEGV && debugger_signal(t, si, uc)) {
        errno = saved_errno;
        return;
    }
    if (!t) { /* a thread of the engine: pass it on to one of the guest's */
        set_context_mask(uc, ~SIG_HOST_OPEN);
        long pid = RAW(SYS_getpid);
        RAW(SYS_rt_sigqueueinfo, pid, sig, si);
    } else if (sig == SIGSEGV || sig == SIGBUS) {
        struct caught *c = &t->held[sig == SIGBUS];
        c->sig = sig;
        c->info = *si;
        t->pending |= debugger ? SP_HELD | SP_STOP : SP_HELD; /* the debugger's may have been merged with this one */
        safe_interrupt(uc);
        cpu_kick(t->cpu);
    } else if (t->pending & SP_CAUGHT) { /* between a look at `pending` and opening the mask: back into the queue */
        long pid = RAW(SYS_getpid), tid = RAW(SYS_gettid);
        set_context_mask(uc, ~SIG_HOST_OPEN);
        RAW(SYS_rt_tgsigqueueinfo, pid, tid, sig, si);
    } else {
        t->caught.sig = sig;
        t->caught.info = *si;
        t->pending |= SP_CAUGHT;
        set_context_mask(uc, ~SIG_HOST_OPEN);
        safe_interrupt(uc);
        cpu_kick(t->cpu);
    }
    errno = saved_errno;
}

/* Makes the host's disposition that of the guest. */
static void mirror(const struct task *t, int sig, const struct sigact *act)
{
    uint64_t keep = act->flags & (G_SA_NOCLDSTOP | G_SA_NOCLDWAIT);
    if (sig == SIGSEGV || sig == SIGBUS)
        host_action(sig, (void *)host_signal, SA_SIGINFO | SA_RESTART);
    else if ((act->handler == G_SIG_IGN || act->handler == G_SIG_DFL) && !(t->dbg && debugger->wants(sig)))
        host_action(sig, (void *)(uintptr_t)act->handler, keep);
    else
        host_action(sig, (void *)host_signal, SA_SIGINFO | SA_RESTART | keep);
}

void signal_mirror(struct task *t, int sig)
{
    mirror(t, sig, &t->sigh->act[sig]);
}

void signal_init(struct proc *p, struct task *t)
{
    struct k_sigaction sa;
    uint64_t mask = 0;
    for (int sig = 1; sig <= NSIG_GUEST; sig++) {
        if (RAW(SYS_rt_sigaction, sig, NULL, &sa, K_SIGSET)) continue;
        if (sa.handler == SIG_IGN)
            t->sigh->act[sig].handler = G_SIG_IGN;
        else if (sa.handler != SIG_DFL) /* an embedder's: as in execve */
            host_action(sig, SIG_DFL, 0);
    }
    RAW(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &mask, K_SIGSET);
    t->mask = mask;
    t->alt_flags = K_SS_DISABLE;
    mirror(t, SIGSEGV, &t->sigh->act[SIGSEGV]);
    mirror(t, SIGBUS, &t->sigh->act[SIGBUS]);
    signal_host_mask(t->mask);
}

void signal_before_exec(struct task *t)
{
    static const int open[] = { SIGSEGV, SIGBUS };
    for (unsigned i = 0; i < ARRAY_LEN(open); i++)
        if (t->sigh->act[open[i]].handler == G_SIG_IGN) host_action(open[i], SIG_IGN, 0);
    for (int sig = 1; debugger && sig <= NSIG_GUEST; sig++)
        if (t->sigh->act[sig].handler == G_SIG_IGN) host_action(sig, SIG_IGN, 0);
    RAW(SYS_rt_sigprocmask, SIG_SETMASK, &t->mask, NULL, K_SIGSET);
}

void signal_exec_failed(struct task *t)
{
    for (int sig = 1; debugger && sig <= NSIG_GUEST; sig++)
        if (t->sigh->act[sig].handler == G_SIG_IGN) signal_mirror(t, sig);
    mirror(t, SIGSEGV, &t->sigh->act[SIGSEGV]);
    mirror(t, SIGBUS, &t->sigh->act[SIGBUS]);
    if (!(t->pending & SP_CAUGHT)) signal_host_mask(t->mask);
}

_Noreturn void signal_die(struct task *t, int sig)
{
    struct rlimit none = { 0, 0 };
    if (t->p->strace || log_mask & LOG_INT) log_write("%d +++ killed by %s +++\n", (int)RAW(SYS_gettid), sig_name(sig));
    if (t->dbg) debugger->process_end(t, 0, sig);
    proc_stats(t->p);
    core_dump(t, sig);
    setrlimit(RLIMIT_CORE, &none); /* it would be the emulator's core, not the guest's */
    host_action(sig, SIG_DFL, 0);
    uint64_t mask = ~BIT(sig);
    raise_self(sig);
    RAW(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, K_SIGSET);
    RAW(SYS_exit_group, 128 + sig); /* a signal whose default is not to kill */
    for (;;) pause();
}

/* --- delivery ----------------------------------------------------------------------------------------------------- */
void signal_set_mask(struct task *t, uint64_t mask)
{
    t->mask = mask & ~UNBLOCKABLE;
    if (!(t->pending & SP_CAUGHT)) signal_host_mask(t->mask);
}

void siginfo_to_guest(const struct proc *p, uint8_t out[128], const siginfo_t *si)
{
    uint8_t buf[256];
    const struct layout *l = lay_siginfo(si->si_signo, si->si_code);
    memset(out, 0, 128);
    lay_encode(p, l, buf, si);
    memcpy(out, buf, MIN(lay_size(p, l), 128u));
}

int siginfo_from_guest(struct task *t, siginfo_t *si, uint64_t addr)
{
    uint8_t raw[128];
    int r = get_bytes(t, raw, addr, sizeof raw);
    if (r < 0) return r;
    memset(si, 0, sizeof *si);
    lay_decode(t->p, &lay_siginfo_head, si, raw);
    lay_decode(t->p, lay_siginfo(si->si_signo, si->si_code), si, raw);
    return 0;
}

enum { IGNORED, STOPPED, KILLED };
static int default_effect(int sig)
{
    switch (sig) {
    case SIGCHLD: case SIGURG: case SIGWINCH: case SIGCONT: return IGNORED;
    case SIGSTOP: case SIGTSTP: case SIGTTIN: case SIGTTOU: return STOPPED;
    default: return KILLED;
    }
}

/* What an interrupted system call returns, now that it is known whether a handler runs. */
static void finish_syscall(struct task *t, const struct sigact *act)
{
    if (!t->restart) return;
    t->restart = false;
    if (!act || (act->flags & G_SA_RESTART))
        t->p->lnx->sys_restart(t->cpu, t->sys_nr, t->sys_arg0);
    else
        t->p->lnx->sys_ret(t->cpu, -EINTR);
}

/* Enters the guest's handler: frame, registers, mask. */
static void enter_handler(struct task *t, int sig, const siginfo_t *si, const struct sigact *act)
{
    struct guest_signal gs = { .sig = sig, .handler = act->handler, .restorer = act->restorer, .flags = (uint32_t)act->flags,
                               .alt_sp = t->alt_sp, .alt_size = t->alt_size, .alt_flags = t->alt_flags };
    uint64_t sp = t->p->lnx->get_sp(t->cpu);
    bool on_now = sp - t->alt_sp <= t->alt_size && t->alt_size && sp > t->alt_sp;
    gs.mask[0] = t->mask;
    gs.on_alt = (act->flags & G_SA_ONSTACK) && t->alt_size && !(t->alt_flags & K_SS_DISABLE) && !on_now;
    gs.alt_flags = t->alt_flags & K_SS_DISABLE ? K_SS_DISABLE : on_now ? K_SS_ONSTACK : 0;
    siginfo_to_guest(t->p, gs.siginfo, si);
    uint64_t base = t->suspended ? t->suspend_mask : t->mask;
    t->suspended = false;
    if (t->p->lnx->sig_setup(t->cpu, &gs, t->p->sigreturn) < 0) {
        LOG(LOG_INT, "no stack for the handler of %s\n", sig_name(sig));
        signal_die(t, SIGSEGV);
    }
    t->mask = (base | act->mask | (act->flags & G_SA_NODEFER ? 0 : BIT(sig))) & ~UNBLOCKABLE;
}

/*
 * The debugger decides what becomes of a signal. It sees the thread as if an interrupted system call had not begun; if it
 * changes nothing about that, the signal finds the call interrupted.
 */
static int ask_debugger(struct task *t, int sig, const siginfo_t *si)
{
    uint64_t after = t->cpu->pc;
    bool restart = t->restart;
    finish_syscall(t, NULL);
    uint64_t at = t->cpu->pc;
    sig = debugger->signal(t, sig, si);
    if (restart && t->cpu->pc == at) {
        t->cpu->pc = after;
        t->restart = true;
    }
    return sig;
}

/* One signal that is not blocked: act on it. */
static void deliver_one(struct task *t, int sig, const siginfo_t *si)
{
    siginfo_t other = { 0 };
    if (unlikely(t->dbg)) {
        int now = ask_debugger(t, sig, si);
        if (!now) {
            finish_syscall(t, NULL);
            return;
        }
        if (now != sig) {
            other.si_signo = sig = now;
            si = &other;
        }
    }
    struct sigact *slot = &t->sigh->act[sig], act = *slot;
    if (t->p->strace) strace_signal(t, sig, si);
    LOG(LOG_INT, "signal %s to handler 0x%llx at pc 0x%llx\n", sig_name(sig), (unsigned long long)act.handler,
        (unsigned long long)t->cpu->pc);
    if (act.handler == G_SIG_IGN || (act.handler == G_SIG_DFL && default_effect(sig) == IGNORED)) {
        finish_syscall(t, NULL);
        return;
    }
    if (act.handler == G_SIG_DFL) {
        if (default_effect(sig) == KILLED) signal_die(t, sig);
        raise_self(SIGSTOP);
        finish_syscall(t, NULL);
        return;
    }
    finish_syscall(t, &act);
    if (act.flags & G_SA_RESETHAND) {
        slot->handler = G_SIG_DFL;
        mirror(t, sig, slot);
    }
    enter_handler(t, sig, si, &act);
}

void signal_deliver(struct task *t)
{
    for (;;) {
        int pending = __atomic_load_n(&t->pending, __ATOMIC_ACQUIRE);
        if (pending & SP_CAUGHT) {
            struct caught c = t->caught; /* all is blocked: nobody writes it now */
            __atomic_and_fetch(&t->pending, ~SP_CAUGHT, __ATOMIC_RELEASE);
            deliver_one(t, c.sig, &c.info);
            signal_host_mask(t->mask);
            continue;
        }
        bool again = false;
        if (pending & SP_HELD) {
            __atomic_and_fetch(&t->pending, ~SP_HELD, __ATOMIC_RELEASE);
            for (unsigned i = 0; i < 2; i++) {
                if (!t->held[i].sig || (t->mask & BIT(t->held[i].sig))) continue;
                struct caught c = t->held[i];
                t->held[i].sig = 0;
                deliver_one(t, c.sig, &c.info);
                signal_host_mask(t->mask);
                again = true;
            }
        }
        if (!again && !(t->pending & (SP_CAUGHT | SP_HELD))) break;
    }
    if (t->suspended) t->suspended = false;
    if (t->restart) finish_syscall(t, NULL);
}

void signal_force(struct task *t, int sig, int code, uint64_t addr)
{
    siginfo_t si = { .si_signo = sig, .si_code = code };
    si.si_addr = (void *)(uintptr_t)addr;
    struct sigact *act = &t->sigh->act[sig];
    if ((t->mask & BIT(sig)) || act->handler == G_SIG_IGN) {
        if (t->dbg && !debugger->signal(t, sig, &si)) return;
        if (t->p->strace) strace_signal(t, sig, &si);
        signal_die(t, sig); /* a fault cannot be put off */
    }
    deliver_one(t, sig, &si);
    if (!(t->pending & SP_CAUGHT)) signal_host_mask(t->mask);
}

/* --- calls that swap the mask while they wait ------------------------------------------------------------------------ */
void suspend_begin(struct task *t, uint64_t mask)
{
    t->suspend_mask = mask & ~UNBLOCKABLE;
    t->suspended = true;
}

int64_t suspend_end(struct task *t, int64_t ret)
{
    /* the kernel had its own mask in place when it took the signal only if it answered EINTR */
    if (ret != -EINTR || !t->pending) t->suspended = false;
    return ret;
}

int sigset_get(struct task *t, uint64_t addr, uint64_t size, uint64_t *set)
{
    uint64_t lo, hi = 0;
    if (size != 8) return -EINVAL;
    int r = get_uint(t, addr, t->p->word, &lo);
    if (r >= 0 && t->p->word == 4) r = get_uint(t, addr + 4, 4, &hi);
    *set = lo | hi << 32;
    return r;
}

static int sigset_put(struct task *t, uint64_t addr, uint64_t set)
{
    int r = put_uint(t, addr, t->p->word, set);
    if (r >= 0 && t->p->word == 4) r = put_uint(t, addr + 4, 4, set >> 32);
    return r;
}

/* --- system calls ------------------------------------------------------------------------------------------------------ */
static int set_action(struct task *t, unsigned sig, struct sigact *new, struct sigact *old)
{
    if (sig < 1 || sig > NSIG_GUEST || (new && (sig == SIGKILL || sig == SIGSTOP))) return -EINVAL;
    pthread_mutex_lock(&t->p->lock);
    *old = t->sigh->act[sig];
    if (new) {
        new->mask &= ~UNBLOCKABLE;
        t->sigh->act[sig] = *new;
        mirror(t, (int)sig, new);
    }
    pthread_mutex_unlock(&t->p->lock);
    return 0;
}

static int64_t action_call(struct task *t, const uint64_t *a, const struct layout *l)
{
    struct sigact new, old;
    int r;
    if (a[1] && (r = lay_get(t, l, &new, a[1])) < 0) return r;
    if ((r = set_action(t, (unsigned)a[0], a[1] ? &new : NULL, &old)) < 0) return r;
    return a[2] ? lay_put(t, l, a[2], &old) : 0;
}

int64_t sys_rt_sigaction(struct task *t, const uint64_t *a)
{
    return a[3] != 8 ? -EINVAL : action_call(t, a, lay_sigaction(t->p));
}

static int change_mask(struct task *t, int how, uint64_t set)
{
    uint64_t mask = t->mask;
    switch (how) {
    case SIG_BLOCK: mask |= set; break;
    case SIG_UNBLOCK: mask &= ~set; break;
    case SIG_SETMASK: mask = set; break;
    default: return -EINVAL;
    }
    if (mask == t->mask) return 0;
    signal_set_mask(t, mask);
    if (t->held[0].sig || t->held[1].sig) t->pending |= SP_HELD;
    return 0;
}

int64_t sys_rt_sigprocmask(struct task *t, const uint64_t *a)
{
    uint64_t set, old = t->mask;
    int r;
    if (a[3] != 8) return -EINVAL;
    if (a[1] && (r = sigset_get(t, a[1], 8, &set)) < 0) return r;
    if (a[1] && ((int)a[0] < SIG_BLOCK || (int)a[0] > SIG_SETMASK)) return -EINVAL;
    if (a[2] && (r = sigset_put(t, a[2], old)) < 0) return r;
    return a[1] ? change_mask(t, (int)a[0], set) : 0;
}

static uint64_t pending_set(struct task *t)
{
    uint64_t set = 0;
    RAW(SYS_rt_sigpending, &set, K_SIGSET);
    for (unsigned i = 0; i < 2; i++)
        if (t->held[i].sig) set |= BIT(t->held[i].sig);
    if (t->pending & SP_CAUGHT) set |= BIT(t->caught.sig);
    return set;
}

int64_t sys_rt_sigpending(struct task *t, const uint64_t *a)
{
    return a[1] > 8 ? -EINVAL : sigset_put(t, a[0], pending_set(t) & t->mask);
}

static int64_t suspend(struct task *t, uint64_t set)
{
    suspend_begin(t, set);
    if ((t->held[0].sig && !(set & BIT(SIGSEGV))) || (t->held[1].sig && !(set & BIT(SIGBUS)))) {
        t->pending |= SP_HELD;
        return -EINTR;
    }
    set &= ~SIG_HOST_OPEN;
    return suspend_end(t, SAFE(t, SYS_rt_sigsuspend, &set, K_SIGSET));
}

int64_t sys_rt_sigsuspend(struct task *t, const uint64_t *a)
{
    uint64_t set;
    int r = sigset_get(t, a[0], a[1], &set);
    return r < 0 ? r : suspend(t, set);
}

int64_t sys_rt_sigtimedwait(struct task *t, const uint64_t *a)
{
    uint64_t set;
    struct timespec ts;
    siginfo_t si;
    uint8_t raw[128];
    int r = sigset_get(t, a[0], a[3], &set);
    if (r < 0) return r;
    if (a[2] && (r = lay_get(t, &lay_timespec, &ts, a[2])) < 0) return r;
    int64_t sig = SAFE(t, SYS_rt_sigtimedwait, &set, &si, a[2] ? &ts : NULL, K_SIGSET);
    if (sig > 0 && a[1]) {
        siginfo_to_guest(t->p, raw, &si);
        if ((r = put_bytes(t, a[1], raw, sizeof raw)) < 0) return r;
    }
    return sig;
}

int64_t sys_rt_sigqueueinfo(struct task *t, const uint64_t *a)
{
    siginfo_t si;
    int r = siginfo_from_guest(t, &si, a[2]);
    return r < 0 ? r : SAFE(t, SYS_rt_sigqueueinfo, (int)a[0], (int)a[1], &si);
}

int64_t sys_rt_tgsigqueueinfo(struct task *t, const uint64_t *a)
{
    siginfo_t si;
    int r = siginfo_from_guest(t, &si, a[3]);
    return r < 0 ? r : SAFE(t, SYS_rt_tgsigqueueinfo, (int)a[0], (int)a[1], (int)a[2], &si);
}

static int set_altstack(struct task *t, uint64_t sp, uint32_t flags, uint64_t size)
{
    flags &= ~0x80000000u; /* SS_AUTODISARM is not kept */
    if (flags & ~(uint32_t)(K_SS_ONSTACK | K_SS_DISABLE)) return -EINVAL;
    if (flags & K_SS_DISABLE) {
        t->alt_sp = t->alt_size = 0;
        t->alt_flags = K_SS_DISABLE;
        return 0;
    }
    if (size < 2048) return -ENOMEM;
    t->alt_sp = sp;
    t->alt_size = size;
    t->alt_flags = 0;
    return 0;
}

int64_t sys_sigaltstack(struct task *t, const uint64_t *a)
{
    struct k_stack ss, old = { t->alt_sp, (int32_t)t->alt_flags, t->alt_size };
    uint64_t sp = t->p->lnx->get_sp(t->cpu);
    bool on = t->alt_size && sp > t->alt_sp && sp - t->alt_sp <= t->alt_size;
    int r;
    if (on) old.flags = K_SS_ONSTACK;
    if (a[0]) {
        if ((r = lay_get(t, &lay_stack_t, &ss, a[0])) < 0) return r;
        if (on) return -EPERM;
        if ((r = set_altstack(t, ss.sp, (uint32_t)ss.flags, ss.size)) < 0) return r;
    }
    return a[1] ? lay_put(t, &lay_stack_t, a[1], &old) : 0;
}

static int64_t return_from(struct task *t, int (*restore)(CPU *cpu, uint64_t mask[2], uint64_t alt[3]))
{
    uint64_t mask[2] = { 0 }, alt[3] = { 0, 0, ~0ull };
    if (!restore || restore(t->cpu, mask, alt) < 0) {
        signal_force(t, SIGSEGV, SI_KERNEL, 0);
        return SYS_NORET;
    }
    if (alt[2] != ~0ull) set_altstack(t, alt[0], (uint32_t)alt[1] & K_SS_DISABLE, alt[2]);
    signal_set_mask(t, mask[0]);
    if (t->held[0].sig || t->held[1].sig) t->pending |= SP_HELD;
    return SYS_NORET;
}

int64_t sys_rt_sigreturn(struct task *t, const uint64_t *a)
{
    return return_from(t, t->p->lnx->sig_return);
}

int64_t sys_signalfd4(struct task *t, const uint64_t *a)
{
    uint64_t set;
    int r = sigset_get(t, a[1], a[2], &set);
    return r < 0 ? r : SAFE(t, SYS_signalfd4, (int)a[0], &set, K_SIGSET, flags_to_host(t->p, &fl_open, (uint32_t)a[3]));
}

/* --- older calls: a mask is one long, the signals from 33 on stay as they are ------------------------------------------- */
int64_t sys_sigaction(struct task *t, const uint64_t *a)
{
    return action_call(t, a, &lay_old_sigaction);
}

int64_t sys_signal(struct task *t, const uint64_t *a)
{
    struct sigact new = { .handler = a[1], .flags = SA_RESETHAND | SA_NODEFER }, old;
    int r = set_action(t, (unsigned)a[0], &new, &old);
    return r < 0 ? r : (int64_t)old.handler;
}

int64_t sys_sigprocmask(struct task *t, const uint64_t *a)
{
    uint64_t set = 0, old = t->mask;
    int r;
    if (a[1] && (r = get_uint(t, a[1], t->p->word, &set)) < 0) return r;
    if ((int)a[0] == SIG_SETMASK) set |= old & ~0xffffffffull;
    if (a[1] && (r = change_mask(t, (int)a[0], set)) < 0) return r;
    return a[2] ? put_uint(t, a[2], t->p->word, old) : 0;
}

int64_t sys_sgetmask(struct task *t, const uint64_t *a)
{
    return (uint32_t)t->mask;
}

int64_t sys_ssetmask(struct task *t, const uint64_t *a)
{
    int64_t old = (uint32_t)t->mask;
    change_mask(t, SIG_SETMASK, (uint32_t)a[0]);
    return old;
}

int64_t sys_sigpending(struct task *t, const uint64_t *a)
{
    return put_uint(t, a[0], t->p->word, pending_set(t) & t->mask);
}

int64_t sys_sigsuspend(struct task *t, const uint64_t *a)
{
    return suspend(t, (uint32_t)a[2]);
}

int64_t sys_sigreturn(struct task *t, const uint64_t *a)
{
    return return_from(t, t->p->lnx->old_sig_return);
}
