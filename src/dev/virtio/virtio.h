/*
 * virtio.h: virtio devices (floor 4): OASIS "Virtual I/O Device" 1.2 and 1.3, without the legacy interface.
 *
 * A device is one file: a struct that begins with `struct virtio`, a `struct virtio_class` (id, features, configuration layout, queues) and
 * two `const struct device`: NAME-device plugs into a virtio-bus (virtio-mmio), NAME-pci into PCI. Both are the same object; its init calls
 * virtio_init. Queues are worked off by handlers that vq_pop elements and vq_push them back, at once or later.
 *
 * The guest owns the rings and can change them at any time: each field is read once, an element is a copy. What no driver may do ends in
 * NEEDS_RESET (virtio_error), never in an assert. Elements are numbered by the generation of their queue: one that is pushed after a
 * reset is dropped.
 */
#ifndef LYRE_DEV_VIRTIO_H
#define LYRE_DEV_VIRTIO_H

#include <sys/uio.h>
#include "dev/device.h"
#include "dev/iothread.h"
#include "dev/pci/pci.h"

enum {
    VIRTIO_QUEUES = 64,    /* of one device */
    VQ_MAX = 1024,         /* ring entries, spans of an element, entries of an indirect table */
    VQ_IOV = 1024,         /* pieces of host memory that one vq_iov gives */
    VQ_BUDGET = 256        /* elements popped by one run of a handler; then the others' turn */
};

/* Feature bits 24 to 40: queues and negotiation (chapter 6). Those below and from 50 on are the device's own. */
enum virtio_feature {
    VIRTIO_F_INDIRECT_DESC = 28, VIRTIO_F_EVENT_IDX = 29, VIRTIO_F_VERSION_1 = 32, VIRTIO_F_ACCESS_PLATFORM = 33,
    VIRTIO_F_RING_PACKED = 34, VIRTIO_F_IN_ORDER = 35, VIRTIO_F_ORDER_PLATFORM = 36, VIRTIO_F_NOTIFICATION_DATA = 38,
    VIRTIO_F_RING_RESET = 40
};
#define VF(bit) (1ull << (bit))

enum virtio_status {
    VIRTIO_ACKNOWLEDGE = 1, VIRTIO_DRIVER = 2, VIRTIO_DRIVER_OK = 4, VIRTIO_FEATURES_OK = 8, VIRTIO_NEEDS_RESET = 0x40, VIRTIO_FAILED = 0x80
};
enum { VIRTIO_ISR_QUEUE = 1, VIRTIO_ISR_CONFIG = 2 };
enum { VIRTIO_NO_VECTOR = 0xffff };

struct virtio;
struct vq;

/* --- classes ------------------------------------------------------------------------------------------------------- */

enum {
    VQ_NOW = 1,    /* kicks are handled by the CPU that makes them, not by the loop: for handlers that only pass requests on */
    VQ_SUPPLY = 2  /* buffers that the device fills when it has something: kicks are wanted only after vq_want */
};
struct vq_row {
    const char *name;
    uint16_t size;                        /* entries, 0: the property `queue-size` */
    uint8_t flags;
    void (*handle)(struct vq *q);         /* there may be something to pop; NULL: kicks mean nothing */
};

struct virtio_class {
    const char *name;
    uint16_t id;                          /* device type, chapter 5 */
    uint32_t pci_class;                   /* class code << 8 | interface */
    uint64_t features;                    /* offered always */
    const struct reg *config;             /* the configuration space; FIELDs are of the device's struct */
    unsigned nconfig;
    uint32_t config_size;
    const struct vq_row *queues;          /* row i is queue i; the last row stands for all that follow */
    unsigned nqueue_rows;
    uint64_t (*offer)(void *dev);         /* further features, by properties and back ends */
    void (*agreed)(void *dev);            /* FEATURES_OK: v->features is final */
    void (*status)(void *dev, bool running); /* DRIVER_OK came or went (reset, NEEDS_RESET excepted) */
    void (*reset)(void *dev);             /* forgets everything; elements that it holds without transfers are dropped */
    void (*queue_reset)(void *dev, struct vq *q); /* the same for one queue */
    void (*drain)(void *dev);             /* waits for transfers: the machine is reset, its memory will be others' */
};
#define VIRTIO_CONFIG(table) .config = table, .nconfig = ARRAY_LEN(table)
#define VIRTIO_ROWS(table) .queues = table, .nqueue_rows = ARRAY_LEN(table)

/* --- queues ------------------------------------------------------------------------------------------------------------ */

