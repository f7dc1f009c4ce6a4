/*
 * region.c: the region builder. From a guest pc it follows direct jumps and both sides of branches, translates every
 * guest instruction once, closes loops, cuts blocks where branches land, and hands the result to the optimiser and the
 * back end. It knows nothing of any ISA: front ends say how an instruction leaves (xl_*), this file decides what
 * becomes an edge inside the region and what an exit.
 *
 * Before every guest instruction one NOP is left in the IR, so that a block can be cut there in place.
 */
#include "cpu/engine.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum {
    PC_HASH = 1024,       /* power of two, well above the number of instructions in a region */
    PC_RUN = 5,           /* log2 of the neighbouring pcs that lie together in it */
    FETCH = 256,          /* bytes of guest code copied at a time */
    MAX_INSN_BYTES = 16,
    MAX_INSNS_LIMIT = 500,
    MAX_PAGES = 16,
    MAX_CALLS = 16,       /* functions in a region besides its own */
    MAX_SITES = 3,        /* places that one of them, or the region's own, is known to return to */
    MAX_RETS = 32,
    LEAF_INSNS = 40       /* the largest function that is taken into a region of its caller */
};

/*
 * A function in the region: the one it begins in (number 0), or a small one that is called from it and calls nothing but itself.
 * Its returns are compared with the places that it was called from, by value; any other is looked up as always.
 */
struct function {
    unsigned nsites;
    struct site {
        uint64_t pc;
        uint32_t block, other; /* other: where a return goes on that is not to this one or those before */
    } site[MAX_SITES];
};

struct builder {
    struct ir ir;
    struct xlat t;
    struct engine *en;
    struct vcpu *v;
    uint32_t mode;
    unsigned ninsns, limit;
    bool first; /* what has hardly run: a small region, with a counter */
    bool straight; /* one block, to be walked */
    uint64_t pending[MAX_BLOCKS]; /* blocks that are wanted, not yet translated (block numbers) */
    unsigned npending;
    struct { uint64_t pc; uint32_t marker, block; uint32_t epoch; uint8_t fn; } at[PC_HASH]; /* translated instructions and pending blocks */
    uint32_t epoch;
    struct function fn[1 + MAX_CALLS];
    unsigned nfns, in_fn; /* the one that is being translated */
    struct { V v; uint8_t fn; } ret[MAX_RETS]; /* returns: the last of their instructions (emit_return) */
    unsigned nrets;
    uint32_t ret_pc; /* the region variable with the pc of a return that is compared; 0 = none yet */
    bool leaf; /* nothing so far leaves the region but returns */
    uint8_t code[FETCH];
    uint64_t code_addr;
    size_t code_len;
    struct { uint64_t va; struct code_page code; uint16_t lo, hi; } pages[MAX_PAGES];
    unsigned npages;
    uint32_t order[MAX_BLOCKS], place[MAX_BLOCKS];
    struct ir_block sorted[MAX_BLOCKS];
    union vlanes *val; /* of a walk */
    uint32_t cap_val;
};

/* Fresh pages, not malloc's: they are zero without being touched. */
struct builder *builder_new(void)
{
    struct builder *b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return b == MAP_FAILED ? NULL : b;
}

void builder_free(struct builder *b)
{
    if (!b) return;
    ir_free(&b->ir);
    free(b->val);
    munmap(b, sizeof *b);
}

/* --- guest code ------------------------------------------------------------------------------------------------ */

static uint64_t page_size(const struct engine *en)
{
    return en->mem ? gmem_page(en->mem) : TLB_PAGE;
}

/* Number of the page in the region's list, or -1. */
static int page_index(const struct builder *b, uint64_t addr)
{
    uint64_t page = ALIGN_DOWN(addr, page_size(b->en));
    for (unsigned i = b->npages; i-- > 0;)
        if (b->pages[i].va == page) return (int)i;
    return -1;
}

/* The region has code at [addr, last], of one page. System mode: fetch_page has found out where it is. */
static bool note_page(struct builder *b, uint64_t addr, uint64_t last)
{
    uint64_t page = ALIGN_DOWN(addr, page_size(b->en));
    int i = page_index(b, addr);
    if (i < 0) {
        if (b->npages == MAX_PAGES) return false;
        i = (int)b->npages++;
        b->pages[i].va = page;
        b->pages[i].lo = UINT16_MAX, b->pages[i].hi = 0;
    }
    b->pages[i].lo = MIN(b->pages[i].lo, (uint16_t)(addr - page));
    b->pages[i].hi = MAX(b->pages[i].hi, (uint16_t)(last - page));
    return true;
}

