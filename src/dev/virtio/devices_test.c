/* devices_test.c: virtio-net, virtio-serial, virtio-balloon, virtio-input, virtio-gpu behind virtio-mmio, with a driver made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/input-event-codes.h>
#include "dev/virtio/test_driver.h"
#include "dev/virtio/balloon.h"
#include "dev/net/offload.h"
#include "io/char/chr.h"
#include "io/display/display.h"
#include "io/net/net.h"

/* --- virtio-net: a hub with a port of the test's own at the other side ------------------------------------------------------ */

struct other {
    struct net_port *port;
    uint8_t frame[64][2048];
    size_t len[64];
    unsigned n;
    bool full;
};
struct nic {
    struct drv d;
    struct net_set *set;
    struct other o;
    struct dev_resolver r;
    uint64_t rxbuf[64];
};

static bool other_recv(void *ctx, const struct iovec *iov, unsigned n)
{
    struct other *o = ctx;
    if (o->full) return false;
    assert_true(o->n < 64);
    o->len[o->n] = iov_copy(iov, n, 0, o->frame[o->n], 2048);
    o->n++;
    return true;
}
static bool other_can(void *ctx) { return !((struct other *)ctx)->full; }
static const struct net_client other_client = { .recv = other_recv, .can_recv = other_can };
static struct net_port *net_of(void *ctx, const char *name, struct err *e) { return net_find(ctx, name); }

static void nic_new(struct nic *c, const char *props)
{
    struct err e = { 0 };
    uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };
    memset(c, 0, sizeof *c);
    drv_board(&c->d);
    c->set = net_set_new(c->d.b.loop, NULL);
    assert_int_equal(net_new_text(c->set, "hubport,id=h0,hubid=0", &e), 0);
    assert_int_equal(net_new_text(c->set, "hubport,id=h1,hubid=0", &e), 0);
    if (net_nic_new(net_find(c->set, "h1"), "other", "test", mac, &other_client, &c->o, &c->o.port, &e)) fail_msg("%s", e.msg);
    c->r = (struct dev_resolver){ .net = net_of, .ctx = c->set };
    dev_resolve_with(&c->d.b, &c->r);
    if (drv_plug(&c->d, device_find("virtio-net-device"), props, &e)) fail_msg("%s", e.msg);
}
static void nic_free(struct nic *c)
{
    net_port_free(c->o.port);
    while (c->d.b.devs->next) {
        struct dev *last = c->d.b.devs;
        while (last->next) last = last->next;
        dev_free(last);
    }
    net_set_free(c->set);
    drv_free(&c->d);
}

static void frame_make(uint8_t *f, size_t n, uint8_t to)
{
    static const uint8_t mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
    for (size_t i = 0; i < n; i++) f[i] = (uint8_t)(i * 3);
    memcpy(f, mac, 6);
    f[5] = to;
    memset(f + 6, 2, 6);
    f[12] = 0x88, f[13] = 0xb5;
}
static void send_frame(struct nic *c, const uint8_t *hdr, const uint8_t *f, size_t n)
{
    struct drv_buf b[] = { { drv_alloc(&c->d, 12), 12, false }, { drv_alloc(&c->d, n), (uint32_t)n, false } };
    drv_copy_in(&c->d, b[0].addr, hdr, 12);
    drv_copy_in(&c->d, b[1].addr, f, n);
    drv_add(&c->d, 1, b, 2, false);
    drv_kick(&c->d, 1);
}

