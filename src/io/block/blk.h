/*
 * blk.h: the block layer: what a disk is to a device, a tool or the monitor.
 *
 *   struct blk_graph   the nodes, front ends and worker threads of one machine or tool (nothing is global)
 *   struct blk_node    one driver over its children: format (qcow2, raw), protocol (file, null-co), filter (throttle)
 *   struct blk         a front end: what a device holds. Bounds are checked here, once; statistics and limits live here
 *
 * Requests. Memory and the iovec array belong to the block layer until the callback. Offsets and lengths are bytes, of any
 * alignment (what the host's file needs is made up for below). blk_readv() and the like may be called from any thread; they never
 * block on I/O and never call the callback before they return: callbacks run in blk_graph_poll(), on the thread that calls it (the
 * event loop's, when blk_graph_fd() is readable). Results are 0 or -errno. Requests that overlap are in no order. A write that was
 * answered is seen by every later read; it is durable after a later blk_flush() was answered 0 (or by itself with BLK_FUA, or
 * where the front end is writethrough). -EIO and -ENOSPC leave what was there before or what was to be written in the range.
 *
 * The synchronous forms run on the caller's thread and are for tools, firmware and machine set-up.
 */
#ifndef LYRE_IO_BLOCK_BLK_H
#define LYRE_IO_BLOCK_BLK_H

#include <sys/uio.h>
#include "base/base.h"

struct blk_graph;
struct blk_node;
struct blk;
struct json_object;
struct loop;

/* --- graph ---------------------------------------------------------------------------------------------------------------- */

struct blk_graph *blk_graph_new(void);
/* Every front end and node has been closed by now, or is closed here (errors are lost then). */
void blk_graph_free(struct blk_graph *g);
/* Readable when blk_graph_poll() has something to do: completions, or a throttled request whose time has come. */
int blk_graph_fd(struct blk_graph *g);
/* Calls the callbacks of what has completed; returns how many. Never blocks. */
unsigned blk_graph_poll(struct blk_graph *g);

/* Callbacks run on the loop's thread from now on, its lock held. The graph goes before the loop. Lock held. */
int blk_graph_attach(struct blk_graph *g, struct loop *l, struct err *e);

/* --- opening ---------------------------------------------------------------------------------------------------------------- */

enum blk_flags {
    BLK_RDWR = 1 << 0,        /* may be written */
    BLK_DIRECT = 1 << 1,      /* O_DIRECT: cache.direct */
    BLK_NO_FLUSH = 1 << 2,    /* flushes are ignored: cache.no-flush */
    BLK_UNMAP = 1 << 3,       /* discards reach the host: discard=unmap */
    BLK_NO_LOCK = 1 << 4,     /* others may write to it at the same time: -U, force-share */
    BLK_NO_BACKING = 1 << 5,  /* the backing file is not opened */
    BLK_CHECK = 1 << 6,       /* for `check`: dirty and corrupt images are opened as they are */
    BLK_PROBE = 1 << 7,       /* the format may be found out from the contents: tools and read-only use only (safety.md) */
    BLK_WRITETHROUGH = 1 << 8, /* of a front end: each write is durable when it is answered */
    BLK_AIO_THREADS = 1 << 9, /* aio=threads: no io_uring */
    BLK_RESIZE = 1 << 10,     /* locks: the size will change */
};

/*
 * A node out of options, which are consumed: a json_object with the members of -blockdev (driver, node-name, file, read-only,
 * cache, ...), nested. `flags` are what the options do not say. The caller owns one reference. NULL: *e says why.
 */
struct blk_node *blk_node_open(struct blk_graph *g, struct json_object *opts, unsigned flags, struct err *e);
/* The same for a file name, with a driver ("qcow2") or NULL to probe (BLK_PROBE) - without it, NULL is "raw". */
struct blk_node *blk_node_open_file(struct blk_graph *g, const char *name, const char *driver, unsigned flags, struct err *e);
struct blk_node *blk_node_find(struct blk_graph *g, const char *name);
struct blk_node *blk_node_ref(struct blk_node *n);
/* The last reference writes back what is cached; the error of that, if any (the node is gone in any case). */
int blk_node_unref(struct blk_node *n, struct err *e);

