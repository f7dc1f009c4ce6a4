/*
 * a64_dp.isa.c: AArch64 data processing on general registers: immediate, register, 1 to 3 sources, conditional
 * (DDI 0487 C4.1.86 and C4.1.95; FEAT_FlagM, FlagM2, CSSC, CRC32 included). PAC* are in a64_pauth.isa.c.
 * Known gaps: none.
 */
#include "xl.h"

STREAM(unit=32, order=lsb)
GROUPS(x, n, v, c, s)
FMT(rd|rn|rm|ra, r)
FMT(cond, cond)
FMT(@pc, %x)
FMT(nzcv|imm16, hex)

/* -- flags ----------------------------------------------------------------------------------------------------------- */
static V adds(struct xlat *t, V a, V b)
{
    V res = ir_add(t, a, b);
    put_nzcv(t, is_negative(t, res), is_zero(t, res), ir_cmp(t, C_ULT, res, a), ir_saddov(t, a, b));
    return res;
}
static V subs(struct xlat *t, V a, V b)
{
    V res = ir_sub(t, a, b);
    put_nzcv(t, is_negative(t, res), is_zero(t, res), ir_cmp(t, C_UGE, a, b), ir_ssubov(t, a, b));
    return res;
}
static V logic_flags(struct xlat *t, V res)
{
    V zero = ir_kt(t, T_I1, 0);
    put_nzcv(t, is_negative(t, res), is_zero(t, res), zero, zero);
    return res;
}

V arm_cond(struct xlat *t, unsigned cond)
{
    V res;
    switch (cond >> 1) {
    case 0: res = ir_get(t, R_Z); break;
    case 1: res = ir_get(t, R_C); break;
    case 2: res = ir_get(t, R_N); break;
    case 3: res = ir_get(t, R_V); break;
    case 4: res = ir_and(t, ir_get(t, R_C), ir_not(t, ir_get(t, R_Z))); break;
    case 5: res = ir_cmp(t, C_EQ, ir_get(t, R_N), ir_get(t, R_V)); break;
    case 6:
        res = ir_and(t, ir_cmp(t, C_EQ, ir_get(t, R_N), ir_get(t, R_V)), ir_not(t, ir_get(t, R_Z)));
        break;
    default: return ir_kt(t, T_I1, 1);
    }
    return cond & 1 ? ir_not(t, res) : res;
}

/* -- add and subtract immediate ---------------------------------------------------------------------------------------- */
static V imm12(struct xlat *t, F *f)
{
    return ir_kt(t, rtype(f->sf), (uint64_t)f->imm12 << (f->sh ? 12 : 0));
}
INSN(add_imm, "sf:1 0010001 0 sh:1 imm12:12 rn:5 rd:5", "add {rd:rsp}, {rn:rsp}, {imm12:addimm}")
{
    wrsp(t, f->rd, ir_add(t, rsp(t, f->sf, f->rn), imm12(t, f)));
}
ALIAS(add_imm, "sf:1 0010001 00 000000000000 rn:5 11111", "mov {sf:sp}, {rn:rsp}")
ALIAS(add_imm, "sf:1 0010001 00 000000000000 11111 rd:5", "mov {rd:rsp}, {sf:sp}")
ALIAS(add_imm, "sf:1 0010001 00 000000000000 11111 11111", "mov {sf:sp}, {sf:sp}")
INSN(adds_imm, "sf:1 0110001 0 sh:1 imm12:12 rn:5 rd:5", "adds {rd}, {rn:rsp}, {imm12:addimm}")
{
    wr(t, f->rd, adds(t, rsp(t, f->sf, f->rn), imm12(t, f)));
}
ALIAS(adds_imm, "sf:1 0110001 0 sh:1 imm12:12 rn:5 11111", "cmn {rn:rsp}, {imm12:addimm}")
INSN(sub_imm, "sf:1 1010001 0 sh:1 imm12:12 rn:5 rd:5", "sub {rd:rsp}, {rn:rsp}, {imm12:addimm}")
{
    wrsp(t, f->rd, ir_sub(t, rsp(t, f->sf, f->rn), imm12(t, f)));
}
INSN(subs_imm, "sf:1 1110001 0 sh:1 imm12:12 rn:5 rd:5", "subs {rd}, {rn:rsp}, {imm12:addimm}")
{
    wr(t, f->rd, subs(t, rsp(t, f->sf, f->rn), imm12(t, f)));
}
ALIAS(subs_imm, "sf:1 1110001 0 sh:1 imm12:12 rn:5 11111", "cmp {rn:rsp}, {imm12:addimm}")

