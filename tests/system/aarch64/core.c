/*
 * core.c: the smallest machine that the bare-metal AArch64 tests run on: RAM at 0x40000000, a UART that only sends at 0x9000000, PSCI, up
 * to 8 CPUs on a thread each, and what answers like a GICv2 at 0x8000000 (0x8010000: CPU interfaces) with the CPUs' own timers as its
 * only interrupts, where QEMU's virt board has them.
 *
 *     core [-accel interp|jit|jit-direct] [-cpu MODEL] [-smp N] [-smc | -semihosting] FILE      FILE: flat binary for 0x40080000
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "cpu/arm_sys.h"
#include "cpu/engine.h"

enum { RAM_BYTES = 256 << 20, TIMERS = 8, CPUS = 8, FAILED = 126 };
#define RAM_AT 0x40000000ull
#define ENTRY 0x40080000ull

static struct core {
    CPU *cpu;
    pthread_t thread;
    bool on, start;
    uint64_t pc, arg, how, at[TIMERS];
    uint32_t ppis, active, enabled; /* private interrupts by number; guarded by lock */
    bool woken;
} core[CPUS];
static struct machine {
    unsigned n;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool off;
    int status;
} mc = { .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };
static __thread struct core *self;

static uint64_t now(void *ctx)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec - 1700000000ull * 1000000000u;
}
static void set_timer(void *ctx, CPU *cpu, unsigned n, uint64_t ns)
{
    pthread_mutex_lock(&mc.lock);
    core[cpu->v->index].at[n] = ns;
    pthread_cond_broadcast(&mc.cond);
    pthread_mutex_unlock(&mc.lock);
}
static void wake(void *ctx, CPU *cpu)
{
    bool held = pthread_mutex_trylock(&mc.lock); /* from a device's lines it is held by this very thread */
    core[cpu->v->index].woken = true;
    pthread_cond_broadcast(&mc.cond);
    if (!held) pthread_mutex_unlock(&mc.lock);
}
static void power(void *ctx, enum sys_power what, int status)
{
    mc.off = true;
    mc.status = what == SYS_OFF ? status : FAILED;
    for (unsigned i = 0; i < mc.n; i++) cpu_kick(core[i].cpu);
    pthread_cond_broadcast(&mc.cond);
}
static CPU *cpu_of(void *ctx, unsigned i)
{
    return i < mc.n ? core[i].cpu : NULL;
}
static int cpu_on(void *ctx, unsigned i, uint64_t pc, uint64_t arg, uint64_t how)
{
    int ret = -EALREADY;
    if (i >= mc.n) return -ENOENT;
    pthread_mutex_lock(&mc.lock);
    if (!core[i].on) {
        core[i].on = core[i].start = true;
        core[i].pc = pc, core[i].arg = arg, core[i].how = how;
        ret = 0;
    }
    pthread_cond_broadcast(&mc.cond);
    pthread_mutex_unlock(&mc.lock);
    return ret;
}
static int cpu_off(void *ctx, CPU *cpu)
{
    pthread_mutex_lock(&mc.lock);
    core[cpu->v->index].on = false;
    pthread_mutex_unlock(&mc.lock);
    return 0;
}
static bool is_on(void *ctx, unsigned i)
{
    return core[i].on;
}
static const struct sys_host host_ops = { .now = now, .timer = set_timer, .wake = wake, .power = power, .cpu = cpu_of, .cpu_on = cpu_on,
                                          .cpu_off = cpu_off, .is_on = is_on };

/* -- interrupts: level-sensitive, one at a time ---------------------------------------------------------------------------------- */
static void irq_update(struct core *c)
{
    c->cpu->v->sys->set_line(c->cpu, ARM_LINE_IRQ, c->ppis & c->enabled & ~c->active);
}
static void output(void *ctx, unsigned ppi, bool level)
{
    struct core *c = ctx;
    pthread_mutex_lock(&mc.lock);
    c->ppis = level ? c->ppis | 1u << ppi : c->ppis & ~(1u << ppi);
    irq_update(c);
    pthread_mutex_unlock(&mc.lock);
}
static uint64_t gic_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    uint32_t v = 0;
    pthread_mutex_lock(&mc.lock);
    uint32_t now_pending = self->ppis & self->enabled & ~self->active;
    if (off == 0x1000c) {
        v = now_pending ? (uint32_t)__builtin_ctz(now_pending) : 1023;
        if (now_pending) self->active |= 1u << v;
        irq_update(self);
    }
    pthread_mutex_unlock(&mc.lock);
    return v;
}
static void gic_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    pthread_mutex_lock(&mc.lock);
    if (off == 0x100) self->enabled |= (uint32_t)v;
    if (off == 0x10010) self->active &= ~(1u << (v & 31));
    irq_update(self);
    pthread_mutex_unlock(&mc.lock);
}
static void uart_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    if (!off) putchar((int)(v & 0xff));
}
static uint64_t uart_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    return off == 0x18 ? 0x90 : 0;
}
static const struct mmio_ops uart = { .read = uart_read, .write = uart_write }, gic = { .read = gic_read, .write = gic_write };

static void *timers(void *arg)
{
    pthread_mutex_lock(&mc.lock);
    while (!mc.off) {
        struct core *c = core;
        unsigned n = 0;
        for (unsigned i = 0; i < mc.n * TIMERS; i++)
            if (core[i / TIMERS].at[i % TIMERS] < c->at[n]) c = &core[i / TIMERS], n = i % TIMERS;
        uint64_t at = c->at[n];
        if (at == UINT64_MAX) {
            pthread_cond_wait(&mc.cond, &mc.lock);
        } else if (at > now(NULL)) {
            uint64_t abs = at + 1700000000ull * 1000000000u;
            struct timespec ts = { (time_t)(abs / 1000000000u), (long)(abs % 1000000000u) };
            pthread_cond_timedwait(&mc.cond, &mc.lock, &ts);
        } else {
            c->at[n] = UINT64_MAX;
            pthread_mutex_unlock(&mc.lock);
            c->cpu->v->sys->timer(c->cpu, n);
            pthread_mutex_lock(&mc.lock);
        }
    }
    pthread_mutex_unlock(&mc.lock);
    return NULL;
}

