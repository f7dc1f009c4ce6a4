/*
 * nbd_server.c: an NBD server: fixed newstyle, structured replies, base:allocation. A connection has a few threads that take turns in reading
 * requests and do them at once, by blocking I/O on the export's front end.
 * Known gaps: no TLS; DF is what is done anyway (one chunk), no CACHE, no resizing.
 */
#include "io/block/nbd_server.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "io/block/int.h"
#include "io/block/nbd.h"

enum { THREADS = 4, LISTENERS = 4, OPTIONS = 1000, EXTENTS = 128, META_ID = 1, MOST_CONNECTIONS = 1024 };

struct nbd_export {
    struct nbd_export *next;
    char *name, *description;
    struct blk *b;
    bool writable, removed;
    unsigned conns;
};
struct conn {
    struct conn *next;
    struct nbd_server *s;
    struct nbd_export *x;        /* s->lock; NULL until GO */
    int fd;
    bool no_zeroes, structured, meta;
    bool ended;                  /* s->lock */
    pthread_t thread;
    pthread_mutex_t read, write;
    bool broken;                 /* read */
};
struct listener {
    struct nbd_server *s;
    int fd;
    pthread_t thread;
    char path[108];
};
struct nbd_server {
    struct blk_graph *g;
    struct loop *loop;
    struct nbd_server_config cfg;
    struct listener listener[LISTENERS];
    unsigned nlisteners, told;
    pthread_cond_t end;          /* of a connection, or of all */
    pthread_mutex_t lock;        /* of what follows */
    bool stopping;
    unsigned nconns, came;
    struct nbd_export *exports, *dead; /* dead: nobody has them, the loop frees them */
    struct conn *conns;
    struct deferred reap;
};

/* --- options ---------------------------------------------------------------------------------------------------------------------- */

static int answer(struct conn *c, uint32_t option, uint32_t type, const void *data, size_t len)
{
    struct nbd_option_reply h = { htobe64(NBD_REP_MAGIC), htobe32(option), htobe32(type), htobe32((uint32_t)len) };
    struct iovec v[2] = { { &h, sizeof h }, { (void *)(uintptr_t)data, len } };
    return nbd_send(c->fd, v, len ? 2 : 1);
}

static int refuse(struct conn *c, uint32_t option, unsigned error, const char *why)
{
    return answer(c, option, NBD_REP_ERR(error), why, strlen(why));
}

static uint16_t flags_of(const struct nbd_export *x)
{
    return (uint16_t)(NBD_F_HAS_FLAGS | NBD_F_FLUSH | NBD_F_FUA | NBD_F_DF | NBD_F_MULTI |
                      (x->writable ? NBD_F_TRIM | NBD_F_ZEROES | NBD_F_FAST_ZERO : NBD_F_READ_ONLY));
}

/* The export of that name; the connection has it then ("" is the only one that there is). */
static struct nbd_export *attach(struct conn *c, const char *name, size_t len, bool take)
{
    pthread_mutex_lock(&c->s->lock);
    struct nbd_export *x = c->s->exports;
    while (x && (strlen(x->name) != len || memcmp(x->name, name, len))) x = x->next;
    if (x && take && c->x != x) {
        if (c->x && --c->x->conns == 0 && c->x->removed) { /* it asked about another one before, which has gone since */
            c->x->next = c->s->dead;
            c->s->dead = c->x;
        }
        c->x = x;
        x->conns++;
    }
    pthread_mutex_unlock(&c->s->lock);
    return x;
}

static int list(struct conn *c)
{
    uint8_t buf[4 + NBD_MAX_NAME];
    int r = 0;
    for (unsigned i = 0; !r; i++) { /* names are copied: exports come and go */
        pthread_mutex_lock(&c->s->lock);
        struct nbd_export *x = c->s->exports;
        for (unsigned k = 0; x && k < i; k++) x = x->next;
        uint32_t n = x ? (uint32_t)strlen(x->name) : 0, be = htobe32(n);
        memcpy(buf, &be, 4);
        if (x) memcpy(buf + 4, x->name, n);
        pthread_mutex_unlock(&c->s->lock);
        if (!x) return answer(c, NBD_OPT_LIST, NBD_REP_ACK, NULL, 0);
        r = answer(c, NBD_OPT_LIST, NBD_REP_SERVER, buf, 4 + n);
    }
    return r;
}

