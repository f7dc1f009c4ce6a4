/*
 * net.c: networks: ports, their queues, the set.
 *
 * A frame goes straight to its receiver unless that has no room, has older frames waiting, or is itself further up the stack. Ports
 * that go while callbacks run stay in memory until none does.
 */
#include "io/net/net.h"

#include <stdio.h>
#include <stdlib.h>
#include "io/net/set.h"

enum { PUMP = 256 }; /* frames that are delivered before others get their turn */

struct net_frame {
    struct net_frame *next;
    size_t len;
    uint8_t data[];
};

/* --- queues ---------------------------------------------------------------------------------------------------------------- */

static size_t iov_bytes(const struct iovec *iov, unsigned n)
{
    size_t len = 0;
    for (unsigned i = 0; i < n; i++)
        if (__builtin_add_overflow(len, iov[i].iov_len, &len)) return SIZE_MAX;
    return len;
}

static bool enqueue(struct net_port *q, const struct iovec *iov, unsigned n, size_t len)
{
    if (q->frames >= NET_QUEUE || q->bytes + len > NET_QUEUE_BYTES) return false;
    struct net_frame *f = xalloc(sizeof *f + len);
    for (unsigned i = 0; i < n; i++) {
        if (iov[i].iov_len) memcpy(f->data + f->len, iov[i].iov_base, iov[i].iov_len);
        f->len += iov[i].iov_len;
    }
    if (!q->first) q->last = &q->first;
    *q->last = f;
    q->last = &f->next;
    q->frames++;
    q->bytes += len;
    return true;
}

static void drop_first(struct net_port *q)
{
    struct net_frame *f = q->first;
    q->first = f->next;
    q->frames--;
    q->bytes -= f->len;
    free(f);
}

static bool can_recv(const struct net_port *q)
{
    return !q->client.can_recv || q->client.can_recv(q->ctx);
}

/* False: it has no room. */
static bool give(struct net_port *q, const struct iovec *iov, unsigned n, size_t len)
{
    struct net_set *s = q->set;
    if (!can_recv(q)) return false;
    s->inside++;
    q->delivering = true;
    bool ok = !q->client.recv || q->client.recv(q->ctx, iov, n);
    q->delivering = false;
    if (ok) {
        q->stats.rx_frames++;
        q->stats.rx_bytes += len;
    }
    net_leave(s);
    return ok;
}

static void pump(struct net_port *q)
{
    struct net_set *s = q->set;
    if (q->dead || q->delivering) return;
    s->inside++;
    for (unsigned i = 0; q->first && i < PUMP && !q->dead; i++) {
        struct net_frame *f = q->first;
        struct iovec iov = { f->data, f->len };
        if (!give(q, &iov, 1, f->len)) break;
        if (q->first == f) drop_first(q); /* unless it was flushed meanwhile */
    }
    if (q->first && !q->dead && can_recv(q)) loop_defer(&s->pump);
    struct net_port *p = q->peer;
    if (q->stopped && q->frames < NET_QUEUE / 2 && (!q->first || can_recv(q)) && !q->dead) {
        q->stopped = false;
        if (p && p->client.resume) p->client.resume(p->ctx);
    }
    net_leave(s);
}

static void pump_all(void *ctx)
{
    struct net_set *s = ctx;
    s->inside++;
    for (struct net_port *q = s->list; q; q = q->next)
        if (q->first) pump(q);
    net_leave(s);
}

bool net_send(struct net_port *p, const struct iovec *iov, unsigned n)
{
    if (!p || p->dead) return true;
    struct net_port *q = p->peer;
    size_t len = iov_bytes(iov, n);
    if (!q || p->down || q->down || !len || len > NET_FRAME_MAX) {
        p->stats.tx_dropped++;
        return true;
    }
    p->stats.tx_frames++;
    p->stats.tx_bytes += len;
    if (p->dumps) net_dump_frame(p->dumps, iov, n, MAX(p->vnet_len, q->vnet_len));
    if (q->dumps) net_dump_frame(q->dumps, iov, n, MAX(p->vnet_len, q->vnet_len));
    bool nested = q->delivering;
    if (!q->first && !nested && give(q, iov, n, len)) return true;
    if (q->dead) return true;
    if (!enqueue(q, iov, n, len)) q->stats.rx_dropped++;
    if (nested && q->frames < NET_QUEUE / 2) { /* it is further up the stack: soon */
        loop_defer(&p->set->pump);
        return true;
    }
    q->stopped = true;
    return false;
}

