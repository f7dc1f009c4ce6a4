/*
 * guest.h: what an instruction set is to the engine (floor 2), and what its folder writes instructions with.
 * One `const struct guest` per ISA variant, found by file name through the generated registry.
 */
#ifndef LYRE_CPU_GUEST_H
#define LYRE_CPU_GUEST_H

#include "cpu/cpu.h"
#include "ir/build.h"

/*
 * The register table: one row per register, the single source of reset values, gdb's target description, `info
 * registers`, snapshots, plugins and the IR's register list. Row number = IR register id for rows with a type.
 */
struct guest_reg {
    const char *name;      /* the manual's spelling, as gdb knows it */
    uint8_t type;          /* enum ir_type; T_VOID: not accessible from IR (e.g. pc) */
    uint8_t group;         /* 0..7, for helper effects */
    int8_t pin;            /* pinning order, -1 never */
    uint32_t offset;       /* in the guest's CPU struct */
    uint16_t bits;         /* width for gdb and snapshots; 0 = not shown */
    const char *feature;   /* gdb feature ("org.gnu.gdb.riscv.cpu"), NULL = not in the target description */
    const char *gdb_type;  /* "int", "code_ptr", "data_ptr", "ieee_double", ... NULL = int */
    int16_t gdb_num;       /* number in the feature's protocol order, -1 = next */
    /* registers that are composed (flags packed in one number) have accessors instead of a plain home */
    uint64_t (*get)(const CPU *cpu);
    void (*set)(CPU *cpu, uint64_t v);
};

struct cpu_model {
    const char *name, *help;
    const char *features;  /* guest-defined list, "a,b,-c"; the model is data */
};

/* Everything user mode needs to know of an ISA; guest/<isa>/linux.c, see cpu/guest_linux.h. */
struct guest_linux;
/* The same for system mode; guest/<isa>/{sysreg,mmu,trap}.c, see cpu/guest_sys.h. */
struct guest_sys;

struct guest {
    const char *name;             /* "riscv64": lyre-NAME */
    const char *aliases;          /* other spellings, comma-separated, or NULL */
    uint16_t elf_machine;         /* EM_* */
    uint8_t elf_class;            /* 1 = 32 bit, 2 = 64 bit */
    bool big_endian;
    uint8_t insn_align;           /* smallest instruction alignment in bytes */
    uint8_t addr_bits;            /* width of a virtual address in user mode */
    size_t cpu_size;              /* of the guest's CPU struct */
    const struct guest_reg *regs;
    unsigned nregs;
    unsigned nir;                 /* the IR knows the first nir rows only: those behind are for C; 0 = it knows all */
    const char *gdb_arch;         /* <architecture> of the target description */
    const struct cpu_model *models; /* ended by a NULL name; the first is the default */

    /* Parses "model,feature=on,..." into the CPU and resets it; error names the unknown word and near ones. */
    int (*init)(CPU *cpu, const char *spec, struct err *e);
    /*
     * Translates the instruction at t->pc from its bytes: sets next_pc, emits IR, leaves by xl_* if it changes flow.
     * `avail` bytes at `p` are readable (at least 1, enough for the longest instruction unless the page after is not
     * executable). Returns the length; 0: more bytes would be needed than are readable (the builder raises the exec
     * fault at the page boundary). Undefined encodings emit xl_exc(EXC_ILLEGAL) themselves.
     */
    unsigned (*translate)(struct xlat *t, const uint8_t *p, size_t avail);
    /* Writes one line of assembly, objdump's spelling; returns the length in bytes (>= 1). */
    unsigned (*disas)(char *buf, size_t size, const uint8_t *p, size_t avail, uint64_t pc, const CPU *cpu);
    /* FP behaviour in a translation mode. */
    void (*fp)(uint32_t mode, struct ir_fp *fp);
    /*
     * How this CPU (model) has register i of the table: its width in bits (0: it has none) and its home, where they are not
     * the table's. NULL: they always are.
     */
    unsigned (*reg_shape)(const CPU *cpu, unsigned i, uint32_t *offset);
    /* A random valid instruction for tests: writes its bytes, returns the length. */
    unsigned (*random_insn)(uint64_t (*rnd)(void *), void *ctx, uint8_t *buf, const CPU *cpu);
    const struct guest_linux *lnx;
    uint16_t semi_op, semi_arg;   /* rows of the registers of a semihosting call: its number and then its result, its argument */
    const struct guest_sys *sys;  /* system mode, see cpu/guest_sys.h; NULL: there is none */
};

static inline unsigned guest_nir(const struct guest *g)
{
    return g->nir ? g->nir : g->nregs;
}

/* The registry, generated from the folders: ended by NULL. */
extern const struct guest *const guest_registry[];
const struct guest *guest_find(const char *name);

/*
 * Values of registers by row of the table (regs.c), in the host's byte order; a CPU that does not have the register has 0 bits of
 * it. Writing goes through the row's accessor if there is one; cpu_run finds what it needs.
 */
