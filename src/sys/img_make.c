/* img_make.c: lyre-img create, resize, measure, amend. */
#include <json-c/json.h>
#include <stdlib.h>
#include "sys/img.h"

static void set(struct json_object *o, const char *key, const char *v)
{
    json_object_object_add(o, key, json_object_new_string(v));
}

static const char *get(struct json_object *o, const char *key)
{
    struct json_object *v;
    return json_object_object_get_ex(o, key, &v) ? json_object_get_string(v) : NULL;
}

/* "Formatting 'x', fmt=qcow2 cluster_size=65536 ...": with the defaults, in QEMU's order. */
static void announce(const char *file, const char *fmt, struct json_object *o)
{
    static const struct {
        const char *key, *def;
    } row[] = {
        { "data_file", NULL }, { "data_file_raw", NULL }, { "cluster_size", "65536" }, { "extended_l2", "off" }, { "preallocation", NULL },
        { "compression_type", "zlib" }, { "size", NULL }, { "compat", NULL }, { "backing_file", NULL }, { "backing_fmt", NULL },
        { "lazy_refcounts", "off" }, { "refcount_bits", "16" },
    };
    printf("Formatting '%s', fmt=%s", file, fmt);
    for (unsigned i = 0; i < ARRAY_LEN(row); i++) {
        const char *v = get(o, row[i].key);
        uint64_t n;
        if (!v && !strcmp(fmt, "qcow2")) v = row[i].def;
        if (!v) continue;
        if ((!strcmp(row[i].key, "size") || !strcmp(row[i].key, "cluster_size")) && !blk_parse_size(v, &n))
            printf(" %s=%llu", row[i].key, (unsigned long long)n);
        else
            printf(" %s=%s", row[i].key, v);
    }
    printf("\n");
}

/* The backing file must be there, and tells the size if nobody else does. */
static int look_at_backing(struct img *m, const char *file, struct json_object *o, bool unsafe)
{
    const char *base = get(o, "backing_file"), *fmt = get(o, "backing_fmt"), *slash = strrchr(file, '/');
    char path[4096], num[32];
    if (!base || !*base) return 0;
    if (fmt && !blk_driver_find(fmt)) return img_error(m, "%s: Unknown backing file format '%s'", file, fmt);
    if (unsafe && get(o, "size")) return 0;
    if (base[0] == '/' || !slash || strstr(base, "://") || !strncmp(base, "json:", 5))
        snprintf(path, sizeof path, "%s", base);
    else
        snprintf(path, sizeof path, "%.*s/%s", (int)(slash - file), file, base);
    struct blk *b = img_open(m, path, fmt, NULL, false, BLK_NO_LOCK);
    if (!b && unsafe) return 0;
    if (!b) return img_error(m, "%s: Could not open backing image.", file);
    int r = 0;
    if (!fmt) {
        img_error(m, "%s: Backing file specified without backing format", file);
        r = 1;
        fprintf(stderr, "Detected format of %s.\n", blk_node_of(b)->drv->name);
    }
    snprintf(num, sizeof num, "%llu", (unsigned long long)blk_size(b));
    if (!get(o, "size")) set(o, "size", num);
    return img_close(m, b, r);
}

int img_create(struct img *m, int argc, char **argv)
{
    const char *fmt = "raw", *base = NULL, *base_fmt = NULL, *text = NULL;
    bool unsafe = false;
    for (int c; (c = getopt_long(argc, argv, ":F:b:f:ho:qu", img_long, NULL)) != -1;) {
        switch (c) {
        case 'F': base_fmt = optarg; break;
        case 'b': base = optarg; break;
        case 'f': fmt = optarg; break;
        case 'o': text = optarg; break;
        case 'u': unsafe = true; break;
        default:
            if (!img_common(m, c, optarg)) return img_usage(m, "create: unrecognized option");
        }
    }
    const struct blk_driver *d = blk_driver_find(fmt);
    struct json_object *o = json_object_new_object();
    int r = img_create_opts(m, fmt, text, o);
    if (r) goto out;
    r = 1;
    const char *file = optind < argc ? argv[optind++] : NULL;
    if (!file || argc - optind > 1) {
        img_usage(m, file ? "Unexpected argument" : "Expecting image file name");
        goto out;
    }
    if (!d || !d->create) {
        img_error(m, d ? "%s: Format driver '%s' does not support image creation" : "%s: Unknown file format '%s'", file, fmt);
        goto out;
    }
    uint64_t size;
    if (optind < argc) {
        char num[32];
        if (img_parse_size(m, argv[optind], "image size", &size)) goto out;
        snprintf(num, sizeof num, "%llu", (unsigned long long)size);
        set(o, "size", num);
    }
    if (base) set(o, "backing_file", base);
    if (base_fmt) set(o, "backing_fmt", base_fmt);
    if (look_at_backing(m, file, o, unsafe)) goto out;
    if (!get(o, "size")) {
        img_error(m, "%s: Image creation needs a size parameter", file);
        goto out;
    }
    if (!m->quiet) announce(file, fmt, o);
    struct err e = { 0 };
    r = d->create(m->g, file, o, &e) ? img_error(m, "%s: %s", file, e.msg) : 0;
out:
    json_object_put(o);
    return r < 0 ? 1 : r == 1 && text && (!strcmp(text, "help") || !strcmp(text, "?")) ? 0 : r;
}

