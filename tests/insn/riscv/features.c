/*
 * features.c: what a program is told of the hart agrees with itself: AT_HWCAP, the isa line of /proc/cpuinfo, riscv_hwprobe, and
 * whether an instruction of each extension runs. Run for several models.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* Name in the isa line; bit of RISCV_HWPROBE_KEY_IMA_EXT_0 (UAPI asm/hwprobe.h), -1 none; an instruction, 0: none that would
 * tell. a0 = an address. */
static const struct {
    const char *name;
    int8_t bit;
    uint32_t insn;
} exts[] = {
    { "m", -1, 0x025284b3 }, { "a", -1, 0x0005252f }, { "f", -1, 0x0000f053 }, { "d", 0, 0x0200f053 }, { "c", 1, 0x00010001 },
    { "v", 2, 0x010074d7 }, { "zba", 3, 0x205224b3 }, { "zbb", 4, 0x60029493 }, { "zbs", 5, 0x285294b3 }, { "zicboz", 6, 0x0045200f },
    { "zbc", 7, 0x0a52a4b3 }, { "zbkb", 8, 0x0852c4b3 }, { "zbkc", 9, 0x0a5294b3 }, { "zbkx", 10, 0x285244b3 },
    { "zknd", 11, 0x3a5284b3 }, { "zkne", 12, 0x325284b3 }, { "zknh", 13, 0x10029493 }, { "zksed", 14, 0x305284b3 },
    { "zksh", 15, 0x10829493 }, { "zkt", 16, 0 }, { "zfh", 27, 0x0400f053 }, { "zfhmin", 28, 0x40200053 },
    { "zvfh", 30, 0 }, { "zihintntl", 29, 0 }, { "zfa", 32, 0xf0108053 }, { "zacas", 34, 0x2855252f }, { "zicond", 35, 0x0e52d4b3 },
    { "zihintpause", 36, 0 }, { "zve64x", 39, 0 }, { "zimop", 42, 0x81c2c4f3 }, { "zcb", 44, 0x00019cf5 }, { "zawrs", 48, 0x01d00073 },
    { "zicntr", 50, 0xc00024f3 }, { "zicbom", 55, 0x0015200f }, { "zabha", 58, 0x0005052f },
};

static int bad, traps;
static void on_sigill(int sig, siginfo_t *si, void *uc)
{
    unsigned long *pc = &((ucontext_t *)uc)->uc_mcontext.__gregs[0];
    (void)sig, (void)si;
    traps++;
    *pc += (*(uint16_t *)*pc & 3) == 3 ? 4 : 2;
}
static int runs(uint32_t insn)
{
    static uint64_t room[64] __attribute__((aligned(64)));
    static uint16_t *code;
    if (!code) code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint16_t *p = code;
    *p++ = (uint16_t)insn;
    if ((insn & 3) == 3) *p++ = (uint16_t)(insn >> 16);
    memcpy(p, (const uint32_t[]){ 0x00008067 }, 4); /* ret */
    __builtin___clear_cache((char *)code, (char *)(code + 8));
    traps = 0;
    register uint16_t *fn __asm__("t0") = code;
    register void *a0 __asm__("a0") = room;
    __asm__ volatile("fence.i\n jalr t0" : "+r"(fn), "+r"(a0) : : "ra", "s1", "t1", "ft0", "memory");
    return !traps;
}
static void check(const char *what, const char *name, int a, int b)
{
    if (a == b) return;
    printf("%s: the isa line says %d, %s %d\n", name, a, what, b);
    bad = 1;
}

int main(void)
{
    struct {
        int64_t key;
        uint64_t value;
    } probe[2] = { { 3, 0 }, { 4, 0 } };
    struct sigaction sa = { .sa_sigaction = on_sigill, .sa_flags = SA_SIGINFO };
    uint64_t cap = getauxval(AT_HWCAP), letters = 0;
    char line[2048], isa[2048] = "";
    FILE *f = fopen("/proc/cpuinfo", "r");

    sigaction(SIGILL, &sa, NULL);
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, "isa\t", 4) && !*isa) snprintf(isa, sizeof isa, "_%s", strstr(line, ": rv") + 2), isa[strcspn(isa, "\n")] = '_';
    if (strncmp(isa, "_rv64", 5) || syscall(258, probe, 2, 0, NULL, 0)) return printf("isa %s, hwprobe fails\n", isa), 1;
    for (const char *p = isa + 5; *p && *p != '_'; p++) letters |= 1ull << (*p - 'a');
    /* AT_HWCAP has the letters, but for those that are only names of other extensions */
    if (cap != (letters & ~(1ull << 1 | 1ull << 7))) bad = 1, printf("AT_HWCAP %#llx, %s\n", (unsigned long long)cap, isa);
    for (unsigned i = 0; i < sizeof exts / sizeof *exts; i++) {
        char word[32];
        int single = !exts[i].name[1], have;
        snprintf(word, sizeof word, "_%s_", exts[i].name);
        have = single ? letters >> (*exts[i].name - 'a') & 1 : strstr(isa, word) != NULL;
        if (exts[i].bit >= 0) check("riscv_hwprobe", exts[i].name, have, probe[1].value >> exts[i].bit & 1);
        if (exts[i].insn) check("the instruction", exts[i].name, have, runs(exts[i].insn));
    }
    if ((probe[0].value & 1) != ((cap & (1 | 1 << 8 | 1 << 12)) == (1 | 1 << 8 | 1 << 12))) bad = 1, printf("base behaviour\n");
    return bad;
}
