/*
 * monitor_query.c: commands: what QMP's clients ask about the machine, its types and itself (compat.md: libvirt's list). Facts: the QMP
 * reference manual, answers of QEMU 7.2. Introspection is made from the tables: arguments exactly, answers as "any".
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "sys/monitor_cmd.h"

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

static int not_enabled(struct mon_call *c, struct err *e)
{
    return err_set(e, ENOTSUP, "The feature '%s' is not enabled", c->cmd->name);
}

/* All that there may be are there: -smp's. */
static int query_hotpluggable(struct mon_call *c, struct err *e)
{
    const struct guest *g = guest_of(c);
    char path[64], type[128], name[64];
    if (!c->m) return not_enabled(c, e);
    snprintf(name, sizeof name, "%.*s", (int)strcspn(c->m->cfg.cpu, ","), c->m->cfg.cpu);
    mon_cpu_type(g, name, type, sizeof type);
    c->ret = json_object_new_array();
    for (unsigned i = c->m->ncpus; i--;) {
        snprintf(path, sizeof path, "/machine/unattached/device[%u]", i);
        LIST_ADD(c->ret, "props:o", mon_obj("core-id:i", (int64_t)i, "thread-id:i", (int64_t)0, "socket-id:i", (int64_t)0, NULL),
                 "vcpus-count:i", (int64_t)1, "qom-path:s", path, "type:s", type);
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

void mon_cpu_type(const struct guest *g, const char *model, char *buf, size_t size)
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
        mon_cpu_type(g, t->cpu ? t->cpu : g->models->name, type, sizeof type);
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
        mon_cpu_type(g, m->name, type, sizeof type);
        LIST_ADD(c->ret, "name:s", m->name, "typename:s", type, "static:b", 0, "deprecated:b", 0);
    }
    return 0;
}

static int query_options(struct mon_call *c, struct err *e)
{
    if (mon_has(c, "option")) return err_set(e, EINVAL, "Invalid option name '%.60s'", mon_str(c, "option"));
    return empty_list(c, e);
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
    "VSERPORT_CHANGE", "DEVICE_DELETED", "DEVICE_UNPLUG_GUEST_ERROR", "DEVICE_TRAY_MOVED", "BLOCK_JOB_COMPLETED", "BLOCK_JOB_CANCELLED", "BLOCK_JOB_ERROR",
    "BLOCK_JOB_READY", "BLOCK_JOB_PENDING", "JOB_STATUS_CHANGE", "VNC_CONNECTED", "VNC_INITIALIZED", "VNC_DISCONNECTED", NULL,
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
    QMP("query-cpus-fast", "", query_cpus, .ret = "list"), QMP("query-hotpluggable-cpus", "", query_hotpluggable, .ret = "list"),
    QMP("query-memory-size-summary", "", query_memory, .ret = "any"), QMP("query-memory-devices", "", empty_list, .ret = "list"),
    QMP("query-memdev", "", empty_list, .ret = "list"), QMP("query-current-machine", "", query_current_machine, .ret = "any"),
    QMP("query-machines", "", query_machines, .ret = "list"), QMP("query-cpu-definitions", "", query_cpu_definitions, .ret = "list"),
    QMP("query-cpu-model-expansion", "type:s,model:o", not_enabled, .ret = "any"),
    QMP("query-command-line-options", "option?:s", query_options, .ret = "list"),
    QMP("query-commands", "", query_commands, .ret = "list"), QMP("query-qmp-schema", "", query_schema, .ret = "list"),
    QMP("query-tpm-models", "", empty_list, .ret = "list"), QMP("query-tpm-types", "", empty_list, .ret = "list"),
    QMP("query-tpm", "", empty_list, .ret = "list"), QMP("query-gic-capabilities", "", empty_list, .ret = "list"),
    QMP("query-sev", "", not_enabled, .ret = "any"), QMP("query-sev-capabilities", "", not_enabled, .ret = "any"),
    QMP("query-sgx-capabilities", "", not_enabled, .ret = "any"), QMP("query-vm-generation-id", "", not_enabled, .ret = "any"),
    QMP("query-acpi-ospm-status", "", not_enabled, .ret = "list"), QMP("query-balloon", "", no_balloon, .ret = "any"),
    QMP("balloon", "value:n", no_balloon), QMP("query-replay", "", query_replay, .ret = "any"),
    QMP("query-dump-guest-memory-capability", "", query_dump_formats, .ret = "any"),
    QMP("query-migrate", "", empty_object, .ret = "any"), QMP("query-migrate-capabilities", "", empty_list, .ret = "list"),
    QMP("migrate-set-capabilities", "capabilities:l", migrate_set_capabilities),
};
const struct mon_table query_mon = { MON_TABLE(cmds) };
