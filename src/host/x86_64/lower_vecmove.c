/*
 * lower_vecmove.c: vector operations that move data between lanes, change lane width, go to or come from scalars,
 * reduce; carry-less product and AES.
 */
#include "host/x86_64/lower_sse.h"
#include "host/x86_64/priv.h"

static struct opnd low_halves(struct gen *g, unsigned lg) /* of lanes of width 16 << lg */
{
    return pool2(g, lg == 0 ? 0x00ff00ff00ff00ff : 0x0000ffff0000ffff);
}

/* d = the 32-bit lane 0 (64-bit: 8 bytes) of a, the rest zero */
static void low_only(struct gen *g, unsigned bytes, unsigned d, unsigned a)
{
    if (bytes == 8) {
        v2(g, X_MOVQ, d, a);
    } else if (bytes == 4) {
        v3i(g, X_INSERTPS, d, a, a, 0x0e);
    } else {
        unsigned t = tmp_xmm(g);
        vzero(g, t);
        v3i(g, X_PBLENDW, d, t, a, 1);
    }
}

static void dup_lane0(struct gen *g, unsigned lg, unsigned d, unsigned a)
{
    static const uint32_t bcast[] = { X_VPBROADCASTB, X_VPBROADCASTW, X_VPBROADCASTD, X_VPBROADCASTQ };

    if (x86.avx2) {
        v2(g, bcast[lg], d, a);
    } else if (lg == 0) {
        unsigned t = tmp_xmm(g);
        vzero(g, t);
        v3(g, X_PSHUFB, d, a, t);
    } else if (lg == 1) {
        v2i(g, X_PSHUFLW, d, a, 0);
        v3(g, X_PUNPCKLQDQ, d, d, d);
    } else {
        v2i(g, X_PSHUFD, d, a, lg == 2 ? 0 : 0x44);
    }
}

static void dup(struct gen *g, V v, const struct ir_ins *in)
{
    static const uint32_t from_gpr[] = { X_VPBROADCASTB_R, X_VPBROADCASTW_R, X_VPBROADCASTD_R, X_VPBROADCASTQ_R };
    unsigned lg = lane_log[in->sub], a = use_r(g, in->a), d = def_r(g, v);

    if (type_is_xmm(type_of(g, in->a))) {
        dup_lane0(g, lg, d, a);
    } else if (has_avx512()) {
        v2(g, from_gpr[lg], d, a);
    } else {
        a_movq_xr(g, lg == 3 ? 64 : 32, d, a);
        dup_lane0(g, lg, d, d);
    }
}

static void from_scalar(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned type = type_of(g, in->a), bits = ir_type_bits[type], a = use_r(g, in->a);

    if (type_is_xmm(type)) {
        low_only(g, bits / 8, def_r(g, v), a);
        return;
    }
    if (bits == 8 || bits == 16) {
        unsigned t = tmp_gpr(g);
        a_load(g, bits, t, o_reg(a));
        a = t;
    }
    a_movq_xr(g, bits == 64 ? 64 : 32, def_r(g, v), a);
}

static void get(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned lg = lane_log[in->sub], x = in->x & ((16u >> lg) - 1);

    if (type_is_xmm(in->type)) {
        if (x == 0) {
            def_copy(g, v, in->a);
            return;
        }
        unsigned a = use_r(g, in->a), d = def_r(g, v);
        if (lg == 3) v3(g, X_PUNPCKHQDQ, d, a, a);
        else if (lg == 2) v2i(g, X_PSHUFD, d, a, x);
        else vsh(g, X_SHIFTQ_I, XS_SRLDQ, d, a, 2 * x);
        return;
    }
    unsigned a = use_r(g, in->a), d = def_r(g, v);
    switch (lg) {
    case 0: v2i(g, X_PEXTRB, a, d, x); break; /* the destination is the r/m operand */
    case 1: v2i(g, X_PEXTRW, d, a, x); break;
    case 2:
        if (x) v2i(g, X_PEXTRD, a, d, x);
        else a_movq_rx(g, 32, d, a);
        break;
    default:
        if (x) v2i(g, X_PEXTRQ, a, d, x);
        else a_movq_rx(g, 64, d, a);
    }
}

