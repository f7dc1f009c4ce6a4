/*
 * riscv_test.c: every row and random bytes become valid IR in every translation mode; CPU models and features; the
 * signal frame and the vdso keep their layout.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include "cpu/guest.h"
#include "cpu/guest_linux.h"
#include "cpu/isa_text.h"
#include "cpu/riscv_sys.h"
#include "mem/mem.h"

extern const struct guest riscv64_guest, riscv32_guest;
extern const struct isa_info riscv_isa;
/* Translation mode, as in riscv.h, which needs the generated header. */
enum {
    MODE_V = 1 << 2, MODE_VILL = 1 << 3, MODE_VFULL = 1 << 4, MODE_VSTART = 1 << 5, MODE_VSEW_SHIFT = 6, MODE_VLMUL_SHIFT = 8,
    MODE_VXRM_SHIFT = 11
};

static uint64_t xorshift(void *ctx)
{
    uint64_t *s = ctx;
    *s ^= *s << 13, *s ^= *s >> 7, *s ^= *s << 17;
    return *s * 0x2545f4914f6cdd1d;
}

static CPU *new_cpu(const struct guest *g, const char *spec)
{
    CPU *cpu = aligned_alloc(64, ALIGN_UP(g->cpu_size, 64));
    struct err e;
    memset(cpu, 0, g->cpu_size);
    if (g->init(cpu, spec, &e)) fail_msg("%s: %s", spec, e.msg);
    return cpu;
}

/* The home of a register. */
static void *home(const struct guest *g, CPU *cpu, const char *name)
{
    for (unsigned i = 0; i < g->nregs; i++)
        if (!strcmp(g->regs[i].name, name)) return (char *)cpu + g->regs[i].offset;
    fail_msg("no register %s", name);
    return NULL;
}
static void set(const struct guest *g, CPU *cpu, const char *name, uint64_t v)
{
    for (unsigned i = 0; i < g->nregs; i++)
        if (!strcmp(g->regs[i].name, name)) g->regs[i].set(cpu, v);
}
static uint64_t get(const struct guest *g, CPU *cpu, const char *name)
{
    for (unsigned i = 0; i < g->nregs; i++)
        if (!strcmp(g->regs[i].name, name)) return g->regs[i].get(cpu);
    return 0;
}
/* Whether the ISA string names an extension. */
static bool has(const struct guest *g, CPU *cpu, const char *ext)
{
    char buf[2048], *isa;
    g->lnx->cpuinfo(cpu, 0, buf, sizeof buf);
    isa = strstr(buf, "rv") + 4;
    *strchr(isa, '\n') = 0;
    if (!ext[1]) return strcspn(isa, ext) < strcspn(isa, "_");
    for (char *word = strtok(isa, "_"); word; word = strtok(NULL, "_"))
        if (!strcmp(word, ext)) return true;
    return false;
}

static void ir_regs(const struct guest *g, struct ir_reg *regs)
{
    for (unsigned i = 0; i < g->nregs; i++)
        regs[i] = (struct ir_reg){ .name = g->regs[i].name, .type = g->regs[i].type, .group = g->regs[i].group,
                                   .pin = g->regs[i].pin, .offset = (int32_t)g->regs[i].offset };
}

/* Look-ups of CSRs halve the table. */
static void csr_order(void **state)
{
    static const unsigned nums[] = {
#define CSR(n, ...) n,
#define CSR_USER(n, ...) n,
#define CSR_HI(n, ...) n,
#define CSR_HI_USER(n, ...) n,
#include "csr.def"
    };
    for (size_t i = 1; i < ARRAY_LEN(nums); i++) assert_true(nums[i - 1] < nums[i]);
}

/* Models of harts with and without a privileged side; user mode's ISA string has none of it. */
static void machine_models(void **state)
{
    static const struct { const char *spec, *isa, *mmu; } want[] = {
        { "rv64", "rv64imafdch_zicbom_zicboz_zicntr_zicsr_zifencei_zihintpause_zihpm", "riscv,sv57" },
        { "rv64,h=off,sv57=off", "rv64imafdc_", "riscv,sv48" }, { "rv64,mmu=off", "rv64imafdch_", NULL },
        { "sifive-e51", "rv64imac_zicntr", NULL }, { "sifive-u54", "rv64imafdc_zicntr", "riscv,sv39" },
        { "rv64,x-smaia=on,g=on", "rv64imafdch_", "riscv,sv57" },
    };
    char buf[2048];
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        CPU *cpu = new_cpu(&riscv64_guest, want[i].spec);
        size_t n = riscv_isa_string(cpu, buf, sizeof buf);
        assert_int_equal(n, strlen(buf));
        assert_memory_equal(buf, want[i].isa, strlen(want[i].isa));
        if (want[i].mmu) assert_string_equal(riscv_mmu_type(cpu), want[i].mmu);
        else assert_null(riscv_mmu_type(cpu));
        assert_false(has(&riscv64_guest, cpu, "sstc"));
        free(cpu);
    }
    CPU *cpu = new_cpu(&riscv64_guest, "rv64,x-smaia=on");
    riscv_isa_string(cpu, buf, sizeof buf);
    assert_non_null(strstr(buf, "_smaia_ssaia_sstc_svadu_"));
    assert_int_equal(riscv_isa_string(cpu, buf, 8), 7);
    free(cpu);
}

