/*
 * qcow2_test.c: qcow2 over a disk of the test's own, in memory, that remembers what was written since the last flush:
 *   random operations against a shadow copy, for every shape of image
 *   crashes at any moment: what was not flushed reached the disk in part, in any order, torn at 512 bytes; then the image is opened
 *   failure of the n-th access for every n; then the image is opened
 * After each: our check finds no corruption (after operations without failures: no leak either), and every sector holds what it held
 * when a flush last succeeded, or what was written to it since.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <fcntl.h>
#include <json-c/json.h>
#include "io/block/qcow2.h"

enum { SECTOR = 512, MAX_IMG = 24 << 20, CRASHES = 3 };

/* --- the disk ------------------------------------------------------------------------------------------------------------------------ */

struct pend {
    uint64_t off, len;
    uint8_t *data; /* NULL: zeros */
};
struct disk { /* outlives its node */
    uint8_t *now, *stable; /* what reads see; what a crash leaves for sure */
    uint64_t size, stable_size;
    struct pend *p;
    uint32_t np, cap;
    bool log;
    int64_t fail_in; /* accesses until one fails; -1 = never */
    int fail_with;
    unsigned accesses;
    struct { uint8_t *img; uint64_t size; } crash[CRASHES];
    unsigned crashes, crash_odds;
};
static uint64_t rnd_state;

static uint64_t rnd(uint64_t n)
{
    rnd_state ^= rnd_state << 13, rnd_state ^= rnd_state >> 7, rnd_state ^= rnd_state << 17;
    return (rnd_state >> 11) % n;
}

static int fails(struct disk *d)
{
    d->accesses++;
    if (d->fail_in < 0) return 0;
    return d->fail_in-- ? 0 : -d->fail_with;
}

/* The disk after a power cut now: some of what was written since the last flush, by sectors. */
static void power_cut(struct disk *d)
{
    if (!d->crash_odds || d->crashes == CRASHES || rnd(d->crash_odds)) return;
    uint8_t *img = calloc(1, MAX_IMG);
    memcpy(img, d->stable, d->stable_size);
    uint64_t size = d->stable_size, odds = 1 + rnd(4), start = d->np ? rnd(d->np) : 0;
    for (uint32_t k = 0; k < d->np; k++) { /* from anywhere: later ones may be overwritten by earlier ones */
        struct pend *p = &d->p[(start + k) % d->np];
        bool whole = rnd(3) == 0;
        if (!whole && !rnd(odds)) continue;
        for (uint64_t at = p->off; at < p->off + p->len;) {
            uint64_t n = MIN(SECTOR - at % SECTOR, p->off + p->len - at);
            if (whole || rnd(odds + 1)) {
                if (p->data) memcpy(img + at, p->data + (at - p->off), n); else memset(img + at, 0, n);
                size = MAX(size, at + n);
            }
            at += n;
        }
    }
    d->crash[d->crashes].img = img;
    d->crash[d->crashes++].size = size;
}

static void put(struct disk *d, struct blk_node *n, uint64_t off, const uint8_t *data, uint64_t len)
{
    if (off + len > MAX_IMG) {
        fprintf(stderr, "the test's disk is too small\n");
        _exit(1);
    }
    if (data) memcpy(d->now + off, data, len); else memset(d->now + off, 0, len);
    if (d->log) {
        d->p = vec_grow(d->p, &d->cap, d->np + 1, sizeof *d->p);
        uint8_t *copy = data ? malloc(len) : NULL;
        if (data) memcpy(copy, data, len);
        d->p[d->np++] = (struct pend){ off, len, copy };
        power_cut(d);
    }
    d->size = MAX(d->size, off + len);
    __atomic_store_n(&n->size, d->size, __ATOMIC_RELAXED);
}

static struct disk *disk_of(struct blk_node *n)
{
    return *(struct disk **)n->s;
}

static int d_preadv(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    struct disk *d = disk_of(n);
    int r = fails(d);
    for (int i = 0; !r && i < niov; off += iov[i++].iov_len) {
        uint64_t have = off < MAX_IMG ? MIN(iov[i].iov_len, MAX_IMG - off) : 0;
        memset(iov[i].iov_base, 0, iov[i].iov_len);
        memcpy(iov[i].iov_base, d->now + (have ? off : 0), have);
    }
    return r;
}

