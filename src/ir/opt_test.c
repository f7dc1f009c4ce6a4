/*
 * opt_test.c: the passes. Rewrites are stated as expressions: what goes in, what must come out; "same" where a rule must
 * not apply. The shapes are parsed into one block that puts the value in a register.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "ir/ir.h"

#define R(n, t, g) { .name = n, .type = t, .group = g, .pin = -1 }
static const struct ir_reg regs[] = {
    R("x0", T_I64, 0), R("x1", T_I64, 0), R("x2", T_I64, 0), R("x3", T_I64, 0), R("w0", T_I32, 0), R("w1", T_I32, 0),
    R("w2", T_I32, 0), R("h0", T_I16, 0), R("c0", T_I8, 0), R("p0", T_I1, 1), R("p1", T_I1, 1), R("p2", T_I1, 1),
    R("p3", T_I1, 1), R("d0", T_F64, 2), R("d1", T_F64, 2), R("s0", T_F32, 2), R("q0", T_V128, 3), R("q1", T_V128, 3),
    R("c1", T_I8, 0), R("h1", T_I16, 0),
};
enum { NREGS = ARRAY_LEN(regs) };

/* --- expressions to IR ------------------------------------------------------------------------------------------------
 * expr = register | number:type | op[.cond|.number][:type](expr, ... [; x [, y]])
 * The type is that of the first operand unless given. */

static const char *const types[] = { "void", "i1", "i8", "i16", "i32", "i64", "f16", "f32", "f64", "v128" };
static const char *const conds[] = { "eq", "ne", "slt", "sge", "sle", "sgt", "ult", "uge", "ule", "ugt" };

static unsigned lookup(const char *const *names, unsigned n, const char *w)
{
    for (unsigned i = 0; i < n; i++) {
        if (!strcmp(names[i], w)) return i;
    }
    fail_msg("unknown name %s", w);
    return 0;
}

static void word(const char **p, char *w)
{
    while (**p == ' ') (*p)++;
    while ((**p >= 'a' && **p <= 'z') || (**p >= '0' && **p <= '9')) *w++ = *(*p)++;
    *w = 0;
}

static bool take(const char **p, char c)
{
    while (**p == ' ') (*p)++;
    if (**p != c) return false;
    (*p)++;
    return true;
}

static V expr(struct ir *ir, const char **p);

static V call_expr(struct ir *ir, const char **p, const char *name)
{
    struct ir_ins i = { 0 };
    char w[32];
    V *v[] = { &i.a, &i.b, &i.c };
    for (i.op = 0; i.op < IR_OPS && strcmp(ir_opinfo[i.op].text, name); i.op++) { }
    if (i.op == IR_OPS) fail_msg("unknown op %s", name);
    if (take(p, '.')) {
        word(p, w);
        i.sub = (uint8_t)(w[0] >= '0' && w[0] <= '9' ? atoi(w) : (int)lookup(conds, ARRAY_LEN(conds), w));
    }
    if (take(p, ':')) {
        word(p, w);
        i.type = (uint8_t)lookup(types, T_COUNT, w);
    }
    assert_true(take(p, '('));
    for (unsigned k = 0; k < 3; k++) {
        *v[k] = expr(ir, p);
        if (!take(p, ',')) break;
    }
    if (take(p, ';')) i.x = (uint32_t)strtoul(*p, (char **)p, 0);
    if (take(p, ',')) i.y = (uint32_t)strtoul(*p, (char **)p, 0);
    if (!take(p, ')')) fail_msg("expected ) at %s", *p);
    if (!i.type) i.type = i.op == IR_CMP || i.op == IR_SADDOV || i.op == IR_SSUBOV ? T_I1
                        : i.op == IR_SELECT ? ir->ins[i.b].type : ir->ins[i.a].type;
    return ir_emit(ir, i);
}

static V expr(struct ir *ir, const char **p)
{
    char w[32];
    while (**p == ' ') (*p)++;
    if (**p == '-' || (**p >= '0' && **p <= '9')) {
        uint64_t k = strtoull(*p, (char **)p, 0);
        assert_true(take(p, ':'));
        word(p, w);
        unsigned t = lookup(types, T_COUNT, w);
        return ir_emit(ir, (struct ir_ins){ .op = IR_K, .type = (uint8_t)t, .imm = k & bits_mask(ir_type_bits[t]) });
    }
    word(p, w);
    for (unsigned r = 0; r < NREGS; r++) {
        if (!strcmp(regs[r].name, w)) return ir_emit(ir, (struct ir_ins){ .op = IR_GET, .type = regs[r].type, .x = r });
    }
    return call_expr(ir, p, w);
}

static void render(const struct ir *ir, V v, char *out)
{
    const struct ir_ins *i = &ir->ins[v];
    out += strlen(out);
    if (i->op == IR_GET) {
        strcat(out, regs[i->x].name);
        return;
    }
    if (i->op == IR_K) {
        int64_t k = i->type == T_I1 ? (int64_t)i->imm : bits_sext(i->imm, ir_type_bits[i->type]);
        sprintf(out, "%lld:%s", (long long)k, types[i->type]);
        return;
    }
    out += sprintf(out, "%s", ir_opinfo[i->op].text);
    if (i->op == IR_CMP) out += sprintf(out, ".%s", conds[i->sub]);
    if (i->op == IR_SEXT || i->op == IR_ZEXT || i->op == IR_TRUNC || i->op == IR_BITCAST || i->op == IR_LD)
        out += sprintf(out, ":%s", types[i->type]);
    strcat(out, "(");
    const V v3[] = { i->a, i->b, i->c };
    for (unsigned k = 0; k < 3 && v3[k]; k++) {
        if (k) strcat(out, ",");
        render(ir, v3[k], out);
    }
    out += strlen(out);
    if (i->op == IR_LD) out += sprintf(out, ";%lld", (long long)i->imm);
    else if (i->x || i->y) out += sprintf(out, ";%u,%u", i->x, i->y);
    strcat(out, ")");
}

static struct ir ir;

static void end_block(struct ir *r)
{
    ir_emit(r, (struct ir_ins){ .op = IR_EXIT, .imm = 0x2000 });
    r->blk[r->nblk - 1].end = r->nins;
}

static void check_valid(const struct ir *r, const char *what)
{
    struct err e = { 0 };
    if (ir_verify(r, &e)) fail_msg("%s: %s", what, e.msg);
}

