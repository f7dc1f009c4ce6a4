/*
 * host.c: the x86-64 back end as the engine sees it: start-up, thunks between C and generated code, chaining,
 * faults.
 *
 * Thunks, at the start of the code cache:
 *   enter        (CPU *, code): C registers away, frame, CPU pointer, MXCSR, pinned registers; jumps to code
 *   leave        eax = exception: pinned registers to their homes, then leave_homes: MXCSR, frame, back to
 * enter's caller exit, miss   out of a direct exit (rax = slot), of an indirect one (pc is stored) trap, slow
 * to C with all registers saved: leaving through a deopt map; one operation evaluated by C fold, fpload
 * sticky flags of MXCSR into cpu->fp.flags (they stay in MXCSR: or-ing twice does no harm and loading it is
 * slow); MXCSR from cpu->fp.rm
 */
#include "host/x86_64/priv.h"
#include "host/x86_64/asm.h"

#include <cpuid.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum {
    OFF_V = offsetof(CPU, v),
    OFF_FP = offsetof(CPU, fp),
    OFF_FLAGS = OFF_FP + offsetof(struct cpu_fp, flags),
    OFF_RM = OFF_FP + offsetof(struct cpu_fp, rm),
    OFF_X86 = OFF_FP + offsetof(struct cpu_fp, x86),
    OFF_CTL = OFF_FP + offsetof(struct cpu_fp, host_ctl),
    OFF_SAVE = OFF_FP + offsetof(struct cpu_fp, host_save)
};
enum { MXCSR_MASKED = 0x1f80, MXCSR_FLAGS = 0x3f, MXCSR_IE = 1, MXCSR_DE = 2, MXCSR_REST = 0x3c /* ZE OE UE PE */ };
/* MXCSR.RC of RM_RNE..RM_RMM, two bits each; to-nearest-away is not the host's: such regions use fpu/
 * (ir->fp.slow). */
enum { RC_OF_RM = 0 << 2 * RM_RNE | 3 << 2 * RM_RTZ | 1 << 2 * RM_RDN | 2 << 2 * RM_RUP | 0 << 2 * RM_RMM };

/* --- features
 * ----------------------------------------------------------------------------------------------------------------
 */
