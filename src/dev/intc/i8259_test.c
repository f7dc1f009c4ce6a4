/* i8259_test.c: the PC's pair of 8259A: initialisation, priorities, ends of interrupt, cascade, levels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "dev/intc/i8259.h"

extern const struct device i8259_device;
enum { M = 0x20, S = 0xa0 };

struct rig {
    struct board b;
    struct dev *master, *slave;
};

static void wr(struct rig *r, uint64_t port, uint8_t v)
{
    space_st(r->b.io, port, v, 1, (struct mem_attr){ .cpu = true });
}
static uint8_t rd(struct rig *r, uint64_t port)
{
    uint64_t v = 0xee;
    assert_int_equal(space_ld(r->b.io, port, 1, &v, (struct mem_attr){ .cpu = true }), MEM_OK);
    return (uint8_t)v;
}
static struct dev *pic(struct rig *r, const char *id, uint64_t port, const char *props)
{
    struct err e = { 0 };
    struct dev *d = dev_new(&r->b, &i8259_device, id, &e);
    assert_int_equal(dev_set_list(d, props, &e), 0);
    assert_int_equal(dev_realize(d, NULL, &e), 0);
    assert_int_equal(dev_map_in(d, r->b.io, port, &e), 0);
    return d;
}
/* As a PC's firmware sets them up: vectors 8 and 0x70, everything unmasked. icw4: bits besides x86 mode. */
static void setup(struct rig *r, uint8_t icw4)
{
    wr(r, M, 0x11), wr(r, M + 1, 0x08), wr(r, M + 1, 4), wr(r, M + 1, 1 | icw4);
    wr(r, S, 0x11), wr(r, S + 1, 0x70), wr(r, S + 1, 2), wr(r, S + 1, 1 | icw4);
    wr(r, M + 1, 0), wr(r, S + 1, 0);
}
static void rig_new(struct rig *r)
{
    struct err e = { 0 };
    memset(r, 0, sizeof *r);
    r->b.loop = loop_new(&e);
    r->b.mem = mem_new();
    r->b.space = space_new(r->b.mem, "memory");
    r->b.io = space_new(r->b.mem, "ports");
    loop_lock(r->b.loop);
    r->slave = pic(r, "slave", S, "");
    r->master = pic(r, "master", M, "master=on,slave=slave");
    assert_int_equal(dev_connect(r->slave, 0, r->master, 2, &e), 0);
    setup(r, 0);
}
static void rig_free(struct rig *r)
{
    while (r->b.devs) dev_free(r->b.devs);
    loop_unlock(r->b.loop);
    mem_free(r->b.mem);
    loop_free(r->b.loop);
}
static void line(struct dev *d, unsigned n, bool level)
{
    d->cls->input(d, n, level);
}
static bool intr(struct rig *r)
{
    return r->master->irq[0].level;
}

static void test_priorities(void **state)
{
    struct rig r;
    rig_new(&r);
    assert_false(intr(&r));
    line(r.master, 4, true);
    line(r.master, 1, true);
    assert_true(intr(&r));
    assert_int_equal(i8259_ack(r.master), 9);
    assert_false(intr(&r)); /* 4 has to wait for 1 */
    line(r.master, 0, true);
    assert_true(intr(&r)); /* 0 does not */
    assert_int_equal(i8259_ack(r.master), 8);
    wr(&r, M, 0x0b);
    assert_int_equal(rd(&r, M), 3); /* ISR */
    wr(&r, M, 0x0a);
    assert_int_equal(rd(&r, M), 0x10); /* IRR */
    wr(&r, M, 0x20);
    wr(&r, M, 0x20);
    assert_true(intr(&r));
    assert_int_equal(i8259_ack(r.master), 12);
    wr(&r, M, 0x64); /* the end of 4 */
    assert_false(intr(&r)); /* edges: the lines are still high */
    assert_int_equal(i8259_ack(r.master), 15); /* spurious */
    wr(&r, M, 0x0b);
    assert_int_equal(rd(&r, M), 0);
    rig_free(&r);
}

