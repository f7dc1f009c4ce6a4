/*
 * live.c: what the passes need of the region as a graph: which registers are live where, and how deep loops nest.
 * An op that can fault reads every guest register: at that point the guest can see them all. Those put earlier in the
 * block are its deopt map's business, the others have to be right when the block is entered.
 */
#include "ir/opt.h"

static unsigned successors(const struct ir *ir, const struct ir_block *b, uint32_t succ[2])
{
    V last = b->end;
    while (last > b->first && ir->ins[last - 1].op == IR_NOP) last--;
    if (last == b->first) return 0;
    const struct ir_ins *i = &ir->ins[last - 1];
    if (i->op != IR_JMP && i->op != IR_BRC) return 0;
    succ[0] = i->x;
    succ[1] = i->y;
    return i->op == IR_JMP ? 1 : 2;
}

/* Registers read before they are written in the block, and those surely written; opt_fold finds them on its way. */
static void scan_block(const struct ir *ir, const struct ir_block *b, struct ir_regset *use, struct ir_regset *def)
{
    bool saw_all = false;
    memset(use, 0, sizeof *use);
    memset(def, 0, sizeof *def);
    for (V v = b->first; v < b->end; v++) {
        const struct ir_ins *i = &ir->ins[v];
        unsigned flags = ir_op_flags[i->op];
        if (i->op == IR_PUT) {
            regset_add(def, i->x);
        } else if (i->op == IR_GET) {
            if (!regset_has(def, i->x)) regset_add(use, i->x);
        } else if (flags & (F_FAULT | F_SIDE) && !saw_all) {
            saw_all = add_readers(ir, i, flags, use, def);
        }
    }
}

/* live_in of a block from live_out; true if it grew. */
static bool flow(struct ir_block *blk, const struct ir_regset *use, const struct ir_regset *def)
{
    uint64_t grown = 0;
    for (unsigned i = 0; i < ARRAY_LEN(use->w); i++) {
        uint64_t in = use->w[i] | (blk->live_out.w[i] & ~def->w[i]);
        grown |= in ^ blk->live_in.w[i];
        blk->live_in.w[i] = in;
    }
    return grown;
}

void opt_liveness(struct ir *ir)
{
    struct ir_scratch *s = ir->scratch;
    uint32_t succ[2];
    for (uint32_t b = 0; b < ir->nblk; b++) {
        struct ir_block *blk = &ir->blk[b];
        if (!s->folded) scan_block(ir, blk, &s->use[b], &s->def[b]);
        /* an exit reads every guest register */
        blk->live_out = successors(ir, blk, succ) ? (struct ir_regset){ { 0 } } : s->guest;
        blk->live_in = (struct ir_regset){ { 0 } };
        flow(blk, &s->use[b], &s->def[b]);
    }
    for (bool again = true; again;) {
        again = false;
        for (uint32_t b = ir->nblk; b-- > 0;) {
            struct ir_block *blk = &ir->blk[b];
            unsigned n = successors(ir, blk, succ);
            if (!n) continue;
            regset_or(&blk->live_out, &ir->blk[succ[0]].live_in);
            if (n == 2) regset_or(&blk->live_out, &ir->blk[succ[1]].live_in);
            again |= flow(blk, &s->use[b], &s->def[b]);
        }
    }
}

/* --- loops --------------------------------------------------------------------------------------------------------------- */

/* Working arrays of opt_depth, one after the other in scratch->order. */
struct graph {
    uint32_t *state, *stack, *pred_at, *pred, *seen;
    struct back_edge {
        uint32_t from, head;
    } *back;
    uint32_t nback;
};
enum { UNSEEN, ON_PATH, DONE };

/* Depth-first search from a block: finds back edges (to a block on the search path) and counts predecessors. */
static void search(const struct ir *ir, struct graph *g, uint32_t root)
{
    uint32_t sp = 0, succ[2];
    g->stack[sp++] = root;
    g->state[root] = ON_PATH;
    while (sp) {
        /* the top two bits count the successors already followed */
        uint32_t b = g->stack[sp - 1] & 0x3fffffff, next = g->stack[sp - 1] >> 30;
        if (next >= successors(ir, &ir->blk[b], succ)) {
            g->state[b] = DONE;
            sp--;
            continue;
        }
        g->stack[sp - 1] += 1u << 30;
        uint32_t to = succ[next];
        g->pred_at[to + 1]++;
        if (g->state[to] == UNSEEN) {
            g->state[to] = ON_PATH;
            g->stack[sp++] = to;
        } else if (g->state[to] == ON_PATH) {
            g->back[g->nback++] = (struct back_edge){ b, to };
        }
    }
}

/* Predecessor lists, from the counts. */
static void link_predecessors(const struct ir *ir, struct graph *g)
{
    uint32_t succ[2];
    for (uint32_t b = 0; b < ir->nblk; b++) g->pred_at[b + 1] += g->pred_at[b];
    memcpy(g->seen, g->pred_at, ir->nblk * sizeof *g->seen);
    for (uint32_t b = 0; b < ir->nblk; b++) {
        if (g->state[b] != DONE) continue;
        unsigned n = successors(ir, &ir->blk[b], succ);
        for (unsigned i = 0; i < n; i++) g->pred[g->seen[succ[i]]++] = b;
    }
    memset(g->seen, 0xff, ir->nblk * sizeof *g->seen);
}

static uint32_t enter_loop(struct ir *ir, struct graph *g, uint32_t head, uint32_t b, uint32_t sp)
{
    if (g->seen[b] == head) return sp;
    g->seen[b] = head;
    ir->blk[b].depth++;
    g->stack[sp] = b;
    return sp + 1;
}

/* Adds 1 to the depth of every block of head's loop: those that reach its back edges without passing head. */
static void deepen_loop(struct ir *ir, struct graph *g, uint32_t head)
{
    uint32_t sp = 0;
    enter_loop(ir, g, head, head, 0);
    for (uint32_t i = 0; i < g->nback; i++) {
        if (g->back[i].head == head) sp = enter_loop(ir, g, head, g->back[i].from, sp);
    }
    while (sp) {
        uint32_t b = g->stack[--sp];
        for (uint32_t i = g->pred_at[b]; i < g->pred_at[b + 1]; i++) sp = enter_loop(ir, g, head, g->pred[i], sp);
    }
}

/* For irreducible graphs the result is an estimate, which is all depth is for. */
void opt_depth(struct ir *ir)
{
    struct ir_scratch *s = ir->scratch;
    uint32_t n = ir->nblk, need = 10 * n + 1;
    if (s->cap_order < need) s->order = vec_grow(s->order, &s->cap_order, need, sizeof *s->order);
    struct graph g = { .state = s->order, .stack = s->order + n, .pred_at = s->order + 2 * n };
    g.pred = g.pred_at + n + 1;
    g.seen = g.pred + 2 * n;
    g.back = (struct back_edge *)(g.seen + n);
    memset(g.state, 0, n * sizeof *g.state);
    memset(g.pred_at, 0, (n + 1) * sizeof *g.pred_at);
    for (uint32_t b = 0; b < n; b++) {
        ir->blk[b].depth = 0;
        if (ir->blk[b].entry && g.state[b] == UNSEEN) search(ir, &g, b);
    }
    if (!g.nback) return;
    link_predecessors(ir, &g);
    for (uint32_t i = 0; i < g.nback; i++) {
        uint32_t head = g.back[i].head;
        if (g.seen[head] != head) deepen_loop(ir, &g, head);
    }
}
