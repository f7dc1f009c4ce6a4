/*
 * linux.c: Linux user mode on x86-64 and i386: system call registers, segments, auxiliary vector, cpuinfo; signal frames are in
 * linux_frame.c. Layouts are those of the UAPI headers asm/ptrace.h, asm/ldt.h, asm/prctl.h.
 * Known gaps: modify_ldt, the FP registers of i386 core files.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include "cpu/guest_linux.h"
#include "cpu/vdso.h"
#include "feat.h"
#include "linux_frame.h"
#include "mem/mem.h"

/* -- segments: what Linux's GDT has for programs ------------------------------------------------------------------------ */
enum { TLS_FIRST64 = 12, TLS_FIRST32 = 6, TLS_COUNT = 3 };

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

bool x86_load_cs(struct x86_cpu *x, uint16_t sel)
{
    uint32_t code;

    if (x->is64) {
        if (sel != USER64_CS && sel != USER32_CS64) return false;
        code = sel == USER64_CS ? MODE_CODE64 : MODE_CODE32 | MODE_LONG;
    } else {
        if (sel != USER32_CS) return false;
        code = MODE_CODE32;
    }
    x->sel[SEG_CS] = sel;
    x->c.mode = (x->c.mode & ~(uint32_t)(MODE_CODE | MODE_LONG)) | code;
    return true;
}

bool x86_describe(const struct x86_cpu *x, uint16_t sel, uint32_t *attr, uint32_t *limit)
{
    unsigned i = (sel >> 3) - tls_first(x);

    *limit = 0xffffffff;
    *attr = 0;
    if (sel == (x->is64 ? USER_DS : USER32_DS)) *attr = 0x00cff300;
    else if (sel == (x->is64 ? USER32_CS64 : USER32_CS)) *attr = 0x00cffb00;
    else if (x->is64 && sel == USER64_CS) *attr = 0x00affb00;
    else if (!(sel & 4) && i < TLS_COUNT && x->tls[i].flags) *attr = 0x00cff300, *limit = x->tls[i].limit;
    return *attr;
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
static void start(CPU *cpu, uint64_t entry, uint64_t sp)
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    uint32_t ds = x->is64 ? 0 : USER32_DS;

    memset(x->r, 0, sizeof x->r);
    memset(x->segbase, 0, sizeof x->segbase);
    memset(x->tls, 0, sizeof x->tls);
    x->sel[SEG_CS] = x->is64 ? USER64_CS : USER32_CS;
    x->sel[SEG_SS] = x->is64 ? USER_DS : USER32_DS;
    x->sel[SEG_DS] = x->sel[SEG_ES] = ds;
    x->sel[SEG_FS] = x->sel[SEG_GS] = 0;
    x86_set_eflags(cpu, FL_IF);
    x86_fp_reset(x);
    x86_mode_update(x);
    x->r[R_RSP] = sp;
    cpu->pc = entry;
}
static void clone_child(CPU *cpu)
{
    x86_cpu_rw(cpu)->r[R_RAX] = 0;
}

/* -- faults ----------------------------------------------------------------------------------------------------------------- */
/* Of what is pending in the x87 unit. */
static int x87_code(const struct x87 *x)
{
    uint32_t e = x->sw & ~x->cw & X80_EXC;
    return e & X80_IE ? FPE_FLTINV : e & X80_ZE ? FPE_FLTDIV : e & X80_OE ? FPE_FLTOVF : e & (X80_DE | X80_UE) ? FPE_FLTUND : FPE_FLTRES;
}
/*
 * The vsyscall page: code calls gettimeofday, time and getcpu at three fixed addresses, which are no memory; what is there behaves as a
 * function. struct timeval, struct timezone, time_t and unsigned are those of the host, which is x86-64 too or as wide.
 */
