/* virtio_test.c: rings of every kind by hand, events, resets, what drivers must not do; virtio-rng and virtio-blk behind virtio-mmio. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>
#include "dev/virtio/test_driver.h"
#include "io/block/blk.h"

static uint64_t rnd(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s >> 8;
}

/* --- a device that answers with what it was sent, or keeps requests ----------------------------------------------------------- */

#define SELF struct echo
struct echo {
    struct virtio v;
    uint8_t conf[16];
    bool keep;
    struct vq_elem *kept[64];
    unsigned nkept, resets;
};

static void echo_handle(struct vq *q)
{
    struct echo *s = (struct echo *)q->v;
    for (struct vq_elem *el; (el = vq_pop(q));) {
        if (s->keep) {
            s->kept[s->nkept++] = el;
            continue;
        }
        uint8_t buf[8192];
        int64_t n = vq_read(el, 0, buf, sizeof buf);
        if (n < 0) {
            virtio_error(q->v, "not in memory");
            vq_drop(el);
            return;
        }
        /* half of it by iovec */
        struct iovec *iov;
        int64_t want = MIN(n, (int64_t)el->in_len), half = want / 2, done = vq_write(el, 0, buf, (uint64_t)half);
        int pieces = vq_iov(el, true, (uint64_t)half, (uint64_t)(want - half), &iov);
        for (int i = 0; i < pieces; i++) {
            memcpy(iov[i].iov_base, buf + done, iov[i].iov_len);
            done += (int64_t)iov[i].iov_len;
        }
        vq_push(el, (uint32_t)done);
        vq_notify(q);
    }
}
static void echo_reset(void *dev) { ((struct echo *)dev)->resets++; }
static const struct reg echo_config[] = { { 0, "bytes", RW, .size = 1, FIELD_ARRAY(conf), .step = 1 } };
static const struct vq_row echo_rows[] = { { "a", .size = 64, .flags = VQ_NOW, .handle = echo_handle }, { "b", .size = 64, .handle = echo_handle } };
static const struct virtio_class echo_class = { .name = "echo", .id = 42, .features = VF(3), VIRTIO_CONFIG(echo_config), .config_size = 16,
                                                VIRTIO_ROWS(echo_rows), .reset = echo_reset };
static int echo_init(void *dev, struct err *e) { return virtio_init(dev, &echo_class, 2, e); }
static const struct device echo_device = {
    VIRTIO_DEVICE("echo", "", "", echo_init, virtio_exit), PROPS(VIRTIO_PROPS), STATE(VIRTIO_STATE),
};
#undef SELF

static void echo_new(struct drv *d)
{
    struct err e = { 0 };
    drv_board(d);
    if (drv_plug(d, &echo_device, "packed=on", &e)) fail_msg("%s", e.msg);
}

static const uint64_t kinds[] = {
    0, VF(VIRTIO_F_EVENT_IDX), VF(VIRTIO_F_INDIRECT_DESC), VF(VIRTIO_F_EVENT_IDX) | VF(VIRTIO_F_INDIRECT_DESC), VF(VIRTIO_F_RING_PACKED),
    VF(VIRTIO_F_RING_PACKED) | VF(VIRTIO_F_EVENT_IDX), VF(VIRTIO_F_RING_PACKED) | VF(VIRTIO_F_EVENT_IDX) | VF(VIRTIO_F_INDIRECT_DESC),
};
static bool has(uint64_t f, unsigned bit) { return f >> bit & 1; }

/* --- negotiation ---------------------------------------------------------------------------------------------------------------- */

