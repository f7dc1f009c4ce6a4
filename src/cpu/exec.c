/*
 * exec.c: the loop around generated code, and the ways out of it: exits, requests, faults of generated code (deopt map)
 * and of C on the guest's behalf (back to cpu_run by siglongjmp).
 */
#include "cpu/engine.h"

#include <sched.h>
#include <signal.h>
#include <ucontext.h>

#define QUIESCENT_ALWAYS UINT64_MAX

static void jc_clear(struct vcpu *v)
{
    for (unsigned i = 0; i < JC_SIZE; i++) v->jc[i] = (struct jc_entry){ jc_empty(i), NULL };
}

/*
 * From here on the CPU holds no reference to any region that existed before. The look-ups that follow must not be ordered
 * before the store: the evictor sees to that (cache.c, membarrier), or where the host cannot, the fence here.
 */
static void quiesce(struct engine *en, struct vcpu *v)
{
    __atomic_store_n(&v->quiescent, __atomic_load_n(&en->epoch, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
    if (unlikely(!en->membarrier)) __atomic_thread_fence(__ATOMIC_SEQ_CST);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* The CPU is outside generated code, perhaps for long. */
static void quiesce_always(struct vcpu *v)
{
    __atomic_store_n(&v->quiescent, QUIESCENT_ALWAYS, __ATOMIC_RELEASE);
}

void exec_lock(struct engine *en, struct vcpu *v)
{
    if (!pthread_mutex_trylock(&en->lock)) return;
    quiesce_always(v);
    pthread_mutex_lock(&en->lock);
    quiesce(en, v);
}

void exec_relock(struct engine *en, struct vcpu *v)
{
    quiesce_always(v);
    pthread_mutex_unlock(&en->lock);
    sched_yield();
    pthread_mutex_lock(&en->lock);
    quiesce(en, v);
}

/* What the CPU remembers of the region it came from counts only if nothing was evicted since. Caller holds the lock. */
static bool came_from_is_valid(const struct engine *en, const struct vcpu *v)
{
    return en->evictions == v->evictions;
}

/* Code that has hardly run is walked, not translated. Its entries share the counter of a first translation. */
static bool is_cold(const struct engine *en, struct vcpu *v)
{
    if (!en->walk || v->single_step || en->nbreakpoints) return false;
    uint16_t *n = (uint16_t *)(void *)((char *)v->cpu + engine_counter(en, v->cpu->pc));
    if (*n >= en->cfg.warmup * COUNT_STEP) return false;
    *n = (uint16_t)(*n + COUNT_STEP);
    return true;
}

/* hot: the region that starts here was left because it is entered often. NULL with *walk: the code is cold. */
static struct region *find_or_translate(struct engine *en, struct vcpu *v, uint64_t key, bool hot, bool *walk)
{
    CPU *cpu = v->cpu;
    uint64_t inserted = __atomic_load_n(&en->ninserted, __ATOMIC_ACQUIRE);
    struct region *r = v->single_step ? NULL : cache_find(en, v, cpu->pc, cpu->mode, key);
    __atomic_fetch_add(&en->stats.lookups, 1, __ATOMIC_RELAXED);
    if (r && !v->chain_from && !hot) return r;
    if (!r && !hot && is_cold(en, v)) {
        v->chain_from = NULL;
        *walk = true;
        return NULL;
    }
    exec_lock(en, v);
    if (!v->single_step && (r || en->ninserted != inserted)) r = cache_find(en, v, cpu->pc, cpu->mode, key);
    if (hot && v->left && came_from_is_valid(en, v) && v->left->counter && v->left != r) cache_kill(en, v->left);
    v->left = NULL;
    if (r && hot && r->counter) {
        cache_kill(en, r);
        r = NULL;
    }
    if (!r) r = region_translate(en, v, cpu->pc, cpu->mode, v->single_step ? 1 : en->cfg.max_insns, !hot);
    if (r && !v->single_step && v->chain_from && came_from_is_valid(en, v)) cache_chain(en, v->chain_from, r);
    v->chain_from = NULL;
    pthread_mutex_unlock(&en->lock);
    return r;
}

/* Enters a region into the jump cache. It may be killed at the same time: either the killer sees the entry or we see dead. */
static void jc_fill(struct vcpu *v, struct region *r, uint64_t tag)
{
    struct jc_entry *j = &v->jc[jc_slot(r->pc, v->insn4)];
    __atomic_store_n(&j->tag, jc_empty(jc_slot(r->pc, v->insn4)), __ATOMIC_RELEASE);
    __atomic_store_n(&j->code, r->code, __ATOMIC_RELEASE);
    __atomic_store_n(&j->tag, r->pc ^ cpu_mode_tag(r->mode) ^ tag, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&r->dead, __ATOMIC_SEQ_CST)) __atomic_store_n(&j->tag, jc_empty(jc_slot(r->pc, v->insn4)), __ATOMIC_RELEASE);
}

static void log_entry(struct vcpu *v, const struct region *r)
{
    log_write("exec %#llx mode %#x insns %u\n", (unsigned long long)r->pc, r->mode, r->ninsns);
    if (!(log_mask & LOG_CPU)) return;
    for (unsigned i = 0, col = 0; i < v->guest->nregs; i++) {
        const struct guest_reg *g = &v->guest->regs[i];
        const char *home = (const char *)v->cpu + g->offset;
        uint64_t val = 0, hi = 0;
        if (!g->bits || g->bits > 128) continue;
        if (g->get) {
            val = g->get(v->cpu);
        } else {
            memcpy(&val, home, MIN(g->bits / 8u, 8u));
            if (g->bits == 128) memcpy(&hi, home + 8, 8);
        }
        if (g->bits == 128)
            log_write(" %s=%016llx%016llx%s", g->name, (unsigned long long)hi, (unsigned long long)val, ++col % 2 ? "" : "\n");
        else
            log_write(" %s=%llx%s", g->name, (unsigned long long)val, ++col % 4 ? "" : "\n");
    }
    log_write("\n");
}

/* System mode: the key of the code at the CPU's pc. False: the fetch faults. */
static bool code_key(struct vcpu *v, uint64_t *key)
{
    struct code_page p;
    if (!soft_code_page(v, v->cpu->pc, false, &p)) return false;
    *key = code_page_key(&p);
    return true;
}

/*
 * Code of the pc that the CPU came to outside generated code: the jump cache is asked first, as generated code does. NULL:
 * there is none; either it is cold (*walk), or v->exc says why.
 */
static void *next_code(struct engine *en, struct vcpu *v, bool hot, bool *walk)
{
    CPU *cpu = v->cpu;
    const struct jc_entry *j = &v->jc[jc_slot(cpu->pc, v->insn4)];
    bool reuse = !hot && !v->chain_from && !v->single_step;
    if (reuse && __atomic_load_n(&j->tag, __ATOMIC_ACQUIRE) == (cpu->pc ^ cpu_mode_tag(cpu->mode) ^ soft_tag(v))) return j->code;
    uint64_t key = 0, flushes = v->soft ? soft_flushes(v) : 0;
    if (v->soft && !code_key(v, &key)) return NULL;
    struct region *r = find_or_translate(en, v, key, hot, walk);
    if (!r) return NULL;
    if (LOGS_CODE(LOG_EXEC, r->pc)) log_entry(v, r);
    if (en->cfg.nochain || v->single_step) return r->code;
    for (uint32_t i = 0; v->soft && i < r->npages; i++) soft_note_exec(v, r->page[i].va);
    uint64_t tag = soft_tag(v);
    if (!v->soft || soft_flushes(v) == flushes) jc_fill(v, r, tag); /* else the flush may have been about this code */
    return r->code;
}

static void log_exc(const struct vcpu *v, enum cpu_exc exc)
{
    LOG(LOG_INT, "exception %d code %#x pc %#llx addr %#llx\n", exc, v->exc_code, (unsigned long long)v->cpu->pc,
        (unsigned long long)v->fault_addr);
}

static enum cpu_exc run_loop(struct engine *en, struct vcpu *v)
{
    CPU *cpu = v->cpu;
    if (v->single_step) jc_clear(v); /* a computed jump must come back here */
    v->watch_hit = NULL;
    bool hot = false;
    for (bool first = true;; first = false) {
        v->evictions = __atomic_load_n(&en->evictions, __ATOMIC_ACQUIRE); /* before others may evict what we came from */
        quiesce(en, v);
        if (unlikely(__atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED))) {
            uint32_t req = __atomic_exchange_n(&cpu->exit_request, 0, __ATOMIC_SEQ_CST);
            v->chain_from = NULL;
            if (req & REQ_EMBEDDER) return EXC_REQUEST;
            if (req & REQ_IRQ && v->single_step)
                v->irq_waits = true; /* a step is of the program, not into a handler */
            else if (req & REQ_IRQ && v->sys)
                v->sys->interrupt(cpu);
        }
        if (v->single_step && !first) return EXC_DEBUG;
        bool walk = false;
        void *code = next_code(en, v, hot, &walk);
        if (!code && !walk) return v->exc;
        v->in_code = true;
        enum cpu_exc exc = walk ? region_walk(en, v) : en->host->enter(en->hh, cpu, code);
        v->in_code = false;
        if (exc == EXC_SYSCALL && en->cfg.syscall && !v->single_step) {
            log_exc(v, exc);
            quiesce_always(v);
            if (!en->cfg.syscall(cpu)) return EXC_REQUEST;
            hot = false;
            continue;
        }
        if (exc > EXC_REQUEST) return exc;
        hot = exc == EXC_REQUEST && !__atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED);
        if (!hot) v->left = NULL;
    }
}

