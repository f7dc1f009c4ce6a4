/* loop_priv.h: the insides of struct loop, for loop.c and clock.c. */
#ifndef LYRE_BASE_LOOP_PRIV_H
#define LYRE_BASE_LOOP_PRIV_H

#include <pthread.h>
#include "base/loop.h"

struct loop_fd;
struct loop {
    uint32_t ticket, serving, sleepers; /* the lock */
    uintptr_t owner;
    int epoll, wake, timer;
    uint32_t waiting;                   /* the eventfd has to be written to wake it */
    bool in_wait;                       /* under the lock: the loop's thread waits, or is about to take the lock again */
    uint64_t stopping;                  /* 1 << 32 | code */
    uint64_t armed;                     /* what the timerfd is set to */
    uint64_t round;
    unsigned depth, always;
    struct loop_fd *fds, *graves;
    pthread_mutex_t defer_lock;
    struct deferred defer_head;
    uint64_t defer_seq;
    struct clock host, *clocks;
};

void loop_rearm(struct loop *l);
/* The earliest deadline of clocks that follow the host's, in host time. */
uint64_t clock_host_deadline(struct loop *l);
/* Runs what is due on them. */
bool clock_run_host(struct loop *l);

#endif
