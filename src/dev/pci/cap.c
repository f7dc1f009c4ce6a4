/*
 * cap.c: capabilities of functions: power management, MSI, MSI-X (PCI 3.0, 6.8), PCI Express (PCIe Base 4.0, 7.5.3).
 * Known gaps: power states are registers only; no AER.
 */
#include "dev/pci/pci.h"

#include <linux/pci_regs.h>

uint16_t pci_cap(struct pci_dev *p, uint8_t id, unsigned size, const struct pci_row *rows, unsigned n)
{
    uint16_t at = p->next_cap;
    if (at + size > PCI_CONFIG) return 0;
    p->config[at] = id;
    p->config[at + 1] = 0;
    if (p->last_cap) p->config[p->last_cap + 1] = (uint8_t)at;
    else p->config[PCI_CAPABILITY_LIST] = (uint8_t)at;
    p->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
    p->last_cap = at;
    p->next_cap = (uint16_t)ALIGN_UP(at + size, 4u);
    pci_rows(p, at, rows, n);
    return at;
}

uint16_t pci_ext_cap(struct pci_dev *p, uint16_t id, unsigned version, unsigned size)
{
    uint16_t at = p->next_ext;
    if (p->config_size < PCIE_CONFIG || at + size > PCIE_CONFIG) return 0;
    pci_put32(p->config + at, id | version << 16);
    if (p->last_ext) pci_put16(p->config + p->last_ext + 2, (uint16_t)((pci_get16(p->config + p->last_ext + 2) & 15) | at << 4));
    p->last_ext = at;
    p->next_ext = (uint16_t)ALIGN_UP(at + size, 4u);
    return at;
}

uint16_t pci_cap_pm(struct pci_dev *p)
{
    static const struct pci_row rows[] = {
        { PCI_PM_PMC, 2, .value = 3 },
        { PCI_PM_CTRL, 2, .value = PCI_PM_CTRL_NO_SOFT_RESET, .write = PCI_PM_CTRL_STATE_MASK },
    };
    return p->cap_pm = pci_cap(p, PCI_CAP_ID_PM, PCI_PM_SIZEOF, rows, ARRAY_LEN(rows));
}

uint16_t pci_cap_express(struct pci_dev *p, unsigned type)
{
    enum { SPEED_2_5 = 1, SPEED_16 = 4, WIDTH_1 = 1 };
    if (type == PCIE_ENDPOINT && p->bus && !p->bus->bridge) type = PCIE_INTEGRATED;
    bool link = type != PCIE_INTEGRATED;
    uint32_t lnk = link ? SPEED_16 | WIDTH_1 << 4 : 0, sta = link ? SPEED_16 | WIDTH_1 << 4 : 0;
    struct pci_row rows[] = {
        { PCI_EXP_FLAGS, 2, .value = 2 | type << 4 },
        { PCI_EXP_DEVCAP, 4, .value = PCI_EXP_DEVCAP_RBER },
        { PCI_EXP_DEVCTL, 2, .write = 0x7fff & ~(uint32_t)PCI_EXP_DEVCTL_PHANTOM },
        { PCI_EXP_DEVSTA, 2, .w1c = 0xf },
        { PCI_EXP_LNKCAP, 4, .value = lnk },
        { PCI_EXP_LNKCTL, 2, .write = link ? 0x00c3 : 0 },
        { PCI_EXP_LNKSTA, 2, .value = sta },
        { PCI_EXP_DEVCAP2, 4, .value = 0 },
        { PCI_EXP_DEVCTL2, 2, .write = 0 },
        { PCI_EXP_LNKCAP2, 4, .value = link ? 0x1e : 0 },
        { PCI_EXP_LNKCTL2, 2, .value = link ? SPEED_16 : 0, .write = link ? 0xf : 0 },
    };
    return p->cap_exp = pci_cap(p, PCI_CAP_ID_EXP, 0x3c, rows, ARRAY_LEN(rows));
}

/* --- MSI ------------------------------------------------------------------------------------------------------------------------ */

/* 64-bit addresses, no per-vector masks. */
uint16_t pci_cap_msi(struct pci_dev *p, unsigned vectors)
{
    unsigned log = 0;
    while (1u << log < vectors && log < 5) log++;
    struct pci_row rows[] = {
        { PCI_MSI_FLAGS, 2, .value = PCI_MSI_FLAGS_64BIT | log << 1, .write = PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE },
        { PCI_MSI_ADDRESS_LO, 4, .write = 0xfffffffc },
        { PCI_MSI_ADDRESS_HI, 4, .write = 0xffffffff },
        { PCI_MSI_DATA_64, 2, .write = 0xffff },
    };
    return p->cap_msi = pci_cap(p, PCI_CAP_ID_MSI, 14, rows, ARRAY_LEN(rows));
}

bool pci_msi_on(const struct pci_dev *p)
{
    return p->cap_msi && (p->config[p->cap_msi + PCI_MSI_FLAGS] & PCI_MSI_FLAGS_ENABLE);
}

static void send(struct pci_dev *p, uint64_t addr, uint32_t data)
{
    if (!(pci_get16(p->config + PCI_COMMAND) & PCI_COMMAND_MASTER) || p->power_off) return;
    p->dev.dma.attr.requester = pci_requester(p);
    TRACE(pci_msi, "%s 0x%llx = 0x%x", p->dev.id ? p->dev.id : p->dev.cls->name, (unsigned long long)addr, data);
    dma_msi(&p->dev.dma, addr, data);
}