/* -- logical immediate ------------------------------------------------------------------------------------------------- */
/* DecodeBitMasks(): a run of ones, rotated, repeated. False if reserved. */
bool arm_bitmask(int64_t sf, int64_t n, int64_t immr, int64_t imms, int64_t *out)
{
    unsigned pat = (unsigned)(n << 6 | (~imms & 0x3f)), len, size, s, r;
    uint64_t elem;

    if (pat < 2 || (n && !sf)) return false;
    len = 31 - (unsigned)__builtin_clz(pat);
    size = 1u << len;
    s = (unsigned)imms & (size - 1);
    r = (unsigned)immr & (size - 1);
    if (s == size - 1) return false;
    elem = bits_mask(s + 1);
    if (r) elem = (elem >> r | elem << (size - r)) & bits_mask(size);
    for (; size < 64; size *= 2) elem |= elem << size;
    *out = (int64_t)(sf ? elem : (uint32_t)elem);
    return true;
}
/* MoveWidePreferred(): false there, so that the disassembly is a MOV only where the assembler makes ORR of it. */
bool arm_mov_bitmask(int64_t sf, int64_t n, int64_t immr, int64_t imms, int64_t *out)
{
    uint64_t v;

    if (!arm_bitmask(sf, n, immr, imms, out)) return false;
    v = (uint64_t)*out;
    for (unsigned i = 0; i < (sf ? 64 : 32); i += 16) {
        uint64_t rest = ~(0xffffull << i) & bits_mask(sf ? 64 : 32);
        if ((v & rest) == 0 || (~v & rest) == 0) return false;
    }
    return true;
}
static V bmask(struct xlat *t, F *f)
{
    return ir_kt(t, rtype(f->sf), (uint64_t)f->bm);
}
INSN(and_imm, "sf:1 00 100100 n:1 immr:6 imms:6 rn:5 rd:5 bm=bitmask(sf,n,immr,imms)", "and {rd:rsp}, {rn}, #{bm:hex}")
{
    wrsp(t, f->rd, ir_and(t, r(t, f->sf, f->rn), bmask(t, f)));
}
INSN(orr_imm, "sf:1 01 100100 n:1 immr:6 imms:6 rn:5 rd:5 bm=bitmask(sf,n,immr,imms)", "orr {rd:rsp}, {rn}, #{bm:hex}")
{
    wrsp(t, f->rd, ir_or(t, r(t, f->sf, f->rn), bmask(t, f)));
}
ALIAS(orr_imm, "sf:1 01 100100 n:1 immr:6 imms:6 11111 rd:5 bm=mov_bitmask(sf,n,immr,imms)", "mov {rd:rsp}, #{bm:hex}")
ALIAS(orr_imm, "sf:1 01 100100 n:1 immr:6 imms:6 11111 11111 bm=bitmask(sf,n,immr,imms)", "mov {sf:sp}, #{bm:hex}")
INSN(eor_imm, "sf:1 10 100100 n:1 immr:6 imms:6 rn:5 rd:5 bm=bitmask(sf,n,immr,imms)", "eor {rd:rsp}, {rn}, #{bm:hex}")
{
    wrsp(t, f->rd, ir_xor(t, r(t, f->sf, f->rn), bmask(t, f)));
}
INSN(ands_imm, "sf:1 11 100100 n:1 immr:6 imms:6 rn:5 rd:5 bm=bitmask(sf,n,immr,imms)", "ands {rd}, {rn}, #{bm:hex}")
{
    wr(t, f->rd, logic_flags(t, ir_and(t, r(t, f->sf, f->rn), bmask(t, f))));
}
ALIAS(ands_imm, "sf:1 11 100100 n:1 immr:6 imms:6 rn:5 11111 bm=bitmask(sf,n,immr,imms)", "tst {rn}, #{bm:hex}")

/* -- move wide ----------------------------------------------------------------------------------------------------------- */
/* hw as a shift amount; W registers have two halves only. */
bool arm_hw(int64_t sf, int64_t hw, int64_t *out)
{
    *out = hw * 16;
    return sf || hw < 2;
}
bool arm_movz_value(int64_t sf, int64_t hw, int64_t imm, int64_t *out)
{
    *out = (int64_t)((uint64_t)imm << hw * 16);
    return (sf || hw < 2) && (imm || !hw);
}
bool arm_movn_value(int64_t sf, int64_t hw, int64_t imm, int64_t *out)
{
    uint64_t v = ~((uint64_t)imm << hw * 16);
    *out = (int64_t)(sf ? v : (uint32_t)v);
    return (sf || (hw < 2 && imm != 0xffff)) && (imm || !hw);
}
INSN(movn, "sf:1 00 100101 hw:2 imm16:16 rd:5 hws=hw(sf,hw)", "movn {rd}, #{imm16}{hws:lsl}")
{
    wr(t, f->rd, ir_kt(t, rtype(f->sf), ~((uint64_t)f->imm16 << f->hws)));
}
ALIAS(movn, "sf:1 00 100101 hw:2 imm16:16 rd:5 mv=movn_value(sf,hw,imm16)", "mov {rd}, #{mv:hex}")
INSN(movz, "sf:1 10 100101 hw:2 imm16:16 rd:5 hws=hw(sf,hw)", "movz {rd}, #{imm16}{hws:lsl}")
{
    wr(t, f->rd, ir_kt(t, rtype(f->sf), (uint64_t)f->imm16 << f->hws));
}
ALIAS(movz, "sf:1 10 100101 hw:2 imm16:16 rd:5 mv=movz_value(sf,hw,imm16)", "mov {rd}, #{mv:hex}")
INSN(movk, "sf:1 11 100101 hw:2 imm16:16 rd:5 hws=hw(sf,hw)", "movk {rd}, #{imm16}{hws:lsl}")
{
    V old = r(t, f->sf, f->rd);
    wr(t, f->rd, ir_bfi(t, old, ir_kt(t, rtype(f->sf), (uint64_t)f->imm16), (unsigned)f->hws, 16));
}
INSN(adr, "0 aoff[1:0] 10000 aoff[s20:2] rd:5", "adr {rd:x}, {aoff@pc}")
{
    wx(t, f->rd, ir_k(t, t->pc + (uint64_t)f->aoff));
}
INSN(adrp, "1 aoff[1:0] 10000 aoff[s20:2] rd:5", "adrp {rd:x}, {aoff:page}")
{
    wx(t, f->rd, ir_k(t, (t->pc & ~0xfffull) + ((uint64_t)f->aoff << 12)));
}

/* -- bitfields ----------------------------------------------------------------------------------------------------------- */
/* N = sf, and no bit 5 in a W register's fields. */
bool arm_bf(int64_t sf, int64_t n, int64_t immr, int64_t imms, int64_t *out)
{
    *out = sf ? 64 : 32;
    return n == sf && (sf || (immr < 32 && imms < 32));
}
bool arm_lsl_amount(int64_t sf, int64_t immr, int64_t imms, int64_t *out)
{
    *out = (sf ? 63 : 31) - imms;
    return imms != (sf ? 63 : 31) && imms + 1 == immr;
}
bool arm_to_top(int64_t sf, int64_t imms, int64_t *out)
{
    *out = 0;
    return imms == (sf ? 63 : 31);
}
/* The position and width of an insertion (imms < immr), the width of an extraction. */
bool arm_bfi_lsb(int64_t sf, int64_t immr, int64_t imms, int64_t *out)
{
    *out = (sf ? 64 : 32) - immr;
    return imms < immr;
}
bool arm_bfx_width(int64_t immr, int64_t imms, int64_t *out)
{
    *out = imms - immr + 1;
    return imms >= immr;
}
bool arm_plus1(int64_t imms, int64_t *out)
{
    *out = imms + 1;
    return true;
}

