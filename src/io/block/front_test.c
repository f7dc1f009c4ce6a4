/* front_test.c: front ends: requests that run at once (io_uring, threads), bounds, limits, options, locks, -drive. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <fcntl.h>
#include <json-c/json.h>
#include "base/loop.h"
#include "io/block/int.h"

static char dir[64];

static char *path(const char *name)
{
    static char buf[4][128];
    static unsigned i;
    char *p = buf[i++ % 4];
    snprintf(p, sizeof buf[0], "%s/%s", dir, name);
    return p;
}

static void create(struct blk_graph *g, const char *name, const char *fmt, const char *opts)
{
    struct err e = { 0 };
    struct json_object *o = blk_opts_parse(opts, NULL, &e);
    if (blk_driver_find(fmt)->create(g, path(name), o, &e)) print_error("%s\n", e.msg);
    assert_int_equal(e.code, 0);
    json_object_put(o);
}

struct one {
    uint8_t *buf;
    struct iovec iov[3];
    unsigned *done;
    int ret;
};

static void finished(void *ctx, int ret)
{
    struct one *o = ctx;
    o->ret = ret;
    ++*o->done;
}

static uint64_t rnd(uint64_t *s, uint64_t n)
{
    *s ^= *s << 13, *s ^= *s >> 7, *s ^= *s << 17;
    return (*s >> 11) % n;
}

/* Many writes in flight that touch each other's clusters but not each other, discards between, then everything is read back. */
static void at_once(const char *fmt, const char *opts, unsigned flags)
{
    enum { N = 512, MAX = 9000, SIZE = N * MAX };
    struct blk_graph *g = blk_graph_new();
    struct err e = { 0 };
    uint8_t *shadow = calloc(1, SIZE), *all = malloc(SIZE);
    struct one *o = calloc(N, sizeof *o);
    unsigned done = 0;
    uint64_t seed = 12345;
    create(g, "a", fmt, opts);
    struct blk *b = blk_open_file(g, path("a"), fmt, BLK_RDWR | BLK_UNMAP | flags, &e);
    if (!b) print_error("%s\n", e.msg);
    assert_non_null(b);
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned k = 0; k < N; k++) {
            unsigned i = (k * 37) % N; /* neighbours far apart in time, and near */
            uint64_t off = (uint64_t)i * MAX + rnd(&seed, 500), len = 1 + rnd(&seed, MAX - 500);
            if (round == 2) off = ALIGN_UP(off, 512u), len = 512 + rnd(&seed, 14) * 512;
            free(o[i].buf);
            o[i].buf = NULL;
            o[i].done = &done;
            if (round && !rnd(&seed, 5)) {
                memset(shadow + off, 0, len);
                blk_write_zeroes(b, off, len, rnd(&seed, 2) ? BLK_MAY_UNMAP : 0, finished, &o[i]);
                continue;
            }
            o[i].buf = malloc(len);
            memset(o[i].buf, (int)(1 + rnd(&seed, 255)), len);
            memcpy(shadow + off, o[i].buf, len);
            size_t cut = (size_t)rnd(&seed, len);
            o[i].iov[0] = (struct iovec){ o[i].buf, cut };
            o[i].iov[1] = (struct iovec){ o[i].buf + cut, len - cut };
            blk_writev(b, off, o[i].iov, 2, 0, finished, &o[i]);
            if (!rnd(&seed, 50)) blk_graph_poll(g);
        }
        blk_drain(b);
        assert_int_equal(done, N * (round + 1));
        for (unsigned i = 0; i < N; i++) assert_int_equal(o[i].ret, 0);
        assert_int_equal(blk_pread(b, 0, all, SIZE), 0);
        assert_memory_equal(all, shadow, SIZE);
        assert_int_equal(blk_flush_sync(b), 0);
    }
    /* reads at once */
    done = 0;
    for (unsigned i = 0; i < N; i++) {
        free(o[i].buf);
        o[i].buf = malloc(MAX);
        o[i].iov[0] = (struct iovec){ o[i].buf, MAX };
        blk_readv(b, (uint64_t)i * MAX, o[i].iov, 1, 0, finished, &o[i]);
    }
    blk_drain_all(g);
    for (unsigned i = 0; i < N; i++) {
        assert_memory_equal(o[i].buf, shadow + (uint64_t)i * MAX, MAX);
        free(o[i].buf);
    }
    struct blk_node *n = blk_node_of(b);
    struct blk_check c = { 0 };
    if (n->drv->check) {
        assert_int_equal(n->drv->check(n, &c, 0, &e), 0);
        assert_true(!c.corruptions && !c.leaks);
    }
    assert_int_equal(blk_free(b, &e), 0);
    b = blk_open_file(g, path("a"), fmt, 0, &e);
    assert_non_null(b);
    assert_int_equal(blk_pread(b, 0, all, SIZE), 0);
    assert_memory_equal(all, shadow, SIZE);
    free(o), free(all), free(shadow);
    blk_graph_free(g);
}

