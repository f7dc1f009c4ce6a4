/*
 * net.c: virtio-net (virtio 1.2, 5.1): a network card. Frames go to the peer (io/net) with the guest's memory as it is.
 *
 * Offloads: where the peer takes virtio headers (tap), they are passed on. Otherwise this device computes checksums and cuts TCP
 * segments itself (net/offload.c): a guest's instructions cost more than the host's.
 * Known gaps: one pair of queues (no MQ, RSS); the guest is not told hashes.
 */
#include "dev/net/offload.h"
#include "dev/virtio/virtio.h"
#include "io/net/net.h"

#define SELF struct virtio_net
enum { F_CSUM = 0, F_GUEST_CSUM = 1, F_CTRL_GUEST_OFFLOADS = 2, F_MTU = 3, F_MAC = 5, F_GUEST_TSO4 = 7, F_GUEST_TSO6 = 8, F_GUEST_ECN = 9,
       F_GUEST_UFO = 10, F_HOST_TSO4 = 11, F_HOST_TSO6 = 12, F_HOST_ECN = 13, F_HOST_UFO = 14, F_MRG_RXBUF = 15, F_STATUS = 16,
       F_CTRL_VQ = 17, F_CTRL_RX = 18, F_CTRL_VLAN = 19, F_CTRL_RX_EXTRA = 20, F_GUEST_ANNOUNCE = 21, F_CTRL_MAC_ADDR = 23,
       F_SPEED_DUPLEX = 63 };
enum { RX, TX, CTRL, QUEUES };
enum { MACS = 64, VLANS = 4096, RX_ELEMENTS = 128, MAC_TABLE_MAX = 64 << 10 };
enum { STATUS_LINK = 1, STATUS_ANNOUNCE = 2 };

struct virtio_net {
    struct virtio v;
    struct net_port *netdev, *port;
    uint8_t mac[6], p_mac[6];
    uint16_t link_status, mtu;
    uint32_t speed;
    uint8_t duplex;
    char *p_duplex, *p_tx;
    uint16_t p_rx_size, p_tx_size;
    int32_t bootindex;
    bool p_mrg, p_csum, p_gcsum, p_tso4, p_tso6, p_ecn, p_gtso4, p_gtso6, p_gecn, p_ctrl, p_ctrl_rx, p_ctrl_vlan, p_ctrl_mac, p_announce,
        p_status, p_offloads;
    bool vnet;                            /* the peer takes and gives virtio headers */
    bool tx_waits;                        /* the peer cannot take more */
    /* what is received */
    bool promisc, allmulti, alluni, nomulti, nouni, nobcast, uni_overflow, multi_overflow;
    uint32_t nuni, nmulti;
    uint8_t uni[MACS][6], multi[MACS][6];
    uint32_t vlans[VLANS / 32];
    uint8_t *bounce;                      /* NET_FRAME_MAX bytes for what the device changes itself */
};

/* --- receiving -------------------------------------------------------------------------------------------------------------- */

static bool known(const uint8_t (*table)[6], unsigned n, const uint8_t *mac)
{
    for (unsigned i = 0; i < n; i++)
        if (!memcmp(table[i], mac, 6)) return true;
    return false;
}

/* Does the guest want a frame that begins so? */
static bool wanted(const SELF *s, const uint8_t *f, size_t n)
{
    static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    if (n < 14) return false;
    if (s->promisc) return true;
    if (n >= 16 && f[12] == 0x81 && f[13] == 0 && virtio_has(&s->v, F_CTRL_VLAN)) {
        unsigned id = (unsigned)(f[14] << 8 | f[15]) & (VLANS - 1);
        if (!(s->vlans[id / 32] >> id % 32 & 1)) return false;
    }
    if (f[0] & 1) {
        if (!memcmp(f, all, 6)) return !s->nobcast;
        return !s->nomulti && (s->allmulti || s->multi_overflow || known(s->multi, s->nmulti, f));
    }
    return !s->nouni && (s->alluni || s->uni_overflow || !memcmp(f, s->mac, 6) || known(s->uni, s->nuni, f));
}

