/*
 * pci.h: PCI Express (floor 4): functions, buses, bridges, message-signalled interrupts. PCI Local Bus 3.0, PCI-to-PCI Bridge 1.2, PCI
 * Express Base 4.0; register names as in linux/pci_regs.h.
 *
 * A PCI device's struct begins with `struct pci_dev`; it plugs into a bus of type "pci" (the host bridge's or a port's), which gives
 * it a slot. Its init calls pci_init, then adds BARs and capabilities. Configuration space is bytes with a mask of what the guest can
 * write (wmask) and of what it clears by ones (w1c); the core acts on what it knows (BARs, commands, bridges, MSI, hot-plug).
 */
#ifndef LYRE_DEV_PCI_H
#define LYRE_DEV_PCI_H

#include "dev/device.h"

enum { PCI_BARS = 6, PCI_ROM = 6, PCI_CONFIG = 256, PCIE_CONFIG = 4096, PCI_MSIX_MAX = 256 };
enum { PCI_BAR_IO = 1, PCI_BAR_64 = 4, PCI_BAR_PREFETCH = 8 };
#define PCI_DEVFN(slot, fn) ((uint8_t)((slot) << 3 | (fn)))
enum { PCI_ADDR_ANY = -1 };

struct pci_bus;
struct pci_host;
struct pci_dev;

struct pci_bar {
    uint64_t size;               /* power of two; 0: there is none */
    uint8_t flags;
    const struct mmio_ops *ops;
    void *ctx;
    struct ram *ram;             /* content instead of registers */
    struct window *win;          /* while it is decoded */
    uint64_t at;                 /* its bus address then */
};

struct pci_msix_entry {
    uint32_t addr_lo, addr_hi, data, control;
};

struct pci_dev {
    struct dev dev;
    struct pci_bus *bus;         /* where it sits */
    struct pci_bus *below;       /* of bridges */
    uint8_t devfn;
    bool intx, line;             /* its interrupt; what the host bridge hears of it */
    bool power_off;              /* its slot's power is off: nothing answers */
    int32_t p_addr;              /* property addr: devfn or PCI_ADDR_ANY */
    bool p_multifunction;
    char *p_romfile;
    uint32_t p_rombar;
    uint32_t config_size;        /* PCI_CONFIG or PCIE_CONFIG */
    uint8_t config[PCIE_CONFIG], wmask[PCIE_CONFIG], w1c[PCIE_CONFIG];
    uint16_t next_cap, next_ext; /* room for the next capability; last_*: where it is linked */
    uint16_t last_cap, last_ext;
    uint16_t cap_msi, cap_msix, cap_exp, cap_pm;
    struct pci_bar bar[PCI_BARS + 1];
    uint16_t msix_n;
    uint32_t msix_bytes;         /* of the table, in saved state */
    struct pci_msix_entry *msix;
    uint32_t msix_pending[PCI_MSIX_MAX / 32];
    uint8_t msix_bar;
    uint32_t msix_table, msix_pba;
    /* After the guest wrote configuration bytes [off, off + size); NULL: nothing to do. */
    void (*config_written)(struct pci_dev *p, uint32_t off, unsigned size);
    /* Before it is read: the device may bring bytes up to date. */
    void (*config_reading)(struct pci_dev *p, uint32_t off, unsigned size);
    void (*bus_master)(struct pci_dev *p, bool on);
    void (*presence)(struct pci_dev *p, bool there); /* of ports: something was put in or taken out below */
};

#define PCI_PROPS \
    { .name = "addr", .help = "slot and function", .type = PROP_T_PCI_ADDR, .field = offsetof(struct pci_dev, p_addr), \
      .def = (uint64_t)(int64_t)PCI_ADDR_ANY }, \
    { .name = "multifunction", .type = PROP_T_BOOL, .field = offsetof(struct pci_dev, p_multifunction) }, \
    { .name = "romfile", .help = "ignored: there are no option ROMs", .type = PROP_T_STR, .field = offsetof(struct pci_dev, p_romfile) }, \
    { .name = "rombar", .help = "ignored: there are no option ROMs", .type = PROP_T_U32, .field = offsetof(struct pci_dev, p_rombar), .def = 1 }
/* Saved state of every function. */
#define PCI_STATE \
    { .name = "config", .type = STATE_T_BYTES, .field = offsetof(struct pci_dev, config), .size = PCIE_CONFIG }, \
    { .name = "intx", .type = STATE_T_INT, .field = offsetof(struct pci_dev, intx), .size = 1, .max = 1 }, \
    { .name = "msix_pending", .type = STATE_T_INT, .field = offsetof(struct pci_dev, msix_pending), .size = 4, .count = PCI_MSIX_MAX / 32 }, \
    { .name = "msix", .type = STATE_T_BLOB, .field = offsetof(struct pci_dev, msix), .len_field = offsetof(struct pci_dev, msix_bytes) }

/* --- functions --------------------------------------------------------------------------------------------------------- */

/* What a function is. */
struct pci_id {
    uint16_t vendor, device, subvendor, subdevice;
    uint32_t class_code;         /* 24 bits: class, subclass, interface */
    uint8_t revision;
};
/* One field of configuration space: at `off`, `size` bytes. */
struct pci_row {
    uint16_t off;
    uint8_t size;
    uint32_t value, write, w1c;
};

