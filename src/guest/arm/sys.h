/* sys.h: the Arm CPU in system mode, inside its folder: exceptions, translation, system registers with an effect, timers. */
#ifndef LYRE_GUEST_ARM_SYS_H
#define LYRE_GUEST_ARM_SYS_H

#include "cpu/arm_sys.h"
#include "arm.h"
#include "feat.h"

/* Codes of EXC_GUEST; the low 16 bits, an immediate above. pc is the instruction's own unless it says next. */
enum {
    GX_ERET = GX_ISA,
    GX_HVC, GX_SMC,        /* next */
    GX_FPTRAP, GX_PACTRAP,
    GX_TRAP,               /* a->trap_* say what and where */
    GX_BTI,
    GX_ILLEGAL_STATE,
    GX_STEP, GX_HWBREAK,
    GX_CODE = 0xffff
};

/* Exception classes (ESR_ELx.EC). */
enum {
    EC_UNKNOWN = 0x00, EC_WFX = 0x01, EC_FP = 0x07, EC_PAC = 0x09, EC_BTI = 0x0d, EC_ILLEGAL_STATE = 0x0e, EC_SVC = 0x15, EC_HVC = 0x16,
    EC_SMC = 0x17, EC_SYSREG = 0x18, EC_IABT = 0x20, EC_PC_ALIGN = 0x22, EC_DABT = 0x24, EC_SP_ALIGN = 0x26, EC_MOPS = 0x27,
    EC_FP_EXC = 0x2c, EC_SERROR = 0x2f, EC_HWBREAK = 0x30, EC_STEP = 0x32, EC_WATCH = 0x34, EC_BRK = 0x3c
};

/* PSTATE in SPSR form. */
enum {
    PS_SP = 1, PS_EL = 2 /* shift */, PS_NRW = 1 << 4, PS_F = 1 << 6, PS_I = 1 << 7, PS_A = 1 << 8, PS_D = 1 << 9, PS_DAIF = 15 << 6,
    PS_SSBS = 1 << 12, PS_IL = 1 << 20, PS_SS = 1 << 21, PS_PAN = 1 << 22, PS_UAO = 1 << 23, PS_DIT = 1 << 24
};

/* Control bits. */
#define HCR_VM     (1ull << 0)
#define HCR_SWIO   (1ull << 1)
#define HCR_FMO    (1ull << 3)
#define HCR_IMO    (1ull << 4)
#define HCR_AMO    (1ull << 5)
#define HCR_VF     (1ull << 6)
#define HCR_VI     (1ull << 7)
#define HCR_VSE    (1ull << 8)
#define HCR_FB     (1ull << 9)
#define HCR_DC     (1ull << 12)
#define HCR_TWI    (1ull << 13)
#define HCR_TWE    (1ull << 14)
#define HCR_TID1   (1ull << 16)
#define HCR_TID2   (1ull << 17)
#define HCR_TID3   (1ull << 18)
#define HCR_TSC    (1ull << 19)
#define HCR_TIDCP  (1ull << 20)
#define HCR_TACR   (1ull << 21)
#define HCR_TSW    (1ull << 22)
#define HCR_TPC    (1ull << 23)
#define HCR_TPU    (1ull << 24)
#define HCR_TTLB   (1ull << 25)
#define HCR_TVM    (1ull << 26)
#define HCR_TGE    (1ull << 27)
#define HCR_TDZ    (1ull << 28)
#define HCR_HCD    (1ull << 29)
#define HCR_TRVM   (1ull << 30)
#define HCR_RW     (1ull << 31)
#define HCR_CD     (1ull << 32)
#define HCR_ID     (1ull << 33)
#define HCR_E2H    (1ull << 34)
#define HCR_TLOR   (1ull << 35)
#define HCR_TERR   (1ull << 36)
#define HCR_TEA    (1ull << 37)
#define HCR_APK    (1ull << 40)
#define HCR_API    (1ull << 41)
#define SCR_NS     (1ull << 0)
#define SCR_IRQ    (1ull << 1)
#define SCR_FIQ    (1ull << 2)
#define SCR_EA     (1ull << 3)
#define SCR_SMD    (1ull << 7)
#define SCR_HCE    (1ull << 8)
#define SCR_RW     (1ull << 10)
#define SCR_ST     (1ull << 11)
#define SCR_TWI    (1ull << 12)
#define SCR_TWE    (1ull << 13)
#define SCR_TLOR   (1ull << 14)
#define SCR_APK    (1ull << 16)
#define SCR_API    (1ull << 17)
#define SCTLR_M    (1ull << 0)
#define SCTLR_A    (1ull << 1)
#define SCTLR_UMA  (1ull << 9)
#define SCTLR_ENDB (1ull << 13)
#define SCTLR_DZE  (1ull << 14)
#define SCTLR_UCT  (1ull << 15)
#define SCTLR_NTWI (1ull << 16)
#define SCTLR_NTWE (1ull << 18)
#define SCTLR_WXN  (1ull << 19)
#define SCTLR_SPAN (1ull << 23)
#define SCTLR_UCI  (1ull << 26)
#define SCTLR_ENDA (1ull << 27)
#define SCTLR_ENIB (1ull << 30)
#define SCTLR_ENIA (1ull << 31)
#define SCTLR_MSCEN (1ull << 33)
#define SCTLR_BT0  (1ull << 35)
#define SCTLR_BT1  (1ull << 36)
#define SCTLR_DSSBS (1ull << 44)
#define SCTLR_EPAN (1ull << 57)

