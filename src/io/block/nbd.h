/*
 * nbd.h: the network block device protocol (NetworkBlockDevice/nbd doc/proto.md, public domain): numbers, blocking I/O on sockets, addresses; what
 * client (nbd_client.c) and server (nbd_server.c) share.
 */
#ifndef LYRE_IO_BLOCK_NBD_H
#define LYRE_IO_BLOCK_NBD_H

#include <endian.h>
#include <sys/uio.h>
#include "io/block/blk.h"
#include "io/sock.h"

#define NBD_MAGIC      0x4e42444d41474943ull
#define NBD_OPTS_MAGIC 0x49484156454f5054ull
#define NBD_REP_MAGIC  0x0003e889045565a9ull
enum { NBD_REQUEST_MAGIC = 0x25609513, NBD_SIMPLE_MAGIC = 0x67446698, NBD_CHUNK_MAGIC = 0x668e33ef };
enum { NBD_FIXED_NEWSTYLE = 1, NBD_NO_ZEROES = 2 };
enum { NBD_OPT_EXPORT_NAME = 1, NBD_OPT_ABORT, NBD_OPT_LIST, NBD_OPT_STARTTLS = 5, NBD_OPT_INFO, NBD_OPT_GO, NBD_OPT_STRUCTURED, NBD_OPT_LIST_META,
       NBD_OPT_SET_META };
enum { NBD_REP_ACK = 1, NBD_REP_SERVER, NBD_REP_INFO, NBD_REP_META };
#define NBD_REP_ERR(n) (0x80000000u | (n))
enum { NBD_ERR_UNSUP = 1, NBD_ERR_POLICY, NBD_ERR_INVALID, NBD_ERR_PLATFORM, NBD_ERR_TLS, NBD_ERR_UNKNOWN, NBD_ERR_SHUTDOWN, NBD_ERR_BLOCK_SIZE, NBD_ERR_TOO_BIG };
enum { NBD_INFO_EXPORT, NBD_INFO_NAME, NBD_INFO_DESCRIPTION, NBD_INFO_BLOCK_SIZE };
enum { NBD_F_HAS_FLAGS = 1, NBD_F_READ_ONLY = 2, NBD_F_FLUSH = 4, NBD_F_FUA = 8, NBD_F_TRIM = 32, NBD_F_ZEROES = 64, NBD_F_DF = 128, NBD_F_MULTI = 256,
       NBD_F_CACHE = 1024, NBD_F_FAST_ZERO = 2048 };
enum { NBD_CMD_READ, NBD_CMD_WRITE, NBD_CMD_DISC, NBD_CMD_FLUSH, NBD_CMD_TRIM, NBD_CMD_CACHE, NBD_CMD_ZEROES, NBD_CMD_STATUS };
enum { NBD_CMD_FUA = 1, NBD_CMD_NO_HOLE = 2, NBD_CMD_DF = 4, NBD_CMD_REQ_ONE = 8, NBD_CMD_FAST_ZERO = 16 };
enum { NBD_CHUNK_DONE = 1 };
enum { NBD_CHUNK_NONE, NBD_CHUNK_DATA, NBD_CHUNK_HOLE, NBD_CHUNK_STATUS = 5, NBD_CHUNK_ERROR = 0x8001, NBD_CHUNK_ERROR_OFFSET = 0x8002 };
enum { NBD_ST_HOLE = 1, NBD_ST_ZERO = 2 };
enum { NBD_MAX_DATA = 32 << 20, NBD_MAX_NAME = 4096, NBD_PORT = 10809, NBD_HANDSHAKE_S = 30 };

struct nbd_request {
    uint32_t magic;
    uint16_t flags, type;
    uint64_t handle, offset;
    uint32_t len;
} __attribute__((packed));
struct nbd_simple {
    uint32_t magic, error;
    uint64_t handle;
} __attribute__((packed));
struct nbd_chunk {
    uint32_t magic;
    uint16_t flags, type;
    uint64_t handle;
    uint32_t len;
} __attribute__((packed));
struct nbd_option {
    uint64_t magic;
    uint32_t option, len;
} __attribute__((packed));
struct nbd_option_reply {
    uint64_t magic;
    uint32_t option, type, len;
} __attribute__((packed));

/* All of it, or -errno; -ECONNRESET at the end. Blocking. */
int nbd_recv(int fd, void *buf, size_t n);
int nbd_recv_iov(int fd, const struct iovec *iov, int niov, size_t skip, size_t bytes);
int nbd_send(int fd, const struct iovec *iov, int niov);
uint32_t nbd_error(int error); /* -errno as the protocol's number */
/* Blocks without end; or for the handshake's time at most. */
int nbd_blocking(int fd, bool handshake);

#endif
