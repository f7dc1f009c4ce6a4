/*
 * a64_simd_shift.isa.c: Advanced SIMD shifts by immediate, three registers of different types, by element, and the integer part
 * of "three same extra". Arm ARM C4.1.95. In shifts immh:immb holds size and amount: amount = 2 * esize - immhb to the
 * right, immhb - esize to the left.
 */
#include "a64_simd.h"

static enum ir_lane hb_lane(F *f)
{
    return (enum ir_lane)(31 - __builtin_clz((unsigned)f->hb >> 3));
}
static unsigned hb_right(F *f)
{
    return 2 * lane_bits(hb_lane(f)) - (unsigned)f->hb;
}
static unsigned hb_left(F *f)
{
    return (unsigned)f->hb - lane_bits(hb_lane(f));
}

/* --- shifts right ----------------------------------------------------------------------------------------------------- */

/* Rounded: the last bit shifted out is added. */
static V shift_right(struct xlat *t, enum ir_lane l, bool uns, bool round, V a, unsigned n)
{
    enum ir_op op = uns ? IR_VSHRI : IR_VSARI;
    V r = ir_v1x(t, op, l, a, n);
    if (!round) return r;
    V last = ir_v2(t, IR_VAND, L_I64, n > 1 ? ir_v1x(t, op, l, a, n - 1) : a, vsplat(t, l, 1));
    return ir_v2(t, IR_VADD, l, r, last);
}
enum { ROUND = 1, UNS = 2, ACC = 4, SCALAR = 8 };
static void right(struct xlat *t, F *f, unsigned how)
{
    enum ir_lane l = how & SCALAR ? L_I64 : hb_lane(f);
    V r = shift_right(t, l, how & UNS, how & ROUND, vr(t, (unsigned)f->rn), how & SCALAR ? 128 - (unsigned)f->hb : hb_right(f));
    if (how & ACC) r = ir_v2(t, IR_VADD, l, vr(t, (unsigned)f->rd), r);
    wvq(t, !(how & SCALAR) && f->q, (unsigned)f->rd, r);
}
INSN(sshr_v, "0 q:1 0 011110 hb:7 00000 1 rn:5 rd:5 hb!=0..7 ok=vhb(hb,q)", "sshr {rd:vh}, {rn:vh}, #{hb:right}") { right(t, f, 0); }
INSN(ushr_v, "0 q:1 1 011110 hb:7 00000 1 rn:5 rd:5 hb!=0..7 ok=vhb(hb,q)", "ushr {rd:vh}, {rn:vh}, #{hb:right}") { right(t, f, UNS); }
INSN(ssra_v, "0 q:1 0 011110 hb:7 00010 1 rn:5 rd:5 hb!=0..7 ok=vhb(hb,q)", "ssra {rd:vh}, {rn:vh}, #{hb:right}") { right(t, f, ACC); }
INSN(usra_v, "0 q:1 1 011110 hb:7 00010 1 rn:5 rd:5 hb!=0..7 ok=vhb(hb,q)", "usra {rd:vh}, {rn:vh}, #{hb:right}") { right(t, f, UNS | ACC); }
INSN(srshr_v, "0 q:1 0 011110 hb:7 00100 1 rn:5 rd:5 hb!=0..7 ok=vhb(hb,q)", "srshr {rd:vh}, {rn:vh}, #{hb:right}") { right(t, f, ROUND); }
INSN(urshr_v, "0 q:1 1 011110 hb:7 00100 1 rn:5 rd:5 hb!=0..7 ok=vhb(hb,q)", "urshr {rd:vh}, {rn:vh}, #{hb:right}") { right(t, f, UNS | ROUND); }
INSN(srsra_v, "0 q:1 0 011110 hb:7 00110 1 rn:5 rd:5 hb!=0..7 ok=vhb(hb,q)", "srsra {rd:vh}, {rn:vh}, #{hb:right}") { right(t, f, ROUND | ACC); }
INSN(ursra_v, "0 q:1 1 011110 hb:7 00110 1 rn:5 rd:5 hb!=0..7 ok=vhb(hb,q)", "ursra {rd:vh}, {rn:vh}, #{hb:right}") { right(t, f, UNS | ROUND | ACC); }
INSN(sshr_s, "01 0 111110 hb:7 00000 1 rn:5 rd:5 hb!=0..7 ok=hb64(hb)", "sshr {rd:fd}, {rn:fd}, #{hb:right}") { right(t, f, SCALAR); }
INSN(ushr_s, "01 1 111110 hb:7 00000 1 rn:5 rd:5 hb!=0..7 ok=hb64(hb)", "ushr {rd:fd}, {rn:fd}, #{hb:right}") { right(t, f, SCALAR | UNS); }
INSN(ssra_s, "01 0 111110 hb:7 00010 1 rn:5 rd:5 hb!=0..7 ok=hb64(hb)", "ssra {rd:fd}, {rn:fd}, #{hb:right}") { right(t, f, SCALAR | ACC); }
INSN(usra_s, "01 1 111110 hb:7 00010 1 rn:5 rd:5 hb!=0..7 ok=hb64(hb)", "usra {rd:fd}, {rn:fd}, #{hb:right}") { right(t, f, SCALAR | UNS | ACC); }
INSN(srshr_s, "01 0 111110 hb:7 00100 1 rn:5 rd:5 hb!=0..7 ok=hb64(hb)", "srshr {rd:fd}, {rn:fd}, #{hb:right}") { right(t, f, SCALAR | ROUND); }
INSN(urshr_s, "01 1 111110 hb:7 00100 1 rn:5 rd:5 hb!=0..7 ok=hb64(hb)", "urshr {rd:fd}, {rn:fd}, #{hb:right}") { right(t, f, SCALAR | UNS | ROUND); }
INSN(srsra_s, "01 0 111110 hb:7 00110 1 rn:5 rd:5 hb!=0..7 ok=hb64(hb)", "srsra {rd:fd}, {rn:fd}, #{hb:right}") { right(t, f, SCALAR | ROUND | ACC); }
INSN(ursra_s, "01 1 111110 hb:7 00110 1 rn:5 rd:5 hb!=0..7 ok=hb64(hb)", "ursra {rd:fd}, {rn:fd}, #{hb:right}") { right(t, f, SCALAR | UNS | ROUND | ACC); }