static void negotiation(void **st)
{
    struct drv d;
    echo_new(&d);
    assert_int_equal(drv_r(&d, 0), 0x74726976);
    assert_int_equal(drv_r(&d, 4), 2);
    assert_int_equal(drv_r(&d, 8), 42);
    assert_true(drv_offered(&d) & VF(3));
    assert_true(drv_offered(&d) & VF(VIRTIO_F_VERSION_1));
    assert_false(drv_negotiate(&d, VF(3), true));                         /* not without VERSION_1 */
    assert_false(drv_negotiate(&d, VF(VIRTIO_F_VERSION_1) | VF(5), true)); /* not what was not offered */
    drv_ok(&d);
    assert_false(drv_r(&d, 0x70) & VIRTIO_DRIVER_OK);
    assert_true(drv_negotiate(&d, VF(VIRTIO_F_VERSION_1) | VF(3), true));
    drv_w(&d, 0x24, 0);
    drv_w(&d, 0x20, 0); /* too late */
    assert_true(virtio_has(d.v, 3));
    drv_w(&d, 0x30, 1);
    assert_int_equal(drv_r(&d, 0x34), 64);
    drv_w(&d, 0x30, 2);
    assert_int_equal(drv_r(&d, 0x34), 0);
    drv_w(&d, 0x30, 0);
    drv_w(&d, 0x38, 65); /* more than the device allows */
    drv_w(&d, 0x44, 1);
    assert_int_equal(drv_r(&d, 0x44), 0);
    drv_w(&d, 0x38, 33); /* no power of two */
    drv_w(&d, 0x44, 1);
    assert_int_equal(drv_r(&d, 0x44), 0);
    drv_st(&d, DRV_MMIO + 0x103, 0x5a, 1);
    drv_st(&d, DRV_MMIO + 0x104, 0x1122, 2);
    assert_int_equal(drv_ld(&d, DRV_MMIO + 0x100, 4), 0x5a000000);
    assert_int_equal(drv_ld(&d, DRV_MMIO + 0x104, 2), 0x1122);
    assert_int_equal(drv_ld(&d, DRV_MMIO + 0x110, 4), 0); /* behind the configuration */
    drv_free(&d);
}

/* --- data ---------------------------------------------------------------------------------------------------------------------- */

/* Sends `n` random bytes in random pieces and checks the answer. */
static void send_one(struct drv *d, uint64_t *seed, unsigned ring, bool indirect)
{
    struct drv_buf b[32];
    uint8_t out[4096], in[4096] = { 0 };
    unsigned nout = 1 + (unsigned)(rnd(seed) % 6), nin = 1 + (unsigned)(rnd(seed) % 6), total = 0;
    d->brk = DRV_RAM + DRV_DATA;
    for (unsigned i = 0; i < nout; i++) {
        uint32_t len = 1 + (uint32_t)(rnd(seed) % 500);
        b[i] = (struct drv_buf){ drv_alloc(d, len + 7) + rnd(seed) % 8, len, false };
        for (unsigned k = 0; k < len; k++) out[total + k] = (uint8_t)rnd(seed);
        drv_copy_in(d, b[i].addr, out + total, len);
        total += len;
    }
    unsigned room = 0;
    for (unsigned i = 0; i < nin; i++) {
        uint32_t len = 1 + (uint32_t)(rnd(seed) % 600);
        b[nout + i] = (struct drv_buf){ drv_alloc(d, len + 7) + rnd(seed) % 8, len, true };
        room += len;
    }
    uint16_t id = drv_add(d, ring, b, nout + nin, indirect), used;
    uint32_t len, got = 0;
    drv_kick(d, ring);
    assert_true(drv_used(d, ring, indirect ? 1 : nout + nin, &used, &len));
    assert_int_equal(used, id);
    assert_int_equal(len, MIN(total, room));
    for (unsigned i = 0; i < nin && got < len; i++) {
        uint32_t part = MIN(b[nout + i].len, len - got);
        drv_copy_out(d, b[nout + i].addr, in + got, part);
        got += part;
    }
    assert_memory_equal(in, out, len);
}

static void data(void **st)
{
    uint64_t seed = 0x1234567;
    for (unsigned k = 0; k < ARRAY_LEN(kinds); k++) {
        struct drv d;
        echo_new(&d);
        drv_start(&d, kinds[k], 2, 32);
        assert_true(d.v->status & VIRTIO_DRIVER_OK);
        assert_int_equal(d.features & kinds[k], kinds[k]);
        for (unsigned i = 0; i < 400; i++) send_one(&d, &seed, i & 1, has(kinds[k], VIRTIO_F_INDIRECT_DESC) && (rnd(&seed) & 1));
        assert_false(drv_r(&d, 0x70) & VIRTIO_NEEDS_RESET);
        assert_int_equal(d.v->vq[0].inflight + d.v->vq[1].inflight, 0);
        drv_free(&d);
    }
}

