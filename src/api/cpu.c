/* cpu.c: CPUs and their registers. */
#include "api/api.h"

#include <stdlib.h>
#include "cpu/guest_linux.h"

lyre_cpu *lyre_cpu_new(lyre_machine *m, const char *model, lyre_error *e)
{
    CPU *cpu = cpu_new(m->engine, model ? model : m->guest->models[0].name, api_err(e));
    if (!cpu) return NULL;
    lyre_cpu *c = xalloc(sizeof *c);
    c->cpu = cpu;
    c->m = m;
    c->until = LYRE_NOWHERE;
    cpu->v->user = c;
    pthread_mutex_lock(&m->lock);
    c->next = m->cpus;
    m->cpus = c;
    pthread_mutex_unlock(&m->lock);
    return c;
}

void lyre_cpu_free(lyre_cpu *c)
{
    if (!c) return;
    lyre_machine *m = c->m;
    pthread_mutex_lock(&m->lock);
    api_drop_until(c);
    struct lyre_cpu **p = &m->cpus;
    while (*p != c) p = &(*p)->next;
    *p = c->next;
    pthread_mutex_unlock(&m->lock);
    cpu_free(c->cpu);
    free(c);
}

lyre_machine *lyre_cpu_machine(const lyre_cpu *c)
{
    return c->m;
}

/* --- registers ------------------------------------------------------------------------------------------ */

/* Rows that are not shown (halves of composed ones, the engine's own) have no bits. */
static size_t size_of(const lyre_cpu *c, unsigned number)
{
    return number < c->m->guest->nregs ? cpu_reg_size(c->cpu, number) : 0;
}

unsigned lyre_registers(const lyre_cpu *c)
{
    return c->m->guest->nregs;
}

int lyre_register(const lyre_cpu *c, unsigned number, lyre_register_info *info)
{
    uint32_t offset;
    if (!size_of(c, number)) return -ENOENT;
    API_FILL(info, (lyre_register_info){ .name = c->m->guest->regs[number].name, .bits = cpu_reg_shape(c->cpu, number, &offset) });
    return 0;
}

int lyre_register_find(const lyre_cpu *c, const char *name, unsigned *number)
{
    const struct guest *g = c->m->guest;
    for (unsigned i = 0; i < g->nregs; i++) {
        if (strcmp(g->regs[i].name, name) || !size_of(c, i)) continue;
        *number = i;
        return 0;
    }
    return -ENOENT;
}

int lyre_register_read(lyre_cpu *c, unsigned number, void *value, size_t length)
{
    size_t n = size_of(c, number);
    if (!n) return -ENOENT;
    if (n != length) return -EINVAL;
    cpu_reg_read(c->cpu, number, value);
    return 0;
}

int lyre_register_write(lyre_cpu *c, unsigned number, const void *value, size_t length)
{
    size_t n = size_of(c, number);
    if (!n) return -ENOENT;
    if (n != length) return -EINVAL;
    cpu_reg_write(c->cpu, number, value);
    c->changed = true;
    return 0;
}

int lyre_get(lyre_cpu *c, const char *name, uint64_t *value)
{
    unsigned number;
    if (lyre_register_find(c, name, &number)) return -ENOENT;
    *value = 0;
    size_t n = size_of(c, number);
    return n > sizeof *value ? -EINVAL : lyre_register_read(c, number, value, n);
}

int lyre_set(lyre_cpu *c, const char *name, uint64_t value)
{
    unsigned number;
    if (lyre_register_find(c, name, &number)) return -ENOENT;
    size_t n = size_of(c, number);
    return n > sizeof value ? -EINVAL : lyre_register_write(c, number, &value, n);
}

uint64_t lyre_pc(const lyre_cpu *c)
{
    return c->cpu->pc;
}

void lyre_set_pc(lyre_cpu *c, uint64_t pc)
{
    c->cpu->pc = pc;
    c->changed = true;
}

/* --- system calls and disassembly ----------------------------------------------------------------------- */

int lyre_linux_call(lyre_cpu *c, uint64_t *number, uint64_t args[6])
{
    const struct guest_linux *lnx = c->m->guest->lnx;
    if (!lnx) return -ENOSYS;
    lnx->sys_args(c->cpu, number, args);
    return 0;
}

int lyre_linux_result(lyre_cpu *c, int64_t result)
{
    const struct guest_linux *lnx = c->m->guest->lnx;
    if (!lnx) return -ENOSYS;
    lnx->sys_ret(c->cpu, result);
    c->changed = true;
    return 0;
}

int lyre_disassemble(lyre_cpu *c, const void *code, size_t length, uint64_t pc, char *text, size_t text_size)
{
    if (!length || !text_size) return -EINVAL;
    return (int)c->m->guest->disas(text, text_size, code, length, pc, c->cpu);
}
