/*
 * xl.h: how instruction bodies read and write operands, registers, flags, the stack. A body is written once for all forms, sizes and
 * kinds of code: values of general operands have the integer type of the operand's size, vector operands are V128.
 *
 * A body computes first, then writes what can fault (memory), then registers and flags: whatever was put before an
 * access that faults is visible to the fault.
 */
#ifndef LYRE_GUEST_X86_XL_H
#define LYRE_GUEST_X86_XL_H

#include "x86.h"

typedef const struct x86_fields F;

static inline const struct x86_cpu *x86(struct xlat *t)
{
    return t->cpu;
}
static inline bool code64(struct xlat *t)
{
    return !(t->mode & MODE_CODE);
}
static inline unsigned cpl(struct xlat *t)
{
    return 3 - (t->mode >> MODE_PRIV_SHIFT & 3);
}

/* The type of an operand of so many bits. */
static inline enum ir_type type_of(unsigned bits)
{
    return bits == 8 ? T_I8 : bits == 16 ? T_I16 : bits == 32 ? T_I32 : bits == 64 ? T_I64 : T_V128;
}
/* The access size of a type. */
static inline unsigned mo_of(enum ir_type type)
{
    return type == T_I8 ? MO_8 : type == T_I16 ? MO_16 : type == T_I32 || type == T_F32 ? MO_32 : type == T_V128 ? MO_128 : MO_64;
}
static inline unsigned bits_of(struct xlat *t, V v)
{
    return ir_type_bits[ir_type_of(t, v)];
}

/* -- general registers ------------------------------------------------------------------------------------------------ */
static inline V gpr(struct xlat *t, unsigned n, unsigned bits)
{
    return ir_trunc(t, type_of(bits), ir_get(t, R_RAX + n));
}
/* 32-bit values clear the upper half, smaller ones keep what is above them. */
static inline void set_gpr(struct xlat *t, unsigned n, V v)
{
    unsigned bits = bits_of(t, v);
    V wide = ir_zext(t, T_I64, v);
    ir_put(t, R_RAX + n, bits >= 32 ? wide : ir_bfi(t, ir_get(t, R_RAX + n), wide, 0, bits));
}

/* -- addresses ---------------------------------------------------------------------------------------------------------- */
struct ea {
    V a;           /* I64, linear, without disp */
    int64_t disp;
};

/* The offset that the addressing form gives, as an I64 of the address size; what is left to be added in *disp. */
V x86_offset(struct xlat *t, F *f, int64_t *disp);
/* An offset (I64) in a segment to a linear address. */
V x86_linear(struct xlat *t, V offset, unsigned seg);
/* Of a memory operand (OP_MEM, OP_SI, OP_DI). */
struct ea x86_ea(struct xlat *t, F *f, const struct x86_op *op);

static inline V ld(struct xlat *t, enum ir_type type, struct ea m)
{
    return ir_ld(t, type, m.a, m.disp, mo_of(type));
}
static inline void st(struct xlat *t, struct ea m, V v)
{
    ir_st(t, m.a, m.disp, v, mo_of(ir_type_of(t, v)));
}
/* The address as one value. */
static inline V ea_value(struct xlat *t, struct ea m)
{
    return m.disp ? ir_addi(t, m.a, (uint64_t)m.disp) : m.a;
}

/* -- operands ------------------------------------------------------------------------------------------------------------- */
static inline bool is_mem(F *f, unsigned i)
{
    return f->op[i].kind == OP_MEM || f->op[i].kind == OP_SI || f->op[i].kind == OP_DI;
}
static inline bool locked(F *f)
{
    return f->prefix & PFX_LOCK;
}
/* The value of operand i. Vector registers: their low 128 bits. */
V src(struct xlat *t, F *f, unsigned i);
/* Writes operand i: v has the type of its size. Vector registers: the low 128 bits, the rest as it was. */
void dst(struct xlat *t, F *f, unsigned i, V v);

/*
 * operand 0 = operand 0 `op` b; returns what it was. RMW_XCHG, ADD, AND, OR, XOR. Atomic with LOCK, and xchg with memory always.
 */
