/*
 * machine.c: machines from their types: memory, engine, parts and their lines; run states; requests of guests and users.
 * Known gaps: several machines in one process share the log.
 */
#include "machine/machine.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include "cpu/host.h"
#include "dev/fdt.h"
#include "dev/misc/fw_cfg.h"
#include "io/block/blk.h"
#include "io/char/chr.h"
#include "io/display/display.h"
#include "io/net/net.h"

const char *const machine_onoff[] = { "on", "off", NULL };

/* --- types ---------------------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct machine_type *const *)a)->name, (*(const struct machine_type *const *)b)->name);
}

enum { MAX_TYPES = 256 };

const struct machine_type *machine_nth(const char *guest, unsigned i)
{
    const struct machine_type *list[MAX_TYPES];
    unsigned n = 0;
    for (const struct machine_type *const *p = machine_type_registry; *p && n < MAX_TYPES; p++)
        if (str_in_list((*p)->guests, guest)) list[n++] = *p;
    qsort(list, n, sizeof list[0], by_name);
    return i < n ? list[i] : NULL;
}

static const char *nth_name(void *ctx, unsigned i)
{
    const struct machine_type *t = machine_nth(ctx, i);
    return t ? t->name : NULL;
}

const struct machine_type *machine_find(const char *guest, const char *name, struct err *e)
{
    const struct machine_type *t, *only = NULL;
    char near[160];
    for (unsigned i = 0; (t = machine_nth(guest, i)); i++) {
        if (!name ? t->is_default : !strcmp(t->name, name) || str_in_list(t->alias, name)) return t;
        only = i ? NULL : t;
    }
    if (!name && only) return only;
    if (!name)
        err_set(e, EINVAL, "No machine specified, and there is no default\nUse -machine help to list supported machines");
    else
        err_set(e, EINVAL, "unsupported machine type '%s'%s\nUse -machine help to list supported machines", name,
                near_words(near, sizeof near, name, nth_name, (void *)(uintptr_t)guest));
    return NULL;
}

/* --- properties of -machine --------------------------------------------------------------------------------------------------- */

static const char *nth_prop(void *ctx, unsigned i)
{
    const struct machine_type *t = ctx;
    return i < t->nprops ? t->props[i].name : NULL;
}

static int set_props(struct machine *m, struct err *e)
{
    const struct machine_type *t = m->type;
    char near[160], words[120] = "";
    for (unsigned i = 0; i < t->nprops; i++)
        if (t->props[i].def) opts_add(&m->props, t->props[i].name, t->props[i].def);
    for (uint32_t i = 0; m->cfg.props && i < m->cfg.props->count; i++) {
        const struct opt *o = &m->cfg.props->list[i];
        const struct machine_prop *p = NULL;
        for (unsigned k = 0; k < t->nprops && !p; k++)
            if (!strcmp(t->props[k].name, o->key)) p = &t->props[k];
        if (!p)
            return err_set(e, ENOENT, "Property '%s-machine.%s' not found%s", t->name, o->key,
                           near_words(near, sizeof near, o->key, nth_prop, (void *)(uintptr_t)t));
        unsigned k = 0;
        while (p->words && p->words[k] && strcmp(p->words[k], o->val)) k++;
        if (p->words == machine_onoff && !p->words[k]) return err_set(e, EINVAL, "Parameter '%s' expects 'on' or 'off'", o->key);
        for (unsigned w = 0; p->words && !p->words[k] && p->words[w]; w++) {
            size_t at = strlen(words);
            snprintf(words + at, sizeof words - at, "%s%s", w ? ", " : "", p->words[w]);
        }
        if (p->words && !p->words[k]) return err_set(e, EINVAL, "Parameter '%s' does not accept value '%s' (it takes %s)", o->key, o->val, words);
        opts_add(&m->props, o->key, o->val);
    }
    return 0;
}

const char *machine_prop(const struct machine *m, const char *name)
{
    const char *v = opts_get(&m->props, name);
    return v ? v : "";
}