static void net_tx_rx(void **st)
{
    struct nic c;
    uint8_t f[1514], back[2048], hdr[12] = { 0 };
    uint16_t id;
    uint32_t len;
    for (unsigned merge = 0; merge < 2; merge++) {
        nic_new(&c, "netdev=h0,mac=52:54:00:12:34:56");
        assert_int_equal(drv_ld(&c.d, DRV_MMIO + 0x105, 1), 0x56);
        drv_start(&c.d, ~0ull & ~VF(VIRTIO_F_RING_PACKED) & ~(merge ? 0 : VF(15)), 3, 64);
        frame_make(f, sizeof f, 0x77);
        send_frame(&c, hdr, f, sizeof f);
        assert_int_equal(c.o.n, 1);
        assert_int_equal(c.o.len[0], sizeof f);
        assert_memory_equal(c.o.frame[0], f, sizeof f);
        assert_true(drv_used(&c.d, 1, 2, &id, &len));
        /* without buffers a frame waits */
        frame_make(f, sizeof f, 0x56);
        net_send_buf(c.o.port, f, sizeof f);
        drv_poll(&c.d);
        unsigned bytes = merge ? 600 : 2048;
        for (unsigned i = 0; i < 6; i++) {
            struct drv_buf b = { c.rxbuf[i] = drv_alloc(&c.d, bytes), bytes, true };
            drv_add(&c.d, 0, &b, 1, false);
        }
        drv_kick(&c.d, 0);
        unsigned got = 0, n = 0, parts = merge ? 3 : 1;
        while (drv_used(&c.d, 0, 1, &id, &len)) {
            drv_copy_out(&c.d, c.rxbuf[n++], back + got, len);
            got += len;
        }
        assert_int_equal(n, parts);
        assert_int_equal(got, sizeof f + 12);
        assert_int_equal(pci_get16(back + 10), parts);
        assert_memory_equal(back + 12, f, sizeof f);
        assert_true(drv_r(&c.d, 0x60) & 1);
        /* a peer that is full: the ring waits, then goes on */
        c.o.full = true;
        for (unsigned i = 0; i < 10; i++) send_frame(&c, hdr, f, 60);
        c.o.full = false;
        net_ready(c.o.port);
        drv_poll(&c.d);
        assert_int_equal(c.o.n, 11);
        nic_free(&c);
    }
}

static uint8_t ctrl(struct nic *c, uint8_t class, uint8_t cmd, const void *data, uint32_t n)
{
    uint8_t h[2] = { class, cmd };
    uint16_t id;
    uint32_t len;
    struct drv_buf b[] = { { drv_alloc(&c->d, 2), 2, false }, { drv_alloc(&c->d, n), n, false }, { drv_alloc(&c->d, 1), 1, true } };
    drv_copy_in(&c->d, b[0].addr, h, 2);
    drv_copy_in(&c->d, b[1].addr, data, n);
    drv_add(&c->d, 2, b, 3, false);
    drv_kick(&c->d, 2);
    assert_true(drv_used(&c->d, 2, 3, &id, &len));
    return (uint8_t)drv_ld(&c->d, b[2].addr, 1);
}

static bool arrives(struct nic *c, uint8_t *f, size_t n)
{
    uint16_t id;
    uint32_t len;
    struct drv_buf b = { drv_alloc(&c->d, 2048), 2048, true };
    drv_add(&c->d, 0, &b, 1, false);
    drv_kick(&c->d, 0);
    net_send_buf(c->o.port, f, n);
    drv_poll(&c->d);
    return drv_used(&c->d, 0, 1, &id, &len);
}

static void net_filter(void **st)
{
    struct nic c;
    uint8_t f[64], one = 1, zero = 0;
    nic_new(&c, "netdev=h0,mac=52:54:00:12:34:56");
    drv_start(&c.d, ~0ull & ~VF(VIRTIO_F_RING_PACKED), 3, 64);
    frame_make(f, sizeof f, 0x99);
    assert_true(arrives(&c, f, sizeof f)); /* all at first */
    assert_int_equal(ctrl(&c, 0, 0, &zero, 1), 0);
    assert_false(arrives(&c, f, sizeof f));
    frame_make(f, sizeof f, 0x56);
    assert_true(arrives(&c, f, sizeof f));
    f[0] = 0x33; /* a group */
    assert_false(arrives(&c, f, sizeof f));
    uint8_t table[4 + 4 + 6] = { 0, 0, 0, 0, 1 };
    memcpy(table + 8, f, 6);
    assert_int_equal(ctrl(&c, 1, 0, table, sizeof table), 0);
    assert_true(arrives(&c, f, sizeof f));
    table[4] = 200; /* says more than there is */
    assert_int_equal(ctrl(&c, 1, 0, table, sizeof table), 1);
    pci_put32(table, 0xffffffff);
    assert_int_equal(ctrl(&c, 1, 0, table, sizeof table), 1);
    memset(f, 0xff, 6);
    assert_true(arrives(&c, f, sizeof f));
    assert_int_equal(ctrl(&c, 0, 5, &one, 1), 0);
    assert_false(arrives(&c, f, sizeof f));
    uint8_t mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0xaa };
    assert_int_equal(ctrl(&c, 1, 1, mac, 6), 0);
    frame_make(f, sizeof f, 0xaa);
    assert_true(arrives(&c, f, sizeof f));
    f[12] = 0x81, f[13] = 0, f[14] = 0, f[15] = 5; /* VLAN 5 */
    assert_false(arrives(&c, f, sizeof f));
    assert_int_equal(ctrl(&c, 2, 0, "\5\0", 2), 0);
    assert_true(arrives(&c, f, sizeof f));
    assert_int_equal(ctrl(&c, 2, 0, "\0\x10", 2), 1);
    assert_int_equal(ctrl(&c, 77, 0, &one, 1), 1);
    nic_free(&c);
}

