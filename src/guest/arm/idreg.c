/*
 * idreg.c: ID registers (DDI 0487 D19.2, op0 = 3, op1 = 0, CRn = 0): one list of features (feat.def), two views. EL0 in user mode reads
 * them as Linux emulates them for programs (arm64/cpu-feature-registers): only fields that are of use there, the rest zero.
 */
#include "sys.h"

#define R(op0, op1, crn, crm, op2) SYSREG(op0, op1, crn, crm, op2)

const struct arm_feature arm_features[ARM_FEATS] = {
#define FEAT(name, cpuinfo, hwcap, reg, shift, value, builtin) { #name, cpuinfo, hwcap, ID_##reg, shift, value, builtin },
#include "feat.def"
#undef FEAT
};

static unsigned id_of(unsigned reg)
{
    static const struct { uint16_t num; uint8_t id; } ids[] = {
        { R(3, 0, 0, 4, 0), ID_PFR0 }, { R(3, 0, 0, 4, 1), ID_PFR1 }, { R(3, 0, 0, 4, 4), ID_ZFR0 },
        { R(3, 0, 0, 6, 0), ID_ISAR0 }, { R(3, 0, 0, 6, 1), ID_ISAR1 }, { R(3, 0, 0, 6, 2), ID_ISAR2 },
        { R(3, 0, 0, 7, 0), ID_MMFR0 }, { R(3, 0, 0, 7, 1), ID_MMFR1 }, { R(3, 0, 0, 7, 2), ID_MMFR2 },
    };
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        if (ids[i].num == reg) return ids[i].id;
    return ID_NONE;
}

/* The fields of what the CPU has; of those that share one the largest value. */
static uint64_t fields(const struct arm_cpu *a, unsigned id, bool privileged)
{
    uint64_t v = 0;
    for (unsigned i = 0; id && i < ARM_FEATS; i++) {
        const struct arm_feature *p = &arm_features[i];
        if (p->idreg != id || !arm_has(a, (enum arm_feat)i) || (p->hwcap == FEAT_SYSTEM && !privileged)) continue;
        if ((v >> p->shift & 15) < p->value) v = (v & ~(15ull << p->shift)) | (uint64_t)p->value << p->shift;
    }
    if (id == ID_ISAR1 && arm_has(a, ARM_PACIMP)) { /* APA and GPA are API and GPI then; 3 is FEAT_PAuth2 */
        const uint64_t gpa = v >> 24 & 1;
        v = (v & ~(0xfull << 4 | 0xfull << 24)) | (v >> 4 & 1) * 3 << 8 | gpa << 28;
    }
    if (id == ID_PFR0) v |= 0x11 | (arm_has(a, ARM_FP16) ? 1u << 20 : 0); /* EL0, EL1; half precision in AdvSIMD */
    return v;
}

bool arm_id_register(const struct arm_cpu *a, unsigned reg, uint64_t *v)
{
    unsigned crm = reg >> 3 & 15, id = id_of(reg);

    if ((reg & ~0x7fu) != R(3, 0, 0, 0, 0)) return false;
    *v = 0;
    if (reg == R(3, 0, 0, 0, 0)) {
        *v = a->midr;
        return true;
    }
    if (reg == R(3, 0, 0, 0, 5)) { /* MPIDR: uniprocessor bit clear, RES1 */
        *v = 1u << 31;
        return true;
    }
    if (reg == R(3, 0, 0, 0, 6)) return true; /* REVIDR */
    if (crm < 2 || crm > 7) return false; /* 2 and 3: AArch32's, of which there is nothing */
    *v = fields(a, id, false);
    if (id == ID_MMFR0) *v = 0xff000000; /* TGran4, TGran64: not supported, the signed value for "not said" */
    return true;
}

/* PARange, 16-bit ASIDs, all granules at both stages. */
static uint64_t mmfr0(const struct arm_cpu *a)
{
    uint64_t range = a->pa_bits == 40 ? 2 : a->pa_bits == 44 ? 4 : 5;
    return range | 2 << 4 | (a->has_el3 ? 1 << 12 : 0) | 1 << 20 | 2ull << 32 | 2ull << 36 | 2ull << 40;
}

static uint64_t dfr0(const struct arm_cpu *a)
{
    return 6 | (a->has_pmu ? 1 << 8 : 0) | 5 << 12 | 3 << 20 | 1 << 28; /* v8.0 debug, PMUv3, 6 breakpoints, 4 watchpoints, 2 contexts */
}

bool arm_id_system(const struct arm_cpu *a, unsigned reg, uint64_t *v)
{
    unsigned id = id_of(reg);
    bool vm = a->el < 2 && arm_el2_on(a);

    if ((reg & ~0x7fu) != R(3, 0, 0, 0, 0)) return false;
    *v = 0;
    switch (reg) {
    case R(3, 0, 0, 0, 0): *v = vm ? a->sr[SR_VPIDR_EL2] : a->midr; return true;
    case R(3, 0, 0, 0, 5): *v = vm ? a->sr[SR_VMPIDR_EL2] | 1u << 31 : 1u << 31 | arm_sys_affinity(&a->c); return true;
    case R(3, 0, 0, 0, 6): return true;
    case R(3, 0, 0, 5, 0): *v = dfr0(a); return true;
    default: break;
    }
    if ((reg >> 3 & 15) == 0 || (reg >> 3 & 15) > 7) return false; /* CRm 1 to 3: AArch32's, which read as zero */
    *v = fields(a, id, true);
    if (id == ID_MMFR0) *v = mmfr0(a);
    if (id == ID_MMFR1 && !a->has_el2) *v &= ~(0xfull << 8); /* VHE */
    if (id == ID_PFR0) *v |= (a->has_el2 ? 1 << 8 : 0) | (a->has_el3 ? 1 << 12 : 0) | (a->c.v->intc ? 1 << 24 : 0);
    return true;
}
