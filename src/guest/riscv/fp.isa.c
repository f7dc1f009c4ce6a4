/*
 * fp.isa.c: F, D, Zfh, Zfhmin, Zfa (volume I, chapters 20, 21, 25, 26). Values narrower than 64 bits are NaN-boxed in f
 * registers. Rounding mode 7 is frm: what frm means for translation is in the mode bits (riscv.h).
 * Known gaps: Q, Zfinx.
 */
#include "xl.h"

FMT(rm, rm)

static V bits(struct xlat *t, unsigned r)
{
    return ir_bitcast(t, T_I64, ir_get(t, R_F0 + r));
}

/* The rm field as enum ir_rm; -1 after raising an illegal instruction. */
static int rounding(struct xlat *t, F *f)
{
    if (f->rm < 5) return RM_RNE + (int)f->rm;
    if (f->rm == 7 && !(t->mode & MODE_FRM_BAD)) return RM_DYN;
    xl_illegal(t);
    return -1;
}

static void arith(struct xlat *t, F *f, enum ir_op op, enum ir_type type)
{
    int rm = rounding(t, f);
    if (rm >= 0) wf(t, f->rd, ir_fop2(t, op, fr(t, type, f->rs1), fr(t, type, f->rs2), (enum ir_rm)rm));
}

/* +-(rs1 * rs2) +- rs3; the sign of a NaN operand does not matter, results are canonical. */
static void fused(struct xlat *t, F *f, enum ir_type type, bool neg_product, bool neg_addend)
{
    int rm = rounding(t, f);
    if (rm < 0) return;
    V a = fr(t, type, f->rs1), b = fr(t, type, f->rs2), c = fr(t, type, f->rs3);
    if (neg_product) a = ir_fneg(t, a);
    if (neg_addend) c = ir_fneg(t, c);
    wf(t, f->rd, ir_fma(t, a, b, c, (enum ir_rm)rm));
}

enum sign_op { SGNJ, SGNJN, SGNJX };
static void sign(struct xlat *t, F *f, enum ir_type type, enum sign_op op)
{
    V a = fr(t, type, f->rs1), b = fr(t, type, f->rs2);
    enum ir_type it = type == T_F64 ? T_I64 : type == T_F32 ? T_I32 : T_I16;
    V r;

    if (f->rs1 == f->rs2) {
        r = op == SGNJ ? a : ir_un(t, op == SGNJN ? IR_FNEG : IR_FABS, a);
    } else if (op == SGNJX) {
        V s = ir_andi(t, ir_bitcast(t, it, b), 1ull << (ir_type_bits[it] - 1));
        r = ir_bitcast(t, type, ir_xor(t, ir_bitcast(t, it, a), s));
    } else {
        r = ir_fsgn(t, a, op == SGNJN ? ir_fneg(t, b) : b);
    }
    wf(t, f->rd, r);
}

static void fconvert(struct xlat *t, F *f, enum ir_type to, enum ir_type from)
{
    int rm = rounding(t, f);
    if (rm >= 0) wf(t, f->rd, ir_fcvt(t, to, fr(t, from, f->rs1), (enum ir_rm)rm));
}
static void to_int(struct xlat *t, F *f, enum ir_type it, enum ir_type ft, bool is_signed)
{
    int rm = rounding(t, f);
    if (rm < 0) return;
    V v = ir_ftoi(t, it, fr(t, ft, f->rs1), (enum ir_rm)rm, FTOI_RISCV | (is_signed ? FTOI_SIGNED : 0));
    wx(t, f->rd, ir_sext(t, xtype(t), v));
}
static void from_int(struct xlat *t, F *f, enum ir_type it, enum ir_type ft, bool is_signed)
{
    int rm = rounding(t, f);
    if (rm >= 0) wf(t, f->rd, ir_itof(t, ft, ir_trunc(t, it, x(t, f->rs1)), (enum ir_rm)rm, is_signed));
}

/* The ten classes of fclass, for a format of `exp` exponent and `man` fraction bits. */
static uint32_t fclass(uint64_t v, unsigned exp, unsigned man)
{
    bool neg = v >> (exp + man) & 1;
    uint64_t e = v >> man & bits_mask(exp), m = v & bits_mask(man);

    if (e == bits_mask(exp) && m) return m >> (man - 1) ? 1 << 9 : 1 << 8;
    if (e == bits_mask(exp)) return neg ? 1 << 0 : 1 << 7;
    if (e) return neg ? 1 << 1 : 1 << 6;
    if (m) return neg ? 1 << 2 : 1 << 5;
    return neg ? 1 << 3 : 1 << 4;
}
HELPER(uint32_t, fclass_h, (CPU *cpu, uint16_t v), "pure")
{
    return fclass(v, 5, 10);
}
HELPER(uint32_t, fclass_s, (CPU *cpu, uint32_t v), "pure")
{
    return fclass(v, 8, 23);
}
HELPER(uint32_t, fclass_d, (CPU *cpu, uint64_t v), "pure")
{
    return fclass(v, 11, 52);
}

/* fcvtmod.w.d: the integer part modulo 2^32, flags as fcvt.w.d (ECMAScript's ToInt32). */
HELPER(uint32_t, fcvtmod, (CPU *cpu, uint64_t v), "fp")
{
    int e = (int)(v >> 52 & 0x7ff) - 1075;
    uint64_t m = (v & bits_mask(52)) | 1ull << 52, i;
    bool inexact, big;

    if (e == 0x7ff - 1075) {
        cpu->fp.flags |= FPF_INVALID;
        return 0;
    }
    if (e < -52) { /* below one; denormals and zero too */
        if (v << 1) cpu->fp.flags |= FPF_INEXACT;
        return 0;
    }
    i = e >= 0 ? (e < 32 ? m << e : 0) : m >> -e;
    inexact = e < 0 && m & bits_mask((unsigned)-e);
    big = e > 0 || i > 0x80000000u || (i == 0x80000000u && !(v >> 63));
    cpu->fp.flags |= big ? FPF_INVALID : inexact ? FPF_INEXACT : 0;
    return (uint32_t)(v >> 63 ? -i : i);
}

