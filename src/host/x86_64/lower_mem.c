/*
 * lower_mem.c: guest memory, user mode: host address = guest address + base (gs segment base when that is not
 * 0). Where a guest can make addresses beyond its reserved space, each access is compared with its end.
 *
 * Order: x86 keeps all orders but store before load, so acquire and release cost nothing but for a release
 * store, which is an exchange: AArch64's STLR followed by LDAR is ordered. Faults of the host become the
 * guest's through deopt maps, made before the result is allocated.
 */
#include "host/x86_64/priv.h"
#include "host/x86_64/asm.h"
#include "ir/build.h"
#include "cpu/soft.h"

/* In a window that addresses can exceed: leaves with EXC_FAULT unless the access at the address in `a` starts inside. */
static void check_window(struct gen *g, const struct ir_ins *in, unsigned a)
{
    bool write = in->op == IR_PROBE ? in->mo & MO_STORE : in->op != IR_LD;
    a_alu(g, ALU_CMP, 64, a, pool2(g, g->h->env.limit));
    deopt_trap(g, a_jcc_fwd(g, CC_AE), EXC_FAULT, EXF_MAPERR | (write ? EXF_WRITE : EXF_READ), in->a, (int64_t)in->imm);
}

/* The same for what is in a register then. */
static struct opnd window_mem(struct gen *g, const struct ir_ins *in)
{
    int64_t disp = (int64_t)in->imm;
    unsigned a = use_r(g, in->a);
    if (disp) {
        unsigned t = tmp_gpr(g);
        if (disp == (int32_t)disp) {
            a_lea(g, 64, t, o_mem(a, (int32_t)disp));
        } else {
            a_mov_ri(g, t, (uint64_t)disp);
            a_alu(g, ALU_ADD, 64, t, o_reg(a));
        }
        a = t;
    }
    check_window(g, in, a);
    return o_mem(a, 0);
}

/* --- system mode: the TLBs of cpu/soft.h ---------------------------------------------------------------- */

static struct opnd o_soft(unsigned off)
{
    return o_mem(RBP, (int32_t)off - (int32_t)sizeof(struct soft_cpu) - CPU_BIAS);
}

/* u = host address of c->span bytes at the address in a plus c->lo; the jump of a miss, whose end is returned. t is free then. */
static uint8_t *tlb_look_up(struct gen *g, const struct page_check *c, unsigned a, unsigned u, unsigned t)
{
    const unsigned off = (unsigned)(offsetof(struct soft_cpu, view) + c->view * sizeof(struct tlb_view));
    const int64_t disp = c->lo;
    if (disp == 0) {
        a_mov_rr(g, 64, u, a);
    } else if (disp == (int32_t)disp) {
        a_lea(g, 64, u, o_mem(a, (int32_t)disp));
    } else {
        a_mov_ri(g, u, (uint64_t)disp);
        a_alu(g, ALU_ADD, 64, u, o_reg(a));
    }
    a_mov_rr(g, 64, t, u);
    a_shifti(g, SH_SHR, 64, t, TLB_PAGE_BITS - TLB_ENTRY_BITS);
    a_alu(g, ALU_AND, 64, t, o_soft(off + offsetof(struct tlb_view, mask)));
    a_alu(g, ALU_ADD, 64, t, o_soft(off + offsetof(struct tlb_view, table)));
    a_alu(g, ALU_XOR, 64, u, o_mem(t, c->write ? offsetof(struct tlb_entry, wr) : offsetof(struct tlb_entry, rd)));
    a_alui(g, ALU_CMP, 64, o_reg(u), TLB_PAGE - (int32_t)c->span);
    uint8_t *miss = a_jcc_fwd(g, CC_A);
    a_alu(g, ALU_ADD, 64, u, o_mem(t, offsetof(struct tlb_entry, host)));
    return miss;
}

/* The check of one access. */
static struct page_check check_of(const struct ir_ins *in)
{
    return (struct page_check){.view = (uint8_t)in->x, .write = in->op != IR_LD, .lo = (int64_t)in->imm, .span = MO_BYTES(in->mo)};
}

/*
 * Where the access of instruction v goes. System mode: the look-up is emitted, with its miss to a cold path that does the whole operation
 * by C: all operands and scratch must have been asked for before, so that both ways meet in the same state; soft_both ends it.
 */
