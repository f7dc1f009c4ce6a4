/*
 * lower_vec.c: integer vector operations that work lane by lane, on SSE4.1, AVX/AVX2 and AVX-512 (VL, BW, DQ; BITALG,
 * GFNI). A table has the instruction per lane width where there is one; the rest are short sequences. What the host's
 * level makes long is left to gen_slow: 64-bit high products; per-lane shifts below AVX2 (bytes: below AVX-512);
 * 64-bit order without SSE4.2. Register need: at most three scratch registers beside operands and result.
 */
#include "host/x86_64/lower_sse.h"

const uint8_t lane_log[] = { 0, 1, 2, 3, 1, 2, 3 };

bool has_avx512(void)
{
    return x86.avx512vl && x86.avx512bw && x86.avx512dq;
}

/* Operations that are one instruction: by lane; 0 = none. */
static const uint32_t simple[IR_OPS][4] = {
    [IR_VADD] = { X_PADDB, X_PADDW, X_PADDD, X_PADDQ },
    [IR_VSUB] = { X_PSUBB, X_PSUBW, X_PSUBD, X_PSUBQ },
    [IR_VMUL] = { 0, X_PMULLW, X_PMULLD, X_VPMULLQ },
    [IR_VMULHS] = { 0, X_PMULHW, 0, 0 },
    [IR_VMULHU] = { 0, X_PMULHUW, 0, 0 },
    [IR_VAND] = { X_PAND, X_PAND, X_PAND, X_PAND },
    [IR_VOR] = { X_POR, X_POR, X_POR, X_POR },
    [IR_VXOR] = { X_PXOR, X_PXOR, X_PXOR, X_PXOR },
    [IR_VMINS] = { X_PMINSB, X_PMINSW, X_PMINSD, X_VPMINSQ },
    [IR_VMINU] = { X_PMINUB, X_PMINUW, X_PMINUD, X_VPMINUQ },
    [IR_VMAXS] = { X_PMAXSB, X_PMAXSW, X_PMAXSD, X_VPMAXSQ },
    [IR_VMAXU] = { X_PMAXUB, X_PMAXUW, X_PMAXUD, X_VPMAXUQ },
    [IR_VAVGU] = { X_PAVGB, X_PAVGW, 0, 0 },
    [IR_VADDSS] = { X_PADDSB, X_PADDSW, 0, 0 },
    [IR_VADDUS] = { X_PADDUSB, X_PADDUSW, 0, 0 },
    [IR_VSUBSS] = { X_PSUBSB, X_PSUBSW, 0, 0 },
    [IR_VSUBUS] = { X_PSUBUSB, X_PSUBUSW, 0, 0 },
    [IR_VZIP1] = { X_PUNPCKLBW, X_PUNPCKLWD, X_PUNPCKLDQ, X_PUNPCKLQDQ },
    [IR_VZIP2] = { X_PUNPCKHBW, X_PUNPCKHWD, X_PUNPCKHDQ, X_PUNPCKHQDQ },
    [IR_VUZP1] = { 0, 0, 0, X_PUNPCKLQDQ },
    [IR_VUZP2] = { 0, 0, 0, X_PUNPCKHQDQ },
    [IR_VTRN1] = { 0, 0, 0, X_PUNPCKLQDQ },
    [IR_VTRN2] = { 0, 0, 0, X_PUNPCKHQDQ },
    [IR_VNARSS] = { X_PACKSSWB, X_PACKSSDW, 0, 0 },
    [IR_VNARSU] = { X_PACKUSWB, X_PACKUSDW, 0, 0 },
    [IR_VPADD] = { 0, X_PHADDW, X_PHADDD, 0 },
    /* per-lane shifts: of AVX2 without XO_E */
    [IR_VSHL] = { 0, X_VPSLLVW, X_VPSLLVD, X_VPSLLVQ },
    [IR_VSHR] = { 0, X_VPSRLVW, X_VPSRLVD, X_VPSRLVQ },
    [IR_VSAR] = { 0, X_VPSRAVW, X_VPSRAVD, X_VPSRAVQ },
};

