/*
 * a64_ldst.isa.c: AArch64 loads and stores of general registers, prefetch (DDI 0487 C4.1.94). Exclusives and atomics are
 * in a64_atomic.isa.c, SIMD&FP registers in a64_ldst_fp.isa.c.
 *
 * Plain accesses of any alignment are done as they are. Base register write-back comes last, so that a fault leaves it
 * untouched. Where the manual leaves it open (write-back to a register that is transferred), write-back wins.
 * Known gaps: a misaligned stack pointer does not fault; no MTE.
 */
#include "sys.h"
#include "xl.h"

FMT(rt|rt2, rt)
FMT(imm9, soff)

V arm_addr(struct xlat *t, V addr)
{
    return t->mode & MODE_TBI ? ir_sbfx(t, addr, 0, 56) : addr;
}

/* -- the operations: `size` is the access, log2 of bytes ----------------------------------------------------------------- */
static void st(struct xlat *t, F *f, V base, int64_t off)
{
    store(t, base, off, x(t, f->rt), (unsigned)f->size);
}
static void ld(struct xlat *t, F *f, V base, int64_t off)
{
    wx(t, f->rt, load(t, T_I64, base, off, (unsigned)f->size));
}
/* Sign-extended to X; to W. */
static void lds(struct xlat *t, F *f, V base, int64_t off)
{
    wx(t, f->rt, load(t, T_I64, base, off, (unsigned)f->size | MO_SIGN));
}
static void ldsw(struct xlat *t, F *f, V base, int64_t off)
{
    wr(t, f->rt, load(t, T_I32, base, off, (unsigned)f->size | MO_SIGN));
}
/* Write-back of base + off. */
static void wback(struct xlat *t, F *f, V base, int64_t off)
{
    wxsp(t, f->rn, ir_addi(t, base, (uint64_t)off));
}
/* Register offset: Rm extended by option and shifted by the access size if S. */
V arm_reg_offset(struct xlat *t, F *f, unsigned scale)
{
    V a = x(t, f->rm);
    if (!(f->option & 1)) {
        a = ir_trunc(t, T_I32, a);
        a = f->option & 4 ? ir_sext(t, T_I64, a) : ir_zext(t, T_I64, a);
    }
    return ir_add(t, xsp(t, f->rn), f->s ? ir_shli(t, a, scale) : a);
}
#define RO arm_reg_offset(t, f, (unsigned)f->size), 0

