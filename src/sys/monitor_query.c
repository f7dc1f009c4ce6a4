/*
 * monitor_query.c: commands: what QMP's clients ask about the machine, its types and itself (compat.md: libvirt's list). Facts: the QMP
 * reference manual, answers of QEMU 7.2. Introspection is made from the tables: arguments exactly, answers as "any".
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "io/block/blk.h"
#include "sys/monitor_cmd.h"

#define LIST_ADD(o, ...) json_object_array_add(o, mon_obj(__VA_ARGS__, NULL))

static const struct guest *guest_of(struct mon_call *c)
{
    return mon_config(c->set)->guest;
}

/* --- the machine ------------------------------------------------------------------------------------------------------------------ */

static int query_status(struct mon_call *c, struct err *e)
{
    enum run_state s = c->m ? c->m->state : RUN_PRELAUNCH;
    c->ret = mon_obj("status:s", machine_state_name(s), "singlestep:b", 0, "running:b", s == RUN_RUNNING, NULL);
    return 0;
}

static int query_version(struct mon_call *c, struct err *e)
{
    c->ret = mon_obj("qemu:o", mon_obj("micro:i", (int64_t)MONITOR_QEMU_MICRO, "minor:i", (int64_t)MONITOR_QEMU_MINOR, "major:i",
                     (int64_t)MONITOR_QEMU_MAJOR, NULL), "package:s", "Lyrebird", NULL);
    return 0;
}

static int query_name(struct mon_call *c, struct err *e)
{
    const char *name = mon_config(c->set)->name;
    if (name) c->ret = mon_obj("name:s", name, NULL);
    return 0;
}

static int query_uuid(struct mon_call *c, struct err *e)
{
    const char *uuid = mon_config(c->set)->uuid;
    c->ret = mon_obj("UUID:s", uuid ? uuid : "00000000-0000-0000-0000-000000000000", NULL);
    return 0;
}

static int query_kvm(struct mon_call *c, struct err *e)
{
    c->ret = mon_obj("enabled:b", 0, "present:b", 0, NULL);
    return 0;
}

static int query_target(struct mon_call *c, struct err *e)
{
    c->ret = mon_obj("arch:s", guest_of(c)->name, NULL);
    return 0;
}

static int query_cpus(struct mon_call *c, struct err *e)
{
    c->ret = json_object_new_array();
    for (unsigned i = 0; c->m && i < c->m->ncpus; i++) {
        char path[64];
        snprintf(path, sizeof path, "/machine/unattached/device[%u]", i);
        LIST_ADD(c->ret, "cpu-index:i", (int64_t)i, "qom-path:s", path, "thread-id:i", (int64_t)machine_cpu_thread(c->m, i),
                 "target:s", guest_of(c)->name, "props:o", mon_obj("core-id:i", (int64_t)i, "thread-id:i", (int64_t)0, "socket-id:i", (int64_t)0, NULL));
    }
    return 0;
}

static int query_memory(struct mon_call *c, struct err *e)
{
    c->ret = mon_obj("base-memory:u", c->m ? c->m->cfg.ram : 0, "plugged-memory:i", (int64_t)0, NULL);
    return 0;
}

static int query_current_machine(struct mon_call *c, struct err *e)
{
    c->ret = mon_obj("wakeup-suspend-support:b", 0, NULL);
    return 0;
}

static int empty_list(struct mon_call *c, struct err *e)
{
    c->ret = json_object_new_array();
    return 0;
}

static int empty_object(struct mon_call *c, struct err *e)
{
    return 0;
}

static int not_enabled(struct mon_call *c, struct err *e)
{
    return err_set(e, ENOTSUP, "The feature '%s' is not enabled", c->cmd->name);
}

static int no_balloon(struct mon_call *c, struct err *e)
{
    c->error_class = "DeviceNotActive";
    return err_set(e, ENODEV, "No balloon device has been activated");
}

static int query_replay(struct mon_call *c, struct err *e)
{
    c->ret = mon_obj("icount:i", (int64_t)0, "mode:s", "none", NULL);
    return 0;
}

static int query_dump_formats(struct mon_call *c, struct err *e)
{
    c->ret = mon_obj("formats:o", json_object_new_array(), NULL);
    return 0;
}

/* Only what is off can be set: to off. */
static int migrate_set_capabilities(struct mon_call *c, struct err *e)
{
    struct json_object *list = json_object_object_get(c->args, "capabilities"), *name, *state;
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *o = json_object_array_get_idx(list, i);
        if (!json_object_object_get_ex(o, "capability", &name) || !json_object_object_get_ex(o, "state", &state))
            return err_set(e, EINVAL, "Parameter 'capabilities' expects objects with 'capability' and 'state'");
        if (json_object_get_boolean(state))
            return err_set(e, ENOTSUP, "migration capability '%.60s' is not available", json_object_get_string(name));
    }
    return 0;
}

