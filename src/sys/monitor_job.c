/*
 * monitor_job.c: commands: block jobs (block-*, job-*, drive-*, blockdev-*) and their events. Facts: the QMP reference manual, docs/interop/
 * live-block-operations, answers of QEMU 7.2. Known gaps: no dirty bitmaps (sync=incremental, bitmap), filter-node-name is taken and means
 * nothing: jobs insert no filters.
 */
#include <stdio.h>
#include <stdlib.h>
#include "io/block/job.h"
#include "sys/monitor_block.h"
#include "sys/monitor_job.h"

/* --- events --------------------------------------------------------------------------------------------------------------------- */

static struct json_object *job_data(struct job *j)
{
    uint64_t offset, len, speed;
    bool busy, ready, paused;
    int error;
    job_state(j, &offset, &len, &speed, &busy, &ready, &paused, &error);
    return mon_obj("device:s", j->id, "len:u", len, "offset:u", offset, "speed:u", speed, "type:s", j->kind->type, NULL);
}

static void on_job(void *ctx, struct job *j, enum job_event ev)
{
    struct monitors *s = ctx;
    struct json_object *o;
    switch (ev) {
    case JOB_EV_STATUS: monitor_event(s, "JOB_STATUS_CHANGE", mon_obj("status:s", job_status_name(j->status), "id:s", j->id, NULL)); break;
    case JOB_EV_READY: monitor_event(s, "BLOCK_JOB_READY", job_data(j)); break;
    case JOB_EV_PENDING: monitor_event(s, "BLOCK_JOB_PENDING", mon_obj("type:s", j->kind->type, "id:s", j->id, NULL)); break;
    case JOB_EV_CANCELLED: monitor_event(s, "BLOCK_JOB_CANCELLED", job_data(j)); break;
    case JOB_EV_COMPLETED:
        o = job_data(j);
        if (j->ret) json_object_object_add(o, "error", json_object_new_string(j->err.msg));
        monitor_event(s, "BLOCK_JOB_COMPLETED", o);
        break;
    case JOB_EV_ERROR:
        monitor_event(s, "BLOCK_JOB_ERROR", mon_obj("device:s", j->id, "operation:s", j->error_write ? "write" : "read", "action:s", "stop", NULL));
        break;
    }
}

struct job_set *mon_jobs_new(struct monitors *s)
{
    const struct monitors_config *c = mon_config(s);
    return job_set_new(c->loop, c->blks, &(struct job_host){ on_job, s });
}

/* --- starting -------------------------------------------------------------------------------------------------------------------- */

static int on_error(struct mon_call *c, const char *name, bool write, enum blk_on_error *a, struct err *e)
{
    const char *v = mon_str(c, name);
    *a = BLK_ERR_REPORT;
    if (!v) return 0;
    if (!strcmp(v, "auto")) return *a = write ? BLK_ERR_ENOSPC : BLK_ERR_REPORT, 0;
    if (blk_on_error_parse(v, true, a, NULL)) return err_set(e, EINVAL, "Parameter '%s' does not accept value '%.40s'", name, v);
    return 0;
}

int mon_job_args(struct mon_call *c, struct job_args *a, const char *def, const char *on_read, const char *on_write, struct err *e)
{
    *a = (struct job_args){ .id = mon_str(c, "job-id"), .def = def, .speed = mon_int(c, "speed", 0), .auto_finalize = mon_bool(c, "auto-finalize", true),
                            .auto_dismiss = mon_bool(c, "auto-dismiss", true) };
    int r = on_read ? on_error(c, on_read, false, &a->on_read, e) : 0;
    return r || !on_write ? r : on_error(c, on_write, true, &a->on_write, e);
}

/* "device" of commands that jobs begin with: a drive's name or a node's. */
static struct blk_node *device(struct mon_call *c, struct err *e)
{
    if (mon_blks(c)) return mon_node(c, mon_str(c, "device"), e);
    err_set(e, ENODEV, "there is no machine");
    return NULL;
}

