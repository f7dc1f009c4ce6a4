/* sys.h: what the files of the command line of machines share (floor 6.5, private to src/sys). */
#ifndef LYRE_SYS_SYS_H
#define LYRE_SYS_SYS_H

#include "io/block/blk.h"
#include "io/char/chr.h"
#include "io/display/vnc.h"
#include "io/net/net.h"
#include "machine/machine.h"
#include "sys/objects.h"
#include "sys/sandbox.h"

enum { SYS_ITEMS = 512 };

/* One option that may come several times: what was said, and as which option. */
struct sys_item {
    const char *opt, *arg;
};
struct sys_items {
    struct sys_item item[SYS_ITEMS];
    unsigned count;
};

/* A process that runs one machine. */
struct sys {
    const char *role;            /* "qemu-system-riscv64": begins messages */
    const struct guest *guest;
    const char *machine;         /* -machine's text, its type */
    struct opts machine_opts;
    struct machine_config cfg;
    struct machine_global globals[SYS_ITEMS];
    struct machine_fw_file fw_files[SYS_ITEMS];
    struct blk_drive drives[SYS_ITEMS];
    /* in the order in which they are made */
    struct sys_items chardevs, objects, blockdevs, drive_opts, netdevs, nics, devices, globals_text, fw_cfg;
    struct dev_fsdev fsdevs[SYS_ITEMS];
    unsigned nfsdevs;
    struct sys_items serials, monitors, gdbs, vncs, usbs;
    bool usb;                    /* -usb: a controller, if the board has none */
    struct sandbox sandbox;
    bool nographic, display_none, daemonize, dumpdtb, snapshot;
    bool empty;                  /* -machine none: monitors only */
    int ready_fd, pid_fd;        /* -daemonize: where to say so; -pidfile; -1: no */
    const char *pidfile;
    const char *semi_chardev, *semi_args; /* -semihosting-config */
    bool semi_user;
    /* the result */
    struct loop *loop;
    struct chr_set *chrs;
    struct net_set *nets;
    struct blk_graph *blks;
    struct objects *objs;
    struct machine *m;
    struct monitors *mons;       /* of the machine, from the first one on */
    struct vnc_set *vnc;
    struct sys_semi *semi;
    struct chr *mon_chr;         /* the terminal that serial port and monitor share */
    int sigfd;
    struct sys_text *texts;      /* strings made while parsing */
};

/* 0: go on; 1: something was printed, the process ends with *status; -errno: *e says what, without the option's name. */
int cmdline_parse(struct sys *s, int argc, char **argv, int *status, struct err *e);
int cmdline_machine(struct sys *s, const char *arg, struct err *e);
char *sys_text(struct sys *s, const char *fmt, ...) PRINTF(2, 3);

/* A monitor on a character device: people's, or QMP. */
struct monitors *sys_mons(struct sys *s);
int sys_monitor(struct sys *s, struct chr *c, bool qmp, bool pretty, struct err *e);
void sys_monitors_free(struct sys *s);

/* -NAME arg, as if the command line had it. */
int cmdline_option(struct sys *s, const char *name, const char *arg, struct err *e);
int readconfig(struct sys *s, const char *path, struct err *e);

/* daemon.c. begin: 1 in the parent, with its exit status. */
int daemon_begin(struct sys *s, int *status, struct err *e);
int daemon_ready(struct sys *s, struct err *e);
int pidfile_write(struct sys *s, struct err *e);
void pidfile_remove(struct sys *s);

/* semihost.c: the option's text; before the CPUs run; when they have ended. */
int semihost_option(struct sys *s, const char *arg, struct err *e);
int semihost_begin(struct sys *s, struct err *e);
void semihost_end(struct sys *s);

/* help.c: what is printed and nothing else. */
void help_machines(struct sys *s);
void help_machine(struct sys *s, const struct machine_type *t);
void help_cpus(struct sys *s);
void help_devices(void);
int help_device(const char *name, struct err *e);
void help_accels(void);
void help_netdevs(void);
void help_chardevs(void);
void help_log(void);
void help_version(struct sys *s);

/* lyre_system, for main.c of the executable. */
int sys_main(const char *role, const char *arch, int argc, char **argv);

#endif
