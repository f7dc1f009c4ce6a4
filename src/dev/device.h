/*
 * device.h: what a device is (floor 4). A device is one file: a struct that begins with `struct dev`, tables of its registers,
 * properties and state, and one `const struct device NAME_device` that names them. From that come instantiation, `-device help`,
 * introspection, reset, access tracing, the device tree node, migration state and the register-sweep test.
 *
 * All of a device's code runs with the machine's lock held (loop_lock), on the thread of a CPU or of the loop. Everything a guest can
 * make a device do is bounded: loops have budgets, allocations caps, offsets come checked from the register table.
 */
#ifndef LYRE_DEV_DEVICE_H
#define LYRE_DEV_DEVICE_H

#include "base/base.h"
#include "base/loop.h"
#include "mem/phys.h"

struct dev;
struct device;
struct bus;
struct chr;
struct blk;
struct iothread;
struct net_port;
struct display;
struct json_object;

/* --- interrupt lines ------------------------------------------------------------------------------------------------- */

/* One output: who hears it. Level-triggered by nature; irq_pulse is for edges. */
struct irq {
    void (*set)(void *ctx, unsigned n, bool level);
    void *ctx;
    unsigned n;
    bool level;
};
static inline void irq_set(struct irq *q, bool level)
{
    if (q->level == level) return;
    q->level = level;
    if (q->set) q->set(q->ctx, q->n, level);
}
static inline void irq_pulse(struct irq *q)
{
    irq_set(q, true);
    irq_set(q, false);
}

/* --- registers --------------------------------------------------------------------------------------------------------- */

/* How a register is accessed. RES: reserved, reads 0, writes are ignored and logged as guest errors. */
enum reg_access { REG_RES, RO, RW, WO, W1C, W1S, RC /* read clears */ };

/*
 * A row: offset, name as in the manual, access, then what applies. Without handlers the register is its FIELD: reads give it, writes
 * change the bits of mask (0: all of its size), W1C and W1S clear and set. `read` replaces the value read, `write` the effect of a
 * write (v is masked already); `after` runs after each write. i: index in an array of `count` registers `step` bytes apart.
 * Narrow accesses: a read is cut out of the whole value; a write keeps the FIELD's other bytes (0 where there is none). Wide ones go to
 * several registers, lowest first. Every FIELD has `reset` after a reset, in RO rows, too: what is no state is read by a handler.
 */
struct reg {
    uint32_t off;
    const char *name;
    uint8_t access;          /* enum reg_access */
    uint8_t size;            /* bytes, 0 = 4 */
    uint16_t field_size;     /* bytes, 0 = no field */
    uint32_t field;          /* offset in the device's struct; FIELD(member); of element 0 in an array */
    uint64_t mask;           /* writable bits */
    uint64_t reset;          /* value after reset */
    uint32_t count, step;    /* array: 0, 0 = one */
    uint64_t (*read)(void *dev, unsigned i);
    void (*write)(void *dev, unsigned i, uint64_t v);
    void (*after)(void *dev, unsigned i);
};
/* In a device's file, `#define SELF struct pl011` before its tables. */
#define FIELD(m)      .field = offsetof(SELF, m), .field_size = sizeof(((SELF *)0)->m)
/* A member that is an array: one element per register. */
#define FIELD_ARRAY(m) .field = offsetof(SELF, m), .field_size = sizeof(((SELF *)0)->m[0]), .count = ARRAY_LEN(((SELF *)0)->m)
#define REGS(table)   .regs = table, .nregs = ARRAY_LEN(table)

/* --- properties ----------------------------------------------------------------------------------------------------------- */

enum prop_type { PROP_T_BOOL, PROP_T_U8, PROP_T_U16, PROP_T_U32, PROP_T_U64, PROP_T_SIZE /* "64M" */, PROP_T_STR, PROP_T_CHR, PROP_T_BLK,
                 PROP_T_NET, PROP_T_MAC, PROP_T_DEV /* another device by id */, PROP_T_ENUM, PROP_T_ONOFFAUTO, PROP_T_PCI_ADDR };