/* fli's table as binary64 bits; the three formats' own rows are 1 (smallest normal), 30 and 31. */
static uint64_t fli_bits(enum ir_type type, unsigned i)
{
    static const float value[32] = {
        -1.0f, 0, 0x1p-16f, 0x1p-15f, 0x1p-8f, 0x1p-7f, 0.0625f, 0.125f, 0.25f, 0.3125f, 0.375f, 0.4375f, 0.5f, 0.625f,
        0.75f, 0.875f, 1.0f, 1.25f, 1.5f, 1.75f, 2.0f, 2.5f, 3.0f, 4.0f, 8.0f, 16.0f, 128.0f, 256.0f, 32768.0f, 65536.0f,
    };
    unsigned exp = type == T_F64 ? 11 : type == T_F32 ? 8 : 5, man = type == T_F64 ? 52 : type == T_F32 ? 23 : 10;
    uint32_t b;
    int e;

    if (i == 1) return 1ull << man;
    if (i == 31) return (bits_mask(exp) << man) | 1ull << (man - 1);
    memcpy(&b, &value[i], 4);
    e = (int)(b >> 23 & 0xff) - 127 + (1 << (exp - 1)) - 1;
    if (i == 30 || e >= (1 << exp) - 1) return bits_mask(exp) << man;
    /* Only binary16 reaches its subnormals (rows 2 and 3), with powers of two. */
    if (e <= 0) return 1ull << (man - 1 + e);
    return (uint64_t)(b >> 31) << (exp + man) | (uint64_t)e << man | ((uint64_t)(b & 0x7fffff) << 29) >> (52 - man);
}

/* -- loads, stores, moves: bits as they are, boxed -------------------------------------------------------------- */
INSN(flh, "imm:s12 rs1:5 001 rd:5 0000111 @Zfhmin", "flh {rd:f},{imm}({rs1})")
{
    wf(t, f->rd, load(t, T_F16, f->rs1, f->imm, MO_16));
}
INSN(fsh, "soff[s11|10:5] rs2:5 rs1:5 001 soff[4:0] 0100111 @Zfhmin", "fsh {rs2:f},{soff}({rs1})")
{
    store(t, f->rs1, f->soff, ir_trunc(t, T_I16, bits(t, f->rs2)), MO_16);
}
INSN(flw, "imm:s12 rs1:5 010 rd:5 0000111 @F", "flw {rd:f},{imm}({rs1})")
{
    wf(t, f->rd, load(t, T_F32, f->rs1, f->imm, MO_32));
}
INSN(fsw, "soff[s11|10:5] rs2:5 rs1:5 010 soff[4:0] 0100111 @F", "fsw {rs2:f},{soff}({rs1})")
{
    store(t, f->rs1, f->soff, ir_trunc(t, T_I32, bits(t, f->rs2)), MO_32);
}
INSN(fld, "imm:s12 rs1:5 011 rd:5 0000111 @D", "fld {rd:f},{imm}({rs1})")
{
    wf(t, f->rd, load(t, T_F64, f->rs1, f->imm, MO_64));
}
INSN(fsd, "soff[s11|10:5] rs2:5 rs1:5 011 soff[4:0] 0100111 @D", "fsd {rs2:f},{soff}({rs1})")
{
    store(t, f->rs1, f->soff, ir_get(t, R_F0 + f->rs2), MO_64);
}
INSN(fmv_x_h, "1110010 00000 rs1:5 000 rd:5 1010011 @Zfhmin", "fmv.x.h {rd},{rs1:f}")
{
    wx(t, f->rd, ir_sext(t, xtype(t), ir_trunc(t, T_I16, bits(t, f->rs1))));
}
INSN(fmv_h_x, "1111010 00000 rs1:5 000 rd:5 1010011 @Zfhmin", "fmv.h.x {rd:f},{rs1}")
{
    wf(t, f->rd, ir_bitcast(t, T_F16, ir_trunc(t, T_I16, x(t, f->rs1))));
}
INSN(fmv_x_w, "1110000 00000 rs1:5 000 rd:5 1010011 @F", "fmv.x.w {rd},{rs1:f}")
{
    ww(t, f->rd, ir_trunc(t, T_I32, bits(t, f->rs1)));
}
INSN(fmv_w_x, "1111000 00000 rs1:5 000 rd:5 1010011 @F", "fmv.w.x {rd:f},{rs1}")
{
    wf(t, f->rd, ir_bitcast(t, T_F32, w(t, f->rs1)));
}
INSN(fmv_x_d, "1110001 00000 rs1:5 000 rd:5 1010011 @rv64 @D", "fmv.x.d {rd},{rs1:f}")
{
    wx(t, f->rd, bits(t, f->rs1));
}
INSN(fmv_d_x, "1111001 00000 rs1:5 000 rd:5 1010011 @rv64 @D", "fmv.d.x {rd:f},{rs1}")
{
    wf(t, f->rd, ir_bitcast(t, T_F64, x(t, f->rs1)));
}

