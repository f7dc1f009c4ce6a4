/*
 * monitor_block.c: commands: disks: what there is, adding and removing, sizes, limits. Facts: the QMP reference manual, answers of QEMU 7.2.
 * Known gaps: no histograms (timed_stats), no write thresholds.
 */
#include "sys/monitor_block.h"

#include <stdio.h>
#include <stdlib.h>

/* --- finding ---------------------------------------------------------------------------------------------------------------------- */

struct blk *mon_blk(struct mon_call *c, const char *device, const char *id, struct err *e)
{
    struct blk_graph *g = mon_blks(c);
    if (!device == !id) {
        err_set(e, EINVAL, "Need exactly one of 'device' and 'id'");
        return NULL;
    }
    struct blk *b = device && *device ? blk_find(g, device) : NULL;
    struct dev *d = id ? mon_dev(c, id) : NULL;
    for (struct blk *o = d ? blk_next(g, NULL) : NULL; o && !b; o = blk_next(g, o))
        if (blk_user(o) == d) b = o;
    if (!b) mon_no_device(c, device ? device : id, e);
    return b;
}

struct blk_node *mon_node(struct mon_call *c, const char *name, struct err *e)
{
    struct blk_graph *g = mon_blks(c);
    struct blk *b = *name ? blk_find(g, name) : NULL;
    struct blk_node *n = b ? blk_node_of(b) : blk_node_find(g, name);
    if (b && !n) err_set(e, ENOMEDIUM, "Device '%.80s' has no medium", name);
    else if (!n) err_set(e, ENODEV, "Cannot find device='%.80s' nor node-name='%.80s'", name, name);
    return n;
}

struct blk_node *mon_node_of(struct mon_call *c, const char *device, const char *node, struct err *e)
{
    if (node) {
        struct blk_node *n = blk_node_find(mon_blks(c), node);
        if (!n) err_set(e, ENODEV, "Cannot find device='%.80s' nor node-name='%.80s'", device ? device : "", node);
        return n;
    }
    return mon_node(c, device ? device : "", e);
}

int mon_node_free(struct blk_node *n, struct err *e)
{
    return n->job ? err_set(e, EBUSY, "Node '%s' is busy: block device is in use by block job", n->name) : 0;
}

/* --- showing ----------------------------------------------------------------------------------------------------------------------- */

static void add_limits(struct json_object *o, struct blk *b)
{
    static const char *const names[LEAKY_KINDS] = { "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr" };
    struct leaky_config l = { 0 };
    const char *group;
    bool on = b && blk_get_limits(b, &l, &group);
    for (unsigned i = 0; i < LEAKY_KINDS; i++) {
        char key[40];
        json_object_object_add(o, names[i], json_object_new_uint64(l.rate[i].avg));
        snprintf(key, sizeof key, "%s_max", names[i]);
        if (l.rate[i].max) json_object_object_add(o, key, json_object_new_uint64(l.rate[i].max));
        snprintf(key, sizeof key, "%s_max_length", names[i]);
        if (l.rate[i].length > 1) json_object_object_add(o, key, json_object_new_uint64(l.rate[i].length));
    }
    if (l.op_size) json_object_object_add(o, "iops_size", json_object_new_uint64(l.op_size));
    if (on) json_object_object_add(o, "group", json_object_new_string(group));
}

static struct json_object *image_json(struct blk_node *n, bool chain)
{
    while (n->drv->is_filter && n->file) n = n->file;
    struct json_object *o = img_info_json(n, n->filename ? n->filename : n->name);
    if (chain && n->backing) json_object_object_add(o, "backing-image", image_json(n->backing, true));
    return o;
}

static unsigned depth_of(const struct blk_node *n)
{
    unsigned depth = 0;
    for (; n; n = n->drv->is_filter ? n->file : n->backing) depth += n->backing != NULL;
    return depth;
}