static bool vsyscall(CPU *cpu)
{
    enum { GETTIMEOFDAY = 0, TIME = 0x400, GETCPU = 0x800 };
    struct x86_cpu *x = x86_cpu_rw(cpu);
    struct gmem *m = cpu->v->mem;
    uint64_t at = cpu->pc - 0xffffffffff600000, *r = x->r, ret, out[2];
    struct timespec ts;
    int bad = 0;

    if (at & ~0xc00ull || at > GETCPU || gmem_read(m, &ret, r[R_RSP], 8, NULL)) return false;
    clock_gettime(CLOCK_REALTIME, &ts);
    r[R_RAX] = at == TIME ? (uint64_t)ts.tv_sec : 0;
    if (at == GETTIMEOFDAY) {
        out[0] = (uint64_t)ts.tv_sec, out[1] = (uint64_t)ts.tv_nsec / 1000;
        if (r[R_RDI]) bad = gmem_write(m, r[R_RDI], out, 16, NULL);
        out[0] = 0;
        if (r[R_RSI]) bad |= gmem_write(m, r[R_RSI], out, 8, NULL);
    } else if (at == TIME) {
        if (r[R_RDI]) bad = gmem_write(m, r[R_RDI], &r[R_RAX], 8, NULL);
    } else {
        out[0] = 0;
        if (r[R_RDI]) bad = gmem_write(m, r[R_RDI], out, 4, NULL);
        if (r[R_RSI]) bad |= gmem_write(m, r[R_RSI], out, 4, NULL);
    }
    if (bad) return false;
    cpu->pc = ret;
    r[R_RSP] += 8;
    return true;
}
static bool fault_retry64(CPU *cpu)
{
    return cpu->v->exc_code & EXF_EXEC && vsyscall(cpu);
}

static int vector_signal(const CPU *cpu, unsigned vec, int *si_code)
{
    *si_code = SI_KERNEL;
    switch (vec) {
    case VEC_DE: *si_code = FPE_INTDIV; return SIGFPE;
    case VEC_DB: *si_code = TRAP_TRACE; return SIGTRAP;
    case VEC_BP: return SIGTRAP;
    case VEC_MF: *si_code = x87_code(&x86_cpu(cpu)->x87); return SIGFPE;
    case VEC_XM: *si_code = FPE_FLTINV; return SIGFPE;
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
        int sig = vector_signal(cpu, code, si_code);
        if (*si_code == SI_KERNEL) *addr = 0;
        return sig;
    }
    default: *si_code = SI_KERNEL; *addr = 0; return SIGSEGV;
    }
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

/* struct user_regs_struct; the FXSAVE area, or on i386 struct user_i387_struct. */
static size_t core_regs(const CPU *cpu, bool fp, uint8_t out[CORE_REGS_MAX])
{
    const struct x86_cpu *x = x86_cpu(cpu);
    const uint64_t *r = x->r;
    uint32_t fl = x86_eflags(cpu);

    if (fp) {
        x86_fx_put(x, out, x->is64);
        return x->is64 ? XS_LEGACY : 0;
    }
    if (x->is64) {
        const uint64_t v[] = { r[15], r[14], r[13], r[12], r[R_RBP], r[R_RBX], r[11], r[10], r[9], r[8], r[R_RAX], r[R_RCX], r[R_RDX],
                               r[R_RSI], r[R_RDI], ~0ull, cpu->pc, x->sel[SEG_CS], fl, r[R_RSP], x->sel[SEG_SS], x->segbase[SEG_FS],
                               x->segbase[SEG_GS], x->sel[SEG_DS], x->sel[SEG_ES], x->sel[SEG_FS], x->sel[SEG_GS] };
        memcpy(out, v, sizeof v);
        return sizeof v;
    }
    const uint64_t v[] = { r[R_RBX], r[R_RCX], r[R_RDX], r[R_RSI], r[R_RDI], r[R_RBP], r[R_RAX], x->sel[SEG_DS], x->sel[SEG_ES],
                           x->sel[SEG_FS], x->sel[SEG_GS], ~0ull, cpu->pc, x->sel[SEG_CS], fl, r[R_RSP], x->sel[SEG_SS] };
    for (unsigned i = 0; i < ARRAY_LEN(v); i++) memcpy(out + 4 * i, &v[i], 4);
    return ARRAY_LEN(v) * 4;
}