bool machine_flag(const struct machine *m, const char *name)
{
    return !strcmp(machine_prop(m, name), "on");
}

/* --- parts ---------------------------------------------------------------------------------------------------------------------- */

static struct chr *find_chr(struct machine *m, const char *name)
{
    unsigned n;
    char tail;
    if (sscanf(name, "serial%u%c", &n, &tail) == 1 && n < MACHINE_SERIALS && m->cfg.serial[n]) return m->cfg.serial[n];
    return chr_find(m->chrs, name);
}

static struct chr *resolve_chr(void *ctx, const char *name, struct err *e)
{
    return find_chr(ctx, name);
}

/* "pflash0": the drive with if=pflash and that unit. */
static struct blk *drive_of(const struct machine *m, const char *name)
{
    for (unsigned i = 0; i < m->cfg.ndrives; i++) {
        const struct blk_drive *d = &m->cfg.drives[i];
        char where[40];
        snprintf(where, sizeof where, "%s%d", d->iface, d->unit >= 0 ? d->unit : MAX(d->index, 0));
        if (d->blk && !strcmp(where, name)) return d->blk;
    }
    return NULL;
}

static struct blk *resolve_blk(void *ctx, const char *name, struct err *e)
{
    struct machine *m = ctx;
    if (drive_of(m, name)) return drive_of(m, name);
    struct blk *b = m->blks ? blk_find(m->blks, name) : NULL;
    if (b || !m->blks) return b;
    struct blk_node *n = blk_node_find(m->blks, name); /* -blockdev: the device makes the front end */
    return n ? blk_new(m->blks, NULL, blk_node_ref(n), BLK_RDWR, e) : NULL;
}

static int take_blk(void *ctx, struct blk *b, struct dev *d, struct err *e)
{
    return blk_hold(b, d, e);
}

static struct iothread *resolve_iothread(void *ctx, const char *name)
{
    struct machine *m = ctx;
    return m->iothread_named ? m->iothread_named(m->iothread_ctx, name) : NULL;
}

static const struct dev_fsdev *resolve_fsdev(void *ctx, const char *id)
{
    struct machine *m = ctx;
    return m->fsdev_named ? m->fsdev_named(m->fsdev_ctx, id) : NULL;
}

/* With the device that is unplugged its -drive goes. */
static void drop_blk(void *ctx, struct blk *b, struct dev *d)
{
    struct machine *m = ctx;
    blk_release(b, d->realized && d->user && !m->quitting && m->begun);
}

static struct net_port *resolve_net(void *ctx, const char *name, struct err *e)
{
    struct machine *m = ctx;
    return m->nets ? net_find(m->nets, name) : NULL;
}

static bool backend_is_there(struct machine *m, const char *name)
{
    return find_chr(m, name) || drive_of(m, name) || (m->blks && (blk_find(m->blks, name) || blk_node_find(m->blks, name))) ||
           (m->nets && net_find(m->nets, name));
}

static int set_globals(struct machine *m, struct dev *d, struct err *e)
{
    int r = 0;
    for (unsigned i = 0; i < m->cfg.nglobals && !r; i++) {
        const struct machine_global *g = &m->cfg.globals[i];
        const struct device *cls = device_find(g->driver);
        if (cls == d->cls) r = dev_set(d, g->prop, g->value, e);
    }
    return r;
}

static int part_props(struct machine *m, struct dev *d, const struct part *p, struct err *e)
{
    struct opts o = { 0 };
    int r = p->props ? opts_parse(&o, p->props, NULL, e) : 0;
    for (uint32_t i = 0; !r && i < o.count; i++) {
        const char *val = o.list[i].val;
        if (val[0] == '@') val = machine_prop(m, val + 1);
        else if (val[0] == '?' && !backend_is_there(m, ++val)) continue;
        r = dev_set(d, o.list[i].key, val, e);
    }
    opts_free(&o);
    return r;
}