V modify(struct xlat *t, F *f, enum ir_rmw op, V b);
/*
 * Any other read-modify-write of operand 0: modify_begin gives the old value, modify_end writes. With LOCK that is a compare-and-swap;
 * modify_end returns whether nobody came between (I1; 0: always). If somebody did, the instruction begins anew and must have
 * changed nothing: flags and registers go through put_if and put_flags_if, and the body ends with modify_retry.
 */
struct modify {
    struct ea m;
    V old;
};
struct modify modify_begin(struct xlat *t, F *f);
V modify_end(struct xlat *t, F *f, const struct modify *m, V v);
static inline void modify_retry(struct xlat *t, V ok)
{
    if (ok) xl_branch(t, ir_not(t, ok), t->pc);
}
/* Puts v into a register if ok (0 = always). */
static inline void put_if(struct xlat *t, V ok, unsigned reg, V v)
{
    ir_put(t, reg, ok ? ir_select(t, ok, v, ir_get(t, reg)) : v);
}

/* -- flags ---------------------------------------------------------------------------------------------------------------- */
/* Values for all six; V 0 = the flag stays as it is. */
struct flags {
    V zfv, sfv;   /* I64 */
    V pfv, afv;   /* I32 */
    V cf, of;     /* I1 */
};
/* Z, S and P of a result; C and O as given; A: bit 4 of x (any integer type; 0: clear). */
struct flags flags_of(struct xlat *t, V r, V cf, V of, V x);
void put_flags(struct xlat *t, const struct flags *fl);
/* The same if ok. */
void put_flags_if(struct xlat *t, V ok, const struct flags *fl);
/* r = a + b + carry, r = a - b - borrow: carry and borrow 0 = none, else I1. */
struct flags flags_add(struct xlat *t, V a, V b, V carry, V r);
struct flags flags_sub(struct xlat *t, V a, V b, V borrow, V r);
/* Of and, or, xor, test: C = O = A = 0. */
static inline void put_flags_logic(struct xlat *t, V r)
{
    struct flags fl = flags_of(t, r, ir_kt(t, T_I1, 0), ir_kt(t, T_I1, 0), 0);
    put_flags(t, &fl);
}
/* Flags with known values, e.g. of COMISS: Z, P and C are I1; S, A and O are cleared. */
void put_flags_zpc(struct xlat *t, V z, V p, V c);

/* Condition code 0..15 as an I1. */
V condition(struct xlat *t, unsigned cc);
/* The low 16 bits of EFLAGS and all of it, as I32. */
V get_eflags(struct xlat *t);
/* Sets those in `which` (FL_*) from an I32. */
void set_eflags(struct xlat *t, V v, uint32_t which);

static inline V k1(struct xlat *t, bool b)
{
    return ir_kt(t, T_I1, b);
}

/* -- stack ---------------------------------------------------------------------------------------------------------------- */
/* Width of the stack pointer in bits. */
unsigned stack_bits(struct xlat *t);
/* Pushes a value of 16, 32 or 64 bits. */
void push(struct xlat *t, V v);
/* Stores a value so many bytes below the stack pointer, which stays where it is: for instructions that push several. */
void stack_store(struct xlat *t, V v, unsigned below);
/* The value at the stack pointer + offset. */
V stack_top(struct xlat *t, enum ir_type type, unsigned offset);
/* Moves the stack pointer up. */
void stack_drop(struct xlat *t, uint64_t bytes);

/* -- leaving -------------------------------------------------------------------------------------------------------------- */
/* EIP of a linear pc, of a type. */
V ip_value(struct xlat *t, uint64_t pc, enum ir_type type);
/* Where operand i, a relative displacement, leads. */
uint64_t rel_target(struct xlat *t, F *f, unsigned i);
/* To a computed offset in CS. */
void jump_to(struct xlat *t, V ip, enum ir_jk jk);
/* Leaves with exception `vec` as a fault. */
static inline void fault(struct xlat *t, unsigned vec)
{
    xl_exc(t, EXC_GUEST, vec, t->pc);
}
static inline void fault_if(struct xlat *t, V cond, unsigned vec)
{
    xl_trapif(t, cond, EXC_GUEST, vec);
}

#endif