static int info_export(struct conn *c, uint32_t option, struct nbd_export *x)
{
    struct { uint16_t type; uint64_t size; uint16_t flags; } __attribute__((packed)) i = { htobe16(NBD_INFO_EXPORT), htobe64(blk_size(x->b)), htobe16(flags_of(x)) };
    struct { uint16_t type; uint32_t min, best, max; } __attribute__((packed)) b = { htobe16(NBD_INFO_BLOCK_SIZE), htobe32(1), htobe32(65536), htobe32(NBD_MAX_DATA) };
    uint8_t text[2 + NBD_MAX_NAME] = { 0, NBD_INFO_DESCRIPTION };
    int r = answer(c, option, NBD_REP_INFO, &b, sizeof b);
    if (!r && x->description) {
        size_t n = strlen(x->description);
        memcpy(text + 2, x->description, n);
        r = answer(c, option, NBD_REP_INFO, text, 2 + n);
    }
    return r ? r : answer(c, option, NBD_REP_INFO, &i, sizeof i);
}

/* INFO, GO. *go: transmission begins. */
static int info(struct conn *c, uint32_t option, const uint8_t *data, uint32_t len, bool *go)
{
    uint32_t n;
    uint16_t count;
    if (len < 6) return refuse(c, option, NBD_ERR_INVALID, "too short");
    memcpy(&n, data, 4);
    n = be32toh(n);
    if (n > NBD_MAX_NAME || n > len - 6) return refuse(c, option, NBD_ERR_INVALID, "the name's length is wrong");
    memcpy(&count, data + 4 + n, 2);
    if (len != 6 + n + 2u * be16toh(count)) return refuse(c, option, NBD_ERR_INVALID, "the length is wrong");
    struct nbd_export *x = attach(c, (const char *)data + 4, n, true);
    if (!x) return refuse(c, option, NBD_ERR_UNKNOWN, "export is not present");
    int r = info_export(c, option, x);
    if (!r) r = answer(c, option, NBD_REP_ACK, NULL, 0);
    *go = option == NBD_OPT_GO;
    return r;
}

static int old_go(struct conn *c, const uint8_t *data, uint32_t len)
{
    struct nbd_export *x = len <= NBD_MAX_NAME ? attach(c, (const char *)data, len, true) : NULL;
    struct { uint64_t size; uint16_t flags; uint8_t zero[124]; } __attribute__((packed)) i = { 0 };
    if (!x) return -ENOENT; /* there is no way to say so */
    i.size = htobe64(blk_size(x->b));
    i.flags = htobe16(flags_of(x));
    struct iovec v = { &i, c->no_zeroes ? 10 : sizeof i };
    return nbd_send(c->fd, &v, 1);
}

static int meta(struct conn *c, uint32_t option, const uint8_t *data, uint32_t len)
{
    static const char base[] = "base:allocation";
    uint32_t n, queries, q, at;
    bool found = false, set = option == NBD_OPT_SET_META;
    if (!c->structured) return refuse(c, option, NBD_ERR_INVALID, "structured replies come first");
    if (len < 8) return refuse(c, option, NBD_ERR_INVALID, "too short");
    memcpy(&n, data, 4);
    n = be32toh(n);
    if (n > NBD_MAX_NAME || n > len - 8) return refuse(c, option, NBD_ERR_INVALID, "the name's length is wrong");
    if (!attach(c, (const char *)data + 4, n, false)) return refuse(c, option, NBD_ERR_UNKNOWN, "export is not present");
    memcpy(&queries, data + 4 + n, 4);
    queries = be32toh(queries);
    at = 8 + n;
    found = !queries && !set;
    for (uint32_t i = 0; i < queries; i++) {
        if (len - at < 4) return refuse(c, option, NBD_ERR_INVALID, "too short");
        memcpy(&q, data + at, 4);
        q = be32toh(q);
        at += 4;
        if (q > len - at) return refuse(c, option, NBD_ERR_INVALID, "too short");
        found |= q == sizeof base - 1 && !memcmp(data + at, base, q);
        found |= !set && q == 5 && !memcmp(data + at, "base:", 5);
        at += q;
    }
    if (at != len) return refuse(c, option, NBD_ERR_INVALID, "too long");
    if (set) c->meta = found;
    uint8_t buf[4 + sizeof base];
    uint32_t id = htobe32(set ? META_ID : 0);
    memcpy(buf, &id, 4);
    memcpy(buf + 4, base, sizeof base - 1);
    int r = found ? answer(c, option, NBD_REP_META, buf, 4 + sizeof base - 1) : 0;
    return r ? r : answer(c, option, NBD_REP_ACK, NULL, 0);
}

