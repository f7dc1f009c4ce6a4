/*
 * run.c: lyre_run and the hooks. The address to stop at is a breakpoint of the engine, which stops every CPU of the machine: one
 * that it is not meant for steps over it.
 */
#include "api/api.h"

#include <signal.h>
#include <stdlib.h>

__thread struct lyre_cpu *api_running __attribute__((tls_model("initial-exec")));

/* --- where to stop -------------------------------------------------------------------------------------- */

static bool is_until_of_another(const struct lyre_cpu *c, uint64_t addr)
{
    for (const struct lyre_cpu *o = c->m->cpus; o; o = o->next)
        if (o != c && o->until == addr) return true;
    return false;
}

/* The machine's lock is held. */
void api_drop_until(struct lyre_cpu *c)
{
    if (c->until != LYRE_NOWHERE && !is_until_of_another(c, c->until)) engine_breakpoint(c->m->engine, c->until, false);
    c->until = LYRE_NOWHERE;
}

/* It stays between runs: setting it again would drop the code around it each time. */
static void set_until(struct lyre_cpu *c, uint64_t addr)
{
    if (c->until == addr) return;
    api_drop_until(c);
    if (addr != LYRE_NOWHERE && !is_until_of_another(c, addr)) engine_breakpoint(c->m->engine, addr, true);
    c->until = addr;
}

static void count_from_now_on(lyre_machine *m)
{
    if (m->probes.count) return;
    m->probes.count = true;
    engine_probe(m->engine, &m->probes);
    engine_invalidate(m->engine, 0, ~0ull);
}

/* --- hooks ---------------------------------------------------------------------------------------------- */

static bool is_hooked(void *ctx, uint64_t pc)
{
    const lyre_machine *m = ctx;
    for (const struct lyre_hook *h = m->code_hooks; h; h = h->next)
        if (pc - h->first <= h->last - h->first) return true;
    return false;
}

/* struct engine_probes.hook */
static bool call_code_hooks(void *ctx, CPU *cpu)
{
    const lyre_machine *m = ctx;
    struct lyre_cpu *c = cpu->v->user;
    uint64_t pc = cpu->pc;
    bool again = c->skip && c->skip_pc == pc;
    c->skip = false;
    if (again) return false;
    c->changed = false;
    for (const struct lyre_hook *h = m->code_hooks; h && cpu->pc == pc; h = h->next)
        if (pc - h->first <= h->last - h->first) h->code(c, pc, h->data);
    if (!c->changed && !__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) return false;
    c->skip = cpu->pc == pc;
    c->skip_pc = pc;
    return true;
}

static bool call_exception_hooks(struct lyre_cpu *c, const lyre_exit *e)
{
    for (const struct lyre_hook *h = c->m->exception_hooks; h; h = h->next)
        if (h->exception(c, e, h->data)) return true;
    return false;
}

/* Code hooks, or what they hook, changed: the machine's lock is held, nothing runs. */
static void hooks_changed(lyre_machine *m, const struct lyre_hook *h)
{
    if (!h->code) return;
    m->probes.wanted = is_hooked;
    m->probes.hook = call_code_hooks;
    m->probes.ctx = m;
    engine_probe(m->engine, &m->probes);
    engine_invalidate(m->engine, h->first, h->last == ~0ull ? h->last : h->last + 1);
    for (struct lyre_cpu *c = m->cpus; c; c = c->next) c->skip = false;
}

static lyre_hook *add_hook(lyre_machine *m, const struct lyre_hook *from, lyre_error *e)
{
    struct lyre_hook *h = NULL;
    pthread_mutex_lock(&m->lock);
    if (m->running) {
        err_set(api_err(e), EBUSY, "a CPU of the machine is running");
    } else {
        h = xalloc(sizeof *h);
        *h = *from;
        h->m = m;
        struct lyre_hook **p = h->list;
        while (*p) p = &(*p)->next; /* called in the order in which they came */
        *p = h;
        hooks_changed(m, h);
    }
    pthread_mutex_unlock(&m->lock);
    return h;
}

lyre_hook *lyre_hook_code(lyre_machine *m, uint64_t first, uint64_t last, lyre_code_hook *fn, void *data, lyre_error *e)
{
    if (first > last) {
        err_set(api_err(e), EINVAL, "the first address is above the last");
        return NULL;
    }
    return add_hook(m, &(struct lyre_hook){ .list = &m->code_hooks, .first = first, .last = last, .code = fn, .data = data }, e);
}

lyre_hook *lyre_hook_exception(lyre_machine *m, lyre_exception_hook *fn, void *data, lyre_error *e)
{
    return add_hook(m, &(struct lyre_hook){ .list = &m->exception_hooks, .exception = fn, .data = data }, e);
}

