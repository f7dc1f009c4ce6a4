/*
 * throttle.c: a node with limits, its own (limits.*) or those of an object (throttle-group=). On top of a graph it costs no thread: the
 * front end waits for it (limit.c).
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include "io/block/int.h"

struct throttle {
    struct blk_group *group;
};

extern const struct blk_driver blk_throttle;

struct blk_group *throttle_group(const struct blk_node *n)
{
    return n->drv == &blk_throttle && n->s ? ((struct throttle *)n->s)->group : NULL;
}

/* The members of ThrottleLimits below `prefix` ("limits.", "throttling."). */
int blk_opt_limits(struct json_object *opts, const char *prefix, struct leaky_config *c, struct err *e)
{
    char key[80];
    int r = 0;
    for (unsigned i = 0; !r && i < LEAKY_KINDS; i++) {
        snprintf(key, sizeof key, "%s%s", prefix, leaky_names[i]);
        r = blk_opt_size(opts, key, &c->rate[i].avg, e);
        snprintf(key, sizeof key, "%s%s-max", prefix, leaky_names[i]);
        if (!r) r = blk_opt_size(opts, key, &c->rate[i].max, e);
        snprintf(key, sizeof key, "%s%s-max-length", prefix, leaky_names[i]);
        if (!r) r = blk_opt_size(opts, key, &c->rate[i].length, e);
    }
    snprintf(key, sizeof key, "%siops-size", prefix);
    return r ? r : blk_opt_size(opts, key, &c->op_size, e);
}

static int throttle_open(struct blk_node *n, struct json_object *opts, struct err *e)
{
    struct throttle *t = xalloc(sizeof *t);
    struct leaky_config c = { 0 };
    n->s = t;
    char *name = blk_opt_str(opts, "throttle-group");
    if (name && !(t->group = group_get(n->graph, name, false))) err_set(e, ENOENT, "Throttle group '%s' does not exist", name);
    bool lost = name && !t->group;
    free(name);
    if (lost) return -ENOENT;
    int r = t->group ? 0 : blk_opt_limits(opts, "limits.", &c, e);
    struct json_object *l;
    if (json_object_object_get_ex(opts, "limits", &l) && json_object_is_type(l, json_type_object) && !json_object_object_length(l))
        json_object_object_del(opts, "limits");
    if (!r) r = leaky_check(&c, e);
    if (r) return r;
    if (!t->group) {
        t->group = group_get(n->graph, "", true);
        leaky_set(&t->group->l, &c);
    }
    n->file = blk_open_child(n, opts, "file", n->flags, e);
    if (!n->file) return e && e->code ? -e->code : -EINVAL;
    n->size = blk_node_size(n->file);
    n->cluster_size = n->file->cluster_size;
    return 0;
}

static int throttle_close(struct blk_node *n)
{
    group_put(((struct throttle *)n->s)->group);
    return 0;
}

static int throttle_preadv(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    if (!(flags & BLK_PAID)) group_wait(throttle_group(n), false, blk_iov_bytes(iov, niov));
    return blk_node_preadv(n->file, off, iov, niov, flags);
}

static int throttle_pwritev(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    if (!(flags & BLK_PAID)) group_wait(throttle_group(n), true, blk_iov_bytes(iov, niov));
    return blk_node_pwritev(n->file, off, iov, niov, flags);
}

static int throttle_zero(struct blk_node *n, uint64_t off, uint64_t bytes, unsigned flags)
{
    if (!(flags & BLK_PAID)) group_wait(throttle_group(n), true, 0);
    return blk_node_zero(n->file, off, bytes, flags);
}

static int throttle_truncate(struct blk_node *n, uint64_t size, const char *prealloc, struct err *e)
{
    int r = blk_node_truncate(n->file, size, prealloc, e);
    if (!r) __atomic_store_n(&n->size, size, __ATOMIC_RELAXED);
    return r;
}

const struct blk_driver blk_throttle = {
    .name = "throttle", .is_filter = true, .open = throttle_open, .close = throttle_close, .preadv = throttle_preadv,
    .pwritev = throttle_pwritev, .zero = throttle_zero, .truncate = throttle_truncate,
};
