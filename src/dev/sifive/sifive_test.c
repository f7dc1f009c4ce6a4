/* sifive_test.c: SiFive's SPI with a serial flash and an SD card behind it, DMA engine, PWM, GPIO, OTP, with a driver made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>
#include "dev/virtio/test_driver.h"
#include "io/block/blk.h"

enum { AT = 0x10040000, BUF = DRV_RAM + 0x100000 };

struct rig {
    struct drv d;
    struct blk_graph *g;
    struct blk *blk;
    struct dev_resolver r;
    struct dev *dev;
    uint64_t time;
    uint32_t lines;
};

static struct blk *blk_named(void *ctx, const char *name, struct err *e) { return ctx; }
static uint64_t fake(void *ctx) { return ((struct rig *)ctx)->time; }
static void line(void *ctx, unsigned n, bool level)
{
    struct rig *c = ctx;
    c->lines = (c->lines & ~(1u << n)) | (uint32_t)level << n;
}
static void w(struct rig *c, unsigned reg, uint64_t v, unsigned size) { drv_st(&c->d, AT + reg, v, size); }
static uint64_t r(struct rig *c, unsigned reg, unsigned size) { return drv_ld(&c->d, AT + reg, size); }
static void pass(struct rig *c, uint64_t ns)
{
    c->time += ns;
    clock_run(&c->d.clock);
}

static void rig_new(struct rig *c, const char *cls, const char *props, uint64_t disk)
{
    struct err e = { 0 };
    char path[] = "/tmp/lyre-sifive-XXXXXX";
    memset(c, 0, sizeof *c);
    drv_board(&c->d);
    clock_set_source(&c->d.clock, fake, c);
    if (disk) {
        int fd = mkstemp(path);
        assert_true(fd >= 0 && !ftruncate(fd, (off_t)disk));
        close(fd);
        c->g = blk_graph_new();
        c->blk = blk_open_file(c->g, path, "raw", BLK_RDWR | BLK_AIO_THREADS, &e);
        unlink(path);
        assert_non_null(c->blk);
        c->r = (struct dev_resolver){ .blk = blk_named, .ctx = c->blk };
        dev_resolve_with(&c->d.b, &c->r);
    }
    c->dev = dev_new(&c->d.b, device_find(cls), "dut", &e);
    if (dev_set_list(c->dev, props, &e) || dev_realize(c->dev, NULL, &e) || dev_map(c->dev, AT, &e)) fail_msg("%s", e.msg);
    for (unsigned i = 0; i < c->dev->cls->irqs; i++) dev_connect_fn(c->dev, i, line, c, i);
}
static void plug(struct rig *c, const char *cls, const char *props)
{
    struct err e = { 0 };
    struct dev *d = dev_new(&c->d.b, device_find(cls), cls, &e);
    if (dev_set_list(d, props, &e) || dev_realize(d, bus_find(&c->d.b, d->cls->bus, NULL, &e), &e)) fail_msg("%s", e.msg);
}
static void rig_free(struct rig *c)
{
    struct err e;
    drv_free(&c->d);
    if (!c->blk) return;
    blk_free(c->blk, &e);
    blk_graph_free(c->g);
}

/* --- SPI ------------------------------------------------------------------------------------------------------------------ */

enum { CSMODE = 0x18, TXDATA = 0x48, RXDATA = 0x4c, RXMARK = 0x54, IE = 0x70 };

static uint8_t spi(struct rig *c, uint8_t out)
{
    w(c, TXDATA, out, 4);
    uint32_t v = (uint32_t)r(c, RXDATA, 4);
    assert_false(v >> 31);
    return (uint8_t)v;
}
static void cs(struct rig *c, bool on) { w(c, CSMODE, on ? 2 : 0, 4); }
static void op(struct rig *c, unsigned n, ...)
{
    va_list ap;
    va_start(ap, n);
    cs(c, false), cs(c, true);
    while (n--) spi(c, (uint8_t)va_arg(ap, int));
    va_end(ap);
}

