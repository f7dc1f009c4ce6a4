/*
 * test_driver.h: an xHCI driver for tests: rings and contexts made by hand in the memory of virtio's test board (dev/virtio/test_driver.h).
 */
#ifndef LYRE_DEV_USB_TEST_DRIVER_H
#define LYRE_DEV_USB_TEST_DRIVER_H

#include <unistd.h>
#include "dev/usb/xhci.h"
#include "dev/virtio/test_driver.h"
#include "io/block/blk.h"
#include "io/char/chr.h"
#include "io/display/display.h"

enum { HC_ECAM = 0x30000000, HC_BAR = 0x40000000, HC_OP = HC_BAR + 0x40, HC_RT = HC_BAR + 0x1000, HC_DB = HC_BAR + 0x2000,
       HC_DCBAA = DRV_RAM + 0x1000, HC_CMDS = DRV_RAM + 0x2000, HC_ERST = DRV_RAM + 0x3000, HC_EVENTS = DRV_RAM + 0x4000, HC_IN = DRV_RAM + 0x8000,
       HC_OUT = DRV_RAM + 0x10000 /* 4 KiB a slot */, HC_RINGS = DRV_RAM + 0x60000 /* 1 KiB an endpoint, 32 KiB a slot */, HC_BUF = DRV_RAM + 0x200000,
       HC_RING = 64, HC_DISK = 1 << 20 };

struct hc_ring {
    uint64_t base;
    unsigned at, cycle;
};
struct hc {
    struct drv d;
    struct blk_graph *g;
    struct blk *blk;
    struct chr_set *chrs;        /* a test's */
    struct dev_resolver r;
    struct dev *dev;
    struct hc_ring cmd, ring[8][32];
    uint64_t event;
    unsigned events, event_at, event_cycle, msis;
};

static struct blk *hc_blk(void *ctx, const char *name, struct err *e) { return ((struct hc *)ctx)->blk; }
static bool hc_msi(void *ctx, uint64_t addr, uint32_t data, struct mem_attr at)
{
    ((struct hc *)ctx)->msis++;
    return true;
}

static inline void hc_st(struct hc *h, uint64_t at, uint64_t v) { drv_st(&h->d, at, v, 4); }
static inline uint32_t hc_ld(struct hc *h, uint64_t at) { return (uint32_t)drv_ld(&h->d, at, 4); }
static inline void hc_settle(struct hc *h)
{
    for (unsigned i = 0; i < 4; i++) {
        drv_poll(&h->d);
        if (h->blk) blk_drain(h->blk);
    }
}
static inline void hc_zero(struct hc *h, uint64_t at, unsigned n)
{
    static const uint8_t zero[4096];
    for (; n; n -= MIN(n, 4096u), at += 4096) drv_copy_in(&h->d, at, zero, MIN(n, 4096u));
}

/* --- rings ----------------------------------------------------------------------------------------------------------------- */

static inline void hc_ring_init(struct hc *h, struct hc_ring *r, uint64_t base)
{
    *r = (struct hc_ring){ .base = base, .cycle = 1 };
    hc_zero(h, base, 16 * HC_RING);
}
/* Puts a TRB; the last of a ring is a link to its beginning. Where it is. */
static inline uint64_t hc_trb(struct hc *h, struct hc_ring *r, uint64_t param, uint32_t status, uint32_t control)
{
    uint64_t at = r->base + 16ull * r->at;
    drv_st(&h->d, at, param, 8);
    hc_st(h, at + 8, status);
    hc_st(h, at + 12, (control & ~1u) | r->cycle);
    if (++r->at == HC_RING - 1) {
        uint64_t link = r->base + 16ull * r->at;
        drv_st(&h->d, link, r->base, 8);
        hc_st(h, link + 8, 0);
        hc_st(h, link + 12, TRB_LINK << 10 | TRB_TC | (control & TRB_CHAIN) | r->cycle);
        r->at = 0;
        r->cycle ^= 1;
    }
    return at;
}
struct hc_event {
    uint64_t param;
    uint32_t status, control;
};
static inline unsigned hc_cc(const struct hc_event *e) { return e->status >> 24; }
static inline unsigned hc_type(const struct hc_event *e) { return e->control >> 10 & 63; }
static inline void hc_erdp(struct hc *h)
{
    drv_st(&h->d, HC_RT + 0x38, (h->event + 16ull * h->event_at) | ERDP_EHB, 8);
}
static inline bool hc_next(struct hc *h, struct hc_event *e)
{
    uint64_t at = h->event + 16ull * h->event_at;
    *e = (struct hc_event){ drv_ld(&h->d, at, 8), hc_ld(h, at + 8), hc_ld(h, at + 12) };
    if ((e->control & 1) != h->event_cycle) return false;
    if (++h->event_at == h->events) h->event_at = 0, h->event_cycle ^= 1;
    return true;
}
/* The next event of that type; others (port changes) are passed over. */
static inline bool hc_wait(struct hc *h, unsigned type, struct hc_event *e)
{
    hc_settle(h);
    while (hc_next(h, e)) {
        hc_erdp(h);
        if (hc_type(e) == type) return true;
        hc_settle(h);
    }
    return false;
}
/* A command: its completion code; *slot: of its answer. 0: there was none. */
static inline unsigned hc_cmd(struct hc *h, uint64_t param, uint32_t status, uint32_t control, unsigned *slot)
{
    struct hc_event e;
    uint64_t at = hc_trb(h, &h->cmd, param, status, control);
    hc_st(h, HC_DB, 0);
    if (!hc_wait(h, ER_COMMAND, &e) || e.param != at) return 0;
    if (slot) *slot = e.control >> 24;
    return hc_cc(&e);
}

