/* nvme_test.c: an NVMe controller with a driver made by hand: queues, PRP and SGL, errors, full completion queues, resets in flight. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>
#include "dev/virtio/test_driver.h"
#include "io/block/blk.h"

enum { ECAM = 0x30000000, BAR = 0x40000000, ASQ = DRV_RAM + 0x10000, ACQ = DRV_RAM + 0x20000, SQ = DRV_RAM + 0x30000, CQ = DRV_RAM + 0x40000,
       BUF = DRV_RAM + 0x100000, DISK = 1 << 20 };

struct nv {
    struct drv d;
    struct blk_graph *g;
    struct blk *blk;
    struct dev_resolver r;
    uint32_t tail[2], head[2];
    bool phase[2];
    unsigned msis;
};

static struct blk *blk_named(void *ctx, const char *name, struct err *e) { return ctx; }
static bool msi(void *ctx, uint64_t addr, uint32_t data, struct mem_attr at)
{
    ((struct nv *)ctx)->msis++;
    return true;
}
static void w(struct nv *n, unsigned reg, uint64_t v, unsigned size) { drv_st(&n->d, BAR + reg, v, size); }
static uint64_t r(struct nv *n, unsigned reg, unsigned size) { return drv_ld(&n->d, BAR + reg, size); }

static void enable(struct nv *n)
{
    memset(n->tail, 0, sizeof n->tail);
    memset(n->head, 0, sizeof n->head);
    n->phase[0] = n->phase[1] = true;
    uint8_t zero[4096] = { 0 };
    drv_copy_in(&n->d, ACQ, zero, sizeof zero);
    drv_copy_in(&n->d, CQ, zero, sizeof zero);
    w(n, 0x24, 15 | 15 << 16, 4);
    w(n, 0x28, ASQ, 8);
    w(n, 0x30, ACQ, 8);
    w(n, 0x14, 1 | 6 << 16 | 4 << 20, 4);
    assert_int_equal(r(n, 0x1c, 4), 1);
}

static void nv_new(struct nv *n)
{
    struct err e = { 0 };
    char path[] = "/tmp/lyre-nvme-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && !ftruncate(fd, DISK));
    close(fd);
    memset(n, 0, sizeof *n);
    drv_board(&n->d);
    n->g = blk_graph_new();
    n->blk = blk_open_file(n->g, path, "raw", BLK_RDWR | BLK_AIO_THREADS, &e);
    unlink(path);
    assert_non_null(n->blk);
    n->r = (struct dev_resolver){ .blk = blk_named, .ctx = n->blk };
    dev_resolve_with(&n->d.b, &n->r);
    struct dev *host = dev_new(&n->d.b, device_find("gpex-pcihost"), "pcie", &e), *d;
    dev_set_list(host, "mmio32-base=0x40000000,mmio32-size=1G", &e);
    assert_int_equal(dev_realize(host, NULL, &e) | dev_map(host, ECAM, &e), 0);
    pci_host_set_msi(host, msi, n);
    d = dev_new(&n->d.b, device_find("nvme"), "n", &e);
    if (dev_set_list(d, "drive=x,serial=SN1,addr=1", &e) || dev_realize(d, bus_find(&n->d.b, "pci", NULL, &e), &e)) fail_msg("%s", e.msg);
    drv_st(&n->d, ECAM + 0x8010, BAR, 4);
    drv_st(&n->d, ECAM + 0x8004, 6, 2);
    enable(n);
}
static void nv_free(struct nv *n)
{
    struct err e;
    drv_free(&n->d);
    blk_free(n->blk, &e);
    blk_graph_free(n->g);
}

/* Puts a command into queue q (0: admin, 1: I/O; 16 entries each); does not ring. */
static void put(struct nv *n, unsigned q, uint8_t op, uint16_t cid, uint32_t nsid, uint64_t prp1, uint64_t prp2, const uint32_t dw[6], uint8_t flags)
{
    uint64_t at = (q ? SQ : ASQ) + 64ull * n->tail[q];
    drv_st(&n->d, at, op | flags << 8 | (uint32_t)cid << 16, 4);
    drv_st(&n->d, at + 4, nsid, 4);
    drv_st(&n->d, at + 24, prp1, 8);
    drv_st(&n->d, at + 32, prp2, 8);
    for (unsigned i = 0; i < 6; i++) drv_st(&n->d, at + 40 + 4 * i, dw ? dw[i] : 0, 4);
    n->tail[q] = (n->tail[q] + 1) % 16;
}
static bool got(struct nv *n, unsigned q, uint16_t *cid, unsigned *status, uint32_t *result)
{
    uint64_t at = (q ? CQ : ACQ) + 16ull * n->head[q];
    uint16_t s = (uint16_t)drv_ld(&n->d, at + 14, 2);
    if ((s & 1) != n->phase[q]) return false;
    *cid = (uint16_t)drv_ld(&n->d, at + 12, 2);
    *status = s >> 1 & 0x7ff;
    *result = (uint32_t)drv_ld(&n->d, at, 4);
    if (++n->head[q] == 16) n->head[q] = 0, n->phase[q] = !n->phase[q];
    return true;
}
static void settle(struct nv *n)
{
    for (unsigned i = 0; i < 8; i++) {
        drv_poll(&n->d);
        blk_drain(n->blk);
    }
}
static unsigned cmd(struct nv *n, unsigned q, uint8_t op, uint32_t nsid, uint64_t prp1, uint64_t prp2, const uint32_t dw[6], uint8_t flags)
{
    uint16_t cid = 0;
    unsigned status = 0;
    uint32_t result;
    put(n, q, op, 0x55, nsid, prp1, prp2, dw, flags);
    w(n, 0x1000 + 8 * q, n->tail[q], 4);
    settle(n);
    assert_true(got(n, q, &cid, &status, &result));
    assert_int_equal(cid, 0x55);
    w(n, 0x1004 + 8 * q, n->head[q], 4);
    return status;
}
#define DW(...) (const uint32_t[6]){ __VA_ARGS__ }
static void io_queues(struct nv *n)
{
    assert_int_equal(cmd(n, 0, 5, 0, CQ, 0, DW(1 | 15 << 16, 1 | 2 | 1 << 16), 0), 0);
    assert_int_equal(cmd(n, 0, 1, 0, SQ, 0, DW(1 | 15 << 16, 1 | 1 << 16), 0), 0);
}

