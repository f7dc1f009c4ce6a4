/*
 * a64_atomic.isa.c: exclusives, acquire/release, compare-and-swap, LSE atomics, RCPC (DDI 0487 C4.1.94, B2.3, B2.12).
 *
 * A store-exclusive succeeds if memory still holds what the load-exclusive read (compare-and-swap against cpu->res_val): a
 * change and back in between goes unseen. LDAR and STLR are sequentially consistent among themselves (MO_ACQ, MO_REL); LDAPR
 * is a plain load with a fence behind it that is free on x86. Misaligned accesses fault; with FEAT_LSE2 only those that cross
 * a 16-byte boundary.
 * Known gaps: STXR of another size than its LDXR fails or succeeds by value (the manual leaves it open); LORegions are
 * plain acquire/release.
 */
#include "xl.h"

static enum ir_type size_type(unsigned size)
{
    static const uint8_t type[] = { T_I8, T_I16, T_I32, T_I64, T_V128 };
    return (enum ir_type)type[size];
}
/* The address of an access that has to be aligned; *mo gets the size and how alignment is checked. */
static V aligned(struct xlat *t, V addr, unsigned size, unsigned *mo)
{
    V a = arm_addr(t, addr);

    *mo = size;
    if (size == MO_8) return a;
    if (size == MO_128 || !feat(t, ARM_LSE2) || t->mode & MODE_ALIGN)
        *mo |= MO_ALIGN;
    else
        xl_trapif(t, ir_cmpi(t, C_UGT, ir_andi(t, a, 15), 16 - MO_BYTES(size)), EXC_ALIGN, EXF_BUS);
    return a;
}

/* -- exclusives ------------------------------------------------------------------------------------------------------------ */
static void ldx(struct xlat *t, F *f, unsigned order)
{
    unsigned mo;
    V a = aligned(t, xsp(t, f->rn), (unsigned)f->size, &mo), v = ir_ld(t, T_I64, a, 0, mo | order);

    ir_put(t, R_RES_ADDR, a);
    ir_put(t, R_RES_VAL0, v);
    wx(t, f->rt, v);
}
static void ldxp(struct xlat *t, F *f, unsigned order)
{
    unsigned size = f->sz ? MO_64 : MO_32, mo;
    V a = aligned(t, xsp(t, f->rn), size + 1, &mo);
    V v = ir_ld(t, size_type(size + 1), a, 0, mo | order);

    ir_put(t, R_RES_ADDR, a);
    ir_put(t, R_RES_VAL0, size == MO_64 ? lo64(t, v) : v);
    if (size == MO_64) ir_put(t, R_RES_VAL1, hi64(t, v));
    write_pair(t, size, f->rt, f->rt2, v);
}
/* Without a reservation the new value is the expected one: the swap changes nothing, but faults as a store. */
static void store_exclusive(struct xlat *t, F *f, V a, unsigned mo, V expect, V value)
{
    V mine = ir_cmp(t, C_EQ, a, ir_get(t, R_RES_ADDR));
    V old = ir_cas(t, a, expect, ir_select(t, mine, value, expect), mo), same;

    if (ir_type_of(t, old) == T_V128)
        same = ir_and(t, ir_cmp(t, C_EQ, lo64(t, old), ir_get(t, R_RES_VAL0)),
                      ir_cmp(t, C_EQ, hi64(t, old), ir_get(t, R_RES_VAL1)));
    else
        same = ir_cmp(t, C_EQ, old, expect);
    ir_put(t, R_RES_ADDR, ir_k(t, ~0ull));
    wr(t, f->rs, ir_not(t, ir_and(t, mine, same)));
}
static void stx(struct xlat *t, F *f, unsigned order)
{
    unsigned mo;
    enum ir_type type = size_type((unsigned)f->size);
    V a = aligned(t, xsp(t, f->rn), (unsigned)f->size, &mo);
    store_exclusive(t, f, a, mo | order, ir_trunc(t, type, ir_get(t, R_RES_VAL0)), ir_trunc(t, type, x(t, f->rt)));
}
static void stxp(struct xlat *t, F *f, unsigned order)
{
    unsigned size = f->sz ? MO_64 : MO_32, mo;
    V a = aligned(t, xsp(t, f->rn), size + 1, &mo), expect = ir_get(t, R_RES_VAL0);
    if (size == MO_64) expect = pair128(t, expect, ir_get(t, R_RES_VAL1));
    store_exclusive(t, f, a, mo | order, expect, pair(t, size, f->rt, f->rt2));
}
INSN(stxr, "size:2 001000 000 rs:5 0 rt2:5 rn:5 rt:5", "stxr{size:bh} {rs:w}, {rt}, [{rn:xsp}]")
{
    stx(t, f, 0);
}
INSN(stlxr, "size:2 001000 000 rs:5 1 rt2:5 rn:5 rt:5", "stlxr{size:bh} {rs:w}, {rt}, [{rn:xsp}]")
{
    stx(t, f, MO_REL);
}
INSN(ldxr, "size:2 001000 010 rs:5 0 rt2:5 rn:5 rt:5", "ldxr{size:bh} {rt}, [{rn:xsp}]")
{
    ldx(t, f, 0);
}
INSN(ldaxr, "size:2 001000 010 rs:5 1 rt2:5 rn:5 rt:5", "ldaxr{size:bh} {rt}, [{rn:xsp}]")
{
    ldx(t, f, MO_ACQ);
}
INSN(stxp, "1 sz:1 001000 001 rs:5 0 rt2:5 rn:5 rt:5", "stxp {rs:w}, {rt:rsz}, {rt2:rsz}, [{rn:xsp}]")
{
    stxp(t, f, 0);
}
INSN(stlxp, "1 sz:1 001000 001 rs:5 1 rt2:5 rn:5 rt:5", "stlxp {rs:w}, {rt:rsz}, {rt2:rsz}, [{rn:xsp}]")
{
    stxp(t, f, MO_REL);
}
INSN(ldxp, "1 sz:1 001000 011 rs:5 0 rt2:5 rn:5 rt:5", "ldxp {rt:rsz}, {rt2:rsz}, [{rn:xsp}]")
{
    ldxp(t, f, 0);
}
INSN(ldaxp, "1 sz:1 001000 011 rs:5 1 rt2:5 rn:5 rt:5", "ldaxp {rt:rsz}, {rt2:rsz}, [{rn:xsp}]")
{
    ldxp(t, f, MO_ACQ);
}
INSN(clrex, "1101010100 0 00 011 0011 crm:4 010 11111", "clrex #{crm:hex}")
{
    ir_put(t, R_RES_ADDR, ir_k(t, ~0ull));
}
ALIAS(clrex, "1101010100 0 00 011 0011 1111 010 11111", "clrex")

