/* x87.h: state of the x87 unit. Placeholder until the unit is there. */
#ifndef LYRE_GUEST_X86_X87_H
#define LYRE_GUEST_X86_X87_H

#include "base/base.h"

struct x87 {
    uint16_t cw, sw, tag; /* control, status, tag word (bit per register: 1 = empty) */
};

static inline void x87_init(struct x87 *x)
{
    *x = (struct x87){ .cw = 0x37f };
}
/* Bytes 0..23 and 32..159 of the FXSAVE area; wide: 64-bit pointers. */
static inline void x87_fx_put(const struct x87 *x, uint8_t *p, bool wide)
{
    memcpy(p, &x->cw, 2);
}
static inline void x87_fx_get(struct x87 *x, const uint8_t *p, bool wide)
{
    memcpy(&x->cw, p, 2);
}

#endif
