/*
 * cpu.h: a virtual CPU as everyone but its own guest folder sees it, and the engine that runs it (floor 2).
 */
#ifndef LYRE_CPU_CPU_H
#define LYRE_CPU_CPU_H

#include <setjmp.h>
#include "base/base.h"
#include "ir/ir.h"

struct guest;
struct engine;
struct region;
struct gmem;
struct mem;
struct space;
struct guest_sys;
struct sys_host;
struct cpu_intc;
struct soft_state;

/* Why execution left a region, and what the embedder (user/, system exec loop) has to handle. */
enum cpu_exc {
    EXC_NONE,
    EXC_REQUEST,   /* cpu->exit_request was set; nothing happened to the guest */
    EXC_SYSCALL,   /* pc is the next instruction; code as the guest says */
    EXC_BREAK,     /* breakpoint instruction; pc is its own */
    EXC_ILLEGAL,   /* undefined or not permitted; pc is its own */
    EXC_FAULT,     /* memory fault: fault_addr, code = EXF_* bits; pc of the instruction */
    EXC_ALIGN,     /* misaligned access that must not be */
    EXC_FP,        /* trapped floating-point exception: code = FPF_* bits */
    EXC_DEBUG,     /* breakpoint or step finished, or the count did (code = EXD_COUNT); pc is the next instruction to run */
    EXC_GUEST      /* guest-defined: code says which */
};
enum { EXD_BREAK, EXD_COUNT, EXD_WATCH /* system mode: the instruction at pc is about to do what v->watch_hit says */ };
enum { EXF_READ = 0, EXF_WRITE = 1, EXF_EXEC = 2, EXF_MAPERR = 4, EXF_ACCERR = 8, EXF_BUS = 16 };

/* Floating-point environment common to all guests. In generated code the host's own FP unit holds the rounding mode and
 * fresh sticky flags (x86-64: MXCSR); the host back end folds them in here whenever control reaches C through an exit. */
struct cpu_fp {
    uint32_t flags;      /* accrued FPF_* so far, without those still in the host unit */
    uint32_t rm;         /* enum ir_rm, RM_RNE..RM_RMM; never RM_DYN */
    uint32_t x86;        /* of x86 guests, in MXCSR's bits: FTZ, DAZ; DE: denormal operands are reported (FPF_INDENORM) */
    uint32_t host_ctl;   /* back end's: control word to load on entry (x86-64: MXCSR with rounding mode, all masked) */
    uint32_t host_save;  /* back end's scratch: the C side's control word */
};
enum { CPU_FP_DE = 2, CPU_FP_DAZ = 0x40, CPU_FP_FTZ = 0x8000 };

/* One entry of the inline jump cache: tag = pc ^ cpu_mode_tag(mode). An empty entry has a tag that no pc of its slot has:
 * 4 in slot 0, 0 elsewhere (jc_empty). */
struct jc_entry {
    uint64_t tag;
    void *code;
};
enum { JC_BITS = 16, JC_SIZE = 1 << JC_BITS };
/* Slot of a pc: its low bits above those that are always 0 (insn4: two of them). Generated code computes the same. */
static inline unsigned jc_slot(uint64_t pc, bool insn4) { return (unsigned)(pc >> (1 + insn4)) & (JC_SIZE - 1); }
static inline uint64_t jc_empty(unsigned slot) { return slot ? 0 : 4; }
/* What a mode adds to the tag: 0 for mode 0, so that the common mode costs nothing. */
static inline uint64_t cpu_mode_tag(uint32_t mode) { return (uint64_t)mode << 32 ^ (uint64_t)mode << 56; }

/*
 * Every guest's CPU struct begins with this; guest registers follow directly, then what only C touches. The whole is one
 * allocation: [guest struct, guest->cpu_size rounded up to 64][jump cache JC_SIZE entries], so that generated code
 * reaches all of it from one pointer.
 */
typedef struct cpu {
    uint64_t pc;             /* valid when outside generated code */
    uint32_t exit_request;   /* polled at region entries and back edges; set by other threads and signal handlers (atomic) */
    uint32_t mode;           /* translation mode: guest-defined; part of the key of every region */
    struct cpu_fp fp;
    uint64_t res_addr;       /* load-reserved: address (all ones = none) and the value seen (LL/SC by compare-and-swap) */
    uint64_t res_val[2];
    uint64_t scratch[2];     /* back end's */
    struct vcpu *v;          /* the engine's side of this CPU */
} CPU;

/* Memory that a debugger watches. User mode: accesses by single-stepped instructions are noticed (watch.c). System mode: all are, before
 * they are done; after a change of the list engine_watch_changed is called. */
struct cpu_watch {
    uint64_t addr, len;
    unsigned how;            /* CW_* */
};
enum { CW_READ = 1, CW_WRITE = 2 };