static void insert_gpr(struct gen *g, unsigned lg, unsigned d, unsigned a, unsigned r, unsigned x)
{
    static const uint32_t op[] = { X_PINSRB, X_PINSRW, X_PINSRD, X_PINSRQ };
    v3i(g, op[lg], d, a, r, x);
}

/* d = a with lane x replaced by b's lane y. d may be a or b. */
static void insert_lane(struct gen *g, unsigned lg, unsigned d, unsigned a, unsigned b, unsigned x, unsigned y)
{
    if (lg == 3) {
        if (x == y) v3i(g, X_PBLENDW, d, a, b, x ? 0xf0 : 0x0f);
        else if (x) v3(g, X_PUNPCKLQDQ, d, a, b);
        else v3i(g, X_SHUFPD, d, b, a, 3);
    } else if (lg == 2) {
        if (x == y) v3i(g, X_PBLENDW, d, a, b, 3u << 2 * x);
        else v3i(g, X_INSERTPS, d, a, b, y << 6 | x << 4);
    } else if (lg == 1 && x == y) {
        v3i(g, X_PBLENDW, d, a, b, 1u << x);
    } else {
        unsigned t = tmp_gpr(g);
        if (lg) v2i(g, X_PEXTRW, t, b, y);
        else v2i(g, X_PEXTRB, b, t, y);
        insert_gpr(g, lg, d, a, t, x);
    }
}

static void insert(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned lg = lane_log[in->sub], x = in->x & ((16u >> lg) - 1), a = use_r(g, in->a), b = use_r(g, in->b);

    if (in->op == IR_VINSV) insert_lane(g, lg, def_r(g, v), a, b, x, in->y & ((16u >> lg) - 1));
    else if (type_is_xmm(type_of(g, in->b))) insert_lane(g, lg, def_r(g, v), a, b, x, 0);
    else insert_gpr(g, lg, def_r(g, v), a, b, x);
}

/* d = even (odd) lanes of a, then of b; 8 and 16 bits. Even lanes are also what a narrowing to them keeps. */
static void unzip(struct gen *g, unsigned lg, bool odd, unsigned d, unsigned a, unsigned b)
{
    unsigned t = tmp_xmm(g), u = tmp_xmm(g);

    if (odd) {
        vsh(g, lg ? X_SHIFTD_I : X_SHIFTW_I, XS_SRL, t, a, 8u << lg);
        vsh(g, lg ? X_SHIFTD_I : X_SHIFTW_I, XS_SRL, u, b, 8u << lg);
    } else {
        v3m(g, X_PAND, t, a, low_halves(g, lg));
        v3m(g, X_PAND, u, b, low_halves(g, lg));
    }
    v3(g, lg ? X_PACKUSDW : X_PACKUSWB, d, t, u);
}

static void unzip_any(struct gen *g, V v, const struct ir_ins *in, unsigned lg, bool odd)
{
    unsigned a = use_r(g, in->a), b = use_r(g, in->b);

    if (lg == 2) v3i(g, X_SHUFPS, def_r(g, v), a, b, odd ? 0xdd : 0x88);
    else unzip(g, lg, odd, def_r(g, v), a, b);
}

static void transpose(struct gen *g, V v, const struct ir_ins *in)
{
    bool odd = in->op == IR_VTRN2;
    unsigned lg = lane_log[in->sub], a = use_r(g, in->a), b = use_r(g, in->b), t = tmp_xmm(g);

    if (lg == 2) {
        v2(g, odd ? X_MOVSHDUP : X_MOVSLDUP, t, odd ? a : b);
        v3i(g, X_PBLENDW, def_r(g, v), odd ? t : a, odd ? b : t, 0xcc);
    } else if (lg == 1) {
        vsh(g, X_SHIFTD_I, odd ? XS_SRL : XS_SLL, t, odd ? a : b, 16);
        v3i(g, X_PBLENDW, def_r(g, v), odd ? t : a, odd ? b : t, 0xaa);
    } else {
        unsigned u = tmp_xmm(g);
        vsh(g, X_SHIFTW_I, odd ? XS_SRL : XS_SLL, t, odd ? a : b, 8);
        v3m(g, X_PAND, u, odd ? b : a, pool2(g, odd ? 0xff00ff00ff00ff00 : 0x00ff00ff00ff00ff));
        v3(g, X_POR, def_r(g, v), t, u);
    }
}