/* Main memory: the parts of that kind take what is left of it, in order. */
static int ram_part(struct machine *m, const struct part *p, uint64_t *done, struct err *e)
{
    uint64_t n = m->cfg.ram - *done;
    if (!n) return 0;
    if (p->size) n = MIN(n, p->size);
    space_map_ram(m->b.space, p->at, m->ram, *done, n, 0);
    *done += n;
    return 0;
}

static int one_part(struct machine *m, const struct part *p, unsigned i, struct err *e)
{
    const struct device *cls = device_find(p->device);
    char id[80];
    struct bus *bus = NULL;
    int r;
    if (!cls) return err_set(e, ENODEV, "machine '%s': there is no device '%s' for '%s'", m->type->name, p->device, p->id);
    if (p->count > 1) snprintf(id, sizeof id, "%s%u", p->id, i);
    else snprintf(id, sizeof id, "%s", p->id);
    if (p->bus && !(bus = bus_find(&m->b, p->bus, NULL, e))) return -ENOENT;
    struct dev *d = dev_new(&m->b, cls, id, e);
    if (!d) return -EINVAL;
    if ((r = part_props(m, d, p, e)) || (r = set_globals(m, d, e)) || (r = dev_realize(d, bus, e))) {
        dev_free(d);
        return r;
    }
    if ((cls->window || cls->map) && !p->bus && !p->unmapped &&
        (r = dev_map_in(d, p->io ? m->b.io : m->b.space, p->at + i * p->step, e)))
        return r;
    for (unsigned k = 0; k < PART_IRQS; k++) {
        if (!p->irq[k].to) continue;
        struct dev *to = dev_find(&m->b, p->irq[k].to);
        if (!to) continue; /* a controller that is there with some options only: adjust() connects the line elsewhere */
        if ((r = dev_connect(d, k, to, p->irq[k].n + i, e))) return r;
    }
    return 0;
}

static int make_parts(struct machine *m, struct err *e)
{
    uint64_t ram = 0;
    int r = 0;
    space_begin(m->b.space);
    for (unsigned n = 0; n < m->type->nparts && !r; n++) {
        const struct part *p = &m->type->parts[n];
        if (p->when && !p->when(m)) continue;
        if (!strcmp(p->device, PART_RAM)) r = ram_part(m, p, &ram, e);
        else
            for (unsigned i = 0; i < MAX(p->count, 1u) && !r; i++) r = one_part(m, p, i, e);
    }
    space_commit(m->b.space);
    if (!r && ram < m->cfg.ram)
        return err_set(e, EINVAL, "machine '%s' has room for %llu MiB of memory, not for %llu", m->type->name,
                       (unsigned long long)(ram >> 20), (unsigned long long)(m->cfg.ram >> 20));
    return r;
}

/* --- making ------------------------------------------------------------------------------------------------------------------------- */

static void lock(void *ctx) { loop_lock(ctx); }
static void unlock(void *ctx) { loop_unlock(ctx); }
static bool mine(void *ctx) { return loop_locked_by_me(ctx); }

static void board_request(struct board *b, enum board_request what, int status)
{
    machine_request(b->machine, what, status);
}

static int check_config(struct machine *m, struct err *e)
{
    struct machine_config *c = &m->cfg;
    const struct machine_type *t = m->type;
    unsigned most = t->max_cpus ? t->max_cpus : 1;
    if (!m->guest->sys) return err_set(e, ENOTSUP, "%s has no system mode here", m->guest->name);
    if (!c->cpus) c->cpus = t->def_cpus ? t->def_cpus : 1;
    if (c->cpus > most || c->maxcpus > most)
        return err_set(e, EINVAL, "Invalid SMP CPUs %u. The max CPUs supported by machine '%s' is %u", MAX(c->cpus, c->maxcpus), t->name, most);
    if (!c->cpu) c->cpu = t->cpu ? t->cpu : m->guest->models[0].name;
    if (!c->ram) c->ram = t->ram_size ? t->ram_size : 128 << 20;
    c->ram = ALIGN_UP(c->ram, (uint64_t)8192);
    if (t->ram_max && c->ram > t->ram_max)
        return err_set(e, EINVAL, "machine '%s' takes at most %llu MiB of memory", t->name, (unsigned long long)(t->ram_max >> 20));
    m->ncpus = c->cpus;
    return 0;
}

