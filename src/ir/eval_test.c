/*
 * eval_test.c: ir_eval against a table of values worked out by hand (edges of every scalar op) and, for vectors, against
 * the host's own SIMD instructions on random operands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "ir/ir.h"

static uint64_t rnd_state = 0x9e3779b97f4a7c15;
static uint64_t rnd(void)
{
    uint64_t z = rnd_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

#define M64 0xffffffffffffffff
#define TOP 0x8000000000000000
static const struct {
    uint8_t op, type, type_a, sub;
    uint32_t x, y;
    uint64_t a, b, res;
} scalars[] = {
#define R(op, t, a, b, res) { IR_##op, T_##t, T_##t, 0, 0, 0, a, b, res }
#define RX(op, t, x, y, a, b, res) { IR_##op, T_##t, T_##t, 0, x, y, a, b, res }
#define RT(op, t, ta, a, res) { IR_##op, T_##t, T_##ta, 0, 0, 0, a, 0, res }
#define RC(op, c, ta, a, b, res) { IR_##op, T_I1, T_##ta, c, 0, 0, a, b, res }
    R(ADD, I8, 0xff, 1, 0), R(ADD, I32, 0x80000000, 0x80000001, 1), R(ADD, I64, M64, 2, 1),
    R(SUB, I16, 0, 1, 0xffff), R(SUB, I64, 0, 1, M64),
    R(MUL, I8, 0x12, 0x34, 0xa8), R(MUL, I32, 0xffffffff, 0xffffffff, 1), R(MUL, I64, TOP, 3, TOP),
    R(MULHS, I32, 0xffffffff, 0xffffffff, 0), R(MULHS, I32, 0x80000000, 0x80000000, 0x40000000),
    R(MULHS, I64, TOP, 2, M64), R(MULHS, I64, TOP, TOP, 1ull << 62), R(MULHU, I64, TOP, 2, 1),
    R(MULHU, I32, 0xffffffff, 0xffffffff, 0xfffffffe), R(MULHU, I64, M64, M64, M64 - 1),
    R(MULHSU, I64, M64, M64, M64), R(MULHSU, I64, 2, TOP, 1), R(MULHSU, I32, 0xffffffff, 0x80000000, 0xffffffff),
    R(DIVS, I32, 7, 0xfffffffe, 0xfffffffd), R(DIVS, I32, 7, 0, 0), R(DIVS, I32, 0x80000000, 0xffffffff, 0x80000000),
    R(DIVS, I64, TOP, M64, TOP), R(DIVS, I64, M64 - 6, 2, M64 - 2), R(DIVU, I64, M64, 0, 0), R(DIVU, I64, M64, 2, M64 >> 1),
    R(REMS, I32, 0xfffffff9, 2, 0xffffffff), R(REMS, I32, 7, 0, 7), R(REMS, I32, 0x80000000, 0xffffffff, 0),
    R(REMS, I64, TOP, M64, 0), R(REMS, I64, 5, 0, 5), R(REMU, I64, M64, 10, 5), R(REMU, I32, 9, 0, 9),
    R(NEG, I8, 1, 0, 0xff), R(NEG, I64, TOP, 0, TOP), R(NOT, I1, 0, 0, 1), R(NOT, I1, 1, 0, 0), R(NOT, I16, 0xff, 0, 0xff00),
    R(AND, I1, 1, 1, 1), R(OR, I32, 5, 0x80000002, 0x80000007), R(XOR, I1, 1, 1, 0),
    R(SHL, I8, 0x81, 1, 2), R(SHL, I8, 0x81, 9, 2), R(SHL, I32, 1, 63, 0x80000000), R(SHL, I64, 1, 64, 1),
    R(SHR, I16, 0x8000, 17, 0x4000), R(SHR, I64, TOP, 63, 1), R(SAR, I8, 0x80, 7, 0xff), R(SAR, I32, 0x80000000, 4, 0xf8000000),
    R(SAR, I32, 0x40000000, 36, 0x04000000), R(SAR, I64, TOP, 63, M64),
    R(ROTR, I8, 0x81, 1, 0xc0), R(ROTR, I32, 0x12345678, 8, 0x78123456), R(ROTR, I32, 0x12345678, 32, 0x12345678),
    R(ROTR, I64, 1, 65, TOP), R(ROTR, I16, 0x1234, 4, 0x4123),
    RX(EXTR, I32, 0, 0, 0x11111111, 0x22222222, 0x22222222), RX(EXTR, I32, 4, 0, 0x11111111, 0x22222222, 0x12222222),
    RX(EXTR, I64, 63, 0, 1, TOP, 3), RX(EXTR, I64, 0, 0, 1, 2, 2),
    RT(SEXT, I64, I1, 1, M64), RT(SEXT, I64, I8, 0x80, M64 - 0x7f), RT(SEXT, I16, I8, 0x7f, 0x7f), RT(SEXT, I32, I16, 0x8000, 0xffff8000),
    RT(ZEXT, I64, I1, 1, 1), RT(ZEXT, I64, I32, 0xffffffff, 0xffffffff), RT(TRUNC, I1, I64, 3, 1), RT(TRUNC, I1, I64, 2, 0),
    RT(TRUNC, I8, I64, 0x1ff, 0xff),
    RX(UBFX, I32, 4, 8, 0xabcdef12, 0, 0xf1), RX(UBFX, I64, 0, 64, M64, 0, M64), RX(UBFX, I64, 63, 1, TOP, 0, 1),
    RX(SBFX, I32, 4, 8, 0xabcdef12, 0, 0xfffffff1), RX(SBFX, I64, 60, 4, 0x7ull << 60, 0, 7), RX(SBFX, I64, 0, 64, TOP, 0, TOP),
    RX(BFI, I32, 8, 8, 0x11223344, 0xfff, 0x1122ff44), RX(BFI, I64, 0, 64, 1, 2, 2), RX(BFI, I64, 63, 1, 0, 1, TOP),
    R(CLZ, I8, 0, 0, 8), R(CLZ, I8, 1, 0, 7), R(CLZ, I64, TOP, 0, 0), R(CLZ, I32, 0, 0, 32), R(CTZ, I16, 0, 0, 16),
    R(CTZ, I64, TOP, 0, 63), R(POPCNT, I64, M64, 0, 64), R(POPCNT, I8, 0xa5, 0, 4),
    R(BSWAP, I16, 0x1234, 0, 0x3412), R(BSWAP, I32, 0x12345678, 0, 0x78563412), R(BSWAP, I64, 0x0102030405060708, 0, 0x0807060504030201),
    R(BITREV, I8, 0x01, 0, 0x80), R(BITREV, I32, 0x80000001, 0, 0x80000001), R(BITREV, I64, 2, 0, 1ull << 62), R(BITREV, I16, 0x0003, 0, 0xc000),
    R(CLMUL, I32, 3, 3, 5), R(CLMUL, I64, TOP, 2, 0), R(CLMULH, I64, TOP, 2, 1), R(CLMULH, I32, 0x80000000, 0x80000000, 0x40000000),
    R(CLMULH, I64, M64, M64, 0x5555555555555555), R(CLMUL, I64, M64, M64, 0x5555555555555555),
    RC(CMP, C_SLT, I8, 0x80, 0x7f, 1), RC(CMP, C_ULT, I8, 0x80, 0x7f, 0), RC(CMP, C_SGE, I64, 0, TOP, 1), RC(CMP, C_ULE, I32, 5, 5, 1),
    RC(CMP, C_UGT, I32, 5, 5, 0), RC(CMP, C_SLE, I16, 0xffff, 0, 1), RC(CMP, C_SGT, I16, 0xffff, 0, 0), RC(CMP, C_EQ, I64, M64, M64, 1),
    RC(CMP, C_NE, I64, M64, M64, 0), RC(CMP, C_UGE, I64, M64, 0, 1), RC(CMP, C_EQ, I1, 1, 1, 1),
    RC(SADDOV, 0, I8, 0x7f, 1, 1), RC(SADDOV, 0, I8, 0xff, 1, 0), RC(SADDOV, 0, I64, TOP, M64, 1), RC(SADDOV, 0, I32, 0x7fffffff, 0, 0),
    RC(SSUBOV, 0, I8, 0x80, 1, 1), RC(SSUBOV, 0, I32, 0, 0x80000000, 1), RC(SSUBOV, 0, I64, 0, 1, 0), RC(SSUBOV, 0, I64, M64, TOP, 0),
    R(FNEG, F16, 0x7e01, 0, 0xfe01), R(FNEG, F64, 0, 0, TOP), R(FABS, F32, 0xff800001, 0, 0x7f800001), R(FSGN, F32, 0x3f800000, 0x80000000, 0xbf800000),
    R(FSGN, F16, 0xbc00, 0, 0x3c00), RT(BITCAST, F32, I32, 0x7f800001, 0x7f800001),
    RT(FBOX, F64, F32, 0x3f800000, 0xffffffff3f800000), RT(FBOX, F64, F16, 0x3c00, 0xffffffffffff3c00),
    RT(FUNBOX, F32, F64, 0xffffffff3f800000, 0x3f800000), RT(FUNBOX, F32, F64, 0xfffffffe3f800000, 0x7fc00000),
    RT(FUNBOX, F16, F64, 0xffffffffffff3c00, 0x3c00), RT(FUNBOX, F16, F64, 0xffffffff00003c00, 0x7e00),
};

static void test_scalars(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(scalars); i++) {
        struct ir_ins ins = { .op = scalars[i].op, .type = scalars[i].type, .sub = scalars[i].sub, .x = scalars[i].x, .y = scalars[i].y };
        union vlanes a = { .u64 = { scalars[i].a } }, b = { .u64 = { scalars[i].b } }, r = { .u64 = { 1, 1 } };

        assert_true(ir_eval(&ins, scalars[i].type_a, &a, &b, NULL, &r));
        if (r.u64[0] != scalars[i].res || r.u64[1])
            fail_msg("row %zu, op %d: %llx, expected %llx", i, ins.op, (unsigned long long)r.u64[0], (unsigned long long)scalars[i].res);
    }
}

static void test_select_k(void **state)
{
    struct ir_ins sel = { .op = IR_SELECT, .type = T_V128 }, k = { .op = IR_K, .type = T_I64, .imm = M64 }, get = { .op = IR_GET, .type = T_I64 };
    union vlanes t = { .u64 = { 1 } }, f = { 0 }, a = { .u64 = { 1, 2 } }, b = { .u64 = { 3, 4 } }, r;

    assert_true(ir_eval(&sel, T_I1, &t, &a, &b, &r));
    assert_memory_equal(&r, &a, 16);
    assert_true(ir_eval(&sel, T_I1, &f, &a, &b, &r));
    assert_memory_equal(&r, &b, 16);
    assert_true(ir_eval(&k, T_VOID, NULL, NULL, NULL, &r));
    assert_true(r.u64[0] == M64 && r.u64[1] == 0);
    assert_false(ir_eval(&get, T_VOID, NULL, NULL, NULL, &r));
    get.op = IR_FADD;
    assert_false(ir_eval(&get, T_F64, &a, &b, NULL, &r));
}

/* Every op of ops.def marked pure is known, but those that need the region. */
static void test_all_pure(void **state)
{
    static const struct { const char *text; uint8_t op, flags; } ops[] = {
#define OP(name, text, sig, flags) { text, IR_##name, (flags) & F_PURE },
#include "ir/ops.def"
#undef OP
    };
    for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
        struct ir_ins ins = { .op = ops[i].op, .type = T_I64, .y = 1 };
        union vlanes a = { .u64 = { 1 } }, r;
        bool known = ir_eval(&ins, T_I64, &a, &a, &a, &r);
        bool wanted = ops[i].flags && ops[i].op != IR_GET && ops[i].op != IR_KV;
        if (known != wanted)
            fail_msg("%s: %s", ops[i].text, known ? "evaluated, but not pure" : "not evaluated");
    }
}

