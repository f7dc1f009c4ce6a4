/*
 * acpi_cpu.c: ACPI tables that are an architecture's: Arm's MADT, GTDT and IORT (ACPI 6.5, 5.2.12.14-18 and 5.2.25; Arm DEN 0049), RISC-V's
 * MADT and RHCT (ACPI 6.6, 5.2.12.24-27; RISC-V RHCT specification).
 */
#include "machine/acpi.h"

void acpi_arm_madt(struct machine *m, const struct acpi_board *b, struct acpi_buf *t)
{
    const struct dev *gic = dev_find(&m->b, b->controller);
    acpi_zero(t, 8); /* local address, flags */
    for (unsigned i = 0; i < m->ncpus; i++) { /* GICC */
        acpi_num(t, 0x0b | 80 << 8, 4);
        acpi_num(t, i, 4);
        acpi_num(t, i, 4);
        acpi_num(t, 1, 4); /* enabled */
        acpi_num(t, 0, 4);
        acpi_num(t, b->arm.pmu, 4);
        acpi_num(t, 0, 8);
        acpi_num(t, b->arm.gicc, 8);
        acpi_num(t, b->arm.gicv, 8);
        acpi_num(t, b->arm.gich, 8);
        acpi_num(t, b->arm.maintenance, 4);
        acpi_num(t, 0, 8); /* GICR: by its ranges below */
        acpi_num(t, b->arm.mpidr(m, i), 8);
        acpi_num(t, 0, 4);
    }
    acpi_num(t, 0x0c | 24 << 8, 4); /* GICD */
    acpi_num(t, 0, 4);
    acpi_num(t, gic ? gic->at : 0, 8);
    acpi_num(t, 0, 4);
    acpi_num(t, b->arm.gic, 4);
    for (unsigned i = 0; i < ARRAY_LEN(b->arm.gicr) && b->arm.gic > 2; i++) {
        if (!b->arm.gicr[i].size) continue;
        acpi_num(t, 0x0e | 16 << 8, 4);
        acpi_num(t, b->arm.gicr[i].at, 8);
        acpi_num(t, b->arm.gicr[i].size, 4);
    }
    if (b->arm.its) {
        acpi_num(t, 0x0f | 20 << 8, 4);
        acpi_num(t, 0, 4);
        acpi_num(t, b->arm.its, 8);
        acpi_num(t, 0, 4);
    }
    if (b->arm.v2m) {
        acpi_num(t, 0x0d | 24 << 8, 4);
        acpi_num(t, 0, 4);
        acpi_num(t, b->arm.v2m, 8);
        acpi_num(t, 1, 4); /* base and count are here */
        acpi_num(t, b->arm.v2m_count, 2);
        acpi_num(t, b->arm.v2m_base, 2);
    }
}

void acpi_arm_gtdt(struct machine *m, const struct acpi_board *b, struct acpi_buf *t)
{
    const uint32_t gsi[] = { b->arm.timer_sec, b->arm.timer_phys, b->arm.timer_virt, b->arm.timer_hyp };
    acpi_num(t, UINT64_MAX, 8); /* no memory-mapped counter */
    acpi_num(t, 0, 4);
    for (unsigned i = 0; i < ARRAY_LEN(gsi); i++) {
        acpi_num(t, gsi[i], 4);
        acpi_num(t, 4, 4); /* level, high, always on */
    }
    acpi_num(t, UINT64_MAX, 8);
    acpi_zero(t, 8);       /* platform timers */
    acpi_zero(t, 8);       /* EL2's virtual timer */
}

/* The PCI root's requester ids are the ITS's DeviceIDs. */
void acpi_arm_iort(struct machine *m, const struct acpi_board *b, struct acpi_buf *t)
{
    acpi_num(t, 2, 4);     /* nodes */
    acpi_num(t, 48, 4);
    acpi_num(t, 0, 4);
    acpi_num(t, 0 | 24 << 8, 3); /* ITS group */
    acpi_num(t, 1, 1);
    acpi_num(t, 0, 4);
    acpi_num(t, 0, 8);
    acpi_num(t, 1, 4);
    acpi_num(t, 0, 4);
    acpi_num(t, 2 | (36 + 20) << 8, 3); /* root complex */
    acpi_num(t, 3, 1);
    acpi_num(t, 1, 4);
    acpi_num(t, 1, 4);
    acpi_num(t, 36, 4);
    acpi_num(t, 1, 4);     /* coherent */
    acpi_num(t, 3u << 24, 4); /* memory access flags: CPM, DACS */
    acpi_num(t, 0, 4);     /* no ATS */
    acpi_num(t, 0, 4);     /* segment */
    acpi_num(t, 64, 4);    /* address bits */
    acpi_num(t, 0, 4);     /* the mapping: */
    acpi_num(t, 0xffff, 4);
    acpi_num(t, 0, 4);
    acpi_num(t, 48, 4);
    acpi_num(t, 0, 4);
}