static const struct host *pick_host(const char *accel, struct err *e)
{
    const char *name = accel ? accel : "jit";
    const struct host *h = host_of_accel(name, strlen(name));
    if (!h) err_set(e, ENOENT, "invalid accelerator %s", accel);
    return h;
}

static void machine_work(void *ctx);

/* A disk failed: whoever looks is told, and the machine stops where the user wants that. */
static void disk_error(void *ctx, struct blk *b, bool write, int error, enum blk_on_error action)
{
    static const char *const words[] = { "report", "ignore", "stop", "stop" };
    struct machine *m = ctx;
    struct blk_node *n = blk_node_of(b);
    if (m->b.event) {
        struct json_object *o = json_object_new_object();
        json_object_object_add(o, "device", json_object_new_string(blk_name(b)));
        if (n) json_object_object_add(o, "node-name", json_object_new_string(n->name));
        json_object_object_add(o, "reason", json_object_new_string(strerror(-error)));
        json_object_object_add(o, "operation", json_object_new_string(write ? "write" : "read"));
        json_object_object_add(o, "nospace", json_object_new_boolean(error == -ENOSPC));
        json_object_object_add(o, "action", json_object_new_string(words[action]));
        m->b.event(&m->b, "BLOCK_IO_ERROR", o);
    }
    if (action == BLK_ERR_STOP) machine_request(m, BOARD_IO_ERROR, 0);
}

static int build(struct machine *m, struct err *e)
{
    const struct machine_type *t = m->type;
    int r;
    if ((r = set_props(m, e)) || (r = check_config(m, e)) || (t->prepare && (r = t->prepare(m, e)))) return r;
    m->ram = ram_new(m->b.mem, t->ram_id ? t->ram_id : "ram", m->cfg.ram, false, e);
    const struct host *host = m->ram ? pick_host(m->cfg.accel, e) : NULL;
    if (!host) return -EINVAL;
    struct engine_config ec = { .guest = m->guest, .host = host, .cache_bytes = m->cfg.cache_bytes, .opt_passes = ~0u, .warmup = (int)m->cfg.warmup - 1,
                                .sysmem = m->b.mem, .sys_host = machine_sys_host(), .sys_ctx = m, .probes = m->cfg.icount,
                                .timed = log_mask & LOG_STATS };
    if (!(m->engine = engine_new(&ec, e))) return -EINVAL;
    if ((r = vcpus_new(m, e)) || (r = make_parts(m, e)) || (t->adjust && (r = t->adjust(m, e)))) return r;
    struct dev *fw = m->b.devs;
    while (fw && strcmp(fw->cls->name, "fw_cfg_mem")) fw = fw->next;
    for (unsigned i = 0; i < m->cfg.nfw_files && !r; i++) {
        const struct machine_fw_file *f = &m->cfg.fw_files[i];
        r = fw ? fw_cfg_file(fw, f->name, f->data, f->len, e) : err_set(e, ENODEV, "machine '%s' has no fw_cfg", t->name);
    }
    return r;
}