static bool can_recv(void *ctx)
{
    SELF *s = ctx;
    return virtio_running(&s->v) && s->v.vq[RX].ready;
}

/* Copies the iovec's bytes from `skip` on into elements, the header in front of them. */
struct rx {
    struct vq_elem *el[RX_ELEMENTS];
    uint32_t len[RX_ELEMENTS];
    unsigned n;
};

static bool rx_copy(struct rx *r, const struct iovec *iov, unsigned n, size_t skip)
{
    unsigned e = 0;
    uint64_t at = NET_HDR;
    for (unsigned i = 0; i < n; i++) {
        size_t off = MIN(skip, iov[i].iov_len);
        skip -= off;
        while (off < iov[i].iov_len) {
            if (at == r->el[e]->in_len) {
                r->len[e++] = (uint32_t)at;
                at = 0;
            }
            if (e == r->n) return false;
            uint64_t part = MIN((uint64_t)(iov[i].iov_len - off), r->el[e]->in_len - at);
            if (vq_write(r->el[e], at, (uint8_t *)iov[i].iov_base + off, part) != (int64_t)part) return false;
            off += part;
            at += part;
        }
    }
    r->len[e] = (uint32_t)at;
    return true;
}

/* Elements with room for the bytes. 1: got them, 0: there are too few for now, -1: they are not for such frames. */
static int rx_get(SELF *s, struct rx *r, size_t bytes)
{
    struct vq *q = &s->v.vq[RX];
    uint64_t room = 0;
    r->n = 0;
    while (room < bytes) {
        struct vq_elem *el = r->n < RX_ELEMENTS ? vq_pop(q) : NULL;
        if (!el) break;
        r->el[r->n++] = el;
        room += el->in_len;
        if (!el->in_len || (r->n == 1 && el->in_len < NET_HDR)) {
            virtio_error(&s->v, "a receive buffer of %u bytes", el->in_len);
            break;
        }
        if (!virtio_has(&s->v, F_MRG_RXBUF)) break;
    }
    if (room >= bytes) return 1;
    int ret = s->v.broken || r->n == RX_ELEMENTS || (r->n && !virtio_has(&s->v, F_MRG_RXBUF)) ? -1 : 0;
    while (r->n) vq_unpop(r->el[--r->n]);
    return ret;
}

static bool recv(void *ctx, const struct iovec *iov, unsigned n)
{
    SELF *s = ctx;
    struct vq *q = &s->v.vq[RX];
    struct rx r;
    uint8_t head[NET_HDR + 18];
    size_t total = iov_bytes(iov, n), skip = s->vnet ? NET_HDR : 0, got = iov_copy(iov, n, 0, head, MIN(sizeof head, skip + 18));
    if (!can_recv(s)) return !s->v.broken && (s->v.status & VIRTIO_DRIVER_OK) ? false : true;
    if (total < skip + 14 || total > NET_FRAME_MAX || !wanted(s, head + skip, got - skip)) return true;
    int room = rx_get(s, &r, total - skip + NET_HDR);
    if (!room) {
        if (!vq_want(q, true)) return false;
        room = rx_get(s, &r, total - skip + NET_HDR); /* some came just now */
        if (!room) return false;
    }
    if (room < 0) return true; /* dropped */
    uint8_t hdr[NET_HDR] = { 0 };
    if (s->vnet) memcpy(hdr, head, NET_HDR);
    else if (virtio_has(&s->v, F_GUEST_CSUM) && net_csum_good(iov, n)) hdr[0] = NET_HDR_DATA_VALID;
    pci_put16(hdr + 10, (uint16_t)r.n);
    bool ok = vq_write(r.el[0], 0, hdr, NET_HDR) == NET_HDR && rx_copy(&r, iov, n, skip);
    if (!ok) {
        virtio_error(&s->v, "a receive buffer is not in memory");
        while (r.n) vq_drop(r.el[--r.n]);
        return true;
    }
    vq_push_all(r.el, r.len, r.n);
    vq_notify(q);
    return true;
}

