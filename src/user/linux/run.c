/*
 * run.c: sets up the process and runs its threads: system calls, faults and signals at each return of the engine.
 */
#include "user/linux/user.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "cpu/host.h"

struct debugger *debugger;
static struct proc the_proc; /* one guest process per host process: signals, descriptors and fork are the host's own */

static void fault_signal(struct task *t, enum cpu_exc exc)
{
    struct vcpu *v = t->cpu->v;
    int sig, code = SI_KERNEL;
    uint64_t addr = v->fault_addr;
    if (exc == EXC_FAULT && t->p->lnx->fault_retry && t->p->lnx->fault_retry(t->cpu)) return;
    if (exc == EXC_FAULT) {
        if (v->exc_code & EXF_BUS) {
            sig = SIGBUS;
            code = BUS_ADRERR;
        } else {
            sig = SIGSEGV;
            code = v->exc_code & EXF_ACCERR ? SEGV_ACCERR : SEGV_MAPERR;
        }
    } else {
        sig = t->p->lnx->exc_signal(t->cpu, exc, v->exc_code, &code, &addr);
    }
    LOG(LOG_INT, "fault: exception %d code 0x%x at pc 0x%llx address 0x%llx -> %s\n", exc, v->exc_code,
        (unsigned long long)t->cpu->pc, (unsigned long long)v->fault_addr, sig_name(sig));
    signal_force(t, sig, code, addr);
}

static void sys_arguments(struct task *t, uint64_t a[6])
{
    t->p->lnx->sys_args(t->cpu, &t->sys_nr, a);
    if (t->p->word == 4)
        for (unsigned i = 0; i < 6; i++) a[i] = (uint32_t)a[i];
    t->sys_arg0 = a[0];
}

/* False: there is something that task_loop has to see to before the guest runs on. */
static bool system_call(CPU *cpu)
{
    struct task *t = cpu->v->user;
    const struct guest_linux *lnx = t->p->lnx;
    uint64_t a[6];
    sys_arguments(t, a);
    if (unlikely(t->dbg != NULL) && debugger->syscall(t, t->sys_nr, false)) sys_arguments(t, a); /* they may be others now */
    int64_t ret = sys_dispatch(t, t->sys_nr, a);
    if (unlikely(ret == -EINTR && t->pending == SP_STOP)) { /* it was the debugger, not a signal */
        ret = SYS_RESTART;
        t->suspended = false;
    }
    if (ret == SYS_RESTART)
        t->restart = true; /* signal_deliver decides; without a signal it runs again */
    else if (ret == SYS_AGAIN)
        lnx->sys_restart(t->cpu, t->sys_nr, t->sys_arg0);
    else if (ret != SYS_NORET)
        lnx->sys_ret(t->cpu, ret);
    if (t->restart && !t->pending) {
        t->restart = false;
        lnx->sys_restart(t->cpu, t->sys_nr, t->sys_arg0);
    }
    bool ended = ret != SYS_RESTART && ret != SYS_AGAIN && !t->exiting;
    if (unlikely(t->dbg != NULL) && ended && debugger->syscall(t, t->sys_nr, true)) return false;
    return !t->pending && !t->exiting;
}

void task_loop(struct task *t)
{
    while (!t->exiting) {
        while (unlikely(__atomic_load_n(&t->p->dying, __ATOMIC_RELAXED))) pause();
        if (unlikely(t->pending)) {
            signal_deliver(t);
            if (t->pending & SP_STOP) debugger->stop(t);
        }
        enum cpu_exc exc = cpu_run(t->cpu);
        switch (exc) {
        case EXC_SYSCALL: /* single-stepping only: others are handled inside cpu_run */
            if (system_call(t->cpu)) debugger->trap(t);
            break;
        case EXC_NONE: case EXC_REQUEST: break;
        case EXC_DEBUG:
            if (debugger)
                debugger->trap(t);
            else
                signal_force(t, SIGTRAP, TRAP_TRACE, t->cpu->pc);
            break;
        default:
            if (!semihost_call(t, exc)) fault_signal(t, exc);
        }
    }
}

void proc_stats(struct proc *p)
{
    if (p->opt->stats || log_mask & LOG_STATS) engine_log_stats(p->engine);
}

/* "name[,warmup=N]" */
static const struct host *pick_host(const struct user_options *o, int *warmup, struct err *e)
{
    const char *accel = o->accel ? o->accel : "jit", *opt = strchrnul(accel, ',');
    *warmup = -1;
    if (*opt) {
        char *end = NULL;
        unsigned long n = strncmp(opt, ",warmup=", 8) ? 0 : strtoul(opt + 8, &end, 10);
        if (!end || end == opt + 8 || *end || n > WARMUP_MAX) {
            err_set(e, EINVAL, "-accel %s: after the name may follow ,warmup=N with N up to %d", accel, WARMUP_MAX);
            return NULL;
        }
        *warmup = (int)n;
    }
    const struct host *h = host_of_accel(accel, (size_t)(opt - accel));
    if (!h) err_set(e, EINVAL, "-accel %s: not one of jit, interp", accel);
    return h;
}

/* The file named on the command line: under the prefix first, as the guest would see it. */
static int open_program(struct proc *p, const struct user_options *o, char path[PATH_MAX], struct err *e)
{
    snprintf(path, PATH_MAX, "%s", o->argv[0]);
    if (o->exec_fd >= 0) return o->exec_fd;
    /* What was typed is a host path; only if the host has none does the prefix count. */
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        path_lookup(p, path, 0);
        fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    if (fd < 0) return err_set(e, errno, "%s: %s", o->argv[0], strerror(errno));
    return fd;
}

