/*
 * vector.isa.c: V 1.0: configuration, loads and stores, moves between register files, and the helpers that all vector
 * instructions share (volume I, chapter 30). Arithmetic rows are in vector_int, vector_fp and vector_perm.
 *
 * vtype, vxrm, "vl = VLMAX" and "vstart = 0" are translation mode (riscv.h), so legality is decided and common cases become
 * 128-bit IR at translation; the rest calls one helper that runs the element loop of vop.def. VLEN is 128 by default;
 * other lengths always use helpers. Known gaps: none of V; the Zvk* and Zvb* extensions are absent.
 */
#include "ext.h"
#include "mem/mem.h"
#include "vector.h"

FMT(vd|vs1|vs2|vs3, v)
FMT(vm, vm)

/* -- modes ------------------------------------------------------------------------------------------------------ */
static uint32_t mode_bits(unsigned sew, int lmul, bool full)
{
    return MODE_V | (full ? MODE_VFULL : 0) | sew << MODE_VSEW_SHIFT | ((unsigned)lmul & 7) << MODE_VLMUL_SHIFT;
}

bool riscv_v_mode(struct xlat *t)
{
    if (t->mode & MODE_V) return true;
    /* This instruction again, in the mode that vtype and vl come to. */
    V mode = ir_ori(t, ir_get(t, R_VMODE), t->mode & ~(uint32_t)MODE_VALL);
    ir_put(t, R_MODE, mode);
    xl_stop_mode(t, mode);
    t->ind = ir_k(t, t->pc);
    return false;
}

bool riscv_v_begin(struct xlat *t, bool any_vstart)
{
    if (!riscv_v_mode(t)) return false;
    if ((t->mode & MODE_VILL) || (!any_vstart && (t->mode & MODE_VSTART))) {
        xl_illegal(t);
        return false;
    }
    return true;
}

void riscv_v_end(struct xlat *t)
{
    if (!(t->mode & MODE_VSTART)) return;
    t->mode &= ~(uint32_t)MODE_VSTART;
    ir_put(t, R_VSTART, ir_k(t, 0));
    ir_put(t, R_VMODE, ir_k32(t, t->mode & MODE_VALL));
    ir_put(t, R_MODE, ir_k32(t, t->mode));
    xl_stop(t);
}

/* -- vset{i}vl{i} ----------------------------------------------------------------------------------------------- */
/* The new mode is known but for whether vl reaches VLMAX; when that is known too and nothing changes, code goes on. */
static void set_vtype(struct xlat *t, F *f, V avl, uint64_t vtype)
{
    struct riscv_cpu probe = { .vlen = hart(t)->vlen, .rv32 = rv32(t), .exts = { hart(t)->exts[0], hart(t)->exts[1] } };
    uint64_t vlmax;
    uint32_t full_mode, part_mode;
    V vl, full, mode;

    riscv_set_vtype(&probe, vtype);
    vlmax = riscv_vlmax(&probe);
    ir_put(t, R_VTYPE, ir_k32(t, probe.vtype));
    ir_put(t, R_VILL, ir_k32(t, probe.vill));
    ir_put(t, R_VSTART, ir_k(t, 0));
    full = ir_cmpi(t, C_UGE, avl, vlmax);
    vl = probe.vill ? ir_k(t, 0) : ir_select(t, full, ir_k(t, vlmax), avl);
    ir_put(t, R_VL, vl);
    wx(t, f->rd, ir_trunc(t, xtype(t), vl));
    full_mode = probe.vill ? MODE_V | MODE_VILL : mode_bits(vtype >> 3 & 3, (int)(vtype & 7), true);
    part_mode = probe.vill ? full_mode : full_mode & ~(uint32_t)MODE_VFULL;
    mode = ir_select(t, full, ir_k32(t, full_mode), ir_k32(t, part_mode));
    /* vxrm stays as it is; scalar code does not know how it is */
    mode = ir_or(t, mode, t->mode & MODE_V ? ir_k32(t, t->mode & 3u << MODE_VXRM_SHIFT) :
                                             ir_shli(t, ir_get(t, R_VXRM), MODE_VXRM_SHIFT));
    ir_put(t, R_VMODE, mode);
    mode = ir_ori(t, mode, t->mode & ~(uint32_t)MODE_VALL);
    if (ir_is_k(t, mode) && ir_kval(t, mode) == t->mode) return;
    ir_put(t, R_MODE, mode);
    xl_stop_mode(t, mode);
}

