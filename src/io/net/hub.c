/* hub.c: -netdev hubport,hubid=N[,netdev=ID]: ports of a hub; a frame that comes in at one goes out at all others. */
#include <stdio.h>
#include "io/net/net.h"

struct hubport {
    struct net_port p;
    unsigned hub;
    struct net_port *uplink; /* hub's side towards netdev= */
};

extern const struct net_driver hubport_net;

static struct hubport *next_on_hub(struct net_port *p, const struct hubport *of)
{
    for (; p; p = net_next(p->set, p))
        if (p->driver == &hubport_net && !p->dead && ((struct hubport *)p)->hub == of->hub && p != &of->p) return (struct hubport *)p;
    return NULL;
}

static struct net_port *exit_of(struct hubport *h)
{
    return h->uplink ? h->uplink : &h->p;
}

/* As long as one of the others takes frames: a port that is stuck does not stop the hub. */
static bool spread_can_recv(struct hubport *h)
{
    bool any = false;
    for (struct hubport *o = next_on_hub(net_next(h->p.set, NULL), h); o; o = next_on_hub(net_next(h->p.set, &o->p), h)) {
        if (net_can_send(exit_of(o))) return true;
        any = true;
    }
    return !any;
}

static void spread(struct hubport *h, const struct iovec *iov, unsigned n)
{
    for (struct hubport *o = next_on_hub(net_next(h->p.set, NULL), h); o; o = next_on_hub(net_next(h->p.set, &o->p), h))
        net_send(exit_of(o), iov, n);
}

static bool hub_can_recv(void *ctx)
{
    return spread_can_recv(ctx);
}

static bool hub_recv(void *ctx, const struct iovec *iov, unsigned n)
{
    spread(ctx, iov, n);
    return true;
}

/* One of them can take frames again. */
static void hub_resume(void *ctx)
{
    struct hubport *h = ctx;
    for (struct hubport *o = next_on_hub(net_next(h->p.set, NULL), h); o; o = next_on_hub(net_next(h->p.set, &o->p), h))
        net_ready(exit_of(o));
}

static const struct net_client uplink_client = { .can_recv = hub_can_recv, .recv = hub_recv, .resume = hub_resume };

static int hub_open(struct net_port *p, const struct opts *o, struct err *e)
{
    struct hubport *h = (struct hubport *)p;
    const char *netdev = opts_get(o, "netdev");
    uint64_t id;
    int rc = opts_num(o, "hubid", 0, 0, INT32_MAX, &id, e);
    if (rc) return rc;
    if (!opts_has(o, "hubid")) return err_set(e, EINVAL, "hubport: Parameter 'hubid' is missing");
    h->hub = (unsigned)id;
    net_set_info(p, "hubid=%u", h->hub);
    if (!netdev) return 0;
    struct net_port *to = net_find(p->set, netdev);
    if (!to) return err_set(e, ENOENT, "netdev '%s' not found", netdev);
    char name[64];
    snprintf(name, sizeof name, "#%.50s-hub", p->id);
    h->uplink = net_port_make(p->set, name, &uplink_client, h);
    return net_connect(h->uplink, to, e);
}

static void hub_close(struct net_port *p)
{
    struct hubport *h = (struct hubport *)p;
    net_port_free(h->uplink);
    h->uplink = NULL;
}

const struct net_driver hubport_net = {
    .name = "hubport", .help = "a port of an emulated hub: hubid=, netdev=", .size = sizeof(struct hubport), .open = hub_open,
    .close = hub_close, .client = { .can_recv = hub_can_recv, .recv = hub_recv, .resume = hub_resume },
};
