/* user_opts.c: settings of -netdev user: the network, hostfwd, guestfwd. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include "io/char/chr.h"
#include "io/net/user.h"

static int address(const struct opts *o, const char *key, struct in_addr def, struct in_addr *out, struct err *e)
{
    const char *v = opts_get(o, key);
    *out = def;
    return v && !inet_aton(v, out) ? err_set(e, EINVAL, "user network: %s=%s is not an IPv4 address", key, v) : 0;
}

static struct in_addr host_part(SlirpConfig *c, uint32_t n)
{
    return (struct in_addr){ c->vnetwork.s_addr | htonl(n & ~ntohl(c->vnetmask.s_addr)) };
}

/* "10.0.2.0/24", "10.0.2.0/255.255.255.0", or with the mask that the address's class says. */
static int network(SlirpConfig *c, const char *text, struct err *e)
{
    char addr[32];
    const char *slash = strchr(text, '/');
    snprintf(addr, sizeof addr, "%.*s", slash ? (int)MIN((size_t)(slash - text), sizeof addr - 1) : (int)sizeof addr - 1, text);
    bool ok = inet_aton(addr, &c->vnetwork);
    uint32_t n = ntohl(c->vnetwork.s_addr);
    uint32_t mask = !(n & 0x80000000) ? 0xff000000 : (n & 0xfff00000) == 0xac100000 ? 0xfff00000 : (n & 0xffff0000) == 0xc0a80000 ?
        0xffffff00 : !(n & 0x40000000) ? 0xffff0000 : 0xffffff00;
    if (slash && strchr(slash, '.')) {
        struct in_addr m;
        ok = ok && inet_aton(slash + 1, &m);
        mask = ok ? ntohl(m.s_addr) : 0;
    } else if (slash) {
        char *end;
        unsigned long bits = strtoul(slash + 1, &end, 10);
        ok = ok && end != slash + 1 && !*end && bits >= 4 && bits <= 32;
        mask = ok ? 0xffffffffu << (32 - bits) : 0;
    }
    if (!ok || (~mask & (~mask + 1)) || ~mask < 3) return err_set(e, EINVAL, "user network: net=%s is not ADDRESS[/MASK] with room for hosts", text);
    c->vnetmask.s_addr = htonl(mask);
    c->vnetwork.s_addr &= c->vnetmask.s_addr;
    return 0;
}

static int ipv4(const struct opts *o, SlirpConfig *c, struct err *e)
{
    const char *net = opts_get(o, "net");
    int rc = network(c, net ? net : "10.0.2.0/24", e);
    if (!rc) rc = address(o, "host", host_part(c, 2), &c->vhost, e);
    if (!rc) rc = address(o, "dhcpstart", host_part(c, 15), &c->vdhcp_start, e);
    if (!rc) rc = address(o, "dns", host_part(c, 3), &c->vnameserver, e);
    if (rc) return rc;
    uint32_t mask = c->vnetmask.s_addr;
    static const char *const keys[] = { "host", "dhcpstart", "dns" };
    struct in_addr *a[] = { &c->vhost, &c->vdhcp_start, &c->vnameserver };
    for (unsigned i = 0; i < 3; i++)
        if ((a[i]->s_addr & mask) != c->vnetwork.s_addr)
            return err_set(e, EINVAL, "user network: %s=%s is not inside of the network", keys[i], inet_ntoa(*a[i]));
    if (c->vhost.s_addr == c->vnameserver.s_addr) return err_set(e, EINVAL, "user network: DNS must be different from host address");
    return 0;
}

static int ipv6(const struct opts *o, SlirpConfig *c, struct err *e)
{
    uint64_t len;
    const char *prefix = opts_str(o, "ipv6-prefix", "fec0::"), *host = opts_get(o, "ipv6-host"), *dns = opts_get(o, "ipv6-dns");
    int rc = opts_num(o, "ipv6-prefixlen", 64, 0, 126, &len, e);
    if (rc) return rc;
    c->vprefix_len = (uint8_t)len;
    if (inet_pton(AF_INET6, prefix, &c->vprefix_addr6) != 1) return err_set(e, EINVAL, "user network: ipv6-prefix=%s is not an address", prefix);
    c->vhost6 = c->vnameserver6 = c->vprefix_addr6;
    c->vhost6.s6_addr[15] |= 2;
    c->vnameserver6.s6_addr[15] |= 3;
    if (host && inet_pton(AF_INET6, host, &c->vhost6) != 1) return err_set(e, EINVAL, "user network: ipv6-host=%s is not an address", host);
    if (dns && inet_pton(AF_INET6, dns, &c->vnameserver6) != 1) return err_set(e, EINVAL, "user network: ipv6-dns=%s is not an address", dns);
    return 0;
}

int user_config(struct user *u, const struct opts *o, SlirpConfig *c, const char ***search, struct err *e)
{
    bool restricted, v4, v6;
    int rc = opts_bool(o, "restrict", false, &restricted, e);
    if (!rc) rc = opts_bool(o, "ipv4", true, &v4, e);
    if (!rc) rc = opts_bool(o, "ipv6", true, &v6, e);
    if (!rc) rc = ipv4(o, c, e);
    if (!rc) rc = ipv6(o, c, e);
    if (rc) return rc;
    if (opts_has(o, "ipv4") && v4 && !opts_has(o, "ipv6")) v6 = false;
    if (opts_has(o, "ipv6") && v6 && !opts_has(o, "ipv4")) v4 = false;
    if (!v4 && !v6) return err_set(e, EINVAL, "user network: IPv4 and IPv6 disabled");
    c->restricted = restricted;
    c->in_enabled = v4;
    c->in6_enabled = v6;
    c->vhostname = opts_get(o, "hostname");
    c->tftp_path = opts_get(o, "tftp");
    c->tftp_server_name = opts_get(o, "tftp-server-name");
    c->bootfile = opts_get(o, "bootfile");
    c->vdomainname = opts_get(o, "domainname");
    if (c->tftp_server_name && strlen(c->tftp_server_name) > 255) return err_set(e, EINVAL, "user network: tftp-server-name is too long");
    if (c->vdomainname && (!*c->vdomainname || strlen(c->vdomainname) > 255))
        return err_set(e, EINVAL, "user network: domainname is 1 to 255 characters long");
    const char *s;
    uint32_t n = 0;
    *search = xalloc((o->count + 1) * sizeof **search);
    for (uint32_t i = 0; (s = opts_each(o, "dnssearch", &i));) (*search)[n++] = s;
    if (n) c->vdnssearch = *search;
    return 0;
}

