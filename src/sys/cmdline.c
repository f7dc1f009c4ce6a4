/*
 * cmdline.c: the command line of machines: one table of options, QEMU's names and meanings (its documentation, system/invocation).
 * Known gaps: -incoming and -loadvm, displays other than none and vnc.
 */
#include "sys/sys.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

struct sys_text {
    struct sys_text *next;
    char text[];
};

char *sys_text(struct sys *s, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    struct sys_text *t = xalloc(sizeof *t + (size_t)MAX(n, 0) + 1);
    va_start(ap, fmt);
    vsnprintf(t->text, (size_t)MAX(n, 0) + 1, fmt, ap);
    va_end(ap);
    t->next = s->texts;
    s->texts = t;
    return t->text;
}

/* --- values ----------------------------------------------------------------------------------------------------------------- */

static int keep(struct sys_items *l, const char *opt, const char *arg, struct err *e)
{
    if (l->count == SYS_ITEMS) return err_set(e, E2BIG, "more than %d of them", SYS_ITEMS);
    l->item[l->count++] = (struct sys_item){ opt, arg };
    return 0;
}

static bool is_help(const char *s)
{
    return !strcmp(s, "help") || !strcmp(s, "?");
}

/* "kvm:tcg": the first that is not another's. */
static const char *pick_accel(struct sys *s, const char *list)
{
    static const char *const others[] = { "kvm", "xen", "hvf", "whpx", "nvmm", "hax", NULL };
    for (const char *p = list; *p;) {
        size_t n = strcspn(p, ":");
        bool ours = n > 0;
        for (unsigned i = 0; others[i]; i++) ours &= strlen(others[i]) != n || strncmp(p, others[i], n) != 0;
        if (ours) return sys_text(s, "%.*s", (int)n, p);
        p += n + (p[n] == ':');
    }
    return list;
}

/* kernel= and the like of -machine are the options of these names. */
int cmdline_machine(struct sys *s, const char *arg, struct err *e)
{
    struct opts o = { 0 };
    int r = opts_parse(&o, arg, "type", e);
    for (uint32_t i = 0; !r && i < o.count; i++) {
        const char *key = o.list[i].key, *val = sys_text(s, "%s", o.list[i].val);
        if (!strcmp(key, "type")) s->machine = val;
        else if (!strcmp(key, "kernel")) s->cfg.kernel = val;
        else if (!strcmp(key, "initrd")) s->cfg.initrd = val;
        else if (!strcmp(key, "append")) s->cfg.append = val;
        else if (!strcmp(key, "dtb")) s->cfg.dtb = val;
        else if (!strcmp(key, "dumpdtb")) s->cfg.dumpdtb = val;
        else if (!strcmp(key, "firmware")) s->cfg.bios = val;
        else if (!strcmp(key, "accel")) s->cfg.accel = pick_accel(s, val);
        else if (!strcmp(key, "usb")) s->usb = !strcmp(val, "on");
        else if (!strcmp(key, "dump-guest-core") || !strcmp(key, "mem-merge") || !strcmp(key, "graphics") ||
                 !strcmp(key, "hpet") || !strcmp(key, "suppress-vmdesc") || !strcmp(key, "memory-backend")) continue;
        else opts_add(&s->machine_opts, key, val);
    }
    opts_free(&o);
    return r;
}

/* -accel NAME[,thread=...][,tb-size=MiB][,warmup=N]; also the list of -machine accel=kvm:tcg. */
static int set_accel(struct sys *s, const char *arg, struct err *e)
{
    struct opts o = { 0 };
    uint64_t mib = 0, warmup = 0;
    static const char *const threads[] = { "single", "multi", NULL };
    int single = 1, r = opts_parse(&o, arg, "accel", e);
    if (!r) r = opts_num(&o, "tb-size", 0, 0, 1 << 20, &mib, e);
    if (!r) r = opts_num(&o, "warmup", ~0ull, 0, WARMUP_MAX, &warmup, e);
    if (!r) r = opts_enum(&o, "thread", threads, 1, &single, e);
    if (!r) {
        const char *name = opts_str(&o, "accel", "tcg");
        opts_has(&o, "one-insn-per-tb");
        s->cfg.accel = sys_text(s, "%s", name);
        s->cfg.cache_bytes = mib << 20;
        s->cfg.warmup = (unsigned)(warmup + 1);
        s->cfg.one_thread = single == 0;
        r = opts_check(&o, "accel", e);
    }
    opts_free(&o);
    return r;
}

