/*
 * opts.c: options of nodes and drives: "a.b=c,d=e", JSON, -drive, -blockdev. A driver takes its options out of the object; what
 * is left in the end was not known to anybody and is an error.
 */
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>
#include "io/block/int.h"
#include "io/opts.h"

enum { MAX_KEY = 256, MAX_NEST = 16 };

int blk_parse_size(const char *s, uint64_t *v)
{
    static const char unit[] = "bkmgtpe";
    char *end;
    if (*s < '0' || *s > '9') return -EINVAL;
    errno = 0;
    unsigned long long n = strtoull(s, &end, s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10);
    uint64_t frac = 0, scale = 1;
    if (errno) return -ERANGE;
    if (*end == '.') {
        for (end++; *end >= '0' && *end <= '9'; end++) {
            if (scale >= 1000000000u) continue;
            frac = frac * 10 + (uint64_t)(*end - '0');
            scale *= 10;
        }
    }
    unsigned shift = 0;
    if (*end) {
        const char *u = strchr(unit, *end | 0x20);
        if (!u || end[1]) return -EINVAL;
        shift = (unsigned)(u - unit) * 10;
    }
    if (shift && n > (UINT64_MAX >> shift)) return -ERANGE;
    *v = ((uint64_t)n << shift) + (uint64_t)(((u128)frac << shift) / scale);
    return 0;
}

/* --- taking options -------------------------------------------------------------------------------------------------------------- */

/* The object that "a.b.c" is in, and the last word; NULL: not there. */
static struct json_object *locate(struct json_object *o, const char **key)
{
    for (const char *dot; (dot = strchr(*key, '.')); *key = dot + 1) {
        char part[MAX_KEY];
        snprintf(part, sizeof part, "%.*s", (int)MIN(dot - *key, MAX_KEY - 1), *key);
        if (!json_object_object_get_ex(o, part, &o) || !json_object_is_type(o, json_type_object)) return NULL;
    }
    return o;
}

static struct json_object *peek(struct json_object *opts, const char *key, struct json_object **in, const char **last)
{
    struct json_object *v = NULL;
    *last = key;
    *in = locate(opts, last);
    return *in && json_object_object_get_ex(*in, *last, &v) ? v : NULL;
}

char *blk_opt_str(struct json_object *opts, const char *key)
{
    struct json_object *in, *v;
    const char *last;
    if (!(v = peek(opts, key, &in, &last)) || json_object_is_type(v, json_type_object)) return NULL;
    char *s = strdup(json_object_get_string(v));
    json_object_object_del(in, last);
    return s;
}

int blk_opt_bool(struct json_object *opts, const char *key, bool *v, struct err *e)
{
    static const char *const yes[] = { "on", "true", "yes", "y" }, *const no[] = { "off", "false", "no", "n" };
    char *s = blk_opt_str(opts, key);
    int r = s ? -EINVAL : 0;
    for (unsigned i = 0; s && i < 4; i++) {
        if (!strcmp(s, yes[i])) *v = true, r = 0;
        if (!strcmp(s, no[i])) *v = false, r = 0;
    }
    if (r) err_set(e, EINVAL, "Parameter '%s' expects 'on' or 'off', not '%s'", key, s);
    free(s);
    return r;
}

int blk_opt_size(struct json_object *opts, const char *key, uint64_t *v, struct err *e)
{
    char *s = blk_opt_str(opts, key);
    int r = s ? blk_parse_size(s, v) : 0;
    if (r) err_set(e, -r, "Parameter '%s' expects a size (\"64k\", \"1.5G\"), not '%s'", key, s);
    free(s);
    return r;
}

/* Takes a string that must be one of `names` (NULL at the end): its index, -1 = absent, or -EINVAL - 1. */
static int take_enum(struct json_object *opts, const char *key, const char *const *names, struct err *e)
{
    char *s = blk_opt_str(opts, key);
    if (!s) return -1;
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], s)) continue;
        free(s);
        return i;
    }
    err_set(e, EINVAL, "Parameter '%s' does not accept value '%s'", key, s);
    free(s);
    return -EINVAL - 1;
}

static void flag(unsigned *flags, unsigned bit, bool on)
{
    *flags = on ? *flags | bit : *flags & ~bit;
}

