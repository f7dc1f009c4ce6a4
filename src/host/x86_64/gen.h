/*
 * gen.h: the x86-64 code generator as its own files see it. One forward pass over a block (ra.c: gen_scan) finds aliases,
 * use counts and last uses; a second one allocates and emits at once (lower*.c). Nothing is allocated per instruction.
 *
 * Registers: rsp = frame (struct layout below), rbp = CPU pointer + CPU_BIAS, gs base = guest base when that is not 0.
 * Pinned guest registers live in P_REGS across all code. Carried guest registers live in a register across one region.
 * Everything else is in its home at block edges and in temporaries inside a block.
 *
 * Values: an integer operand narrower than 64 bits may have anything in the upper bits of its register, except I1, which is
 * 0 or 1 in all 64 bits. A result of I8 I16 I32 must be written by a 32-bit instruction (bits 32-63 zero; bits above an I8 or
 * I16 arbitrary). F16/F32/F64 are in the low part of an XMM register, upper part arbitrary.
 *
 * How an operation is lowered (one case of a switch):
 *     unsigned a = use_r(g, in->a), b = use_r(g, in->b);   operands first; they stay put until the instruction is done
 *     unsigned t = tmp_xmm(g);                             scratch
 *     unsigned d = def_r(g, v);                            then the result
 *     x_...(g, d, a, b);                                   emit
 * The driver unlocks everything and frees dead registers after the case. Values 0 (no operand) are not passed to use_*.
 */
#ifndef LYRE_X86_64_GEN_H
#define LYRE_X86_64_GEN_H

#include "cpu/host.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15,
       XMM0, XMM1, XMM2, XMM3, XMM4, XMM5, XMM15 = XMM0 + 15, NREGS, NOREG = 0xff };
#define RBIT(r) (1u << (r))
enum { CPU_BIAS = 128 };              /* rbp = CPU + 128: disp8 reaches the first 256 bytes */

/* Frame, from rsp upwards; rsp is 16-byte aligned in generated code. */
enum { FR_ARG = 0,                    /* stack argument of a helper */
       FR_ID = 16,                    /* u32: deopt record of a trap, slow-operation descriptor */
       FR_REGION = 24,                /* struct region of a trap */
       FR_MXCSR = 32, FR_SAVE = 40,   /* a pinned register for the time of one instruction */
       FR_TMP = 48,                   /* 16 aligned bytes of scratch for one operation (store and reload) */
       FR_SPILL = 64, SPILLS = 160,   /* 8-byte units */
       FRAME = FR_SPILL + SPILLS * 8 + 8 };

/* Host features, detected once. */
struct x86_features {
    bool avx, avx2, fma, f16c, bmi1, bmi2, lzcnt, popcnt, movbe, pclmul, aes, gfni, avx512vl, avx512bw, avx512dq, avx512_fp16,
        avx512_bitalg, avx512cd, sse42, fsgsbase, adx, cx16;
};
extern struct x86_features x86;

/* An operand: register, or memory [base + index * scale + disp] (seg gs if gs), or the constant pool. */
enum { O_REG, O_MEM, O_POOL };
struct opnd {
    uint8_t kind, reg; /* O_REG: register; O_MEM: base, NOREG = none */
    uint8_t index;     /* NOREG = none */
    uint8_t scale : 2, gs : 1;
    int32_t disp;      /* O_POOL: index into the pool */
};
static inline struct opnd o_reg(unsigned r) { return (struct opnd){ O_REG, (uint8_t)r, NOREG, 0, 0, 0 }; }
static inline struct opnd o_mem(unsigned base, int32_t disp) { return (struct opnd){ O_MEM, (uint8_t)base, NOREG, 0, 0, disp }; }
static inline struct opnd o_cpu(int32_t offset) { return o_mem(RBP, offset - CPU_BIAS); }
static inline struct opnd o_frame(int32_t offset) { return o_mem(RSP, offset); }

/*
 * What is known of a value. Values are indexed by V; the value a register holds on entry to a block has index
 * nins + register id. GET, no-op TRUNC and ZEXT are aliases: only roots have a location.
 */
struct val {
    uint32_t root;
    uint32_t last;     /* index of the last instruction that needs it, deopt maps included */
    uint16_t uses;     /* by code (not by maps) */
    uint8_t bits;      /* integers: bits that may be non-zero in the host register */
    uint8_t hint;      /* register that a PUT wants it in, NOREG = none */
    uint8_t reg;       /* register it is in, NOREG = none */
    uint8_t slot;      /* spill unit + 1, 0 = none */
    uint16_t home;     /* register id whose home holds it, NOHOME = none */
    uint16_t put;      /* register id with a memory home it was last put to, NOHOME = none */
    uint8_t flags;     /* VF_* */
    uint8_t type;
    uint8_t nodes;     /* size of its expression when VF_LAZY */
    uint32_t user;     /* VF_FOLD: the instruction that can absorb it */
    uint32_t pad;      /* 32 bytes: an index is a shift */
};
enum { NOHOME = 0xffff };
enum { VF_K = 1,       /* constant: rematerialised */
       VF_DEFER = 2,   /* computed by its only user (address, compare); maps hold the expression */
       VF_LAZY = 4,    /* never computed: maps hold the expression */
       VF_FOLD = 8,    /* may become VF_DEFER */
       VF_COPIES = 16, /* may be in more than one register */
       VF_FLAG = 32    /* only its home and the branch want it, at the block's end (flags.c) */ };

