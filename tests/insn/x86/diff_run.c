/*
 * diff_run.c: a Linux program that executes single instructions in random states and prints what changed; for x86-64 and, with -m32, i386.
 * Run on the processor itself and under the emulator, its outputs are compared (diff.sh). Freestanding and without SSE of its own
 * (-nostdlib -mgeneral-regs-only), so that it runs early. Input: lines of diff_gen. Arguments: states per line; "v": vector registers, too; "y": YMM.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { BUF = 64 * 1024, MID = BUF / 2, LINE = 512, WINDOW = 4096 /* what is compared around MID */ };
#define BUF_AT 0x20000000ul
#ifdef __x86_64__
enum { NREGS = 16, NVEC = 16, SYS_READ = 0, SYS_WRITE = 1, SYS_MMAP = 9, SYS_MPROTECT = 10, SYS_SIGACTION = 13, SYS_ALTSTACK = 131, SYS_EXIT = 60 };
static long sys(long n, long a, long b, long c, long d, long e, long f)
{
    long r;
    register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
    __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return r;
}
static const int greg[NREGS] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, REG_R8, REG_R9, REG_R10, REG_R11,
                                 REG_R12, REG_R13, REG_R14, REG_R15 };
#define GREG_IP REG_RIP
#define GREG_FL REG_EFL
typedef uint64_t word;
#else
enum { NREGS = 8, NVEC = 8, SYS_READ = 3, SYS_WRITE = 4, SYS_MMAP = 192, SYS_MPROTECT = 125, SYS_SIGACTION = 174, SYS_ALTSTACK = 186, SYS_EXIT = 1 };
static long sys(long n, long a, long b, long c, long d, long e, long f)
{
    long r, args[2] = { n, f };
    __asm__ volatile("push %%ebp; mov 4(%1), %%ebp; mov (%1), %%eax; int $0x80; pop %%ebp"
                     : "=a"(r) : "a"(args), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
    return r;
}
static const int greg[NREGS] = { REG_EAX, REG_ECX, REG_EDX, REG_EBX, REG_ESP, REG_EBP, REG_ESI, REG_EDI };
#define GREG_IP REG_EIP
#define GREG_FL REG_EFL
typedef uint32_t word;
#endif

struct state {
    word r[NREGS], flags;
    uint32_t mxcsr, pad;
    uint64_t v[NVEC][2] __attribute__((aligned(16)));
};
struct state st_in, st_out;
uint64_t y_in[NVEC][2], y_out[NVEC][2]; /* bits 255:128 */
word host_sp, use_vec;
void run(void);
extern uint8_t slot[], slot_end[];
uint8_t stack[65536] __attribute__((aligned(64))), altstack[65536] __attribute__((aligned(64)));
static uint8_t shadow[BUF];
static volatile int caught;
static word fault_ip;

/* Upper halves of YMM registers n. */
#define LOAD_Y(n)  " vinsertf128 $1, y_in+" #n "*16" IP ", %ymm" #n ", %ymm" #n "\n"
#define STORE_Y(n) " vextractf128 $1, %ymm" #n ", y_out+" #n "*16" IP "\n"
#define Y_LOW(M)   M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7)
#define Y_HIGH(M)  M(8) M(9) M(10) M(11) M(12) M(13) M(14) M(15)
#ifdef __x86_64__
#define IP "(%rip)"
__asm__(".pushsection .slot, \"awx\"\n .balign 4096\n"
    ".global run\nrun: push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n mov %rsp, host_sp" IP "\n"
    " cmpq $0, use_vec" IP "\n je 1f\n ldmxcsr st_in+136" IP "\n"
    " movdqu st_in+144" IP ", %xmm0\n movdqu st_in+160" IP ", %xmm1\n movdqu st_in+176" IP ", %xmm2\n movdqu st_in+192" IP ", %xmm3\n"
    " movdqu st_in+208" IP ", %xmm4\n movdqu st_in+224" IP ", %xmm5\n movdqu st_in+240" IP ", %xmm6\n movdqu st_in+256" IP ", %xmm7\n"
    " movdqu st_in+272" IP ", %xmm8\n movdqu st_in+288" IP ", %xmm9\n movdqu st_in+304" IP ", %xmm10\n movdqu st_in+320" IP ", %xmm11\n"
    " movdqu st_in+336" IP ", %xmm12\n movdqu st_in+352" IP ", %xmm13\n movdqu st_in+368" IP ", %xmm14\n movdqu st_in+384" IP ", %xmm15\n"
    " cmpq $2, use_vec" IP "\n jne 1f\n" Y_LOW(LOAD_Y) Y_HIGH(LOAD_Y)
    "1: push st_in+128" IP "\n popf\n"
    " mov st_in" IP ", %rax\n mov st_in+8" IP ", %rcx\n mov st_in+16" IP ", %rdx\n mov st_in+24" IP ", %rbx\n mov st_in+32" IP ", %rsp\n"
    " mov st_in+40" IP ", %rbp\n mov st_in+48" IP ", %rsi\n mov st_in+56" IP ", %rdi\n mov st_in+64" IP ", %r8\n mov st_in+72" IP ", %r9\n"
    " mov st_in+80" IP ", %r10\n mov st_in+88" IP ", %r11\n mov st_in+96" IP ", %r12\n mov st_in+104" IP ", %r13\n"
    " mov st_in+112" IP ", %r14\n mov st_in+120" IP ", %r15\n"
    ".global slot, slot_end\nslot: .fill 128, 1, 0x90\nslot_end:\n"
    " mov %rax, st_out" IP "\n mov %rcx, st_out+8" IP "\n mov %rdx, st_out+16" IP "\n mov %rbx, st_out+24" IP "\n mov %rsp, st_out+32" IP "\n"
    " mov %rbp, st_out+40" IP "\n mov %rsi, st_out+48" IP "\n mov %rdi, st_out+56" IP "\n mov %r8, st_out+64" IP "\n mov %r9, st_out+72" IP "\n"
    " mov %r10, st_out+80" IP "\n mov %r11, st_out+88" IP "\n mov %r12, st_out+96" IP "\n mov %r13, st_out+104" IP "\n"
    " mov %r14, st_out+112" IP "\n mov %r15, st_out+120" IP "\n mov host_sp" IP ", %rsp\n pushf\n pop st_out+128" IP "\n cld\n"
    " cmpq $0, use_vec" IP "\n je 1f\n stmxcsr st_out+136" IP "\n"
    " movdqu %xmm0, st_out+144" IP "\n movdqu %xmm1, st_out+160" IP "\n movdqu %xmm2, st_out+176" IP "\n movdqu %xmm3, st_out+192" IP "\n"
    " movdqu %xmm4, st_out+208" IP "\n movdqu %xmm5, st_out+224" IP "\n movdqu %xmm6, st_out+240" IP "\n movdqu %xmm7, st_out+256" IP "\n"
    " movdqu %xmm8, st_out+272" IP "\n movdqu %xmm9, st_out+288" IP "\n movdqu %xmm10, st_out+304" IP "\n movdqu %xmm11, st_out+320" IP "\n"
    " movdqu %xmm12, st_out+336" IP "\n movdqu %xmm13, st_out+352" IP "\n movdqu %xmm14, st_out+368" IP "\n movdqu %xmm15, st_out+384" IP "\n"
    " cmpq $2, use_vec" IP "\n jne 1f\n" Y_LOW(STORE_Y) Y_HIGH(STORE_Y)
    "1: pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n ret\n"
    ".global restorer\nrestorer: mov $15, %eax\n syscall\n"
    ".popsection\n.global _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call start\n");
#else
#define IP ""
__asm__(".pushsection .slot, \"awx\"\n .balign 4096\n"
    ".global run\nrun: push %ebx; push %ebp; push %esi; push %edi\n mov %esp, host_sp\n"
    " cmpl $0, use_vec\n je 1f\n ldmxcsr st_in+36\n"
    " movdqu st_in+48, %xmm0\n movdqu st_in+64, %xmm1\n movdqu st_in+80, %xmm2\n movdqu st_in+96, %xmm3\n"
    " movdqu st_in+112, %xmm4\n movdqu st_in+128, %xmm5\n movdqu st_in+144, %xmm6\n movdqu st_in+160, %xmm7\n"
    " cmpl $2, use_vec\n jne 1f\n" Y_LOW(LOAD_Y)
    "1: pushl st_in+32\n popf\n"
    " mov st_in, %eax\n mov st_in+4, %ecx\n mov st_in+8, %edx\n mov st_in+12, %ebx\n mov st_in+16, %esp\n"
    " mov st_in+20, %ebp\n mov st_in+24, %esi\n mov st_in+28, %edi\n"
    ".global slot, slot_end\nslot: .fill 128, 1, 0x90\nslot_end:\n"
    " mov %eax, st_out\n mov %ecx, st_out+4\n mov %edx, st_out+8\n mov %ebx, st_out+12\n mov %esp, st_out+16\n"
    " mov %ebp, st_out+20\n mov %esi, st_out+24\n mov %edi, st_out+28\n mov host_sp, %esp\n pushf\n popl st_out+32\n cld\n"
    " cmpl $0, use_vec\n je 1f\n stmxcsr st_out+36\n"
    " movdqu %xmm0, st_out+48\n movdqu %xmm1, st_out+64\n movdqu %xmm2, st_out+80\n movdqu %xmm3, st_out+96\n"
    " movdqu %xmm4, st_out+112\n movdqu %xmm5, st_out+128\n movdqu %xmm6, st_out+144\n movdqu %xmm7, st_out+160\n"
    " cmpl $2, use_vec\n jne 1f\n" Y_LOW(STORE_Y)
    "1: pop %edi; pop %esi; pop %ebp; pop %ebx\n ret\n"
    ".global restorer\nrestorer: mov $173, %eax\n int $0x80\n"
    ".popsection\n.global _start\n_start: mov %esp, %eax\n and $-16, %esp\n push %eax\n push %eax\n push %eax\n push %eax\n call start\n");
#endif

void restorer(void);

/* -- text ------------------------------------------------------------------------------------------------------------------- */
static char out[65536];
static unsigned nout;
static void flush(void)
{
    for (unsigned at = 0; at < nout;) {
        long n = sys(SYS_WRITE, 1, (long)(out + at), nout - at, 0, 0, 0);
        if (n <= 0) break;
        at += (unsigned)n;
    }
    nout = 0;
}
static void text(const char *s)
{
    if (nout > sizeof out - 1024) flush();
    while (*s) out[nout++] = *s++;
}
static void hex(uint64_t v, unsigned digits)
{
    char b[17];
    b[digits] = 0;
    for (unsigned i = digits; i-- > 0; v >>= 4) b[i] = "0123456789abcdef"[v & 15];
    text(b);
}
static void dec(unsigned v)
{
    char b[12], *p = b + 11;
    *p = 0;
    do *--p = (char)('0' + v % 10);
    while (v /= 10);
    text(p);
}

static char in[65536];
static long nin, at_in;
static int get(void)
{
    if (at_in == nin) {
        nin = sys(SYS_READ, 0, (long)in, sizeof in, 0, 0, 0);
        at_in = 0;
        if (nin <= 0) return -1;
    }
    return (uint8_t)in[at_in++];
}
static int word_in(char *buf, unsigned size)
{
    unsigned n = 0;
    int c = get();
    while (c == ' ' || c == '\n') c = get();
    for (; c > ' '; c = get())
        if (n + 1 < size) buf[n++] = (char)c;
    buf[n] = 0;
    return n != 0;
}
static int64_t number_in(int base)
{
    char b[32], *p = b;
    int64_t v = 0;
    if (!word_in(b, sizeof b)) return 0;
    if (*p == '-') p++;
    for (; *p; p++) v = v * base + (*p <= '9' ? *p - '0' : *p - 'a' + 10);
    return *b == '-' ? -v : v;
}

/* -- states ----------------------------------------------------------------------------------------------------------------- */
#include "../diff_values.h"

struct insn {
    char name[40];
    uint8_t code[128];
    unsigned len, undefined;
    int base, index, bit, flags;
    unsigned scale;
    int64_t disp;
};
enum { STRING = 1, REP = 2, FRAME = 4, SMALL = 8, VECTOR_INDEX = 16, QUAD_INDEX = 32, RCX = 1, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7 };

static word somewhere(void)
{
    return (word)(BUF_AT + MID + (rnd() & (rnd() & 1 ? 0xf0 : 0xff)));
}

static void make_state(const struct insn *f)
{
    static const uint16_t rc[] = { 0, 0, 0, 0, 1, 2, 3 };
    for (unsigned i = 0; i < NREGS; i++) st_in.r[i] = (word)interesting();
    for (unsigned i = 0; i < NVEC; i++) st_in.v[i][0] = interesting(), st_in.v[i][1] = interesting();
    for (unsigned i = 0; i < NVEC; i++) y_in[i][0] = interesting(), y_in[i][1] = interesting();
    st_in.mxcsr = 0x1f80 | (uint32_t)rc[rnd() % 7] << 13 | (rnd() & 7 ? 0 : 0x8000) | (rnd() & 7 ? 0 : 0x40); /* rounding, FTZ, DAZ */
    st_in.flags = 0x202 | (rnd() & 0x8d5) | (f->flags & STRING && !(rnd() & 3) ? 0x400 : 0);
    st_in.r[RSP] = (word)(BUF_AT + MID + 256 + (rnd() & 0xf8));
    if (f->flags & STRING) {
        st_in.r[RSI] = somewhere(), st_in.r[RDI] = somewhere();
        if (f->flags & REP) st_in.r[RCX] = rnd() % 40;
    }
    if (f->flags & FRAME) st_in.r[RBP] = somewhere(), st_in.r[RBX] = somewhere();
    if (f->flags & SMALL) st_in.r[RCX] = rnd() % 17;
    if (f->flags & VECTOR_INDEX) {
        uint64_t mask = f->flags & QUAD_INDEX ? 15 : 0x0000000f0000000full;
        for (unsigned i = 0; i < 2; i++) st_in.v[f->index][i] = rnd() & mask, y_in[f->index][i] = rnd() & mask;
    } else if (f->index >= 0 && f->index != RSP) st_in.r[f->index] = f->flags & SMALL && f->index == RCX ? st_in.r[RCX] : rnd() % 16;
    if (f->base >= 0) {
        word index = f->index >= 0 && !(f->flags & VECTOR_INDEX) ? st_in.r[f->index] << f->scale : 0;
        st_in.r[f->base] = somewhere() - (word)f->disp - index;
    }
    if (f->bit >= 0 && f->bit != f->base && f->bit != f->index) st_in.r[f->bit] = (word)((int64_t)(rnd() % 4096) - 2048);
}

static void copy(void *to, const void *from, unsigned n)
{
    for (unsigned i = 0; i < n; i++) ((volatile uint8_t *)to)[i] = ((const uint8_t *)from)[i];
}
void *memcpy(void *to, const void *from, unsigned long n);
void *memcpy(void *to, const void *from, unsigned long n)
{
    copy(to, from, (unsigned)n);
    return to;
}
void *memset(void *to, int c, unsigned long n);
void *memset(void *to, int c, unsigned long n)
{
    for (unsigned long i = 0; i < n; i++) ((volatile uint8_t *)to)[i] = (uint8_t)c;
    return to;
}

static const uint32_t *xmm_of(const ucontext_t *uc)
{
    const uint8_t *fp = (const uint8_t *)uc->uc_mcontext.fpregs;
#ifndef __x86_64__
    fp += 112;
#endif
    return (const uint32_t *)(fp + 160);
}

/* Goes on behind the slot, with what the instruction left in st_out. */
static void on_signal(int sig, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;
    (void)si;
    caught = sig;
    fault_ip = (word)uc->uc_mcontext.gregs[GREG_IP];
    for (unsigned i = 0; i < NREGS; i++) st_out.r[i] = (word)uc->uc_mcontext.gregs[greg[i]];
    st_out.flags = (word)uc->uc_mcontext.gregs[GREG_FL];
    if (use_vec) copy(st_out.v, xmm_of(uc), sizeof st_out.v), st_out.mxcsr = xmm_of(uc)[-34];
    /* registers are stored again at slot_end: hand it what is there now */
    uc->uc_mcontext.gregs[GREG_IP] = (greg_t)(uintptr_t)slot_end;
}

static void compare(const struct insn *f)
{
    static const char *const names[] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15" };
    for (unsigned i = 0; i < NREGS; i++)
        if (st_in.r[i] != st_out.r[i]) text(" "), text(names[i]), text("="), hex(st_out.r[i], 2 * sizeof(word));
    word fl = (st_in.flags ^ st_out.flags) & ~(word)(f->undefined | 0x10000);
    if (fl) text(" fl^"), hex(fl, 6);
    if (!use_vec) return;
    if (st_in.mxcsr != st_out.mxcsr) text(" mxcsr="), hex(st_out.mxcsr, 4);
    for (unsigned i = 0; i < NVEC; i++)
        if (st_in.v[i][0] != st_out.v[i][0] || st_in.v[i][1] != st_out.v[i][1])
            text(" xmm"), dec(i), text("="), hex(st_out.v[i][1], 16), text("_"), hex(st_out.v[i][0], 16);
    for (unsigned i = 0; use_vec == 2 && i < NVEC; i++)
        if (y_in[i][0] != y_out[i][0] || y_in[i][1] != y_out[i][1])
            text(" ymmh"), dec(i), text("="), hex(y_out[i][1], 16), text("_"), hex(y_out[i][0], 16);
}

static void compare_memory(void)
{
    uint8_t *buf = (uint8_t *)BUF_AT;
    for (unsigned i = MID - WINDOW; i < MID + WINDOW; i++)
        if (buf[i] != shadow[i]) {
            text(" m"), hex(i, 4), text("="), hex(buf[i], 2);
            buf[i] = shadow[i];
        }
}

static void one(const struct insn *f, unsigned k)
{
    seed = 0x9e3779b97f4a7c15ull * (k + 1);
    for (unsigned i = 0; i < f->len; i++) seed = (seed ^ f->code[i]) * 0x100000001b3ull;
    rnd(), rnd();
    make_state(f);
    text(f->name), text(" ");
    for (unsigned i = 0; i < f->len; i++) hex(f->code[i], 2);
    text("/"), dec(k), text(":");
    caught = 0;
    run();
    if (caught) {
        text(" signal "), dec((unsigned)caught);
        if (fault_ip != (word)(uintptr_t)slot) text(" ip+"), hex(fault_ip - (word)(uintptr_t)slot, 4);
    }
    compare(f);
    compare_memory();
    text("\n");
}

static void handle(int sig)
{
    struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } sa = {
        (void *)(uintptr_t)on_signal, SA_SIGINFO | SA_ONSTACK | SA_NODEFER | 0x04000000, (void *)(uintptr_t)restorer, 0 };
    sys(SYS_SIGACTION, sig, (long)&sa, 0, 8, 0, 0);
}