static void rx_handle(struct vq *q)
{
    SELF *s = (SELF *)q->v;
    vq_want(q, false);
    net_ready(s->port);
}

/* --- sending ------------------------------------------------------------------------------------------------------------------- */

static bool send_segment(void *ctx, const uint8_t *frame, size_t n)
{
    SELF *s = ctx;
    return net_send_buf(s->port, frame, n);
}

/* False: the peer wants a pause (what was given is taken all the same). */
static bool tx_one(SELF *s, struct vq_elem *el)
{
    uint8_t h[NET_HDR];
    struct iovec *iov;
    if (vq_read(el, 0, h, NET_HDR) != NET_HDR) {
        virtio_error(&s->v, "a frame without a header");
        return true;
    }
    uint32_t len = el->out_len - NET_HDR;
    if (len < 14 || el->out_len > NET_FRAME_MAX) return true;
    if (!s->vnet && ((h[0] & NET_HDR_NEEDS_CSUM) || h[1])) { /* ours to do, on a copy */
        if (vq_read(el, NET_HDR, s->bounce, len) != len) return true;
        return net_segment(h, s->bounce, len, send_segment, s);
    }
    int n = vq_iov(el, false, s->vnet ? 0 : NET_HDR, s->vnet ? el->out_len : len, &iov);
    if (n < 0) {
        if (n == -EFAULT) virtio_error(&s->v, "a frame that is not in memory");
        return true;
    }
    return net_send(s->port, iov, (unsigned)n);
}

static void tx_handle(struct vq *q)
{
    SELF *s = (SELF *)q->v;
    struct vq_elem *el;
    bool any = false;
    while (!s->tx_waits && (el = vq_pop(q))) {
        s->tx_waits = !tx_one(s, el);
        vq_charge(q, el->out_len);
        vq_push(el, 0);
        any = true;
    }
    if (any) vq_notify(q);
}

static void resume(void *ctx)
{
    SELF *s = ctx;
    s->tx_waits = false;
    vq_schedule(&s->v.vq[TX]);
}

static void link_changed(void *ctx, bool up)
{
    SELF *s = ctx;
    uint16_t old = s->link_status;
    s->link_status = (uint16_t)((old & ~STATUS_LINK) | (up ? STATUS_LINK : 0));
    if (s->link_status != old && virtio_has(&s->v, F_STATUS)) virtio_config_changed(&s->v);
}

static const struct net_client client = { .can_recv = can_recv, .recv = recv, .resume = resume, .link = link_changed };

/* --- the control queue ------------------------------------------------------------------------------------------------------------ */

static void set_offloads(SELF *s, uint64_t f)
{
    unsigned flags = (f & VF(F_GUEST_CSUM) ? NET_CSUM : 0) | (f & VF(F_GUEST_TSO4) ? NET_TSO4 : 0) | (f & VF(F_GUEST_TSO6) ? NET_TSO6 : 0) |
                     (f & VF(F_GUEST_ECN) ? NET_ECN : 0);
    if (s->vnet) net_set_offloads(s->port, NET_HDR, flags);
}

static bool ctrl_rx(SELF *s, uint8_t cmd, const uint8_t *b, int64_t n)
{
    bool *const mode[] = { &s->promisc, &s->allmulti, &s->alluni, &s->nomulti, &s->nouni, &s->nobcast };
    if (cmd >= ARRAY_LEN(mode) || n < 1 || b[0] > 1) return false;
    if (!virtio_has(&s->v, cmd < 2 ? F_CTRL_RX : F_CTRL_RX_EXTRA)) return false;
    *mode[cmd] = b[0];
    return true;
}

/* One list of addresses at b: how many bytes it has, or 0. More than fit: all are let through. */
static size_t mac_list(const uint8_t *b, size_t n, uint8_t (*table)[6], uint32_t *count, bool *overflow)
{
    if (n < 4) return 0;
    uint64_t entries = pci_get32(b);
    if (entries * 6 > n - 4) return 0;
    *overflow = entries > MACS;
    *count = *overflow ? 0 : (uint32_t)entries;
    memcpy(table, b + 4, *count * 6ul);
    return 4 + (size_t)entries * 6;
}

