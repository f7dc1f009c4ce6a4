/*
 * diff_run.c: an AArch64 Linux program that executes single instructions in random states and prints what changed. Run under
 * two emulators, its outputs are compared (diff.sh). Input lines: "row hexword" or "name hexword,hexword,..." for a sequence;
 * argument: states per line.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { BUF = 256 * 1024, SLOTS = 16 };
struct state {
    uint64_t x[31], sp, nzcv, fpcr, fpsr, pad;
    uint64_t v[32][2];
};
struct state st_in __attribute__((aligned(16))), st_out __attribute__((aligned(16)));
uint64_t saved[2];
static uint8_t buf[BUF] __attribute__((aligned(4096))), shadow[BUF];
static sigjmp_buf back;
static ucontext_t fault;
void run(void);
extern uint32_t slot[];

__asm__(
    ".pushsection .slot, \"awx\"\n .balign 4096\n"
    ".global slot\nslot: .rept 16\n nop\n .endr\n"
    " msr tpidr_el0, x30\n adrp x30, st_out\n add x30, x30, :lo12:st_out\n"
    " stp x0, x1, [x30]\n stp x2, x3, [x30, #16]\n stp x4, x5, [x30, #32]\n stp x6, x7, [x30, #48]\n"
    " stp x8, x9, [x30, #64]\n stp x10, x11, [x30, #80]\n stp x12, x13, [x30, #96]\n stp x14, x15, [x30, #112]\n"
    " stp x16, x17, [x30, #128]\n stp x18, x19, [x30, #144]\n stp x20, x21, [x30, #160]\n stp x22, x23, [x30, #176]\n"
    " stp x24, x25, [x30, #192]\n stp x26, x27, [x30, #208]\n stp x28, x29, [x30, #224]\n"
    " mrs x0, tpidr_el0\n mov x1, sp\n stp x0, x1, [x30, #240]\n"
    " mrs x0, nzcv\n mrs x1, fpcr\n stp x0, x1, [x30, #256]\n mrs x0, fpsr\n str x0, [x30, #272]\n"
    " add x1, x30, #288\n"
    " st1 {v0.2d-v3.2d}, [x1], #64\n st1 {v4.2d-v7.2d}, [x1], #64\n st1 {v8.2d-v11.2d}, [x1], #64\n"
    " st1 {v12.2d-v15.2d}, [x1], #64\n st1 {v16.2d-v19.2d}, [x1], #64\n st1 {v20.2d-v23.2d}, [x1], #64\n"
    " st1 {v24.2d-v27.2d}, [x1], #64\n st1 {v28.2d-v31.2d}, [x1], #64\n"
    " adrp x2, saved\n add x2, x2, :lo12:saved\n ldp x0, x1, [x2]\n mov sp, x0\n msr tpidr_el0, x1\n msr fpcr, xzr\n"
    " ldp d8, d9, [sp]\n ldp d10, d11, [sp, #16]\n ldp d12, d13, [sp, #32]\n ldp d14, d15, [sp, #48]\n"
    " ldp x19, x20, [sp, #64]\n ldp x21, x22, [sp, #80]\n ldp x23, x24, [sp, #96]\n ldp x25, x26, [sp, #112]\n"
    " ldp x27, x28, [sp, #128]\n ldp x29, x30, [sp, #144]\n add sp, sp, #160\n ret\n"
    ".popsection\n"
    ".global run\nrun: sub sp, sp, #160\n"
    " stp d8, d9, [sp]\n stp d10, d11, [sp, #16]\n stp d12, d13, [sp, #32]\n stp d14, d15, [sp, #48]\n"
    " stp x19, x20, [sp, #64]\n stp x21, x22, [sp, #80]\n stp x23, x24, [sp, #96]\n stp x25, x26, [sp, #112]\n"
    " stp x27, x28, [sp, #128]\n stp x29, x30, [sp, #144]\n"
    " mov x0, sp\n mrs x1, tpidr_el0\n adrp x2, saved\n add x2, x2, :lo12:saved\n stp x0, x1, [x2]\n"
    " adrp x30, st_in\n add x30, x30, :lo12:st_in\n"
    " add x1, x30, #288\n"
    " ld1 {v0.2d-v3.2d}, [x1], #64\n ld1 {v4.2d-v7.2d}, [x1], #64\n ld1 {v8.2d-v11.2d}, [x1], #64\n"
    " ld1 {v12.2d-v15.2d}, [x1], #64\n ld1 {v16.2d-v19.2d}, [x1], #64\n ld1 {v20.2d-v23.2d}, [x1], #64\n"
    " ld1 {v24.2d-v27.2d}, [x1], #64\n ld1 {v28.2d-v31.2d}, [x1], #64\n"
    " ldr x0, [x30, #248]\n mov sp, x0\n ldp x0, x1, [x30, #256]\n msr nzcv, x0\n msr fpcr, x1\n ldr x0, [x30, #272]\n msr fpsr, x0\n"
    " ldp x0, x1, [x30]\n ldp x2, x3, [x30, #16]\n ldp x4, x5, [x30, #32]\n ldp x6, x7, [x30, #48]\n"
    " ldp x8, x9, [x30, #64]\n ldp x10, x11, [x30, #80]\n ldp x12, x13, [x30, #96]\n ldp x14, x15, [x30, #112]\n"
    " ldp x16, x17, [x30, #128]\n ldp x18, x19, [x30, #144]\n ldp x20, x21, [x30, #160]\n ldp x22, x23, [x30, #176]\n"
    " ldp x24, x25, [x30, #192]\n ldp x26, x27, [x30, #208]\n ldp x28, x29, [x30, #224]\n ldr x30, [x30, #240]\n"
    " b slot\n");

static void on_signal(int sig, siginfo_t *si, void *uc)
{
    (void)si;
    memcpy(&fault, uc, sizeof fault);
    siglongjmp(back, sig);
}

#include "../diff_values.h"

static void make_state(const uint32_t *code, unsigned n)
{
    static const uint32_t fpcr[] = { 0, 0, 0, 0, 1 << 22, 2 << 22, 3 << 22, 1 << 25, 1 << 24, 1 << 24 | 1 << 25, 1 << 19, 1 << 26 };
    uint32_t insn = code[0]; /* loads and stores come alone */
    int vregs = 0;

    for (unsigned i = 0; i < n; i++) vregs |= (code[i] >> 26 & 1) && (code[i] >> 25 & 1);

    for (unsigned i = 0; i < 31; i++) st_in.x[i] = interesting();
    for (unsigned i = 0; i < 64; i++) st_in.v[i / 2][i & 1] = interesting();
    st_in.sp = (uint64_t)buf + BUF / 2 + 256;
    st_in.nzcv = rnd() & 0xf0000000;
    st_in.fpcr = !vregs ? 0 : rnd() & 1 ? fpcr[rnd() % (sizeof fpcr / sizeof *fpcr)] : rnd() & 0x07c80000; /* all combinations */
    st_in.fpsr = 0;
    if ((insn & 0x0a000000) == 0x08000000) { /* loads and stores */
        unsigned rn = insn >> 5 & 31, rm = insn >> 16 & 31;
        if (rm != 31) st_in.x[rm] = rnd() % 64 * (rnd() & 1 ? 1 : 0xffffffffffffffff);
        if (rn != 31) st_in.x[rn] = (uint64_t)buf + BUF / 2 + (rnd() & 0xff0);
    }
    if ((insn & 0xfff80000) == 0xd5080000) st_in.x[insn & 31] = (uint64_t)buf + BUF / 2 + (rnd() & 0xfff);
}

