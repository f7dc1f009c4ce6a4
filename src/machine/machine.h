/*
 * machine.h: machines (floor 5): a board is one file with a table of its parts and one `const struct machine_type`; what is common to all
 * of them - memory, CPUs and their threads, run states, loading of kernels, device trees - is here.
 *
 * A machine has no global state. Its big lock is its event loop's; "lock held" means that one. The thread that runs the loop owns the
 * machine: it makes, starts and frees it. CPUs run on a thread each.
 */
#ifndef LYRE_MACHINE_H
#define LYRE_MACHINE_H

#include "cpu/cpu.h"
#include "cpu/guest.h"
#include "cpu/guest_sys.h"
#include "dev/device.h"
#include "dev/fdt.h"
#include "io/opts.h"

struct machine;
struct chr_set;
struct net_set;
struct blk_graph;

/* --- what a board says ------------------------------------------------------------------------------------------------------- */

#define PART_RAM "ram"      /* .device: the machine's main memory, -m; .size limits how much fits here (0: any) */
enum { PART_IRQS = 8 };

/*
 * A part: an instance of a device at a place, with its lines. Rows are made in order, so a controller stands before what it hears.
 * count > 1: several, id0 at `at`, id1 at `at` + step...; their lines go to irq.n, irq.n + 1...
 */
struct part {
    const char *id;
    const char *device;     /* its name, or PART_RAM */
    uint64_t at;
    uint64_t size;          /* window where the device leaves it open (PART_RAM: limit) */
    struct { const char *to; unsigned n; } irq[PART_IRQS]; /* output i drives input n of part `to`; NULL: not connected */
    const char *props;      /* "a=1,b=@name,c=?serial0": @name is a property of the machine; ?: left out where there is no such back end */
    const char *node;       /* name of its device tree node; NULL: the id's letters */
    unsigned count;         /* 0 = 1 */
    uint64_t step;
    const char *bus;        /* type of bus it plugs into, NULL = the board */
    bool (*when)(const struct machine *m); /* there only if so; NULL: always */
    bool io;                /* `at` is a port (board->io) */
    bool unmapped;          /* `at` is not an address of the board: adjust() maps it, or nobody */
};

/* An option of -machine. */
struct machine_prop {
    const char *name, *help, *def;
    const char *const *words; /* what it may be, ended by NULL; NULL: any text; prop_onoff: on, off */
};
extern const char *const machine_onoff[];

enum boot_kind { BOOT_RISCV, BOOT_ARM64, BOOT_NONE };

struct machine_type {
    const char *name, *alias;   /* "virt"; alias: comma-separated */
    const char *help;           /* line of -machine help */
    bool is_default;            /* of its guests */
    const char *guests;         /* names of those it runs: "riscv32,riscv64" */
    const char *cpu;            /* default model; NULL: the guest's first */
    unsigned max_cpus, def_cpus; /* def_cpus 0 = 1 */
    /* The model of CPU i, where they are not all cfg.cpu; NULL: they are. */
    const char *(*cpu_model)(const struct machine *m, unsigned i);
    uint64_t ram_base, ram_size, ram_max; /* default size; 0 max = no limit */
    const char *ram_id;         /* "riscv_virt_board.ram": name of the RAM block */
    const struct part *parts;
    unsigned nparts;
    const struct machine_prop *props;
    unsigned nprops;
    uint64_t reset_pc;          /* where CPUs begin */
    const char *dt_model, *dt_compat; /* of the tree's root, compat separated by ';' */
    const char *dt_soc;         /* parts' nodes are below this one ("soc"); NULL: the root */
    /* After the parts were made, before the CPUs are reset: what no table says (lines between CPUs and controllers, odd mappings). */
    int (*adjust)(struct machine *m, struct err *e);
    /* Before anything is made: checks options, sets defaults that depend on them. */
    int (*prepare)(struct machine *m, struct err *e);
    /* /cpus and whatever is not a part; the parts' nodes are there already. */
    void (*fdt)(struct machine *m, struct fdt *f);
    /* Kernel, firmware, device tree to machine_rom; where the CPUs begin (machine_cpu_begin). Once, after adjust and -device. */
    int (*boot)(struct machine *m, struct err *e);
    bool no_fdt;
    const char *nic;            /* model of a NIC that is there by default; NULL: none */
    const char *blk_if;         /* -drive without if=; NULL: "virtio" */
};
extern const struct machine_type *const machine_type_registry[];
#define PARTS(t) .parts = t, .nparts = ARRAY_LEN(t)
#define MACHINE_PROPS(t) .props = t, .nprops = ARRAY_LEN(t)

