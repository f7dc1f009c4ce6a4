/*
 * linux.c: Linux user mode on AArch64: system call registers, signal frames, hwcaps, prctl, cpuinfo, vdso. Layouts are those
 * of the UAPI headers asm/sigcontext.h, asm/ucontext.h, asm/hwcap.h, linux/prctl.h.
 * Known gaps: no SVE, ZA or other records behind extra_context; they are skipped when a frame brings them.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include "cpu/guest_linux.h"
#include "cpu/vdso.h"
#include "mem/mem.h"
#include "xl.h"

/* -- system calls ----------------------------------------------------------------------------------------------------------- */
/* With the tagged address ABI on, pointers come with tags. What looks like one (a tag, the user half) is stripped; no other
 * argument of a system call has such a value. */
static void sys_args(CPU *cpu, uint64_t *nr, uint64_t args[6])
{
    const struct arm_cpu *a = arm_cpu(cpu);
    *nr = (uint32_t)a->x[8];
    for (unsigned i = 0; i < 6; i++) {
        args[i] = a->x[i];
        if (a->tagged_addr && !(args[i] >> 55 & 1)) args[i] &= bits_mask(56);
    }
}
static void sys_ret(CPU *cpu, int64_t ret)
{
    arm_cpu_rw(cpu)->x[0] = (uint64_t)ret;
}
static void sys_restart(CPU *cpu, uint64_t nr, uint64_t arg0)
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    cpu->pc -= 4;
    a->x[8] = nr;
    a->x[0] = arg0;
}
static uint64_t get_sp(const CPU *cpu)
{
    return arm_cpu(cpu)->sp;
}
static void set_sp(CPU *cpu, uint64_t sp)
{
    arm_cpu_rw(cpu)->sp = sp;
}
static void set_tls(CPU *cpu, uint64_t tls)
{
    arm_cpu_rw(cpu)->tpidr = tls;
}
static uint64_t get_tls(const CPU *cpu)
{
    return arm_cpu(cpu)->tpidr;
}
static void start(CPU *cpu, uint64_t entry, uint64_t sp)
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    memset(a->x, 0, sizeof a->x);
    memset(a->q, 0, sizeof a->q);
    arm_set_nzcv(cpu, 0);
    arm_set_fpcr(cpu, 0);
    arm_set_fpsr(cpu, 0);
    a->tpidr = a->tpidrro = 0;
    a->sp = sp;
    cpu->pc = entry;
}
static void shared(CPU *cpu)
{
    if (arm_has(arm_cpu(cpu), ARM_LSE2)) cpu->mode |= MODE_SHARED;
}
static void clone_child(CPU *cpu)
{
    arm_cpu_rw(cpu)->x[0] = 0;
    cpu->res_addr = ~0ull;
}

/* -- faults ----------------------------------------------------------------------------------------------------------------- */
static uint64_t xreg(const struct arm_cpu *a, unsigned n)
{
    return n == 31 ? a->sp : a->x[n];
}
/* The registers an access at pc makes its address from: loads and stores have Rn in bits 9:5, and Rm in the register-offset
 * form; cache maintenance has Rt. False if the instruction is neither. */
static bool address_registers(CPU *cpu, uint64_t *rn, uint64_t *rm)
{
    const struct arm_cpu *a = arm_cpu(cpu);
    uint32_t insn;

    *rm = 0;
    if (gmem_read(cpu->v->mem, &insn, cpu->pc, 4, NULL)) return false;
    if ((insn & 0x0a000000) == 0x08000000) {
        *rn = xreg(a, insn >> 5 & 31);
        if ((insn & 0x3b200c00) == 0x38200800 && (insn >> 16 & 31) != 31) *rm = a->x[insn >> 16 & 31];
        return true;
    }
    if ((insn & 0xfff80000) == 0xd5080000 && (insn & 31) != 31) {
        *rn = a->x[insn & 31];
        return true;
    }
    return false;
}

/*
 * Top byte ignore. A tagged address is not canonical on the host, so its first use faults there; from then on this CPU runs in
 * a mode in which every address is stripped. A program counter with a tag is simply stripped.
 */
