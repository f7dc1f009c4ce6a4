/*
 * pci.c: configuration space, BARs, buses and bridges (PCI Local Bus 3.0, chapter 6; PCI-to-PCI Bridge 1.2, chapter 3).
 * Known gaps: no expansion ROMs; VGA and ISA enable bits of bridges do nothing.
 */
#include "dev/pci/pci.h"

#include <linux/pci_regs.h>

/* --- configuration space --------------------------------------------------------------------------------------------------- */

enum { COMMAND = PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR | PCI_COMMAND_INTX_DISABLE };

static const struct pci_row header[] = {
    { PCI_COMMAND, 2, .write = COMMAND },
    { PCI_STATUS, 2, .w1c = 0xf900 },
    { PCI_CACHE_LINE_SIZE, 1, .write = 0xff },
    { PCI_INTERRUPT_LINE, 1, .write = 0xff },
};
static const struct pci_row bridge_header[] = {
    { PCI_PRIMARY_BUS, 4, .write = 0x00ffffff },
    { PCI_IO_BASE, 2, .value = 0x0101, .write = 0xf0f0 },              /* 32-bit I/O addresses */
    { PCI_SEC_STATUS, 2, .w1c = 0xf900 },
    { PCI_MEMORY_BASE, 4, .write = 0xfff0fff0 },
    { PCI_PREF_MEMORY_BASE, 4, .value = 0x00010001, .write = 0xfff0fff0 }, /* 64-bit */
    { PCI_PREF_BASE_UPPER32, 4, .write = 0xffffffff },
    { PCI_PREF_LIMIT_UPPER32, 4, .write = 0xffffffff },
    { PCI_IO_BASE_UPPER16, 4, .write = 0xffffffff },
    { PCI_BRIDGE_CONTROL, 2, .write = PCI_BRIDGE_CTL_PARITY | PCI_BRIDGE_CTL_SERR | PCI_BRIDGE_CTL_BUS_RESET },
};

void pci_rows(struct pci_dev *p, unsigned base, const struct pci_row *rows, unsigned n)
{
    for (; n--; rows++)
        for (unsigned i = 0; i < rows->size && base + rows->off + i < PCIE_CONFIG; i++) {
            unsigned at = base + rows->off + i;
            p->config[at] = (uint8_t)(rows->value >> 8 * i);
            p->wmask[at] = (uint8_t)(rows->write >> 8 * i);
            p->w1c[at] = (uint8_t)(rows->w1c >> 8 * i);
        }
}

void pci_init(struct pci_dev *p, const struct pci_id *id)
{
    uint8_t *c = p->config;
    p->config_size = p->bus && p->bus->express ? PCIE_CONFIG : PCI_CONFIG;
    pci_put16(c + PCI_VENDOR_ID, id->vendor);
    pci_put16(c + PCI_DEVICE_ID, id->device);
    pci_put32(c + PCI_CLASS_REVISION, id->class_code << 8 | id->revision);
    pci_put16(c + PCI_SUBSYSTEM_VENDOR_ID, id->subvendor);
    pci_put16(c + PCI_SUBSYSTEM_ID, id->subdevice);
    pci_rows(p, 0, header, ARRAY_LEN(header));
    c[PCI_INTERRUPT_PIN] = 1;
    if (p->p_multifunction) c[PCI_HEADER_TYPE] = 0x80;
    p->next_cap = 0x40;
    p->next_ext = 0x100;
}

static bool on(const struct pci_dev *p, unsigned bit)
{
    return pci_get16(p->config + PCI_COMMAND) & bit;
}

/* --- BARs --------------------------------------------------------------------------------------------------------------------- */

static unsigned bars(const struct pci_dev *p)
{
    return p->below ? 2 : PCI_BARS;
}

