/*
 * soft_test.c: memory and code in system mode, on RISC-V code with an MMU of the test's own: a table of pages by address space.
 * Every test runs under the interpreter, the JIT, and the JIT without walking.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "cpu/engine.h"

enum { RAM_AT = 0x80000000, RAM_BYTES = 16 << 20, DEV_AT = 0x10000000, PAGES = 4096, KEYS = 8, GX_DONE = GX_ISA };

static struct rig {
    struct mem *m;
    struct space *s;
    struct ram *ram;
    struct engine *en;
    CPU *cpu;
    struct guest guest;
    uint64_t key;                   /* ASID 0..KEYS-1 */
    struct { uint64_t va, pa; uint8_t prot, bits; bool global, set; } page[KEYS][64];
    unsigned walks, syscalls, interrupts;
    uint64_t dev_value, dev_reads, dev_writes, dev_off, dev_size;
    enum cpu_exc last;
    uint64_t last_addr, last_pc;
    uint32_t last_code;
    void (*on_syscall)(struct rig *r);
} *rig;

static bool t_walk(CPU *cpu, uint64_t va, unsigned access, unsigned view, bool probe, struct walk *w)
{
    unsigned need = access & EXF_EXEC ? GP_EXEC : access & EXF_WRITE ? GP_WRITE : GP_READ;
    if (!probe) rig->walks++;
    for (unsigned i = 0; i < 64; i++) {
        uint64_t size = 1ull << rig->page[rig->key][i].bits;
        if (!rig->page[rig->key][i].set || va - rig->page[rig->key][i].va >= size) continue;
        if (!(rig->page[rig->key][i].prot & need)) break;
        *w = (struct walk){ .phys = rig->page[rig->key][i].pa + (va - rig->page[rig->key][i].va), .page_bits = rig->page[rig->key][i].bits,
                            .prot = rig->page[rig->key][i].prot, .global = rig->page[rig->key][i].global };
        return true;
    }
    if (!probe) {
        cpu->v->exc = EXC_FAULT;
        cpu->v->exc_code = access;
        cpu->v->fault_addr = va;
    }
    return false;
}
static uint64_t t_key(CPU *cpu, unsigned view) { return rig->key; }
static enum sys_next t_exception(CPU *cpu, enum cpu_exc exc)
{
    rig->last = exc;
    rig->last_addr = cpu->v->fault_addr;
    rig->last_code = cpu->v->exc_code;
    rig->last_pc = cpu->pc;
    if (exc == EXC_SYSCALL && rig->on_syscall) {
        rig->syscalls++;
        rig->on_syscall(rig);
        return SYS_GO;
    }
    return SYS_LEAVE;
}
static bool t_interrupt(CPU *cpu) { rig->interrupts++; return false; }
static bool t_work(const CPU *cpu) { return false; }
static const struct guest_sys t_sys = { .walk = t_walk, .space_key = t_key, .asid_mask = KEYS - 1, .exception = t_exception,
                                        .interrupt = t_interrupt, .has_work = t_work };

static uint64_t dev_read(void *dev, uint64_t off, unsigned size, struct mem_attr at)
{
    rig->dev_reads++, rig->dev_off = off, rig->dev_size = size;
    return 0x1122334455667788 >> 8 * (off & 7);
}
static void dev_write(void *dev, uint64_t off, uint64_t val, unsigned size, struct mem_attr at)
{
    rig->dev_writes++, rig->dev_off = off, rig->dev_size = size, rig->dev_value = val;
}
static const struct mmio_ops dev_ops = { .read = dev_read, .write = dev_write };

static const char *const accels[] = { "interp", "jit", "jit-direct" };

static void start(const char *accel)
{
    struct err e = { 0 };
    rig = calloc(1, sizeof *rig);
    rig->m = mem_new();
    rig->s = space_new(rig->m, "memory");
    rig->ram = ram_new(rig->m, "ram", RAM_BYTES, false, &e);
    assert_non_null(rig->ram);
    space_map_ram(rig->s, RAM_AT, rig->ram, 0, RAM_BYTES, 0);
    space_map_mmio(rig->s, "dev", DEV_AT, 0x1000, &dev_ops, NULL, 0);
    rig->guest = *guest_find("riscv64");
    rig->guest.sys = &t_sys;
    struct engine_config cfg = { .guest = &rig->guest, .host = host_of_accel(accel, strcspn(accel, "-")), .sysmem = rig->m,
                                 .warmup = strchr(accel, '-') ? 0 : -1, .opt_passes = ~0u };
    rig->en = engine_new(&cfg, &e);
    if (!rig->en) fail_msg("%s", e.msg);
    rig->cpu = cpu_new_sys(rig->en, "max", 0, rig->s, &e);
    if (!rig->cpu) fail_msg("%s", e.msg);
}