/* A front end; takes over the caller's reference of the node (also when it fails; NULL: no medium). `name` may be NULL or must be unique. */
struct blk *blk_new(struct blk_graph *g, const char *name, struct blk_node *node, unsigned flags, struct err *e);
/* Drains, flushes and closes. */
int blk_free(struct blk *b, struct err *e);
struct blk *blk_find(struct blk_graph *g, const char *name);
/* All of them, in the order of making; NULL: the first one. */
struct blk *blk_next(struct blk_graph *g, const struct blk *after);
struct blk_node *blk_node_next(struct blk_graph *g, const struct blk_node *after);
/* blk_node_open_file and blk_new. */
struct blk *blk_open_file(struct blk_graph *g, const char *name, const char *driver, unsigned flags, struct err *e);

/* What is outside of the node graph in -drive: how the machine attaches it. */
struct blk_drive {
    char iface[16];           /* if=: "none", "virtio", "ide", "scsi", "sd", "pflash", ... "" = the machine's default */
    char media[8];            /* "disk" or "cdrom" */
    char id[64], serial[64];
    int index, bus, unit;     /* -1 = not given */
    char werror[16], rerror[16];
    struct blk *blk;          /* without a medium: an empty drive */
};
/* -drive OPTIONS ("file=x.qcow2,format=qcow2,if=virtio,..."). 0 or -errno. */
int blk_drive_open(struct blk_graph *g, const char *options, struct blk_drive *d, struct err *e);
/* -blockdev OPTIONS (dotted keys or JSON): a node that stays until it is deleted or the graph goes, found by its node-name. */
int blk_blockdev_add(struct blk_graph *g, const char *options, struct err *e);
int blk_blockdev_add_json(struct blk_graph *g, struct json_object *opts, struct err *e); /* takes opts over */
/* -EBUSY while something else uses it. */
int blk_blockdev_del(struct blk_graph *g, const char *name, struct err *e);
/* "a.b=c,d=e" (",," is a comma), "{...}" or "json:{...}" to an object; `implied` is the key of a first word without '='. */
struct json_object *blk_opts_parse(const char *s, const char *implied, struct err *e);

/* --- properties --------------------------------------------------------------------------------------------------------------- */

struct blk_stats {
    uint64_t rd_bytes, wr_bytes, rd_ops, wr_ops, flush_ops, discard_ops, zero_ops;
    uint64_t rd_errors, wr_errors, flush_errors, invalid;
    uint64_t rd_ns, wr_ns, flush_ns; /* sum of the times from submission to completion */
};

/* CHS as a BIOS would show it, or as the option line said. */
struct blk_geometry {
    uint32_t cylinders, heads, sectors;
};

const char *blk_name(const struct blk *b);
void blk_set_name(struct blk *b, const char *name); /* nobody else has it: the caller looked */
struct blk_node *blk_node_of(const struct blk *b);
uint64_t blk_size(const struct blk *b);
bool blk_read_only(const struct blk *b);
/* Whether discards do anything, in units of how many bytes they do it best (0 = no). */
uint32_t blk_discard_granularity(const struct blk *b);
void blk_get_stats(struct blk *b, struct blk_stats *s);
struct blk_geometry blk_geometry(const struct blk *b);
void blk_set_geometry(struct blk *b, struct blk_geometry geo);
/* The medium: NULL where there is none (requests end with -ENOMEDIUM). Waits for requests; takes over the reference. Lock held. */
void blk_set_node(struct blk *b, struct blk_node *node, bool read_only);

/* Who holds a front end: one device. -EBUSY: another has it. `who` is what blk_user gives; release: of a front end that nobody else
 * knows (of a -blockdev), it is freed; one of a -drive is, too, if `drop`. */
