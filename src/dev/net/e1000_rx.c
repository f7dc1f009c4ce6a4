/*
 * e1000_rx.c: reception (8254x manual, 3.2 and 13.4; 82574 datasheet, 7.1): address filters, VLANs, checksums, RSS, descriptors of the three
 * kinds: legacy, extended, packet split.
 * Known gaps: no time stamps, no wake-up, no pause frames; IPv6 hashes and checksums without extension headers; frames are never bad.
 */
#include "dev/net/e1000.h"

#include <zlib.h>
#include "dev/net/offload.h"

enum { ST_DD = 1, ST_EOP = 2, ST_IXSM = 4, ST_VP = 8, ST_UDPCS = 16, ST_L4CS = 32, ST_IPCS = 64, ST_PIF = 128, ST_IPIDV = 1 << 9, ST_UDPV = 1 << 10 };
enum { ERR_L4 = 0x20, ERR_IP = 0x40 };
enum { PIECES = 4, HDRSP = 1 << 15 };

/* What is known of a frame. */
struct frame {
    uint8_t *data;
    size_t len;
    uint32_t status, errors, hash, mrq;
    uint16_t vlan, csum, ip_id;
    unsigned queue, header;      /* bytes of headers for packet split; 0: none are known */
};

/* --- filters ------------------------------------------------------------------------------------------------------------- */

static bool multicast(const struct e1000 *s, const uint8_t *mac)
{
    static const uint8_t shift[] = { 4, 3, 2, 0 };
    unsigned h = (unsigned)((mac[5] << 8 | mac[4]) >> shift[s->rctl >> 12 & 3] & 0xfff);
    return s->mta[h >> 5] >> (h & 31) & 1;
}

static bool exact(const struct e1000 *s, const uint8_t *mac)
{
    for (unsigned i = 0; i < E1000_RAR; i++)
        if (s->ra[2 * i + 1] >> 31 && pci_get32(mac) == s->ra[2 * i] && pci_get16(mac + 4) == (s->ra[2 * i + 1] & 0xffff)) return true;
    return false;
}

static bool tagged(const struct e1000 *s, const uint8_t *f)
{
    return (f[12] << 8 | f[13]) == (int)(s->vet & 0xffff);
}

/* Does it pass? *pif: but for sure not by its exact address. */
static bool wanted(struct e1000 *s, const uint8_t *f, size_t len, bool *pif)
{
    *pif = false;
    if (len > 16384 || (len > 1518u + (tagged(s, f) ? 4 : 0) && !(s->rctl & RCTL_LPE))) {
        e1000_count(s, 0x40ac, 1);
        return false;
    }
    if (s->rctl & RCTL_VFE && tagged(s, f)) {
        unsigned id = (unsigned)(f[14] << 8 | f[15]) & 0xfff;
        if (!(s->vfta[id >> 5] >> (id & 31) & 1)) return false;
    }
    bool all = !memcmp(f, "\xff\xff\xff\xff\xff\xff", 6);
    if (all && s->rctl & RCTL_BAM) return true;
    if (exact(s, f)) return true;
    if (f[0] & 1) return *pif = true, s->rctl & RCTL_MPE || (!all && multicast(s, f));
    return *pif = true, s->rctl & RCTL_UPE;
}

/* --- RSS (82574 datasheet, 7.1.11) ------------------------------------------------------------------------------------------ */

static uint32_t toeplitz(const struct e1000 *s, const uint8_t *in, unsigned n)
{
    uint8_t key[40];
    uint32_t hash = 0;
    for (unsigned i = 0; i < 10; i++) pci_put32(key + 4 * i, s->rssrk[i]);
    uint32_t window = (uint32_t)key[0] << 24 | (uint32_t)key[1] << 16 | (uint32_t)key[2] << 8 | key[3];
    for (unsigned bit = 0; bit < 8 * n; bit++) {
        if (in[bit / 8] >> (7 - bit % 8) & 1) hash ^= window;
        window = window << 1 | (key[(bit / 8 + 4) % 40] >> (7 - bit % 8) & 1);
    }
    return hash;
}

enum { MRQC_TCP4 = 1 << 16, MRQC_IP4 = 1 << 17, MRQC_IP6 = 1 << 20, MRQC_TCP6 = 1 << 21 };

static void rss(struct e1000 *s, struct frame *f, unsigned what, const struct net_places *at)
{
    uint8_t in[36];
    bool v6 = what & NET_IPV6, tcp = what & NET_TCP && s->mrqc & (v6 ? MRQC_TCP6 : MRQC_TCP4);
    if (!s->is_e || (s->mrqc & 3) != 1 || !what || (!tcp && !(s->mrqc & (v6 ? MRQC_IP6 : MRQC_IP4)))) return;
    unsigned n = v6 ? 32 : 8;
    memcpy(in, f->data + at->l3 + (v6 ? 8 : 12), n);
    if (tcp) memcpy(in + n, f->data + at->l4, 4), n += 4;
    f->hash = toeplitz(s, in, n);
    unsigned i = f->hash & 127;
    f->queue = s->reta[i / 4] >> (8 * (i % 4) + 7) & 1;
    f->mrq = (tcp ? v6 ? 3 : 1 : v6 ? 5 : 2) | f->queue << 8;
}