/* Value of the last put of register x after the passes. */
static V last_put(const struct ir *r, unsigned reg)
{
    V v = 0;
    for (V k = 1; k < r->nins; k++) {
        if (r->ins[k].op == IR_PUT && r->ins[k].x == reg) v = r->ins[k].a;
    }
    return v;
}

static unsigned reg_of(unsigned type)
{
    static const uint8_t any[T_COUNT] = { [T_I1] = 12, [T_I8] = 18, [T_I16] = 19, [T_I32] = 6, [T_I64] = 3,
                                          [T_F32] = 15, [T_F64] = 14, [T_V128] = 17 };
    return any[type];
}

static void expect(const char *in, const char *out)
{
    char got[1024] = "";
    const char *p = in;
    ir_reset(&ir, regs, NREGS);
    ir_newblock(&ir, 0x1000);
    ir.blk[0].entry = 1;
    V v = expr(&ir, &p);
    if (*p) fail_msg("junk after %s: %s", in, p);
    unsigned reg = reg_of(ir.ins[v].type);
    ir_emit(&ir, (struct ir_ins){ .op = IR_PUT, .a = v, .x = reg });
    end_block(&ir);
    check_valid(&ir, in);
    ir_opt(&ir, OPT_ALL);
    check_valid(&ir, in);
    v = last_put(&ir, reg);
    if (v) render(&ir, v, got);
    else strcpy(got, regs[reg].name);
    if (strcmp(got, out)) fail_msg("%s\n   gives %s\n  wanted %s", in, got, out);
}

#define SAME(e) expect(e, e)

static void constants(void **s UNUSED)
{
    expect("add(2:i64,3:i64)", "5:i64");
    expect("add(x1,0:i64)", "x1");
    expect("add(5:i64,x1)", "add(x1,5:i64)");
    expect("and(x1,0:i64)", "0:i64");
    expect("or(x1,-1:i64)", "-1:i64");
    expect("mul(x1,1:i64)", "x1");
    expect("mul(x1,8:i64)", "shl(x1,3:i64)");
    SAME("mul(x1,10:i64)");
    expect("mul(x1,-1:i64)", "neg(x1)");
    expect("divu(x1,16:i64)", "shr(x1,4:i64)");
    expect("remu(x1,16:i64)", "and(x1,15:i64)");
    SAME("divs(x1,16:i64)");
    SAME("divu(x1,10:i64)");
    expect("divu(x1,0:i64)", "0:i64");
    expect("remu(x1,0:i64)", "x1");
    expect("sub(x1,x1)", "0:i64");
    expect("xor(w0,w0)", "0:i32");
    SAME("sub(x1,x2)");
    expect("select(1:i1,x1,x2)", "x1");
    expect("select(p0,x1,x1)", "x1");
    expect("fsgn(d0,d0)", "d0");
    SAME("fsgn(d0,d1)");
}

static void sums(void **s UNUSED)
{
    expect("sub(x1,5:i64)", "add(x1,-5:i64)");
    expect("add(add(x1,5:i64),7:i64)", "add(x1,12:i64)");
    expect("add(sub(x1,5:i64),5:i64)", "x1");
    expect("add(x1,neg(x2))", "sub(x1,x2)");
    expect("sub(x1,neg(x2))", "add(x1,x2)");
    expect("sub(0:i64,x1)", "neg(x1)");
    expect("neg(sub(x1,x2))", "sub(x2,x1)");
    expect("neg(neg(x1))", "x1");
    expect("neg(zext:i64(p0))", "sext:i64(p0)");
    SAME("neg(zext:i64(w0))");
    expect("not(not(x1))", "x1");
    expect("xor(x1,-1:i64)", "not(x1)");
    expect("xor(xor(x1,3:i64),5:i64)", "xor(x1,6:i64)");
    expect("and(and(x1,12:i64),6:i64)", "and(x1,4:i64)");
    expect("xor(zext:i64(p0),1:i64)", "zext:i64(not(p0))");
    SAME("xor(zext:i64(p0),2:i64)");
}

static void extensions(void **s UNUSED)
{
    expect("trunc:i32(sext:i64(w0))", "w0");
    expect("trunc:i8(sext:i64(w0))", "trunc:i8(w0)");
    expect("trunc:i32(zext:i64(c0))", "zext:i32(c0)");
    expect("sext:i64(sext:i32(c0))", "sext:i64(c0)");
    expect("sext:i64(zext:i32(c0))", "zext:i64(c0)");
    SAME("zext:i64(sext:i32(c0))");
    expect("sext:i64(trunc:i32(sext:i64(c0)))", "sext:i64(c0)");
    expect("sext:i64(trunc:i32(sar(x1,32:i64)))", "sar(x1,32:i64)");
    expect("sext:i64(trunc:i32(sar(x1,31:i64)))", "sbfx(x1;31,32)");
    expect("sext:i64(trunc:i32(shr(x1,33:i64)))", "shr(x1,33:i64)");
    expect("zext:i64(trunc:i32(zext:i64(h0)))", "zext:i64(h0)");
    SAME("zext:i64(trunc:i32(x1))");
    expect("zext:i64(trunc:i32(and(x1,255:i64)))", "zext:i64(trunc:i8(x1))");
    expect("and(x1,255:i64)", "zext:i64(trunc:i8(x1))");
    SAME("and(x1,127:i64)");
    expect("and(zext:i64(h0),65535:i64)", "zext:i64(h0)");
    expect("and(shr(x1,60:i64),15:i64)", "shr(x1,60:i64)");
    expect("trunc:i32(and(x1,0xffffffff:i64))", "trunc:i32(x1)");
    SAME("trunc:i32(and(x1,2147483647:i64))");
    expect("trunc:i1(shr(w0,31:i32))", "cmp.slt(w0,0:i32)");
    SAME("trunc:i1(shr(w0,30:i32))");
    expect("funbox:f32(fbox:f64(s0))", "s0");
    expect("bitcast:i64(bitcast:f64(x1))", "x1");
    expect("vget.3:f64(vfrom:v128(d0))", "d0");
    expect("vget.3:i64(vfrom:v128(d0))", "bitcast:i64(d0)");
    expect("trunc:i32(vget.3:i64(vdup.3:v128(x1);1))", "trunc:i32(x1)");
}