static uint64_t xgetbv0(void)
{
    uint32_t a, d;
    __asm__ volatile("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return a | (uint64_t)d << 32;
}

static void detect(void)
{
    unsigned a, b, c, d, max;
    struct x86_features f = {0};
    __cpuid(0, max, b, c, d); /* a hypervisor may take microseconds for each */
    __cpuid(1, a, b, c, d);
    bool os_avx = (c >> 27 & 1) && (xgetbv0() & 6) == 6, os_avx512 = os_avx && (xgetbv0() & 0xe6) == 0xe6;
    f.pclmul = c >> 1 & 1, f.cx16 = c >> 13 & 1, f.sse42 = c >> 20 & 1, f.movbe = c >> 22 & 1,
    f.popcnt = c >> 23 & 1, f.aes = c >> 25 & 1;
    f.avx = os_avx && c >> 28 & 1, f.fma = f.avx && c >> 12 & 1, f.f16c = f.avx && c >> 29 & 1;
    if (max >= 7) {
        __cpuid_count(7, 0, a, b, c, d);
        f.bmi1 = b >> 3 & 1, f.avx2 = f.avx && b >> 5 & 1, f.bmi2 = b >> 8 & 1, f.adx = b >> 19 & 1,
        f.gfni = c >> 8 & 1;
        bool avx512 = os_avx512 && b >> 16 & 1;
        f.avx512dq = avx512 && b >> 17 & 1, f.avx512bw = avx512 && b >> 30 & 1,
        f.avx512vl = avx512 && b >> 31;
        f.avx512_bitalg = avx512 && c >> 12 & 1, f.avx512_fp16 = avx512 && d >> 23 & 1;
        f.avx512cd = avx512 && b >> 28 & 1;
        f.fsgsbase = b & 1 && getauxval(AT_HWCAP2) & 2;
    }
    __cpuid(0x80000001, a, b, c, d); /* every 64-bit CPU has it */
    f.lzcnt = c >> 5 & 1;
    x86 = f;
}

/* --- thunks
 * --------------------------------------------------------------------------------------------------------------------
 */
static void push(struct gen *g, unsigned r)
{
    if (r & 8) a_u8(g, 0x41);
    a_u8(g, 0x50 | (r & 7));
}
static void pop(struct gen *g, unsigned r)
{
    if (r & 8) a_u8(g, 0x41);
    a_u8(g, 0x58 | (r & 7));
}
static void ldmxcsr(struct gen *g, struct opnd m)
{
    a_rm(g, M_0F | 0xae, 2, m, 0);
}
static void stmxcsr(struct gen *g, struct opnd m)
{
    a_rm(g, M_0F | 0xae, 3, m, 0);
}
static void ret(struct gen *g)
{
    a_u8(g, 0xc3);
}

static void call_c(struct gen *g, uintptr_t fn)
{
    a_mov_ri(g, RAX, fn);
    a_call_r(g, RAX);
}

static void emit_enter_leave(struct gen *g, struct x86_host *h)
{
    static const uint8_t saved[] = {RBX, RBP, R12, R13, R14, R15};
    h->t_enter = g->p;
    for (unsigned i = 0; i < ARRAY_LEN(saved); i++)
        push(g, saved[i]);
    a_alui(g, ALU_SUB, 64, o_reg(RSP), FRAME);
    a_lea(g, 64, RBP, o_mem(RDI, CPU_BIAS));
    stmxcsr(g, o_cpu(OFF_SAVE));
    ldmxcsr(g, o_cpu(OFF_CTL));
    for (unsigned i = 0; i < h->npins; i++)
        load_from(g, (enum ir_type)h->env.regs[h->pin_id[i]].type, h->pin_reg[i],
                  o_cpu(h->env.regs[h->pin_id[i]].offset), true);
    a_jmp_o(g, o_reg(RSI));

    h->t_leave = g->p;
    for (unsigned i = 0; i < h->npins; i++)
        store_to(g, (enum ir_type)h->env.regs[h->pin_id[i]].type, o_cpu(h->env.regs[h->pin_id[i]].offset),
                 h->pin_reg[i], true);
    h->t_leave_homes = g->p;
    a_mov_rr(g, 32, RBX, RAX);
    a_call_to(g, h->t_fold);
    a_mov_rr(g, 32, RAX, RBX);
    ldmxcsr(g, o_cpu(OFF_SAVE));
    a_alui(g, ALU_ADD, 64, o_reg(RSP), FRAME);
    for (unsigned i = ARRAY_LEN(saved); i-- > 0;)
        pop(g, saved[i]);
    ret(g);
}

static void emit_exits(struct gen *g, struct x86_host *h)
{
    h->t_exit = g->p;
    a_load(g, 64, RCX, o_mem(RAX, offsetof(struct exit_slot, pc)));
    a_store(g, 64, o_cpu(offsetof(CPU, pc)), RCX);
    a_load(g, 32, RCX, o_mem(RAX, offsetof(struct exit_slot, mode)));
    a_store(g, 32, o_cpu(offsetof(CPU, mode)), RCX);
    a_load(g, 64, RCX, o_cpu(OFF_V));
    a_store(g, 64, o_mem(RCX, offsetof(struct vcpu, chain_from)), RAX);
    a_alu(g, ALU_XOR, 32, RAX, o_reg(RAX));
    a_jmp_to(g, h->t_leave);

    /* the same for an exit that is never chained: chain_from stays empty */
    h->t_far = g->p;
    a_load(g, 64, RCX, o_mem(RAX, offsetof(struct exit_slot, pc)));
    a_store(g, 64, o_cpu(offsetof(CPU, pc)), RCX);
    a_load(g, 32, RCX, o_mem(RAX, offsetof(struct exit_slot, mode)));
    a_store(g, 32, o_cpu(offsetof(CPU, mode)), RCX);
    h->t_miss = g->p;
    a_alu(g, ALU_XOR, 32, RAX, o_reg(RAX));
    a_load(g, 64, RCX, o_cpu(OFF_V));
    a_store(g, 64, o_mem(RCX, offsetof(struct vcpu, chain_from)), RAX);
    a_jmp_to(g, h->t_leave);
}

/* All registers into struct regs at rsp; sp = distance to the frame. */
static void save_regs(struct gen *g, int32_t sp)
{
    for (unsigned r = 0; r < 16; r++)
        if (r != RSP) a_store(g, 64, o_mem(RSP, (int32_t)(r * 8)), r);
    for (unsigned r = 0; r < 16; r++)
        a_storex(g, 16, o_mem(RSP, (int32_t)(128 + r * 16)), XMM0 + r);
    a_lea(g, 64, RAX, o_mem(RSP, sp));
    a_store(g, 64, o_mem(RSP, RSP * 8), RAX);
    a_lea(g, 64, RDI, o_mem(RBP, -CPU_BIAS));
    a_mov_rr(g, 64, RSI, RSP);
}

enum { AREA = sizeof(struct regs) };

/* Called from generated code: 8 bytes of return address and 8 of padding above the area. */
static void enter_slow(struct gen *g)
{
    a_alui(g, ALU_SUB, 64, o_reg(RSP), AREA + 8);
    save_regs(g, AREA + 16);
}

static void restore_regs(struct gen *g)
{
    for (unsigned r = 0; r < 16; r++)
        a_loadx(g, 16, XMM0 + r, o_mem(RSP, (int32_t)(128 + r * 16)));
    for (unsigned r = 0; r < 16; r++)
        if (r != RSP) a_load(g, 64, r, o_mem(RSP, (int32_t)(r * 8)));
}

static void emit_to_c(struct gen *g, struct x86_host *h)
{
    _Static_assert(AREA == 128 + 256, "layout of struct regs");
    h->t_trap = g->p;
    a_alui(g, ALU_SUB, 64, o_reg(RSP), AREA);
    save_regs(g, AREA);
    a_load(g, 32, RDX, o_mem(RSP, AREA + FR_ID));
    a_load(g, 64, RCX, o_mem(RSP, AREA + FR_REGION));
    a_mov_ri(g, R8, (uintptr_t)h);
    call_c(g, (uintptr_t)x86_trap);
    a_alui(g, ALU_ADD, 64, o_reg(RSP), AREA);
    a_jmp_to(g, h->t_leave_homes);

    h->t_slow = g->p;
    enter_slow(g);
    a_load(g, 32, RAX, o_mem(RSP, AREA + 16 + FR_ID));
    a_mov_ri(g, RDX, (uintptr_t)h->base + (uintptr_t)h->delta);
    a_alu(g, ALU_ADD, 64, RDX, o_reg(RAX));
    call_c(g, (uintptr_t)x86_slow);
    restore_regs(g);
    a_alui(g, ALU_ADD, 64, o_reg(RSP), AREA + 8);
    ret(g);

    h->t_soft = g->p;
    enter_slow(g);
    a_load(g, 32, RDX, o_mem(RSP, AREA + 16 + FR_ID));
    a_load(g, 64, RCX, o_mem(RSP, AREA + 16 + FR_REGION));
    a_mov_ri(g, R8, (uintptr_t)h);
    call_c(g, (uintptr_t)x86_soft);
    a_rm(g, 0x85, RAX, o_reg(RAX), 0);
    uint8_t *leaves = a_jcc_fwd(g, CC_NE);
    restore_regs(g);
    a_alui(g, ALU_ADD, 64, o_reg(RSP), AREA + 8);
    ret(g);
    a_bind(leaves, g->p);
    a_alui(g, ALU_ADD, 64, o_reg(RSP), AREA + 16);
    a_jmp_to(g, h->t_leave_homes);
}

static void emit_fp(struct gen *g, struct x86_host *h)
{
    struct opnd m = o_mem(RSP, 8 + FR_MXCSR);
    h->t_fold = g->p; /* clobbers rax */
    stmxcsr(g, m);
    a_testi(g, 8, m, MXCSR_FLAGS);
    uint8_t *none = a_jcc8(g, CC_E);
    a_load(g, 32, RAX, m);
    a_alui(g, ALU_AND, 32, o_reg(RAX), MXCSR_REST);
    a_shifti(g, SH_SHR, 32, RAX, 1);
    a_alu_m(g, ALU_OR, 32, o_cpu(OFF_FLAGS), RAX);
    a_load(g, 32, RAX, m);
    a_alui(g, ALU_AND, 32, o_reg(RAX), MXCSR_IE);
    a_alu_m(g, ALU_OR, 32, o_cpu(OFF_FLAGS), RAX);
    a_load(g, 32, RAX, m);
    a_alui(g, ALU_AND, 32, o_reg(RAX), MXCSR_DE);
    a_alu(g, ALU_AND, 32, RAX, o_cpu(OFF_X86));
    a_shifti(g, SH_SHL, 32, RAX, 4);
    a_alu_m(g, ALU_OR, 32, o_cpu(OFF_FLAGS), RAX);
    a_bind8(g, none);
    ret(g);

    h->t_fpload = g->p; /* clobbers rcx, rdx */
    a_load(g, 32, RCX, o_cpu(OFF_RM));
    a_alu(g, ALU_ADD, 32, RCX, o_reg(RCX));
    a_mov_ri(g, RDX, RC_OF_RM);
    a_shift_cl(g, SH_SHR, 32, RDX);
    a_alui(g, ALU_AND, 32, o_reg(RDX), 3);
    a_shifti(g, SH_SHL, 32, RDX, 13);
    a_load(g, 32, RCX, o_cpu(OFF_X86));
    a_alui(g, ALU_AND, 32, o_reg(RCX), CPU_FP_FTZ | CPU_FP_DAZ);
    a_alu(g, ALU_OR, 32, RDX, o_reg(RCX));
    a_alui(g, ALU_OR, 32, o_reg(RDX), MXCSR_MASKED);
    a_store(g, 32, o_cpu(OFF_CTL), RDX);
    ldmxcsr(g, o_cpu(OFF_CTL));
    ret(g);
}

/* --- start-up
 * --------------------------------------------------------------------------------------------------------------------
 */
/* Registers for pinning, best first: those C keeps, then caller-saved ones. */
static const uint8_t pin_order[MAX_PINS] = {RBX, R12, R13, R14, R15, R8, R9, R10, R11};
enum { DEFAULT_PINS = 8 };

static void choose_pins(struct x86_host *h)
{
    unsigned want = h->env.pins == ~0u ? DEFAULT_PINS : MIN(h->env.pins, (unsigned)MAX_PINS);
    memset(h->pin, NOREG, sizeof(h->pin));
    for (int order = 0; order < 128 && h->npins < want; order++)
        for (uint32_t r = 0; r < h->env.nregs && h->npins < want; r++) {
            enum ir_type t = (enum ir_type)h->env.regs[r].type;
            if (h->env.regs[r].pin != order || (t != T_I64 && t != T_I32 && t != T_I1)) continue;
            h->pin_id[h->npins] = (uint16_t)r;
            h->pin_reg[h->npins] = pin_order[h->npins];
            h->pin[r] = pin_order[h->npins++];
        }
    h->temps = 0xffff0000u | RBIT(RAX) | RBIT(RCX) | RBIT(RDX) | RBIT(RSI) | RBIT(RDI) | RBIT(R11);
    for (unsigned i = 0; i < h->npins; i++)
        h->pinned |= RBIT(h->pin_reg[i]);
    h->temps &= ~h->pinned;
}

static void *x86_init(const struct host_env *env, struct code_buf *buf, struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, detect);
    if (buf->end - buf->rw < 4096) {
        err_set(e, ENOMEM, "code cache too small");
        return NULL;
    }
    struct x86_host *h = xalloc(sizeof(*h));
    h->env = *env;
    h->gs = env->guest_base != 0;
    h->base = buf->rw;
    h->delta = buf->delta;
    choose_pins(h);
    struct gen g = {.p = buf->rw, .start = buf->rw, .end = buf->end, .delta = buf->delta, .h = h, .x = &h->x};
    emit_fp(&g, h);
    emit_enter_leave(&g, h);
    emit_exits(&g, h);
    emit_to_c(&g, h);
    buf->rw = (uint8_t *)ALIGN_UP((uintptr_t)g.p, 64);
    return h;
}

