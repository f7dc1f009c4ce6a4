/* i6300esb_test.c: the watchdog on a clock of the test's own: two stages, the interrupt, unlocking, locking, what a reset leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev/virtio/test_driver.h"

enum { ECAM = 0x30000000, BAR = 0x40000000, CFG = ECAM + 0x8000 };

struct dog {
    struct drv d;
    struct dev *dev;
    uint64_t time;
    bool level;
};
static unsigned barks;
static void request(struct board *b, enum board_request what, int status) { barks += what == BOARD_WATCHDOG; }
static void line(void *ctx, unsigned n, bool level) { ((struct dog *)ctx)->level = level; }
static uint64_t fake(void *ctx) { return ((struct dog *)ctx)->time; }
static void pass(struct dog *c, uint64_t ns)
{
    c->time += ns;
    clock_run(&c->d.clock);
}
static void w(struct dog *c, unsigned reg, uint32_t v, unsigned size)
{
    drv_st(&c->d, BAR + 12, 0x80, 2), drv_st(&c->d, BAR + 12, 0x86, 2);
    drv_st(&c->d, BAR + reg, v, size);
}
static void place(struct dog *c)
{
    drv_st(&c->d, CFG + 0x10, BAR, 4);
    drv_st(&c->d, CFG + 4, 2, 2);
}

static void dog_new(struct dog *c)
{
    struct err e = { 0 };
    memset(c, 0, sizeof *c);
    drv_board(&c->d);
    c->d.b.request = request;
    clock_set_source(&c->d.clock, fake, c);
    struct dev *pci = dev_new(&c->d.b, device_find("gpex-pcihost"), "pcie", &e);
    dev_set_list(pci, "mmio32-base=0x40000000,mmio32-size=1G", &e);
    assert_int_equal(dev_realize(pci, NULL, &e) | dev_map(pci, ECAM, &e), 0);
    for (unsigned i = 0; i < 4; i++) dev_connect_fn(pci, i, line, c, i);
    c->dev = dev_new(&c->d.b, device_find("i6300esb"), "dog", &e);
    if (dev_set_list(c->dev, "addr=1", &e) || dev_realize(c->dev, bus_find(&c->d.b, "pci", NULL, &e), &e)) fail_msg("%s", e.msg);
    place(c);
    barks = 0;
}

static void stages(void **st)
{
    struct dog c;
    enum { TICK = 30 << 15 }; /* about a millisecond */
    dog_new(&c);
    assert_int_equal(drv_ld(&c.d, CFG, 4), 0x25ab8086);
    drv_st(&c.d, BAR, 5, 4); /* locked: nothing */
    assert_int_equal(drv_ld(&c.d, BAR, 4), 0xfffff);
    w(&c, 0, 999, 4), w(&c, 4, 499, 4);
    assert_int_equal(drv_ld(&c.d, BAR, 4), 999);
    drv_st(&c.d, CFG + 0x68, 2, 1);
    pass(&c, 999ull * TICK);
    w(&c, 12, 0x100, 2); /* fed */
    pass(&c, 999ull * TICK);
    assert_false(c.level);
    pass(&c, TICK);
    assert_true(c.level);
    assert_int_equal(drv_ld(&c.d, BAR + 8, 4), 1);
    w(&c, 8, 1, 4);
    assert_false(c.level);
    pass(&c, 499ull * TICK);
    assert_int_equal(barks, 0);
    pass(&c, TICK);
    assert_int_equal(barks, 1);
    pass(&c, 10000ull * TICK);
    assert_int_equal(barks, 1);
    dev_reset_all(&c.d.b);
    place(&c);
    assert_int_equal(drv_ld(&c.d, BAR + 12, 2), 0x200); /* it was me */
    w(&c, 12, 0x200, 2);
    assert_int_equal(drv_ld(&c.d, BAR + 12, 2), 0);
    /* microseconds, no interrupt, no output */
    drv_st(&c.d, CFG + 0x60, 3 | 4 | 32, 2);
    w(&c, 0, 9, 4), w(&c, 4, 9, 4);
    drv_st(&c.d, CFG + 0x68, 2, 1);
    pass(&c, 10 * 960);
    assert_false(c.level);
    pass(&c, 10 * 960);
    assert_int_equal(barks, 1);
    /* locked: it cannot be stopped any more */
    drv_st(&c.d, CFG + 0x60, 3 | 4, 2);
    drv_st(&c.d, CFG + 0x68, 0, 1);
    drv_st(&c.d, CFG + 0x68, 3, 1), drv_st(&c.d, CFG + 0x68, 0, 1);
    assert_int_equal(drv_ld(&c.d, CFG + 0x68, 1), 3);
    pass(&c, 10 * 960), pass(&c, 10 * 960);
    assert_int_equal(barks, 2);
    drv_free(&c.d);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(stages) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
