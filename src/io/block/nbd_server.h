/*
 * nbd_server.h: nodes for others to read and write over NBD: nbd-server-start, lyre-nbd. Connections have threads of their own; everything here is
 * called on the loop's thread, lock held.
 */
#ifndef LYRE_IO_BLOCK_NBD_SERVER_H
#define LYRE_IO_BLOCK_NBD_SERVER_H

#include "base/loop.h"
#include "io/block/blk.h"
#include "io/sock.h"

struct nbd_server;
struct nbd_export;
struct nbd_server_config {
    unsigned max_connections;    /* 0: no limit */
    /* The number of connections changed (may be NULL). */
    void (*changed)(void *ctx, unsigned connections);
    void *ctx;
};
struct nbd_server *nbd_server_new(struct blk_graph *g, struct loop *l, const struct nbd_server_config *cfg);
/* Ends all connections. */
void nbd_server_free(struct nbd_server *s);
int nbd_server_listen(struct nbd_server *s, struct sock_spec *at, struct err *e);
/* A socket that listens already, or a connection; it is the server's then. */
int nbd_server_take(struct nbd_server *s, int fd, bool listens, struct err *e);
unsigned nbd_server_connections(struct nbd_server *s);

/* Takes a reference of the node. */
int nbd_export_add(struct nbd_server *s, const char *name, const char *description, struct blk_node *n, bool writable, struct err *e);
/* hard: connections are ended; -EBUSY otherwise while there are some. */
int nbd_export_remove(struct nbd_server *s, const char *name, bool hard, struct err *e);
/* In turn: names; NULL past the last. */
const char *nbd_export_next(struct nbd_server *s, unsigned i, struct blk_node **node);

#endif
