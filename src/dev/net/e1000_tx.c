/*
 * e1000_tx.c: transmit descriptors (8254x manual, 3.3 to 3.5; 82574 datasheet, 7.2): legacy, context and data; checksums, TCP segments, VLAN tags.
 *
 * A frame is gathered whole and then cut where TSE says so. What descriptors can make the device do in one go has a budget.
 * Known gaps: a TCP segmentation of more than 68 KiB is dropped; no UDP segmentation; arbitration between the queues is by turns; no time
 * stamps.
 */
#include "dev/net/e1000.h"
#include "dev/net/offload.h"

enum { BUDGET = 256 };
/* CMD and DCMD; TUCMD has TSE, TCP and IP where those have IC, EOP and IFCS */
enum { CMD_EOP = 1, CMD_IC = 4, CMD_TSE = 4, CMD_RS = 8, CMD_DEXT = 32, CMD_VLE = 64, CMD_IDE = 128, TUCMD_IP = 2, TUCMD_TCP = 1 };
enum { POPTS_IXSM = 1, POPTS_TXSM = 2, STA_DD = 1 };

struct desc {
    uint64_t addr;
    uint32_t lower, upper; /* words 2 and 3 */
};

/* Puts the checksum of [css, cse] (cse 0: to the end) at cso. */
static void put_csum(uint8_t *f, size_t len, unsigned css, unsigned cso, unsigned cse, bool never_zero)
{
    size_t end = cse && cse < len ? cse + 1u : len;
    if (css >= end || cso + 2u > len) return;
    uint16_t c = net_csum(f + css, end - css, 0);
    if (!c && never_zero) c = 0xffff;
    f[cso] = (uint8_t)(c >> 8);
    f[cso + 1] = (uint8_t)c;
}

static bool emit(void *ctx, const uint8_t *f, size_t len)
{
    struct e1000 *s = ctx;
    uint8_t pad[60];
    if (len < sizeof pad && s->tctl & 8) { /* PSP */
        memcpy(pad, f, len);
        memset(pad + len, 0, sizeof pad - len);
        f = pad;
        len = sizeof pad;
    }
    e1000_count(s, 0x4080, 1), e1000_count(s, 0x40d4, 1);
    e1000_count_bytes(s, 0x4090, (uint32_t)len + 4), e1000_count_bytes(s, 0x40c8, (uint32_t)len + 4);
    e1000_count_size(s, 0x40d8, len + 4);
    if (f[0] & 1) e1000_count(s, !memcmp(f, "\xff\xff\xff\xff\xff\xff", 6) ? 0x40f4 : 0x40f0, 1);
    TRACE(e1000_tx, "%zu bytes", len);
    if (e1000_loopback(s)) return e1000_recv(s, &(struct iovec){ (void *)f, len }, 1), true;
    return net_send_buf(s->port, f, len);
}

/* A whole frame is there. */
static void send_frame(struct e1000 *s, unsigned q)
{
    struct e1000_tx *t = &s->txs[q];
    uint8_t *f = s->tx_buf[q];
    size_t len = t->len;
    unsigned shift = 0;
    if (t->bad || len < 14) return;
    if (t->vlan && len + 4 <= NET_FRAME_MAX) {
        memmove(f + 16, f + 12, len - 12);
        f[12] = (uint8_t)(s->vet >> 8), f[13] = (uint8_t)s->vet;
        f[14] = (uint8_t)(t->tag >> 8), f[15] = (uint8_t)t->tag;
        len += 4;
        shift = 4;
    }
    const struct e1000_ctx *c = &t->ctx;
    if (t->tse) {
        bool v6 = !(c->cmd & TUCMD_IP);
        uint8_t hdr[NET_HDR] = { NET_HDR_NEEDS_CSUM, v6 ? NET_GSO_TCPV6 : NET_GSO_TCPV4 };
        if (!(c->cmd & TUCMD_TCP)) return;
        if (c->mss < NET_GSO_MIN) {
            dev_guest_error(&s->p.dev, false, "segments of %u bytes", c->mss);
            return;
        }
        pci_put16(hdr + 2, c->hdrlen);
        pci_put16(hdr + 4, c->mss);
        pci_put16(hdr + 6, (uint16_t)(c->tucss + shift));
        pci_put16(hdr + 8, 16);
        e1000_count(s, 0x40f8, 1);
        if (!net_segment(hdr, f, len, emit, s)) s->tx_waits = true;
        return;
    }
    if (t->popts & POPTS_TXSM)
        put_csum(f, len, c->tucss + shift, c->tucso + shift, c->tucse ? c->tucse + shift : 0, true);
    if (t->popts & POPTS_IXSM) put_csum(f, len, c->ipcss + shift, c->ipcso + shift, c->ipcse ? c->ipcse + shift : 0, false);
    if (!emit(s, f, len)) s->tx_waits = true;
}

