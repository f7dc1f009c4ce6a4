/*
 * arm_virt.c: the board `virt` of AArch64: no real hardware but what every guest has drivers for. The address map and the device tree's
 * shape are those that QEMU documents and shows (-M virt,dumpdtb=), so that firmware and kernels made for it find their way.
 *
 * Boot: Linux's Documentation/arch/arm64/booting.rst; PSCI is the CPUs' own (arm_sys.h), by HVC, or SMC where EL2 is the guest's.
 * Gaps: with secure=on the secure devices are seen by non-secure software, too; no IOMMU; the platform bus and NVDIMM are not there.
 */
#include "machine/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include "cpu/arm_sys.h"
#include "dev/intc/gic.h"
#include "dev/misc/fw_cfg.h"
#include "dev/pci/pci.h"
#include "machine/acpi.h"

#define MiB (1ull << 20)
#define GiB (1ull << 30)

enum { SPIS = 256, SPI_UART0 = 1, SPI_RTC = 2, SPI_PCIE = 3, SPI_GPIO = 7, SPI_SECURE_UART = 8, SPI_VIRTIO = 16, SPI_V2M = 48 };
enum { AT_FLASH = 0, AT_FLASH1 = 0x4000000, FLASH_SIZE = 0x4000000, AT_GICD = 0x8000000, AT_GICC = 0x8010000, AT_V2M = 0x8020000, AT_GICH = 0x8030000,
       AT_GICV = 0x8040000, AT_ITS = 0x8080000, AT_GICR = 0x80a0000, AT_UART0 = 0x9000000, AT_RTC = 0x9010000, AT_FW_CFG = 0x9020000,
       AT_GPIO = 0x9030000, AT_SECURE_UART = 0x9040000, AT_VIRTIO = 0xa000000, AT_SECURE_RAM = 0xe000000, SECURE_RAM_SIZE = 0x1000000,
       AT_RAM = 0x40000000 };
#define AT_PCIE_MMIO     0x10000000ull
#define AT_PCIE_PIO      0x3eff0000ull
#define AT_ECAM          0x3f000000ull
#define AT_REDIST2       (256 * GiB)
#define AT_HIGH_ECAM     (256 * GiB + 256 * MiB)
#define AT_HIGH_MMIO     (512 * GiB)
enum { REDISTS = 123, REDISTS2 = 512, GPIO_POWER = 3, CLUSTER_V2 = 8, CLUSTER_V3 = 16 };

/* --- options ------------------------------------------------------------------------------------------------------------------------ */

static bool gic3(const struct machine *m) { return strcmp(machine_prop(m, "gic-version"), "2"); }
static bool gic2(const struct machine *m) { return !gic3(m); }
static bool with_its(const struct machine *m) { return gic3(m) && machine_flag(m, "its"); }
static bool secure(const struct machine *m) { return machine_flag(m, "secure"); }
static bool high_ecam(const struct machine *m) { return machine_flag(m, "highmem") && machine_flag(m, "highmem-ecam"); }
static bool low_ecam(const struct machine *m) { return !high_ecam(m); }
static bool high_mmio(const struct machine *m) { return machine_flag(m, "highmem") && machine_flag(m, "highmem-mmio"); }
/* Is there firmware, so that the CPUs begin at the reset vector? */
static bool has_firmware(const struct machine *m)
{
    const struct dev *flash = dev_find((struct board *)&m->b, "flash0");
    char drive[8];
    return m->cfg.bios || (flash && dev_get((struct dev *)flash, "drive", drive, sizeof drive) && drive[0]);
}

/* The CPUs' own PSCI, unless firmware in EL3 has to bring one. */
static bool has_psci(const struct machine *m) { return !secure(m) || (m->cfg.kernel && !has_firmware(m)); }

static void derive(struct machine *m, const char *key, const char *fmt, unsigned long long v)
{
    char text[32];
    snprintf(text, sizeof text, fmt, v);
    opts_add(&m->props, key, text);
}