static struct opnd guest_mem(struct gen *g, V v, const struct ir_ins *in)
{
    if (g->h->env.softmmu) {
        unsigned a = use_r(g, in->a), u = tmp_gpr(g), t = tmp_gpr(g);
        struct page_check c = check_of(in);
        g->x->soft = soft_rec(g, v, NULL, false);
        g->x->soft_miss = tlb_look_up(g, &c, a, u, t);
        return o_mem(u, 0);
    }
    struct opnd o = g->h->env.limit ? window_mem(g, in) : addr_use(g, in->a, (int64_t)in->imm);
    o.gs = g->h->gs;
    return o;
}

/* The operation's result is in d (NO_DST: it has none), in both ways. */
static void soft_both(struct gen *g, unsigned d)
{
    if (g->h->env.softmmu) soft_cold(g, g->x->soft, g->x->soft_miss, d);
}

/* Leaves with EXC_ALIGN when the address is no multiple of the access size. */
static void check_align(struct gen *g, const struct ir_ins *in, unsigned bytes)
{
    const V addr = in->a;
    const int64_t disp = (int64_t)in->imm;
    if (bytes == 1) return;
    unsigned a = use_r(g, addr);
    if (disp % bytes) {
        unsigned t = tmp_gpr(g);
        a_lea(g, 64, t, o_mem(a, (int32_t)(disp % bytes)));
        a = t;
    }
    a_testi(g, 8, o_reg(a), (int32_t)bytes - 1);
    deopt_trap(g, a_jcc_fwd(g, CC_NE), EXC_ALIGN, in->op == IR_LD ? EXF_READ : EXF_WRITE, addr, disp);
}

static void swap_bytes(struct gen *g, unsigned bits, unsigned r)
{
    if (bits == 16)
        a_shifti(g, SH_ROL, 16, r, 8);
    else if (bits > 16)
        a_bswap(g, MIN(bits, 64), r);
}

static void lower_ld(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned bytes = MO_BYTES(in->mo), bits = bytes * 8;
    if (in->mo & MO_ALIGN) check_align(g, in, bytes);
    struct opnd o = guest_mem(g, v, in);
    uint32_t rec = deopt_rec(g);
    bool be = in->mo & MO_BE && bytes > 1;
    if (type_is_xmm(in->type)) {
        unsigned t = be ? tmp_gpr(g) : 0, d = def_r(g, v);
        if (be) { /* through a general register; 16 bytes in two halves by way of the frame */
            if (bytes == 16) {
                struct opnd hi = o;
                hi.disp += 8;
                deopt_at(g, rec);
                a_load(g, 64, t, hi);
                a_bswap(g, 64, t);
                a_store(g, 64, o_frame(FR_TMP), t);
            }
            deopt_at(g, rec);
            a_load(g, bytes == 16 ? 64 : bits, t, o);
            swap_bytes(g, bits, t);
            if (bytes == 16) {
                a_store(g, 64, o_frame(FR_TMP + 8), t);
                a_loadx(g, 16, d, o_frame(FR_TMP));
            } else {
                a_movq_xr(g, bits == 64 ? 64 : 32, d, t);
            }
            return;
        }
        if (bytes == 2) { /* pinsrw into zero */
            a_rm(g, M_0F | 0x57, d & 15, o_reg(d & 15), 0);
            deopt_at(g, rec);
            a_rm(g, P_66 | M_0F | 0xc4, d & 15, o, 1);
            a_u8(g, 0);
            return;
        }
        deopt_at(g, rec);
        a_loadx(g, bytes, d, o);
        return;
    }
    unsigned to = in->type == T_I64 ? 64 : 32;
    bool sign = in->mo & MO_SIGN && bits < ir_type_bits[in->type];
    if (be && bits == 64 && x86.movbe) {
        unsigned d = def_r(g, v);
        deopt_at(g, rec);
        a_rm(g, M_38 | 0xf0 | OP_W, d, o, 0);
        return;
    }
    unsigned d = def_r(g, v);
    deopt_at(g, rec);
    if (sign && !be) {
        a_loads(g, bits, to, d, o);
        return;
    }
    a_load(g, bits, d, o);
    if (!be) return;
    swap_bytes(g, bits, d);
    if (sign) a_loads(g, bits, to, d, o_reg(d));
}

static void store_release(struct gen *g)
{
    /* the cheapest store-load barrier on every x86-64: a locked operation on the own stack */
    a_u8(g, 0xf0);
    a_alui(g, ALU_OR, 32, o_frame(FR_TMP), 0);
}

