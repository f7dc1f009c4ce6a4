/*
 * monitor_snap.c: commands: snapshots of disks, outside (an overlay takes the place) and inside of images; transactions: all or none.
 * Known gaps: a transaction does not tie its jobs together (completion-mode grouped); no dirty bitmaps.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include "sys/monitor_block.h"
#include "sys/monitor_job.h"

/* --- actions -------------------------------------------------------------------------------------------------------------------- */

struct action {
    struct mon_call call;           /* its own arguments; the command is the action's */
    const struct action_kind *kind;
    struct blk_node *node, *overlay;
    struct job *job;
    char snap[256];
};
struct action_kind {
    const char *name, *args;
    int (*prepare)(struct action *a, struct err *e);
    int (*commit)(struct action *a, struct err *e); /* what can fail is in prepare; NULL: nothing is left to do */
    void (*abort)(struct action *a);
};

static struct blk_node *image_of(struct blk_node *n)
{
    while (n->drv->is_filter && n->file) n = n->file;
    return n;
}

static struct blk_node *open_overlay(struct mon_call *c, const char *file, const char *format, const char *name, struct blk_node *back, struct err *e)
{
    struct json_object *o = json_object_new_object(), *f = json_object_new_object();
    json_object_object_add(f, "filename", json_object_new_string(file));
    json_object_object_add(o, "driver", json_object_new_string(format));
    json_object_object_add(o, "file", f);
    json_object_object_add(o, "backing", json_object_new_string(back->name));
    if (name) json_object_object_add(o, "node-name", json_object_new_string(name));
    return blk_node_open(mon_blks(c), o, BLK_RDWR | (back->flags & (BLK_UNMAP | BLK_DIRECT | BLK_NO_FLUSH)), e);
}

static int sync_prepare(struct action *a, struct err *e)
{
    struct mon_call *c = &a->call;
    const char *file = mon_str(c, "snapshot-file"), *format = mon_str(c, "format"), *mode = mon_str(c, "mode"), *name = mon_str(c, "snapshot-node-name");
    bool existing = mode && !strcmp(mode, "existing");
    if (!mon_has(c, "device") && !mon_has(c, "node-name")) return err_set(e, EINVAL, "Need exactly one of 'device' and 'node-name'");
    a->node = mon_node_of(c, mon_str(c, "device"), mon_str(c, "node-name"), e);
    int r = a->node ? mon_node_free(a->node, e) : -ENODEV;
    if (r) return r;
    if (!format) format = "qcow2";
    if (mode && !existing && strcmp(mode, "absolute-paths")) return err_set(e, EINVAL, "Parameter 'mode' does not accept value '%.40s'", mode);
    if (name && blk_node_find(mon_blks(c), name)) return err_set(e, EEXIST, "New overlay node-name already in use");
    struct blk_node *img = image_of(a->node);
    if (!existing && !img->filename) return err_set(e, EINVAL, "node '%s' has no file name that an overlay could name", img->name);
    if (!existing && (r = mon_create_image(c, file, format, blk_node_size(a->node), img->filename, img->drv->name, e))) return r;
    a->overlay = open_overlay(c, file, format, name, a->node, e);
    if (!a->overlay) return e->code ? -e->code : -EINVAL;
    return blk_node_size(a->overlay) == blk_node_size(a->node) ? 0 : err_set(e, EINVAL, "the overlay has another size than the disk");
}

