/*
 * state.c: state of devices as a stream of bytes, little endian, that describes itself:
 *
 *   device: 'D' name(id or class) name(class) u16 version, items, 'E'
 *   item:   'I' name u32 element size, u32 count, the elements ('I': integers, 'B': bytes, 'T': a timer's deadline in ns)
 *   name:   u8 length, letters
 *
 * The loader takes nothing on trust: an item has to be in the class's tables, of that size and count, and its values in range.
 * Known gaps: none.
 */
#include "dev/core.h"

#include <stdio.h>
#include <stdlib.h>

enum { STATE_MAX = 256 << 20, BLOB_MAX = 64 << 20 };

/* --- writing -------------------------------------------------------------------------------------------------------------------- */

static void put(struct state_out *o, const void *p, size_t n)
{
    if (o->len + n > o->cap) {
        size_t cap = MAX(o->cap * 2, o->len + n + 256);
        o->buf = xrealloc(o->buf, o->cap, cap);
        o->cap = cap;
    }
    memcpy(o->buf + o->len, p, n);
    o->len += n;
}

static void put_num(struct state_out *o, uint64_t v, unsigned n)
{
    put(o, &v, n);
}

static void put_name(struct state_out *o, const char *s)
{
    size_t n = MIN(strlen(s), 255u);
    put_num(o, n, 1);
    put(o, s, n);
}

static void put_item(struct state_out *o, char kind, const char *prefix, const char *name, uint32_t size, uint32_t count)
{
    char full[256];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    put_num(o, (uint8_t)kind, 1);
    put_name(o, full);
    put_num(o, size, 4);
    put_num(o, count, 4);
}

void state_out_free(struct state_out *o)
{
    free(o->buf);
    *o = (struct state_out){ 0 };
}

/* Rows that show a field which an earlier row shows are that row's. */
static bool is_first(const struct reg *regs, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (regs[i].field_size && regs[i].field == regs[n].field) return false;
    return regs[n].field_size != 0;
}

static uint32_t reg_count(const struct reg *r)
{
    return r->count ? r->count : 1;
}

static uint32_t blob_len(const uint8_t *base, const struct state_field *f)
{
    uint32_t n;
    memcpy(&n, base + f->len_field, 4);
    return n;
}

/* A blob's field is a pointer; everything else lies in the struct. */
static void save_fields(struct state_out *o, const uint8_t *base, const struct state_field *f, unsigned n, const char *prefix)
{
    for (; n; n--, f++) {
        uint32_t count = f->count ? f->count : 1;
        const uint8_t *p = base + f->field;
        switch (f->type) {
        case STATE_T_INT:
            put_item(o, 'I', prefix, f->name, f->size, count);
            put(o, p, (size_t)f->size * count);
            break;
        case STATE_T_BYTES:
            put_item(o, 'B', prefix, f->name, f->size, count);
            put(o, p, (size_t)f->size * count);
            break;
        case STATE_T_TIMER: {
            const struct timer *t = (const void *)p;
            put_item(o, 'T', prefix, f->name, 8, 1);
            put_num(o, timer_is_set(t) ? t->when : TIMER_NEVER, 8);
            break;
        }
        case STATE_T_BLOB: {
            const uint8_t *data;
            uint32_t len = blob_len(base, f);
            memcpy(&data, p, sizeof data);
            put_item(o, 'B', prefix, f->name, data ? len : 0, 1);
            if (data) put(o, data, len);
            break;
        }
        case STATE_T_STRUCT:
            for (uint32_t i = 0; i < count; i++) {
                char sub[128];
                snprintf(sub, sizeof sub, "%s%s[%u].", prefix, f->name, i);
                save_fields(o, p + (size_t)i * f->size, f->sub, f->nsub, sub);
            }
            break;
        }
    }
}

void dev_save(struct dev *d, struct state_out *o)
{
    const struct device *c = d->cls;
    put_num(o, 'D', 1);
    put_name(o, d->id ? d->id : c->name);
    put_name(o, c->name);
    put_num(o, c->state_version, 2);
    for (unsigned i = 0; i < c->nregs; i++) {
        const struct reg *r = &c->regs[i];
        if (!is_first(c->regs, i)) continue;
        put_item(o, 'I', "reg.", r->name, r->field_size, reg_count(r));
        put(o, (uint8_t *)d + r->field, (size_t)r->field_size * reg_count(r));
    }
    save_fields(o, (uint8_t *)d, c->state, c->nstate, "");
    if (c->irqs) {
        put_item(o, 'B', "", "irq levels", c->irqs, 1);
        for (unsigned i = 0; i < c->irqs; i++) put_num(o, d->irq[i].level, 1);
    }
    put_num(o, d->failed ? 'F' : 'E', 1);
}

void dev_save_all(struct board *b, struct state_out *o)
{
    for (struct dev *d = b->devs; d; d = d->next)
        if (d->realized) dev_save(d, o);
    put_num(o, 'Z', 1);
}

/* --- reading --------------------------------------------------------------------------------------------------------------------- */