static int d_pwritev(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    struct disk *d = disk_of(n);
    int r = fails(d);
    uint64_t total = blk_iov_bytes(iov, niov), limit = r ? rnd(total + 1) / SECTOR * SECTOR : total; /* failed: short */
    for (int i = 0; i < niov && limit; i++) {
        uint64_t len = MIN(iov[i].iov_len, limit);
        put(d, n, off, iov[i].iov_base, len);
        off += len;
        limit -= len;
    }
    return r;
}

static int d_flush(struct blk_node *n)
{
    struct disk *d = disk_of(n);
    int r = fails(d);
    if (r || !d->log) return r;
    for (uint32_t i = 0; i < d->np; i++) {
        struct pend *p = &d->p[i];
        if (p->data) memcpy(d->stable + p->off, p->data, p->len); else memset(d->stable + p->off, 0, p->len);
        free(p->data);
    }
    d->np = 0;
    d->stable_size = d->size;
    return 0;
}

static int d_zero(struct blk_node *n, uint64_t off, uint64_t bytes, unsigned flags)
{
    int r = fails(disk_of(n));
    if (!r) put(disk_of(n), n, off, NULL, bytes);
    return r;
}

static int d_discard(struct blk_node *n, uint64_t off, uint64_t bytes)
{
    struct disk *d = disk_of(n);
    if (off >= d->size) return 0;
    return d_zero(n, off, MIN(bytes, d->size - off), 0); /* worse than a real one: it always loses the data */
}

static int d_close(struct blk_node *n)
{
    return 0;
}

static const struct blk_driver disk_driver = {
    .name = "test", .is_protocol = true, .close = d_close, .preadv = d_preadv, .pwritev = d_pwritev, .flush = d_flush, .zero = d_zero,
    .discard = d_discard,
};

static struct disk *disk_new(void)
{
    struct disk *d = calloc(1, sizeof *d);
    d->now = calloc(1, MAX_IMG);
    d->fail_in = -1;
    return d;
}

static void disk_free(struct disk *d)
{
    for (uint32_t i = 0; i < d->np; i++) free(d->p[i].data);
    for (unsigned i = 0; i < d->crashes; i++) free(d->crash[i].img);
    free(d->p), free(d->now), free(d->stable), free(d);
}

static void disk_log(struct disk *d)
{
    d->log = true;
    d->stable = calloc(1, MAX_IMG);
    memcpy(d->stable, d->now, d->size);
    d->stable_size = d->size;
}

/* A node over the disk, out of one of a driver that there is. */
static struct blk_node *disk_node(struct blk_graph *g, struct disk *d, const char *name)
{
    struct json_object *o = blk_opts_parse("driver=null-co", NULL, NULL);
    json_object_object_add(o, "node-name", json_object_new_string(name));
    struct blk_node *n = blk_node_open(g, o, BLK_RDWR | BLK_UNMAP, NULL);
    assert_non_null(n);
    free(n->s);
    n->s = malloc(sizeof(struct disk *));
    *(struct disk **)n->s = d;
    n->drv = &disk_driver;
    n->size = d->size;
    return n;
}

/* --- images ------------------------------------------------------------------------------------------------------------------------------ */

struct shape {
    const char *opts;  /* of creation */
    const char *open;  /* of opening */
    uint64_t size, cs;
    bool base, v2;
};
static const struct shape shapes[] = {
    { "cluster_size=64k", "", 5000 * SECTOR, 65536, false, false },
    { "cluster_size=64k", "", 5000 * SECTOR, 65536, true, false },
    { "cluster_size=512", "", 3001 * SECTOR, 512, true, false },
    { "cluster_size=512,refcount_bits=64", ",refcount-cache-size=1", 4001 * SECTOR, 512, false, false },
    { "cluster_size=4k,refcount_bits=1", "", 5003 * SECTOR, 4096, true, false },
    { "cluster_size=4k,refcount_bits=2", ",l2-cache-size=1", 5003 * SECTOR, 4096, true, false },
    { "cluster_size=2k,refcount_bits=8", ",l2-cache-size=1", 5003 * SECTOR, 2048, true, false },
    { "cluster_size=8k,refcount_bits=32", ",l2-cache-size=1", 5003 * SECTOR, 8192, true, false },
    { "cluster_size=4k,compat=0.10", "", 5003 * SECTOR, 4096, false, true },
    { "cluster_size=4k,compat=0.10", "", 5003 * SECTOR, 4096, true, true },
    { "cluster_size=16k,extended_l2=on", "", 5003 * SECTOR, 16384, false, false },
    { "cluster_size=16k,extended_l2=on", "", 5003 * SECTOR, 16384, true, false },
    { "cluster_size=4k,lazy_refcounts=on", "", 5003 * SECTOR, 4096, true, false },
    { "cluster_size=4k,compression_type=zstd", "", 5003 * SECTOR, 4096, true, false },
    { "cluster_size=4k,preallocation=metadata", "", 2003 * SECTOR, 4096, false, false },
};

