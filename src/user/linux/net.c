/* net.c: sockets: addresses, messages with control data, options. */
#include "user/linux/user.h"

#include <linux/filter.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include "user/linux/kernel.h"

union addr {
    struct sockaddr_storage s;
    struct sockaddr_nl nl;
    uint8_t b[256];
};

/* Addresses are bytes in network order, the family and a few kernel families' fields excepted. */
static void swap_addr(const struct proc *p, union addr *sa, size_t len, bool to_guest)
{
    if (!p->big || len < 2) return;
    uint16_t family = to_guest ? sa->s.ss_family : __builtin_bswap16(sa->s.ss_family);
    sa->s.ss_family = __builtin_bswap16(sa->s.ss_family);
    if (family == AF_NETLINK && len >= sizeof sa->nl) {
        sa->nl.nl_pid = __builtin_bswap32(sa->nl.nl_pid);
        sa->nl.nl_groups = __builtin_bswap32(sa->nl.nl_groups);
    }
}

static int addr_get(struct task *t, union addr *sa, uint64_t addr, uint64_t len)
{
    memset(sa, 0, sizeof *sa);
    if (len > sizeof *sa) return -EINVAL;
    int r = len ? get_bytes(t, sa, addr, len) : 0;
    if (r >= 0) swap_addr(t->p, sa, len, false);
    return r;
}

/* Writes at most the room the guest has and tells the full length, as the kernel does. */
static int addr_put(struct task *t, union addr *sa, uint32_t len, uint64_t addr, uint32_t room)
{
    swap_addr(t->p, sa, len, true);
    return put_bytes(t, addr, sa, MIN(MIN(len, room), (uint32_t)sizeof *sa));
}

int64_t sys_bind(struct task *t, const uint64_t *a)
{
    union addr sa;
    int r = addr_get(t, &sa, a[1], (uint32_t)a[2]);
    return r < 0 ? r : SAFE(t, SYS_bind, (int)a[0], &sa, (uint32_t)a[2]);
}

int64_t sys_connect(struct task *t, const uint64_t *a)
{
    union addr sa;
    int r = addr_get(t, &sa, a[1], (uint32_t)a[2]);
    return r < 0 ? r : SAFE(t, SYS_connect, (int)a[0], &sa, (uint32_t)a[2]);
}

/* accept, getsockname ...: calls that return an address through (pointer, length in and out). */
static int64_t addr_call(struct task *t, long nr, const uint64_t *a, long flags)
{
    union addr sa = { 0 };
    uint64_t room = 0;
    uint32_t len = sizeof sa;
    int r;
    if (a[1] && (r = get_uint(t, a[2], 4, &room)) < 0) return r;
    if (a[1] && (int32_t)room < 0) return -EINVAL;
    int64_t ret = SAFE(t, nr, (int)a[0], a[1] ? &sa : NULL, a[1] ? &len : NULL, flags);
    if (ret < 0 || !a[1]) return ret;
    if ((r = addr_put(t, &sa, len, a[1], (uint32_t)room)) < 0) return r;
    r = put_uint(t, a[2], 4, len);
    return r < 0 ? r : ret;
}

int64_t sys_accept(struct task *t, const uint64_t *a)
{
    return addr_call(t, SYS_accept, a, 0);
}

int64_t sys_accept4(struct task *t, const uint64_t *a)
{
    return addr_call(t, SYS_accept4, a, (long)flags_to_host(t->p, &fl_open, (uint32_t)a[3]));
}

int64_t sys_getsockname(struct task *t, const uint64_t *a)
{
    return a[1] ? addr_call(t, SYS_getsockname, a, 0) : -EFAULT;
}

int64_t sys_getpeername(struct task *t, const uint64_t *a)
{
    return a[1] ? addr_call(t, SYS_getpeername, a, 0) : -EFAULT;
}

int64_t sys_sendto(struct task *t, const uint64_t *a)
{
    union addr sa;
    void *buf = user_ptr(t, a[1], a[2], GP_READ);
    int r;
    if (buf == BAD_PTR) return -EFAULT;
    if (a[4] && (r = addr_get(t, &sa, a[4], (uint32_t)a[5])) < 0) return r;
    return SAFE(t, SYS_sendto, (int)a[0], buf, a[2], (unsigned)a[3], a[4] ? &sa : NULL, a[4] ? (uint32_t)a[5] : 0);
}