int blk_hold(struct blk *b, void *who, struct err *e);
void blk_release(struct blk *b, bool drop);
/* share-rw=: without it no two devices have a node that one of them writes to. -EBUSY. */
int blk_share(struct blk *b, bool share, struct err *e);
void *blk_user(const struct blk *b);
/* What the device wants to be told, on the loop's thread or that of who changes it, lock held. All may be NULL. */
struct blk_dev_ops {
    void (*resized)(void *ctx);
    void (*medium)(void *ctx, bool there);   /* another one is in it, or none */
    void (*tray)(void *ctx, bool open);      /* the user moves the tray; NULL: there is none */
    bool (*tray_open)(void *ctx), (*locked)(void *ctx);
    void (*eject_request)(void *ctx, bool force);
    bool removable;
    bool errors;                             /* werror=, rerror= apply */
};
void blk_set_dev(struct blk *b, const struct blk_dev_ops *ops /* NULL: nobody */, void *ctx);
const struct blk_dev_ops *blk_dev(const struct blk *b, void **ctx);
/* Guest-visible write cache: off = BLK_WRITETHROUGH. */
void blk_set_writethrough(struct blk *b, bool on);
bool blk_writethrough(const struct blk *b);

/* --- limits (limit.c) ------------------------------------------------------------------------------------------------------------ */

/* Front ends and `throttle` nodes of a group share its limits. `group` NULL: the front end's own, named as it is. */
struct leaky_config;
int blk_set_limits(struct blk *b, const struct leaky_config *c, const char *group, struct err *e);
/* False: none. *group: its name. */
bool blk_get_limits(struct blk *b, struct leaky_config *c, const char **group);
/* object-add throttle-group. */
int blk_group_new(struct blk_graph *g, const char *name, const struct leaky_config *c, struct err *e);
int blk_group_del(struct blk_graph *g, const char *name, struct err *e);
int blk_group_set(struct blk_graph *g, const char *name, const struct leaky_config *c, struct err *e);
int blk_group_get(struct blk_graph *g, const char *name, struct leaky_config *c, struct err *e);

/* --- errors ------------------------------------------------------------------------------------------------------------------------ */

/* werror=, rerror=: ENOSPC is to stop where the disk is full, to report otherwise. */
enum blk_on_error { BLK_ERR_REPORT, BLK_ERR_IGNORE, BLK_ERR_STOP, BLK_ERR_ENOSPC };
int blk_on_error_parse(const char *text, bool write, enum blk_on_error *a, struct err *e);
/* The words of devices' rerror=, werror=: "auto" (0) leaves it as it was. */
extern const char *const blk_error_names[];
void blk_error_words(struct blk *b, uint32_t rerror, uint32_t werror);
void blk_set_on_error(struct blk *b, enum blk_on_error rerror, enum blk_on_error werror);
void blk_get_on_error(const struct blk *b, enum blk_on_error *rerror, enum blk_on_error *werror);
/* Whoever runs the machine hears of errors, in blk_graph_poll. STOP: the request is held until blk_graph_resume; the machine has to stop. */
void blk_graph_on_error(struct blk_graph *g, void (*fn)(void *ctx, struct blk *b, bool write, int error, enum blk_on_error action), void *ctx);
void blk_graph_resume(struct blk_graph *g);
/* 0, -ENOSPC, or another error: of the request that stopped the machine last. */
int blk_status(const struct blk *b);

/* --- requests ------------------------------------------------------------------------------------------------------------------- */

enum blk_req_flags {
    BLK_FUA = 1 << 0,        /* durable when answered */
    BLK_MAY_UNMAP = 1 << 1,  /* write_zeroes may free what was there */
    BLK_COMPRESS = 1 << 2,   /* write: compressed (whole clusters, not written before) */
    BLK_NO_FALLBACK = 1 << 3, /* write_zeroes: -ENOTSUP instead of writing zeros slowly */
};
enum { BLK_MAX_REQUEST = 1 << 30, BLK_MAX_IOV = 1024 };

typedef void blk_done(void *ctx, int ret);