/* System mode: where the page with pc is; it joins the region's list, empty so far. Only the first page's fault is the guest's. */
static const struct code_page *fetch_page(struct builder *b, uint64_t pc)
{
    int i = page_index(b, pc);
    if (i >= 0) return &b->pages[i].code;
    struct code_page p;
    if (b->npages == MAX_PAGES || !soft_code_page(b->v, pc, b->npages != 0, &p)) return NULL;
    if (!b->straight) soft_mark_code(b->en, &p);
    i = (int)b->npages++;
    b->pages[i].va = ALIGN_DOWN(pc, (uint64_t)TLB_PAGE);
    b->pages[i].code = p;
    b->pages[i].lo = UINT16_MAX, b->pages[i].hi = 0;
    return &b->pages[i].code;
}

/* What gmem_fetch does, in system mode. */
static size_t fetch_sys(struct builder *b, uint64_t pc)
{
    size_t len = 0;
    while (len < FETCH) {
        uint64_t at = pc + len, n = MIN(FETCH - len, TLB_PAGE - (at & (TLB_PAGE - 1)));
        if (len >= MAX_INSN_BYTES) break; /* into the next page only for an instruction that needs it */
        const struct code_page *p = fetch_page(b, at);
        if (!p) break;
        memcpy(b->code + len, p->ram->host + p->off + (at & (TLB_PAGE - 1)), n);
        len += n;
    }
    return len;
}

/* Bytes at pc: a pointer and how many are there (at least the longest instruction unless the code ends). */
static const uint8_t *fetch(struct builder *b, uint64_t pc, size_t *avail)
{
    uint64_t off = pc - b->code_addr;
    if (off >= b->code_len || (b->code_len - off < MAX_INSN_BYTES && (b->code_len == FETCH || b->en->cfg.sysmem))) {
        b->code_addr = pc;
        b->code_len = b->en->cfg.sysmem ? fetch_sys(b, pc) : gmem_fetch(b->en->mem, pc, b->code, FETCH);
        off = 0;
    }
    *avail = b->code_len - off;
    return b->code + off;
}

static bool is_breakpoint(const struct engine *en, uint64_t pc)
{
    for (uint32_t i = 0; i < en->nbreakpoints; i++)
        if (en->breakpoints[i] == pc) return true;
    return false;
}

/* --- blocks by pc ---------------------------------------------------------------------------------------------- */

/* Slot of a pc: the one that holds it, or the free one where it belongs. Neighbours lie together: code runs straight on for the most part. */
static unsigned slot_of(struct builder *b, uint64_t pc)
{
    const unsigned shift = b->en->guest->insn_align >= 4 ? 2 : 1;
    unsigned h = ((unsigned)((pc >> (shift + PC_RUN)) * 0x9e3779b97f4a7c15ull >> 32) << PC_RUN | (pc >> shift & ((1 << PC_RUN) - 1))) & (PC_HASH - 1);
    while (b->at[h].epoch == b->epoch && b->at[h].pc != pc) h = (h + 1) & (PC_HASH - 1);
    return h;
}

/* A block that holds nothing yet: first = end = 0. */
static uint32_t new_block(struct ir *ir, uint64_t pc)
{
    uint32_t n = ir_newblock(ir, pc);
    ir->blk[n].first = ir->blk[n].end = 0;
    return n;
}

/* Starts a new block at a marker inside a translated one; the old one jumps to it. */
static uint32_t cut(struct builder *b, uint32_t block, uint32_t marker)
{
    struct ir *ir = &b->ir;
    uint32_t n = new_block(ir, ir->ins[marker].imm);
    struct ir_block *old = &ir->blk[block], *new = &ir->blk[n];
    new->first = marker;
    new->end = old->end;
    old->end = marker;
    ir->ins[marker - 1] = (struct ir_ins){ .op = IR_JMP, .x = n };
    for (uint32_t i = marker; i < (new->end ? new->end : ir->nins); i++) {
        if (ir->ins[i].op != IR_INSN) continue;
        b->at[slot_of(b, ir->ins[i].imm)].block = n;
    }
    return n;
}

