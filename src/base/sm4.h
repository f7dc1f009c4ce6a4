/* sm4.h: the S-box of the SM4 cipher (GB/T 32907-2016, 6.2), which several ISAs have instructions for. */
#ifndef LYRE_BASE_SM4_H
#define LYRE_BASE_SM4_H

#include "base/base.h"

extern const uint8_t sm4_sbox[256];

#endif