unsigned blk_opt_flags(struct json_object *opts, unsigned flags, struct blk_node *n, int *err, struct err *e)
{
    static const char *const discard[] = { "ignore", "off", "unmap", "on", NULL }, *const zeroes[] = { "off", "on", "unmap", NULL };
    static const char *const aio[] = { "threads", "native", "io_uring", NULL };
    bool ro = !(flags & BLK_RDWR), direct = flags & BLK_DIRECT, no_flush = flags & BLK_NO_FLUSH, share = flags & BLK_NO_LOCK, any = false;
    *err = blk_opt_bool(opts, "read-only", &ro, e);
    if (!*err) *err = blk_opt_bool(opts, "auto-read-only", &any, e);
    n->auto_ro = any;
    if (!*err) *err = blk_opt_bool(opts, "cache.direct", &direct, e);
    if (!*err) *err = blk_opt_bool(opts, "cache.no-flush", &no_flush, e);
    if (!*err) *err = blk_opt_bool(opts, "force-share", &share, e);
    if (*err) return flags;
    flag(&flags, BLK_RDWR, !ro && (flags & BLK_RDWR));
    flag(&flags, BLK_DIRECT, direct);
    flag(&flags, BLK_NO_FLUSH, no_flush);
    flag(&flags, BLK_NO_LOCK, share);
    struct json_object *cache;
    if (json_object_object_get_ex(opts, "cache", &cache) && json_object_is_type(cache, json_type_object) &&
        !json_object_object_length(cache))
        json_object_object_del(opts, "cache");
    int d = take_enum(opts, "discard", discard, e), z = take_enum(opts, "detect-zeroes", zeroes, e);
    int a = n->drv->is_protocol ? take_enum(opts, "aio", aio, e) : -1;
    if (d < -1 || z < -1 || a < -1) *err = -EINVAL;
    if (d >= 0) flag(&flags, BLK_UNMAP, d >= 2);
    if (a >= 0) flag(&flags, BLK_AIO_THREADS, a == 0);
    n->detect_zeroes = z > 0;
    n->detect_unmap = z == 2;
    return flags;
}

int blk_opts_left(struct json_object *opts, const char *driver, struct err *e)
{
    struct json_object_iterator it = json_object_iter_begin(opts), end = json_object_iter_end(opts);
    if (json_object_iter_equal(&it, &end)) return 0;
    return err_set(e, EINVAL, "Block protocol '%s' doesn't support the option '%s'", driver, json_object_iter_peek_name(&it));
}

/* --- parsing ------------------------------------------------------------------------------------------------------------------------ */

/* Puts v at "a.b.c"; takes over v. */
static int put(struct json_object *o, const char *key, struct json_object *v, struct err *e)
{
    const char *full = key;
    unsigned nest = 0;
    for (const char *dot; (dot = strchr(key, '.')); key = dot + 1) {
        char part[MAX_KEY];
        struct json_object *sub = NULL;
        if (dot == key || dot - key >= MAX_KEY || ++nest > MAX_NEST) goto bad;
        snprintf(part, sizeof part, "%.*s", (int)(dot - key), key);
        if (!json_object_object_get_ex(o, part, &sub)) {
            sub = json_object_new_object();
            json_object_object_add(o, part, sub);
        }
        if (!json_object_is_type(sub, json_type_object)) goto bad;
        o = sub;
    }
    if (!*key || strlen(key) >= MAX_KEY) goto bad;
    json_object_object_add(o, key, v);
    return 0;
bad:
    json_object_put(v);
    return err_set(e, EINVAL, "Invalid parameter '%.100s'", full);
}

/* JSON may have dotted keys too: the same object without. */
static struct json_object *unflatten(struct json_object *in, unsigned nest, struct err *e)
{
    if (!json_object_is_type(in, json_type_object) || nest > MAX_NEST) return json_object_get(in);
    struct json_object *out = json_object_new_object();
    json_object_object_foreach(in, key, val) {
        struct json_object *v = val ? unflatten(val, nest + 1, e) : NULL;
        if ((val && !v) || put(out, key, v, e)) {
            json_object_put(out);
            return NULL;
        }
    }
    return out;
}

static struct json_object *parse_json(const char *s, struct err *e)
{
    enum json_tokener_error why;
    struct json_object *raw = json_tokener_parse_verbose(s, &why), *out = NULL;
    if (!raw || !json_object_is_type(raw, json_type_object))
        err_set(e, EINVAL, "not a JSON object: %.120s%s%s", s, raw ? "" : ": ", raw ? "" : json_tokener_error_desc(why));
    else
        out = unflatten(raw, 0, e);
    json_object_put(raw);
    return out;
}