/* AVL: rs1; all there is if only rd is given; the current vl if neither is. */
static V avl(struct xlat *t, F *f)
{
    return f->rs1 ? xaddr(t, f->rs1) : f->rd ? ir_k(t, ~0ull) : ir_get(t, R_VL);
}
INSN(vsetvli, "0 vtype:11 rs1:5 111 rd:5 1010111 @Zve32x", "vsetvli {rd},{rs1},{vtype:vtype}")
{
    set_vtype(t, f, avl(t, f), f->vtype);
}
INSN(vsetivli, "11 vtype:10 uimm:5 111 rd:5 1010111 @Zve32x", "vsetivli {rd},{uimm},{vtype:vtype}")
{
    set_vtype(t, f, ir_k(t, f->uimm), f->vtype);
}
HELPER(uint32_t, vsetvl, (CPU *cpu, uint64_t n, uint64_t vtype), "r=c w=c")
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    riscv_set_vtype(r, vtype);
    r->vl = MIN(n, riscv_vlmax(r));
    r->vstart = 0;
    r->vmode = riscv_vmode(r);
    return r->vmode;
}
INSN(vsetvl, "1000000 rs2:5 rs1:5 111 rd:5 1010111 @Zve32x", "vsetvl {rd},{rs1},{rs2}")
{
    V vtype = ir_sext(t, T_I64, x(t, f->rs2)); /* vill is the top bit of either width */
    V mode = ir_ori(t, IR_CALL(t, vsetvl, avl(t, f), vtype), t->mode & ~(uint32_t)MODE_VALL);
    wx(t, f->rd, ir_trunc(t, xtype(t), ir_get(t, R_VL)));
    ir_put(t, R_MODE, mode);
    xl_stop_mode(t, mode);
}

/* -- operands --------------------------------------------------------------------------------------------------- */
bool riscv_v_aligned(int reg, int emul)
{
    return emul >= -3 && emul <= 3 && !(emul > 0 && reg & ((1 << emul) - 1));
}
static int regs_of(int emul)
{
    return emul > 0 ? 1 << emul : 1;
}
/* Whether a destination group may overlap a source group; eew: log2 of bytes, -1 for masks. */
bool riscv_v_overlap_ok(int d, int d_emul, int d_eew, int s, int s_emul, int s_eew)
{
    int dn = regs_of(d_emul), sn = regs_of(s_emul);
    if (d + dn <= s || s + sn <= d || d_eew == s_eew) return true;
    if (d_eew < s_eew) return d == s;
    return s_emul >= 0 && s + sn == d + dn;
}
static bool disjoint(int d, int d_emul, int s, int s_emul)
{
    return d + regs_of(d_emul) <= s || s + regs_of(s_emul) <= d;
}

/* Operand: EEW (log2 of bytes, -1 = mask) and EMUL. */
struct opnd {
    int eew, emul;
};
static struct opnd opnd(struct xlat *t, int eew)
{
    return (struct opnd){ eew, eew < 0 ? 0 : v_lmul(t) + eew - (int)v_sew(t) };
}

/* FP formats that are there, for operands of SEW and, if wide, 2 * SEW. */
static bool fp_eew_ok(struct xlat *t, int eew, bool convert_only)
{
    const struct riscv_cpu *r = hart(t);
    switch (eew) {
    case 1: return riscv_has_ext(r, convert_only ? EXT_zvfhmin : EXT_zvfh);
    case 2: return riscv_has_ext(r, EXT_zve32f);
    case 3: return riscv_has_ext(r, EXT_zve64d);
    default: return false;
    }
}