/* The node of the chain below top that a file name or a node name means. */
static struct blk_node *in_chain(struct blk_node *top, const char *file, const char *node)
{
    for (struct blk_node *n = top; n; n = n->drv->is_filter ? n->file : n->backing)
        if (node ? !strcmp(n->name, node) : n->filename && !strcmp(n->filename, file)) return n;
    return NULL;
}

/* "base"/"base-node" and the like; *out stays NULL where neither is given. */
static int chain_arg(struct mon_call *c, struct blk_node *top, const char *file, const char *node, struct blk_node **out, struct err *e)
{
    const char *f = mon_str(c, file), *n = mon_str(c, node);
    *out = NULL;
    if (f && n) return err_set(e, EINVAL, "'%s' and '%s' cannot be specified at the same time", file, node);
    if (!f && !n) return 0;
    *out = in_chain(top, f, n);
    if (*out) return 0;
    return n ? err_set(e, ENOENT, "Cannot find device='' nor node-name='%.80s'", n) : err_set(e, ENOENT, "Can't find '%.120s' in the backing chain", f);
}

static int block_stream(struct mon_call *c, struct err *e)
{
    struct blk_node *top = device(c, e), *base, *bottom;
    struct job_args a;
    int r = top ? mon_job_args(c, &a, mon_str(c, "device"), "on-error", NULL, e) : -ENODEV;
    if (!r) r = chain_arg(c, top, "base", "base-node", &base, e);
    if (!r) r = chain_arg(c, top, "", "bottom", &bottom, e);
    if (r) return r;
    if (base && bottom) return err_set(e, EINVAL, "'base' and 'bottom' cannot be specified at the same time");
    if (bottom) base = bottom->backing;
    a.on_write = a.on_read;
    if (mon_has(c, "backing-file") && !base) return err_set(e, EINVAL, "backing file specified, but streaming the entire chain");
    return job_stream(mon_config(c->set)->jobs, &a, top, base, mon_str(c, "backing-file"), e) ? 0 : -EINVAL;
}

static int block_commit(struct mon_call *c, struct err *e)
{
    struct blk_node *active = device(c, e), *top, *base, *overlay;
    struct job_args a;
    struct job_set *jobs = mon_config(c->set)->jobs;
    int r = active ? mon_job_args(c, &a, mon_str(c, "device"), "on-error", NULL, e) : -ENODEV;
    if (!r) r = chain_arg(c, active, "top", "top-node", &top, e);
    if (!r) r = chain_arg(c, active, "base", "base-node", &base, e);
    if (r) return r;
    a.on_write = a.on_read;
    while (active->drv->is_filter && active->file) active = active->file;
    if (!top) top = active;
    if (!base)
        for (base = top; base->backing;) base = base->backing;
    if (base == top) return err_set(e, EINVAL, "cannot commit an image into itself");
    if (!blk_node_below(top, base)) return err_set(e, EINVAL, "'%.100s' is not in this backing file chain", base->filename ? base->filename : base->name);
    if (top == active) {
        if (mon_has(c, "backing-file")) return err_set(e, EINVAL, "'backing-file' specified, but 'top' is the active layer");
        struct job_mirror_args m = { .commit = true, .sync = JOB_SYNC_TOP };
        return job_mirror(jobs, &a, active, base, &m, e) ? 0 : -EINVAL;
    }
    for (overlay = active; overlay && overlay->backing != top;) overlay = overlay->backing;
    return job_commit(jobs, &a, overlay, top, base, mon_str(c, "backing-file"), e) ? 0 : -EINVAL;
}

static int sync_of(struct mon_call *c, enum job_sync *s, struct err *e)
{
    static const char *const names[] = { "full", "top", "none" };
    const char *v = mon_str(c, "sync");
    for (unsigned i = 0; i < 3; i++)
        if (!strcmp(v, names[i])) return *s = (enum job_sync)i, 0;
    return err_set(e, EINVAL, "Parameter 'sync' does not accept value '%.40s'", v);
}

