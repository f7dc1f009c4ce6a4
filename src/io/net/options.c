/* options.c: -nic and -net: back ends and NICs without -netdev and -device. */
#include <stdio.h>
#include <stdlib.h>
#include "io/net/set.h"

void net_nic_done(struct net_nic *n)
{
    free(n->model);
    free(n->id);
    free(n->netdev);
    opts_free(&n->rest);
}

bool net_options_given(const struct net_set *s)
{
    return s->given;
}

struct net_nic *net_nic_request(struct net_set *s, unsigned i)
{
    return i < s->nnics ? &s->nic[i] : NULL;
}

static char *take(struct opts *o, const char *key)
{
    const char *v = opts_get(o, key);
    char *c = v ? strdup(v) : NULL;
    opts_del(o, key);
    return c;
}

/* The NIC's share of the settings moves from *o into a new request. */
static int add_nic(struct net_set *s, struct opts *o, const char *netdev, bool all, struct err *e)
{
    static const char *const ours[] = { "addr", "vectors", "bootindex", "romfile" };
    struct net_nic n = { .model = take(o, "model"), .netdev = netdev ? strdup(netdev) : NULL };
    char *mac = take(o, "macaddr"), *mac2 = take(o, "mac");
    int rc = 0;
    if ((mac || mac2) && !net_mac_parse(mac2 ? mac2 : mac, n.mac))
        rc = err_set(e, EINVAL, "invalid MAC address '%s'", mac2 ? mac2 : mac);
    else if (n.mac[0] & 1)
        rc = err_set(e, EINVAL, "NIC cannot have multicast MAC address (odd 1st byte)");
    free(mac);
    free(mac2);
    if (all) {
        n.id = take(o, "name");
        opts_copy(&n.rest, o, NULL);
    }
    for (unsigned i = 0; i < ARRAY_LEN(ours) && !all; i++) {
        if (opts_has(o, ours[i])) opts_add(&n.rest, ours[i], opts_get(o, ours[i]));
        opts_del(o, ours[i]);
    }
    if (rc) {
        net_nic_done(&n);
        return rc;
    }
    s->nic = vec_grow(s->nic, &s->nic_cap, s->nnics + 1, sizeof *s->nic);
    s->nic[s->nnics++] = n;
    return 0;
}

static void new_name(struct net_set *s, const char *stem, char *name, size_t size)
{
    do {
        snprintf(name, size, "#%s%u", stem, s->names++);
    } while (net_find(s, name));
}

int net_nic_option(struct net_set *s, const char *text, struct err *e)
{
    struct opts o = { 0 };
    char name[32];
    int rc = opts_parse(&o, text, "type", e);
    const char *kind = opts_get(&o, "type"), *id = opts_get(&o, "id");
    s->given = true;
    if (!rc && kind && !strcmp(kind, "none")) {
        opts_free(&o);
        return 0;
    }
    new_name(s, "nic", name, sizeof name);
    if (id) snprintf(name, sizeof name, "%.31s", id);
    char *netdev = strdup(name);
    if (!rc && !id) opts_add(&o, "id", netdev);
    if (!rc && !kind) rc = err_set(e, EINVAL, "-nic: a kind of network is missing (user, tap, ...; none for no NIC)");
    if (!rc) rc = add_nic(s, &o, netdev, false, e);
    if (!rc) {
        rc = net_new(s, &o, e);
        if (rc) net_nic_done(&s->nic[--s->nnics]);
    }
    free(netdev);
    opts_free(&o);
    return rc;
}

/* A hubport on hub 0 for the request, or for the back end `port`. */
static int on_hub(struct net_set *s, char *name, size_t size, struct net_port *port, struct err *e)
{
    struct opts o = { 0 };
    new_name(s, "hub0port", name, size);
    opts_add(&o, "type", "hubport");
    opts_add(&o, "id", name);
    opts_add(&o, "hubid", "0");
    if (port) opts_add(&o, "netdev", port->id);
    int rc = net_new(s, &o, e);
    opts_free(&o);
    return rc;
}

int net_net_option(struct net_set *s, const char *text, struct err *e)
{
    struct opts o = { 0 };
    char hub[32], name[32];
    int rc = opts_parse(&o, text, "type", e);
    const char *kind = opts_get(&o, "type");
    s->given = true;
    if (!rc && !kind) rc = err_set(e, EINVAL, "-net: a kind is missing (nic, user, tap, ..., none)");
    if (!rc && !strcmp(kind, "nic")) {
        char *netdev = take(&o, "netdev");
        opts_del(&o, "type");
        if (!netdev && !(rc = on_hub(s, hub, sizeof hub, NULL, e))) netdev = strdup(hub);
        if (!rc) rc = add_nic(s, &o, netdev, true, e);
        free(netdev);
    } else if (!rc && strcmp(kind, "none")) {
        char *id = take(&o, "name"), *id2 = take(&o, "id");
        new_name(s, "net", name, sizeof name);
        opts_add(&o, "id", id2 ? id2 : id ? id : name);
        rc = net_new(s, &o, e);
        struct net_port *p = rc ? NULL : net_find(s, opts_get(&o, "id"));
        if (!rc) rc = on_hub(s, hub, sizeof hub, p, e);
        free(id);
        free(id2);
    }
    opts_free(&o);
    return rc;
}