int img_resize(struct img *m, int argc, char **argv)
{
    const char *prealloc = NULL, *arg = argc > 2 ? argv[argc - 1] : NULL;
    bool shrink = false;
    uint64_t n;
    if (!arg) return img_usage(m, "Not enough arguments");
    argc--; /* "-5M" is no option */
    for (int c; (c = getopt_long(argc, argv, ":f:hq", img_long, NULL)) != -1;) {
        if (c == OPT_SHRINK)
            shrink = true;
        else if (c == OPT_PREALLOC)
            prealloc = optarg;
        else if (!img_common(m, c, optarg))
            return img_usage(m, "resize: unrecognized option");
    }
    if (argc - optind != 1) return img_usage(m, "Expecting image file name and size");
    int rel = *arg == '+' ? 1 : *arg == '-' ? -1 : 0;
    if (blk_parse_size(arg + (rel != 0), &n)) return img_error(m, "Invalid image size specified! You can use k, M, G, T, P or E suffixes for kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.");
    struct blk *b = img_open(m, argv[optind], m->fmt, m->cache, m->image_opts, BLK_RDWR | BLK_RESIZE);
    if (!b) return 1;
    uint64_t old = blk_size(b), size = rel > 0 ? old + n : rel < 0 ? old - n : n;
    struct err e = { 0 };
    int r = 0;
    if ((rel < 0 && n > old) || (rel && !n) || !size) r = img_error(m, "New image size must be positive");
    if (!r && size < old && !shrink) {
        fprintf(stderr, "%s: Use the --shrink option to perform a shrink operation.\n", m->prog);
        r = img_error(m, "warning: Shrinking an image will delete all data beyond the shrunken image's end. Before performing such an "
                      "operation, make sure there is no important data there.");
    }
    if (!r && size <= old && prealloc && strcmp(prealloc, "off")) r = img_error(m, "Preallocation can only be used for growing images");
    if (!r && (blk_node_truncate(blk_node_of(b), size, prealloc, &e))) r = img_error(m, "%s", e.msg);
    if (!r && !m->quiet) printf("Image resized.\n");
    return img_close(m, b, r);
}

int img_measure(struct img *m, int argc, char **argv)
{
    const char *fmt = "raw", *text = NULL, *snap = NULL;
    uint64_t size = UINT64_MAX, need = 0, full = 0;
    for (int c; (c = getopt_long(argc, argv, "hf:l:o:O:U", img_long, NULL)) != -1;) {
        if (c == 'O')
            fmt = optarg;
        else if (c == 'o')
            text = optarg;
        else if (c == 'l')
            snap = optarg;
        else if (c == OPT_SIZE && img_parse_size(m, optarg, "image size", &size))
            return 1;
        else if (c != OPT_SIZE && !img_common(m, c, optarg))
            return img_usage(m, "measure: unrecognized option");
    }
    const char *file = optind < argc ? argv[optind] : NULL;
    if (file && size != UINT64_MAX) return img_error(m, "--size N cannot be used together with a filename.");
    if (!file && size == UINT64_MAX) return img_error(m, "Either --size N or one filename must be specified.");
    const struct blk_driver *d = blk_driver_find(fmt);
    if (!d || !d->measure) return img_error(m, d ? "Format driver '%s' does not support measure" : "Unknown file format '%s'", fmt);
    struct blk *b = file ? img_open(m, file, m->fmt, NULL, m->image_opts, 0) : NULL;
    if (file && !b) return 1;
    struct err e = { 0 };
    struct blk_node *n = b ? blk_node_of(b) : NULL;
    struct json_object *o = json_object_new_object();
    int r = img_create_opts(m, fmt, text, o) ? 1 : 0;
    if (!r && snap && n && (!n->drv->snap_show || n->drv->snap_show(n, snap, &e))) r = img_error(m, "%s", e.msg);
    if (!r && d->measure(o, b ? blk_size(b) : size, n, &need, &full, &e)) r = img_error(m, "%s", e.msg);
    json_object_put(o);
    if (!r && m->output && !strcmp(m->output, "json")) {
        o = json_object_new_object();
        if (!strcmp(fmt, "qcow2") && b) json_object_object_add(o, "bitmaps", json_object_new_int(0));
        json_object_object_add(o, "required", json_object_new_uint64(need));
        json_object_object_add(o, "fully-allocated", json_object_new_uint64(full));
        img_json(stdout, o);
        json_object_put(o);
    } else if (!r) {
        printf("required size: %llu\nfully allocated size: %llu\n", (unsigned long long)need, (unsigned long long)full);
        if (!strcmp(fmt, "qcow2") && b) printf("bitmaps size: 0\n");
    }
    return b ? img_close(m, b, r) : r;
}

int img_amend(struct img *m, int argc, char **argv)
{
    const char *text = NULL;
    for (int c; (c = getopt_long(argc, argv, ":ho:pqf:t:", img_long, NULL)) != -1;) {
        if (c == 'o')
            text = optarg;
        else if (c != OPT_FORCE && !img_common(m, c, optarg))
            return img_usage(m, "amend: unrecognized option");
    }
    if (!text) return img_usage(m, "Must specify options (-o)");
    if (optind != argc - 1) return img_usage(m, "Expecting one image file name");
    struct blk *b = img_open(m, argv[optind], m->fmt, m->cache, m->image_opts, BLK_RDWR | BLK_RESIZE);
    if (!b) return 1;
    struct blk_node *n = blk_node_of(b);
    struct err e = { 0 };
    struct json_object *o = json_object_new_object();
    int r = img_create_opts(m, n->drv->name, text, o);
    if (!r && !n->drv->amend) r = img_error(m, "Format driver '%s' does not support option amendment", n->drv->name);
    if (!r && n->drv->amend(n, o, &e)) r = img_error(m, "Amending the image failed: %s", e.msg);
    json_object_put(o);
    return img_close(m, b, r < 0 ? 1 : r);
}