/* A pair of equal registers, or a base that is written back and transferred: the manual leaves it open. */
static int unpredictable(uint32_t insn)
{
    unsigned rt = insn & 31, rn = insn >> 5 & 31, rt2 = insn >> 10 & 31;
    if ((insn & 0xfff8001f) == 0xd508001f) return 1; /* maintenance of address 0: this qemu does not look at it */
    if ((insn & 0x3a000000) == 0x28000000)
        return rt == rt2 || ((insn >> 23 & 1) && !(insn >> 26 & 1) && rn != 31 && (rn == rt || rn == rt2));
    return (insn & 0x3f200400) == 0x38000400 && rn == rt && rn != 31;
}

static void compare(const struct state *a, const struct state *b)
{
    for (unsigned i = 0; i < 31; i++)
        if (a->x[i] != b->x[i]) printf(" x%u=%016llx", i, (unsigned long long)b->x[i]);
    if (a->sp != b->sp) printf(" sp=%016llx", (unsigned long long)b->sp);
    if (a->nzcv != b->nzcv) printf(" nzcv=%x", (unsigned)(b->nzcv >> 28));
    if (a->fpcr != b->fpcr) printf(" fpcr=%08x", (unsigned)b->fpcr);
    if (a->fpsr != b->fpsr) printf(" fpsr=%08x", (unsigned)b->fpsr);
    for (unsigned i = 0; i < 32; i++)
        if (a->v[i][0] != b->v[i][0] || a->v[i][1] != b->v[i][1])
            printf(" v%u=%016llx_%016llx", i, (unsigned long long)b->v[i][1], (unsigned long long)b->v[i][0]);
}