struct vq {
    struct virtio *v;
    const struct vq_row *row;
    struct deferred run;
    struct io_call call;                  /* the same on an iothread */
    uint16_t index, max;                  /* max: what the device allows */
    uint16_t size;                        /* as the driver chose */
    uint16_t vector;                      /* MSI-X, or VIRTIO_NO_VECTOR */
    uint64_t desc, driver, device;        /* where its three parts are */
    bool ready;
    uint16_t avail, used;                 /* split: running indices; packed: places in the ring, with their wrap counters */
    bool avail_wrap, used_wrap;
    uint16_t spent, told;                 /* entries used so far (modulo 2^16), and when the driver was told last */
    bool told_valid, notify;              /* notify: kicks are wanted */
    bool kicked;                          /* before DRIVER_OK, or beyond the budget */
    uint32_t generation;
    uint32_t inflight, stale;             /* elements that were popped in this generation, in those before */
    uint32_t popped, budget;              /* in the current run of the handler; budget 0: outside of one */
};

struct vq_span {
    uint64_t addr;
    uint32_t len;
};

/* Host memory behind a part of an element. */
struct vq_map {
    struct vq_map *next;
    bool write;
    unsigned n;
    struct iovec iov[];
};

/* One request: spans that the device reads (out), then spans that it writes (in), as the driver named them. */
struct vq_elem {
    struct vq *q;
    struct vq_elem *next;                 /* the device's, while it holds the element; the others, too */
    void *opaque;
    uint32_t tag;
    uint32_t generation;
    uint16_t id, slots;
    uint16_t nout, nin;
    uint32_t out_len, in_len;             /* bytes */
    struct vq_map *maps;
    struct vq_span span[];
};

/* The next element, or NULL: none, the run's budget is spent, the device is broken or not running. */
struct vq_elem *vq_pop(struct vq *q);
/* Gives it back with that many bytes written, and frees it. The driver is not told before vq_notify. */
void vq_push(struct vq_elem *el, uint32_t written);
/* Several at once: the driver sees all of them or none. */
void vq_push_all(struct vq_elem **el, const uint32_t *written, unsigned n);
void vq_notify(struct vq *q);
/* Puts the element that was popped last back, as if it had not been. Of several: last one first. */
void vq_unpop(struct vq_elem *el);
/* Frees it without giving it back (after a reset, or what hangs the queue for good). */
void vq_drop(struct vq_elem *el);
bool vq_empty(const struct vq *q);
/* Are kicks wanted? After turning them on: true if there is something already. */
bool vq_want(struct vq *q, bool on);
/* The handler did much work for one element: takes as much from the run's budget (bytes that were copied or sent). */
static inline void vq_charge(struct vq *q, uint64_t bytes)
{
    q->popped += (uint32_t)MIN(bytes >> 15, (uint64_t)VQ_BUDGET);
}
/* Runs the handler soon on the loop's thread: what it waited for has come. */
void vq_schedule(struct vq *q);
static inline bool vq_current(const struct vq_elem *el)
{
    return el->generation == el->q->generation;
}

/* Copies between buf and the readable or writable bytes from `off` on: how many there were. -EFAULT: not RAM. */
int64_t vq_read(const struct vq_elem *el, uint64_t off, void *buf, uint64_t len);
int64_t vq_write(const struct vq_elem *el, uint64_t off, const void *buf, uint64_t len);
/*
 * Host memory behind [off, off + len) of the writable or readable part, for transfers of data; lives until the element is pushed or
 * dropped. Returns the number of pieces, -EFAULT (not RAM), -EINVAL (out of the element), -E2BIG (more than VQ_IOV pieces).
 */
int vq_iov(struct vq_elem *el, bool in, uint64_t off, uint64_t len, struct iovec **iov);

/* --- devices ------------------------------------------------------------------------------------------------------------- */

struct virtio {
    union {
        struct dev dev;                   /* on a virtio-bus */
        struct pci_dev pci;               /* NAME-pci */
    };
    const struct virtio_class *cls;
    struct dma home;                      /* dma as it was at first: transfers end there even when bus mastering was turned off */
    uint64_t offered, features;
    uint8_t status, old_status;
    uint8_t isr;
    bool broken;                          /* NEEDS_RESET */
    uint8_t config_generation;
    uint16_t config_vector;
    uint16_t nqueues;
    struct iothread *iothread;            /* NULL: the loop */
    struct vq vq[VIRTIO_QUEUES];
    /* The transport: an interrupt for a queue, or the configuration (NULL); the device was reset. */
    void (*irq)(struct virtio *v, struct vq *q);
    void (*lower)(struct virtio *v);
    void *transport;
    /* properties */
    bool p_indirect, p_event, p_packed, p_queue_reset, p_platform, p_in_order;
    uint32_t p_vectors, p_no_legacy;
    bool p_no_modern;
    /* virtio_pci.c's: selectors of its registers */
    bool on_pci;
    uint32_t sel_offered, sel_features;
    uint16_t sel_queue, cap_pci;
};