/* drive-mirror, drive-backup: makes the target's image and opens it. The reference is the caller's. */
static struct blk_node *target_of(struct mon_call *c, struct blk_node *source, enum job_sync sync, struct err *e)
{
    const char *file = mon_str(c, "target"), *format = mon_str(c, "format"), *mode = mon_str(c, "mode"), *name = mon_str(c, "node-name");
    struct blk_node *img = source, *back;
    bool existing = mode && !strcmp(mode, "existing");
    while (img->drv->is_filter && img->file) img = img->file;
    if (!format) format = img->drv->is_protocol ? "raw" : img->drv->name;
    if (mode && !existing && strcmp(mode, "absolute-paths")) {
        err_set(e, EINVAL, "Parameter 'mode' does not accept value '%.40s'", mode);
        return NULL;
    }
    back = sync == JOB_SYNC_TOP ? img->backing : sync == JOB_SYNC_NONE ? img : NULL;
    if (!existing && mon_create_image(c, file, format, blk_node_size(source), back ? back->filename : NULL, back ? back->drv->name : NULL, e)) return NULL;
    struct json_object *o = json_object_new_object(), *f = json_object_new_object();
    json_object_object_add(f, "filename", json_object_new_string(file));
    json_object_object_add(o, "driver", json_object_new_string(format));
    json_object_object_add(o, "file", f);
    if (name) json_object_object_add(o, "node-name", json_object_new_string(name));
    return blk_node_open(mon_blks(c), o, BLK_RDWR | BLK_NO_BACKING | (source->flags & (BLK_UNMAP | BLK_DIRECT | BLK_NO_FLUSH)), e);
}

static int mirror(struct mon_call *c, struct err *e)
{
    bool drive = !strcmp(c->cmd->name, "drive-mirror") || c->out;
    struct blk_node *source = device(c, e), *target;
    struct job_mirror_args m = { .unmap = mon_bool(c, "unmap", true), .adopt = drive, .granularity = (uint32_t)mon_int(c, "granularity", 0) };
    struct job_args a;
    const char *copy = mon_str(c, "copy-mode");
    int r = source ? mon_job_args(c, &a, mon_str(c, "device"), "on-source-error", "on-target-error", e) : -ENODEV;
    if (!r) r = sync_of(c, &m.sync, e);
    if (!r && copy && strcmp(copy, "background") && strcmp(copy, "write-blocking"))
        r = err_set(e, EINVAL, "Parameter 'copy-mode' does not accept value '%.40s'", copy);
    if (!r && mon_has(c, "granularity") && (mon_int(c, "granularity", 0) < 512 || mon_int(c, "granularity", 0) > 64 << 20))
        r = err_set(e, EINVAL, "Parameter 'granularity' expects a value in range [512B, 64MB]");
    if (!r) r = mon_node_free(source, e);
    if (!r && mon_has(c, "replaces") && !(m.replaces = blk_node_find(mon_blks(c), mon_str(c, "replaces"))))
        r = err_set(e, ENOENT, "Failed to find node with node-name='%.80s'", mon_str(c, "replaces"));
    if (r) return r;
    target = drive ? target_of(c, source, m.sync, e) : mon_node(c, mon_str(c, "target"), e);
    if (!target) return e->code ? -e->code : -EINVAL;
    if (!drive) blk_node_ref(target);
    struct job *j = job_mirror(mon_config(c->set)->jobs, &a, source, target, &m, e);
    blk_node_unref(target, NULL);
    return j ? 0 : -EINVAL;
}

int mon_backup(struct mon_call *c, bool drive, struct job **out, struct err *e)
{
    struct blk_node *source = device(c, e), *target;
    struct job_args a;
    enum job_sync sync;
    int r = source ? mon_job_args(c, &a, mon_str(c, "device"), "on-source-error", "on-target-error", e) : -ENODEV;
    if (!r) r = sync_of(c, &sync, e);
    if (!r) r = mon_node_free(source, e);
    if (r) return r;
    target = drive ? target_of(c, source, sync, e) : mon_node(c, mon_str(c, "target"), e);
    if (!target) return e->code ? -e->code : -EINVAL;
    if (!drive) blk_node_ref(target);
    *out = job_backup(mon_config(c->set)->jobs, &a, source, target, sync, e);
    blk_node_unref(target, NULL);
    return *out ? 0 : -EINVAL;
}

