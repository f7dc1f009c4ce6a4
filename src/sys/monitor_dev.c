/*
 * monitor_dev.c: commands: devices and objects that come and go while the machine runs; what is on the PCI buses.
 */
#include <linux/pci_regs.h>
#include <stdio.h>
#include <stdlib.h>
#include "dev/iothread.h"
#include "dev/pci/pci.h"
#include "io/block/blk.h"
#include "sys/monitor_cmd.h"
#include "sys/objects.h"

/* --- devices ---------------------------------------------------------------------------------------------------------------------- */

static int device_add(struct mon_call *c, struct err *e)
{
    struct opts o = { 0 };
    int r = c->out ? opts_parse(&o, mon_str(c, "device"), "driver", e) : opts_json(&o, c->args, e);
    if (!r && !c->m) r = err_set(e, ENODEV, "machine 'none' has no buses");
    if (!r) r = machine_device_opts(c->m, &o, true, e);
    opts_free(&o);
    return r;
}

static int device_del(struct mon_call *c, struct err *e)
{
    struct dev *d = mon_dev(c, mon_str(c, "id"));
    return d ? machine_device_del(c->m, d, e) : mon_no_device(c, mon_str(c, "id"), e);
}

/* --- objects ---------------------------------------------------------------------------------------------------------------------- */

static int object_add_cmd(struct mon_call *c, struct err *e)
{
    struct objects *s = mon_config(c->set)->objs;
    struct opts o = { 0 };
    int r = c->out ? opts_parse(&o, mon_str(c, "object"), "qom-type", e) : opts_json(&o, c->args, e);
    if (!r && !s) r = err_set(e, ENODEV, "there is no machine");
    if (!r) r = object_add(s, &o, e);
    opts_free(&o);
    return r;
}

static int object_del_cmd(struct mon_call *c, struct err *e)
{
    struct objects *s = mon_config(c->set)->objs;
    return s ? object_del(s, mon_str(c, "id"), e) : err_set(e, ENOENT, "object '%.80s' not found", mon_str(c, "id"));
}

static int query_iothreads(struct mon_call *c, struct err *e)
{
    struct objects *s = mon_config(c->set)->objs;
    c->ret = json_object_new_array();
    for (struct object *o = object_next(s, NULL); o; o = object_next(s, o)) {
        struct iothread *t = objects_iothread(s, object_id(o));
        if (t) LIST_ADD(c->ret, "id:s", object_id(o), "thread-id:i", (int64_t)iothread_id(t), "poll-max-ns:i", (int64_t)0, "poll-grow:i", (int64_t)0,
                        "poll-shrink:i", (int64_t)0, "aio-max-batch:i", (int64_t)0);
    }
    return 0;
}

static int info_iothreads(struct mon_call *c, struct err *e)
{
    struct objects *s = mon_config(c->set)->objs;
    for (struct object *o = object_next(s, NULL); o; o = object_next(s, o)) {
        struct iothread *t = objects_iothread(s, object_id(o));
        if (t) mon_out(c, "%s:\n  thread_id=%d\n", object_id(o), iothread_id(t));
    }
    return 0;
}

/* --- PCI ---------------------------------------------------------------------------------------------------------------------------- */

static const char *class_name(unsigned class)
{
    static const struct { uint16_t class; const char *name; } names[] = {
        { 0x0100, "SCSI controller" }, { 0x0101, "IDE controller" }, { 0x0106, "SATA controller" }, { 0x0108, "NVMe controller" },
        { 0x0200, "Ethernet controller" }, { 0x0300, "VGA controller" }, { 0x0380, "Display controller" }, { 0x0403, "Audio controller" },
        { 0x0600, "Host bridge" }, { 0x0601, "ISA bridge" }, { 0x0604, "PCI bridge" }, { 0x0c03, "USB controller" }, { 0x0780, "communication" },
        { 0x0900, "Keyboard" }, { 0x0980, "Input device" },
    };
    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].class == class) return names[i].name;
    return NULL;
}

static struct json_object *range(uint64_t base, uint64_t limit)
{
    return mon_obj("base:u", base, "limit:u", limit, NULL);
}

static struct json_object *bus_json(struct pci_bus *b, unsigned number, unsigned depth);

