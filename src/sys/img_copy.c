/*
 * img_copy.c: lyre-img convert, dd. Several threads read at once; unless -W says otherwise they write in the order of the source, so
 * that a target that allocates is in order too. Compression runs in all of them.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <pthread.h>
#include <stdlib.h>
#include "sys/img.h"

enum { CHUNK = 2 << 20, MAX_SRC = 64, MAX_THREADS = 16 };

struct conv {
    struct img *m;
    struct blk *src[MAX_SRC], *dst;
    uint64_t base[MAX_SRC], total, at;
    unsigned nsrc, threads;
    const char *name[MAX_SRC], *dst_name;
    bool compress, zeroed, backed, salvage, any_order;
    uint64_t sparse; /* so many zeros in a row are not written; 0 = all are */
    pthread_mutex_t lock;
    pthread_cond_t turn;
    uint64_t next_seq, write_seq;
    int ret;
};

enum kind { K_ZERO, K_DATA, K_BACKING };

/* What is at `at`, up to *len bytes of one source. */
static int look(struct conv *c, uint64_t at, uint64_t *len, enum kind *k, unsigned *which)
{
    unsigned i = 0, depth;
    while (i + 1 < c->nsrc && at >= c->base[i + 1]) i++;
    struct blk *b = c->src[i];
    uint64_t off = at - c->base[i], size = blk_size(b);
    struct blk_range g;
    *which = i;
    *len = MIN(*len, size - off);
    if (!c->sparse) {
        *k = K_DATA;
        return 0;
    }
    int r = c->backed ? blk_node_status(blk_node_of(b), off, *len, &g) : img_status(blk_node_of(b), NULL, off, *len, &g, &depth);
    if (r) return r;
    *len = g.bytes;
    *k = g.st & BLK_ST_ZERO ? K_ZERO : g.st & BLK_ST_DATA || !c->backed ? K_DATA : K_BACKING;
    return 0;
}

/* The same for whole clusters of the target: zero only if all of it is. */
static int look_whole(struct conv *c, uint64_t at, uint64_t unit, uint64_t *len, enum kind *k, unsigned *which)
{
    uint64_t want = MIN(unit, c->total - at), got = 0;
    *k = K_ZERO;
    while (got < want) {
        uint64_t n = want - got;
        enum kind k1;
        int r = look(c, at + got, &n, &k1, which);
        if (r) return r;
        if (k1 != K_ZERO) *k = K_DATA;
        got += n;
    }
    *len = want;
    return 0;
}

static int read_src(struct conv *c, uint64_t at, uint8_t *buf, uint64_t len)
{
    while (len) {
        unsigned i = 0;
        while (i + 1 < c->nsrc && at >= c->base[i + 1]) i++;
        uint64_t off = at - c->base[i], n = MIN(len, blk_size(c->src[i]) - off);
        int r = blk_pread(c->src[i], off, buf, (size_t)n);
        if (r && c->salvage) {
            if (!c->m->quiet) fprintf(stderr, "%s: warning: error while reading offset %" PRIu64 ": %s\n", c->m->prog, at, strerror(-r));
            memset(buf, 0, (size_t)n);
            r = 0;
        }
        if (r) {
            img_error(c->m, "error while reading at byte %" PRIu64 ": %s", at, strerror(-r));
            return r;
        }
        at += n, buf += n, len -= n;
    }
    return 0;
}

static int write_zero(struct conv *c, uint64_t at, uint64_t len)
{
    return c->zeroed ? 0 : blk_zero_sync(c->dst, at, len, BLK_MAY_UNMAP);
}

/* Data, without runs of zeros that are long enough to be left out. */
static int write_data(struct conv *c, uint64_t at, const uint8_t *buf, uint64_t len)
{
    uint64_t unit = c->sparse, run = 0;
    if (c->compress) return blk_is_zero(buf, (size_t)len) ? write_zero(c, at, len) : blk_pwrite(c->dst, at, buf, (size_t)len, BLK_COMPRESS);
    if (!unit) return blk_pwrite(c->dst, at, buf, (size_t)len, 0);
    for (uint64_t i = 0, step; i < len; i += step) {
        /* pieces end where the target's offsets are aligned */
        step = MIN(len - i, unit - (at + i) % unit);
        bool zero = blk_is_zero(buf + i, (size_t)step);
        int r = 0;
        if (zero || i + step == len) {
            uint64_t n = zero ? i - run : i + step - run;
            if (n) r = blk_pwrite(c->dst, at + run, buf + run, (size_t)n, 0);
            if (!r && zero) r = write_zero(c, at + i, step);
            run = i + step;
        }
        if (r) return r;
    }
    return 0;
}