/* -- unsigned offset -------------------------------------------------------------------------------------------------- */
INSN(str_u, "size:2 111001 00 imm12:12 rn:5 rt:5", "str{size:bh} {rt}, [{rn:xsp}{imm12:uoff}]")
{
    st(t, f, xsp(t, f->rn), f->imm12 << f->size);
}
INSN(ldr_u, "size:2 111001 01 imm12:12 rn:5 rt:5", "ldr{size:bh} {rt}, [{rn:xsp}{imm12:uoff}]")
{
    ld(t, f, xsp(t, f->rn), f->imm12 << f->size);
}
INSN(ldrs_u, "size:2 111001 10 imm12:12 rn:5 rt:5 size!=3", "ldrs{size:bhw} {rt:x}, [{rn:xsp}{imm12:uoff}]")
{
    lds(t, f, xsp(t, f->rn), f->imm12 << f->size);
}
INSN(ldrsw_u, "0 size:1 111001 11 imm12:12 rn:5 rt:5", "ldrs{size:bh} {rt:w}, [{rn:xsp}{imm12:uoff}]")
{
    ldsw(t, f, xsp(t, f->rn), f->imm12 << f->size);
}
INSN(prfm_u, "11 111001 10 imm12:12 rn:5 rt:5", "prfm {rt:prfop}, [{rn:xsp}{imm12:uoff8}]")
{
}
/* -- unscaled --------------------------------------------------------------------------------------------------------- */
INSN(str_ur, "size:2 111000 00 0 imm9:s9 00 rn:5 rt:5", "stur{size:bh} {rt}, [{rn:xsp}{imm9}]")
{
    st(t, f, xsp(t, f->rn), f->imm9);
}
INSN(ldr_ur, "size:2 111000 01 0 imm9:s9 00 rn:5 rt:5", "ldur{size:bh} {rt}, [{rn:xsp}{imm9}]")
{
    ld(t, f, xsp(t, f->rn), f->imm9);
}
INSN(ldrs_ur, "size:2 111000 10 0 imm9:s9 00 rn:5 rt:5 size!=3", "ldurs{size:bhw} {rt:x}, [{rn:xsp}{imm9}]")
{
    lds(t, f, xsp(t, f->rn), f->imm9);
}
INSN(ldrsw_ur, "0 size:1 111000 11 0 imm9:s9 00 rn:5 rt:5", "ldurs{size:bh} {rt:w}, [{rn:xsp}{imm9}]")
{
    ldsw(t, f, xsp(t, f->rn), f->imm9);
}
INSN(prfm_ur, "11 111000 10 0 imm9:s9 00 rn:5 rt:5", "prfum {rt:prfop}, [{rn:xsp}{imm9}]")
{
}
/* -- unprivileged: the same at EL0, and where PSTATE.UAO says so ------------------------------------------------------------ */
static void unprivileged(struct xlat *t, F *f, void (*access)(struct xlat *t, F *f, V base, int64_t off))
{
    if (t->mode & MODE_UNPRIV) t->view = VIEW_USER;
    access(t, f, xsp(t, f->rn), f->imm9);
}
INSN(str_t, "size:2 111000 00 0 imm9:s9 10 rn:5 rt:5", "sttr{size:bh} {rt}, [{rn:xsp}{imm9}]")
{
    unprivileged(t, f, st);
}
INSN(ldr_t, "size:2 111000 01 0 imm9:s9 10 rn:5 rt:5", "ldtr{size:bh} {rt}, [{rn:xsp}{imm9}]")
{
    unprivileged(t, f, ld);
}
INSN(ldrs_t, "size:2 111000 10 0 imm9:s9 10 rn:5 rt:5 size!=3", "ldtrs{size:bhw} {rt:x}, [{rn:xsp}{imm9}]")
{
    unprivileged(t, f, lds);
}
INSN(ldrsw_t, "0 size:1 111000 11 0 imm9:s9 10 rn:5 rt:5", "ldtrs{size:bh} {rt:w}, [{rn:xsp}{imm9}]")
{
    unprivileged(t, f, ldsw);
}
/* -- post-indexed ----------------------------------------------------------------------------------------------------- */
INSN(str_post, "size:2 111000 00 0 imm9:s9 01 rn:5 rt:5", "str{size:bh} {rt}, [{rn:xsp}], #{imm9:d}")
{
    V b = xsp(t, f->rn);
    st(t, f, b, 0);
    wback(t, f, b, f->imm9);
}
INSN(ldr_post, "size:2 111000 01 0 imm9:s9 01 rn:5 rt:5", "ldr{size:bh} {rt}, [{rn:xsp}], #{imm9:d}")
{
    V b = xsp(t, f->rn);
    ld(t, f, b, 0);
    wback(t, f, b, f->imm9);
}
INSN(ldrs_post, "size:2 111000 10 0 imm9:s9 01 rn:5 rt:5 size!=3", "ldrs{size:bhw} {rt:x}, [{rn:xsp}], #{imm9:d}")
{
    V b = xsp(t, f->rn);
    lds(t, f, b, 0);
    wback(t, f, b, f->imm9);
}
INSN(ldrsw_post, "0 size:1 111000 11 0 imm9:s9 01 rn:5 rt:5", "ldrs{size:bh} {rt:w}, [{rn:xsp}], #{imm9:d}")
{
    V b = xsp(t, f->rn);
    ldsw(t, f, b, 0);
    wback(t, f, b, f->imm9);
}
/* -- pre-indexed ------------------------------------------------------------------------------------------------------ */
INSN(str_pre, "size:2 111000 00 0 imm9:s9 11 rn:5 rt:5", "str{size:bh} {rt}, [{rn:xsp}, #{imm9:d}]!")
{
    V b = xsp(t, f->rn);
    st(t, f, b, f->imm9);
    wback(t, f, b, f->imm9);
}
INSN(ldr_pre, "size:2 111000 01 0 imm9:s9 11 rn:5 rt:5", "ldr{size:bh} {rt}, [{rn:xsp}, #{imm9:d}]!")
{
    V b = xsp(t, f->rn);
    ld(t, f, b, f->imm9);
    wback(t, f, b, f->imm9);
}
INSN(ldrs_pre, "size:2 111000 10 0 imm9:s9 11 rn:5 rt:5 size!=3", "ldrs{size:bhw} {rt:x}, [{rn:xsp}, #{imm9:d}]!")
{
    V b = xsp(t, f->rn);
    lds(t, f, b, f->imm9);
    wback(t, f, b, f->imm9);
}
INSN(ldrsw_pre, "0 size:1 111000 11 0 imm9:s9 11 rn:5 rt:5", "ldrs{size:bh} {rt:w}, [{rn:xsp}, #{imm9:d}]!")
{
    V b = xsp(t, f->rn);
    ldsw(t, f, b, f->imm9);
    wback(t, f, b, f->imm9);
}
/* -- register offset -------------------------------------------------------------------------------------------------- */
INSN(str_ro, "size:2 111000 00 1 rm:5 option:3 s:1 10 rn:5 rt:5 option!=0,1,4,5", "str{size:bh} {rt}, [{rn:xsp}, {rm:extro}{s:extidx}]")
{
    st(t, f, RO);
}
INSN(ldr_ro, "size:2 111000 01 1 rm:5 option:3 s:1 10 rn:5 rt:5 option!=0,1,4,5", "ldr{size:bh} {rt}, [{rn:xsp}, {rm:extro}{s:extidx}]")
{
    ld(t, f, RO);
}
INSN(ldrs_ro, "size:2 111000 10 1 rm:5 option:3 s:1 10 rn:5 rt:5 option!=0,1,4,5 size!=3", "ldrs{size:bhw} {rt:x}, [{rn:xsp}, {rm:extro}{s:extidx}]")
{
    lds(t, f, RO);
}
INSN(ldrsw_ro, "0 size:1 111000 11 1 rm:5 option:3 s:1 10 rn:5 rt:5 option!=0,1,4,5", "ldrs{size:bh} {rt:w}, [{rn:xsp}, {rm:extro}{s:extidx}]")
{
    ldsw(t, f, RO);
}
INSN(prfm_ro, "11 111000 10 1 rm:5 option:3 s:1 10 rn:5 rt:5 option!=0,1,4,5", "prfm {rt:prfop}, [{rn:xsp}, {rm:extro}{s:extidx3}]")
{
}