/* blockdev-snapshot: a node without a backing file that was opened before. */
static int snapshot_prepare(struct action *a, struct err *e)
{
    struct mon_call *c = &a->call;
    a->node = mon_node(c, mon_str(c, "node"), e);
    struct blk_node *o = a->node ? mon_node(c, mon_str(c, "overlay"), e) : NULL;
    int r = o ? mon_node_free(a->node, e) : -ENODEV;
    if (!r) r = mon_node_free(o, e);
    if (r) return r;
    if (image_of(o)->backing) return err_set(e, EINVAL, "The overlay already has a backing image");
    if (!image_of(o)->drv->set_backing) return err_set(e, ENOTSUP, "The overlay does not support backing images");
    if (o == a->node || blk_node_below(o, a->node) || blk_node_below(a->node, o)) return err_set(e, EINVAL, "The overlay is already in use");
    for (struct blk *b = blk_next(mon_blks(c), NULL); b; b = blk_next(mon_blks(c), b))
        if (blk_node_of(b) == o) return err_set(e, EBUSY, "The overlay is already in use");
    a->overlay = blk_node_ref(o);
    return 0;
}

static int overlay_commit(struct action *a, struct err *e)
{
    struct blk_node *img = image_of(a->overlay);
    struct blk_graph *g = mon_blks(&a->call);
    blk_graph_stop(g);
    int r = blk_node_flush(a->node); /* it does not change any more */
    if (!r && !img->backing) {
        img->flags &= ~(unsigned)BLK_NO_BACKING;
        blk_node_set_backing(img, blk_node_ref(a->node));
    }
    if (r) err_set(e, -r, "%s: flush: %s", a->node->name, strerror(-r));
    else r = blk_node_replace(a->node, a->overlay, img, e);
    blk_graph_go(g);
    return r;
}

static void overlay_abort(struct action *a)
{
    /* with `clean`, the reference goes; the file stays, as QEMU leaves it */
}

/* --- inside of images --------------------------------------------------------------------------------------------------------------- */

static int find_inside(struct blk_node *n, const char *id, const char *name, struct blk_snapshot *out, struct err *e)
{
    struct blk_snapshot *list = NULL;
    unsigned count = 0;
    int r = n->drv->snap_list ? n->drv->snap_list(n, &list, &count) : -ENOTSUP;
    if (r) return err_set(e, -r, "Block format '%s' used by device '%s' does not support feature 'internal snapshots'", n->drv->name, n->name);
    r = 1;
    for (unsigned i = 0; i < count && r; i++)
        if ((!id || !strcmp(list[i].id, id)) && (!name || !strcmp(list[i].name, name))) {
            *out = list[i];
            r = 0;
        }
    free(list);
    return r;
}

static int internal_prepare(struct action *a, struct err *e)
{
    struct mon_call *c = &a->call;
    const char *name = mon_str(c, "name");
    struct blk_snapshot s = { 0 };
    struct blk_node *n = mon_node(c, mon_str(c, "device"), e);
    int r = n ? mon_node_free(n, e) : -ENODEV;
    if (r) return r;
    a->node = n = image_of(n);
    if (!*name) return err_set(e, EINVAL, "Name is empty");
    if (strlen(name) >= sizeof s.name) return err_set(e, EINVAL, "Name is too long");
    if (!(n->flags & BLK_RDWR)) return err_set(e, EROFS, "Device '%s' is read only", mon_str(c, "device"));
    r = find_inside(n, NULL, name, &s, e);
    if (r <= 0) return r ? r : err_set(e, EEXIST, "Snapshot with name '%s' already exists on device '%s'", name, mon_str(c, "device"));
    struct timeval t;
    gettimeofday(&t, NULL);
    s = (struct blk_snapshot){ .date_sec = (uint64_t)t.tv_sec, .date_ns = (uint32_t)t.tv_usec * 1000, .disk_size = blk_node_size(n) };
    if (c->m) s.vm_clock_ns = clock_now(c->m->b.clock);
    snprintf(s.name, sizeof s.name, "%s", name);
    blk_graph_stop(mon_blks(c));
    r = n->drv->snap_create(n, &s, e);
    blk_graph_go(mon_blks(c));
    if (!r) snprintf(a->snap, sizeof a->snap, "%s", name);
    return r;
}

static void internal_abort(struct action *a)
{
    if (!*a->snap) return;
    blk_graph_stop(mon_blks(&a->call));
    a->node->drv->snap_delete(a->node, a->snap, NULL);
    blk_graph_go(mon_blks(&a->call));
}