/* Interrupts: none while the driver does not want any; with events exactly when the index passes. */
static void suppression(void **st)
{
    for (unsigned k = 0; k < ARRAY_LEN(kinds); k++) {
        struct drv d;
        uint16_t id;
        uint32_t len;
        echo_new(&d);
        drv_start(&d, kinds[k], 1, 8);
        struct drv_ring *r = &d.ring[0];
        struct drv_buf b[] = { { drv_alloc(&d, 16), 16, false }, { drv_alloc(&d, 16), 16, true } };
        bool event = has(kinds[k], VIRTIO_F_EVENT_IDX);
        if (r->packed) drv_st(&d, r->driver + 2, event ? 2 : 1, 2);
        else drv_st(&d, r->driver, event ? 0 : 1, 2);
        for (unsigned i = 0, edges = 0; i < 40; i++) {
            /* tell me when the third from here has been used */
            if (event && i % 3 == 0) {
                if (!r->packed) {
                    drv_st(&d, r->driver + 4 + 2ull * r->size, (uint16_t)(r->used + 2), 2);
                } else {
                    unsigned at = r->used + 4u;
                    bool wrap = at >= r->size ? !r->used_wrap : r->used_wrap;
                    drv_st(&d, r->driver, (at % r->size) | (unsigned)wrap << 15, 2);
                }
            }
            drv_add(&d, 0, b, 2, false);
            drv_kick(&d, 0);
            assert_true(drv_used(&d, 0, 2, &id, &len));
            edges += event && (i % 3 == 2 || i == 0); /* the first one cannot know better */
            assert_int_equal(d.irqs, edges);
            drv_w(&d, 0x64, drv_r(&d, 0x60));
        }
        drv_free(&d);
    }
}

/* --- wrong drivers ------------------------------------------------------------------------------------------------------------------ */

/* After what was done to it: the device wants a reset, told so by a configuration interrupt, and works after it. */
static void broken(struct drv *d, uint64_t kind)
{
    uint64_t seed = 99;
    drv_kick(d, 0);
    assert_true(drv_r(d, 0x70) & VIRTIO_NEEDS_RESET);
    assert_true(drv_r(d, 0x60) & VIRTIO_ISR_CONFIG);
    drv_kick(d, 0);
    drv_start(d, kind, 2, 32);
    assert_false(drv_r(d, 0x70) & VIRTIO_NEEDS_RESET);
    send_one(d, &seed, 0, false);
    drv_start(d, kind, 2, 32); /* rings as new for the next */
}

