/*
 * acpi.c: the tables that every board has (RSDP, XSDT, FADT, MCFG, SPCR, DBG2: ACPI 6.5 chapter 5.2; Microsoft's SPCR and DBG2), and the
 * script by which firmware puts them into memory (fw_cfg's etc/table-loader; its commands are in EDK2's OvmfPkg AcpiPlatformDxe/QemuLoader.h).
 */
#include "machine/acpi.h"

#include <stdio.h>
#include <stdlib.h>
#include "dev/misc/fw_cfg.h"

#define TABLES "etc/acpi/tables"
#define RSDP   "etc/acpi/rsdp"

struct maker {
    struct machine *m;
    const struct acpi_board *b;
    struct acpi_buf tables, rsdp, loader;
    uint32_t xsdt[16];             /* offsets of what it lists */
    unsigned count;
};

/* --- the script ------------------------------------------------------------------------------------------------------------------------- */

static void file_name(struct acpi_buf *t, const char *name)
{
    char buf[56] = "";
    snprintf(buf, sizeof buf, "%s", name);
    acpi_put(t, buf, sizeof buf);
}

static void command(struct acpi_buf *t, unsigned op)
{
    acpi_zero(t, (128 - t->len % 128) % 128);
    acpi_num(t, op, 4);
}

static void allocate(struct maker *k, const char *file, uint32_t align, unsigned zone)
{
    command(&k->loader, 1);
    file_name(&k->loader, file);
    acpi_num(&k->loader, align, 4);
    acpi_num(&k->loader, zone, 1);
}

static void pointer(struct maker *k, const char *in, uint32_t at, unsigned bytes)
{
    command(&k->loader, 2);
    file_name(&k->loader, in);
    file_name(&k->loader, TABLES);
    acpi_num(&k->loader, at, 4);
    acpi_num(&k->loader, bytes, 1);
}

static void checksum(struct maker *k, const char *file, uint32_t at, uint32_t start, uint32_t len)
{
    command(&k->loader, 3);
    file_name(&k->loader, file);
    acpi_num(&k->loader, at, 4);
    acpi_num(&k->loader, start, 4);
    acpi_num(&k->loader, len, 4);
}

/* --- tables ------------------------------------------------------------------------------------------------------------------------------- */

static uint32_t table_open(struct maker *k, const char *sig, unsigned rev)
{
    struct acpi_buf *t = &k->tables;
    char oem[6], oem_table[8];
    const char *id = machine_prop(k->m, "x-oem-id"), *table = machine_prop(k->m, "x-oem-table-id");
    acpi_zero(t, (8 - t->len % 8) % 8);
    uint32_t at = t->len;
    memset(oem, ' ', sizeof oem);
    memset(oem_table, ' ', sizeof oem_table);
    if (!id[0]) id = "LYRE";
    if (!table[0]) table = "LYREVIRT";
    memcpy(oem, id, MIN(strlen(id), sizeof oem));
    memcpy(oem_table, table, MIN(strlen(table), sizeof oem_table));
    acpi_put(t, sig, 4);
    acpi_num(t, 0, 4);
    acpi_num(t, rev, 2); /* and the checksum */
    acpi_put(t, oem, 6);
    acpi_put(t, oem_table, 8);
    acpi_num(t, 1, 4);
    acpi_put(t, "LYRE", 4);
    acpi_num(t, 1, 4);
    return at;
}

static void table_close(struct maker *k, uint32_t at, bool listed)
{
    acpi_patch(&k->tables, at + 4, k->tables.len - at, 4);
    checksum(k, TABLES, at + 9, at, k->tables.len - at);
    if (listed && k->count < ARRAY_LEN(k->xsdt)) k->xsdt[k->count++] = at;
}

static void fadt(struct maker *k, uint32_t dsdt)
{
    struct acpi_buf *t = &k->tables;
    uint32_t at = table_open(k, "FACP", 6);
    acpi_zero(t, 276 - 36);
    acpi_patch(t, at + 112, 1u << 20, 4); /* HW_REDUCED_ACPI */
    acpi_patch(t, at + 129, (k->b->arm.psci ? 1 : 0) | (k->b->arm.psci && k->b->arm.hvc ? 2 : 0), 2);
    acpi_patch(t, at + 131, 5, 1);        /* 6.5 */
    acpi_patch(t, at + 140, dsdt, 8);
    pointer(k, TABLES, at + 140, 8);
    memcpy(t->b + at + 268, "LYREBIRD", 8); /* hypervisor vendor */
    table_close(k, at, true);
}

static void mcfg(struct maker *k)
{
    struct acpi_buf *t = &k->tables;
    uint32_t at = table_open(k, "MCFG", 1);
    acpi_zero(t, 8);
    acpi_num(t, k->b->pcie.ecam, 8);
    acpi_num(t, 0, 2);
    acpi_num(t, 0, 1);
    acpi_num(t, (k->b->pcie.ecam_size >> 20) - 1, 1);
    acpi_num(t, 0, 4);
    table_close(k, at, true);
}

/* The console: the first serial line that is there. */
static const struct dev *console(struct machine *m, bool *pl011)
{
    for (const struct dev *d = m->b.devs; d; d = d->next) {
        *pl011 = !strcmp(d->cls->name, "pl011");
        if (d->win && (*pl011 || !strcmp(d->cls->name, "uart16550"))) return d;
    }
    return NULL;
}