/* -- literal ------------------------------------------------------------------------------------------------------------- */
static V literal(struct xlat *t, F *f)
{
    return ir_k(t, t->pc + (uint64_t)f->lit);
}
INSN(ldr_litw, "00 011000 lit[s20:2] rt:5", "ldr {rt:w}, {lit@pc}")
{
    wx(t, f->rt, load(t, T_I64, literal(t, f), 0, MO_32));
}
INSN(ldr_litx, "01 011000 lit[s20:2] rt:5", "ldr {rt:x}, {lit@pc}")
{
    wx(t, f->rt, load(t, T_I64, literal(t, f), 0, MO_64));
}
INSN(ldrsw_lit, "10 011000 lit[s20:2] rt:5", "ldrsw {rt:x}, {lit@pc}")
{
    wx(t, f->rt, load(t, T_I64, literal(t, f), 0, MO_32 | MO_SIGN));
}
INSN(prfm_lit, "11 011000 lit[s20:2] rt:5", "prfm {rt:prfop}, {lit@pc}")
{
}

/* -- pairs: both accesses before any register is written ------------------------------------------------------------------ */
/*
 * Whether a pair is one access: FEAT_LSE2 makes it single-copy atomic within 16 aligned bytes, which only others can see.
 * SP is aligned, so what is off a granule there is known.
 */