/* The block that starts at pc: an existing one, a cut, or a new one to be translated. */
static uint32_t block_at(struct builder *b, uint64_t pc)
{
    unsigned h = slot_of(b, pc);
    if (b->at[h].epoch == b->epoch) {
        uint32_t block = b->at[h].block;
        if (!b->at[h].marker || b->ir.blk[block].first == b->at[h].marker) return block;
        return cut(b, block, b->at[h].marker);
    }
    uint32_t n = new_block(&b->ir, pc);
    b->at[h].pc = pc, b->at[h].marker = 0, b->at[h].block = n, b->at[h].epoch = b->epoch, b->at[h].fn = (uint8_t)b->in_fn;
    b->pending[b->npending++] = n;
    return n;
}

/* --- one block --------------------------------------------------------------------------------------------------- */

static void emit_exit(struct builder *b, uint64_t pc, uint32_t mode, enum ir_jk jk)
{
    b->leaf = false;
    ir_emit(&b->ir, (struct ir_ins){ .op = IR_EXIT, .imm = pc, .y = mode, .sub = (uint8_t)jk });
}

static void emit_exc(struct builder *b, enum cpu_exc exc, uint32_t code, uint64_t pc)
{
    b->leaf = false;
    ir_emit(&b->ir, (struct ir_ins){ .op = IR_EXC, .sub = (uint8_t)exc, .x = code, .imm = pc });
}

static bool room_for_blocks(const struct builder *b)
{
    return b->ir.nblk + 4 < MAX_BLOCKS && b->npending + 4 < MAX_BLOCKS;
}

/* System mode: only code in the pages that the region has already is known by its pc. */
static bool has_full(struct builder *b, uint64_t pc)
{
    if (!b->en->cfg.sysmem) return cache_has_full(b->en, b->v, pc, b->mode, 0);
    int i = page_index(b, pc);
    return i >= 0 && cache_has_full(b->en, b->v, pc, b->mode, code_page_key(&b->pages[i].code));
}

/*
 * Does the region go on at a direct target? In a first translation both sides of a branch are taken only if that costs
 * little: one is translated already, or near.
 */
static bool goes_on(struct builder *b, uint64_t to, bool branch)
{
    if (b->limit == 1 || b->straight || !room_for_blocks(b)) return false;
    if (b->first && has_full(b, to)) return false; /* a first translation leads to it */
    if (!b->first || !branch || to - b->t.next_pc <= MAX_SKIP) return true;
    return b->at[slot_of(b, to)].epoch == b->epoch;
}

/* --- calls and returns inside the region ------------------------------------------------------------------------- */

/* The function at pc, if it has run often enough to be known as one that fits: small, and it only returns. */
static bool is_leaf(struct builder *b, uint64_t pc)
{
    uint64_t key = 0;
    if (b->en->cfg.sysmem) {
        struct code_page p;
        int i = page_index(b, pc);
        if (i < 0 && !soft_code_page(b->v, pc, true, &p)) return false;
        key = code_page_key(i < 0 ? &p : &b->pages[i].code);
    }
    const struct region *r = cache_find(b->en, b->v, pc, b->mode, key);
    return r && r->leaf && r->ninsns <= LEAF_INSNS && b->ninsns + r->ninsns + 8 <= b->limit;
}

/* A return, with room in front for the comparison: K, CMP, PUT, EXITI; the last becomes a BRC when a place is known. */
static void link_return(struct builder *b, V v, const struct site *s)
{
    struct ir_ins *i = &b->ir.ins[v];
    i[-3].imm = s->pc;
    *i = (struct ir_ins){ .op = IR_BRC, .a = v - 2, .x = s->block, .y = s->other };
}

static uint32_t ret_var(struct builder *b)
{
    if (!b->ret_pc) b->ret_pc = ir_newvar(&b->ir, T_I64);
    return b->ret_pc;
}

static void emit_return(struct builder *b)
{
    struct ir *ir = &b->ir;
    struct xlat *t = &b->t;
    V k = ir_emit(ir, (struct ir_ins){ .op = IR_K, .type = T_I64 });
    ir_emit(ir, (struct ir_ins){ .op = IR_CMP, .type = T_I1, .sub = C_EQ, .a = t->ind, .b = k });
    ir_emit(ir, (struct ir_ins){ .op = IR_PUT, .x = ret_var(b), .a = t->ind });
    V v = ir_emit(ir, (struct ir_ins){ .op = IR_EXITI, .a = t->ind, .y = t->mode, .sub = JK_RET });
    b->ret[b->nrets].v = v;
    b->ret[b->nrets++].fn = (uint8_t)b->in_fn;
    if (b->fn[b->in_fn].nsites) link_return(b, v, &b->fn[b->in_fn].site[0]);
}

