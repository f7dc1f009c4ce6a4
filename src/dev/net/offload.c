/*
 * offload.c: checksums and TCP segmentation for guests, in the host's instructions (RFC 1071, 791, 8200, 9293).
 * Known gaps: no UFO, USO; nothing that is tunnelled.
 */
#include "dev/net/offload.h"

size_t iov_bytes(const struct iovec *iov, unsigned n)
{
    size_t sum = 0;
    for (unsigned i = 0; i < n; i++) sum += iov[i].iov_len;
    return sum;
}

size_t iov_copy(const struct iovec *iov, unsigned n, size_t off, void *buf, size_t len)
{
    size_t done = 0;
    for (unsigned i = 0; i < n && done < len; i++) {
        if (off >= iov[i].iov_len) {
            off -= iov[i].iov_len;
            continue;
        }
        size_t part = MIN(iov[i].iov_len - off, len - done);
        memcpy((uint8_t *)buf + done, (uint8_t *)iov[i].iov_base + off, part);
        done += part;
        off = 0;
    }
    return done;
}

static inline uint16_t le16(const uint8_t *b) { return (uint16_t)(b[0] | b[1] << 8); }
static inline uint16_t be16(const uint8_t *b) { return (uint16_t)(b[0] << 8 | b[1]); }
static inline void put_be16(uint8_t *b, unsigned v) { b[0] = (uint8_t)(v >> 8), b[1] = (uint8_t)v; }

/* Sum of the bytes as big-endian halves, not complemented. Added up as the host has them, 8 at a time, and swapped at the end. */
static uint32_t sum(const uint8_t *b, size_t n)
{
    uint64_t s = 0, x;
    for (; n >= 8; b += 8, n -= 8) {
        memcpy(&x, b, 8);
        s += x;
        s += s < x;
    }
    x = 0;
    memcpy(&x, b, n);
    s += x;
    s += s < x;
    s = (s >> 32) + (s & 0xffffffff);
    s = (s >> 16 & 0xffff) + (s & 0xffff) + (s >> 32);
    s = (s >> 16) + (s & 0xffff);
    s = (s >> 16) + (s & 0xffff);
    return (uint32_t)((s & 0xff) << 8 | s >> 8);
}

static uint16_t fold(uint32_t s)
{
    s = (s >> 16) + (s & 0xffff);
    return (uint16_t)((s >> 16) + s);
}

uint16_t net_csum(const uint8_t *b, size_t n, uint32_t start)
{
    return (uint16_t)~fold(sum(b, n) + start);
}

/* Where things are in a frame of IP; false: it is none, or is cut off. *fragment: it has no header of a higher layer, or not all of it. */
static bool find_ip(const uint8_t *f, size_t len, struct net_places *p, bool *fragment)
{
    unsigned l3 = 14;
    if (len < 34) return false;
    uint16_t type = be16(f + 12);
    if (type == 0x8100) type = be16(f + 16), l3 = 18;
    p->l3 = l3;
    if (type == 0x0800) {
        if (len < l3 + 20u || f[l3] >> 4 != 4 || (f[l3] & 15) < 5) return false;
        p->v6 = false;
        p->l4 = l3 + (f[l3] & 15) * 4u;
        p->end = l3 + be16(f + l3 + 2);
        p->protocol = f[l3 + 9];
        *fragment = be16(f + l3 + 6) & 0x3fff;
    } else if (type == 0x86dd) {
        if (len < l3 + 40u || f[l3] >> 4 != 6) return false;
        p->v6 = true;
        p->l4 = l3 + 40;
        p->end = l3 + 40u + be16(f + l3 + 4);
        p->protocol = f[l3 + 6]; /* without extension headers */
        *fragment = false;
    } else {
        return false;
    }
    return true;
}

static bool find(const uint8_t *f, size_t len, struct net_places *p)
{
    bool fragment;
    return find_ip(f, len, p, &fragment) && !fragment;
}

static uint32_t pseudo(const uint8_t *f, const struct net_places *p, unsigned bytes, uint8_t protocol)
{
    return sum(f + p->l3 + (p->v6 ? 8 : 12), p->v6 ? 32 : 8) + protocol + bytes;
}

bool net_csum_good(const struct iovec *iov, unsigned n)
{
    struct net_places p;
    const uint8_t *f = iov[0].iov_base;
    if (n != 1 || !find(f, iov[0].iov_len, &p) || p.end > iov[0].iov_len || p.l4 + 8 > p.end) return false;
    if (p.protocol != 6 && (p.protocol != 17 || !be16(f + p.l4 + 6))) return false;
    return fold(pseudo(f, &p, p.end - p.l4, p.protocol) + sum(f + p.l4, p.end - p.l4)) == 0xffff;
}

