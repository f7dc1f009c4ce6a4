/*
 * trap.c: AArch64 exceptions in system mode: what goes to which exception level with which syndrome, interrupts, ERET, reset
 * (DDI 0487 D1; the ISS encodings are those of ESR_EL1).
 * Known gaps: no SError from outside, only virtual ones; a misaligned stack pointer does not fault; no watchpoints; no secure EL2.
 */
#include "sys.h"

/* -- state ---------------------------------------------------------------------------------------------------------------- */
uint64_t arm_hcr_on(const struct arm_cpu *a)
{
    uint64_t h = a->sr[SR_HCR_EL2];
    if (!(h & HCR_TGE)) return h;
    /* TGE: as if these were set; with E2H all that makes guests of EL1 is off */
    h |= HCR_FMO | HCR_IMO | HCR_AMO;
    h &= ~(HCR_VM | HCR_VF | HCR_VI | HCR_VSE | HCR_FB | HCR_DC | HCR_TID3 | HCR_TVM | HCR_TRVM | HCR_TSC);
    if (h & HCR_E2H)
        h &= ~(HCR_TWI | HCR_TWE | HCR_TID1 | HCR_TID2 | HCR_TACR | HCR_TSW | HCR_TPC | HCR_TPU | HCR_TTLB | HCR_TDZ | HCR_TIDCP);
    return h;
}

uint64_t arm_spsr(const struct arm_cpu *a)
{
    return arm_nzcv(&a->c) | a->dit << 24 | (a->uao ? PS_UAO : 0) | (a->pan ? PS_PAN : 0) | (a->ss ? PS_SS : 0) | (a->il ? PS_IL : 0) |
           a->ssbs << 12 | (a->c.mode & MODE_BTYPE) | a->daif | (uint32_t)a->el << PS_EL | (a->el ? a->spsel : 0);
}

/* Where the stack pointer of the current level and SPSel is kept while another is in use. */
static uint64_t *sp_bank(struct arm_cpu *a)
{
    return &a->sr[a->el && a->spsel ? SR_SP_EL0 + a->el : SR_SP_EL0];
}

static void set_el(struct arm_cpu *a, unsigned el, unsigned spsel)
{
    *sp_bank(a) = a->sp;
    a->el = (uint8_t)el;
    a->spsel = spsel;
    a->sp = *sp_bank(a);
}

void arm_set_spsel(struct arm_cpu *a, unsigned sp)
{
    set_el(a, a->el, sp);
    arm_mode_update(a, false);
}

/* -- translation mode --------------------------------------------------------------------------------------------------------- */
/* Where FP and SIMD instructions at an exception level trap to; 0: nowhere. */
static unsigned fp_trap(const struct arm_cpu *a, unsigned el)
{
    const uint64_t cptr2 = a->sr[SR_CPTR_EL2], hcr = arm_hcr(a);
    bool host = (hcr & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE);
    unsigned fpen = a->sr[SR_CPACR_EL1] >> 20 & 3;

    if (el < 2 && !host && (fpen == 0 || fpen == 2 || (fpen == 1 && el == 0))) return el == 0 && hcr & HCR_TGE ? 2 : 1;
    if (el < 3 && arm_el2_on(a)) {
        if (hcr & HCR_E2H) {
            fpen = cptr2 >> 20 & 3;
            if (fpen == 0 || fpen == 2 || (fpen == 1 && el == 0 && hcr & HCR_TGE)) return 2;
        } else if (cptr2 >> 10 & 1) {
            return 2;
        }
    }
    return a->has_el3 && a->sr[SR_CPTR_EL3] >> 10 & 1 ? 3 : 0;
}

static bool seldom_traps(const struct arm_cpu *a, unsigned el)
{
    const uint64_t open = SCTLR_UCT | SCTLR_UCI | SCTLR_DZE;
    if (el == 0 && (a->sr[arm_sctlr_of(a, 0)] & open) != open) return true;
    if (el < 2 && arm_hcr(a) & (HCR_TID2 | HCR_TPC | HCR_TPU | HCR_TTLB | HCR_TVM | HCR_TRVM | HCR_TDZ)) return true;
    return false;
}

