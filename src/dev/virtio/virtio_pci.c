/*
 * virtio_pci.c: virtio over PCI (virtio 1.2, 4.1), modern devices only: the structures are in BAR 4, MSI-X in BAR 1.
 * Known gaps: no transitional devices (disable-legacy=off), no notification data, no shared memory regions.
 */
#include "dev/virtio/virtio.h"

#include <linux/pci_regs.h>

#define SELF struct virtio
enum { COMMON = 0, ISR = 0x1000, DEVICE = 0x2000, NOTIFY = 0x3000, BAR_BYTES = 0x4000, NOTIFY_STEP = 4 };
enum { CAP_COMMON = 1, CAP_NOTIFY, CAP_ISR, CAP_DEVICE, CAP_PCI };

static struct vq *queue(void *dev)
{
    struct virtio *v = dev;
    return virtio_queue(v, v->sel_queue);
}

/* --- interrupts -------------------------------------------------------------------------------------------------------------- */

static void pci_irq(struct virtio *v, struct vq *q)
{
    if (pci_msix_on(&v->pci)) {
        uint16_t vector = q ? q->vector : v->config_vector;
        if (vector != VIRTIO_NO_VECTOR) pci_msix_send(&v->pci, vector);
        return;
    }
    v->isr |= q ? VIRTIO_ISR_QUEUE : VIRTIO_ISR_CONFIG;
    pci_intx(&v->pci, true);
}

static void pci_lower(struct virtio *v)
{
    pci_intx(&v->pci, false);
}

/* --- the common configuration structure ------------------------------------------------------------------------------------------ */

static uint16_t vector_of(struct virtio *v, uint64_t x)
{
    return x < v->pci.msix_n ? (uint16_t)x : VIRTIO_NO_VECTOR;
}
static uint64_t offered_read(void *dev, unsigned i) { return virtio_get_offered(dev, ((SELF *)dev)->sel_offered); }
static uint64_t features_read(void *dev, unsigned i)
{
    SELF *v = dev;
    return v->sel_features < 2 ? (uint32_t)(v->features >> (32 * v->sel_features)) : 0;
}
static void features_write(void *dev, unsigned i, uint64_t x) { virtio_set_features(dev, ((SELF *)dev)->sel_features, (uint32_t)x); }
static void config_vector_write(void *dev, unsigned i, uint64_t x) { ((SELF *)dev)->config_vector = vector_of(dev, x); }
static uint64_t config_vector_read(void *dev, unsigned i) { return ((SELF *)dev)->config_vector; }
static uint64_t nqueues_read(void *dev, unsigned i) { return ((SELF *)dev)->nqueues; }
static uint64_t status_read(void *dev, unsigned i) { return virtio_get_status(dev); }
static void status_write(void *dev, unsigned i, uint64_t x) { virtio_set_status(dev, (uint8_t)x); }
static uint64_t generation_read(void *dev, unsigned i) { return ((SELF *)dev)->config_generation; }

static struct vq *idle(void *dev)
{
    struct vq *q = queue(dev);
    if (q && !q->ready) return q;
    if (q) dev_guest_error(dev, false, "queue %u is changed while it is in use", q->index);
    return NULL;
}
static uint64_t size_read(void *dev, unsigned i)
{
    struct vq *q = queue(dev);
    return q ? q->size : 0;
}
static void size_write(void *dev, unsigned i, uint64_t x)
{
    struct vq *q = idle(dev);
    if (q) q->size = (uint16_t)x;
}
static uint64_t vector_read(void *dev, unsigned i)
{
    struct vq *q = queue(dev);
    return q ? q->vector : VIRTIO_NO_VECTOR;
}
static void vector_write(void *dev, unsigned i, uint64_t x)
{
    struct vq *q = queue(dev);
    if (q) q->vector = vector_of(dev, x);
}
static uint64_t enable_read(void *dev, unsigned i)
{
    struct vq *q = queue(dev);
    return q && q->ready;
}
static void enable_write(void *dev, unsigned i, uint64_t x)
{
    struct vq *q = queue(dev);
    if (q && x == 1) virtio_queue_enable(q, true); /* 0 is forbidden (4.1.4.3.2) */
}
static uint64_t notify_off_read(void *dev, unsigned i) { return queue(dev) ? ((SELF *)dev)->sel_queue : 0; }
static uint64_t half(uint64_t a, unsigned i) { return (uint32_t)(a >> 32 * (i & 1)); }
static void half_write(uint64_t *a, unsigned i, uint64_t x) { *a = (*a & ~(0xffffffffull << 32 * i)) | x << 32 * i; }
static uint64_t desc_read(void *dev, unsigned i) { return queue(dev) ? half(queue(dev)->desc, i) : 0; }
static uint64_t driver_read(void *dev, unsigned i) { return queue(dev) ? half(queue(dev)->driver, i) : 0; }
static uint64_t device_read(void *dev, unsigned i) { return queue(dev) ? half(queue(dev)->device, i) : 0; }
static void desc_write(void *dev, unsigned i, uint64_t x)
{
    struct vq *q = idle(dev);
    if (q) half_write(&q->desc, i, x);
}
static void driver_write(void *dev, unsigned i, uint64_t x)
{
    struct vq *q = idle(dev);
    if (q) half_write(&q->driver, i, x);
}
static void device_write(void *dev, unsigned i, uint64_t x)
{
    struct vq *q = idle(dev);
    if (q) half_write(&q->device, i, x);
}
static uint64_t reset_read(void *dev, unsigned i)
{
    struct vq *q = queue(dev);
    return q && virtio_queue_resetting(q);
}
static void reset_write(void *dev, unsigned i, uint64_t x)
{
    struct vq *q = queue(dev);
    if (q && x == 1) virtio_queue_reset(q);
}