static void flash(void **st)
{
    struct rig c;
    uint8_t b[512];
    rig_new(&c, "sifive.spi", NULL, 32 << 20);
    plug(&c, "is25wp256", "drive=x");
    op(&c, 1, 0x9f);
    assert_int_equal(spi(&c, 0), 0x9d);
    assert_int_equal(spi(&c, 0), 0x70);
    assert_int_equal(spi(&c, 0), 0x19);
    op(&c, 5, 0x5a, 0, 0, 0, 0);
    assert_int_equal(spi(&c, 0), 'S');
    assert_int_equal(spi(&c, 0), 'F');
    op(&c, 4, 0x20, 0x01, 0x10, 0x00); /* not enabled: nothing */
    op(&c, 4, 0x03, 0x01, 0x10, 0x00);
    assert_int_equal(spi(&c, 0), 0);
    op(&c, 1, 0x06);
    op(&c, 1, 0x05);
    assert_int_equal(spi(&c, 0), 2);
    op(&c, 4, 0x20, 0x01, 0x12, 0x34);
    op(&c, 1, 0x05);
    assert_int_equal(spi(&c, 0), 0);
    op(&c, 5, 0x0c, 0x00, 0x01, 0x1f, 0xff), spi(&c, 0);
    assert_int_equal(spi(&c, 0), 0xff);
    assert_int_equal(spi(&c, 0), 0); /* behind what was erased */
    /* a page: goes round in itself, only clears bits */
    op(&c, 1, 0x06);
    op(&c, 4, 0x02, 0x01, 0x10, 0xfe);
    for (unsigned i = 0; i < 4; i++) spi(&c, (uint8_t)(0x30 + i));
    op(&c, 1, 0x06);
    op(&c, 5, 0x02, 0x01, 0x10, 0xfe, 0xf1);
    op(&c, 1, 0xb7); /* four bytes */
    op(&c, 5, 0x03, 0x00, 0x01, 0x10, 0xfe);
    assert_int_equal(spi(&c, 0), 0x30);
    assert_int_equal(spi(&c, 0), 0x31);
    op(&c, 5, 0x03, 0x00, 0x01, 0x10, 0x00);
    assert_int_equal(spi(&c, 0), 0x32);
    cs(&c, false);
    assert_int_equal(blk_pread(c.blk, 0x11000, b, 512), 0);
    assert_int_equal(b[0], 0x32);
    assert_int_equal(b[0xff], 0x31);
    assert_int_equal(b[0x100], 0xff);
    /* the receive watermark */
    w(&c, RXMARK, 1, 4), w(&c, IE, 2, 4);
    w(&c, TXDATA, 0, 4);
    assert_int_equal(c.lines, 0);
    w(&c, TXDATA, 0, 4);
    assert_int_equal(c.lines, 1);
    r(&c, RXDATA, 4);
    assert_int_equal(c.lines, 0);
    rig_free(&c);
}

static uint8_t sd_cmd(struct rig *c, unsigned cmd, uint32_t arg)
{
    uint8_t v = 0xff;
    const uint8_t b[] = { (uint8_t)(0x40 | cmd), (uint8_t)(arg >> 24), (uint8_t)(arg >> 16), (uint8_t)(arg >> 8), (uint8_t)arg, 0x95 };
    for (unsigned i = 0; i < 6; i++) spi(c, b[i]);
    for (unsigned i = 0; i < 8 && v & 0x80; i++) v = spi(c, 0xff);
    return v;
}
static uint8_t wait_for(struct rig *c, uint8_t not)
{
    uint8_t v = not;
    for (unsigned i = 0; i < 1000 && v == not; i++) {
        if (i % 16 == 15) blk_drain(c->blk), drv_poll(&c->d);
        v = spi(c, 0xff);
    }
    return v;
}
static void read_block(struct rig *c, uint8_t *b, unsigned n)
{
    assert_int_equal(wait_for(c, 0xff), 0xfe);
    for (unsigned i = 0; i < n; i++) b[i] = spi(c, 0xff);
    spi(c, 0xff), spi(c, 0xff);
}
static void write_block(struct rig *c, uint8_t token, uint8_t seed)
{
    spi(c, 0xff), spi(c, token);
    for (unsigned i = 0; i < 512; i++) spi(c, (uint8_t)(seed + i));
    spi(c, 0), spi(c, 0);
    assert_int_equal(spi(c, 0xff) & 0x1f, 5);
    assert_int_equal(wait_for(c, 0), 0xff);
}