/* Self-hosted debug: are its exceptions enabled at this level? */
static bool debug_on(const struct arm_cpu *a, unsigned el)
{
    const uint64_t md = a->sr[SR_MDSCR_EL1];
    unsigned to = arm_el2_on(a) && (a->sr[SR_MDCR_EL2] >> 8 & 1 || arm_hcr(a) & HCR_TGE) ? 2 : 1;
    if (a->sr[SR_OSLSR_EL1] & 2 || a->sr[SR_OSDLR_EL1] & 1) return false;
    return el < to || (el == to && md >> 13 & 1 && !(a->daif & PS_D));
}
/* Whether they are enabled at the moment (PSTATE.D) is asked at each instruction. */
static bool wants_debug(const struct arm_cpu *a)
{
    const uint64_t md = a->sr[SR_MDSCR_EL1];
    bool any = md & 1;
    for (unsigned i = 0; i < 6 && md >> 15 & 1; i++) any |= a->sr[SR_DBGBCR0_EL1 + 2 * i] & 1;
    return any;
}

static uint32_t mode_of_el(const struct arm_cpu *a, unsigned el)
{
    const uint64_t sctlr = a->sr[arm_sctlr_of(a, el)], hcr = arm_hcr(a);
    uint32_t m = el << MODE_EL_SHIFT;

    if (el == 2 && hcr & HCR_E2H) m |= MODE_E2H;
    if (fp_trap(a, el)) m |= MODE_FPTRAP;
    if (seldom_traps(a, el)) m |= MODE_TRAPS;
    if (sctlr & SCTLR_A) m |= MODE_ALIGN;
    if (arm_has(a, ARM_PAuth)) {
        m |= (sctlr & SCTLR_ENIA ? 0 : MODE_PAC_OFF << KEY_IA) | (sctlr & SCTLR_ENIB ? 0 : MODE_PAC_OFF << KEY_IB) |
             (sctlr & SCTLR_ENDA ? 0 : MODE_PAC_OFF << KEY_DA) | (sctlr & SCTLR_ENDB ? 0 : MODE_PAC_OFF << KEY_DB);
        bool host = el == 0 && (hcr & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE);
        if (el < 2 && arm_el2_on(a) && !host && !(hcr & HCR_API)) m |= MODE_PACTRAP;
        if (el < 3 && a->has_el3 && !(a->sr[SR_SCR_EL3] & SCR_API)) m |= MODE_PACTRAP;
    }
    return m;
}

void arm_mode_update(struct arm_cpu *a, bool all)
{
    if (all)
        for (unsigned el = 0; el < 4; el++) a->mode_el[el] = mode_of_el(a, el);
    uint32_t m = a->mode_el[a->el];
    if (!a->uao && (a->el == 1 || (a->el == 2 && arm_vhe_host(a)))) m |= MODE_UNPRIV;
    if (a->el && !a->spsel) m |= MODE_SP0;
    if (a->il) m |= MODE_IL;
    if (a->guarded) m |= MODE_GUARD;
    if (unlikely(a->sr[SR_MDSCR_EL1] & 0x8001) && wants_debug(a)) m |= MODE_DEBUG;
    a->c.mode = (a->c.mode & ~(uint32_t)(MODE_SYS | MODE_PAC)) | m;
    if (unlikely(a->on_world)) {
        uint8_t world = (uint8_t)(arm_secure(a) | (a->el == 3) << 1);
        if (world != a->world) {
            a->world = world;
            a->on_world(a->on_world_ctx, world & 1, world & 2);
        }
    }
}

/* -- taking an exception ------------------------------------------------------------------------------------------------------ */
static uint64_t *banked(struct arm_cpu *a, enum arm_sr el1, unsigned el)
{
    return &a->sr[el1 + el - 1];
}