__attribute__((force_align_arg_pointer, used)) void start(word *sp);
void start(word *sp)
{
    int argc = (int)sp[0];
    char **argv = (char **)(sp + 1);
    unsigned states = argc > 1 ? (unsigned)(argv[1][0] - '0') : 3;
    stack_t ss = { .ss_sp = altstack, .ss_size = sizeof altstack };
    static const int signals[] = { SIGILL, SIGSEGV, SIGBUS, SIGTRAP, SIGFPE };
    static struct insn f;
    static char bytes[300];

    use_vec = argc > 2 ? argv[2][0] == 'y' ? 2 : 1 : 0;
    sys(SYS_MMAP, BUF_AT, BUF, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    sys(SYS_MPROTECT, (long)slot & -4096, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, 0, 0, 0);
    sys(SYS_ALTSTACK, (long)&ss, 0, 0, 0, 0, 0);
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) handle(signals[i]);
    seed = 12345;
    for (unsigned i = 0; i < BUF; i++) ((uint8_t *)BUF_AT)[i] = shadow[i] = (uint8_t)rnd();
    while (word_in(f.name, sizeof f.name) && word_in(bytes, sizeof bytes)) {
        for (f.len = 0; bytes[2 * f.len] && f.len < 120; f.len++) {
            unsigned v = 0;
            for (unsigned i = 0; i < 2; i++) {
                char c = bytes[2 * f.len + i];
                v = v * 16 + (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
            }
            f.code[f.len] = (uint8_t)v;
        }
        f.undefined = (unsigned)number_in(16);
        f.base = (int)number_in(10), f.index = (int)number_in(10), f.scale = (unsigned)number_in(10);
        f.disp = number_in(10);
        f.bit = (int)number_in(10), f.flags = (int)number_in(10);
        for (unsigned i = 0; i < 128; i++) slot[i] = i < f.len ? f.code[i] : 0x90;
        for (unsigned k = 0; k < states; k++) one(&f, k);
    }
    flush();
    sys(SYS_EXIT, 0, 0, 0, 0, 0, 0);
}
