/*
 * socket.c: frames over sockets. Streams (-netdev stream; socket,listen= and connect=): each frame follows its length, 32 bits, big
 * endian. Datagrams (-netdev dgram; socket,mcast= and udp=): a frame each.
 */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "io/net/net.h"
#include "io/sock.h"

enum { BURST = 64 };
struct sock_net {
    struct net_port p;
    struct sock_spec spec;
    bool dgram, server, connecting, want_out, paused; /* paused: the peer cannot take more */
    bool has_to;                  /* datagrams go to `to`; else the socket is connected */
    struct sockaddr_storage to;
    socklen_t to_len;
    uint64_t retry_ns;
    int listen, fd;
    struct loop_fd *wlisten, *w;
    struct timer retry;
    uint8_t *in, *out;            /* what has come of a frame, with its length; the rest of one that goes out */
    size_t in_len, out_len, out_at;
};

static void ready(void *ctx, unsigned ev);
static void accepts(void *ctx, unsigned ev);

/* --- connections ------------------------------------------------------------------------------------------------------------ */

static void watch(struct sock_net *s)
{
    unsigned events = s->fd < 0 ? 0 : s->connecting ? LOOP_OUT : (s->paused ? 0u : LOOP_IN) | (s->want_out ? LOOP_OUT : 0u);
    if (s->w && events) {
        loop_fd_set(s->w, events);
    } else if (s->w) {
        loop_fd_free(s->w);
        s->w = NULL;
    } else if (events) {
        s->w = loop_fd_new(net_loop(s->p.set), s->fd, events, ready, s, NULL);
    }
}

static void info(struct sock_net *s)
{
    char a[160] = "";
    sock_describe(&s->spec, a, sizeof a);
    if (s->fd >= 0 && !s->connecting) {
        if (s->spec.kind == SOCK_INET) sock_address(s->fd, true, a, sizeof a);
        net_set_info(&s->p, "%s%s:%s", s->server ? "connection from " : "", s->spec.kind == SOCK_UNIX ? "unix" : s->dgram ? "udp" : "tcp", a);
    } else {
        if (s->listen >= 0 && s->spec.kind == SOCK_INET) sock_address(s->listen, false, a, sizeof a);
        net_set_info(&s->p, s->server ? "listening at %s" : "connecting to %s", a);
    }
}

static void listen_again(struct sock_net *s)
{
    if (s->listen >= 0 && !s->wlisten) s->wlisten = loop_fd_new(net_loop(s->p.set), s->listen, LOOP_IN, accepts, s, NULL);
}

static void try_connect(void *ctx)
{
    struct sock_net *s = ctx;
    s->fd = sock_connect(&s->spec, NULL, NULL);
    if (s->fd < 0) {
        s->fd = -1;
        timer_set_in(&s->retry, s->retry_ns);
        return;
    }
    s->connecting = true;
    watch(s);
}

static void hang_up(struct sock_net *s)
{
    if (s->fd < 0) return;
    loop_fd_free(s->w);
    s->w = NULL;
    close(s->fd);
    s->fd = -1;
    s->connecting = s->want_out = false;
    s->in_len = s->out_len = 0;
    info(s);
    listen_again(s);
    if (!s->server && s->retry_ns) timer_set_in(&s->retry, s->retry_ns);
    net_ready(&s->p); /* what waits is dropped by recv */
}

static void opened(struct sock_net *s)
{
    s->connecting = false;
    loop_fd_free(s->wlisten);
    s->wlisten = NULL;
    info(s);
    watch(s);
}

