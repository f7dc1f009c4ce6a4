/*
 * user.c: -netdev user: libslirp between the guest and the host's sockets. libslirp is asked in rounds: what became of the descriptors
 * it named, then which it waits for now, and for how long; a round is due after any of these, and after a frame of the guest.
 * Known gaps: smb=; urgent data (SLIRP_POLL_PRI).
 */
#include "io/net/user.h"

#include <stdio.h>
#include <stdlib.h>
#include "io/char/chr.h"

/* --- descriptors ------------------------------------------------------------------------------------------------------------ */

static void fd_ready(void *ctx, unsigned ev)
{
    struct user_fd *f = ctx;
    f->got |= ev;
    loop_defer(&f->u->work);
}

static void drop_fd(struct user *u, int fd)
{
    for (struct user_fd **p = &u->fds; *p; p = &(*p)->next) {
        struct user_fd *f = *p;
        if (f->fd != fd) continue;
        for (uint32_t i = 0; i < u->nindex; i++)
            if (u->index[i] == f) u->index[i] = NULL;
        *p = f->next;
        loop_fd_free(f->watch);
        free(f);
        return;
    }
}

static int add_poll(int fd, int events, void *ctx)
{
    struct user *u = ctx;
    unsigned want = (events & SLIRP_POLL_IN ? LOOP_IN : 0u) | (events & SLIRP_POLL_OUT ? LOOP_OUT : 0u);
    struct user_fd *f = u->fds;
    while (f && f->fd != fd) f = f->next;
    if (!f) {
        f = xalloc(sizeof *f);
        *f = (struct user_fd){ .next = u->fds, .u = u, .fd = fd };
        u->fds = f;
    }
    if (f->watch && !want) {
        loop_fd_free(f->watch);
        f->watch = NULL;
    } else if (f->watch) {
        loop_fd_set(f->watch, want);
    } else if (want) {
        f->watch = loop_fd_new(u->p.set ? net_loop(u->p.set) : NULL, fd, want, fd_ready, f, NULL);
    }
    f->wanted = true;
    u->index = vec_grow(u->index, &u->index_cap, u->nindex + 1, sizeof *u->index);
    u->index[u->nindex] = f;
    return (int)u->nindex++;
}

static int get_events(int i, void *ctx)
{
    struct user *u = ctx;
    struct user_fd *f = i >= 0 && (uint32_t)i < u->nindex ? u->index[i] : NULL;
    if (!f) return 0;
    return (f->got & LOOP_IN ? SLIRP_POLL_IN : 0) | (f->got & LOOP_OUT ? SLIRP_POLL_OUT : 0) | (f->got & LOOP_HUP ? SLIRP_POLL_HUP : 0);
}

static void work(void *ctx)
{
    struct user *u = ctx;
    uint32_t timeout = UINT32_MAX; /* ms */
    if (u->filled) slirp_pollfds_poll(u->slirp, 0, get_events, u);
    u->nindex = 0;
    for (struct user_fd *f = u->fds; f; f = f->next) {
        f->wanted = false;
        f->got = 0;
    }
    slirp_pollfds_fill(u->slirp, &timeout, add_poll, u);
    u->filled = true;
    for (struct user_fd *f = u->fds, *next; f; f = next) {
        next = f->next;
        if (!f->wanted) drop_fd(u, f->fd);
    }
    if (timeout == UINT32_MAX)
        timer_cancel(&u->tick);
    else
        timer_set_in(&u->tick, (uint64_t)MAX(timeout, 1) * NS_PER_MS);
}

static void tick(void *ctx)
{
    loop_defer(&((struct user *)ctx)->work);
}

/* --- what libslirp calls -------------------------------------------------------------------------------------------------------- */

static ssize_t cb_send(const void *buf, size_t len, void *ctx)
{
    struct user *u = ctx;
    net_send_buf(&u->p, buf, len); /* what cannot be queued is lost: TCP sees to it */
    return (ssize_t)len;
}

static void cb_guest_error(const char *msg, void *ctx)
{
    LOG(LOG_GUEST_ERR, "user network: %s\n", msg);
}

static int64_t cb_clock(void *ctx)
{
    struct user *u = ctx;
    return (int64_t)clock_now(loop_clock(net_loop(u->p.set)));
}

static void timer_fires(void *ctx)
{
    struct user_timer *t = ctx;
    t->fn(t->ctx);
    loop_defer(&t->u->work);
}

static void *cb_timer_new(SlirpTimerCb fn, void *fn_ctx, void *ctx)
{
    struct user *u = ctx;
    struct user_timer *t = xalloc(sizeof *t);
    *t = (struct user_timer){ .u = u, .fn = fn, .ctx = fn_ctx };
    timer_init(&t->t, loop_clock(net_loop(u->p.set)), timer_fires, t);
    return t;
}

static void cb_timer_free(void *timer, void *ctx)
{
    struct user_timer *t = timer;
    if (!t) return;
    timer_cancel(&t->t);
    free(t);
}

static void cb_timer_mod(void *timer, int64_t ms, void *ctx)
{
    struct user_timer *t = timer;
    timer_set(&t->t, ms > 0 ? (uint64_t)ms * NS_PER_MS : 0);
}