/* A value's place, as deopt maps and slow-operation descriptors record it. */
enum { LOC_NONE, LOC_GPR, LOC_XMM, LOC_FRAME, LOC_HOME, LOC_K, LOC_KV, LOC_EXPR };

struct gen;
struct cold {
    void (*emit)(struct gen *g, struct cold *c);
    uint8_t *site;     /* end of the jump (rel32 before it) that comes here; bound to the cold code when emitted */
    uint8_t *back;     /* where hot code goes on; set by gen_cold_back, or NULL */
    uint64_t pc;
    V v;
    uint8_t reg[6];    /* the emitter's */
    uint32_t arg;
    uint64_t k;
};

struct gen {
    uint8_t *p, *end;            /* next byte (write view), limit */
    uint8_t *start;              /* of the region */
    ptrdiff_t delta;             /* rx - rw */
    struct ir *ir;
    struct x86_host *h;
    struct region *r;
    struct val *val;             /* nins + registers */
    uint32_t at;                 /* instruction being lowered */
    uint64_t pc;                 /* guest pc of it */
    int err;                     /* sticky: -ENOSPC, -E2BIG */
    uint32_t regval[NREGS];      /* root that is in the register, 0 = none */
    uint32_t used;               /* registers that hold something */
    uint32_t locked;             /* registers of the current instruction */
    uint32_t scratch;            /* of these, those given out by tmp_* and take */
    uint32_t temps;              /* registers that may be allocated: neither pinned nor carried, nor rsp, rbp */
    unsigned nested;             /* inside the lowering of a deferred operand */
    struct gen_priv *x;          /* priv.h */
};

static inline const struct ir_ins *ins_of(const struct gen *g, V v) { return &g->ir->ins[v]; }
static inline enum ir_type type_of(const struct gen *g, V v) { return (enum ir_type)g->ir->ins[v].type; }
static inline bool type_is_xmm(enum ir_type t) { return t >= T_F16; }
static inline struct val *root_of(struct gen *g, V v) { return &g->val[g->val[v].root]; }
static inline bool is_k(const struct gen *g, V v) { return g->ir->ins[v].op == IR_K; }

/* --- operands, results, scratch (ra.c) ------------------------------------------------------------------------------ */
/* A register that holds v (GPR for integers, XMM for FP and vectors); loads or materialises it if need be. Read-only. */
unsigned use_r(struct gen *g, V v);
/* A register, or a memory operand when v is in memory and not used again (v's own width may be read there; for V128
 * only when the host has AVX or the place is aligned; constants: vector and FP constants come as a pool operand). */
struct opnd use_rm(struct gen *g, V v);
/* True if the current instruction is the last to need v (its register may be overwritten by def_r and def_copy). */
bool use_last(struct gen *g, V v);
/* The register for result v. It may be that of an operand that dies here: write it with the instruction that reads the
 * operands, or after all reads. */
unsigned def_r(struct gen *g, V v);
/* The same, but different from all operands and scratch of this instruction (early clobber). */
unsigned def_new(struct gen *g, V v);
/* The register for result v, already holding operand a's value (two-operand instructions). Never that of another
 * operand in use: call use_* for the others first. */
unsigned def_copy(struct gen *g, V v, V a);
/* Scratch until the end of the instruction. */
unsigned tmp_gpr(struct gen *g);
unsigned tmp_xmm(struct gen *g);
/* Makes a certain register (rax rcx rdx, XMM temporaries) scratch for this instruction, moving what it holds away. Call
 * before use_*: take(g, RCX) then use_r. */
void take(struct gen *g, unsigned r);
/* Result v has been computed in register r, which was take()n or is a tmp: r becomes v's register. */
void def_is(struct gen *g, V v, unsigned r);

/* --- constant pool: 16 bytes each, at the end of the region ---------------------------------------------------------- */
struct opnd pool(struct gen *g, uint64_t lo, uint64_t hi);
static inline struct opnd pool2(struct gen *g, uint64_t lo) { return pool(g, lo, lo); }

/* --- cold paths -------------------------------------------------------------------------------------------------------- */
/* After emitting a jump with rel32 (x_jcc_fwd returns its end): queues a cold path that begins there. Fill v, reg, arg, k.
 * The pointer is valid until the next gen_cold. */
struct cold *gen_cold(struct gen *g, void (*emit)(struct gen *, struct cold *), uint8_t *site);
/* Hot code goes on here after cold path c (call it right after emitting the hot code that c replaces). */
static inline void gen_cold_back(struct gen *g, struct cold *c) { c->back = g->p; }
/* In an emitter: jumps back. */
void gen_cold_return(struct gen *g, struct cold *c);

/*
 * Evaluates instruction v by C (ir_eval, host_fp_eval) with all registers preserved but the result's. Inline form: for
 * operations without a lowering. Cold form: entered by the jump that ends at `site`, returns to the current place; the
 * operands must be where use_* put them (not overwritten: use def_new), the result goes to d (as def_* returned it).
 * FP flags are accrued into cpu->fp.flags; MXCSR is kept.
 */
void gen_slow(struct gen *g, V v);
void gen_slow_cold(struct gen *g, V v, uint8_t *site, unsigned d);

/* --- lowering by class: true if done, false: gen_slow ---------------------------------------------------------------- */
bool lower_fp(struct gen *g, V v, const struct ir_ins *in);  /* lower_fp.c: F* and BITCAST between I and F */
bool lower_vec(struct gen *g, V v, const struct ir_ins *in); /* lower_vec.c: V* */

#endif
