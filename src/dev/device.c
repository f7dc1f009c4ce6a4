/*
 * device.c: instances of devices: memory, life, lines, buses, reset, what guests do wrong. Known gaps: none.
 */
#include "dev/core.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

/* --- classes --------------------------------------------------------------------------------------------------------------- */

const struct device *device_find(const char *name)
{
    for (const struct device *const *p = device_registry; *p; p++)
        if (!strcmp((*p)->name, name)) return *p;
    for (const struct device *const *p = device_registry; *p; p++)
        if (str_in_list((*p)->alias, name)) return *p;
    return NULL;
}

/* --- memory ---------------------------------------------------------------------------------------------------------------- */

struct arena {
    struct arena *next;
    max_align_t data[];
};

void *dev_alloc(struct dev *d, size_t bytes)
{
    struct arena *a = xalloc(sizeof *a + bytes);
    a->next = d->arena;
    d->arena = a;
    return a->data;
}

static void arena_free(struct dev *d)
{
    while (d->arena) {
        struct arena *next = d->arena->next;
        free(d->arena);
        d->arena = next;
    }
}

/* --- life ------------------------------------------------------------------------------------------------------------------- */

struct dev *dev_find(struct board *b, const char *id)
{
    for (struct dev *d = b->devs; d; d = d->next)
        if (d->id && !strcmp(d->id, id)) return d;
    return NULL;
}

static void unlink_dev(struct dev *d)
{
    for (struct dev **p = &d->board->devs; *p; p = &(*p)->next)
        if (*p == d) {
            *p = d->next;
            return;
        }
}

struct dev *dev_new(struct board *b, const struct device *cls, const char *id, struct err *e)
{
    if (id && dev_find(b, id)) {
        err_set(e, EEXIST, "Duplicate device ID '%s'", id);
        return NULL;
    }
    struct dev *d = xalloc(MAX(cls->size, sizeof *d)), **p = &b->devs;
    d->cls = cls;
    d->board = b;
    d->id = id ? strdup(id) : NULL;
    d->irq = xalloc((cls->irqs + 1) * sizeof *d->irq);
    d->wire = xalloc((cls->irqs + 1) * sizeof *d->wire);
    d->wires = xalloc(sizeof *d->wires);
    d->ninputs = cls->inputs == UINT32_MAX ? 0 : cls->inputs;
    d->dma = (struct dma){ .space = b->space };
    while (*p) p = &(*p)->next;
    *p = d;
    if (props_init(d, e)) {
        dev_free(d);
        return NULL;
    }
    return d;
}

int dev_realize(struct dev *d, struct bus *bus, struct err *e)
{
    int r;
    if (bus && d->cls->bus && strcmp(bus->type, d->cls->bus))
        return err_set(e, EINVAL, "Device '%s' can't go on %s bus", d->cls->name, bus->type);
    if (bus && bus->max && bus->count >= bus->max) return err_set(e, EBUSY, "Bus '%s' is full", bus->name);
    if (bus && bus->plug && (r = bus->plug(bus, d, e))) return r;
    if (bus) bus->count++;
    d->parent = bus;
    if (d->cls->init && (r = d->cls->init(d, e))) {
        if (bus) bus->count--;
        if (bus && bus->unplug) bus->unplug(bus, d);
        d->parent = NULL;
        return r;
    }
    d->realized = true;
    dev_reset(d);
    return 0;
}

/* Its outputs drive nobody any more, and nobody its inputs. */
static void unwire(struct dev *d)
{
    for (struct dev *o = d->board->devs; o; o = o->next) {
        for (struct dev_wire **p = &o->wires->list, *w; (w = *p);) {
            bool mine = w->from >= d->irq && w->from < d->irq + d->cls->irqs;
            if (o != d && !mine) {
                p = &w->next;
                continue;
            }
            if (w->level && o->wires->high && o != d) irq_set(w->from, false);
            w->from->set = NULL;
            *p = w->next;
            free(w);
        }
        for (unsigned i = 0; i < o->cls->irqs; i++)
            if (o->wire[i].to == d) o->wire[i].to = NULL;
    }
}