static void table(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned a = use_r(g, in->a);

    if (ins_of(g, in->b)->op == IR_KV) { /* pshufb wants bit 7 in what gives zero */
        union vlanes k = g->ir->kv[ins_of(g, in->b)->x];
        for (unsigned i = 0; i < 16; i++)
            if (k.u8[i] > 15) k.u8[i] = 0x80;
        v3m(g, X_PSHUFB, def_r(g, v), a, pool(g, k.u64[0], k.u64[1]));
        return;
    }
    unsigned b = use_r(g, in->b), t = tmp_xmm(g);
    v3m(g, X_PADDUSB, t, b, pool2(g, 0x7070707070707070));
    v3(g, X_PSHUFB, def_r(g, v), a, t);
}

static void widen(struct gen *g, V v, const struct ir_ins *in)
{
    static const uint32_t op[2][3] = { { X_PMOVZXBW, X_PMOVZXWD, X_PMOVZXDQ }, { X_PMOVSXBW, X_PMOVSXWD, X_PMOVSXDQ } };
    unsigned lg = lane_log[in->sub], a = use_r(g, in->a);

    if (in->x) {
        unsigned t = tmp_xmm(g);
        v2i(g, X_PSHUFD, t, a, 0xee);
        a = t;
    }
    v2(g, op[in->op == IR_VSXTL][lg], def_r(g, v), a);
}

/* Saturating narrowing that packs does not have: from unsigned, and 64 to 32 bits. */
static bool narrow(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned lg = lane_log[in->sub];

    if (lg == 2 && !has_avx512()) return false;
    unsigned a = use_r(g, in->a), b = use_r(g, in->b), t = tmp_xmm(g), u = tmp_xmm(g), d = def_new(g, v);
    if (lg < 2) {
        unsigned min = lg ? X_PMINUD : X_PMINUW;
        v3m(g, min, t, a, low_halves(g, lg));
        v3m(g, min, u, b, low_halves(g, lg));
        v3(g, lg ? X_PACKUSDW : X_PACKUSWB, d, t, u);
        return true;
    }
    if (in->op == IR_VNARSU) {
        vzero(g, d);
        v3(g, X_VPMAXSQ, t, a, d);
        v3(g, X_VPMAXSQ, u, b, d);
        a = t, b = u;
    }
    unsigned op = in->op == IR_VNARSS ? X_VPMOVSQD : X_VPMOVUSQD;
    v2(g, op, a, t); /* the destination is the r/m operand */
    v2(g, op, b, u);
    v3(g, X_PUNPCKLQDQ, d, t, u);
    return true;
}

static void pair_add(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned lg = lane_log[in->sub], a = use_r(g, in->a), b = use_r(g, in->b);

    if (lg == 0) { /* sums of even and odd bytes end up in the low byte of each word */
        unsigned t = tmp_xmm(g), u = tmp_xmm(g), d = def_new(g, v);
        vsh(g, X_SHIFTW_I, XS_SRL, t, a, 8);
        v3(g, X_PADDB, t, t, a);
        vsh(g, X_SHIFTW_I, XS_SRL, u, b, 8);
        v3(g, X_PADDB, u, u, b);
        v3m(g, X_PAND, t, t, low_halves(g, 0));
        v3m(g, X_PAND, u, u, low_halves(g, 0));
        v3(g, X_PACKUSWB, d, t, u);
    } else {
        unsigned t = tmp_xmm(g), d = def_new(g, v);
        v3(g, X_PUNPCKLQDQ, t, a, b);
        v3(g, X_PUNPCKHQDQ, d, a, b);
        v3(g, X_PADDQ, d, d, t);
    }
}

