/*
 * psci.c: power state coordination (Arm DEN 0022, version 1.1) and the SMC calling convention's version (DEN 0028), by the machine in
 * place of firmware; and how a CPU starts.
 */
#include "sys.h"

enum {
    SMCCC_VERSION = 0x80000000u, SMCCC_FEATURES, PSCI_VERSION = 0x84000000u, PSCI_SUSPEND, PSCI_OFF, PSCI_ON, PSCI_AFFINITY, PSCI_MIGRATE,
    PSCI_MIGRATE_TYPE, PSCI_MIGRATE_CPU, PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET, PSCI_FEATURES, PSCI_SYSTEM_RESET2 = 0x84000012u,
    SMC64 = 0x40000000
};
enum {
    PSCI_OK = 0, PSCI_NOT_SUPPORTED = -1, PSCI_INVALID = -2, PSCI_ALREADY_ON = -4, PSCI_INTERNAL = -6, PSCI_INVALID_ADDRESS = -9,
    MAX_CPUS = 4096
};

static CPU *by_affinity(const struct arm_cpu *a, uint64_t affinity, unsigned *index)
{
    const struct vcpu *v = a->c.v;
    for (*index = 0; *index < MAX_CPUS; ++*index) {
        CPU *c = v->host->cpu(v->host_ctx, *index);
        if (!c) return NULL;
        if (arm_sys_affinity(c) == affinity) return c;
    }
    return NULL;
}

static int64_t cpu_on(struct arm_cpu *a, uint64_t affinity, uint64_t pc, uint64_t arg)
{
    const struct vcpu *v = a->c.v;
    unsigned index;
    if (!by_affinity(a, affinity, &index)) return PSCI_INVALID;
    if (pc & 3) return PSCI_INVALID_ADDRESS;
    /* at the highest non-secure level that the caller's firmware would give it */
    int ret = v->host->cpu_on(v->host_ctx, index, pc, arg, a->psci == ARM_PSCI_SMC && a->has_el2 ? 2 : 1);
    return !ret ? PSCI_OK : ret == -EALREADY ? PSCI_ALREADY_ON : ret == -ENOENT ? PSCI_INVALID : PSCI_INTERNAL;
}

static int64_t affinity_info(struct arm_cpu *a, uint64_t affinity, uint64_t level)
{
    const struct vcpu *v = a->c.v;
    unsigned index;
    if (level > 3) return PSCI_INVALID;
    if (level) return 0;
    if (!by_affinity(a, affinity, &index)) return PSCI_INVALID;
    return v->host->is_on(v->host_ctx, index) ? 0 : 1;
}

static bool known(uint32_t fn)
{
    switch (fn) {
    case SMCCC_VERSION: case PSCI_VERSION: case PSCI_OFF: case PSCI_MIGRATE_TYPE: case PSCI_SYSTEM_OFF: case PSCI_SYSTEM_RESET:
    case PSCI_FEATURES: case SMCCC_FEATURES:
        return true;
    default: break;
    }
    fn &= ~(uint32_t)SMC64;
    return fn == PSCI_SUSPEND || fn == PSCI_ON || fn == PSCI_AFFINITY || fn == PSCI_SYSTEM_RESET2;
}

bool arm_psci(struct arm_cpu *a, bool *halt)
{
    const struct vcpu *v = a->c.v;
    const uint32_t fn = (uint32_t)a->x[0];
    const bool wide = fn & SMC64;
    uint64_t arg[3];
    int64_t ret = PSCI_NOT_SUPPORTED;

    if (!v->host) return false;
    if ((fn & 0xbfffffe0) != PSCI_VERSION && fn != SMCCC_VERSION && fn != SMCCC_FEATURES) {
        a->x[0] = (uint64_t)PSCI_NOT_SUPPORTED; /* DEN 0028, 5.2: what nobody knows is refused, not undefined */
        return true;
    }
    for (unsigned i = 0; i < 3; i++) arg[i] = wide ? a->x[i + 1] : (uint32_t)a->x[i + 1];
    if (known(fn)) switch (fn & ~(uint32_t)SMC64) {
    case PSCI_VERSION: case SMCCC_VERSION: ret = 0x10001; break;
    case SMCCC_FEATURES: ret = (uint32_t)arg[0] == SMCCC_VERSION || (uint32_t)arg[0] == SMCCC_FEATURES ? 0 : PSCI_NOT_SUPPORTED; break;
    case PSCI_SUSPEND: ret = PSCI_OK; *halt = true; break; /* every state is a standby */
    case PSCI_OFF:
        a->c.pc -= 4; /* it does not return */
        *halt = true;
        v->host->cpu_off(v->host_ctx, &a->c);
        return true;
    case PSCI_ON: ret = cpu_on(a, arg[0], arg[1], arg[2]); break;
    case PSCI_AFFINITY: ret = affinity_info(a, arg[0], arg[1]); break;
    case PSCI_MIGRATE_TYPE: ret = 2; break; /* no trusted OS that would have to move */
    case PSCI_SYSTEM_OFF: case PSCI_SYSTEM_RESET: case PSCI_SYSTEM_RESET2:
        a->c.pc -= 4;
        *halt = true;
        v->host->power(v->host_ctx, fn == PSCI_SYSTEM_OFF ? SYS_OFF : SYS_RESET, 0);
        return true;
    case PSCI_FEATURES: ret = known((uint32_t)arg[0]) && (uint32_t)arg[0] != SMCCC_FEATURES ? 0 : PSCI_NOT_SUPPORTED; break;
    default: break;
    }
    a->x[0] = (uint64_t)ret;
    return true;
}

/* how: the exception level. */
void arm_start(CPU *cpu, uint64_t pc, uint64_t arg, uint64_t how)
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    arm_sys_reset(cpu);
    if (how < a->el) {
        /* what firmware would have left behind at the levels above */
        if (a->has_el3) a->sr[SR_SCR_EL3] |= SCR_NS | SCR_RW | SCR_HCE | SCR_API | SCR_APK;
        a->el = (uint8_t)MAX(how, 1u);
        a->spsel = 1;
        a->sp = 0;
        arm_mode_update(a, true);
        if (cpu->v->soft) soft_switch(cpu);
    }
    cpu->pc = pc;
    a->x[0] = arg;
}
