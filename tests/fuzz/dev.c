/*
 * dev.c: bytes as what a guest does to one device: register accesses of any kind, requests and nonsense in its rings, configuration space,
 * time, resets, saved state that was tampered with. A device of the list (first byte), a program of steps (the rest). Nothing may crash,
 * hang or leak; at the end everything is freed.
 */
#include "fuzz.h"
#include <linux/pci_regs.h>
#include <unistd.h>
#include "dev/usb/test_driver.h"
#include "io/block/blk.h"
#include "io/char/chr.h"
#include "io/display/display.h"
#include "io/net/net.h"

enum { ECAM = 0x30000000, BARS = 0x40000000, STEPS = 400 };

static const struct {
    const char *name, *props;
    unsigned rings;              /* of a virtio device on virtio-mmio; 0: behind PCI */
} devices[] = {
    { "virtio-rng-device", "max-bytes=4096,period=10,packed=on", 1 },
    { "virtio-blk-device", "drive=d,num-queues=2,packed=on", 2 },
    { "virtio-net-device", "netdev=n,packed=on", 3 },
    { "virtio-serial-device", "packed=on", 6 },
    { "virtio-balloon-device", "free-page-reporting=on,packed=on", 4 },
    { "virtio-tablet-device", "packed=on", 2 },
    { "virtio-gpu-device", "max_hostmem=4M,max_outputs=2,packed=on", 2 },
    { "virtio-scsi-device", "packed=on", 5 },
    { "virtio-blk-pci", "drive=d,addr=1", 0 },
    { "virtio-net-pci", "netdev=n,addr=1", 0 },
    { "pcie-root-port", "addr=1", 0 },
    { "nvme", "drive=d,serial=1,addr=1", 0 },
    { "e1000e", "netdev=n,addr=1", 0 },
    { "e1000", "netdev=n,addr=1", 0 },
    { "sdhci-pci", "addr=1", 0 },
    { "i6300esb", "addr=1", 0 },
    { "qemu-xhci", "addr=1,p2=6,p3=2", 0 },
    { "nec-usb-xhci", "addr=1,p2=6,p3=6,intrs=3,streams=on", 0 },
    { "cadence_gem", "netdev=n", 0 },
    { "sifive.pdma", NULL, 0 },
    { "sifive.spi", NULL, 0 },
    { "sifive-pwm", NULL, 0 },
};

struct box {
    struct drv d;
    struct chr_set *chrs;
    struct net_set *nets;
    struct blk_graph *blks;
    struct blk *blk;
    struct dev_resolver r;
    const uint8_t *p, *end;
    unsigned rings;
    bool usb;
    struct hc hc;                /* a driver of it; its board is a copy of ours */
};

static uint64_t take(struct box *b, unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n && b->p < b->end; i++) v |= (uint64_t)*b->p++ << 8 * i;
    return v;
}

static struct chr *chr_named(void *ctx, const char *name, struct err *e) { return chr_find(((struct box *)ctx)->chrs, name); }
static struct net_port *net_named(void *ctx, const char *name, struct err *e) { return net_find(((struct box *)ctx)->nets, name); }
static struct blk *blk_named(void *ctx, const char *name, struct err *e) { return ((struct box *)ctx)->blk; }

static bool quiet_msi(void *ctx, uint64_t addr, uint32_t data, struct mem_attr at) { return true; }

static bool plug(struct box *b, const char *cls, const char *id, const char *bus, const char *props)
{
    struct err e = { 0 };
    struct dev *d = dev_new(&b->d.b, device_find(cls), id, &e);
    const char *kind = device_find(cls)->bus;
    struct bus *on = d && !dev_set_list(d, props, &e) && kind ? bus_find(&b->d.b, kind, bus, &e) : NULL;
    bool ok = d && !e.code && (on || !kind) && !dev_realize(d, on, &e);
    if (!ok) fprintf(stderr, "%s: %s\n", cls, e.msg);
    if (d) b->d.dev = d;
    return ok;
}