static void test_at_once(void **state)
{
    at_once("qcow2", "size=4608000", 0);
    at_once("qcow2", "size=4608000,cluster_size=4k", BLK_AIO_THREADS);
    at_once("qcow2", "size=4608000,extended_l2=on", 0);
    at_once("raw", "size=4608000", 0);
    at_once("raw", "size=4608000", BLK_DIRECT);
    at_once("qcow2", "size=4608000,cluster_size=8k,lazy_refcounts=on", BLK_DIRECT);
}

static void bad(void *ctx, int ret)
{
    *(int *)ctx = ret;
}

static void test_bounds(void **state)
{
    struct blk_graph *g = blk_graph_new();
    struct blk *b = blk_open_file(g, "null-co:", "null-co", 0, NULL);
    char buf[16];
    struct iovec v[2] = { { buf, 16 }, { buf, SIZE_MAX - 8 } };
    int r[6] = { 1, 1, 1, 1, 1, 1 };
    uint64_t size = blk_size(b);
    blk_readv(b, size - 16, v, 1, 0, bad, &r[0]);
    blk_readv(b, size - 15, v, 1, 0, bad, &r[1]);
    blk_readv(b, UINT64_MAX - 3, v, 1, 0, bad, &r[2]);
    blk_readv(b, 0, v, 2, 0, bad, &r[3]); /* the sum overflows */
    blk_writev(b, 0, v, 1, 0, bad, &r[4]); /* read-only */
    blk_discard(b, 8, UINT64_MAX - 4, bad, &r[5]);
    assert_int_equal(r[1], 1); /* never before the call has returned */
    blk_drain(b);
    assert_int_equal(r[0], 0);
    assert_int_equal(r[1], -EIO);
    assert_int_equal(r[2], -EIO);
    assert_int_equal(r[3], -EINVAL);
    assert_int_equal(r[4], -EROFS);
    assert_int_equal(r[5], -EROFS);
    struct blk_stats st;
    blk_get_stats(b, &st);
    assert_int_equal(st.rd_ops, 4);
    assert_int_equal(st.rd_bytes, 16);
    assert_int_equal(st.rd_errors, 3);
    blk_graph_free(g);
}

struct waiter {
    struct loop *l;
    struct blk *b;
    struct iovec v;
    unsigned left;
    bool locked;
};

static void next_read(void *ctx, int ret)
{
    struct waiter *w = ctx;
    w->locked = w->locked && !ret && loop_locked_by_me(w->l);
    if (!w->left--)
        loop_stop(w->l, 7);
    else
        blk_readv(w->b, w->left * 512, &w->v, 1, 0, next_read, w);
}

