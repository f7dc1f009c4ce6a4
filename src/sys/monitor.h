/*
 * monitor.h: monitors of a machine (floor 6.5): the human one (HMP: -monitor) and the one for programs (QMP: -qmp), over character devices.
 * Commands of both are rows of tables (monitor_cmd.h).
 */
#ifndef LYRE_SYS_MONITOR_H
#define LYRE_SYS_MONITOR_H

#include "io/char/chr.h"
#include "machine/machine.h"

/* The version that clients of QEMU's protocols are told: features are those of that release. */
enum { MONITOR_QEMU_MAJOR = 7, MONITOR_QEMU_MINOR = 2, MONITOR_QEMU_MICRO = 0 };

struct monitors;
struct job_set;
struct objects;
struct vnc_set;
/* What monitors are for; all outlive them. machine: NULL while there is none (-machine none). */
struct monitors_config {
    struct machine *machine;
    const struct guest *guest;
    struct loop *loop;
    struct chr_set *chrs;
    struct net_set *nets;
    struct blk_graph *blks;
    struct vnc_set *vnc;      /* may be NULL */
    struct objects *objs;     /* may be NULL */
    struct job_set *jobs;     /* monitors_new makes it where there are blks */
    const char *name, *uuid;  /* -name, -uuid; may be NULL */
};
/*
 * Lock held, as for all of these. Takes the machine's on_state (calling on the one that was there) and its board's event. free: the
 * monitors are detached from their devices.
 */
struct monitors *monitors_new(const struct monitors_config *cfg);
void monitors_free(struct monitors *s);
/* A monitor on a character device. */
int monitor_add(struct monitors *s, struct chr *chr, bool qmp, bool pretty, struct err *e);
/* Sends an event to all QMP clients; takes `data` (NULL: none) over. */
void monitor_event(struct monitors *s, const char *name, struct json_object *data);
/* Runs a line of the human monitor; out gets pieces of its output. ctx is the struct monitors (gdb_machine_new's command). */
void monitor_command(void *ctx, const char *line, void (*out)(void *to, const char *text), void *to);
/* Why the next SHUTDOWN event comes, unless the guest does it: "host-signal", "host-ui" (a static string). */
void monitor_shutdown_reason(struct monitors *s, const char *why);

#endif