static int set_smp(struct sys *s, const char *arg, struct err *e)
{
    static const char *const keys[] = { "cpus", "sockets", "dies", "clusters", "cores", "threads", "maxcpus" };
    uint64_t v[ARRAY_LEN(keys)] = { 0 };
    struct opts o = { 0 };
    int r = opts_parse(&o, arg, "cpus", e);
    for (unsigned i = 0; !r && i < ARRAY_LEN(keys); i++) {
        r = opts_num(&o, keys[i], 0, 1, 65535, &v[i], e);
        if (!r && opts_has(&o, keys[i]) && !v[i]) r = err_set(e, EINVAL, "Parameter 'smp.%s' must be greater than zero", keys[i]);
    }
    if (!r) r = opts_check(&o, "smp", e);
    opts_free(&o);
    if (r) return r;
    uint64_t per = MAX(v[2], 1u) * MAX(v[3], 1u), total = MAX(v[1], 1u) * per * MAX(v[4], 1u) * MAX(v[5], 1u);
    bool shape = v[1] || v[4] || v[5] || v[2] || v[3];
    if (!v[0]) v[0] = v[6] ? v[6] : total;
    if (!v[6]) v[6] = MAX(v[0], shape ? total : 0);
    if (v[1] && v[4] && v[5] && total != v[6])
        return err_set(e, EINVAL, "Invalid CPU topology: product of the hierarchy must match maxcpus: sockets (%u) * cores (%u) * threads (%u) != maxcpus (%u)",
                       (unsigned)v[1], (unsigned)v[4], (unsigned)v[5], (unsigned)v[6]);
    if (v[6] < v[0])
        return err_set(e, EINVAL, "Invalid CPU topology: maxcpus must be equal to or greater than smp: maxcpus (%u) < smp_cpus (%u)", (unsigned)v[6],
                       (unsigned)v[0]);
    s->cfg.cpus = (unsigned)v[0], s->cfg.maxcpus = (unsigned)v[6];
    s->cfg.sockets = (unsigned)v[1], s->cfg.cores = (unsigned)v[4], s->cfg.threads = (unsigned)v[5];
    return 0;
}

static int set_mem(struct sys *s, const char *arg, struct err *e)
{
    struct opts o = { 0 };
    uint64_t v = 0, max = 0, slots = 0;
    int r = opts_parse(&o, arg, "size", e);
    const char *size = r ? NULL : opts_get(&o, "size");
    size_t n = size ? strlen(size) : 0;
    /* a plain number is MiB */
    if (n && size[n - 1] >= '0' && size[n - 1] <= '9' && n < 16 && strncmp(size, "0x", 2)) opts_add(&o, "size", sys_text(s, "%sM", size));
    if (!r) r = opts_size(&o, "size", 0, &v, e);
    if (!r) r = opts_size(&o, "maxmem", 0, &max, e);
    if (!r) r = opts_num(&o, "slots", 0, 0, 256, &slots, e);
    if (!r) r = opts_check(&o, "memory", e);
    opts_free(&o);
    if (!r) s->cfg.ram = v;
    return r;
}

static int set_rtc(struct sys *s, const char *arg, struct err *e)
{
    struct opts o = { 0 };
    static const char *const clocks[] = { "host", "vm", "rt", NULL };
    int clock = 0, r = opts_parse(&o, arg, "base", e);
    if (!r) r = opts_enum(&o, "clock", clocks, 0, &clock, e);
    const char *base = r ? "utc" : opts_str(&o, "base", "utc");
    static const char *const drift[] = { "none", "slew", NULL }; /* the boards' clocks are read, they tick for nobody */
    int drifts = 0;
    if (!r) r = opts_enum(&o, "driftfix", drift, 0, &drifts, e);
    if (!r) r = opts_check(&o, "rtc", e);
    time_t now = time(NULL);
    struct tm t = { 0 };
    s->cfg.rtc_offset = 0;
    if (r) {
    } else if (!strcmp(base, "localtime")) {
        localtime_r(&now, &t);
        s->cfg.rtc_offset = t.tm_gmtoff;
    } else if (strcmp(base, "utc")) {
        const char *end = strptime(base, "%Y-%m-%dT%H:%M:%S", &t);
        if (!end) end = strptime(base, "%Y-%m-%d", &t);
        if (!end || *end) r = err_set(e, EINVAL, "invalid datetime format; valid formats: '2006-06-17T16:01:21' or '2006-06-17'");
        else s->cfg.rtc_offset = timegm(&t) - now;
    }
    s->cfg.rtc_guest_clock = clock == 1;
    opts_free(&o);
    return r;
}

static int set_icount(struct sys *s, const char *arg, struct err *e)
{
    struct opts o = { 0 };
    uint64_t shift = 3;
    bool sleep = true, align = false;
    int r = opts_parse(&o, arg, "shift", e);
    if (!r && strcmp(opts_str(&o, "shift", "auto"), "auto")) r = opts_num(&o, "shift", 0, 0, 10, &shift, e);
    if (!r) r = opts_bool(&o, "sleep", true, &sleep, e);
    if (!r) r = opts_bool(&o, "align", false, &align, e);
    if (!r && align) r = err_set(e, ENOTSUP, "align=on is not here yet");
    if (!r) r = opts_check(&o, "icount", e);
    if (!r) s->cfg.icount = true, s->cfg.icount_shift = (uint8_t)shift, s->cfg.icount_nosleep = !sleep;
    opts_free(&o);
    return r;
}