static void shifts(void **s UNUSED)
{
    expect("shl(x1,64:i64)", "x1");
    expect("shl(x1,65:i64)", "shl(x1,1:i64)");
    expect("shl(x1,and(x2,63:i64))", "shl(x1,x2)");
    SAME("shl(x1,and(x2,31:i64))");
    expect("shl(shl(x1,3:i64),4:i64)", "shl(x1,7:i64)");
    expect("shl(shl(x1,33:i64),34:i64)", "0:i64");
    expect("sar(sar(x1,33:i64),34:i64)", "sar(x1,63:i64)");
    expect("shr(shl(x1,32:i64),32:i64)", "zext:i64(trunc:i32(x1))");
    expect("sar(shl(x1,56:i64),56:i64)", "sext:i64(trunc:i8(x1))");
    expect("shr(shl(x1,10:i64),20:i64)", "ubfx(x1;10,44)");
    expect("sar(shl(x1,10:i64),20:i64)", "sbfx(x1;10,44)");
    expect("shr(shl(x1,32:i64),30:i64)", "shl(zext:i64(trunc:i32(x1)),2:i64)");
    expect("shl(shr(x1,4:i64),4:i64)", "and(x1,-16:i64)");
    expect("and(shr(x1,5:i64),7:i64)", "ubfx(x1;5,3)");
    SAME("and(shr(x1,5:i64),6:i64)");
    expect("shr(and(x1,0xff0:i64),4:i64)", "ubfx(x1;4,8)");
    expect("ubfx(ubfx(x1;8,16);4,4)", "ubfx(x1;12,4)");
    /* parts of a register that were written before */
    expect("trunc:i8(bfi(x0,x1;0,8))", "trunc:i8(x1)");
    expect("trunc:i8(bfi(x0,x1;8,8))", "trunc:i8(x0)");
    SAME("trunc:i16(bfi(x0,x1;0,8))");
    expect("ubfx(bfi(x0,x1;8,8);8,8)", "zext:i64(trunc:i8(x1))");
    expect("ubfx(bfi(x0,x1;0,8);8,8)", "ubfx(x0;8,8)");
    SAME("ubfx(bfi(x0,x1;0,12);8,8)");
    expect("bfi(bfi(x0,x1;8,8),x2;8,8)", "bfi(x0,x2;8,8)");
    expect("bfi(0:i64,zext:i64(c0);0,8)", "zext:i64(c0)");
    expect("bfi(0x12:i64,x1;0,8)", "zext:i64(trunc:i8(x1))");
    SAME("bfi(274:i64,x1;0,8)");
    /* what x86 has of a comparison: its flags are values of the difference */
    expect("cmp.eq(sext:i64(sub(w0,w1)),0:i64)", "cmp.eq(w0,w1)");
    expect("xor(cmp.slt(sext:i64(sub(w0,w1)),0:i64),ssubov(w0,w1))", "cmp.slt(w0,w1)");
    expect("or(cmp.eq(sext:i64(sub(c0,c1)),0:i64),xor(cmp.slt(sext:i64(sub(c0,c1)),0:i64),ssubov(c0,c1)))", "cmp.sle(c0,c1)");
    expect("or(cmp.ult(h0,h1),cmp.eq(sext:i64(sub(h0,h1)),0:i64))", "cmp.ule(h0,h1)");
    expect("ubfx(ubfx(x1;8,16);16,4)", "0:i64");
    expect("ubfx(x1;60,4)", "shr(x1,60:i64)");
    expect("sbfx(x1;60,4)", "sar(x1,60:i64)");
    expect("shr(zext:i64(w0),4:i64)", "zext:i64(shr(w0,4:i32))");
    expect("shr(zext:i64(w0),32:i64)", "0:i64");
    expect("sar(sext:i64(w0),40:i64)", "sext:i64(sar(w0,31:i32))");
}

static void rotates(void **s UNUSED)
{
    expect("or(shl(x1,7:i64),shr(x1,57:i64))", "rotr(x1,57:i64)");
    expect("or(shr(w0,7:i32),shl(w0,25:i32))", "rotr(w0,7:i32)");
    expect("xor(shr(w0,7:i32),shl(w0,25:i32))", "rotr(w0,7:i32)");
    expect("add(shr(w0,7:i32),shl(w0,25:i32))", "rotr(w0,7:i32)");
    SAME("or(shl(x1,7:i64),shr(x1,56:i64))");
    SAME("or(shl(x1,7:i64),shr(x2,57:i64))");
    expect("or(shl(x1,x2),shr(x1,neg(x2)))", "rotr(x1,neg(x2))");
    expect("or(shr(x1,x2),shl(x1,sub(64:i64,x2)))", "rotr(x1,x2)");
    SAME("xor(shl(x1,x2),shr(x1,neg(x2)))");
    SAME("or(shr(x1,x2),shl(x1,sub(63:i64,x2)))");
    /* RV64: slliw, srliw, or */
    expect("or(sext:i64(shl(trunc:i32(x1),7:i32)),sext:i64(shr(trunc:i32(x1),25:i32)))",
           "sext:i64(rotr(trunc:i32(x1),25:i32))");
    expect("or(zext:i64(shl(w0,7:i32)),sext:i64(shr(w0,25:i32)))", "zext:i64(rotr(w0,25:i32))");
    /* slli, srliw, or, sext.w */
    expect("sext:i64(trunc:i32(or(shl(x1,7:i64),sext:i64(shr(trunc:i32(x1),25:i32)))))",
           "sext:i64(rotr(trunc:i32(x1),25:i32))");
    SAME("trunc:i32(or(shl(x1,7:i64),zext:i64(shr(trunc:i32(x1),24:i32))))");
    expect("extr(w0,w0;5,0)", "rotr(w0,5:i32)");
    expect("extr(x1,x2;5,0)", "extr(x1,x2;5,0)");
}

static void word_logic(void **s UNUSED)
{
    expect("xor(sext:i64(w0),sext:i64(w1))", "sext:i64(xor(w0,w1))");
    expect("and(sext:i64(w0),0x70:i64)", "sext:i64(and(w0,112:i32))");
    expect("not(sext:i64(w0))", "sext:i64(not(w0))");
    SAME("xor(sext:i64(w0),x1)");
    SAME("xor(sext:i64(w0),zext:i64(w1))");
    SAME("or(sext:i64(w0),2147483648:i64)");
    expect("trunc:i32(xor(sext:i64(w0),sext:i64(w1)))", "xor(w0,w1)");
}