static V bitfield(struct xlat *t, F *f, bool sign)
{
    V a = r(t, f->sf, f->rn);
    unsigned bits = f->sf ? 64 : 32, immr = (unsigned)f->immr, imms = (unsigned)f->imms, width;

    if (imms >= immr) {
        width = imms - immr + 1;
        return sign ? ir_sbfx(t, a, immr, width) : ir_ubfx(t, a, immr, width);
    }
    width = imms + 1;
    return ir_shli(t, sign ? ir_sbfx(t, a, 0, width) : ir_ubfx(t, a, 0, width), bits - immr);
}
INSN(sbfm, "sf:1 00 100110 n:1 immr:6 imms:6 rn:5 rd:5 bits=bf(sf,n,immr,imms)", "sbfm {rd}, {rn}, #{immr}, #{imms}")
{
    wr(t, f->rd, bitfield(t, f, true));
}
ALIAS(sbfm, "sf:1 00 100110 n:1 immr:6 imms:6 rn:5 rd:5 mv=to_top(sf,imms)", "asr {rd}, {rn}, #{immr}")
ALIAS(sbfm, "sf:1 00 100110 n:1 000000 000111 rn:5 rd:5", "sxtb {rd}, {rn:w}")
ALIAS(sbfm, "sf:1 00 100110 n:1 000000 001111 rn:5 rd:5", "sxth {rd}, {rn:w}")
ALIAS(sbfm, "1 00 100110 1 000000 011111 rn:5 rd:5", "sxtw {rd:x}, {rn:w}")
ALIAS(sbfm, "sf:1 00 100110 n:1 immr:6 imms:6 rn:5 rd:5 lsb=bfi_lsb(sf,immr,imms) wid=plus1(imms)",
      "sbfiz {rd}, {rn}, #{lsb}, #{wid}")
ALIAS(sbfm, "sf:1 00 100110 n:1 immr:6 imms:6 rn:5 rd:5 wid=bfx_width(immr,imms)", "sbfx {rd}, {rn}, #{immr}, #{wid}")
INSN(bfm, "sf:1 01 100110 n:1 immr:6 imms:6 rn:5 rd:5 bits=bf(sf,n,immr,imms)", "bfm {rd}, {rn}, #{immr}, #{imms}")
{
    V old = r(t, f->sf, f->rd), a = r(t, f->sf, f->rn);
    unsigned immr = (unsigned)f->immr, imms = (unsigned)f->imms;

    if (imms >= immr)
        wr(t, f->rd, ir_bfi(t, old, ir_shri(t, a, immr), 0, imms - immr + 1));
    else
        wr(t, f->rd, ir_bfi(t, old, a, (unsigned)f->bits - immr, imms + 1));
}
ALIAS(bfm, "sf:1 01 100110 n:1 immr:6 imms:6 11111 rd:5 lsb=bfi_lsb(sf,immr,imms) wid=plus1(imms)",
      "bfc {rd}, #{lsb}, #{wid}")
ALIAS(bfm, "sf:1 01 100110 n:1 immr:6 imms:6 rn:5 rd:5 lsb=bfi_lsb(sf,immr,imms) wid=plus1(imms)",
      "bfi {rd}, {rn}, #{lsb}, #{wid}")
ALIAS(bfm, "sf:1 01 100110 n:1 immr:6 imms:6 rn:5 rd:5 wid=bfx_width(immr,imms)", "bfxil {rd}, {rn}, #{immr}, #{wid}")
INSN(ubfm, "sf:1 10 100110 n:1 immr:6 imms:6 rn:5 rd:5 bits=bf(sf,n,immr,imms)", "ubfm {rd}, {rn}, #{immr}, #{imms}")
{
    wr(t, f->rd, bitfield(t, f, false));
}
ALIAS(ubfm, "sf:1 10 100110 n:1 immr:6 imms:6 rn:5 rd:5 lsb=lsl_amount(sf,immr,imms)", "lsl {rd}, {rn}, #{lsb}")
ALIAS(ubfm, "sf:1 10 100110 n:1 immr:6 imms:6 rn:5 rd:5 mv=to_top(sf,imms)", "lsr {rd}, {rn}, #{immr}")
ALIAS(ubfm, "0 10 100110 0 000000 000111 rn:5 rd:5", "uxtb {rd:w}, {rn:w}")
ALIAS(ubfm, "0 10 100110 0 000000 001111 rn:5 rd:5", "uxth {rd:w}, {rn:w}")
ALIAS(ubfm, "sf:1 10 100110 n:1 immr:6 imms:6 rn:5 rd:5 lsb=bfi_lsb(sf,immr,imms) wid=plus1(imms)",
      "ubfiz {rd}, {rn}, #{lsb}, #{wid}")
ALIAS(ubfm, "sf:1 10 100110 n:1 immr:6 imms:6 rn:5 rd:5 wid=bfx_width(immr,imms)", "ubfx {rd}, {rn}, #{immr}, #{wid}")
bool arm_extr(int64_t sf, int64_t n, int64_t imms, int64_t *out)
{
    return arm_bf(sf, n, 0, imms, out);
}
bool arm_same(int64_t a, int64_t b, int64_t *out)
{
    *out = 0;
    return a == b;
}
INSN(extr, "sf:1 00 100111 n:1 0 rm:5 imms:6 rn:5 rd:5 bits=extr(sf,n,imms)", "extr {rd}, {rn}, {rm}, #{imms}")
{
    wr(t, f->rd, ir_extr(t, r(t, f->sf, f->rn), r(t, f->sf, f->rm), (unsigned)f->imms));
}
ALIAS(extr, "sf:1 00 100111 n:1 0 rm:5 imms:6 rn:5 rd:5 mv=same(rm,rn)", "ror {rd}, {rn}, #{imms}")