/* At most BLK_MAX_REQUEST bytes and BLK_MAX_IOV pieces. What is wrong with a request is told through its callback. */
void blk_readv(struct blk *b, uint64_t offset, const struct iovec *iov, int niov, unsigned flags, blk_done *cb, void *ctx);
void blk_writev(struct blk *b, uint64_t offset, const struct iovec *iov, int niov, unsigned flags, blk_done *cb, void *ctx);
void blk_flush(struct blk *b, blk_done *cb, void *ctx);
void blk_discard(struct blk *b, uint64_t offset, uint64_t bytes, blk_done *cb, void *ctx);
void blk_write_zeroes(struct blk *b, uint64_t offset, uint64_t bytes, unsigned flags, blk_done *cb, void *ctx);
/* Waits until nothing is in flight, calling callbacks (also other front ends'). Where blk_graph_poll() may be called (with a loop:
 * its lock held); not in a callback of the same front end. */
void blk_drain(struct blk *b);
void blk_drain_all(struct blk_graph *g);
/*
 * Between the two nothing runs in the graph: nodes may be put elsewhere. Lock held; they nest. The synchronous forms of requests (and
 * blk_free, blk_set_node) must not be used in between; what is held by an error that stopped the machine stays.
 */
void blk_graph_stop(struct blk_graph *g);
void blk_graph_go(struct blk_graph *g);
/* Threads that do I/O on nodes by themselves (jobs): around each step. Does not nest. */
void blk_graph_enter(struct blk_graph *g);
void blk_graph_leave(struct blk_graph *g);
/* Puts `to` in the place of `from`: front ends, filters above it, overlays (backing). All but `not` (may be NULL). Between stop and go.
 * -ENOTSUP: a format's file. References follow. */
int blk_node_replace(struct blk_node *from, struct blk_node *to, const struct blk_node *not, struct err *e);
/* Is n below `top`, or it itself? */
bool blk_node_below(const struct blk_node *top, const struct blk_node *n);
/* Backing file of n becomes `b` (NULL: none), in memory only. Takes over the reference. Between stop and go. */
void blk_node_set_backing(struct blk_node *n, struct blk_node *b);
/* Opens a node below anew for writing (or for reading only); the node stays. Between stop and go. */
int blk_node_reopen(struct blk_node *n, bool writable, struct err *e);

/*
 * Who wants to know of writes to a node, wherever they come from: `before` may wait and refuse, `after` is told how it ended. On threads
 * of the pool. Added and taken away between stop and go.
 */
struct blk_watch {
    int (*before)(void *ctx, uint64_t off, uint64_t bytes);
    void (*after)(void *ctx, uint64_t off, uint64_t bytes, int ret);
    void *ctx;
    struct blk_watch *next;
};
void blk_watch_add(struct blk_node *n, struct blk_watch *w);
void blk_watch_del(struct blk_node *n, struct blk_watch *w);

int blk_pread(struct blk *b, uint64_t offset, void *buf, size_t bytes);
int blk_pwrite(struct blk *b, uint64_t offset, const void *buf, size_t bytes, unsigned flags);
int blk_flush_sync(struct blk *b);
int blk_discard_sync(struct blk *b, uint64_t offset, uint64_t bytes);
int blk_zero_sync(struct blk *b, uint64_t offset, uint64_t bytes, unsigned flags);
/* Drains and changes the size. Shrinking loses what is beyond; the caller asked. */
int blk_resize(struct blk *b, uint64_t size, struct err *e);

/* --- drivers (docs/block.md) --------------------------------------------------------------------------------------------------------- */

/* What a range is; of `status`. */
enum blk_status {
    BLK_ST_DATA = 1 << 0,      /* read it */
    BLK_ST_ZERO = 1 << 1,      /* reads as zeros */
    BLK_ST_ALLOCATED = 1 << 2, /* this layer decides, not the backing file */
    BLK_ST_OFFSET = 1 << 3,    /* *host is where it is in *file */
    BLK_ST_COMPRESSED = 1 << 4,
    BLK_ST_RECURSE = 1 << 5,   /* *file at *host knows more (holes) */
};

struct blk_range {
    unsigned st;
    uint64_t bytes, host;
    struct blk_node *file;
};

/* Where a request goes without I/O of the driver's own: the child, the offset there, and what ends it. */
struct blk_hop {
    struct blk_node *node;
    uint64_t offset, bytes;
    void *token;
};