void dev_free(struct dev *d)
{
    if (!d) return;
    struct board *b = d->board;
    if (d->realized && d->cls->exit) d->cls->exit(d);
    if (d->parent) {
        if (d->parent->unplug) d->parent->unplug(d->parent, d);
        d->parent->count--;
    }
    for (struct bus **p = &b->buses, *x; (x = *p);) {
        if (x->owner != d) {
            p = &x->next;
            continue;
        }
        for (struct dev *o = b->devs, *next; o; o = next) { /* what is plugged in goes with it; the list is as it was then */
            next = o->next;
            if (o->parent == x) {
                dev_free(o);
                next = b->devs;
            }
        }
        for (p = &b->buses; *p && *p != x;) p = &(*p)->next;
        if (*p) *p = x->next;
        free(x->name);
        free(x);
        p = &b->buses;
    }
    window_free(d->win);
    unwire(d);
    unlink_dev(d);
    props_free(d);
    arena_free(d);
    free(d->wires->high);
    free(d->wires);
    free(d->irq);
    free(d->wire);
    free(d->id);
    free(d);
}

void dev_path(const struct dev *d, char *buf, size_t size)
{
    unsigned n = 0;
    if (d->user && d->id) {
        snprintf(buf, size, "/machine/peripheral/%s", d->id);
        return;
    }
    for (const struct dev *o = d->board->devs; o && o != d; o = o->next) n += o->user == d->user && (!o->user || !o->id);
    snprintf(buf, size, d->user ? "/machine/peripheral-anon/device[%u]" : "/machine/unattached/board[%u]", n);
}

void dev_unplugged(struct dev *d)
{
    struct board *b = d->board;
    struct json_object *data = json_object_new_object();
    char path[160];
    dev_path(d, path, sizeof path);
    if (d->id) json_object_object_add(data, "device", json_object_new_string(d->id));
    json_object_object_add(data, "path", json_object_new_string(path));
    dev_free(d);
    if (b->event) b->event(b, "DEVICE_DELETED", data);
    else json_object_put(data);
}

void dev_reset(struct dev *d)
{
    if (!d->realized) return;
    d->failed = false;
    if (d->cls->regs) regs_reset(d, d->cls->regs, d->cls->nregs);
    if (d->cls->reset) d->cls->reset(d);
}

void dev_reset_all(struct board *b)
{
    for (struct dev *d = b->devs; d; d = d->next) dev_reset(d);
}

int dev_map(struct dev *d, uint64_t at, struct err *e)
{
    return dev_map_in(d, d->board->space, at, e);
}

int dev_map_in(struct dev *d, struct space *space, uint64_t at, struct err *e)
{
    const struct device *c = d->cls;
    if (c->map) {
        int r = c->map(d, at, e);
        if (!r) d->at = at;
        return r;
    }
    if (!c->window || (!c->regs && !c->ops)) return err_set(e, EINVAL, "device '%s' has no register window", c->name);
    if (d->win) {
        window_move(d->win, at);
    } else {
        /* with a table, its rows are tried first; regs.c passes on what it does not have */
        const struct mmio_ops *ops = c->regs ? &regs_ops : c->ops;
        d->win = space_map_mmio(space, d->id ? d->id : c->name, at, c->window, ops, d, 0);
    }
    d->at = at;
    return 0;
}

/* --- lines ------------------------------------------------------------------------------------------------------------------- */

static void wire_set(void *ctx, unsigned n, bool level)
{
    struct dev_wire *w = ctx;
    struct dev_wires *in = w->to->wires;
    if (w->level == level) return;
    w->level = level;
    if (level ? in->high[n]++ == 0 : --in->high[n] == 0) w->to->cls->input(w->to, n, level);
}