/* The type `name` ("virt", an alias, NULL: the default) for a guest; *e names near ones. */
const struct machine_type *machine_find(const char *guest, const char *name, struct err *e);
/* Type number i of those that a guest has, in order of name; NULL past the last. */
const struct machine_type *machine_nth(const char *guest, unsigned i);

/* --- what the user says -------------------------------------------------------------------------------------------------------- */

/* -global DRIVER.PROP=VALUE; -fw_cfg name=... */
struct machine_global {
    const char *driver, *prop, *value;
};
struct machine_fw_file {
    const char *name;
    const uint8_t *data;
    uint32_t len;
};
enum watchdog_action { WATCHDOG_RESET, WATCHDOG_SHUTDOWN, WATCHDOG_POWEROFF, WATCHDOG_PAUSE, WATCHDOG_NONE, WATCHDOG_DEBUG, WATCHDOG_NMI };
extern const char *const watchdog_actions[]; /* their words, ended by NULL */
struct blk_drive;
enum { MACHINE_SERIALS = 8 };

/* All of it stays where it is while the machine exists. */
struct machine_config {
    const struct guest *guest;
    const struct machine_type *type;
    const char *cpu;            /* "max,v=on"; NULL: the type's */
    unsigned cpus;              /* 0: the type's */
    unsigned sockets, cores, threads, maxcpus;
    uint64_t ram;               /* bytes, 0: the type's */
    const char *kernel, *initrd, *append, *dtb, *bios, *dumpdtb;
    const char *accel;          /* "jit", "interp" */
    unsigned warmup;            /* code is translated the n-th time that it runs, 1 to WARMUP_MAX + 1; 0: when the engine thinks fit */
    const struct opts *props;   /* of -machine */
    const struct machine_global *globals;
    unsigned nglobals;
    const struct machine_fw_file *fw_files;
    unsigned nfw_files;
    struct chr *serial[MACHINE_SERIALS]; /* -serial: what boards call serial0 ... */
    const struct blk_drive *drives; /* -drive: those with if=pflash are flashN, others have devices made for them */
    unsigned ndrives;
    const char *name, *uuid;
    bool boot_menu, boot_strict; /* -boot */
    bool nographic, nodefaults, start_paused, no_reboot, no_shutdown, semihosting, one_thread;
    uint64_t cache_bytes;
    bool icount, icount_nosleep; /* -icount: guest time is the number of instructions << icount_shift; idle time is not waited for */
    uint8_t icount_shift;
    enum watchdog_action watchdog;
    int64_t rtc_offset;         /* seconds between the guest's real-time clock and the host's */
    bool rtc_guest_clock;       /* -rtc clock=vm */
};

/* -device loader,...: bytes in memory at start. */
struct machine_loader {
    char *file;
    uint64_t addr, data;
    unsigned data_len;          /* 0: a file */
    int cpu;                    /* whose pc is set, -1: none's */
    bool raw, has_addr, set_pc;
};

/* --- the instance ---------------------------------------------------------------------------------------------------------------- */

enum run_state { RUN_PRELAUNCH, RUN_RUNNING, RUN_PAUSED, RUN_SHUTDOWN, RUN_DEBUG, RUN_IO_ERROR, RUN_WATCHDOG, RUN_PANICKED, RUN_INMIGRATE };

struct rom;
struct machine_cpu;

