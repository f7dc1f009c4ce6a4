/*
 * socket.c: -chardev socket: TCP or UNIX, server or client, telnet (RFC 854: binary, server echoes, suppress go-ahead), reconnect.
 * One client at a time; further ones wait in the backlog. Descriptors that come along are kept for chr_take_fds.
 * Known gaps: TLS, websocket.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "io/char/chr.h"
#include "io/sock.h"

enum { SOCK_FDS = 16 };
enum telnet { TN_OFF, TN_DATA, TN_IAC, TN_OPT, TN_SUB, TN_SUB_IAC };
enum { IAC = 255, DO = 253, WILL = 251, SB = 250, BREAK = 243, SE = 240 };

struct socket_chr {
    struct chr c;
    struct sock_spec spec;
    bool server, nodelay, telnet_on, half, connecting, want_out;
    enum telnet telnet;
    uint64_t retry_ns;             /* 0: none */
    int listen, fd;                /* -1 none */
    struct loop_fd *wlisten, *w;
    struct timer retry;
    struct deferred broken;        /* a write failed: hangs up, but not inside of the front end's call */
    int fds[SOCK_FDS];
    unsigned nfds;
};

static void accepts(void *ctx, unsigned ev);
static void ready(void *ctx, unsigned ev);
static void try_connect(void *ctx);

/* --- names ------------------------------------------------------------------------------------------------------------------- */

static void rename_it(struct socket_chr *s)
{
    char own[160], peer[160];
    const char *kind = s->spec.kind == SOCK_INET ? (s->telnet_on ? "telnet" : "tcp") : s->spec.kind == SOCK_UNIX ? "unix" : "fd";
    const char *server = s->server ? ",server=on" : "";
    sock_describe(&s->spec, own, sizeof own);
    if (s->spec.kind == SOCK_INET && s->listen >= 0) sock_address(s->listen, false, own, sizeof own); /* the port that it got */
    if (s->fd < 0 || s->connecting) {
        chr_set_name(&s->c, "disconnected:%s:%s%s", kind, own, server);
        return;
    }
    if (s->spec.kind == SOCK_FD) {
        sock_address(s->fd, false, own, sizeof own);
        kind = strchr(own, ':') && *own != '/' ? "tcp" : "unix";
    }
    if (s->spec.kind == SOCK_INET) {
        sock_address(s->fd, false, own, sizeof own);
        sock_address(s->fd, true, peer, sizeof peer);
        chr_set_name(&s->c, "%s:%s%s <-> %s", kind, own, server, peer);
    } else {
        chr_set_name(&s->c, "%s:%s%s", kind, own, server);
    }
}

/* --- connections ---------------------------------------------------------------------------------------------------------------- */

static void drop_fds(struct socket_chr *s)
{
    while (s->nfds) close(s->fds[--s->nfds]);
}

static void watch(struct socket_chr *s, unsigned events)
{
    if (s->w && events) {
        loop_fd_set(s->w, events);
    } else if (s->w) {
        loop_fd_free(s->w); /* not with no events: it would report a hang-up all the time */
        s->w = NULL;
    } else if (events && s->fd >= 0) {
        s->w = loop_fd_new(chr_loop(&s->c), s->fd, events, ready, s, NULL);
    }
}

static void socket_update(struct chr *c)
{
    struct socket_chr *s = (struct socket_chr *)c;
    if (s->connecting)
        watch(s, LOOP_OUT);
    else
        watch(s, s->fd < 0 ? 0 : (chr_be_room(c) ? LOOP_IN : 0u) | (s->want_out ? LOOP_OUT : 0u));
}

static void listen_again(struct socket_chr *s)
{
    if (s->listen >= 0 && !s->wlisten) s->wlisten = loop_fd_new(chr_loop(&s->c), s->listen, LOOP_IN, accepts, s, NULL);
}

