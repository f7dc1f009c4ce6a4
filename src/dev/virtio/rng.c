/*
 * rng.c: virtio-rng (virtio 1.2, 5.4): random bytes from the host's kernel, as many per period as the properties allow.
 * Known gaps: the property `rng` names no object yet; all bytes come from getrandom(2).
 */
#include "dev/virtio/virtio.h"

#include <sys/random.h>

#define SELF struct virtio_rng
struct virtio_rng {
    struct virtio v;
    uint64_t max_bytes, left;             /* per period */
    uint32_t period;                      /* ms */
    char *source;
    struct timer refill;
};

enum { CHUNK = 4096, REQUEST_MAX = 64 << 10 };

static void handle(struct vq *q)
{
    SELF *s = (SELF *)q->v;
    uint8_t buf[CHUNK];
    bool any = false;
    while (s->left) {
        struct vq_elem *el = vq_pop(q);
        if (!el) break;
        /* a request may be answered with less than it has room for */
        uint64_t want = MIN(MIN((uint64_t)el->in_len, (uint64_t)REQUEST_MAX), s->left), got = 0;
        while (got < want) {
            ssize_t n = getrandom(buf, MIN((uint64_t)sizeof buf, want - got), 0);
            if (n <= 0 || vq_write(el, got, buf, (uint64_t)n) != n) break;
            got += (uint64_t)n;
        }
        s->left -= got;
        vq_charge(q, got);
        vq_push(el, (uint32_t)got);
        any = true;
    }
    if (!s->left && !timer_is_set(&s->refill)) timer_set_in(&s->refill, (uint64_t)s->period * NS_PER_MS);
    if (any) vq_notify(q);
}

static void refill(void *dev)
{
    SELF *s = dev;
    s->left = s->max_bytes;
    vq_schedule(&s->v.vq[0]);
}

static const struct vq_row rows[] = { { "requests", .size = 8, .handle = handle } };
static const struct virtio_class class = { .name = "virtio-rng", .id = 4, .pci_class = 0x00ff00, VIRTIO_ROWS(rows) }; /* a reset does not refill */

static int init(void *dev, struct err *e)
{
    SELF *s = dev;
    if (!s->period || !s->max_bytes) return err_set(e, EINVAL, "virtio-rng: 'period' and 'max-bytes' must be positive");
    timer_init(&s->refill, s->v.dev.board->clock, refill, s);
    s->left = s->max_bytes;
    return virtio_init(dev, &class, 1, e);
}

static void leave(void *dev)
{
    SELF *s = dev;
    timer_cancel(&s->refill);
    virtio_exit(dev);
}

#define RNG_PROPS \
    VIRTIO_PROPS, PROP_U64("max-bytes", max_bytes, INT64_MAX), PROP_U32("period", period, 1 << 16), PROP_STR("rng", source, NULL)
#define RNG_STATE STATE_INT(left), STATE_TIMER(refill)

const struct device virtio_rng_device = {
    VIRTIO_DEVICE("virtio-rng", "virtio random number generator", "Misc devices", init, leave), PROPS(RNG_PROPS), STATE(VIRTIO_STATE, RNG_STATE),
};
const struct device virtio_rng_pci_device = {
    VIRTIO_PCI_DEVICE("virtio-rng", "virtio random number generator", "Misc devices", init, leave), PROPS(RNG_PROPS, VIRTIO_PCI_PROPS),
    STATE(VIRTIO_PCI_STATE, RNG_STATE),
};
