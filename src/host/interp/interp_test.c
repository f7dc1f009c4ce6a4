/* interp_test.c: the interpreter between regions: chained exits, the jump cache, exit requests. What operations compute is
 * tests/codegen/random_ir's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "cpu/host.h"

extern const struct host interp_host;

struct tcpu {
    CPU c;
    uint64_t n, to;
};
static const struct ir_reg regs[] = { { "n", T_I64, 0, 0, offsetof(struct tcpu, n) }, { "to", T_I64, 0, 1, offsetof(struct tcpu, to) } };

static struct tcpu *cpu;
static struct vcpu v;
static void *h;
static uint8_t room[1 << 16];
static struct code_buf buf;

static int setup(void **state)
{
    const int32_t jc = (int32_t)ALIGN_UP(sizeof(struct tcpu), (size_t)64);
    const size_t size = (size_t)jc + JC_SIZE * sizeof(struct jc_entry) + interp_host.cpu_extra;
    const struct host_env env = { .regs = regs, .nregs = 2, .jc_offset = jc, .addr_bits = 64 };
    struct err e;

    cpu = aligned_alloc(64, ALIGN_UP(size, (size_t)64));
    memset(cpu, 0, size);
    v = (struct vcpu){ .cpu = &cpu->c, .jc = (struct jc_entry *)((char *)cpu + jc) };
    for (unsigned i = 0; i < JC_SIZE; i++)
        v.jc[i].tag = jc_empty(i);
    cpu->c.v = &v;
    buf = (struct code_buf){ room, room + sizeof room, 0 };
    h = interp_host.init(&env, &buf, &e);
    return h == NULL;
}

static int teardown(void **state)
{
    interp_host.done(h);
    free(cpu);
    return 0;
}

static void request_thunk(void *c, union vlanes *ret, const union vlanes *args)
{
    if (args[0].u64[0] == 10)
        cpu->c.exit_request = 1;
}
static const struct ir_helper request = { .name = "request", .thunk = request_thunk, .nargs = 1, .args = { T_I64 } };

/* n += 1; request(n); then to pc + 0x100 (direct) or to register `to`. */
static struct region compile(uint64_t pc, bool direct, uint32_t mode)
{
    static struct ir ir;
    struct region r = { .pc = pc, .mode = mode };

    ir_reset(&ir, regs, 2);
    ir_newblock(&ir, pc);
    ir.blk[0].first = ir.nins;
    ir.blk[0].entry = 1;
    ir_emit(&ir, (struct ir_ins){ .op = IR_INSN, .imm = pc, .x = 4 });
    V n = ir_emit(&ir, (struct ir_ins){ .op = IR_GET, .type = T_I64, .x = 0 });
    V one = ir_emit(&ir, (struct ir_ins){ .op = IR_K, .type = T_I64, .imm = 1 });
    V sum = ir_emit(&ir, (struct ir_ins){ .op = IR_ADD, .type = T_I64, .a = n, .b = one });
    ir_emit(&ir, (struct ir_ins){ .op = IR_PUT, .a = sum, .x = 0 });
    ir.calls = vec_grow(ir.calls, &ir.cap_calls, 1, sizeof *ir.calls);
    ir.calls[0] = (struct ir_call){ .h = &request, .arg = { sum } };
    ir.ncalls = 1;
    ir_emit(&ir, (struct ir_ins){ .op = IR_CALL, .x = 0 });
    V to = ir_emit(&ir, (struct ir_ins){ .op = IR_GET, .type = T_I64, .x = 1 });
    if (direct)
        ir_emit(&ir, (struct ir_ins){ .op = IR_EXIT, .imm = pc + 0x100, .y = mode });
    else
        ir_emit(&ir, (struct ir_ins){ .op = IR_EXITI, .a = to, .y = mode });
    ir.blk[0].end = ir.nins;
    assert_int_equal(interp_host.compile(h, &ir, &buf, &r), 0);
    return r;
}

static void drop(struct region *r)
{
    interp_host.release(h, r);
    free(r->exits);
}

static void test_chain(void **state)
{
    struct region a = compile(0x1000, true, 3), b = compile(0x1100, false, 3);

    a.exits[0].from = &a; /* compiled into a local that was copied */
    cpu->n = 0, cpu->to = 0x5000;
    assert_int_equal(interp_host.enter(h, &cpu->c, a.code), EXC_NONE);
    assert_true(cpu->c.pc == 0x1100 && cpu->c.mode == 3 && cpu->n == 1);
    assert_ptr_equal(v.chain_from, &a.exits[0]);
    assert_true(a.exits[0].pc == 0x1100 && a.exits[0].mode == 3);
    interp_host.patch(h, 0, &a.exits[0], &b);
    assert_int_equal(interp_host.enter(h, &cpu->c, a.code), EXC_NONE);
    assert_true(cpu->c.pc == 0x5000 && cpu->n == 3);
    assert_null(v.chain_from);
    interp_host.patch(h, 0, &a.exits[0], NULL);
    assert_int_equal(interp_host.enter(h, &cpu->c, a.code), EXC_NONE);
    assert_true(cpu->c.pc == 0x1100 && cpu->n == 4);
    drop(&a), drop(&b);
}

static void test_jump_cache(void **state)
{
    struct region a = compile(0x1000, true, 0), b = compile(0x1100, false, 0);

    a.exits[0].from = &a;
    interp_host.patch(h, 0, &a.exits[0], &b);
    v.jc[jc_slot(0x1000, false)] = (struct jc_entry){ 0x1000, a.code };
    /* round and round until the helper asks to leave, when a region is entered */
    cpu->n = 0, cpu->to = 0x1000;
    assert_int_equal(interp_host.enter(h, &cpu->c, a.code), EXC_REQUEST);
    assert_true(cpu->n == 10 && cpu->c.pc == 0x1000);
    assert_int_equal(interp_host.enter(h, &cpu->c, b.code), EXC_REQUEST);
    assert_true(cpu->n == 10 && cpu->c.pc == 0x1100);
    /* another mode does not hit */
    cpu->c.exit_request = 0;
    v.jc[jc_slot(0x1000, false)].tag = 0x1000 ^ cpu_mode_tag(1);
    assert_int_equal(interp_host.enter(h, &cpu->c, b.code), EXC_NONE);
    assert_true(cpu->n == 11 && cpu->c.pc == 0x1000);
    drop(&a), drop(&b);
}

static void test_no_room(void **state)
{
    static struct ir ir;
    struct region r = { .pc = 0 };
    struct code_buf none = { room, room + 8, 0 };

    ir_reset(&ir, regs, 2);
    ir_newblock(&ir, 0);
    ir.blk[0].first = ir.nins;
    ir_emit(&ir, (struct ir_ins){ .op = IR_EXIT });
    ir.blk[0].end = ir.nins;
    assert_int_equal(interp_host.compile(h, &ir, &none, &r), -ENOSPC);
    assert_null(r.host_data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_chain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_jump_cache, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_room, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