static uint32_t plain_sum(const uint8_t *b, size_t n, uint32_t s)
{
    for (size_t i = 0; i < n; i++) s += i & 1 ? b[i] : (uint32_t)b[i] << 8;
    while (s >> 16) s = (s & 0xffff) + (s >> 16);
    return s;
}

/* 4000 bytes of TCP: three segments with right sums, numbers and flags. */
static void net_tso(void **st)
{
    struct nic c;
    uint8_t f[54 + 4000];
    nic_new(&c, "netdev=h0,mac=52:54:00:12:34:56");
    drv_start(&c.d, ~0ull & ~VF(VIRTIO_F_RING_PACKED), 3, 64);
    assert_true(virtio_has(c.d.v, 11) && virtio_has(c.d.v, 0));
    frame_make(f, sizeof f, 0x11);
    f[12] = 8, f[13] = 0;
    uint8_t ip[20] = { 0x45, 0, 0, 0, 0x12, 0x34, 0x40, 0, 64, 6, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2 };
    uint8_t tcp[20] = { 0x12, 0x34, 0, 80, 0xff, 0xff, 0xfe, 0, 0, 0, 0, 1, 0x50, 0x99 /* CWR, ACK, PSH, FIN */, 0x10, 0 };
    memcpy(f + 14, ip, 20);
    memcpy(f + 34, tcp, 20);
    uint8_t hdr[12] = { NET_HDR_NEEDS_CSUM, NET_GSO_TCPV4, 54, 0, 1460 & 255, 1460 >> 8, 34, 0, 16, 0 };
    send_frame(&c, hdr, f, sizeof f);
    assert_int_equal(c.o.n, 3);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *g = c.o.frame[i];
        unsigned part = i < 2 ? 1460 : 4000 - 2920;
        assert_int_equal(c.o.len[i], 54 + part);
        assert_int_equal(g[16] << 8 | g[17], 40 + part);
        assert_int_equal(g[18] << 8 | g[19], 0x1234 + i);
        assert_int_equal(plain_sum(g + 14, 20, 0), 0xffff);
        assert_int_equal(plain_sum(g + 34, 20 + part, plain_sum(g + 26, 8, 6 + 20 + part)), 0xffff);
        uint32_t seq = (uint32_t)g[38] << 24 | (uint32_t)g[39] << 16 | (uint32_t)g[40] << 8 | g[41];
        assert_int_equal(seq, 0xfffffe00u + 1460 * i);
        assert_int_equal(g[47], i == 0 ? 0x90 : i == 1 ? 0x10 : 0x19);
        for (unsigned k = 0; k < part; k++) assert_int_equal(g[54 + k], (uint8_t)((54 + 1460 * i + k) * 3));
    }
    /* the sum only; what does not fit is dropped */
    c.o.n = 0;
    uint8_t sum[12] = { NET_HDR_NEEDS_CSUM, 0, 0, 0, 0, 0, 34, 0, 16, 0 };
    uint32_t pseudo = plain_sum(f + 26, 8, 6 + 20 + 101);
    f[50] = (uint8_t)(pseudo >> 8), f[51] = (uint8_t)pseudo;
    f[16] = 0, f[17] = 141;
    send_frame(&c, sum, f, 54 + 101);
    assert_int_equal(c.o.n, 1);
    assert_int_equal(plain_sum(c.o.frame[0] + 34, 121, plain_sum(f + 26, 8, 6 + 121)), 0xffff);
    struct iovec iov = { c.o.frame[0], c.o.len[0] };
    assert_true(net_csum_good(&iov, 1));
    c.o.frame[0][60] ^= 1;
    assert_false(net_csum_good(&iov, 1));
    sum[6] = 250;
    send_frame(&c, sum, f, 54 + 101);
    hdr[4] = 1, hdr[5] = 0; /* segments of one byte */
    send_frame(&c, hdr, f, sizeof f);
    hdr[4] = 200;
    f[46] = 0xf0; /* a TCP header longer than the frame */
    send_frame(&c, hdr, f, 90);
    assert_int_equal(c.o.n, 1);
    nic_free(&c);
}

