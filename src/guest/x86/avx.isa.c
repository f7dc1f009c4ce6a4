/*
 * avx.isa.c: what AVX and AVX2 have without a legacy form: broadcasts, permutations, halves of YMM registers, masked moves, gathers.
 * Intel SDM volume 2. Known gaps: none.
 */
#include "vec.h"

/* -- the upper halves as such ---------------------------------------------------------------------------------------------------- */

INSN(vzeroupper, "VEX.L0.NP.0F 77 @AVX", "vzeroupper")
{
    for (unsigned i = 0; i < (code64(t) ? 16 : 8); i++) ir_put(t, R_YMMH + i, zero(t));
}
INSN(vzeroall, "VEX.L1.NP.0F 77 @AVX", "vzeroall")
{
    for (unsigned i = 0; i < (code64(t) ? 16 : 8); i++) ir_put(t, R_XMM + i, zero(t)), ir_put(t, R_YMMH + i, zero(t));
}

static void extract_half(struct xlat *t, F *f)
{
    struct vv a = vget(t, f, 1);
    vput_at(t, f, (struct vv){ { a.h[imm8(f) & 1] } }, ANYWHERE);
}
INSN(vextractf128, "VEX.L1.66.0F3A.W0 19 /r Wdq,Vqq,Ib @AVX", "vextractf128")
{
    extract_half(t, f);
}
INSN(vextracti128, "VEX.L1.66.0F3A.W0 39 /r Wdq,Vqq,Ib @AVX2", "vextracti128")
{
    extract_half(t, f);
}
static void insert_half(struct xlat *t, F *f)
{
    V b = vlow(t, f, 2);
    struct vv r = vget(t, f, 1);
    r.h[imm8(f) & 1] = b;
    vput(t, f, r);
}
INSN(vinsertf128, "VEX.L1.66.0F3A.W0 18 /r Vqq,Hqq,Wdq,Ib @AVX", "vinsertf128")
{
    insert_half(t, f);
}
INSN(vinserti128, "VEX.L1.66.0F3A.W0 38 /r Vqq,Hqq,Wdq,Ib @AVX2", "vinserti128")
{
    insert_half(t, f);
}
static void permute_halves(struct xlat *t, F *f)
{
    struct vv b = vget(t, f, 2), a = vget(t, f, 1), r;
    V from[4] = { a.h[0], a.h[1], b.h[0], b.h[1] };
    for (unsigned h = 0; h < 2; h++) {
        unsigned imm = imm8(f) >> h * 4;
        r.h[h] = imm & 8 ? zero(t) : from[imm & 3];
    }
    vput(t, f, r);
}
INSN(vperm2f128, "VEX.L1.66.0F3A.W0 06 /r Vqq,Hqq,Wqq,Ib @AVX", "vperm2f128")
{
    permute_halves(t, f);
}
INSN(vperm2i128, "VEX.L1.66.0F3A.W0 46 /r Vqq,Hqq,Wqq,Ib @AVX2", "vperm2i128")
{
    permute_halves(t, f);
}

/* -- broadcasts --------------------------------------------------------------------------------------------------------------------- */

static void broadcast(struct xlat *t, F *f, enum ir_type type, enum ir_lane lane)
{
    V v = ir_vdup(t, lane, vscalar(t, f, 1, type));
    vput(t, f, (struct vv){ { v, parts(f) == 2 ? v : 0 } });
}
INSN(vbroadcastss, "VEX.66.0F38.W0 18 /r mem Vps,Wss @AVX | VEX.66.0F38.W0 18 /r reg Vps,Wss @AVX2", "vbroadcastss")
{
    broadcast(t, f, T_I32, L_I32);
}
INSN(vbroadcastsd, "VEX.L1.66.0F38.W0 19 /r mem Vpd,Wsd @AVX | VEX.L1.66.0F38.W0 19 /r reg Vpd,Wsd @AVX2", "vbroadcastsd")
{
    broadcast(t, f, T_I64, L_I64);
}
INSN(vpbroadcastb, "VEX.66.0F38.W0 78 /r Vx,Wb @AVX2", "vpbroadcastb")
{
    broadcast(t, f, T_I8, L_I8);
}
INSN(vpbroadcastw, "VEX.66.0F38.W0 79 /r Vx,Ww @AVX2", "vpbroadcastw")
{
    broadcast(t, f, T_I16, L_I16);
}
INSN(vpbroadcastd, "VEX.66.0F38.W0 58 /r Vx,Wd @AVX2", "vpbroadcastd")
{
    broadcast(t, f, T_I32, L_I32);
}
INSN(vpbroadcastq, "VEX.66.0F38.W0 59 /r Vx,Wq @AVX2", "vpbroadcastq")
{
    broadcast(t, f, T_I64, L_I64);
}
static void broadcast_half(struct xlat *t, F *f)
{
    V v = vget_at(t, f, 1, ANYWHERE).h[0];
    vput(t, f, (struct vv){ { v, v } });
}
INSN(vbroadcastf128, "VEX.L1.66.0F38.W0 1A /r Vqq,Mdq @AVX", "vbroadcastf128")
{
    broadcast_half(t, f);
}
INSN(vbroadcasti128, "VEX.L1.66.0F38.W0 5A /r Vqq,Mdq @AVX2", "vbroadcasti128")
{
    broadcast_half(t, f);
}

