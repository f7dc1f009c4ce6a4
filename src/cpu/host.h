/*
 * host.h: what a back end is to the engine (floor 2). Back ends know IR, never guests: what they learn of the guest is
 * in struct host_env. One `const struct host` per folder of host/.
 */
#ifndef LYRE_CPU_HOST_H
#define LYRE_CPU_HOST_H

#include "cpu/cpu.h"
#include "ir/ir.h"

/* What generated code of one engine is compiled against; constant for the engine's life. */
struct host_env {
    const struct ir_reg *regs;
    uint32_t nregs;
    int32_t jc_offset;        /* of the jump cache from the CPU pointer */
    uint64_t guest_base;      /* host address of guest address 0 */
    uint64_t limit;           /* not 0: accesses that start here or above are EXC_FAULTs, and it is for the code to see to that */
    bool insn4;               /* pcs are multiples of 4: for jc_slot */
    uint8_t addr_bits;        /* 32: addresses have been zero-extended by the front end and base may be nonzero */
    bool softmmu;             /* system mode: accesses go through the TLBs of soft.h; false: user mode, direct access */
    unsigned pins;            /* how many registers to pin (0..host's maximum); ~0u = host's choice */
};

/*
 * A code buffer: the same bytes seen twice. Writes go through rw; all addresses that are stored or run are rx
 * (W^X: no page is both). rx = rw + delta.
 */
struct code_buf {
    uint8_t *rw, *end;
    ptrdiff_t delta;
};

/* A direct exit that can be patched to jump to its target region. Lives in the region's metadata. */
struct exit_slot {
    struct region *from;
    struct region *to;        /* what it is chained to, NULL = none */
    struct exit_slot *next;   /* list of slots chained to the same region (region->incoming) */
    uint64_t pc;              /* target */
    uint32_t mode;
    uint8_t jk;               /* enum ir_jk */
    uint32_t patch;           /* back end: offset in the region's code of what it patches */
    uint32_t stub;            /* back end: offset of the code it jumps to when unchained */
};

struct region {
    /* what a look-up needs, in one cache line */
    uint64_t pc;
    uint64_t key;             /* system mode: ram address of the page that pc lies in; else 0 */
    uint32_t mode;
    bool dead;                /* unlinked; memory is reused after a grace period */
    bool leaf;                /* it is left by returns, and calls to itself, only (and by faults) */
    uint8_t segment;          /* engine's: part of the code cache */
    bool lone_checks;         /* system mode: each access checks its page by itself; engine's, for the back end */
    uint16_t bad_checks;      /* how often accesses that share a check would have passed one of their own */
    uint16_t npages;          /* guest pages its instructions lie on; that of the entry first in page[] */
    struct region *hash_next;
    void *code;               /* rx address of the entry */
    int32_t counter;          /* not 0: a first translation; offset from the CPU pointer of 16 bits that count entries */
    /* the rest */
    void *code_base;          /* rx address of its first byte (engine's; host pcs in [code_base, +code_size) are its) */
    uint32_t code_size, ninsns;
    struct exit_slot *exits;
    uint32_t nexits;
    struct exit_slot *incoming;
    /* deopt maps: written by the back end, in one allocation with the region (engine frees) */
    uint8_t *maps;
    uint32_t maps_size;
    void *host_data;          /* interp: the IR; freed by host->release */
    struct page_node { /* of the index by page (engine's) */
        uint64_t page;        /* guest address; system mode: ram address */
        uint64_t va;          /* system mode: where the page is seen, and its block */
        struct ram *ram;
        uint16_t lo, hi;      /* bytes of the page that were translated, first and last */
        struct region *region;
        struct page_node *next, **link; /* link: what points here */
    } page[];
};

/*
 * A region with a counter adds COUNT_STEP to its 16 bits where it polls the exit request, at entries and loop heads, and
 * leaves with EXC_REQUEST when they overflow, too.
 */
enum { COUNT_STEP = 8 }; /* 8192 times */

