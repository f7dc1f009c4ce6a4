/* monitor_back.c: commands: character devices and networks: adding, removing, showing. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "io/net/net.h"
#include "sys/base64.h"
#include "sys/monitor_cmd.h"

/* "fd=NAME" of a getfd becomes its number; the new owner closes it. */
static int resolve_fds(struct mon_call *c, struct opts *o, struct err *e)
{
    for (uint32_t i = 0; i < o->count; i++) {
        struct opt *p = &o->list[i];
        const char *dot = strrchr(p->key, '.'), *last = dot ? dot + 1 : p->key;
        char number[16];
        if ((strcmp(last, "fd") && strcmp(last, "str")) || (*p->val >= '0' && *p->val <= '9')) continue;
        int fd = mon_take_fd(c->set, p->val);
        if (fd < 0 && !strcmp(last, "str")) continue;
        if (fd < 0) return err_set(e, ENOENT, "File descriptor named '%.60s' has not been found", p->val);
        snprintf(number, sizeof number, "%d", fd);
        free(p->val);
        p->val = strdup(number);
    }
    return 0;
}

/* --- character devices ---------------------------------------------------------------------------------------------------------- */

static int cmd_chardev_add(struct mon_call *c, struct err *e)
{
    struct opts o = { 0 };
    char *pty = NULL;
    int rc = opts_json(&o, c->args, e);
    if (!rc) rc = resolve_fds(c, &o, e);
    if (!rc) rc = chr_add_qmp(mon_config(c->set)->chrs, &o, &pty, e);
    if (!rc && pty) c->ret = mon_obj("pty:s", pty, NULL);
    free(pty);
    opts_free(&o);
    return rc;
}

static int hmp_chardev_add(struct mon_call *c, struct err *e)
{
    return chr_new_text(mon_config(c->set)->chrs, mon_str(c, "args"), NULL, e);
}

/* Devices' properties name the back end, too. */
static void follow(struct machine *m, struct chr *old, struct chr *new)
{
    for (unsigned i = 0; i < MACHINE_SERIALS; i++)
        if (m->cfg.serial[i] == old) m->cfg.serial[i] = new;
    for (struct dev *d = m->b.devs; d; d = d->next)
        for (const struct prop *p = d->cls->props; p < d->cls->props + d->cls->nprops; p++) {
            struct chr **at = (struct chr **)((uint8_t *)d + p->field);
            if (p->type == PROP_T_CHR && *at == old) *at = new;
        }
}

static int change_with(struct mon_call *c, struct chr *old, struct chr *new)
{
    if (c->m) follow(c->m, old, new);
    if (!c->out && !strncmp(chr_name(new), "pty:", 4)) c->ret = mon_obj("pty:s", chr_name(new) + 4, NULL);
    return 0;
}

static int cmd_chardev_change(struct mon_call *c, struct err *e)
{
    struct opts o = { 0 };
    struct chr *old, *new;
    int rc = opts_json(&o, c->args, e);
    if (!rc) rc = resolve_fds(c, &o, e);
    if (!rc) rc = chr_change_qmp(mon_config(c->set)->chrs, &o, &old, &new, e);
    opts_free(&o);
    return rc ? rc : change_with(c, old, new);
}

static int hmp_chardev_change(struct mon_call *c, struct err *e)
{
    struct opts o = { 0 };
    struct chr *old, *new;
    int rc = opts_parse(&o, mon_str(c, "args"), "backend", e);
    if (!rc && !opts_has(&o, "backend")) rc = err_set(e, EINVAL, "chardev: a kind is missing");
    opts_add(&o, "id", mon_str(c, "id"));
    if (!rc) rc = chr_change(mon_config(c->set)->chrs, &o, &old, &new, e);
    opts_free(&o);
    return rc ? rc : change_with(c, old, new);
}

static int cmd_chardev_remove(struct mon_call *c, struct err *e)
{
    return chr_remove(mon_config(c->set)->chrs, mon_str(c, "id"), e);
}

static int cmd_send_break(struct mon_call *c, struct err *e)
{
    struct chr *chr = chr_find(mon_config(c->set)->chrs, mon_str(c, "id"));
    if (!chr) return err_set(e, ENOENT, "Chardev '%s' not found", mon_str(c, "id"));
    chr_be_event(chr, CHR_BREAK);
    return 0;
}

static int query_chardev(struct mon_call *c, struct err *e)
{
    struct chr_set *s = mon_config(c->set)->chrs;
    c->ret = json_object_new_array();
    for (struct chr *k = chr_next(s, NULL); k; k = chr_next(s, k))
        json_object_array_add(c->ret, mon_obj("frontend-open:b", chr_frontend_open(k), "filename:s", chr_name(k), "label:s", chr_id(k), NULL));
    return 0;
}