static const uint32_t cmpeq[] = { X_PCMPEQB, X_PCMPEQW, X_PCMPEQD, X_PCMPEQQ },
                      cmpgt[] = { X_PCMPGTB, X_PCMPGTW, X_PCMPGTD, X_PCMPGTQ },
                      shift_i[] = { 0, X_SHIFTW_I, X_SHIFTD_I, X_SHIFTQ_I };

/* An operation's instruction on this host, 0 = none. */
unsigned vec_op(unsigned op, unsigned lg)
{
    unsigned x = simple[op][lg];

    if ((x & XO_E) && !has_avx512()) return 0;
    if ((op == IR_VSHL || op == IR_VSHR || op == IR_VSAR) && !x86.avx2) return 0;
    return x;
}

/* --- pieces: t's are scratch, d is written last or as said
 * ------------------------------------------------------------ */
/* d = ~a */
static void v_not(struct gen *g, unsigned d, unsigned a)
{
    if (has_avx512()) {
        v3i(g, X_VPTERNLOGD, d, a, a, 0x55);
    } else {
        unsigned t = tmp_xmm(g);
        vones(g, t);
        v3(g, X_PXOR, d, a, t);
    }
}

/* d = the sign of each lane spread over it; 16 bits and wider */
static void v_sign(struct gen *g, unsigned lg, unsigned d, unsigned a)
{
    if (lg == 3 && has_avx512()) {
        vsh(g, X_VPSRAQ_I, XS_SRA, d, a, 63);
    } else {
        vsh(g, lg == 1 ? X_SHIFTW_I : X_SHIFTD_I, XS_SRA, d, a, lg == 1 ? 15 : 31);
        if (lg == 3) v2i(g, X_PSHUFD, d, d, 0xf5);
    }
}

/* d = m's lane negative ? b : a (32- and 64-bit lanes). m is changed; d may be any but b. */
static void v_blend_sign(struct gen *g, unsigned lg, unsigned d, unsigned a, unsigned b, unsigned m)
{
    if (x86.avx) {
        v3i(g, lg == 3 ? X_VBLENDVPD : X_VBLENDVPS, d, a, b, (m & 15) << 4);
    } else {
        v_sign(g, lg, m, m);
        v3(g, X_PAND, b, b, m);
        v3(g, X_PANDN, m, m, a);
        v3(g, X_POR, d, b, m);
    }
}

/* d = signed a > b, all lanes */
static void v_gt(struct gen *g, unsigned lg, unsigned d, unsigned a, unsigned b)
{
    v3(g, cmpgt[lg], d, a, b);
}

/* --- operations
 * ----------------------------------------------------------------------------------------------------- */
static struct opnd even_bytes(struct gen *g) { return pool2(g, 0x00ff00ff00ff00ff); }
static struct opnd odd_bytes(struct gen *g) { return pool2(g, 0xff00ff00ff00ff00); }

static void mul8(struct gen *g, V v, unsigned a, unsigned b)
{
    unsigned t = tmp_xmm(g), u = tmp_xmm(g), d = def_r(g, v);

    vsh(g, X_SHIFTW_I, XS_SRL, t, a, 8);
    v3m(g, X_PAND, u, b, odd_bytes(g));
    v3(g, X_PMULLW, t, t, u);
    v3(g, X_PMULLW, u, a, b);
    v3m(g, X_PAND, u, u, even_bytes(g));
    v3(g, X_POR, d, t, u);
}

static void mul64(struct gen *g, V v, unsigned a, unsigned b)
{
    unsigned t = tmp_xmm(g), u = tmp_xmm(g), d = def_r(g, v);

    vsh(g, X_SHIFTQ_I, XS_SRL, t, a, 32);
    v3(g, X_PMULUDQ, t, t, b);
    vsh(g, X_SHIFTQ_I, XS_SRL, u, b, 32);
    v3(g, X_PMULUDQ, u, u, a);
    v3(g, X_PADDQ, t, t, u);
    vsh(g, X_SHIFTQ_I, XS_SLL, t, t, 32);
    v3(g, X_PMULUDQ, u, a, b);
    v3(g, X_PADDQ, d, t, u);
}