static void bar_add(struct pci_dev *p, unsigned i, unsigned flags, uint64_t size)
{
    struct pci_bar *b = &p->bar[i];
    uint64_t mask = ~(size - 1);
    b->size = size;
    b->flags = (uint8_t)flags;
    unsigned at = PCI_BASE_ADDRESS_0 + 4 * i;
    pci_put32(p->config + at, flags);
    pci_put32(p->wmask + at, (uint32_t)mask & (flags & PCI_BAR_IO ? ~3u : ~15u));
    if (flags & PCI_BAR_64) pci_put32(p->wmask + at + 4, (uint32_t)(mask >> 32));
}

/* Sizes are rounded up to a power of two (16 bytes at least). */
static uint64_t bar_size(uint64_t n)
{
    uint64_t size = 16;
    while (size < n && size < 1ull << 62) size *= 2;
    return size;
}

void pci_bar_mmio(struct pci_dev *p, unsigned i, unsigned flags, uint64_t size, const struct mmio_ops *ops, void *ctx)
{
    if (i >= PCI_BARS) return;
    bar_add(p, i, flags, bar_size(size));
    p->bar[i].ops = ops;
    p->bar[i].ctx = ctx;
}

void pci_bar_ram(struct pci_dev *p, unsigned i, unsigned flags, struct ram *ram)
{
    if (i >= PCI_BARS) return;
    bar_add(p, i, flags, bar_size(ram->size));
    p->bar[i].ram = ram;
}

