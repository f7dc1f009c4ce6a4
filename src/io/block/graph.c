/*
 * graph.c: nodes: opening them out of options, references, names, backing files.
 *
 * What an image says about other files is not trusted: a backing file whose format the image does not name is opened only if
 * its contents look like no format (then it is raw, and would be probed as nothing else), or by tools that only read.
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include "io/block/int.h"

enum { MAX_DEPTH = 100, DEPTH_ONE = 1 << 20 }; /* how deep a node is in a chain: the upper bits of its flags */

struct blk_graph *blk_graph_new(void)
{
    struct blk_graph *g = xalloc(sizeof *g);
    pthread_rwlockattr_t attr;
    pthread_mutex_init(&g->lock, NULL);
    pthread_rwlockattr_init(&attr); /* who changes the graph does not wait for ever */
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&g->gate, &attr);
    pthread_rwlockattr_destroy(&attr);
    if (pool_init(g) < 0) {
        pool_stop(g);
        pthread_rwlock_destroy(&g->gate);
        free(g);
        return NULL;
    }
    return g;
}

void blk_graph_free(struct blk_graph *g)
{
    if (!g) return;
    while (g->blks) blk_free(g->blks, NULL);
    for (struct blk_node *n = g->nodes; n;) {
        bool kept = n->kept;
        n->kept = false;
        if (kept) blk_node_unref(n, NULL);
        n = kept ? g->nodes : n->next;
    }
    while (g->groups) group_put(g->groups);
    pool_stop(g);
    pthread_mutex_destroy(&g->lock);
    pthread_rwlock_destroy(&g->gate);
    free(g);
}

const struct blk_driver *blk_driver_find(const char *name)
{
    for (unsigned i = 0; blk_driver_registry[i]; i++)
        if (!strcmp(blk_driver_registry[i]->name, name)) return blk_driver_registry[i];
    return NULL;
}

const struct blk_driver *blk_driver_probe(const uint8_t *buf, size_t n, const char *filename)
{
    const struct blk_driver *best = blk_driver_find("raw");
    int score = 0;
    for (unsigned i = 0; blk_driver_registry[i]; i++) {
        const struct blk_driver *d = blk_driver_registry[i];
        int s = d->probe ? d->probe(buf, n, filename) : 0;
        if (s > score) score = s, best = d;
    }
    return best;
}

/* Protocol of a file name: its "nbd:" prefix, host devices by what they are, else "file". *rest: the name without the prefix. */
static const struct blk_driver *protocol_of(const char *name, const char **rest)
{
    *rest = name;
    for (unsigned i = 0; blk_driver_registry[i]; i++) {
        const struct blk_driver *d = blk_driver_registry[i];
        for (const char *p = d->protocol; p && *p;) {
            size_t n = strcspn(p, ",");
            if (!strncmp(name, p, n)) {
                if (!strcmp(d->name, "file")) *rest = name + n;
                return d;
            }
            p += n + (p[n] == ',');
        }
    }
    return blk_driver_find("file");
}

/* --- references ---------------------------------------------------------------------------------------------------------------- */

struct blk_node *blk_node_find(struct blk_graph *g, const char *name)
{
    pthread_mutex_lock(&g->lock);
    struct blk_node *n = g->nodes;
    while (n && strcmp(n->name, name)) n = n->next;
    pthread_mutex_unlock(&g->lock);
    return n;
}

struct blk_node *blk_node_next(struct blk_graph *g, const struct blk_node *after)
{
    return after ? after->next : g->nodes;
}

struct blk_node *blk_node_ref(struct blk_node *n)
{
    pthread_mutex_lock(&n->graph->lock);
    n->refs++;
    pthread_mutex_unlock(&n->graph->lock);
    return n;
}

