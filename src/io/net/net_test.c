/* net_test.c: networks: queues, hubs, libslirp against a small guest, frames over sockets, dumps, options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "io/char/chr.h"
#include "io/net/net.h"

struct nic {
    struct net_port *port;
    uint8_t mac[6];
    uint8_t last[2048];
    size_t len;
    unsigned frames, resumes, room; /* room: frames that it takes, UINT32_MAX = any */
    char links[16];
    struct net_port *echo;          /* sends what it gets */
};

struct world {
    struct loop *l;
    struct chr_set *chrs;
    struct net_set *s;
    char dir[64];
    struct err e;
    struct nic a, b, c;
};

static bool nic_can_recv(void *ctx)
{
    return ((struct nic *)ctx)->room > 0;
}

static bool nic_recv(void *ctx, const struct iovec *iov, unsigned n)
{
    struct nic *k = ctx;
    k->len = 0;
    for (unsigned i = 0; i < n; i++) {
        memcpy(k->last + k->len, iov[i].iov_base, MIN(iov[i].iov_len, sizeof k->last - k->len));
        k->len += MIN(iov[i].iov_len, sizeof k->last - k->len);
    }
    k->frames++;
    if (k->room != UINT32_MAX) k->room--;
    if (k->echo) net_send(k->echo, iov, n);
    return true;
}

static void nic_resume(void *ctx)
{
    ((struct nic *)ctx)->resumes++;
}

static void nic_link(void *ctx, bool up)
{
    struct nic *k = ctx;
    size_t n = strlen(k->links);
    if (n + 1 < sizeof k->links) k->links[n] = up ? 'u' : 'd';
}
static const struct net_client nic_client = { nic_can_recv, nic_recv, nic_resume, nic_link };