static bool ctrl_mac(SELF *s, struct vq_elem *el, uint8_t cmd)
{
    uint32_t n = el->out_len - 2;
    if (cmd == 1) { /* address */
        if (!virtio_has(&s->v, F_CTRL_MAC_ADDR) || n != 6 || vq_read(el, 2, s->mac, 6) != 6) return false;
        net_set_mac(s->port, s->mac);
        return true;
    }
    if (cmd || !virtio_has(&s->v, F_CTRL_RX) || n > MAC_TABLE_MAX || n > NET_FRAME_MAX || vq_read(el, 2, s->bounce, n) != n) return false;
    size_t first = mac_list(s->bounce, n, s->uni, &s->nuni, &s->uni_overflow);
    return first && mac_list(s->bounce + first, n - first, s->multi, &s->nmulti, &s->multi_overflow) == n - first;
}

static bool ctrl(SELF *s, struct vq_elem *el)
{
    uint8_t b[2 + 8];
    int64_t n = vq_read(el, 0, b, sizeof b) - 2;
    if (n < 0) return false;
    switch (b[0]) {
    case 0: return ctrl_rx(s, b[1], b + 2, n);
    case 1: return ctrl_mac(s, el, b[1]);
    case 2: { /* VLAN */
        unsigned id = n >= 2 ? pci_get16(b + 2) : VLANS;
        if (!virtio_has(&s->v, F_CTRL_VLAN) || id >= VLANS || b[1] > 1) return false;
        if (b[1]) s->vlans[id / 32] &= ~(1u << id % 32);
        else s->vlans[id / 32] |= 1u << id % 32;
        return true;
    }
    case 3: /* announcement made */
        if (b[1] || !(s->link_status & STATUS_ANNOUNCE)) return false;
        s->link_status &= (uint16_t)~STATUS_ANNOUNCE;
        return true;
    case 5: { /* offloads of received frames */
        uint64_t f = n >= 8 ? pci_get32(b + 2) | (uint64_t)pci_get32(b + 6) << 32 : ~0ull;
        if (b[1] || !virtio_has(&s->v, F_CTRL_GUEST_OFFLOADS) || (f & ~s->v.features)) return false;
        set_offloads(s, f);
        return true;
    }
    default: return false;
    }
}

static void ctrl_handle(struct vq *q)
{
    SELF *s = (SELF *)q->v;
    for (struct vq_elem *el; (el = vq_pop(q));) {
        uint8_t ack = 1;
        if (el->out_len < 2 || !el->in_len) {
            virtio_error(q->v, "a control command without header or answer");
            vq_drop(el);
            return;
        }
        ack = !ctrl(s, el);
        vq_write(el, 0, &ack, 1);
        vq_push(el, 1);
        vq_notify(q);
    }
}

/* --- configuration ----------------------------------------------------------------------------------------------------------------- */

static const struct reg config[] = {
    { 0, "mac", RO, .size = 1, FIELD_ARRAY(mac), .step = 1 },
    { 6, "status", RO, .size = 2, FIELD(link_status) },
    { 8, "max_virtqueue_pairs", RO, .size = 2 },
    { 10, "mtu", RO, .size = 2, FIELD(mtu) },
    { 12, "speed", RO, FIELD(speed) },
    { 16, "duplex", RO, .size = 1, FIELD(duplex) },
};

