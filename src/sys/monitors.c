/* monitors.c: what the command line says of monitors. Known gap: there are none yet; Ctrl-A x ends the machine. */
#include "sys/sys.h"

int sys_monitor(struct sys *s, struct chr *c, bool qmp, bool pretty, struct err *e)
{
    if (c == s->mon_chr) return 0;
    return err_set(e, ENOTSUP, "there is no monitor yet");
}

void sys_monitors_free(struct sys *s)
{
}
