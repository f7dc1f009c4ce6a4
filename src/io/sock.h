/* sock.h: stream and datagram sockets out of options (floor 3): host, port, to, ipv4, ipv6, path, abstract, tight, fd. */
#ifndef LYRE_IO_SOCK_H
#define LYRE_IO_SOCK_H

#include <sys/socket.h>
#include "base/base.h"
#include "io/opts.h"

struct sock_spec {
    enum { SOCK_INET, SOCK_UNIX, SOCK_FD } kind;
    int type;                     /* SOCK_STREAM, SOCK_DGRAM */
    char host[256], port[32];     /* SOCK_INET; empty host: any address, or localhost to connect to */
    unsigned to;                  /* ports to try up to this one when listening, 0: just the one */
    int family;                   /* AF_UNSPEC, AF_INET, AF_INET6 */
    bool numeric;                 /* no look-up: the address is one */
    char path[108];               /* SOCK_UNIX */
    bool abstract, tight;
    int fd;                       /* SOCK_FD */
    bool unlink_path;             /* sock_listen made the path */
};

/* What keys say; prefix is in front of each ("remote."), "" for none. -ENOENT without a message if there is no address at all. */
int sock_spec(struct sock_spec *s, const struct opts *o, const char *prefix, int type, struct err *e);
/* "[HOST]:PORT", "[::1]:80", ":80". */
int sock_parse_hostport(struct sock_spec *s, const char *text, int type, struct err *e);
/* A listening (or, of datagrams, bound) socket: descriptor or -errno. Nonblocking, close-on-exec, as what follows. */
int sock_listen(struct sock_spec *s, struct err *e);
/* A connection that may still be under way: sock_result tells when it is writable. local (may be NULL): bound to that before. */
int sock_connect(const struct sock_spec *s, const struct sock_spec *local, struct err *e);
int sock_result(int fd);
/* "tcp:127.0.0.1:80" / "unix:/path" / "fd:5"; what=own or peer's address of a socket. */
void sock_describe(const struct sock_spec *s, char *buf, size_t size);
void sock_address(int fd, bool peer, char *buf, size_t size);
/* Port that a listening inet socket got. */
unsigned sock_port(int fd);
/* Writes without a SIGPIPE, whatever the descriptor is: bytes or -errno. */
ssize_t fd_write(int fd, const void *buf, size_t len);
int fd_nonblock(int fd);
/* A descriptor number (or, with a monitor, a name it passed): takes it over. */
int sock_fd_number(const char *text, struct err *e);

#endif
