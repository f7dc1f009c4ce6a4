/*
 * sysreg.c: system registers in system mode, as C sees them: what reading and writing does beyond the word itself, what traps an access,
 * reset (DDI 0487 D19). Their list is sysreg.def; how instructions reach them is sysreg_xl.c.
 * Known gaps: fine-grained traps, nested virtualization, watchpoints (their registers are there), LORegions are empty.
 */
#include "sys.h"

/* -- traps ------------------------------------------------------------------------------------------------------------------- */
/* EL0's accesses that its operating system controls. True: allowed. */
static bool el0_allowed(const struct arm_cpu *a, enum arm_trap_class c, bool read)
{
    const uint64_t sctlr = a->sr[arm_sctlr_of(a, 0)], uen = a->sr[SR_PMUSERENR_EL0];
    const uint64_t cnt = arm_vhe_host(a) ? a->sr[SR_CNTHCTL_EL2] : a->sr[SR_CNTKCTL_EL1];
    switch (c) {
    case TC_UMA: return sctlr & SCTLR_UMA;
    case TC_CTR: return sctlr & SCTLR_UCT;
    case TC_POC: case TC_POU: return sctlr & SCTLR_UCI;
    case TC_ZVA: return sctlr & SCTLR_DZE;
    case TC_CNTF: return cnt & 3;
    case TC_CNTP: return cnt & 1;
    case TC_CNTV: return cnt & 2;
    case TC_TMV: return cnt & 1 << 8;
    case TC_TMP: return cnt & 1 << 9;
    case TC_PM: case TC_PMCR: return uen & 1;
    case TC_PMSW: return uen & (1 | 2);
    case TC_PMER: return uen & 1 || (uen & 8 && read);
    case TC_PMCC: return uen & 1 || (uen & 4 && read);
    case TC_WFI: return sctlr & SCTLR_NTWI;
    case TC_WFE: return sctlr & SCTLR_NTWE;
    case TC_DBG: return !(a->sr[SR_MDSCR_EL1] >> 12 & 1);
    case TC_IDST: return false;
    default: return true;
    }
}

static bool to_el2(const struct arm_cpu *a, enum arm_trap_class c, unsigned reg, bool read)
{
    const uint64_t hcr = arm_hcr(a), mdcr = a->sr[SR_MDCR_EL2], e2h = hcr & HCR_E2H;
    const bool host = arm_vhe_host(a);
    uint64_t cnt = a->sr[SR_CNTHCTL_EL2];
    cnt = e2h ? cnt >> 10 & 3 : cnt & 3; /* EL1PCTEN, EL1PCEN */

    switch (c) {
    case TC_DBG: return mdcr & (1 << 9 | 1 << 8) || hcr & HCR_TGE;
    case TC_OS: return mdcr & (1 << 10 | 1 << 8) || hcr & HCR_TGE;
    case TC_ROM: return mdcr & (1 << 11 | 1 << 8) || hcr & HCR_TGE;
    case TC_PMCR: return mdcr & (1 << 6 | 1 << 5);
    case TC_PM: case TC_PMSW: case TC_PMER: case TC_PMCC: case TC_PMUE: return mdcr & 1 << 6;
    case TC_APK: return !host && !(hcr & HCR_APK);
    case TC_CPACR: return a->el == 1 && a->sr[SR_CPTR_EL2] >> 31;
    case TC_CNTP: return !host && !(cnt & 1);
    case TC_TMP: return !host && !(cnt & 2);
    case TC_VM: return hcr & (read ? HCR_TRVM : HCR_TVM);
    case TC_ACR: return hcr & HCR_TACR;
    case TC_LOR: return hcr & HCR_TLOR;
    case TC_ID1: return hcr & HCR_TID1;
    case TC_ID2: case TC_CTR: return hcr & HCR_TID2;
    case TC_ID3: return hcr & HCR_TID3;
    case TC_IDCP: return hcr & HCR_TIDCP;
    case TC_SGI: return a->el == 1 && hcr & (HCR_IMO | HCR_FMO);
    case TC_SW: return hcr & HCR_TSW;
    case TC_POC: return hcr & HCR_TPC;
    case TC_POU: case TC_POU_IALL: return hcr & HCR_TPU;
    case TC_ZVA: return hcr & HCR_TDZ;
    case TC_TLB: return hcr & HCR_TTLB;
    case TC_WFI: return hcr & HCR_TWI;
    case TC_WFE: return hcr & HCR_TWE;
    default: return false;
    }
}

