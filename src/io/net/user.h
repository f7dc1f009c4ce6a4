/* user.h: the user back end's parts. */
#ifndef LYRE_IO_NET_USER_H
#define LYRE_IO_NET_USER_H

#include <netinet/in.h>
#include <slirp/libslirp.h>
#include "io/net/net.h"

struct chr_fe;
struct user;
struct user_fd {                  /* a socket of libslirp's */
    struct user_fd *next;
    struct user *u;
    struct loop_fd *watch;
    int fd;
    unsigned got;                 /* LOOP_* since the last round */
    bool wanted;
};
struct user_timer {
    struct timer t;
    struct user *u;
    SlirpTimerCb fn;
    void *ctx;
};
struct user_fwd {                 /* guestfwd to a character device */
    struct user_fwd *next;
    struct user *u;
    struct chr_fe *fe;
    struct in_addr addr;
    int port;
};
struct user {
    struct net_port p;
    Slirp *slirp;
    struct deferred work;         /* libslirp's round: what its sockets have, what it waits for now */
    struct timer tick;            /* its time-outs */
    struct user_fd *fds, **index; /* index: what it was told in the last round */
    uint32_t nindex, index_cap;
    struct user_fwd *fwds;
    bool filled;                  /* a round's first half was made: index is its */
};
extern const struct net_driver user_net;

/* user_opts.c */
int user_config(struct user *u, const struct opts *o, SlirpConfig *cfg, const char ***search, struct err *e);
int user_hostfwd(struct user *u, const char *spec, bool add, struct err *e);
int user_guestfwd(struct user *u, const char *spec, struct err *e);

#endif