static bool operands_ok(struct xlat *t, F *f, enum vshape shape, enum vsrc src, unsigned flags)
{
    int sew = (int)v_sew(t), d = (int)f->vd, a = (int)f->vs2, b = (int)f->vs1;
    bool masked = !v_unmasked(f) && !(flags & VF_CARRY), scalar_d = shape == SH_REDUCE || shape == SH_WREDUCE;
    struct opnd D = opnd(t, sew), A = D, B = D;

    switch (shape) {
    case SH_WIDE: D = opnd(t, sew + 1); break;
    case SH_WIDE2: D = A = opnd(t, sew + 1); break;
    case SH_NARROW: A = opnd(t, sew + 1); break;
    case SH_MASK: D = opnd(t, -1); break;
    case SH_EXT2: A = opnd(t, sew - 1); break;
    case SH_EXT4: A = opnd(t, sew - 2); break;
    case SH_EXT8: A = opnd(t, sew - 3); break;
    case SH_REDUCE: D = B = (struct opnd){ sew, 0 }; break;
    case SH_WREDUCE: D = B = (struct opnd){ sew + 1, 0 }; break;
    case SH_LOGIC: D = A = B = opnd(t, -1); break;
    case SH_PREFIX: D = A = opnd(t, -1); break;
    case SH_IOTA: A = opnd(t, -1); break;
    case SH_GATHER16: B = opnd(t, 1); break;
    case SH_COMPRESS: B = opnd(t, -1); break;
    default: break;
    }
    if (D.eew > 3 || A.eew > 3 || (shape >= SH_EXT2 && shape <= SH_EXT8 && A.eew < 0)) return false;
    if (!riscv_v_aligned(d, D.emul) || !riscv_v_aligned(a, A.emul)) return false;
    if (src == SRC_V && !riscv_v_aligned(b, B.emul)) return false;
    if (masked && d == 0 && D.eew >= 0 && !scalar_d) return false;
    if ((flags & VF_CARRY) && d == 0 && D.eew >= 0) return false;
    if (!scalar_d) {
        if (!riscv_v_overlap_ok(d, D.emul, D.eew, a, A.emul, A.eew)) return false;
        if (src == SRC_V && !riscv_v_overlap_ok(d, D.emul, D.eew, b, B.emul, B.eew)) return false;
    }
    if (shape == SH_PREFIX || shape == SH_IOTA || shape == SH_GATHER || shape == SH_GATHER16 || shape == SH_UP ||
        shape == SH_COMPRESS) {
        if (!disjoint(d, D.emul, a, A.emul)) return false;
        if (src == SRC_V && !disjoint(d, D.emul, b, B.emul)) return false;
        if (shape == SH_PREFIX && masked && d == 0) return false;
    }
    if (flags & VF_FP) {
        bool cvt = shape == SH_WIDE || shape == SH_NARROW;
        bool wide = cvt || shape == SH_WIDE2 || shape == SH_WREDUCE;
        if (!(flags & VF_FPINT) && !fp_eew_ok(t, sew, (flags & VF_CONVERT) != 0)) return false;
        if (wide && !((flags & VF_WIDEINT) || fp_eew_ok(t, sew + 1, false))) return false;
        if (t->mode & MODE_FRM_BAD) return false;
    }
    return true;
}

/* -- arithmetic ------------------------------------------------------------------------------------------------- */
static vfn *const loops[VOP_COUNT] = {
#define VOP(name) riscv_vop_##name,
#include "vop.def"
#undef VOP
};

/* Runs an element loop; insn is the instruction itself, where = bit 0: vs1 is a vector, bit 1: v0 is an operand. */
static void run(CPU *cpu, uint32_t op, uint32_t insn, uint64_t scalar, unsigned where)
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    struct vx c = {
        .r = r, .d = vreg(r, insn >> 7 & 31), .a = vreg(r, insn >> 20 & 31), .v0 = vreg(r, 0), .sew = r->vtype >> 3 & 3,
        .b = where & 1 ? vreg(r, insn >> 15 & 31) : (const uint8_t *)&c.scalar, .bs = where & 1,
        .vm = (insn >> 25 & 1) || (where & 2), .vl = r->vl, .vstart = r->vstart, .vlmax = riscv_vlmax(r), .scalar = scalar,
    };
    loops[op](&c);
    cpu->fp.flags |= c.flags;
}
HELPER(void, v_op, (CPU *cpu, uint32_t op, uint32_t insn, uint64_t scalar, uint32_t where), "r=vc w=vc")
{
    run(cpu, op, insn, scalar, where);
}
HELPER(void, v_fop, (CPU *cpu, uint32_t op, uint32_t insn, uint64_t scalar, uint32_t where), "fp r=vc w=vc")
{
    run(cpu, op, insn, scalar, where);
}

/* An FP scalar as the bits of SEW; narrower formats are checked for NaN-boxing. */
static V fscalar(struct xlat *t, unsigned r, unsigned sew)
{
    if (sew == 3) return ir_bitcast(t, T_I64, ir_get(t, R_F0 + r));
    if (sew == 2) return ir_zext(t, T_I64, ir_bitcast(t, T_I32, fr(t, T_F32, r)));
    return ir_zext(t, T_I64, ir_bitcast(t, T_I16, fr(t, T_F16, r)));
}
static V scalar_of(struct xlat *t, F *f, enum vsrc src)
{
    switch (src) {
    case SRC_X: return ir_sext(t, T_I64, x(t, f->rs1));
    case SRC_I: return ir_k(t, (uint64_t)f->simm);
    case SRC_U: return ir_k(t, (uint64_t)f->zimm);
    case SRC_F: return fscalar(t, f->rs1, v_sew(t));
    default: return ir_k(t, 0);
    }
}