/* --- kinds ---------------------------------------------------------------------------------------------------------------------------- */

static void cpu_type(const struct guest *g, const char *model, char *buf, size_t size)
{
    const char *arch = g->name;
    if (!strcmp(arch, "aarch64") || !strcmp(arch, "armeb")) arch = "arm";
    if (!strncmp(arch, "riscv", 5)) arch = "riscv";
    snprintf(buf, size, "%s-%s-cpu", model, arch);
}

static int query_machines(struct mon_call *c, struct err *e)
{
    const struct guest *g = guest_of(c);
    const struct machine_type *t;
    c->ret = json_object_new_array();
    for (unsigned i = 0; (t = machine_nth(g->name, i)); i++) {
        char type[128];
        cpu_type(g, t->cpu ? t->cpu : g->models->name, type, sizeof type);
        struct json_object *o = mon_obj("hotpluggable-cpus:b", 0, "name:s", t->name, "numa-mem-supported:b", 0, "default-cpu-type:s", type,
            "cpu-max:i", (int64_t)t->max_cpus, "deprecated:b", 0, NULL);
        if (t->alias) json_object_object_add(o, "alias", json_object_new_string_len(t->alias, (int)strcspn(t->alias, ",")));
        if (t->is_default) json_object_object_add(o, "is-default", json_object_new_boolean(true));
        if (t->ram_id) json_object_object_add(o, "default-ram-id", json_object_new_string(t->ram_id));
        json_object_array_add(c->ret, o);
    }
    LIST_ADD(c->ret, "hotpluggable-cpus:b", 0, "name:s", "none", "numa-mem-supported:b", 0, "cpu-max:i", (int64_t)1, "deprecated:b", 0,
             "default-ram-id:s", "ram");
    return 0;
}

static int query_cpu_definitions(struct mon_call *c, struct err *e)
{
    const struct guest *g = guest_of(c);
    c->ret = json_object_new_array();
    for (const struct cpu_model *m = g->models; m->name; m++) {
        char type[128];
        cpu_type(g, m->name, type, sizeof type);
        LIST_ADD(c->ret, "name:s", m->name, "typename:s", type, "static:b", 0, "deprecated:b", 0);
    }
    return 0;
}

static int query_options(struct mon_call *c, struct err *e)
{
    if (mon_has(c, "option")) return err_set(e, EINVAL, "Invalid option name '%.60s'", mon_str(c, "option"));
    return empty_list(c, e);
}

static void add_type(struct json_object *list, const char *implements, const char *name, const char *parent)
{
    if (implements && strcmp(implements, name) && strcmp(implements, parent) && strcmp(implements, "object")) return;
    LIST_ADD(list, "name:s", name, "parent:s", parent);
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
        for (unsigned i = 0; i < ARRAY_LEN(abstract); i++) add_type(c->ret, of, abstract[i], "object");
    }
    add_type(c->ret, of, "tcg-accel", "accel");
    for (const struct device *const *d = device_registry; *d; d++) add_type(c->ret, of, (*d)->name, "device");
    for (unsigned i = 0; (t = machine_nth(g->name, i)); i++) {
        snprintf(name, sizeof name, "%s-machine", t->name);
        add_type(c->ret, of, name, "machine");
    }
    add_type(c->ret, of, "none-machine", "machine");
    for (const struct cpu_model *m = g->models; m->name; m++) {
        cpu_type(g, m->name, name, sizeof name);
        add_type(c->ret, of, name, "cpu");
    }
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

/* --- the object tree, as far as clients look ------------------------------------------------------------------------------------------ */

/* "/machine/peripheral/ID", or the id alone. */
static struct dev *dev_at(struct mon_call *c, const char *path)
{
    static const char where[] = "/machine/peripheral/";
    if (!strncmp(path, where, sizeof where - 1)) path += sizeof where - 1;
    return c->m && !strchr(path, '/') ? dev_find(&c->m->b, path) : NULL;
}

static int cpu_at(struct mon_call *c, const char *path)
{
    unsigned i;
    char end;
    return c->m && sscanf(path, "/machine/unattached/device[%u%c", &i, &end) == 2 && end == ']' && i < c->m->ncpus ? (int)i : -1;
}

