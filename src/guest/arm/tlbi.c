/*
 * tlbi.c: TLB maintenance (DDI 0487 D8.13): which of the engine's address spaces an instruction is about. Operations by address drop
 * the page in all address spaces of the regime: global pages are cached in each of them. A broadcast is done when DSB is.
 */
#include "sys.h"

/* The instructions: op1 0 (EL1), 4 (EL2), 6 (EL3); CRm is where and how wide, op2 what. */
struct op {
    unsigned op1, crm, op2;
    bool broadcast, range, ipa;
};

static struct op decode(unsigned op)
{
    struct op o = { .op1 = op >> 11 & 7, .crm = op >> 3 & 15, .op2 = op & 7 };
    o.broadcast = o.crm <= 5 && o.crm != 4;
    o.range = o.crm == 2 || o.crm == 5 || o.crm == 6;
    if (o.op1 == 4 && (o.crm == 0 || o.crm == 4)) {
        /* IPAS2E1: CRm 0: IS 1 and 5, range 2 and 6; CRm 4: OS 0 and 4, plain 1 and 5, range plain 2, 6, range OS 3, 7 */
        o.ipa = true;
        o.broadcast = o.crm == 0 || !(o.op2 & 1) ? o.crm == 0 || (o.op2 & 3) == 0 : (o.op2 & 3) == 3;
        o.range = (o.op2 & 3) >= 2;
    }
    return o;
}

bool arm_tlbi_known(const struct arm_cpu *a, unsigned op, unsigned el)
{
    const struct op o = decode(op);
    const bool outer = o.crm == 1 || (!o.ipa && o.crm == 5) || (o.ipa && o.crm == 4 && ((o.op2 & 3) == 0 || (o.op2 & 3) == 3));

    if (el < (o.op1 == 0 ? 1u : o.op1 == 4 ? 2u : 3u) || (o.op1 == 4 && !a->has_el2)) return false;
    if ((o.range && !arm_has(a, ARM_TLBIRANGE)) || (outer && !arm_has(a, ARM_TLBIOS))) return false;
    return arm_tlbi_valid(op);
}

/* Those without an address or number. */
bool arm_tlbi_alone(unsigned op)
{
    const struct op o = decode(op);
    return !o.ipa && !o.range && (o.op2 == 0 || o.op2 == 4 || o.op2 == 6);
}

bool arm_tlbi_valid(unsigned op)
{
    const struct op o = decode(op);
    if (o.op1 != 0 && o.op1 != 4 && o.op1 != 6) return false;
    if (o.crm > 7) return false;
    if (o.ipa) return o.crm == 4 || (o.op2 & 3) == 1 || (o.op2 & 3) == 2;
    if (o.crm == 0 || o.crm == 4) return false;
    if (o.range) return o.op2 & 1 && (o.op1 == 0 || o.op2 == 1 || o.op2 == 5);
    switch (o.op1) {
    case 0: return o.op2 != 4 && o.op2 != 6;
    case 4: return o.op2 == 0 || o.op2 == 1 || o.op2 == 4 || o.op2 == 5 || o.op2 == 6;
    default: return o.op2 == 0 || o.op2 == 1 || o.op2 == 5;
    }
}

/* Pages of a range operand (FEAT_TLBIRANGE). False: nothing is meant. */
static bool range(uint64_t v, uint64_t *va, uint64_t *last)
{
    unsigned tg = v >> 46 & 3, scale = v >> 44 & 3, num = v >> 39 & 31, shift = tg == 1 ? 12 : tg == 2 ? 14 : 16;
    if (!tg) return false;
    *va = (uint64_t)bits_sext(v & bits_mask(37), 37) << shift;
    *last = *va + ((uint64_t)(num + 1) << (5 * scale + 1) << shift) - 1;
    return true;
}

void arm_tlbi(struct arm_cpu *a, unsigned op, uint64_t v)
{
    const struct op o = decode(op);
    const bool host = a->el == 2 && arm_vhe_host(a), e2h = a->sr[SR_HCR_EL2] & HCR_E2H && arm_el2_on(a);
    uint64_t mask = ARM_KEY_REGIME_MASK, value, va = (uint64_t)bits_sext(v & bits_mask(44), 44) << 12, last = va | 4095;
    bool el10 = (o.op1 == 0 && !host) || (o.op1 == 4 && (o.ipa || o.op2 == 4 || o.op2 == 6));
    bool whole = !o.range && !o.ipa && (o.op2 == 0 || o.op2 == 2 || o.op2 == 4 || o.op2 == 6);
    bool all = o.broadcast || (a->el == 1 && arm_hcr(a) & HCR_FB);
    CPU *cpu = &a->c;

    value = el10 ? ARM_KEY_EL10 : o.op1 == 6 ? ARM_KEY_EL3 : host || e2h ? ARM_KEY_EL20 : ARM_KEY_EL2;
    if (el10 && !(o.op1 == 4 && o.op2 == 4) && arm_el2_on(a)) { /* of this VMID; ALLE1: of any */
        mask |= ARM_KEY_VMID_MASK | ARM_KEY_S2;
        value |= arm_space_vm(a);
    }
    if (o.ipa) {
        whole = true; /* what was translated by way of it is not known by its address */
    } else if (o.op1 == 0 && !o.range && o.op2 == 2) { /* ASIDE1 */
        mask |= ARM_ASID_MASK;
        value |= v >> 48 & (a->sr[host ? SR_TCR_EL2 : SR_TCR_EL1] >> 36 & 1 ? 0xffff : 0xff);
    }
    if (o.range && !o.ipa && !range(v, &va, &last)) return;
    if (!whole && __atomic_load_n(&a->tagged, __ATOMIC_RELAXED)) whole = true;
    if (whole)
        soft_flush(cpu, mask, value, all);
    else
        soft_flush_pages(cpu, mask, value, va, last, all);
    const struct vcpu *cv = cpu->v;
    if (all && cv->host && cv->host->cpu && cv->host->cpu(cv->host_ctx, 1)) a->tlbi_pending = 1;
}
