/*
 * arm.h: the Arm CPU as its folder sees it. Instruction bodies include xl.h, which has the register accessors.
 * Manual: Arm Architecture Reference Manual for A-profile (DDI 0487), parts B, C and D; user mode (EL0) so far.
 * Files named a64_* are AArch64 only; A32 and T32 will share arm.h, features, linux.c's signal plumbing and fp handling.
 */
#ifndef LYRE_GUEST_ARM_H
#define LYRE_GUEST_ARM_H

#include "cpu/guest.h"
#include "arm_gen.h"

enum { FEAT_WORDS = (ARM_NFEATS + 63) / 64, ARM_FEAT_WORDS = 2 };

struct pac_key {
    uint64_t lo, hi;
};
enum { KEY_IA, KEY_IB, KEY_DA, KEY_DB, KEY_GA, PAC_KEYS };

struct arm_cpu {
    CPU c;
    uint64_t x[31], sp;
    uint8_t n, z, cf, v;          /* PSTATE.NZCV, each 0 or 1 */
    uint32_t fpcr;
    uint32_t dit, ssbs;           /* PSTATE bits, 0 or 1 */
    uint64_t tpidr, tpidrro, tpidr2;
    _Alignas(16) v128 q[32];
    v128 qc;                      /* FPSR.QC: set if any bit is */
    /* constant after init */
    uint64_t have[ARM_FEAT_WORDS];  /* enum arm_feat (feat.h) */
    uint64_t gates[FEAT_WORDS];     /* the decoder's gates, derived from have */
    uint32_t midr;
    /* Linux */
    struct pac_key key[PAC_KEYS];
    bool tagged_addr;             /* PR_SET_TAGGED_ADDR_CTRL */
};

/*
 * Translation mode. FP policy bits follow FPCR; rounding needs none (FRMWR). MODE_TBI: this CPU has used an address with a
 * tag in its top byte. Such addresses are not canonical on the host and fault there; the first of them switches the CPU to
 * code that strips the tag from every address (linux.c), so programs without tags pay nothing. MODE_SHARED: others see this
 * CPU's memory, so what FEAT_LSE2 makes single-copy atomic has to be one access. MODE_PAC follows PR_PAC_SET_ENABLED_KEYS.
 */
enum {
    MODE_FZ = 1, MODE_DN = 2, MODE_AHP = 4, /* FPCR bits 24 to 26 */
    MODE_FZ16 = 8,                          /* FPCR bit 19 */
    MODE_FP = 15,
    MODE_TBI = 16,
    MODE_SHARED = 32,
    MODE_PAC_OFF = 64,                      /* << KEY_IA..KEY_DB: that key is disabled, its instructions do nothing */
    MODE_PAC = 15 * MODE_PAC_OFF,
    MODE_BTYPE_SHIFT = 10,                  /* as in SPSR */
    MODE_BTYPE = 3 << MODE_BTYPE_SHIFT,     /* after a computed jump in a process with guarded pages (FEAT_BTI) */
};

/* FPCR and FPSR bits. */
enum { FPCR_FZ16 = 1 << 19, FPCR_RMODE = 22, FPCR_FZ = 1 << 24, FPCR_DN = 1 << 25, FPCR_AHP = 1 << 26, FPSR_QC = 1 << 27 };
enum { FPCR_MASK = FPCR_FZ16 | 3 << FPCR_RMODE | FPCR_FZ | FPCR_DN | FPCR_AHP, FPSR_MASK = FPSR_QC | 0x9f };

/* Register ids: rows of the register table. */
enum {
    R_X0 = 0, R_LR = 30, R_SP = 31, R_PC = 32, R_CPSR = 33,
    R_V0 = 34,
    R_FPSR = 66, R_FPCR, R_TPIDR, R_PAUTH_DMASK, R_PAUTH_CMASK,
    R_N, R_Z, R_C, R_V, R_QC, R_DIT, R_SSBS, R_TPIDRRO, R_TPIDR2,
    R_MODE, R_RES_ADDR, R_RES_VAL0, R_RES_VAL1,
    R_KEY, /* lo and hi of each KEY_* */
    R_KEY_END = R_KEY + 2 * PAC_KEYS - 1,
    R_COUNT
};

static inline const struct arm_cpu *arm_cpu(const CPU *cpu)
{
    return (const struct arm_cpu *)cpu;
}
static inline struct arm_cpu *arm_cpu_rw(CPU *cpu)
{
    return (struct arm_cpu *)cpu;
}

/* NZCV in bits 31:28, as SPSR and the NZCV register have it. */
uint32_t arm_nzcv(const CPU *cpu);
void arm_set_nzcv(CPU *cpu, uint32_t nzcv);
/* NZCV, DIT, SSBS and BTYPE, as SPSR has them. */
uint64_t arm_pstate(const CPU *cpu);
void arm_set_pstate(CPU *cpu, uint64_t v);
/* FPSR and FPCR from C, outside of generated code. Setting FPCR brings cpu->mode and cpu->fp.rm along. */
uint32_t arm_fpsr(const CPU *cpu);
void arm_set_fpsr(CPU *cpu, uint32_t fpsr);
void arm_set_fpcr(CPU *cpu, uint32_t fpcr);

/* The value of an ID register as EL0 sees it; false if (op0, op1, CRn, CRm, op2) is none (idreg.c). */
#define SYSREG(op0, op1, crn, crm, op2) (((op0) & 1) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
bool arm_id_register(const struct arm_cpu *a, unsigned reg, uint64_t *v);

/* MRS and MSR (sysreg.c): false if the register is not there for EL0. */
bool arm_mrs(struct xlat *t, unsigned reg, unsigned rt);
bool arm_msr(struct xlat *t, unsigned reg, V v);

/* Pointer authentication (a64_pauth.isa.c). */
uint64_t arm_pac_qarma5(uint64_t data, uint64_t modifier, const struct pac_key *k);
void arm_random_keys(struct arm_cpu *a, unsigned keys /* bit per KEY_* */);

/* linux.c */
extern const struct guest_linux aarch64_linux;

#endif
