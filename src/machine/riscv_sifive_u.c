/*
 * riscv_sifive_u.c: the board "sifive_u": SiFive's HiFive Unleashed (FU540-C000 manual v1p4): an E51 monitor core, one to four U54. Addresses,
 * interrupts and device tree as QEMU's documentation (system/riscv/sifive_u) and its tree show them.
 * The ROM does what the chip's first loader does, shorter: it jumps to the firmware, which was loaded to memory, or to the L2 cache's memory when the
 * mode select pins say that it came from flash (6) or SD card (11).
 * Known gaps: I2C, the second SPI controller, error devices; the cores' local memories but the L2's and E51's.
 */
#include "io/net/net.h"
#include "machine/riscv.h"

#include <stdio.h>
#include <stdlib.h>

enum { TIMEBASE = 1000000, HFCLK = 33333333, ROM = 0x1000, ENTRY = 0x1008, L2LIM = 0x08000000, L2LIM_SIZE = 32 << 20, FLASH = 0x20000000, PLIC_SOURCES = 53 };
enum { CLK_GEMGXLPLL = 2, CLK_TLCLK = 3 }; /* of the PRCI */
#define RAM_BASE 0x80000000ull

static bool with_nic(const struct machine *m) { return machine_prop(m, "nic")[0]; }
static bool without_nic(const struct machine *m) { return !with_nic(m); }

static const struct part parts[] = {
    { "rom", "rom", ROM, .props = "size=0xf000" },
    { "e51_dtim", "rom", 0x01000000, .size = 0, .props = "size=0x2000,writable=on" },
    { "l2lim", "rom", L2LIM, .props = "size=32M,writable=on,name=riscv.sifive.u.l2lim.mem" },
    { "plic", "riscv.plic", 0x0c000000, .node = "interrupt-controller", .props = "num-sources=53,num-contexts=@contexts" },
    { "swi", "riscv.aclint.swi", 0x02000000, .props = "num-harts=@harts" },
    { "mtimer", "riscv.aclint.mtimer", 0x02004000, .props = "num-harts=@harts,timebase-freq=1000000" },
    { "ccache", "riscv.sifive.u.ccache", 0x02010000, .node = "cache-controller", .irq = { { "plic", 1 }, { "plic", 2 }, { "plic", 3 } } },
    { "pdma", "sifive.pdma", 0x03000000, .node = "dma",
      .irq = { { "plic", 23 }, { "plic", 24 }, { "plic", 25 }, { "plic", 26 }, { "plic", 27 }, { "plic", 28 }, { "plic", 29 }, { "plic", 30 } } },
    { "prci", "riscv.sifive.u.prci", 0x10000000, .node = "clock-controller" },
    { "uart0", "riscv.sifive.uart", 0x10010000, .node = "serial", .irq = { { "plic", 4 } }, .props = "chardev=?serial0" },
    { "uart1", "riscv.sifive.uart", 0x10011000, .node = "serial", .irq = { { "plic", 5 } }, .props = "chardev=?serial1" },
    { "pwm0", "sifive-pwm", 0x10020000, .irq = { { "plic", 42 }, { "plic", 43 }, { "plic", 44 }, { "plic", 45 } } },
    { "pwm1", "sifive-pwm", 0x10021000, .irq = { { "plic", 46 }, { "plic", 47 }, { "plic", 48 }, { "plic", 49 } } },
    { "spi0", "sifive.spi", 0x10040000, .irq = { { "plic", 51 } } },
    { "flash", "is25wp256", .at = 0, .bus = "SSI", .props = "drive=?mtd0" },
    { "spi2", "sifive.spi", 0x10050000, .irq = { { "plic", 6 } } },
    { "sd", "ssi-sd", .at = 0, .bus = "SSI" },
    { "gpio", "sifive_soc.gpio", 0x10060000, .size = 0 },
    { "otp", "riscv.sifive.u.otp", 0x10070000, .props = "serial=@serial" },
    { "gem", "cadence_gem", 0x10090000, .size = 0, .node = "ethernet", .irq = { { "plic", 53 } }, .props = "netdev=@nic,mac=@nic-mac", .when = with_nic },
    { "gem", "cadence_gem", 0x10090000, .size = 0, .node = "ethernet", .irq = { { "plic", 53 } }, .when = without_nic },
    { "gemgxl", "riscv.sifive.u.gemgxl", 0x100a0000, .size = 0 },
    { "dmc", "riscv.sifive.u.dmc", 0x100b0000, .size = 0 },
    { "ram", PART_RAM, .at = RAM_BASE },
};