/* t = t op its upper half, down to lane 0; lanes of 1 << from bytes and wider are folded until `to` is left */
static void fold(struct gen *g, unsigned op, unsigned lg, unsigned t, unsigned u)
{
    v2i(g, X_PSHUFD, u, t, 0x4e);
    v3(g, op, t, t, u);
    if (lg < 3) {
        v2i(g, X_PSHUFD, u, t, 0xb1);
        v3(g, op, t, t, u);
    }
    if (lg < 2) {
        vsh(g, X_SHIFTD_I, XS_SRL, u, t, 16);
        v3(g, op, t, t, u);
    }
    if (lg < 1) {
        vsh(g, X_SHIFTW_I, XS_SRL, u, t, 8);
        v3(g, op, t, t, u);
    }
}

static void reduce_add(struct gen *g, V v, const struct ir_ins *in, unsigned lg, bool sign)
{
    unsigned a = use_r(g, in->a), t = tmp_xmm(g), u = tmp_xmm(g), d;
    bool wide = in->type == T_I64;

    switch (lg) {
    case 0:
        vzero(g, u);
        if (sign) { /* biased by 128 a byte */
            v3m(g, X_PXOR, t, a, pool2(g, 0x8080808080808080));
            v3(g, X_PSADBW, t, t, u);
        } else {
            v3(g, X_PSADBW, t, a, u);
        }
        fold(g, X_PADDQ, 3, t, u);
        d = def_r(g, v);
        a_movq_rx(g, 64, d, t);
        if (sign) a_alui(g, ALU_SUB, wide ? 64 : 32, o_reg(d), 16 * 128);
        return;
    case 1:
        if (sign) { /* pairs of words times one */
            v3m(g, X_PMADDWD, t, a, pool2(g, 0x0001000100010001));
        } else {
            vsh(g, X_SHIFTD_I, XS_SRL, u, a, 16);
            v3m(g, X_PAND, t, a, low_halves(g, 1));
            v3(g, X_PADDD, t, t, u);
        }
        fold(g, X_PADDD, 2, t, u);
        break;
    case 2:
        if (wide) {
            v2i(g, X_PSHUFD, u, a, 0xee);
            v2(g, sign ? X_PMOVSXDQ : X_PMOVZXDQ, t, a);
            v2(g, sign ? X_PMOVSXDQ : X_PMOVZXDQ, u, u);
            v3(g, X_PADDQ, t, t, u);
            fold(g, X_PADDQ, 3, t, u);
            lg = 3;
        } else {
            a_movaps(g, t, a);
            fold(g, X_PADDD, 2, t, u);
        }
        break;
    default:
        a_movaps(g, t, a);
        fold(g, X_PADDQ, 3, t, u);
    }
    d = def_r(g, v);
    a_movq_rx(g, lg == 3 ? 64 : 32, d, t);
    if (lg == 1 && sign && wide) a_loads(g, 32, 64, d, o_reg(d));
}

static bool reduce(struct gen *g, V v, const struct ir_ins *in)
{
    static const uint16_t ops[] = {
        [VRED_MINS] = IR_VMINS, [VRED_MAXS] = IR_VMAXS, [VRED_MINU] = IR_VMINU, [VRED_MAXU] = IR_VMAXU
    };
    unsigned lg = lane_log[in->sub], op;

    if (in->mo == VRED_ADDU || in->mo == VRED_ADDS) {
        reduce_add(g, v, in, lg, in->mo == VRED_ADDS);
        return true;
    }
    op = vec_op(ops[in->mo], lg);
    if (!op) return false;
    unsigned a = use_r(g, in->a), t = tmp_xmm(g), u = tmp_xmm(g), d = def_r(g, v);
    bool sign = in->mo == VRED_MINS || in->mo == VRED_MAXS;
    a_movaps(g, t, a);
    fold(g, op, lg, t, u);
    a_movq_rx(g, lg == 3 ? 64 : 32, d, t);
    if (sign && lg < 3) {
        if (lg < 2 || in->type == T_I64) a_loads(g, 8u << lg, ir_type_bits[in->type], d, o_reg(d));
    } else if (lg < 2) {
        a_load(g, 8u << lg, d, o_reg(d));
    }
    return true;
}

