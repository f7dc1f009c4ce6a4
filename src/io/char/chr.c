/*
 * chr.c: character devices: the set, front ends, the output queue, logfile=.
 *
 * Front ends and back ends that go while callbacks run stay in memory until none does (`inside`, a deferred call).
 */
#include "io/char/chr.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>
#include "io/sock.h"

struct chr_set {
    struct loop *loop;
    struct chr_host host;
    struct chr *list;
    uint8_t escape;
    unsigned inside;              /* callbacks of front ends that run */
    struct deferred hello, sweep; /* news for new front ends; memory of dead ones */
    struct chr_fe *dead_fe;
    struct chr *dead_chr;
    struct chr *tty_owner;
    int tty_fd;                   /* -1: no state was saved */
    struct termios tty;
};

/* --- memory of what is gone ---------------------------------------------------------------------------------------------- */

static void free_chr(struct chr *c)
{
    if (c->log >= 0) close(c->log);
    free(c->queue);
    free(c->id);
    free(c->name);
    free(c);
}

static void sweep(void *ctx)
{
    struct chr_set *s = ctx;
    if (s->inside) return; /* who leaves last asks again */
    while (s->dead_fe) {
        struct chr_fe *fe = s->dead_fe;
        s->dead_fe = fe->grave;
        free(fe);
    }
    while (s->dead_chr) {
        struct chr *c = s->dead_chr;
        s->dead_chr = c->grave;
        free_chr(c);
    }
}

static void leave(struct chr_set *s)
{
    if (--s->inside == 0 && (s->dead_fe || s->dead_chr)) loop_defer(&s->sweep);
}

/* --- front ends ------------------------------------------------------------------------------------------------------------ */

static void update(struct chr *c)
{
    if (!c->dead && c->driver->update) c->driver->update(c);
}

static void tell(struct chr_fe *fe, enum chr_event ev)
{
    struct chr_set *s = fe->chr->set;
    if (fe->dead || !fe->client->event) return;
    s->inside++;
    fe->client->event(fe->ctx, ev);
    leave(s);
}

static void hello(void *ctx)
{
    struct chr_set *s = ctx;
    s->inside++;
    for (struct chr *c = s->list; c; c = c->next)
        for (struct chr_fe *fe = c->fe; fe; fe = fe->next) {
            if (!fe->fresh || fe->dead) continue;
            fe->fresh = false;
            if (c->open) tell(fe, CHR_OPENED);
            update(c);
        }
    leave(s);
}

struct chr_fe *chr_attach(struct chr *c, const struct chr_client *client, void *ctx, struct err *e)
{
    if (!c) return NULL;
    if (c->mux || c->nfe >= MAX(c->driver->max_fe, 1)) {
        err_set(e, EBUSY, "chardev '%s' is in use", c->id);
        return NULL;
    }
    struct chr_fe *fe = xalloc(sizeof *fe), **p = &c->fe;
    *fe = (struct chr_fe){ .chr = c, .client = client, .ctx = ctx, .fresh = true };
    while (*p) p = &(*p)->next;
    *p = fe;
    c->nfe++;
    loop_defer(&c->set->hello);
    chr_focus(fe);
    if (c->driver->fe_open) c->driver->fe_open(c, true);
    return fe;
}

void chr_detach(struct chr_fe *fe)
{
    if (!fe || fe->dead) return;
    struct chr *c = fe->chr;
    for (struct chr_fe **p = &c->fe; *p; p = &(*p)->next)
        if (*p == fe) {
            *p = fe->next;
            break;
        }
    c->nfe--;
    fe->dead = true;
    if (c->focus == fe) {
        c->focus = NULL;
        if (c->fe) chr_focus(c->fe);
    }
    if (!c->nfe && c->driver->fe_open) c->driver->fe_open(c, false);
    update(c);
    fe->grave = c->set->dead_fe; /* whoever walks the list now goes on by `next`: it stays until it is swept */
    c->set->dead_fe = fe;
    loop_defer(&c->set->sweep);
}

struct chr *chr_of(const struct chr_fe *fe)
{
    return fe ? fe->chr : NULL;
}

