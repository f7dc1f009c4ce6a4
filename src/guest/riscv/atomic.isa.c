/*
 * atomic.isa.c: A (Zaamo, Zalrsc), Zabha, Zacas, Zawrs (volume I, chapters 13 to 15). Misaligned atomics raise an
 * address-misaligned exception. SC succeeds if memory still holds the reserved value (compare-and-swap): an ABA change
 * between LR and SC goes unseen, which no program built on LR/SC alone can tell from having run before it.
 * Known gaps: none.
 */
#include "xl.h"

FMT(aqrl, aqrl)

/* Order bits of an atomic's aq (1) and rl (0). */
static unsigned order(F *f)
{
    return MO_ALIGN | (f->aqrl & 2 ? MO_ACQ : 0) | (f->aqrl & 1 ? MO_REL : 0);
}

/* Result types narrower than a register are sign-extended; sources are truncated. */
static enum ir_type size_type(unsigned size)
{
    return size == MO_8 ? T_I8 : size == MO_16 ? T_I16 : size == MO_32 ? T_I32 : T_I64;
}

static void amo(struct xlat *t, F *f, unsigned size, enum ir_rmw op)
{
    V src = ir_trunc(t, size_type(size), x(t, f->rs2));
    V old = ir_rmw(t, op, xaddr(t, f->rs1), src, size | order(f));
    wx(t, f->rd, ir_sext(t, xtype(t), old));
}

static void lr(struct xlat *t, F *f, unsigned size)
{
    V a = xaddr(t, f->rs1);
    V v = ir_ld(t, xtype(t), a, 0, size | MO_SIGN | MO_ALIGN | (f->aqrl ? MO_ACQ : 0));
    ir_put(t, R_RES_ADDR, a);
    ir_put(t, R_RES_VAL0, ir_sext(t, T_I64, v));
    wx(t, f->rd, v);
}

/* A lost reservation turns the new value into the expected one: the swap then changes nothing, but faults as a store. */
static void sc(struct xlat *t, F *f, unsigned size)
{
    enum ir_type type = size_type(size);
    V a = xaddr(t, f->rs1), expect = ir_trunc(t, type, ir_get(t, R_RES_VAL0));
    V mine = ir_cmp(t, C_EQ, a, ir_get(t, R_RES_ADDR));
    V value = ir_select(t, mine, ir_trunc(t, type, x(t, f->rs2)), expect);
    V old = ir_cas(t, a, expect, value, size | order(f));
    V ok = ir_and(t, mine, ir_cmp(t, C_EQ, old, expect));

    ir_put(t, R_RES_ADDR, ir_k(t, ~0ull));
    wb(t, f->rd, ir_not(t, ok));
}

static void cas(struct xlat *t, F *f, unsigned size)
{
    enum ir_type type = size_type(size);
    V old = ir_cas(t, xaddr(t, f->rs1), ir_trunc(t, type, x(t, f->rd)), ir_trunc(t, type, x(t, f->rs2)),
                   size | order(f));
    wx(t, f->rd, ir_sext(t, xtype(t), old));
}

INSN(lr_w, "00010 aqrl:2 00000 rs1:5 010 rd:5 0101111 @Zalrsc", "lr.w{aqrl} {rd},({rs1})")
{
    lr(t, f, MO_32);
}
INSN(lr_d, "00010 aqrl:2 00000 rs1:5 011 rd:5 0101111 @rv64 @Zalrsc", "lr.d{aqrl} {rd},({rs1})")
{
    lr(t, f, MO_64);
}
INSN(sc_w, "00011 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111 @Zalrsc", "sc.w{aqrl} {rd},{rs2},({rs1})")
{
    sc(t, f, MO_32);
}
INSN(sc_d, "00011 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111 @rv64 @Zalrsc", "sc.d{aqrl} {rd},{rs2},({rs1})")
{
    sc(t, f, MO_64);
}