/* --- descriptors --------------------------------------------------------------------------------------------------------------- */

static uint32_t buffer_size(const struct e1000 *s)
{
    uint32_t flex = s->rctl >> 27 & 15;
    if (flex) return flex << 10;
    uint32_t size = 2048u >> (s->rctl >> 16 & 3);
    return s->rctl & RCTL_BSEX && s->rctl >> 16 & 3 ? size * 16 : size;
}

static bool extended(const struct e1000 *s) { return s->is_e && s->rfctl & RFCTL_EXSTEN; }
static bool split(const struct e1000 *s) { return extended(s) && (s->rctl >> 10 & 3) == 1; }

/* Sizes of the buffers of one descriptor; their sum. */
static uint32_t sizes(const struct e1000 *s, uint32_t size[PIECES])
{
    memset(size, 0, PIECES * sizeof size[0]);
    size[0] = buffer_size(s);
    if (!split(s)) return size[0];
    size[0] = (s->psrctl & 0x7f) << 7;
    for (unsigned i = 1; i < PIECES; i++) size[i] = (s->psrctl >> 8 * i & 0x3f) << 10;
    return size[0] + size[1] + size[2] + size[3];
}

static uint32_t available(const struct e1000 *s, unsigned q)
{
    const struct e1000_ring *r = &s->rx[q];
    uint32_t n = e1000_entries(r, split(s) ? 32 : 16);
    if (r->head >= n || r->tail >= n) return 0; /* also if the driver has set up none */
    return (r->tail + n - r->head) % n;
}

bool e1000_can_recv(void *ctx)
{
    const struct e1000 *s = ctx;
    if (!(s->rctl & RCTL_EN) || !e1000_master(s)) return true; /* to be dropped */
    return available(s, 0) || (s->is_e && (s->mrqc & 3) == 1 && available(s, 1));
}

/* The answer of the 16 bytes of legacy and extended descriptors, or the 32 of split ones. */
static unsigned write_back(const struct e1000 *s, const struct frame *f, bool last, uint64_t addr, const uint32_t part[PIECES], bool headers, uint8_t b[32])
{
    uint32_t status = ST_DD | (last ? ST_EOP | f->status : 0);
    memset(b, 0, 32);
    if (!extended(s)) {
        pci_put32(b, (uint32_t)addr), pci_put32(b + 4, (uint32_t)(addr >> 32));
        pci_put16(b + 8, (uint16_t)part[0]);
        pci_put16(b + 10, f->csum);
        b[12] = (uint8_t)status;
        b[13] = last ? (uint8_t)f->errors : 0;
        pci_put16(b + 14, f->vlan);
        return 16;
    }
    pci_put32(b, f->mrq);
    if (s->rxcsum & RXCSUM_PCSD) pci_put32(b + 4, f->hash);
    else pci_put16(b + 4, f->ip_id), pci_put16(b + 6, f->csum);
    pci_put32(b + 8, status | (last ? f->errors << 24 : 0));
    pci_put16(b + 12, (uint16_t)part[0]);
    pci_put16(b + 14, f->vlan);
    if (!split(s)) return 16;
    pci_put16(b + 16, (uint16_t)(headers ? part[0] | HDRSP : 0));
    for (unsigned i = 1; i < PIECES; i++) pci_put16(b + 16 + 2 * i, (uint16_t)part[i]);
    return 32;
}

/* One descriptor: takes what fits of the frame from *at on. False: it or its buffers are not in memory. */
static bool fill(struct e1000 *s, const struct frame *f, size_t *at)
{
    struct e1000_ring *r = &s->rx[f->queue];
    unsigned bytes = split(s) ? 32 : 16, pieces = split(s) ? PIECES : 1;
    uint64_t desc = e1000_base(r) + (uint64_t)bytes * r->head, addr[PIECES] = { 0 };
    uint32_t size[PIECES], part[PIECES] = { 0 };
    uint8_t b[32];
    sizes(s, size);
    if (dma_read(&s->p.dev.dma, desc, b, bytes)) return false;
    bool headers = split(s) && !*at && f->header && f->header <= size[0];
    for (unsigned i = 0; i < pieces; i++) {
        addr[i] = pci_get32(b + 8 * i) | (uint64_t)pci_get32(b + 8 * i + 4) << 32;
        part[i] = (uint32_t)MIN((size_t)size[i], f->len - *at);
        if (headers && !i) part[i] = f->header;
        if (part[i] && addr[i] && dma_write(&s->p.dev.dma, addr[i], f->data + *at, part[i])) return false;
        *at += part[i];
    }
    unsigned n = write_back(s, f, *at == f->len, addr[0], part, headers, b);
    /* the word with DD comes last */
    if (n == 32 && dma_write(&s->p.dev.dma, desc + 16, b + 16, 16)) return false;
    unsigned dd = extended(s) ? 8 : 12;
    if (dma_write(&s->p.dev.dma, desc, b, dd) || (dd == 8 && dma_write(&s->p.dev.dma, desc + 12, b + 12, 4)) ||
        !dma_st(&s->p.dev.dma, desc + dd, pci_get32(b + dd), 4))
        return false;
    r->head = r->head + 1 == e1000_entries(r, bytes) ? 0 : r->head + 1;
    return true;
}