static const char *const msel_words[] = { "0", "6", "11", NULL };
static const struct machine_prop props[] = {
    { "start-in-flash", "Set on to tell the ROM to jump to flash; otherwise it jumps to DRAM or L2LIM depending on the msel value", "off", machine_onoff },
    { "msel", "Mode Select (MSEL[3:0]) pins: 6 = loaded from flash, 11 = from SD card; then firmware is in L2LIM", "0", msel_words },
    { "serial", "Board serial number", "1", NULL },
};

static unsigned msel(const struct machine *m) { return (unsigned)atoi(machine_prop(m, "msel")); }

static const char *cpu_model(const struct machine *m, unsigned i)
{
    /* these cores have no register `time`: firmware makes it up from the CLINT's */
    if (riscv_is32(m)) return i ? "sifive-u34,zicntr=off" : "sifive-e31,zicntr=off";
    return i ? "sifive-u54,zicntr=off" : "sifive-e51,zicntr=off";
}

/* The Ethernet MAC is what the first -nic without another model asks for, or the user network. */
static int find_nic(struct machine *m, struct err *e)
{
    struct net_nic *n;
    char mac[20];
    if (!m->nets) return 0;
    int r = net_options_given(m->nets) || net_next(m->nets, NULL) || m->cfg.nodefaults ? 0 : net_nic_option(m->nets, "user", e);
    for (unsigned i = 0; !r && (n = net_nic_request(m->nets, i)); i++) {
        if (n->taken || !n->netdev || (n->model && strcmp(n->model, "cadence_gem"))) continue;
        n->taken = true;
        snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", n->mac[0], n->mac[1], n->mac[2], n->mac[3], n->mac[4], n->mac[5]);
        opts_add(&m->props, "nic", n->netdev);
        opts_add(&m->props, "nic-mac", mac);
        break;
    }
    return r;
}

static int prepare(struct machine *m, struct err *e)
{
    char n[16];
    if (m->ncpus < 2) return err_set(e, EINVAL, "Invalid SMP CPUs %u. The min CPUs supported by machine 'sifive_u' is 2", m->ncpus);
    snprintf(n, sizeof n, "%u", m->ncpus);
    opts_add(&m->props, "harts", n);
    snprintf(n, sizeof n, "%u", 2 * m->ncpus - 1);
    opts_add(&m->props, "contexts", n);
    return find_nic(m, e);
}

/* GPIO 10 resets the board when it falls. */
static void reset_pin(void *ctx, unsigned n, bool level)
{
    struct machine *m = ctx;
    if (!level) machine_request(m, BOARD_RESET, 0);
}

static int adjust(struct machine *m, struct err *e)
{
    struct dev *swi = dev_find(&m->b, "swi"), *timer = dev_find(&m->b, "mtimer"), *plic = dev_find(&m->b, "plic"), *gpio = dev_find(&m->b, "gpio");
    int r = 0;
    for (unsigned i = 0; i < m->ncpus && !r; i++) {
        if ((r = machine_wire_cpu(m, swi, i, i, "msip", e)) || (r = machine_wire_cpu(m, timer, i, i, "mtip", e))) break;
        if ((r = machine_wire_cpu(m, plic, i ? 2 * i - 1 : 0, i, "meip", e)) || !i) continue; /* hart 0 has the context of M mode only */
        r = machine_wire_cpu(m, plic, 2 * i, i, "seip", e);
    }
    for (unsigned i = 0; i < 16 && !r; i++) r = dev_connect(gpio, i, plic, 7 + i, e);
    dev_connect_fn(gpio, 16 + 10, reset_pin, m, 10);
    return r ? r : dev_map(dev_find(&m->b, "flash"), FLASH, e);
}

/* --- the device tree ------------------------------------------------------------------------------------------------------- */

static uint32_t fixed_clock(struct fdt_node *root, const char *name, uint32_t hz)
{
    struct fdt_node *n = fdt_child(root, "%s", name);
    fdt_set_u32(n, "#clock-cells", 0);
    fdt_set_str(n, "compatible", "fixed-clock");
    fdt_set_u32(n, "clock-frequency", hz);
    fdt_set_str(n, "clock-output-names", name);
    return fdt_phandle(n);
}

static void fdt_ethernet(struct machine *m, uint32_t prci)
{
    struct fdt_node *n = machine_node(m, "gem"), *phy = fdt_child(n, "ethernet-phy@0");
    fdt_set_str(n, "compatible", "sifive,fu540-c000-gem");
    fdt_add_reg(n, 0x100a0000, 0x1000);
    fdt_set_str(n, "reg-names", "control");
    fdt_set_str(n, "phy-mode", "gmii");
    fdt_set_u32(n, "phy-handle", fdt_phandle(phy));
    fdt_set_strs(n, "clock-names", "pclk;hclk");
    FDT_CELLS(n, "clocks", prci, CLK_GEMGXLPLL, prci, CLK_GEMGXLPLL);
    fdt_set_u32(phy, "reg", 0);
}

