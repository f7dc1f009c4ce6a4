/*
 * linux_frame.c: signal frames of x86-64 and i386. Layouts: UAPI asm/sigcontext.h, asm/ucontext.h; where the pieces lie on the stack: as
 * observed. The FP state is XSAVE's standard form between its two magic numbers, or the FXSAVE area alone; i386 puts FSAVE's in front.
 */
#include <signal.h>
#include "feat.h"
#include "linux_frame.h"
#include "mem/mem.h"

enum { SIG_SIGINFO = 4, SIG_RESTORER = 0x04000000 };
enum { MAGIC1 = 0x46505853, MAGIC2 = 0x46505845, SW_AT = 464, FSAVE_BYTES = 112, REDZONE = 128 };

struct sw_bytes { /* struct _fpx_sw_bytes */
    uint32_t magic1, extended_size;
    uint64_t features;
    uint32_t xstate_size, pad[7];
};
_Static_assert(sizeof(struct sw_bytes) == 48, "as the kernel lays it out");

/* -- FP state --------------------------------------------------------------------------------------------------------------- */
static bool has_xsave(const struct x86_cpu *x)
{
    return x86_has(x, F_XSAVE);
}
static unsigned fp_bytes(const struct x86_cpu *x)
{
    return has_xsave(x) ? x86_xsave_size(x) + 4 : XS_LEGACY;
}

static int put_fp(CPU *cpu, uint64_t at)
{
    const struct x86_cpu *x = x86_cpu(cpu);
    uint8_t buf[XS_MAX + 4];
    uint32_t magic2 = MAGIC2;

    if (!has_xsave(x)) {
        x86_fx_put(x, buf, x->is64);
    } else {
        struct sw_bytes sw = { MAGIC1, fp_bytes(x) + (x->is64 ? 0 : FSAVE_BYTES), x->xcr0, x86_xsave_size(x), { 0 } };
        x86_xsave_put(x, buf);
        memcpy(buf + SW_AT, &sw, sizeof sw);
        memcpy(buf + sw.xstate_size, &magic2, 4);
    }
    return gmem_write(cpu->v->mem, at, buf, fp_bytes(x), NULL) ? -EFAULT : 0;
}

/* A frame whose magic numbers are gone holds the FXSAVE area. */
static int get_fp(CPU *cpu, uint64_t at)
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    uint8_t buf[XS_MAX + 4];
    struct sw_bytes sw;
    uint32_t magic2;

    if (!at) return 0;
    if (gmem_read(cpu->v->mem, buf, at, XS_LEGACY, NULL)) return -EFAULT;
    memcpy(&sw, buf + SW_AT, sizeof sw);
    if (has_xsave(x) && sw.magic1 == MAGIC1 && sw.xstate_size == x86_xsave_size(x)) {
        if (gmem_read(cpu->v->mem, buf + XS_LEGACY, at + XS_LEGACY, fp_bytes(x) - XS_LEGACY, NULL)) return -EFAULT;
        memcpy(&magic2, buf + sw.xstate_size, 4);
        if (magic2 == MAGIC2) return x86_xsave_get(x, buf, sw.features & x->xcr0) ? 0 : -EFAULT;
    }
    return x86_fx_get(x, buf, x->is64, XS_X87 | XS_SSE) ? 0 : -EFAULT;
}

/* -- what a fault was ------------------------------------------------------------------------------------------------------- */
struct trap {
    uint32_t number, error;
    uint64_t cr2;
};
static struct trap trap_of(const struct vcpu *v, const struct guest_signal *s)
{
    switch (s->sig) {
    case SIGSEGV: case SIGBUS: case SIGFPE: case SIGILL: case SIGTRAP: break;
    default: return (struct trap){ 0 };
    }
    switch (v->exc) {
    case EXC_FAULT:
        return (struct trap){ VEC_PF, (v->exc_code & EXF_ACCERR ? 1u : 0) | (v->exc_code & EXF_WRITE ? 2 : 0) | 4 | (v->exc_code & EXF_EXEC ? 16 : 0),
                              v->fault_addr };
    case EXC_ILLEGAL: return (struct trap){ .number = VEC_UD };
    case EXC_GUEST: return (struct trap){ .number = v->exc_code & 31 };
    default: return (struct trap){ 0 };
    }
}

static uint64_t stack_for(const CPU *cpu, const struct guest_signal *s, unsigned redzone)
{
    return s->on_alt ? s->alt_sp + s->alt_size : x86_cpu(cpu)->r[R_RSP] - redzone;
}
static bool off_stack(const struct guest_signal *s, uint64_t frame)
{
    return s->on_alt && (frame < s->alt_sp || frame - s->alt_sp > s->alt_size);
}

