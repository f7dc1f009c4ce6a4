/*
 * walk.c: executes IR as it was built, without compiling it: for code that has hardly run, where even the cheapest
 * compilation costs more than it saves.
 *
 * Values are as ir_eval has them: scalars zero-extended in u64[0]. Registers are read and written at their homes where GET
 * and PUT stand, and cpu->pc follows the INSN markers, so the CPU is exact whenever something faults.
 */
#include "host/interp/code.h"

static void walk_call(CPU *cpu, const struct ir *ir, const struct ir_ins *ins, union vlanes *val, union vlanes *res)
{
    const struct ir_call *c = &ir->calls[ins->x];
    union vlanes args[6], r = { 0 };

    for (unsigned i = 0; i < c->h->nargs; i++)
        args[i] = val[c->arg[i]];
    c->h->thunk(cpu, &r, args);
    value_load(&r, c->h->ret, res); /* what lies above the type's width is not the helper's */
}

static enum cpu_exc leave(CPU *cpu, enum cpu_exc exc, uint32_t code)
{
    cpu->v->exc_code = code;
    return exc;
}

static enum cpu_exc exit_to(CPU *cpu, uint64_t pc, uint32_t mode)
{
    cpu->pc = pc;
    cpu->mode = mode;
    return EXC_NONE;
}

/* Where a register lives; region variables follow the values. */
static inline void *home(CPU *cpu, const struct ir *ir, union vlanes *val, uint32_t r)
{
    return r < ir->nregs ? (char *)cpu + ir->regs[r].offset : (char *)&val[ir->nins + r - ir->nregs];
}

/* What most instructions are made of; the rest is ir_eval's. False: not one of these. */
static inline bool common(const struct ir_ins *ins, const union vlanes *val, unsigned type_a, uint64_t *res)
{
    const uint64_t a = val[ins->a].u64[0], b = val[ins->b].u64[0], mask = bits_mask(ir_type_bits[ins->type]);

    switch (ins->op) {
    case IR_ADD: *res = (a + b) & mask; return true;
    case IR_SUB: *res = (a - b) & mask; return true;
    case IR_AND: *res = a & b; return true;
    case IR_OR: *res = a | b; return true;
    case IR_XOR: *res = a ^ b; return true;
    case IR_ZEXT: *res = a; return true;
    case IR_TRUNC: *res = a & mask; return true;
    case IR_SEXT: *res = (uint64_t)bits_sext(a, ir_type_bits[type_a]) & mask; return true;
    }
    return false;
}

enum cpu_exc interp_walk(CPU *cpu, const struct ir *ir, union vlanes *val)
{
    const union vlanes none = { 0 };
    enum cpu_exc exc;

    val[0] = none;
    for (uint32_t i = ir->blk[0].first;;) {
        const struct ir_ins *ins = &ir->ins[i];
        union vlanes *r = &val[i++];
        const unsigned flags = ir_opinfo[ins->op].flags, type_a = ir->ins[ins->a].type;

        switch (ins->op) {
        case IR_NOP: continue;
        case IR_INSN: cpu->pc = ins->imm; continue;
        case IR_K: *r = (union vlanes){ .u64 = { ins->imm } }; continue;
        case IR_KV: *r = ir->kv[ins->x]; continue;
        case IR_GET: value_load(home(cpu, ir, val, ins->x), ins->type, r); continue;
        case IR_PUT: value_store(home(cpu, ir, val, ins->x), ir_regtype(ir, ins->x), &val[ins->a]); continue;
        case IR_CALL: walk_call(cpu, ir, ins, val, r); continue;
        case IR_FENCE: __atomic_thread_fence(ins->sub & FENCE_SL ? __ATOMIC_SEQ_CST : __ATOMIC_ACQ_REL); continue;
        case IR_FENVRD: *r = (union vlanes){ .u64 = { cpu->fp.flags } }; continue;
        case IR_FENVWR: cpu->fp.flags = (uint32_t)val[ins->a].u64[0]; continue;
        case IR_FRMWR: cpu->fp.rm = (uint32_t)val[ins->a].u64[0]; continue;
        case IR_TRAPIF:
            if (val[ins->a].u64[0])
                return leave(cpu, (enum cpu_exc)ins->sub, (uint32_t)ins->imm);
            continue;
        case IR_JMP: i = ir->blk[ins->x].first; continue;
        case IR_BRC: i = ir->blk[val[ins->a].u64[0] ? ins->x : ins->y].first; continue;
        case IR_EXIT: return exit_to(cpu, ins->imm, ins->y);
        case IR_EXITI: return exit_to(cpu, val[ins->a].u64[0], ins->b ? (uint32_t)val[ins->b].u64[0] : ins->y);
        case IR_EXC: cpu->pc = ins->imm; return leave(cpu, (enum cpu_exc)ins->sub, ins->x);
        }
        if (flags & F_MEM) {
            exc = interp_access(cpu, ins, val[ins->a].u64[0], &val[ins->b], &val[ins->c], r);
            if (unlikely(exc))
                return exc;
        } else if (flags & F_FP) {
            union vlanes x;
            host_fp_eval(cpu, &ir->fp, ins, type_a, &val[ins->a], &val[ins->b], &val[ins->c], &x);
            value_load(&x, ins->type, r);
        } else {
            r->u64[1] = 0;
            if (!common(ins, val, type_a, &r->u64[0]))
                ir_eval(ins, type_a, &val[ins->a], &val[ins->b], &val[ins->c], r);
        }
    }
}
