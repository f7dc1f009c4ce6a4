/* feat.h: architectural features (FEAT_*): names for users, ID register fields, hwcaps; see feat.def. */
#ifndef LYRE_GUEST_ARM_FEAT_H
#define LYRE_GUEST_ARM_FEAT_H

#include "arm.h"

enum arm_feat {
#define FEAT(name, ...) ARM_##name,
#include "feat.def"
#undef FEAT
    ARM_FEATS
};
_Static_assert(ARM_FEATS <= 64 * ARM_FEAT_WORDS, "room in struct arm_cpu");

enum arm_idreg {
    ID_NONE,
    ID_PFR0, ID_PFR1, ID_ZFR0, ID_ISAR0, ID_ISAR1, ID_ISAR2, ID_MMFR0, ID_MMFR1, ID_MMFR2,
    ID_REGS
};

enum { FEAT_SYSTEM = -2 }; /* for arm_feature.hwcap */

struct arm_feature {
    const char *name;    /* FEAT_<name>, also the gate in instruction rows */
    const char *cpuinfo; /* name in /proc/cpuinfo's Features, NULL if Linux has none */
    int8_t hwcap;        /* bit in AT_HWCAP, 64 + bit in AT_HWCAP2, -1 none */
    uint8_t idreg, shift, value; /* field of 4 bits and what it says; the largest value of a field wins */
    bool builtin;        /* there without gated instruction rows */
};
extern const struct arm_feature arm_features[ARM_FEATS];

static inline bool arm_has(const struct arm_cpu *a, enum arm_feat f)
{
    return a->have[f / 64] >> (f % 64) & 1;
}

#endif
