/*
 * trap.c: exceptions, interrupts, input lines, reset (volume II, "Machine-Level ISA", "Supervisor-Level ISA", "Hypervisor Extension";
 * Sstc; Smaia, Ssaia where interrupts have priorities). Known gaps: double traps, NMIs, debug mode.
 */
#include <stdio.h>
#include "mem/mem.h"
#include "sysreg.h"

/* -- what is pending ------------------------------------------------------------------------------------------------- */
uint64_t riscv_mip(const struct riscv_cpu *r)
{
    uint64_t ip = __atomic_load_n(&r->s.lines, __ATOMIC_RELAXED) | __atomic_load_n(&r->s.ip, __ATOMIC_RELAXED);
    if (!riscv_h(r)) return ip;
    uint64_t hgeip = __atomic_load_n(&r->s.hgeip, __ATOMIC_RELAXED), vgein = (r->s.hstatus & HS_VGEIN) >> 12;
    ip |= __atomic_load_n(&r->s.hvip, __ATOMIC_RELAXED);
    if (hgeip & r->s.hgeie) ip |= IRQ(IRQ_SGEI);
    if (vgein && hgeip >> vgein & 1) ip |= IRQ(IRQ_VSEI);
    return ip;
}

/* The order of "Interrupt Priorities": external, software, timer, of the higher mode first. */
int riscv_default_pick(uint64_t pending)
{
    static const uint8_t order[] = {
        IRQ_MEI, IRQ_MSI, IRQ_MTI, IRQ_SEI, IRQ_SSI, IRQ_STI, IRQ_SGEI, IRQ_VSEI, IRQ_VSSI, IRQ_VSTI, IRQ_LCOFI
    };
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        if (pending & IRQ(order[i])) return order[i];
    return -1;
}

int riscv_irq_find(const struct riscv_cpu *r, enum hart_level *level)
{
    uint64_t pending = riscv_mip(r) & __atomic_load_n(&r->s.mie, __ATOMIC_RELAXED), deleg = r->s.mideleg;
    uint64_t virtual = r->s.mvip & r->s.mvien & ~deleg; /* AIA: interrupts that machine mode makes up for S mode */
    bool m_on = r->s.priv < PRIV_M || r->s.mstatus & ST_MIE;
    bool s_on = r->s.priv < PRIV_S || r->s.virt || (r->s.priv == PRIV_S && r->s.mstatus & ST_SIE);
    bool vs_on = r->s.virt && (r->s.priv < PRIV_S || r->s.vsstatus & ST_SIE);
    uint64_t vs_mask = riscv_h(r) ? r->s.hideleg : 0, now;
    unsigned prio;
    if (riscv_h(r)) deleg |= IRQ_VS | IRQ(IRQ_SGEI);
    if (m_on && (now = pending & ~deleg)) return *level = LEVEL_M, riscv_aia_pick(r, LEVEL_M, now, &prio);
    if (r->s.priv == PRIV_M) return -1;
    now = (pending & deleg & ~vs_mask) | virtual;
    if (s_on && now) return *level = LEVEL_S, riscv_aia_pick(r, LEVEL_S, now, &prio);
    if (vs_on && (now = pending & deleg & vs_mask)) return *level = LEVEL_VS, riscv_aia_pick(r, LEVEL_VS, now, &prio);
    return -1;
}

void riscv_irq_update(struct riscv_cpu *r)
{
    enum hart_level level;
    if (!(riscv_mip(r) & r->s.mie) && !(r->s.mvip & r->s.mvien)) return;
    if (riscv_irq_find(r, &level) >= 0) sys_kick(&r->c);
}

static bool has_work(const CPU *cpu)
{
    const struct riscv_cpu *r = riscv_cpu(cpu);
    return (riscv_mip(r) & __atomic_load_n(&r->s.mie, __ATOMIC_RELAXED)) || r->s.mvip & r->s.mvien;
}

static void set_line(CPU *cpu, unsigned line, bool level)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    if (line > RISCV_LINE_HGEI && line < RISCV_LINE_HGEI + 64) {
        uint64_t bit = 1ull << (line - RISCV_LINE_HGEI);
        if (level) __atomic_or_fetch(&r->s.hgeip, bit, __ATOMIC_SEQ_CST);
        else __atomic_and_fetch(&r->s.hgeip, ~bit, __ATOMIC_SEQ_CST);
    } else if (line == IRQ_SSI) {
        if (level) __atomic_or_fetch(&r->s.ip, IRQ(IRQ_SSI), __ATOMIC_SEQ_CST);
    } else if (line < 64) {
        if (level) __atomic_or_fetch(&r->s.lines, IRQ(line), __ATOMIC_SEQ_CST);
        else __atomic_and_fetch(&r->s.lines, ~IRQ(line), __ATOMIC_SEQ_CST);
    }
    if (level) sys_kick(cpu);
}

