/* monitor_job.h: what commands that start jobs share (floor 6.5, private to src/sys). */
#ifndef LYRE_SYS_MONITOR_JOB_H
#define LYRE_SYS_MONITOR_JOB_H

#include "io/block/job.h"
#include "sys/monitor_cmd.h"

/* What all of them take; on_read, on_write: names of the arguments, or NULL. */
int mon_job_args(struct mon_call *c, struct job_args *a, const char *def, const char *on_read, const char *on_write, struct err *e);
/* drive-backup, blockdev-backup. */
int mon_backup(struct mon_call *c, bool drive, struct job **out, struct err *e);

#endif
