/*
 * user.c: what random instructions do not reach: faults in the middle of string instructions, atomics across cache lines, address wrap,
 * far transfers, flags as a whole, self-modifying code. The processor itself passes it, too. i386 and x86-64.
 * cflags: -pthread -w
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static int bad;
#define CHECK(c) ((c) ? (void)0 : (void)(bad = 1, printf("line %d: %s\n", __LINE__, #c)))
#ifdef __x86_64__
#define G(n) REG_R##n
#define AX "rax"
#else
#define G(n) REG_E##n
#endif
static volatile greg_t at_cx, at_si, at_di, at_ip, trap_no;
static volatile int sig_seen;
static uint8_t *guard; /* its page becomes accessible in the handler */
static int open_up, skip_bytes;

static void handler(int sig, siginfo_t *si, void *context)
{
    greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;
    sig_seen = sig;
    at_cx = g[G(CX)], at_si = g[G(SI)], at_di = g[G(DI)], at_ip = g[G(IP)], trap_no = g[REG_TRAPNO];
    if (open_up) mprotect(guard, 4096, PROT_READ | PROT_WRITE);
    g[G(IP)] += skip_bytes;
    (void)si;
}

static void strings(void)
{
    uint8_t *p = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *from = p, *to = p + 4096 + 4096 - 100;
    guard = p + 2 * 4096;
    for (int i = 0; i < 4096; i++) from[i] = (uint8_t)(i * 7);
    mprotect(guard, 4096, PROT_NONE);
    /* faults behind 25 words of 4 bytes, and goes on when the handler has opened the page */
    open_up = 1, sig_seen = 0;
    unsigned long c = 60;
    uint8_t *d = to, *s = from;
    __asm__ volatile("rep movsl" : "+c"(c), "+D"(d), "+S"(s) : : "memory");
    CHECK(sig_seen == SIGSEGV && at_cx == 35 && at_di == (greg_t)(uintptr_t)guard && at_si == (greg_t)(uintptr_t)(from + 100));
    CHECK(c == 0 && d == to + 240 && !memcmp(to, from, 240));
    CHECK(trap_no == 14);
    /* an overlap that repeats a pattern, and downwards */
    memcpy(from, "abc", 3);
    c = 30, s = from, d = from + 3;
    __asm__ volatile("rep movsb" : "+c"(c), "+D"(d), "+S"(s) : : "memory");
    CHECK(!memcmp(from, "abcabcabcabcabcabcabcabcabcabcabc", 33));
    c = 10, s = from + 9, d = from + 11;
    __asm__ volatile("std; rep movsb; cld" : "+c"(c), "+D"(d), "+S"(s) : : "memory");
    CHECK(!memcmp(from + 2, "abcabcabca", 10) && d == from + 1);
    c = 5000;
    d = p + 4000;
    __asm__ volatile("rep stosb" : "+c"(c), "+D"(d) : "a"(0x5a) : "memory");
    CHECK(p[4000] == 0x5a && p[8999] == 0x5a && c == 0);
    /* the end of a string; flags of the last element; nothing at all with count 0 */
    uint8_t found, below;
    p[4500] = 0;
    c = -1ul, d = p + 4000;
    __asm__ volatile("repne scasb; sete %0" : "=q"(found), "+c"(c), "+D"(d) : "a"(0) : "cc", "memory");
    CHECK(found && d == p + 4501 && c == (unsigned long)-502);
    c = 0;
    __asm__ volatile("stc; repe cmpsb; setc %0; sete %1" : "=q"(below), "=q"(found), "+c"(c), "+D"(d), "+S"(s) : : "cc", "memory");
    CHECK(below);
    munmap(p, 3 * 4096);
}