static void lower_st(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned bytes = MO_BYTES(in->mo), bits = bytes * 8;
    if (in->mo & MO_ALIGN) check_align(g, in, bytes);
    struct opnd o = guest_mem(g, v, in);
    bool be = in->mo & MO_BE && bytes > 1, rel = in->mo & MO_REL;
    enum ir_type t = type_of(g, in->b);
    int32_t k;
    if (type_is_xmm(t)) {
        unsigned s = use_r(g, in->b);
        if (be) {
            unsigned r = tmp_gpr(g);
            a_storex(g, bytes == 16 ? 16 : 8, o_frame(FR_TMP), s);
            a_load(g, 64, r, o_frame(FR_TMP));
            swap_bytes(g, bits, r);
            if (bytes == 16) { /* one store: a fault leaves memory as it was */
                unsigned h = tmp_gpr(g), x = tmp_xmm(g);
                a_load(g, 64, h, o_frame(FR_TMP + 8));
                a_bswap(g, 64, h);
                a_store(g, 64, o_frame(FR_TMP), h);
                a_store(g, 64, o_frame(FR_TMP + 8), r);
                a_loadx(g, 16, x, o_frame(FR_TMP));
                deopt_at(g, deopt_rec(g));
                a_storex(g, 16, o, x);
            } else {
                deopt_at(g, deopt_rec(g));
                a_store(g, bits, o, r);
            }
        } else {
            deopt_at(g, deopt_rec(g));
            if (bytes == 2) {
                a_rm(g, P_66 | M_3A | 0x15, s & 15, o, 1);
                a_u8(g, 0);
            } else {
                a_storex(g, bytes, o, s);
            }
        }
        if (rel) store_release(g);
        return;
    }
    if (be || (rel && bytes <= 8)) { /* through scratch: swapped, or exchanged with memory */
        unsigned r = tmp_gpr(g);
        if (is_k(g, in->b))
            a_mov_ri(g, r, ins_of(g, in->b)->imm);
        else
            a_load(g, MIN(ir_type_bits[t] < 8 ? 8u : ir_type_bits[t], 64), r, use_rm(g, in->b));
        if (be) swap_bytes(g, bits, r);
        deopt_at(g, deopt_rec(g));
        if (rel)
            a_rm(g, bits == 8 ? 0x86 | OP_B | OP_BM : bits == 16 ? 0x87 | P_66 : 0x87 | w_of(bits), r, o, 0);
        else
            a_store(g, bits, o, r);
        return;
    }
    if (root_of(g, in->b)->reg == NOREG && fits_imm(g, in->b, bits, &k)) {
        deopt_at(g, deopt_rec(g));
        a_storei(g, bits, o, k);
        return;
    }
    unsigned s = use_r(g, in->b);
    deopt_at(g, deopt_rec(g));
    a_store(g, bits, o, s);
}

/* cmpxchg16b wants its new value in rcx:rbx; rbx is a pinned register and is kept in the frame meanwhile. */
static void lower_cas128(struct gen *g, V v, const struct ir_ins *in)
{
    take(g, RSI);
    a_lea(g, 64, RSI, addr_use(g, in->a, (int64_t)in->imm));
    g->used &= ~(g->scratch & ~RBIT(RSI)); /* give back what the address needed: registers are scarce here */
    g->locked = g->scratch = RBIT(RSI);
    a_testi(g, 8, o_reg(RSI), 15);
    deopt_trap(g, a_jcc_fwd(g, CC_NE), EXC_ALIGN, EXF_WRITE, in->a, (int64_t)in->imm);
    if (g->h->env.limit) check_window(g, in, RSI);
    take(g, RAX);
    take(g, RCX);
    take(g, RDX);
    struct opnd o = o_mem(RSI, 0), lo = o_frame(FR_TMP), hi = o_frame(FR_TMP + 8), save = o_frame(FR_SAVE);
    o.gs = g->h->gs;
    bool be = in->mo & MO_BE;
    struct opnd first = be ? hi : lo, second = be ? lo : hi; /* the halves as they lie in memory */
    a_storex(g, 16, lo, use_r(g, in->b));
    a_load(g, 64, RAX, first);
    a_load(g, 64, RDX, second);
    a_storex(g, 16, lo, use_r(g, in->c));
    a_load(g, 64, RCX, second);
    if (be) a_bswap(g, 64, RAX), a_bswap(g, 64, RDX), a_bswap(g, 64, RCX);
    g->x->rbx_saved = true;
    uint32_t rec = deopt_rec(g);
    g->x->rbx_saved = false;
    unsigned d = def_r(g, v);
    a_store(g, 64, save, RBX);
    a_load(g, 64, RBX, first);
    if (be) a_bswap(g, 64, RBX);
    deopt_at(g, rec);
    a_u8(g, 0xf0);
    a_rm(g, M_0F | 0xc7 | OP_W, 1, o, 0);
    a_load(g, 64, RBX, save);
    if (be) a_bswap(g, 64, RAX), a_bswap(g, 64, RDX);
    a_store(g, 64, first, RAX);
    a_store(g, 64, second, RDX);
    a_loadx(g, 16, d, lo);
}