/* The engine's side: what generated code does not need. */
struct vcpu {
    CPU *cpu;
    const struct guest *guest;
    struct engine *engine;
    struct gmem *mem;
    uint64_t guest_last;     /* accesses that start above fault: the end of a reserved space that addresses can exceed; else ~0 */
    uint64_t outside;        /* the last one that did (vcpu_outside) */
    struct jc_entry *jc;
    bool insn4;              /* all instructions lie at multiples of 4 */
    /* last exit */
    enum cpu_exc exc;
    uint32_t exc_code;
    uint64_t fault_addr;
    struct exit_slot *chain_from; /* direct exit to be patched once its target exists */
    struct region *left;     /* the region whose counter overflowed; set by the host with EXC_REQUEST */
    uint32_t evictions;      /* the engine's, when chain_from and left were set */
    sigjmp_buf recover;      /* helpers that fault come back here; see cpu_raise */
    volatile bool in_code;   /* between entering generated code and leaving it */
    volatile bool walking;   /* in_code, but no generated code: a block is walked (host.walk) */
    volatile bool guest_access; /* a C accessor below is touching guest memory */
    bool single_step;
    bool irq_waits;          /* system mode: an interrupt request came while single-stepping */
    bool watch_pass;         /* system mode: the next instruction is a single step over what was hit */
    unsigned nwatch;
    const struct cpu_watch *watch;     /* nwatch of them */
    const struct cpu_watch *watch_hit; /* the first that the last step touched, NULL = none */
    uint64_t quiescent;      /* epoch for the code cache's grace periods */
    uint64_t guest_base;     /* = gmem_base(mem) */
    struct builder *builder; /* the engine's, for blocks that are walked; NULL until the first */
    uint64_t walked, walked_insns;
    struct vcpu *next;       /* engine's list */
    void *user;              /* embedder's per-CPU data (the thread of user/linux) */
    /* system mode (guest_sys.h, soft.h); sys = NULL: user mode, and the rest means nothing */
    const struct guest_sys *sys;
    const struct sys_host *host;       /* the machine */
    void *host_ctx;
    struct space *space;               /* physical addresses as this CPU sees them */
    const struct cpu_intc *intc;       /* interrupt controller's system registers, NULL = none */
    struct soft_state *soft;           /* the TLBs' side that generated code does not see */
    unsigned index;                    /* number in the machine, from 0 */
    uint64_t reset_pc, reset_arg;      /* where it starts, and what its firmware is told, as the ISA says */
};

/*
 * Guest memory for HF_FAULT helpers and the interpreter: direct access with the exact fault raised on failure (does not return
 * then). mo: enum ir_mo (size, MO_BE; order is the caller's). Plain loads and stores, not for atomics.
 */
uint64_t cpu_ld(CPU *cpu, uint64_t addr, unsigned mo);
void cpu_st(CPU *cpu, uint64_t addr, uint64_t val, unsigned mo);
void cpu_ldn(CPU *cpu, void *dst, uint64_t addr, size_t len); /* in address order */
void cpu_stn(CPU *cpu, uint64_t addr, const void *src, size_t len);
/* Host address of a guest address, for atomic accesses between cpu_access_begin and _end (faults raise). */
static inline void *cpu_access_begin(CPU *cpu, uint64_t addr);
static inline void cpu_access_end(CPU *cpu);

/* --- engine (exec.c, cache.c, region.c) -------------------------------------------------------------------------- */
struct engine_config {
    const struct guest *guest;
    const struct host *host;      /* the back end */
    struct gmem *mem;
    bool probes;                  /* engine_probe may be called later */
    size_t cache_bytes;           /* code cache; 0 = default 128 MiB */
    unsigned max_insns;           /* guest instructions in a region; 0 = default */
    unsigned opt_passes;          /* OPT_*; ~0u = all */
    int warmup;                   /* times a block is executed without being translated (0..WARMUP_MAX); -1 = default */
    bool nochain;
    bool timed;                   /* fill stats.translate_ns */
    struct mem *sysmem;           /* system mode: the machine's memory; mem is NULL then, and each CPU gets its space by cpu_new_sys */
    const struct sys_host *sys_host;
    void *sys_ctx;
    /* Handles EXC_SYSCALL without leaving cpu_run (not when single-stepping); false: cpu_run returns EXC_REQUEST. May be NULL. */
    bool (*syscall)(CPU *cpu);
};
enum { WARMUP_MAX = 100 };
struct engine *engine_new(const struct engine_config *cfg, struct err *e);
void engine_free(struct engine *en);