enum cpu_exc cpu_run(CPU *cpu)
{
    struct vcpu *v = cpu->v;
    bool again;
    do {
        v->chain_from = NULL;
        if (sigsetjmp(v->recover, 0)) {
            if (v->in_code && !v->walking && v->engine->host->unwound) v->engine->host->unwound(cpu);
            v->in_code = v->walking = v->guest_access = false;
        } else {
            v->exc = run_loop(v->engine, v);
        }
        if (v->exc > EXC_REQUEST) log_exc(v, v->exc);
        again = v->sys && soft_exception(v);
        if (again && v->single_step) { /* into a handler: that was the step */
            v->exc = EXC_DEBUG;
            v->exc_code = EXD_BREAK;
            again = false;
        }
    } while (again);
    if (v->irq_waits) {
        v->irq_waits = false;
        __atomic_or_fetch(&cpu->exit_request, REQ_IRQ, __ATOMIC_SEQ_CST);
    }
    v->chain_from = NULL;
    quiesce_always(v);
    return v->exc;
}

void cpu_kick(CPU *cpu)
{
    __atomic_or_fetch(&cpu->exit_request, REQ_EMBEDDER, __ATOMIC_SEQ_CST);
}

_Noreturn void cpu_raise(CPU *cpu, enum cpu_exc exc, uint32_t code, uint64_t fault_addr)
{
    struct vcpu *v = cpu->v;
    v->exc = exc;
    v->exc_code = code;
    v->fault_addr = fault_addr;
    siglongjmp(v->recover, 1);
}