static int virt_prepare(struct machine *m, struct err *e)
{
    const char *gic = machine_prop(m, "gic-version");
    if (!strcmp(gic, "max")) opts_add(&m->props, "gic-version", "3");
    else if (!strcmp(gic, "host")) return err_set(e, ENOTSUP, "gic-version=host requires KVM");
    unsigned most = gic2(m) ? CLUSTER_V2 : machine_flag(m, "highmem-redists") && machine_flag(m, "highmem") ? 512 : REDISTS;
    if (m->ncpus > most)
        return err_set(e, EINVAL, "Number of SMP CPUs requested (%u) exceeds max CPUs supported by machine 'mach-virt' (%u)", m->ncpus, most);
    if (!machine_flag(m, "highmem") && m->cfg.ram > 3 * GiB)
        return err_set(e, EINVAL, "highmem=off: memory ends at 4 GiB, so that there is room for 3 GiB of it");
    if (machine_flag(m, "mte")) return err_set(e, ENOTSUP, "mte=on: memory tagging is not there");
    derive(m, "ncpus", "%llu", m->ncpus);
    derive(m, "redists2", "%llu", m->ncpus > REDISTS ? REDISTS2 : 0);
    opts_add(&m->props, "gic-ns", secure(m) && m->cfg.kernel && !m->cfg.bios ? "on" : "off");
    derive(m, "mmio64-size", "0x%llx", high_mmio(m) ? 512 * GiB : 0);
    char *cpu = xalloc(strlen(m->cfg.cpu) + 40);
    sprintf(cpu, "%s,has-el2=%s,has-el3=%s", m->cfg.cpu, machine_flag(m, "virtualization") ? "on" : "off", secure(m) ? "on" : "off");
    opts_add(&m->props, "cpu-spec", cpu);
    free(cpu);
    m->cfg.cpu = machine_prop(m, "cpu-spec");
    return 0;
}

/* --- lines between CPUs and the GIC ---------------------------------------------------------------------------------------------------- */

struct cpu_wires {
    CPU *cpu;
    struct dev *gic;
};

static void gic_to_cpu(void *ctx, enum gic_line line, bool level)
{
    static const uint8_t of[GIC_LINES] = { [GIC_IRQ] = ARM_LINE_IRQ, [GIC_FIQ] = ARM_LINE_FIQ, [GIC_VIRQ] = ARM_LINE_VIRQ, [GIC_VFIQ] = ARM_LINE_VFIQ };
    CPU *cpu = ctx;
    cpu->v->sys->set_line(cpu, of[line], level);
}

static void ppi_to_gic(void *ctx, unsigned ppi, bool level)
{
    struct cpu_wires *w = ctx;
    w->gic->cls->input(w->gic, gic_ppi_input(SPIS, w->cpu->v->index, ppi), level);
}

static void world_to_gic(void *ctx, bool secure_state, bool el3)
{
    struct cpu_wires *w = ctx;
    gicv3_state_changed(w->gic, w->cpu->v->index, secure_state, el3);
}

static void power_button(void *ctx)
{
    struct dev *gpio = dev_find(ctx, "gpio");
    gpio->cls->input(gpio, GPIO_POWER, true);
    gpio->cls->input(gpio, GPIO_POWER, false);
}