/* Function f is called from here. False: it has been from too many places already. */
static bool add_site(struct builder *b, unsigned f, uint64_t pc)
{
    struct function *fn = &b->fn[f];
    for (unsigned i = 0; i < fn->nsites; i++)
        if (fn->site[i].pc == pc) return true;
    if (fn->nsites == MAX_SITES) return false;
    struct site *s = &fn->site[fn->nsites++];
    s->pc = pc;
    s->block = block_at(b, pc);
    s->other = new_block(&b->ir, pc);
    if (fn->nsites > 1) return true;
    for (unsigned i = 0; i < b->nrets; i++)
        if (b->ret[i].fn == f) link_return(b, b->ret[i].v, s);
    return true;
}

/* Where returns go that are to none of the known places, or not to the first. */
static void close_returns(struct builder *b)
{
    struct ir *ir = &b->ir;
    for (unsigned f = 0; f < b->nfns; f++) {
        const struct function *fn = &b->fn[f];
        for (unsigned i = 0; i < fn->nsites; i++) {
            struct ir_block *blk = &ir->blk[fn->site[i].other];
            blk->first = ir->nins;
            V pc = ir_emit(ir, (struct ir_ins){ .op = IR_GET, .type = T_I64, .x = ret_var(b) });
            if (i + 1 < fn->nsites) {
                const struct site *s = &fn->site[i + 1];
                V k = ir_emit(ir, (struct ir_ins){ .op = IR_K, .type = T_I64, .imm = s->pc });
                V same = ir_emit(ir, (struct ir_ins){ .op = IR_CMP, .type = T_I1, .sub = C_EQ, .a = pc, .b = k });
                ir_emit(ir, (struct ir_ins){ .op = IR_BRC, .a = same, .x = s->block, .y = s->other });
            } else {
                ir_emit(ir, (struct ir_ins){ .op = IR_EXITI, .a = pc, .y = b->mode, .sub = JK_RET });
            }
            blk->end = ir->nins;
        }
    }
}

/*
 * A call: does the region go on in the function that is called? That is so in full regions, if it is one of theirs or a leaf.
 * True: block goes on at t->target, in its function.
 */
static bool follow_call(struct builder *b)
{
    struct xlat *t = &b->t;
    if (b->first || b->straight || b->limit == 1 || t->jk != JK_CALL || t->mode != b->mode || !room_for_blocks(b)) return false;
    unsigned h = slot_of(b, t->target), f = b->nfns;
    if (b->at[h].epoch == b->epoch) {
        f = b->at[h].fn;
    } else if (f > MAX_CALLS || !is_leaf(b, t->target)) {
        return false;
    } else {
        b->fn[b->nfns++] = (struct function){ 0 };
    }
    if (!add_site(b, f, t->next_pc)) return false;
    b->in_fn = f;
    return true;
}