static void admin(void **st)
{
    struct nv n;
    nv_new(&n);
    assert_int_equal(cmd(&n, 0, 6, 0, BUF, 0, DW(1), 0), 0);
    assert_int_equal(drv_ld(&n.d, BUF, 2), 0x1b36);
    assert_int_equal(drv_ld(&n.d, BUF + 4, 3), drv_ld(&n.d, BUF + 4, 3));
    assert_int_equal(drv_ld(&n.d, BUF + 4, 2), 'S' | 'N' << 8);
    assert_int_equal(cmd(&n, 0, 6, 1, BUF + 0x800, BUF + 0x1000, DW(0), 0), 0); /* over two pages */
    assert_int_equal(drv_ld(&n.d, BUF + 0x800, 8), DISK / 512);
    assert_int_equal(cmd(&n, 0, 6, 2, BUF, 0, DW(0), 0), 0xb);
    assert_int_equal(cmd(&n, 0, 6, 1, BUF, 0, DW(99), 0), 2);
    assert_int_equal(cmd(&n, 0, 6, 1, 0x50000000, 0, DW(0), 0), 4);   /* no memory there */
    assert_int_equal(cmd(&n, 0, 0x77, 0, 0, 0, NULL, 0), 1);
    assert_int_equal(cmd(&n, 0, 1, 0, SQ, 0, DW(1 | 15 << 16, 1 | 1 << 16), 0), 0x100); /* its completion queue is not there */
    assert_int_equal(cmd(&n, 0, 5, 0, CQ, 0, DW(0 | 15 << 16, 1), 0), 0x101);
    assert_int_equal(cmd(&n, 0, 5, 0, CQ, 0, DW(99 | 15 << 16, 1), 0), 0x101);
    assert_int_equal(cmd(&n, 0, 5, 0, CQ, 0, DW(1 | 0xffffu << 16, 1), 0), 0x102);
    assert_int_equal(cmd(&n, 0, 5, 0, CQ, 0, DW(1 | 15 << 16, 1 | 500 << 16), 0), 0x108);
    io_queues(&n);
    assert_int_equal(cmd(&n, 0, 4, 0, 0, 0, DW(1), 0), 0x10c); /* in use */
    assert_int_equal(cmd(&n, 0, 0, 0, 0, 0, DW(1), 0), 0);
    assert_int_equal(cmd(&n, 0, 4, 0, 0, 0, DW(1), 0), 0);
    assert_int_equal(cmd(&n, 0, 9, 0, 0, 0, DW(7, 3 | 3 << 16), 0), 0);
    assert_int_equal(cmd(&n, 0, 2, 0xffffffff, BUF, 0, DW(2 | 127 << 16), 0), 0);
    for (unsigned i = 0; i < 4; i++) put(&n, 0, 12, (uint16_t)i, 0, 0, 0, NULL, 0); /* events: not answered; one too many is */
    assert_int_equal(cmd(&n, 0, 12, 0, 0, 0, NULL, 0), 0x105);
    nv_free(&n);
}

