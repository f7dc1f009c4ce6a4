/* isagen_unit_test.c: what isagen makes of isagen_unit.isa.c and isagen_msb.isa.c, against values worked by hand. */
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

#include "msb_gen.h"
#include "toy_gen.h"

enum { M_WIDE = 1 << TOY_MODE_wide, M_8 = 1 << TOY_MODE_s8, M_16 = 1 << TOY_MODE_s16, M_32 = 1 << TOY_MODE_s32 };
static const uint64_t no_feats[1], all_feats[1] = { ~0ull }, only_new[1] = { 1 << TOY_FEAT_Znew };

void toy_fmt_reg(struct isa_text *o, int64_t value, const struct toy_fields *f, uint64_t pc)
{
    isa_printf(o, "r%d", (int)value);
}
void toy_fmt_abs(struct isa_text *o, int64_t value, const struct toy_fields *f, uint64_t pc)
{
    isa_printf(o, "<%llx>", (unsigned long long)value);
}
void toy_fmt_all(struct isa_text *o, int64_t value, const struct toy_fields *f, uint64_t pc)
{
    isa_printf(o, "%d %x %d", (int)value, (unsigned)f->w, f->len);
}
bool toy_same(int64_t a, int64_t b, int64_t *out)
{
    *out = a + b;
    return a == b;
}
bool toy_sum(int64_t a, int64_t b, int64_t k, int64_t *out)
{
    *out = a + b + k;
    return a != 31;
}
bool toy_pick(int64_t s, int64_t wide, int64_t *out)
{
    *out = wide ? s : -s;
    return true;
}

static int decode(uint32_t insn, uint64_t modes, const uint64_t *feats, struct toy_fields *f)
{
    uint8_t b[8] = { (uint8_t)insn, (uint8_t)(insn >> 8), (uint8_t)(insn >> 16), (uint8_t)(insn >> 24), 0xff, 0xff };
    memset(f, 0xa5, sizeof *f);
    return toy_decode(b, sizeof b, modes, feats, f);
}

static const char *text(uint32_t insn, uint64_t modes, const uint64_t *feats)
{
    static char buf[80];
    uint8_t b[4] = { (uint8_t)insn, (uint8_t)(insn >> 8), (uint8_t)(insn >> 16), (uint8_t)(insn >> 24) };
    toy_disassemble(buf, sizeof buf, b, sizeof b, modes, feats, 0x1000);
    return buf;
}

static void fields(void **state)
{
    struct toy_fields f;

    assert_int_equal(decode(0x0554, 0, no_feats, &f), TOY_ROW_add); /* 0000 01010 10101 00 */
    assert_int_equal(f.len, 2);
    assert_int_equal(f.raw, 0x0554);
    assert_int_equal(f.rs, 10);
    assert_int_equal(f.rd, 21);
    assert_int_equal(f.imm, 0); /* not of this row */
    assert_int_equal(f.soff, 0);

    assert_int_equal(decode(0x1804, 0, no_feats, &f), TOY_ROW_jump); /* 0001 1000 0 00000 1 00 */
    assert_int_equal(f.off, -512);
    assert_int_equal(decode(0x17fc, 0, no_feats, &f), TOY_ROW_jump); /* 0001 0111 1 11111 1 00: bit 0 is not drawn */
    assert_int_equal(f.off, 0x1fe);

    assert_int_equal(decode(0x2f00, 0, no_feats, &f), TOY_ROW_low); /* 0010 111 10000 00 00 */
    assert_int_equal(f.rd, 15);
    assert_int_equal(f.k, -64);

    assert_int_equal(decode(0x80100003 | 5 << 7 | 6 << 15, 0, no_feats, &f), TOY_ROW_load);
    assert_int_equal(f.len, 4);
    assert_int_equal(f.imm, -2047);
    assert_int_equal(f.rd, 5);
    assert_int_equal(f.rs, 6);
    assert_int_equal(decode(0x80001003 | 5 << 20 | 6 << 15 | 0x1f << 7, 0, no_feats, &f), TOY_ROW_stor);
    assert_int_equal(f.soff, -2048 + 0x1f);
    assert_int_equal(f.rd, 5);
}