int64_t sys_recvfrom(struct task *t, const uint64_t *a)
{
    union addr sa = { 0 };
    uint64_t room = 0;
    uint32_t len = sizeof sa;
    int r;
    void *buf = user_ptr(t, a[1], a[2], GP_WRITE);
    if (buf == BAD_PTR) return -EFAULT;
    if (a[4] && (r = get_uint(t, a[5], 4, &room)) < 0) return r;
    int64_t ret = SAFE(t, SYS_recvfrom, (int)a[0], buf, a[2], (unsigned)a[3], a[4] ? &sa : NULL, a[4] ? &len : NULL);
    if (ret < 0 || !a[4]) return ret;
    if ((r = addr_put(t, &sa, len, a[4], (uint32_t)room)) < 0 || (r = put_uint(t, a[5], 4, len)) < 0) return r;
    return ret;
}

/* --- messages ------------------------------------------------------------------------------------------------------------ */
enum { CONTROL_MAX = 65536 };

struct message {
    struct msghdr h;
    struct g_msghdr g;
    union addr name;
    struct iovec fixed[16];
    uint8_t *control;   /* malloc'ed */
    uint64_t room;      /* of the guest's control buffer */
};

/* Numbers inside control data: int arrays and credentials of SOL_SOCKET; all else goes as bytes. */
static void control_data(const struct proc *p, int level, int type, uint8_t *d, size_t n)
{
    if (!p->big || level != SOL_SOCKET || (type != SCM_RIGHTS && type != SCM_CREDENTIALS)) return;
    for (size_t i = 0; i + 4 <= n; i += 4) {
        uint32_t v;
        memcpy(&v, d + i, 4);
        v = __builtin_bswap32(v);
        memcpy(d + i, &v, 4);
    }
}

static size_t guest_cmsg_align(const struct proc *p, size_t n)
{
    return ALIGN_UP(n, (size_t)p->word);
}

static int control_to_host(struct task *t, struct message *m)
{
    const struct proc *p = t->p;
    size_t head = guest_cmsg_align(p, lay_size(p, &lay_cmsghdr)), len = m->g.controllen, out = 0;
    if (!m->g.control || !len) return 0;
    if (len > CONTROL_MAX) return -ENOBUFS;
    uint8_t *in = xalloc(len);
    m->control = xalloc(len * 2 + 64); /* host headers are at most twice as long */
    int r = get_bytes(t, in, m->g.control, len);
    for (size_t at = 0; r >= 0 && at + head <= len;) {
        struct g_cmsghdr c;
        lay_decode(p, &lay_cmsghdr, &c, in + at);
        if (c.len < head || c.len > len - at) {
            r = -EINVAL;
            break;
        }
        size_t n = c.len - head;
        struct cmsghdr *h = (struct cmsghdr *)(m->control + out);
        h->cmsg_len = CMSG_LEN(n);
        h->cmsg_level = c.level;
        h->cmsg_type = c.type;
        memcpy(CMSG_DATA(h), in + at + head, n);
        control_data(p, c.level, c.type, CMSG_DATA(h), n);
        out += CMSG_SPACE(n);
        at += guest_cmsg_align(p, c.len);
    }
    free(in);
    m->h.msg_control = m->control;
    m->h.msg_controllen = out;
    return r;
}

static int control_to_guest(struct task *t, struct message *m)
{
    const struct proc *p = t->p;
    size_t head = guest_cmsg_align(p, lay_size(p, &lay_cmsghdr)), at = 0;
    uint8_t raw[64];
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&m->h); h; h = CMSG_NXTHDR(&m->h, h)) {
        size_t n = h->cmsg_len - CMSG_LEN(0);
        if (at + head > m->room) {
            m->h.msg_flags |= MSG_CTRUNC;
            break;
        }
        if (n > m->room - at - head) {
            n = m->room - at - head;
            m->h.msg_flags |= MSG_CTRUNC;
        }
        struct g_cmsghdr c = { head + n, h->cmsg_level, h->cmsg_type };
        lay_encode(p, &lay_cmsghdr, raw, &c);
        control_data(p, h->cmsg_level, h->cmsg_type, CMSG_DATA(h), n);
        int r = put_bytes(t, m->g.control + at, raw, lay_size(p, &lay_cmsghdr));
        if (r >= 0) r = put_bytes(t, m->g.control + at + head, CMSG_DATA(h), n);
        if (r < 0) return r;
        at = MIN(at + guest_cmsg_align(p, head + n), (size_t)m->room);
    }
    m->g.controllen = at;
    return 0;
}

static void message_free(struct message *m)
{
    if (m->h.msg_iov) iov_put(m->h.msg_iov, m->fixed);
    free(m->control);
}

