/* space.h: what ram.c, phys.c and dma.c share (floor 1, private to mem/). */
#ifndef LYRE_MEM_SPACE_H
#define LYRE_MEM_SPACE_H

#include <pthread.h>
#include "mem/phys.h"

struct mem {
    pthread_mutex_t lock;         /* the list of RAM blocks, their pins */
    struct ram *rams;
    uint64_t next_base;           /* of the next block: never used twice, code is known by it */
    struct space *spaces;
    struct mem_listener *listeners; /* changes while no CPU runs only */
    void (*big_lock)(void *ctx), (*big_unlock)(void *ctx);
    bool (*big_mine)(void *ctx);
    void *big_ctx;
    uint64_t generation;          /* of all maps; atomic */
};

/* One access to the bytes of a RAM block; inside of it. Aligned ones are single. */
uint64_t ram_ld(const struct ram *r, uint64_t off, unsigned size);
void ram_st(struct ram *r, uint64_t off, unsigned size, uint64_t val);
/* ram_free for a block that is still pinned happens with the last unpin. */
bool ram_pin(struct ram *r);
void ram_unpin(struct mem *m, const void *host, uint64_t written);

#endif