static void timer(CPU *cpu, unsigned n)
{
    riscv_timer_update(riscv_cpu_rw(cpu), n == TIMER_VS ? TIMER_VS : TIMER_S);
    sys_kick(cpu);
}

/* -- taking a trap ---------------------------------------------------------------------------------------------------- */
struct trap {
    unsigned cause;
    bool irq, gva;          /* gva: tval is a guest virtual address */
    uint64_t tval, tval2, tinst;
};

static uint64_t vector(uint64_t tvec, const struct trap *t)
{
    return (tvec & ~3ull) + (t->irq && tvec & 1 ? 4 * t->cause : 0);
}
static uint64_t cause_of(const struct riscv_cpu *r, const struct trap *t)
{
    return t->cause | (t->irq ? 1ull << (riscv_xlen(r) - 1) : 0);
}
static uint64_t flag(uint64_t bit, bool on)
{
    return on ? bit : 0;
}

static void enter_m(struct riscv_cpu *r, const struct trap *t)
{
    uint64_t st = r->s.mstatus & ~(ST_MPIE | ST_MIE | ST_MPP | ST_MPV | ST_GVA);
    st |= flag(ST_MPIE, r->s.mstatus & ST_MIE) | (uint64_t)r->s.priv << ST_MPP_SHIFT;
    if (riscv_h(r)) st |= flag(ST_MPV, r->s.virt) | flag(ST_GVA, t->gva);
    r->s.mstatus = st;
    r->s.mcause = cause_of(r, t);
    r->s.mepc = r->c.pc;
    r->s.mtval = t->tval;
    r->s.mtval2 = t->tval2;
    r->s.mtinst = t->tinst;
    r->s.priv = PRIV_M;
    r->s.virt = false;
    r->c.pc = vector(r->s.mtvec, t);
}

static void enter_s(struct riscv_cpu *r, const struct trap *t)
{
    uint64_t st = r->s.mstatus & ~(ST_SPIE | ST_SIE | ST_SPP);
    r->s.mstatus = st | flag(ST_SPIE, r->s.mstatus & ST_SIE) | flag(ST_SPP, r->s.priv == PRIV_S);
    if (riscv_h(r)) {
        uint64_t hs = r->s.hstatus & ~(HS_SPV | HS_GVA);
        if (r->s.virt) hs = (hs & ~HS_SPVP) | flag(HS_SPVP, r->s.priv == PRIV_S);
        r->s.hstatus = hs | flag(HS_SPV, r->s.virt) | flag(HS_GVA, t->gva);
        r->s.htval = t->tval2;
        r->s.htinst = t->tinst;
    }
    r->s.scause = cause_of(r, t);
    r->s.sepc = r->c.pc;
    r->s.stval = t->tval;
    r->s.priv = PRIV_S;
    r->s.virt = false;
    r->c.pc = vector(r->s.stvec, t);
}

/* VS mode sees the numbers of S-level interrupts. */
static void enter_vs(struct riscv_cpu *r, const struct trap *t)
{
    struct trap vs = *t;
    uint64_t st = r->s.vsstatus & ~(ST_SPIE | ST_SIE | ST_SPP);
    if (t->irq && IRQ(t->cause) & IRQ_VS) vs.cause--;
    r->s.vsstatus = st | flag(ST_SPIE, r->s.vsstatus & ST_SIE) | flag(ST_SPP, r->s.priv == PRIV_S);
    r->s.vscause = cause_of(r, &vs);
    r->s.vsepc = r->c.pc;
    r->s.vstval = t->tval;
    r->s.priv = PRIV_S;
    r->c.pc = vector(r->s.vstvec, &vs);
}

static void enter(struct riscv_cpu *r, const struct trap *t, enum hart_level level)
{
    r->c.res_addr = ~0ull;
    if (level == LEVEL_M) enter_m(r, t);
    else if (level == LEVEL_S) enter_s(r, t);
    else enter_vs(r, t);
    if (r->rv32) r->c.pc = (uint32_t)r->c.pc;
    r->c.mode = (r->c.mode & MODE_F) | riscv_sysmode(r);
    soft_switch(&r->c);
    LOG(LOG_INT, "trap %s%u to %s, pc %#llx tval %#llx\n", t->irq ? "interrupt " : "", t->cause,
        level == LEVEL_M ? "M" : level == LEVEL_S ? "S" : "VS", (unsigned long long)r->c.pc, (unsigned long long)t->tval);
}

static enum hart_level exception_level(const struct riscv_cpu *r, unsigned cause)
{
    if (r->s.priv == PRIV_M || !(r->s.medeleg >> cause & 1)) return LEVEL_M;
    return r->s.virt && r->s.hedeleg >> cause & 1 ? LEVEL_VS : LEVEL_S;
}