struct sim {
    struct blk_graph *g;
    const struct shape *sh;
    struct disk *d, *base;
    struct blk *b;
    uint64_t nsec;
    /* per sector, what it may hold: since the last flush; what it may hold now is from `from` on (more than one after a failure) */
    struct hist { uint32_t *id, n, cap, from; } *hist;
    uint32_t next_id;
};

/* Contents of a sector: told apart by what wrote it. 0 = zeros. */
static void stamp(uint8_t *buf, uint64_t sec, uint32_t id)
{
    memset(buf, 0, SECTOR);
    if (!id) return;
    for (unsigned i = 0; i < SECTOR; i += 8) {
        memcpy(buf + i, &id, 4);
        uint32_t s = (uint32_t)sec * 2654435761u + i / 64;
        memcpy(buf + i + 4, &s, 4);
    }
}

static void may(struct sim *s, uint64_t sec, uint32_t id)
{
    struct hist *h = &s->hist[sec];
    h->id = vec_grow(h->id, &h->cap, h->n + 1, sizeof *h->id);
    h->id[h->n++] = id;
}

static void settle(struct sim *s, bool known)
{
    for (uint64_t i = 0; known && i < s->nsec; i++) {
        struct hist *h = &s->hist[i];
        memmove(h->id, h->id + h->from, (h->n - h->from) * sizeof *h->id);
        h->n -= h->from;
        h->from = 0;
    }
}

static struct blk *open_image(struct blk_graph *g, const struct shape *sh, struct disk *d, struct disk *base, unsigned flags, struct err *e)
{
    char text[256];
    struct blk_node *f = disk_node(g, d, "f"), *b = base ? disk_node(g, base, "b") : NULL;
    snprintf(text, sizeof text, "driver=qcow2,file=f%s%s", base ? ",backing=b" : "", sh->open);
    struct json_object *o = blk_opts_parse(text, NULL, e);
    struct blk_node *n = blk_node_open(g, o, flags | BLK_UNMAP, e);
    blk_node_unref(f, NULL);
    blk_node_unref(b, NULL);
    return n ? blk_new(g, NULL, n, flags, e) : NULL;
}

static void reopen(struct sim *s)
{
    struct err e = { 0 };
    if (s->b) assert_int_equal(blk_free(s->b, &e), 0);
    s->b = open_image(s->g, s->sh, s->d, s->base, BLK_RDWR, &e);
    if (!s->b) print_error("%s: %s\n", s->sh->opts, e.msg);
    assert_non_null(s->b);
}

static void say(void *ctx, const char *line)
{
    print_error("    %s\n", line);
}

static void check(struct sim *s, struct blk *b, bool leaks_too, const char *when)
{
    struct blk_check c = { 0 };
    struct blk_node *n = blk_node_of(b);
    assert_int_equal(n->drv->check(n, &c, 0, NULL), 0);
    if (c.corruptions || c.check_errors || (leaks_too && c.leaks)) {
        print_error("%s: %s: %d corruptions, %d leaks\n", s->sh->opts, when, (int)c.corruptions, (int)c.leaks);
        c = (struct blk_check){ .say = say };
        n->drv->check(n, &c, 0, NULL);
        fail();
    }
}

/* Every sector holds something that it may hold; and from now on it is that. */
static void verify(struct sim *s, struct blk *b, const char *when)
{
    uint8_t *buf = malloc(s->nsec * SECTOR), want[SECTOR];
    assert_int_equal(blk_pread(b, 0, buf, s->nsec * SECTOR), 0);
    for (uint64_t i = 0; i < s->nsec; i++) {
        struct hist *h = &s->hist[i];
        uint32_t k = h->n;
        while (k) {
            stamp(want, i, h->id[--k]);
            if (!memcmp(want, buf + i * SECTOR, SECTOR)) goto ok;
        }
        uint32_t is;
        memcpy(&is, buf + i * SECTOR, 4);
        print_error("%s: %s: sector %d has %u, wants one of %u, last %u\n", s->sh->opts, when, (int)i, is, h->n, h->id[h->n - 1]);
        fail();
ok:;
    }
    free(buf);
}

