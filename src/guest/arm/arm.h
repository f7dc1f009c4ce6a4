/*
 * arm.h: the Arm CPU as its folder sees it. Instruction bodies include xl.h, which has the register accessors; what only system
 * mode knows is in sys.h. Manual: Arm Architecture Reference Manual for A-profile (DDI 0487), parts B, C and D.
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

/* System registers that are a word of a->sr each (sysreg.def); those that generated code reads and writes in place come first. */
enum arm_sr {
#define SRI(name, ...) SR_##name,
#define SR(name, ...)
#include "sysreg.def"
#undef SRI
#undef SR
    SR_INLINE,
    SR_BEFORE = SR_INLINE - 1,
#define SRI(name, ...)
#define SR(name, ...) SR_##name,
#include "sysreg.def"
#undef SRI
#undef SR
    SR_COUNT
};

/* Why the last walk failed (mmu.c), for trap.c. */
struct arm_fault {
    uint8_t kind;                 /* enum arm_fault_kind, sys.h */
    uint8_t fsc;                  /* fault status code of ESR */
    bool stage2, s1ptw;           /* stage 2; of a stage 1 table */
    uint64_t ipa;
};

struct arm_cpu {
    CPU c;
    uint64_t x[31], sp;
    uint8_t n, z, cf, v;          /* PSTATE.NZCV, each 0 or 1 */
    uint32_t fpcr;
    uint32_t dit, ssbs;           /* PSTATE bits, 0 or 1 */
    uint64_t tpidr, tpidrro, tpidr2;
    _Alignas(16) v128 q[32];
    v128 qc;                      /* FPSR.QC: set if any bit is */
    /* system mode; in user mode nothing reads it */
    uint8_t tlbi_pending;         /* other CPUs may still use translations that were dropped: DSB waits */
    uint32_t daif, spsel;         /* PSTATE: D A I F as in SPSR, 0x3c0; SPSel 0 or 1 */
    uint64_t sr[SR_COUNT];
    uint8_t el;
    bool pan, uao, il, ss;        /* PSTATE bits */
    bool ss_used;                 /* the step that ss allowed is under way */
    bool guarded;                 /* code was fetched from a guarded page: computed jumps leave BTYPE */
    uint32_t mode_el[4];          /* what of the translation mode follows from the exception level (arm_mode_update) */
    uint32_t lines;               /* input lines that are high, bits by ARM_LINE_*; atomic */
    uint32_t timers_due;          /* bits by timer; atomic */
    uint32_t trap_iss;            /* GX_TRAP: syndrome and where it goes */
    uint8_t trap_ec, trap_el;
    struct arm_fault fault;
    uint32_t tagged;              /* an address with a tag was used: the TLBs may have a page at several addresses; atomic */
    bool out_level[8];            /* timers' outputs and the PMU's */
    uint64_t pm_base, pm_ns;      /* PMCCNTR when it was last set or started, and guest time then */
    void (*out)(void *ctx, unsigned ppi, bool level);
    void *out_ctx;
    void (*on_world)(void *ctx, bool secure, bool el3); /* NULL: nobody wants to know */
    void *on_world_ctx;
    uint8_t world;                /* as last told: 1 secure, 2 EL3 */
    /* constant after init */
    bool sysmode, has_el2, has_el3, has_pmu;
    uint8_t semihosting;          /* 1: HLT #0xf000 is a call, 2: at EL0 as well */
    uint8_t psci, pa_bits, model;
    uint64_t affinity;
    bool affinity_set;
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
    /* system mode; all 0 in user mode */
    MODE_EL_SHIFT = 12,
    MODE_EL = 3 << MODE_EL_SHIFT,           /* exception level */
    MODE_E2H = 1 << 14,                     /* EL2 with HCR_EL2.E2H: names of EL1 registers mean EL2's */
    MODE_FPTRAP = 1 << 15,                  /* FP and SIMD instructions trap */
    MODE_TRAPS = 1 << 16,                   /* some control traps what seldom is trapped: helpers look which */
    MODE_ALIGN = 1 << 17,                   /* SCTLR.A: all accesses are aligned */
    MODE_UNPRIV = 1 << 18,                  /* LDTR and STTR access as EL0 would */
    MODE_GUARD = 1 << 19,                   /* computed jumps leave BTYPE: guarded pages were seen */
    MODE_DEBUG = 1 << 20,                   /* a software step or hardware breakpoints are on: each instruction asks */
    MODE_SP0 = 1 << 21,                     /* above EL0 with SP_EL0 */
    MODE_IL = 1 << 22,                      /* illegal execution state: every instruction is an exception */
    MODE_PACTRAP = 1 << 23,                 /* pointer authentication instructions trap */
    MODE_SYS = MODE_EL | MODE_E2H | MODE_FPTRAP | MODE_TRAPS | MODE_ALIGN | MODE_UNPRIV | MODE_GUARD | MODE_DEBUG | MODE_SP0 |
               MODE_IL | MODE_PACTRAP
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
    R_DAIF, R_SPSEL, R_TLBI_PENDING,
    R_SRI, /* the inline ones of enum arm_sr */
    R_NIR = R_SRI + SR_INLINE, /* from here on not known to IR */
    R_SR = R_NIR,
    R_COUNT = R_SR + SR_COUNT - SR_INLINE
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

/* MRS and MSR (sysreg_xl.c): false if the register is not there for the exception level. */
bool arm_mrs(struct xlat *t, unsigned reg, unsigned rt);
bool arm_msr(struct xlat *t, unsigned reg, unsigned rt);
/* SYS: cache and TLB maintenance, address translation. reg: number with op0 = 1. In user mode there are none. */
bool arm_sys_insn(struct xlat *t, unsigned reg, unsigned rt);
/* Before an instruction that is trapped by what TC_* class names (sys.h); reg: number for the syndrome. */
void arm_check(struct xlat *t, unsigned cls, unsigned reg, unsigned rt, bool read);

/* Pointer authentication (a64_pauth.isa.c). */
uint64_t arm_pac_qarma5(uint64_t data, uint64_t modifier, const struct pac_key *k);
void arm_random_keys(struct arm_cpu *a, unsigned keys /* bit per KEY_* */);

/* trap.c, with mmu.c, timer.c, psci.c */
extern const struct guest_sys aarch64_sys;

/* linux.c */
extern const struct guest_linux aarch64_linux;

#endif
