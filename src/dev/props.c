/*
 * props.c: properties of devices: defaults, texts to values and back, help, and words near to one that is not there.
 * Known gaps: none.
 */
#include "dev/core.h"

#include <stdio.h>
#include <stdlib.h>
#include "io/opts.h"

/* --- words near to a word ------------------------------------------------------------------------------------------------------ */

/* Edits that make b of a: inserted, left out, replaced letters; exchanged neighbours count one. At most 31 letters are looked at. */
static unsigned distance(const char *a, const char *b)
{
    enum { N = 32 };
    unsigned d[3][N], na = (unsigned)MIN(strlen(a), N - 1u), nb = (unsigned)MIN(strlen(b), N - 1u);
    for (unsigned j = 0; j <= nb; j++) d[1][j] = j;
    for (unsigned i = 1; i <= na; i++) {
        unsigned *cur = d[(i + 1) % 3], *prev = d[i % 3], *prev2 = d[(i + 2) % 3];
        cur[0] = i;
        for (unsigned j = 1; j <= nb; j++) {
            unsigned best = prev[j - 1] + (a[i - 1] != b[j - 1]);
            best = MIN(best, MIN(prev[j], cur[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) best = MIN(best, prev2[j - 2] + 1);
            cur[j] = best;
        }
    }
    return d[(na + 1) % 3][nb];
}

const char *near_words(char *buf, size_t size, const char *word, const char *(*next)(void *ctx, unsigned i), void *ctx)
{
    const char *best[3] = { 0 }, *w;
    unsigned score[3] = { 0 }, limit = ((unsigned)strlen(word) + 2) / 3, n = 0;
    for (unsigned i = 0; (w = next(ctx, i)); i++) {
        unsigned s = distance(word, w);
        if (s > 0 && strlen(word) >= 3 && strstr(w, word)) s = MIN(s, 2u); /* a part of it was written */
        if (s > limit) continue;
        unsigned at = n;
        while (at > 0 && score[at - 1] > s) at--;
        if (at >= 3) continue;
        for (unsigned k = MIN(n, 2u); k > at; k--) best[k] = best[k - 1], score[k] = score[k - 1];
        best[at] = w, score[at] = s;
        n = MIN(n + 1, 3u);
    }
    buf[0] = 0;
    for (unsigned i = 0; i < n; i++) {
        size_t at = strlen(buf);
        snprintf(buf + at, size - at, "%s'%s'", !i ? "; did you mean " : i + 1 == n ? " or " : ", ", best[i]);
    }
    if (n) {
        size_t at = strlen(buf);
        snprintf(buf + at, size - at, "?");
    }
    return buf;
}

/* --- setting --------------------------------------------------------------------------------------------------------------------- */

const struct prop *props_find(const struct device *cls, const char *name, unsigned *i)
{
    for (unsigned n = 0; n < cls->nprops; n++)
        if (!strcmp(cls->props[n].name, name)) {
            if (i) *i = n;
            return &cls->props[n];
        }
    return NULL;
}

static const char *nth_prop(void *ctx, unsigned i)
{
    const struct device *cls = ctx;
    return i < cls->nprops ? cls->props[i].name : NULL;
}

static unsigned width(enum prop_type t)
{
    switch (t) {
    case PROP_T_BOOL: case PROP_T_U8: return 1;
    case PROP_T_U16: return 2;
    case PROP_T_U32: case PROP_T_ENUM: case PROP_T_ONOFFAUTO: case PROP_T_PCI_ADDR: return 4;
    default: return 8;
    }
}

static const char *const type_names[] = { "bool", "uint8", "uint16", "uint32", "uint64", "size", "str", "str", "str", "str", "str", "str",
                                          "str", "OnOffAuto", "int32" };

static void put(struct dev *d, const struct prop *p, uint64_t v)
{
    if (p->type == PROP_T_BOOL) *(bool *)((uint8_t *)d + p->field) = v != 0;
    else memcpy((uint8_t *)d + p->field, &v, width(p->type));
}

static void put_ptr(struct dev *d, const struct prop *p, const void *ptr)
{
    memcpy((uint8_t *)d + p->field, &ptr, sizeof ptr);
}

static bool parse_num(const char *s, uint64_t *v, bool *overflow, bool size)
{
    static const char suffix[] = "bkmgtpe";
    char *end;
    if (*s < '0' || *s > '9') return false;
    errno = 0;
    unsigned long long x = strtoull(s, &end, 0);
    *overflow = errno == ERANGE;
    if (size && *end) {
        const char *u = strchr(suffix, *end | 0x20);
        unsigned sh = u ? 10 * (unsigned)(u - suffix) : 0;
        if (!u || end[1]) return false;
        if (x > UINT64_MAX >> sh) *overflow = true;
        x <<= sh;
        end++;
    }
    *v = x;
    return !*end;
}

static int set_num(struct dev *d, const struct prop *p, const char *value, struct err *e)
{
    uint64_t v, type_max = bits_mask(8 * width(p->type)), max = p->min || p->max ? p->max : type_max;
    bool over;
    if (!parse_num(value, &v, &over, p->type == PROP_T_SIZE))
        return err_set(e, EINVAL, "Parameter '%s' expects %s", p->name, p->type == PROP_T_SIZE ? "size" : "integer");
    if (over || v > type_max) return err_set(e, ERANGE, "Parameter '%s' expects %s_t", p->name, type_names[p->type]);
    if (v < p->min || v > max)
        return err_set(e, ERANGE, "Property %s.%s doesn't take value %llu (minimum: %llu, maximum: %llu)", d->cls->name, p->name,
                       (unsigned long long)v, (unsigned long long)p->min, (unsigned long long)max);
    put(d, p, v);
    return 0;
}

static int set_bool(struct dev *d, const struct prop *p, const char *value, struct err *e)
{
    static const char *const yes[] = { "on", "yes", "true", "y" }, *const no[] = { "off", "no", "false", "n" };
    for (unsigned i = 0; i < ARRAY_LEN(yes); i++) {
        if (!strcmp(value, yes[i])) return put(d, p, 1), 0;
        if (!strcmp(value, no[i])) return put(d, p, 0), 0;
    }
    return err_set(e, EINVAL, "Parameter '%s' expects 'on' or 'off'", p->name);
}

static int set_word(struct dev *d, const struct prop *p, const char *const *names, const char *value, struct err *e)
{
    char list[160] = "";
    for (unsigned i = 0; names[i]; i++) {
        if (!strcmp(names[i], value)) return put(d, p, i), 0;
        size_t at = strlen(list);
        snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "", names[i]);
    }
    return err_set(e, EINVAL, "Parameter '%s' does not accept value '%s' (it takes %s)", p->name, value, list);
}

static int set_mac(struct dev *d, const struct prop *p, const char *value, struct err *e)
{
    unsigned v[6];
    char sep = strchr(value, '-') ? '-' : ':', format[40], tail;
    snprintf(format, sizeof format, "%%2x%c%%2x%c%%2x%c%%2x%c%%2x%c%%2x%%c", sep, sep, sep, sep, sep);
    if (sscanf(value, format, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &tail) != 6)
        return err_set(e, EINVAL, "Property '%s.%s' doesn't take value '%s'", d->cls->name, p->name, value);
    for (unsigned i = 0; i < 6; i++) *((uint8_t *)d + p->field + i) = (uint8_t)v[i];
    return 0;
}

static int set_pci_addr(struct dev *d, const struct prop *p, const char *value, struct err *e)
{
    unsigned slot, fn = 0;
    char tail;
    int n = strchr(value, '.') ? sscanf(value, "%x.%x%c", &slot, &fn, &tail) : sscanf(value, "%x%c", &slot, &tail) + 1;
    if (n != 2 || slot > 31 || fn > 7) return err_set(e, EINVAL, "Property '%s.%s' doesn't take value '%s'", d->cls->name, p->name, value);
    put(d, p, slot << 3 | fn);
    return 0;
}

static int set_ref(struct dev *d, const struct prop *p, const char *value, struct err *e)
{
    const struct dev_resolver *r = d->board->resolver;
    const void *ptr = NULL;
    struct err why = { 0 };
    switch (p->type) {
    case PROP_T_CHR: ptr = r && r->chr ? r->chr(r->ctx, value, &why) : NULL; break;
    case PROP_T_BLK: ptr = r && r->blk ? r->blk(r->ctx, value, &why) : NULL; break;
    case PROP_T_NET: ptr = r && r->net ? r->net(r->ctx, value, &why) : NULL; break;
    default: ptr = dev_find(d->board, value); break;
    }
    if (!ptr && why.code && why.code != ENOENT) {
        if (e) *e = why;
        return -why.code;
    }
    if (!ptr) return err_set(e, ENOENT, "Property '%s.%s' can't find value '%s'", d->cls->name, p->name, value);
    if (p->type == PROP_T_BLK && r->take_blk) {
        struct blk *b = (struct blk *)(uintptr_t)ptr, *old;
        int rc = r->take_blk(r->ctx, b, d, e);
        if (rc) return rc;
        memcpy(&old, (uint8_t *)d + p->field, sizeof old);
        if (old && r->drop_blk) r->drop_blk(r->ctx, old, d);
    }
    put_ptr(d, p, ptr);
    return 0;
}

static int set_str(struct dev *d, const struct prop *p, const char *value)
{
    size_t n = strlen(value) + 1;
    put_ptr(d, p, memcpy(dev_alloc(d, n), value, n));
    return 0;
}

static const char *const onoffauto[] = { "auto", "on", "off", NULL };

int dev_set(struct dev *d, const char *name, const char *value, struct err *e)
{
    unsigned i = 0;
    const struct prop *p = props_find(d->cls, name, &i);
    int r = 0;
    if (!p) {
        char near[160];
        return err_set(e, ENOENT, "Property '%s.%s' not found%s", d->cls->name, name,
                       near_words(near, sizeof near, name, nth_prop, (void *)(uintptr_t)d->cls));
    }
    switch (p->type) {
    case PROP_T_BOOL: r = set_bool(d, p, value, e); break;
    case PROP_T_U8: case PROP_T_U16: case PROP_T_U32: case PROP_T_U64: case PROP_T_SIZE: r = set_num(d, p, value, e); break;
    case PROP_T_STR: r = set_str(d, p, value); break;
    case PROP_T_CHR: case PROP_T_BLK: case PROP_T_NET: case PROP_T_DEV: r = set_ref(d, p, value, e); break;
    case PROP_T_MAC: r = set_mac(d, p, value, e); break;
    case PROP_T_ENUM: r = set_word(d, p, p->names, value, e); break;
    case PROP_T_ONOFFAUTO: r = set_word(d, p, onoffauto, value, e); break;
    case PROP_T_PCI_ADDR: r = set_pci_addr(d, p, value, e); break;
    }
    if (!r && i < 128) d->props_set[i / 64] |= 1ull << i % 64;
    return r;
}

bool dev_prop_given(const struct dev *d, const char *name)
{
    unsigned i = 0;
    return props_find(d->cls, name, &i) && i < 128 && d->props_set[i / 64] >> i % 64 & 1;
}

int dev_set_list(struct dev *d, const char *list, struct err *e)
{
    struct opts o = { 0 };
    int r = list && *list ? opts_parse(&o, list, NULL, e) : 0;
    for (uint32_t i = 0; !r && i < o.count; i++) r = dev_set(d, o.list[i].key, o.list[i].val, e);
    opts_free(&o);
    return r;
}

void dev_resolve_with(struct board *b, const struct dev_resolver *r)
{
    if (!b->resolver) b->resolver = xalloc(sizeof *b->resolver);
    *b->resolver = *r;
}

int props_init(struct dev *d, struct err *e)
{
    for (unsigned i = 0; i < d->cls->nprops; i++) {
        const struct prop *p = &d->cls->props[i];
        switch (p->type) {
        case PROP_T_STR: if (p->def_str) set_str(d, p, p->def_str); break;
        case PROP_T_CHR: case PROP_T_BLK: case PROP_T_NET: case PROP_T_DEV: case PROP_T_MAC: break;
        default: put(d, p, p->def);
        }
    }
    return 0;
}

/* --- reading, help ------------------------------------------------------------------------------------------------------------------ */

/* CHR, BLK, NET: the objects' names are not known here. */
static bool value_text(struct dev *d, const struct prop *p, char *buf, size_t size)
{
    const uint8_t *f = (uint8_t *)d + p->field;
    uint64_t v = 0;
    const void *ptr;
    memcpy(&v, f, MIN(width(p->type), 8u));
    memcpy(&ptr, f, sizeof ptr);
    switch (p->type) {
    case PROP_T_BOOL: snprintf(buf, size, "%s", v & 1 ? "on" : "off"); break;
    case PROP_T_STR: snprintf(buf, size, "%s", ptr ? (const char *)ptr : ""); break;
    case PROP_T_DEV: snprintf(buf, size, "%s", ptr && ((const struct dev *)ptr)->id ? ((const struct dev *)ptr)->id : ""); break;
    case PROP_T_CHR: case PROP_T_BLK: case PROP_T_NET: snprintf(buf, size, "%s", ptr ? "set" : ""); break;
    case PROP_T_MAC: snprintf(buf, size, "%02x:%02x:%02x:%02x:%02x:%02x", f[0], f[1], f[2], f[3], f[4], f[5]); break;
    case PROP_T_ENUM: {
        unsigned n = 0;
        while (p->names[n] && n < v) n++;
        snprintf(buf, size, "%s", p->names[n] ? p->names[n] : "");
        break;
    }
    case PROP_T_ONOFFAUTO: snprintf(buf, size, "%s", v < 3 ? onoffauto[v] : ""); break;
    case PROP_T_PCI_ADDR:
        if ((int32_t)v < 0) snprintf(buf, size, "-1");
        else snprintf(buf, size, "%02x.%u", (unsigned)v >> 3 & 31, (unsigned)v & 7);
        break;
    default: snprintf(buf, size, "%llu", (unsigned long long)v);
    }
    return true;
}

bool dev_get(struct dev *d, const char *prop, char *buf, size_t size)
{
    const struct prop *p = props_find(d->cls, prop, NULL);
    return p && value_text(d, p, buf, size);
}

/* Back ends that were taken are given back. */
void props_free(struct dev *d)
{
    const struct dev_resolver *r = d->board->resolver;
    for (unsigned i = 0; i < d->cls->nprops; i++) {
        const struct prop *p = &d->cls->props[i];
        struct blk *b;
        if (p->type != PROP_T_BLK || !r || !r->drop_blk) continue;
        memcpy(&b, (uint8_t *)d + p->field, sizeof b);
        if (b) r->drop_blk(r->ctx, b, d);
    }
}

static void default_text(const struct prop *p, char *buf, size_t size)
{
    buf[0] = 0;
    switch (p->type) {
    case PROP_T_BOOL: snprintf(buf, size, " (default: %s)", p->def ? "true" : "false"); break;
    case PROP_T_U8: case PROP_T_U16: case PROP_T_U32: case PROP_T_U64: case PROP_T_SIZE:
        snprintf(buf, size, " (default: %llu)", (unsigned long long)p->def);
        break;
    case PROP_T_PCI_ADDR: snprintf(buf, size, " (default: %d)", (int)p->def); break;
    case PROP_T_ENUM: snprintf(buf, size, " (default: \"%s\")", p->names[p->def]); break;
    case PROP_T_ONOFFAUTO: snprintf(buf, size, " (default: \"%s\")", onoffauto[p->def]); break;
    case PROP_T_STR: if (p->def_str) snprintf(buf, size, " (default: \"%s\")", p->def_str); break;
    default: break;
    }
}

static const char *type_help(const struct prop *p)
{
    switch (p->type) {
    case PROP_T_CHR: return "ID of a chardev to use as a backend";
    case PROP_T_BLK: return "Node name or ID of a block device to use as a backend";
    case PROP_T_NET: return "ID of a netdev to use as a backend";
    case PROP_T_MAC: return "Ethernet 6-byte MAC Address, example: 52:54:00:12:34:56";
    case PROP_T_PCI_ADDR: return "Slot and optional function number, example: 06.0 or 06";
    case PROP_T_ONOFFAUTO: return "on/off/auto";
    default: return "";
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct prop *const *)a)->name, (*(const struct prop *const *)b)->name);
}