static int qom_list(struct mon_call *c, struct err *e)
{
    const char *path = mon_str(c, "path");
    struct json_object *list = json_object_new_array();
    struct dev *d = dev_at(c, path);
    c->ret = list;
    LIST_ADD(list, "name:s", "type", "type:s", "string");
    if (!strcmp(path, "/")) {
        LIST_ADD(list, "name:s", "machine", "type:s", "child<machine>");
        LIST_ADD(list, "name:s", "objects", "type:s", "child<container>");
        LIST_ADD(list, "name:s", "chardevs", "type:s", "child<container>");
    } else if (!strcmp(path, "/machine") || !strcmp(path, "/machine/")) {
        LIST_ADD(list, "name:s", "peripheral", "type:s", "child<container>");
        LIST_ADD(list, "name:s", "unattached", "type:s", "child<container>");
    } else if (!strcmp(path, "/machine/peripheral") && c->m) {
        for (d = c->m->b.devs; d; d = d->next) {
            char type[160];
            snprintf(type, sizeof type, "child<%s>", d->cls->name);
            if (d->id) LIST_ADD(list, "name:s", d->id, "type:s", type);
        }
    } else if (!strcmp(path, "/machine/unattached") && c->m) {
        for (unsigned i = 0; i < c->m->ncpus; i++) {
            char name[32];
            snprintf(name, sizeof name, "device[%u]", i);
            LIST_ADD(list, "name:s", name, "type:s", "child<cpu>");
        }
    } else if (d) {
        LIST_ADD(list, "name:s", "realized", "type:s", "bool");
        add_props(list, d->cls);
    } else if (cpu_at(c, path) >= 0) {
        LIST_ADD(list, "name:s", "realized", "type:s", "bool");
    } else if (strcmp(path, "/objects") && strcmp(path, "/chardevs")) {
        return mon_no_device(c, path, e);
    }
    return 0;
}

static int qom_get(struct mon_call *c, struct err *e)
{
    const char *path = mon_str(c, "path"), *prop = mon_str(c, "property");
    struct dev *d = dev_at(c, path);
    char text[512], type[128];
    int cpu = cpu_at(c, path);
    if (d && !strcmp(prop, "type")) {
        c->ret = json_object_new_string(d->cls->name);
    } else if ((d || cpu >= 0) && !strcmp(prop, "realized")) {
        c->ret = json_object_new_boolean(true);
    } else if (d && dev_get(d, prop, text, sizeof text)) {
        const struct prop *p = d->cls->props;
        while (strcmp(p->name, prop)) p++;
        c->ret = p->type == PROP_T_BOOL ? json_object_new_boolean(!strcmp(text, "on")) :
            p->type <= PROP_T_SIZE ? json_object_new_uint64(strtoull(text, NULL, 0)) : json_object_new_string(text);
    } else if (cpu >= 0 && !strcmp(prop, "type")) {
        const struct guest *g = guest_of(c);
        const char *model = c->m->cfg.cpu ? c->m->cfg.cpu : c->m->type->cpu ? c->m->type->cpu : g->models->name;
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(model, ","), model);
        cpu_type(g, name, type, sizeof type);
        c->ret = json_object_new_string(type);
    } else if (!strcmp(path, "/machine") && c->m && !strcmp(prop, "type")) {
        snprintf(type, sizeof type, "%s-machine", c->m->type->name);
        c->ret = json_object_new_string(type);
    } else if (!d && cpu < 0 && strcmp(path, "/machine")) {
        return mon_no_device(c, path, e);
    } else {
        return err_set(e, ENOENT, "Property '%.60s.%.60s' not found", d ? d->cls->name : path, prop);
    }
    return 0;
}

static int device_add(struct mon_call *c, struct err *e)
{
    const char *driver = mon_str(c, "driver");
    char name[128];
    snprintf(name, sizeof name, "%.*s", c->out ? (int)strcspn(driver, ",") : 127, driver);
    if (!device_find(name)) return err_set(e, ENOENT, "'%s' is not a valid device model name", name);
    return err_set(e, ENOTSUP, "Device '%s' can not be hotplugged on this machine", name);
}

static int device_del(struct mon_call *c, struct err *e)
{
    struct dev *d = dev_at(c, mon_str(c, "id"));
    return d ? err_set(e, ENOTSUP, "Device '%s' does not support hotplugging", d->cls->name) : mon_no_device(c, mon_str(c, "id"), e);
}

/* --- disks ------------------------------------------------------------------------------------------------------------------------------- */

