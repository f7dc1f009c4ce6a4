/* x87.h: state of the x87 unit. Placeholder until the unit is there. */
#ifndef LYRE_GUEST_X86_X87_H
#define LYRE_GUEST_X86_X87_H

#include "base/base.h"

struct x87 {
    uint16_t cw, sw, tag; /* control, status, tag word (bit per register: 1 = empty) */
};

#endif
