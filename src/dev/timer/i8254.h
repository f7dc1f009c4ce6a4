/* i8254.h: what port 0x61 of a PC asks of its timer. */
#ifndef LYRE_DEV_TIMER_I8254_H
#define LYRE_DEV_TIMER_I8254_H

#include "dev/device.h"

/* GATE 2 (port 0x61, bit 0) and OUT of a channel (bit 5: of channel 2). */
void i8254_gate(struct dev *d, unsigned channel, bool level);
bool i8254_out(struct dev *d, unsigned channel);

#endif