static void fdt_spi(struct machine *m)
{
    struct fdt_node *flash = fdt_child(machine_node(m, "spi0"), "flash@0"), *card = fdt_child(machine_node(m, "spi2"), "mmc@0");
    fdt_set_str(flash, "compatible", "jedec,spi-nor");
    fdt_set_u32(flash, "reg", 0);
    fdt_set_u32(flash, "spi-max-frequency", 50000000);
    fdt_set_empty(flash, "m25p,fast-read");
    fdt_set_u32(flash, "spi-tx-bus-width", 4);
    fdt_set_u32(flash, "spi-rx-bus-width", 4);
    fdt_set_str(card, "compatible", "mmc-spi-slot");
    fdt_set_u32(card, "reg", 0);
    fdt_set_u32(card, "spi-max-frequency", 20000000);
    FDT_CELLS(card, "voltage-ranges", 3300, 3300);
    fdt_set_empty(card, "disable-wp");
}

static void fdt(struct machine *m, struct fdt *f)
{
    static const char *const clocked[] = { "uart0", "uart1", "pwm0", "pwm1", "spi0", "spi2", "gpio" };
    struct fdt_node *root = fdt_root(f), *soc = fdt_child(root, "soc"), *n, *plic = machine_node(m, "plic");
    uint32_t hf = fixed_clock(root, "hfclk", HFCLK), rtc = fixed_clock(root, "rtcclk", TIMEBASE);
    n = machine_node(m, "prci");
    uint32_t prci = fdt_phandle(n);
    FDT_CELLS(n, "clocks", hf, rtc);
    for (unsigned i = 0; i < ARRAY_LEN(clocked); i++) FDT_CELLS(machine_node(m, clocked[i]), "clocks", prci, CLK_TLCLK);
    riscv_fdt_cpus(m, f, TIMEBASE);
    fdt_del(plic, "interrupts-extended");
    for (unsigned i = 0; i < m->ncpus; i++) {
        fdt_add_cells(plic, "interrupts-extended", (const uint32_t[]){ riscv_cpu_intc(m, f, i), RISCV_MEI }, 2);
        if (i) fdt_add_cells(plic, "interrupts-extended", (const uint32_t[]){ riscv_cpu_intc(m, f, i), RISCV_SEI }, 2);
    }
    fdt_set_reg(plic, 0x0c000000, 0x4000000);
    n = machine_node(m, "gpio");
    uint32_t gpio = fdt_phandle(n);
    n = fdt_child(root, "gpio-restart");
    fdt_set_str(n, "compatible", "gpio-restart");
    FDT_CELLS(n, "gpios", gpio, 10, 1);
    fdt_ethernet(m, prci);
    fdt_spi(m);
    n = fdt_child(soc, "clint@2000000");
    riscv_fdt_harts(m, f, n, RISCV_MSI, RISCV_MTI);
    fdt_set_reg(n, 0x2000000, 0x10000);
    fdt_set_strs(n, "compatible", "sifive,clint0;riscv,clint0");
    fdt_set_str(fdt_child(root, "aliases"), "ethernet0", "/soc/ethernet@10090000");
}

static int boot(struct machine *m, struct err *e)
{
    uint32_t pins = msel(m);
    struct riscv_boot b = { .rom = ENTRY, .ram = RAM_BASE, .flash = FLASH, .begin_in_flash = machine_flag(m, "start-in-flash"),
                            .bios_at = pins ? L2LIM : 0, .bios_room = L2LIM_SIZE,
                            .bios64 = "opensbi-riscv64-generic-fw_dynamic.bin", .bios32 = "opensbi-riscv32-generic-fw_dynamic.bin" };
    if (!b.begin_in_flash) b.flash = 0;
    int r = machine_rom(m, "mrom.msel", ROM, &pins, 4, e);
    return r ? r : riscv_boot(m, &b, e);
}

const struct machine_type riscv_sifive_u_machine = {
    .name = "sifive_u", .help = "RISC-V Board compatible with SiFive U SDK", .guests = "riscv32,riscv64", .max_cpus = 5, .def_cpus = 2, .cpu_model = cpu_model,
    .ram_base = RAM_BASE, .ram_size = 128 << 20, .ram_id = "riscv.sifive.u.ram", PARTS(parts), MACHINE_PROPS(props), .reset_pc = ENTRY,
    .dt_model = "SiFive HiFive Unleashed A00", .dt_compat = "sifive,hifive-unleashed-a00", .dt_soc = "soc", .blk_if = "sd",
    .prepare = prepare, .adjust = adjust, .fdt = fdt, .boot = boot,
};