/* Called by the device's init, properties are set: makes the queues, connects to the transport. */
int virtio_init(void *dev, const struct virtio_class *cls, unsigned nqueues, struct err *e);
/* iothread=: its queues are worked off there. In init, last: virtio_exit gives it back. NULL, "": no. */
int virtio_on_iothread(void *dev, const char *name, struct err *e);
/* .reset and .exit of both devices; a device's own exit calls virtio_exit after it has cancelled its requests. */
void virtio_reset(void *dev);
void virtio_exit(void *dev);
int virtio_loaded(void *dev, struct err *e);
static inline bool virtio_has(const struct virtio *v, unsigned bit)
{
    return v->features >> bit & 1;
}
static inline bool virtio_running(const struct virtio *v)
{
    return (v->status & VIRTIO_DRIVER_OK) && !v->broken;
}
/* The driver did what it must not: the device stops until a reset and says so. */
void virtio_error(struct virtio *v, const char *fmt, ...) PRINTF(2, 3);
/* The configuration space changed. */
void virtio_config_changed(struct virtio *v);

#define VIRTIO_PROPS \
    PROP_BOOL("indirect_desc", v.p_indirect, true), PROP_BOOL("event_idx", v.p_event, true), PROP_BOOL("packed", v.p_packed, false), \
    PROP_BOOL("queue_reset", v.p_queue_reset, true), PROP_BOOL("iommu_platform", v.p_platform, false)
#define VIRTIO_PCI_PROPS \
    PCI_PROPS, PROP_U32("vectors", v.p_vectors, UINT32_MAX), PROP_BOOL("disable-modern", v.p_no_modern, false), \
    { .name = "disable-legacy", .type = PROP_T_ONOFFAUTO, .field = offsetof(SELF, v.p_no_legacy) }
extern const struct state_field virtio_vq_state[];
enum { VIRTIO_VQ_STATE = 17 };
#define VIRTIO_PCI_STATE PCI_STATE, VIRTIO_STATE, STATE_INT(v.sel_offered), STATE_INT(v.sel_features), STATE_INT(v.sel_queue)
#define VIRTIO_STATE \
    STATE_INT(v.features), STATE_INT(v.status), STATE_INT(v.isr), STATE_INT(v.config_generation), STATE_INT(v.config_vector), \
    STATE_RANGE(v.broken, 0, 1), \
    { .name = "vq", .type = STATE_T_STRUCT, .field = offsetof(SELF, v.vq), .size = sizeof(struct vq), .count = VIRTIO_QUEUES, \
      .sub = virtio_vq_state, .nsub = VIRTIO_VQ_STATE }
/* The two devices of a file; SELF is its struct, whose first member is `struct virtio v`. Then PROPS and what else there is. */
#define VIRTIO_DEVICE(n, text, cat, init_fn, exit_fn) \
    .name = n "-device", .help = text, .category = cat, .bus = "virtio-bus", .size = sizeof(SELF), .init = init_fn, .exit = exit_fn, \
    .reset = virtio_reset, .loaded = virtio_loaded, .user_creatable = true
#define VIRTIO_PCI_DEVICE(n, text, cat, init_fn, exit_fn) \
    .name = n "-pci", .alias = n "," n "-pci-non-transitional", .help = text, .category = cat, .bus = "pci", .size = sizeof(SELF), .init = init_fn, .exit = exit_fn, \
    .reset = virtio_reset, .loaded = virtio_loaded, .user_creatable = true, .hotplug = true

/* --- transports ------------------------------------------------------------------------------------------------------------ */

uint8_t virtio_get_status(const struct virtio *v);
void virtio_set_status(struct virtio *v, uint8_t status);
/* 32 bits of the features from `sel` * 32 on. */
uint32_t virtio_get_offered(const struct virtio *v, uint32_t sel);
void virtio_set_features(struct virtio *v, uint32_t sel, uint32_t bits);
struct vq *virtio_queue(struct virtio *v, uint32_t i);  /* NULL: there is none */
void virtio_queue_enable(struct vq *q, bool on);
void virtio_queue_reset(struct vq *q);
bool virtio_queue_resetting(const struct vq *q);
void virtio_kick(struct virtio *v, uint32_t queue);
uint64_t virtio_config_read(struct virtio *v, uint64_t off, unsigned size);
void virtio_config_write(struct virtio *v, uint64_t off, uint64_t val, unsigned size);
/* virtio-bus: called by virtio_init of a device there. */
int virtio_mmio_attach(struct virtio *v, struct err *e);
/* virtio_pci.c */
int virtio_pci_attach(struct virtio *v, struct err *e);
void virtio_pci_reset(struct virtio *v);
/* ring.c */
void vq_ring_reset(struct vq *q);
void vq_run(void *q);
void vq_kick(struct vq *q);
void vq_cancel(struct vq *q);

#endif