/* -- arithmetic ------------------------------------------------------------------------------------------------- */
INSN(fadd_s, "0000000 rs2:5 rs1:5 rm:3 rd:5 1010011 @F", "fadd.s {rd:f},{rs1:f},{rs2:f}{rm}")
{
    arith(t, f, IR_FADD, T_F32);
}
INSN(fadd_d, "0000001 rs2:5 rs1:5 rm:3 rd:5 1010011 @D", "fadd.d {rd:f},{rs1:f},{rs2:f}{rm}")
{
    arith(t, f, IR_FADD, T_F64);
}
INSN(fadd_h, "0000010 rs2:5 rs1:5 rm:3 rd:5 1010011 @Zfh", "fadd.h {rd:f},{rs1:f},{rs2:f}{rm}")
{
    arith(t, f, IR_FADD, T_F16);
}
INSN(fsub_s, "0000100 rs2:5 rs1:5 rm:3 rd:5 1010011 @F", "fsub.s {rd:f},{rs1:f},{rs2:f}{rm}")
{
    arith(t, f, IR_FSUB, T_F32);
}
INSN(fsub_d, "0000101 rs2:5 rs1:5 rm:3 rd:5 1010011 @D", "fsub.d {rd:f},{rs1:f},{rs2:f}{rm}")
{
    arith(t, f, IR_FSUB, T_F64);
}
INSN(fsub_h, "0000110 rs2:5 rs1:5 rm:3 rd:5 1010011 @Zfh", "fsub.h {rd:f},{rs1:f},{rs2:f}{rm}")
{
    arith(t, f, IR_FSUB, T_F16);
}
INSN(fmul_s, "0001000 rs2:5 rs1:5 rm:3 rd:5 1010011 @F", "fmul.s {rd:f},{rs1:f},{rs2:f}{rm}")
{
    arith(t, f, IR_FMUL, T_F32);
}
INSN(fmul_d, "0001001 rs2:5 rs1:5 rm:3 rd:5 1010011 @D", "fmul.d {rd:f},{rs1:f},{rs2:f}{rm}")
{
    arith(t, f, IR_FMUL, T_F64);
}
INSN(fmul_h, "0001010 rs2:5 rs1:5 rm:3 rd:5 1010011 @Zfh", "fmul.h {rd:f},{rs1:f},{rs2:f}{rm}")
{
    arith(t, f, IR_FMUL, T_F16);
}
INSN(fdiv_s, "0001100 rs2:5 rs1:5 rm:3 rd:5 1010011 @F", "fdiv.s {rd:f},{rs1:f},{rs2:f}{rm}")
{
    arith(t, f, IR_FDIV, T_F32);
}
INSN(fdiv_d, "0001101 rs2:5 rs1:5 rm:3 rd:5 1010011 @D", "fdiv.d {rd:f},{rs1:f},{rs2:f}{rm}")
{
    arith(t, f, IR_FDIV, T_F64);
}
INSN(fdiv_h, "0001110 rs2:5 rs1:5 rm:3 rd:5 1010011 @Zfh", "fdiv.h {rd:f},{rs1:f},{rs2:f}{rm}")
{
    arith(t, f, IR_FDIV, T_F16);
}
INSN(fsqrt_s, "0101100 00000 rs1:5 rm:3 rd:5 1010011 @F", "fsqrt.s {rd:f},{rs1:f}{rm}")
{
    int rm = rounding(t, f);
    if (rm >= 0) wf(t, f->rd, ir_fsqrt(t, fr(t, T_F32, f->rs1), (enum ir_rm)rm));
}
INSN(fsqrt_d, "0101101 00000 rs1:5 rm:3 rd:5 1010011 @D", "fsqrt.d {rd:f},{rs1:f}{rm}")
{
    int rm = rounding(t, f);
    if (rm >= 0) wf(t, f->rd, ir_fsqrt(t, fr(t, T_F64, f->rs1), (enum ir_rm)rm));
}
INSN(fsqrt_h, "0101110 00000 rs1:5 rm:3 rd:5 1010011 @Zfh", "fsqrt.h {rd:f},{rs1:f}{rm}")
{
    int rm = rounding(t, f);
    if (rm >= 0) wf(t, f->rd, ir_fsqrt(t, fr(t, T_F16, f->rs1), (enum ir_rm)rm));
}
INSN(fmadd_s, "rs3:5 00 rs2:5 rs1:5 rm:3 rd:5 1000011 @F", "fmadd.s {rd:f},{rs1:f},{rs2:f},{rs3:f}{rm}")
{
    fused(t, f, T_F32, false, false);
}
INSN(fmadd_d, "rs3:5 01 rs2:5 rs1:5 rm:3 rd:5 1000011 @D", "fmadd.d {rd:f},{rs1:f},{rs2:f},{rs3:f}{rm}")
{
    fused(t, f, T_F64, false, false);
}
INSN(fmadd_h, "rs3:5 10 rs2:5 rs1:5 rm:3 rd:5 1000011 @Zfh", "fmadd.h {rd:f},{rs1:f},{rs2:f},{rs3:f}{rm}")
{
    fused(t, f, T_F16, false, false);
}
INSN(fmsub_s, "rs3:5 00 rs2:5 rs1:5 rm:3 rd:5 1000111 @F", "fmsub.s {rd:f},{rs1:f},{rs2:f},{rs3:f}{rm}")
{
    fused(t, f, T_F32, false, true);
}
INSN(fmsub_d, "rs3:5 01 rs2:5 rs1:5 rm:3 rd:5 1000111 @D", "fmsub.d {rd:f},{rs1:f},{rs2:f},{rs3:f}{rm}")
{
    fused(t, f, T_F64, false, true);
}
INSN(fmsub_h, "rs3:5 10 rs2:5 rs1:5 rm:3 rd:5 1000111 @Zfh", "fmsub.h {rd:f},{rs1:f},{rs2:f},{rs3:f}{rm}")
{
    fused(t, f, T_F16, false, true);
}
INSN(fnmsub_s, "rs3:5 00 rs2:5 rs1:5 rm:3 rd:5 1001011 @F", "fnmsub.s {rd:f},{rs1:f},{rs2:f},{rs3:f}{rm}")
{
    fused(t, f, T_F32, true, false);
}
INSN(fnmsub_d, "rs3:5 01 rs2:5 rs1:5 rm:3 rd:5 1001011 @D", "fnmsub.d {rd:f},{rs1:f},{rs2:f},{rs3:f}{rm}")
{
    fused(t, f, T_F64, true, false);
}
INSN(fnmsub_h, "rs3:5 10 rs2:5 rs1:5 rm:3 rd:5 1001011 @Zfh", "fnmsub.h {rd:f},{rs1:f},{rs2:f},{rs3:f}{rm}")
{
    fused(t, f, T_F16, true, false);
}
INSN(fnmadd_s, "rs3:5 00 rs2:5 rs1:5 rm:3 rd:5 1001111 @F", "fnmadd.s {rd:f},{rs1:f},{rs2:f},{rs3:f}{rm}")
{
    fused(t, f, T_F32, true, true);
}
INSN(fnmadd_d, "rs3:5 01 rs2:5 rs1:5 rm:3 rd:5 1001111 @D", "fnmadd.d {rd:f},{rs1:f},{rs2:f},{rs3:f}{rm}")
{
    fused(t, f, T_F64, true, true);
}
INSN(fnmadd_h, "rs3:5 10 rs2:5 rs1:5 rm:3 rd:5 1001111 @Zfh", "fnmadd.h {rd:f},{rs1:f},{rs2:f},{rs3:f}{rm}")
{
    fused(t, f, T_F16, true, true);
}
INSN(fsgnj_s, "0010000 rs2:5 rs1:5 000 rd:5 1010011 @F", "fsgnj.s {rd:f},{rs1:f},{rs2:f}")
{
    sign(t, f, T_F32, SGNJ);
}
ALIAS(fsgnj_s, "0010000 rs2:5 rs1:5 000 rd:5 1010011 @F same=same(rs1,rs2)", "fmv.s {rd:f},{rs1:f}")
INSN(fsgnj_d, "0010001 rs2:5 rs1:5 000 rd:5 1010011 @D", "fsgnj.d {rd:f},{rs1:f},{rs2:f}")
{
    sign(t, f, T_F64, SGNJ);
}
ALIAS(fsgnj_d, "0010001 rs2:5 rs1:5 000 rd:5 1010011 @D same=same(rs1,rs2)", "fmv.d {rd:f},{rs1:f}")
INSN(fsgnj_h, "0010010 rs2:5 rs1:5 000 rd:5 1010011 @Zfh", "fsgnj.h {rd:f},{rs1:f},{rs2:f}")
{
    sign(t, f, T_F16, SGNJ);
}
ALIAS(fsgnj_h, "0010010 rs2:5 rs1:5 000 rd:5 1010011 @Zfh same=same(rs1,rs2)", "fmv.h {rd:f},{rs1:f}")
INSN(fsgnjn_s, "0010000 rs2:5 rs1:5 001 rd:5 1010011 @F", "fsgnjn.s {rd:f},{rs1:f},{rs2:f}")
{
    sign(t, f, T_F32, SGNJN);
}
ALIAS(fsgnjn_s, "0010000 rs2:5 rs1:5 001 rd:5 1010011 @F same=same(rs1,rs2)", "fneg.s {rd:f},{rs1:f}")
INSN(fsgnjn_d, "0010001 rs2:5 rs1:5 001 rd:5 1010011 @D", "fsgnjn.d {rd:f},{rs1:f},{rs2:f}")
{
    sign(t, f, T_F64, SGNJN);
}
ALIAS(fsgnjn_d, "0010001 rs2:5 rs1:5 001 rd:5 1010011 @D same=same(rs1,rs2)", "fneg.d {rd:f},{rs1:f}")
INSN(fsgnjn_h, "0010010 rs2:5 rs1:5 001 rd:5 1010011 @Zfh", "fsgnjn.h {rd:f},{rs1:f},{rs2:f}")
{
    sign(t, f, T_F16, SGNJN);
}
ALIAS(fsgnjn_h, "0010010 rs2:5 rs1:5 001 rd:5 1010011 @Zfh same=same(rs1,rs2)", "fneg.h {rd:f},{rs1:f}")
INSN(fsgnjx_s, "0010000 rs2:5 rs1:5 010 rd:5 1010011 @F", "fsgnjx.s {rd:f},{rs1:f},{rs2:f}")
{
    sign(t, f, T_F32, SGNJX);
}
ALIAS(fsgnjx_s, "0010000 rs2:5 rs1:5 010 rd:5 1010011 @F same=same(rs1,rs2)", "fabs.s {rd:f},{rs1:f}")
INSN(fsgnjx_d, "0010001 rs2:5 rs1:5 010 rd:5 1010011 @D", "fsgnjx.d {rd:f},{rs1:f},{rs2:f}")
{
    sign(t, f, T_F64, SGNJX);
}
ALIAS(fsgnjx_d, "0010001 rs2:5 rs1:5 010 rd:5 1010011 @D same=same(rs1,rs2)", "fabs.d {rd:f},{rs1:f}")
INSN(fsgnjx_h, "0010010 rs2:5 rs1:5 010 rd:5 1010011 @Zfh", "fsgnjx.h {rd:f},{rs1:f},{rs2:f}")
{
    sign(t, f, T_F16, SGNJX);
}
ALIAS(fsgnjx_h, "0010010 rs2:5 rs1:5 010 rd:5 1010011 @Zfh same=same(rs1,rs2)", "fabs.h {rd:f},{rs1:f}")
INSN(fmin_s, "0010100 rs2:5 rs1:5 000 rd:5 1010011 @F", "fmin.s {rd:f},{rs1:f},{rs2:f}")
{
    wf(t, f->rd, ir_fminmax(t, IR_FMIN, fr(t, T_F32, f->rs1), fr(t, T_F32, f->rs2), MM_NUM));
}
INSN(fmin_d, "0010101 rs2:5 rs1:5 000 rd:5 1010011 @D", "fmin.d {rd:f},{rs1:f},{rs2:f}")
{
    wf(t, f->rd, ir_fminmax(t, IR_FMIN, fr(t, T_F64, f->rs1), fr(t, T_F64, f->rs2), MM_NUM));
}
INSN(fmin_h, "0010110 rs2:5 rs1:5 000 rd:5 1010011 @Zfh", "fmin.h {rd:f},{rs1:f},{rs2:f}")
{
    wf(t, f->rd, ir_fminmax(t, IR_FMIN, fr(t, T_F16, f->rs1), fr(t, T_F16, f->rs2), MM_NUM));
}
INSN(fmax_s, "0010100 rs2:5 rs1:5 001 rd:5 1010011 @F", "fmax.s {rd:f},{rs1:f},{rs2:f}")
{
    wf(t, f->rd, ir_fminmax(t, IR_FMAX, fr(t, T_F32, f->rs1), fr(t, T_F32, f->rs2), MM_NUM));
}
INSN(fmax_d, "0010101 rs2:5 rs1:5 001 rd:5 1010011 @D", "fmax.d {rd:f},{rs1:f},{rs2:f}")
{
    wf(t, f->rd, ir_fminmax(t, IR_FMAX, fr(t, T_F64, f->rs1), fr(t, T_F64, f->rs2), MM_NUM));
}
INSN(fmax_h, "0010110 rs2:5 rs1:5 001 rd:5 1010011 @Zfh", "fmax.h {rd:f},{rs1:f},{rs2:f}")
{
    wf(t, f->rd, ir_fminmax(t, IR_FMAX, fr(t, T_F16, f->rs1), fr(t, T_F16, f->rs2), MM_NUM));
}
INSN(fminm_s, "0010100 rs2:5 rs1:5 010 rd:5 1010011 @F @Zfa", "fminm.s {rd:f},{rs1:f},{rs2:f}")
{
    wf(t, f->rd, ir_fminmax(t, IR_FMIN, fr(t, T_F32, f->rs1), fr(t, T_F32, f->rs2), MM_PROP));
}
INSN(fminm_d, "0010101 rs2:5 rs1:5 010 rd:5 1010011 @D @Zfa", "fminm.d {rd:f},{rs1:f},{rs2:f}")
{
    wf(t, f->rd, ir_fminmax(t, IR_FMIN, fr(t, T_F64, f->rs1), fr(t, T_F64, f->rs2), MM_PROP));
}
INSN(fminm_h, "0010110 rs2:5 rs1:5 010 rd:5 1010011 @Zfh @Zfa", "fminm.h {rd:f},{rs1:f},{rs2:f}")
{
    wf(t, f->rd, ir_fminmax(t, IR_FMIN, fr(t, T_F16, f->rs1), fr(t, T_F16, f->rs2), MM_PROP));
}
INSN(fmaxm_s, "0010100 rs2:5 rs1:5 011 rd:5 1010011 @F @Zfa", "fmaxm.s {rd:f},{rs1:f},{rs2:f}")
{
    wf(t, f->rd, ir_fminmax(t, IR_FMAX, fr(t, T_F32, f->rs1), fr(t, T_F32, f->rs2), MM_PROP));
}
INSN(fmaxm_d, "0010101 rs2:5 rs1:5 011 rd:5 1010011 @D @Zfa", "fmaxm.d {rd:f},{rs1:f},{rs2:f}")
{
    wf(t, f->rd, ir_fminmax(t, IR_FMAX, fr(t, T_F64, f->rs1), fr(t, T_F64, f->rs2), MM_PROP));
}
INSN(fmaxm_h, "0010110 rs2:5 rs1:5 011 rd:5 1010011 @Zfh @Zfa", "fmaxm.h {rd:f},{rs1:f},{rs2:f}")
{
    wf(t, f->rd, ir_fminmax(t, IR_FMAX, fr(t, T_F16, f->rs1), fr(t, T_F16, f->rs2), MM_PROP));
}
INSN(feq_s, "1010000 rs2:5 rs1:5 010 rd:5 1010011 @F", "feq.s {rd},{rs1:f},{rs2:f}")
{
    wb(t, f->rd, ir_fcmp(t, FC_EQ, false, fr(t, T_F32, f->rs1), fr(t, T_F32, f->rs2)));
}
INSN(feq_d, "1010001 rs2:5 rs1:5 010 rd:5 1010011 @D", "feq.d {rd},{rs1:f},{rs2:f}")
{
    wb(t, f->rd, ir_fcmp(t, FC_EQ, false, fr(t, T_F64, f->rs1), fr(t, T_F64, f->rs2)));
}
INSN(feq_h, "1010010 rs2:5 rs1:5 010 rd:5 1010011 @Zfh", "feq.h {rd},{rs1:f},{rs2:f}")
{
    wb(t, f->rd, ir_fcmp(t, FC_EQ, false, fr(t, T_F16, f->rs1), fr(t, T_F16, f->rs2)));
}
INSN(flt_s, "1010000 rs2:5 rs1:5 001 rd:5 1010011 @F", "flt.s {rd},{rs1:f},{rs2:f}")
{
    wb(t, f->rd, ir_fcmp(t, FC_LT, true, fr(t, T_F32, f->rs1), fr(t, T_F32, f->rs2)));
}
INSN(flt_d, "1010001 rs2:5 rs1:5 001 rd:5 1010011 @D", "flt.d {rd},{rs1:f},{rs2:f}")
{
    wb(t, f->rd, ir_fcmp(t, FC_LT, true, fr(t, T_F64, f->rs1), fr(t, T_F64, f->rs2)));
}
INSN(flt_h, "1010010 rs2:5 rs1:5 001 rd:5 1010011 @Zfh", "flt.h {rd},{rs1:f},{rs2:f}")
{
    wb(t, f->rd, ir_fcmp(t, FC_LT, true, fr(t, T_F16, f->rs1), fr(t, T_F16, f->rs2)));
}
INSN(fle_s, "1010000 rs2:5 rs1:5 000 rd:5 1010011 @F", "fle.s {rd},{rs1:f},{rs2:f}")
{
    wb(t, f->rd, ir_fcmp(t, FC_LE, true, fr(t, T_F32, f->rs1), fr(t, T_F32, f->rs2)));
}
INSN(fle_d, "1010001 rs2:5 rs1:5 000 rd:5 1010011 @D", "fle.d {rd},{rs1:f},{rs2:f}")
{
    wb(t, f->rd, ir_fcmp(t, FC_LE, true, fr(t, T_F64, f->rs1), fr(t, T_F64, f->rs2)));
}
INSN(fle_h, "1010010 rs2:5 rs1:5 000 rd:5 1010011 @Zfh", "fle.h {rd},{rs1:f},{rs2:f}")
{
    wb(t, f->rd, ir_fcmp(t, FC_LE, true, fr(t, T_F16, f->rs1), fr(t, T_F16, f->rs2)));
}
INSN(fleq_s, "1010000 rs2:5 rs1:5 100 rd:5 1010011 @F @Zfa", "fleq.s {rd},{rs1:f},{rs2:f}")
{
    wb(t, f->rd, ir_fcmp(t, FC_LE, false, fr(t, T_F32, f->rs1), fr(t, T_F32, f->rs2)));
}
INSN(fleq_d, "1010001 rs2:5 rs1:5 100 rd:5 1010011 @D @Zfa", "fleq.d {rd},{rs1:f},{rs2:f}")
{
    wb(t, f->rd, ir_fcmp(t, FC_LE, false, fr(t, T_F64, f->rs1), fr(t, T_F64, f->rs2)));
}
INSN(fleq_h, "1010010 rs2:5 rs1:5 100 rd:5 1010011 @Zfh @Zfa", "fleq.h {rd},{rs1:f},{rs2:f}")
{
    wb(t, f->rd, ir_fcmp(t, FC_LE, false, fr(t, T_F16, f->rs1), fr(t, T_F16, f->rs2)));
}
INSN(fltq_s, "1010000 rs2:5 rs1:5 101 rd:5 1010011 @F @Zfa", "fltq.s {rd},{rs1:f},{rs2:f}")
{
    wb(t, f->rd, ir_fcmp(t, FC_LT, false, fr(t, T_F32, f->rs1), fr(t, T_F32, f->rs2)));
}
INSN(fltq_d, "1010001 rs2:5 rs1:5 101 rd:5 1010011 @D @Zfa", "fltq.d {rd},{rs1:f},{rs2:f}")
{
    wb(t, f->rd, ir_fcmp(t, FC_LT, false, fr(t, T_F64, f->rs1), fr(t, T_F64, f->rs2)));
}
INSN(fltq_h, "1010010 rs2:5 rs1:5 101 rd:5 1010011 @Zfh @Zfa", "fltq.h {rd},{rs1:f},{rs2:f}")
{
    wb(t, f->rd, ir_fcmp(t, FC_LT, false, fr(t, T_F16, f->rs1), fr(t, T_F16, f->rs2)));
}
INSN(fclass_s, "1110000 00000 rs1:5 001 rd:5 1010011 @F", "fclass.s {rd},{rs1:f}")
{
    wx(t, f->rd, ir_zext(t, xtype(t), IR_CALL(t, fclass_s, ir_bitcast(t, T_I32, fr(t, T_F32, f->rs1)))));
}
INSN(fclass_d, "1110001 00000 rs1:5 001 rd:5 1010011 @D", "fclass.d {rd},{rs1:f}")
{
    wx(t, f->rd, ir_zext(t, xtype(t), IR_CALL(t, fclass_d, bits(t, f->rs1))));
}
INSN(fclass_h, "1110010 00000 rs1:5 001 rd:5 1010011 @Zfh", "fclass.h {rd},{rs1:f}")
{
    wx(t, f->rd, ir_zext(t, xtype(t), IR_CALL(t, fclass_h, ir_bitcast(t, T_I16, fr(t, T_F16, f->rs1)))));
}

