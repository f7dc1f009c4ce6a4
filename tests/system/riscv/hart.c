/*
 * hart.c: the smallest machine that privileged test programs run on: one hart, RAM at 0x80000000, a SiFive-test finisher at 0x100000, a
 * CLINT at 0x2000000 and a UART that only sends at 0x10000000, where QEMU's virt board has them.
 *
 *     hart [-accel interp|jit|jit-direct] [-guest riscv64] [-cpu MODEL] [-d LOG] FILE    FILE: flat binary for 0x80000000
 *
 * Exit status: 0 pass, 1..125 the program's failure code, 126 anything else.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "cpu/engine.h"
#include "cpu/guest_sys.h"
#include "cpu/riscv_sys.h"

enum { RAM_BYTES = 64 << 20, TIMERS = 3, TIMER_CLINT = 2, FAILED = 126 };
#define RAM_AT 0x80000000ull

static struct machine {
    CPU *cpu;
    pthread_mutex_t lock, dev;
    pthread_cond_t cond;
    uint64_t at[TIMERS], mtimecmp;
    bool woken, off;
    int status;
    pthread_t thread;
} mc = { .lock = PTHREAD_MUTEX_INITIALIZER, .dev = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER, .at = { UINT64_MAX, UINT64_MAX, UINT64_MAX },
         .mtimecmp = UINT64_MAX };

static uint64_t now(void *ctx)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec - 1700000000ull * 1000000000u;
}
static void set_timer(void *ctx, CPU *cpu, unsigned n, uint64_t ns)
{
    pthread_mutex_lock(&mc.lock);
    mc.at[n] = ns;
    pthread_cond_broadcast(&mc.cond);
    pthread_mutex_unlock(&mc.lock);
}
static void wake(void *ctx, CPU *cpu)
{
    pthread_mutex_lock(&mc.lock);
    mc.woken = true;
    pthread_cond_broadcast(&mc.cond);
    pthread_mutex_unlock(&mc.lock);
}
static const struct sys_host host_ops = { .now = now, .timer = set_timer, .wake = wake };

/* By the CPU's thread and the timers': dev is what a machine's lock is. */
static void clint_update(void)
{
    pthread_mutex_lock(&mc.dev);
    bool on = now(NULL) / 100 >= mc.mtimecmp;
    mc.cpu->v->sys->set_line(mc.cpu, IRQ_MTI, on);
    set_timer(NULL, mc.cpu, TIMER_CLINT, on || mc.mtimecmp > UINT64_MAX / 100 ? UINT64_MAX : mc.mtimecmp * 100);
    pthread_mutex_unlock(&mc.dev);
}

static void *timers(void *arg)
{
    pthread_mutex_lock(&mc.lock);
    while (!mc.off) {
        unsigned first = 0;
        for (unsigned i = 1; i < TIMERS; i++)
            if (mc.at[i] < mc.at[first]) first = i;
        uint64_t at = mc.at[first];
        if (at == UINT64_MAX) {
            pthread_cond_wait(&mc.cond, &mc.lock);
        } else if (at > now(NULL)) {
            uint64_t abs = at + 1700000000ull * 1000000000u;
            struct timespec ts = { (time_t)(abs / 1000000000u), (long)(abs % 1000000000u) };
            pthread_cond_timedwait(&mc.cond, &mc.lock, &ts);
        } else {
            mc.at[first] = UINT64_MAX;
            pthread_mutex_unlock(&mc.lock);
            if (first == TIMER_CLINT) clint_update();
            else mc.cpu->v->sys->timer(mc.cpu, first);
            pthread_mutex_lock(&mc.lock);
        }
    }
    pthread_mutex_unlock(&mc.lock);
    return NULL;
}

static uint64_t no_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    return 0;
}
static void finish_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    mc.status = (v & 0xffff) == 0x5555 ? 0 : (v & 0xffff) == 0x3333 ? (int)MIN(MAX(v >> 16 & 0xffff, 1u), 125u) : FAILED;
    mc.off = true;
    cpu_kick(mc.cpu);
}
static void uart_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    if (!off) putchar((int)(v & 0xff));
}
static uint64_t uart_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    return off == 5 ? 0x60 : 0;
}
static uint64_t clint_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    return off == 0xbff8 ? now(NULL) / 100 : off == 0xbffc ? now(NULL) / 100 >> 32 : off == 0x4000 ? mc.mtimecmp : 0;
}
static void clint_write(void *dev, uint64_t off, uint64_t v, unsigned size, struct mem_attr at)
{
    if (off == 0) mc.cpu->v->sys->set_line(mc.cpu, IRQ_MSI, v & 1);
    if (off == 0x4000) mc.mtimecmp = size == 8 ? v : (mc.mtimecmp & ~0xffffffffull) | (uint32_t)v;
    if (off == 0x4004) mc.mtimecmp = (mc.mtimecmp & 0xffffffff) | v << 32;
    if (off == 0x4000 || off == 0x4004) clint_update();
}
static const struct mmio_ops finisher = { .read = no_read, .write = finish_write }, uart = { .read = uart_read, .write = uart_write },
                             clint = { .read = clint_read, .write = clint_write };

