/* sd_test.c: an SD host controller and a card with a driver made by hand: identification, PIO, SDMA, ADMA2, automatic commands, erasing, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>
#include "dev/sd/sd.h"
#include "dev/virtio/test_driver.h"
#include "io/block/blk.h"

enum { ECAM = 0x30000000, BAR = 0x40000000, DESC = DRV_RAM + 0x10000, BUF = DRV_RAM + 0x100000, DISK = 8 << 20 };
enum { SDMA = 0, BLKSIZE = 4, BLKCNT = 6, ARG = 8, TRNMOD = 12, CMD = 14, RSP = 16, PORT = 0x20, PRN = 0x24, HOSTCTL = 0x28, PWRCON = 0x29, CLKCON = 0x2c, SWRST = 0x2f,
       NORINT = 0x30, ERRINT = 0x32, ADMA = 0x58 };
enum { NONE, LONG, SHORT, BUSY, DATA = 0x20 };
enum { T_DMA = 1, T_COUNT = 2, T_12 = 4, T_23 = 8, T_READ = 16, T_MULTI = 32 };

struct sd {
    struct drv d;
    struct blk_graph *g;
    struct blk *blk;
    struct dev_resolver r;
    struct dev *host;
    bool level;
    uint32_t rca;
};

static struct blk *blk_named(void *ctx, const char *name, struct err *e) { return ctx; }
static void w(struct sd *c, unsigned reg, uint64_t v, unsigned size) { drv_st(&c->d, BAR + reg, v, size); }
static uint32_t r(struct sd *c, unsigned reg, unsigned size) { return (uint32_t)drv_ld(&c->d, BAR + reg, size); }
static void line(void *ctx, unsigned n, bool level) { ((struct sd *)ctx)->level = level; }
static void settle(struct sd *c)
{
    for (unsigned i = 0; i < 200; i++) {
        drv_poll(&c->d);
        blk_drain(c->blk);
    }
}
/* Error bits << 16 | status bits, which are cleared. */
static uint32_t status(struct sd *c)
{
    settle(c);
    uint32_t v = r(c, NORINT, 4);
    w(c, NORINT, v, 4);
    return v;
}
static uint32_t cmd(struct sd *c, unsigned n, uint32_t arg, unsigned kind)
{
    w(c, ARG, arg, 4);
    w(c, CMD, n << 8 | kind, 2);
    return status(c);
}
static uint32_t acmd(struct sd *c, unsigned n, uint32_t arg, unsigned kind)
{
    assert_int_equal(cmd(c, 55, c->rca, SHORT), 1);
    return cmd(c, n, arg, kind);
}
static uint32_t xfer(struct sd *c, unsigned n, uint32_t arg, unsigned mode, unsigned size, unsigned count)
{
    w(c, BLKSIZE, size, 2), w(c, BLKCNT, count, 2), w(c, TRNMOD, mode, 2);
    return cmd(c, n, arg, SHORT | DATA);
}