static int info_chardev(struct mon_call *c, struct err *e)
{
    struct chr_set *s = mon_config(c->set)->chrs;
    for (struct chr *k = chr_next(s, NULL); k; k = chr_next(s, k)) mon_out(c, "%s: filename=%s\n", chr_id(k), chr_name(k));
    return 0;
}

static void add_kind(void *ctx, const char *name, const char *help)
{
    json_object_array_add(ctx, mon_obj("name:s", name, NULL));
}

static int query_chardev_backends(struct mon_call *c, struct err *e)
{
    c->ret = json_object_new_array();
    chr_list_kinds(add_kind, c->ret);
    return 0;
}

/* --- ringbuf: base64 or UTF-8 text ------------------------------------------------------------------------------------------------ */

static struct chr *ringbuf(struct mon_call *c, bool *base64, struct err *e)
{
    struct chr *k = chr_find(mon_config(c->set)->chrs, mon_str(c, "device"));
    const char *form = mon_str(c, "format");
    *base64 = form && !strcmp(form, "base64");
    if (!k) err_set(e, ENOENT, "Device '%s' not found", mon_str(c, "device"));
    if (form && !*base64 && strcmp(form, "utf8")) {
        err_set(e, EINVAL, "Parameter 'format' does not accept value '%.60s'", form);
        return NULL;
    }
    return k;
}

static int cmd_ringbuf_read(struct mon_call *c, struct err *e)
{
    bool base64;
    struct chr *k = ringbuf(c, &base64, e);
    int64_t size = mon_int(c, "size", 0);
    size_t len;
    if (!k) return -EINVAL;
    if (size <= 0) return err_set(e, EINVAL, "size must be greater than zero");
    size = MIN(size, MON_TEXT_MAX / 8);
    uint8_t *buf = xalloc((size_t)size + 1);
    int rc = chr_ringbuf_read(k, buf, (size_t)size, &len, e);
    if (!rc && c->out) {
        mon_put(c->out, (char *)buf, len);
        mon_put(c->out, "\n", 1);
    } else if (!rc) {
        char *text = base64 ? base64_encode(buf, len) : NULL;
        c->ret = text ? json_object_new_string(text) : json_object_new_string_len((char *)buf, (int)len);
        free(text);
    }
    free(buf);
    return rc;
}

static int cmd_ringbuf_write(struct mon_call *c, struct err *e)
{
    bool base64;
    struct chr *k = ringbuf(c, &base64, e);
    if (!k) return -EINVAL;
    char *data = strdup(mon_str(c, "data"));
    ssize_t len = base64 ? base64_decode(data) : (ssize_t)strlen(data);
    int rc = len < 0 ? err_set(e, EINVAL, "Parameter 'data' is not base64") : chr_ringbuf_write(k, data, (size_t)len, e);
    free(data);
    return rc;
}

/* --- networks -------------------------------------------------------------------------------------------------------------------- */

static int cmd_netdev_add(struct mon_call *c, struct err *e)
{
    struct opts o = { 0 };
    int rc = c->out ? opts_parse(&o, mon_str(c, "netdev"), "type", e) : opts_json(&o, c->args, e);
    if (!rc) rc = resolve_fds(c, &o, e);
    if (!rc) rc = net_new(mon_config(c->set)->nets, &o, e);
    opts_free(&o);
    return rc;
}

static int cmd_netdev_del(struct mon_call *c, struct err *e)
{
    struct net_port *p = net_find(mon_config(c->set)->nets, mon_str(c, "id"));
    if (!p) return mon_no_device(c, mon_str(c, "id"), e);
    if (net_model(p)) return err_set(e, EINVAL, "Device '%s' is not a netdev", mon_str(c, "id"));
    return net_remove(mon_config(c->set)->nets, mon_str(c, "id"), e);
}

static int cmd_set_link(struct mon_call *c, struct err *e)
{
    struct net_port *p = net_find(mon_config(c->set)->nets, mon_str(c, "name"));
    if (!p) return mon_no_device(c, mon_str(c, "name"), e);
    net_set_link(p, mon_bool(c, "up", true));
    return 0;
}

/* NICs with their peers; what has no NIC after them. */
static int info_network(struct mon_call *c, struct err *e)
{
    struct net_set *s = mon_config(c->set)->nets;
    for (struct net_port *p = net_next(s, NULL); p; p = net_next(s, p)) {
        struct net_port *q = net_peer(p);
        if (net_model(p)) {
            mon_out(c, "%s: %s\n", net_id(p), net_info(p));
            if (q) mon_out(c, " \\ %s: %s\n", net_id(q), net_info(q));
        } else if (!q || !net_model(q)) {
            mon_out(c, "%s: %s\n", net_id(p), net_info(p));
        }
    }
    return 0;
}

