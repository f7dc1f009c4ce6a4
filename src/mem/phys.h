/*
 * phys.h: physical memory of a machine (floor 1): RAM blocks, and address spaces that map them and device registers.
 *
 * A space is a list of windows with priorities; where they overlap, the higher priority is seen, and of equals the later. Look-ups go
 * through a flat list that is made anew with every change. Any thread may read; changes are made by the holder of the machine's lock.
 */
#ifndef LYRE_MEM_PHYS_H
#define LYRE_MEM_PHYS_H

#include "base/base.h"

/* --- RAM ---------------------------------------------------------------------------------------------------------- */

enum { RAM_PAGE_BITS = 12, RAM_PAGE = 1 << RAM_PAGE_BITS };
/* What is known of each page, RAM_PAGE bytes of a block. */
enum {
    RAM_CODE = 1,         /* translated code was made from it: writes have to be noticed */
    RAM_WRITTEN_FAST = 2, /* some CPU may have it writable in its TLB */
    RAM_DIRTY_VGA = 4, RAM_DIRTY_MIGRATION = 8, /* written since the last ram_dirty_take of that kind */
    RAM_DIRTY = RAM_DIRTY_VGA | RAM_DIRTY_MIGRATION
};

struct ram {
    const char *id;       /* "ram", "flash0", ...: unique in its machine; names it in snapshots and migration */
    uint8_t *host;        /* for mem/, cpu/ and generated code only; others use ram_read and ram_write, or own the content (ROM images) */
    uint64_t size;        /* multiple of RAM_PAGE */
    uint64_t base;        /* of its bytes in the numbering of all RAM of the memory system ("ram address"): key of translated code */
    uint8_t *page;        /* RAM_* by page */
    uint8_t track;        /* RAM_DIRTY_* kinds that are wanted: writes by CPUs take the slow path where such a bit is clear */
    bool readonly;        /* guest writes are errors wherever it is mapped */
    int fd;               /* shareable memory, or -1 */
    uint32_t pins;        /* dma_map without dma_unmap: it stays that long. mem/'s, as `gone` */
    bool gone;
    struct mem *mem;
    struct ram *next;
};

struct mem;               /* the memory system of a machine: all RAM blocks, all spaces, who has to know of changes */
struct mem *mem_new(void);
void mem_free(struct mem *m); /* with everything in it; no CPU runs */

/* Zeroed host memory, allocated when it is touched. share: memory file that other processes may map. */
struct ram *ram_new(struct mem *m, const char *id, uint64_t size, bool share, struct err *e);
void ram_free(struct ram *r); /* no window maps it */
/* The block with a ram address (ram.base), or NULL. */
struct ram *mem_ram_at(struct mem *m, uint64_t base);
/* Bounded copies; false if [off, off + len) is not inside. ram_write marks the pages dirty and drops code made from them. */
bool ram_read(const struct ram *r, uint64_t off, void *buf, uint64_t len);
bool ram_write(struct ram *r, uint64_t off, const void *buf, uint64_t len);
/* The host wrote [off, off + len) by other ways (disk or network data into a dma_map): marks dirty, drops code. */
void ram_written(struct ram *r, uint64_t off, uint64_t len);
/* Was any page of the range dirty in that way (one RAM_DIRTY_*)? Clears it. */
bool ram_dirty_take(struct ram *r, unsigned kind, uint64_t off, uint64_t len);
void ram_track(struct ram *r, unsigned kinds);

/* --- address spaces ------------------------------------------------------------------------------------------------ */

/* Who accesses; matters to IOMMUs, secure devices and message-signalled interrupts. */
struct mem_attr {
    uint16_t requester;   /* PCI requester id, or number of the CPU */
    bool secure;          /* Arm: the access is secure */
    bool user;            /* by an unprivileged mode */
    bool cpu;             /* by a CPU, not by a device */
};

enum mem_result { MEM_OK, MEM_NONE /* nothing is there */, MEM_ERROR /* the device refuses */ };

/*
 * Registers of a device. off: from the start of the window. size: 1, 2, 4 or 8, within [min, max], and off is a multiple of it unless
 * `unaligned`: accesses that are wider than max are split, narrower than min are widened (reads cut out; writes with zeros around),
 * misaligned ones are split into bytes of min. Handlers run with the machine's lock held, on the accessing CPU's thread, unless
 * `unlocked`. They must not access guest memory of MMIO kind (dma_* refuses it).
 */
struct mmio_ops {
    uint64_t (*read)(void *dev, uint64_t off, unsigned size, struct mem_attr at);
    void (*write)(void *dev, uint64_t off, uint64_t val, unsigned size, struct mem_attr at);
    /* Alternative forms that can refuse. NULL: read and write are there. */
    enum mem_result (*read_try)(void *dev, uint64_t off, unsigned size, uint64_t *val, struct mem_attr at);
    enum mem_result (*write_try)(void *dev, uint64_t off, uint64_t val, unsigned size, struct mem_attr at);
    uint8_t min, max;     /* 0: 1 and 8 */
    bool big_endian, unaligned, unlocked;
};

struct space *space_new(struct mem *m, const char *name);
void space_free(struct space *s); /* with its windows; nobody reads it any more */
const char *space_name(const struct space *s);
struct mem *space_mem(const struct space *s);
/* Next space of the memory system (NULL: the first). */
struct space *space_next(const struct mem *m, const struct space *after);
/* How a machine's big lock is taken for MMIO (loop_lock). NULL: none. */
void mem_set_lock(struct mem *m, void (*lock)(void *ctx), void (*unlock)(void *ctx), bool (*mine)(void *ctx), void *ctx);