/* -- conversions ------------------------------------------------------------------------------------------------ */
INSN(fcvt_s_d, "0100000 00001 rs1:5 rm:3 rd:5 1010011 @D", "fcvt.s.d {rd:f},{rs1:f}{rm}")
{
    fconvert(t, f, T_F32, T_F64);
}
INSN(fcvt_d_s, "0100001 00000 rs1:5 rm:3 rd:5 1010011 @D", "fcvt.d.s {rd:f},{rs1:f}{rm}")
{
    fconvert(t, f, T_F64, T_F32);
}
ALIAS(fcvt_d_s, "0100001 00000 rs1:5 000 rd:5 1010011 @D", "fcvt.d.s {rd:f},{rs1:f}")
INSN(fcvt_s_h, "0100000 00010 rs1:5 rm:3 rd:5 1010011 @Zfhmin", "fcvt.s.h {rd:f},{rs1:f}{rm}")
{
    fconvert(t, f, T_F32, T_F16);
}
ALIAS(fcvt_s_h, "0100000 00010 rs1:5 000 rd:5 1010011 @Zfhmin", "fcvt.s.h {rd:f},{rs1:f}")
INSN(fcvt_h_s, "0100010 00000 rs1:5 rm:3 rd:5 1010011 @Zfhmin", "fcvt.h.s {rd:f},{rs1:f}{rm}")
{
    fconvert(t, f, T_F16, T_F32);
}
INSN(fcvt_d_h, "0100001 00010 rs1:5 rm:3 rd:5 1010011 @D @Zfhmin", "fcvt.d.h {rd:f},{rs1:f}{rm}")
{
    fconvert(t, f, T_F64, T_F16);
}
ALIAS(fcvt_d_h, "0100001 00010 rs1:5 000 rd:5 1010011 @D @Zfhmin", "fcvt.d.h {rd:f},{rs1:f}")
INSN(fcvt_h_d, "0100010 00001 rs1:5 rm:3 rd:5 1010011 @D @Zfhmin", "fcvt.h.d {rd:f},{rs1:f}{rm}")
{
    fconvert(t, f, T_F16, T_F64);
}
INSN(fcvt_w_s, "1100000 00000 rs1:5 rm:3 rd:5 1010011 @F", "fcvt.w.s {rd},{rs1:f}{rm}")
{
    to_int(t, f, T_I32, T_F32, true);
}
INSN(fcvt_w_d, "1100001 00000 rs1:5 rm:3 rd:5 1010011 @D", "fcvt.w.d {rd},{rs1:f}{rm}")
{
    to_int(t, f, T_I32, T_F64, true);
}
INSN(fcvt_w_h, "1100010 00000 rs1:5 rm:3 rd:5 1010011 @Zfh", "fcvt.w.h {rd},{rs1:f}{rm}")
{
    to_int(t, f, T_I32, T_F16, true);
}
INSN(fcvt_s_w, "1101000 00000 rs1:5 rm:3 rd:5 1010011 @F", "fcvt.s.w {rd:f},{rs1}{rm}")
{
    from_int(t, f, T_I32, T_F32, true);
}
INSN(fcvt_d_w, "1101001 00000 rs1:5 rm:3 rd:5 1010011 @D", "fcvt.d.w {rd:f},{rs1}{rm}")
{
    from_int(t, f, T_I32, T_F64, true);
}
ALIAS(fcvt_d_w, "1101001 00000 rs1:5 000 rd:5 1010011 @D", "fcvt.d.w {rd:f},{rs1}")
INSN(fcvt_h_w, "1101010 00000 rs1:5 rm:3 rd:5 1010011 @Zfh", "fcvt.h.w {rd:f},{rs1}{rm}")
{
    from_int(t, f, T_I32, T_F16, true);
}
INSN(fcvt_wu_s, "1100000 00001 rs1:5 rm:3 rd:5 1010011 @F", "fcvt.wu.s {rd},{rs1:f}{rm}")
{
    to_int(t, f, T_I32, T_F32, false);
}
INSN(fcvt_wu_d, "1100001 00001 rs1:5 rm:3 rd:5 1010011 @D", "fcvt.wu.d {rd},{rs1:f}{rm}")
{
    to_int(t, f, T_I32, T_F64, false);
}
INSN(fcvt_wu_h, "1100010 00001 rs1:5 rm:3 rd:5 1010011 @Zfh", "fcvt.wu.h {rd},{rs1:f}{rm}")
{
    to_int(t, f, T_I32, T_F16, false);
}
INSN(fcvt_s_wu, "1101000 00001 rs1:5 rm:3 rd:5 1010011 @F", "fcvt.s.wu {rd:f},{rs1}{rm}")
{
    from_int(t, f, T_I32, T_F32, false);
}
INSN(fcvt_d_wu, "1101001 00001 rs1:5 rm:3 rd:5 1010011 @D", "fcvt.d.wu {rd:f},{rs1}{rm}")
{
    from_int(t, f, T_I32, T_F64, false);
}
ALIAS(fcvt_d_wu, "1101001 00001 rs1:5 000 rd:5 1010011 @D", "fcvt.d.wu {rd:f},{rs1}")
INSN(fcvt_h_wu, "1101010 00001 rs1:5 rm:3 rd:5 1010011 @Zfh", "fcvt.h.wu {rd:f},{rs1}{rm}")
{
    from_int(t, f, T_I32, T_F16, false);
}
INSN(fcvt_l_s, "1100000 00010 rs1:5 rm:3 rd:5 1010011 @rv64 @F", "fcvt.l.s {rd},{rs1:f}{rm}")
{
    to_int(t, f, T_I64, T_F32, true);
}
INSN(fcvt_l_d, "1100001 00010 rs1:5 rm:3 rd:5 1010011 @rv64 @D", "fcvt.l.d {rd},{rs1:f}{rm}")
{
    to_int(t, f, T_I64, T_F64, true);
}
INSN(fcvt_l_h, "1100010 00010 rs1:5 rm:3 rd:5 1010011 @rv64 @Zfh", "fcvt.l.h {rd},{rs1:f}{rm}")
{
    to_int(t, f, T_I64, T_F16, true);
}
INSN(fcvt_s_l, "1101000 00010 rs1:5 rm:3 rd:5 1010011 @rv64 @F", "fcvt.s.l {rd:f},{rs1}{rm}")
{
    from_int(t, f, T_I64, T_F32, true);
}
INSN(fcvt_d_l, "1101001 00010 rs1:5 rm:3 rd:5 1010011 @rv64 @D", "fcvt.d.l {rd:f},{rs1}{rm}")
{
    from_int(t, f, T_I64, T_F64, true);
}
INSN(fcvt_h_l, "1101010 00010 rs1:5 rm:3 rd:5 1010011 @rv64 @Zfh", "fcvt.h.l {rd:f},{rs1}{rm}")
{
    from_int(t, f, T_I64, T_F16, true);
}
INSN(fcvt_lu_s, "1100000 00011 rs1:5 rm:3 rd:5 1010011 @rv64 @F", "fcvt.lu.s {rd},{rs1:f}{rm}")
{
    to_int(t, f, T_I64, T_F32, false);
}
INSN(fcvt_lu_d, "1100001 00011 rs1:5 rm:3 rd:5 1010011 @rv64 @D", "fcvt.lu.d {rd},{rs1:f}{rm}")
{
    to_int(t, f, T_I64, T_F64, false);
}
INSN(fcvt_lu_h, "1100010 00011 rs1:5 rm:3 rd:5 1010011 @rv64 @Zfh", "fcvt.lu.h {rd},{rs1:f}{rm}")
{
    to_int(t, f, T_I64, T_F16, false);
}
INSN(fcvt_s_lu, "1101000 00011 rs1:5 rm:3 rd:5 1010011 @rv64 @F", "fcvt.s.lu {rd:f},{rs1}{rm}")
{
    from_int(t, f, T_I64, T_F32, false);
}
INSN(fcvt_d_lu, "1101001 00011 rs1:5 rm:3 rd:5 1010011 @rv64 @D", "fcvt.d.lu {rd:f},{rs1}{rm}")
{
    from_int(t, f, T_I64, T_F64, false);
}
INSN(fcvt_h_lu, "1101010 00011 rs1:5 rm:3 rd:5 1010011 @rv64 @Zfh", "fcvt.h.lu {rd:f},{rs1}{rm}")
{
    from_int(t, f, T_I64, T_F16, false);
}

