/*
 * guest_sys.h: what an ISA is to system mode (floor 2): guest/<isa>/{sysreg,mmu,trap}.c fill a `const struct guest_sys`, the engine
 * (soft.c, exec.c) and the machine call it. A CPU is in system mode when cpu->v->sys is not NULL; the same instruction tables serve both.
 */
#ifndef LYRE_CPU_GUEST_SYS_H
#define LYRE_CPU_GUEST_SYS_H

#include "cpu/cpu.h"
#include "mem/phys.h"

/* What a page walk found for one address. */
struct walk {
    uint64_t phys;         /* physical address of the virtual address itself */
    uint8_t page_bits;     /* log2 of the range around it that is translated alike with the same rights: 12 or more; less: the
                              translation is good for this access only (it is not cached) */
    uint8_t prot;          /* GP_READ | GP_WRITE | GP_EXEC: what this regime may do there now. A page that is not marked dirty yet has
                              no GP_WRITE unless the walk was for a write */
    bool global;           /* the same in all address spaces (ASIDs) */
    bool shared;           /* not that, but from tables that are the same for all ASIDs of the key otherwise (Arm: TTBR1) */
    bool guarded;          /* GP_GUARD: Arm's BTI */
    bool device;           /* the page tables say device memory: misaligned accesses fault where the ISA says so */
    struct mem_attr attr;
};

/*
 * MMU views: what an access is translated by. View 0 is the current mode's, view 1 what an unprivileged access uses (Arm's LDTR, RISC-V
 * loads under MPRV...); memory operations of IR name the view in `x`, which front ends choose by
 * setting t->view first. Views 2 and 3 are for helpers (hypervisor loads, walks of another stage).
 */
enum { VIEW_MAIN, VIEW_USER, VIEW_A, VIEW_B, TLB_VIEWS };

/* code of EXC_GUEST in system mode. */
enum {
    GX_HALT = 0x1000,      /* wfi: cpu->pc is the next instruction; sleeps until sys->has_work */
    GX_YIELD,              /* the instruction changed what other CPUs or the loop have to see first; pc is the next instruction */
    GX_SEMIHOST,           /* a semihosting call; pc is the next instruction */
    GX_ISA                 /* from here on the ISA's own */
};

/* What sys->exception and sys->interrupt say. */
enum sys_next {
    SYS_GO,                /* goes on at cpu->pc */
    SYS_HALT,              /* sleeps until has_work */
    SYS_LEAVE              /* cpu_run returns the exception to the machine: debug, semihosting, what the ISA does not know */
};

struct guest_sys {
    /* After guest->init, and at every reset of the machine: the architecture's reset state; pc from v->reset_pc. */
    void (*reset)(CPU *cpu);
    /*
     * Translates va. access: EXF_READ, EXF_WRITE or EXF_EXEC; view: VIEW_*. True: *w is filled. False: the access faults; then
     * v->exc = EXC_FAULT with v->exc_code and what exception() will need was noted in the CPU, unless `probe`: nothing is noted and
     * nothing changes (debuggers, prefetch; accessed and dirty flags stay). Page tables are read with sys_pt_ld, changed by sys_pt_cas.
     */
    bool (*walk)(CPU *cpu, uint64_t va, unsigned access, unsigned view, bool probe, struct walk *w);
    /*
     * Key of the address space that a view shows now: everything that a cached translation depends on besides the tables themselves and
     * what is flushed explicitly: regime, privilege, control bits that change rights, ASID, VMID. The bits in asid_mask of the key are
     * the ASID: translations with walk.global hold for any value of them. Code is shared among keys that differ there.
     * Whoever changes what the key is made of calls soft_switch(cpu).
     */
    uint64_t (*space_key)(CPU *cpu, unsigned view);
    uint64_t asid_mask;
    uint64_t data_mask;    /* bits of the key that matter to data accesses only: fetches are the same whatever they are (Arm: PAN) */
    /* The access at va got no answer from memory (MEM_NONE, MEM_ERROR): notes what exception() needs. access as above. */
    void (*bus_error)(CPU *cpu, uint64_t va, uint64_t phys, unsigned access);
    /* Takes an exception that generated code or a helper raised: sets pc, mode and system registers. v->exc_code, v->fault_addr as left. */
    enum sys_next (*exception)(CPU *cpu, enum cpu_exc exc);
    /* Takes the interrupt that is pending and enabled now, if any. Called when exit_request had REQ_IRQ, and after GX_HALT. */
    bool (*interrupt)(CPU *cpu);
    /* Ends a halt: anything pending that may wake it, enabled or not as the ISA says. Any thread. */
    bool (*has_work)(const CPU *cpu);
    /* An input line of the CPU changes (numbers are the ISA's, in its header; names for wiring in `lines`, ended by NULL). Any thread;
     * thread-safe by atomics; calls sys_kick when the CPU may have to react. */
    void (*set_line)(CPU *cpu, unsigned line, bool level);
    const char *const *lines;
    /* A timer set with sys_timer has come to its time. Machine lock held; any thread. */
    void (*timer)(CPU *cpu, unsigned n);
    /* Starts a CPU that is off (PSCI CPU_ON, SBI): entry pc and argument, in the state the architecture's call prescribes. */
    void (*start)(CPU *cpu, uint64_t pc, uint64_t arg, uint64_t how);
    /* The ISA's semihosting instruction is a call (GX_SEMIHOST) from now on, `user`: in unprivileged code as well. NULL: it has none. */
    void (*semihosting)(CPU *cpu, bool on, bool user);
    /* The monitor's `info registers` extra text and `info tlb`/mem, or NULL. */
    void (*describe)(CPU *cpu, const char *what, void (*out)(void *ctx, const char *line), void *ctx);
};

