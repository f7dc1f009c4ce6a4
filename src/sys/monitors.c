/* monitors.c: what the command line says of monitors. */
#include "sys/monitor.h"
#include "sys/sys.h"

struct monitors *sys_mons(struct sys *s)
{
    if (!s->mons) {
        struct monitors_config cfg = { .machine = s->m, .guest = s->guest, .loop = s->loop, .chrs = s->chrs, .nets = s->nets, .blks = s->blks, .vnc = s->vnc, .objs = s->objs,
                                       .name = s->cfg.name, .uuid = s->cfg.uuid };
        s->mons = monitors_new(&cfg);
    }
    return s->mons;
}

int sys_monitor(struct sys *s, struct chr *c, bool qmp, bool pretty, struct err *e)
{
    return monitor_add(sys_mons(s), c, qmp, pretty, e);
}

void sys_monitors_free(struct sys *s)
{
    monitors_free(s->mons);
    s->mons = NULL;
}