static bool to_el3(const struct arm_cpu *a, enum arm_trap_class c)
{
    const uint64_t scr = a->sr[SR_SCR_EL3], mdcr = a->sr[SR_MDCR_EL3];
    switch (c) {
    case TC_DBG: return mdcr & 1 << 9;
    case TC_OS: case TC_ROM: return mdcr & (c == TC_OS ? 1 << 10 : 1 << 9);
    case TC_PM: case TC_PMCR: case TC_PMSW: case TC_PMER: case TC_PMCC: case TC_PMUE: return mdcr & 1 << 6;
    case TC_APK: return !(scr & SCR_APK);
    case TC_CPACR: case TC_CPTR2: return a->sr[SR_CPTR_EL3] >> 31;
    case TC_LOR: return scr & SCR_TLOR;
    case TC_SGI: return scr & SCR_IRQ && scr & SCR_FIQ;
    case TC_WFI: return scr & SCR_TWI;
    case TC_WFE: return scr & SCR_TWE;
    case TC_PS: return a->el == 1 && !(scr & SCR_ST);
    default: return false;
    }
}

unsigned arm_trapped(const struct arm_cpu *a, enum arm_trap_class c, unsigned reg, bool read, unsigned *ec)
{
    *ec = c == TC_WFI || c == TC_WFE ? EC_WFX : EC_SYSREG;
    if (a->el == 0 && !el0_allowed(a, c, read)) return arm_hcr(a) & HCR_TGE ? 2 : 1;
    if (a->el < 2 && arm_el2_on(a) && to_el2(a, c, reg, read)) return 2;
    if (a->el < 3 && a->has_el3 && to_el3(a, c)) return 3;
    return 0;
}

/* -- reading -------------------------------------------------------------------------------------------------------------------- */
static uint64_t ccsidr(const struct arm_cpu *a)
{
    switch (a->sr[SR_CSSELR_EL1]) {
    case 0: case 1: return 127u << 13 | 3 << 3 | 2;  /* 32 KiB, 4 ways, lines of 64 bytes */
    case 2: return 1023u << 13 | 15 << 3 | 2;        /* 1 MiB, 16 ways */
    default: return 0;
    }
}

/* Physical interrupts pending, or the virtual ones where those are what EL1 gets. */
static uint64_t isr(const struct arm_cpu *a)
{
    const uint64_t hcr = arm_hcr(a);
    uint32_t l = __atomic_load_n(&a->lines, __ATOMIC_RELAXED);
    bool vi = a->el == 1 && hcr & HCR_IMO, vf = a->el == 1 && hcr & HCR_FMO;
    bool irq = vi ? hcr & HCR_VI || l >> ARM_LINE_VIRQ & 1 : l >> ARM_LINE_IRQ & 1;
    bool fiq = vf ? hcr & HCR_VF || l >> ARM_LINE_VFIQ & 1 : l >> ARM_LINE_FIQ & 1;
    bool se = a->el == 1 && hcr & HCR_AMO && hcr & HCR_VSE;
    return (uint64_t)se << 8 | (uint64_t)irq << 7 | (uint64_t)fiq << 6;
}

uint64_t arm_sr_read(struct arm_cpu *a, enum arm_sr r)
{
    switch (r) {
    case SR_CCSIDR_EL1: return ccsidr(a);
    case SR_ISR_EL1: return isr(a);
    case SR_DBGCLAIMCLR_EL1: return a->sr[r];
    case SR_CNTPCT_EL0: case SR_CNTP_TVAL_EL0: case SR_CNTP_CTL_EL0: case SR_CNTP_CVAL_EL0: case SR_CNTV_TVAL_EL0: case SR_CNTV_CTL_EL0:
    case SR_CNTV_CVAL_EL0: case SR_CNTPS_TVAL_EL1: case SR_CNTPS_CTL_EL1: case SR_CNTHP_TVAL_EL2: case SR_CNTHP_CTL_EL2:
    case SR_CNTHV_TVAL_EL2: case SR_CNTHV_CTL_EL2:
        return arm_timer_read(a, r);
    default: break;
    }
    if (r >= SR_PMCR_EL0 && r <= SR_PMCCFILTR_EL0) return arm_pm_read(a, r);
    return a->sr[r];
}

