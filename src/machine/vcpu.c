/*
 * vcpu.c: the CPUs of a machine: a thread each that runs, sleeps and parks; their timers; what the ISAs' code asks of the machine.
 *
 * A CPU's thread is in one of three places: in cpu_run; asleep on its own condition (halted, or off); parked, because the machine is
 * stopped. Who wants something of it makes it leave cpu_run (cpu_kick) and wakes it. Nobody waits for a CPU with the big lock held: the
 * CPU may be waiting for that.
 * With -accel thread=single the threads take turns, so that one CPU runs at a time.

 * With -icount one thread runs all CPUs, slice by slice in their order, and guest time is the number of instructions that they completed
 * (engine_probe's count), so a run depends on nothing but its inputs. A slice ends at the next deadline; one that is set meanwhile makes
 * the CPU leave at its next back edge. While all sleep, time goes on to the next deadline: as fast as the host's, or at once.
 * Known gaps: -icount shift=auto does not adapt; helpers that cannot fault see the count of the last exit or access.
 */
#include "machine/machine.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { CPU_TIMERS = 8 };

struct cpu_timer {
    struct machine_cpu *mc;
    struct timer timer;
    uint64_t deadline;        /* what the CPU wants; atomic */
    uint64_t armed;           /* when the loop will look, never later than that; atomic */
};

struct machine_cpu {
    struct machine *m;
    CPU *cpu;
    unsigned index;
    pthread_t thread;
    int tid;
    pthread_mutex_t lock;     /* what follows; taken after vcpus.lock */
    pthread_cond_t cond;
    bool on;                  /* not off (PSCI, SBI) */
    bool halted;
    bool begin_on;            /* after a reset */
    bool hold;                /* a debugger's wish */
    bool start;               /* asked to begin: */
    uint64_t start_pc, start_arg, start_how;
    uint32_t asleep;          /* waits on cond, or is about to; atomic */
    struct cpu_timer timer[CPU_TIMERS];
};

struct vcpus {
    pthread_mutex_t lock;
    pthread_cond_t parked_cond, go_cond;
    uint32_t stop;            /* > 0: CPUs park; atomic */
    unsigned parked, threads;
    bool quit;
    /* thread=single: whose turn it is */
    pthread_mutex_t turn_lock;
    pthread_cond_t turn_cond;
    uint32_t ticket, serving;
    struct machine_cpu *runs;
    /* -icount: under turn_lock where said */
    uint64_t done;            /* instructions of the slices that ended; atomic */
    uint64_t budget;          /* of the slice that runs; 0: none. Atomic */
    uint64_t slice_end;       /* in guest time; the thread's own */
    CPU *slice_cpu;           /* atomic */
    uint64_t pokes;           /* turn_lock: somebody may have work */
};
enum { SLICE_INSNS = 1 << 18, IDLE_STEP_NS = 10 * NS_PER_MS };
enum { TURN_NS = 2 * NS_PER_MS };

/* --- what the ISA asks for -------------------------------------------------------------------------------------------------- */

static void poke(struct vcpus *vs)
{
    pthread_mutex_lock(&vs->turn_lock);
    vs->pokes++;
    pthread_cond_broadcast(&vs->turn_cond);
    pthread_mutex_unlock(&vs->turn_lock);
}

/* Guest time in -icount mode. Any thread; exact on the thread that runs the CPU. */
static uint64_t icount_now(void *ctx)
{
    struct machine *m = ctx;
    struct vcpus *vs = m->vcpus;
    CPU *cpu = __atomic_load_n(&vs->slice_cpu, __ATOMIC_ACQUIRE);
    uint64_t n = __atomic_load_n(&vs->done, __ATOMIC_RELAXED), budget = __atomic_load_n(&vs->budget, __ATOMIC_RELAXED);
    if (cpu) n += budget - __atomic_load_n(cpu_insns_left(cpu), __ATOMIC_RELAXED);
    return n << m->cfg.icount_shift;
}

