/*
 * a64_mops.isa.c: memory copy and set, FEAT_MOPS (DDI 0487 C3.2.11, C6 CPYFP, CPYP, SETP). Option A: PSTATE.C = 0, a forward
 * operation has the end addresses in Xd and Xs and minus the bytes left in Xn. The prologue moves nothing, the main part
 * everything, page by page, so that registers are exact at a fault and it can be left for a signal; the epilogue finds 0.
 *
 * Registers that do not fit the option or the stage raise the Memory Copy exception, which an operating system answers by
 * setting them back to what the prologue takes and going on there: restart() does both.
 * Known gaps: no SETG* (MTE).
 */
#include "xl.h"

FMT(opts, mopsopt)
FMT(sopts, mopssopt)

enum { MOPS_SET = 1 << 15, MOPS_EPILOGUE = 1 << 16, MOPS_PAGE = 4096, MOPS_AT_ONCE = 64 * 1024 };

/* -- main and epilogue --------------------------------------------------------------------------------------------------- */
struct mops {
    CPU *cpu;
    uint64_t *d, *s, *n; /* s: NULL for a set */
};

static _Noreturn void restart(const struct mops *m, unsigned back)
{
    const struct arm_cpu *a = arm_cpu(m->cpu);
    uint64_t size = *m->n, delta = 0;

    if (a->cf)
        delta = a->n ? 0 - size : 0; /* option B: the addresses move, backwards with PSTATE.N */
    else if (size >> 63)
        delta = size, *m->n = 0 - size;
    *m->d += delta;
    if (m->s) *m->s += delta;
    m->cpu->pc -= back;
    cpu_raise(m->cpu, EXC_REQUEST, 0, 0);
}

/* The top byte is ignored; what is left of an address beyond the user half faults by itself, without the host's doing. */
static uint64_t mops_addr(CPU *cpu, uint64_t addr, bool write)
{
    addr = (uint64_t)bits_sext(addr, 56);
    if (addr >> 47) cpu_raise(cpu, EXC_FAULT, EXF_MAPERR | (write ? EXF_WRITE : EXF_READ), addr);
    return addr;
}
/* The first byte alone, so that a fault is reported at it. */
static void mops_load(CPU *cpu, uint8_t *buf, uint64_t addr, size_t len)
{
    addr = mops_addr(cpu, addr, false);
    cpu_ld(cpu, addr, MO_8);
    cpu_ldn(cpu, buf, addr, len);
}
static void mops_store(CPU *cpu, const uint8_t *buf, uint64_t addr, size_t len)
{
    addr = mops_addr(cpu, addr, true);
    cpu_st(cpu, addr, *buf, MO_8);
    cpu_stn(cpu, addr + 1, buf + 1, len - 1);
}
static uint64_t in_page(uint64_t addr, bool backward)
{
    return backward ? ((addr - 1) & (MOPS_PAGE - 1)) + 1 : MOPS_PAGE - (addr & (MOPS_PAGE - 1));
}

/* desc: Rd, Rs << 5, Rn << 10, MOPS_*. Whether there is more to do. */
HELPER(bool, mops, (CPU *cpu, uint32_t desc), "fault r=x,n w=x")
{
    struct arm_cpu *a = arm_cpu_rw(cpu);
    struct mops m = { cpu, &a->x[desc & 31], NULL, &a->x[desc >> 10 & 31] };
    unsigned rs = desc >> 5 & 31;
    uint8_t buf[MOPS_PAGE] __attribute__((uninitialized)); /* most copies are short */

    if (!*m.n) return false;
    if (!(desc & MOPS_SET))
        m.s = &a->x[rs];
    else
        memset(buf, rs == 31 ? 0 : (int)(a->x[rs] & 255), MIN(0 - *m.n, sizeof buf));
    if (desc & MOPS_EPILOGUE) restart(&m, 8);
    if (a->cf) restart(&m, 4);
    for (uint64_t done = 0; *m.n && done < MOPS_AT_ONCE;) {
        bool backward = !(*m.n >> 63);
        uint64_t len = backward ? *m.n : 0 - *m.n, to = *m.d + *m.n, from = m.s ? *m.s + *m.n : 0;
        len = MIN(len, in_page(to, backward));
        if (m.s) len = MIN(len, in_page(from, backward));
        uint64_t low = backward ? len : 0;
        if (m.s) mops_load(cpu, buf, from - low, len);
        mops_store(cpu, buf, to - low, len);
        *m.n += backward ? 0 - len : len;
        done += len;
    }
    return *m.n != 0;
}

static void main_part(struct xlat *t, F *f, uint32_t kind)
{
    uint32_t desc = (uint32_t)(f->rd | f->rs << 5 | f->rn << 10) | kind;
    xl_branch(t, IR_CALL(t, mops, ir_k32(t, desc)), t->pc);
}
static void epilogue(struct xlat *t, F *f, uint32_t kind)
{
    main_part(t, f, kind | MOPS_EPILOGUE);
}

