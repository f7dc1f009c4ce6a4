/* opts.c: option lists, from the command line's form and from JSON. */
#include "io/opts.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

/* --- the list -------------------------------------------------------------------------------------------------------------- */

void opts_free(struct opts *o)
{
    for (uint32_t i = 0; i < o->count; i++) {
        free(o->list[i].key);
        free(o->list[i].val);
    }
    free(o->list);
    *o = (struct opts){ 0 };
}

static char *copy(const char *s, size_t n)
{
    char *p = xalloc(n + 1);
    memcpy(p, s, n);
    return p;
}

static struct opt *set(struct opts *o, const char *key, const char *val)
{
    o->list = vec_grow(o->list, &o->cap, o->count + 1, sizeof *o->list);
    struct opt *p = &o->list[o->count++];
    *p = (struct opt){ .key = copy(key, strlen(key)), .val = copy(val, strlen(val)) };
    return p;
}

void opts_del(struct opts *o, const char *key)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < o->count; i++) {
        struct opt p = o->list[i];
        if (strcmp(p.key, key)) {
            o->list[left++] = p;
        } else {
            free(p.key);
            free(p.val);
        }
    }
    o->count = left;
}

void opts_add(struct opts *o, const char *key, const char *val)
{
    char *k = copy(key, strlen(key)), *v = copy(val, strlen(val)); /* they may be of what goes now */
    opts_del(o, k);
    set(o, k, v);
    free(k);
    free(v);
}

void opts_copy(struct opts *o, const struct opts *from, const char *prefix)
{
    size_t n = prefix ? strlen(prefix) : 0;
    for (uint32_t i = 0; i < from->count; i++) {
        struct opt *p = &from->list[i];
        if (prefix && strncmp(p->key, prefix, n)) continue;
        p->used = true;
        set(o, p->key + n, p->val)->flag = p->flag;
    }
}

char *opts_text(const struct opts *o)
{
    size_t len = 1;
    for (uint32_t i = 0; i < o->count; i++) len += strlen(o->list[i].key) + 2 * strlen(o->list[i].val) + 2;
    char *text = xalloc(len), *p = text;
    for (uint32_t i = 0; i < o->count; i++) {
        if (i) *p++ = ',';
        p = stpcpy(p, o->list[i].key);
        *p++ = '=';
        for (const char *v = o->list[i].val; *v; v++) {
            if (*v == ',') *p++ = ',';
            *p++ = *v;
        }
    }
    return text;
}

bool opts_id_ok(const char *id)
{
    if (!((*id >= 'a' && *id <= 'z') || (*id >= 'A' && *id <= 'Z'))) return false;
    return !id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._")];
}

/* --- text ---------------------------------------------------------------------------------------------------------------------- */

/* The value at *s up to a single comma, commas halved; *s is moved behind it and the comma. */
static char *value(const char **s)
{
    char *v = xalloc(strlen(*s) + 1), *p = v;
    const char *c = *s;
    for (; *c; c++) {
        if (*c == ',') {
            if (c[1] != ',') break;
            c++;
        }
        *p++ = *c;
    }
    *s = *c ? c + 1 : c;
    return v;
}

/* Without "=": the implied key's value (first item), or a flag: "x" is x=on, "nox" is x=off. */
static void add_bare(struct opts *o, const char *word, const char *implied)
{
    if (implied) {
        set(o, implied, word);
        return;
    }
    bool no = !strncmp(word, "no", 2) && word[2];
    set(o, no ? word + 2 : word, no ? "off" : "on")->flag = true;
}

int opts_parse(struct opts *o, const char *text, const char *implied, struct err *e)
{
    opts_free(o);
    if (*text == '{') {
        struct json_tokener *tok = json_tokener_new_ex(OPTS_DEPTH + 1);
        size_t len = strlen(text);
        struct json_object *obj = tok && len < INT32_MAX ? json_tokener_parse_ex(tok, text, (int)len + 1) : NULL;
        size_t end = obj ? json_tokener_get_parse_end(tok) : 0;
        int rc = json_object_is_type(obj, json_type_object) && !text[end + strspn(text + end, " \t\r\n")] ? opts_json(o, obj, e) :
            err_set(e, EINVAL, "'%.60s': not a JSON object%s%s", text, tok ? ": " : "",
                    tok ? json_tokener_error_desc(json_tokener_get_error(tok)) : "");
        json_object_put(obj);
        if (tok) json_tokener_free(tok);
        return rc;
    }
    for (const char *s = text; *s;) {
        const char *end = s + strcspn(s, ",="), *at = s;
        if (o->count >= OPTS_MAX) return err_set(e, EINVAL, "'%.60s...': more than %d settings", text, OPTS_MAX);
        if (*end == '=') {
            char *key = copy(s, (size_t)(end - s));
            s = end + 1;
            char *val = value(&s);
            if (*key) set(o, key, val);
            bool bad = !*key;
            free(key);
            free(val);
            if (bad) return err_set(e, EINVAL, "'%.60s': a value without a name", at);
        } else {
            char *word = value(&s);
            if (*word) add_bare(o, word, implied);
            free(word);
        }
        implied = NULL;
    }
    return 0;
}

/* --- JSON ---------------------------------------------------------------------------------------------------------------------- */