struct machine *machine_new(const struct machine_config *cfg, struct loop *loop, struct chr_set *chrs, struct net_set *nets,
                            struct blk_graph *blks, struct err *e)
{
    struct machine *m = xalloc(sizeof *m);
    m->cfg = *cfg;
    m->type = cfg->type;
    m->guest = cfg->guest;
    m->chrs = chrs;
    m->nets = nets;
    m->blks = blks;
    m->state = RUN_PRELAUNCH;
    clock_init(&m->guest_clock, loop, CLOCK_GUEST);
    deferred_init(&m->work, loop, machine_work, m);
    m->b.loop = loop;
    m->b.clock = &m->guest_clock;
    m->b.machine = m;
    m->b.request = board_request;
    m->b.rtc_offset = cfg->rtc_offset;
    m->b.display = display_new();
    m->b.mem = mem_new();
    m->b.space = space_new(m->b.mem, "memory");
    mem_set_lock(m->b.mem, lock, unlock, mine, loop);
    dev_resolve_with(&m->b, &(struct dev_resolver){ resolve_chr, resolve_blk, resolve_net, m, take_blk, drop_blk, resolve_iothread, resolve_fsdev });
    if (getrandom(m->rng_seed, sizeof m->rng_seed, 0) != sizeof m->rng_seed) memset(m->rng_seed, 0, sizeof m->rng_seed);
    if (blks) blk_graph_on_error(blks, disk_error, m);
    if (build(m, e)) {
        machine_free(m);
        return NULL;
    }
    return m;
}

void machine_free(struct machine *m)
{
    if (!m) return;
    m->quitting = true;
    if (m->blks) blk_graph_on_error(m->blks, NULL, NULL);
    if (m->vcpus) { /* devices fall silent while there are CPUs to hear it */
        machine_stop_cpus(m);
        dev_reset_all(&m->b);
    }
    if (m->engine && log_mask & LOG_STATS) engine_log_stats(m->engine);
    vcpus_free(m);
    deferred_cancel(&m->work);
    while (m->b.devs) { /* the last made go first: they hang on those before */
        struct dev *d = m->b.devs;
        while (d->next) d = d->next;
        dev_free(d);
    }
    display_free(m->b.display);
    if (m->engine) engine_free(m->engine);
    for (unsigned i = 0; i < m->nloaders; i++) free(m->loaders[i].file);
    free(m->loaders);
    machine_roms_free(m);
    mem_free(m->b.mem);
    clock_done(&m->guest_clock);
    opts_free(&m->props);
    free(m->b.resolver);
    free(m->fdt);
    free(m);
}

/* --- devices of the user --------------------------------------------------------------------------------------------------------------- */

static const char *nth_device(void *ctx, unsigned i)
{
    for (const struct device *const *p = device_registry; *p; p++)
        if ((*p)->user_creatable && i-- == 0) return (*p)->name;
    return NULL;
}

/* Where a device of the options goes: *bus, NULL where it needs none. */
static int place(struct machine *m, const struct device *cls, const struct opts *o, bool plug, struct bus **bus, struct err *e)
{
    const char *name = opts_get(o, "bus");
    *bus = NULL;
    if (plug && !cls->hotplug) return err_set(e, ENOTSUP, "Device '%s' does not support hotplugging", cls->name);
    if (cls->bus && !(*bus = bus_find(&m->b, cls->bus, name, e))) return -ENOENT;
    if (plug && *bus && !(*bus)->hotplug) return err_set(e, ENOTSUP, "Bus '%s' does not support hotplugging", (*bus)->name);
    return m->engine ? 0 : -EINVAL;
}

int machine_device_opts(struct machine *m, const struct opts *o, bool plug, struct err *e)
{
    char near[160];
    const char *driver = opts_get(o, "driver"), *id = opts_get(o, "id");
    struct bus *bus;
    if (!driver) return err_set(e, EINVAL, "Parameter 'driver' is missing");
    const struct device *cls = device_find(driver);
    if (!cls) return err_set(e, ENODEV, "'%s' is not a valid device model name%s", driver, near_words(near, sizeof near, driver, nth_device, NULL));
    if (!cls->user_creatable) return err_set(e, EINVAL, "Parameter 'driver' expects a pluggable device type");
    if (id && !opts_id_ok(id)) return err_set(e, EINVAL, "Parameter 'id' expects an identifier");
    int r = place(m, cls, o, plug, &bus, e);
    struct dev *d = r ? NULL : dev_new(&m->b, cls, id, e);
    if (!r && !d) r = -EEXIST;
    if (d) d->user = true, d->late = plug;
    if (!r) r = set_globals(m, d, e);
    for (uint32_t i = 0; !r && i < o->count; i++) {
        const char *key = o->list[i].key;
        if (!strcmp(key, "driver") || !strcmp(key, "id") || !strcmp(key, "bus")) continue;
        r = dev_set(d, key, o->list[i].val, e);
    }
    if (!r) r = dev_realize(d, bus, e);
    if (r) dev_free(d);
    return r;
}

