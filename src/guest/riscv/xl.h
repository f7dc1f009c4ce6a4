/*
 * xl.h: how instruction bodies read and write registers. Integer values have the guest's register width (I32 or I64);
 * bodies are written once and the constructors take the type from their operands.
 */
#ifndef LYRE_GUEST_RISCV_XL_H
#define LYRE_GUEST_RISCV_XL_H

#include "riscv.h"

typedef const struct riscv_fields F;

static inline const struct riscv_cpu *hart(struct xlat *t)
{
    return t->cpu;
}
static inline bool rv32(struct xlat *t)
{
    return hart(t)->rv32;
}
static inline enum ir_type xtype(struct xlat *t)
{
    return rv32(t) ? T_I32 : T_I64;
}
static inline unsigned xlen(struct xlat *t)
{
    return rv32(t) ? 32 : 64;
}
static inline V kx(struct xlat *t, uint64_t k)
{
    return ir_kt(t, xtype(t), k);
}
static inline V x(struct xlat *t, unsigned r)
{
    return r ? ir_get(t, R_X0 + r) : kx(t, 0);
}
static inline void wx(struct xlat *t, unsigned r, V v)
{
    if (r) ir_put(t, R_X0 + r, v);
}
/* The low 32 bits, and writing a 32-bit result sign-extended. */
static inline V w(struct xlat *t, unsigned r)
{
    return ir_trunc(t, T_I32, x(t, r));
}
static inline void ww(struct xlat *t, unsigned r, V v)
{
    wx(t, r, ir_sext(t, xtype(t), v));
}
/* Writes an I1 as 0 or 1. */
static inline void wb(struct xlat *t, unsigned r, V v)
{
    wx(t, r, ir_zext(t, xtype(t), v));
}
/* As I64, zero-extended on RV32: an address. */
static inline V xaddr(struct xlat *t, unsigned r)
{
    return ir_zext(t, T_I64, x(t, r));
}
/* RV32 addresses wrap at 2^32, so their displacement is added here; RV64's goes with the access. */
static inline V ea(struct xlat *t, unsigned r, int64_t imm, int64_t *disp)
{
    *disp = rv32(t) ? 0 : imm;
    return rv32(t) ? ir_zext(t, T_I64, ir_addi(t, x(t, r), (uint64_t)imm)) : x(t, r);
}
static inline V load(struct xlat *t, enum ir_type type, unsigned r, int64_t imm, unsigned mo)
{
    int64_t disp;
    V a = ea(t, r, imm, &disp);
    return ir_ld(t, type, a, disp, mo);
}
static inline void store(struct xlat *t, unsigned r, int64_t imm, V v, unsigned mo)
{
    int64_t disp;
    V a = ea(t, r, imm, &disp);
    ir_st(t, a, disp, v, mo);
}
/* pc-relative targets wrap with the register width. */
static inline uint64_t target(struct xlat *t, int64_t off)
{
    uint64_t pc = t->pc + (uint64_t)off;
    return rv32(t) ? (uint32_t)pc : pc;
}
static inline void branch(struct xlat *t, F *f, enum ir_cond c)
{
    xl_branch(t, ir_cmp(t, c, x(t, (unsigned)f->rs1), x(t, (unsigned)f->rs2)), target(t, f->boff));
}
/* jal and jalr in all their spellings. The hint table of "Unconditional Jumps": x1 and x5 are link registers. */
void riscv_jump(struct xlat *t, unsigned rd, int64_t off);
void riscv_jump_reg(struct xlat *t, unsigned rd, unsigned rs1, int64_t off);

/* Floating point: values by format; the rm field as enum ir_rm, 0 if the instruction is illegal with it. */
static inline V fr(struct xlat *t, enum ir_type type, unsigned r)
{
    V v = ir_get(t, R_F0 + r);
    return type == T_F64 ? v : ir_funbox(t, type, v);
}
static inline void wf(struct xlat *t, unsigned r, V v)
{
    ir_put(t, R_F0 + r, ir_type_of(t, v) == T_F64 ? v : ir_fbox(t, v));
}

/* CSR accesses; see sysreg.c. rd = 0 or source = 0 suppress the read or the write as the manual says. */
enum csr_op { CSR_WRITE = 1, CSR_SET, CSR_CLEAR };
void riscv_csr_access(struct xlat *t, unsigned num, enum csr_op op, unsigned rd, V src, bool write);
/* ecall in system mode. */
void riscv_trap_call(struct xlat *t);
/* Raises a virtual-instruction exception. */
void riscv_virtual(struct xlat *t);

#endif