static void wake(void *ctx, CPU *cpu)
{
    struct machine *m = ctx;
    if (m->cfg.icount) {
        poke(m->vcpus);
        return;
    }
    struct machine_cpu *mc = &m->cpus[cpu->v->index];
    if (!__atomic_load_n(&mc->asleep, __ATOMIC_SEQ_CST)) return;
    pthread_mutex_lock(&mc->lock);
    pthread_cond_signal(&mc->cond);
    pthread_mutex_unlock(&mc->lock);
}

static uint64_t host_now(void *ctx)
{
    return clock_now(&((struct machine *)ctx)->guest_clock);
}

/* Big lock held. The CPU may have moved the deadline away without a word to the loop. */
static void timer_due(void *ctx)
{
    struct cpu_timer *t = ctx;
    CPU *cpu = t->mc->cpu;
    __atomic_store_n(&t->armed, TIMER_NEVER, __ATOMIC_SEQ_CST);
    uint64_t when = __atomic_load_n(&t->deadline, __ATOMIC_SEQ_CST);
    if (when == TIMER_NEVER) return;
    if (when > clock_now(&t->mc->m->guest_clock)) {
        __atomic_store_n(&t->armed, when, __ATOMIC_SEQ_CST);
        timer_set(&t->timer, when);
        return;
    }
    /* a deadline that the CPU sets at this moment stays: it waits for the lock to arm it */
    __atomic_compare_exchange_n(&t->deadline, &when, TIMER_NEVER, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    cpu->v->sys->timer(cpu, (unsigned)(t - t->mc->timer));
}

/* Most settings move a deadline away: that is only noted, and the loop finds out when it looks. */
static void host_timer(void *ctx, CPU *cpu, unsigned n, uint64_t ns)
{
    struct machine *m = ctx;
    struct cpu_timer *t = &m->cpus[cpu->v->index].timer[n];
    if (n >= CPU_TIMERS) return;
    __atomic_store_n(&t->deadline, ns, __ATOMIC_SEQ_CST);
    if (ns == TIMER_NEVER || __atomic_load_n(&t->armed, __ATOMIC_SEQ_CST) <= ns) return;
    bool mine = loop_locked_by_me(m->b.loop);
    if (!mine) loop_lock(m->b.loop);
    uint64_t when = __atomic_load_n(&t->deadline, __ATOMIC_SEQ_CST);
    if (when < t->armed) {
        __atomic_store_n(&t->armed, when, __ATOMIC_SEQ_CST);
        timer_set(&t->timer, when);
    }
    CPU *runs = m->cfg.icount ? __atomic_load_n(&m->vcpus->slice_cpu, __ATOMIC_ACQUIRE) : NULL;
    if (runs && when < m->vcpus->slice_end) cpu_kick(runs);
    if (!mine) loop_unlock(m->b.loop);
}

static void host_power(void *ctx, enum sys_power what, int status)
{
    machine_request(ctx, what == SYS_RESET ? BOARD_RESET : BOARD_SHUTDOWN, what == SYS_CRASH && !status ? 1 : status);
}

static CPU *host_cpu(void *ctx, unsigned index)
{
    return machine_cpu(ctx, index);
}

static int host_cpu_on(void *ctx, unsigned index, uint64_t pc, uint64_t arg, uint64_t how)
{
    struct machine *m = ctx;
    if (index >= m->ncpus) return -ENOENT;
    struct machine_cpu *mc = &m->cpus[index];
    pthread_mutex_lock(&mc->lock);
    bool was = mc->on;
    if (!was) {
        mc->start_pc = pc;
        mc->start_arg = arg;
        mc->start_how = how;
        mc->on = mc->start = true;
        pthread_cond_signal(&mc->cond);
    }
    pthread_mutex_unlock(&mc->lock);
    return was ? -EALREADY : 0;
}

static int host_cpu_off(void *ctx, CPU *self)
{
    struct machine_cpu *mc = &((struct machine *)ctx)->cpus[self->v->index];
    pthread_mutex_lock(&mc->lock);
    mc->on = false;
    pthread_mutex_unlock(&mc->lock);
    return 0;
}

static bool host_is_on(void *ctx, unsigned index)
{
    return machine_cpu_on(ctx, index);
}

static uint64_t host_random(void *ctx)
{
    uint64_t v = 0;
    if (getrandom(&v, sizeof v, 0) != sizeof v) v = (uint64_t)clock_now(&((struct machine *)ctx)->guest_clock);
    return v;
}

static const struct sys_host host_ops = {
    .wake = wake, .now = host_now, .timer = host_timer, .power = host_power, .cpu = host_cpu, .cpu_on = host_cpu_on,
    .cpu_off = host_cpu_off, .is_on = host_is_on, .random = host_random,
};

const struct sys_host *machine_sys_host(void)
{
    return &host_ops;
}

/* --- threads --------------------------------------------------------------------------------------------------------------------- */

static bool must_stop(struct vcpus *vs)
{
    return __atomic_load_n(&vs->stop, __ATOMIC_SEQ_CST) != 0;
}

/* Waits until the machine runs; false: the thread ends. */
static bool park(struct machine_cpu *mc)
{
    struct vcpus *vs = mc->m->vcpus;
    pthread_mutex_lock(&vs->lock);
    if (must_stop(vs)) {
        vs->parked++;
        pthread_cond_signal(&vs->parked_cond);
        while (must_stop(vs) && !vs->quit) pthread_cond_wait(&vs->go_cond, &vs->lock);
        vs->parked--;
    }
    bool go = !vs->quit;
    pthread_mutex_unlock(&vs->lock);
    return go;
}

/* Until there is something to do: work for a halted CPU, an order for one that is off, a stop. */
static void sleep_cpu(struct machine_cpu *mc)
{
    struct vcpus *vs = mc->m->vcpus;
    CPU *cpu = mc->cpu;
    pthread_mutex_lock(&mc->lock);
    __atomic_store_n(&mc->asleep, 1, __ATOMIC_SEQ_CST);
    while (!must_stop(vs) && (mc->hold || (!mc->start && (!mc->on || (mc->halted && !cpu->v->sys->has_work(cpu))))))
        pthread_cond_wait(&mc->cond, &mc->lock);
    __atomic_store_n(&mc->asleep, 0, __ATOMIC_SEQ_CST);
    bool start = mc->start && !must_stop(vs), work = mc->on && mc->halted && !mc->start && cpu->v->sys->has_work(cpu);
    if (start) mc->start = mc->halted = false;
    if (work) mc->halted = false;
    pthread_mutex_unlock(&mc->lock);
    if (start) cpu->v->sys->start(cpu, mc->start_pc, mc->start_arg, mc->start_how);
    else if (work) cpu->v->sys->interrupt(cpu);
}

static void kick_all(struct machine *m)
{
    if (m->cfg.icount) poke(m->vcpus);
    for (unsigned i = 0; i < m->ncpus; i++) {
        struct machine_cpu *mc = &m->cpus[i];
        if (mc->cpu) cpu_kick(mc->cpu);
        pthread_mutex_lock(&mc->lock);
        pthread_cond_signal(&mc->cond);
        pthread_mutex_unlock(&mc->lock);
    }
}

/*
 * A breakpoint or a step: the machine stops from here on, and who asked for it is told on the loop's thread. Another CPU that came to
 * one at the same moment comes to it again.
 */
static void debug_stop(struct machine_cpu *mc)
{
    struct machine *m = mc->m;
    loop_lock(m->b.loop);
    if (m->on_debug && m->state == RUN_RUNNING && !m->debug_cpu) {
        m->debug_cpu = mc->cpu;
        __atomic_add_fetch(&m->vcpus->stop, 1, __ATOMIC_SEQ_CST);
        kick_all(m);
        loop_defer(&m->work);
    }
    loop_unlock(m->b.loop);
}

/* What the guest's exception model has no answer for. */
static void left_alone(struct machine_cpu *mc, enum cpu_exc exc)
{
    struct machine *m = mc->m;
    CPU *cpu = mc->cpu;
    if (exc == EXC_GUEST && cpu->v->exc_code == GX_SEMIHOST && m->semihost) {
        loop_lock(m->b.loop);
        bool done = m->semihost(m->semihost_ctx, cpu);
        loop_unlock(m->b.loop);
        if (done) return;
    }
    if (m->on_debug && (exc == EXC_BREAK || exc == EXC_DEBUG)) {
        debug_stop(mc);
        return;
    }
    log_write("CPU %u: unhandled exception %d, code %#x, at pc %#llx\n", mc->index, exc, cpu->v->exc_code, (unsigned long long)cpu->pc);
    pthread_mutex_lock(&mc->lock);
    mc->on = false;
    pthread_mutex_unlock(&mc->lock);
    machine_request(m, BOARD_SHUTDOWN, 1);
}

/* First come, first served; who waits for longer than a turn has the one that runs leave. */
static void take_turn(struct machine_cpu *mc)
{
    struct vcpus *vs = mc->m->vcpus;
    pthread_mutex_lock(&vs->turn_lock);
    uint32_t mine = vs->ticket++;
    while (vs->serving != mine) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += TURN_NS;
        if (t.tv_nsec >= NS_PER_S) t.tv_nsec -= NS_PER_S, t.tv_sec++;
        if (pthread_cond_timedwait(&vs->turn_cond, &vs->turn_lock, &t) == ETIMEDOUT && vs->runs) cpu_kick(vs->runs->cpu);
    }
    vs->runs = mc;
    pthread_mutex_unlock(&vs->turn_lock);
}