static void hang_up(struct socket_chr *s)
{
    if (s->fd < 0) return;
    watch(s, 0);
    close(s->fd);
    s->fd = -1;
    s->want_out = s->connecting = s->half = false;
    drop_fds(s);
    rename_it(s);
    listen_again(s);
    if (!s->server && s->retry_ns) timer_set_in(&s->retry, s->retry_ns);
    chr_be_event(&s->c, CHR_CLOSED);
    chr_be_drop(&s->c);
}

static void is_broken(void *ctx)
{
    hang_up(ctx);
}

/* The connection stands. */
static void opened(struct socket_chr *s)
{
    static const uint8_t offer[] = { IAC, WILL, 1, IAC, WILL, 3, IAC, WILL, 0, IAC, DO, 0 };
    int one = 1;
    s->connecting = false;
    s->telnet = s->telnet_on ? TN_DATA : TN_OFF;
    loop_fd_free(s->wlisten);
    s->wlisten = NULL;
    if (s->nodelay) setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (s->telnet && s->server && fd_write(s->fd, offer, sizeof offer) != (ssize_t)sizeof offer) s->telnet = TN_DATA;
    rename_it(s);
    chr_be_event(&s->c, CHR_OPENED);
    if (!s->c.dead) socket_update(&s->c);
}

static void accepts(void *ctx, unsigned ev)
{
    struct socket_chr *s = ctx;
    int fd = accept4(s->listen, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    if (s->fd >= 0) { /* cannot be: the listener is not watched then */
        close(fd);
        return;
    }
    s->fd = fd;
    opened(s);
}

static void try_connect(void *ctx)
{
    struct socket_chr *s = ctx;
    s->fd = sock_connect(&s->spec, NULL, NULL);
    if (s->fd < 0) {
        s->fd = -1;
        timer_set_in(&s->retry, s->retry_ns);
        return;
    }
    s->connecting = true;
    socket_update(&s->c);
}

/* --- input ------------------------------------------------------------------------------------------------------------------------ */

/* Takes commands out, in place; how much data is left. */
static size_t telnet_filter(struct socket_chr *s, uint8_t *buf, size_t len)
{
    size_t out = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t b = buf[i];
        switch (s->telnet) {
        case TN_IAC:
            s->telnet = b == SB ? TN_SUB : b >= WILL && b < IAC ? TN_OPT : TN_DATA;
            if (b == IAC) buf[out++] = b;
            if (b == BREAK) chr_be_event(&s->c, CHR_BREAK);
            break;
        case TN_OPT: s->telnet = TN_DATA; break;
        case TN_SUB: if (b == IAC) s->telnet = TN_SUB_IAC; break;
        case TN_SUB_IAC: s->telnet = b == SE ? TN_DATA : TN_SUB; break;
        default:
            if (b == IAC)
                s->telnet = TN_IAC;
            else
                buf[out++] = b;
        }
    }
    return out;
}

static ssize_t receive(struct socket_chr *s, uint8_t *buf, size_t len)
{
    union { struct cmsghdr align; char space[CMSG_SPACE(SOCK_FDS * sizeof(int))]; } ctl;
    struct iovec iov = { buf, len };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.space, .msg_controllen = sizeof ctl.space };
    ssize_t n = recvmsg(s->fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0) return -errno;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&m); h; h = CMSG_NXTHDR(&m, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) continue;
        drop_fds(s); /* what nobody took */
        s->nfds = (unsigned)MIN((h->cmsg_len - CMSG_LEN(0)) / sizeof(int), SOCK_FDS);
        memcpy(s->fds, CMSG_DATA(h), s->nfds * sizeof(int));
    }
    return n;
}

static void input(struct socket_chr *s)
{
    uint8_t buf[4096];
    size_t room = MIN(chr_be_room(&s->c), sizeof buf);
    if (!room) return;
    ssize_t n = receive(s, buf, room);
    if (n == -EAGAIN || n == -EINTR) return;
    if (n <= 0) {
        hang_up(s);
        return;
    }
    size_t len = s->telnet ? telnet_filter(s, buf, (size_t)n) : (size_t)n;
    chr_be_recv(&s->c, buf, len);
}

