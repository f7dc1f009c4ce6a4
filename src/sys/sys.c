/*
 * sys.c: a process that runs one machine: back ends, the machine, its devices, monitors; then the loop, until somebody ends it.
 */
#include "sys/sys.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "lyre.h"
#include "sys/gdbstub.h"
#include "sys/monitor_cmd.h"

/* Fails with the option in front: "-device foo: ...". */
static int failed_at(const struct sys_item *it, struct err *e, int r)
{
    struct err why = *e;
    return err_set(e, why.code ? why.code : -r, "-%s %.80s: %.160s", it->opt, it->arg, why.msg);
}

static int each(struct sys *s, struct sys_items *l, int (*fn)(struct sys *s, const struct sys_item *it, struct err *e), struct err *e)
{
    for (unsigned i = 0; i < l->count; i++) {
        int r = fn(s, &l->item[i], e);
        if (r) return failed_at(&l->item[i], e, r);
    }
    return 0;
}

/* --- back ends ------------------------------------------------------------------------------------------------------------ */

static int add_chardev(struct sys *s, const struct sys_item *it, struct err *e)
{
    return chr_new_text(s->chrs, it->arg, NULL, e);
}

static int add_blockdev(struct sys *s, const struct sys_item *it, struct err *e)
{
    return blk_blockdev_add(s->blks, it->arg, e);
}

static int add_drive(struct sys *s, const struct sys_item *it, struct err *e)
{
    if (s->cfg.ndrives == SYS_ITEMS) return err_set(e, E2BIG, "more than %d of them", SYS_ITEMS);
    struct blk_drive *d = &s->drives[s->cfg.ndrives];
    int r = blk_drive_open(s->blks, s->snapshot ? sys_text(s, "snapshot=on,%s", it->arg) : it->arg, d, e);
    if (r) return r;
    if (!d->iface[0] && s->empty) snprintf(d->iface, sizeof d->iface, "none");
    if (!d->iface[0]) snprintf(d->iface, sizeof d->iface, "%s", s->cfg.type->blk_if ? s->cfg.type->blk_if : "virtio");
    if (d->index < 0 && d->unit < 0) { /* the next that is free of its kind */
        int next = 0;
        for (unsigned i = 0; i < s->cfg.ndrives; i++)
            if (!strcmp(s->drives[i].iface, d->iface)) next++;
        d->index = next;
    }
    s->cfg.ndrives++;
    if (!*blk_name(d->blk)) { /* as QEMU calls them: virtio0, ide1-cd0 */
        bool ide = !strcmp(d->iface, "ide") || !strcmp(d->iface, "scsi");
        int unit = d->unit >= 0 ? d->unit : d->index;
        char name[64];
        if (ide) snprintf(name, sizeof name, "%s%d-%s%d", d->iface, unit / 2, strcmp(d->media, "cdrom") ? "hd" : "cd", unit % 2);
        else snprintf(name, sizeof name, "%s%d", d->iface, unit);
        if (!blk_find(s->blks, name)) blk_set_name(d->blk, name);
    }
    return 0;
}

static int add_net(struct sys *s, const struct sys_item *it, struct err *e)
{
    if (!strcmp(it->opt, "nic")) return net_nic_option(s->nets, it->arg, e);
    if (!strcmp(it->opt, "net")) return net_net_option(s->nets, it->arg, e);
    return net_new_text(s->nets, it->arg, e);
}

static int add_object(struct sys *s, const struct sys_item *it, struct err *e)
{
    return object_add_text(s->objs, it->arg, e);
}

/* Those that back ends and drives name are made before them, filters of networks after them. */
static int add_objects(struct sys *s, bool filters, struct err *e)
{
    for (unsigned i = 0; i < s->objects.count; i++) {
        const struct sys_item *it = &s->objects.item[i];
        int r = !!strstr(it->arg, "filter-") == filters ? add_object(s, it, e) : 0;
        if (r) return failed_at(it, e, r);
    }
    return 0;
}

static void blocks_ready(void *ctx, unsigned events)
{
    blk_graph_poll(((struct sys *)ctx)->blks);
}

static void quit(void *ctx)
{
    struct sys *s = ctx;
    if (s->m) machine_request(s->m, BOARD_SHUTDOWN, 0);
    else loop_stop(s->loop, 0);
}

static void save_disks(void *ctx)
{
    blk_drain_all(((struct sys *)ctx)->blks);
}