static void x86_done(void *hh)
{
    struct x86_host *h = hh;
    struct gen_priv *x = &h->x;
    void *all[] = {x->val,      x->dirty_in, x->label, x->jumps, x->colds, x->pool,
                   x->poolrefs, x->recs,     x->map,   x->slows, x->traps, x->flow, x->softs};
    for (unsigned i = 0; i < ARRAY_LEN(all); i++)
        free(all[i]);
    free(h);
}

static int x86_compile(void *hh, struct ir *ir, struct code_buf *buf, struct region *r)
{
    return gen_region(hh, ir, buf, r);
}

static void x86_release(void *hh UNUSED, struct region *r UNUSED)
{
}

/* --- running
 * ---------------------------------------------------------------------------------------------------------------------
 */
static void x86_fp_sync(CPU *cpu)
{
    cpu->fp.host_ctl = MXCSR_MASKED | (RC_OF_RM >> 2 * (cpu->fp.rm & 7) & 3) << 13 | (cpu->fp.x86 & (CPU_FP_FTZ | CPU_FP_DAZ));
}

/* gs is free in this process: nothing but generated code uses it. Without FSGSBASE it is set once per thread.
 */
static void set_gs(uint64_t base)
{
    static __thread uint64_t current;
    if (current == base) return;
    if (x86.fsgsbase)
        __asm__ volatile("wrgsbase %0" : : "r"(base));
    else
        syscall(SYS_arch_prctl, 0x1001 /* ARCH_SET_GS */, base);
    current = base;
}