static void spcr(struct maker *k)
{
    struct acpi_buf *t = &k->tables;
    bool pl011;
    const struct dev *d = console(k->m, &pl011);
    if (!d) return;
    uint32_t at = table_open(k, "SPCR", 2);
    acpi_num(t, pl011 ? 3 : 0x12, 4); /* PL011; 16550 with a generic address */
    if (pl011) acpi_gas(t, d->at);
    else {
        acpi_num(t, 0 | 8 << 8 | 0 << 16 | 1u << 24, 4);
        acpi_num(t, d->at, 8);
    }
    acpi_num(t, k->b->riscv ? 0x10 : 8, 1);
    acpi_num(t, 0, 1);
    acpi_num(t, acpi_gsi(k->m, k->b, d, 0), 4);
    acpi_num(t, 7, 1);        /* 115200 */
    acpi_num(t, 0, 1);
    acpi_num(t, 1, 1);        /* stop bit */
    acpi_num(t, 0, 1);        /* no flow control */
    acpi_num(t, 3, 1);        /* ANSI */
    acpi_num(t, 0, 1);
    acpi_num(t, 0xffffffff, 4);
    acpi_zero(t, 12);         /* no PCI device */
    table_close(k, at, true);
}

static void dbg2(struct maker *k)
{
    struct acpi_buf *t = &k->tables;
    bool pl011;
    const struct dev *d = console(k->m, &pl011);
    const char name[] = "\\_SB.COM0";
    if (!d) return;
    uint32_t at = table_open(k, "DBG2", 0);
    acpi_num(t, 44, 4);
    acpi_num(t, 1, 4);
    acpi_num(t, 0, 1);                          /* the device: */
    acpi_num(t, 22 + 12 + 4 + sizeof name, 2);
    acpi_num(t, 1, 1);
    acpi_num(t, sizeof name, 2);
    acpi_num(t, 22 + 12 + 4, 2);
    acpi_zero(t, 4);
    acpi_num(t, 0x8000, 2);
    acpi_num(t, pl011 ? 3 : 0x12, 2);
    acpi_zero(t, 2);
    acpi_num(t, 22, 2);
    acpi_num(t, 22 + 12, 2);
    acpi_gas(t, d->at);
    acpi_num(t, d->cls->window, 4);
    acpi_put(t, name, sizeof name);
    table_close(k, at, true);
}

static void body(struct maker *k, const char *sig, unsigned rev, void (*fill)(struct machine *, const struct acpi_board *, struct acpi_buf *))
{
    uint32_t at = table_open(k, sig, rev);
    fill(k->m, k->b, &k->tables);
    table_close(k, at, true);
}

static void xsdt_rsdp(struct maker *k)
{
    uint32_t at = table_open(k, "XSDT", 1);
    for (unsigned i = 0; i < k->count; i++) {
        pointer(k, TABLES, k->tables.len, 8);
        acpi_num(&k->tables, k->xsdt[i], 8);
    }
    table_close(k, at, false);
    acpi_put(&k->rsdp, "RSD PTR ", 8);
    acpi_num(&k->rsdp, 0, 1);
    acpi_put(&k->rsdp, k->tables.b + at + 10, 6);
    acpi_num(&k->rsdp, 2, 1);
    acpi_num(&k->rsdp, 0, 4);
    acpi_num(&k->rsdp, 36, 4);
    acpi_num(&k->rsdp, at, 8);
    acpi_num(&k->rsdp, 0, 4);
    pointer(k, RSDP, 24, 8);
    checksum(k, RSDP, 8, 0, 20);
    checksum(k, RSDP, 32, 0, 36);
}

int acpi_install(struct machine *m, const struct acpi_board *b, struct err *e)
{
    struct maker k = { .m = m, .b = b };
    struct dev *fw = dev_find(&m->b, "fw_cfg");
    int r;
    if (!fw) return 0;
    allocate(&k, RSDP, 16, 2);
    allocate(&k, TABLES, 64, 1);
    uint32_t dsdt = table_open(&k, "DSDT", 2);
    acpi_dsdt(m, b, &k.tables);
    table_close(&k, dsdt, false);
    fadt(&k, dsdt);
    if (b->riscv) {
        body(&k, "APIC", 7, acpi_riscv_madt);
        body(&k, "RHCT", 1, acpi_riscv_rhct);
    } else {
        body(&k, "APIC", 6, acpi_arm_madt);
        body(&k, "GTDT", 3, acpi_arm_gtdt);
        if (b->arm.its) body(&k, "IORT", 0, acpi_arm_iort);
    }
    if (b->pcie.ecam_size) mcfg(&k);
    spcr(&k);
    dbg2(&k);
    xsdt_rsdp(&k);
    acpi_zero(&k.loader, (128 - k.loader.len % 128) % 128);
    r = fw_cfg_file(fw, TABLES, k.tables.b, k.tables.len, e);
    if (!r) r = fw_cfg_file(fw, RSDP, k.rsdp.b, k.rsdp.len, e);
    if (!r) r = fw_cfg_file(fw, "etc/table-loader", k.loader.b, k.loader.len, e);
    free(k.tables.b);
    free(k.rsdp.b);
    free(k.loader.b);
    return r;
}
