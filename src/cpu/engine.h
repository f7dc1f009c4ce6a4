/*
 * engine.h: the engine's inside, shared by the files of this folder.
 *
 * Locking: `lock` guards translation, the region table's writers, chaining, the page index and eviction. Look-ups by pc
 * and by host pc take no lock. A vCPU holds no region across a wait for the lock (it counts as quiescent then).
 * Lock order: engine, then gmem.
 */
#ifndef LYRE_CPU_ENGINE_H
#define LYRE_CPU_ENGINE_H

#include <pthread.h>
#include "cpu/guest.h"
#include "cpu/host.h"
#include "cpu/soft.h"
#include "mem/mem.h"

enum {
    CACHE_SEGMENTS = 16,
    REGION_HASH_MIN = 10, /* log2 of the slots of the smallest region table */
    PAGE_HASH_BITS = 12,
    FULL_BITS = 16,
    MAX_INSNS_DEFAULT = 200, /* guest instructions in a region */
    MAX_INSNS_FIRST = 32,    /* the same in a first translation */
    MAX_INSNS_WALK = 64,     /* and in a block that is walked */
    WARMUP_DEFAULT = 3,      /* times a block is walked before it is translated */
    WARMUP_SYSTEM = 1,       /* the same in system mode: a kernel runs more of its code again */
    MAX_SKIP = 48,           /* bytes a branch inside a first translation skips at most */
    COUNTERS = 32768,        /* of 16 bits in every CPU: how often code ran that is not translated fully */
    MAX_BLOCKS = 400,
    PROBE_GROUP = 7,         /* of the register that counts instructions: no guest's helper has to do with it */
    REQ_EMBEDDER = 1,        /* bits of cpu->exit_request */
    REQ_ENGINE = 2,
    REQ_IRQ = 4              /* system mode: sys->interrupt has something to look at */
};

/* A part of the code cache that is filled from one end and evicted as a whole. */
struct segment {
    uint8_t *rw, *end, *fill;   /* write view; fill = first free byte */
    uint8_t *touched;           /* host memory was asked for up to here (cache_touch) */
    struct region **by_addr;    /* in order of address; append-only until eviction */
    uint32_t n, cap;            /* n is read without the lock (release/acquire) */
};

/*
 * Regions by pc and mode: hash chains through region.hash_next, doubled when there are more regions than slots. Read
 * without the lock: a reader that meets a doubling may miss a region, never loops, and asks again under the lock.
 */
struct region_table {
    uint32_t bits, shift; /* log2 of the slots; bits of a pc that are always 0 */
    uint32_t added;       /* regions, since the filter was made */
    struct region *slot[]; /* then as many bytes of a filter: most pcs that are not there are found out by a bit */
};

struct builder; /* region.c */

struct engine {
    struct engine_config cfg;
    const struct guest *guest;
    const struct host *host;
    void *hh;                     /* the host's handle */
    enum cpu_exc (*walk)(CPU *cpu, const struct ir *ir, union vlanes *val); /* of the first host that can */
    struct host_env env;
    struct ir_reg *ir_regs;
    struct gmem *mem;
    uint32_t ir_nregs;            /* the guest's registers, and with cfg.probes the count of instructions */
    struct engine_probes probes;

    pthread_mutex_t lock;
    struct vcpu *cpus;
    struct builder *builder;

    struct region_table *table;
    uint32_t nfindable;           /* regions in it */
    uint64_t ninserted;           /* that ever came into it */
    uint64_t full[(1 << FULL_BITS) / 64]; /* by hash of pc: a full region may start there; never cleared */
    uint64_t lone[(1 << FULL_BITS) / 64]; /* by hash of pc: regions whose accesses do not share checks (soft_bad_check) */
    void **retired;               /* old tables and arrays that readers without the lock may still look at */
    uint32_t nretired, cap_retired;
    struct page_node *pages[1 << PAGE_HASH_BITS]; /* regions by guest page */