static void cb_register(int fd, void *ctx)
{
    loop_defer(&((struct user *)ctx)->work);
}

/* It is about to be closed. */
static void cb_unregister(int fd, void *ctx)
{
    drop_fd(ctx, fd);
}

static void cb_notify(void *ctx)
{
    loop_defer(&((struct user *)ctx)->work);
}

static const SlirpCb callbacks = {
    .send_packet = cb_send, .guest_error = cb_guest_error, .clock_get_ns = cb_clock, .timer_new = cb_timer_new, .timer_free = cb_timer_free,
    .timer_mod = cb_timer_mod, .register_poll_fd = cb_register, .unregister_poll_fd = cb_unregister, .notify = cb_notify,
};

/* --- the port ---------------------------------------------------------------------------------------------------------------------- */

static bool user_recv(void *ctx, const struct iovec *iov, unsigned n)
{
    struct user *u = ctx;
    if (n == 1) {
        slirp_input(u->slirp, iov->iov_base, (int)iov->iov_len);
    } else {
        uint8_t *buf = xalloc(NET_FRAME_MAX);
        size_t len = 0;
        for (unsigned i = 0; i < n; i++) { /* net_send has checked the sum */
            if (iov[i].iov_len) memcpy(buf + len, iov[i].iov_base, iov[i].iov_len);
            len += iov[i].iov_len;
        }
        slirp_input(u->slirp, buf, (int)len);
        free(buf);
    }
    loop_defer(&u->work);
    return true;
}

static int forwards(struct user *u, const struct opts *o, struct err *e)
{
    const char *spec;
    int rc = 0;
    for (uint32_t i = 0; !rc && (spec = opts_each(o, "hostfwd", &i));) rc = user_hostfwd(u, spec, true, e);
    for (uint32_t i = 0; !rc && (spec = opts_each(o, "guestfwd", &i));) rc = user_guestfwd(u, spec, e);
    return rc;
}

static int user_open(struct net_port *p, const struct opts *o, struct err *e)
{
    struct user *u = (struct user *)p;
    SlirpConfig cfg = { .version = 3 };
    const char **search = NULL;
    struct loop *l = net_loop(p->set);
    deferred_init(&u->work, l, work, u);
    timer_init(&u->tick, loop_clock(l), tick, u);
    int rc = user_config(u, o, &cfg, &search, e);
    if (!rc && !(u->slirp = slirp_new(&cfg, &callbacks, u))) rc = err_set(e, EINVAL, "user network: libslirp refuses the settings");
    free(search);
    if (!rc) rc = forwards(u, o, e);
    if (rc) return rc;
    char net[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &cfg.vnetwork, net, sizeof net);
    net_set_info(p, "net=%s,restrict=%s", net, cfg.restricted ? "on" : "off");
    loop_defer(&u->work);
    return 0;
}

static void user_close(struct net_port *p)
{
    struct user *u = (struct user *)p;
    while (u->fwds) {
        struct user_fwd *f = u->fwds;
        u->fwds = f->next;
        struct chr *c = chr_of(f->fe);
        chr_detach(f->fe);
        if (c && chr_id(c)[0] == 'g' && !strncmp(chr_id(c), "guestfwd.", 9)) chr_remove(net_host(p)->chrs, chr_id(c), NULL);
        free(f);
    }
    if (u->slirp) slirp_cleanup(u->slirp);
    u->slirp = NULL;
    while (u->fds) drop_fd(u, u->fds->fd);
    deferred_cancel(&u->work);
    timer_cancel(&u->tick);
    free(u->index);
    u->index = NULL;
}

const struct net_driver user_net = {
    .name = "user", .help = "libslirp: net=, hostfwd=, guestfwd=, restrict=, dns=, dhcpstart=, tftp=, bootfile=, hostname=, ...",
    .size = sizeof(struct user), .open = user_open, .close = user_close, .client = { .recv = user_recv },
};

/* --- for the monitor ---------------------------------------------------------------------------------------------------------------- */

int net_hostfwd(struct net_set *s, const char *netdev, const char *spec, bool add, struct err *e)
{
    for (struct net_port *p = net_next(s, NULL); p; p = net_next(s, p)) {
        if (p->driver != &user_net || (netdev && strcmp(p->id, netdev))) continue;
        int rc = user_hostfwd((struct user *)p, spec, add, e);
        if (!rc) loop_defer(&((struct user *)p)->work);
        return rc;
    }
    return err_set(e, ENOENT, netdev ? "no user network '%s'" : "there is no user network", netdev);
}

char *net_user_info(struct net_set *s)
{
    char *all = strdup("");
    for (struct net_port *p = net_next(s, NULL); p; p = net_next(s, p)) {
        if (p->driver != &user_net) continue;
        char *info = slirp_connection_info(((struct user *)p)->slirp), *more;
        if (asprintf(&more, "%s%s:\n%s", all, p->id, info) >= 0) {
            free(all);
            all = more;
        }
        free(info);
    }
    return all;
}