static bool one_access(struct xlat *t, F *f, int64_t off, unsigned size)
{
    if (acpu(t)->c.v && acpu(t)->c.v->soft) return !(t->mode & MODE_ALIGN); /* one look into the TLB instead of two */
    return t->mode & MODE_SHARED && !(t->mode & MODE_ALIGN) && (f->rn != 31 || (off & 15) + 2 * MO_BYTES(size) <= 16);
}
static void stp(struct xlat *t, F *f, V base, int64_t off)
{
    unsigned size = f->sf ? MO_64 : MO_32;
    if (one_access(t, f, off, size)) {
        store(t, base, off, pair(t, size, f->rt, f->rt2), size + 1);
        t->ir->ins[t->ir->nins - 1].y = MO_BYTES(size);
        return;
    }
    V a = x(t, f->rt), b = x(t, f->rt2);
    store(t, base, off, a, size);
    store(t, base, off + (1 << size), b, size);
}
static void ldp(struct xlat *t, F *f, V base, int64_t off, unsigned size)
{
    int64_t bytes = MO_BYTES(size);
    if (!(size & MO_SIGN) && one_access(t, f, off, size)) { /* LDPSW: two, as the manual's pseudocode does it */
        V v = load(t, size == MO_64 ? T_V128 : T_I64, base, off, size + 1);
        t->ir->ins[v].y = MO_BYTES(size);
        write_pair(t, size, f->rt, f->rt2, v);
        return;
    }
    V a = load(t, T_I64, base, off, size), b = load(t, T_I64, base, off + bytes, size);
    wx(t, f->rt, a);
    wx(t, f->rt2, b);
}
INSN(stp_n, "sf:1 0 101 0 0 00 0 imm7:s7 rt2:5 rn:5 rt:5", "stnp {rt:r}, {rt2:r}, [{rn:xsp}{imm7:poff}]")
{
    stp(t, f, xsp(t, f->rn), f->imm7 * (f->sf ? 8 : 4));
}
INSN(ldp_n, "sf:1 0 101 0 0 00 1 imm7:s7 rt2:5 rn:5 rt:5", "ldnp {rt:r}, {rt2:r}, [{rn:xsp}{imm7:poff}]")
{
    ldp(t, f, xsp(t, f->rn), f->imm7 * (f->sf ? 8 : 4), f->sf ? MO_64 : MO_32);
}
INSN(stp_post, "sf:1 0 101 0 0 01 0 imm7:s7 rt2:5 rn:5 rt:5", "stp {rt:r}, {rt2:r}, [{rn:xsp}], #{imm7:poffd}")
{
    V b = xsp(t, f->rn);
    stp(t, f, b, 0);
    wback(t, f, b, f->imm7 * (f->sf ? 8 : 4));
}
INSN(ldp_post, "sf:1 0 101 0 0 01 1 imm7:s7 rt2:5 rn:5 rt:5", "ldp {rt:r}, {rt2:r}, [{rn:xsp}], #{imm7:poffd}")
{
    V b = xsp(t, f->rn);
    ldp(t, f, b, 0, f->sf ? MO_64 : MO_32);
    wback(t, f, b, f->imm7 * (f->sf ? 8 : 4));
}
INSN(ldpsw_post, "01 101 0 0 01 1 imm7:s7 rt2:5 rn:5 rt:5", "ldpsw {rt:x}, {rt2:x}, [{rn:xsp}], #{imm7:poffd4}")
{
    V b = xsp(t, f->rn);
    ldp(t, f, b, 0, MO_32 | MO_SIGN);
    wback(t, f, b, f->imm7 * 4);
}
INSN(stp_off, "sf:1 0 101 0 0 10 0 imm7:s7 rt2:5 rn:5 rt:5", "stp {rt:r}, {rt2:r}, [{rn:xsp}{imm7:poff}]")
{
    stp(t, f, xsp(t, f->rn), f->imm7 * (f->sf ? 8 : 4));
}
INSN(ldp_off, "sf:1 0 101 0 0 10 1 imm7:s7 rt2:5 rn:5 rt:5", "ldp {rt:r}, {rt2:r}, [{rn:xsp}{imm7:poff}]")
{
    ldp(t, f, xsp(t, f->rn), f->imm7 * (f->sf ? 8 : 4), f->sf ? MO_64 : MO_32);
}
INSN(ldpsw_off, "01 101 0 0 10 1 imm7:s7 rt2:5 rn:5 rt:5", "ldpsw {rt:x}, {rt2:x}, [{rn:xsp}{imm7:poff4}]")
{
    ldp(t, f, xsp(t, f->rn), f->imm7 * 4, MO_32 | MO_SIGN);
}
INSN(stp_pre, "sf:1 0 101 0 0 11 0 imm7:s7 rt2:5 rn:5 rt:5", "stp {rt:r}, {rt2:r}, [{rn:xsp}, #{imm7:poffd}]!")
{
    V b = xsp(t, f->rn);
    stp(t, f, b, f->imm7 * (f->sf ? 8 : 4));
    wback(t, f, b, f->imm7 * (f->sf ? 8 : 4));
}
INSN(ldp_pre, "sf:1 0 101 0 0 11 1 imm7:s7 rt2:5 rn:5 rt:5", "ldp {rt:r}, {rt2:r}, [{rn:xsp}, #{imm7:poffd}]!")
{
    V b = xsp(t, f->rn);
    ldp(t, f, b, f->imm7 * (f->sf ? 8 : 4), f->sf ? MO_64 : MO_32);
    wback(t, f, b, f->imm7 * (f->sf ? 8 : 4));
}
INSN(ldpsw_pre, "01 101 0 0 11 1 imm7:s7 rt2:5 rn:5 rt:5", "ldpsw {rt:x}, {rt2:x}, [{rn:xsp}, #{imm7:poffd4}]!")
{
    V b = xsp(t, f->rn);
    ldp(t, f, b, f->imm7 * 4, MO_32 | MO_SIGN);
    wback(t, f, b, f->imm7 * 4);
}
