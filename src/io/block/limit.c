/*
 * limit.c: groups of limits. A request is poured into the buckets (leaky.h) of its front end's group and of the `throttle` nodes on top of
 * the graph below it, and submitted when all of them allow it. `throttle` nodes further down make the worker's thread wait.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "io/block/int.h"

struct blk_group *group_get(struct blk_graph *g, const char *name, bool make)
{
    pthread_mutex_lock(&g->lock);
    struct blk_group *k = g->groups;
    while (k && (!*name || strcmp(k->name, name))) k = k->next;
    if (!k && make) {
        k = xalloc(sizeof *k);
        k->g = g;
        snprintf(k->name, sizeof k->name, "%s", name);
        pthread_mutex_init(&k->lock, NULL);
        k->next = g->groups;
        g->groups = k;
    }
    if (k) k->refs++;
    pthread_mutex_unlock(&g->lock);
    return k;
}

void group_put(struct blk_group *k)
{
    if (!k) return;
    struct blk_graph *g = k->g;
    pthread_mutex_lock(&g->lock);
    bool last = --k->refs == 0;
    for (struct blk_group **p = &g->groups; last && *p; p = &(*p)->next)
        if (*p == k) {
            *p = k->next;
            break;
        }
    pthread_mutex_unlock(&g->lock);
    if (!last) return;
    pthread_mutex_destroy(&k->lock);
    free(k);
}

static uint64_t take(struct blk_group *k, bool write, uint64_t bytes, uint64_t now)
{
    pthread_mutex_lock(&k->lock);
    uint64_t at = leaky_take(&k->l, write, bytes, now);
    pthread_mutex_unlock(&k->lock);
    return at;
}

uint64_t limit_due(struct blk *b, bool write, uint64_t bytes, uint64_t now)
{
    uint64_t at = b->group ? take(b->group, write, bytes, now) : now;
    for (struct blk_node *n = b->node; n && n->drv->is_filter && n->file; n = n->file) {
        struct blk_group *k = throttle_group(n);
        uint64_t t = k ? take(k, write, bytes, now) : now;
        at = MAX(at, t);
    }
    return at;
}

void group_wait(struct blk_group *k, bool write, uint64_t bytes)
{
    uint64_t now = blk_now_ns(), until = take(k, write, bytes, now);
    struct timespec ts = { (time_t)(until / 1000000000u), (long)(until % 1000000000u) };
    while (until > now && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR) {}
}

static void set(struct blk_group *k, const struct leaky_config *c)
{
    pthread_mutex_lock(&k->lock);
    leaky_set(&k->l, c);
    pthread_mutex_unlock(&k->lock);
    pool_start_delayed(k->g); /* those that wait by the old limits */
}

int blk_set_limits(struct blk *b, const struct leaky_config *c, const char *group, struct err *e)
{
    int r = leaky_check(c, e);
    if (r) return r;
    if (!leaky_on(c) && !group) {
        blk_drain(b);
        group_put(b->group);
        b->group = NULL;
        return 0;
    }
    if (!b->group || (group && strcmp(b->group->name, group))) {
        struct blk_group *k = group_get(b->g, group ? group : b->name, true);
        blk_drain(b);
        group_put(b->group);
        b->group = k;
    }
    set(b->group, c);
    return 0;
}

bool blk_get_limits(struct blk *b, struct leaky_config *c, const char **group)
{
    *c = (struct leaky_config){ 0 };
    if (!b->group) return false;
    pthread_mutex_lock(&b->group->lock);
    *c = b->group->l.cfg;
    pthread_mutex_unlock(&b->group->lock);
    if (group) *group = b->group->name;
    return true;
}

/* --- objects ---------------------------------------------------------------------------------------------------------------- */

int blk_group_new(struct blk_graph *g, const char *name, const struct leaky_config *c, struct err *e)
{
    int r = leaky_check(c, e);
    if (r) return r;
    struct blk_group *k = group_get(g, name, false);
    if (k) {
        group_put(k);
        return err_set(e, EEXIST, "A group with this name already exists");
    }
    k = group_get(g, name, true);
    k->object = true;
    set(k, c);
    return 0;
}

int blk_group_del(struct blk_graph *g, const char *name, struct err *e)
{
    struct blk_group *k = group_get(g, name, false);
    bool object = k && k->object, busy = object && k->refs > 2;
    if (object && !busy) {
        k->object = false;
        group_put(k);
    }
    group_put(k);
    return busy ? err_set(e, EBUSY, "object '%s' is in use, can not be deleted", name) : object ? 0 : err_set(e, ENOENT, "object '%s' not found", name);
}

int blk_group_set(struct blk_graph *g, const char *name, const struct leaky_config *c, struct err *e)
{
    struct blk_group *k = group_get(g, name, false);
    int r = k ? leaky_check(c, e) : err_set(e, ENOENT, "Throttle group '%s' does not exist", name);
    if (!r) set(k, c);
    group_put(k);
    return r;
}

int blk_group_get(struct blk_graph *g, const char *name, struct leaky_config *c, struct err *e)
{
    struct blk_group *k = group_get(g, name, false);
    if (!k) return err_set(e, ENOENT, "Throttle group '%s' does not exist", name);
    pthread_mutex_lock(&k->lock);
    *c = k->l.cfg;
    pthread_mutex_unlock(&k->lock);
    group_put(k);
    return 0;
}