int machine_device(struct machine *m, const char *text, struct err *e)
{
    struct opts o = { 0 };
    int r = opts_parse(&o, text, "driver", e);
    bool loader = !r && !strcmp(opts_str(&o, "driver", ""), "loader");
    if (!r) r = loader ? machine_loader(m, text, e) : machine_device_opts(m, &o, false, e);
    opts_free(&o);
    return r;
}

int machine_device_del(struct machine *m, struct dev *d, struct err *e)
{
    if (!d->parent || !d->parent->hotplug)
        return err_set(e, ENOTSUP, "Bus '%s' does not support hotplugging", d->parent ? d->parent->name : "main-system-bus");
    if (!d->cls->hotplug) return err_set(e, ENOTSUP, "Device '%s' does not support hotplugging", d->cls->name);
    if (d->parent->leave) return d->parent->leave(d->parent, d, e);
    dev_unplugged(d);
    return 0;
}

int machine_loader(struct machine *m, const char *text, struct err *e)
{
    struct opts o = { 0 };
    struct machine_loader l = { .cpu = -1 };
    uint64_t len = 0, cpu = 0;
    int r = opts_parse(&o, text, "driver", e);
    if (!r) r = opts_num(&o, "addr", 0, 0, UINT64_MAX, &l.addr, e);
    if (!r) r = opts_num(&o, "data", 0, 0, UINT64_MAX, &l.data, e);
    if (!r) r = opts_num(&o, "data-len", 0, 0, 8, &len, e);
    if (!r) r = opts_num(&o, "cpu-num", 0, 0, m->ncpus - 1, &cpu, e);
    if (!r) r = opts_bool(&o, "force-raw", false, &l.raw, e);
    if (!r && !opts_has(&o, "file") && !len && !opts_has(&o, "cpu-num"))
        r = err_set(e, EINVAL, "device loader: it takes file=, or addr=, data= and data-len=, or addr= and cpu-num=");
    if (!r) {
        l.data_len = (unsigned)len;
        l.has_addr = opts_has(&o, "addr");
        if (opts_has(&o, "cpu-num")) l.cpu = (int)cpu, l.set_pc = true;
        if (opts_has(&o, "file")) l.file = strdup(opts_get(&o, "file"));
        m->loaders = xrealloc(m->loaders, m->nloaders * sizeof l, (m->nloaders + 1) * sizeof l);
        m->loaders[m->nloaders++] = l;
    }
    opts_free(&o);
    return r;
}

/* --- running ----------------------------------------------------------------------------------------------------------------------------- */

const char *machine_state_name(enum run_state s)
{
    static const char *const names[] = { "prelaunch", "running", "paused", "shutdown", "debug", "io-error", "watchdog", "guest-panicked",
                                         "inmigrate" };
    return (unsigned)s < ARRAY_LEN(names) ? names[s] : "internal-error";
}

static void set_state(struct machine *m, enum run_state s, const char *reason)
{
    m->state = s;
    if (m->on_state) m->on_state(m->on_state_ctx, s, reason);
}

/* CPUs stand still. */
static void reset(struct machine *m)
{
    dev_reset_all(&m->b);
    machine_roms_write(m);
    vcpus_reset(m);
    machine_loaders_pc(m);
}

int machine_begin(struct machine *m, struct err *e)
{
    int r = machine_boot_order(m, e);
    if (!r) r = machine_boot(m, e);
    if (r) return r;
    m->begun = true;
    reset(m);
    return vcpus_start_threads(m, e);
}

