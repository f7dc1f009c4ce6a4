/*
 * priv.h: the privileged side of a hart (volume II): its state, and what sysreg.c, csr.c, mmu.c, pmp.c, aia.c, trap.c and
 * priv.isa.c share.
 */
#ifndef LYRE_GUEST_RISCV_PRIV_H
#define LYRE_GUEST_RISCV_PRIV_H

#include "cpu/guest_sys.h"
#include "cpu/riscv_sys.h"
#include "riscv.h"
#include "ext.h"

enum { PRIV_U, PRIV_S, PRIV_M = 3 };

/* mstatus, sstatus, vsstatus. RV32's mstatush is the upper half of the same word; UXL and SXL stay 0 there. SD is made up on reading. */
#define ST_SIE  (1ull << 1)
#define ST_MIE  (1ull << 3)
#define ST_SPIE (1ull << 5)
#define ST_MPIE (1ull << 7)
#define ST_SPP  (1ull << 8)
#define ST_VS   (3ull << 9)
#define ST_MPP  (3ull << 11)
#define ST_FS   (3ull << 13)
#define ST_MPRV (1ull << 17)
#define ST_SUM  (1ull << 18)
#define ST_MXR  (1ull << 19)
#define ST_TVM  (1ull << 20)
#define ST_TW   (1ull << 21)
#define ST_TSR  (1ull << 22)
#define ST_UXL  (2ull << 32)
#define ST_SXL  (2ull << 34)
#define ST_GVA  (1ull << 38)
#define ST_MPV  (1ull << 39)
enum { ST_VS_SHIFT = 9, ST_MPP_SHIFT = 11, ST_FS_SHIFT = 13 };

/* hstatus */
#define HS_GVA  (1ull << 6)
#define HS_SPV  (1ull << 7)
#define HS_SPVP (1ull << 8)
#define HS_HU   (1ull << 9)
#define HS_VGEIN (63ull << 12)
#define HS_VTVM (1ull << 20)
#define HS_VTW  (1ull << 21)
#define HS_VTSR (1ull << 22)
#define HS_VSXL (2ull << 32)

/* menvcfg, senvcfg, henvcfg */
#define ENV_FIOM  (1ull << 0)
#define ENV_CBIE  (3ull << 4)
#define ENV_CBCFE (1ull << 6)
#define ENV_CBZE  (1ull << 7)
#define ENV_ADUE  (1ull << 61)
#define ENV_PBMTE (1ull << 62)
#define ENV_STCE  (1ull << 63)

/* mstateen0 and the like */
#define SE_FCSR   (1ull << 1)
#define SE_IMSIC  (1ull << 58)
#define SE_AIA    (1ull << 59)
#define SE_CSRIND (1ull << 60)
#define SE_ENVCFG (1ull << 62)
#define SE_SE0    (1ull << 63)

/* mseccfg */
enum { SEC_MML = 1, SEC_MMWP = 2, SEC_RLB = 4 };

/* Causes of exceptions and interrupts. */
enum {
    EX_INSN_ALIGN, EX_INSN_ACCESS, EX_ILLEGAL, EX_BREAK, EX_LOAD_ALIGN, EX_LOAD_ACCESS, EX_STORE_ALIGN, EX_STORE_ACCESS,
    EX_ECALL_U, EX_ECALL_S, EX_ECALL_VS, EX_ECALL_M, EX_INSN_PAGE, EX_LOAD_PAGE, EX_STORE_PAGE = 15,
    EX_INSN_GUEST = 20, EX_LOAD_GUEST, EX_VIRTUAL, EX_STORE_GUEST
};
#define IRQ(n)   (1ull << (n))
#define IRQ_S    (IRQ(IRQ_SSI) | IRQ(IRQ_STI) | IRQ(IRQ_SEI))
#define IRQ_VS   (IRQ(IRQ_VSSI) | IRQ(IRQ_VSTI) | IRQ(IRQ_VSEI))
#define IRQ_M    (IRQ(IRQ_MSI) | IRQ(IRQ_MTI) | IRQ(IRQ_MEI))

