/* ir_test.c: building, checking, printing and parsing IR. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "ir/build.h"

static const struct ir_reg regs[] = {
    { .name = "x1", .type = T_I64 }, { .name = "w1", .type = T_I32 }, { .name = "p", .type = T_I1, .group = 1 },
    { .name = "d0", .type = T_F64, .group = 2 }, { .name = "q0", .type = T_V128, .group = 2 },
    { .name = "s0", .type = T_F32, .group = 2 },
};
enum { X1, W1, P, D0, Q0, S0, NREGS };

static struct ir ir;
static struct xlat t = { .ir = &ir };

static int begin(void **s UNUSED)
{
    ir_reset(&ir, regs, NREGS);
    ir_newblock(&ir, 0x1000);
    ir.blk[0].entry = 1;
    ir_emit(&ir, (struct ir_ins){ .op = IR_INSN, .imm = 0x1000, .x = 4 });
    return 0;
}

static void finish(void)
{
    ir_emit(&ir, (struct ir_ins){ .op = IR_EXIT, .imm = 0x1004, .y = 1 });
    ir.blk[0].end = ir.nins;
}

static void expect_k(V v, enum ir_type type, uint64_t k)
{
    assert_int_equal(ir.ins[v].op, IR_K);
    assert_int_equal(ir.ins[v].type, type);
    assert_int_equal(ir.ins[v].imm, k);
}

static void builder_constants(void **s UNUSED)
{
    expect_k(ir_kt(&t, T_I8, 0x1ff), T_I8, 0xff);
    assert_int_equal(ir_k(&t, 7), ir_k(&t, 7));
    assert_int_not_equal(ir_k(&t, 7), ir_k32(&t, 7));
    V before = ir_k(&t, 9);
    ir_emit(&ir, (struct ir_ins){ .op = IR_INSN, .imm = 0x1004, .x = 4 });
    assert_int_not_equal(ir_k(&t, 9), before); /* a block may be cut at the marker */
}

static void builder_folds(void **s UNUSED)
{
    V x = ir_get(&t, X1), w = ir_get(&t, W1), p = ir_get(&t, P);
    expect_k(ir_add(&t, ir_k(&t, 3), ir_k(&t, 4)), T_I64, 7);
    expect_k(ir_sext(&t, T_I64, ir_k32(&t, 0x80000000)), T_I64, 0xffffffff80000000);
    expect_k(ir_trunc(&t, T_I8, ir_k(&t, 0x1234)), T_I8, 0x34);
    expect_k(ir_cmpi(&t, C_ULT, x, 0), T_I1, 0);
    expect_k(ir_xor(&t, w, w), T_I32, 0);
    expect_k(ir_ubfx(&t, ir_k(&t, 0xabcd), 4, 8), T_I64, 0xbc);
    assert_int_equal(ir_addi(&t, x, 0), x);
    assert_int_equal(ir_andi(&t, x, ~0ull), x);
    assert_int_equal(ir_shli(&t, w, 32), w);
    assert_int_equal(ir_sext(&t, T_I64, x), x);
    assert_int_equal(ir_select(&t, p, x, x), x);
    assert_int_equal(ir_select(&t, ir_kt(&t, T_I1, 1), x, ir_k(&t, 5)), x);
    assert_int_equal(ir_bfi(&t, x, ir_k(&t, 2), 0, 64), ir_k(&t, 2));
    V c = ir_cmp(&t, C_ULT, ir_k(&t, 5), x); /* constant to the right */
    assert_int_equal(ir.ins[c].sub, C_UGT);
    assert_int_equal(ir.ins[c].a, x);
    V n = ir_add(&t, x, ir_zext(&t, T_I64, w));
    assert_int_equal(ir.ins[n].op, IR_ADD);
}

static const struct ir_helper helper = { .name = "probe_it", .ret = T_I32, .nargs = 2, .args = { T_I64, T_I32 },
                                         .reads = 1, .writes = 6, .flags = HF_FAULT };
