/*
 * thread.c: clone in all its forms, exit, futexes.
 *   threads   one host pthread each, kept waiting until everything the parent may see is in place
 *   vfork     a host process that shares our memory (CLONE_VM|CLONE_VFORK): what the child stores, the parent sees
 *   fork      libc's fork, so that its own locks are right in the child; with namespaces, the raw call
 */
#include "user/linux/user.h"

#include <linux/futex.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ull
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ull
#endif
#define CLONE_NEW_ANY (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

enum { THREAD_STACK = 1 << 20, ROBUST_LIMIT = 2048 };

struct clone_req {
    uint64_t flags, stack, ptid, ctid, tls, pidfd;
    int exit_signal;
};

struct thread_start {
    struct task *task;
    struct clone_req req;
    uint32_t ready; /* futex: 0 until the thread has its id */
};

static void futex_wake(uint32_t *word, int n)
{
    RAW(SYS_futex, word, FUTEX_WAKE, n);
}

static void put_tid(struct task *t, uint64_t addr, pid_t tid)
{
    if (addr) put_uint(t, addr, 4, (uint32_t)tid);
}

/* Registers and thread state that a child has otherwise than its parent. */
static void child_registers(struct task *t, const struct clone_req *q)
{
    const struct guest_linux *l = t->p->lnx;
    l->clone_child(t->cpu);
    if (q->stack) l->set_sp(t->cpu, q->stack);
    if (q->flags & CLONE_SETTLS) l->set_tls(t->cpu, q->tls);
}

static void child_tids(struct task *t, const struct clone_req *q)
{
    t->tid = (pid_t)RAW(SYS_gettid);
    t->clear_tid = q->flags & CLONE_CHILD_CLEARTID ? q->ctid : 0;
    if (q->flags & CLONE_CHILD_SETTID) put_tid(t, q->ctid, t->tid);
}

static struct task *task_clone(struct task *t, const struct clone_req *q, struct err *e)
{
    struct task *n = xalloc(sizeof *n);
    n->cpu = cpu_clone(t->cpu, e);
    if (!n->cpu) {
        free(n);
        return NULL;
    }
    n->p = t->p;
    n->sigh = t->sigh;
    n->mask = t->mask;
    n->alt_flags = 2; /* SS_DISABLE */
    n->cpu->v->user = n;
    child_registers(n, q);
    return n;
}

/* Its CPU is the caller's affair. */
static void task_free(struct task *t)
{
    free(t->exec_mem);
    free(t->pass);
    free(t);
}

static void task_link(struct task *t)
{
    pthread_mutex_lock(&t->p->lock);
    t->next = t->p->tasks;
    t->p->tasks = t;
    pthread_mutex_unlock(&t->p->lock);
}

/* True if it was the last one. */
static bool task_unlink(struct task *t)
{
    struct proc *p = t->p;
    pthread_mutex_lock(&p->lock);
    for (struct task **q = &p->tasks; *q; q = &(*q)->next) {
        if (*q != t) continue;
        *q = t->next;
        break;
    }
    bool last = !p->tasks;
    pthread_mutex_unlock(&p->lock);
    return last;
}

/* --- threads ------------------------------------------------------------------------------------------------------- */
static void release_robust(struct task *t);

static void *thread_main(void *arg)
{
    struct thread_start *s = arg;
    struct task *t = s->task;
    task_self = t;
    unsigned long apart = (CLONE_FS | CLONE_FILES) & ~(unsigned long)s->req.flags;
    if (apart) RAW(SYS_unshare, apart);
    child_tids(t, &s->req);
    if (s->req.flags & CLONE_PARENT_SETTID) put_tid(t, s->req.ptid, t->tid);
    task_link(t);
    if (debugger) debugger->thread_start(t);
    __atomic_store_n(&s->ready, (uint32_t)t->tid, __ATOMIC_RELEASE); /* s is the parent's from here on */
    futex_wake(&s->ready, 1);
    signal_host_mask(t->mask);
    task_loop(t);
    return NULL;
}

static void task_end(struct task *t, int code);

static void *thread_entry(void *arg)
{
    struct task *t = ((struct thread_start *)arg)->task;
    thread_main(arg);
    task_end(t, 0);
    return NULL;
}