/* --- virtio-serial ---------------------------------------------------------------------------------------------------------------- */

struct serial_test {
    struct drv d;
    struct chr_set *set;
    struct dev_resolver r;
    unsigned messages;
};
static struct chr *chr_named(void *ctx, const char *name, struct err *e) { return chr_find(ctx, name); }

static bool message(struct serial_test *s, uint8_t *b)
{
    uint16_t id;
    uint32_t len;
    drv_poll(&s->d);
    if (!drv_used(&s->d, 2, 1, &id, &len)) return false;
    drv_copy_out(&s->d, drv_ld(&s->d, s->d.ring[2].desc + 16ull * id, 8), b, len);
    b[len] = 0;
    s->messages++;
    return true;
}
static void say(struct serial_test *s, uint32_t nr, uint16_t event, uint16_t value)
{
    uint8_t b[8];
    struct drv_buf buf = { drv_alloc(&s->d, 8), 8, false };
    pci_put32(b, nr);
    pci_put16(b + 4, event);
    pci_put16(b + 6, value);
    drv_copy_in(&s->d, buf.addr, b, 8);
    drv_add(&s->d, 3, &buf, 1, false);
    drv_kick(&s->d, 3);
}

static void serial(void **st)
{
    struct serial_test s = { 0 };
    struct err e = { 0 };
    uint8_t b[256];
    uint16_t id;
    uint32_t len;
    drv_board(&s.d);
    s.set = chr_set_new(s.d.b.loop, NULL);
    assert_int_equal(chr_new_text(s.set, "ringbuf,id=con", NULL, &e), 0);
    assert_int_equal(chr_new_text(s.set, "ringbuf,id=chan", NULL, &e), 0);
    s.r = (struct dev_resolver){ .chr = chr_named, .ctx = s.set };
    dev_resolve_with(&s.d.b, &s.r);
    if (drv_plug(&s.d, device_find("virtio-serial-device"), NULL, &e)) fail_msg("%s", e.msg);
    struct bus *bus = bus_find(&s.d.b, "virtio-serial-bus", NULL, &e);
    struct dev *con = dev_new(&s.d.b, device_find("virtconsole"), "c0", &e), *ch = dev_new(&s.d.b, device_find("virtserialport"), "p0", &e);
    assert_int_equal(dev_set_list(con, "chardev=con", &e) | dev_realize(con, bus, &e), 0);
    assert_int_equal(dev_set_list(ch, "chardev=chan,name=org.test.0", &e) | dev_realize(ch, bus, &e), 0);
    struct dev *bad = dev_new(&s.d.b, device_find("virtserialport"), NULL, &e);
    assert_int_equal(dev_set_list(bad, "nr=0", &e), 0);
    assert_int_equal(dev_realize(bad, bus, &e), -EINVAL);
    dev_free(bad);
    drv_start(&s.d, ~0ull & ~VF(VIRTIO_F_RING_PACKED), 6, 16);
    for (unsigned i = 0; i < 12; i++) {
        struct drv_buf buf = { drv_alloc(&s.d, 64), 64, true };
        drv_add(&s.d, 2, &buf, 1, false);
    }
    drv_kick(&s.d, 2);
    say(&s, 0, 0, 1); /* ready */
    assert_true(message(&s, b) && pci_get16(b + 4) == 1 && b[0] == 0);
    assert_true(message(&s, b) && pci_get16(b + 4) == 1 && b[0] == 1);
    assert_false(message(&s, b));
    say(&s, 0, 3, 1);
    assert_true(message(&s, b) && pci_get16(b + 4) == 4);
    assert_true(message(&s, b) && pci_get16(b + 4) == 6);
    say(&s, 1, 3, 1);
    assert_true(message(&s, b) && pci_get16(b + 4) == 7);
    assert_string_equal((char *)b + 8, "org.test.0");
    message(&s, b); /* open: somebody is at the ring buffer */
    say(&s, 99, 3, 1); /* no such port */
    say(&s, 0, 6, 1);
    struct drv_buf out = { drv_alloc(&s.d, 16), 5, false };
    drv_copy_in(&s.d, out.addr, "hello", 5);
    drv_add(&s.d, 1, &out, 1, false);
    drv_kick(&s.d, 1);
    assert_true(drv_used(&s.d, 1, 1, &id, &len));
    size_t n;
    assert_int_equal(chr_ringbuf_read(chr_find(s.set, "con"), b, 64, &n, &e), 0);
    assert_int_equal(n, 5);
    assert_memory_equal(b, "hello", 5);
    dev_free(ch); /* hot-unplug */
    assert_true(message(&s, b) && pci_get16(b + 4) == 2 && b[0] == 1);
    /* the adapter goes while the guest uses it and a port is plugged in: nobody is told */
    unsigned irqs = s.d.irqs;
    drv_w(&s.d, 0x64, 3);
    dev_free(s.d.dev);
    assert_int_equal(s.d.irqs, irqs);
    assert_false(s.d.level);
    while (s.d.b.devs->next) {
        struct dev *last = s.d.b.devs;
        while (last->next) last = last->next;
        dev_free(last);
    }
    chr_set_free(s.set);
    drv_free(&s.d);
}