/* Translates one instruction as the region builder would and verifies the IR. */
static void translate_one(const struct guest *g, const CPU *r, struct ir *ir, const struct ir_reg *regs,
                          uint32_t mode, const uint8_t *p, size_t avail)
{
    struct xlat t = { .ir = ir, .pc = 0x10000, .next_pc = 0x10000, .mode = mode, .cpu = r };
    struct err e;
    unsigned len;
    char text[160];
    V marker;

    ir_reset(ir, regs, g->nregs);
    g->fp(mode, &ir->fp);
    uint32_t b = ir_newblock(ir, t.pc);
    ir->blk[b].entry = 1;
    marker = ir->blk[b].first = ir_emit(ir, (struct ir_ins){ .op = IR_INSN, .imm = t.pc });
    len = g->translate(&t, p, avail);
    assert_true(len == 0 || len == 2 || len == 4);
    assert_true(len <= avail);
    if (!len) return;
    assert_int_equal(g->disas(text, sizeof text, p, avail, t.pc, r), len);
    ir->ins[marker].x = len;
    if (t.end == XE_IND)
        ir_emit(ir, (struct ir_ins){ .op = IR_EXITI, .a = t.ind, .b = t.new_mode, .y = t.mode, .sub = t.jk });
    else if (t.end == XE_EXC)
        ir_emit(ir, (struct ir_ins){ .op = IR_EXC, .sub = t.exc, .x = t.code, .imm = t.target });
    else
        ir_emit(ir, (struct ir_ins){ .op = IR_EXIT, .imm = t.end ? t.target : t.next_pc, .y = t.mode, .sub = t.jk });
    ir->blk[b].end = ir->nins;
    if (ir_verify(ir, &e)) fail_msg("%s, mode %#x: %s", text, mode, e.msg);
}

/* Any mode that riscv_vmode and the frm bits can come to. */
static uint32_t random_mode(uint64_t *s)
{
    uint64_t q = xorshift(s) >> 20;
    uint32_t mode = (uint32_t)(q >> 8) % 3, v;
    if (q & 1) return mode;
    mode |= (uint32_t)(q >> 33 & 3) << MODE_VXRM_SHIFT;
    if ((q & 0x1e) == 0) return mode | MODE_V | MODE_VILL;
    v = MODE_V | (q >> 24 & 1 ? MODE_VFULL : 0) | ((q >> 25 & 7) == 0 ? MODE_VSTART : 0);
    return mode | v | (uint32_t)(q >> 28 & 3) << MODE_VSEW_SHIFT | (uint32_t)(q >> 30 & 7) << MODE_VLMUL_SHIFT;
}

static void test_translate(void **state UNUSED)
{
    static const struct { const struct guest *g; const char *spec; } cpus[] = {
        { &riscv64_guest, "max" }, { &riscv32_guest, "max" }, { &riscv64_guest, "max,vlen=256" }, { &riscv64_guest, "rv64i" },
        { &riscv64_guest, "max,zbb=off,zbkb=on" }, { &riscv32_guest, "sifive-e31" },
    };
    struct ir ir = { 0 };
    uint64_t feats[16];
    struct ir_reg regs[IR_REGS_MAX];
    uint64_t s = 88172645463325252u;
    memset(feats, 0xff, sizeof feats); /* rows that a CPU does not have become illegal instructions */

    for (size_t k = 0; k < ARRAY_LEN(cpus); k++) {
        CPU *r = new_cpu(cpus[k].g, cpus[k].spec);
        ir_regs(cpus[k].g, regs);
        for (unsigned row = 0; row < riscv_isa.nrows; row++)
            for (int i = 0; i < 12; i++) {
                uint8_t b[16] = { 0 };
                unsigned n = riscv_isa.random(xorshift, &s, b, cpus[k].g->elf_class == 2, feats, (int)row);
                if (n) translate_one(cpus[k].g, r, &ir, regs, random_mode(&s), b, n);
            }
        for (int i = 0; i < 40000; i++) {
            uint64_t bytes = xorshift(&s);
            translate_one(cpus[k].g, r, &ir, regs, random_mode(&s), (const uint8_t *)&bytes, 1 + (size_t)(s >> 13 & 3));
        }
        free(r);
    }
    ir_free(&ir);
}

