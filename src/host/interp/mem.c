/* mem.c: guest memory: operations that run.c has no code for, and the checks before them. */
#include "host/interp/code.h"
#include "cpu/soft.h"

enum cpu_exc interp_access(CPU *cpu, const struct ir_ins *ins, uint64_t base, const union vlanes *b, const union vlanes *c,
                           union vlanes *r)
{
    const uint64_t addr = base + ins->imm;

    if (cpu->v->soft)
        return soft_access(cpu, ins, base, b, c, r);
    if (ins->op != IR_PROBE && ins->mo & MO_ALIGN && addr & (MO_BYTES(ins->mo) - 1)) {
        cpu->v->exc_code = ins->op == IR_LD ? EXF_READ : EXF_WRITE;
        cpu->v->fault_addr = addr;
        return EXC_ALIGN;
    }
    memop(ins, cpu_access_begin(cpu, addr), b, c, r);
    cpu_access_end(cpu);
    return EXC_NONE;
}

enum cpu_exc interp_mem(CPU *cpu, const struct iop *op)
{
    const struct side *s = op->side;
    union vlanes b = { 0 }, c = { 0 }, r = { 0 };

    value_load((char *)cpu + op->b, s->t[1], &b);
    value_load((char *)cpu + op->c, s->t[2], &c);
    enum cpu_exc exc = interp_access(cpu, &s->ins, *(uint64_t *)((char *)cpu + op->a), &b, &c, &r);
    if (!exc)
        value_store((char *)cpu + op->d, s->t[3], &r);
    return exc;
}