/* What may trap an access (sysreg.def; the last ones are of SYS instructions and hints). */
enum arm_trap_class {
    TC_NONE, TC_VM, TC_ACR, TC_CPACR, TC_CPTR2, TC_LOR, TC_ID1, TC_ID2, TC_ID3, TC_APK, TC_DBG, TC_ROM, TC_OS,
    TC_PM, TC_PMCR, TC_PMSW, TC_PMER, TC_PMCC, TC_PMUE, TC_CNTP, TC_CNTV, TC_CNTF, TC_TMP, TC_TMV, TC_PS, TC_VHE,
    TC_UMA, TC_CTR, TC_SGI, TC_IDCP, TC_IDST,
    TC_SW, TC_POC, TC_POU, TC_POU_IALL, TC_ZVA, TC_TLB, TC_AT, TC_WFI, TC_WFE
};

enum arm_fault_kind { AF_NONE, AF_ABORT, AF_TAGGED_PC };
enum { FSC_ADDR_SIZE = 0, FSC_TRANSLATION = 4, FSC_ACCESS = 8, FSC_PERMISSION = 12, FSC_EXTERNAL = 16, FSC_EXTERNAL_WALK = 20, FSC_ALIGN = 33 };

enum { TIMER_PHYS, TIMER_VIRT, TIMER_HYP, TIMER_HVIRT, TIMER_SEC, TIMER_PMU, ARM_TIMERS };
enum { TIMER_NS = 16 }; /* 62.5 MHz */

/* -- state (trap.c) ----------------------------------------------------------------------------------------------------- */
static inline bool arm_el2_on(const struct arm_cpu *a)
{
    return a->has_el2 && (!a->has_el3 || a->sr[SR_SCR_EL3] & SCR_NS);
}
static inline bool arm_secure(const struct arm_cpu *a)
{
    return a->has_el3 && (a->el == 3 || !(a->sr[SR_SCR_EL3] & SCR_NS));
}
/* HCR_EL2 as it takes effect. */
uint64_t arm_hcr_on(const struct arm_cpu *a);
static inline uint64_t arm_hcr(const struct arm_cpu *a)
{
    return arm_el2_on(a) ? arm_hcr_on(a) : 0;
}
static inline bool arm_vhe_host(const struct arm_cpu *a) /* E2H and TGE: EL0 belongs to EL2 */
{
    return (arm_hcr(a) & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE);
}
/* SCTLR of the translation regime of an exception level. */
static inline enum arm_sr arm_sctlr_of(const struct arm_cpu *a, unsigned el)
{
    return el == 3 ? SR_SCTLR_EL3 : el == 2 || (el == 0 && arm_vhe_host(a)) ? SR_SCTLR_EL2 : SR_SCTLR_EL1;
}
/* Where synchronous exceptions of the current level go. */
static inline unsigned arm_target_el(const struct arm_cpu *a)
{
    return a->el ? a->el : arm_hcr(a) & HCR_TGE ? 2 : 1;
}
/* Brings cpu->mode along after changes of PSTATE (of control registers: all = true). */
void arm_mode_update(struct arm_cpu *a, bool all);
/* PSTATE as SPSR has it. */
uint64_t arm_spsr(const struct arm_cpu *a);
void arm_set_spsel(struct arm_cpu *a, unsigned sp);
/* Interrupts may have become enabled: makes the engine look soon. */
void arm_irq_poke(struct arm_cpu *a);
void arm_sys_reset(CPU *cpu);
/* Before each instruction in MODE_DEBUG; before one that is no landing pad in a mode with BTYPE. From helpers: may raise. */
void arm_debug_check(struct arm_cpu *a);
void arm_bti_check(struct arm_cpu *a, uint32_t insn);
void arm_debug_before(struct xlat *t);
void arm_bti_before(struct xlat *t, uint32_t insn);
bool arm_is_guarded(const struct arm_cpu *a, uint64_t pc);
/* Takes an exception to an EL: vector offset 0 (synchronous), 0x80 IRQ, 0x100 FIQ, 0x180 SError. */
void arm_take(struct arm_cpu *a, unsigned to, unsigned vector, uint32_t ec, uint32_t iss, uint64_t ret);
/* From a helper: traps with a syndrome to an EL. */
_Noreturn void arm_raise_trap(struct arm_cpu *a, unsigned to, unsigned ec, uint32_t iss);

