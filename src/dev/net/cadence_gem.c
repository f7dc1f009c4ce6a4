/*
 * cadence_gem.c: Cadence's Gigabit Ethernet MAC (GEM; Xilinx UG585, appendix B.18, and the registers that Cadence's drivers share): one queue in each
 * direction, 32 and 64 bit addresses, checksum offloads, address filters, statistics, a PHY by MDIO (Marvell 88E1111's registers of clause 22).
 * Known gaps: no further queues and screeners, no time stamps and precision time, no TCP segmentation, no pause frames and wake-up, half duplex.
 */
#include "dev/device.h"

#include <zlib.h>
#include "dev/fdt.h"
#include "dev/net/offload.h"
#include "io/net/net.h"

#define SELF struct cadence_gem
enum { NC_LOOP = 2, NC_RX = 4, NC_TX = 8, NC_CLEAR = 32, NC_START = 512, NC_HALT = 1024 };
enum { CFG_JUMBO = 8, CFG_ALL = 16, CFG_NO_BROADCAST = 32, CFG_MULTI_HASH = 64, CFG_UNI_HASH = 128, CFG_BIG = 256, CFG_NO_FCS = 1 << 17, CFG_RX_CSUM = 1 << 24 };
enum { DMA_TX_CSUM = 1 << 11, DMA_64 = 1 << 30, DMA_EXT = 3 << 28 };
enum { TS_USED = 1, TS_GO = 8, TS_AHB = 16, TS_DONE = 32, RS_NONE = 1, RS_DONE = 2, RS_AHB = 8 };
enum { INT_MDIO = 1, INT_RX = 2, INT_RX_USED = 4, INT_TX_USED = 8, INT_AHB = 64, INT_TX = 128, INT_ALL = 0x3ffffff };
enum { BUDGET = 256, FRAME = 16384, STATS = 45 };
/* statistics, as words from 0x100 on */
enum { TX_BYTES = 0, TX_FRAMES = 2, TX_BROADCAST, TX_MULTICAST, TX_64 = 6, RX_BYTES = 20, RX_FRAMES = 22, RX_BROADCAST, RX_MULTICAST, RX_64 = 26, RX_RESOURCE = 40 };
/* descriptors */
enum { RXD_OWN = 1, RXD_WRAP = 2, RXD_SOF = 1 << 14, RXD_EOF = 1 << 15, TXD_LAST = 1 << 15, TXD_WRAP = 1 << 30, RXD_MATCH = 1 << 27 };
#define TXD_USED (1u << 31)
#define RXD_BROADCAST (1u << 31)

struct cadence_gem {
    struct dev dev;
    struct net_port *netdev, *port;
    uint8_t p_mac[6];
    uint32_t revision, phy_addr;
    uint32_t nc, cfg, userio, dmacfg, txstat, txq, rxq, rxstat, isr, imr, mdio, pause[2], hash[2], addr[8], idmatch[4], wolan, stretch, svlan, mask[2], stat[STATS], rxq_hi,
        txq_hi;
    uint64_t rx_at, tx_at;       /* the descriptors that are next */
    uint16_t phy[32];
    uint8_t buf[FRAME];          /* a frame that is not complete */
    uint32_t len;
    bool bad, tx_waits;
    uint8_t rx_buf[FRAME + 8];
    struct deferred run;
    struct timer rx_timer;
};

static void update(SELF *s) { irq_set(&s->dev.irq[0], s->isr & ~s->imr); }
/* What is masked when it happens is not kept. */
static void tell(SELF *s, uint32_t bits)
{
    s->isr |= bits & ~s->imr;
    update(s);
}
static void count(SELF *s, unsigned first, const uint8_t *f, size_t n)
{
    bool rx = first >= RX_BYTES;
    uint64_t bytes = (s->stat[first] | (uint64_t)s->stat[first + 1] << 32) + n;
    unsigned size = n <= 64 ? 0 : n <= 127 ? 1 : n <= 255 ? 2 : n <= 511 ? 3 : n <= 1023 ? 4 : n <= 1518 ? 5 : 6;
    s->stat[first] = (uint32_t)bytes, s->stat[first + 1] = (uint32_t)(bytes >> 32);
    s->stat[first + 2]++;
    s->stat[(rx ? RX_64 : TX_64) + size]++;
    if (f[0] & 1) s->stat[!memcmp(f, "\xff\xff\xff\xff\xff\xff", 6) ? first + 3 : first + 4]++;
}