int blk_node_unref(struct blk_node *n, struct err *e)
{
    if (!n) return 0;
    struct blk_graph *g = n->graph;
    pthread_mutex_lock(&g->lock);
    bool last = --n->refs == 0;
    for (struct blk_node **p = &g->nodes; last && *p; p = &(*p)->next) {
        if (*p != n) continue;
        *p = n->next;
        break;
    }
    pthread_mutex_unlock(&g->lock);
    if (!last) return 0;
    int r = n->s && n->drv->close ? n->drv->close(n) : 0;
    if (r) err_set(e, -r, "%s: closing: %s", n->filename ? n->filename : n->name, strerror(-r));
    int r2 = blk_node_unref(n->file, r ? NULL : e);
    int r3 = blk_node_unref(n->backing, r || r2 ? NULL : e);
    free(n->filename);
    free(n->backing_name);
    free(n->backing_fmt);
    free(n->s);
    free(n);
    return r ? r : r2 ? r2 : r3;
}

/* --- opening ---------------------------------------------------------------------------------------------------------------------- */

static struct blk_node *node_new(struct blk_graph *g, const char *name, struct err *e)
{
    struct blk_node *n = xalloc(sizeof *n);
    n->graph = g;
    n->refs = 1;
    pthread_mutex_lock(&g->lock);
    if (name && *name)
        snprintf(n->name, sizeof n->name, "%s", name);
    else
        snprintf(n->name, sizeof n->name, "#block%03u", g->next_id++);
    for (struct blk_node *o = g->nodes; o; o = o->next) {
        if (strcmp(o->name, n->name)) continue;
        pthread_mutex_unlock(&g->lock);
        err_set(e, EEXIST, "node-name '%s' is used twice", n->name);
        free(n);
        return NULL;
    }
    n->next = g->nodes;
    g->nodes = n;
    pthread_mutex_unlock(&g->lock);
    return n;
}

static void set(struct json_object *o, const char *key, const char *v)
{
    json_object_object_add(o, key, json_object_new_string(v));
}

/* The format of a file, by its first 2 KiB. NULL: *e. */
static const struct blk_driver *probe_file(struct blk_node *file, const char *name, struct err *e)
{
    uint8_t buf[2048];
    int r = blk_node_pread(file, 0, buf, sizeof buf);
    if (!r) return blk_driver_probe(buf, (size_t)MIN(sizeof buf, blk_node_size(file)), name);
    err_set(e, -r, "%s: %s", name, strerror(-r));
    return NULL;
}

/*
 * A driver that the options do not name. Tools that only read look at the contents (BLK_PROBE). What a guest may write to is never
 * trusted to say what it is: the file's name decides, and where the contents look otherwise the user has to say.
 */
static const struct blk_driver *implied_driver(struct blk_graph *g, struct json_object *opts, unsigned flags, struct err *e)
{
    struct json_object *file, *f = NULL;
    const struct blk_driver *raw = blk_driver_find("raw"), *d = NULL;
    if (!json_object_object_get_ex(opts, "file", &file) || !json_object_is_type(file, json_type_object)) return raw;
    json_object_deep_copy(file, &f, NULL);
    json_object_object_del(f, "node-name");
    struct blk_node *n = blk_node_open(g, f, (flags | BLK_NO_LOCK) & ~(unsigned)(BLK_RDWR | BLK_PROBE | BLK_RESIZE), e);
    if (!n) return NULL;
    const char *name = n->filename ? n->filename : n->name, *dot = strrchr(name, '.');
    const struct blk_driver *named = dot && !strchr(dot, '/') ? blk_driver_find(dot + 1) : NULL;
    d = probe_file(n, name, e);
    if (d && d != raw && !(flags & BLK_PROBE) && d != named) {
        err_set(e, EINVAL, "'%s' looks like %s, which a guest could have made it do: say format=%s, or format=raw", name, d->name, d->name);
        d = NULL;
    }
    blk_node_unref(n, NULL);
    return d;
}

