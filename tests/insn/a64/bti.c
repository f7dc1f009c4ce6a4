/*
 * bti.c: guarded pages (FEAT_BTI): which landing pads take which computed jumps, from guarded and other pages; PSTATE.BTYPE in
 * signal frames; mprotect with and without PROT_BTI. An installed qemu-aarch64 agrees.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PROT_BTI_ = 0x10, PAGE = 4096 };
enum { NOP = 0xd503201f, BTI = 0xd503241f, BTI_C = 0xd503245f, BTI_J = 0xd503249f, BTI_JC = 0xd50324df, PACIASP = 0xd503233f,
       PACIAZ = 0xd503231f, RET = 0xd65f03c0, BRK = 0xd4200000 };
static int bad, signals, last_signal;
static uint64_t fault_pc, fault_pstate;
static uint32_t *from, *to;

static void on_signal(int sig, siginfo_t *si, void *uc)
{
    mcontext_t *m = &((ucontext_t *)uc)->uc_mcontext;
    (void)si;
    signals++, last_signal = sig, fault_pc = m->pc, fault_pstate = m->pstate;
    m->pc = m->regs[30]; /* as if it had returned */
    m->pstate &= ~(3ull << 10);
}
static void protect(uint32_t *page, int guard)
{
    __builtin___clear_cache((char *)page, (char *)page + PAGE);
    mprotect(page, PAGE, PROT_READ | PROT_EXEC | (guard ? PROT_BTI_ : 0));
}
static void put(uint32_t *page, const uint32_t *code, unsigned n)
{
    mprotect(page, PAGE, PROT_READ | PROT_WRITE);
    memcpy(page, code, 4 * n);
}
/* Each jumps to x0: br x0, br x16, br x17, blr x0. */
enum { BR, BR16, BR17, BLR, RETURN, KINDS };
static const uint32_t jumps[KINDS][4] = {
    [BR] = { BTI_JC, 0xd61f0000 }, [BR16] = { BTI_JC, 0xaa0003f0, 0xd61f0200 }, [BR17] = { BTI_JC, 0xaa0003f1, 0xd61f0220 },
    [BLR] = { BTI_JC, 0xaa1e03e9, 0xd63f0000, 0xd65f0120 /* ret x9 */ }, [RETURN] = { BTI_JC, 0xd65f0000 },
};
/* The landing pad, then RET; pads that sign x30 are followed by XPACLRI. */
static void one(unsigned kind, int from_guarded, uint32_t pad, int to_guarded, unsigned btype, int ok)
{
    const uint32_t target[] = { pad, 0xd50320ff, RET };
    put(from, jumps[kind], 4);
    put(to, target, 3);
    protect(from, from_guarded);
    protect(to, to_guarded);
    signals = 0;
    ((void (*)(void *))(uintptr_t)from)(to);
    int sig = pad == BRK ? SIGTRAP : SIGILL;
    int fine = ok && pad != BRK ? !signals : signals == 1 && last_signal == sig && fault_pc == (uint64_t)to &&
               (fault_pstate >> 10 & 3) == btype;
    if (fine) return;
    printf("kind %u from %d pad %08x to %d: %d signals, %d at %+lld, btype %u\n", kind, from_guarded, pad, to_guarded, signals,
           last_signal, (long long)(fault_pc - (uint64_t)to), (unsigned)(fault_pstate >> 10 & 3));
    bad = 1;
}

int main(void)
{
    static const uint32_t pads[] = { NOP, BTI, BTI_C, BTI_J, BTI_JC, PACIASP, PACIAZ, BRK, RET };
    /* bit per BTYPE that a pad takes */
    static const uint8_t takes[] = { 0, 0, 6, 10, 14, 6, 0, 14, 0 };
    struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO };

    sigaction(SIGILL, &sa, NULL), sigaction(SIGTRAP, &sa, NULL);
    if (!(getauxval(AT_HWCAP2) >> 17 & 1)) return printf("no HWCAP2_BTI\n"), 1;
    from = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    to = from + PAGE / 4;
    for (unsigned kind = 0; kind < KINDS; kind++)
        for (unsigned i = 0; i < sizeof pads / sizeof *pads; i++)
            for (int g = 0; g < 4; g++) {
                int source = g & 1, target = g >> 1;
                unsigned btype = kind == BLR ? 2 : kind == RETURN ? 0 : kind == BR && source ? 3 : 1;
                if (kind == RETURN && pads[i] != BTI) continue; /* it would come back here for ever */
                one(kind, source, pads[i], target, btype, !target || !btype || takes[i] >> btype & 1);
            }
    return bad;
}
