/* gdbstub.h: the gdb stub of a whole machine: -s, -gdb; QEMU's dialect of the remote protocol (floor 6.5). */
#ifndef LYRE_SYS_GDBSTUB_H
#define LYRE_SYS_GDBSTUB_H

#include "io/char/chr.h"
#include "machine/machine.h"

struct gdb_machine;
/*
 * Serves a debugger on a character device; the CPUs are threads 1... of process 1. Lock held. command: `monitor ...` in gdb: runs a line of
 * the monitor, writes its output by out(); NULL: there is none. NULL and *e: the device is taken, or no memory.
 */
struct gdb_machine *gdb_machine_new(struct machine *m, struct chr *chr,
                                    void (*command)(void *ctx, const char *line, void (*out)(void *to, const char *text), void *to),
                                    void *ctx, struct err *e);
void gdb_machine_free(struct gdb_machine *g);
/* The guest's end: 0 or an exit status; tells a debugger that is connected. */
void gdb_machine_exit(struct gdb_machine *g, int status);

#endif
