/*
 * boot.c: what happens before the first instruction: -device loader, then the board's boot hook.
 */
#include "machine/machine.h"

static int load_one(struct machine *m, struct machine_loader *l, struct err *e)
{
    struct image img;
    int r;
    if (l->data_len) return machine_rom(m, "loader", l->addr, &l->data, l->data_len, e);
    if (!l->file) return 0;
    if ((r = image_load(m, l->file, l->raw ? IMAGE_RAW : IMAGE_ANY & ~IMAGE_GZIP, l->addr, UINT64_MAX, &img, e))) return r;
    if (!l->has_addr) l->addr = img.entry;
    return 0;
}

int machine_boot(struct machine *m, struct err *e)
{
    int r = m->type->boot ? m->type->boot(m, e) : 0;
    for (unsigned i = 0; i < m->nloaders && !r; i++) r = load_one(m, &m->loaders[i], e);
    return r;
}

void machine_loaders_pc(struct machine *m)
{
    for (unsigned i = 0; i < m->nloaders; i++)
        if (m->loaders[i].set_pc) machine_cpu(m, (unsigned)m->loaders[i].cpu)->pc = m->loaders[i].addr;
}