/* -- load-acquire, store-release --------------------------------------------------------------------------------------------- */
static void stl(struct xlat *t, F *f, V addr)
{
    unsigned mo;
    V a = aligned(t, addr, (unsigned)f->size, &mo);
    ir_st(t, a, 0, x(t, f->rt), mo | MO_REL);
}
static V lda(struct xlat *t, F *f)
{
    unsigned mo;
    V a = aligned(t, xsp(t, f->rn), (unsigned)f->size, &mo);
    return ir_ld(t, T_I64, a, 0, mo | MO_ACQ);
}
/* RCpc: not ordered after an earlier STLR. */
static V ldap(struct xlat *t, V addr, enum ir_type type, unsigned size_sign)
{
    unsigned mo;
    V a = aligned(t, addr, size_sign & MO_SIZE, &mo), v = ir_ld(t, type, a, 0, mo | (size_sign & MO_SIGN));
    ir_fence(t, FENCE_LL | FENCE_LS);
    return v;
}
INSN(stllr, "size:2 001000 100 rs:5 0 rt2:5 rn:5 rt:5 @LOR", "stllr{size:bh} {rt}, [{rn:xsp}]")
{
    stl(t, f, xsp(t, f->rn));
}
INSN(stlr, "size:2 001000 100 rs:5 1 rt2:5 rn:5 rt:5", "stlr{size:bh} {rt}, [{rn:xsp}]")
{
    stl(t, f, xsp(t, f->rn));
}
INSN(ldlar, "size:2 001000 110 rs:5 0 rt2:5 rn:5 rt:5 @LOR", "ldlar{size:bh} {rt}, [{rn:xsp}]")
{
    wx(t, f->rt, lda(t, f));
}
INSN(ldar, "size:2 001000 110 rs:5 1 rt2:5 rn:5 rt:5", "ldar{size:bh} {rt}, [{rn:xsp}]")
{
    wx(t, f->rt, lda(t, f));
}
ALIAS(ldar, "size:2 001000 110 11111 1 11111 rn:5 rt:5", "ldar{size:bh} {rt}, [{rn:xsp}]") /* as assemblers write it */
INSN(ldapr, "size:2 111000 101 11111 1 100 00 rn:5 rt:5 @LRCPC", "ldapr{size:bh} {rt}, [{rn:xsp}]")
{
    wx(t, f->rt, ldap(t, xsp(t, f->rn), T_I64, (unsigned)f->size));
}
static V unscaled(struct xlat *t, F *f)
{
    return ir_addi(t, xsp(t, f->rn), (uint64_t)f->imm9);
}
INSN(stlur, "size:2 011001 00 0 imm9:s9 00 rn:5 rt:5 @LRCPC2", "stlur{size:bh} {rt}, [{rn:xsp}{imm9}]")
{
    stl(t, f, unscaled(t, f));
}
INSN(ldapur, "size:2 011001 01 0 imm9:s9 00 rn:5 rt:5 @LRCPC2", "ldapur{size:bh} {rt}, [{rn:xsp}{imm9}]")
{
    wx(t, f->rt, ldap(t, unscaled(t, f), T_I64, (unsigned)f->size));
}
INSN(ldapurs, "size:2 011001 10 0 imm9:s9 00 rn:5 rt:5 size!=3 @LRCPC2", "ldapurs{size:bhw} {rt:x}, [{rn:xsp}{imm9}]")
{
    wx(t, f->rt, ldap(t, unscaled(t, f), T_I64, (unsigned)f->size | MO_SIGN));
}
INSN(ldapursw, "0 size:1 011001 11 0 imm9:s9 00 rn:5 rt:5 @LRCPC2", "ldapurs{size:bh} {rt:w}, [{rn:xsp}{imm9}]")
{
    wr(t, f->rt, ldap(t, unscaled(t, f), T_I32, (unsigned)f->size | MO_SIGN));
}

