/*
 * deopt.c: maps from a point in generated code to guest registers, and slow operations.
 *
 * A map lists the guest registers whose value is neither in their home nor in their pinned or carried
 * register: id and place. Places: host register, frame, another register's home, constant, or an expression
 * over places that generated code never computes. Maps lie in r->maps: struct maps, carried registers,
 * records sorted by code offset, bytes.
 */
#include "host/x86_64/priv.h"
#include "host/x86_64/asm.h"
#include "cpu/soft.h"
#include <stdlib.h>

struct maps {
    uint32_t nrecs, ncarry, data, size;
    struct {
        uint16_t id, reg;
    } carry[MAX_CARRY];
    struct rec rec[];
};
enum {
    ID_ADDR = 0x3fff, /* entry: v->fault_addr, not a register */
    ID_RBX = 0x3ffe
}; /* first entry: rbx is in FR_SAVE, not in rbx */

/* --- writer
 * --------------------------------------------------------------------------------------------------------------
 */
static void put8(struct gen *g, unsigned b)
{
    struct gen_priv *x = g->x;
    if (x->nmap == x->cap_map) x->map = vec_grow(x->map, &x->cap_map, x->nmap + 1, 1);
    x->map[x->nmap++] = (uint8_t)b;
}

static void put_uleb(struct gen *g, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        put8(g, (v & 0x7f) | 0x80);
    put8(g, (unsigned)v);
}

