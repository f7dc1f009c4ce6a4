/* ir.c: the region's arrays, and the tables derived from ops.def. */
#include <stdlib.h>
#include "ir/simplify.h"

const struct ir_opinfo ir_opinfo[IR_OPS] = {
#define OP(name, text, sig, flags) { text, sig, flags },
#include "ir/ops.def"
#undef OP
};

const uint8_t ir_op_flags[IR_OPS] = {
#define OP(name, text, sig, flags) flags,
#include "ir/ops.def"
#undef OP
};

const uint8_t ir_type_bits[T_COUNT] = { 0, 1, 8, 16, 32, 64, 16, 32, 64, 128 };

/* ins[] and flag[] grow together. */
void ir_grow(struct ir *ir)
{
    uint32_t old = ir->cap_ins;
    ir->ins = vec_grow(ir->ins, &ir->cap_ins, MAX(ir->nins + 1, 1024), sizeof *ir->ins);
    ir->flag = xrealloc(ir->flag, old, ir->cap_ins);
}

void ir_reset(struct ir *ir, const struct ir_reg *regs, uint32_t nregs)
{
    ir->regs = regs;
    ir->nregs = nregs;
    if (ir->flag) memset(ir->flag, 0, ir->nins);
    ir->nins = ir->nblk = ir->nkv = ir->ncalls = ir->nvars = 0;
    ir->mode = 0;
    ir->fp = (struct ir_fp){ 0 };
    ir_emit(ir, (struct ir_ins){ .op = IR_NOP }); /* V 0 is "no value" */
    memset(ir->last_k, 0, sizeof ir->last_k);
}

uint32_t ir_newvar(struct ir *ir, enum ir_type type)
{
    if (ir->nvars == ir->cap_vars) ir->vartype = vec_grow(ir->vartype, &ir->cap_vars, ir->nvars + 1, 1);
    ir->vartype[ir->nvars] = (uint8_t)type;
    return ir->nregs + ir->nvars++;
}

uint32_t ir_newblock(struct ir *ir, uint64_t pc)
{
    if (ir->nblk == ir->cap_blk) ir->blk = vec_grow(ir->blk, &ir->cap_blk, ir->nblk + 1, sizeof *ir->blk);
    memset(ir->last_k, 0, sizeof ir->last_k);
    ir->blk[ir->nblk] = (struct ir_block){ .first = ir->nins, .end = ir->nins, .pc = pc };
    return ir->nblk++;
}

uint32_t ir_addkv(struct ir *ir, uint64_t lo, uint64_t hi)
{
    if (ir->nkv == ir->cap_kv) ir->kv = vec_grow(ir->kv, &ir->cap_kv, ir->nkv + 1, sizeof *ir->kv);
    ir->kv[ir->nkv] = (union vlanes){ .u64 = { lo, hi } };
    return ir->nkv++;
}

uint32_t ir_addcall(struct ir *ir, const struct ir_call *call)
{
    if (ir->ncalls == ir->cap_calls) ir->calls = vec_grow(ir->calls, &ir->cap_calls, ir->ncalls + 1, sizeof *ir->calls);
    ir->calls[ir->ncalls] = *call;
    return ir->ncalls++;
}

void ir_free(struct ir *ir)
{
    free(ir->ins);
    free(ir->flag);
    free(ir->blk);
    free(ir->kv);
    free(ir->calls);
    free(ir->vartype);
    ir_scratch_free(ir->scratch);
    memset(ir, 0, sizeof *ir);
}