static int virt_adjust(struct machine *m, struct err *e)
{
    struct dev *gic = dev_find(&m->b, "gic"), *pcie = dev_find(&m->b, "pcie"), *msi = dev_find(&m->b, gic3(m) ? "its" : "v2m");
    unsigned cluster = gic3(m) ? CLUSTER_V3 : CLUSTER_V2;
    enum arm_conduit psci = !has_psci(m) ? ARM_PSCI_NONE : machine_flag(m, "virtualization") ? ARM_PSCI_SMC : ARM_PSCI_HVC;
    for (unsigned i = 0; i < m->ncpus; i++) {
        CPU *cpu = machine_cpu(m, i);
        uint32_t aff = (i / cluster) << 8 | i % cluster;
        struct cpu_wires *w = dev_alloc(gic, sizeof *w);
        *w = (struct cpu_wires){ cpu, gic };
        arm_sys_mpidr(cpu, aff);
        arm_sys_psci(cpu, psci);
        arm_sys_semihosting(cpu, m->cfg.semihosting);
        arm_sys_outputs(cpu, ppi_to_gic, w);
        if (gic3(m)) {
            gicv3_attach(gic, i, aff, gic_to_cpu, cpu);
            cpu->v->intc = gicv3_intc(gic, i);
            if (secure(m)) arm_sys_on_world(cpu, world_to_gic, w);
        } else {
            gicv2_attach(gic, i, gic_to_cpu, cpu);
        }
    }
    if (pcie && msi) pci_host_set_msi(pcie, gic3(m) ? gic_its_msi : gicv2m_msi, msi);
    m->powerdown = power_button;
    m->powerdown_ctx = &m->b;
    if (secure(m)) {
        struct ram *r = ram_new(m->b.mem, "mach-virt.secure-ram", SECURE_RAM_SIZE, false, e);
        if (!r) return -ENOMEM;
        space_map_ram(m->b.space, AT_SECURE_RAM, r, 0, SECURE_RAM_SIZE, 0);
    }
    return 0;
}

/* --- the device tree ---------------------------------------------------------------------------------------------------------------------- */

enum { GIC_SPI = 0, GIC_PPI = 1, EDGE = 1, LEVEL = 4 };

static void fdt_cpus(struct machine *m, struct fdt_node *root)
{
    struct fdt_node *cpus = fdt_child(root, "cpus"), *socket = NULL;
    char compat[64];
    size_t n = strcspn(m->cfg.cpu, ",");
    fdt_set_u32(cpus, "#address-cells", 1);
    fdt_set_u32(cpus, "#size-cells", 0);
    if (!strncmp(m->cfg.cpu, "cortex-", 7) || !strncmp(m->cfg.cpu, "neoverse-", 9)) snprintf(compat, sizeof compat, "arm,%.*s", (int)n, m->cfg.cpu);
    else snprintf(compat, sizeof compat, "arm,armv8");
    socket = fdt_child(fdt_child(cpus, "cpu-map"), "socket0");
    for (unsigned i = 0; i < m->ncpus; i++) {
        struct fdt_node *c = fdt_child(cpus, "cpu@%x", i);
        fdt_set_str(c, "device_type", "cpu");
        fdt_set_str(c, "compatible", compat);
        fdt_set_u32(c, "reg", (uint32_t)arm_sys_affinity(machine_cpu(m, i)) & 0xffffff);
        if (m->ncpus > 1 && has_psci(m)) fdt_set_str(c, "enable-method", "psci");
        fdt_set_u32(fdt_child(fdt_child(socket, "cluster0"), "core%u", i), "cpu", fdt_phandle(c));
    }
}

static void fdt_gic(struct machine *m, struct fdt_node *gic)
{
    if (machine_flag(m, "virtualization")) FDT_CELLS(gic, "interrupts", GIC_PPI, GIC_PPI_MAINTENANCE - 16, LEVEL);
    struct fdt_node *msi = gic2(m) ? fdt_child(gic, "v2m@%x", AT_V2M) : with_its(m) ? fdt_child(gic, "its@%x", AT_ITS) : NULL;
    struct fdt_node *pcie = machine_node(m, "pcie");
    if (!msi) return;
    fdt_set_str(msi, "compatible", gic2(m) ? "arm,gic-v2m-frame" : "arm,gic-v3-its");
    fdt_set_empty(msi, "msi-controller");
    if (gic3(m)) fdt_set_u32(msi, "#msi-cells", 1);
    fdt_set_reg(msi, gic2(m) ? AT_V2M : AT_ITS, gic2(m) ? 0x1000 : 0x20000);
    if (pcie) FDT_CELLS(pcie, "msi-map", 0, fdt_phandle(msi), 0, 0x10000);
}