/* -- system registers with an effect (sysreg.c) --------------------------------------------------------------------------- */
uint64_t arm_sr_read(struct arm_cpu *a, enum arm_sr r);
void arm_sr_write(struct arm_cpu *a, enum arm_sr r, uint64_t v);
/* The EL that an access of a class is trapped to, 0: none. *ec: the exception class. */
unsigned arm_trapped(const struct arm_cpu *a, enum arm_trap_class c, unsigned reg, bool read, unsigned *ec);
/* The value of an ID register in system mode (idreg.c). */
bool arm_id_system(const struct arm_cpu *a, unsigned reg, uint64_t *v);

/* -- translation (mmu.c) --------------------------------------------------------------------------------------------------- */
bool arm_walk(CPU *cpu, uint64_t va, unsigned access, unsigned view, bool probe, struct walk *w);
uint64_t arm_space_key(CPU *cpu, unsigned view);
/* Parts of the keys. */
enum { ARM_ASID_MASK = 0xffff, ARM_KEY_REGIME = 32, ARM_KEY_PAN_BIT = 37, ARM_KEY_S2_BIT = 39 };
#define ARM_KEY_VMID_MASK 0xffff0000ull
#define ARM_KEY_REGIME_MASK (15ull << ARM_KEY_REGIME)
#define ARM_KEY_S2 (1ull << ARM_KEY_S2_BIT)
#define ARM_KEY_EL10 (1ull << ARM_KEY_REGIME)
#define ARM_KEY_EL2 (2ull << ARM_KEY_REGIME)
#define ARM_KEY_EL20 (3ull << ARM_KEY_REGIME)
#define ARM_KEY_EL3 (4ull << ARM_KEY_REGIME)
/* The part of EL1&0's keys that says which virtual machine. */
uint64_t arm_space_vm(const struct arm_cpu *a);
void arm_bus_error(CPU *cpu, uint64_t va, uint64_t phys, unsigned access);
/* AT: op is the number of the instruction. */
void arm_at(struct arm_cpu *a, unsigned op, uint64_t va);
void arm_tlbi(struct arm_cpu *a, unsigned op, uint64_t v);
bool arm_tlbi_known(const struct arm_cpu *a, unsigned op, unsigned el);
bool arm_tlbi_valid(unsigned op);
bool arm_tlbi_alone(unsigned op);
/* Cached translations of a regime are stale, on this CPU: a control register changed. el: of the regime. */
void arm_flush_regime(struct arm_cpu *a, unsigned el);

/* -- timers, PMU (timer.c) ------------------------------------------------------------------------------------------------ */
uint64_t arm_count(const struct arm_cpu *a);     /* the physical counter */
uint64_t arm_timer_read(struct arm_cpu *a, enum arm_sr r);
void arm_timer_write(struct arm_cpu *a, enum arm_sr r, uint64_t v);
void arm_timer_due(CPU *cpu, unsigned n);        /* sys.timer */
void arm_timers_update(struct arm_cpu *a);       /* all of them, on the CPU's thread */
uint64_t arm_pm_read(struct arm_cpu *a, enum arm_sr r);
void arm_pm_write(struct arm_cpu *a, enum arm_sr r, uint64_t v);
void arm_pm_update(struct arm_cpu *a);

/* -- PSCI (psci.c): true if it was a call --------------------------------------------------------------------------------- */
bool arm_psci(struct arm_cpu *a, bool *halt);
void arm_start(CPU *cpu, uint64_t pc, uint64_t arg, uint64_t how);

#endif
