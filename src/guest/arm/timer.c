/*
 * timer.c: the generic timers (DDI 0487 D12) at 62.5 MHz, and what there is of the PMU (D13): the cycle counter runs at 1 GHz of guest
 * time, event counters count software increments or cycles.
 * A timer that has come to its time only marks itself; its CPU works out outputs on its own thread (arm_timers_update).
 * Known gaps: no event stream, PMU overflows raise no interrupt, CNTPOFF.
 */
#include "sys.h"

struct timer {
    uint16_t ctl, cval, tval;
    uint8_t ppi;
};
static const struct timer timers[] = {
    [TIMER_PHYS] = { SR_CNTP_CTL_EL0, SR_CNTP_CVAL_EL0, SR_CNTP_TVAL_EL0, ARM_PPI_PHYS },
    [TIMER_VIRT] = { SR_CNTV_CTL_EL0, SR_CNTV_CVAL_EL0, SR_CNTV_TVAL_EL0, ARM_PPI_VIRT },
    [TIMER_HYP] = { SR_CNTHP_CTL_EL2, SR_CNTHP_CVAL_EL2, SR_CNTHP_TVAL_EL2, ARM_PPI_HYP },
    [TIMER_HVIRT] = { SR_CNTHV_CTL_EL2, SR_CNTHV_CVAL_EL2, SR_CNTHV_TVAL_EL2, ARM_PPI_HVIRT },
    [TIMER_SEC] = { SR_CNTPS_CTL_EL1, SR_CNTPS_CVAL_EL1, SR_CNTPS_TVAL_EL1, ARM_PPI_SEC },
};

static uint64_t now_ns(const struct arm_cpu *a)
{
    const struct vcpu *v = a->c.v;
    return v->host && v->host->now ? v->host->now(v->host_ctx) : 0;
}

uint64_t arm_count(const struct arm_cpu *a)
{
    return now_ns(a) / TIMER_NS;
}

static uint64_t offset(const struct arm_cpu *a, unsigned n)
{
    return n == TIMER_VIRT && a->has_el2 ? a->sr[SR_CNTVOFF_EL2] : 0;
}

static bool fired(const struct arm_cpu *a, unsigned n, uint64_t count)
{
    return a->sr[timers[n].ctl] & 1 && count - offset(a, n) >= a->sr[timers[n].cval];
}

/* Works out the output, and when it may change next. */
static void update(struct arm_cpu *a, unsigned n)
{
    const struct vcpu *v = a->c.v;
    const uint64_t ctl = a->sr[timers[n].ctl], cval = a->sr[timers[n].cval];
    bool on = fired(a, n, arm_count(a)), level = on && !(ctl & 2);
    uint64_t at, ns = UINT64_MAX;

    if (ctl & 1 && !on && !__builtin_add_overflow(cval, offset(a, n), &at) && at <= UINT64_MAX / 2 / TIMER_NS) ns = at * TIMER_NS;
    if (v->host && v->host->timer) v->host->timer(v->host_ctx, &a->c, n, ns);
    if (level == a->out_level[n]) return;
    a->out_level[n] = level;
    if (a->out) a->out(a->out_ctx, timers[n].ppi, level);
}

void arm_timers_update(struct arm_cpu *a)
{
    __atomic_store_n(&a->timers_due, 0, __ATOMIC_SEQ_CST);
    for (unsigned n = 0; n < ARRAY_LEN(timers); n++) update(a, n);
}

void arm_timer_due(CPU *cpu, unsigned n)
{
    __atomic_or_fetch(&arm_cpu_rw(cpu)->timers_due, 1u << n, __ATOMIC_SEQ_CST);
    sys_kick(cpu);
}

/* The timer that a register belongs to; -1: it is another register. An EL2 host's EL0 has EL2's timers by EL1's names. */
static int timer_of(const struct arm_cpu *a, enum arm_sr *r)
{
    for (int n = 0; n < (int)ARRAY_LEN(timers); n++) {
        const struct timer *t = &timers[n];
        if (*r != t->ctl && *r != t->cval && *r != t->tval) continue;
        if (a->el || n > TIMER_VIRT || !arm_vhe_host(a)) return n;
        const struct timer *to = &timers[n + TIMER_HYP];
        *r = (enum arm_sr)(*r == t->ctl ? to->ctl : *r == t->cval ? to->cval : to->tval);
        return n + TIMER_HYP;
    }
    return -1;
}

uint64_t arm_timer_read(struct arm_cpu *a, enum arm_sr r)
{
    const uint64_t count = arm_count(a);
    if (r == SR_CNTPCT_EL0) return count;
    int n = timer_of(a, &r);
    if (n < 0) return a->sr[r];
    if (r == timers[n].tval) return (uint32_t)(a->sr[timers[n].cval] - (count - offset(a, (unsigned)n)));
    if (r == timers[n].ctl) return (a->sr[r] & 3) | (fired(a, (unsigned)n, count) ? 4 : 0);
    return a->sr[r];
}

void arm_timer_write(struct arm_cpu *a, enum arm_sr r, uint64_t v)
{
    if (r == SR_CNTVOFF_EL2) {
        a->sr[r] = v;
        update(a, TIMER_VIRT);
        return;
    }
    if (r == SR_CNTHCTL_EL2) {
        a->sr[r] = v & 0x30fff;
        return;
    }
    int n = timer_of(a, &r);
    if (n < 0) return;
    if (r == timers[n].tval)
        a->sr[timers[n].cval] = arm_count(a) - offset(a, (unsigned)n) + (uint64_t)bits_sext(v, 32);
    else
        a->sr[r] = r == timers[n].ctl ? v & 3 : v;
    update(a, (unsigned)n);
}

