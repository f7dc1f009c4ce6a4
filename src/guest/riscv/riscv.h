/*
 * riscv.h: the RISC-V hart (RV32 and RV64 are modes of one folder) and what its instruction files share.
 * Manuals: The RISC-V Instruction Set Manual, volumes I and II (20240411 and later ratified extensions).
 */
#ifndef LYRE_GUEST_RISCV_H
#define LYRE_GUEST_RISCV_H

#include "cpu/guest.h"
#include "riscv_gen.h"

enum { VLEN_MAX = 1024, VLENB_MAX = VLEN_MAX / 8, FEAT_WORDS = (RISCV_NFEATS + 63) / 64, EXT_WORDS = 2 };

/* A PMP entry as it takes part in checks: pmp.c. */
struct pmp_range {
    uint64_t first, last;
    uint8_t cfg;
};
enum { PMP_ENTRIES = 16, HPM_COUNTERS = 29, IPRIOS = 64 };

/* Privileged state (volume II); the rows of csr.def say which register lives where. Volatile: other threads read or change it. */
struct riscv_priv {
    uint8_t priv;            /* PRIV_*; system mode only */
    bool virt;
    /* what the IR knows */
    uint64_t mscratch, mepc, mcause, mtval, sscratch, sepc, scause, stval, vsscratch, vsepc, vscause, vstval;
    uint64_t mstatus, vsstatus, hstatus;
    uint64_t medeleg, mideleg, hedeleg, hideleg, mtvec, stvec, vstvec, mcounteren, scounteren, hcounteren, mcountinhibit;
    uint64_t menvcfg, senvcfg, henvcfg, mseccfg, satp, vsatp, hgatp, mtinst, mtval2, htinst, htval, hgeie;
    uint64_t mstateen[4], hstateen[4], sstateen[4];
    uint64_t cycle_off, instret_off;   /* value = ns + offset; the value itself while inhibited */
    uint64_t hpm[HPM_COUNTERS], hpmevent[HPM_COUNTERS];
    volatile uint64_t mie;             /* all levels' bits in their M-mode places */
    volatile uint64_t lines;           /* levels of inputs and timers by cause; atomic */
    volatile uint64_t ip;              /* bits of mip that software sets; atomic */
    volatile uint64_t hvip, hgeip, mvip;
    volatile uint64_t stimecmp, vstimecmp, htimedelta;
    uint64_t mvien, hvien, hvictl, miselect, siselect, vsiselect, hviprio[2];
    uint8_t miprio[IPRIOS], siprio[IPRIOS];
    uint64_t pmpaddr[PMP_ENTRIES];
    uint8_t pmpcfg[PMP_ENTRIES];
    struct pmp_range pmp[PMP_ENTRIES]; /* those that are on, in order */
    unsigned npmp, geilen;
    uint64_t user_key;       /* space_key of VIEW_USER when it was last in use */
    /* the last fault of a walk, until exception() */
    uint64_t flt_gpa, flt_tinst;
    uint8_t flt_cause;
    bool flt_gva;
};

struct riscv_cpu {
    CPU c;
    uint64_t x[32];          /* RV32: the low 32 bits are the register, the rest is kept zero */
    uint64_t f[32];          /* narrower values are NaN-boxed */
    uint64_t vl, vstart;
    uint32_t vtype;          /* without vill, which is a flag of its own */
    uint32_t vill, vxsat, vxrm;
    uint32_t frm;            /* as written: 5..7 are invalid */
    uint32_t vmode;          /* MODE_V* bits that vtype, vl, vstart and vxrm come to now */
    struct riscv_priv s;
    /* constant after init */
    bool sys;                /* system mode */
    uint8_t semihosting;     /* 1: calls are the machine's to handle, 2: those of U mode as well */
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
    MODE_VALL = 0x1ffc,
    /* system mode; all 0 is what user mode is: U with everything on */
    MODE_PRIV_SHIFT = 13,    /* 2 bits */
    MODE_VIRT = 1 << 15,
    MODE_FS_OFF = 1 << 16,   /* FP instructions are illegal */
    MODE_FS_CLEAN = 1 << 17, /* the first one that changes state sets FS to dirty */
    MODE_VS_OFF = 1 << 18,
    MODE_VS_CLEAN = 1 << 19,
    MODE_UNITS = MODE_FS_OFF | MODE_FS_CLEAN | MODE_VS_OFF | MODE_VS_CLEAN,
    MODE_VIEW1 = 1 << 20,    /* data accesses go through VIEW_USER: MPRV, or SUM is set (mmu.c) */
    MODE_CBO = 1 << 21,      /* cache-block instructions are not all permitted */
    MODE_NO_S = 1 << 22,     /* the hart has no S mode: code is not shared with those that have */
    MODE_SYS = 0x7fe000
};
static inline unsigned mode_priv(uint32_t mode)
{
    return mode >> MODE_PRIV_SHIFT & 3;
}

/* Register ids: rows of the register table. */
enum {
    R_X0 = 0, R_RA = 1, R_SP = 2, R_GP = 3, R_TP = 4, R_A0 = 10, R_A7 = 17,
    R_PC = 32,
    R_F0 = 33,
    R_FFLAGS = 65, R_FRM, R_FCSR,
    R_V0 = 68,
    R_VSTART = 100, R_VXSAT, R_VXRM, R_VCSR, R_VL, R_VTYPE, R_VLENB,
    R_VILL, R_VMODE, R_MODE, R_RES_ADDR, R_RES_VAL0, R_RES_VAL1,
    R_MSCRATCH, R_MEPC, R_MCAUSE, R_MTVAL, R_SSCRATCH, R_SEPC, R_SCAUSE, R_STVAL, R_VSSCRATCH, R_VSEPC, R_VSCAUSE, R_VSTVAL,
    R_IR_COUNT,              /* the IR knows those above; the rest are csr.def's, through accessors */
    R_PRIV = R_IR_COUNT, R_CSR0
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
/* Mode bits of privilege and status; 0 in user mode. */
uint32_t riscv_sysmode(const struct riscv_cpu *r);
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

/* priv.isa.c: what FS and VS have to do with an instruction; true: it was translated as what happens instead. */
bool riscv_units(struct xlat *t, uint32_t insn);

/* linux.c */
extern const struct guest_linux riscv64_linux, riscv32_linux;

#endif