static void clocked(struct machine *m, const char *part, const char *names, unsigned count, uint32_t clk)
{
    struct fdt_node *n = machine_node(m, part);
    if (!n) return;
    fdt_set_cells(n, "clocks", (const uint32_t[]){ clk, clk }, count);
    fdt_set_strs(n, "clock-names", names);
}

static void fdt_psci(struct machine *m, struct fdt_node *root)
{
    if (!has_psci(m)) return;
    struct fdt_node *n = fdt_child(root, "psci");
    fdt_set_strs(n, "compatible", "arm,psci-1.0;arm,psci-0.2;arm,psci");
    fdt_set_str(n, "method", machine_flag(m, "virtualization") ? "smc" : "hvc");
    fdt_set_u32(n, "cpu_suspend", 0xc4000001);
    fdt_set_u32(n, "cpu_off", 0x84000002);
    fdt_set_u32(n, "cpu_on", 0xc4000003);
    fdt_set_u32(n, "migrate", 0xc4000005);
}

static void fdt_gpio(struct machine *m, struct fdt_node *root)
{
    struct fdt_node *gpio = machine_node(m, "gpio"), *keys = fdt_child(root, "gpio-keys"), *key = fdt_child(keys, "poweroff");
    fdt_set_empty(gpio, "gpio-controller");
    fdt_set_u32(gpio, "#gpio-cells", 2);
    fdt_set_str(keys, "compatible", "gpio-keys");
    fdt_set_str(key, "label", "GPIO Key Poweroff");
    fdt_set_u32(key, "linux,code", 116); /* KEY_POWER */
    FDT_CELLS(key, "gpios", fdt_phandle(gpio), GPIO_POWER, 0);
}

static void virt_fdt(struct machine *m, struct fdt *f)
{
    struct fdt_node *root = fdt_root(f), *gic = machine_node(m, "gic"), *clk = fdt_child(root, "apb-pclk"), *timer = fdt_child(root, "timer");
    uint32_t ppi = gic2(m) ? ((1u << m->ncpus) - 1) << 8 | LEVEL : LEVEL;
    fdt_set_u32(root, "interrupt-parent", fdt_phandle(gic));
    fdt_set_str(clk, "compatible", "fixed-clock");
    fdt_set_u32(clk, "#clock-cells", 0);
    fdt_set_u32(clk, "clock-frequency", 24000000);
    fdt_set_str(clk, "clock-output-names", "clk24mhz");
    fdt_gic(m, gic);
    fdt_set_strs(timer, "compatible", "arm,armv8-timer;arm,armv7-timer");
    fdt_set_empty(timer, "always-on");
    FDT_CELLS(timer, "interrupts", GIC_PPI, ARM_PPI_SEC - 16, ppi, GIC_PPI, ARM_PPI_PHYS - 16, ppi, GIC_PPI, ARM_PPI_VIRT - 16, ppi, GIC_PPI,
              ARM_PPI_HYP - 16, ppi);
    fdt_cpus(m, root);
    struct fdt_node *pmu = fdt_child(root, "pmu");
    fdt_set_str(pmu, "compatible", "arm,armv8-pmuv3");
    FDT_CELLS(pmu, "interrupts", GIC_PPI, ARM_PPI_PMU - 16, ppi);
    fdt_psci(m, root);
    fdt_gpio(m, root);
    clocked(m, "uart0", "uartclk;apb_pclk", 2, fdt_phandle(clk));
    clocked(m, "uart1", "uartclk;apb_pclk", 2, fdt_phandle(clk));
    clocked(m, "rtc", "apb_pclk", 1, fdt_phandle(clk));
    clocked(m, "gpio", "apb_pclk", 1, fdt_phandle(clk));
    struct fdt_node *flash = dev_find(&m->b, "flash0") ? fdt_child(root, "flash@0") : NULL;
    if (flash) {
        fdt_set_str(flash, "compatible", "cfi-flash");
        fdt_set_reg(flash, AT_FLASH, FLASH_SIZE);
        fdt_add_reg(flash, AT_FLASH1, FLASH_SIZE);
        fdt_set_u32(flash, "bank-width", 4);
    }
    if (machine_flag(m, "dtb-randomness")) {
        uint64_t seed = machine_sys_host()->random(m);
        fdt_set(fdt_child(root, "chosen"), "kaslr-seed", &seed, sizeof seed);
    }
    if (secure(m) && machine_node(m, "uart1")) {
        fdt_set_str(machine_node(m, "uart1"), "status", "disabled");
        fdt_set_str(machine_node(m, "uart1"), "secure-status", "okay");
    }
}