/* Completions come on the loop's thread, its lock held. */
static void test_loop(void **state)
{
    static char buf[512];
    struct err e = { 0 };
    struct waiter w = { .l = loop_new(&e), .v = { buf, sizeof buf }, .left = 50, .locked = true };
    struct blk_graph *g = blk_graph_new();
    create(g, "a", "qcow2", "size=1M");
    w.b = blk_open_file(g, path("a"), "qcow2", 0, &e);
    assert_non_null(w.b);
    loop_lock(w.l);
    assert_int_equal(blk_graph_attach(g, w.l, &e), 0);
    loop_unlock(w.l);
    blk_readv(w.b, 0, &w.v, 1, 0, next_read, &w);
    assert_int_equal(loop_run(w.l), 7);
    assert_true(w.locked);
    loop_lock(w.l);
    blk_graph_free(g);
    loop_unlock(w.l);
    loop_free(w.l);
}

static void test_limits(void **state)
{
    struct blk_graph *g = blk_graph_new();
    struct blk *b = blk_open_file(g, "null-co:", "null-co", 0, NULL);
    static char buf[4096];
    struct iovec v = { buf, sizeof buf };
    struct leaky_config l = { .rate[LEAKY_IOPS] = { .avg = 1000, .max = 1000 } };
    unsigned done = 0;
    struct one o = { .done = &done };
    assert_int_equal(blk_set_limits(b, &l, NULL, NULL), 0);
    uint64_t t = blk_now_ns();
    for (unsigned i = 0; i < 1300; i++) blk_readv(b, 0, &v, 1, 0, finished, &o);
    while (done < 1300)
        if (!blk_graph_poll(g)) pool_wait(g);
    t = blk_now_ns() - t; /* a second's worth at once, the rest in 0.3 s */
    assert_true(t > 250000000u);
    /* who waits for everything does not wait for limits */
    l.rate[LEAKY_IOPS].avg = 1, l.rate[LEAKY_IOPS].max = 0;
    assert_int_equal(blk_set_limits(b, &l, NULL, NULL), 0);
    for (unsigned i = 0; i < 100; i++) blk_readv(b, 0, &v, 1, 0, finished, &o);
    t = blk_now_ns();
    blk_drain(b);
    assert_int_equal(done, 1400);
    assert_true(blk_now_ns() - t < 60000000000u);
    blk_graph_free(g);
}

static struct blk_drive drive(struct blk_graph *g, const char *text, int want)
{
    struct err e = { 0 };
    struct blk_drive d;
    char full[512];
    snprintf(full, sizeof full, text, dir, dir);
    int r = blk_drive_open(g, full, &d, &e);
    if (r != want) print_error("%s: %s\n", full, e.msg);
    assert_int_equal(r, want);
    return d;
}