static void malformed_split(void **st)
{
    struct drv d;
    const uint64_t k = VF(VIRTIO_F_INDIRECT_DESC);
    echo_new(&d);
    drv_start(&d, k, 2, 32);
    struct drv_ring *r = &d.ring[0];
    uint64_t a = drv_alloc(&d, 64);
    struct drv_buf b[] = { { a, 16, false }, { a + 32, 16, true } };
    drv_add(&d, 0, b, 2, false); /* a loop */
    drv_desc(&d, r->desc + 16, a, 16, D_NEXT | D_WRITE, 0);
    broken(&d, k);
    drv_add(&d, 0, b, 2, false); /* out of the table */
    drv_desc(&d, r->desc, a, 16, D_NEXT, 32);
    broken(&d, k);
    drv_add(&d, 0, b, 2, false); /* no such head */
    drv_st(&d, r->driver + 4, 0xffff, 2);
    broken(&d, k);
    drv_add(&d, 0, b, 2, false); /* more than the ring holds */
    drv_st(&d, r->driver + 2, 33, 2);
    broken(&d, k);
    struct drv_buf order[] = { { a + 32, 16, true }, { a, 16, false } };
    drv_add(&d, 0, order, 2, false);
    broken(&d, k);
    struct drv_buf nowhere[] = { { 0x40000000, 16, false }, { a, 16, true } }, mmio[] = { { DRV_MMIO, 16, false }, { a, 16, true } };
    drv_add(&d, 0, nowhere, 2, false);
    broken(&d, k);
    drv_add(&d, 0, mmio, 2, false); /* device registers are not memory */
    broken(&d, k);
    struct drv_buf huge[] = { { a, 0xffffffff, false }, { a, 0xffffffff, true } }, end[] = { { UINT64_MAX - 3, 16, false } };
    drv_add(&d, 0, huge, 2, false);
    broken(&d, k);
    drv_add(&d, 0, end, 1, false);
    broken(&d, k);
    drv_add(&d, 0, b, 2, true); /* indirect in indirect */
    drv_desc(&d, drv_ld(&d, r->desc, 8), a, 16, D_INDIRECT, 0);
    broken(&d, k);
    drv_add(&d, 0, b, 2, true); /* a table of odd length, of none, of too many, next to it another */
    drv_st(&d, r->desc + 8, 17, 4);
    broken(&d, k);
    drv_add(&d, 0, b, 2, true);
    drv_st(&d, r->desc + 8, 0, 4);
    broken(&d, k);
    drv_add(&d, 0, b, 2, true);
    drv_st(&d, r->desc + 8, 16 * (VQ_MAX + 1), 4);
    broken(&d, k);
    drv_add(&d, 0, b, 2, true);
    drv_st(&d, r->desc + 12, D_INDIRECT | D_NEXT, 2);
    broken(&d, k);
    drv_negotiate(&d, VF(VIRTIO_F_VERSION_1), false); /* indirect without the feature */
    drv_ring(&d, 0, 32);
    drv_ok(&d);
    drv_add(&d, 0, b, 2, true);
    broken(&d, k);
    drv_negotiate(&d, k | VF(VIRTIO_F_VERSION_1), false); /* a ring that is nowhere */
    drv_w(&d, 0x30, 0);
    drv_w(&d, 0x80, 0x40000000);
    drv_w(&d, 0x44, 1);
    drv_ok(&d);
    broken(&d, k);
    drv_free(&d);
}

static void malformed_packed(void **st)
{
    struct drv d;
    const uint64_t k = VF(VIRTIO_F_RING_PACKED) | VF(VIRTIO_F_INDIRECT_DESC);
    echo_new(&d);
    drv_start(&d, k, 2, 32);
    struct drv_ring *r = &d.ring[0];
    uint64_t a = drv_alloc(&d, 64);
    struct drv_buf b[] = { { a, 16, false }, { a + 32, 16, true } }, order[] = { { a + 32, 16, true }, { a, 16, false } };
    drv_add(&d, 0, b, 2, false);
    for (unsigned i = 0; i < 32; i++) drv_st(&d, r->desc + 16 * i + 14, drv_packed_flags(r, D_NEXT), 2); /* a chain without end */
    broken(&d, k);
    drv_add(&d, 0, order, 2, false);
    broken(&d, k);
    drv_add(&d, 0, b, 2, true);
    drv_st(&d, r->desc + 8, 5, 4);
    broken(&d, k);
    drv_add(&d, 0, b, 2, true);
    drv_st(&d, r->desc + 14, drv_packed_flags(r, D_INDIRECT | D_NEXT), 2);
    broken(&d, k);
    drv_add(&d, 0, b, 2, true);
    drv_st(&d, r->desc, 0x40000000, 8);
    broken(&d, k);
    drv_free(&d);
}

/* A chain as long as allowed, and requests by the hundred: several runs, none lost. */
static void budgets(void **st)
{
    struct drv d;
    uint16_t id;
    uint32_t len;
    echo_new(&d);
    drv_start(&d, VF(VIRTIO_F_INDIRECT_DESC), 2, 64);
    uint64_t a = drv_alloc(&d, 8192), table = drv_alloc(&d, 16 * VQ_MAX);
    for (unsigned i = 0; i < VQ_MAX; i++) /* 1024 spans of 4 bytes */
        drv_desc(&d, table + 16 * i, a + 4 * i, 4, (uint16_t)((i >= VQ_MAX / 2 ? D_WRITE : 0) | (i + 1 < VQ_MAX ? D_NEXT : 0)), (uint16_t)(i + 1));
    for (unsigned n = 0; n < 64; n++) {
        drv_desc(&d, d.ring[1].desc + 16 * n, table, 16 * VQ_MAX, D_INDIRECT, 0);
        drv_st(&d, d.ring[1].driver + 4 + 2 * n, n, 2);
    }
    drv_st(&d, d.ring[1].driver + 2, 64, 2);
    drv_w(&d, 0x50, 1);
    assert_false(drv_used(&d, 1, 1, &id, &len)); /* the loop's to do */
    unsigned rounds = 0, n = 0;
    while (n < 64 && rounds++ < 64) {
        loop_once(d.b.loop, false);
        while (drv_used(&d, 1, 1, &id, &len)) {
            assert_int_equal(len, VQ_MAX / 2 * 4);
            n++;
        }
    }
    assert_int_equal(n, 64);
    assert_true(rounds > 1);
    drv_free(&d);
}

