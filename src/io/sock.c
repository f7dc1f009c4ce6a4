/* sock.c: sockets out of options. Known gap: look-ups of names (getaddrinfo) wait; vsock is not there. */
#include "io/sock.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* --- descriptors ------------------------------------------------------------------------------------------------------------ */

int fd_nonblock(int fd)
{
    int fl = fcntl(fd, F_GETFL);
    return fl < 0 || fcntl(fd, F_SETFL, fl | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
}

/* A SIGPIPE that this write makes is taken away again, unless one was pending or is blocked by others already. */
static ssize_t write_quietly(int fd, const void *buf, size_t len)
{
    sigset_t pipe_set, old, pending;
    sigemptyset(&pipe_set);
    sigaddset(&pipe_set, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
    ssize_t n = write(fd, buf, len);
    if (n < 0) n = -errno;
    struct timespec zero = { 0 };
    if (n == -EPIPE && !sigismember(&pending, SIGPIPE)) sigtimedwait(&pipe_set, NULL, &zero);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return n;
}

ssize_t fd_write(int fd, const void *buf, size_t len)
{
    ssize_t n = send(fd, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == ENOTSOCK) return write_quietly(fd, buf, len);
    return n < 0 ? -errno : n;
}

int sock_fd_number(const char *text, struct err *e)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (!*text || *end || n < 0 || n > INT32_MAX) return err_set(e, EINVAL, "'%s' is no descriptor's number", text);
    if (fcntl((int)n, F_GETFD) < 0) return err_set(e, EBADF, "descriptor %ld is not open", n);
    return (int)n;
}

/* --- what is asked for -------------------------------------------------------------------------------------------------------- */

static const char *get(const struct opts *o, const char *prefix, const char *key)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s", prefix, key);
    return opts_get(o, name);
}

static int get_bool(const struct opts *o, const char *prefix, const char *key, bool def, bool *val, struct err *e)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s", prefix, key);
    return opts_bool(o, name, def, val, e);
}

static int spec_inet(struct sock_spec *s, const struct opts *o, const char *prefix, struct err *e)
{
    const char *host = get(o, prefix, "host"), *port = get(o, prefix, "port"), *to = get(o, prefix, "to");
    bool v4, v6;
    if (host && strlen(host) >= sizeof s->host) return err_set(e, EINVAL, "host name is longer than %zu", sizeof s->host - 1);
    if (port && strlen(port) >= sizeof s->port) return err_set(e, EINVAL, "port '%.40s...' is too long", port);
    strcpy(s->host, host ? host : "");
    strcpy(s->port, port && *port ? port : "0");
    if (to) {
        uint64_t n;
        char name[64];
        snprintf(name, sizeof name, "%sto", prefix);
        int rc = opts_num(o, name, 0, 1, 65535, &n, e);
        if (rc) return rc;
        s->to = (unsigned)n;
    }
    int rc = get_bool(o, prefix, "ipv4", false, &v4, e);
    if (!rc) rc = get_bool(o, prefix, "ipv6", false, &v6, e);
    if (!rc) rc = get_bool(o, prefix, "numeric", false, &s->numeric, e);
    if (rc) return rc;
    if (get(o, prefix, "ipv4") && !v4 && !get(o, prefix, "ipv6")) v6 = true;
    if (get(o, prefix, "ipv6") && !v6 && !get(o, prefix, "ipv4")) v4 = true;
    s->family = v4 == v6 ? AF_UNSPEC : v4 ? AF_INET : AF_INET6;
    return 0;
}

int sock_spec(struct sock_spec *s, const struct opts *o, const char *prefix, int type, struct err *e)
{
    *s = (struct sock_spec){ .type = type, .fd = -1, .family = AF_UNSPEC };
    const char *path = get(o, prefix, "path"), *fd = get(o, prefix, "fd"), *str = get(o, prefix, "str"), *kind = get(o, prefix, "type");
    if (kind && strcmp(kind, "inet") && strcmp(kind, "unix") && strcmp(kind, "fd"))
        return err_set(e, EINVAL, "address type '%s': it is inet, unix or fd", kind);
    if (!fd) fd = str;
    if (fd) {
        s->kind = SOCK_FD;
        s->fd = sock_fd_number(fd, e);
        return s->fd < 0 ? s->fd : 0;
    }
    if (path) {
        s->kind = SOCK_UNIX;
        int rc = get_bool(o, prefix, "abstract", false, &s->abstract, e);
        if (!rc) rc = get_bool(o, prefix, "tight", true, &s->tight, e);
        if (rc) return rc;
        if (strlen(path) >= sizeof s->path) /* sun_path, and the abstract name's leading zero */
            return err_set(e, ENAMETOOLONG, "UNIX socket path '%s' is too long: Path must be less than %zu bytes", path, sizeof s->path);
        strcpy(s->path, path);
        return 0;
    }
    if (!get(o, prefix, "host") && !get(o, prefix, "port")) {
        err_set(e, ENOENT, "an address is missing: %spath=, or %shost= and %sport=, or %sfd=", prefix, prefix, prefix, prefix);
        return -ENOENT;
    }
    s->kind = SOCK_INET;
    return spec_inet(s, o, prefix, e);
}