static void give_turn(struct machine_cpu *mc)
{
    struct vcpus *vs = mc->m->vcpus;
    pthread_mutex_lock(&vs->turn_lock);
    vs->runs = NULL;
    vs->serving++;
    pthread_cond_broadcast(&vs->turn_cond);
    pthread_mutex_unlock(&vs->turn_lock);
}

static bool is_idle(struct machine_cpu *mc)
{
    pthread_mutex_lock(&mc->lock);
    bool idle = !mc->on || mc->halted || mc->start || mc->hold;
    pthread_mutex_unlock(&mc->lock);
    return idle;
}

static void after_run(struct machine_cpu *mc, enum cpu_exc exc)
{
    if (exc == EXC_REQUEST) return;
    if (exc == EXC_GUEST && mc->cpu->v->exc_code == GX_HALT) mc->halted = true; /* only this thread looks at it while it runs */
    else if (exc == EXC_DEBUG) debug_stop(mc);
    else left_alone(mc, exc);
}

static void *run(void *arg)
{
    struct machine_cpu *mc = arg;
    char name[16];
    snprintf(name, sizeof name, "CPU %u", mc->index);
    pthread_setname_np(pthread_self(), name);
    __atomic_store_n(&mc->tid, (int)syscall(SYS_gettid), __ATOMIC_RELAXED);
    while (park(mc)) {
        if (is_idle(mc)) {
            sleep_cpu(mc);
            continue;
        }
        bool turns = mc->m->cfg.one_thread && mc->m->ncpus > 1;
        if (turns) take_turn(mc);
        enum cpu_exc exc = cpu_run(mc->cpu);
        if (turns) give_turn(mc);
        after_run(mc, exc);
        if (mc->halted) sleep_cpu(mc);
    }
    return NULL;
}