static const struct reg common[] = {
    { 0x00, "device_feature_select", RW, FIELD(sel_offered) },
    { 0x04, "device_feature", RO, .read = offered_read },
    { 0x08, "driver_feature_select", RW, FIELD(sel_features) },
    { 0x0c, "driver_feature", RW, .read = features_read, .write = features_write },
    { 0x10, "config_msix_vector", RW, .size = 2, .read = config_vector_read, .write = config_vector_write },
    { 0x12, "num_queues", RO, .size = 2, .read = nqueues_read },
    { 0x14, "device_status", RW, .size = 1, .read = status_read, .write = status_write },
    { 0x15, "config_generation", RO, .size = 1, .read = generation_read },
    { 0x16, "queue_select", RW, .size = 2, FIELD(sel_queue) },
    { 0x18, "queue_size", RW, .size = 2, .read = size_read, .write = size_write },
    { 0x1a, "queue_msix_vector", RW, .size = 2, .read = vector_read, .write = vector_write },
    { 0x1c, "queue_enable", RW, .size = 2, .read = enable_read, .write = enable_write },
    { 0x1e, "queue_notify_off", RO, .size = 2, .read = notify_off_read },
    { 0x20, "queue_desc", RW, .count = 2, .read = desc_read, .write = desc_write },
    { 0x28, "queue_driver", RW, .count = 2, .read = driver_read, .write = driver_write },
    { 0x30, "queue_device", RW, .count = 2, .read = device_read, .write = device_write },
    { 0x38, "queue_notify_data", RO, .size = 2 },
    { 0x3a, "queue_reset", RW, .size = 2, .read = reset_read, .write = reset_write },
    { 0x3c, "admin_queue", RO, .size = 4 },
};

/* --- BAR 4 -------------------------------------------------------------------------------------------------------------------------- */

static uint64_t bar_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    struct virtio *v = dev;
    if (off < ISR) return regs_read(dev, common, ARRAY_LEN(common), off, size);
    if (off >= NOTIFY) return 0;
    if (off >= DEVICE) return virtio_config_read(v, off - DEVICE, size);
    if (off != ISR) return 0;
    uint8_t isr = v->isr; /* reading takes it back */
    v->isr = 0;
    pci_intx(&v->pci, false);
    return isr;
}

static void bar_write(void *dev, uint64_t off, uint64_t x, unsigned size, struct mem_attr at)
{
    struct virtio *v = dev;
    if (off < ISR) regs_write(dev, common, ARRAY_LEN(common), off, x, size);
    else if (off >= NOTIFY) virtio_kick(v, (uint32_t)(off - NOTIFY) / NOTIFY_STEP);
    else if (off >= DEVICE) virtio_config_write(v, off - DEVICE, x, size);
}

static const struct mmio_ops bar_ops = { .read = bar_read, .write = bar_write };

/* --- capabilities --------------------------------------------------------------------------------------------------------------------- */

enum { AT_BAR = 4, AT_OFFSET = 8, AT_LENGTH = 12, AT_DATA = 16 };