static int message_get(struct task *t, struct message *m, bool send)
{
    memset(&m->h, 0, sizeof m->h);
    m->control = NULL;
    int r = 0;
    if (m->g.name) {
        if ((int32_t)m->g.namelen < 0) return -EINVAL;
        m->g.namelen = MIN(m->g.namelen, 128u);
        if (send) r = addr_get(t, &m->name, m->g.name, m->g.namelen);
        m->h.msg_name = &m->name;
        m->h.msg_namelen = send ? m->g.namelen : (socklen_t)sizeof m->name;
    }
    if (r < 0) return r;
    if (m->g.iovlen > 1024) return -EMSGSIZE;
    r = iov_get(t, &m->h.msg_iov, m->fixed, ARRAY_LEN(m->fixed), m->g.iov, m->g.iovlen, send ? GP_READ : GP_WRITE);
    if (r < 0) {
        m->h.msg_iov = NULL;
        return r;
    }
    m->h.msg_iovlen = (size_t)r;
    if (send) {
        r = control_to_host(t, m);
    } else if (m->g.control) {
        m->room = m->g.controllen;
        size_t n = MIN(m->room, (uint64_t)CONTROL_MAX);
        /* host headers are longer than a 32-bit guest's; on equal layouts the sizes agree, and so does truncation */
        size_t host = t->p->word == 8 ? n : n * 2;
        m->control = xalloc(host + 1);
        m->h.msg_control = m->control;
        m->h.msg_controllen = host;
        r = 0;
    }
    return r < 0 ? r : 0;
}

static int64_t message_send(struct task *t, int fd, const struct g_msghdr *g, unsigned flags)
{
    struct message m;
    m.g = *g;
    int64_t ret = message_get(t, &m, true);
    if (ret >= 0) ret = SAFE(t, SYS_sendmsg, fd, &m.h, flags);
    message_free(&m);
    return ret;
}

/* Fills what the kernel fills in *g. */
static int64_t message_receive(struct task *t, int fd, struct g_msghdr *g, unsigned flags)
{
    struct message m;
    m.g = *g;
    int r;
    int64_t ret = message_get(t, &m, false);
    if (ret >= 0) ret = SAFE(t, SYS_recvmsg, fd, &m.h, flags);
    if (ret >= 0) {
        r = 0;
        if (m.g.name) r = addr_put(t, &m.name, m.h.msg_namelen, m.g.name, m.g.namelen);
        m.g.namelen = m.h.msg_namelen;
        if (r >= 0 && m.control) r = control_to_guest(t, &m);
        m.g.flags = (uint32_t)m.h.msg_flags;
        if (r < 0) ret = r;
        g->namelen = m.g.namelen;
        g->controllen = m.g.controllen;
        g->flags = m.g.flags;
    }
    message_free(&m);
    return ret;
}

int64_t sys_sendmsg(struct task *t, const uint64_t *a)
{
    struct g_msghdr g;
    int r = lay_get(t, &lay_msghdr, &g, a[1]);
    return r < 0 ? r : message_send(t, (int)a[0], &g, (unsigned)a[2]);
}

int64_t sys_recvmsg(struct task *t, const uint64_t *a)
{
    struct g_msghdr g;
    int r = lay_get(t, &lay_msghdr, &g, a[1]);
    if (r < 0) return r;
    int64_t ret = message_receive(t, (int)a[0], &g, (unsigned)a[2]);
    if (ret >= 0 && (r = lay_put(t, &lay_msghdr, a[1], &g)) < 0) return r;
    return ret;
}

int64_t sys_sendmmsg(struct task *t, const uint64_t *a)
{
    size_t size = lay_size(t->p, &lay_mmsghdr);
    uint64_t n = MIN((uint32_t)a[2], 1024u), i;
    for (i = 0; i < n; i++) {
        struct g_mmsghdr m;
        int r = lay_get(t, &lay_mmsghdr, &m, a[1] + i * size);
        int64_t ret = r < 0 ? r : message_send(t, (int)a[0], &m.hdr, (unsigned)a[3]);
        if (ret < 0) return i ? (int64_t)i : ret;
        m.len = (uint32_t)ret;
        if ((r = lay_put(t, &lay_mmsghdr, a[1] + i * size, &m)) < 0) return i ? (int64_t)i : r;
    }
    return (int64_t)i;
}

static uint64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int64_t sys_recvmmsg(struct task *t, const uint64_t *a)
{
    size_t size = lay_size(t->p, &lay_mmsghdr);
    uint64_t n = MIN((uint32_t)a[2], 1024u), i, end = 0;
    unsigned flags = (unsigned)a[3];
    struct timespec ts;
    int r;
    if (a[4]) {
        if ((r = lay_get(t, &lay_timespec, &ts, a[4])) < 0) return r;
        if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec > 999999999) return -EINVAL;
        end = now_ns() + (uint64_t)MIN(ts.tv_sec, INT32_MAX) * 1000000000 + (uint64_t)ts.tv_nsec;
    }
    for (i = 0; i < n; i++) {
        struct g_mmsghdr m;
        r = lay_get(t, &lay_mmsghdr, &m, a[1] + i * size);
        int64_t ret = r < 0 ? r : message_receive(t, (int)a[0], &m.hdr, flags & ~(unsigned)MSG_WAITFORONE);
        if (ret < 0) return i ? (int64_t)i : ret;
        m.len = (uint32_t)ret;
        if ((r = lay_put(t, &lay_mmsghdr, a[1] + i * size, &m)) < 0) return i ? (int64_t)i : r;
        if (flags & MSG_WAITFORONE) flags |= MSG_DONTWAIT;
        if (end && now_ns() >= end) { /* looked at after each message only, as documented */
            i++;
            break;
        }
    }
    return (int64_t)i;
}