static const struct ir_helper effect = { .name = "effect", .ret = T_VOID };

/* One of everything that has a form of its own in the text. */
static void build_all(void)
{
    uint32_t var = ir_newvar(&ir, T_I32);
    V x = ir_get(&t, X1), w = ir_get(&t, W1), d = ir_get(&t, D0), q = ir_get(&t, Q0), f = ir_get(&t, S0);
    ir_put(&t, var, w);
    ir_put(&t, X1, ir_ld(&t, T_I64, x, -8, MO_32 | MO_SIGN | MO_ACQ));
    ir_st(&t, x, 0x10, w, MO_16 | MO_BE | MO_ALIGN | MO_REL);
    ir_rmw(&t, RMW_SMAX, x, w, MO_32);
    ir_cas(&t, x, x, x, MO_64);
    ir_probe(&t, x, 16, true);
    ir_fence(&t, FENCE_ALL);
    V args[] = { x, w };
    ir_put(&t, W1, ir_call(&t, &helper, args));
    assert_int_equal(ir_call(&t, &effect, NULL), 0);
    V e = ir_fma(&t, d, d, d, RM_RTZ);
    ir_put(&t, D0, ir_fminmax(&t, IR_FMIN, e, d, MM_PROP));
    ir_put(&t, P, ir_fcmp(&t, FC_LE, true, d, e));
    ir_put(&t, W1, ir_ftoi(&t, T_I32, f, RM_RUP, FTOI_SIGNED | FTOI_ARM));
    ir_put(&t, D0, ir_fbox(&t, f));
    ir_fenvwr(&t, ir_fenvrd(&t));
    ir_put(&t, Q0, ir_vcmp(&t, C_SGT, L_I16, ir_v2x(&t, IR_VINSV, L_I8, q, q, 3, 5), ir_kv(&t, 1, ~0ull)));
    ir_put(&t, W1, ir_v1(&t, IR_VMSK, L_I8, q));
    ir_put(&t, W1, ir_vred(&t, T_I32, L_I8, VRED_MAXS, q));
    ir_put(&t, X1, ir_vget(&t, T_I64, L_I32, q, 3));
    ir_put(&t, Q0, ir_vf(&t, IR_VFMA, L_F32, RM_DYN, q, q, q, 0));
    ir_put(&t, X1, ir_bfi(&t, x, ir_extr(&t, x, ir_not(&t, x), 5), 3, 9));
    ir_put(&t, P, ir_ssubov(&t, w, ir_trunc(&t, T_I32, x)));
    ir_emit(&ir, (struct ir_ins){ .op = IR_TRAPIF, .a = ir_cmp(&t, C_UGT, x, ir_k(&t, 5)), .sub = 4, .imm = 9 });
    ir_emit(&ir, (struct ir_ins){ .op = IR_BRC, .a = ir_get(&t, P), .x = 2, .y = 1 });
    ir.blk[0].end = ir.nins;
    ir_newblock(&ir, 0x2000);
    ir_emit(&ir, (struct ir_ins){ .op = IR_EXITI, .a = ir_get(&t, X1), .b = ir_get(&t, W1), .sub = JK_RET, .y = 7 });
    ir.blk[1].end = ir.nins;
    ir_newblock(&ir, 0x3000);
    ir_emit(&ir, (struct ir_ins){ .op = IR_EXC, .sub = 3, .x = 11, .imm = 0x3000 });
    ir.blk[2].end = ir.nins;
    ir.blk[2].loop_head = 1;
    ir.mode = 5;
    ir.fp = (struct ir_fp){ .nan = NAN_ARM, .tiny_before = 1, .ftz = 1 };
}

struct text {
    char buf[16384];
};

static void collect(void *ctx, const char *line)
{
    struct text *x = ctx;
    assert_true(strlen(x->buf) + strlen(line) + 2 < sizeof x->buf);
    strcat(x->buf, line);
    strcat(x->buf, "\n");
}

