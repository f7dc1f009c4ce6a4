/* e1000_test.c: 82574L and 82540EM with a driver made by hand: EEPROM, PHY, rings, offloads, filters, RSS, interrupts and their delays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dev/net/offload.h"
#include "dev/virtio/test_driver.h"
#include "io/net/net.h"

enum { ECAM = 0x30000000, BAR = 0x40000000, MSIX = 0x40100000, TXR = DRV_RAM + 0x10000, RXR = DRV_RAM + 0x20000, RXR1 = DRV_RAM + 0x28000,
       BUF = DRV_RAM + 0x100000, RBUF = DRV_RAM + 0x200000, RING = 16 };
enum { CTRL = 0, STATUS = 8, EECD = 0x10, EERD = 0x14, CTRL_EXT = 0x18, MDIC = 0x20, ICR = 0xc0, ITR = 0xc4, ICS = 0xc8, IMS = 0xd0, IMC = 0xd8, EIAC = 0xdc,
       IAM = 0xe0, IVAR = 0xe4, EITR = 0xe8, RCTL = 0x100, TCTL = 0x400, RDBAL = 0x2800, RDT = 0x2818, RDTR = 0x2820, TDBAL = 0x3800, TDT = 0x3818,
       RXCSUM = 0x5000, RFCTL = 0x5008, MTA = 0x5200, VFTA = 0x5600 };

struct nic {
    struct drv d;
    struct net_set *set;
    struct net_port *other;
    struct dev_resolver r;
    uint64_t time;
    uint8_t frame[64][2048];
    size_t len[64];
    unsigned n, msi[8], tail, rx_tail;
    bool full;
};

static bool other_recv(void *ctx, const struct iovec *iov, unsigned n)
{
    struct nic *c = ctx;
    if (c->full) return false;
    assert_true(c->n < 64);
    c->len[c->n] = iov_copy(iov, n, 0, c->frame[c->n], 2048);
    c->n++;
    return true;
}
static bool other_can(void *ctx) { return !((struct nic *)ctx)->full; }
static const struct net_client other = { .recv = other_recv, .can_recv = other_can };
static struct net_port *net_of(void *ctx, const char *name, struct err *e) { return net_find(ctx, name); }
static bool msi(void *ctx, uint64_t addr, uint32_t data, struct mem_attr at)
{
    struct nic *c = ctx;
    c->msi[data & 7]++;
    return true;
}
static uint64_t fake(void *ctx) { return ((struct nic *)ctx)->time; }

static void w(struct nic *c, unsigned reg, uint32_t v) { drv_st(&c->d, BAR + reg, v, 4); }
static uint32_t r(struct nic *c, unsigned reg) { return (uint32_t)drv_ld(&c->d, BAR + reg, 4); }
static void pass(struct nic *c, uint64_t ns)
{
    c->time += ns;
    clock_run(&c->d.clock);
    drv_poll(&c->d);
}

static void line(void *ctx, unsigned n, bool level) { ((struct nic *)ctx)->d.level = level; }

static void nic_new(struct nic *c, const char *model)
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
    struct dev *host = dev_new(&c->d.b, device_find("gpex-pcihost"), "pcie", &e), *d;
    dev_set_list(host, "mmio32-base=0x40000000,mmio32-size=1G", &e);
    assert_int_equal(dev_realize(host, NULL, &e) | dev_map(host, ECAM, &e), 0);
    for (unsigned i = 0; i < 4; i++) dev_connect_fn(host, i, line, c, i);
    pci_host_set_msi(host, msi, c);
    d = dev_new(&c->d.b, device_find(model), "n", &e);
    if (dev_set_list(d, "netdev=h0,mac=52:54:00:12:34:56,addr=1", &e) || dev_realize(d, bus_find(&c->d.b, "pci", NULL, &e), &e)) fail_msg("%s", e.msg);
    drv_st(&c->d, ECAM + 0x8010, BAR, 4);
    drv_st(&c->d, ECAM + 0x801c, MSIX, 4);
    drv_st(&c->d, ECAM + 0x8004, 6, 2);
    c->d.dev = d;
}
static void nic_free(struct nic *c)
{
    net_port_free(c->other);
    while (c->d.b.devs->next) {
        struct dev *last = c->d.b.devs;
        while (last->next) last = last->next;
        dev_free(last);
    }
    net_set_free(c->set);
    drv_free(&c->d);
}

static void rings(struct nic *c, uint32_t rctl)
{
    uint8_t zero[RING * 32] = { 0 };
    drv_copy_in(&c->d, RXR, zero, sizeof zero);
    for (unsigned i = 0; i < RING; i++) drv_st(&c->d, RXR + 16 * i, RBUF + 4096 * i, 8);
    w(c, TDBAL, TXR), w(c, TDBAL + 4, 0), w(c, TDBAL + 8, RING * 16), w(c, TDBAL + 0x10, 0), w(c, TDT, 0);
    w(c, RDBAL, RXR), w(c, RDBAL + 4, 0), w(c, RDBAL + 8, RING * 16), w(c, RDBAL + 0x10, 0), w(c, RDT, 0);
    c->tail = c->rx_tail = 0;
    w(c, TCTL, 2);
    w(c, RCTL, rctl);
}
static void tx_desc(struct nic *c, uint64_t a, uint32_t lower, uint32_t upper)
{
    uint64_t at = TXR + 16 * c->tail;
    drv_st(&c->d, at, a, 8), drv_st(&c->d, at + 8, lower, 4), drv_st(&c->d, at + 12, upper, 4);
    c->tail = (c->tail + 1) % RING;
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
/* Ethernet, IPv4, TCP with right sums. */
static void tcp_make(uint8_t *f, size_t n)
{
    struct net_places at;
    frame_make(f, n, 0x56);
    f[12] = 8, f[13] = 0;
    uint8_t ip[20] = { 0x45, 0, (uint8_t)((n - 14) >> 8), (uint8_t)(n - 14), 0x12, 0x34, 0x40, 0, 64, 6, 0, 0, 66, 9, 149, 187, 161, 142, 100, 80 };
    uint8_t tcp[20] = { 0x0a, 0xea, 0x06, 0xe6, 0xff, 0xff, 0xfe, 0, 0, 0, 0, 1, 0x50, 0x99, 0x10, 0 };
    memcpy(f + 14, ip, 20);
    memcpy(f + 34, tcp, 20);
    uint16_t c = net_csum(f + 14, 20, 0);
    f[24] = (uint8_t)(c >> 8), f[25] = (uint8_t)c;
    uint32_t pseudo = (uint16_t)~net_csum(f + 26, 8, (uint32_t)(6 + n - 34));
    c = net_csum(f + 34, n - 34, pseudo);
    f[50] = (uint8_t)(c >> 8), f[51] = (uint8_t)c;
    assert_int_equal(net_inspect(f, n, &at), NET_IPV4 | NET_TCP);
}