/* --- icount: one thread ----------------------------------------------------------------------------------------------------- */

/* Ends sleeps; true: it can run. */
static bool icount_ready(struct machine_cpu *mc)
{
    CPU *cpu = mc->cpu;
    pthread_mutex_lock(&mc->lock);
    bool start = mc->start && !mc->hold, work = mc->on && mc->halted && !mc->start && cpu->v->sys->has_work(cpu);
    if (start) mc->start = mc->halted = false;
    if (work) mc->halted = false;
    bool ready = mc->on && !mc->halted && !mc->start && !mc->hold;
    pthread_mutex_unlock(&mc->lock);
    if (start) cpu->v->sys->start(cpu, mc->start_pc, mc->start_arg, mc->start_how);
    else if (work) cpu->v->sys->interrupt(cpu);
    return ready;
}

/* Runs the timers that are due; the time that is left until the next. */
static uint64_t icount_timers(struct machine *m)
{
    loop_lock(m->b.loop);
    while (clock_run(&m->guest_clock)) continue;
    uint64_t now = clock_now(&m->guest_clock), next = clock_next_deadline(&m->guest_clock);
    m->vcpus->slice_end = next;
    loop_unlock(m->b.loop);
    return next == TIMER_NEVER ? TIMER_NEVER : next > now ? next - now : 0;
}

