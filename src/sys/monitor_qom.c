/*
 * monitor_qom.c: commands: types and the tree of objects as QEMU's clients see it: /machine with its devices and CPUs, /objects, /chardevs.
 * Facts: the QMP reference manual, answers of QEMU 7.2. Known gaps: devices have no children in the tree; their properties cannot be
 * changed once they are there (QEMU refuses nearly all, too).
 */
#include <stdio.h>
#include <stdlib.h>
#include "io/block/blk.h"
#include "io/net/net.h"
#include "sys/monitor_cmd.h"
#include "sys/objects.h"

/* --- types ---------------------------------------------------------------------------------------------------------------------- */

static const struct guest *guest_of(struct mon_call *c)
{
    return mon_config(c->set)->guest;
}

static void add_type(struct json_object *list, const char *implements, const char *name, const char *parent, bool abstract)
{
    if (implements && strcmp(implements, name) && strcmp(implements, parent) && strcmp(implements, "object")) return;
    struct json_object *o = mon_obj("name:s", name, "parent:s", parent, NULL);
    if (abstract) json_object_object_add(o, "abstract", json_object_new_boolean(true));
    json_object_array_add(list, o);
}

static int qom_list_types(struct mon_call *c, struct err *e)
{
    const struct guest *g = guest_of(c);
    const char *of = mon_str(c, "implements");
    const struct machine_type *t;
    char name[160];
    c->ret = json_object_new_array();
    if (mon_bool(c, "abstract", true)) {
        static const char *const abstract[] = { "accel", "device", "machine", "cpu" };
        for (unsigned i = 0; i < ARRAY_LEN(abstract); i++) add_type(c->ret, of, abstract[i], "object", true);
    }
    add_type(c->ret, of, "tcg-accel", "accel", false);
    for (const struct device *const *d = device_registry; *d; d++) add_type(c->ret, of, (*d)->name, "device", false);
    for (unsigned i = 0; (t = machine_nth(g->name, i)); i++) {
        snprintf(name, sizeof name, "%s-machine", t->name);
        add_type(c->ret, of, name, "machine", false);
    }
    add_type(c->ret, of, "none-machine", "machine", false);
    for (const struct cpu_model *m = g->models; m->name; m++) {
        mon_cpu_type(g, m->name, name, sizeof name);
        add_type(c->ret, of, name, "cpu", false);
    }
    for (unsigned i = 0; object_type_nth(i); i++) add_type(c->ret, of, object_type_nth(i), "user-creatable", false);
    return 0;
}

static const char *prop_type(enum prop_type t)
{
    static const char *const names[] = {
        [PROP_T_BOOL] = "bool", [PROP_T_U8] = "uint8", [PROP_T_U16] = "uint16", [PROP_T_U32] = "uint32", [PROP_T_U64] = "uint64",
        [PROP_T_SIZE] = "size", [PROP_T_STR] = "str", [PROP_T_CHR] = "str", [PROP_T_BLK] = "str", [PROP_T_NET] = "str",
        [PROP_T_MAC] = "str", [PROP_T_DEV] = "link<device>", [PROP_T_ENUM] = "str", [PROP_T_ONOFFAUTO] = "OnOffAuto", [PROP_T_PCI_ADDR] = "int32",
    };
    return (unsigned)t < ARRAY_LEN(names) && names[t] ? names[t] : "str";
}

static void add_props(struct json_object *list, const struct device *d)
{
    for (const struct prop *p = d->props; p < d->props + d->nprops; p++) {
        struct json_object *o = mon_obj("name:s", p->name, "type:s", prop_type(p->type), NULL);
        if (p->help) json_object_object_add(o, "description", json_object_new_string(p->help));
        if (p->type == PROP_T_BOOL)
            json_object_object_add(o, "default-value", json_object_new_boolean(p->def != 0));
        else if (p->type <= PROP_T_SIZE)
            json_object_object_add(o, "default-value", json_object_new_uint64(p->def));
        json_object_array_add(list, o);
    }
}