static void lower_cas(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned bytes = MO_BYTES(in->mo), bits = bytes * 8;
    if (type_is_xmm(in->type)) {
        lower_cas128(g, v, in);
        return;
    }
    take(g, RAX);
    if (in->mo & MO_ALIGN) check_align(g, in, bytes);
    bool be = in->mo & MO_BE && bytes > 1;
    unsigned s = use_r(g, in->c);
    if (be) {
        unsigned t = tmp_gpr(g);
        a_mov_rr(g, 64, t, s);
        swap_bytes(g, bits, t);
        s = t;
    }
    if (is_k(g, in->b))
        a_mov_ri(g, RAX, ins_of(g, in->b)->imm);
    else
        a_load(g, bits, RAX, use_rm(g, in->b));
    if (be) swap_bytes(g, bits, RAX);
    struct opnd o = guest_mem(g, v, in);
    deopt_at(g, deopt_rec(g));
    a_u8(g, 0xf0);
    a_rm(g,
         bits == 8    ? M_0F | 0xb0 | OP_B
         : bits == 16 ? M_0F | 0xb1 | P_66
                      : M_0F | 0xb1 | w_of(bits),
         s, o, 0);
    if (be) swap_bytes(g, bits, RAX);
    soft_both(g, RAX);
    def_is(g, v, RAX);
}

/* t = combination of rax (old) and operand b. */
static void rmw_op(struct gen *g, unsigned op, unsigned bits, unsigned t, unsigned b)
{
    static const uint8_t alu[] = {
        [RMW_ADD] = ALU_ADD, [RMW_AND] = ALU_AND, [RMW_OR] = ALU_OR, [RMW_XOR] = ALU_XOR};
    static const uint8_t cc[] = {[RMW_SMIN] = CC_G, [RMW_SMAX] = CC_L, [RMW_UMIN] = CC_A, [RMW_UMAX] = CC_B};
    unsigned w = bits == 64 ? 64 : 32;
    switch (op) {
    case RMW_XCHG: a_mov_rr(g, w, t, b); return;
    case RMW_ADD:
    case RMW_AND:
    case RMW_OR:
    case RMW_XOR:
        a_mov_rr(g, w, t, RAX);
        a_alu(g, alu[op], w, t, o_reg(b));
        return;
    case RMW_BIC:
        a_mov_rr(g, w, t, b);
        a_g3(g, G3_NOT, w, o_reg(t));
        a_alu(g, ALU_AND, w, t, o_reg(RAX));
        return;
    default:
        a_mov_rr(g, w, t, RAX);
        a_alu(g, ALU_CMP, bits, RAX, o_reg(b));
        a_cmov(g, cc[op], w, t, o_reg(b));
    }
}

static void lower_rmw(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned bytes = MO_BYTES(in->mo), bits = bytes * 8, op = in->sub;
    bool be = in->mo & MO_BE && bytes > 1, result = g->val[v].uses > 0 || g->val[v].last > g->at;
    if (in->mo & MO_ALIGN) check_align(g, in, bytes);
    unsigned sized = bits == 8 ? OP_B | OP_BM : bits == 16 ? 1 | P_66 : 1 | w_of(bits);
    if (!be && (op == RMW_XCHG || op == RMW_ADD)) {
        unsigned b = use_r(g, in->b), t = tmp_gpr(g);
        struct opnd o = guest_mem(g, v, in);
        a_mov_rr(g, bits == 64 ? 64 : 32, t, b);
        deopt_at(g, deopt_rec(g));
        if (op == RMW_XCHG) {
            a_rm(g, 0x86 | sized, t, o, 0);
        } else {
            a_u8(g, 0xf0);
            a_rm(g, M_0F | 0xc0 | sized, t, o, 0);
        }
        soft_both(g, t);
        def_is(g, v, t);
        return;
    }
    if (!be && !result && op <= RMW_XOR) {
        static const uint8_t alu[] = {[RMW_AND] = ALU_AND, [RMW_OR] = ALU_OR, [RMW_XOR] = ALU_XOR};
        unsigned b = use_r(g, in->b);
        struct opnd o = guest_mem(g, v, in);
        deopt_at(g, deopt_rec(g));
        a_u8(g, 0xf0);
        a_alu_m(g, alu[op], bits, o, b);
        soft_both(g, NO_DST);
        return;
    }
    take(g, RAX);
    unsigned b = use_r(g, in->b), t = tmp_gpr(g);
    struct opnd o = guest_mem(g, v, in);
    uint32_t rec = deopt_rec(g);
    deopt_at(g, rec);
    a_load(g, bits, RAX, o);
    uint8_t *again = g->p;
    if (be) swap_bytes(g, bits, RAX);
    rmw_op(g, op, bits, t, b);
    if (be) swap_bytes(g, bits, RAX), swap_bytes(g, bits, t);
    deopt_at(g, rec);
    a_u8(g, 0xf0);
    a_rm(g, M_0F | 0xb0 | sized, t, o, 0);
    a_jcc_to(g, CC_NE, again);
    if (be) swap_bytes(g, bits, RAX);
    soft_both(g, RAX);
    def_is(g, v, RAX);
}

