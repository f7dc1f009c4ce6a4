/*
 * vec_test.c: every scalar floating-point and vector operation of ops.def, each in a region of its own, compiled at
 * each level of host features and run on edge and random operands: result and flags must be ir_eval's or
 * host_fp_eval's. Forms: operands die, live on (must be unchanged), or are one and the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "host/x86_64/gen.h"

/* --- the guest: four registers of each type
 * ----------------------------------------------------------------------------- */
enum { PER_TYPE = 4 };
struct test_cpu {
    CPU cpu;
    union vlanes r[T_COUNT][PER_TYPE];
    uint64_t align[8];
    struct jc_entry jc[JC_SIZE];
};
static struct ir_reg regs[T_COUNT * PER_TYPE];
static const unsigned nregs = ARRAY_LEN(regs);
static unsigned reg_of(unsigned type, unsigned i) { return type * PER_TYPE + i; }

static struct x86_features detected;
static const struct host *host;
static void *handle;
static struct code_buf code;
static uint8_t *code_start;
static struct test_cpu *tc;
static struct vcpu vcpu;
static struct ir ir;

static int setup(void **state)
{
    const size_t size = 1 << 20;
    struct err e = { 0 };
    int fd = memfd_create("code", 0);

    for (unsigned t = 0; t < T_COUNT; t++)
        for (unsigned i = 0; i < PER_TYPE; i++)
            regs[reg_of(t, i)] = (struct ir_reg){ .name = "r", .type = (uint8_t)(t ? t : T_I64), .pin = -1,
                                                  .offset = (int32_t)offsetof(struct test_cpu, r[t][i]) };
    host = host_find("x86_64");
    if (!host || fd < 0 || ftruncate(fd, (off_t)size)) return -1;
    code.rw = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    uint8_t *rx = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    if (code.rw == MAP_FAILED || rx == MAP_FAILED) return -1;
    code.end = code.rw + size;
    code.delta = rx - code.rw;
    tc = aligned_alloc(64, ALIGN_UP(sizeof(*tc), 64));
    memset(tc, 0, sizeof(*tc));
    tc->cpu.v = &vcpu;
    vcpu.cpu = &tc->cpu;
    const struct host_env env = {
        .regs = regs, .nregs = nregs, .jc_offset = offsetof(struct test_cpu, jc), .addr_bits = 64
    };
    handle = host->init(&env, &code, &e);
    if (!handle) {
        fprintf(stderr, "%s\n", e.msg);
        return -1;
    }
    code_start = code.rw;
    detected = x86;
    return 0;
}

/* --- operands
 * ------------------------------------------------------------------------------------------------------------- */