/* The bytes at even (odd) places as words. */
static void even_words(struct gen *g, bool sign, unsigned d, unsigned a)
{
    if (sign) {
        vsh(g, X_SHIFTW_I, XS_SLL, d, a, 8);
        vsh(g, X_SHIFTW_I, XS_SRA, d, d, 8);
    } else {
        v3m(g, X_PAND, d, a, even_bytes(g));
    }
}
static void odd_words(struct gen *g, bool sign, unsigned d, unsigned a)
{
    vsh(g, X_SHIFTW_I, sign ? XS_SRA : XS_SRL, d, a, 8);
}

static bool mulh(struct gen *g, V v, const struct ir_ins *in)
{
    bool sign = in->op == IR_VMULHS;
    unsigned lg = lane_log[in->sub], mul = sign ? X_PMULDQ : X_PMULUDQ;

    if (lg == 3) return false;
    unsigned a = use_r(g, in->a), b = use_r(g, in->b), t = tmp_xmm(g), u = tmp_xmm(g), w = tmp_xmm(g), d = def_r(g, v);
    if (lg == 0) {
        even_words(g, sign, t, a);
        even_words(g, sign, u, b);
        v3(g, X_PMULLW, t, t, u);
        vsh(g, X_SHIFTW_I, XS_SRL, t, t, 8);
        odd_words(g, sign, u, a);
        odd_words(g, sign, w, b);
        v3(g, X_PMULLW, u, u, w);
        v3m(g, X_PAND, u, u, odd_bytes(g));
        v3(g, X_POR, d, t, u);
    } else {
        v3(g, mul, t, a, b);
        vsh(g, X_SHIFTQ_I, XS_SRL, t, t, 32);
        vsh(g, X_SHIFTQ_I, XS_SRL, u, a, 32);
        vsh(g, X_SHIFTQ_I, XS_SRL, w, b, 32);
        v3(g, mul, u, u, w);
        v3i(g, X_PBLENDW, d, t, u, 0xcc);
    }
    return true;
}

static bool mull(struct gen *g, V v, const struct ir_ins *in)
{
    bool sign = in->op == IR_VMULLS;
    unsigned a = use_r(g, in->a), b = use_r(g, in->b), t = tmp_xmm(g), u = tmp_xmm(g), d = def_r(g, v);

    switch (lane_log[in->sub]) {
    case 0: {
        unsigned op = sign ? X_PMOVSXBW : X_PMOVZXBW;
        if (in->x) {
            v2i(g, X_PSHUFD, t, a, 0xee);
            v2i(g, X_PSHUFD, u, b, 0xee);
        }
        v2(g, op, t, in->x ? t : a);
        v2(g, op, u, in->x ? u : b);
        v3(g, X_PMULLW, d, t, u);
        return true;
    }
    case 1:
        v3(g, X_PMULLW, t, a, b);
        v3(g, sign ? X_PMULHW : X_PMULHUW, u, a, b);
        v3(g, in->x ? X_PUNPCKHWD : X_PUNPCKLWD, d, t, u);
        return true;
    default:
        v2i(g, X_PSHUFD, t, a, in->x ? 0xfa : 0x50);
        v2i(g, X_PSHUFD, u, b, in->x ? 0xfa : 0x50);
        v3(g, sign ? X_PMULDQ : X_PMULUDQ, d, t, u);
        return true;
    }
}

static void dot(struct gen *g, V v, const struct ir_ins *in)
{
    bool bs = in->op == IR_VDOTSS, cs = in->op != IR_VDOTUU;
    unsigned b = use_r(g, in->b), c = use_r(g, in->c), a = use_r(g, in->a), t = tmp_xmm(g), u = tmp_xmm(g);
    unsigned d = def_new(g, v);

    even_words(g, bs, t, b);
    even_words(g, cs, u, c);
    v3(g, X_PMADDWD, t, t, u);
    odd_words(g, bs, u, b);
    odd_words(g, cs, d, c);
    v3(g, X_PMADDWD, u, u, d);
    v3(g, X_PADDD, t, t, u);
    v3(g, X_PADDD, d, t, a);
}

