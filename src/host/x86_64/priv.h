/*
 * priv.h: what only ra.c, lower*.c, deopt.c and host.c share: the back end's handle, per-region state, deopt records.
 */
#ifndef LYRE_X86_64_PRIV_H
#define LYRE_X86_64_PRIV_H

#include "host/x86_64/gen.h"

enum { MAX_PINS = 9, MAX_CARRY_GPR = 2, MAX_CARRY_XMM = 9, MAX_CARRY = MAX_CARRY_GPR + MAX_CARRY_XMM,
       LAZY_NODES = 24, /* largest expression in a map */
       MAX_RECS = 1 << 20 };

/* State of all registers, as the trap and slow thunks save it and the fault handler gathers it. */
struct regs {
    uint64_t gpr[16];
    union vlanes xmm[16];
};

struct fixup { uint8_t *site; uint32_t to; uint32_t tail; };

/* A deopt record: where host code may fault (fault) or jumps to leave (trap), and the bytes of its map. */
struct rec { uint32_t code, data; };

/* What a slow operation works on; lies in the code buffer after the region. */
struct loc {
    uint8_t kind, reg, type;
    int32_t off;
    uint64_t k[2];
};
struct slow {
    struct ir_ins ins;
    struct ir_fp fp;
    uint8_t type_a, dst;
    struct loc arg[3];
};
enum { NO_DST = 0xff };
struct slow_site { struct slow s; uint8_t *site; };

/* Growable scratch, kept in the handle between compilations. */
struct gen_priv {
    uint32_t cap_val;
    struct val *val;
    uint32_t cur[IR_REGS_MAX];      /* root of the register's current value */
    uint8_t rs[IR_REGS_MAX];        /* RS_* */
    uint32_t homeval[IR_REGS_MAX];  /* root that the register's memory home last received */
    uint16_t touched[IR_REGS_MAX];
    uint32_t ntouched;
    uint8_t hreg[IR_REGS_MAX];      /* pinned or carried register, NOREG = memory home */
    uint16_t owner[NREGS];          /* guest register or variable of a pinned or carried register */
    int32_t home[IR_REGS_MAX];      /* displacement from rbp (guest registers) or rsp (variables) */
    const struct ir_reg *home_regs; /* the register list that home[] has been filled from */
    uint32_t nids;                  /* nregs + nvars */
    uint16_t carry[MAX_CARRY];      /* ids of carried registers */
    unsigned ncarry;
    bool nocarry;                   /* second attempt: all temporaries for the allocator */
    uint32_t carry_regs;
    uint16_t *dirty_in;             /* per block: carried registers that may differ from their homes */
    uint32_t cap_dirty;
    struct flow { uint16_t put; uint32_t to[2]; } *flow; /* per block: carried registers put, successors */
    uint32_t cap_flow;
    uint16_t dirty;                 /* in the block being emitted */
    bool rbx_saved;                 /* maps made now: rbx's content is in FR_SAVE */
    bool narrow;                    /* some pinned or carried register is I32 */
    uint64_t slots[3];              /* spill units in use */
    uint32_t lastfault;             /* gen_scan */
    uint8_t **label;
    uint32_t cap_label;
    struct fixup *jumps;
    uint32_t njumps, cap_jumps;
    struct cold *colds;
    uint32_t ncolds, cap_colds;
    union vlanes *pool;
    uint32_t npool, cap_pool;
    struct fixup *poolrefs;
    uint32_t npoolrefs, cap_poolrefs;
    struct rec *recs;
    uint32_t nrecs, cap_recs;
    uint8_t *map;
    uint32_t nmap, cap_map;
    uint32_t soft;                  /* system mode: the access being lowered: record of its miss, and the jump */
    uint8_t *soft_miss;
    struct page_check {             /* system mode: the last check that was made for several accesses */
        uint32_t base, last;        /* root that they add to; the last of them */
        uint8_t view, reg;          /* reg: host address of base + lo, 0 if they do not lie in one page that is in the TLB */
        bool write;
        int64_t lo;
        uint32_t span;
    } page;
    struct fixup *softs;            /* calls of the region's way to t_soft */
    uint32_t nsofts, cap_softs;
    struct slow_site *slows;
    uint32_t nslows, cap_slows;
    struct fixup *traps;
    uint32_t ntraps, cap_traps;
    struct exit_slot *exits;
    uint32_t nexits;
};
enum { RS_TOUCHED = 1, RS_PUT = 2, RS_LIVE = 4 /* the last put must reach the home */, RS_HOME = 8 /* home holds cur */,
       RS_FRESH = 16 /* a helper has written it: pinned or carried register and home agree, no value is known */ };