/* -- instructions that trapped ------------------------------------------------------------------------------------------- */
static bool fetch16(CPU *cpu, uint64_t pc, uint16_t *out)
{
    struct walk w;
    return soft_translate(cpu, VIEW_MAIN, pc, EXF_EXEC, &w) && space_read(cpu->v->space, w.phys, out, 2) == 2;
}
/* The instruction at pc; 0 if it cannot be read any more. */
static uint32_t insn_at(CPU *cpu, uint64_t pc)
{
    uint16_t lo = 0, hi = 0;
    if (riscv_cpu(cpu)->rv32) pc = (uint32_t)pc;
    if (!fetch16(cpu, pc, &lo)) return 0;
    if ((lo & 3) != 3) return lo;
    uint64_t next = riscv_cpu(cpu)->rv32 ? (uint32_t)(pc + 2) : pc + 2;
    return fetch16(cpu, next, &hi) ? lo | (uint32_t)hi << 16 : 0;
}

/*
 * The transformed instruction of a load, store or atomic: no immediate, and in rs1's place how far into the access the fault is (0 here).
 * Compressed ones are not transformed: 0 is allowed for all.
 */
static uint64_t transformed(uint32_t insn)
{
    switch (insn & 0x7f) {
    case 0x03: return insn & 0x00007fff;
    case 0x23: return insn & 0x01f0707f;
    case 0x07: return (insn >> 12 & 7) - 1 < 4 ? insn & 0x00007fff : 0; /* not vectors */
    case 0x27: return (insn >> 12 & 7) - 1 < 4 ? insn & 0x01f0707f : 0;
    case 0x2f: return insn & 0xfff07fff;
    case 0x73: return (insn & 0x7000) == 0x4000 ? insn & 0xfff07fff : 0; /* hlv, hsv */
    default: return 0;
    }
}

/* slli x0, x0, 0x1f; ebreak; srai x0, x0, 7, all uncompressed. */
static bool is_semihosting(CPU *cpu)
{
    uint64_t pc = cpu->pc;
    const struct riscv_cpu *r = riscv_cpu(cpu);
    if (!r->semihosting || (r->semihosting == 1 && r->s.priv == PRIV_U)) return false;
    return insn_at(cpu, pc) == 0x00100073 && insn_at(cpu, pc - 4) == 0x01f01013 && insn_at(cpu, pc + 4) == 0x40705013;
}

static void memory_trap(CPU *cpu, enum cpu_exc exc, struct trap *t)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    t->tval = cpu->v->fault_addr & riscv_xmask(r);
    t->gva = r->s.virt;
    if (exc == EXC_ALIGN) { /* atomics only */
        uint32_t insn = insn_at(cpu, cpu->pc);
        t->cause = insn >> 27 == 2 ? EX_LOAD_ALIGN : EX_STORE_ALIGN;
        return;
    }
    t->cause = r->s.flt_cause;
    t->gva = r->s.flt_gva;
    t->tval2 = r->s.flt_gpa >> 2;
    t->tinst = r->s.flt_tinst;
    bool fetch = t->cause == EX_INSN_PAGE || t->cause == EX_INSN_ACCESS || t->cause == EX_INSN_GUEST;
    if (!t->tinst && !fetch && riscv_h(r)) t->tinst = transformed(insn_at(cpu, cpu->pc));
}

/* ecall: the trap is taken by a helper, and generated code goes on at the handler. */
uint64_t riscv_ecall(struct riscv_cpu *r)
{
    struct trap t = { .cause = r->s.priv == PRIV_S && r->s.virt ? EX_ECALL_VS : EX_ECALL_U + r->s.priv };
    enter(r, &t, exception_level(r, t.cause));
    riscv_irq_update(r); /* it may have come to where an interrupt is enabled */
    return r->c.pc;
}

static enum sys_next exception(CPU *cpu, enum cpu_exc exc)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    struct trap t = { 0 };
    switch (exc) {
    case EXC_BREAK:
        if (is_semihosting(cpu)) {
            cpu->pc = (cpu->pc + 4) & riscv_xmask(r);
            cpu->v->exc = EXC_GUEST;
            cpu->v->exc_code = GX_SEMIHOST;
            return SYS_LEAVE;
        }
        t.cause = EX_BREAK;
        t.tval = cpu->pc;
        t.gva = r->s.virt;
        break;
    case EXC_ILLEGAL:
        t.cause = EX_ILLEGAL;
        t.tval = insn_at(cpu, cpu->pc);
        break;
    case EXC_FAULT: case EXC_ALIGN: memory_trap(cpu, exc, &t); break;
    case EXC_GUEST:
        if (cpu->v->exc_code != GX_VIRTUAL) return SYS_LEAVE;
        t.cause = EX_VIRTUAL;
        t.tval = insn_at(cpu, cpu->pc);
        break;
    default: return SYS_LEAVE;
    }
    enter(r, &t, exception_level(r, t.cause));
    return SYS_GO;
}