void chr_focus(struct chr_fe *fe)
{
    if (!fe || fe->dead || fe->chr->focus == fe) return;
    struct chr *c = fe->chr;
    struct chr_fe *old = c->focus;
    c->focus = fe;
    if (c->driver->focus) {
        if (old) tell(old, CHR_MUX_OUT);
        tell(fe, CHR_MUX_IN);
        c->driver->focus(c, fe);
    }
    update(c);
}

void chr_accept_input(struct chr_fe *fe)
{
    if (fe && !fe->dead) update(fe->chr);
}

bool chr_fe_connected(const struct chr_fe *fe)
{
    return fe && fe->chr->open;
}

void chr_fe_set_open(struct chr_fe *fe, bool open)
{
    if (!fe || fe->silent == !open) return;
    fe->silent = !open;
    if (fe->chr->driver->fe_open && fe->chr->nfe == 1) fe->chr->driver->fe_open(fe->chr, open);
    update(fe->chr);
}

void chr_set_params(struct chr_fe *fe, const struct chr_params *p)
{
    if (fe && fe->chr->driver->set_params) fe->chr->driver->set_params(fe->chr, p);
}

void chr_set_break(struct chr_fe *fe, bool on)
{
    if (fe && fe->chr->driver->set_break) fe->chr->driver->set_break(fe->chr, on);
}

int chr_get_modem(struct chr_fe *fe, unsigned *lines)
{
    return fe && fe->chr->driver->get_modem ? fe->chr->driver->get_modem(fe->chr, lines) : -ENOTSUP;
}

void chr_set_modem(struct chr_fe *fe, unsigned lines)
{
    if (fe && fe->chr->driver->set_modem) fe->chr->driver->set_modem(fe->chr, lines);
}

unsigned chr_take_fds(struct chr_fe *fe, int *fds, unsigned max)
{
    return fe && fe->chr->driver->take_fds ? fe->chr->driver->take_fds(fe->chr, fds, max) : 0;
}

void chr_disconnect(struct chr_fe *fe)
{
    if (fe && fe->chr->driver->disconnect) fe->chr->driver->disconnect(fe->chr);
}

/* --- output ------------------------------------------------------------------------------------------------------------------- */

static void enqueue(struct chr *c, const uint8_t *buf, size_t len)
{
    if (c->queued + len > c->queue_cap) {
        size_t cap = MAX(c->queue_cap, 1024);
        while (cap < c->queued + len) cap *= 2;
        c->queue = xrealloc(c->queue, c->queue_cap, cap);
        c->queue_cap = cap;
    }
    memcpy(c->queue + c->queued, buf, len);
    c->queued += len;
}

static void write_log(struct chr *c, const uint8_t *buf, size_t len)
{
    while (c->log >= 0 && len) {
        ssize_t n = write(c->log, buf, len);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        buf += n;
        len -= (size_t)n;
    }
}

static size_t put(struct chr *c, const uint8_t *buf, size_t len, size_t limit)
{
    size_t done = 0;
    if (c->dead || !c->driver->write)
        done = len;
    else if (!c->queued)
        done = c->driver->write(c, buf, len);
    if (done < len && c->queued < limit) {
        size_t n = MIN(len - done, limit - c->queued);
        enqueue(c, buf + done, n);
        done += n;
    }
    write_log(c, buf, done);
    return done;
}

size_t chr_write(struct chr_fe *fe, const void *buf, size_t len)
{
    if (!fe || !len) return len;
    size_t n = put(fe->chr, buf, len, CHR_QUEUE);
    if (n < len) fe->starved = true;
    return n;
}

void chr_write_all(struct chr_fe *fe, const void *buf, size_t len)
{
    if (!fe || !len) return;
    fe->chr->lost += len - put(fe->chr, buf, len, CHR_QUEUE_ALL);
    if (fe->chr->queued > CHR_QUEUE) fe->starved = true;
}

void chr_printf(struct chr_fe *fe, const char *fmt, ...)
{
    char small[512], *text = small;
    va_list ap;
    if (!fe) return;
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0) return;
    if ((size_t)n >= sizeof small) {
        text = xalloc((size_t)n + 1);
        va_start(ap, fmt);
        vsnprintf(text, (size_t)n + 1, fmt, ap);
        va_end(ap);
    }
    chr_write_all(fe, text, (size_t)n);
    if (text != small) free(text);
}