/* One option; *go. */
static int option(struct conn *c, bool *go)
{
    struct nbd_option o;
    int r = nbd_recv(c->fd, &o, sizeof o);
    uint32_t len = be32toh(o.len), what = be32toh(o.option);
    if (r || be64toh(o.magic) != NBD_OPTS_MAGIC) return r ? r : -EPROTO;
    if (len > 65536) return -EPROTO;
    uint8_t *data = xalloc(len + 1);
    r = nbd_recv(c->fd, data, len);
    if (!r) switch (what) {
    case NBD_OPT_EXPORT_NAME:
        r = old_go(c, data, len);
        *go = !r;
        break;
    case NBD_OPT_ABORT:
        answer(c, what, NBD_REP_ACK, NULL, 0);
        r = -ECONNABORTED;
        break;
    case NBD_OPT_LIST: r = len ? refuse(c, what, NBD_ERR_INVALID, "no data is expected") : list(c); break;
    case NBD_OPT_INFO: case NBD_OPT_GO: r = info(c, what, data, len, go); break;
    case NBD_OPT_STRUCTURED:
        r = len ? refuse(c, what, NBD_ERR_INVALID, "no data is expected") : answer(c, what, NBD_REP_ACK, NULL, 0);
        c->structured |= !len;
        break;
    case NBD_OPT_LIST_META: case NBD_OPT_SET_META: r = meta(c, what, data, len); break;
    default: r = refuse(c, what, NBD_ERR_UNSUP, "unknown option");
    }
    free(data);
    return r;
}

static int handshake(struct conn *c)
{
    struct { uint64_t magic, opts; uint16_t flags; } __attribute__((packed)) hello = { htobe64(NBD_MAGIC), htobe64(NBD_OPTS_MAGIC),
        htobe16(NBD_FIXED_NEWSTYLE | NBD_NO_ZEROES) };
    struct iovec v = { &hello, sizeof hello };
    uint32_t flags;
    bool go = false;
    int r = nbd_blocking(c->fd, true);
    if (!r) r = nbd_send(c->fd, &v, 1);
    if (!r) r = nbd_recv(c->fd, &flags, 4);
    if (r || be32toh(flags) & ~(uint32_t)(NBD_FIXED_NEWSTYLE | NBD_NO_ZEROES)) return r ? r : -EPROTO;
    c->no_zeroes = be32toh(flags) & NBD_NO_ZEROES;
    for (unsigned n = 0; n < OPTIONS && !go && !r; n++) r = option(c, &go);
    if (!r && !go) r = -EPROTO;
    return r ? r : nbd_blocking(c->fd, false);
}

/* --- requests ------------------------------------------------------------------------------------------------------------------------ */

static int reply_simple(struct conn *c, const struct nbd_request *q, int error)
{
    struct nbd_simple h = { htobe32(NBD_SIMPLE_MAGIC), htobe32(nbd_error(error)), q->handle };
    struct iovec v = { &h, sizeof h };
    pthread_mutex_lock(&c->write);
    int r = nbd_send(c->fd, &v, 1);
    pthread_mutex_unlock(&c->write);
    return r;
}

static int reply_chunk(struct conn *c, const struct nbd_request *q, uint16_t type, struct iovec *v, int n)
{
    struct nbd_chunk h = { htobe32((uint32_t)NBD_CHUNK_MAGIC), htobe16(NBD_CHUNK_DONE), htobe16(type), q->handle, htobe32((uint32_t)blk_iov_bytes(v + 1, n)) };
    v[0] = (struct iovec){ &h, sizeof h };
    pthread_mutex_lock(&c->write);
    int r = nbd_send(c->fd, v, n + 1);
    pthread_mutex_unlock(&c->write);
    return r;
}

