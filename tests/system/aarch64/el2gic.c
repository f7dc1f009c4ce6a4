/* el2gic.c: what of GICv3's CPU interface EL2 takes over from EL1. PSCI by SMC. MACHINE virtualization=on,gic-version=3 CPU has-el2=on */
#include "bare.h"

static u64 send(u64 which)
{
    switch (which) {
    case 0: MSR(s3_0_c12_c11_5, 1ul << 24 | 1); break; /* ICC_SGI1R_EL1 */
    case 1: MSR(s3_0_c12_c11_6, 2ul << 24 | 1); break; /* ICC_ASGI1R_EL1 */
    case 2: MSR(s3_0_c12_c11_7, 3ul << 24 | 1); break; /* ICC_SGI0R_EL1 */
    case 3: MSR(s3_0_c4_c6_0, 0xf0); break;            /* ICC_PMR_EL1: has a virtual one */
    }
    return 100 + which;
}

void main(void)
{
    static const u64 hcr[] = { 0, 1 << 4, 1 << 3, 1 << 4 | 1 << 3, 1ul << 5 };
    MSR(s3_4_c12_c9_5, 15); /* ICC_SRE_EL2 */
    asm volatile("isb");
    for (unsigned h = 0; h < sizeof hcr / sizeof *hcr; h++) {
        MSR(hcr_el2, 1ul << 31 | hcr[h]);
        for (u64 i = 0; i < 4; i++) {
            u64 before = ex.count, r = lower(send, i, 0x3c5, 2);
            SAY("send", h, i, r, ex.count - before);
            if (ex.count != before) SAY(" ex", ex.el, ex.esr);
        }
    }
    puts_("done\n");
}