static void stop(void)
{
    engine_free(rig->en);
    mem_free(rig->m);
    free(rig);
}

static void map(unsigned key, unsigned i, uint64_t va, uint64_t pa, unsigned prot, unsigned bits, bool global)
{
    rig->page[key][i].va = va, rig->page[key][i].pa = pa, rig->page[key][i].prot = (uint8_t)prot, rig->page[key][i].bits = (uint8_t)bits;
    rig->page[key][i].global = global, rig->page[key][i].set = true;
}

static void put(uint64_t pa, const uint32_t *code, unsigned n)
{
    assert_true(ram_write(rig->ram, pa - RAM_AT, code, 4 * n));
}

static uint64_t get_x(unsigned n)
{
    uint64_t v[REG_BYTES_MAX / 8];
    cpu_reg_read(rig->cpu, n, v);
    return v[0];
}
static void set_x(unsigned n, uint64_t v)
{
    uint64_t b[REG_BYTES_MAX / 8] = { v };
    cpu_reg_write(rig->cpu, n, b);
}

static enum cpu_exc go(uint64_t pc)
{
    rig->cpu->pc = pc;
    rig->last = EXC_NONE;
    return cpu_run(rig->cpu);
}

/* RISC-V */
#define I_(op, f3, rd, rs1, imm) ((uint32_t)(imm) << 20 | (rs1) << 15 | (f3) << 12 | (rd) << 7 | (op))
#define ADDI(rd, rs1, imm) I_(0x13, 0, rd, rs1, imm)
#define LD(rd, rs1, imm)   I_(3, 3, rd, rs1, imm)
#define LW(rd, rs1, imm)   I_(3, 2, rd, rs1, imm)
#define LBU(rd, rs1, imm)  I_(3, 4, rd, rs1, imm)
#define LH(rd, rs1, imm)   I_(3, 1, rd, rs1, imm)
#define ST_(f3, rs2, rs1, imm) ((uint32_t)((imm) >> 5 & 0x7f) << 25 | (rs2) << 20 | (rs1) << 15 | (f3) << 12 | ((imm) & 31) << 7 | 0x23)
#define SD(rs2, rs1, imm)  ST_(3, rs2, rs1, imm)
#define SW(rs2, rs1, imm)  ST_(2, rs2, rs1, imm)
#define JALR(rd, rs1, imm) I_(0x67, 0, rd, rs1, imm)
#define JAL0(off)          ((uint32_t)((off) >> 20 & 1) << 31 | (uint32_t)((off) >> 1 & 0x3ff) << 21 | (uint32_t)((off) >> 11 & 1) << 20 | (uint32_t)((off) >> 12 & 0xff) << 12 | 0x6f)
#define BNE(rs1, rs2, off) ((uint32_t)((off) >> 12 & 1) << 31 | (uint32_t)((off) >> 5 & 0x3f) << 25 | (rs2) << 20 | (rs1) << 15 | 1 << 12 | (uint32_t)((off) >> 1 & 15) << 8 | (uint32_t)((off) >> 11 & 1) << 7 | 0x63)
#define AMOADD_D(rd, rs1, rs2) ((rs2) << 20 | (rs1) << 15 | 3 << 12 | (rd) << 7 | 0x2f)
#define ECALL  0x73
#define EBREAK 0x100073

enum { CODE = 0x400000, DATA = 0x600000, ALL = GP_READ | GP_WRITE | GP_EXEC };