static int open_prefix(const struct user_options *o, char real[PATH_MAX])
{
    char dflt[128], link[64];
    const char *dir = o->prefix;
    if (!dir) {
        snprintf(dflt, sizeof dflt, "/etc/qemu-binfmt/%s", o->guest->name);
        dir = dflt;
    }
    if (!*dir || !strcmp(dir, "/")) return -1;
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, real, PATH_MAX - 1);
    real[n > 0 ? n : 0] = 0;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, OWN_FD_FIRST);
    if (high < 0) return fd;
    close(fd);
    return high;
}

static void init_proc(struct proc *p, const struct user_options *o)
{
    struct rlimit rl;
    p->guest = o->guest;
    p->lnx = o->guest->lnx;
    p->opt = o;
    p->word = o->guest->elf_class == 1 ? 4 : 8;
    p->big = o->guest->big_endian;
    p->flag_column = p->guest->elf_machine == EM_AARCH64 || p->guest->elf_machine == EM_ARM;
    p->exe_fd = o->self_fd;
    if (p->exe_fd >= 0)
        fcntl(p->exe_fd, F_SETFD, FD_CLOEXEC);
    else if (o->emulator && strcmp(o->emulator, "/proc/self/exe")) /* may be out of reach later */
        p->exe_fd = exe_open(o->emulator);
    p->prefix_fd = open_prefix(o, p->prefix);
    p->strace = o->strace || (log_mask & LOG_STRACE);
    if (o->limits) limits_from_word(p, o->limits);
    p->stack_size = o->stack_size;
    if (!p->stack_size) {
        p->stack_size = 8 << 20;
        if (!getrlimit(RLIMIT_STACK, &rl) && rl.rlim_cur != RLIM_INFINITY && rl.rlim_cur > p->stack_size)
            p->stack_size = MIN(rl.rlim_cur, 1ull << 30);
    }
    pthread_mutex_init(&p->lock, NULL);
    pthread_mutex_init(&p->semi_lock, NULL);
}

static int start(struct proc *p, struct user_options *o, CPU **cpu, struct err *e)
{
    char path[PATH_MAX];
    int r, fd = open_program(p, o, path, e);
    if (fd < 0) return fd;
    if (o->dfilter && (r = log_filter(o->dfilter, e)) < 0) return r;
    uint32_t page = MAX(p->lnx->min_page, 4096u);
    if (o->page_size && (o->page_size < page || o->page_size & (o->page_size - 1) || o->page_size > 65536))
        return err_set(e, EINVAL, "-p %llu: the page size is a power of two from %u to 65536", (unsigned long long)o->page_size, page);
    if (o->page_size) page = (uint32_t)o->page_size;
    int warmup;
    const struct host *host = pick_host(o, &warmup, e);
    if (!host) return -EINVAL;
    p->mem = gmem_new_at(p->guest->addr_bits, page, o->guest_base, o->reserved, e);
    if (!p->mem) return -e->code;
    if (o->tb_size > 2048) return err_set(e, EINVAL, "-tb-size %llu: at most 2048 MiB", (unsigned long long)o->tb_size);
    struct engine_config cfg = { .guest = p->guest, .host = host, .mem = p->mem, .opt_passes = (unsigned)o->opt_mask,
                                 .cache_bytes = (size_t)o->tb_size << 20,
                                 .max_insns = o->one_insn ? 1 : 0, .warmup = warmup, .nochain = (log_mask & LOG_NOCHAIN) != 0,
                                 .timed = o->stats || log_mask & LOG_STATS, .syscall = system_call };
    p->engine = engine_new(&cfg, e);
    if (!p->engine) return -ENOMEM;
    *cpu = cpu_new(p->engine, o->cpu ? o->cpu : p->guest->models[0].name, e);
    if (!*cpu) return -EINVAL;
    char **env = options_environ(o, o->envp);
    r = load_program(p, fd, path, o->argv0 ? o->argv0 : o->argv[0], o->argv, env, *cpu, e);
    free(env);
    close(fd);
    return r;
}

static void unload(struct proc *p)
{
    engine_free(p->engine);
    gmem_free(p->mem);
    if (p->prefix_fd >= 0) close(p->prefix_fd);
    if (p->exe_fd >= 0 && p->exe_fd != p->opt->self_fd) close(p->exe_fd);
    pthread_mutex_destroy(&p->lock);
    memset(p, 0, sizeof *p);
}

static int start_debugger(CPU *cpu, const char *where, struct err *e)
{
    struct err why = { 0 };
    if (!gdbstub_start) return err_set(e, ENOSYS, "-g: this build has no gdb stub");
    int r = gdbstub_start(cpu, where, &why);
    return r < 0 ? err_set(e, -r, "-g %s: %s", where, why.msg) : 0;
}

int user_load(struct user_options *o, struct err *e)
{
    struct proc *p = &the_proc;
    CPU *cpu = NULL;
    init_proc(p, o);
    int r = start(p, o, &cpu, e);
    if (r < 0) {
        unload(p);
        return r;
    }
    struct task *t = xalloc(sizeof *t);
    t->p = p;
    t->cpu = cpu;
    t->tid = (pid_t)RAW(SYS_gettid);
    t->sigh = xalloc(sizeof *t->sigh);
    cpu->v->user = t;
    p->tasks = t;
    task_self = t;
    signal_init(p, t);
    return o->gdb ? start_debugger(cpu, o->gdb, e) : 0;
}

_Noreturn void user_run(void)
{
    task_loop(task_self);
    for (;;) RAW(SYS_exit_group, 0);
}