static void test_options(void **state)
{
    struct blk_graph *g = blk_graph_new();
    struct err e = { 0 };
    char text[512];
    create(g, "d.qcow2", "qcow2", "size=1M");
    create(g, "d.img", "qcow2", "size=1M");
    struct blk_drive d = drive(g, "file=%s/d.qcow2,if=virtio,id=x,format=qcow2,cache=writethrough,discard=unmap,serial=a,,b,bps=1000", 0);
    assert_string_equal(d.iface, "virtio");
    assert_string_equal(d.serial, "a,b");
    assert_true(blk_writethrough(d.blk) && blk_find(g, "x") == d.blk && blk_size(d.blk) == 1 << 20);
    struct leaky_config l;
    assert_true(blk_get_limits(d.blk, &l, NULL));
    assert_int_equal(l.rate[LEAKY_BPS].avg, 1000);
    /* the same image twice: the lock says who */
    snprintf(text, sizeof text, "file=%s/d.qcow2,format=qcow2", dir);
    struct blk_drive d2;
    assert_int_equal(blk_drive_open(g, text, &d2, &e), -EAGAIN);
    snprintf(text, sizeof text, "process %d", (int)getpid());
    assert_non_null(strstr(e.msg, text));
    blk_free(d.blk, NULL);
    /* without a format the name decides; what only looks like one is not believed */
    d = drive(g, "file=%s/d.qcow2", 0);
    assert_string_equal(blk_node_of(d.blk)->drv->name, "qcow2");
    blk_free(d.blk, NULL);
    drive(g, "file=%s/d.img", -EINVAL);
    d = drive(g, "file=%s/d.img,format=raw", 0);
    assert_string_equal(blk_node_of(d.blk)->drv->name, "raw");
    blk_free(d.blk, NULL);
    drive(g, "file=%s/d.qcow2,format=qcow2,nonsense=1", -EINVAL);
    drive(g, "file=%s/none,format=raw", -ENOENT);
    d = drive(g, "if=none,id=empty", 0);
    assert_non_null(d.blk);
    assert_int_equal(blk_pread(d.blk, 0, text, 1), -ENOMEDIUM);
    blk_free(d.blk, NULL);
    /* snapshot=on leaves the image as it is */
    d = drive(g, "file=%s/d.qcow2,format=qcow2,snapshot=on", 0);
    assert_int_equal(blk_pwrite(d.blk, 0, "changed", 8, 0), 0);
    blk_free(d.blk, NULL);
    d = drive(g, "file=%s/d.qcow2,format=qcow2,read-only=on", 0);
    char buf[8];
    assert_int_equal(blk_pread(d.blk, 0, buf, 8), 0);
    assert_true(blk_is_zero(buf, 8) && blk_read_only(d.blk));
    blk_free(d.blk, NULL);
    /* -blockdev in JSON and dotted, by name, through a filter */
    snprintf(text, sizeof text, "{\"driver\":\"file\",\"filename\":\"%s/d.qcow2\",\"node-name\":\"f\",\"cache\":{\"no-flush\":true}}", dir);
    assert_int_equal(blk_blockdev_add(g, text, &e), 0);
    assert_int_equal(blk_blockdev_add(g, "qcow2,node-name=q,file=f,discard=unmap,detect-zeroes=unmap", &e), 0);
    assert_int_equal(blk_blockdev_add(g, "driver=throttle,node-name=t,file=q,limits.iops-total=100000", &e), 0);
    assert_int_equal(blk_blockdev_add(g, "driver=throttle,node-name=t,file=q", &e), -EEXIST);
    assert_int_equal(blk_blockdev_add(g, "{\"driver\":", &e), -EINVAL);
    struct blk *b = blk_new(g, "dev", blk_node_ref(blk_node_find(g, "t")), BLK_RDWR, &e);
    assert_int_equal(blk_pwrite(b, 100000, "data", 4, 0), 0);
    assert_int_equal(blk_pread(b, 100000, buf, 4), 0);
    assert_memory_equal(buf, "data", 4);
    assert_int_equal(blk_free(b, &e), 0);
    blk_graph_free(g);
}

static void test_sizes(void **state)
{
    static const struct { const char *s; uint64_t v; int r; } row[] = {
        { "0", 0, 0 }, { "512", 512, 0 }, { "64k", 65536, 0 }, { "1.5G", 1610612736, 0 }, { "0x10", 16, 0 }, { "1T", 1ull << 40, 0 },
        { "", 0, -EINVAL }, { "-1", 0, -EINVAL }, { "1x", 0, -EINVAL }, { "17E", 0, -ERANGE }, { "99999999999999999999", 0, -ERANGE }, { "1kk", 0, -EINVAL },
    };
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        uint64_t v = 0;
        assert_int_equal(blk_parse_size(row[i].s, &v), row[i].r);
        if (!row[i].r) assert_int_equal(v, row[i].v);
    }
}