/* SRI, SLI: the bits that the shift leaves free keep their value. */
static void insert(struct xlat *t, F *f, enum ir_op op, enum ir_lane l, unsigned n, bool q)
{
    uint64_t k = op == IR_VSHRI ? bits_mask(lane_bits(l)) >> (n > 63 ? 63 : n) >> (n > 63) : bits_mask(lane_bits(l)) << n;
    V mask = vsplat(t, l, n >= lane_bits(l) && op == IR_VSHRI ? 0 : k);
    wvq(t, q, (unsigned)f->rd, ir_v3(t, IR_VBSEL, L_I64, mask, ir_v1x(t, op, l, vr(t, (unsigned)f->rn), n), vr(t, (unsigned)f->rd)));
}
INSN(sri_v, "0 q:1 1 011110 hb:7 01000 1 rn:5 rd:5 hb!=0..7 ok=vhb(hb,q)", "sri {rd:vh}, {rn:vh}, #{hb:right}") { insert(t, f, IR_VSHRI, hb_lane(f), hb_right(f), f->q); }
INSN(sli_v, "0 q:1 1 011110 hb:7 01010 1 rn:5 rd:5 hb!=0..7 ok=vhb(hb,q)", "sli {rd:vh}, {rn:vh}, #{hb:left}") { insert(t, f, IR_VSHLI, hb_lane(f), hb_left(f), f->q); }
INSN(sri_s, "01 1 111110 hb:7 01000 1 rn:5 rd:5 hb!=0..7 ok=hb64(hb)", "sri {rd:fd}, {rn:fd}, #{hb:right}") { insert(t, f, IR_VSHRI, L_I64, hb_right(f), false); }
INSN(sli_s, "01 1 111110 hb:7 01010 1 rn:5 rd:5 hb!=0..7 ok=hb64(hb)", "sli {rd:fd}, {rn:fd}, #{hb:left}") { insert(t, f, IR_VSHLI, L_I64, hb_left(f), false); }

/* --- shifts left ------------------------------------------------------------------------------------------------------ */