static uint64_t offer(void *dev)
{
    SELF *s = dev;
    unsigned peer = net_offloads(s->port);
    bool vnet = peer & NET_VNET_HDR, ctrl_on = s->p_ctrl;
    uint64_t f = VF(F_MAC) | (s->mtu ? VF(F_MTU) : 0) | (s->p_mrg ? VF(F_MRG_RXBUF) : 0) | (s->p_status ? VF(F_STATUS) : 0) |
                 (s->duplex != 0xff || s->speed != UINT32_MAX ? VF(F_SPEED_DUPLEX) : 0) | (s->p_csum ? VF(F_CSUM) : 0) |
                 (s->p_gcsum ? VF(F_GUEST_CSUM) : 0);
    if (ctrl_on)
        f |= VF(F_CTRL_VQ) | (s->p_ctrl_rx ? VF(F_CTRL_RX) | VF(F_CTRL_RX_EXTRA) : 0) | (s->p_ctrl_vlan ? VF(F_CTRL_VLAN) : 0) |
             (s->p_ctrl_mac ? VF(F_CTRL_MAC_ADDR) : 0) | (s->p_announce && s->p_status ? VF(F_GUEST_ANNOUNCE) : 0) |
             (vnet && s->p_offloads ? VF(F_CTRL_GUEST_OFFLOADS) : 0);
    /* sending: what the peer cannot, this device does; ECN is in the segments' headers */
    if (s->p_csum) {
        if (s->p_tso4 && (!vnet || (peer & NET_TSO4))) f |= VF(F_HOST_TSO4);
        if (s->p_tso6 && (!vnet || (peer & NET_TSO6))) f |= VF(F_HOST_TSO6);
        if (s->p_ecn && (!vnet || (peer & NET_ECN))) f |= VF(F_HOST_ECN);
    }
    if (vnet && !(peer & NET_CSUM)) f &= ~(VF(F_CSUM) | VF(F_GUEST_CSUM) | VF(F_HOST_TSO4) | VF(F_HOST_TSO6) | VF(F_HOST_ECN));
    if (vnet && s->p_gcsum && (peer & NET_CSUM)) {
        f |= (s->p_gtso4 && (peer & NET_TSO4) ? VF(F_GUEST_TSO4) : 0) | (s->p_gtso6 && (peer & NET_TSO6) ? VF(F_GUEST_TSO6) : 0) |
             (s->p_gecn && (peer & NET_ECN) ? VF(F_GUEST_ECN) : 0);
    }
    return f;
}

static void agreed(void *dev)
{
    SELF *s = dev;
    unsigned peer = net_offloads(s->port);
    s->vnet = (peer & NET_VNET_HDR) && !net_set_offloads(s->port, NET_HDR, 0);
    set_offloads(s, s->v.features);
}

static void running(void *dev, bool on)
{
    SELF *s = dev;
    if (on) net_ready(s->port);
}

static void reset(void *dev)
{
    SELF *s = dev;
    if (s->vnet) net_set_offloads(s->port, 0, 0);
    s->vnet = s->tx_waits = false;
    s->promisc = true;
    s->allmulti = s->alluni = s->nomulti = s->nouni = s->nobcast = s->uni_overflow = s->multi_overflow = false;
    s->nuni = s->nmulti = 0;
    memset(s->vlans, 0, sizeof s->vlans);
    memcpy(s->mac, s->p_mac, 6);
    s->link_status = !s->port || net_link(s->port) ? STATUS_LINK : 0;
    if (s->port) {
        net_set_mac(s->port, s->mac);
        net_flush(s->port);
    }
}

static const struct vq_row rows[] = {
    [RX] = { "rx", .flags = VQ_SUPPLY, .handle = rx_handle },
    [TX] = { "tx", .handle = tx_handle },
    [CTRL] = { "ctrl", .size = 64, .handle = ctrl_handle },
};
static const struct virtio_class class = {
    .name = "virtio-net", .id = 1, .pci_class = 0x020000, VIRTIO_CONFIG(config), .config_size = 20, VIRTIO_ROWS(rows),
    .offer = offer, .agreed = agreed, .status = running, .reset = reset,
};

/* --- life ------------------------------------------------------------------------------------------------------------------------------ */

static bool ring_size(uint16_t n)
{
    return n >= 64 && n <= VQ_MAX && !(n & (n - 1));
}