static void data(void **st)
{
    struct nv n;
    enum { BYTES = 300 << 10 };
    static uint8_t a[BYTES], b[BYTES];
    nv_new(&n);
    io_queues(&n);
    for (unsigned i = 0; i < BYTES; i++) a[i] = (uint8_t)(i * 13 + (i >> 9));
    drv_copy_in(&n.d, BUF + 0x200, a, BYTES);
    /* a list of pages that goes on in a second one: its place in its page leaves 3 entries there */
    uint64_t list = DRV_RAM + 0x60000 + 4096 - 24, next = DRV_RAM + 0x70000;
    unsigned pages = BYTES / 4096 + 1;
    for (unsigned i = 1, k = 0; i < pages; i++) {
        uint64_t page = BUF + 4096ull * i;
        if (i <= 2) drv_st(&n.d, list + 8 * (i - 1), page, 8);
        else drv_st(&n.d, next + 8 * k++, page, 8);
    }
    drv_st(&n.d, list + 16, next, 8);
    assert_int_equal(cmd(&n, 1, 1, 1, BUF + 0x200, list, DW(8, 0, BYTES / 512 - 1), 0), 0);
    memset(b, 0, BYTES);
    assert_int_equal(blk_pread(n.blk, 8 * 512, b, BYTES), 0);
    assert_memory_equal(a, b, BYTES);
    drv_copy_in(&n.d, BUF, (memset(b, 0, BYTES), b), BYTES);
    /* back by SGL: a segment with three pieces */
    uint64_t seg = DRV_RAM + 0x80000;
    uint32_t len[] = { 1000, 512 * 7 - 1000, 512 }, at = 0;
    for (unsigned i = 0; i < 3; at += len[i++]) {
        drv_st(&n.d, seg + 16 * i, BUF + at, 8);
        drv_st(&n.d, seg + 16 * i + 8, len[i], 8);
    }
    assert_int_equal(cmd(&n, 1, 2, 1, seg, 48 | 0x30ull << 56, DW(8, 0, 7), 0x40), 0);
    drv_copy_out(&n.d, BUF, b, 4096);
    assert_memory_equal(a, b, 4096);
    assert_int_equal(cmd(&n, 1, 0, 1, 0, 0, NULL, 0), 0);
    assert_int_equal(cmd(&n, 1, 8, 1, 0, 0, DW(8, 0, 1), 0), 0); /* zeros */
    assert_int_equal(blk_pread(n.blk, 8 * 512, b, 1536), 0);
    assert_int_equal(b[1023], 0);
    assert_int_equal(b[1024], a[1024]);
    drv_st(&n.d, BUF + 4, 16, 4);
    drv_st(&n.d, BUF + 8, 100, 8);
    assert_int_equal(cmd(&n, 1, 9, 1, BUF, 0, DW(0, 4), 0), 0);
    drv_st(&n.d, BUF + 8, DISK, 8);
    assert_int_equal(cmd(&n, 1, 9, 1, BUF, 0, DW(0, 4), 0), 0x80);
    assert_int_equal(cmd(&n, 1, 2, 1, BUF, 0, DW(DISK / 512, 0, 0), 0), 0x80);
    assert_int_equal(cmd(&n, 1, 2, 1, BUF, BUF + 4096, DW(DISK / 512 - 1, 0, 1), 0), 0x80);
    assert_int_equal(cmd(&n, 1, 2, 1, BUF, 0, DW(0xffffffff, 0xffffffff, 0), 0), 0x80);
    assert_int_equal(cmd(&n, 1, 2, 1, BUF, list, DW(0, 0, 0xffff), 0), 2); /* more than MDTS */
    assert_int_equal(cmd(&n, 1, 2, 1, BUF + 1, 0, DW(0), 0), 0x13);
    assert_int_equal(cmd(&n, 1, 2, 1, BUF, BUF + 8, DW(0, 0, 15), 0), 0x13);
    assert_int_equal(cmd(&n, 1, 2, 1, 0x50000000, 0, DW(0), 0), 4);
    assert_int_equal(cmd(&n, 1, 2, 1, seg, 40 | 0x30ull << 56, DW(8, 0, 7), 0x40), 0xd);
    drv_st(&n.d, next + 8, next | 1, 8);
    assert_int_equal(cmd(&n, 1, 2, 1, BUF, list, DW(0, 0, BYTES / 512 - 1), 0), 0x13);
    assert_int_equal(cmd(&n, 1, 2, 7, BUF, 0, DW(0), 0), 0xb);
    nv_free(&n);
}

