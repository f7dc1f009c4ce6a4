/* vec.c: vector operands of x86 instruction bodies (vec.h). */
#include "vec.h"

/* How an access of a part is to be done, before the first of them: what the operand has to be aligned to is checked. */
static unsigned part_mo(struct xlat *t, F *f, const struct x86_op *op, struct ea m, enum aligned al)
{
    if (al == ANYWHERE || (al == LEGACY_ALIGNED && is_vex(f))) return MO_128;
    if (op->bits > 128) fault_if(t, ir_cmpi(t, C_NE, ir_andi(t, ea_value(t, m), op->bits / 8 - 1u), 0), VEC_GP);
    return MO_128 | MO_ALIGN;
}

struct vv vget_at(struct xlat *t, F *f, unsigned i, enum aligned al)
{
    const struct x86_op *op = &f->op[i];
    struct vv r = { { 0 } };

    if (op->kind == OP_VEC) {
        r.h[0] = ir_get(t, R_XMM + op->reg);
        if (op->bits == 256) r.h[1] = ir_get(t, R_YMMH + op->reg);
    } else if (op->bits < 128) {
        r.h[0] = ir_vfrom(t, ld(t, type_of(op->bits), x86_ea(t, f, op)));
    } else {
        struct ea m = x86_ea(t, f, op);
        unsigned mo = part_mo(t, f, op, m, al);
        r.h[0] = ir_ld(t, T_V128, m.a, m.disp, mo);
        if (op->bits == 256) r.h[1] = ir_ld(t, T_V128, m.a, m.disp + 16, mo);
    }
    return r;
}

V vscalar(struct xlat *t, F *f, unsigned i, enum ir_type type)
{
    const struct x86_op *op = &f->op[i];
    static const uint8_t lanes[T_COUNT] = { [T_I8] = L_I8, [T_I16] = L_I16, [T_I32] = L_I32, [T_I64] = L_I64,
                                            [T_F32] = L_F32, [T_F64] = L_F64 };

    if (op->kind == OP_VEC) return ir_vget(t, type, (enum ir_lane)lanes[type], ir_get(t, R_XMM + op->reg), 0);
    struct ea m = x86_ea(t, f, op);
    return ir_ld(t, type, m.a, m.disp, type == T_I8 ? MO_8 : type == T_I16 ? MO_16 : type == T_I32 || type == T_F32 ? MO_32 : MO_64);
}

void vput_at(struct xlat *t, F *f, struct vv r, enum aligned al)
{
    const struct x86_op *op = &f->op[0];

    if (op->kind == OP_VEC) {
        ir_put(t, R_XMM + op->reg, r.h[0]);
        if (is_vex(f)) ir_put(t, R_YMMH + op->reg, r.h[1] ? r.h[1] : zero(t));
        return;
    }
    struct ea m = x86_ea(t, f, op);
    if (op->bits < 128) {
        enum ir_type type = type_of(op->bits);
        st(t, m, ir_vget(t, type, type == T_I8 ? L_I8 : type == T_I16 ? L_I16 : type == T_I32 ? L_I32 : L_I64, r.h[0], 0));
        return;
    }
    unsigned mo = part_mo(t, f, op, m, al);
    if (r.h[1]) ir_probe(t, ea_value(t, m), 32, true); /* all of it is written, or nothing */
    ir_st(t, m.a, m.disp, r.h[0], mo);
    if (r.h[1]) ir_st(t, m.a, m.disp + 16, r.h[1], mo);
}

void vput_scalar(struct xlat *t, F *f, enum ir_lane lane, V r)
{
    vput1(t, f, ir_vins(t, lane, vlow(t, f, first(f)), r, 0));
}

void vmap2(struct xlat *t, F *f, vfn2 *fn)
{
    struct vv b = vget(t, f, second(f)), a = vget(t, f, first(f)), r = { { 0 } };
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = fn(t, f, a.h[h], b.h[h]);
    vput(t, f, r);
}

void vmap1(struct xlat *t, F *f, vfn1 *fn)
{
    struct vv a = vget(t, f, 1), r = { { 0 } };
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = fn(t, f, a.h[h]);
    vput(t, f, r);
}

void vop2(struct xlat *t, F *f, enum ir_op op, enum ir_lane lane)
{
    struct vv b = vget(t, f, second(f)), a = vget(t, f, first(f)), r = { { 0 } };
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = ir_v2(t, op, lane, a.h[h], b.h[h]);
    vput(t, f, r);
}

void vop1(struct xlat *t, F *f, enum ir_op op, enum ir_lane lane)
{
    struct vv a = vget(t, f, 1), r = { { 0 } };
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = ir_v1(t, op, lane, a.h[h]);
    vput(t, f, r);
}

V vfp_begin(struct xlat *t)
{
    if (!(t->mode & MODE_XM)) return 0;
    V before = ir_fenvrd(t);
    ir_fenvwr(t, ir_k32(t, 0));
    return before;
}

void vfp_check(struct xlat *t, V flags_before)
{
    if (!flags_before) return;
    /* MXCSR's masks (IM DM ZM OM UM PM from bit 7 on) in the order of FPF_* */
    V m = ir_shri(t, ir_get(t, R_MXCTL), 7);
    V masked = ir_or(t, ir_or(t, ir_andi(t, m, 1), ir_andi(t, ir_shri(t, m, 1), 0x1e)), ir_andi(t, ir_shli(t, m, 4), 0x20));
    V raised = ir_fenvrd(t);
    ir_fenvwr(t, ir_or(t, raised, flags_before));
    fault_if(t, ir_cmpi(t, C_NE, ir_and(t, raised, ir_not(t, masked)), 0), VEC_XM);
}

V vshuffle(struct xlat *t, V a, V b, const uint8_t sel[16])
{
    uint8_t from_a[16], from_b[16];
    bool any_a = false, any_b = false;
    uint64_t w[2];

    for (unsigned i = 0; i < 16; i++) {
        bool second_one = sel[i] & 16;
        from_a[i] = second_one ? 0x80 : sel[i] & 15;
        from_b[i] = second_one ? sel[i] & 15 : 0x80;
        any_a |= !second_one;
        any_b |= second_one;
    }
    V ra = 0, rb = 0;
    if (any_a) memcpy(w, from_a, 16), ra = ir_v2(t, IR_VTBL, L_I8, a, ir_kv(t, w[0], w[1]));
    if (any_b) memcpy(w, from_b, 16), rb = ir_v2(t, IR_VTBL, L_I8, b, ir_kv(t, w[0], w[1]));
    return !ra ? rb : !rb ? ra : ir_v2(t, IR_VOR, L_I64, ra, rb);
}

V vshuffle_imm(struct xlat *t, V a, unsigned log, unsigned imm)
{
    unsigned n = 16u >> log, bits = n == 2 ? 1 : 2;
    uint8_t sel[16];

    for (unsigned i = 0; i < n; i++)
        for (unsigned j = 0; j < 1u << log; j++)
            sel[(i << log) + j] = (uint8_t)(((imm >> i * bits & ((1u << bits) - 1)) << log) + j);
    return vshuffle(t, a, a, sel);
}
