/*
 * tap.c: -netdev tap: a network interface of the host, with virtio headers and offloads; -netdev bridge: the same, made by a helper
 * with more rights, which passes the descriptor (its protocol: SCM_RIGHTS over a socket pair, --use-vnet --fd=N --br=NAME).
 * Facts: linux/if_tun.h, Documentation/networking/tuntap. Known gaps: several queues, vhost.
 */
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "io/net/net.h"
#include "io/sock.h"

extern char **environ;

enum { BURST = 64 };
struct tap {
    struct net_port p;
    int fd;
    struct loop_fd *w;
    bool vnet;                    /* the descriptor's frames begin with a header */
    unsigned hdr_kernel, hdr_nic; /* its bytes at the descriptor, and at the peer (0: none) */
    bool want_out, paused;
    char *down_script, ifname[IFNAMSIZ];
    uint8_t *buf;
};

static void ready(void *ctx, unsigned ev);

static void watch(struct tap *t)
{
    unsigned events = (t->paused ? 0u : LOOP_IN) | (t->want_out ? LOOP_OUT : 0u);
    if (t->w && events) {
        loop_fd_set(t->w, events);
    } else if (t->w) {
        loop_fd_free(t->w);
        t->w = NULL;
    } else if (events) {
        t->w = loop_fd_new(net_loop(t->p.set), t->fd, events, ready, t, NULL);
    }
}

static void ready(void *ctx, unsigned ev)
{
    struct tap *t = ctx;
    if (ev & LOOP_OUT && t->want_out) {
        t->want_out = false;
        net_ready(&t->p);
    }
    for (unsigned i = 0; i < BURST && ev & LOOP_IN && !t->paused && !t->p.dead; i++) {
        ssize_t n = read(t->fd, t->buf, NET_FRAME_MAX);
        size_t skip = t->vnet && !t->hdr_nic ? t->hdr_kernel : 0;
        if (n <= 0) break;
        if ((size_t)n > skip && !net_send_buf(&t->p, t->buf + skip, (size_t)n - skip)) t->paused = true;
    }
    if (!t->p.dead) watch(t);
}

static bool tap_can_recv(void *ctx)
{
    return !((struct tap *)ctx)->want_out;
}

static bool tap_recv(void *ctx, const struct iovec *iov, unsigned n)
{
    struct tap *t = ctx;
    static const uint8_t zero[32];
    struct iovec with[NET_IOV + 1];
    if (t->vnet && !t->hdr_nic) {
        if (n > NET_IOV) return true; /* dropped */
        with[0] = (struct iovec){ (void *)zero, t->hdr_kernel };
        memcpy(with + 1, iov, n * sizeof *iov);
        iov = with;
        n++;
    }
    if (writev(t->fd, iov, (int)n) < 0 && errno == EAGAIN) {
        t->want_out = true;
        watch(t);
        return false;
    }
    return true;
}

static void tap_resume(void *ctx)
{
    struct tap *t = ctx;
    t->paused = false;
    watch(t);
}

static unsigned tap_offloads(struct net_port *p)
{
    struct tap *t = (struct tap *)p;
    return t->vnet ? NET_VNET_HDR | NET_CSUM | NET_TSO4 | NET_TSO6 | NET_ECN : 0;
}

static int tap_set_offloads(struct net_port *p, unsigned hdr_len, unsigned flags)
{
    struct tap *t = (struct tap *)p;
    int len = hdr_len ? (int)hdr_len : 10;
    if (!t->vnet) return hdr_len ? -ENOTSUP : 0;
    if (len != 10 && len != 12) return -EINVAL;
    unsigned f = (flags & NET_CSUM ? TUN_F_CSUM : 0u) | (flags & NET_TSO4 ? TUN_F_TSO4 : 0u) | (flags & NET_TSO6 ? TUN_F_TSO6 : 0u) |
                 (flags & NET_ECN ? TUN_F_TSO_ECN : 0u);
    if (ioctl(t->fd, TUNSETVNETHDRSZ, &len) || ioctl(t->fd, TUNSETOFFLOAD, (unsigned long)f)) return -errno;
    t->hdr_kernel = (unsigned)len;
    t->hdr_nic = hdr_len;
    return 0;
}