static int serials(struct sys *s, struct err *e)
{
    /* the terminal is the first serial port, and the monitor behind Ctrl-A c, unless somebody says otherwise */
    bool terminal = (s->nographic || !s->display_none) && !s->daemonize && !s->empty;
    unsigned n = s->serials.count;
    if (!n && !s->cfg.nodefaults && terminal) {
        bool taken = false;
        for (unsigned i = 0; i < s->monitors.count; i++) taken |= strstr(s->monitors.item[i].arg, "stdio") != NULL;
        s->serials.item[s->serials.count++] = (struct sys_item){ "serial", taken ? "null" : s->monitors.count ? "stdio" : "mon:stdio" };
    }
    for (unsigned i = 0; i < s->serials.count; i++) {
        const struct sys_item *it = &s->serials.item[i];
        struct chr *c = NULL;
        bool mon = false;
        int r = chr_legacy(s->chrs, it->arg, sys_text(s, "serial%u", i), &c, &mon, e);
        if (r) return failed_at(it, e, r);
        if (!c) continue;
        if (i < MACHINE_SERIALS) s->cfg.serial[i] = c;
        if (mon) s->mon_chr = c;
    }
    return 0;
}

static int backends(struct sys *s, struct err *e)
{
    static const struct chr_host no_host;
    struct chr_host host = no_host;
    int r;
    host.quit = quit;
    host.save = save_disks;
    host.ctx = s;
    if (!(s->loop = loop_new(e))) return -EMFILE;
    loop_lock(s->loop);
    s->chrs = chr_set_new(s->loop, &host);
    s->nets = net_set_new(s->loop, NULL);
    s->blks = blk_graph_new();
    if (!s->chrs || !s->nets || !s->blks) return err_set(e, ENOMEM, "out of memory");
    if (!loop_fd_new(s->loop, blk_graph_fd(s->blks), LOOP_IN, blocks_ready, s, e)) return -EMFILE;
    s->objs = objects_new(s->loop, s->blks, s->nets);
    if ((r = add_objects(s, false, e)) || (r = each(s, &s->chardevs, add_chardev, e)) || (r = serials(s, e)) || (r = each(s, &s->blockdevs, add_blockdev, e)) ||
        (r = each(s, &s->drive_opts, add_drive, e)) || (r = each(s, &s->netdevs, add_net, e)))
        return r;
    return add_objects(s, true, e);
}

/* --- the machine ------------------------------------------------------------------------------------------------------------ */

static int add_device(struct sys *s, const struct sys_item *it, struct err *e)
{
    return machine_device(s->m, it->arg, e);
}

/* Drives with an interface that is a kind of device get one. */
static int drive_devices(struct sys *s, struct err *e)
{
    for (unsigned i = 0; i < s->cfg.ndrives; i++) {
        struct blk_drive *d = &s->drives[i];
        const char *driver = NULL;
        if (!strcmp(d->iface, "virtio")) driver = bus_find(&s->m->b, "pci", NULL, NULL) && device_find("virtio-blk-pci") ? "virtio-blk-pci" : "virtio-blk-device";
        if (!driver || !blk_node_of(d->blk)) continue;
        const char *serial = d->serial[0] ? sys_text(s, ",serial=%s", d->serial) : "";
        int r = machine_device(s->m, sys_text(s, "%s,drive=%s%s", driver, blk_name(d->blk), serial), e);
        if (r) return r;
    }
    return 0;
}

/* if=sd: cards, in slots of the board or of -device, in order. */
static int sd_cards(struct sys *s, struct err *e)
{
    int r = 0;
    for (unsigned i = 0; i < s->cfg.ndrives && !r; i++) {
        struct blk_drive *d = &s->drives[i];
        if (strcmp(d->iface, "sd") || !blk_node_of(d->blk)) continue;
        if (!bus_find(&s->m->b, "sd-bus", NULL, NULL)) return err_set(e, ENODEV, "-drive if=sd: machine '%s' has no free slot for an SD card", s->cfg.type->name);
        r = machine_device(s->m, sys_text(s, "sd-card,drive=%s", blk_name(d->blk)), e);
    }
    return r;
}