static void test_mask_and_edge(void **state)
{
    struct rig r;
    rig_new(&r);
    wr(&r, M + 1, 0x02);
    assert_int_equal(rd(&r, M + 1), 2);
    line(r.master, 1, true);
    line(r.master, 1, false);
    assert_false(intr(&r));
    wr(&r, M + 1, 0); /* the edge was noted */
    assert_true(intr(&r));
    assert_int_equal(i8259_ack(r.master), 9);
    wr(&r, M, 0x20);
    assert_false(intr(&r));
    rig_free(&r);
}

static void test_cascade(void **state)
{
    struct rig r;
    rig_new(&r);
    line(r.slave, 0, true);
    assert_true(intr(&r));
    assert_int_equal(i8259_ack(r.master), 0x70);
    line(r.slave, 6, true);
    line(r.master, 3, true);
    assert_false(intr(&r)); /* both are behind what is being served */
    wr(&r, S, 0x20);
    assert_false(intr(&r)); /* the master still serves its input 2 */
    wr(&r, M, 0x20);
    assert_true(intr(&r));
    assert_int_equal(i8259_ack(r.master), 0x76);
    rig_free(&r);
}

static void test_nested_slave(void **state)
{
    struct rig r;
    rig_new(&r);
    setup(&r, 0x10); /* special fully nested */
    line(r.slave, 6, true);
    assert_int_equal(i8259_ack(r.master), 0x76);
    line(r.slave, 1, true);
    assert_true(intr(&r));
    assert_int_equal(i8259_ack(r.master), 0x71);
    rig_free(&r);
}

static void test_level(void **state)
{
    struct rig r;
    rig_new(&r);
    wr(&r, 0x4d0, 0xff);
    assert_int_equal(rd(&r, 0x4d0), 0xf8);
    wr(&r, 0x4d1, 0xff);
    assert_int_equal(rd(&r, 0x4d1), 0xde);
    line(r.master, 5, true);
    assert_int_equal(i8259_ack(r.master), 13);
    wr(&r, M, 0x20);
    assert_true(intr(&r)); /* still asserted */
    line(r.master, 5, false);
    assert_false(intr(&r));
    rig_free(&r);
}

static void test_rotation(void **state)
{
    struct rig r;
    rig_new(&r);
    line(r.master, 3, true);
    assert_int_equal(i8259_ack(r.master), 11);
    wr(&r, M, 0xa0); /* end, and 3 is the last from now on */
    line(r.master, 3, false);
    line(r.master, 3, true);
    line(r.master, 4, true);
    line(r.master, 0, true);
    assert_int_equal(i8259_ack(r.master), 12);
    wr(&r, M, 0xc7); /* 7 is the last again */
    wr(&r, M, 0x64);
    assert_int_equal(i8259_ack(r.master), 8);
    setup(&r, 2); /* automatic end */
    line(r.master, 6, true);
    assert_int_equal(i8259_ack(r.master), 14);
    wr(&r, M, 0x0b);
    assert_int_equal(rd(&r, M), 0);
    rig_free(&r);
}

static void test_poll_and_special_mask(void **state)
{
    struct rig r;
    rig_new(&r);
    wr(&r, M, 0x0c);
    assert_int_equal(rd(&r, M), 0);
    line(r.master, 3, true);
    wr(&r, M, 0x0c);
    assert_int_equal(rd(&r, M), 0x83);
    line(r.master, 5, true);
    assert_false(intr(&r));
    wr(&r, M + 1, 8);
    assert_false(intr(&r));
    wr(&r, M, 0x68); /* special mask: the masked 3 holds nobody up */
    assert_true(intr(&r));
    assert_int_equal(i8259_ack(r.master), 13);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_priorities), cmocka_unit_test(test_mask_and_edge), cmocka_unit_test(test_cascade), cmocka_unit_test(test_nested_slave),
        cmocka_unit_test(test_level), cmocka_unit_test(test_rotation), cmocka_unit_test(test_poll_and_special_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