/* -- shifted register ---------------------------------------------------------------------------------------------------- */
bool arm_amount(int64_t sf, int64_t imm6, int64_t *out)
{
    *out = imm6;
    return sf || imm6 < 32;
}
static V shifted(struct xlat *t, F *f)
{
    V a = r(t, f->sf, f->rm);
    unsigned n = (unsigned)f->amt;

    if (!n) return a;
    switch (f->shift) {
    case 0: return ir_shli(t, a, n);
    case 1: return ir_shri(t, a, n);
    case 2: return ir_sari(t, a, n);
    default: return ir_rotri(t, a, n);
    }
}
INSN(and_sh, "sf:1 00 01010 shift:2 0 rm:5 imm6:6 rn:5 rd:5 amt=amount(sf,imm6)", "and {rd}, {rn}, {rm}{amt:shift}")
{
    wr(t, f->rd, ir_and(t, r(t, f->sf, f->rn), shifted(t, f)));
}
INSN(bic_sh, "sf:1 00 01010 shift:2 1 rm:5 imm6:6 rn:5 rd:5 amt=amount(sf,imm6)", "bic {rd}, {rn}, {rm}{amt:shift}")
{
    wr(t, f->rd, ir_and(t, r(t, f->sf, f->rn), ir_not(t, shifted(t, f))));
}
INSN(orr_sh, "sf:1 01 01010 shift:2 0 rm:5 imm6:6 rn:5 rd:5 amt=amount(sf,imm6)", "orr {rd}, {rn}, {rm}{amt:shift}")
{
    wr(t, f->rd, ir_or(t, r(t, f->sf, f->rn), shifted(t, f)));
}
ALIAS(orr_sh, "sf:1 01 01010 00 0 rm:5 000000 11111 rd:5", "mov {rd}, {rm}")
INSN(orn_sh, "sf:1 01 01010 shift:2 1 rm:5 imm6:6 rn:5 rd:5 amt=amount(sf,imm6)", "orn {rd}, {rn}, {rm}{amt:shift}")
{
    wr(t, f->rd, ir_or(t, r(t, f->sf, f->rn), ir_not(t, shifted(t, f))));
}
ALIAS(orn_sh, "sf:1 01 01010 shift:2 1 rm:5 imm6:6 11111 rd:5 amt=amount(sf,imm6)", "mvn {rd}, {rm}{amt:shift}")
INSN(eor_sh, "sf:1 10 01010 shift:2 0 rm:5 imm6:6 rn:5 rd:5 amt=amount(sf,imm6)", "eor {rd}, {rn}, {rm}{amt:shift}")
{
    wr(t, f->rd, ir_xor(t, r(t, f->sf, f->rn), shifted(t, f)));
}
INSN(eon_sh, "sf:1 10 01010 shift:2 1 rm:5 imm6:6 rn:5 rd:5 amt=amount(sf,imm6)", "eon {rd}, {rn}, {rm}{amt:shift}")
{
    wr(t, f->rd, ir_xor(t, r(t, f->sf, f->rn), ir_not(t, shifted(t, f))));
}
INSN(ands_sh, "sf:1 11 01010 shift:2 0 rm:5 imm6:6 rn:5 rd:5 amt=amount(sf,imm6)", "ands {rd}, {rn}, {rm}{amt:shift}")
{
    wr(t, f->rd, logic_flags(t, ir_and(t, r(t, f->sf, f->rn), shifted(t, f))));
}
ALIAS(ands_sh, "sf:1 11 01010 shift:2 0 rm:5 imm6:6 rn:5 11111 amt=amount(sf,imm6)", "tst {rn}, {rm}{amt:shift}")
INSN(bics_sh, "sf:1 11 01010 shift:2 1 rm:5 imm6:6 rn:5 rd:5 amt=amount(sf,imm6)", "bics {rd}, {rn}, {rm}{amt:shift}")
{
    wr(t, f->rd, logic_flags(t, ir_and(t, r(t, f->sf, f->rn), ir_not(t, shifted(t, f)))));
}

INSN(add_sh, "sf:1 00 01011 shift:2 0 rm:5 imm6:6 rn:5 rd:5 shift!=3 amt=amount(sf,imm6)", "add {rd}, {rn}, {rm}{amt:shift}")
{
    wr(t, f->rd, ir_add(t, r(t, f->sf, f->rn), shifted(t, f)));
}
INSN(adds_sh, "sf:1 01 01011 shift:2 0 rm:5 imm6:6 rn:5 rd:5 shift!=3 amt=amount(sf,imm6)",
     "adds {rd}, {rn}, {rm}{amt:shift}")
{
    wr(t, f->rd, adds(t, r(t, f->sf, f->rn), shifted(t, f)));
}
ALIAS(adds_sh, "sf:1 01 01011 shift:2 0 rm:5 imm6:6 rn:5 11111 amt=amount(sf,imm6)", "cmn {rn}, {rm}{amt:shift}")
INSN(sub_sh, "sf:1 10 01011 shift:2 0 rm:5 imm6:6 rn:5 rd:5 shift!=3 amt=amount(sf,imm6)", "sub {rd}, {rn}, {rm}{amt:shift}")
{
    wr(t, f->rd, ir_sub(t, r(t, f->sf, f->rn), shifted(t, f)));
}
ALIAS(sub_sh, "sf:1 10 01011 shift:2 0 rm:5 imm6:6 11111 rd:5 amt=amount(sf,imm6)", "neg {rd}, {rm}{amt:shift}")
INSN(subs_sh, "sf:1 11 01011 shift:2 0 rm:5 imm6:6 rn:5 rd:5 shift!=3 amt=amount(sf,imm6)",
     "subs {rd}, {rn}, {rm}{amt:shift}")
{
    wr(t, f->rd, subs(t, r(t, f->sf, f->rn), shifted(t, f)));
}
ALIAS(subs_sh, "sf:1 11 01011 shift:2 0 rm:5 imm6:6 rn:5 11111 amt=amount(sf,imm6)", "cmp {rn}, {rm}{amt:shift}")
ALIAS(subs_sh, "sf:1 11 01011 shift:2 0 rm:5 imm6:6 11111 rd:5 rd!=31 amt=amount(sf,imm6)", "negs {rd}, {rm}{amt:shift}")