static void one(const char *name, const uint32_t *code, unsigned n, unsigned k)
{
    int sig;

    seed = (uint64_t)code[0] * 0x9e3779b97f4a7c15ull + k * 77777 + 1;
    rnd(), rnd();
    make_state(code, n);
    printf("%s %08x/%u:", name, code[0], k);
    for (unsigned i = 1; i < n; i++) printf("%s%08x", i == 1 ? " " : ",", code[i]);
    memset(&st_out, 0, sizeof st_out);
    if (!(sig = sigsetjmp(back, 1))) {
        run();
        compare(&st_in, &st_out);
    } else {
        printf(" signal %d", sig);
        st_out = st_in;
        memcpy(st_out.x, fault.uc_mcontext.regs, sizeof st_out.x);
        st_out.sp = fault.uc_mcontext.sp;
        st_out.nzcv = fault.uc_mcontext.pstate & 0xf0000000;
        if (fault.uc_mcontext.pc != (uint64_t)slot) printf(" pc=slot%+lld", (long long)(fault.uc_mcontext.pc - (uint64_t)slot));
        compare(&st_in, &st_out);
        __asm__ volatile("msr fpcr, xzr");
    }
    if (memcmp(buf, shadow, BUF))
        for (unsigned i = 0; i < BUF; i++)
            if (buf[i] != shadow[i]) {
                printf(" m%x=%02x", i, buf[i]);
                buf[i] = shadow[i];
            }
    printf("\n");
}

int main(int argc, char **argv)
{
    unsigned states = argc > 1 ? (unsigned)atoi(argv[1]) : 3;
    struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };
    stack_t ss = { .ss_sp = malloc(65536), .ss_size = 65536 };
    static char name[64], hex[512];

    mprotect(slot, 8192, PROT_READ | PROT_WRITE | PROT_EXEC);
    sigaltstack(&ss, NULL);
    sigaction(SIGILL, &sa, NULL), sigaction(SIGSEGV, &sa, NULL), sigaction(SIGBUS, &sa, NULL), sigaction(SIGTRAP, &sa, NULL);
    seed = 12345;
    for (unsigned i = 0; i < BUF; i++) buf[i] = shadow[i] = (uint8_t)rnd();
    while (scanf("%63s %511s", name, hex) == 2) {
        uint32_t code[SLOTS];
        unsigned n = 0;
        for (char *h = strtok(hex, ","); h && n < SLOTS; h = strtok(NULL, ",")) code[n++] = (uint32_t)strtoul(h, NULL, 16);
        if (!n || (n == 1 && unpredictable(code[0]))) continue;
        for (unsigned i = 0; i < SLOTS; i++) slot[i] = i < n ? code[i] : 0xd503201f;
        __builtin___clear_cache((char *)slot, (char *)(slot + SLOTS));
        for (unsigned k = 0; k < states; k++) one(name, code, n, k);
    }
    return 0;
}