static void card(void **st)
{
    struct rig c;
    uint8_t b[512], csd[16], disk[2048];
    rig_new(&c, "sifive.spi", NULL, 8 << 20);
    plug(&c, "ssi-sd", NULL);
    cs(&c, true);
    assert_int_equal(sd_cmd(&c, 0, 0), 0xff); /* nobody */
    plug(&c, "sd-card", "drive=x");
    assert_int_equal(sd_cmd(&c, 0, 0), 1);
    assert_int_equal(sd_cmd(&c, 8, 0x1aa), 1);
    for (unsigned i = 0, want = 0x1aa; i < 4; i++) assert_int_equal(spi(&c, 0xff), want >> (24 - 8 * i) & 0xff);
    assert_int_equal(sd_cmd(&c, 17, 0), 5); /* idle, illegal */
    assert_int_equal(sd_cmd(&c, 55, 0), 1);
    assert_int_equal(sd_cmd(&c, 41, 0x40000000), 0);
    assert_int_equal(sd_cmd(&c, 58, 0), 0);
    assert_int_equal(spi(&c, 0xff), 0x80);
    spi(&c, 0xff), spi(&c, 0xff), spi(&c, 0xff);
    assert_int_equal(sd_cmd(&c, 9, 0), 0);
    read_block(&c, csd, 16);
    assert_int_equal(((csd[6] & 3) << 10 | csd[7] << 2 | csd[8] >> 6) + 1, (8 << 20) >> 18);
    assert_int_equal(sd_cmd(&c, 24, 512), 0);
    write_block(&c, 0xfe, 7);
    assert_int_equal(sd_cmd(&c, 25, 1024), 0);
    write_block(&c, 0xfc, 50);
    write_block(&c, 0xfc, 90);
    spi(&c, 0xfd), spi(&c, 0xff);
    assert_int_equal(wait_for(&c, 0), 0xff);
    assert_int_equal(blk_pread(c.blk, 0, disk, 2048), 0);
    for (unsigned i = 0; i < 2048; i++) assert_int_equal(disk[i], i < 512 ? 0 : (uint8_t)((i < 1024 ? 7 : i < 1536 ? 50 : 90) + i % 512));
    assert_int_equal(sd_cmd(&c, 17, 512), 0);
    read_block(&c, b, 512);
    assert_memory_equal(b, disk + 512, 512);
    assert_int_equal(sd_cmd(&c, 18, 512), 0);
    for (unsigned i = 1; i < 4; i++) read_block(&c, b, 512), assert_memory_equal(b, disk + 512 * i, 512);
    assert_int_equal(sd_cmd(&c, 12, 0), 0);
    assert_int_equal(sd_cmd(&c, 13, 0), 0);
    assert_int_equal(spi(&c, 0xff), 0);
    assert_int_equal(sd_cmd(&c, 17, 8 << 20), 0x40);
    rig_free(&c);
}

/* --- others ------------------------------------------------------------------------------------------------------------------ */

static void pdma(void **st)
{
    struct rig c;
    enum { BYTES = 200000 };
    static uint8_t a[BYTES], b[BYTES];
    rig_new(&c, "sifive.pdma", NULL, 0);
    for (unsigned i = 0; i < BYTES; i++) a[i] = (uint8_t)(i * 7 + (i >> 8));
    drv_copy_in(&c.d, BUF, a, BYTES);
    w(&c, 0x1000, 1, 4);
    w(&c, 0x1000, 1 | 1 << 14 | 1 << 15, 4);
    w(&c, 0x1004, 0xff000000, 4);
    w(&c, 0x1008, BYTES, 8), w(&c, 0x1010, BUF + 0x80000, 8);
    w(&c, 0x1018, BUF & 0xffffffff, 4), w(&c, 0x101c, 0, 4);
    w(&c, 0x1000, 3 | 1 << 14 | 1 << 15, 4);
    drv_poll(&c.d);
    assert_int_equal(c.lines, 1 << 2);
    assert_int_equal(r(&c, 0x1000, 4) >> 30, 1);
    assert_int_equal(r(&c, 0x1108, 8), 0);
    drv_copy_out(&c.d, BUF + 0x80000, b, BYTES);
    assert_memory_equal(a, b, BYTES);
    w(&c, 0x1000, 1 | 1 << 15, 4);
    assert_int_equal(c.lines, 0);
    w(&c, 0x1018, 0x1000, 8); /* nothing is there */
    w(&c, 0x1000, 3 | 1 << 15, 4);
    drv_poll(&c.d);
    assert_int_equal(c.lines, 1 << 3);
    rig_free(&c);
}

