/* scsi_test.c: virtio-scsi with a disk and a CD-ROM: what Linux asks when it finds them, transfers, errors, task management. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>
#include "dev/virtio/test_driver.h"
#include "dev/scsi/scsi.h"
#include "io/block/blk.h"

enum { DISK = 1 << 20, HEAD = 51, RESP = 108 };
struct st {
    struct drv d;
    struct blk_graph *g;
    struct blk *hd, *cd;
    struct dev_resolver r;
    uint64_t head, resp, buf;
    uint8_t status, response, sense[18];
    uint32_t resid;
};

static struct blk *blk_named(void *ctx, const char *name, struct err *e) { return blk_find(ctx, name); }

static struct blk *file(struct st *t, const char *name)
{
    struct err e = { 0 };
    char path[] = "/tmp/lyre-scsi-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && !ftruncate(fd, DISK));
    close(fd);
    struct blk_node *n = blk_node_open_file(t->g, path, "raw", BLK_RDWR | BLK_AIO_THREADS, &e);
    unlink(path);
    struct blk *b = n ? blk_new(t->g, name, n, BLK_RDWR, &e) : NULL;
    assert_non_null(b);
    return b;
}

static void st_new(struct st *t)
{
    struct err e = { 0 };
    memset(t, 0, sizeof *t);
    drv_board(&t->d);
    t->g = blk_graph_new();
    t->hd = file(t, "hd");
    t->cd = file(t, "cd");
    t->r = (struct dev_resolver){ .blk = blk_named, .ctx = t->g };
    dev_resolve_with(&t->d.b, &t->r);
    if (drv_plug(&t->d, device_find("virtio-scsi-device"), NULL, &e)) fail_msg("%s", e.msg);
    struct bus *bus = bus_find(&t->d.b, "SCSI", NULL, &e);
    struct dev *h = dev_new(&t->d.b, device_find("scsi-hd"), "h", &e), *c = dev_new(&t->d.b, device_find("scsi-cd"), "c", &e);
    if (dev_set_list(h, "drive=hd,serial=S1", &e) || dev_realize(h, bus, &e)) fail_msg("%s", e.msg);
    if (dev_set_list(c, "drive=cd,scsi-id=3,lun=2", &e) || dev_realize(c, bus, &e)) fail_msg("%s", e.msg);
    drv_start(&t->d, ~0ull & ~VF(VIRTIO_F_RING_PACKED), 3, 64);
    t->head = drv_alloc(&t->d, HEAD);
    t->resp = drv_alloc(&t->d, RESP);
    t->buf = drv_alloc(&t->d, 65536);
}
static void st_free(struct st *t)
{
    struct err e;
    drv_free(&t->d);
    blk_free(t->hd, &e);
    blk_free(t->cd, &e);
    blk_graph_free(t->g);
}

/* Status of a command; data to the guest (in) or from it. */
static uint8_t cmd(struct st *t, unsigned target, unsigned lun, const uint8_t *cdb, unsigned n, uint32_t in, uint32_t out)
{
    uint16_t id;
    uint32_t len;
    uint8_t h[HEAD] = { 1, (uint8_t)target, 0x40, (uint8_t)lun };
    memcpy(h + 19, cdb, n);
    drv_copy_in(&t->d, t->head, h, HEAD);
    struct drv_buf b[4] = { { t->head, HEAD, false } };
    unsigned k = 1;
    if (out) b[k++] = (struct drv_buf){ t->buf, out, false };
    b[k++] = (struct drv_buf){ t->resp, RESP, true };
    if (in) b[k++] = (struct drv_buf){ t->buf, in, true };
    drv_add(&t->d, 2, b, k, false);
    drv_kick(&t->d, 2);
    for (unsigned i = 0; i < 4; i++) blk_drain(t->hd), blk_drain(t->cd);
    assert_true(drv_used(&t->d, 2, k, &id, &len));
    t->response = (uint8_t)drv_ld(&t->d, t->resp + 11, 1);
    t->status = (uint8_t)drv_ld(&t->d, t->resp + 10, 1);
    t->resid = (uint32_t)drv_ld(&t->d, t->resp + 4, 4);
    drv_copy_out(&t->d, t->resp + 12, t->sense, 18);
    return t->status;
}
#define CMD(t, tg, lun, in, out, ...) cmd(t, tg, lun, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), in, out)
static uint8_t at(struct st *t, unsigned off) { return (uint8_t)drv_ld(&t->d, t->buf + off, 1); }

