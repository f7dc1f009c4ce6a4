/*
 * riscv_virt.c: the board "virt" of RISC-V: what QEMU's documentation (system/riscv/virt) describes, at the addresses that its device
 * tree shows: PLIC or APLIC with IMSIC, CLINT or ACLINT, 16550, Goldfish RTC, flash, fw_cfg, eight virtio slots, PCIe, test finisher.
 * Known gaps: platform-bus, IOMMU, IMSICs of several sockets.
 */
#include "cpu/riscv_sys.h"
#include "dev/intc/imsic.h"
#include "dev/misc/fw_cfg.h"
#include "dev/pci/pci.h"
#include "machine/acpi.h"
#include "machine/riscv.h"

#include <stdio.h>
#include <stdlib.h>

enum { TIMEBASE = 10000000, FLASH = 0x20000000, FLASH_SIZE = 0x2000000, ROM = 0x1000 };
#define RAM_BASE 0x80000000ull

static bool aia(const struct machine *m) { return strcmp(machine_prop(m, "aia"), "none") != 0; }
static bool with_plic(const struct machine *m) { return !aia(m); }
static bool imsic(const struct machine *m) { return !strcmp(machine_prop(m, "aia"), "aplic-imsic"); }
static bool aclint(const struct machine *m) { return machine_flag(m, "aclint"); }

/* Lines of devices go to "irqchip": the PLIC; or the APLIC of S mode where there is AIA. */
static const struct part parts[] = {
    { "rom", "rom", ROM, .props = "size=0xf000" },
    { "irqchip", "riscv.plic", 0x0c000000, .node = "plic", .props = "num-sources=96,num-contexts=@contexts", .when = with_plic },
    { "imsic_m", "riscv.imsic", 0x24000000, .node = "imsics", .props = "num-harts=@harts,rv32=@rv32", .when = imsic },
    { "imsic_s", "riscv.imsic", 0x28000000, .node = "imsics", .props = "num-harts=@harts,rv32=@rv32,supervisor=on,num-guests=@aia-guests", .when = imsic },
    { "aplic_m", "riscv.aplic", 0x0c000000, .node = "aplic", .props = "num-harts=@harts,msimode=@msimode", .when = aia },
    { "irqchip", "riscv.aplic", 0x0d000000, .node = "aplic", .props = "num-harts=@harts,msimode=@msimode,mmode=off,parent=aplic_m", .when = aia },
    { "swi", "riscv.aclint.swi", 0x02000000, .node = "mswi", .props = "num-harts=@harts" },
    { "mtimer", "riscv.aclint.mtimer", 0x02004000, .props = "num-harts=@harts" },
    { "sswi", "riscv.aclint.swi", 0x02f00000, .props = "num-harts=@harts,sswi=on", .when = aclint },
    { "test", "riscv.sifive.test", .at = 0x00100000 },
    { "rtc", "goldfish_rtc", 0x00101000, .irq = { { "irqchip", 11 } } },
    { "uart", "uart16550", 0x10000000, .node = "serial", .irq = { { "irqchip", 10 } }, .props = "chardev=?serial0" },
    { "virtio", "virtio-mmio", 0x10001000, .node = "virtio_mmio", .count = 8, .step = 0x1000, .irq = { { "irqchip", 1 } } },
    { "fw_cfg", "fw_cfg_mem", 0x10100000, .node = "fw-cfg" },
    { "flash0", "cfi.pflash01", FLASH, .props = "drive=?pflash0,name=virt.flash0" },
    { "flash1", "cfi.pflash01", FLASH + FLASH_SIZE, .props = "drive=?pflash1,name=virt.flash1" },
    { "pcie", "gpex-pcihost", 0x30000000, .node = "pci",
      .props = "ecam-size=256M,pio-base=0x3000000,mmio32-base=0x40000000,mmio32-size=1G,mmio64-base=0x400000000,mmio64-size=16G",
      .irq = { { "irqchip", 32 }, { "irqchip", 33 }, { "irqchip", 34 }, { "irqchip", 35 } } },
    { "ram", PART_RAM, .at = RAM_BASE },
};