/* --- descriptors: two words, with 64-bit addresses two more, with time stamps another two --------------------------------------- */

static unsigned desc_bytes(const SELF *s) { return 8 + (s->dmacfg & DMA_64 ? 8 : 0) + (s->dmacfg & DMA_EXT ? 8 : 0); }
static bool desc_get(SELF *s, uint64_t at, uint32_t w[3])
{
    uint8_t b[12] = { 0 };
    if (dma_read(&s->dev.dma, at, b, s->dmacfg & DMA_64 ? 12 : 8)) return false;
    for (unsigned i = 0; i < 3; i++) w[i] = b[4 * i] | (uint32_t)b[4 * i + 1] << 8 | (uint32_t)b[4 * i + 2] << 16 | (uint32_t)b[4 * i + 3] << 24;
    return true;
}

/* --- sending -------------------------------------------------------------------------------------------------------------------- */

static bool recv(void *ctx, const struct iovec *iov, unsigned n);

static bool send_frame(SELF *s)
{
    struct net_places at;
    if (s->bad || s->len < 14) return true;
    unsigned what = s->dmacfg & DMA_TX_CSUM ? net_inspect(s->buf, s->len, &at) : 0;
    if (what & NET_IPV4) {
        s->buf[at.l3 + 10] = s->buf[at.l3 + 11] = 0;
        uint16_t c = net_csum(s->buf + at.l3, at.l4 - at.l3, 0);
        s->buf[at.l3 + 10] = (uint8_t)(c >> 8), s->buf[at.l3 + 11] = (uint8_t)c;
    }
    if (what & (NET_TCP | NET_UDP)) {
        uint8_t *sum = s->buf + at.l4 + (what & NET_TCP ? 16 : 6);
        unsigned n = at.end - at.l4, addrs = at.v6 ? 32 : 8;
        sum[0] = sum[1] = 0;
        uint32_t pseudo = (uint16_t)~net_csum(s->buf + at.l3 + (at.v6 ? 8 : 12), addrs, 0) + at.protocol + n;
        uint16_t c = net_csum(s->buf + at.l4, n, pseudo);
        if (!c) c = 0xffff;
        sum[0] = (uint8_t)(c >> 8), sum[1] = (uint8_t)c;
    }
    if (s->len < 60) memset(s->buf + s->len, 0, 60 - s->len), s->len = 60;
    count(s, TX_BYTES, s->buf, s->len + 4);
    TRACE(gem_tx, "%u bytes", s->len);
    if (s->nc & NC_LOOP || s->phy[0] & 1 << 14) return recv(s, &(struct iovec){ s->buf, s->len }, 1), true;
    return net_send_buf(s->port, s->buf, s->len);
}

static void tx_stop(SELF *s, uint32_t status, uint32_t ints)
{
    s->txstat = (s->txstat & ~(uint32_t)TS_GO) | status;
    tell(s, ints);
}

static void transmit(SELF *s)
{
    for (unsigned n = 0; s->txstat & TS_GO && s->nc & NC_TX && !s->tx_waits; n++) {
        uint32_t w[3];
        if (n == BUDGET) {
            loop_defer(&s->run);
            return;
        }
        if (!desc_get(s, s->tx_at, w)) {
            dev_guest_error(&s->dev, false, "its transmit ring is not in memory");
            tx_stop(s, TS_AHB, INT_AHB);
            return;
        }
        if (w[1] & TXD_USED) {
            tx_stop(s, TS_USED, INT_TX_USED);
            return;
        }
        uint32_t len = w[1] & 0x3fff;
        uint64_t at = s->tx_at;
        if (len > FRAME - s->len || dma_read(&s->dev.dma, w[0] | (uint64_t)w[2] << 32, s->buf + s->len, len)) s->bad = true;
        else s->len += len;
        s->tx_at = w[1] & TXD_WRAP ? s->txq | (uint64_t)s->txq_hi << 32 : at + desc_bytes(s);
        dma_st(&s->dev.dma, at + 4, w[1] | TXD_USED, 4);
        if (!(w[1] & TXD_LAST)) continue;
        s->tx_waits = !send_frame(s);
        s->len = 0;
        s->bad = false;
        s->txstat |= TS_DONE;
        tell(s, INT_TX);
    }
}