static void identity(void **st)
{
    struct st t;
    st_new(&t);
    CMD(&t, 9, 0, 0, 0, 0);
    assert_int_equal(t.response, 3); /* bad target */
    assert_int_equal(CMD(&t, 0, 0, 96, 0, 0x12, 0, 0, 0, 96), 0);
    assert_int_equal(t.response, 0);
    assert_int_equal(t.resid, 60);
    assert_int_equal(at(&t, 0), 0);
    assert_int_equal(CMD(&t, 0, 5, 96, 0, 0x12, 0, 0, 0, 96), 0);
    assert_int_equal(at(&t, 0), 0x7f);
    assert_int_equal(CMD(&t, 0, 5, 0, 0, 0), 2);
    assert_int_equal(t.sense[12], 0x25);
    assert_int_equal(CMD(&t, 0, 0, 0, 0, 0), 2); /* power on */
    assert_int_equal(t.sense[2], 6);
    assert_int_equal(CMD(&t, 0, 0, 0, 0, 0), 0);
    assert_int_equal(CMD(&t, 0, 0, 8, 0, 0x25), 0);
    assert_int_equal(at(&t, 2) << 8 | at(&t, 3), DISK / 512 - 1);
    assert_int_equal(CMD(&t, 0, 0, 32, 0, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32), 0);
    assert_int_equal(at(&t, 10), 2);
    assert_int_equal(CMD(&t, 0, 0, 255, 0, 0x12, 1, 0x80, 0, 255), 0);
    assert_int_equal(at(&t, 4), 'S');
    assert_int_equal(CMD(&t, 0, 0, 255, 0, 0x12, 1, 0xb0, 0, 255), 0);
    assert_int_equal(CMD(&t, 0, 0, 255, 0, 0x12, 1, 0xcc, 0, 255), 2);
    assert_int_equal(CMD(&t, 0, 0, 192, 0, 0x1a, 0, 8, 0, 192), 0);
    assert_int_equal(at(&t, 4 + 8 + 2), 4); /* write cache */
    assert_int_equal(CMD(&t, 0, 0, 4096, 0, 0xa0, 0, 0, 0, 0, 0, 0, 0, 16, 0), 0);
    assert_int_equal(at(&t, 3), 8);
    assert_int_equal(CMD(&t, 3, 2, 36, 0, 0x12, 0, 0, 0, 36), 0);
    assert_int_equal(at(&t, 0), 5);
    CMD(&t, 3, 2, 0, 0, 0);
    assert_int_equal(CMD(&t, 3, 2, 8, 0, 0x25), 0);
    assert_int_equal(at(&t, 6) << 8 | at(&t, 7), 2048);
    assert_int_equal(CMD(&t, 3, 2, 20, 0, 0x43, 0, 0, 0, 0, 0, 0, 0, 20, 0), 0);
    assert_int_equal(at(&t, 14), 0xaa);
    assert_int_equal(CMD(&t, 0, 0, 0, 0, 0xee), 2);
    assert_int_equal(t.sense[12], 0x20);
    st_free(&t);
}