/* -- extended register --------------------------------------------------------------------------------------------------- */
static V extended(struct xlat *t, F *f)
{
    static const uint8_t type[4] = { T_I8, T_I16, T_I32, T_I64 };
    enum ir_type wide = rtype(f->sf), narrow = (enum ir_type)type[f->option & 3];
    V a = x(t, f->rm);

    if (narrow >= wide)
        a = ir_trunc(t, wide, a);
    else
        a = f->option & 4 ? ir_sext(t, wide, ir_trunc(t, narrow, a)) : ir_zext(t, wide, ir_trunc(t, narrow, a));
    return f->imm3 ? ir_shli(t, a, (uint64_t)f->imm3) : a;
}
INSN(add_ext, "sf:1 00 01011 00 1 rm:5 option:3 imm3:3 rn:5 rd:5 imm3!=5,6,7", "add {rd:rsp}, {rn:rsp}, {rm:extreg}{imm3:ext}")
{
    wrsp(t, f->rd, ir_add(t, rsp(t, f->sf, f->rn), extended(t, f)));
}
INSN(adds_ext, "sf:1 01 01011 00 1 rm:5 option:3 imm3:3 rn:5 rd:5 imm3!=5,6,7", "adds {rd}, {rn:rsp}, {rm:extreg}{imm3:exts}")
{
    wr(t, f->rd, adds(t, rsp(t, f->sf, f->rn), extended(t, f)));
}
ALIAS(adds_ext, "sf:1 01 01011 00 1 rm:5 option:3 imm3:3 rn:5 11111", "cmn {rn:rsp}, {rm:extreg}{imm3:exts}")
INSN(sub_ext, "sf:1 10 01011 00 1 rm:5 option:3 imm3:3 rn:5 rd:5 imm3!=5,6,7", "sub {rd:rsp}, {rn:rsp}, {rm:extreg}{imm3:ext}")
{
    wrsp(t, f->rd, ir_sub(t, rsp(t, f->sf, f->rn), extended(t, f)));
}
INSN(subs_ext, "sf:1 11 01011 00 1 rm:5 option:3 imm3:3 rn:5 rd:5 imm3!=5,6,7", "subs {rd}, {rn:rsp}, {rm:extreg}{imm3:exts}")
{
    wr(t, f->rd, subs(t, rsp(t, f->sf, f->rn), extended(t, f)));
}
ALIAS(subs_ext, "sf:1 11 01011 00 1 rm:5 option:3 imm3:3 rn:5 11111", "cmp {rn:rsp}, {rm:extreg}{imm3:exts}")

/* -- with carry, flag manipulation --------------------------------------------------------------------------------------- */
/* a + b + C. The carry out of it: a > ~b, or a >= ~b with a carry in; not_b saves a NOT where b came from one. */
static V adc(struct xlat *t, V a, V b, V not_b, bool set)
{
    V c = ir_get(t, R_C), res = ir_add(t, ir_add(t, a, b), ir_zext(t, ir_type_of(t, a), c));

    if (set)
        put_nzcv(t, is_negative(t, res), is_zero(t, res),
                 ir_select(t, c, ir_cmp(t, C_UGE, a, not_b), ir_cmp(t, C_UGT, a, not_b)),
                 is_negative(t, ir_and(t, ir_xor(t, a, res), ir_xor(t, b, res))));
    return res;
}
static V adc_op(struct xlat *t, F *f, bool set)
{
    V b = r(t, f->sf, f->rm);
    return adc(t, r(t, f->sf, f->rn), b, set ? ir_not(t, b) : 0, set);
}
static V sbc_op(struct xlat *t, F *f, bool set)
{
    V b = r(t, f->sf, f->rm);
    return adc(t, r(t, f->sf, f->rn), ir_not(t, b), b, set);
}
INSN(adc, "sf:1 00 11010000 rm:5 000000 rn:5 rd:5", "adc {rd}, {rn}, {rm}")
{
    wr(t, f->rd, adc_op(t, f, false));
}
INSN(adcs, "sf:1 01 11010000 rm:5 000000 rn:5 rd:5", "adcs {rd}, {rn}, {rm}")
{
    wr(t, f->rd, adc_op(t, f, true));
}
INSN(sbc, "sf:1 10 11010000 rm:5 000000 rn:5 rd:5", "sbc {rd}, {rn}, {rm}")
{
    wr(t, f->rd, sbc_op(t, f, false));
}
ALIAS(sbc, "sf:1 10 11010000 rm:5 000000 11111 rd:5", "ngc {rd}, {rm}")
INSN(sbcs, "sf:1 11 11010000 rm:5 000000 rn:5 rd:5", "sbcs {rd}, {rn}, {rm}")
{
    wr(t, f->rd, sbc_op(t, f, true));
}
ALIAS(sbcs, "sf:1 11 11010000 rm:5 000000 11111 rd:5", "ngcs {rd}, {rm}")
INSN(rmif, "1 01 11010000 imm6:6 00001 rn:5 0 mask:4 @FlagM", "rmif {rn:x}, #{imm6}, #{mask}")
{
    V a = ir_rotri(t, x(t, f->rn), (uint64_t)f->imm6);
    for (unsigned i = 0; i < 4; i++) /* mask bit 3 is N, the first of the four registers */
        if (f->mask >> (3 - i) & 1) ir_put(t, R_N + i, ir_trunc(t, T_I1, ir_shri(t, a, 3 - i)));
}
static void setf(struct xlat *t, F *f, enum ir_type type)
{
    unsigned bits = ir_type_bits[type];
    V a = w(t, f->rn), low = ir_trunc(t, type, a);

    ir_put(t, R_N, is_negative(t, low));
    ir_put(t, R_Z, is_zero(t, low));
    ir_put(t, R_V, ir_trunc(t, T_I1, ir_xor(t, ir_shri(t, a, bits), ir_shri(t, a, bits - 1))));
}
INSN(setf8, "0 01 11010000 000000 0 0010 rn:5 0 1101 @FlagM", "setf8 {rn:w}")
{
    setf(t, f, T_I8);
}
INSN(setf16, "0 01 11010000 000000 1 0010 rn:5 0 1101 @FlagM", "setf16 {rn:w}")
{
    setf(t, f, T_I16);
}