/* --- guest memory for C --------------------------------------------------------------------------------------- */

uint64_t cpu_ld(CPU *cpu, uint64_t addr, unsigned mo)
{
    if (cpu->v->soft) return soft_ld(cpu, VIEW_MAIN, addr, mo);
    if (unlikely(cpu->v->nwatch)) watch_access(cpu, addr, MO_BYTES(mo), CW_READ);
    const void *p = cpu_access_begin(cpu, addr);
    uint64_t v;
    switch (mo & MO_SIZE) {
    case MO_8: v = *(const volatile uint8_t *)p; break;
    case MO_16: {
        uint16_t x = *(const volatile uint16_t *)p;
        v = mo & MO_BE ? __builtin_bswap16(x) : x;
        break;
    }
    case MO_32: {
        uint32_t x = *(const volatile uint32_t *)p;
        v = mo & MO_BE ? __builtin_bswap32(x) : x;
        break;
    }
    default: {
        uint64_t x = *(const volatile uint64_t *)p;
        v = mo & MO_BE ? __builtin_bswap64(x) : x;
    }
    }
    cpu_access_end(cpu);
    return mo & MO_SIGN ? (uint64_t)bits_sext(v, 8 * MO_BYTES(mo)) : v;
}

void cpu_st(CPU *cpu, uint64_t addr, uint64_t val, unsigned mo)
{
    if (cpu->v->soft) {
        soft_st(cpu, VIEW_MAIN, addr, val, mo);
        return;
    }
    if (unlikely(cpu->v->nwatch)) watch_access(cpu, addr, MO_BYTES(mo), CW_WRITE);
    void *p = cpu_access_begin(cpu, addr);
    switch (mo & MO_SIZE) {
    case MO_8: *(volatile uint8_t *)p = (uint8_t)val; break;
    case MO_16: *(volatile uint16_t *)p = mo & MO_BE ? __builtin_bswap16((uint16_t)val) : (uint16_t)val; break;
    case MO_32: *(volatile uint32_t *)p = mo & MO_BE ? __builtin_bswap32((uint32_t)val) : (uint32_t)val; break;
    default: *(volatile uint64_t *)p = mo & MO_BE ? __builtin_bswap64(val) : val;
    }
    cpu_access_end(cpu);
}

void cpu_ldn(CPU *cpu, void *dst, uint64_t addr, size_t len)
{
    if (cpu->v->soft) {
        soft_copy(cpu, VIEW_MAIN, addr, dst, len, false);
        return;
    }
    if (unlikely(cpu->v->nwatch)) watch_access(cpu, addr, len, CW_READ);
    memcpy(dst, cpu_access_begin(cpu, addr), len);
    cpu_access_end(cpu);
}