static struct json_object *bridge_json(struct pci_dev *p, unsigned depth)
{
    const uint8_t *c = p->config;
    uint64_t mem = (uint64_t)(pci_get16(c + PCI_MEMORY_BASE) & 0xfff0) << 16, pre = (uint64_t)(pci_get16(c + PCI_PREF_MEMORY_BASE) & 0xfff0) << 16;
    uint64_t mem_end = (uint64_t)(pci_get16(c + PCI_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff;
    uint64_t pre_end = (uint64_t)(pci_get16(c + PCI_PREF_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff;
    pre |= (uint64_t)pci_get32(c + PCI_PREF_BASE_UPPER32) << 32;
    pre_end |= (uint64_t)pci_get32(c + PCI_PREF_LIMIT_UPPER32) << 32;
    struct json_object *o = mon_obj("bus:o", mon_obj("number:i", (int64_t)c[PCI_PRIMARY_BUS], "secondary:i", (int64_t)c[PCI_SECONDARY_BUS],
        "subordinate:i", (int64_t)c[PCI_SUBORDINATE_BUS], "io_range:o", range((uint64_t)(c[PCI_IO_BASE] & 0xf0) << 8, (uint64_t)(c[PCI_IO_LIMIT] & 0xf0) << 8 | 0xfff),
        "memory_range:o", range(mem, mem_end), "prefetchable_range:o", range(pre, pre_end), NULL), NULL);
    if (c[PCI_SECONDARY_BUS] && depth < 16) {
        struct json_object *b = bus_json(p->below, c[PCI_SECONDARY_BUS], depth + 1), *devs = json_object_object_get(b, "devices");
        json_object_object_add(o, "devices", json_object_get(devs));
        json_object_put(b);
    }
    return o;
}

static struct json_object *regions(struct pci_dev *p)
{
    struct json_object *list = json_object_new_array();
    for (unsigned i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *b = &p->bar[i];
        bool io = b->flags & PCI_BAR_IO;
        if (!b->size) continue;
        struct json_object *o = mon_obj("bar:i", (int64_t)i, "type:s", io ? "io" : "memory", "size:u", b->size, "address:i", b->win ? (int64_t)b->at : (int64_t)-1, NULL);
        if (!io) json_object_object_add(o, "prefetch", json_object_new_boolean(b->flags & PCI_BAR_PREFETCH));
        if (!io) json_object_object_add(o, "mem_type_64", json_object_new_boolean(b->flags & PCI_BAR_64));
        json_object_array_add(list, o);
    }
    return list;
}

static struct json_object *function_json(struct pci_dev *p, unsigned bus, unsigned depth)
{
    const uint8_t *c = p->config;
    unsigned class = pci_get16(c + PCI_CLASS_DEVICE);
    struct json_object *info = mon_obj("class:i", (int64_t)class, NULL), *id = mon_obj("device:i", (int64_t)pci_get16(c + PCI_DEVICE_ID),
        "vendor:i", (int64_t)pci_get16(c), NULL);
    if (class_name(class)) json_object_object_add(info, "desc", json_object_new_string(class_name(class)));
    if (!p->below) {
        json_object_object_add(id, "subsystem", json_object_new_int(pci_get16(c + PCI_SUBSYSTEM_ID)));
        json_object_object_add(id, "subsystem-vendor", json_object_new_int(pci_get16(c + PCI_SUBSYSTEM_VENDOR_ID)));
    }
    struct json_object *o = mon_obj("bus:i", (int64_t)bus, "slot:i", (int64_t)(p->devfn >> 3), "function:i", (int64_t)(p->devfn & 7),
        "class_info:o", info, "id:o", id, "irq_pin:i", (int64_t)c[PCI_INTERRUPT_PIN], "qdev_id:s", p->dev.id ? p->dev.id : "", "regions:o", regions(p), NULL);
    if (c[PCI_INTERRUPT_PIN]) json_object_object_add(o, "irq", json_object_new_int(c[PCI_INTERRUPT_LINE]));
    if (p->below) json_object_object_add(o, "pci_bridge", bridge_json(p, depth));
    return o;
}

static struct json_object *bus_json(struct pci_bus *b, unsigned number, unsigned depth)
{
    struct json_object *list = json_object_new_array();
    for (unsigned i = 0; i < 256; i++)
        if (b->dev[i] && b->dev[i]->dev.realized) json_object_array_add(list, function_json(b->dev[i], number, depth));
    return mon_obj("bus:i", (int64_t)number, "devices:o", list, NULL);
}

static int query_pci(struct mon_call *c, struct err *e)
{
    c->ret = json_object_new_array();
    for (struct bus *b = c->m ? c->m->b.buses : NULL; b; b = b->next)
        if (!strcmp(b->type, "pci") && (!b->owner->cls->bus || strcmp(b->owner->cls->bus, "pci")))
            json_object_array_add(c->ret, bus_json(((struct pci_host *)b->owner)->root, 0, 0));
    return 0;
}

static int64_t num(struct json_object *o, const char *key)
{
    return json_object_get_int64(json_object_object_get(o, key));
}

static void show_function(struct mon_call *c, struct json_object *o)
{
    struct json_object *id = json_object_object_get(o, "id"), *info = json_object_object_get(o, "class_info"), *bridge, *devs, *desc;
    mon_out(c, "  Bus %2lld, device %3lld, function %lld:\n    ", (long long)num(o, "bus"), (long long)num(o, "slot"), (long long)num(o, "function"));
    if (json_object_object_get_ex(info, "desc", &desc)) mon_out(c, "%s", json_object_get_string(desc));
    else mon_out(c, "Class %04x", (unsigned)num(info, "class"));
    mon_out(c, ": PCI device %04x:%04x\n", (unsigned)num(id, "vendor"), (unsigned)num(id, "device"));
    if (num(o, "irq_pin")) mon_out(c, "      IRQ %lld, pin %c\n", (long long)num(o, "irq"), (int)('A' + num(o, "irq_pin") - 1));
    struct json_object *list = json_object_object_get(o, "regions");
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        struct json_object *r = json_object_array_get_idx(list, i);
        long long at = num(r, "address"), size = num(r, "size");
        bool mem = json_object_object_get_ex(r, "prefetch", NULL);
        mon_out(c, "      BAR%lld: %s at 0x%llx [0x%llx].\n", (long long)num(r, "bar"), !mem ? "I/O" : json_object_get_boolean(json_object_object_get(r, "mem_type_64")) ?
                "64 bit memory" : "32 bit memory", (unsigned long long)at, (unsigned long long)(at < 0 ? at : at + size - 1));
    }
    mon_out(c, "      id \"%s\"\n", json_object_get_string(json_object_object_get(o, "qdev_id")));
    if (!json_object_object_get_ex(o, "pci_bridge", &bridge) || !json_object_object_get_ex(bridge, "devices", &devs)) return;
    for (size_t i = 0; i < json_object_array_length(devs); i++) show_function(c, json_object_array_get_idx(devs, i));
}

static int info_pci(struct mon_call *c, struct err *e)
{
    query_pci(c, e);
    for (size_t i = 0; i < json_object_array_length(c->ret); i++) {
        struct json_object *devs = json_object_object_get(json_object_array_get_idx(c->ret, i), "devices");
        for (size_t k = 0; k < json_object_array_length(devs); k++) show_function(c, json_object_array_get_idx(devs, k));
    }
    return 0;
}

static const struct mon_cmd cmds[] = {
    QMP("device_add", "driver:s,bus?:s,id?:s,*", device_add),
    HMP("device_add", "device:t", device_add, "add device, like -device on the command line", .show = "driver[,prop=value][,...]"),
    BOTH("device_del", "id:s", device_del, "remove device"),
    QMP("object-add", "qom-type:s,id:s,*", object_add_cmd),
    QMP("object-del", "id:s", object_del_cmd),
    HMP("object_add", "object:t", object_add_cmd, "create QOM object", .show = "[qom-type=]type,id=str[,prop=value][,...]"),
    HMP("object_del", "id:s", object_del_cmd, "destroy QOM object"),
    QMP("query-iothreads", "", query_iothreads, .ret = "list"),
    HMP("info iothreads", "", info_iothreads, "show iothreads"),
    QMP("query-pci", "", query_pci, .ret = "list"),
    HMP("info pci", "", info_pci, "show PCI info"),
};
const struct mon_table dev_mon = { MON_TABLE(cmds) };
