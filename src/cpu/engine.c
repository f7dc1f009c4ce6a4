/* engine.c: an engine's life, its CPUs, breakpoints, fork, counters; the registries' look-ups. */
#include "cpu/engine.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

const struct guest *guest_find(const char *name)
{
    for (const struct guest *const *g = guest_registry; *g; g++)
        if (!strcmp((*g)->name, name) || str_in_list((*g)->aliases, name)) return *g;
    return NULL;
}

const struct host *host_find(const char *name)
{
    for (const struct host *const *h = host_registry; *h; h++)
        if (!strcmp((*h)->name, name)) return *h;
    return NULL;
}

const struct host *host_of_accel(const char *accel, size_t len)
{
    static const struct { const char *name; bool exec; } names[] = { { "jit", true }, { "tcg", true }, { "interp", false }, { "tci", false } };
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if (strlen(names[i].name) != len || memcmp(names[i].name, accel, len)) continue;
        for (const struct host *const *h = host_registry; *h && names[i].exec; h++)
            if ((*h)->needs_exec) return *h;
        return host_find("interp");
    }
    return NULL;
}

/* Log items that speak of regions: then there is nothing but regions. */
enum { LOG_OF_CODE = LOG_IN_ASM | LOG_IR | LOG_IR_OPT | LOG_OUT_ASM | LOG_EXEC | LOG_CPU };

/* How IR is executed untranslated, or NULL. */
static enum cpu_exc (*find_walk(void))(CPU *, const struct ir *, union vlanes *)
{
    for (const struct host *const *h = host_registry; *h; h++)
        if ((*h)->walk) return (*h)->walk;
    return NULL;
}

/* The IR's register list, from the guest's register table. */
static struct ir_reg *ir_reg_list(const struct guest *g)
{
    struct ir_reg *list = xalloc((guest_nir(g) + 1) * sizeof *list);
    for (unsigned i = 0; i < guest_nir(g); i++) {
        const struct guest_reg *r = &g->regs[i];
        list[i] = (struct ir_reg){ .name = r->name, .type = r->type, .group = r->group, .pin = r->pin,
                                   .offset = (int32_t)r->offset };
    }
    return list;
}

/* Behind the guest's struct, with the homes of its registers. */
static size_t insns_left_offset(const struct engine *en)
{
    return ALIGN_UP(en->guest->cpu_size, sizeof(uint64_t));
}

static size_t cpu_bytes(const struct engine *en)
{
    return ALIGN_UP(insns_left_offset(en) + (en->cfg.probes ? sizeof(uint64_t) : 0), (size_t)64);
}

static void on_code_write(void *ctx, uint64_t start, uint64_t end)
{
    engine_invalidate(ctx, start, end);
}

static void ram_code_written(void *ctx, uint64_t first, uint64_t last)
{
    engine_invalidate(ctx, first, last + 1);
}

static void map_changed(void *ctx, struct space *s)
{
    soft_flush_machine(ctx);
}

static void track_changed(void *ctx, struct ram *r)
{
    soft_flush_machine(ctx);
}