static int do_chunk(struct conv *c, uint64_t at, uint64_t len, enum kind k, uint64_t seq, uint8_t *buf)
{
    int r = k == K_DATA ? read_src(c, at, buf, len) : 0;
    if (!c->any_order) {
        pthread_mutex_lock(&c->lock);
        while (c->write_seq != seq && !c->ret) pthread_cond_wait(&c->turn, &c->lock);
        pthread_mutex_unlock(&c->lock);
    }
    if (!r && !c->ret && k != K_BACKING) {
        r = k == K_ZERO ? write_zero(c, at, len) : write_data(c, at, buf, len);
        if (r) img_error(c->m, "error while writing at byte %" PRIu64 ": %s", at, strerror(-r));
    }
    return r;
}

static void *worker(void *arg)
{
    struct conv *c = arg;
    uint8_t *buf;
    if (posix_memalign((void **)&buf, 4096, CHUNK)) return NULL;
    uint64_t unit = blk_node_of(c->dst)->cluster_size;
    pthread_mutex_lock(&c->lock);
    while (!c->ret && c->at < c->total) {
        uint64_t at = c->at, len = MIN(c->total - at, CHUNK - at % CHUNK), seq = c->next_seq++;
        enum kind k = K_DATA;
        unsigned which;
        int r = c->compress ? look_whole(c, at, unit, &len, &k, &which) : look(c, at, &len, &k, &which);
        if (r) {
            img_error(c->m, "error while reading block status at offset %" PRIu64 ": %s", at, strerror(-r));
        } else {
            c->at += len;
            pthread_mutex_unlock(&c->lock);
            r = do_chunk(c, at, len, k, seq, buf);
            pthread_mutex_lock(&c->lock);
        }
        if (r && !c->ret) c->ret = r;
        c->write_seq++;
        pthread_cond_broadcast(&c->turn);
        img_progress(c->m, (double)c->at * 100 / (double)c->total);
    }
    pthread_mutex_unlock(&c->lock);
    free(buf);
    return NULL;
}

static int run(struct conv *c)
{
    pthread_t t[MAX_THREADS];
    unsigned n = 0;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->turn, NULL);
    img_progress(c->m, 0);
    while (n + 1 < c->threads && !pthread_create(&t[n], NULL, worker, c)) n++;
    worker(c);
    while (n) pthread_join(t[--n], NULL);
    if (!c->ret && c->at < c->total) c->ret = -ENOMEM;
    if (!c->ret && (c->ret = blk_flush_sync(c->dst))) img_error(c->m, "error while flushing: %s", strerror(-c->ret));
    if (!c->ret) img_progress_end(c->m);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->turn);
    return c->ret ? 1 : 0;
}

/* --- convert ---------------------------------------------------------------------------------------------------------------------- */

struct conv_args {
    const char *text, *base, *base_fmt, *snap;
    bool no_create, target_zero;
};

static int conv_options(struct img *m, struct conv *c, struct conv_args *a, int argc, char **argv)
{
    uint64_t n;
    for (int o; (o = getopt_long(argc, argv, ":hf:O:B:CcF:o:l:S:pt:T:qnm:WUr:", img_long, NULL)) != -1;) {
        switch (o) {
        case 'O': m->out_fmt = optarg; break;
        case 'B': a->base = optarg; break;
        case 'F': a->base_fmt = optarg; break;
        case 'C': case 'r': break;
        case 'c': c->compress = true; break;
        case 'o': a->text = optarg; break;
        case 'l': a->snap = optarg; break;
        case 'n': a->no_create = true; break;
        case 'W': c->any_order = true; break;
        case OPT_SALVAGE: c->salvage = true; break;
        case OPT_TARGET_ZERO: a->target_zero = true; break;
        case 'S':
            if (img_parse_size(m, optarg, "sparse size", &n)) return 1;
            if (n % 512) return img_error(m, "Invalid buffer size for sparse output specified. Valid sizes are multiples of 512 up to 2147483136. "
                                          "Select 0 to disable sparse detection (fully allocates output).");
            c->sparse = n;
            break;
        case 'm':
            c->threads = (unsigned)atoi(optarg);
            if (c->threads < 1 || c->threads > 16) return img_error(m, "Invalid number of coroutines. Allowed number of coroutines is between 1 and 16");
            break;
        default:
            if (!img_common(m, o, optarg)) return img_usage(m, "convert: unrecognized option");
        }
    }
    if (argc - optind < 2) return img_usage(m, "Must specify image file name");
    if (argc - optind - 1 > MAX_SRC) return img_error(m, "at most %d images can be joined", MAX_SRC);
    if (c->compress && !c->sparse) return img_error(m, "-c and -S 0 do not go together");
    if (a->target_zero && !a->no_create) return img_error(m, "--target-is-zero requires use of -n flag");
    return 0;
}