static bool fault_retry(CPU *cpu)
{
    uint64_t rn, rm, pc = (uint64_t)bits_sext(cpu->pc, 56);

    if (pc != cpu->pc && !(pc >> 63)) {
        cpu->pc = pc;
        return true;
    }
    if (cpu->mode & MODE_TBI || !address_registers(cpu, &rn, &rm)) return false;
    if (!((rn | rm) >> 56)) return false;
    cpu->mode |= MODE_TBI;
    return true;
}

/* HLT #0xf000 */
static bool semihost(CPU *cpu, enum cpu_exc exc)
{
    uint32_t insn = 0;
    if (exc != EXC_ILLEGAL || gmem_fetch(cpu->v->mem, cpu->pc, (uint8_t *)&insn, 4) != 4 || insn != 0xd45e0000) return false;
    cpu->pc += 4;
    return true;
}

static int exc_signal(CPU *cpu, enum cpu_exc exc, uint32_t code, int *si_code, uint64_t *addr)
{
    uint64_t rm;

    *addr = cpu->pc;
    switch (exc) {
    case EXC_ILLEGAL: *si_code = ILL_ILLOPC; return SIGILL;
    case EXC_BREAK: *si_code = TRAP_BRKPT; return SIGTRAP;
    case EXC_ALIGN:
        if (!(cpu->pc & 3)) address_registers(cpu, addr, &rm);
        *si_code = BUS_ADRALN;
        return SIGBUS;
    case EXC_FAULT:
        *addr = cpu->v->fault_addr;
        *si_code = code & EXF_BUS ? BUS_ADRERR : code & EXF_ACCERR ? SEGV_ACCERR : SEGV_MAPERR;
        return code & EXF_BUS ? SIGBUS : SIGSEGV;
    default: *si_code = SI_KERNEL; return SIGSEGV;
    }
}

/* -- signal frames ---------------------------------------------------------------------------------------------------------- */
struct sig_context {
    uint64_t fault_address, regs[31], sp, pc, pstate;
    _Alignas(16) uint8_t reserved[4096];
};
struct sig_ucontext {
    uint64_t flags, link, ss_sp;
    uint32_t ss_flags, pad;
    uint64_t ss_size, mask;
    uint8_t unused[120];
    struct sig_context mc;
};
struct sig_frame {
    uint8_t info[128];
    struct sig_ucontext uc;
};
_Static_assert(offsetof(struct sig_frame, uc.mc) == 128 + 176 && offsetof(struct sig_context, reserved) == 288 &&
               sizeof(struct sig_frame) == 4688, "as the kernel lays it out");

struct record {
    uint32_t magic, size;
};
struct fpsimd {
    struct record head;
    uint32_t fpsr, fpcr;
    v128 v[32];
};
struct esr {
    struct record head;
    uint64_t esr;
};
struct extra {
    struct record head;
    uint64_t data;
    uint32_t size, pad[3];
};
enum { FPSIMD_MAGIC = 0x46508001, ESR_MAGIC = 0x45535201, EXTRA_MAGIC = 0x45585401 };

/* With the frame record, and what aligns both. */
static size_t min_sigstack(const CPU *cpu UNUSED)
{
    return sizeof(struct sig_frame) + 16 + 16;
}

/* ESR_EL1 of the abort that a fault was: class, write or read, translation or permission fault at level 3. */
static uint64_t syndrome(const struct vcpu *v)
{
    unsigned fsc = v->exc_code & EXF_BUS ? 0x10 : v->exc_code & EXF_ACCERR ? 0x0f : 0x07;
    if (v->exc_code & EXF_EXEC) return 0x20ull << 26 | 1 << 25 | fsc;
    return 0x24ull << 26 | 1 << 25 | (v->exc_code & EXF_WRITE ? 1 << 6 : 0) | fsc;
}

/* struct user_pt_regs; struct user_fpsimd_state. */
static size_t core_regs(const CPU *cpu, bool fp, uint8_t out[CORE_REGS_MAX])
{
    const struct arm_cpu *a = arm_cpu(cpu);
    if (fp) {
        const uint32_t ctl[4] = { arm_fpsr(cpu), a->fpcr };
        memcpy(out, a->q, sizeof a->q);
        memcpy(out + sizeof a->q, ctl, sizeof ctl);
        return sizeof a->q + sizeof ctl;
    }
    const uint64_t rest[3] = { a->sp, cpu->pc, arm_nzcv(cpu) };
    memcpy(out, a->x, sizeof a->x);
    memcpy(out + sizeof a->x, rest, sizeof rest);
    return sizeof a->x + sizeof rest;
}