static uint64_t rnd_state = 7;
static uint64_t rnd(void)
{
    uint64_t z = rnd_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static const uint16_t edge16[] = { 0,      0x8000, 0x7c00, 0xfc00, 0x7e00, 0xfe01, 0x7c01, 0xfd55, 1,
                                   0x83ff, 0x0400, 0x8400, 0x0401, 0x3c00, 0xbc00, 0x3bff, 0x3c01, 0x7bff,
                                   0x4200, 0x3800, 0xb800, 0x3555, 0x6400, 0x77ff, 0x0c00 };
static const uint32_t edge32[] = { 0,          0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001, 0x7f800001,
                                   0xffaaaaaa, 1,          0x807fffff, 0x00800000, 0x80800000, 0x00800001, 0x3f800000,
                                   0xbf800000, 0x3f7fffff, 0x3f800001, 0x7f7fffff, 0x40400000, 0x3f000000, 0xbf000000,
                                   0x3fc00000, 0x40200000, 0x4f000000, 0xcf000000, 0x4effffff, 0x4f800000, 0x5f000000,
                                   0x5f800000, 0xdf000000, 0x4b000001, 0x38800000, 0x387fffff, 0x477fe000, 0x477ff000,
                                   0x33000000, 0x20000000 };
static const uint64_t edge64[] = { 0,
                                   1ull << 63,
                                   0x7ff0000000000000,
                                   0xfff0000000000000,
                                   0x7ff8000000000000,
                                   0xfff8000000000001,
                                   0x7ff0000000000001,
                                   0xfff5555555555555,
                                   1,
                                   0x800fffffffffffff,
                                   0x0010000000000000,
                                   0x8010000000000000,
                                   0x0010000000000001,
                                   0x3ff0000000000000,
                                   0xbff0000000000000,
                                   0x3fefffffffffffff,
                                   0x3ff0000000000001,
                                   0x7fefffffffffffff,
                                   0x4008000000000000,
                                   0x3fe0000000000000,
                                   0xbfe0000000000000,
                                   0x3ff8000000000000,
                                   0x4004000000000000,
                                   0x41dfffffffc00000,
                                   0x41dfffffffe00000,
                                   0x41e0000000000000,
                                   0xc1e0000000000000,
                                   0xc1e0000000100000,
                                   0xc1e0000000200000,
                                   0x41efffffffe00000,
                                   0x41efffffffefffff,
                                   0x41f0000000000000,
                                   0x43e0000000000000,
                                   0xc3e0000000000000,
                                   0x43f0000000000000,
                                   0x43dfffffffffffff,
                                   0x3810000000000000,
                                   0x380fffffffffffff,
                                   0x380ffffff0000000,
                                   0x47efffffe0000000,
                                   0x47effffff0000000,
                                   0x3690000000000000,
                                   0x3f10000000000000,
                                   0x40effc0000000000,
                                   0x40effe0000000000,
                                   0x0020000000000000,
                                   0x4330000000000001,
                                   0x0008000000000000 };

/* A number of a floating-point width: edge, small range (so that sums and roundings meet), or any bits. */
static uint64_t rnd_fp(unsigned bits)
{
    uint64_t r = rnd(), k = rnd() >> 8;

    if (r & 1)
        return bits == 16   ? edge16[k % ARRAY_LEN(edge16)]
               : bits == 32 ? edge32[k % ARRAY_LEN(edge32)]
                            : edge64[k % ARRAY_LEN(edge64)];
    if (r & 2) return k | r << 32;
    switch (bits) {
    case 16: return (k & 0x83ff) | (10 + (r >> 8) % 12) << 10;
    case 32: return (k & 0x807fffff) | (118 + (r >> 8) % 45) << 23;
    default: return (r & (1ull << 63)) | (k & ~0xfffull) >> 12 | (1014 + (r >> 8) % 70) << 52;
    }
}

static uint64_t rnd_int(unsigned bits)
{
    uint64_t r = rnd(), k = rnd();

    switch (r & 7) {
    case 0: return (r >> 8) % 3 - 1;
    case 1: return (1ull << (bits - 1)) - ((r >> 8) & 1);
    case 2: return (r >> 8) % (2 * bits + 2);
    case 3: return 1ull << (r >> 8) % bits;
    case 4: return k & 0x0101010101010101 * (r >> 8 & 0xff);
    default: return k;
    }
}

static union vlanes operand(unsigned type, unsigned lane_bits, bool fp)
{
    union vlanes v = { .u64 = { rnd(), rnd() } };

    if (type == T_V128) {
        if (rnd() % 16 == 0) return v;
        for (unsigned i = 0; i < 128; i += lane_bits) {
            uint64_t k = fp ? rnd_fp(lane_bits) : rnd_int(lane_bits);
            switch (lane_bits) {
            case 8: v.u8[i / 8] = (uint8_t)k; break;
            case 16: v.u16[i / 16] = (uint16_t)k; break;
            case 32: v.u32[i / 32] = (uint32_t)k; break;
            default: v.u64[i / 64] = k;
            }
        }
        return v;
    }
    unsigned bits = type == T_I1                     ? 1
                    : type == T_I8                   ? 8
                    : type == T_I16 || type == T_F16 ? 16
                    : type == T_I32 || type == T_F32 ? 32
                                                     : 64;
    v.u64[0] = (type >= T_F16 ? rnd_fp(bits) : rnd_int(bits)) & bits_mask(bits);
    v.u64[1] = 0;
    return v;
}

/* --- a region of one operation
 * --------------------------------------------------------------------------------------------- */
enum form { DIE, LIVE, SAME, FORMS };

static V emit(struct ir_ins in) { return ir_emit(&ir, in); }

static const struct region *build(const struct ir_ins *op, const uint8_t *type, const struct ir_fp *fp, enum form form)
{
    static struct region r;
    struct ir_ins in = *op;
    V v[3] = { 0 }, res;

    free(r.maps);
    free(r.exits);
    r = (struct region){ .pc = 0x1000 };
    ir_reset(&ir, regs, nregs);
    ir.fp = *fp;
    ir_newblock(&ir, 0x1000);
    uint32_t first = ir.nins;
    emit((struct ir_ins){ .op = IR_INSN, .imm = 0x1000, .x = 4 });
    for (unsigned i = 0; i < 3 && type[i]; i++) {
        if (form == SAME && i && type[i] == type[0]) v[i] = v[0];
        else v[i] = emit((struct ir_ins){ .op = IR_GET, .type = type[i], .x = reg_of(type[i], i) });
    }
    in.a = v[0], in.b = v[1], in.c = v[2];
    res = emit(in);
    emit((struct ir_ins){ .op = IR_PUT, .type = in.type, .a = res, .x = reg_of(in.type, 3) });
    for (unsigned i = 0; form == LIVE && i < 3 && type[i];
         i++) /* operands end up in the next register, which is no operand */
        emit((struct ir_ins){ .op = IR_PUT, .type = type[i], .a = v[i], .x = reg_of(type[i], i) });
    emit((struct ir_ins){ .op = IR_EXIT, .imm = 0x1004 });
    ir.blk[0] = (struct ir_block){ .first = first, .end = ir.nins, .pc = 0x1000, .entry = 1 };
    memset(&ir.blk[0].live_in, 0xff, sizeof(ir.blk[0].live_in));
    ir.blk[0].live_out = ir.blk[0].live_in;
    for (uint32_t i = 0; i < ir.nins; i++) ir.flag[i] = IRF_LIVE;
    code.rw = code_start;
    int rc = host->compile(handle, &ir, &code, &r);
    if (rc) fail_msg("compile %s: %d", ir_opinfo[op->op].text, rc);
    return &r;
}

static void fail_op(const char *what, const struct ir_ins *in, const struct ir_fp *fp, const char *level,
                    enum form form, const union vlanes *o, const union vlanes *got, const union vlanes *want,
                    unsigned flags, unsigned wflags)
{
    fail_msg("%s at %s, form %d: %s type %d sub %d mo %d x %u y %u, nan %d tiny %d rm %u\n a %016llx:%016llx b "
             "%016llx:%016llx c %016llx:%016llx\n"
             " got  %016llx:%016llx flags %x\n want %016llx:%016llx flags %x",
             what, level, form, ir_opinfo[in->op].text, in->type, in->sub, in->mo, in->x, in->y, fp->nan,
             fp->tiny_before, tc->cpu.fp.rm, (unsigned long long)o[0].u64[1], (unsigned long long)o[0].u64[0],
             (unsigned long long)o[1].u64[1], (unsigned long long)o[1].u64[0], (unsigned long long)o[2].u64[1],
             (unsigned long long)o[2].u64[0], (unsigned long long)got->u64[1], (unsigned long long)got->u64[0], flags,
             (unsigned long long)want->u64[1], (unsigned long long)want->u64[0], wflags);
}

static unsigned lane_bits_of(const struct ir_ins *in)
{
    static const uint8_t bits[] = { 8, 16, 32, 64, 16, 32, 64 };
    return bits[in->sub % 7];
}

static void run(const struct ir_ins *in, const uint8_t *type, const struct ir_fp *fp, const char *level,
                enum form form, unsigned rm, unsigned count)
{
    const struct region *r = build(in, type, fp, form);
    bool is_fp = ir_opinfo[in->op].flags & F_FP;
    unsigned bits = lane_bits_of(in);
    bool fp_lanes = in->sub >= L_F16 && in->op != IR_VITOF;

    for (unsigned n = 0; n < count; n++) {
        union vlanes o[3] = { 0 }, want = { 0 }, got;
        unsigned accrued = rnd() & 1 ? FPF_INEXACT : 0;
        CPU eval = { .fp = { .rm = rm, .flags = accrued } };
        for (unsigned i = 0; i < 3 && type[i]; i++) {
            unsigned b = in->op >= IR_VADD ? bits : 8;
            if (in->op == IR_VFCVTN || in->op == IR_VNARROW || in->op == IR_VNARSS || in->op == IR_VNARSU ||
                in->op == IR_VNARUU)
                b *= 2;
            o[i] = form == SAME && i && type[i] == type[0] ? o[0] : operand(type[i], b, fp_lanes);
            if (in->op == IR_FUNBOX && rnd() & 3) o[0].u64[0] |= in->type == T_F32 ? ~0ull << 32 : ~0ull << 16;
            if (in->op == IR_VTBL && i == 1 && form != SAME)
                for (unsigned k = 0; k < 16; k++) o[1].u8[k] &= rnd() & 1 ? 0x1f : 0xff;
            memset(&tc->r[type[i]][i], 0xa5, 16);
            memcpy(&tc->r[type[i]][i], &o[i], MAX(ir_type_bits[type[i]] / 8, 1));
        }
        if (is_fp) host_fp_eval(&eval, fp, in, type[0], &o[0], &o[1], &o[2], &want);
        else if (!ir_eval(in, type[0], &o[0], &o[1], &o[2], &want))
            fail_msg("%s cannot be evaluated", ir_opinfo[in->op].text);
        memset(&tc->r[in->type][3], 0x5a, 16);
        tc->cpu.fp = (struct cpu_fp){ .rm = rm, .flags = accrued };
        host->fp_sync(&tc->cpu);
        tc->cpu.pc = 0x1000;
        enum cpu_exc exc = host->enter(handle, &tc->cpu, r->code);
        if (exc != EXC_NONE || tc->cpu.pc != 0x1004)
            fail_msg("%s: left with %d, pc %llx", ir_opinfo[in->op].text, exc, (unsigned long long)tc->cpu.pc);
        memset(&got, 0, sizeof(got));
        unsigned size = MAX(ir_type_bits[in->type] / 8, 1);
        memcpy(&got, &tc->r[in->type][3], size);
        if (memcmp(&got, &want, size) || tc->cpu.fp.flags != eval.fp.flags)
            fail_op("result", in, fp, level, form, o, &got, &want, tc->cpu.fp.flags, eval.fp.flags);
        for (unsigned i = 0; form == LIVE && i < 3 && type[i]; i++)
            if (memcmp(&tc->r[type[i]][i], &o[i], MAX(ir_type_bits[type[i]] / 8, 1)))
                fail_op("operand", in, fp, level, form, o, &tc->r[type[i]][i], &o[i], i, i);
    }
}

/* --- what forms an operation has
 * ----------------------------------------------------------------------------------------------- */
enum {
    LI = 1 << L_I8 | 1 << L_I16 | 1 << L_I32 | 1 << L_I64,
    LI8_32 = LI & ~(1 << L_I64),
    LF = 1 << L_F16 | 1 << L_F32 | 1 << L_F64,
    LALL = LI | LF,
    L1 = 1 << L_I8
};
enum { X_NONE, X_2, X_BYTES17, X_WIDTH, X_LANE, X_248, X_FTOI };
enum { MO_NONE, MO_RM, MO_MINMAX, MO_COND, MO_FCOND, MO_VRED };
static const struct row { uint8_t op, lanes, x, y, mo;
} rows[] = {
#define R(name, ...) { .op = IR_##name, __VA_ARGS__ }
    R(VADD, .lanes = LI), R(VSUB, .lanes = LI), R(VMUL, .lanes = LI), R(VMULHS, .lanes = LI),
    R(VMULHU, .lanes = LI), R(VMULLS, .lanes = LI8_32, .x = X_2), R(VMULLU, .lanes = LI8_32, .x = X_2),
    R(VDOTSS, .lanes = L1), R(VDOTUU, .lanes = L1), R(VDOTUS, .lanes = L1), R(VAND, .lanes = L1),
    R(VOR, .lanes = L1), R(VXOR, .lanes = L1), R(VANDN, .lanes = L1), R(VBSEL, .lanes = L1),
    R(VABS, .lanes = LI), R(VMINS, .lanes = LI), R(VMINU, .lanes = LI), R(VMAXS, .lanes = LI),
    R(VMAXU, .lanes = LI), R(VAVGU, .lanes = LI), R(VADDSS, .lanes = LI), R(VADDUS, .lanes = LI),
    R(VSUBSS, .lanes = LI), R(VSUBUS, .lanes = LI), R(VSHLI, .lanes = LI, .x = X_WIDTH),
    R(VSHRI, .lanes = LI, .x = X_WIDTH), R(VSARI, .lanes = LI, .x = X_WIDTH), R(VSHL, .lanes = LI),
    R(VSHR, .lanes = LI), R(VSAR, .lanes = LI), R(VCMP, .lanes = LI, .mo = MO_COND), R(VPOPCNT, .lanes = LI),
    R(VCLZ, .lanes = LI), R(VBITREV, .lanes = L1), R(VDUP, .lanes = LALL), R(VFROM, .lanes = L1),
    R(VZEXT, .lanes = L1, .x = X_248), R(VGET, .lanes = LALL, .x = X_LANE), R(VINS, .lanes = LALL, .x = X_LANE),
    R(VINSV, .lanes = LALL, .x = X_LANE, .y = X_LANE), R(VZIP1, .lanes = LI), R(VZIP2, .lanes = LI),
    R(VUZP1, .lanes = LI), R(VUZP2, .lanes = LI), R(VTRN1, .lanes = LI), R(VTRN2, .lanes = LI),
    R(VALIGN, .lanes = L1, .x = X_BYTES17), R(VTBL, .lanes = L1), R(VSXTL, .lanes = LI8_32, .x = X_2),
    R(VUXTL, .lanes = LI8_32, .x = X_2), R(VNARROW, .lanes = LI8_32), R(VNARSS, .lanes = LI8_32),
    R(VNARSU, .lanes = LI8_32), R(VNARUU, .lanes = LI8_32), R(VPADD, .lanes = LI),
    R(VRED, .lanes = LI, .mo = MO_VRED), R(VMSK, .lanes = LI), R(VCLMUL, .lanes = L1, .x = X_2, .y = X_2),
    R(VAESE, .lanes = L1), R(VAESD, .lanes = L1), R(VAESMC, .lanes = L1), R(VAESIMC, .lanes = L1),
    R(VFADD, .lanes = LF, .mo = MO_RM), R(VFSUB, .lanes = LF, .mo = MO_RM), R(VFMUL, .lanes = LF, .mo = MO_RM),
    R(VFDIV, .lanes = LF, .mo = MO_RM), R(VFSQRT, .lanes = LF, .mo = MO_RM), R(VFMA, .lanes = LF, .mo = MO_RM),
    R(VFMIN, .lanes = LF, .mo = MO_MINMAX), R(VFMAX, .lanes = LF, .mo = MO_MINMAX), R(VFNEG, .lanes = LF),
    R(VFABS, .lanes = LF), R(VFCMP, .lanes = LF, .mo = MO_FCOND),
    R(VFTOI, .lanes = LF, .x = X_FTOI, .mo = MO_RM), R(VITOF, .lanes = LF, .x = X_2, .mo = MO_RM),
    R(VFRINT, .lanes = LF, .x = X_2, .mo = MO_RM),
    R(VFCVTW, .lanes = LF & ~(1 << L_F64), .x = X_2, .mo = MO_RM),
    R(VFCVTN, .lanes = LF & ~(1 << L_F64), .mo = MO_RM),
#undef R
};

static unsigned x_values(unsigned kind, const struct ir_ins *in, uint32_t *out)
{
    unsigned bits = lane_bits_of(in), n = 0;

    switch (kind) {
    case X_2: out[n++] = 0, out[n++] = 1; break;
    case X_248: out[n++] = 2, out[n++] = 4, out[n++] = 8; break;
    case X_BYTES17: for (; n <= 16; n++) out[n] = n; break;
    case X_WIDTH: for (; n <= bits; n++) out[n] = n; break;
    case X_LANE: for (; n < 128 / bits; n++) out[n] = n; break;
    case X_FTOI: /* signed or not, policies, with or without inexact */
        for (unsigned k = 0; k < 12; k++) out[n++] = (k & 1) | (k / 2 % 3) << 1 | (k >= 6 ? FTOI_NOINEX : 0);
        break;
    default: out[n++] = 0;
    }
    return n;
}

static unsigned mo_values(unsigned kind, uint8_t *out)
{
    static const uint8_t count[] = { [MO_NONE] = 1,         [MO_RM] = RM_ODD + 1, [MO_MINMAX] = MM_X86 + 1,
                                     [MO_COND] = C_UGT + 1, [MO_FCOND] = 8,       [MO_VRED] = VRED_MAXU + 1 };
    for (unsigned i = 0; i < count[kind]; i++)
        out[i] = (uint8_t)(kind == MO_FCOND && i > 3 ? (i - 4) | FC_SIGNALLING : i);
    return count[kind];
}

/* --- levels of host features
 * ---------------------------------------------------------------------------------------------------- */
static const char *const level_name[] = { "SSE4.1", "SSE4.2", "AVX2", "AVX-512", "all" };
enum { LEVELS = ARRAY_LEN(level_name) };

static void set_level(unsigned level)
{
    x86 = detected;
    if (level < 4) x86.avx512_fp16 = x86.avx512_bitalg = x86.gfni = false;
    if (level < 3) x86.avx512vl = x86.avx512bw = x86.avx512dq = x86.avx512cd = false;
    if (level < 2) x86.avx = x86.avx2 = x86.fma = x86.f16c = x86.bmi1 = x86.bmi2 = false;
    if (level < 1) x86.sse42 = x86.pclmul = x86.aes = x86.popcnt = x86.lzcnt = false;
}

static const struct ir_fp policies[] = {
    { .nan = NAN_CANON },
    { .nan = NAN_ARM, .tiny_before = 1 },
    { .nan = NAN_CANON, .tiny_before = 1 },
    { .nan = NAN_X86 },
    { .nan = NAN_ARM, .tiny_before = 1, .slow = 1 },
    { .nan = NAN_ARM, .tiny_before = 1, .ftz = 1, .slow = 1 },
    { .nan = NAN_CANON, .ftz = 1, .slow = 1 },
};

/* One operation with given fields: all levels, policies, dynamic modes and forms it has. */
static void check(const struct ir_ins *in, const uint8_t *type, unsigned count)
{
    static const struct ir_fp none = { 0 };
    bool is_fp = ir_opinfo[in->op].flags & F_FP;
    unsigned forms = type[1] && type[1] == type[0] ? FORMS : LIVE + 1;

    for (unsigned level = 0; level < LEVELS; level++) {
        set_level(level);
        for (unsigned p = 0; p < (is_fp ? ARRAY_LEN(policies) : 1); p++)
            for (unsigned f = 0; f < forms; f++)
                for (unsigned rm = RM_RNE; rm <= (is_fp ? policies[p].slow ? RM_RMM : RM_RUP : RM_RNE); rm++)
                    run(in, type, is_fp ? &policies[p] : &none, level_name[level], f, rm, count);
    }
    x86 = detected;
}

static void test_vectors(void **state)
{
    for (const struct row *w = rows; w < rows + ARRAY_LEN(rows); w++)
        for (unsigned lane = L_I8; lane <= L_F64; lane++) {
            if (!(w->lanes >> lane & 1)) continue;
            struct ir_ins in = { .op = w->op, .type = T_V128, .sub = (uint8_t)lane };
            const char *sig = ir_opinfo[w->op].sig;
            uint8_t type[3] = { 0 }, mo[32];
            uint32_t xs[65], ys[65];
            unsigned nx = x_values(w->x, &in, xs), ny = x_values(w->y, &in, ys), nmo = mo_values(w->mo, mo);
            unsigned count = nx * ny * nmo > 20 ? 12 : 40;
            for (unsigned i = 0; i < strlen(sig + 2); i++) type[i] = T_V128;
            for (unsigned i = 0; i < nx * ny * nmo; i++) {
                in.x = xs[i % nx], in.y = ys[i / nx % ny], in.mo = mo[i / nx / ny];
                if (w->op == IR_VDUP || w->op == IR_VFROM || w->op == IR_VINS) {
                    unsigned op = w->op == IR_VINS;
                    for (unsigned t = T_I8; t <= T_F64; t++) {
                        bool fp_ok = t < T_F16 ? lane < L_F16 : w->op == IR_VFROM || lane == L_F16 + t - T_F16;
                        if (!fp_ok || (w->op != IR_VFROM && ir_type_bits[t] < lane_bits_of(&in))) continue;
                        type[op] = (uint8_t)t;
                        check(&in, type, 20);
                    }
                } else if (w->op == IR_VGET || w->op == IR_VRED) {
                    for (unsigned t = w->op == IR_VGET ? T_I8 : T_I32; t <= (w->op == IR_VGET ? T_F64 : T_I64); t++) {
                        if (t < T_F16 ? lane >= L_F16 || ir_type_bits[t] < lane_bits_of(&in)
                                      : lane != L_F16 + t - T_F16)
                            continue;
                        in.type = (uint8_t)t;
                        check(&in, type, 20);
                    }
                } else {
                    if (w->op == IR_VMSK) in.type = T_I32;
                    check(&in, type, count);
                }
            }
        }
}

/* VTBL with constant indices: each a permutation of its own. */
static void test_table_constant(void **state)
{
    static const struct ir_fp none = { 0 };
    const uint8_t type[3] = { T_V128 };

    for (unsigned level = 0; level < LEVELS; level++) {
        set_level(level);
        for (unsigned n = 0; n < 20; n++) {
            union vlanes k = operand(T_V128, 8, false), a = operand(T_V128, 8, false), want, got;
            struct ir_ins in = { .op = IR_VTBL, .type = T_V128 };
            for (unsigned i = 0; i < 16; i++) k.u8[i] &= rnd() & 3 ? 15 : 31;
            ir_eval(&in, T_V128, &a, &k, NULL, &want);
            /* build() makes operands from registers: the table's place in the region is taken by hand */
            struct region r = { .pc = 0x1000 };
            ir_reset(&ir, regs, nregs);
            ir.fp = none;
            ir_newblock(&ir, 0x1000);
            uint32_t first = ir.nins;
            ir.kv = vec_grow(ir.kv, &ir.cap_kv, 1, sizeof(*ir.kv));
            ir.kv[0] = k;
            ir.nkv = 1;
            in.b = emit((struct ir_ins){ .op = IR_KV, .type = T_V128 });
            in.a = emit((struct ir_ins){ .op = IR_GET, .type = T_V128, .x = reg_of(T_V128, 0) });
            V v = emit(in);
            emit((struct ir_ins){ .op = IR_PUT, .type = T_V128, .a = v, .x = reg_of(T_V128, 3) });
            emit((struct ir_ins){ .op = IR_EXIT, .imm = 0x1004 });
            ir.blk[0] = (struct ir_block){ .first = first, .end = ir.nins, .pc = 0x1000, .entry = 1 };
            for (uint32_t i = 0; i < ir.nins; i++) ir.flag[i] = IRF_LIVE;
            code.rw = code_start;
            assert_int_equal(host->compile(handle, &ir, &code, &r), 0);
            tc->r[type[0]][0] = a;
            tc->cpu.fp = (struct cpu_fp){ .rm = RM_RNE };
            host->fp_sync(&tc->cpu);
            host->enter(handle, &tc->cpu, r.code);
            got = tc->r[T_V128][3];
            assert_memory_equal(&got, &want, 16);
            free(r.maps);
            free(r.exits);
        }
    }
    x86 = detected;
}

static void test_scalars(void **state)
{
    for (unsigned op = IR_FADD; op <= IR_FUNBOX; op++)
        for (unsigned t = T_F16; t <= T_F64; t++) {
            struct ir_ins in = { .op = (uint8_t)op, .type = (uint8_t)t };
            uint8_t type[3] = { (uint8_t)t };
            unsigned n = (unsigned)strlen(ir_opinfo[op].sig + 2);
            for (unsigned i = 0; i < n; i++) type[i] = (uint8_t)t;
            switch (op) {
            case IR_FMIN: case IR_FMAX:
                for (in.mo = 0; in.mo <= MM_X86; in.mo++) check(&in, type, 150);
                break;
            case IR_FNEG: case IR_FABS: case IR_FSGN: check(&in, type, 60); break;
            case IR_FCMP:
                in.type = T_I1;
                for (unsigned k = 0; k < 8; k++) {
                    in.sub = k & 3, in.mo = k >> 2 & 1;
                    check(&in, type, 150);
                }
                break;
            case IR_FCVT:
                for (unsigned k = 1; k <= 2; k++) {
                    type[0] = (uint8_t)(T_F16 + (t - T_F16 + k) % 3);
                    for (in.sub = 0; in.sub <= RM_ODD; in.sub++) check(&in, type, 100);
                }
                break;
            case IR_FTOI:
                for (unsigned k = 0; k < 24; k++) {
                    in.type = k & 1 ? T_I64 : T_I32;
                    in.mo = (uint8_t)((k >> 1 & 1) | (k / 4 % 3) << 1 | (k >= 12 ? FTOI_NOINEX : 0));
                    for (in.sub = 0; in.sub <= RM_ODD; in.sub++) check(&in, type, 60);
                }
                break;
            case IR_ITOF:
                for (unsigned k = 0; k < 4; k++) {
                    type[0] = k & 1 ? T_I64 : T_I32;
                    in.mo = k >> 1;
                    for (in.sub = 0; in.sub <= RM_ODD; in.sub++) check(&in, type, 60);
                }
                break;
            case IR_FRINT:
                for (in.mo = 0; in.mo < 2; in.mo++)
                    for (in.sub = 0; in.sub <= RM_ODD; in.sub++) check(&in, type, 100);
                break;
            case IR_FBOX: case IR_FUNBOX:
                if (t == T_F64) break;
                if (op == IR_FBOX) in.type = T_F64;
                else type[0] = T_F64;
                check(&in, type, 60);
                break;
            default: /* arithmetic */
                for (in.sub = 0; in.sub <= RM_ODD; in.sub++) check(&in, type, 200);
            }
        }
}

/* AESE with AESMC, AESD with AESIMC: one instruction of the host. */
static void test_aes_round(void **state)
{
    for (unsigned level = 0; level < LEVELS; level++)
        for (unsigned dec = 0; dec < 2; dec++) {
            struct region r = { .pc = 0x1000 };
            struct ir_ins sub = { .op = dec ? IR_VAESD : IR_VAESE, .type = T_V128 },
                          mix = { .op = dec ? IR_VAESIMC : IR_VAESMC, .type = T_V128 };
            set_level(level);
            ir_reset(&ir, regs, nregs);
            ir_newblock(&ir, 0x1000);
            uint32_t first = ir.nins;
            sub.a = emit((struct ir_ins){ .op = IR_GET, .type = T_V128, .x = reg_of(T_V128, 0) });
            sub.b = emit((struct ir_ins){ .op = IR_GET, .type = T_V128, .x = reg_of(T_V128, 1) });
            mix.a = emit(sub);
            V v = emit(mix);
            emit((struct ir_ins){ .op = IR_PUT, .type = T_V128, .a = v, .x = reg_of(T_V128, 0) });
            emit((struct ir_ins){ .op = IR_EXIT, .imm = 0x1004 });
            ir.blk[0] = (struct ir_block){ .first = first, .end = ir.nins, .pc = 0x1000, .entry = 1 };
            for (uint32_t i = 0; i < ir.nins; i++) ir.flag[i] = IRF_LIVE;
            code.rw = code_start;
            assert_int_equal(host->compile(handle, &ir, &code, &r), 0);
            for (unsigned n = 0; n < 50; n++) {
                union vlanes a = operand(T_V128, 8, false), b = operand(T_V128, 8, false), want;
                ir_eval(&sub, T_V128, &a, &b, NULL, &want);
                ir_eval(&mix, T_V128, &want, NULL, NULL, &want);
                tc->r[T_V128][0] = a, tc->r[T_V128][1] = b;
                host->enter(handle, &tc->cpu, r.code);
                assert_memory_equal(&tc->r[T_V128][0], &want, 16);
            }
            free(r.maps);
            free(r.exits);
        }
    x86 = detected;
}

/* A comparison that is the condition of a branch or a select: form 0, 1. */
static void fused(const struct ir_ins *cmp, unsigned type, const struct ir_fp *fp, unsigned form, const char *level)
{
    struct region r = { .pc = 0x1000 };

    ir_reset(&ir, regs, nregs);
    ir.fp = *fp;
    for (unsigned b = 0; b < (form ? 1 : 3); b++) ir_newblock(&ir, 0x1000 + 4 * b);
    uint32_t first = ir.nins;
    struct ir_ins in = *cmp;
    in.a = emit((struct ir_ins){ .op = IR_GET, .type = (uint8_t)type, .x = reg_of(type, 0) });
    in.b = emit((struct ir_ins){ .op = IR_GET, .type = (uint8_t)type, .x = reg_of(type, 1) });
    V one = emit((struct ir_ins){ .op = IR_K, .type = T_I64, .imm = 1 }),
      two = emit((struct ir_ins){ .op = IR_K, .type = T_I64 });
    V v = emit(in);
    if (form) {
        v = emit((struct ir_ins){ .op = IR_SELECT, .type = T_I64, .a = v, .b = one, .c = two });
        emit((struct ir_ins){ .op = IR_PUT, .type = T_I64, .a = v, .x = reg_of(T_I64, 3) });
        emit((struct ir_ins){ .op = IR_EXIT, .imm = 0x2000 });
        ir.blk[0] = (struct ir_block){ .first = first, .end = ir.nins, .pc = 0x1000, .entry = 1 };
    } else {
        emit((struct ir_ins){ .op = IR_BRC, .a = v, .x = 1, .y = 2 });
        ir.blk[0] = (struct ir_block){ .first = first, .end = ir.nins, .pc = 0x1000, .entry = 1 };
        for (unsigned b = 1; b < 3; b++) {
            first = ir.nins;
            V k = emit((struct ir_ins){ .op = IR_K, .type = T_I64, .imm = b == 1 });
            emit((struct ir_ins){ .op = IR_PUT, .type = T_I64, .a = k, .x = reg_of(T_I64, 3) });
            emit((struct ir_ins){ .op = IR_EXIT, .imm = 0x2000 });
            ir.blk[b] = (struct ir_block){ .first = first, .end = ir.nins, .pc = 0x1000 + 4 * b };
        }
    }
    for (uint32_t i = 0; i < ir.nins; i++) ir.flag[i] = IRF_LIVE;
    code.rw = code_start;
    assert_int_equal(host->compile(handle, &ir, &code, &r), 0);
    for (unsigned n = 0; n < 300; n++) {
        union vlanes a = operand(type, 8, true), b = rnd() & 3 ? operand(type, 8, true) : a, want;
        CPU eval = { .fp = { .rm = RM_RNE } };
        tc->r[type][0] = a, tc->r[type][1] = b, tc->r[T_I64][3].u64[0] = 77;
        host_fp_eval(&eval, fp, cmp, type, &a, &b, NULL, &want);
        tc->cpu.fp = (struct cpu_fp){ .rm = RM_RNE };
        host->enter(handle, &tc->cpu, r.code);
        if (tc->r[T_I64][3].u64[0] != want.u64[0] || tc->cpu.fp.flags != eval.fp.flags)
            fail_msg("%s at %s: type %d condition %d signalling %d, %llx %llx: %llu flags %x, not %x",
                     form ? "select" : "branch", level, type, cmp->sub, cmp->mo, (unsigned long long)a.u64[0],
                     (unsigned long long)b.u64[0], (unsigned long long)tc->r[T_I64][3].u64[0], tc->cpu.fp.flags,
                     eval.fp.flags);
    }
    free(r.maps);
    free(r.exits);
}

static void test_fused(void **state)
{
    for (unsigned level = 0; level < LEVELS; level++)
        for (unsigned k = 0; k < 8 * 3 * 2 * ARRAY_LEN(policies); k++) {
            struct ir_ins in = { .op = IR_FCMP, .type = T_I1, .sub = k & 3, .mo = k >> 2 & 1 };
            set_level(level);
            fused(&in, T_F16 + k / 8 % 3, &policies[k / 48], k / 24 % 2, level_name[level]);
        }
    x86 = detected;
}

static void test_bitcast(void **state)
{
    for (unsigned t = T_F16; t <= T_F64; t++) {
        unsigned i = t - T_F16 + T_I16;
        uint8_t to_fp[3] = { (uint8_t)i }, to_int[3] = { (uint8_t)t };
        check(&(struct ir_ins){ .op = IR_BITCAST, .type = (uint8_t)t }, to_fp, 20);
        check(&(struct ir_ins){ .op = IR_BITCAST, .type = (uint8_t)i }, to_int, 20);
    }
}

/* A new operation has to get a row. */
static void test_complete(void **state)
{
    for (unsigned op = IR_VADD; op <= IR_VFCVTN; op++) {
        bool found = false;
        for (unsigned i = 0; i < ARRAY_LEN(rows); i++) found |= rows[i].op == op;
        if (!found) fail_msg("%s has no row", ir_opinfo[op].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete), cmocka_unit_test(test_bitcast),   cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_fused),    cmocka_unit_test(test_aes_round), cmocka_unit_test(test_table_constant),
        cmocka_unit_test(test_vectors),
    };
    return cmocka_run_group_tests_name("x86_64 vectors and floating point", tests, setup, NULL);
}