static int reply_error(struct conn *c, const struct nbd_request *q, int error)
{
    struct { uint32_t error; uint16_t len; } __attribute__((packed)) b = { htobe32(nbd_error(error)), 0 };
    struct iovec v[2] = { { 0 }, { &b, sizeof b } };
    if (!c->structured) return reply_simple(c, q, error);
    return reply_chunk(c, q, NBD_CHUNK_ERROR, v, 1);
}

static int do_read(struct conn *c, const struct nbd_request *q, uint64_t off, uint32_t len)
{
    if (!len || len > NBD_MAX_DATA) return reply_error(c, q, -EINVAL);
    uint8_t *buf = xalloc(len);
    int r = blk_pread(c->x->b, off, buf, len);
    if (r) {
        r = reply_error(c, q, r);
    } else if (c->structured) {
        uint64_t at = q->offset;
        struct iovec v[3] = { { 0 }, { &at, 8 }, { buf, len } };
        r = reply_chunk(c, q, NBD_CHUNK_DATA, v, 2);
    } else {
        struct nbd_simple h = { htobe32(NBD_SIMPLE_MAGIC), 0, q->handle };
        struct iovec v[2] = { { &h, sizeof h }, { buf, len } };
        pthread_mutex_lock(&c->write);
        r = nbd_send(c->fd, v, 2);
        pthread_mutex_unlock(&c->write);
    }
    free(buf);
    return r;
}

/* What [off, off + *n) is, in base:allocation's flags. */
static int extent(struct blk_node *top, uint64_t off, uint64_t *n, uint32_t *flags)
{
    *flags = NBD_ST_HOLE | NBD_ST_ZERO; /* beyond the end of all layers */
    for (struct blk_node *l = top; l; l = l->drv->is_filter ? l->file : l->backing) {
        struct blk_range rg;
        if (l->drv->is_filter && l->file) continue;
        if (off >= blk_node_size(l)) break;
        int r = blk_node_status(l, off, MIN(*n, blk_node_size(l) - off), &rg);
        if (r) return r;
        *n = MIN(*n, rg.bytes);
        if (!(rg.st & (BLK_ST_ALLOCATED | BLK_ST_ZERO))) continue;
        *flags = (rg.st & BLK_ST_DATA ? 0u : NBD_ST_HOLE) | (rg.st & BLK_ST_ZERO ? NBD_ST_ZERO : 0u);
        break;
    }
    return 0;
}

static int do_status(struct conn *c, const struct nbd_request *q, uint64_t off, uint32_t len)
{
    struct { uint32_t id; struct { uint32_t len, flags; } e[EXTENTS]; } b = { htobe32(META_ID), { { 0 } } };
    unsigned n = 0, most = be16toh(q->flags) & NBD_CMD_REQ_ONE ? 1 : EXTENTS;
    int r = !c->meta || !len ? -EINVAL : 0;
    blk_graph_enter(c->s->g);
    struct blk_node *top = blk_node_of(c->x->b);
    for (uint64_t end = off + len; !r && off < end && n < most;) {
        uint64_t part = end - off;
        uint32_t flags;
        if ((r = extent(top, off, &part, &flags))) break;
        if (n && b.e[n - 1].flags == htobe32(flags)) {
            b.e[n - 1].len = htobe32(be32toh(b.e[n - 1].len) + (uint32_t)part);
        } else {
            b.e[n].len = htobe32((uint32_t)part);
            b.e[n++].flags = htobe32(flags);
        }
        off += part;
    }
    blk_graph_leave(c->s->g);
    if (r) return reply_error(c, q, r);
    struct iovec v[2] = { { 0 }, { &b, 4 + n * sizeof b.e[0] } };
    return reply_chunk(c, q, NBD_CHUNK_STATUS, v, 1);
}

