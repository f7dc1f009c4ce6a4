/* monitor_media.c: commands: media of removable drives and their trays. */
#include <stdio.h>
#include <stdlib.h>
#include "sys/monitor_block.h"

/* The drive that the call is about; it has to be one whose medium can be taken out. */
static struct blk *drive(struct mon_call *c, struct err *e)
{
    if (!mon_blks(c)) {
        err_set(e, ENODEV, "there is no machine");
        return NULL;
    }
    struct blk *b = mon_blk(c, mon_str(c, "device"), mon_str(c, "id"), e);
    const struct blk_dev_ops *ops = b ? blk_dev(b, NULL) : NULL;
    if (!b || !blk_user(b) || (ops && ops->removable)) return b;
    err_set(e, EINVAL, "Device '%s' is not removable", *blk_name(b) ? blk_name(b) : mon_str(c, "id"));
    return NULL;
}

static const char *label(struct mon_call *c, struct blk *b)
{
    return *blk_name(b) ? blk_name(b) : mon_has(c, "id") ? mon_str(c, "id") : "";
}

static int open_tray(struct mon_call *c, struct blk *b, bool force, struct err *e)
{
    void *ctx;
    const struct blk_dev_ops *ops = blk_dev(b, &ctx);
    if (!ops || !ops->tray || ops->tray_open(ctx)) return 0;
    bool locked = ops->locked(ctx);
    if (locked) ops->eject_request(ctx, force);
    if (locked && !force)
        return err_set(e, EBUSY, "Device '%s' is locked and force was not specified, wait for tray to open and try again", label(c, b));
    ops->tray(ctx, true);
    return 0;
}

static int close_tray(struct blk *b)
{
    void *ctx;
    const struct blk_dev_ops *ops = blk_dev(b, &ctx);
    if (ops && ops->tray) ops->tray(ctx, false);
    return 0;
}

static int tray_is_open(struct mon_call *c, struct blk *b, struct err *e)
{
    void *ctx;
    const struct blk_dev_ops *ops = blk_dev(b, &ctx);
    if (!ops || !ops->tray_open || ops->tray_open(ctx)) return 0;
    return err_set(e, EINVAL, "Tray of device '%s' is not open", label(c, b));
}

static int take_out(struct blk *b, struct err *e)
{
    int r = blk_node_of(b) ? mon_node_free(blk_node_of(b), e) : 0;
    if (!r && blk_node_of(b)) blk_set_node(b, NULL, blk_read_only(b));
    return r;
}

static int cmd_open_tray(struct mon_call *c, struct err *e)
{
    struct blk *b = drive(c, e);
    return b ? open_tray(c, b, mon_bool(c, "force", false), e) : -EINVAL;
}

static int cmd_close_tray(struct mon_call *c, struct err *e)
{
    struct blk *b = drive(c, e);
    return b ? close_tray(b) : -EINVAL;
}

static int cmd_remove(struct mon_call *c, struct err *e)
{
    struct blk *b = drive(c, e);
    int r = b ? tray_is_open(c, b, e) : -EINVAL;
    return r ? r : take_out(b, e);
}

static int cmd_insert(struct mon_call *c, struct err *e)
{
    struct blk *b = drive(c, e);
    struct blk_node *n = b ? blk_node_find(mon_blks(c), mon_str(c, "node-name")) : NULL;
    int r = b ? tray_is_open(c, b, e) : -EINVAL;
    if (r) return r;
    if (!n) return err_set(e, ENOENT, "Node '%.60s' not found", mon_str(c, "node-name"));
    if (blk_node_of(b)) return err_set(e, EBUSY, "There already is a medium in device '%s'", label(c, b));
    for (struct blk *o = blk_next(mon_blks(c), NULL); o; o = blk_next(mon_blks(c), o))
        if (blk_node_of(o) == n) return err_set(e, EBUSY, "Node '%s' is already in use", n->name);
    blk_set_node(b, blk_node_ref(n), !(n->flags & BLK_RDWR));
    return 0;
}

static int cmd_eject(struct mon_call *c, struct err *e)
{
    struct blk *b = drive(c, e);
    int r = b ? open_tray(c, b, mon_bool(c, "force", false), e) : -EINVAL;
    return r ? r : take_out(b, e);
}

/* Another file in the drive. mode: "retain", "read-only", "read-write". */
static int change(struct mon_call *c, struct blk *b, const char *file, const char *format, const char *mode, bool force, struct err *e)
{
    bool ro = blk_read_only(b);
    if (mode && !strcmp(mode, "read-only")) ro = true;
    else if (mode && !strcmp(mode, "read-write")) ro = false;
    else if (mode && strcmp(mode, "retain")) return err_set(e, EINVAL, "Parameter 'read-only-mode' does not accept value '%.40s'", mode);
    int r = blk_node_of(b) ? mon_node_free(blk_node_of(b), e) : 0;
    if (!r) r = open_tray(c, b, force, e);
    if (r) return r;
    struct blk_node *n = blk_node_open_file(mon_blks(c), file, format, (ro ? BLK_PROBE : BLK_RDWR), e);
    if (!n) {
        close_tray(b);
        return -EINVAL;
    }
    if (blk_node_of(b)) blk_set_node(b, NULL, ro);
    blk_set_node(b, n, ro);
    return close_tray(b);
}

static int cmd_change(struct mon_call *c, struct err *e)
{
    struct blk *b = drive(c, e);
    return b ? change(c, b, mon_str(c, "filename"), mon_str(c, "format"), mon_str(c, "read-only-mode"), mon_bool(c, "force", false), e) : -EINVAL;
}

int mon_change(struct mon_call *c, const char *device, const char *file, const char *format, struct err *e)
{
    json_object_object_add(c->args, "device", json_object_new_string(device));
    struct blk *b = drive(c, e);
    return b ? change(c, b, file, format && *format ? format : NULL, NULL, false, e) : -EINVAL;
}

static const struct mon_cmd cmds[] = {
    QMP("eject", "device?:s,id?:s,force?:b", cmd_eject),
    HMP("eject", "force:-f,device:s", cmd_eject, "eject a removable medium (use -f to force it)"),
    QMP("blockdev-open-tray", "device?:s,id?:s,force?:b", cmd_open_tray), QMP("blockdev-close-tray", "device?:s,id?:s", cmd_close_tray),
    QMP("blockdev-remove-medium", "id:s", cmd_remove), QMP("blockdev-insert-medium", "id:s,node-name:s", cmd_insert),
    QMP("blockdev-change-medium", "device?:s,id?:s,filename:s,format?:s,force?:b,read-only-mode?:s", cmd_change),
};
const struct mon_table media_mon = { MON_TABLE(cmds) };