struct blk_snapshot {
    char id[128], name[256];
    uint64_t date_sec, vm_clock_ns, vm_state_size, disk_size, icount;
    uint32_t date_ns;
};

struct blk_check {
    uint64_t leaks, corruptions, check_errors, leaks_fixed, corruptions_fixed;
    uint64_t image_end, total_clusters, allocated_clusters, compressed_clusters, fragmented_clusters;
    void (*say)(void *ctx, const char *line); /* may be NULL */
    void *ctx;
};
enum { BLK_FIX_LEAKS = 1, BLK_FIX_ERRORS = 2 };

/* One row of `-o help`. */
struct blk_create_opt {
    const char *name, *type, *help; /* type: "str", "size", "num", "bool (on/off)" */
};

/*
 * Operations block and may be called from several threads at once; offsets and lengths were checked against the size
 * (file nodes below formats: reads beyond the end are zeros, writes there make it longer). 0 or -errno. What is NULL is answered
 * generically or -ENOTSUP.
 */
struct blk_driver {
    const char *name;     /* of driver= */
    const char *protocol; /* "file:", "nbd:,nbd+unix:": file names that begin so are its */
    bool is_filter;       /* passes through to `file` */
    bool is_protocol;     /* has no `file` child; -f does not mean it */
    const struct blk_create_opt *create_opts;
    /* 0..100: how much the beginning of an image looks like this format. */
    int (*probe)(const uint8_t *buf, size_t n, const char *filename);
    /* Takes its options out of opts (blk_opt_*); opens children with blk_open_child(); sets node->size. */
    int (*open)(struct blk_node *n, struct json_object *opts, struct err *e);
    int (*close)(struct blk_node *n);
    int (*preadv)(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags);
    int (*pwritev)(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags);
    int (*flush)(struct blk_node *n);
    int (*discard)(struct blk_node *n, uint64_t off, uint64_t bytes);
    int (*zero)(struct blk_node *n, uint64_t off, uint64_t bytes, unsigned flags);
    int (*truncate)(struct blk_node *n, uint64_t size, const char *prealloc, struct err *e);
    int (*status)(struct blk_node *n, uint64_t off, uint64_t bytes, struct blk_range *r);
    /* 1: all of it goes to h (leave() ends it, if h->token); 0: only preadv/pwritev can. Never blocks. */
    int (*enter)(struct blk_node *n, bool write, uint64_t off, uint64_t bytes, struct blk_hop *h);
    void (*leave)(struct blk_node *n, void *token);
    /* The host file that a request may be given to as it is (-1: none, e.g. wrongly aligned). */
    int (*host_fd)(struct blk_node *n, bool write, uint64_t off, const struct iovec *iov, int niov);
    /* "qcow2": adds the members of format-specific data, of `info`. */
    int (*info)(struct blk_node *n, struct json_object *out);
    int (*create)(struct blk_graph *g, const char *filename, struct json_object *opts, struct err *e);
    int (*measure)(struct json_object *opts, uint64_t size, struct blk_node *src, uint64_t *required, uint64_t *full, struct err *e);
    int (*check)(struct blk_node *n, struct blk_check *c, unsigned fix, struct err *e);
    int (*set_backing)(struct blk_node *n, const char *name, const char *fmt, struct err *e);
    /* n->flags has or has not BLK_RDWR any more; the nodes below were asked before (writable) or are after. NULL: nothing to do. */
    int (*reopen)(struct blk_node *n, struct err *e);
    int (*amend)(struct blk_node *n, struct json_object *opts, struct err *e);
    int (*snap_list)(struct blk_node *n, struct blk_snapshot **list, unsigned *count);
    int (*snap_create)(struct blk_node *n, struct blk_snapshot *s, struct err *e);
    int (*snap_apply)(struct blk_node *n, const char *id_or_name, struct err *e);
    int (*snap_delete)(struct blk_node *n, const char *id_or_name, struct err *e);
    /* Shows the snapshot instead of what is there now: of a node that is read only. */
    int (*snap_show)(struct blk_node *n, const char *id_or_name, struct err *e);
    /* The state of a machine, beside the disk's contents (of the next snapshot, or of the one that was applied). */
    int (*vmstate)(struct blk_node *n, bool write, uint64_t off, void *buf, size_t bytes);
    /* Makes the image empty: everything is the backing file's again (after commit). */
    int (*make_empty)(struct blk_node *n, struct err *e);
};