enum { REG_BYTES_MAX = 256 };
unsigned cpu_reg_shape(const CPU *cpu, unsigned i, uint32_t *offset);
size_t cpu_reg_size(const CPU *cpu, unsigned i);
void cpu_reg_read(const CPU *cpu, unsigned i, void *out);
void cpu_reg_write(CPU *cpu, unsigned i, const void *in);

/* --- leaving an instruction (region.c consumes; at most one per instruction, last) --------------------------------- */
/* if (cond) goto target, else next_pc. */
static inline void xl_branch(struct xlat *t, V cond, uint64_t target)
{
    t->end = XE_BRANCH, t->cond = cond, t->target = target;
}
static inline void xl_jump(struct xlat *t, uint64_t target, enum ir_jk jk)
{
    t->end = XE_JUMP, t->target = target, t->jk = (uint8_t)jk;
}
/* To a computed pc (I64). */
static inline void xl_jump_ind(struct xlat *t, V pc, enum ir_jk jk)
{
    t->end = XE_IND, t->ind = pc, t->new_mode = 0, t->jk = (uint8_t)jk;
}
/* Goes on at next_pc in mode t->mode, in another region: after anything that changes how code is translated. With a
 * computed mode (I32), new_mode; the code that computed it must also have stored it in cpu->mode. */
static inline void xl_stop(struct xlat *t)
{
    t->end = XE_STOP, t->target = t->next_pc;
}
static inline void xl_stop_mode(struct xlat *t, V new_mode)
{
    t->end = XE_IND, t->ind = ir_k(t, t->next_pc), t->new_mode = new_mode, t->jk = JK_JUMP;
}
/* Leaves with an exception; cpu->pc will be `pc` (its own pc for faults, next_pc for system calls). */
static inline void xl_exc(struct xlat *t, enum cpu_exc exc, uint32_t code, uint64_t pc)
{
    t->end = XE_EXC, t->exc = (uint8_t)exc, t->code = code, t->target = pc;
}
static inline void xl_illegal(struct xlat *t)
{
    xl_exc(t, EXC_ILLEGAL, 0, t->pc);
}
/* Leaves in the middle if cond: state is that of the puts so far, pc the instruction's own. */
static inline void xl_trapif(struct xlat *t, V cond, enum cpu_exc exc, uint32_t code)
{
    ir_emit(t->ir, (struct ir_ins){ .op = IR_TRAPIF, .a = cond, .sub = (uint8_t)exc, .imm = code });
}

/*
 * Instruction tables. A folder's *.isa.c files are read by tools/isagen, which writes decoder, disassembler, random
 * generator and `const struct ir_helper PREFIXhd_NAME` for each HELPER; see docs/isagen.md, docs/instruction.md.
 *
 *   INSN(name, "pattern", "syntax") { body }    body: void (struct xlat *t, const struct ISA_fields *f)
 *   ALIAS(name, "restricted pattern", "syntax") another spelling of an INSN for the disassembler
 *   HELPER(ret, name, (CPU *cpu, args), "effects") { body }   a C function callable with IR_CALL(t, name, ...)
 *     ret and args: void bool uint8_t uint16_t uint32_t uint64_t (I1 I8..I64), lyre_f16/f32/f64 (F16..F64), v128
 *     effects: words "pure", "fault", "fp", "r=GROUPS", "w=GROUPS" with group letters of the ISA's GROUPS line
 */
#define ISA_CAT_(a, b) a##b
#define ISA_CAT(a, b)  ISA_CAT_(a, b)
#define INSN(name, pattern, syntax) \
    void ISA_CAT(ISA_PREFIX, insn_##name)(struct xlat *t, const struct ISA_CAT(ISA_PREFIX, fields) *f); \
    void ISA_CAT(ISA_PREFIX, insn_##name)(struct xlat *t UNUSED, const struct ISA_CAT(ISA_PREFIX, fields) *f UNUSED)
#define ALIAS(name, pattern, syntax)
#define STREAM(...)
#define MODES(...)
#define GROUPS(...)
#define FMT(...)
#define HELPER(ret, name, params, effects) \
    ret ISA_CAT(ISA_PREFIX, helper_##name) params; \
    ret ISA_CAT(ISA_PREFIX, helper_##name) params
/* Calls a HELPER of this ISA; isagen defines its descriptor PREFIXhd_NAME. */
#define IR_CALL(t, name, ...) ir_call(t, &ISA_CAT(ISA_PREFIX, hd_##name), (const V[]){ __VA_ARGS__ })
#define IR_CALL0(t, name)     ir_call(t, &ISA_CAT(ISA_PREFIX, hd_##name), NULL)
/* Bit patterns of scalar FP values in helper signatures: passed as integers of that width. */
typedef uint16_t lyre_f16;
typedef uint32_t lyre_f32;
typedef uint64_t lyre_f64;

#endif
