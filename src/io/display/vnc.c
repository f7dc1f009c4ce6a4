/*
 * vnc.c: VNC servers: their options, listening, their clients, and the console that they show (vnc_client.c: the protocol).
 * Known gaps: TLS, SASL, websockets, reverse connections, audio, clipboard; a cursor of a client without the cursor pseudo-encoding.
 */
#include "io/display/vnc_int.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netdb.h>
#include <unistd.h>
#include "io/opts.h"
#include "io/sock.h"

enum { FIRST_PORT = 5900, SOON = 5 * NS_PER_MS, PERIOD_MIN = 30 * NS_PER_MS, PERIOD_MAX = 500 * NS_PER_MS };

/* --- the console ------------------------------------------------------------------------------------------------------------------------ */

/* The one of display=; else the first that shows something, else the first. */
static struct console *choose(struct vnc *v, const struct console *except)
{
    struct console *first = NULL, *c;
    if (v->owner) {
        c = display_find(v->set->display, v->owner, v->head);
        return c == except ? NULL : c;
    }
    for (unsigned i = 0; (c = display_console(v->set->display, i)); i++) {
        if (c == except) continue;
        if (!first) first = c;
        if (console_surface(c)->width) return c;
    }
    return first;
}

const struct surface *vnc_surface(const struct vnc *v)
{
    return v->con ? console_surface(v->con) : NULL;
}

static void show(struct vnc *v, struct console *con)
{
    if (v->con == con) return;
    v->con = con;
    for (struct vnc_client *c = v->clients; c; c = c->next) {
        c->cursor_due = true;
        if (!c->dead) vnc_resized(c);
    }
    vnc_wake(v, true);
}

static void on_resized(void *ctx, struct console *con)
{
    struct vnc *v = ctx;
    struct console *best = choose(v, NULL);
    if (best != v->con) {
        show(v, best);
        return;
    }
    if (con != v->con) return;
    for (struct vnc_client *c = v->clients; c; c = c->next)
        if (!c->dead) vnc_resized(c);
    vnc_wake(v, true);
}

static void on_dirty(void *ctx, struct console *con, struct rect r)
{
    struct vnc *v = ctx;
    if (con != v->con) return;
    for (struct vnc_client *c = v->clients; c; c = c->next)
        if (!c->dead && c->initialized) vnc_mark(c, r);
    v->period = PERIOD_MIN;
    vnc_wake(v, true);
}

static void on_cursor(void *ctx, struct console *con, bool shape)
{
    struct vnc *v = ctx;
    if (con != v->con || !shape) return;
    for (struct vnc_client *c = v->clients; c; c = c->next) c->cursor_due = true;
    vnc_wake(v, true);
}

static void on_gone(void *ctx, struct console *con)
{
    struct vnc *v = ctx;
    if (con == v->con) show(v, choose(v, con));
}

/* --- time ------------------------------------------------------------------------------------------------------------------------------- */

/* Looks at the console soon, if somebody would see it. */
void vnc_wake(struct vnc *v, bool soon)
{
    uint64_t now = clock_now(loop_clock(v->set->loop)), at = now + (soon ? (uint64_t)SOON : v->period);
    if (soon) v->period = PERIOD_MIN;
    if (!timer_is_set(&v->timer) || v->timer.when > at) timer_set(&v->timer, at);
}

/* Where nothing changes it looks less often. */
static void tick(void *ctx)
{
    struct vnc *v = ctx;
    bool waiting = false;
    for (struct vnc_client *c = v->clients; c; c = c->next) waiting |= !c->dead && c->wants;
    if (!v->con) show(v, choose(v, NULL));
    if (waiting && v->con) console_refresh(v->con);
    waiting = false;
    for (struct vnc_client *c = v->clients; c; c = c->next) {
        if (!c->dead) vnc_update(c);
        waiting |= !c->dead && c->wants;
    }
    timer_cancel(&v->timer); /* what refresh asked for is done */
    v->period = MIN(v->period + v->period / 4, (uint64_t)PERIOD_MAX);
    if (waiting) vnc_wake(v, false);
}