static int set_up(void **state)
{
    struct world *w = xalloc(sizeof *w);
    w->l = loop_new(&w->e);
    loop_lock(w->l);
    w->chrs = chr_set_new(w->l, NULL);
    struct net_host h = { .chrs = w->chrs };
    w->s = net_set_new(w->l, &h);
    strcpy(w->dir, "/tmp/net_test.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    net_set_free(w->s);
    chr_set_free(w->chrs);
    loop_unlock(w->l);
    loop_free(w->l);
    assert_int_equal(rmdir(w->dir), 0);
    free(w);
    return 0;
}

static void make(struct world *w, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    int rc = net_new_text(w->s, text, &w->e);
    if (rc) print_message("%s: %s\n", text, w->e.msg);
    assert_int_equal(rc, 0);
}

static void plug(struct world *w, struct nic *k, const char *netdev)
{
    k->room = UINT32_MAX;
    assert_int_equal(net_nic_new(net_find(w->s, netdev), NULL, "test-nic", k->mac, &nic_client, k, &k->port, &w->e), 0);
    assert_non_null(k->port);
}

#define UNTIL(cond) do { while (!(cond)) loop_once(w->l, true); } while (0)
static void settle(struct world *w)
{
    while (loop_once(w->l, false)) continue;
}

/* --- ports ------------------------------------------------------------------------------------------------------------------- */

static void hub_of_two(struct world *w)
{
    make(w, "hubport,id=p0,hubid=3");
    make(w, "hubport,id=p1,hubid=3");
    plug(w, &w->a, "p0");
    plug(w, &w->b, "p1");
}

static void test_flow(void **state)
{
    struct world *w = *state;
    uint8_t frame[60] = { 1, 2, 3 };
    hub_of_two(w);
    assert_int_equal(w->a.mac[5], 0x56);
    assert_int_equal(w->b.mac[5], 0x57);
    assert_string_equal(net_info(w->a.port), "index=0,type=nic,model=test-nic,macaddr=52:54:00:12:34:56");
    assert_string_equal(net_id(w->b.port), "test-nic.1");
    struct net_port *p;
    assert_int_equal(net_nic_new(net_find(w->s, "p0"), NULL, "x", w->c.mac, &nic_client, &w->c, &p, &w->e), -EBUSY);
    assert_true(net_send_buf(w->a.port, frame, sizeof frame));
    assert_int_equal(w->b.frames, 1);
    assert_int_equal(w->b.len, 60);
    w->b.room = 0; /* the hub's port queues for it, then the sender is told to wait */
    assert_false(net_can_send(net_peer(w->b.port)));
    for (unsigned i = 0; i < 5; i++) {
        frame[0] = (uint8_t)i;
        net_send_buf(w->a.port, frame, sizeof frame);
    }
    assert_int_equal(w->b.frames, 1);
    assert_false(net_can_send(w->a.port));
    assert_false(net_send_buf(w->a.port, frame, sizeof frame));
    w->b.room = 2;
    net_ready(w->b.port);
    settle(w);
    assert_int_equal(w->b.frames, 3);
    assert_int_equal(w->b.last[0], 1); /* in order */
    assert_int_equal(w->a.resumes, 0);
    w->b.room = UINT32_MAX;
    net_ready(w->b.port);
    settle(w);
    assert_int_equal(w->b.frames, 7);
    assert_int_equal(w->a.resumes, 1);
    assert_true(net_send_buf(w->a.port, frame, sizeof frame));
    assert_int_equal(net_stats(w->b.port)->rx_frames, 8);
    assert_int_equal(net_stats(w->a.port)->tx_bytes, 8 * 60);
}

static void test_bounds(void **state)
{
    struct world *w = *state;
    static uint8_t frame[NET_FRAME_MAX + 1];
    hub_of_two(w);
    w->b.room = 0;
    for (unsigned i = 0; i < 3 * NET_QUEUE; i++) net_send_buf(w->a.port, frame, 60);
    net_flush(w->b.port);
    w->b.room = UINT32_MAX;
    net_ready(w->b.port);
    settle(w);
    assert_true(w->b.frames <= 2 * NET_QUEUE);
    w->b.frames = 0;
    assert_true(net_send_buf(w->a.port, frame, sizeof frame)); /* too long, empty: dropped */
    assert_true(net_send_buf(w->a.port, frame, 0));
    assert_true(net_send_buf(NULL, frame, 60));
    assert_int_equal(w->b.frames, 0);
    struct iovec huge[2] = { { frame, SIZE_MAX - 10 }, { frame, 100 } };
    assert_true(net_send(w->a.port, huge, 2));
    assert_int_equal(w->b.frames, 0);
    struct net_port *none;
    uint8_t mac[6] = { 0 };
    assert_int_equal(net_nic_new(NULL, NULL, "x", mac, &nic_client, &w->c, &none, &w->e), 0);
    assert_null(none);
    assert_int_equal(mac[0], 0x52);
    assert_false(net_link(none));
}

/* Two that answer each other at once: neither the stack nor the loop is theirs alone. */
static void test_ping_pong(void **state)
{
    struct world *w = *state;
    uint8_t frame[60] = { 0 };
    hub_of_two(w);
    w->a.echo = w->a.port;
    w->b.echo = w->b.port;
    net_send_buf(w->a.port, frame, sizeof frame);
    for (unsigned i = 0; i < 50; i++) loop_once(w->l, false);
    assert_true(w->b.frames > 20);
    w->a.echo = w->b.echo = NULL;
    settle(w);
}

static void test_link(void **state)
{
    struct world *w = *state;
    uint8_t frame[60] = { 0 };
    hub_of_two(w);
    assert_true(net_link(w->a.port));
    net_set_link(net_find(w->s, "p0"), false);
    assert_false(net_link(w->a.port));
    assert_string_equal(w->a.links, "d");
    net_send_buf(w->a.port, frame, 60);
    net_send_buf(w->b.port, frame, 60);
    assert_int_equal(w->a.frames + w->b.frames, 0);
    net_set_link(net_find(w->s, "p0"), true);
    assert_string_equal(w->a.links, "du");
    net_send_buf(w->a.port, frame, 60);
    assert_int_equal(w->b.frames, 1);
    assert_int_equal(net_remove(w->s, "p0", &w->e), 0); /* the NIC stays without a peer */
    assert_string_equal(w->a.links, "dud");
    assert_true(net_send_buf(w->a.port, frame, 60));
    assert_int_equal(net_remove(w->s, "p0", &w->e), -ENOENT);
    net_port_free(w->b.port);
    settle(w);
}

static void test_dump(void **state)
{
    struct world *w = *state;
    uint8_t frame[100] = { 9 }, file[1024];
    char path[128];
    hub_of_two(w);
    snprintf(path, sizeof path, "%s/f.pcap", w->dir);
    assert_int_equal(net_dump_new(w->s, "d0", "p0", path, 64, &w->e), 0);
    assert_int_equal(net_dump_new(w->s, "d1", "zz", path, 64, &w->e), -ENOENT);
    net_send_buf(w->a.port, frame, 100);
    net_send_buf(w->b.port, frame, 60);
    assert_int_equal(net_dump_free(w->s, "d0", &w->e), 0);
    assert_int_equal(net_dump_free(w->s, "d0", &w->e), -ENOENT);
    int fd = open(path, O_RDONLY);
    assert_int_equal(read(fd, file, sizeof file), 24 + 16 + 64 + 16 + 60);
    uint32_t v[2];
    memcpy(v, file + 24 + 8, 8);
    assert_int_equal(v[0], 64);
    assert_int_equal(v[1], 100);
    assert_int_equal(file[24 + 16], 9);
    close(fd);
    unlink(path);
}

/* --- libslirp: a guest in a few lines ------------------------------------------------------------------------------------------ */

static const uint8_t guest_ip[4] = { 10, 0, 2, 15 }, gate_ip[4] = { 10, 0, 2, 2 };

static uint16_t sum(const uint8_t *p, size_t n, uint32_t start)
{
    for (size_t i = 0; i < n; i += 2) start += (uint32_t)(p[i] << 8 | (i + 1 < n ? p[i + 1] : 0));
    while (start >> 16) start = (start & 0xffff) + (start >> 16);
    return (uint16_t)~start;
}

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *p)
{
    return (unsigned)(p[0] << 8 | p[1]);
}

