/* job_test.c: block jobs while a guest writes: a chain of three images under random writes; contents, chains and files at the end; cancelling,
 * pausing, errors; copy-on-read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "io/block/int.h"
#include "io/block/job.h"

enum { SIZE = 6 << 20, FLIGHT = 16, MOST = 70000 };

static char dir[64];

struct slot {
    struct rig *rig;
    uint8_t buf[MOST];
    struct iovec iov;
    uint64_t off, len;
    bool busy;
};
struct rig {
    struct loop *l;
    struct blk_graph *g;
    struct job_set *jobs;
    struct blk_node *base, *mid, *top;
    struct blk *b;
    uint8_t *shadow;
    struct slot slot[FLIGHT];
    uint64_t seed;
    char log[4096];
    unsigned writes;
    struct err e;
};

static char *path(const char *name)
{
    static char buf[8][128];
    static unsigned i;
    char *p = buf[i++ % 8];
    snprintf(p, sizeof buf[0], "%s/%s", dir, name);
    return p;
}

static uint64_t rnd(struct rig *r, uint64_t n)
{
    r->seed ^= r->seed << 13, r->seed ^= r->seed >> 7, r->seed ^= r->seed << 17;
    return (r->seed >> 11) % n;
}

static void create(struct rig *r, const char *name, const char *fmt, const char *backing)
{
    struct json_object *o = json_object_new_object();
    json_object_object_add(o, "size", json_object_new_string("6M"));
    if (backing) json_object_object_add(o, "backing_file", json_object_new_string(path(backing)));
    if (backing) json_object_object_add(o, "backing_fmt", json_object_new_string("qcow2"));
    int rc = blk_driver_find(fmt)->create(r->g, path(name), o, &r->e);
    if (rc) print_error("%s\n", r->e.msg);
    assert_int_equal(rc, 0);
    json_object_put(o);
}

static void event(void *ctx, struct job *j, enum job_event ev)
{
    static const char *const names[] = { NULL, "READY!", "PENDING!", "COMPLETED!", "CANCELLED!", "ERROR!" };
    struct rig *r = ctx;
    size_t n = strlen(r->log);
    snprintf(r->log + n, sizeof r->log - n, "%s%s", n ? " " : "", ev == JOB_EV_STATUS ? job_status_name(j->status) : names[ev]);
}

/* Some of every layer's own, some of it shadowed by the next. */
static void fill(struct rig *r, const char *name, unsigned pieces)
{
    struct blk *b = blk_open_file(r->g, path(name), "qcow2", BLK_RDWR, &r->e);
    assert_non_null(b);
    for (unsigned i = 0; i < pieces; i++) {
        uint64_t len = 1 + rnd(r, MOST), off = rnd(r, SIZE - len);
        memset(r->shadow + off, (int)(1 + rnd(r, 255)), len);
        assert_int_equal(blk_pwrite(b, off, r->shadow + off, len, 0), 0);
    }
    assert_int_equal(blk_free(b, &r->e), 0);
}

static struct rig *rig(unsigned seed)
{
    struct rig *r = xalloc(sizeof *r);
    r->seed = 88172645463325252ull + seed;
    r->l = loop_new(&r->e);
    loop_lock(r->l);
    r->g = blk_graph_new();
    assert_int_equal(blk_graph_attach(r->g, r->l, &r->e), 0);
    r->jobs = job_set_new(r->l, r->g, &(struct job_host){ event, r });
    r->shadow = xalloc(SIZE);
    create(r, "base", "qcow2", NULL);
    fill(r, "base", 30);
    create(r, "mid", "qcow2", "base");
    fill(r, "mid", 15);
    create(r, "top", "qcow2", "mid");
    fill(r, "top", 10);
    r->b = blk_open_file(r->g, path("top"), "qcow2", BLK_RDWR, &r->e);
    assert_non_null(r->b);
    r->top = blk_node_of(r->b), r->mid = r->top->backing, r->base = r->mid->backing;
    return r;
}