static void round_trip(const struct ir *r, struct ir *back)
{
    static struct text one, two;
    struct err e = { 0 };
    one.buf[0] = two.buf[0] = 0;
    ir_print(r, collect, &one);
    if (ir_parse(back, regs, NREGS, one.buf, &e)) fail_msg("%s\nof\n%s", e.msg, one.buf);
    ir_print(back, collect, &two);
    assert_string_equal(one.buf, two.buf);
}

static void text_round_trip(void **s UNUSED)
{
    struct ir back = { 0 };
    struct err e = { 0 };
    build_all();
    if (ir_verify(&ir, &e)) fail_msg("%s", e.msg);
    round_trip(&ir, &back);
    if (ir_verify(&back, &e)) fail_msg("%s", e.msg);
    /* not only the text: nothing is lost on the way */
    assert_int_equal(back.nins, ir.nins);
    assert_int_equal(back.nblk, ir.nblk);
    assert_memory_equal(&back.fp, &ir.fp, sizeof ir.fp);
    for (V v = 0; v < ir.nins; v++) assert_memory_equal(&back.ins[v], &ir.ins[v], sizeof ir.ins[v]);
    for (uint32_t b = 0; b < ir.nblk; b++) assert_memory_equal(&back.blk[b], &ir.blk[b], sizeof ir.blk[b]);
    assert_int_equal(back.calls[0].h->writes, helper.writes);
    ir_opt(&ir, OPT_ALL);
    if (ir_verify(&ir, &e)) fail_msg("%s", e.msg);
    round_trip(&ir, &back);
    ir_free(&back);
}

static void blocks_in_any_order(void **s UNUSED)
{
    struct ir back = { 0 };
    struct err e = { 0 };
    static const char text[] = "region mode=0 fp=0,0,0,0,0\nblock b1 pc=0x20\n  exit.jump 0x24\nblock b0 pc=0x10 entry\n"
                               "  v2:i64 = k 0x5\n  jmp b1\n";
    assert_int_equal(ir_parse(&ir, regs, NREGS, text, &e), 0);
    assert_int_equal(ir_verify(&ir, &e), 0);
    assert_int_equal(ir.blk[0].pc, 0x10);
    assert_true(ir.blk[0].first > ir.blk[1].first);
    round_trip(&ir, &back);
    ir_free(&back);
}

static void parse_errors(void **s UNUSED)
{
    static const struct {
        const char *text, *word;
    } bad[] = {
        { "block b0 pc=0x0\n v1:i64 = frobnicate v0\n", "no such operation" },
        { "block b0 pc=0x0\n v1:i64 = get x9\n", "no such register" },
        { "block b0 pc=0x0\n v1:i65 = get x1\n", "expected :type" },
        { "v1:i64 = get x1\n", "outside a block" },
        { "block b0 pc=0x0\n exit.jump 0x4 what\n", "unexpected text" },
        { "block b0 pc=0x0\n v4000000000:i64 = get x1\n", "line 2" },
        { "block b0 pc=0x0\n v1:i64 = cmp.zz v1, v1\n", "unknown suffix" },
        { "block b2 pc=0x0\n exit.jump 0x4\n", "b0 is not there" },
        { "block b0 pc=0x0\n v1:i64 = ld.64 v1\n", "expected [" },
    };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = { 0 };
        assert_int_equal(ir_parse(&ir, regs, NREGS, bad[i].text, &e), -EINVAL);
        if (!strstr(e.msg, bad[i].word)) fail_msg("%s: \"%s\", not \"%s\"", bad[i].text, e.msg, bad[i].word);
    }
}