/* --- options ------------------------------------------------------------------------------------------------------------- */
static bool is_timeval(int level, int opt)
{
    return level == SOL_SOCKET && (opt == SO_RCVTIMEO || opt == SO_SNDTIMEO);
}

/* struct sock_fprog: a pointer to instructions of 8 bytes. */
static int64_t attach_filter(struct task *t, const uint64_t *a)
{
    struct sock_filter *f;
    uint64_t len, addr;
    int r;
    if ((uint32_t)a[4] < 2 * t->p->word) return -EINVAL;
    if ((r = get_uint(t, a[3], 2, &len)) < 0 || (r = get_uint(t, a[3] + t->p->word, t->p->word, &addr)) < 0) return r;
    if (!len || len > BPF_MAXINSNS) return -EINVAL;
    f = xalloc(len * sizeof *f);
    r = get_bytes(t, f, addr, len * sizeof *f);
    for (uint64_t i = 0; i < len && t->p->big; i++) {
        f[i].code = __builtin_bswap16(f[i].code);
        f[i].k = __builtin_bswap32(f[i].k);
    }
    struct sock_fprog prog = { (unsigned short)len, f };
    int64_t ret = r < 0 ? r : RAW(SYS_setsockopt, (int)a[0], (int)a[1], (int)a[2], &prog, sizeof prog);
    free(f);
    return ret;
}

int64_t sys_setsockopt(struct task *t, const uint64_t *a)
{
    int level = (int)a[1], opt = (int)a[2], r;
    uint32_t len = (uint32_t)a[4];
    if (is_timeval(level, opt)) {
        struct timeval tv;
        if (len < lay_size(t->p, &lay_timeval)) return -EINVAL;
        if ((r = lay_get(t, &lay_timeval, &tv, a[3])) < 0) return r;
        return RAW(SYS_setsockopt, (int)a[0], level, opt, &tv, sizeof tv);
    }
    if (level == SOL_SOCKET && (opt == SO_ATTACH_FILTER || opt == SO_ATTACH_REUSEPORT_CBPF)) return attach_filter(t, a);
    if (t->p->big && len == 4) {
        uint64_t v;
        if ((r = get_uint(t, a[3], 4, &v)) < 0) return r;
        uint32_t host = (uint32_t)v;
        return RAW(SYS_setsockopt, (int)a[0], level, opt, &host, 4);
    }
    void *p = user_ptr(t, a[3], len, GP_READ);
    return p == BAD_PTR ? -EFAULT : RAW(SYS_setsockopt, (int)a[0], level, opt, p, len);
}

int64_t sys_getsockopt(struct task *t, const uint64_t *a)
{
    int level = (int)a[1], opt = (int)a[2], r;
    uint64_t room;
    if ((r = get_uint(t, a[4], 4, &room)) < 0) return r;
    if ((int32_t)room < 0) return -EINVAL;
    if (is_timeval(level, opt)) {
        struct timeval tv;
        uint32_t n = sizeof tv, size = (uint32_t)lay_size(t->p, &lay_timeval);
        uint8_t raw[16];
        int64_t ret = RAW(SYS_getsockopt, (int)a[0], level, opt, &tv, &n);
        if (ret < 0) return ret;
        lay_encode(t->p, &lay_timeval, raw, &tv);
        size = MIN(size, (uint32_t)room);
        if ((r = put_bytes(t, a[3], raw, size)) < 0) return r;
        return put_uint(t, a[4], 4, size);
    }
    uint32_t len = (uint32_t)room;
    void *p = user_ptr(t, a[3], len, GP_WRITE);
    if (p == BAD_PTR) return -EFAULT;
    int64_t ret = RAW(SYS_getsockopt, (int)a[0], level, opt, p, &len);
    if (ret < 0) return ret;
    if (t->p->big && level == SOL_SOCKET)
        for (uint32_t i = 0; i + 4 <= len && len <= 12; i += 4) {
            uint32_t v;
            memcpy(&v, (char *)p + i, 4);
            put_uint(t, a[3] + i, 4, v);
        }
    return put_uint(t, a[4], 4, len);
}
