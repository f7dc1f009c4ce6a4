/* opt.c: the order of the passes, and their memory. */
#include <stdlib.h>
#include "ir/opt.h"

/* Sets of registers by group, remembered for the register list seen last. */
static void set_groups(struct ir_scratch *s, const struct ir *ir)
{
    if (s->regs == ir->regs && s->nregs == ir->nregs) return;
    s->regs = ir->regs;
    s->nregs = ir->nregs;
    memset(&s->guest, 0, sizeof s->guest);
    memset(s->group, 0, sizeof s->group);
    for (uint32_t r = 0; r < ir->nregs; r++) {
        regset_add(&s->guest, r);
        regset_add(&s->group[ir->regs[r].group & 7], r);
    }
}

void ir_opt(struct ir *ir, unsigned passes)
{
    if (!ir->scratch) ir->scratch = xalloc(sizeof *ir->scratch);
    set_groups(ir->scratch, ir);
    struct ir_scratch *s = ir->scratch;
    if (s->cap_use < ir->nblk) s->use = vec_grow(s->use, &s->cap_use, ir->nblk, sizeof *s->use);
    if (s->cap_def < ir->nblk) s->def = vec_grow(s->def, &s->cap_def, ir->nblk, sizeof *s->def);
    s->folded = passes & OPT_FOLD;
    if (passes & OPT_FOLD) opt_fold(ir);
    opt_liveness(ir);
    opt_depth(ir);
    if (passes & OPT_DEMAND) opt_demand(ir);
    else memset(ir->flag, IRF_LIVE, ir->nins);
}

void ir_scratch_free(struct ir_scratch *s)
{
    if (!s) return;
    free(s->out);
    free(s->out_flag);
    free(s->map);
    free(s->home);
    free(s->demand);
    free(s->use);
    free(s->def);
    free(s->order);
    for (uint32_t i = 0; i < s->nparsed; i++) free(s->parsed[i]);
    free(s->parsed);
    free(s);
}