static int one_nic(struct sys *s, const char *model, const struct net_nic *n, struct err *e)
{
    static const uint8_t no_mac[6];
    char *text = sys_text(s, "%s", model);
    if (!strcmp(model, "virtio")) text = sys_text(s, "virtio-net-pci");
    if (!device_find(text)) return err_set(e, ENODEV, "-nic: there is no model '%s'", model);
    if (n->netdev) text = sys_text(s, "%s,netdev=%s", text, n->netdev);
    if (n->id) text = sys_text(s, "%s,id=%s", text, n->id);
    if (memcmp(n->mac, no_mac, 6))
        text = sys_text(s, "%s,mac=%02x:%02x:%02x:%02x:%02x:%02x", text, n->mac[0], n->mac[1], n->mac[2], n->mac[3], n->mac[4], n->mac[5]);
    char *rest = opts_text(&n->rest);
    if (rest && *rest) text = sys_text(s, "%s,%s", text, rest);
    free(rest);
    return machine_device(s->m, text, e);
}

static int nics(struct sys *s, struct err *e)
{
    struct net_nic *n;
    const char *model = s->cfg.type->nic;
    int r = 0;
    if (!net_options_given(s->nets) && !s->cfg.nodefaults && model && !s->netdevs.count && bus_find(&s->m->b, "pci", NULL, NULL) &&
        device_find(model) && (r = net_nic_option(s->nets, "user", e)))
        return r;
    for (unsigned i = 0; !r && (n = net_nic_request(s->nets, i)); i++) {
        if (n->taken) continue;
        n->taken = true;
        r = one_nic(s, n->model ? n->model : model ? model : "virtio-net-pci", n, e);
    }
    return r;
}

/* -usb: boards that have a USB controller say so by themselves. */
static int usb(struct sys *s, struct err *e)
{
    struct board *b = &s->m->b;
    int r = 0;
    if (s->usb && !bus_find(b, "usb-bus", NULL, NULL) && bus_find(b, "pci", NULL, NULL)) r = machine_device(s->m, "qemu-xhci,id=usb", e);
    if (!r && s->usbs.count && !bus_find(b, "usb-bus", NULL, NULL))
        r = err_set(e, ENODEV, "-usbdevice: machine '%s' has no USB bus", s->cfg.type->name);
    return r ? r : each(s, &s->usbs, add_device, e);
}

static int dump_tree(struct sys *s, struct err *e)
{
    FILE *f = fopen(s->cfg.dumpdtb, "wb");
    if (!s->m->fdt) return err_set(e, EINVAL, "machine '%s' has no device tree", s->cfg.type->name);
    bool ok = f && fwrite(s->m->fdt, s->m->fdt_size, 1, f) == 1;
    if (f) ok = !fclose(f) && ok;
    if (!ok) return err_set(e, errno ? errno : EIO, "%s: %s", s->cfg.dumpdtb, strerror(errno));
    fprintf(stderr, "%s: info: dtb dumped to %s. Exiting.\n", s->role, s->cfg.dumpdtb);
    return 0;
}

/* --- what is shown, and what is given up ---------------------------------------------------------------------------------------- */

static struct json_object *vnc_json(const struct vnc_address *a, const char *auth)
{
    struct json_object *o = mon_obj("host:s", a->host, "service:s", a->service, "family:s", a->family, "websocket:b", 0, NULL);
    if (auth) json_object_object_add(o, "auth", json_object_new_string(auth));
    return o;
}

static void vnc_said(void *ctx, struct vnc *v, enum vnc_event ev, const struct vnc_address *client)
{
    static const char *const names[] = { "VNC_CONNECTED", "VNC_INITIALIZED", "VNC_DISCONNECTED" };
    struct sys *s = ctx;
    struct vnc_address own;
    if (!s->mons) return;
    vnc_listens(v, &own);
    monitor_event(s->mons, names[ev], mon_obj("server:o", vnc_json(&own, vnc_auth(v)), "client:o", vnc_json(client, NULL), NULL));
}

/* The text of -object secret. */
static const char *secret_text(void *ctx, const char *id)
{
    return objects_secret(((struct sys *)ctx)->objs, id);
}

static int add_vnc(struct sys *s, const struct sys_item *it, struct err *e)
{
    return strcmp(it->arg, "none") ? vnc_new(s->vnc, it->arg, e) : 0; /* "none" alone: no server */
}

static int displays(struct sys *s, struct err *e)
{
    struct vnc_host h = { .event = vnc_said, .secret = secret_text, .ctx = s };
    s->vnc = vnc_set_new(s->loop, s->m->b.display, &h);
    return each(s, &s->vncs, add_vnc, e);
}

