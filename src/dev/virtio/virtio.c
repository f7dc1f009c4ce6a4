/*
 * virtio.c: what all virtio devices share: feature negotiation, status, configuration space, reset (virtio 1.2, chapters 2 and 3).
 * Known gaps: no legacy interface; VIRTIO_F_NOTIFICATION_DATA is not offered.
 */
#include "dev/virtio/virtio.h"

#include <stdio.h>

void virtio_error(struct virtio *v, const char *fmt, ...)
{
    char msg[192];
    va_list ap;
    if (v->broken) return;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    dev_guest_error(&v->dev, false, "%s; the device waits for a reset", msg);
    v->broken = true;
    v->status |= VIRTIO_NEEDS_RESET;
    if (v->status & VIRTIO_DRIVER_OK) virtio_config_changed(v);
}

void virtio_config_changed(struct virtio *v)
{
    v->config_generation++;
    if ((v->status & VIRTIO_DRIVER_OK) && v->irq) v->irq(v, NULL);
}

/* --- life ------------------------------------------------------------------------------------------------------------------ */

int virtio_init(void *dev, const struct virtio_class *cls, unsigned nqueues, struct err *e)
{
    struct virtio *v = dev;
    if (nqueues > VIRTIO_QUEUES) return err_set(e, EINVAL, "%s: %u queues, at most %d", cls->name, nqueues, VIRTIO_QUEUES);
    v->cls = cls;
    v->home = v->dev.dma;
    v->nqueues = (uint16_t)nqueues;
    for (unsigned i = 0; i < VIRTIO_QUEUES; i++) {
        struct vq *q = &v->vq[i];
        q->v = v;
        q->index = (uint16_t)i;
        q->row = &cls->queues[MIN(i, cls->nqueue_rows - 1)];
        q->max = q->row->size ? q->row->size : 128;
        deferred_init(&q->run, v->dev.board->loop, vq_run, q);
        q->call = (struct io_call){ .fn = vq_run, .ctx = q };
    }
    return v->dev.cls->bus && !strcmp(v->dev.cls->bus, "pci") ? virtio_pci_attach(v, e) : virtio_mmio_attach(v, e);
}

int virtio_on_iothread(void *dev, const char *name, struct err *e)
{
    struct virtio *v = dev;
    const struct dev_resolver *r = v->dev.board->resolver;
    if (!name || !*name) return 0;
    v->iothread = r && r->iothread ? r->iothread(r->ctx, name) : NULL;
    if (!v->iothread) return err_set(e, ENOENT, "Device '%s' not found", name);
    iothread_use(v->iothread, true);
    return 0;
}

static void reset(struct virtio *v)
{
    bool ran = v->status & VIRTIO_DRIVER_OK;
    v->status = v->isr = 0;
    v->features = 0;
    v->broken = false;
    v->config_vector = VIRTIO_NO_VECTOR;
    if (v->lower) v->lower(v);
    if (ran && v->cls->status) v->cls->status(v, false);
    if (v->cls->reset) v->cls->reset(v);
    for (unsigned i = 0; i < v->nqueues; i++) vq_ring_reset(&v->vq[i]);
    v->offered = v->cls->features | VF(VIRTIO_F_VERSION_1) | (v->cls->offer ? v->cls->offer(v) : 0) |
                 (v->p_indirect ? VF(VIRTIO_F_INDIRECT_DESC) : 0) | (v->p_event ? VF(VIRTIO_F_EVENT_IDX) : 0) |
                 (v->p_packed ? VF(VIRTIO_F_RING_PACKED) : 0) | (v->p_queue_reset ? VF(VIRTIO_F_RING_RESET) : 0) |
                 (v->p_platform ? VF(VIRTIO_F_ACCESS_PLATFORM) : 0);
}

void virtio_reset(void *dev)
{
    struct virtio *v = dev;
    reset(v);
    if (v->cls->drain) v->cls->drain(v);
    v->old_status = 0;
    if (v->on_pci) virtio_pci_reset(v);
}

void virtio_exit(void *dev)
{
    struct virtio *v = dev;
    v->status = 0; /* what still comes of back ends and buses reaches nobody: interrupt controllers may be gone already */
    v->irq = NULL;
    v->lower = NULL;
    for (unsigned i = 0; i < VIRTIO_QUEUES; i++)
        if (v->vq[i].v) vq_cancel(&v->vq[i]);
    if (v->iothread) iothread_use(v->iothread, false);
    v->iothread = NULL;
    if (v->on_pci) pci_exit(&v->pci);
}

int virtio_loaded(void *dev, struct err *e)
{
    struct virtio *v = dev;
    bool packed = virtio_has(v, VIRTIO_F_RING_PACKED);
    /* before FEATURES_OK they are what the driver wrote */
    if (v->status & VIRTIO_FEATURES_OK && v->features & ~v->offered) return err_set(e, EINVAL, "%s: features 0x%llx are not offered here", v->cls->name,
                                                  (unsigned long long)(v->features & ~v->offered));
    for (unsigned i = 0; i < v->nqueues; i++) {
        struct vq *q = &v->vq[i];
        if (q->ready && (!q->size || q->size > q->max || (!packed && (q->size & (q->size - 1))) ||
                         (packed && (q->avail >= q->size || q->used >= q->size))))
            return err_set(e, EINVAL, "%s: queue %u of %u entries (at most %u)", v->cls->name, i, q->size, q->max);
    }
    if (v->cls->agreed && (v->status & VIRTIO_FEATURES_OK)) v->cls->agreed(v);
    for (unsigned i = 0; virtio_running(v) && i < v->nqueues; i++)
        if (v->vq[i].ready) vq_schedule(&v->vq[i]);
    return v->on_pci ? pci_loaded(&v->pci, e) : 0;
}