int sock_parse_hostport(struct sock_spec *s, const char *text, int type, struct err *e)
{
    *s = (struct sock_spec){ .kind = SOCK_INET, .type = type, .fd = -1, .family = AF_UNSPEC };
    const char *colon = strrchr(text, ':'), *host = text;
    if (!colon || !colon[1]) return err_set(e, EINVAL, "address '%s' is not HOST:PORT", text);
    size_t n = (size_t)(colon - text);
    if (*host == '[' && n >= 2 && host[n - 1] == ']') {
        host++;
        n -= 2;
    }
    if (n >= sizeof s->host || strlen(colon + 1) >= sizeof s->port) return err_set(e, EINVAL, "address '%.60s...' is too long", text);
    memcpy(s->host, host, n);
    s->host[n] = 0;
    strcpy(s->port, colon + 1);
    return 0;
}

/* --- addresses ------------------------------------------------------------------------------------------------------------------ */

static socklen_t unix_address(const struct sock_spec *s, struct sockaddr_un *un)
{
    size_t n = strlen(s->path);
    *un = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (s->abstract) {
        n = MIN(n, sizeof un->sun_path - 1);
        memcpy(un->sun_path + 1, s->path, n);
        return (socklen_t)(s->tight ? offsetof(struct sockaddr_un, sun_path) + 1 + n : sizeof *un);
    }
    memcpy(un->sun_path, s->path, MIN(n, sizeof un->sun_path));
    return sizeof *un;
}

static int resolve(const struct sock_spec *s, bool passive, struct addrinfo **list, struct err *e)
{
    struct addrinfo hint = { .ai_family = s->family, .ai_socktype = s->type, .ai_flags = passive ? AI_PASSIVE : 0 };
    if (s->numeric) hint.ai_flags |= AI_NUMERICHOST;
    int rc = getaddrinfo(*s->host ? s->host : NULL, s->port, &hint, list);
    if (rc) return err_set(e, rc == EAI_SYSTEM ? errno : EINVAL, "address resolution failed for %s:%s: %s", s->host, s->port, gai_strerror(rc));
    return 0;
}

static void set_port(struct sockaddr *a, unsigned port)
{
    if (a->sa_family == AF_INET6)
        ((struct sockaddr_in6 *)a)->sin6_port = htons((uint16_t)port);
    else
        ((struct sockaddr_in *)a)->sin_port = htons((uint16_t)port);
}

static unsigned get_port(const struct sockaddr *a)
{
    return ntohs(a->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *)a)->sin6_port : ((const struct sockaddr_in *)a)->sin_port);
}

static int listen_at(int type, const struct sockaddr *a, socklen_t len)
{
    int fd = socket(a->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;
    if (fd < 0) return -errno;
    if (a->sa_family != AF_UNIX) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, a, len) || (type == SOCK_STREAM && listen(fd, 4))) {
        int code = errno;
        close(fd);
        return -code;
    }
    return fd;
}

static int listen_inet(const struct sock_spec *s, struct err *e)
{
    struct addrinfo *list;
    int fd = resolve(s, true, &list, e);
    if (fd) return fd;
    fd = -EADDRNOTAVAIL;
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        unsigned first = get_port(a->ai_addr), last = MAX(s->to, first);
        for (unsigned p = first; p <= last; p++) {
            set_port(a->ai_addr, p);
            fd = listen_at(s->type, a->ai_addr, a->ai_addrlen);
            if (fd != -EADDRINUSE) break;
        }
    }
    freeaddrinfo(list);
    if (fd < 0) err_set(e, -fd, "Failed to listen on %s:%s: %s", s->host, s->port, strerror(-fd));
    return fd;
}

