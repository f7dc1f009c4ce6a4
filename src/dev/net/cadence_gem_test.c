/* cadence_gem_test.c: Cadence's Ethernet MAC with a driver made by hand: rings of both kinds, checksums, filters, buffers that are missing, the PHY. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev/net/offload.h"
#include "dev/virtio/test_driver.h"
#include "io/net/net.h"

enum { AT = 0x10090000, TXR = DRV_RAM + 0x10000, RXR = DRV_RAM + 0x20000, BUF = DRV_RAM + 0x100000, RBUF = DRV_RAM + 0x200000 };
enum { NWCTRL = 0, NWCFG = 4, NWSTATUS = 8, DMACFG = 0x10, TXSTATUS = 0x14, RXQ = 0x18, TXQ = 0x1c, ISR = 0x24, IER = 0x28, MDIO = 0x34, STAT = 0x100 };

struct nic {
    struct drv d;
    struct net_set *set;
    struct net_port *other;
    struct dev_resolver r;
    uint64_t time;
    uint8_t frame[16][2048];
    size_t len[16];
    unsigned n;
    bool level;
};
static bool other_recv(void *ctx, const struct iovec *iov, unsigned n)
{
    struct nic *c = ctx;
    assert_true(c->n < 16);
    c->len[c->n] = iov_copy(iov, n, 0, c->frame[c->n], 2048);
    c->n++;
    return true;
}
static const struct net_client other = { .recv = other_recv };
static struct net_port *net_of(void *ctx, const char *name, struct err *e) { return net_find(ctx, name); }
static uint64_t fake(void *ctx) { return ((struct nic *)ctx)->time; }
static void line(void *ctx, unsigned n, bool level) { ((struct nic *)ctx)->level = level; }
static void w(struct nic *c, unsigned reg, uint32_t v) { drv_st(&c->d, AT + reg, v, 4); }
static uint32_t r(struct nic *c, unsigned reg) { return (uint32_t)drv_ld(&c->d, AT + reg, 4); }
static uint32_t mem(struct nic *c, uint64_t at) { return (uint32_t)drv_ld(&c->d, at, 4); }

static void nic_new(struct nic *c)
{
    struct err e = { 0 };
    uint8_t mac[6] = { 2, 0, 0, 0, 0, 9 };
    memset(c, 0, sizeof *c);
    drv_board(&c->d);
    clock_set_source(&c->d.clock, fake, c);
    c->set = net_set_new(c->d.b.loop, NULL);
    assert_int_equal(net_new_text(c->set, "hubport,id=h0,hubid=0", &e), 0);
    assert_int_equal(net_new_text(c->set, "hubport,id=h1,hubid=0", &e), 0);
    assert_int_equal(net_nic_new(net_find(c->set, "h1"), "other", "test", mac, &other, c, &c->other, &e), 0);
    c->r = (struct dev_resolver){ .net = net_of, .ctx = c->set };
    dev_resolve_with(&c->d.b, &c->r);
    c->d.dev = dev_new(&c->d.b, device_find("cadence_gem"), "n", &e);
    if (dev_set_list(c->d.dev, "netdev=h0,mac=52:54:00:12:34:56", &e) || dev_realize(c->d.dev, NULL, &e) || dev_map(c->d.dev, AT, &e)) fail_msg("%s", e.msg);
    dev_connect_fn(c->d.dev, 0, line, c, 0);
}
static void nic_free(struct nic *c)
{
    net_port_free(c->other);
    dev_free(c->d.dev);
    net_set_free(c->set);
    drv_free(&c->d);
}
static void udp_make(uint8_t *f, size_t n)
{
    static const uint8_t head[42] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56, 2, 2, 2, 2, 2, 2, 8, 0, 0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, 17, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2, 0, 53, 0, 99 };
    for (size_t i = 0; i < n; i++) f[i] = (uint8_t)(i * 3);
    memcpy(f, head, 42);
    f[16] = (uint8_t)((n - 14) >> 8), f[17] = (uint8_t)(n - 14), f[38] = (uint8_t)((n - 34) >> 8), f[39] = (uint8_t)(n - 34);
}
static void tx(struct nic *c, unsigned i, uint64_t addr, uint32_t word, bool wide)
{
    uint64_t at = TXR + (wide ? 16 : 8) * i;
    drv_st(&c->d, at, addr & 0xffffffff, 4), drv_st(&c->d, at + 4, word, 4);
    if (wide) drv_st(&c->d, at + 8, addr >> 32, 4);
}

static void sends(void **st)
{
    for (unsigned wide = 0; wide < 2; wide++) {
        struct nic c;
        struct net_places at;
        uint8_t f[1000];
        nic_new(&c);
        udp_make(f, sizeof f);
        drv_copy_in(&c.d, BUF, f, sizeof f);
        tx(&c, 0, BUF, 600, wide), tx(&c, 1, BUF + 600, 400 | 1 << 15, wide), tx(&c, 2, BUF, 50 | 1 << 15 | 1 << 30, wide);
        w(&c, TXQ, TXR), w(&c, DMACFG, 1 << 11 | wide << 30), w(&c, IER, 1 << 7);
        w(&c, NWCTRL, 8);
        assert_int_equal(c.n, 0);
        w(&c, NWCTRL, 8 | 512);
        assert_int_equal(c.n, 2);
        assert_int_equal(c.len[0], sizeof f);
        assert_int_equal(net_inspect(c.frame[0], c.len[0], &at), NET_IPV4 | NET_UDP);
        assert_memory_equal(c.frame[0] + 42, f + 42, sizeof f - 42);
        assert_int_equal(c.len[1], 60);
        assert_true(c.level);
        w(&c, ISR, 1 << 7);
        assert_false(c.level);
        assert_int_equal(r(&c, TXSTATUS), 0x21); /* went round and found what is used */
        assert_true(mem(&c, TXR + 4) >> 31);
        assert_int_equal(r(&c, STAT + 8), 2);
        assert_int_equal(r(&c, STAT + 8), 0);
        w(&c, TXQ, 0x1000), w(&c, NWCTRL, 8 | 512); /* nowhere */
        assert_int_equal(r(&c, TXSTATUS) & 0x18, 0x10);
        nic_free(&c);
    }
}