static int query_block(struct mon_call *c, struct err *e)
{
    c->ret = json_object_new_array();
    for (unsigned i = 0; c->m && i < c->m->cfg.ndrives; i++) {
        const struct blk_drive *d = &c->m->cfg.drives[i];
        struct json_object *o = mon_obj("device:s", d->blk && blk_name(d->blk) ? blk_name(d->blk) : d->id, "locked:b", 0,
            "removable:b", !strcmp(d->media, "cdrom"), "type:s", "unknown", NULL);
        if (d->blk)
            json_object_object_add(o, "inserted", mon_obj("ro:b", blk_read_only(d->blk), "image:o", mon_obj("virtual-size:u", blk_size(d->blk), NULL), NULL));
        json_object_array_add(c->ret, o);
    }
    return 0;
}

static int query_blockstats(struct mon_call *c, struct err *e)
{
    c->ret = json_object_new_array();
    for (unsigned i = 0; c->m && i < c->m->cfg.ndrives; i++) {
        const struct blk_drive *d = &c->m->cfg.drives[i];
        struct blk_stats s = { 0 };
        if (!d->blk) continue;
        blk_get_stats(d->blk, &s);
        LIST_ADD(c->ret, "device:s", blk_name(d->blk) ? blk_name(d->blk) : d->id, "stats:o", mon_obj(
            "rd_bytes:u", s.rd_bytes, "wr_bytes:u", s.wr_bytes, "rd_operations:u", s.rd_ops, "wr_operations:u", s.wr_ops,
            "flush_operations:u", s.flush_ops, "rd_total_time_ns:u", s.rd_ns, "wr_total_time_ns:u", s.wr_ns,
            "flush_total_time_ns:u", s.flush_ns, "failed_rd_operations:u", s.rd_errors, "failed_wr_operations:u", s.wr_errors, NULL));
    }
    return 0;
}

/* --- introspection ------------------------------------------------------------------------------------------------------------------------ */

static int query_commands(struct mon_call *c, struct err *e)
{
    c->ret = json_object_new_array();
    LIST_ADD(c->ret, "name:s", "qmp_capabilities");
    for (const struct mon_table *const *t = mon_table_registry; *t; t++)
        for (const struct mon_cmd *k = (*t)->cmds; k < (*t)->cmds + (*t)->count; k++)
            if (k->where & MC_QMP) LIST_ADD(c->ret, "name:s", k->name);
    return 0;
}

static void schema_command(struct json_object *list, const char *name, const char *args, const char *ret)
{
    static const struct { char type; const char *name; } types[] = {
        { 's', "str" }, { 't', "str" }, { 'n', "int" }, { 'b', "bool" }, { '-', "bool" }, { 'l', "[any]" },
    };
    struct json_object *members = json_object_new_array();
    struct mon_arg a;
    char type[160];
    while (mon_arg_next(&args, &a)) {
        const char *t = "any";
        if (a.type == '*' || a.type == '/') continue;
        for (unsigned i = 0; i < ARRAY_LEN(types); i++)
            if (types[i].type == a.type) t = types[i].name;
        struct json_object *o = mon_obj("name:s", a.name, "type:s", t, NULL);
        if (a.optional) json_object_object_add(o, "default", NULL);
        json_object_array_add(members, o);
    }
    bool none = !json_object_array_length(members);
    snprintf(type, sizeof type, "q_obj_%s-arg", name);
    LIST_ADD(list, "name:s", name, "meta-type:s", "command", "arg-type:s", none ? "q_empty" : type,
             "ret-type:s", !ret ? "q_empty" : !strcmp(ret, "list") ? "[any]" : ret);
    if (none)
        json_object_put(members);
    else
        LIST_ADD(list, "name:s", type, "meta-type:s", "object", "members:o", members);
}

const char *const mon_events[] = {
    "SHUTDOWN", "RESET", "STOP", "RESUME", "POWERDOWN", "GUEST_PANICKED", "WATCHDOG", "RTC_CHANGE", "BLOCK_IO_ERROR", "NIC_RX_FILTER_CHANGED",
    "VSERPORT_CHANGE", "DEVICE_DELETED", "VNC_CONNECTED", "VNC_INITIALIZED", "VNC_DISCONNECTED", NULL,
};