/* --- boot ------------------------------------------------------------------------------------------------------------------------------------ */

/*
 * EL3's part where there is no firmware but a kernel: what booting.rst wants of it, then to the entry in x4 at EL2 or EL1 (SPSR in x5).
 * Words: the registers x4, x5, x0 are loaded from behind the code.
 */
static int secure_stub(struct machine *m, uint64_t at, uint64_t entry, uint64_t dtb, struct err *e)
{
    static const uint32_t code[] = {
        0x580001c4, /* ldr x4, entry   */
        0x580001e5, /* ldr x5, spsr    */
        0x58000200, /* ldr x0, dtb     */
        0xd2800001, 0xd2800002, 0xd2800003, /* mov x1-x3, #0 */
        0xd280a626, /* mov x6, #0x531: SCR_EL3 = NS, RES1, HCE, RW */
        0xf2a00066, /* movk x6, #3, lsl #16: API, APK: pointer authentication is the kernel's affair */
        0xd51e1106, /* msr scr_el3, x6 */
        0xd51e115f, /* msr cptr_el3, xzr */
        0xd51e4005, /* msr spsr_el3, x5 */
        0xd51e4024, /* msr elr_el3, x4 */
        0xd5033fdf, /* isb */
        0xd69f03e0, /* eret */
    };
    uint32_t buf[20] = { 0 };
    memcpy(buf, code, sizeof code);
    uint64_t spsr = 0x3c0 | (machine_flag(m, "virtualization") ? 9 : 5), data[3] = { entry, spsr, dtb };
    memcpy(buf + 14, data, sizeof data);
    return machine_rom(m, "boot stub", at, buf, sizeof buf, e);
}

static int load_initrd(struct machine *m, uint64_t kernel_end, struct err *e)
{
    struct image img;
    uint64_t at = MAX(AT_RAM + MIN(m->cfg.ram / 2, 128 * MiB), ALIGN_UP(kernel_end, 2 * MiB)), end = AT_RAM + m->cfg.ram;
    if (!m->cfg.initrd) return 0;
    int r = image_load(m, m->cfg.initrd, IMAGE_RAW, at, end > at ? end - at : 0, &img, e);
    if (r) return r;
    m->initrd_start = at;
    m->initrd_end = at + img.size;
    return 0;
}

/* A kernel without firmware: Linux by its protocol; an ELF file begins as the CPU is after reset, with the tree at the start of memory. */
static int boot_kernel(struct machine *m, struct err *e)
{
    struct image img;
    uint64_t entry, dtb = AT_RAM;
    int r = image_load(m, m->cfg.kernel, IMAGE_ANY & ~IMAGE_RAW, AT_RAM, m->cfg.ram, &img, e);
    if (r == -EINVAL) r = image_load(m, m->cfg.kernel, IMAGE_ANY, AT_RAM + 0x80000, m->cfg.ram, &img, e);
    if (r || (r = load_initrd(m, img.addr + img.size, e)) || (r = machine_tree(m, e))) return r;
    entry = img.entry;
    bool linux_image = !img.elf_machine;
    if (linux_image) dtb = ALIGN_UP(m->initrd_end ? m->initrd_end : MAX(img.addr + img.size, AT_RAM + MIN(m->cfg.ram / 2, 128 * MiB)), 2 * MiB);
    if (linux_image || img.addr >= dtb + m->fdt_size || img.addr + img.size <= dtb) {
        if ((r = machine_rom(m, "dtb", dtb, m->fdt, m->fdt_size, e))) return r;
    }
    if (linux_image && secure(m)) {
        uint64_t stub = dtb + ALIGN_UP((uint64_t)m->fdt_size, 4096);
        if ((r = secure_stub(m, stub, entry, dtb, e))) return r;
        entry = stub;
    }
    for (unsigned i = 0; i < m->ncpus; i++) {
        machine_cpu_begin(m, i, entry, dtb, !i);
        /* a program that begins in EL3 answers its SMCs itself */
        if (!linux_image && secure(m) && machine_flag(m, "virtualization")) arm_sys_psci(machine_cpu(m, i), ARM_PSCI_NONE);
    }
    return 0;
}