static int perform(struct conn *c, const struct nbd_request *q, const uint8_t *data)
{
    uint64_t off = be64toh(q->offset), size = blk_size(c->x->b);
    uint32_t len = be32toh(q->len);
    uint16_t type = be16toh(q->type), flags = be16toh(q->flags);
    unsigned fua = flags & NBD_CMD_FUA ? BLK_FUA : 0;
    bool changes = type == NBD_CMD_WRITE || type == NBD_CMD_TRIM || type == NBD_CMD_ZEROES;
    int r;
    if (type != NBD_CMD_FLUSH && (off > size || len > size - off)) return reply_error(c, q, type == NBD_CMD_WRITE || type == NBD_CMD_ZEROES ? -ENOSPC : -EINVAL);
    if (changes && !c->x->writable) return reply_error(c, q, -EPERM);
    switch (type) {
    case NBD_CMD_READ: return do_read(c, q, off, len);
    case NBD_CMD_STATUS: return do_status(c, q, off, len);
    case NBD_CMD_WRITE: r = blk_pwrite(c->x->b, off, data, len, fua); break;
    case NBD_CMD_FLUSH: r = blk_flush_sync(c->x->b); break;
    case NBD_CMD_TRIM:
        r = blk_discard_sync(c->x->b, off, len);
        if (!r && fua) r = blk_flush_sync(c->x->b);
        break;
    case NBD_CMD_ZEROES:
        r = blk_zero_sync(c->x->b, off, len, fua | (flags & NBD_CMD_NO_HOLE ? 0 : BLK_MAY_UNMAP) | (flags & NBD_CMD_FAST_ZERO ? BLK_NO_FALLBACK : 0));
        break;
    default: r = -EINVAL;
    }
    return r ? reply_error(c, q, r) : reply_simple(c, q, 0);
}

/* The next request, whole: one thread reads at a time. */
static int next_request(struct conn *c, struct nbd_request *q, uint8_t **data)
{
    pthread_mutex_lock(&c->read);
    int r = c->broken ? -ECONNRESET : nbd_recv(c->fd, q, sizeof *q);
    *data = NULL;
    if (!r && be32toh(q->magic) != NBD_REQUEST_MAGIC) r = -EPROTO;
    if (!r && be16toh(q->type) == NBD_CMD_DISC) r = -ECONNABORTED;
    if (!r && be16toh(q->type) == NBD_CMD_WRITE) {
        uint32_t len = be32toh(q->len);
        if (len > NBD_MAX_DATA) r = -EPROTO;
        else *data = xalloc(len + 1);
        if (!r) r = nbd_recv(c->fd, *data, len);
    }
    if (r) c->broken = true;
    pthread_mutex_unlock(&c->read);
    return r;
}

static void *serve(void *arg)
{
    struct conn *c = arg;
    struct nbd_request q;
    uint8_t *data;
    int r = 0;
    while (!r && !(r = next_request(c, &q, &data))) {
        r = perform(c, &q, data);
        free(data);
        data = NULL;
    }
    free(data);
    if (r != -ECONNABORTED) shutdown(c->fd, SHUT_RDWR); /* the others stop reading; at a proper end they still answer */
    return NULL;
}