static void icount_slice(struct machine_cpu *mc, uint64_t left)
{
    struct machine *m = mc->m;
    struct vcpus *vs = m->vcpus;
    uint64_t *count = cpu_insns_left(mc->cpu), n = SLICE_INSNS;
    if (left != TIMER_NEVER) n = MIN(n, MAX(1u, (left + (1ull << m->cfg.icount_shift) - 1) >> m->cfg.icount_shift));
    *count = n;
    __atomic_store_n(&vs->budget, n, __ATOMIC_RELAXED);
    __atomic_store_n(&vs->slice_cpu, mc->cpu, __ATOMIC_RELEASE);
    enum cpu_exc exc = cpu_run(mc->cpu);
    bool counted = exc == EXC_DEBUG && mc->cpu->v->exc_code == EXD_COUNT;
    loop_lock(m->b.loop); /* the sum does not change for who reads the clock under it */
    __atomic_store_n(&vs->slice_cpu, NULL, __ATOMIC_RELEASE);
    __atomic_store_n(&vs->done, vs->done + (n - *count), __ATOMIC_RELAXED);
    loop_unlock(m->b.loop);
    if (!counted) after_run(mc, exc);
}

/* Nobody can run: until the next deadline, or until something happens. */
static void icount_idle(struct machine *m, uint64_t left, uint64_t pokes)
{
    struct vcpus *vs = m->vcpus;
    if (left != TIMER_NEVER && m->cfg.icount_nosleep) {
        loop_lock(m->b.loop);
        if (!must_stop(vs)) clock_warp(&m->guest_clock, left);
        loop_unlock(m->b.loop);
        return;
    }
    uint64_t step = MIN(left, (uint64_t)IDLE_STEP_NS);
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += (long)step;
    if (t.tv_nsec >= NS_PER_S) t.tv_nsec -= NS_PER_S, t.tv_sec++;
    pthread_mutex_lock(&vs->turn_lock);
    int r = 0;
    while (vs->pokes == pokes && r != ETIMEDOUT) r = pthread_cond_timedwait(&vs->turn_cond, &vs->turn_lock, &t);
    pthread_mutex_unlock(&vs->turn_lock);
    loop_lock(m->b.loop);
    if (r == ETIMEDOUT && !must_stop(vs)) clock_warp(&m->guest_clock, step);
    loop_unlock(m->b.loop);
}