/* -- writing -------------------------------------------------------------------------------------------------------------------- */
static const struct {
    uint64_t mask, reset;
} sr_info[SR_COUNT] = {
#define SRI(name, op0, op1, crn, crm, op2, rd, wr, cls, mask, reset) [SR_##name] = { mask, reset },
#define SR SRI
#include "sysreg.def"
#undef SRI
#undef SR
};

/* HCR_EL2's bits that exist here. */
static uint64_t hcr_mask(const struct arm_cpu *a)
{
    uint64_t m = 0x7fffffff | HCR_CD | HCR_ID;
    if (arm_has(a, ARM_VHE)) m |= HCR_E2H;
    if (arm_has(a, ARM_LOR)) m |= HCR_TLOR;
    if (arm_has(a, ARM_PAuth)) m |= HCR_API | HCR_APK;
    return m;
}

static uint64_t scr_mask(const struct arm_cpu *a)
{
    uint64_t m = SCR_NS | SCR_IRQ | SCR_FIQ | SCR_EA | SCR_SMD | SCR_HCE | 1 << 9 | SCR_ST | SCR_TWI | SCR_TWE;
    if (arm_has(a, ARM_LOR)) m |= SCR_TLOR;
    if (arm_has(a, ARM_PAuth)) m |= SCR_API | SCR_APK;
    return m;
}

static void write_pm_timer(struct arm_cpu *a, enum arm_sr r, uint64_t v)
{
    if (r >= SR_PMCR_EL0 && r <= SR_PMCCFILTR_EL0)
        arm_pm_write(a, r, v);
    else
        arm_timer_write(a, r, v);
}

/* Control registers of a translation regime. What cached translations were made from has changed: they go. */
static void write_control(struct arm_cpu *a, enum arm_sr r, uint64_t v, unsigned el)
{
    uint64_t old = a->sr[r];
    a->sr[r] = v;
    if (old == v) return;
    arm_flush_regime(a, el);
    arm_mode_update(a, true);
    soft_switch(&a->c);
}

static uint64_t cptr2_mask(const struct arm_cpu *a)
{
    return a->sr[SR_HCR_EL2] & HCR_E2H ? 1ull << 31 | 3u << 28 | 3 << 20 : 1ull << 31 | 1 << 20 | 1 << 10;
}

/* Writes that change how code is translated, or where it runs. */
static bool write_special(struct arm_cpu *a, enum arm_sr r, uint64_t v)
{
    const uint64_t merged = (a->sr[r] & ~sr_info[r].mask) | (v & sr_info[r].mask);
    switch (r) {
    case SR_SCTLR_EL1: case SR_TCR_EL1: case SR_MAIR_EL1: write_control(a, r, merged, 1); return true;
    case SR_SCTLR_EL2: case SR_TCR_EL2: case SR_MAIR_EL2: case SR_VTCR_EL2: write_control(a, r, merged, 2); return true;
    case SR_SCTLR_EL3: case SR_TCR_EL3: case SR_MAIR_EL3: write_control(a, r, merged, 3); return true;
    case SR_TTBR0_EL1: case SR_TTBR1_EL1: case SR_TTBR0_EL2: case SR_TTBR1_EL2: case SR_TTBR0_EL3: case SR_VTTBR_EL2:
        a->sr[r] = v;
        soft_switch(&a->c);
        return true;
    case SR_HCR_EL2: {
        const uint64_t m = hcr_mask(a), trans = HCR_VM | HCR_DC | HCR_TGE | HCR_E2H | HCR_CD | HCR_ID, old = a->sr[r];
        a->sr[r] = (v & m) | HCR_RW;
        if ((old ^ a->sr[r]) & trans) arm_flush_regime(a, 2);
        break;
    }
    case SR_SCR_EL3: a->sr[r] = (v & scr_mask(a)) | 0x30 | SCR_RW; break;
    case SR_CPTR_EL2: a->sr[r] = (v & cptr2_mask(a)) | (a->sr[SR_HCR_EL2] & HCR_E2H ? 0 : 0x33ff & ~(1u << 10)); break;
    case SR_CPACR_EL1: case SR_CPTR_EL3: case SR_MDSCR_EL1: case SR_MDCR_EL2: case SR_OSDLR_EL1: a->sr[r] = merged; break;
    case SR_OSLAR_EL1: a->sr[SR_OSLSR_EL1] = (a->sr[SR_OSLSR_EL1] & ~2ull) | (v & 1) << 1; break;
    default:
        if (r < SR_DBGBVR0_EL1 || r > SR_DBGWCR3_EL1) return false;
        a->sr[r] = merged;
        break;
    }
    arm_mode_update(a, true);
    soft_switch(&a->c);
    arm_irq_poke(a);
    return true;
}