/* -- conditional --------------------------------------------------------------------------------------------------------- */
static void ccmp(struct xlat *t, F *f, V b, bool sub)
{
    V c = arm_cond(t, (unsigned)f->cond), a = r(t, f->sf, f->rn);
    V res = sub ? ir_sub(t, a, b) : ir_add(t, a, b);
    V flag[4] = {
        is_negative(t, res), is_zero(t, res), sub ? ir_cmp(t, C_UGE, a, b) : ir_cmp(t, C_ULT, res, a),
        sub ? ir_ssubov(t, a, b) : ir_saddov(t, a, b),
    };
    for (unsigned i = 0; i < 4; i++)
        ir_put(t, R_N + i, ir_select(t, c, flag[i], ir_kt(t, T_I1, (uint64_t)f->nzcv >> (3 - i) & 1)));
}
INSN(ccmn_reg, "sf:1 01 11010010 rm:5 cond:4 00 rn:5 0 nzcv:4", "ccmn {rn}, {rm}, #{nzcv}, {cond}")
{
    ccmp(t, f, r(t, f->sf, f->rm), false);
}
INSN(ccmp_reg, "sf:1 11 11010010 rm:5 cond:4 00 rn:5 0 nzcv:4", "ccmp {rn}, {rm}, #{nzcv}, {cond}")
{
    ccmp(t, f, r(t, f->sf, f->rm), true);
}
INSN(ccmn_imm, "sf:1 01 11010010 imm5:5 cond:4 10 rn:5 0 nzcv:4", "ccmn {rn}, #{imm5:hex}, #{nzcv}, {cond}")
{
    ccmp(t, f, ir_kt(t, rtype(f->sf), (uint64_t)f->imm5), false);
}
INSN(ccmp_imm, "sf:1 11 11010010 imm5:5 cond:4 10 rn:5 0 nzcv:4", "ccmp {rn}, #{imm5:hex}, #{nzcv}, {cond}")
{
    ccmp(t, f, ir_kt(t, rtype(f->sf), (uint64_t)f->imm5), true);
}

static void csel(struct xlat *t, F *f, V other)
{
    wr(t, f->rd, ir_select(t, arm_cond(t, (unsigned)f->cond), r(t, f->sf, f->rn), other));
}
/* Aliases with one source are written with the opposite condition. */
bool arm_inverted(int64_t cond, int64_t *out)
{
    *out = cond ^ 1;
    return cond < 14;
}
INSN(csel, "sf:1 00 11010100 rm:5 cond:4 00 rn:5 rd:5", "csel {rd}, {rn}, {rm}, {cond}")
{
    csel(t, f, r(t, f->sf, f->rm));
}
INSN(csinc, "sf:1 00 11010100 rm:5 cond:4 01 rn:5 rd:5", "csinc {rd}, {rn}, {rm}, {cond}")
{
    csel(t, f, ir_addi(t, r(t, f->sf, f->rm), 1));
}
ALIAS(csinc, "sf:1 00 11010100 11111 cond:4 01 11111 rd:5 inv=inverted(cond)", "cset {rd}, {inv:cond}")
ALIAS(csinc, "sf:1 00 11010100 rm:5 cond:4 01 rn:5 rd:5 rm!=31 mv=same(rm,rn) inv=inverted(cond)", "cinc {rd}, {rn}, {inv:cond}")
INSN(csinv, "sf:1 10 11010100 rm:5 cond:4 00 rn:5 rd:5", "csinv {rd}, {rn}, {rm}, {cond}")
{
    csel(t, f, ir_not(t, r(t, f->sf, f->rm)));
}
ALIAS(csinv, "sf:1 10 11010100 11111 cond:4 00 11111 rd:5 inv=inverted(cond)", "csetm {rd}, {inv:cond}")
ALIAS(csinv, "sf:1 10 11010100 rm:5 cond:4 00 rn:5 rd:5 rm!=31 mv=same(rm,rn) inv=inverted(cond)", "cinv {rd}, {rn}, {inv:cond}")
INSN(csneg, "sf:1 10 11010100 rm:5 cond:4 01 rn:5 rd:5", "csneg {rd}, {rn}, {rm}, {cond}")
{
    csel(t, f, ir_neg(t, r(t, f->sf, f->rm)));
}
ALIAS(csneg, "sf:1 10 11010100 rm:5 cond:4 01 rn:5 rd:5 mv=same(rm,rn) inv=inverted(cond)", "cneg {rd}, {rn}, {inv:cond}")

