/* ext.h: extensions as the CPU models, the ISA string and hwprobe see them; see ext.def. */
#ifndef LYRE_GUEST_RISCV_EXT_H
#define LYRE_GUEST_RISCV_EXT_H

#include "riscv.h"

enum riscv_ext_id {
#define FEAT(name, implies, hwprobe) EXT_##name,
#include "ext.def"
#undef FEAT
    EXT_COUNT
};
_Static_assert(EXT_COUNT <= 64 * EXT_WORDS, "room in struct riscv_cpu");

struct riscv_ext {
    const char *name, *implies; /* implies NULL: a gate of the decoder, not an extension */
    int hwprobe;
};
extern const struct riscv_ext riscv_exts[EXT_COUNT + 1];

static inline bool riscv_has_ext(const struct riscv_cpu *r, unsigned ext)
{
    return r->exts[ext / 64] >> (ext % 64) & 1;
}

#endif