void pci_msi_send(struct pci_dev *p, unsigned vector)
{
    if (!pci_msi_on(p)) return;
    const uint8_t *c = p->config + p->cap_msi;
    unsigned n = 1u << MIN((unsigned)(pci_get16(c + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_QSIZE) >> 4, 5u);
    uint32_t data = (pci_get16(c + PCI_MSI_DATA_64) & ~(n - 1)) | (vector & (n - 1));
    send(p, pci_get32(c + PCI_MSI_ADDRESS_LO) | (uint64_t)pci_get32(c + PCI_MSI_ADDRESS_HI) << 32, data);
}

/* --- MSI-X ------------------------------------------------------------------------------------------------------------------------ */

bool pci_msix_on(const struct pci_dev *p)
{
    return p->cap_msix && (pci_get16(p->config + p->cap_msix + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_ENABLE);
}

static bool masked(const struct pci_dev *p, unsigned v)
{
    return (pci_get16(p->config + p->cap_msix + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_MASKALL) || (p->msix[v].control & PCI_MSIX_ENTRY_CTRL_MASKBIT);
}

void pci_msix_send(struct pci_dev *p, unsigned v)
{
    if (!pci_msix_on(p) || v >= p->msix_n) return;
    if (masked(p, v)) {
        p->msix_pending[v / 32] |= 1u << v % 32;
        return;
    }
    const struct pci_msix_entry *m = &p->msix[v];
    send(p, m->addr_lo | (uint64_t)m->addr_hi << 32, m->data);
}

/* Messages that waited for their mask to go. */
void pci_msix_catch_up(struct pci_dev *p)
{
    for (unsigned v = 0; pci_msix_on(p) && v < p->msix_n; v++)
        if ((p->msix_pending[v / 32] >> v % 32 & 1) && !masked(p, v)) {
            p->msix_pending[v / 32] &= ~(1u << v % 32);
            pci_msix_send(p, v);
        }
}

static uint32_t *cell(struct pci_dev *p, uint64_t off)
{
    struct pci_msix_entry *m = &p->msix[off / 16];
    return off % 16 < 4 ? &m->addr_lo : off % 16 < 8 ? &m->addr_hi : off % 16 < 12 ? &m->data : &m->control;
}

bool pci_msix_read(struct pci_dev *p, uint64_t off, unsigned size, uint64_t *val)
{
    uint64_t t = off - p->msix_table, b = off - p->msix_pba;
    *val = 0;
    if (!p->msix) return false;
    for (unsigned i = 0; i < size && i < 8; i++) {
        uint8_t byte = 0;
        if (t + i < p->msix_n * 16ull) byte = (uint8_t)(*cell(p, t + i) >> 8 * ((t + i) % 4));
        else if (b + i < (p->msix_n + 7u) / 8) byte = (uint8_t)(p->msix_pending[(b + i) / 4] >> 8 * ((b + i) % 4));
        else if (!i && t >= p->msix_n * 16ull) return false;
        *val |= (uint64_t)byte << 8 * i;
    }
    return true;
}

bool pci_msix_write(struct pci_dev *p, uint64_t off, uint64_t val, unsigned size)
{
    uint64_t t = off - p->msix_table, b = off - p->msix_pba;
    if (!p->msix || (t >= p->msix_n * 16ull && b >= (p->msix_n + 7u) / 8)) return false;
    for (unsigned i = 0; i < size && i < 8 && t + i < p->msix_n * 16ull; i++) {
        uint32_t *c = cell(p, t + i);
        unsigned shift = 8 * ((t + i) % 4);
        *c = (*c & ~(0xffu << shift)) | (uint32_t)(val >> 8 * i & 0xff) << shift;
    }
    pci_msix_catch_up(p);
    return true;
}

uint16_t pci_cap_msix(struct pci_dev *p, unsigned n, unsigned bar, uint32_t table, uint32_t pba)
{
    n = MIN(n, (unsigned)PCI_MSIX_MAX);
    struct pci_row rows[] = {
        { PCI_MSIX_FLAGS, 2, .value = n - 1, .write = PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL },
        { PCI_MSIX_TABLE, 4, .value = table | bar },
        { PCI_MSIX_PBA, 4, .value = pba | bar },
    };
    uint16_t at = pci_cap(p, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF, rows, ARRAY_LEN(rows));
    if (!at) return 0;
    p->cap_msix = at;
    p->msix_n = (uint16_t)n;
    p->msix_bytes = n * (uint32_t)sizeof *p->msix;
    p->msix = dev_alloc(&p->dev, p->msix_bytes);
    p->msix_bar = (uint8_t)bar;
    p->msix_table = table;
    p->msix_pba = pba;
    return at;
}

static uint64_t own_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    uint64_t v;
    return pci_msix_read(dev, off, size, &v) ? v : 0;
}
static void own_write(void *dev, uint64_t off, uint64_t val, unsigned size, struct mem_attr at)
{
    pci_msix_write(dev, off, val, size);
}
static const struct mmio_ops own_ops = { .read = own_read, .write = own_write };

uint16_t pci_msix_own_bar(struct pci_dev *p, unsigned n, unsigned bar)
{
    uint32_t pba = (uint32_t)ALIGN_UP(n * 16u, 2048u);
    pci_bar_mmio(p, bar, 0, MAX(pba + 2048u, 4096u), &own_ops, p);
    return pci_cap_msix(p, n, bar, 0, pba);
}
