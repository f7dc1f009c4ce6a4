/*
 * vector_mem.isa.c: vector loads and stores: unit-stride, masks, strided, indexed, segments, fault-only-first, whole
 * registers (volume I, chapter 30.7). A fault leaves vstart at the element that raised it.
 */
#include "cpu/soft.h"
#include "mem/mem.h"
#include "vector.h"

enum { MEM_UNIT, MEM_STRIDE, MEM_INDEX };

/* One access: nf fields of 1 << eew bytes per element, from register group vd on. */
struct vmem {
    struct riscv_cpu *r;
    uint64_t base;
    int64_t stride;          /* bytes between elements */
    const uint8_t *index;    /* indexed: offsets of 1 << ieew bytes */
    unsigned ieew, eew, nf, emul_regs, vd;
    bool vm, store;
    uint64_t vl;
};

static uint64_t address(const struct vmem *m, uint64_t i, unsigned field)
{
    uint64_t off = 0, a;
    if (m->index) memcpy(&off, m->index + (i << m->ieew), 1u << m->ieew);
    else off = (uint64_t)m->stride * i;
    a = m->base + off + ((uint64_t)field << m->eew);
    return m->r->rv32 ? (uint32_t)a : a;
}
static uint8_t *element(const struct vmem *m, uint64_t i, unsigned field)
{
    return vreg(m->r, (m->vd + field * m->emul_regs) & 31) + (i << m->eew);
}

/* The same in system mode, in pieces of at most 8 bytes that are aligned if the elements are. */
static bool copy_soft(const struct vmem *m, uint64_t addr, uint8_t *p, size_t n, uint64_t *bad)
{
    CPU *cpu = &m->r->c;
    struct ir_ins ins = { .op = m->store ? IR_ST : IR_LD, .type = T_I64, .x = cpu->mode & MODE_VIEW1 ? VIEW_USER : VIEW_MAIN };
    for (size_t step; n; addr += step, p += step, n -= step) {
        union vlanes v = { 0 };
        unsigned log = n >= 8 && !(addr & 7) ? MO_64 : m->eew;
        step = 1u << log;
        if (step > n) log = MO_8, step = 1;
        ins.mo = (uint8_t)log;
        if (m->store) memcpy(&v, p, step);
        *bad = addr;
        if (soft_access(cpu, &ins, addr, &v, NULL, &v)) return false;
        if (!m->store) memcpy(p, &v, step);
    }
    return true;
}

/* Copies; on a fault *bad is the address. */
static bool copy(const struct vmem *m, uint64_t addr, uint8_t *p, size_t n, uint64_t *bad)
{
    struct gmem *mem = m->r->c.v->mem;
    if (m->r->c.v->soft) return copy_soft(m, addr, p, n, bad);
    return m->store ? !gmem_write(mem, addr, p, n, bad) : !gmem_read(mem, p, addr, n, bad);
}

/* Elements [i, vl) until one faults; returns vl or the element that faulted. */
static uint64_t transfer(const struct vmem *m, uint64_t i, uint64_t *bad)
{
    if (m->nf == 1 && m->vm && !m->index && m->stride == 1ll << m->eew && i < m->vl) {
        uint64_t a = address(m, i, 0), n;
        if (copy(m, a, element(m, i, 0), (m->vl - i) << m->eew, bad)) return m->vl;
        n = (*bad - a) >> m->eew; /* the whole elements before the fault */
        if (n < m->vl - i && n && !copy(m, a, element(m, i, 0), n << m->eew, bad)) n = 0;
        i += MIN(n, m->vl - i - 1);
        *bad = MAX(*bad, address(m, i, 0));
        return i;
    }
    for (; i < m->vl; i++) {
        if (!m->vm && !mask_bit(vreg(m->r, 0), i)) continue;
        for (unsigned k = 0; k < m->nf; k++)
            if (!copy(m, address(m, i, k), element(m, i, k), 1u << m->eew, bad)) return i;
    }
    return i;
}

_Noreturn static void fault(const struct vmem *m, uint64_t i, uint64_t bad)
{
    struct riscv_cpu *r = m->r;
    r->vstart = i;
    if (r->c.v->soft) { /* the walk has noted it */
        r->vmode = riscv_vmode(r);
        cpu_raise(&r->c, r->c.v->exc, r->c.v->exc_code, r->c.v->fault_addr);
    }
    unsigned flags = gmem_flags(r->c.v->mem, bad);
    riscv_sync(r);
    cpu_raise(&r->c, EXC_FAULT, (m->store ? EXF_WRITE : EXF_READ) | (flags ? EXF_ACCERR : EXF_MAPERR), bad);
}