void arm_take(struct arm_cpu *a, unsigned to, unsigned vector, uint32_t ec, uint32_t iss, uint64_t ret)
{
    static const uint16_t vbar[4] = { 0, SR_VBAR_EL1, SR_VBAR_EL2, SR_VBAR_EL3 };
    const unsigned from = a->el;
    const uint64_t sctlr = a->sr[to == 3 ? SR_SCTLR_EL3 : to == 2 ? SR_SCTLR_EL2 : SR_SCTLR_EL1];

    *banked(a, SR_SPSR_EL1, to) = arm_spsr(a);
    *banked(a, SR_ELR_EL1, to) = ret;
    if (vector == 0 || vector == 0x180) *banked(a, SR_ESR_EL1, to) = ec << 26 | iss;
    vector += from < to ? 0x400 : a->spsel ? 0x200 : 0;
    set_el(a, to, 1);
    a->daif = PS_DAIF;
    a->il = a->ss = a->uao = false;
    if (arm_has(a, ARM_PAN) && !(sctlr & SCTLR_SPAN) && (to == 1 || (to == 2 && arm_vhe_host(a)))) a->pan = true;
    if (arm_has(a, ARM_SSBS2)) a->ssbs = sctlr & SCTLR_DSSBS ? 1 : 0;
    a->c.mode &= ~(uint32_t)MODE_BTYPE;
    a->c.pc = a->sr[vbar[to]] + vector;
    arm_mode_update(a, false);
    soft_switch(&a->c);
}

/* A synchronous exception with the instruction length bit set; pc is what it was. */
static void take_sync(struct arm_cpu *a, unsigned to, uint32_t ec, uint32_t iss, uint64_t ret)
{
    /* what did not complete is stepped again */
    if (a->ss_used && ec != EC_SVC && ec != EC_HVC && ec != EC_SMC && ec != EC_STEP && ec != EC_STEP + 1) a->ss = true;
    a->ss_used = false;
    arm_take(a, to, 0, ec, iss | 1u << 25, ret);
}

_Noreturn void arm_raise_trap(struct arm_cpu *a, unsigned to, unsigned ec, uint32_t iss)
{
    a->trap_el = (uint8_t)to, a->trap_ec = (uint8_t)ec, a->trap_iss = iss;
    cpu_raise(&a->c, EXC_GUEST, GX_TRAP, 0);
}

/* -- aborts ------------------------------------------------------------------------------------------------------------------- */
static bool insn_at_pc(struct arm_cpu *a, uint32_t *insn)
{
    return soft_debug(&a->c, a->c.pc, insn, 4, false) == 4;
}

/* ISS bits 24:14 of a data abort that is stage 2's: the load or store of one general register without write-back. */
static uint32_t isv_syndrome(struct arm_cpu *a)
{
    uint32_t i, opc;
    if (!insn_at_pc(a, &i)) return 0;
    unsigned size = i >> 30, rt = i & 31;
    bool unsigned_off = (i & 0x3b000000) == 0x39000000, other = (i & 0x3b000000) == 0x38000000;
    bool acquire = (i & 0x3fbf7c00) == 0x089f7c00; /* LDAR, STLR */
    if (i & 1u << 26) return 0;
    if (acquire) {
        opc = i >> 22 & 1;
    } else if (unsigned_off || (other && (i & 1 << 21 ? (i & 0xc00) == 0x800 : !(i & 0x400)))) { /* no pre- and post-index, no LSE */
        opc = i >> 22 & 3;
        if (size == 3 && opc >= 2) return 0; /* PRFM */
    } else {
        return 0;
    }
    bool sign = opc >= 2 && !acquire, sf = sign ? opc == 2 : size == 3;
    return 1u << 24 | size << 22 | (uint32_t)sign << 21 | rt << 16 | (uint32_t)sf << 15 | (uint32_t)acquire << 14;
}