static int flatten(struct opts *o, const char *path, struct json_object *v, unsigned depth, struct err *e)
{
    char key[512];
    if (depth > OPTS_DEPTH) return err_set(e, EINVAL, "'%.60s': more than %d objects deep", path, OPTS_DEPTH);
    if (o->count >= OPTS_MAX) return err_set(e, EINVAL, "more than %d settings", OPTS_MAX);
    switch (json_object_get_type(v)) {
    case json_type_object: {
        json_object_object_foreach(v, name, item) {
            if (snprintf(key, sizeof key, "%s%s%s", path, *path ? "." : "", name) >= (int)sizeof key)
                return err_set(e, EINVAL, "'%.60s': the name is too long", path);
            int rc = flatten(o, key, item, depth + 1, e);
            if (rc) return rc;
        }
        return 0;
    }
    case json_type_array:
        for (size_t i = 0; i < json_object_array_length(v); i++) {
            if (snprintf(key, sizeof key, "%s.%zu", path, i) >= (int)sizeof key)
                return err_set(e, EINVAL, "'%.60s': the name is too long", path);
            int rc = flatten(o, key, json_object_array_get_idx(v, i), depth + 1, e);
            if (rc) return rc;
        }
        return 0;
    case json_type_null: return 0;
    case json_type_boolean: set(o, path, json_object_get_boolean(v) ? "on" : "off"); return 0;
    default: set(o, path, json_object_get_string(v)); return 0;
    }
}

int opts_json(struct opts *o, struct json_object *obj, struct err *e)
{
    opts_free(o);
    return flatten(o, "", obj, 0, e);
}

/* --- values -------------------------------------------------------------------------------------------------------------------- */

const char *opts_get(const struct opts *o, const char *key)
{
    const char *val = NULL;
    for (uint32_t i = 0; i < o->count; i++) {
        if (strcmp(o->list[i].key, key)) continue;
        o->list[i].used = true;
        val = o->list[i].val;
    }
    return val;
}

const char *opts_each(const struct opts *o, const char *key, uint32_t *i)
{
    size_t n = strlen(key);
    for (; *i < o->count; ++*i) {
        struct opt *p = &o->list[*i];
        if (strncmp(p->key, key, n)) continue;
        const char *rest = p->key + n;
        if (*rest == '.') {
            rest += 1 + strspn(rest + 1, "0123456789");
            if (!strcmp(rest, ".str")) rest += 4;
        }
        if (*rest) continue;
        p->used = true;
        ++*i;
        return p->val;
    }
    return NULL;
}

bool opts_has(const struct opts *o, const char *key)
{
    return opts_get(o, key) != NULL;
}

const char *opts_str(const struct opts *o, const char *key, const char *def)
{
    const char *v = opts_get(o, key);
    return v ? v : def;
}

int opts_bool(const struct opts *o, const char *key, bool def, bool *val, struct err *e)
{
    const char *v = opts_get(o, key);
    *val = def;
    if (!v) return 0;
    if (!strcmp(v, "on") || !strcmp(v, "yes") || !strcmp(v, "true") || !strcmp(v, "y"))
        *val = true;
    else if (!strcmp(v, "off") || !strcmp(v, "no") || !strcmp(v, "false") || !strcmp(v, "n"))
        *val = false;
    else
        return err_set(e, EINVAL, "Parameter '%s' expects 'on' or 'off', not '%s'", key, v);
    return 0;
}

static int number(const char *key, const char *v, bool size, uint64_t *val, struct err *e)
{
    char *end;
    errno = 0;
    *val = strtoull(v, &end, 0);
    unsigned shift = 0;
    if (size && *end) {
        static const char units[] = "bkmgtpeBKMGTPE";
        const char *u = strchr(units, *end);
        if (u) {
            shift = (unsigned)(u - units) % 7 * 10;
            end++;
        }
    }
    if (!*v || *v == '-' || end == v || *end) return err_set(e, EINVAL, "Parameter '%s' expects a %s, not '%s'", key, size ? "size" : "number", v);
    if (errno || *val > UINT64_MAX >> shift) return err_set(e, ERANGE, "Parameter '%s': '%s' is too large", key, v);
    *val <<= shift;
    return 0;
}

int opts_num(const struct opts *o, const char *key, uint64_t def, uint64_t min, uint64_t max, uint64_t *val, struct err *e)
{
    const char *v = opts_get(o, key);
    *val = def;
    if (!v) return 0;
    int rc = number(key, v, false, val, e);
    if (!rc && (*val < min || *val > max))
        rc = err_set(e, ERANGE, "Parameter '%s' expects a number from %llu to %llu, not '%s'", key, (unsigned long long)min,
                     (unsigned long long)max, v);
    return rc;
}

int opts_size(const struct opts *o, const char *key, uint64_t def, uint64_t *val, struct err *e)
{
    const char *v = opts_get(o, key);
    *val = def;
    return v ? number(key, v, true, val, e) : 0;
}

int opts_enum(const struct opts *o, const char *key, const char *const *names, int def, int *val, struct err *e)
{
    const char *v = opts_get(o, key);
    char all[160] = "";
    *val = def;
    if (!v) return 0;
    for (int i = 0; names[i]; i++) {
        if (!strcmp(names[i], v)) {
            *val = i;
            return 0;
        }
        size_t n = strlen(all);
        snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", names[i]);
    }
    return err_set(e, EINVAL, "Parameter '%s' is one of %s, not '%s'", key, all, v);
}

int opts_check(const struct opts *o, const char *what, struct err *e)
{
    for (uint32_t i = 0; i < o->count; i++)
        if (!o->list[i].used) return err_set(e, EINVAL, "%s: Invalid parameter '%s'", what, o->list[i].key);
    return 0;
}