/* what: bits 0-1 kind, 2-3 eew, 4-6 nf - 1, 7-9 log2 of registers per field, 10 unmasked, 11 store, 12-16 vd,
 * 17-21 index register, 22-23 its eew. */
static struct vmem decode(CPU *cpu, uint32_t what, uint64_t base, uint64_t stride)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    struct vmem m = {
        .r = r, .base = base, .eew = what >> 2 & 3, .nf = (what >> 4 & 7) + 1, .emul_regs = 1u << (what >> 7 & 3),
        .vm = what >> 10 & 1, .store = what >> 11 & 1, .vd = what >> 12 & 31, .ieew = what >> 22 & 3, .vl = r->vl,
        .index = (what & 3) == MEM_INDEX ? vreg(r, what >> 17 & 31) : NULL,
    };
    m.stride = (what & 3) == MEM_STRIDE ? (int64_t)stride : (int64_t)m.nf << m.eew;
    return m;
}
static uint32_t encode(F *f, unsigned kind, int eew, int emul, bool store, unsigned ieew)
{
    return kind | (uint32_t)eew << 2 | (uint32_t)f->nf << 4 | (uint32_t)(emul > 0 ? emul : 0) << 7 | (uint32_t)f->vm << 10 |
           (store ? 1u << 11 : 0) | (uint32_t)(store ? f->vs3 : f->vd) << 12 | (uint32_t)f->vs2 << 17 | ieew << 22;
}

HELPER(void, v_mem, (CPU *cpu, uint32_t what, uint64_t base, uint64_t stride), "fault r=vc w=vc")
{
    struct vmem m = decode(cpu, what, base, stride);
    uint64_t bad = 0, i = transfer(&m, m.r->vstart, &bad);
    if (i < m.vl) fault(&m, i, bad);
}
/* vlm, vsm: ceil(vl / 8) bytes. */
HELPER(void, v_mask_mem, (CPU *cpu, uint32_t what, uint64_t base), "fault r=vc w=vc")
{
    struct vmem m = decode(cpu, what, base, 0);
    uint64_t bad = 0, i;
    m.vl = (m.vl + 7) / 8;
    i = transfer(&m, m.r->vstart, &bad);
    if (i < m.vl) fault(&m, i, bad);
}
/* Whole registers: as many bytes as they have, in elements of eew. */
HELPER(void, v_whole, (CPU *cpu, uint32_t what, uint64_t base, uint64_t regs), "fault r=vc w=vc")
{
    struct vmem m = decode(cpu, what, base, 0);
    uint64_t bad = 0, i;
    m.vl = regs * (m.r->vlen / 8u) >> m.eew;
    i = transfer(&m, m.r->vstart, &bad);
    if (i < m.vl) fault(&m, i, bad);
}
/* Fault-only-first: a fault past element 0 shortens vl instead. Returns the mode that follows. */
HELPER(uint32_t, v_first_fault, (CPU *cpu, uint32_t what, uint64_t base), "fault r=vc w=vc")
{
    struct vmem m = decode(cpu, what, base, 0);
    uint64_t bad = 0, i = transfer(&m, m.r->vstart, &bad);
    if (i < m.vl && i == 0) fault(&m, i, bad);
    m.r->vl = i < m.vl ? i : m.vl;
    m.r->vstart = 0;
    m.r->vmode = riscv_vmode(m.r);
    return m.r->vmode;
}

/* -- translation ------------------------------------------------------------------------------------------------ */
/* EEW of the width field, or -1. */
static int width_eew(int64_t width)
{
    return width == 0 ? 0 : width >= 5 ? (int)width - 4 : -1;
}

/* Groups of all fields: aligned, at most eight registers, inside the file, not over v0 when masked. */
static bool group_ok(F *f, int reg, int emul, bool store)
{
    int regs = (emul > 0 ? 1 << emul : 1) * ((int)f->nf + 1);
    return riscv_v_aligned(reg, emul) && regs <= 8 && reg + regs <= 32 && (f->vm || store || reg != 0);
}