static void accepts(void *ctx, unsigned ev)
{
    struct sock_net *s = ctx;
    int fd = accept4(s->listen, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    s->fd = fd;
    opened(s);
}

/* --- from the socket ---------------------------------------------------------------------------------------------------------- */

/* Bytes that are wanted next: the length, then the frame. 0: the length is nonsense. */
static size_t wanted(const struct sock_net *s)
{
    if (s->in_len < 4) return 4 - s->in_len;
    uint32_t len;
    memcpy(&len, s->in, 4);
    len = ntohl(len);
    return len && len <= NET_FRAME_MAX ? 4 + len - s->in_len : 0;
}

static void stream_input(struct sock_net *s)
{
    for (unsigned i = 0; i < BURST && s->fd >= 0 && !s->paused && !s->p.dead; i++) {
        size_t want = wanted(s);
        ssize_t n = want ? recv(s->fd, s->in + s->in_len, want, MSG_DONTWAIT) : 0;
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (n <= 0) {
            hang_up(s);
            return;
        }
        s->in_len += (size_t)n;
        if (s->in_len <= 4 || wanted(s)) continue;
        size_t len = s->in_len - 4;
        s->in_len = 0;
        if (!net_send_buf(&s->p, s->in + 4, len)) s->paused = true;
    }
}

static void dgram_input(struct sock_net *s)
{
    for (unsigned i = 0; i < BURST && !s->paused && !s->p.dead; i++) {
        ssize_t n = recv(s->fd, s->in, NET_FRAME_MAX, MSG_DONTWAIT);
        if (n < 0) return; /* nothing there; or "refused" of an earlier one, which datagrams do not mind */
        if (!net_send_buf(&s->p, s->in, (size_t)n)) s->paused = true;
    }
}

static void sock_resume(void *ctx)
{
    struct sock_net *s = ctx;
    s->paused = false;
    watch(s);
}

/* --- to the socket -------------------------------------------------------------------------------------------------------------- */

static void flush(struct sock_net *s)
{
    while (s->out_len) {
        ssize_t n = fd_write(s->fd, s->out + s->out_at, s->out_len);
        if (n == -EINTR) continue;
        if (n <= 0) {
            s->want_out = n == -EAGAIN;
            if (n != -EAGAIN) s->out_len = 0; /* reading finds out */
            return;
        }
        s->out_at += (size_t)n;
        s->out_len -= (size_t)n;
    }
    s->want_out = false;
}

static bool sock_can_recv(void *ctx)
{
    struct sock_net *s = ctx;
    return !s->want_out;
}

static bool stream_recv(struct sock_net *s, const struct iovec *iov, unsigned n)
{
    size_t len = 0;
    for (unsigned i = 0; i < n; i++) { /* net_send has checked the sum */
        if (iov[i].iov_len) memcpy(s->out + 4 + len, iov[i].iov_base, iov[i].iov_len);
        len += iov[i].iov_len;
    }
    uint32_t be = htonl((uint32_t)len);
    memcpy(s->out, &be, 4);
    s->out_at = 0;
    s->out_len = 4 + len;
    flush(s);
    if (s->want_out) watch(s);
    return true;
}

static bool sock_recv(void *ctx, const struct iovec *iov, unsigned n)
{
    struct sock_net *s = ctx;
    if (s->fd < 0 || s->connecting) return true;
    if (!s->dgram) return stream_recv(s, iov, n);
    struct msghdr m = { .msg_iov = (struct iovec *)iov, .msg_iovlen = n };
    if (s->has_to) {
        m.msg_name = &s->to;
        m.msg_namelen = s->to_len;
    }
    if (sendmsg(s->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EAGAIN) {
        s->want_out = true;
        watch(s);
        return false;
    }
    return true;
}

static void ready(void *ctx, unsigned ev)
{
    struct sock_net *s = ctx;
    if (s->connecting) {
        if (sock_result(s->fd))
            hang_up(s);
        else
            opened(s);
        return;
    }
    if (ev & LOOP_OUT && s->want_out) {
        s->want_out = false;
        flush(s);
        if (!s->want_out) net_ready(&s->p);
    }
    if (ev & LOOP_IN && s->fd >= 0 && !s->p.dead) s->dgram ? dgram_input(s) : stream_input(s);
    if (!s->p.dead) watch(s);
}

/* --- opening -------------------------------------------------------------------------------------------------------------------- */

static void begin(struct sock_net *s)
{
    s->listen = s->fd = -1;
    s->in = xalloc(NET_FRAME_MAX + 4);
    s->out = xalloc(NET_FRAME_MAX + 4);
    timer_init(&s->retry, loop_clock(net_loop(s->p.set)), try_connect, s);
}

static int start_stream(struct sock_net *s, struct err *e)
{
    if (s->server) {
        s->listen = sock_listen(&s->spec, e);
        if (s->listen < 0) return s->listen;
        listen_again(s);
    } else {
        s->fd = sock_connect(&s->spec, NULL, e);
        if (s->fd < 0) {
            int rc = s->fd;
            s->fd = -1;
            if (!s->retry_ns) return rc;
            timer_set_in(&s->retry, s->retry_ns);
        } else {
            s->connecting = s->spec.kind != SOCK_FD;
            watch(s);
        }
    }
    info(s);
    return 0;
}

/* Settings whose names begin with `prefix` ("addr.", "local.") are an address, with its kind beneath "type". */
static int stream_open(struct net_port *p, const struct opts *o, struct err *e)
{
    struct sock_net *s = (struct sock_net *)p;
    uint64_t sec, ms;
    begin(s);
    int rc = opts_bool(o, "server", false, &s->server, e);
    if (!rc) rc = opts_num(o, "reconnect", 0, 0, 86400, &sec, e);
    if (!rc) rc = opts_num(o, "reconnect-ms", 0, 0, 86400000, &ms, e);
    if (!rc) rc = sock_spec(&s->spec, o, "addr.", SOCK_STREAM, e);
    if (rc) return rc;
    s->retry_ns = sec * NS_PER_S + ms * NS_PER_MS;
    if (s->server && s->retry_ns) return err_set(e, EINVAL, "'reconnect' option is incompatible with socket in server mode");
    return start_stream(s, e);
}

static int resolve(const struct sock_spec *spec, struct sock_net *s, struct err *e)
{
    struct addrinfo hint = { .ai_family = AF_INET, .ai_socktype = SOCK_DGRAM }, *list;
    int rc = getaddrinfo(*spec->host ? spec->host : NULL, spec->port, &hint, &list);
    if (rc) return err_set(e, EINVAL, "address resolution failed for %s:%s: %s", spec->host, spec->port, gai_strerror(rc));
    memcpy(&s->to, list->ai_addr, list->ai_addrlen);
    s->to_len = list->ai_addrlen;
    s->has_to = true;
    freeaddrinfo(list);
    return 0;
}

/* A group that all members send to and receive from, themselves included. */
static int join_group(struct sock_net *s, const struct sock_spec *group, const char *local, struct err *e)
{
    int one = 1;
    int rc = resolve(group, s, e);
    if (rc) return rc;
    struct sockaddr_in *in = (struct sockaddr_in *)&s->to;
    struct ip_mreq req = { .imr_multiaddr = in->sin_addr };
    if (!IN_MULTICAST(ntohl(in->sin_addr.s_addr))) return err_set(e, EINVAL, "'%s' is not a multicast address (224.0.0.0 to 239.255.255.255)", group->host);
    if (local && !inet_aton(local, &req.imr_interface)) return err_set(e, EINVAL, "localaddr=%s is not an IPv4 address", local);
    s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (s->fd < 0) return err_set(e, errno, "socket: %s", strerror(errno));
    setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(s->fd, (struct sockaddr *)in, sizeof *in) || setsockopt(s->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &req, sizeof req) ||
        setsockopt(s->fd, IPPROTO_IP, IP_MULTICAST_LOOP, &one, sizeof one) ||
        (local && setsockopt(s->fd, IPPROTO_IP, IP_MULTICAST_IF, &req.imr_interface, sizeof req.imr_interface)))
        return err_set(e, errno, "can't join multicast group %s: %s", group->host, strerror(errno));
    net_set_info(&s->p, "mcast=%s:%s", group->host, group->port);
    watch(s);
    return 0;
}

static int dgram_open(struct net_port *p, const struct opts *o, struct err *e)
{
    struct sock_net *s = (struct sock_net *)p;
    struct sock_spec local, remote;
    begin(s);
    s->dgram = true;
    int has_local = sock_spec(&local, o, "local.", SOCK_DGRAM, NULL), has_remote = sock_spec(&remote, o, "remote.", SOCK_DGRAM, NULL);
    if (has_local && has_local != -ENOENT) return sock_spec(&local, o, "local.", SOCK_DGRAM, e);
    if (has_remote && has_remote != -ENOENT) return sock_spec(&remote, o, "remote.", SOCK_DGRAM, e);
    if (!has_remote && remote.kind == SOCK_INET && IN_MULTICAST(ntohl(inet_addr(remote.host)))) {
        const char *iface = !has_local && local.kind == SOCK_INET ? local.host : NULL;
        return join_group(s, &remote, iface, e);
    }
    if (has_local) return err_set(e, EINVAL, "dgram: local.* is missing");
    s->spec = local;
    if (local.kind != SOCK_FD && has_remote) return err_set(e, EINVAL, "dgram: remote.* is missing");
    if (!has_remote && local.kind == SOCK_INET) {
        int rc = resolve(&remote, s, e);
        if (rc) return rc;
    }
    s->fd = sock_listen(&s->spec, e);
    if (s->fd < 0) return s->fd;
    if (!has_remote && local.kind == SOCK_UNIX) { /* the other side need not be there yet */
        struct { sa_family_t family; char path[sizeof remote.path]; } un = { AF_UNIX, "" };
        strcpy(un.path, remote.path);
        memcpy(&s->to, &un, sizeof un);
        s->to_len = sizeof un;
        s->has_to = true;
    }
    char a[160];
    sock_address(s->fd, false, a, sizeof a);
    net_set_info(p, "udp=%s", a);
    watch(s);
    return 0;
}

/* The older form: listen=, connect=, mcast=, udp= with HOST:PORT; fd=. */
static int socket_open(struct net_port *p, const struct opts *o, struct err *e)
{
    struct sock_net *s = (struct sock_net *)p;
    static const char *const modes[] = { "listen", "connect", "mcast", "udp", "fd" };
    const char *mode = NULL, *local = opts_get(o, "localaddr");
    unsigned given = 0;
    begin(s);
    for (unsigned i = 0; i < ARRAY_LEN(modes); i++)
        if (opts_has(o, modes[i])) {
            mode = modes[i];
            given++;
        }
    if (given != 1) return err_set(e, EINVAL, "exactly one of listen=, connect=, mcast=, udp= or fd= is required");
    const char *v = opts_get(o, mode);
    if (!strcmp(mode, "fd")) {
        int type, fd = sock_fd_number(v, e);
        socklen_t len = sizeof type;
        if (fd < 0) return fd;
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len)) return err_set(e, errno, "descriptor %d is no socket", fd);
        s->dgram = type == SOCK_DGRAM;
        s->spec = (struct sock_spec){ .kind = SOCK_FD, .fd = fd, .type = type };
        return start_stream(s, e);
    }
    s->dgram = !strcmp(mode, "mcast") || !strcmp(mode, "udp");
    struct sock_spec spec;
    int rc = sock_parse_hostport(&spec, v, s->dgram ? SOCK_DGRAM : SOCK_STREAM, e);
    if (rc) return rc;
    if (!strcmp(mode, "mcast")) return join_group(s, &spec, local, e);
    if (!s->dgram) {
        s->spec = spec;
        s->server = !strcmp(mode, "listen");
        return start_stream(s, e);
    }
    if (!local) return err_set(e, EINVAL, "localaddr= is mandatory with udp=");
    rc = sock_parse_hostport(&s->spec, local, SOCK_DGRAM, e);
    if (!rc) rc = resolve(&spec, s, e);
    if (rc) return rc;
    s->spec.family = AF_INET;
    s->fd = sock_listen(&s->spec, e);
    if (s->fd < 0) return s->fd;
    net_set_info(p, "udp=%s", v);
    watch(s);
    return 0;
}

