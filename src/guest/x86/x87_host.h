/*
 * x87_host.h: the host's own x87 unit as a fast road for the guest's square roots, remainders and transcendental functions, with all
 * exceptions masked, 64-bit precision and rounding to nearest, which is what the host's unit is set to anyway (System V ABI), and
 * what nearly all programs use. Transcendentals are the host CPU's to the last bit then, not x80_trans.c's.
 *
 * The host's exception flags are sticky, and clearing them costs ten times an addition. So the one that nearly every
 * operation raises, precision, stays set: it tells nothing new as soon as the guest's is set as well. All others are clear
 * between operations. Each thread has its own unit; if a CPU finds it used by another one, it takes the slow road until its
 * own flag is set.
 */
#ifndef LYRE_GUEST_X86_X87_HOST_H
#define LYRE_GUEST_X86_X87_HOST_H

#include "x87.h"

#ifdef __x86_64__
static inline uint16_t host_sw(void)
{
    uint16_t sw;
    __asm__ volatile("fnstsw %0" : "=a"(sw));
    return sw;
}
static inline bool host_ready(const struct x87 *x)
{
    uint16_t cw;

    __asm__ volatile("fnstcw %0" : "=m"(cw)); /* a program that embeds us may have set it otherwise */
    return likely((x->cw & 0xf3f) == 0x33f && cw == X87_CW_INIT) && (likely(x->sw & X80_PE) || !(host_sw() & X80_PE));
}
static inline void host_clear(void)
{
    if (host_sw() & X80_EXC)
        __asm__ volatile("fnclex");
}
/* Takes over what an operation raised. */
static inline void host_done(struct x87 *x, uint16_t sw, uint32_t cc)
{
    if (unlikely(sw & X80_EXC & ~X80_PE))
        __asm__ volatile("fnclex");
    x->sw = (x->sw & ~cc) | (sw & (X80_EXC | cc));
}

typedef uint8_t host_f80[10];
#define HOST_F80(p) (*(host_f80 *)(p))
#define HOST_CF80(p) (*(const host_f80 *)(p))

/* d = d op s; insn leaves ST1 op ST0 in ST1 and pops */
/* The status word is written before the result is stored: it may not share a register with an address (&). */
#define HOST_OP2(insn, x, d, s)                                                                      \
    do {                                                                                             \
        uint16_t sw_;                                                                                \
        __asm__ volatile("fldt %0\n\tfldt %2\n\t" insn "\n\tfnstsw %1\n\tfstpt %0"                   \
                         : "+m"(HOST_F80(d)), "=&a"(sw_) : "m"(HOST_CF80(s)));                        \
        host_done(x, sw_, X80_C1);                                                                   \
    } while (0)
#define HOST_OP1(insn, x, d, cc)                                                                     \
    do {                                                                                             \
        uint16_t sw_;                                                                                \
        __asm__ volatile("fldt %0\n\t" insn "\n\tfnstsw %1\n\tfstpt %0" : "+m"(HOST_F80(d)), "=&a"(sw_)); \
        host_done(x, sw_, cc);                                                                       \
    } while (0)
/* ST0 = d, ST1 = s, insn leaves both; d = ST0 */
#define HOST_OP20(insn, x, d, s, cc)                                                                 \
    do {                                                                                             \
        uint16_t sw_;                                                                                \
        __asm__ volatile("fldt %2\n\tfldt %0\n\t" insn "\n\tfnstsw %1\n\tfstpt %0\n\tfstp %%st(0)"   \
                         : "+m"(HOST_F80(d)), "=&a"(sw_) : "m"(HOST_CF80(s)));                        \
        host_done(x, sw_, cc);                                                                       \
    } while (0)
/* ST0 = a, insn pushes: lower = ST1, upper = ST0 */
#define HOST_OP12(insn, x, a, lower, upper, cc)                                                      \
    do {                                                                                             \
        uint16_t sw_;                                                                                \
        __asm__ volatile("fldt %3\n\t" insn "\n\tfnstsw %2\n\tfstpt %1\n\tfstpt %0"                  \
                         : "=m"(HOST_F80(lower)), "=m"(HOST_F80(upper)), "=&a"(sw_) : "m"(HOST_CF80(a))); \
        host_done(x, sw_, cc);                                                                       \
    } while (0)
#else
static inline bool host_ready(const struct x87 *x UNUSED)
{
    return false;
}
static inline void host_clear(void)
{
}
#define HOST_OP2(insn, x, d, s) ((void)(d), (void)(s))
#define HOST_OP1(insn, x, d, cc) ((void)(d))
#define HOST_OP20(insn, x, d, s, cc) ((void)(d), (void)(s))
#define HOST_OP12(insn, x, a, lower, upper, cc) ((void)(a), (void)(lower), (void)(upper))
#endif

#endif