static uint16_t microwire(struct nic *c, unsigned at)
{
    unsigned bits = 6 << 6 | at;
    uint16_t v = 0;
    w(c, EECD, 2);
    for (int i = 8; i >= 0; i--) {
        uint32_t di = bits >> i & 1 ? 4 : 0;
        w(c, EECD, 2 | di), w(c, EECD, 3 | di), w(c, EECD, 2 | di);
    }
    assert_int_equal(r(c, EECD) & 8, 0);
    for (unsigned i = 0; i < 16; i++) {
        w(c, EECD, 3);
        v = (uint16_t)(v << 1 | (r(c, EECD) >> 3 & 1));
        w(c, EECD, 2);
    }
    w(c, EECD, 0);
    return v;
}
static uint32_t phy(struct nic *c, unsigned reg)
{
    w(c, MDIC, 2 << 26 | 1 << 21 | reg << 16);
    assert_int_equal(r(c, MDIC) >> 28, 1);
    return r(c, MDIC) & 0xffff;
}

static void eeprom_phy(void **st)
{
    for (unsigned e = 0; e < 2; e++) {
        struct nic c;
        uint16_t sum = 0, words[64];
        nic_new(&c, e ? "e1000e" : "e1000");
        for (unsigned i = 0; i < 64; i++) {
            w(&c, EERD, e ? i << 2 | 1 : i << 8 | 1);
            assert_true(r(&c, EERD) & (e ? 2 : 0x10));
            sum = (uint16_t)(sum + (words[i] = (uint16_t)(r(&c, EERD) >> 16)));
            if (!e) assert_int_equal(microwire(&c, i), words[i]);
        }
        assert_int_equal(sum, 0xbaba);
        assert_int_equal(words[0], 0x5452);
        assert_int_equal(words[2], 0x5634);
        assert_int_equal(r(&c, 0x5400), 0x12005452);
        assert_int_equal(r(&c, 0x5404), 0x80005634);
        assert_int_equal(phy(&c, 2) << 16 | phy(&c, 3), e ? 0x01410cb1 : 0x01410c20);
        assert_true(r(&c, STATUS) & 2);
        assert_true(phy(&c, 1) & 4);
        w(&c, MDIC, 1 << 26 | 1 << 21 | 0x800); /* power down */
        assert_false(r(&c, STATUS) & 2);
        assert_true(r(&c, ICR) & 4);
        w(&c, MDIC, 1 << 26 | 1 << 21 | 0x1200);
        assert_true(r(&c, STATUS) & 2);
        net_set_link(c.other, false);
        net_set_link(net_find(c.set, "h0"), false);
        assert_false(r(&c, STATUS) & 2);
        assert_true(r(&c, ICR) & 4);
        w(&c, MDIC, 2 << 26 | 2 << 21); /* nobody has this address */
        assert_true(r(&c, MDIC) >> 30 & 1);
        if (e) {
            w(&c, 0x102c, 5 << 2 | 1 | 0x1234u << 16);
            w(&c, EERD, 5 << 2 | 1);
            assert_int_equal(r(&c, EERD) >> 16, 0x1234);
            assert_int_equal(r(&c, 0x5b50) & 1, 0); /* the semaphore */
            assert_int_equal(r(&c, 0x5b50) & 1, 1);
        }
        nic_free(&c);
    }
}