/* BlockDeviceInfo. b: where it is seen through a front end. */
static struct json_object *node_json(struct blk_node *n, struct blk *b, bool flat)
{
    const struct blk_node *below = n;
    while (below->drv->is_filter && below->file && !below->backing) below = below->file;
    struct json_object *o = mon_obj("iops_rd:i", (int64_t)0, "detect_zeroes:s", n->detect_unmap ? "unmap" : n->detect_zeroes ? "on" : "off",
        "image:o", image_json(n, !flat), "ro:b", b ? blk_read_only(b) : !(n->flags & BLK_RDWR), "node-name:s", n->name,
        "backing_file_depth:i", (int64_t)depth_of(n), "drv:s", n->drv->name, "encrypted:b", 0, "write_threshold:i", (int64_t)0,
        "file:s", n->filename ? n->filename : "", NULL);
    add_limits(o, b);
    if (below->backing_name) json_object_object_add(o, "backing_file", json_object_new_string(below->backing_name));
    json_object_object_add(o, "cache", mon_obj("no-flush:b", !!(n->flags & BLK_NO_FLUSH), "direct:b", !!(n->flags & BLK_DIRECT),
                           "writeback:b", b ? !blk_writethrough(b) : 1, NULL));
    return o;
}

static void add_qdev(struct json_object *o, struct blk *b)
{
    struct dev *d = blk_user(b);
    char path[160];
    if (!d) return;
    dev_path(d, path, sizeof path);
    bool virtio = !strncmp(d->cls->name, "virtio-blk", 10);
    if (virtio) snprintf(path + strlen(path), sizeof path - strlen(path), "/virtio-backend");
    json_object_object_add(o, "qdev", json_object_new_string(!virtio && d->id ? d->id : path));
}

static const char *status_name(struct blk *b)
{
    return !blk_status(b) ? "ok" : blk_status(b) == -ENOSPC ? "nospace" : "failed";
}

static int query_block(struct mon_call *c, struct err *e)
{
    struct blk_graph *g = mon_blks(c);
    c->ret = json_object_new_array();
    for (struct blk *b = g ? blk_next(g, NULL) : NULL; b; b = blk_next(g, b)) {
        void *ctx;
        const struct blk_dev_ops *ops = blk_dev(b, &ctx);
        if (!*blk_name(b) && !blk_user(b)) continue;
        struct json_object *o = mon_obj("device:s", blk_name(b), "locked:b", ops && ops->locked ? ops->locked(ctx) : 0,
            "removable:b", ops ? ops->removable : !blk_user(b), "type:s", "unknown", NULL);
        add_qdev(o, b);
        if (ops && ops->errors) json_object_object_add(o, "io-status", json_object_new_string(status_name(b)));
        if (ops && ops->tray_open) json_object_object_add(o, "tray_open", json_object_new_boolean(ops->tray_open(ctx)));
        if (blk_node_of(b)) json_object_object_add(o, "inserted", node_json(blk_node_of(b), b, false));
        json_object_array_add(c->ret, o);
    }
    return 0;
}

static int query_nodes(struct mon_call *c, struct err *e)
{
    struct blk_graph *g = mon_blks(c);
    c->ret = json_object_new_array();
    for (struct blk_node *n = g ? blk_node_next(g, NULL) : NULL; n; n = blk_node_next(g, n))
        json_object_array_add(c->ret, node_json(n, NULL, mon_bool(c, "flat", false)));
    return 0;
}

static struct json_object *stats_json(const struct blk_stats *s)
{
    return mon_obj("flush_total_time_ns:u", s->flush_ns, "wr_highest_offset:u", (uint64_t)0, "wr_total_time_ns:u", s->wr_ns,
        "failed_wr_operations:u", s->wr_errors, "failed_rd_operations:u", s->rd_errors, "wr_merged:u", (uint64_t)0, "wr_bytes:u", s->wr_bytes,
        "timed_stats:o", json_object_new_array(), "failed_unmap_operations:u", (uint64_t)0, "failed_flush_operations:u", s->flush_errors,
        "account_invalid:b", 1, "rd_total_time_ns:u", s->rd_ns, "invalid_unmap_operations:u", (uint64_t)0, "flush_operations:u", s->flush_ops,
        "wr_operations:u", s->wr_ops, "unmap_bytes:u", (uint64_t)0, "rd_merged:u", (uint64_t)0, "rd_bytes:u", s->rd_bytes,
        "unmap_total_time_ns:u", (uint64_t)0, "invalid_flush_operations:u", (uint64_t)0, "account_failed:b", 1,
        "rd_operations:u", s->rd_ops, "unmap_operations:u", s->discard_ops, "invalid_wr_operations:u", (uint64_t)0,
        "invalid_rd_operations:u", s->invalid, "unmap_merged:u", (uint64_t)0, NULL);
}

