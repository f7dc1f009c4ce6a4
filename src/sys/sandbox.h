/* sandbox.h: what the process gives up once everything is open (floor 6.5): -sandbox. */
#ifndef LYRE_SYS_SANDBOX_H
#define LYRE_SYS_SANDBOX_H

#include "base/base.h"

enum { SANDBOX_UNSAID, SANDBOX_ALLOW, SANDBOX_DENY, SANDBOX_CHILDREN };
struct sandbox {
    bool off, said;          /* said: the option was there, so it is an error if it cannot be done */
    uint8_t obsolete, elevate, spawn, resource; /* SANDBOX_* */
};
/* "on|off[,obsolete=allow|deny][,elevateprivileges=allow|deny|children][,spawn=allow|deny][,resourcecontrol=allow|deny]" */
int sandbox_parse(struct sandbox *s, const char *text, struct err *e);
/* From here on, for all threads. Not said are: obsolete, elevateprivileges and spawn denied, resourcecontrol allowed. -ENOTSUP: the
 * kernel has no seccomp. */
int sandbox_enter(const struct sandbox *s, struct err *e);

#endif