INSN(amoswap_b, "00001 aqrl:2 rs2:5 rs1:5 000 rd:5 0101111 @Zabha", "amoswap.b{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_8, RMW_XCHG);
}
INSN(amoswap_h, "00001 aqrl:2 rs2:5 rs1:5 001 rd:5 0101111 @Zabha", "amoswap.h{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_16, RMW_XCHG);
}
INSN(amoswap_w, "00001 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111 @Zaamo", "amoswap.w{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_32, RMW_XCHG);
}
INSN(amoswap_d, "00001 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111 @rv64 @Zaamo", "amoswap.d{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_64, RMW_XCHG);
}
INSN(amoadd_b, "00000 aqrl:2 rs2:5 rs1:5 000 rd:5 0101111 @Zabha", "amoadd.b{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_8, RMW_ADD);
}
INSN(amoadd_h, "00000 aqrl:2 rs2:5 rs1:5 001 rd:5 0101111 @Zabha", "amoadd.h{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_16, RMW_ADD);
}
INSN(amoadd_w, "00000 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111 @Zaamo", "amoadd.w{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_32, RMW_ADD);
}
INSN(amoadd_d, "00000 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111 @rv64 @Zaamo", "amoadd.d{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_64, RMW_ADD);
}
INSN(amoxor_b, "00100 aqrl:2 rs2:5 rs1:5 000 rd:5 0101111 @Zabha", "amoxor.b{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_8, RMW_XOR);
}
INSN(amoxor_h, "00100 aqrl:2 rs2:5 rs1:5 001 rd:5 0101111 @Zabha", "amoxor.h{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_16, RMW_XOR);
}
INSN(amoxor_w, "00100 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111 @Zaamo", "amoxor.w{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_32, RMW_XOR);
}
INSN(amoxor_d, "00100 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111 @rv64 @Zaamo", "amoxor.d{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_64, RMW_XOR);
}
INSN(amoand_b, "01100 aqrl:2 rs2:5 rs1:5 000 rd:5 0101111 @Zabha", "amoand.b{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_8, RMW_AND);
}
INSN(amoand_h, "01100 aqrl:2 rs2:5 rs1:5 001 rd:5 0101111 @Zabha", "amoand.h{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_16, RMW_AND);
}
INSN(amoand_w, "01100 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111 @Zaamo", "amoand.w{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_32, RMW_AND);
}
INSN(amoand_d, "01100 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111 @rv64 @Zaamo", "amoand.d{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_64, RMW_AND);
}
INSN(amoor_b, "01000 aqrl:2 rs2:5 rs1:5 000 rd:5 0101111 @Zabha", "amoor.b{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_8, RMW_OR);
}
INSN(amoor_h, "01000 aqrl:2 rs2:5 rs1:5 001 rd:5 0101111 @Zabha", "amoor.h{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_16, RMW_OR);
}
INSN(amoor_w, "01000 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111 @Zaamo", "amoor.w{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_32, RMW_OR);
}
INSN(amoor_d, "01000 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111 @rv64 @Zaamo", "amoor.d{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_64, RMW_OR);
}
INSN(amomin_b, "10000 aqrl:2 rs2:5 rs1:5 000 rd:5 0101111 @Zabha", "amomin.b{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_8, RMW_SMIN);
}
INSN(amomin_h, "10000 aqrl:2 rs2:5 rs1:5 001 rd:5 0101111 @Zabha", "amomin.h{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_16, RMW_SMIN);
}
INSN(amomin_w, "10000 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111 @Zaamo", "amomin.w{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_32, RMW_SMIN);
}
INSN(amomin_d, "10000 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111 @rv64 @Zaamo", "amomin.d{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_64, RMW_SMIN);
}
INSN(amomax_b, "10100 aqrl:2 rs2:5 rs1:5 000 rd:5 0101111 @Zabha", "amomax.b{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_8, RMW_SMAX);
}
INSN(amomax_h, "10100 aqrl:2 rs2:5 rs1:5 001 rd:5 0101111 @Zabha", "amomax.h{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_16, RMW_SMAX);
}
INSN(amomax_w, "10100 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111 @Zaamo", "amomax.w{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_32, RMW_SMAX);
}
INSN(amomax_d, "10100 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111 @rv64 @Zaamo", "amomax.d{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_64, RMW_SMAX);
}
INSN(amominu_b, "11000 aqrl:2 rs2:5 rs1:5 000 rd:5 0101111 @Zabha", "amominu.b{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_8, RMW_UMIN);
}
INSN(amominu_h, "11000 aqrl:2 rs2:5 rs1:5 001 rd:5 0101111 @Zabha", "amominu.h{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_16, RMW_UMIN);
}
INSN(amominu_w, "11000 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111 @Zaamo", "amominu.w{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_32, RMW_UMIN);
}
INSN(amominu_d, "11000 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111 @rv64 @Zaamo", "amominu.d{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_64, RMW_UMIN);
}
INSN(amomaxu_b, "11100 aqrl:2 rs2:5 rs1:5 000 rd:5 0101111 @Zabha", "amomaxu.b{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_8, RMW_UMAX);
}
INSN(amomaxu_h, "11100 aqrl:2 rs2:5 rs1:5 001 rd:5 0101111 @Zabha", "amomaxu.h{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_16, RMW_UMAX);
}
INSN(amomaxu_w, "11100 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111 @Zaamo", "amomaxu.w{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_32, RMW_UMAX);
}
INSN(amomaxu_d, "11100 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111 @rv64 @Zaamo", "amomaxu.d{aqrl} {rd},{rs2},({rs1})")
{
    amo(t, f, MO_64, RMW_UMAX);
}

