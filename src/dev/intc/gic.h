/*
 * gic.h: what boards need of Arm's interrupt controllers (gicv2, gicv3): lines to the CPUs, and where messages go.
 * Inputs of both devices: 0 .. SPIs-1 are SPIs (interrupt 32 and up); then 32 per CPU: its PPIs, by interrupt number (16..31).
 */
#ifndef LYRE_DEV_INTC_GIC_H
#define LYRE_DEV_INTC_GIC_H

#include "dev/device.h"
#include "dev/fdt.h"

/* Lines to a CPU. */
enum gic_line { GIC_IRQ, GIC_FIQ, GIC_VIRQ, GIC_VFIQ, GIC_LINES };
/* Architected private interrupts: input numbers within a CPU's 32. */
enum { GIC_PPI_PMU = 23, GIC_PPI_MAINTENANCE = 25, GIC_PPI_HYP = 26, GIC_PPI_VIRT = 27, GIC_PPI_HYP_VIRT = 28, GIC_PPI_SPHYS = 29,
       GIC_PPI_PHYS = 30 };
enum { GIC_MAX_IRQ = 1020, GIC_SPURIOUS = 1023 };

/* Who hears the lines of CPU number n. Any thread may call set; it must be cheap and take no lock. */
typedef void gic_set_line(void *ctx, enum gic_line line, bool level);
void gicv2_attach(struct dev *gic, unsigned n, gic_set_line *set, void *ctx);
void gicv3_attach(struct dev *gic, unsigned n, uint32_t affinity, gic_set_line *set, void *ctx);
/* ICC_*, ICH_* and ICV_* of CPU n, for vcpu.intc. */
struct cpu_intc;
const struct cpu_intc *gicv3_intc(struct dev *gic, unsigned n);
/* CPU n changed its security state, or entered or left EL3: with two security states that decides between IRQ and FIQ. On its thread. */
void gicv3_state_changed(struct dev *gic, unsigned n, bool secure, bool el3);
/* Does the address belong to the ITS's GITS_TRANSLATER or the GICv2m's SETSPI? Then delivers the message. (dma.msi; requester: DeviceID.) */
bool gic_its_msi(void *its, uint64_t addr, uint32_t data, struct mem_attr at);
bool gicv2m_msi(void *v2m, uint64_t addr, uint32_t data, struct mem_attr at);
static inline unsigned gic_ppi_input(unsigned spis, unsigned cpu, unsigned ppi) { return spis + cpu * 32 + ppi; }
/* Device tree: kind (0 SPI, 1 PPI), number within the kind, level-sensitive and active high. */
static inline unsigned gic_fdt_irq(unsigned spis, unsigned n, uint32_t cells[4])
{
    cells[0] = n >= spis;
    cells[1] = n < spis ? n : (n - spis) % 32 - 16;
    cells[2] = 4;
    return 3;
}
static inline void gic_fdt(struct fdt_node *n)
{
    fdt_set_empty(n, "interrupt-controller");
    fdt_set_u32(n, "#interrupt-cells", 3);
    fdt_set_u32(n, "#address-cells", 2); /* of frames for messages below */
    fdt_set_u32(n, "#size-cells", 2);
    fdt_set_empty(n, "ranges");
}

#endif