static int set_action(struct sys *s, const char *arg, struct err *e)
{
    static const char *const reboot[] = { "reset", "shutdown", NULL }, *const end[] = { "poweroff", "pause", NULL },
                      *const panic[] = { "shutdown", "pause", "none", "exit-failure", NULL };
    struct opts o = { 0 };
    int v = 0, r = opts_parse(&o, arg, NULL, e);
    if (!r && !(r = opts_enum(&o, "reboot", reboot, s->cfg.no_reboot, &v, e))) s->cfg.no_reboot = v == 1;
    if (!r && !(r = opts_enum(&o, "shutdown", end, s->cfg.no_shutdown, &v, e))) s->cfg.no_shutdown = v == 1;
    if (!r && !(r = opts_enum(&o, "watchdog", watchdog_actions, (int)s->cfg.watchdog, &v, e))) s->cfg.watchdog = (enum watchdog_action)v;
    if (!r) r = opts_enum(&o, "panic", panic, 0, &v, e); /* no board has a panic device */
    if (!r) r = opts_check(&o, "action", e);
    opts_free(&o);
    return r;
}

/* A file of fw_cfg with a little-endian number. */
static int boot_file(struct sys *s, const char *name, uint64_t v, uint32_t len, struct err *e)
{
    if (s->cfg.nfw_files == SYS_ITEMS) return err_set(e, E2BIG, "more than %d files", SYS_ITEMS);
    char *d = sys_text(s, "%*s", (int)len, "");
    for (uint32_t i = 0; i < len; i++) d[i] = (char)(v >> 8 * i);
    s->fw_files[s->cfg.nfw_files++] = (struct machine_fw_file){ .name = name, .data = (const uint8_t *)d, .len = len };
    return 0;
}

/* What firmware finds in fw_cfg: how long the menu waits, and when it tries again. */
static int set_boot(struct sys *s, const char *arg, struct err *e)
{
    struct opts o = { 0 };
    bool menu = false, strict;
    uint64_t splash = 0, again = 0;
    int r = opts_parse(&o, arg, "order", e);
    if (!r) r = opts_bool(&o, "menu", false, &menu, e);
    if (!r) r = opts_bool(&o, "strict", false, &strict, e);
    if (!r) r = opts_num(&o, "splash-time", 0, 0, 0xffff, &splash, e);
    bool has_again = !r && opts_has(&o, "reboot-timeout");
    if (has_again && !strcmp(opts_get(&o, "reboot-timeout"), "-1")) again = UINT32_MAX;
    else if (!r) r = opts_num(&o, "reboot-timeout", 0, 0, 0xffff, &again, e);
    static const char *const drives[] = { "order", "once" };
    for (unsigned i = 0; !r && i < ARRAY_LEN(drives); i++) {
        const char *d = opts_str(&o, drives[i], "");
        for (const char *p = d; *p && !r; p++)
            if (*p < 'a' || *p > 'p') r = err_set(e, EINVAL, "Invalid boot device: '%c' is not a drive a to p", *p);
    }
    opts_has(&o, "splash");
    if (!r) s->cfg.boot_menu = menu, s->cfg.boot_strict = strict;
    if (!r && menu && splash) r = boot_file(s, "etc/boot-menu-wait", splash, 2, e);
    if (!r && has_again) r = boot_file(s, "etc/boot-fail-wait", again, 4, e);
    if (!r) r = opts_check(&o, "boot-opts", e);
    opts_free(&o);
    return r;
}

/* -fsdev local,id=,path=,security_model=[,readonly=on]; -virtfs also makes the device (mount_tag=). */
static int add_fsdev(struct sys *s, const char *arg, bool device, struct err *e)
{
    static const char *const models[] = { "passthrough", "none", "mapped", "mapped-xattr", "mapped-file", NULL };
    struct opts o = { 0 };
    bool readonly = false;
    int model = -1, r = opts_parse(&o, arg, "fsdriver", e);
    const char *kind = r ? "" : opts_str(&o, "fsdriver", ""), *path = r ? NULL : opts_get(&o, "path"), *tag = r ? NULL : opts_get(&o, "mount_tag");
    const char *id = r ? NULL : opts_str(&o, "id", device ? tag : NULL);
    static const char *const ignored[] = { "writeout", "multidevs", "fmode", "dmode" };
    for (unsigned i = 0; i < ARRAY_LEN(ignored); i++) opts_has(&o, ignored[i]);
    if (!r) r = opts_enum(&o, "security_model", models, -1, &model, e);
    if (!r) r = opts_bool(&o, "readonly", false, &readonly, e);
    if (!r && strcmp(kind, "local")) r = err_set(e, ENOTSUP, "fsdriver '%s' is not here: there is local", kind);
    else if (!r && model == 4) r = err_set(e, ENOTSUP, "security_model=mapped-file is not here: mapped-xattr does the same with extended attributes");
    else if (!r && (!path || (device && !tag))) r = err_set(e, EINVAL, "it takes path=%s", device ? " and mount_tag=" : "");
    else if (!r && !id) r = err_set(e, EINVAL, "it takes id=");
    else if (!r && model < 0) r = err_set(e, EINVAL, "security_model= is missing: passthrough, mapped-xattr, none");
    else if (!r && s->nfsdevs == SYS_ITEMS) r = err_set(e, E2BIG, "more than %d of them", SYS_ITEMS);
    if (!r) r = opts_check(&o, "fsdev", e);
    if (!r) s->fsdevs[s->nfsdevs++] = (struct dev_fsdev){ sys_text(s, "%s", id), sys_text(s, "%s", path), models[model], readonly };
    if (!r && device) r = keep(&s->devices, "device", sys_text(s, "virtio-9p-pci,fsdev=%s,mount_tag=%s", id, tag), e);
    opts_free(&o);
    return r;
}