static void sd_new(struct sd *c, uint64_t size, unsigned flags)
{
    struct err e = { 0 };
    char path[] = "/tmp/lyre-sd-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && !ftruncate(fd, (off_t)size));
    close(fd);
    memset(c, 0, sizeof *c);
    drv_board(&c->d);
    c->g = blk_graph_new();
    c->blk = blk_open_file(c->g, path, "raw", flags | BLK_AIO_THREADS, &e);
    unlink(path);
    assert_non_null(c->blk);
    c->r = (struct dev_resolver){ .blk = blk_named, .ctx = c->blk };
    dev_resolve_with(&c->d.b, &c->r);
    struct dev *pci = dev_new(&c->d.b, device_find("gpex-pcihost"), "pcie", &e), *card;
    dev_set_list(pci, "mmio32-base=0x40000000,mmio32-size=1G", &e);
    assert_int_equal(dev_realize(pci, NULL, &e) | dev_map(pci, ECAM, &e), 0);
    for (unsigned i = 0; i < 4; i++) dev_connect_fn(pci, i, line, c, i);
    c->host = dev_new(&c->d.b, device_find("sdhci-pci"), "h", &e);
    if (dev_set_list(c->host, "addr=1", &e) || dev_realize(c->host, bus_find(&c->d.b, "pci", NULL, &e), &e)) fail_msg("%s", e.msg);
    drv_st(&c->d, ECAM + 0x8010, BAR, 4);
    drv_st(&c->d, ECAM + 0x8004, 6, 2);
    assert_int_equal(r(c, PRN, 4) & 1 << 16, 0);
    w(c, 0x34, 0x03ff7fff, 4);
    w(c, 0x38, 0x03ff7fff, 4);
    card = dev_new(&c->d.b, device_find("sd-card"), "card", &e);
    if (dev_set_list(card, "drive=x", &e) || dev_realize(card, bus_find(&c->d.b, "sd-bus", NULL, &e), &e)) fail_msg("%s", e.msg);
    c->d.dev = card;
    assert_true(c->level);
    assert_int_equal(status(c), 0x40); /* it was put in */
    assert_false(c->level);
    assert_int_equal(r(c, PRN, 4) >> 16 & 15, flags & BLK_RDWR ? 15 : 7);
    w(c, PWRCON, 15, 1), w(c, CLKCON, 5, 2);
    assert_int_equal(r(c, CLKCON, 2), 7);
    c->rca = 0;
    assert_int_equal(cmd(c, 0, 0, NONE), 1);
    assert_int_equal(cmd(c, 8, 0x1aa, SHORT), 1);
    assert_int_equal(r(c, RSP, 4), 0x1aa);
    assert_int_equal(acmd(c, 41, 0, SHORT), 1); /* what can you? */
    assert_int_equal(r(c, RSP, 4), 0x00ff8000);
    assert_int_equal(acmd(c, 41, 0x40ff8000, SHORT), 1);
    assert_int_equal(r(c, RSP, 4), 0x80ff8000 | (size > 2ull << 30 ? 1 << 30 : 0));
    assert_int_equal(cmd(c, 2, 0, LONG), 1);
    assert_int_equal(r(c, RSP + 12, 4), 0x00aa4c59); /* manufacturer, "LY" */
    assert_int_equal(cmd(c, 3, 0, SHORT), 1);
    c->rca = r(c, RSP, 4) & 0xffff0000;
    assert_int_equal(r(c, RSP, 4) & 0xffff, 0x500); /* it was being identified */
    assert_int_equal(cmd(c, 9, c->rca, LONG), 1);
}
static void ready(struct sd *c)
{
    assert_int_equal(cmd(c, 7, c->rca, BUSY), 3);
    assert_int_equal(acmd(c, 6, 2, SHORT), 1);
    assert_int_equal(cmd(c, 13, c->rca, SHORT), 1);
    assert_int_equal(r(c, RSP, 4), 0x900);
}
static void sd_free(struct sd *c)
{
    struct err e;
    drv_free(&c->d);
    blk_free(c->blk, &e);
    blk_graph_free(c->g);
}

static void capacities(void **st)
{
    static const struct { uint64_t size; bool high; } t[] = { { 256 << 10, false }, { 64 << 20, false }, { 2ull << 30, false }, { 4ull << 30, true }, { 64ull << 30, true } };
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        struct sd c;
        uint32_t v[4];
        sd_new(&c, t[i].size, BLK_RDWR);
        for (unsigned k = 0; k < 4; k++) v[k] = r(&c, RSP + 4 * k, 4); /* bits 8 and on of the register */
        uint64_t size;
        if (t[i].high) {
            assert_int_equal(v[3] >> 16 & 0xff, 0x40);
            size = ((uint64_t)(v[1] >> 8 & 0x3fffff) + 1) << 19;
        } else {
            assert_int_equal(v[3] >> 16 & 0xff, 0);
            unsigned c_size = (v[1] >> 22 & 0x3ff) | (v[2] & 3) << 10, mult = v[1] >> 7 & 7, len = v[2] >> 8 & 15;
            size = (uint64_t)(c_size + 1) << (mult + 2 + len);
        }
        assert_true(size == t[i].size);
        sd_free(&c);
    }
}

