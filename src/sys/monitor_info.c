/* monitor_info.c: commands: the human monitor's `info ...` about the machine. */
#include <stdio.h>
#include <stdlib.h>
#include "sys/monitor_cmd.h"

static int info_status(struct mon_call *c, struct err *e)
{
    enum run_state s = c->m ? c->m->state : RUN_PRELAUNCH;
    if (s == RUN_RUNNING || s == RUN_PAUSED)
        mon_out(c, "VM status: %s\n", machine_state_name(s));
    else
        mon_out(c, "VM status: paused (%s)\n", machine_state_name(s));
    return 0;
}

static int info_version(struct mon_call *c, struct err *e)
{
    mon_out(c, "%d.%d.%d (Lyrebird)\n", MONITOR_QEMU_MAJOR, MONITOR_QEMU_MINOR, MONITOR_QEMU_MICRO);
    return 0;
}

static int info_name(struct mon_call *c, struct err *e)
{
    if (mon_config(c->set)->name) mon_out(c, "%s\n", mon_config(c->set)->name);
    return 0;
}

static int info_uuid(struct mon_call *c, struct err *e)
{
    const char *uuid = mon_config(c->set)->uuid;
    mon_out(c, "%s\n", uuid ? uuid : "00000000-0000-0000-0000-000000000000");
    return 0;
}

static int info_kvm(struct mon_call *c, struct err *e)
{
    mon_out(c, "kvm support: not compiled\n");
    return 0;
}

static int info_history(struct mon_call *c, struct err *e)
{
    for (unsigned i = 0; c->history && i < c->history->count; i++) mon_out(c, "%u: '%s'\n", i, c->history->line[i]);
    return 0;
}

/* --- CPUs -------------------------------------------------------------------------------------------------------------------------- */

static int info_cpus(struct mon_call *c, struct err *e)
{
    for (unsigned i = 0; c->m && i < c->m->ncpus; i++)
        mon_out(c, "%c CPU #%u: thread_id=%d%s%s\n", c->cpu && i == *c->cpu ? '*' : ' ', i, machine_cpu_thread(c->m, i),
                machine_cpu_halted(c->m, i) ? " (halted)" : "", machine_cpu_on(c->m, i) ? "" : " (off)");
    return 0;
}

static void describe_line(void *ctx, const char *line)
{
    mon_out(ctx, " %s\n", line);
}

/* Four to a line; wide ones (vectors) on a line each. */
static void registers(struct mon_call *c, unsigned index)
{
    CPU *cpu = machine_cpu(c->m, index);
    const struct guest *g = c->m->guest;
    unsigned col = 0, known = guest_nir(g);
    mon_out(c, "\nCPU#%u\n %-8s %016llx\n", index, "pc", (unsigned long long)cpu->pc);
    for (unsigned i = 0; i < g->nregs; i++) {
        const struct guest_reg *r = &g->regs[i];
        uint8_t buf[REG_BYTES_MAX] = { 0 };
        size_t n = cpu_reg_size(cpu, i);
        uint64_t v = 0;
        if (!r->feature || !n || n > sizeof buf || (i >= known && !strstr(r->feature, "core") && !strstr(r->feature, "cpu"))) continue;
        if (!strcmp(r->name, "pc")) continue;
        cpu_reg_read(cpu, i, buf);
        if (n <= 8) {
            memcpy(&v, buf, n);
            mon_out(c, " %-8s %0*llx%s", r->name, (int)(2 * n), (unsigned long long)v, ++col % 4 ? "" : "\n");
            continue;
        }
        mon_out(c, "%s %-8s ", col % 4 ? "\n" : "", r->name);
        for (size_t k = n; k--;) mon_out(c, "%02x", buf[k]);
        mon_out(c, "\n");
        col = 0;
    }
    if (col % 4) mon_out(c, "\n");
    if (g->sys && g->sys->describe) g->sys->describe(cpu, "registers", describe_line, c);
}

static int info_registers(struct mon_call *c, struct err *e)
{
    int64_t n = mon_int(c, "cpu", c->cpu ? *c->cpu : 0);
    if (!c->m || n < 0 || n >= c->m->ncpus) {
        mon_out(c, "CPU#%lld not available\n", (long long)n);
        return 0;
    }
    machine_stop_cpus(c->m);
    for (unsigned i = 0; i < c->m->ncpus; i++)
        if (mon_bool(c, "all", false) || i == n) registers(c, i);
    machine_resume_cpus(c->m);
    return 0;
}