static int query_schema(struct mon_call *c, struct err *e)
{
    static const char *const builtins[][2] = { { "str", "string" }, { "int", "int" }, { "bool", "boolean" }, { "any", "value" } };
    c->ret = json_object_new_array();
    schema_command(c->ret, "qmp_capabilities", "enable?:l", NULL);
    for (const struct mon_table *const *t = mon_table_registry; *t; t++)
        for (const struct mon_cmd *k = (*t)->cmds; k < (*t)->cmds + (*t)->count; k++)
            if (k->where & MC_QMP) schema_command(c->ret, k->name, k->args, k->ret);
    for (unsigned i = 0; mon_events[i]; i++) LIST_ADD(c->ret, "name:s", mon_events[i], "meta-type:s", "event", "arg-type:s", "q_empty");
    for (unsigned i = 0; i < ARRAY_LEN(builtins); i++)
        LIST_ADD(c->ret, "name:s", builtins[i][0], "meta-type:s", "builtin", "json-type:s", builtins[i][1]);
    LIST_ADD(c->ret, "name:s", "[any]", "meta-type:s", "array", "element-type:s", "any");
    LIST_ADD(c->ret, "name:s", "q_empty", "meta-type:s", "object", "members:o", json_object_new_array());
    return 0;
}

static const struct mon_cmd cmds[] = {
    QMP("query-status", "", query_status, .ret = "any"), QMP("query-version", "", query_version, .ret = "any"),
    QMP("query-name", "", query_name, .ret = "any"), QMP("query-uuid", "", query_uuid, .ret = "any"),
    QMP("query-kvm", "", query_kvm, .ret = "any"), QMP("query-target", "", query_target, .ret = "any"),
    QMP("query-cpus-fast", "", query_cpus, .ret = "list"), QMP("query-hotpluggable-cpus", "", not_enabled, .ret = "list"),
    QMP("query-memory-size-summary", "", query_memory, .ret = "any"), QMP("query-memory-devices", "", empty_list, .ret = "list"),
    QMP("query-memdev", "", empty_list, .ret = "list"), QMP("query-current-machine", "", query_current_machine, .ret = "any"),
    QMP("query-machines", "", query_machines, .ret = "list"), QMP("query-cpu-definitions", "", query_cpu_definitions, .ret = "list"),
    QMP("query-cpu-model-expansion", "type:s,model:o", not_enabled, .ret = "any"),
    QMP("query-command-line-options", "option?:s", query_options, .ret = "list"),
    QMP("query-commands", "", query_commands, .ret = "list"), QMP("query-qmp-schema", "", query_schema, .ret = "list"),
    QMP("query-iothreads", "", empty_list, .ret = "list"),
    QMP("query-jobs", "", empty_list, .ret = "list"), QMP("query-block-jobs", "", empty_list, .ret = "list"),
    QMP("query-tpm-models", "", empty_list, .ret = "list"), QMP("query-tpm-types", "", empty_list, .ret = "list"),
    QMP("query-tpm", "", empty_list, .ret = "list"), QMP("query-gic-capabilities", "", empty_list, .ret = "list"),
    QMP("query-sev", "", not_enabled, .ret = "any"), QMP("query-sev-capabilities", "", not_enabled, .ret = "any"),
    QMP("query-sgx-capabilities", "", not_enabled, .ret = "any"), QMP("query-vm-generation-id", "", not_enabled, .ret = "any"),
    QMP("query-acpi-ospm-status", "", not_enabled, .ret = "list"), QMP("query-balloon", "", no_balloon, .ret = "any"),
    QMP("balloon", "value:n", no_balloon), QMP("query-replay", "", query_replay, .ret = "any"),
    QMP("query-dump-guest-memory-capability", "", query_dump_formats, .ret = "any"),
    QMP("query-migrate", "", empty_object, .ret = "any"), QMP("query-migrate-capabilities", "", empty_list, .ret = "list"),
    QMP("migrate-set-capabilities", "capabilities:l", migrate_set_capabilities),
    QMP("query-block", "", query_block, .ret = "list"), QMP("query-blockstats", "query-nodes?:b", query_blockstats, .ret = "list"),
    QMP("query-named-block-nodes", "flat?:b", empty_list, .ret = "list"),
    QMP("qom-list-types", "implements?:s,abstract?:b", qom_list_types, .ret = "list"),
    QMP("qom-list", "path:s", qom_list, .ret = "list"), QMP("qom-get", "path:s,property:s", qom_get, .ret = "any"),
    QMP("qom-list-properties", "typename:s", qom_list_properties, .ret = "list"),
    QMP("device-list-properties", "typename:s", device_list_properties, .ret = "list"),
    QMP("device_add", "driver:s,bus?:s,id?:s,*", device_add), HMP("device_add", "driver:t", device_add, "add device, like -device on the command line"),
    BOTH("device_del", "id:s", device_del, "remove device"),
};
const struct mon_table query_mon = { MON_TABLE(cmds) };