static void comparisons(void **s UNUSED)
{
    expect("cmp.ult(5:i64,x1)", "cmp.ugt(x1,5:i64)");
    expect("cmp.ugt(x1,0:i64)", "cmp.ne(x1,0:i64)");
    expect("cmp.uge(x1,0:i64)", "1:i1");
    expect("cmp.sle(x1,x1)", "1:i1");
    expect("not(cmp.slt(x1,x2))", "cmp.sge(x1,x2)");
    expect("cmp.ne(zext:i64(cmp.slt(x1,x2)),0:i64)", "cmp.slt(x1,x2)");
    expect("cmp.eq(zext:i64(cmp.slt(x1,x2)),0:i64)", "cmp.sge(x1,x2)");
    expect("cmp.eq(zext:i64(p0),1:i64)", "p0");
    expect("cmp.eq(zext:i64(p0),2:i64)", "0:i1");
    expect("cmp.slt(sext:i64(w0),sext:i64(w1))", "cmp.slt(w0,w1)");
    expect("cmp.ult(sext:i64(w0),sext:i64(w1))", "cmp.ult(w0,w1)");
    expect("cmp.slt(zext:i64(w0),zext:i64(w1))", "cmp.ult(w0,w1)");
    SAME("cmp.slt(zext:i64(w0),sext:i64(w1))");
    expect("cmp.slt(sext:i64(w0),-5:i64)", "cmp.slt(w0,-5:i32)");
    expect("cmp.eq(sext:i64(w0),0x80000000:i64)", "0:i1");
    SAME("cmp.slt(sext:i64(w0),2147483648:i64)");
    expect("cmp.slt(zext:i64(w0),5:i64)", "cmp.ult(w0,5:i32)");
    expect("cmp.eq(add(x1,3:i64),5:i64)", "cmp.eq(x1,2:i64)");
    SAME("cmp.slt(add(x1,3:i64),5:i64)");
    expect("cmp.ne(xor(x1,x2),0:i64)", "cmp.ne(x1,x2)");
    expect("cmp.ne(p0,p1)", "xor(p0,p1)");
    expect("cmp.eq(p0,p1)", "not(xor(p0,p1))");
    expect("cmp.eq(sub(x1,x2),0:i64)", "cmp.eq(x1,x2)");
    SAME("cmp.slt(sub(x1,x2),0:i64)");
}

static void flags_of_subtraction(void **s UNUSED)
{
    static const char *const rhs[] = { "x2", "1:i64", "-7:i64" };
    char in[512], out[512];
    for (unsigned i = 0; i < ARRAY_LEN(rhs); i++) {
        const char *b = rhs[i];
        snprintf(in, sizeof in, "cmp.eq(cmp.slt(sub(x1,%s),0:i64),ssubov(x1,%s))", b, b);
        snprintf(out, sizeof out, "cmp.sge(x1,%s)", b);
        expect(in, out);
        snprintf(in, sizeof in, "xor(cmp.slt(sub(x1,%s),0:i64),ssubov(x1,%s))", b, b);
        snprintf(out, sizeof out, "cmp.slt(x1,%s)", b);
        expect(in, out);
        snprintf(in, sizeof in,
                 "and(not(cmp.eq(sub(x1,%s),0:i64)),cmp.eq(cmp.slt(sub(x1,%s),0:i64),ssubov(x1,%s)))", b, b, b);
        snprintf(out, sizeof out, "cmp.sgt(x1,%s)", b);
        expect(in, out);
        snprintf(in, sizeof in,
                 "or(cmp.eq(sub(x1,%s),0:i64),cmp.ne(cmp.slt(sub(x1,%s),0:i64),ssubov(x1,%s)))", b, b, b);
        snprintf(out, sizeof out, "cmp.sle(x1,%s)", b);
        expect(in, out);
        snprintf(in, sizeof in, "and(cmp.uge(x1,%s),not(cmp.eq(sub(x1,%s),0:i64)))", b, b);
        snprintf(out, sizeof out, "cmp.ugt(x1,%s)", b);
        expect(in, out);
        snprintf(in, sizeof in, "or(not(cmp.uge(x1,%s)),cmp.eq(sub(x1,%s),0:i64))", b, b);
        snprintf(out, sizeof out, "cmp.ule(x1,%s)", b);
        expect(in, out);
        snprintf(in, sizeof in, "not(or(not(cmp.uge(x1,%s)),cmp.eq(sub(x1,%s),0:i64)))", b, b);
        snprintf(out, sizeof out, "cmp.ugt(x1,%s)", b);
        expect(in, out);
    }
    /* other operands, mixed signedness */
    SAME("xor(cmp.slt(sub(x1,x2),0:i64),ssubov(x2,x1))");
    SAME("and(cmp.uge(x1,x2),cmp.sge(x1,x2))");
    expect("and(cmp.uge(x1,x2),cmp.ne(x2,x1))", "cmp.ugt(x1,x2)");
    SAME("and(cmp.uge(x1,x2),cmp.ne(x1,x3))");
    /* cmp wzr, w1 */
    expect("xor(cmp.slt(sub(0:i64,x1),0:i64),ssubov(0:i64,x1))", "cmp.sgt(x1,0:i64)");
}

static void flags_of_others(void **s UNUSED)
{
    /* logical: V = 0 */
    expect("cmp.eq(cmp.slt(and(x1,x2),0:i64),0:i1)", "cmp.sge(and(x1,x2),0:i64)");
    expect("and(not(cmp.eq(and(x1,x2),0:i64)),cmp.eq(cmp.slt(and(x1,x2),0:i64),0:i1))", "cmp.sgt(and(x1,x2),0:i64)");
    /* cmn x1, #5 */
    expect("xor(cmp.slt(add(x1,5:i64),0:i64),saddov(x1,5:i64))", "cmp.slt(x1,-5:i64)");
    SAME("xor(cmp.slt(add(x1,x2),0:i64),saddov(x1,x2))");
    /* narrow operands */
    expect("and(cmp.uge(zext:i64(c0),zext:i64(c1)),not(cmp.eq(sub(zext:i64(c0),zext:i64(c1)),0:i64)))",
           "cmp.ugt(c0,c1)");
    expect("and(cmp.uge(zext:i32(c0),5:i32),not(cmp.eq(sub(zext:i32(c0),5:i32),0:i32)))", "cmp.ugt(c0,5:i8)");
    /* ccmp */
    expect("xor(select(p0,cmp.slt(sub(x1,x2),0:i64),1:i1),select(p0,ssubov(x1,x2),0:i1))",
           "select(p0,cmp.slt(x1,x2),1:i1)");
    expect("not(select(p0,cmp.slt(x1,x2),1:i1))", "select(p0,cmp.sge(x1,x2),0:i1)");
    expect("and(not(p0),not(p1))", "not(or(p0,p1))");
    expect("or(p0,not(p0))", "1:i1");
}