/* --- the controller -------------------------------------------------------------------------------------------------------- */

/* Resets and starts it, with an event ring of `events` TRBs. */
static inline void hc_start(struct hc *h, unsigned events)
{
    hc_st(h, HC_OP, CMD_HCRST);
    hc_zero(h, DRV_RAM, 0x100000);
    hc_ring_init(h, &h->cmd, HC_CMDS);
    h->event = HC_EVENTS;
    h->events = events;
    h->event_at = 0;
    h->event_cycle = 1;
    drv_st(&h->d, HC_ERST, HC_EVENTS, 8);
    drv_st(&h->d, HC_ERST + 8, events, 8);
    hc_st(h, HC_RT + 0x28, 1);
    drv_st(&h->d, HC_RT + 0x38, HC_EVENTS, 8);
    drv_st(&h->d, HC_RT + 0x30, HC_ERST, 8);
    hc_st(h, HC_RT + 0x20, IMAN_IE);
    drv_st(&h->d, HC_OP + 0x30, HC_DCBAA, 8);
    drv_st(&h->d, HC_OP + 0x18, HC_CMDS | CRCR_RCS, 8);
    hc_st(h, HC_OP + 0x38, 8);
    for (unsigned i = 1; i < 8; i++) drv_st(&h->d, HC_DCBAA + 8 * i, HC_OUT + 0x1000 * i, 8);
    hc_st(h, HC_OP, CMD_RS | CMD_INTE);
    drv_poll(&h->d);
}

/* The board: PCI host, controller in slot 1, a disk for those who want one. 0, or *e. */
static inline int hc_new(struct hc *h, const char *model, const char *props, struct err *e)
{
    memset(h, 0, sizeof *h);
    drv_board(&h->d);
    h->d.b.display = display_new();
    char path[] = "/tmp/lyre-usb-XXXXXX";
    int fd = mkstemp(path);
    h->g = blk_graph_new();
    if (fd < 0 || ftruncate(fd, HC_DISK) || !(h->blk = blk_open_file(h->g, path, "raw", BLK_RDWR | BLK_AIO_THREADS, e))) return -EIO;
    close(fd);
    unlink(path);
    h->r = (struct dev_resolver){ .blk = hc_blk, .ctx = h };
    dev_resolve_with(&h->d.b, &h->r);
    struct dev *host = dev_new(&h->d.b, device_find("gpex-pcihost"), "pcie", e);
    dev_set_list(host, "mmio32-base=0x40000000,mmio32-size=1G", e);
    if (dev_realize(host, NULL, e) || dev_map(host, HC_ECAM, e)) return -1;
    pci_host_set_msi(host, hc_msi, h);
    h->dev = dev_new(&h->d.b, device_find(model), "x", e);
    if (dev_set_list(h->dev, props, e) || dev_set(h->dev, "addr", "1", e) || dev_realize(h->dev, bus_find(&h->d.b, "pci", NULL, e), e)) return -1;
    drv_st(&h->d, HC_ECAM + 0x8010, HC_BAR, 4);
    drv_st(&h->d, HC_ECAM + 0x8004, 6, 2);
    return 0;
}
/* A USB device; NULL: *e. */
static inline struct dev *hc_plug(struct hc *h, const char *cls, const char *id, const char *props, struct err *e)
{
    struct dev *d = dev_new(&h->d.b, device_find(cls), id, e);
    struct bus *bus = d && !dev_set_list(d, props, e) ? bus_find(&h->d.b, device_find(cls)->bus, NULL, e) : NULL;
    if (bus && !dev_realize(d, bus, e)) return d;
    dev_free(d);
    return NULL;
}
static inline void hc_free(struct hc *h)
{
    struct err e;
    struct display *show = h->d.b.display;
    drv_free(&h->d);
    blk_free(h->blk, &e);
    blk_graph_free(h->g);
    display_free(show);
}

/* --- devices --------------------------------------------------------------------------------------------------------------- */