/* --- resets --------------------------------------------------------------------------------------------------------------------------- */

static void in_flight(void **st)
{
    for (unsigned k = 0; k < ARRAY_LEN(kinds); k++) {
        struct drv d;
        uint16_t id;
        uint32_t len;
        uint64_t seed = 5;
        echo_new(&d);
        struct echo *s = (struct echo *)d.v;
        drv_start(&d, kinds[k] | VF(VIRTIO_F_RING_RESET), 2, 32);
        struct drv_buf b[] = { { drv_alloc(&d, 16), 16, false }, { drv_alloc(&d, 16), 16, true } };
        s->keep = true;
        for (unsigned i = 0; i < 4; i++) drv_add(&d, i & 1, b, 2, false);
        drv_kick(&d, 0);
        drv_kick(&d, 1);
        assert_int_equal(s->nkept, 4);
        drv_w(&d, 0x30, 1); /* one queue */
        drv_w(&d, 0xc0, 1);
        assert_int_equal(drv_r(&d, 0xc0), 1); /* until its requests are back */
        assert_int_equal(drv_r(&d, 0x44), 0);
        for (unsigned i = 0; i < 4; i++)
            if (s->kept[i]->q->index == 1) {
                assert_int_equal(vq_write(s->kept[i], 0, "xxxx", 4), -EFAULT);
                vq_push(s->kept[i], 4);
                s->kept[i] = NULL;
            }
        assert_int_equal(drv_r(&d, 0xc0), 0);
        assert_false(drv_used(&d, 1, 2, &id, &len));
        drv_w(&d, 0x70, 0); /* all */
        assert_int_not_equal(drv_r(&d, 0x70), 0);
        for (unsigned i = 0; i < 4; i++)
            if (s->kept[i]) vq_push(s->kept[i], 4);
        assert_int_equal(drv_r(&d, 0x70), 0);
        assert_false(drv_used(&d, 0, 2, &id, &len));
        assert_int_equal(d.v->vq[0].stale, 0);
        s->keep = false;
        drv_start(&d, kinds[k], 2, 32);
        send_one(&d, &seed, 0, false);
        /* back as if never popped */
        s->keep = true;
        s->nkept = 0;
        drv_add(&d, 0, b, 2, false);
        drv_add(&d, 0, b, 2, false);
        drv_kick(&d, 0);
        assert_int_equal(s->nkept, 2);
        vq_unpop(s->kept[1]);
        vq_unpop(s->kept[0]);
        s->keep = false;
        drv_kick(&d, 0);
        assert_true(drv_used(&d, 0, 2, &id, &len));
        assert_true(drv_used(&d, 0, 2, &id, &len));
        drv_free(&d);
    }
}

static void saved(void **st)
{
    struct drv d, to;
    struct state_out o = { 0 };
    struct err e = { 0 };
    uint64_t seed = 77;
    echo_new(&d);
    drv_start(&d, kinds[6], 2, 32);
    for (unsigned i = 0; i < 37; i++) send_one(&d, &seed, 0, i & 1);
    dev_save(d.dev, &o);
    echo_new(&to);
    struct state_in in = { .buf = o.buf, .len = o.len };
    if (dev_load(to.dev, &in, &e)) fail_msg("%s", e.msg);
    uint8_t *all = malloc(DRV_RAM_SIZE);
    ram_read(d.ram, 0, all, DRV_RAM_SIZE);
    ram_write(to.ram, 0, all, DRV_RAM_SIZE);
    free(all);
    to.features = d.features;
    memcpy(to.ring, d.ring, sizeof d.ring);
    for (unsigned i = 0; i < 37; i++) send_one(&to, &seed, 0, i & 1);
    state_out_free(&o);
    drv_free(&d);
    drv_free(&to);
}