int sock_listen(struct sock_spec *s, struct err *e)
{
    if (s->kind == SOCK_FD) {
        int rc = fd_nonblock(s->fd);
        return rc ? err_set(e, -rc, "descriptor %d: %s", s->fd, strerror(-rc)) : s->fd;
    }
    if (s->kind == SOCK_INET) return listen_inet(s, e);
    struct sockaddr_un un;
    socklen_t len = unix_address(s, &un);
    struct stat st;
    if (!s->abstract && !lstat(s->path, &st) && S_ISSOCK(st.st_mode)) unlink(s->path); /* what an earlier run has left */
    int fd = listen_at(s->type, (struct sockaddr *)&un, len);
    if (fd < 0) return err_set(e, -fd, "Failed to bind socket to %s: %s", s->path, strerror(-fd));
    s->unlink_path = !s->abstract;
    return fd;
}

static int connect_to(int type, const struct sockaddr *a, socklen_t len, const struct sock_spec *local, struct err *e)
{
    int fd = socket(a->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    if (local && local->kind == SOCK_INET) {
        struct sock_spec l = *local;
        struct addrinfo *list;
        l.family = a->sa_family;
        int rc = resolve(&l, true, &list, e);
        if (!rc) {
            int one = 1;
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
            if (bind(fd, list->ai_addr, list->ai_addrlen)) rc = -errno;
            freeaddrinfo(list);
        }
        if (rc) {
            close(fd);
            return rc;
        }
    }
    if (connect(fd, a, len) && errno != EINPROGRESS) {
        int code = errno;
        close(fd);
        return -code;
    }
    return fd;
}

int sock_connect(const struct sock_spec *s, const struct sock_spec *local, struct err *e)
{
    if (s->kind == SOCK_FD) {
        int rc = fd_nonblock(s->fd);
        return rc ? err_set(e, -rc, "descriptor %d: %s", s->fd, strerror(-rc)) : s->fd;
    }
    if (s->kind == SOCK_UNIX) {
        struct sockaddr_un un;
        socklen_t len = unix_address(s, &un);
        int fd = connect_to(s->type, (struct sockaddr *)&un, len, NULL, e);
        if (fd < 0) err_set(e, -fd, "Failed to connect to '%s': %s", s->path, strerror(-fd));
        return fd;
    }
    struct addrinfo *list;
    int fd = resolve(s, false, &list, e);
    if (fd) return fd;
    fd = -EADDRNOTAVAIL;
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next) fd = connect_to(s->type, a->ai_addr, a->ai_addrlen, local, e);
    freeaddrinfo(list);
    if (fd < 0) err_set(e, -fd, "Failed to connect to '%s:%s': %s", s->host, s->port, strerror(-fd));
    return fd;
}

int sock_result(int fd)
{
    int code = 0;
    socklen_t len = sizeof code;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &len)) return -errno;
    return -code;
}

/* --- names ------------------------------------------------------------------------------------------------------------------------ */

void sock_describe(const struct sock_spec *s, char *buf, size_t size)
{
    switch (s->kind) {
    case SOCK_INET: snprintf(buf, size, strchr(s->host, ':') ? "[%s]:%s" : "%s:%s", s->host, s->port); break;
    case SOCK_UNIX: snprintf(buf, size, "%s", s->path); break;
    case SOCK_FD: snprintf(buf, size, "%d", s->fd); break;
    }
}

void sock_address(int fd, bool peer, char *buf, size_t size)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    char host[100] = "", port[16] = "";
    *buf = 0;
    if (peer ? getpeername(fd, (struct sockaddr *)&a, &len) : getsockname(fd, (struct sockaddr *)&a, &len)) return;
    if (a.ss_family == AF_UNIX) {
        const struct sockaddr_un *un = (const void *)&a;
        size_t n = len > offsetof(struct sockaddr_un, sun_path) ? len - offsetof(struct sockaddr_un, sun_path) : 0;
        if (n && !un->sun_path[0])
            snprintf(buf, size, "%.*s", (int)MIN(n - 1, sizeof un->sun_path - 1), un->sun_path + 1);
        else
            snprintf(buf, size, "%.*s", (int)MIN(n, sizeof un->sun_path), un->sun_path);
        return;
    }
    if (getnameinfo((struct sockaddr *)&a, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV)) return;
    snprintf(buf, size, a.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

unsigned sock_port(int fd)
{
    struct sockaddr_storage a = { 0 };
    socklen_t len = sizeof a;
    if (getsockname(fd, (struct sockaddr *)&a, &len) || (a.ss_family != AF_INET && a.ss_family != AF_INET6)) return 0;
    return get_port((struct sockaddr *)&a);
}