/* -- x86-64 ------------------------------------------------------------------------------------------------------------------- */
struct context64 {
    uint64_t r[8], di, si, bp, bx, dx, ax, cx, sp, ip, flags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
};
struct frame64 {
    uint64_t pretcode, uc_flags, uc_link, ss_sp;
    uint32_t ss_flags, pad;
    uint64_t ss_size;
    struct context64 mc;
    uint64_t mask;
    uint8_t info[128];
};
_Static_assert(sizeof(struct context64) == 256 && sizeof(struct frame64) == 440, "as the kernel lays it out");
/* The registers of r[], in context's order of their names. */
enum { UC_FP_XSTATE = 1, UC_SS = 2, UC_STRICT_SS = 4 };

static void fill64(const CPU *cpu, struct context64 *c, const struct guest_signal *s)
{
    const struct x86_cpu *x = x86_cpu(cpu);
    struct trap tr = trap_of(cpu->v, s);
    const uint64_t *r = x->r;

    memcpy(c->r, r + 8, sizeof c->r);
    c->di = r[R_RDI], c->si = r[R_RSI], c->bp = r[R_RBP], c->bx = r[R_RBX];
    c->dx = r[R_RDX], c->ax = r[R_RAX], c->cx = r[R_RCX], c->sp = r[R_RSP];
    c->ip = cpu->pc;
    c->flags = x86_eflags(cpu);
    c->cs = (uint16_t)x->sel[SEG_CS], c->ss = (uint16_t)x->sel[SEG_SS];
    c->err = tr.error, c->trapno = tr.number, c->cr2 = tr.cr2;
    c->oldmask = s->mask[0];
}

/* A handler starts with these flags clear, and with floating point as after reset: what was pending is in its frame. */
static void enter(CPU *cpu, uint64_t handler)
{
    x86_fp_reset(x86_cpu_rw(cpu));
    x86_set_eflags(cpu, x86_eflags(cpu) & ~(uint32_t)(FL_DF | FL_RF | FL_TF));
    cpu->pc = handler;
}

int x86_sig_setup64(CPU *cpu, const struct guest_signal *s, uint64_t vdso_sigreturn)
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    uint64_t sp = stack_for(cpu, s, REDZONE), fp = ALIGN_DOWN(sp - fp_bytes(x), 64ull);
    uint64_t at = ALIGN_DOWN(fp - sizeof(struct frame64), 16ull) - 8;
    struct frame64 f = { .pretcode = s->restorer, .uc_flags = UC_SS | UC_STRICT_SS | (has_xsave(x) ? UC_FP_XSTATE : 0), .ss_sp = s->alt_sp,
                         .ss_flags = s->alt_flags, .ss_size = s->alt_size, .mask = s->mask[0] };

    if (!(s->flags & SIG_RESTORER) || off_stack(s, at)) return -EFAULT;
    fill64(cpu, &f.mc, s);
    f.mc.fpstate = fp;
    memcpy(f.info, s->siginfo, sizeof f.info);
    if (put_fp(cpu, fp) || gmem_write(cpu->v->mem, at, &f, sizeof f, NULL)) return -EFAULT;
    x->r[R_RAX] = 0;
    x->r[R_RDI] = (uint64_t)s->sig;
    x->r[R_RSI] = at + offsetof(struct frame64, info);
    x->r[R_RDX] = at + offsetof(struct frame64, uc_flags);
    x->r[R_RSP] = at;
    x->sel[SEG_CS] = USER64_CS;
    x->sel[SEG_SS] = USER_DS;
    enter(cpu, s->handler);
    return 0;
}

static void restore_flags(CPU *cpu, uint64_t v)
{
    x86_set_eflags(cpu, (x86_eflags(cpu) & ~(uint32_t)FL_USER) | ((uint32_t)v & FL_USER));
}

int x86_sig_return64(CPU *cpu, uint64_t mask[2], uint64_t alt[3])
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    uint64_t *r = x->r;
    struct frame64 f;

    if (gmem_read(cpu->v->mem, &f, r[R_RSP] - 8, sizeof f, NULL) || get_fp(cpu, f.mc.fpstate)) return -EFAULT;
    const struct context64 *c = &f.mc;
    memcpy(r + 8, c->r, sizeof c->r);
    r[R_RDI] = c->di, r[R_RSI] = c->si, r[R_RBP] = c->bp, r[R_RBX] = c->bx;
    r[R_RDX] = c->dx, r[R_RAX] = c->ax, r[R_RCX] = c->cx, r[R_RSP] = c->sp;
    cpu->pc = c->ip;
    restore_flags(cpu, c->flags);
    mask[0] = f.mask;
    alt[0] = f.ss_sp, alt[1] = f.ss_flags, alt[2] = f.ss_size;
    return 0;
}

