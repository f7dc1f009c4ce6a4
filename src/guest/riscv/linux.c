/*
 * linux.c: Linux user mode on RISC-V: system call registers, signal frames, hwcap, hwprobe, cpuinfo. The layouts are those of
 * the UAPI headers asm/ucontext.h, asm/sigcontext.h, asm/ptrace.h, asm/hwprobe.h. Known gaps: none.
 */
#include <stdio.h>
#include <signal.h>
#include "cpu/guest_linux.h"
#include "ext.h"
#include "mem/mem.h"
#include "vdso.h"

/* -- system calls ----------------------------------------------------------------------------------------------- */
static uint64_t narrow(const struct riscv_cpu *r, uint64_t v)
{
    return r->rv32 ? (uint32_t)v : v;
}
static void wr(CPU *cpu, unsigned n, uint64_t v)
{
    riscv_cpu_rw(cpu)->x[n] = narrow(riscv_cpu(cpu), v);
}

static void sys_args(CPU *cpu, uint64_t *nr, uint64_t args[6])
{
    const struct riscv_cpu *r = riscv_cpu(cpu);
    *nr = r->x[R_A7];
    for (unsigned i = 0; i < 6; i++) args[i] = r->x[R_A0 + i];
}
static void sys_ret(CPU *cpu, int64_t ret)
{
    wr(cpu, R_A0, (uint64_t)ret);
}
static void sys_restart(CPU *cpu, uint64_t nr, uint64_t arg0)
{
    cpu->pc = narrow(riscv_cpu(cpu), cpu->pc - 4);
    wr(cpu, R_A7, nr);
    wr(cpu, R_A0, arg0);
}
static uint64_t get_sp(const CPU *cpu)
{
    return riscv_cpu(cpu)->x[R_SP];
}
static void set_sp(CPU *cpu, uint64_t sp)
{
    wr(cpu, R_SP, sp);
}
static void set_tls(CPU *cpu, uint64_t tls)
{
    wr(cpu, R_TP, tls);
}
static uint64_t get_tls(const CPU *cpu)
{
    return riscv_cpu(cpu)->x[R_TP];
}
static void start(CPU *cpu, uint64_t entry, uint64_t sp)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    memset(r->x, 0, sizeof r->x);
    memset(r->f, 0, sizeof r->f);
    wr(cpu, R_SP, sp);
    cpu->pc = entry;
}
static void clone_child(CPU *cpu)
{
    wr(cpu, R_A0, 0);
    cpu->res_addr = ~0ull;
}

/* -- signal frames: struct rt_sigframe { siginfo_t info; struct ucontext uc; } and the vector state after it ---- */
struct layout {
    unsigned word;               /* bytes of a long */
    unsigned sp, flags, size;    /* uc_stack */
    unsigned mask, regs, fp, end;
};
enum {
    INFO = 128, FCSR = 256, EXT_HDR = 520, V_MAGIC = 0x53465457, FRAME_MAX = 1088 + 64 + 32 * VLENB_MAX + 8
};
static const struct layout layout64 = {
    8, INFO + 16, INFO + 24, INFO + 32, INFO + 40, INFO + 176, INFO + 432, INFO + 960,
};
static const struct layout layout32 = {
    4, INFO + 8, INFO + 12, INFO + 16, INFO + 20, INFO + 160, INFO + 288, INFO + 816,
};

static const struct layout *layout(const struct riscv_cpu *r)
{
    return r->rv32 ? &layout32 : &layout64;
}
static void put(uint8_t *p, uint64_t v, unsigned bytes)
{
    memcpy(p, &v, bytes);
}
static uint64_t get(const uint8_t *p, unsigned bytes)
{
    uint64_t v = 0;
    memcpy(&v, p, bytes);
    return v;
}

/* struct __sc_riscv_v_state: vstart, vl, vtype, vcsr, vlenb, a pointer to the registers, which follow. */
static unsigned v_state_bytes(const struct riscv_cpu *r)
{
    return ALIGN_UP(6 * layout(r)->word, 16);
}
static unsigned v_record_bytes(const struct riscv_cpu *r)
{
    return 8 + v_state_bytes(r) + 32u * (r->vlen / 8);
}