static int device_list_properties(struct mon_call *c, struct err *e)
{
    const char *name = mon_str(c, "typename");
    const struct device *d = device_find(name);
    if (!d && (!strcmp(name, "tcg-accel") || !strcmp(name, "accel") || !strcmp(name, "device")))
        return err_set(e, EINVAL, "Parameter 'typename' expects a non-abstract device type");
    if (!d) return mon_no_device(c, name, e);
    c->ret = json_object_new_array();
    add_props(c->ret, d);
    return 0;
}

static int qom_list_properties(struct mon_call *c, struct err *e)
{
    const char *name = mon_str(c, "typename");
    const struct device *d = device_find(name);
    const struct machine_type *t;
    struct json_object *list = json_object_new_array();
    size_t n = strlen(name);
    bool known = d || !strcmp(name, "tcg-accel") || (n > 4 && !strcmp(name + n - 4, "-cpu"));
    for (unsigned i = 0; object_type_nth(i); i++) known |= !strcmp(object_type_nth(i), name);
    if (d) add_props(list, d);
    for (unsigned i = 0; (t = machine_nth(guest_of(c)->name, i)); i++) {
        if (strlen(t->name) + 8 != n || strncmp(name, t->name, n - 8) || strcmp(name + n - 8, "-machine")) continue;
        known = true;
        for (unsigned k = 0; k < t->nprops; k++)
            LIST_ADD(list, "name:s", t->props[k].name, "type:s", t->props[k].words == machine_onoff ? "bool" : "string",
                     "description:s", t->props[k].help);
    }
    c->ret = list;
    return known ? 0 : err_set(e, ENOENT, "Class '%.100s' not found", name);
}

/* --- paths ------------------------------------------------------------------------------------------------------------------------ */

static const char peripheral[] = "/machine/peripheral", anon[] = "/machine/peripheral-anon", unattached[] = "/machine/unattached",
                  objects[] = "/objects", chardevs[] = "/chardevs";

/* The part of path below `dir`, "" for itself; NULL: it is elsewhere. */
static const char *below(const char *path, const char *dir)
{
    size_t n = strlen(dir);
    if (strncmp(path, dir, n) || (path[n] && path[n] != '/')) return NULL;
    return path + n + (path[n] == '/');
}

struct dev *mon_dev(struct mon_call *c, const char *path)
{
    const char *name = below(path, peripheral);
    if (!c->m) return NULL;
    if (name && !strcmp(name + strcspn(name, "/"), "/virtio-backend")) { /* there is one object for both here */
        char id[128];
        snprintf(id, sizeof id, "%.*s", (int)strcspn(name, "/"), name);
        return dev_find(&c->m->b, id);
    }
    if (name || !strchr(path, '/')) return dev_find(&c->m->b, name ? name : path);
    for (struct dev *d = c->m->b.devs; d; d = d->next) {
        char full[160];
        dev_path(d, full, sizeof full);
        if (!strcmp(full, path)) return d;
    }
    return NULL;
}

static int cpu_at(struct mon_call *c, const char *path)
{
    unsigned i;
    char end, more;
    return c->m && sscanf(path, "/machine/unattached/device[%u%c%c", &i, &end, &more) == 2 && end == ']' && i < c->m->ncpus ? (int)i : -1;
}

static struct object *object_at(struct mon_call *c, const char *path)
{
    const char *id = below(path, objects);
    if (!id && !strchr(path, '/')) id = path;
    return id ? object_find(mon_config(c->set)->objs, id) : NULL;
}

static struct chr *chr_at(struct mon_call *c, const char *path)
{
    const char *id = below(path, chardevs);
    return id ? chr_find(mon_config(c->set)->chrs, id) : NULL;
}

static int no_such(struct mon_call *c, const char *path, struct err *e)
{
    c->error_class = "DeviceNotFound";
    return err_set(e, ENODEV, "Device '%.200s' not found", path);
}

/* --- qom-list ----------------------------------------------------------------------------------------------------------------------- */

static void child(struct json_object *list, const char *name, const char *type)
{
    char text[160];
    snprintf(text, sizeof text, "child<%s>", type);
    LIST_ADD(list, "name:s", name, "type:s", text);
}