void cpu_stn(CPU *cpu, uint64_t addr, const void *src, size_t len)
{
    if (cpu->v->soft) {
        soft_copy(cpu, VIEW_MAIN, addr, (void *)(uintptr_t)src, len, true);
        return;
    }
    if (unlikely(cpu->v->nwatch)) watch_access(cpu, addr, len, CW_WRITE);
    memcpy(cpu_access_begin(cpu, addr), src, len);
    cpu_access_end(cpu);
}

/* The page below address 0, which is never mapped; an access that leaves the space at its end faults in the one behind it. */
static uint64_t guard_addr(const struct vcpu *v)
{
    return 0 - (uint64_t)gmem_page(v->mem);
}

uint64_t vcpu_outside(struct vcpu *v, uint64_t addr)
{
    v->outside = addr;
    return guard_addr(v);
}

/* --- host faults ---------------------------------------------------------------------------------------------- */

static _Noreturn void unwind(CPU *cpu)
{
    siglongjmp(cpu->v->recover, 1);
}

#if defined(__x86_64__)
static uintptr_t uc_pc(const ucontext_t *uc)
{
    return (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
}
static bool uc_is_write(const ucontext_t *uc)
{
    return uc->uc_mcontext.gregs[REG_ERR] & 2;
}
/* Makes the interrupted thread continue in unwind(cpu), on its own stack. */
static void uc_unwind(ucontext_t *uc, CPU *cpu)
{
    greg_t *r = uc->uc_mcontext.gregs;
    r[REG_RSP] = ((r[REG_RSP] - 256) & ~15ll) - 8; /* below the red zone, as after a call */
    r[REG_RIP] = (greg_t)(uintptr_t)unwind;
    r[REG_RDI] = (greg_t)(uintptr_t)cpu;
}
#elif defined(__aarch64__)
static uintptr_t uc_pc(const ucontext_t *uc)
{
    return (uintptr_t)uc->uc_mcontext.pc;
}
static bool uc_is_write(const ucontext_t *uc)
{
    /* ESR_EL1.WnR is in the esr_context record, which the kernel puts first after the FP state */
    const uint8_t *p = uc->uc_mcontext.__reserved;
    for (uint32_t magic, size; memcpy(&magic, p, 4), memcpy(&size, p + 4, 4), magic && size; p += size) {
        uint64_t esr;
        if (magic != 0x45535201) continue;
        memcpy(&esr, p + 8, 8);
        return esr >> 6 & 1;
    }
    return false;
}
static void uc_unwind(ucontext_t *uc, CPU *cpu)
{
    uc->uc_mcontext.sp &= ~15ull;
    uc->uc_mcontext.pc = (uintptr_t)unwind;
    uc->uc_mcontext.regs[0] = (uintptr_t)cpu;
}
#else
#error "cpu/exec.c: how a host fault is described on this machine has to be written"
#endif

bool engine_host_fault(CPU *cpu, int sig, void *info, void *ucontext)
{
    struct vcpu *v = cpu->v;
    siginfo_t *si = info;
    ucontext_t *uc = ucontext;
    if (!v->in_code || v->soft) return false;
    struct engine *en = v->engine;
    bool write = uc_is_write(uc), known = si->si_code > 0 && si->si_code != SI_KERNEL;
    uint64_t addr = 0;
    uint32_t code = (write ? EXF_WRITE : EXF_READ) | (sig == SIGBUS ? EXF_BUS : 0);
    if (known && gmem_guest_addr(v->mem, si->si_addr, &addr)) {
        if (write && sig == SIGSEGV && si->si_code == SEGV_ACCERR && gmem_code_fault(v->mem, addr)) return true;
        /* in a reserved space everything is mapped on the host */
        bool mapped = si->si_code == SEGV_ACCERR && sig == SIGSEGV && gmem_flags(v->mem, addr);
        code |= mapped ? EXF_ACCERR : EXF_MAPERR;
    } else {
        code |= EXF_MAPERR; /* not canonical, or beside a reserved space */
        addr = known ? (uintptr_t)si->si_addr - v->guest_base : 0;
        if (v->guest_access && addr > v->guest_last && addr >= guard_addr(v)) addr += v->outside - guard_addr(v);
    }
    uintptr_t hpc = uc_pc(uc);
    v->exc = EXC_FAULT;
    v->exc_code = code;
    v->fault_addr = addr;
    if (v->guest_access) {
        v->guest_access = false;
        uc_unwind(uc, cpu);
        return true;
    }
    return en->host->fault && en->host->fault(en->hh, cpu, cache_find_host(en, hpc), uc, EXC_FAULT);
}