static void mask_bits(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned lg = lane_log[in->sub], a = use_r(g, in->a);

    if (lg == 1) {
        unsigned t = tmp_xmm(g), u = tmp_xmm(g);
        vzero(g, u);
        v3(g, X_PACKSSWB, t, a, u);
        a = t;
    }
    v2(g, lg == 3 ? X_MOVMSKPD : lg == 2 ? X_MOVMSKPS : X_PMOVMSKB, def_r(g, v), a);
}

static bool clmul(struct gen *g, V v, const struct ir_ins *in)
{
    if (!x86.pclmul) return false;
    unsigned a = use_r(g, in->a), b = use_r(g, in->b);
    v3i(g, X_PCLMULQDQ, def_r(g, v), a, b, (in->x & 1) | (in->y & 1) << 4);
    return true;
}

/* AESE/AESD add the key first, x86's last round after; MixColumns alone is a round around an inverse last round. */
static bool aes(struct gen *g, V v, const struct ir_ins *in)
{
    if (!x86.aes) return false;
    if (is_deferred(g, in->a) && (in->op == IR_VAESMC || in->op == IR_VAESIMC)) { /* AESE, AESD and mixing: one round */
        const struct ir_ins *e = ins_of(g, g->val[in->a].root);
        unsigned x = use_r(g, e->a), k = use_r(g, e->b), t = tmp_xmm(g), zero = tmp_xmm(g);
        vzero(g, zero);
        v3(g, X_PXOR, t, x, k);
        v3(g, in->op == IR_VAESMC ? X_AESENC : X_AESDEC, def_r(g, v), t, zero);
        return true;
    }
    unsigned a = use_r(g, in->a);
    if (in->op == IR_VAESIMC) {
        v2(g, X_AESIMC, def_r(g, v), a);
        return true;
    }
    unsigned b = in->op == IR_VAESMC ? a : use_r(g, in->b), t = tmp_xmm(g), z = tmp_xmm(g);
    vzero(g, z);
    if (in->op == IR_VAESMC) {
        v3(g, X_AESDECLAST, t, a, z);
        v3(g, X_AESENC, def_r(g, v), t, z);
        return true;
    }
    v3(g, X_PXOR, t, a, b);
    v3(g, in->op == IR_VAESE ? X_AESENCLAST : X_AESDECLAST, def_r(g, v), t, z);
    return true;
}

bool lower_vec_move(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned lg = lane_log[in->sub];

    switch (in->op) {
    case IR_VDUP: dup(g, v, in); return true;
    case IR_VFROM: from_scalar(g, v, in); return true;
    case IR_VZEXT: {
        unsigned a = use_r(g, in->a);
        low_only(g, in->x, def_r(g, v), a);
        return true;
    }
    case IR_VGET: get(g, v, in); return true;
    case IR_VINS: case IR_VINSV: insert(g, v, in); return true;
    case IR_VUZP1: case IR_VUZP2: unzip_any(g, v, in, lg, in->op == IR_VUZP2); return true;
    case IR_VNARROW: unzip_any(g, v, in, lg, false); return true;
    case IR_VTRN1: case IR_VTRN2: transpose(g, v, in); return true;
    case IR_VALIGN: {
        unsigned a = use_r(g, in->a), b = use_r(g, in->b);
        v3i(g, X_PALIGNR, def_r(g, v), b, a, in->x);
        return true;
    }
    case IR_VTBL: table(g, v, in); return true;
    case IR_VSXTL: case IR_VUXTL: widen(g, v, in); return true;
    case IR_VNARSS: case IR_VNARSU: case IR_VNARUU: return narrow(g, v, in);
    case IR_VPADD: pair_add(g, v, in); return true;
    case IR_VRED: return reduce(g, v, in);
    case IR_VMSK: mask_bits(g, v, in); return true;
    case IR_VCLMUL: return clmul(g, v, in);
    case IR_VAESE: case IR_VAESD: case IR_VAESMC: case IR_VAESIMC: return aes(g, v, in);
    default: return false;
    }
}