static void list_devs(struct json_object *list, struct machine *m, const char *dir)
{
    for (struct dev *d = m->b.devs; d; d = d->next) {
        char path[160];
        dev_path(d, path, sizeof path);
        const char *name = below(path, dir);
        if (name && *name) child(list, name, d->cls->name);
    }
}

static bool list_dir(struct mon_call *c, struct json_object *list, const char *path)
{
    if (!strcmp(path, "/")) {
        child(list, "machine", "machine");
        child(list, "objects", "container");
        child(list, "chardevs", "container");
    } else if (!strcmp(path, "/machine") && c->m) {
        static const char *const dirs[] = { "peripheral", "peripheral-anon", "unattached" };
        for (unsigned i = 0; i < ARRAY_LEN(dirs); i++) child(list, dirs[i], "container");
        for (unsigned i = 0; i < c->m->type->nprops; i++)
            LIST_ADD(list, "name:s", c->m->type->props[i].name, "type:s", c->m->type->props[i].words == machine_onoff ? "bool" : "string");
    } else if ((!strcmp(path, peripheral) || !strcmp(path, anon)) && c->m) {
        list_devs(list, c->m, path);
    } else if (!strcmp(path, unattached) && c->m) {
        for (unsigned i = 0; i < c->m->ncpus; i++) {
            char name[32];
            snprintf(name, sizeof name, "device[%u]", i);
            child(list, name, "cpu");
        }
        list_devs(list, c->m, path);
    } else if (!strcmp(path, objects)) {
        for (struct object *o = object_next(mon_config(c->set)->objs, NULL); o; o = object_next(mon_config(c->set)->objs, o))
            child(list, object_id(o), object_type(o));
    } else if (!strcmp(path, chardevs)) {
        for (struct chr *k = chr_next(mon_config(c->set)->chrs, NULL); k; k = chr_next(mon_config(c->set)->chrs, k)) child(list, chr_id(k), "chardev");
    } else {
        return false;
    }
    return true;
}

static int qom_list(struct mon_call *c, struct err *e)
{
    char path[512];
    struct json_object *list = c->ret = json_object_new_array();
    snprintf(path, sizeof path, "%s", mon_str(c, "path"));
    for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--) path[n - 1] = 0;
    struct dev *d = mon_dev(c, path);
    struct object *o = object_at(c, path);
    LIST_ADD(list, "name:s", "type", "type:s", "string");
    if (list_dir(c, list, path)) return 0;
    if (d) {
        LIST_ADD(list, "name:s", "realized", "type:s", "bool");
        LIST_ADD(list, "name:s", "hotplugged", "type:s", "bool");
        LIST_ADD(list, "name:s", "hotpluggable", "type:s", "bool");
        add_props(list, d->cls);
    } else if (cpu_at(c, path) >= 0) {
        LIST_ADD(list, "name:s", "realized", "type:s", "bool");
    } else if (o) {
        for (uint32_t i = 0; i < object_props(o)->count; i++) LIST_ADD(list, "name:s", object_props(o)->list[i].key, "type:s", "string");
    } else if (!chr_at(c, path)) {
        return no_such(c, path, e);
    }
    return 0;
}

/* --- qom-get, qom-set ----------------------------------------------------------------------------------------------------------------- */

/* Names of back ends, which the device does not know. */
static const char *backend_name(struct dev *d, const struct prop *p)
{
    void *ptr;
    memcpy(&ptr, (uint8_t *)d + p->field, sizeof ptr);
    if (!ptr) return "";
    if (p->type == PROP_T_CHR) return chr_id(ptr);
    if (p->type == PROP_T_NET) return net_id(ptr);
    struct blk_node *n = blk_node_of(ptr);
    return *blk_name(ptr) ? blk_name(ptr) : n ? n->name : "";
}

