/*
 * a64_ldst_fp.isa.c: AArch64 loads and stores of SIMD&FP registers: single, pair, literal, structures (DDI 0487 C4.1.94).
 * Known gaps: none.
 */
#include "xl.h"

/* -- single registers of 1 << scale bytes; B and H have no FP type for memory, so they go through an integer --------------- */
static void st(struct xlat *t, F *f, unsigned scale, V base, int64_t off)
{
    store(t, base, off, scale == 4 ? vr(t, f->rt) : velem(t, f->rt, scale, 0), scale);
}
static V ld_value(struct xlat *t, unsigned scale, V base, int64_t off)
{
    static const uint8_t type[] = { T_I8, T_I16, T_I32, T_I64, T_V128 };
    V v = load(t, (enum ir_type)type[scale], base, off, scale);
    return scale == 4 ? v : ir_vfrom(t, v);
}
static void ld(struct xlat *t, F *f, unsigned scale, V base, int64_t off)
{
    wv(t, f->rt, ld_value(t, scale, base, off));
}
static void wback(struct xlat *t, F *f, V base, int64_t off)
{
    wxsp(t, f->rn, ir_addi(t, base, (uint64_t)off));
}

/* -- unsigned offset -------------------------------------------------------------------------------------------------- */
INSN(strf_u, "size:2 111101 00 imm12:12 rn:5 rt:5", "str {rt:fpsz}, [{rn:xsp}{imm12:uoff}]")
{
    st(t, f, (unsigned)f->size, xsp(t, f->rn), f->imm12 << f->size);
}
INSN(ldrf_u, "size:2 111101 01 imm12:12 rn:5 rt:5", "ldr {rt:fpsz}, [{rn:xsp}{imm12:uoff}]")
{
    ld(t, f, (unsigned)f->size, xsp(t, f->rn), f->imm12 << f->size);
}
INSN(strq_u, "00 111101 10 imm12:12 rn:5 rt:5", "str {rt:q}, [{rn:xsp}{imm12:uoff16}]")
{
    st(t, f, 4, xsp(t, f->rn), f->imm12 << 4);
}
INSN(ldrq_u, "00 111101 11 imm12:12 rn:5 rt:5", "ldr {rt:q}, [{rn:xsp}{imm12:uoff16}]")
{
    ld(t, f, 4, xsp(t, f->rn), f->imm12 << 4);
}
/* -- unscaled --------------------------------------------------------------------------------------------------------- */
INSN(strf_ur, "size:2 111100 00 0 imm9:s9 00 rn:5 rt:5", "stur {rt:fpsz}, [{rn:xsp}{imm9}]")
{
    st(t, f, (unsigned)f->size, xsp(t, f->rn), f->imm9);
}
INSN(ldrf_ur, "size:2 111100 01 0 imm9:s9 00 rn:5 rt:5", "ldur {rt:fpsz}, [{rn:xsp}{imm9}]")
{
    ld(t, f, (unsigned)f->size, xsp(t, f->rn), f->imm9);
}
INSN(strq_ur, "00 111100 10 0 imm9:s9 00 rn:5 rt:5", "stur {rt:q}, [{rn:xsp}{imm9}]")
{
    st(t, f, 4, xsp(t, f->rn), f->imm9);
}
INSN(ldrq_ur, "00 111100 11 0 imm9:s9 00 rn:5 rt:5", "ldur {rt:q}, [{rn:xsp}{imm9}]")
{
    ld(t, f, 4, xsp(t, f->rn), f->imm9);
}
/* -- post-indexed ----------------------------------------------------------------------------------------------------- */
INSN(strf_post, "size:2 111100 00 0 imm9:s9 01 rn:5 rt:5", "str {rt:fpsz}, [{rn:xsp}], #{imm9:d}")
{
    V b = xsp(t, f->rn);
    st(t, f, (unsigned)f->size, b, 0);
    wback(t, f, b, f->imm9);
}
INSN(ldrf_post, "size:2 111100 01 0 imm9:s9 01 rn:5 rt:5", "ldr {rt:fpsz}, [{rn:xsp}], #{imm9:d}")
{
    V b = xsp(t, f->rn);
    ld(t, f, (unsigned)f->size, b, 0);
    wback(t, f, b, f->imm9);
}
INSN(strq_post, "00 111100 10 0 imm9:s9 01 rn:5 rt:5", "str {rt:q}, [{rn:xsp}], #{imm9:d}")
{
    V b = xsp(t, f->rn);
    st(t, f, 4, b, 0);
    wback(t, f, b, f->imm9);
}
INSN(ldrq_post, "00 111100 11 0 imm9:s9 01 rn:5 rt:5", "ldr {rt:q}, [{rn:xsp}], #{imm9:d}")
{
    V b = xsp(t, f->rn);
    ld(t, f, 4, b, 0);
    wback(t, f, b, f->imm9);
}
/* -- pre-indexed ------------------------------------------------------------------------------------------------------ */
INSN(strf_pre, "size:2 111100 00 0 imm9:s9 11 rn:5 rt:5", "str {rt:fpsz}, [{rn:xsp}, #{imm9:d}]!")
{
    V b = xsp(t, f->rn);
    st(t, f, (unsigned)f->size, b, f->imm9);
    wback(t, f, b, f->imm9);
}
INSN(ldrf_pre, "size:2 111100 01 0 imm9:s9 11 rn:5 rt:5", "ldr {rt:fpsz}, [{rn:xsp}, #{imm9:d}]!")
{
    V b = xsp(t, f->rn);
    ld(t, f, (unsigned)f->size, b, f->imm9);
    wback(t, f, b, f->imm9);
}
INSN(strq_pre, "00 111100 10 0 imm9:s9 11 rn:5 rt:5", "str {rt:q}, [{rn:xsp}, #{imm9:d}]!")
{
    V b = xsp(t, f->rn);
    st(t, f, 4, b, f->imm9);
    wback(t, f, b, f->imm9);
}
INSN(ldrq_pre, "00 111100 11 0 imm9:s9 11 rn:5 rt:5", "ldr {rt:q}, [{rn:xsp}, #{imm9:d}]!")
{
    V b = xsp(t, f->rn);
    ld(t, f, 4, b, f->imm9);
    wback(t, f, b, f->imm9);
}
/* -- register offset -------------------------------------------------------------------------------------------------- */
INSN(strf_ro, "size:2 111100 00 1 rm:5 option:3 s:1 10 rn:5 rt:5 option!=0,1,4,5", "str {rt:fpsz}, [{rn:xsp}, {rm:extro}{s:extidx}]")
{
    st(t, f, (unsigned)f->size, arm_reg_offset(t, f, (unsigned)f->size), 0);
}
INSN(ldrf_ro, "size:2 111100 01 1 rm:5 option:3 s:1 10 rn:5 rt:5 option!=0,1,4,5", "ldr {rt:fpsz}, [{rn:xsp}, {rm:extro}{s:extidx}]")
{
    ld(t, f, (unsigned)f->size, arm_reg_offset(t, f, (unsigned)f->size), 0);
}
INSN(strq_ro, "00 111100 10 1 rm:5 option:3 s:1 10 rn:5 rt:5 option!=0,1,4,5", "str {rt:q}, [{rn:xsp}, {rm:extro}{s:extidx16}]")
{
    st(t, f, 4, arm_reg_offset(t, f, 4), 0);
}
INSN(ldrq_ro, "00 111100 11 1 rm:5 option:3 s:1 10 rn:5 rt:5 option!=0,1,4,5", "ldr {rt:q}, [{rn:xsp}, {rm:extro}{s:extidx16}]")
{
    ld(t, f, 4, arm_reg_offset(t, f, 4), 0);
}