static void add_data(struct e1000 *s, unsigned q, uint64_t addr, uint32_t len)
{
    struct e1000_tx *t = &s->txs[q];
    if (t->bad || !len) return;
    if (len > NET_FRAME_MAX - 4 - t->len) {
        dev_guest_error(&s->p.dev, false, "a frame of more than %d bytes", NET_FRAME_MAX - 4);
        t->bad = true;
    } else if (dma_read(&s->p.dev.dma, addr, s->tx_buf[q] + t->len, len)) {
        dev_guest_error(&s->p.dev, false, "a frame that is not in memory");
        t->bad = true;
    } else {
        t->len += len;
    }
}

static void context(struct e1000_ctx *c, const struct desc *d)
{
    c->ipcss = (uint8_t)d->addr, c->ipcso = (uint8_t)(d->addr >> 8), c->ipcse = (uint16_t)(d->addr >> 16);
    c->tucss = (uint8_t)(d->addr >> 32), c->tucso = (uint8_t)(d->addr >> 40), c->tucse = (uint16_t)(d->addr >> 48);
    c->cmd = (uint8_t)(d->lower >> 24);
    c->hdrlen = (uint8_t)(d->upper >> 8);
    c->mss = (uint16_t)(d->upper >> 16);
}

static void one(struct e1000 *s, unsigned q, const struct desc *d)
{
    struct e1000_tx *t = &s->txs[q];
    unsigned cmd = d->lower >> 24;
    bool ext = cmd & CMD_DEXT, first = !t->len && !t->bad;
    if (ext && !(d->lower >> 20 & 15)) {
        context(&t->ctx, d);
        return;
    }
    if (first) {
        t->popts = ext ? (uint8_t)(d->upper >> 8) : 0;
        t->tse = ext && cmd & CMD_TSE;
        t->vlan = false;
    }
    if (cmd & CMD_VLE && cmd & CMD_EOP && s->ctrl & CTRL_VME) t->vlan = true, t->tag = (uint16_t)(d->upper >> 16);
    add_data(s, q, d->addr, ext ? d->lower & 0xfffff : d->lower & 0xffff);
    if (!(cmd & CMD_EOP)) return;
    if (!ext && cmd & CMD_IC && !t->bad) put_csum(s->tx_buf[q], t->len, d->upper >> 8 & 0xff, d->lower >> 16 & 0xff, 0, false);
    send_frame(s, q);
    t->len = 0;
    t->bad = false;
}

/* True: there is more, the budget is used up. */
static bool ring(struct e1000 *s, unsigned q)
{
    struct e1000_ring *r = &s->tx[q];
    uint32_t entries = e1000_entries(r, 16), causes = 0;
    bool delay = true, more = false;
    unsigned n;
    for (n = 0; s->tctl & TCTL_EN && e1000_master(s) && r->head != r->tail && !s->tx_waits; n++) {
        uint8_t b[16];
        if (r->head >= entries || r->tail >= entries) {
            dev_guest_error(&s->p.dev, false, "transmit ring %u: head %u and tail %u of %u", q, r->head, r->tail, entries);
            break;
        }
        if ((more = n == BUDGET)) break;
        uint64_t at = e1000_base(r) + 16ull * r->head;
        if (dma_read(&s->p.dev.dma, at, b, sizeof b)) {
            dev_guest_error(&s->p.dev, false, "transmit ring %u is not in memory", q);
            break;
        }
        struct desc d = { pci_get32(b) | (uint64_t)pci_get32(b + 4) << 32, pci_get32(b + 8), pci_get32(b + 12) };
        one(s, q, &d);
        if (d.lower >> 24 & CMD_RS) {
            dma_st(&s->p.dev.dma, at + 12, d.upper | STA_DD, 4);
            causes |= INT_TXDW | (s->is_e ? INT_TXQ0 << q : 0);
            delay &= d.lower >> 24 & CMD_IDE;
        }
        r->head = r->head + 1 == entries ? 0 : r->head + 1;
    }
    if (n && r->head == r->tail) e1000_cause(s, INT_TXQE);
    if (causes) e1000_cause_tx(s, causes, delay);
    return more;
}

void e1000_transmit(struct e1000 *s)
{
    bool more = false;
    for (unsigned q = 0; q < (s->is_e ? E1000_QUEUES : 1u); q++) more |= ring(s, q);
    if (more) loop_defer(&s->run);
}