/* --- forwarding -------------------------------------------------------------------------------------------------------------------- */

/* "ADDR:PORT" up to `end`; an empty address is left as it is. */
static bool endpoint(const char *text, const char *end, struct in_addr *a, int *port)
{
    char buf[64];
    char *rest;
    size_t n = (size_t)(end - text);
    if (n >= sizeof buf) return false;
    memcpy(buf, text, n);
    buf[n] = 0;
    char *colon = strrchr(buf, ':');
    if (!colon) return false;
    *colon = 0;
    long v = strtol(colon + 1, &rest, 10);
    if (rest == colon + 1 || *rest || v < 0 || v > 65535) return false;
    *port = (int)v;
    return !*buf || inet_aton(buf, a);
}

/* "tcp:", "udp:" or ":" in front. */
static const char *protocol(const char *spec, int *udp)
{
    *udp = !strncmp(spec, "udp:", 4);
    if (*udp || !strncmp(spec, "tcp:", 4)) return spec + 4;
    return *spec == ':' ? spec + 1 : NULL;
}

int user_hostfwd(struct user *u, const char *spec, bool add, struct err *e)
{
    struct in_addr host = { INADDR_ANY }, guest = { 0 };
    int udp, hport, gport = 0;
    const char *p = protocol(spec, &udp), *dash = p ? strchr(p, '-') : NULL;
    bool ok = p && (dash || !add) && endpoint(p, dash ? dash : p + strlen(p), &host, &hport);
    if (ok && add) ok = endpoint(dash + 1, dash + strlen(dash), &guest, &gport) && gport;
    if (!ok) return err_set(e, EINVAL, "Invalid host forwarding rule '%s' (it is [tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport)", spec);
    int rc = add ? slirp_add_hostfwd(u->slirp, udp, host, hport, guest, gport) : slirp_remove_hostfwd(u->slirp, udp, host, hport);
    if (rc && add) return err_set(e, errno ? errno : EADDRINUSE, "Could not set up host forwarding rule '%s': %s", spec, strerror(errno));
    return rc ? err_set(e, ENOENT, "host forwarding rule '%s' not found", spec) : 0;
}

static size_t fwd_can_recv(void *ctx)
{
    struct user_fwd *f = ctx;
    return slirp_socket_can_recv(f->u->slirp, f->addr, f->port);
}

static void fwd_recv(void *ctx, const uint8_t *buf, size_t len)
{
    struct user_fwd *f = ctx;
    slirp_socket_recv(f->u->slirp, f->addr, f->port, buf, (int)len);
    loop_defer(&f->u->work);
}

static const struct chr_client fwd_client = { .can_recv = fwd_can_recv, .recv = fwd_recv };

static ssize_t fwd_write(const void *buf, size_t len, void *ctx)
{
    struct user_fwd *f = ctx;
    chr_write_all(f->fe, buf, len);
    return (ssize_t)len;
}

/* "[tcp]:SERVER:PORT-TARGET": a character device as -serial takes it, or cmd:COMMAND, run for each connection. */
int user_guestfwd(struct user *u, const char *spec, struct err *e)
{
    struct in_addr addr = { 0 };
    int udp, port;
    const char *p = protocol(spec, &udp), *dash = p ? strchr(p, '-') : NULL;
    if (!p || udp || !dash || !endpoint(p, dash, &addr, &port) || !port)
        return err_set(e, EINVAL, "Invalid guest forwarding rule '%s' (it is [tcp]:server:port-target)", spec);
    if (!strncmp(dash + 1, "cmd:", 4)) {
        if (slirp_add_exec(u->slirp, dash + 5, &addr, port) < 0)
            return err_set(e, EINVAL, "conflicting/invalid host:port in guest forwarding rule '%s'", spec);
        return 0;
    }
    struct chr_set *chrs = net_host(&u->p)->chrs;
    struct chr *c;
    char label[64];
    if (!chrs) return err_set(e, ENOTSUP, "guestfwd to a character device is not available here");
    snprintf(label, sizeof label, "guestfwd.%.40s.%d", opts_id_ok(u->p.id) ? u->p.id : "net", port);
    int rc = chr_legacy(chrs, dash + 1, label, &c, NULL, e);
    if (rc) return rc;
    struct user_fwd *f = xalloc(sizeof *f);
    f->u = u;
    f->port = port;
    f->fe = chr_attach(c, &fwd_client, f, e);
    if (!f->fe || slirp_add_guestfwd(u->slirp, fwd_write, f, &addr, port) < 0) {
        if (f->fe) err_set(e, EINVAL, "conflicting/invalid host:port in guest forwarding rule '%s'", spec);
        chr_detach(f->fe);
        free(f);
        return -EINVAL;
    }
    f->addr = addr;
    f->next = u->fwds;
    u->fwds = f;
    return 0;
}