static void sim_start(struct sim *s, const struct shape *sh, uint64_t seed)
{
    char path[] = "/tmp/lyre-qcow2-XXXXXX", num[32];
    struct err e = { 0 };
    rnd_state = seed * 0x9e3779b97f4a7c15u + 1;
    *s = (struct sim){ .g = blk_graph_new(), .sh = sh, .d = disk_new(), .nsec = sh->size / SECTOR, .next_id = 1 };
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    struct json_object *o = blk_opts_parse(sh->opts, NULL, NULL);
    snprintf(num, sizeof num, "%llu", (unsigned long long)sh->size);
    json_object_object_add(o, "size", json_object_new_string(num));
    if (blk_driver_find("qcow2")->create(s->g, path, o, &e)) print_error("%s: %s\n", sh->opts, e.msg);
    assert_int_equal(e.code, 0);
    json_object_put(o);
    ssize_t n = pread(fd, s->d->now, MAX_IMG, 0);
    assert_true(n > 0 && n < MAX_IMG);
    s->d->size = (uint64_t)n;
    close(fd);
    unlink(path);
    s->hist = calloc(s->nsec, sizeof *s->hist);
    if (sh->base) s->base = disk_new(), s->base->size = (s->nsec - 777) * SECTOR; /* shorter than the image */
    for (uint64_t i = 0; i < s->nsec; i++) {
        bool in = s->base && i < s->nsec - 777 && i / 100 % 3;
        if (in) stamp(s->base->now + i * SECTOR, i, UINT32_MAX);
        may(s, i, in ? UINT32_MAX : 0);
    }
    reopen(s);
}

static void sim_end(struct sim *s)
{
    for (uint64_t i = 0; i < s->nsec; i++) free(s->hist[i].id);
    free(s->hist);
    blk_graph_free(s->g);
    disk_free(s->d);
    if (s->base) disk_free(s->base);
}

/* --- operations ------------------------------------------------------------------------------------------------------------------------------ */

static int op_write(struct sim *s, uint64_t sec, uint64_t n, unsigned flags)
{
    uint8_t *buf = calloc(n, SECTOR);
    uint32_t id = s->next_id++;
    for (uint64_t i = 0; i < n; i++) stamp(buf + i * SECTOR, sec + i, id), may(s, sec + i, id);
    int r = blk_pwrite(s->b, sec * SECTOR, buf, n * SECTOR, flags);
    for (uint64_t i = 0; !r && i < n; i++) s->hist[sec + i].from = s->hist[sec + i].n - 1;
    free(buf);
    return r;
}

static int op_zero(struct sim *s, uint64_t sec, uint64_t n, bool discard)
{
    for (uint64_t i = 0; i < n; i++) may(s, sec + i, 0);
    int r = discard ? blk_discard_sync(s->b, sec * SECTOR, n * SECTOR) : blk_zero_sync(s->b, sec * SECTOR, n * SECTOR, rnd(2) ? BLK_MAY_UNMAP : 0);
    uint8_t now[SECTOR] = { 0 }, zero[SECTOR] = { 0 };
    for (uint64_t i = 0; !r && i < n; i++) {
        struct hist *h = &s->hist[sec + i];
        if (!discard) {
            h->from = h->n - 1;
        } else if (!blk_pread(s->b, (sec + i) * SECTOR, now, SECTOR) && !memcmp(now, zero, SECTOR)) {
            h->from = h->n - 1;
        } else if (h->n - 2 >= h->from) { /* it may do less than was asked: what there was counts too */
            may(s, sec + i, h->id[h->n - 2]);
        }
    }
    return r;
}