static void sock_close(struct net_port *p)
{
    struct sock_net *s = (struct sock_net *)p;
    if (s->retry.clock) timer_cancel(&s->retry);
    loop_fd_free(s->w);
    loop_fd_free(s->wlisten);
    s->w = s->wlisten = NULL;
    if (s->fd >= 0) close(s->fd);
    if (s->listen >= 0) close(s->listen);
    s->fd = s->listen = -1;
    if (s->spec.unlink_path) unlink(s->spec.path);
    free(s->in);
    free(s->out);
    s->in = s->out = NULL;
}

#define SOCK_CLIENT { .can_recv = sock_can_recv, .recv = sock_recv, .resume = sock_resume }
const struct net_driver stream_net = {
    .name = "stream", .help = "frames over a stream: server=, addr.type=inet|unix|fd, addr.host=, addr.port=, addr.path=, reconnect=",
    .size = sizeof(struct sock_net), .open = stream_open, .close = sock_close, .client = SOCK_CLIENT,
};
const struct net_driver dgram_net = {
    .name = "dgram", .help = "frames as datagrams: local.type=inet|unix|fd, local.host=, local.port=, remote...., or a multicast group",
    .size = sizeof(struct sock_net), .open = dgram_open, .close = sock_close, .client = SOCK_CLIENT,
};
const struct net_driver socket_net = {
    .name = "socket", .help = "listen=, connect=, mcast= or udp= HOST:PORT, localaddr=, fd=", .size = sizeof(struct sock_net),
    .open = socket_open, .close = sock_close, .client = SOCK_CLIENT,
};
