/* ref.c: runs IR instruction by instruction as it stands: the plainest reading of ops.def. */
#include <stdlib.h>
#include "random_ir.h"

struct ref {
    const struct ir *ir;
    struct outcome *o;
    union vlanes *val;
    union vlanes var[32];
    uint64_t pc;
};

static void *reg_home(struct ref *f, uint32_t r)
{
    return r < f->ir->nregs ? (char *)&f->o->cpu + f->ir->regs[r].offset : (char *)&f->var[r - f->ir->nregs];
}

static size_t type_bytes(enum ir_type t)
{
    return t == T_I1 ? 1 : ir_type_bits[t] / 8;
}

static bool leave(struct ref *f, enum cpu_exc exc, uint32_t code, uint64_t pc)
{
    f->o->exc = exc;
    f->o->exc_code = code;
    f->o->cpu.c.pc = pc;
    return false;
}

/* Bytes of guest memory, or NULL after a fault. */
static uint8_t *access(struct ref *f, uint64_t addr, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (addr + i < DATA_AT || addr + i >= DATA_AT + DATA) {
            f->o->fault_addr = addr + i;
            leave(f, EXC_FAULT, 0, f->pc);
            return NULL;
        }
    }
    return f->o->mem + (addr - DATA_AT);
}

static union vlanes mem_get(const uint8_t *p, unsigned n, bool be)
{
    union vlanes r = { 0 };
    for (unsigned i = 0; i < n; i++)
        r.u8[i] = p[be ? n - 1 - i : i];
    return r;
}

static void mem_put(uint8_t *p, unsigned n, bool be, union vlanes v)
{
    for (unsigned i = 0; i < n; i++)
        p[be ? n - 1 - i : i] = v.u8[i];
}

static uint64_t rmw(enum ir_rmw op, unsigned bits, uint64_t x, uint64_t y)
{
    int64_t sx = bits_sext(x, bits), sy = bits_sext(y, bits);

    switch (op) {
    case RMW_XCHG: return y;
    case RMW_ADD: return x + y;
    case RMW_AND: return x & y;
    case RMW_OR: return x | y;
    case RMW_XOR: return x ^ y;
    case RMW_BIC: return x & ~y;
    case RMW_SMIN: return sx < sy ? x : y;
    case RMW_SMAX: return sx > sy ? x : y;
    case RMW_UMIN: return x < y ? x : y;
    default: return x > y ? x : y;
    }
}

static bool memory(struct ref *f, const struct ir_ins *ins, union vlanes *res)
{
    const bool be = ins->mo & MO_BE && ins->op != IR_PROBE;
    const unsigned n = ins->op == IR_PROBE ? ins->y : MO_BYTES(ins->mo);
    const uint64_t addr = f->val[ins->a].u64[0] + ins->imm;

    if (ins->op != IR_PROBE && ins->mo & MO_ALIGN && addr % n) {
        f->o->fault_addr = addr;
        return leave(f, EXC_ALIGN, 0, f->pc);
    }
    uint8_t *p = access(f, addr, n);
    if (!p) {
        f->o->any_addr = ins->op == IR_PROBE || (be && n == 16); /* of two halves, either may be first */
        return false;
    }
    union vlanes old = mem_get(p, MIN(n, 16u), be), b = f->val[ins->b];
    switch (ins->op) {
    case IR_LD:
        if (ins->mo & MO_SIGN && n < 8)
            old.s64[0] = bits_sext(old.u64[0], 8 * n);
        break;
    case IR_ST: mem_put(p, n, be, b); break;
    case IR_CAS:
        if (!memcmp(&old, &b, n))
            mem_put(p, n, be, f->val[ins->c]);
        break;
    case IR_RMW:
        b.u64[0] = rmw(ins->sub, 8 * n, old.u64[0], b.u64[0]);
        mem_put(p, n, be, b);
        break;
    default: break;
    }
    if (ins->type != T_V128) {
        old.u64[0] &= bits_mask(ir_type_bits[ins->type]);
        old.u64[1] = 0;
    }
    *res = old;
    return true;
}

static void call(struct ref *f, const struct ir_ins *ins, union vlanes *res)
{
    const struct ir_call *c = &f->ir->calls[ins->x];
    union vlanes args[6], r = { 0 };

    for (unsigned i = 0; i < c->h->nargs; i++)
        args[i] = f->val[c->arg[i]];
    f->o->cpu.c.pc = f->pc;
    c->h->thunk(&f->o->cpu, &r, args);
    *res = (union vlanes){ 0 };
    memcpy(res, &r, type_bytes(c->h->ret));
}

/* One instruction; false: the program has left. *block: where to go on, if that changes. */
static bool step(struct ref *f, V v, uint32_t *block)
{
    const struct ir_ins *ins = &f->ir->ins[v];
    const union vlanes *a = &f->val[ins->a], *b = &f->val[ins->b], *c = &f->val[ins->c];
    const enum ir_type ta = f->ir->ins[ins->a].type;
    CPU *cpu = &f->o->cpu.c;
    union vlanes *res = &f->val[v];

    switch (ins->op) {
    case IR_NOP:
    case IR_FENCE: return true;
    case IR_INSN: f->pc = ins->imm; return true;
    case IR_KV: *res = f->ir->kv[ins->x]; return true;
    case IR_GET:
        *res = (union vlanes){ 0 };
        memcpy(res, reg_home(f, ins->x), type_bytes(ins->type));
        return true;
    case IR_PUT: memcpy(reg_home(f, ins->x), a, type_bytes(ta)); return true;
    case IR_FENVRD: *res = (union vlanes){ .u64 = { cpu->fp.flags } }; return true;
    case IR_FENVWR: cpu->fp.flags = a->u32[0]; return true;
    case IR_FRMWR: cpu->fp.rm = a->u32[0]; return true;
    case IR_CALL: call(f, ins, res); return true;
    case IR_TRAPIF: return a->u8[0] ? leave(f, ins->sub, (uint32_t)ins->imm, f->pc) : true;
    case IR_JMP: *block = ins->x; return true;
    case IR_BRC: *block = a->u8[0] ? ins->x : ins->y; return true;
    case IR_EXIT: cpu->mode = ins->y; return leave(f, EXC_NONE, 0, ins->imm);
    case IR_EXITI: cpu->mode = ins->b ? b->u32[0] : ins->y; return leave(f, EXC_NONE, 0, a->u64[0]);
    case IR_EXC: return leave(f, ins->sub, ins->x, ins->imm);
    default: break;
    }
    if (ir_opinfo[ins->op].flags & F_MEM)
        return memory(f, ins, res);
    if (ir_opinfo[ins->op].flags & F_FP)
        host_fp_eval(cpu, &f->ir->fp, ins, ta, a, b, c, res);
    else if (!ir_eval(ins, ta, a, b, c, res))
        abort();
    return true;
}

static void run(struct ref *f)
{
    uint32_t block = 0, budget = 1000;

    for (bool going = true; going;) {
        if (!budget--) {
            f->o->endless = true;
            return;
        }
        const struct ir_block *b = &f->ir->blk[block];
        for (V v = b->first; going && v < b->end; v++)
            going = step(f, v, &block);
    }
}

void ref_run(const struct ir *ir, struct outcome *o)
{
    struct ref f = { .ir = ir, .o = o, .val = calloc(ir->nins, sizeof(union vlanes)) };

    if (!sigsetjmp(o->v.recover, 0)) {
        run(&f);
    } else { /* a helper raised */
        o->exc = o->v.exc;
        o->exc_code = o->v.exc_code;
        o->fault_addr = o->v.fault_addr;
    }
    free(f.val);
}