/* Ethernet, IPv4 and what `payload` holds behind that, to an address of the network. */
static void send_ip(struct nic *k, const uint8_t to[4], uint8_t proto, const uint8_t *payload, size_t len)
{
    uint8_t f[256] = { 0x52, 0x55, 10, 0, 2, 2 };
    memcpy(f + 6, k->mac, 6);
    put16(f + 12, 0x0800);
    f[14] = 0x45;
    put16(f + 16, (unsigned)(20 + len));
    f[22] = 64;
    f[23] = proto;
    memcpy(f + 26, guest_ip, 4);
    memcpy(f + 30, to, 4);
    put16(f + 24, sum(f + 14, 20, 0));
    memcpy(f + 34, payload, len);
    net_send_buf(k->port, f, 34 + len);
}

static void send_udp(struct nic *k, const uint8_t to[4], unsigned sport, unsigned dport, const char *text)
{
    uint8_t u[128] = { 0 };
    size_t n = strlen(text);
    put16(u, sport);
    put16(u + 2, dport);
    put16(u + 4, (unsigned)(8 + n));
    memcpy(u + 8, text, n);
    send_ip(k, to, 17, u, 8 + n);
}

static void send_tcp(struct nic *k, const uint8_t to[4], unsigned sport, unsigned dport, uint32_t seq, uint32_t ack, uint8_t flags, const char *text)
{
    uint8_t t[128] = { 0 };
    size_t n = strlen(text);
    put16(t, sport);
    put16(t + 2, dport);
    put16(t + 4, seq >> 16);
    put16(t + 6, seq);
    put16(t + 8, ack >> 16);
    put16(t + 10, ack);
    t[12] = 5 << 4;
    t[13] = flags;
    put16(t + 14, 8192);
    memcpy(t + 20, text, n);
    uint32_t pseudo = 6 + (uint32_t)(20 + n);
    for (int i = 0; i < 4; i += 2) pseudo += get16(guest_ip + i) + get16(to + i);
    put16(t + 16, sum(t, 20 + n, pseudo));
    send_ip(k, to, 6, t, 20 + n);
}