struct prop {
    const char *name, *help;
    enum prop_type type;
    uint32_t field;          /* offset in the device's struct */
    uint64_t def, min, max;  /* default; range (both 0: that of the type) */
    const char *def_str;
    const char *const *names; /* PROP_T_ENUM: the words, ended by NULL; field is a uint32_t */
};
#define PROP_BOOL(n, m, d)  { .name = n, .type = PROP_T_BOOL, .field = offsetof(SELF, m), .def = d }
#define PROP_U8(n, m, d)    { .name = n, .type = PROP_T_U8, .field = offsetof(SELF, m), .def = d }
#define PROP_U16(n, m, d)   { .name = n, .type = PROP_T_U16, .field = offsetof(SELF, m), .def = d }
#define PROP_U32(n, m, d)   { .name = n, .type = PROP_T_U32, .field = offsetof(SELF, m), .def = d }
#define PROP_U64(n, m, d)   { .name = n, .type = PROP_T_U64, .field = offsetof(SELF, m), .def = d }
#define PROP_SIZE(n, m, d)  { .name = n, .type = PROP_T_SIZE, .field = offsetof(SELF, m), .def = d }
#define PROP_STR(n, m, d)   { .name = n, .type = PROP_T_STR, .field = offsetof(SELF, m), .def_str = d }
#define PROP_CHR(n, m)      { .name = n, .type = PROP_T_CHR, .field = offsetof(SELF, m) }
#define PROP_BLK(n, m)      { .name = n, .type = PROP_T_BLK, .field = offsetof(SELF, m) }
#define PROP_NET(n, m)      { .name = n, .type = PROP_T_NET, .field = offsetof(SELF, m) }
#define PROP_MAC(n, m)      { .name = n, .type = PROP_T_MAC, .field = offsetof(SELF, m) }
#define PROP_DEV(n, m)      { .name = n, .type = PROP_T_DEV, .field = offsetof(SELF, m) }
#define PROP_ENUM(n, m, d, w) { .name = n, .type = PROP_T_ENUM, .field = offsetof(SELF, m), .def = d, .names = w }
enum { ONOFF_AUTO, ONOFF_ON, ONOFF_OFF };
#define PROP_ONOFFAUTO(n, m, d) { .name = n, .type = PROP_T_ONOFFAUTO, .field = offsetof(SELF, m), .def = d } /* a uint32_t */
#define PROP_PCI_ADDR(n, m) { .name = n, .type = PROP_T_PCI_ADDR, .field = offsetof(SELF, m), .def = UINT64_MAX } /* int32_t: slot * 8 + function, -1 */
#define PROPS(...)          .props = (const struct prop[]){ __VA_ARGS__ }, .nprops = sizeof((const struct prop[]){ __VA_ARGS__ }) / sizeof(struct prop)

/* --- state: what is saved besides registers with a FIELD ------------------------------------------------------------------ */

enum state_type { STATE_T_INT /* 1, 2, 4, 8 bytes */, STATE_T_BYTES, STATE_T_TIMER, STATE_T_STRUCT, STATE_T_BLOB /* pointer; length in another field; min..max: other lengths that may come (then dev_alloc'ed anew) */ };
struct state_field {
    const char *name;
    enum state_type type;
    uint32_t field, size;    /* of one element */
    uint32_t count;          /* elements, 0 = 1 */
    uint64_t min, max;       /* what the loader accepts (both 0: anything) */
    uint16_t since;          /* version of the device's state that first had it */
    const struct state_field *sub; /* STATE_T_STRUCT: its fields, offsets from the element */
    uint32_t nsub;
    uint32_t len_field;      /* STATE_T_BLOB: offset of a uint32_t */
};
#define STATE_INT(m)        { .name = #m, .type = STATE_T_INT, .field = offsetof(SELF, m), .size = sizeof(((SELF *)0)->m) }
#define STATE_RANGE(m, lo, hi) { .name = #m, .type = STATE_T_INT, .field = offsetof(SELF, m), .size = sizeof(((SELF *)0)->m), .min = lo, .max = hi }
#define STATE_ARRAY(m)      { .name = #m, .type = STATE_T_INT, .field = offsetof(SELF, m), .size = sizeof(((SELF *)0)->m[0]), .count = ARRAY_LEN(((SELF *)0)->m) }
#define STATE_BYTES(m)      { .name = #m, .type = STATE_T_BYTES, .field = offsetof(SELF, m), .size = sizeof(((SELF *)0)->m) }
#define STATE_TIMER(m)      { .name = #m, .type = STATE_T_TIMER, .field = offsetof(SELF, m) }
#define STATE(...)          .state = (const struct state_field[]){ __VA_ARGS__ }, \
                            .nstate = sizeof((const struct state_field[]){ __VA_ARGS__ }) / sizeof(struct state_field)