static void receives(void **st)
{
    struct nic c;
    uint8_t f[1000], b[1000];
    nic_new(&c);
    udp_make(f, sizeof f);
    w(&c, RXQ, RXR), w(&c, DMACFG, 8 << 16), w(&c, NWCFG, 1 << 17), w(&c, IER, 2); /* buffers of 512 bytes, no checksum behind the frame */
    for (unsigned i = 0; i < 4; i++) drv_st(&c.d, RXR + 8 * i, (RBUF + 512 * i) | (i == 3 ? 2 : 0) | (i > 0), 4);
    w(&c, NWCTRL, 4);
    net_send_buf(c.other, f, sizeof f); /* there is one buffer only: it waits */
    drv_poll(&c.d);
    assert_false(c.level);
    for (unsigned i = 1; i < 4; i++) drv_st(&c.d, RXR + 8 * i, (RBUF + 512 * i) | (i == 3 ? 2 : 0), 4);
    c.time += 2000000;
    clock_run(&c.d.clock);
    assert_true(c.level);
    assert_int_equal(mem(&c, RXR) & 1, 1);
    assert_int_equal(mem(&c, RXR + 4), 1 << 14);
    assert_int_equal(mem(&c, RXR + 12), 1 << 15 | 1 << 27 | sizeof f);
    drv_copy_out(&c.d, RBUF, b, sizeof b);
    assert_memory_equal(b, f, sizeof f);
    w(&c, ISR, 2);
    /* filters: another's, everybody's, by hash, all */
    f[5] = 0x57;
    net_send_buf(c.other, f, 100);
    assert_int_equal(mem(&c, RXR + 16) & 1, 0);
    memset(f, 0xff, 6);
    net_send_buf(c.other, f, 100);
    assert_int_equal(mem(&c, RXR + 20), 3u << 14 | 1u << 31 | 100);
    memcpy(f, "\1\0\x5e\0\0\1", 6);
    net_send_buf(c.other, f, 100);
    assert_int_equal(mem(&c, RXR + 24) & 1, 0);
    w(&c, NWCFG, 1 << 17 | 1 << 6), w(&c, 0x80, ~0u), w(&c, 0x84, ~0u);
    net_send_buf(c.other, f, 100);
    assert_int_equal(mem(&c, RXR + 28), 3u << 14 | 1 << 30 | 100);
    /* it went round; wrong sums are not for the driver */
    for (unsigned i = 0; i < 4; i++) drv_st(&c.d, RXR + 8 * i, (RBUF + 512 * i) | (i == 3 ? 2 : 0), 4);
    w(&c, NWCFG, 1 << 17 | 16 | 1 << 24);
    udp_make(f, 100);
    net_send_buf(c.other, f, 100);
    assert_int_equal(mem(&c, RXR) & 1, 0);
    uint16_t s = net_csum(f + 14, 20, 0);
    f[24] = (uint8_t)(s >> 8), f[25] = (uint8_t)s;
    net_send_buf(c.other, f, 100);
    assert_int_equal(mem(&c, RXR + 4), 3u << 14 | 1 << 27 | 1 << 22 | 100); /* UDP without a sum */
    /* the PHY */
    w(&c, MDIO, 0x60020000 | 2 << 18);
    assert_int_equal(r(&c, MDIO) & 0xffff, 0x141);
    w(&c, MDIO, 0x60820000 | 2 << 18);
    assert_int_equal(r(&c, MDIO) & 0xffff, 0xffff);
    assert_int_equal(r(&c, NWSTATUS), 5);
    net_set_link(net_find(c.set, "h0"), false);
    assert_int_equal(r(&c, NWSTATUS), 4);
    nic_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(sends), cmocka_unit_test(receives) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