/*
 * System registers that belong to a device: interrupt controllers (GICv3's ICC_*, IMSIC's stopei and siselect space). The device puts
 * this into v->intc; ISAs call it for registers that they leave to it. ok = false: not there.
 */
struct cpu_intc {
    uint64_t (*read)(void *ctx, CPU *cpu, unsigned reg, bool *ok);
    void (*write)(void *ctx, CPU *cpu, unsigned reg, uint64_t val, bool *ok);
    void *ctx;
};

enum sys_power { SYS_OFF, SYS_RESET, SYS_CRASH };

/* What the machine does for its CPUs; v->host, ctx = v->host_ctx. */
struct sys_host {
    void (*wake)(void *ctx, CPU *cpu);                         /* it may have something to do: ends its sleep. Any thread */
    uint64_t (*now)(void *ctx);                                /* guest time in ns */
    /* One of the CPU's timers (n < 8): sys->timer is called at guest time `ns`; UINT64_MAX: not at all. Any thread. */
    void (*timer)(void *ctx, CPU *cpu, unsigned n, uint64_t ns);
    void (*power)(void *ctx, enum sys_power what, int status); /* asks; takes effect soon */
    CPU *(*cpu)(void *ctx, unsigned index);                    /* NULL past the last */
    /* Runs start() on a CPU that is off; 0, -EALREADY if it is on, -ENOENT. off: the calling CPU goes off (returns; then GX_HALT). */
    int (*cpu_on)(void *ctx, unsigned index, uint64_t pc, uint64_t arg, uint64_t how);
    int (*cpu_off)(void *ctx, CPU *self);
    bool (*is_on)(void *ctx, unsigned index);
    uint64_t (*random)(void *ctx);
};

/* --- for the ISA's code (soft.c) ------------------------------------------------------------------------------------ */

/* The views' keys may have changed: privilege, ASID, control bits. Cheap when they did not. On the CPU's own thread. */
void soft_switch(CPU *cpu);
/*
 * Drops cached translations. Spaces: those with (key & mask) == value. page: only those of the page with va (of whatever size it was);
 * ~0 = all. last: of a range of pages, or va. all_cpus: on every CPU of the machine; done when it returns as far as new accesses are
 * concerned; where the ISA wants older accesses to be complete the instruction ends with GX_YIELD (soft_sync is done then).
 */
void soft_flush(CPU *cpu, uint64_t mask, uint64_t value, bool all_cpus);
void soft_flush_pages(CPU *cpu, uint64_t mask, uint64_t value, uint64_t va, uint64_t last, bool all_cpus);
/* Reads and updates page tables in physical memory: 4 or 8 bytes, little endian. False: nothing is there (or no RAM). cas: *old is
 * what was seen; true if it was replaced by `val`. */
bool sys_pt_ld(CPU *cpu, uint64_t phys, unsigned size, uint64_t *val, struct mem_attr at);
bool sys_pt_cas(CPU *cpu, uint64_t phys, unsigned size, uint64_t *old, uint64_t val, struct mem_attr at);
/* The CPU has to look at its interrupts soon; wakes it if it sleeps. Any thread. */
void sys_kick(CPU *cpu);
/* Accesses by helpers in another view than the main one; cpu_ld and cpu_st are view 0. Faults raise. */
uint64_t soft_ld(CPU *cpu, unsigned view, uint64_t va, unsigned mo);
void soft_st(CPU *cpu, unsigned view, uint64_t va, uint64_t val, unsigned mo);
/* len bytes in address order; a fault raises, after what precedes it was done. */
void soft_copy(CPU *cpu, unsigned view, uint64_t va, void *buf, size_t len, bool write);
/* Translates for instructions that ask (Arm's AT) and for debuggers: as walk with probe; and a debugger's copy. */
bool soft_translate(CPU *cpu, unsigned view, uint64_t va, unsigned access, struct walk *w);
size_t soft_debug(CPU *cpu, uint64_t va, void *buf, size_t len, bool write);
#endif