/* What a bridge lets through to the bus below it: [first, last] of one kind; false: nothing. */
static bool bridge_window(const struct pci_dev *b, bool io, bool prefetch, uint64_t *first, uint64_t *last)
{
    const uint8_t *c = b->config;
    if (!on(b, io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)) return false;
    if (io) {
        *first = (uint64_t)(c[PCI_IO_BASE] & 0xf0) << 8 | (uint64_t)pci_get16(c + PCI_IO_BASE_UPPER16) << 16;
        *last = (uint64_t)(c[PCI_IO_LIMIT] & 0xf0) << 8 | 0xfff | (uint64_t)pci_get16(c + PCI_IO_LIMIT_UPPER16) << 16;
    } else if (prefetch) {
        *first = (uint64_t)(pci_get16(c + PCI_PREF_MEMORY_BASE) & 0xfff0) << 16 | (uint64_t)pci_get32(c + PCI_PREF_BASE_UPPER32) << 32;
        *last = (uint64_t)(pci_get16(c + PCI_PREF_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff | (uint64_t)pci_get32(c + PCI_PREF_LIMIT_UPPER32) << 32;
    } else {
        *first = (uint64_t)(pci_get16(c + PCI_MEMORY_BASE) & 0xfff0) << 16;
        *last = (uint64_t)(pci_get16(c + PCI_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff;
    }
    return *first <= *last;
}

/* Where [addr, addr + size) of the bus is in the CPUs' space; false: no window leads there. */
static bool reachable(const struct pci_bus *bus, bool io, uint64_t addr, uint64_t size, uint64_t *cpu)
{
    for (; bus->bridge; bus = bus->bridge->bus) {
        uint64_t a, z;
        bool in = bridge_window(bus->bridge, io, false, &a, &z) && addr >= a && addr + size - 1 <= z;
        if (!io && !in) in = bridge_window(bus->bridge, io, true, &a, &z) && addr >= a && addr + size - 1 <= z;
        if (!in || bus->bridge->power_off || !bus->bridge->bus) return false;
    }
    for (unsigned i = io ? PCI_WIN_IO : PCI_WIN_MMIO32; i < (io ? PCI_WIN_MMIO32 : PCI_WINDOWS); i++) {
        const struct pci_window *w = &bus->host->win[i];
        if (size > w->size || addr < w->bus || addr - w->bus > w->size - size) continue;
        *cpu = w->cpu + (addr - w->bus);
        return true;
    }
    return false;
}

/* The BAR's window is where the configuration says, or nowhere. */
static void bar_update(struct pci_dev *p, unsigned i)
{
    struct pci_bar *b = &p->bar[i];
    uint8_t *c = p->config + PCI_BASE_ADDRESS_0 + 4 * i;
    bool io = b->flags & PCI_BAR_IO;
    uint64_t addr = pci_get32(c) & (io ? ~3u : ~15u), cpu = 0;
    if (!b->size) return;
    if (b->flags & PCI_BAR_64) addr |= (uint64_t)pci_get32(c + 4) << 32;
    addr &= ~(b->size - 1); /* state that was loaded may say anything */
    bool want = p->bus && !p->power_off && on(p, io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY) && addr + b->size - 1 >= addr &&
                reachable(p->bus, io, addr, b->size, &cpu);
    if (b->win && (!want || window_addr(b->win) != cpu)) {
        window_free(b->win);
        b->win = NULL;
    }
    if (!want || b->win) return;
    const char *name = p->dev.id ? p->dev.id : p->dev.cls->name;
    b->at = addr;
    b->win = b->ram ? space_map_ram(p->dev.board->space, cpu, b->ram, 0, b->ram->size, 1)
                    : space_map_mmio(p->dev.board->space, name, cpu, b->size, b->ops, b->ctx, 1);
}

static void function_update(struct pci_dev *p)
{
    for (unsigned i = 0; i < bars(p); i++) bar_update(p, i);
    p->dev.dma.attr.requester = pci_requester(p);
    if (p->below) pci_bus_update(p->below);
}

void pci_bus_update(struct pci_bus *b)
{
    for (unsigned i = 0; i < 256; i++)
        if (b->dev[i]) function_update(b->dev[i]);
}

/* --- accesses ------------------------------------------------------------------------------------------------------------------- */

static bool touches(uint32_t off, unsigned size, unsigned first, unsigned bytes)
{
    return off < first + bytes && first < off + size;
}

/* Without bus mastering the function reaches no memory. */
static void master_update(struct pci_dev *p)
{
    bool was = p->dev.dma.space, now = on(p, PCI_COMMAND_MASTER);
    p->dev.dma.space = now ? p->dev.board->space : NULL;
    if (was != now && p->bus_master) p->bus_master(p, now);
}

static void line_update(struct pci_dev *p)
{
    bool level = p->intx && !on(p, PCI_COMMAND_INTX_DISABLE) && !pci_msix_on(p) && !pci_msi_on(p);
    uint8_t *status = p->config + PCI_STATUS;
    *status = (uint8_t)((*status & ~PCI_STATUS_INTERRUPT) | (p->intx ? PCI_STATUS_INTERRUPT : 0));
    if (level == p->line) return;
    p->line = level;
    unsigned pin = p->config[PCI_INTERRUPT_PIN] - 1u, slot = p->devfn >> 3;
    if (pin > 3 || !p->bus) return;
    const struct pci_bus *b = p->bus;
    for (; b->bridge; b = b->bridge->bus) { /* each bridge turns the pins by the slot of what is behind it */
        pin = (pin + slot) & 3;
        slot = b->bridge->devfn >> 3;
        if (!b->bridge->bus) return;
    }
    pci_host_line(b->host, (pin + slot) & 3, level);
}

void pci_intx(struct pci_dev *p, bool level)
{
    p->intx = level;
    line_update(p);
}

uint32_t pci_config_read(struct pci_dev *p, uint32_t off, unsigned size)
{
    uint32_t v = 0;
    if (p->power_off || off >= p->config_size || size > p->config_size - off) return UINT32_MAX >> (32 - 8 * MIN(size, 4u));
    if (p->config_reading) p->config_reading(p, off, size);
    for (unsigned i = 0; i < size; i++) v |= (uint32_t)p->config[off + i] << 8 * i;
    TRACE(pci_config_read, "%s %02x:%02x.%u 0x%03x/%u = 0x%x", p->dev.cls->name, pci_bus_number(p->bus), p->devfn >> 3, p->devfn & 7u, off,
          size, v);
    return v;
}

void pci_config_write(struct pci_dev *p, uint32_t off, uint32_t val, unsigned size)
{
    if (p->power_off || off >= p->config_size || size > p->config_size - off) return;
    TRACE(pci_config_write, "%s %02x:%02x.%u 0x%03x/%u = 0x%x", p->dev.cls->name, pci_bus_number(p->bus), p->devfn >> 3, p->devfn & 7u, off,
          size, val);
    uint16_t bridge_ctl = pci_get16(p->config + PCI_BRIDGE_CONTROL);
    for (unsigned i = 0; i < size; i++) {
        uint8_t v = (uint8_t)(val >> 8 * i), *c = &p->config[off + i];
        uint8_t w = p->wmask[off + i];
        *c = (uint8_t)(((*c & ~w) | (v & w)) & ~(v & p->w1c[off + i]));
    }
    if (touches(off, size, PCI_COMMAND, 2)) {
        master_update(p);
        line_update(p);
        function_update(p);
    } else if (touches(off, size, PCI_BASE_ADDRESS_0, 4 * bars(p)) || (p->below && touches(off, size, PCI_PRIMARY_BUS, 28))) {
        function_update(p);
    }
    if (p->below && touches(off, size, PCI_BRIDGE_CONTROL, 2) && !(bridge_ctl & PCI_BRIDGE_CTL_BUS_RESET) &&
        (pci_get16(p->config + PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CTL_BUS_RESET))
        pci_bus_reset(p->below);
    if ((p->cap_msix && touches(off, size, p->cap_msix + PCI_MSIX_FLAGS, 2)) || (p->cap_msi && touches(off, size, p->cap_msi + PCI_MSI_FLAGS, 2))) {
        line_update(p); /* messages or a line, not both */
        pci_msix_catch_up(p);
    }
    if (p->config_written) p->config_written(p, off, size);
}

/* --- life --------------------------------------------------------------------------------------------------------------------------- */

void pci_reset(struct pci_dev *p)
{
    for (unsigned i = 0; i < PCIE_CONFIG; i++) p->config[i] &= (uint8_t)~(p->wmask[i] | p->w1c[i]);
    if (p->msix)
        for (unsigned i = 0; i < p->msix_n; i++) p->msix[i] = (struct pci_msix_entry){ .control = PCI_MSIX_ENTRY_CTRL_MASKBIT };
    memset(p->msix_pending, 0, sizeof p->msix_pending);
    p->intx = false;
    line_update(p);
    master_update(p);
    function_update(p);
}

void pci_exit(struct pci_dev *p)
{
    pci_put16(p->config + PCI_COMMAND, 0); /* no messages from here on */
    p->presence = NULL;
    pci_intx(p, false);
    for (unsigned i = 0; i < PCI_BARS; i++) {
        window_free(p->bar[i].win);
        p->bar[i].win = NULL;
    }
}

int pci_loaded(struct pci_dev *p, struct err *e)
{
    line_update(p);
    master_update(p);
    function_update(p);
    return 0;
}

/* --- buses ------------------------------------------------------------------------------------------------------------------------------ */

static struct pci_bus *bus_of(struct bus *bus)
{
    for (struct dev *d = bus->owner; d; d = NULL) {
        if (d->cls->bus && !strcmp(d->cls->bus, "pci")) return ((struct pci_dev *)d)->below;
        return ((struct pci_host *)d)->root;
    }
    return NULL;
}

static int plug(struct bus *bus, struct dev *d, struct err *e)
{
    struct pci_bus *b = bus_of(bus);
    struct pci_dev *p = (struct pci_dev *)d;
    int devfn = p->p_addr;
    if (devfn == PCI_ADDR_ANY) {
        for (devfn = 0; devfn < (b->slot ? 8 : 256) && b->dev[devfn]; devfn += 8) {}
        if (devfn >= (b->slot ? 8 : 256)) return err_set(e, EBUSY, "PCI: no slot/function available for %s, all in use or reserved", d->cls->name);
    }
    if (devfn < 0 || devfn > 255) return err_set(e, EINVAL, "%s: addr is not a slot (0 to 1f) and function (0 to 7)", d->cls->name);
    if (b->slot && devfn >= 8) return err_set(e, EINVAL, "PCI: slot %d is not valid for %s: the port '%s' has slot 0 only", devfn >> 3,
                                              d->cls->name, bus->name);
    if (b->dev[devfn])
        return err_set(e, EBUSY, "PCI: slot %d function %d not available for %s, in use by %s", devfn >> 3, devfn & 7, d->cls->name,
                       b->dev[devfn]->dev.id ? b->dev[devfn]->dev.id : b->dev[devfn]->dev.cls->name);
    if (devfn & 7 && (!b->dev[devfn & ~7] || !b->dev[devfn & ~7]->p_multifunction))
        return err_set(e, EINVAL, "PCI: %s is function %d of a slot whose function 0 is not there or not multifunction=on", d->cls->name, devfn & 7);
    p->bus = b;
    p->devfn = (uint8_t)devfn;
    b->dev[devfn] = p;
    d->dma = (struct dma){ .space = d->board->space, .msi = b->host->msi, .msi_ctx = b->host->msi_ctx,
                           .iommu = b->host->dev.dma.iommu, .iommu_ctx = b->host->dev.dma.iommu_ctx };
    d->dma.attr.requester = pci_requester(p);
    if (b->bridge && b->bridge->presence) b->bridge->presence(b->bridge, true);
    return 0;
}

static void unplug(struct bus *bus, struct dev *d)
{
    struct pci_dev *p = (struct pci_dev *)d;
    struct pci_bus *b = p->bus;
    b->dev[p->devfn] = NULL;
    p->bus = NULL;
    if (b->bridge && b->bridge->presence) b->bridge->presence(b->bridge, false);
}

static int leave(struct bus *bus, struct dev *d, struct err *e)
{
    return pci_unplug_request(d, e);
}

struct pci_bus *pci_bus_new(struct dev *owner, const char *name, struct pci_host *host, struct pci_dev *bridge)
{
    struct pci_bus *b = dev_alloc(owner, sizeof *b);
    b->host = host;
    b->bridge = bridge;
    b->express = true;
    b->bus = bus_new(owner, "pci", name, 0);
    b->bus->plug = plug;
    b->bus->unplug = unplug;
    b->bus->leave = leave;
    return b;
}

uint8_t pci_bus_number(const struct pci_bus *b)
{
    return b && b->bridge ? b->bridge->config[PCI_SECONDARY_BUS] : 0;
}

uint16_t pci_requester(const struct pci_dev *p)
{
    return (uint16_t)(pci_bus_number(p->bus) << 8 | p->devfn);
}

void pci_bus_reset(struct pci_bus *b)
{
    for (unsigned i = 0; i < 256; i++)
        if (b->dev[i]) dev_reset(&b->dev[i]->dev);
}

struct pci_dev *pci_find(struct pci_host *h, unsigned bus, unsigned devfn)
{
    struct pci_bus *b = h->root;
    while (b && bus != pci_bus_number(b)) { /* down to where the number is; as deep as the tree of bridges */
        struct pci_bus *next = NULL;
        for (unsigned i = 0; i < 256 && !next; i++) {
            struct pci_dev *p = b->dev[i];
            if (p && p->below && p->config[PCI_SECONDARY_BUS] && bus >= p->config[PCI_SECONDARY_BUS] && bus <= p->config[PCI_SUBORDINATE_BUS])
                next = p->below;
        }
        b = next;
    }
    return b && devfn < 256 && !(b->slot && devfn >= 8) ? b->dev[devfn] : NULL;
}

int pci_bridge_init(struct pci_dev *p, const struct pci_id *id, const char *bus_name, struct err *e)
{
    unsigned depth = 0;
    for (struct pci_bus *b = p->bus; b->bridge; b = b->bridge->bus) depth++;
    if (depth > 16) return err_set(e, EINVAL, "more than 16 bridges behind each other");
    pci_init(p, id);
    memset(p->config + 0x10, 0, 0x30);
    memset(p->wmask + 0x10, 0, 0x30);
    p->config[PCI_HEADER_TYPE] |= PCI_HEADER_TYPE_BRIDGE;
    pci_rows(p, 0, bridge_header, ARRAY_LEN(bridge_header));
    p->below = pci_bus_new(&p->dev, bus_name, p->bus->host, p);
    return 0;
}