INSN(shl_v, "0 q:1 0 011110 hb:7 01010 1 rn:5 rd:5 hb!=0..7 ok=vhb(hb,q)", "shl {rd:vh}, {rn:vh}, #{hb:left}")
{
    wvq(t, f->q, (unsigned)f->rd, ir_v1x(t, IR_VSHLI, hb_lane(f), vr(t, (unsigned)f->rn), hb_left(f)));
}
INSN(shl_s, "01 0 111110 hb:7 01010 1 rn:5 rd:5 hb!=0..7 ok=hb64(hb)", "shl {rd:fd}, {rn:fd}, #{hb:left}")
{
    wvq(t, 0, (unsigned)f->rd, ir_v1x(t, IR_VSHLI, L_I64, vr(t, (unsigned)f->rn), hb_left(f)));
}
static void sat_left(struct xlat *t, F *f, unsigned op, int64_t q)
{
    enum ir_lane l = hb_lane(f);
    wv(t, (unsigned)f->rd, IR_CALL(t, simd_lanes, vr(t, (unsigned)f->rn), vsplat(t, l, hb_left(f)), ir_k32(t, SH(op, l, q))));
}
INSN(sqshl_imm_v, "0 q:1 0 011110 hb:7 01110 1 rn:5 rd:5 hb!=0..7 ok=vhb(hb,q)", "sqshl {rd:vh}, {rn:vh}, #{hb:left}") { sat_left(t, f, SH_SQSHL, f->q); }
INSN(uqshl_imm_v, "0 q:1 1 011110 hb:7 01110 1 rn:5 rd:5 hb!=0..7 ok=vhb(hb,q)", "uqshl {rd:vh}, {rn:vh}, #{hb:left}") { sat_left(t, f, SH_UQSHL, f->q); }
INSN(sqshlu_v, "0 q:1 1 011110 hb:7 01100 1 rn:5 rd:5 hb!=0..7 ok=vhb(hb,q)", "sqshlu {rd:vh}, {rn:vh}, #{hb:left}") { sat_left(t, f, SH_SQSHLU, f->q); }
INSN(sqshl_imm_s, "01 0 111110 hb:7 01110 1 rn:5 rd:5 hb!=0..7 ok=hbany(hb)", "sqshl {rd:sch}, {rn:sch}, #{hb:left}") { sat_left(t, f, SH_SQSHL, LANES_SCALAR); }
INSN(uqshl_imm_s, "01 1 111110 hb:7 01110 1 rn:5 rd:5 hb!=0..7 ok=hbany(hb)", "uqshl {rd:sch}, {rn:sch}, #{hb:left}") { sat_left(t, f, SH_UQSHL, LANES_SCALAR); }
INSN(sqshlu_s, "01 1 111110 hb:7 01100 1 rn:5 rd:5 hb!=0..7 ok=hbany(hb)", "sqshlu {rd:sch}, {rn:sch}, #{hb:left}") { sat_left(t, f, SH_SQSHLU, LANES_SCALAR); }
static void shll(struct xlat *t, F *f, enum ir_op widen)
{
    enum ir_lane l = hb_lane(f);
    V a = ir_v1x(t, widen, l, vr(t, (unsigned)f->rn), (unsigned)f->q);
    unsigned n = hb_left(f);
    wv(t, (unsigned)f->rd, n ? ir_v1x(t, IR_VSHLI, (enum ir_lane)(l + 1), a, n) : a);
}
INSN(sshll, "0 q:1 0 011110 hb:7 10100 1 rn:5 rd:5 hb!=0..7 ok=hb32(hb)", "sshll{q:two} {rd:vhw}, {rn:vh}, #{hb:left}") { shll(t, f, IR_VSXTL); }
INSN(ushll, "0 q:1 1 011110 hb:7 10100 1 rn:5 rd:5 hb!=0..7 ok=hb32(hb)", "ushll{q:two} {rd:vhw}, {rn:vh}, #{hb:left}") { shll(t, f, IR_VUXTL); }
ALIAS(sshll, "0 q:1 0 011110 hb:7 10100 1 rn:5 rd:5 ok=hbzero(hb)", "sxtl{q:two} {rd:vhw}, {rn:vh}")
ALIAS(ushll, "0 q:1 1 011110 hb:7 10100 1 rn:5 rd:5 ok=hbzero(hb)", "uxtl{q:two} {rd:vhw}, {rn:vh}")

/* --- shifts right, narrowing -------------------------------------------------------------------------------------------- */