static int delete_internal(struct mon_call *c, struct err *e)
{
    const char *id = mon_str(c, "id"), *name = mon_str(c, "name");
    struct blk_snapshot s;
    struct blk_node *n = mon_blks(c) ? mon_node(c, mon_str(c, "device"), e) : NULL;
    int r = n ? mon_node_free(n, e) : -ENODEV;
    if (r) return r;
    n = image_of(n);
    if (!id && !name) return err_set(e, EINVAL, "Name or id must be provided");
    r = find_inside(n, id, name, &s, e);
    if (r > 0) return err_set(e, ENOENT, "Snapshot with id '%.60s' and name '%.60s' does not exist on device '%.60s'", id ? id : "(null)", name ? name : "(null)",
                              mon_str(c, "device"));
    if (r) return r;
    blk_graph_stop(mon_blks(c));
    r = n->drv->snap_delete(n, s.id, e);
    blk_graph_go(mon_blks(c));
    if (r) return r;
    c->ret = mon_obj("id:s", s.id, "name:s", s.name, "vm-state-size:u", s.vm_state_size, "date-sec:u", s.date_sec, "date-nsec:i", (int64_t)s.date_ns,
        "vm-clock-sec:u", s.vm_clock_ns / 1000000000u, "vm-clock-nsec:u", s.vm_clock_ns % 1000000000u, NULL);
    return 0;
}

/* --- jobs, and what fails on purpose -------------------------------------------------------------------------------------------------- */

static int backup_prepare(struct action *a, struct err *e)
{
    return mon_backup(&a->call, !strcmp(a->kind->name, "drive-backup"), &a->job, e);
}

static void backup_abort(struct action *a)
{
    if (a->job) job_cancel(a->job, true, NULL);
}

static int fail(struct action *a, struct err *e)
{
    return err_set(e, ECANCELED, "Transaction aborted using Abort action");
}

#define SYNC_ARGS "device?:s,node-name?:s,snapshot-file:s,snapshot-node-name?:s,format?:s,mode?:s"
#define BACKUP_ARGS "device:s,target:s,sync:s,on-source-error?:s,on-target-error?:s,filter-node-name?:s,job-id?:s,speed?:n,auto-finalize?:b,auto-dismiss?:b,compress?:b"
static const struct action_kind kinds[] = {
    { "blockdev-snapshot-sync", SYNC_ARGS, sync_prepare, overlay_commit, overlay_abort },
    { "blockdev-snapshot", "node:s,overlay:s", snapshot_prepare, overlay_commit, overlay_abort },
    { "blockdev-snapshot-internal-sync", "device:s,name:s", internal_prepare, NULL, internal_abort },
    { "drive-backup", BACKUP_ARGS ",format?:s,mode?:s", backup_prepare, NULL, backup_abort },
    { "blockdev-backup", BACKUP_ARGS, backup_prepare, NULL, backup_abort },
    { "abort", "", fail, NULL, NULL },
};

/* --- running them ------------------------------------------------------------------------------------------------------------------------ */

static void clean(struct action *a)
{
    if (a->overlay) blk_node_unref(a->overlay, NULL);
}

static int run_all(struct action *a, unsigned n, struct err *e)
{
    unsigned done = 0;
    int r = 0;
    while (done < n && !r) {
        r = a[done].kind->prepare(&a[done], e);
        done++;
    }
    for (unsigned i = 0; i < n && !r; i++)
        if (a[i].kind->commit) r = a[i].kind->commit(&a[i], e);
    while (r && done--)
        if (a[done].kind->abort) a[done].kind->abort(&a[done]);
    for (unsigned i = 0; i < n; i++) clean(&a[i]);
    return r;
}

