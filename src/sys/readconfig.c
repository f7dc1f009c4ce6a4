/*
 * readconfig.c: -readconfig FILE: options from a file: [group "id"] lines, then key = "value" lines; '#' begins a comment. A group
 * is the option of its name.
 */
#include "sys/sys.h"

#include <stdio.h>
#include <stdlib.h>

enum { CONFIG_MAX = 1 << 20, SECTION_MAX = 8192 };

static const struct { const char *group, *option; } renamed[] = {
    { "memory", "m" }, { "smp-opts", "smp" }, { "boot-opts", "boot" }, 
};

struct section {
    char group[64], text[SECTION_MAX];
    size_t len;
};

static int put(struct section *c, const char *key, const char *val, struct err *e)
{
    char item[2048];
    size_t n = 0;
    if (c->len) item[n++] = ',';
    for (; *key && n < sizeof item - 2; key++) item[n++] = *key;
    item[n++] = '=';
    for (; *val && n < sizeof item - 2; val++) {
        item[n++] = *val;
        if (*val == ',') item[n++] = ',';
    }
    if (*val || c->len + n >= SECTION_MAX) return err_set(e, E2BIG, "section [%s] is too long", c->group);
    memcpy(c->text + c->len, item, n);
    c->len += n;
    c->text[c->len] = 0;
    return 0;
}

static int finish(struct sys *s, struct section *c, struct err *e)
{
    const char *name = c->group;
    if (!*name) return 0;
    for (unsigned i = 0; i < ARRAY_LEN(renamed); i++)
        if (!strcmp(renamed[i].group, name)) name = renamed[i].option;
    int r = c->len ? cmdline_option(s, name, sys_text(s, "%s", c->text), e) : 0;
    *c = (struct section){ 0 };
    return r;
}

int readconfig(struct sys *s, const char *path, struct err *e)
{
    uint8_t *data;
    uint64_t len;
    int r = image_read(path, CONFIG_MAX, &data, &len, e);
    if (r) return r;
    char *text = (char *)data;
    text[len] = 0;
    struct section *c = xalloc(sizeof *c);
    unsigned line = 0;
    for (char *l = text, *end; !r && l; l = end) {
        char key[64], val[1024] = "";
        if ((end = strchr(l, '\n'))) *end++ = 0;
        line++;
        l += strspn(l, " \t\r");
        if (!*l || *l == '#') continue;
        if (strchr(l, ']') && sscanf(l, "[%63[^] \"] \"%1023[^\"]\"]", key, val) >= 1) {
            if ((r = finish(s, c, e))) break;
            snprintf(c->group, sizeof c->group, "%s", key);
            if (*val) r = put(c, "id", val, e);
        } else if (sscanf(l, "%63[^ \t=] = \"%1023[^\"]\"", key, val) >= 1 && strchr(l, '=') && *c->group) {
            r = put(c, key, val, e);
        } else {
            r = err_set(e, EINVAL, "%s:%u: neither [group \"id\"] nor key = \"value\"", path, line);
        }
    }
    if (!r) r = finish(s, c, e);
    free(c);
    free(data);
    return r;
}
