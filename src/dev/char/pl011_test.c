/* pl011_test.c: the UART's FIFOs and interrupts, with a ring buffer at the other side; and the small devices beside it: PL031, PL061. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "dev/device.h"
#include "io/char/chr.h"

extern const struct device pl011_device, pl031_device, pl061_device;

struct rig {
    struct board b;
    struct clock clock;
    struct chr_set *chrs;
    struct chr *chr;
    struct dev *dev;
    bool irq[9];
    unsigned edges[9];
};

static void set_irq(void *ctx, unsigned n, bool level)
{
    struct rig *r = ctx;
    r->irq[n] = level;
    r->edges[n]++;
}

static struct chr *resolve(void *ctx, const char *name, struct err *e)
{
    return chr_find(((struct rig *)ctx)->chrs, name);
}

static void rig_new(struct rig *r, const struct device *cls, const char *props)
{
    struct err e = { 0 };
    memset(r, 0, sizeof *r);
    r->b.loop = loop_new(&e);
    loop_lock(r->b.loop);
    clock_init(&r->clock, r->b.loop, CLOCK_GUEST);
    r->b.clock = &r->clock;
    r->b.mem = mem_new();
    r->b.space = space_new(r->b.mem, "memory");
    r->chrs = chr_set_new(r->b.loop, NULL);
    assert_int_equal(chr_new_text(r->chrs, "ringbuf,id=c,size=64", &r->chr, &e), 0);
    dev_resolve_with(&r->b, &(struct dev_resolver){ .chr = resolve, .ctx = r });
    r->dev = dev_new(&r->b, cls, "d", &e);
    assert_int_equal(dev_set_list(r->dev, props, &e), 0);
    for (unsigned i = 0; i < cls->irqs; i++) dev_connect_fn(r->dev, i, set_irq, r, i);
    assert_int_equal(dev_realize(r->dev, NULL, &e), 0);
    assert_int_equal(dev_map(r->dev, 0, &e), 0);
    while (loop_once(r->b.loop, false)) {}
}

static void rig_free(struct rig *r)
{
    dev_free(r->dev);
    chr_set_free(r->chrs);
    clock_done(&r->clock);
    loop_unlock(r->b.loop);
    mem_free(r->b.mem);
    loop_free(r->b.loop);
}

static uint32_t rd(struct rig *r, unsigned off)
{
    uint64_t v = 0;
    assert_int_equal(space_ld(r->b.space, off, 4, &v, (struct mem_attr){ 0 }), MEM_OK);
    return (uint32_t)v;
}
static void wr(struct rig *r, unsigned off, uint32_t v)
{
    assert_int_equal(space_st(r->b.space, off, v, 4, (struct mem_attr){ 0 }), MEM_OK);
}

enum { DR = 0, RSR = 4, FR = 0x18, IBRD = 0x24, FBRD = 0x28, LCR = 0x2c, CR = 0x30, IFLS = 0x34, IMSC = 0x38, RIS = 0x3c, MIS = 0x40, ICR = 0x44 };
enum { RXFE = 16, TXFF = 32, RXFF = 64, TXFE = 128, I_RX = 16, I_TX = 32, I_RT = 64, I_BE = 512, I_OE = 1024, FEN = 16 };

/* Bytes from the other side, as a back end hands them over. */
static size_t send(struct rig *r, const char *s)
{
    size_t n = MIN(strlen(s), chr_be_room(r->chr));
    if (n) chr_be_recv(r->chr, (const uint8_t *)s, n);
    return n;
}

static void test_tx(void **state)
{
    struct rig r;
    char out[65] = "";
    size_t n = 0;
    rig_new(&r, &pl011_device, "chardev=c");
    assert_int_equal(rd(&r, CR), 0x300);
    assert_int_equal(rd(&r, IFLS), 0x12);
    assert_int_equal(rd(&r, 0xfe0), 0x11);
    assert_int_equal(rd(&r, 0xfe4), 0x10);
    assert_int_equal(rd(&r, FR) & (TXFE | TXFF | RXFE), TXFE | RXFE);
    wr(&r, CR, 0x301);
    wr(&r, LCR, 0x70);
    for (const char *s = "hello"; *s; s++) wr(&r, DR, (uint8_t)*s);
    assert_int_equal(chr_ringbuf_read(r.chr, out, 64, &n, NULL), 0);
    assert_string_equal(out, "hello");
    assert_int_equal(rd(&r, RIS) & I_TX, I_TX);
    assert_false(r.irq[0]);
    wr(&r, IMSC, I_TX);
    assert_true(r.irq[0]);
    wr(&r, ICR, I_TX);
    assert_false(r.irq[0]);
    wr(&r, IBRD, 0x1ffff);
    assert_int_equal(rd(&r, IBRD), 0xffff);
    rig_free(&r);
}