struct vrow {
    uint8_t op, sub, mo, x, y;
    uint8_t a[16], b[16], res[16];
};
static const struct vrow vectors[] = {
    { IR_VZIP1, L_I8, 0, 0, 0, { 0, 1, 2, 3, 4, 5, 6, 7 }, { 16, 17, 18, 19, 20, 21, 22, 23 },
      { 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23 } },
    { IR_VTRN2, L_I32, 0, 0, 0, { 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3 }, { 4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7 },
      { 1, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0, 7 } },
    { IR_VTRN1, L_I64, 0, 0, 0, { 1, 0, 0, 0, 0, 0, 0, 0, 2 }, { 3, 0, 0, 0, 0, 0, 0, 0, 4 }, { 1, 0, 0, 0, 0, 0, 0, 0, 3 } },
    { IR_VUZP2, L_I16, 0, 0, 0, { 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0 }, { 8, 0, 9, 0, 10, 0, 11, 0, 12, 0, 13, 0, 14, 0, 15, 0 },
      { 1, 0, 3, 0, 5, 0, 7, 0, 9, 0, 11, 0, 13, 0, 15, 0 } },
    { IR_VUZP1, L_I64, 0, 0, 0, { 1, 0, 0, 0, 0, 0, 0, 0, 2 }, { 3, 0, 0, 0, 0, 0, 0, 0, 4 }, { 1, 0, 0, 0, 0, 0, 0, 0, 3 } },
    { IR_VPADD, L_I8, 0, 0, 0, { 1, 2, 3, 4, 5, 6, 7, 8, 255, 1 }, { 1, 1, 128, 128 }, { 3, 7, 11, 15, 0, 0, 0, 0, 2, 0 } },
    { IR_VINSV, L_I16, 0, 7, 1, { 1 }, { 0, 0, 5, 6 }, { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 6 } },
    { IR_VALIGN, 0, 0, 16, 0, { 1 }, { 2, 3 }, { 2, 3 } },
    { IR_VALIGN, 0, 0, 15, 0, { [15] = 9 }, { 2, 3 }, { 9, 2, 3 } },
    { IR_VZEXT, 0, 0, 2, 0, { 1, 2, 3, 4, 5 }, { 0 }, { 1, 2 } },
    { IR_VTBL, 0, 0, 0, 0, { 10, 11, 12, 13 }, { 3, 16, 255, 0, 1 }, { 13, 0, 0, 10, 11, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10 } },
    { IR_VSHLI, L_I8, 0, 8, 0, { 255, 255 }, { 0 }, { 0 } },
    { IR_VSHRI, L_I64, 0, 64, 0, { 255, 255, [15] = 255 }, { 0 }, { 0 } },
    { IR_VSARI, L_I32, 0, 32, 0, { 1, 0, 0, 128, 1 }, { 0 }, { 255, 255, 255, 255 } },
    { IR_VSAR, L_I8, 0, 0, 0, { 128, 128, 127 }, { 1, 200, 255 }, { 192, 255, 0 } },
    { IR_VSHL, L_I16, 0, 0, 0, { 1, 0, 1, 0, 1 }, { 15, 0, 16, 0, 0, 1 }, { 0, 128, 0, 0, 0 } },
    { IR_VBITREV, 0, 0, 0, 0, { 1, 0x80, 0x0f }, { 0 }, { 0x80, 1, 0xf0 } },
    { IR_VCLZ, L_I16, 0, 0, 0, { 1, 0, 0, 128 }, { 0 }, { 15, 0, 0, 0, 16, 0, 16, 0, 16, 0, 16, 0, 16, 0, 16 } },
    { IR_VPOPCNT, L_I8, 0, 0, 0, { 255, 1, 3 }, { 0 }, { 8, 1, 2 } },
    { IR_VFNEG, L_F16, 0, 0, 0, { 0, 0x3c }, { 0 }, { 0, 0xbc, 0, 128, 0, 128, 0, 128, 0, 128, 0, 128, 0, 128, 0, 128 } },
    { IR_VFABS, L_F64, 0, 0, 0, { [7] = 0xff, [15] = 0x80 }, { 0 }, { [7] = 0x7f } },
    { IR_VNARSU, L_I8, 0, 0, 0, { 255, 255, 0, 1, 44, 0 }, { 255, 0 }, { 0, 255, 44, 0, 0, 0, 0, 0, 255 } },
    { IR_VNARUU, L_I8, 0, 0, 0, { 255, 255, 0, 1, 44, 0 }, { 255, 0 }, { 255, 255, 44, 0, 0, 0, 0, 0, 255 } },
    { IR_VNARSS, L_I32, 0, 0, 0, { [7] = 0x80, [8] = 5 }, { 0, 0, 0, 128 }, { 0, 0, 0, 128, 5, 0, 0, 0, 255, 255, 255, 127 } },
    { IR_VNARROW, L_I8, 0, 0, 0, { 1, 2, 3, 4 }, { 5, 6 }, { 1, 3, 0, 0, 0, 0, 0, 0, 5 } },
    { IR_VSXTL, L_I32, 0, 1, 0, { [11] = 128 }, { 0 }, { 0, 0, 0, 128, 255, 255, 255, 255 } },
    { IR_VCMP, L_I8, C_ULT, 0, 0, { 1, 2 }, { 2, 1 }, { 255 } },
    { IR_VAVGU, L_I64, 0, 0, 0, { 255, 255, 255, 255, 255, 255, 255, 255 }, { 255, 255, 255, 255, 255, 255, 255, 255 },
      { 255, 255, 255, 255, 255, 255, 255, 255 } },
};

