/* ranges.h: who may work on which part of a disk at once: writers together, copiers alone. */
#ifndef LYRE_IO_BLOCK_RANGES_H
#define LYRE_IO_BLOCK_RANGES_H

#include <pthread.h>
#include "base/base.h"

struct blk_span {
    uint64_t off, end;
    bool copy;
    pthread_t by;
    struct blk_span *next;
};
struct blk_ranges {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    struct blk_span *held;
};
void ranges_init(struct blk_ranges *r);
void ranges_done(struct blk_ranges *r);
/* Waits until nobody is in the way: a copier of all others, a writer of copiers. */
void ranges_enter(struct blk_ranges *r, uint64_t off, uint64_t bytes, bool copy);
void ranges_leave(struct blk_ranges *r, uint64_t off, uint64_t bytes, bool copy);

#endif