static void validity_and_computed(void **state)
{
    struct toy_fields f;

    assert_int_equal(decode(0x2f00 & ~0x01f0, 0, no_feats, &f), -1); /* k = 0 */
    assert_int_equal(f.len, 2);
    assert_int_equal(decode(0x3020, 0, no_feats, &f), TOY_ROW_some);
    assert_int_equal(decode(0x3030, 0, no_feats, &f), -1); /* selected, then undefined: not the row around it */
    assert_int_equal(decode(0x3130, 0, no_feats, &f), TOY_ROW_any);

    assert_int_equal(decode(0xa000 | 3 << 7 | 4 << 2, 0, no_feats, &f), TOY_ROW_comp);
    assert_int_equal(f.s, 14);
    assert_int_equal(f.m, -14);
    assert_int_equal(decode(0xa000 | 3 << 7 | 4 << 2, M_WIDE, no_feats, &f), TOY_ROW_comp);
    assert_int_equal(f.m, 14);
    assert_int_equal(decode(0xa000 | 31 << 7 | 4 << 2, 0, no_feats, &f), -1);
}

static void modes_and_features(void **state)
{
    struct toy_fields f;

    assert_int_equal(decode(0x4004, M_8, no_feats, &f), TOY_ROW_sized_b);
    assert_int_equal(decode(0x4004, M_16, no_feats, &f), TOY_ROW_sized_h);
    assert_int_equal(decode(0x4004, M_32, no_feats, &f), -1);
    assert_int_equal(decode(0x5004, M_8, no_feats, &f), TOY_ROW_narrow);
    assert_int_equal(decode(0x5004, M_8 | M_WIDE, no_feats, &f), TOY_ROW_wide);
    assert_int_equal(decode(0x6004, 0, no_feats, &f), TOY_ROW_old);
    assert_int_equal(decode(0x6004, 0, only_new, &f), TOY_ROW_new);
    assert_int_equal(decode(0x6004, 0, all_feats, &f), TOY_ROW_newer);
    assert_int_equal(decode(0x7004, 0, all_feats, &f), -1);
    assert_int_equal(decode(0x7004, 0, (const uint64_t[]){ 1 << TOY_FEAT_Zlone }, &f), TOY_ROW_lone);
    assert_string_equal(toy_feat_names[TOY_FEAT_Znewer], "Znewer");
    assert_null(toy_feat_names[TOY_NFEATS]);
    assert_string_equal(toy_mode_names[TOY_MODE_s32], "s32");
    assert_null(toy_mode_names[TOY_NMODES]);
}

static void overlaps(void **state)
{
    struct toy_fields f;

    for (unsigned h = 0; h < 16; h++)
        for (unsigned m = 0; m < 2; m++)
            assert_int_equal(decode(0x8000 | h << 8 | m << 7, 0, no_feats, &f),
                             h > 3 ? TOY_ROW_shift : m ? TOY_ROW_imm : -1);
    assert_int_equal(decode(0x9080, 0, no_feats, &f), TOY_ROW_left);
    assert_int_equal(decode(0x9004, 0, no_feats, &f), TOY_ROW_right);
    assert_int_equal(decode(0x9000, 0, no_feats, &f), TOY_ROW_mid);
    assert_int_equal(decode(0x9084, 0, no_feats, &f), -1);
}

