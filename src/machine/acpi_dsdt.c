/*
 * acpi_dsdt.c: the DSDT: a device object for each part that has a hardware id (one row each), the CPUs, PCI Express, the power button.
 */
#include "machine/acpi.h"

#include <stdio.h>

/* A kind of device: `name` with the number of its kind in place of #. */
static const struct row {
    const char *device, *name, *hid;
    bool coherent; /* _CCA */
} rows[] = {
    { "pl011", "COM#", "ARMH0011", false },
    { "uart16550", "COM#", "RSCV0003", false },
    { "cfi.pflash01", "FLS#", "LNRO0015", false },
    { "fw_cfg_mem", "FWCF", "QEMU0002", true },
    { "virtio-mmio", "VR##", "LNRO0005", true },
};

uint32_t acpi_gsi(struct machine *m, const struct acpi_board *b, const struct dev *d, unsigned out)
{
    const struct dev *root = b->controller ? dev_find(&m->b, b->controller) : NULL;
    if (out >= d->cls->irqs || !d->wire[out].to || d->wire[out].to != root) return 0;
    return b->gsi_base + d->wire[out].n;
}

/* A UART's clock, as a device property. */
static void clock_property(struct acpi_buf *t, uint32_t hz)
{
    aml_name(t, "_DSD");
    uint32_t all = aml_package(t, 2);
    aml_uuid(t, "daffd814-6eba-4d8c-8a91-bc9bbf4aa301");
    uint32_t list = aml_package(t, 1), one = aml_package(t, 2);
    aml_str(t, "clock-frequency");
    aml_int(t, hz);
    aml_close(t, one);
    aml_close(t, list);
    aml_close(t, all);
}

static void part_device(struct machine *m, const struct acpi_board *b, const struct row *r, const struct dev *d, unsigned n, struct acpi_buf *t)
{
    char name[8];
    unsigned digit = n;
    snprintf(name, sizeof name, "%s", r->name);
    for (size_t i = strlen(name); i-- > 0; digit /= 16)
        if (name[i] == '#') name[i] = "0123456789ABCDEF"[digit % 16];
    uint32_t dev = aml_device(t, name);
    aml_name_str(t, "_HID", r->hid);
    aml_name_int(t, "_UID", n);
    if (r->coherent) aml_name_int(t, "_CCA", 1);
    if (!strcmp(r->device, "uart16550")) clock_property(t, 3686400);
    if (!strcmp(r->device, "fw_cfg_mem")) aml_name_int(t, "_STA", 0xb);
    uint32_t crs = aml_crs(t, "_CRS"), gsi = acpi_gsi(m, b, d, 0);
    struct mem_range here;
    uint64_t size = d->cls->window;
    if (!size && space_find(m->b.space, d->at, &here)) size = here.last - here.start + 1;
    aml_memory32(t, d->at, size);
    if (gsi) aml_irq(t, gsi, false, false);
    aml_crs_close(t, crs);
    aml_close(t, dev);
}

/* RISC-V: the controller of wired interrupts is a device, with the first number of its interrupts. */
static void riscv_controller(const struct acpi_board *b, struct acpi_buf *t)
{
    const struct acpi_window *w = b->rv.plic.size ? &b->rv.plic : &b->rv.aplic;
    uint32_t dev = aml_device(t, "IC00");
    aml_name_str(t, "_HID", b->rv.plic.size ? "RSCV0001" : "RSCV0002");
    aml_name_int(t, "_UID", 0);
    aml_name_int(t, "_GSB", 0);
    uint32_t crs = aml_crs(t, "_CRS");
    aml_memory32(t, w->at, w->size);
    aml_crs_close(t, crs);
    aml_close(t, dev);
}

