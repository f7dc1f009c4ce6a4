/* arm_test.c: what random instructions do not reach: QARMA5 by published vectors, immediates, models, ID registers, vdso. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <elf.h>
#include <stdlib.h>
#include "cpu/guest_linux.h"
#include "cpu/guest.h"

/* As in arm.h, which needs the generated header. */
struct pac_key {
    uint64_t lo, hi;
};
uint64_t arm_pac_qarma5(uint64_t data, uint64_t modifier, const struct pac_key *k);
bool arm_bitmask(int64_t sf, int64_t n, int64_t immr, int64_t imms, int64_t *out);
uint32_t arm_fpsr(const CPU *cpu);
void arm_set_fpsr(CPU *cpu, uint32_t fpsr);
void arm_set_fpcr(CPU *cpu, uint32_t fpcr);
extern const struct guest aarch64_guest;
extern const struct guest_linux aarch64_linux;

/* Test vectors of the cipher's publication (64-bit block, 5 rounds, S-box sigma 2). */
static void qarma5(void **state UNUSED)
{
    const struct pac_key k = { .hi = 0x84be85ce9804e94b, .lo = 0xec2802d4e0a488e9 };
    assert_int_equal(arm_pac_qarma5(0xfb623599da6e8127, 0x477d469dec0b8762, &k), 0xc003b93999b33765);
}

static void bitmasks(void **state UNUSED)
{
    int64_t v;
    assert_true(arm_bitmask(1, 1, 0, 0, &v) && v == 1);
    assert_true(arm_bitmask(1, 0, 0, 0x3c, &v) && v == 0x5555555555555555);
    assert_true(arm_bitmask(0, 0, 1, 0x00, &v) && v == 0x80000000);
    assert_true(arm_bitmask(1, 1, 1, 62, &v) && v == (int64_t)0xbfffffffffffffff);
    assert_false(arm_bitmask(1, 1, 0, 63, &v)); /* all ones */
    assert_false(arm_bitmask(0, 1, 0, 0, &v));  /* 64-bit pattern in a W register */
    assert_false(arm_bitmask(1, 0, 0, 0x3e, &v));
}

static CPU *new_cpu(const char *spec, struct err *e)
{
    CPU *cpu = calloc(1, ALIGN_UP(aarch64_guest.cpu_size, 64));
    if (aarch64_guest.init(cpu, spec, e)) {
        free(cpu);
        return NULL;
    }
    return cpu;
}
static void models(void **state UNUSED)
{
    enum { ATOMICS = 1 << 8, CRC32 = 1 << 7 };
    struct err e = { 0 };
    CPU *cpu = new_cpu("max", &e);
    assert_non_null(cpu);
    assert_int_equal(aarch64_linux.hwcap(cpu, 0) & (ATOMICS | CRC32), ATOMICS | CRC32);
    free(cpu);
    cpu = new_cpu("cortex-a53", &e);
    assert_non_null(cpu);
    assert_int_equal(aarch64_linux.hwcap(cpu, 0) & (ATOMICS | CRC32), CRC32);
    free(cpu);
    cpu = new_cpu("max,lse=off,-crc32,sve=off", &e);
    assert_non_null(cpu);
    assert_int_equal(aarch64_linux.hwcap(cpu, 0) & (ATOMICS | CRC32), 0);
    free(cpu);
    assert_null(new_cpu("cortex-a5", &e));
    assert_non_null(strstr(e.msg, "cortex-a5"));
    assert_null(new_cpu("max,lsd=on", &e));
    assert_non_null(strstr(e.msg, "lsd"));
    assert_null(new_cpu("max,sve=on", &e));
    assert_null(new_cpu("max,lse=maybe", &e));
}

/* A gated instruction is undefined without its feature, and every hwcap has a name in cpuinfo. */
static void gates(void **state UNUSED)
{
    const uint8_t ldadd[4] = { 0x62, 0x00, 0x21, 0xb8 }; /* ldadd w1, w2, [x3] */
    char text[128], info[4096];
    struct err e = { 0 };
    CPU *cpu = new_cpu("max", &e);
    aarch64_guest.disas(text, sizeof text, ldadd, 4, 0, cpu);
    assert_non_null(strstr(text, "ldadd"));
    assert_true(aarch64_linux.cpuinfo(cpu, 0, info, sizeof info) > 0);
    assert_non_null(strstr(info, " asimdhp "));
    assert_non_null(strstr(info, " atomics "));
    assert_null(strstr(info, "  "));
    free(cpu);
    cpu = new_cpu("cortex-a72", &e);
    aarch64_guest.disas(text, sizeof text, ldadd, 4, 0, cpu);
    assert_null(strstr(text, "ldadd"));
    free(cpu);
}

static void fpcr(void **state UNUSED)
{
    struct err e = { 0 };
    struct ir_fp fp;
    CPU *cpu = new_cpu("max", &e);
    aarch64_guest.fp(cpu->mode, &fp);
    assert_int_equal(fp.nan, NAN_ARM);
    assert_false(fp.slow);
    arm_set_fpcr(cpu, 1u << 25 | 1u << 24 | 1u << 22);
    aarch64_guest.fp(cpu->mode, &fp);
    assert_int_equal(fp.nan, NAN_CANON);
    assert_true(fp.ftz && fp.slow);
    assert_int_equal(cpu->fp.rm, RM_RUP);
    arm_set_fpsr(cpu, 0x0800009f);
    assert_int_equal(arm_fpsr(cpu), 0x0800009f);
    free(cpu);
}

static void vdso(void **state UNUSED)
{
    size_t size;
    const uint8_t *p = aarch64_linux.vdso(&size);
    Elf64_Ehdr h;
    memcpy(&h, p, sizeof h);
    assert_int_equal(h.e_machine, EM_AARCH64);
    assert_int_equal(h.e_phnum, 2);
    assert_non_null(memmem(p, size, "__kernel_clock_gettime", 22));
    assert_non_null(memmem(p, size, "\x68\x11\x80\xd2\x01\x00\x00\xd4", 8)); /* mov x8, #139; svc #0 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(qarma5), cmocka_unit_test(bitmasks), cmocka_unit_test(models), cmocka_unit_test(gates),
        cmocka_unit_test(fpcr), cmocka_unit_test(vdso),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
