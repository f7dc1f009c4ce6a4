/*
 * virtio_mmio.c: virtio over memory-mapped registers (virtio 1.2, 4.2), version 2: a bus with room for one device.
 * Known gaps: the legacy layout (version 1, QEMU's force-legacy=on) is not there.
 */
#include "dev/virtio/virtio.h"
#include "dev/fdt.h"

#include <stdio.h>

#define SELF struct virtio_mmio
struct virtio_mmio {
    struct dev dev;
    struct bus *bus;
    struct virtio *v;                     /* what is plugged in */
    bool force_legacy;                    /* property: only off is there */
    uint32_t offered_sel, features_sel, queue_sel, shm_sel;
};

enum { CONFIG = 0x100 };

static struct vq *queue(struct virtio_mmio *m)
{
    return m->v ? virtio_queue(m->v, m->queue_sel) : NULL;
}

static void update(struct virtio_mmio *m)
{
    irq_set(&m->dev.irq[0], m->v && m->v->isr);
}

static void mmio_irq(struct virtio *v, struct vq *q)
{
    v->isr |= q ? VIRTIO_ISR_QUEUE : VIRTIO_ISR_CONFIG;
    update(v->transport);
}

static void mmio_lower(struct virtio *v)
{
    update(v->transport);
}

static uint64_t version_read(void *dev, unsigned i) { return 2; }
static uint64_t magic_read(void *dev, unsigned i) { return 0x74726976; }
static uint64_t vendor_read(void *dev, unsigned i) { return 0x554d4551; } /* what drivers know from QEMU's */
static uint64_t id_read(void *dev, unsigned i)
{
    struct virtio_mmio *m = dev;
    return m->v ? m->v->cls->id : 0;
}
static uint64_t offered_read(void *dev, unsigned i)
{
    struct virtio_mmio *m = dev;
    return m->v ? virtio_get_offered(m->v, m->offered_sel) : 0;
}
static void features_write(void *dev, unsigned i, uint64_t x)
{
    struct virtio_mmio *m = dev;
    if (m->v) virtio_set_features(m->v, m->features_sel, (uint32_t)x);
}
static uint64_t qmax_read(void *dev, unsigned i)
{
    struct vq *q = queue(dev);
    return q ? q->max : 0;
}
/* What may not change while the queue is in use. */
static struct vq *idle(void *dev)
{
    struct vq *q = queue(dev);
    if (q && !q->ready) return q;
    if (q) dev_guest_error(dev, false, "queue %u is changed while it is in use", q->index);
    return NULL;
}
static void qsize_write(void *dev, unsigned i, uint64_t x)
{
    struct vq *q = idle(dev);
    if (q) q->size = (uint16_t)MIN(x, UINT16_MAX);
}
static uint64_t qready_read(void *dev, unsigned i)
{
    struct vq *q = queue(dev);
    return q && q->ready;
}
static void qready_write(void *dev, unsigned i, uint64_t x)
{
    struct vq *q = queue(dev);
    if (q) virtio_queue_enable(q, x & 1);
}
static void notify_write(void *dev, unsigned i, uint64_t x)
{
    struct virtio_mmio *m = dev;
    if (m->v) virtio_kick(m->v, (uint32_t)x);
}
static uint64_t isr_read(void *dev, unsigned i)
{
    struct virtio_mmio *m = dev;
    return m->v ? m->v->isr : 0;
}
static void ack_write(void *dev, unsigned i, uint64_t x)
{
    struct virtio_mmio *m = dev;
    if (!m->v) return;
    m->v->isr &= (uint8_t)~x;
    update(m);
}
static uint64_t status_read(void *dev, unsigned i)
{
    struct virtio_mmio *m = dev;
    return m->v ? virtio_get_status(m->v) : 0;
}
static void status_write(void *dev, unsigned i, uint64_t x)
{
    struct virtio_mmio *m = dev;
    if (m->v) virtio_set_status(m->v, (uint8_t)x);
    if (!(x & 0xff)) m->offered_sel = m->features_sel = m->queue_sel = 0;
}
static uint64_t *part(struct vq *q, unsigned i)
{
    return i < 2 ? &q->desc : i < 4 ? &q->driver : &q->device;
}
static void half_write(struct vq *q, unsigned i, uint64_t x)
{
    uint64_t *a = part(q, i);
    unsigned shift = i & 1 ? 32 : 0;
    *a = (*a & ~(0xffffffffull << shift)) | x << shift;
}
static void desc_write(void *dev, unsigned i, uint64_t x)
{
    struct vq *q = idle(dev);
    if (q) half_write(q, i, x);
}
static void driver_write(void *dev, unsigned i, uint64_t x)
{
    struct vq *q = idle(dev);
    if (q) half_write(q, 2 + i, x);
}
static void device_write(void *dev, unsigned i, uint64_t x)
{
    struct vq *q = idle(dev);
    if (q) half_write(q, 4 + i, x);
}
static uint64_t none_read(void *dev, unsigned i) { return 0xffffffff; } /* no such shared memory */
static uint64_t qreset_read(void *dev, unsigned i)
{
    struct vq *q = queue(dev);
    return q && virtio_queue_resetting(q);
}
static void qreset_write(void *dev, unsigned i, uint64_t x)
{
    struct vq *q = queue(dev);
    if (q && (x & 1)) virtio_queue_reset(q);
}
static uint64_t generation_read(void *dev, unsigned i)
{
    struct virtio_mmio *m = dev;
    return m->v ? m->v->config_generation : 0;
}

