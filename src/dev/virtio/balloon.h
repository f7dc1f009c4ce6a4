/* balloon.h: what the monitor asks of a virtio-balloon (`balloon`, `query-balloon`, guest-stats). */
#ifndef LYRE_DEV_VIRTIO_BALLOON_H
#define LYRE_DEV_VIRTIO_BALLOON_H

#include "dev/device.h"

enum { BALLOON_STATS = 10 }; /* VIRTIO_BALLOON_S_*: swap-in, swap-out, major and minor faults, free, total, available, caches, hugetlb */

bool is_balloon(const struct dev *d);
/* How many bytes the guest shall give back in all. */
void balloon_set(struct dev *d, uint64_t drop_bytes);
/* How many it has given back. */
uint64_t balloon_actual(struct dev *d);
/* By tag; UINT64_MAX: not told. updated: guest time in ns, 0 = never. */
const uint64_t *balloon_stats(struct dev *d, uint64_t *updated);
/* Asks every so many seconds; 0: no more. */
void balloon_poll(struct dev *d, uint32_t seconds);

#endif