/* -- literal ------------------------------------------------------------------------------------------------------------- */
INSN(ldrf_lit, "opc:2 011100 lit[s20:2] rt:5 opc!=3", "ldr {rt:sdq}, {lit@pc}")
{
    ld(t, f, 2 + (unsigned)f->opc, ir_k(t, t->pc + (uint64_t)f->lit), 0);
}

/* -- pairs --------------------------------------------------------------------------------------------------------------- */
static void stp(struct xlat *t, F *f, V base, int64_t off)
{
    unsigned scale = 2 + (unsigned)f->opc;
    V a = scale == 4 ? vr(t, f->rt) : velem(t, f->rt, scale, 0), b = scale == 4 ? vr(t, f->rt2) : velem(t, f->rt2, scale, 0);
    store(t, base, off, a, scale);
    store(t, base, off + (1 << scale), b, scale);
}
static void ldp(struct xlat *t, F *f, V base, int64_t off)
{
    unsigned scale = 2 + (unsigned)f->opc;
    V a = ld_value(t, scale, base, off), b = ld_value(t, scale, base, off + (1 << scale));
    wv(t, f->rt, a);
    wv(t, f->rt2, b);
}
INSN(stpf_n, "opc:2 101 1 0 00 0 imm7:s7 rt2:5 rn:5 rt:5 opc!=3", "stnp {rt:sdq}, {rt2:sdq}, [{rn:xsp}{imm7:poffs}]")
{
    stp(t, f, xsp(t, f->rn), f->imm7 * (4 << f->opc));
}
INSN(ldpf_n, "opc:2 101 1 0 00 1 imm7:s7 rt2:5 rn:5 rt:5 opc!=3", "ldnp {rt:sdq}, {rt2:sdq}, [{rn:xsp}{imm7:poffs}]")
{
    ldp(t, f, xsp(t, f->rn), f->imm7 * (4 << f->opc));
}
INSN(stpf_post, "opc:2 101 1 0 01 0 imm7:s7 rt2:5 rn:5 rt:5 opc!=3", "stp {rt:sdq}, {rt2:sdq}, [{rn:xsp}], #{imm7:poffsd}")
{
    V b = xsp(t, f->rn);
    stp(t, f, b, 0);
    wback(t, f, b, f->imm7 * (4 << f->opc));
}
INSN(ldpf_post, "opc:2 101 1 0 01 1 imm7:s7 rt2:5 rn:5 rt:5 opc!=3", "ldp {rt:sdq}, {rt2:sdq}, [{rn:xsp}], #{imm7:poffsd}")
{
    V b = xsp(t, f->rn);
    ldp(t, f, b, 0);
    wback(t, f, b, f->imm7 * (4 << f->opc));
}
INSN(stpf_off, "opc:2 101 1 0 10 0 imm7:s7 rt2:5 rn:5 rt:5 opc!=3", "stp {rt:sdq}, {rt2:sdq}, [{rn:xsp}{imm7:poffs}]")
{
    stp(t, f, xsp(t, f->rn), f->imm7 * (4 << f->opc));
}
INSN(ldpf_off, "opc:2 101 1 0 10 1 imm7:s7 rt2:5 rn:5 rt:5 opc!=3", "ldp {rt:sdq}, {rt2:sdq}, [{rn:xsp}{imm7:poffs}]")
{
    ldp(t, f, xsp(t, f->rn), f->imm7 * (4 << f->opc));
}
INSN(stpf_pre, "opc:2 101 1 0 11 0 imm7:s7 rt2:5 rn:5 rt:5 opc!=3", "stp {rt:sdq}, {rt2:sdq}, [{rn:xsp}, #{imm7:poffsd}]!")
{
    V b = xsp(t, f->rn);
    stp(t, f, b, f->imm7 * (4 << f->opc));
    wback(t, f, b, f->imm7 * (4 << f->opc));
}
INSN(ldpf_pre, "opc:2 101 1 0 11 1 imm7:s7 rt2:5 rn:5 rt:5 opc!=3", "ldp {rt:sdq}, {rt2:sdq}, [{rn:xsp}, #{imm7:poffsd}]!")
{
    V b = xsp(t, f->rn);
    ldp(t, f, b, f->imm7 * (4 << f->opc));
    wback(t, f, b, f->imm7 * (4 << f->opc));
}