static int load_snapshot(struct img *m, struct blk *b, const char *param)
{
    struct err e = { 0 };
    struct blk_node *n = blk_node_of(b);
    char id[256];
    snprintf(id, sizeof id, "%s", param);
    if (!strncmp(param, "snapshot.", 9)) {
        const char *eq = strchr(param, '=');
        if (eq) snprintf(id, sizeof id, "%.*s", (int)strcspn(eq + 1, ","), eq + 1);
    }
    if (n->drv->snap_show && !n->drv->snap_show(n, id, &e)) return 0;
    return img_error(m, "%s", n->drv->snap_show ? e.msg : "Failed to load snapshot: the format has none");
}

static int make_target(struct conv *c, const struct conv_args *a, const char *fmt)
{
    struct img *m = c->m;
    const struct blk_driver *d = blk_driver_find(fmt);
    struct json_object *o = json_object_new_object();
    struct err e = { 0 };
    char num[32];
    if (!d || !d->create) {
        json_object_put(o);
        return img_error(m, d ? "Format driver '%s' does not support image creation" : "Unknown file format '%s'", fmt);
    }
    int r = img_create_opts(m, fmt, a->text, o);
    if (!r) {
        snprintf(num, sizeof num, "%" PRIu64, ALIGN_UP(c->total, 512u));
        if (!json_object_object_get_ex(o, "size", NULL)) json_object_object_add(o, "size", json_object_new_string(num));
        if (a->base) json_object_object_add(o, "backing_file", json_object_new_string(a->base));
        if (a->base && a->base_fmt) json_object_object_add(o, "backing_fmt", json_object_new_string(a->base_fmt));
        c->backed = json_object_object_get_ex(o, "backing_file", NULL);
        if (c->backed && !json_object_object_get_ex(o, "backing_fmt", NULL)) r = img_error(m, "%s: Backing file specified without backing format", c->dst_name);
        if (!r && d->create(m->g, c->dst_name, o, &e)) r = img_error(m, "%s: error while converting %s: %s", c->dst_name, fmt, e.msg);
    }
    json_object_put(o);
    return r < 0 ? 1 : r;
}

static int open_sources(struct conv *c, const struct conv_args *a, char **argv)
{
    for (unsigned i = 0; i < c->nsrc; i++) {
        c->name[i] = argv[i];
        c->src[i] = img_open(c->m, argv[i], c->m->fmt, c->m->src_cache, c->m->image_opts, 0);
        if (!c->src[i]) return 1;
        if (a->snap && load_snapshot(c->m, c->src[i], a->snap)) return 1;
        c->base[i] = c->total;
        c->total += blk_size(c->src[i]);
    }
    return 0;
}