/* Who has 10.0.2.15? */
static bool answer_arp(struct nic *k)
{
    if (k->len < 42 || get16(k->last + 12) != 0x0806 || k->last[21] != 1 || memcmp(k->last + 38, guest_ip, 4)) return false;
    uint8_t f[60];
    memset(f, 0, sizeof f);
    memcpy(f, k->last + 6, 6);
    memcpy(f + 6, k->mac, 6);
    memcpy(f + 12, k->last + 12, 8);
    f[21] = 2;
    memcpy(f + 22, k->mac, 6);
    memcpy(f + 28, guest_ip, 4);
    memcpy(f + 32, k->last + 22, 10);
    k->len = 0;
    net_send_buf(k->port, f, sizeof f);
    return true;
}

/* Until an IPv4 packet of that protocol is there. */
static const uint8_t *expect_ip(struct world *w, struct nic *k, uint8_t proto)
{
    for (;;) {
        if (!answer_arp(k) && k->len >= 34 && get16(k->last + 12) == 0x0800 && k->last[23] == proto) break;
        loop_once(w->l, true);
    }
    k->len = 0;
    return k->last + 34;
}

static int bound(int type, struct sockaddr_in *in)
{
    socklen_t len = sizeof *in;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    *in = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(bind(fd, (struct sockaddr *)in, len), 0);
    if (type == SOCK_STREAM) assert_int_equal(listen(fd, 4), 0);
    getsockname(fd, (struct sockaddr *)in, &len);
    return fd;
}

static unsigned forwarded_port(struct world *w, const char *kind)
{
    char *info = net_user_info(w->s), *line = strstr(info, kind);
    unsigned fd, port = 0;
    char addr[32];
    assert_non_null(line);
    assert_int_equal(sscanf(line + strlen(kind), "%u %31s %u", &fd, addr, &port), 3);
    free(info);
    return port;
}

static void test_user_out(void **state)
{
    struct world *w = *state;
    struct sockaddr_in in, from;
    socklen_t len = sizeof from;
    char buf[64] = "";
    make(w, "user,id=n0");
    assert_string_equal(net_info(net_find(w->s, "n0")), "index=0,type=user,net=10.0.2.0,restrict=off");
    plug(w, &w->a, "n0");
    int fd = bound(SOCK_DGRAM, &in); /* 10.0.2.2 is the host's loopback */
    send_udp(&w->a, gate_ip, 4000, ntohs(in.sin_port), "query");
    settle(w);
    assert_int_equal(recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&from, &len), 5);
    assert_string_equal(buf, "query");
    assert_int_equal(sendto(fd, "reply", 5, 0, (struct sockaddr *)&from, len), 5);
    const uint8_t *u = expect_ip(w, &w->a, 17);
    assert_int_equal(get16(u + 2), 4000);
    assert_memory_equal(u + 8, "reply", 5);
    close(fd);
    fd = bound(SOCK_STREAM, &in);
    send_tcp(&w->a, gate_ip, 4001, ntohs(in.sin_port), 100, 0, 2, "");
    const uint8_t *t = expect_ip(w, &w->a, 6);
    assert_int_equal(t[13], 0x12); /* SYN, ACK */
    uint32_t seq = (uint32_t)get16(t + 4) << 16 | get16(t + 6);
    send_tcp(&w->a, gate_ip, 4001, ntohs(in.sin_port), 101, seq + 1, 0x18, "data");
    settle(w);
    int c = accept(fd, NULL, NULL);
    assert_int_equal(recv(c, buf, sizeof buf, 0), 4);
    assert_memory_equal(buf, "data", 4);
    assert_int_equal(send(c, "back", 4, 0), 4);
    do {
        t = expect_ip(w, &w->a, 6);
    } while (get16(w->a.last + 16) != 44); /* after the bare acknowledgement */
    assert_memory_equal(t + 20, "back", 4);
    close(c);
    close(fd);
}