static void transmit(void **st)
{
    struct nic c;
    uint8_t f[54 + 4000];
    nic_new(&c, "e1000e");
    rings(&c, 0);
    /* legacy: in two pieces, with a sum of its own, and a tag */
    frame_make(f, 1000, 0x77);
    drv_copy_in(&c.d, BUF, f, 1000);
    tx_desc(&c, BUF, 600 | 2u << 24, 0);
    tx_desc(&c, BUF + 600, 400 | 0xbu << 24, 0);
    w(&c, TDT, c.tail);
    assert_int_equal(c.n, 1);
    assert_int_equal(c.len[0], 1000);
    assert_memory_equal(c.frame[0], f, 1000);
    assert_int_equal(r(&c, TDBAL + 0x10), 2);
    assert_int_equal(drv_ld(&c.d, TXR + 16 + 12, 1), 1);
    assert_int_equal(drv_ld(&c.d, TXR + 12, 1), 0);
    assert_int_equal(r(&c, ICR) & 0x400003, 0x400003);
    assert_int_equal(r(&c, 0x4080), 1);
    assert_int_equal(r(&c, 0x4090), 1004);
    assert_int_equal(r(&c, 0x4090), 0);
    w(&c, CTRL, 1 << 30);
    tx_desc(&c, BUF, 100 | 20u << 16 | 0x4fu << 24, 14 << 8 | 0x0123u << 16);
    w(&c, TDT, c.tail);
    assert_int_equal(c.n, 2);
    assert_int_equal(c.len[1], 104);
    assert_int_equal(pci_get32(c.frame[1] + 12), 0x23010081);
    assert_memory_equal(c.frame[1] + 16, f + 12, 8);
    uint16_t sum = net_csum(f + 14, 86, 0);
    assert_int_equal(c.frame[1][24] << 8 | c.frame[1][25], sum);
    /* three segments */
    tcp_make(f, sizeof f);
    drv_copy_in(&c.d, BUF, f, sizeof f);
    c.n = 0;
    tx_desc(&c, 14 | 24 << 8 | 33ull << 16 | 34ull << 32 | 50ull << 40, 4000 | 0x27u << 24, 54 << 8 | 1460u << 16);
    tx_desc(&c, BUF, 2000 | 1u << 20 | 0x24u << 24, 3 << 8);
    tx_desc(&c, BUF + 2000, 2054 | 1u << 20 | 0x2du << 24, 3 << 8);
    w(&c, TDT, c.tail);
    assert_int_equal(c.n, 3);
    for (unsigned i = 0; i < 3; i++) {
        struct net_places at;
        assert_int_equal(c.len[i], i < 2 ? 1514 : 54 + 1080);
        assert_int_equal(net_inspect(c.frame[i], c.len[i], &at), NET_IPV4 | NET_TCP);
        assert_memory_equal(c.frame[i] + 54, f + 54 + 1460 * i, c.len[i] - 54);
    }
    /* the sums only, by the context that is there: what the driver leaves in the field is part of it */
    uint8_t g[300];
    tcp_make(g, sizeof g);
    uint32_t pseudo = (uint16_t)~net_csum(g + 26, 8, 6 + 266);
    memcpy(f, g, sizeof g);
    f[50] = (uint8_t)(pseudo >> 8), f[51] = (uint8_t)pseudo, f[24] = f[25] = 0;
    drv_copy_in(&c.d, BUF, f, sizeof g);
    tx_desc(&c, BUF, 300 | 1u << 20 | 0x2bu << 24, 3 << 8);
    w(&c, TDT, c.tail);
    assert_int_equal(c.n, 4);
    assert_memory_equal(c.frame[3], g, sizeof g);
    /* a peer that is full: the ring stops and goes on */
    c.full = true;
    for (unsigned i = 0; i < 8; i++) tx_desc(&c, BUF, 60 | 0xbu << 24, 0);
    w(&c, TDT, c.tail);
    c.full = false;
    net_ready(c.other);
    drv_poll(&c.d);
    assert_int_equal(c.n, 12);
    /* what no driver does: nothing comes of it, and the ring goes on */
    tx_desc(&c, 0x1000, 60 | 0xbu << 24, 0);
    for (unsigned i = 0; i < 5; i++) tx_desc(&c, BUF, 0xfffff | 1u << 20 | 0x28u << 24, 0);
    tx_desc(&c, BUF, 60 | 0xbu << 24, 0);
    tx_desc(&c, BUF, 60 | 0xbu << 24, 0);
    w(&c, TDT, c.tail);
    assert_int_equal(c.n, 13);
    w(&c, TDT, 4000);
    assert_int_equal(c.n, 13);
    nic_free(&c);
}