static void bitsel(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned a = use_r(g, in->a), b = use_r(g, in->b), c = use_r(g, in->c);

    if (has_avx512()) {
        unsigned d = def_copy(g, v, in->a);
        v3i(g, X_VPTERNLOGD, d, b, c, 0xca);
    } else {
        unsigned t = tmp_xmm(g), d = def_r(g, v);
        v3(g, X_PAND, t, b, a);
        v3(g, X_PANDN, d, a, c);
        v3(g, X_POR, d, d, t);
    }
}

static void vabs(struct gen *g, V v, const struct ir_ins *in)
{
    static const uint32_t op[] = { X_PABSB, X_PABSW, X_PABSD, X_VPABSQ };
    unsigned lg = lane_log[in->sub], a = use_r(g, in->a);

    if (lg < 3 || has_avx512()) {
        v2(g, op[lg], def_r(g, v), a);
    } else {
        unsigned t = tmp_xmm(g), u = tmp_xmm(g), d = def_r(g, v);
        v_sign(g, 3, t, a);
        v3(g, X_PXOR, u, a, t);
        v3(g, X_PSUBQ, d, u, t);
    }
}

/* 64-bit minimum and maximum with SSE4.2's compare. */
static bool minmax64(struct gen *g, V v, const struct ir_ins *in)
{
    bool uns = in->op == IR_VMINU || in->op == IR_VMAXU, max = in->op == IR_VMAXS || in->op == IR_VMAXU;

    if (!x86.sse42) return false;
    unsigned a = use_r(g, in->a), b = use_r(g, in->b), t = tmp_xmm(g), u = tmp_xmm(g), d = def_r(g, v);
    if (uns) {
        struct opnd k = pool2(g, 1ull << 63);
        v3m(g, X_PXOR, t, a, k);
        v3m(g, X_PXOR, u, b, k);
        v_gt(g, 3, t, max ? t : u, max ? u : t);
    } else {
        v_gt(g, 3, t, max ? a : b, max ? b : a);
    }
    v3(g, X_PAND, u, a, t); /* t: a is the one */
    v3(g, X_PANDN, t, t, b);
    v3(g, X_POR, d, t, u);
    return true;
}

static void average(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned lg = lane_log[in->sub], a = use_r(g, in->a), b = use_r(g, in->b), t = tmp_xmm(g), u = tmp_xmm(g);
    unsigned d = def_r(g, v);

    v3(g, X_PXOR, t, a, b);
    vsh(g, shift_i[lg], XS_SRL, t, t, 1);
    v3(g, X_POR, u, a, b);
    v3(g, lg == 3 ? X_PSUBQ : X_PSUBD, d, u, t);
}

/* Saturating addition and subtraction of 32- and 64-bit lanes. */
static void sat_signed(struct gen *g, V v, const struct ir_ins *in)
{
    bool sub = in->op == IR_VSUBSS;
    unsigned lg = lane_log[in->sub], op = simple[sub ? IR_VSUB : IR_VADD][lg];
    unsigned a = use_r(g, in->a), b = use_r(g, in->b), s = tmp_xmm(g), t = tmp_xmm(g), d = def_new(g, v);

    v3(g, op, s, a, b);
    /* d: sign set where the operands' signs are the same (sub: differ) and the result's is another than a's */
    if (has_avx512()) {
        a_movaps(g, d, a);
        v3i(g, X_VPTERNLOGD, d, b, s, sub ? 0x18 : 0x42);
    } else {
        v3(g, X_PXOR, d, a, b);
        v3(g, X_PXOR, t, a, s);
        v3(g, sub ? X_PAND : X_PANDN, d, d, t);
    }
    v_sign(g, lg, t, a);
    v3m(g, X_PXOR, t, t, pool2(g, lg == 3 ? 0x7fffffffffffffff : 0x7fffffff7fffffff));
    v_blend_sign(g, lg, d, s, t, d);
}

