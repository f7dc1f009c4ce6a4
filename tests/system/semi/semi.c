/*
 * semi.c: a bare program that makes every semihosting call and says what came of it; tests/system/semihost_test.sh runs it on boards (as
 * machine or EL1 code) and as a program of user mode. Its last line of arguments is "ok"; it ends with status 42, or with the number of the line that failed.
 */
typedef unsigned long word; /* a word of the calls' blocks */
typedef unsigned char u8;

#define STR_(x) #x
#define STR(x) STR_(x)
#ifdef __riscv
asm(".globl _start\n_start: la sp, stack_end\n.option push\n.option norelax\nla gp, __global_pointer$\n.option pop\njal main\n1: j 1b\n"
    ".option push\n.option norvc\n.balign 16\n.globl semi\nsemi: slli x0, x0, 0x1f\nebreak\nsrai x0, x0, 7\nret\n.option pop\n");
#else
asm(".globl _start\n_start: adrp x0, stack_end\nadd x0, x0, :lo12:stack_end\nmov sp, x0\nbl main\n1: b 1b\n"
    ".globl semi\nsemi: hlt #0xf000\nret\n");
#endif
word semi(word op, const void *arg);
u8 stack[16384] __attribute__((aligned(16))), stack_mark[16] __attribute__((aligned(16)));
asm(".globl stack_end\n.set stack_end, stack_mark\n");

#define CALL(op, ...) semi(op, (const word[4]){ __VA_ARGS__ })
#define P(x) ((word)(x))
enum { OPEN = 1, CLOSE, WRITEC, WRITE0, WRITE, READ, READC, ISERROR, ISTTY, SEEK, FLEN = 12, TMPNAM, REMOVE, RENAME, CLOCK, TIME, ERRNO = 0x13, CMDLINE = 0x15,
       HEAPINFO, EXIT = 0x18, EXIT_EXT = 0x20, ELAPSED = 0x30, TICKFREQ };

static word len(const char *s)
{
    word n = 0;
    while (s[n]) n++;
    return n;
}
static int same(const void *a, const void *b, word n)
{
    const u8 *x = a, *y = b;
    while (n && *x == *y) x++, y++, n--;
    return !n;
}
static void leave(word status)
{
    CALL(EXIT_EXT, 0x20026, status);
}
#define WANT(c) do { if (!(c)) { semi(WRITE0, "failed: line " STR(__LINE__) ": " #c "\n"); leave(1); for (;;); } } while (0)
static word open_(const char *name, word mode)
{
    return CALL(OPEN, P(name), mode, len(name));
}

static char name[64], other[64], buf[300000], big[256];
int main(void)
{
    const word none = ~0ul;
    /* files */
    WANT(CALL(TMPNAM, P(name), 3, sizeof name) == 0);
    WANT(CALL(TMPNAM, P(other), 4, 3) == none);
    WANT(CALL(TMPNAM, P(other), 4, sizeof other) == 0);
    WANT(open_("/nonexistent/file", 0) == none && semi(ERRNO, 0) == 2);
    word h = open_(name, 6); /* w+ */
    WANT(h != none && h);
    for (unsigned i = 0; i < sizeof buf; i++) buf[i] = (char)(i * 7 ^ i >> 8);
    WANT(CALL(WRITE, h, P(buf), sizeof buf) == 0);
    WANT(CALL(FLEN, h) == sizeof buf);
    WANT(CALL(SEEK, h, 1000) == 0);
    WANT(CALL(READ, h, P(big), sizeof big) == 0 && same(big, buf + 1000, sizeof big));
    WANT(CALL(SEEK, h, sizeof buf - 10) == 0);
    WANT(CALL(READ, h, P(big), 100) == 90);
    WANT(CALL(READ, h, P(big), 100) == 100); /* the end */
    WANT(CALL(ISTTY, h) == 0);
    WANT(CALL(CLOSE, h) == 0);
    WANT(CALL(CLOSE, h) == none && semi(ERRNO, 0) == 9);
    WANT(CALL(READ, 77777, P(big), 5) == 5 || semi(ERRNO, 0) == 9);
    WANT(CALL(RENAME, P(name), len(name), P(other), len(other)) == 0);
    WANT(open_(name, 0) == none);
    h = open_(other, 8); /* a */
    WANT(CALL(WRITE, h, P("tail"), 4) == 0);
#ifndef QEMU /* QEMU 7.2: not what is in the file */
    WANT(CALL(FLEN, h) == sizeof buf + 4);
#endif
    WANT(CALL(CLOSE, h) == 0);
    WANT(CALL(REMOVE, P(other), len(other)) == 0 && CALL(REMOVE, P(other), len(other)) == none);
    /* what is there */
    h = open_(":semihosting-features", 0);
    WANT(h != none && CALL(FLEN, h) >= 5 && CALL(READ, h, P(big), 5) == 0 && same(big, "SHFB", 4) && (big[4] & 3) == 3);
    WANT(CALL(SEEK, h, 4) == 0 && CALL(READ, h, P(big), 1) == 0 && big[0] == 3 && CALL(CLOSE, h) == 0);
    WANT(CALL(ISERROR, none) && !CALL(ISERROR, 5));
    /* memory that is not there */
    WANT(semi(OPEN, (void *)16) == none || sizeof(word) == 4);
    /* handles come to an end, and come back */
#ifndef QEMU
    word n = 0, first = open_(":semihosting-features", 0);
    while (n < 1000 && open_(":semihosting-features", 0) != none) n++;
    WANT(n < 1000 && CALL(CLOSE, first) == 0 && open_(":semihosting-features", 0) == first);
    for (word i = 1; i <= 64; i++) CALL(CLOSE, i);
#endif
    /* clocks */
    word t0 = semi(TIME, 0);
    unsigned long long e0 = 0, e1 = 0;
    WANT(t0 > 1700000000 || sizeof(word) == 4);
    WANT(semi(TICKFREQ, 0) == 1000000000);
    WANT(semi(ELAPSED, &e0) == 0 && semi(ELAPSED, &e1) == 0 && e1 > e0 && e1 < 60000000000ull);
    WANT(semi(CLOCK, 0) < 6000);
    word where[4] = { 0 };
    WANT(CALL(HEAPINFO, P(where)) == 0 && where[0] && where[1] > where[0] && where[2] > where[3]);
    *(volatile word *)where[0] = 1; /* it is memory */
    *(volatile word *)(where[1] - sizeof(word)) = 2;
    WANT(*(volatile word *)where[0] == 1);
    /* console */
    word in = open_(":tt", 0), out = open_(":tt", 4), err = open_(":tt", 8);
    WANT(in != none && out != none && err != none);
#ifndef QEMU /* which tells of its own standard streams */
    WANT(CALL(ISTTY, out) == 1);
#endif
    word left = CALL(READ, in, P(big), 3);
    WANT(left == 0 && same(big, "abc", 3));
    WANT(semi(READC, 0) == 'd' && semi(READC, 0) == '\n');
    CALL(WRITE, out, P("output\n"), 7);
    CALL(WRITE, err, P("error\n"), 6);
    semi(WRITEC, "c");
    semi(WRITE0, ": written\n");
    /* the command line */
    word line[2] = { P(big), sizeof big };
    WANT(semi(CMDLINE, line) == 0 && line[1] == len(big) && line[1] >= 2 && same(big + line[1] - 2, "ok", 3));
    line[1] = 1;
    WANT(semi(CMDLINE, line) == none);
    leave(42);
    for (;;);
}
