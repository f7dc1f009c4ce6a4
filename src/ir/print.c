/* print.c: the text form of IR, docs/ir.md. */
#include <inttypes.h>
#include <stdio.h>
#include "ir/text.h"

const char *const ir_type_names[T_COUNT] = { "void", "i1", "i8", "i16", "i32", "i64", "f16", "f32", "f64", "v128" };
const char *const ir_mo_sizes[8] = { "8", "16", "32", "64", "128", "sz5", "sz6", "sz7" };
const struct ir_mo_name ir_mo_names[] = {
    { MO_SIGN, "s" }, { MO_BE, "be" }, { MO_ALIGN, "align" }, { MO_ACQ, "acq" }, { MO_REL, "rel" }, { 0, NULL },
};

static const char *const conds[] = { "eq", "ne", "slt", "sge", "sle", "sgt", "ult", "uge", "ule", "ugt" };
static const char *const fconds[] = { "eq", "lt", "le", "un" };
static const char *const rms[] = { "dyn", "rne", "rtz", "rdn", "rup", "rmm", "odd" };
static const char *const lanes[] = { "i8", "i16", "i32", "i64", "f16", "f32", "f64" };
static const char *const rmws[] = { "xchg", "add", "and", "or", "xor", "smin", "smax", "umin", "umax", "bic" };
static const char *const jks[] = { "jump", "call", "ret" };

#define NAMES(table) (*n = ARRAY_LEN(table), table)
const char *const *ir_sub_names(unsigned op, unsigned *n)
{
    switch (op) {
    case IR_CMP: return NAMES(conds);
    case IR_FCMP: return NAMES(fconds);
    case IR_RMW: return NAMES(rmws);
    case IR_EXIT: case IR_EXITI: return NAMES(jks);
    case IR_FADD: case IR_FSUB: case IR_FMUL: case IR_FDIV: case IR_FSQRT: case IR_FMA: case IR_FCVT: case IR_FTOI:
    case IR_ITOF: case IR_FRINT:
        return NAMES(rms);
    default:
        if (op >= IR_VADD && op <= IR_VFCVTN) return NAMES(lanes);
        *n = 0;
        return NULL;
    }
}

/* A line under construction. */
struct line {
    char buf[512];
    size_t n;
};

static void put(struct line *l, const char *fmt, ...) PRINTF(2, 3);
static void put(struct line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int k = vsnprintf(l->buf + l->n, sizeof l->buf - l->n, fmt, ap);
    va_end(ap);
    if (k > 0) l->n = MIN(l->n + (size_t)k, sizeof l->buf - 1);
}

static void put_reg(struct line *l, const struct ir *ir, uint32_t r)
{
    if (r < ir->nregs) put(l, "%s", ir->regs[r].name);
    else put(l, "%%%u", r - ir->nregs);
}

static void put_suffixes(struct line *l, const struct ir_ins *i)
{
    unsigned n;
    const char *const *names = ir_sub_names(i->op, &n);
    if (i->sub < n) put(l, ".%s", names[i->sub]);
    if (!(ir_opinfo[i->op].flags & F_MEM) || i->op == IR_PROBE) return;
    put(l, ".%s", ir_mo_sizes[i->mo & MO_SIZE]);
    for (const struct ir_mo_name *m = ir_mo_names; m->name; m++) {
        if (i->mo & m->bit) put(l, ".%s", m->name);
    }
}

/* Fields that have no place of their own, as key=value. */
static void put_fields(struct line *l, const struct ir_ins *i, bool x, bool y, bool imm)
{
    unsigned n;
    ir_sub_names(i->op, &n);
    if (i->sub && i->sub >= n) put(l, " sub=%u", i->sub);
    if (i->mo && (!(ir_opinfo[i->op].flags & F_MEM) || i->op == IR_PROBE)) put(l, " mo=%u", i->mo);
    if (x && i->x) put(l, " x=%u", i->x);
    if (y && i->y) put(l, " y=%u", i->y);
    if (imm && i->imm) put(l, " imm=0x%" PRIx64, i->imm);
}

static void put_call(struct line *l, const struct ir_call *c)
{
    put(l, " %s(", c->h->name);
    for (unsigned k = 0; k < c->h->nargs; k++)
        put(l, "%s%s v%u", k ? ", " : "", ir_type_names[c->h->args[k]], c->arg[k]);
    put(l, ") reads=%u writes=%u flags=%u", c->h->reads, c->h->writes, c->h->flags);
}