static void to_guest(struct nic *c, const uint8_t *f, size_t n)
{
    net_send_buf(c->other, f, n);
    drv_poll(&c->d);
}

/* The descriptor that was filled next: length, or -1. */
static int got(struct nic *c, bool ext, uint8_t *desc)
{
    uint64_t at = RXR + 16 * c->rx_tail;
    drv_copy_out(&c->d, at, desc, 16);
    if (!(desc[ext ? 8 : 12] & 1)) return -1;
    drv_st(&c->d, at + 8, 0, 8);
    if (ext) drv_st(&c->d, at, RBUF + 4096 * c->rx_tail, 8);
    c->rx_tail = (c->rx_tail + 1) % RING;
    return pci_get16(desc + (ext ? 12 : 8));
}

static void receive(void **st)
{
    struct nic c;
    uint8_t f[1514], b[16], data[1514];
    nic_new(&c, "e1000");
    rings(&c, 0);
    frame_make(f, sizeof f, 0x56);
    to_guest(&c, f, sizeof f); /* not enabled: gone */
    w(&c, RCTL, 0x8002);
    to_guest(&c, f, sizeof f); /* no descriptors: waits */
    assert_int_equal(got(&c, false, b), -1);
    w(&c, RDT, RING - 1);
    drv_poll(&c.d);
    assert_int_equal(got(&c, false, b), sizeof f + 4);
    assert_int_equal(b[12], 7);
    drv_copy_out(&c.d, RBUF, data, sizeof f);
    assert_memory_equal(data, f, sizeof f);
    assert_int_equal(r(&c, 0x4074), 1);
    assert_true(r(&c, ICR) & 0x80);
    /* filters */
    frame_make(f, 60, 0x57);
    to_guest(&c, f, 60);
    assert_int_equal(got(&c, false, b), -1);
    w(&c, RCTL, 0x8002 | 8 | 1 << 26);
    to_guest(&c, f, 60);
    assert_int_equal(got(&c, false, b), 60);
    assert_true(b[12] & 0x80);
    w(&c, RCTL, 0x8002 | 1 << 26);
    memcpy(f, "\1\0\x5e\0\0\xfb", 6);
    to_guest(&c, f, 60);
    assert_int_equal(got(&c, false, b), -1);
    w(&c, MTA + 4 * (0xfb0 >> 5), 1u << (0xfb0 & 31));
    to_guest(&c, f, 60);
    assert_int_equal(got(&c, false, b), 60);
    memset(f, 0xff, 6);
    to_guest(&c, f, 40); /* padded */
    assert_int_equal(got(&c, false, b), 60);
    f[12] = 0x81, f[13] = 0, f[14] = 0x20, f[15] = 5;
    w(&c, CTRL, 1 << 30);
    to_guest(&c, f, 100);
    assert_int_equal(got(&c, false, b), 96);
    assert_int_equal(pci_get16(b + 14), 0x2005);
    assert_true(b[12] & 8);
    w(&c, RCTL, 0x8002 | 1 << 26 | 1 << 18);
    to_guest(&c, f, 100);
    assert_int_equal(got(&c, false, b), -1);
    w(&c, VFTA, 1 << 5);
    to_guest(&c, f, 100);
    assert_int_equal(got(&c, false, b), 96);
    /* small buffers: several descriptors */
    w(&c, RCTL, 0x8002 | 1 << 26 | 3 << 16);
    tcp_make(f, 700);
    w(&c, RXCSUM, 0x300);
    to_guest(&c, f, 700);
    assert_int_equal(got(&c, false, b), 256);
    assert_int_equal(b[12], 1);
    assert_int_equal(got(&c, false, b), 256);
    assert_int_equal(got(&c, false, b), 188);
    assert_int_equal(b[12], 0x63);
    assert_int_equal(b[13], 0);
    f[60] ^= 1;
    w(&c, RDT, (c.rx_tail + RING - 1) % RING);
    to_guest(&c, f, 700);
    got(&c, false, b), got(&c, false, b), got(&c, false, b);
    assert_int_equal(b[13], 0x20);
    nic_free(&c);
}