/* Answers that have no place wait, and so do commands. */
static void full(void **st)
{
    struct nv n;
    uint16_t cid;
    unsigned status, count = 0;
    uint32_t result;
    nv_new(&n);
    io_queues(&n);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 15; i++) put(&n, 1, i & 1 ? 0 : 0x66, (uint16_t)i, 1, 0, 0, NULL, 0);
        w(&n, 0x1008, n.tail[1], 4);
        settle(&n);
    }
    while (got(&n, 1, &cid, &status, &result)) count++;
    assert_int_equal(count, 15);
    w(&n, 0x100c, n.head[1], 4);
    settle(&n);
    while (got(&n, 1, &cid, &status, &result)) count++;
    assert_int_equal(count, 30);
    w(&n, 0x100c, 77, 4); /* no such place */
    nv_free(&n);
}

static void resets(void **st)
{
    struct nv n;
    uint16_t cid;
    unsigned status;
    uint32_t result;
    nv_new(&n);
    for (unsigned round = 0; round < 3; round++) {
        io_queues(&n);
        for (unsigned i = 0; i < 10; i++) put(&n, 1, 2, (uint16_t)i, 1, BUF, BUF + 4096, DW(0, 0, 15), 0);
        w(&n, 0x1008, n.tail[1], 4);
        if (round == 0) { /* the queue goes while its commands are under way, and comes again */
            put(&n, 0, 0, 1, 0, 0, 0, DW(1), 0);
            put(&n, 0, 1, 2, 0, SQ, 0, DW(1 | 15 << 16, 1 | 1 << 16), 0);
            w(&n, 0x1000, n.tail[0], 4);
            settle(&n);
            n.tail[1] = 0;
            assert_true(got(&n, 0, &cid, &status, &result) && !status && got(&n, 0, &cid, &status, &result) && !status);
            assert_int_equal(cmd(&n, 1, 0, 1, 0, 0, NULL, 0), 0);
        }
        w(&n, 0x14, 0, 4);
        blk_drain(n.blk);
        assert_int_equal(r(&n, 0x1c, 4), 0);
        enable(&n);
        assert_int_equal(cmd(&n, 0, 6, 0, BUF, 0, DW(1), 0), 0);
    }
    w(&n, 0x14, 1 | 1 << 14 | 6 << 16 | 4 << 20, 4); /* shutdown */
    settle(&n);
    assert_int_equal(r(&n, 0x1c, 4) & 0xc, 8);
    w(&n, 0x14, 0, 4);
    w(&n, 0x28, 0x50000000, 8); /* queues that are nowhere */
    w(&n, 0x14, 1, 4);
    w(&n, 0x1000, 3, 4);
    assert_true(r(&n, 0x1c, 4) & 2);
    w(&n, 0x14, 0, 4);
    w(&n, 0x24, 0, 4); /* of one entry */
    w(&n, 0x14, 1, 4);
    assert_true(r(&n, 0x1c, 4) & 2);
    nv_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(admin), cmocka_unit_test(data), cmocka_unit_test(full), cmocka_unit_test(resets) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