/* -- PMU ---------------------------------------------------------------------------------------------------------------------- */
enum { PM_COUNTERS = 4, PMCR_E = 1, PMCR_P = 2, PMCR_C = 4, PMCR_LC = 64, EV_SW_INCR = 0, EV_CYCLES = 0x11 };
#define PM_ALL (1ull << 31 | bits_mask(PM_COUNTERS))

static enum arm_sr evcntr(unsigned n)
{
    return (enum arm_sr)(SR_PMEVCNTR0_EL0 + 2 * n);
}
static enum arm_sr evtyper(unsigned n)
{
    return (enum arm_sr)(SR_PMEVTYPER0_EL0 + 2 * n);
}
/* Brings the counters that count time up to now. */
void arm_pm_update(struct arm_cpu *a)
{
    uint64_t now = now_ns(a), passed = now - a->pm_ns, on = a->sr[SR_PMCNTENSET_EL0];
    a->pm_ns = now;
    if (!(a->sr[SR_PMCR_EL0] & PMCR_E)) return;
    if (on >> 31 & 1) {
        if (a->sr[SR_PMCCNTR_EL0] + passed < passed) a->sr[SR_PMOVSCLR_EL0] |= 1u << 31;
        a->sr[SR_PMCCNTR_EL0] += passed;
    }
    for (unsigned n = 0; n < PM_COUNTERS; n++) {
        if (!(on >> n & 1) || (a->sr[evtyper(n)] & 0xffff) != EV_CYCLES) continue;
        uint64_t sum = a->sr[evcntr(n)] + passed;
        if (sum >> 32) a->sr[SR_PMOVSCLR_EL0] |= 1u << n;
        a->sr[evcntr(n)] = (uint32_t)sum;
    }
}

/* PMXEV*: through PMSELR. False: it selects nothing. */
static bool selected(const struct arm_cpu *a, enum arm_sr *r)
{
    unsigned n = a->sr[SR_PMSELR_EL0] & 31;
    if (*r != SR_PMXEVCNTR_EL0 && *r != SR_PMXEVTYPER_EL0) return true;
    if (n == 31 && *r == SR_PMXEVTYPER_EL0)
        *r = SR_PMCCFILTR_EL0;
    else if (n < PM_COUNTERS)
        *r = *r == SR_PMXEVCNTR_EL0 ? evcntr(n) : evtyper(n);
    else
        return false;
    return true;
}

uint64_t arm_pm_read(struct arm_cpu *a, enum arm_sr r)
{
    if (!selected(a, &r)) return 0;
    arm_pm_update(a);
    switch (r) {
    case SR_PMCR_EL0: return (a->sr[r] & 0xe9) | PMCR_LC | PM_COUNTERS << 11;
    case SR_PMCNTENCLR_EL0: return a->sr[SR_PMCNTENSET_EL0];
    case SR_PMINTENCLR_EL1: return a->sr[SR_PMINTENSET_EL1];
    case SR_PMOVSSET_EL0: return a->sr[SR_PMOVSCLR_EL0];
    case SR_PMCEID0_EL0: return 1u << EV_SW_INCR | 1u << EV_CYCLES;
    default: return a->sr[r];
    }
}

static void pm_control(struct arm_cpu *a, uint64_t v)
{
    a->sr[SR_PMCR_EL0] = v & 0xe9;
    if (v & PMCR_C) a->sr[SR_PMCCNTR_EL0] = 0;
    for (unsigned n = 0; v & PMCR_P && n < PM_COUNTERS; n++) a->sr[evcntr(n)] = 0;
}

void arm_pm_write(struct arm_cpu *a, enum arm_sr r, uint64_t v)
{
    if (!selected(a, &r)) return;
    arm_pm_update(a);
    switch (r) {
    case SR_PMCR_EL0: pm_control(a, v); break;
    case SR_PMCNTENSET_EL0: case SR_PMINTENSET_EL1: a->sr[r] |= v & PM_ALL; break;
    case SR_PMCNTENCLR_EL0: a->sr[SR_PMCNTENSET_EL0] &= ~v; break;
    case SR_PMINTENCLR_EL1: a->sr[SR_PMINTENSET_EL1] &= ~v; break;
    case SR_PMOVSCLR_EL0: a->sr[r] &= ~v; break;
    case SR_PMOVSSET_EL0: a->sr[SR_PMOVSCLR_EL0] |= v & PM_ALL; break;
    case SR_PMSWINC_EL0:
        for (unsigned n = 0; n < PM_COUNTERS; n++) {
            if (!(v >> n & 1) || !(a->sr[SR_PMCNTENSET_EL0] >> n & 1) || !(a->sr[SR_PMCR_EL0] & PMCR_E)) continue;
            if (a->sr[evtyper(n)] & 0xffff) continue;
            a->sr[evcntr(n)] = (uint32_t)(a->sr[evcntr(n)] + 1);
            if (!a->sr[evcntr(n)]) a->sr[SR_PMOVSCLR_EL0] |= 1u << n;
        }
        break;
    case SR_PMSELR_EL0: a->sr[r] = v & 31; break;
    case SR_PMUSERENR_EL0: a->sr[r] = v & 15; break;
    case SR_PMCCNTR_EL0: a->sr[r] = v; break;
    case SR_PMCCFILTR_EL0: a->sr[r] = v & 0xff000000; break;
    case SR_PMCEID0_EL0: case SR_PMCEID1_EL0: case SR_PMMIR_EL1: break;
    default: a->sr[r] = (uint32_t)v & ((r - SR_PMEVCNTR0_EL0) & 1 ? 0xfe00ffff : 0xffffffff);
    }
}
