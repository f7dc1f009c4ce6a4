/* pci_test.c: configuration space, BARs and bridge windows, INTx, MSI, MSI-X, hot-plug; virtio-rng and virtio-serial behind PCI. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <linux/pci_regs.h>
#include "dev/virtio/test_driver.h"
#include "dev/fdt.h"

enum { ECAM = 0x30000000, PIO = 0x3000000, MMIO32 = 0x40000000, VIRTIO_CFG = 0x09 };
#define MMIO64 0x400000000ull

struct msi {
    unsigned count;
    uint64_t addr;
    uint32_t data;
    uint16_t requester;
};
struct pc {
    struct drv d;
    struct dev *host;
    struct msi msi;
    bool line[4];
};

static bool got_msi(void *ctx, uint64_t addr, uint32_t data, struct mem_attr at)
{
    struct msi *m = ctx;
    *m = (struct msi){ m->count + 1, addr, data, at.requester };
    return true;
}
static void line(void *ctx, unsigned n, bool level) { ((struct pc *)ctx)->line[n] = level; }

static void pc_new(struct pc *c)
{
    struct err e = { 0 };
    memset(c, 0, sizeof *c);
    drv_board(&c->d);
    c->host = dev_new(&c->d.b, device_find("gpex-pcihost"), "pcie", &e);
    assert_int_equal(dev_set_list(c->host, "pio-base=0x3000000,mmio32-base=0x40000000,mmio32-size=1G,mmio64-base=0x400000000,mmio64-size=16G", &e), 0);
    if (dev_realize(c->host, NULL, &e) || dev_map(c->host, ECAM, &e)) fail_msg("%s", e.msg);
    for (unsigned i = 0; i < 4; i++) dev_connect_fn(c->host, i, line, c, i);
    pci_host_set_msi(c->host, got_msi, &c->msi);
}

static struct dev *add(struct pc *c, const char *cls, const char *id, const char *bus, const char *props)
{
    struct err e = { 0 };
    struct dev *d = dev_new(&c->d.b, device_find(cls), id, &e);
    if (!d || dev_set_list(d, props, &e) || dev_realize(d, bus_find(&c->d.b, device_find(cls)->bus, bus, &e), &e)) fail_msg("%s", e.msg);
    return d;
}

static uint64_t cfg(unsigned bus, unsigned slot, unsigned off) { return ECAM + ((uint64_t)bus << 20 | slot << 15 | off); }
static uint32_t cr(struct pc *c, unsigned bus, unsigned slot, unsigned off, unsigned size) { return (uint32_t)drv_ld(&c->d, cfg(bus, slot, off), size); }
static void cw(struct pc *c, unsigned bus, unsigned slot, unsigned off, uint32_t v, unsigned size) { drv_st(&c->d, cfg(bus, slot, off), v, size); }

static unsigned find_cap(struct pc *c, unsigned bus, unsigned slot, unsigned id, unsigned type)
{
    unsigned at = cr(c, bus, slot, PCI_CAPABILITY_LIST, 1);
    for (unsigned i = 0; at && i < 32; i++, at = cr(c, bus, slot, at + 1, 1))
        if (cr(c, bus, slot, at, 1) == id && (!type || cr(c, bus, slot, at + 3, 1) == type)) return at;
    return 0;
}

static void config(void **st)
{
    struct pc c;
    pc_new(&c);
    add(&c, "virtio-rng-pci", "rng", NULL, "addr=3");
    assert_int_equal(cr(&c, 0, 0, 0, 4), 0x00081b36);
    assert_int_equal(cr(&c, 0, 3, 0, 4), 0x10441af4);
    assert_int_equal(cr(&c, 0, 4, 0, 4), 0xffffffff);
    assert_int_equal(cr(&c, 1, 3, 0, 4), 0xffffffff);
    assert_int_equal(cr(&c, 0, 3, 1, 2), 0x441a);
    assert_int_equal(cr(&c, 0, 3, 0x100, 4), 0);
    cw(&c, 0, 3, 0, 0x12345678, 4); /* identity is not writable */
    assert_int_equal(cr(&c, 0, 3, 0, 4), 0x10441af4);
    cw(&c, 0, 3, 0x20, 0xffffffff, 4); /* sizes */
    cw(&c, 0, 3, 0x24, 0xffffffff, 4);
    assert_int_equal(cr(&c, 0, 3, 0x20, 4), 0xffffc00c);
    assert_int_equal(cr(&c, 0, 3, 0x24, 4), 0xffffffff);
    cw(&c, 0, 3, 0x14, 0xffffffff, 4);
    assert_int_equal(cr(&c, 0, 3, 0x14, 4), 0xfffff000);
    cw(&c, 0, 3, 0x10, 0xffffffff, 4);
    assert_int_equal(cr(&c, 0, 3, 0x10, 4), 0);
    /* where it is decoded: nowhere, in a window, outside of all */
    cw(&c, 0, 3, 0x20, 0x10000, 4);
    cw(&c, 0, 3, 0x24, 4, 4);
    assert_int_equal(drv_ld(&c.d, MMIO64 + 0x10012, 2), 0);
    cw(&c, 0, 3, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    assert_int_equal(drv_ld(&c.d, MMIO64 + 0x10012, 2), 1); /* one queue */
    cw(&c, 0, 3, 0x24, 0x77, 4);
    assert_int_equal(drv_ld(&c.d, MMIO64 + 0x10012, 2), 0);
    /* over main memory: not there either */
    cw(&c, 0, 3, 0x20, DRV_RAM, 4);
    cw(&c, 0, 3, 0x24, 0, 4);
    drv_st(&c.d, DRV_RAM + 0x12, 0x55, 1);
    assert_int_equal(drv_ld(&c.d, DRV_RAM + 0x12, 1), 0x55);
    dev_reset_all(&c.d.b);
    assert_int_equal(cr(&c, 0, 3, PCI_COMMAND, 2), 0);
    assert_int_equal(cr(&c, 0, 3, 0x20, 4), 0xc);
    struct err e = { 0 };
    struct dev *d = dev_new(&c.d.b, device_find("virtio-rng-pci"), NULL, &e);
    dev_set(d, "addr", "3", &e);
    assert_int_equal(dev_realize(d, bus_find(&c.d.b, "pci", NULL, &e), &e), -EBUSY);
    dev_free(d);
    drv_free(&c.d);
}

