/*
 * linux.c: Linux user mode on x86-64 and i386: system call registers, segments, signal frames, auxiliary vector, cpuinfo. Layouts
 * are those of the UAPI headers asm/sigcontext.h, asm/ucontext.h, asm/ptrace.h, asm/ldt.h, asm/prctl.h.
 */
#include <stdio.h>
#include <signal.h>
#include "cpu/guest_linux.h"
#include "feat.h"
#include "mem/mem.h"

/* -- segments: what Linux's GDT has for programs ------------------------------------------------------------------------ */
enum {
    USER64_CS = 0x33, USER_DS = 0x2b, USER32_CS64 = 0x23, /* of a 64-bit kernel */
    USER32_CS = 0x73, USER32_DS = 0x7b,                   /* of a 32-bit one */
    TLS_FIRST64 = 12, TLS_FIRST32 = 6, TLS_COUNT = 3
};

static unsigned tls_first(const struct x86_cpu *x)
{
    return x->is64 ? TLS_FIRST64 : TLS_FIRST32;
}

bool x86_load_seg(struct x86_cpu *x, unsigned seg, uint16_t sel)
{
    unsigned index = sel >> 3;
    uint64_t base = 0;

    if (!(sel & 4) && index == 0) {
        if (seg == SEG_SS && !x->is64) return false;
    } else if (!(sel & 4) && index >= tls_first(x) && index < tls_first(x) + TLS_COUNT) {
        const struct x86_tls *e = &x->tls[index - tls_first(x)];
        if (!e->flags) return false;
        base = e->base;
    } else if (sel != (x->is64 ? USER_DS : USER32_DS) && sel != (x->is64 ? USER32_CS64 : USER32_CS) && sel != USER64_CS) {
        return false;
    }
    x->sel[seg] = sel;
    if (!x->is64 || seg >= SEG_FS) x->segbase[seg] = base;
    x86_mode_update(x);
    return true;
}

void x86_mode_update(struct x86_cpu *x)
{
    bool flat = !(x->segbase[SEG_ES] | x->segbase[SEG_CS] | x->segbase[SEG_SS] | x->segbase[SEG_DS]);
    x->c.mode = (x->c.mode & ~(uint32_t)MODE_SEG) | (flat ? 0 : MODE_SEG);
}

/* -- system calls ----------------------------------------------------------------------------------------------------------- */
static void sys_args64(CPU *cpu, uint64_t *nr, uint64_t args[6])
{
    static const uint8_t reg[6] = { R_RDI, R_RSI, R_RDX, 10, 8, 9 };
    const struct x86_cpu *x = x86_cpu(cpu);
    *nr = x->r[R_RAX];
    for (unsigned i = 0; i < 6; i++) args[i] = x->r[reg[i]];
}
static void sys_args32(CPU *cpu, uint64_t *nr, uint64_t args[6])
{
    static const uint8_t reg[6] = { R_RBX, R_RCX, R_RDX, R_RSI, R_RDI, R_RBP };
    const struct x86_cpu *x = x86_cpu(cpu);
    *nr = (uint32_t)x->r[R_RAX];
    for (unsigned i = 0; i < 6; i++) args[i] = (uint32_t)x->r[reg[i]];
}
static void sys_ret64(CPU *cpu, int64_t ret)
{
    x86_cpu_rw(cpu)->r[R_RAX] = (uint64_t)ret;
}
static void sys_ret32(CPU *cpu, int64_t ret)
{
    x86_cpu_rw(cpu)->r[R_RAX] = (uint32_t)ret;
}
/* SYSCALL, SYSENTER and INT 0x80 are two bytes each. */
static void sys_restart(CPU *cpu, uint64_t nr, uint64_t arg0)
{
    cpu->pc -= 2;
    x86_cpu_rw(cpu)->r[R_RAX] = nr;
}
static uint64_t get_sp(const CPU *cpu)
{
    return x86_cpu(cpu)->r[R_RSP];
}
static void set_sp(CPU *cpu, uint64_t sp)
{
    x86_cpu_rw(cpu)->r[R_RSP] = sp;
}
static void set_tls64(CPU *cpu, uint64_t tls)
{
    x86_cpu_rw(cpu)->segbase[SEG_FS] = tls;
}
static uint64_t get_tls64(const CPU *cpu)
{
    return x86_cpu(cpu)->segbase[SEG_FS];
}
static uint64_t get_tls32(const CPU *cpu)
{
    return x86_cpu(cpu)->segbase[SEG_GS];
}
static void set_tls32(CPU *cpu, uint64_t tls)
{
}
static void start(CPU *cpu, uint64_t entry, uint64_t sp)
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    uint32_t ds = x->is64 ? 0 : USER32_DS;

    memset(x->r, 0, sizeof x->r);
    memset(x->xmm, 0, sizeof x->xmm);
    memset(x->ymmh, 0, sizeof x->ymmh);
    memset(x->segbase, 0, sizeof x->segbase);
    memset(x->tls, 0, sizeof x->tls);
    x->sel[SEG_CS] = x->is64 ? USER64_CS : USER32_CS;
    x->sel[SEG_SS] = x->is64 ? USER_DS : USER32_DS;
    x->sel[SEG_DS] = x->sel[SEG_ES] = ds;
    x->sel[SEG_FS] = x->sel[SEG_GS] = 0;
    x86_set_eflags(cpu, FL_IF);
    x86_set_mxcsr(cpu, 0x1f80);
    x86_mode_update(x);
    x->r[R_RSP] = sp;
    cpu->pc = entry;
}
static void clone_child(CPU *cpu)
{
    x86_cpu_rw(cpu)->r[R_RAX] = 0;
}