/* -- permutations --------------------------------------------------------------------------------------------------------------------- */

/* Byte indices of doublewords whose numbers stand in the lanes of `index`. */
static V dword_bytes(struct xlat *t, V index)
{
    V lane = ir_v2(t, IR_VMUL, L_I32, index, ir_kv(t, 0x0404040404040404ull, 0x0404040404040404ull));
    return ir_v2(t, IR_VADD, L_I8, lane, ir_kv(t, 0x0302010003020100ull, 0x0302010003020100ull));
}
static V permilps_part(struct xlat *t, F *f, V a, V b)
{
    V index = ir_v2(t, IR_VAND, L_I64, b, ir_kv(t, 0x300000003ull, 0x300000003ull));
    return ir_v2(t, IR_VTBL, L_I8, a, dword_bytes(t, index));
}
static V permilps_imm_part(struct xlat *t, F *f, V a)
{
    return vshuffle_imm(t, a, 2, imm8(f));
}
INSN(vpermilps, "VEX.66.0F38.W0 0C /r Vps,Hps,Wps @AVX | VEX.66.0F3A.W0 04 /r Vps,Wps,Ib @AVX", "vpermilps")
{
    if (f->opcode == 0x0c) vmap2(t, f, permilps_part);
    else vmap1(t, f, permilps_imm_part);
}
static V permilpd_part(struct xlat *t, F *f, V a, V b)
{
    V high = ir_vcmp(t, C_NE, L_I64, ir_v2(t, IR_VAND, L_I64, b, ir_kv(t, 2, 2)), zero(t));
    return ir_v3(t, IR_VBSEL, L_I64, high, ir_v2(t, IR_VZIP2, L_I64, a, a), ir_v2(t, IR_VZIP1, L_I64, a, a));
}
INSN(vpermilpd, "VEX.66.0F38.W0 0D /r Vpd,Hpd,Wpd @AVX | VEX.66.0F3A.W0 05 /r Vpd,Wpd,Ib @AVX", "vpermilpd")
{
    if (f->opcode == 0x0d) {
        vmap2(t, f, permilpd_part);
        return;
    }
    struct vv a = vget(t, f, 1), r = { { 0 } };
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = vshuffle_imm(t, a.h[h], 3, imm8(f) >> h * 2);
    vput(t, f, r);
}
static void permute_dwords(struct xlat *t, F *f)
{
    struct vv a = vget(t, f, 2), index = vget(t, f, 1), r;
    V sixteen = ir_kv(t, 0x1010101010101010ull, 0x1010101010101010ull);
    for (unsigned h = 0; h < 2; h++) {
        V bytes = dword_bytes(t, ir_v2(t, IR_VAND, L_I64, index.h[h], ir_kv(t, 0x700000007ull, 0x700000007ull)));
        r.h[h] = ir_v2(t, IR_VOR, L_I64, ir_v2(t, IR_VTBL, L_I8, a.h[0], bytes),
                       ir_v2(t, IR_VTBL, L_I8, a.h[1], ir_v2(t, IR_VSUB, L_I8, bytes, sixteen)));
    }
    vput(t, f, r);
}
INSN(vpermd, "VEX.L1.66.0F38.W0 36 /r Vqq,Hqq,Wqq @AVX2", "vpermd")
{
    permute_dwords(t, f);
}
INSN(vpermps, "VEX.L1.66.0F38.W0 16 /r Vps,Hps,Wps @AVX2", "vpermps")
{
    permute_dwords(t, f);
}
static void permute_qwords(struct xlat *t, F *f)
{
    struct vv a = vget(t, f, 1), r;
    for (unsigned h = 0; h < 2; h++) {
        unsigned lo = imm8(f) >> h * 4 & 3, hi = imm8(f) >> (h * 4 + 2) & 3;
        V upper = ir_v2x(t, IR_VINSV, L_I64, a.h[hi / 2], a.h[hi / 2], 1, hi & 1);
        r.h[h] = ir_v2x(t, IR_VINSV, L_I64, upper, a.h[lo / 2], 0, lo & 1);
    }
    vput(t, f, r);
}
INSN(vpermq, "VEX.L1.66.0F3A.W1 00 /r Vqq,Wqq,Ib @AVX2", "vpermq")
{
    permute_qwords(t, f);
}
INSN(vpermpd, "VEX.L1.66.0F3A.W1 01 /r Vpd,Wpd,Ib @AVX2", "vpermpd")
{
    permute_qwords(t, f);
}