static void lower_probe(struct gen *g, V v, const struct ir_ins *in)
{
    struct opnd o = guest_mem(g, v, in);
    uint32_t rec = deopt_rec(g);
    for (unsigned k = 0; k < (in->y > 1 ? 2u : 1u); k++) {
        if (k) o.disp += (int32_t)in->y - 1;
        deopt_at(g, rec);
        if (in->mo & MO_STORE) a_u8(g, 0xf0);
        a_alui(g, in->mo & MO_STORE ? ALU_OR : ALU_CMP, 8, o, 0);
    }
}

static void soft_ld_hit(struct gen *g, const struct ir_ins *in, unsigned d, struct opnd o)
{
    unsigned bytes = MO_BYTES(in->mo), bits = bytes * 8;
    if (type_is_xmm(in->type))
        a_loadx(g, bytes, d, o);
    else if (in->mo & MO_SIGN && bits < ir_type_bits[in->type])
        a_loads(g, bits, in->type == T_I64 ? 64 : 32, d, o);
    else
        a_load(g, bits, d, o);
}

/* s: register of the value, NOREG: the constant k. t: free. */
static void soft_st_hit(struct gen *g, const struct ir_ins *in, struct opnd o, unsigned s, int32_t k, unsigned t)
{
    unsigned bytes = MO_BYTES(in->mo), bits = bytes * 8;
    if (s == NOREG) {
        a_storei(g, bits, o, k);
    } else if (s >= XMM0) {
        a_storex(g, bytes, o, s);
    } else if (in->mo & MO_REL) {
        a_mov_rr(g, 64, t, s);
        a_rm(g, bits == 8 ? 0x86 | OP_B | OP_BM : bits == 16 ? 0x87 | P_66 : 0x87 | w_of(bits), t, o, 0);
        return;
    } else {
        a_store(g, bits, o, s);
    }
    if (in->mo & MO_REL) store_release(g);
}

/* Is it done by C in any case? */
static bool is_hard(const struct gen *g, const struct ir_ins *in)
{
    enum ir_type type = in->op == IR_ST ? type_of(g, in->b) : (enum ir_type)in->type;
    return in->op == IR_PROBE || in->mo & MO_BE || (type_is_xmm(type) && (MO_BYTES(in->mo) == 2 || in->op == IR_CAS));
}

static bool can_share(const struct gen *g, const struct ir_ins *in)
{
    return (in->op == IR_LD || (in->op == IR_ST && !(in->mo & MO_REL))) && in->x <= VIEW_USER && !is_hard(g, in);
}

/*
 * Accesses that begin at the same value go to the same page more often than not: prologues of functions, fields of structures. One check
 * is made for those that follow v in its block, up to a store to elsewhere (it may be a device's, and change what memory is where) and all
 * else that may leave generated code. What is written is checked for writing from the start. False: there are none.
 */