static uint8_t lines[256] __attribute__((aligned(128)));
static void *count(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        __asm__ volatile("lock incl %0" : "+m"(*(uint32_t *)(lines + 62)) : : "memory", "cc"); /* two cache lines */
        __asm__ volatile("lock xaddw %w1, %0" : "+m"(*(uint16_t *)(lines + 127)), "+r"(*(short *)arg) : : "memory", "cc");
        uint32_t old = *(volatile uint32_t *)(lines + 190), next;
        do next = old + 3;
        while (({ uint8_t ok; __asm__ volatile("lock cmpxchgl %3, %1; sete %2" : "+a"(old), "+m"(*(uint32_t *)(lines + 190)), "=q"(ok) : "r"(next) : "memory", "cc"); !ok; }));
        __asm__ volatile("lock negl %0" : "+m"(*(uint32_t *)(lines + 10)) : : "memory", "cc");
    }
    return NULL;
}
static void atomics(void)
{
    pthread_t t[4];
    short ones[4] = { 1, 1, 1, 1 };
    *(uint32_t *)(lines + 10) = 5;
    for (int i = 0; i < 4; i++) pthread_create(&t[i], NULL, count, &ones[i]);
    for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
    CHECK(*(uint32_t *)(lines + 62) == 80000 && *(uint32_t *)(lines + 190) == 240000 && *(uint32_t *)(lines + 10) == 5);
}

static void flags(void)
{
    unsigned long f, g;
    __asm__ volatile("push %1; popf; pushf; pop %0; cld" : "=r"(f) : "r"(0x200cd5ul) : "cc");
    CHECK((f & 0x203fff) == 0x200ed7); /* ID is the program's, IF and IOPL are not */
    __asm__ volatile("push %1; popf; pushf; pop %0" : "=r"(g) : "r"(0x3000ul) : "cc");
    CHECK((g & 0x203fff) == 0x202);
    uint8_t ah;
    __asm__ volatile("mov $0xd5, %%ah; sahf; lahf; mov %%ah, %0" : "=q"(ah) : : "eax", "cc");
    CHECK(ah == 0xd7);
}

static void division(void)
{
    unsigned long a = 1, d = 0;
    sig_seen = 0, open_up = 0, skip_bytes = 2;
    __asm__ volatile("divl %2" : "+a"(a), "+d"(d) : "r"(0) : "cc"); /* f7 /6: two bytes */
    CHECK(sig_seen == SIGFPE && trap_no == 0);
    sig_seen = 0;
    a = 0x80000000, d = 0xffffffff;
    __asm__ volatile("idivl %2" : "+a"(a), "+d"(d) : "c"(-1) : "cc");
    CHECK(sig_seen == SIGFPE);
    skip_bytes = 0;
    sig_seen = 0;
    __asm__ volatile("int3");
    CHECK(sig_seen == SIGTRAP && trap_no == 3);
    sig_seen = 0, skip_bytes = 2;
    __asm__ volatile("ud2");
    CHECK(sig_seen == SIGILL && trap_no == 6);
    skip_bytes = 1, sig_seen = 0;
    __asm__ volatile("hlt");
    CHECK(sig_seen == SIGSEGV && trap_no == 13);
    skip_bytes = 0;
}

static void far_away(void)
{
#ifdef __x86_64__
    /* to 32-bit code and back, through a far return: it adds two numbers */
    static const uint8_t code32[] = { 0x01, 0xd8, 0xb9, 0xff, 0xff, 0xff, 0xff, 0x41, 0xcb }; /* add eax,ebx; mov ecx,-1; inc ecx; retf */
    uint8_t *low = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    static struct { uint32_t ip; uint16_t cs; } __attribute__((packed)) to;
    memcpy(low, code32, sizeof code32);
    to.ip = (uint32_t)(uintptr_t)low, to.cs = 0x23;
    uint64_t a = 0x1111111100000005, c = 7, sp = (uint64_t)low + 8192;
    /* the way back lies below 4 GiB, too: a trampoline of 64-bit code at low + 64 that returns to the caller */
    static const uint8_t back[] = { 0x4c, 0x89, 0xe4, 0xc3 }; /* mov rsp,r12; ret */
    memcpy(low + 64, back, sizeof back);
    ((uint32_t *)(low + 8192))[-1] = 0x33, ((uint32_t *)(low + 8192))[-2] = to.ip + 64;
    sp -= 8;
    __asm__ volatile("lea 1f(%%rip), %%r11\n push %%r11\n mov %%rsp, %%r12\n mov %2, %%rsp\n ljmpl *%3\n 1:"
                     : "+a"(a), "+c"(c) : "r"(sp), "m"(to), "b"(0xfffffffful) : "r11", "r12", "memory", "cc");
    CHECK(a == 4 && c == 0);
    munmap(low, 8192);
    unsigned long x = 3;
    __asm__ volatile("mov %%ss, %%r8\n mov %%rsp, %%r9\n push %%r8\n push %%r9\n pushf\n mov %%cs, %%r8\n push %%r8\n lea 1f(%%rip), %%r8\n push %%r8\n"
                     " iretq\n mov $9, %0\n 1:" : "+r"(x) : : "r8", "r9", "memory", "cc");
    CHECK(x == 3);
#else
    unsigned long x = 3;
    __asm__ volatile("pushf\n push %%cs\n push $1f\n iret\n mov $9, %0\n 1: lcall *%1\n jmp 3f\n 2: inc %0\n lret\n 3:" : "+r"(x)
                     : "m"(*({ static struct { uint32_t ip; uint16_t cs; } __attribute__((packed)) p; uint16_t cs;
                                __asm__("mov %%cs, %0" : "=r"(cs)); p.cs = cs; extern char far_target[]; p.ip = (uint32_t)(uintptr_t)far_target; &p; })) : "memory", "cc");
    CHECK(x == 4);
    /* addresses wrap at 4 GiB */
    static uint32_t word = 0x12345678;
    uint32_t v;
    __asm__("movl 8(%1), %0" : "=r"(v) : "r"((uintptr_t)&word - 8));
    CHECK(v == word);
    __asm__("movl 0x7fffffff(%1,%2,2), %0" : "=r"(v) : "r"((uintptr_t)&word - 0x7fffffffu - 0xfffffff0u), "r"(0xfffffff8u));
    CHECK(v == word);
#endif
}
#ifndef __x86_64__
__asm__(".globl far_target\nfar_target: inc %eax\n lret");
#endif

