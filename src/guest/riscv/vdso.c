/*
 * vdso.c: the functions of the vdso, one system call each. Unwinders know the signal trampoline by its two
 * instructions, li a7,139; ecall. RV32 has no time calls here, as in the kernel.
 */
#include <pthread.h>
#include "cpu/vdso.h"
#include "vdso.h"

enum { ECALL = 0x73, RET = 0x8067, EM_RISCV_MACHINE = 243, RVC_DOUBLE = 5 };
#define LI_A7(n)       ((uint32_t)(n) << 20 | 0x893)
#define CALL(name, nr) { name, { LI_A7(nr), ECALL, RET }, 3 }
#define SIGRETURN      { "__vdso_rt_sigreturn", { LI_A7(139), ECALL }, 2 }

static const struct vdso_fn functions64[] = {
    SIGRETURN, CALL("__vdso_gettimeofday", 169), CALL("__vdso_clock_gettime", 113), CALL("__vdso_clock_getres", 114),
    CALL("__vdso_getcpu", 168), CALL("__vdso_flush_icache", 259), CALL("__vdso_riscv_hwprobe", 258), { NULL, { 0 }, 0 },
};
static const struct vdso_fn functions32[] = {
    SIGRETURN, CALL("__vdso_getcpu", 168), CALL("__vdso_flush_icache", 259), CALL("__vdso_riscv_hwprobe", 258),
    { NULL, { 0 }, 0 },
};

static uint8_t images[2][VDSO_BYTES];
static void build(void)
{
    vdso_build(images[0], &(struct vdso_desc){ EM_RISCV_MACHINE, 2, RVC_DOUBLE, "LINUX_4.15", functions64 });
    vdso_build(images[1], &(struct vdso_desc){ EM_RISCV_MACHINE, 1, RVC_DOUBLE, "LINUX_4.15", functions32 });
}

static const void *image(unsigned i, size_t *size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, build);
    *size = VDSO_BYTES;
    return images[i];
}
const void *riscv_vdso64(size_t *size)
{
    return image(0, size);
}
const void *riscv_vdso32(size_t *size)
{
    return image(1, size);
}