struct machine {
    struct board b;             /* first: a board's machine is itself */
    struct clock guest_clock;
    const struct machine_type *type;
    struct machine_config cfg;
    const struct guest *guest;
    struct engine *engine;
    struct ram *ram;
    struct machine_cpu *cpus;
    unsigned ncpus;
    struct chr_set *chrs;
    struct net_set *nets;
    struct blk_graph *blks;
    struct opts props;          /* of -machine, with defaults */
    char cpu_text[512];         /* a board's own version of cfg.cpu */
    struct machine_loader *loaders;
    unsigned nloaders;
    struct rom *roms;           /* what boot put into memory, written again at reset */
    uint8_t *fdt;               /* the generated tree */
    uint32_t fdt_size;
    uint8_t rng_seed[32];
    /* requests of guests and users, worked off on the loop's thread */
    struct deferred work;
    void (*powerdown)(void *ctx); /* the board's power button; NULL: it has none */
    void *powerdown_ctx;
    uint64_t initrd_start, initrd_end;
    struct fdt *tree;           /* while it is made */
    uint32_t requests;          /* 1 << enum board_request; atomic */
    int exit_status;
    enum run_state state;
    bool begun, quitting;       /* everything of the command line is there; it comes to an end */
    /* who wants to know: monitor, gdb */
    void (*on_state)(void *ctx, enum run_state s, const char *reason);
    void *on_state_ctx;
    /* A CPU came to a breakpoint or ended a step: the machine has been paused (RUN_DEBUG). Loop's thread, lock held. NULL: nobody. */
    void (*on_debug)(void *ctx, CPU *cpu);
    void *on_debug_ctx;
    CPU *debug_cpu;             /* the one, until that is told */
    /* semihosting; NULL: an undefined instruction or nothing, as the guest says. Returns false: not handled */
    bool (*semihost)(void *ctx, CPU *cpu);
    void *semihost_ctx;
    /* -object iothread,id=NAME; NULL: there are none */
    struct iothread *(*iothread_named)(void *ctx, const char *name);
    void *iothread_ctx;
    const struct dev_fsdev *(*fsdev_named)(void *ctx, const char *id);
    void *fsdev_ctx;
    struct vcpus *vcpus;        /* vcpu.c's */
};

/*
 * Makes everything but runs nothing. The loop and the sets of back ends are the caller's and outlive the machine. NULL: *e says why.
 */
struct machine *machine_new(const struct machine_config *cfg, struct loop *loop, struct chr_set *chrs, struct net_set *nets,
                            struct blk_graph *blks, struct err *e);
/* Between machine_new and machine_begin: devices of the command line. text: "virtio-blk-pci,drive=d0" or JSON. */
int machine_device(struct machine *m, const char *text, struct err *e);
/* The same of options (driver=, id=, bus=, properties); plug: the machine is made, only what can come while it runs. Lock held. */
int machine_device_opts(struct machine *m, const struct opts *o, bool plug, struct err *e);
/* device_del: the device goes now, or when the guest agrees (DEVICE_DELETED). Lock held. */
int machine_device_del(struct machine *m, struct dev *d, struct err *e);
int machine_loader(struct machine *m, const char *text, struct err *e);
/* Loads kernel and firmware, makes the device tree, resets; then it is paused (RUN_PRELAUNCH). Lock held. */
int machine_begin(struct machine *m, struct err *e);
/* Run states. Lock held, on the loop's thread (pause: any thread but a CPU's). */
void machine_start(struct machine *m);
void machine_pause(struct machine *m, enum run_state why);
/* Asks for a reset, a shutdown ...: worked off soon on the loop's thread. Any thread. */
void machine_request(struct machine *m, enum board_request what, int status);
const char *machine_state_name(enum run_state s);
void machine_free(struct machine *m);

/* A property of -machine, its default included; "" if there is none of the name. machine_flag: is it "on"? */
const char *machine_prop(const struct machine *m, const char *name);
bool machine_flag(const struct machine *m, const char *name);