void acpi_riscv_madt(struct machine *m, const struct acpi_board *b, struct acpi_buf *t)
{
    uint64_t stride = 4096ull << b->rv.guest_bits;
    acpi_zero(t, 8);
    for (unsigned i = 0; i < m->ncpus; i++) { /* RINTC */
        acpi_num(t, 0x18 | 36 << 8 | 1 << 16, 4);
        acpi_num(t, 1, 4);
        acpi_num(t, b->rv.hartid(m, i), 8);
        acpi_num(t, i, 4);
        acpi_num(t, b->rv.plic.size ? (2 * i + 1) : b->rv.aplic.size ? i : 0, 4); /* of the PLIC: the hart's S-mode context */
        acpi_num(t, b->rv.imsic.size ? b->rv.imsic.at + i * stride : 0, 8);
        acpi_num(t, b->rv.imsic.size ? stride : 0, 4);
    }
    if (b->rv.imsic.size) {
        acpi_num(t, 0x19 | 16 << 8 | 1 << 16, 4);
        acpi_num(t, 0, 4);
        acpi_num(t, b->rv.imsic_ids, 2);
        acpi_num(t, b->rv.imsic_ids, 2);
        acpi_num(t, b->rv.guest_bits | b->rv.hart_bits << 8 | 24u << 24, 4); /* no groups; the shift counts all the same, as in trees */
    }
    if (b->rv.aplic.size) {
        acpi_num(t, 0x1a | 36 << 8 | 1 << 16, 4);
        acpi_num(t, 0, 4);                        /* flags */
        acpi_num(t, 0, 8);                        /* hardware id */
        acpi_num(t, b->rv.imsic.size ? 0 : m->ncpus, 2);
        acpi_num(t, b->rv.sources, 2);
        acpi_num(t, 0, 4);                        /* GSI base */
        acpi_num(t, b->rv.aplic.at, 8);
        acpi_num(t, b->rv.aplic.size, 4);
    }
    if (b->rv.plic.size) {
        acpi_num(t, 0x1b | 36 << 8 | 1 << 16, 4);
        acpi_num(t, 0, 8);
        acpi_num(t, b->rv.sources, 2);
        acpi_num(t, 7, 2);                        /* highest priority */
        acpi_num(t, 0, 4);
        acpi_num(t, b->rv.plic.size, 4);
        acpi_num(t, b->rv.plic.at, 8);
        acpi_num(t, 0, 4);
    }
}

/* Nodes: the ISA's string, the sizes of cache operations where it has them, the MMU; then each hart with the offsets of its nodes. */
void acpi_riscv_rhct(struct machine *m, const struct acpi_board *b, struct acpi_buf *t)
{
    uint32_t len = (uint32_t)strlen(b->rv.isa) + 1, cmo = 56 + 8 + len + (len & 1), mmu = cmo;
    bool has_cmo = strstr(b->rv.isa, "_zicbo"), has_mmu = b->rv.mmu[0];
    if (has_cmo) mmu += 10;
    acpi_num(t, 0, 4);
    acpi_num(t, b->rv.timebase, 8);
    acpi_num(t, 1 + has_cmo + has_mmu + m->ncpus, 4);
    acpi_num(t, 56, 4);
    acpi_num(t, 0, 2); /* ISA string node */
    acpi_num(t, cmo - 56, 2);
    acpi_num(t, 1, 2);
    acpi_num(t, len, 2);
    acpi_put(t, b->rv.isa, len);
    if (len & 1) acpi_num(t, 0, 1);
    if (has_cmo) { /* cbom, cbop, cboz: 64 bytes, as logarithms */
        acpi_num(t, 1 | 10 << 16, 4);
        acpi_num(t, 1, 2);
        acpi_num(t, 6 << 8 | 6 << 16 | 6u << 24, 4);
    }
    if (has_mmu) { /* sv39, sv48, sv57 */
        acpi_num(t, 2 | 8 << 16, 4);
        acpi_num(t, 1, 2);
        acpi_num(t, (strstr(b->rv.mmu, "57") ? 2 : strstr(b->rv.mmu, "48") ? 1 : 0) << 8, 2);
    }
    for (unsigned i = 0; i < m->ncpus; i++) {
        unsigned offsets = 1 + has_cmo + has_mmu;
        acpi_num(t, 0xffff, 2);
        acpi_num(t, 12 + 4 * offsets, 2);
        acpi_num(t, 1, 2);
        acpi_num(t, offsets, 2);
        acpi_num(t, i, 4);
        acpi_num(t, 56, 4);
        if (has_cmo) acpi_num(t, cmo, 4);
        if (has_mmu) acpi_num(t, mmu, 4);
    }
}