/* --- memory -------------------------------------------------------------------------------------------------------------------------- */

static void mtree_row(void *ctx, const struct mem_range *r)
{
    const char *kind = !r->ram ? "i/o" : r->ops ? "romd" : r->readonly ? "rom" : "ram", *name = r->name ? r->name : r->ram ? r->ram->id : "";
    mon_out(ctx, "  %016llx-%016llx (prio 0, %s): %s\n", (unsigned long long)r->start, (unsigned long long)r->last, kind, name);
}

static int info_mtree(struct mon_call *c, struct err *e)
{
    for (struct space *s = c->m ? space_next(c->m->b.mem, NULL) : NULL; s; s = space_next(c->m->b.mem, s)) {
        mon_out(c, "address-space: %s\n", space_name(s));
        space_walk(s, mtree_row, c);
        mon_out(c, "\n");
    }
    return 0;
}

/* --- devices -------------------------------------------------------------------------------------------------------------------------- */

enum { TREE_DEPTH = 16 };

static void show_bus(struct mon_call *c, struct bus *bus, unsigned depth);

static void show_dev(struct mon_call *c, struct dev *d, unsigned depth)
{
    int in = (int)depth * 2;
    mon_out(c, "%*sdev: %s, id \"%s\"\n", in, "", d->cls->name, d->id ? d->id : "");
    if (d->cls->irqs) mon_out(c, "%*sgpio-out \"irq\" %u\n", in + 2, "", d->cls->irqs);
    if (d->ninputs) mon_out(c, "%*sgpio-in \"\" %u\n", in + 2, "", d->ninputs);
    for (const struct prop *p = d->cls->props; p < d->cls->props + d->cls->nprops; p++) {
        char v[256];
        if (!dev_get(d, p->name, v, sizeof v)) continue;
        if (p->type == PROP_T_BOOL)
            mon_out(c, "%*s%s = %s\n", in + 2, "", p->name, strcmp(v, "on") ? "false" : "true");
        else if (p->type <= PROP_T_SIZE)
            mon_out(c, "%*s%s = %s (0x%llx)\n", in + 2, "", p->name, v, strtoull(v, NULL, 0));
        else
            mon_out(c, "%*s%s = \"%s\"\n", in + 2, "", p->name, v);
    }
    if (d->win) mon_out(c, "%*smmio %016llx/%016llx\n", in + 2, "", (unsigned long long)d->at, (unsigned long long)d->cls->window);
    for (struct bus *b = d->board->buses; b && depth < TREE_DEPTH; b = b->next)
        if (b->owner == d) show_bus(c, b, depth + 1);
}

static void show_bus(struct mon_call *c, struct bus *bus, unsigned depth)
{
    int in = (int)depth * 2;
    mon_out(c, "%*sbus: %s\n%*stype %s\n", in, "", bus ? bus->name : "main-system-bus", in + 2, "", bus ? bus->type : "System");
    for (struct dev *d = c->m->b.devs; d; d = d->next)
        if (d->parent == bus) show_dev(c, d, depth + 1);
}

static int info_qtree(struct mon_call *c, struct err *e)
{
    if (c->m) show_bus(c, NULL, 0);
    return 0;
}

static void device_line(void *ctx, const char *line)
{
    mon_out(ctx, "%s\n", line);
}

static int info_qdm(struct mon_call *c, struct err *e)
{
    dev_list(device_line, c);
    return 0;
}

static const struct mon_cmd cmds[] = {
    HMP("info status", "", info_status, "show the current VM status (running|paused)"),
    HMP("info version", "", info_version, "show the version of QEMU"),
    HMP("info name", "", info_name, "show the current VM name"),
    HMP("info uuid", "", info_uuid, "show the current VM UUID"),
    HMP("info kvm", "", info_kvm, "show KVM information"),
    HMP("info history", "", info_history, "show the command line history"),
    HMP("info cpus", "", info_cpus, "show infos for each CPU"),
    HMP("info registers", "all:-a,cpu?:n", info_registers, "show the cpu registers (-a: all CPUs)", .show = "[-a|vcpu]"),
    HMP("info mtree", "flat:-f", info_mtree, "show memory tree (the flat view)"),
    HMP("info qtree", "", info_qtree, "show device tree"),
    HMP("info qdm", "", info_qdm, "show qdev device model list"),
};
const struct mon_table info_mon = { MON_TABLE(cmds) };