/* {"filename": "x"} without a driver is a file; of a format it is its file's. */
static const struct blk_driver *pick_driver(struct blk_graph *g, struct json_object *opts, unsigned flags, struct err *e)
{
    char *name = blk_opt_str(opts, "driver");
    const char *rest;
    struct json_object *fn = NULL, *file;
    const struct blk_driver *d = NULL;
    if (name && !(d = blk_driver_find(name))) {
        err_set(e, EINVAL, "Unknown driver '%s'", name);
        free(name);
        return NULL;
    }
    free(name);
    bool has_name = json_object_object_get_ex(opts, "filename", &fn) && json_object_is_type(fn, json_type_string);
    if (!d && has_name && !json_object_object_get_ex(opts, "file", NULL)) {
        d = protocol_of(json_object_get_string(fn), &rest);
    } else if (d && !d->is_protocol && has_name && !json_object_object_get_ex(opts, "file", NULL)) {
        file = json_object_new_object();
        set(file, "filename", json_object_get_string(fn));
        json_object_object_del(opts, "filename");
        json_object_object_add(opts, "file", file);
    }
    return d ? d : implied_driver(g, opts, flags, e);
}

struct blk_node *blk_node_open(struct blk_graph *g, struct json_object *opts, unsigned flags, struct err *e)
{
    const struct blk_driver *d = pick_driver(g, opts, flags, e);
    char *name = d ? blk_opt_str(opts, "node-name") : NULL;
    struct blk_node *n = d ? node_new(g, name, e) : NULL;
    free(name);
    if (!n) {
        json_object_put(opts);
        return NULL;
    }
    int r = 0;
    n->drv = d;
    n->flags = blk_opt_flags(opts, flags, n, &r, e);
    if (!r) r = d->open(n, opts, e);
    if (!r) r = blk_opts_left(opts, d->name, e);
    json_object_put(opts);
    if (!r && !n->filename && n->file && n->file->filename) n->filename = strdup(n->file->filename);
    if (r) {
        if (e && !e->code) err_set(e, -r, "driver %s: %s", d->name, strerror(-r));
        blk_node_unref(n, NULL);
        return NULL;
    }
    return n;
}

struct blk_node *blk_node_open_file(struct blk_graph *g, const char *name, const char *driver, unsigned flags, struct err *e)
{
    struct json_object *o, *file;
    const char *rest;
    if (!strncmp(name, "json:", 5)) {
        o = blk_opts_parse(name, NULL, e);
        if (!o) return NULL;
        if (driver && !json_object_object_get_ex(o, "driver", NULL)) set(o, "driver", driver);
        return blk_node_open(g, o, flags, e);
    }
    const struct blk_driver *d = driver ? blk_driver_find(driver) : NULL, *p = protocol_of(name, &rest);
    if (driver && !d) {
        err_set(e, EINVAL, "Unknown driver '%s'", driver);
        return NULL;
    }
    o = json_object_new_object();
    if (d && d->is_protocol) {
        set(o, "driver", driver);
        set(o, "filename", rest);
        return blk_node_open(g, o, flags, e);
    }
    file = json_object_new_object();
    set(file, "driver", p->name);
    set(file, "filename", rest);
    if (driver) set(o, "driver", driver);
    json_object_object_add(o, "file", file);
    return blk_node_open(g, o, flags, e);
}

struct blk_node *blk_open_child(struct blk_node *n, struct json_object *opts, const char *key, unsigned flags, struct err *e)
{
    struct json_object *v;
    if (!json_object_object_get_ex(opts, key, &v)) {
        err_set(e, EINVAL, "driver %s needs '%s'", n->drv->name, key);
        return NULL;
    }
    if (json_object_is_type(v, json_type_string)) {
        const char *name = json_object_get_string(v);
        struct blk_node *c = blk_node_find(n->graph, name);
        if (c) {
            blk_node_ref(c);
        } else if (!strcmp(key, "file")) { /* -drive file=NAME,driver=qcow2 */
            c = blk_node_open_file(n->graph, name, "file", flags, e);
        } else {
            err_set(e, ENOENT, "Cannot find device='%s' nor node-name='%s'", name, name);
        }
        json_object_object_del(opts, key);
        return c;
    }
    if (!json_object_is_type(v, json_type_object)) {
        err_set(e, EINVAL, "'%s' is a node-name or the options of a node", key);
        return NULL;
    }
    json_object_get(v);
    json_object_object_del(opts, key);
    struct json_object *fn;
    if (!strcmp(key, "file") && !json_object_object_get_ex(v, "driver", NULL) && json_object_object_get_ex(v, "filename", &fn)) {
        const char *rest;
        set(v, "driver", protocol_of(json_object_get_string(fn), &rest)->name);
    }
    return blk_node_open(n->graph, v, flags, e);
}