static enum cpu_exc x86_enter(void *hh, CPU *cpu, void *code)
{
    struct x86_host *h = hh;
    if (h->gs) set_gs(h->env.guest_base);
    x86_fp_sync(cpu);
    uint64_t (*enter)(CPU *, void *) = (uint64_t(*)(CPU *, void *))(uintptr_t)(h->t_enter + h->delta);
    return (enum cpu_exc)enter(cpu, code);
}

static void x86_unwound(CPU *cpu)
{
    uint32_t m = __builtin_ia32_stmxcsr();
    cpu->fp.flags |= (m & MXCSR_IE) | (m & MXCSR_REST) >> 1 | (m & MXCSR_DE & cpu->fp.x86) << 4;
    __builtin_ia32_ldmxcsr(cpu->fp.host_save);
}

static void x86_patch(void *hh UNUSED, ptrdiff_t delta, struct exit_slot *slot, const struct region *to)
{
    uint8_t *code = (uint8_t *)slot->from->code;
    const uint8_t *target = to ? to->code : code + slot->stub;
    int32_t rel = (int32_t)(target - (code + slot->patch + 4));
    __atomic_store_n((int32_t *)(void *)(code + slot->patch - delta), rel, __ATOMIC_RELEASE);
}

static bool x86_fault(void *hh, CPU *cpu, const struct region *r, void *ucontext, enum cpu_exc exc)
{
    static const uint8_t greg[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                     REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    struct x86_host *h = hh;
    ucontext_t *uc = ucontext;
    if (!r) return false;
    uint64_t pc = (uint64_t)uc->uc_mcontext.gregs[REG_RIP], start = (uintptr_t)r->code;
    if (pc < start || pc - start >= r->code_size) return false;
    struct regs regs;
    for (unsigned i = 0; i < 16; i++)
        regs.gpr[i] = (uint64_t)uc->uc_mcontext.gregs[greg[i]];
    memcpy(regs.xmm, uc->uc_mcontext.fpregs->_xmm, sizeof(regs.xmm));
    if (!deopt_apply(h, cpu, r, (uint32_t)(pc - start), &regs)) return false;
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)(h->t_leave_homes + h->delta);
    uc->uc_mcontext.gregs[REG_RAX] = exc;
    return true;
}

static void x86_dump(void *hh UNUSED, const struct region *r)
{
    const uint8_t *p = r->code;
    for (uint32_t i = 0; i < r->code_size; i += 32) {
        char line[32 * 2 + 1];
        unsigned n = MIN(r->code_size - i, 32u);
        for (unsigned k = 0; k < n; k++)
            snprintf(line + 2 * k, 3, "%02x", p[i + k]);
        log_write("%p: %s\n", (const void *)(p + i), line);
    }
}

const struct host x86_64_host = {
    .name = "x86_64",
    .needs_exec = true,
    .counts = true,
    .init = x86_init,
    .done = x86_done,
    .compile = x86_compile,
    .release = x86_release,
    .enter = x86_enter,
    .patch = x86_patch,
    .fault = x86_fault,
    .dump = x86_dump,
    .fp_sync = x86_fp_sync,
    .unwound = x86_unwound,
};