/* The terminator of an instruction that changes the flow. The block it belongs to is the one at hand after possible cuts. */
static void emit_end(struct builder *b)
{
    struct xlat *t = &b->t;
    switch (t->end) {
    case XE_BRANCH:
        if (ir_is_k(t, t->cond)) {
            uint64_t to = ir_kval(t, t->cond) ? t->target : t->next_pc;
            if (goes_on(b, to, false))
                ir_emit(&b->ir, (struct ir_ins){ .op = IR_JMP, .x = block_at(b, to) });
            else
                emit_exit(b, to, t->mode, JK_JUMP);
        } else if (goes_on(b, t->target, true)) {
            /* what is asked for last is translated next, and laid out next: the fall-through, but a branch back is mostly taken */
            uint32_t x, y;
            if (t->target < t->pc) y = block_at(b, t->next_pc), x = block_at(b, t->target);
            else x = block_at(b, t->target), y = block_at(b, t->next_pc);
            ir_emit(&b->ir, (struct ir_ins){ .op = IR_BRC, .a = t->cond, .x = x, .y = y });
        } else {
            uint32_t x = new_block(&b->ir, t->target), y = new_block(&b->ir, t->next_pc);
            ir_emit(&b->ir, (struct ir_ins){ .op = IR_BRC, .a = t->cond, .x = x, .y = y });
        }
        break;
    case XE_JUMP:
        if (t->jk == JK_JUMP && t->mode == b->mode && goes_on(b, t->target, false))
            ir_emit(&b->ir, (struct ir_ins){ .op = IR_JMP, .x = block_at(b, t->target) });
        else if (t->jk == JK_CALL && t->target == b->ir.blk[0].pc)
            ir_emit(&b->ir, (struct ir_ins){ .op = IR_EXIT, .imm = t->target, .y = t->mode, .sub = JK_CALL }); /* leaf or not */
        else
            emit_exit(b, t->target, t->mode, (enum ir_jk)t->jk);
        break;
    case XE_IND:
        if (t->jk != JK_RET || t->new_mode || t->mode != b->mode) b->leaf = false;
        else if (!b->first && !b->straight && b->limit > 1 && b->nrets < MAX_RETS) {
            emit_return(b);
            break;
        }
        ir_emit(&b->ir, (struct ir_ins){ .op = IR_EXITI, .a = t->ind, .b = t->new_mode, .y = t->mode, .sub = t->jk });
        break;
    case XE_EXC: emit_exc(b, (enum cpu_exc)t->exc, t->code, t->target); break;
    default: emit_exit(b, t->target, t->mode, JK_JUMP);
    }
}

static void log_insn(struct builder *b, const uint8_t *p, size_t avail, uint64_t pc)
{
    char text[160];
    const struct guest *g = b->en->guest;
    unsigned len = g->disas ? g->disas(text, sizeof text, p, avail, pc, b->v->cpu) : 0;
    if (len) log_write("%#12llx:  %s\n", (unsigned long long)pc, text);
}

/*
 * Translates from the block's pc on, until the flow leaves, a translated instruction is reached, or the region is full.
 * Returns false if not even the region's first instruction could be fetched.
 */
static bool translate_block(struct builder *b, uint32_t block)
{
    struct ir *ir = &b->ir;
    struct xlat *t = &b->t;
    uint64_t pc = ir->blk[block].pc;
    bool first = true;
    b->in_fn = b->at[slot_of(b, pc)].fn;
    for (;; first = false) {
        unsigned h = slot_of(b, pc);
        if (!first && b->at[h].epoch == b->epoch) {
            ir_emit(ir, (struct ir_ins){ .op = IR_JMP, .x = block_at(b, pc) });
            break;
        }
        if (b->ninsns >= b->limit || (b->first && !first && has_full(b, pc))) {
            emit_exit(b, pc, b->mode, JK_JUMP);
            break;
        }
        size_t avail;
        const uint8_t *p = fetch(b, pc, &avail);
        if (!avail || !note_page(b, pc, pc)) {
            if (!avail && !b->ninsns) return false;
            emit_exit(b, pc, b->mode, JK_JUMP);
            break;
        }
        if (!b->v->single_step && !b->straight && b->en->nbreakpoints && is_breakpoint(b->en, pc)) {
            emit_exc(b, EXC_DEBUG, 0, pc);
            b->ninsns++;
            break;
        }
        if (LOGS_CODE(LOG_IN_ASM, pc)) log_insn(b, p, avail, pc);
        uint32_t before = ir->nins;
        ir_emit(ir, (struct ir_ins){ .op = IR_NOP });
        V marker = ir_emit(ir, (struct ir_ins){ .op = IR_INSN, .imm = pc });
        t->pc = pc;
        t->next_pc = pc;
        t->mode = b->mode;
        t->view = 0;
        t->watch = b->v->single_step && b->v->nwatch && !b->v->soft ? &watch_helper : NULL;
        t->end = XE_NONE;
        if (unlikely(b->en->cfg.probes)) probe_before(b->en, t);
        unsigned len = b->en->guest->translate(t, p, avail);
        if (!len) {
            /* the instruction goes on where nothing can be fetched */
            ir->nins = before;
            if (!b->ninsns) {
                b->v->fault_addr = pc + avail;
                return false;
            }
            emit_exit(b, pc, b->mode, JK_JUMP);
            break;
        }
        uint64_t last = pc + len - 1, page_end = pc | (page_size(b->en) - 1);
        if (!note_page(b, pc, MIN(last, page_end)) || (last > page_end && !note_page(b, page_end + 1, last))) b->ninsns = b->limit;
        if (unlikely(b->en->cfg.probes)) probe_after(b->en, t);
        ir->ins[marker].x = len;
        if (first)
            b->at[h].marker = ir->blk[block].first = marker;
        else
            b->at[h].pc = pc, b->at[h].marker = marker, b->at[h].block = block, b->at[h].epoch = b->epoch, b->at[h].fn = (uint8_t)b->in_fn;
        b->ninsns++;
        if (!t->end && t->mode != b->mode) xl_stop(t);
        if (t->end == XE_JUMP && follow_call(b)) {
            block = b->at[h].block; /* the place to return to may be in this block */
            pc = t->target;
            continue;
        }
        if (t->end) {
            emit_end(b);
            break;
        }
        pc = t->next_pc;
    }
    if (!ir->blk[block].first) ir->blk[block].first = ir->nins - 1; /* a lone terminator */
    /* the block at hand may have been cut by its own branch: the open one is the last piece */
    for (uint32_t i = ir->nblk; i-- > 0;) {
        if (!ir->blk[i].first || ir->blk[i].end) continue;
        ir->blk[i].end = ir->nins;
        break;
    }
    return true;
}