static int one(struct mon_call *c, struct err *e)
{
    struct action a = { .call = *c };
    if (!mon_blks(c)) return err_set(e, ENODEV, "there is no machine");
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
        if (!strcmp(kinds[i].name, c->cmd->name)) a.kind = &kinds[i];
    int r = run_all(&a, 1, e);
    c->error_class = a.call.error_class;
    return r;
}

/* An element of the list: {"type": ..., "data": {...}}. */
static int parse_action(struct mon_call *c, struct json_object *o, struct action *a, struct err *e)
{
    struct json_object *type = NULL, *data = NULL;
    *a = (struct action){ .call = *c };
    if (!json_object_is_type(o, json_type_object)) return err_set(e, EINVAL, "Invalid parameter type for 'actions[]', expected: object");
    if (!json_object_object_get_ex(o, "type", &type)) return err_set(e, EINVAL, "Parameter 'actions[].type' is missing");
    if (!json_object_object_get_ex(o, "data", &data) || !json_object_is_type(data, json_type_object))
        return err_set(e, EINVAL, "Parameter 'actions[].data' is missing");
    const char *name = json_object_get_string(type);
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
        if (name && !strcmp(kinds[i].name, name)) a->kind = &kinds[i];
    if (!a->kind) return err_set(e, EINVAL, "Parameter 'type' does not accept value '%.60s'", name ? name : "null");
    a->call.args = data;
    return mon_check_args(a->kind->args, data, e);
}

static int transaction(struct mon_call *c, struct err *e)
{
    enum { MOST = 256 };
    struct json_object *list = json_object_object_get(c->args, "actions"), *props = json_object_object_get(c->args, "properties"), *mode;
    size_t n = json_object_array_length(list);
    if (!mon_blks(c)) return err_set(e, ENODEV, "there is no machine");
    if (n > MOST) return err_set(e, E2BIG, "more than %d actions", MOST);
    if (props && json_object_object_get_ex(props, "completion-mode", &mode) && strcmp(json_object_get_string(mode) ? json_object_get_string(mode) : "", "individual"))
        return err_set(e, ENOTSUP, "completion-mode 'grouped' is not available");
    struct action *a = xalloc((n + 1) * sizeof *a);
    int r = 0;
    for (size_t i = 0; i < n && !r; i++) r = parse_action(c, json_object_array_get_idx(list, i), &a[i], e);
    if (!r) r = run_all(a, (unsigned)n, e);
    free(a);
    return r;
}

/* HMP: snapshot_blkdev [-n] device file [format] */
static int hmp_snapshot(struct mon_call *c, struct err *e)
{
    static const struct mon_cmd as = { .name = "blockdev-snapshot-sync" };
    c->cmd = &as;
    json_object_object_add(c->args, "mode", json_object_new_string(mon_bool(c, "reuse", false) ? "existing" : "absolute-paths"));
    return one(c, e);
}

static int hmp_internal(struct mon_call *c, struct err *e)
{
    static const struct mon_cmd as = { .name = "blockdev-snapshot-internal-sync" };
    c->cmd = &as;
    return one(c, e);
}

static const struct mon_cmd cmds[] = {
    QMP("blockdev-snapshot-sync", SYNC_ARGS, one), QMP("blockdev-snapshot", "node:s,overlay:s", one),
    QMP("blockdev-snapshot-internal-sync", "device:s,name:s", one),
    QMP("blockdev-snapshot-delete-internal-sync", "device:s,id?:s,name?:s", delete_internal, .ret = "any"),
    QMP("transaction", "actions:l,properties?:o", transaction),
    HMP("snapshot_blkdev", "reuse:-n,device:s,snapshot-file:s,format?:s", hmp_snapshot, "initiates a live snapshot of device", .show = "[-n] device new-image-file [format]"),
    HMP("snapshot_blkdev_internal", "device:s,name:s", hmp_internal, "take an internal snapshot of device"),
    HMP("snapshot_delete_blkdev_internal", "device:s,name:s,id?:s", delete_internal, "delete an internal snapshot of device"),
};
const struct mon_table snap_mon = { MON_TABLE(cmds) };