static size_t cpuinfo(const CPU *cpu, unsigned index, char *buf, size_t size)
{
    const struct x86_cpu *x = x86_cpu(cpu);
    uint32_t sig = x->signature;
    char flags[1024] = "";
    size_t n = 0;

    for (unsigned i = 0; i < X86_FEATS; i++)
        if (x86_features[i].cpuinfo && x86_has(x, (enum x86_feat)i) && n < sizeof flags)
            n += (size_t)snprintf(flags + n, sizeof flags - n, " %s", x86_features[i].cpuinfo);
    n = (size_t)snprintf(buf, size,
                         "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: Lyrebird x86 CPU\n"
                         "stepping\t: %u\ncpu MHz\t\t: 1000.000\ncache size\t: 1024 KB\nphysical id\t: 0\nsiblings\t: 1\ncore id\t\t: %u\n"
                         "cpu cores\t: 1\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: 21\nwp\t\t: yes\nflags\t\t:%s\n"
                         "bogomips\t: 2000.00\nclflush size\t: 64\naddress sizes\t: 40 bits physical, 48 bits virtual\n\n",
                         index, x->vendor, sig >> 8 & 15, (sig >> 4 & 15) | (sig >> 12 & 0xf0), sig & 15, index, flags);
    return MIN(n, size ? size - 1 : 0);
}

/* -- system calls of the ISA ---------------------------------------------------------------------------------------------- */
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

/* struct user_desc */
struct user_desc {
    uint32_t entry, base, limit, flags;
};
enum { DESC_32 = 1, DESC_CONTENTS = 6, DESC_RO = 8, DESC_PAGES = 16, DESC_ABSENT = 32, DESC_USEABLE = 64 };

/* What has the entry loaded sees the change. */
static void tls_reload(struct x86_cpu *x, unsigned i)
{
    for (unsigned seg = 0; seg < SEGS; seg++)
        if (x->sel[seg] >> 2 == (tls_first(x) + i) * 2) x->segbase[seg] = x->tls[i].base;
    x86_mode_update(x);
}

static int set_thread_area(CPU *cpu, uint64_t addr, bool may_choose)
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    struct user_desc d;
    unsigned i = 0;

    if (gmem_read(cpu->v->mem, &d, addr, sizeof d, NULL)) return -EFAULT;
    if (d.entry == ~0u && may_choose) {
        while (i < TLS_COUNT && x->tls[i].flags) i++;
        if (i == TLS_COUNT) return -ESRCH;
        d.entry = tls_first(x) + i;
        if (gmem_write(cpu->v->mem, addr, &d.entry, 4, NULL)) return -EFAULT;
    }
    i = d.entry - tls_first(x);
    if (i >= TLS_COUNT) return -EINVAL;
    bool empty = !d.base && !d.limit && (d.flags & ~(uint32_t)DESC_USEABLE) == (DESC_RO | DESC_ABSENT);
    x->tls[i] = empty || !d.flags ? (struct x86_tls){ 0 } : (struct x86_tls){ d.base, d.limit, d.flags };
    tls_reload(x, i);
    return 0;
}
static int get_thread_area(CPU *cpu, uint64_t addr)
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    struct user_desc d;

    if (gmem_read(cpu->v->mem, &d, addr, 4, NULL)) return -EFAULT;
    unsigned i = d.entry - tls_first(x);
    if (i >= TLS_COUNT) return -EINVAL;
    d.base = x->tls[i].base, d.limit = x->tls[i].limit;
    d.flags = x->tls[i].flags ? x->tls[i].flags : DESC_RO | DESC_ABSENT;
    return gmem_write(cpu->v->mem, addr, &d, sizeof d, NULL) ? -EFAULT : 0;
}
/* clone with CLONE_SETTLS */
static void set_tls32(CPU *cpu, uint64_t tls)
{
    set_thread_area(cpu, tls, false);
}

static bool syscall64(CPU *cpu, uint64_t nr, const uint64_t args[6], int64_t *ret)
{
    enum { ARCH_PRCTL = 158 };
    if (nr != ARCH_PRCTL) return false;
    *ret = arch_prctl(cpu, args);
    return true;
}
static bool syscall32(CPU *cpu, uint64_t nr, const uint64_t args[6], int64_t *ret)
{
    enum { SET_THREAD_AREA = 243, GET_THREAD_AREA = 244 };
    if (nr == SET_THREAD_AREA) *ret = set_thread_area(cpu, args[0], true);
    else if (nr == GET_THREAD_AREA) *ret = get_thread_area(cpu, args[0]);
    else return false;
    return true;
}