/* Blocks that were wanted but have no place in the region become exits. */
static void close_pending(struct builder *b)
{
    struct ir *ir = &b->ir;
    for (uint32_t i = 0; i < ir->nblk; i++) {
        if (ir->blk[i].first) continue;
        ir->blk[i].first = ir->nins;
        emit_exit(b, ir->blk[i].pc, b->mode, JK_JUMP);
        ir->blk[i].end = ir->nins;
    }
}

/*
 * A region that was entered because it is hot and whose entry is in a loop: the loop is all there is to it. What follows the
 * loop has its own heat, and registers are carried for one loop nest, not for its neighbours. block->loop_head serves as the
 * mark of what can reach the entry.
 */
static void keep_loop(struct builder *b)
{
    struct ir *ir = &b->ir;
    struct ir_block *blk = ir->blk;
    bool loop = false;
    for (bool again = true; again;) {
        again = false;
        for (uint32_t i = ir->nblk; i-- > 0;) {
            const struct ir_ins *end = &ir->ins[blk[i].end - 1];
            if (blk[i].loop_head || (end->op != IR_JMP && end->op != IR_BRC)) continue;
            bool reaches = !end->x || blk[end->x].loop_head;
            if (end->op == IR_BRC) reaches |= !end->y || blk[end->y].loop_head;
            if (!reaches) continue;
            blk[i].loop_head = again = true;
            loop |= !i;
        }
    }
    for (uint32_t i = 0; i < ir->nblk; i++) {
        if (loop && !blk[i].loop_head && ir->ins[blk[i].first].op == IR_INSN) {
            ir->ins[blk[i].first] = (struct ir_ins){ .op = IR_EXIT, .imm = blk[i].pc, .y = b->mode, .sub = JK_JUMP };
            b->leaf = false;
            blk[i].end = blk[i].first + 1;
        }
        blk[i].loop_head = 0;
    }
}

/* Marks what can be reached from the entry by loop_head. */
static void mark_reachable(struct builder *b)
{
    struct ir *ir = &b->ir;
    uint32_t *stack = b->order, n = 0;
    ir->blk[0].loop_head = 1;
    for (stack[n++] = 0; n;) {
        const struct ir_ins *end = &ir->ins[ir->blk[stack[--n]].end - 1];
        if (end->op != IR_JMP && end->op != IR_BRC) continue;
        const uint32_t to[2] = { end->x, end->op == IR_BRC ? end->y : end->x };
        for (unsigned i = 0; i < 2; i++)
            if (!ir->blk[to[i]].loop_head) ir->blk[to[i]].loop_head = 1, stack[n++] = to[i];
    }
}

/*
 * Numbers the blocks in the order in which they were translated, so that fall-throughs are neighbours, without those that
 * nothing leads to; finds loop heads.
 */