static void test_user_hostfwd(void **state)
{
    struct world *w = *state;
    struct sockaddr_in in;
    char buf[64] = "";
    make(w, "user,id=n0,hostfwd=udp:127.0.0.1:0-:7,hostfwd=tcp:127.0.0.1:0-10.0.2.15:22");
    plug(w, &w->a, "n0");
    settle(w);
    unsigned port = forwarded_port(w, "UDP[HOST_FORWARD]");
    int fd = bound(SOCK_DGRAM, &in);
    in.sin_port = htons((uint16_t)port);
    assert_int_equal(sendto(fd, "ping", 4, 0, (struct sockaddr *)&in, sizeof in), 4);
    const uint8_t *u = expect_ip(w, &w->a, 17);
    assert_int_equal(get16(u + 2), 7);
    assert_memory_equal(u + 8, "ping", 4);
    send_udp(&w->a, gate_ip, 7, get16(u), "pong");
    settle(w);
    assert_int_equal(recv(fd, buf, sizeof buf, 0), 4);
    assert_memory_equal(buf, "pong", 4);
    close(fd);
    port = forwarded_port(w, "TCP[HOST_FORWARD]");
    in.sin_port = htons((uint16_t)port);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
    const uint8_t *t = expect_ip(w, &w->a, 6);
    assert_int_equal(get16(t + 2), 22);
    assert_int_equal(t[13], 2); /* SYN */
    uint32_t seq = (uint32_t)get16(t + 4) << 16 | get16(t + 6);
    send_tcp(&w->a, gate_ip, 22, get16(t), 500, seq + 1, 0x12, "");
    settle(w);
    send_tcp(&w->a, gate_ip, 22, get16(t), 501, seq + 1, 0x18, "SSH-2.0");
    settle(w);
    assert_int_equal(recv(fd, buf, sizeof buf, 0), 7);
    assert_memory_equal(buf, "SSH-2.0", 7);
    char spec[64];
    snprintf(spec, sizeof spec, "tcp:127.0.0.1:%u", port);
    assert_int_equal(net_hostfwd(w->s, NULL, spec, false, &w->e), 0);
    assert_int_equal(net_hostfwd(w->s, "n0", spec, false, &w->e), -ENOENT);
    assert_int_equal(net_hostfwd(w->s, "zz", spec, false, &w->e), -ENOENT);
    settle(w);
    int again = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(again, (struct sockaddr *)&in, sizeof in), -1);
    close(again);
    close(fd);
    settle(w);
}

static void test_user_guestfwd(void **state)
{
    struct world *w = *state;
    struct chr *c;
    static const uint8_t server[4] = { 10, 0, 2, 100 };
    char buf[64] = "";
    size_t n;
    assert_int_equal(chr_new_text(w->chrs, "ringbuf,id=rb", &c, &w->e), 0);
    make(w, "{\"type\":\"user\",\"id\":\"n0\",\"restrict\":true,\"guestfwd\":[{\"str\":\"tcp:10.0.2.100:1234-chardev:rb\"}]}");
    assert_string_equal(net_info(net_find(w->s, "n0")), "index=0,type=user,net=10.0.2.0,restrict=on");
    plug(w, &w->a, "n0");
    send_tcp(&w->a, server, 5000, 1234, 100, 0, 2, "");
    const uint8_t *t = expect_ip(w, &w->a, 6);
    assert_int_equal(t[13], 0x12);
    uint32_t seq = (uint32_t)get16(t + 4) << 16 | get16(t + 6);
    send_tcp(&w->a, server, 5000, 1234, 101, seq + 1, 0x18, "to the host");
    settle(w);
    assert_int_equal(chr_ringbuf_read(c, buf, sizeof buf, &n, &w->e), 0);
    assert_string_equal(buf, "to the host");
}

