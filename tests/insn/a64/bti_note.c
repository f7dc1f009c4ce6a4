/*
 * bti_note.c: a static program whose ELF property note asks for BTI gets guarded pages from the start.
 * cflags: -nostdlib -mbranch-protection=bti -Wl,-z,force-bti
 */
struct action {
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)(void);
    unsigned long mask;
};
static long call(long nr, long a, long b, long c, long d)
{
    register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}
enum { NR_exit_group = 94, NR_rt_sigaction = 134, SIGILL = 4 };
static void on_sigill(int sig)
{
    call(NR_exit_group, sig != SIGILL, 0, 0, 0);
}
void _start(void)
{
    struct action sa = { on_sigill, 0, 0, 0 };
    call(NR_rt_sigaction, SIGILL, (long)&sa, 0, 8);
    __asm__ volatile("adr x9, 1f\n blr x9\n b 2f\n1: ret\n2:\n" ::: "x9", "x30");
    call(NR_exit_group, 2, 0, 0, 0); /* the call went through */
}