static void selects(void **s UNUSED)
{
    expect("select(not(p0),x1,x2)", "select(p0,x2,x1)");
    expect("select(p0,1:i64,0:i64)", "zext:i64(p0)");
    expect("select(p0,0:i64,1:i64)", "zext:i64(not(p0))");
    expect("select(p0,-1:i64,0:i64)", "sext:i64(p0)");
    expect("select(p0,0:i64,-1:i64)", "sext:i64(not(p0))");
    expect("select(p0,1:i1,0:i1)", "p0");
    SAME("select(p0,2:i64,0:i64)");
    SAME("select(p0,1:i64,2:i64)");
}

/* --- registers, deopt, demand: on text ------------------------------------------------------------------------------------ */

struct text {
    char buf[8192];
};

static void collect(void *ctx, const char *line)
{
    struct text *t = ctx;
    if (strncmp(line, "region", 6) == 0) return;
    strcat(t->buf, line);
    strcat(t->buf, "\n");
}

static void expect_text(const char *in, const char *out)
{
    struct text t = { "" };
    struct err e = { 0 };
    if (ir_parse(&ir, regs, NREGS, in, &e)) fail_msg("%s", e.msg);
    check_valid(&ir, in);
    ir_opt(&ir, OPT_ALL);
    check_valid(&ir, in);
    ir_print(&ir, collect, &t);
    if (strcmp(t.buf, out)) fail_msg("gives\n%swanted\n%s", t.buf, out);
}

#define B0 "block b0 pc=0x1000 entry\n"

static void registers(void **s UNUSED)
{
    /* a get sees the put before it; a dead put and markers without a fault go */
    expect_text(B0 "insn 0x1000 x=4\n v2:i64 = get x1\n v3:i64 = k 0x1\n v4:i64 = xor v2, v3\n put x1, v4\n"
                   "insn 0x1004 x=4\n v7:i64 = get x1\n v8:i64 = get x2\n v9:i64 = add v7, v8\n put x1, v9\n"
                   "exit.jump 0x1008\n",
                B0 "  v1:i64 = get x1\n  v2:i64 = k 0x1\n  v3:i64 = xor v1, v2\n  v5:i64 = get x2\n"
                   "  v6:i64 = add v3, v5\n  put x1, v6\n  exit.jump 0x1008\n");
    /* what a register holds already is not put again */
    expect_text(B0 "v1:i64 = get x1\n put x2, v1\n v3:i64 = get x2\n put x1, v3\n exit.jump 0x1008\n",
                B0 "  v1:i64 = get x1\n  put x2, v1\n  exit.jump 0x1008\n");
    /* a call that may write the register's group ends forwarding, another does not */
    expect_text(B0 "v1:i64 = get x1\n call f() reads=0 writes=1 flags=0\n v3:i64 = get x1\n v4:i64 = sub v1, v3\n"
                   "put x2, v4\n exit.jump 0x1008\n",
                B0 "  v1:i64 = get x1\n  call f() reads=0 writes=1 flags=0\n  v3:i64 = get x1\n"
                   "  v4:i64 = sub v1, v3\n  put x2, v4\n  exit.jump 0x1008\n");
    expect_text(B0 "v1:i64 = get x1\n call f() reads=0 writes=2 flags=0\n v3:i64 = get x1\n v4:i64 = sub v1, v3\n"
                   "put x2, v4\n exit.jump 0x1008\n",
                B0 "  call f() reads=0 writes=2 flags=0\n  v3:i64 = k 0x0\n  put x2, v3\n  exit.jump 0x1008\n");
}

static void memory(void **s UNUSED)
{
    /* the access takes the constant; the marker stays */
    expect_text(B0 "insn 0x1000 x=4\n v2:i64 = get x1\n v3:i64 = k 0x10\n v4:i64 = add v2, v3\n"
                   "v5:i64 = ld.32.s [v4 + 0x8]\n put x2, v5\n exit.jump 0x1004\n",
                B0 "  v1:i64 = get x1\n  insn 0x1000 x=4\n  v5:i64 = ld.32.s [v1 + 0x18]\n"
                   "  put x2, v5\n  exit.jump 0x1004\n");
    /* not when it exceeds 32 bits */
    expect_text(B0 "insn 0x1000 x=4\n v2:i64 = get x1\n v3:i64 = k 0x7fffffff\n v4:i64 = add v2, v3\n"
                   "v5:i64 = ld.32.s [v4 + 0x8]\n put x2, v5\n exit.jump 0x1004\n",
                B0 "  v1:i64 = get x1\n  v2:i64 = k 0x7fffffff\n  v3:i64 = add v1, v2\n  insn 0x1000 x=4\n"
                   "  v5:i64 = ld.32.s [v3 + 0x8]\n  put x2, v5\n  exit.jump 0x1004\n");
    /* nor when a register holds the sum */
    expect_text(B0 "insn 0x1000 x=4\n v2:i64 = get x1\n v3:i64 = k 0x10\n v4:i64 = add v2, v3\n put x1, v4\n"
                   "insn 0x1004 x=4\n v7:i64 = get x1\n v8:i64 = ld.64 [v7 + 0x0]\n put x2, v8\n exit.jump 0x1008\n",
                B0 "  v1:i64 = get x1\n  v2:i64 = k 0x10\n  v3:i64 = add v1, v2\n  put x1, v3\n  insn 0x1004 x=4\n"
                   "  v6:i64 = ld.64 [v3 + 0x0]\n  put x2, v6\n  exit.jump 0x1008\n");
    /* loads stay, dead or equal */
    expect_text(B0 "v1:i64 = get x1\n v2:i64 = ld.64 [v1 + 0x0]\n v3:i64 = ld.64 [v1 + 0x0]\n exit.jump 0x1008\n",
                B0 "  v1:i64 = get x1\n  v2:i64 = ld.64 [v1 + 0x0]\n  v3:i64 = ld.64 [v1 + 0x0]\n  exit.jump 0x1008\n");
    /* a store looks through what shapes the upper bits only */
    expect_text(B0 "v1:i64 = get x1\n v2:i32 = get w0\n v3:i64 = sext v2\n st.32 [v1 + 0x0], v3\n exit.jump 0x1008\n",
                B0 "  v1:i64 = get x1\n  v2:i32 = get w0\n  st.32 [v1 + 0x0], v2\n  exit.jump 0x1008\n");
    expect_text(B0 "v1:i64 = get x1\n v2:i32 = get w0\n v3:i64 = sext v2\n st.64 [v1 + 0x0], v3\n exit.jump 0x1008\n",
                B0 "  v1:i64 = get x1\n  v2:i32 = get w0\n  v3:i64 = sext v2\n  st.64 [v1 + 0x0], v3\n"
                   "  exit.jump 0x1008\n");
}