static void data(void **st)
{
    struct st t;
    uint8_t a[8192], b[8192] = { 0 };
    st_new(&t);
    CMD(&t, 0, 0, 0, 0, 0);
    for (unsigned i = 0; i < sizeof a; i++) a[i] = (uint8_t)(i * 11 + (i >> 8));
    drv_copy_in(&t.d, t.buf, a, sizeof a);
    assert_int_equal(CMD(&t, 0, 0, 0, 8192, 0x2a, 0, 0, 0, 0, 32, 0, 0, 16), 0);
    assert_int_equal(t.resid, 0);
    assert_int_equal(CMD(&t, 0, 0, 0, 0, 0x35), 0);
    assert_int_equal(blk_pread(t.hd, 32 * 512, b, sizeof b), 0);
    assert_memory_equal(a, b, sizeof a);
    drv_copy_in(&t.d, t.buf, (memset(b, 0, sizeof b), b), sizeof b);
    assert_int_equal(CMD(&t, 0, 0, 8192 + 512, 0, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, 16), 0);
    assert_int_equal(t.resid, 512); /* room for more than was asked */
    drv_copy_out(&t.d, t.buf, b, sizeof b);
    assert_memory_equal(a, b, sizeof a);
    assert_int_equal(CMD(&t, 0, 0, 512, 0, 0x28, 0, 0, 0, 0, 32, 0, 0, 2), 2); /* less */
    assert_int_equal(CMD(&t, 0, 0, 512, 0, 0x28, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 1), 2);
    assert_int_equal(t.sense[12], 0x21);
    assert_int_equal(CMD(&t, 3, 2, 0, 0, 0), 2);
    assert_int_equal(CMD(&t, 3, 2, 0, 2048, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1), 2);
    assert_int_equal(t.sense[2], 7); /* a CD is not written */
    uint8_t um[24] = { 0, 22, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0, 0, 8 };
    drv_copy_in(&t.d, t.buf, um, 24);
    assert_int_equal(CMD(&t, 0, 0, 0, 24, 0x42, 0, 0, 0, 0, 0, 0, 0, 24), 0);
    um[12] = 1; /* beyond the end */
    drv_copy_in(&t.d, t.buf, um, 24);
    assert_int_equal(CMD(&t, 0, 0, 0, 24, 0x42, 0, 0, 0, 0, 0, 0, 0, 24), 2);
    um[3] = 200; /* longer than it is */
    drv_copy_in(&t.d, t.buf, um, 24);
    assert_int_equal(CMD(&t, 0, 0, 0, 24, 0x42, 0, 0, 0, 0, 0, 0, 0, 24), 2);
    drv_copy_in(&t.d, t.buf, (memset(b, 0, sizeof b), b), 512);
    assert_int_equal(CMD(&t, 0, 0, 0, 512, 0x93, 8, 0, 0, 0, 0, 0, 0, 0, 40, 0, 0, 0, 4), 0);
    assert_int_equal(blk_pread(t.hd, 40 * 512, b, 2048), 0);
    for (unsigned i = 0; i < 2048; i++) assert_int_equal(b[i], 0);
    assert_int_equal(CMD(&t, 0, 0, 0, 512, 0x93, 8, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 4), 2);
    st_free(&t);
}

/* A reset of the unit is answered when what was under way has been answered. */
static void tmf(void **st)
{
    struct st t;
    uint16_t id;
    uint32_t len;
    uint8_t h[HEAD] = { 1, 0, 0x40, 0 }, c[24] = { 0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0x40, 0 };
    st_new(&t);
    CMD(&t, 0, 0, 0, 0, 0);
    memcpy(h + 19, (uint8_t[]){ 0x28, 0, 0, 0, 0, 0, 0, 0, 8 }, 9);
    drv_copy_in(&t.d, t.head, h, HEAD);
    struct drv_buf b[] = { { t.head, HEAD, false }, { t.resp, RESP, true }, { t.buf, 4096, true } };
    for (unsigned i = 0; i < 8; i++) drv_add(&t.d, 2, b, 3, false);
    drv_w(&t.d, 0x50, 2);
    uint64_t m = drv_alloc(&t.d, 32);
    drv_copy_in(&t.d, m, c, 24);
    drv_st(&t.d, m + 24, 0xee, 1);
    struct drv_buf k[] = { { m, 24, false }, { m + 24, 1, true } };
    drv_add(&t.d, 0, k, 2, false);
    drv_kick(&t.d, 0);
    assert_false(drv_used(&t.d, 0, 2, &id, &len));
    blk_drain(t.hd);
    for (unsigned i = 0; i < 8; i++) assert_true(drv_used(&t.d, 2, 3, &id, &len));
    assert_true(drv_used(&t.d, 0, 2, &id, &len));
    assert_int_equal(drv_ld(&t.d, m + 24, 1), 0);
    assert_int_equal(CMD(&t, 0, 0, 0, 0, 0), 2); /* told once */
    for (unsigned i = 0; i < 8; i++) drv_add(&t.d, 2, b, 3, false);
    drv_w(&t.d, 0x50, 2);
    drv_add(&t.d, 0, k, 2, false);
    drv_kick(&t.d, 0);
    st_free(&t); /* all of that under way */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(identity), cmocka_unit_test(data), cmocka_unit_test(tmf) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
