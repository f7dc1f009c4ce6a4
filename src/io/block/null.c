/* null.c: a disk without contents ("null-co"): to measure everything else. read-zeroes=on: reads fill the buffer. */
#include <json-c/json.h>
#include <stdlib.h>
#include <time.h>
#include "io/block/int.h"

struct null {
    bool zeroes;
    uint64_t latency_ns;
};

static int null_open(struct blk_node *n, struct json_object *opts, struct err *e)
{
    struct null *s = xalloc(sizeof *s);
    n->s = s;
    n->size = 1ull << 30;
    free(blk_opt_str(opts, "filename"));
    int r = blk_opt_size(opts, "size", &n->size, e);
    if (!r) r = blk_opt_size(opts, "latency-ns", &s->latency_ns, e);
    if (!r) r = blk_opt_bool(opts, "read-zeroes", &s->zeroes, e);
    if (!r && (n->size > INT64_MAX / 2 || s->latency_ns > 10000000000u)) r = err_set(e, EINVAL, "null: size or latency-ns is too large");
    return r;
}

static int wait_ns(struct null *s)
{
    struct timespec t = { (time_t)(s->latency_ns / 1000000000u), (long)(s->latency_ns % 1000000000u) };
    if (s->latency_ns) nanosleep(&t, NULL);
    return 0;
}

static int null_preadv(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    struct null *s = n->s;
    for (int i = 0; s->zeroes && i < niov; i++) memset(iov[i].iov_base, 0, iov[i].iov_len);
    return wait_ns(s);
}

static int null_pwritev(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    return wait_ns(n->s);
}

static int null_flush(struct blk_node *n)
{
    return wait_ns(n->s);
}

static int null_zero(struct blk_node *n, uint64_t off, uint64_t bytes, unsigned flags)
{
    return wait_ns(n->s);
}

static int null_status(struct blk_node *n, uint64_t off, uint64_t bytes, struct blk_range *r)
{
    struct null *s = n->s;
    *r = (struct blk_range){ .st = BLK_ST_ALLOCATED | (s->zeroes ? BLK_ST_ZERO : BLK_ST_DATA), .bytes = bytes };
    return 0;
}

const struct blk_driver blk_null_co = {
    .name = "null-co", .protocol = "null-co:", .is_protocol = true, .open = null_open, .preadv = null_preadv,
    .pwritev = null_pwritev, .flush = null_flush, .zero = null_zero, .status = null_status,
};

const struct blk_driver blk_null_aio = {
    .name = "null-aio", .protocol = "null-aio:", .is_protocol = true, .open = null_open, .preadv = null_preadv,
    .pwritev = null_pwritev, .flush = null_flush, .zero = null_zero, .status = null_status,
};