static void deopt(void **s UNUSED)
{
    /* x2 is put twice; the load between may show the first: kept for its map, its value is lazy */
    expect_text(B0 "v1:i64 = get x1\n v2:i64 = get x3\n v3:i64 = mul v1, v2\n put x2, v3\n v5:i64 = ld.64 [v1 + 0x0]\n"
                   "put x2, v5\n exit.jump 0x1008\n",
                B0 "  v1:i64 = get x1\n  v2:i64 = get x3\n  v3:i64 = mul v1, v2 @lazy\n  put x2, v3 @deopt\n"
                   "  v5:i64 = ld.64 [v1 + 0x0]\n  put x2, v5\n  exit.jump 0x1008\n");
    /* needed by code as well: not lazy */
    expect_text(B0 "v1:i64 = get x1\n v2:i64 = get x3\n v3:i64 = mul v1, v2\n put x2, v3\n v5:i64 = ld.64 [v3 + 0x0]\n"
                   "put x2, v5\n exit.jump 0x1008\n",
                B0 "  v1:i64 = get x1\n  v2:i64 = get x3\n  v3:i64 = mul v1, v2\n  put x2, v3 @deopt\n"
                   "  v5:i64 = ld.64 [v3 + 0x0]\n  put x2, v5\n  exit.jump 0x1008\n");
    /* no fault between: dead */
    expect_text(B0 "v1:i64 = get x1\n v2:i64 = get x3\n v3:i64 = mul v1, v2\n put x2, v3\n put x2, v1\n"
                   "v6:i64 = ld.64 [v1 + 0x0]\n exit.jump 0x1008\n",
                B0 "  v1:i64 = get x1\n  put x2, v1\n  v6:i64 = ld.64 [v1 + 0x0]\n  exit.jump 0x1008\n");
    /* a call that may raise finds everything stored */
    expect_text(B0 "v1:i64 = get x1\n v2:i64 = get x3\n v3:i64 = mul v1, v2\n put x2, v3\n"
                   "call f() reads=0 writes=0 flags=2\n put x2, v1\n exit.jump 0x1008\n",
                B0 "  v1:i64 = get x1\n  v2:i64 = get x3\n  v3:i64 = mul v1, v2\n  put x2, v3\n"
                   "  call f() reads=0 writes=0 flags=2\n  put x2, v1\n  exit.jump 0x1008\n");
    /* a call that reads another group: the put is dead */
    expect_text(B0 "v1:i64 = get x1\n v2:i64 = neg v1\n put x2, v2\n call f() reads=2 writes=0 flags=0\n put x2, v1\n"
                   "exit.jump 0x1008\n",
                B0 "  v1:i64 = get x1\n  call f() reads=2 writes=0 flags=0\n  put x2, v1\n  exit.jump 0x1008\n");
}

/* subs x1, x1, #1; b.ne: the test of the result stays one, the old value need not live on */
static void counted_loop(void **s UNUSED)
{
    expect_text(B0 "v1:i64 = get x1\n v2:i64 = k 0x1\n v3:i64 = sub v1, v2\n v4:i64 = k 0x0\n v5:i1 = cmp.eq v3, v4\n"
                   "put p0, v5\n put x1, v3\n insn 0x1004 x=4\n v9:i1 = get p0\n v10:i1 = not v9\n brc v10, b0, b1\n"
                   "block b1 pc=0x2000\n v13:i1 = k 0x1\n put p0, v13\n exit.jump 0x1008\n",
                "block b0 pc=0x1000 entry depth=1\n  v1:i64 = get x1\n"
                "  v3:i64 = k 0xffffffffffffffff\n  v4:i64 = add v1, v3\n  v5:i64 = k 0x0\n  put x1, v4\n"
                "  v9:i1 = cmp.ne v4, v5\n"
                "  brc v9, b0, b1\nblock b1 pc=0x2000\n  v11:i1 = k 0x1\n  put p0, v11\n  exit.jump 0x1008\n");
    /* subs x2, x1, x3 likewise; without the put (cmp x1, x3) the operands are compared */
    expect_text(B0 "v1:i64 = get x1\n v2:i64 = get x3\n v3:i64 = sub v1, v2\n v4:i64 = k 0x0\n v5:i1 = cmp.eq v3, v4\n"
                   "put p0, v5\n put x2, v3\n exit.jump 0x4\n",
                B0 "  v1:i64 = get x1\n  v2:i64 = get x3\n  v3:i64 = sub v1, v2\n  v4:i64 = k 0x0\n"
                   "  v5:i1 = cmp.eq v3, v4\n  put p0, v5\n  put x2, v3\n  exit.jump 0x4\n");
    expect_text(B0 "v1:i64 = get x1\n v2:i64 = get x3\n v3:i64 = sub v1, v2\n v4:i64 = k 0x0\n v5:i1 = cmp.eq v3, v4\n"
                   "put p0, v5\n exit.jump 0x4\n",
                B0 "  v1:i64 = get x1\n  v2:i64 = get x3\n  v5:i1 = cmp.eq v1, v2\n  put p0, v5\n  exit.jump 0x4\n");
}

