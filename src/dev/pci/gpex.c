/*
 * gpex.c: host bridge of PCI Express: configuration space in memory (ECAM, PCIe Base 4.0, 7.2.2), windows for I/O and memory, four lines.
 * What the guest's device tree shows is the binding "pci-host-ecam-generic". The board says where the windows are.
 */
#include "dev/pci/pci.h"
#include "dev/fdt.h"

#include <stdlib.h>

#define SELF struct gpex
struct gpex {
    struct pci_host h;
    uint64_t ecam_size, pio_base, pio_size, mmio32_base, mmio32_size, mmio64_base, mmio64_size;
    struct window *ecam;
};

/* --- configuration accesses -------------------------------------------------------------------------------------------------- */

static uint64_t ecam_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    struct pci_dev *p = pci_find(dev, (unsigned)(off >> 20), (unsigned)(off >> 12) & 0xff);
    return p ? pci_config_read(p, off & 0xfff, size) : UINT64_MAX >> (64 - 8 * size);
}
static void ecam_write(void *dev, uint64_t off, uint64_t val, unsigned size, struct mem_attr at)
{
    struct pci_dev *p = pci_find(dev, (unsigned)(off >> 20), (unsigned)(off >> 12) & 0xff);
    if (p) pci_config_write(p, off & 0xfff, (uint32_t)val, size);
}
static const struct mmio_ops ecam_ops = { .read = ecam_read, .write = ecam_write, .min = 1, .max = 4 };

/* --- interrupts --------------------------------------------------------------------------------------------------------------------- */

void pci_host_line(struct pci_host *h, unsigned line, bool level)
{
    h->lines[line] = (uint16_t)(h->lines[line] + (level ? 1 : -1));
    irq_set(&h->dev.irq[line], h->lines[line] != 0);
}

static void set_msi(struct pci_host *h, struct pci_bus *b)
{
    for (unsigned i = 0; i < 256; i++) {
        struct pci_dev *p = b->dev[i];
        if (!p) continue;
        p->dev.dma.msi = h->msi;
        p->dev.dma.msi_ctx = h->msi_ctx;
        if (p->below) set_msi(h, p->below);
    }
}

void pci_host_set_msi(struct dev *host, bool (*msi)(void *ctx, uint64_t addr, uint32_t data, struct mem_attr at), void *ctx)
{
    struct pci_host *h = (struct pci_host *)host;
    h->msi = msi;
    h->msi_ctx = ctx;
    set_msi(h, h->root);
}

/* --- the root complex -------------------------------------------------------------------------------------------------------------- */

/* The bridge itself is function 00.0 of the root bus. */
static int root_init(void *dev, struct err *e)
{
    pci_init(dev, &(struct pci_id){ 0x1b36, 0x0008, 0x1af4, 0x1100, 0x060000, 0 });
    ((struct pci_dev *)dev)->config[0x3d] = 0; /* no interrupt */
    return 0;
}
static void root_reset(void *dev)
{
    pci_reset(dev);
}
static void root_exit(void *dev)
{
    pci_exit(dev);
}
static int root_loaded(void *dev, struct err *e)
{
    return pci_loaded(dev, e);
}

const struct device gpex_root_device = {
    .name = "gpex-root", .help = "QEMU-compatible generic PCIe host bridge", .category = "Controller/Bridge/Hub devices", .bus = "pci",
    .size = sizeof(struct pci_dev), .init = root_init, .reset = root_reset, .exit = root_exit, .loaded = root_loaded, PROPS(PCI_PROPS),
    STATE(PCI_STATE),
};

static int gpex_init(void *dev, struct err *e)
{
    SELF *s = dev;
    uint64_t n = s->ecam_size;
    if (n < 1 << 20 || n > 256 << 20 || (n & (n - 1))) return err_set(e, EINVAL, "gpex-pcihost: ecam-size must be a power of two, 1M to 256M");
    s->h.win[PCI_WIN_IO] = (struct pci_window){ 0, s->pio_base, s->pio_size };
    s->h.win[PCI_WIN_MMIO32] = (struct pci_window){ s->mmio32_base, s->mmio32_base, s->mmio32_size };
    s->h.win[PCI_WIN_MMIO64] = (struct pci_window){ s->mmio64_base, s->mmio64_base, s->mmio64_size };
    s->h.root = pci_bus_new(dev, "pcie.0", &s->h, NULL);
    struct dev *root = dev_new(s->h.dev.board, &gpex_root_device, NULL, e);
    if (!root) return -EINVAL;
    int r = dev_realize(root, s->h.root->bus, e);
    if (r) dev_free(root);
    return r;
}

