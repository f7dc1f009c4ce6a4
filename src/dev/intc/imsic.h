/* imsic.h: RISC-V incoming MSI controllers, for boards (floor 4). */
#ifndef LYRE_DEV_IMSIC_H
#define LYRE_DEV_IMSIC_H

#include "cpu/guest_sys.h"
#include "dev/device.h"

/* A message: true if the address is one of this device's. Any thread. */
bool imsic_msi(struct dev *d, uint64_t addr, uint32_t data);
/* The hart's registers: the machine- and supervisor-level devices of one board answer together (m may be NULL). One per hart. */
struct imsic_hart {
    struct cpu_intc intc;
    struct dev *m, *s;
    unsigned hart;
};
void imsic_hart_init(struct imsic_hart *h, struct dev *m, struct dev *s, unsigned hart);

#endif