static void done(void *ctx, int ret)
{
    struct slot *s = ctx;
    assert_int_equal(ret, 0);
    memcpy(s->rig->shadow + s->off, s->buf, s->len);
    s->busy = false;
    s->rig->writes++;
}

/* One more write if there is a free slot and it overlaps none. */
static void write_some(struct rig *r)
{
    struct slot *s = r->slot;
    while (s < r->slot + FLIGHT && s->busy) s++;
    if (s == r->slot + FLIGHT) return;
    s->rig = r;
    s->len = 1 + rnd(r, rnd(r, 4) ? 5000 : MOST);
    s->off = rnd(r, SIZE - s->len);
    for (struct slot *o = r->slot; o < r->slot + FLIGHT; o++)
        if (o->busy && o->off < s->off + s->len && s->off < o->off + o->len) return;
    memset(s->buf, rnd(r, 8) ? (int)rnd(r, 256) : 0, s->len);
    s->iov = (struct iovec){ s->buf, s->len };
    s->busy = true;
    blk_writev(r->b, s->off, &s->iov, 1, 0, done, s);
}

/* Until the job is in that state (or gone), writing meanwhile. */
static void until(struct rig *r, const char *id, enum job_status s)
{
    struct job *slow = job_find(r->jobs, id);
    while (slow && slow->speed == 1 && r->writes < 30 && !slow->user_paused && !slow->cancel) { /* as good as standing: it is certain that writes fall into it */
        write_some(r);
        loop_once(r->l, true);
    }
    if (slow && slow->speed == 1) job_set_speed(slow, 6 << 20, NULL);
    for (struct job *j; (j = job_find(r->jobs, id)) && j->status != s;) {
        if (r->writes < 400) write_some(r); /* a mirror that has a speed catches up only if the guest rests */
        loop_once(r->l, true);
    }
}

static void contents(struct rig *r, struct blk *b)
{
    uint8_t *got = xalloc(SIZE);
    assert_int_equal(blk_pread(b, 0, got, SIZE), 0);
    for (uint64_t i = 0; i < SIZE; i++)
        if (got[i] != r->shadow[i]) {
            print_error("differs at %llu: 0x%02x for 0x%02x\n", (unsigned long long)i, got[i], r->shadow[i]);
            fail();
        }
    free(got);
}

/* The disk is what was written, now and when the file is opened anew. */
static void finish(struct rig *r, const char *file, const char *fmt)
{
    blk_drain(r->b);
    contents(r, r->b);
    job_set_free(r->jobs);
    assert_int_equal(blk_free(r->b, &r->e), 0);
    struct blk *b = blk_open_file(r->g, path(file), fmt, 0, &r->e);
    if (!b) print_error("%s\n", r->e.msg);
    assert_non_null(b);
    contents(r, b);
    struct blk_node *n = blk_node_of(b);
    if (n->drv->check) {
        struct blk_check c = { 0 };
        assert_int_equal(n->drv->check(n, &c, 0, &r->e), 0);
        assert_int_equal(c.corruptions + c.check_errors + c.leaks, 0);
    }
    blk_free(b, NULL);
    blk_graph_free(r->g);
    loop_unlock(r->l);
    loop_free(r->l);
    free(r->shadow);
    free(r);
}

static const struct job_args args = { .def = "j", .auto_finalize = true, .auto_dismiss = true, .speed = 1 };

static void test_stream(void **state)
{
    for (unsigned partly = 0; partly < 2; partly++) {
        struct rig *r = rig(partly);
        struct blk_node *base = partly ? r->base : NULL;
        assert_non_null(job_stream(r->jobs, &args, r->top, base, NULL, &r->e));
        assert_null(job_stream(r->jobs, &(struct job_args){ .def = "k" }, r->top, NULL, NULL, &r->e)); /* one at a time */
        until(r, "j", JOB_NULL);
        assert_string_equal(r->log, "created running waiting pending COMPLETED! concluded null");
        assert_true(r->writes > 10);
        assert_ptr_equal(r->top->backing, base);
        finish(r, "top", "qcow2");
    }
}

