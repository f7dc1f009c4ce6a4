/* riscv.h: what RISC-V boards have in common (floor 5): firmware, kernel, the way into them, nodes of the CPUs. */
#ifndef LYRE_MACHINE_RISCV_H
#define LYRE_MACHINE_RISCV_H

#include "machine/machine.h"

/* Interrupts at a hart's interrupt-controller in the device tree. */
enum { RISCV_SSI = 1, RISCV_MSI = 3, RISCV_STI = 5, RISCV_MTI = 7, RISCV_SEI = 9, RISCV_MEI = 11 };

struct riscv_boot {
    uint64_t rom;            /* address of the boot ROM; its memory is there already */
    uint64_t ram;            /* where firmware goes */
    uint64_t flash;          /* begins there if nothing else is said and a flash has content; 0: no flash */
    const char *bios64, *bios32; /* -bios default */
    uint64_t bios_at, bios_room; /* where firmware goes if not to `ram`; 0 */
    bool begin_in_flash;     /* whatever was loaded */
};
/* Loads firmware (-bios), kernel (-kernel), initrd, the device tree; writes the code that the harts begin with. */
int riscv_boot(struct machine *m, const struct riscv_boot *b, struct err *e);
/* /cpus with timebase, cpu@N and their interrupt-controllers, cpu-map. */
void riscv_fdt_cpus(struct machine *m, struct fdt *f, uint32_t timebase);
/* Phandle of hart i's interrupt-controller. */
uint32_t riscv_cpu_intc(struct machine *m, struct fdt *f, unsigned i);
/* "interrupts-extended" of a node: for every hart the interrupts, in order; 0 ends. */
void riscv_fdt_harts(struct machine *m, struct fdt *f, struct fdt_node *n, unsigned irq1, unsigned irq2);
bool riscv_is32(const struct machine *m);

#endif