/* All elements, contiguous, whole registers: plain 128-bit accesses. Restarting from element 0 after a fault is fine. */
static void inline_regs(struct xlat *t, F *f, unsigned n, bool store)
{
    int64_t disp;
    V a = ea(t, f->rs1, 0, &disp);
    for (unsigned i = 0; i < n; i++)
        if (store) ir_st(t, a, (int64_t)i * 16, ir_get(t, R_V0 + f->vs3 + i), MO_128);
        else ir_put(t, R_V0 + f->vd + i, ir_ld(t, T_V128, a, (int64_t)i * 16, MO_128));
}

/* All elements of a fraction of a register, 2 to 8 bytes: one scalar access. The tail stays. */
static void inline_part(struct xlat *t, F *f, unsigned log, bool store)
{
    static const enum ir_type types[4] = { T_I8, T_I16, T_I32, T_I64 };
    enum ir_lane lane = (enum ir_lane)(L_I8 + log);
    int64_t disp;
    V a = ea(t, f->rs1, 0, &disp), v = ir_get(t, R_V0 + (store ? f->vs3 : f->vd));
    if (store) ir_st(t, a, disp, ir_vget(t, types[log], lane, v, 0), log);
    else ir_put(t, R_V0 + f->vd, ir_vins(t, lane, v, ir_ld(t, types[log], a, disp, log), 0));
}

static void mem(struct xlat *t, F *f, unsigned kind, bool store)
{
    int weew = width_eew(f->width), eew, emul, iemul;
    if (!riscv_v_begin(t, true)) return;
    eew = kind == MEM_INDEX ? (int)v_sew(t) : weew;
    emul = v_lmul(t) + eew - (int)v_sew(t);
    iemul = v_lmul(t) + weew - (int)v_sew(t);
    if (weew < 0 || !group_ok(f, (int)(store ? f->vs3 : f->vd), emul, store)) {
        xl_illegal(t);
        return;
    }
    if (kind == MEM_INDEX) {
        int d = (int)f->vd, n = (emul > 0 ? 1 << emul : 1) * ((int)f->nf + 1), in = iemul > 0 ? 1 << iemul : 1;
        bool ok = riscv_v_aligned((int)f->vs2, iemul) && !(rv32(t) && weew == 3);
        if (ok && !store)
            ok = f->nf ? d + n <= f->vs2 || f->vs2 + in <= d : riscv_v_overlap_ok(d, emul, eew, (int)f->vs2, iemul, weew);
        if (!ok) {
            xl_illegal(t);
            return;
        }
    }
    if (kind == MEM_UNIT && f->vm && !f->nf && v_fast(t) && t->mode & MODE_VFULL) {
        if (emul >= 0) inline_regs(t, f, 1u << emul, store);
        else inline_part(t, f, (unsigned)(4 + emul), store);
        return;
    }
    V args[] = { ir_k32(t, encode(f, kind, eew, emul, store, (unsigned)weew)), xaddr(t, f->rs1),
                 kind == MEM_STRIDE ? ir_sext(t, T_I64, x(t, f->rs2)) : ir_k(t, 0) };
    ir_call(t, &riscv_hd_v_mem, args);
    riscv_v_end(t);
}

static void whole(struct xlat *t, F *f, bool store)
{
    int weew = store ? 0 : width_eew(f->width);
    unsigned n = (unsigned)f->nf + 1, reg = (unsigned)(store ? f->vs3 : f->vd);
    struct riscv_fields g = *f;

    if (!riscv_v_mode(t)) return; /* vill does not matter here */
    if (weew < 0 || n & (n - 1) || reg & (n - 1)) {
        xl_illegal(t);
        return;
    }
    if (v_fast(t)) {
        inline_regs(t, f, n, store);
        return;
    }
    g.nf = 0, g.vm = 1;
    V args[] = { ir_k32(t, encode(&g, MEM_UNIT, weew, 0, store, 0)), xaddr(t, f->rs1), ir_k(t, n) };
    ir_call(t, &riscv_hd_v_whole, args);
    riscv_v_end(t);
}

static void mask_mem(struct xlat *t, F *f, bool store)
{
    struct riscv_fields g = *f;
    if (!riscv_v_begin(t, true)) return;
    g.nf = 0, g.vm = 1;
    V args[] = { ir_k32(t, encode(&g, MEM_UNIT, 0, 0, store, 0)), xaddr(t, f->rs1) };
    ir_call(t, &riscv_hd_v_mask_mem, args);
    riscv_v_end(t);
}