static void demanded_bits(void **s UNUSED)
{
    /* RV64: addw, or, then only the low half is used: no extension between */
    expect_text(B0 "v1:i64 = get x1\n v2:i64 = get x2\n v3:i32 = trunc v1\n v4:i32 = trunc v2\n v5:i32 = add v3, v4\n"
                   "v6:i64 = sext v5\n v7:i64 = or v6, v2\n v8:i32 = trunc v7\n put w0, v8\n exit.jump 0x1008\n",
                B0 "  v1:i64 = get x1\n  v2:i64 = get x2\n  v3:i32 = trunc v1\n  v4:i32 = trunc v2\n"
                   "  v5:i32 = add v3, v4\n  v6:i64 = zext v5\n  v7:i64 = or v2, v6\n  v8:i32 = trunc v7\n"
                   "  put w0, v8\n  exit.jump 0x1008\n");
    /* all of it is used */
    expect_text(B0 "v1:i32 = get w0\n v2:i64 = sext v1\n v3:i64 = get x2\n v4:i64 = or v2, v3\n put x1, v4\n"
                   "exit.jump 0x1008\n",
                B0 "  v1:i32 = get w0\n  v2:i64 = sext v1\n  v3:i64 = get x2\n  v4:i64 = or v2, v3\n  put x1, v4\n"
                   "  exit.jump 0x1008\n");
    /* masks of bits nobody sees */
    expect_text(B0 "v1:i64 = get x1\n v2:i64 = k 0x7fff\n v3:i64 = and v1, v2\n v4:i64 = get x2\n v5:i64 = add v3, v4\n"
                   "st.8 [v4 + 0x0], v5\n exit.jump 0x1008\n",
                B0 "  v1:i64 = get x1\n  v4:i64 = get x2\n  v5:i64 = add v1, v4\n  st.8 [v4 + 0x0], v5\n"
                   "  exit.jump 0x1008\n");
    /* a carry reaches up, so the mask counts for higher bits */
    expect_text(B0 "v1:i64 = get x1\n v2:i64 = k 0x7fff\n v3:i64 = and v1, v2\n v4:i64 = get x2\n v5:i64 = add v3, v4\n"
                   "st.16 [v4 + 0x0], v5\n exit.jump 0x1008\n",
                B0 "  v1:i64 = get x1\n  v2:i64 = k 0x7fff\n  v3:i64 = and v1, v2\n  v4:i64 = get x2\n"
                   "  v5:i64 = add v3, v4\n  st.16 [v4 + 0x0], v5\n  exit.jump 0x1008\n");
}

static void fp_operations(void **s UNUSED)
{
    /* dead, but its flags count; equal ones raise the same */
    expect_text(B0 "v1:f64 = get d0\n v2:f64 = fadd.dyn v1, v1\n v3:f64 = fadd.dyn v1, v1\n put d1, v3\n exit.jump 0x4\n",
                B0 "  v1:f64 = get d0\n  v2:f64 = fadd.dyn v1, v1\n  put d1, v2\n  exit.jump 0x4\n");
    /* not across a change of rounding mode */
    expect_text(B0 "v1:f64 = get d0\n v2:f64 = fadd.dyn v1, v1\n v3:i32 = k 0x2\n frmwr v3\n v5:f64 = fadd.dyn v1, v1\n"
                   "put d1, v5\n exit.jump 0x4\n",
                B0 "  v1:f64 = get d0\n  v2:f64 = fadd.dyn v1, v1\n  v3:i32 = k 0x2\n  frmwr v3\n"
                   "  v5:f64 = fadd.dyn v1, v1\n  put d1, v5\n  exit.jump 0x4\n");
    /* of three comparisons, the one that is used is enough */
    expect_text(B0 "v1:f64 = get d0\n v2:f64 = get d1\n v3:i1 = fcmp.lt v1, v2\n v4:i1 = fcmp.eq v1, v2\n"
                   "v5:i1 = fcmp.un v1, v2\n put p0, v4\n exit.jump 0x4\n",
                B0 "  v1:f64 = get d0\n  v2:f64 = get d1\n  v4:i1 = fcmp.eq v1, v2\n  put p0, v4\n  exit.jump 0x4\n");
    /* unless something between reads the flags */
    expect_text(B0 "v1:f64 = get d0\n v2:f64 = get d1\n v3:i1 = fcmp.lt v1, v2\n v4:i32 = fenvrd\n"
                   "v5:i1 = fcmp.un v1, v2\n put p0, v5\n put w0, v4\n exit.jump 0x4\n",
                B0 "  v1:f64 = get d0\n  v2:f64 = get d1\n  v3:i1 = fcmp.lt v1, v2\n  v4:i32 = fenvrd\n"
                   "  v5:i1 = fcmp.un v1, v2\n  put p0, v5\n  put w0, v4\n  exit.jump 0x4\n");
}

/* AArch64 after fcmp: N = lt, Z = eq, C = not lt, V = unordered */
#define FC B0 "v1:f64 = get d0\n v2:f64 = get d1\n v3:i1 = fcmp.lt v1, v2\n v4:i1 = fcmp.eq v1, v2\n" \
           "v5:i1 = fcmp.un v1, v2\n v6:i1 = not v3\n"
#define FD B0 "  v1:f64 = get d0\n  v2:f64 = get d1\n"
static void fp_conditions(void **s UNUSED)
{
    /* ge: N == V */
    expect_text(FC "v7:i1 = cmp.eq v3, v5\n put p0, v7\n exit.jump 0x4\n",
                FD "  v7:i1 = fcmp.le v2, v1\n  put p0, v7\n  exit.jump 0x4\n");
    /* gt: not Z and N == V */
    expect_text(FC "v7:i1 = cmp.eq v3, v5\n v8:i1 = not v4\n v9:i1 = and v7, v8\n put p0, v9\n exit.jump 0x4\n",
                FD "  v10:i1 = fcmp.lt v2, v1\n  put p0, v10\n  exit.jump 0x4\n");
    /* hi: C and not Z: greater or unordered */
    expect_text(FC "v7:i1 = not v4\n v8:i1 = and v6, v7\n put p0, v8\n exit.jump 0x4\n",
                FD "  v8:i1 = fcmp.le v1, v2\n  v9:i1 = not v8\n  put p0, v9\n  exit.jump 0x4\n");
    /* less or greater has no comparison of its own */
    expect_text(FC "v7:i1 = fcmp.lt v2, v1\n v8:i1 = or v3, v7\n put p0, v8\n exit.jump 0x4\n",
                FD "  v3:i1 = fcmp.lt v1, v2\n  v7:i1 = fcmp.lt v2, v1\n  v8:i1 = or v3, v7\n  put p0, v8\n"
                   "  exit.jump 0x4\n");
    /* flags changed in between: the comparison may not be repeated */
    expect_text(FC "v7:i32 = get w0\n fenvwr v7\n v9:i1 = cmp.eq v3, v5\n put p0, v9\n exit.jump 0x4\n",
                FD "  v3:i1 = fcmp.lt v1, v2\n  v5:i1 = fcmp.un v1, v2\n  v7:i32 = get w0\n  fenvwr v7\n"
                   "  v9:i1 = xor v3, v5\n  v10:i1 = not v9\n  put p0, v10\n  exit.jump 0x4\n");
}