struct window;            /* one mapping; owned by its space until window_free */
struct window *space_map_ram(struct space *s, uint64_t addr, struct ram *r, uint64_t off, uint64_t len, int prio);
struct window *space_map_mmio(struct space *s, const char *name, uint64_t addr, uint64_t len, const struct mmio_ops *ops, void *dev, int prio);
/* Reads come straight from the RAM block, writes go to the device (flash). window_direct(w, false): reads go there, too. */
struct window *space_map_romd(struct space *s, const char *name, uint64_t addr, struct ram *r, uint64_t off, uint64_t len,
                              const struct mmio_ops *ops, void *dev, int prio);
void window_direct(struct window *w, bool on);
void window_readonly(struct window *w, bool on); /* of RAM windows: writes are ignored */
void window_move(struct window *w, uint64_t addr);
void window_enable(struct window *w, bool on);   /* they are born enabled */
void window_free(struct window *w);
uint64_t window_addr(const struct window *w);
/* Changes between these two are applied together. */
void space_begin(struct space *s);
void space_commit(struct space *s);

/* What is at an address: a run of one kind. */
struct mem_range {
    uint64_t start, last; /* addresses [start, last] look like this */
    struct ram *ram;      /* NULL: only MMIO */
    uint64_t ram_off;     /* of `start` */
    const struct mmio_ops *ops; /* NULL: only RAM. With RAM: reads are RAM's, writes the device's */
    void *dev;
    uint64_t dev_off;     /* of `start` in the device's window */
    const char *name;
    bool readonly;
    struct space *space;  /* where it was found, and when: mmio_ld and mmio_st look again after changes of the map */
    uint64_t generation;
};
/* Counts changes of all maps. A range is what it was as long as its generation is this. Any thread. */
uint64_t mem_generation(const struct mem *m);
bool space_find(struct space *s, uint64_t addr, struct mem_range *r); /* false: nothing is there; start and last say how far */
/* Calls fn for everything in order of address (monitor: info mtree). */
void space_walk(struct space *s, void (*fn)(void *ctx, const struct mem_range *r), void *ctx);

/* One access of 1, 2, 4 or 8 bytes, little endian unless the device is big-endian by itself: what a CPU or debugger does. */
enum mem_result space_ld(struct space *s, uint64_t addr, unsigned size, uint64_t *val, struct mem_attr at);
enum mem_result space_st(struct space *s, uint64_t addr, uint64_t val, unsigned size, struct mem_attr at);
/* The same on a range that space_find gave; off from its start, the access lies within. For CPUs, which keep ranges in their TLBs: a
 * range that is out of date is looked up again, once the lock is held. (Devices with `unlocked` handlers go when no CPU runs only.) */
enum mem_result mmio_ld(struct mem *m, const struct mem_range *r, uint64_t off, unsigned size, uint64_t *val, struct mem_attr at);
enum mem_result mmio_st(struct mem *m, const struct mem_range *r, uint64_t off, uint64_t val, unsigned size, struct mem_attr at);
/* Any length, RAM and ROM only; stops at the first byte that is neither. Returns how many bytes were copied. rom: writes go into
 * read-only RAM as well (loaders, debuggers). */
uint64_t space_read(struct space *s, uint64_t addr, void *buf, uint64_t len);
uint64_t space_write(struct space *s, uint64_t addr, const void *buf, uint64_t len, bool rom);

/*
 * map_changed: after every change of a space's map. code_written: bytes [first, last] (ram addresses, of one page with RAM_CODE) were
 * written by other means than a CPU's store; who translates sets RAM_CODE before it reads the bytes. Both on any thread.
 */
struct mem_listener {
    void (*map_changed)(void *ctx, struct space *s);
    void (*code_written)(void *ctx, uint64_t first, uint64_t last);
    void (*track_changed)(void *ctx, struct ram *r); /* writable TLB entries of this block have to go */
    void *ctx;
    struct mem_listener *next;
};
void mem_listen(struct mem *m, struct mem_listener *l);
void mem_unlisten(struct mem *m, struct mem_listener *l);

/* --- DMA --------------------------------------------------------------------------------------------------------------- */

/*
 * A device's way to memory: an address space, its requester id, and an IOMMU in between if there is one. Only RAM is reached;
 * anything else is -EFAULT and nothing is transferred of that run. The content is copied once: it cannot change under the device.
 */
struct dma {
    struct space *space;
    struct mem_attr attr;
    /* translates one address for a read or a write: 0 and *out with how many bytes from there on are contiguous, or -EFAULT */
    int (*iommu)(void *ctx, uint64_t iova, bool write, uint64_t *out, uint64_t *len, struct mem_attr at);
    void *iommu_ctx;
    bool (*msi)(void *ctx, uint64_t addr, uint32_t data, struct mem_attr at); /* message-signalled interrupts that go to a controller */
    void *msi_ctx;
};
int dma_read(const struct dma *d, uint64_t addr, void *buf, uint64_t len);
int dma_write(const struct dma *d, uint64_t addr, const void *buf, uint64_t len);
uint64_t dma_ld(const struct dma *d, uint64_t addr, unsigned size, bool *ok); /* little endian; aligned ones are single accesses */
bool dma_st(const struct dma *d, uint64_t addr, uint64_t val, unsigned size);
/*
 * Host memory behind [addr, addr + *len) for transfers of data (iovecs of disk and network requests), shortened to what is one run.
 * NULL: not RAM. Data only: what decides anything is copied with dma_read. dma_unmap says how many bytes were written.
 */
void *dma_map(const struct dma *d, uint64_t addr, uint64_t *len, bool write);
void dma_unmap(const struct dma *d, void *host, uint64_t len, bool write, uint64_t written);
/* Sends a message-signalled interrupt: a 32-bit write to an address, delivered to who claimed it. */
void dma_msi(const struct dma *d, uint64_t addr, uint32_t data);

#endif