static int64_t clone_thread(struct task *t, const struct clone_req *q)
{
    struct thread_start s = { .req = *q };
    struct err e;
    pthread_attr_t attr;
    pthread_t th;
    task_shares(t);
    s.task = task_clone(t, q, &e);
    if (!s.task) return -ENOMEM;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, THREAD_STACK);
    signal_block_all(); /* the child starts with all blocked */
    int r = pthread_create(&th, &attr, thread_entry, &s);
    pthread_attr_destroy(&attr);
    while (!r && !__atomic_load_n(&s.ready, __ATOMIC_ACQUIRE)) RAW(SYS_futex, &s.ready, FUTEX_WAIT, 0, NULL);
    if (!(t->pending & SP_CAUGHT)) signal_host_mask(t->mask);
    if (r) {
        cpu_free(s.task->cpu);
        free(s.task);
        return -EAGAIN;
    }
    return s.ready;
}

/* --- vfork ------------------------------------------------------------------------------------------------------------ */
struct vfork_start {
    struct task *task;
    struct clone_req req;
    const void *stack; /* the parent's, for AddressSanitizer */
    size_t stack_size;
    void *fake_stack;
};

/* AddressSanitizer cleans the stack that a siglongjmp leaves, if it knows which one is in use; what a child left that exited there
 * stays until it is told. */
#ifdef __SANITIZE_ADDRESS__
void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size);
void __sanitizer_finish_switch_fiber(void *save, const void **bottom_old, size_t *size_old);
void __asan_unpoison_memory_region(const volatile void *start, size_t size);
static void stack_leave(struct vfork_start *s, const void *to)
{
    __asan_unpoison_memory_region(to, THREAD_STACK);
    __sanitizer_start_switch_fiber(&s->fake_stack, to, THREAD_STACK);
}
static void stack_enter(struct vfork_start *s)
{
    __sanitizer_finish_switch_fiber(NULL, &s->stack, &s->stack_size);
}
static void stack_back(struct vfork_start *s, bool entered)
{
    if (!entered) stack_enter(s);
    __sanitizer_start_switch_fiber(NULL, s->stack, s->stack_size);
    __sanitizer_finish_switch_fiber(s->fake_stack, NULL, NULL);
}
#else
static void stack_leave(struct vfork_start *s, const void *to) {}
static void stack_enter(struct vfork_start *s) {}
static void stack_back(struct vfork_start *s, bool entered) {}
#endif

static void clear_sighand(struct task *t)
{
    for (int sig = 1; sig <= NSIG_GUEST; sig++) {
        if (t->sigh->act[sig].handler <= 1) continue;
        t->sigh->act[sig] = (struct sigact){ 0 };
        if (sig == SIGSEGV || sig == SIGBUS) continue;
        signal_mirror(t, sig);
    }
}

static int vfork_main(void *arg)
{
    struct vfork_start *s = arg;
    struct task *t = s->task;
    stack_enter(s);
    task_self = t; /* the parent's thread-local storage: it sleeps until we are gone */
    child_tids(t, &s->req);
    if (s->req.flags & CLONE_CLEAR_SIGHAND) clear_sighand(t);
    signal_host_mask(t->mask);
    task_loop(t);
    return 0;
}

static int64_t open_pidfd(struct task *t, const struct clone_req *q, int64_t pid)
{
    if (pid <= 0 || !(q->flags & CLONE_PIDFD)) return pid;
    long fd = RAW(SYS_pidfd_open, pid);
    if (fd >= 0 && put_uint(t, q->pidfd, 4, (uint32_t)fd) < 0) close((int)fd);
    return pid;
}

