/*
 * test_driver.h: a driver for tests and fuzz targets: a board with RAM, a virtio-mmio device, rings made by hand. Only that header of the
 * device is known to it which a guest knows.
 */
#ifndef LYRE_DEV_VIRTIO_TEST_DRIVER_H
#define LYRE_DEV_VIRTIO_TEST_DRIVER_H

#include <stdio.h>
#include <stdlib.h>
#include "dev/virtio/virtio.h"

enum { DRV_RAM = 0x80000000, DRV_RAM_SIZE = 16 << 20, DRV_MMIO = 0x10000000, DRV_STEP = 0x1000, DRV_RINGS = 0x80000, DRV_DATA = 0x200000 };

struct drv_ring {
    uint16_t size, index;
    uint64_t desc, driver, device;  /* addresses */
    bool packed, event, avail_wrap, used_wrap;
    uint16_t avail, used, free;     /* free: next descriptor (tests let the ring run empty before it wraps) */
};
struct drv {
    struct board b;
    struct clock clock;
    struct ram *ram;
    struct dev *mmio, *dev;
    struct virtio *v;
    unsigned irqs;                  /* edges of its line */
    bool level;
    uint64_t features;
    struct drv_ring ring[8];
    uint64_t brk;                   /* next free byte of the data area */
};

static void drv_line(void *ctx, unsigned n, bool level)
{
    struct drv *d = ctx;
    d->irqs += level && !d->level;
    d->level = level;
}

/* The board, with the lock held from here on. */
static inline void drv_board(struct drv *d)
{
    struct err e = { 0 };
    memset(d, 0, sizeof *d);
    d->b.loop = loop_new(&e);
    loop_lock(d->b.loop);
    clock_init(&d->clock, d->b.loop, CLOCK_GUEST);
    clock_start(&d->clock);
    d->b.clock = &d->clock;
    d->b.mem = mem_new();
    d->b.space = space_new(d->b.mem, "system");
    d->ram = ram_new(d->b.mem, "ram", DRV_RAM_SIZE, false, &e);
    space_map_ram(d->b.space, DRV_RAM, d->ram, 0, DRV_RAM_SIZE, 0);
    d->brk = DRV_RAM + DRV_DATA;
}

/* Puts a device of that class (NULL: found by name) on a virtio-mmio. */
static inline int drv_plug(struct drv *d, const struct device *cls, const char *props, struct err *e)
{
    d->mmio = dev_new(&d->b, device_find("virtio-mmio"), "mmio", e);
    if (!d->mmio || dev_realize(d->mmio, NULL, e) || dev_map(d->mmio, DRV_MMIO, e)) return -1;
    dev_connect_fn(d->mmio, 0, drv_line, d, 0);
    d->dev = dev_new(&d->b, cls, "dut", e);
    if (!d->dev || dev_set_list(d->dev, props, e)) return -1;
    int r = dev_realize(d->dev, bus_find(&d->b, "virtio-bus", NULL, e), e);
    d->v = (struct virtio *)d->dev;
    return r;
}

static inline void drv_free(struct drv *d)
{
    while (d->b.devs) {
        struct dev *last = d->b.devs;
        while (last->next) last = last->next;
        dev_free(last);
    }
    free(d->b.resolver);
    space_free(d->b.space);
    mem_free(d->b.mem);
    clock_done(&d->clock);
    loop_unlock(d->b.loop);
    loop_free(d->b.loop);
}

/* --- registers and memory ------------------------------------------------------------------------------------------------ */

