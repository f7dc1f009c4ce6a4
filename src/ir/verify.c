/* verify.c: checks an ir against ops.def's signatures and the rules of blocks. */
#include "ir/opt.h"

struct check {
    const struct ir *ir;
    const struct ir_block *blk;
    V v;
    struct err *e;
};

static int bad(struct check *c, const char *what)
{
    return err_set(c->e, EINVAL, "v%u (%s): %s", c->v, ir_opinfo[c->ir->ins[c->v].op].text, what);
}

static bool is_fp(unsigned t)
{
    return t >= T_F16 && t <= T_F64;
}

/* Does a type fit a letter of a signature, in an instruction of type `type`? */
static bool fits(char letter, unsigned t, const struct ir_ins *i)
{
    switch (letter) {
    case '-': return t == T_VOID;
    case '1': return t == T_I1;
    case 'l': return t == T_I64;
    case 'w': return t == T_I32;
    case 'v': return t == T_V128;
    case 'x': return t != T_VOID && t < T_COUNT;
    case 'f': return is_fp(t) && (t == i->type || i->type == T_VOID);
    case 'i':
        if (t == T_I1 && i->op != IR_AND && i->op != IR_OR && i->op != IR_XOR && i->op != IR_NOT && i->op != IR_TRUNC)
            return false;
        return ir_is_int(t) && (t == i->type || i->type == T_VOID);
    case 't': return t < T_COUNT && (t == i->type || i->type == T_VOID) && (t != T_VOID || i->op == IR_CALL);
    default: return false;
    }
}

static int check_signature(struct check *c, const struct ir_ins *i)
{
    const char *s = ir_opinfo[i->op].sig;
    const V ops[3] = { i->a, i->b, i->c };
    if (!fits(s[0], i->type, i)) return bad(c, "the result has a type the operation does not give");
    s += 2;
    for (unsigned k = 0; k < 3; k++) {
        char letter = *s ? *s++ : 0;
        bool optional = *s == '?';
        s += optional;
        if (!letter) {
            if (ops[k]) return bad(c, "too many operands");
            continue;
        }
        if (!ops[k] && optional) continue;
        if (ops[k] < c->blk->first || ops[k] >= c->v) return bad(c, "an operand is not an earlier value of this block");
        if (!fits(letter, c->ir->ins[ops[k]].type, i)) return bad(c, "an operand's type does not fit");
    }
    return 0;
}

static bool conversion_ok(const struct ir_ins *i, unsigned ta)
{
    unsigned w = ir_type_bits[i->type], wa = ir_type_bits[ta];
    switch (i->op) {
    case IR_SEXT: case IR_ZEXT: return ir_is_int(ta) && wa < w;
    case IR_TRUNC: return ir_is_int(ta) && wa > w;
    case IR_BITCAST: return wa == w && wa >= 16 && wa <= 64 && is_fp(ta) != is_fp(i->type);
    case IR_FCVT: return is_fp(ta) && ta != i->type;
    case IR_FTOI: return is_fp(ta) && (i->type == T_I32 || i->type == T_I64);
    case IR_ITOF: return ta == T_I32 || ta == T_I64;
    case IR_FBOX: return i->type == T_F64 && (ta == T_F16 || ta == T_F32);
    case IR_FUNBOX: return ta == T_F64 && (i->type == T_F16 || i->type == T_F32);
    case IR_VFROM: return ta != T_V128 && ta != T_I1;
    default: return true;
    }
}

static int check_lanes(struct check *c, const struct ir_ins *i, unsigned ta, unsigned tb)
{
    static const uint8_t lane_bits[] = { 8, 16, 32, 64, 16, 32, 64 };
    if (i->op < IR_VADD || i->op > IR_VFCVTN) return 0;
    if (i->sub >= ARRAY_LEN(lane_bits)) return bad(c, "no such lane kind");
    unsigned bits = lane_bits[i->sub], lanes = 128 / bits;
    switch (i->op) {
    case IR_VDUP: return ta == T_V128 || ta == T_I1 || ir_type_bits[ta] < bits ? bad(c, "scalar narrower than the lane") : 0;
    case IR_VINS:
        if (tb == T_V128 || tb == T_I1 || ir_type_bits[tb] < bits) return bad(c, "scalar narrower than the lane");
        return i->x >= lanes ? bad(c, "no such lane") : 0;
    case IR_VGET:
        if (i->type == T_V128 || ir_type_bits[i->type] < bits || (is_fp(i->type) && ir_type_bits[i->type] != bits))
            return bad(c, "the result does not fit the lane");
        return i->x >= lanes ? bad(c, "no such lane") : 0;
    case IR_VINSV: return i->x >= lanes || i->y >= lanes ? bad(c, "no such lane") : 0;
    case IR_VSHLI: case IR_VSHRI: case IR_VSARI: return i->x > bits ? bad(c, "shifts by more than the lane") : 0;
    case IR_VALIGN: return i->x > 16 ? bad(c, "x is above 16") : 0;
    case IR_VZEXT: return i->x != 2 && i->x != 4 && i->x != 8 ? bad(c, "x is not 2, 4 or 8") : 0;
    default: return 0;
    }
}

