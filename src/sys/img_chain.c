/* img_chain.c: lyre-img rebase, commit: overlays and their backing files; bench. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>
#include "sys/img.h"

enum { CHUNK = 1 << 20 };

static void combine(char *out, size_t n, const char *base, const char *name)
{
    const char *slash = strrchr(base, '/');
    if (!slash || *name == '/' || strchr(name, ':'))
        snprintf(out, n, "%s", name);
    else
        snprintf(out, n, "%.*s/%s", (int)(slash - base), base, name);
}

/* Reads a disk that may be shorter (or not there): zeros beyond. */
static int read_padded(struct blk_node *n, uint64_t at, uint8_t *buf, size_t len)
{
    uint64_t size = n ? blk_node_size(n) : 0;
    size_t have = at < size ? (size_t)MIN((uint64_t)len, size - at) : 0;
    memset(buf + have, 0, len - have);
    return have ? blk_node_pread(n, at, buf, have) : 0;
}

/* Where the old and the new backing file differ, what was seen through comes into the overlay. */
static int keep_contents(struct img *m, struct blk *b, struct blk *new_base)
{
    struct blk_node *n = blk_node_of(b);
    uint64_t size = blk_size(b), unit = MAX(n->cluster_size, 4096u);
    uint8_t *a = xalloc(CHUNK), *z = xalloc(CHUNK);
    int r = 0;
    for (uint64_t at = 0, len; !r && at < size; at += len) {
        struct blk_range g;
        len = MIN(size - at, (uint64_t)CHUNK);
        if ((r = blk_node_status(n, at, len, &g))) break;
        len = g.bytes;
        if (!(g.st & BLK_ST_ALLOCATED)) {
            r = read_padded(n->backing, at, a, (size_t)len);
            if (!r) r = read_padded(new_base ? blk_node_of(new_base) : NULL, at, z, (size_t)len);
            for (uint64_t i = 0, step; !r && i < len; i += step) {
                step = MIN(len - i, unit - (at + i) % unit);
                if (memcmp(a + i, z + i, (size_t)step)) r = blk_pwrite(b, at + i, a + i, (size_t)step, 0);
            }
        }
        img_progress(m, (double)(at + len) * 100 / (double)size);
    }
    free(a);
    free(z);
    return r ? img_error(m, "error while copying from the old backing file: %s", strerror(-r)) : 0;
}

int img_rebase(struct img *m, int argc, char **argv)
{
    bool unsafe = false;
    const char *base = NULL, *base_fmt = NULL;
    char path[4096];
    for (int c; (c = getopt_long(argc, argv, ":hf:F:b:upt:T:qU", img_long, NULL)) != -1;) {
        if (c == 'u') unsafe = true;
        else if (c == 'b') base = optarg;
        else if (c == 'F') base_fmt = optarg;
        else if (!img_common(m, c, optarg)) return img_usage(m, "rebase: unrecognized option");
    }
    if (m->quiet) m->progress = false;
    if (optind != argc - 1) return img_usage(m, "Expecting one image file name");
    if (!base) return img_usage(m, "Must specify backing file (-b) or use simple rebase mode (-u)");
    struct blk *b = img_open(m, argv[optind], m->fmt, m->cache, m->image_opts, BLK_RDWR | (unsafe ? BLK_NO_BACKING : 0)), *nb = NULL;
    if (!b) return 1;
    struct blk_node *n = blk_node_of(b);
    struct err e = { 0 };
    int r = 0;
    if (!n->drv->set_backing) r = img_error(m, "Could not change the backing file to '%s': the format has none", base);
    if (!r && *base && !base_fmt && !unsafe) {
        combine(path, sizeof path, argv[optind], base);
        nb = img_open(m, path, NULL, m->src_cache, false, BLK_NO_LOCK);
        if (nb) base_fmt = blk_node_of(nb)->drv->name;
        r = nb ? 0 : 1;
    } else if (!r && *base && !unsafe) {
        combine(path, sizeof path, argv[optind], base);
        nb = img_open(m, path, base_fmt, m->src_cache, false, BLK_NO_LOCK);
        r = nb ? 0 : 1;
    }
    if (!r && !unsafe) {
        img_progress(m, 0);
        r = keep_contents(m, b, nb);
        if (!r) img_progress_end(m);
    }
    if (!r && n->drv->set_backing(n, *base ? base : NULL, base_fmt, &e)) r = img_error(m, "Could not change the backing file to '%s': %s", base, e.msg);
    if (nb) img_close(m, nb, 0);
    return img_close(m, b, r);
}