unsigned net_inspect(const uint8_t *f, size_t len, struct net_places *p)
{
    bool fragment;
    if (!find_ip(f, len, p, &fragment) || p->end > len || p->l4 > p->end) return 0;
    unsigned r = p->v6 ? NET_IPV6 : NET_IPV4, n = p->end - p->l4;
    if (!p->v6 && fold(sum(f + p->l3, p->l4 - p->l3)) != 0xffff) r |= NET_BAD_IP;
    if (fragment || (p->protocol != 6 && p->protocol != 17) || n < (p->protocol == 6 ? 20 : 8)) return r;
    r |= p->protocol == 6 ? NET_TCP : NET_UDP;
    if (p->protocol == 17 && !be16(f + p->l4 + 6)) return r | NET_NO_L4_SUM;
    return fold(pseudo(f, p, n, p->protocol) + sum(f + p->l4, n)) == 0xffff ? r : r | NET_BAD_L4;
}

/* The plain case: the field holds the pseudo header's sum already. */
static bool csum(const uint8_t *hdr, uint8_t *frame, size_t len)
{
    size_t start = le16(hdr + 6), at = start + le16(hdr + 8);
    if (start >= len || at + 2 > len) return false;
    uint16_t s = (uint16_t)~fold(sum(frame + start, len - start));
    put_be16(frame + at, s ? s : 0xffff);
    return true;
}

bool net_segment(const uint8_t hdr[NET_HDR], uint8_t *frame, size_t len, bool (*send)(void *ctx, const uint8_t *frame, size_t len), void *ctx)
{
    unsigned gso = hdr[1] & (uint8_t)~NET_GSO_ECN, mss = le16(hdr + 4);
    struct net_places p;
    bool go_on = true;
    if (!gso) return !(hdr[0] & NET_HDR_NEEDS_CSUM) || csum(hdr, frame, len) ? send(ctx, frame, len) : true;
    if ((gso != NET_GSO_TCPV4 && gso != NET_GSO_TCPV6) || mss < NET_GSO_MIN || !find(frame, len, &p) || p.v6 != (gso == NET_GSO_TCPV6)) return true;
    if (p.v6 && p.protocol != 6) p.l4 = le16(hdr + 6); /* extension headers: the driver says where TCP begins */
    else if (p.protocol != 6) return true;
    if (p.l4 < p.l3 + (p.v6 ? 40u : 20u) || p.l4 + 20u > len) return true;
    unsigned head = p.l4 + (frame[p.l4 + 12] >> 4) * 4u;
    if (head < p.l4 + 20u || head >= len) return true;
    uint32_t seq = (uint32_t)be16(frame + p.l4 + 4) << 16 | be16(frame + p.l4 + 6);
    uint16_t id = be16(frame + p.l3 + 4);
    uint8_t flags = frame[p.l4 + 13];
    uint8_t *seg = frame, save[256]; /* each segment's header is put in front of its data; what it covers was sent already */
    if (head > sizeof save) return true;
    memcpy(save, frame, head);
    for (size_t at = head, part; at < len; at += part) {
        part = MIN(len - at, (size_t)mss);
        seg = frame + at - head;
        memmove(seg, save, head);
        if (p.v6) {
            put_be16(seg + p.l3 + 4, (unsigned)(head - p.l3 - 40 + part));
        } else {
            put_be16(seg + p.l3 + 2, (unsigned)(head - p.l3 + part));
            put_be16(seg + p.l3 + 4, id++);
            put_be16(seg + p.l3 + 10, 0);
            put_be16(seg + p.l3 + 10, (uint16_t)~fold(sum(seg + p.l3, p.l4 - p.l3)));
        }
        put_be16(seg + p.l4 + 4, seq >> 16);
        put_be16(seg + p.l4 + 6, seq & 0xffff);
        /* FIN and PSH belong to the last, CWR to the first */
        seg[p.l4 + 13] = (uint8_t)(flags & ~(at + part < len ? 0x09 : 0) & ~(at > head ? 0x80 : 0));
        put_be16(seg + p.l4 + 16, 0);
        unsigned bytes = (unsigned)(head - p.l4 + part);
        put_be16(seg + p.l4 + 16, (uint16_t)~fold(pseudo(seg, &p, bytes, 6) + sum(seg + p.l4, bytes)));
        go_on = send(ctx, seg, head + part) && go_on;
        seq += (uint32_t)part;
    }
    return go_on;
}