INSN(vle, "nf:3 000 vm:1 00000 rs1:5 width:3 vd:5 0000111 width!=1,2,3,4 @Zve32x",
     "vl{nf:seg}e{width:eew}.v {vd},({rs1}){vm}")
{
    mem(t, f, MEM_UNIT, false);
}
INSN(vse, "nf:3 000 vm:1 00000 rs1:5 width:3 vs3:5 0100111 width!=1,2,3,4 @Zve32x",
     "vs{nf:seg}e{width:eew}.v {vs3},({rs1}){vm}")
{
    mem(t, f, MEM_UNIT, true);
}
INSN(vlm, "000 000 1 01011 rs1:5 000 vd:5 0000111 @Zve32x", "vlm.v {vd},({rs1})")
{
    mask_mem(t, f, false);
}
INSN(vsm, "000 000 1 01011 rs1:5 000 vs3:5 0100111 @Zve32x", "vsm.v {vs3},({rs1})")
{
    mask_mem(t, f, true);
}
INSN(vleff, "nf:3 000 vm:1 10000 rs1:5 width:3 vd:5 0000111 width!=1,2,3,4 @Zve32x",
     "vl{nf:seg}e{width:eew}ff.v {vd},({rs1}){vm}")
{
    int eew = width_eew(f->width), emul = v_lmul(t) + eew - (int)v_sew(t);
    if (!riscv_v_begin(t, true)) return;
    if (eew < 0 || !group_ok(f, (int)f->vd, emul, false)) {
        xl_illegal(t);
        return;
    }
    V mode = IR_CALL(t, v_first_fault, ir_k32(t, encode(f, MEM_UNIT, eew, emul, false, 0)), xaddr(t, f->rs1));
    mode = ir_ori(t, mode, t->mode & ~(uint32_t)MODE_VALL);
    ir_put(t, R_MODE, mode);
    xl_stop_mode(t, mode);
}
INSN(vlr, "nf:3 000 1 01000 rs1:5 width:3 vd:5 0000111 width!=1,2,3,4 nf!=2,4,5,6 @Zve32x",
     "vl{nf:whole}re{width:eew}.v {vd},({rs1})")
{
    whole(t, f, false);
}
ALIAS(vlr, "nf:3 000 1 01000 rs1:5 000 vd:5 0000111 nf!=2,4,5,6 @Zve32x", "vl{nf:whole}r.v {vd},({rs1})")
INSN(vsr, "nf:3 000 1 01000 rs1:5 000 vs3:5 0100111 nf!=2,4,5,6 @Zve32x", "vs{nf:whole}r.v {vs3},({rs1})")
{
    whole(t, f, true);
}
INSN(vlse, "nf:3 010 vm:1 rs2:5 rs1:5 width:3 vd:5 0000111 width!=1,2,3,4 @Zve32x",
     "vls{nf:seg}e{width:eew}.v {vd},({rs1}),{rs2}{vm}")
{
    mem(t, f, MEM_STRIDE, false);
}
INSN(vsse, "nf:3 010 vm:1 rs2:5 rs1:5 width:3 vs3:5 0100111 width!=1,2,3,4 @Zve32x",
     "vss{nf:seg}e{width:eew}.v {vs3},({rs1}),{rs2}{vm}")
{
    mem(t, f, MEM_STRIDE, true);
}
INSN(vluxei, "nf:3 001 vm:1 vs2:5 rs1:5 width:3 vd:5 0000111 width!=1,2,3,4 @Zve32x",
     "vlux{nf:seg}ei{width:eew}.v {vd},({rs1}),{vs2}{vm}")
{
    mem(t, f, MEM_INDEX, false);
}
INSN(vloxei, "nf:3 011 vm:1 vs2:5 rs1:5 width:3 vd:5 0000111 width!=1,2,3,4 @Zve32x",
     "vlox{nf:seg}ei{width:eew}.v {vd},({rs1}),{vs2}{vm}")
{
    mem(t, f, MEM_INDEX, false);
}
INSN(vsuxei, "nf:3 001 vm:1 vs2:5 rs1:5 width:3 vs3:5 0100111 width!=1,2,3,4 @Zve32x",
     "vsux{nf:seg}ei{width:eew}.v {vs3},({rs1}),{vs2}{vm}")
{
    mem(t, f, MEM_INDEX, true);
}
INSN(vsoxei, "nf:3 011 vm:1 vs2:5 rs1:5 width:3 vs3:5 0100111 width!=1,2,3,4 @Zve32x",
     "vsox{nf:seg}ei{width:eew}.v {vs3},({rs1}),{vs2}{vm}")
{
    mem(t, f, MEM_INDEX, true);
}
