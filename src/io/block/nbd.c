/* nbd.c: what NBD's client and server share: whole messages on blocking sockets. */
#include "io/block/nbd.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

int nbd_recv(int fd, void *buf, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = recv(fd, (char *)buf + done, n - done, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got ? -errno : -ECONNRESET;
        done += (size_t)got;
    }
    return 0;
}

int nbd_recv_iov(int fd, const struct iovec *iov, int niov, size_t skip, size_t bytes)
{
    int r = 0;
    for (int i = 0; i < niov && bytes && !r; i++) {
        if (skip >= iov[i].iov_len) {
            skip -= iov[i].iov_len;
            continue;
        }
        size_t n = MIN(iov[i].iov_len - skip, bytes);
        r = nbd_recv(fd, (char *)iov[i].iov_base + skip, n);
        bytes -= n;
        skip = 0;
    }
    return r ? r : bytes ? -EPROTO : 0;
}

int nbd_send(int fd, const struct iovec *iov, int niov)
{
    size_t total = blk_iov_bytes(iov, niov), done = 0;
    struct iovec part[64];
    while (done < total) {
        struct msghdr m = { .msg_iov = part };
        size_t skip = done;
        int first = 0;
        while (skip >= iov[first].iov_len) skip -= iov[first++].iov_len;
        for (int i = first; i < niov && m.msg_iovlen < ARRAY_LEN(part); i++) {
            part[m.msg_iovlen++] = (struct iovec){ (char *)iov[i].iov_base + skip, iov[i].iov_len - skip };
            skip = 0;
        }
        ssize_t n = sendmsg(fd, &m, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        done += (size_t)n;
    }
    return 0;
}

uint32_t nbd_error(int error)
{
    switch (-error) {
    case 0: return 0;
    case EPERM: case EROFS: return 1;
    case ENOMEM: return 12;
    case EINVAL: return 22;
    case ENOSPC: case EFBIG: return 28;
    case ENOTSUP: return 95;
    case ESHUTDOWN: return 108;
    default: return 5;
    }
}

int nbd_blocking(int fd, bool handshake)
{
    struct timeval t = { handshake ? NBD_HANDSHAKE_S : 0, 0 };
    int flags = fcntl(fd, F_GETFL), one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
    return flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) ? -errno : 0;
}