/* Devices of each kind, one of them behind a hub. The device under test stays the controller. */
static bool usb_make(struct box *b)
{
    struct dev *hc = b->d.dev;
    bool ok = plug(b, "usb-storage", "u0", NULL, "drive=d,port=1") && plug(b, "usb-hub", "u1", NULL, "port=2") &&
              plug(b, "usb-kbd", "u2", NULL, "port=2.1") && plug(b, "usb-mouse", "u3", NULL, "port=3") && plug(b, "usb-tablet", "u4", NULL, "port=4") &&
              plug(b, "usb-uas", "u5", NULL, "port=5") && plug(b, "scsi-hd", "h", "u5.0", "drive=d") && plug(b, "usb-net", "u6", NULL, "netdev=n,port=6") &&
              plug(b, "usb-serial", "u7", NULL, "chardev=c0,port=2.2");
    b->d.dev = hc;
    b->hc.d = b->d;
    b->hc.blk = b->blk;
    b->hc.event_cycle = b->hc.events = 1;
    b->hc.event = b->hc.cmd.base = HC_EVENTS;
    for (unsigned i = 0; i < 8 * 32; i++) b->hc.ring[i / 32][i % 32].base = HC_RINGS;
    return ok;
}

static bool make(struct box *b, unsigned n)
{
    struct err e = { 0 };
    drv_board(&b->d);
    b->rings = devices[n].rings;
    b->chrs = chr_set_new(b->d.b.loop, NULL);
    b->nets = net_set_new(b->d.b.loop, NULL);
    b->blks = blk_graph_new();
    b->d.b.display = display_new();
    b->r = (struct dev_resolver){ .chr = chr_named, .blk = blk_named, .net = net_named, .ctx = b };
    dev_resolve_with(&b->d.b, &b->r);
    chr_new_text(b->chrs, "ringbuf,id=c0", NULL, &e);
    chr_new_text(b->chrs, "ringbuf,id=c1", NULL, &e);
    net_new_text(b->nets, "hubport,id=n,hubid=0", &e);
    struct json_object *o = blk_opts_parse("driver=null-co,size=1M,read-zeroes=on", NULL, &e);
    struct blk_node *node = o ? blk_node_open(b->blks, o, BLK_RDWR, &e) : NULL;
    b->blk = node ? blk_new(b->blks, "d", node, BLK_RDWR, &e) : NULL;
    FUZZ_CHECK(b->blk);
    if (b->rings) {
        if (drv_plug(&b->d, device_find(devices[n].name), devices[n].props, &e)) return false;
        if (strstr(devices[n].name, "serial"))
            return plug(b, "virtconsole", "p0", NULL, "chardev=c0") && plug(b, "virtserialport", "p1", NULL, "chardev=c1,name=x");
        if (strstr(devices[n].name, "scsi"))
            return plug(b, "scsi-hd", "h", NULL, "drive=d");
        return true;
    }
    if (!device_find(devices[n].name)->bus) { /* a part of a board */
        bool ok = plug(b, devices[n].name, "dut", NULL, devices[n].props) && !dev_map(b->d.dev, BARS, &e);
        struct dev *dut = b->d.dev;
        if (ok && strstr(devices[n].name, "spi")) ok = plug(b, "ssi-sd", "socket", NULL, NULL) && plug(b, "sd-card", "card", NULL, "drive=d");
        b->d.dev = dut;
        return ok;
    }
    struct dev *host = dev_new(&b->d.b, device_find("gpex-pcihost"), "pcie", &e);
    dev_set_list(host, "mmio32-base=0x40000000,mmio32-size=256M", &e);
    if (dev_realize(host, NULL, &e) || dev_map(host, ECAM, &e)) return false;
    pci_host_set_msi(host, quiet_msi, NULL);
    if (!plug(b, devices[n].name, "dut", NULL, devices[n].props)) return false;
    struct dev *dut = b->d.dev;
    if (!strcmp(devices[n].name, "sdhci-pci") && !plug(b, "sd-card", "card", NULL, "drive=d")) return false;
    b->d.dev = dut;
    for (unsigned i = 0, high = 0; i < 6; i++) { /* a 64-bit one takes the next register, too */
        uint64_t at = ECAM + (1 << 15) + 0x10 + 4 * i;
        drv_st(&b->d, at, high ? 0 : BARS + 0x100000 * i, 4);
        high = !high && (drv_ld(&b->d, at, 4) & 7) == PCI_BAR_64;
    }
    drv_st(&b->d, ECAM + (1 << 15) + 4, 6, 2);
    return !(b->usb = strstr(devices[n].name, "xhci")) || usb_make(b);
}