/* Three different registers, none of them 31 but a set's value: all else is left open, and undefined here. */
bool arm_mopsset(int64_t d, int64_t s, int64_t n, int64_t *out)
{
    *out = d != s && d != n && s != n && d != 31 && n != 31;
    return *out;
}
bool arm_mopsregs(int64_t d, int64_t s, int64_t n, int64_t *out)
{
    return arm_mopsset(d, s, n, out) && s != 31;
}

/* -- prologue ------------------------------------------------------------------------------------------------------------ */
static void forward_only(struct xlat *t, F *f, bool copy)
{
    V n = x(t, f->rn), size = ir_select(t, is_negative(t, n), ir_k(t, INT64_MAX), n);

    wx(t, f->rd, ir_add(t, x(t, f->rd), size));
    if (copy) wx(t, f->rs, ir_add(t, x(t, f->rs), size));
    wx(t, f->rn, ir_neg(t, size));
    put_nzcv_k(t, 0);
}
/* Backwards if the source lies below the destination and reaches into it. */
static void either_way(struct xlat *t, F *f)
{
    const uint64_t max = bits_mask(55);
    V n = x(t, f->rn), size = ir_select(t, ir_cmpi(t, C_UGT, n, max), ir_k(t, max), n);
    V to = ir_ubfx(t, x(t, f->rd), 0, 56), from = ir_ubfx(t, x(t, f->rs), 0, 56);
    V reaches = ir_cmp(t, C_UGT, ir_ubfx(t, ir_add(t, from, size), 0, 56), to);
    V backward = ir_and(t, ir_cmp(t, C_ULT, from, to), reaches), step = ir_select(t, backward, ir_k(t, 0), size);

    wx(t, f->rd, ir_add(t, x(t, f->rd), step));
    wx(t, f->rs, ir_add(t, x(t, f->rs), step));
    wx(t, f->rn, ir_select(t, backward, size, ir_neg(t, size)));
    put_nzcv_k(t, 0);
}

INSN(cpyfp, "00 011 0 01 00 0 rs:5 opts:4 01 rn:5 rd:5 ok=mopsregs(rd,rs,rn) @MOPS", "cpyfp{opts} [{rd:x}]!, [{rs:x}]!, {rn:x}!")
{
    forward_only(t, f, true);
}
INSN(cpyfm, "00 011 0 01 01 0 rs:5 opts:4 01 rn:5 rd:5 ok=mopsregs(rd,rs,rn) @MOPS", "cpyfm{opts} [{rd:x}]!, [{rs:x}]!, {rn:x}!")
{
    main_part(t, f, 0);
}
INSN(cpyfe, "00 011 0 01 10 0 rs:5 opts:4 01 rn:5 rd:5 ok=mopsregs(rd,rs,rn) @MOPS", "cpyfe{opts} [{rd:x}]!, [{rs:x}]!, {rn:x}!")
{
    epilogue(t, f, 0);
}
INSN(cpyp, "00 011 1 01 00 0 rs:5 opts:4 01 rn:5 rd:5 ok=mopsregs(rd,rs,rn) @MOPS", "cpyp{opts} [{rd:x}]!, [{rs:x}]!, {rn:x}!")
{
    either_way(t, f);
}
INSN(cpym, "00 011 1 01 01 0 rs:5 opts:4 01 rn:5 rd:5 ok=mopsregs(rd,rs,rn) @MOPS", "cpym{opts} [{rd:x}]!, [{rs:x}]!, {rn:x}!")
{
    main_part(t, f, 0);
}
INSN(cpye, "00 011 1 01 10 0 rs:5 opts:4 01 rn:5 rd:5 ok=mopsregs(rd,rs,rn) @MOPS", "cpye{opts} [{rd:x}]!, [{rs:x}]!, {rn:x}!")
{
    epilogue(t, f, 0);
}
INSN(setp, "00 011 0 01 11 0 rs:5 00 sopts:2 01 rn:5 rd:5 ok=mopsset(rd,rs,rn) @MOPS", "setp{sopts} [{rd:x}]!, {rn:x}!, {rs:x}")
{
    forward_only(t, f, false);
}
INSN(setm, "00 011 0 01 11 0 rs:5 01 sopts:2 01 rn:5 rd:5 ok=mopsset(rd,rs,rn) @MOPS", "setm{sopts} [{rd:x}]!, {rn:x}!, {rs:x}")
{
    main_part(t, f, MOPS_SET);
}
INSN(sete, "00 011 0 01 11 0 rs:5 10 sopts:2 01 rn:5 rd:5 ok=mopsset(rd,rs,rn) @MOPS", "sete{sopts} [{rd:x}]!, {rn:x}!, {rs:x}")
{
    epilogue(t, f, MOPS_SET);
}