static void test_user_errors(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {
        "user", "user,id=1", "nope,id=a", "user,id=a,net=10.0.0.x", "user,id=a,net=10.0.2.0/33", "user,id=a,dns=1.2.3.4", "user,id=a,hostfwd=x",
        "user,id=a,hostfwd=tcp::99999-:22", "user,id=a,hostfwd=tcp::0-:0", "user,id=a,guestfwd=tcp:10.0.2.100:1-none:", "user,id=a,bogus=1",
        "user,id=a,hostfwd=tcp:1.2.3.4:1-:22", "user,id=a,ipv4=off,ipv6=off", "user,id=a,dns=10.0.2.2", "user,id=a,restrict=x",
        "user,id=a,guestfwd=tcp:10.0.2.100:80-chardev:none", "hubport,id=a", "hubport,id=a,hubid=1,netdev=zz", "stream,id=a", "dgram,id=a",
        "stream,id=a,addr.type=vsock", "socket,id=a", "socket,id=a,listen=x", "socket,id=a,mcast=1.2.3.4:5", "socket,id=a,udp=127.0.0.1:1",
        "tap,id=a,fd=999", "tap,id=a,ifname=aaaaaaaaaaaaaaaaaaaaaaaa", "bridge,id=a,helper=/nonexistent", "stream,id=a,addr.type=unix,addr.path=/nonexistent/s",
    };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        w->e.msg[0] = 0;
        if (net_new_text(w->s, bad[i], &w->e) >= 0) fail_msg("%s", bad[i]);
        assert_true(strlen(w->e.msg) > 5);
        assert_null(net_find(w->s, "a"));
    }
}

/* --- sockets ---------------------------------------------------------------------------------------------------------------------- */

static void pair(struct world *w, const char *one, const char *two)
{
    uint8_t frame[1500];
    make(w, one, w->dir, w->dir);
    make(w, two, w->dir, w->dir);
    plug(w, &w->a, "one");
    plug(w, &w->b, "two");
    settle(w);
    for (size_t n = 60; n < sizeof frame; n += 97) {
        memset(frame, (int)n, sizeof frame);
        net_send_buf(w->a.port, frame, n);
        UNTIL(w->b.len == n);
        assert_memory_equal(w->b.last, frame, n);
        net_send_buf(w->b.port, frame, n - 1);
        UNTIL(w->a.len == n - 1);
    }
    w->b.frames = w->b.room = 0; /* a stuck receiver holds the sender up; nothing is lost of a stream, little waits of datagrams */
    unsigned sent = 0;
    while (sent < 200 && net_send_buf(w->a.port, frame, sizeof frame)) sent++;
    settle(w);
    w->b.room = UINT32_MAX;
    net_ready(w->b.port);
    UNTIL(w->b.frames >= sent);
}

static void test_stream(void **state)
{
    struct world *w = *state;
    pair(w, "stream,id=one,server=on,addr.type=unix,addr.path=%s/s", "stream,id=two,server=off,addr.type=unix,addr.path=%s/s");
    assert_int_equal(net_remove(w->s, "two", &w->e), 0);
    settle(w);
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    snprintf(un.sun_path, sizeof un.sun_path, "%s/s", w->dir);
    static const char garbage[] = "\xff\xff\xff\xff nonsense";
    for (int i = 0; i < 2; i++) { /* a length that cannot be: the connection ends; the next one is fine */
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        char c;
        assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof un), 0);
        assert_int_equal(send(fd, garbage, sizeof garbage, 0), sizeof garbage);
        settle(w);
        assert_true(recv(fd, &c, 1, 0) <= 0);
        close(fd);
    }
}

static void test_dgram(void **state)
{
    struct world *w = *state;
    pair(w, "dgram,id=one,local.type=unix,local.path=%s/a,remote.type=unix,remote.path=%s/b",
         "dgram,id=two,remote.type=unix,remote.path=%s/a,local.type=unix,local.path=%s/b");
}

static void test_socket_pair_fd(void **state)
{
    struct world *w = *state;
    int p[2];
    char one[64], two[64];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
    snprintf(one, sizeof one, "socket,id=one,fd=%d", p[0]);
    snprintf(two, sizeof two, "socket,id=two,fd=%d", p[1]);
    pair(w, one, two);
}

