/*
 * objects.c: objects by id. Known gaps: secrets are plain or base64 (no keyid=); memory backends and random sources are accepted where
 * what they would say is the default.
 */
#include "sys/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include "dev/iothread.h"
#include "io/block/blk.h"
#include "io/block/leaky.h"
#include "io/net/net.h"
#include "machine/machine.h"
#include "sys/base64.h"

enum { SECRET_MAX = 65536, OBJECTS_MAX = 1024 };

struct kind {
    const char *name;
    const char *props;           /* "a,b": those that there may be; "x.*": members; NULL: any */
    int (*make)(struct objects *s, struct object *o, struct err *e);
    int (*gone)(struct objects *s, struct object *o, struct err *e); /* -EBUSY: it stays; NULL: nothing to do */
};
struct object {
    struct object *next;
    const struct kind *kind;
    char *id;
    struct opts props;
    struct iothread *thread;
    char *text;
};
struct objects {
    struct loop *loop;
    struct blk_graph *blks;
    struct net_set *nets;
    struct object *list;
    unsigned count;
};

/* --- kinds -------------------------------------------------------------------------------------------------------------------- */

static int make_iothread(struct objects *s, struct object *o, struct err *e)
{
    o->thread = iothread_new(s->loop, o->id, e);
    return o->thread ? 0 : -EAGAIN;
}

static int gone_iothread(struct objects *s, struct object *o, struct err *e)
{
    if (iothread_users(o->thread)) return err_set(e, EBUSY, "object '%s' is in use, can not be deleted", o->id);
    iothread_free(o->thread);
    return 0;
}

/* "limits.bps-total", and the older "x-bps-total". */
static int limits_of(const struct opts *p, struct leaky_config *c, struct err *e)
{
    static const char *const prefix[] = { "limits.", "x-" };
    int r = 0;
    for (unsigned i = 0; !r && i < LEAKY_KINDS * 2; i++) {
        const char *pre = prefix[i / LEAKY_KINDS], *name = leaky_names[i % LEAKY_KINDS];
        struct { const char *tail; uint64_t *v; } row[] = {
            { "", &c->rate[i % LEAKY_KINDS].avg }, { "-max", &c->rate[i % LEAKY_KINDS].max }, { "-max-length", &c->rate[i % LEAKY_KINDS].length },
        };
        for (unsigned k = 0; !r && k < 3; k++) {
            char key[64];
            snprintf(key, sizeof key, "%s%s%s", pre, name, row[k].tail);
            r = opts_size(p, key, *row[k].v, row[k].v, e);
        }
    }
    if (!r) r = opts_size(p, "limits.iops-size", 0, &c->op_size, e);
    return r ? r : opts_size(p, "x-iops-size", c->op_size, &c->op_size, e);
}

static int make_group(struct objects *s, struct object *o, struct err *e)
{
    struct leaky_config c = { 0 };
    int r = limits_of(&o->props, &c, e);
    if (!r) r = opts_check(&o->props, "throttle-group", e);
    return r ? r : blk_group_new(s->blks, o->id, &c, e);
}

static int gone_group(struct objects *s, struct object *o, struct err *e)
{
    return blk_group_del(s->blks, o->id, e);
}

static int make_secret(struct objects *s, struct object *o, struct err *e)
{
    const char *data = opts_get(&o->props, "data"), *file = opts_get(&o->props, "file"), *format = opts_str(&o->props, "format", "raw");
    uint8_t *buf;
    uint64_t len;
    if (!data == !file) return err_set(e, EINVAL, data ? "'file' and 'data' are mutually exclusive" : "Must provide 'file' or 'data'");
    if (opts_has(&o->props, "keyid")) return err_set(e, ENOTSUP, "keyid= is not here yet");
    if (strcmp(format, "raw") && strcmp(format, "base64")) return err_set(e, EINVAL, "Parameter 'format' does not accept value '%s'", format);
    if (file) {
        int r = image_read(file, SECRET_MAX, &buf, &len, e);
        if (r) return r;
        o->text = strndup((char *)buf, len);
        free(buf);
    } else {
        o->text = strdup(data);
    }
    if (strcmp(format, "base64")) return 0;
    ssize_t n = base64_decode(o->text);
    if (n < 0) return err_set(e, EINVAL, "secret '%s' is not base64", o->id);
    o->text[n] = 0;
    return 0;
}

static int make_dump(struct objects *s, struct object *o, struct err *e)
{
    uint64_t max;
    int r = opts_num(&o->props, "maxlen", 65536, 64, 1 << 20, &max, e);
    if (r) return r;
    return net_dump_new(s->nets, o->id, opts_str(&o->props, "netdev", ""), opts_str(&o->props, "file", "dump.pcap"), (uint32_t)max, e);
}

static int gone_dump(struct objects *s, struct object *o, struct err *e)
{
    net_dump_free(s->nets, o->id, NULL); /* it went with its netdev otherwise */
    return 0;
}

static const struct kind kinds[] = {
    { "iothread", "poll-max-ns,poll-grow,poll-shrink,aio-max-batch,thread-pool-min,thread-pool-max", make_iothread, gone_iothread },
    { "throttle-group", NULL, make_group, gone_group },
    { "secret", "data,file,format,keyid,iv", make_secret, NULL },
    { "filter-dump", "netdev,file,maxlen,queue,status,position,insert", make_dump, gone_dump },
    { "rng-random", "filename,opened", NULL, NULL },
    { "rng-builtin", "opened", NULL, NULL },
    { "memory-backend-ram", NULL, NULL, NULL },
    { "memory-backend-memfd", NULL, NULL, NULL },
};

