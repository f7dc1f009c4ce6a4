/*
 * img.c: lyre-img (qemu-img): disk images on the command line. Options, output and exit codes are QEMU 7.2's (man qemu-img), as
 * far as scripts look at them. Known gaps: bitmap, encryption (--object secret), rate limits.
 */
#include "sys/img.h"
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include "lyre.h"

#define SPEAKS "7.2.0" /* the version that scripts made for QEMU look for */

const struct option img_long[] = {
    { "object", required_argument, NULL, OPT_OBJECT },
    { "image-opts", no_argument, NULL, OPT_IMAGE_OPTS },
    { "target-image-opts", no_argument, NULL, OPT_TARGET_IMAGE_OPTS },
    { "output", required_argument, NULL, OPT_OUTPUT },
    { "backing-chain", no_argument, NULL, OPT_BACKING_CHAIN },
    { "size", required_argument, NULL, OPT_SIZE },
    { "shrink", no_argument, NULL, OPT_SHRINK },
    { "preallocation", required_argument, NULL, OPT_PREALLOC },
    { "start-offset", required_argument, NULL, OPT_START },
    { "max-length", required_argument, NULL, OPT_MAXLEN },
    { "target-is-zero", no_argument, NULL, OPT_TARGET_ZERO },
    { "salvage", no_argument, NULL, OPT_SALVAGE },
    { "pattern", required_argument, NULL, OPT_PATTERN },
    { "flush-interval", required_argument, NULL, OPT_FLUSH_INTERVAL },
    { "no-drain", no_argument, NULL, OPT_NO_DRAIN },
    { "force", no_argument, NULL, OPT_FORCE },
    { "force-share", no_argument, NULL, 'U' },
    { "bitmaps", no_argument, NULL, OPT_BITMAPS },
    { "help", no_argument, NULL, 'h' },
    { 0 },
};

static const struct {
    const char *name, *usage;
    int (*fn)(struct img *m, int argc, char **argv);
} commands[] = {
    { "amend", "[--image-opts] [-q] [-f fmt] [-t cache] -o options filename", img_amend },
    { "bench", "[-c count] [-d depth] [-f fmt] [--flush-interval=n] [-i aio] [-o offset] [--pattern=byte] [-q] [-s buffer_size] "
               "[-S step_size] [-t cache] [-w] [-U] filename", img_bench },
    { "check", "[--image-opts] [-q] [-f fmt] [--output=ofmt] [-r [leaks | all]] [-T src_cache] [-U] filename", img_check },
    { "commit", "[--image-opts] [-q] [-f fmt] [-t cache] [-b base] [-d] [-p] filename", img_commit },
    { "compare", "[--image-opts] [-f fmt] [-F fmt] [-T src_cache] [-p] [-q] [-s] [-U] filename1 filename2", img_compare },
    { "convert", "[--image-opts] [--target-image-opts] [--target-is-zero] [-U] [-c] [-p] [-q] [-n] [-f fmt] [-t cache] [-T src_cache] "
                 "[-O output_fmt] [-B backing_file [-F backing_fmt]] [-o options] [-l snapshot_param] [-S sparse_size] "
                 "[-m num_coroutines] [-W] [--salvage] filename [filename2 [...]] output_filename", img_convert },
    { "create", "[-q] [-f fmt] [-b backing_file [-F backing_fmt]] [-u] [-o options] filename [size]", img_create },
    { "dd", "[--image-opts] [-U] [-f fmt] [-O output_fmt] [bs=block_size] [count=blocks] [skip=blocks] if=input of=output", img_dd },
    { "info", "[--image-opts] [-f fmt] [--output=ofmt] [--backing-chain] [-U] filename", img_info },
    { "map", "[--image-opts] [-f fmt] [--start-offset=offset] [--max-length=len] [--output=ofmt] [-U] filename", img_map },
    { "measure", "[--output=ofmt] [-O output_fmt] [-o options] [--size N | [--image-opts] [-f fmt] [-l snapshot_param] filename]", img_measure },
    { "rebase", "[--image-opts] [-U] [-q] [-f fmt] [-t cache] [-T src_cache] [-p] [-u] -b backing_file [-F backing_fmt] filename", img_rebase },
    { "resize", "[--image-opts] [-f fmt] [--preallocation=prealloc] [-q] [--shrink] filename [+ | -]size", img_resize },
    { "snapshot", "[--image-opts] [-U] [-q] [-l | -a snapshot | -c snapshot | -d snapshot] filename", img_snapshot },
};