static struct json_object *dev_value(struct dev *d, const char *prop)
{
    const struct prop *p = d->cls->props;
    char text[512];
    if (!strcmp(prop, "type")) return json_object_new_string(d->cls->name);
    if (!strcmp(prop, "realized")) return json_object_new_boolean(d->realized);
    if (!strcmp(prop, "hotplugged")) return json_object_new_boolean(d->late);
    if (!strcmp(prop, "hotpluggable")) return json_object_new_boolean(d->cls->hotplug);
    if (!dev_get(d, prop, text, sizeof text)) return NULL;
    while (strcmp(p->name, prop)) p++;
    if (p->type == PROP_T_CHR || p->type == PROP_T_NET || p->type == PROP_T_BLK) return json_object_new_string(backend_name(d, p));
    return p->type == PROP_T_BOOL ? json_object_new_boolean(!strcmp(text, "on")) :
        p->type <= PROP_T_SIZE ? json_object_new_uint64(strtoull(text, NULL, 0)) : json_object_new_string(text);
}

static struct json_object *cpu_value(struct mon_call *c, const char *prop)
{
    char name[64], type[128];
    const char *model = c->m->cfg.cpu;
    if (!strcmp(prop, "realized")) return json_object_new_boolean(true);
    if (strcmp(prop, "type")) return NULL;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(model, ","), model);
    mon_cpu_type(guest_of(c), name, type, sizeof type);
    return json_object_new_string(type);
}

static struct json_object *machine_value(struct mon_call *c, const char *prop)
{
    char type[128];
    if (!strcmp(prop, "type")) {
        snprintf(type, sizeof type, "%s-machine", c->m->type->name);
        return json_object_new_string(type);
    }
    for (unsigned i = 0; i < c->m->type->nprops; i++) {
        const struct machine_prop *p = &c->m->type->props[i];
        if (strcmp(p->name, prop)) continue;
        return p->words == machine_onoff ? json_object_new_boolean(machine_flag(c->m, prop)) : json_object_new_string(machine_prop(c->m, prop));
    }
    return NULL;
}

/* The members "limits.*" as an object of numbers, as they were given. */
static struct json_object *limits_value(struct object *o)
{
    struct json_object *v = json_object_new_object();
    for (uint32_t i = 0; i < object_props(o)->count; i++) {
        const struct opt *p = &object_props(o)->list[i];
        uint64_t n;
        if (strncmp(p->key, "limits.", 7) || blk_parse_size(p->val, &n)) continue;
        json_object_object_add(v, p->key + 7, json_object_new_uint64(n));
    }
    return v;
}

static struct json_object *object_value(struct object *o, const char *prop)
{
    if (!strcmp(prop, "type")) return json_object_new_string(object_type(o));
    if (!strcmp(prop, "limits") && !strcmp(object_type(o), "throttle-group")) return limits_value(o);
    return object_prop(o, prop) ? json_object_new_string(object_prop(o, prop)) : NULL;
}

static int qom_get(struct mon_call *c, struct err *e)
{
    const char *path = mon_str(c, "path"), *prop = mon_str(c, "property"), *type = "container";
    struct dev *d = mon_dev(c, path);
    struct object *o = d ? NULL : object_at(c, path);
    struct json_object *none = json_object_new_array();
    bool machine = c->m && !strcmp(path, "/machine");
    if (d) c->ret = dev_value(d, prop), type = d->cls->name;
    else if (machine) c->ret = machine_value(c, prop), type = "machine";
    else if (cpu_at(c, path) >= 0) c->ret = cpu_value(c, prop), type = "cpu";
    else if (o) c->ret = object_value(o, prop), type = object_type(o);
    else if (chr_at(c, path)) type = "chardev";
    else if (!list_dir(c, none, path)) type = NULL;
    json_object_put(none);
    if (!type) return no_such(c, path, e);
    if (!c->ret && !strcmp(prop, "type")) c->ret = json_object_new_string(type);
    return c->ret ? 0 : err_set(e, ENOENT, "Property '%.80s.%.80s' not found", type, prop);
}