enum { NARROW_PLAIN, NARROW_SS, NARROW_SU, NARROW_UU };
static void shrn(struct xlat *t, F *f, bool round, unsigned kind, bool scalar)
{
    static const enum ir_op ops[] = { IR_VNARROW, IR_VNARSS, IR_VNARSU, IR_VNARUU };
    enum ir_lane l = hb_lane(f), wide = (enum ir_lane)(l + 1);
    V a = vr(t, (unsigned)f->rn);
    if (scalar) a = ir_v2(t, IR_VAND, L_I64, a, ir_kv(t, bits_mask(lane_bits(wide)), 0));
    a = shift_right(t, wide, kind == NARROW_UU || kind == NARROW_PLAIN, round, a, hb_right(f));
    V low = ir_v2(t, ops[kind], l, a, vzero(t));
    if (kind != NARROW_PLAIN)
        qc_or(t, ir_v2(t, IR_VXOR, L_I64, a, ir_v1x(t, kind == NARROW_SS ? IR_VSXTL : IR_VUXTL, l, low, 0)));
    if (scalar)
        wlane0(t, (unsigned)f->rd, l, low);
    else if (f->q)
        wv(t, (unsigned)f->rd, ir_v2(t, IR_VZIP1, L_I64, vr(t, (unsigned)f->rd), low));
    else
        wvq(t, 0, (unsigned)f->rd, low);
}
INSN(shrn, "0 q:1 0 011110 hb:7 10000 1 rn:5 rd:5 hb!=0..7 ok=hb32(hb)", "shrn{q:two} {rd:vh}, {rn:vhw}, #{hb:right}") { shrn(t, f, false, NARROW_PLAIN, false); }
INSN(rshrn, "0 q:1 0 011110 hb:7 10001 1 rn:5 rd:5 hb!=0..7 ok=hb32(hb)", "rshrn{q:two} {rd:vh}, {rn:vhw}, #{hb:right}") { shrn(t, f, true, NARROW_PLAIN, false); }
INSN(sqshrn_v, "0 q:1 0 011110 hb:7 10010 1 rn:5 rd:5 hb!=0..7 ok=hb32(hb)", "sqshrn{q:two} {rd:vh}, {rn:vhw}, #{hb:right}") { shrn(t, f, false, NARROW_SS, false); }
INSN(sqrshrn_v, "0 q:1 0 011110 hb:7 10011 1 rn:5 rd:5 hb!=0..7 ok=hb32(hb)", "sqrshrn{q:two} {rd:vh}, {rn:vhw}, #{hb:right}") { shrn(t, f, true, NARROW_SS, false); }
INSN(sqshrun_v, "0 q:1 1 011110 hb:7 10000 1 rn:5 rd:5 hb!=0..7 ok=hb32(hb)", "sqshrun{q:two} {rd:vh}, {rn:vhw}, #{hb:right}") { shrn(t, f, false, NARROW_SU, false); }
INSN(sqrshrun_v, "0 q:1 1 011110 hb:7 10001 1 rn:5 rd:5 hb!=0..7 ok=hb32(hb)", "sqrshrun{q:two} {rd:vh}, {rn:vhw}, #{hb:right}") { shrn(t, f, true, NARROW_SU, false); }
INSN(uqshrn_v, "0 q:1 1 011110 hb:7 10010 1 rn:5 rd:5 hb!=0..7 ok=hb32(hb)", "uqshrn{q:two} {rd:vh}, {rn:vhw}, #{hb:right}") { shrn(t, f, false, NARROW_UU, false); }
INSN(uqrshrn_v, "0 q:1 1 011110 hb:7 10011 1 rn:5 rd:5 hb!=0..7 ok=hb32(hb)", "uqrshrn{q:two} {rd:vh}, {rn:vhw}, #{hb:right}") { shrn(t, f, true, NARROW_UU, false); }
INSN(sqshrn_s, "01 0 111110 hb:7 10010 1 rn:5 rd:5 hb!=0..7 ok=hb32(hb)", "sqshrn {rd:sch}, {rn:schw}, #{hb:right}") { shrn(t, f, false, NARROW_SS, true); }
INSN(sqrshrn_s, "01 0 111110 hb:7 10011 1 rn:5 rd:5 hb!=0..7 ok=hb32(hb)", "sqrshrn {rd:sch}, {rn:schw}, #{hb:right}") { shrn(t, f, true, NARROW_SS, true); }
INSN(sqshrun_s, "01 1 111110 hb:7 10000 1 rn:5 rd:5 hb!=0..7 ok=hb32(hb)", "sqshrun {rd:sch}, {rn:schw}, #{hb:right}") { shrn(t, f, false, NARROW_SU, true); }
INSN(sqrshrun_s, "01 1 111110 hb:7 10001 1 rn:5 rd:5 hb!=0..7 ok=hb32(hb)", "sqrshrun {rd:sch}, {rn:schw}, #{hb:right}") { shrn(t, f, true, NARROW_SU, true); }
INSN(uqshrn_s, "01 1 111110 hb:7 10010 1 rn:5 rd:5 hb!=0..7 ok=hb32(hb)", "uqshrn {rd:sch}, {rn:schw}, #{hb:right}") { shrn(t, f, false, NARROW_UU, true); }
INSN(uqrshrn_s, "01 1 111110 hb:7 10011 1 rn:5 rd:5 hb!=0..7 ok=hb32(hb)", "uqrshrn {rd:sch}, {rn:schw}, #{hb:right}") { shrn(t, f, true, NARROW_UU, true); }

