/*
 * gdb.c: the gdb stub of Linux user mode (-g): listening, the connection, and the thread that serves it.
 * Protocol: GDB's manual, appendix "GDB Remote Serial Protocol".
 *
 * A connection that breaks counts as a detach: the guest runs on. The serving thread is one more thread of the process, so
 * system calls that a process with one thread only may make (unshare of a user namespace) fail under the debugger.
 */
#include "control/gdb.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

struct gdb gdb_state;

enum { SERVER_STACK = 256 << 10, SEND_SECONDS = 10 };

/* --- the connection ------------------------------------------------------------------------------------------------------ */
static void lose(struct gdb *g)
{
    if (g->phase != GP_GONE) gdb_detach(g);
}

static void send_bytes(struct gdb *g, const char *p, size_t n)
{
    while (n && g->fd >= 0) {
        ssize_t r = send(g->fd, p, n, MSG_NOSIGNAL);
        if (r < 0 && errno == EINTR) continue;
        if (r <= 0) {
            lose(g);
            return;
        }
        p += r;
        n -= (size_t)r;
    }
}

static void send_reply(struct gdb *g)
{
    gdb_out_end(&g->out);
    g->reply = true; /* may be asked for again */
    send_bytes(g, g->out.data, g->out.len);
}

void gdb_detach(struct gdb *g)
{
    for (uint32_t i = 0; i < g->nbps; i++) engine_breakpoint(g->engine, g->bps[i], false);
    g->nbps = 0;
    g->nwatch = 0;
    g->phase = GP_GONE;
    gdb_user_mirror(g);
    pthread_cond_broadcast(&g->resumed);
}

static void packet(struct gdb *g, enum gdb_event ev)
{
    bool acks = !g->noack;
    if (ev == GE_BAD) {
        if (acks) send_bytes(g, "-", 1);
        return;
    }
    if (acks) send_bytes(g, "+", 1);
    if (ev == GE_PACKET && g->phase != GP_STOPPED && g->in.data[0] != 'k') return; /* it has not waited for the stop */
    gdb_out_begin(&g->out);
    g->reply = true;
    if (ev == GE_LONG)
        gdb_puts(&g->out, "E16");
    else
        gdb_command(g);
    if (g->reply) send_reply(g);
}

static void input(struct gdb *g, uint8_t c)
{
    enum gdb_event ev = gdb_in_byte(&g->in, c);
    switch (ev) {
    case GE_NONE: case GE_ACK: break;
    case GE_NAK:
        if (g->reply && !g->noack) send_bytes(g, g->out.data, g->out.len);
        break;
    case GE_INTERRUPT:
        if (g->phase != GP_RUNNING) break;
        g->reporter = NULL;
        g->stop = GS_SIGNAL;
        g->stop_sig = SIGINT;
        gdb_user_stop_all(g);
        break;
    default: packet(g, ev);
    }
}

/* The guest's side has news. */
static void news(struct gdb *g)
{
    gdb_out_begin(&g->out);
    if (g->ending) {
        if (g->exit_sig)
            gdb_putf(&g->out, "X%02x", gdb_signal_number(g->exit_sig));
        else
            gdb_putf(&g->out, "W%02x", g->exit_code & 0xff);
        if (g->multi) gdb_putf(&g->out, ";process:%x", g->pid);
        send_reply(g);
        g->ended = true;
        g->phase = GP_GONE;
        pthread_cond_broadcast(&g->resumed);
    } else if (g->phase == GP_STOPPING && gdb_user_all_parked(g)) {
        g->phase = GP_STOPPED;
        gdb_stop_reply(g);
        send_reply(g);
    } else if (g->phase == GP_RUNNING && g->none_left && gdb_user_all_parked(g)) {
        g->phase = GP_STOPPED;
        g->stop = GS_NONE;
        if (g->no_resumed)
            gdb_puts(&g->out, "N");
        else
            gdb_stop_reply(g);
        send_reply(g);
    }
}