size_t chr_pending(const struct chr_fe *fe)
{
    return fe ? fe->chr->queued : 0;
}

void chr_be_writable(struct chr *c)
{
    if (c->dead) return;
    size_t done = 0;
    while (done < c->queued) {
        size_t n = c->driver->write(c, c->queue + done, c->queued - done);
        if (!n) break;
        done += n;
    }
    c->queued -= MIN(done, c->queued); /* less: chr_be_drop was called meanwhile */
    if (c->queued) memmove(c->queue, c->queue + done, c->queued);
    if (c->queued > CHR_QUEUE / 2) return;
    struct chr_set *s = c->set;
    s->inside++;
    for (struct chr_fe *fe = c->fe; fe; fe = fe->next) {
        if (!fe->starved || fe->dead) continue;
        fe->starved = false;
        if (fe->client->writable) fe->client->writable(fe->ctx);
    }
    leave(s);
}

/* --- for back ends -------------------------------------------------------------------------------------------------------------- */

struct loop *chr_loop(const struct chr *c)
{
    return c->set->loop;
}

const struct chr_host *chr_host(const struct chr *c)
{
    return &c->set->host;
}

size_t chr_be_room(struct chr *c)
{
    struct chr_fe *fe = c->focus;
    if (c->dead || !fe || fe->fresh || fe->silent) return 0;
    if (!fe->client->can_recv || !fe->client->recv) return 4096;
    return fe->client->can_recv(fe->ctx);
}

void chr_be_recv(struct chr *c, const uint8_t *buf, size_t len)
{
    struct chr_fe *fe = c->focus;
    if (!len || !fe || fe->dead || !fe->client->recv) return;
    struct chr_set *s = c->set;
    s->inside++;
    fe->client->recv(fe->ctx, buf, len);
    leave(s);
}

void chr_be_drop(struct chr *c)
{
    c->queued = 0;
    chr_be_writable(c);
}

void chr_be_event(struct chr *c, enum chr_event ev)
{
    struct chr_set *s = c->set;
    if (c->dead) return;
    if (ev == CHR_OPENED || ev == CHR_CLOSED) {
        bool open = ev == CHR_OPENED;
        if (c->open == open) return;
        c->open = open;
        if (s->host.changed) s->host.changed(s->host.ctx, c, open);
    }
    s->inside++;
    for (struct chr_fe *fe = c->fe; fe; fe = fe->next) {
        if (fe->fresh && ev != CHR_CLOSED) continue; /* hello tells it */
        if (ev != CHR_BREAK || fe == c->focus) tell(fe, ev);
    }
    leave(s);
    update(c);
}

void chr_set_name(struct chr *c, const char *fmt, ...)
{
    va_list ap;
    char *name;
    va_start(ap, fmt);
    if (vasprintf(&name, fmt, ap) < 0) name = NULL;
    va_end(ap);
    if (!name) return;
    free(c->name);
    c->name = name;
}

void chr_say(struct chr *c, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (c->set->host.say)
        c->set->host.say(c->set->host.ctx, line);
    else
        fprintf(stderr, "%s\n", line);
}

int chr_take_terminal(struct chr *c, struct err *e)
{
    struct chr_set *s = c->set;
    if (s->tty_owner) return err_set(e, EBUSY, "cannot use stdio by multiple character devices");
    s->tty_owner = c;
    return 0;
}

void chr_save_terminal(struct chr *c, int fd)
{
    struct chr_set *s = c->set;
    if (s->tty_fd < 0 && !tcgetattr(fd, &s->tty)) s->tty_fd = fd;
}

void chr_restore_terminal(struct chr_set *s)
{
    if (s->tty_fd >= 0) tcsetattr(s->tty_fd, TCSANOW, &s->tty);
}

void chr_release_terminal(struct chr *c)
{
    struct chr_set *s = c->set;
    if (s->tty_owner != c) return;
    chr_restore_terminal(s);
    s->tty_owner = NULL;
    s->tty_fd = -1;
}

/* --- the set ---------------------------------------------------------------------------------------------------------------------- */