/* -- Zacas: compare with rd, or with the pair rd, rd+1; register pairs are even-numbered and x0 stands for a pair of zeros -- */
INSN(amocas_b, "00101 aqrl:2 rs2:5 rs1:5 000 rd:5 0101111 @Zabha @Zacas", "amocas.b{aqrl} {rd},{rs2},({rs1})")
{
    cas(t, f, MO_8);
}
INSN(amocas_h, "00101 aqrl:2 rs2:5 rs1:5 001 rd:5 0101111 @Zabha @Zacas", "amocas.h{aqrl} {rd},{rs2},({rs1})")
{
    cas(t, f, MO_16);
}
INSN(amocas_w, "00101 aqrl:2 rs2:5 rs1:5 010 rd:5 0101111 @Zacas", "amocas.w{aqrl} {rd},{rs2},({rs1})")
{
    cas(t, f, MO_32);
}
INSN(amocas_d, "00101 aqrl:2 rs2:5 rs1:5 011 rd:5 0101111 @rv64 @Zacas", "amocas.d{aqrl} {rd},{rs2},({rs1})")
{
    cas(t, f, MO_64);
}
static V pair_hi(struct xlat *t, unsigned r)
{
    return r ? x(t, r + 1) : kx(t, 0);
}
INSN(amocas_d_pair, "00101 aqrl:2 rs2:4*2 0 rs1:5 011 rd:4*2 0 0101111 @!rv64 @Zacas",
     "amocas.d{aqrl} {rd},{rs2},({rs1})")
{
    V lo = ir_zext(t, T_I64, x(t, f->rd)), hi = ir_zext(t, T_I64, pair_hi(t, f->rd));
    V nlo = ir_zext(t, T_I64, x(t, f->rs2)), nhi = ir_zext(t, T_I64, pair_hi(t, f->rs2));
    V old = ir_cas(t, xaddr(t, f->rs1), ir_or(t, lo, ir_shli(t, hi, 32)), ir_or(t, nlo, ir_shli(t, nhi, 32)),
                   MO_64 | order(f));
    if (f->rd) {
        wx(t, f->rd, ir_trunc(t, T_I32, old));
        wx(t, f->rd + 1, ir_trunc(t, T_I32, ir_shri(t, old, 32)));
    }
}
INSN(amocas_q, "00101 aqrl:2 rs2:4*2 0 rs1:5 100 rd:4*2 0 0101111 @rv64 @Zacas", "amocas.q{aqrl} {rd},{rs2},({rs1})")
{
    V expect = ir_vins(t, L_I64, ir_vfrom(t, x(t, f->rd)), pair_hi(t, f->rd), 1);
    V value = ir_vins(t, L_I64, ir_vfrom(t, x(t, f->rs2)), pair_hi(t, f->rs2), 1);
    V old = ir_cas(t, xaddr(t, f->rs1), expect, value, MO_128 | order(f));
    if (f->rd) {
        wx(t, f->rd, ir_vget(t, T_I64, L_I64, old, 0));
        wx(t, f->rd + 1, ir_vget(t, T_I64, L_I64, old, 1));
    }
}

/* -- Zawrs: waiting may end at any time, so it need not begin --------------------------------------------------- */
INSN(wrs_nto, "000000001101 00000 000 00000 1110011 @Zawrs", "wrs.nto")
{
}
INSN(wrs_sto, "000000011101 00000 000 00000 1110011 @Zawrs", "wrs.sto")
{
}