/* -- i386 ----------------------------------------------------------------------------------------------------------------- */
struct context32 {
    uint16_t gs, gsh, fs, fsh, es, esh, ds, dsh;
    uint32_t di, si, bp, sp, bx, dx, cx, ax, trapno, err, ip;
    uint16_t cs, csh;
    uint32_t flags, sp_at_signal;
    uint16_t ss, ssh;
    uint32_t fpstate, oldmask, cr2;
};
struct frame32 {
    uint32_t pretcode, sig;
    struct context32 mc;
    uint8_t fp_unused[624];
    uint32_t extramask;
    uint8_t retcode[8];
};
struct rt_frame32 {
    uint32_t pretcode, sig, pinfo, puc;
    uint8_t info[128];
    uint32_t uc_flags, uc_link, ss_sp, ss_flags, ss_size;
    struct context32 mc;
    uint32_t mask[2];
    uint8_t retcode[8];
};
_Static_assert(sizeof(struct context32) == 88 && sizeof(struct frame32) == 732 && sizeof(struct rt_frame32) == 268, "the same");
/* What the trampolines are, for debuggers: pop eax; mov eax, 119; int 0x80, and mov eax, 173; int 0x80. */
static const uint8_t old_code[8] = { 0x58, 0xb8, 119, 0, 0, 0, 0xcd, 0x80 }, rt_code[8] = { 0xb8, 173, 0, 0, 0, 0xcd, 0x80, 0 };

/* struct _fpstate_32's first part: FSAVE's form, then status and magic 0 ("FXSAVE follows"). */
static int put_fp32(CPU *cpu, uint64_t at)
{
    uint8_t head[FSAVE_BYTES] = { 0 };
    x86_fsave_put(x86_cpu(cpu), head);
    memcpy(head + 108, head + 4, 2);
    return gmem_write(cpu->v->mem, at, head, sizeof head, NULL) ? -EFAULT : put_fp(cpu, at + FSAVE_BYTES);
}

static void fill32(const CPU *cpu, struct context32 *c, const struct guest_signal *s, uint64_t fp)
{
    const struct x86_cpu *x = x86_cpu(cpu);
    struct trap tr = trap_of(cpu->v, s);
    const uint64_t *r = x->r;

    c->gs = (uint16_t)x->sel[SEG_GS], c->fs = (uint16_t)x->sel[SEG_FS], c->es = (uint16_t)x->sel[SEG_ES], c->ds = (uint16_t)x->sel[SEG_DS];
    c->di = (uint32_t)r[R_RDI], c->si = (uint32_t)r[R_RSI], c->bp = (uint32_t)r[R_RBP], c->sp = c->sp_at_signal = (uint32_t)r[R_RSP];
    c->bx = (uint32_t)r[R_RBX], c->dx = (uint32_t)r[R_RDX], c->cx = (uint32_t)r[R_RCX], c->ax = (uint32_t)r[R_RAX];
    c->trapno = tr.number, c->err = tr.error, c->cr2 = (uint32_t)tr.cr2;
    c->ip = (uint32_t)cpu->pc;
    c->cs = (uint16_t)x->sel[SEG_CS], c->ss = (uint16_t)x->sel[SEG_SS];
    c->flags = x86_eflags(cpu);
    c->fpstate = (uint32_t)fp;
    c->oldmask = (uint32_t)s->mask[0];
}

static uint64_t frame_at32(uint64_t fp, size_t bytes)
{
    return ALIGN_DOWN(fp - bytes + 4, 16ull) - 4;
}