static int qom_set(struct mon_call *c, struct err *e)
{
    const char *path = mon_str(c, "path"), *prop = mon_str(c, "property");
    struct dev *d = mon_dev(c, path);
    struct object *o = d ? NULL : object_at(c, path);
    struct json_object *v, *wrap = json_object_new_object();
    struct opts val = { 0 };
    char text[512];
    int r;
    json_object_object_get_ex(c->args, "value", &v);
    json_object_object_add(wrap, json_object_is_type(v, json_type_object) ? "o" : "", json_object_get(v));
    if (d && dev_get(d, prop, text, sizeof text))
        r = err_set(e, EPERM, "Attempt to set property '%.60s' on device '%.60s' (type '%s') after it was realized", prop, d->id ? d->id : "", d->cls->name);
    else if (d) r = err_set(e, ENOENT, "Property '%s.%.80s' not found", d->cls->name, prop);
    else if (cpu_at(c, path) >= 0) r = err_set(e, ENOENT, "Property 'cpu.%.80s' not found", prop);
    else if (c->m && !strcmp(path, "/machine")) r = err_set(e, ENOENT, "Property '%s-machine.%.80s' cannot be set", c->m->type->name, prop);
    else if (!o) r = no_such(c, path, e);
    else if (!(r = opts_json(&val, json_object_is_type(v, json_type_object) ? v : wrap, e))) r = object_set(mon_config(c->set)->objs, o, prop, &val, e);
    opts_free(&val);
    json_object_put(wrap);
    return r;
}

static void hmp_list(struct mon_call *c, struct err *e)
{
    for (size_t i = 0; c->ret && i < json_object_array_length(c->ret); i++) {
        struct json_object *o = json_object_array_get_idx(c->ret, i);
        mon_out(c, "%s (%s)\n", json_object_get_string(json_object_object_get(o, "name")), json_object_get_string(json_object_object_get(o, "type")));
    }
}

static int hmp_qom_list(struct mon_call *c, struct err *e)
{
    if (!mon_has(c, "path")) {
        mon_out(c, "/\n");
        return 0;
    }
    int r = qom_list(c, e);
    if (!r) hmp_list(c, e);
    return r;
}

static int hmp_qom_get(struct mon_call *c, struct err *e)
{
    int r = qom_get(c, e);
    if (!r) mon_json(c->out, c->ret, true);
    if (!r) mon_out(c, "\n");
    return r;
}

static int hmp_qom_set(struct mon_call *c, struct err *e)
{
    struct json_object *v = json_tokener_parse(mon_str(c, "value"));
    if (v) json_object_object_add(c->args, "value", v);
    return qom_set(c, e);
}

/* --- the tree, drawn ---------------------------------------------------------------------------------------------------------------------- */

static int info_qom_tree(struct mon_call *c, struct err *e)
{
    char path[160];
    if (!c->m) return 0;
    mon_out(c, "/machine (%s-machine)\n", c->m->type->name);
    const char *const dirs[] = { peripheral, anon, unattached };
    for (unsigned i = 0; i < ARRAY_LEN(dirs); i++) {
        mon_out(c, "  /%s (container)\n", dirs[i] + strlen("/machine/"));
        for (unsigned k = 0; i == 2 && k < c->m->ncpus; k++) mon_out(c, "    /device[%u] (cpu)\n", k);
        for (struct dev *d = c->m->b.devs; d; d = d->next) {
            dev_path(d, path, sizeof path);
            const char *name = below(path, dirs[i]);
            if (name) mon_out(c, "    /%s (%s)\n", name, d->cls->name);
        }
    }
    return 0;
}

static const struct mon_cmd cmds[] = {
    QMP("qom-list-types", "implements?:s,abstract?:b", qom_list_types, .ret = "list"),
    QMP("qom-list", "path:s", qom_list, .ret = "list"), QMP("qom-get", "path:s,property:s", qom_get, .ret = "any"),
    QMP("qom-set", "path:s,property:s,value:a", qom_set),
    QMP("qom-list-properties", "typename:s", qom_list_properties, .ret = "list"),
    QMP("device-list-properties", "typename:s", device_list_properties, .ret = "list"),
    HMP("qom-list", "path?:s", hmp_qom_list, "list QOM properties"),
    HMP("qom-get", "path:s,property:s", hmp_qom_get, "print QOM property"),
    HMP("qom-set", "path:s,property:s,value:t", hmp_qom_set, "set QOM property"),
    HMP("info qom-tree", "", info_qom_tree, "show QOM composition tree"),
};
const struct mon_table qom_mon = { MON_TABLE(cmds) };