static uint64_t vtype_csr(const struct riscv_cpu *r)
{
    return r->vill ? 1ull << (r->rv32 ? 31 : 63) : r->vtype;
}

static unsigned frame_bytes(const struct riscv_cpu *r)
{
    unsigned n = layout(r)->end;
    return riscv_has_ext(r, EXT_zve32x) ? n + v_record_bytes(r) : n;
}

static void fill_v(const struct riscv_cpu *r, uint8_t *hdr, uint64_t addr)
{
    unsigned w = layout(r)->word, size = v_record_bytes(r);
    uint64_t st[6] = { r->vstart, r->vl, vtype_csr(r), r->vxsat | r->vxrm << 1, r->vlen / 8, addr + 8 + v_state_bytes(r) };

    put(hdr, V_MAGIC, 4);
    put(hdr + 4, size, 4);
    for (unsigned i = 0; i < 6; i++) put(hdr + 8 + i * w, st[i], w);
    memcpy(hdr + 8 + v_state_bytes(r), r->v, 32u * (r->vlen / 8));
    memset(hdr + size, 0, 8); /* END_MAGIC */
}

/* With what aligns it. */
static size_t min_sigstack(const CPU *cpu)
{
    return ALIGN_UP(frame_bytes(riscv_cpu(cpu)), 16u) + 16;
}

static int sig_setup(CPU *cpu, const struct guest_signal *s, uint64_t vdso_sigreturn)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    const struct layout *l = layout(r);
    uint8_t frame[FRAME_MAX] = { 0 };
    unsigned bytes = frame_bytes(r);
    uint64_t sp = s->on_alt ? s->alt_sp + s->alt_size : r->x[R_SP];

    sp = narrow(r, (sp - bytes) & ~15ull);
    if (s->on_alt && (sp < s->alt_sp || bytes > s->alt_size)) return -EFAULT;
    memcpy(frame, s->siginfo, INFO);
    put(frame + l->sp, s->alt_sp, l->word);
    put(frame + l->flags, s->alt_flags, 4);
    put(frame + l->size, s->alt_size, l->word);
    put(frame + l->mask, s->mask[0], 8);
    put(frame + l->regs, cpu->pc, l->word);
    for (unsigned i = 1; i < 32; i++) put(frame + l->regs + i * l->word, r->x[i], l->word);
    if (riscv_has_ext(r, EXT_d)) {
        memcpy(frame + l->fp, r->f, 256);
        put(frame + l->fp + FCSR, riscv_fflags(cpu) | r->frm << 5, 4);
    } else if (riscv_has_ext(r, EXT_f)) {
        for (unsigned i = 0; i < 32; i++) put(frame + l->fp + 4 * i, r->f[i], 4);
        put(frame + l->fp + 128, riscv_fflags(cpu) | r->frm << 5, 4);
    }
    if (riscv_has_ext(r, EXT_zve32x)) fill_v(r, frame + l->fp + EXT_HDR, sp + l->fp + EXT_HDR);
    if (gmem_write(cpu->v->mem, sp, frame, bytes, NULL)) return -EFAULT;

    wr(cpu, R_RA, vdso_sigreturn);
    wr(cpu, R_SP, sp);
    wr(cpu, R_A0, (uint64_t)s->sig);
    wr(cpu, R_A0 + 1, sp);
    wr(cpu, R_A0 + 2, sp + INFO);
    cpu->pc = narrow(r, s->handler);
    cpu->res_addr = ~0ull;
    riscv_sync(r);
    return 0;
}