/* -- multiple structures: LD1-4, ST1-4 -------------------------------------------------------------------------------------- */
struct layout {
    uint8_t regs, elems; /* registers in all; elements of a structure */
};
static const struct layout multiple[16] = {
    [0] = { 4, 4 }, [2] = { 4, 1 }, [4] = { 3, 3 }, [6] = { 3, 1 }, [7] = { 1, 1 }, [8] = { 2, 2 }, [10] = { 2, 1 },
};
/* Registers in memory order; false if unallocated. */
bool arm_multiple(int64_t q, int64_t opcode, int64_t size, int64_t *out)
{
    struct layout l = multiple[opcode];
    *out = l.regs;
    return l.regs && (q || size != 3 || l.elems == 1);
}
/* Three-element structures: byte i of output o comes from byte src of input in. One table look-up per input. */
static V pick3(struct xlat *t, const V in[3], const uint8_t *from)
{
    V res = 0;
    for (unsigned j = 0; j < 3; j++) {
        union vlanes idx;
        bool any = false;
        for (unsigned i = 0; i < 16; i++) {
            bool here = from[i] / 16 == j;
            idx.u8[i] = here ? from[i] % 16 : 0xff;
            any |= here;
        }
        if (!any) continue;
        V part = ir_v2(t, IR_VTBL, L_I8, in[j], ir_kv(t, idx.u64[0], idx.u64[1]));
        res = res ? ir_v2(t, IR_VOR, L_I8, res, part) : part;
    }
    return res;
}
static void deinterleave(struct xlat *t, V v[4], unsigned n, unsigned size, unsigned bytes)
{
    enum ir_lane lane = (enum ir_lane)(L_I8 + size);
    V in[4];

    memcpy(in, v, sizeof in);
    if (n == 2) {
        v[0] = ir_v2(t, IR_VUZP1, lane, in[0], in[1]);
        v[1] = ir_v2(t, IR_VUZP2, lane, in[0], in[1]);
    } else if (n == 4) {
        V e0 = ir_v2(t, IR_VUZP1, lane, in[0], in[1]), e1 = ir_v2(t, IR_VUZP1, lane, in[2], in[3]);
        V o0 = ir_v2(t, IR_VUZP2, lane, in[0], in[1]), o1 = ir_v2(t, IR_VUZP2, lane, in[2], in[3]);
        v[0] = ir_v2(t, IR_VUZP1, lane, e0, e1);
        v[1] = ir_v2(t, IR_VUZP1, lane, o0, o1);
        v[2] = ir_v2(t, IR_VUZP2, lane, e0, e1);
        v[3] = ir_v2(t, IR_VUZP2, lane, o0, o1);
    } else {
        for (unsigned o = 0; o < 3; o++) {
            uint8_t from[16];
            for (unsigned i = 0; i < 16; i++) {
                unsigned at = (((i % bytes) >> size) * 3 + o) << size | (i & ((1u << size) - 1)); /* in memory */
                from[i] = (uint8_t)(at / bytes * 16 + at % bytes);
            }
            v[o] = pick3(t, in, from);
        }
    }
}
static void interleave(struct xlat *t, V v[4], unsigned n, unsigned size, unsigned bytes)
{
    enum ir_lane lane = (enum ir_lane)(L_I8 + size);
    V in[4];

    memcpy(in, v, sizeof in);
    if (n == 2) {
        v[0] = ir_v2(t, IR_VZIP1, lane, in[0], in[1]);
        v[1] = ir_v2(t, IR_VZIP2, lane, in[0], in[1]);
    } else if (n == 4) {
        V a0 = ir_v2(t, IR_VZIP1, lane, in[0], in[2]), a1 = ir_v2(t, IR_VZIP2, lane, in[0], in[2]);
        V b0 = ir_v2(t, IR_VZIP1, lane, in[1], in[3]), b1 = ir_v2(t, IR_VZIP2, lane, in[1], in[3]);
        v[0] = ir_v2(t, IR_VZIP1, lane, a0, b0);
        v[1] = ir_v2(t, IR_VZIP2, lane, a0, b0);
        v[2] = ir_v2(t, IR_VZIP1, lane, a1, b1);
        v[3] = ir_v2(t, IR_VZIP2, lane, a1, b1);
    } else {
        for (unsigned o = 0; o < 3; o++) {
            uint8_t from[16];
            for (unsigned i = 0; i < 16; i++) {
                unsigned at = o * bytes + i % bytes, el = at >> size;
                from[i] = (uint8_t)(el % 3 * 16 + (el / 3 << size | (at & ((1u << size) - 1))));
            }
            v[o] = pick3(t, in, from);
        }
    }
}
/* Q = 0: memory holds 8 bytes of each register. Two and four elements are done as one or two full vectors. */
static void ldst_multiple(struct xlat *t, F *f, bool is_load)
{
    struct layout l = multiple[f->opcode];
    unsigned bytes = f->q ? 16 : 8, size = (unsigned)f->size, n = l.regs;
    bool full = f->q || l.elems == 2 || l.elems == 4;   /* memory is moved in whole vectors */
    unsigned step = full ? 16 : 8, pieces = n * bytes / step;
    V b = xsp(t, f->rn), v[4] = { 0 };

    if (is_load) {
        for (unsigned i = 0; i < pieces; i++) v[i] = ld_value(t, full ? 4 : 3, b, i * step);
        if (l.elems > 1) {
            for (unsigned i = pieces; i < n; i++) v[i] = ir_kv(t, 0, 0);
            if (pieces < n && n == 4) { /* two vectors: even and odd elements twice */
                enum ir_lane lane = (enum ir_lane)(L_I8 + size);
                V e = ir_v2(t, IR_VUZP1, lane, v[0], v[1]), o = ir_v2(t, IR_VUZP2, lane, v[0], v[1]);
                v[0] = ir_v2(t, IR_VUZP1, lane, e, e);
                v[1] = ir_v2(t, IR_VUZP1, lane, o, o);
                v[2] = ir_v2(t, IR_VUZP2, lane, e, e);
                v[3] = ir_v2(t, IR_VUZP2, lane, o, o);
            } else {
                if (pieces < n && n == 2) v[1] = v[0];
                deinterleave(t, v, n, size, bytes);
            }
        }
        for (unsigned i = 0; i < n; i++) wvq(t, f->q, (f->rt + i) & 31, v[i]);
    } else {
        for (unsigned i = 0; i < n; i++) v[i] = vr(t, (f->rt + i) & 31);
        if (l.elems > 1) interleave(t, v, n, size, bytes);
        if (!f->q && n == 4 && l.elems == 4) { /* low halves of the inputs came out in v[0] and v[1] */
            store(t, b, 0, v[0], 4);
            store(t, b, 16, v[1], 4);
        } else {
            for (unsigned i = 0; i < pieces; i++)
                store(t, b, i * step, full ? v[i] : ir_vget(t, T_I64, L_I64, v[i], 0), full ? 4 : 3);
        }
    }
}
static void post(struct xlat *t, F *f, unsigned bytes)
{
    V off = f->rm == 31 ? ir_k(t, bytes) : x(t, f->rm);
    wxsp(t, f->rn, ir_add(t, xsp(t, f->rn), off));
}
INSN(st_multi, "0 q:1 0011000 0 000000 opcode:4 size:2 rn:5 rt:5 regs=multiple(q,opcode,size)",
     "st{opcode:structs} {rt:vlist}, [{rn:xsp}]")
{
    ldst_multiple(t, f, false);
}
INSN(st_multi_post, "0 q:1 0011001 0 0 rm:5 opcode:4 size:2 rn:5 rt:5 regs=multiple(q,opcode,size)",
     "st{opcode:structs} {rt:vlist}, [{rn:xsp}], {rm:vpost}")
{
    ldst_multiple(t, f, false);
    post(t, f, (unsigned)f->regs * (f->q ? 16 : 8));
}
INSN(ld_multi, "0 q:1 0011000 1 000000 opcode:4 size:2 rn:5 rt:5 regs=multiple(q,opcode,size)",
     "ld{opcode:structs} {rt:vlist}, [{rn:xsp}]")
{
    ldst_multiple(t, f, true);
}
INSN(ld_multi_post, "0 q:1 0011001 1 0 rm:5 opcode:4 size:2 rn:5 rt:5 regs=multiple(q,opcode,size)",
     "ld{opcode:structs} {rt:vlist}, [{rn:xsp}], {rm:vpost}")
{
    ldst_multiple(t, f, true);
    post(t, f, (unsigned)f->regs * (f->q ? 16 : 8));
}