/* --- virtio-rng, virtio-blk --------------------------------------------------------------------------------------------------------------- */

static void rng(void **st)
{
    struct drv d;
    struct err e = { 0 };
    uint16_t id;
    uint32_t len;
    uint8_t a[64] = { 0 }, zero[64] = { 0 };
    drv_board(&d);
    assert_int_equal(drv_plug(&d, device_find("virtio-rng-device"), "max-bytes=40,period=1000000", &e), 0);
    drv_start(&d, 0, 1, 8);
    struct drv_buf b = { drv_alloc(&d, 64), 32, true };
    drv_add(&d, 0, &b, 1, false);
    drv_add(&d, 0, &b, 1, false);
    drv_add(&d, 0, &b, 1, false);
    drv_kick(&d, 0);
    assert_true(drv_used(&d, 0, 1, &id, &len));
    assert_int_equal(len, 32);
    drv_copy_out(&d, b.addr, a, 32);
    assert_memory_not_equal(a, zero, 32);
    assert_true(drv_used(&d, 0, 1, &id, &len));
    assert_int_equal(len, 8); /* the period's rest */
    assert_false(drv_used(&d, 0, 1, &id, &len));
    clock_warp(&d.clock, 1000000ull * NS_PER_MS);
    drv_poll(&d);
    assert_true(drv_used(&d, 0, 1, &id, &len));
    drv_free(&d);
}

static struct blk *blk_of(void *ctx, const char *name, struct err *e) { return ctx; }

struct disk {
    struct drv d;
    struct blk_graph *g;
    struct blk *b;
    struct dev_resolver r;
    uint64_t hdr, buf, status;
};

static uint8_t disk_do(struct disk *k, uint32_t type, uint64_t sector, uint32_t bytes, bool write, uint32_t *len)
{
    uint16_t id;
    drv_st(&k->d, k->hdr, type, 8);
    drv_st(&k->d, k->hdr + 8, sector, 8);
    drv_st(&k->d, k->status, 0xee, 1);
    struct drv_buf b[] = { { k->hdr, 16, false }, { k->buf, bytes, write }, { k->status, 1, true } };
    if (!bytes) b[1] = b[2];
    unsigned n = bytes ? 3 : 2;
    drv_add(&k->d, 0, b, n, false);
    drv_kick(&k->d, 0);
    for (unsigned i = 0; i < 10000; i++) {
        blk_graph_poll(k->g);
        if (drv_used(&k->d, 0, n, &id, len)) return (uint8_t)drv_ld(&k->d, k->status, 1);
        blk_drain(k->b);
    }
    fail_msg("no answer");
    return 0xff;
}

static void disk_new(struct disk *k, const char *props, bool packed)
{
    struct err e = { 0 };
    char path[] = "/tmp/lyre-virtio-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && !ftruncate(fd, 1 << 20));
    close(fd);
    drv_board(&k->d);
    k->g = blk_graph_new();
    k->b = blk_open_file(k->g, path, "raw", BLK_RDWR | BLK_AIO_THREADS, &e);
    unlink(path);
    assert_non_null(k->b);
    k->r = (struct dev_resolver){ .blk = blk_of, .ctx = k->b };
    dev_resolve_with(&k->d.b, &k->r);
    if (drv_plug(&k->d, device_find("virtio-blk-device"), props, &e)) fail_msg("%s", e.msg);
    drv_start(&k->d, ~0ull & ~(packed ? 0 : VF(VIRTIO_F_RING_PACKED)), 1, 32);
    k->hdr = drv_alloc(&k->d, 16);
    k->buf = drv_alloc(&k->d, 65536);
    k->status = drv_alloc(&k->d, 1);
}
static void disk_free(struct disk *k)
{
    struct err e;
    drv_free(&k->d);
    blk_free(k->b, &e);
    blk_graph_free(k->g);
}

