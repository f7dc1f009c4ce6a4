/*
 * monitor_nbd.c: commands: disks of the machine for others, over NBD: nbd-server-*, block-export-* of type nbd. Known gaps: no TLS, no bitmaps,
 * no other kinds of exports (vhost-user-blk, fuse).
 */
#include <stdio.h>
#include <stdlib.h>
#include "io/block/nbd_server.h"
#include "sys/monitor_block.h"

/* "addr": {"type": "inet", "data": {...}} of QMP's SocketAddressLegacy, or flat. */
static int address(struct mon_call *c, struct sock_spec *spec, struct err *e)
{
    struct opts all = { 0 }, o = { 0 };
    int r = opts_json(&all, json_object_object_get(c->args, "addr"), e);
    if (!r) {
        opts_copy(&o, &all, "data.");
        if (!o.count) opts_copy(&o, &all, NULL);
        struct err why = { 0 };
        r = sock_spec(spec, &o, "", SOCK_STREAM, &why);
        if (r) r = err_set(e, -r, "%s", why.code ? why.msg : "Parameter 'addr' names no address");
    }
    opts_free(&all);
    opts_free(&o);
    return r;
}

static struct nbd_server *server(struct mon_call *c, struct err *e)
{
    struct nbd_server **at = mon_nbd(c->set);
    if (!*at) err_set(e, EINVAL, "NBD server not running");
    return *at;
}

static int start_at(struct mon_call *c, struct sock_spec *spec, unsigned most, struct err *e)
{
    struct nbd_server **at = mon_nbd(c->set);
    struct nbd_server_config cfg = { .max_connections = most };
    if (!mon_blks(c)) return err_set(e, ENODEV, "there is no machine");
    if (*at) return err_set(e, EBUSY, "NBD server already running");
    *at = nbd_server_new(mon_blks(c), mon_config(c->set)->loop, &cfg);
    int r = nbd_server_listen(*at, spec, e);
    if (!r) return 0;
    nbd_server_free(*at);
    *at = NULL;
    return r;
}

static int server_start(struct mon_call *c, struct err *e)
{
    struct sock_spec spec;
    int r = mon_has(c, "tls-creds") ? err_set(e, ENOTSUP, "TLS is not here") : address(c, &spec, e);
    return r ? r : start_at(c, &spec, (unsigned)MAX(mon_int(c, "max-connections", 0), 0), e);
}

static int server_stop(struct mon_call *c, struct err *e)
{
    struct nbd_server **at = mon_nbd(c->set);
    if (!server(c, e)) return -EINVAL;
    nbd_server_free(*at);
    *at = NULL;
    return 0;
}

static int add(struct mon_call *c, struct blk_node *n, const char *name, bool writable, struct err *e)
{
    struct nbd_server *s = server(c, e);
    if (!s) return -EINVAL;
    if (mon_has(c, "bitmap") || mon_has(c, "bitmaps")) return err_set(e, ENOTSUP, "there are no dirty bitmaps");
    return nbd_export_add(s, name, mon_str(c, "description"), n, writable, e);
}

static int server_add(struct mon_call *c, struct err *e)
{
    struct blk_node *n = server(c, e) ? mon_node(c, mon_str(c, "device"), e) : NULL;
    bool writable = mon_bool(c, "writable", false);
    if (!n) return -EINVAL;
    if (writable && !(n->flags & BLK_RDWR)) writable = false; /* as QEMU: a read-only one is exported as that */
    return add(c, n, mon_str(c, "name") ? mon_str(c, "name") : mon_str(c, "device"), writable, e);
}

static int server_remove(struct mon_call *c, struct err *e)
{
    const char *mode = mon_str(c, "mode");
    struct nbd_server *s = server(c, e);
    if (!s) return -EINVAL;
    if (mode && strcmp(mode, "safe") && strcmp(mode, "hard")) return err_set(e, EINVAL, "Parameter 'mode' does not accept value '%.40s'", mode);
    return nbd_export_remove(s, mon_str(c, mon_has(c, "name") ? "name" : "id"), mode && !strcmp(mode, "hard"), e);
}

/* block-export-add type=nbd; its id is its name here. */
static int export_add(struct mon_call *c, struct err *e)
{
    struct blk_node *n;
    if (strcmp(mon_str(c, "type"), "nbd")) return err_set(e, EINVAL, "Parameter 'type' does not accept value '%.40s'", mon_str(c, "type"));
    if (!server(c, e)) return -EINVAL;
    if (!(n = blk_node_find(mon_blks(c), mon_str(c, "node-name"))))
        return err_set(e, ENODEV, "Cannot find device='' nor node-name='%.80s'", mon_str(c, "node-name"));
    if (mon_has(c, "name") && strcmp(mon_str(c, "name"), mon_str(c, "id"))) return err_set(e, ENOTSUP, "id and name of an export are the same here");
    return add(c, n, mon_str(c, "id"), mon_bool(c, "writable", false), e);
}

static int query_exports(struct mon_call *c, struct err *e)
{
    struct nbd_server *s = *mon_nbd(c->set);
    struct blk_node *n;
    c->ret = json_object_new_array();
    for (unsigned i = 0; s && nbd_export_next(s, i, &n); i++)
        LIST_ADD(c->ret, "node-name:s", n ? n->name : "", "shutting-down:b", 0, "type:s", "nbd", "id:s", nbd_export_next(s, i, NULL));
    return 0;
}

/* HMP: nbd_server_start [-a] [-w] host:port */
static int hmp_start(struct mon_call *c, struct err *e)
{
    struct sock_spec spec;
    int r = sock_parse_hostport(&spec, mon_str(c, "uri"), SOCK_STREAM, e);
    if (!r) r = start_at(c, &spec, 0, e);
    for (struct blk *b = !r && mon_bool(c, "all", false) ? blk_next(mon_blks(c), NULL) : NULL; b && !r; b = blk_next(mon_blks(c), b))
        if (*blk_name(b) && blk_node_of(b)) r = add(c, blk_node_of(b), blk_name(b), mon_bool(c, "writable", false) && !blk_read_only(b), e);
    return r;
}

static const struct mon_cmd cmds[] = {
    QMP("nbd-server-start", "addr:o,tls-creds?:s,tls-authz?:s,max-connections?:n", server_start), QMP("nbd-server-stop", "", server_stop),
    QMP("nbd-server-add", "device:s,name?:s,description?:s,writable?:b,bitmap?:s", server_add),
    QMP("nbd-server-remove", "name:s,mode?:s", server_remove),
    QMP("block-export-add", "type:s,id:s,node-name:s,name?:s,writable?:b,writethrough?:b,description?:s,bitmaps?:l,iothread?:s,fixed-iothread?:b", export_add),
    QMP("block-export-del", "id:s,mode?:s", server_remove), QMP("query-block-exports", "", query_exports, .ret = "list"),
    HMP("nbd_server_start", "all:-a,writable:-w,uri:s", hmp_start, "serve block devices on the given host and port", .show = "[-a] [-w] host:port"),
    HMP("nbd_server_add", "writable:-w,device:s,name?:s", server_add, "export a block device via NBD"),
    HMP("nbd_server_remove", "force:-f,name:s", server_remove, "remove an export previously exposed via NBD"),
    HMP("nbd_server_stop", "", server_stop, "stop serving block devices using the NBD protocol"),
};
const struct mon_table nbd_mon = { MON_TABLE(cmds) };