static int random_op(struct sim *s)
{
    uint64_t sec = rnd(s->nsec), n = 1 + rnd(rnd(4) ? 40 : 300), per = s->sh->cs / SECTOR;
    n = MIN(n, s->nsec - sec);
    switch (rnd(10)) {
    case 0: return op_zero(s, sec, n, false);
    case 1: return op_zero(s, sec, n, true);
    case 2:
        sec = sec / per * per;
        n = per * (1 + rnd(3));
        n = MIN(n, s->nsec - sec);
        return op_write(s, sec, n, BLK_COMPRESS);
    case 3:
        sec = sec / per * per;
        n = per * (1 + rnd(4));
        n = MIN(n, s->nsec - sec);
        return op_zero(s, sec, n, rnd(2));
    default: return op_write(s, sec, n, 0);
    }
}

/* Random operations and snapshots without failures. */
struct kept {
    char name[16];
    uint32_t *id;
};

static void snapshot_op(struct sim *s, struct kept *k, unsigned *n, unsigned *made)
{
    struct blk_node *node = blk_node_of(s->b);
    struct err e = { 0 };
    if (*n < 3 && rnd(2)) {
        struct blk_snapshot sn = { 0 };
        snprintf(sn.name, sizeof sn.name, "s%u", (*made)++);
        int r = node->drv->snap_create(node, &sn, &e);
        if (r == -EMLINK) return; /* refcounts of one bit */
        assert_int_equal(r, 0);
        strcpy(k[*n].name, sn.name);
        k[*n].id = malloc(s->nsec * sizeof(uint32_t));
        for (uint64_t i = 0; i < s->nsec; i++) k[*n].id[i] = s->hist[i].id[s->hist[i].n - 1];
        ++*n;
    } else if (*n) {
        unsigned i = (unsigned)rnd(*n);
        int r;
        if (rnd(2)) {
            r = node->drv->snap_apply(node, k[i].name, &e);
            if (r == -EMLINK) return;
            assert_int_equal(r, 0);
            for (uint64_t j = 0; j < s->nsec; j++) s->hist[j].n = s->hist[j].from = 0, may(s, j, k[i].id[j]);
        } else {
            assert_int_equal(node->drv->snap_delete(node, k[i].name, &e), 0);
            free(k[i].id);
            k[i] = k[--*n];
        }
    }
}

static void test_random(void **state)
{
    for (unsigned i = 0; i < ARRAY_LEN(shapes); i++) {
        struct sim s;
        struct kept kept[3];
        unsigned n = 0, made = 0;
        sim_start(&s, &shapes[i], 7 + i);
        for (unsigned op = 0; op < 250; op++) {
            assert_int_equal(random_op(&s), 0);
            settle(&s, true);
            if (rnd(12) == 0) snapshot_op(&s, kept, &n, &made);
            if (rnd(10) == 0) assert_int_equal(blk_flush_sync(s.b), 0);
            if (rnd(25) == 0) {
                verify(&s, s.b, "random");
                reopen(&s);
                verify(&s, s.b, "reopened");
            }
        }
        assert_int_equal(blk_flush_sync(s.b), 0);
        check(&s, s.b, true, "random");
        while (n) free(kept[--n].id);
        sim_end(&s);
    }
}

/* Every corruption but a wrong "copied" flag, which may lag behind while snapshots are made (it costs a copy, or is not looked at). */
static void count_bad(void *ctx, const char *line)
{
    if (!strncmp(line, "ERROR", 5) && !strstr(line, "OFLAG_COPIED")) {
        print_error("    %s\n", line);
        ++*(unsigned *)ctx;
    }
}

/* What a crash left is opened, checked, read. */
static void look_at_crashes(struct sim *s)
{
    for (; s->d->crashes; s->d->crashes--) {
        struct disk *d = disk_new();
        struct blk_graph *g = blk_graph_new();
        struct err e = { 0 };
        free(d->now);
        d->now = s->d->crash[s->d->crashes - 1].img;
        d->size = s->d->crash[s->d->crashes - 1].size;
        /* dirty images are repaired when they are opened to be written */
        struct blk *b = open_image(g, s->sh, d, s->base, BLK_RDWR, &e);
        if (!b) print_error("%s: after a crash: %s\n", s->sh->opts, e.msg);
        assert_non_null(b);
        unsigned bad = 0;
        struct blk_check c = { .say = count_bad, .ctx = &bad };
        struct blk_node *n = blk_node_of(b);
        uint8_t buf[SECTOR] = { 1 };
        assert_int_equal(n->drv->check(n, &c, 0, &e), 0);
        if (bad) print_error("%s: after a crash: %u corruptions\n", s->sh->opts, bad);
        assert_int_equal(bad, 0);
        verify(s, b, "after a crash");
        c = (struct blk_check){ 0 };
        assert_int_equal(n->drv->check(n, &c, BLK_FIX_LEAKS | BLK_FIX_ERRORS, &e), 0);
        check(s, b, true, "after a crash and repair");
        verify(s, b, "after a crash and repair");
        assert_int_equal(blk_pwrite(b, 0, buf, SECTOR, 0), 0);
        assert_int_equal(blk_free(b, &e), 0);
        blk_graph_free(g);
        disk_free(d);
    }
}