/* --- opening -------------------------------------------------------------------------------------------------------------------- */

static int run_script(const char *script, const char *ifname, struct err *e)
{
    char *argv[] = { (char *)script, (char *)ifname, NULL };
    pid_t pid;
    int status, rc = posix_spawn(&pid, script, NULL, NULL, argv, environ);
    if (rc) return err_set(e, rc, "could not launch network script '%s': %s", script, strerror(rc));
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR) return err_set(e, errno, "network script %s: %s", script, strerror(errno));
    if (status) return err_set(e, EINVAL, "network script %s failed with status %d", script, WIFEXITED(status) ? WEXITSTATUS(status) : status);
    return 0;
}

static int open_tun(struct tap *t, const char *ifname, bool vnet, struct err *e)
{
    struct ifreq req = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    t->fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (t->fd < 0) return err_set(e, errno, "could not open /dev/net/tun: %s", strerror(errno));
    if (ifname && strlen(ifname) >= IFNAMSIZ) return err_set(e, EINVAL, "interface name '%s' is longer than %d", ifname, IFNAMSIZ - 1);
    if (vnet) req.ifr_flags |= IFF_VNET_HDR;
    strcpy(req.ifr_name, ifname ? ifname : "tap%d");
    if (ioctl(t->fd, TUNSETIFF, &req))
        return err_set(e, errno, "could not configure /dev/net/tun%s%s: %s", ifname ? " for " : "", ifname ? ifname : "", strerror(errno));
    memcpy(t->ifname, req.ifr_name, IFNAMSIZ);
    return 0;
}

static int adopt(struct tap *t, int fd, struct err *e)
{
    struct ifreq req = { 0 };
    int rc = fd_nonblock(fd);
    t->fd = fd;
    if (rc || ioctl(fd, TUNGETIFF, &req)) return err_set(e, rc ? -rc : errno, "descriptor %d is no tap device", fd);
    memcpy(t->ifname, req.ifr_name, IFNAMSIZ);
    t->vnet = req.ifr_flags & IFF_VNET_HDR;
    return 0;
}

/* The helper's descriptor, or -errno. */
static int receive_fd(int sock)
{
    char byte;
    union { struct cmsghdr align; char space[CMSG_SPACE(sizeof(int))]; } ctl;
    struct iovec iov = { &byte, 1 };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.space, .msg_controllen = sizeof ctl.space };
    ssize_t n;
    do {
        n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
    int fd = -EIO;
    if (h && h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS && h->cmsg_len >= CMSG_LEN(sizeof fd)) memcpy(&fd, CMSG_DATA(h), sizeof fd);
    return fd;
}

static int run_helper(struct tap *t, const char *helper, const char *bridge, struct err *e)
{
    int p[2], status, fd;
    char number[24], name[64];
    pid_t pid;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, p)) return err_set(e, errno, "socketpair: %s", strerror(errno));
    fcntl(p[0], F_SETFD, FD_CLOEXEC);
    snprintf(number, sizeof number, "--fd=%d", p[1]);
    snprintf(name, sizeof name, "--br=%.50s", bridge);
    char vnet[] = "--use-vnet", *argv[] = { (char *)(uintptr_t)helper, vnet, number, name, NULL };
    int rc = posix_spawn(&pid, helper, NULL, NULL, argv, environ);
    close(p[1]);
    fd = rc ? -rc : receive_fd(p[0]);
    close(p[0]);
    while (!rc && waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    if (fd < 0) return err_set(e, -fd, "bridge helper %s failed%s%s", helper, rc ? ": " : "", rc ? strerror(rc) : "");
    return adopt(t, fd, e);
}

static int finish(struct tap *t, struct err *e)
{
    t->buf = xalloc(NET_FRAME_MAX);
    t->hdr_kernel = t->vnet ? 10 : 0;
    if (t->vnet) tap_set_offloads(&t->p, 0, 0);
    watch(t);
    return t->w ? 0 : err_set(e, EIO, "descriptor %d cannot be waited for", t->fd);
}

