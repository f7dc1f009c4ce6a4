/*
 * sweep_test.c: every device of the registry, on a board with nothing but some memory: each register of its table, then random accesses
 * of all sizes to all of its windows, random lines, time that passes, reset in between; what it saves after that it has to load again.
 * Nothing may crash (run it under AddressSanitizer) or run without end. SWEEP_DEVICE=name runs one; SWEEP_SEED=n other numbers.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>
#include "dev/pci/pci.h"

enum { ACCESSES = 10000, WINDOWS = 64, RAM_SIZE = 1 << 20 };
#define RAM_AT 0x80000000ull
#define DEV_AT 0x10000000ull
#define ECAM_AT 0x30000000ull
#define BARS_AT 0x40000000ull

struct rig {
    struct board b;
    struct clock clock;
    struct ram *ram;
    uint64_t now, seed;
    unsigned requests, nwin;
    struct mem_range win[WINDOWS];
    bool failed;
};

static uint64_t rnd(struct rig *r)
{
    r->seed ^= r->seed << 13, r->seed ^= r->seed >> 7, r->seed ^= r->seed << 17;
    return r->seed;
}

static uint64_t fake_now(void *ctx) { return ((struct rig *)ctx)->now; }
static void request(struct board *b, enum board_request what, int status) { ((struct rig *)b)->requests++; }

static struct rig *rig_new(uint64_t seed)
{
    struct rig *r = calloc(1, sizeof *r);
    r->seed = seed;
    r->b.loop = loop_new(NULL);
    loop_lock(r->b.loop);
    clock_init(&r->clock, r->b.loop, CLOCK_GUEST);
    clock_set_source(&r->clock, fake_now, r);
    clock_start(&r->clock);
    r->b.clock = &r->clock;
    r->b.mem = mem_new();
    r->b.space = space_new(r->b.mem, "s");
    r->b.request = request;
    r->ram = ram_new(r->b.mem, "ram", RAM_SIZE, false, NULL);
    space_map_ram(r->b.space, RAM_AT, r->ram, 0, RAM_SIZE, 0);
    for (uint64_t i = 0; i < RAM_SIZE; i += 8) {
        uint64_t v = rnd(r) & 1 ? RAM_AT + (rnd(r) & (RAM_SIZE - 1)) : rnd(r); /* many addresses of memory in it */
        ram_write(r->ram, i, &v, 8);
    }
    return r;
}

static void rig_free(struct rig *r)
{
    while (r->b.devs) { /* the last first */
        struct dev *d = r->b.devs;
        while (d->next) d = d->next;
        dev_free(d);
    }
    mem_free(r->b.mem);
    clock_stop(&r->clock);
    clock_done(&r->clock);
    loop_unlock(r->b.loop);
    loop_free(r->b.loop);
    free(r->b.resolver);
    free(r);
}

static void add_window(void *ctx, const struct mem_range *w)
{
    struct rig *r = ctx;
    if (w->ops && r->nwin < WINDOWS) r->win[r->nwin++] = *w;
}

/* A host for devices on buses, at an address of its own. */
static struct dev *host(struct rig *r, const char *name, const char *props, uint64_t at)
{
    const struct device *c = device_find(name);
    struct dev *d = c ? dev_new(&r->b, c, NULL, NULL) : NULL;
    if (!d) return NULL;
    if (dev_set_list(d, props, NULL) || dev_realize(d, c->bus ? bus_find(&r->b, c->bus, NULL, NULL) : NULL, NULL)) {
        dev_free(d);
        return NULL;
    }
    if (c->window || c->map) dev_map(d, at, NULL);
    return d;
}

/* The function's BARs get places, and it may use memory. */
static void pci_on(struct rig *r, const struct dev *d)
{
    uint64_t at = ECAM_AT + ((uint64_t)((const struct pci_dev *)d)->devfn << 12), v, next = BARS_AT;
    struct mem_attr attr = { .cpu = true };
    for (unsigned i = 0, high = 0; i < PCI_BARS; i++, next += 1 << 24) {
        space_st(r->b.space, at + 0x10 + 4 * i, high ? 0 : next, 4, attr);
        space_ld(r->b.space, at + 0x10 + 4 * i, 4, &v, attr);
        high = !high && (v & 7) == PCI_BAR_64;
    }
    space_st(r->b.space, at + 4, 6, 2, attr);
}

static void random_value(struct rig *r, uint64_t *v)
{
    switch (rnd(r) % 6) {
    case 0: *v = 0; break;
    case 1: *v = UINT64_MAX; break;
    case 2: *v = 1ull << (rnd(r) & 63); break;
    case 3: *v = RAM_AT + (rnd(r) & (RAM_SIZE - 1)); break;
    case 4: *v = rnd(r) & 0xff; break;
    default: *v = rnd(r);
    }
}

static void access_at(struct rig *r, uint64_t at, unsigned size)
{
    uint64_t v;
    struct mem_attr attr = { .cpu = true, .secure = rnd(r) & 1 };
    random_value(r, &v);
    if (rnd(r) & 1) space_st(r->b.space, at, v, size, attr);
    else space_ld(r->b.space, at, size, &v, attr);
}