/* The registers are changed only when the whole frame has been read. */
static int restore_v(struct riscv_cpu *r, const uint8_t *hdr, uint64_t addr)
{
    unsigned w = layout(r)->word, bytes = 32u * (r->vlen / 8);
    uint64_t st[6];
    uint8_t v[32 * VLENB_MAX];

    if (get(hdr, 4) != V_MAGIC) return get(hdr, 4) || get(hdr + 4, 4) ? -EFAULT : 0;
    if (!riscv_has_ext(r, EXT_zve32x) || get(hdr + 4, 4) != v_record_bytes(r)) return -EFAULT;
    if (gmem_read(r->c.v->mem, st, addr + 8, 6 * w, NULL)) return -EFAULT;
    if (w == 4)
        for (int i = 5; i >= 0; i--) st[i] = ((uint32_t *)st)[i];
    if (gmem_read(r->c.v->mem, v, st[5], bytes, NULL)) return -EFAULT;
    memcpy(r->v, v, bytes);
    riscv_set_vtype(r, r->rv32 ? (st[2] & 0x7fffffff) | (st[2] & 0x80000000) << 32 : st[2]);
    r->vl = MIN(st[1], riscv_vlmax(r));
    r->vstart = st[0] & (r->vlen - 1u);
    r->vxsat = st[3] & 1;
    r->vxrm = st[3] >> 1 & 3;
    return 0;
}

static int sig_return(CPU *cpu, uint64_t mask[2], uint64_t alt[3])
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    const struct layout *l = layout(r);
    uint8_t frame[1088];
    uint64_t sp = r->x[R_SP], fcsr = 0;

    if (gmem_read(cpu->v->mem, frame, sp, l->end, NULL)) return -EFAULT;
    if (restore_v(r, frame + l->fp + EXT_HDR, sp + l->fp + EXT_HDR)) return -EFAULT;
    cpu->pc = get(frame + l->regs, l->word) & ~1ull;
    for (unsigned i = 1; i < 32; i++) r->x[i] = get(frame + l->regs + i * l->word, l->word);
    if (riscv_has_ext(r, EXT_d)) {
        memcpy(r->f, frame + l->fp, 256);
        fcsr = get(frame + l->fp + FCSR, 4);
    } else if (riscv_has_ext(r, EXT_f)) {
        for (unsigned i = 0; i < 32; i++) r->f[i] = 0xffffffff00000000u | get(frame + l->fp + 4 * i, 4);
        fcsr = get(frame + l->fp + 128, 4);
    }
    riscv_set_fflags(cpu, (uint32_t)fcsr);
    r->frm = fcsr >> 5 & 7;
    mask[0] = get(frame + l->mask, 8);
    mask[1] = 0;
    alt[0] = get(frame + l->sp, l->word);
    alt[1] = get(frame + l->flags, 4);
    alt[2] = get(frame + l->size, l->word);
    cpu->res_addr = ~0ull;
    riscv_sync(r);
    return 0;
}

/* slli x0, x0, 0x1f; ebreak; srai x0, x0, 7, all uncompressed */
static bool semihost(CPU *cpu, enum cpu_exc exc)
{
    uint32_t insn[3] = { 0 };
    if (exc != EXC_BREAK || gmem_fetch(cpu->v->mem, cpu->pc - 4, (uint8_t *)insn, sizeof insn) != sizeof insn) return false;
    if (insn[0] != 0x01f01013 || insn[1] != 0x00100073 || insn[2] != 0x40705013) return false;
    cpu->pc += 4;
    return true;
}

static int exc_signal(CPU *cpu, enum cpu_exc exc, uint32_t code, int *si_code, uint64_t *addr)
{
    *addr = cpu->pc;
    switch (exc) {
    case EXC_ILLEGAL: *si_code = ILL_ILLOPC; return SIGILL;
    case EXC_BREAK: *si_code = TRAP_BRKPT; return SIGTRAP;
    case EXC_ALIGN: *addr = cpu->v->fault_addr, *si_code = BUS_ADRALN; return SIGBUS;
    case EXC_FAULT:
        *addr = cpu->v->fault_addr;
        *si_code = code & EXF_BUS ? BUS_ADRERR : code & EXF_ACCERR ? SEGV_ACCERR : SEGV_MAPERR;
        return code & EXF_BUS ? SIGBUS : SIGSEGV;
    default: *si_code = SI_KERNEL; return SIGSEGV;
    }
}

/* struct user_regs_struct; struct __riscv_d_ext_state. */
static size_t core_regs(const CPU *cpu, bool fp, uint8_t out[CORE_REGS_MAX])
{
    const struct riscv_cpu *r = riscv_cpu(cpu);
    unsigned w = layout(r)->word;
    if (fp) {
        memcpy(out, r->f, 256);
        put(out + FCSR, riscv_fflags(cpu) | r->frm << 5, 4);
        memset(out + FCSR + 4, 0, 4);
        return FCSR + 8;
    }
    put(out, cpu->pc, w);
    for (unsigned i = 1; i < 32; i++) put(out + i * w, r->x[i], w);
    return 32 * w;
}