static inline void drv_st(struct drv *d, uint64_t addr, uint64_t v, unsigned size)
{
    space_st(d->b.space, addr, v, size, (struct mem_attr){ .cpu = true });
}
static inline uint64_t drv_ld(struct drv *d, uint64_t addr, unsigned size)
{
    uint64_t v = 0;
    space_ld(d->b.space, addr, size, &v, (struct mem_attr){ .cpu = true });
    return v;
}
static inline void drv_w(struct drv *d, unsigned reg, uint32_t v) { drv_st(d, DRV_MMIO + reg, v, 4); }
static inline uint32_t drv_r(struct drv *d, unsigned reg) { return (uint32_t)drv_ld(d, DRV_MMIO + reg, 4); }
static inline void drv_copy_in(struct drv *d, uint64_t addr, const void *p, uint64_t n) { space_write(d->b.space, addr, p, n, false); }
static inline void drv_copy_out(struct drv *d, uint64_t addr, void *p, uint64_t n) { space_read(d->b.space, addr, p, n); }
static inline uint64_t drv_alloc(struct drv *d, uint64_t n)
{
    uint64_t at = d->brk;
    d->brk += ALIGN_UP(n, 16);
    return at;
}
/* What the device deferred. */
static inline void drv_poll(struct drv *d)
{
    for (unsigned i = 0; i < 64 && loop_once(d->b.loop, false); i++) {}
}

/* --- negotiation ------------------------------------------------------------------------------------------------------------ */

static inline uint64_t drv_offered(struct drv *d)
{
    drv_w(d, 0x14, 0);
    uint64_t lo = drv_r(d, 0x10);
    drv_w(d, 0x14, 1);
    return lo | (uint64_t)drv_r(d, 0x10) << 32;
}
/* Reset, features (as far as offered, unless `exact`), FEATURES_OK: was it accepted? */
static inline bool drv_negotiate(struct drv *d, uint64_t want, bool exact)
{
    drv_w(d, 0x70, 0);
    drv_w(d, 0x70, 1);
    drv_w(d, 0x70, 3);
    d->features = exact ? want : want & drv_offered(d);
    drv_w(d, 0x24, 0);
    drv_w(d, 0x20, (uint32_t)d->features);
    drv_w(d, 0x24, 1);
    drv_w(d, 0x20, (uint32_t)(d->features >> 32));
    drv_w(d, 0x70, 3 | VIRTIO_FEATURES_OK);
    return drv_r(d, 0x70) & VIRTIO_FEATURES_OK;
}
static inline void drv_ring(struct drv *d, unsigned i, uint16_t size)
{
    struct drv_ring *r = &d->ring[i];
    uint8_t zero[4096] = { 0 };
    uint64_t at = DRV_RAM + DRV_RINGS + i * 0x10000ull;
    for (unsigned n = 0; n < 16; n++) drv_copy_in(d, at + n * 4096ull, zero, sizeof zero);
    *r = (struct drv_ring){ .size = size, .index = (uint16_t)i, .desc = at, .driver = at + 0x8000, .device = at + 0xc000,
                            .packed = d->features >> VIRTIO_F_RING_PACKED & 1, .event = d->features >> VIRTIO_F_EVENT_IDX & 1,
                            .avail_wrap = true, .used_wrap = true };
    drv_w(d, 0x30, i);
    drv_w(d, 0x38, size);
    drv_w(d, 0x80, (uint32_t)r->desc);
    drv_w(d, 0x84, (uint32_t)(r->desc >> 32));
    drv_w(d, 0x90, (uint32_t)r->driver);
    drv_w(d, 0x94, (uint32_t)(r->driver >> 32));
    drv_w(d, 0xa0, (uint32_t)r->device);
    drv_w(d, 0xa4, (uint32_t)(r->device >> 32));
    drv_w(d, 0x44, 1);
}
static inline void drv_ok(struct drv *d) { drv_w(d, 0x70, drv_r(d, 0x70) | VIRTIO_DRIVER_OK); }
static inline void drv_start(struct drv *d, uint64_t want, unsigned rings, uint16_t size)
{
    drv_negotiate(d, want | VF(VIRTIO_F_VERSION_1), false);
    for (unsigned i = 0; i < rings; i++) drv_ring(d, i, size);
    drv_ok(d);
}

/* --- requests --------------------------------------------------------------------------------------------------------------------- */

struct drv_buf {
    uint64_t addr;
    uint32_t len;
    bool write;
};
enum { D_NEXT = 1, D_WRITE = 2, D_INDIRECT = 4 };