static void *talk(void *arg)
{
    struct conn *c = arg;
    pthread_t more[THREADS];
    unsigned n = 0;
    if (!handshake(c)) {
        while (n < THREADS - 1 && !pthread_create(&more[n], NULL, serve, c)) n++;
        serve(c);
        while (n) pthread_join(more[--n], NULL);
    }
    struct nbd_server *s = c->s;
    pthread_mutex_lock(&s->lock);
    c->ended = true;
    pthread_cond_broadcast(&s->end);
    loop_defer(&s->reap); /* in the lock: a server that ends waits for it */
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* --- connections ------------------------------------------------------------------------------------------------------------------------ */

static void free_export(struct nbd_export *x)
{
    blk_free(x->b, NULL);
    free(x->name);
    free(x->description);
    free(x);
}

static void bury(struct nbd_server *s, struct nbd_export **list)
{
    pthread_mutex_lock(&s->lock);
    struct nbd_export *x = *list;
    *list = NULL;
    pthread_mutex_unlock(&s->lock);
    for (struct nbd_export *next; x; x = next) {
        next = x->next;
        free_export(x);
    }
}

/* Those that have ended; on the loop's thread, also when one has come. */
static void reap(void *ctx)
{
    struct nbd_server *s = ctx;
    struct conn *gone = NULL;
    pthread_mutex_lock(&s->lock);
    for (struct conn **p = &s->conns, *c; (c = *p);) {
        if (!c->ended) {
            p = &c->next;
            continue;
        }
        *p = c->next;
        c->next = gone;
        gone = c;
        s->nconns--;
        if (c->x && --c->x->conns == 0 && c->x->removed) {
            c->x->next = s->dead;
            s->dead = c->x;
        }
    }
    unsigned came = s->came, now = s->nconns;
    pthread_cond_broadcast(&s->end);
    pthread_mutex_unlock(&s->lock);
    for (struct conn *c = gone, *next; c; c = next) {
        next = c->next;
        pthread_join(c->thread, NULL);
        close(c->fd);
        pthread_mutex_destroy(&c->read);
        pthread_mutex_destroy(&c->write);
        free(c);
    }
    bury(s, &s->dead);
    if (s->cfg.changed && came != s->told) s->cfg.changed(s->cfg.ctx, MAX(now, 1u));
    if (s->cfg.changed && !now) s->cfg.changed(s->cfg.ctx, 0);
    s->told = came;
}

static int add_conn(struct nbd_server *s, int fd)
{
    unsigned most = s->cfg.max_connections ? s->cfg.max_connections : MOST_CONNECTIONS;
    struct conn *c = xalloc(sizeof *c);
    *c = (struct conn){ .s = s, .fd = fd };
    pthread_mutex_init(&c->read, NULL);
    pthread_mutex_init(&c->write, NULL);
    pthread_mutex_lock(&s->lock);
    bool ok = s->nconns < most && !pthread_create(&c->thread, NULL, talk, c);
    if (ok) {
        c->next = s->conns;
        s->conns = c;
        s->nconns++;
        s->came++;
    }
    pthread_mutex_unlock(&s->lock);
    if (ok) {
        loop_defer(&s->reap);
        return 0;
    }
    close(fd);
    pthread_mutex_destroy(&c->read);
    pthread_mutex_destroy(&c->write);
    free(c);
    return -EAGAIN;
}

/* Waits until one more may come (those that are too many wait in the socket); false: the server ends. */
static bool room(struct nbd_server *s)
{
    unsigned most = s->cfg.max_connections ? s->cfg.max_connections : MOST_CONNECTIONS;
    pthread_mutex_lock(&s->lock);
    while (s->nconns >= most && !s->stopping) pthread_cond_wait(&s->end, &s->lock);
    bool go = !s->stopping;
    pthread_mutex_unlock(&s->lock);
    return go;
}

/* Not the loop's affair: it may be waiting for its own server (a disk that is mirrored to another of the machine's). */
static void *accept_all(void *arg)
{
    struct listener *l = arg;
    struct pollfd p = { l->fd, POLLIN, 0 };
    for (;;) {
        if (!room(l->s) || (poll(&p, 1, -1) < 0 && errno != EINTR)) return NULL;
        if (!room(l->s)) return NULL;
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) add_conn(l->s, fd);
        else if (errno == EINVAL || errno == EBADF) return NULL;
        else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) poll(NULL, 0, 100); /* no descriptors left */
    }
}

struct nbd_server *nbd_server_new(struct blk_graph *g, struct loop *l, const struct nbd_server_config *cfg)
{
    struct nbd_server *s = xalloc(sizeof *s);
    s->g = g;
    s->loop = l;
    if (cfg) s->cfg = *cfg;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->end, NULL);
    deferred_init(&s->reap, l, reap, s);
    return s;
}

int nbd_server_take(struct nbd_server *s, int fd, bool listens, struct err *e)
{
    struct listener *l = &s->listener[s->nlisteners];
    if (!listens) return add_conn(s, fd) ? err_set(e, EAGAIN, "no thread for a connection") : 0;
    if (s->nlisteners == LISTENERS) {
        close(fd);
        return err_set(e, ENOSPC, "more than %d addresses", LISTENERS);
    }
    *l = (struct listener){ .s = s, .fd = fd };
    if (pthread_create(&l->thread, NULL, accept_all, l)) {
        close(fd);
        return err_set(e, EAGAIN, "no thread for the socket");
    }
    s->nlisteners++;
    return 0;
}