void arm_sr_write(struct arm_cpu *a, enum arm_sr r, uint64_t v)
{
    if ((r >= SR_PMCR_EL0 && r <= SR_PMCCFILTR_EL0) || (r >= SR_CNTPCT_EL0 && r <= SR_CNTHV_CVAL_EL2 && r != SR_CNTFRQ_EL0))
        write_pm_timer(a, r, v);
    else if (r == SR_DBGCLAIMSET_EL1)
        a->sr[SR_DBGCLAIMCLR_EL1] |= v & 0xff;
    else if (r == SR_DBGCLAIMCLR_EL1)
        a->sr[r] &= ~v;
    else if (!write_special(a, r, v))
        a->sr[r] = (a->sr[r] & ~sr_info[r].mask) | (v & sr_info[r].mask);
}

/* -- reset ---------------------------------------------------------------------------------------------------------------------- */
void arm_sys_reset(CPU *cpu)
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    const struct vcpu *v = cpu->v;
    unsigned top = a->has_el3 ? 3 : a->has_el2 ? 2 : 1;

    for (unsigned i = 0; i < SR_COUNT; i++) a->sr[i] = sr_info[i].reset;
    memset(a->x, 0, sizeof a->x);
    memset(a->key, 0, sizeof a->key);
    a->sp = 0;
    a->sr[SR_VPIDR_EL2] = a->midr;
    a->sr[SR_VMPIDR_EL2] = 1u << 31 | arm_sys_affinity(cpu);
    a->sr[SR_HCR_EL2] = HCR_RW;
    a->sr[SR_RVBAR_EL1] = a->sr[SR_RVBAR_EL2] = a->sr[SR_RVBAR_EL3] = v->reset_pc;
    a->sr[SR_PMCR_EL0] = arm_pm_read(a, SR_PMCR_EL0);
    a->el = (uint8_t)top;
    a->spsel = 1;
    a->daif = PS_DAIF;
    a->pan = a->uao = a->il = a->ss = a->guarded = false;
    a->dit = a->ssbs = 0;
    a->tlbi_pending = 0;
    arm_set_nzcv(cpu, 0);
    arm_set_fpcr(cpu, 0);
    arm_set_fpsr(cpu, 0);
    cpu->mode &= MODE_FP;
    if (arm_has(a, ARM_LSE2) && v->host && v->host->cpu && v->host->cpu(v->host_ctx, 1)) cpu->mode |= MODE_SHARED;
    cpu->res_addr = ~0ull;
    cpu->pc = v->reset_pc;
    a->x[0] = v->reset_arg;
    __atomic_store_n(&a->timers_due, 0, __ATOMIC_RELAXED);
    a->pm_base = a->pm_ns = 0;
    arm_timers_update(a);
    arm_mode_update(a, true);
    if (v->soft) {
        soft_flush(cpu, 0, 0, false);
        soft_switch(cpu);
    }
}