/* A page end may cut an instruction off anywhere. */
static void short_reads(void **state)
{
    uint8_t *p = malloc(4); /* exactly as long as what is readable, for the sanitizer */
    struct toy_fields f;

    memcpy(p, (uint8_t[]){ 0x83, 0x02, 0x10, 0x00 }, 4);
    assert_int_equal(toy_decode(p, 4, 0, no_feats, &f), TOY_ROW_load);
    assert_int_equal(toy_decode(p, 3, 0, no_feats, &f), -2);
    assert_int_equal(toy_decode(p, 2, 0, no_feats, &f), -2);
    assert_int_equal(toy_decode(p, 1, 0, no_feats, &f), -2);
    memcpy(p, (uint8_t[]){ 0x54, 0x05 }, 2);
    assert_int_equal(toy_decode(p, 2, 0, no_feats, &f), TOY_ROW_add);
    assert_int_equal(toy_decode(p, 1, 0, no_feats, &f), -2);
    memcpy(p, (uint8_t[]){ 0x02, 0x00, 0, 0 }, 4);
    assert_int_equal(toy_decode(p, 4, 0, no_feats, &f), -1);
    assert_int_equal(f.len, 2); /* no row begins like this */
    memcpy(p, (uint8_t[]){ 0x03, 0x70, 0, 0 }, 4);
    assert_int_equal(toy_decode(p, 4, 0, no_feats, &f), -1);
    assert_int_equal(toy_decode(p, 2, 0, no_feats, &f), -1);
    assert_int_equal(f.len, 2);
    free(p);
}

static void disassembly(void **state)
{
    assert_string_equal(text(0x0554, 0, no_feats), "add r21, r10");
    assert_string_equal(text(0x0008, 0, no_feats), "clr r2");
    assert_string_equal(text(0x0084, 0, no_feats), "set1 1, r1");
    assert_string_equal(text(0x0004, 0, no_feats), "clr1");
    assert_string_equal(text(0x0108, 0, no_feats), "dbl r2 4");
    assert_string_equal(text(0x1804, 0, no_feats), "jump 0xe00");
    assert_string_equal(text(0x1800, 0, no_feats), "far <e00>");
    assert_string_equal(text(0x3ff0, 0, no_feats), "any 0xff");
    assert_string_equal(text(0x9000, 0, no_feats), "mid {}");
    assert_string_equal(text(0xfffffe87, 0, no_feats), "wrap 0 1fffffd 4");
    assert_string_equal(text(0x80100283, 0, no_feats), "load r5, -2047(r0)");
    assert_string_equal(text(0x00007003, 0, no_feats), ".2byte 0x7003");

    char tiny[6];
    assert_int_equal(toy_disassemble(tiny, sizeof tiny, (uint8_t[]){ 0x54, 5, 0, 0 }, 4, 0, no_feats, 0), 2);
    assert_string_equal(tiny, "add r");
    assert_int_equal(toy_disassemble(NULL, 0, (uint8_t[]){ 0x54, 5, 0, 0 }, 4, 0, no_feats, 0), 2);
    char buf[20];
    assert_int_equal(toy_disassemble(buf, sizeof buf, (uint8_t[]){ 0x83 }, 1, 0, no_feats, 0), 1);
    assert_string_equal(buf, ".byte 0x83");
}

static uint64_t xorshift(void *ctx)
{
    uint64_t *s = ctx;
    *s ^= *s << 13, *s ^= *s >> 7, *s ^= *s << 17;
    return *s;
}

static void random_rows(void **state)
{
    struct toy_fields f;
    uint64_t seed = 1;
    uint8_t b[8];
    bool seen[TOY_NROWS] = { false };

    for (int row = 0; row < TOY_NROWS; row++)
        for (unsigned i = 0; i < 50; i++) {
            unsigned len = toy_random(xorshift, &seed, b, M_8, only_new, row);
            if (row == TOY_ROW_sized_h || row == TOY_ROW_wide || row == TOY_ROW_newer || row == TOY_ROW_lone ||
                row == TOY_ROW_old) { /* ruled out, or hidden by a row with more gates */
                assert_int_equal(len, 0);
                break;
            }
            assert_int_equal(toy_decode(b, len, M_8, only_new, &f), row);
            assert_int_equal(f.len, len);
        }
    for (unsigned i = 0; i < 5000; i++) {
        unsigned len = toy_random(xorshift, &seed, b, M_8, only_new, -1);
        int row = toy_decode(b, len, M_8, only_new, &f);
        assert_in_range(row, 0, TOY_NROWS - 1);
        seen[row] = true;
    }
    for (int row = 0; row < TOY_NROWS; row++)
        assert_int_equal(seen[row], toy_random(xorshift, &seed, b, M_8, only_new, row) != 0);
}