/* The header (type 0); registers with the bus were made by its plug. */
void pci_init(struct pci_dev *p, const struct pci_id *id);
void pci_rows(struct pci_dev *p, unsigned base, const struct pci_row *rows, unsigned n);
/* To be called by every device's reset and exit. */
void pci_reset(struct pci_dev *p);
void pci_exit(struct pci_dev *p);
/* After state was loaded: windows and lines follow the configuration. */
int pci_loaded(struct pci_dev *p, struct err *e);
/* BAR i: registers, or a RAM block. PCI_BAR_64 takes i + 1 as well. */
void pci_bar_mmio(struct pci_dev *p, unsigned i, unsigned flags, uint64_t size, const struct mmio_ops *ops, void *ctx);
void pci_bar_ram(struct pci_dev *p, unsigned i, unsigned flags, struct ram *ram);

uint32_t pci_config_read(struct pci_dev *p, uint32_t off, unsigned size);
void pci_config_write(struct pci_dev *p, uint32_t off, uint32_t val, unsigned size);
static inline uint16_t pci_get16(const uint8_t *b) { return (uint16_t)(b[0] | b[1] << 8); }
static inline uint32_t pci_get32(const uint8_t *b) { return pci_get16(b) | (uint32_t)pci_get16(b + 2) << 16; }
static inline void pci_put16(uint8_t *b, uint16_t v) { b[0] = (uint8_t)v, b[1] = (uint8_t)(v >> 8); }
static inline void pci_put32(uint8_t *b, uint32_t v) { pci_put16(b, (uint16_t)v), pci_put16(b + 2, (uint16_t)(v >> 16)); }

/* --- capabilities: all return where they are --------------------------------------------------------------------------- */

uint16_t pci_cap(struct pci_dev *p, uint8_t id, unsigned size, const struct pci_row *rows, unsigned n);
uint16_t pci_ext_cap(struct pci_dev *p, uint16_t id, unsigned version, unsigned size);
uint16_t pci_cap_pm(struct pci_dev *p);
uint16_t pci_cap_msi(struct pci_dev *p, unsigned vectors /* 1..32, power of two */);
/* type: PCI_EXP_TYPE_* (0 endpoint, 4 root port, 7 to PCI bridge); endpoints of the root bus become integrated ones. */
enum { PCIE_ENDPOINT = 0, PCIE_ROOT_PORT = 4, PCIE_UPSTREAM = 5, PCIE_DOWNSTREAM = 6, PCIE_PCI_BRIDGE = 7, PCIE_INTEGRATED = 9 };
uint16_t pci_cap_express(struct pci_dev *p, unsigned type);
/* n vectors; table and pending bits at these offsets of a BAR, which the caller maps (pci_msix_access), or of its own (pci_msix_own_bar). */
uint16_t pci_cap_msix(struct pci_dev *p, unsigned n, unsigned bar, uint32_t table, uint32_t pba);
uint16_t pci_msix_own_bar(struct pci_dev *p, unsigned n, unsigned bar);
/* An access to a BAR: was it the table's or the pending bits'? */
bool pci_msix_read(struct pci_dev *p, uint64_t off, unsigned size, uint64_t *val);
bool pci_msix_write(struct pci_dev *p, uint64_t off, uint64_t val, unsigned size);
/* Messages that waited for their mask to go. */
void pci_msix_catch_up(struct pci_dev *p);

/* --- interrupts ----------------------------------------------------------------------------------------------------------- */

bool pci_msix_on(const struct pci_dev *p);
bool pci_msi_on(const struct pci_dev *p);
void pci_msix_send(struct pci_dev *p, unsigned vector);
void pci_msi_send(struct pci_dev *p, unsigned vector);
/* The INTx line (pin A unless the configuration says otherwise). */
void pci_intx(struct pci_dev *p, bool level);

/* --- buses ------------------------------------------------------------------------------------------------------------------ */

struct pci_bus {
    struct bus *bus;
    struct pci_host *host;
    struct pci_dev *bridge;      /* NULL: the root bus */
    struct pci_dev *dev[256];    /* by devfn */
    bool express;                /* ports: one slot */
    bool slot;                   /* a port's: slot 0 only */
};
/* Makes the bus of a bridge or host. */
struct pci_bus *pci_bus_new(struct dev *owner, const char *name, struct pci_host *host, struct pci_dev *bridge);
uint8_t pci_bus_number(const struct pci_bus *b);
uint16_t pci_requester(const struct pci_dev *p);
/* BARs on this bus and below follow commands and windows. */
void pci_bus_update(struct pci_bus *b);
void pci_bus_reset(struct pci_bus *b);
/* The function that answers to bus:devfn, or NULL. */
struct pci_dev *pci_find(struct pci_host *h, unsigned bus, unsigned devfn);
/* `device_del` of what sits in a hot-plug slot: asks the guest; the device goes when it agrees. -ENOTSUP elsewhere. */
int pci_unplug_request(struct dev *d, struct err *e);

/* A bridge (type 1 header) with its bus. */
int pci_bridge_init(struct pci_dev *p, const struct pci_id *id, const char *bus_name, struct err *e);

/* --- hosts -------------------------------------------------------------------------------------------------------------------- */

struct pci_window {
    uint64_t bus, cpu, size;     /* bus addresses [bus, bus + size) are at cpu */
};
enum { PCI_WIN_IO, PCI_WIN_MMIO32, PCI_WIN_MMIO64, PCI_WINDOWS };
struct pci_host {
    struct dev dev;
    struct pci_bus *root;
    struct pci_window win[PCI_WINDOWS];
    uint16_t lines[4];           /* how many functions drive each */
    bool (*msi)(void *ctx, uint64_t addr, uint32_t data, struct mem_attr at);
    void *msi_ctx;
};
/* Where messages of all its devices go, also of those that come later. For boards. */
void pci_host_set_msi(struct dev *host, bool (*msi)(void *ctx, uint64_t addr, uint32_t data, struct mem_attr at), void *ctx);
/* A function's interrupt, after all bridges. */
void pci_host_line(struct pci_host *h, unsigned line, bool level);

#endif