/* --- the way of a frame ------------------------------------------------------------------------------------------------------------ */

static void examine(struct e1000 *s, struct frame *f)
{
    struct net_places at;
    if (s->ctrl & CTRL_VME && tagged(s, f->data) && f->len >= 18) {
        f->vlan = (uint16_t)(f->data[14] << 8 | f->data[15]);
        f->status |= ST_VP;
        memmove(f->data + 12, f->data + 16, f->len - 16);
        f->len -= 4;
    }
    unsigned start = s->rxcsum & 0xff, what = net_inspect(f->data, f->len, &at);
    if (start < f->len) f->csum = (uint16_t)~net_csum(f->data + start, f->len - start, 0);
    f->csum = (uint16_t)(f->csum << 8 | f->csum >> 8);
    rss(s, f, what, &at);
    f->header = what & NET_TCP ? at.l4 + (f->data[at.l4 + 12] >> 4) * 4u : what & NET_UDP ? at.l4 + 8 : 0;
    if (f->header >= f->len) f->header = 0;
    if (!what) {
        f->status |= ST_IXSM;
        return;
    }
    if (what & NET_IPV4) {
        f->ip_id = (uint16_t)(f->data[at.l3 + 4] << 8 | f->data[at.l3 + 5]);
        if (extended(s)) f->status |= ST_IPIDV;
        if (s->rxcsum & RXCSUM_IPOFL) f->status |= ST_IPCS, f->errors |= what & NET_BAD_IP ? ERR_IP : 0;
    }
    if (s->rxcsum & RXCSUM_TUOFL && what & (NET_TCP | NET_UDP) && !(what & NET_NO_L4_SUM)) {
        f->status |= ST_L4CS | (what & NET_UDP && s->is_e ? ST_UDPCS : 0);
        f->errors |= what & NET_BAD_L4 ? ERR_L4 : 0;
    }
    if (!(s->rxcsum & (RXCSUM_IPOFL | RXCSUM_TUOFL))) f->status |= ST_IXSM;
}

static void count(struct e1000 *s, const struct frame *f, size_t len)
{
    e1000_count(s, 0x4074, 1), e1000_count(s, 0x40d0, 1);
    e1000_count_bytes(s, 0x4088, (uint32_t)len), e1000_count_bytes(s, 0x40c0, (uint32_t)len);
    e1000_count_size(s, 0x405c, len);
    if (f->data[0] & 1) e1000_count(s, !memcmp(f->data, "\xff\xff\xff\xff\xff\xff", 6) ? 0x4078 : 0x407c, 1);
}

bool e1000_recv(void *ctx, const struct iovec *iov, unsigned n)
{
    struct e1000 *s = ctx;
    struct frame f = { .data = s->rx_buf, .len = iov_copy(iov, n, 0, s->rx_buf, NET_FRAME_MAX) };
    uint32_t size[PIECES];
    bool pif;
    if (!(s->rctl & RCTL_EN) || !e1000_master(s) || !e1000_link(s) || f.len < 14) return true;
    if (f.len < 60) memset(f.data + f.len, 0, 60 - f.len), f.len = 60;
    size_t wire = f.len + 4;
    if (!wanted(s, f.data, f.len, &pif)) return true;
    if (pif) f.status |= ST_PIF;
    examine(s, &f);
    if (!(s->rctl & RCTL_SECRC)) {
        pci_put32(f.data + f.len, (uint32_t)crc32(0, f.data, (uInt)f.len));
        f.len += 4;
    }
    uint32_t room = sizes(s, size), have = available(s, f.queue);
    if (!room) return true;
    if ((f.len + room - 1) / room > have) {
        e1000_count(s, 0x40a0, 1);
        if (have + 1 < e1000_entries(&s->rx[f.queue], split(s) ? 32 : 16)) { /* it comes again when there is more */
            e1000_cause(s, INT_RXO);
            return false;
        }
        e1000_count(s, 0x4010, 1); /* it never fits */
        return true;
    }
    for (size_t at = 0; at < f.len;)
        if (!fill(s, &f, &at)) {
            dev_guest_error(&s->p.dev, false, "a receive descriptor or its buffer is not in memory");
            return true;
        }
    count(s, &f, wire);
    TRACE(e1000_rx, "%zu bytes, queue %u", f.len, f.queue);
    uint32_t causes = INT_RXT0 | (s->is_e ? INT_RXQ0 << f.queue : 0);
    uint32_t total = e1000_entries(&s->rx[f.queue], split(s) ? 32 : 16), shift = s->rctl >> 8 & 3;
    uint32_t few = total >> (shift + 1);
    if (shift < 3 && have > few && available(s, f.queue) <= few) e1000_cause(s, INT_RXDMT0);
    e1000_cause_rx(s, causes);
    return true;
}