static void test_vectors(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        const struct vrow *v = &vectors[i];
        struct ir_ins ins = { .op = v->op, .type = T_V128, .sub = v->sub, .mo = v->mo, .x = v->x, .y = v->y };
        union vlanes a, b, r;

        memcpy(&a, v->a, 16), memcpy(&b, v->b, 16);
        assert_true(ir_eval(&ins, T_V128, &a, &b, NULL, &r));
        if (memcmp(&r, v->res, 16))
            fail_msg("vector row %zu (op %d): %016llx%016llx", i, v->op, (unsigned long long)r.u64[1], (unsigned long long)r.u64[0]);
    }
}

static void test_reductions(void **state)
{
    union vlanes a = { .u8 = { 255, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 200 } }, r;
    static const struct { uint8_t mo, type; uint64_t res; } rows[] = {
        { VRED_ADDU, T_I32, 255 + 105 + 200 }, { VRED_ADDS, T_I32, 48 }, { VRED_MINS, T_I32, 0xffffffc8 }, { VRED_MAXS, T_I64, 14 },
        { VRED_MINU, T_I32, 1 }, { VRED_MAXU, T_I64, 255 } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct ir_ins ins = { .op = IR_VRED, .type = rows[i].type, .sub = L_I8, .mo = rows[i].mo };
        assert_true(ir_eval(&ins, T_V128, &a, NULL, NULL, &r));
        assert_int_equal(r.u64[0], rows[i].res);
    }
    struct ir_ins msk = { .op = IR_VMSK, .type = T_I32, .sub = L_I8 };
    assert_true(ir_eval(&msk, T_V128, &a, NULL, NULL, &r));
    assert_int_equal(r.u64[0], 0x8001);
}