/* --- the class ----------------------------------------------------------------------------------------------------------- */

struct fdt_node;           /* fdt.h */

struct device {
    const char *name, *help;
    const char *alias;       /* other names, comma-separated, or NULL */
    const char *category;    /* "Network devices", "Storage devices"...: groups `-device help` */
    const char *bus;         /* type of bus it plugs into: "pci", "virtio", "usb"...; NULL: a part of the board only */
    const char *dt;          /* compatible strings of its device tree node, separated by ';', NULL = none */
    size_t size;             /* of its struct */
    uint64_t window;         /* bytes of its register window, 0 = none */
    const struct reg *regs;  /* with regs, the table dispatches accesses to the window */
    unsigned nregs;
    const struct mmio_ops *ops; /* without: raw access; at the same time, for offsets that the table does not have */
    unsigned irqs;           /* outputs: dev->irq[0..] */
    unsigned inputs;         /* lines that others drive; UINT32_MAX: as many as init put into dev->ninputs */
    void (*input)(void *dev, unsigned n, bool level);
    const struct prop *props;
    unsigned nprops;
    const struct state_field *state;
    unsigned nstate;
    uint16_t state_version;
    /* After properties are set; further windows, timers, buses are made here. 0 or -errno with a sentence. */
    int (*init)(void *dev, struct err *e);
    void (*reset)(void *dev);          /* after registers got their reset values */
    int (*map)(void *dev, uint64_t at, struct err *e); /* instead of one window of registers: puts what it has at an address */
    void (*exit)(void *dev);           /* before it goes: cancels what is under way */
    int (*loaded)(void *dev, struct err *e); /* after state was loaded: checks invariants, restarts timers */
    /* Adds to its device tree node (name, compatible, reg and interrupts are there already). */
    void (*fdt)(void *dev, struct fdt_node *n);
    /* As an interrupt controller in the device tree: writes the specifier cells of input n; returns how many. */
    unsigned (*fdt_irq)(const void *dev, unsigned n, uint32_t cells[4]);
    bool user_creatable;     /* `-device NAME` */
    bool hotplug;
};

/* --- the instance ---------------------------------------------------------------------------------------------------------- */

enum board_request { BOARD_SHUTDOWN, BOARD_RESET, BOARD_POWERDOWN, BOARD_WATCHDOG, BOARD_IO_ERROR };

/* What a board gives its devices; machine/ fills it. */
struct board {
    struct loop *loop;
    struct clock *clock;     /* guest time */
    struct mem *mem;
    struct space *space;     /* the system's address space */
    struct space *io;        /* x86 ports, or NULL */
    struct dev *devs;        /* all instances, in order of creation, by dev->next */
    struct bus *buses;       /* all buses, by bus->next */
    void *machine;
    void (*request)(struct board *b, enum board_request what, int status);
    void (*event)(struct board *b, const char *name, struct json_object *data); /* QMP event; takes data over; may be NULL */
    void *event_ctx;         /* of who set `event` */
    struct dev_resolver *resolver; /* dev_resolve_with's */
    struct display *display; /* what is shown and typed (io/display); NULL: nobody looks */
    int64_t rtc_offset;      /* seconds that the guest's time of day is ahead of the host's (-rtc) */
};