static void put_operands(struct line *l, const struct ir_ins *i, const char *sep)
{
    const V v[3] = { i->a, i->b, i->c };
    unsigned n = v[2] ? 3 : v[1] ? 2 : v[0] ? 1 : 0;
    for (unsigned k = 0; k < n; k++, sep = ", ") put(l, "%sv%u", sep, v[k]);
}

static void put_address(struct line *l, const struct ir_ins *i)
{
    int64_t d = (int64_t)i->imm;
    put(l, " [v%u %c 0x%" PRIx64 "]", i->a, d < 0 ? '-' : '+', d < 0 ? 0 - i->imm : i->imm);
    struct ir_ins rest = { .a = i->b, .b = i->c };
    put_operands(l, &rest, ", ");
}

static void put_ins(struct line *l, const struct ir *ir, V v)
{
    const struct ir_ins *i = &ir->ins[v];
    put(l, "  ");
    if (i->type != T_VOID) put(l, "v%u:%s = ", v, i->type < T_COUNT ? ir_type_names[i->type] : "?");
    put(l, "%s", ir_opinfo[i->op].text);
    put_suffixes(l, i);
    switch (i->op) {
    case IR_GET: put(l, " "); put_reg(l, ir, i->x); break;
    case IR_PUT: put(l, " "); put_reg(l, ir, i->x); put(l, ", v%u", i->a); break;
    case IR_KV: put(l, " 0x%" PRIx64 " 0x%" PRIx64, ir->kv[i->x].u64[0], ir->kv[i->x].u64[1]); break;
    case IR_CALL: put_call(l, &ir->calls[i->x]); break;
    case IR_JMP: put(l, " b%u", i->x); break;
    case IR_BRC: put(l, " v%u, b%u, b%u", i->a, i->x, i->y); break;
    case IR_LD: case IR_ST: case IR_CAS: case IR_RMW: case IR_PROBE:
        put_address(l, i);
        put_fields(l, i, true, true, false);
        break;
    default:
        if (ir_imm_positional(i->op)) put(l, " 0x%" PRIx64, i->imm);
        put_operands(l, i, " ");
        put_fields(l, i, true, true, !ir_imm_positional(i->op));
    }
    if (ir->flag[v] & IRF_LAZY) put(l, " @lazy");
    if (ir->flag[v] & IRF_DEOPT) put(l, " @deopt");
}

static void put_block(struct line *l, const struct ir *ir, uint32_t b)
{
    const struct ir_block *k = &ir->blk[b];
    put(l, "block b%u pc=0x%" PRIx64, b, k->pc);
    if (k->entry) put(l, " entry");
    if (k->loop_head) put(l, " head");
    if (k->depth) put(l, " depth=%u", k->depth);
}

/* The block that starts next in ins[] after position `from`; blocks may lie there in any order. */
static uint32_t next_block(const struct ir *ir, uint32_t from, uint32_t after)
{
    uint32_t best = UINT32_MAX;
    for (uint32_t b = 0; b < ir->nblk; b++) {
        if (ir->blk[b].first < from || (ir->blk[b].first == from && after != UINT32_MAX && b <= after)) continue;
        if (best == UINT32_MAX || ir->blk[b].first < ir->blk[best].first) best = b;
    }
    return best;
}

void ir_print(const struct ir *ir, void (*out)(void *ctx, const char *line), void *ctx)
{
    struct line l = { .n = 0 };
    put(&l, "region mode=%u fp=%u,%u,%u,%u,%u", ir->mode, ir->fp.nan, ir->fp.tiny_before, ir->fp.ftz, ir->fp.ftz16,
        ir->fp.slow);
    for (uint32_t i = 0; i < ir->nvars; i++) put(&l, "%s%s", i ? "," : " vars=", ir_type_names[ir->vartype[i]]);
    out(ctx, l.buf);
    for (uint32_t b = next_block(ir, 0, UINT32_MAX); b != UINT32_MAX; b = next_block(ir, ir->blk[b].first, b)) {
        l.n = 0;
        put_block(&l, ir, b);
        out(ctx, l.buf);
        for (V v = ir->blk[b].first; v < ir->blk[b].end; v++) {
            if (ir->ins[v].op == IR_NOP) continue;
            l.n = 0;
            put_ins(&l, ir, v);
            out(ctx, l.buf);
        }
    }
}