/* Nodes count nothing: what they would have is told by their size at most. */
static struct json_object *node_stats(struct blk_node *n, bool parents)
{
    static const struct blk_stats none;
    struct json_object *s = stats_json(&none), *o = mon_obj("node-name:s", n->name, "stats:o", s, NULL);
    if (n->drv->is_protocol) json_object_object_add(s, "wr_highest_offset", json_object_new_uint64(blk_node_size(n)));
    if (parents && n->file) json_object_object_add(o, "parent", node_stats(n->file, true));
    if (parents && n->backing) json_object_object_add(o, "backing", node_stats(n->backing, true));
    return o;
}

static int query_blockstats(struct mon_call *c, struct err *e)
{
    struct blk_graph *g = mon_blks(c);
    c->ret = json_object_new_array();
    if (mon_bool(c, "query-nodes", false)) {
        for (struct blk_node *n = g ? blk_node_next(g, NULL) : NULL; n; n = blk_node_next(g, n)) json_object_array_add(c->ret, node_stats(n, false));
        return 0;
    }
    for (struct blk *b = g ? blk_next(g, NULL) : NULL; b; b = blk_next(g, b)) {
        struct blk_stats s = { 0 };
        struct blk_node *n = blk_node_of(b);
        if (!*blk_name(b) && !blk_user(b)) continue;
        struct json_object *o = n ? node_stats(n, true) : json_object_new_object();
        blk_get_stats(b, &s);
        json_object_object_add(o, "device", json_object_new_string(blk_name(b)));
        add_qdev(o, b);
        json_object_object_add(o, "stats", stats_json(&s));
        json_object_array_add(c->ret, o);
    }
    return 0;
}

static int info_block(struct mon_call *c, struct err *e)
{
    struct blk_graph *g = mon_blks(c);
    const char *only = mon_str(c, "device");
    for (struct blk *b = g ? blk_next(g, NULL) : NULL; b; b = blk_next(g, b)) {
        struct blk_node *n = blk_node_of(b);
        void *ctx;
        const struct blk_dev_ops *ops = blk_dev(b, &ctx);
        struct dev *d = blk_user(b);
        const char *name = *blk_name(b) ? blk_name(b) : n ? n->name : "";
        char path[160] = "";
        if ((!*blk_name(b) && !d) || (only && strcmp(only, name))) continue;
        mon_out(c, "%s%s", *blk_name(b) ? blk_name(b) : "", *blk_name(b) && n ? " (" : "");
        if (n) mon_out(c, "%s%s: %s (%s%s)\n", n->name, *blk_name(b) ? ")" : "", n->filename ? n->filename : "", n->drv->name, blk_read_only(b) ? ", read-only" : "");
        else mon_out(c, ": [not inserted]\n");
        if (d) {
            dev_path(d, path, sizeof path);
            mon_out(c, "    Attached to:      %s%s\n", path, !strncmp(d->cls->name, "virtio-blk", 10) ? "/virtio-backend" : "");
        }
        if (ops && ops->errors && blk_status(b)) mon_out(c, "    I/O status:       %s\n", status_name(b));
        if (ops && ops->removable)
            mon_out(c, "    Removable device: %slocked, tray %s\n", ops->locked && ops->locked(ctx) ? "" : "not ", ops->tray_open && ops->tray_open(ctx) ? "open" : "closed");
        if (!n) continue;
        mon_out(c, "    Cache mode:       %s%s%s\n", blk_writethrough(b) ? "writethrough" : "writeback", n->flags & BLK_DIRECT ? ", direct" : "",
                n->flags & BLK_NO_FLUSH ? ", ignore flushes" : "");
        if (n->backing) mon_out(c, "    Backing file:     %s (chain depth: %u)\n", n->backing->filename ? n->backing->filename : n->backing->name, depth_of(n));
    }
    return 0;
}

static int info_blockstats(struct mon_call *c, struct err *e)
{
    struct blk_graph *g = mon_blks(c);
    for (struct blk *b = g ? blk_next(g, NULL) : NULL; b; b = blk_next(g, b)) {
        struct blk_stats s;
        if (!*blk_name(b) && !blk_user(b)) continue;
        blk_get_stats(b, &s);
        mon_out(c, "%s: rd_bytes=%llu wr_bytes=%llu rd_operations=%llu wr_operations=%llu flush_operations=%llu wr_total_time_ns=%llu rd_total_time_ns=%llu "
                "flush_total_time_ns=%llu rd_merged=0 wr_merged=0 idle_time_ns=0\n", blk_name(b), (unsigned long long)s.rd_bytes, (unsigned long long)s.wr_bytes,
                (unsigned long long)s.rd_ops, (unsigned long long)s.wr_ops, (unsigned long long)s.flush_ops, (unsigned long long)s.wr_ns,
                (unsigned long long)s.rd_ns, (unsigned long long)s.flush_ns);
    }
    return 0;
}