static void add_cap(struct virtio *v, uint8_t type, uint32_t off, uint32_t len)
{
    bool window = type == CAP_PCI;
    unsigned size = type == CAP_NOTIFY || window ? 20 : 16;
    struct pci_row rows[] = {
        { 2, 1, .value = size },
        { 3, 1, .value = type },
        { AT_BAR, 1, .value = window ? 0 : 4, .write = window ? 0xff : 0 },
        { AT_OFFSET, 4, .value = off, .write = window ? UINT32_MAX : 0 },
        { AT_LENGTH, 4, .value = len, .write = window ? UINT32_MAX : 0 },
        { AT_DATA, 4, .value = type == CAP_NOTIFY ? NOTIFY_STEP : 0, .write = window ? UINT32_MAX : 0 },
    };
    uint16_t at = pci_cap(&v->pci, PCI_CAP_ID_VNDR, size, rows, size == 20 ? 6 : 5);
    if (window) v->cap_pci = at;
}

/* The window in configuration space (4.1.4.9): an access of 1, 2 or 4 bytes to a BAR through the capability's data. */
static bool window(struct virtio *v, uint32_t off, unsigned size, uint32_t *at, unsigned *len)
{
    const uint8_t *c = v->pci.config + v->cap_pci;
    if (!v->cap_pci || off >= v->cap_pci + AT_DATA + 4u || off + size <= v->cap_pci + (unsigned)AT_DATA) return false;
    *at = pci_get32(c + AT_OFFSET);
    *len = pci_get32(c + AT_LENGTH);
    return c[AT_BAR] == 4 && (*len == 1 || *len == 2 || *len == 4) && *at < BAR_BYTES && !(*at % *len);
}
static void config_reading(struct pci_dev *p, uint32_t off, unsigned size)
{
    struct virtio *v = (struct virtio *)p;
    uint32_t at;
    unsigned len;
    if (window(v, off, size, &at, &len)) pci_put32(p->config + v->cap_pci + AT_DATA, (uint32_t)bar_read(v, at, len, (struct mem_attr){ 0 }));
}
static void config_written(struct pci_dev *p, uint32_t off, unsigned size)
{
    struct virtio *v = (struct virtio *)p;
    uint32_t at;
    unsigned len;
    if (window(v, off, size, &at, &len))
        bar_write(v, at, pci_get32(p->config + v->cap_pci + AT_DATA) & bits_mask(8 * len), len, (struct mem_attr){ 0 });
}

/* Queues go on where they were. */
static void bus_master(struct pci_dev *p, bool on)
{
    struct virtio *v = (struct virtio *)p;
    for (unsigned i = 0; on && virtio_running(v) && i < v->nqueues; i++)
        if (v->vq[i].ready) vq_schedule(&v->vq[i]);
}

void virtio_pci_reset(struct virtio *v)
{
    v->sel_offered = v->sel_features = v->sel_queue = 0;
    pci_reset(&v->pci);
}

int virtio_pci_attach(struct virtio *v, struct err *e)
{
    struct pci_dev *p = &v->pci;
    unsigned vectors = v->p_vectors == UINT32_MAX ? v->nqueues + 1u : v->p_vectors;
    if (v->p_no_modern || v->p_no_legacy == ONOFF_OFF)
        return err_set(e, ENOTSUP, "%s: only modern virtio is here: disable-modern=off, disable-legacy=on or auto", v->dev.cls->name);
    if (!p->bus) return err_set(e, EINVAL, "%s needs a PCI bus", v->dev.cls->name);
    if (vectors > PCI_MSIX_MAX) return err_set(e, EINVAL, "%s: at most %d vectors", v->dev.cls->name, PCI_MSIX_MAX);
    pci_init(p, &(struct pci_id){ 0x1af4, (uint16_t)(0x1040 + v->cls->id), 0x1af4, 0x1100, v->cls->pci_class, 1 });
    pci_bar_mmio(p, 4, PCI_BAR_64 | PCI_BAR_PREFETCH, BAR_BYTES, &bar_ops, v);
    if (vectors) pci_msix_own_bar(p, vectors, 1);
    add_cap(v, CAP_COMMON, COMMON, 0x1000);
    add_cap(v, CAP_ISR, ISR, 0x1000);
    add_cap(v, CAP_DEVICE, DEVICE, 0x1000);
    add_cap(v, CAP_NOTIFY, NOTIFY, 0x1000);
    add_cap(v, CAP_PCI, 0, 0);
    pci_cap_pm(p);
    if (p->bus->express && p->bus->bridge) pci_cap_express(p, PCIE_ENDPOINT);
    p->config_reading = config_reading;
    p->config_written = config_written;
    p->bus_master = bus_master;
    v->on_pci = true;
    v->irq = pci_irq;
    v->lower = pci_lower;
    return 0;
}
