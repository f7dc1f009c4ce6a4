/*
 * nbd_client.c: a disk on an NBD server (driver "nbd"): fixed newstyle, structured replies, base:allocation. Several requests are under way at
 * once; one of those who wait reads the answers for all.
 * Known gaps: no TLS; a connection that broke stays broken (reconnect-delay is taken as 0); no resizing.
 */
#include <json-c/json.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "io/block/int.h"
#include "io/block/nbd.h"

/* A request that waits for its answer; on the stack of its thread. */
struct waiter {
    uint64_t handle, offset, bytes, got;
    const struct iovec *iov;
    int niov, error;
    bool done, status;
    struct { uint32_t len, flags; } extent;
    struct waiter *next;
};
struct nbd {
    int fd;
    uint16_t flags;
    bool structured, meta;
    uint32_t meta_id, min_block;
    pthread_mutex_t send, lock;
    pthread_cond_t cond;
    struct waiter *waiters;   /* lock, as what follows */
    uint64_t next_handle;
    bool reading;             /* somebody reads */
    int dead;                 /* -errno: the connection is */
};

/* --- answers -------------------------------------------------------------------------------------------------------------------- */

static int drop(int fd, uint64_t n)
{
    char buf[4096];
    int r = 0;
    while (n && !r) {
        size_t part = (size_t)MIN(n, (uint64_t)sizeof buf);
        r = nbd_recv(fd, buf, part);
        n -= part;
    }
    return r;
}

static void zero_iov(const struct iovec *iov, int niov, uint64_t skip, uint64_t bytes)
{
    for (int i = 0; i < niov && bytes; i++) {
        if (skip >= iov[i].iov_len) {
            skip -= iov[i].iov_len;
            continue;
        }
        uint64_t n = MIN(iov[i].iov_len - skip, bytes);
        memset((char *)iov[i].iov_base + skip, 0, (size_t)n);
        bytes -= n;
        skip = 0;
    }
}

static int host_error(uint32_t e)
{
    switch (e) {
    case 1: return -EPERM;
    case 12: return -ENOMEM;
    case 22: return -EINVAL;
    case 28: return -ENOSPC;
    case 95: return -ENOTSUP;
    case 108: return -ESHUTDOWN;
    default: return -EIO;
    }
}

/* Is [off, off + n) of the request's? */
static bool inside(const struct waiter *w, uint64_t off, uint64_t n)
{
    return w->iov && off >= w->offset && n <= w->bytes && off - w->offset <= w->bytes - n;
}

static int chunk(struct nbd *s, struct waiter *w, uint16_t type, uint32_t len)
{
    uint64_t off;
    uint32_t v[3];
    int r;
    if (type & 0x8000) {
        if (len < 6 || (r = nbd_recv(s->fd, v, 4))) return len < 6 ? -EPROTO : r;
        w->error = host_error(be32toh(v[0]));
        return drop(s->fd, len - 4);
    }
    switch (type) {
    case NBD_CHUNK_NONE: return len ? -EPROTO : 0;
    case NBD_CHUNK_DATA:
        if (len <= 8 || (r = nbd_recv(s->fd, &off, 8))) return len <= 8 ? -EPROTO : r;
        if (!inside(w, be64toh(off), len - 8)) return -EPROTO;
        w->got += len - 8;
        return nbd_recv_iov(s->fd, w->iov, w->niov, (size_t)(be64toh(off) - w->offset), len - 8);
    case NBD_CHUNK_HOLE:
        if (len != 12 || (r = nbd_recv(s->fd, v, 12))) return len != 12 ? -EPROTO : r;
        memcpy(&off, v, 8);
        if (!inside(w, be64toh(off), be32toh(v[2]))) return -EPROTO;
        w->got += be32toh(v[2]);
        zero_iov(w->iov, w->niov, be64toh(off) - w->offset, be32toh(v[2]));
        return 0;
    case NBD_CHUNK_STATUS:
        if (!w->status || len < 12 || (len - 4) % 8 || (r = nbd_recv(s->fd, v, 12))) return -EPROTO;
        if (be32toh(v[0]) != s->meta_id) return -EPROTO;
        w->extent.len = be32toh(v[1]), w->extent.flags = be32toh(v[2]);
        w->got = 1;
        return drop(s->fd, len - 12);
    default: return -EPROTO;
    }
}

static struct waiter *find(struct nbd *s, uint64_t handle)
{
    pthread_mutex_lock(&s->lock);
    struct waiter *w = s->waiters;
    while (w && w->handle != handle) w = w->next;
    pthread_mutex_unlock(&s->lock);
    return w;
}