/* -- Zfa -------------------------------------------------------------------------------------------------------- */
INSN(fli_s, "1111000 00001 rs1:5 000 rd:5 1010011 @F @Zfa", "fli.s {rd:f},{rs1:fli}")
{
    wf(t, f->rd, ir_kt(t, T_F32, fli_bits(T_F32, f->rs1)));
}
INSN(fli_d, "1111001 00001 rs1:5 000 rd:5 1010011 @D @Zfa", "fli.d {rd:f},{rs1:fli}")
{
    wf(t, f->rd, ir_kt(t, T_F64, fli_bits(T_F64, f->rs1)));
}
INSN(fli_h, "1111010 00001 rs1:5 000 rd:5 1010011 @Zfh @Zfa", "fli.h {rd:f},{rs1:fli}")
{
    wf(t, f->rd, ir_kt(t, T_F16, fli_bits(T_F16, f->rs1)));
}
INSN(fround_s, "0100000 00100 rs1:5 rm:3 rd:5 1010011 @F @Zfa", "fround.s {rd:f},{rs1:f}{rm}")
{
    int rm = rounding(t, f);
    if (rm >= 0) wf(t, f->rd, ir_frint(t, fr(t, T_F32, f->rs1), (enum ir_rm)rm, false));
}
INSN(fround_d, "0100001 00100 rs1:5 rm:3 rd:5 1010011 @D @Zfa", "fround.d {rd:f},{rs1:f}{rm}")
{
    int rm = rounding(t, f);
    if (rm >= 0) wf(t, f->rd, ir_frint(t, fr(t, T_F64, f->rs1), (enum ir_rm)rm, false));
}
INSN(fround_h, "0100010 00100 rs1:5 rm:3 rd:5 1010011 @Zfh @Zfa", "fround.h {rd:f},{rs1:f}{rm}")
{
    int rm = rounding(t, f);
    if (rm >= 0) wf(t, f->rd, ir_frint(t, fr(t, T_F16, f->rs1), (enum ir_rm)rm, false));
}
INSN(froundnx_s, "0100000 00101 rs1:5 rm:3 rd:5 1010011 @F @Zfa", "froundnx.s {rd:f},{rs1:f}{rm}")
{
    int rm = rounding(t, f);
    if (rm >= 0) wf(t, f->rd, ir_frint(t, fr(t, T_F32, f->rs1), (enum ir_rm)rm, true));
}
INSN(froundnx_d, "0100001 00101 rs1:5 rm:3 rd:5 1010011 @D @Zfa", "froundnx.d {rd:f},{rs1:f}{rm}")
{
    int rm = rounding(t, f);
    if (rm >= 0) wf(t, f->rd, ir_frint(t, fr(t, T_F64, f->rs1), (enum ir_rm)rm, true));
}
INSN(froundnx_h, "0100010 00101 rs1:5 rm:3 rd:5 1010011 @Zfh @Zfa", "froundnx.h {rd:f},{rs1:f}{rm}")
{
    int rm = rounding(t, f);
    if (rm >= 0) wf(t, f->rd, ir_frint(t, fr(t, T_F16, f->rs1), (enum ir_rm)rm, true));
}
INSN(fcvtmod_w_d, "1100001 01000 rs1:5 001 rd:5 1010011 @D @Zfa", "fcvtmod.w.d {rd},{rs1:f},rtz")
{
    ww(t, f->rd, IR_CALL(t, fcvtmod, bits(t, f->rs1)));
}
INSN(fmvh_x_d, "1110001 00001 rs1:5 000 rd:5 1010011 @!rv64 @D @Zfa", "fmvh.x.d {rd},{rs1:f}")
{
    wx(t, f->rd, ir_trunc(t, T_I32, ir_shri(t, bits(t, f->rs1), 32)));
}
INSN(fmvp_d_x, "1011001 rs2:5 rs1:5 000 rd:5 1010011 @!rv64 @D @Zfa", "fmvp.d.x {rd:f},{rs1},{rs2}")
{
    V hi = ir_shli(t, ir_zext(t, T_I64, x(t, f->rs2)), 32);
    wf(t, f->rd, ir_bitcast(t, T_F64, ir_or(t, hi, ir_zext(t, T_I64, x(t, f->rs1)))));
}