#ifdef __x86_64__
#include <immintrin.h>
#define TGT __attribute__((target("sse4.2,aes,pclmul,ssse3")))

static struct ir_ins cur;
static union vlanes va, vb;
TGT static void same(unsigned op, unsigned sub, unsigned mo, unsigned x, unsigned y, __m128i want)
{
    union vlanes r, w;

    cur = (struct ir_ins){ .op = (uint8_t)op, .type = T_V128, .sub = (uint8_t)sub, .mo = (uint8_t)mo, .x = x, .y = y };
    memcpy(&w, &want, 16);
    assert_true(ir_eval(&cur, T_V128, &va, &vb, NULL, &r));
    if (memcmp(&r, &w, 16))
        fail_msg("op %u sub %u mo %u x %u: %016llx%016llx, host %016llx%016llx", op, sub, mo, x, (unsigned long long)r.u64[1],
                 (unsigned long long)r.u64[0], (unsigned long long)w.u64[1], (unsigned long long)w.u64[0]);
}

TGT static void against_sse(void)
{
    __m128i a = (__m128i)va.v, b = (__m128i)vb.v, z = _mm_setzero_si128();
#define S(op, sub, f) same(IR_##op, sub, 0, 0, 0, f(a, b))
    S(VADD, L_I8, _mm_add_epi8); S(VADD, L_I16, _mm_add_epi16); S(VADD, L_I32, _mm_add_epi32); S(VADD, L_I64, _mm_add_epi64);
    S(VSUB, L_I8, _mm_sub_epi8); S(VSUB, L_I16, _mm_sub_epi16); S(VSUB, L_I32, _mm_sub_epi32); S(VSUB, L_I64, _mm_sub_epi64);
    S(VMUL, L_I16, _mm_mullo_epi16); S(VMUL, L_I32, _mm_mullo_epi32);
    S(VMULHS, L_I16, _mm_mulhi_epi16); S(VMULHU, L_I16, _mm_mulhi_epu16);
    S(VMINS, L_I8, _mm_min_epi8); S(VMINS, L_I16, _mm_min_epi16); S(VMINS, L_I32, _mm_min_epi32);
    S(VMINU, L_I8, _mm_min_epu8); S(VMINU, L_I16, _mm_min_epu16); S(VMINU, L_I32, _mm_min_epu32);
    S(VMAXS, L_I8, _mm_max_epi8); S(VMAXS, L_I16, _mm_max_epi16); S(VMAXS, L_I32, _mm_max_epi32);
    S(VMAXU, L_I8, _mm_max_epu8); S(VMAXU, L_I16, _mm_max_epu16); S(VMAXU, L_I32, _mm_max_epu32);
    S(VAVGU, L_I8, _mm_avg_epu8); S(VAVGU, L_I16, _mm_avg_epu16);
    S(VADDSS, L_I8, _mm_adds_epi8); S(VADDSS, L_I16, _mm_adds_epi16); S(VADDUS, L_I8, _mm_adds_epu8); S(VADDUS, L_I16, _mm_adds_epu16);
    S(VSUBSS, L_I8, _mm_subs_epi8); S(VSUBSS, L_I16, _mm_subs_epi16); S(VSUBUS, L_I8, _mm_subs_epu8); S(VSUBUS, L_I16, _mm_subs_epu16);
    S(VZIP1, L_I8, _mm_unpacklo_epi8); S(VZIP2, L_I8, _mm_unpackhi_epi8); S(VZIP1, L_I16, _mm_unpacklo_epi16);
    S(VZIP2, L_I16, _mm_unpackhi_epi16); S(VZIP1, L_I32, _mm_unpacklo_epi32); S(VZIP2, L_I64, _mm_unpackhi_epi64);
    S(VNARSS, L_I8, _mm_packs_epi16); S(VNARSS, L_I16, _mm_packs_epi32); S(VNARSU, L_I8, _mm_packus_epi16);
    S(VNARSU, L_I16, _mm_packus_epi32); S(VPADD, L_I16, _mm_hadd_epi16); S(VPADD, L_I32, _mm_hadd_epi32);
    S(VAND, 0, _mm_and_si128); S(VOR, 0, _mm_or_si128); S(VXOR, 0, _mm_xor_si128);
    same(IR_VANDN, 0, 0, 0, 0, _mm_andnot_si128(b, a));
    same(IR_VCMP, L_I8, C_EQ, 0, 0, _mm_cmpeq_epi8(a, b)); same(IR_VCMP, L_I16, C_SGT, 0, 0, _mm_cmpgt_epi16(a, b));
    same(IR_VCMP, L_I32, C_SLT, 0, 0, _mm_cmplt_epi32(a, b)); same(IR_VCMP, L_I64, C_SGT, 0, 0, _mm_cmpgt_epi64(a, b));
    same(IR_VABS, L_I8, 0, 0, 0, _mm_abs_epi8(a)); same(IR_VABS, L_I32, 0, 0, 0, _mm_abs_epi32(a));
    same(IR_VSHLI, L_I16, 0, 5, 0, _mm_slli_epi16(a, 5)); same(IR_VSHRI, L_I64, 0, 37, 0, _mm_srli_epi64(a, 37));
    same(IR_VSARI, L_I32, 0, 13, 0, _mm_srai_epi32(a, 13)); same(IR_VALIGN, 0, 0, 5, 0, _mm_alignr_epi8(b, a, 5));
    same(IR_VSXTL, L_I8, 0, 0, 0, _mm_cvtepi8_epi16(a)); same(IR_VUXTL, L_I16, 0, 0, 0, _mm_cvtepu16_epi32(a));
    same(IR_VUXTL, L_I32, 0, 1, 0, _mm_cvtepu32_epi64(_mm_srli_si128(a, 8)));
    same(IR_VMULLS, L_I32, 0, 0, 0, _mm_mul_epi32(_mm_unpacklo_epi32(a, a), _mm_unpacklo_epi32(b, b)));
    same(IR_VMULLU, L_I32, 0, 1, 0, _mm_mul_epu32(_mm_unpackhi_epi32(a, a), _mm_unpackhi_epi32(b, b)));
    same(IR_VCLMUL, 0, 0, 0, 1, _mm_clmulepi64_si128(a, b, 0x10)); same(IR_VCLMUL, 0, 0, 1, 1, _mm_clmulepi64_si128(a, b, 0x11));
    same(IR_VAESE, 0, 0, 0, 0, _mm_aesenclast_si128(_mm_xor_si128(a, b), z));
    same(IR_VAESD, 0, 0, 0, 0, _mm_aesdeclast_si128(_mm_xor_si128(a, b), z));
    same(IR_VAESMC, 0, 0, 0, 0, _mm_aesenc_si128(_mm_aesdeclast_si128(a, z), z));
    same(IR_VAESIMC, 0, 0, 0, 0, _mm_aesimc_si128(a));
}