static int set_uuid(struct sys *s, const char *arg, struct err *e)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t i = 0;
    while (form[i] && (form[i] == '-' ? arg[i] == '-' : isxdigit((unsigned char)arg[i]))) i++;
    if (form[i] || arg[i]) return err_set(e, EINVAL, "Failed to parse UUID string: Wrong format");
    s->cfg.uuid = arg;
    return 0;
}

static int set_name(struct sys *s, const char *arg, struct err *e)
{
    struct opts o = { 0 };
    int r = opts_parse(&o, arg, "guest", e);
    bool threads;
    if (!r) s->cfg.name = sys_text(s, "%s", opts_str(&o, "guest", ""));
    if (!r) r = opts_bool(&o, "debug-threads", false, &threads, e); /* threads always have names */
    if (!r && opts_has(&o, "process")) prctl(PR_SET_NAME, opts_get(&o, "process"));
    if (!r) r = opts_check(&o, "name", e);
    opts_free(&o);
    return r;
}

static int add_global(struct sys *s, const char *arg, struct err *e)
{
    const char *dot = strchr(arg, '.'), *eq = strchr(arg, '=');
    if (s->cfg.nglobals == SYS_ITEMS) return err_set(e, E2BIG, "more than %d of them", SYS_ITEMS);
    struct machine_global *g = &s->globals[s->cfg.nglobals];
    if (dot && eq && dot < eq) {
        *g = (struct machine_global){ sys_text(s, "%.*s", (int)(dot - arg), arg), sys_text(s, "%.*s", (int)(eq - dot - 1), dot + 1), eq + 1 };
    } else {
        struct opts o = { 0 };
        int r = opts_parse(&o, arg, NULL, e);
        if (!r) *g = (struct machine_global){ sys_text(s, "%s", opts_str(&o, "driver", "")), sys_text(s, "%s", opts_str(&o, "property", "")),
                                              sys_text(s, "%s", opts_str(&o, "value", "")) };
        opts_free(&o);
        if (r) return r;
    }
    if (!*g->driver || !*g->prop) return err_set(e, EINVAL, "it takes DRIVER.PROPERTY=VALUE");
    if (!device_find(g->driver)) fprintf(stderr, "%s: warning: global %s.%s has invalid class name\n", s->role, g->driver, g->prop);
    s->cfg.nglobals++;
    return 0;
}

static int add_fw_cfg(struct sys *s, const char *arg, struct err *e)
{
    struct opts o = { 0 };
    int r = opts_parse(&o, arg, "name", e);
    const char *name = r ? NULL : opts_get(&o, "name"), *file = r ? NULL : opts_get(&o, "file"), *str = r ? NULL : opts_get(&o, "string");
    if (!r && (!name || !file == !str)) r = err_set(e, EINVAL, "it takes name=NAME and one of file=FILE, string=TEXT");
    if (!r && s->cfg.nfw_files == SYS_ITEMS) r = err_set(e, E2BIG, "more than %d of them", SYS_ITEMS);
    if (!r) {
        struct machine_fw_file *f = &s->fw_files[s->cfg.nfw_files];
        f->name = sys_text(s, "%s", name);
        if (str) {
            f->data = (const uint8_t *)sys_text(s, "%s", str);
            f->len = (uint32_t)strlen(str);
        } else {
            uint8_t *data;
            uint64_t len;
            r = image_read(file, 64 << 20, &data, &len, e);
            if (!r) f->data = data, f->len = (uint32_t)len;
        }
        if (!r) s->cfg.nfw_files++;
    }
    opts_free(&o);
    return r;
}

/* A file as a disk of the machine's default kind; its commas doubled for -drive. */
static int add_disk(struct sys *s, const char *opt, const char *file, const char *rest, struct err *e)
{
    char *t = xalloc(2 * strlen(file) + 1), *p = t;
    for (; *file; *p++ = *file++)
        if (*file == ',') *p++ = ',';
    const char *arg = sys_text(s, "file=%s,%s", t, rest);
    free(t);
    return keep(&s->drive_opts, opt, arg, e);
}

/* -usbdevice: the device's name, or a disk's file. */
static int add_usb(struct sys *s, const char *arg, struct err *e)
{
    static const char *const kinds[][2] = { { "keyboard", "usb-kbd" }, { "mouse", "usb-mouse" }, { "tablet", "usb-tablet" } };
    s->usb = true;
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
        if (!strcmp(arg, kinds[i][0])) return keep(&s->usbs, "usbdevice", kinds[i][1], e);
    if (strncmp(arg, "disk:", 5)) return err_set(e, EINVAL, "could not add USB device '%s'", arg);
    unsigned n = s->usbs.count;
    int r = add_disk(s, "usbdevice", arg + 5, sys_text(s, "if=none,id=usbdisk%u", n), e);
    return r ? r : keep(&s->usbs, "usbdevice", sys_text(s, "usb-storage,drive=usbdisk%u", n), e);
}