/* Instructions that check that they may write report so, whatever they were doing; cache maintenance is CM. */
static uint32_t wnr_cm(struct arm_cpu *a, bool write)
{
    uint32_t i;
    if (insn_at_pc(a, &i) && (i & 0xfff80000) == 0xd5080000 && (i >> 12 & 15) == 7) /* SYS, CRn = 7 */
        return (i & 0xffffffe0) == 0xd50b7420 ? 1u << 6 : 1u << 8 | 1u << 6;
    return write ? 1u << 6 : 0;
}

static enum sys_next data_or_insn_abort(struct arm_cpu *a, bool exec, bool write, uint64_t va)
{
    const struct arm_fault f = a->fault;
    unsigned to = arm_target_el(a);
    uint32_t iss = f.fsc | (uint32_t)f.s1ptw << 7;

    if (f.stage2) to = 2;
    if (f.fsc >= FSC_EXTERNAL && f.fsc < FSC_ALIGN) {
        if (a->el < 2 && arm_hcr(a) & HCR_TEA) to = 2;
        if (a->has_el3 && a->sr[SR_SCR_EL3] & SCR_EA) to = 3;
    }
    if (!exec) iss |= wnr_cm(a, write);
    if (!exec && f.stage2 && !f.s1ptw && !(iss & 1 << 8)) iss |= isv_syndrome(a);
    if (f.stage2) a->sr[SR_HPFAR_EL2] = f.ipa >> 12 << 4;
    *banked(a, SR_FAR_EL1, to) = va;
    take_sync(a, to, (exec ? EC_IABT : EC_DABT) + (a->el == to), iss, a->c.pc);
    return SYS_GO;
}

/* What LDAR, LDXR, atomics and their kin would have accessed: none has an offset but the unscaled acquire and release. */
static uint64_t atomic_address(struct arm_cpu *a, bool *write)
{
    uint32_t i = 0;
    if (!insn_at_pc(a, &i)) return a->c.v->fault_addr;
    unsigned rn = i >> 5 & 31;
    uint64_t base = rn == 31 ? a->sp : a->x[rn];
    if ((i & 0x3f200c00) == 0x19000000) { /* LDAPUR, STLUR */
        *write = !(i >> 22 & 3);
        return base + (uint64_t)bits_sext(i >> 12 & 0x1ff, 9);
    }
    if ((i & 0x3f000000) == 0x08000000)
        *write = !(i >> 22 & 1) || (i & 0x00a07c00) == 0x00a07c00;
    else
        *write = (i & 0x3f20fc00) != 0x3820c000; /* LDAPR */
    return base;
}

static enum sys_next alignment(struct arm_cpu *a)
{
    bool write = a->c.v->exc_code & EXF_WRITE;
    uint64_t va = a->c.v->fault_addr;
    if (a->c.v->exc_code == EXF_BUS) va = atomic_address(a, &write); /* from TRAPIF, which knows no address */
    a->fault = (struct arm_fault){ .kind = AF_ABORT, .fsc = FSC_ALIGN };
    return data_or_insn_abort(a, false, write, va);
}

static enum sys_next fault(struct arm_cpu *a)
{
    const struct vcpu *v = a->c.v;
    bool exec = v->exc_code & EXF_EXEC;
    uint64_t va = v->fault_addr;

    if (a->fault.kind == AF_TAGGED_PC) {
        a->c.pc = (uint64_t)bits_sext(a->c.pc, 56);
        return SYS_GO;
    }
    if (a->fault.kind == AF_NONE) a->fault = (struct arm_fault){ .kind = AF_ABORT, .fsc = FSC_EXTERNAL };
    return data_or_insn_abort(a, exec, v->exc_code & EXF_WRITE, exec ? a->c.pc : va);
}

void arm_bus_error(CPU *cpu, uint64_t va, uint64_t phys, unsigned access)
{
    arm_cpu_rw(cpu)->fault = (struct arm_fault){ .kind = AF_ABORT, .fsc = FSC_EXTERNAL };
}