/* Networks that start a command while the machine runs: guestfwd's, smbd, tap's script at the end. */
static bool networks_spawn(const struct sys *s)
{
    for (unsigned i = 0; i < s->netdevs.count; i++) {
        const char *a = s->netdevs.item[i].arg;
        if (strstr(a, "-cmd:") || strstr(a, "smb=") || (!strncmp(a, "tap", 3) && !strstr(a, "downscript=no") && !strstr(a, "fd="))) return true;
    }
    return false;
}

static int give_up(struct sys *s, struct err *e)
{
    struct err why = { 0 };
    if (!s->sandbox.spawn && networks_spawn(s)) s->sandbox.spawn = SANDBOX_ALLOW;
    int r = sandbox_enter(&s->sandbox, &why);
    if (r && s->sandbox.said) return err_set(e, -r, "-sandbox: %s", why.msg);
    if (r) fprintf(stderr, "%s: warning: no sandbox: %s\n", s->role, why.msg);
    return 0;
}

/* A monitor on what "-monitor", "-qmp", "-mon" say. */
static int one_monitor(struct sys *s, const struct sys_item *it, unsigned n, struct err *e)
{
    struct chr *c = NULL;
    bool qmp = !strncmp(it->opt, "qmp", 3), pretty = !strcmp(it->opt, "qmp-pretty");
    int r = 0;
    if (!strcmp(it->opt, "mon")) {
        struct opts o = { 0 };
        static const char *const modes[] = { "readline", "control", NULL };
        int mode = 0;
        if (!(r = opts_parse(&o, it->arg, "chardev", e)) && !(r = opts_enum(&o, "mode", modes, 0, &mode, e)) &&
            !(r = opts_bool(&o, "pretty", false, &pretty, e))) {
            qmp = mode == 1;
            c = chr_find(s->chrs, opts_str(&o, "chardev", ""));
            if (!c) r = err_set(e, ENOENT, "chardev \"%s\" not found", opts_str(&o, "chardev", ""));
        }
        opts_free(&o);
    } else {
        r = chr_legacy(s->chrs, it->arg, sys_text(s, "compat_monitor%u", n), &c, NULL, e);
    }
    return r || !c ? r : sys_monitor(s, c, qmp, pretty, e);
}

static int monitors(struct sys *s, struct err *e)
{
    int r;
    if (s->mon_chr && (r = sys_monitor(s, s->mon_chr, false, false, e))) return r;
    for (unsigned i = 0; i < s->monitors.count; i++)
        if ((r = one_monitor(s, &s->monitors.item[i], i, e))) return failed_at(&s->monitors.item[i], e, r);
    return 0;
}

static int debuggers(struct sys *s, struct err *e)
{
    for (unsigned i = 0; i < s->gdbs.count; i++) {
        struct chr *c = NULL;
        const char *arg = s->gdbs.item[i].arg;
        int r = 0;
        if (!strcmp(arg, "none")) continue;
        if (!strchr(arg, ',') && !strncmp(arg, "tcp:", 4)) arg = sys_text(s, "%s,server=on,wait=off,nodelay=on", arg);
        r = chr_legacy(s->chrs, arg, sys_text(s, "gdb%u", i), &c, NULL, e);
        if (!r && c && !gdb_machine_new(s->m, c, monitor_command, sys_mons(s), e)) r = -EBUSY;
        if (r) return failed_at(&s->gdbs.item[i], e, r);
    }
    return 0;
}

static const struct dev_fsdev *fsdev_named(void *ctx, const char *id)
{
    struct sys *s = ctx;
    for (unsigned i = 0; i < s->nfsdevs; i++)
        if (!strcmp(s->fsdevs[i].id, id)) return &s->fsdevs[i];
    return NULL;
}