/* One answer, or a chunk of one; *out: whose it was, if that was all of it. */
static int read_one(struct nbd *s, struct waiter **out)
{
    struct nbd_simple h;
    uint32_t len;
    *out = NULL;
    int r = nbd_recv(s->fd, &h, sizeof h); /* a chunk's header begins alike and has four bytes more */
    if (r) return r;
    bool structured = be32toh(h.magic) == (uint32_t)NBD_CHUNK_MAGIC;
    if (!structured && be32toh(h.magic) != (uint32_t)NBD_SIMPLE_MAGIC) return -EPROTO;
    if (structured && (!s->structured || nbd_recv(s->fd, &len, 4))) return -EPROTO;
    struct waiter *w = find(s, be64toh(h.handle));
    if (!w) return -EPROTO;
    if (structured) {
        uint32_t ft = be32toh(h.error);
        r = chunk(s, w, (uint16_t)ft, be32toh(len));
        if (r || !(ft >> 16 & NBD_CHUNK_DONE)) return r;
    } else {
        if (h.error) w->error = host_error(be32toh(h.error));
        if (!h.error && w->iov && s->structured) return -EPROTO; /* reads are answered in chunks then */
        if (!h.error && w->iov && (r = nbd_recv_iov(s->fd, w->iov, w->niov, 0, (size_t)w->bytes))) return r;
        w->got = w->bytes;
    }
    if (w->iov && !w->error && w->got != w->bytes) return -EPROTO;
    *out = w;
    return 0;
}