/* -- masked moves: elements whose mask's top bit is clear are neither read nor written -------------------------------------------------- */

static bool masked(const v128 *mask, unsigned log, unsigned i)
{
    return ((const uint8_t *)mask)[(i + 1) * (1u << log) - 1] & 0x80;
}
HELPER(v128, maskload, (CPU *cpu, uint64_t addr, v128 mask, uint32_t log), "fault")
{
    v128 r = { 0 };
    for (unsigned i = 0; i < 16u >> log; i++) {
        uint64_t v = masked(&mask, log, i) ? cpu_ld(cpu, addr + (i << log), log) : 0;
        memcpy((uint8_t *)&r + (i << log), &v, 1u << log);
    }
    return r;
}
HELPER(void, maskstore, (CPU *cpu, uint64_t addr, v128 mask, v128 data, uint32_t log), "fault")
{
    for (unsigned i = 0; i < 16u >> log; i++) {
        uint64_t v = 0;
        if (!masked(&mask, log, i)) continue;
        memcpy(&v, (const uint8_t *)&data + (i << log), 1u << log);
        cpu_st(cpu, addr + (i << log), v, log);
    }
}
static void masked_move(struct xlat *t, F *f, unsigned log)
{
    unsigned m = is_mem(f, 0) ? 0 : 2;
    struct vv mask = vget(t, f, 1), r = { { 0 } };
    V a = ea_value(t, x86_ea(t, f, &f->op[m])), k = ir_k32(t, log);

    if (m == 0) {
        struct vv data = vget(t, f, 2);
        for (unsigned h = 0; h < parts(f); h++) IR_CALL(t, maskstore, ir_addi(t, a, h * 16), mask.h[h], data.h[h], k);
        return;
    }
    for (unsigned h = 0; h < parts(f); h++) r.h[h] = IR_CALL(t, maskload, ir_addi(t, a, h * 16), mask.h[h], k);
    vput(t, f, r);
}
INSN(vmaskmovps, "VEX.66.0F38.W0 2C /r Vps,Hps,Mps @AVX | VEX.66.0F38.W0 2E /r Mps,Hps,Vps @AVX", "vmaskmovps")
{
    masked_move(t, f, 2);
}
INSN(vmaskmovpd, "VEX.66.0F38.W0 2D /r Vpd,Hpd,Mpd @AVX | VEX.66.0F38.W0 2F /r Mpd,Hpd,Vpd @AVX", "vmaskmovpd")
{
    masked_move(t, f, 3);
}
INSN(vpmaskmovd, "VEX.66.0F38.W0 8C /r Vx,Hx,Mx @AVX2 | VEX.66.0F38.W0 8E /r Mx,Hx,Vx @AVX2", "vpmaskmovd")
{
    masked_move(t, f, 2);
}
INSN(vpmaskmovq, "VEX.66.0F38.W1 8C /r Vx,Hx,Mx @AVX2 | VEX.66.0F38.W1 8E /r Mx,Hx,Vx @AVX2", "vpmaskmovq")
{
    masked_move(t, f, 3);
}

/* -- gathers ---------------------------------------------------------------------------------------------------------------------------- */