static uint64_t mpidr(struct machine *m, unsigned cpu)
{
    return arm_sys_affinity(machine_cpu(m, cpu));
}

static int virt_acpi(struct machine *m, struct err *e)
{
    bool v3 = gic3(m), el2 = machine_flag(m, "virtualization");
    struct acpi_board b = {
        .gsi_base = 32, .controller = "gic", .power_gpio = "gpio", .power_pin = GPIO_POWER,
        .pcie = { .ecam = high_ecam(m) ? AT_HIGH_ECAM : AT_ECAM, .ecam_size = high_ecam(m) ? 256 * MiB : 16 * MiB, .io = AT_PCIE_PIO,
                  .mmio32 = AT_PCIE_MMIO, .mmio32_size = AT_PCIE_PIO - AT_PCIE_MMIO, .mmio64 = AT_HIGH_MMIO,
                  .mmio64_size = high_mmio(m) ? 512 * GiB : 0, .gsi = 32 + SPI_PCIE },
        .arm = { .gic = v3 ? 3 : 2, .gicc = v3 ? 0 : AT_GICC, .gich = !v3 && el2 ? AT_GICH : 0, .gicv = !v3 && el2 ? AT_GICV : 0,
                 .its = with_its(m) ? AT_ITS : 0, .gicr = { { AT_GICR, (uint64_t)REDISTS << 17 }, { AT_REDIST2, 0 } },
                 .v2m = v3 ? 0 : AT_V2M, .v2m_base = 32 + SPI_V2M, .v2m_count = 64, .maintenance = el2 ? GIC_PPI_MAINTENANCE : 0,
                 .psci = has_psci(m), .hvc = !el2, .pmu = ARM_PPI_PMU, .timer_sec = ARM_PPI_SEC, .timer_phys = ARM_PPI_PHYS,
                 .timer_virt = ARM_PPI_VIRT, .timer_hyp = ARM_PPI_HYP, .mpidr = mpidr },
    };
    if (m->ncpus > REDISTS) b.arm.gicr[1].size = (uint64_t)REDISTS2 << 17;
    if (!dev_find(&m->b, "pcie")) b.pcie.ecam_size = 0;
    return acpi_install(m, &b, e);
}

static int tell_file(struct dev *fw, const char *path, unsigned size_key, unsigned data_key, struct err *e)
{
    uint8_t *data;
    uint64_t len;
    if (!path) return 0;
    int r = image_read(path, GiB, &data, &len, e);
    if (r) return r;
    r = fw_cfg_set_num(fw, size_key, len, 4, e);
    if (!r) r = fw_cfg_set(fw, data_key, data, (uint32_t)len, e);
    free(data);
    return r;
}