static const uint8_t *take(struct state_in *in, size_t n)
{
    if (n > in->len - in->at) return NULL;
    const uint8_t *p = in->buf + in->at;
    in->at += n;
    return p;
}

static bool take_num(struct state_in *in, uint64_t *v, unsigned n)
{
    const uint8_t *p = take(in, n);
    *v = 0;
    if (p) memcpy(v, p, n);
    return p != NULL;
}

static bool take_name(struct state_in *in, char name[256])
{
    uint64_t n;
    const uint8_t *p = take_num(in, &n, 1) ? take(in, n) : NULL;
    if (!p || memchr(p, 0, n)) return false;
    memcpy(name, p, n);
    name[n] = 0;
    return true;
}

struct item {
    char kind, name[256];
    uint32_t size, count;
    const uint8_t *data;
};

/* The load of one device: which of its fields have come. */
struct load {
    struct dev *d;
    struct state_in *in;
    struct err *e;
    uint64_t version;
    bool found;   /* the item is one of the class's */
    bool check;   /* looking for what is missing */
    unsigned seen; /* items of the class that came */
};

static int bad(struct load *l, const char *name, const char *what)
{
    return err_set(l->e, EINVAL, "state of '%s': '%s' %s", l->d->id ? l->d->id : l->d->cls->name, name, what);
}

static int want(struct load *l, const struct item *it, char kind, uint32_t size, uint32_t count)
{
    l->found = true;
    if (it->kind != kind || it->size != size || it->count != count) return bad(l, it->name, "has another shape than this device's");
    return 0;
}

static int load_ints(struct load *l, const struct item *it, uint8_t *dst, const struct state_field *f)
{
    for (uint32_t i = 0; i < it->count; i++) {
        uint64_t v = 0;
        memcpy(&v, it->data + (size_t)i * it->size, it->size);
        if ((f->min || f->max) && (v < f->min || v > f->max)) return bad(l, it->name, "has a value out of range");
    }
    memcpy(dst, it->data, (size_t)it->size * it->count);
    return 0;
}

static int load_blob(struct load *l, const struct item *it, uint8_t *base, const struct state_field *f)
{
    uint8_t *data;
    l->found = true;
    /* Without a range, the length is this instance's. */
    bool fixed = !f->min && !f->max;
    uint32_t now = blob_len(base, f);
    memcpy(&data, base + f->field, sizeof data);
    if (it->kind != 'B' || it->count != 1 || it->size > BLOB_MAX || (fixed ? it->size != (data ? now : 0) : it->size < f->min || it->size > f->max))
        return bad(l, it->name, "has a wrong length");
    if (!fixed && it->size != now) data = it->size ? dev_alloc(l->d, it->size) : NULL;
    if (it->size) memcpy(data, it->data, it->size);
    memcpy(base + f->field, &data, sizeof data);
    memcpy(base + f->len_field, &it->size, 4);
    return 0;
}

static int load_field(struct load *l, const struct item *it, uint8_t *base, const struct state_field *f)
{
    uint32_t count = f->count ? f->count : 1;
    uint8_t *p = base + f->field;
    int r;
    switch (f->type) {
    case STATE_T_INT: return (r = want(l, it, 'I', f->size, count)) ? r : load_ints(l, it, p, f);
    case STATE_T_BYTES:
        if ((r = want(l, it, 'B', f->size, count))) return r;
        memcpy(p, it->data, (size_t)f->size * count);
        return 0;
    case STATE_T_TIMER: {
        uint64_t when;
        if ((r = want(l, it, 'T', 8, 1))) return r;
        memcpy(&when, it->data, 8);
        timer_set((struct timer *)(void *)p, when);
        return 0;
    }
    case STATE_T_BLOB: return load_blob(l, it, base, f);
    default: return 0;
    }
}

/* Looks for the item among the fields; or, with it == NULL, counts those that a stream of this version must have. */
static int load_fields(struct load *l, const struct item *it, uint8_t *base, const struct state_field *f, unsigned n, const char *prefix,
                       unsigned *need)
{
    for (; n && !l->found; n--, f++) {
        char full[256];
        if (f->type == STATE_T_STRUCT) {
            for (uint32_t i = 0; i < (f->count ? f->count : 1) && !l->found; i++) {
                snprintf(full, sizeof full, "%s%s[%u].", prefix, f->name, i);
                if (it && strncmp(it->name, full, strlen(full))) continue;
                int r = load_fields(l, it, base + f->field + (size_t)i * f->size, f->sub, f->nsub, full, need);
                if (r) return r;
            }
        } else if (!it) {
            *need += f->since <= l->version;
        } else {
            snprintf(full, sizeof full, "%s%s", prefix, f->name);
            if (strcmp(it->name, full)) continue;
            if (f->since <= l->version) l->seen++;
            return load_field(l, it, base, f);
        }
    }
    return 0;
}