struct engine *engine_new(const struct engine_config *cfg, struct err *e)
{
    struct engine *en = xalloc(sizeof *en);
    en->cfg = *cfg;
    en->cfg.nochain |= !!(log_mask & (LOG_EXEC | LOG_NOCHAIN));
    en->guest = cfg->guest;
    en->host = cfg->host;
    en->mem = cfg->mem;
    if (guest_nir(cfg->guest) > IR_REGS_MAX - 32) {
        err_set(e, E2BIG, "guest %s has %u registers, the IR takes %d", cfg->guest->name, guest_nir(cfg->guest), IR_REGS_MAX - 32);
        free(en);
        return NULL;
    }
    pthread_mutex_init(&en->lock, NULL);
    en->ir_regs = ir_reg_list(cfg->guest);
    en->ir_nregs = guest_nir(cfg->guest);
    if (cfg->probes)
        en->ir_regs[en->ir_nregs++] = (struct ir_reg){ .name = "insns_left", .type = T_I64, .group = PROBE_GROUP, .pin = -1,
                                                       .offset = (int32_t)insns_left_offset(en) };
    en->builder = builder_new();
    en->epoch = 1;
    if (!en->builder) {
        err_set(e, ENOMEM, "out of memory for the translator");
        goto fail;
    }
    if (cache_init(en, e)) goto fail;
    en->env = (struct host_env){
        .regs = en->ir_regs, .nregs = en->ir_nregs, .jc_offset = (int32_t)cpu_bytes(en), .softmmu = cfg->sysmem != NULL,
        .guest_base = cfg->mem ? gmem_base(cfg->mem) : 0, .insn4 = cfg->guest->insn_align >= 4, .addr_bits = cfg->guest->addr_bits, .pins = ~0u
    };
    /* at base 0 the host faults by itself, and of a 32-bit space all is reserved */
    if (en->env.guest_base && cfg->guest->addr_bits > 32) en->env.limit = gmem_limit(cfg->mem);
    struct code_buf buf = { en->seg[0].fill, en->seg[0].end, en->delta };
    en->hh = en->host->init(&en->env, &buf, e);
    if (!en->hh) goto fail;
    en->thunk_bytes = ALIGN_UP((size_t)(buf.rw - en->rw), (size_t)64);
    en->seg[0].fill = en->rw + en->thunk_bytes;
    if (en->cfg.warmup < 0) en->cfg.warmup = cfg->sysmem ? WARMUP_SYSTEM : WARMUP_DEFAULT;
    en->cfg.warmup = MIN(en->cfg.warmup, (int)WARMUP_MAX);
    if (en->cfg.warmup && en->host->counts && !(log_mask & LOG_OF_CODE)) en->walk = find_walk();
    if (cfg->sysmem) {
        en->listener = (struct mem_listener){ .code_written = ram_code_written, .map_changed = map_changed, .track_changed = track_changed,
                                              .ctx = en };
        mem_listen(cfg->sysmem, &en->listener);
    } else {
        gmem_on_code_write(en->mem, on_code_write, en);
    }
    return en;
fail:
    cache_done(en);
    builder_free(en->builder);
    free(en->ir_regs);
    free(en);
    return NULL;
}

void engine_free(struct engine *en)
{
    if (!en) return;
    if (en->cfg.sysmem)
        mem_unlisten(en->cfg.sysmem, &en->listener);
    else
        gmem_on_code_write(en->mem, NULL, NULL);
    while (en->cpus) cpu_free(en->cpus->cpu);
    cache_done(en);
    if (en->host->done) en->host->done(en->hh);
    builder_free(en->builder);
    pthread_mutex_destroy(&en->lock);
    free(en->breakpoints);
    free(en->ir_regs);
    free(en);
}

/* --- CPUs ------------------------------------------------------------------------------------------------------- */

static size_t counters_offset(const struct engine *en)
{
    return cpu_bytes(en) + JC_SIZE * sizeof(struct jc_entry) + en->host->cpu_extra;
}

static size_t alloc_bytes(const struct engine *en)
{
    return counters_offset(en) + COUNTERS * sizeof(uint16_t);
}

uint64_t *cpu_insns_left(CPU *cpu)
{
    return (uint64_t *)(void *)((char *)cpu + insns_left_offset(cpu->v->engine));
}

int32_t engine_counter(const struct engine *en, uint64_t pc)
{
    return (int32_t)(counters_offset(en) + ((pc >> 1 ^ pc >> 14) & (COUNTERS - 1)) * sizeof(uint16_t));
}

/* What lies before the CPU struct. */
static size_t front_bytes(const struct engine *en)
{
    return en->cfg.sysmem ? sizeof(struct soft_cpu) : 0;
}