/* -- ERET ----------------------------------------------------------------------------------------------------------------------- */
static bool legal_return(const struct arm_cpu *a, uint64_t spsr)
{
    unsigned el = spsr >> PS_EL & 3;
    if (spsr & PS_NRW || spsr & 2 || el > a->el || (el == 0 && spsr & PS_SP)) return false;
    if (el == 2 && !arm_el2_on(a)) return false;
    return !(el == 1 && arm_hcr(a) & HCR_TGE);
}

static void eret(struct arm_cpu *a)
{
    const uint64_t spsr = *banked(a, SR_SPSR_EL1, a->el), elr = *banked(a, SR_ELR_EL1, a->el);
    const bool legal = legal_return(a, spsr), debug = a->sr[SR_MDSCR_EL1] & 1;
    const bool stepped = debug && debug_on(a, a->el); /* SS counts where stepping was off before */

    arm_set_nzcv(&a->c, (uint32_t)spsr);
    a->daif = spsr & PS_DAIF;
    a->dit = arm_has(a, ARM_DIT) && spsr & PS_DIT;
    a->ssbs = arm_has(a, ARM_SSBS2) && spsr & PS_SSBS;
    a->pan = arm_has(a, ARM_PAN) && spsr & PS_PAN;
    a->uao = arm_has(a, ARM_UAO) && spsr & PS_UAO;
    a->il = spsr & PS_IL || !legal;
    a->c.mode &= ~(uint32_t)MODE_BTYPE;
    if (arm_has(a, ARM_BTI) && legal) a->c.mode |= (uint32_t)spsr & MODE_BTYPE;
    if (legal) set_el(a, spsr >> PS_EL & 3, spsr & PS_SP);
    a->ss = debug && !stepped && spsr & PS_SS && debug_on(a, a->el);
    a->c.pc = elr;
    a->c.res_addr = ~0ull;
    arm_mode_update(a, false);
    soft_switch(&a->c);
}

/* -- debug, guarded pages: called by generated code in their modes ------------------------------------------------------------- */
void arm_debug_check(struct arm_cpu *a)
{
    const uint64_t md = a->sr[SR_MDSCR_EL1];
    a->ss_used = false;
    if (!debug_on(a, a->el)) return;
    if (md & 1) {
        if (!a->ss) cpu_raise(&a->c, EXC_GUEST, GX_STEP, 0);
        a->ss = false;
        a->ss_used = true;
    }
    for (unsigned i = 0; i < 6 && md >> 15 & 1; i++) {
        const uint64_t bcr = a->sr[SR_DBGBCR0_EL1 + 2 * i], bvr = a->sr[SR_DBGBVR0_EL1 + 2 * i];
        unsigned type = bcr >> 20 & 15, pmc = bcr >> 1 & 3, hmc = bcr >> 13 & 1;
        if (!(bcr & 1) || type > 1 || (bvr ^ a->c.pc) & bits_mask(49) & ~3ull) continue; /* addresses only */
        bool el = a->el == 0 ? !hmc && pmc & 2 : a->el == 1 ? pmc & 1 || (hmc && pmc == 0) : a->el == 2 && hmc;
        if (a->el == 0 && pmc == 3) el = true;
        if (el) cpu_raise(&a->c, EXC_GUEST, GX_HWBREAK, 0);
    }
}

void arm_bti_check(struct arm_cpu *a, uint32_t insn)
{
    const unsigned btype = a->c.mode >> MODE_BTYPE_SHIFT & 3;
    const uint64_t sctlr = a->sr[arm_sctlr_of(a, a->el)];
    struct walk w;
    if ((insn & 0xffffffbf) == 0xd503233f) { /* PACIxSP lands as BTI c does, with BT also as BTI jc */
        if (btype != 3 || !(sctlr & (a->el ? SCTLR_BT1 : SCTLR_BT0))) return;
    }
    if (soft_translate(&a->c, VIEW_MAIN, a->c.pc, EXF_EXEC, &w) && w.guarded) cpu_raise(&a->c, EXC_GUEST, GX_BTI, 0);
}