/* --- receiving -------------------------------------------------------------------------------------------------------------------- */

static unsigned hash_of(const uint8_t *mac)
{
    unsigned h = 0;
    for (unsigned bit = 0; bit < 48; bit++) h ^= (mac[bit / 8] >> bit % 8 & 1u) << bit % 6;
    return h;
}

/* False: not wanted; otherwise *bits are the descriptor's. */
static bool wanted(const SELF *s, const uint8_t *f, uint32_t *bits)
{
    unsigned h = hash_of(f);
    if (!memcmp(f, "\xff\xff\xff\xff\xff\xff", 6)) return *bits = RXD_BROADCAST, !(s->cfg & CFG_NO_BROADCAST);
    for (unsigned i = 0; i < 4; i++) {
        uint32_t lo = s->addr[2 * i], hi = s->addr[2 * i + 1];
        if ((lo || hi) && lo == (f[0] | (uint32_t)f[1] << 8 | (uint32_t)f[2] << 16 | (uint32_t)f[3] << 24) && (hi & 0xffff) == (uint32_t)(f[4] | f[5] << 8))
            return *bits = RXD_MATCH | i << 25, true;
    }
    if (s->cfg & (f[0] & 1 ? CFG_MULTI_HASH : CFG_UNI_HASH) && s->hash[h / 32] >> h % 32 & 1) return *bits = f[0] & 1 ? 1u << 30 : 1u << 29, true;
    return *bits = 0, s->cfg & CFG_ALL;
}

/* Are the next n descriptors the controller's? Drivers give them back without a word: they are looked at again soon. */
static bool buffers(SELF *s, uint32_t n)
{
    uint64_t at = s->rx_at;
    uint32_t w[3];
    for (; n; n--) {
        if (!desc_get(s, at, w)) return true; /* an error, to be told */
        if (w[0] & RXD_OWN) {
            if (!timer_is_set(&s->rx_timer)) timer_set_in(&s->rx_timer, NS_PER_MS);
            return false;
        }
        at = w[0] & RXD_WRAP ? s->rxq | (uint64_t)s->rxq_hi << 32 : at + desc_bytes(s);
    }
    return true;
}
static void look_again(void *ctx) { net_ready(((SELF *)ctx)->port); }
static bool can_recv(void *ctx)
{
    SELF *s = ctx;
    return !(s->nc & NC_RX) || buffers(s, 1); /* disabled: to be dropped */
}

