/* i8259.h: the PC's interrupt controller as a CPU or a local APIC sees it. */
#ifndef LYRE_DEV_INTC_I8259_H
#define LYRE_DEV_INTC_I8259_H

#include "dev/device.h"

/* The acknowledge cycle of the master: the vector, of the slave where its input is a slave's. With nothing pending: input 7's (spurious). */
uint8_t i8259_ack(struct dev *master);

#endif