void dev_describe(const struct device *cls, void (*out)(void *ctx, const char *line), void *ctx)
{
    char line[320], head[80], def[80];
    const struct prop **list = xalloc((cls->nprops + 1) * sizeof *list);
    for (unsigned i = 0; i < cls->nprops; i++) list[i] = &cls->props[i];
    qsort(list, cls->nprops, sizeof *list, by_name);
    snprintf(line, sizeof line, cls->nprops ? "%s options:" : "There are no options for %s.", cls->name);
    out(ctx, line);
    for (unsigned i = 0; i < cls->nprops; i++) {
        const struct prop *p = list[i];
        snprintf(head, sizeof head, "%s=<%s>", p->name, type_names[p->type]);
        default_text(p, def, sizeof def);
        snprintf(line, sizeof line, "  %-22s - %s%s", head, p->help ? p->help : type_help(p), def);
        out(ctx, line);
    }
    free(list);
}

void dev_list(void (*out)(void *ctx, const char *line), void *ctx)
{
    static const char *const order[] = { "Controller/Bridge/Hub devices", "USB devices", "Storage devices", "Network devices",
                                         "Input devices", "Display devices", "Sound devices", "Misc devices", "CPU devices",
                                         "Watchdog devices", NULL };
    char line[320], alias[80], desc[160];
    bool first = true;
    for (unsigned c = 0; c < ARRAY_LEN(order); c++) {
        bool title = false;
        for (const struct device *const *p = device_registry; *p; p++) {
            const struct device *d = *p;
            unsigned in = 0;
            while (order[in] && (!d->category || strcmp(order[in], d->category))) in++;
            if (!d->user_creatable || in != c) continue;
            if (!title) {
                if (!first) out(ctx, "");
                snprintf(line, sizeof line, "%s:", order[c] ? order[c] : "Uncategorized devices");
                out(ctx, line);
                title = true, first = false;
            }
            alias[0] = desc[0] = 0;
            if (d->alias) snprintf(alias, sizeof alias, ", alias \"%s\"", d->alias);
            if (d->help) snprintf(desc, sizeof desc, ", desc \"%s\"", d->help);
            snprintf(line, sizeof line, "name \"%s\"%s%s%s%s", d->name, d->bus ? ", bus " : "",
                     !d->bus ? "" : !strcmp(d->bus, "pci") ? "PCI" : d->bus, alias, desc);
            out(ctx, line);
        }
    }
}