/* -- interrupts ------------------------------------------------------------------------------------------------------------------ */
/* Where a physical interrupt goes now: 0 nowhere. */
static unsigned route(const struct arm_cpu *a, uint64_t scr_bit, uint64_t hcr_bit, uint32_t mask)
{
    const uint64_t hcr = arm_hcr(a);
    if (a->has_el3 && a->sr[SR_SCR_EL3] & scr_bit) return a->el < 3 || !(a->daif & mask) ? 3 : 0;
    if (a->el == 3) return 0;
    if (hcr & hcr_bit) {
        bool host = (hcr & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE);
        return (a->el < 2 && !host) || !(a->daif & mask) ? 2 : 0;
    }
    return a->el < 2 && !(a->daif & mask) ? 1 : 0;
}

static bool virtual(const struct arm_cpu *a, uint64_t hcr_bit, uint32_t mask)
{
    const uint64_t hcr = arm_hcr(a);
    return a->el < 2 && !(hcr & HCR_TGE) && hcr & hcr_bit && !(a->daif & mask);
}

static bool arm_interrupt(CPU *cpu)
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    const uint64_t hcr = arm_hcr(a);

    if (unlikely(__atomic_load_n(&a->timers_due, __ATOMIC_RELAXED))) arm_timers_update(a);
    uint32_t lines = __atomic_load_n(&a->lines, __ATOMIC_ACQUIRE);
    unsigned to;
    if (lines >> ARM_LINE_FIQ & 1 && (to = route(a, SCR_FIQ, HCR_FMO, PS_F)))
        arm_take(a, to, 0x100, 0, 0, a->c.pc);
    else if (lines >> ARM_LINE_IRQ & 1 && (to = route(a, SCR_IRQ, HCR_IMO, PS_I)))
        arm_take(a, to, 0x80, 0, 0, a->c.pc);
    else if ((lines >> ARM_LINE_VFIQ & 1 || hcr & HCR_VF) && virtual(a, HCR_FMO, PS_F))
        arm_take(a, 1, 0x100, 0, 0, a->c.pc);
    else if ((lines >> ARM_LINE_VIRQ & 1 || hcr & HCR_VI) && virtual(a, HCR_IMO, PS_I))
        arm_take(a, 1, 0x80, 0, 0, a->c.pc);
    else if (hcr & HCR_VSE && virtual(a, HCR_AMO, PS_A)) {
        a->sr[SR_HCR_EL2] &= ~HCR_VSE;
        arm_take(a, 1, 0x180, EC_SERROR, 1u << 25, a->c.pc);
    } else {
        return false;
    }
    return true;
}

static bool has_work(const CPU *cpu)
{
    const struct arm_cpu *a = arm_cpu(cpu);
    return __atomic_load_n(&a->lines, __ATOMIC_ACQUIRE) || __atomic_load_n(&a->timers_due, __ATOMIC_ACQUIRE) ||
           arm_hcr(a) & (HCR_VI | HCR_VF | HCR_VSE);
}

void arm_irq_poke(struct arm_cpu *a)
{
    if (has_work(&a->c)) sys_kick(&a->c);
}

static void set_line(CPU *cpu, unsigned line, bool level)
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    uint32_t bit = 1u << line;
    if (line >= ARM_LINES) return;
    if (!level)
        __atomic_and_fetch(&a->lines, ~bit, __ATOMIC_SEQ_CST);
    else if (!(__atomic_fetch_or(&a->lines, bit, __ATOMIC_SEQ_CST) & bit))
        sys_kick(cpu);
}

/* -- all exceptions ------------------------------------------------------------------------------------------------------------- */
static enum sys_next undefined(struct arm_cpu *a)
{
    take_sync(a, arm_target_el(a), EC_UNKNOWN, 0, a->c.pc);
    return SYS_GO;
}

