/*
 * fdt.c: device trees in memory; written and read as blobs by libfdt. Devicetree Specification 0.4, chapters 2 and 5. Known gaps: none.
 */
#include "dev/fdt.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>

struct fdt_prop {
    struct fdt_prop *next;
    char *name;
    uint8_t *data;
    uint32_t len;
};

struct fdt_node {
    struct fdt *fdt;
    struct fdt_node *parent, *next, *first;
    struct fdt_prop *props;
    char *name;
};

struct fdt {
    struct fdt_node *root;
    uint32_t phandle; /* the last one given */
};

/* --- nodes ------------------------------------------------------------------------------------------------------------------ */

static struct fdt_node *node_new(struct fdt *f, struct fdt_node *parent, const char *name)
{
    struct fdt_node *n = xalloc(sizeof *n);
    n->fdt = f;
    n->parent = parent;
    n->name = strdup(name);
    if (parent) {
        struct fdt_node **p = &parent->first;
        while (*p) p = &(*p)->next;
        *p = n;
    }
    return n;
}

struct fdt *fdt_new(void)
{
    struct fdt *f = xalloc(sizeof *f);
    f->root = node_new(f, NULL, "");
    return f;
}

static void prop_free(struct fdt_prop *p)
{
    free(p->name);
    free(p->data);
    free(p);
}

static void node_free(struct fdt_node *n)
{
    while (n->first) {
        struct fdt_node *c = n->first;
        n->first = c->next;
        node_free(c);
    }
    while (n->props) {
        struct fdt_prop *p = n->props;
        n->props = p->next;
        prop_free(p);
    }
    free(n->name);
    free(n);
}

void fdt_free(struct fdt *f)
{
    if (!f) return;
    node_free(f->root);
    free(f);
}

struct fdt_node *fdt_root(struct fdt *f) { return f->root; }
struct fdt *fdt_of(struct fdt_node *n) { return n->fdt; }
const char *fdt_name(const struct fdt_node *n) { return n->name; }
struct fdt_node *fdt_first(const struct fdt_node *n) { return n->first; }
struct fdt_node *fdt_next(const struct fdt_node *n) { return n->next; }

static struct fdt_node *child_named(const struct fdt_node *parent, const char *name, size_t len)
{
    for (struct fdt_node *c = parent->first; c; c = c->next)
        if (!strncmp(c->name, name, len) && !c->name[len]) return c;
    return NULL;
}

