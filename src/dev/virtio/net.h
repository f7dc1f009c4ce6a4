/* net.h: what a network card does for a peer that takes plain frames only: checksums, TCP segments (virtio 1.2, 5.1.6). */
#ifndef LYRE_DEV_VIRTIO_NET_H
#define LYRE_DEV_VIRTIO_NET_H

#include "dev/virtio/virtio.h"
#include "io/net/net.h"

/* struct virtio_net_hdr: flags, gso_type, hdr_len, gso_size, csum_start, csum_offset, num_buffers; little endian. */
enum { NET_HDR = 12, NET_HDR_NEEDS_CSUM = 1, NET_HDR_DATA_VALID = 2 };
enum { NET_GSO_NONE, NET_GSO_TCPV4 = 1, NET_GSO_TCPV6 = 4, NET_GSO_ECN = 0x80 };
enum { NET_GSO_MIN = 48 }; /* smallest segment: bounds what one frame can become */

/* Does what the header asks for and calls send for each resulting frame (at least 0 of them); changes `frame`. What is malformed is
 * dropped. False if one send said false. */
bool net_segment(const uint8_t hdr[NET_HDR], uint8_t *frame, size_t len, bool (*send)(void *ctx, const uint8_t *frame, size_t len), void *ctx);
/* Is it a TCP or UDP frame whose checksum is right? (One piece only; others are "no".) */
bool net_csum_good(const struct iovec *iov, unsigned n);
size_t iov_bytes(const struct iovec *iov, unsigned n);
/* Copies from offset off; returns how many bytes. */
size_t iov_copy(const struct iovec *iov, unsigned n, size_t off, void *buf, size_t len);

#endif
