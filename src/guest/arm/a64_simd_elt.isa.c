/*
 * a64_simd_elt.isa.c: Advanced SIMD integers by element, and "three same extra": RDM, DotProd, I8MM, BF16, FCMA, FHM.
 * Arm ARM C4.1.95.
 */
#include "a64_simd.h"

/* --- integers by element: 16-bit lanes index with H:L:M and have V0-V15, 32-bit lanes with H:L ------------------------------ */

static V elt(struct xlat *t, F *f)
{
    enum ir_lane l = vlane(f->size);
    return ir_vdup(t, l, ir_vget(t, T_I32, l, vr(t, (unsigned)f->erm), (unsigned)f->eidx));
}
static void elt_acc(struct xlat *t, F *f, enum ir_op op)
{
    V p = ir_v2(t, IR_VMUL, vlane(f->size), vr(t, (unsigned)f->rn), elt(t, f));
    wvq(t, f->q, (unsigned)f->rd, op ? ir_v2(t, op, vlane(f->size), vr(t, (unsigned)f->rd), p) : p);
}
static void elt_long(struct xlat *t, F *f, bool uns, enum ir_op op)
{
    enum ir_lane wide = (enum ir_lane)(f->size + 1);
    V p = ir_v2x(t, uns ? IR_VMULLU : IR_VMULLS, vlane(f->size), vr(t, (unsigned)f->rn), elt(t, f), (unsigned)f->q, 0);
    wv(t, (unsigned)f->rd, op ? ir_v2(t, op, wide, vr(t, (unsigned)f->rd), p) : p);
}
static void elt_dmul(struct xlat *t, F *f, enum ir_op op, bool scalar)
{
    arm_dmul_long(t, f, op, vr(t, (unsigned)f->rn), elt(t, f), scalar);
}
static void elt_lanes(struct xlat *t, F *f, unsigned op, int64_t q)
{
    wv(t, (unsigned)f->rd, IR_CALL(t, simd_lanes, vr(t, (unsigned)f->rn), elt(t, f), ir_k32(t, SH(op, f->size, q))));
}
static void elt_lanes3(struct xlat *t, F *f, unsigned op, V b, int64_t q)
{
    wv(t, (unsigned)f->rd, IR_CALL(t, simd_lanes3, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn), b, ir_k32(t, SH(op, f->size, q))));
}
INSN(mul_e, "0 q:1 0 01111 size:2 l:1 m:1 rm4:4 1000 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "mul {rd:v}, {rn:v}, {erm:ve}") { elt_acc(t, f, IR_NOP); }
INSN(mla_e, "0 q:1 1 01111 size:2 l:1 m:1 rm4:4 0000 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "mla {rd:v}, {rn:v}, {erm:ve}") { elt_acc(t, f, IR_VADD); }
INSN(mls_e, "0 q:1 1 01111 size:2 l:1 m:1 rm4:4 0100 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "mls {rd:v}, {rn:v}, {erm:ve}") { elt_acc(t, f, IR_VSUB); }
INSN(smlal_e, "0 q:1 0 01111 size:2 l:1 m:1 rm4:4 0010 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "smlal{q:two} {rd:vw}, {rn:v}, {erm:ve}") { elt_long(t, f, false, IR_VADD); }
INSN(umlal_e, "0 q:1 1 01111 size:2 l:1 m:1 rm4:4 0010 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "umlal{q:two} {rd:vw}, {rn:v}, {erm:ve}") { elt_long(t, f, true, IR_VADD); }
INSN(smlsl_e, "0 q:1 0 01111 size:2 l:1 m:1 rm4:4 0110 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "smlsl{q:two} {rd:vw}, {rn:v}, {erm:ve}") { elt_long(t, f, false, IR_VSUB); }
INSN(umlsl_e, "0 q:1 1 01111 size:2 l:1 m:1 rm4:4 0110 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "umlsl{q:two} {rd:vw}, {rn:v}, {erm:ve}") { elt_long(t, f, true, IR_VSUB); }
INSN(smull_e, "0 q:1 0 01111 size:2 l:1 m:1 rm4:4 1010 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "smull{q:two} {rd:vw}, {rn:v}, {erm:ve}") { elt_long(t, f, false, IR_NOP); }
INSN(umull_e, "0 q:1 1 01111 size:2 l:1 m:1 rm4:4 1010 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "umull{q:two} {rd:vw}, {rn:v}, {erm:ve}") { elt_long(t, f, true, IR_NOP); }
INSN(sqdmlal_e, "0 q:1 0 01111 size:2 l:1 m:1 rm4:4 0011 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "sqdmlal{q:two} {rd:vw}, {rn:v}, {erm:ve}") { elt_dmul(t, f, IR_VADDSS, false); }
INSN(sqdmlsl_e, "0 q:1 0 01111 size:2 l:1 m:1 rm4:4 0111 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "sqdmlsl{q:two} {rd:vw}, {rn:v}, {erm:ve}") { elt_dmul(t, f, IR_VSUBSS, false); }
INSN(sqdmull_e, "0 q:1 0 01111 size:2 l:1 m:1 rm4:4 1011 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "sqdmull{q:two} {rd:vw}, {rn:v}, {erm:ve}") { elt_dmul(t, f, IR_NOP, false); }
INSN(sqdmlal_es, "01 0 11111 size:2 l:1 m:1 rm4:4 0011 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "sqdmlal {rd:scw}, {rn:sc}, {erm:ve}") { elt_dmul(t, f, IR_VADDSS, true); }
INSN(sqdmlsl_es, "01 0 11111 size:2 l:1 m:1 rm4:4 0111 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "sqdmlsl {rd:scw}, {rn:sc}, {erm:ve}") { elt_dmul(t, f, IR_VSUBSS, true); }
INSN(sqdmull_es, "01 0 11111 size:2 l:1 m:1 rm4:4 1011 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "sqdmull {rd:scw}, {rn:sc}, {erm:ve}") { elt_dmul(t, f, IR_NOP, true); }
INSN(sqdmulh_e, "0 q:1 0 01111 size:2 l:1 m:1 rm4:4 1100 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "sqdmulh {rd:v}, {rn:v}, {erm:ve}") { elt_lanes(t, f, SH_SQDMULH, f->q); }
INSN(sqrdmulh_e, "0 q:1 0 01111 size:2 l:1 m:1 rm4:4 1101 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "sqrdmulh {rd:v}, {rn:v}, {erm:ve}") { elt_lanes(t, f, SH_SQRDMULH, f->q); }
INSN(sqdmulh_es, "01 0 11111 size:2 l:1 m:1 rm4:4 1100 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "sqdmulh {rd:sc}, {rn:sc}, {erm:ve}") { elt_lanes(t, f, SH_SQDMULH, LANES_SCALAR); }
INSN(sqrdmulh_es, "01 0 11111 size:2 l:1 m:1 rm4:4 1101 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4)", "sqrdmulh {rd:sc}, {rn:sc}, {erm:ve}") { elt_lanes(t, f, SH_SQRDMULH, LANES_SCALAR); }
INSN(sqrdmlah_e, "0 q:1 1 01111 size:2 l:1 m:1 rm4:4 1101 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4) @RDM", "sqrdmlah {rd:v}, {rn:v}, {erm:ve}") { elt_lanes3(t, f, SH_SQRDMLAH, elt(t, f), f->q); }
INSN(sqrdmlsh_e, "0 q:1 1 01111 size:2 l:1 m:1 rm4:4 1111 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4) @RDM", "sqrdmlsh {rd:v}, {rn:v}, {erm:ve}") { elt_lanes3(t, f, SH_SQRDMLSH, elt(t, f), f->q); }
INSN(sqrdmlah_es, "01 1 11111 size:2 l:1 m:1 rm4:4 1101 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4) @RDM", "sqrdmlah {rd:sc}, {rn:sc}, {erm:ve}") { elt_lanes3(t, f, SH_SQRDMLAH, elt(t, f), LANES_SCALAR); }
INSN(sqrdmlsh_es, "01 1 11111 size:2 l:1 m:1 rm4:4 1111 h:1 0 rn:5 rd:5 size!=0,3 eidx=eidx(size,h,l,m) erm=erm(size,m,rm4) @RDM", "sqrdmlsh {rd:sc}, {rn:sc}, {erm:ve}") { elt_lanes3(t, f, SH_SQRDMLSH, elt(t, f), LANES_SCALAR); }
INSN(sqrdmlah_v, "0 q:1 1 01110 size:2 0 rm:5 10000 1 rn:5 rd:5 size!=0,3 @RDM", "sqrdmlah {rd:v}, {rn:v}, {rm:v}") { elt_lanes3(t, f, SH_SQRDMLAH, vr(t, (unsigned)f->rm), f->q); }
INSN(sqrdmlsh_v, "0 q:1 1 01110 size:2 0 rm:5 10001 1 rn:5 rd:5 size!=0,3 @RDM", "sqrdmlsh {rd:v}, {rn:v}, {rm:v}") { elt_lanes3(t, f, SH_SQRDMLSH, vr(t, (unsigned)f->rm), f->q); }
INSN(sqrdmlah_s, "01 1 11110 size:2 0 rm:5 10000 1 rn:5 rd:5 size!=0,3 @RDM", "sqrdmlah {rd:sc}, {rn:sc}, {rm:sc}") { elt_lanes3(t, f, SH_SQRDMLAH, vr(t, (unsigned)f->rm), LANES_SCALAR); }
INSN(sqrdmlsh_s, "01 1 11110 size:2 0 rm:5 10001 1 rn:5 rd:5 size!=0,3 @RDM", "sqrdmlsh {rd:sc}, {rn:sc}, {rm:sc}") { elt_lanes3(t, f, SH_SQRDMLSH, vr(t, (unsigned)f->rm), LANES_SCALAR); }

/* --- dot products: four bytes into each 32-bit lane ---------------------------------------------------------------------------- */

static V elt32(struct xlat *t, F *f)
{
    return ir_vdup(t, L_I32, ir_vget(t, T_I32, L_I32, vr(t, (unsigned)f->rm), (unsigned)(f->h << 1 | f->l)));
}
static void dot(struct xlat *t, F *f, enum ir_op op, V b, V c)
{
    wvq(t, f->q, (unsigned)f->rd, ir_v3(t, op, L_I32, vr(t, (unsigned)f->rd), b, c));
}
INSN(sdot_v, "0 q:1 0 01110 10 0 rm:5 1 0010 1 rn:5 rd:5 @DotProd", "sdot {rd:v2s}, {rn:vb}, {rm:vb}") { dot(t, f, IR_VDOTSS, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)); }
INSN(udot_v, "0 q:1 1 01110 10 0 rm:5 1 0010 1 rn:5 rd:5 @DotProd", "udot {rd:v2s}, {rn:vb}, {rm:vb}") { dot(t, f, IR_VDOTUU, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)); }
INSN(usdot_v, "0 q:1 0 01110 10 0 rm:5 1 0011 1 rn:5 rd:5 @I8MM", "usdot {rd:v2s}, {rn:vb}, {rm:vb}") { dot(t, f, IR_VDOTUS, vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)); }
INSN(sdot_e, "0 q:1 0 01111 10 l:1 rm:5 1110 h:1 0 rn:5 rd:5 @DotProd", "sdot {rd:v2s}, {rn:vb}, {rm:b4e}") { dot(t, f, IR_VDOTSS, vr(t, (unsigned)f->rn), elt32(t, f)); }
INSN(udot_e, "0 q:1 1 01111 10 l:1 rm:5 1110 h:1 0 rn:5 rd:5 @DotProd", "udot {rd:v2s}, {rn:vb}, {rm:b4e}") { dot(t, f, IR_VDOTUU, vr(t, (unsigned)f->rn), elt32(t, f)); }
INSN(usdot_e, "0 q:1 0 01111 10 l:1 rm:5 1111 h:1 0 rn:5 rd:5 @I8MM", "usdot {rd:v2s}, {rn:vb}, {rm:b4e}") { dot(t, f, IR_VDOTUS, vr(t, (unsigned)f->rn), elt32(t, f)); }
INSN(sudot_e, "0 q:1 0 01111 00 l:1 rm:5 1111 h:1 0 rn:5 rd:5 @I8MM", "sudot {rd:v2s}, {rn:vb}, {rm:b4e}") { dot(t, f, IR_VDOTUS, elt32(t, f), vr(t, (unsigned)f->rn)); }
/* 2x8 by 8x2 matrices of bytes: kind 0 signed, 1 unsigned, 2 unsigned by signed. */
static void matrix(struct xlat *t, F *f, uint32_t kind)
{
    wv(t, (unsigned)f->rd, IR_CALL(t, simd_mmla, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm), ir_k32(t, kind)));
}
INSN(smmla, "0 1 0 01110 10 0 rm:5 1 0100 1 rn:5 rd:5 @I8MM", "smmla v{rd:d}.4s, v{rn:d}.16b, v{rm:d}.16b") { matrix(t, f, 0); }
INSN(ummla, "0 1 1 01110 10 0 rm:5 1 0100 1 rn:5 rd:5 @I8MM", "ummla v{rd:d}.4s, v{rn:d}.16b, v{rm:d}.16b") { matrix(t, f, 1); }
INSN(usmmla, "0 1 0 01110 10 0 rm:5 1 0101 1 rn:5 rd:5 @I8MM", "usmmla v{rd:d}.4s, v{rn:d}.16b, v{rm:d}.16b") { matrix(t, f, 2); }

/* --- complex numbers (FCMA): pairs of lanes are real and imaginary parts ------------------------------------------------------------ */

/* desc: lane kind (0 half, 1 single, 2 double), q, rotation / 90, operation: 0 add, 1 multiply-add; element index or 15. */
static void complex(struct xlat *t, F *f, uint32_t lane, uint32_t rot, bool mul, V b)
{
    uint32_t desc = lane | (uint32_t)f->q << 2 | rot << 4 | (uint32_t)mul << 6;
    wv(t, (unsigned)f->rd, IR_CALL(t, simd_complex, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn), b, ir_k32(t, desc)));
}
INSN(fcadd, "0 q:1 1 01110 size:2 0 rm:5 111 rot:1 01 rn:5 rd:5 size!=0 ok=v1d(size,q) @FCMA", "fcadd {rd:v}, {rn:v}, {rm:v}, #{rot:rot90}") { complex(t, f, (uint32_t)f->size - 1, f->rot ? 3 : 1, false, vr(t, (unsigned)f->rm)); }
INSN(fcmla, "0 q:1 1 01110 size:2 0 rm:5 110 rot:2 1 rn:5 rd:5 size!=0 ok=v1d(size,q) @FCMA", "fcmla {rd:v}, {rn:v}, {rm:v}, #{rot:rot}") { complex(t, f, (uint32_t)f->size - 1, (uint32_t)f->rot, true, vr(t, (unsigned)f->rm)); }
INSN(fcmla_eh, "0 q:1 1 01111 01 l:1 rm:5 0 rot:2 1 h:1 0 rn:5 rd:5 ok=fcmlah(q,h) @FCMA", "fcmla {rd:v4h}, {rn:v4h}, {rm:hce}, #{rot:rot}")
{
    V pair = ir_vget(t, T_I32, L_I32, vr(t, (unsigned)f->rm), (unsigned)(f->h << 1 | f->l));
    complex(t, f, 0, (uint32_t)f->rot, true, ir_vdup(t, L_I32, pair));
}
INSN(fcmla_es, "0 1 1 01111 10 0 rm:5 0 rot:2 1 h:1 0 rn:5 rd:5 q=one(h) @FCMA", "fcmla v{rd:d}.4s, v{rn:d}.4s, {rm:sce}, #{rot:rot}")
{
    V pair = ir_vget(t, T_I64, L_I64, vr(t, (unsigned)f->rm), (unsigned)f->h);
    complex(t, f, 1, (uint32_t)f->rot, true, ir_vdup(t, L_I64, pair));
}

/* --- FHM: half-precision products into single precision --------------------------------------------------------------------------------- */

static void fhm(struct xlat *t, F *f, bool sub, bool high, V b)
{
    uint32_t desc = (uint32_t)f->q | (uint32_t)high << 1 | (uint32_t)sub << 2;
    wv(t, (unsigned)f->rd, IR_CALL(t, simd_fhm, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn), b, ir_k32(t, desc)));
}
static V elt_h(struct xlat *t, F *f)
{
    return ir_vdup(t, L_I16, ir_vget(t, T_I32, L_I16, vr(t, (unsigned)f->erm), (unsigned)f->eidx));
}
INSN(fmlal_v, "0 q:1 0 01110 00 1 rm:5 11101 1 rn:5 rd:5 @FHM", "fmlal {rd:v2s}, {rn:v2h}, {rm:v2h}") { fhm(t, f, false, false, vr(t, (unsigned)f->rm)); }
INSN(fmlsl_v, "0 q:1 0 01110 10 1 rm:5 11101 1 rn:5 rd:5 @FHM", "fmlsl {rd:v2s}, {rn:v2h}, {rm:v2h}") { fhm(t, f, true, false, vr(t, (unsigned)f->rm)); }
INSN(fmlal2_v, "0 q:1 1 01110 00 1 rm:5 11001 1 rn:5 rd:5 @FHM", "fmlal2 {rd:v2s}, {rn:v2h}, {rm:v2h}") { fhm(t, f, false, true, vr(t, (unsigned)f->rm)); }
INSN(fmlsl2_v, "0 q:1 1 01110 10 1 rm:5 11001 1 rn:5 rd:5 @FHM", "fmlsl2 {rd:v2s}, {rn:v2h}, {rm:v2h}") { fhm(t, f, true, true, vr(t, (unsigned)f->rm)); }
INSN(fmlal_e, "0 q:1 0 01111 10 l:1 m:1 erm:4 0000 h:1 0 rn:5 rd:5 eidx=hidx(h,l,m) @FHM", "fmlal {rd:v2s}, {rn:v2h}, {erm:he}") { fhm(t, f, false, false, elt_h(t, f)); }
INSN(fmlsl_e, "0 q:1 0 01111 10 l:1 m:1 erm:4 0100 h:1 0 rn:5 rd:5 eidx=hidx(h,l,m) @FHM", "fmlsl {rd:v2s}, {rn:v2h}, {erm:he}") { fhm(t, f, true, false, elt_h(t, f)); }
INSN(fmlal2_e, "0 q:1 1 01111 10 l:1 m:1 erm:4 1000 h:1 0 rn:5 rd:5 eidx=hidx(h,l,m) @FHM", "fmlal2 {rd:v2s}, {rn:v2h}, {erm:he}") { fhm(t, f, false, true, elt_h(t, f)); }
INSN(fmlsl2_e, "0 q:1 1 01111 10 l:1 m:1 erm:4 1100 h:1 0 rn:5 rd:5 eidx=hidx(h,l,m) @FHM", "fmlsl2 {rd:v2s}, {rn:v2h}, {erm:he}") { fhm(t, f, true, true, elt_h(t, f)); }

/* --- BF16: dot products and matrices (FPCR takes no part), widening multiply-add and conversion (as FPCR says) ----------------------- */

INSN(bfdot_v, "0 q:1 1 01110 01 0 rm:5 1 1111 1 rn:5 rd:5 @BF16", "bfdot {rd:v2s}, {rn:v4h}, {rm:v4h}")
{
    wvq(t, f->q, (unsigned)f->rd, IR_CALL(t, simd_bfdot, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
INSN(bfdot_e, "0 q:1 0 01111 01 l:1 rm:5 1111 h:1 0 rn:5 rd:5 @BF16", "bfdot {rd:v2s}, {rn:v4h}, {rm:h2e}")
{
    wvq(t, f->q, (unsigned)f->rd, IR_CALL(t, simd_bfdot, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn), elt32(t, f)));
}
INSN(bfmmla, "0 1 1 01110 01 0 rm:5 1 1101 1 rn:5 rd:5 @BF16", "bfmmla v{rd:d}.4s, v{rn:d}.8h, v{rm:d}.8h")
{
    wv(t, (unsigned)f->rd, IR_CALL(t, simd_bfmmla, vr(t, (unsigned)f->rd), vr(t, (unsigned)f->rn), vr(t, (unsigned)f->rm)));
}
/* The even lanes (bottom) or the odd ones (top) as singles. */
static V bf_widen(struct xlat *t, V v, bool top)
{
    return top ? ir_v2(t, IR_VAND, L_I32, v, vsplat(t, L_I32, 0xffff0000)) : ir_v1x(t, IR_VSHLI, L_I32, v, 16);
}
static void bf_mlal(struct xlat *t, F *f, V b)
{
    V a = bf_widen(t, vr(t, (unsigned)f->rn), f->q);
    wv(t, (unsigned)f->rd, ir_vf(t, IR_VFMA, L_F32, RM_DYN, a, b, vr(t, (unsigned)f->rd), 0));
}
INSN(bfmlal_v, "0 q:1 1 01110 11 0 rm:5 1 1111 1 rn:5 rd:5 @BF16", "bfmlal{q:bt} v{rd:d}.4s, v{rn:d}.8h, v{rm:d}.8h")
{
    bf_mlal(t, f, bf_widen(t, vr(t, (unsigned)f->rm), f->q));
}
INSN(bfmlal_e, "0 q:1 0 01111 11 l:1 m:1 erm:4 1111 h:1 0 rn:5 rd:5 eidx=hidx(h,l,m) @BF16", "bfmlal{q:bt} v{rd:d}.4s, v{rn:d}.8h, {erm:he}")
{
    bf_mlal(t, f, bf_widen(t, elt_h(t, f), true));
}
INSN(bfcvt, "0 0 0 11110 01 1 000110 10000 rn:5 rd:5 @BF16", "bfcvt {rd:fh}, {rn:fs}")
{
    wv(t, (unsigned)f->rd, IR_CALL(t, simd_bfcvt, vzero(t), vr(t, (unsigned)f->rn), ir_k32(t, 1)));
}
INSN(bfcvtn, "0 q:1 0 01110 10 1 0000 10110 10 rn:5 rd:5 @BF16", "bfcvtn{q:two} {rd:v4h}, v{rn:d}.4s")
{
    V d = f->q ? vr(t, (unsigned)f->rd) : vzero(t);
    wv(t, (unsigned)f->rd, IR_CALL(t, simd_bfcvt, d, vr(t, (unsigned)f->rn), ir_k32(t, 4 | (uint32_t)f->q << 4)));
}