static int die(const char *what, const struct err *e)
{
    fprintf(stderr, "hart: %s: %s\n", what, e->msg);
    return FAILED;
}

static void run(void)
{
    while (!mc.off) {
        enum cpu_exc exc = cpu_run(mc.cpu);
        if (exc == EXC_GUEST && mc.cpu->v->exc_code == GX_HALT) {
            pthread_mutex_lock(&mc.lock);
            while (!mc.woken && !mc.cpu->v->sys->has_work(mc.cpu)) pthread_cond_wait(&mc.cond, &mc.lock);
            mc.woken = false;
            pthread_mutex_unlock(&mc.lock);
            mc.cpu->v->sys->interrupt(mc.cpu);
        } else if (exc == EXC_GUEST && mc.cpu->v->exc_code == GX_SEMIHOST) {
            uint64_t a[4] = { 0 };
            for (unsigned i = 0; i < 2; i++) cpu_reg_read(mc.cpu, 10 + i, &a[i]);
            a[0] += a[1]; /* stands for a call: a0 = operation + argument */
            cpu_reg_write(mc.cpu, 10, &a[0]);
        } else if (exc != EXC_REQUEST) {
            fprintf(stderr, "hart: exception %d code %#x pc %#llx\n", exc, mc.cpu->v->exc_code, (unsigned long long)mc.cpu->pc);
            mc.status = FAILED;
            return;
        }
    }
}

int main(int argc, char **argv)
{
    const char *accel = "jit", *model = "max", *guest = "riscv64", *file = NULL;
    struct err e = { 0 };
    static char image[4 << 20];
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "-accel") && i + 1 < argc) accel = argv[++i];
        else if (!strcmp(argv[i], "-cpu") && i + 1 < argc) model = argv[++i];
        else if (!strcmp(argv[i], "-guest") && i + 1 < argc) guest = argv[++i];
        else if (!strcmp(argv[i], "-d") && i + 1 < argc) {
            if (log_parse(argv[++i], &log_mask, &e)) return die("-d", &e);
        } else file = argv[i];
    }
    FILE *f = file ? fopen(file, "rb") : NULL;
    if (!f) return fprintf(stderr, "hart: %s: cannot be read\n", file ? file : "no file"), FAILED;
    size_t n = fread(image, 1, sizeof image, f);
    fclose(f);
    struct mem *m = mem_new();
    struct space *s = space_new(m, "memory");
    struct ram *ram = ram_new(m, "ram", RAM_BYTES, false, &e);
    if (!ram) return die("RAM", &e);
    space_map_ram(s, RAM_AT, ram, 0, RAM_BYTES, 0);
    space_map_mmio(s, "test", 0x100000, 0x1000, &finisher, NULL, 0);
    space_map_mmio(s, "clint", 0x2000000, 0x10000, &clint, NULL, 0);
    space_map_mmio(s, "uart", 0x10000000, 0x100, &uart, NULL, 0);
    ram_write(ram, 0, image, n);
    struct engine_config cfg = { .guest = guest_find(guest), .host = host_of_accel(accel, strcspn(accel, "-")), .sysmem = m,
                                 .warmup = strchr(accel, '-') ? 0 : -1, .opt_passes = ~0u, .sys_host = &host_ops };
    struct engine *en = cfg.guest && cfg.host ? engine_new(&cfg, &e) : NULL;
    if (!en) return die("engine", &e);
    mc.cpu = cpu_new_sys(en, model, 0, s, &e);
    if (!mc.cpu) return die("CPU", &e);
    mc.cpu->v->reset_pc = RAM_AT;
    riscv_sys_semihosting(mc.cpu, true, false);
    mc.cpu->v->sys->reset(mc.cpu);
    pthread_create(&mc.thread, NULL, timers, NULL);
    run();
    pthread_mutex_lock(&mc.lock);
    mc.off = true;
    pthread_cond_broadcast(&mc.cond);
    pthread_mutex_unlock(&mc.lock);
    pthread_join(mc.thread, NULL);
    engine_free(en);
    mem_free(m);
    return mc.status;
}