/* -- LSE ----------------------------------------------------------------------------------------------------------------------- */
static unsigned order(F *f)
{
    return (f->acq ? MO_ACQ : 0) | (f->rel ? MO_REL : 0);
}
static void rmw(struct xlat *t, F *f, enum ir_rmw op)
{
    unsigned mo;
    V a = aligned(t, xsp(t, f->rn), (unsigned)f->size, &mo);
    V old = ir_rmw(t, op, a, ir_trunc(t, size_type((unsigned)f->size), x(t, f->rs)), mo | order(f));
    wr(t, f->rt, old);
}
INSN(ldadd, "size:2 111000 acq:1 rel:1 1 rs:5 0 000 00 rn:5 rt:5 @LSE", "ldadd{acq:acqrel}{size:bh} {rs:rt}, {rt}, [{rn:xsp}]")
{
    rmw(t, f, RMW_ADD);
}
ALIAS(ldadd, "size:2 111000 0 rel:1 1 rs:5 0 000 00 rn:5 11111", "stadd{rel:acqrel}{size:bh} {rs:rt}, [{rn:xsp}]")
INSN(ldclr, "size:2 111000 acq:1 rel:1 1 rs:5 0 001 00 rn:5 rt:5 @LSE", "ldclr{acq:acqrel}{size:bh} {rs:rt}, {rt}, [{rn:xsp}]")
{
    rmw(t, f, RMW_BIC);
}
ALIAS(ldclr, "size:2 111000 0 rel:1 1 rs:5 0 001 00 rn:5 11111", "stclr{rel:acqrel}{size:bh} {rs:rt}, [{rn:xsp}]")
INSN(ldeor, "size:2 111000 acq:1 rel:1 1 rs:5 0 010 00 rn:5 rt:5 @LSE", "ldeor{acq:acqrel}{size:bh} {rs:rt}, {rt}, [{rn:xsp}]")
{
    rmw(t, f, RMW_XOR);
}
ALIAS(ldeor, "size:2 111000 0 rel:1 1 rs:5 0 010 00 rn:5 11111", "steor{rel:acqrel}{size:bh} {rs:rt}, [{rn:xsp}]")
INSN(ldset, "size:2 111000 acq:1 rel:1 1 rs:5 0 011 00 rn:5 rt:5 @LSE", "ldset{acq:acqrel}{size:bh} {rs:rt}, {rt}, [{rn:xsp}]")
{
    rmw(t, f, RMW_OR);
}
ALIAS(ldset, "size:2 111000 0 rel:1 1 rs:5 0 011 00 rn:5 11111", "stset{rel:acqrel}{size:bh} {rs:rt}, [{rn:xsp}]")
INSN(ldsmax, "size:2 111000 acq:1 rel:1 1 rs:5 0 100 00 rn:5 rt:5 @LSE", "ldsmax{acq:acqrel}{size:bh} {rs:rt}, {rt}, [{rn:xsp}]")
{
    rmw(t, f, RMW_SMAX);
}
ALIAS(ldsmax, "size:2 111000 0 rel:1 1 rs:5 0 100 00 rn:5 11111", "stsmax{rel:acqrel}{size:bh} {rs:rt}, [{rn:xsp}]")
INSN(ldsmin, "size:2 111000 acq:1 rel:1 1 rs:5 0 101 00 rn:5 rt:5 @LSE", "ldsmin{acq:acqrel}{size:bh} {rs:rt}, {rt}, [{rn:xsp}]")
{
    rmw(t, f, RMW_SMIN);
}
ALIAS(ldsmin, "size:2 111000 0 rel:1 1 rs:5 0 101 00 rn:5 11111", "stsmin{rel:acqrel}{size:bh} {rs:rt}, [{rn:xsp}]")
INSN(ldumax, "size:2 111000 acq:1 rel:1 1 rs:5 0 110 00 rn:5 rt:5 @LSE", "ldumax{acq:acqrel}{size:bh} {rs:rt}, {rt}, [{rn:xsp}]")
{
    rmw(t, f, RMW_UMAX);
}
ALIAS(ldumax, "size:2 111000 0 rel:1 1 rs:5 0 110 00 rn:5 11111", "stumax{rel:acqrel}{size:bh} {rs:rt}, [{rn:xsp}]")
INSN(ldumin, "size:2 111000 acq:1 rel:1 1 rs:5 0 111 00 rn:5 rt:5 @LSE", "ldumin{acq:acqrel}{size:bh} {rs:rt}, {rt}, [{rn:xsp}]")
{
    rmw(t, f, RMW_UMIN);
}
ALIAS(ldumin, "size:2 111000 0 rel:1 1 rs:5 0 111 00 rn:5 11111", "stumin{rel:acqrel}{size:bh} {rs:rt}, [{rn:xsp}]")
INSN(swp, "size:2 111000 acq:1 rel:1 1 rs:5 1 000 00 rn:5 rt:5 @LSE", "swp{acq:acqrel}{size:bh} {rs:rt}, {rt}, [{rn:xsp}]")
{
    rmw(t, f, RMW_XCHG);
}
INSN(cas, "size:2 001000 1 acq:1 1 rs:5 rel:1 11111 rn:5 rt:5 @LSE", "cas{acq:acqrel}{size:bh} {rs:rt}, {rt}, [{rn:xsp}]")
{
    unsigned mo;
    enum ir_type type = size_type((unsigned)f->size);
    V a = aligned(t, xsp(t, f->rn), (unsigned)f->size, &mo);
    V old = ir_cas(t, a, ir_trunc(t, type, x(t, f->rs)), ir_trunc(t, type, x(t, f->rt)), mo | order(f));
    wr(t, f->rs, old);
}
/* Pairs of consecutive registers, the first one even. */
INSN(casp, "0 sz:1 001000 0 acq:1 1 rs[4:1] 0 rel:1 11111 rn:5 rt[4:1] 0 @LSE",
     "casp{acq:acqrel} {rs:rsz}, {rs:next}, {rt:rsz}, {rt:next}, [{rn:xsp}]")
{
    unsigned size = f->sz ? MO_64 : MO_32, mo;
    V a = aligned(t, xsp(t, f->rn), size + 1, &mo);
    V old = ir_cas(t, a, pair(t, size, f->rs, f->rs + 1), pair(t, size, f->rt, f->rt + 1), mo | order(f));
    write_pair(t, size, f->rs, f->rs + 1, old);
}
