/*
 * icount.c: a bare RISC-V program that prints its clocks as it runs: counters before and after work, timer interrupts that come in a loop
 * and end a wfi, the number of a loop's turns between them. tests/system/icount_test.sh compares runs. On several harts all of them count
 * in one atomic word in turn, and what each saw is printed.
 */
typedef unsigned long word;
asm(".globl _start\n_start: csrr t0, mhartid\nla sp, stack_end\nslli t1, t0, 12\nsub sp, sp, t1\nmv a0, t0\njal main\n1: wfi\nj 1b\n"
    ".option push\n.option norvc\n.balign 16\n.globl semi\nsemi: slli x0, x0, 0x1f\nebreak\nsrai x0, x0, 7\nret\n.option pop\n"
    ".balign 4\ntrap: csrrw t6, mscratch, t6\nla t6, hits\namoadd.d x0, s11, (t6)\nli t6, 0x2004000\naddi s11, x0, -1\nsd s11, 0(t6)\naddi s11, x0, 1\ncsrrw t6, mscratch, t6\nmret\n"
    ".bss\n.balign 16\n.space 32768\nstack_end:\n.text\n");
register word one asm("s11");
word semi(word op, const void *arg);
volatile word hits, turn, seen[8];
#define CSR(n) ({ word v_; asm volatile("csrr %0, " #n : "=r"(v_) : : "memory"); v_; })
#define MTIME (*(volatile word *)0x200bff8)
#define MTIMECMP (*(volatile word *)0x2004000)

static void say(const char *name, word v)
{
    char b[80], *p = b;
    while (*name) *p++ = *name++;
    *p++ = ' ';
    for (int i = 60; i >= 0; i -= 4) *p++ = "0123456789abcdef"[v >> i & 15];
    *p++ = '\n';
    *p = 0;
    semi(4, b);
}
static word work(word n)
{
    word x = n;
    while (n--) x = x * 6364136223846793005ul + 1442695040888963407ul, x ^= x >> 29;
    return x;
}
void main(word hart)
{
    one = 1;
    if (hart) {
        for (int i = 0; i < 500; i++) __atomic_add_fetch(&turn, 1, __ATOMIC_SEQ_CST);
        seen[hart] = turn;
        __atomic_add_fetch(&seen[0], 1, __ATOMIC_SEQ_CST);
        return;
    }
    asm volatile("la t0, trap\ncsrw mtvec, t0" : : : "t0");
    for (word n = 1; n < 200000; n *= 7) {
        word c = CSR(mcycle), t = MTIME, x = work(n);
        say("result", x);
        say("cycles", CSR(mcycle) - c);
        say("instret", CSR(minstret));
        say("time", MTIME - t);
    }
    asm volatile("csrs mie, %0\ncsrsi mstatus, 8" : : "r"(1 << 7));
    for (int i = 0; i < 5; i++) { /* an interrupt in a loop: how many turns until it came */
        word n = 0, h = hits;
        MTIMECMP = MTIME + 1000 + 777 * (word)i;
        while (hits == h) n++;
        say("turns", n);
    }
    for (int i = 0; i < 5; i++) { /* asleep */
        word h = hits, t = MTIME;
        MTIMECMP = t + 100000;
        while (hits == h) asm volatile("wfi");
        say("slept", MTIME - t);
    }
    if (HARTS > 1) {
        for (int i = 0; i < 300; i++) __atomic_add_fetch(&turn, 1, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&seen[0], __ATOMIC_SEQ_CST) < HARTS - 1) work(10);
        for (int i = 1; i < HARTS; i++) say("seen", seen[i]);
        say("cycles", CSR(mcycle));
    }
    semi(0x18, (word[2]){ 0x20026, 0 });
}