static void test_models(void **state UNUSED)
{
    static const char *const bad[] = { "rv65", "max,zzz=on", "max,v=maybe", "max,vlen=100", "max,vlen=4096", "max,=on", "max,,," };
    static const struct guest *const guests[] = { &riscv64_guest, &riscv32_guest };
    const struct guest *g = &riscv64_guest;
    CPU *r;

    for (int k = 0; k < 2; k++)
        for (const struct cpu_model *m = guests[k]->models; m->name; m++) {
            r = new_cpu(guests[k], m->name);
            assert_true(has(guests[k], r, "i"));
            free(r);
        }
    /* what an extension implies comes with it, what needs it goes with it */
    r = new_cpu(g, "rv64i,v=on,zfh");
    assert_true(has(g, r, "v") && has(g, r, "d") && has(g, r, "zve32x") && has(g, r, "zfhmin"));
    assert_false(has(g, r, "m") || has(g, r, "zba"));
    free(r);
    r = new_cpu(g, "max,v=off");
    assert_false(has(g, r, "v") || has(g, r, "zve32x") || has(g, r, "zvfh"));
    assert_true(has(g, r, "d"));
    free(r);
    r = new_cpu(g, "max,d=off,vlen=512");
    assert_false(has(g, r, "d") || has(g, r, "v") || has(g, r, "zcd"));
    assert_true(has(g, r, "f") && get(g, r, "vlenb") == 64);
    assert_true(g->lnx->hwcap(r, 0) == (1 | 1 << 2 | 1 << 5 | 1 << 8 | 1 << 12)); /* a c f i m */
    free(r);
    g = &riscv32_guest;
    r = new_cpu(g, "");
    assert_true(has(g, r, "zcf"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = { 0 };
        memset(r, 0, g->cpu_size);
        assert_int_equal(g->init(r, bad[i], &e), -EINVAL);
        assert_true(e.msg[0]);
    }
    free(r);
}

/* A frame that is made and returned from leaves everything as it was. */
static void test_signal_frame(void **state UNUSED)
{
    static const struct guest *const guests[] = { &riscv64_guest, &riscv32_guest };
    for (int k = 0; k < 2; k++) {
        const struct guest *g = guests[k];
        CPU *r = new_cpu(g, "max"), *before = new_cpu(g, "max");
        struct gmem *m = gmem_new(g->addr_bits, 4096, NULL);
        struct vcpu v = { .cpu = r, .mem = m, .guest = g };
        struct guest_signal s = { .sig = 10, .handler = 0x12344, .mask = { 0x55 } };
        uint64_t mask[2], alt[3], seed = 99, limit = g->addr_bits == 32 ? 0xffffffffu : ~0ull, *x = home(g, r, "zero");
        uint64_t *f = home(g, r, "ft0");
        uint8_t *vreg = home(g, r, "v0");
        int64_t stack = gmem_map(m, 0, 65536, GP_READ | GP_WRITE, 0x22, -1, 0); /* MAP_PRIVATE | MAP_ANONYMOUS */

        assert_true(stack > 0);
        r->v = &v;
        for (int i = 1; i < 32; i++) x[i] = xorshift(&seed) & limit;
        for (int i = 0; i < 32; i++) f[i] = xorshift(&seed);
        for (int i = 0; i < 512; i++) vreg[i] = (uint8_t)xorshift(&seed);
        x[2] = (uint64_t)stack + 65528;
        r->pc = 0x10002;
        set(g, r, "fcsr", 4 << 5 | 0x15);
        set(g, r, "vtype", 0xd1);
        set(g, r, "vl", 3);
        set(g, r, "vstart", 1);
        set(g, r, "vcsr", 5);
        r->res_addr = ~0ull;
        memcpy(before, r, g->cpu_size);
        assert_int_equal(g->lnx->sig_setup(r, &s, 0x7000), 0);
        assert_true(r->pc == 0x12344 && x[10] == 10 && x[1] == 0x7000 && x[2] % 16 == 0 && x[12] == x[2] + 128);
        memset(x + 5, 0, 8 * 20);
        memset(f, 0, 256);
        memset(vreg, 0, 512);
        set(g, r, "fcsr", 0);
        set(g, r, "vtype", 0);
        set(g, r, "vstart", 0);
        assert_int_equal(g->lnx->sig_return(r, mask, alt), 0);
        assert_int_equal(mask[0], 0x55);
        assert_memory_equal(r, before, g->cpu_size);
        x[2] = 0x10;
        assert_int_equal(g->lnx->sig_return(r, mask, alt), -EFAULT);
        assert_int_equal(g->lnx->sig_setup(r, &s, 0), -EFAULT);
        gmem_free(m);
        free(r), free(before);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_translate), cmocka_unit_test(test_models), cmocka_unit_test(csr_order),
        cmocka_unit_test(machine_models), cmocka_unit_test(test_signal_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