static void branches(void **s UNUSED)
{
    const char *end = "block b1 pc=0x1010\n  exit.jump 0x1010\nblock b2 pc=0x1020\n  exit.jump 0x1020\n";
    char in[1024], out[1024];
    snprintf(in, sizeof in, "%s%s%s", B0 "v1:i1 = get p0\n v2:i1 = not v1\n brc v2, b1, b2\n", end, "");
    snprintf(out, sizeof out, "%s%s", B0 "  v1:i1 = get p0\n  brc v1, b2, b1\n", end);
    expect_text(in, out);
    snprintf(in, sizeof in, "%s%s", B0 "v1:i1 = k 0x0\n brc v1, b1, b2\n", end);
    snprintf(out, sizeof out, "%s%s", B0 "  jmp b2\n", end);
    expect_text(in, out);
    expect_text(B0 "v1:i64 = k 0x5000\n exiti.ret v1 y=3\n", B0 "  exit.ret 0x5000 y=3\n");
    expect_text(B0 "v1:i64 = get x1\n exiti.ret v1 y=3\n", B0 "  v1:i64 = get x1\n  exiti.ret v1 y=3\n");
    expect_text(B0 "v1:i1 = k 0x0\n trapif v1 sub=4\n exit.jump 0x4\n", B0 "  exit.jump 0x4\n");
}

static bool live(unsigned b, const char *set, const char *reg)
{
    for (unsigned r = 0; r < NREGS; r++) {
        if (!strcmp(regs[r].name, reg)) return regset_has(*set == 'i' ? &ir.blk[b].live_in : &ir.blk[b].live_out, r);
    }
    fail_msg("no register %s", reg);
    return false;
}

static void liveness_and_loops(void **s UNUSED)
{
    /* b0 puts x1, x2; b1 overwrites x1 and loops; b2 leaves */
    static const char text[] = "region mode=0 vars=i64\n"
        B0 "v1:i64 = get x3\n put x1, v1\n put x2, v1\n put %0, v1\n jmp b1\n"
        "block b1 pc=0x1010\n v6:i64 = get x2\n v7:i64 = get %0\n v8:i64 = add v6, v7\n put x1, v8\n v10:i1 = get p0\n"
        "brc v10, b1, b2\n"
        "block b2 pc=0x1020\n exit.jump 0x1024\n";
    struct err e = { 0 };
    assert_int_equal(ir_parse(&ir, regs, NREGS, text, &e), 0);
    ir_opt(&ir, OPT_ALL);
    assert_false(live(1, "in", "x1"));
    assert_true(live(1, "in", "x2"));
    assert_true(live(1, "out", "x1"));
    assert_true(live(2, "in", "x1"));
    assert_true(regset_has(&ir.blk[1].live_in, NREGS));  /* the variable, for the next round */
    assert_false(regset_has(&ir.blk[2].live_in, NREGS)); /* exits do not read variables */
    assert_int_equal(ir.blk[0].depth, 0);
    assert_int_equal(ir.blk[1].depth, 1);
    assert_int_equal(ir.blk[2].depth, 0);
    for (V v = ir.blk[0].first; v < ir.blk[0].end; v++) /* the dead put of x1 is gone */
        assert_false(ir.ins[v].op == IR_PUT && ir.ins[v].x == 1);
    /* a load at the head of the loop may show x1 as it was on entry */
    static const char text2[] =
        B0 "v1:i64 = get x3\n put x1, v1\n jmp b1\n"
        "block b1 pc=0x1010\n v4:i64 = get x2\n v5:i64 = ld.64 [v4 + 0x0]\n put x1, v5\n exit.jump 0x1024\n";
    assert_int_equal(ir_parse(&ir, regs, NREGS, text2, &e), 0);
    ir_opt(&ir, OPT_ALL);
    assert_true(live(1, "in", "x1"));
    /* two loops in one another */
    static const char text3[] =
        B0 "jmp b1\nblock b1 pc=1\n jmp b2\nblock b2 pc=2\n v3:i1 = get p0\n brc v3, b2, b3\n"
        "block b3 pc=3\n v5:i1 = get p1\n brc v5, b1, b4\nblock b4 pc=4\n exit.jump 0x10\n";
    static const unsigned depth[] = { 0, 1, 2, 1, 0 };
    assert_int_equal(ir_parse(&ir, regs, NREGS, text3, &e), 0);
    ir_opt(&ir, OPT_ALL);
    for (unsigned b = 0; b < ARRAY_LEN(depth); b++) assert_int_equal(ir.blk[b].depth, depth[b]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants), cmocka_unit_test(sums), cmocka_unit_test(extensions), cmocka_unit_test(shifts),
        cmocka_unit_test(rotates), cmocka_unit_test(word_logic), cmocka_unit_test(comparisons),
        cmocka_unit_test(flags_of_subtraction), cmocka_unit_test(flags_of_others), cmocka_unit_test(selects),
        cmocka_unit_test(registers), cmocka_unit_test(memory), cmocka_unit_test(deopt), cmocka_unit_test(demanded_bits), cmocka_unit_test(counted_loop),
        cmocka_unit_test(fp_operations), cmocka_unit_test(fp_conditions), cmocka_unit_test(branches), cmocka_unit_test(liveness_and_loops),
    };
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    ir_free(&ir);
    return r;
}