static bool in_list(const char *list, const char *key)
{
    size_t n = strcspn(key, ".");
    for (const char *p = list; *p;) {
        size_t len = strcspn(p, ",");
        if (len == n && !strncmp(p, key, n)) return true;
        p += len + (p[len] == ',');
    }
    return false;
}

/* --- the set --------------------------------------------------------------------------------------------------------------------- */

struct objects *objects_new(struct loop *l, struct blk_graph *blks, struct net_set *nets)
{
    struct objects *s = xalloc(sizeof *s);
    *s = (struct objects){ .loop = l, .blks = blks, .nets = nets };
    return s;
}

static void drop(struct object *o)
{
    opts_free(&o->props);
    free(o->id);
    free(o->text);
    free(o);
}

void objects_free(struct objects *s)
{
    if (!s) return;
    while (s->list) {
        struct object *o = s->list;
        s->list = o->next;
        if (o->thread) iothread_free(o->thread);
        drop(o);
    }
    free(s);
}

int object_add(struct objects *s, const struct opts *in, struct err *e)
{
    const char *type = opts_get(in, "qom-type"), *id = opts_get(in, "id");
    const struct kind *k = NULL;
    if (!type) return err_set(e, EINVAL, "Parameter 'qom-type' is missing");
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
        if (!strcmp(kinds[i].name, type)) k = &kinds[i];
    if (!k) return err_set(e, EINVAL, "Parameter 'qom-type' does not accept value '%.80s'", type);
    if (!id) return err_set(e, EINVAL, "Parameter 'id' is missing");
    if (!opts_id_ok(id)) return err_set(e, EINVAL, "Parameter 'id' expects an identifier");
    if (object_find(s, id)) return err_set(e, EEXIST, "attempt to add duplicate property '%s' to object (type 'container')", id);
    if (s->count == OBJECTS_MAX) return err_set(e, ENOSPC, "more than %d objects", OBJECTS_MAX);
    struct object *o = xalloc(sizeof *o), **p = &s->list;
    o->kind = k;
    o->id = strdup(id);
    int r = 0;
    for (uint32_t i = 0; i < in->count && !r; i++) {
        const char *key = in->list[i].key;
        if (!strcmp(key, "qom-type") || !strcmp(key, "id")) continue;
        if (k->props && !in_list(k->props, key)) r = err_set(e, EINVAL, "Property '%s.%.80s' not found", type, key);
        opts_add(&o->props, key, in->list[i].val);
    }
    if (!r && k->make) r = k->make(s, o, e);
    if (r) {
        drop(o);
        return r;
    }
    while (*p) p = &(*p)->next;
    *p = o;
    s->count++;
    return 0;
}

int object_add_text(struct objects *s, const char *text, struct err *e)
{
    struct opts o = { 0 };
    int r = opts_parse(&o, text, "qom-type", e);
    if (!r) r = object_add(s, &o, e);
    opts_free(&o);
    return r;
}

int object_del(struct objects *s, const char *id, struct err *e)
{
    struct object *o = object_find(s, id);
    if (!o) return err_set(e, ENOENT, "object '%.80s' not found", id);
    int r = o->kind->gone ? o->kind->gone(s, o, e) : 0;
    if (r) return r;
    for (struct object **p = &s->list; *p; p = &(*p)->next)
        if (*p == o) {
            *p = o->next;
            break;
        }
    s->count--;
    drop(o);
    return 0;
}

/* --- asking ------------------------------------------------------------------------------------------------------------------------ */

struct object *object_next(struct objects *s, const struct object *after)
{
    return after ? after->next : s ? s->list : NULL;
}

struct object *object_find(struct objects *s, const char *id)
{
    struct object *o = s ? s->list : NULL;
    while (o && strcmp(o->id, id)) o = o->next;
    return o;
}

const char *object_id(const struct object *o)
{
    return o->id;
}

const char *object_type(const struct object *o)
{
    return o->kind->name;
}

const char *object_type_nth(unsigned i)
{
    return i < ARRAY_LEN(kinds) ? kinds[i].name : NULL;
}

const char *object_prop(const struct object *o, const char *name)
{
    return opts_get(&o->props, name);
}

const struct opts *object_props(const struct object *o)
{
    return &o->props;
}

int object_set(struct objects *s, struct object *o, const char *name, const struct opts *value, struct err *e)
{
    struct opts next = { 0 };
    struct leaky_config c = { 0 };
    if (o->kind->make != make_group) return err_set(e, ENOENT, "Property '%s.%.80s' not found", o->kind->name, name);
    opts_copy(&next, &o->props, NULL);
    if (!strcmp(name, "limits")) /* all of them anew: what is not named is no limit */
        for (uint32_t i = next.count; i--;)
            if (!strncmp(next.list[i].key, "limits.", 7) || !strncmp(next.list[i].key, "x-", 2)) opts_del(&next, next.list[i].key), i = MIN(i, next.count);
    for (uint32_t i = 0; i < value->count; i++) {
        char key[160];
        snprintf(key, sizeof key, "%s%s%s", name, *value->list[i].key ? "." : "", value->list[i].key);
        opts_add(&next, key, value->list[i].val);
    }
    for (uint32_t i = 0; i < next.count; i++) next.list[i].used = false;
    int r = limits_of(&next, &c, e);
    if (!r) r = opts_check(&next, "throttle-group", e);
    if (!r) r = blk_group_set(s->blks, o->id, &c, e);
    if (r) {
        opts_free(&next);
        return r;
    }
    opts_free(&o->props);
    o->props = next;
    return 0;
}

struct iothread *objects_iothread(void *objects, const char *id)
{
    struct object *o = object_find(objects, id);
    return o ? o->thread : NULL;
}

const char *objects_secret(struct objects *s, const char *id)
{
    struct object *o = object_find(s, id);
    return o ? o->text : NULL;
}
