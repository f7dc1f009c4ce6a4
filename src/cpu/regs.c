/* regs.c: values of registers by row of the guest's table, for everyone outside the guest's folder. */
#include "cpu/guest.h"

unsigned cpu_reg_shape(const CPU *cpu, unsigned i, uint32_t *offset)
{
    const struct guest *g = cpu->v->guest;
    *offset = g->regs[i].offset;
    return g->reg_shape ? g->reg_shape(cpu, i, offset) : g->regs[i].bits;
}

size_t cpu_reg_size(const CPU *cpu, unsigned i)
{
    uint32_t offset;
    return (cpu_reg_shape(cpu, i, &offset) + 7) / 8;
}

/* Homes are in the host's order, which is little endian on every host there is. */
void cpu_reg_read(const CPU *cpu, unsigned i, void *out)
{
    const struct guest_reg *row = &cpu->v->guest->regs[i];
    uint32_t offset;
    size_t n = (cpu_reg_shape(cpu, i, &offset) + 7) / 8;
    if (row->get) {
        uint64_t v = row->get(cpu);
        memset(out, 0, n);
        memcpy(out, &v, MIN(n, sizeof v));
    } else {
        memcpy(out, (const char *)cpu + offset, n);
    }
}

void cpu_reg_write(CPU *cpu, unsigned i, const void *in)
{
    const struct guest_reg *row = &cpu->v->guest->regs[i];
    uint32_t offset;
    size_t n = (cpu_reg_shape(cpu, i, &offset) + 7) / 8;
    uint64_t v = 0;
    memcpy(&v, in, MIN(n, sizeof v));
    if (row->set)
        row->set(cpu, v);
    else if (row->offset == offsetof(CPU, pc))
        cpu->pc = v;
    else if (!row->get)
        memcpy((char *)cpu + offset, in, n);
}