/* GX_ISA codes of EXC_GUEST. */
enum { GX_VIRTUAL = GX_ISA }; /* virtual-instruction exception */

enum { HPM_MAX = 16, TIMER_S = 0, TIMER_VS = 1 };

struct csr;

/* Whom an interrupt or an access concerns. */
enum hart_level { LEVEL_M, LEVEL_S, LEVEL_VS };

static inline bool riscv_h(const struct riscv_cpu *r)
{
    return riscv_has_ext(r, EXT_h);
}
static inline unsigned riscv_xlen(const struct riscv_cpu *r)
{
    return r->rv32 ? 32 : 64;
}
static inline uint64_t riscv_xmask(const struct riscv_cpu *r)
{
    return r->rv32 ? 0xffffffffu : ~0ull;
}

/* priv.isa.c: mode bits after C changed status or environment; views: what translation depends on may have changed. */
void riscv_priv_sync(struct riscv_cpu *r, bool views);
/* Guest time of the `time` CSR, without htimedelta. */
uint64_t riscv_time(const struct riscv_cpu *r);
uint64_t riscv_now_ns(const struct riscv_cpu *r);
/* Level of the stimecmp (TIMER_S) or vstimecmp (TIMER_VS) interrupt, and the wake-up for it. Any thread. */
void riscv_timer_update(struct riscv_cpu *r, unsigned n);

/* sysreg.c */
enum csr_trap { CSR_OK, CSR_ILLEGAL, CSR_VIRTUAL };
unsigned riscv_csr_count(void);

/* trap.c */
/* All pending bits of mip. Any thread. */
uint64_t riscv_mip(const struct riscv_cpu *r);
/* The interrupt to take now, by the level it goes to, or -1. */
int riscv_irq_find(const struct riscv_cpu *r, enum hart_level *level);
/* After a change of what is pending or enabled, on the CPU's thread: the engine asks soon if there is one to take. */
void riscv_irq_update(struct riscv_cpu *r);
/* From a helper: illegal or virtual instruction, if it is either. */
static inline void riscv_trap_if(CPU *cpu, enum csr_trap trap)
{
    if (trap == CSR_ILLEGAL) cpu_raise(cpu, EXC_ILLEGAL, 0, 0);
    if (trap == CSR_VIRTUAL) cpu_raise(cpu, EXC_GUEST, GX_VIRTUAL, 0);
}
/* ecall at cpu->pc; where it goes on. */
uint64_t riscv_ecall(struct riscv_cpu *r);
extern const struct guest_sys riscv_sys;

/* mmu.c */
bool riscv_walk(CPU *cpu, uint64_t va, unsigned access, unsigned view, bool probe, struct walk *w);
uint64_t riscv_space_key(CPU *cpu, unsigned view);
void riscv_bus_error(CPU *cpu, uint64_t va, uint64_t phys, unsigned access);
/* Fences by address space: bits of space_key. */
enum { KEY_VMID_SHIFT = 16, KEY_ASID_MASK = 0xffff };
#define KEY_VMID_MASK (0x3fffull << KEY_VMID_SHIFT)
#define KEY_VIRT      (1ull << 32)
#define KEY_VALID     (1ull << 49)

/* pmp.c */
void riscv_pmp_sync(struct riscv_cpu *r); /* after registers were written */
/* GP_* rights of a privilege at pa; *uniform: all of the 4 KiB page has the same. */
unsigned riscv_pmp_rights(const struct riscv_cpu *r, uint64_t pa, unsigned priv, bool *uniform);

/* aia.c */
int riscv_aia_pick(const struct riscv_cpu *r, enum hart_level level, uint64_t pending, unsigned *prio);
int riscv_default_pick(uint64_t pending);

#endif