uint8_t *vnc_scratch(struct vnc *v, size_t need)
{
    if (need > v->scratch_cap) {
        free(v->scratch);
        v->scratch = xalloc(need);
        v->scratch_cap = need;
    }
    return v->scratch;
}

/* --- clients ---------------------------------------------------------------------------------------------------------------------------- */

void vnc_event(struct vnc_client *c, enum vnc_event ev)
{
    const struct vnc_host *h = &c->v->set->host;
    if (h->event) h->event(h->ctx, c->v, ev, &c->addr);
}

static void client_free(struct vnc_client *c)
{
    if (c->zlib_on) deflateEnd(&c->zlib);
    if (c->zrle_on) deflateEnd(&c->zrle);
    close(c->fd);
    free(c->dirty);
    free(c->out);
    free(c);
}

static void reap(void *ctx)
{
    struct vnc *v = ctx;
    for (struct vnc_client **p = &v->clients, *c; (c = *p);) {
        if (!c->dead) {
            p = &c->next;
            continue;
        }
        *p = c->next;
        client_free(c);
    }
}

void vnc_only(struct vnc_client *c)
{
    for (struct vnc_client *o = c->v->clients; o; o = o->next)
        if (o != c && o->initialized) vnc_client_end(o);
}

void vnc_disconnect(struct vnc *v)
{
    for (struct vnc_client *c = v->clients; c; c = c->next) vnc_client_end(c);
}

static void address(int fd, bool peer, struct vnc_address *a)
{
    struct sockaddr_storage ss = { 0 };
    socklen_t len = sizeof ss;
    struct sockaddr *sa = (struct sockaddr *)&ss;
    *a = (struct vnc_address){ .family = "unknown" };
    if (peer ? getpeername(fd, sa, &len) : getsockname(fd, sa, &len)) return;
    if (ss.ss_family == AF_UNIX) {
        const struct sockaddr_un *un = (const struct sockaddr_un *)sa;
        snprintf(a->family, sizeof a->family, "unix");
        if (len > offsetof(struct sockaddr_un, sun_path)) snprintf(a->service, sizeof a->service, "%.107s", un->sun_path);
        return;
    }
    snprintf(a->family, sizeof a->family, "%s", ss.ss_family == AF_INET ? "ipv4" : ss.ss_family == AF_INET6 ? "ipv6" : "unknown");
    getnameinfo(sa, len, a->host, sizeof a->host, a->service, sizeof a->service, NI_NUMERICHOST | NI_NUMERICSERV);
}