struct dev {
    const struct device *cls;
    struct board *board;
    char *id;                /* unique; boards name their parts, -device id=...; NULL: anonymous */
    struct irq *irq;         /* cls->irqs outputs */
    unsigned ninputs;
    struct bus *parent;      /* the bus it sits on, NULL: the board */
    struct dev *next;
    struct window *win;      /* of cls->window, once it is mapped */
    uint64_t at;             /* where it is mapped */
    struct irq_wire { struct dev *to; unsigned n; } *wire; /* who hears irq[i], for the device tree and `info qtree` */
    struct dma dma;          /* its way to memory: the board's space, unless a bus says otherwise */
    bool user, late;         /* of -device, device_add; late: the latter */
    bool realized, failed;   /* failed: a guest error stopped it; only reset revives it */
    bool guest_erred;        /* dev_guest_error has said something */
    struct arena *arena;     /* dev_alloc's */
    struct dev_wires *wires; /* device.c's: what drives its inputs */
    uint32_t hint;           /* regs.c's: the row that was used last */
    uint64_t props_set[2];   /* which properties were set, by number */
    struct mem_attr access;  /* who makes the access of a register that is under way */
};

struct bus {
    const char *type;        /* "pci", "virtio", "usb", ... */
    char *name;              /* "pcie.0" */
    struct dev *owner;
    unsigned max;            /* devices, 0 = any number */
    unsigned count;
    /* Before the device's own init: gives it its address and ways; checks `addr`. After exit: takes them back. */
    int (*plug)(struct bus *bus, struct dev *d, struct err *e);
    void (*unplug)(struct bus *bus, struct dev *d);
    /* Devices come and go while the machine runs. leave: `device_del`: asks the guest, which may take its time; NULL: goes at once. */
    bool hotplug;
    int (*leave)(struct bus *bus, struct dev *d, struct err *e);
    void *data;              /* the owner's */
    struct bus *next;
};

extern const struct device *const device_registry[];
const struct device *device_find(const char *name);

/*
 * Makes an instance: memory, default properties. Then properties; then dev_realize (bus plug, init, reset). dev_free undoes everything.
 * Text values are as on the command line ("on", "64M", "0x10"); names of chardevs, drives, netdevs are resolved by the board's owner.
 */