static int sig_setup(CPU *cpu, const struct guest_signal *s, uint64_t vdso_sigreturn)
{
    enum { SIG_SIGINFO = 4, SIG_RESTORER = 0x04000000 };
    struct arm_cpu *a = arm_cpu_rw(cpu);
    uint64_t sp = s->on_alt ? s->alt_sp + s->alt_size : a->sp, link[2] = { a->x[29], a->x[30] }, record, frame_at, fault;
    int32_t icode;
    struct sig_frame f = { 0 };
    struct sig_context *mc = &f.uc.mc;

    record = (sp - sizeof link) & ~15ull;
    frame_at = record - sizeof f;
    if (s->on_alt && frame_at - s->alt_sp > s->alt_size) return -EFAULT;
    memcpy(f.info, s->siginfo, sizeof f.info);
    memcpy(&icode, f.info + 8, 4);
    memcpy(&fault, f.info + 16, 8);
    f.uc.ss_sp = s->alt_sp;
    f.uc.ss_flags = s->alt_flags;
    f.uc.ss_size = s->alt_size;
    f.uc.mask = s->mask[0];
    memcpy(mc->regs, a->x, sizeof a->x);
    mc->sp = a->sp;
    mc->pc = cpu->pc;
    mc->pstate = arm_pstate(cpu);

    struct fpsimd fp = { { FPSIMD_MAGIC, sizeof fp }, arm_fpsr(cpu), a->fpcr, { { 0 } } };
    memcpy(fp.v, a->q, sizeof fp.v);
    memcpy(mc->reserved, &fp, sizeof fp);
    if ((s->sig == SIGSEGV || s->sig == SIGBUS) && icode > 0 && cpu->v->exc == EXC_FAULT && fault == cpu->v->fault_addr) {
        struct esr e = { { ESR_MAGIC, sizeof e }, syndrome(cpu->v) };
        mc->fault_address = fault;
        memcpy(mc->reserved + sizeof fp, &e, sizeof e);
    }
    if (gmem_write(cpu->v->mem, frame_at, &f, sizeof f, NULL) || gmem_write(cpu->v->mem, record, link, sizeof link, NULL))
        return -EFAULT;

    a->x[0] = (uint64_t)s->sig;
    if (s->flags & SIG_SIGINFO) {
        a->x[1] = frame_at;
        a->x[2] = frame_at + offsetof(struct sig_frame, uc);
    }
    a->x[29] = record;
    a->x[30] = s->flags & SIG_RESTORER ? s->restorer : vdso_sigreturn;
    a->sp = frame_at;
    cpu->pc = s->handler;
    /* entered as if called */
    cpu->mode &= ~(uint32_t)MODE_BTYPE;
    if (arm_has(a, ARM_BTI) && gmem_guarded(cpu->v->mem)) cpu->mode |= 2 << MODE_BTYPE_SHIFT;
    cpu->res_addr = ~0ull;
    return 0;
}

/* Finds the FP record; unknown records make the frame bad, as in the kernel. */
static int find_fpsimd(struct gmem *m, uint64_t at, struct fpsimd *fp)
{
    enum { EXTRA_MAX = 64 * 1024 };
    uint64_t end = at + sizeof ((struct sig_context *)0)->reserved;
    bool have = false, in_extra = false;

    while (end - at >= sizeof(struct record)) {
        struct record r;
        struct extra x = { 0 };
        if (gmem_read(m, &r, at, sizeof r, NULL)) return -EFAULT;
        if (!r.magic) {
            if (r.size) return -EFAULT;
            break;
        }
        if (r.size < 16 || r.size > end - at || r.size & 15) return -EFAULT;
        switch (r.magic) {
        case FPSIMD_MAGIC:
            if (have || r.size != sizeof *fp || gmem_read(m, fp, at, sizeof *fp, NULL)) return -EFAULT;
            have = true;
            break;
        case ESR_MAGIC: break;
        case EXTRA_MAGIC:
            if (in_extra || r.size != sizeof x || gmem_read(m, &x, at, sizeof x, NULL)) return -EFAULT;
            if (x.data & 15 || x.size & 15 || x.size > EXTRA_MAX) return -EFAULT;
            in_extra = true;
            break;
        default: return -EFAULT;
        }
        at += r.size;
        if (r.magic == EXTRA_MAGIC) {
            at = x.data;
            end = x.data + x.size;
        }
    }
    return have ? 0 : -EFAULT;
}