static void disk(void **st)
{
    for (unsigned packed = 0; packed < 2; packed++) {
        struct disk k;
        uint32_t len;
        uint8_t a[4096], b[4096];
        disk_new(&k, "drive=x,serial=SN-1234,packed=on", packed);
        assert_int_equal(drv_ld(&k.d, DRV_MMIO + 0x100, 8), (1 << 20) / 512);
        for (unsigned i = 0; i < sizeof a; i++) a[i] = (uint8_t)(i * 7 + i / 256);
        drv_copy_in(&k.d, k.buf, a, sizeof a);
        assert_int_equal(disk_do(&k, 1, 16, 4096, false, &len), 0);
        assert_int_equal(len, 1);
        assert_int_equal(disk_do(&k, 4, 0, 0, false, &len), 0);
        memset(b, 0, sizeof b);
        drv_copy_in(&k.d, k.buf, b, sizeof b);
        assert_int_equal(disk_do(&k, 0, 16, 4096, true, &len), 0);
        assert_int_equal(len, 4097);
        drv_copy_out(&k.d, k.buf, b, sizeof b);
        assert_memory_equal(a, b, sizeof a);
        assert_int_equal(disk_do(&k, 8, 0, 20, true, &len), 0); /* serial number */
        drv_copy_out(&k.d, k.buf, b, 20);
        assert_string_equal((char *)b, "SN-1234");
        assert_int_equal(disk_do(&k, 0, 2047, 1024, true, &len), 1); /* beyond the end */
        assert_int_equal(disk_do(&k, 0, UINT64_MAX / 256, 512, true, &len), 1);
        assert_int_equal(disk_do(&k, 0, 0, 100, true, &len), 1);   /* no whole sector */
        assert_int_equal(disk_do(&k, 77, 0, 512, true, &len), 2);
        drv_st(&k.d, k.buf, 16, 8); /* zeroes */
        drv_st(&k.d, k.buf + 8, 8, 8);
        assert_int_equal(disk_do(&k, 13, 0, 16, false, &len), 0);
        drv_copy_in(&k.d, k.buf, a, sizeof a);
        assert_int_equal(disk_do(&k, 0, 16, 4096, true, &len), 0);
        drv_copy_out(&k.d, k.buf, b, sizeof b);
        for (unsigned i = 0; i < sizeof b; i++) assert_int_equal(b[i], 0);
        drv_st(&k.d, k.buf, 16, 8);
        drv_st(&k.d, k.buf + 8, 8, 8);
        assert_int_equal(disk_do(&k, 11, 0, 16, false, &len), 0);
        drv_st(&k.d, k.buf + 12, 1, 4); /* discard has no flags */
        assert_int_equal(disk_do(&k, 11, 0, 16, false, &len), 2);
        disk_free(&k);
    }
}

/* A reset while transfers are under way: they end, nothing is answered, the device works. */
static void disk_reset(void **st)
{
    struct disk k;
    uint32_t len;
    disk_new(&k, "drive=x", false);
    drv_st(&k.d, k.hdr, 0, 8);
    drv_st(&k.d, k.hdr + 8, 0, 8);
    struct drv_buf b[] = { { k.hdr, 16, false }, { k.buf, 65536, true }, { k.status, 1, true } };
    for (unsigned i = 0; i < 10; i++) drv_add(&k.d, 0, b, 3, false);
    drv_w(&k.d, 0x50, 0);
    drv_w(&k.d, 0x70, 0);
    assert_int_not_equal(drv_r(&k.d, 0x70), 0);
    blk_drain(k.b);
    assert_int_equal(drv_r(&k.d, 0x70), 0);
    assert_int_equal(drv_ld(&k.d, k.d.ring[0].device + 2, 2), 0);
    drv_start(&k.d, 0, 1, 32);
    assert_int_equal(disk_do(&k, 0, 0, 512, true, &len), 0);
    for (unsigned i = 0; i < 10; i++) drv_add(&k.d, 0, b, 3, false);
    drv_w(&k.d, 0x50, 0);
    disk_free(&k); /* in flight */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(negotiation), cmocka_unit_test(data), cmocka_unit_test(suppression), cmocka_unit_test(malformed_split),
        cmocka_unit_test(malformed_packed), cmocka_unit_test(budgets), cmocka_unit_test(in_flight), cmocka_unit_test(saved),
        cmocka_unit_test(rng), cmocka_unit_test(disk), cmocka_unit_test(disk_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