static void cpus(struct machine *m, struct acpi_buf *t)
{
    char name[16];
    for (unsigned i = 0; i < m->ncpus; i++) {
        snprintf(name, sizeof name, "C%03X", i);
        uint32_t dev = aml_device(t, name);
        aml_name_str(t, "_HID", "ACPI0007");
        aml_name_int(t, "_UID", i);
        aml_close(t, dev);
    }
}

/* Control of native features: what the firmware lets the system have (PCI Firmware Specification 3.2, 4.5.1). */
static void pcie_osc(struct acpi_buf *t)
{
    uint32_t m = aml_method(t, "_OSC", 4, false);
    aml_op(t, AML_DWORD_FIELD); aml_op(t, AML_ARG3); aml_int(t, 0); aml_path(t, "CDW1");
    uint32_t iff = aml_if(t);
    aml_op(t, AML_EQUAL); aml_op(t, AML_ARG0); aml_uuid(t, "33DB4D5B-1FF7-401C-9657-7441C03DD766");
    aml_op(t, AML_DWORD_FIELD); aml_op(t, AML_ARG3); aml_int(t, 4); aml_path(t, "CDW2");
    aml_op(t, AML_DWORD_FIELD); aml_op(t, AML_ARG3); aml_int(t, 8); aml_path(t, "CDW3");
    aml_op(t, AML_AND); aml_path(t, "CDW3"); aml_int(t, 0x1f); aml_op(t, AML_LOCAL0);
    uint32_t rev = aml_if(t);
    aml_op(t, AML_NOT); aml_op(t, AML_EQUAL); aml_op(t, AML_ARG1); aml_int(t, 1);
    aml_op(t, AML_OR); aml_path(t, "CDW1"); aml_int(t, 8); aml_path(t, "CDW1");
    aml_close(t, rev);
    uint32_t cut = aml_if(t);
    aml_op(t, AML_NOT); aml_op(t, AML_EQUAL); aml_path(t, "CDW3"); aml_op(t, AML_LOCAL0);
    aml_op(t, AML_OR); aml_path(t, "CDW1"); aml_int(t, 0x10); aml_path(t, "CDW1");
    aml_close(t, cut);
    aml_op(t, AML_STORE); aml_op(t, AML_LOCAL0); aml_path(t, "CDW3");
    aml_close(t, iff);
    uint32_t other = aml_else(t);
    aml_op(t, AML_OR); aml_path(t, "CDW1"); aml_int(t, 4); aml_path(t, "CDW1");
    aml_close(t, other);
    aml_op(t, AML_RETURN); aml_op(t, AML_ARG3);
    aml_close(t, m);
}

static void link_name(char name[8], unsigned i)
{
    snprintf(name, 8, "L%03u", i);
}

/*
 * Four lines as link devices, since only they can say "active high". Beside the root bridge: one that waits for its links (Linux on RISC-V)
 * could not have them as children.
 */
static void pcie_links(const struct acpi_board *b, struct acpi_buf *t)
{
    char name[8];
    for (unsigned i = 0; i < 4; i++) {
        link_name(name, i);
        uint32_t dev = aml_device(t, name);
        aml_name_str(t, "_HID", "PNP0C0F");
        aml_name_int(t, "_UID", i);
        for (unsigned k = 0; k < 2; k++) {
            uint32_t crs = aml_crs(t, k ? "_CRS" : "_PRS");
            aml_irq(t, b->pcie.gsi + i, false, false);
            aml_crs_close(t, crs);
        }
        uint32_t srs = aml_method(t, "_SRS", 1, false);
        aml_close(t, srs);
        aml_close(t, dev);
    }
}

static void pcie_prt(struct acpi_buf *t)
{
    char name[8];
    aml_name(t, "_PRT");
    uint32_t all = aml_package(t, 128);
    for (unsigned slot = 0; slot < 32; slot++)
        for (unsigned pin = 0; pin < 4; pin++) {
            uint32_t p = aml_package(t, 4);
            aml_int(t, slot << 16 | 0xffff);
            aml_int(t, pin);
            link_name(name, (slot + pin) % 4);
            aml_path(t, name);
            aml_int(t, 0);
            aml_close(t, p);
        }
    aml_close(t, all);
}

