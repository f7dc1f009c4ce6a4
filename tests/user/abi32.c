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

static s64 now(int clock)
{
    s64 ts[2] = {0};
    S(403, clock, ts);
    return ts[0] * 1000000000 + ts[1];
}
static void times(void)
{
    s64 ts[2] = {0, 2000000}, it[4] = {0, 0, 0, 1000000}, cur[4] = {-1, -1, -1, -1}, was = now(1);
    chk(S(407, 1, 0, ts, 0) == 0 && now(1) - was >= 2000000, "clock_nanosleep_time64");
    chk(S(406, 1, ts) == 0 && ts[0] == 0 && ts[1] > 0 && ts[1] <= 10000000, "clock_getres_time64");
    int fd = S(85, 1, 0), id = -1;
    u64 n = 0;
    chk(fd >= 0 && S(411, fd, 0, it, 0) == 0 && S(63, fd, &n, 8) == 8 && n == 1, "timerfd_settime64");
    it[2] = 100;
    chk(S(411, fd, 0, it, cur) == 0 && cur[2] == 0 && S(410, fd, cur) == 0 && cur[2] >= 99 && cur[2] <= 100, "timerfd_gettime64");
    S(57, fd);
    u ev[16] = {0x77, 10, 0};
    struct ksa sa = {h, 4, {0, 0}};
    S(134, 10, &sa, 0, 8);
    u mask[2] = {1u << 9, 0};
    S(135, 1, mask, 0, 8);
    got = sival = 0;
    chk(S(107, 1, ev, &id) == 0 && S(409, id, 0, it, 0) == 0 && S(408, id, cur) == 0 && cur[2] >= 99, "timer_settime64");
    it[2] = 0;
    chk(S(409, id, 0, it, 0) == 0, "timer again");
    for (was = now(1); !got && now(1) - was < 5000000000ll;)
        ;
    chk(got == 10 && sival == 0x77, "timer's signal");
    S(111, id);
    u word = 1;
    s64 wait[2] = {0, 1000000};
    chk(S(422, &word, 0, 1, wait) == -110 && S(422, &word, 0, 2, wait) == -11, "futex_time64");
    chk(S(423, 0, ts) == 0 && ts[0] == 0, "sched_rr_get_interval_time64");
    u tv[4] = {0};
    chk(S(102, 0, tv) == 0 && !tv[3], "getitimer");
    int tms[4];
    chk(S(153, tms) != -14 && tms[0] >= 0 && tms[0] < 1000, "times");
}
static void files(void)
{
    s64 ut[4] = {0x123456789ll, 5, 0x1ffffffffll, 999999999};
    u stx[64] = {0};
    const char *path = "/tmp/lyre-abi32b";
    int f = S(56, -100, path, 0102, 0640);
    chk(f >= 0 && S(412, -100, path, ut, 0) == 0, "utimensat_time64");
    chk(S(291, f, "", 0x1000, 0x7ff, stx) == 0, "statx by descriptor");
    /* stx_mode at 28, the times at 64, 80 (born), 96, 112 */
    chk((stx[7] & 0xffff) == 0100640 && *(s64 *)&stx[16] == ut[0] && stx[18] == 5, "statx mode, atime");
    chk(*(s64 *)&stx[28] == ut[2] && stx[30] == 999999999, "statx mtime past 2038");
    struct {
        short type, whence;
        s64 start, len;
        int pid;
    } fl = {1, 0, 0x100000000ll, 10, 0};
    chk(S(25, f, 13, &fl) == 0, "F_SETLK64");
    fl.type = 1;
    chk(S(25, f, 12, &fl) == 0 && fl.type == 2, "F_GETLK64: one's own locks do not collide");
    chk(S(48, -100, path, 6) == 0 && S(439, -100, path, 6, 0) == 0, "faccessat");
    char dir[1024];
    int d = S(56, -100, "/tmp", 0200000, 0);
    chk(d >= 0 && S(61, d, dir, sizeof dir) >= 24 && *(unsigned short *)(dir + 16) >= 24, "getdents64");
    S(57, d);
    char *m = (char *)S(222, 0, 4096, 3, 1, f, 0);
    S(46, f, 4096, 0);
    chk((u)m < 0xfffff000u && (m[4095] = 1), "file mapped");
    /* mmap2 counts in units of 4096 bytes: a position above 4 GiB */
    S(46, f, 0x3000, 1);
    char *far = (char *)S(222, 0, 4096, 3, 1, f, 0x100002);
    chk((u)far < 0xfffff000u, "mmap2");
    far[7] = 'f';
    char b = 0;
    chk(S(67, f, &b, 1, 0x2007, 1) == 1 && b == 'f', "mmap2 above 4 GiB");
    S(57, f);
    S(35, -100, path, 0);
}
static void messages(void)
{
    struct iov {
        char *base;
        u len;
    } out = {"xyz", 3}, in;
    struct msg {
        void *name;
        u namelen;
        struct iov *iov;
        u iovlen;
        void *control;
        u controllen, flags;
    } m = {0, 0, &out, 1, 0, 0, 0};
    u cm[4] = {16, 1, 1, 0}, cr[8] = {0};
    char got3[4] = {0};
    int sv[2], pf[2];
    chk(S(199, 1, 1, 0, sv) == 0 && S(59, pf, 0) == 0, "socketpair");
    cm[3] = pf[1];
    m.control = cm;
    m.controllen = 16;
    chk(S(211, sv[0], &m, 0) == 3, "sendmsg with a descriptor");
    in.base = got3;
    in.len = 4;
    m.iov = &in;
    m.control = cr;
    m.controllen = sizeof cr;
    chk(S(212, sv[1], &m, 0) == 3 && got3[2] == 'z', "recvmsg");
    chk(m.controllen == 16 && cr[0] == 16 && cr[1] == 1 && cr[2] == 1 && (int)cr[3] > pf[1], "control message");
    chk(S(64, cr[3], "q", 1) == 1 && S(63, pf[0], got3, 1) == 1 && got3[0] == 'q', "the descriptor works");
    struct {
        struct msg m;
        u len;
    } mm[2] = {{{0, 0, &out, 1, 0, 0, 0}, 0}, {{0, 0, &out, 1, 0, 0, 0}, 0}};
    chk(S(269, sv[0], mm, 2, 0) == 2 && mm[1].len == 3, "sendmmsg");
    char b[2][8];
    struct iov iv[2] = {{b[0], 3}, {b[1], 8}};
    mm[0].m.iov = &iv[0];
    mm[1].m.iov = &iv[1];
    s64 second[2] = {1, 0};
    chk(S(417, sv[1], mm, 2, 0x40, second) == 2 && mm[0].len == 3 && mm[1].len == 3 && b[1][0] == 'x', "recvmmsg_time64");
    u len = 16;
    s64 opt[2] = {3, 500000};
    chk(S(208, sv[0], 1, 66, opt, 16) == 0 && S(209, sv[0], 1, 66, opt, &len) == 0 && opt[0] == 3, "SO_RCVTIMEO_NEW");
    for (int i = 0; i < 2; i++) S(57, sv[i]), S(57, pf[i]);
    S(57, cr[3]);
}
static void ipc(void)
{
    int sem = S(190, 0, 1, 01600);
    struct {
        unsigned short num;
        short op, flag;
    } up = {0, 1, 0}, down = {0, -2, 0};
    s64 brief[2] = {0, 1000000};
    chk(sem >= 0 && S(193, sem, &up, 1) == 0 && S(420, sem, &down, 1, brief) == -11, "semtimedop_time64");
    chk(S(191, sem, 0, 12, 0) == 1, "semctl GETVAL");
    u ds[32] = {0};
    /* semid_ds: key, uid, gid, cuid, cgid, mode, seq, pads; times in two words each; sem_nsems */
    chk(S(191, sem, 0, 2 | 0x100, ds) == 0 && (ds[5] & 0777) == 0600 && ds[13] == 1, "semctl IPC_STAT");
    S(191, sem, 0, 0, 0);
    int shm = S(194, 0, 8192, 01600);
    char *p = (char *)S(196, shm, 0, 0);
    chk(shm >= 0 && (u)p < 0xfffff000u && (p[8191] = 4) && S(197, p) == 0, "shmat");
    S(195, shm, 0, 0);
    int q = S(186, 0, 01600);
    struct {
        long type;
        char text[4];
    } mb = {3, "abc"};
    chk(q >= 0 && S(189, q, &mb, 4, 0) == 0, "msgsnd");
    mb.type = 0;
    chk(S(188, q, &mb, 4, 0, 0) == 4 && mb.type == 3 && mb.text[2] == 'c', "msgrcv");
    S(187, q, 0, 0);
    u old[3], ss[3] = {(u)tstack, 0, sizeof tstack};
    chk(S(132, ss, old) == 0 && S(132, 0, old) == 0 && old[0] == (u)tstack && old[2] == sizeof tstack, "sigaltstack");
}
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
    u cs[32] = {0};
    chk(S(95, 1, c, cs, 4, 0) == 0 && cs[0] == 17 && cs[2] == 1 && cs[3] == (u)c && cs[5] == 5, "fork, waitid");
    chk(S(260, -1, 0, 0, 0) == -38 && S(163, 7, rl) == -38, "no wait4, no getrlimit"); /* QEMU has them all the same */
    times();
    files();
    messages();
    ipc();
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