static void sat_unsigned(struct gen *g, V v, const struct ir_ins *in)
{
    bool sub = in->op == IR_VSUBUS;
    unsigned lg = lane_log[in->sub], op = simple[sub ? IR_VSUB : IR_VADD][lg],
             min = vec_op(sub ? IR_VMAXU : IR_VMINU, lg);
    unsigned a = use_r(g, in->a), b = use_r(g, in->b), t = tmp_xmm(g), d;

    if (min && sub) { /* max(a, b) - b */
        d = def_r(g, v);
        v3(g, min, t, a, b);
        v3(g, op, d, t, b);
    } else if (min) { /* min(a, ~b) + b */
        v_not(g, t, b);
        d = def_r(g, v);
        v3(g, min, t, t, a);
        v3(g, op, d, t, b);
    } else { /* carry: (a & b) | ((a | b) & ~s), borrow: the same of ~a, b, ~s */
        unsigned s = tmp_xmm(g);
        d = def_new(g, v);
        v3(g, op, s, a, b);
        if (sub) { /* (~a & b) | (~(a ^ b) & s) */
            v3(g, X_PXOR, t, a, b);
            v3(g, X_PANDN, t, t, s);
            v3(g, X_PANDN, d, a, b);
        } else {
            v3(g, X_POR, t, a, b);
            v3(g, X_PANDN, d, s, t);
            v3(g, X_PAND, t, a, b);
        }
        v3(g, X_POR, d, d, t);
        v_sign(g, lg, d, d);
        v3(g, sub ? X_PANDN : X_POR, d, d, s);
    }
}

/* A byte's bit permutation with copies as GF2P8AFFINEQB's matrix: result bit i is source bit from[i], < 0: 0. */
static uint64_t gf_matrix(const int8_t from[8])
{
    uint64_t m = 0;
    for (unsigned i = 0; i < 8; i++)
        if (from[i] >= 0) m |= 1ull << (8 * (7 - i) + (unsigned)from[i]);
    return m;
}

static void shift_bytes(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned n = in->x, a = use_r(g, in->a), d = def_r(g, v);

    if (x86.gfni && x86.avx) {
        int8_t from[8];
        for (int i = 0; i < 8; i++) {
            int k = in->op == IR_VSHLI ? i - (int)n : i + (int)n;
            from[i] = (int8_t)(k > 7 ? (in->op == IR_VSARI ? 7 : -1) : k);
        }
        v3mi(g, X_GF2P8AFFINEQB, d, a, pool2(g, gf_matrix(from)), 0);
        return;
    }
    if (in->op == IR_VSHLI) {
        vsh(g, X_SHIFTW_I, XS_SLL, d, a, n);
        v3m(g, X_PAND, d, d, pool2(g, 0x0101010101010101 * (0xff << n & 0xff)));
        return;
    }
    if (in->op == IR_VSARI && n > 7) n = 7;
    vsh(g, X_SHIFTW_I, XS_SRL, d, a, n);
    v3m(g, X_PAND, d, d, pool2(g, 0x0101010101010101 * (0xff >> n)));
    if (in->op == IR_VSARI) { /* (x ^ m) - m with the place the sign has come to */
        struct opnd m = pool2(g, 0x0101010101010101 * (0x80 >> n));
        v3m(g, X_PXOR, d, d, m);
        v3m(g, X_PSUBB, d, d, m);
    }
}

static void shift_imm(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned lg = lane_log[in->sub], n = in->x;

    if (lg == 0) {
        shift_bytes(g, v, in);
        return;
    }
    unsigned a = use_r(g, in->a);
    if (in->op != IR_VSARI || lg < 3 || has_avx512()) {
        unsigned ext = in->op == IR_VSHLI ? XS_SLL : in->op == IR_VSHRI ? XS_SRL : XS_SRA;
        vsh(g, in->op == IR_VSARI && lg == 3 ? X_VPSRAQ_I : shift_i[lg], ext, def_r(g, v), a, n);
        return;
    }
    unsigned t = tmp_xmm(g), d = def_r(g, v);
    if (n < 32) {
        vsh(g, X_SHIFTD_I, XS_SRA, t, a, n);
        vsh(g, X_SHIFTQ_I, XS_SRL, d, a, n);
    } else {
        vsh(g, X_SHIFTD_I, XS_SRA, t, a, 31);
        vsh(g, X_SHIFTD_I, XS_SRA, d, a, MIN(n, 63u) - 32);
        v2i(g, X_PSHUFD, d, d, 0xf5);
    }
    v3i(g, X_PBLENDW, d, d, t, 0xcc);
}