static bool interrupt(CPU *cpu)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    enum hart_level level;
    int n = riscv_irq_find(r, &level);
    if (n < 0) return false;
    struct trap t = { .cause = (unsigned)n, .irq = true };
    enter(r, &t, level);
    return true;
}

/* -- reset, start --------------------------------------------------------------------------------------------------------- */
static void reset(CPU *cpu)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    unsigned geilen = r->s.geilen;
    memset(r->x, 0, sizeof r->x);
    memset(r->f, 0, sizeof r->f);
    memset(r->v, 0, sizeof r->v);
    memset(&r->s, 0, sizeof r->s);
    r->s.geilen = geilen;
    r->s.priv = PRIV_M;
    r->s.stimecmp = r->s.vstimecmp = UINT64_MAX;
    /* flags are updated in page tables until someone asks for faults instead, unless Svade is what the hart has */
    if (riscv_has_ext(r, EXT_svadu) && !riscv_has_ext(r, EXT_svade)) r->s.menvcfg = ENV_ADUE;
    if (riscv_h(r)) {
        r->s.mideleg = IRQ_VS | IRQ(IRQ_SGEI);
        r->s.henvcfg = r->s.menvcfg;
        r->s.hstatus = r->rv32 ? 0 : HS_VSXL;
    }
    r->frm = r->vxrm = r->vxsat = 0;
    r->vl = r->vstart = r->vtype = 0;
    r->vill = 1;
    cpu->fp.flags = 0;
    cpu->res_addr = ~0ull;
    cpu->pc = cpu->v->reset_pc;
    r->x[R_A0] = cpu->v->index;
    r->x[R_A0 + 1] = cpu->v->reset_arg & riscv_xmask(r);
    if (cpu->v->host && cpu->v->host->timer) {
        cpu->v->host->timer(cpu->v->host_ctx, cpu, TIMER_S, UINT64_MAX);
        cpu->v->host->timer(cpu->v->host_ctx, cpu, TIMER_VS, UINT64_MAX);
    }
    riscv_pmp_sync(r);
    riscv_sync(r);
    soft_switch(cpu);
}

/* As SBI's hart_start: S mode (M if there is none), interrupts off, no translation; a0 = hart, a1 = arg. */
static void start(CPU *cpu, uint64_t pc, uint64_t arg, uint64_t how UNUSED)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    reset(cpu);
    if (riscv_has_ext(r, EXT_s)) r->s.priv = PRIV_S;
    cpu->pc = pc & riscv_xmask(r);
    r->x[R_A0 + 1] = arg & riscv_xmask(r);
    riscv_sync(r);
    soft_switch(cpu);
}

static void describe(CPU *cpu, const char *what, void (*out)(void *ctx, const char *line), void *ctx)
{
    const struct riscv_cpu *r = riscv_cpu(cpu);
    static const char *const names[] = { "U", "S", "?", "M" };
    char line[1200];
    if (!strcmp(what, "isa")) {
        riscv_isa_string(cpu, line, sizeof line);
        out(ctx, line);
    } else if (!strcmp(what, "mmu-type")) {
        if (riscv_mmu_type(cpu)) out(ctx, riscv_mmu_type(cpu));
    } else if (!strcmp(what, "registers")) {
        snprintf(line, sizeof line, "privilege %s%s", r->s.virt ? "V" : "", names[r->s.priv & 3]);
        out(ctx, line);
        for (unsigned i = 0; i < riscv_csr_count(); i++) {
            const struct csr *c = riscv_csr_row(i);
            if (c->num < 0x100 || c->num >= 0xb00 || c->base || riscv_csr_find(r, c->num) != c) continue;
            uint64_t v = riscv_csr_get(r, c);
            if (!v) continue;
            snprintf(line, sizeof line, "%-14s %016llx", c->name, (unsigned long long)v);
            out(ctx, line);
        }
    }
}

/* Numbers are causes; those without a name are no inputs. */
static const char *const lines[] = { "", "ssip", "", "msip", "", "stip", "", "mtip", "", "seip", "", "meip", NULL };

const struct guest_sys riscv_sys = {
    .reset = reset, .walk = riscv_walk, .space_key = riscv_space_key, .asid_mask = KEY_ASID_MASK, .bus_error = riscv_bus_error,
    .exception = exception, .interrupt = interrupt, .has_work = has_work, .set_line = set_line, .lines = lines, .timer = timer,
    .start = start, .describe = describe, .semihosting = riscv_sys_semihosting,
};