/* -- what is there ---------------------------------------------------------------------------------------------- */
/* AT_HWCAP: one bit per single-letter extension. */
static uint64_t hwcap(const CPU *cpu, int which)
{
    static const struct { char letter; uint8_t ext; } letters[] = {
        { 'i', EXT_i }, { 'm', EXT_m }, { 'a', EXT_a }, { 'f', EXT_f }, { 'd', EXT_d }, { 'c', EXT_c }, { 'v', EXT_v },
    };
    uint64_t caps = 0;
    for (size_t i = 0; which == 0 && i < ARRAY_LEN(letters); i++)
        if (riscv_has_ext(riscv_cpu(cpu), letters[i].ext)) caps |= 1ull << (letters[i].letter - 'a');
    return caps;
}

static const char *platform(const CPU *cpu UNUSED)
{
    return NULL;
}

static uint64_t ima_ext_0(const struct riscv_cpu *r)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (riscv_exts[i].hwprobe >= 0 && riscv_has_ext(r, i)) bits |= 1ull << riscv_exts[i].hwprobe;
    return bits;
}

/* Keys and values of riscv_hwprobe(2); false: unknown key. */
static bool hwprobe_key(const struct riscv_cpu *r, int64_t key, uint64_t *value)
{
    enum { MISALIGNED_FAST = 3 };
    bool ima = riscv_has_ext(r, EXT_i) && riscv_has_ext(r, EXT_m) && riscv_has_ext(r, EXT_a);
    switch (key) {
    case 0: case 1: case 2: *value = 0; return true;              /* mvendorid, marchid, mimpid */
    case 3: *value = ima; return true;                            /* BASE_BEHAVIOR */
    case 4: *value = ima_ext_0(r); return true;
    case 5: *value = MISALIGNED_FAST; return true;                /* CPUPERF_0 */
    case 6: *value = riscv_has_ext(r, EXT_zicboz) ? r->cbo_size : 0; return true;
    case 7: *value = r->rv32 ? 0xffffffffu : (1ull << 47) - 1; return true; /* HIGHEST_VIRT_ADDRESS */
    case 8: *value = 1000000000; return true;                     /* TIME_CSR_FREQ */
    case 9: case 10: *value = MISALIGNED_FAST; return true;       /* MISALIGNED_SCALAR_PERF, _VECTOR_PERF */
    case 12: *value = riscv_has_ext(r, EXT_zicbom) ? r->cbo_size : 0; return true;
    default: return false;
    }
}

/*
 * All harts are alike, so the CPU set matters only for its validity, and with WHICH_CPUS it stays or becomes empty.
 */
static int64_t hwprobe(CPU *cpu, const uint64_t args[6])
{
    enum { WHICH_CPUS = 1 };
    const struct riscv_cpu *r = riscv_cpu(cpu);
    struct { int64_t key; uint64_t value; } pair;
    bool match = true;

    if (args[4] & ~(uint64_t)WHICH_CPUS) return -EINVAL;
    if (args[4] ? !args[2] || !args[3] : !args[2] != !args[3]) return -EINVAL;
    for (uint64_t i = 0; i < args[1]; i++) {
        uint64_t at = args[0] + i * sizeof pair, value = 0;
        bool known;
        if (gmem_read(cpu->v->mem, &pair, at, sizeof pair, NULL)) return -EFAULT;
        known = hwprobe_key(r, pair.key, &value);
        if (args[4]) {
            bool bits = pair.key >= 3 && pair.key <= 4;
            match &= known && (bits ? (value & pair.value) == pair.value : value == pair.value);
        }
        if (!known) pair.key = -1;
        if (!args[4] || !known) {
            pair.value = value;
            if (gmem_write(cpu->v->mem, at, &pair, sizeof pair, NULL)) return -EFAULT;
        }
    }
    if (args[4] && !match) {
        static const uint8_t none[64];
        for (uint64_t i = 0; i < args[2]; i += sizeof none)
            if (gmem_write(cpu->v->mem, args[3] + i, none, MIN(args[2] - i, sizeof none), NULL)) return -EFAULT;
    }
    return 0;
}