static void ready(void *ctx, unsigned ev)
{
    struct socket_chr *s = ctx;
    if (s->connecting) {
        if (sock_result(s->fd))
            hang_up(s);
        else
            opened(s);
        return;
    }
    if (ev & LOOP_OUT && s->want_out) {
        s->want_out = false;
        chr_be_writable(&s->c);
    }
    if (ev & LOOP_IN && s->fd >= 0 && !s->c.dead) input(s);
    if (!s->c.dead) socket_update(&s->c);
}

/* --- output ------------------------------------------------------------------------------------------------------------------------ */

/* A byte 255 is sent twice. */
static ssize_t telnet_send(struct socket_chr *s, const uint8_t *buf, size_t len)
{
    static const uint8_t twice[2] = { IAC, IAC };
    size_t done = 0;
    if (s->half) {
        ssize_t n = fd_write(s->fd, twice, 1);
        if (n <= 0) return n;
        s->half = false;
    }
    while (done < len) {
        const uint8_t *iac = memchr(buf + done, IAC, len - done);
        size_t plain = iac ? (size_t)(iac - buf) - done : len - done;
        ssize_t n = plain ? fd_write(s->fd, buf + done, plain) : fd_write(s->fd, twice, 2);
        if (n <= 0) return done ? (ssize_t)done : n;
        if (!plain) {
            s->half = n == 1;
            done++;
            if (s->half) return (ssize_t)done;
        } else {
            done += (size_t)n;
        }
    }
    return (ssize_t)done;
}

static size_t socket_write(struct chr *c, const uint8_t *buf, size_t len)
{
    struct socket_chr *s = (struct socket_chr *)c;
    size_t done = 0;
    if (s->fd < 0 || s->connecting) return len;
    while (done < len) {
        ssize_t n = s->telnet ? telnet_send(s, buf + done, len - done) : fd_write(s->fd, buf + done, len - done);
        if (n == -EINTR) continue;
        if (n == -EAGAIN) {
            s->want_out = true;
            socket_update(c);
            return done;
        }
        if (n < 0) {
            loop_defer(&s->broken);
            return len;
        }
        done += (size_t)n;
    }
    return done;
}

static unsigned socket_take_fds(struct chr *c, int *fds, unsigned max)
{
    struct socket_chr *s = (struct socket_chr *)c;
    unsigned n = MIN(max, s->nfds);
    memcpy(fds, s->fds, n * sizeof *fds);
    memmove(s->fds, s->fds + n, (s->nfds - n) * sizeof *fds);
    s->nfds -= n;
    return n;
}

static void socket_disconnect(struct chr *c)
{
    struct socket_chr *s = (struct socket_chr *)c;
    if (s->fd >= 0) loop_defer(&s->broken);
}

/* --- opening ------------------------------------------------------------------------------------------------------------------------ */

static int wait_for(int fd, short events)
{
    struct pollfd p = { .fd = fd, .events = events };
    while (poll(&p, 1, -1) < 0)
        if (errno != EINTR) return -errno;
    return 0;
}

static int open_server(struct socket_chr *s, bool wait, struct err *e)
{
    s->listen = sock_listen(&s->spec, e);
    if (s->listen < 0) return s->listen;
    int accepting = 0;
    socklen_t len = sizeof accepting;
    if (s->spec.kind == SOCK_FD && (getsockopt(s->listen, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &len) || !accepting))
        return err_set(e, EINVAL, "descriptor %d does not listen: server=off is meant, or listen() is missing", s->spec.fd);
    rename_it(s);
    if (wait) {
        chr_say(&s->c, "info: waiting for a connection on %s", chr_name(&s->c));
        int rc = wait_for(s->listen, POLLIN);
        if (rc) return err_set(e, -rc, "%s: %s", chr_name(&s->c), strerror(-rc));
        accepts(s, LOOP_IN);
    }
    if (s->fd < 0) listen_again(s);
    return 0;
}