/* -- a CPU's thread ---------------------------------------------------------------------------------------------------------------- */
static void sleep_until_work(struct core *c)
{
    pthread_mutex_lock(&mc.lock);
    while (!mc.off && !c->start && (!c->on || (!c->woken && !c->cpu->v->sys->has_work(c->cpu)))) pthread_cond_wait(&mc.cond, &mc.lock);
    c->woken = false;
    bool start = c->start;
    c->start = false;
    pthread_mutex_unlock(&mc.lock);
    if (start) c->cpu->v->sys->start(c->cpu, c->pc, c->arg, c->how);
    if (!start && c->on) c->cpu->v->sys->interrupt(c->cpu);
}
static void *run(void *arg)
{
    struct core *c = self = arg;
    while (!mc.off) {
        if (!c->on || c->start) {
            sleep_until_work(c);
            continue;
        }
        enum cpu_exc exc = cpu_run(c->cpu);
        if (exc == EXC_GUEST && c->cpu->v->exc_code == GX_HALT) {
            sleep_until_work(c);
        } else if (exc == EXC_GUEST && c->cpu->v->exc_code == GX_SEMIHOST) { /* only to end */
            power(NULL, SYS_OFF, 0);
        } else if (exc != EXC_REQUEST) {
            fprintf(stderr, "core: exception %d code %#x pc %#llx\n", exc, c->cpu->v->exc_code, (unsigned long long)c->cpu->pc);
            mc.status = FAILED;
            mc.off = true;
            pthread_cond_broadcast(&mc.cond);
        }
    }
    return NULL;
}

static int die(const char *what, const struct err *e)
{
    fprintf(stderr, "core: %s: %s\n", what, e->msg);
    return FAILED;
}

int main(int argc, char **argv)
{
    const char *accel = "jit", *model = "max", *file = NULL;
    struct err e = { 0 };
    static char image[16 << 20];
    enum arm_conduit psci = ARM_PSCI_HVC;
    mc.n = 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-accel") && i + 1 < argc) accel = argv[++i];
        else if (!strcmp(argv[i], "-cpu") && i + 1 < argc) model = argv[++i];
        else if (!strcmp(argv[i], "-smp") && i + 1 < argc) mc.n = (unsigned)atoi(argv[++i]);
        else if (!strcmp(argv[i], "-smc")) psci = ARM_PSCI_SMC;
        else if (!strcmp(argv[i], "-semihosting")) psci = ARM_PSCI_NONE;
        else if (!strcmp(argv[i], "-d") && i + 1 < argc) log_mask = (uint32_t)strtoul(argv[++i], NULL, 0);
        else file = argv[i];
    }
    mc.n = MIN(MAX(mc.n, 1u), (unsigned)CPUS);
    FILE *f = file ? fopen(file, "rb") : NULL;
    if (!f) return fprintf(stderr, "core: %s: cannot be read\n", file ? file : "no file"), FAILED;
    size_t n = fread(image, 1, sizeof image, f);
    fclose(f);
    struct mem *m = mem_new();
    struct space *s = space_new(m, "memory");
    struct ram *ram = ram_new(m, "ram", RAM_BYTES, false, &e);
    if (!ram) return die("RAM", &e);
    space_map_ram(s, RAM_AT, ram, 0, RAM_BYTES, 0);
    space_map_mmio(s, "gic", 0x8000000, 0x20000, &gic, NULL, 0);
    space_map_mmio(s, "uart", 0x9000000, 0x1000, &uart, NULL, 0);
    ram_write(ram, ENTRY - RAM_AT, image, n);
    struct engine_config cfg = { .guest = guest_find("aarch64"), .host = host_of_accel(accel, strcspn(accel, "-")), .sysmem = m,
                                 .warmup = strchr(accel, '-') ? 0 : -1, .opt_passes = ~0u, .sys_host = &host_ops };
    struct engine *en = cfg.guest && cfg.host ? engine_new(&cfg, &e) : NULL;
    if (!en) return die("engine", &e);
    for (unsigned i = 0; i < mc.n; i++) {
        CPU *cpu = core[i].cpu = cpu_new_sys(en, model, i, s, &e);
        if (!cpu) return die("CPU", &e);
        memset(core[i].at, 0xff, sizeof core[i].at);
        cpu->v->reset_pc = ENTRY;
        arm_sys_psci(cpu, psci);
        arm_sys_semihosting(cpu, psci == ARM_PSCI_NONE);
        arm_sys_outputs(cpu, output, &core[i]);
    }
    for (unsigned i = 0; i < mc.n; i++) core[i].cpu->v->sys->reset(core[i].cpu);
    core[0].on = true;
    pthread_t clock;
    pthread_create(&clock, NULL, timers, NULL);
    for (unsigned i = 0; i < mc.n; i++) pthread_create(&core[i].thread, NULL, run, &core[i]);
    for (unsigned i = 0; i < mc.n; i++) pthread_join(core[i].thread, NULL);
    pthread_mutex_lock(&mc.lock);
    mc.off = true;
    pthread_cond_broadcast(&mc.cond);
    pthread_mutex_unlock(&mc.lock);
    pthread_join(clock, NULL);
    engine_free(en);
    mem_free(m);
    return mc.status;
}