#define EACH(name) \
    static void name##_run(const char *accel); \
    static void name(void **state) { for (unsigned i = 0; i < ARRAY_LEN(accels); i++) { start(accels[i]); name##_run(accels[i]); stop(); } } \
    static void name##_run(const char *accel)

/* Loads and stores of all widths, inside a page, across a page's end into another place, and to a device. */
EACH(loads_and_stores)
{
    static const uint32_t code[] = { LD(10, 5, 8), LW(11, 5, 4), LBU(12, 5, 15), LH(13, 5, 14), SD(10, 5, 64), SW(11, 5, 76),
                                     LD(14, 6, 0), SD(7, 6, 0), LD(15, 6, 0), AMOADD_D(16, 5, 7), EBREAK };
    uint64_t v;
    map(0, 0, CODE, RAM_AT, ALL, 12, false);
    map(0, 1, DATA, RAM_AT + 0x5000, GP_READ | GP_WRITE, 12, false);
    map(0, 2, DATA + 0x1000, RAM_AT + 0x9000, GP_READ | GP_WRITE, 12, false);
    put(RAM_AT, code, ARRAY_LEN(code));
    for (unsigned round = 0; round < 6; round++) {
        uint64_t bytes[2] = { 0x0123456789abcdef, 0xfedcba9876543210 }, lo = 0x8877665544332211, hi = 0x1020304050607080;
        ram_write(rig->ram, 0x5000, bytes, 16);
        ram_write(rig->ram, 0x5ff8, &lo, 8);
        ram_write(rig->ram, 0x9000, &hi, 8);
        set_x(5, DATA), set_x(6, DATA + 0xffd), set_x(7, 0xa1a2a3a4a5a6a7a8);
        assert_int_equal(go(CODE), EXC_BREAK);
        assert_int_equal(get_x(10), 0xfedcba9876543210);
        assert_int_equal(get_x(11), 0x01234567);
        assert_int_equal(get_x(12), 0xfe);
        assert_int_equal(get_x(13), 0xfffffffffffffedc);
        assert_int_equal(get_x(14), 0x4050607080887766);
        assert_int_equal(get_x(15), 0xa1a2a3a4a5a6a7a8);
        ram_read(rig->ram, 0x5000 + 64, &v, 8);
        assert_int_equal(v, 0xfedcba9876543210);
        ram_read(rig->ram, 0x9000, &v, 5);
        assert_int_equal(v & 0xffffffffff, 0xa1a2a3a4a5);
        assert_int_equal(get_x(16), 0x0123456789abcdef);
        ram_read(rig->ram, 0x5000, &v, 8);
        assert_int_equal(v, 0x0123456789abcdef + 0xa1a2a3a4a5a6a7a8);
    }
    assert_in_range(rig->walks, 3, 3); /* each page once */
}

EACH(device_registers)
{
    static const uint32_t code[] = { LW(10, 5, 16), SD(7, 5, 24), LBU(11, 5, 3), EBREAK };
    map(0, 0, CODE, RAM_AT, ALL, 12, false);
    map(0, 1, DATA, DEV_AT, GP_READ | GP_WRITE, 12, false);
    put(RAM_AT, code, ARRAY_LEN(code));
    for (unsigned round = 1; round < 6; round++) {
        set_x(5, DATA), set_x(7, 0x55aa);
        assert_int_equal(go(CODE), EXC_BREAK);
        assert_int_equal(get_x(10), 0x55667788);
        assert_int_equal(get_x(11), 0x55);
        assert_int_equal(rig->dev_value, 0x55aa);
        assert_int_equal(rig->dev_reads, 2 * round);
        assert_int_equal(rig->dev_writes, round);
    }
}

/* The fault has its address, pc and kind, registers are those before it; nothing of a store across two pages is done. */
EACH(faults)
{
    static const uint32_t code[] = { ADDI(10, 0, 1), SD(7, 6, 0), ADDI(10, 0, 2), EBREAK };
    uint64_t v;
    map(0, 0, CODE, RAM_AT, ALL, 12, false);
    map(0, 1, DATA, RAM_AT + 0x5000, GP_READ | GP_WRITE, 12, false);
    map(0, 2, DATA + 0x1000, RAM_AT + 0x6000, GP_READ, 12, false);
    put(RAM_AT, code, ARRAY_LEN(code));
    for (unsigned round = 0; round < 6; round++) {
        set_x(6, DATA + 0xffc), set_x(7, ~0ull);
        assert_int_equal(go(CODE), EXC_FAULT);
        assert_int_equal(rig->last_addr, DATA + 0x1000);
        assert_int_equal(rig->last_code & (EXF_WRITE | EXF_EXEC), EXF_WRITE);
        assert_int_equal(rig->last_pc, CODE + 4);
        assert_int_equal(get_x(10), 1);
        ram_read(rig->ram, 0x5ff8, &v, 8);
        assert_int_equal(v, 0);
        assert_int_equal(go(0x123000), EXC_FAULT);
        assert_int_equal(rig->last_addr, 0x123000);
        assert_int_equal(rig->last_code & EXF_EXEC, EXF_EXEC);
        set_x(6, 0x40); /* nothing behind the translation */
        map(0, 3, 0, 0x40000000, GP_READ | GP_WRITE, 12, false);
        assert_int_equal(go(CODE), EXC_FAULT);
        assert_int_equal(rig->last_code & EXF_BUS, EXF_BUS);
        rig->page[0][3].set = false;
        soft_flush(rig->cpu, 0, 0, false);
    }
}

/* Two address spaces with different data and code at the same addresses; switching back and forth walks nothing again. */
static void next_space(struct rig *r)
{
    r->key ^= 1;
    soft_switch(r->cpu);
}
EACH(address_spaces)
{
    static const uint32_t loop[] = { ECALL, JALR(1, 6, 0), BNE(8, 0, -8), EBREAK };
    static const uint32_t f0[] = { LD(10, 5, 0), ADDI(8, 8, -1), JALR(0, 1, 0) }, f1[] = { LD(11, 5, 0), ADDI(8, 8, -1), JALR(0, 1, 0) };
    uint64_t a = 111, b = 222;
    put(RAM_AT, loop, ARRAY_LEN(loop));
    put(RAM_AT + 0x1000, f0, ARRAY_LEN(f0));
    put(RAM_AT + 0x2000, f1, ARRAY_LEN(f1));
    ram_write(rig->ram, 0x3000, &a, 8);
    ram_write(rig->ram, 0x4000, &b, 8);
    for (unsigned k = 0; k < 2; k++) {
        map(k, 0, CODE, RAM_AT, ALL, 12, true);
        map(k, 1, CODE + 0x10000, RAM_AT + 0x1000 + 0x1000 * k, ALL, 12, false);
        map(k, 2, DATA, RAM_AT + 0x3000 + 0x1000 * k, GP_READ, 12, false);
    }
    rig->on_syscall = next_space;
    set_x(5, DATA), set_x(6, CODE + 0x10000), set_x(8, 40000);
    assert_int_equal(go(CODE), EXC_BREAK);
    assert_int_equal(get_x(10), 111);
    assert_int_equal(get_x(11), 222);
    assert_int_equal(rig->syscalls, 40000);
    assert_in_range(rig->walks, 6, 8);
}

/* A page that is mapped elsewhere and flushed shows its new content, as data and as code, in large pages too. */
static unsigned turn;
static void remap(struct rig *r)
{
    turn ^= 1;
    for (unsigned i = 1; i < 3; i++) r->page[0][i].pa = RAM_AT + 0x400000 + 0x200000 * turn + (i == 1 ? 0 : 0x100000);
    if (r->syscalls & 2)
        soft_flush_pages(r->cpu, 0, 0, DATA + 0x100000, DATA + 0x100000, true), soft_flush_pages(r->cpu, 0, 0, CODE + 0x10000, CODE + 0x10000, true);
    else
        soft_flush(r->cpu, 0, 0, false);
}
EACH(remapping)
{
    static const uint32_t loop[] = { ECALL, JALR(1, 6, 0), LD(12, 5, 0), BNE(8, 0, -12), EBREAK };
    static const uint32_t f[2][3] = { { ADDI(10, 10, 1), ADDI(8, 8, -1), JALR(0, 1, 0) }, { ADDI(11, 11, 1), ADDI(8, 8, -1), JALR(0, 1, 0) } };
    turn = 0;
    put(RAM_AT, loop, ARRAY_LEN(loop));
    for (unsigned k = 0; k < 2; k++) {
        uint64_t v = 1000 + k;
        put(RAM_AT + 0x400000 + 0x200000 * k, f[k], 3);
        ram_write(rig->ram, 0x500000 + 0x200000 * k + 0x18, &v, 8);
    }
    map(0, 0, CODE, RAM_AT, ALL, 12, true);
    map(0, 1, CODE + 0x10000, RAM_AT + 0x400000, ALL, 16, false);
    map(0, 2, DATA + 0x100000, RAM_AT + 0x500000, GP_READ, 20, false);
    rig->on_syscall = remap;
    set_x(5, DATA + 0x100018), set_x(6, CODE + 0x10000), set_x(8, 2000), set_x(10, 0), set_x(11, 0);
    assert_int_equal(go(CODE), EXC_BREAK);
    assert_int_equal(get_x(10), 1000);
    assert_int_equal(get_x(11), 1000);
    assert_int_equal(get_x(12), 1000);
}

/* Code that changes: by the guest's stores through another address, by the host; data beside it does not matter. */
EACH(changing_code)
{
    static const uint32_t loop[] = { SW(7, 5, 0), JALR(1, 6, 0), ADDI(7, 7, 1024), SD(8, 5, 0x100), ADDI(8, 8, -1), BNE(8, 0, -20), EBREAK };
    static const uint32_t f[] = { ADDI(10, 10, 0), JALR(0, 1, 0) };
    uint64_t sum = 0;
    put(RAM_AT, loop, ARRAY_LEN(loop));
    put(RAM_AT + 0x1000, f, 2);
    map(0, 0, CODE, RAM_AT, ALL, 12, true);
    map(0, 1, CODE + 0x1000, RAM_AT + 0x1000, ALL, 12, false);
    map(0, 2, DATA, RAM_AT + 0x1000, GP_READ | GP_WRITE, 12, false);
    /* the instruction that is stored: addi x10, x10, n with n growing by... one in imm bit 0 is 1 << 20: 1024 adds to rd's field */
    set_x(5, DATA), set_x(6, CODE + 0x1000), set_x(8, 300), set_x(10, 0), set_x(7, ADDI(10, 10, 1));
    static const uint32_t again[] = { SW(7, 5, 0), JALR(1, 6, 0), 0x00d383b3 /* add x7,x7,x13 */, SD(8, 5, 0x100), ADDI(8, 8, -1), BNE(8, 0, -20), EBREAK };
    put(RAM_AT, again, ARRAY_LEN(again));
    set_x(13, 1 << 20);
    for (unsigned i = 0; i < 300; i++) sum += 1 + i;
    assert_int_equal(go(CODE), EXC_BREAK);
    assert_int_equal(get_x(10), sum);
    uint32_t insn = ADDI(10, 0, 77);
    put(RAM_AT + 0x1000, &insn, 1);
    set_x(1, CODE + 24);
    assert_int_equal(go(CODE + 0x1000), EXC_BREAK);
    assert_int_equal(get_x(10), 77);
}

/* Loops that run over a page's end, with an instruction that lies on both pages, the second elsewhere in memory. */
EACH(code_across_pages)
{
    uint16_t bytes[16];
    static const uint32_t code[] = { ADDI(10, 10, 1), ADDI(11, 11, 2), ADDI(8, 8, -1), BNE(8, 0, -12), EBREAK };
    memcpy(bytes, code, sizeof code);
    ram_write(rig->ram, 0x1ffa, bytes, 6);
    ram_write(rig->ram, 0x7000, (char *)bytes + 6, sizeof code - 6);
    map(0, 0, CODE, RAM_AT + 0x1000, ALL, 12, false);
    map(0, 1, CODE + 0x1000, RAM_AT + 0x7000, ALL, 12, false);
    set_x(8, 30000);
    assert_int_equal(go(CODE + 0xffa), EXC_BREAK);
    assert_int_equal(get_x(10), 30000);
    assert_int_equal(get_x(11), 60000);
    rig->page[0][1].set = false;
    soft_flush_pages(rig->cpu, 0, 0, CODE + 0x1000, CODE + 0x1000, false);
    assert_int_equal(go(CODE + 0xffa), EXC_FAULT);
    assert_int_equal(rig->last_addr, CODE + 0x1000);
    assert_int_equal(rig->last_pc, CODE + 0xffe);
}

/* More pages than the smallest table has: it grows; all of it stays right. */
EACH(many_pages)
{
    static const uint32_t code[] = { LD(10, 5, 0), 0x00c28023 /* sb x12,0(x5) */, 0x00e282b3 /* add x5,x5,x14 */, ADDI(8, 8, -1), BNE(8, 0, -16), EBREAK };
    put(RAM_AT, code, ARRAY_LEN(code));
    map(0, 0, CODE, RAM_AT, ALL, 12, false);
    map(0, 1, 0x10000000, RAM_AT + 0x400000, GP_READ | GP_WRITE, 23, false);
    for (unsigned round = 0; round < 20; round++) {
        set_x(5, 0x10000000), set_x(8, 2048), set_x(14, 4096), set_x(12, round);
        assert_int_equal(go(CODE), EXC_BREAK);
        uint64_t v;
        ram_read(rig->ram, 0x400000 + 2047 * 4096, &v, 8);
        assert_int_equal(v, round);
    }
    assert_in_range(rig->walks, 2049, 2049 * 6);
}

/* Atomic operations: in RAM, at a page's end, where a page is missing, on pages with code, on device registers (which refuse). */
#define AMO_(f5, f3, rd, rs1, rs2) ((uint32_t)(f5) << 27 | (rs2) << 20 | (rs1) << 15 | (f3) << 12 | (rd) << 7 | 0x2f)
EACH(atomics)
{
    enum { ADD = 0, SWAP = 1, CAS = 5, XOR = 4, MAX_ = 0x14 };
    static const uint32_t code[] = { AMO_(ADD, 3, 10, 5, 7), AMO_(XOR, 2, 11, 5, 7), AMO_(MAX_, 3, 12, 5, 7), AMO_(SWAP, 3, 13, 5, 7),
                                     AMO_(ADD, 3, 0, 5, 6), AMO_(CAS, 3, 14, 5, 6), AMO_(CAS, 3, 15, 5, 7), ADDI(8, 8, -1), BNE(8, 0, -32), EBREAK };
    map(0, 0, CODE, RAM_AT, ALL, 12, false);
    map(0, 1, DATA, RAM_AT + 0x5000, GP_READ | GP_WRITE, 12, false);
    map(0, 2, DATA + 0x1000, DEV_AT, GP_READ | GP_WRITE, 12, false);
    map(0, 3, DATA + 0x2000, RAM_AT, GP_READ | GP_WRITE, 12, false); /* the code's page */
    map(0, 4, DATA + 0x3000, RAM_AT + 0x6000, GP_READ, 12, false);
    put(RAM_AT, code, ARRAY_LEN(code));
    for (unsigned round = 0; round < 4; round++) {
        uint64_t v = 5, w;
        uint64_t at = round == 3 ? 0x800 : 0x5ff8;
        ram_write(rig->ram, at, &v, 8);
        set_x(5, round == 3 ? DATA + 0x2800 : DATA + 0xff8), set_x(6, 1), set_x(7, 3), set_x(8, 3000), set_x(14, 4), set_x(15, 4);
        assert_int_equal(go(CODE), EXC_BREAK);
        ram_read(rig->ram, at, &w, 8);
        /* the model: an iteration at a time */
        uint64_t m = 5, x[6] = { 0, 0, 0, 0, 4, 4 };
        for (unsigned i = 0; i < 3000; i++) {
            x[0] = m, m += 3;
            x[1] = (uint64_t)(int32_t)m, m = (m & ~0xffffffffull) | (uint32_t)(m ^ 3);
            x[2] = m, m = (int64_t)m > 3 ? m : 3;
            x[3] = m, m = 3;
            m += 1;
            uint64_t old = m;
            if (m == x[4]) m = 1;
            x[4] = old;
            old = m;
            if (m == x[5]) m = 3;
            x[5] = old;
        }
        assert_int_equal(w, m);
        for (unsigned i = 0; i < 6; i++) assert_int_equal(get_x(10 + i), x[i]);
    }
    set_x(5, DATA + 0x1000);
    assert_int_equal(go(CODE), EXC_FAULT);
    assert_int_equal(rig->last_code & EXF_BUS, EXF_BUS);
    set_x(5, DATA + 0x3000);
    assert_int_equal(go(CODE), EXC_FAULT);
    assert_int_equal(rig->last_code & (EXF_WRITE | EXF_BUS), EXF_WRITE);
    assert_int_equal(rig->last_addr, DATA + 0x3000);
}

/*
 * Accesses that begin at the same value and may share a check of their page: in one page, in two, one of which may be missing or
 * read-only, in a device's. Where they are in two pages again and again, the code is made anew.
 */
EACH(shared_checks)
{
    static const uint32_t code[] = { ADDI(10, 0, 1), LD(11, 5, 0), SD(7, 5, -16), LD(14, 6, 0), LW(12, 5, 24), SD(8, 5, 40), ADDI(10, 0, 2), EBREAK };
    struct engine_stats before, after;
    uint64_t v, w;
    map(0, 0, CODE, RAM_AT, ALL, 12, false);
    map(0, 1, DATA, RAM_AT + 0x5000, GP_READ | GP_WRITE, 12, false);
    map(0, 2, DATA + 0x1000, RAM_AT + 0x9000, GP_READ | GP_WRITE, 12, false);
    map(0, 3, DATA + 0x3000, RAM_AT + 0x5000, GP_READ, 12, false);
    map(0, 4, DATA + 0x4000, DEV_AT, GP_READ | GP_WRITE, 12, false);
    put(RAM_AT, code, ARRAY_LEN(code));
    set_x(6, DATA);
    for (unsigned round = 0; round < 300; round++) {
        bool two = round >= 50;
        uint64_t at = two ? 0xff8 : 0x100 + 8 * round, in = 0x5000 + at, past = two ? 0x9010 : in + 24;
        v = 0x1111 * round, w = 0x80000000 + round;
        ram_write(rig->ram, in, &v, 8);
        ram_write(rig->ram, past, &w, 8);
        if (round == 50) engine_get_stats(rig->en, &before);
        set_x(5, DATA + at), set_x(7, ~v), set_x(8, w * 3);
        assert_int_equal(go(CODE), EXC_BREAK);
        assert_int_equal(get_x(10), 2);
        assert_int_equal(get_x(11), v);
        assert_int_equal(get_x(12), (uint64_t)(int32_t)w);
        ram_read(rig->ram, in - 16, &w, 8);
        assert_int_equal(w, ~v);
        ram_read(rig->ram, past + 16, &w, 8);
        assert_int_equal(w, (0x80000000 + round) * 3ull);
    }
    engine_get_stats(rig->en, &after);
    if (accel[0] == 'j') assert_int_equal(after.regions, before.regions + 1);
    for (unsigned round = 0; round < 4; round++) { /* the second page is missing, or may not be written */
        rig->page[0][2].set = round & 1;
        rig->page[0][2].prot = GP_READ;
        soft_flush(rig->cpu, 0, 0, false);
        set_x(5, DATA + 0xff8), set_x(7, round);
        assert_int_equal(go(CODE), EXC_FAULT);
        assert_int_equal(rig->last_pc, CODE + (round & 1 ? 20 : 16));
        assert_int_equal(rig->last_addr, DATA + 0x1000 + (round & 1 ? 32 : 16));
        assert_int_equal(get_x(10), 1);
        assert_int_equal(get_x(11), v);
        ram_read(rig->ram, 0x5fe8, &w, 8);
        assert_int_equal(w, round);
        set_x(5, DATA + 0x3100);
        assert_int_equal(go(CODE), EXC_FAULT);
        assert_int_equal(rig->last_addr, DATA + 0x30f0);
        set_x(5, DATA + 0x4010);
        assert_int_equal(go(CODE), EXC_BREAK);
        assert_int_equal(rig->dev_reads, 2 * (round + 1));
        assert_int_equal(rig->dev_writes, 2 * (round + 1));
        assert_int_equal(get_x(12), 0x55667788);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_and_stores), cmocka_unit_test(device_registers), cmocka_unit_test(faults), cmocka_unit_test(address_spaces),
        cmocka_unit_test(remapping), cmocka_unit_test(changing_code), cmocka_unit_test(code_across_pages), cmocka_unit_test(many_pages), cmocka_unit_test(atomics),
        cmocka_unit_test(shared_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
