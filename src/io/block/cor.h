/* cor.h: copying what a backing file has into the image above it, while others write there: the filter copy-on-read, block-stream. */
#ifndef LYRE_IO_BLOCK_COR_H
#define LYRE_IO_BLOCK_COR_H

#include "io/block/int.h"
#include "io/block/ranges.h"

/* Keeps writers out of the ranges that are copied: a watch on the image (`top`). */
struct cor {
    struct blk_watch watch;
    struct blk_ranges ranges;
    struct blk_node *top;
};
void cor_init(struct cor *c, struct blk_node *top);  /* between blk_graph_stop and go, or before anybody uses top */
void cor_done(struct cor *c);
/*
 * Makes `top` itself have all of [off, off + bytes), of what it and the layers above `base` (NULL: all) have; widens to whole clusters.
 * *copied: bytes that were written. 0 or -errno. Threads of the pool and of jobs.
 */
int cor_fill(struct cor *c, const struct blk_node *base, uint64_t off, uint64_t bytes, uint64_t *copied);

#endif