static int rt_setup32(CPU *cpu, const struct guest_signal *s, uint64_t fp, uint64_t at, uint64_t restorer)
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    struct rt_frame32 f = { .pretcode = (uint32_t)restorer, .sig = (uint32_t)s->sig, .uc_flags = has_xsave(x) ? UC_FP_XSTATE : 0,
                            .ss_sp = (uint32_t)s->alt_sp, .ss_flags = s->alt_flags, .ss_size = (uint32_t)s->alt_size,
                            .mask = { (uint32_t)s->mask[0], (uint32_t)(s->mask[0] >> 32) } };

    f.pinfo = (uint32_t)(at + offsetof(struct rt_frame32, info));
    f.puc = (uint32_t)(at + offsetof(struct rt_frame32, uc_flags));
    memcpy(f.info, s->siginfo, sizeof f.info);
    memcpy(f.retcode, rt_code, sizeof f.retcode);
    fill32(cpu, &f.mc, s, fp);
    if (gmem_write(cpu->v->mem, at, &f, sizeof f, NULL)) return -EFAULT;
    x->r[R_RDX] = f.pinfo;
    x->r[R_RCX] = f.puc;
    return 0;
}
static int old_setup32(CPU *cpu, const struct guest_signal *s, uint64_t fp, uint64_t at, uint64_t restorer)
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    struct frame32 f = { .pretcode = (uint32_t)restorer, .sig = (uint32_t)s->sig, .extramask = (uint32_t)(s->mask[0] >> 32) };

    memcpy(f.retcode, old_code, sizeof f.retcode);
    fill32(cpu, &f.mc, s, fp);
    if (gmem_write(cpu->v->mem, at, &f, sizeof f, NULL)) return -EFAULT;
    x->r[R_RDX] = x->r[R_RCX] = 0;
    return 0;
}

int x86_sig_setup32(CPU *cpu, const struct guest_signal *s, uint64_t vdso_sigreturn)
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    bool rt = s->flags & SIG_SIGINFO;
    uint64_t sp = stack_for(cpu, s, 0), fx = ALIGN_DOWN(sp - fp_bytes(x), 64ull), fp = fx - FSAVE_BYTES;
    uint64_t at = frame_at32(fp, rt ? sizeof(struct rt_frame32) : sizeof(struct frame32));
    uint64_t restorer = s->flags & SIG_RESTORER ? s->restorer : vdso_sigreturn + (rt ? 0 : 16);

    if (sp > UINT32_MAX || at > sp || off_stack(s, at) || put_fp32(cpu, fp)) return -EFAULT;
    int r = rt ? rt_setup32(cpu, s, fp, at, restorer) : old_setup32(cpu, s, fp, at, restorer);
    if (r) return r;
    x->r[R_RAX] = (uint64_t)s->sig;
    x->r[R_RSP] = at;
    for (unsigned seg = SEG_ES; seg <= SEG_DS; seg++) x86_load_seg(x, seg, seg == SEG_CS ? USER32_CS : USER32_DS);
    enter(cpu, s->handler);
    return 0;
}

static int restore32(CPU *cpu, const struct context32 *c)
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    uint64_t *r = x->r;

    if (get_fp(cpu, c->fpstate ? c->fpstate + (uint64_t)FSAVE_BYTES : 0)) return -EFAULT;
    if (!x86_load_seg(x, SEG_GS, c->gs) || !x86_load_seg(x, SEG_FS, c->fs) || !x86_load_seg(x, SEG_ES, c->es) ||
        !x86_load_seg(x, SEG_DS, c->ds))
        return -EFAULT;
    r[R_RDI] = c->di, r[R_RSI] = c->si, r[R_RBP] = c->bp, r[R_RSP] = c->sp;
    r[R_RBX] = c->bx, r[R_RDX] = c->dx, r[R_RCX] = c->cx, r[R_RAX] = c->ax;
    cpu->pc = c->ip;
    restore_flags(cpu, c->flags);
    return 0;
}

int x86_sig_return32(CPU *cpu, uint64_t mask[2], uint64_t alt[3])
{
    struct rt_frame32 f;

    if (gmem_read(cpu->v->mem, &f, x86_cpu(cpu)->r[R_RSP] - 4, sizeof f, NULL) || restore32(cpu, &f.mc)) return -EFAULT;
    mask[0] = f.mask[0] | (uint64_t)f.mask[1] << 32;
    alt[0] = f.ss_sp, alt[1] = f.ss_flags, alt[2] = f.ss_size;
    return 0;
}

/* The trampoline has taken two words off the stack. */
int x86_old_sig_return(CPU *cpu, uint64_t mask[2], uint64_t alt[3])
{
    struct frame32 f;

    if (gmem_read(cpu->v->mem, &f, x86_cpu(cpu)->r[R_RSP] - 8, sizeof f, NULL) || restore32(cpu, &f.mc)) return -EFAULT;
    mask[0] = f.mc.oldmask | (uint64_t)f.extramask << 32;
    alt[2] = ~0ull;
    return 0;
}

size_t x86_min_sigstack(const CPU *cpu)
{
    const struct x86_cpu *x = x86_cpu(cpu);
    return x->is64 ? ALIGN_UP(sizeof(struct frame64) + fp_bytes(x) + REDZONE + 64 + 24, 16u)
                   : ALIGN_UP(sizeof(struct frame32) + FSAVE_BYTES + fp_bytes(x) + 64 + 20, 16u);
}