/* --- the table ------------------------------------------------------------------------------------------------------------------- */

enum opt_id {
    O_M, O_CPU, O_SMP, O_MEM, O_KERNEL, O_INITRD, O_APPEND, O_DTB, O_BIOS, O_NOGRAPHIC, O_SERIAL, O_PARALLEL, O_MONITOR, O_QMP, O_QMP_PRETTY, O_MON,
    O_CHARDEV, O_DRIVE, O_BLOCKDEV, O_HDA, O_HDB, O_HDC, O_HDD, O_CDROM, O_PFLASH, O_SD, O_DEVICE, O_NETDEV, O_NIC, O_NET, O_GLOBAL, O_OBJECT,
    O_ACCEL, O_RTC, O_NO_REBOOT, O_NO_SHUTDOWN, O_S, O_GDB_S, O_GDB, O_D, O_DD, O_DFILTER, O_TRACE, O_NAME, O_UUID, O_DISPLAY, O_VNC, O_VGA, O_NODEFAULTS,
    O_NO_USER_CONFIG, O_SANDBOX, O_MSG, O_OVERCOMMIT, O_BOOT, O_PIDFILE, O_FW_CFG, O_SNAPSHOT, O_KEYMAP, O_USB, O_SEMIHOSTING, O_SEMI_CONFIG, O_VERSION,
    O_H, O_ENABLE_KVM, O_ACTION, O_NUMA, O_DATADIR, O_DAEMONIZE, O_READCONFIG, O_ICOUNT, O_FSDEV, O_VIRTFS, O_SET, O_WATCHDOG, O_USBDEVICE
};

