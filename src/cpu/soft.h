/*
 * soft.h: software TLBs of system mode: what generated code sees of them, and the C side's entry points for back ends and exec.c.
 *
 * Each CPU keeps up to SOFT_SPACES address spaces (by guest_sys.space_key) with a table each, so that switching between them drops
 * nothing. A view is the table that an access goes through at the moment. Generated code does, for an access of n bytes at a:
 *
 *     e = view.table + ((a >> 12 - 5) & view.mask)      one entry is 32 bytes
 *     offset = a ^ e.rd (or e.wr)                        the tag is the page's address, or one that no address of the slot has
 *     if (offset > 4096 - n) slow                        a miss, or it crosses the page's end
 *     access at e.host + offset
 */
#ifndef LYRE_CPU_SOFT_H
#define LYRE_CPU_SOFT_H

#include "cpu/guest_sys.h"
#include "mem/mem.h"

enum { TLB_PAGE_BITS = 12, TLB_PAGE = 1 << TLB_PAGE_BITS, TLB_ENTRY_BITS = 5, TLB_BITS_MIN = 7, TLB_BITS_MAX = 13, SOFT_SPACES = 16 };

struct tlb_entry {
    uint64_t rd, wr;  /* address of the page where that may be done directly */
    uint8_t *host;
    uint64_t ram;     /* ram address of the page (phys.h), ~0: none */
};
_Static_assert(sizeof(struct tlb_entry) == 1 << TLB_ENTRY_BITS, "generated code shifts by it");

/* Lies before the CPU struct. */
struct soft_cpu {
    struct tlb_view {
        struct tlb_entry *table;
        uint64_t mask;          /* of the byte offset of an entry */
    } view[TLB_VIEWS];
    uint64_t tag;               /* what code of the current address space adds to the tags of the jump cache */
    uint64_t pad[7];
};
_Static_assert(sizeof(struct soft_cpu) % 64 == 0, "the CPU that follows is aligned");

static inline struct soft_cpu *cpu_soft(const CPU *cpu)
{
    return (struct soft_cpu *)(uintptr_t)cpu - 1;
}

/* A tag that no address of the slot has; mask has at least one bit. */
static inline uint64_t tlb_no_tag(uint64_t slot)
{
    return (~slot & 1) << TLB_PAGE_BITS;
}

static inline struct tlb_entry *tlb_slot(const CPU *cpu, unsigned view, uint64_t va)
{
    const struct tlb_view *w = &cpu_soft(cpu)->view[view];
    return (struct tlb_entry *)(void *)((char *)w->table + (va >> (TLB_PAGE_BITS - TLB_ENTRY_BITS) & w->mask));
}

/* Host address for an access that generated code would do directly, or NULL. */
static inline void *soft_hit(const CPU *cpu, unsigned view, uint64_t va, unsigned bytes, bool write)
{
    struct tlb_entry *e = tlb_slot(cpu, view, va);
    uint64_t off = va ^ __atomic_load_n(write ? &e->wr : &e->rd, __ATOMIC_RELAXED);
    return off <= TLB_PAGE - bytes ? e->host + off : NULL;
}

/*
 * One memory operation of IR (LD ST CAS RMW PROBE) at base + ins->imm, view ins->x. Operands and
 * result as ir_eval has them. EXC_NONE, or the exception, with v->exc_code and v->fault_addr; then nothing happened.
 */
enum cpu_exc soft_access(CPU *cpu, const struct ir_ins *ins, uint64_t base, const union vlanes *b, const union vlanes *c, union vlanes *r);
/* The same on host memory, for operations that lie within one page (memop.c). Alignment was checked. */
void memop(const struct ir_ins *ins, void *p, const union vlanes *b, const union vlanes *c, union vlanes *r);

/* An access that shares its check with others failed by that only. Where this is frequent the region is made anew, without. */
void soft_bad_check(struct vcpu *v, struct region *r);

/* --- for the engine -------------------------------------------------------------------------------------------------- */
int soft_init(struct vcpu *v);
void soft_done(struct vcpu *v);
/* A page of code: where it is in RAM. */
struct code_page {
    struct ram *ram;
    uint64_t off;     /* of the page in the block */
    unsigned prot;
};
static inline uint64_t code_page_key(const struct code_page *p) { return p->ram->base + p->off; }
/* The page of code at va. False: the fetch faults; noted unless probe. */
bool soft_code_page(struct vcpu *v, uint64_t va, bool probe, struct code_page *p);
/* The page will be translated: its writes are noticed from here on. */
void soft_mark_code(struct engine *en, const struct code_page *p);
/* The guest maintains its instruction cache: code that may have been read too early is dropped. */
void soft_suspects(struct engine *en);
/* No translated code is left in the page. */
void soft_unmark_code(struct ram *ram, uint64_t key);
/* Grows with every flush that concerns the CPU: what was translated before may not hold any more. */
uint64_t soft_flushes(const struct vcpu *v);
/* What the tags of the jump cache are made of besides pc and mode. */
static inline uint64_t soft_tag(const struct vcpu *v) { return v->soft ? cpu_soft(v->cpu)->tag : 0; }
/* The jump cache gets an entry of a region whose code lies in the page of va. */
void soft_note_exec(struct vcpu *v, uint64_t va);
/* Everything on every CPU: the machine's memory map changed. Any thread. */
void soft_flush_machine(struct engine *en);
/* Waits until every other CPU has been outside generated code since now. The caller is outside. */
void soft_sync(struct vcpu *v);
/* Adds the CPU's counters. */
void soft_add_stats(const struct vcpu *v, struct engine_stats *st);
/* What cpu_run does with a reason to leave generated code: true: on at cpu->pc; false: it is the machine's. */
bool soft_exception(struct vcpu *v);

#endif
