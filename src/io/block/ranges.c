/* ranges.c: who may work on which part of a disk at once. */
#include "io/block/ranges.h"

#include <stdlib.h>

void ranges_init(struct blk_ranges *r)
{
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->cond, NULL);
    r->held = NULL;
}

void ranges_done(struct blk_ranges *r)
{
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->cond);
}

static bool in_the_way(const struct blk_ranges *r, const struct blk_span *s)
{
    for (const struct blk_span *o = r->held; o; o = o->next)
        if ((o->copy || s->copy) && o->off < s->end && s->off < o->end) return true;
    return false;
}

void ranges_enter(struct blk_ranges *r, uint64_t off, uint64_t bytes, bool copy)
{
    struct blk_span *s = xalloc(sizeof *s);
    *s = (struct blk_span){ .off = off, .end = off + bytes, .copy = copy, .by = pthread_self() };
    pthread_mutex_lock(&r->lock);
    while (in_the_way(r, s)) pthread_cond_wait(&r->cond, &r->lock);
    s->next = r->held;
    r->held = s;
    pthread_mutex_unlock(&r->lock);
}

void ranges_leave(struct blk_ranges *r, uint64_t off, uint64_t bytes, bool copy)
{
    struct blk_span **p = &r->held, *s;
    pthread_mutex_lock(&r->lock);
    while ((s = *p) && (s->off != off || s->end != off + bytes || s->copy != copy || !pthread_equal(s->by, pthread_self()))) p = &s->next;
    if (s) *p = s->next;
    pthread_cond_broadcast(&r->cond);
    pthread_mutex_unlock(&r->lock);
    free(s);
}