/* What the layers above `base` hold, into b. */
static int pour(struct img *m, struct blk_node *top, struct blk_node *base, struct blk *b)
{
    uint64_t size = blk_node_size(top);
    unsigned depth;
    uint8_t *buf = xalloc(CHUNK);
    int r = 0;
    for (uint64_t at = 0, len; !r && at < size; at += len) {
        struct blk_range g;
        len = MIN(size - at, (uint64_t)CHUNK);
        if ((r = img_status(top, base, at, len, &g, &depth))) break;
        len = g.bytes;
        if (g.st & BLK_ST_ZERO) {
            r = blk_zero_sync(b, at, len, BLK_MAY_UNMAP);
        } else if (g.st & BLK_ST_DATA) {
            r = blk_node_pread(top, at, buf, (size_t)len);
            if (!r) r = blk_pwrite(b, at, buf, (size_t)len, 0);
        }
        img_progress(m, (double)(at + len) * 100 / (double)size);
    }
    free(buf);
    return r ? r : blk_flush_sync(b);
}

int img_commit(struct img *m, int argc, char **argv)
{
    bool keep = false;
    const char *base = NULL;
    char path[4096], fmt[64] = "";
    for (int c; (c = getopt_long(argc, argv, ":f:ht:b:dpqr:", img_long, NULL)) != -1;) {
        if (c == 'b') base = optarg, keep = true;
        else if (c == 'd') keep = true;
        else if (c != 'r' && !img_common(m, c, optarg)) return img_usage(m, "commit: unrecognized option");
    }
    if (m->quiet) m->progress = false;
    if (optind != argc - 1) return img_usage(m, "Expecting one image file name");
    /* the chain for reading, without locks; then the file that is written, with */
    struct blk *chain = img_open(m, argv[optind], m->fmt, NULL, m->image_opts, BLK_NO_LOCK), *b = NULL, *top = NULL;
    if (!chain) return 1;
    struct blk_node *n = blk_node_of(chain), *to = n->backing;
    const char *top_fmt = n->drv->name;
    struct err e = { 0 };
    int r = 0, k;
    while (base && to && (!to->filename || strcmp(to->filename, base))) {
        combine(path, sizeof path, argv[optind], base);
        if (to->filename && !strcmp(to->filename, path)) break;
        to = to->backing;
    }
    if (!to) r = base ? img_error(m, "Did not find '%s' in the backing chain of '%s'", base, argv[optind]) : img_error(m, "Image does not have a backing file");
    if (!r) {
        snprintf(path, sizeof path, "%s", to->filename ? to->filename : "");
        snprintf(fmt, sizeof fmt, "%s", to->drv->name);
        b = img_open(m, path, fmt, m->cache, false, BLK_RDWR | BLK_UNMAP | BLK_RESIZE);
        if (!keep && b) top = img_open(m, argv[optind], m->image_opts ? m->fmt : top_fmt, m->cache, m->image_opts, BLK_RDWR | BLK_NO_BACKING);
        if (!b || (!keep && !top)) r = 1;
    }
    if (!r && blk_size(b) < blk_node_size(n) && (k = blk_resize(b, blk_node_size(n), &e))) r = img_error(m, "%s", e.msg);
    if (!r) img_progress(m, 0);
    if (!r && (k = pour(m, n, to, b))) r = img_error(m, "Block job failed: %s", strerror(-k));
    if (!r) img_progress_end(m);
    if (b) r = img_close(m, b, r);
    if (!r && top && blk_node_of(top)->drv->make_empty && blk_node_of(top)->drv->make_empty(blk_node_of(top), &e)) r = img_error(m, "%s", e.msg);
    if (!r && !m->quiet) printf("Image committed.\n");
    if (top) r = img_close(m, top, r);
    return img_close(m, chain, r);
}

/* --- bench --------------------------------------------------------------------------------------------------------------------------- */