static enum sys_next hvc_smc(struct arm_cpu *a, bool smc, uint32_t imm)
{
    const uint64_t hcr = arm_hcr(a);
    uint64_t next = a->c.pc;
    bool halt = false;

    if (smc && a->el == 1 && hcr & HCR_TSC) {
        take_sync(a, 2, EC_SMC, imm, next - 4);
        return SYS_GO;
    }
    if (a->psci == (smc ? ARM_PSCI_SMC : ARM_PSCI_HVC) && arm_psci(a, &halt)) return halt ? SYS_HALT : SYS_GO;
    bool there = smc ? a->has_el3 && !(a->sr[SR_SCR_EL3] & SCR_SMD) :
                       arm_el2_on(a) && a->el < 3 && (a->has_el3 ? a->sr[SR_SCR_EL3] & SCR_HCE : !(a->sr[SR_HCR_EL2] & HCR_HCD));
    if (!smc && a->el == 3) there = a->has_el2 && a->sr[SR_SCR_EL3] & SCR_HCE;
    if (!there) {
        a->c.pc -= 4;
        return undefined(a);
    }
    take_sync(a, smc || a->el == 3 ? 3 : 2, smc ? EC_SMC : EC_HVC, imm, next);
    return SYS_GO;
}

/* Software step, breakpoint: to the level that debug exceptions go to. */
static enum sys_next debug_exception(struct arm_cpu *a, unsigned ec, uint32_t iss)
{
    bool el2 = arm_el2_on(a) && (a->sr[SR_MDCR_EL2] >> 8 & 1 || arm_hcr(a) & HCR_TGE);
    unsigned to = MAX(el2 ? 2u : 1u, (unsigned)a->el);
    if (ec == EC_BRK) to = MAX(to, (unsigned)a->el);
    if (ec != EC_BRK && ec != EC_STEP) *banked(a, SR_FAR_EL1, to) = a->c.pc;
    take_sync(a, to, ec == EC_BRK ? ec : ec + (a->el == to), iss, a->c.pc);
    return SYS_GO;
}

static enum sys_next guest_exception(struct arm_cpu *a, uint32_t code)
{
    const uint32_t imm = code >> 16;
    switch (code & GX_CODE) {
    case GX_ERET:
        eret(a);
        if (unlikely(has_work(&a->c))) arm_interrupt(&a->c);
        return SYS_GO;
    case GX_HVC: return hvc_smc(a, false, imm);
    case GX_SMC: return hvc_smc(a, true, imm);
    case GX_FPTRAP: {
        unsigned to = fp_trap(a, a->el);
        /* with TGE, and from CPTR_EL2 without E2H, it is an unknown reason or has no condition */
        if (to == 2 && a->el == 0 && arm_hcr(a) & HCR_TGE && !(arm_hcr(a) & HCR_E2H) && !(a->sr[SR_CPTR_EL2] >> 10 & 1)) return undefined(a);
        take_sync(a, to ? to : 1, EC_FP, 0x1e00000, a->c.pc);
        return SYS_GO;
    }
    case GX_PACTRAP: {
        bool el2 = a->el < 2 && arm_el2_on(a) && !(arm_hcr(a) & HCR_API);
        take_sync(a, el2 ? 2 : 3, EC_PAC, 0, a->c.pc);
        return SYS_GO;
    }
    case GX_TRAP:
        take_sync(a, a->trap_el, a->trap_ec, a->trap_iss, a->c.pc);
        return SYS_GO;
    case GX_BTI: take_sync(a, arm_target_el(a), EC_BTI, a->c.mode >> MODE_BTYPE_SHIFT & 3, a->c.pc); return SYS_GO;
    case GX_ILLEGAL_STATE: take_sync(a, arm_target_el(a), EC_ILLEGAL_STATE, 0, a->c.pc); return SYS_GO;
    case GX_STEP: return debug_exception(a, EC_STEP, imm << 6 | 1 << 24 | 0x22);
    case GX_HWBREAK: return debug_exception(a, EC_HWBREAK, 0x22);
    default: return SYS_LEAVE;
    }
}