static const struct option_row {
    const char *name;
    bool arg;
    uint8_t id;
    const char *param, *help;
} table[] = {
    { "h", false, O_H, "", "this text" },
    { "help", false, O_H, NULL, NULL },
    { "version", false, O_VERSION, "", "the version" },
    { "machine", true, O_M, "[type=]name[,prop[=value][,...]]", "the machine; '-machine help' lists them, '-machine NAME,help' its options" },
    { "M", true, O_M, NULL, NULL },
    { "cpu", true, O_CPU, "cpu", "model of the CPUs; '-cpu help' lists them" },
    { "accel", true, O_ACCEL, "[accel=]accelerator[,prop[=value][,...]]", "how code runs: jit (or tcg), interp; warmup=n: translated when it has run n times" },
    { "smp", true, O_SMP, "[[cpus=]n][,maxcpus=maxcpus][,sockets=sockets][,cores=cores][,threads=threads]", "how many CPUs there are, and their topology" },
    { "m", true, O_MEM, "[size=]megs[,slots=n,maxmem=size]", "size of main memory, in MiB without a suffix" },
    { "icount", true, O_ICOUNT, "[shift=]N|auto[,sleep=on|off]", "guest time is the number of instructions << N: runs repeat" },
    { "global", true, O_GLOBAL, "driver.property=value", "default of a property for all devices of a driver" },
    { "boot", true, O_BOOT, "[order=drives][,...]", "menu=on|off,strict=on|off,splash-time=ms,reboot-timeout=ms are for firmware; it boots by devices' bootindex=" },
    { "name", true, O_NAME, "string", "name of the machine" },
    { "uuid", true, O_UUID, "%08x-%04x-%04x-%04x-%012x", "UUID of the machine" },
    { "device", true, O_DEVICE, "driver[,prop[=value][,...]]", "a device; '-device help' lists them, '-device NAME,help' its properties" },
    { "object", true, O_OBJECT, "TYPENAME[,PROP1=VALUE1,...]", "an object that devices refer to" },
    { "numa", true, O_NUMA, NULL, NULL },
    { "drive", true, O_DRIVE, "[file=file][,if=type][,index=i][,format=f][,...]", "a disk image, and how it is attached" },
    { "blockdev", true, O_BLOCKDEV, "[driver=]driver[,node-name=N][,...]", "a node of the block layer" },
    { "hda", true, O_HDA, "file", "image of disk 0" },
    { "hdb", true, O_HDB, "file", "image of disk 1" },
    { "hdc", true, O_HDC, "file", "image of disk 2" },
    { "hdd", true, O_HDD, "file", "image of disk 3" },
    { "cdrom", true, O_CDROM, "file", "image of a CD-ROM" },
    { "pflash", true, O_PFLASH, "file", "content of the next parallel flash" },
    { "sd", true, O_SD, "file", "image of an SD card" },
    { "snapshot", false, O_SNAPSHOT, "", "writes to disks go to temporary files" },
    { "netdev", true, O_NETDEV, "user|tap|socket|...,id=str[,...]", "a network for a NIC to be connected to" },
    { "nic", true, O_NIC, "[user|tap|...|none][,model=...][,mac=...]", "an on-board NIC with its backend" },
    { "net", true, O_NET, "nic|user|tap|...", "the older form of it" },
    { "chardev", true, O_CHARDEV, "socket|stdio|pty|file|...,id=id[,...]", "a character device" },
    { "serial", true, O_SERIAL, "dev", "where the next serial port goes" },
    { "parallel", true, O_PARALLEL, NULL, NULL },
    { "monitor", true, O_MONITOR, "dev", "where a monitor for people is" },
    { "qmp", true, O_QMP, "dev", "where a monitor for programs (QMP) is" },
    { "qmp-pretty", true, O_QMP_PRETTY, "dev", "the same with indented JSON" },
    { "mon", true, O_MON, "[chardev=]name[,mode=readline|control][,pretty[=on|off]]", "a monitor on a chardev" },
    { "fsdev", true, O_FSDEV, "local,id=id,path=path,security_model=mapped-xattr|passthrough|none[,readonly=on]", "a folder of the host for -device virtio-9p-pci,fsdev=id" },
    { "virtfs", true, O_VIRTFS, "local,path=path,mount_tag=tag,security_model=model[,id=id][,readonly=on]", "both at once" },
    { "set", true, O_SET, "group.id.arg=value", "adds an argument to an earlier option that has an id" },
    { "nographic", false, O_NOGRAPHIC, "", "no display; serial port and monitor on the terminal" },
    { "display", true, O_DISPLAY, "none|vnc=...", "kind of display" },
    { "vnc", true, O_VNC, "<display>[,password=on][,to=n][,share=...]", "a VNC server on HOST:DISPLAY or unix:PATH" },
    { "vga", true, O_VGA, "none", "accepted: boards here have none by default" },
    { "kernel", true, O_KERNEL, "file", "kernel to start: ELF, Image, raw, gzipped" },
    { "append", true, O_APPEND, "cmdline", "what the kernel is told" },
    { "initrd", true, O_INITRD, "file", "ram disk of the kernel" },
    { "dtb", true, O_DTB, "file", "device tree in place of the generated one" },
    { "bios", true, O_BIOS, "file", "firmware; none: the CPUs begin in the kernel" },
    { "L", true, O_DATADIR, NULL, NULL },
    { "fw_cfg", true, O_FW_CFG, "[name=]<name>,file=<file>|string=<str>", "a file for firmware to find" },
    { "rtc", true, O_RTC, "[base=utc|localtime|<datetime>][,clock=host|rt|vm]", "the guest's time of day" },
    { "no-reboot", false, O_NO_REBOOT, "", "a reset ends the process" },
    { "no-shutdown", false, O_NO_SHUTDOWN, "", "a shutdown stops the machine, and the process stays" },
    { "action", true, O_ACTION, "[reboot=reset|shutdown][,shutdown=poweroff|pause][,watchdog=reset|shutdown|poweroff|pause|debug|none|inject-nmi]",
      "what a guest's reset, shutdown and watchdog do" },
    { "watchdog-action", true, O_WATCHDOG, "reset|shutdown|poweroff|pause|debug|none|inject-nmi", "as -action watchdog=" },
    { "S", false, O_S, "", "the machine waits for a monitor's 'cont'" },
    { "s", false, O_GDB_S, "", "as -gdb tcp::1234" },
    { "gdb", true, O_GDB, "dev", "a gdb may connect there" },
    { "semihosting", false, O_SEMIHOSTING, "", "programs may use files and console of the host by semihosting calls" },
    { "semihosting-config", true, O_SEMI_CONFIG, "[enable=on|off][,target=native|auto][,chardev=id][,userspace=on|off][,arg=str[,...]]",
      "the same in detail" },
    { "d", true, O_D, "item1,...", "what is logged; '-d help' lists it" },
    { "D", true, O_DD, "logfile", "where the log goes; stderr otherwise" },
    { "dfilter", true, O_DFILTER, "range,..", "log about code in these ranges only" },
    { "trace", true, O_TRACE, "[[enable=]<pattern>]", "events that are traced, by pattern" },
    { "nodefaults", false, O_NODEFAULTS, "", "no serial port, monitor or NIC that nobody asked for" },
    { "no-user-config", false, O_NO_USER_CONFIG, "", "accepted: there are no files of that kind" },
    { "sandbox", true, O_SANDBOX, "on|off[,obsolete=allow|deny][,elevateprivileges=allow|deny|children][,spawn=allow|deny][,resourcecontrol=allow|deny]",
      "system calls are filtered once the machine runs (default: on; spawn=allow where a network runs a command)" },
    { "msg", true, O_MSG, NULL, NULL },
    { "overcommit", true, O_OVERCOMMIT, NULL, NULL },
    { "k", true, O_KEYMAP, NULL, NULL },
    { "usb", false, O_USB, "", "a USB controller, if the board has none" },
    { "usbdevice", true, O_USBDEVICE, "keyboard|mouse|tablet|disk:file", "a USB device, and -usb" },
    { "pidfile", true, O_PIDFILE, "file", "file for the process number" },
    { "daemonize", false, O_DAEMONIZE, "", "the process goes on in the background once its sockets are there" },
    { "readconfig", true, O_READCONFIG, "file", "options from a file" },
    { "enable-kvm", false, O_ENABLE_KVM, NULL, NULL },
};

static const char *nth_option(void *ctx, unsigned i)
{
    return i < ARRAY_LEN(table) ? table[i].name : NULL;
}

