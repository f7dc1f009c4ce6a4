/* monitor_usb.c: commands about USB: what is plugged in. Plugging and unplugging is device_add and device_del. */
#include "dev/usb/usb.h"
#include "sys/monitor_cmd.h"

static int info_usb(struct mon_call *c, struct err *e)
{
    bool any = false;
    for (struct bus *b = c->m ? c->m->b.buses : NULL; b; b = b->next) any |= !strcmp(b->type, "usb-bus");
    if (!any) {
        mon_out(c, "USB support not enabled\n");
        return 0;
    }
    unsigned n = 0;
    for (struct bus *b = c->m->b.buses; b; b = b->next) {
        if (strcmp(b->type, "usb-bus")) continue;
        for (const struct usb_port *p = ((struct usb_bus *)b->data)->ports; p; p = p->next) {
            const struct usb_dev *d = p->dev;
            if (d && d->attached)
                mon_out(c, "  Device %u.%u, Port %s, Speed %s Mb/s, Product %s%s%s\n", n, d->address, p->path, usb_speed_name(d->speed), d->desc->name,
                        d->dev.id ? ", ID: " : "", d->dev.id ? d->dev.id : "");
        }
        n++;
    }
    return 0;
}

static const struct mon_cmd cmds[] = { HMP("info usb", "", info_usb, "show guest USB devices") };
const struct mon_table usb_mon = { MON_TABLE(cmds) };