/* What firmware asks for; kernel and initrd are its to load, if there is firmware. */
static int virt_fw_cfg(struct machine *m, bool firmware, struct err *e)
{
    struct dev *fw = dev_find(&m->b, "fw_cfg");
    if (!fw) return 0;
    int r = fw_cfg_set_num(fw, FW_CFG_NB_CPUS, m->ncpus, 2, e);
    if (!r) r = fw_cfg_set_num(fw, FW_CFG_MAX_CPUS, m->ncpus, 2, e);
    if (!r) r = fw_cfg_set_num(fw, FW_CFG_RAM_SIZE, m->cfg.ram, 8, e);
    if (!r) r = fw_cfg_set_num(fw, FW_CFG_NOGRAPHIC, m->cfg.nographic, 2, e);
    if (r || !firmware) return r;
    if ((r = tell_file(fw, m->cfg.kernel, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA, e))) return r;
    if ((r = tell_file(fw, m->cfg.initrd, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA, e))) return r;
    if (m->cfg.append) {
        uint32_t len = (uint32_t)strlen(m->cfg.append) + 1;
        if ((r = fw_cfg_set_num(fw, FW_CFG_CMDLINE_SIZE, len, 4, e)) || (r = fw_cfg_set(fw, FW_CFG_CMDLINE_DATA, m->cfg.append, len, e))) return r;
    }
    if (strcmp(machine_prop(m, "acpi"), "off") && (r = virt_acpi(m, e))) return r;
    return smbios_install(m, "Lyrebird Virtual Machine", e);
}

static int virt_boot(struct machine *m, struct err *e)
{
    bool firmware = has_firmware(m);
    int r = virt_fw_cfg(m, firmware, e);
    if (r) return r;
    if (!firmware && m->cfg.kernel) return boot_kernel(m, e);
    if (m->cfg.bios) {
        struct image img;
        char *path = machine_find_file(m->cfg.bios, e);
        if (!path) return -ENOENT;
        r = image_load(m, path, IMAGE_RAW, AT_FLASH, FLASH_SIZE, &img, e);
        free(path);
        if (r) return r;
    }
    if ((r = machine_tree(m, e)) || (r = machine_rom(m, "dtb", AT_RAM, m->fdt, m->fdt_size, e))) return r;
    for (unsigned i = 0; i < m->ncpus; i++) machine_cpu_begin(m, i, AT_FLASH, 0, !i || !has_psci(m));
    return 0;
}

/* --- the board ---------------------------------------------------------------------------------------------------------------------------------- */

#define PCIE_LINES { { "gic", SPI_PCIE }, { "gic", SPI_PCIE + 1 }, { "gic", SPI_PCIE + 2 }, { "gic", SPI_PCIE + 3 } }
#define PCIE_PROPS "pio-base=0x3eff0000,pio-size=0x10000,mmio32-base=0x10000000,mmio32-size=0x2eff0000,mmio64-base=0x8000000000,mmio64-size=@mmio64-size,"

static const struct part parts[] = {
    { "ram", PART_RAM, .at = AT_RAM },
    { "gic", "arm_gic", .at = AT_GICD, .node = "intc", .when = gic2,
      .props = "num-irq=288,num-cpu=@ncpus,has-security-extensions=@secure,has-virtualization-extensions=@virtualization,reset-nonsecure=@gic-ns,"
               "cpu-addr=0x8010000,hyp-addr=0x8030000,vcpu-addr=0x8040000" },
    { "gic", "arm-gicv3", .at = AT_GICD, .node = "intc", .when = gic3,
      .props = "num-irq=288,num-cpu=@ncpus,has-security-extensions=@secure,has-lpi=@its,reset-nonsecure=@gic-ns,redist-addr=0x80a0000,"
               "redist-count=123,redist-addr2=0x4000000000,redist-count2=@redists2" },
    { "v2m", "arm-gicv2m", .at = AT_V2M, .when = gic2, .props = "base-spi=80,num-spi=64,gic=gic" },
    { "its", "arm-gicv3-its", .at = AT_ITS, .when = with_its, .props = "parent-gicv3=gic" },
    { "flash0", "cfi.pflash01", .at = AT_FLASH, .node = "flash", .props = "width=4,num-blocks=256,sector-length=262144,name=virt.flash0,drive=?pflash0" },
    { "flash1", "cfi.pflash01", .at = AT_FLASH1, .node = "flash", .props = "width=4,num-blocks=256,sector-length=262144,name=virt.flash1,drive=?pflash1" },
    { "uart0", "pl011", .at = AT_UART0, .irq = { { "gic", SPI_UART0 } }, .node = "pl011", .props = "chardev=?serial0" },
    { "uart1", "pl011", .at = AT_SECURE_UART, .irq = { { "gic", SPI_SECURE_UART } }, .node = "pl011", .props = "chardev=?serial1", .when = secure },
    { "rtc", "pl031", .at = AT_RTC, .irq = { { "gic", SPI_RTC } }, .node = "pl031" },
    { "fw_cfg", "fw_cfg_mem", .at = AT_FW_CFG, .node = "fw-cfg" },
    { "gpio", "pl061", .at = AT_GPIO, .irq = { { "gic", SPI_GPIO } }, .node = "pl061" },
    { "pcie", "gpex-pcihost", .at = AT_HIGH_ECAM, .when = high_ecam, .irq = PCIE_LINES, .props = PCIE_PROPS "ecam-size=256M" },
    { "pcie", "gpex-pcihost", .at = AT_ECAM, .when = low_ecam, .irq = PCIE_LINES, .props = PCIE_PROPS "ecam-size=16M" },
    { "virtio", "virtio-mmio", .at = AT_VIRTIO, .irq = { { "gic", SPI_VIRTIO } }, .count = 32, .step = 0x200, .node = "virtio_mmio" },
};

