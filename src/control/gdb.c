/*
 * gdb.c: the gdb stub of Linux user mode (-g): listening, the connection, and the thread that serves it.
 * Protocol: GDB's manual, appendix "GDB Remote Serial Protocol".
 *
 * A connection that breaks counts as a detach: the guest runs on, and the next client may come. A session outlives execve:
 * the connection stays open, what the client asked for is in a memfd, "-g fd:N" tells the new emulator of it. The serving
 * thread is one more thread of the process, so system calls that a process with one thread only may make (unshare of a user
 * namespace) fail under the debugger.
 */
#include "control/gdb.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

struct gdb gdb_state;

enum { SERVER_STACK = 256 << 10, SEND_SECONDS = 10 };

/* --- the connection ------------------------------------------------------------------------------------------------------ */
static void hang_up(struct gdb *g)
{
    if (g->fd < 0) return;
    gdb_file_close_all();
    gdb_user_own_fd(g->fd, false);
    close(g->fd);
    g->fd = -1;
}

/* The guest runs on. */
static void lose(struct gdb *g)
{
    if (g->phase != GP_GONE) gdb_user_detach(g);
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

static void packet(struct gdb *g, enum gdb_event ev)
{
    bool acks = !g->client.noack;
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
        if (g->reply && !g->client.noack) send_bytes(g, g->out.data, g->out.len);
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
        if (g->client.multi) gdb_putf(&g->out, ";process:%x", g->pid);
        if (g->phase != GP_GONE) send_reply(g);
        g->ended = true;
        g->phase = GP_GONE;
        pthread_cond_broadcast(&g->resumed);
    } else if (g->phase == GP_STOPPING && gdb_user_all_parked(g)) {
        g->phase = GP_STOPPED;
        if (!g->fresh) {
            gdb_stop_reply(g);
            send_reply(g);
        }
        g->fresh = false;
    } else if (g->phase == GP_RUNNING && g->none_left && gdb_user_all_parked(g)) {
        g->phase = GP_STOPPED;
        g->stop = GS_NONE;
        if (g->client.no_resumed)
            gdb_puts(&g->out, "N");
        else
            gdb_stop_reply(g);
        send_reply(g);
    }
}

/* A client at the listening socket. It finds the program stopped. */
static int welcome(struct gdb *g)
{
    int one = 1, fd;
    struct timeval tv = { .tv_sec = SEND_SECONDS };
    do fd = accept4(g->lfd, NULL, NULL, SOCK_CLOEXEC); while (fd < 0 && errno == EINTR);
    if (fd < 0) return -errno;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv); /* a client that does not read is gone */
    g->fd = gdb_user_high_fd(fd);
    gdb_user_own_fd(g->fd, true);
    memset(&g->client, 0, sizeof g->client);
    memset(&g->in, 0, sizeof g->in);
    g->reply = false;
    g->g_tid = g->c_tid = 0;
    return 0;
}

static void attach(struct gdb *g)
{
    if (welcome(g) < 0) return;
    g->fresh = true;
    g->stop = GS_SIGNAL;
    g->stop_sig = SIGTRAP;
    gdb_user_stop_all(g);
    gdb_user_mirror(g);
}

/* What the client sent. The lock is held while it is taken out of the socket: an execve leaves no bytes behind. */
static void hear(struct gdb *g)
{
    uint8_t buf[4096];
    ssize_t n = recv(g->fd, buf, sizeof buf, MSG_DONTWAIT);
    for (ssize_t i = 0; i < n && g->phase != GP_GONE; i++) input(g, buf[i]);
    if (!n || (n < 0 && errno != EAGAIN && errno != EINTR)) lose(g);
}

static void *serve(void *arg)
{
    struct gdb *g = arg;
    while (!g->ending || g->phase != GP_GONE) {
        int client = g->fd < 0 ? g->lfd : g->fresh ? -1 : g->fd;
        struct pollfd p[2] = { { .fd = g->event, .events = POLLIN }, { .fd = client, .events = POLLIN } };
        if (poll(p, 2, -1) < 0) continue;
        uint64_t n;
        if (p[0].revents && read(g->event, &n, sizeof n) < 0) continue;
        pthread_mutex_lock(&g->lock);
        if (p[0].revents) news(g);
        if (p[1].revents && g->fd < 0)
            attach(g);
        else if (p[1].revents)
            hear(g);
        if (g->phase == GP_GONE) hang_up(g);
        pthread_mutex_unlock(&g->lock);
    }
    /* not by return: to libc the last of its threads would end the process, but the guest's leader may be another */
    RAW(SYS_exit, 0);
    return NULL;
}

/* --- execve -------------------------------------------------------------------------------------------------------------- */
enum { SESSION_MAGIC = 0x6c797231 };
struct session {
    uint32_t magic, size;
    int fd, lfd;
    char path[108];
    struct gdb_client client;
};