struct host {
    const char *name;
    bool needs_exec;          /* wants executable memory (not the interpreter) */
    bool counts;              /* knows about region.counter */
    uint32_t cpu_extra;       /* bytes it wants after the jump cache in every CPU's allocation */
    /* Once per engine: emits its enter/leave/exit thunks at the start of the code cache (advances buf->rw). Returns a handle
     * or NULL with *e. The handle is read-only afterwards except for scratch memory used under the translation lock. */
    void *(*init)(const struct host_env *env, struct code_buf *buf, struct err *e);
    void (*done)(void *h);
    /*
     * Compiles a region that ir_opt has seen. Fills r->code, code_size, exits, maps (malloc'ed; engine owns them) and
     * advances buf->rw. Returns 0, or -ENOSPC when the buffer is too small (engine evicts and retries), or -E2BIG when
     * the region exceeds a limit of the back end (the builder halves the region).
     */
    int (*compile)(void *h, struct ir *ir, struct code_buf *buf, struct region *r);
    void (*release)(void *h, struct region *r);
    /*
     * Enters generated code at a region's `code` (rx) and returns when it leaves: the exception. EXC_NONE: look up
     * cpu->pc in cpu->mode (v->chain_from = the exit slot it came by, or NULL). cpu->pc and all homes are valid on return. */
    enum cpu_exc (*enter)(void *h, CPU *cpu, void *code);
    /* What the inline jump cache holds for a region: address of code that can be jumped to with pinned registers live. */
    /* Redirects a direct exit; to = NULL restores the stub. Safe while other threads run the code. buf gives the delta. */
    void (*patch)(void *h, ptrdiff_t delta, struct exit_slot *slot, const struct region *to);
    /*
     * A host fault at host pc `hpc` (rx) inside region r: rebuilds the CPU's homes and cpu->pc from the deopt map and the machine
     * context, and redirects *ucontext to the leave thunk so that enter() returns exc. False if hpc is no faulting op.
     * r is NULL when the pc is not in the code cache. v->fault_addr and exc_code are set already. The interpreter touches guest
     * memory between vcpu_access_begin and _end only, with homes and cpu->pc exact: the engine unwinds these by itself.
     */
    bool (*fault)(void *h, CPU *cpu, const struct region *r, void *ucontext, enum cpu_exc exc);
    /* A helper left generated code by cpu_raise: does what the leave thunk would have done for the host's state (FP control word,
     * sticky flags into cpu->fp.flags). Homes and cpu->pc were stored before the call. May be NULL. */
    void (*unwound)(CPU *cpu);
    /*
     * Executes a region's IR as built, from block 0 until it leaves; otherwise as enter(). For code that has hardly run: loops
     * are not interrupted. val has room for ir->nins + ir->nvars values. NULL: the host cannot.
     */
    enum cpu_exc (*walk)(CPU *cpu, const struct ir *ir, union vlanes *val);
    /* Disassembly or bytes of generated code to the log. */
    void (*dump)(void *h, const struct region *r);
    /* dynamic FP environment: after cpu->fp.rm changed from C (context switch, gdb, sigreturn): recompute host_ctl */
    void (*fp_sync)(CPU *cpu);
};
extern const struct host *const host_registry[];
const struct host *host_find(const char *name);
/* By the way of execution, len bytes of accel: "jit" (or "tcg": the interpreter where there is none) or "interp" ("tci"); else NULL. */
const struct host *host_of_accel(const char *accel, size_t len);

/* FP through fpu/ for back ends' cold paths and the interpreter: evaluates one F_FP op exactly under the region's policy,
 * accruing flags into cpu->fp.flags. Scalars and vectors alike. Implemented in host_fp.c (floor 2). */
void host_fp_eval(CPU *cpu, const struct ir_fp *fp, const struct ir_ins *ins, enum ir_type type_a, const union vlanes *a,
                  const union vlanes *b, const union vlanes *c, union vlanes *res);

#endif