static int start(void **state)
{
    strcpy(dir, "/tmp/lyre-blk-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int stop(void **state)
{
    static const char *const files[] = { "a", "d.qcow2", "d.img" };
    for (unsigned i = 0; i < ARRAY_LEN(files); i++) unlink(path(files[i]));
    return rmdir(dir);
}

/* --- errors: what werror= and rerror= do; a watch makes them ------------------------------------------------------------------- */

struct broken {
    int error;                 /* __atomic */
    unsigned told;
    enum blk_on_error action;
    int seen;
};

static int breaks(void *ctx, uint64_t off, uint64_t bytes)
{
    return __atomic_load_n(&((struct broken *)ctx)->error, __ATOMIC_RELAXED);
}

static void told(void *ctx, struct blk *b, bool write, int error, enum blk_on_error action)
{
    struct broken *k = ctx;
    k->told++;
    k->action = action;
    k->seen = error;
    assert_true(write);
}

static void poll_until(struct blk_graph *g, const unsigned *n, unsigned want)
{
    while (*n < want)
        if (!blk_graph_poll(g)) pool_wait(g);
}

static void test_errors(void **state)
{
    static const struct blk_dev_ops ops = { .errors = true };
    static char buf[4096];
    struct blk_graph *g = blk_graph_new();
    struct broken k = { 0 };
    struct blk_watch w = { breaks, NULL, &k, NULL };
    struct blk *b = blk_open_file(g, "null-co:", "null-co", BLK_RDWR, NULL);
    struct iovec v = { buf, sizeof buf };
    unsigned done = 0;
    struct one o = { .done = &done };
    blk_graph_on_error(g, told, &k);
    blk_graph_stop(g);
    blk_watch_add(blk_node_of(b), &w);
    blk_graph_go(g);
    k.error = -EIO; /* nobody has asked for anything: it is the requester's affair alone */
    blk_writev(b, 0, &v, 1, 0, finished, &o);
    poll_until(g, &done, 1);
    assert_int_equal(o.ret, -EIO);
    assert_int_equal(k.told, 0);
    blk_set_dev(b, &ops, NULL);
    static const struct { enum blk_on_error how; int error, ret; enum blk_on_error action; } rows[] = {
        { BLK_ERR_REPORT, -EIO, -EIO, BLK_ERR_REPORT }, { BLK_ERR_IGNORE, -EIO, 0, BLK_ERR_IGNORE }, { BLK_ERR_ENOSPC, -EIO, -EIO, BLK_ERR_REPORT },
    };
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        k.error = rows[i].error;
        blk_set_on_error(b, BLK_ERR_REPORT, rows[i].how);
        blk_writev(b, 0, &v, 1, 0, finished, &o);
        poll_until(g, &done, 2 + i);
        assert_int_equal(o.ret, rows[i].ret);
        assert_int_equal(k.told, 1 + i);
        assert_int_equal(k.action, rows[i].action);
    }
    /* stop: it is held, and succeeds when it is tried again */
    done = 0;
    k.error = -ENOSPC;
    blk_writev(b, 0, &v, 1, 0, finished, &o);
    poll_until(g, &k.told, 4);
    assert_int_equal(k.action, BLK_ERR_STOP);
    assert_int_equal(k.seen, -ENOSPC);
    assert_int_equal(blk_status(b), -ENOSPC);
    blk_drain_all(g); /* the graph may change meanwhile */
    assert_int_equal(done, 0);
    blk_graph_resume(g); /* still no room */
    poll_until(g, &k.told, 5);
    assert_int_equal(done, 0);
    __atomic_store_n(&k.error, 0, __ATOMIC_RELAXED);
    blk_graph_resume(g);
    assert_int_equal(blk_status(b), 0);
    poll_until(g, &done, 1);
    assert_int_equal(o.ret, 0);
    /* a device that is reset does not wait for it */
    k.error = -ENOSPC;
    blk_writev(b, 0, &v, 1, 0, finished, &o);
    poll_until(g, &k.told, 6);
    blk_drain(b);
    assert_int_equal(done, 2);
    assert_int_equal(o.ret, -ENOSPC);
    blk_graph_resume(g);
    assert_int_equal(done, 2);
    blk_set_dev(b, NULL, NULL);
    blk_graph_stop(g);
    blk_watch_del(blk_node_of(b), &w);
    blk_graph_go(g);
    blk_free(b, NULL);
    blk_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_once), cmocka_unit_test(test_bounds), cmocka_unit_test(test_loop), cmocka_unit_test(test_limits), cmocka_unit_test(test_errors), cmocka_unit_test(test_options),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