enum { NR_hwprobe = 258, NR_flush_icache = 259 };
static bool sys_extra(CPU *cpu, uint64_t nr, const uint64_t args[6], int64_t *ret)
{
    switch (nr) {
    case NR_hwprobe: *ret = hwprobe(cpu, args); return true;
    case NR_flush_icache:
        /* like fence.i; the kernel does not look at the range either */
        *ret = args[2] & ~1ull ? -EINVAL : 0;
        if (!*ret) engine_icache_flush(cpu->v->engine, 0, ~0ull);
        return true;
    default: return false;
    }
}

/* Vector state is always on and cannot be taken away. */
static bool prctl(CPU *cpu, const uint64_t args[5], int64_t *ret)
{
    enum { SET_CONTROL = 69, GET_CONTROL = 70, SET_ICACHE_FLUSH_CTX = 71, OFF = 1, ON = 2 };
    bool v = riscv_has_ext(riscv_cpu(cpu), EXT_v);
    switch (args[0]) {
    case GET_CONTROL: *ret = v ? ON : -EINVAL; return true;
    case SET_CONTROL:
        *ret = !v || args[1] >> 5 || (args[1] & 3) == 3 ? -EINVAL : (args[1] & 3) == OFF ? -EPERM : 0;
        return true;
    case SET_ICACHE_FLUSH_CTX: *ret = args[1] > 1 || args[2] > 1 ? -EINVAL : 0; return true;
    default: return false;
    }
}

static size_t cpuinfo(const CPU *cpu, unsigned index, char *buf, size_t size)
{
    const struct riscv_cpu *r = riscv_cpu(cpu);
    char isa[1024];
    size_t n = (size_t)snprintf(isa, sizeof isa, "rv%d", r->rv32 ? 32 : 64);

    for (unsigned i = 0; i < EXT_COUNT; i++)
        if (riscv_exts[i].implies && riscv_exts[i].hwprobe >= -1 && riscv_has_ext(r, i) && n < sizeof isa)
            n += (size_t)snprintf(isa + n, sizeof isa - n, "%s%s", riscv_exts[i].name[1] ? "_" : "", riscv_exts[i].name);
    n = (size_t)snprintf(buf, size,
                         "processor\t: %u\nhart\t\t: %u\nisa\t\t: %s\nmmu\t\t: %s\nmvendorid\t: 0x0\nmarchid\t\t: 0x0\n"
                         "mimpid\t\t: 0x0\n\n", index, index, isa, r->rv32 ? "sv32" : "sv48");
    return MIN(n, size ? size - 1 : 0);
}

static const struct { uint64_t nr; const char *name; } names[] = {
    { NR_hwprobe, "riscv_hwprobe" }, { NR_flush_icache, "riscv_flush_icache" }, { 0, NULL },
};

#define COMMON \
    .min_page = 4096, .sys_args = sys_args, .sys_ret = sys_ret, .sys_restart = sys_restart, .get_sp = get_sp, \
    .set_sp = set_sp, .set_tls = set_tls, .get_tls = get_tls, .start = start, .clone_child = clone_child, .sig_setup = sig_setup, .min_sigstack = min_sigstack, .core_regs = core_regs, \
    .sig_return = sig_return, .exc_signal = exc_signal, .semihost = semihost, .hwcap = hwcap, .platform = platform, .syscall = sys_extra, \
    .extra_names = (const void *)names, .prctl = prctl, .cpuinfo = cpuinfo
const struct guest_linux riscv64_linux = {
    .abi = LINUX_ABI_GENERIC64, .uname_machine = "riscv64", .interp_prefix = "riscv64-linux-gnu", .vdso = riscv_vdso64,
    .tls_dtv = -16, COMMON
};
const struct guest_linux riscv32_linux = {
    .abi = LINUX_ABI_GENERIC32, .uname_machine = "riscv32", .interp_prefix = "riscv32-linux-gnu", .vdso = riscv_vdso32,
    .tls_dtv = -8, COMMON
};