/* A new CPU, zeroed and reset by the guest with a model specification ("max", "rv64,v=false", ...). */
CPU *cpu_new(struct engine *en, const char *model, struct err *e);
/* A copy for a new thread of the guest (registers, mode, fp). */
CPU *cpu_clone(CPU *cpu, struct err *e);
void cpu_free(CPU *cpu);
/* A CPU of a machine, in system mode; reset has still to be called (guest->sys->reset). */
CPU *cpu_new_sys(struct engine *en, const char *model, unsigned index, struct space *space, struct err *e);

/* Runs until something has to be handled; returns the reason (also in v->exc, v->exc_code, v->fault_addr). */
enum cpu_exc cpu_run(CPU *cpu);
/* Makes cpu_run return EXC_REQUEST soon; async-signal-safe, any thread. Cleared by cpu_run on return. */
void cpu_kick(CPU *cpu);
/* From a helper with HF_FAULT: leaves it and the region, cpu_run returns exc. Does not return. */
_Noreturn void cpu_raise(CPU *cpu, enum cpu_exc exc, uint32_t code, uint64_t fault_addr);

/*
 * To be called from the host's SIGSEGV/SIGBUS handler: if the fault is the guest's (in generated code or in a guarded
 * accessor), arranges for cpu_run to return EXC_FAULT with exact registers by rewriting *ucontext, and returns true.
 * Write faults on pages protected because they hold translated code are resolved here (true, the access is retried).
 */
bool engine_host_fault(CPU *cpu, int sig, void *siginfo, void *ucontext);

/* Translated code of [start, end) is stale: drop it (self-modifying code, munmap, icache flush). Any thread. */
void engine_invalidate(struct engine *en, uint64_t start, uint64_t end);
/* The guest executed instruction cache maintenance for [start, end). */
void engine_icache_flush(struct engine *en, uint64_t start, uint64_t end);
/* fork() in the child: only the calling thread exists, locks are taken over. To be bracketed around fork: prepare, fork,
 * done(child = pid == 0) in both. Includes gmem's. */
void engine_fork_prepare(struct engine *en);
int engine_fork_done(struct engine *en, CPU *self, bool child); /* 0; -ENOMEM in a child that cannot go on */

/* gdb: breakpoints by guest pc. */
int engine_breakpoint(struct engine *en, uint64_t pc, bool set);
/* System mode: the watch lists of CPUs changed. No CPU runs. */
void engine_watch_changed(struct engine *en);

/*
 * What code translated from now on does besides running the guest (probe.c); for engines with cfg.probes. The caller sees to it
 * that no CPU runs meanwhile, and that what was translated before is dropped where it matters (engine_invalidate).
 * Counting: *cpu_insns_left counts down with each instruction that completes, exact at every exit and fault; an instruction
 * that would begin with 0 left ends in EXC_DEBUG, EXD_COUNT. Hook: called before an instruction for which `wanted` says so, with
 * all registers and cpu->pc in place, outside generated code to all purposes. If it returns true, the instruction is not begun
 * and cpu_run returns EXC_REQUEST; that is a must after a change of registers or of the code ahead.
 */
struct engine_probes {
    bool count;
    bool (*wanted)(void *ctx, uint64_t pc); /* NULL: no hook */
    bool (*hook)(void *ctx, CPU *cpu);
    void *ctx;
};
void engine_probe(struct engine *en, const struct engine_probes *p);
uint64_t *cpu_insns_left(CPU *cpu);

struct engine_stats {
    uint64_t walked, walked_insns; /* blocks executed untranslated, by CPUs that still exist, and their instructions */
    uint64_t full_regions, full_insns; /* those of regions and insns that are no first translations */
    /* system mode, all CPUs: translations that came into a TLB, page walks, flushes, accesses by C that were none of RAM, switches of
     * address spaces */
    uint64_t tlb_fills, tlb_walks, tlb_flushes, mmio, switches;
    uint64_t regions, insns, host_bytes, ir_ins, translate_ns, lookups, chains, invalidated, flushes;
};
void engine_get_stats(struct engine *en, struct engine_stats *st);
/* The same as text into the log. */
void engine_log_stats(struct engine *en);

/* For an access that starts outside the guest's space: remembers where, for engine_host_fault, and returns what faults. */
uint64_t vcpu_outside(struct vcpu *v, uint64_t addr);
/* The same for callers that have the vcpu at hand. */
static inline void *vcpu_access_begin(struct vcpu *v, uint64_t addr)
{
    v->guest_access = true;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (unlikely(addr > v->guest_last)) addr = vcpu_outside(v, addr);
    return (void *)(uintptr_t)(v->guest_base + addr);
}
static inline void vcpu_access_end(struct vcpu *v)
{
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    v->guest_access = false;
}
static inline void *cpu_access_begin(CPU *cpu, uint64_t addr)
{
    return vcpu_access_begin(cpu->v, addr);
}
static inline void cpu_access_end(CPU *cpu)
{
    vcpu_access_end(cpu->v);
}

#endif