static void test_commit(void **state)
{
    struct rig *r = rig(7);
    assert_non_null(job_commit(r->jobs, &args, r->top, r->mid, r->base, NULL, &r->e));
    until(r, "j", JOB_NULL);
    assert_string_equal(r->log, "created running waiting pending COMPLETED! concluded null");
    assert_ptr_equal(r->top->backing, r->base);
    assert_false(r->base->flags & BLK_RDWR); /* as it was */
    finish(r, "top", "qcow2");
}

static void test_active_commit(void **state)
{
    struct rig *r = rig(8);
    struct job_mirror_args m = { .commit = true, .sync = JOB_SYNC_TOP };
    assert_non_null(job_mirror(r->jobs, &args, r->top, r->base, &m, &r->e));
    until(r, "j", JOB_READY);
    struct job *j = job_find(r->jobs, "j");
    assert_non_null(j);
    for (unsigned i = 0; i < 200; i++) {
        write_some(r);
        loop_once(r->l, true);
    }
    assert_int_equal(job_complete(j, &r->e), 0);
    until(r, "j", JOB_NULL);
    assert_string_equal(r->log, "created running ready READY! waiting pending COMPLETED! concluded null");
    assert_ptr_equal(blk_node_of(r->b), r->base);
    for (unsigned i = 0; i < 50; i++) {
        write_some(r);
        loop_once(r->l, true);
    }
    finish(r, "base", "qcow2");
}

static void mirror(bool pivot, const char *fmt)
{
    struct rig *r = rig(9);
    struct job_mirror_args m = { .sync = JOB_SYNC_FULL, .unmap = true };
    create(r, "target", fmt, NULL);
    struct blk_node *t = blk_node_open_file(r->g, path("target"), fmt, BLK_RDWR, &r->e);
    assert_non_null(t);
    assert_non_null(job_mirror(r->jobs, &args, r->top, t, &m, &r->e));
    assert_int_not_equal(job_complete(job_find(r->jobs, "j"), &r->e), 0); /* not yet */
    until(r, "j", JOB_READY);
    for (unsigned i = 0; i < 100; i++) {
        write_some(r);
        loop_once(r->l, true);
    }
    struct job *j = job_find(r->jobs, "j");
    assert_int_equal(pivot ? job_complete(j, &r->e) : job_cancel(j, false, &r->e), 0);
    blk_drain(r->b); /* without a pivot the target is the disk at that time */
    if (pivot) until(r, "j", JOB_NULL);
    while (job_find(r->jobs, "j")) loop_once(r->l, true);
    assert_ptr_equal(blk_node_of(r->b), pivot ? t : r->top);
    blk_node_unref(t, NULL);
    if (!pivot) contents(r, r->b);
    finish(r, "target", fmt);
}

static void test_mirror(void **state)
{
    mirror(true, "qcow2");
    mirror(false, "qcow2");
    mirror(true, "raw");
}

static void test_backup(void **state)
{
    struct rig *r = rig(10);
    create(r, "target", "qcow2", NULL);
    struct blk_node *t = blk_node_open_file(r->g, path("target"), "qcow2", BLK_RDWR, &r->e);
    uint8_t *then = malloc(SIZE);
    memcpy(then, r->shadow, SIZE);
    assert_non_null(job_backup(r->jobs, &args, r->top, t, JOB_SYNC_FULL, &r->e));
    until(r, "j", JOB_NULL);
    assert_string_equal(r->log, "created running waiting pending COMPLETED! concluded null");
    assert_true(r->writes > 10);
    blk_drain(r->b);
    contents(r, r->b);
    blk_node_unref(t, NULL);
    memcpy(r->shadow, then, SIZE); /* the target has what was there at the beginning */
    free(then);
    blk_free(r->b, NULL);
    r->b = blk_open_file(r->g, path("target"), "qcow2", 0, &r->e);
    finish(r, "target", "qcow2");
}