static void destroy(struct box *b)
{
    struct err e;
    struct display *show = b->d.b.display;
    while (b->d.b.devs) {
        struct dev *last = b->d.b.devs;
        while (last->next) last = last->next;
        dev_free(last);
    }
    chr_set_free(b->chrs);
    net_set_free(b->nets);
    if (b->blk) blk_free(b->blk, &e);
    blk_graph_free(b->blks);
    drv_free(&b->d);
    display_free(show);
}

static void request(struct box *b)
{
    struct drv_buf buf[8];
    unsigned q = (unsigned)take(b, 1) % b->rings, how = (unsigned)take(b, 1), n = 1 + (how & 7);
    if (!b->d.ring[q].size || n > b->d.ring[q].size) return;
    b->d.brk = DRV_RAM + DRV_DATA + (how & 8 ? 0x10000 : 0);
    for (unsigned i = 0; i < n; i++) {
        uint32_t len = (uint32_t)take(b, 2);
        uint64_t addr = drv_alloc(&b->d, len & 0x7fff);
        buf[i] = (struct drv_buf){ addr, len & 0x7fff, len >> 15 || (how & 0x10 && i) };
        if (!(how & 0x20) || i) continue;
        for (unsigned k = 0, bytes = (unsigned)take(b, 1) % 64; k < bytes; k++) drv_st(&b->d, addr + k, take(b, 1), 1);
    }
    if (how & 0x40) buf[n - 1].addr = take(b, 4);
    drv_add(&b->d, q, buf, n, how & 0x80);
    drv_w(&b->d, 0x50, q);
}

/* What a driver of a USB controller does, more or less. */
static void usb_step(struct box *b)
{
    struct hc *h = &b->hc;
    unsigned op = (unsigned)take(b, 1), slot = op >> 4 & 7, dci = (unsigned)take(b, 1) & 31, how = (unsigned)take(b, 1), n = 0;
    uint64_t v, w;
    if (!b->usb) return;
    switch (op & 15) {
    case 0: hc_start(h, how & 1 ? 16 : 64); break;
    case 1: hc_address(h, dci, how & 15, &n); break;
    case 2:
        drv_st(&b->d, HC_BUF, take(b, 8), 8);
        v = take(b, 6);
        hc_control(h, slot, (uint8_t)how, (uint8_t)v, (uint16_t)(v >> 8), (uint16_t)(v >> 24 & 0xff), (uint16_t)(v >> 32), &n);
        break;
    case 3: hc_configure(h, slot, dci, how & 7, 8u << (how >> 3 & 7)); break;
    case 4:
        v = take(b, 5);
        hc_bulk(h, slot, dci, HC_BUF + (v & 0xffff), (uint32_t)(v >> 16), NULL);
        break;
    case 5: hc_recover(h, slot, dci); break;
    case 6:
        v = take(b, 4);
        w = take(b, 8);
        hc_cmd(h, how & 1 ? HC_IN : v, (uint32_t)w, (uint32_t)(w >> 32), NULL);
        break;
    case 7: case 8:
        v = take(b, 4);
        w = take(b, 6);
        hc_trb(h, &h->ring[slot][dci], how & 1 ? v : HC_BUF + (v & 0xffff), (uint32_t)(w & 0xffffff), (uint32_t)(w >> 24));
        if (how & 2) hc_st(h, HC_DB + 4 * slot, dci | (how & 0xfc) << 14);
        break;
    case 9: hc_st(h, hc_portsc(dci), (uint32_t)take(b, 4)); break;
    case 10:
        input_key(b->d.b.display, (uint16_t)take(b, 1), how & 1);
        input_move(b->d.b.display, how, -(int)how);
        input_sync(b->d.b.display);
        break;
    case 11: case 12: /* a command of bulk-only storage */
        drv_st(&b->d, HC_BUF, 0x43425355, 8);
        v = take(b, 4); /* length, operation */
        drv_st(&b->d, HC_BUF + 8, (v & 0xffffff) | (uint64_t)(how & 0x80) << 32 | (uint64_t)(how & 15) << 40 | 10ull << 48 | v >> 24 << 56, 8);
        for (unsigned i = 16; i < 32; i += 8) drv_st(&b->d, HC_BUF + i, take(b, 8), 8);
        hc_bulk(h, slot, dci, HC_BUF, 31, NULL);
        break;
    case 13: /* an information unit of UAS */
        v = take(b, 4);
        for (unsigned i = 0; i < 32; i += 8) drv_st(&b->d, HC_BUF + i, i == 16 ? take(b, 8) : 0, 8);
        drv_st(&b->d, HC_BUF, (how & 7) | (v & 0xff) << 24 | (v >> 8 & 0xff) << 32 | (v >> 16 & 0xff) << 56, 8);
        hc_bulk(h, slot, dci, HC_BUF, v >> 24 ? 32 : 16, NULL);
        break;
    case 14: {
        char id[] = "u0";
        id[1] = (char)('0' + dci % 8);
        if (dev_find(&b->d.b, id)) dev_free(dev_find(&b->d.b, id));
        else plug(b, how & 1 ? "usb-kbd" : "usb-hub", id, NULL, "");
        b->d.dev = dev_find(&b->d.b, "dut");
        break;
    }
    default: drv_poll(&b->d); break;
    }
}

