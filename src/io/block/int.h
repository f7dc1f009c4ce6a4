/* int.h: what the files of the block layer share; devices and tools need blk.h only. */
#ifndef LYRE_IO_BLOCK_INT_H
#define LYRE_IO_BLOCK_INT_H

#include <pthread.h>
#include "io/block/blk.h"
#include "io/block/leaky.h"

struct io_uring;

enum req_kind { REQ_READ, REQ_WRITE, REQ_FLUSH, REQ_DISCARD, REQ_ZERO };
enum { HOPS = 6, POOL_MAX = 16 };

/* One request from a front end; from blk_readv() etc. to its callback. */
struct blk_req {
    struct blk *b;
    enum req_kind kind;
    uint64_t offset, bytes;
    const struct iovec *iov;
    int niov, ret;
    unsigned flags;
    blk_done *cb;
    void *ctx;
    uint64_t start_ns, due_ns;
    struct blk_req *next;
    /* on its way through enter(): what leave() has to be told */
    struct { struct blk_node *node; void *token; } hop[HOPS];
    unsigned hops;
};

struct req_list {
    struct blk_req *head, **tail;
};

struct blk_graph {
    pthread_mutex_t lock; /* nodes, front ends, names */
    struct blk_node *nodes;
    struct blk *blks;
    struct blk_group *groups;
    unsigned next_id;
    unsigned stopped;          /* blk_graph_stop nests; lock held */
    pthread_rwlock_t gate;     /* shared: I/O on nodes on a thread of its own; alone: the graph changes */
    /* pool.c */
    pthread_mutex_t pool_lock;
    pthread_cond_t pool_cond;
    struct req_list todo, done;
    pthread_t threads[POOL_MAX];
    unsigned nthreads, idle;
    bool stop, no_ring;
    struct io_uring *ring;
    pthread_mutex_t ring_lock; /* submission side */
    unsigned ring_busy;        /* __atomic: requests in the ring */
    int epfd, evfd, timerfd;
    struct loop_fd *loop_fd;
    struct req_list delayed;   /* throttled, by due time; pool_lock */
    struct req_list held;      /* errors that stopped the machine; lock held */
    unsigned inflight;         /* __atomic; those that are held are not counted */
    unsigned hurry;            /* __atomic: somebody waits, limits do not count */
    void (*on_error)(void *ctx, struct blk *b, bool write, int error, enum blk_on_error action);
    void *error_ctx;
};

/* Front ends and nodes that share limits. */
struct blk_group {
    struct blk_graph *g;
    char name[64];
    pthread_mutex_t lock;
    struct leaky l;
    unsigned refs;             /* graph's lock */
    bool object;               /* of object-add; one reference is for that */
    struct blk_group *next;
};

struct blk {
    struct blk_graph *g;
    char name[64];
    struct blk_node *node;
    unsigned flags;
    unsigned inflight;         /* __atomic: from submission to the end of the callback */
    pthread_mutex_t lock;      /* statistics */
    struct blk_stats stats;
    struct blk_group *group;   /* of limits; NULL: none. Lock held, requests drained */
    struct blk_geometry geo;
    const struct blk_dev_ops *ops;
    void *ops_ctx, *user;
    enum blk_on_error rerror, werror;
    int status;
    bool share;
    bool writethrough;         /* __atomic */
    struct blk *next;
};

uint64_t blk_now_ns(void);
/* pool.c */
int pool_init(struct blk_graph *g);
void pool_stop(struct blk_graph *g);
/* Gives a checked request to the ring or to a worker. */
void pool_submit(struct blk_graph *g, struct blk_req *r);
void pool_delay(struct blk_graph *g, struct blk_req *r);
void pool_done(struct blk_graph *g, struct blk_req *r);
/* Waits for something to poll. */
void pool_wait(struct blk_graph *g);
void pool_start_delayed(struct blk_graph *g);
/* limit.c: when the request may start. */
uint64_t limit_due(struct blk *b, bool write, uint64_t bytes, uint64_t now);
struct blk_group *group_get(struct blk_graph *g, const char *name, bool make);
void group_put(struct blk_group *k);
/* Of a node below formats, on a thread that may wait. */
void group_wait(struct blk_group *k, bool write, uint64_t bytes);
/* The group of a `throttle` node, NULL of others. */
struct blk_group *throttle_group(const struct blk_node *n);
int blk_opt_limits(struct json_object *opts, const char *prefix, struct leaky_config *c, struct err *e);
/* What a front end paid for at the nodes on top is not paid for again there. */
enum { BLK_PAID = 1 << 30 };
/* front.c: does it here and now. */
int req_run(struct blk_req *r);
const struct blk_node *front_detects(const struct blk_node *n);
void req_complete(struct blk_req *r);
/* opts.c */
unsigned blk_opt_flags(struct json_object *opts, unsigned flags, struct blk_node *n, int *err, struct err *e);
/* An error if an option was not taken. */
int blk_opts_left(struct json_object *opts, const char *driver, struct err *e);
/* graph.c: backing file by the name in the image; NULL without an error: there is none. */
int blk_open_backing(struct blk_node *n, struct json_object *opts, struct err *e);
/* A name in an image is relative to the image. The caller frees it. */
char *blk_path_combine(const char *base, const char *name);
/* lock.c: locks fd for what flags say; names who holds it. */
int blk_lock_file(int fd, const char *name, unsigned flags, struct err *e);

static inline void req_push(struct req_list *l, struct blk_req *r)
{
    r->next = NULL;
    *l->tail = r;
    l->tail = &r->next;
}

#endif