static void print_help(struct sys *s)
{
    help_version(s);
    printf("usage: %s [options] [disk_image]\n\nA disk_image is what -hda takes.\n\nOptions:\n", s->role);
    for (unsigned i = 0; i < ARRAY_LEN(table); i++) {
        char head[120];
        if (!table[i].help) continue;
        snprintf(head, sizeof head, "-%s %s", table[i].name, table[i].param);
        printf(strlen(head) < 16 ? "%-15s %s\n" : "%s\n                %s\n", head, table[i].help);
    }
}

static int trace_option(const char *arg, struct err *e)
{
    struct opts o = { 0 };
    int r = opts_parse(&o, arg, "enable", e);
    if (!r && opts_get(&o, "enable")) r = dev_trace_enable(opts_get(&o, "enable"), e);
    const char *file = r ? NULL : opts_get(&o, "file");
    if (file) r = log_open(file, e);
    opts_free(&o);
    return r;
}

/* Options whose "help" prints: true if it did. */
static int informative(struct sys *s, unsigned id, const char *arg, struct err *e)
{
    const char *comma = strchr(arg, ',');
    switch (id) {
    case O_H: print_help(s); return 1;
    case O_VERSION: help_version(s); return 1;
    case O_M:
        if (is_help(arg)) return help_machines(s), 1;
        if (comma && is_help(comma + 1)) {
            const struct machine_type *t = machine_find(s->guest->name, sys_text(s, "%.*s", (int)(comma - arg), arg), e);
            return t ? help_machine(s, t), 1 : -EINVAL;
        }
        return 0;
    case O_CPU: return is_help(arg) ? help_cpus(s), 1 : 0;
    case O_ACCEL: return is_help(arg) ? help_accels(), 1 : 0;
    case O_NETDEV: return is_help(arg) ? help_netdevs(), 1 : 0;
    case O_CHARDEV: return is_help(arg) ? help_chardevs(), 1 : 0;
    case O_D: return is_help(arg) ? help_log(), 1 : 0;
    case O_DISPLAY: return is_help(arg) ? printf("Available display backend types:\nnone\nvnc\n"), 1 : 0;
    case O_DEVICE:
        if (is_help(arg)) return help_devices(), 1;
        if (comma && is_help(comma + 1)) {
            int r = help_device(sys_text(s, "%.*s", (int)(comma - arg), arg), e);
            return r ? r : 1;
        }
        return 0;
    default: return 0;
    }
}

/* -set GROUP.ID.ARG=VALUE: of what has been given with id=ID. */
static int set_later(struct sys *s, const char *arg, struct err *e)
{
    char group[32], id[64], rest[400];
    struct { const char *name; struct sys_items *l; } groups[] = {
        { "device", &s->devices }, { "drive", &s->drive_opts }, { "netdev", &s->netdevs }, { "chardev", &s->chardevs }, { "object", &s->objects },
    };
    if (sscanf(arg, "%31[^.].%63[^.].%399[^\n]", group, id, rest) != 3 || !strchr(rest, '='))
        return err_set(e, EINVAL, "cannot parse: it takes GROUP.ID.ARG=VALUE");
    for (unsigned g = 0; g < ARRAY_LEN(groups); g++) {
        if (strcmp(groups[g].name, group)) continue;
        for (unsigned i = 0; i < groups[g].l->count; i++) {
            struct sys_item *it = &groups[g].l->item[i];
            struct opts o = { 0 };
            bool mine = *it->arg != '{' && !opts_parse(&o, it->arg, "driver", NULL) && !strcmp(opts_str(&o, "id", ""), id);
            opts_free(&o);
            if (!mine) continue;
            it->arg = sys_text(s, "%s,%s", it->arg, rest);
            return 0;
        }
        return err_set(e, ENOENT, "there is no %s \"%s\" defined", group, id);
    }
    return err_set(e, EINVAL, "There is no option group '%s'", group);
}