static int build(struct sys *s, struct err *e)
{
    int r;
    s->empty = s->machine && !strcmp(s->machine, "none");
    if (!s->empty && !(s->cfg.type = machine_find(s->guest->name, s->machine, e))) return -EINVAL;
    s->cfg.guest = s->guest;
    s->cfg.props = &s->machine_opts;
    s->cfg.globals = s->globals;
    s->cfg.fw_files = s->fw_files;
    s->cfg.drives = s->drives;
    if ((r = backends(s, e))) return r;
    if (s->empty) {
        if (s->devices.count) return err_set(e, ENODEV, "-device %.80s: machine 'none' has no buses", s->devices.item[0].arg);
        return monitors(s, e);
    }
    if (!(s->m = machine_new(&s->cfg, s->loop, s->chrs, s->nets, s->blks, e))) return -EINVAL;
    s->m->iothread_named = objects_iothread;
    s->m->iothread_ctx = s->objs;
    s->m->fsdev_named = fsdev_named;
    s->m->fsdev_ctx = s;
    if ((r = nics(s, e)) || (r = drive_devices(s, e)) || (r = usb(s, e)) || (r = each(s, &s->devices, add_device, e)) ||
        (r = sd_cards(s, e)))
        return r;
    if ((r = machine_begin(s->m, e)) || (r = semihost_begin(s, e))) return r;
    if ((r = displays(s, e)) || (r = monitors(s, e))) return r;
    return debuggers(s, e);
}

/* --- running ------------------------------------------------------------------------------------------------------------------- */

static void on_signal(void *ctx, unsigned events)
{
    struct sys *s = ctx;
    struct signalfd_siginfo si;
    if (read(s->sigfd, &si, sizeof si) != sizeof si) return;
    fprintf(stderr, "%s: terminating on signal %u from pid %u\n", s->role, si.ssi_signo, si.ssi_pid);
    if (s->mons) monitor_shutdown_reason(s->mons, "host-signal");
    if (!s->m) {
        loop_stop(s->loop, 0);
        return;
    }
    s->cfg.no_shutdown = s->m->cfg.no_shutdown = false;
    machine_request(s->m, BOARD_SHUTDOWN, 0);
}

/* SIGINT, SIGTERM and SIGHUP end the machine in order; blocked before there are threads. */
static int signals(struct sys *s, struct err *e)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    s->sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return s->sigfd < 0 ? err_set(e, errno, "signalfd: %s", strerror(errno)) : 0;
}

static void free_all(struct sys *s)
{
    if (s->loop && !loop_locked_by_me(s->loop)) loop_lock(s->loop);
    sys_monitors_free(s);
    if (s->m) {
        vnc_set_free(s->vnc);
        machine_free(s->m);
    }
    semihost_end(s);
    if (s->chrs) chr_set_free(s->chrs);
    if (s->nets) net_set_free(s->nets);
    if (s->blks) blk_graph_free(s->blks);
    objects_free(s->objs);
    if (s->loop) {
        loop_unlock(s->loop);
        loop_free(s->loop);
    }
    pidfile_remove(s);
}

static void list_systems(void)
{
    for (const struct guest *const *g = guest_registry; *g; g++)
        if ((*g)->sys && machine_nth((*g)->name, 0)) printf(" %s", (*g)->name);
    printf("\n");
}

int lyre_system(const char *role, const char *arch, int argc, char **argv)
{
    if (arch) return sys_main(role, arch, argc, argv);
    list_systems();
    return 0;
}

int sys_main(const char *role, const char *arch, int argc, char **argv)
{
    struct sys *s = xalloc(sizeof *s);
    struct err e = { 0 };
    int status = 1, r;
    s->role = role;
    s->sigfd = s->ready_fd = s->pid_fd = -1;
    s->guest = guest_find(arch);
    if (s->guest && !s->guest->sys) r = err_set(&e, ENOTSUP, "%s has no system mode", arch);
    else if (!s->guest) r = err_set(&e, ENOENT, "there is no architecture '%s'", arch);
    else r = cmdline_parse(s, argc, argv, &status, &e);
    if (!r) r = daemon_begin(s, &status, &e);
    if (r > 0) return status;
    if (!r) r = signals(s, &e);
    if (!r) r = build(s, &e);
    if (!r && s->cfg.dumpdtb) {
        r = dump_tree(s, &e);
        status = r ? 1 : 0;
    } else if (!r && !(r = pidfile_write(s, &e)) && !(r = give_up(s, &e)) &&
               loop_fd_new(s->loop, s->sigfd, LOOP_IN, on_signal, s, &e) && !(r = daemon_ready(s, &e))) {
        if (s->m && !s->cfg.start_paused) machine_start(s->m);
        loop_unlock(s->loop);
        status = loop_run(s->loop);
    }
    free_all(s);
    if (e.code) fprintf(stderr, "%s: %s\n", role, e.msg);
    return e.code ? 1 : status;
}
