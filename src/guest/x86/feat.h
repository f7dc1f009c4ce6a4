/* feat.h: the features of feat.def, and which of them a CPU has. */
#ifndef LYRE_GUEST_X86_FEAT_H
#define LYRE_GUEST_X86_FEAT_H

#include "x86.h"

enum x86_feat {
#define FEAT(name, ...) F_##name,
#include "feat.def"
#undef FEAT
    X86_FEATS
};
_Static_assert(X86_FEATS <= 64 * X86_FEAT_WORDS, "room in struct x86_cpu");

enum { REG_EAX, REG_EBX, REG_ECX, REG_EDX };
struct x86_feature {
    const char *name, *cpuinfo;
    uint32_t leaf;
    uint8_t reg, bit;
    bool implemented;
};
extern const struct x86_feature x86_features[X86_FEATS];

static inline bool x86_has(const struct x86_cpu *x, enum x86_feat f)
{
    return x->have[f / 64] >> f % 64 & 1;
}

#endif