/* --- CPUs (vcpu.c) ---------------------------------------------------------------------------------------------------------------- */

int vcpus_new(struct machine *m, struct err *e);   /* machine.c calls these four */
void vcpus_free(struct machine *m);
int vcpus_start_threads(struct machine *m, struct err *e);
void vcpus_reset(struct machine *m);               /* CPUs stand still: the architecture's reset state, all off but those of boot */
const struct sys_host *machine_sys_host(void);
CPU *machine_cpu(struct machine *m, unsigned i);
bool machine_cpu_on(struct machine *m, unsigned i);
bool machine_cpu_halted(struct machine *m, unsigned i);
/* A CPU that is held does not run when the machine does (a debugger steps another one). CPUs stand still. */
void machine_cpu_hold(struct machine *m, unsigned i, bool hold);
int machine_cpu_thread(struct machine *m, unsigned i); /* its kernel thread id */
/* A device's output drives a line of CPU `cpu`, by the name that the guest gives it. */
int machine_wire_cpu(struct machine *m, struct dev *d, unsigned out, unsigned cpu, const char *line, struct err *e);
/* All CPUs stand still outside of guest code when it returns; nests. Lock held, but released meanwhile. On the loop's thread. */
void machine_stop_cpus(struct machine *m);
void machine_resume_cpus(struct machine *m);
/* CPUs of a machine that is not running begin there, the others stay off. Boards' boot hooks. */
void machine_cpu_begin(struct machine *m, unsigned i, uint64_t pc, uint64_t arg, bool on);

/* --- loading (boot.c, image.c) --------------------------------------------------------------------------------------------------------- */

struct image {
    uint64_t addr, size;        /* where it lies: [addr, addr + size), with its bss */
    uint64_t entry;
    bool is32, big_endian;
    uint16_t elf_machine;       /* 0: no ELF file */
};
enum image_kind { IMAGE_ELF = 1, IMAGE_LINUX = 2 /* Image of RISC-V, arm64 */, IMAGE_UIMAGE = 4, IMAGE_RAW = 8, IMAGE_GZIP = 16, IMAGE_ANY = 31 };
/* Loads a file into memory: at its own addresses (ELF, uImage), from `addr` on otherwise. Gzip is undone. max: bytes that fit. */
int image_load(struct machine *m, const char *path, unsigned kinds, uint64_t addr, uint64_t max, struct image *img, struct err *e);
/* The value of a symbol of an ELF file. False: no such file or symbol. */
bool image_symbol(const char *path, const char *name, uint64_t *value);
/* Bytes for memory, written at every reset. */
int machine_rom(struct machine *m, const char *name, uint64_t addr, const void *data, uint64_t len, struct err *e);
void machine_roms_write(struct machine *m);
/* The largest stretch of the main memory's first window in which no such bytes lie. */
void machine_free_ram(const struct machine *m, uint64_t *lo, uint64_t *hi);
void machine_roms_free(struct machine *m);
/* bootindex= of all devices to fw_cfg. */
int machine_boot_order(struct machine *m, struct err *e);
/* What machine_begin does before the first reset: loaders, the board's boot hook; and the pc that loaders set, after each reset. */
int machine_boot(struct machine *m, struct err *e);
void machine_loaders_pc(struct machine *m);
/* A file of at most `max` bytes in memory of its own (caller frees). */
int image_read(const char *path, uint64_t max, uint8_t **data, uint64_t *len, struct err *e);
/* Firmware by name: as given, or in the places where distributions put it. NULL: *e names them. Caller frees. */
char *machine_find_file(const char *name, struct err *e);

/* --- the device tree (tree.c) ----------------------------------------------------------------------------------------------------------- */

/* The machine's tree from its parts: root, /memory, /chosen, parts' nodes, type->fdt. Into m->fdt, or -dtb's file with /chosen changed. */
int machine_tree(struct machine *m, struct err *e);
/* The part's node: /soc/uart@..., NULL if it has none. */
struct fdt_node *machine_node(struct machine *m, const char *part);

#endif