struct json_object *blk_opts_parse(const char *s, const char *implied, struct err *e)
{
    if (!strncmp(s, "json:", 5)) return parse_json(s + 5, e);
    if (*s == '{') return parse_json(s, e);
    struct json_object *out = json_object_new_object();
    char *word = xalloc(strlen(s) + 1);
    for (bool first = true; *s; first = false) {
        size_t n = 0;
        for (; *s && (*s != ',' || s[1] == ','); s++) {
            if (*s == ',') s++;
            word[n++] = *s;
        }
        word[n] = 0;
        if (*s) s++;
        char *eq = strchr(word, '=');
        const char *key = word, *val = eq ? eq + 1 : "on";
        if (eq)
            *eq = 0;
        else if (first && implied)
            key = implied, val = word;
        if (n && put(out, key, json_object_new_string(val), e)) {
            json_object_put(out);
            out = NULL;
            break;
        }
    }
    free(word);
    return out;
}

/* --- -blockdev, -drive ---------------------------------------------------------------------------------------------------------------- */

int blk_blockdev_add_json(struct blk_graph *g, struct json_object *o, struct err *e)
{
    struct json_object *v, *flat = unflatten(o, 0, e);
    json_object_put(o);
    if (!(o = flat)) return -EINVAL;
    if (!json_object_object_get_ex(o, "driver", NULL) || !json_object_object_get_ex(o, "node-name", &v)) {
        const char *what = json_object_object_get_ex(o, "driver", NULL) ? "node-name" : "driver";
        int r = strcmp(what, "driver") ? err_set(e, EINVAL, "'node-name' must be specified for the root node")
                                       : err_set(e, EINVAL, "Parameter 'driver' is missing");
        json_object_put(o);
        return r;
    }
    const char *name = json_object_get_string(v);
    if (name && (strlen(name) > 31 || !opts_id_ok(name))) {
        int r = err_set(e, EINVAL, "Invalid node-name: '%.40s'", name);
        json_object_put(o);
        return r;
    }
    struct err why = { 0 };
    struct blk_node *n = blk_node_open(g, o, BLK_RDWR, &why);
    if (!n) return err_set(e, why.code ? why.code : EINVAL, "%s", why.msg);
    n->kept = true;
    return 0;
}

int blk_blockdev_add(struct blk_graph *g, const char *options, struct err *e)
{
    struct json_object *o = blk_opts_parse(options, "driver", e);
    return o ? blk_blockdev_add_json(g, o, e) : -EINVAL;
}

int blk_blockdev_del(struct blk_graph *g, const char *name, struct err *e)
{
    struct blk_node *n = blk_node_find(g, name);
    if (!n) return err_set(e, ENOENT, "Failed to find node with node-name='%s'", name);
    if (!n->kept) return err_set(e, EINVAL, "Node %s is not owned by the monitor", name);
    if (n->refs > 1) return err_set(e, EBUSY, "Node %s is in use", name);
    n->kept = false;
    return blk_node_unref(n, e);
}

/* cache=MODE of -drive and tools. */
static const struct {
    const char *name;
    unsigned flags;
} cache_modes[] = {
    { "writeback", 0 },
    { "none", BLK_DIRECT },
    { "off", BLK_DIRECT },
    { "writethrough", BLK_WRITETHROUGH },
    { "directsync", BLK_DIRECT | BLK_WRITETHROUGH },
    { "unsafe", BLK_NO_FLUSH },
};

int blk_cache_mode(const char *name, unsigned *flags)
{
    for (unsigned i = 0; i < ARRAY_LEN(cache_modes); i++) {
        if (strcmp(cache_modes[i].name, name)) continue;
        *flags = (*flags & ~(unsigned)(BLK_DIRECT | BLK_WRITETHROUGH | BLK_NO_FLUSH)) | cache_modes[i].flags;
        return 0;
    }
    return -EINVAL;
}

static void take_text(struct json_object *o, const char *key, char *out, size_t size)
{
    char *s = blk_opt_str(o, key);
    if (s) snprintf(out, size, "%s", s);
    free(s);
}

static int take_int(struct json_object *o, const char *key, int *v, struct err *e)
{
    char *s = blk_opt_str(o, key), *end;
    if (!s) return 0;
    long n = strtol(s, &end, 10);
    bool bad = !*s || *end || n < 0 || n > INT_MAX;
    *v = (int)n;
    if (bad) err_set(e, EINVAL, "Parameter '%s' expects a number", key);
    free(s);
    return bad ? -EINVAL : 0;
}