static bool recv(void *ctx, const struct iovec *iov, unsigned n)
{
    SELF *s = ctx;
    struct net_places at;
    uint8_t *f = s->rx_buf;
    size_t len = iov_copy(iov, n, 0, f, FRAME);
    uint32_t flags, buffer = (s->dmacfg >> 16 & 0xff) * 64, skip = s->cfg >> 14 & 3;
    if (!(s->nc & NC_RX) || len < 14 || !buffer) return true;
    if (len < 60) memset(f + len, 0, 60 - len), len = 60;
    if (len > 1514 + (s->cfg & CFG_BIG ? 22u : 0) && !(s->cfg & CFG_JUMBO)) return true;
    if (!wanted(s, f, &flags)) return true;
    if (f[12] == 0x81 && f[13] == 0) flags |= 1 << 21;
    if (s->cfg & CFG_RX_CSUM) { /* 1: IP is right, 2: TCP too, 3: UDP */
        unsigned what = net_inspect(f, len, &at), kind = 0;
        if (what & (NET_BAD_IP | NET_BAD_L4)) return true; /* it discards them */
        if (what & NET_IPV4) kind = 1;
        if (what & NET_TCP) kind = 2;
        if (what & NET_UDP && !(what & NET_NO_L4_SUM)) kind = 3;
        flags |= kind << 22;
    }
    size_t wire = len + 4;
    if (!(s->cfg & CFG_NO_FCS)) {
        uint32_t c = (uint32_t)crc32(0, f, (uInt)len);
        for (unsigned i = 0; i < 4; i++) f[len++] = (uint8_t)(c >> 8 * i);
    }
    if (!buffers(s, (uint32_t)((len + skip + buffer - 1) / buffer))) {
        s->rxstat |= RS_NONE;
        s->stat[RX_RESOURCE]++;
        tell(s, INT_RX_USED);
        return false;
    }
    for (size_t done = 0; done < len;) {
        uint32_t w[3], part = (uint32_t)MIN(len - done, (size_t)(buffer - (done ? 0 : skip)));
        if (!desc_get(s, s->rx_at, w)) {
            dev_guest_error(&s->dev, false, "its receive ring is not in memory");
            s->rxstat |= RS_AHB;
            tell(s, INT_AHB);
            return true;
        }
        uint64_t to = (w[0] & ~3ull) | (uint64_t)w[2] << 32, here = s->rx_at;
        if (dma_write(&s->dev.dma, to + (done ? 0 : skip), f + done, part)) s->rxstat |= RS_AHB, tell(s, INT_AHB);
        uint32_t w1 = (done ? 0 : RXD_SOF) | (done + part == len ? RXD_EOF | flags | ((uint32_t)len & 0x3fff) : 0);
        dma_st(&s->dev.dma, here + 4, w1, 4);
        dma_st(&s->dev.dma, here, w[0] | RXD_OWN, 4);
        s->rx_at = w[0] & RXD_WRAP ? s->rxq | (uint64_t)s->rxq_hi << 32 : here + desc_bytes(s);
        done += part;
    }
    count(s, RX_BYTES, f, wire);
    s->rxstat |= RS_DONE;
    tell(s, INT_RX);
    return true;
}

/* --- PHY ---------------------------------------------------------------------------------------------------------------------------- */

static bool link_up(const SELF *s) { return !(s->phy[0] & 1 << 11) && (net_link(s->port) || s->phy[0] & 1 << 14); }

static void phy_reset(SELF *s)
{
    static const struct { uint8_t reg; uint16_t v; } first[] = {
        { 0, 0x1140 }, { 1, 0x7949 }, { 2, 0x0141 }, { 3, 0x0cc2 }, { 4, 0x0de1 }, { 5, 0x41e1 }, { 6, 0x000d }, { 9, 0x0f00 }, { 10, 0x3c00 }, { 15, 0x3000 }, { 16, 0x0078 },
        { 20, 0x0ca0 },
    };
    memset(s->phy, 0, sizeof s->phy);
    for (unsigned i = 0; i < ARRAY_LEN(first); i++) s->phy[first[i].reg] = first[i].v;
}

static uint16_t phy_read(const SELF *s, unsigned reg)
{
    bool up = link_up(s);
    if (reg == 1) return (uint16_t)(s->phy[1] | (up ? 0x24 : 0));
    if (reg == 17) return up ? 0xac00 : 0x8000;
    return (reg == 5 || reg == 10) && !up ? 0 : s->phy[reg];
}

static void phy_write(SELF *s, unsigned reg, uint16_t v)
{
    if (reg == 0 && v >> 15) phy_reset(s);
    else if (reg == 0) s->phy[0] = v & (uint16_t)~0x23f;
    else if (reg == 4 || reg == 9 || (reg >= 16 && reg != 17)) s->phy[reg] = v;
}

static void mdio_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    unsigned op = v >> 28 & 3, reg = v >> 18 & 31;
    bool there = (v >> 23 & 31) == s->phy_addr;
    s->mdio = (uint32_t)v;
    if (op == 2) s->mdio = (s->mdio & 0xffff0000) | (there ? phy_read(s, reg) : 0xffff);
    else if (op == 1 && there) phy_write(s, reg, (uint16_t)v);
    tell(s, INT_MDIO);
}