static const char *const aia_words[] = { "none", "aplic", "aplic-imsic", NULL };
static const char *const auto_words[] = { "on", "off", "auto", NULL };
static const struct machine_prop props[] = {
    { "acpi", "Enable ACPI", "auto", auto_words },
    { "aclint", "ACLINT (MSWI, MTIMER, SSWI) in place of a CLINT", "off", machine_onoff },
    { "aia", "interrupt controllers: none (a PLIC), aplic, aplic-imsic", "none", aia_words },
    { "aia-guests", "guest interrupt files of each hart's IMSIC, 0 to 7", "0", NULL },
};

static int prepare(struct machine *m, struct err *e)
{
    char n[16];
    const char *guests = machine_prop(m, "aia-guests");
    if (strlen(guests) != 1 || guests[0] < '0' || guests[0] > '7')
        return err_set(e, EINVAL, "Invalid value for guest files: aia-guests is 0 to 7, not '%s'", guests);
    snprintf(n, sizeof n, "%u", m->ncpus);
    opts_add(&m->props, "harts", n);
    snprintf(n, sizeof n, "%u", 2 * m->ncpus);
    opts_add(&m->props, "contexts", n);
    opts_add(&m->props, "msimode", imsic(m) ? "on" : "off");
    opts_add(&m->props, "rv32", riscv_is32(m) ? "on" : "off");
    if (imsic(m)) { /* harts with an IMSIC have the registers for it */
        snprintf(m->cpu_text, sizeof m->cpu_text, "%s,smaia=on,ssaia=on", m->cfg.cpu);
        m->cfg.cpu = m->cpu_text;
    }
    return 0;
}

static void guest_line(void *ctx, unsigned n, bool level)
{
    CPU *cpu = ctx;
    cpu->v->sys->set_line(cpu, n, level);
}

/* A hart's interrupt files: its lines, and its registers. */
static int wire_imsic(struct machine *m, struct imsic_hart *h, unsigned i, struct err *e)
{
    struct dev *im = dev_find(&m->b, "imsic_m"), *is = dev_find(&m->b, "imsic_s");
    unsigned guests = (unsigned)atoi(machine_prop(m, "aia-guests"));
    CPU *cpu = machine_cpu(m, i);
    int r;
    if ((r = machine_wire_cpu(m, im, i, i, "meip", e)) || (r = machine_wire_cpu(m, is, i * (1 + guests), i, "seip", e))) return r;
    for (unsigned g = 1; g <= guests; g++) dev_connect_fn(is, i * (1 + guests) + g, guest_line, cpu, RISCV_LINE_HGEI + g);
    imsic_hart_init(h, im, is, i);
    cpu->v->intc = &h->intc;
    riscv_set_geilen(cpu, guests);
    return 0;
}

static bool message(void *ctx, uint64_t addr, uint32_t data, struct mem_attr at)
{
    struct machine *m = ctx;
    struct dev *im = dev_find(&m->b, "imsic_m"), *is = dev_find(&m->b, "imsic_s");
    return (is && imsic_msi(is, addr, data)) || (im && imsic_msi(im, addr, data));
}

static int wire_irqchip(struct machine *m, struct err *e)
{
    struct dev *chip = dev_find(&m->b, "irqchip"), *root = dev_find(&m->b, "aplic_m"), *pcie = dev_find(&m->b, "pcie");
    struct imsic_hart *h = imsic(m) ? dev_alloc(dev_find(&m->b, "imsic_m"), m->ncpus * sizeof *h) : NULL;
    int r = 0;
    for (unsigned i = 0; i < m->ncpus && !r; i++) {
        if (h) r = wire_imsic(m, &h[i], i, e);
        else if (root && !(r = machine_wire_cpu(m, root, i, i, "meip", e))) r = machine_wire_cpu(m, chip, i, i, "seip", e);
        else if (!root && !(r = machine_wire_cpu(m, chip, 2 * i, i, "meip", e))) r = machine_wire_cpu(m, chip, 2 * i + 1, i, "seip", e);
    }
    if (!h) return r;
    chip->dma.msi = root->dma.msi = message;
    chip->dma.msi_ctx = root->dma.msi_ctx = m;
    if (pcie) pci_host_set_msi(pcie, message, m);
    return r;
}