/* --- three registers of different types ----------------------------------------------------------------------------------- */

static V widen(struct xlat *t, F *f, bool uns, V a)
{
    return ir_v1x(t, uns ? IR_VUXTL : IR_VSXTL, vlane(f->size), a, (unsigned)f->q);
}
static enum ir_lane wide_lane(F *f)
{
    return (enum ir_lane)(f->size + 1);
}
static void add_long(struct xlat *t, F *f, enum ir_op op, bool uns, bool wide_a)
{
    V a = vr(t, (unsigned)f->rn), b = widen(t, f, uns, vr(t, (unsigned)f->rm));
    wv(t, (unsigned)f->rd, ir_v2(t, op, wide_lane(f), wide_a ? a : widen(t, f, uns, a), b));
}
INSN(saddl, "0 q:1 0 01110 size:2 1 rm:5 0000 00 rn:5 rd:5 size!=3", "saddl{q:two} {rd:vw}, {rn:v}, {rm:v}") { add_long(t, f, IR_VADD, false, false); }
INSN(uaddl, "0 q:1 1 01110 size:2 1 rm:5 0000 00 rn:5 rd:5 size!=3", "uaddl{q:two} {rd:vw}, {rn:v}, {rm:v}") { add_long(t, f, IR_VADD, true, false); }
INSN(saddw, "0 q:1 0 01110 size:2 1 rm:5 0001 00 rn:5 rd:5 size!=3", "saddw{q:two} {rd:vw}, {rn:vw}, {rm:v}") { add_long(t, f, IR_VADD, false, true); }
INSN(uaddw, "0 q:1 1 01110 size:2 1 rm:5 0001 00 rn:5 rd:5 size!=3", "uaddw{q:two} {rd:vw}, {rn:vw}, {rm:v}") { add_long(t, f, IR_VADD, true, true); }
INSN(ssubl, "0 q:1 0 01110 size:2 1 rm:5 0010 00 rn:5 rd:5 size!=3", "ssubl{q:two} {rd:vw}, {rn:v}, {rm:v}") { add_long(t, f, IR_VSUB, false, false); }
INSN(usubl, "0 q:1 1 01110 size:2 1 rm:5 0010 00 rn:5 rd:5 size!=3", "usubl{q:two} {rd:vw}, {rn:v}, {rm:v}") { add_long(t, f, IR_VSUB, true, false); }
INSN(ssubw, "0 q:1 0 01110 size:2 1 rm:5 0011 00 rn:5 rd:5 size!=3", "ssubw{q:two} {rd:vw}, {rn:vw}, {rm:v}") { add_long(t, f, IR_VSUB, false, true); }
INSN(usubw, "0 q:1 1 01110 size:2 1 rm:5 0011 00 rn:5 rd:5 size!=3", "usubw{q:two} {rd:vw}, {rn:vw}, {rm:v}") { add_long(t, f, IR_VSUB, true, true); }
/* High halves of wide sums: narrowed after the shift. */
static void add_high(struct xlat *t, F *f, enum ir_op op, bool round)
{
    enum ir_lane l = vlane(f->size), wide = wide_lane(f);
    V s = ir_v2(t, op, wide, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm));
    if (round) s = ir_v2(t, IR_VADD, wide, s, vsplat(t, wide, 1ull << (lane_bits(l) - 1)));
    V low = ir_v2(t, IR_VNARROW, l, ir_v1x(t, IR_VSHRI, wide, s, lane_bits(l)), vzero(t));
    wv(t, (unsigned)f->rd, f->q ? ir_v2(t, IR_VZIP1, L_I64, vr(t, (unsigned)f->rd), low) : low);
}
INSN(addhn, "0 q:1 0 01110 size:2 1 rm:5 0100 00 rn:5 rd:5 size!=3", "addhn{q:two} {rd:v}, {rn:vw}, {rm:vw}") { add_high(t, f, IR_VADD, false); }
INSN(raddhn, "0 q:1 1 01110 size:2 1 rm:5 0100 00 rn:5 rd:5 size!=3", "raddhn{q:two} {rd:v}, {rn:vw}, {rm:vw}") { add_high(t, f, IR_VADD, true); }
INSN(subhn, "0 q:1 0 01110 size:2 1 rm:5 0110 00 rn:5 rd:5 size!=3", "subhn{q:two} {rd:v}, {rn:vw}, {rm:vw}") { add_high(t, f, IR_VSUB, false); }
INSN(rsubhn, "0 q:1 1 01110 size:2 1 rm:5 0110 00 rn:5 rd:5 size!=3", "rsubhn{q:two} {rd:v}, {rn:vw}, {rm:vw}") { add_high(t, f, IR_VSUB, true); }
static void abd_long(struct xlat *t, F *f, bool uns, bool acc)
{
    enum ir_lane l = vlane(f->size);
    V a = vr(t, (unsigned)f->rn), b = vr(t, (unsigned)f->rm);
    V d = ir_v2(t, IR_VSUB, l, ir_v2(t, uns ? IR_VMAXU : IR_VMAXS, l, a, b), ir_v2(t, uns ? IR_VMINU : IR_VMINS, l, a, b));
    d = widen(t, f, true, d);
    wv(t, (unsigned)f->rd, acc ? ir_v2(t, IR_VADD, wide_lane(f), vr(t, (unsigned)f->rd), d) : d);
}
INSN(sabal, "0 q:1 0 01110 size:2 1 rm:5 0101 00 rn:5 rd:5 size!=3", "sabal{q:two} {rd:vw}, {rn:v}, {rm:v}") { abd_long(t, f, false, true); }
INSN(uabal, "0 q:1 1 01110 size:2 1 rm:5 0101 00 rn:5 rd:5 size!=3", "uabal{q:two} {rd:vw}, {rn:v}, {rm:v}") { abd_long(t, f, true, true); }
INSN(sabdl, "0 q:1 0 01110 size:2 1 rm:5 0111 00 rn:5 rd:5 size!=3", "sabdl{q:two} {rd:vw}, {rn:v}, {rm:v}") { abd_long(t, f, false, false); }
INSN(uabdl, "0 q:1 1 01110 size:2 1 rm:5 0111 00 rn:5 rd:5 size!=3", "uabdl{q:two} {rd:vw}, {rn:v}, {rm:v}") { abd_long(t, f, true, false); }
/* Widening products, plain or accumulated (op VADD, VSUB or 0). */
static void mul_long(struct xlat *t, F *f, bool uns, enum ir_op op, V b)
{
    V p = ir_v2x(t, uns ? IR_VMULLU : IR_VMULLS, vlane(f->size), vr(t, (unsigned)f->rn), b, (unsigned)f->q, 0);
    wv(t, (unsigned)f->rd, op ? ir_v2(t, op, wide_lane(f), vr(t, (unsigned)f->rd), p) : p);
}
INSN(smull_v, "0 q:1 0 01110 size:2 1 rm:5 1100 00 rn:5 rd:5 size!=3", "smull{q:two} {rd:vw}, {rn:v}, {rm:v}") { mul_long(t, f, false, IR_NOP, vr(t, (unsigned)f->rm)); }
INSN(umull_v, "0 q:1 1 01110 size:2 1 rm:5 1100 00 rn:5 rd:5 size!=3", "umull{q:two} {rd:vw}, {rn:v}, {rm:v}") { mul_long(t, f, true, IR_NOP, vr(t, (unsigned)f->rm)); }
INSN(smlal_v, "0 q:1 0 01110 size:2 1 rm:5 1000 00 rn:5 rd:5 size!=3", "smlal{q:two} {rd:vw}, {rn:v}, {rm:v}") { mul_long(t, f, false, IR_VADD, vr(t, (unsigned)f->rm)); }
INSN(umlal_v, "0 q:1 1 01110 size:2 1 rm:5 1000 00 rn:5 rd:5 size!=3", "umlal{q:two} {rd:vw}, {rn:v}, {rm:v}") { mul_long(t, f, true, IR_VADD, vr(t, (unsigned)f->rm)); }
INSN(smlsl_v, "0 q:1 0 01110 size:2 1 rm:5 1010 00 rn:5 rd:5 size!=3", "smlsl{q:two} {rd:vw}, {rn:v}, {rm:v}") { mul_long(t, f, false, IR_VSUB, vr(t, (unsigned)f->rm)); }
INSN(umlsl_v, "0 q:1 1 01110 size:2 1 rm:5 1010 00 rn:5 rd:5 size!=3", "umlsl{q:two} {rd:vw}, {rn:v}, {rm:v}") { mul_long(t, f, true, IR_VSUB, vr(t, (unsigned)f->rm)); }
void arm_dmul_long(struct xlat *t, F *f, enum ir_op op, V a, V b, bool scalar)
{
    enum ir_lane wide = wide_lane(f);
    V p = ir_v2x(t, IR_VMULLS, vlane(f->size), a, b, scalar ? 0 : (unsigned)f->q, 0), plain, r;
    if (scalar) p = ir_v2(t, IR_VAND, L_I64, p, ir_kv(t, bits_mask(lane_bits(wide)), 0));
    plain = ir_v2(t, IR_VADD, wide, p, p);
    p = ir_v2(t, IR_VADDSS, wide, p, p);
    qc_or(t, ir_v2(t, IR_VXOR, L_I64, p, plain));
    if (op) {
        V acc = vr(t, (unsigned)f->rd);
        if (scalar) acc = ir_v2(t, IR_VAND, L_I64, acc, ir_kv(t, bits_mask(lane_bits(wide)), 0));
        r = ir_v2(t, op, wide, acc, p);
        qc_or(t, ir_v2(t, IR_VXOR, L_I64, r, ir_v2(t, op == IR_VADDSS ? IR_VADD : IR_VSUB, wide, acc, p)));
    } else {
        r = p;
    }
    wv(t, (unsigned)f->rd, r);
}
INSN(sqdmlal_v, "0 q:1 0 01110 size:2 1 rm:5 1001 00 rn:5 rd:5 size!=0,3", "sqdmlal{q:two} {rd:vw}, {rn:v}, {rm:v}") { arm_dmul_long(t, f, IR_VADDSS, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), false); }
INSN(sqdmlsl_v, "0 q:1 0 01110 size:2 1 rm:5 1011 00 rn:5 rd:5 size!=0,3", "sqdmlsl{q:two} {rd:vw}, {rn:v}, {rm:v}") { arm_dmul_long(t, f, IR_VSUBSS, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), false); }
INSN(sqdmull_v, "0 q:1 0 01110 size:2 1 rm:5 1101 00 rn:5 rd:5 size!=0,3", "sqdmull{q:two} {rd:vw}, {rn:v}, {rm:v}") { arm_dmul_long(t, f, IR_NOP, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), false); }
INSN(sqdmlal_s, "01 0 11110 size:2 1 rm:5 1001 00 rn:5 rd:5 size!=0,3", "sqdmlal {rd:scw}, {rn:sc}, {rm:sc}") { arm_dmul_long(t, f, IR_VADDSS, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), true); }
INSN(sqdmlsl_s, "01 0 11110 size:2 1 rm:5 1011 00 rn:5 rd:5 size!=0,3", "sqdmlsl {rd:scw}, {rn:sc}, {rm:sc}") { arm_dmul_long(t, f, IR_VSUBSS, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), true); }
INSN(sqdmull_s, "01 0 11110 size:2 1 rm:5 1101 00 rn:5 rd:5 size!=0,3", "sqdmull {rd:scw}, {rn:sc}, {rm:sc}") { arm_dmul_long(t, f, IR_NOP, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), true); }
INSN(pmull_v, "0 q:1 0 01110 00 1 rm:5 1110 00 rn:5 rd:5", "pmull{q:two} {rd:v8h}, {rn:vb}, {rm:vb}")
{
    wv(t, (unsigned)f->rd, IR_CALL(t, simd_pmull8, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), ir_k32(t, (uint32_t)f->q)));
}
INSN(pmull_q, "0 q:1 0 01110 11 1 rm:5 1110 00 rn:5 rd:5 @PMULL", "pmull{q:two} {rd:v1q}, {rn:v1d}, {rm:v1d}")
{
    wv(t, (unsigned)f->rd, ir_v2x(t, IR_VCLMUL, L_I64, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), (unsigned)f->q, (unsigned)f->q));
}