/* Byte i of a YMM register. */
static uint8_t *ymm_byte(struct x86_cpu *x, unsigned reg, unsigned i)
{
    return i < 16 ? (uint8_t *)&x->xmm[reg] + i : (uint8_t *)&x->ymmh[reg] + i - 16;
}
/* What a gather is, packed for the helper. */
struct gather {
    uint8_t dst, index, mask;
    uint8_t log, ilog, scale; /* of elements, indices; log2 of the scale */
    uint8_t n, as;            /* elements; address bits */
};
/*
 * Elements whose mask is set are loaded one after the other and their masks cleared, so that a fault leaves what was done;
 * in the end the mask is 0 and what lies above the result, too. base: linear; offsets wrap at as bits before.
 */
HELPER(void, gather, (CPU *cpu, uint64_t offset, uint64_t segbase, uint64_t how), "fault r=vec w=vec")
{
    struct x86_cpu *x = x86_cpu_rw(cpu);
    struct gather g;
    memcpy(&g, &how, 8);
    unsigned size = 1u << g.log;

    for (unsigned i = 0; i < g.n; i++) {
        if (*ymm_byte(x, g.mask, i * size + size - 1) & 0x80) {
            int32_t i32;
            int64_t index;
            if (g.ilog == 2) memcpy(&i32, ymm_byte(x, g.index, i * 4), 4), index = i32;
            else memcpy(&index, ymm_byte(x, g.index, i * 8), 8);
            uint64_t a = offset + ((uint64_t)index << g.scale);
            if (g.as == 32) a = segbase + (uint32_t)a;
            else a += segbase;
            uint64_t v = cpu_ld(cpu, a, g.log);
            memcpy(ymm_byte(x, g.dst, i * size), &v, size);
        }
        memset(ymm_byte(x, g.mask, i * size), 0, size);
    }
    for (unsigned i = g.n * size; i < 32; i++) *ymm_byte(x, g.dst, i) = *ymm_byte(x, g.mask, i) = 0;
}
static void gather(struct xlat *t, F *f, unsigned log, unsigned ilog)
{
    struct x86_fields at = *f;
    struct gather g = { .dst = f->op[0].reg, .index = f->index, .mask = f->op[2].reg, .log = (uint8_t)log, .ilog = (uint8_t)ilog,
                        .scale = f->scale, .as = f->asize };
    uint64_t how;
    int64_t disp;

    if (g.dst == g.index || g.dst == g.mask || g.index == g.mask) {
        xl_illegal(t);
        return;
    }
    g.n = (uint8_t)((16u << (f->L & 1)) >> MAX(log, ilog));
    at.index = REG_NONE;
    V offset = x86_offset(t, &at, &disp);
    memcpy(&how, &g, 8);
    IR_CALL(t, gather, ir_addi(t, offset, (uint64_t)disp), x86_linear(t, ir_k(t, 0), f->mem_seg), ir_k(t, how));
}
INSN(vpgatherdd, "VEX.66.0F38.W0 90 /r vsib Vx,Md,Hx @AVX2", "vpgatherdd")
{
    gather(t, f, 2, 2);
}
INSN(vpgatherqd, "VEX.66.0F38.W0 91 /r vsib Vdq,Md,Hdq @AVX2", "vpgatherqd")
{
    gather(t, f, 2, 3);
}
INSN(vgatherdps, "VEX.66.0F38.W0 92 /r vsib Vps,Md,Hps @AVX2", "vgatherdps")
{
    gather(t, f, 2, 2);
}
INSN(vgatherqps, "VEX.66.0F38.W0 93 /r vsib Vdq,Md,Hdq @AVX2", "vgatherqps")
{
    gather(t, f, 2, 3);
}
INSN(vpgatherdq, "VEX.66.0F38.W1 90 /r vsib Vx,Mq,Hx @AVX2", "vpgatherdq")
{
    gather(t, f, 3, 2);
}
INSN(vpgatherqq, "VEX.66.0F38.W1 91 /r vsib Vx,Mq,Hx @AVX2", "vpgatherqq")
{
    gather(t, f, 3, 3);
}
INSN(vgatherdpd, "VEX.66.0F38.W1 92 /r vsib Vpd,Mq,Hpd @AVX2", "vgatherdpd")
{
    gather(t, f, 3, 2);
}
INSN(vgatherqpd, "VEX.66.0F38.W1 93 /r vsib Vpd,Mq,Hpd @AVX2", "vgatherqpd")
{
    gather(t, f, 3, 3);
}