bool net_send_buf(struct net_port *p, const void *buf, size_t len)
{
    struct iovec iov = { (void *)buf, len };
    return net_send(p, &iov, 1);
}

bool net_can_send(struct net_port *p)
{
    if (!p || !p->peer || p->down || p->peer->down) return true;
    if (!p->peer->first && can_recv(p->peer)) return true;
    p->peer->stopped = true; /* who asked waits now */
    return false;
}

void net_ready(struct net_port *p)
{
    if (!p) return;
    if (p->delivering)
        loop_defer(&p->set->pump);
    else if (p->first || p->stopped)
        pump(p);
}

void net_flush(struct net_port *p)
{
    if (!p) return;
    while (p->first) drop_first(p);
    if (p->stopped && !p->delivering) pump(p);
}

/* --- ports ------------------------------------------------------------------------------------------------------------------- */

bool net_link(const struct net_port *p)
{
    return p && p->peer && !p->down && !p->peer->down;
}

static void tell_link(struct net_port *p)
{
    if (p && !p->dead && p->client.link) p->client.link(p->ctx, net_link(p));
}

void net_set_link(struct net_port *p, bool up)
{
    if (!p || p->down == !up) return;
    struct net_set *s = p->set;
    p->down = !up;
    s->inside++;
    if (!up) {
        net_flush(p);
        if (p->peer) net_flush(p->peer);
    }
    tell_link(p);
    tell_link(p->peer);
    net_leave(s);
}

static const struct net_stats no_stats;
const struct net_stats *net_stats(const struct net_port *p)
{
    return p ? &p->stats : &no_stats;
}

static void describe_nic(struct net_port *p)
{
    const uint8_t *m = p->mac;
    net_set_info(p, "model=%s,macaddr=%02x:%02x:%02x:%02x:%02x:%02x", p->model, m[0], m[1], m[2], m[3], m[4], m[5]);
}

void net_set_mac(struct net_port *p, const uint8_t mac[6])
{
    if (!p) return;
    memcpy(p->mac, mac, 6);
    describe_nic(p);
}

void net_set_info(struct net_port *p, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    if (!p) return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    char *info = NULL;
    if (asprintf(&info, "index=0,type=%s%s%s", net_kind(p), *text ? "," : "", text) < 0) return;
    free(p->info);
    p->info = info;
}

unsigned net_offloads(const struct net_port *p)
{
    struct net_port *q = p ? p->peer : NULL;
    return q && q->driver && q->driver->offloads ? q->driver->offloads(q) : 0;
}

int net_set_offloads(struct net_port *p, unsigned hdr_len, unsigned flags)
{
    struct net_port *q = p ? p->peer : NULL;
    if (!q || !q->driver || !q->driver->set_offloads) return hdr_len ? -ENOTSUP : 0;
    int rc = q->driver->set_offloads(q, hdr_len, flags);
    if (!rc) p->vnet_len = hdr_len;
    return rc;
}

static void add(struct net_set *s, struct net_port *p)
{
    struct net_port **at = &s->list;
    while (*at) at = &(*at)->next;
    *at = p;
}

struct net_port *net_port_make(struct net_set *s, const char *id, const struct net_client *client, void *ctx)
{
    struct net_port *p = xalloc(sizeof *p);
    p->set = s;
    p->id = strdup(id);
    p->client = *client;
    p->ctx = ctx;
    add(s, p);
    return p;
}