static enum sys_next exception(CPU *cpu, enum cpu_exc exc)
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    const uint32_t code = cpu->v->exc_code;
    switch (exc) {
    case EXC_SYSCALL:
        take_sync(a, arm_target_el(a), EC_SVC, code & 0xffff, cpu->pc);
        return SYS_GO;
    case EXC_ILLEGAL: return undefined(a);
    case EXC_BREAK: return debug_exception(a, EC_BRK, code & 0xffff);
    case EXC_FAULT: return fault(a);
    case EXC_ALIGN:
        if (cpu->pc & 3) {
            unsigned to = arm_target_el(a);
            *banked(a, SR_FAR_EL1, to) = cpu->pc;
            take_sync(a, to, EC_PC_ALIGN, 0, cpu->pc);
            return SYS_GO;
        }
        return alignment(a);
    case EXC_GUEST: return guest_exception(a, code);
    default: return SYS_LEAVE;
    }
}

/* -- what the GIC and the board ask and say ------------------------------------------------------------------------------------- */
void arm_sys_outputs(CPU *cpu, void (*set)(void *ctx, unsigned ppi, bool level), void *ctx)
{
    arm_cpu_rw(cpu)->out = set;
    arm_cpu_rw(cpu)->out_ctx = ctx;
}
void arm_sys_on_world(CPU *cpu, void (*changed)(void *ctx, bool secure, bool el3), void *ctx)
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    if (!a->has_el3) return;
    a->on_world = changed;
    a->on_world_ctx = ctx;
}
void arm_sys_psci(CPU *cpu, enum arm_conduit conduit)
{
    arm_cpu_rw(cpu)->psci = (uint8_t)conduit;
}
void arm_sys_mpidr(CPU *cpu, uint64_t affinity)
{
    arm_cpu_rw(cpu)->affinity = affinity & 0xff00ffffff;
    arm_cpu_rw(cpu)->affinity_set = true;
}
uint64_t arm_sys_affinity(const CPU *cpu)
{
    const struct arm_cpu *a = arm_cpu(cpu);
    unsigned i = cpu->v->index;
    return a->affinity_set ? a->affinity : (uint64_t)(i % 8 | i / 8 << 8);
}
void arm_sys_semihosting(CPU *cpu, bool on)
{
    arm_cpu_rw(cpu)->semihosting = on;
}
static void semihosting(CPU *cpu, bool on, bool user)
{
    arm_cpu_rw(cpu)->semihosting = on ? user ? 2 : 1 : 0;
}
bool arm_sys_has_el2(const CPU *cpu)
{
    return arm_cpu(cpu)->has_el2;
}
bool arm_sys_has_el3(const CPU *cpu)
{
    return arm_cpu(cpu)->has_el3;
}
unsigned arm_sys_el(const CPU *cpu)
{
    return arm_cpu(cpu)->el;
}
bool arm_sys_secure(const CPU *cpu)
{
    return arm_secure(arm_cpu(cpu));
}
uint64_t arm_sys_hcr(const CPU *cpu)
{
    return arm_hcr(arm_cpu(cpu));
}
uint64_t arm_sys_scr(const CPU *cpu)
{
    const struct arm_cpu *a = arm_cpu(cpu);
    return a->has_el3 ? a->sr[SR_SCR_EL3] : SCR_NS;
}

static const char *const lines[] = { "irq", "fiq", "virq", "vfiq", NULL };

const struct guest_sys aarch64_sys = {
    .reset = arm_sys_reset, .walk = arm_walk, .space_key = arm_space_key, .asid_mask = ARM_ASID_MASK, .data_mask = 1ull << ARM_KEY_PAN_BIT, .bus_error = arm_bus_error,
    .exception = exception, .interrupt = arm_interrupt, .has_work = has_work, .set_line = set_line, .lines = lines,
    .timer = arm_timer_due, .start = arm_start, .semihosting = semihosting,
};