/* -- faults ----------------------------------------------------------------------------------------------------------------- */
static int vector_signal(unsigned vec, int *si_code)
{
    *si_code = SI_KERNEL;
    switch (vec) {
    case VEC_DE: *si_code = FPE_INTDIV; return SIGFPE;
    case VEC_DB: *si_code = TRAP_TRACE; return SIGTRAP;
    case VEC_BP: return SIGTRAP;
    case VEC_MF: case VEC_XM: *si_code = FPE_FLTINV; return SIGFPE;
    case VEC_AC: *si_code = BUS_ADRALN; return SIGBUS;
    default: return SIGSEGV;
    }
}
static int exc_signal(CPU *cpu, enum cpu_exc exc, uint32_t code, int *si_code, uint64_t *addr)
{
    *addr = cpu->pc;
    switch (exc) {
    case EXC_ILLEGAL: *si_code = ILL_ILLOPN; return SIGILL;
    case EXC_FAULT:
        *addr = cpu->v->fault_addr;
        *si_code = code & EXF_BUS ? BUS_ADRERR : code & EXF_ACCERR ? SEGV_ACCERR : SEGV_MAPERR;
        return code & EXF_BUS ? SIGBUS : SIGSEGV;
    case EXC_GUEST: {
        int sig = vector_signal(code, si_code);
        if (*si_code == SI_KERNEL) *addr = 0;
        return sig;
    }
    default: *si_code = SI_KERNEL; *addr = 0; return SIGSEGV;
    }
}

static int sig_setup(CPU *cpu, const struct guest_signal *s, uint64_t vdso_sigreturn)
{
    return -EFAULT;
}
static size_t min_sigstack(const CPU *cpu)
{
    return 2048;
}
static int sig_return(CPU *cpu, uint64_t mask[2], uint64_t alt[3])
{
    return -EFAULT;
}
static uint64_t hwcap(const CPU *cpu, int which)
{
    uint32_t out[4];
    if (which) return 2; /* HWCAP2_FSGSBASE */
    x86_cpuid(x86_cpu(cpu), 1, 0, out);
    return out[REG_EDX];
}
static const char *platform64(const CPU *cpu)
{
    return "x86_64";
}
static const char *platform32(const CPU *cpu)
{
    return "i686";
}

enum { ARCH_PRCTL = 158 };
static int64_t arch_prctl(CPU *cpu, const uint64_t args[6])
{
    enum { SET_GS = 0x1001, SET_FS, GET_FS, GET_GS };
    struct x86_cpu *x = x86_cpu_rw(cpu);
    unsigned seg = args[0] == SET_GS || args[0] == GET_GS ? SEG_GS : SEG_FS;

    switch (args[0]) {
    case SET_FS: case SET_GS:
        if (args[1] >> 47) return -EPERM;
        x->segbase[seg] = args[1];
        x->sel[seg] = 0;
        return 0;
    case GET_FS: case GET_GS: return gmem_write(cpu->v->mem, args[1], &x->segbase[seg], 8, NULL);
    }
    return -EINVAL;
}
static bool syscall64(CPU *cpu, uint64_t nr, const uint64_t args[6], int64_t *ret)
{
    if (nr != ARCH_PRCTL) return false;
    *ret = arch_prctl(cpu, args);
    return true;
}

const struct guest_linux x86_64_linux = {
    .abi = LINUX_ABI_X86_64, .min_page = 4096, .uname_machine = "x86_64", .interp_prefix = "x86_64-linux-gnu",
    .sys_args = sys_args64, .sys_ret = sys_ret64, .sys_restart = sys_restart, .get_sp = get_sp, .set_sp = set_sp,
    .set_tls = set_tls64, .get_tls = get_tls64, .tls_dtv = 8, .start = start, .clone_child = clone_child, .sig_setup = sig_setup,
    .sig_return = sig_return, .exc_signal = exc_signal, .hwcap = hwcap, .min_sigstack = min_sigstack, .platform = platform64, .syscall = syscall64,
};
const struct guest_linux i386_linux = {
    .abi = LINUX_ABI_I386, .min_page = 4096, .uname_machine = "i686", .interp_prefix = "i386-linux-gnu",
    .sys_args = sys_args32, .sys_ret = sys_ret32, .sys_restart = sys_restart, .get_sp = get_sp, .set_sp = set_sp,
    .set_tls = set_tls32, .get_tls = get_tls32, .tls_dtv = 4, .start = start, .clone_child = clone_child, .sig_setup = sig_setup,
    .sig_return = sig_return, .exc_signal = exc_signal, .hwcap = hwcap, .min_sigstack = min_sigstack, .platform = platform32,
};