static void test_crash(void **state)
{
    for (unsigned i = 0; i < ARRAY_LEN(shapes); i++) {
        struct sim s;
        sim_start(&s, &shapes[i], 100 + i);
        /* so that the refcount table gets too short while it counts */
        for (uint64_t at = 0; shapes[i].cs == 512 && !shapes[i].base && at < 3700; at += 100) assert_int_equal(op_write(&s, at, 100, 0), 0);
        assert_int_equal(blk_flush_sync(s.b), 0);
        settle(&s, true);
        disk_log(s.d);
        s.d->crash_odds = 5;
        for (unsigned op = 0, snaps = 0; op < 120; op++) {
            struct blk_snapshot sn = { .name = "x" };
            struct blk_node *n = blk_node_of(s.b);
            bool flushed = false;
            switch (rnd(12)) {
            case 0: case 1: flushed = true; assert_int_equal(blk_flush_sync(s.b), 0); break;
            case 2:
                if (snaps < 2 && !n->drv->snap_create(n, &sn, NULL)) snaps++;
                break;
            case 3:
                if (snaps && rnd(2)) assert_int_equal(n->drv->snap_delete(n, "x", NULL), 0), snaps--;
                break;
            default: assert_int_equal(random_op(&s), 0);
            }
            look_at_crashes(&s);
            settle(&s, flushed);
        }
        s.d->crash_odds = 3;
        assert_int_equal(blk_free(s.b, NULL), 0);
        s.b = NULL;
        look_at_crashes(&s);
        sim_end(&s);
    }
}

/* The n-th access fails, or all from then on. */
static bool fail_nth(const struct shape *sh, int64_t nth, int with, bool on)
{
    struct sim s;
    struct blk_snapshot sn = { .name = "x" };
    sim_start(&s, sh, 55);
    s.d->fail_in = nth;
    s.d->fail_with = with;
    unsigned before = s.d->accesses;
    for (unsigned op = 0; op < 24; op++) {
        struct blk_node *n = blk_node_of(s.b);
        if (on && s.d->fail_in < 0) s.d->fail_in = 0;
        int r = 0;
        if (op == 12)
            n->drv->snap_create(n, &sn, NULL);
        else if (op == 20)
            n->drv->snap_delete(n, "x", NULL);
        else if (op % 6 == 5)
            r = blk_flush_sync(s.b), settle(&s, !r);
        else
            random_op(&s);
    }
    bool hit = s.d->fail_in < 0;
    blk_free(s.b, NULL);
    s.b = NULL;
    s.d->fail_in = -1;
    (void)before;
    struct err e = { 0 };
    struct blk *b = open_image(s.g, sh, s.d, s.base, BLK_RDWR | BLK_CHECK, &e);
    if (!b) print_error("%s: after access %d failed: %s\n", sh->opts, (int)nth, e.msg);
    assert_non_null(b);
    struct blk_node *node = blk_node_of(b);
    struct blk_check c = { 0 };
    assert_int_equal(node->drv->check(node, &c, BLK_FIX_LEAKS | BLK_FIX_ERRORS, &e), 0);
    check(&s, b, true, "after a failure and repair");
    verify(&s, b, "after a failure");
    assert_int_equal(blk_free(b, NULL), 0);
    sim_end(&s);
    return hit;
}

static void test_failures(void **state)
{
    static const unsigned use[] = { 1, 5, 11, 12 };
    for (unsigned i = 0; i < ARRAY_LEN(use); i++) {
        int64_t n = 0;
        while (fail_nth(&shapes[use[i]], n, n % 2 ? EIO : ENOSPC, n % 3 == 2)) n++;
        assert_true(n > 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random), cmocka_unit_test(test_crash), cmocka_unit_test(test_failures) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