static inline void drv_desc(struct drv *d, uint64_t at, uint64_t addr, uint32_t len, uint16_t a, uint16_t b)
{
    drv_st(d, at, addr, 8);
    drv_st(d, at + 8, len, 4);
    drv_st(d, at + 12, a, 2);
    drv_st(d, at + 14, b, 2);
}
static inline uint16_t drv_packed_flags(const struct drv_ring *r, uint16_t f)
{
    return (uint16_t)(f | (r->avail_wrap ? 1 << 7 : 1 << 15));
}
/* Makes a request available; the descriptor's number or buffer's id. Does not kick. */
static inline uint16_t drv_add(struct drv *d, unsigned ring, const struct drv_buf *buf, unsigned n, bool indirect)
{
    struct drv_ring *r = &d->ring[ring];
    uint64_t table = 0;
    struct drv_buf one;
    uint16_t extra = 0;
    if (indirect) {
        table = drv_alloc(d, 16ull * n);
        for (unsigned i = 0; i < n; i++) {
            uint16_t f = (uint16_t)((buf[i].write ? D_WRITE : 0) | (!r->packed && i + 1 < n ? D_NEXT : 0));
            drv_desc(d, table + 16 * i, buf[i].addr, buf[i].len, r->packed ? 0 : f, r->packed ? f : (uint16_t)(i + 1));
        }
        one = (struct drv_buf){ table, 16 * n, false };
        buf = &one;
        n = 1;
        extra = D_INDIRECT;
    }
    uint16_t head = r->packed ? r->avail : r->free, first_flags = 0;
    uint64_t first_at = 0;
    for (unsigned i = 0; i < n; i++) {
        uint16_t f = (uint16_t)((buf[i].write ? D_WRITE : 0) | (i + 1 < n ? D_NEXT : 0) | extra);
        if (r->packed) {
            uint64_t at = r->desc + 16ull * r->avail;
            drv_st(d, at, buf[i].addr, 8);
            drv_st(d, at + 8, buf[i].len, 4);
            drv_st(d, at + 12, head, 2);
            if (i) drv_st(d, at + 14, drv_packed_flags(r, f), 2);
            else first_at = at, first_flags = drv_packed_flags(r, f);
            if (++r->avail == r->size) r->avail = 0, r->avail_wrap = !r->avail_wrap;
        } else {
            uint16_t at = (uint16_t)((r->free + i) % r->size);
            drv_desc(d, r->desc + 16ull * at, buf[i].addr, buf[i].len, f, (uint16_t)((at + 1) % r->size));
        }
    }
    if (r->packed) {
        drv_st(d, first_at + 14, first_flags, 2);
    } else {
        r->free = (uint16_t)((r->free + n) % r->size);
        drv_st(d, r->driver + 4 + 2ull * (r->avail % r->size), head, 2);
        drv_st(d, r->driver + 2, ++r->avail, 2);
    }
    return head;
}
static inline void drv_kick(struct drv *d, unsigned ring)
{
    drv_w(d, 0x50, ring);
    drv_poll(d);
}
/* A request that was used, if any: its id, bytes written. slots: how many ring entries it had (packed). */
static inline bool drv_used(struct drv *d, unsigned ring, unsigned slots, uint16_t *id, uint32_t *len)
{
    struct drv_ring *r = &d->ring[ring];
    if (r->packed) {
        uint64_t at = r->desc + 16ull * r->used;
        uint16_t f = (uint16_t)drv_ld(d, at + 14, 2);
        if ((f >> 7 & 1) != r->used_wrap || f >> 15 != r->used_wrap) return false;
        *id = (uint16_t)drv_ld(d, at + 12, 2);
        *len = (uint32_t)drv_ld(d, at + 8, 4);
        r->used = (uint16_t)(r->used + slots);
        if (r->used >= r->size) r->used = (uint16_t)(r->used - r->size), r->used_wrap = !r->used_wrap;
        return true;
    }
    if ((uint16_t)drv_ld(d, r->device + 2, 2) == r->used) return false;
    uint64_t at = r->device + 4 + 8ull * (r->used++ % r->size);
    *id = (uint16_t)drv_ld(d, at, 4);
    *len = (uint32_t)drv_ld(d, at + 4, 4);
    return true;
}

#endif