struct chr_set *chr_set_new(struct loop *l, const struct chr_host *host)
{
    struct chr_set *s = xalloc(sizeof *s);
    s->loop = l;
    if (host) s->host = *host;
    s->escape = 1;
    s->tty_fd = -1;
    deferred_init(&s->hello, l, hello, s);
    deferred_init(&s->sweep, l, sweep, s);
    return s;
}

/* Output that waits is offered once more. */
static void close_chr(struct chr *c)
{
    if (c->queued) {
        size_t n = c->driver->write(c, c->queue, c->queued);
        c->lost += c->queued - MIN(n, c->queued);
    }
    c->queued = 0;
    while (c->fe) chr_detach(c->fe);
    c->dead = true;
    if (c->driver->close) c->driver->close(c);
}

void chr_set_free(struct chr_set *s)
{
    if (!s) return;
    /* Muxes go before what is beneath them: they are later in the list, so backwards. */
    while (s->list) {
        struct chr **p = &s->list;
        while ((*p)->next) p = &(*p)->next;
        struct chr *c = *p;
        close_chr(c);
        *p = NULL;
        c->grave = s->dead_chr;
        s->dead_chr = c;
    }
    sweep(s);
    deferred_cancel(&s->hello);
    deferred_cancel(&s->sweep);
    free(s);
}

void chr_set_escape(struct chr_set *s, uint8_t c)
{
    s->escape = c;
}

uint8_t chr_escape(const struct chr_set *s)
{
    return s->escape;
}

struct chr *chr_find(struct chr_set *s, const char *id)
{
    for (struct chr *c = s->list; c; c = c->next)
        if (!strcmp(c->id, id)) return c;
    return NULL;
}

struct chr *chr_next(struct chr_set *s, const struct chr *after)
{
    return after ? after->next : s->list;
}

const char *chr_id(const struct chr *c)
{
    return c->id;
}

const char *chr_name(const struct chr *c)
{
    return c->name ? c->name : c->driver->name;
}

bool chr_connected(const struct chr *c)
{
    return c->open;
}

bool chr_frontend_open(const struct chr *c)
{
    return c->mux || (c->focus && !c->focus->silent);
}

static const struct chr_driver *find_driver(const char *name)
{
    for (const struct chr_driver *const *d = chr_driver_registry; *d; d++)
        if (!strcmp((*d)->name, name) || ((*d)->alias && !strcmp((*d)->alias, name))) return *d;
    return NULL;
}

void chr_list_kinds(void (*out)(void *ctx, const char *name, const char *help), void *ctx)
{
    for (const struct chr_driver *const *d = chr_driver_registry; *d; d++)
        if (!(*d)->hidden) out(ctx, (*d)->name, (*d)->help);
}

static int open_log(struct chr *c, const struct opts *o, struct err *e)
{
    const char *path = opts_get(o, "logfile");
    bool append;
    int rc = opts_bool(o, "logappend", false, &append, e);
    if (rc || !path) return rc;
    c->log = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), 0666);
    return c->log < 0 ? err_set(e, errno, "Unable to open logfile %s: %s", path, strerror(errno)) : 0;
}

static int make(struct chr_set *s, const struct chr_driver *d, const char *id, const struct opts *o, struct chr **out, struct err *e)
{
    struct chr *c = xalloc(d->size), **p = &s->list;
    c->driver = d;
    c->set = s;
    c->id = strdup(id);
    c->log = -1;
    bool mux;
    int rc = opts_bool(o, "mux", false, &mux, e);
    if (!rc) rc = open_log(c, o, e);
    if (!rc) rc = d->open(c, o, e);
    if (!rc) rc = opts_check(o, d->name, e);
    if (rc) {
        c->dead = true;
        if (d->close) d->close(c);
        free_chr(c);
        return rc;
    }
    while (*p) p = &(*p)->next;
    *p = c;
    *out = c;
    return 0;
}

/* mux=on: the kind itself becomes ID-base, and a mux above it gets the id. */
static int make_mux(struct chr_set *s, const char *id, struct chr *base, struct chr **out, struct err *e)
{
    struct opts o = { 0 };
    opts_add(&o, "chardev", base->id);
    int rc = make(s, find_driver("mux"), id, &o, out, e);
    opts_free(&o);
    return rc;
}

