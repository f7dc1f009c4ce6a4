/* x87 exceptions as signals: each unmasked in turn, the code in siginfo, that it comes with the next waiting instruction, and what the
 * handler's frame says of the unit. Exits 0. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

static sigjmp_buf back;
static volatile int code, status;

static void handler(int sig, siginfo_t *si, void *ctx)
{
    ucontext_t *u = ctx;
    code = si->si_code;
#ifdef __x86_64__
    status = u->uc_mcontext.fpregs->swd;
#else
    status = (int)u->uc_mcontext.fpregs->sw & 0xffff;
#endif
    siglongjmp(back, sig);
}

static void control(uint16_t masked)
{
    uint16_t cw = 0x340 | masked;
    __asm__ volatile("fninit\n\tfldcw %0" : : "m"(cw));
}

static const double one = 1, zero, huge = 1e308, tiny = 1e-308;
static double denormal = 4e-320;
static double sink;
static volatile int marker;
static int run(int which)
{
    control((uint16_t)(0x3f & ~(1 << which)));
    switch (which) {
    case 0: __asm__ volatile("fldl %0\n\tfdivl %0" : : "m"(zero)); break;
    case 1: __asm__ volatile("fldl %0\n\tfaddl %1" : : "m"(one), "m"(denormal)); break;
    case 2: __asm__ volatile("fldl %0\n\tfdivl %1" : : "m"(one), "m"(zero)); break;
    case 3: __asm__ volatile("fldl %1\n\tfmull %1\n\tfstl %0" : "+m"(sink) : "m"(huge)); break;
    case 4: __asm__ volatile("fldl %1\n\tfmull %1\n\tfstl %0" : "+m"(sink) : "m"(tiny)); break;
    default: __asm__ volatile("fld1\n\tfldpi\n\tfdivrp"); break;
    }
    marker = 7; /* nothing comes before the next one waits */
    __asm__ volatile("fwait");
    return 0;
}

int main(void)
{
    static const int want[] = { FPE_FLTINV, FPE_FLTUND, FPE_FLTDIV, FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES };
    struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    int bad = 0;

    sigaction(SIGFPE, &sa, NULL);
    for (volatile int i = 0; i < 6; i++) {
        marker = 3;
        code = status = -1;
        int sig = sigsetjmp(back, 1) ? SIGFPE : run(i);
        if (sig != SIGFPE || code != want[i] || !(status >> i & 1) || !(status & 0x80) || marker != 7) {
            printf("exception %d: signal %d, code %d, status %04x, %d\n", i, sig, code, status, marker);
            bad = 1;
        }
    }
    return bad;
}