static void *serve(void *arg)
{
    struct gdb *g = arg;
    uint8_t buf[4096];
    bool open = true;
    while (open) {
        struct pollfd p[2] = { { .fd = g->event, .events = POLLIN }, { .fd = g->fd, .events = POLLIN } };
        if (poll(p, 2, -1) < 0) continue;
        uint64_t n;
        if (p[0].revents && read(g->event, &n, sizeof n) < 0) continue;
        ssize_t got = p[1].revents ? recv(g->fd, buf, sizeof buf, MSG_DONTWAIT) : -1;
        bool closed = p[1].revents && (!got || (got < 0 && errno != EAGAIN && errno != EINTR));
        pthread_mutex_lock(&g->lock);
        if (p[0].revents) news(g);
        for (ssize_t i = 0; i < got && g->phase != GP_GONE; i++) input(g, buf[i]);
        if (closed) lose(g);
        open = g->phase != GP_GONE;
        pthread_mutex_unlock(&g->lock);
    }
    pthread_mutex_lock(&g->lock);
    gdb_file_close_all();
    gdb_user_own_fd(g->fd, false);
    close(g->fd);
    g->fd = -1;
    pthread_mutex_unlock(&g->lock);
    /* not by return: to libc the last of its threads would end the process, but the guest's leader may be another */
    RAW(SYS_exit, 0);
    return NULL;
}

/* --- start ------------------------------------------------------------------------------------------------------------------ */
static int listen_tcp(const char *where, struct err *e)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    unsigned long port = strtoul(where, NULL, 10);
    int one = 1, fd;
    if (port > 65535) return err_set(e, EINVAL, "ports go up to 65535");
    a.sin_port = htons((uint16_t)port);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return err_set(e, errno, "socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 1) < 0 || getsockname(fd, (struct sockaddr *)&a, &len) < 0) {
        int err = errno;
        close(fd);
        return err_set(e, err, "127.0.0.1:%lu: %s", port, strerror(err));
    }
    if (!port) dprintf(STDERR_FILENO, "gdb: listening on 127.0.0.1:%u\n", ntohs(a.sin_port)); /* nobody could know */
    return fd;
}

/* The socket appears under its name once it listens. "%d" in the name becomes the process number. */
static int listen_unix(const char *where, char path[108], struct err *e)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    struct stat st;
    const char *pct = strstr(where, "%d");
    int n = pct ? snprintf(path, 108, "%.*s%d%s", (int)(pct - where), where, (int)getpid(), pct + 2) : snprintf(path, 108, "%s", where);
    int m = snprintf(a.sun_path, sizeof a.sun_path, "%.96s.%d", path, (int)getpid());
    if (n >= 108 || n > 96 || m >= (int)sizeof a.sun_path) return err_set(e, ENAMETOOLONG, "a socket's path has at most 96 bytes");
    if (!lstat(path, &st) && !S_ISSOCK(st.st_mode)) return err_set(e, EEXIST, "exists and is no socket");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return err_set(e, errno, "socket: %s", strerror(errno));
    if (bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 1) < 0 || rename(a.sun_path, path) < 0) {
        int err = errno;
        unlink(a.sun_path);
        close(fd);
        return err_set(e, err, "%s", strerror(err));
    }
    return fd;
}

static int connection(const char *where, struct err *e)
{
    char path[108] = "";
    int one = 1, fd, lfd;
    struct timeval tv = { .tv_sec = SEND_SECONDS };
    lfd = where[strspn(where, "0123456789")] ? listen_unix(where, path, e) : listen_tcp(where, e);
    if (lfd < 0) return lfd;
    do fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC); while (fd < 0 && errno == EINTR);
    int err = errno;
    close(lfd);
    if (path[0]) unlink(path);
    if (fd < 0) return err_set(e, err, "accept: %s", strerror(err));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv); /* a client that does not read is gone */
    return gdb_user_high_fd(fd);
}

int gdbstub_start(CPU *cpu, const char *where, struct err *e)
{
    struct gdb *g = &gdb_state;
    pthread_attr_t attr;
    pthread_t th;
    int r = *where ? gdb_regs_init(&g->regs, cpu, e) : err_set(e, EINVAL, "a port or a path is needed");
    if (r < 0) return r;
    g->fd = connection(where, e);
    if (g->fd < 0) return g->fd;
    g->event = gdb_user_high_fd(eventfd(0, EFD_CLOEXEC));
    if (g->event < 0) return err_set(e, errno, "eventfd: %s", strerror(errno));
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->resumed, NULL);
    gdb_user_own_fd(g->fd, true);
    gdb_user_own_fd(g->event, true);
    gdb_user_init(g, cpu);
    struct task *t = cpu->v->user;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, SERVER_STACK);
    signal_block_all(); /* signals are the guest's threads' */
    r = pthread_create(&th, &attr, serve, g);
    signal_host_mask(t->mask);
    pthread_attr_destroy(&attr);
    if (r) return err_set(e, r, "thread: %s", strerror(r));
    gdb_user_park_first(g, cpu);
    return 0;
}