/*
 * Per-lane shifts of half the width of those the host has (16 in 32 bits, 8 in 16): odd lanes in place, even lanes
 * apart. What odd lanes shift into even ones and the reverse is masked off; amounts beyond the width shift everything
 * out.
 */
static bool shift_halves(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned lg = lane_log[in->sub], w = 8u << lg, op = vec_op(in->op, lg + 1);
    unsigned shi = shift_i[lg + 1];
    bool bytes = lg == 0;

    if (!op || lg > 1) return false;
    unsigned a = use_r(g, in->a), b = use_r(g, in->b), t = tmp_xmm(g), u = tmp_xmm(g), d = def_new(g, v);
    struct opnd even = bytes ? even_bytes(g) : pool2(g, 0x0000ffff0000ffff),
                odd = bytes ? odd_bytes(g) : pool2(g, 0xffff0000ffff0000);
    vsh(g, shi, XS_SRL, u, b, w); /* odd amounts */
    if (in->op == IR_VSHL) {
        v3m(g, X_PAND, t, a, odd);
        v3(g, op, t, t, u);
    } else {
        v3(g, op, t, a, u);
        v3m(g, X_PAND, t, t, odd);
    }
    v3m(g, X_PAND, u, b, even);
    if (in->op == IR_VSHL) {
        v3(g, op, d, a, u);
        v3m(g, X_PAND, d, d, even);
    } else if (in->op == IR_VSHR) {
        v3m(g, X_PAND, d, a, even);
        v3(g, op, d, d, u);
    } else {
        vsh(g, shi, XS_SLL, d, a, w);
        v3(g, op, d, d, u);
        vsh(g, shi, XS_SRL, d, d, w);
    }
    v3(g, X_POR, d, d, t);
    return true;
}

static bool shift_var(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned lg = lane_log[in->sub];

    if (lg < 2) return shift_halves(g, v, in);
    if (!x86.avx2) return false;
    /* 64-bit arithmetic: complemented if negative, logical, complemented back */
    unsigned a = use_r(g, in->a), b = use_r(g, in->b), t = tmp_xmm(g), u = tmp_xmm(g), d = def_r(g, v);
    v_sign(g, 3, t, a);
    v3(g, X_PXOR, u, a, t);
    v3(g, X_VPSRLVQ, u, u, b);
    v3(g, X_PXOR, d, u, t);
    return true;
}

static bool compare(struct gen *g, V v, const struct ir_ins *in)
{
    /* how to get there: greater-than with operands swapped; equality with the minimum or maximum; complement */
    enum { EQ, GT, MIN_, MAX_ };
    static const struct { uint8_t how, swap, inv, uns;
    } plan[] = {
        [C_EQ] = { EQ, 0, 0, 0 },    [C_NE] = { EQ, 0, 1, 0 },    [C_SLT] = { GT, 1, 0, 0 },
        [C_SGE] = { MAX_, 0, 0, 0 }, [C_SLE] = { MIN_, 0, 0, 0 }, [C_SGT] = { GT, 0, 0, 0 },
        [C_ULT] = { MAX_, 0, 1, 1 }, [C_UGE] = { MAX_, 0, 0, 1 }, [C_ULE] = { MIN_, 0, 0, 1 },
        [C_UGT] = { MIN_, 0, 1, 1 },
    };
    unsigned lg = lane_log[in->sub], how = plan[in->mo].how, uns = plan[in->mo].uns, inv = plan[in->mo].inv;
    bool swap = plan[in->mo].swap;

    if (lg == 3 && how != EQ && !x86.sse42) return false;
    unsigned a = use_r(g, in->a), b = use_r(g, in->b), d;
    if (how == EQ || how == GT) {
        d = def_r(g, v);
        v3(g, how == EQ ? cmpeq[lg] : cmpgt[lg], d, swap ? b : a, swap ? a : b);
    } else {
        unsigned op = vec_op(how == MIN_ ? uns ? IR_VMINU : IR_VMINS : uns ? IR_VMAXU : IR_VMAXS, lg);
        unsigned t = tmp_xmm(g);
        if (op) {
            d = def_r(g, v);
            v3(g, op, t, a, b);
            v3(g, cmpeq[lg], d, t, a);
        } else { /* a >= b is not b > a, a <= b is not a > b */
            unsigned u = tmp_xmm(g), x = a, y = b;
            d = def_r(g, v);
            if (uns) {
                struct opnd k = pool2(g, 1ull << 63);
                v3m(g, X_PXOR, t, a, k);
                v3m(g, X_PXOR, u, b, k);
                x = t, y = u;
            }
            v_gt(g, lg, d, how == MIN_ ? x : y, how == MIN_ ? y : x);
            inv ^= 1;
        }
    }
    if (inv) v_not(g, d, d);
    return true;
}

