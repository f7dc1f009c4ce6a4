/* host_fp_test.c: host_fp_eval: its shortcut through the host's FPU against fpu/, vector lanes against scalars, policies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "cpu/host.h"
#include "fpu/fpu.h"

static uint64_t rnd_state = 42;
static uint64_t rnd(void)
{
    uint64_t z = rnd_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint64_t rnd_double(void)
{
    static const uint64_t edge[] = { 0, 1ull << 63, 0x7ff0000000000000, 0x7ff8000000000001, 0x7ff0000000000001, 1, 0x0010000000000000,
                                     0x000fffffffffffff, 0x3ff0000000000000, 0x7fefffffffffffff, 0x0020000000000000 };
    uint64_t r = rnd();
    return r & 7 ? r & 8 ? rnd() : (rnd() & 0x800fffffffffffff) | (0x3f0 + (r >> 10 & 31)) << 52 : edge[(r >> 8) % ARRAY_LEN(edge)];
}

static uint64_t rnd_single(void)
{
    uint64_t r = rnd();
    return r & 7 ? r & 8 ? rnd() & 0xffffffff : (rnd() & 0x807fffff) | (0x70 + (r >> 10 & 31)) << 23
                 : (r & 16 ? 0x7f800000 : 0) + (r >> 9 & 0x80000001) + (r & 32 ? 0x00800000 : 0);
}

static void test_shortcut(void **state)
{
    static uint64_t (*const fn[])(struct fpu_env *, enum fpu_fmt, uint64_t, uint64_t) = { fpu_add, fpu_sub, fpu_mul, fpu_div };
    static const struct ir_fp fp = { .nan = NAN_ARM };
    CPU cpu = { .fp = { .rm = RM_RNE } };

    for (unsigned n = 0; n < 800000; n++) {
        bool d = n & 1;
        struct ir_ins ins = { .op = (uint8_t)(IR_FADD + n / 2 % 4), .type = d ? T_F64 : T_F32, .sub = RM_DYN };
        union vlanes a = { .u64 = { d ? rnd_double() : rnd_single() } }, b = { .u64 = { d ? rnd_double() : rnd_single() } }, r;
        struct fpu_env e = { .rm = FPU_RNE, .nan = FPU_NAN_ARM, .flags = FPU_INEXACT };
        uint64_t want = fn[n / 2 % 4](&e, d ? FPU_F64 : FPU_F32, a.u64[0], b.u64[0]);

        cpu.fp.flags = FPF_INEXACT;
        host_fp_eval(&cpu, &fp, &ins, ins.type, &a, &b, NULL, &r);
        if (r.u64[0] != want || r.u64[1] || cpu.fp.flags != e.flags)
            fail_msg("op %d %llx %llx: %llx flags %x, fpu %llx flags %x", ins.op, (unsigned long long)a.u64[0], (unsigned long long)b.u64[0],
                     (unsigned long long)r.u64[0], cpu.fp.flags, (unsigned long long)want, e.flags);
    }
}

/* Each vector op against the scalar one, lane by lane. */
static void test_lanes(void **state)
{
    static const struct { uint8_t vop, op; } ops[] = {
        { IR_VFADD, IR_FADD }, { IR_VFSUB, IR_FSUB }, { IR_VFMUL, IR_FMUL }, { IR_VFDIV, IR_FDIV }, { IR_VFSQRT, IR_FSQRT }, { IR_VFMA, IR_FMA },
        { IR_VFMIN, IR_FMIN }, { IR_VFMAX, IR_FMAX }, { IR_VFCMP, IR_FCMP }, { IR_VFTOI, IR_FTOI }, { IR_VITOF, IR_ITOF }, { IR_VFRINT, IR_FRINT } };
    CPU c1 = { .fp = { .rm = RM_RUP } }, c2 = c1;

    for (unsigned n = 0; n < 60000; n++) {
        bool d = n & 1;
        enum ir_type ft = d ? T_F64 : T_F32, it = d ? T_I64 : T_I32, type_a = ft;
        struct ir_fp fp = { .nan = (uint8_t)(n % 3), .tiny_before = n & 4 ? 1 : 0, .ftz = n & 8 ? 1 : 0 };
        unsigned k = n / 16 % ARRAY_LEN(ops), mode = (unsigned)(rnd() % 7);
        struct ir_ins v = { .op = ops[k].vop, .type = T_V128, .sub = d ? L_F64 : L_F32, .mo = (uint8_t)mode };
        struct ir_ins s = { .op = ops[k].op, .type = (uint8_t)ft, .sub = (uint8_t)mode };
        union vlanes a, b, c, rv, rs;

        switch (s.op) {
        case IR_FMIN:
        case IR_FMAX: v.mo = s.mo = mode & 3; break;
        case IR_FCMP: s.type = T_I1, s.sub = mode & 3, s.mo = mode >> 2 & 1, v.mo = (uint8_t)(s.sub | (s.mo ? FC_SIGNALLING : 0)); break;
        case IR_FTOI: s.type = (uint8_t)it, v.x = s.mo = (uint8_t)(rnd() % 6 | (rnd() & 8)); break;
        case IR_ITOF: type_a = it, v.x = s.mo = (uint8_t)(n >> 3 & 1); break;
        case IR_FRINT: v.x = s.mo = (uint8_t)(n >> 3 & 1); break;
        default: break;
        }
        for (unsigned i = 0; i < (d ? 2u : 4u); i++) {
            if (d)
                a.u64[i] = rnd_double(), b.u64[i] = rnd_double(), c.u64[i] = rnd_double();
            else
                a.u32[i] = (uint32_t)rnd_single(), b.u32[i] = (uint32_t)rnd_single(), c.u32[i] = (uint32_t)rnd_single();
        }
        c1.fp.flags = c2.fp.flags = 0;
        host_fp_eval(&c1, &fp, &v, T_V128, &a, &b, &c, &rv);
        for (unsigned i = 0; i < (d ? 2u : 4u); i++) {
            union vlanes la = { 0 }, lb = { 0 }, lc = { 0 };
            la.u64[0] = d ? a.u64[i] : a.u32[i], lb.u64[0] = d ? b.u64[i] : b.u32[i], lc.u64[0] = d ? c.u64[i] : c.u32[i];
            host_fp_eval(&c2, &fp, &s, type_a, &la, &lb, &lc, &rs);
            uint64_t got = d ? rv.u64[i] : rv.u32[i], want = s.op == IR_FCMP ? (0 - rs.u64[0]) & bits_mask(d ? 64 : 32) : rs.u64[0];
            if (got != want)
                fail_msg("op %u lane %u: %llx, scalar %llx", k, i, (unsigned long long)got, (unsigned long long)want);
        }
        assert_int_equal(c1.fp.flags, c2.fp.flags);
    }
}