/* throttling.*, and what it was called before: bps, bps_rd, bps_max, bps_rd_max, iops_size... */
static int take_limits(struct json_object *o, struct leaky_config *c, char *group, size_t size, struct err *e)
{
    static const char *const old[LEAKY_KINDS] = { "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr" };
    int r = blk_opt_limits(o, "throttling.", c, e);
    for (unsigned i = 0; !r && i < LEAKY_KINDS; i++) {
        char key[40];
        r = blk_opt_size(o, old[i], &c->rate[i].avg, e);
        snprintf(key, sizeof key, "%s_max", old[i]);
        if (!r) r = blk_opt_size(o, key, &c->rate[i].max, e);
    }
    if (!r) r = blk_opt_size(o, "iops_size", &c->op_size, e);
    take_text(o, "throttling.group", group, size);
    take_text(o, "group", group, size);
    struct json_object *t;
    if (json_object_object_get_ex(o, "throttling", &t) && json_object_is_type(t, json_type_object) && !json_object_object_length(t))
        json_object_object_del(o, "throttling");
    return r ? r : leaky_check(c, e);
}

/* An overlay in a file without a name over the node, whose reference it takes over. */
static struct blk_node *temporary(struct blk_graph *g, struct blk_node *base, unsigned flags, struct err *e)
{
    const char *dir = getenv("TMPDIR");
    char path[PATH_MAX], size[32];
    snprintf(path, sizeof path, "%s/lyre.XXXXXX", dir ? dir : "/var/tmp");
    int fd = mkstemp(path);
    struct blk_node *n = NULL;
    if (fd < 0) {
        err_set(e, errno, "snapshot=on: %s: %s", path, strerror(errno));
        blk_node_unref(base, NULL);
        return NULL;
    }
    close(fd);
    const struct blk_driver *d = blk_driver_find("qcow2");
    struct json_object *o = json_object_new_object();
    snprintf(size, sizeof size, "%llu", (unsigned long long)blk_node_size(base));
    json_object_object_add(o, "size", json_object_new_string(size));
    int r = d->create(g, path, o, e);
    json_object_put(o);
    if (!r) {
        o = json_object_new_object();
        put(o, "driver", json_object_new_string("qcow2"), NULL);
        put(o, "file.driver", json_object_new_string("file"), NULL);
        put(o, "file.filename", json_object_new_string(path), NULL);
        put(o, "backing", json_object_new_string(base->name), NULL);
        n = blk_node_open(g, o, (flags | BLK_RDWR | BLK_NO_FLUSH) & ~(unsigned)BLK_WRITETHROUGH, e);
    }
    unlink(path);
    blk_node_unref(base, NULL); /* the overlay has its own reference */
    return n;
}

static int drive_words(struct json_object *o, struct blk_drive *d, unsigned *flags, bool *snapshot, bool *cor, struct err *e)
{
    char text[64] = "";
    bool ro = false;
    take_text(o, "if", d->iface, sizeof d->iface);
    take_text(o, "media", d->media, sizeof d->media);
    take_text(o, "id", d->id, sizeof d->id);
    take_text(o, "serial", d->serial, sizeof d->serial);
    take_text(o, "werror", d->werror, sizeof d->werror);
    take_text(o, "rerror", d->rerror, sizeof d->rerror);
    if (*d->media && strcmp(d->media, "disk") && strcmp(d->media, "cdrom"))
        return err_set(e, EINVAL, "'%s' invalid media (disk, cdrom)", d->media);
    ro = !strcmp(d->media, "cdrom");
    struct json_object *c;
    if (json_object_object_get_ex(o, "cache", &c) && json_object_is_type(c, json_type_string)) {
        take_text(o, "cache", text, sizeof text);
        if (blk_cache_mode(text, flags))
            return err_set(e, EINVAL, "invalid cache option '%s' (none, writeback, writethrough, directsync, unsafe)", text);
    }
    bool wb = !(*flags & BLK_WRITETHROUGH);
    int r = blk_opt_bool(o, "cache.writeback", &wb, e);
    flag(flags, BLK_WRITETHROUGH, !wb);
    if (!r) r = blk_opt_bool(o, "readonly", &ro, e);
    if (!r) r = blk_opt_bool(o, "read-only", &ro, e);
    if (!r) r = blk_opt_bool(o, "snapshot", snapshot, e);
    if (!r) r = blk_opt_bool(o, "copy-on-read", cor, e);
    if (!r) r = take_int(o, "index", &d->index, e);
    if (!r) r = take_int(o, "bus", &d->bus, e);
    if (!r) r = take_int(o, "unit", &d->unit, e);
    flag(flags, BLK_RDWR, !ro);
    take_text(o, "aio", text, sizeof text);
    flag(flags, BLK_AIO_THREADS, !strcmp(text, "threads"));
    if (!r && *cor && ro) r = err_set(e, EINVAL, "copy-on-read is not possible with a read-only drive");
    char *fmt = blk_opt_str(o, "format");
    if (fmt) put(o, "driver", json_object_new_string(fmt), NULL);
    free(fmt);
    return r;
}

