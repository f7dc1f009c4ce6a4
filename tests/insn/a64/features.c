/*
 * features.c: what a program is told of the CPU agrees with itself: AT_HWCAP and AT_HWCAP2, /proc/cpuinfo, the ID registers, and
 * whether an instruction of each feature runs. Run for several models.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PFR0, PFR1, ISAR0, ISAR1, ISAR2, MMFR2, REGS };
static uint64_t id[REGS];
static int bad, traps;

/* UAPI asm/hwcap.h; the manual's ID register fields; an instruction, 0: none that would tell. x0 = 0, x2 = an address. */
static const struct {
    const char *name;
    uint8_t bit, reg, shift, min;
    uint32_t insn;
} features[] = {
    { "aes", 3, ISAR0, 4, 1, 0x4e284800 }, { "pmull", 4, ISAR0, 4, 2, 0x0ee0e000 }, { "sha1", 5, ISAR0, 8, 1, 0x5e280800 },
    { "sha2", 6, ISAR0, 12, 1, 0x5e282800 }, { "crc32", 7, ISAR0, 16, 1, 0x1ac04000 }, { "atomics", 8, ISAR0, 20, 2, 0xb8200041 },
    { "asimdrdm", 12, ISAR0, 28, 1, 0x2e408400 }, { "jscvt", 13, ISAR1, 12, 1, 0x1e7e0000 }, { "fcma", 14, ISAR1, 16, 1, 0x2e40e400 },
    { "lrcpc", 15, ISAR1, 20, 1, 0x38bfc040 }, { "dcpop", 16, ISAR1, 0, 1, 0xd50b7c22 }, { "sha3", 17, ISAR0, 32, 1, 0xce000000 },
    { "sm3", 18, ISAR0, 36, 1, 0xce60c000 }, { "sm4", 19, ISAR0, 40, 1, 0xcec08400 }, { "asimddp", 20, ISAR0, 44, 1, 0x0e809400 },
    { "sha512", 21, ISAR0, 12, 2, 0xce608000 }, { "asimdfhm", 23, ISAR0, 48, 1, 0x0e20ec00 }, { "dit", 24, PFR0, 48, 1, 0xd53b42a0 },
    { "uscat", 25, MMFR2, 32, 1, 0 }, { "ilrcpc", 26, ISAR1, 20, 2, 0x19400040 }, { "flagm", 27, ISAR0, 52, 1, 0xd500401f },
    { "ssbs", 28, PFR1, 4, 2, 0xd53b42c0 }, { "sb", 29, ISAR1, 36, 1, 0xd50330ff }, { "dcpodp", 64, ISAR1, 0, 2, 0xd50b7d22 },
    { "flagm2", 71, ISAR0, 52, 2, 0xd500405f }, { "frint", 72, ISAR1, 32, 1, 0x1e284000 }, { "i8mm", 77, ISAR1, 52, 1, 0x4e80a400 },
    { "bf16", 78, ISAR1, 44, 1, 0x2e40fc00 }, { "dgh", 79, ISAR1, 48, 1, 0 }, { "rng", 80, ISAR0, 60, 1, 0xd53b2400 },
    { "bti", 81, PFR1, 0, 1, 0 }, { "wfxt", 95, ISAR2, 0, 2, 0xd5031000 }, { "cssc", 98, ISAR2, 52, 1, 0xdac02000 },
    { "rprfm", 99, ISAR2, 48, 1, 0 }, { "mops", 107, ISAR2, 16, 1, 0x19c30401 }, { "hbc", 108, ISAR2, 20, 1, 0x54000030 },
};

static void on_sigill(int sig, siginfo_t *si, void *uc)
{
    (void)sig, (void)si;
    traps++;
    ((ucontext_t *)uc)->uc_mcontext.pc += 4;
}
static int runs(uint32_t insn)
{
    static uint64_t room[32];
    static uint32_t *code;
    if (!code) code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    code[0] = insn, code[1] = 0xd65f03c0;
    __builtin___clear_cache((char *)code, (char *)(code + 2));
    traps = 0;
    register uint32_t *fn __asm__("x9") = code;
    register uint64_t x0 __asm__("x0") = 0;
    register void *x2 __asm__("x2") = room;
    __asm__ volatile("blr x9" : "+r"(x0), "+r"(x2), "+r"(fn) : : "x1", "x3", "x30", "v0", "cc", "memory");
    return !traps;
}
static void check(const char *what, const char *name, int a, int b)
{
    if (a == b) return;
    printf("%s: AT_HWCAP says %d, %s %d\n", name, a, what, b);
    bad = 1;
}