static void sweep(struct rig *r, struct dev *d)
{
    const struct device *c = d->cls;
    for (unsigned n = 0; c->regs && d->win && n < c->nregs; n++)
        for (unsigned i = 0; i < MIN(MAX(c->regs[n].count, 1u), 64u); i++) {
            uint64_t at = window_addr(d->win) + c->regs[n].off + (uint64_t)i * (c->regs[n].step ? c->regs[n].step : 4);
            for (unsigned k = 0; k < 4; k++) access_at(r, at, 1u << k), access_at(r, at + (rnd(r) & 7), 1u << (rnd(r) & 3));
        }
    for (unsigned n = 0; n < ACCESSES; n++) {
        if (n % 256 == 0) { /* windows come and go */
            r->nwin = 0;
            space_walk(r->b.space, add_window, r);
        }
        if (r->nwin) {
            const struct mem_range *w = &r->win[rnd(r) % r->nwin];
            uint64_t len = w->last - w->start + 1, off = rnd(r) % (rnd(r) & 1 ? MIN(len, 256u) : rnd(r) & 1 ? MIN(len, 4096u) : len);
            access_at(r, w->start + (rnd(r) & 3 ? off & ~3ull : off), 1u << (rnd(r) & 3));
        }
        if (d->ninputs && c->input && rnd(r) % 16 == 0) c->input(d, (unsigned)(rnd(r) % d->ninputs), rnd(r) & 1);
        if (rnd(r) % 32 == 0) {
            r->now += rnd(r) % (rnd(r) % 8 ? 1000000 : 10000000000);
            clock_run(&r->clock);
            loop_once(r->b.loop, false);
        }
        if (n == ACCESSES / 2) dev_reset_all(&r->b);
    }
}

static void save_and_load(struct rig *r, struct dev *d)
{
    struct state_out o = { 0 };
    struct err e = { 0 };
    dev_save(d, &o);
    dev_reset(d);
    struct state_in in = { o.buf, o.len, 0 };
    if (dev_load(d, &in, &e)) {
        print_message("  %s does not load what it saved: %s\n", d->cls->name, e.msg);
        r->failed = true;
    }
    state_out_free(&o);
}

static bool one(const struct device *c, uint64_t seed)
{
    struct rig *r = rig_new(seed);
    struct err e = { 0 };
    struct timespec t0, t1;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    struct dev *hc = NULL;
    host(r, "virtio-mmio", NULL, 0x0a000000);
    host(r, "gpex-pcihost", "mmio32-base=0x40000000,mmio32-size=512M", ECAM_AT);
    if (c->bus && !strcmp(c->bus, "usb-bus") && (hc = host(r, "qemu-xhci", NULL, 0))) pci_on(r, hc);
    host(r, "generic-sdhci", NULL, 0x0b000000);
    host(r, "sifive.spi", NULL, 0x0b010000);
    struct bus *bus = c->bus ? bus_find(&r->b, c->bus, NULL, &e) : NULL;
    struct dev *d = c->bus && !bus ? NULL : dev_new(&r->b, c, "d", &e);
    if (d && dev_realize(d, bus, &e)) {
        dev_free(d);
        d = NULL;
    }
    if (!d) {
        print_message("  %-24s not alone: %s\n", c->name, e.msg);
    } else {
        if (c->map || (c->window && (c->regs || c->ops))) dev_map(d, DEV_AT, &e);
        if (bus && !strcmp(bus->type, "pci")) pci_on(r, d);
        sweep(r, d);
        save_and_load(r, d);
        sweep(r, d);
        clock_gettime(CLOCK_MONOTONIC, &t1);
        print_message("  %-24s %u windows, %u requests, %ld ms\n", c->name, r->nwin, r->requests,
                      (t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000);
    }
    bool ok = !r->failed;
    rig_free(r);
    return ok;
}

static void all(void **st)
{
    const char *only = getenv("SWEEP_DEVICE"), *seed = getenv("SWEEP_SEED");
    unsigned bad = 0;
    for (const struct device *const *p = device_registry; *p; p++)
        if (!only || !strcmp(only, (*p)->name)) bad += !one(*p, (seed ? strtoull(seed, NULL, 0) : 1) * 0x9e3779b97f4a7c15);
    assert_int_equal(bad, 0);
}

/* What device.h asks of tables. */
static void tables(void **st)
{
    for (const struct device *const *p = device_registry; *p; p++) {
        const struct device *c = *p;
        assert_non_null(c->name);
        assert_true(c->size >= sizeof(struct dev));
        for (unsigned i = 0; i < c->nregs; i++) {
            const struct reg *r = &c->regs[i];
            uint64_t size = r->size ? r->size : 4, end = r->off + size + (uint64_t)(MAX(r->count, 1u) - 1) * (r->step ? r->step : size);
            if (c->window && end > c->window) fail_msg("%s: register %s ends behind the window", c->name, r->name);
            if (r->field_size && r->field + (uint64_t)r->field_size * MAX(r->count, 1u) > c->size)
                fail_msg("%s: register %s has a field outside of the struct", c->name, r->name);
            for (unsigned k = 0; k < i; k++)
                if (!strcmp(c->regs[k].name, r->name)) fail_msg("%s: two registers are called %s", c->name, r->name);
        }
        for (unsigned i = 0; i < c->nprops; i++) {
            if (c->props[i].field >= c->size) fail_msg("%s: property %s is outside of the struct", c->name, c->props[i].name);
            for (unsigned k = 0; k < i; k++)
                if (!strcmp(c->props[k].name, c->props[i].name)) fail_msg("%s: two properties are called %s", c->name, c->props[i].name);
        }
        for (unsigned i = 0; i < c->nstate; i++)
            if (c->state[i].field >= c->size) fail_msg("%s: state %s is outside of the struct", c->name, c->state[i].name);
        if (device_find(c->name) != c) fail_msg("two devices are called %s", c->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(tables), cmocka_unit_test(all) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