static void *run_icount(void *arg)
{
    struct machine_cpu *first = arg;
    struct machine *m = first->m;
    struct vcpus *vs = m->vcpus;
    pthread_setname_np(pthread_self(), "CPUs");
    for (unsigned i = 0; i < m->ncpus; i++) __atomic_store_n(&m->cpus[i].tid, (int)syscall(SYS_gettid), __ATOMIC_RELAXED);
    while (park(first)) {
        bool ran = false;
        pthread_mutex_lock(&vs->turn_lock);
        uint64_t pokes = vs->pokes;
        pthread_mutex_unlock(&vs->turn_lock);
        for (unsigned i = 0; i < m->ncpus && !must_stop(vs); i++) {
            uint64_t left = icount_timers(m);
            if (!icount_ready(&m->cpus[i])) continue;
            icount_slice(&m->cpus[i], left);
            ran = true;
        }
        if (ran || must_stop(vs)) continue;
        icount_idle(m, icount_timers(m), pokes);
    }
    return NULL;
}

int vcpus_new(struct machine *m, struct err *e)
{
    struct vcpus *vs = m->vcpus = xalloc(sizeof *vs);
    pthread_mutex_init(&vs->lock, NULL);
    pthread_cond_init(&vs->parked_cond, NULL);
    pthread_cond_init(&vs->go_cond, NULL);
    pthread_mutex_init(&vs->turn_lock, NULL);
    pthread_cond_init(&vs->turn_cond, NULL);
    vs->stop = 1; /* the machine is born paused */
    m->cpus = xalloc(m->ncpus * sizeof *m->cpus);
    for (unsigned i = 0; i < m->ncpus; i++) {
        struct machine_cpu *mc = &m->cpus[i];
        mc->m = m;
        mc->index = i;
        pthread_mutex_init(&mc->lock, NULL);
        pthread_cond_init(&mc->cond, NULL);
        for (unsigned n = 0; n < CPU_TIMERS; n++) {
            mc->timer[n].mc = mc;
            mc->timer[n].deadline = mc->timer[n].armed = TIMER_NEVER;
            timer_init(&mc->timer[n].timer, &m->guest_clock, timer_due, &mc->timer[n]);
        }
    }
    for (unsigned i = 0; i < m->ncpus; i++) {
        const char *model = m->type->cpu_model ? m->type->cpu_model(m, i) : m->cfg.cpu;
        m->cpus[i].cpu = cpu_new_sys(m->engine, model, i, m->b.space, e);
        if (!m->cpus[i].cpu) return -EINVAL;
    }
    if (m->cfg.icount) {
        static const struct engine_probes count = { .count = true };
        engine_probe(m->engine, &count);
        clock_set_source(&m->guest_clock, icount_now, m);
    }
    return 0;
}

int vcpus_start_threads(struct machine *m, struct err *e)
{
    for (unsigned i = 0; i < (m->cfg.icount ? 1 : m->ncpus); i++) {
        int r = pthread_create(&m->cpus[i].thread, NULL, m->cfg.icount ? run_icount : run, &m->cpus[i]);
        if (r) return err_set(e, r, "cannot start a thread for CPU %u: %s", i, strerror(r));
        m->vcpus->threads++;
    }
    return 0;
}

void machine_stop_cpus(struct machine *m)
{
    struct vcpus *vs = m->vcpus;
    __atomic_add_fetch(&vs->stop, 1, __ATOMIC_SEQ_CST);
    kick_all(m);
    loop_unlock(m->b.loop);
    pthread_mutex_lock(&vs->lock);
    while (vs->parked < vs->threads) pthread_cond_wait(&vs->parked_cond, &vs->lock);
    pthread_mutex_unlock(&vs->lock);
    loop_lock(m->b.loop);
}

void machine_resume_cpus(struct machine *m)
{
    struct vcpus *vs = m->vcpus;
    pthread_mutex_lock(&vs->lock);
    if (vs->stop && __atomic_sub_fetch(&vs->stop, 1, __ATOMIC_SEQ_CST) == 0) pthread_cond_broadcast(&vs->go_cond);
    pthread_mutex_unlock(&vs->lock);
}