struct fdt_node *fdt_child(struct fdt_node *parent, const char *fmt, ...)
{
    char name[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    struct fdt_node *c = child_named(parent, name, strlen(name));
    return c ? c : node_new(parent->fdt, parent, name);
}

struct fdt_node *fdt_find(struct fdt *f, const char *path)
{
    struct fdt_node *n = f->root;
    while (n && *path) {
        path += strspn(path, "/");
        size_t len = strcspn(path, "/");
        if (len) n = child_named(n, path, len);
        path += len;
    }
    return n;
}

void fdt_path(const struct fdt_node *n, char *buf, size_t size)
{
    if (!n->parent) {
        snprintf(buf, size, "/");
        return;
    }
    fdt_path(n->parent, buf, size);
    size_t at = strlen(buf);
    snprintf(buf + at, size - at, "%s%s", n->parent->parent ? "/" : "", n->name);
}

void fdt_remove(struct fdt_node *n)
{
    if (!n->parent) return;
    for (struct fdt_node **p = &n->parent->first; *p; p = &(*p)->next)
        if (*p == n) {
            *p = n->next;
            break;
        }
    node_free(n);
}

/* --- properties --------------------------------------------------------------------------------------------------------------- */

static struct fdt_prop *prop_of(const struct fdt_node *n, const char *name)
{
    for (struct fdt_prop *p = n->props; p; p = p->next)
        if (!strcmp(p->name, name)) return p;
    return NULL;
}

static struct fdt_prop *prop_make(struct fdt_node *n, const char *name)
{
    struct fdt_prop **p = &n->props;
    for (; *p; p = &(*p)->next)
        if (!strcmp((*p)->name, name)) return *p;
    *p = xalloc(sizeof **p);
    (*p)->name = strdup(name);
    return *p;
}

/* Bytes that a property of n has room for: lists grow by the cell. */
static size_t room(size_t n)
{
    size_t c = 16;
    while (c <= n) c *= 2;
    return c;
}

static void append(struct fdt_prop *p, const void *data, uint32_t len)
{
    size_t need = room((size_t)p->len + len);
    if (!p->data || need > room(p->len)) p->data = xrealloc(p->data, p->len, need);
    if (len) memcpy(p->data + p->len, data, len);
    p->len += len;
}

void fdt_set(struct fdt_node *n, const char *name, const void *data, uint32_t len)
{
    struct fdt_prop *p = prop_make(n, name);
    p->len = 0;
    free(p->data);
    p->data = NULL;
    append(p, data, len);
}

void fdt_set_empty(struct fdt_node *n, const char *name)
{
    fdt_set(n, name, NULL, 0);
}

void fdt_set_str(struct fdt_node *n, const char *name, const char *s)
{
    fdt_set(n, name, s, (uint32_t)strlen(s) + 1);
}

void fdt_set_strs(struct fdt_node *n, const char *name, const char *list)
{
    struct fdt_prop *p = prop_make(n, name);
    p->len = 0;
    for (; *list; list += *list == ';') {
        uint32_t len = (uint32_t)strcspn(list, ";");
        append(p, list, len);
        append(p, "", 1);
        list += len;
    }
}

void fdt_add_num(struct fdt_node *n, const char *name, uint64_t v, unsigned cells)
{
    struct fdt_prop *p = prop_make(n, name);
    for (unsigned i = cells; i-- > 0;) {
        uint32_t be = i > 1 ? 0 : __builtin_bswap32((uint32_t)(v >> (32 * i)));
        append(p, &be, 4);
    }
}

void fdt_add_cells(struct fdt_node *n, const char *name, const uint32_t *cells, unsigned count)
{
    if (!count) prop_make(n, name);
    for (unsigned i = 0; i < count; i++) fdt_add_num(n, name, cells[i], 1);
}

void fdt_set_cells(struct fdt_node *n, const char *name, const uint32_t *cells, unsigned count)
{
    prop_make(n, name)->len = 0;
    fdt_add_cells(n, name, cells, count);
}

void fdt_set_u32(struct fdt_node *n, const char *name, uint32_t v)
{
    fdt_set_cells(n, name, &v, 1);
}

void fdt_set_u64(struct fdt_node *n, const char *name, uint64_t v)
{
    prop_make(n, name)->len = 0;
    fdt_add_num(n, name, v, 2);
}

static unsigned parent_cells(const struct fdt_node *n, const char *name, unsigned def)
{
    uint32_t v;
    return n->parent && fdt_get_u32(n->parent, name, &v) && v <= 4 ? v : def;
}

void fdt_add_reg(struct fdt_node *n, uint64_t addr, uint64_t size)
{
    fdt_add_num(n, "reg", addr, parent_cells(n, "#address-cells", 2));
    fdt_add_num(n, "reg", size, parent_cells(n, "#size-cells", 1));
}

void fdt_set_reg(struct fdt_node *n, uint64_t addr, uint64_t size)
{
    prop_make(n, "reg")->len = 0;
    fdt_add_reg(n, addr, size);
}

const void *fdt_get(const struct fdt_node *n, const char *name, uint32_t *len)
{
    const struct fdt_prop *p = prop_of(n, name);
    if (!p) return NULL;
    if (len) *len = p->len;
    return p->data ? p->data : (const uint8_t *)"";
}

bool fdt_get_u32(const struct fdt_node *n, const char *name, uint32_t *v)
{
    const struct fdt_prop *p = prop_of(n, name);
    if (!p || p->len != 4) return false;
    memcpy(v, p->data, 4);
    *v = __builtin_bswap32(*v);
    return true;
}

void fdt_del(struct fdt_node *n, const char *name)
{
    for (struct fdt_prop **p = &n->props; *p; p = &(*p)->next)
        if (!strcmp((*p)->name, name)) {
            struct fdt_prop *gone = *p;
            *p = gone->next;
            prop_free(gone);
            return;
        }
}

uint32_t fdt_phandle(struct fdt_node *n)
{
    uint32_t h;
    if (fdt_get_u32(n, "phandle", &h)) return h;
    fdt_set_u32(n, "phandle", ++n->fdt->phandle);
    return n->fdt->phandle;
}

/* --- blobs ---------------------------------------------------------------------------------------------------------------------- */

static size_t measure(const struct fdt_node *n)
{
    size_t size = 16 + strlen(n->name);
    for (const struct fdt_prop *p = n->props; p; p = p->next) size += 16 + p->len + strlen(p->name) + 1;
    for (const struct fdt_node *c = n->first; c; c = c->next) size += measure(c);
    return size;
}

static int write_node(void *blob, const struct fdt_node *n)
{
    int r = fdt_begin_node(blob, n->name);
    for (const struct fdt_prop *p = n->props; p && !r; p = p->next) r = fdt_property(blob, p->name, p->data ? p->data : (const void *)"", (int)p->len);
    for (const struct fdt_node *c = n->first; c && !r; c = c->next) r = write_node(blob, c);
    return r ? r : fdt_end_node(blob);
}

int fdt_write(struct fdt *f, uint32_t room, uint8_t **blob, uint32_t *size, struct err *e)
{
    size_t need = measure(f->root) + 256 + room;
    if (need > FDT_MAX) return err_set(e, E2BIG, "the device tree needs %zu bytes, more than %d MiB", need, FDT_MAX >> 20);
    uint8_t *b = xalloc(need);
    int r = fdt_create(b, (int)need);
    if (!r) r = fdt_finish_reservemap(b);
    if (!r) r = write_node(b, f->root);
    if (!r) r = fdt_finish(b);
    if (!r && room) r = fdt_open_into(b, b, (int)(fdt_totalsize(b) + room));
    if (r) {
        free(b);
        return err_set(e, EINVAL, "cannot write the device tree: %s", fdt_strerror(r));
    }
    *blob = b;
    *size = fdt_totalsize(b);
    return 0;
}

struct fdt *fdt_read(const uint8_t *blob, size_t size, struct err *e)
{
    int r = size > FDT_MAX ? -FDT_ERR_NOSPACE : fdt_check_full(blob, size), depth = 0, off, p;
    if (r) {
        err_set(e, EINVAL, "not a device tree blob: %s", fdt_strerror(r));
        return NULL;
    }
    struct fdt *f = fdt_new();
    struct fdt_node *at[FDT_DEPTH] = { f->root };
    for (off = 0; off >= 0 && depth >= 0; off = fdt_next_node(blob, off, &depth)) {
        if (depth >= FDT_DEPTH) {
            err_set(e, EINVAL, "the device tree is deeper than %d levels", FDT_DEPTH);
            fdt_free(f);
            return NULL;
        }
        if (depth) at[depth] = node_new(f, at[depth - 1], fdt_get_name(blob, off, NULL));
        for (p = fdt_first_property_offset(blob, off); p >= 0; p = fdt_next_property_offset(blob, p)) {
            const char *name;
            int len;
            uint32_t h;
            const void *data = fdt_getprop_by_offset(blob, p, &name, &len);
            if (!data) continue;
            fdt_set(at[depth], name, data, (uint32_t)len);
            if (!strcmp(name, "phandle") && fdt_get_u32(at[depth], name, &h) && h != UINT32_MAX) f->phandle = MAX(f->phandle, h);
        }
    }
    return f;
}