static void pwm(void **st)
{
    struct rig c;
    rig_new(&c, "sifive-pwm", NULL, 0);
    w(&c, 0x20, 999, 4), w(&c, 0x24, 500, 4); /* a round of 1000 * 2^4 clocks of 2 ns */
    w(&c, 0, 4 | 1 << 8 | 1 << 9 | 1 << 12, 4);
    pass(&c, 15999);
    assert_int_equal(c.lines & 2, 0);
    pass(&c, 1);
    assert_int_equal(c.lines & 3, 2);
    assert_int_equal(r(&c, 0x10, 4), 500);
    pass(&c, 16000);
    assert_int_equal(c.lines & 3, 3);
    assert_int_equal(r(&c, 0x10, 4), 0);
    w(&c, 0, 4 | 1 << 8 | 1 << 9 | 1 << 12, 4); /* sticky ones are cleared */
    assert_int_equal(c.lines & 3, 0);
    w(&c, 0, 4 | 1 << 9 | 1 << 13, 4); /* once */
    pass(&c, 40000);
    assert_int_equal(r(&c, 0, 4) & 1 << 13, 0);
    rig_free(&c);
}

static void gpio_otp_uart(void **st)
{
    struct rig c;
    rig_new(&c, "sifive_soc.gpio", NULL, 0);
    w(&c, 4, 1, 4), w(&c, 0x18, 1, 4);
    w(&c, 8, 1 << 10, 4);
    assert_int_equal(c.lines >> 26 & 1, 0); /* driven low */
    w(&c, 0xc, 1 << 10, 4);
    assert_int_equal(c.lines >> 26 & 1, 1);
    c.dev->cls->input(c.dev, 0, true);
    assert_int_equal(r(&c, 0, 4), 1);
    assert_int_equal(c.lines & 1, 1);
    w(&c, 0x1c, 1, 4);
    assert_int_equal(c.lines & 1, 0);
    rig_free(&c);

    rig_new(&c, "riscv.sifive.u.otp", "serial=1234", 0);
    w(&c, 0, 0xfc, 4);
    assert_int_equal(r(&c, 0x18, 4), 0xff); /* it sleeps */
    w(&c, 0xc, 1, 4), w(&c, 0x1c, 1, 4), w(&c, 0x34, 1, 4);
    assert_int_equal(r(&c, 0x18, 4), 1234);
    w(&c, 0, 0xfd, 4);
    assert_int_equal(r(&c, 0x18, 4), ~1234u);
    w(&c, 0, 0x200, 4), w(&c, 4, 5, 4), w(&c, 0x14, 0, 4), w(&c, 0x38, 1, 4), w(&c, 0x38, 0, 4);
    assert_int_equal(r(&c, 0x18, 4), ~0x20u);
    w(&c, 0x14, 1, 4), w(&c, 0x38, 1, 4); /* once */
    assert_int_equal(r(&c, 0x18, 4), ~0x20u);
    rig_free(&c);

    rig_new(&c, "riscv.sifive.uart", NULL, 0);
    w(&c, 8, 1 | 1 << 16, 4), w(&c, 0x10, 1, 4);
    assert_int_equal(c.lines, 1); /* fewer than one wait */
    w(&c, 0, 'x', 4);
    assert_int_equal(r(&c, 0, 4), 0);
    assert_int_equal(r(&c, 4, 4) >> 31, 1);
    rig_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(flash), cmocka_unit_test(card), cmocka_unit_test(pdma), cmocka_unit_test(pwm), cmocka_unit_test(gpio_otp_uart) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
