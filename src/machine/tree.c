/*
 * tree.c: the machine's device tree out of its parts: root, /memory, /chosen, /aliases, a node for each part that has `compatible`
 * strings, the board's own additions. Or the user's file (-dtb), where only /chosen and /memory are ours. Devicetree Specification 0.4.
 */
#include "machine/machine.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* The generic name of a part's node: its id without the number, unless the board says one. */
static void node_name(const struct part *p, char *buf, size_t size)
{
    snprintf(buf, size, "%s", p->node ? p->node : p->id);
    if (p->node) return;
    for (size_t n = strlen(buf); n && isdigit((unsigned char)buf[n - 1]); n--) buf[n - 1] = 0;
}

static struct fdt_node *part_node(struct machine *m, const struct part *p, const struct dev *d, bool make)
{
    char name[64];
    struct fdt_node *at = fdt_root(m->tree);
    if (m->type->dt_soc) at = fdt_child(at, "%s", m->type->dt_soc);
    node_name(p, name, sizeof name);
    char full[96];
    snprintf(full, sizeof full, "%s@%llx", name, (unsigned long long)d->at);
    if (make) return fdt_child(at, "%s", full);
    for (struct fdt_node *c = fdt_first(at); c; c = fdt_next(c))
        if (!strcmp(fdt_name(c), full)) return c;
    return NULL;
}

static const struct part *part_of(const struct machine *m, const struct dev *d)
{
    char id[80];
    for (unsigned n = 0; d->id && n < m->type->nparts; n++) {
        const struct part *p = &m->type->parts[n];
        if (p->when && !p->when(m)) continue;
        for (unsigned i = 0; i < MAX(p->count, 1u); i++) {
            if (p->count > 1) snprintf(id, sizeof id, "%s%u", p->id, i);
            else snprintf(id, sizeof id, "%s", p->id);
            if (!strcmp(id, d->id)) return p;
        }
    }
    return NULL;
}

struct fdt_node *machine_node(struct machine *m, const char *part)
{
    const struct dev *d = dev_find(&m->b, part);
    const struct part *p = d ? part_of(m, d) : NULL;
    return p ? part_node(m, p, d, false) : NULL;
}

/* Interrupts: one parent as `interrupts` with interrupt-parent, several as interrupts-extended. */
static void add_irqs(struct machine *m, struct fdt_node *n, const struct dev *d)
{
    const struct dev *parent = NULL;
    bool mixed = false, any = false;
    for (unsigned i = 0; i < d->cls->irqs; i++) {
        const struct dev *to = d->wire[i].to;
        if (!to || !to->cls->fdt_irq) continue;
        mixed |= any && to != parent;
        parent = to;
        any = true;
    }
    for (unsigned i = 0; i < d->cls->irqs; i++) {
        uint32_t cells[4];
        const struct dev *to = d->wire[i].to;
        const struct part *tp = to && to->cls->fdt_irq ? part_of(m, to) : NULL;
        if (!tp) continue;
        unsigned count = to->cls->fdt_irq(to, d->wire[i].n, cells);
        struct fdt_node *ctl = part_node(m, tp, to, true);
        if (mixed) fdt_add_num(n, "interrupts-extended", fdt_phandle(ctl), 1);
        else fdt_set_u32(n, "interrupt-parent", fdt_phandle(ctl));
        fdt_add_cells(n, mixed ? "interrupts-extended" : "interrupts", cells, count);
    }
}

static void add_parts(struct machine *m)
{
    for (struct dev *d = m->b.devs; d; d = d->next) {
        const struct part *p = d->cls->dt ? part_of(m, d) : NULL;
        if (!p || p->unmapped) continue;
        struct fdt_node *n = part_node(m, p, d, true);
        fdt_set_strs(n, "compatible", d->cls->dt);
        fdt_set_reg(n, d->at, d->cls->window);
        add_irqs(m, n, d);
        if (d->cls->fdt) d->cls->fdt(d, n);
    }
}

struct mem_rows {
    struct machine *m;
    struct fdt_node *root;
};

static void add_memory(void *ctx, const struct mem_range *r)
{
    struct mem_rows *x = ctx;
    if (r->ram != x->m->ram || r->ops) return;
    struct fdt_node *n = fdt_child(x->root, "memory@%llx", (unsigned long long)r->start);
    fdt_set_str(n, "device_type", "memory");
    fdt_set_reg(n, r->start, r->last - r->start + 1);
}

static void add_chosen(struct machine *m, struct fdt_node *root)
{
    struct fdt_node *c = fdt_child(root, "chosen");
    if (m->cfg.append) fdt_set_str(c, "bootargs", m->cfg.append);
    if (m->initrd_end > m->initrd_start) {
        fdt_set_u64(c, "linux,initrd-start", m->initrd_start);
        fdt_set_u64(c, "linux,initrd-end", m->initrd_end);
    }
    fdt_set(c, "rng-seed", m->rng_seed, sizeof m->rng_seed);
}

/* The first part that is a serial line is where the guest's console is. */
static void add_console(struct machine *m, struct fdt_node *root)
{
    char path[160];
    for (unsigned n = 0; n < m->type->nparts; n++) {
        const struct part *p = &m->type->parts[n];
        if (!p->props || !strstr(p->props, "serial0")) continue;
        struct fdt_node *node = machine_node(m, p->id);
        if (!node) continue;
        fdt_path(node, path, sizeof path);
        fdt_set_str(fdt_child(root, "chosen"), "stdout-path", path);
        fdt_set_str(fdt_child(root, "aliases"), "serial0", path);
        return;
    }
}

static int from_file(struct machine *m, struct err *e)
{
    uint8_t *d;
    uint64_t len;
    int r = image_read(m->cfg.dtb, FDT_MAX, &d, &len, e);
    if (r) return r;
    struct err why = { 0 };
    m->tree = fdt_read(d, len, &why);
    free(d);
    if (!m->tree) return err_set(e, EINVAL, "%s: %s", m->cfg.dtb, why.msg);
    add_chosen(m, fdt_root(m->tree));
    return 0;
}

static void generate(struct machine *m)
{
    const struct machine_type *t = m->type;
    m->tree = fdt_new();
    struct fdt_node *root = fdt_root(m->tree);
    fdt_set_u32(root, "#address-cells", 2);
    fdt_set_u32(root, "#size-cells", 2);
    if (t->dt_compat) fdt_set_strs(root, "compatible", t->dt_compat);
    if (t->dt_model) fdt_set_str(root, "model", t->dt_model);
    if (t->dt_soc) {
        struct fdt_node *soc = fdt_child(root, "%s", t->dt_soc);
        fdt_set_u32(soc, "#address-cells", 2);
        fdt_set_u32(soc, "#size-cells", 2);
        fdt_set_str(soc, "compatible", "simple-bus");
        fdt_set_empty(soc, "ranges");
    }
    fdt_child(root, "aliases");
    add_chosen(m, root);
    space_walk(m->b.space, add_memory, &(struct mem_rows){ m, root });
    add_parts(m);
    add_console(m, root);
    if (t->fdt) t->fdt(m, m->tree);
}

int machine_tree(struct machine *m, struct err *e)
{
    free(m->fdt);
    m->fdt = NULL;
    int r = 0;
    if (m->cfg.dtb) r = from_file(m, e);
    else generate(m);
    if (!r) r = fdt_write(m->tree, 4096, &m->fdt, &m->fdt_size, e);
    fdt_free(m->tree);
    m->tree = NULL;
    return r;
}