static bool share_check(struct gen *g, V v, const struct ir_ins *in, struct page_check *c)
{
    enum { LOOK = 48, SPAN = 128 };
    if (g->r->lone_checks || g->nested || !can_share(g, in)) return false;
    *c = check_of(in);
    c->base = g->val[in->a].root;
    for (V i = v + 1; i < v + LOOK; i++) {
        const struct ir_ins *n = ins_of(g, i);
        const unsigned fl = ir_opinfo[n->op].flags;
        if (fl & F_END || n->op == IR_CALL || n->op == IR_FENCE) break;
        if (!(fl & F_MEM) || !g->ir->flag[i]) continue;
        const int64_t at = (int64_t)n->imm, lo = MIN(c->lo, at), hi = MAX(c->lo + c->span, at + (int64_t)MO_BYTES(n->mo));
        if (can_share(g, n) && g->val[n->a].root == c->base && n->x == c->view && hi - lo <= SPAN) {
            c->lo = lo, c->span = (uint32_t)(hi - lo), c->last = i;
            c->write |= n->op == IR_ST;
        } else if (n->op != IR_LD) {
            break;
        }
    }
    return c->last != 0;
}

/* An earlier access has made the check of this one. */
static bool is_checked(const struct gen *g, V v, const struct ir_ins *in)
{
    const struct page_check *c = &g->x->page;
    const int64_t at = (int64_t)in->imm;
    return g->val[page_val(g)].reg != NOREG && v <= c->last && can_share(g, in) && g->val[in->a].root == c->base && in->x == c->view &&
           (in->op == IR_LD || c->write) && at >= c->lo && at + (int64_t)MO_BYTES(in->mo) <= c->lo + c->span;
}

static void soft_ld_st(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned bytes = MO_BYTES(in->mo), s = NOREG, d = NO_DST, t = NOREG, u;
    bool ld = in->op == IR_LD;
    int32_t k = 0;
    struct page_check c, *page = &g->x->page;
    struct val *pv = &g->val[page_val(g)];
    if (in->mo & MO_ALIGN) check_align(g, in, bytes);
    const bool follows = is_checked(g, v, in);
    unsigned a = follows ? NOREG : use_r(g, in->a);
    if (follows) g->locked |= RBIT(pv->reg);
    if (!ld && (type_is_xmm(type_of(g, in->b)) || root_of(g, in->b)->reg != NOREG || !fits_imm(g, in->b, bytes * 8, &k))) s = use_r(g, in->b);
    bool leads = false;
    if (follows) {
        u = pv->reg;
        c = *page;
    } else {
        const bool busy = pv->reg != NOREG && v < page->last;
        leads = !busy && share_check(g, v, in, &c);
        if (!leads) c = check_of(in);
        if (leads && pv->reg != NOREG) gen_drop(g, pv->reg);
        u = tmp_gpr(g), t = tmp_gpr(g);
        c.reg = (uint8_t)u;
        if (leads) *page = c;
    }
    uint32_t i = soft_rec(g, v, follows || leads ? page : NULL, leads);
    if (ld) d = def_r(g, v); /* what makes room for it is emitted before the look-up */
    uint8_t *miss;
    if (follows) {
        a_test_rr(g, 64, u, u);
        miss = a_jcc_fwd(g, CC_E);
    } else {
        miss = tlb_look_up(g, &c, a, u, t);
    }
    const struct opnd o = o_mem(u, (int32_t)((int64_t)in->imm - c.lo));
    if (ld)
        soft_ld_hit(g, in, d, o);
    else
        soft_st_hit(g, in, o, s, k, t);
    soft_cold(g, i, miss, d);
    if (leads) {
        def_is(g, page_val(g), u);
        pv->last = c.last;
    }
}

/* Loads, stores and most atomic operations look into the TLB; a miss, and all else, is done by C. */
static void lower_soft(struct gen *g, V v, const struct ir_ins *in)
{
    if (is_hard(g, in)) {
        uint32_t i = soft_rec(g, v, NULL, false);
        soft_call(g, i, in->type ? def_new(g, v) : NO_DST);
    } else if (in->op == IR_CAS) {
        lower_cas(g, v, in);
    } else if (in->op == IR_RMW) {
        lower_rmw(g, v, in);
    } else {
        soft_ld_st(g, v, in);
    }
}

void lower_mem(struct gen *g, V v, const struct ir_ins *in)
{
    if (g->h->env.softmmu && in->op != IR_FENCE) {
        lower_soft(g, v, in);
        return;
    }
    switch (in->op) {
    case IR_LD: lower_ld(g, v, in); return;
    case IR_ST: lower_st(g, v, in); return;
    case IR_CAS: lower_cas(g, v, in); return;
    case IR_RMW: lower_rmw(g, v, in); return;
    case IR_PROBE: lower_probe(g, v, in); return;
    case IR_FENCE:
        if (in->sub & FENCE_SL) store_release(g);
        return;
    }
}
