/* i8254_test.c: the PC's timer under a clock that the test moves: modes, latches, read-back, gates, BCD. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "dev/timer/i8254.h"

extern const struct device i8254_device;
enum { PIT = 0x40, HZ = 1193182 };

struct rig {
    struct board b;
    struct clock clock;
    struct dev *pit;
    uint64_t now, rises;
};

static uint64_t source(void *ctx) { return ((struct rig *)ctx)->now; }
static void out0(void *ctx, unsigned n, bool level) { ((struct rig *)ctx)->rises += level; }
static void wr(struct rig *r, uint64_t port, uint8_t v)
{
    space_st(r->b.io, port, v, 1, (struct mem_attr){ .cpu = true });
}
static uint8_t rd(struct rig *r, uint64_t port)
{
    uint64_t v = 0xee;
    space_ld(r->b.io, port, 1, &v, (struct mem_attr){ .cpu = true });
    return (uint8_t)v;
}
/* To the moment at which so many ticks have passed since the start of time, timers included. */
static void to_tick(struct rig *r, uint64_t tick)
{
    uint64_t end = (tick * NS_PER_S + HZ - 1) / HZ, next;
    while ((next = clock_next_deadline(&r->clock)) <= end) {
        r->now = MAX(r->now, next);
        clock_run(&r->clock);
    }
    r->now = end;
}
static void set(struct rig *r, unsigned ch, unsigned mode, unsigned count)
{
    wr(r, PIT + 3, (uint8_t)(ch << 6 | 0x30 | mode << 1));
    wr(r, PIT + ch, (uint8_t)count);
    wr(r, PIT + ch, (uint8_t)(count >> 8));
}
static unsigned value(struct rig *r, unsigned ch)
{
    wr(r, PIT + 3, (uint8_t)(ch << 6));
    unsigned lo = rd(r, PIT + ch);
    return lo | (unsigned)rd(r, PIT + ch) << 8;
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
    clock_init(&r->clock, r->b.loop, CLOCK_GUEST);
    clock_set_source(&r->clock, source, r); /* before it runs, so that it begins at 0 */
    clock_start(&r->clock);
    r->b.clock = &r->clock;
    r->pit = dev_new(&r->b, &i8254_device, "pit", &e);
    assert_int_equal(dev_realize(r->pit, NULL, &e) | dev_map_in(r->pit, r->b.io, PIT, &e), 0);
    dev_connect_fn(r->pit, 0, out0, r, 0);
    r->rises = 0;
}
static void rig_free(struct rig *r)
{
    while (r->b.devs) dev_free(r->b.devs);
    mem_free(r->b.mem);
    clock_stop(&r->clock);
    clock_done(&r->clock);
    loop_unlock(r->b.loop);
    loop_free(r->b.loop);
}

static void test_rate(void **state)
{
    struct rig r;
    rig_new(&r);
    set(&r, 0, 2, 1000);
    to_tick(&r, 998);
    assert_int_equal(r.rises, 0); /* it is high after the reset, and until its last tick */
    uint64_t before = r.rises;
    to_tick(&r, 1000 * 10 + 5);
    assert_int_equal(r.rises - before, 10);
    set(&r, 0, 3, 1000);
    before = r.rises;
    to_tick(&r, 10005 + 1000 * 7 + 10);
    assert_int_equal(r.rises - before, 7);
    rig_free(&r);
}

static void test_counts_down(void **state)
{
    struct rig r;
    rig_new(&r);
    set(&r, 0, 2, 1000);
    assert_int_equal(value(&r, 0), 1000);
    to_tick(&r, 250);
    assert_int_equal(value(&r, 0), 750);
    wr(&r, PIT + 3, 0); /* latched: later reads do not see time pass */
    to_tick(&r, 400);
    assert_int_equal(rd(&r, PIT), 750 & 0xff);
    assert_int_equal(rd(&r, PIT), 750 >> 8);
    assert_int_equal(rd(&r, PIT), 600 & 0xff); /* not latched any more */
    assert_int_equal(rd(&r, PIT), 600 >> 8);
    to_tick(&r, 2001);
    assert_int_equal(value(&r, 0), 999);
    set(&r, 1, 3, 1000);
    to_tick(&r, 2001 + 100);
    assert_int_equal(value(&r, 1), 800); /* by two */
    rig_free(&r);
}