/* --- registers ------------------------------------------------------------------------------------------------------------------------ */

static void nc_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    uint32_t old = s->nc;
    s->nc = (uint32_t)v & 0x1ff & ~(uint32_t)(NC_CLEAR | 64);
    if (v & NC_CLEAR) memset(s->stat, 0, sizeof s->stat);
    if (old & NC_TX && !(s->nc & NC_TX)) s->txstat &= ~(uint32_t)TS_GO, s->tx_at = s->txq | (uint64_t)s->txq_hi << 32, s->len = 0;
    if (old & NC_RX && !(s->nc & NC_RX)) s->rx_at = s->rxq | (uint64_t)s->rxq_hi << 32;
    if (!(old & NC_RX) && s->nc & NC_RX) net_ready(s->port);
    if (v & NC_HALT) s->txstat &= ~(uint32_t)TS_GO;
    if (v & NC_START && s->nc & NC_TX) {
        s->txstat |= TS_GO;
        transmit(s);
    }
}
static uint64_t nc_read(void *dev, unsigned i) { return ((SELF *)dev)->nc; }
static uint64_t ns_read(void *dev, unsigned i) { return 4 | (link_up(dev) ? 1 : 0); } /* MDIO is idle */
static void isr_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->isr &= ~(uint32_t)v;
    update(s);
    if (v & (INT_RX | INT_RX_USED)) net_ready(s->port); /* buffers were given back */
}
static void ier_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->imr &= ~(uint32_t)v;
    update(s);
    net_ready(s->port);
}
static void idr_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->imr |= (uint32_t)v & INT_ALL;
    update(s);
}
static void rxstat_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->rxstat &= ~(uint32_t)v;
    net_ready(s->port);
}
static void txstat_write(void *dev, unsigned i, uint64_t v)
{
    SELF *s = dev;
    s->txstat &= ~((uint32_t)v & ~(uint32_t)TS_GO);
}
static void rxq_after(void *dev, unsigned i)
{
    SELF *s = dev;
    s->rx_at = s->rxq | (uint64_t)s->rxq_hi << 32;
    net_ready(s->port);
}
static void txq_after(void *dev, unsigned i)
{
    SELF *s = dev;
    s->tx_at = s->txq | (uint64_t)s->txq_hi << 32;
}
static uint64_t rxq_read(void *dev, unsigned i) { return (uint32_t)((SELF *)dev)->rx_at; }
static uint64_t txq_read(void *dev, unsigned i) { return (uint32_t)((SELF *)dev)->tx_at; }
static uint64_t mid_read(void *dev, unsigned i) { return ((SELF *)dev)->revision; }
/* Design configuration: a bus of 32 bits, packet buffers in both directions, 64-bit addresses; interrupts are cleared by writing ones. */
static uint64_t dcfg_read(void *dev, unsigned i)
{
    static const uint32_t dcfg[] = { 0x02000111, 0x2ab13fff | 3 << 20, 0, 0, 0x002f2045, 1 << 23 };
    return i < ARRAY_LEN(dcfg) ? dcfg[i] : 0;
}