/* --- backing files ------------------------------------------------------------------------------------------------------------------ */

char *blk_path_combine(const char *base, const char *name)
{
    const char *slash = base ? strrchr(base, '/') : NULL, *rest;
    char *out = NULL;
    bool has_protocol = !strncmp(name, "json:", 5) || protocol_of(name, &rest) != blk_driver_find("file");
    if (!slash || name[0] == '/' || has_protocol) return strdup(name);
    if (!strncmp(name, "file:", 5)) name += 5;
    if (asprintf(&out, "%.*s/%s", (int)(slash - base), base, name) < 0) return NULL;
    return out;
}

/* What the image names, as raw or the format that it names. */
static struct blk_node *open_named(struct blk_node *n, unsigned flags, struct err *e)
{
    struct blk_node *b = NULL;
    char *path = blk_path_combine(n->filename ? n->filename : n->file ? n->file->filename : NULL, n->backing_name);
    const char *fmt = n->backing_fmt && *n->backing_fmt ? n->backing_fmt : NULL;
    if (!path) return NULL;
    if (fmt || (flags & BLK_PROBE) || !strncmp(path, "json:", 5)) {
        b = blk_node_open_file(n->graph, path, fmt, flags, e);
    } else if ((b = blk_node_open_file(n->graph, path, "raw", flags, e))) {
        const struct blk_driver *d = probe_file(b, path, e);
        if (!d || strcmp(d->name, "raw")) {
            if (d)
                err_set(e, EINVAL, "image '%s' does not say of which format its backing file '%s' is (it looks like %s, which is not "
                        "trusted); 'rebase -u -F %s -b ...' writes that into the image", n->filename ? n->filename : n->name,
                        n->backing_name, d->name, d->name);
            blk_node_unref(b, NULL);
            b = NULL;
        }
    }
    if (!b && e && !strstr(e->msg, "backing")) {
        char msg[sizeof e->msg];
        memcpy(msg, e->msg, sizeof msg);
        err_set(e, e->code, "Could not open backing file: %.200s", msg);
    }
    free(path);
    return b;
}

int blk_open_backing(struct blk_node *n, struct json_object *opts, struct err *e)
{
    struct json_object *v;
    unsigned flags = (n->flags & ~(unsigned)(BLK_RDWR | BLK_RESIZE | BLK_CHECK)) + DEPTH_ONE;
    if (json_object_object_get_ex(opts, "backing", &v)) {
        if (!v || (json_object_is_type(v, json_type_string) && !*json_object_get_string(v))) {
            json_object_object_del(opts, "backing");
            return 0;
        }
        n->backing = blk_open_child(n, opts, "backing", flags, e);
        return n->backing ? 0 : -EINVAL;
    }
    if (!n->backing_name || !*n->backing_name || (n->flags & BLK_NO_BACKING)) return 0;
    if (flags / DEPTH_ONE > MAX_DEPTH)
        return err_set(e, ELOOP, "the chain of backing files of '%s' does not end", n->filename ? n->filename : n->name);
    struct err why = { 0 };
    n->backing = open_named(n, flags, &why);
    if (n->backing) return 0;
    return err_set(e, why.code ? why.code : EINVAL, "%s", why.msg);
}