static int sig_return(CPU *cpu, uint64_t mask[2], uint64_t alt[3])
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    struct sig_frame f;
    struct fpsimd fp;
    uint64_t reserved = a->sp + offsetof(struct sig_frame, uc.mc.reserved);

    if (a->sp & 15 || gmem_read(cpu->v->mem, &f, a->sp, offsetof(struct sig_frame, uc.mc.reserved), NULL)) return -EFAULT;
    if (find_fpsimd(cpu->v->mem, reserved, &fp)) return -EFAULT;
    memcpy(a->x, f.uc.mc.regs, sizeof a->x);
    memcpy(a->q, fp.v, sizeof a->q);
    arm_set_fpsr(cpu, fp.fpsr);
    arm_set_fpcr(cpu, fp.fpcr);
    a->sp = f.uc.mc.sp;
    cpu->pc = f.uc.mc.pc;
    arm_set_pstate(cpu, f.uc.mc.pstate);
    mask[0] = f.uc.mask;
    mask[1] = 0;
    alt[0] = f.uc.ss_sp;
    alt[1] = f.uc.ss_flags;
    alt[2] = f.uc.ss_size;
    cpu->res_addr = ~0ull;
    return 0;
}

/* -- what is there ---------------------------------------------------------------------------------------------------------- */
enum { HWCAP_ASIMDHP = 10 };
static uint64_t hwcap(const CPU *cpu, int which)
{
    const struct arm_cpu *a = arm_cpu(cpu);
    uint64_t caps = which == 0 && arm_has(a, ARM_FP16) ? 1u << HWCAP_ASIMDHP : 0;
    for (unsigned i = 0; i < ARM_FEATS; i++)
        if (arm_features[i].hwcap >= 0 && arm_features[i].hwcap / 64 == which && arm_has(a, (enum arm_feat)i))
            caps |= 1ull << arm_features[i].hwcap % 64;
    return caps;
}
static const char *platform(const CPU *cpu UNUSED)
{
    return "aarch64";
}

static const char *cap_name(unsigned bit)
{
    if (bit == HWCAP_ASIMDHP) return "asimdhp";
    for (unsigned i = 0; i < ARM_FEATS; i++)
        if (arm_features[i].hwcap == (int)bit) return arm_features[i].cpuinfo;
    return "";
}
static size_t cpuinfo(const CPU *cpu, unsigned index, char *buf, size_t size)
{
    uint32_t midr = arm_cpu(cpu)->midr;
    char caps[1024] = "";
    size_t n = 0;

    for (unsigned bit = 0; bit < 128; bit++)
        if (hwcap(cpu, (int)bit / 64) >> bit % 64 & 1 && n < sizeof caps)
            n += (size_t)snprintf(caps + n, sizeof caps - n, " %s", cap_name(bit));
    n = (size_t)snprintf(buf, size,
                         "processor\t: %u\nBogoMIPS\t: 2000.00\nFeatures\t:%s\nCPU implementer\t: 0x%02x\nCPU architecture: 8\n"
                         "CPU variant\t: 0x%x\nCPU part\t: 0x%03x\nCPU revision\t: %u\n\n",
                         index, caps, midr >> 24, midr >> 20 & 15, midr >> 4 & 0xfff, midr & 15);
    return MIN(n, size ? size - 1 : 0);
}