static int load_item(struct load *l, const struct item *it)
{
    struct dev *d = l->d;
    const struct device *c = d->cls;
    l->found = false;
    for (unsigned i = 0; i < c->nregs; i++) {
        const struct reg *r = &c->regs[i];
        if (strncmp(it->name, "reg.", 4) || strcmp(it->name + 4, r->name) || !is_first(c->regs, i)) continue;
        int err = want(l, it, 'I', r->field_size, reg_count(r));
        if (!err) memcpy((uint8_t *)d + r->field, it->data, (size_t)it->size * it->count), l->seen++;
        return err;
    }
    if (!strcmp(it->name, "irq levels")) {
        int err = want(l, it, 'B', c->irqs, 1);
        if (err) return err;
        /* Silently: who hears them has the levels in its own state. */
        for (unsigned i = 0; i < c->irqs; i++) {
            struct irq *q = &d->irq[i];
            bool level = it->data[i] & 1;
            if (d->wire[i].to) {
                struct dev_wire *w = q->ctx;
                if (w->level != level) w->to->wires->high[w->n] += level ? 1 : -1;
                w->level = level;
            } else if (q->set && q->level != level) {
                q->set(q->ctx, q->n, level);
            }
            q->level = level;
        }
        l->seen++;
        return 0;
    }
    int err = load_fields(l, it, (uint8_t *)d, c->state, c->nstate, "", NULL);
    return err || l->found ? err : bad(l, it->name, "is not known here");
}

static int load_body(struct load *l)
{
    const struct device *c = l->d->cls;
    unsigned need = c->irqs != 0;
    for (;;) {
        struct item it = { 0 };
        uint64_t kind, size, count;
        if (!take_num(l->in, &kind, 1)) return bad(l, "end", "is missing");
        if (kind == 'E' || kind == 'F') {
            l->d->failed = kind == 'F';
            break;
        }
        if (!take_name(l->in, it.name) || !take_num(l->in, &size, 4) || !take_num(l->in, &count, 4) || size > BLOB_MAX || count > BLOB_MAX ||
            size * count > BLOB_MAX || !(it.data = take(l->in, size * count)))
            return bad(l, it.name, "is cut off or too large");
        it.kind = (char)kind, it.size = (uint32_t)size, it.count = (uint32_t)count;
        int r = load_item(l, &it);
        if (r) return r;
    }
    for (unsigned i = 0; i < c->nregs; i++) need += is_first(c->regs, i);
    l->found = false;
    load_fields(l, NULL, (uint8_t *)l->d, c->state, c->nstate, "", &need);
    if (l->seen != need) return bad(l, "items", "are missing or came twice");
    return c->loaded ? c->loaded(l->d, l->e) : 0;
}

static int load_head(struct state_in *in, char id[256], char cls[256], uint64_t *version, struct err *e)
{
    uint64_t kind;
    if (!take_num(in, &kind, 1)) return err_set(e, EINVAL, "saved state: its end is missing");
    if (kind == 'Z') return 1;
    if (kind != 'D' || !take_name(in, id) || !take_name(in, cls) || !take_num(in, version, 2))
        return err_set(e, EINVAL, "saved state: no device begins at byte %zu", in->at);
    return 0;
}

static int load_one(struct dev *d, struct state_in *in, const char *cls, uint64_t version, struct err *e)
{
    if (strcmp(cls, d->cls->name)) return err_set(e, EINVAL, "state of '%s' is that of a '%s', not of a '%s'", d->id ? d->id : "", cls, d->cls->name);
    if (version > d->cls->state_version)
        return err_set(e, EINVAL, "state of '%s' is of version %llu, newer than %u", d->id ? d->id : cls, (unsigned long long)version,
                       d->cls->state_version);
    struct load l = { .d = d, .in = in, .e = e, .version = version };
    return load_body(&l);
}

int dev_load(struct dev *d, struct state_in *in, struct err *e)
{
    char id[256], cls[256];
    uint64_t version;
    int r = load_head(in, id, cls, &version, e);
    if (r) return r > 0 ? err_set(e, EINVAL, "saved state: no device in it") : r;
    return load_one(d, in, cls, version, e);
}

/* Anonymous devices are known by their class and come in the order of their making. */
int dev_load_all(struct board *b, struct state_in *in, struct err *e)
{
    struct dev *at = b->devs;
    if (in->len > STATE_MAX) return err_set(e, EINVAL, "saved state: more than %d MiB", STATE_MAX >> 20);
    for (;;) {
        char id[256], cls[256];
        uint64_t version;
        int r = load_head(in, id, cls, &version, e);
        while (at && !at->realized) at = at->next;
        if (r > 0 && at) return err_set(e, EINVAL, "saved state: nothing of device '%s'", at->id ? at->id : at->cls->name);
        if (r) return r > 0 ? 0 : r;
        if (!at || strcmp(id, at->id ? at->id : at->cls->name))
            return err_set(e, EINVAL, "saved state: device '%s' where this machine has '%s'", id,
                           !at ? "none" : at->id ? at->id : at->cls->name);
        if ((r = load_one(at, in, cls, version, e))) return r;
        at = at->next;
    }
}