int main(void)
{
    static const uint32_t none[] = { 0xd53be020 /* cntpct_el0 */, 0xd53b9d00 /* pmccntr_el0 */, 0xd5384240 /* CurrentEL */,
                                     0xd53b4220 /* daif */, 0xd5380800 /* beyond the ID registers */, 0xd53bd0a0 /* tpidr2_el0 */ };
    uint64_t cap[2] = { getauxval(AT_HWCAP), getauxval(AT_HWCAP2) }, pfr0, midr, sum = 0;
    char line[2048], info[2048] = "";
    FILE *f = fopen("/proc/cpuinfo", "r");
    struct sigaction sa = { .sa_sigaction = on_sigill, .sa_flags = SA_SIGINFO };

    sigaction(SIGILL, &sa, NULL);
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, "Features", 8)) strcpy(info, strchr(line, ':') + 1), info[strcspn(info, "\n")] = ' ';
    if (!(cap[0] >> 11 & 1)) return printf("no HWCAP_CPUID\n"), 1;
    __asm__("mrs %0, id_aa64pfr0_el1" : "=r"(id[PFR0]));
    __asm__("mrs %0, id_aa64pfr1_el1" : "=r"(id[PFR1]));
    __asm__("mrs %0, id_aa64isar0_el1" : "=r"(id[ISAR0]));
    __asm__("mrs %0, id_aa64isar1_el1" : "=r"(id[ISAR1]));
    __asm__("mrs %0, s3_0_c0_c6_2" : "=r"(id[ISAR2]));
    __asm__("mrs %0, s3_0_c0_c7_2" : "=r"(id[MMFR2]));
    __asm__("mrs %0, midr_el1" : "=r"(midr));
    for (unsigned i = 0; i < sizeof features / sizeof *features; i++) {
        char word[32];
        int have = cap[features[i].bit / 64] >> features[i].bit % 64 & 1;
        snprintf(word, sizeof word, " %s ", features[i].name);
        check("/proc/cpuinfo", features[i].name, have, strstr(info, word) != NULL);
        check("the ID register", features[i].name, have, (id[features[i].reg] >> features[i].shift & 15) >= features[i].min);
        if (features[i].insn) check("the instruction", features[i].name, have, runs(features[i].insn));
    }
    pfr0 = id[PFR0];
    check("ID_AA64PFR0.FP", "fphp", cap[0] >> 9 & 1, (pfr0 >> 16 & 15) == 1);
    check("ID_AA64PFR0.AdvSIMD", "asimdhp", cap[0] >> 10 & 1, (pfr0 >> 20 & 15) == 1);
    check("the instruction", "fphp", cap[0] >> 9 & 1, runs(0x1ee02800));
    /* addresses: by the architected algorithm or by another; PACGA the same */
    check("ID_AA64ISAR1.APA, API", "paca", cap[0] >> 30 & 1, (id[ISAR1] >> 4 & 0xff) != 0);
    check("ID_AA64ISAR1.GPA, GPI", "pacg", cap[0] >> 31 & 1, (id[ISAR1] >> 24 & 0xff) != 0);
    check("the instruction", "pacg", cap[0] >> 31 & 1, runs(0x9ac03000));
    if ((pfr0 & 0xff) != 0x11 || pfr0 >> 8 & 0xff) bad = 1, printf("ID_AA64PFR0 is %#llx\n", (unsigned long long)pfr0);
    /* all of the space that Linux emulates can be read; what is beyond it cannot */
    for (uint32_t crm = 2; crm < 8; crm++)
        for (uint32_t op2 = 0; op2 < 8; op2++) sum += (unsigned)runs(0xd5380000 | crm << 8 | op2 << 5);
    if (sum != 48) bad = 1, printf("%llu of 48 ID registers can be read\n", (unsigned long long)sum);
    for (unsigned i = 0; i < sizeof none / sizeof *none; i++)
        if (runs(none[i])) bad = 1, printf("%08x runs\n", none[i]);
    return bad;
}