void machine_start(struct machine *m)
{
    if (m->state == RUN_RUNNING) return;
    clock_start(&m->guest_clock);
    if (m->blks) blk_graph_resume(m->blks);
    set_state(m, RUN_RUNNING, NULL);
    machine_resume_cpus(m);
}

void machine_pause(struct machine *m, enum run_state why)
{
    if (m->state != RUN_RUNNING) {
        if (m->state != RUN_PRELAUNCH || why == RUN_SHUTDOWN) set_state(m, why, NULL);
        return;
    }
    machine_stop_cpus(m);
    clock_stop(&m->guest_clock);
    set_state(m, why, NULL);
}

void machine_request(struct machine *m, enum board_request what, int status)
{
    if (what == BOARD_SHUTDOWN) __atomic_store_n(&m->exit_status, status, __ATOMIC_RELAXED);
    __atomic_or_fetch(&m->requests, 1u << what, __ATOMIC_SEQ_CST);
    loop_defer(&m->work);
}

static void do_reset(struct machine *m)
{
    bool ran = m->state == RUN_RUNNING;
    if (ran) machine_stop_cpus(m);
    reset(m);
    if (m->b.event) m->b.event(&m->b, "RESET", NULL);
    if (ran) machine_resume_cpus(m);
}

const char *const watchdog_actions[] = { "reset", "shutdown", "poweroff", "pause", "none", "debug", "inject-nmi", NULL };

/* What a watchdog's end means: more requests. */
static uint32_t watchdog(struct machine *m)
{
    enum watchdog_action w = m->cfg.watchdog;
    if (m->b.event) {
        struct json_object *data = json_object_new_object();
        json_object_object_add(data, "action", json_object_new_string(watchdog_actions[w]));
        m->b.event(&m->b, "WATCHDOG", data);
    }
    switch (w) {
    case WATCHDOG_PAUSE: machine_pause(m, RUN_WATCHDOG); return 0;
    case WATCHDOG_SHUTDOWN: return 1u << BOARD_POWERDOWN;
    case WATCHDOG_POWEROFF: return 1u << BOARD_SHUTDOWN;
    case WATCHDOG_RESET: return 1u << BOARD_RESET;
    case WATCHDOG_DEBUG: fprintf(stderr, "watchdog: timer fired\n"); return 0;
    case WATCHDOG_NMI: fprintf(stderr, "watchdog: machine '%s' does not provide NMIs\n", m->type->name); return 0;
    case WATCHDOG_NONE: return 0;
    }
    return 0;
}

/* On the loop's thread, lock held: what was asked for since. */
static void machine_work(void *ctx)
{
    struct machine *m = ctx;
    uint32_t req = __atomic_exchange_n(&m->requests, 0, __ATOMIC_SEQ_CST);
    if (m->debug_cpu) {
        CPU *cpu = m->debug_cpu;
        machine_pause(m, RUN_DEBUG);
        machine_resume_cpus(m); /* takes back debug_stop's, not machine_pause's */
        m->debug_cpu = NULL;
        if (m->on_debug) m->on_debug(m->on_debug_ctx, cpu);
    }
    if (req & 1u << BOARD_IO_ERROR && m->state == RUN_RUNNING) machine_pause(m, RUN_IO_ERROR);
    if (req & 1u << BOARD_WATCHDOG) req |= watchdog(m);
    if (req & 1u << BOARD_RESET && m->cfg.no_reboot) req |= 1u << BOARD_SHUTDOWN;
    if (req & 1u << BOARD_SHUTDOWN) {
        machine_pause(m, RUN_SHUTDOWN);
        if (m->b.event) m->b.event(&m->b, "SHUTDOWN", NULL);
        if (!m->cfg.no_shutdown) {
            m->quitting = true;
            loop_stop(m->b.loop, m->exit_status);
        }
        return;
    }
    if (req & 1u << BOARD_RESET) do_reset(m);
    if (req & 1u << BOARD_POWERDOWN) {
        if (m->b.event) m->b.event(&m->b, "POWERDOWN", NULL);
        if (m->powerdown) m->powerdown(m->powerdown_ctx);
    }
}