void gdb_session_keep(struct gdb *g, bool keep)
{
    if (g->fd >= 0) fcntl(g->fd, F_SETFD, keep ? 0 : FD_CLOEXEC);
    if (g->lfd >= 0) fcntl(g->lfd, F_SETFD, keep ? 0 : FD_CLOEXEC);
}

int gdb_session_save(struct gdb *g)
{
    struct session s = { .magic = SESSION_MAGIC, .size = sizeof s, .fd = g->fd, .lfd = g->lfd, .client = g->client };
    int fd = gdb_user_high_fd(memfd_create("gdb", MFD_CLOEXEC));
    if (fd < 0) return -errno;
    memcpy(s.path, g->path, sizeof s.path);
    if (pwrite(fd, &s, sizeof s, 0) == sizeof s && !fcntl(fd, F_SETFD, 0)) return fd;
    close(fd);
    return -ENOMEM;
}

/* The program before this one had a debugger. */
static int session_load(struct gdb *g, int fd, struct err *e)
{
    struct session s;
    ssize_t n = pread(fd, &s, sizeof s, 0);
    if (n != sizeof s || s.magic != SESSION_MAGIC || s.size != sizeof s) return err_set(e, EINVAL, "no session of a debugger");
    close(fd);
    g->fd = s.fd;
    g->lfd = s.lfd;
    g->client = s.client;
    memcpy(g->path, s.path, sizeof g->path);
    gdb_session_keep(g, false);
    if (g->fd >= 0) gdb_user_own_fd(g->fd, true);
    return 0;
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
        path[0] = 0;
        return err_set(e, err, "%s", strerror(err));
    }
    return fd;
}

/* "PORT" or "PATH"; ",suspend=n" behind it: the program starts without waiting for a client. */
static int listen_at(struct gdb *g, const char *where, bool *wait, struct err *e)
{
    static const char no_wait[] = ",suspend=n", yes_wait[] = ",suspend=y";
    size_t n = strlen(where), tail = sizeof no_wait - 1;
    char name[128];
    *wait = !(n > tail && !strcmp(where + n - tail, no_wait));
    if (!*wait || (n > tail && !strcmp(where + n - tail, yes_wait))) n -= tail;
    if (n >= sizeof name) return err_set(e, ENAMETOOLONG, "the socket's path is too long");
    memcpy(name, where, n);
    name[n] = 0;
    int fd = name[strspn(name, "0123456789")] ? listen_unix(name, g->path, e) : listen_tcp(name, e);
    if (fd < 0) return fd;
    g->lfd = gdb_user_high_fd(fd);
    return 0;
}

void gdb_unlisten(struct gdb *g)
{
    if (g->lfd < 0) return;
    gdb_user_own_fd(g->lfd, false);
    close(g->lfd);
    g->lfd = -1;
    if (g->path[0]) unlink(g->path);
}

static int connect_client(struct gdb *g, const char *where, enum gdb_phase *phase, struct err *e)
{
    bool wait;
    int r;
    g->fd = g->lfd = -1;
    if (!strncmp(where, "fd:", 3)) {
        r = session_load(g, (int)strtol(where + 3, NULL, 10), e);
        *phase = g->fd >= 0 ? GP_STOPPING : GP_GONE; /* STOPPING: it waits for news, which is the new program */
        return r;
    }
    r = listen_at(g, where, &wait, e);
    if (r >= 0 && wait && (r = welcome(g)) < 0) err_set(e, -r, "accept: %s", strerror(-r));
    *phase = wait ? GP_STOPPED : GP_GONE;
    if (r < 0) gdb_unlisten(g);
    return r;
}

static int start_server(struct gdb *g, struct task *t)
{
    pthread_attr_t attr;
    pthread_t th;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, SERVER_STACK);
    signal_block_all(); /* signals are the guest's threads' */
    int r = pthread_create(&th, &attr, serve, g);
    signal_host_mask(t->mask);
    pthread_attr_destroy(&attr);
    return r;
}

int gdbstub_start(CPU *cpu, const char *where, struct err *e)
{
    struct gdb *g = &gdb_state;
    enum gdb_phase phase;
    int r = *where ? gdb_regs_init(&g->regs, cpu, e) : err_set(e, EINVAL, "a port or a path is needed");
    if (r < 0 || (r = connect_client(g, where, &phase, e)) < 0) return r;
    g->event = gdb_user_high_fd(eventfd(0, EFD_CLOEXEC));
    if (g->event < 0) return err_set(e, errno, "eventfd: %s", strerror(errno));
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->resumed, NULL);
    gdb_user_own_fd(g->event, true);
    if (g->lfd >= 0) gdb_user_own_fd(g->lfd, true);
    gdb_user_init(g, cpu, phase);
    if ((r = start_server(g, cpu->v->user))) return err_set(e, r, "thread: %s", strerror(r));
    gdb_user_park_first(g, cpu);
    return 0;
}