/* --- messages -------------------------------------------------------------------------------------------------------------------- */

int img_error(const struct img *m, const char *fmt, ...)
{
    va_list ap;
    fprintf(stderr, "%s: ", m->prog);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return 1;
}

int img_usage(const struct img *m, const char *what)
{
    fprintf(stderr, "%s: %s\nTry '%s --help' for more information\n", m->prog, what, m->prog);
    return 1;
}

const char *img_size(char *buf, size_t n, uint64_t v)
{
    static const char *const unit[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
    int i;
    frexp((double)v / (1000.0 / 1024.0), &i); /* 1000 and more of a unit are one of the next */
    i = i > 0 ? (i - 1) / 10 : 0;
    snprintf(buf, n, "%0.3g %sB", (double)v / (double)(1ull << (i * 10)), unit[i]);
    return buf;
}

int img_parse_size(const struct img *m, const char *s, const char *what, uint64_t *v)
{
    int r = blk_parse_size(s, v);
    if (r == -ERANGE || (!r && *v > INT64_MAX)) return img_error(m, "Invalid %s specified! Must be between 0 and 9223372036854775807.", what);
    if (r) {
        img_error(m, "Invalid %s specified! You can use k, M, G, T, P or E suffixes for", what);
        return img_error(m, "kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.");
    }
    return 0;
}

void img_progress(struct img *m, double pct)
{
    if (!m->progress || (pct < 100 && pct < m->done_pct + 1 && pct > 0)) return;
    m->done_pct = pct;
    printf("    (%3.2f/100%%)\r", pct);
    fflush(stdout);
}

void img_progress_end(struct img *m)
{
    if (!m->progress) return;
    m->done_pct = 0;
    printf("    (100.00/100%%)\n");
}

/* As QEMU's tools print it: four spaces, and nothing escaped but what must be. */
static void json_out(FILE *f, struct json_object *o, int depth)
{
    const char *sep = "";
    if (json_object_is_type(o, json_type_object)) {
        fputs("{", f);
        json_object_object_foreach(o, key, val) {
            fprintf(f, "%s\n%*s\"%s\": ", sep, depth * 4 + 4, "", key);
            json_out(f, val, depth + 1);
            sep = ",";
        }
        fprintf(f, "\n%*s}", depth * 4, "");
    } else if (json_object_is_type(o, json_type_array)) {
        fputs("[", f);
        for (size_t i = 0; i < json_object_array_length(o); i++) {
            fprintf(f, "%s\n%*s", sep, depth * 4 + 4, "");
            json_out(f, json_object_array_get_idx(o, i), depth + 1);
            sep = ",";
        }
        fprintf(f, "\n%*s]", depth * 4, "");
    } else {
        fputs(json_object_to_json_string_ext(o, JSON_C_TO_STRING_NOSLASHESCAPE), f);
    }
}

void img_json(FILE *f, struct json_object *o)
{
    json_out(f, o, 0);
    fputc('\n', f);
}

/* --- images ------------------------------------------------------------------------------------------------------------------------- */

bool img_common(struct img *m, int c, const char *arg)
{
    switch (c) {
    case 'f': m->fmt = arg; break;
    case 't': m->cache = arg; break;
    case 'T': m->src_cache = arg; break;
    case 'q': m->quiet = true; break;
    case 'p': m->progress = true; break;
    case 'U': m->share = true; break;
    case OPT_IMAGE_OPTS: m->image_opts = true; break;
    case OPT_TARGET_IMAGE_OPTS: m->target_image_opts = true; break;
    case OPT_OUTPUT: m->output = arg; break;
    case OPT_OBJECT: break;
    default: return false;
    }
    return true;
}

struct blk *img_open(struct img *m, const char *name, const char *fmt, const char *cache, bool opts, unsigned flags)
{
    struct err e = { 0 };
    struct blk_node *n = NULL;
    flags |= m->share ? BLK_NO_LOCK : 0;
    if (cache && blk_cache_mode(cache, &flags)) {
        img_error(m, "Invalid cache option: %s", cache);
        return NULL;
    }
    unsigned node_flags = (flags & ~(unsigned)BLK_WRITETHROUGH) | (fmt ? 0 : BLK_PROBE);
    if (opts) {
        struct json_object *o = blk_opts_parse(name, NULL, &e);
        if (o && fmt) {
            json_object_put(o);
            img_error(m, "--image-opts and --format are mutually exclusive");
            return NULL;
        }
        if (o) n = blk_node_open(m->g, o, node_flags, &e);
    } else {
        n = blk_node_open_file(m->g, name, fmt, node_flags, &e);
    }
    struct blk *b = n ? blk_new(m->g, NULL, n, flags, &e) : NULL;
    if (!b) img_error(m, "Could not open '%s': %s", name, e.msg);
    return b;
}

int img_close(const struct img *m, struct blk *b, int status)
{
    struct err e = { 0 };
    int r = blk_free(b, &e);
    if (r && !status) return img_error(m, "%s", e.msg);
    return status;
}

int img_status(struct blk_node *top, struct blk_node *base, uint64_t off, uint64_t bytes, struct blk_range *r, unsigned *depth)
{
    uint64_t len = bytes;
    *depth = 0;
    for (struct blk_node *n = top;; n = n->backing, ++*depth) {
        int ret = blk_node_status(n, off, len, r);
        if (ret) return ret;
        len = MIN(len, r->bytes);
        r->bytes = len;
        if ((r->st & (BLK_ST_DATA | BLK_ST_ZERO)) || !n->backing || n->backing == base) return 0;
    }
}

int img_create_opts(const struct img *m, const char *fmt, const char *text, struct json_object *o)
{
    struct err e = { 0 };
    const struct blk_driver *d = blk_driver_find(fmt);
    if (!text) return 0;
    if (d && (!strcmp(text, "help") || !strcmp(text, "?"))) {
        printf("Supported %s options:\n", fmt);
        for (const struct blk_create_opt *c = d->create_opts; c && c->name; c++) {
            char head[64];
            snprintf(head, sizeof head, "%s=<%s>", c->name, c->type);
            printf("  %-22s - %s\n", head, c->help);
        }
        return 1;
    }
    struct json_object *in = blk_opts_parse(text, NULL, &e);
    if (!in) {
        img_error(m, "Invalid options for file format '%s': %s", fmt, e.msg);
        return -1;
    }
    json_object_object_foreach(in, key, val) json_object_object_add(o, key, json_object_get(val));
    json_object_put(in);
    return 0;
}

/* --- main ------------------------------------------------------------------------------------------------------------------------------ */

static void version(const struct img *m)
{
    if (!strncmp(m->prog, "qemu-", 5))
        printf("qemu-img version %s (Lyrebird)\n", SPEAKS);
    else
        printf("lyre-img version %s\n", SPEAKS);
}

static int help(const struct img *m)
{
    version(m);
    printf("usage: %s [standard options] command [command options]\nDisk image utility\n\n"
           "    '-h', '--help'       display this help and exit\n    '-V', '--version'    output version information and exit\n\n"
           "Command syntax:\n", m->prog);
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) printf("  %s %s\n", commands[i].name, commands[i].usage);
    printf("\nCommand parameters:\n"
           "  'cache' is none, writeback (default, except for convert), writethrough, directsync or unsafe (default for convert)\n"
           "  'size' is in bytes; k or K (1024), M, G, T, P and E may follow\n"
           "  'options' is name=value,...; '-o help' with -f fmt shows those of a format\n"
           "  'snapshot_param' is snapshot.id=ID,snapshot.name=NAME or ID_OR_NAME\n"
           "\nSupported formats:");
    for (unsigned i = 0; blk_driver_registry[i]; i++) printf(" %s", blk_driver_registry[i]->name);
    printf("\n");
    return 0;
}

int img_main(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    struct img m = { .prog = argc < 1 || !strcmp(argv[0], "img") ? "lyre-img" : slash ? slash + 1 : argv[0] };
    int at = 1;
    if (at < argc && (!strcmp(argv[at], "-h") || !strcmp(argv[at], "--help"))) return help(&m);
    if (at < argc && (!strcmp(argv[at], "-V") || !strcmp(argv[at], "--version"))) {
        version(&m);
        return 0;
    }
    if (at < argc && !strcmp(argv[at], "-T")) at += 2; /* trace events: none */
    if (at >= argc) return img_usage(&m, "Not enough arguments");
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i].name, argv[at])) continue;
        m.g = blk_graph_new();
        if (!m.g) return img_error(&m, "no file descriptors or memory left");
        optind = 0; /* of getopt: starts anew */
        int r = commands[i].fn(&m, argc - at, argv + at);
        blk_graph_free(m.g);
        if (fflush(stdout) && !r) r = 1;
        return r;
    }
    char what[128];
    snprintf(what, sizeof what, "Command not found: %.100s", argv[at]);
    return img_usage(&m, what);
}

int lyre_img(int argc, char **argv)
{
    return img_main(argc, argv);
}