/* Fresh pages: most of the jump cache is never touched by a short program. */
static CPU *cpu_alloc(struct engine *en)
{
    char *mem = mmap(NULL, front_bytes(en) + alloc_bytes(en), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mem == MAP_FAILED) return NULL;
    CPU *cpu = (CPU *)(void *)(mem + front_bytes(en));
    struct vcpu *v = xalloc(sizeof *v);
    cpu->v = v;
    cpu->res_addr = ~0ull;
    cpu->fp.rm = RM_RNE;
    v->cpu = cpu;
    v->guest = en->guest;
    v->engine = en;
    v->mem = en->mem;
    v->guest_base = en->env.guest_base;
    v->insn4 = en->env.insn4;
    v->guest_last = en->env.limit - 1; /* no limit: all ones */
    v->jc = (struct jc_entry *)((char *)cpu + cpu_bytes(en));
    v->quiescent = UINT64_MAX;
    v->jc[0].tag = jc_empty(0); /* elsewhere 0 */
    return cpu;
}

static void cpu_link(struct engine *en, CPU *cpu)
{
    pthread_mutex_lock(&en->lock);
    cpu->v->next = en->cpus;
    en->cpus = cpu->v;
    pthread_mutex_unlock(&en->lock);
}

static void cpu_release(CPU *cpu)
{
    struct vcpu *v = cpu->v;
    builder_free(v->builder);
    soft_done(v);
    munmap((char *)cpu - front_bytes(v->engine), front_bytes(v->engine) + alloc_bytes(v->engine));
    free(v);
}

CPU *cpu_new(struct engine *en, const char *model, struct err *e)
{
    CPU *cpu = cpu_alloc(en);
    if (!cpu) {
        err_set(e, ENOMEM, "out of memory for a CPU");
        return NULL;
    }
    if (en->guest->init(cpu, model, e)) {
        cpu_release(cpu);
        return NULL;
    }
    if (en->host->fp_sync) en->host->fp_sync(cpu);
    cpu_link(en, cpu);
    return cpu;
}

CPU *cpu_new_sys(struct engine *en, const char *model, unsigned index, struct space *space, struct err *e)
{
    if (!en->guest->sys) {
        err_set(e, ENOTSUP, "%s has no system mode", en->guest->name);
        return NULL;
    }
    CPU *cpu = cpu_alloc(en);
    if (!cpu) {
        err_set(e, ENOMEM, "out of memory for a CPU");
        return NULL;
    }
    struct vcpu *v = cpu->v;
    v->sys = en->guest->sys;
    v->host = en->cfg.sys_host;
    v->host_ctx = en->cfg.sys_ctx;
    v->space = space;
    v->index = index;
    soft_init(v);
    if (en->guest->init(cpu, model, e)) {
        cpu_release(cpu);
        return NULL;
    }
    soft_switch(cpu);
    if (en->host->fp_sync) en->host->fp_sync(cpu);
    cpu_link(en, cpu);
    return cpu;
}

CPU *cpu_clone(CPU *from, struct err *e)
{
    struct engine *en = from->v->engine;
    CPU *cpu = cpu_alloc(en);
    if (!cpu) {
        err_set(e, ENOMEM, "out of memory for a CPU");
        return NULL;
    }
    struct vcpu *v = cpu->v;
    const size_t after = offsetof(CPU, exit_request) + sizeof cpu->exit_request; /* that one others write at any time */
    cpu->pc = from->pc;
    memcpy((char *)cpu + after, (const char *)from + after, en->guest->cpu_size - after);
    cpu->v = v;
    cpu->res_addr = ~0ull;
    cpu_link(en, cpu);
    return cpu;
}

void cpu_free(CPU *cpu)
{
    if (!cpu) return;
    struct engine *en = cpu->v->engine;
    pthread_mutex_lock(&en->lock);
    struct vcpu **p = &en->cpus;
    while (*p && *p != cpu->v) p = &(*p)->next;
    if (*p) *p = cpu->v->next;
    pthread_mutex_unlock(&en->lock);
    cpu_release(cpu);
}

/* --- breakpoints ------------------------------------------------------------------------------------------------ */