void riscv_v(struct xlat *t, F *f, enum vop op, enum vshape shape, enum vsrc src, unsigned flags)
{
    bool any_vstart = shape != SH_REDUCE && shape != SH_WREDUCE && shape != SH_PREFIX && shape != SH_IOTA &&
                      shape != SH_COMPRESS;
    V scalar;

    if (!riscv_v_begin(t, any_vstart)) return;
    if (!operands_ok(t, f, shape, src, flags)) {
        xl_illegal(t);
        return;
    }
    scalar = scalar_of(t, f, src);
    /* An x register is an unsigned amount where it is an index or a distance. */
    if (src == SRC_X && (op == VOP_slideup || op == VOP_slidedown || op == VOP_rgather_s)) scalar = xaddr(t, f->rs1);
    if (v_fast(t) && riscv_v_inline(t, f, op, shape, src, scalar)) return;
    uint32_t where = (src == SRC_V ? 1 : 0) | (flags & VF_CARRY ? 2 : 0);
    V args[] = { ir_k32(t, op), ir_k32(t, f->raw), scalar, ir_k32(t, where) };
    ir_call(t, flags & VF_FP ? &riscv_hd_v_fop : &riscv_hd_v_op, args);
    riscv_v_end(t);
}

/* -- moves between register files, whole registers -------------------------------------------------------------- */
HELPER(uint64_t, v_get, (CPU *cpu, uint32_t reg, uint32_t sew), "r=vc")
{
    const uint8_t *p = vreg(riscv_cpu_rw(cpu), reg & 31);
    switch (sew) {
    case 0: return (uint64_t)*(const int8_t *)p;
    case 1: return (uint64_t)*(const int16_t *)p;
    case 2: return (uint64_t)*(const int32_t *)p;
    default: return *(const uint64_t *)p;
    }
}
/* Element 0, sign-extended. */
static V element0(struct xlat *t, unsigned reg, unsigned sew)
{
    if (hart(t)->vlen != 128) return IR_CALL(t, v_get, ir_k32(t, reg), ir_k32(t, sew));
    V v = ir_vget(t, T_I64, (enum ir_lane)(L_I8 + sew), ir_get(t, R_V0 + reg), 0);
    return ir_sbfx(t, v, 0, 8u << sew);
}
HELPER(void, v_set0, (CPU *cpu, uint32_t reg, uint32_t sew, uint64_t v), "r=vc w=v")
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    if (r->vstart < r->vl) memcpy(vreg(r, reg & 31), &v, 1u << (sew & 3));
}
/* Element 0 is written unless vstart >= vl; the others stay. */
static void set_element0(struct xlat *t, unsigned reg, unsigned sew, V v)
{
    if (v_fast(t)) {
        V old = ir_get(t, R_V0 + reg), new = ir_vins(t, (enum ir_lane)(L_I8 + sew), old, v, 0);
        if (!(t->mode & MODE_VFULL)) new = ir_select(t, ir_cmpi(t, C_EQ, ir_get(t, R_VL), 0), old, new);
        ir_put(t, R_V0 + reg, new);
    } else {
        V args[] = { ir_k32(t, reg), ir_k32(t, sew), v };
        ir_call(t, &riscv_hd_v_set0, args);
    }
    riscv_v_end(t);
}
static void vmv_x_s(struct xlat *t, F *f)
{
    if (!riscv_v_begin(t, true)) return;
    wx(t, f->rd, ir_trunc(t, xtype(t), element0(t, f->vs2, v_sew(t))));
    riscv_v_end(t);
}
static void vmv_s_x(struct xlat *t, F *f)
{
    if (riscv_v_begin(t, true)) set_element0(t, f->vd, v_sew(t), ir_sext(t, T_I64, x(t, f->rs1)));
}
static bool vfmv_ok(struct xlat *t)
{
    if (!riscv_v_begin(t, true)) return false;
    if (fp_eew_ok(t, (int)v_sew(t), false) && !(t->mode & MODE_FRM_BAD)) return true;
    xl_illegal(t);
    return false;
}
static void vfmv_f_s(struct xlat *t, F *f)
{
    if (!vfmv_ok(t)) return;
    V v = element0(t, f->vs2, v_sew(t));
    if (v_sew(t) < 3) v = ir_ori(t, v, ~bits_mask(8u << v_sew(t)));
    ir_put(t, R_F0 + f->rd, ir_bitcast(t, T_F64, v));
    riscv_v_end(t);
}
static void vfmv_s_f(struct xlat *t, F *f)
{
    if (vfmv_ok(t)) set_element0(t, f->vd, v_sew(t), fscalar(t, f->rs1, v_sew(t)));
}