/* -- one source ---------------------------------------------------------------------------------------------------------- */
INSN(rbit, "sf:1 10 11010110 00000 000000 rn:5 rd:5", "rbit {rd}, {rn}")
{
    wr(t, f->rd, ir_bitrev(t, r(t, f->sf, f->rn)));
}
INSN(rev16, "sf:1 10 11010110 00000 000001 rn:5 rd:5", "rev16 {rd}, {rn}")
{
    V a = r(t, f->sf, f->rn);
    uint64_t low = 0x00ff00ff00ff00ffull;
    wr(t, f->rd, ir_or(t, ir_shli(t, ir_andi(t, a, low), 8), ir_andi(t, ir_shri(t, a, 8), low)));
}
INSN(rev_w, "0 10 11010110 00000 000010 rn:5 rd:5", "rev {rd:w}, {rn:w}")
{
    wr(t, f->rd, ir_bswap(t, w(t, f->rn)));
}
INSN(rev32, "1 10 11010110 00000 000010 rn:5 rd:5", "rev32 {rd:x}, {rn:x}")
{
    wr(t, f->rd, ir_rotri(t, ir_bswap(t, x(t, f->rn)), 32));
}
INSN(rev_x, "1 10 11010110 00000 000011 rn:5 rd:5", "rev {rd:x}, {rn:x}")
{
    wr(t, f->rd, ir_bswap(t, x(t, f->rn)));
}
INSN(clz, "sf:1 10 11010110 00000 000100 rn:5 rd:5", "clz {rd}, {rn}")
{
    wr(t, f->rd, ir_clz(t, r(t, f->sf, f->rn)));
}
INSN(cls, "sf:1 10 11010110 00000 000101 rn:5 rd:5", "cls {rd}, {rn}")
{
    V a = r(t, f->sf, f->rn);
    wr(t, f->rd, ir_subi(t, ir_clz(t, ir_xor(t, a, ir_sari(t, a, 1))), 1));
}
INSN(ctz, "sf:1 10 11010110 00000 000110 rn:5 rd:5 @CSSC", "ctz {rd}, {rn}")
{
    wr(t, f->rd, ir_ctz(t, r(t, f->sf, f->rn)));
}
INSN(cnt, "sf:1 10 11010110 00000 000111 rn:5 rd:5 @CSSC", "cnt {rd}, {rn}")
{
    wr(t, f->rd, ir_popcnt(t, r(t, f->sf, f->rn)));
}
INSN(abs, "sf:1 10 11010110 00000 001000 rn:5 rd:5 @CSSC", "abs {rd}, {rn}")
{
    V a = r(t, f->sf, f->rn);
    wr(t, f->rd, ir_select(t, is_negative(t, a), ir_neg(t, a), a));
}

/* -- two sources --------------------------------------------------------------------------------------------------------- */
INSN(udiv, "sf:1 00 11010110 rm:5 000010 rn:5 rd:5", "udiv {rd}, {rn}, {rm}")
{
    wr(t, f->rd, ir_divu(t, r(t, f->sf, f->rn), r(t, f->sf, f->rm)));
}
INSN(sdiv, "sf:1 00 11010110 rm:5 000011 rn:5 rd:5", "sdiv {rd}, {rn}, {rm}")
{
    wr(t, f->rd, ir_divs(t, r(t, f->sf, f->rn), r(t, f->sf, f->rm)));
}
INSN(lslv, "sf:1 00 11010110 rm:5 001000 rn:5 rd:5", "lsl {rd}, {rn}, {rm}")
{
    wr(t, f->rd, ir_shl(t, r(t, f->sf, f->rn), r(t, f->sf, f->rm)));
}
INSN(lsrv, "sf:1 00 11010110 rm:5 001001 rn:5 rd:5", "lsr {rd}, {rn}, {rm}")
{
    wr(t, f->rd, ir_shr(t, r(t, f->sf, f->rn), r(t, f->sf, f->rm)));
}
INSN(asrv, "sf:1 00 11010110 rm:5 001010 rn:5 rd:5", "asr {rd}, {rn}, {rm}")
{
    wr(t, f->rd, ir_sar(t, r(t, f->sf, f->rn), r(t, f->sf, f->rm)));
}
INSN(rorv, "sf:1 00 11010110 rm:5 001011 rn:5 rd:5", "ror {rd}, {rn}, {rm}")
{
    wr(t, f->rd, ir_rotr(t, r(t, f->sf, f->rn), r(t, f->sf, f->rm)));
}
static void minmax(struct xlat *t, F *f, enum ir_cond c, V b)
{
    V a = r(t, f->sf, f->rn);
    wr(t, f->rd, ir_select(t, ir_cmp(t, c, a, b), a, b));
}
INSN(smax_reg, "sf:1 00 11010110 rm:5 011000 rn:5 rd:5 @CSSC", "smax {rd}, {rn}, {rm}")
{
    minmax(t, f, C_SGT, r(t, f->sf, f->rm));
}
INSN(umax_reg, "sf:1 00 11010110 rm:5 011001 rn:5 rd:5 @CSSC", "umax {rd}, {rn}, {rm}")
{
    minmax(t, f, C_UGT, r(t, f->sf, f->rm));
}
INSN(smin_reg, "sf:1 00 11010110 rm:5 011010 rn:5 rd:5 @CSSC", "smin {rd}, {rn}, {rm}")
{
    minmax(t, f, C_SLT, r(t, f->sf, f->rm));
}
INSN(umin_reg, "sf:1 00 11010110 rm:5 011011 rn:5 rd:5 @CSSC", "umin {rd}, {rn}, {rm}")
{
    minmax(t, f, C_ULT, r(t, f->sf, f->rm));
}
INSN(smax_imm, "sf:1 00 10001110000 simm8:s8 rn:5 rd:5 @CSSC", "smax {rd}, {rn}, #{simm8}")
{
    minmax(t, f, C_SGT, ir_kt(t, rtype(f->sf), (uint64_t)f->simm8));
}
INSN(umax_imm, "sf:1 00 10001110001 imm8:8 rn:5 rd:5 @CSSC", "umax {rd}, {rn}, #{imm8}")
{
    minmax(t, f, C_UGT, ir_kt(t, rtype(f->sf), (uint64_t)f->imm8));
}
INSN(smin_imm, "sf:1 00 10001110010 simm8:s8 rn:5 rd:5 @CSSC", "smin {rd}, {rn}, #{simm8}")
{
    minmax(t, f, C_SLT, ir_kt(t, rtype(f->sf), (uint64_t)f->simm8));
}
INSN(umin_imm, "sf:1 00 10001110011 imm8:8 rn:5 rd:5 @CSSC", "umin {rd}, {rn}, #{imm8}")
{
    minmax(t, f, C_ULT, ir_kt(t, rtype(f->sf), (uint64_t)f->imm8));
}

