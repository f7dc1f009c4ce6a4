/*
 * net.h: networks (floor 3): ports that exchange Ethernet frames. A NIC's port and a back end's port (user, tap, socket, hub ...) are
 * each other's peer.
 *
 * All functions: the loop's lock is held; callbacks come with it held.
 */
#ifndef LYRE_IO_NET_NET_H
#define LYRE_IO_NET_NET_H

#include <sys/uio.h>
#include "base/base.h"
#include "base/loop.h"
#include "io/opts.h"

/* Longest frame, virtio header included: 64 KiB of TSO and what is around it. NET_QUEUE: frames that wait for a port at most. */
enum { NET_FRAME_MAX = 68 << 10, NET_QUEUE = 1024, NET_QUEUE_BYTES = 4 << 20, NET_IOV = 1024 };

struct net_port;
struct net_set;

/* What a port's owner does. */
struct net_client {
    bool (*can_recv)(void *ctx);                                  /* may a frame come now? NULL: always */
    /* A frame for it. False: no room after all; it is kept and comes again after net_ready. */
    bool (*recv)(void *ctx, const struct iovec *iov, unsigned n);
    void (*resume)(void *ctx);                                    /* net_send said wait: go on now; may be NULL */
    void (*link)(void *ctx, bool up);                             /* the other side's link changed (set_link, unplugged); may be NULL */
};

struct net_stats {
    uint64_t tx_frames, tx_bytes, rx_frames, rx_bytes, tx_dropped, rx_dropped;
};

/* --- for NICs -------------------------------------------------------------------------------------------------------- */

/*
 * Makes the NIC's port, peer of the back end `netdev` (from net_find; a device's PROP_NET). id: of the device, or NULL; model for `info
 * network`. mac: all zero is replaced by the set's next default address (52:54:00:12:34:56 and on). -EBUSY: the netdev has a NIC.
 * netdev == NULL: *out is NULL, which every function for NICs takes: nothing is connected, what is sent is dropped.
 */
int net_nic_new(struct net_port *netdev, const char *id, const char *model, uint8_t mac[6],
                const struct net_client *client, void *ctx, struct net_port **out, struct err *e);
void net_port_free(struct net_port *p); /* no callback after it; fine inside of callbacks. NULL is fine */

/*
 * Sends a frame (without FCS) to the peer. The frame is copied where it has to wait; it is always taken. False: the peer cannot take
 * more for now; a sender that can wait sends nothing until `resume` (what it sends all the same is queued, or dropped when NET_QUEUE
 * is reached). Frames of less than 60 bytes are passed on as they are. No peer, link down: dropped, true.
 */
bool net_send(struct net_port *p, const struct iovec *iov, unsigned n);
bool net_send_buf(struct net_port *p, const void *buf, size_t len);
/* Would net_send return true? If not, `resume` comes as after net_send. */
bool net_can_send(struct net_port *p);
/* can_recv was or recv said false, and it would be different now: frames that wait come (recv may be called inside of this call). */
void net_ready(struct net_port *p);
/* Frames that wait for the port are thrown away (the NIC was reset). */
void net_flush(struct net_port *p);
/* Is the link up: the port's own and its peer's, and there is a peer. */
bool net_link(const struct net_port *p);
/* QMP's set_link, for either side. */
void net_set_link(struct net_port *p, bool up);
const struct net_stats *net_stats(const struct net_port *p);
/* The text behind the name in `info network`; NICs show "model=...,macaddr=...". */
void net_set_info(struct net_port *p, const char *fmt, ...) PRINTF(2, 3);
/* A NIC's address changed. */
void net_set_mac(struct net_port *p, const uint8_t mac[6]);

/*
 * virtio-net headers (struct virtio_net_hdr, virtio 1.4 5.1.6) in front of frames, where the peer knows them (tap). net_offloads: what
 * the peer could take and give: 0 = frames only. net_set_offloads: from now on each frame in both directions begins with a header of
 * hdr_len bytes (10 or 12; 0: none), and incoming frames may be what `flags` say. -ENOTSUP where the peer cannot.
 */
enum { NET_VNET_HDR = 1, NET_CSUM = 2, NET_TSO4 = 4, NET_TSO6 = 8, NET_ECN = 16, NET_UFO = 32, NET_USO = 64 };
unsigned net_offloads(const struct net_port *p);
int net_set_offloads(struct net_port *p, unsigned hdr_len, unsigned flags);

/* --- the machine's set ------------------------------------------------------------------------------------------------ */

struct chr_set;
struct net_host {
    struct chr_set *chrs;                       /* for guestfwd to a character device; may be NULL */
    void (*say)(void *ctx, const char *line);   /* a line for the user (default: stderr) */
    void *ctx;
};
struct net_set *net_set_new(struct loop *l, const struct net_host *host);
void net_set_free(struct net_set *s);           /* closes all, ports of NICs too */
struct loop *net_loop(const struct net_set *s);