struct bench {
    struct blk *b;
    uint64_t left, at, step, size, flush_every, since_flush;
    unsigned busy;
    bool write;
    int ret;
};
struct slot {
    struct bench *k;
    struct iovec iov;
};

static void bench_next(struct slot *s);

static void bench_done(void *ctx, int ret)
{
    struct slot *s = ctx;
    s->k->busy--;
    if (ret && !s->k->ret) s->k->ret = ret;
    bench_next(s);
}

static void bench_next(struct slot *s)
{
    struct bench *k = s->k;
    if (k->ret || !k->left) return;
    k->busy++;
    if (k->flush_every && k->since_flush == k->flush_every) {
        k->since_flush = 0;
        blk_flush(k->b, bench_done, s);
        return;
    }
    k->left--;
    k->since_flush++;
    if (k->at + s->iov.iov_len > k->size) k->at = 0;
    uint64_t at = k->at;
    k->at += k->step;
    if (k->write)
        blk_writev(k->b, at, &s->iov, 1, 0, bench_done, s);
    else
        blk_readv(k->b, at, &s->iov, 1, 0, bench_done, s);
}

int img_bench(struct img *m, int argc, char **argv)
{
    uint64_t count = 75000, depth = 64, offset = 0, pattern = 0, bytes = 4096, step = 0, flush_every = 0;
    struct bench k = { 0 };
    const char *aio = "";
    for (int c; (c = getopt_long(argc, argv, ":hc:d:f:ni:o:qs:S:t:wU", img_long, NULL)) != -1;) {
        uint64_t *v = c == 'c' ? &count : c == 'd' ? &depth : c == 'o' ? &offset : c == 's' ? &bytes : c == 'S' ? &step :
                      c == OPT_PATTERN ? &pattern : c == OPT_FLUSH_INTERVAL ? &flush_every : NULL;
        if (v) {
            if (img_parse_size(m, optarg, "number", v)) return 1;
        } else if (c == 'w') {
            k.write = true;
        } else if (c == 'i') {
            aio = optarg;
        } else if (c == 'n') {
            aio = "io_uring";
        } else if (c != OPT_NO_DRAIN && !img_common(m, c, optarg)) {
            return img_usage(m, "bench: unrecognized option");
        }
    }
    if (optind != argc - 1) return img_usage(m, "Expecting one image file name");
    if (!depth || depth > 4096 || !bytes || bytes > 64 << 20 || pattern > 255) return img_error(m, "Invalid number specified");
    k.b = img_open(m, argv[optind], m->fmt, m->cache, m->image_opts, (k.write ? BLK_RDWR : 0) | (!strcmp(aio, "threads") ? BLK_AIO_THREADS : 0));
    if (!k.b) return 1;
    k.size = blk_size(k.b);
    k.left = count, k.at = offset, k.step = step ? step : bytes, k.flush_every = flush_every;
    if (offset > k.size || bytes > k.size) return img_close(m, k.b, img_error(m, "the image is smaller than a request"));
    if (!m->quiet) printf("Sending %" PRIu64 " %s requests, %" PRIu64 " bytes each, %" PRIu64 " in parallel (starting at offset %" PRIu64 ", step size %" PRIu64 ")\n",
                          count, k.write ? "write" : "read", bytes, depth, offset, k.step);
    struct slot *s = xalloc(depth * sizeof *s);
    uint8_t *mem = NULL;
    int r = posix_memalign((void **)&mem, 4096, depth * ALIGN_UP(bytes, 4096u)) ? -ENOMEM : 0;
    struct timespec t0, t1;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    if (!r) memset(mem, (int)pattern, depth * ALIGN_UP(bytes, 4096u));
    for (uint64_t i = 0; !r && i < depth; i++) {
        s[i] = (struct slot){ &k, { mem + i * ALIGN_UP(bytes, 4096u), bytes } };
        bench_next(&s[i]);
    }
    blk_drain(k.b);
    clock_gettime(CLOCK_MONOTONIC, &t1);
    if (!r) r = k.ret;
    if (r) r = img_error(m, "Failed request: %s", strerror(-r));
    double sec = (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
    if (!r && !m->quiet) printf("Run completed in %3.3f seconds.\n", sec);
    free(mem);
    free(s);
    return img_close(m, k.b, r);
}