void vcpus_free(struct machine *m)
{
    struct vcpus *vs = m->vcpus;
    if (!vs) return;
    machine_stop_cpus(m);
    pthread_mutex_lock(&vs->lock);
    vs->quit = true;
    pthread_cond_broadcast(&vs->go_cond);
    pthread_mutex_unlock(&vs->lock);
    for (unsigned i = 0; i < vs->threads; i++) pthread_join(m->cpus[i].thread, NULL);
    for (unsigned i = 0; i < m->ncpus; i++) {
        struct machine_cpu *mc = &m->cpus[i];
        for (unsigned n = 0; n < CPU_TIMERS; n++) timer_cancel(&mc->timer[n].timer);
        if (mc->cpu) cpu_free(mc->cpu);
        pthread_mutex_destroy(&mc->lock);
        pthread_cond_destroy(&mc->cond);
    }
    pthread_mutex_destroy(&vs->lock);
    pthread_cond_destroy(&vs->parked_cond);
    pthread_cond_destroy(&vs->go_cond);
    pthread_mutex_destroy(&vs->turn_lock);
    pthread_cond_destroy(&vs->turn_cond);
    free(m->cpus);
    free(vs);
    m->cpus = NULL;
    m->vcpus = NULL;
}

/* --- state -------------------------------------------------------------------------------------------------------------------------- */

CPU *machine_cpu(struct machine *m, unsigned i)
{
    return i < m->ncpus ? m->cpus[i].cpu : NULL;
}

bool machine_cpu_on(struct machine *m, unsigned i)
{
    if (i >= m->ncpus) return false;
    pthread_mutex_lock(&m->cpus[i].lock);
    bool on = m->cpus[i].on;
    pthread_mutex_unlock(&m->cpus[i].lock);
    return on;
}

bool machine_cpu_halted(struct machine *m, unsigned i)
{
    return i < m->ncpus && __atomic_load_n(&m->cpus[i].asleep, __ATOMIC_RELAXED);
}

void machine_cpu_hold(struct machine *m, unsigned i, bool hold)
{
    if (i < m->ncpus) m->cpus[i].hold = hold;
}

int machine_cpu_thread(struct machine *m, unsigned i)
{
    return i < m->ncpus ? __atomic_load_n(&m->cpus[i].tid, __ATOMIC_RELAXED) : 0;
}

void machine_cpu_begin(struct machine *m, unsigned i, uint64_t pc, uint64_t arg, bool on)
{
    if (i >= m->ncpus) return;
    m->cpus[i].cpu->v->reset_pc = pc;
    m->cpus[i].cpu->v->reset_arg = arg;
    m->cpus[i].begin_on = on;
}

void vcpus_reset(struct machine *m)
{
    for (unsigned i = 0; i < m->ncpus; i++) {
        struct machine_cpu *mc = &m->cpus[i];
        for (unsigned n = 0; n < CPU_TIMERS; n++) {
            timer_cancel(&mc->timer[n].timer);
            mc->timer[n].deadline = mc->timer[n].armed = TIMER_NEVER;
        }
        mc->halted = mc->start = false;
        mc->on = mc->begin_on;
        mc->cpu->v->sys->reset(mc->cpu);
    }
}

static void cpu_line(void *ctx, unsigned n, bool level)
{
    CPU *cpu = ctx;
    cpu->v->sys->set_line(cpu, n, level);
}

int machine_wire_cpu(struct machine *m, struct dev *d, unsigned out, unsigned cpu, const char *line, struct err *e)
{
    const char *const *names = m->guest->sys->lines;
    if (cpu >= m->ncpus) return err_set(e, EINVAL, "machine '%s' has no CPU %u", m->type->name, cpu);
    for (unsigned i = 0; names && names[i]; i++)
        if (!strcmp(names[i], line)) {
            dev_connect_fn(d, out, cpu_line, m->cpus[cpu].cpu, i);
            return 0;
        }
    return err_set(e, EINVAL, "CPUs of %s have no line '%s'", m->guest->name, line);
}