int lyre_unhook(lyre_hook *h)
{
    if (!h) return 0;
    lyre_machine *m = h->m;
    int r = 0;
    pthread_mutex_lock(&m->lock);
    if (m->running) {
        r = -EBUSY;
    } else {
        struct lyre_hook **p = h->list;
        while (*p != h) p = &(*p)->next;
        *p = h->next;
        hooks_changed(m, h);
        free(h);
    }
    pthread_mutex_unlock(&m->lock);
    return r;
}

/* --- running -------------------------------------------------------------------------------------------- */

static lyre_reason reason_of(enum cpu_exc exc)
{
    static const uint8_t reason[] = {
        [EXC_SYSCALL] = LYRE_EXIT_SYSCALL, [EXC_BREAK] = LYRE_EXIT_BREAK, [EXC_ILLEGAL] = LYRE_EXIT_ILLEGAL,
        [EXC_FAULT] = LYRE_EXIT_FAULT, [EXC_ALIGN] = LYRE_EXIT_ALIGN, [EXC_FP] = LYRE_EXIT_FP, [EXC_GUEST] = LYRE_EXIT_GUEST,
    };
    return (lyre_reason)reason[exc];
}

static void describe(const struct lyre_cpu *c, enum cpu_exc exc, lyre_exit *e)
{
    const struct vcpu *v = c->cpu->v;
    e->reason = reason_of(exc);
    if (exc != EXC_FAULT && exc != EXC_ALIGN) {
        e->code = v->exc_code;
        return;
    }
    e->address = v->fault_addr;
    if (exc == EXC_ALIGN) return;
    e->access = v->exc_code & EXF_EXEC ? LYRE_EXEC : v->exc_code & EXF_WRITE ? LYRE_WRITE : LYRE_READ;
    e->mapped = gmem_flags(c->m->mem, e->address) != 0;
}

/* Over a breakpoint that is another CPU's. */
static enum cpu_exc step(CPU *cpu)
{
    cpu->v->single_step = true;
    cpu->v->exc_code = 0;
    enum cpu_exc exc = cpu_run(cpu);
    cpu->v->single_step = false;
    return exc == EXC_DEBUG && cpu->v->exc_code != EXD_COUNT ? EXC_NONE : exc;
}

/* Until there is something to tell; hooks may decide that there is not. */
static void run(struct lyre_cpu *c, uint64_t limit, lyre_exit *e)
{
    CPU *cpu = c->cpu;
    uint64_t *left = cpu_insns_left(cpu);
    *left = limit ? limit : UINT64_MAX;
    do {
        enum cpu_exc exc = EXC_NONE;
        *e = (lyre_exit){ .size = sizeof *e };
        if (__atomic_exchange_n(&c->stop, false, __ATOMIC_ACQ_REL)) {
            e->reason = LYRE_EXIT_STOP;
        } else {
            exc = cpu_run(cpu);
            if (exc == EXC_DEBUG && cpu->v->exc_code != EXD_COUNT && cpu->pc != c->until) exc = step(cpu);
            if (exc == EXC_DEBUG)
                e->reason = cpu->v->exc_code == EXD_COUNT ? LYRE_EXIT_LIMIT : LYRE_EXIT_UNTIL;
            else if (exc > EXC_REQUEST)
                describe(c, exc, e);
        }
        e->pc = cpu->pc;
        e->instructions = limit ? limit - *left : 0;
    } while (!e->reason || (e->reason >= LYRE_EXIT_SYSCALL && call_exception_hooks(c, e)));
}

int lyre_run(lyre_cpu *c, uint64_t until, uint64_t limit, lyre_exit *exit)
{
    lyre_machine *m = c->m;
    lyre_exit e;
    sigset_t faults, before;
    if (api_running) return -EBUSY;
    pthread_mutex_lock(&m->lock);
    if (c->running) {
        pthread_mutex_unlock(&m->lock);
        return -EBUSY;
    }
    c->running = true;
    m->running++;
    set_until(c, until);
    if (limit) count_from_now_on(m);
    pthread_mutex_unlock(&m->lock);

    sigemptyset(&faults);
    sigaddset(&faults, SIGSEGV);
    sigaddset(&faults, SIGBUS);
    pthread_sigmask(SIG_UNBLOCK, &faults, &before);
    api_running = c;
    if (c->skip && c->cpu->pc != c->skip_pc) c->skip = false;
    run(c, limit, &e);
    api_running = NULL;
    if (sigismember(&before, SIGSEGV) || sigismember(&before, SIGBUS)) pthread_sigmask(SIG_SETMASK, &before, NULL);

    pthread_mutex_lock(&m->lock);
    c->running = false;
    m->running--;
    pthread_mutex_unlock(&m->lock);
    if (exit) API_FILL(exit, e);
    return 0;
}

void lyre_stop(lyre_cpu *c)
{
    __atomic_store_n(&c->stop, true, __ATOMIC_RELEASE);
    cpu_kick(c->cpu);
}