static void popcnt(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned lg = lane_log[in->sub], a = use_r(g, in->a);
    bool bitalg = x86.avx512_bitalg && x86.avx512vl;

    if (bitalg && lg < 2) {
        v2(g, lg ? X_VPOPCNTW : X_VPOPCNTB, def_r(g, v), a);
        return;
    }
    unsigned t = tmp_xmm(g), u = tmp_xmm(g), d = def_new(g, v);
    if (bitalg) {
        v2(g, X_VPOPCNTB, d, a);
    } else {
        struct opnd low = pool2(g, 0x0f0f0f0f0f0f0f0f), lut = pool(g, 0x0302020102010100, 0x0403030203020201);
        v3m(g, X_PAND, t, a, low);
        v2m(g, X_MOVAPS, d, lut);
        v3(g, X_PSHUFB, d, d, t);
        vsh(g, X_SHIFTW_I, XS_SRL, t, a, 4);
        v3m(g, X_PAND, t, t, low);
        v2m(g, X_MOVAPS, u, lut);
        v3(g, X_PSHUFB, u, u, t);
        v3(g, X_PADDB, d, d, u);
    }
    if (lg == 3) {
        vzero(g, t);
        v3(g, X_PSADBW, d, d, t);
    } else if (lg) {
        v3m(g, X_PMADDUBSW, d, d, pool2(g, 0x0101010101010101));
        if (lg == 2) v3m(g, X_PMADDWD, d, d, pool2(g, 0x0001000100010001));
    }
}

/* Leading zeros of bytes by nibbles, then of double width from halves: high, or low + w/2 where high is w/2. */
static void clz(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned lg = lane_log[in->sub], a = use_r(g, in->a);

    if (lg >= 2 && has_avx512() && x86.avx512cd) {
        v2(g, lg == 2 ? X_VPLZCNTD : X_VPLZCNTQ, def_r(g, v), a);
        return;
    }
    unsigned t = tmp_xmm(g), u = tmp_xmm(g), w = tmp_xmm(g), d = def_new(g, v);
    struct opnd low = pool2(g, 0x0f0f0f0f0f0f0f0f), lut = pool(g, 0x0101010102020304, 0);
    v3m(g, X_PAND, t, a, low);
    v2m(g, X_MOVAPS, u, lut);
    v3(g, X_PSHUFB, u, u, t); /* of the low nibble */
    vsh(g, X_SHIFTW_I, XS_SRL, t, a, 4);
    v3m(g, X_PAND, t, t, low);
    v2m(g, X_MOVAPS, d, lut);
    v3(g, X_PSHUFB, d, d, t);
    vzero(g, w);
    v3(g, X_PCMPEQB, t, t, w);
    v3(g, X_PAND, u, u, t);
    v3(g, X_PADDB, d, d, u);
    for (unsigned k = 1; k <= lg; k++) {
        static const uint64_t lo[] = { 0, 0x00ff00ff00ff00ff, 0x0000ffff0000ffff, 0x00000000ffffffff };
        unsigned half = 4u << k;
        vsh(g, shift_i[k], XS_SRL, t, d, half);
        v3m(g, X_PAND, d, d, pool2(g, lo[k]));
        v2m(g, X_MOVAPS, u, pool2(g, k == 1 ? 0x0008000800080008 : k == 2 ? 0x0000001000000010 : 0x20));
        v3(g, cmpeq[k], u, u, t);
        v3(g, X_PAND, d, d, u);
        v3(g, simple[IR_VADD][k], d, d, t);
    }
}