/* --- adding and removing --------------------------------------------------------------------------------------------------------------- */

static int need_blocks(struct mon_call *c, struct err *e)
{
    return mon_blks(c) ? 0 : err_set(e, ENODEV, "there is no machine");
}

static int blockdev_add(struct mon_call *c, struct err *e)
{
    int r = need_blocks(c, e);
    return r ? r : blk_blockdev_add_json(mon_blks(c), json_object_get(c->args), e);
}

static int blockdev_del(struct mon_call *c, struct err *e)
{
    int r = need_blocks(c, e);
    struct blk_node *n = r ? NULL : blk_node_find(mon_blks(c), mon_str(c, "node-name"));
    if (n && (r = mon_node_free(n, e))) return r;
    return r ? r : blk_blockdev_del(mon_blks(c), mon_str(c, "node-name"), e);
}

/* drive_add DUMMY OPTIONS: a drive without a device, for device_add. */
static int drive_add(struct mon_call *c, struct err *e)
{
    struct blk_drive d;
    char *text;
    int r = need_blocks(c, e);
    if (r) return r;
    if (mon_bool(c, "node", false)) return blk_blockdev_add(mon_blks(c), mon_str(c, "opts"), e);
    if (asprintf(&text, "if=none,%s", mon_str(c, "opts")) < 0) return -ENOMEM;
    r = blk_drive_open(mon_blks(c), text, &d, e);
    free(text);
    if (r) return r;
    if (strcmp(d.iface, "none") || !*blk_name(d.blk)) {
        r = err_set(e, EINVAL, strcmp(d.iface, "none") ? "Can't hot-add drive to type %.10s" : "a drive needs an id%.0s", d.iface);
        blk_free(d.blk, NULL);
        return r;
    }
    mon_out(c, "OK\n");
    return 0;
}

/* The guest's device stays and finds no disk any more. */
static int drive_del(struct mon_call *c, struct err *e)
{
    struct blk *b = need_blocks(c, e) ? NULL : blk_find(mon_blks(c), mon_str(c, "id"));
    int r;
    if (!b) return e->code ? -e->code : mon_no_device(c, mon_str(c, "id"), e);
    if (blk_node_of(b) && (r = mon_node_free(blk_node_of(b), e))) return r;
    if (!blk_user(b)) return blk_free(b, e);
    blk_set_node(b, NULL, false);
    blk_set_name(b, "");
    return 0;
}

int mon_create_image(struct mon_call *c, const char *file, const char *format, uint64_t size, const char *backing, const char *backing_fmt, struct err *e)
{
    const struct blk_driver *d = blk_driver_find(format);
    struct json_object *o = json_object_new_object();
    char text[32];
    int r;
    if (!d) {
        r = err_set(e, EINVAL, "Unknown file format '%.60s'", format);
    } else if (!d->create) {
        r = err_set(e, ENOTSUP, "Format driver '%s' does not support image creation", format);
    } else if (backing && strcmp(format, "qcow2")) {
        r = err_set(e, EINVAL, "Backing file not supported for file format '%s'", format);
    } else {
        snprintf(text, sizeof text, "%llu", (unsigned long long)size);
        json_object_object_add(o, "size", json_object_new_string(text));
        if (backing) json_object_object_add(o, "backing_file", json_object_new_string(backing));
        if (backing && backing_fmt) json_object_object_add(o, "backing_fmt", json_object_new_string(backing_fmt));
        r = d->create(mon_blks(c), file, o, e);
    }
    json_object_put(o);
    return r;
}

/* --- sizes, limits ------------------------------------------------------------------------------------------------------------------------- */