static void helpers(void **state)
{
    const struct ir_helper *h = &toy_hd_mix;
    union vlanes ret = { .u64 = { ~0ull, ~0ull } }, args[4] = { 0 };

    assert_string_equal(h->name, "mix");
    assert_int_equal(h->ret, T_I32);
    assert_int_equal(h->nargs, 4);
    assert_int_equal(h->args[0], T_I8);
    assert_int_equal(h->args[1], T_I1);
    assert_int_equal(h->args[2], T_F64);
    assert_int_equal(h->args[3], T_V128);
    assert_int_equal(h->reads, 1 | 4);
    assert_int_equal(h->writes, 2);
    assert_int_equal(h->flags, HF_FP);
    args[0].u64[0] = 0xff11, args[1].u64[0] = 1, args[2].u64[0] = 0x22, args[3].u64[1] = 0x33;
    h->thunk(NULL, &ret, args);
    assert_int_equal(ret.u64[0], 0x33220111);
    assert_ptr_equal(h->fn, (void *)toy_helper_mix);
    assert_int_equal(toy_hd_nothing.ret, T_VOID);
    assert_int_equal(toy_hd_nothing.flags, HF_FAULT);
    args[0].u64[0] = 5, args[1].u64[0] = 6;
    toy_hd_both.thunk(NULL, &ret, args);
    assert_int_equal(ret.u64[0], 5);
    assert_int_equal(ret.u64[1], 6);
}

static void msb_first(void **state)
{
    struct msb_fields f;
    const uint8_t brief[] = { 0x25, 0x80 }, full[] = { 0xf4, 0x01, 0xb0, 0x07 }, triple[] = { 0xe1, 0x23, 0x45, 0x67, 0x89, 0xab };
    const uint8_t across[] = { 0xf8 | 0x04 | 0x02, 0x01, 0x00, 0x01 };
    char buf[40];

    assert_int_equal(msb_decode(brief, 2, 0, NULL, &f), MSB_ROW_brief);
    assert_int_equal(f.rd, 5);
    assert_int_equal(f.imm, -128);
    assert_int_equal(msb_decode(full, 4, 0, NULL, &f), MSB_ROW_full);
    assert_int_equal(f.a, 0x401);
    assert_int_equal(f.b, 5);
    assert_int_equal(f.c, 7);
    assert_int_equal(msb_decode(full, 2, 0, NULL, &f), -2);
    assert_int_equal(msb_decode(across, 4, 0, NULL, &f), MSB_ROW_across);
    assert_int_equal(f.a, 1);
    assert_int_equal(f.w, 0x80400001); /* 10 0000 0001 | 000000 | 00 0000 0001 */
    assert_int_equal(msb_decode(triple, 6, 0, NULL, &f), MSB_ROW_triple);
    assert_int_equal(f.len, 6);
    msb_disassemble(buf, sizeof buf, triple, 6, 0, NULL, 0);
    assert_string_equal(buf, "triple 291 4567 89ab");
    assert_int_equal(msb_decode(triple, 5, 0, NULL, &f), -2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields), cmocka_unit_test(validity_and_computed), cmocka_unit_test(modes_and_features),
        cmocka_unit_test(overlaps), cmocka_unit_test(short_reads), cmocka_unit_test(disassembly),
        cmocka_unit_test(random_rows), cmocka_unit_test(helpers), cmocka_unit_test(msb_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