/* -- single structures, to or from one lane, or replicated -------------------------------------------------------------------- */
/* The lane: Q:S:size without the bits that choose the element size (opcode<2:1>; 2 with size<0> = 1 is 64 bits). */
bool arm_lane(int64_t q, int64_t opc, int64_t s, int64_t size, int64_t *out)
{
    unsigned qs = (unsigned)(q << 3 | s << 2 | size);
    switch (opc) {
    case 0: *out = qs; return true;
    case 1: *out = qs >> 1; return !(size & 1);
    default: *out = size & 1 ? qs >> 3 : qs >> 2; return size == 0 || (size == 1 && !s);
    }
}
static unsigned lane_scale(F *f)
{
    return f->opc == 2 ? 2 + (unsigned)f->size : (unsigned)f->opc;
}
static unsigned elems(F *f)
{
    return (unsigned)(f->many << 1 | f->pair) + 1;
}
static void ldst_lane(struct xlat *t, F *f, bool is_load)
{
    static const uint8_t type[] = { T_I8, T_I16, T_I32, T_I64 };
    unsigned scale = lane_scale(f), n = elems(f);
    V b = xsp(t, f->rn), v[4];

    for (unsigned i = 0; i < n; i++) {
        unsigned reg = (f->rt + i) & 31;
        if (is_load)
            v[i] = load(t, (enum ir_type)type[scale], b, i << scale, scale);
        else
            store(t, b, i << scale, velem(t, reg, scale, (unsigned)f->lane), scale);
    }
    for (unsigned i = 0; is_load && i < n; i++) {
        unsigned reg = (f->rt + i) & 31;
        wv(t, reg, ir_vins(t, (enum ir_lane)(L_I8 + scale), vr(t, reg), v[i], (unsigned)f->lane));
    }
}
static void ld_replicate(struct xlat *t, F *f)
{
    static const uint8_t type[] = { T_I8, T_I16, T_I32, T_I64 };
    unsigned scale = (unsigned)f->size, n = elems(f);
    V b = xsp(t, f->rn), v[4];

    for (unsigned i = 0; i < n; i++) v[i] = load(t, (enum ir_type)type[scale], b, i << scale, scale);
    for (unsigned i = 0; i < n; i++)
        wvq(t, f->q, (f->rt + i) & 31, ir_vdup(t, (enum ir_lane)(L_I8 + scale), v[i]));
}
INSN(st_lane, "0 q:1 0011010 0 pair:1 00000 opc:2 many:1 s:1 size:2 rn:5 rt:5 opc!=3 lane=lane(q,opc,s,size)",
     "st{many:elems} {rt:vlane}[{lane}], [{rn:xsp}]")
{
    ldst_lane(t, f, false);
}
INSN(st_lane_post, "0 q:1 0011011 0 pair:1 rm:5 opc:2 many:1 s:1 size:2 rn:5 rt:5 opc!=3 lane=lane(q,opc,s,size)",
     "st{many:elems} {rt:vlane}[{lane}], [{rn:xsp}], {rm:lpost}")
{
    ldst_lane(t, f, false);
    post(t, f, elems(f) << lane_scale(f));
}
INSN(ld_lane, "0 q:1 0011010 1 pair:1 00000 opc:2 many:1 s:1 size:2 rn:5 rt:5 opc!=3 lane=lane(q,opc,s,size)",
     "ld{many:elems} {rt:vlane}[{lane}], [{rn:xsp}]")
{
    ldst_lane(t, f, true);
}
INSN(ld_lane_post, "0 q:1 0011011 1 pair:1 rm:5 opc:2 many:1 s:1 size:2 rn:5 rt:5 opc!=3 lane=lane(q,opc,s,size)",
     "ld{many:elems} {rt:vlane}[{lane}], [{rn:xsp}], {rm:lpost}")
{
    ldst_lane(t, f, true);
    post(t, f, elems(f) << lane_scale(f));
}
INSN(ld_rep, "0 q:1 0011010 1 pair:1 00000 11 many:1 0 size:2 rn:5 rt:5", "ld{many:elems}r {rt:vrep}, [{rn:xsp}]")
{
    ld_replicate(t, f);
}
INSN(ld_rep_post, "0 q:1 0011011 1 pair:1 rm:5 11 many:1 0 size:2 rn:5 rt:5", "ld{many:elems}r {rt:vrep}, [{rn:xsp}], {rm:rpost}")
{
    ld_replicate(t, f);
    post(t, f, elems(f) << f->size);
}