static void test_rx(void **state)
{
    struct rig r;
    rig_new(&r, &pl011_device, "chardev=c");
    wr(&r, CR, 0x301);
    wr(&r, IMSC, I_RX | I_RT);
    assert_int_equal(send(&r, "ab"), 1); /* without FIFO there is room for one */
    assert_true(r.irq[0]);
    assert_int_equal(rd(&r, FR) & (RXFE | RXFF), RXFF);
    assert_int_equal(rd(&r, DR), 'a');
    assert_false(r.irq[0]);
    wr(&r, LCR, 0x70); /* FIFO; level: 8 of 16 */
    assert_int_equal(send(&r, "1234567"), 7);
    assert_int_equal(rd(&r, RIS) & (I_RX | I_RT), I_RT);
    assert_true(r.irq[0]);
    assert_int_equal(send(&r, "890abcdefghijk"), 9);
    assert_int_equal(rd(&r, RIS) & I_RX, I_RX);
    assert_int_equal(rd(&r, FR) & RXFF, RXFF);
    for (unsigned i = 0; i < 9; i++) assert_int_equal(rd(&r, DR), (uint8_t)"1234567890abcdef"[i]);
    assert_int_equal(rd(&r, MIS), I_RT);
    for (unsigned i = 9; i < 16; i++) rd(&r, DR);
    assert_false(r.irq[0]);
    assert_int_equal(rd(&r, DR), 0);
    /* break, loopback, overrun */
    chr_be_event(r.chr, CHR_BREAK);
    assert_int_equal(rd(&r, RIS) & I_BE, I_BE);
    assert_int_equal(rd(&r, DR), 1 << 10);
    assert_int_equal(rd(&r, RSR), 4);
    wr(&r, RSR, 0);
    assert_int_equal(rd(&r, RSR), 0);
    wr(&r, CR, 0x381);
    assert_int_equal(send(&r, "x"), 0);
    for (unsigned i = 0; i < 17; i++) wr(&r, DR, 'A' + i);
    assert_int_equal(rd(&r, RIS) & I_OE, I_OE);
    assert_int_equal(rd(&r, DR), 'A');
    wr(&r, LCR, 0); /* switching the FIFO off empties it */
    assert_int_equal(rd(&r, FR) & RXFE, RXFE);
    rig_free(&r);
}

static void test_save(void **state)
{
    struct rig r;
    struct err e = { 0 };
    struct state_out o = { 0 };
    rig_new(&r, &pl011_device, "chardev=c");
    wr(&r, CR, 0x301);
    wr(&r, LCR, 0x70);
    send(&r, "xyz");
    dev_save(r.dev, &o);
    dev_reset(r.dev);
    assert_int_equal(rd(&r, FR) & RXFE, RXFE);
    struct state_in in = { o.buf, o.len, 0 };
    assert_int_equal(dev_load(r.dev, &in, &e), 0);
    assert_int_equal(rd(&r, LCR), 0x70);
    assert_int_equal(rd(&r, DR), 'x');
    state_out_free(&o);
    rig_free(&r);
}

static uint64_t no_time(void *ctx) { return 0; }

static void test_rtc(void **state)
{
    enum { MR = 4, LR = 8, R_IMSC = 0x10, R_RIS = 0x14, R_ICR = 0x1c };
    struct rig r;
    rig_new(&r, &pl031_device, "start-time=1000000000");
    clock_set_source(&r.clock, no_time, NULL);
    clock_start(&r.clock);
    assert_int_equal(rd(&r, DR), 1000000000);
    clock_warp(&r.clock, 5ull * NS_PER_S);
    assert_int_equal(rd(&r, DR), 1000000005);
    wr(&r, R_IMSC, 1);
    wr(&r, MR, 1000000008);
    clock_warp(&r.clock, 2ull * NS_PER_S);
    clock_run(&r.clock);
    assert_false(r.irq[0]);
    clock_warp(&r.clock, 1ull * NS_PER_S);
    clock_run(&r.clock);
    assert_true(r.irq[0]);
    assert_int_equal(rd(&r, R_RIS), 1);
    wr(&r, R_ICR, 1);
    assert_false(r.irq[0]);
    wr(&r, LR, 42);
    assert_int_equal(rd(&r, DR), 42);
    wr(&r, MR, 42); /* at once */
    assert_true(r.irq[0]);
    rig_free(&r);
}

static void test_gpio(void **state)
{
    enum { DIR = 0x400, IS = 0x404, IBE = 0x408, IEV = 0x40c, IE = 0x410, G_RIS = 0x414, IC = 0x41c };
    struct rig r;
    rig_new(&r, &pl061_device, "");
    wr(&r, DIR, 0x0f);
    wr(&r, 0x3fc, 0x05); /* all pins: address bits 9..2 are the mask */
    assert_true(r.irq[1] && !r.irq[2] && r.irq[3]);
    wr(&r, 1 << 2, 0); /* pin 0 only */
    assert_true(!r.irq[1] && r.irq[3]);
    assert_int_equal(rd(&r, 0x3fc), 4);
    wr(&r, IEV, 0x10);
    wr(&r, IE, 0x30);
    r.dev->cls->input(r.dev, 4, true); /* rising edge */
    assert_true(r.irq[0]);
    assert_int_equal(rd(&r, 0x3fc), 0x14);
    wr(&r, IC, 0x10);
    assert_false(r.irq[0]);
    r.dev->cls->input(r.dev, 4, false); /* the wrong edge */
    assert_false(r.irq[0]);
    r.dev->cls->input(r.dev, 5, true); /* pin 5: falling */
    assert_false(r.irq[0]);
    r.dev->cls->input(r.dev, 5, false);
    assert_true(r.irq[0]);
    wr(&r, IC, 0xff);
    wr(&r, IS, 0x10); /* level, high */
    r.dev->cls->input(r.dev, 4, true);
    wr(&r, IC, 0xff);
    assert_true(r.irq[0]);
    r.dev->cls->input(r.dev, 4, false);
    assert_false(r.irq[0]);
    rig_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_tx), cmocka_unit_test(test_rx), cmocka_unit_test(test_save), cmocka_unit_test(test_rtc),
                                        cmocka_unit_test(test_gpio) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
