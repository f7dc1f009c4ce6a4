/*
 * iothread.h: a thread beside the loop on which devices work their queues off (-object iothread). It takes the machine's lock for each
 * call, as a CPU in a device does: nothing changes for the device, but neither CPU nor loop waits until a queue is worked off.
 */
#ifndef LYRE_DEV_IOTHREAD_H
#define LYRE_DEV_IOTHREAD_H

#include "base/base.h"
#include "base/loop.h"

struct iothread;
/* NULL: *e. Lock held, as for all of these. */
struct iothread *iothread_new(struct loop *l, const char *name, struct err *e);
/* Nobody uses it any more. The lock is released meanwhile: the thread may be waiting for it. */
void iothread_free(struct iothread *t);
int iothread_id(const struct iothread *t); /* the kernel's number of it */
void iothread_use(struct iothread *t, bool on);
unsigned iothread_users(const struct iothread *t);

/* A call that is made soon on the thread, lock held; once, however often it was asked for. */
struct io_call {
    void (*fn)(void *ctx);
    void *ctx;
    struct io_call *next;
    bool queued;
};
void iothread_call(struct iothread *t, struct io_call *c);
void iothread_cancel(struct iothread *t, struct io_call *c);

#endif
