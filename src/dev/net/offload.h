/*
 * offload.h: what network cards do for guests whose peer takes plain frames only: checksums, TCP segments. What is asked for is said as
 * virtio says it (virtio 1.2, 5.1.6).
 */
#ifndef LYRE_DEV_NET_OFFLOAD_H
#define LYRE_DEV_NET_OFFLOAD_H

#include <sys/uio.h>
#include "base/base.h"

/* struct virtio_net_hdr: flags, gso_type, hdr_len, gso_size, csum_start, csum_offset, num_buffers; little endian. */
enum { NET_HDR = 12, NET_HDR_NEEDS_CSUM = 1, NET_HDR_DATA_VALID = 2 };
enum { NET_GSO_NONE, NET_GSO_TCPV4 = 1, NET_GSO_TCPV6 = 4, NET_GSO_ECN = 0x80 };
enum { NET_GSO_MIN = 48 }; /* smallest segment: bounds what one frame can become */

/* Does what the header asks for and calls send for each resulting frame (at least 0 of them); changes `frame`. What is malformed is
 * dropped. False if one send said false. */
bool net_segment(const uint8_t hdr[NET_HDR], uint8_t *frame, size_t len, bool (*send)(void *ctx, const uint8_t *frame, size_t len), void *ctx);
/* Is it a TCP or UDP frame whose checksum is right? (One piece only; others are "no".) */
bool net_csum_good(const struct iovec *iov, unsigned n);
/* What a frame is, and what of it is wrong: a NIC's receive checksums. Fragments have no TCP or UDP. */
enum { NET_IPV4 = 1, NET_IPV6 = 2, NET_TCP = 4, NET_UDP = 8, NET_BAD_IP = 16, NET_BAD_L4 = 32, NET_NO_L4_SUM = 64 /* UDP without one */ };
struct net_places {
    unsigned l3, l4; /* offsets of the headers */
    unsigned end;    /* of what IP says: behind it is padding */
    bool v6;
    uint8_t protocol;
};
/* NET_* of a whole frame; 0: no IP, or cut off. *p is set if it is not 0. */
unsigned net_inspect(const uint8_t *frame, size_t len, struct net_places *p);
/* Internet checksum (RFC 1071) of bytes, to be put in big-endian: complemented, of their sum and `start`. */
uint16_t net_csum(const uint8_t *b, size_t n, uint32_t start);
size_t iov_bytes(const struct iovec *iov, unsigned n);
/* Copies from offset off; returns how many bytes. */
size_t iov_copy(const struct iovec *iov, unsigned n, size_t off, void *buf, size_t len);

#endif