static void lay_out(struct builder *b)
{
    struct ir *ir = &b->ir;
    uint32_t n = 0;
    mark_reachable(b);
    /* nearly sorted: blocks are translated in about the order in which they were asked for */
    for (uint32_t i = 0; i < ir->nblk; i++) {
        if (!ir->blk[i].loop_head) continue;
        uint32_t j = n++;
        for (; j > 0 && ir->blk[b->order[j - 1]].first > ir->blk[i].first; j--) b->order[j] = b->order[j - 1];
        b->order[j] = i;
    }
    for (uint32_t i = 0; i < n; i++) {
        b->place[b->order[i]] = i;
        b->sorted[i] = ir->blk[b->order[i]];
        b->sorted[i].loop_head = 0;
    }
    memcpy(ir->blk, b->sorted, n * sizeof *ir->blk);
    ir->nblk = n;
    ir->blk[0].entry = 1;
    for (uint32_t i = 0; i < n; i++) {
        struct ir_ins *end = &ir->ins[ir->blk[i].end - 1];
        if (end->op != IR_JMP && end->op != IR_BRC) continue;
        end->x = b->place[end->x];
        if (end->x <= i) ir->blk[end->x].loop_head = 1;
        if (end->op == IR_JMP) continue;
        end->y = b->place[end->y];
        if (end->y <= i) ir->blk[end->y].loop_head = 1;
    }
}

/* --- the region --------------------------------------------------------------------------------------------------- */

static bool build(struct builder *b, uint64_t pc, unsigned limit)
{
    struct engine *en = b->en;
    ir_reset(&b->ir, en->ir_regs, en->ir_nregs);
    b->ir.mode = b->mode;
    if (en->guest->fp) en->guest->fp(b->mode, &b->ir.fp);
    b->t = (struct xlat){ .ir = &b->ir, .cpu = b->v->cpu };
    b->epoch++;
    b->ninsns = b->npending = b->npages = b->nrets = b->in_fn = 0;
    b->ret_pc = 0;
    b->nfns = 1;
    b->fn[0].nsites = 0;
    b->leaf = true;
    b->limit = limit;
    b->code_len = 0;
    block_at(b, pc);
    while (b->npending) {
        uint32_t block = (uint32_t)b->pending[--b->npending];
        if (b->ir.blk[block].first) continue;
        if (b->ninsns >= b->limit || !room_for_blocks(b)) break;
        if (!translate_block(b, block)) return false;
    }
    close_returns(b);
    close_pending(b);
    return true;
}

/* The exception of a fetch at v->fault_addr, for code at pc. System mode: it is found again, this time with all that belongs to it. */
static void cannot_fetch(struct vcpu *v, const struct gmem *mem, uint64_t pc)
{
    struct code_page p;
    if (v->soft) {
        v->exc = EXC_FAULT;
        v->exc_code = EXF_EXEC;
        if (soft_code_page(v, v->fault_addr, false, &p)) v->exc = EXC_NONE; /* another CPU has mapped it meanwhile */
        return;
    }
    v->exc = EXC_FAULT;
    v->exc_code = EXF_EXEC | (gmem_flags(mem, pc) ? EXF_ACCERR : EXF_MAPERR);
}

static void log_ir_line(void *ctx, const char *line)
{
    log_write("%s\n", line);
}

static void log_ir(struct builder *b, const char *title, uint64_t pc)
{
    log_write("IR %s, region %#llx mode %#x\n", title, (unsigned long long)pc, b->mode);
    ir_print(&b->ir, log_ir_line, NULL);
}

