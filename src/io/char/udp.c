/* udp.c: -chardev udp,host=,port=,localaddr=,localport=: each write is a datagram, datagrams that come are input. */
#include <sys/socket.h>
#include "io/char/fd.h"
#include "io/sock.h"

struct udp {
    struct fd_chr f;
    uint8_t buf[65536]; /* the rest of a datagram for which there was no room */
    size_t at, len;
};

static void udp_ready(void *ctx, unsigned ev);

static void deliver(struct udp *u)
{
    size_t room;
    while (u->at < u->len && !u->f.c.dead && (room = chr_be_room(&u->f.c))) {
        size_t n = MIN(room, u->len - u->at);
        u->at += n;
        chr_be_recv(&u->f.c, u->buf + u->at - n, n);
    }
}

static void udp_update(struct chr *c)
{
    struct udp *u = (struct udp *)c;
    bool want = u->f.in >= 0 && chr_be_room(c);
    if (want && !u->f.win) u->f.win = loop_fd_new(chr_loop(c), u->f.in, LOOP_IN, udp_ready, u, NULL);
    if (want && u->at < u->len) loop_fd_set(u->f.win, LOOP_IN | LOOP_OUT); /* always writable: called soon, not from inside of a call */
    if (!want) {
        loop_fd_free(u->f.win);
        u->f.win = NULL;
    }
}

static void udp_ready(void *ctx, unsigned ev)
{
    struct udp *u = ctx;
    if (u->at == u->len) {
        ssize_t n = recv(u->f.in, u->buf, sizeof u->buf, MSG_DONTWAIT);
        u->at = 0;
        u->len = n > 0 ? (size_t)n : 0;
    }
    deliver(u);
    if (u->f.c.dead) return;
    if (u->f.win && u->at == u->len) loop_fd_set(u->f.win, LOOP_IN);
    udp_update(&u->f.c);
}

static size_t udp_write(struct chr *c, const uint8_t *buf, size_t len)
{
    struct udp *u = (struct udp *)c;
    for (size_t done = 0; done < len; done += MIN(len - done, 65507)) /* what cannot be sent is lost, as datagrams are */
        fd_write(u->f.out, buf + done, MIN(len - done, 65507));
    return len;
}

static int udp_open(struct chr *c, const struct opts *o, struct err *e)
{
    struct udp *u = (struct udp *)c;
    struct sock_spec to, local;
    struct opts l = { 0 };
    fd_chr_start(&u->f, -1, -1);
    bool qmp = opts_has(o, "remote.type");
    int rc = sock_spec(&to, o, qmp ? "remote.data." : "", SOCK_DGRAM, e);
    if (!rc && to.kind != SOCK_INET) rc = err_set(e, EINVAL, "chardev udp: host= and port= are wanted");
    if (!rc && !*to.port) rc = err_set(e, EINVAL, "chardev: udp: remote port not specified");
    if (!rc && !*to.host) strcpy(to.host, "localhost");
    const char *la = opts_get(o, qmp ? "local.data.host" : "localaddr"), *lp = opts_get(o, qmp ? "local.data.port" : "localport");
    opts_get(o, "local.type");
    if (la) opts_add(&l, "host", la);
    opts_add(&l, "port", lp && *lp ? lp : "0");
    if (!rc) rc = sock_spec(&local, &l, "", SOCK_DGRAM, e);
    opts_free(&l);
    if (rc) return rc;
    int fd = sock_connect(&to, la || lp ? &local : NULL, e);
    if (fd < 0) return fd;
    fd_chr_start(&u->f, fd, fd);
    char own[160], peer[160];
    sock_address(fd, false, own, sizeof own);
    sock_address(fd, true, peer, sizeof peer);
    chr_set_name(c, "udp:%s@%s", peer, own);
    chr_be_event(c, CHR_OPENED);
    return 0;
}

const struct chr_driver udp_chr = {
    .name = "udp", .help = "datagrams: host=, port=, localaddr=, localport=", .size = sizeof(struct udp), .open = udp_open,
    .close = fd_chr_close, .write = udp_write, .update = udp_update,
};