static struct blk_node *drive_node(struct blk_graph *g, struct json_object *o, unsigned flags, struct err *e)
{
    struct json_object *file;
    if (json_object_object_get_ex(o, "file", &file) && json_object_is_type(file, json_type_string)) {
        const char *name = json_object_get_string(file);
        struct blk_node *n = blk_node_find(g, name);
        if (n && !json_object_object_get_ex(o, "driver", NULL)) {
            json_object_put(o);
            return blk_node_ref(n);
        }
        struct json_object *sub = strncmp(name, "json:", 5) ? NULL : blk_opts_parse(name, NULL, e);
        if (!strncmp(name, "json:", 5)) {
            json_object_put(o);
            return sub ? blk_node_open(g, sub, flags, e) : NULL;
        }
        sub = json_object_new_object();
        json_object_object_add(sub, "filename", json_object_get(file));
        json_object_object_add(o, "file", sub);
    }
    return blk_node_open(g, o, flags, e);
}

/* A copy-on-read node over n, whose reference it takes over. */
static struct blk_node *copy_on_read(struct blk_graph *g, struct blk_node *n, unsigned flags, struct err *e)
{
    struct json_object *o = json_object_new_object();
    put(o, "driver", json_object_new_string("copy-on-read"), NULL);
    put(o, "file", json_object_new_string(n->name), NULL);
    struct blk_node *c = blk_node_open(g, o, flags, e);
    blk_node_unref(n, NULL);
    return c;
}

/* What a drive has beside its medium. */
static int drive_rules(struct blk_drive *d, const struct leaky_config *limits, const char *group, const uint64_t chs[3], struct err *e)
{
    enum blk_on_error re = BLK_ERR_REPORT, we = BLK_ERR_ENOSPC;
    int r = *d->rerror ? blk_on_error_parse(d->rerror, false, &re, e) : 0;
    if (!r && *d->werror) r = blk_on_error_parse(d->werror, true, &we, e);
    if (r) return r;
    blk_set_on_error(d->blk, re, we);
    blk_set_geometry(d->blk, (struct blk_geometry){ (uint32_t)chs[0], (uint32_t)chs[1], (uint32_t)chs[2] });
    return leaky_on(limits) || *group ? blk_set_limits(d->blk, limits, *group ? group : NULL, e) : 0;
}

int blk_drive_open(struct blk_graph *g, const char *options, struct blk_drive *d, struct err *e)
{
    struct json_object *o = blk_opts_parse(options, NULL, e);
    *d = (struct blk_drive){ .index = -1, .bus = -1, .unit = -1 };
    if (!o) return -EINVAL;
    unsigned flags = BLK_RDWR;
    bool snapshot = false, cor = false;
    struct leaky_config limits = { 0 };
    uint64_t chs[3] = { 0 };
    char group[64] = "";
    struct err why = { 0 };
    int r = drive_words(o, d, &flags, &snapshot, &cor, e);
    if (!r) r = take_limits(o, &limits, group, sizeof group, e);
    if (!r) r = blk_opt_size(o, "cyls", &chs[0], e);
    if (!r) r = blk_opt_size(o, "heads", &chs[1], e);
    if (!r) r = blk_opt_size(o, "secs", &chs[2], e);
    if (!r && *d->id && blk_find(g, d->id)) r = err_set(e, EEXIST, "drive id '%s' is used twice", d->id);
    struct blk_node *n = NULL;
    if (r || (!json_object_object_get_ex(o, "file", NULL) && !json_object_object_get_ex(o, "driver", NULL) &&
              !json_object_object_get_ex(o, "filename", NULL))) {
        if (!r) r = blk_opts_left(o, "drive", e); /* an empty drive */
        json_object_put(o);
    } else {
        n = drive_node(g, o, flags & ~(unsigned)(BLK_WRITETHROUGH | (snapshot ? BLK_RDWR : 0)), &why);
        if (n && snapshot) n = temporary(g, n, flags, &why);
        if (n && cor) n = copy_on_read(g, n, flags, &why);
        if (!n) r = err_set(e, why.code ? why.code : EINVAL, "%s", why.msg);
    }
    if (r) return r;
    d->blk = blk_new(g, *d->id ? d->id : NULL, n, flags, e);
    if (!d->blk) return -EEXIST;
    r = drive_rules(d, &limits, group, chs, e);
    if (r) {
        blk_free(d->blk, NULL);
        d->blk = NULL;
    }
    return r;
}