static inline uint64_t hc_portsc(unsigned port) { return HC_OP + 0x400 + 16 * (port - 1); }
/* An endpoint into the input context, with a ring of its own. dci: 1 is endpoint 0. */
static inline void hc_ep_context(struct hc *h, unsigned slot, unsigned dci, unsigned type, unsigned packet)
{
    struct hc_ring *r = &h->ring[slot][dci];
    uint64_t at = HC_IN + 32 + 32 * dci;
    hc_ring_init(h, r, HC_RINGS + 0x8000ull * slot + 0x400 * dci);
    hc_st(h, at, 0);
    hc_st(h, at + 4, 3 << 1 | type << 3 | packet << 16);
    drv_st(&h->d, at + 8, r->base | 1, 8);
    hc_st(h, at + 16, 8);
}
/* Enables a slot for what is at a port (behind hubs: route) and addresses it: the completion code. */
static inline unsigned hc_address(struct hc *h, unsigned port, uint32_t route, unsigned *slot)
{
    unsigned cc = hc_cmd(h, 0, 0, CR_ENABLE_SLOT << 10, slot);
    if (cc != CC_SUCCESS) return cc;
    hc_zero(h, HC_IN, 0x800);
    hc_st(h, HC_IN + 4, 3);
    hc_st(h, HC_IN + 32, route | 1u << 27);
    hc_st(h, HC_IN + 36, port << 16);
    hc_ep_context(h, *slot, 1, EP_CONTROL, 64);
    return hc_cmd(h, HC_IN, 0, CR_ADDRESS << 10 | *slot << 24, NULL);
}
/* One more endpoint of a slot. */
static inline unsigned hc_configure(struct hc *h, unsigned slot, unsigned dci, unsigned type, unsigned packet)
{
    hc_st(h, HC_IN, 0);
    hc_st(h, HC_IN + 4, 1 | 1u << dci);
    hc_ep_context(h, slot, dci, type, packet);
    return hc_cmd(h, HC_IN, 0, CR_CONFIGURE << 10 | slot << 24, NULL);
}
/* A control transfer with its data at HC_BUF: the completion code; *n: bytes moved. */
static inline unsigned hc_control(struct hc *h, unsigned slot, uint8_t type, uint8_t request, uint16_t value, uint16_t index, uint16_t len, unsigned *n)
{
    struct hc_ring *r = &h->ring[slot][1];
    struct hc_event e;
    uint64_t setup = type | (uint32_t)request << 8 | (uint32_t)value << 16 | (uint64_t)index << 32 | (uint64_t)len << 48;
    bool in = type & USB_DIR_IN && len;
    hc_trb(h, r, setup, 8, TRB_SETUP << 10 | TRB_IDT | (len ? in ? 3u << 16 : 2u << 16 : 0));
    if (len) hc_trb(h, r, HC_BUF, len, TRB_DATA << 10 | TRB_ISP | TRB_IOC | (in ? TRB_DIR_IN : 0));
    hc_trb(h, r, 0, 0, TRB_STATUS << 10 | TRB_IOC | (in ? 0 : TRB_DIR_IN));
    hc_st(h, HC_DB + 4 * slot, 1);
    unsigned moved = 0;
    if (len) {
        if (!hc_wait(h, ER_TRANSFER, &e)) return 0;
        moved = len - (e.status & 0xffffff);
        if (hc_cc(&e) != CC_SUCCESS && hc_cc(&e) != CC_SHORT) return hc_cc(&e);
    }
    if (n) *n = moved;
    return hc_wait(h, ER_TRANSFER, &e) ? hc_cc(&e) : 0;
}
/* A transfer of one TRB: the completion code; *n: bytes moved. 0: it waits. */
static inline unsigned hc_bulk(struct hc *h, unsigned slot, unsigned dci, uint64_t at, uint32_t len, unsigned *n)
{
    struct hc_event e;
    hc_trb(h, &h->ring[slot][dci], at, len, TRB_NORMAL << 10 | TRB_IOC | TRB_ISP);
    hc_st(h, HC_DB + 4 * slot, dci);
    if (!hc_wait(h, ER_TRANSFER, &e)) return 0;
    if (n) *n = len - (e.status & 0xffffff);
    return hc_cc(&e);
}
/* After an error: the endpoint goes on behind what failed. */
static inline bool hc_recover(struct hc *h, unsigned slot, unsigned dci)
{
    struct hc_ring *r = &h->ring[slot][dci];
    return hc_cmd(h, 0, 0, CR_RESET_EP << 10 | slot << 24 | dci << 16, NULL) == CC_SUCCESS &&
           hc_cmd(h, (r->base + 16ull * r->at) | r->cycle, 0, CR_SET_DEQUEUE << 10 | slot << 24 | dci << 16, NULL) == CC_SUCCESS;
}

#endif