static void test_one_shot(void **state)
{
    struct rig r;
    rig_new(&r);
    set(&r, 0, 0, 500);
    assert_int_equal(r.rises, 0);
    to_tick(&r, 499);
    assert_int_equal(r.rises, 0);
    to_tick(&r, 5000);
    assert_int_equal(r.rises, 1);
    assert_int_equal(value(&r, 0), (uint16_t)(500 - 5000)); /* it goes on below 0 */
    set(&r, 0, 4, 100);
    uint64_t before = r.rises;
    to_tick(&r, 5000 + 99);
    assert_int_equal(r.rises, before);
    to_tick(&r, 5000 + 300); /* a strobe: down and up again */
    assert_int_equal(r.rises, before + 1);
    rig_free(&r);
}

static void test_speaker_channel(void **state)
{
    struct rig r;
    rig_new(&r);
    set(&r, 2, 0, 1000);
    assert_false(i8254_out(r.pit, 2));
    to_tick(&r, 1100);
    assert_true(i8254_out(r.pit, 2));
    set(&r, 2, 1, 1000); /* waits for its gate */
    i8254_gate(r.pit, 2, false);
    assert_true(i8254_out(r.pit, 2));
    i8254_gate(r.pit, 2, true);
    assert_false(i8254_out(r.pit, 2));
    to_tick(&r, 1100 + 999);
    assert_false(i8254_out(r.pit, 2));
    to_tick(&r, 1100 + 1001);
    assert_true(i8254_out(r.pit, 2));
    i8254_gate(r.pit, 2, false);
    set(&r, 2, 3, 1000); /* a low gate holds the output high */
    to_tick(&r, 5000);
    assert_true(i8254_out(r.pit, 2));
    rig_free(&r);
}

static void test_read_back(void **state)
{
    struct rig r;
    rig_new(&r);
    wr(&r, PIT + 3, 0x34);
    wr(&r, PIT + 3, 0xe2); /* status of counter 0 */
    assert_int_equal(rd(&r, PIT), 0x80 | 0x40 | 0x34); /* high, no count yet */
    wr(&r, PIT, 0xe8), wr(&r, PIT, 3);
    to_tick(&r, 100);
    wr(&r, PIT + 3, 0xc2); /* status and count */
    to_tick(&r, 200);
    assert_int_equal(rd(&r, PIT), 0x80 | 0x34);
    assert_int_equal(rd(&r, PIT), 900 & 0xff);
    assert_int_equal(rd(&r, PIT), 900 >> 8);
    rig_free(&r);
}

static void test_bytes_and_bcd(void **state)
{
    struct rig r;
    rig_new(&r);
    wr(&r, PIT + 3, 0x14), wr(&r, PIT, 50); /* low byte only */
    to_tick(&r, 20);
    assert_int_equal(rd(&r, PIT), 30);
    assert_int_equal(rd(&r, PIT), 30);
    wr(&r, PIT + 3, 0x24), wr(&r, PIT, 2); /* high byte only: 512 */
    to_tick(&r, 20 + 300);
    assert_int_equal(rd(&r, PIT), 0);
    wr(&r, PIT + 3, 0x35), wr(&r, PIT, 0x00), wr(&r, PIT, 0x10); /* 1000 in BCD */
    to_tick(&r, 320 + 1);
    assert_int_equal(rd(&r, PIT), 0x99);
    assert_int_equal(rd(&r, PIT), 0x09);
    set(&r, 0, 2, 0); /* 0 is 65536 */
    to_tick(&r, 321 + 65536 + 6);
    assert_int_equal(value(&r, 0), 65530);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate), cmocka_unit_test(test_counts_down), cmocka_unit_test(test_one_shot), cmocka_unit_test(test_speaker_channel),
        cmocka_unit_test(test_read_back), cmocka_unit_test(test_bytes_and_bcd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