/* -- prctl: pointer authentication keys, tagged addresses ------------------------------------------------------------------- */
static int64_t reset_keys(struct arm_cpu *a, const uint64_t args[5])
{
    unsigned all = arm_has(a, ARM_PAuth) ? 15 : 0;
    if (arm_has(a, ARM_PACGA)) all |= 1u << KEY_GA;
    if (!all || args[1] & ~(uint64_t)all || args[2] || args[3] || args[4]) return -EINVAL;
    arm_random_keys(a, args[1] ? (unsigned)args[1] : all);
    return 0;
}
static bool prctl(CPU *cpu, const uint64_t args[5], int64_t *ret)
{
    enum { PAC_RESET_KEYS = 54, SET_TAGGED = 55, GET_TAGGED = 56, PAC_SET_ENABLED = 60, PAC_GET_ENABLED = 61, ADDRESS_KEYS = 15 };
    struct arm_cpu *a = arm_cpu_rw(cpu);
    bool pauth = arm_has(a, ARM_PAuth);

    switch (args[0]) {
    case PAC_RESET_KEYS: *ret = reset_keys(a, args); return true;
    case PAC_SET_ENABLED:
        *ret = !pauth || args[1] & ~(uint64_t)ADDRESS_KEYS || args[2] & ~args[1] || args[3] || args[4] ? -EINVAL : 0;
        if (!*ret) cpu->mode = (cpu->mode | (uint32_t)args[1] * MODE_PAC_OFF) & ~((uint32_t)args[2] * MODE_PAC_OFF);
        return true;
    case PAC_GET_ENABLED:
        *ret = !pauth || args[1] || args[2] || args[3] || args[4] ? -EINVAL : (int64_t)(~(cpu->mode / MODE_PAC_OFF) & ADDRESS_KEYS);
        return true;
    case SET_TAGGED:
        *ret = args[1] & ~1ull || args[2] || args[3] || args[4] ? -EINVAL : 0;
        if (!*ret) a->tagged_addr = args[1];
        return true;
    case GET_TAGGED: *ret = args[1] || args[2] || args[3] || args[4] ? -EINVAL : a->tagged_addr; return true;
    default: return false;
    }
}

/* -- vdso ------------------------------------------------------------------------------------------------------------------- */
#define MOV_X8(n) (0xd2800008u | (uint32_t)(n) << 5)
enum { SVC = 0xd4000001u, RET = 0xd65f03c0u };
static const struct vdso_fn functions[] = {
    /* unwinders know the trampoline by these two instructions */
    { "__kernel_rt_sigreturn", { MOV_X8(139), SVC }, 2 },
    { "__kernel_clock_gettime", { MOV_X8(113), SVC, RET }, 3 },
    { "__kernel_clock_getres", { MOV_X8(114), SVC, RET }, 3 },
    { "__kernel_gettimeofday", { MOV_X8(169), SVC, RET }, 3 },
    { NULL, { 0 }, 0 },
};
static uint8_t image[VDSO_BYTES];
static void build_vdso(void)
{
    vdso_build(image, &(struct vdso_desc){ .machine = 183, .elf_class = 2, .version = "LINUX_2.6.39", .fn = functions });
}
static const void *vdso(size_t *size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, build_vdso);
    *size = sizeof image;
    return image;
}

const struct guest_linux aarch64_linux = {
    .abi = LINUX_ABI_GENERIC64, .min_page = 4096, .uname_machine = "aarch64", .interp_prefix = "aarch64-linux-gnu",
    .prot_guard = 0x10 /* PROT_BTI */, .guard_note = { 0xc0000000, 1 }, /* GNU_PROPERTY_AARCH64_FEATURE_1_AND: BTI */
    .sys_args = sys_args, .sys_ret = sys_ret, .sys_restart = sys_restart, .get_sp = get_sp, .set_sp = set_sp, .set_tls = set_tls,
    .get_tls = get_tls, .tls_dtv = 0, .tls_block = 16,
    .start = start, .shared = shared, .clone_child = clone_child, .sig_setup = sig_setup, .min_sigstack = min_sigstack, .core_regs = core_regs, .sig_return = sig_return, .exc_signal = exc_signal, .semihost = semihost,
    .fault_retry = fault_retry, .hwcap = hwcap, .platform = platform, .vdso = vdso, .prctl = prctl, .cpuinfo = cpuinfo,
};