static int tap_open(struct net_port *p, const struct opts *o, struct err *e)
{
    struct tap *t = (struct tap *)p;
    const char *fd = opts_get(o, "fd"), *helper = opts_get(o, "helper"), *script = opts_get(o, "script"), *down = opts_get(o, "downscript");
    const char *bridge = opts_str(o, "br", "br0"), *ifname = opts_get(o, "ifname");
    bool vnet, vhost;
    uint64_t queues, sndbuf;
    t->fd = -1;
    int rc = opts_bool(o, "vnet_hdr", true, &vnet, e);
    if (!rc) rc = opts_bool(o, "vhost", false, &vhost, e);
    if (!rc) rc = opts_num(o, "queues", 1, 1, 1, &queues, e);
    if (!rc) rc = opts_size(o, "sndbuf", 0, &sndbuf, e);
    if (rc) return rc;
    if (vhost) return err_set(e, ENOTSUP, "tap: vhost=on is not available");
    if (fd) {
        int n = sock_fd_number(fd, e);
        rc = n < 0 ? n : adopt(t, n, e);
        if (!rc) net_set_info(p, "fd=%d", n);
    } else if (helper) {
        rc = run_helper(t, helper, bridge, e);
        if (!rc) net_set_info(p, "helper=%s", helper);
    } else {
        rc = open_tun(t, ifname, vnet, e);
        t->vnet = vnet;
        if (!script && access("/etc/qemu-ifup", X_OK)) script = "no";
        if (!script) script = "/etc/qemu-ifup";
        if (!rc && strcmp(script, "no") && *script) rc = run_script(script, t->ifname, e);
        if (!rc && (!down || (*down && strcmp(down, "no")))) t->down_script = strdup(down ? down : "/etc/qemu-ifdown");
        if (!down && t->down_script && access(t->down_script, X_OK)) {
            free(t->down_script);
            t->down_script = NULL;
        }
        if (!rc) net_set_info(p, "ifname=%s,script=%s,downscript=%s", t->ifname, script, t->down_script ? t->down_script : "no");
        if (!rc && sndbuf && sndbuf < INT32_MAX) {
            int n = (int)sndbuf;
            ioctl(t->fd, TUNSETSNDBUF, &n);
        }
    }
    return rc ? rc : finish(t, e);
}

static int bridge_open(struct net_port *p, const struct opts *o, struct err *e)
{
    struct tap *t = (struct tap *)p;
    const char *helper = opts_str(o, "helper", "/usr/lib/qemu/qemu-bridge-helper"), *bridge = opts_str(o, "br", "br0");
    t->fd = -1;
    int rc = run_helper(t, helper, bridge, e);
    if (!rc) net_set_info(p, "helper=%s,br=%s", helper, bridge);
    return rc ? rc : finish(t, e);
}

static void tap_close(struct net_port *p)
{
    struct tap *t = (struct tap *)p;
    loop_fd_free(t->w);
    t->w = NULL;
    if (t->down_script && t->fd >= 0) run_script(t->down_script, t->ifname, NULL);
    if (t->fd >= 0) close(t->fd);
    t->fd = -1;
    free(t->down_script);
    free(t->buf);
    t->down_script = NULL;
    t->buf = NULL;
}

#define TAP_CLIENT { .can_recv = tap_can_recv, .recv = tap_recv, .resume = tap_resume }
const struct net_driver tap_net = {
    .name = "tap", .help = "an interface of the host: ifname=, script=, downscript=, fd=, helper=, br=, vnet_hdr=", .size = sizeof(struct tap),
    .open = tap_open, .close = tap_close, .client = TAP_CLIENT, .offloads = tap_offloads, .set_offloads = tap_set_offloads,
};
const struct net_driver bridge_net = {
    .name = "bridge", .help = "a tap on a bridge, made by a helper: br=, helper=", .size = sizeof(struct tap), .open = bridge_open,
    .close = tap_close, .client = TAP_CLIENT, .offloads = tap_offloads, .set_offloads = tap_set_offloads,
};