/* Places the device's BARs: structures at `at`, MSI-X at at + 64K. */
static void place(struct pc *c, unsigned bus, unsigned slot, uint64_t at)
{
    cw(c, bus, slot, 0x20, (uint32_t)at, 4);
    cw(c, bus, slot, 0x24, (uint32_t)(at >> 32), 4);
    cw(c, bus, slot, 0x14, MMIO32 + 0x100000 + slot * 0x10000, 4);
    cw(c, bus, slot, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
}

/* Brings a virtio device up and gives it one request; the ring's used index afterwards. */
static unsigned run_rng(struct pc *c, uint64_t base, uint16_t vector)
{
    struct drv *d = &c->d;
    drv_st(d, base + 0x14, 0, 1);
    drv_st(d, base + 0x14, 3, 1);
    drv_st(d, base + 8, 1, 4);
    drv_st(d, base + 0xc, 1, 4);
    drv_st(d, base + 0x14, 3 | VIRTIO_FEATURES_OK, 1);
    assert_true(drv_ld(d, base + 0x14, 1) & VIRTIO_FEATURES_OK);
    drv_st(d, base + 0x16, 0, 2);
    assert_int_equal(drv_ld(d, base + 0x18, 2), 8);
    drv_st(d, base + 0x1a, vector, 2);
    uint64_t at = DRV_RAM + DRV_RINGS;
    uint8_t zero[4096] = { 0 };
    for (unsigned n = 0; n < 16; n++) drv_copy_in(d, at + n * 4096ull, zero, sizeof zero);
    d->ring[0] = (struct drv_ring){ .size = 8, .desc = at, .driver = at + 0x8000, .device = at + 0xc000 };
    for (unsigned i = 0; i < 3; i++) {
        drv_st(d, base + 0x20 + 8 * i, i == 0 ? at : i == 1 ? at + 0x8000 : at + 0xc000, 4);
        drv_st(d, base + 0x24 + 8 * i, 0, 4);
    }
    assert_int_equal(drv_ld(d, base + 0x28, 8), at + 0x8000); /* 64 bits at once */
    drv_st(d, base + 0x1c, 1, 2);
    drv_st(d, base + 0x14, 0xf, 1);
    struct drv_buf b = { drv_alloc(d, 64), 32, true };
    drv_add(d, 0, &b, 1, false);
    drv_st(d, base + 0x3000, 0, 2);
    drv_poll(d);
    return (unsigned)drv_ld(d, d->ring[0].device + 2, 2);
}

static void interrupts(void **st)
{
    struct pc c;
    pc_new(&c);
    add(&c, "virtio-rng-pci", "rng", NULL, "addr=6");
    place(&c, 0, 6, MMIO64);
    uint64_t table = MMIO32 + 0x100000 + 6 * 0x10000;
    assert_int_equal(run_rng(&c, MMIO64, 0xffff), 1); /* a line: slot 6, pin A */
    assert_true(c.line[2]);
    assert_true(cr(&c, 0, 6, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
    cw(&c, 0, 6, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE, 2);
    assert_false(c.line[2]);
    cw(&c, 0, 6, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    assert_true(c.line[2]);
    assert_int_equal(drv_ld(&c.d, MMIO64 + 0x1000, 1), 1);
    assert_false(c.line[2]);
    assert_int_equal(drv_ld(&c.d, MMIO64 + 0x1000, 1), 0);
    /* MSI-X */
    unsigned cap = find_cap(&c, 0, 6, PCI_CAP_ID_MSIX, 0);
    assert_int_not_equal(cap, 0);
    assert_int_equal(cr(&c, 0, 6, cap + 2, 2), 1); /* two vectors */
    assert_int_equal(drv_ld(&c.d, table + 12, 4), 1); /* masked */
    drv_st(&c.d, table + 16, 0xfee00000, 4);
    drv_st(&c.d, table + 24, 0x4321, 4);
    cw(&c, 0, 6, cap + 2, PCI_MSIX_FLAGS_ENABLE, 2);
    assert_int_equal(run_rng(&c, MMIO64, 1), 1);
    assert_int_equal(c.msi.count, 0);
    assert_int_equal(drv_ld(&c.d, table + 2048, 4), 2); /* pending */
    assert_false(c.line[2]);
    drv_st(&c.d, table + 28, 0, 4);
    assert_int_equal(c.msi.count, 1);
    assert_int_equal(c.msi.addr, 0xfee00000);
    assert_int_equal(c.msi.data, 0x4321);
    assert_int_equal(c.msi.requester, 6 << 3);
    assert_int_equal(drv_ld(&c.d, table + 2048, 4), 0);
    drv_st(&c.d, MMIO64 + 0x1a, 2, 2); /* there is no vector 2 */
    assert_int_equal(drv_ld(&c.d, MMIO64 + 0x1a, 2), 0xffff);
    /* without bus mastering nothing is read or written; then it goes on */
    struct drv_buf b = { drv_alloc(&c.d, 64), 32, true };
    cw(&c, 0, 6, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    drv_add(&c.d, 0, &b, 1, false);
    drv_st(&c.d, MMIO64 + 0x3000, 0, 2);
    drv_poll(&c.d);
    assert_int_equal(drv_ld(&c.d, c.d.ring[0].device + 2, 2), 1);
    cw(&c, 0, 6, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    drv_poll(&c.d);
    assert_int_equal(drv_ld(&c.d, c.d.ring[0].device + 2, 2), 2);
    /* the window in configuration space */
    unsigned w = find_cap(&c, 0, 6, VIRTIO_CFG, 5);
    cw(&c, 0, 6, w + 4, 4, 1);
    cw(&c, 0, 6, w + 8, 0x12, 4);
    cw(&c, 0, 6, w + 12, 2, 4);
    assert_int_equal(cr(&c, 0, 6, w + 16, 4), 1);
    cw(&c, 0, 6, w + 8, 0xfffffffe, 4);
    cr(&c, 0, 6, w + 16, 4);
    drv_free(&c.d);
}

static void bridges(void **st)
{
    struct pc c;
    pc_new(&c);
    add(&c, "pcie-root-port", "rp", NULL, "addr=2,port=1,chassis=1,slot=3");
    add(&c, "virtio-rng-pci", "rng", "rp", NULL);
    dev_reset_all(&c.d.b); /* what was plugged in before has power */
    assert_int_equal(cr(&c, 0, 2, PCI_HEADER_TYPE, 1), 1);
    cw(&c, 0, 2, PCI_PRIMARY_BUS, 0x00050500, 4);
    assert_int_equal(cr(&c, 5, 0, 0, 4), 0x10441af4);
    assert_int_equal(cr(&c, 5, 1, 0, 4), 0xffffffff);
    assert_int_equal(cr(&c, 4, 0, 0, 4), 0xffffffff);
    assert_int_not_equal(find_cap(&c, 5, 0, PCI_CAP_ID_EXP, 0), 0);
    place(&c, 5, 0, MMIO64 + 0x100000);
    uint64_t nqueues = MMIO64 + 0x100012;
    assert_int_equal(drv_ld(&c.d, nqueues, 2), 0); /* the port lets nothing through */
    cw(&c, 0, 2, PCI_PREF_MEMORY_BASE, 0x00110011, 4);
    cw(&c, 0, 2, PCI_PREF_BASE_UPPER32, 4, 4);
    cw(&c, 0, 2, PCI_PREF_LIMIT_UPPER32, 4, 4);
    assert_int_equal(drv_ld(&c.d, nqueues, 2), 0);
    cw(&c, 0, 2, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    assert_int_equal(cr(&c, 0, 2, PCI_PREF_MEMORY_BASE, 4), 0x00110011);
    assert_int_equal(drv_ld(&c.d, nqueues, 2), 1);
    assert_int_equal(run_rng(&c, MMIO64 + 0x100000, 0xffff), 1);
    assert_true(c.line[2]); /* pin A of slot 0 behind slot 2 */
    cw(&c, 0, 2, PCI_PREF_LIMIT_UPPER32, 3, 4); /* base beyond limit */
    assert_int_equal(drv_ld(&c.d, nqueues, 2), 0);
    cw(&c, 0, 2, PCI_PREF_LIMIT_UPPER32, 4, 4);
    cw(&c, 0, 2, PCI_BRIDGE_CONTROL, PCI_BRIDGE_CTL_BUS_RESET, 2);
    cw(&c, 0, 2, PCI_BRIDGE_CONTROL, 0, 2);
    assert_int_equal(cr(&c, 5, 0, PCI_COMMAND, 2), 0);
    assert_false(c.line[2]);
    /* plain PCI behind a bridge: three levels */
    add(&c, "pcie-root-port", "rp2", NULL, "addr=3");
    add(&c, "pcie-pci-bridge", "pb", "rp2", NULL);
    add(&c, "virtio-rng-pci", "rng2", "pb", "addr=1f");
    dev_reset_all(&c.d.b);
    cw(&c, 0, 3, PCI_PRIMARY_BUS, 0x00070600, 4);
    cw(&c, 6, 0, PCI_PRIMARY_BUS, 0x00070706, 4);
    assert_int_equal(cr(&c, 7, 31, 0, 4), 0x10441af4);
    drv_free(&c.d);
}

static void hotplug(void **st)
{
    struct pc c;
    struct err e = { 0 };
    pc_new(&c);
    add(&c, "pcie-root-port", "rp", NULL, "addr=1");
    dev_reset_all(&c.d.b);
    unsigned x = find_cap(&c, 0, 1, PCI_CAP_ID_EXP, 0), m = find_cap(&c, 0, 1, PCI_CAP_ID_MSI, 0);
    cw(&c, 0, 1, PCI_PRIMARY_BUS, 0x00010100, 4);
    cw(&c, 0, 1, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    cw(&c, 0, 1, m + 4, 0xfee00000, 4);
    cw(&c, 0, 1, m + 12, 0x77, 2);
    cw(&c, 0, 1, m + 2, 1, 2);
    assert_false(cr(&c, 0, 1, x + PCI_EXP_SLTSTA, 2) & PCI_EXP_SLTSTA_PDS);
    cw(&c, 0, 1, x + PCI_EXP_SLTCTL, PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_ABPE, 2);
    add(&c, "virtio-rng-pci", "rng", "rp", NULL);
    assert_int_equal(c.msi.count, 1);
    assert_int_equal(c.msi.data, 0x77);
    uint32_t sta = cr(&c, 0, 1, x + PCI_EXP_SLTSTA, 2);
    assert_true((sta & PCI_EXP_SLTSTA_PDS) && (sta & PCI_EXP_SLTSTA_ABP));
    assert_int_equal(cr(&c, 1, 0, 0, 4), 0xffffffff); /* no power yet */
    cw(&c, 0, 1, x + PCI_EXP_SLTSTA, PCI_EXP_SLTSTA_ABP | PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC, 2);
    cw(&c, 0, 1, x + PCI_EXP_SLTCTL, PCI_EXP_SLTCTL_PWR_IND_ON | PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_ABPE, 2);
    assert_int_equal(cr(&c, 1, 0, 0, 4), 0x10441af4);
    assert_int_equal(pci_unplug_request(dev_find(&c.d.b, "rng"), &e), 0);
    assert_int_equal(c.msi.count, 2);
    assert_int_equal(pci_unplug_request(dev_find(&c.d.b, "rng"), &e), -EBUSY);
    drv_poll(&c.d);
    assert_non_null(dev_find(&c.d.b, "rng"));
    cw(&c, 0, 1, x + PCI_EXP_SLTCTL, PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_HPIE, 2);
    drv_poll(&c.d);
    assert_null(dev_find(&c.d.b, "rng"));
    assert_int_equal(cr(&c, 1, 0, 0, 4), 0xffffffff);
    assert_false(cr(&c, 0, 1, x + PCI_EXP_SLTSTA, 2) & PCI_EXP_SLTSTA_PDS);
    assert_int_equal(pci_unplug_request(dev_find(&c.d.b, "rp"), &e), -ENOTSUP);
    drv_free(&c.d);
}

/* The state of a device with MSI-X comes back; one with a longer table does not. */
static void saved(void **st)
{
    struct pc a, b;
    struct state_out o = { 0 };
    struct err e = { 0 };
    pc_new(&a);
    pc_new(&b);
    struct dev *from = add(&a, "virtio-rng-pci", "rng", NULL, "addr=6"), *to = add(&b, "virtio-rng-pci", "rng", NULL, "addr=6");
    place(&a, 0, 6, MMIO64);
    assert_int_equal(run_rng(&a, MMIO64, 0xffff), 1);
    dev_save(from, &o);
    struct state_in in = { .buf = o.buf, .len = o.len };
    if (dev_load(to, &in, &e)) fail_msg("%s", e.msg);
    assert_int_equal(drv_ld(&b.d, MMIO64 + 0x14, 1), 0xf);
    assert_true(b.line[2]);
    assert_int_equal(drv_ld(&b.d, MMIO64 + 0x1000, 1), 1);
    state_out_free(&o);
    drv_free(&a.d);
    drv_free(&b.d);
}

static void tree(void **st)
{
    struct pc c;
    uint32_t len;
    pc_new(&c);
    struct fdt *f = fdt_new();
    struct fdt_node *root = fdt_root(f), *plic = fdt_child(root, "plic@c000000"), *n = fdt_child(root, "pci@30000000");
    fdt_set_u32(root, "#address-cells", 2);
    fdt_set_u32(root, "#size-cells", 2);
    fdt_set_u32(plic, "#address-cells", 0);
    fdt_set_empty(plic, "interrupt-controller");
    FDT_CELLS(n, "interrupts", 32, 33, 34, 35);
    fdt_set_u32(n, "interrupt-parent", fdt_phandle(plic));
    c.host->cls->fdt(c.host, n);
    const uint8_t *map = fdt_get(n, "interrupt-map", &len);
    assert_int_equal(len, 16 * 6 * 4);
    assert_int_equal(map[(6 * 5 + 5) * 4 + 3], 34); /* slot 1, pin 2 */
    assert_non_null(fdt_get(n, "ranges", &len));
    assert_int_equal(len, 3 * 7 * 4);
    assert_null(fdt_get(n, "interrupts", &len));
    fdt_free(f);
    drv_free(&c.d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config), cmocka_unit_test(interrupts), cmocka_unit_test(bridges), cmocka_unit_test(hotplug), cmocka_unit_test(saved),
        cmocka_unit_test(tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