static void state(struct box *b)
{
    struct state_out o = { 0 };
    struct err e = { 0 };
    dev_save(b->d.dev, &o);
    for (unsigned i = (unsigned)take(b, 1) % 4; i && o.len; i--) o.buf[take(b, 2) % o.len] ^= (uint8_t)take(b, 1);
    struct state_in in = { .buf = o.buf, .len = o.len };
    dev_reset(b->d.dev);
    if (dev_load(b->d.dev, &in, &e)) dev_reset(b->d.dev);
    state_out_free(&o);
}

static void step(struct box *b)
{
    uint64_t base = b->rings ? DRV_MMIO : BARS, off;
    unsigned op = (unsigned)take(b, 1), size = 1u << (op >> 4 & 3);
    switch (op & 15) {
    case 0: case 1:
        off = take(b, 2);
        if (!b->rings) base += (off >> 13 & 7) % 5 * 0x100000ull, off = (off & 0x1fff) | (op & 0x80 ? 0x2000 : 0) | (op & 0x40 ? 0x4000 : 0);
        else off %= 0x200;
        if (op & 1) drv_ld(&b->d, base + (off & ~(uint64_t)(size - 1)), size);
        else drv_st(&b->d, base + (off & ~(uint64_t)(size - 1)), take(b, size), size);
        break;
    case 2:
        if (b->rings) drv_start(&b->d, ~0ull ^ take(b, 1) << 28 ^ take(b, 3), MIN(b->rings, 8u), 16);
        break;
    case 3: case 12: case 13:
        if (b->rings) request(b);
        break;
    case 4: off = take(b, 4); drv_st(&b->d, DRV_RAM + off % DRV_RAM_SIZE / 8 * 8, take(b, 8), 8); break;
    case 5: off = take(b, 3); drv_st(&b->d, DRV_RAM + DRV_RINGS + off % 0x80000 / 4 * 4, take(b, 4), 4); break;
    case 6:
        if (b->rings) drv_w(&b->d, 0x50, (uint32_t)take(b, 1));
        else drv_st(&b->d, BARS + 0x403000 + 4 * take(b, 1), 0, 4);
        break;
    case 7:
        clock_warp(&b->d.clock, take(b, 2) * NS_PER_MS);
        drv_poll(&b->d);
        blk_graph_poll(b->blks);
        break;
    case 8: dev_reset(b->d.dev); break;
    case 9:
        if (!b->rings) off = take(b, 2) & 0xfff & ~(size - 1), drv_st(&b->d, ECAM + (1 << 15) + off, take(b, 4), MIN(size, 4u));
        break;
    case 10: state(b); break;
    case 11: {
        uint8_t f[256] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
        for (unsigned i = 0, n = (unsigned)take(b, 1) % 32; i < n; i++) f[i] = (uint8_t)take(b, 1);
        struct net_port *n = net_find(b->nets, "n");
        if (n) net_send_buf(n, f, sizeof f);
        input_point(b->d.b.display, (uint32_t)take(b, 2), 5);
        input_sync(b->d.b.display);
        struct chr *c = chr_find(b->chrs, "c0");
        if (chr_be_room(c) >= 100) chr_be_recv(c, f, 100);
        break;
    }
    default: usb_step(b);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct box b;
    memset(&b, 0, sizeof b);
    if (size < 2) return 0;
    unsigned n = data[0] % ARRAY_LEN(devices);
    if (!device_find(devices[n].name)) return 0;
    b.p = data + 1;
    b.end = data + size;
    bool ok = make(&b, n);
    FUZZ_CHECK(ok);
    for (unsigned i = 0; ok && i < STEPS && b.p < b.end; i++) step(&b);
    drv_poll(&b.d);
    destroy(&b);
    return 0;
}