static const struct reg gem_regs[] = {
    { 0x00, "nwctrl", RW, FIELD(nc), .read = nc_read, .write = nc_write }, { 0x04, "nwcfg", RW, FIELD(cfg), .reset = 0x80000 }, { 0x08, "nwstatus", RO, .read = ns_read },
    { 0x0c, "userio", RW, FIELD(userio) }, { 0x10, "dmacfg", RW, FIELD(dmacfg), .reset = 0x00020784 }, { 0x14, "txstatus", RW, FIELD(txstat), .write = txstat_write },
    { 0x18, "rxqbase", RW, FIELD(rxq), .mask = ~3u, .read = rxq_read, .after = rxq_after }, { 0x1c, "txqbase", RW, FIELD(txq), .mask = ~3u, .read = txq_read, .after = txq_after },
    { 0x20, "rxstatus", RW, FIELD(rxstat), .write = rxstat_write }, { 0x24, "isr", RW, FIELD(isr), .write = isr_write }, { 0x28, "ier", WO, .write = ier_write },
    { 0x2c, "idr", WO, .write = idr_write }, { 0x30, "imr", RO, FIELD(imr), .reset = INT_ALL }, { 0x34, "phymntnc", RW, FIELD(mdio), .write = mdio_write },
    { 0x38, "pause", RW, FIELD_ARRAY(pause) }, { 0x80, "hash", RW, FIELD_ARRAY(hash) }, { 0x88, "spaddr", RW, FIELD_ARRAY(addr) }, { 0xa8, "idmatch", RW, FIELD_ARRAY(idmatch) },
    { 0xb8, "wolan", RW, FIELD(wolan) }, { 0xbc, "ipgstretch", RW, FIELD(stretch) }, { 0xc0, "svlan", RW, FIELD(svlan) }, { 0xc8, "spaddr1mask", RW, FIELD_ARRAY(mask) },
    { 0xfc, "modid", RO, .read = mid_read }, { 0x100, "stat", RC, FIELD_ARRAY(stat) }, { 0x280, "dcfg", RO, .count = 12, .read = dcfg_read },
    { 0x4c8, "txqbase_hi", RW, FIELD(txq_hi), .after = txq_after }, { 0x4d4, "rxqbase_hi", RW, FIELD(rxq_hi), .after = rxq_after },
};

/* --- life ---------------------------------------------------------------------------------------------------------------------------- */

static void run(void *ctx) { transmit(ctx); }
static void resume(void *ctx)
{
    SELF *s = ctx;
    s->tx_waits = false;
    loop_defer(&s->run);
}
static const struct net_client client = { .can_recv = can_recv, .recv = recv, .resume = resume };

static int gem_init(void *dev, struct err *e)
{
    SELF *s = dev;
    deferred_init(&s->run, s->dev.board->loop, run, s);
    timer_init(&s->rx_timer, s->dev.board->clock, look_again, s);
    return net_nic_new(s->netdev, s->dev.id, "cadence_gem", s->p_mac, &client, s, &s->port, e);
}
static void gem_reset(void *dev)
{
    SELF *s = dev;
    s->addr[0] = 0;
    for (unsigned i = 0; i < 4; i++) s->addr[0] |= (uint32_t)s->p_mac[i] << 8 * i;
    s->addr[1] = (uint32_t)(s->p_mac[4] | s->p_mac[5] << 8);
    s->rx_at = s->tx_at = 0;
    s->len = 0;
    s->bad = s->tx_waits = false;
    phy_reset(s);
    deferred_cancel(&s->run);
    timer_cancel(&s->rx_timer);
    net_flush(s->port);
    update(s);
}
static void gem_exit(void *dev)
{
    SELF *s = dev;
    deferred_cancel(&s->run);
    timer_cancel(&s->rx_timer);
    net_port_free(s->port);
    s->port = NULL;
}
static int gem_loaded(void *dev, struct err *e)
{
    loop_defer(&((SELF *)dev)->run);
    return 0;
}
static void gem_fdt(void *dev, struct fdt_node *n)
{
    fdt_set_u32(n, "#address-cells", 1);
    fdt_set_u32(n, "#size-cells", 0);
    fdt_set(n, "local-mac-address", ((SELF *)dev)->p_mac, 6);
}

const struct device cadence_gem_device = {
    .name = "cadence_gem", .help = "Cadence Gigabit Ethernet MAC", .category = "Network devices", .dt = "cdns,gem", .size = sizeof(SELF), .window = 0x2000, .irqs = 1,
    REGS(gem_regs), .init = gem_init, .reset = gem_reset, .exit = gem_exit, .loaded = gem_loaded, .fdt = gem_fdt,
    PROPS(PROP_NET("netdev", netdev), PROP_MAC("mac", p_mac), PROP_U32("revision", revision, 0x10070109), PROP_U32("phy-addr", phy_addr, 0)),
    STATE(STATE_INT(rx_at), STATE_INT(tx_at), STATE_ARRAY(phy), STATE_BYTES(buf), STATE_RANGE(len, 0, FRAME), STATE_RANGE(bad, 0, 1), STATE_TIMER(rx_timer)),
};