static void bitrev(struct gen *g, V v, const struct ir_ins *in)
{
    static const int8_t from[8] = { 7, 6, 5, 4, 3, 2, 1, 0 };
    unsigned a = use_r(g, in->a);

    if (x86.gfni && x86.avx) {
        v3mi(g, X_GF2P8AFFINEQB, def_r(g, v), a, pool2(g, gf_matrix(from)), 0);
        return;
    }
    unsigned t = tmp_xmm(g), u = tmp_xmm(g), d = def_new(g, v);
    struct opnd low = pool2(g, 0x0f0f0f0f0f0f0f0f);
    v3m(g, X_PAND, t, a, low);
    v2m(g, X_MOVAPS, d, pool(g, 0xe060a020c0408000, 0xf070b030d0509010)); /* reversed nibble, high */
    v3(g, X_PSHUFB, d, d, t);
    vsh(g, X_SHIFTW_I, XS_SRL, t, a, 4);
    v3m(g, X_PAND, t, t, low);
    v2m(g, X_MOVAPS, u, pool(g, 0x0e060a020c040800, 0x0f070b030d050901)); /* low */
    v3(g, X_PSHUFB, u, u, t);
    v3(g, X_POR, d, d, u);
}

bool lower_vec(struct gen *g, V v, const struct ir_ins *in)
{
    unsigned lg = lane_log[in->sub], op = vec_op(in->op, lg);

    if (op) {
        unsigned a = use_r(g, in->a);
        struct opnd b = op & XO_E ? o_reg(use_r(g, in->b)) : use_rm(g, in->b);
        v3m(g, op, def_r(g, v), a, b);
        return true;
    }
    switch (in->op) {
    case IR_VMUL: {
        unsigned a = use_r(g, in->a), b = use_r(g, in->b);
        if (lg == 0) mul8(g, v, a, b);
        else mul64(g, v, a, b);
        return true;
    }
    case IR_VMULHS: case IR_VMULHU: return mulh(g, v, in);
    case IR_VMULLS: case IR_VMULLU: return mull(g, v, in);
    case IR_VDOTSS: case IR_VDOTUU: case IR_VDOTUS: dot(g, v, in); return true;
    case IR_VANDN: {
        unsigned a = use_r(g, in->a), b = use_r(g, in->b);
        v3(g, X_PANDN, def_r(g, v), b, a);
        return true;
    }
    case IR_VBSEL: bitsel(g, v, in); return true;
    case IR_VABS: vabs(g, v, in); return true;
    case IR_VMINS: case IR_VMINU: case IR_VMAXS: case IR_VMAXU: return minmax64(g, v, in);
    case IR_VAVGU: average(g, v, in); return true;
    case IR_VADDSS: case IR_VSUBSS: sat_signed(g, v, in); return true;
    case IR_VADDUS: case IR_VSUBUS: sat_unsigned(g, v, in); return true;
    case IR_VSHLI: case IR_VSHRI: case IR_VSARI: shift_imm(g, v, in); return true;
    case IR_VSHL: case IR_VSHR: case IR_VSAR: return shift_var(g, v, in);
    case IR_VCMP: return compare(g, v, in);
    case IR_VPOPCNT: popcnt(g, v, in); return true;
    case IR_VCLZ: clz(g, v, in); return true;
    case IR_VBITREV: bitrev(g, v, in); return true;
    default:
        return (ir_opinfo[in->op].flags & F_FP) || in->op == IR_VFNEG || in->op == IR_VFABS
                   ? lower_vec_fp(g, v, in)
                   : lower_vec_move(g, v, in);
    }
}