static int adjust(struct machine *m, struct err *e)
{
    struct dev *swi = dev_find(&m->b, "swi"), *timer = dev_find(&m->b, "mtimer"), *sswi = dev_find(&m->b, "sswi");
    int r = wire_irqchip(m, e);
    for (unsigned i = 0; i < m->ncpus && !r; i++) {
        if ((r = machine_wire_cpu(m, swi, i, i, "msip", e)) || (r = machine_wire_cpu(m, timer, i, i, "mtip", e))) break;
        if (sswi) r = machine_wire_cpu(m, sswi, i, i, "ssip", e);
    }
    struct dev *fw = dev_find(&m->b, "fw_cfg");
    if (!r) r = fw_cfg_set_num(fw, FW_CFG_NB_CPUS, m->ncpus, 2, e);
    if (!r) r = fw_cfg_set_num(fw, FW_CFG_MAX_CPUS, m->ncpus, 2, e);
    if (!r) r = fw_cfg_set_num(fw, FW_CFG_RAM_SIZE, m->cfg.ram, 8, e);
    return r;
}

static void fdt_aia(struct machine *m, struct fdt *f)
{
    struct fdt_node *root = machine_node(m, "aplic_m"), *chip = machine_node(m, "irqchip"), *pci = machine_node(m, "pcie");
    uint32_t child = fdt_phandle(chip);
    FDT_CELLS(root, "riscv,children", child);
    FDT_CELLS(root, "riscv,delegate", child, 1, 96); /* OpenSBI 1.1; the binding as it is now says "delegation" */
    FDT_CELLS(root, "riscv,delegation", child, 1, 96);
    if (!imsic(m)) {
        riscv_fdt_harts(m, f, root, RISCV_MEI, 0);
        riscv_fdt_harts(m, f, chip, RISCV_SEI, 0);
        return;
    }
    struct fdt_node *im = machine_node(m, "imsic_m"), *is = machine_node(m, "imsic_s");
    riscv_fdt_harts(m, f, im, RISCV_MEI, 0);
    riscv_fdt_harts(m, f, is, RISCV_SEI, 0);
    fdt_set_u32(im, "riscv,ipi-id", 1);
    fdt_set_u32(is, "riscv,ipi-id", 1);
    fdt_set_u32(root, "msi-parent", fdt_phandle(im));
    fdt_set_u32(chip, "msi-parent", fdt_phandle(is));
    if (pci) fdt_set_u32(pci, "msi-parent", fdt_phandle(is));
}

static void fdt_timers(struct machine *m, struct fdt *f, struct fdt_node *soc)
{
    struct fdt_node *n;
    if (!aclint(m)) {
        n = fdt_child(soc, "clint@2000000");
        riscv_fdt_harts(m, f, n, RISCV_MSI, RISCV_MTI);
        fdt_set_reg(n, 0x2000000, 0x10000);
        fdt_set_strs(n, "compatible", "sifive,clint0;riscv,clint0");
        return;
    }
    n = fdt_child(soc, "mswi@2000000");
    riscv_fdt_harts(m, f, n, RISCV_MSI, 0);
    fdt_set_reg(n, 0x2000000, 0x4000);
    fdt_set_str(n, "compatible", "riscv,aclint-mswi");
    fdt_set_empty(n, "interrupt-controller");
    fdt_set_u32(n, "#interrupt-cells", 0);
    n = fdt_child(soc, "mtimer@2004000"); /* first mtime, then the mtimecmps */
    riscv_fdt_harts(m, f, n, RISCV_MTI, 0);
    fdt_set_reg(n, 0x200bff8, 0x4008);
    fdt_add_reg(n, 0x2004000, 0x7ff8);
    fdt_set_str(n, "compatible", "riscv,aclint-mtimer");
    n = fdt_child(soc, "sswi@2f00000");
    riscv_fdt_harts(m, f, n, RISCV_SSI, 0);
    fdt_set_reg(n, 0x2f00000, 0x4000);
    fdt_set_str(n, "compatible", "riscv,aclint-sswi");
    fdt_set_empty(n, "interrupt-controller");
    fdt_set_u32(n, "#interrupt-cells", 0);
}

static void fdt_syscon(struct fdt_node *root, const char *name, const char *compat, uint32_t value, uint32_t regmap)
{
    struct fdt_node *n = fdt_child(root, "%s", name);
    fdt_set_u32(n, "value", value);
    fdt_set_u32(n, "offset", 0);
    fdt_set_u32(n, "regmap", regmap);
    fdt_set_str(n, "compatible", compat);
}