static int backup(struct mon_call *c, struct err *e)
{
    struct job *j;
    return mon_backup(c, !strcmp(c->cmd->name, "drive-backup") || c->out, &j, e);
}

/* --- asking, steering ------------------------------------------------------------------------------------------------------------------ */

static struct job *find_block_job(struct mon_call *c, struct err *e)
{
    const char *id = mon_str(c, "device") ? mon_str(c, "device") : mon_str(c, "id");
    struct job *j = job_find(mon_config(c->set)->jobs, id);
    if (j) return j;
    c->error_class = "DeviceNotActive";
    err_set(e, ENOENT, "Block job '%.80s' not found", id);
    return NULL;
}

static struct job *find_job(struct mon_call *c, struct err *e)
{
    struct job *j = job_find(mon_config(c->set)->jobs, mon_str(c, "id"));
    if (!j) err_set(e, ENOENT, "Job not found");
    return j;
}

/* The verb is the end of the command's name. */
static int verb(struct mon_call *c, struct job *j, struct err *e)
{
    const char *v = c->out ? strrchr(c->cmd->name, '_') + 1 : strrchr(c->cmd->name, '-') + 1;
    bool block = c->out || !strncmp(c->cmd->name, "block-", 6);
    if (!j) return -ENOENT;
    if (!strcmp(v, "cancel")) return job_cancel(j, block ? mon_bool(c, "force", false) : true, e);
    if (!strcmp(v, "pause")) return job_pause(j, e);
    if (!strcmp(v, "resume")) return job_resume(j, e);
    if (!strcmp(v, "complete")) return job_complete(j, e);
    if (!strcmp(v, "finalize")) return job_finalize(j, e);
    if (!strcmp(v, "dismiss")) return job_dismiss(j, e);
    return job_set_speed(j, mon_int(c, "speed", 0), e);
}

static int block_job(struct mon_call *c, struct err *e)
{
    return verb(c, find_block_job(c, e), e);
}

static int job(struct mon_call *c, struct err *e)
{
    return verb(c, find_job(c, e), e);
}

static int query_block_jobs(struct mon_call *c, struct err *e)
{
    struct job_set *s = mon_config(c->set)->jobs;
    c->ret = json_object_new_array();
    for (struct job *j = job_next(s, NULL); j; j = job_next(s, j)) {
        uint64_t offset, len, speed;
        bool busy, ready, paused;
        int error;
        job_state(j, &offset, &len, &speed, &busy, &ready, &paused, &error);
        struct json_object *o = mon_obj("auto-finalize:b", j->auto_finalize, "io-status:s", !error ? "ok" : error == -ENOSPC ? "nospace" : "failed",
            "device:s", j->id, "auto-dismiss:b", j->auto_dismiss, "busy:b", busy, "len:u", len, "offset:u", offset,
            "status:s", job_status_name(j->status), "paused:b", paused, "speed:u", speed, "ready:b", ready, "type:s", j->kind->type, NULL);
        if (j->ret) json_object_object_add(o, "error", json_object_new_string(j->err.msg));
        json_object_array_add(c->ret, o);
    }
    return 0;
}

static int query_jobs(struct mon_call *c, struct err *e)
{
    struct job_set *s = mon_config(c->set)->jobs;
    c->ret = json_object_new_array();
    for (struct job *j = job_next(s, NULL); j; j = job_next(s, j)) {
        uint64_t offset, len, speed;
        bool busy, ready, paused;
        int error;
        job_state(j, &offset, &len, &speed, &busy, &ready, &paused, &error);
        struct json_object *o = mon_obj("current-progress:u", offset, "status:s", job_status_name(j->status), "total-progress:u", len,
            "type:s", j->kind->type, "id:s", j->id, NULL);
        if (j->ret) json_object_object_add(o, "error", json_object_new_string(j->err.msg));
        json_object_array_add(c->ret, o);
    }
    return 0;
}