    int memfd;
    uint8_t *rw;                  /* write view of the whole cache */
    size_t cache_bytes;
    ptrdiff_t delta;              /* rx = rw + delta */
    struct segment seg[CACHE_SEGMENTS];
    unsigned cur;
    struct mem_listener listener; /* system mode: who writes to code */
    struct suspect {              /* pages whose code was read while some CPU's store to it may still have been under way (soft.c) */
        uint64_t page, epoch;
    } suspect[64];
    uint32_t nsuspects;           /* more than fit: all code is suspect */
    size_t thunk_bytes;           /* the host's thunks at the start of segment 0: never evicted */
    bool fork_copied;             /* the child's cache holds all regions */
    uint32_t evictions;           /* exit slots seen before this changed may be gone */
    bool evicting;                /* a segment is being emptied; its CPU has let the lock go to wait */
    uint64_t epoch;               /* grows with every eviction; see vcpu.quiescent */
    bool membarrier;              /* the host orders all CPUs' stores for the evictor; else every CPU does, each time */

    uint64_t *breakpoints;
    uint32_t nbreakpoints, cap_breakpoints;
    int fork_fd;                  /* the child's code cache, between fork_prepare and fork_done */
    struct engine_stats stats;
};

/* region.c: guest code at pc into a region (host code included); caller holds the lock. NULL: the first instruction cannot be
 * fetched (v->exc* is set), or the host refuses (v->exc = EXC_GUEST). limit = most guest instructions. first: the pc was
 * not executed before or not often: little code, and it is counted. */
struct region *region_translate(struct engine *en, struct vcpu *v, uint64_t pc, uint32_t mode, unsigned limit, bool first);
/* Executes the block at the CPU's pc once, without translating it; the reason why it ended, as host->enter() has it. */
enum cpu_exc region_walk(struct engine *en, struct vcpu *v);
struct builder *builder_new(void);
void builder_free(struct builder *b);

/* probe.c: IR of the probes, before the instruction at t->pc and after what of it can fault. */
void probe_before(struct engine *en, struct xlat *t);
void probe_after(struct engine *en, struct xlat *t);

/* watch.c */
extern const struct ir_helper watch_helper;
void watch_access(CPU *cpu, uint64_t addr, uint64_t len, unsigned how);

/* cache.c */
int cache_init(struct engine *en, struct err *e);
void cache_done(struct engine *en);
/* Asks for the memory that code will be written to next, in one go: faults page by page, in both views, cost more than the pages do. */
void cache_touch(struct engine *en);
/* key: of the page of code that pc lies in (region.key). v: the CPU that will run it. */
struct region *cache_find(struct engine *en, struct vcpu *v, uint64_t pc, uint32_t mode, uint64_t key);
/* Is there a full region (one without a counter) at pc? For the holder of the lock. */
bool cache_has_full(struct engine *en, struct vcpu *v, uint64_t pc, uint32_t mode, uint64_t key);
/* May accesses of a region at pc share checks of pages? */
bool cache_shares_checks(const struct engine *en, uint64_t pc);
/* Region whose host code holds hpc, or NULL; async-signal-safe. */
struct region *cache_find_host(struct engine *en, uintptr_t hpc);
/* Adds a compiled region whose code ends at the segment's new fill mark. */
void cache_insert(struct engine *en, struct region *r, uint8_t *new_fill, bool findable);
/* Room for one more region; evicts the oldest segment when the current one is full. v is the caller's CPU. */
void cache_next_segment(struct engine *en, struct vcpu *v);
/* Nobody finds the region from now on. */
void cache_kill(struct engine *en, struct region *r);
void cache_chain(struct engine *en, struct exit_slot *slot, struct region *to);
void cache_flush(struct engine *en);
int cache_fork_prepare(struct engine *en);
int cache_fork_child(struct engine *en, int fd); /* fails only without memory; the cache is unusable then */

/* Kills all regions of a page. Caller holds the lock. */
void cache_kill_page(struct engine *en, uint64_t page);
/* Have all CPUs but self (NULL: really all) been outside generated code since the epoch began? */
bool cache_quiescent_since(struct engine *en, struct vcpu *self, uint64_t epoch);

/* engine.c: counter of a pc, as an offset from the CPU pointer */
int32_t engine_counter(const struct engine *en, uint64_t pc);

/* exec.c */
/* Takes the lock; the CPU counts as quiescent while it waits. */
void exec_lock(struct engine *en, struct vcpu *v);
/* Lets others have the lock for a moment. */
void exec_relock(struct engine *en, struct vcpu *v);

#endif
