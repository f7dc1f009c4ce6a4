/*
 * riscv.h: the RISC-V hart (RV32 and RV64 are modes of one folder) and what its instruction files share.
 * Manuals: The RISC-V Instruction Set Manual, volumes I and II (20240411 and later ratified extensions).
 */
#ifndef LYRE_GUEST_RISCV_H
#define LYRE_GUEST_RISCV_H

#include "cpu/guest.h"
#include "riscv_gen.h"

enum { VLEN_MAX = 1024, VLENB_MAX = VLEN_MAX / 8, FEAT_WORDS = (RISCV_NFEATS + 63) / 64, EXT_WORDS = 2 };

struct riscv_cpu {
    CPU c;
    uint64_t x[32];          /* RV32: the low 32 bits are the register, the rest is kept zero */
    uint64_t f[32];          /* narrower values are NaN-boxed */
    uint64_t vl, vstart;
    uint32_t vtype;          /* without vill, which is a flag of its own */
    uint32_t vill, vxsat, vxrm;
    uint32_t frm;            /* as written: 5..7 are invalid */
    uint32_t vmode;          /* MODE_V* bits that vtype, vl, vstart and vxrm come to now */
    /* constant after init */
    bool rv32;
    uint16_t vlen;           /* bits */
    uint16_t cbo_size;       /* bytes */
    uint64_t exts[EXT_WORDS];   /* enum riscv_ext_id */
    uint64_t feats[FEAT_WORDS]; /* the decoder's gates, derived from exts */
    uint64_t decode_modes;
    const struct cpu_model *model;
    _Alignas(16) uint8_t v[32 * VLENB_MAX]; /* register n at n * vlen / 8: groups are contiguous */
};

/* Translation mode. 0 is scalar code with a valid rounding mode: vtype is not known there, and a vector instruction
 * goes to its own pc in the mode that vmode holds; calls and returns drop back to it, so that scalar code is
 * translated once and not for every vtype it may run under. */
enum {
    MODE_FRM_RMM = 1 << 0,   /* frm is round-to-nearest-away: the host cannot */
    MODE_FRM_BAD = 1 << 1,   /* frm is invalid: dynamic rounding is illegal */
    MODE_F = 3,
    MODE_V = 1 << 2,         /* the rest is valid */
    MODE_VILL = 1 << 3,
    MODE_VFULL = 1 << 4,     /* vl = VLMAX */
    MODE_VSTART = 1 << 5,    /* vstart is not zero */
    MODE_VSEW_SHIFT = 6,     /* 2 bits */
    MODE_VLMUL_SHIFT = 8,    /* 3 bits */
    MODE_VXRM_SHIFT = 11,    /* 2 bits */
    MODE_VALL = ~MODE_F,
};

/* Register ids: rows of the register table. */
enum {
    R_X0 = 0, R_RA = 1, R_SP = 2, R_GP = 3, R_TP = 4, R_A0 = 10, R_A7 = 17,
    R_PC = 32,
    R_F0 = 33,
    R_FFLAGS = 65, R_FRM, R_FCSR,
    R_V0 = 68,
    R_VSTART = 100, R_VXSAT, R_VXRM, R_VCSR, R_VL, R_VTYPE, R_VLENB,
    R_VILL, R_VMODE, R_MODE, R_RES_ADDR, R_RES_VAL0, R_RES_VAL1,
    R_COUNT
};

static inline const struct riscv_cpu *riscv_cpu(const CPU *cpu)
{
    return (const struct riscv_cpu *)cpu;
}
static inline struct riscv_cpu *riscv_cpu_rw(CPU *cpu)
{
    return (struct riscv_cpu *)cpu;
}

/* Elements in a register group of the current vtype. */
uint64_t riscv_vlmax(const struct riscv_cpu *r);
/* vtype as vset{i}vl{i} would set it: vill and vl = 0 if it is not supported. */
void riscv_set_vtype(struct riscv_cpu *r, uint64_t vtype);
/* vtype, vl, vstart, vxrm as MODE_V* bits. */
uint32_t riscv_vmode(const struct riscv_cpu *r);
/* Recomputes what is derived from CSRs after C wrote them: mode bits and fp.rm. */
void riscv_sync(struct riscv_cpu *r);
uint32_t riscv_fflags(const CPU *cpu);
void riscv_set_fflags(CPU *cpu, uint32_t fflags);
/* fflags and the engine's FPF_* are each other's bit reversal (5 bits). */
static inline uint32_t riscv_flip5(uint32_t f)
{
    return (f & 1) << 4 | (f & 2) << 2 | (f & 4) | (f & 8) >> 2 | (f & 16) >> 4;
}

/* Formatters' data, shared with cpuinfo and errors (disas.c). */
extern const char *const riscv_xnames[32];
extern const char *const riscv_fnames[32];

/* linux.c */
extern const struct guest_linux riscv64_linux, riscv32_linux;

#endif