struct dev *dev_new(struct board *b, const struct device *cls, const char *id, struct err *e);
int dev_set(struct dev *d, const char *prop, const char *value, struct err *e);
int dev_set_list(struct dev *d, const char *list /* "a=1,b=2", NULL = none */, struct err *e);
/* -fsdev local: a folder of the host. */
struct dev_fsdev {
    const char *id, *path, *security; /* security_model's word */
    bool readonly;
};
/* Back ends by name, for PROP_CHR, PROP_BLK, PROP_NET: installed by machine/. */
struct dev_resolver {
    struct chr *(*chr)(void *ctx, const char *name, struct err *e);
    struct blk *(*blk)(void *ctx, const char *name, struct err *e);
    struct net_port *(*net)(void *ctx, const char *name, struct err *e);
    void *ctx;
    /* The device has it now (-EBUSY: another does); it has it no longer. May be NULL. */
    int (*take_blk)(void *ctx, struct blk *b, struct dev *d, struct err *e);
    void (*drop_blk)(void *ctx, struct blk *b, struct dev *d);
    struct iothread *(*iothread)(void *ctx, const char *name);
    /* -fsdev: NULL: there is none of that id. */
    const struct dev_fsdev *(*fsdev)(void *ctx, const char *id);
};
void dev_resolve_with(struct board *b, const struct dev_resolver *r);
int dev_realize(struct dev *d, struct bus *bus, struct err *e);
void dev_free(struct dev *d);
/* dev_free for what goes while the machine runs: tells it (DEVICE_DELETED). */
void dev_unplugged(struct dev *d);
/* "/machine/peripheral/ID", "/machine/peripheral-anon/device[N]", "/machine/unattached/..." */
void dev_path(const struct dev *d, char *buf, size_t size);
void dev_reset(struct dev *d);
void dev_reset_all(struct board *b);
struct dev *dev_find(struct board *b, const char *id);
/* Maps its register window at an address of the board's space. */
int dev_map(struct dev *d, uint64_t at, struct err *e);
/* The same in another space: board->io for x86's ports. */
int dev_map_in(struct dev *d, struct space *space, uint64_t at, struct err *e);
/* Output `out` drives input `n` of another device; several outputs on one input are or-ed. */
int dev_connect(struct dev *d, unsigned out, struct dev *to, unsigned n, struct err *e);
/* The same to a function. */
void dev_connect_fn(struct dev *d, unsigned out, void (*set)(void *ctx, unsigned n, bool level), void *ctx, unsigned n);
/* Memory that lives until the device is freed, zeroed. Guests' requests must be capped before. */
void *dev_alloc(struct dev *d, size_t bytes);
/* The guest did what no driver should: logged once per device (-d guest_errors), and the device is marked failed if `stop`. */
void dev_guest_error(struct dev *d, bool stop, const char *fmt, ...) PRINTF(3, 4);
/* Buses. */
struct bus *bus_new(struct dev *owner, const char *type, const char *name, unsigned max);
struct bus *bus_find(struct board *b, const char *type, const char *name /* NULL: the first with room */, struct err *e);
/* Register-table dispatch, for devices with several windows: an access at `off` of a table. */
uint64_t regs_read(struct dev *d, const struct reg *regs, unsigned nregs, uint64_t off, unsigned size);
void regs_write(struct dev *d, const struct reg *regs, unsigned nregs, uint64_t off, uint64_t v, unsigned size);

/* The lines of `-device help` (those of one category, or NULL for all) and of `-device NAME,help`. */
void dev_list(void (*out)(void *ctx, const char *line), void *ctx);
void dev_describe(const struct device *cls, void (*out)(void *ctx, const char *line), void *ctx);
/* The property's value as text ("on", "4096", an id); false: there is none of that name. */
bool dev_get(struct dev *d, const char *prop, char *buf, size_t size);
/* Was the property set (not left at its default)? */
bool dev_prop_given(const struct dev *d, const char *prop);
/* Finds the words nearest to `word`: "; did you mean 'a' or 'b'?", or "" (buf). next(ctx, i) gives word number i, NULL past the last. */
const char *near_words(char *buf, size_t size, const char *word, const char *(*next)(void *ctx, unsigned i), void *ctx);

/* --- saved state (state.c): a stream that names and measures everything in it ------------------------------------------- */

struct state_out {
    uint8_t *buf;
    size_t len, cap;
};
struct state_in {
    const uint8_t *buf;
    size_t len, at;
};
void state_out_free(struct state_out *o);
/* One device: registers with FIELD, its state table, levels of its outputs. */
void dev_save(struct dev *d, struct state_out *o);
/* The stream is another's: every name, size and range is checked; -EINVAL says which. The device was reset before. A failed load leaves
 * it for a reset. */
int dev_load(struct dev *d, struct state_in *in, struct err *e);
void dev_save_all(struct board *b, struct state_out *o);
int dev_load_all(struct board *b, struct state_in *in, struct err *e);

/* Tracing at the point of use; `-trace help` lists what a scan of the sources finds. */
extern bool dev_trace_on; /* any event enabled: set by the command line before threads exist */
/* `-trace PATTERN` ("virtio_*"; "-name" takes out again): 0, -ENOSPC. */
int dev_trace_enable(const char *pattern, struct err *e);
void dev_trace(const char *event, const char *fmt, ...) PRINTF(2, 3);
#define TRACE(event, ...) do { if (unlikely(dev_trace_on)) dev_trace(#event, __VA_ARGS__); } while (0)

#endif