struct blk_node {
    struct blk_graph *graph;
    const struct blk_driver *drv;
    void *s;                      /* the driver's */
    char name[64];                /* node-name, "#block012" when none was given */
    char *filename;               /* as given; NULL: none */
    struct blk_node *file, *backing;
    char *backing_name, *backing_fmt; /* what the image says, whether opened or not */
    uint64_t size;                /* bytes; __atomic, for `file` grows below its users */
    unsigned flags;               /* enum blk_flags */
    uint32_t cluster_size;        /* 0 = none */
    bool detect_zeroes, detect_unmap;
    bool auto_ro;                 /* auto-read-only: where it cannot be written to, it is read-only */
    bool kept;                    /* of -blockdev, blockdev-add */
    unsigned refs;                /* under the graph's lock */
    struct blk_watch *watch;
    void *job;                    /* the job that works on it */
    struct blk_node *next;
};

/* Of a driver's open(): opens child "file" (or another key) out of opts[key], with flags. */
struct blk_node *blk_open_child(struct blk_node *n, struct json_object *opts, const char *key, unsigned flags, struct err *e);
/* Take an option out of opts. Strings are copied (free them). Where one is wrong: -EINVAL. Absent: the default. */
char *blk_opt_str(struct json_object *opts, const char *key);
int blk_opt_bool(struct json_object *opts, const char *key, bool *v, struct err *e);
int blk_opt_size(struct json_object *opts, const char *key, uint64_t *v, struct err *e);
/* cache=none and so on: sets BLK_DIRECT, BLK_WRITETHROUGH, BLK_NO_FLUSH in *flags. -EINVAL: no such mode. */
int blk_cache_mode(const char *name, unsigned *flags);
/* "64k", "1.5G" -> bytes. */
int blk_parse_size(const char *s, uint64_t *v);

/* Blocking I/O on a node, split and checked; below formats reads beyond the end are zeros. */
int blk_node_preadv(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags);
int blk_node_pwritev(struct blk_node *n, uint64_t off, const struct iovec *iov, int niov, unsigned flags);
int blk_node_pread(struct blk_node *n, uint64_t off, void *buf, size_t bytes);
int blk_node_pwrite(struct blk_node *n, uint64_t off, const void *buf, size_t bytes);
int blk_node_flush(struct blk_node *n);
int blk_node_discard(struct blk_node *n, uint64_t off, uint64_t bytes);
int blk_node_zero(struct blk_node *n, uint64_t off, uint64_t bytes, unsigned flags);
int blk_node_truncate(struct blk_node *n, uint64_t size, const char *prealloc, struct err *e);
/* One piece from off on (r->bytes > 0); of this node alone (filters are looked through). */
int blk_node_status(struct blk_node *n, uint64_t off, uint64_t bytes, struct blk_range *r);
static inline uint64_t blk_node_size(const struct blk_node *n)
{
    return __atomic_load_n(&n->size, __ATOMIC_RELAXED);
}

const struct blk_driver *blk_driver_find(const char *name);
/* The driver a file's beginning looks like; "raw" if like none. */
const struct blk_driver *blk_driver_probe(const uint8_t *buf, size_t n, const char *filename);
extern const struct blk_driver *const blk_driver_registry[]; /* NULL at the end */

/* Bytes [skip, skip+bytes) of a vector: fills dst (room for n) and returns how many pieces. */
int blk_iov_cut(const struct iovec *src, int n, size_t skip, size_t bytes, struct iovec *dst);
size_t blk_iov_bytes(const struct iovec *iov, int n);
/* Whether it is all zeros. */
bool blk_is_zero(const void *p, size_t n);

#endif