static int init(void *dev, struct err *e)
{
    SELF *s = dev;
    if (!ring_size(s->p_rx_size) || !ring_size(s->p_tx_size))
        return err_set(e, EINVAL, "virtio-net: rx_queue_size and tx_queue_size must be powers of two from 64 to %d", VQ_MAX);
    s->duplex = 0xff;
    if (s->p_duplex && *s->p_duplex) {
        if (strcmp(s->p_duplex, "full") && strcmp(s->p_duplex, "half")) return err_set(e, EINVAL, "virtio-net: duplex must be 'half' or 'full'");
        s->duplex = s->p_duplex[0] == 'f';
    }
    s->bounce = dev_alloc(dev, NET_FRAME_MAX);
    int r = net_nic_new(s->netdev, s->v.dev.id, s->v.dev.cls->name, s->p_mac, &client, s, &s->port, e);
    if (!r && (r = virtio_init(dev, &class, QUEUES, e))) {
        net_port_free(s->port);
        s->port = NULL;
    }
    s->v.vq[RX].max = s->p_rx_size;
    s->v.vq[TX].max = s->p_tx_size;
    return r;
}

static void leave(void *dev)
{
    SELF *s = dev;
    net_port_free(s->port);
    s->port = NULL;
    virtio_exit(dev);
}

#define NET_PROPS \
    VIRTIO_PROPS, PROP_NET("netdev", netdev), PROP_MAC("mac", p_mac), PROP_U16("rx_queue_size", p_rx_size, 256), \
    PROP_U16("tx_queue_size", p_tx_size, 256), PROP_U16("host_mtu", mtu, 0), PROP_U32("speed", speed, UINT32_MAX), \
    PROP_STR("duplex", p_duplex, NULL), PROP_STR("tx", p_tx, NULL), PROP_U32("bootindex", bootindex, UINT32_MAX), \
    PROP_BOOL("mrg_rxbuf", p_mrg, true), PROP_BOOL("csum", p_csum, true), PROP_BOOL("guest_csum", p_gcsum, true), \
    PROP_BOOL("host_tso4", p_tso4, true), PROP_BOOL("host_tso6", p_tso6, true), PROP_BOOL("host_ecn", p_ecn, true), \
    PROP_BOOL("guest_tso4", p_gtso4, true), PROP_BOOL("guest_tso6", p_gtso6, true), PROP_BOOL("guest_ecn", p_gecn, true), \
    PROP_BOOL("ctrl_vq", p_ctrl, true), PROP_BOOL("ctrl_rx", p_ctrl_rx, true), PROP_BOOL("ctrl_vlan", p_ctrl_vlan, true), \
    PROP_BOOL("ctrl_mac_addr", p_ctrl_mac, true), PROP_BOOL("guest_announce", p_announce, true), PROP_BOOL("status", p_status, true), \
    PROP_BOOL("ctrl_guest_offloads", p_offloads, true)
#define NET_STATE STATE_BYTES(mac), STATE_INT(link_status), STATE_RANGE(promisc, 0, 1), STATE_RANGE(allmulti, 0, 1), \
    STATE_RANGE(alluni, 0, 1), STATE_RANGE(nomulti, 0, 1), STATE_RANGE(nouni, 0, 1), STATE_RANGE(nobcast, 0, 1), \
    STATE_RANGE(uni_overflow, 0, 1), STATE_RANGE(multi_overflow, 0, 1), STATE_RANGE(nuni, 0, MACS), STATE_RANGE(nmulti, 0, MACS), \
    STATE_BYTES(uni), STATE_BYTES(multi), STATE_ARRAY(vlans)

const struct device virtio_net_device = {
    VIRTIO_DEVICE("virtio-net", "virtio network card", "Network devices", init, leave), PROPS(NET_PROPS), STATE(VIRTIO_STATE, NET_STATE),
};
const struct device virtio_net_pci_device = {
    VIRTIO_PCI_DEVICE("virtio-net", "virtio network card", "Network devices", init, leave), PROPS(NET_PROPS, VIRTIO_PCI_PROPS), STATE(VIRTIO_PCI_STATE, NET_STATE),
};