static const struct reg regs[] = {
    { 0x000, "MagicValue", RO, .read = magic_read },
    { 0x004, "Version", RO, .read = version_read },
    { 0x008, "DeviceID", RO, .read = id_read },
    { 0x00c, "VendorID", RO, .read = vendor_read },
    { 0x010, "DeviceFeatures", RO, .read = offered_read },
    { 0x014, "DeviceFeaturesSel", WO, FIELD(offered_sel) },
    { 0x020, "DriverFeatures", WO, .write = features_write },
    { 0x024, "DriverFeaturesSel", WO, FIELD(features_sel) },
    { 0x030, "QueueSel", WO, FIELD(queue_sel) },
    { 0x034, "QueueNumMax", RO, .read = qmax_read },
    { 0x038, "QueueNum", WO, .write = qsize_write },
    { 0x044, "QueueReady", RW, .read = qready_read, .write = qready_write },
    { 0x050, "QueueNotify", WO, .write = notify_write },
    { 0x060, "InterruptStatus", RO, .read = isr_read },
    { 0x064, "InterruptACK", WO, .write = ack_write },
    { 0x070, "Status", RW, .read = status_read, .write = status_write },
    { 0x080, "QueueDesc", WO, .count = 2, .write = desc_write },
    { 0x090, "QueueDriver", WO, .count = 2, .write = driver_write },
    { 0x0a0, "QueueDevice", WO, .count = 2, .write = device_write },
    { 0x0ac, "SHMSel", WO, FIELD(shm_sel) },
    { 0x0b0, "SHMLen", RO, .count = 2, .read = none_read },
    { 0x0b8, "SHMBase", RO, .count = 2, .read = none_read },
    { 0x0c0, "QueueReset", RW, .read = qreset_read, .write = qreset_write },
    { 0x0fc, "ConfigGeneration", RO, .read = generation_read },
};

/* From 0x100 on: the device's configuration space, accesses of any width. */
static uint64_t config_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    struct virtio_mmio *m = dev;
    return m->v && off >= CONFIG ? virtio_config_read(m->v, off - CONFIG, size) : 0;
}
static void config_write(void *dev, uint64_t off, uint64_t x, unsigned size, struct mem_attr at)
{
    struct virtio_mmio *m = dev;
    if (m->v && off >= CONFIG) virtio_config_write(m->v, off - CONFIG, x, size);
}
static const struct mmio_ops config_ops = { .read = config_read, .write = config_write };

/* --- the bus -------------------------------------------------------------------------------------------------------------- */

static int plug(struct bus *bus, struct dev *d, struct err *e)
{
    struct virtio_mmio *m = (struct virtio_mmio *)bus->owner;
    d->dma = m->dev.dma;
    return 0;
}

static void unplug(struct bus *bus, struct dev *d)
{
    struct virtio_mmio *m = (struct virtio_mmio *)bus->owner;
    m->v = NULL;
    update(m);
}

int virtio_mmio_attach(struct virtio *v, struct err *e)
{
    if (!v->dev.parent) return err_set(e, EINVAL, "%s needs a virtio-bus", v->dev.cls->name);
    struct virtio_mmio *m = (struct virtio_mmio *)v->dev.parent->owner;
    m->v = v;
    v->transport = m;
    v->irq = mmio_irq;
    v->lower = mmio_lower;
    return 0;
}

static int mmio_init(void *dev, struct err *e)
{
    struct virtio_mmio *m = dev;
    char name[32];
    unsigned n = 0;
    if (m->force_legacy) return err_set(e, ENOTSUP, "virtio-mmio: force-legacy=on: the legacy layout is not there; guests take the one of virtio 1.0");
    for (struct bus *b = m->dev.board->buses; b; b = b->next) n += !strcmp(b->type, "virtio-bus");
    snprintf(name, sizeof name, "virtio-mmio-bus.%u", n);
    m->bus = bus_new(&m->dev, "virtio-bus", name, 1);
    m->bus->plug = plug;
    m->bus->unplug = unplug;
    return 0;
}

static void mmio_fdt(void *dev, struct fdt_node *n)
{
    fdt_set_empty(n, "dma-coherent");
}

const struct device virtio_mmio_device = {
    .name = "virtio-mmio", .help = "virtio transport of registers in memory", .category = "Misc devices", .dt = "virtio,mmio",
    .size = sizeof(SELF), .window = 0x200, REGS(regs), .ops = &config_ops, .irqs = 1,
    PROPS({ .name = "force-legacy", .type = PROP_T_BOOL, .field = offsetof(SELF, force_legacy), .help = "the layout of before virtio 1.0" }),
    .init = mmio_init, .fdt = mmio_fdt,
};