/* Waits for w; reads if nobody else does. */
static void await(struct nbd *s, struct waiter *w)
{
    pthread_mutex_lock(&s->lock);
    while (!w->done && !s->dead) {
        if (s->reading) {
            pthread_cond_wait(&s->cond, &s->lock);
            continue;
        }
        s->reading = true;
        pthread_mutex_unlock(&s->lock);
        struct waiter *got;
        int r = read_one(s, &got);
        pthread_mutex_lock(&s->lock);
        s->reading = false;
        if (got) got->done = true;
        if (r) s->dead = r;
        pthread_cond_broadcast(&s->cond);
    }
    if (!w->done) w->error = -EIO;
    for (struct waiter **p = &s->waiters; *p; p = &(*p)->next)
        if (*p == w) {
            *p = w->next;
            break;
        }
    /* who reads may be filling the memory of one that has gone */
    while (!w->done && s->reading) pthread_cond_wait(&s->cond, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

static int request(struct nbd *s, uint16_t type, uint16_t flags, uint64_t off, uint64_t bytes, const struct iovec *out, const struct iovec *in, int niov,
                   struct waiter *w)
{
    struct waiter own;
    if (!w) w = &own;
    *w = (struct waiter){ .offset = off, .bytes = bytes, .iov = in, .niov = niov, .status = type == NBD_CMD_STATUS };
    pthread_mutex_lock(&s->lock);
    int r = s->dead ? -EIO : 0;
    if (!r) {
        w->handle = ++s->next_handle;
        w->next = s->waiters;
        s->waiters = w;
    }
    pthread_mutex_unlock(&s->lock);
    if (r) return r;
    struct nbd_request q = { htobe32(NBD_REQUEST_MAGIC), htobe16(flags), htobe16(type), htobe64(w->handle), htobe64(off), htobe32((uint32_t)bytes) };
    struct iovec *all = xalloc(((size_t)(out ? niov : 0) + 1) * sizeof *all);
    all[0] = (struct iovec){ &q, sizeof q };
    if (out) memcpy(all + 1, out, (size_t)niov * sizeof *out);
    pthread_mutex_lock(&s->send);
    r = nbd_send(s->fd, all, out ? niov + 1 : 1);
    pthread_mutex_unlock(&s->send);
    free(all);
    if (r) { /* half of a request may have gone out */
        pthread_mutex_lock(&s->lock);
        s->dead = r;
        pthread_mutex_unlock(&s->lock);
        shutdown(s->fd, SHUT_RDWR);
    }
    await(s, w);
    return w->error;
}

/* --- the driver --------------------------------------------------------------------------------------------------------------------- */

/* In pieces that servers take. */
static int transfer(struct nbd *s, bool write, uint64_t off, const struct iovec *iov, int niov)
{
    size_t bytes = blk_iov_bytes(iov, niov), done = 0;
    if (bytes <= NBD_MAX_DATA) return request(s, write ? NBD_CMD_WRITE : NBD_CMD_READ, 0, off, bytes, write ? iov : NULL, write ? NULL : iov, niov, NULL);
    struct iovec *part = xalloc((size_t)niov * sizeof *part);
    int r = 0;
    while (!r && done < bytes) {
        size_t n = MIN(bytes - done, (size_t)NBD_MAX_DATA);
        int np = blk_iov_cut(iov, niov, done, n, part);
        r = request(s, write ? NBD_CMD_WRITE : NBD_CMD_READ, 0, off + done, n, write ? part : NULL, write ? NULL : part, np, NULL);
        done += n;
    }
    free(part);
    return r;
}

static int c_preadv(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    uint64_t size = blk_node_size(n), bytes = blk_iov_bytes(iov, niov), have = off < size ? MIN(bytes, size - off) : 0;
    if (have == bytes) return bytes ? transfer(n->s, false, off, iov, niov) : 0;
    struct iovec *part = xalloc((size_t)niov * sizeof *part);
    int np = blk_iov_cut(iov, niov, 0, (size_t)have, part), r = have ? transfer(n->s, false, off, part, np) : 0;
    free(part);
    zero_iov(iov, niov, have, bytes - have); /* a format reads beyond the end */
    return r;
}

static int c_pwritev(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags)
{
    uint64_t size = blk_node_size(n), bytes = blk_iov_bytes(iov, niov);
    if (flags & BLK_COMPRESS) return -ENOTSUP;
    if (off > size || bytes > size - off) return -ENOSPC;
    return transfer(n->s, true, off, iov, niov);
}

static int c_flush(struct blk_node *n)
{
    struct nbd *s = n->s;
    if (!(s->flags & NBD_F_FLUSH) || n->flags & BLK_NO_FLUSH) return 0;
    return request(s, NBD_CMD_FLUSH, 0, 0, 0, NULL, NULL, 0, NULL);
}

/* TRIM and WRITE_ZEROES: lengths have 32 bits. */
static int ranged(struct blk_node *n, uint16_t type, uint16_t flags, uint64_t off, uint64_t bytes)
{
    uint64_t size = blk_node_size(n);
    int r = 0;
    if (off > size || bytes > size - off) return -ENOSPC;
    while (!r && bytes) {
        uint64_t part = MIN(bytes, (uint64_t)1 << 30);
        r = request(n->s, type, flags, off, part, NULL, NULL, 0, NULL);
        off += part;
        bytes -= part;
    }
    return r;
}

static int c_discard(struct blk_node *n, uint64_t off, uint64_t bytes)
{
    struct nbd *s = n->s;
    return s->flags & NBD_F_TRIM ? ranged(n, NBD_CMD_TRIM, 0, off, bytes) : 0;
}

static int c_zero(struct blk_node *n, uint64_t off, uint64_t bytes, unsigned flags)
{
    struct nbd *s = n->s;
    bool fast = flags & BLK_NO_FALLBACK;
    if (!(s->flags & NBD_F_ZEROES) || (fast && !(s->flags & NBD_F_FAST_ZERO))) return -ENOTSUP;
    return ranged(n, NBD_CMD_ZEROES, (uint16_t)((flags & BLK_MAY_UNMAP ? 0 : NBD_CMD_NO_HOLE) | (fast ? NBD_CMD_FAST_ZERO : 0)), off, bytes);
}

static int c_status(struct blk_node *n, uint64_t off, uint64_t bytes, struct blk_range *r)
{
    struct nbd *s = n->s;
    struct waiter w;
    *r = (struct blk_range){ .st = BLK_ST_DATA | BLK_ST_ALLOCATED | BLK_ST_OFFSET, .bytes = bytes, .host = off, .file = n };
    if (!s->meta) return 0;
    bytes = MIN(bytes, (uint64_t)1 << 30);
    int rc = request(s, NBD_CMD_STATUS, NBD_CMD_REQ_ONE, off, bytes, NULL, NULL, 0, &w);
    if (rc) return rc;
    if (!w.got || !w.extent.len) return -EIO;
    r->bytes = MIN((uint64_t)w.extent.len, bytes);
    r->st = BLK_ST_ALLOCATED | BLK_ST_OFFSET | (w.extent.flags & NBD_ST_HOLE ? 0u : BLK_ST_DATA) | (w.extent.flags & NBD_ST_ZERO ? BLK_ST_ZERO : 0u);
    if (!(r->st & (BLK_ST_DATA | BLK_ST_ZERO))) r->st |= BLK_ST_DATA; /* a hole of what, nobody says */
    return 0;
}

static int c_close(struct blk_node *n)
{
    struct nbd *s = n->s;
    if (s->fd >= 0) {
        struct nbd_request q = { htobe32(NBD_REQUEST_MAGIC), 0, htobe16(NBD_CMD_DISC), 0, 0, 0 };
        struct iovec v = { &q, sizeof q };
        if (!s->dead) nbd_send(s->fd, &v, 1);
        close(s->fd);
    }
    pthread_mutex_destroy(&s->send);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->cond);
    return 0;
}

/* --- the handshake ------------------------------------------------------------------------------------------------------------------------ */

static int say(struct nbd *s, uint32_t option, const void *data, size_t len)
{
    struct nbd_option o = { htobe64(NBD_OPTS_MAGIC), htobe32(option), htobe32((uint32_t)len) };
    struct iovec v[2] = { { &o, sizeof o }, { (void *)(uintptr_t)data, len } };
    return nbd_send(s->fd, v, len ? 2 : 1);
}

/* An answer to an option; data of at most `max` bytes (the rest is dropped), *len: how many. */
static int hear(struct nbd *s, uint32_t option, uint32_t *type, void *data, uint32_t max, uint32_t *len)
{
    struct nbd_option_reply h;
    int r = nbd_recv(s->fd, &h, sizeof h);
    if (r) return r;
    uint32_t n = be32toh(h.len);
    if (be64toh(h.magic) != NBD_REP_MAGIC || be32toh(h.option) != option || n > NBD_MAX_DATA) return -EPROTO;
    *type = be32toh(h.type);
    *len = MIN(n, max);
    if ((r = nbd_recv(s->fd, data, *len))) return r;
    return drop(s->fd, n - *len);
}

/* base:allocation; servers that do not know of it are fine. */
static int ask_meta(struct nbd *s, const char *name)
{
    static const char query[] = "base:allocation";
    uint8_t buf[NBD_MAX_NAME + 64], *p = buf;
    uint32_t n = (uint32_t)strlen(name), be, type, len;
    be = htobe32(n), memcpy(p, &be, 4), p += 4;
    memcpy(p, name, n), p += n;
    be = htobe32(1), memcpy(p, &be, 4), p += 4;
    be = htobe32(sizeof query - 1), memcpy(p, &be, 4), p += 4;
    memcpy(p, query, sizeof query - 1), p += sizeof query - 1;
    int r = say(s, NBD_OPT_SET_META, buf, (size_t)(p - buf));
    for (;;) {
        if (!r) r = hear(s, NBD_OPT_SET_META, &type, buf, sizeof buf, &len);
        if (r || type != NBD_REP_META) return r;
        if (len != 4 + sizeof query - 1 || memcmp(buf + 4, query, sizeof query - 1)) continue;
        memcpy(&be, buf, 4);
        s->meta_id = be32toh(be);
        s->meta = true;
    }
}

static int take_export(struct blk_node *n, const uint8_t *b)
{
    struct nbd *s = n->s;
    uint64_t size;
    uint16_t flags;
    memcpy(&size, b, 8);
    memcpy(&flags, b + 8, 2);
    s->flags = be16toh(flags);
    if (be64toh(size) > INT64_MAX / 2) return -EFBIG;
    n->size = be64toh(size);
    return 0;
}

static int go(struct blk_node *n, const char *name, struct err *e)
{
    struct nbd *s = n->s;
    uint8_t buf[NBD_MAX_NAME + 64];
    uint32_t be = htobe32((uint32_t)strlen(name)), type, len;
    uint16_t infos[2] = { htobe16(1), htobe16(NBD_INFO_BLOCK_SIZE) };
    bool have = false;
    memcpy(buf, &be, 4);
    memcpy(buf + 4, name, strlen(name));
    memcpy(buf + 4 + strlen(name), infos, 4);
    int r = say(s, NBD_OPT_GO, buf, 8 + strlen(name));
    while (!r && !(r = hear(s, NBD_OPT_GO, &type, buf, sizeof buf - 1, &len))) {
        buf[len] = 0;
        if (type == NBD_REP_ACK) return have ? 0 : err_set(e, EPROTO, "nbd: the server says nothing about the export");
        if (type == NBD_REP_ERR(NBD_ERR_UNKNOWN)) return err_set(e, ENOENT, "Requested export not available: '%s'", name);
        if (type == NBD_REP_ERR(NBD_ERR_TLS)) return err_set(e, EACCES, "nbd: the server demands TLS, which is not here");
        if (type & 0x80000000u) return err_set(e, EIO, "nbd: the server refuses '%s' (error 0x%x): %.150s", name, type, (char *)buf);
        uint16_t what = 0xffff;
        if (type == NBD_REP_INFO && len >= 2) memcpy(&what, buf, 2), what = be16toh(what);
        if (what == NBD_INFO_EXPORT && len == 12) r = take_export(n, buf + 2), have = true;
        if (what == NBD_INFO_BLOCK_SIZE && len == 14) memcpy(&be, buf + 2, 4), s->min_block = be32toh(be);
    }
    return r;
}

static int negotiate(struct blk_node *n, const char *name, struct err *e)
{
    struct nbd *s = n->s;
    uint32_t type, len;
    uint8_t buf[256];
    int r = say(s, NBD_OPT_STRUCTURED, NULL, 0);
    if (!r) r = hear(s, NBD_OPT_STRUCTURED, &type, buf, sizeof buf, &len);
    s->structured = !r && type == NBD_REP_ACK;
    if (!r && s->structured) r = ask_meta(s, name);
    return r ? r : go(n, name, e);
}

static int handshake(struct blk_node *n, const char *name, struct err *e)
{
    struct nbd *s = n->s;
    uint64_t magic[2];
    uint16_t flags;
    uint32_t mine;
    int r = nbd_recv(s->fd, magic, sizeof magic);
    if (r) return r;
    if (be64toh(magic[0]) != NBD_MAGIC || be64toh(magic[1]) != NBD_OPTS_MAGIC) return err_set(e, EPROTO, "nbd: this is no NBD server of the newer style");
    if ((r = nbd_recv(s->fd, &flags, 2))) return r;
    if (!(be16toh(flags) & NBD_FIXED_NEWSTYLE)) return err_set(e, ENOTSUP, "nbd: the server is too old (no fixed newstyle)");
    mine = htobe32(NBD_FIXED_NEWSTYLE | (be16toh(flags) & NBD_NO_ZEROES));
    struct iovec v = { &mine, 4 };
    r = nbd_send(s->fd, &v, 1);
    if (!r && (r = negotiate(n, name, e))) say(s, NBD_OPT_ABORT, NULL, 0);
    return r;
}

/* nbd://HOST[:PORT]/EXPORT, nbd+unix:///EXPORT?socket=PATH, nbd:HOST:PORT[:exportname=E], nbd:unix:PATH[:exportname=E] to options. */
static int parse_name(const char *name, struct opts *o, struct err *e)
{
    const char *p, *q;
    char part[NBD_MAX_NAME + 1];
    bool url = !strncmp(name, "nbd://", 6) || !strncmp(name, "nbd+tcp://", 10), url_unix = !strncmp(name, "nbd+unix://", 11);
    if (strlen(name) > NBD_MAX_NAME) return err_set(e, EINVAL, "nbd: the name is too long");
    if (url || url_unix) {
        p = strstr(name, "://") + 3;
        size_t n = strcspn(p, "/?");
        snprintf(part, sizeof part, "%.*s", (int)n, p);
        p += n;
        const char *export = *p == '/' ? p + 1 : p;
        q = strchr(export, '?');
        char exp[NBD_MAX_NAME + 1];
        snprintf(exp, sizeof exp, "%.*s", q ? (int)(q - export) : (int)strlen(export), export);
        opts_add(o, "export", exp);
        if (url_unix && (!q || strncmp(q, "?socket=", 8))) return err_set(e, EINVAL, "nbd+unix: '?socket=PATH' is missing");
        if (url_unix) {
            opts_add(o, "path", q + 8);
            return 0;
        }
        char *colon = *part == '[' ? strchr(strchr(part, ']') ? strchr(part, ']') : part, ':') : strchr(part, ':'), *host = part;
        if (colon) *colon = 0;
        opts_add(o, "port", colon && colon[1] ? colon + 1 : "10809");
        if (*host == '[' && host[strlen(host) - 1] == ']') host[strlen(host) - 1] = 0, host++;
        opts_add(o, "host", *host ? host : "localhost");
        return 0;
    }
    p = name + 4; /* "nbd:" */
    q = strstr(p, ":exportname=");
    if (q) opts_add(o, "export", q + 12);
    snprintf(part, sizeof part, "%.*s", q ? (int)(q - p) : (int)strlen(p), p);
    if (!strncmp(part, "unix:", 5)) {
        opts_add(o, "path", part + 5);
        return 0;
    }
    char *colon = strrchr(part, ':');
    if (!colon || !colon[1]) return err_set(e, EINVAL, "nbd: '%.200s' names no port", name);
    *colon = 0;
    opts_add(o, "port", colon + 1);
    opts_add(o, "host", *part == '[' && part[strlen(part) - 1] == ']' ? (part[strlen(part) - 1] = 0, part + 1) : *part ? part : "localhost");
    return 0;
}

static int connect_to(struct nbd *s, const struct opts *o, char *shown, size_t size, struct err *e)
{
    struct sock_spec spec;
    const char *prefix = opts_has(o, "server.type") || opts_has(o, "server.host") || opts_has(o, "server.path") ? "server." : "";
    opts_has(o, "server.type");
    struct err why = { 0 };
    int r = sock_spec(&spec, o, prefix, SOCK_STREAM, &why);
    if (r) return err_set(e, -r, "%s", why.code ? why.msg : "nbd: no address: it takes server.*, host= and port=, or path=");
    sock_describe(&spec, shown, size);
    s->fd = sock_connect(&spec, NULL, e);
    if (s->fd < 0) return s->fd;
    struct pollfd p = { s->fd, POLLOUT, 0 };
    r = poll(&p, 1, NBD_HANDSHAKE_S * 1000) == 1 ? sock_result(s->fd) : -ETIMEDOUT;
    if (r) return err_set(e, -r, "Failed to connect to '%s': %s", shown, strerror(-r));
    return nbd_blocking(s->fd, true);
}

static int c_open(struct blk_node *n, struct json_object *opts, struct err *e)
{
    struct nbd *s = xalloc(sizeof *s);
    struct opts o = { 0 };
    char shown[200] = "", full[NBD_MAX_NAME + 300];
    char *name = blk_opt_str(opts, "filename");
    static const char *const keys[] = { "server.type", "server.host", "server.port", "server.path", "host", "port", "path", "export", "reconnect-delay", "open-timeout",
                                        "tls-creds", "server.ipv4", "server.ipv6", "server.numeric", "server.to" };
    n->s = s;
    s->fd = -1;
    pthread_mutex_init(&s->send, NULL);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->cond, NULL);
    int r = name ? parse_name(name, &o, e) : 0;
    free(name);
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        char *v = blk_opt_str(opts, keys[i]);
        if (v) opts_add(&o, keys[i], v);
        free(v);
    }
    struct json_object *left;
    if (json_object_object_get_ex(opts, "server", &left) && json_object_is_type(left, json_type_object) && !json_object_object_length(left))
        json_object_object_del(opts, "server");
    const char *export = opts_str(&o, "export", "");
    if (!r && opts_has(&o, "tls-creds")) r = err_set(e, ENOTSUP, "nbd: TLS is not here");
    if (!r && strlen(export) > NBD_MAX_NAME) r = err_set(e, EINVAL, "nbd: the export's name is too long");
    if (!r) r = connect_to(s, &o, shown, sizeof shown, e);
    if (!r && (r = handshake(n, export, e)) && e && !e->code) err_set(e, -r, "nbd: %s: %s", shown, strerror(-r));
    if (!r) r = nbd_blocking(s->fd, false);
    if (!r && n->flags & BLK_RDWR && s->flags & NBD_F_READ_ONLY) {
        r = n->auto_ro ? 0 : err_set(e, EACCES, "request on denied: the export '%s' is read-only", export);
        n->flags &= ~(unsigned)BLK_RDWR;
    }
    if (opts_has(&o, "path") || opts_has(&o, "server.path")) snprintf(full, sizeof full, "nbd+unix:///%s?socket=%s", export, shown);
    else snprintf(full, sizeof full, *export ? "nbd://%s/%s" : "nbd://%s", shown + (!strncmp(shown, "tcp:", 4) ? 4 : 0), export);
    n->filename = strdup(full);
    opts_free(&o);
    return r;
}

const struct blk_driver blk_nbd = {
    .name = "nbd", .protocol = "nbd:,nbd+unix:,nbd+tcp:", .is_protocol = true, .open = c_open, .close = c_close, .preadv = c_preadv, .pwritev = c_pwritev,
    .flush = c_flush, .discard = c_discard, .zero = c_zero, .status = c_status,
};