static void put_sleb(struct gen *g, int64_t v)
{
    put_uleb(g, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static void put_loc(struct gen *g, V v, enum ir_type t)
{
    uint32_t root = g->val[v].root;
    struct val *r = &g->val[root];
    unsigned tt = (unsigned)t << 4;
    if (r->reg != NOREG) {
        put8(g, (r->reg >= XMM0 ? LOC_XMM : LOC_GPR) | tt);
        put8(g, r->reg & 15);
    } else if (r->flags & VF_K) {
        const struct ir_ins *in = ins_of(g, root);
        put8(g, (in->op == IR_KV ? LOC_KV : LOC_K) | tt);
        put_uleb(g, in->op == IR_KV ? g->ir->kv[in->x].u64[0] : in->imm);
        if (in->op == IR_KV) put_uleb(g, g->ir->kv[in->x].u64[1]);
    } else if (r->slot) {
        put8(g, LOC_FRAME | tt);
        put_uleb(g, FR_SPILL + 8 * (r->slot - 1));
    } else if (r->home != NOHOME) { /* no more is read than the home has: the rest is known to be zero */
        enum ir_type ht = ir_regtype(g->ir, r->home);
        if (ir_type_bits[ht] < ir_type_bits[t]) tt = (unsigned)ht << 4;
        put8(g, (r->home < g->ir->nregs ? LOC_HOME : LOC_FRAME) | tt);
        put_uleb(g, (uint64_t)(g->x->home[r->home] + (r->home < g->ir->nregs ? CPU_BIAS : 0)));
    } else if (root < g->ir->nins && r->flags & (VF_LAZY | VF_DEFER)) {
        const struct ir_ins *in = ins_of(g, root);
        put8(g, LOC_EXPR | tt);
        put8(g, in->op), put8(g, in->type), put8(g, in->sub), put8(g, in->mo);
        put8(g, in->a ? ins_of(g, in->a)->type : 0);
        put_uleb(g, in->x), put_uleb(g, in->y), put_uleb(g, in->imm);
        V op[3] = {in->a, in->b, in->c};
        for (unsigned k = 0; k < 3; k++) {
            if (op[k])
                put_loc(g, op[k], type_of(g, op[k]));
            else
                put8(g, LOC_NONE);
        }
    } else {
        LOG(LOG_UNIMP, "x86_64: no place for value %u at %u\n", root, g->at);
        g->err = -E2BIG;
    }
}

static void put_map(struct gen *g)
{
    struct gen_priv *x = g->x;
    put_sleb(g, (int64_t)(g->pc - g->r->pc));
    if (x->rbx_saved) put_uleb(g, ID_RBX + 1);
    for (uint32_t k = 0; k < x->ntouched; k++) {
        uint32_t id = x->touched[k];
        if (!(x->rs[id] & RS_PUT) || id >= g->ir->nregs) continue;
        uint32_t c = x->cur[id];
        unsigned hr = x->hreg[id];
        if (hr != NOREG ? g->regval[hr] == c : (x->rs[id] & RS_HOME) != 0) continue;
        put_uleb(g, id + 1);
        put_loc(g, c, (enum ir_type)g->ir->regs[id].type);
    }
}

uint32_t deopt_rec(struct gen *g)
{
    uint32_t at = g->x->nmap;
    if (g->h->env.softmmu) return at; /* guest memory faults in C only: soft_rec */
    put_map(g);
    put8(g, 0);
    return at;
}

void deopt_at(struct gen *g, uint32_t rec)
{
    struct gen_priv *x = g->x;
    if (g->h->env.softmmu) return;
    if (x->nrecs == x->cap_recs) x->recs = vec_grow(x->recs, &x->cap_recs, x->nrecs + 1, sizeof(*x->recs));
    x->recs[x->nrecs++] = (struct rec){(uint32_t)(g->p - g->start), rec};
}

void deopt_trap(struct gen *g, uint8_t *site, enum cpu_exc exc, uint32_t code, V addr, int64_t disp)
{
    struct gen_priv *x = g->x;
    uint32_t at = x->nmap;
    put8(g, exc);
    put_uleb(g, code);
    put_sleb(g, disp);
    put_map(g);
    if (addr) {
        put_uleb(g, ID_ADDR + 1);
        put_loc(g, addr, T_I64);
    }
    put8(g, 0);
    if (x->ntraps == x->cap_traps)
        x->traps = vec_grow(x->traps, &x->cap_traps, x->ntraps + 1, sizeof(*x->traps));
    x->traps[x->ntraps++] = (struct fixup){site, at, 0};
}

/* Stubs of the traps: the map's place into the frame, then the region's common tail. */
void deopt_finish(struct gen *g)
{
    struct gen_priv *x = g->x;
    uint8_t *tail = NULL;
    for (uint32_t i = 0; i < x->ntraps && !g->err; i++) {
        if (g->end - g->p < 64) {
            g->err = -ENOSPC;
            return;
        }
        a_bind(x->traps[i].site, g->p);
        a_storei(g, 32, o_frame(FR_ID), (int32_t)x->traps[i].to);
        if (tail) {
            a_jmp_to(g, tail);
            continue;
        }
        tail = g->p;
        a_storei(g, 32, o_frame(FR_REGION), (int32_t)(uintptr_t)g->r);
        a_storei(g, 32, o_frame(FR_REGION + 4), (int32_t)((uintptr_t)g->r >> 32));
        a_jmp_to(g, g->h->t_trap);
    }
}

int deopt_write(struct gen *g)
{
    struct gen_priv *x = g->x;
    uint32_t data = (uint32_t)(sizeof(struct maps) + x->nrecs * sizeof(struct rec)), size = data + x->nmap;
    struct maps *m = malloc(size);
    if (!m) return -ENOSPC;
    memset(m, 0, sizeof(*m));
    m->nrecs = x->nrecs, m->ncarry = x->ncarry, m->data = data, m->size = size;
    for (unsigned k = 0; k < x->ncarry; k++)
        m->carry[k].id = x->carry[k], m->carry[k].reg = x->hreg[x->carry[k]];
    /* in order of code: cold paths come last, so this is nearly sorted already */
    for (uint32_t i = 0; i < x->nrecs; i++) {
        uint32_t j = i;
        for (; j && m->rec[j - 1].code > x->recs[i].code; j--)
            m->rec[j] = m->rec[j - 1];
        m->rec[j] = x->recs[i];
    }
    if (x->nmap) memcpy((uint8_t *)m + data, x->map, x->nmap);
    g->r->maps = (uint8_t *)m;
    g->r->maps_size = size;
    return 0;
}

/* --- reader (signal handler: no allocation, no locks)
 * ------------------------------------------------------------------- */
struct reader {
    const uint8_t *p;
    const CPU *cpu;
    struct regs *regs;
};

static uint64_t get_uleb(struct reader *d)
{
    uint64_t v = 0;
    for (unsigned s = 0;; s += 7) {
        uint8_t b = *d->p++;
        v |= (uint64_t)(b & 0x7f) << (s & 63);
        if (b < 0x80) return v;
    }
}

static int64_t get_sleb(struct reader *d)
{
    uint64_t v = get_uleb(d);
    return (int64_t)(v >> 1 ^ -(v & 1));
}

static void mask_to(union vlanes *v, enum ir_type t)
{
    if (t == T_V128) return;
    v->u64[0] &= bits_mask(ir_type_bits[t]);
    v->u64[1] = 0;
}

static void get_loc(struct reader *d, union vlanes *v)
{
    unsigned k = *d->p++;
    enum ir_type t = (enum ir_type)(k >> 4);
    unsigned bytes = t == T_V128 ? 16 : 8;
    memset(v, 0, sizeof(*v));
    switch (k & 15) {
    case LOC_GPR: v->u64[0] = d->regs->gpr[*d->p++]; break;
    case LOC_XMM: *v = d->regs->xmm[*d->p++]; break;
    case LOC_FRAME: memcpy(v, (const uint8_t *)(uintptr_t)d->regs->gpr[RSP] + get_uleb(d), bytes); break;
    case LOC_HOME:
        memcpy(v, (const uint8_t *)d->cpu + get_uleb(d), t == T_I1 ? 1 : ir_type_bits[t] / 8);
        break;
    case LOC_K: v->u64[0] = get_uleb(d); break;
    case LOC_KV: v->u64[0] = get_uleb(d), v->u64[1] = get_uleb(d); break;
    case LOC_EXPR: {
        struct ir_ins in = {.a = 0};
        in.op = *d->p++, in.type = *d->p++, in.sub = *d->p++, in.mo = *d->p++;
        enum ir_type ta = (enum ir_type) * d->p++;
        in.x = (uint32_t)get_uleb(d), in.y = (uint32_t)get_uleb(d), in.imm = get_uleb(d);
        union vlanes op[3];
        for (unsigned i = 0; i < 3; i++)
            get_loc(d, &op[i]);
        ir_eval(&in, ta, &op[0], &op[1], &op[2], v);
        break;
    }
    }
    mask_to(v, t);
}

static void set_home(const struct x86_host *h, CPU *cpu, uint32_t id, const union vlanes *v)
{
    const struct ir_reg *r = &h->env.regs[id];
    memcpy((uint8_t *)cpu + r->offset, v, r->type == T_I1 ? 1 : ir_type_bits[r->type] / 8);
}

static void reg_home(const struct x86_host *h, CPU *cpu, uint32_t id, unsigned reg, const struct regs *regs)
{
    union vlanes v = {0};
    if (reg >= XMM0)
        v = regs->xmm[reg - XMM0];
    else
        v.u64[0] = regs->gpr[reg];
    set_home(h, cpu, id, &v);
}

/* Writes homes and pc as the map at d says; fault_addr of a trap, or NULL. All places are read before any
 * home changes. */
static void apply(const struct x86_host *h, CPU *cpu, const struct region *r, struct reader *d, int64_t disp,
                  uint64_t *addr)
{
    const struct maps *m = (const struct maps *)r->maps;
    uint16_t id[IR_REGS_MAX];
    union vlanes val[IR_REGS_MAX];
    unsigned n = 0;
    uint64_t pc = r->pc + (uint64_t)get_sleb(d);
    for (uint64_t e; (e = get_uleb(d)) != 0;) {
        union vlanes v;
        if (e - 1 == ID_RBX) {
            memcpy(&d->regs->gpr[RBX], (const uint8_t *)(uintptr_t)d->regs->gpr[RSP] + FR_SAVE, 8);
            continue;
        }
        get_loc(d, &v);
        if (e - 1 == ID_ADDR) {
            if (addr) *addr = v.u64[0] + (uint64_t)disp;
        } else if (n < IR_REGS_MAX) {
            id[n] = (uint16_t)(e - 1);
            val[n++] = v;
        }
    }
    for (unsigned i = 0; i < h->npins; i++)
        reg_home(h, cpu, h->pin_id[i], h->pin_reg[i], d->regs);
    for (unsigned i = 0; i < m->ncarry; i++)
        if (m->carry[i].id < h->env.nregs) reg_home(h, cpu, m->carry[i].id, m->carry[i].reg, d->regs);
    for (unsigned i = 0; i < n; i++)
        set_home(h, cpu, id[i], &val[i]);
    cpu->pc = pc;
}

bool deopt_apply(const struct x86_host *h, CPU *cpu, const struct region *r, uint32_t code, struct regs *regs)
{
    const struct maps *m = (const struct maps *)r->maps;
    if (!m) return false;
    uint32_t lo = 0, hi = m->nrecs;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (m->rec[mid].code < code)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == m->nrecs || m->rec[lo].code != code) return false;
    struct reader d = {(const uint8_t *)m + m->data + m->rec[lo].data, cpu, regs};
    apply(h, cpu, r, &d, 0, NULL);
    return true;
}

/* The trap thunk's C part: leaves region r through the map at `at`; returns the exception. */
uint64_t x86_trap(CPU *cpu, struct regs *regs, uint64_t at, struct region *r, const struct x86_host *h)
{
    (void)__atomic_load_n(&r->dead, __ATOMIC_ACQUIRE); /* another CPU made the region; a jump in its code led here */
    const struct maps *m = (const struct maps *)r->maps;
    struct reader d = {(const uint8_t *)m + m->data + (uint32_t)at, cpu, regs};
    unsigned exc = *d.p++;
    if (exc == EXC_REQUEST) cpu->v->left = r;
    cpu->v->exc_code = (uint32_t)get_uleb(&d);
    int64_t disp = get_sleb(&d);
    apply(h, cpu, r, &d, disp, &cpu->v->fault_addr);
    return exc;
}

/* --- memory in system mode
 * -------------------------------------------------------------------------------------------------------- */
enum { SOFT_DST_SHIFT = 24 }; /* FR_ID: the record, and the register of the result */

/* op, type, sub, mo, REC_* and the register of a check, x, y, imm, the check, places of a, b, c, map */
enum { REC_ONE, REC_FOLLOWER = 0x40, REC_LEADER = 0x80 };
uint32_t soft_rec(struct gen *g, V v, const struct page_check *page, bool leader)
{
    const struct ir_ins *in = ins_of(g, v);
    uint32_t at = g->x->nmap;
    put8(g, in->op), put8(g, in->type), put8(g, in->sub), put8(g, in->mo);
    put8(g, !page ? REC_ONE : (leader ? REC_LEADER : REC_FOLLOWER) | page->reg);
    put_uleb(g, in->x), put_uleb(g, in->y), put_sleb(g, (int64_t)in->imm);
    if (page && leader) put_sleb(g, page->lo), put_uleb(g, page->span << 1 | page->write);
    V op[3] = {in->a, in->b, in->c};
    for (unsigned k = 0; k < 3; k++) {
        if (op[k])
            put_loc(g, op[k], type_of(g, op[k]));
        else
            put8(g, LOC_NONE);
    }
    put_map(g);
    put8(g, 0);
    if (at >> SOFT_DST_SHIFT) g->err = -E2BIG;
    return at;
}

void soft_call(struct gen *g, uint32_t rec, unsigned dst)
{
    struct gen_priv *x = g->x;
    a_storei(g, 32, o_frame(FR_ID), (int32_t)(rec | (uint32_t)dst << SOFT_DST_SHIFT));
    a_call_to(g, g->p);
    if (x->nsofts == x->cap_softs) x->softs = vec_grow(x->softs, &x->cap_softs, x->nsofts + 1, sizeof(*x->softs));
    x->softs[x->nsofts++] = (struct fixup){g->p, 0, 0};
}

static void cold_soft(struct gen *g, struct cold *c)
{
    soft_call(g, c->arg, c->reg[0]);
    gen_cold_return(g, c);
}

void soft_cold(struct gen *g, uint32_t rec, uint8_t *site, unsigned dst)
{
    struct cold *c = gen_cold(g, cold_soft, site);
    c->arg = rec;
    c->reg[0] = (uint8_t)dst;
    gen_cold_back(g, c);
}

/* The region's way to the thunk, which is called: FR_REGION lies one word further. */
static void soft_finish(struct gen *g)
{
    struct gen_priv *x = g->x;
    if (x->nsofts == 0) return;
    if (g->end - g->p < 64) {
        g->err = -ENOSPC;
        return;
    }
    for (uint32_t i = 0; i < x->nsofts; i++)
        a_bind(x->softs[i].site, g->p);
    a_storei(g, 32, o_mem(RSP, FR_REGION + 8), (int32_t)(uintptr_t)g->r);
    a_storei(g, 32, o_mem(RSP, FR_REGION + 12), (int32_t)((uintptr_t)g->r >> 32));
    a_jmp_to(g, g->h->t_soft);
}

/* --- slow operations
 * -------------------------------------------------------------------------------------------------------- */
static void slow_loc(struct gen *g, V v, struct loc *l)
{
    if (v == 0) return;
    struct val *r = root_of(g, v);
    uint32_t root = g->val[v].root;
    if (r->reg == NOREG && r->flags & (VF_DEFER | VF_LAZY)) use_r(g, v);
    l->type = (uint8_t)type_of(g, v);
    if (r->reg != NOREG) {
        g->locked |= RBIT(r->reg);
        l->kind = r->reg >= XMM0 ? LOC_XMM : LOC_GPR;
        l->reg = r->reg & 15;
    } else if (r->flags & VF_K) {
        const struct ir_ins *in = ins_of(g, root);
        l->kind = LOC_K;
        l->k[0] = in->op == IR_KV ? g->ir->kv[in->x].u64[0] : in->imm;
        l->k[1] = in->op == IR_KV ? g->ir->kv[in->x].u64[1] : 0;
    } else if (r->slot) {
        l->kind = LOC_FRAME;
        l->off = FR_SPILL + 8 * (r->slot - 1);
    } else {
        l->kind = r->home < g->ir->nregs ? LOC_HOME : LOC_FRAME;
        if (ir_type_bits[ir_regtype(g->ir, r->home)] < ir_type_bits[l->type])
            l->type = (uint8_t)ir_regtype(g->ir, r->home);
        l->off = g->x->home[r->home] + (r->home < g->ir->nregs ? CPU_BIAS : 0);
    }
}

static uint32_t slow_new(struct gen *g, V v)
{
    struct gen_priv *x = g->x;
    const struct ir_ins *in = ins_of(g, v);
    if (x->nslows == x->cap_slows)
        x->slows = vec_grow(x->slows, &x->cap_slows, x->nslows + 1, sizeof(*x->slows));
    struct slow s = {.ins = *in, .fp = g->ir->fp, .type_a = (uint8_t)(in->a ? type_of(g, in->a) : 0)};
    slow_loc(g, in->a, &s.arg[0]);
    slow_loc(g, in->b, &s.arg[1]);
    slow_loc(g, in->c, &s.arg[2]);
    x->slows[x->nslows].s = s;
    return x->nslows++;
}

static void slow_call(struct gen *g, uint32_t i)
{
    a_storei(g, 32, o_frame(FR_ID), 0x7fffffff);
    g->x->slows[i].site = g->p;
    a_call_to(g, g->h->t_slow);
}

void gen_slow(struct gen *g, V v)
{
    uint32_t i = slow_new(g, v);
    LOG(LOG_STATS, "x86_64: %s of type %u is left to C\n", ir_opinfo[ins_of(g, v)->op].text,
        ins_of(g, v)->type);
    g->x->slows[i].s.dst = (uint8_t)def_new(g, v);
    slow_call(g, i);
}

static void cold_slow(struct gen *g, struct cold *c)
{
    slow_call(g, c->arg);
    gen_cold_return(g, c);
}

void gen_slow_cold(struct gen *g, V v, uint8_t *site, unsigned d)
{
    uint32_t i = slow_new(g, v);
    g->x->slows[i].s.dst = (uint8_t)d;
    struct cold *c = gen_cold(g, cold_slow, site);
    c->arg = i;
    gen_cold_back(g, c);
}

/* The descriptors, after the code; their place is an offset from the start of the code cache. */
void slow_finish(struct gen *g)
{
    struct gen_priv *x = g->x;
    soft_finish(g);
    if (x->nslows == 0) return;
    while ((uintptr_t)g->p & 7)
        a_u8(g, 0xcc);
    if ((size_t)(g->end - g->p) < x->nslows * sizeof(struct slow)) {
        g->err = -ENOSPC;
        return;
    }
    for (uint32_t i = 0; i < x->nslows; i++) {
        uint32_t off = (uint32_t)(g->p - g->h->base);
        memcpy(x->slows[i].site - 4, &off, 4);
        memcpy(g->p, &x->slows[i].s, sizeof(struct slow));
        g->p += sizeof(struct slow);
    }
}

static void read_loc(const CPU *cpu, const struct regs *regs, const struct loc *l, union vlanes *v)
{
    enum ir_type t = (enum ir_type)l->type;
    memset(v, 0, sizeof(*v));
    switch (l->kind) {
    case LOC_GPR: v->u64[0] = regs->gpr[l->reg]; break;
    case LOC_XMM: *v = regs->xmm[l->reg]; break;
    case LOC_FRAME:
        memcpy(v, (const uint8_t *)(uintptr_t)regs->gpr[RSP] + l->off, t == T_V128 ? 16 : 8);
        break;
    case LOC_HOME: memcpy(v, (const uint8_t *)cpu + l->off, t == T_I1 ? 1 : ir_type_bits[t] / 8); break;
    case LOC_K: v->u64[0] = l->k[0], v->u64[1] = l->k[1]; break;
    }
    mask_to(v, t);
}

void x86_slow(CPU *cpu, struct regs *regs, const struct slow *s)
{
    union vlanes a, b, c, res = {0};
    read_loc(cpu, regs, &s->arg[0], &a);
    read_loc(cpu, regs, &s->arg[1], &b);
    read_loc(cpu, regs, &s->arg[2], &c);
    if (ir_opinfo[s->ins.op].flags & F_FP) {
        uint32_t guest = __builtin_ia32_stmxcsr(); /* C wants its default environment */
        __builtin_ia32_ldmxcsr(0x1f80);
        host_fp_eval(cpu, &s->fp, &s->ins, (enum ir_type)s->type_a, &a, &b, &c, &res);
        __builtin_ia32_ldmxcsr(guest);
    } else
        ir_eval(&s->ins, (enum ir_type)s->type_a, &a, &b, &c, &res);
    mask_to(&res, (enum ir_type)s->ins.type);
    if (s->dst >= XMM0)
        regs->xmm[s->dst - XMM0] = res;
    else
        regs->gpr[s->dst] = res.u64[0];
}

/* The soft thunk's C part: 0, or the exception by which the region is left. */
uint64_t x86_soft(CPU *cpu, struct regs *regs, uint64_t id, struct region *r, const struct x86_host *h)
{
    (void)__atomic_load_n(&r->dead, __ATOMIC_ACQUIRE); /* as in x86_trap */
    const struct maps *m = (const struct maps *)r->maps;
    struct reader d = {(const uint8_t *)m + m->data + (id & ((1u << SOFT_DST_SHIFT) - 1)), cpu, regs};
    unsigned dst = (uint32_t)id >> SOFT_DST_SHIFT;
    struct ir_ins in = {.op = d.p[0], .type = d.p[1], .sub = d.p[2], .mo = d.p[3]};
    union vlanes op[3], res = {0};
    const unsigned check = d.p[4];
    int64_t lo = 0;
    uint64_t span = 0;
    d.p += 5;
    in.x = (uint32_t)get_uleb(&d), in.y = (uint32_t)get_uleb(&d), in.imm = (uint64_t)get_sleb(&d);
    if (check & REC_LEADER) lo = get_sleb(&d), span = get_uleb(&d);
    for (unsigned i = 0; i < 3; i++)
        get_loc(&d, &op[i]);
    /* the check failed, not the access: where that is not rare, each access has its own */
    if (check && soft_hit(cpu, in.x, op[0].u64[0] + in.imm, MO_BYTES(in.mo), in.op != IR_LD)) soft_bad_check(cpu->v, r);
    uint32_t guest = __builtin_ia32_stmxcsr(); /* C wants its default environment */
    __builtin_ia32_ldmxcsr(0x1f80);
    enum cpu_exc exc = soft_access(cpu, &in, op[0].u64[0], &op[1], &op[2], &res);
    __builtin_ia32_ldmxcsr(guest);
    if (exc) {
        apply(h, cpu, r, &d, 0, NULL);
        return exc;
    }
    if (check & REC_LEADER)
        regs->gpr[check & 15] = (uintptr_t)soft_hit(cpu, in.x, op[0].u64[0] + (uint64_t)lo, (unsigned)(span >> 1), span & 1);
    if (dst == NO_DST) return 0;
    mask_to(&res, (enum ir_type)in.type);
    if (dst >= XMM0)
        regs->xmm[dst - XMM0] = res;
    else
        regs->gpr[dst] = res.u64[0];
    return 0;
}
