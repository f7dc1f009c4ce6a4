/* iothread.c: threads of devices. The list of calls is under the machine's lock; a semaphore counts wake-ups. */
#include "dev/iothread.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct iothread {
    struct loop *loop;
    pthread_t thread;
    sem_t wake, ready;
    int tid;
    unsigned users;
    bool end;
    struct io_call *first, **last;
    char name[16];
};

static void *work(void *arg)
{
    struct iothread *t = arg;
    t->tid = (int)syscall(SYS_gettid);
    pthread_setname_np(pthread_self(), t->name);
    sem_post(&t->ready);
    for (;;) {
        while (sem_wait(&t->wake) && errno == EINTR) {}
        loop_lock(t->loop);
        struct io_call *c = t->first;
        bool end = t->end;
        if (c) {
            if (!(t->first = c->next)) t->last = &t->first;
            c->queued = false;
            c->fn(c->ctx);
        }
        loop_unlock(t->loop);
        if (end) return NULL;
    }
}

struct iothread *iothread_new(struct loop *l, const char *name, struct err *e)
{
    struct iothread *t = xalloc(sizeof *t);
    t->loop = l;
    t->last = &t->first;
    snprintf(t->name, sizeof t->name, "IO %.12s", name);
    sem_init(&t->wake, 0, 0);
    sem_init(&t->ready, 0, 0);
    int r = pthread_create(&t->thread, NULL, work, t);
    if (r) {
        err_set(e, r, "iothread '%s': %s", name, strerror(r));
        sem_destroy(&t->wake);
        sem_destroy(&t->ready);
        free(t);
        return NULL;
    }
    while (sem_wait(&t->ready) && errno == EINTR) {}
    return t;
}

void iothread_free(struct iothread *t)
{
    if (!t) return;
    t->end = true;
    sem_post(&t->wake);
    loop_unlock(t->loop);
    pthread_join(t->thread, NULL);
    loop_lock(t->loop);
    sem_destroy(&t->wake);
    sem_destroy(&t->ready);
    free(t);
}

int iothread_id(const struct iothread *t)
{
    return t->tid;
}

void iothread_use(struct iothread *t, bool on)
{
    if (on) t->users++;
    else t->users--;
}

unsigned iothread_users(const struct iothread *t)
{
    return t->users;
}

void iothread_call(struct iothread *t, struct io_call *c)
{
    if (c->queued) return;
    c->queued = true;
    c->next = NULL;
    *t->last = c;
    t->last = &c->next;
    sem_post(&t->wake);
}

void iothread_cancel(struct iothread *t, struct io_call *c)
{
    if (!c->queued) return;
    c->queued = false;
    for (struct io_call **p = &t->first; *p; p = &(*p)->next)
        if (*p == c) {
            *p = c->next;
            if (!*p) t->last = p;
            return;
        }
}
