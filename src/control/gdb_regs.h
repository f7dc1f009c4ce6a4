/* gdb_regs.h: registers as gdb sees them: numbers, target description, values; all from the guest's register table. */
#ifndef LYRE_CONTROL_GDB_REGS_H
#define LYRE_CONTROL_GDB_REGS_H

#include "cpu/guest.h"

enum { GDB_REG_MAX = REG_BYTES_MAX };

struct gdb_reg {
    const struct guest_reg *row;
    uint32_t bits;
};
struct gdb_regs {
    struct gdb_reg *reg;          /* by gdb's number */
    unsigned n;
    char *xml;                    /* target description */
    size_t xml_len;
    int pc, sp;                   /* numbers of these, -1 = none; sent with each stop */
};

/* For CPUs of this one's model. */
int gdb_regs_init(struct gdb_regs *r, const CPU *cpu, struct err *e);
void gdb_regs_done(struct gdb_regs *r);
/* Value in the guest's byte order; returns its size in bytes. */
size_t gdb_reg_read(const struct gdb_regs *r, CPU *cpu, unsigned num, uint8_t out[GDB_REG_MAX]);
void gdb_reg_write(const struct gdb_regs *r, CPU *cpu, unsigned num, const uint8_t *in);
size_t gdb_reg_size(const struct gdb_regs *r, unsigned num);

#endif