int img_convert(struct img *m, int argc, char **argv)
{
    struct conv *c = xalloc(sizeof *c);
    struct conv_args a = { 0 };
    *c = (struct conv){ .m = m, .sparse = 4096, .threads = 8 };
    int r = conv_options(m, c, &a, argc, argv);
    if (r) goto out;
    const char *fmt = m->out_fmt ? m->out_fmt : "raw";
    if (a.text && (!strcmp(a.text, "help") || !strcmp(a.text, "?"))) {
        struct json_object *o = json_object_new_object();
        img_create_opts(m, fmt, a.text, o);
        json_object_put(o);
        goto out;
    }
    c->dst_name = argv[argc - 1];
    c->nsrc = (unsigned)(argc - optind - 1);
    r = open_sources(c, &a, argv + optind);
    if (r || (!a.no_create && (r = make_target(c, &a, fmt)))) goto out;
    c->dst = img_open(m, c->dst_name, m->target_image_opts ? NULL : a.no_create && !m->out_fmt ? "raw" : fmt, m->cache ? m->cache : "unsafe",
                      m->target_image_opts, BLK_RDWR | BLK_UNMAP);
    if (!c->dst) {
        r = 1;
        goto out;
    }
    struct blk_node *n = blk_node_of(c->dst);
    c->zeroed = (!a.no_create && !c->backed && !(n->file && n->file->drv == blk_driver_find("host_device"))) || a.target_zero;
    if (a.no_create && n->backing_name) c->backed = true;
    if (a.no_create && blk_size(c->dst) < c->total) r = img_error(m, "output file is smaller than input file");
    if (!r && c->compress && (!n->cluster_size || n->cluster_size > CHUNK || strcmp(n->drv->name, "qcow2")))
        r = img_error(m, "Compression not supported for this file format");
    if (c->compress) c->any_order = true;
    if (!r) r = run(c);
out:
    for (unsigned i = 0; i < c->nsrc; i++)
        if (c->src[i]) img_close(m, c->src[i], 0);
    if (c->dst) r = img_close(m, c->dst, r);
    free(c);
    return r;
}

/* --- dd ---------------------------------------------------------------------------------------------------------------------------------- */

int img_dd(struct img *m, int argc, char **argv)
{
    const char *in = NULL, *out = NULL, *fmt = "raw";
    uint64_t bs = 512, count = UINT64_MAX, skip = 0;
    for (int c; (c = getopt_long(argc, argv, ":hf:O:U", img_long, NULL)) != -1;) {
        if (c == 'O')
            fmt = optarg;
        else if (!img_common(m, c, optarg))
            return img_usage(m, "dd: unrecognized option");
    }
    for (; optind < argc; optind++) {
        char *arg = argv[optind], *v = strchr(arg, '=');
        if (!v) return img_error(m, "Unrecognized operand %s", arg);
        size_t n = (size_t)(v++ - arg);
        if (n == 2 && !memcmp(arg, "if", 2)) in = v;
        else if (n == 2 && !memcmp(arg, "of", 2)) out = v;
        else if (n == 2 && !memcmp(arg, "bs", 2)) { if (blk_parse_size(v, &bs) || !bs || bs > INT32_MAX) return img_error(m, "Invalid number: '%s'", v); }
        else if (n == 5 && !memcmp(arg, "count", 5)) { if (blk_parse_size(v, &count)) return img_error(m, "Invalid number: '%s'", v); }
        else if (n == 4 && !memcmp(arg, "skip", 4)) { if (blk_parse_size(v, &skip)) return img_error(m, "Invalid number: '%s'", v); }
        else return img_error(m, "Unrecognized operand %s", arg);
    }
    if (!in || !out) return img_error(m, "Must specify both input and output file names");
    const struct blk_driver *d = blk_driver_find(fmt);
    if (!d || !d->create) return img_error(m, "Unknown file format '%s'", fmt);
    struct blk *a = img_open(m, in, m->fmt, NULL, m->image_opts, 0), *b = NULL;
    if (!a) return 1;
    uint64_t size = blk_size(a), from = skip > size / bs ? size : skip * bs;
    uint64_t end = count < (size - from + bs - 1) / bs ? from + count * bs : size;
    struct err e = { 0 };
    struct json_object *o = json_object_new_object();
    char num[32];
    int r = 0;
    snprintf(num, sizeof num, "%" PRIu64, end - from);
    json_object_object_add(o, "size", json_object_new_string(num));
    if (d->create(m->g, out, o, &e)) r = img_error(m, "%s: %s", out, e.msg);
    json_object_put(o);
    if (!r && !(b = img_open(m, out, fmt, NULL, false, BLK_RDWR))) r = 1;
    uint8_t *buf = xalloc(CHUNK);
    for (uint64_t at = from; !r && at < end;) {
        size_t n = (size_t)MIN((uint64_t)CHUNK, end - at);
        int k = blk_pread(a, at, buf, n);
        if (k) r = img_error(m, "error while reading from input image file: %s", strerror(-k));
        if (!r && !blk_is_zero(buf, n) && (k = blk_pwrite(b, at - from, buf, n, 0))) r = img_error(m, "error while writing to output image file: %s", strerror(-k));
        at += n;
    }
    free(buf);
    if (b) r = img_close(m, b, r);
    return img_close(m, a, r);
}