static void self_modifying(void)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    code[0] = 0xb8, code[5] = 0xc3; /* mov eax, imm32; ret */
    unsigned sum = 0;
    for (uint32_t i = 0; i < 200; i++) {
        memcpy(code + 1, &i, 4);
        sum += ((unsigned (*)(void))(uintptr_t)code)();
    }
    CHECK(sum == 199 * 100);
    munmap(code, 4096);
}

#ifdef __x86_64__
static int has_line(const char *path, const char *text)
{
    FILE *f = fopen(path, "r");
    char line[1024];
    int there = 0;
    while (fgets(line, sizeof line, f)) there |= strstr(line, text) != NULL;
    fclose(f);
    return there;
}
static void vsyscall(void)
{
    if (!has_line("/proc/self/maps", "[vsyscall]") && !has_line("/proc/cpuinfo", "Lyrebird")) return; /* a kernel without it */
    long now = time(NULL), t = ((long (*)(long *))0xffffffffff600400ul)(NULL);
    CHECK(t == now || t == now + 1);
}
#endif

/* RCPPS and RSQRTPS: within 1.5 * 2^-12 whatever MXCSR says, and without flags. */
__attribute__((target("sse2"))) static void approximations(void)
{
    static const unsigned mxcsr[] = { 0x1f80, 0x3f80, 0x5f80, 0x7f80, 0xffc0 }, usual = 0x1f80;
    for (unsigned i = 0; i < sizeof mxcsr / sizeof *mxcsr; i++)
        for (float x = 0x1.234567p-20f; x < 0x1p20f; x *= 1.37f) {
            float in[4] __attribute__((aligned(16))) = { x, x, x, x }, rcp[4] __attribute__((aligned(16))), rsqrt[4] __attribute__((aligned(16)));
            unsigned after;
            __asm__ volatile("ldmxcsr %3\n rcpps %4, %%xmm0\n movaps %%xmm0, %0\n rsqrtps %4, %%xmm1\n movaps %%xmm1, %1\n stmxcsr %2\n ldmxcsr %5"
                             : "=m"(rcp), "=m"(rsqrt), "=m"(after) : "m"(mxcsr[i]), "m"(in), "m"(usual) : "xmm0", "xmm1");
            double a = (double)rcp[3] * x - 1, b = (double)rsqrt[3] * rsqrt[3] * x - 1;
            CHECK(after == mxcsr[i]);
            CHECK(a < 0x1.8p-12 && a > -0x1.8p-12 && b < 0x1.8p-11 && b > -0x1.8p-11);
        }
}

int main(void)
{
    struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &sa, NULL), sigaction(SIGFPE, &sa, NULL), sigaction(SIGTRAP, &sa, NULL), sigaction(SIGILL, &sa, NULL);
    strings();
    atomics();
    flags();
    division();
    far_away();
    self_modifying();
    approximations();
#ifdef __x86_64__
    vsyscall();
#endif
    return bad;
}
