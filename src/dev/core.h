/* core.h: what the files of the device core share (floor 4, private to device.c, regs.c, props.c, state.c). */
#ifndef LYRE_DEV_CORE_H
#define LYRE_DEV_CORE_H

#include "dev/device.h"

/* One output that drives an input: levels of all that do are or-ed. */
struct dev_wire {
    struct dev *to;
    struct irq *from;
    unsigned n;
    bool level;
    struct dev_wire *next;   /* of `to` */
};
struct dev_wires {
    struct dev_wire *list;
    uint16_t *high;          /* by input: how many wires are high */
};

extern const struct mmio_ops regs_ops;
void regs_reset(struct dev *d, const struct reg *regs, unsigned nregs);
/* Default values of all properties; release of what was allocated for them. */
int props_init(struct dev *d, struct err *e);
void props_free(struct dev *d);
const struct prop *props_find(const struct device *cls, const char *name, unsigned *i);

#endif