HELPER(void, v_move, (CPU *cpu, uint32_t d, uint32_t s, uint32_t n), "r=vc w=v")
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    size_t skip = r->vstart << (r->vtype >> 3 & 3), all = n * (r->vlen / 8u);
    if (skip < all) memmove(vreg(r, d) + skip, vreg(r, s) + skip, all - skip);
}
static void vmv_r(struct xlat *t, F *f, unsigned n)
{
    if (!riscv_v_begin(t, true)) return;
    if ((f->vd | f->vs2) & (n - 1)) {
        xl_illegal(t);
        return;
    }
    if (v_fast(t)) {
        for (unsigned i = 0; i < n; i++) ir_put(t, R_V0 + f->vd + i, ir_get(t, R_V0 + f->vs2 + i));
        return;
    }
    V args[] = { ir_k32(t, f->vd), ir_k32(t, f->vs2), ir_k32(t, n) };
    ir_call(t, &riscv_hd_v_move, args);
    riscv_v_end(t);
}

HELPER(uint64_t, v_cpop, (CPU *cpu, uint32_t insn), "r=vc")
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    const uint8_t *a = vreg(r, insn >> 20 & 31), *v0 = vreg(r, 0);
    bool vm = insn >> 25 & 1;
    uint64_t n = 0;
    for (uint64_t i = 0; i < r->vl; i++) n += (vm || mask_bit(v0, i)) && mask_bit(a, i);
    return n;
}
HELPER(uint64_t, v_first, (CPU *cpu, uint32_t insn), "r=vc")
{
    struct riscv_cpu *r = riscv_cpu_rw(cpu);
    const uint8_t *a = vreg(r, insn >> 20 & 31), *v0 = vreg(r, 0);
    bool vm = insn >> 25 & 1;
    for (uint64_t i = 0; i < r->vl; i++)
        if ((vm || mask_bit(v0, i)) && mask_bit(a, i)) return i;
    return ~0ull;
}
static void v_scan(struct xlat *t, F *f, bool first)
{
    if (!riscv_v_begin(t, false)) return;
    V bits = riscv_v_mask_bits(t, f), insn = ir_k32(t, f->raw), r;
    if (!bits) r = ir_call(t, first ? &riscv_hd_v_first : &riscv_hd_v_cpop, &insn);
    else if (first) r = ir_select(t, ir_cmpi(t, C_EQ, bits, 0), ir_k(t, ~0ull), ir_ctz(t, bits));
    else r = ir_popcnt(t, bits);
    wx(t, f->rd, ir_trunc(t, xtype(t), r));
}

INSN(vfmv_s_f, "010000 1 00000 rs1:5 101 vd:5 1010111 @Zve32f", "vfmv.s.f {vd},{rs1:f}")
{
    vfmv_s_f(t, f);
}
INSN(vfmv_f_s, "010000 1 vs2:5 00000 001 rd:5 1010111 @Zve32f", "vfmv.f.s {rd:f},{vs2}")
{
    vfmv_f_s(t, f);
}
INSN(vmv1r_v, "100111 1 vs2:5 00000 011 vd:5 1010111 @Zve32x", "vmv1r.v {vd},{vs2}")
{
    vmv_r(t, f, 1);
}
INSN(vmv2r_v, "100111 1 vs2:5 00001 011 vd:5 1010111 @Zve32x", "vmv2r.v {vd},{vs2}")
{
    vmv_r(t, f, 2);
}
INSN(vmv4r_v, "100111 1 vs2:5 00011 011 vd:5 1010111 @Zve32x", "vmv4r.v {vd},{vs2}")
{
    vmv_r(t, f, 4);
}
INSN(vmv8r_v, "100111 1 vs2:5 00111 011 vd:5 1010111 @Zve32x", "vmv8r.v {vd},{vs2}")
{
    vmv_r(t, f, 8);
}
INSN(vmv_x_s, "010000 1 vs2:5 00000 010 rd:5 1010111 @Zve32x", "vmv.x.s {rd},{vs2}")
{
    vmv_x_s(t, f);
}
INSN(vcpop_m, "010000 vm:1 vs2:5 10000 010 rd:5 1010111 @Zve32x", "vcpop.m {rd},{vs2}{vm}")
{
    v_scan(t, f, false);
}
INSN(vfirst_m, "010000 vm:1 vs2:5 10001 010 rd:5 1010111 @Zve32x", "vfirst.m {rd},{vs2}{vm}")
{
    v_scan(t, f, true);
}
INSN(vmv_s_x, "010000 1 00000 rs1:5 110 vd:5 1010111 @Zve32x", "vmv.s.x {vd},{rs1}")
{
    vmv_s_x(t, f);
}