static int block_resize(struct mon_call *c, struct err *e)
{
    int64_t size = mon_int(c, "size", 0);
    const char *node = mon_str(c, "node-name");
    struct blk_node *n = need_blocks(c, e) ? NULL : mon_node_of(c, mon_str(c, "device"), node, e);
    int r = n ? mon_node_free(n, e) : -ENODEV;
    if (r) return r;
    if (size < 0) return err_set(e, EINVAL, "Parameter 'size' expects a >0 size");
    for (struct blk *b = blk_next(mon_blks(c), NULL); b; b = blk_next(mon_blks(c), b))
        if (blk_node_of(b) && blk_node_below(blk_node_of(b), n) && blk_node_of(b) == n) return blk_resize(b, (uint64_t)size, e);
    blk_graph_stop(mon_blks(c));
    r = blk_node_truncate(n, (uint64_t)size, NULL, e);
    blk_graph_go(mon_blks(c));
    return r;
}

static int hmp_block_resize(struct mon_call *c, struct err *e)
{
    uint64_t size;
    if (blk_parse_size(mon_str(c, "size"), &size)) return err_set(e, EINVAL, "invalid size");
    json_object_object_add(c->args, "size", json_object_new_int64((int64_t)size));
    return block_resize(c, e);
}

static int block_set_io_throttle(struct mon_call *c, struct err *e)
{
    static const char *const names[LEAKY_KINDS] = { "bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr" };
    struct leaky_config l = { 0 };
    struct blk *b = need_blocks(c, e) ? NULL : mon_blk(c, mon_str(c, "device"), mon_str(c, "id"), e);
    if (!b) return -ENODEV;
    for (unsigned i = 0; i < LEAKY_KINDS; i++) {
        char max[40], length[40];
        snprintf(max, sizeof max, "%s_max", names[i]);
        snprintf(length, sizeof length, "%s_max_length", names[i]);
        int64_t v[3] = { mon_int(c, names[i], 0), mon_int(c, max, 0), mon_int(c, length, 1) };
        if (v[0] < 0 || v[1] < 0 || v[2] < 0) return err_set(e, EINVAL, "bps/iops/max values must be within [0, %llu]", (1ull << LEAKY_MAX_SHIFT) - 1);
        if (mon_has(c, length) && !v[2]) return err_set(e, EINVAL, "the burst length cannot be 0");
        l.rate[i].avg = (uint64_t)v[0], l.rate[i].max = (uint64_t)v[1], l.rate[i].length = (uint64_t)v[2];
    }
    l.op_size = (uint64_t)MAX(mon_int(c, "iops_size", 0), 0);
    return blk_set_limits(b, &l, mon_str(c, "group"), e);
}

static const struct mon_cmd cmds[] = {
    QMP("query-block", "", query_block, .ret = "list"), QMP("query-blockstats", "query-nodes?:b", query_blockstats, .ret = "list"),
    QMP("query-named-block-nodes", "flat?:b", query_nodes, .ret = "list"),
    HMP("info block", "device?:s", info_block, "show info of one block device or all block devices"),
    HMP("info blockstats", "", info_blockstats, "show block device statistics"),
    QMP("blockdev-add", "driver:s,node-name?:s,*", blockdev_add), QMP("blockdev-del", "node-name:s", blockdev_del),
    HMP("drive_add", "node:-n,pci_addr:s,opts:t", drive_add, "add drive to PCI storage controller",
        .show = "[-n] [[<domain>:]<bus>:]<slot> [file=file][,if=type][,bus=n][,unit=m][,media=d][,index=i][,...]"),
    HMP("drive_del", "id:s", drive_del, "remove host block device"),
    QMP("block_resize", "device?:s,node-name?:s,size:n", block_resize),
    HMP("block_resize", "device:s,size:s", hmp_block_resize, "resize a block image"),
    QMP("block_set_io_throttle", "device?:s,id?:s,bps:n,bps_rd:n,bps_wr:n,iops:n,iops_rd:n,iops_wr:n,bps_max?:n,bps_rd_max?:n,bps_wr_max?:n,"
        "iops_max?:n,iops_rd_max?:n,iops_wr_max?:n,bps_max_length?:n,bps_rd_max_length?:n,bps_wr_max_length?:n,iops_max_length?:n,"
        "iops_rd_max_length?:n,iops_wr_max_length?:n,iops_size?:n,group?:s", block_set_io_throttle),
    HMP("block_set_io_throttle", "device:s,bps:n,bps_rd:n,bps_wr:n,iops:n,iops_rd:n,iops_wr:n", block_set_io_throttle,
        "change I/O throttle limits for a block drive"),
};
const struct mon_table block_mon = { MON_TABLE(cmds) };
