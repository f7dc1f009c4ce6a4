/*
 * acpi.h: ACPI and SMBIOS tables of boards without BIOS memory (floor 5): made from the machine's parts and from what the board says here,
 * handed to firmware as fw_cfg's etc/acpi/tables, etc/acpi/rsdp and etc/table-loader. ACPI 6.5, SMBIOS 3.4.
 */
#ifndef LYRE_MACHINE_ACPI_H
#define LYRE_MACHINE_ACPI_H

#include "machine/machine.h"

struct acpi_window { uint64_t at, size; };

/* What no part says. Zero: not there. */
struct acpi_board {
    uint32_t gsi_base;             /* interrupt number of the root controller's input 0 (GIC: 32) */
    const char *controller;        /* id of the part that is the root controller */
    struct { uint64_t ecam, ecam_size, io, mmio32, mmio32_size, mmio64, mmio64_size; uint32_t gsi; /* of INTA of slot 0, then 3 more */ } pcie;
    const char *power_gpio;        /* id of a PL061 whose pin power_pin is the power button; NULL: none */
    unsigned power_pin;
    bool riscv;
    struct {
        unsigned gic;              /* version */
        uint64_t gicc, gich, gicv, its;
        struct acpi_window gicr[2];
        uint64_t v2m;
        uint32_t v2m_base, v2m_count, maintenance; /* GSI; 0 = none */
        bool psci, hvc;
        uint32_t pmu, timer_sec, timer_phys, timer_virt, timer_hyp;
        uint64_t (*mpidr)(struct machine *m, unsigned cpu);
    } arm;
    struct {
        const char *isa, *mmu;     /* "rv64imafdch_...", "riscv,sv48" or "" */
        uint32_t timebase;
        uint64_t (*hartid)(struct machine *m, unsigned cpu);
        struct acpi_window plic, aplic;  /* wired interrupts: one of them */
        uint32_t sources;          /* of either */
        struct acpi_window imsic;  /* S-mode files, a page per hart (and guest_bits of guest files); size 0: no IMSIC */
        uint32_t imsic_ids, guest_bits, hart_bits;
    } rv;
};

/* After machine_tree, in the board's boot hook. Needs a fw_cfg part ("fw_cfg"); without one nothing happens. */
int acpi_install(struct machine *m, const struct acpi_board *b, struct err *e);
/* SMBIOS tables, the same way; product: "virt". */
int smbios_install(struct machine *m, const char *product, struct err *e);

/* --- inside (acpi*.c) ------------------------------------------------------------------------------------------------------ */

/* Bytes in the making. */
struct acpi_buf {
    uint8_t *b;
    uint32_t len, cap;
};
void acpi_put(struct acpi_buf *t, const void *data, uint32_t n);
void acpi_num(struct acpi_buf *t, uint64_t v, unsigned bytes); /* little endian */
void acpi_zero(struct acpi_buf *t, uint32_t n);
void acpi_patch(struct acpi_buf *t, uint32_t at, uint64_t v, unsigned bytes);
/* Generic address structure: system memory, 32 bits wide, access of 4 bytes. */
void acpi_gas(struct acpi_buf *t, uint64_t addr);

/* AML: terms go to the end of the buffer; what has a length is opened and closed. */
uint32_t aml_scope(struct acpi_buf *t, const char *path);      /* "\\_SB", "^PCI0" */
uint32_t aml_device(struct acpi_buf *t, const char *name);
uint32_t aml_method(struct acpi_buf *t, const char *name, unsigned args, bool serialized);
uint32_t aml_package(struct acpi_buf *t, unsigned elements);
uint32_t aml_if(struct acpi_buf *t);                            /* then its condition */
uint32_t aml_else(struct acpi_buf *t);
void aml_close(struct acpi_buf *t, uint32_t open);              /* of what these returned */
void aml_path(struct acpi_buf *t, const char *path);
void aml_name(struct acpi_buf *t, const char *name);            /* then its value */
void aml_int(struct acpi_buf *t, uint64_t v);
void aml_str(struct acpi_buf *t, const char *s);
void aml_uuid(struct acpi_buf *t, const char *uuid);
void aml_op(struct acpi_buf *t, unsigned op);                   /* AML_*; then its operands */
void aml_name_int(struct acpi_buf *t, const char *name, uint64_t v);
void aml_name_str(struct acpi_buf *t, const char *name, const char *s);
enum { AML_ARG0 = 0x68, AML_ARG1, AML_ARG2, AML_ARG3, AML_LOCAL0 = 0x60, AML_STORE = 0x70, AML_AND = 0x7b, AML_OR = 0x7d, AML_NOTIFY = 0x86,
       AML_DWORD_FIELD = 0x8a, AML_NOT = 0x92, AML_EQUAL = 0x93, AML_RETURN = 0xa4, AML_NULL_TARGET = 0 };
/* Resource templates: Name (name, ResourceTemplate () {...}). */
uint32_t aml_crs(struct acpi_buf *t, const char *name);
void aml_crs_close(struct acpi_buf *t, uint32_t open);
void aml_memory32(struct acpi_buf *t, uint64_t at, uint64_t size);
void aml_irq(struct acpi_buf *t, uint32_t gsi, bool edge, bool shared);
enum { AML_SPACE_MEM = 0, AML_SPACE_IO = 1, AML_SPACE_BUS = 2 };
void aml_space(struct acpi_buf *t, unsigned bytes /* 2, 4, 8 */, unsigned type, uint64_t min, uint64_t size, uint64_t translate);
void aml_gpio_int(struct acpi_buf *t, unsigned pin, const char *controller);

/* The DSDT's body. */
void acpi_dsdt(struct machine *m, const struct acpi_board *b, struct acpi_buf *t);
/* GSI of output `out` of a device, 0: not connected. */
uint32_t acpi_gsi(struct machine *m, const struct acpi_board *b, const struct dev *d, unsigned out);
/* Bodies of MADT and of what else an architecture has. */
void acpi_arm_madt(struct machine *m, const struct acpi_board *b, struct acpi_buf *t);
void acpi_arm_gtdt(struct machine *m, const struct acpi_board *b, struct acpi_buf *t);
void acpi_arm_iort(struct machine *m, const struct acpi_board *b, struct acpi_buf *t);
void acpi_riscv_madt(struct machine *m, const struct acpi_board *b, struct acpi_buf *t);
void acpi_riscv_rhct(struct machine *m, const struct acpi_board *b, struct acpi_buf *t);

#endif