static int gpex_map(void *dev, uint64_t at, struct err *e)
{
    SELF *s = dev;
    if (s->ecam) window_move(s->ecam, at);
    else s->ecam = space_map_mmio(s->h.dev.board->space, "pcie-mmcfg-mmio", at, s->ecam_size, &ecam_ops, dev, 0);
    return 0;
}

static void gpex_exit(void *dev)
{
    SELF *s = dev;
    window_free(s->ecam);
}

/* The node of a phandle that somebody asked for already. */
static struct fdt_node *by_phandle(struct fdt_node *n, uint32_t phandle)
{
    uint32_t len;
    if (fdt_get(n, "interrupt-controller", &len) && fdt_phandle(n) == phandle) return n;
    for (struct fdt_node *c = fdt_first(n), *r; c; c = fdt_next(c))
        if ((r = by_phandle(c, phandle))) return r;
    return NULL;
}

static void add_range(struct fdt_node *n, uint32_t kind, const struct pci_window *w)
{
    if (!w->size) return;
    fdt_add_cells(n, "ranges", &kind, 1);
    fdt_add_num(n, "ranges", w->bus, 2);
    fdt_add_num(n, "ranges", w->cpu, 2);
    fdt_add_num(n, "ranges", w->size, 2);
}

/* Slots 0 to 3 and their pins stand for all; the lines are what `interrupts` says, which a host bridge does not have itself. */
static void interrupt_map(struct fdt_node *n)
{
    uint32_t len = 0, parent, address_cells = 0;
    const uint8_t *irqs = fdt_get(n, "interrupts", &len);
    struct fdt_node *ctl = fdt_get_u32(n, "interrupt-parent", &parent) ? by_phandle(fdt_root(fdt_of(n)), parent) : NULL;
    uint32_t cells = len / 16;
    if (!irqs || !ctl || !cells || cells > 4) return;
    fdt_get_u32(ctl, "#address-cells", &address_cells);
    uint32_t line[4][4];
    for (unsigned i = 0; i < 4; i++)
        for (unsigned c = 0; c < cells; c++) {
            const uint8_t *b = irqs + 4 * (i * cells + c);
            line[i][c] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
        }
    for (unsigned slot = 0; slot < 4; slot++)
        for (unsigned pin = 0; pin < 4; pin++) {
            fdt_add_cells(n, "interrupt-map", (const uint32_t[]){ slot << 11, 0, 0, pin + 1, parent }, 5);
            if (address_cells) fdt_add_num(n, "interrupt-map", 0, MIN(address_cells, 2u));
            fdt_add_cells(n, "interrupt-map", line[(slot + pin) & 3], cells);
        }
    FDT_CELLS(n, "interrupt-map-mask", 0x1800, 0, 0, 7);
    fdt_del(n, "interrupts");
    fdt_del(n, "interrupt-parent");
}

static void gpex_fdt(void *dev, struct fdt_node *n)
{
    SELF *s = dev;
    fdt_set_u32(n, "#address-cells", 3);
    fdt_set_u32(n, "#size-cells", 2);
    fdt_set_u32(n, "#interrupt-cells", 1);
    fdt_set_str(n, "device_type", "pci");
    fdt_set_u32(n, "linux,pci-domain", 0);
    FDT_CELLS(n, "bus-range", 0, (uint32_t)(s->ecam_size >> 20) - 1);
    fdt_set_empty(n, "dma-coherent");
    fdt_del(n, "reg");
    fdt_set_reg(n, s->h.dev.at, s->ecam_size);
    interrupt_map(n);
    add_range(n, 0x1000000, &s->h.win[PCI_WIN_IO]);
    add_range(n, 0x2000000, &s->h.win[PCI_WIN_MMIO32]);
    add_range(n, 0x3000000, &s->h.win[PCI_WIN_MMIO64]);
}

const struct device gpex_device = {
    .name = "gpex-pcihost", .help = "PCI Express host bridge with ECAM", .category = "Controller/Bridge/Hub devices",
    .dt = "pci-host-ecam-generic", .size = sizeof(SELF), .irqs = 4, .init = gpex_init, .map = gpex_map, .exit = gpex_exit, .fdt = gpex_fdt,
    PROPS(PROP_SIZE("ecam-size", ecam_size, 256 << 20), PROP_U64("pio-base", pio_base, 0), PROP_SIZE("pio-size", pio_size, 0x10000),
          PROP_U64("mmio32-base", mmio32_base, 0), PROP_SIZE("mmio32-size", mmio32_size, 0),
          PROP_U64("mmio64-base", mmio64_base, 0), PROP_SIZE("mmio64-size", mmio64_size, 0)),
};