static const char *const gic_words[] = { "2", "3", "max", "host", NULL };
static const char *const iommu_words[] = { "none", NULL };
static const char *const auto_words[] = { "on", "off", "auto", NULL };
static const struct machine_prop props[] = {
    { "acpi", "Enable ACPI", "auto", auto_words },
    { "dtb-kaslr-seed", "Deprecated synonym of dtb-randomness", "on", machine_onoff },
    { "dtb-randomness", "Set off to disable passing random or non-deterministic dtb nodes to guest", "on", machine_onoff },
    { "gic-version", "Set GIC version. Valid values are 2, 3, host and max", "2", gic_words },
    { "highmem", "Set on/off to enable/disable using physical address space above 32 bits", "on", machine_onoff },
    { "highmem-ecam", "Set on/off to enable/disable high memory region for PCI ECAM", "on", machine_onoff },
    { "highmem-mmio", "Set on/off to enable/disable high memory region for PCI MMIO", "on", machine_onoff },
    { "highmem-redists", "Set on/off to enable/disable high memory region for GICv3 or GICv4 redistributor", "on", machine_onoff },
    { "iommu", "Set the IOMMU type. Valid values are none", "none", iommu_words },
    { "its", "Set on/off to enable/disable ITS instantiation", "on", machine_onoff },
    { "mte", "Set on/off to enable/disable emulating a guest CPU which implements the ARM Memory Tagging Extension", "off", machine_onoff },
    { "ras", "Set on/off to enable/disable reporting host memory errors to a KVM guest using ACPI and guest external abort exceptions", "off",
      machine_onoff },
    { "secure", "Set on/off to enable/disable the ARM Security Extensions (TrustZone)", "off", machine_onoff },
    { "virtualization", "Set on/off to enable/disable emulating a guest CPU which implements the ARM Virtualization Extensions", "off", machine_onoff },
    { "x-oem-id", "Override the default value of field OEMID in ACPI table header", "LYRE", NULL },
    { "x-oem-table-id", "Override the default value of field OEM Table ID in ACPI table header", "LYREVIRT", NULL },
};

const struct machine_type arm_virt_machine_type = {
    .name = "virt", .alias = "virt-7.2", .help = "Arm Virtual Machine", .guests = "aarch64", .is_default = true, .cpu = "cortex-a57",
    .max_cpus = 512, .ram_base = AT_RAM, .ram_size = 128 * MiB, .ram_max = 255 * GiB, .ram_id = "mach-virt.ram", PARTS(parts), MACHINE_PROPS(props),
    .dt_model = "linux,dummy-virt", .dt_compat = "linux,dummy-virt", .adjust = virt_adjust, .prepare = virt_prepare, .fdt = virt_fdt, .boot = virt_boot,
};
