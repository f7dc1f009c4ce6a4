/* dump.c: filter-dump: frames of a netdev into a file that tcpdump and others read (pcap, microseconds, Ethernet). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "io/net/set.h"

struct net_dump {
    struct net_dump *next;
    char *id;
    int fd;
    uint32_t maxlen;
    struct net_set *set;
};

/* Everything or nothing: a record that was cut off would make the rest unreadable. */
static void write_record(struct net_dump *d, const void *buf, size_t len)
{
    off_t at = lseek(d->fd, 0, SEEK_CUR);
    if (d->fd < 0 || write(d->fd, buf, len) == (ssize_t)len) return;
    if (at < 0 || ftruncate(d->fd, at)) {
        /* a pipe, perhaps: it ends here */
    }
    close(d->fd);
    d->fd = -1;
}

void net_dump_frame(struct net_dump *list, const struct iovec *iov, unsigned n, size_t skip)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    for (struct net_dump *d = list; d; d = d->next) {
        uint32_t whole = 0;
        size_t left = skip, room = d->maxlen;
        uint8_t *rec = xalloc(16 + MIN(room, NET_FRAME_MAX)), *p = rec + 16;
        for (unsigned i = 0; i < n; i++) {
            size_t cut = MIN(left, iov[i].iov_len), len = iov[i].iov_len - cut, take = MIN(len, room);
            left -= cut;
            if (take) memcpy(p, (const uint8_t *)iov[i].iov_base + cut, take);
            p += take;
            room -= take;
            whole += (uint32_t)len;
        }
        uint32_t head[4] = { (uint32_t)t.tv_sec, (uint32_t)(t.tv_nsec / 1000), (uint32_t)(p - rec - 16), whole };
        memcpy(rec, head, 16);
        write_record(d, rec, (size_t)(p - rec));
        free(rec);
    }
}

int net_dump_new(struct net_set *s, const char *id, const char *netdev, const char *file, uint32_t maxlen, struct err *e)
{
    struct net_port *p = net_find(s, netdev);
    if (!p) return err_set(e, ENOENT, "filter-dump: netdev '%s' not found", netdev);
    struct net_dump *d = xalloc(sizeof *d);
    d->fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (d->fd < 0) {
        free(d);
        return err_set(e, errno, "filter-dump: can't open '%s': %s", file, strerror(errno));
    }
    d->id = strdup(id);
    d->set = s;
    d->maxlen = maxlen ? MIN(maxlen, NET_FRAME_MAX) : 65536;
    d->next = p->dumps;
    p->dumps = d;
    struct { uint32_t magic; uint16_t major, minor; uint32_t zone, sigfigs, snaplen, link; } head = { 0xa1b2c3d4, 2, 4, 0, 0, d->maxlen, 1 };
    write_record(d, &head, sizeof head);
    return 0;
}

void net_dump_close(struct net_port *p)
{
    struct net_dump *d = p->dumps;
    p->dumps = d->next;
    if (d->fd >= 0) close(d->fd);
    free(d->id);
    free(d);
}

int net_dump_free(struct net_set *s, const char *id, struct err *e)
{
    for (struct net_port *p = s->list; p; p = p->next)
        for (struct net_dump **d = &p->dumps; *d; d = &(*d)->next) {
            if (strcmp((*d)->id, id)) continue;
            struct net_dump *found = *d;
            *d = found->next; /* to the front, where net_dump_close takes it */
            found->next = p->dumps;
            p->dumps = found;
            net_dump_close(p);
            return 0;
        }
    return err_set(e, ENOENT, "filter-dump '%s' not found", id);
}