int chr_new(struct chr_set *s, const struct opts *o, struct chr **out, struct err *e)
{
    const char *kind = opts_get(o, "backend"), *id = opts_get(o, "id");
    struct chr *c, *dummy;
    bool mux;
    char base[256];
    if (!out) out = &dummy;
    *out = NULL;
    if (!kind) return err_set(e, EINVAL, "chardev: a kind is missing ('-chardev help' lists them)");
    const struct chr_driver *d = find_driver(kind);
    if (!d) return err_set(e, EINVAL, "'%s' is not a valid char driver name", kind);
    if (!id) return err_set(e, EINVAL, "chardev: Parameter 'id' is missing");
    if (!opts_id_ok(id) || strlen(id) > 200)
        return err_set(e, EINVAL, "Parameter 'id' expects an identifier: letters, digits, '-', '.', '_', beginning with a letter");
    if (chr_find(s, id)) return err_set(e, EEXIST, "Chardev with id '%s' already exists", id);
    int rc = opts_bool(o, "mux", false, &mux, e);
    if (rc) return rc;
    snprintf(base, sizeof base, mux ? "%s-base" : "%s", id);
    rc = make(s, d, base, o, &c, e);
    if (rc || !mux) {
        *out = rc ? NULL : c;
        return rc;
    }
    rc = make_mux(s, id, c, out, e);
    if (rc) chr_remove(s, base, NULL);
    return rc;
}

int chr_new_text(struct chr_set *s, const char *text, struct chr **out, struct err *e)
{
    struct opts o = { 0 };
    int rc = opts_parse(&o, text, "backend", e);
    if (!rc) rc = chr_new(s, &o, out, e);
    opts_free(&o);
    return rc;
}

static void bury(struct chr_set *s, struct chr *c)
{
    for (struct chr **p = &s->list; *p; p = &(*p)->next)
        if (*p == c) {
            *p = c->next;
            break;
        }
    close_chr(c);
    c->grave = s->dead_chr;
    s->dead_chr = c;
    loop_defer(&s->sweep);
}

int chr_change(struct chr_set *s, const struct opts *o, struct chr **old, struct chr **out, struct err *e)
{
    const char *kind = opts_get(o, "backend"), *id = opts_get(o, "id");
    struct chr *was = chr_find(s, id), *c;
    const struct chr_driver *d = find_driver(kind);
    *old = was;
    if (!was) return err_set(e, ENOENT, "Chardev '%s' does not exist", id);
    if (!d) return err_set(e, EINVAL, "'%s' is not a valid char driver name", kind);
    if (was->mux || was->driver->max_fe || d->max_fe) return err_set(e, ENOTSUP, "Mux device hotswap not supported yet");
    int rc = make(s, d, id, o, &c, e);
    if (rc) return rc;
    bool told = was->open;
    c->fe = was->fe, c->focus = was->focus, c->nfe = was->nfe;
    was->fe = was->focus = NULL;
    was->nfe = 0;
    s->inside++;
    for (struct chr_fe *fe = c->fe; fe; fe = fe->next) {
        fe->chr = c;
        fe->fresh = true; /* hears of it when the loop comes round */
        if (told) tell(fe, CHR_CLOSED);
    }
    leave(s);
    bury(s, was);
    if (c->nfe && c->driver->fe_open) c->driver->fe_open(c, true);
    loop_defer(&s->hello);
    *out = c;
    return 0;
}

int chr_remove(struct chr_set *s, const char *id, struct err *e)
{
    struct chr *c = chr_find(s, id), *base = NULL;
    if (!c) return err_set(e, ENOENT, "Chardev '%s' not found", id);
    if (c->fe || c->mux) return err_set(e, EBUSY, "Chardev '%s' is busy", id);
    for (struct chr *b = s->list; b; b = b->next)
        if (b->mux == c) base = b;
    bury(s, c);
    size_t n = strlen(id);
    if (base && !strncmp(base->id, id, n) && !strcmp(base->id + n, "-base")) chr_remove(s, base->id, NULL);
    return 0;
}