int vnc_attach(struct vnc *v, int fd, bool skip_auth, struct err *e)
{
    unsigned n = 0;
    int one = 1, r = fd_nonblock(fd);
    for (struct vnc_client *c = v->clients; c; c = c->next) n += !c->dead;
    if (r) return err_set(e, -r, "VNC: %s", strerror(-r));
    if (n >= v->max) return err_set(e, EUSERS, "VNC: there are %u connections already", n);
    struct vnc_client *c = xalloc(sizeof *c);
    c->watch = loop_fd_new(v->set->loop, fd, LOOP_IN, vnc_client_ready, c, e);
    if (!c->watch) {
        free(c);
        return -EMFILE;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* fails on others than TCP */
    c->v = v;
    c->fd = fd;
    c->skip_auth = skip_auth;
    address(fd, true, &c->addr);
    c->next = v->clients;
    v->clients = c;
    vnc_event(c, VNC_CONNECTED);
    vnc_client_begin(c);
    return 0;
}

static void accepts(void *ctx, unsigned events)
{
    struct vnc *v = ctx;
    int fd = accept4(v->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0 && vnc_attach(v, fd, false, NULL)) close(fd);
}

/* --- servers ---------------------------------------------------------------------------------------------------------------------------- */

static void server_free(struct vnc *v)
{
    vnc_disconnect(v);
    reap(v);
    deferred_cancel(&v->reap);
    timer_cancel(&v->timer);
    display_unview(v->set->display, &v->viewer);
    loop_fd_free(v->watch);
    if (v->fd >= 0) close(v->fd);
    if (v->unlink_path) unlink(v->unlink_path);
    free(v->unlink_path);
    free(v->scratch);
    free(v->owner);
    free(v->id);
    free(v);
}

/* HOST:DISPLAY, ports 5900 and on; to: the last display to try. */
static int where(struct vnc *v, const char *text, uint64_t to, struct sock_spec *spec, struct err *e)
{
    const char *colon = strrchr(text, ':');
    char *end, hostport[300];
    if (!strncmp(text, "unix:", 5)) {
        if (strlen(text + 5) >= sizeof spec->path || !text[5]) return err_set(e, EINVAL, "'%.80s' is no path of a socket", text + 5);
        spec->kind = SOCK_UNIX;
        spec->type = SOCK_STREAM;
        snprintf(spec->path, sizeof spec->path, "%s", text + 5);
        return 0;
    }
    if (!colon) return err_set(e, EINVAL, "No port specified: 'vnc' takes HOST:DISPLAY, unix:PATH or none");
    unsigned long n = strtoul(colon + 1, &end, 10);
    if (!colon[1] || *end || n > 65535 - FIRST_PORT) return err_set(e, EINVAL, "can't convert to a number: %.40s (displays are 0 to %d)", colon + 1, 65535 - FIRST_PORT);
    if (to && (to < n || to > 65535 - FIRST_PORT)) return err_set(e, EINVAL, "'to' is a display from %lu to %d", n, 65535 - FIRST_PORT);
    snprintf(hostport, sizeof hostport, "%.*s:%lu", (int)MIN(colon - text, 255), text, n + FIRST_PORT);
    int r = sock_parse_hostport(spec, hostport, SOCK_STREAM, e);
    if (!r && to) spec->to = (unsigned)to + FIRST_PORT;
    return r;
}

static int listens(struct vnc *v, const struct opts *o, const char *text, struct err *e)
{
    struct sock_spec spec = { 0 };
    uint64_t to = 0;
    bool v4 = false, v6 = false;
    int r = opts_num(o, "to", 0, 0, 65535, &to, e);
    if (!r) r = opts_bool(o, "ipv4", false, &v4, e);
    if (!r) r = opts_bool(o, "ipv6", false, &v6, e);
    if (r || !strcmp(text, "none")) return r;
    if ((r = where(v, text, to, &spec, e))) return r;
    if (v4 != v6) spec.family = v4 ? AF_INET : AF_INET6;
    if ((v->fd = sock_listen(&spec, e)) < 0) return v->fd;
    if (spec.kind == SOCK_UNIX && spec.unlink_path) v->unlink_path = strdup(spec.path);
    address(v->fd, false, &v->addr);
    v->listening = true;
    return (v->watch = loop_fd_new(v->set->loop, v->fd, LOOP_IN, accepts, v, e)) ? 0 : -EMFILE;
}

static int secret(struct vnc *v, const char *id, struct err *e)
{
    const struct vnc_host *h = &v->set->host;
    const char *text = id && h->secret ? h->secret(h->ctx, id) : NULL;
    if (id && !text) return err_set(e, ENOENT, "No secret with id '%.60s'", id);
    if (!id) return 0;
    v->password_on = true;
    return vnc_set_password(v, text, e);
}

static int options(struct vnc *v, const struct opts *o, struct err *e)
{
    static const char *const shares[] = { "allow-exclusive", "force-shared", "ignore", NULL };
    static const char *const not_here[] = { "tls-creds", "tls-authz", "sasl", "sasl-authz", "acl", "websocket", "reverse", NULL };
    static const char *const idle[] = { "lossy", "non-adaptive", "lock-key-sync", "key-delay-ms", "power-control", "audiodev", NULL };
    uint64_t head = 0, max = 32;
    int share = 0, r = 0;
    for (unsigned i = 0; not_here[i]; i++) {
        bool on = true;
        if (!opts_has(o, not_here[i])) continue;
        if (opts_bool(o, not_here[i], false, &on, NULL) || on) return err_set(e, ENOTSUP, "Parameter '%s' is not here yet", not_here[i]);
    }
    for (unsigned i = 0; idle[i]; i++) opts_has(o, idle[i]);
    const char *vnc = opts_str(o, "vnc", ""), *sec = opts_get(o, "password-secret"), *owner = opts_get(o, "display");
    opts_has(o, "id");
    if (!(r = opts_bool(o, "password", false, &v->password_on, e)) && !(r = opts_enum(o, "share", shares, 0, &share, e)) &&
        !(r = opts_num(o, "head", 0, 0, 64, &head, e)) && !(r = opts_num(o, "connections", 32, 1, 1024, &max, e)) && !(r = secret(v, sec, e)) &&
        !(r = listens(v, o, vnc, e)))
        r = opts_check(o, "vnc", e);
    if (owner) v->owner = strdup(owner);
    v->share = (unsigned)share;
    v->head = (unsigned)head;
    v->max = (unsigned)max;
    return r;
}

int vnc_new(struct vnc_set *s, const char *text, struct err *e)
{
    struct opts o = { 0 };
    int r = opts_parse(&o, text, "vnc", e);
    const char *id = r ? "" : opts_str(&o, "id", s->list ? NULL : "default");
    char number[24];
    unsigned n = 2;
    for (struct vnc *k = s->list; k; k = k->next) n++;
    snprintf(number, sizeof number, "vnc%u", n);
    if (!id) id = number;
    for (struct vnc *k = s->list; !r && k; k = k->next)
        if (!strcmp(k->id, id)) r = err_set(e, EEXIST, "Duplicate ID '%.60s' for vnc", id);
    struct vnc *v = r ? NULL : xalloc(sizeof *v);
    if (v) {
        *v = (struct vnc){ .set = s, .id = strdup(id), .fd = -1, .expires = INT64_MAX, .period = PERIOD_MIN };
        v->viewer = (struct viewer){ .resized = on_resized, .dirty = on_dirty, .cursor = on_cursor, .gone = on_gone, .ctx = v };
        timer_init(&v->timer, loop_clock(s->loop), tick, v);
        deferred_init(&v->reap, s->loop, reap, v);
        display_view(s->display, &v->viewer);
        r = options(v, &o, e);
        v->con = choose(v, NULL);
        struct vnc **p = &s->list;
        while (*p) p = &(*p)->next;
        if (r) server_free(v);
        else *p = v;
    }
    opts_free(&o);
    return r;
}

struct vnc_set *vnc_set_new(struct loop *l, struct display *d, const struct vnc_host *h)
{
    struct vnc_set *s = xalloc(sizeof *s);
    s->loop = l;
    s->display = d;
    if (h) s->host = *h;
    return s;
}

void vnc_set_free(struct vnc_set *s)
{
    if (!s) return;
    s->host.event = NULL;
    while (s->list) {
        struct vnc *v = s->list;
        s->list = v->next;
        server_free(v);
    }
    free(s);
}

/* --- what monitors ask -------------------------------------------------------------------------------------------------------------------- */

struct vnc *vnc_next(struct vnc_set *s, const struct vnc *after)
{
    return after ? after->next : s->list;
}

struct vnc *vnc_find(struct vnc_set *s, const char *id)
{
    struct vnc *v = s->list;
    while (v && id && strcmp(v->id, id)) v = v->next;
    return v;
}

const char *vnc_id(const struct vnc *v) { return v->id; }
const char *vnc_auth(const struct vnc *v) { return v->password_on ? "vnc" : "none"; }

bool vnc_listens(const struct vnc *v, struct vnc_address *a)
{
    *a = v->addr;
    return v->listening;
}

bool vnc_client_nth(const struct vnc *v, unsigned i, struct vnc_address *a)
{
    for (struct vnc_client *c = v->clients; c; c = c->next) {
        if (c->dead || !c->initialized || i--) continue;
        *a = c->addr;
        return true;
    }
    return false;
}

int vnc_set_password(struct vnc *v, const char *password, struct err *e)
{
    if (!v->password_on) return err_set(e, EINVAL, "the VNC server asks for no password: it needs password=on");
    memset(v->password, 0, sizeof v->password);
    snprintf(v->password, sizeof v->password, "%s", password);
    return 0;
}

void vnc_set_expiry(struct vnc *v, int64_t seconds)
{
    v->expires = seconds;
}