/* Extended descriptors, RSS with the key and the numbers of Microsoft's "Verifying the RSS Hash Calculation". */
static void extended(void **st)
{
    static const uint8_t key[40] = { 0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
                                     0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa };
    struct nic c;
    uint8_t f[1514], b[32];
    nic_new(&c, "e1000e");
    for (unsigned i = 0; i < 10; i++) w(&c, 0x5c80 + 4 * i, pci_get32(key + 4 * i));
    w(&c, RFCTL, 1 << 15);
    w(&c, 0x5818, 1 | 3 << 16);
    w(&c, RXCSUM, 0x2300);
    rings(&c, 0x8002 | 1 << 26);
    w(&c, RDT, RING - 1);
    tcp_make(f, 200);
    to_guest(&c, f, 200);
    assert_int_equal(got(&c, true, b), 200);
    assert_int_equal(pci_get32(b + 4), 0x51ccc178);
    assert_int_equal(b[0], 1);
    assert_int_equal(pci_get32(b + 8), 0x263);
    w(&c, 0x5818, 1 | 2 << 16); /* the addresses only */
    w(&c, RXCSUM, 0x300);
    to_guest(&c, f, 200);
    assert_int_equal(got(&c, true, b), 200);
    assert_int_equal(pci_get16(b + 4), 0x1234);
    w(&c, RXCSUM, 0x2300);
    to_guest(&c, f, 200);
    assert_int_equal(got(&c, true, b), 200);
    assert_int_equal(pci_get32(b + 4), 0x323e8fc2);
    /* the other queue */
    w(&c, RDBAL + 0x100, RXR1), w(&c, RDBAL + 0x108, RING * 16), w(&c, RDT + 0x100, 4);
    drv_st(&c.d, RXR1, RBUF, 8), drv_st(&c.d, RXR1 + 8, 0, 8);
    for (unsigned i = 0; i < 32; i++) w(&c, 0x5c00 + 4 * i, 0x80808080);
    r(&c, ICR);
    to_guest(&c, f, 200);
    assert_int_equal(drv_ld(&c.d, RXR1 + 12, 2), 200);
    assert_true(r(&c, ICR) & 1 << 21);
    /* split: the headers in a buffer of their own */
    w(&c, 0x5818, 0);
    w(&c, RCTL, 0), w(&c, 0x2170, 2 | 1 << 8);
    for (unsigned i = 0; i < RING / 2; i++)
        for (unsigned k = 0; k < 4; k++) drv_st(&c.d, RXR + 32 * i + 8 * k, RBUF + 0x4000 * i + 0x1000 * k, 8);
    w(&c, RDBAL + 0x10, 0), w(&c, RDT, RING / 2 - 1);
    w(&c, RCTL, 0x8002 | 1 << 26 | 1 << 10);
    to_guest(&c, f, 200);
    drv_copy_out(&c.d, RXR, b, 32);
    assert_int_equal(pci_get16(b + 12), 54);
    assert_int_equal(pci_get16(b + 16), 54 | 0x8000);
    assert_int_equal(pci_get16(b + 18), 146);
    uint8_t data[146];
    drv_copy_out(&c.d, RBUF + 0x1000, data, 146);
    assert_memory_equal(data, f + 54, 146);
    nic_free(&c);
}

