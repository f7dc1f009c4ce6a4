/* set.h: the insides of struct net_set, for net.c, options.c and dump.c. */
#ifndef LYRE_IO_NET_SET_H
#define LYRE_IO_NET_SET_H

#include "io/net/net.h"

struct net_set {
    struct loop *loop;
    struct net_host host;
    struct net_port *list, *dead;
    unsigned inside;              /* callbacks that run */
    struct deferred pump, sweep;
    unsigned macs;                /* default addresses given */
    bool given;                   /* -nic or -net was there */
    struct net_nic *nic;
    uint32_t nnics, nic_cap;
    unsigned names;               /* ids made up */
};
void net_leave(struct net_set *s);
void net_nic_done(struct net_nic *n);
/* The port's first dump ends. */
void net_dump_close(struct net_port *p);

#endif