int net_connect(struct net_port *a, struct net_port *b, struct err *e)
{
    if (a->peer || b->peer) return err_set(e, EBUSY, "netdev '%s' is already in use", b->peer ? b->id : a->id);
    a->peer = b;
    b->peer = a;
    if (a->driver && a->driver->connected) a->driver->connected(a);
    if (b->driver && b->driver->connected) b->driver->connected(b);
    return 0;
}

void net_disconnect(struct net_port *p)
{
    struct net_port *q = p->peer;
    if (!q) return;
    p->peer = q->peer = NULL;
    struct net_port *both[] = { p, q };
    for (unsigned i = 0; i < 2; i++) {
        struct net_port *x = both[i];
        while (x->first) drop_first(x);
        x->vnet_len = 0;
        bool stopped = x->stopped;
        x->stopped = false;
        if (x->driver && x->driver->set_offloads) x->driver->set_offloads(x, 0, 0);
        if (x->driver && x->driver->connected) x->driver->connected(x);
        tell_link(x);
        struct net_port *other = both[!i];
        if (stopped && !other->dead && other->client.resume) other->client.resume(other->ctx);
    }
}

int net_nic_new(struct net_port *netdev, const char *id, const char *model, uint8_t mac[6], const struct net_client *client, void *ctx,
                struct net_port **out, struct err *e)
{
    static const uint8_t none[6];
    *out = NULL;
    uint8_t first[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
    if (!memcmp(mac, none, 6)) {
        if (netdev) first[5] = (uint8_t)(first[5] + netdev->set->macs++);
        memcpy(mac, first, 6);
    }
    if (!netdev) return 0;
    if (netdev->peer) return err_set(e, EBUSY, "netdev '%s' is already in use by %s", netdev->id, netdev->peer->id);
    struct net_set *s = netdev->set;
    char name[80];
    for (unsigned i = 0; !id; i++) { /* "virtio-net-pci.0" */
        snprintf(name, sizeof name, "%.60s.%u", model, i);
        if (!net_find(s, name)) id = name;
    }
    struct net_port *p = net_port_make(s, id, client, ctx);
    p->model = strdup(model);
    net_set_mac(p, mac);
    *out = p;
    return net_connect(p, netdev, e);
}

/* --- the end of ports -------------------------------------------------------------------------------------------------------- */

static void sweep(struct net_set *s)
{
    while (s->dead && !s->inside) {
        struct net_port *p = s->dead;
        s->dead = p->grave;
        free(p->id);
        free(p->model);
        free(p->info);
        free(p);
    }
}

static void sweep_later(void *ctx)
{
    sweep(ctx);
}

void net_leave(struct net_set *s)
{
    if (--s->inside == 0 && s->dead) loop_defer(&s->sweep);
}

void net_port_free(struct net_port *p)
{
    if (!p || p->dead) return;
    struct net_set *s = p->set;
    p->dead = true;
    net_disconnect(p);
    while (p->first) drop_first(p);
    if (p->driver && p->driver->close) p->driver->close(p);
    while (p->dumps) net_dump_close(p);
    for (struct net_port **at = &s->list; *at; at = &(*at)->next)
        if (*at == p) {
            *at = p->next;
            break;
        }
    p->grave = s->dead;
    s->dead = p;
    loop_defer(&s->sweep);
}

/* --- the set ------------------------------------------------------------------------------------------------------------------ */

struct net_set *net_set_new(struct loop *l, const struct net_host *host)
{
    struct net_set *s = xalloc(sizeof *s);
    s->loop = l;
    if (host) s->host = *host;
    deferred_init(&s->pump, l, pump_all, s);
    deferred_init(&s->sweep, l, sweep_later, s);
    return s;
}

void net_set_free(struct net_set *s)
{
    if (!s) return;
    while (s->list) {
        struct net_port *p = s->list;
        while (p->next) p = p->next; /* hubports go before their hub */
        net_port_free(p);
    }
    sweep(s);
    deferred_cancel(&s->pump);
    deferred_cancel(&s->sweep);
    for (unsigned i = 0; i < s->nnics; i++) net_nic_done(&s->nic[i]);
    free(s->nic);
    free(s);
}

struct loop *net_loop(const struct net_set *s)
{
    return s->loop;
}

const struct net_host *net_host(const struct net_port *p)
{
    return &p->set->host;
}

struct net_port *net_find(struct net_set *s, const char *id)
{
    for (struct net_port *p = s->list; p; p = p->next)
        if (!strcmp(p->id, id)) return p;
    return NULL;
}

struct net_port *net_next(struct net_set *s, const struct net_port *after)
{
    return after ? after->next : s->list;
}

struct net_port *net_peer(const struct net_port *p)
{
    return p ? p->peer : NULL;
}

const char *net_id(const struct net_port *p)
{
    return p->id;
}

const char *net_kind(const struct net_port *p)
{
    return p->driver ? p->driver->name : p->model ? "nic" : "hub";
}

const char *net_model(const struct net_port *p)
{
    return p->model;
}

const char *net_info(const struct net_port *p)
{
    return p->info ? p->info : "";
}

void net_say(struct net_port *p, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (p->set->host.say)
        p->set->host.say(p->set->host.ctx, line);
    else
        fprintf(stderr, "%s\n", line);
}

static const struct net_driver *find_driver(const char *name)
{
    for (const struct net_driver *const *d = net_driver_registry; *d; d++)
        if (!strcmp((*d)->name, name)) return *d;
    return NULL;
}

void net_list_kinds(void (*out)(void *ctx, const char *name, const char *help), void *ctx)
{
    for (const struct net_driver *const *d = net_driver_registry; *d; d++) out(ctx, (*d)->name, (*d)->help);
}

int net_new(struct net_set *s, const struct opts *o, struct err *e)
{
    const char *kind = opts_get(o, "type"), *id = opts_get(o, "id");
    if (!kind) return err_set(e, EINVAL, "netdev: Parameter 'type' is missing");
    const struct net_driver *d = find_driver(kind);
    if (!d) return err_set(e, EINVAL, "Parameter 'type' does not accept value '%s'", kind);
    if (!id) return err_set(e, EINVAL, "netdev: Parameter 'id' is missing");
    if (net_find(s, id)) return err_set(e, EEXIST, "Duplicate ID '%s' for netdev", id);
    struct net_port *p = xalloc(d->size);
    p->driver = d;
    p->set = s;
    p->id = strdup(id);
    p->client = d->client;
    p->ctx = p;
    net_set_info(p, "%s", "");
    bool fine = opts_id_ok(id) || *id == '#'; /* '#': made up here */
    int rc = fine ? d->open(p, o, e) :
        err_set(e, EINVAL, "Parameter 'id' expects an identifier: letters, digits, '-', '.', '_', beginning with a letter");
    if (!rc) rc = opts_check(o, d->name, e);
    if (rc) {
        p->dead = true;
        if (d->close && fine) d->close(p);
        free(p->id);
        free(p->info);
        free(p);
        return rc;
    }
    add(s, p);
    return 0;
}

int net_new_text(struct net_set *s, const char *text, struct err *e)
{
    struct opts o = { 0 };
    int rc = opts_parse(&o, text, "type", e);
    if (!rc) rc = net_new(s, &o, e);
    opts_free(&o);
    return rc;
}

int net_remove(struct net_set *s, const char *id, struct err *e)
{
    struct net_port *p = net_find(s, id);
    if (!p || !p->driver) return err_set(e, ENOENT, "Device '%s' not found", id);
    net_port_free(p);
    return 0;
}

bool net_mac_parse(const char *text, uint8_t mac[6])
{
    for (unsigned i = 0; i < 6; i++) {
        char *end;
        unsigned long v = strtoul(text, &end, 16);
        if (end == text || end - text > 2 || v > 255 || (i < 5 ? *end != ':' && *end != '-' : *end != 0)) return false;
        mac[i] = (uint8_t)v;
        text = end + 1;
    }
    return true;
}