static int info_block_jobs(struct mon_call *c, struct err *e)
{
    struct job_set *s = mon_config(c->set)->jobs;
    if (!job_next(s, NULL)) mon_out(c, "No active jobs\n");
    for (struct job *j = job_next(s, NULL); j; j = job_next(s, j)) {
        uint64_t offset, len, speed;
        bool busy, ready, paused;
        int error;
        job_state(j, &offset, &len, &speed, &busy, &ready, &paused, &error);
        mon_out(c, "Type %s, device %s: Completed %llu of %llu bytes, speed limit %llu bytes/s\n", j->kind->type, j->id, (unsigned long long)offset,
                (unsigned long long)len, (unsigned long long)speed);
    }
    return 0;
}

/* HMP: drive_mirror [-n] [-f] device target [format]; drive_backup the same. */
static int hmp_copy(struct mon_call *c, struct err *e)
{
    json_object_object_add(c->args, "sync", json_object_new_string(mon_bool(c, "full", false) ? "full" : "top"));
    json_object_object_add(c->args, "mode", json_object_new_string(mon_bool(c, "reuse", false) ? "existing" : "absolute-paths"));
    return !strcmp(c->cmd->name, "drive_mirror") ? mirror(c, e) : backup(c, e);
}

#define COMMON "job-id?:s,speed?:n,auto-finalize?:b,auto-dismiss?:b"
#define COPY "device:s,target:s,sync:s,on-source-error?:s,on-target-error?:s,filter-node-name?:s," COMMON
static const struct mon_cmd cmds[] = {
    QMP("block-stream", "device:s,base?:s,base-node?:s,backing-file?:s,bottom?:s,on-error?:s,filter-node-name?:s," COMMON, block_stream),
    QMP("block-commit", "device:s,base?:s,base-node?:s,top?:s,top-node?:s,backing-file?:s,on-error?:s,filter-node-name?:s," COMMON, block_commit),
    QMP("drive-mirror", COPY ",format?:s,node-name?:s,replaces?:s,mode?:s,granularity?:n,buf-size?:n,unmap?:b,copy-mode?:s", mirror),
    QMP("blockdev-mirror", COPY ",replaces?:s,granularity?:n,buf-size?:n,copy-mode?:s", mirror),
    QMP("drive-backup", COPY ",format?:s,mode?:s,compress?:b", backup), QMP("blockdev-backup", COPY ",compress?:b", backup),
    HMP("block_stream", "device:s,speed?:n,base?:s", block_stream, "copy data from a backing file into a block device"),
    HMP("drive_mirror", "reuse:-n,full:-f,device:s,target:s,format?:s", hmp_copy, "initiates live storage migration for a device", .show = "[-n] [-f] device target [format]"),
    HMP("drive_backup", "reuse:-n,full:-f,device:s,target:s,format?:s", hmp_copy, "initiates a point-in-time copy for a device", .show = "[-n] [-f] device target [format]"),
    QMP("block-job-set-speed", "device:s,speed:n", block_job), QMP("block-job-cancel", "device:s,force?:b", block_job),
    QMP("block-job-pause", "device:s", block_job), QMP("block-job-resume", "device:s", block_job), QMP("block-job-complete", "device:s", block_job),
    QMP("block-job-finalize", "id:s", block_job), QMP("block-job-dismiss", "id:s", block_job),
    QMP("job-cancel", "id:s", job), QMP("job-pause", "id:s", job), QMP("job-resume", "id:s", job), QMP("job-complete", "id:s", job),
    QMP("job-finalize", "id:s", job), QMP("job-dismiss", "id:s", job),
    HMP("block_job_set_speed", "device:s,speed:n", block_job, "set maximum speed for a background block operation"),
    HMP("block_job_cancel", "force:-f,device:s", block_job, "stop an active background block operation"),
    HMP("block_job_pause", "device:s", block_job, "pause an active background block operation"),
    HMP("block_job_resume", "device:s", block_job, "resume a paused background block operation"),
    HMP("block_job_complete", "device:s", block_job, "complete an active background block operation"),
    QMP("query-block-jobs", "", query_block_jobs, .ret = "list"), QMP("query-jobs", "", query_jobs, .ret = "list"),
    HMP("info block-jobs", "", info_block_jobs, "show progress of ongoing block device operations"),
};
const struct mon_table job_mon = { MON_TABLE(cmds) };