static void pio(void **st)
{
    struct sd c;
    uint8_t b[1024];
    sd_new(&c, DISK, BLK_RDWR);
    ready(&c);
    w(&c, BLKSIZE, 8, 2), w(&c, TRNMOD, T_READ, 2);
    assert_int_equal(acmd(&c, 51, 0, SHORT | DATA), 0x21);
    assert_int_equal(r(&c, PORT, 4), 0x02802502);
    assert_true(r(&c, PRN, 4) & 1 << 11);
    assert_int_equal(r(&c, PORT, 4), 0);
    assert_int_equal(status(&c), 2);
    assert_int_equal(r(&c, PRN, 4) & 0xf07, 0);
    /* two blocks out, then in */
    assert_int_equal(xfer(&c, 25, 1024, T_COUNT | T_MULTI | T_12, 512, 2), 0x11);
    for (unsigned i = 0; i < 256; i++) {
        assert_true(r(&c, PRN, 4) & 1 << 10);
        if (i & 1) w(&c, PORT, i * 3, 2), w(&c, PORT + 2, i, 2);
        else w(&c, PORT, i * 0x01000193u, 4);
        if (i == 127) assert_int_equal(status(&c), 0x10);
    }
    assert_int_equal(status(&c), 2);
    assert_int_equal(blk_pread(c.blk, 1024, b, 1024), 0);
    for (unsigned i = 0; i < 256; i++) assert_int_equal(pci_get32(b + 4 * i), i & 1 ? i * 3 | i << 16 : i * 0x01000193u);
    assert_int_equal(xfer(&c, 18, 1024, T_COUNT | T_MULTI | T_12 | T_READ, 512, 2), 0x21);
    for (unsigned i = 0; i < 256; i++) {
        if (i == 128) assert_int_equal(status(&c), 0x20);
        assert_int_equal(r(&c, PORT, 4), pci_get32(b + 4 * i));
    }
    assert_int_equal(status(&c), 2);
    assert_int_equal(cmd(&c, 13, c.rca, SHORT), 1);
    assert_int_equal(r(&c, RSP, 4), 0x900);
    sd_free(&c);
}