static void test_tap(void **state)
{
    struct world *w = *state;
    uint8_t frame[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 0x88, 0xb5, 'x' };
    if (net_new_text(w->s, "tap,id=t,script=no,downscript=no", &w->e)) {
        print_message("%s\n", w->e.msg);
        skip();
    }
    plug(w, &w->a, "t");
    assert_true(net_offloads(w->a.port) & NET_VNET_HDR);
    struct ifreq r = { 0 };
    assert_int_equal(sscanf(net_info(net_find(w->s, "t")), "index=0,type=tap,ifname=%15[^,]", r.ifr_name), 1);
    int raw = socket(AF_PACKET, SOCK_RAW, htons(0x88b5));
    assert_true(raw >= 0);
    struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(0x88b5), .sll_ifindex = (int)if_nametoindex(r.ifr_name) };
    assert_int_equal(ioctl(raw, SIOCGIFFLAGS, &r), 0);
    r.ifr_flags |= IFF_UP;
    assert_int_equal(ioctl(raw, SIOCSIFFLAGS, &r), 0);
    assert_int_equal(bind(raw, (struct sockaddr *)&ll, sizeof ll), 0);
    for (unsigned hdr = 0; hdr <= 12; hdr += 12) {
        uint8_t out[72] = { 0 }, in[100];
        assert_int_equal(net_set_offloads(w->a.port, hdr, hdr ? NET_CSUM : 0), 0);
        assert_int_equal(send(raw, frame, sizeof frame, 0), sizeof frame);
        UNTIL(w->a.len >= 15 + hdr && w->a.last[hdr + 14] == 'x' && w->a.last[hdr + 12] == 0x88);
        assert_int_equal(w->a.len, sizeof frame + hdr);
        memset(w->a.last, 0, sizeof w->a.last);
        memcpy(out + hdr, frame, sizeof frame);
        out[hdr + 14] = 'y';
        net_send_buf(w->a.port, out, sizeof frame + hdr);
        do {
            assert_int_equal(recv(raw, in, sizeof in, 0), sizeof frame);
        } while (in[14] == 'x'); /* its own */
        assert_int_equal(in[14], 'y');
    }
    close(raw);
}

/* --- options ------------------------------------------------------------------------------------------------------------------------ */

static void test_options(void **state)
{
    struct world *w = *state;
    assert_false(net_options_given(w->s));
    assert_int_equal(net_nic_option(w->s, "user,model=virtio-net-pci,mac=52:54:00:00:00:01,hostname=g,addr=3", &w->e), 0);
    assert_int_equal(net_net_option(w->s, "nic,model=e1000,macaddr=52:54:00:00:00:02,name=eth1", &w->e), 0);
    assert_int_equal(net_net_option(w->s, "user,net=10.0.2.0/24", &w->e), 0);
    assert_int_equal(net_nic_option(w->s, "none", &w->e), 0);
    struct net_nic *n = net_nic_request(w->s, 0);
    assert_string_equal(n->model, "virtio-net-pci");
    assert_int_equal(n->mac[5], 1);
    assert_string_equal(opts_get(&n->rest, "addr"), "3");
    assert_string_equal(net_kind(net_find(w->s, n->netdev)), "user");
    n = net_nic_request(w->s, 1);
    assert_string_equal(n->id, "eth1");
    assert_string_equal(net_kind(net_find(w->s, n->netdev)), "hubport");
    assert_null(net_nic_request(w->s, 2));
    plug(w, &w->a, n->netdev); /* reaches the user network through the hub */
    send_tcp(&w->a, gate_ip, 1, 1, 0, 0, 2, "");
    expect_ip(w, &w->a, 6); /* refused */
    assert_true(net_nic_option(w->s, "user,mac=zz", &w->e) < 0);
    assert_true(net_nic_option(w->s, "user,mac=01:00:00:00:00:00", &w->e) < 0);
    assert_true(net_nic_option(w->s, "", &w->e) < 0);
    assert_true(net_nic_option(w->s, "user,bogus=1", &w->e) < 0);
    assert_true(net_net_option(w->s, "bogus", &w->e) < 0);
    assert_null(net_nic_request(w->s, 2));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_flow), T(test_bounds), T(test_ping_pong), T(test_link), T(test_dump), T(test_user_out), T(test_user_hostfwd),
        T(test_user_guestfwd), T(test_user_errors), T(test_stream), T(test_dgram), T(test_socket_pair_fd), T(test_tap), T(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