static int check_memory(struct check *c, const struct ir_ins *i, unsigned tb)
{
    unsigned bits = 8 * MO_BYTES(i->mo), w = ir_type_bits[i->type];
    if (i->op == IR_PROBE) return i->y ? 0 : bad(c, "probes no bytes");
    if ((i->mo & MO_SIZE) > MO_128) return bad(c, "no such access size");
    switch (i->op) {
    case IR_LD:
        if (i->type == T_I1 || bits > w) return bad(c, "the access is wider than the result");
        return !ir_is_int(i->type) && bits != w ? bad(c, "the access is not as wide as the result") : 0;
    case IR_ST:
        w = ir_type_bits[tb];
        if (tb == T_I1 || bits > w) return bad(c, "the access is wider than the value");
        return !ir_is_int(tb) && bits != w ? bad(c, "the access is not as wide as the value") : 0;
    case IR_CAS: return bits != w || is_fp(i->type) ? bad(c, "the access is not as wide as the values") : 0;
    case IR_RMW: return bits != w || i->sub > RMW_BIC ? bad(c, "the access does not fit the operation") : 0;
    default: return 0;
    }
}

static int check_call(struct check *c, const struct ir_ins *i)
{
    const struct ir *ir = c->ir;
    if (i->x >= ir->ncalls) return bad(c, "no such call");
    const struct ir_call *k = &ir->calls[i->x];
    if (i->type != k->h->ret) return bad(c, "the result is not of the helper's type");
    for (unsigned n = 0; n < k->h->nargs; n++) {
        if (k->arg[n] < c->blk->first || k->arg[n] >= c->v) return bad(c, "an argument is not an earlier value of this block");
        if (ir->ins[k->arg[n]].type != k->h->args[n]) return bad(c, "an argument is not of the helper's type");
    }
    return 0;
}

static int check_register(struct check *c, const struct ir_ins *i)
{
    const struct ir *ir = c->ir;
    if (i->x >= ir->nregs + ir->nvars) return bad(c, "no such register");
    unsigned t = i->op == IR_GET ? i->type : ir->ins[i->a].type;
    return ir_regtype(ir, i->x) != t ? bad(c, "not of the register's type") : 0;
}

static int check_ins(struct check *c, const struct ir_ins *i)
{
    const struct ir *ir = c->ir;
    int r = check_signature(c, i); /* the operands are there from here on */
    if (r) return r;
    unsigned ta = ir->ins[i->a].type, tb = ir->ins[i->b].type, w = ir_type_bits[i->type];
    if ((r = check_lanes(c, i, ta, tb))) return r;
    if (!conversion_ok(i, ta)) return bad(c, "converts from a type it cannot");
    if (ir_opinfo[i->op].flags & F_MEM) return check_memory(c, i, tb);
    switch (i->op) {
    case IR_K: return i->type == T_V128 || i->imm & ~bits_mask(w) ? bad(c, "the constant exceeds its type") : 0;
    case IR_KV: return i->x >= ir->nkv ? bad(c, "no such constant vector") : 0;
    case IR_GET: case IR_PUT: return check_register(c, i);
    case IR_CALL: return check_call(c, i);
    case IR_CMP: case IR_SADDOV: case IR_SSUBOV:
        if (ta != tb || !ir_is_int(ta)) return bad(c, "operands are not of one integer type");
        return i->op == IR_CMP && i->sub > C_UGT ? bad(c, "no such condition") : 0;
    case IR_FCMP: return ta != tb || !is_fp(ta) || i->sub > FC_UN ? bad(c, "operands are not of one floating type") : 0;
    case IR_UBFX: case IR_SBFX: case IR_BFI:
        return !i->y || i->x > w || i->y > w - i->x ? bad(c, "the field is not inside the value") : 0;
    case IR_EXTR: return i->x >= w ? bad(c, "shifts by more than the width") : 0;
    case IR_MULHS: case IR_MULHU: case IR_MULHSU: case IR_DIVS: case IR_DIVU: case IR_REMS: case IR_REMU: case IR_CLMUL:
    case IR_CLMULH:
        return w < 32 ? bad(c, "not for this type") : 0;
    case IR_BSWAP: return w < 16 ? bad(c, "not for this type") : 0;
    case IR_JMP: return i->x >= ir->nblk ? bad(c, "no such block") : 0;
    case IR_BRC: return i->x >= ir->nblk || i->y >= ir->nblk ? bad(c, "no such block") : 0;
    default: return 0;
    }
}

static int check_block(struct check *c)
{
    const struct ir *ir = c->ir;
    unsigned n = (unsigned)(c->blk - ir->blk);
    bool ended = false;
    if (c->blk->first < 1 || c->blk->first > c->blk->end || c->blk->end > ir->nins)
        return err_set(c->e, EINVAL, "block b%u: its range is not inside the region", n);
    for (c->v = c->blk->first; c->v < c->blk->end; c->v++) {
        const struct ir_ins *i = &ir->ins[c->v];
        if (i->op >= IR_OPS) return err_set(c->e, EINVAL, "v%u: no such operation (%u)", c->v, i->op);
        if (i->type >= T_COUNT) return bad(c, "no such type");
        if (i->op == IR_NOP) continue;
        if (ended) return bad(c, "follows the end of its block");
        ended = ir_opinfo[i->op].flags & F_END;
        int r = check_ins(c, i);
        if (r) return r;
    }
    return ended ? 0 : err_set(c->e, EINVAL, "block b%u: has no end", n);
}

int ir_verify(const struct ir *ir, struct err *e)
{
    if (!ir->nins || ir->ins[0].op != IR_NOP) return err_set(e, EINVAL, "value 0 is not a nop");
    for (uint32_t b = 0; b < ir->nblk; b++) {
        struct check c = { .ir = ir, .blk = &ir->blk[b], .e = e };
        int r = check_block(&c);
        if (r) return r;
    }
    return 0;
}