int engine_breakpoint(struct engine *en, uint64_t pc, bool set)
{
    int ret = 0;
    pthread_mutex_lock(&en->lock);
    uint32_t i = 0;
    while (i < en->nbreakpoints && en->breakpoints[i] != pc) i++;
    if (set && i == en->nbreakpoints) {
        en->breakpoints = vec_grow(en->breakpoints, &en->cap_breakpoints, i + 1, sizeof *en->breakpoints);
        en->breakpoints[en->nbreakpoints++] = pc;
    } else if (!set && i < en->nbreakpoints) {
        en->breakpoints[i] = en->breakpoints[--en->nbreakpoints];
    } else if (!set) {
        ret = -ENOENT;
    }
    pthread_mutex_unlock(&en->lock);
    if (ret) return ret;
    if (en->cfg.sysmem) { /* wherever the address is mapped */
        pthread_mutex_lock(&en->lock);
        cache_flush(en);
        pthread_mutex_unlock(&en->lock);
    } else {
        engine_invalidate(en, pc, pc + 1);
    }
    return ret;
}

/* --- fork ------------------------------------------------------------------------------------------------------- */

void engine_fork_prepare(struct engine *en)
{
    pthread_mutex_lock(&en->lock);
    while (en->evicting) {
        pthread_mutex_unlock(&en->lock);
        pthread_mutex_lock(&en->lock);
    }
    gmem_fork_prepare(en->mem);
    en->fork_fd = cache_fork_prepare(en);
}

int engine_fork_done(struct engine *en, CPU *self, bool child)
{
    int ret = 0;
    gmem_fork_done(en->mem, child);
    if (child) { /* the other threads do not exist here; their CPUs go */
        struct vcpu *v = en->cpus;
        en->cpus = self->v;
        while (v) {
            struct vcpu *next = v->next;
            if (v != self->v) cpu_release(v->cpu);
            v = next;
        }
        self->v->next = NULL;
        ret = cache_fork_child(en, en->fork_fd);
    } else if (en->fork_fd >= 0) {
        close(en->fork_fd);
    }
    pthread_mutex_unlock(&en->lock); /* it is this thread's in both */
    return ret;
}

void engine_get_stats(struct engine *en, struct engine_stats *st)
{
    pthread_mutex_lock(&en->lock);
    *st = en->stats;
    for (const struct vcpu *v = en->cpus; v; v = v->next) {
        st->walked += v->walked;
        st->walked_insns += v->walked_insns;
        if (v->soft) soft_add_stats(v, st);
    }
    pthread_mutex_unlock(&en->lock);
}

void engine_log_stats(struct engine *en)
{
    struct engine_stats st;
    engine_get_stats(en, &st);
    log_write("blocks executed untranslated %llu, guest instructions in them %llu\n"
              "full regions %llu, guest instructions in them %llu\n"
              "regions %llu  guest instructions translated %llu  host bytes %llu  IR instructions %llu\n"
              "translation %.3f ms  look-ups %llu  chains %llu  invalidated %llu  flushes %llu\n",
              (unsigned long long)st.walked, (unsigned long long)st.walked_insns,
              (unsigned long long)st.full_regions, (unsigned long long)st.full_insns,
              (unsigned long long)st.regions, (unsigned long long)st.insns, (unsigned long long)st.host_bytes,
              (unsigned long long)st.ir_ins, (double)st.translate_ns / 1e6, (unsigned long long)st.lookups,
              (unsigned long long)st.chains, (unsigned long long)st.invalidated, (unsigned long long)st.flushes);
    if (!en->cfg.sysmem) return;
    log_write("TLB fills %llu  page walks %llu  TLB flushes %llu  accesses to devices %llu  switches of address spaces %llu\n",
              (unsigned long long)st.tlb_fills, (unsigned long long)st.tlb_walks, (unsigned long long)st.tlb_flushes,
              (unsigned long long)st.mmio, (unsigned long long)st.switches);
}