static void pcie(const struct acpi_board *b, struct acpi_buf *t)
{
    pcie_links(b, t);
    uint32_t dev = aml_device(t, "PCI0");
    aml_name_str(t, "_HID", "PNP0A08");
    aml_name_str(t, "_CID", "PNP0A03");
    aml_name_int(t, "_SEG", 0);
    aml_name_int(t, "_BBN", 0);
    aml_name_int(t, "_UID", 0);
    aml_name_int(t, "_CCA", 1);
    pcie_prt(t);
    uint32_t cba = aml_method(t, "_CBA", 0, false);
    aml_op(t, AML_RETURN);
    aml_int(t, b->pcie.ecam);
    aml_close(t, cba);
    uint32_t crs = aml_crs(t, "_CRS");
    aml_space(t, 2, AML_SPACE_BUS, 0, b->pcie.ecam_size >> 20, 0);
    aml_space(t, 4, AML_SPACE_MEM, b->pcie.mmio32, b->pcie.mmio32_size, 0);
    aml_space(t, 4, AML_SPACE_IO, 0, 0x10000, b->pcie.io);
    if (b->pcie.mmio64_size) aml_space(t, 8, AML_SPACE_MEM, b->pcie.mmio64, b->pcie.mmio64_size, 0);
    aml_crs_close(t, crs);
    pcie_osc(t);
    uint32_t res = aml_device(t, "RES0"); /* the ECAM is nobody else's */
    aml_name_str(t, "_HID", "PNP0C02");
    crs = aml_crs(t, "_CRS");
    aml_space(t, 8, AML_SPACE_MEM, b->pcie.ecam, b->pcie.ecam_size, 0);
    aml_crs_close(t, crs);
    aml_close(t, res);
    aml_close(t, dev);
}

static void power(struct machine *m, const struct acpi_board *b, struct acpi_buf *t)
{
    const struct dev *d = b->power_gpio ? dev_find(&m->b, b->power_gpio) : NULL;
    char event[8];
    if (!d) return;
    uint32_t gpio = aml_device(t, "GPO0");
    aml_name_str(t, "_HID", "ARMH0061");
    aml_name_int(t, "_UID", 0);
    uint32_t crs = aml_crs(t, "_CRS");
    aml_memory32(t, d->at, d->cls->window);
    aml_irq(t, acpi_gsi(m, b, d, 0), false, false);
    aml_crs_close(t, crs);
    crs = aml_crs(t, "_AEI");
    aml_gpio_int(t, b->power_pin, "GPO0");
    aml_crs_close(t, crs);
    snprintf(event, sizeof event, "_E%02X", b->power_pin & 0xff);
    uint32_t ev = aml_method(t, event, 0, false);
    aml_op(t, AML_NOTIFY);
    aml_path(t, "\\_SB.PWRB");
    aml_int(t, 0x80);
    aml_close(t, ev);
    aml_close(t, gpio);
    uint32_t btn = aml_device(t, "PWRB");
    aml_name_str(t, "_HID", "PNP0C0C");
    aml_name_int(t, "_UID", 0);
    aml_close(t, btn);
}

void acpi_dsdt(struct machine *m, const struct acpi_board *b, struct acpi_buf *t)
{
    uint32_t sb = aml_scope(t, "\\_SB");
    cpus(m, t);
    if (b->riscv) riscv_controller(b, t);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned n = 0;
        for (const struct dev *d = m->b.devs; d; d = d->next)
            if (!strcmp(d->cls->name, rows[i].device) && (d->win || !d->cls->window)) part_device(m, b, &rows[i], d, n++, t);
    }
    if (b->pcie.ecam_size) pcie(b, t);
    power(m, b, t);
    aml_close(t, sb);
}