static int one(struct sys *s, const struct option_row *o, const char *arg, struct err *e)
{
    struct machine_config *c = &s->cfg;
    unsigned mask = 0;
    int r;
    switch (o->id) {
    case O_M: return cmdline_machine(s, arg, e);
    case O_CPU: c->cpu = arg; return 0;
    case O_SMP: return set_smp(s, arg, e);
    case O_MEM: return set_mem(s, arg, e);
    case O_KERNEL: c->kernel = arg; return 0;
    case O_INITRD: c->initrd = arg; return 0;
    case O_APPEND: c->append = arg; return 0;
    case O_DTB: c->dtb = arg; return 0;
    case O_BIOS: c->bios = arg; return 0;
    case O_NOGRAPHIC: s->nographic = c->nographic = true; return 0;
    case O_SERIAL: return keep(&s->serials, "serial", arg, e);
    case O_MONITOR: case O_QMP: case O_QMP_PRETTY: case O_MON: return keep(&s->monitors, o->name, arg, e);
    case O_CHARDEV: return keep(&s->chardevs, "chardev", arg, e);
    case O_DRIVE: return keep(&s->drive_opts, "drive", arg, e);
    case O_BLOCKDEV: return keep(&s->blockdevs, "blockdev", arg, e);
    case O_HDA: case O_HDB: case O_HDC: case O_HDD:
        return add_disk(s, o->name, arg, sys_text(s, "index=%d,media=disk", o->id - O_HDA), e);
    case O_CDROM: return add_disk(s, o->name, arg, "index=2,media=cdrom", e);
    case O_PFLASH: return add_disk(s, o->name, arg, "if=pflash,format=raw", e);
    case O_SD: return add_disk(s, o->name, arg, "if=sd", e);
    case O_DEVICE: return keep(&s->devices, "device", arg, e);
    case O_NETDEV: case O_NIC: case O_NET: return keep(&s->netdevs, o->name, arg, e);
    case O_GLOBAL: return add_global(s, arg, e);
    case O_OBJECT: return keep(&s->objects, "object", arg, e);
    case O_FW_CFG: return add_fw_cfg(s, arg, e);
    case O_ACCEL: return set_accel(s, arg, e);
    case O_RTC: return set_rtc(s, arg, e);
    case O_NO_REBOOT: c->no_reboot = true; return 0;
    case O_NO_SHUTDOWN: c->no_shutdown = true; return 0;
    case O_S: c->start_paused = true; return 0;
    case O_GDB_S: return keep(&s->gdbs, "s", "tcp::1234", e);
    case O_GDB: return keep(&s->gdbs, "gdb", arg, e);
    case O_D:
        if ((r = log_parse(arg, &mask, e))) return r;
        log_mask |= mask;
        return 0;
    case O_DD: return log_open(arg, e);
    case O_DFILTER: return log_filter(arg, e);
    case O_TRACE: return trace_option(arg, e);
    case O_NAME: return set_name(s, arg, e);
    case O_UUID: return set_uuid(s, arg, e);
    case O_DISPLAY:
        s->display_none = true;
        if (!strncmp(arg, "vnc=", 4)) return keep(&s->vncs, "vnc", arg + 4, e);
        if (strcmp(arg, "none")) return err_set(e, EINVAL, "Parameter 'type' does not accept value '%s': there are none and vnc=...", arg);
        return 0;
    case O_VNC:
        s->display_none = true;
        return keep(&s->vncs, "vnc", arg, e);
    case O_USB: s->usb = true; return 0;
    case O_USBDEVICE: return add_usb(s, arg, e);
    case O_SANDBOX: return sandbox_parse(&s->sandbox, arg, e);
    case O_VGA: return strcmp(arg, "none") && strcmp(arg, "std") ? err_set(e, EINVAL, "unknown vga type: %s", arg) : 0;
    case O_NODEFAULTS: c->nodefaults = true; return 0;
    case O_PIDFILE: s->pidfile = arg; return 0;
    case O_SEMIHOSTING: c->semihosting = true; return 0;
    case O_SEMI_CONFIG: return semihost_option(s, arg, e);
    case O_ICOUNT: return set_icount(s, arg, e);
    case O_SNAPSHOT: s->snapshot = true; return 0;
    case O_DAEMONIZE: s->daemonize = true; return 0;
    case O_FSDEV: case O_VIRTFS: return add_fsdev(s, arg, o->id == O_VIRTFS, e);
    case O_SET: return set_later(s, arg, e);
    case O_READCONFIG: return readconfig(s, arg, e);
    case O_ACTION: return set_action(s, arg, e);
    case O_WATCHDOG: return set_action(s, sys_text(s, "watchdog=%s", arg), e);
    case O_BOOT: return set_boot(s, arg, e);
    case O_ENABLE_KVM: return err_set(e, ENOTSUP, "there is no KVM here; machines run by -accel jit");
    default: return 0; /* accepted, nothing to do */
    }
}

int cmdline_option(struct sys *s, const char *name, const char *arg, struct err *e)
{
    char near[160];
    for (unsigned k = 0; k < ARRAY_LEN(table); k++)
        if (!strcmp(table[k].name, name)) return one(s, &table[k], arg, e);
    return err_set(e, EINVAL, "there is no option of group '%s'%s", name, near_words(near, sizeof near, name, nth_option, NULL));
}

int cmdline_parse(struct sys *s, int argc, char **argv, int *status, struct err *e)
{
    char near[160];
    for (int i = 1; i < argc; i++) {
        const char *a = argv[i], *arg = "";
        const struct option_row *o = NULL;
        if (a[0] != '-' || !a[1]) { /* a disk image */
            int r = add_disk(s, "hda", a, "index=0,media=disk", e);
            if (r) return r;
            continue;
        }
        const char *name = a + 1 + (a[1] == '-' && a[2]);
        for (unsigned k = 0; k < ARRAY_LEN(table) && !o; k++)
            if (!strcmp(table[k].name, name)) o = &table[k];
        if (!o) return err_set(e, EINVAL, "%s: invalid option%s", a, near_words(near, sizeof near, name, nth_option, NULL));
        if (o->arg && i + 1 >= argc) return err_set(e, EINVAL, "%s: requires an argument", a);
        if (o->arg) arg = argv[++i];
        struct err why = { 0 };
        int r = informative(s, o->id, arg, &why);
        if (!r) r = one(s, o, arg, &why);
        if (r > 0) return *status = 0, 1;
        if (r) return err_set(e, why.code ? why.code : EINVAL, "-%s%s%.80s: %.160s", o->name, o->arg ? " " : "", arg, why.msg);
    }
    return 0;
}