int nbd_server_listen(struct nbd_server *s, struct sock_spec *at, struct err *e)
{
    int fd = sock_listen(at, e);
    int r = fd < 0 ? fd : nbd_server_take(s, fd, true, e);
    if (!r && at->kind == SOCK_UNIX && !at->abstract) snprintf(s->listener[s->nlisteners - 1].path, sizeof s->listener[0].path, "%s", at->path);
    return r;
}

unsigned nbd_server_connections(struct nbd_server *s)
{
    pthread_mutex_lock(&s->lock);
    unsigned n = s->nconns;
    pthread_mutex_unlock(&s->lock);
    return n;
}

void nbd_server_free(struct nbd_server *s)
{
    if (!s) return;
    s->cfg.changed = NULL;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_broadcast(&s->end);
    pthread_mutex_unlock(&s->lock);
    for (unsigned i = 0; i < s->nlisteners; i++) {
        shutdown(s->listener[i].fd, SHUT_RDWR); /* wakes its thread */
        pthread_join(s->listener[i].thread, NULL);
        close(s->listener[i].fd);
        if (*s->listener[i].path) unlink(s->listener[i].path);
    }
    pthread_mutex_lock(&s->lock);
    for (struct conn *c = s->conns; c; c = c->next) shutdown(c->fd, SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
    for (struct conn *c = s->conns; c; c = c->next) { /* none of their threads takes the loop's lock; no new ones come */
        pthread_mutex_lock(&s->lock);
        while (!c->ended) pthread_cond_wait(&s->end, &s->lock);
        pthread_mutex_unlock(&s->lock);
    }
    reap(s);
    deferred_cancel(&s->reap);
    bury(s, &s->dead);
    bury(s, &s->exports);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->end);
    free(s);
}

/* --- exports ------------------------------------------------------------------------------------------------------------------------------ */

int nbd_export_add(struct nbd_server *s, const char *name, const char *description, struct blk_node *n, bool writable, struct err *e)
{
    struct nbd_export **p = &s->exports;
    if (strlen(name) > NBD_MAX_NAME) return err_set(e, EINVAL, "export name '%.40s...' too long", name);
    if (description && strlen(description) > NBD_MAX_NAME) return err_set(e, EINVAL, "description '%.40s...' too long", description);
    for (; *p; p = &(*p)->next)
        if (!strcmp((*p)->name, name)) return err_set(e, EEXIST, "NBD server already has export named '%.200s'", name);
    if (writable && !(n->flags & BLK_RDWR)) return err_set(e, EROFS, "node '%s' is read-only", n->name);
    struct blk *b = blk_new(s->g, NULL, blk_node_ref(n), writable ? BLK_RDWR : 0, e);
    if (!b) return -EINVAL;
    struct nbd_export *x = xalloc(sizeof *x);
    *x = (struct nbd_export){ .name = strdup(name), .description = description ? strdup(description) : NULL, .b = b, .writable = writable };
    pthread_mutex_lock(&s->lock);
    *p = x;
    pthread_mutex_unlock(&s->lock);
    return 0;
}

int nbd_export_remove(struct nbd_server *s, const char *name, bool hard, struct err *e)
{
    struct nbd_export **p = &s->exports, *x;
    while ((x = *p) && strcmp(x->name, name)) p = &x->next;
    if (!x) return err_set(e, ENOENT, "Export '%.200s' is not found", name);
    pthread_mutex_lock(&s->lock);
    bool busy = x->conns;
    if (!busy || hard) {
        *p = x->next;
        x->removed = true;
    }
    pthread_mutex_unlock(&s->lock);
    if (busy && !hard) return err_set(e, EBUSY, "export '%.200s' still in use", name);
    if (!busy) {
        free_export(x);
        return 0;
    }
    pthread_mutex_lock(&s->lock);
    for (struct conn *c = s->conns; c; c = c->next)
        if (c->x == x) shutdown(c->fd, SHUT_RDWR); /* reap frees it with the last */
    pthread_mutex_unlock(&s->lock);
    return 0;
}

const char *nbd_export_next(struct nbd_server *s, unsigned i, struct blk_node **node)
{
    struct nbd_export *x = s->exports;
    while (x && i--) x = x->next;
    if (x && node) *node = blk_node_of(x->b);
    return x ? x->name : NULL;
}