static void by_dma(void **st)
{
    struct sd c;
    enum { BYTES = 200 << 10 };
    static uint8_t a[BYTES], b[BYTES];
    sd_new(&c, DISK, BLK_RDWR);
    ready(&c);
    for (unsigned i = 0; i < BYTES; i++) a[i] = (uint8_t)(i * 13 + (i >> 9));
    drv_copy_in(&c.d, BUF + 0x300, a, BYTES);
    /* SDMA stops at each boundary of 16 KiB */
    w(&c, SDMA, BUF + 0x300, 4);
    assert_int_equal(xfer(&c, 25, 0x10000, T_DMA | T_COUNT | T_MULTI | T_12, 512 | 2 << 12, BYTES / 512), 9);
    unsigned stops = 1;
    for (uint32_t v; stops < 100; stops++) {
        w(&c, SDMA, r(&c, SDMA, 4), 4);
        if ((v = status(&c)) == 2) break;
        assert_int_equal(v, 8);
    }
    assert_int_equal(stops, (0x300 + BYTES) >> 14);
    assert_int_equal(r(&c, BLKCNT, 2), 0);
    assert_int_equal(blk_pread(c.blk, 0x10000, b, BYTES), 0);
    assert_memory_equal(a, b, BYTES);
    /* ADMA2: pieces of odd lengths, a link, an interrupt on the way */
    memset(b, 0, BYTES);
    drv_copy_in(&c.d, BUF, b, BYTES);
    w(&c, HOSTCTL, 2 << 3, 1);
    static const uint32_t part[] = { 1001, 65536, 3, 70000 };
    uint32_t at = 0, n = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint32_t len = part[i] > 65536 ? BYTES - at > 65536 ? 65536 : BYTES - at : part[i];
        drv_st(&c.d, DESC + 8 * n, (len & 0xffff) << 16 | 0x21 | (i == 1 ? 4 : 0), 4);
        drv_st(&c.d, DESC + 8 * n++ + 4, BUF + at, 4);
        at += len;
    }
    drv_st(&c.d, DESC + 8 * n, 0x31, 4), drv_st(&c.d, DESC + 8 * n + 4, DESC + 0x800, 4);
    drv_st(&c.d, DESC + 0x800, 0x01, 4); /* nothing */
    drv_st(&c.d, DESC + 0x808, (65536 & 0xffff) << 16 | 0x21, 4), drv_st(&c.d, DESC + 0x80c, BUF + at, 4), at += 65536;
    drv_st(&c.d, DESC + 0x810, (BYTES - at) << 16 | 0x23, 4), drv_st(&c.d, DESC + 0x814, BUF + at, 4);
    w(&c, ADMA, DESC, 8);
    assert_int_equal(xfer(&c, 18, 0x10000, T_DMA | T_COUNT | T_MULTI | T_12 | T_READ, 512, BYTES / 512), 0xb);
    drv_copy_out(&c.d, BUF, b, BYTES);
    assert_memory_equal(a, b, BYTES);
    /* 64-bit descriptors, the number of blocks by CMD23 */
    w(&c, HOSTCTL, 3 << 3, 1);
    drv_copy_in(&c.d, BUF, a + 512, 4096);
    drv_st(&c.d, DESC, 4096u << 16 | 0x23, 4), drv_st(&c.d, DESC + 4, BUF, 8);
    w(&c, ADMA, DESC, 8), w(&c, SDMA, 8, 4);
    assert_int_equal(xfer(&c, 25, 0, T_DMA | T_COUNT | T_MULTI | T_23, 512, 8), 3);
    assert_int_equal(blk_pread(c.blk, 0, b, 4096), 0);
    assert_memory_equal(a + 512, b, 4096);
    acmd(&c, 22, 0, SHORT); /* it is not read: stopped */
    cmd(&c, 12, 0, BUSY);
    /* the card's last block, and behind it */
    w(&c, ADMA, DESC, 8);
    assert_int_equal(xfer(&c, 18, DISK - 512, T_DMA | T_COUNT | T_MULTI | T_12 | T_READ, 512, 1), 3);
    w(&c, ADMA, DESC, 8);
    assert_int_equal(xfer(&c, 17, DISK, T_DMA | T_READ, 512, 1), 0x108001); /* data timeout */
    assert_int_equal(r(&c, RSP, 4), 0x80000900);
    /* descriptors that are not, in a circle, nowhere */
    drv_st(&c.d, DESC, 0, 4), w(&c, ADMA, DESC, 8);
    assert_int_equal(xfer(&c, 17, 0, T_DMA | T_READ, 512, 1), 0x2008001);
    w(&c, SWRST, 6, 1);
    cmd(&c, 12, 0, BUSY);
    drv_st(&c.d, DESC, 0x31, 4), drv_st(&c.d, DESC + 4, DESC, 8), w(&c, ADMA, DESC, 8);
    assert_int_equal(xfer(&c, 17, 0, T_DMA | T_READ, 512, 1), 0x2008001);
    cmd(&c, 12, 0, BUSY);
    w(&c, ADMA, 0x50000000, 8);
    assert_int_equal(xfer(&c, 24, 0, T_DMA, 512, 1), 0x2008001);
    cmd(&c, 12, 0, BUSY);
    assert_int_equal(cmd(&c, 13, c.rca, SHORT), 1);
    assert_int_equal(r(&c, RSP, 4), 0x900);
    sd_free(&c);
}