/* -- vdso ------------------------------------------------------------------------------------------------------------------- */
#define MOV_EAX(n) 0xb8u | (uint32_t)(n) << 8, (uint32_t)(n) >> 24 /* and the next three bytes */
#define CALL64(n) { MOV_EAX(n) | 0x0fu << 8 | 0x05u << 16 | 0xc3u << 24 }, 2
static const struct vdso_fn functions64[] = {
    { "__vdso_clock_gettime", CALL64(228) }, { "__vdso_gettimeofday", CALL64(96) }, { "__vdso_time", CALL64(201) },
    { "__vdso_clock_getres", CALL64(229) }, { "__vdso_getcpu", CALL64(309) }, { NULL, { 0 }, 0 },
};
/* The two trampolines are 16 bytes apart (sig_setup32); unwinders know them by their bytes. */
static const struct vdso_fn functions32[] = {
    { "__kernel_rt_sigreturn", { MOV_EAX(173) | 0xcdu << 8 | 0x80u << 16 }, 2 },
    { "__kernel_sigreturn", { 0x58u | 0xb8u << 8 | 119u << 16, 0x80cdu << 16 }, 2 },
    { "__kernel_vsyscall", { 0xcdu | 0x80u << 8 | 0xc3u << 16 }, 1 },
    { NULL, { 0 }, 0 },
};
static uint8_t image64[VDSO_BYTES], image32[VDSO_BYTES];
static void build_vdso(void)
{
    vdso_build(image64, &(struct vdso_desc){ .machine = 62, .elf_class = 2, .version = "LINUX_2.6", .fn = functions64 });
    vdso_build(image32, &(struct vdso_desc){ .machine = 3, .elf_class = 1, .version = "LINUX_2.5", .fn = functions32 });
}
static pthread_once_t vdso_once = PTHREAD_ONCE_INIT;
static const void *vdso64(size_t *size)
{
    pthread_once(&vdso_once, build_vdso);
    *size = sizeof image64;
    return image64;
}
static const void *vdso32(size_t *size)
{
    pthread_once(&vdso_once, build_vdso);
    *size = sizeof image32;
    return image32;
}

const struct guest_linux x86_64_linux = {
    .abi = LINUX_ABI_X86_64, .min_page = 4096, .uname_machine = "x86_64", .interp_prefix = "x86_64-linux-gnu",
    .sys_args = sys_args64, .sys_ret = sys_ret64, .sys_restart = sys_restart, .get_sp = get_sp, .set_sp = set_sp,
    .set_tls = set_tls64, .get_tls = get_tls64, .tls_dtv = 8, .start = start, .clone_child = clone_child,
    .sig_setup = x86_sig_setup64, .sig_return = x86_sig_return64, .min_sigstack = x86_min_sigstack, .exc_signal = exc_signal,
    .fault_retry = fault_retry64, .hwcap = hwcap, .platform = platform64, .vdso = vdso64, .syscall = syscall64, .cpuinfo = cpuinfo, .core_regs = core_regs,
};
const struct guest_linux i386_linux = {
    .abi = LINUX_ABI_I386, .min_page = 4096, .uname_machine = "i686", .interp_prefix = "i386-linux-gnu",
    .sys_args = sys_args32, .sys_ret = sys_ret32, .sys_restart = sys_restart, .get_sp = get_sp, .set_sp = set_sp,
    .set_tls = set_tls32, .get_tls = get_tls32, .tls_dtv = 4, .start = start, .clone_child = clone_child,
    .sig_setup = x86_sig_setup32, .sig_return = x86_sig_return32, .old_sig_return = x86_old_sig_return, .min_sigstack = x86_min_sigstack,
    .exc_signal = exc_signal, .hwcap = hwcap, .platform = platform32, .vdso = vdso32, .syscall = syscall32, .cpuinfo = cpuinfo,
    .core_regs = core_regs,
};