struct x86_host {
    struct host_env env;
    uint8_t pin[IR_REGS_MAX];       /* host register of a guest register, NOREG */
    uint16_t pin_id[MAX_PINS];
    uint8_t pin_reg[MAX_PINS];
    unsigned npins;
    uint32_t pinned;                /* host registers */
    uint32_t temps;                 /* allocatable when nothing is carried */
    bool gs;                        /* gs base = guest base */
    uint8_t *base;                  /* first byte of the thunks (write view); rel32 is the same in both views */
    ptrdiff_t delta;
    uint8_t *t_enter, *t_leave, *t_leave_homes, *t_exit, *t_miss, *t_far, *t_trap, *t_slow, *t_soft, *t_fold, *t_fpload;
    struct gen_priv x;
};

/* ra.c */
void gen_reset(struct gen *g);
void gen_carry(struct gen *g);                 /* chooses carried registers, fills dirty_in */
void gen_scan(struct gen *g, const struct ir_block *b);
void gen_block_start(struct gen *g, uint32_t b);
void gen_end_ins(struct gen *g);
void gen_flush(struct gen *g, uint32_t r);   /* r's current value into its memory home */
void gen_home_holds(struct gen *g, uint32_t r, uint32_t root);
void gen_touch_last(struct gen *g, V v, uint32_t at);
uint32_t gen_home_needed(const struct gen *g, uint32_t r);
void gen_put(struct gen *g, uint32_t r, V v, bool live);
struct opnd home_of(const struct gen *g, uint32_t r);
void load_from(struct gen *g, enum ir_type t, unsigned d, struct opnd m, bool home);
void store_to(struct gen *g, enum ir_type t, struct opnd m, unsigned s, bool home);
void val_to(struct gen *g, uint32_t root, unsigned d);         /* copies a value into a register that is not allocated */
void store_val(struct gen *g, uint32_t root, struct opnd m, enum ir_type t); /* a value to a home of type t */
bool can_inplace(struct gen *g, V v, V a);
bool hint_free(struct gen *g, V v);            /* the register v should go to can be taken and is no operand */
void gen_drop(struct gen *g, unsigned r);      /* forgets what is in r */
void gen_save(struct gen *g, unsigned r);      /* makes sure the value in temporary r is in memory if it is needed */
void gen_spill(struct gen *g, uint32_t root);  /* puts a value into a spill slot */
void gen_fresh(struct gen *g, uint32_t r, V v);
bool is_deferred(const struct gen *g, V v);
bool is_lazy(const struct gen *g, V v);

/* lower_fp.c: an FCMP computed by its user: may that be as late as instruction `at`? Its cond; its compare. */
bool fcmp_can_wait(const struct gen *g, V v, uint32_t at);
struct cond;
void fcmp_use(struct gen *g, const struct ir_ins *in, struct cond *c);
void fcmp_emit(struct gen *g, const struct cond *c);