struct net_port *net_find(struct net_set *s, const char *id);
struct net_port *net_next(struct net_set *s, const struct net_port *after);
struct net_port *net_peer(const struct net_port *p);
const char *net_id(const struct net_port *p);
const char *net_kind(const struct net_port *p); /* "user", "tap", "nic" */
const char *net_model(const struct net_port *p); /* of NICs, else NULL */
const char *net_info(const struct net_port *p); /* the line of `info network` behind "id: " */

/* "-netdev kind,id=..." or JSON; the kind is beneath the key "type". */
int net_new(struct net_set *s, const struct opts *o, struct err *e);
int net_new_text(struct net_set *s, const char *text, struct err *e);
/* netdev_del: the NIC stays, its link goes down. */
int net_remove(struct net_set *s, const char *id, struct err *e);

/*
 * NICs that the command line asked for without -device: "-nic user,model=virtio-net-pci,mac=...", "-net nic,model=..., -net user".
 * The machine makes them in order, its on-board ones first. The back ends are made by these calls (of -net: on hub 0).
 */
struct net_nic {
    char *model, *id, *netdev;        /* NULL: not said */
    uint8_t mac[6];                   /* zero: not said */
    struct opts rest;                 /* what else stood there, for the device */
    bool taken;
};
int net_nic_option(struct net_set *s, const char *text, struct err *e);  /* -nic */
int net_net_option(struct net_set *s, const char *text, struct err *e);  /* -net */
/* Was there any -nic, -net (also "none")? Otherwise the machine makes its default: a NIC on a `user` back end. */
bool net_options_given(const struct net_set *s);
struct net_nic *net_nic_request(struct net_set *s, unsigned i);          /* NULL past the last */

/* filter-dump: frames of the netdev to and from its peer, as a pcap file. */
struct net_dump;
void net_dump_frame(struct net_dump *list, const struct iovec *iov, unsigned n, size_t skip); /* net.c's */
int net_dump_new(struct net_set *s, const char *id, const char *netdev, const char *file, uint32_t maxlen, struct err *e);
int net_dump_free(struct net_set *s, const char *id, struct err *e);

/* "user" back ends: "hostfwd_add", "hostfwd_remove", "info usernet". spec: "tcp:127.0.0.1:2222-10.0.2.15:22"; port 0 lets the host choose. */
int net_hostfwd(struct net_set *s, const char *netdev, const char *spec, bool add, struct err *e);
/* Text of libslirp about connections of each user back end (caller frees). */
char *net_user_info(struct net_set *s);

bool net_mac_parse(const char *text, uint8_t mac[6]);
void net_list_kinds(void (*out)(void *ctx, const char *name, const char *help), void *ctx);

/* --- back ends --------------------------------------------------------------------------------------------------------- */

/* `const struct net_driver NAME_net = {` at the start of a line in io/net registers a kind. */
struct net_driver {
    const char *name, *help;
    size_t size;                      /* of its struct, which begins with struct net_port */
    /* Reads its settings, opens, sets p->info. On failure close is called. */
    int (*open)(struct net_port *p, const struct opts *o, struct err *e);
    void (*close)(struct net_port *p);
    struct net_client client;         /* ctx is the struct net_port */
    unsigned (*offloads)(struct net_port *p);
    int (*set_offloads)(struct net_port *p, unsigned hdr_len, unsigned flags);
    void (*connected)(struct net_port *p); /* a peer came or went */
};
extern const struct net_driver *const net_driver_registry[];

struct net_frame;
struct net_port {
    const struct net_driver *driver;  /* NULL: a NIC */
    struct net_set *set;
    struct net_port *next, *grave, *peer;
    char *id, *model, *info;
    struct net_client client;
    void *ctx;
    uint8_t mac[6];
    bool down;                        /* set_link off */
    bool stopped;                     /* net_send to it said false: its peer waits for resume */
    bool delivering;                  /* inside its recv: what comes meanwhile is queued */
    bool dead;
    unsigned vnet_len;                /* of NICs: header in front of frames, both directions */
    struct net_frame *first, **last;  /* frames that wait for it */
    uint32_t frames;
    size_t bytes;
    struct net_stats stats;
    struct net_dump *dumps;
};
/* A port that belongs to no kind of the command line (a hub's side of a hubport): made, connected, freed by its owner. */
struct net_port *net_port_make(struct net_set *s, const char *id, const struct net_client *client, void *ctx);
int net_connect(struct net_port *a, struct net_port *b, struct err *e);
void net_disconnect(struct net_port *p);
const struct net_host *net_host(const struct net_port *p);
void net_say(struct net_port *p, const char *fmt, ...) PRINTF(2, 3);

#endif