const struct state_field virtio_vq_state[VIRTIO_VQ_STATE] = {
#define F(m) { .name = #m, .type = STATE_T_INT, .field = offsetof(struct vq, m), .size = sizeof(((struct vq *)0)->m) }
#define B(m) { .name = #m, .type = STATE_T_INT, .field = offsetof(struct vq, m), .size = 1, .max = 1 }
    F(size), F(vector), F(desc), F(driver), F(device), B(ready), F(avail), F(used), B(avail_wrap), B(used_wrap), F(spent), F(told),
    B(told_valid), B(notify), B(kicked), F(generation), F(max),
#undef F
#undef B
};

/* --- status ---------------------------------------------------------------------------------------------------------------------- */

/* Transfers that a reset could not stop go on: the device shows that it is not reset yet (2.4.2), until it is used again. */
static bool draining(const struct virtio *v)
{
    for (unsigned i = 0; i < v->nqueues; i++)
        if (v->vq[i].stale) return true;
    return false;
}

uint8_t virtio_get_status(const struct virtio *v)
{
    return !v->status && v->old_status && draining(v) ? v->old_status : v->status;
}

static void run(struct virtio *v)
{
    if (v->cls->status) v->cls->status(v, true);
    for (unsigned i = 0; i < v->nqueues; i++) {
        struct vq *q = &v->vq[i];
        if (!q->ready) continue;
        vq_want(q, !(q->row->flags & VQ_SUPPLY));
        vq_schedule(q);
    }
}

void virtio_set_status(struct virtio *v, uint8_t s)
{
    uint8_t old = v->status;
    if (!s) {
        reset(v);
        v->old_status = old;
        return;
    }
    v->old_status = 0;
    s |= old & VIRTIO_NEEDS_RESET;
    if ((s & ~old) & VIRTIO_FEATURES_OK) {
        if ((v->features & ~v->offered) || !virtio_has(v, VIRTIO_F_VERSION_1)) s &= (uint8_t)~VIRTIO_FEATURES_OK;
        else if (v->cls->agreed) v->cls->agreed(v);
    }
    if ((s & VIRTIO_DRIVER_OK) && !(s & VIRTIO_FEATURES_OK)) {
        dev_guest_error(&v->dev, false, "DRIVER_OK without FEATURES_OK");
        s &= (uint8_t)~VIRTIO_DRIVER_OK;
    }
    v->status = s;
    if ((s & ~old) & VIRTIO_DRIVER_OK) run(v);
    else if ((old & ~s) & VIRTIO_DRIVER_OK && v->cls->status) v->cls->status(v, false);
}

uint32_t virtio_get_offered(const struct virtio *v, uint32_t sel)
{
    return sel < 2 ? (uint32_t)(v->offered >> (32 * sel)) : 0;
}

void virtio_set_features(struct virtio *v, uint32_t sel, uint32_t bits)
{
    if (v->status & VIRTIO_FEATURES_OK) {
        dev_guest_error(&v->dev, false, "features are changed after FEATURES_OK");
        return;
    }
    if (sel < 2) v->features = (v->features & ~(0xffffffffull << (32 * sel))) | (uint64_t)bits << (32 * sel);
}

/* --- queues ---------------------------------------------------------------------------------------------------------------------------- */

struct vq *virtio_queue(struct virtio *v, uint32_t i)
{
    return i < v->nqueues ? &v->vq[i] : NULL;
}

void virtio_queue_enable(struct vq *q, bool on)
{
    struct virtio *v = q->v;
    if (q->ready == on) return;
    if (!on) { /* stops using it; its state stays */
        q->ready = false;
        return;
    }
    if (!q->size || q->size > q->max || (!virtio_has(v, VIRTIO_F_RING_PACKED) && (q->size & (q->size - 1)))) {
        dev_guest_error(&v->dev, false, "queue %u of %u entries (at most %u)", q->index, q->size, q->max);
        return;
    }
    q->ready = true;
    if (virtio_running(v)) {
        vq_want(q, !(q->row->flags & VQ_SUPPLY));
        vq_schedule(q);
    }
}

void virtio_queue_reset(struct vq *q)
{
    struct virtio *v = q->v;
    if (!virtio_has(v, VIRTIO_F_RING_RESET)) return;
    if (v->cls->queue_reset) v->cls->queue_reset(v, q);
    uint16_t vector = q->vector;
    vq_ring_reset(q);
    q->vector = vector;
}

bool virtio_queue_resetting(const struct vq *q)
{
    return q->stale != 0;
}

void virtio_kick(struct virtio *v, uint32_t queue)
{
    if (queue < v->nqueues) vq_kick(&v->vq[queue]);
    else dev_guest_error(&v->dev, false, "a kick of queue %u, there are %u", queue, v->nqueues);
}

/* --- configuration space ----------------------------------------------------------------------------------------------------------------- */

uint64_t virtio_config_read(struct virtio *v, uint64_t off, unsigned size)
{
    if (off >= v->cls->config_size || size > v->cls->config_size - off) return 0;
    return regs_read(&v->dev, v->cls->config, v->cls->nconfig, off, size);
}

void virtio_config_write(struct virtio *v, uint64_t off, uint64_t val, unsigned size)
{
    if (off >= v->cls->config_size || size > v->cls->config_size - off) return;
    regs_write(&v->dev, v->cls->config, v->cls->nconfig, off, val, size);
}
