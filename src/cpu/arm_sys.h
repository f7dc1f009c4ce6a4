/*
 * arm_sys.h: what boards and interrupt controllers have to say to Arm CPUs in system mode, beside struct guest_sys (floor 2;
 * guest/arm implements it).
 */
#ifndef LYRE_CPU_ARM_SYS_H
#define LYRE_CPU_ARM_SYS_H

#include "cpu/guest_sys.h"

/* Input lines of guest_sys.set_line, in the order of its `lines`. The last two come from a GIC's virtual CPU interface. */
enum { ARM_LINE_IRQ, ARM_LINE_FIQ, ARM_LINE_VIRQ, ARM_LINE_VFIQ, ARM_LINES };

/* Private interrupts (INTIDs) of what is in the CPU. */
enum { ARM_PPI_PMU = 23, ARM_PPI_HYP = 26, ARM_PPI_VIRT = 27, ARM_PPI_HVIRT = 28, ARM_PPI_SEC = 29, ARM_PPI_PHYS = 30 };

/* `set` is called with a private interrupt's level when it changes: on the CPU's thread, the machine's lock not held. */
void arm_sys_outputs(CPU *cpu, void (*set)(void *ctx, unsigned ppi, bool level), void *ctx);

/* With EL3: `changed` is called when the CPU comes into another security state, or enters or leaves EL3. On its thread; all of a GICv3's
 * interrupts are IRQs in one of these and FIQs in the others. */
void arm_sys_on_world(CPU *cpu, void (*changed)(void *ctx, bool secure, bool el3), void *ctx);

/* How the guest reaches the machine's PSCI. NONE: HVC and SMC are the guest's own firmware's affair. */
enum arm_conduit { ARM_PSCI_NONE, ARM_PSCI_HVC, ARM_PSCI_SMC };
void arm_sys_psci(CPU *cpu, enum arm_conduit conduit);
/* Affinity fields of MPIDR_EL1 (the default is index % 8 in Aff0, index / 8 in Aff1). */
void arm_sys_mpidr(CPU *cpu, uint64_t affinity);
uint64_t arm_sys_affinity(const CPU *cpu);
/* HLT #0xf000 is a semihosting call (GX_SEMIHOST); otherwise it is undefined. */
void arm_sys_semihosting(CPU *cpu, bool on);
/* Whether the CPU was made with has-el2 and has-el3. */
bool arm_sys_has_el2(const CPU *cpu);
bool arm_sys_has_el3(const CPU *cpu);

/* For a GIC's system registers (cpu_intc): their numbers, and what they depend on. On the CPU's own thread. */
#define ARM_SYSREG(op0, op1, crn, crm, op2) (((op0) & 1) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
unsigned arm_sys_el(const CPU *cpu);
bool arm_sys_secure(const CPU *cpu);     /* the security state of the current exception level */
uint64_t arm_sys_hcr(const CPU *cpu);    /* HCR_EL2 as it takes effect: 0 without EL2, FMO, IMO and AMO set with TGE */
uint64_t arm_sys_scr(const CPU *cpu);    /* SCR_EL3; without EL3: NS */

#endif