static void fdt(struct machine *m, struct fdt *f)
{
    struct fdt_node *root = fdt_root(f), *soc = fdt_child(root, "soc"), *n;
    riscv_fdt_cpus(m, f, TIMEBASE);
    if (aia(m)) fdt_aia(m, f);
    else riscv_fdt_harts(m, f, machine_node(m, "irqchip"), RISCV_MEI, RISCV_SEI);
    fdt_timers(m, f, soc);
    uint32_t test = fdt_phandle(machine_node(m, "test"));
    fdt_syscon(root, "poweroff", "syscon-poweroff", 0x5555, test);
    fdt_syscon(root, "reboot", "syscon-reboot", 0x7777, test);
    n = fdt_child(root, "flash@20000000");
    fdt_set_u32(n, "bank-width", 4);
    fdt_set_reg(n, FLASH, FLASH_SIZE);
    fdt_add_reg(n, FLASH + FLASH_SIZE, FLASH_SIZE);
    fdt_set_str(n, "compatible", "cfi-flash");
}

static uint64_t hart_id(struct machine *m, unsigned cpu) { return cpu; }

/* ACPI, for firmware that asks for it; the ISA's and the MMU's names are what the tree says. */
static int tables(struct machine *m, struct err *e)
{
    uint32_t len, guests = (uint32_t)atoi(machine_prop(m, "aia-guests")), bits = 0;
    if (!strcmp(machine_prop(m, "acpi"), "off") || riscv_is32(m) || !m->fdt) return 0;
    struct fdt *f = fdt_read(m->fdt, m->fdt_size, NULL);
    struct fdt_node *cpu = f ? fdt_find(f, "/cpus/cpu@0") : NULL;
    const char *isa = cpu ? fdt_get(cpu, "riscv,isa", &len) : NULL, *mmu = cpu ? fdt_get(cpu, "mmu-type", &len) : NULL;
    while (1u << bits < m->ncpus) bits++;
    struct acpi_board b = { .controller = "irqchip", .riscv = true,
        .pcie = { .ecam = 0x30000000, .ecam_size = 256 << 20, .io = 0x3000000, .mmio32 = 0x40000000, .mmio32_size = 1 << 30,
                  .mmio64 = 0x400000000, .mmio64_size = 16ull << 30, .gsi = 32 },
        .rv = { .isa = isa ? isa : "rv64imafdc", .mmu = mmu ? mmu : "", .timebase = TIMEBASE, .hartid = hart_id, .sources = 96 } };
    if (with_plic(m)) b.rv.plic = (struct acpi_window){ 0x0c000000, 0x600000 };
    else b.rv.aplic = (struct acpi_window){ 0x0d000000, 0x8000 };
    if (imsic(m)) {
        b.rv.imsic = (struct acpi_window){ 0x28000000, m->ncpus * 4096 };
        b.rv.imsic_ids = 255;
        while (1u << b.rv.guest_bits < guests + 1) b.rv.guest_bits++;
        b.rv.hart_bits = bits;
    }
    int r = acpi_install(m, &b, e);
    if (!r) r = smbios_install(m, "Lyrebird Virtual Machine", e);
    fdt_free(f);
    return r;
}

static int boot(struct machine *m, struct err *e)
{
    char buf[8];
    struct dev *flash = dev_find(&m->b, "flash0");
    bool content = flash && dev_get(flash, "drive", buf, sizeof buf) && buf[0];
    struct riscv_boot b = { .rom = ROM, .ram = RAM_BASE, .flash = content ? FLASH : 0,
                            .bios64 = "opensbi-riscv64-generic-fw_dynamic.bin", .bios32 = "opensbi-riscv32-generic-fw_dynamic.bin" };
    int r = riscv_boot(m, &b, e);
    return r ? r : tables(m, e);
}

const struct machine_type riscv_virt_machine = {
    .name = "virt", .help = "RISC-V VirtIO board", .guests = "riscv32,riscv64", .is_default = false, .cpu = NULL, .max_cpus = 512,
    .ram_base = RAM_BASE, .ram_size = 128 << 20, .ram_id = "riscv_virt_board.ram", PARTS(parts), MACHINE_PROPS(props), .reset_pc = ROM,
    .dt_model = "riscv-virtio,qemu", .dt_compat = "riscv-virtio", .dt_soc = "soc",
    .prepare = prepare, .adjust = adjust, .fdt = fdt, .boot = boot,
};