static int open_client(struct socket_chr *s, struct err *e)
{
    if (s->retry_ns) {
        try_connect(s);
        rename_it(s);
        return 0;
    }
    s->fd = sock_connect(&s->spec, NULL, e);
    if (s->fd < 0) return s->fd;
    int rc = wait_for(s->fd, POLLOUT);
    if (!rc) rc = sock_result(s->fd);
    char to[160];
    sock_describe(&s->spec, to, sizeof to);
    if (rc) return err_set(e, -rc, "Failed to connect to '%s': %s", to, strerror(-rc));
    opened(s);
    return 0;
}

static int socket_options(struct socket_chr *s, const struct opts *o, bool *wait, struct err *e)
{
    bool websocket, delay;
    uint64_t seconds, ms;
    int rc = opts_bool(o, "server", false, &s->server, e);
    if (!rc) rc = opts_bool(o, "wait", s->server, wait, e);
    if (!rc) rc = opts_bool(o, "telnet", false, &s->telnet_on, e);
    if (!rc) rc = opts_bool(o, "websocket", false, &websocket, e);
    if (!rc) rc = opts_bool(o, "delay", true, &delay, e);
    if (!rc) rc = opts_bool(o, "nodelay", !delay, &s->nodelay, e);
    if (!rc) rc = opts_num(o, "reconnect", 0, 0, 86400, &seconds, e);
    if (!rc) rc = opts_num(o, "reconnect-ms", 0, 0, 86400000, &ms, e);
    if (rc) return rc;
    s->retry_ns = seconds * NS_PER_S + ms * NS_PER_MS;
    if (websocket) return err_set(e, ENOTSUP, "chardev socket: websocket=on is not available");
    if (opts_has(o, "tls-creds")) return err_set(e, ENOTSUP, "chardev socket: tls-creds= is not available");
    if (s->server && s->retry_ns) return err_set(e, EINVAL, "'reconnect' option is incompatible with socket in server listen mode");
    if (!s->server && opts_has(o, "wait") && *wait) return err_set(e, EINVAL, "'wait' option is incompatible with socket in client connect mode");
    return 0;
}

static int socket_open(struct chr *c, const struct opts *o, struct err *e)
{
    struct socket_chr *s = (struct socket_chr *)c;
    bool wait;
    s->listen = s->fd = -1;
    timer_init(&s->retry, loop_clock(chr_loop(c)), try_connect, s);
    deferred_init(&s->broken, chr_loop(c), is_broken, s);
    int rc = socket_options(s, o, &wait, e);
    if (!rc) rc = sock_spec(&s->spec, o, opts_has(o, "addr.type") ? "addr.data." : "", SOCK_STREAM, e);
    if (rc) return rc;
    return s->server ? open_server(s, wait, e) : open_client(s, e);
}

static void socket_close(struct chr *c)
{
    struct socket_chr *s = (struct socket_chr *)c;
    if (s->retry.clock) timer_cancel(&s->retry);
    deferred_cancel(&s->broken);
    watch(s, 0);
    loop_fd_free(s->wlisten);
    s->wlisten = NULL;
    if (s->fd >= 0) close(s->fd);
    if (s->listen >= 0) close(s->listen);
    s->fd = s->listen = -1;
    drop_fds(s);
    if (s->spec.unlink_path) unlink(s->spec.path);
}

const struct chr_driver socket_chr = {
    .name = "socket", .help = "TCP (host=, port=) or UNIX (path=) socket: server=, wait=, telnet=, reconnect=, nodelay=, fd=",
    .size = sizeof(struct socket_chr), .open = socket_open, .close = socket_close, .write = socket_write, .update = socket_update,
    .take_fds = socket_take_fds, .disconnect = socket_disconnect,
};