static void others(void **st)
{
    struct sd c;
    uint8_t b[4096], ones[4096];
    sd_new(&c, DISK, BLK_RDWR);
    assert_int_equal(cmd(&c, 17, 0, SHORT | DATA), 0x18000); /* not selected: no answer */
    assert_int_equal(cmd(&c, 13, c.rca, SHORT), 1);
    assert_int_equal(r(&c, RSP, 4), 0x400700); /* illegal, told once */
    assert_int_equal(cmd(&c, 13, c.rca, SHORT), 1);
    assert_int_equal(r(&c, RSP, 4), 0x700);
    assert_int_equal(cmd(&c, 13, 0x12340000, SHORT), 0x18000);
    ready(&c);
    memset(ones, 0xff, sizeof ones);
    assert_int_equal(blk_pwrite(c.blk, 0, ones, sizeof ones, 0), 0);
    cmd(&c, 32, 512, SHORT), cmd(&c, 33, 1024, SHORT);
    assert_int_equal(cmd(&c, 38, 0, BUSY), 3);
    assert_int_equal(blk_pread(c.blk, 0, b, sizeof b), 0);
    for (unsigned i = 0; i < 4096; i++) assert_int_equal(b[i], i >= 512 && i < 1536 ? 0 : 0xff);
    assert_int_equal(cmd(&c, 38, 0, BUSY), 3);
    assert_int_equal(r(&c, RSP, 4) >> 28, 1); /* out of sequence */
    /* CMD6: high speed */
    w(&c, BLKSIZE, 64, 2), w(&c, TRNMOD, T_READ, 2);
    assert_int_equal(cmd(&c, 6, 0x80fffff1, SHORT | DATA), 0x21);
    for (unsigned i = 0; i < 4; i++) r(&c, PORT, 4);
    assert_int_equal(r(&c, PORT, 1), 1);
    w(&c, SWRST, 4, 1);
    cmd(&c, 12, 0, BUSY);
    /* a write that is stopped in the middle of a block: what was whole is there */
    assert_int_equal(xfer(&c, 25, 0, T_COUNT | T_MULTI, 512, 100), 0x11);
    for (unsigned i = 0; i < 200; i++) {
        w(&c, PORT, i, 4);
        if (i == 127) status(&c);
    }
    assert_int_equal(cmd(&c, 12, 0, BUSY | 0xc0), 3);
    assert_int_equal(blk_pread(c.blk, 0, b, 1024), 0);
    assert_int_equal(pci_get32(b + 127 * 4), 127);
    assert_int_equal(pci_get32(b + 128 * 4), 0);
    /* the machine is reset while the card reads ahead; the card goes while it is read */
    for (unsigned i = 0; i < 2; i++) {
        w(&c, BLKSIZE, 512, 2), w(&c, BLKCNT, 100, 2), w(&c, TRNMOD, T_COUNT | T_MULTI | T_READ, 2), w(&c, ARG, 0, 4);
        w(&c, CMD, 18 << 8 | SHORT | DATA, 2);
        if (i) break;
        dev_reset_all(&c.d.b);
        drv_st(&c.d, ECAM + 0x8010, BAR, 4);
        drv_st(&c.d, ECAM + 0x8004, 6, 2);
        assert_int_equal(r(&c, NORINT, 4), 0);
        w(&c, PWRCON, 15, 1), w(&c, CLKCON, 5, 2), w(&c, 0x34, 0x03ff7fff, 4), w(&c, 0x38, 0x03ff7fff, 4);
        c.rca = 0;
        cmd(&c, 0, 0, NONE), acmd(&c, 41, 0xff8000, SHORT), cmd(&c, 2, 0, LONG), cmd(&c, 3, 0, SHORT);
        c.rca = r(&c, RSP, 4) & 0xffff0000;
        ready(&c);
    }
    dev_free(c.d.dev);
    assert_int_equal(status(&c) & 0x1080c0, 0x108080);
    assert_int_equal(cmd(&c, 13, c.rca, SHORT), 0x18000);
    sd_free(&c);
    /* a read-only image is a card with its lock on */
    sd_new(&c, DISK, 0);
    ready(&c);
    assert_int_equal(xfer(&c, 24, 0, T_COUNT, 512, 1), 0x11);
    assert_true(r(&c, RSP, 4) & 1 << 26);
    for (unsigned i = 0; i < 128; i++) w(&c, PORT, i, 4);
    assert_int_equal(status(&c), 0x108000);
    sd_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(capacities), cmocka_unit_test(pio), cmocka_unit_test(by_dma), cmocka_unit_test(others) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
