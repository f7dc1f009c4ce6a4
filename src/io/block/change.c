/*
 * change.c: the graph while it is in use: nothing runs in it between blk_graph_stop and blk_graph_go; then nodes are put in the place of
 * others, backing files change, nodes are opened anew for writing.
 */
#include <stdio.h>
#include <stdlib.h>
#include "io/block/int.h"

void blk_graph_stop(struct blk_graph *g)
{
    if (g->stopped++) return; /* lock held: it is this thread */
    blk_drain_all(g);
    pthread_rwlock_wrlock(&g->gate);
}

void blk_graph_go(struct blk_graph *g)
{
    if (!--g->stopped) pthread_rwlock_unlock(&g->gate);
}

void blk_graph_enter(struct blk_graph *g)
{
    pthread_rwlock_rdlock(&g->gate);
}

void blk_graph_leave(struct blk_graph *g)
{
    pthread_rwlock_unlock(&g->gate);
}

void blk_watch_add(struct blk_node *n, struct blk_watch *w)
{
    w->next = n->watch;
    n->watch = w;
}

void blk_watch_del(struct blk_node *n, struct blk_watch *w)
{
    for (struct blk_watch **p = &n->watch; *p; p = &(*p)->next)
        if (*p == w) {
            *p = w->next;
            return;
        }
}

bool blk_node_below(const struct blk_node *top, const struct blk_node *n)
{
    for (unsigned depth = 0; top && depth < 512; depth++) { /* chains: a node has one way down that matters here */
        if (top == n || (top->file && top->backing && blk_node_below(top->file, n))) return true;
        top = top->backing ? top->backing : top->file;
    }
    return false;
}

/* Moves one reference. */
static void move(struct blk_node **at, struct blk_node *to)
{
    struct blk_node *old = *at;
    *at = blk_node_ref(to);
    blk_node_unref(old, NULL);
}

int blk_node_replace(struct blk_node *from, struct blk_node *to, const struct blk_node *not, struct err *e)
{
    struct blk_graph *g = from->graph;
    for (struct blk_node *n = g->nodes; n; n = n->next)
        if (n != to && n != not && n->file == from && !n->drv->is_filter)
            return err_set(e, ENOTSUP, "node '%s' cannot get another file while it is in use", n->name);
    blk_node_ref(from); /* until the last one has moved */
    for (struct blk *b = g->blks; b; b = b->next)
        if (b->node == from) move(&b->node, to);
    for (struct blk_node *n = g->nodes; n; n = n->next) {
        if (n == to || n == not) continue;
        if (n->file == from) move(&n->file, to);
        if (n->backing == from) move(&n->backing, to);
    }
    blk_node_unref(from, NULL);
    return 0;
}

void blk_node_set_backing(struct blk_node *n, struct blk_node *b)
{
    struct blk_node *old = n->backing;
    n->backing = b;
    blk_node_unref(old, NULL);
}

int blk_node_reopen(struct blk_node *n, bool writable, struct err *e)
{
    bool is = n->flags & BLK_RDWR;
    int r = 0;
    if (is == writable) return 0;
    if (writable && n->file && (r = blk_node_reopen(n->file, true, e))) return r;
    if (n->drv->is_protocol && !n->drv->reopen) return err_set(e, ENOTSUP, "node '%s' cannot be opened for writing later", n->name);
    n->flags = writable ? n->flags | BLK_RDWR : n->flags & ~(unsigned)BLK_RDWR;
    if (n->drv->reopen) r = n->drv->reopen(n, e);
    if (r) {
        n->flags = is ? n->flags | BLK_RDWR : n->flags & ~(unsigned)BLK_RDWR;
        if (writable && n->file) blk_node_reopen(n->file, false, NULL);
        return r;
    }
    return !writable && n->file && n->file->refs == 1 ? blk_node_reopen(n->file, false, e) : 0;
}