static void interrupts(void **st)
{
    struct nic c;
    nic_new(&c, "e1000e");
    r(&c, ICR);
    /* by line: asserted, then cleared by reading */
    w(&c, IMS, 4);
    assert_false(c.d.level);
    w(&c, ICS, 4);
    assert_true(c.d.level);
    assert_int_equal(r(&c, ICR), 0x80000000 | 1 << 24 | 4);
    assert_false(c.d.level);
    w(&c, ICS, 1); /* not enabled: reading leaves it */
    assert_int_equal(r(&c, ICR), 1);
    assert_int_equal(r(&c, ICR), 1);
    w(&c, ICR, 1);
    assert_int_equal(r(&c, ICR), 0);
    /* throttled: the second waits for its time */
    w(&c, ITR, 1000);
    w(&c, ICS, 4);
    r(&c, ICR);
    w(&c, ICS, 4);
    assert_false(c.d.level);
    pass(&c, 255999);
    assert_false(c.d.level);
    pass(&c, 1);
    assert_true(c.d.level);
    r(&c, ICR);
    w(&c, ITR, 0);
    pass(&c, 1000000);
    /* MSI-X: each kind has its message; the causes of EIAC go with it, EIAME masks those of IAM */
    for (unsigned v = 0; v < 5; v++) {
        drv_st(&c.d, MSIX + 16 * v, 0x1000, 8);
        drv_st(&c.d, MSIX + 16 * v + 8, v, 4);
        drv_st(&c.d, MSIX + 16 * v + 12, 0, 4);
    }
    unsigned cap = 0x34, at = ECAM + 0x8000;
    for (cap = (unsigned)drv_ld(&c.d, at + cap, 1); cap && drv_ld(&c.d, at + cap, 1) != 0x11;) cap = (unsigned)drv_ld(&c.d, at + cap + 1, 1);
    drv_st(&c.d, at + cap + 2, 0x8000, 2);
    w(&c, IVAR, 8 | 0x9 << 8 | 0xau << 16);
    w(&c, EIAC, 1 << 20);
    w(&c, IMS, 1 << 20 | 1 << 22 | 1 << 24 | 4);
    w(&c, ICS, 1 << 20);
    assert_int_equal(c.msi[0], 1);
    assert_int_equal(r(&c, ICR) & 1 << 20, 0);
    w(&c, ICS, 1 << 22);
    assert_int_equal(c.msi[1], 1);
    w(&c, IMS, 4); /* nothing new */
    assert_int_equal(c.msi[1], 1);
    w(&c, ICS, 1 << 22);
    assert_int_equal(c.msi[1], 2);
    w(&c, ICS, 4);
    assert_int_equal(c.msi[2], 1);
    assert_true(r(&c, ICR) & 4);
    w(&c, ICR, 0xffffffff);
    w(&c, CTRL_EXT, 1 << 24), w(&c, IAM, 1 << 20);
    w(&c, ICS, 1 << 20);
    assert_int_equal(c.msi[0], 2);
    assert_int_equal(r(&c, IMS) & 1 << 20, 0);
    w(&c, EITR, 1000), w(&c, IMS, 1 << 20);
    w(&c, ICS, 1 << 20), w(&c, IMS, 1 << 20), w(&c, ICS, 1 << 20);
    assert_int_equal(c.msi[0], 3);
    pass(&c, 256000);
    assert_int_equal(c.msi[0], 4);
    /* the receive delay: anew with each frame, ended by its flush */
    w(&c, EITR, 0), w(&c, IMC, ~0u), w(&c, ICR, ~0u);
    pass(&c, 1000000);
    rings(&c, 0x8002);
    w(&c, RDT, 8), w(&c, RDTR, 100);
    uint8_t f[60];
    frame_make(f, sizeof f, 0x56);
    to_guest(&c, f, sizeof f);
    pass(&c, 60000);
    to_guest(&c, f, sizeof f);
    pass(&c, 60000);
    assert_int_equal(r(&c, ICR) & 0x80, 0);
    pass(&c, 50000);
    assert_int_equal(r(&c, ICR) & 0x80, 0x80);
    to_guest(&c, f, sizeof f);
    assert_int_equal(r(&c, ICR) & 0x80, 0);
    w(&c, RDTR, 100 | 1u << 31);
    assert_int_equal(r(&c, ICR) & 0x80, 0x80);
    /* the clock: 0x100 per 2 * 40 ns */
    w(&c, 0xb608, 2u << 24 | 0x100);
    uint32_t t = r(&c, 0xb600);
    pass(&c, 8000);
    assert_int_equal(r(&c, 0xb600) - t, 100 * 0x100);
    /* a reset by the driver */
    w(&c, CTRL, 1 << 26);
    assert_int_equal(r(&c, RCTL) | r(&c, IMS), 0);
    assert_int_equal(r(&c, 0x5404), 0x80005634);
    nic_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(eeprom_phy), cmocka_unit_test(transmit), cmocka_unit_test(receive), cmocka_unit_test(extended),
                                        cmocka_unit_test(interrupts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