static uint64_t now_ns(const struct engine *en)
{
    if (!en->cfg.timed) return 0;
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Host code for the region that was built. 0, -ENOSPC: the segment is full, or the host's refusal. */
static int compile(struct builder *b, struct region *r, struct code_buf *buf)
{
    struct engine *en = b->en;
    struct segment *s = &en->seg[en->cur];
    *buf = (struct code_buf){ (uint8_t *)ALIGN_UP((uintptr_t)s->fill, 16), s->end, en->delta };
    uint8_t *start = buf->rw;
    cache_touch(en);
    int ret = buf->rw < buf->end ? en->host->compile(en->hh, &b->ir, buf, r) : -ENOSPC;
    if (ret) return ret == -ENOSPC && !s->n ? -E2BIG : ret;
    r->code_base = start + en->delta;
    r->code_size = (uint32_t)(buf->rw - start);
    return 0;
}

static struct region *region_new(const struct builder *b, uint64_t pc)
{
    struct region *r = xalloc(sizeof *r + b->npages * sizeof r->page[0]);
    r->pc = pc;
    r->mode = b->mode;
    r->ninsns = b->ninsns;
    r->leaf = b->leaf;
    for (unsigned i = 0; i < b->npages; i++) {
        if (b->pages[i].lo > b->pages[i].hi) continue; /* it was looked at, for an instruction that might have reached into it */
        struct page_node *n = &r->page[r->npages++];
        n->page = n->va = b->pages[i].va;
        n->lo = b->pages[i].lo, n->hi = b->pages[i].hi;
        if (!b->en->cfg.sysmem) continue;
        n->page = code_page_key(&b->pages[i].code);
        n->ram = b->pages[i].code.ram;
    }
    if (b->en->cfg.sysmem) r->key = r->page[0].page;
    if (b->first) r->counter = engine_counter(b->en, pc);
    r->lone_checks = !cache_shares_checks(b->en, pc);
    return r;
}

struct region *region_translate(struct engine *en, struct vcpu *v, uint64_t pc, uint32_t mode, unsigned limit, bool first)
{
    struct builder *b = en->builder;
    uint64_t start = now_ns(en);
    limit = MIN(limit ? limit : MAX_INSNS_DEFAULT, (unsigned)MAX_INSNS_LIMIT);
    first = first && en->host->counts && limit > 1;
    if (first) limit = MIN(limit, (unsigned)MAX_INSNS_FIRST);
    v->fault_addr = pc;
    for (;;) {
        b->en = en, b->v = v, b->mode = mode, b->first = first;
        if (!build(b, pc, limit)) {
            cannot_fetch(v, en->mem, pc);
            return NULL;
        }
        if (!first && limit > 1) keep_loop(b);
        lay_out(b);
        if (LOGS_CODE(LOG_IR, pc)) log_ir(b, "as built", pc);
        ir_opt(&b->ir, en->cfg.opt_passes);
        if (LOGS_CODE(LOG_IR_OPT, pc)) log_ir(b, "optimised", pc);
        struct region *r = region_new(b, pc);
        struct code_buf buf;
        int ret = compile(b, r, &buf);
        if (!ret) {
            cache_insert(en, r, buf.rw, !v->single_step);
            en->stats.regions++;
            en->stats.insns += b->ninsns;
            if (!first) en->stats.full_regions++, en->stats.full_insns += b->ninsns;
            en->stats.ir_ins += b->ir.nins;
            en->stats.host_bytes += r->code_size;
            en->stats.translate_ns += now_ns(en) - start;
            if (LOGS_CODE(LOG_OUT_ASM, pc) && en->host->dump) {
                log_write("region %#llx mode %#x insns %u bytes %u%s\n", (unsigned long long)pc, mode, b->ninsns, r->code_size,
                          first ? "" : " full");
                en->host->dump(en->hh, r);
            }
            return r;
        }
        free(r->exits);
        free(r->maps);
        free(r);
        if (ret == -ENOSPC) {
            /* The lock is let go: another CPU may use the builder, and the guest may change the code that was read. */
            cache_next_segment(en, v);
            continue;
        }
        if (ret != -E2BIG || limit == 1) {
            v->exc = EXC_GUEST;
            v->exc_code = 0;
            log_write("lyrebird: the %s back end cannot compile the code at %#llx: %s\n", en->host->name,
                      (unsigned long long)pc, strerror(-ret));
            return NULL;
        }
        limit = MAX(MIN(limit, b->ninsns) / 2, 1u);
    }
}

/* --- walking ------------------------------------------------------------------------------------------------------ */

enum cpu_exc region_walk(struct engine *en, struct vcpu *v)
{
    if (!v->builder && !(v->builder = builder_new())) {
        v->exc_code = 0;
        return EXC_GUEST;
    }
    struct builder *b = v->builder;
    CPU *cpu = v->cpu;
    b->en = en, b->v = v, b->mode = cpu->mode, b->straight = true;
    v->fault_addr = cpu->pc;
    if (!build(b, cpu->pc, MAX_INSNS_WALK)) {
        cannot_fetch(v, en->mem, cpu->pc);
        return v->exc;
    }
    v->walked++;
    v->walked_insns += b->ninsns;
    uint32_t need = b->ir.nins + b->ir.nvars;
    if (need > b->cap_val) b->val = vec_grow(b->val, &b->cap_val, need, sizeof *b->val);
    v->walking = true;
    enum cpu_exc exc = en->walk(cpu, &b->ir, b->val);
    v->walking = false;
    return exc;
}