/* --- virtio-balloon, virtio-input, virtio-gpu -------------------------------------------------------------------------------------------- */

static void balloon(void **st)
{
    struct drv d;
    struct err e = { 0 };
    uint16_t id;
    uint32_t len;
    drv_board(&d);
    if (drv_plug(&d, device_find("virtio-balloon-device"), NULL, &e)) fail_msg("%s", e.msg);
    assert_true(is_balloon(d.dev));
    drv_start(&d, ~0ull & ~VF(VIRTIO_F_RING_PACKED), 3, 16);
    balloon_set(d.dev, 8 << 20);
    assert_int_equal(drv_ld(&d, DRV_MMIO + 0x100, 4), 2048);
    assert_true(drv_r(&d, 0x60) & VIRTIO_ISR_CONFIG);
    drv_st(&d, DRV_RAM + 0x800000, 0x1234, 8);
    drv_st(&d, DRV_RAM + 0x801000, 0x1234, 8);
    struct drv_buf b = { drv_alloc(&d, 8), 8, false };
    drv_st(&d, b.addr, (DRV_RAM + 0x800000ull) >> 12, 4);
    drv_st(&d, b.addr + 4, 0xfffffff, 4); /* no memory there */
    drv_add(&d, 0, &b, 1, false);
    drv_kick(&d, 0);
    assert_true(drv_used(&d, 0, 1, &id, &len));
    assert_int_equal(drv_ld(&d, DRV_RAM + 0x800000, 8), 0);
    assert_int_equal(drv_ld(&d, DRV_RAM + 0x801000, 8), 0x1234);
    drv_st(&d, DRV_MMIO + 0x104, 1, 4);
    assert_int_equal(balloon_actual(d.dev), 4096);
    /* statistics: given back when they are wanted anew */
    uint8_t stat[20] = { 4, 0, 0x34, 0x12, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    struct drv_buf sb = { drv_alloc(&d, 20), 20, false };
    drv_copy_in(&d, sb.addr, stat, 20);
    balloon_poll(d.dev, 2);
    drv_add(&d, 2, &sb, 1, false);
    drv_kick(&d, 2);
    uint64_t when;
    assert_int_equal(balloon_stats(d.dev, &when)[4], 0x1234);
    assert_false(drv_used(&d, 2, 1, &id, &len));
    clock_warp(&d.clock, 3ull * NS_PER_S);
    drv_poll(&d);
    assert_true(drv_used(&d, 2, 1, &id, &len));
    drv_free(&d);
}

static void input(void **st)
{
    struct drv d;
    struct err e = { 0 };
    uint16_t id;
    uint32_t len;
    drv_board(&d);
    d.b.display = display_new();
    if (drv_plug(&d, device_find("virtio-tablet-device"), NULL, &e)) fail_msg("%s", e.msg);
    drv_st(&d, DRV_MMIO + 0x101, 0, 1);
    drv_st(&d, DRV_MMIO + 0x100, 1, 1);
    assert_int_equal(drv_ld(&d, DRV_MMIO + 0x102, 1), strlen("Virtio Tablet"));
    assert_int_equal(drv_ld(&d, DRV_MMIO + 0x108, 1), 'V');
    drv_st(&d, DRV_MMIO + 0x100, 0x11, 1);
    drv_st(&d, DRV_MMIO + 0x101, EV_ABS, 1);
    assert_int_equal(drv_ld(&d, DRV_MMIO + 0x102, 1), 1);
    assert_int_equal(drv_ld(&d, DRV_MMIO + 0x108, 1), 3);
    drv_start(&d, 0, 2, 8);
    assert_true(input_absolute(d.b.display));
    struct drv_buf b[4];
    for (unsigned i = 0; i < 4; i++) b[i] = (struct drv_buf){ drv_alloc(&d, 8), 8, true };
    for (unsigned i = 0; i < 2; i++) drv_add(&d, 0, &b[i], 1, false);
    drv_kick(&d, 0);
    input_point(d.b.display, 100, 20000);
    input_sync(d.b.display); /* three events, room for two: none */
    assert_false(drv_used(&d, 0, 1, &id, &len));
    for (unsigned i = 2; i < 4; i++) drv_add(&d, 0, &b[i], 1, false);
    drv_kick(&d, 0);
    input_point(d.b.display, 300, 20001);
    input_sync(d.b.display);
    assert_true(drv_used(&d, 0, 1, &id, &len));
    assert_int_equal(drv_ld(&d, b[0].addr, 8), EV_ABS | 300ull << 32);
    assert_true(drv_used(&d, 0, 1, &id, &len) && drv_used(&d, 0, 1, &id, &len));
    assert_int_equal(drv_ld(&d, b[2].addr, 8), 0);
    assert_false(drv_used(&d, 0, 1, &id, &len));
    struct display *show = d.b.display;
    drv_free(&d);
    display_free(show);
}

struct gpu_test {
    struct drv d;
    uint64_t cmd, reply, pixels;
    unsigned dirty;
};
static uint32_t gpu_do(struct gpu_test *g, uint32_t type, const uint32_t *args, unsigned n)
{
    uint16_t id;
    uint32_t len;
    drv_st(&g->d, g->cmd, type | 1ull << 32, 8);
    drv_st(&g->d, g->cmd + 8, 0xabcd, 8);
    for (unsigned i = 0; i < n; i++) drv_st(&g->d, g->cmd + 24 + 4 * i, args[i], 4);
    struct drv_buf b[] = { { g->cmd, 24 + 4 * n, false }, { g->reply, 2048, true } };
    drv_add(&g->d, 0, b, 2, false);
    drv_kick(&g->d, 0);
    assert_true(drv_used(&g->d, 0, 2, &id, &len));
    assert_int_equal(drv_ld(&g->d, g->reply + 8, 8), 0xabcd);
    return (uint32_t)drv_ld(&g->d, g->reply, 4);
}
#define GPU(g, type, ...) gpu_do(g, type, (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)
static void on_dirty(void *ctx, struct console *c, struct rect r) { ((struct gpu_test *)ctx)->dirty += r.w * r.h; }

static void gpu(void **st)
{
    struct gpu_test g = { 0 };
    struct err e = { 0 };
    drv_board(&g.d);
    g.d.b.display = display_new();
    struct display *show = g.d.b.display;
    struct viewer v = { .dirty = on_dirty, .ctx = &g };
    display_view(show, &v);
    if (drv_plug(&g.d, device_find("virtio-gpu-device"), "max_hostmem=1M,xres=640,yres=480", &e)) fail_msg("%s", e.msg);
    drv_start(&g.d, ~0ull & ~VF(VIRTIO_F_RING_PACKED), 2, 16);
    g.cmd = drv_alloc(&g.d, 4096);
    g.reply = drv_alloc(&g.d, 2048);
    g.pixels = drv_alloc(&g.d, 64 * 32 * 4);
    assert_int_equal(GPU(&g, 0x100, 0), 0x1101);
    assert_int_equal(drv_ld(&g.d, g.reply + 24 + 8, 8), 640 | 480ull << 32);
    assert_int_equal(GPU(&g, 0x10a, 0, 0), 0x1104);
    uint8_t sum = 0;
    for (unsigned i = 0; i < 128; i++) sum = (uint8_t)(sum + drv_ld(&g.d, g.reply + 32 + i, 1));
    assert_int_equal(sum, 0);
    assert_int_equal(GPU(&g, 0x101, 1, 1, 64, 32), 0x1100);
    assert_int_equal(GPU(&g, 0x101, 1, 1, 64, 32), 0x1203); /* there already */
    assert_int_equal(GPU(&g, 0x101, 2, 99, 64, 32), 0x1205);
    assert_int_equal(GPU(&g, 0x101, 2, 1, 16384, 16384), 0x1201);
    assert_int_equal(GPU(&g, 0x101, 2, 1, 0xffffffff, 0xffffffff), 0x1205);
    for (unsigned i = 0; i < 64 * 32; i++) drv_st(&g.d, g.pixels + 4 * i, 0xff000000 | i, 4);
    /* backing in two runs */
    uint32_t lo = (uint32_t)g.pixels;
    assert_int_equal(GPU(&g, 0x106, 1, 2, lo, 0, 1000, 0, lo + 1000, 0, 64 * 32 * 4 - 1000, 0), 0x1100);
    assert_int_equal(GPU(&g, 0x105, 0, 0, 64, 32, 0, 0, 1, 0), 0x1100);
    assert_int_equal(GPU(&g, 0x105, 1, 0, 64, 32, 0, 0, 1, 0), 0x1205);         /* beyond the resource */
    assert_int_equal(GPU(&g, 0x105, 0, 0, 64, 32, 4, 0, 1, 0), 0x1200);         /* beyond the backing */
    assert_int_equal(GPU(&g, 0x105, 0xffffffff, 0, 2, 1, 0, 0, 1, 0), 0x1205);
    assert_int_equal(GPU(&g, 0x105, 0, 0, 64, 32, 0, 0, 1, 0), 0x1100);
    assert_int_equal(GPU(&g, 0x103, 0, 0, 64, 32, 0, 1), 0x1100);
    assert_int_equal(GPU(&g, 0x103, 0, 0, 64, 32, 1, 1), 0x1202);
    assert_int_equal(GPU(&g, 0x104, 8, 4, 10, 10, 1, 0), 0x1100);
    struct console *c = display_console(show, 0);
    assert_int_equal(console_surface(c)->width, 64);
    assert_int_equal(console_surface(c)->pixels[5 * 64 + 9] & 0xffffff, 5 * 64 + 9);
    assert_int_equal(g.dirty, 64 * 32 + 100);
    size_t n;
    uint8_t *ppm = console_ppm(c, &n);
    assert_memory_equal(ppm, "P6\n64 32\n255\n", 13);
    assert_int_equal(n, 13 + 64 * 32 * 3);
    free(ppm);
    assert_int_equal(GPU(&g, 0x102, 1, 0), 0x1100);
    assert_int_equal(console_surface(c)->width, 0);
    assert_int_equal(GPU(&g, 0x104, 8, 4, 10, 10, 1, 0), 0x1203);
    assert_int_equal(GPU(&g, 0x106, 1, 0x10000000, lo, 0), 0x1203);
    assert_int_equal(GPU(&g, 0x107, 5, 0), 0x1203);
    display_unview(show, &v);
    drv_free(&g.d);
    display_free(show);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(net_tx_rx), cmocka_unit_test(net_filter), cmocka_unit_test(net_tso), cmocka_unit_test(serial),
        cmocka_unit_test(balloon), cmocka_unit_test(input), cmocka_unit_test(gpu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