static int64_t clone_vfork(struct task *t, const struct clone_req *q)
{
    struct vfork_start s = { .req = *q };
    struct err e;
    s.task = task_clone(t, q, &e);
    if (!s.task) return -ENOMEM;
    struct task *c = s.task;
    c->sigh = xalloc(sizeof *c->sigh);
    *c->sigh = *t->sigh;
    c->alt_sp = t->alt_sp;
    c->alt_size = t->alt_size;
    c->alt_flags = t->alt_flags;
    void *stack = mmap(NULL, THREAD_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    int64_t pid = -ENOMEM;
    if (stack != MAP_FAILED) {
        unsigned long pass = CLONE_VM | CLONE_VFORK | (q->flags & (CLONE_FILES | CLONE_FS | CLONE_PARENT | CLONE_IO | CLONE_NEW_ANY));
        signal_block_all();
        if (t->dbg) debugger->vfork(t, true);
        stack_leave(&s, stack);
        pid = clone_call(pass | (unsigned)q->exit_signal, (char *)stack + THREAD_STACK, vfork_main, &s);
        stack_back(&s, pid > 0);
        task_self = t;
        if (t->dbg) debugger->vfork(t, false);
        if (!(t->pending & SP_CAUGHT)) signal_host_mask(t->mask);
        munmap(stack, THREAD_STACK);
    }
    if (pid > 0 && (q->flags & CLONE_PARENT_SETTID)) put_tid(t, q->ptid, (pid_t)pid);
    free(c->sigh);
    cpu_free(c->cpu);
    task_free(c);
    return open_pidfd(t, q, pid);
}

/* --- fork ------------------------------------------------------------------------------------------------------------- */
static int64_t clone_fork(struct task *t, const struct clone_req *q)
{
    struct proc *p = t->p;
    unsigned long special = q->flags & (CLONE_NEW_ANY | CLONE_PARENT | CLONE_FILES | CLONE_FS | CLONE_IO);
    int64_t pid;
    signal_block_all();
    pthread_mutex_lock(&p->lock);
    engine_fork_prepare(p->engine);
    if (special || q->exit_signal != SIGCHLD) {
        pid = RAW(SYS_clone, special | (unsigned)q->exit_signal);
    } else {
        pid = fork();
        if (pid < 0) pid = -errno;
    }
    int err = engine_fork_done(p->engine, t->cpu, pid == 0);
    if (err) signal_die(t, SIGKILL); /* what a system without memory does to one of its processes */
    if (pid == 0) { /* the other threads did not come along */
        for (struct task *o = p->tasks, *next; o; o = next) {
            next = o->next;
            if (o != t) task_free(o);
        }
        p->tasks = t;
        t->next = NULL;
    }
    pthread_mutex_unlock(&p->lock);
    if (pid == 0) {
        if (q->flags & CLONE_CLEAR_SIGHAND) clear_sighand(t);
        child_tids(t, q);
        t->robust_head = 0;
        child_registers(t, q);
        if (t->pending & SP_CAUGHT) t->pending &= ~SP_CAUGHT; /* it was sent to the parent */
        if (t->dbg) debugger->fork_child(t);
        signal_host_mask(t->mask);
        return SYS_NORET;
    }
    if (!(t->pending & SP_CAUGHT)) signal_host_mask(t->mask);
    if (pid > 0 && (q->flags & CLONE_PARENT_SETTID)) put_tid(t, q->ptid, (pid_t)pid);
    return open_pidfd(t, q, pid);
}

static int64_t do_clone(struct task *t, const struct clone_req *q)
{
    uint64_t f = q->flags;
    if ((f & CLONE_THREAD) && !(f & CLONE_SIGHAND)) return -EINVAL;
    if ((f & CLONE_SIGHAND) && !(f & CLONE_VM)) return -EINVAL;
    if ((f & CLONE_SIGHAND) && (f & CLONE_CLEAR_SIGHAND)) return -EINVAL;
    if (f & CLONE_INTO_CGROUP) return -EINVAL;
    if (f & CLONE_THREAD) {
        if (f & (CLONE_NEW_ANY | CLONE_PIDFD | CLONE_VFORK)) return -EINVAL;
        return clone_thread(t, q);
    }
    if ((f & CLONE_VM) && (f & CLONE_VFORK)) return clone_vfork(t, q);
    if (f & CLONE_VM) LOG(LOG_UNIMP, "clone: a process that shares memory without CLONE_VFORK gets a copy\n");
    return clone_fork(t, q);
}

int64_t sys_clone(struct task *t, const uint64_t *a)
{
    /* CONFIG_CLONE_BACKWARDS of all asm-generic ABIs: flags, stack, parent tid, tls, child tid */
    struct clone_req q = { .flags = a[0] & 0xffffff00, .exit_signal = (int)(a[0] & 0xff), .stack = a[1], .ptid = a[2],
                           .tls = a[3], .ctid = a[4], .pidfd = a[2] };
    if ((q.flags & CLONE_PIDFD) && (q.flags & CLONE_PARENT_SETTID)) return -EINVAL;
    return do_clone(t, &q);
}

int64_t sys_clone3(struct task *t, const uint64_t *a)
{
    struct g_clone_args ca;
    uint8_t raw[sizeof ca] = { 0 };
    if (a[1] < 64) return -EINVAL;
    if (a[1] > 4096) return -E2BIG;
    int r = get_bytes(t, raw, a[0], MIN(a[1], sizeof raw));
    if (r < 0) return r;
    for (uint64_t i = sizeof raw; i < a[1]; i++) {
        uint8_t b;
        if ((r = get_bytes(t, &b, a[0] + i, 1)) < 0) return r;
        if (b) return -E2BIG;
    }
    lay_decode(t->p, &lay_clone_args, &ca, raw);
    if (ca.set_tid_size || ca.exit_signal > 64 || !ca.stack != !ca.stack_size) return -EINVAL;
    struct clone_req q = { .flags = ca.flags, .exit_signal = (int)ca.exit_signal, .stack = ca.stack ? ca.stack + ca.stack_size : 0,
                           .ptid = ca.parent_tid, .ctid = ca.child_tid, .tls = ca.tls, .pidfd = ca.pidfd };
    return do_clone(t, &q);
}

/* --- the end ------------------------------------------------------------------------------------------------------------ */
/* Marks a robust futex of a dead owner; false if the word cannot be reached. */
static bool robust_word(struct task *t, uint64_t addr, bool pi)
{
    uint32_t *w = addr & 3 ? NULL : gmem_ptr(t->p->mem, addr, 4, GP_WRITE);
    if (!w) return false;
    for (;;) {
        uint32_t raw = __atomic_load_n(w, __ATOMIC_SEQ_CST), v = t->p->big ? __builtin_bswap32(raw) : raw;
        if ((v & FUTEX_TID_MASK) != (uint32_t)t->tid) return true;
        uint32_t n = (v & FUTEX_WAITERS) | FUTEX_OWNER_DIED, out = t->p->big ? __builtin_bswap32(n) : n;
        if (!__atomic_compare_exchange_n(w, &raw, out, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) continue;
        if ((v & FUTEX_WAITERS) && !pi) futex_wake(w, 1);
        return true;
    }
}

/* What the kernel does for a dying thread's list of robust mutexes. */
static void release_robust(struct task *t)
{
    struct g_robust h;
    uint64_t head = t->robust_head;
    RAW(SYS_set_robust_list, NULL, 24);
    if (!head || lay_get(t, &lay_robust, &h, head) < 0) return;
    t->robust_head = 0;
    uint64_t pending = h.pending & ~1ull;
    for (unsigned n = 0; (h.next & ~1ull) != head && n < ROBUST_LIMIT; n++) {
        uint64_t entry = h.next & ~1ull, next;
        bool pi = h.next & 1;
        bool ok = get_uint(t, entry, t->p->word, &next) >= 0;
        if (entry != pending && !robust_word(t, entry + h.offset, pi)) break;
        if (!ok) break;
        h.next = next;
    }
    if (pending) robust_word(t, pending + h.offset, h.pending & 1);
}

static void task_end(struct task *t, int code)
{
    bool leader = t->tid == (pid_t)RAW(SYS_getpid);
    struct proc *p = t->p;
    signal_block_all();
    release_robust(t);
    if (t->clear_tid) {
        uint32_t *w = gmem_ptr(p->mem, t->clear_tid, 4, GP_WRITE);
        if (w) {
            __atomic_store_n(w, 0, __ATOMIC_SEQ_CST);
            futex_wake(w, 1);
        }
    }
    bool last = task_unlink(t);
    if (last) proc_stats(p);
    if (t->dbg) debugger->thread_end(t, code, last);
    task_self = NULL;
    cpu_free(t->cpu);
    task_free(t);
    /* the leader stays as a zombie until the others end; what it exited with is the status then */
    if (leader || last) RAW(SYS_exit, code);
}

int64_t sys_exit(struct task *t, const uint64_t *a)
{
    if (t->tid == (pid_t)RAW(SYS_getpid)) {
        if (t->p->tasks == t && !t->next) proc_exit(t, (int)a[0]);
        task_end(t, (int)a[0]);
    }
    t->exiting = true;
    return SYS_NORET;
}

_Noreturn void proc_exit(struct task *t, int code)
{
    proc_stats(t->p);
    if (t->dbg) debugger->process_end(t, code, 0);
    for (;;) RAW(SYS_exit_group, code);
}

int64_t sys_exit_group(struct task *t, const uint64_t *a)
{
    proc_exit(t, (int)a[0]);
}

int64_t sys_set_tid_address(struct task *t, const uint64_t *a)
{
    t->clear_tid = a[0];
    return t->tid;
}

int64_t sys_set_robust_list(struct task *t, const uint64_t *a)
{
    struct proc *p = t->p;
    if (a[1] != lay_size(p, &lay_robust)) return -EINVAL;
    t->robust_head = a[0];
    /* where the guest's list is as the host kernel would have it, the kernel also sees to it after SIGKILL */
    if (p->word == 8 && !p->big && !gmem_base(p->mem)) RAW(SYS_set_robust_list, a[0], a[1]);
    return 0;
}

int64_t sys_get_robust_list(struct task *t, const uint64_t *a)
{
    if (a[0] && (pid_t)a[0] != t->tid) return -EPERM;
    int r = put_uint(t, a[1], t->p->word, t->robust_head);
    return r < 0 ? r : put_uint(t, a[2], t->p->word, lay_size(t->p, &lay_robust));
}

/* --- futex ---------------------------------------------------------------------------------------------------------------- */
int64_t sys_futex(struct task *t, const uint64_t *a)
{
    struct timespec ts, *timeout = NULL;
    uint32_t val = (uint32_t)a[2], val3 = (uint32_t)a[5];
    bool wait = false, write = false, write2 = false, two = false;
    switch ((int)a[1] & FUTEX_CMD_MASK) {
    case FUTEX_WAIT: case FUTEX_WAIT_BITSET: wait = true; break;
    case FUTEX_WAKE: case FUTEX_WAKE_BITSET: break;
    case FUTEX_LOCK_PI: case FUTEX_LOCK_PI2: wait = write = true; break;
    case FUTEX_UNLOCK_PI: case FUTEX_TRYLOCK_PI: write = true; break;
    case FUTEX_REQUEUE: case FUTEX_CMP_REQUEUE: two = true; break;
    case FUTEX_WAKE_OP: two = write2 = true; break;
    case FUTEX_WAIT_REQUEUE_PI: wait = two = write2 = true; break;
    case FUTEX_CMP_REQUEUE_PI: two = write2 = true; break;
    default: return -ENOSYS;
    }
    if (a[0] & 3) return -EINVAL;
    void *w = user_ptr(t, a[0], 4, write ? GP_WRITE : GP_READ), *w2 = NULL;
    if (two) w2 = user_ptr(t, a[4], 4, write2 ? GP_WRITE : GP_READ);
    if (w == BAD_PTR || w2 == BAD_PTR) return -EFAULT;
    if (wait && a[3]) {
        int r = lay_get(t, &lay_timespec, &ts, a[3]);
        if (r < 0) return r;
        timeout = &ts;
    }
    if (t->p->big) { /* the kernel compares memory as it is */
        if (wait) val = __builtin_bswap32(val);
        if (two) val3 = __builtin_bswap32(val3);
    }
    long arg4 = wait ? (long)timeout : (long)(uint32_t)a[3];
    return SAFE(t, SYS_futex, w, (int)a[1], val, arg4, w2, val3);
}

int64_t sys_futex_waitv(struct task *t, const uint64_t *a)
{
    struct g_futex_waitv v[128];
    struct timespec ts;
    int r;
    if (!a[1] || a[1] > ARRAY_LEN(v)) return -EINVAL;
    if ((r = lay_get_n(t, &lay_futex_waitv, v, a[0], a[1])) < 0) return r;
    for (uint64_t i = 0; i < a[1]; i++) {
        void *w = user_ptr(t, v[i].uaddr, 4, GP_READ);
        if (w == BAD_PTR) return -EFAULT;
        v[i].uaddr = (uint64_t)(uintptr_t)w;
    }
    if (a[3] && (r = lay_get(t, &lay_timespec, &ts, a[3])) < 0) return r;
    return SAFE(t, SYS_futex_waitv, v, a[1], a[2], a[3] ? &ts : NULL, (int)a[4]);
}
