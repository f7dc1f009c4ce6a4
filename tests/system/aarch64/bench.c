/* bench.c: what exceptions cost: SVC and ERET, faults, MSR DAIF, TTBR switches. Prints nanoseconds by the virtual counter; not compared. */
#include "bare.h"

asm(".balign 2048\nfast_vectors:\n\t.skip 0x200\n\teret\n\t.balign 128\n\t.skip 0x180\n\teret\n\t.balign 2048");
extern char fast_vectors[];
enum { N = 1000000 };

static u64 svc_loop(u64 n)
{
    do asm volatile("svc #0" : : : "memory"); while (--n);
    return 0;
}
static void report(const char *name, u64 t0, u64 n)
{
    u64 ns = (MRS(cntvct_el0) - t0) * 16;
    puts_(name);
    puts_(" ns/10: ");
    u64 v = ns * 10 / n, d = 1;
    while (v / d >= 10) d *= 10;
    for (; d; d /= 10) { char c[2] = { (char)('0' + v / d % 10), 0 }; puts_(c); }
    puts_("\n");
}
void main(void)
{
    u64 vbar = MRS(vbar_el1);
    /* from EL0, to the table's entry for lower levels; and back here by the ordinary vectors for the last one */
    MSR(vbar_el1, fast_vectors);
    u64 t = MRS(cntvct_el0);
    for (int i = 0; i < N; i++) asm volatile("svc #0" : : : "memory");
    report("svc+eret same level", t, N);
    t = MRS(cntvct_el0);
    for (int i = 0; i < N; i++) asm volatile("msr daifclr, #8\n\tmsr daifset, #8" : : : "memory");
    report("daifclr+daifset", t, N);
    t = MRS(cntvct_el0);
    for (int i = 0; i < N; i++) asm volatile("mrs x0, sp_el0\n\tmrs x1, tpidr_el1\n\tmsr tpidr_el1, x1" : : : "x0", "x1");
    report("mrs sp_el0, tpidr_el1", t, N);
    t = MRS(cntvct_el0);
    for (int i = 0; i < N; i++) asm volatile("msr ttbr0_el1, %0\n\tisb" : : "r"((u64)(i & 3) << 48) : "memory");
    report("msr ttbr0", t, N);
    t = MRS(cntvct_el0);
    for (int i = 0; i < N; i++) asm volatile("mrs x0, cntvct_el0" : : : "x0");
    report("mrs cntvct", t, N);
    /* EL0 */
    static u64 end;
    end = 0;
    extern char table_el0[];
    (void)table_el0;
    MSR(vbar_el1, vbar);
    asm volatile(
        "adr x9, 3f\n\tmsr vbar_el1, x9\n\tmov x10, #0x3c0\n\tmsr spsr_el1, x10\n\tadr x11, 1f\n\tmsr elr_el1, x11\n\tisb\n\tmrs %0, cntvct_el0\n\teret\n"
        "1:\tmov x12, %1\n2:\tsvc #0\n\tsubs x12, x12, #1\n\tb.ne 2b\n\tbrk #0\n"
        "\t.balign 2048\n3:\t.skip 0x400\n\tmrs x9, esr_el1\n\tlsr x9, x9, #26\n\tcmp x9, #0x15\n\tb.ne 4f\n\teret\n\t.balign 2048\n4:\n"
        : "=&r"(t) : "r"((u64)N) : "x9", "x10", "x11", "x12", "cc", "memory");
    report("svc+eret from EL0", t, N);
    MSR(vbar_el1, vbar);
}
