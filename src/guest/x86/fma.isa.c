/*
 * fma.isa.c: FMA3. The digits say which operands are multiplied: 132: first and third, 213: second and first, 231: second and third.
 * Intel SDM volume 2. A NaN operand comes out with its own sign, whatever is negated. Known gaps: none.
 */
#include "vec.h"

enum { NEG_PRODUCT = 1, NEG_ADDEND = 2, ALTERNATE = 4 /* the addend is negated in even lanes, or with NEG_ADDEND in odd ones */ };

static void order(unsigned digits, V in[3], V out[3])
{
    static const uint8_t from[3][3] = { { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 } };
    const uint8_t *p = from[digits == 132 ? 0 : digits == 213 ? 1 : 2];
    for (unsigned i = 0; i < 3; i++) out[i] = in[p[i]];
}

/* -a, but a NaN as it is; only the lanes of `where` (0: all). With integers, which raise nothing. */
static V negate_lanes(struct xlat *t, enum ir_lane lane, V a, V where)
{
    uint64_t s = lane == L_F32 ? 0x8000000080000000ull : 1ull << 63, i = lane == L_F32 ? 0x7f8000007f800000ull : 0x7ffull << 52;
    V sign = ir_kv(t, s, s);
    V nan = ir_vcmp(t, C_SGT, lane == L_F32 ? L_I32 : L_I64, ir_v2(t, IR_VANDN, L_I64, a, sign), ir_kv(t, i, i));
    V flip = ir_v2(t, IR_VANDN, L_I64, sign, nan);
    if (where) flip = ir_v2(t, IR_VAND, L_I64, flip, where);
    return ir_v2(t, IR_VXOR, L_I64, a, flip);
}
static void packed(struct xlat *t, F *f, enum ir_lane lane, unsigned digits, unsigned how)
{
    struct vv s[3] = { vget(t, f, 0), vget(t, f, 1), vget(t, f, 2) }, r = { { 0 } };
    V even = lane == L_F32 ? ir_kv(t, 0xffffffff, 0xffffffff) : ir_kv(t, ~0ull, 0);
    V odd = lane == L_F32 ? ir_kv(t, 0xffffffffull << 32, 0xffffffffull << 32) : ir_kv(t, 0, ~0ull);
    V before = vfp_begin(t);

    for (unsigned h = 0; h < parts(f); h++) {
        V in[3] = { s[0].h[h], s[1].h[h], s[2].h[h] }, v[3];
        order(digits, in, v);
        if (how & NEG_PRODUCT) v[0] = negate_lanes(t, lane, v[0], 0);
        if (how & ALTERNATE) v[2] = negate_lanes(t, lane, v[2], how & NEG_ADDEND ? odd : even);
        else if (how & NEG_ADDEND) v[2] = negate_lanes(t, lane, v[2], 0);
        r.h[h] = ir_vf(t, IR_VFMA, lane, RM_DYN, v[0], v[1], v[2], 0);
    }
    vfp_check(t, before);
    vput(t, f, r);
}
static V negate_scalar(struct xlat *t, V a)
{
    bool single = ir_type_of(t, a) == T_F32;
    enum ir_type type = single ? T_I32 : T_I64;
    V bits = ir_bitcast(t, type, a), sign = ir_kt(t, type, single ? 1ull << 31 : 1ull << 63), inf = ir_kt(t, type, single ? 0x7f800000 : 0x7ffull << 52);
    V nan = ir_cmp(t, C_UGT, ir_and(t, bits, ir_not(t, sign)), inf);
    return ir_select(t, nan, a, ir_fneg(t, a));
}
static void scalar(struct xlat *t, F *f, enum ir_type type, unsigned digits, unsigned how)
{
    V in[3] = { vscalar(t, f, 0, type), vscalar(t, f, 1, type), vscalar(t, f, 2, type) }, v[3];
    V before = vfp_begin(t);

    order(digits, in, v);
    if (how & NEG_PRODUCT) v[0] = negate_scalar(t, v[0]);
    if (how & NEG_ADDEND) v[2] = negate_scalar(t, v[2]);
    V r = ir_fma(t, v[0], v[1], v[2], RM_DYN);
    vfp_check(t, before);
    vput1(t, f, ir_vins(t, type == T_F32 ? L_F32 : L_F64, vlow(t, f, 0), r, 0));
}
INSN(vfmaddsub132ps, "VEX.66.0F38.W0 96 /r Vps,Hps,Wps @FMA", "vfmaddsub132ps")
{
    packed(t, f, L_F32, 132, ALTERNATE);
}
INSN(vfmaddsub132pd, "VEX.66.0F38.W1 96 /r Vpd,Hpd,Wpd @FMA", "vfmaddsub132pd")
{
    packed(t, f, L_F64, 132, ALTERNATE);
}
INSN(vfmsubadd132ps, "VEX.66.0F38.W0 97 /r Vps,Hps,Wps @FMA", "vfmsubadd132ps")
{
    packed(t, f, L_F32, 132, ALTERNATE | NEG_ADDEND);
}
INSN(vfmsubadd132pd, "VEX.66.0F38.W1 97 /r Vpd,Hpd,Wpd @FMA", "vfmsubadd132pd")
{
    packed(t, f, L_F64, 132, ALTERNATE | NEG_ADDEND);
}
INSN(vfmadd132ps, "VEX.66.0F38.W0 98 /r Vps,Hps,Wps @FMA", "vfmadd132ps")
{
    packed(t, f, L_F32, 132, 0);
}
INSN(vfmadd132pd, "VEX.66.0F38.W1 98 /r Vpd,Hpd,Wpd @FMA", "vfmadd132pd")
{
    packed(t, f, L_F64, 132, 0);
}
INSN(vfmadd132ss, "VEX.66.0F38.W0 99 /r Vss,Hss,Wss @FMA", "vfmadd132ss")
{
    scalar(t, f, T_F32, 132, 0);
}
INSN(vfmadd132sd, "VEX.66.0F38.W1 99 /r Vsd,Hsd,Wsd @FMA", "vfmadd132sd")
{
    scalar(t, f, T_F64, 132, 0);
}
INSN(vfmsub132ps, "VEX.66.0F38.W0 9A /r Vps,Hps,Wps @FMA", "vfmsub132ps")
{
    packed(t, f, L_F32, 132, NEG_ADDEND);
}
INSN(vfmsub132pd, "VEX.66.0F38.W1 9A /r Vpd,Hpd,Wpd @FMA", "vfmsub132pd")
{
    packed(t, f, L_F64, 132, NEG_ADDEND);
}
INSN(vfmsub132ss, "VEX.66.0F38.W0 9B /r Vss,Hss,Wss @FMA", "vfmsub132ss")
{
    scalar(t, f, T_F32, 132, NEG_ADDEND);
}
INSN(vfmsub132sd, "VEX.66.0F38.W1 9B /r Vsd,Hsd,Wsd @FMA", "vfmsub132sd")
{
    scalar(t, f, T_F64, 132, NEG_ADDEND);
}
INSN(vfnmadd132ps, "VEX.66.0F38.W0 9C /r Vps,Hps,Wps @FMA", "vfnmadd132ps")
{
    packed(t, f, L_F32, 132, NEG_PRODUCT);
}
INSN(vfnmadd132pd, "VEX.66.0F38.W1 9C /r Vpd,Hpd,Wpd @FMA", "vfnmadd132pd")
{
    packed(t, f, L_F64, 132, NEG_PRODUCT);
}
INSN(vfnmadd132ss, "VEX.66.0F38.W0 9D /r Vss,Hss,Wss @FMA", "vfnmadd132ss")
{
    scalar(t, f, T_F32, 132, NEG_PRODUCT);
}
INSN(vfnmadd132sd, "VEX.66.0F38.W1 9D /r Vsd,Hsd,Wsd @FMA", "vfnmadd132sd")
{
    scalar(t, f, T_F64, 132, NEG_PRODUCT);
}
INSN(vfnmsub132ps, "VEX.66.0F38.W0 9E /r Vps,Hps,Wps @FMA", "vfnmsub132ps")
{
    packed(t, f, L_F32, 132, NEG_PRODUCT | NEG_ADDEND);
}
INSN(vfnmsub132pd, "VEX.66.0F38.W1 9E /r Vpd,Hpd,Wpd @FMA", "vfnmsub132pd")
{
    packed(t, f, L_F64, 132, NEG_PRODUCT | NEG_ADDEND);
}
INSN(vfnmsub132ss, "VEX.66.0F38.W0 9F /r Vss,Hss,Wss @FMA", "vfnmsub132ss")
{
    scalar(t, f, T_F32, 132, NEG_PRODUCT | NEG_ADDEND);
}
INSN(vfnmsub132sd, "VEX.66.0F38.W1 9F /r Vsd,Hsd,Wsd @FMA", "vfnmsub132sd")
{
    scalar(t, f, T_F64, 132, NEG_PRODUCT | NEG_ADDEND);
}
INSN(vfmaddsub213ps, "VEX.66.0F38.W0 A6 /r Vps,Hps,Wps @FMA", "vfmaddsub213ps")
{
    packed(t, f, L_F32, 213, ALTERNATE);
}
INSN(vfmaddsub213pd, "VEX.66.0F38.W1 A6 /r Vpd,Hpd,Wpd @FMA", "vfmaddsub213pd")
{
    packed(t, f, L_F64, 213, ALTERNATE);
}
INSN(vfmsubadd213ps, "VEX.66.0F38.W0 A7 /r Vps,Hps,Wps @FMA", "vfmsubadd213ps")
{
    packed(t, f, L_F32, 213, ALTERNATE | NEG_ADDEND);
}
INSN(vfmsubadd213pd, "VEX.66.0F38.W1 A7 /r Vpd,Hpd,Wpd @FMA", "vfmsubadd213pd")
{
    packed(t, f, L_F64, 213, ALTERNATE | NEG_ADDEND);
}
INSN(vfmadd213ps, "VEX.66.0F38.W0 A8 /r Vps,Hps,Wps @FMA", "vfmadd213ps")
{
    packed(t, f, L_F32, 213, 0);
}
INSN(vfmadd213pd, "VEX.66.0F38.W1 A8 /r Vpd,Hpd,Wpd @FMA", "vfmadd213pd")
{
    packed(t, f, L_F64, 213, 0);
}
INSN(vfmadd213ss, "VEX.66.0F38.W0 A9 /r Vss,Hss,Wss @FMA", "vfmadd213ss")
{
    scalar(t, f, T_F32, 213, 0);
}
INSN(vfmadd213sd, "VEX.66.0F38.W1 A9 /r Vsd,Hsd,Wsd @FMA", "vfmadd213sd")
{
    scalar(t, f, T_F64, 213, 0);
}
INSN(vfmsub213ps, "VEX.66.0F38.W0 AA /r Vps,Hps,Wps @FMA", "vfmsub213ps")
{
    packed(t, f, L_F32, 213, NEG_ADDEND);
}
INSN(vfmsub213pd, "VEX.66.0F38.W1 AA /r Vpd,Hpd,Wpd @FMA", "vfmsub213pd")
{
    packed(t, f, L_F64, 213, NEG_ADDEND);
}
INSN(vfmsub213ss, "VEX.66.0F38.W0 AB /r Vss,Hss,Wss @FMA", "vfmsub213ss")
{
    scalar(t, f, T_F32, 213, NEG_ADDEND);
}
INSN(vfmsub213sd, "VEX.66.0F38.W1 AB /r Vsd,Hsd,Wsd @FMA", "vfmsub213sd")
{
    scalar(t, f, T_F64, 213, NEG_ADDEND);
}
INSN(vfnmadd213ps, "VEX.66.0F38.W0 AC /r Vps,Hps,Wps @FMA", "vfnmadd213ps")
{
    packed(t, f, L_F32, 213, NEG_PRODUCT);
}
INSN(vfnmadd213pd, "VEX.66.0F38.W1 AC /r Vpd,Hpd,Wpd @FMA", "vfnmadd213pd")
{
    packed(t, f, L_F64, 213, NEG_PRODUCT);
}
INSN(vfnmadd213ss, "VEX.66.0F38.W0 AD /r Vss,Hss,Wss @FMA", "vfnmadd213ss")
{
    scalar(t, f, T_F32, 213, NEG_PRODUCT);
}
INSN(vfnmadd213sd, "VEX.66.0F38.W1 AD /r Vsd,Hsd,Wsd @FMA", "vfnmadd213sd")
{
    scalar(t, f, T_F64, 213, NEG_PRODUCT);
}
INSN(vfnmsub213ps, "VEX.66.0F38.W0 AE /r Vps,Hps,Wps @FMA", "vfnmsub213ps")
{
    packed(t, f, L_F32, 213, NEG_PRODUCT | NEG_ADDEND);
}
INSN(vfnmsub213pd, "VEX.66.0F38.W1 AE /r Vpd,Hpd,Wpd @FMA", "vfnmsub213pd")
{
    packed(t, f, L_F64, 213, NEG_PRODUCT | NEG_ADDEND);
}
INSN(vfnmsub213ss, "VEX.66.0F38.W0 AF /r Vss,Hss,Wss @FMA", "vfnmsub213ss")
{
    scalar(t, f, T_F32, 213, NEG_PRODUCT | NEG_ADDEND);
}
INSN(vfnmsub213sd, "VEX.66.0F38.W1 AF /r Vsd,Hsd,Wsd @FMA", "vfnmsub213sd")
{
    scalar(t, f, T_F64, 213, NEG_PRODUCT | NEG_ADDEND);
}
INSN(vfmaddsub231ps, "VEX.66.0F38.W0 B6 /r Vps,Hps,Wps @FMA", "vfmaddsub231ps")
{
    packed(t, f, L_F32, 231, ALTERNATE);
}
INSN(vfmaddsub231pd, "VEX.66.0F38.W1 B6 /r Vpd,Hpd,Wpd @FMA", "vfmaddsub231pd")
{
    packed(t, f, L_F64, 231, ALTERNATE);
}
INSN(vfmsubadd231ps, "VEX.66.0F38.W0 B7 /r Vps,Hps,Wps @FMA", "vfmsubadd231ps")
{
    packed(t, f, L_F32, 231, ALTERNATE | NEG_ADDEND);
}
INSN(vfmsubadd231pd, "VEX.66.0F38.W1 B7 /r Vpd,Hpd,Wpd @FMA", "vfmsubadd231pd")
{
    packed(t, f, L_F64, 231, ALTERNATE | NEG_ADDEND);
}
INSN(vfmadd231ps, "VEX.66.0F38.W0 B8 /r Vps,Hps,Wps @FMA", "vfmadd231ps")
{
    packed(t, f, L_F32, 231, 0);
}
INSN(vfmadd231pd, "VEX.66.0F38.W1 B8 /r Vpd,Hpd,Wpd @FMA", "vfmadd231pd")
{
    packed(t, f, L_F64, 231, 0);
}
INSN(vfmadd231ss, "VEX.66.0F38.W0 B9 /r Vss,Hss,Wss @FMA", "vfmadd231ss")
{
    scalar(t, f, T_F32, 231, 0);
}
INSN(vfmadd231sd, "VEX.66.0F38.W1 B9 /r Vsd,Hsd,Wsd @FMA", "vfmadd231sd")
{
    scalar(t, f, T_F64, 231, 0);
}
INSN(vfmsub231ps, "VEX.66.0F38.W0 BA /r Vps,Hps,Wps @FMA", "vfmsub231ps")
{
    packed(t, f, L_F32, 231, NEG_ADDEND);
}
INSN(vfmsub231pd, "VEX.66.0F38.W1 BA /r Vpd,Hpd,Wpd @FMA", "vfmsub231pd")
{
    packed(t, f, L_F64, 231, NEG_ADDEND);
}
INSN(vfmsub231ss, "VEX.66.0F38.W0 BB /r Vss,Hss,Wss @FMA", "vfmsub231ss")
{
    scalar(t, f, T_F32, 231, NEG_ADDEND);
}
INSN(vfmsub231sd, "VEX.66.0F38.W1 BB /r Vsd,Hsd,Wsd @FMA", "vfmsub231sd")
{
    scalar(t, f, T_F64, 231, NEG_ADDEND);
}
INSN(vfnmadd231ps, "VEX.66.0F38.W0 BC /r Vps,Hps,Wps @FMA", "vfnmadd231ps")
{
    packed(t, f, L_F32, 231, NEG_PRODUCT);
}
INSN(vfnmadd231pd, "VEX.66.0F38.W1 BC /r Vpd,Hpd,Wpd @FMA", "vfnmadd231pd")
{
    packed(t, f, L_F64, 231, NEG_PRODUCT);
}
INSN(vfnmadd231ss, "VEX.66.0F38.W0 BD /r Vss,Hss,Wss @FMA", "vfnmadd231ss")
{
    scalar(t, f, T_F32, 231, NEG_PRODUCT);
}
INSN(vfnmadd231sd, "VEX.66.0F38.W1 BD /r Vsd,Hsd,Wsd @FMA", "vfnmadd231sd")
{
    scalar(t, f, T_F64, 231, NEG_PRODUCT);
}
INSN(vfnmsub231ps, "VEX.66.0F38.W0 BE /r Vps,Hps,Wps @FMA", "vfnmsub231ps")
{
    packed(t, f, L_F32, 231, NEG_PRODUCT | NEG_ADDEND);
}
INSN(vfnmsub231pd, "VEX.66.0F38.W1 BE /r Vpd,Hpd,Wpd @FMA", "vfnmsub231pd")
{
    packed(t, f, L_F64, 231, NEG_PRODUCT | NEG_ADDEND);
}
INSN(vfnmsub231ss, "VEX.66.0F38.W0 BF /r Vss,Hss,Wss @FMA", "vfnmsub231ss")
{
    scalar(t, f, T_F32, 231, NEG_PRODUCT | NEG_ADDEND);
}
INSN(vfnmsub231sd, "VEX.66.0F38.W1 BF /r Vsd,Hsd,Wsd @FMA", "vfnmsub231sd")
{
    scalar(t, f, T_F64, 231, NEG_PRODUCT | NEG_ADDEND);
}