static void test_steering(void **state)
{
    struct rig *r = rig(11);
    struct job_args a = args;
    a.speed = 1;
    a.auto_finalize = a.auto_dismiss = false;
    struct job *j = job_stream(r->jobs, &a, r->top, NULL, NULL, &r->e);
    assert_non_null(j);
    assert_int_equal(job_pause(j, &r->e), 0);
    assert_int_not_equal(job_pause(j, &r->e), 0);
    until(r, "j", JOB_PAUSED);
    assert_int_not_equal(job_finalize(j, &r->e), 0);
    assert_int_equal(job_resume(j, &r->e), 0);
    assert_int_not_equal(job_resume(j, &r->e), 0);
    until(r, "j", JOB_RUNNING);
    assert_int_equal(job_set_speed(j, 0, &r->e), 0);
    until(r, "j", JOB_PENDING);
    assert_non_null(r->top->backing); /* nothing has changed yet */
    assert_int_not_equal(job_dismiss(j, &r->e), 0);
    assert_int_equal(job_finalize(j, &r->e), 0);
    assert_null(r->top->backing);
    assert_int_equal(j->status, JOB_CONCLUDED);
    assert_int_equal(job_dismiss(j, &r->e), 0);
    assert_null(job_find(r->jobs, "j"));
    assert_string_equal(r->log, "created running paused running waiting pending PENDING! COMPLETED! concluded null");
    finish(r, "top", "qcow2");

    r = rig(12);
    a = args;
    a.speed = 1;
    j = job_stream(r->jobs, &a, r->top, NULL, NULL, &r->e);
    assert_int_equal(job_cancel(j, false, &r->e), 0);
    until(r, "j", JOB_NULL);
    assert_string_equal(r->log, "created running aborting CANCELLED! concluded null");
    assert_ptr_equal(r->top->backing, r->mid);
    finish(r, "top", "qcow2");
}

/* A job under way when everything ends. */
static void test_end(void **state)
{
    struct rig *r = rig(13);
    struct job_args a = args;
    a.speed = 1000;
    assert_non_null(job_stream(r->jobs, &a, r->top, NULL, NULL, &r->e));
    for (unsigned i = 0; i < 20; i++) {
        write_some(r);
        loop_once(r->l, true);
    }
    finish(r, "top", "qcow2");
}

static void test_copy_on_read(void **state)
{
    struct rig *r = rig(14);
    struct err e = { 0 };
    blk_free(r->b, NULL);
    char text[256];
    struct blk_drive d;
    snprintf(text, sizeof text, "file=%s,format=qcow2,if=none,id=d,copy-on-read=on", path("top"));
    assert_int_equal(blk_drive_open(r->g, text, &d, &e), 0);
    r->b = d.blk;
    for (unsigned i = 0; i < 300; i++) {
        write_some(r);
        if (!(i % 3)) {
            blk_drain(r->b);
            uint8_t buf[4096];
            uint64_t off = rnd(r, SIZE - sizeof buf);
            assert_int_equal(blk_pread(r->b, off, buf, sizeof buf), 0);
            assert_memory_equal(buf, r->shadow + off, sizeof buf);
        }
    }
    blk_drain(r->b);
    contents(r, r->b); /* all of it is there now */
    struct blk_node *n = blk_node_of(r->b)->file;
    blk_graph_stop(r->g);
    assert_int_equal(n->drv->set_backing(n, NULL, NULL, &e), 0);
    blk_node_set_backing(n, NULL);
    blk_graph_go(r->g);
    finish(r, "top", "qcow2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream), cmocka_unit_test(test_commit), cmocka_unit_test(test_active_commit), cmocka_unit_test(test_mirror),
        cmocka_unit_test(test_backup), cmocka_unit_test(test_steering), cmocka_unit_test(test_end), cmocka_unit_test(test_copy_on_read),
    };
    snprintf(dir, sizeof dir, "/tmp/lyre-job-XXXXXX");
    if (!mkdtemp(dir)) return 1;
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    return system(cmd) ? 1 : rc;
}