static int info_usernet(struct mon_call *c, struct err *e)
{
    char *text = net_user_info(mon_config(c->set)->nets);
    mon_out(c, "%s", text);
    free(text);
    return 0;
}

static int forward(struct mon_call *c, bool add, struct err *e)
{
    const char *a = mon_str(c, "arg1"), *b = mon_str(c, "arg2");
    return net_hostfwd(mon_config(c->set)->nets, b ? a : NULL, b ? b : a, add, e);
}

static int hmp_hostfwd_add(struct mon_call *c, struct err *e)
{
    return forward(c, true, e);
}

static int hmp_hostfwd_remove(struct mon_call *c, struct err *e)
{
    int rc = forward(c, false, e);
    if (!rc) mon_out(c, "host forwarding rule for %s removed\n", mon_str(c, mon_has(c, "arg2") ? "arg2" : "arg1"));
    return rc;
}

static int query_rx_filter(struct mon_call *c, struct err *e)
{
    struct net_set *s = mon_config(c->set)->nets;
    const char *name = mon_str(c, "name");
    c->ret = json_object_new_array();
    for (struct net_port *p = net_next(s, NULL); p; p = net_next(s, p)) {
        char mac[18];
        const uint8_t *m = p->mac;
        if (!net_model(p) || (name && strcmp(name, net_id(p)))) continue;
        snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
        json_object_array_add(c->ret, mon_obj("name:s", net_id(p), "main-mac:s", mac, "promiscuous:b", 1, "broadcast-allowed:b", 1,
            "multicast:s", "all", "unicast:s", "all", "vlan:s", "all", "multicast-overflow:b", 0, "unicast-overflow:b", 0,
            "multicast-table:o", json_object_new_array(), "unicast-table:o", json_object_new_array(), "vlan-table:o", json_object_new_array(), NULL));
    }
    return name && !json_object_array_length(c->ret) ? err_set(e, ENOENT, "invalid net client name: %.60s", name) : 0;
}

static const struct mon_cmd cmds[] = {
    QMP("query-chardev", "", query_chardev, .ret = "list"),
    QMP("query-chardev-backends", "", query_chardev_backends, .ret = "list"),
    QMP("chardev-add", "id:s,backend:o", cmd_chardev_add),
    HMP("chardev-add", "args:t", hmp_chardev_add, "add chardev"),
    QMP("chardev-change", "id:s,backend:o", cmd_chardev_change),
    HMP("chardev-change", "id:s,args:t", hmp_chardev_change, "change chardev"),
    BOTH("chardev-remove", "id:s", cmd_chardev_remove, "remove chardev"),
    BOTH("chardev-send-break", "id:s", cmd_send_break, "send a break on chardev"),
    QMP("ringbuf-read", "device:s,size:n,format?:s", cmd_ringbuf_read, .ret = "str"),
    QMP("ringbuf-write", "device:s,data:s,format?:s", cmd_ringbuf_write),
    HMP("ringbuf_read", "device:s,size:n", cmd_ringbuf_read, "Read from a ring buffer character device"),
    HMP("ringbuf_write", "device:s,data:s", cmd_ringbuf_write, "Write to a ring buffer character device"),
    HMP("info chardev", "", info_chardev, "show the character devices"),
    QMP("netdev_add", "type:s,id:s,*", cmd_netdev_add),
    HMP("netdev_add", "netdev:t", cmd_netdev_add, "add host network device", .show = "[user|tap|socket|...],id=str[,prop=value][,...]"),
    BOTH("netdev_del", "id:s", cmd_netdev_del, "remove host network device"),
    BOTH("set_link", "name:s,up:b", cmd_set_link, "change the link status of a network adapter", .show = "name on|off"),
    QMP("query-rx-filter", "name?:s", query_rx_filter, .ret = "list"),
    HMP("info network", "", info_network, "show the network state"),
    HMP("info usernet", "", info_usernet, "show user network stack connection states"),
    HMP("hostfwd_add", "arg1:s,arg2?:s", hmp_hostfwd_add, "redirect TCP or UDP connections from host to guest (requires -net user)",
      .show = "[netdev_id] [tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport"),
    HMP("hostfwd_remove", "arg1:s,arg2?:s", hmp_hostfwd_remove, "remove host-to-guest TCP or UDP redirection",
      .show = "[netdev_id] [tcp|udp]:[hostaddr]:hostport"),
};
const struct mon_table back_mon = { MON_TABLE(cmds) };