/* lower.c, lower_mem.c, lower_ctl.c */
void lower_ins(struct gen *g, V v, const struct ir_ins *in);
void lower_mem(struct gen *g, V v, const struct ir_ins *in);
void lower_call(struct gen *g, V v, const struct ir_ins *in);
void lower_trapif(struct gen *g, const struct ir_ins *in);
void lower_term(struct gen *g, uint32_t b, const struct ir_ins *in);
void lower_poll(struct gen *g, uint64_t pc);
bool fits_imm(const struct gen *g, V v, unsigned bits, int32_t *k);
struct opnd addr_use(struct gen *g, V v, int64_t disp);
void lower_fenv(struct gen *g, V v, const struct ir_ins *in);
/* A condition: operands first, then (after results are allocated) the flags; returns the condition code. */
enum { CK_TEST_RR, CK_TEST_RI, CK_CMP_RO, CK_CMP_RI, CK_BT, CK_FCMP /* k: opcode */ };
struct cond { uint8_t cc, kind, bits; struct opnd a, b; int32_t k; };
void cond_use(struct gen *g, V v, struct cond *c);
void cond_use_cmp(struct gen *g, const struct ir_ins *in, struct cond *c);
unsigned cond_emit(struct gen *g, const struct cond *c);
unsigned cond_code(unsigned ir_cond);

/* flags.c: one-bit values that wait for the block's end. */
struct flag_stores { unsigned n; bool packed; uint16_t r[6]; uint8_t cc[6]; }; /* in order of their homes */
void flags_scan(struct gen *g, const struct ir_block *b, uint32_t lastcall);
bool flag_waits(const struct gen *g, uint32_t r);
/* Computes and stores what one of the n edges needs (n = 0: an exit), but for what the branch on cond will do. */
void flags_flush(struct gen *g, const uint32_t *to, unsigned n, V cond);
/* The compare for the branch and the flags that it sets as well: flags_store after cond_emit. False: there are none. */
bool flags_join(struct gen *g, const uint32_t *to, V cond, struct cond *c, struct flag_stores *s);
void flags_store(struct gen *g, const struct flag_stores *s);
int gen_region(struct x86_host *h, struct ir *ir, struct code_buf *buf, struct region *r);

/* deopt.c: maps. A record is made before the result is allocated and placed at the instruction that may fault. */
uint32_t deopt_rec(struct gen *g);                             /* the map for the current state; returns its place */
void deopt_at(struct gen *g, uint32_t rec);                    /* the instruction at g->p may fault with this map */
/* A jump ending at site leaves with exc and code through the map of now. v->fault_addr = addr + disp if addr is not 0. */
void deopt_trap(struct gen *g, uint8_t *site, enum cpu_exc exc, uint32_t code, V addr, int64_t disp);
void deopt_finish(struct gen *g);
void slow_finish(struct gen *g);
/* Memory in system mode by C: as gen_slow and gen_slow_cold, but what to do and the map for its fault are one record in r->maps.
 * soft_rec: before the result is allocated; returns what soft_call and soft_cold take. page: the access is one of several of one check;
 * leader: the one that makes it. */
uint32_t soft_rec(struct gen *g, V v, const struct page_check *page, bool leader);
/* The value by which the allocator knows the register of x->page; it may take it away. */
static inline uint32_t page_val(const struct gen *g) { return g->ir->nins + g->x->nids; }
void soft_call(struct gen *g, uint32_t i, unsigned dst);
void soft_cold(struct gen *g, uint32_t i, uint8_t *site, unsigned dst);
int deopt_write(struct gen *g);                                /* r->maps */
bool deopt_apply(const struct x86_host *h, CPU *cpu, const struct region *r, uint32_t code, struct regs *regs);
uint64_t x86_trap(CPU *cpu, struct regs *regs, uint64_t at, struct region *r, const struct x86_host *h);
void x86_slow(CPU *cpu, struct regs *regs, const struct slow *s);
uint64_t x86_soft(CPU *cpu, struct regs *regs, uint64_t id, struct region *r, const struct x86_host *h);

#endif