int dev_connect(struct dev *d, unsigned out, struct dev *to, unsigned n, struct err *e)
{
    if (out >= d->cls->irqs) return err_set(e, EINVAL, "device '%s' has no output %u", d->cls->name, out);
    if (n >= to->ninputs || !to->cls->input)
        return err_set(e, EINVAL, "'%s' has no input %u, only %u of them", to->id ? to->id : to->cls->name, n, to->ninputs);
    if (d->irq[out].set) return err_set(e, EBUSY, "output %u of '%s' is connected already", out, d->id ? d->id : d->cls->name);
    if (!to->wires->high) to->wires->high = xalloc(to->ninputs * sizeof *to->wires->high);
    struct dev_wire *w = xalloc(sizeof *w);
    *w = (struct dev_wire){ .to = to, .from = &d->irq[out], .n = n, .next = to->wires->list };
    to->wires->list = w;
    d->wire[out].to = to;
    d->wire[out].n = n;
    d->irq[out].set = wire_set;
    d->irq[out].ctx = w;
    d->irq[out].n = n;
    if (d->irq[out].level) wire_set(w, n, true);
    return 0;
}

void dev_connect_fn(struct dev *d, unsigned out, void (*set)(void *ctx, unsigned n, bool level), void *ctx, unsigned n)
{
    if (out >= d->cls->irqs) return;
    d->irq[out].set = set;
    d->irq[out].ctx = ctx;
    d->irq[out].n = n;
    if (d->irq[out].level) set(ctx, n, true);
}

/* --- buses ------------------------------------------------------------------------------------------------------------------- */

struct bus *bus_new(struct dev *owner, const char *type, const char *name, unsigned max)
{
    struct bus *bus = xalloc(sizeof *bus), **p = &owner->board->buses;
    bus->type = type;
    bus->name = strdup(name);
    bus->owner = owner;
    bus->max = max;
    while (*p) p = &(*p)->next;
    *p = bus;
    return bus;
}

struct bus *bus_find(struct board *b, const char *type, const char *name, struct err *e)
{
    bool any = false;
    for (struct bus *x = b->buses; x; x = x->next) {
        if (name && strcmp(x->name, name)) continue;
        if (strcmp(x->type, type)) {
            if (!name) continue;
            err_set(e, EINVAL, "Bus '%s' is a %s bus, the device needs a %s bus", name, x->type, type);
            return NULL;
        }
        any = true;
        if (name || !x->max || x->count < x->max) return x;
    }
    if (name) err_set(e, ENOENT, "Bus '%s' not found", name);
    else if (any) err_set(e, EBUSY, "No free '%s' bus: all of them are full", type);
    else err_set(e, ENOENT, "No '%s' bus found for device", type);
    return NULL;
}

/* --- what guests do wrong; tracing ---------------------------------------------------------------------------------------------- */

void dev_guest_error(struct dev *d, bool stop, const char *fmt, ...)
{
    if (stop) d->failed = true;
    bool first = !d->guest_erred;
    d->guest_erred = true;
    if (!(log_mask & LOG_GUEST_ERR) || !(first || stop)) return;
    char msg[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    log_write("%s: %s%s\n", d->id ? d->id : d->cls->name, msg, stop ? "; it stops until the next reset" : "");
}

enum { TRACES = 64 };
static char *trace_pattern[TRACES]; /* set before threads exist, as log_mask */
static unsigned ntraces;
bool dev_trace_on;

static bool matches(const char *p, const char *s)
{
    for (; *p; p++, s++) {
        if (*p == '*') {
            while (*p == '*') p++;
            for (;; s++) {
                if (matches(p, s)) return true;
                if (!*s) return false;
            }
        }
        if (*p != *s) return false;
    }
    return !*s;
}

int dev_trace_enable(const char *pattern, struct err *e)
{
    if (ntraces == TRACES) return err_set(e, ENOSPC, "more than %d patterns of events to trace", TRACES);
    trace_pattern[ntraces++] = strdup(pattern);
    dev_trace_on = true;
    return 0;
}

void dev_trace(const char *event, const char *fmt, ...)
{
    bool on = false;
    for (unsigned i = 0; i < ntraces; i++) {
        const char *p = trace_pattern[i];
        if (matches(p[0] == '-' ? p + 1 : p, event)) on = p[0] != '-';
    }
    if (!on) return;
    char msg[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    log_write("%s %s\n", event, msg);
}