static void verify_errors(void **s UNUSED)
{
#define G "v1:i64 = get x1\n v2:i32 = get w1\n v3:i1 = get p\n v4:f64 = get d0\n v5:v128 = get q0\n "
    static const struct {
        const char *line, *word;
    } bad[] = {
        { "v6:i64 = add v1, v2", "type does not fit" },
        { "v6:i64 = add v1, v9", "not an earlier value" },
        { "v6:i64 = add v1", "not an earlier value" },
        { "v6:i1 = add v3, v3", "result" },
        { "v6:i64 = neg v1, v1", "too many" },
        { "v6:i32 = sext v1", "converts" },
        { "v6:i64 = trunc v2", "converts" },
        { "v6:f64 = bitcast v2", "converts" },
        { "v6:i1 = cmp.eq v1, v2", "one integer type" },
        { "v6:i1 = cmp v1, v1 sub=10", "no such condition" },
        { "v6:i64 = ubfx v1 x=60 y=5", "field" },
        { "v6:i64 = ubfx v1 x=4", "field" },
        { "put w1, v1", "register's type" },
        { "v6:i32 = get x1", "register's type" },
        { "v6:i32 = ld.64 [v1 + 0x0]", "wider" },
        { "v6:i64 = ld.64 [v2 + 0x0]", "type does not fit" },
        { "st.64 [v1 + 0x0], v2", "wider" },
        { "v6:i64 = rmw.add.32 [v1 + 0x0], v1", "does not fit" },
        { "v6:v128 = vdup.i64 v2", "narrower" },
        { "v6:i64 = vget.i64 v5 x=2", "no such lane" },
        { "v6:v128 = vshli.i8 v5 x=9", "more than the lane" },
        { "v6:i1 = fcmp.eq v1, v1", "floating" },
        { "brc v3, b0, b7", "no such block" },
        { "v6:i64 = call f(i32 v1) reads=0 writes=0 flags=0", "helper's type" },
        { "jmp b0\n nop\n jmp b0", "follows" },
        { "v6:i8 = k 0x100", "exceeds" },
        { "v6:i16 = divu v6, v6", "not an earlier" },
    };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        char text[512];
        struct err e = { 0 };
        snprintf(text, sizeof text, "block b0 pc=0x0\n " G "%s\n exit.jump 0x4\n", bad[i].line);
        if (ir_parse(&ir, regs, NREGS, text, &e)) fail_msg("%s: %s", bad[i].line, e.msg);
        assert_int_equal(ir_verify(&ir, &e), -EINVAL);
        if (!strstr(e.msg, bad[i].word)) fail_msg("%s: \"%s\", not \"%s\"", bad[i].line, e.msg, bad[i].word);
    }
    struct err e = { 0 };
    assert_int_equal(ir_parse(&ir, regs, NREGS, "block b0 pc=0x0\n " G "exit.jump 0x4\n", &e), 0);
    assert_int_equal(ir_verify(&ir, &e), 0);
    assert_int_equal(ir_parse(&ir, regs, NREGS, "block b0 pc=0x0\n v1:i64 = get x1\n", &e), 0);
    assert_int_equal(ir_verify(&ir, &e), -EINVAL); /* no terminator */
}

static void arrays_grow_and_are_reused(void **s UNUSED)
{
    struct err e = { 0 };
    for (unsigned round = 0; round < 3; round++) {
        ir_reset(&ir, regs, NREGS);
        for (unsigned b = 0; b < 500; b++) {
            ir_newblock(&ir, b);
            for (unsigned n = 0; n < 30; n++) ir_put(&t, X1, ir_addi(&t, ir_get(&t, X1), n + b));
            ir_emit(&ir, (struct ir_ins){ .op = IR_JMP, .x = (b + 1) % 500 });
            ir.blk[b].end = ir.nins;
        }
        assert_int_equal(ir_verify(&ir, &e), 0);
        ir_opt(&ir, OPT_ALL);
        assert_int_equal(ir_verify(&ir, &e), 0);
    }
    begin(NULL);
    finish();
    assert_int_equal(ir_verify(&ir, &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(builder_constants, begin), cmocka_unit_test_setup(builder_folds, begin),
        cmocka_unit_test_setup(text_round_trip, begin), cmocka_unit_test(blocks_in_any_order),
        cmocka_unit_test(parse_errors), cmocka_unit_test(verify_errors),
        cmocka_unit_test_setup(arrays_grow_and_are_reused, begin),
    };
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    ir_free(&ir);
    return r;
}