/* CRC-32 and CRC-32C, reflected; `bits` of data follow the accumulator. One nibble at a time keeps the tables in one line. */
static uint32_t crc(uint32_t acc, uint64_t data, unsigned bits, uint32_t poly)
{
    uint32_t tab[16];

    for (unsigned i = 0; i < 16; i++) {
        uint32_t c = i;
        for (unsigned k = 0; k < 4; k++) c = c >> 1 ^ (c & 1 ? poly : 0);
        tab[i] = c;
    }
    for (unsigned i = 0; i < bits; i += 4, data >>= 4) acc = acc >> 4 ^ tab[(acc ^ data) & 15];
    return acc;
}
HELPER(uint32_t, crc32, (CPU *cpu, uint32_t acc, uint64_t data, uint32_t bits), "pure")
{
    return crc(acc, data, bits, 0xedb88320);
}
HELPER(uint32_t, crc32c, (CPU *cpu, uint32_t acc, uint64_t data, uint32_t bits), "pure")
{
    return crc(acc, data, bits, 0x82f63b78);
}
INSN(crc32, "0 00 11010110 rm:5 010 0 sz:2 rn:5 rd:5 sz!=3 @CRC32", "crc32{sz:bhwx} {rd:w}, {rn:w}, {rm:w}")
{
    wr(t, f->rd, IR_CALL(t, crc32, w(t, f->rn), x(t, f->rm), ir_k32(t, 8u << f->sz)));
}
INSN(crc32x, "1 00 11010110 rm:5 010 0 11 rn:5 rd:5 @CRC32", "crc32x {rd:w}, {rn:w}, {rm:x}")
{
    wr(t, f->rd, IR_CALL(t, crc32, w(t, f->rn), x(t, f->rm), ir_k32(t, 64)));
}
INSN(crc32c, "0 00 11010110 rm:5 010 1 sz:2 rn:5 rd:5 sz!=3 @CRC32", "crc32c{sz:bhwx} {rd:w}, {rn:w}, {rm:w}")
{
    wr(t, f->rd, IR_CALL(t, crc32c, w(t, f->rn), x(t, f->rm), ir_k32(t, 8u << f->sz)));
}
INSN(crc32cx, "1 00 11010110 rm:5 010 1 11 rn:5 rd:5 @CRC32", "crc32cx {rd:w}, {rn:w}, {rm:x}")
{
    wr(t, f->rd, IR_CALL(t, crc32c, w(t, f->rn), x(t, f->rm), ir_k32(t, 64)));
}

/* -- three sources ------------------------------------------------------------------------------------------------------- */
INSN(madd, "sf:1 00 11011000 rm:5 0 ra:5 rn:5 rd:5", "madd {rd}, {rn}, {rm}, {ra}")
{
    wr(t, f->rd, ir_add(t, r(t, f->sf, f->ra), ir_mul(t, r(t, f->sf, f->rn), r(t, f->sf, f->rm))));
}
ALIAS(madd, "sf:1 00 11011000 rm:5 0 11111 rn:5 rd:5", "mul {rd}, {rn}, {rm}")
INSN(msub, "sf:1 00 11011000 rm:5 1 ra:5 rn:5 rd:5", "msub {rd}, {rn}, {rm}, {ra}")
{
    wr(t, f->rd, ir_sub(t, r(t, f->sf, f->ra), ir_mul(t, r(t, f->sf, f->rn), r(t, f->sf, f->rm))));
}
ALIAS(msub, "sf:1 00 11011000 rm:5 1 11111 rn:5 rd:5", "mneg {rd}, {rn}, {rm}")
static V mull(struct xlat *t, F *f, bool sign)
{
    V a = w(t, f->rn), b = w(t, f->rm);
    return sign ? ir_mul(t, ir_sext(t, T_I64, a), ir_sext(t, T_I64, b))
                : ir_mul(t, ir_zext(t, T_I64, a), ir_zext(t, T_I64, b));
}
INSN(smaddl, "1 00 11011001 rm:5 0 ra:5 rn:5 rd:5", "smaddl {rd:x}, {rn:w}, {rm:w}, {ra:x}")
{
    wx(t, f->rd, ir_add(t, x(t, f->ra), mull(t, f, true)));
}
ALIAS(smaddl, "1 00 11011001 rm:5 0 11111 rn:5 rd:5", "smull {rd:x}, {rn:w}, {rm:w}")
INSN(smsubl, "1 00 11011001 rm:5 1 ra:5 rn:5 rd:5", "smsubl {rd:x}, {rn:w}, {rm:w}, {ra:x}")
{
    wx(t, f->rd, ir_sub(t, x(t, f->ra), mull(t, f, true)));
}
ALIAS(smsubl, "1 00 11011001 rm:5 1 11111 rn:5 rd:5", "smnegl {rd:x}, {rn:w}, {rm:w}")
INSN(umaddl, "1 00 11011101 rm:5 0 ra:5 rn:5 rd:5", "umaddl {rd:x}, {rn:w}, {rm:w}, {ra:x}")
{
    wx(t, f->rd, ir_add(t, x(t, f->ra), mull(t, f, false)));
}
ALIAS(umaddl, "1 00 11011101 rm:5 0 11111 rn:5 rd:5", "umull {rd:x}, {rn:w}, {rm:w}")
INSN(umsubl, "1 00 11011101 rm:5 1 ra:5 rn:5 rd:5", "umsubl {rd:x}, {rn:w}, {rm:w}, {ra:x}")
{
    wx(t, f->rd, ir_sub(t, x(t, f->ra), mull(t, f, false)));
}
ALIAS(umsubl, "1 00 11011101 rm:5 1 11111 rn:5 rd:5", "umnegl {rd:x}, {rn:w}, {rm:w}")
/* The Ra field is should-be-one and ignored. */
INSN(smulh, "1 00 11011010 rm:5 0 ra:5 rn:5 rd:5", "smulh {rd:x}, {rn:x}, {rm:x}")
{
    wx(t, f->rd, ir_mulhs(t, x(t, f->rn), x(t, f->rm)));
}
INSN(umulh, "1 00 11011110 rm:5 0 ra:5 rn:5 rd:5", "umulh {rd:x}, {rn:x}, {rm:x}")
{
    wx(t, f->rd, ir_mulhu(t, x(t, f->rn), x(t, f->rm)));
}