static void test_host_simd(void **state)
{
    if (!__builtin_cpu_supports("aes") || !__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("pclmul"))
        skip();
    for (unsigned n = 0; n < 20000; n++) {
        for (unsigned i = 0; i < 2; i++)
            va.u64[i] = rnd(), vb.u64[i] = n % 3 ? rnd() : va.u64[i];
        for (unsigned i = 0; i < 16; i++) {   /* edge bytes */
            uint64_t k = rnd();
            if (k % 4 == 0)
                va.u8[i] = k & 16 ? 0xff : 0x80;
            if (k % 5 == 0)
                vb.u8[i] = k & 16 ? 0 : 0x7f;
        }
        against_sse();
    }
}
#else
static void test_host_simd(void **state)
{
    skip();
}
#endif

static void test_dot(void **state)
{
    for (unsigned n = 0; n < 1000; n++) {
        union vlanes a = { .u64 = { rnd(), rnd() } }, b = { .u64 = { rnd(), rnd() } }, c = { .u64 = { rnd(), rnd() } }, r;
        for (unsigned op = IR_VDOTSS; op <= IR_VDOTUS; op++) {
            struct ir_ins ins = { .op = (uint8_t)op, .type = T_V128, .sub = L_I32 };
            assert_true(ir_eval(&ins, T_V128, &a, &b, &c, &r));
            for (unsigned l = 0; l < 4; l++) {
                int64_t s = a.s32[l];
                for (unsigned i = 4 * l; i < 4 * l + 4; i++)
                    s += (int64_t)(op == IR_VDOTSS ? b.s8[i] : (int)b.u8[i]) * (op == IR_VDOTUU ? (int)c.u8[i] : c.s8[i]);
                assert_int_equal(r.u32[l], (uint32_t)s);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars), cmocka_unit_test(test_select_k), cmocka_unit_test(test_all_pure), cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_reductions), cmocka_unit_test(test_host_simd), cmocka_unit_test(test_dot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