static void test_half(void **state)
{
    CPU cpu = { .fp = { .rm = RM_RNE } };
    struct ir_fp fp = { .nan = NAN_ARM, .ftz = 1, .ftz16 = 1 };
    struct ir_ins w = { .op = IR_VFCVTW, .type = T_V128, .sub = L_F16, .x = 1, .mo = RM_RNE };
    struct ir_ins n = { .op = IR_VFCVTN, .type = T_V128, .sub = L_F16, .mo = RM_RNE };
    struct ir_ins add = { .op = IR_VFADD, .type = T_V128, .sub = L_F16, .mo = RM_RNE };
    struct ir_ins toi = { .op = IR_VFTOI, .type = T_V128, .sub = L_F16, .mo = RM_RTZ, .x = FTOI_SIGNED | FTOI_ARM };
    union vlanes a = { .u16 = { 1, 1, 1, 1, 0x3c00, 0xc000, 0x0001, 0x7c00 } }, b = { 0 }, r;

    host_fp_eval(&cpu, &fp, &w, T_V128, &a, NULL, NULL, &r);
    assert_int_equal(r.u32[0], 0x3f800000);
    assert_int_equal(r.u32[1], 0xc0000000);
    assert_int_equal(r.u32[2], 0x33800000); /* not flushed */
    assert_int_equal(r.u32[3], 0x7f800000);
    host_fp_eval(&cpu, &fp, &n, T_V128, &r, NULL, NULL, &r);
    assert_int_equal(r.u64[0], a.u64[1]);
    assert_int_equal(r.u64[1], 0);
    host_fp_eval(&cpu, &fp, &add, T_V128, &a, &b, NULL, &r);
    assert_int_equal(r.u64[0], 0);
    assert_int_equal(r.u64[1], 0x7c000000c0003c00);
    assert_int_equal(cpu.fp.flags, 0);
    host_fp_eval(&cpu, &fp, &toi, T_V128, &a, NULL, NULL, &r);
    assert_int_equal(r.u64[1], 0x7fff0000fffe0001);
    assert_int_equal(cpu.fp.flags, FPF_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_shortcut), cmocka_unit_test(test_lanes), cmocka_unit_test(test_half) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
